"""The page as a file: what is in it, that it keeps to its budget, and that no text becomes a part of it."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from shared import nobody, open_to_all, some_pictures

import textae.views.page
from textae import Document, TextaeError
from textae.explore.map import BackgroundGrid, DocumentMap
from textae.types import Picture, Topic, Topics
from textae.views.page import PageReport, compose, write_page
from textae.views.page.document import SCRIPTS, STYLES


def map_of(documents, places=None, topic_of=None) -> DocumentMap:
    """Give a map of documents, of one topic or of two in one area."""
    n = len(documents)
    topic_of = np.zeros(n, np.int32) if topic_of is None else np.array(topic_of, np.int32)
    leaves = tuple(Topic(f"1.{at + 1}", f"topic {at}", (), int((topic_of == at).sum()), ()) for at in range(2))
    return DocumentMap(
        layout="neighbours",
        numbers=np.arange(n),
        ids=[document.id for document in documents],
        titles=[document.title for document in documents],
        coordinates=np.array(places if places is not None else np.zeros((n, 2)), np.float32),
        topics=Topics((Topic("1", "all", ("all",), n, (), leaves),), n, 2),
        topic_of=topic_of,
        memberships=np.linspace(0, 1, n, dtype=np.float32),
        background=BackgroundGrid(-1, -1, 1, 1, (("a",), ("b",), ("c",), ("d",))),
    )


class Parts(HTMLParser):
    """The scripts, styles and other elements of a page, as a browser's parser finds them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: dict[str, str] = {}
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.elements: list[tuple[str, dict]] = []
        self._inside: tuple[str, dict] = ("", {})
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self._inside = tag, dict(attrs)
        self.elements.append(self._inside)

    def handle_data(self, data) -> None:
        tag, attributes = self._inside
        if tag == "style":
            self.styles.append(data)
        if tag == "script" and "type" in attributes:
            self.blocks[attributes["id"]] = data
        elif tag == "script":
            self.scripts.append(data)
        self._inside = "", {}

    def bytes_of(self, id: str) -> bytes:
        return gzip.decompress(base64.b64decode(self.blocks[id], validate=True))

    def json_of(self, id: str):
        return json.loads(self.bytes_of(id))

    @property
    def about(self):
        return self.json_of("about")

    @property
    def texts(self) -> list:
        return [shown for id in self.blocks if id.startswith("texts-") for shown in self.json_of(id)]


def written(path: Path, documents, *, name="Some", whole_texts=False, **about_the_map) -> tuple[PageReport, Parts]:
    report = write_page(map_of(documents, **about_the_map), iter(documents), path, name=name, whole_texts=whole_texts)
    assert report.bytes == path.stat().st_size
    return report, Parts(path.read_text(encoding="utf-8"))


def random_words(rng: np.random.Generator, n: int) -> str:
    return " ".join(f"{number:x}" for number in rng.integers(0, 1 << 24, n))


def test_places_topics_and_strengths_come_back(tmp_path) -> None:
    """The square has its corner at (-1.12, 3.12) and a side of 2.24: that of the documents, 2, and 6 % on each side."""
    documents = [Document(str(at), "text", f"title {at}") for at in range(3)]
    _, page = written(tmp_path / "map.html", documents, places=[(-1, 1), (1, 2), (0, 3)], topic_of=[0, 1, 1])
    raw = page.bytes_of("places")
    assert len(raw) == 3 * 7
    x, y, topics = np.frombuffer(raw[:18], "<u2").reshape(3, 3)
    assert np.allclose(x / 65535 * 2.24 - 1.12, [-1, 1, 0], atol=1e-4)
    assert np.allclose(3.12 - y / 65535 * 2.24, [1, 2, 3], atol=1e-4)
    assert topics.tolist() == [0, 1, 1]
    assert list(raw[18:]) == [0, 128, 255]
    area = page.about["areas"][0]
    assert [topic["documents"] for topic in area["topics"]] == [1, 2]
    assert page.about["ground"] == {
        "box": pytest.approx([0.12 / 2.24, 2.12 / 2.24, 2.12 / 2.24, 4.12 / 2.24], abs=1e-4),
        "words": [["a"], ["b"], ["c"], ["d"]],
    }
    assert page.about["withoutCode"] == 2


