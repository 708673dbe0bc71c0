"""Pictures side by side: pixel by pixel in a png, and on a page that trusts nobody."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from textae.errors import TextaeError
from textae.types import Hit, Picture
from textae.views.contact_sheet import contact_sheet, draw_pictures, nearly_square

GREY = Picture(2, 3, 1, bytes([0, 50, 100, 150, 200, 250]))
COLOURS = Picture(1, 2, 3, bytes([255, 0, 0, 0, 0, 255]))


def read(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_every_pixel_is_a_square_and_pictures_stand_in_rows(tmp_path) -> None:
    other = Picture(2, 3, 1, bytes(6))
    draw_pictures([[GREY, other], [other]], tmp_path / "a.png")
    drawn = read(tmp_path / "a.png")
    assert drawn.shape == (2 * 64 + 4, 2 * 96 + 4, 3)
    assert drawn[:64:32, :96:32, 0].tolist() == [[0, 50, 100], [150, 200, 250]]
    assert (drawn[:32, :32] == 0).all()
    assert (drawn[68:, 100:] == 128).all()  # where there is none
    assert (drawn[64:68] == 128).all()
    draw_pictures([[COLOURS]], tmp_path / "a.png")
    assert read(tmp_path / "a.png")[0, [0, -1]].tolist() == [[255, 0, 0], [0, 0, 255]]


def test_large_pictures_are_not_enlarged(tmp_path) -> None:
    draw_pictures([[Picture(100, 60, 1, bytes(6_000))]], tmp_path / "a.PNG")
    assert read(tmp_path / "a.PNG").shape == (100, 60, 3)


def test_a_picture_of_no_known_kind_or_place(tmp_path) -> None:
    with pytest.raises(TextaeError, match=r"no picture for 'a.gif'; give a name that ends in .png"):
        draw_pictures([[GREY]], tmp_path / "a.gif")
    with pytest.raises(OSError, match="No such file"):
        draw_pictures([[GREY]], tmp_path / "nowhere" / "a.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("n", "rows"), [(1, [1]), (2, [2]), (5, [3, 2]), (9, [3, 3, 3]), (12, [4, 4, 4])])
def test_some_pictures_stand_in_a_square(n, rows) -> None:
    assert [len(row) for row in nearly_square([GREY] * n)] == rows


class Page(HTMLParser):
    """The elements of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.texts.append(data)


def hit(id: str, **fields: object) -> Hit:
    return Hit(1, id, 0.98765, "", "", (), fields)


def test_the_page_has_the_question_first_and_what_was_found_under_it() -> None:
    page = Page(contact_sheet([("beach.jpg", GREY)], [hit("a/1.png", label="cat"), hit("b.png")], [COLOURS, GREY]))
    kinds = [attributes["class"] for tag, attributes in page.elements if tag == "figure"]
    assert kinds == ["query", "hit", "hit"]
    captions = [text for text in page.texts if text.strip() and ":root" not in text]
    assert captions[:4] == ["Similar to beach.jpg", "Similar to beach.jpg", "beach.jpg", "asked"]
    assert captions[4:] == ["a/1.png", "0.988", "cat", "b.png", "0.988"]
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    for image, picture in zip(images, (GREY, COLOURS, GREY), strict=True):
        start, written = image["src"].split(",")
        assert start == "data:image/png;base64"
        shown = Image.open(io.BytesIO(base64.b64decode(written)))
        assert (shown.tobytes(), shown.size) == (picture.pixels, (picture.width, picture.height))


def test_its_policy_allows_pictures_that_are_in_it_and_its_own_style_alone() -> None:
    written = contact_sheet([("a", GREY)], [], [])
    policy = re.search('Content-Security-Policy" content="([^"]*)"', written)[1]
    style = re.search("<style>(.*?)</style>", written, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    assert not re.search("https?:|<script|<link|url\\(|@import", written)


def test_what_documents_say_is_no_html() -> None:
    evil = '"><script>alert(1)</script>\u202e\x1b[31m'
    page = contact_sheet([(evil, GREY)], [hit(evil, label=evil), hit("x", label=[evil])], [GREY, GREY])
    assert {tag for tag, _ in Page(page).elements} == {
        "html", "head", "meta", "title", "style", "body", "h1", "main", "figure", "img", "figcaption", "bdi", "span"
    }  # fmt: skip
    assert not re.search("[\x1b\u202e]", page)
    page.encode()
    contact_sheet([("\udcff", GREY)], [], []).encode()
