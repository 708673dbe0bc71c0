"""The map in a terminal: documents as dots of braille, denser where more are, and the names of topics among them.

A character of braille is two dots wide and four high. A dot is there where the documents at its place are many enough
for its threshold (Bayer's ordered dithering of the logarithm of their number), so that density is seen as grey is in
print; a character that holds any document has a dot. What cannot show braille gets ASCII, from `.` to `@`.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import click
import numpy as np
from numpy.typing import NDArray

from textae.explore.map import DocumentMap
from textae.types import Topic
from textae.views.label_placement import Places, arranged, densest, names, plain
from textae.views.palette import categorical, rgb

_LEAST = (40, 5)  # characters: the smallest map that still shows something
_DOTS = (2, 4)  # in a character, across and down
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Of each dot in a character of braille (Unicode 15, chapter 21.1)."""

_BAYER = (np.array([[0, 4], [6, 2], [1, 5], [7, 3]]) + 0.5) / 8
_SHADES = ".:-=+*%#@"
_DENSE = 0.97  # the share of places with documents that are less dense than the densest shade
_REACH = 0.12  # of the map's width: how far a name may stand from its documents


def map_in_characters(
    topic_map: DocumentMap, width: int = 80, height: int = 24, *, colour: bool = False, encoding: str = "utf-8"
) -> str:
    """A map as lines of text, with a legend of the areas below it.

    Args:
        topic_map: of an index; it is stretched to fill the lines.
        width: of the lines, in characters.
        height: lines of the map, without the legend.
        colour: whether to colour dots by the area of most documents there, by escape sequences for 256 colours.
        encoding: of the terminal; where it has no braille, density is drawn in ASCII.

    Returns:
        Lines of at most `width` columns, or 40; nothing in them but colours steers a terminal.
    """
    width, height = max(width, _LEAST[0]), max(height, _LEAST[1])
    at = _places(topic_map, width, height)
    canvas = _Canvas(_ground(at, width, height, braille=_can_say("⣿", encoding)), _areas(topic_map, at, width, height))
    dropped = _write_names(canvas, topic_map, at, encoding)
    lines = canvas.lines(colour=colour) + _legend(topic_map.topics.groups, width, encoding, colour=colour)
    if dropped:
        lines.append(f"names without room: {dropped:,}")
    return "\n".join(lines)


