"""The map in a terminal: documents as braille dots, denser where there are more, and the names of topics.

A braille character has two columns and four rows of dots. A dot is set if the number of documents there exceeds its
threshold (Bayer's ordered dithering of the logarithm), so density shows as grey does in print; a character with any
document has a dot. A terminal without braille gets ASCII, from `.` to `@`.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

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
"""Of each dot in a braille character (Unicode 15, chapter 21.1)."""

_BAYER = (np.array([[0, 4], [6, 2], [1, 5], [7, 3]]) + 0.5) / 8
_SHADES = ".:-=+*%#@"
_DENSE = 0.97  # quantile of the places with documents that has the densest shade
_REACH = 0.12  # of the map's width: maximum distance of a name from its documents
_NO_GROUP, _NAME = -1, -2  # instead of the number of a group


def map_in_characters(
    topic_map: DocumentMap, width: int = 80, height: int = 24, *, colour: bool = False, encoding: str = "utf-8"
) -> str:
    """A map as lines of text, with a legend of the topic groups below it.

    Args:
        topic_map: of an index; it is stretched to fill the lines.
        width: of the lines, in characters.
        height: lines of the map, without the legend.
        colour: whether the group of most documents colours the dots, by escape sequences for 256 colours.
        encoding: of the terminal.

    Returns:
        Lines of at most `width` columns, or 40, without control characters other than colours.
    """
    width, height = max(width, _LEAST[0]), max(height, _LEAST[1])
    at: Places = topic_map.coordinates * np.array([1.0, -1.0])
    if len(at):  # in characters from the upper left
        low, extent = at.min(axis=0), at.max(axis=0) - at.min(axis=0)
        at = np.where(extent > 1e-6, (at - low) / np.maximum(extent, 1e-6), 0.5) * (width, height)
        at = np.minimum(at, np.nextafter((width, height), 0))
    groups = topic_map.topics.groups
    group_of = np.repeat(np.arange(len(groups)), [len(group.topics) for group in groups])[topic_map.topic_of]
    counts = np.zeros((height, width, max(1, len(groups))), np.int64)
    np.add.at(counts, (*at.astype(np.int64).T[::-1], group_of), 1)
    most = np.where(counts.any(axis=2), counts.argmax(axis=2), _NO_GROUP)
    canvas = _Canvas(_density(at, width, height, braille=_can_encode("⣿", encoding)), most)
    unnamed = _write_names(canvas, topic_map, at, encoding)
    lines = canvas.lines(colour=colour) + _legend(groups, width, encoding, colour=colour)
    return "\n".join(lines + ([f"names without room: {unnamed:,}"] if unnamed else []))


def _can_encode(text: str, encoding: str) -> bool:
    return text.encode(encoding, "replace").decode(encoding) == text


def _density(at: Places, width: int, height: int, *, braille: bool) -> list[list[str]]:
    """The characters of the number of documents, line by line."""
    across, down = _DOTS if braille else (1, 1)
    x, y = (at * (across, down)).astype(np.int64).T
    counts = np.zeros((height * down, width * across))
    np.add.at(counts, (y, x), 1)
    dense = np.log1p(counts)
    density = dense / max(float(np.quantile(dense[counts > 0], _DENSE)) if len(at) else 0.0, 1e-9)
    if not braille:
        shade = np.ceil(density.clip(0, 1) * len(_SHADES)).astype(int)
        return [[(" " + _SHADES)[place] for place in row] for row in shade.tolist()]
    dots = density > np.tile(_BAYER, (height, width))
    fullest = density.reshape(height, down, width, across).max(axis=(1, 3)).repeat(down, axis=0).repeat(across, axis=1)
    dots |= (density == fullest) & (counts > 0)
    bits = (dots.reshape(height, down, width, across) * _BITS[None, :, None, :]).sum(axis=(1, 3))
    return [[chr(0x2800 + code) if code else " " for code in row] for row in bits.tolist()]


@dataclass(frozen=True)
class _Canvas:
    """The characters of a map.

    Attributes:
        characters: line by line; a wide one is followed by an empty one.
        groups: (height, width) the number of a group, `_NO_GROUP` or `_NAME`.
    """

    characters: list[list[str]]
    groups: NDArray[np.int64]

    def write(self, text: str, column: int, row: int) -> None:
        """Write a name between two spaces."""
        characters, groups = self.characters[row], self.groups[row]
        start = column
        for character in f" {text} ":
            wide = _width(character)
            if not wide:
                characters[column - 1] += character
                continue
            characters[column : column + wide] = [character, ""][:wide]
            column += wide
        groups[start:column] = _NAME
        groups[[start, column - 1]] = _NO_GROUP

    def lines(self, *, colour: bool) -> list[str]:
        """The lines, with colours if wanted, and then names in bold."""
        if not colour:
            return ["".join(row).rstrip() for row in self.characters]
        codes = _codes(int(self.groups.max()) + 1)
        lines = []
        for characters, groups in zip(self.characters, self.groups.tolist(), strict=True):
            line = ""
            for group, run in groupby(zip(groups, characters, strict=True), key=itemgetter(0)):
                text = "".join(character for _, character in run)
                if group != _NO_GROUP:
                    text = click.style(text, bold=True) if group == _NAME else click.style(text, fg=codes[group])
                line += text
            lines.append(line.rstrip())
        return lines


def _codes(n: int) -> list[int]:
    """The colours of n groups, as the nearest of a terminal's 256."""
    levels = np.array([0, 95, 135, 175, 215, 255])
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    return [16 + int(((cube - rgb(shade)) ** 2).sum(axis=1).argmin()) for shade in categorical(n)]


