"""One kind and one shape: which the first documents decide, and how the others are made so."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.corpus.uniform import AMONG_PICTURES, AMONG_TEXTS, SIDE, UniformCorpus, resized
from textae.types import Document, Picture, Skipped, shape_in_words

TEXT = Document("text", "words")


def picture(height: int, width: int, channels: int = 1, level: int = 7) -> Picture:
    return Picture(height, width, channels, bytes([level]) * (height * width * channels))


def documents(*pictures: Picture | None) -> list[Document]:
    return [Document(str(n), "" if one else "words", picture=one) for n, one in enumerate(pictures)]


def shapes(*pictures: Picture | None) -> list[tuple[int, int, int]]:
    return [one.picture.shape for one in UniformCorpus(documents(*pictures)) if isinstance(one, Document)]


@pytest.mark.parametrize(
    ("first", "shape"),
    [
        ([(8, 8, 1)] * 2, (8, 8, 1)),
        ([(5, 9, 1)] * 2, (5, 9, 1)),
        ([(8, 8, 1), (8, 8, 3)], (8, 8, 3)),
        ([(8, 8, 1), (8, 9, 1)], (SIDE, SIDE, 1)),
        ([(SIDE, SIDE, 3)], (SIDE, SIDE, 3)),
        ([(SIDE, SIDE + 1, 3)] * 2, (SIDE, SIDE, 3)),
        ([(500, 20, 1)], (SIDE, SIDE, 1)),
    ],
)
def test_the_first_pictures_decide_the_shape(first, shape) -> None:
    pictures = [picture(*each) for each in first]
    assert UniformCorpus(documents(*pictures)).shape == shape
    assert set(shapes(*pictures * 64, picture(3, 40, 3))) == {shape}  # nothing that comes late


def test_a_shape_that_is_known_is_kept() -> None:
    corpus = UniformCorpus(documents(picture(9, 9)), (4, 4, 3))
    assert [one.picture.shape for one in corpus] == [(4, 4, 3)]
    assert list(UniformCorpus([TEXT], None)) == [TEXT]


def test_what_is_of_the_other_kind_is_skipped() -> None:
    photo = Document("photo", "", source="a/photo.png", picture=picture(8, 8))
    assert list(UniformCorpus([TEXT, photo])) == [TEXT, Skipped("a/photo.png", AMONG_TEXTS)]
    assert list(UniformCorpus([photo, TEXT])) == [photo, Skipped("text", AMONG_PICTURES)]
    assert UniformCorpus([TEXT, photo]).shape is None


def test_what_was_skipped_before_the_first_document_decides_nothing() -> None:
    skipped = [Skipped(f"{n}.md", "unknown type .md") for n in range(1_000)]
    corpus = UniformCorpus([*skipped, *documents(picture(8, 8))])
    assert corpus.shape == (8, 8, 1)
    assert len(list(corpus)) == 1_001
    assert UniformCorpus(skipped).shape is None


def test_of_a_stream_no_more_is_read_than_decides() -> None:
    read = []

    def stream(*kinds: Picture | None):
        for document in documents(*kinds):
            read.append(document.id)
            yield document

    UniformCorpus(stream(None, None, picture(8, 8)))
    assert read == ["0"]
    read.clear()
    corpus = UniformCorpus(stream(*[picture(8, 8)] * 500))
    assert len(read) < 100
    assert len(list(itertools.islice(corpus, 200))) == 200
    assert len(read) == 200


def test_the_sides_are_shrunk_each_by_itself() -> None:
    """A picture, black above and white below, is that in any shape."""
    halves = Picture(8, 4, 1, bytes(16) + bytes([255]) * 16)
    small = np.frombuffer(resized(halves, (2, 2, 1)).pixels, np.uint8).reshape(2, 2)
    assert small[0].max() < 64 < 192 < small[1].min()
    assert resized(halves, (32, 2, 1)).pixels[:10] == bytes(10)


def test_colours_become_grey_and_grey_becomes_colours() -> None:
    """Grey is .299 R + .587 G + .114 B (ITU-R BT.601)."""
    colours = Picture(1, 3, 3, bytes([255, 0, 0, 0, 255, 0, 0, 0, 255]))
    assert list(resized(colours, (1, 3, 1)).pixels) == [76, 150, 29]
    assert list(resized(Picture(1, 2, 1, bytes([3, 200])), (1, 2, 3)).pixels) == [3, 3, 3, 200, 200, 200]


SIDES = st.integers(1, 40)


@given(SIDES, SIDES, st.sampled_from([1, 3]), SIDES, SIDES, st.sampled_from([1, 3]), st.integers(0, 255))
def test_a_picture_of_one_level_stays_it_in_every_shape(h, w, c, height, width, channels, level) -> None:
    found = resized(picture(h, w, c, level), (height, width, channels))
    assert found == picture(height, width, channels, level)


def test_a_shape_in_words() -> None:
    assert shape_in_words((28, 20, 1)) == "20 × 28 grey levels"
    assert shape_in_words((32, 32, 3)) == "32 × 32 colours"
