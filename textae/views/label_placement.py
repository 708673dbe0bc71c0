"""Positions of topic names on a map, in a picture and in a terminal: at their documents, without overlap.

Names are placed one after the other, the most important first: at the densest place of the topic's documents, or as
near to it as there is room (the greedy method of Christensen, Marks & Shieber, "An empirical study of algorithms for
point-feature label placement", 1995). A name without room nearby is left out.
"""

import itertools
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]

_CELLS = 40  # rows and columns of the grid of densities
_RINGS, _DIRECTIONS = 7, 16  # of candidate positions
_ON_ANOTHER = 0.5  # of the reach: cost of a name on another topic's densest place
_STEPS = np.arange(0.1, 1.01, 0.15)[:, None]  # of the way from a name to its documents, which no other name may cross


def densest(places: NDArray[np.floating], topic_of: NDArray[np.int32], topics: int) -> Places:
    """The densest place of each topic: the mean of the documents in and around its fullest cell.

    Args:
        places: (n, 2) of the documents.
        topic_of: (n,) from 0 to topics - 1.
        topics: number of topics.

    Returns:
        (topics, 2); NaN of a topic without documents.
    """
    middles = np.full((topics, 2), np.nan)
    if not len(places):
        return middles
    low = places.min(axis=0)
    size = max(float((places.max(axis=0) - low).max()), 1e-9)
    cells = np.minimum((places - low) / size * _CELLS, _CELLS - 1).astype(np.int64)
    by_topic = np.argsort(topic_of, kind="stable")
    ends = np.searchsorted(topic_of[by_topic], np.arange(topics + 1))
    for topic, (first, last) in enumerate(itertools.pairwise(ends)):
        of = by_topic[first:last]
        if not len(of):
            continue
        counts = np.zeros((_CELLS + 2, _CELLS + 2))
        np.add.at(counts, tuple(cells[of].T + 1), 1)
        rows = counts[:-2] + 2 * counts[1:-1] + counts[2:]  # neighbours count half
        smooth = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]
        fullest = np.unravel_index(smooth.argmax(), smooth.shape)
        near = np.abs(cells[of] - np.array(fullest)).max(axis=1) <= 1
        middles[topic] = places[of][near].mean(axis=0, dtype=np.float64)
    return middles


def arranged(
    anchors: Places, sizes: Places, frame: tuple[float, float], reach: float
) -> list[tuple[float, float] | None]:
    """Positions of boxes without overlap, each as near to its anchor as there is room.

    No box lies between another one and its anchor.

    Args:
        anchors: (n, 2), the most important first; NaN for none.
        sizes: (n, 2), width and height of each box with the space around it.
        frame: width and height, from 0; boxes stay inside.
        reach: maximum distance of the middle of a box from its anchor.

    Returns:
        The middle of each box; None without room or anchor.
    """
    angles = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    offsets = np.concatenate([np.zeros((1, 2)), *(ring * (reach * step / _RINGS) for step in range(1, _RINGS + 1))])
    middles: list[tuple[float, float] | None] = []
    taken, ways = np.empty((0, 4)), np.empty((0, 2))
    for number, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
        middles.append(None)
        if np.isnan(anchor).any() or (size > frame).any():
            continue
        tried = np.clip(anchor + offsets, size / 2, np.array(frame) - size / 2)
        boxes = np.concatenate([tried - size / 2, tried + size / 2], axis=1)
        to_anchor = tried[:, None] + (anchor - tried)[:, None] * _STEPS  # (tried, steps, 2)
        away = np.hypot(*(tried - anchor).T) / reach
        avoided = np.concatenate([np.delete(anchors, number, axis=0), ways])
        cost = away + _ON_ANOTHER * _inside(avoided, boxes).sum(axis=0)
        crossing = _inside(to_anchor.reshape(-1, 2), taken).reshape(*to_anchor.shape[:2], -1).any(axis=(1, 2))
        apart = (boxes[:, None, 2:] <= taken[:, :2]) | (taken[:, 2:] <= boxes[:, None, :2])
        overlapping = (~np.any(apart, axis=2)).any(axis=1)
        cost[(away > 1) | crossing | overlapping] = np.inf
        best = int(cost.argmin())
        if np.isfinite(cost[best]):
            middles[-1] = (float(tried[best, 0]), float(tried[best, 1]))
            taken = np.concatenate([taken, boxes[best : best + 1]])
            ways = np.concatenate([ways, to_anchor[best]])
    return middles


def _inside(points: Places, boxes: Places) -> NDArray[np.bool_]:
    """Whether each point lies in each box: (points, boxes)."""
    beyond = (points[:, None] < boxes[:, :2]) | (points[:, None] > boxes[:, 2:]) | np.isnan(points[:, None])
    inside: NDArray[np.bool_] = ~np.any(beyond, axis=2)
    return inside


def plain(text: str, longest: int) -> str:
    """A text that is safe to draw: one line of at most `longest` characters, without control characters."""
    line = " ".join(text[: 8 * longest].split())
    kept = [character for character in line if unicodedata.category(character) != "Cf"]
    drawn = "".join(character if character.isprintable() else "\ufffd" for character in kept)
    return drawn if len(drawn) <= longest else drawn[: longest - 1].rstrip(" ,") + "…"


def names(topic_names: Sequence[str], longest: int) -> list[str]:
    """Names of topics, cut between words if possible."""
    lines = [plain(name, 4 * longest) for name in topic_names]
    return [
        line if len(line) <= longest else line[: longest + 1].rpartition(", ")[0] or plain(line, longest)
        for line in lines
    ]