def _write_names(canvas: _Canvas, topic_map: DocumentMap, at: Places, encoding: str) -> int:
    """Write the ids and names of the topics; the number of those without room."""
    leaves = topic_map.topics.leaves
    height, width = canvas.groups.shape
    shown = _encodable(leaves, min(30, width // 4), encoding)
    texts = [f"{leaf.id} {name}" for leaf, name in zip(leaves, shown, strict=True)]
    anchors = densest(at * (1.0, 2.0), topic_map.topic_of, len(leaves))  # a character is twice as high as wide
    sizes = np.array([(_columns(text) + 2, 2) for text in texts], float).reshape(-1, 2)
    first = sorted(range(len(leaves)), key=lambda place: -leaves[place].documents)
    middles = arranged(anchors[first], sizes[first], (width, 2 * height), _REACH * width)
    for place, middle in zip(first, middles, strict=True):
        if middle is not None:
            canvas.write(texts[place], int(middle[0] - sizes[place, 0] / 2), min(int(middle[1] / 2), height - 1))
    return middles.count(None)


def _encodable(topics: Sequence[Topic], longest: int, encoding: str) -> list[str]:
    """The names of topics that a terminal can show, in at most `longest` columns."""
    shown = names([topic.name for topic in topics], longest)
    short = [name if _columns(name) <= longest else plain(name, longest // 2) for name in shown]
    return [name.encode(encoding, "replace").decode(encoding) for name in short]


def _legend(groups: Sequence[Topic], width: int, encoding: str, *, colour: bool) -> list[str]:
    """The topic groups and their numbers of documents, in columns."""
    mark = "●" if _can_encode("●", encoding) else "*"
    shown = _encodable(groups, min(30, width - 16), encoding)
    entries = [f"{group.id} {name} ({group.documents:,})" for group, name in zip(groups, shown, strict=True)]
    column = max(map(_columns, entries), default=0) + 4
    cells = []
    for entry, code in zip(entries, _codes(len(groups)), strict=True):
        marked = click.style(mark, fg=code) if colour else mark
        cells.append(f"{marked} {entry}{' ' * (column - 2 - _columns(entry))}")
    rows = -(-len(cells) // max(1, width // column))
    return ["".join(cells[row::rows]).rstrip() for row in range(rows)]


def _columns(text: str) -> int:
    return sum(map(_width, text))


def _width(character: str) -> int:
    """Columns of a character in a terminal (Unicode Standard Annex 11)."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