def test_a_topic_is_named_where_it_is_densest(tmp_path) -> None:
    """Three documents close together and two elsewhere: the median of the three, (.01, .02)."""
    places = [(0, 0.01), (0.01, 0.02), (0.02, 0.03), (1, 1), (-1, -1)]
    documents = [Document(str(at), "text") for at in range(5)]
    _, page = written(tmp_path / "map.html", documents, places=places)
    topic, empty = page.about["areas"][0]["topics"]
    assert topic["middle"] == pytest.approx([(0.01 + 1.12) / 2.24, (1.12 - 0.02) / 2.24], abs=1e-4)
    assert (empty["middle"], empty["box"]) == (None, None)


def test_titles_ids_texts_and_fields_come_back(tmp_path) -> None:
    said = {"year": 1999, "tags": ["x", "y"], "none": None, "deep": {"k": [1]}}
    documents = [
        Document("a\nb", "one\n\ttwo", "two\r\nlines", said),
        Document("c  d", ""),
    ]
    report, page = written(tmp_path / "map.html", documents)
    assert page.bytes_of("ids").decode().split("\n") == ["a b", "c  d"]
    assert page.bytes_of("titles").decode().split("\n") == ["two lines", ""]
    fields = {"year": "1999", "tags": "x, y", "deep": '{"k": [1]}'}
    assert page.texts == [["one\n\ttwo", fields, 8], ["", {}, 0]]
    assert (report.documents, report.characters, page.about["titleCharacters"]) == (2, None, None)


def test_one_script_and_one_style_may_run_and_nothing_may_be_asked(tmp_path) -> None:
    _, page = written(tmp_path / "map.html", [Document("1", "text")])
    policy = next(of["content"] for tag, of in page.elements if of.get("http-equiv") == "Content-Security-Policy")
    said = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def hash_of(source: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"

    assert [hash_of(source) for source in page.scripts] == [said["script-src"]]
    assert [hash_of(source) for source in page.styles] == [said["style-src"]]
    assert said["default-src"] == "'none'"
    assert "connect-src" not in said
    attributes = {name for _, of in page.elements for name in of}
    assert not attributes & {"style", "src", "href"}
    assert not any(name.startswith("on") for name in attributes)


def test_the_script_needs_nothing_from_elsewhere_and_reads_no_text_as_html() -> None:
    static = Path(textae.views.page.__file__).parent / "static"
    assert {path.name for path in static.iterdir()} >= {"page.html", *SCRIPTS, *STYLES}
    for path in static.iterdir():
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/)", source), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source)


anything = st.text(alphabet=st.characters(), max_size=40)
hostile = st.sampled_from(
    ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028", "{{data}}", "\ud800", "&lt;"]
)


@given(st.lists(st.tuples(anything | hostile, anything | hostile), min_size=1, max_size=4), anything | hostile)
def test_whatever_documents_say_the_page_stays_what_it_is(said, name) -> None:
    documents = [Document(f"{at} {title}", text, title, {title: text}) for at, (title, text) in enumerate(said)]
    out = BytesIO()
    compose(map_of(documents), documents, out, name=name)
    page = Parts(out.getvalue().decode())
    assert (len(page.scripts), len(page.styles)) == (1, 1)
    assert [shown[0] for shown in page.texts] == [text.encode("utf-8", "replace").decode() for _, text in said]
    assert {"about", "places", "titles", "ids", "texts-0"} <= page.blocks.keys()


