"""The data of a page, compressed: numbers as bytes, texts as JSON.

Coordinates are steps, of 65,536, in the square around all documents, x to the right and y downwards. Each block is
base64 of gzip in a script element of a type that no browser runs, so the text of a document can never become part of
the page.
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
"""Values of a scale in the legend; the documents between two of them can be shown alone."""

_MARGIN = 0.06  # of the square, around the outermost documents
_CENTRAL = (0.005, 0.995)  # quantiles that a page shows at first
_CELLS = 24  # rows and columns of the grid of densities
_SPREAD = (0.1, 0.9)  # quantiles of a topic that a click shows
_LEVEL = 6  # of gzip: 9 takes three times as long for 1 %


def block(id: str, content: bytes) -> bytes:
    """A block of a page, compressed; the same content gives the same bytes."""
    packed = base64.b64encode(compressed(content))
    return b'<script type="application/octet-stream" id="%s">%s</script>\n' % (id.encode(), packed)


def compressed(content: bytes) -> bytes:
    """The content by gzip, without a date."""
    return gzip.compress(content, _LEVEL, mtime=0)


def json_bytes(value: Any) -> bytes:
    """The value as JSON without spaces; lone surrogates become `?`."""
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
        return (np.asarray(places, np.float64) - (self.left, self.top)) * (1, -1) / self.side


def places_block(topic_map: DocumentMap, square: Square) -> bytes:
    """X and y (n uint16 each), topics (n uint16) and memberships (n uint8), little-endian, one after another."""
    steps = (square.shares(topic_map.coordinates) * STEPS).round().clip(0, STEPS).astype("<u2")
    memberships = (topic_map.memberships.clip(0, 1) * 255).round().astype(np.uint8)
    parts = (steps[:, 0], steps[:, 1], topic_map.topic_of.astype("<u2"), memberships)
    return block("places", b"".join(part.tobytes() for part in parts))


def map_json(topic_map: DocumentMap, square: Square) -> dict[str, Any]:
    """The map as the page reads it: the layout, the first view, the background and the topics.

    The page calls topic groups areas, and the background ground.
    """
    background, groups = topic_map.background, topic_map.topics.groups
    corners = square.shares(np.array([(background.left, background.top), (background.right, background.bottom)]))
    sizes = [len(group.topics) for group in groups]
    ones = [1] * len(sizes)
    shares = square.shares(topic_map.coordinates)
    group_of = np.repeat(np.arange(len(groups)), sizes)
    by_topic = iter(_split(shares, topic_map.topic_of, len(group_of)))
    areas = [
        _topic_json(group, inside) | {"topics": [_topic_json(topic, next(by_topic)) for topic in group.topics]}
        for group, inside in zip(groups, _split(shares, group_of[topic_map.topic_of], len(groups)), strict=True)
    ]
    return {
        "layout": topic_map.layout,
        "documents": len(topic_map.ids),
        "withoutCode": topic_map.topics.without_code,
        "square": [square.left, square.top, square.side],
        "home": _box(shares, _CENTRAL),
        "ground": {"box": corners.round(5).ravel().tolist(), "words": background.words},
        "areas": areas,
        "colours": {"light": topic_colours(sizes), "dark": topic_colours(sizes, dark=True)},
        "areaColours": {"light": topic_colours(ones), "dark": topic_colours(ones, dark=True)},
    }


def _split(shares: NDArray[np.float64], group: NDArray[np.integer[Any]], n: int) -> list[NDArray[np.float64]]:
    order = np.argsort(group, kind="stable")
    return np.split(shares[order], np.searchsorted(group[order], np.arange(1, n)))


def _topic_json(topic: Topic, shares: NDArray[np.float64]) -> dict[str, Any]:
    """A topic, its middle, and the box that a click shows; without documents it has neither."""
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
    """The median of the places around the densest cell of a grid; the median of all may lie where no document is."""
    row, column = (shares * _CELLS).astype(np.int64).clip(0, _CELLS - 1).T
    counts = np.bincount(row * _CELLS + column, minlength=_CELLS**2).reshape(_CELLS, _CELLS)
    padded = np.pad(counts, 1)
    around = sum(padded[r : r + _CELLS, c : c + _CELLS] for r in range(3) for c in range(3))
    best_row, best_column = divmod(int(np.argmax(around)), _CELLS)
    near = (abs(row - best_row) <= 1) & (abs(column - best_column) <= 1)
    return np.asarray(np.median(shares[near], axis=0))


def _box(shares: NDArray[np.float64], quantiles: Sequence[float]) -> list[float]:
    return np.quantile(shares, quantiles, axis=0).round(5).ravel().tolist()


def colouring_json(colouring: Colouring) -> dict[str, Any]:
    """A field as the page's legend reads it."""
    light, dark = colours(colouring)[0], colours(colouring, dark=True)[0]
    field = {"field": colouring.field, "kind": colouring.kind, "light": light, "dark": dark}
    if colouring.kind != CATEGORIES:
        return field | {"stops": stops(colouring, SCALE)}
    explained = legend(colouring)
    return field | {"entries": explained.entries, "others": explained.others, "without": explained.without}
