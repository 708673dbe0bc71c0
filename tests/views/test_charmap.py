"""The map in a terminal, as it is read from its lines."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import HOSTILE, blobs

from textae.views.braille_map import map_in_characters
from textae.views.sanitise import safe

COLOURS = re.compile(r"\x1b\[(?:0|1|38;5;\d+)m")


def columns(line: str) -> int:
    """As wcwidth counts them."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in line)
    return len(line) + wide - sum(unicodedata.category(character) in ("Mn", "Me") for character in line)


def placed(coordinates) -> object:
    """Give a map of one topic without a name, its documents at these coordinates."""
    topic_map = blobs([[len(coordinates)]], names=[""])
    topic_map.coordinates[:] = coordinates
    return topic_map


def test_documents_are_where_they_are() -> None:
    """Four in the corners of 40 × 5 characters: of each corner's braille the outermost dot; the id in the middle."""
    lines = map_in_characters(placed([[-1, 1], [1, 1], [-1, -1], [1, -1], [0, 0], [0, 0]]), 40, 5).splitlines()
    assert (lines[0].split(), lines[4].split()) == (["⠁", "⠈"], ["⡀", "⢀"])
    assert (len(lines[0]), len(lines[4])) == (40, 40)
    assert [lines[1], lines[2].strip(), lines[3]] == ["", "1.1", ""]
    assert len(lines) == 6


def test_names_and_areas_are_told() -> None:
    said = map_in_characters(blobs(), 70, 20)
    for name in ("1.1 stars, planets", "1.2 bread, oven", "2.1 ships, sails"):
        assert name in said
    assert said.splitlines()[-1].split("  ") == ["● 1 stars, planets, sky (60)", "● 2 ships, sails, tide (30)"]


def test_more_documents_have_more_dots() -> None:
    """Two heaps, one below the name, of some forty for each dot of a few characters; and single ones."""
    rng = np.random.default_rng(1)
    dense, single = rng.uniform(0.4, 0.5, (1_600, 2)), rng.uniform([-1, 0.5], [-0.6, 0.9], (60, 2))
    said = map_in_characters(placed(np.concatenate([dense, dense - 0.8, single, [[1, 1], [-1, -1]]])), 60, 20)
    bits = [(ord(character) - 0x2800).bit_count() for character in said if 0x2800 < ord(character) < 0x2900]
    assert max(bits) == 8
    assert bits.count(1) > 20


def test_every_character_that_holds_a_document_has_a_dot() -> None:
    rng = np.random.default_rng(2)
    places = np.concatenate([rng.normal(0, 0.01, (5_000, 2)), rng.uniform(-1, 1, (50, 2))])
    lines = map_in_characters(placed(places), 60, 20).splitlines()[:20]
    x, y = ((places - places.min(axis=0)) / (places.max(axis=0) - places.min(axis=0))).T
    held = set(zip(np.minimum((1 - y) * 20, 19).astype(int), np.minimum(x * 60, 59).astype(int), strict=True))
    hidden = [(row, column) for row, column in held if lines[row].ljust(60)[column] == " "]
    assert len(held) > 40
    assert len(hidden) <= 2, "only those beside the name of the topic"


def test_a_terminal_of_ascii() -> None:
    said = map_in_characters(blobs(names=["café, thé", *"ab"]), 60, 12, encoding="ascii")
    said.encode("ascii")
    assert "1.1 caf?, th?" in said
    assert "* 1" in said
    assert set("".join(said.splitlines()[:12])) & set(".:-=+*%#@")


def test_a_terminal_of_latin_letters_shows_them() -> None:
    said = map_in_characters(blobs(names=["café, thé"]), 60, 12, encoding="latin-1")
    said.encode("latin-1")
    assert "café, thé" in said


def test_colours_are_those_of_areas_and_change_nothing_else() -> None:
    plain = map_in_characters(blobs(), 70, 20)
    coloured = map_in_characters(blobs(), 70, 20, colour=True)
    stripped = [line.rstrip() for line in COLOURS.sub("", coloured).splitlines()]
    assert stripped == plain.splitlines()
    of_area = set(re.findall(r"\x1b\[38;5;(\d+)m●", coloured))
    assert len(of_area) == 2
    assert set(re.findall(r"\x1b\[38;5;(\d+)m", coloured)) == of_area


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "no such encoding"][:2])
@pytest.mark.parametrize("size", [(40, 5), (0, 0), (200, 60)])
def test_names_that_nobody_should_trust(colour, encoding, size) -> None:
    topic_map = blobs([[9] * 6, [3] * 4], names=HOSTILE)
    said = COLOURS.sub("", map_in_characters(topic_map, *size, colour=colour, encoding=encoding))
    assert safe(said) == said
    assert "\x1b" not in said
    assert max(map(columns, said.splitlines())) <= max(40, size[0])


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("colour", [False, True])
def test_few_documents(n, colour) -> None:
    said = map_in_characters(blobs([[n]] if n else []), 40, 5, colour=colour)
    assert ("stars" in said) == bool(n)


def test_all_at_one_place() -> None:
    said = map_in_characters(blobs([[9, 9], [9]], spread=0), 60, 12)
    assert said == map_in_characters(blobs([[9, 9], [9]], spread=0), 60, 12)
    topic_map = placed(np.zeros((50, 2)))
    assert "1.1" in map_in_characters(topic_map, 40, 7).splitlines()[3]


def test_names_without_room_are_counted() -> None:
    said = map_in_characters(blobs([[2] * 60]), 40, 5)
    shown = len(re.findall(r"1\.\d+ ", "\n".join(said.splitlines()[:5])))
    assert said.splitlines()[-1] == f"names without room: {60 - shown}"


@settings(max_examples=30)
@given(
    sizes=st.lists(st.lists(st.integers(0, 5), max_size=3), max_size=4),
    width=st.integers(-3, 120),
    height=st.integers(-3, 40),
    names=st.lists(st.text(max_size=40), min_size=1, max_size=5),
)
def test_whatever_the_map_its_lines_fit(sizes, width, height, names) -> None:
    said = map_in_characters(blobs(sizes, names=names), width, height)
    assert safe(said) == said
    assert all(columns(line) <= max(40, width) for line in said.splitlines())
