"""What a page holds, as small as it goes: numbers as bytes, texts as JSON, all of it compressed.

A place is two of 65,536 steps of the square around all documents, x to the right and y downwards, as a screen counts.
Everything is a block that no browser runs: base64 of what gzip made, in a script element of a type that it leaves
alone. So the text of a document cannot become part of the page, whatever it holds.
"""

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.explore.map import DocumentMap
from textae.explore.scales import CATEGORIES, Colouring
from textae.types import Topic
from textae.views.colour_scale import colours, legend, stops
from textae.views.palette import topic_colours

STEPS = 65_535
"""The last step of the square."""

SCALE = 6
"""Values of a scale that the legend says; what lies between two of them can be shown by itself."""

_MARGIN = 0.06  # of the square: around each document there is some land
_CENTRAL = (0.005, 0.995)  # quantiles: what a page shows at first
_CELLS = 24  # rows and columns of the grid on which a topic is densest somewhere
_SPREAD = (0.1, 0.9)  # of a topic: what is shown of it when it is flown to
_LEVEL = 6  # of gzip: 9 takes three times as long for 1 %


def block(id: str, content: bytes) -> bytes:
    """A block of a page, compressed; the same content gives the same bytes."""
    packed = base64.b64encode(compressed(content))
    return b'<script type="application/octet-stream" id="%s">%s</script>\n' % (id.encode(), packed)


def compressed(content: bytes) -> bytes:
    """The content as gzip makes it, without a date."""
    return gzip.compress(content, _LEVEL, mtime=0)


def json_bytes(value: Any) -> bytes:
    """The value as JSON without spaces; half characters become a mark, as UTF-8 has none."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass(frozen=True)
class Square:
    """The square around all documents.

    Attributes:
        left: its least x.
        top: its greatest y.
        side: its length, above 0.
    """

    left: float
    top: float
    side: float

    @classmethod
    def around(cls, places: Floats) -> "Square":
        """The square around places (n, 2), with a margin."""
        low, high = places.min(axis=0).astype(float), places.max(axis=0).astype(float)
        side = (float((high - low).max()) or 1.0) * (1 + 2 * _MARGIN)
        centre = (low + high) / 2
        return cls(float(centre[0]) - side / 2, float(centre[1]) + side / 2, side)

    def shares(self, places: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Places (n, 2) as shares of the side, from the left and from the top."""
        apart = np.asarray(places, np.float64) - (self.left, self.top)
        return apart * (1, -1) / self.side


def places_block(topic_map: DocumentMap, square: Square) -> bytes:
    """X and y (n uint16 each), the topics (n uint16), and the strengths (n uint8), little-endian, one after another."""
    steps = (square.shares(topic_map.coordinates) * STEPS).round().clip(0, STEPS).astype("<u2")
    strengths = (topic_map.memberships.clip(0, 1) * 255).round().astype(np.uint8)
    parts = (steps[:, 0], steps[:, 1], topic_map.topic_of.astype("<u2"), strengths)
    return block("places", b"".join(part.tobytes() for part in parts))


def said_of_map(topic_map: DocumentMap, square: Square) -> dict[str, Any]:
    """What the page knows of the map: the layout, what it shows at first, the ground, and the topics."""
    ground = topic_map.background
    corners = square.shares(np.array([(ground.left, ground.top), (ground.right, ground.bottom)]))
    sizes = [len(area.topics) for area in topic_map.topics.groups]
    return {
        "layout": topic_map.layout,
        "documents": len(topic_map.ids),
        "withoutCode": topic_map.topics.without_code,
        "square": [square.left, square.top, square.side],
        "home": _box(square.shares(topic_map.coordinates), _CENTRAL),
        "ground": {"box": corners.round(5).ravel().tolist(), "words": ground.words},
        "areas": _areas(topic_map, square),
        "colours": {"light": topic_colours(sizes), "dark": topic_colours(sizes, dark=True)},
        "areaColours": {"light": topic_colours([1] * len(sizes)), "dark": topic_colours([1] * len(sizes), dark=True)},
    }


def _areas(topic_map: DocumentMap, square: Square) -> list[dict[str, Any]]:
    areas = topic_map.topics.groups
    of_area = np.repeat(np.arange(len(areas)), [len(area.topics) for area in areas])
    shares = square.shares(topic_map.coordinates)
    by_topic = _grouped(shares, topic_map.topic_of, len(of_area))
    by_area = _grouped(shares, of_area[topic_map.topic_of], len(areas))
    leaf = iter(by_topic)
    return [
        _said_of(area, inside) | {"topics": [_said_of(topic, next(leaf)) for topic in area.topics]}
        for area, inside in zip(areas, by_area, strict=True)
    ]


def _grouped(shares: NDArray[np.float64], group: NDArray[np.integer[Any]], n: int) -> list[NDArray[np.float64]]:
    order = np.argsort(group, kind="stable")
    return np.split(shares[order], np.searchsorted(group[order], np.arange(1, n)))


def _said_of(topic: Topic, shares: NDArray[np.float64]) -> dict[str, Any]:
    """A topic, its middle, and what is shown when it is flown to; a topic without documents has no place."""
    return {
        "id": topic.id,
        "name": topic.name,
        "words": topic.words,
        "documents": topic.documents,
        "typical": [one.id for one in topic.typical],
        "middle": _densest(shares).round(5).tolist() if len(shares) else None,
        "box": _box(shares, _SPREAD) if len(shares) else None,
    }


def _densest(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of the places around the densest cell of a grid; that of all may lie where none of them is."""
    row, column = (shares * _CELLS).astype(np.int64).clip(0, _CELLS - 1).T
    counts = np.bincount(row * _CELLS + column, minlength=_CELLS**2).reshape(_CELLS, _CELLS)
    padded = np.pad(counts, 1)
    around = sum(padded[r : r + _CELLS, c : c + _CELLS] for r in range(3) for c in range(3))
    best_row, best_column = divmod(int(np.argmax(around)), _CELLS)
    near = (abs(row - best_row) <= 1) & (abs(column - best_column) <= 1)
    return np.asarray(np.median(shares[near], axis=0))


def _box(shares: NDArray[np.float64], quantiles: Sequence[float]) -> list[float]:
    return [float(edge) for corner in np.quantile(shares, quantiles, axis=0).round(5) for edge in corner]


def said_of_colouring(colouring: Colouring) -> dict[str, Any]:
    """A field as the page's legend shows it."""
    said: dict[str, Any] = {
        "field": colouring.field,
        "kind": colouring.kind,
        "light": colours(colouring)[0],
        "dark": colours(colouring, dark=True)[0],
    }
    if colouring.kind != CATEGORIES:
        return said | {"stops": stops(colouring, SCALE)}
    explained = legend(colouring)
    return said | {"entries": explained.entries, "others": explained.others, "without": explained.without}


def colouring_block(id: str, colouring: Colouring) -> bytes:
    """The place of each document's colour among those of the field: (n,) uint8."""
    return block(id, colours(colouring)[1].astype(np.uint8).tobytes())
