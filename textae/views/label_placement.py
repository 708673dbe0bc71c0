"""Where the names of topics stand on a map, in a picture as in a terminal: at their documents, and never on each other.

Names are placed one after the other, the most important first: at the densest place of its documents, else as near to
it as there is room (the greedy method of Christensen, Marks & Shieber, "An empirical study of algorithms for
point-feature label placement", 1995). A name that has no room nearby is left out.
"""

import itertools
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]

_CELLS = 40  # rows and columns in which documents are counted
_RINGS, _DIRECTIONS = 7, 16  # of places to try
_ON_ANOTHER = 0.5  # of the reach: how far a name goes out of the way of another topic's densest place
_STEPS = np.arange(0.1, 1.01, 0.15)[:, None]  # of the way from a name to its documents, which no other name bars


def densest(places: NDArray[np.floating], topic_of: NDArray[np.int32], topics: int) -> Places:
    """Where most documents of each topic lie together: the mean of those in and around its fullest cell.

    Args:
        places: (n, 2) of the documents.
        topic_of: (n,), from 0 to before `topics`.
        topics: how many there are.

    Returns:
        (topics, 2); NaN of a topic without documents.
    """
    found = np.full((topics, 2), np.nan)
    if not len(places):
        return found
    low = places.min(axis=0)
    size = max(float((places.max(axis=0) - low).max()), 1e-9)
    cells = np.minimum((places - low) / size * _CELLS, _CELLS - 1).astype(np.int64)
    by_topic = np.argsort(topic_of, kind="stable")
    ends = np.searchsorted(topic_of[by_topic], np.arange(topics + 1))
    for topic, (first, last) in enumerate(itertools.pairwise(ends)):
        of = by_topic[first:last]
        if len(of):
            found[topic] = places[of][_in_fullest(cells[of])].mean(axis=0, dtype=np.float64)
    return found


def _in_fullest(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which are in the cell whose surroundings, weighted by nearness, hold the most, or beside it: (n,)."""
    counts = np.zeros((_CELLS + 2, _CELLS + 2))
    np.add.at(counts, (cells[:, 0] + 1, cells[:, 1] + 1), 1)
    rows = counts[:-2] + 2 * counts[1:-1] + counts[2:]
    smooth = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]
    fullest = np.unravel_index(smooth.argmax(), smooth.shape)
    apart = np.abs(cells - np.array(fullest))
    near: NDArray[np.bool_] = np.maximum(apart[:, 0], apart[:, 1]) <= 1
    return near


def arranged(
    anchors: Places, sizes: Places, frame: tuple[float, float], reach: float
) -> list[tuple[float, float] | None]:
    """Where boxes stand so that none overlaps another or bars its way, each as near to its anchor as there is room.

    Args:
        anchors: (n, 2), the most important first; NaN for none.
        sizes: (n, 2), width and height of each box with the space around it.
        frame: width and height, from 0; boxes stay inside.
        reach: how far the middle of a box may be from its anchor.

    Returns:
        The middle of each box; None of one that has no room, or no anchor.
    """
    middles: list[tuple[float, float] | None] = []
    taken, ways = np.empty((0, 4)), np.empty((0, 2))
    for number, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
        middles.append(None)
        if np.isnan(anchor).any() or (size > frame).any():
            continue
        tried = np.clip(_around(anchor, reach), size / 2, np.array(frame) - size / 2)
        boxes = np.concatenate([tried - size / 2, tried + size / 2], axis=1)
        to_anchor = tried[:, None] + (anchor - tried)[:, None] * _STEPS  # (tried, steps, 2)
        away = np.hypot(*(tried - anchor).T) / reach
        avoided = np.concatenate([np.delete(anchors, number, axis=0), ways])
        cost = away + _ON_ANOTHER * _inside(avoided, boxes).sum(axis=0)
        crossing = _inside(to_anchor.reshape(-1, 2), taken).reshape(*to_anchor.shape[:2], -1).any(axis=(1, 2))
        cost[(away > 1) | crossing | _overlapping(boxes, taken)] = np.inf
        best = int(cost.argmin())
        if np.isfinite(cost[best]):
            middles[-1] = (float(tried[best, 0]), float(tried[best, 1]))
            taken = np.concatenate([taken, boxes[best : best + 1]])
            ways = np.concatenate([ways, to_anchor[best]])
    return middles


def _around(anchor: Places, reach: float) -> Places:
    """The anchor, and places in rings around it."""
    angles = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings = [anchor + ring * (reach * step / _RINGS) for step in range(1, _RINGS + 1)]
    return np.concatenate([anchor[None], *rings])


def _inside(points: Places, boxes: Places) -> NDArray[np.bool_]:
    """Whether each point lies in each box: (points, boxes)."""
    beyond = (points[:, None] < boxes[:, :2]) | (points[:, None] > boxes[:, 2:]) | np.isnan(points[:, None])
    inside: NDArray[np.bool_] = ~np.any(beyond, axis=2)
    return inside


def _overlapping(boxes: Places, taken: Places) -> NDArray[np.bool_]:
    """Whether each box overlaps one that is taken."""
    apart = (boxes[:, None, 2:] <= taken[:, :2]) | (taken[:, 2:] <= boxes[:, None, :2])
    overlapping: NDArray[np.bool_] = (~np.any(apart, axis=2)).any(axis=1)
    return overlapping


def plain(text: str, longest: int) -> str:
    """A text that may be drawn: one line of at most so many characters, nothing that steers in it."""
    seen = " ".join(text[: 8 * longest].split())
    kept = [character for character in seen if unicodedata.category(character) != "Cf"]
    drawn = "".join(character if character.isprintable() else "\ufffd" for character in kept)
    return drawn if len(drawn) <= longest else drawn[: longest - 1].rstrip(" ,") + "…"


def names(said: Sequence[str], longest: int) -> list[str]:
    """Names of topics, cut between words where that is possible."""
    return [_cut(plain(name, 4 * longest), longest) for name in said]


def _cut(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    whole = name[: longest + 1].rpartition(", ")[0]
    return whole or plain(name, longest)