def _can_say(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _places(topic_map: DocumentMap, width: int, height: int) -> Places:
    """The places of the documents in characters from the upper left, (n, 2)."""
    places: Places = topic_map.coordinates * np.array([1.0, -1.0])
    if not len(places):
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    extent = high - low
    shares = np.where(extent > 1e-6, (places - low) / np.maximum(extent, 1e-6), 0.5)
    inside: Places = np.minimum(shares * (width, height), np.nextafter((width, height), 0))
    return inside


def _ground(at: Places, width: int, height: int, *, braille: bool) -> list[list[str]]:
    """The characters that say how many documents are where, line by line."""
    across, down = _DOTS if braille else (1, 1)
    x, y = (at * (across, down)).astype(np.int64).T
    counts = np.zeros((height * down, width * across))
    np.add.at(counts, (y, x), 1)
    dense = np.log1p(counts)
    share = dense / max(float(np.quantile(dense[counts > 0], _DENSE)) if len(at) else 0.0, 1e-9)
    if not braille:
        shade = np.ceil(share.clip(0, 1) * len(_SHADES)).astype(int)
        return [[(" " + _SHADES)[place] for place in row] for row in shade.tolist()]
    dots = share > np.tile(_BAYER, (height, width))
    fullest = share.reshape(height, down, width, across).max(axis=(1, 3)).repeat(down, axis=0).repeat(across, axis=1)
    dots |= (share == fullest) & (counts > 0)
    said = (dots.reshape(height, down, width, across) * _BITS[None, :, None, :]).sum(axis=(1, 3))
    return [[chr(0x2800 + bits) if bits else " " for bits in row] for row in said.tolist()]


def _areas(topic_map: DocumentMap, at: Places, width: int, height: int) -> NDArray[np.int64]:
    """The area of most documents of each character, (height, width); of none -1."""
    sizes = [len(area.topics) for area in topic_map.topics.groups]
    area_of = np.repeat(np.arange(len(sizes)), sizes)[topic_map.topic_of]
    x, y = at.astype(np.int64).T
    counts = np.zeros((height, width, max(1, len(sizes))), np.int64)
    np.add.at(counts, (y, x, area_of), 1)
    return np.where(counts.any(axis=2), counts.argmax(axis=2), -1)


@dataclass(frozen=True)
class _Canvas:
    """The characters of a map.

    Attributes:
        characters: line by line; a wide one is followed by an empty one.
        areas: (height, width), whose colour each has; -1 for none, -2 for a name.
    """

    characters: list[list[str]]
    areas: NDArray[np.int64]

    def write(self, text: str, column: int, row: int) -> None:
        """Write a name with a space around it."""
        self._put(row, column, " ")
        column += 1
        for character in text:
            wide = _width(character)
            if not wide:
                self.characters[row][column - 1] += character
                continue
            for step, part in enumerate([character, ""][:wide]):
                self._put(row, column + step, part, name=True)
            column += wide
        self._put(row, column, " ")

    def _put(self, row: int, column: int, character: str, *, name: bool = False) -> None:
        self.characters[row][column] = character
        self.areas[row, column] = -2 if name else -1

    def lines(self, *, colour: bool) -> list[str]:
        """The lines, in colours where those are shown, names in bold."""
        if not colour:
            return ["".join(row).rstrip() for row in self.characters]
        codes = _codes(int(self.areas.max()) + 1)
        lines = []
        for characters, areas in zip(self.characters, self.areas.tolist(), strict=True):
            line, start = "", 0
            for end in range(1, len(areas) + 1):
                if end == len(areas) or areas[end] != areas[start]:
                    line += _styled("".join(characters[start:end]), areas[start], codes)
                    start = end
            lines.append(line.rstrip())
        return lines


def _styled(text: str, area: int, codes: Sequence[int]) -> str:
    if area == -2:
        return click.style(text, bold=True)
    return click.style(text, fg=codes[area]) if area >= 0 else text


def _codes(n: int) -> list[int]:
    """The colours of n areas as the nearest of a terminal's 256."""
    levels = np.array([0, 95, 135, 175, 215, 255])
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    return [16 + int(((cube - rgb(shade)) ** 2).sum(axis=1).argmin()) for shade in categorical(n)]


def _write_names(canvas: _Canvas, topic_map: DocumentMap, at: Places, encoding: str) -> int:
    """Write the ids and names of the topics, and say how many had no room."""
    leaves = topic_map.topics.leaves
    height, width = canvas.areas.shape
    said = [
        f"{leaf.id} {name}" for leaf, name in zip(leaves, _said(leaves, min(30, width // 4), encoding), strict=True)
    ]
    square = np.array([1.0, 2.0])  # a character is twice as high as wide
    anchors = densest(at * square, topic_map.topic_of, len(leaves))
    sizes = np.array([(_columns(text) + 2, 2) for text in said], float).reshape(-1, 2)
    first = sorted(range(len(leaves)), key=lambda place: -leaves[place].documents)
    middles = arranged(anchors[first], sizes[first], (width, 2 * height), _REACH * width)
    for place, middle in zip(first, middles, strict=True):
        if middle is not None:
            canvas.write(said[place], int(middle[0] - sizes[place, 0] / 2), min(int(middle[1] / 2), height - 1))
    return middles.count(None)


def _said(topics: Sequence[Topic], longest: int, encoding: str) -> list[str]:
    """The names of topics as a terminal can show them, in at most so many columns."""
    shown = names([topic.name for topic in topics], longest)
    wide = [name if _columns(name) <= longest else plain(name, longest // 2) for name in shown]
    return [name.encode(encoding, "replace").decode(encoding) for name in wide]


def _legend(areas: Sequence[Topic], width: int, encoding: str, *, colour: bool) -> list[str]:
    """The areas and how many documents each has, in columns."""
    mark = "●" if _can_say("●", encoding) else "*"
    said = _said(areas, min(30, width - 16), encoding)
    entries = [f"{area.id} {name} ({area.documents:,})" for area, name in zip(areas, said, strict=True)]
    widths = [_columns(entry) for entry in entries]
    column = max(widths, default=0) + 4
    in_line = max(1, width // column)
    marks = [click.style(mark, fg=code) if colour else mark for code in _codes(len(areas))]
    cells = [
        f"{mark} {entry}{' ' * (column - 2 - wide)}" for mark, entry, wide in zip(marks, entries, widths, strict=True)
    ]
    rows = -(-len(cells) // in_line)
    return ["".join(cells[row::rows]).rstrip() for row in range(rows)]


def _columns(text: str) -> int:
    return sum(map(_width, text))


def _width(character: str) -> int:
    """Columns that a terminal gives a character (Unicode Standard Annex 11)."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