def test_the_same_map_gives_the_same_bytes(tmp_path) -> None:
    documents = [Document(str(at), f"text {at}", fields={"odd": at % 2 == 1}) for at in range(50)]
    for name in ("one", "two"):
        written(tmp_path / name, documents)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_texts_are_cut_to_one_length_so_that_the_page_keeps_its_budget(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(textae.views.page, "BUDGET", 400_000)
    rng = np.random.default_rng(1)
    documents = [
        Document(str(at), random_words(rng, int(rng.integers(10, 900))), fields={"n": at}) for at in range(300)
    ]
    report, page = written(tmp_path / "map.html", documents)
    assert 0.85 * 400_000 < report.bytes <= 400_000
    assert report.characters is not None and report.characters > 100
    for document, (text, fields, characters) in zip(documents, page.texts, strict=True):
        assert text == document.text[: report.characters]
        assert characters == len(document.text)
        assert fields == {"n": document.id}
    assert page.about["characters"] == report.characters
    whole, page = written(tmp_path / "whole.html", documents, whole_texts=True)
    assert whole.characters is None and whole.bytes > 400_000
    assert [text for text, _, _ in page.texts] == [document.text for document in documents]


def test_where_there_is_no_room_texts_go_and_titles_are_cut(tmp_path, monkeypatch) -> None:
    rng = np.random.default_rng(1)
    documents = [Document(str(at), random_words(rng, 50), random_words(rng, 20)) for at in range(500)]
    bare, _ = written(tmp_path / "bare.html", [Document(document.id, "") for document in documents])
    monkeypatch.setattr(textae.views.page, "BUDGET", bare.bytes + 22_000)
    report, page = written(tmp_path / "map.html", documents)
    assert report.bytes <= bare.bytes + 22_000
    assert report.characters == 0 and page.about["characters"] == 0
    cut = page.about["titleCharacters"]
    assert cut is not None and 10 < cut < 100
    assert page.bytes_of("titles").decode().split("\n") == [document.title[:cut] for document in documents]


def test_a_long_text_that_packs_well_is_still_said_to_be_cut(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(textae.views.page, "BUDGET", 200_000)
    report, page = written(tmp_path / "map.html", [Document("1", "a" * 3_000_000)])
    assert report.characters is not None and report.characters < 3_000_000
    assert len(page.texts[0][0]) == report.characters


def test_fields_that_say_something_are_offered_and_the_others_are_counted(tmp_path) -> None:
    rng = np.random.default_rng(1)
    documents = [
        Document(
            str(at),
            "text",
            fields={
                "label": f"l{min(at % 30, 14)}",
                "same": "x",
                "own": random_words(rng, 2),
                "year": 1900 + at % 90,
                **{f"rare {number}": number for number in range(at, 500 if at == 0 else at)},
            },
        )
        for at in range(300)
    ]
    _, page = written(tmp_path / "map.html", documents)
    offered = {said["field"]: said for said in page.about["colourings"]}
    assert {"label", "year"} <= offered.keys()
    assert not {"same", "own"} & offered.keys()
    assert len(offered) == len(page.about["colourings"]) <= 30
    assert len(offered) + page.about["fieldsLeftOut"] == 504
    label = offered["label"]
    assert label["entries"][0] == ["l14", 160]
    assert sum(count for _, count in label["entries"]) + label["others"] == 300
    place = page.about["colourings"].index(label)
    places = np.frombuffer(page.bytes_of(f"colouring-{place}"), np.uint8)
    assert (places == 0).sum() == 160
    assert places.max() < len(label["light"]) == len(label["dark"])


def test_documents_that_are_not_on_the_map_are_passed_over(tmp_path) -> None:
    documents = [Document(str(at), f"text {at}") for at in range(6)]
    odd = documents[1::2]
    write_page(map_of(odd), iter(documents), tmp_path / "map.html", name="Odd")
    page = Parts((tmp_path / "map.html").read_text(encoding="utf-8"))
    assert [shown[0] for shown in page.texts] == ["text 1", "text 3", "text 5"]
    with pytest.raises(ValueError, match="'3' of the map is not among the documents"):
        write_page(map_of(odd), [documents[1], documents[5]], tmp_path / "map.html", name="Odd")


def test_a_map_of_nothing_is_one_clear_line(tmp_path) -> None:
    with pytest.raises(TextaeError, match="the map has no documents"):
        write_page(map_of([]), [], tmp_path / "map.html", name="Nothing")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_what_was_there(tmp_path) -> None:
    path = tmp_path / "map.html"
    path.write_text("before")

    def broken():
        yield Document("1", "text")
        raise OSError("the disk is gone")

    documents = [Document("1", "text"), Document("2", "text")]
    with pytest.raises(OSError, match="the disk is gone"):
        write_page(map_of(documents), broken(), path, name="Broken")
    open_to_all(tmp_path)
    tmp_path.chmod(0o555)
    with nobody(), pytest.raises(PermissionError):
        write_page(map_of(documents), documents, path, name="Forbidden")
    tmp_path.chmod(0o755)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_pictures_come_back_and_go_where_there_is_no_room(tmp_path, monkeypatch) -> None:
    """Of pictures without room fields go first, then the pictures."""
    documents = some_pictures(60)
    report, page = written(tmp_path / "map.html", documents)
    assert (report.pictures, report.characters, page.about["pictures"]) == (60, None, 60)
    for document, (text, fields, characters, url) in zip(documents, page.texts, strict=True):
        assert (text, fields["label"], characters) == ("", document.fields["label"], 0)
        start, packed = url.split(",")
        assert start == "data:image/png;base64"
        with Image.open(BytesIO(base64.b64decode(packed, validate=True))) as image:
            assert (image.size, image.tobytes()) == ((6, 6), document.picture.pixels)
    bare, _ = written(tmp_path / "bare.html", [replace(document, picture=None) for document in documents])
    monkeypatch.setattr(textae.views.page, "BUDGET", bare.bytes + 2_000)
    report, page = written(tmp_path / "small.html", documents)
    assert (report.pictures, page.about["pictures"]) == (0, 0)
    assert report.bytes <= bare.bytes + 2_000
    assert all(len(shown) == 3 for shown in page.texts)
    whole, _ = written(tmp_path / "whole.html", documents, whole_texts=True)
    assert whole.pictures == 60


def test_pictures_without_room_are_halved_before_they_are_left_out(tmp_path, monkeypatch) -> None:
    levels = np.random.default_rng(1).integers(0, 256, (40, 25, 27), np.uint8)
    pictures = [Picture(25, 27, 1, one.tobytes()) for one in levels]
    documents = [Document(str(at), "", "", picture=picture) for at, picture in enumerate(pictures)]
    sizes = {}
    for room in (60_000, 12_000, 2_500, -3_000):
        monkeypatch.setattr(textae.views.page, "BUDGET", 10**9)
        bare = written(tmp_path / "bare.html", [replace(one, picture=None) for one in documents])[0].bytes
        monkeypatch.setattr(textae.views.page, "BUDGET", bare + room)
        report, page = written(tmp_path / "map.html", documents)
        assert report.bytes <= bare + room or not report.pictures
        sizes[room] = report.pictures, report.halvings, page.about["thumbnail"]
        if page.about["thumbnail"] == [12, 13, 1]:
            for shown, of in zip(page.texts, levels, strict=True):
                means = of[:24, :26].reshape(12, 2, 13, 2).mean(axis=(1, 3), dtype=np.float32)
                assert shown[3] == "".join(f"{round(float(mean) / 17):x}" for mean in means.ravel())
    assert list(sizes.values()) == [(40, 0, None), (40, 1, [12, 13, 1]), (40, 2, [6, 6, 1]), (0, 0, None)]


def test_a_map_of_texts_holds_no_pictures(tmp_path) -> None:
    report, page = written(tmp_path / "map.html", [Document("1", "text")])
    assert report.pictures is page.about["pictures"] is None
