"""Maps made by hand, for the tests of what draws them."""

from collections.abc import Sequence

import numpy as np

from textae.config import NEIGHBOURS
from textae.explore.map import BackgroundGrid, DocumentMap
from textae.types import Topic, Topics

NAMES = (
    "stars, planets, sky",
    "bread, oven, dough",
    "ships, sails, tide",
    "law, court, judge",
    "cells, genes, protein",
)


def blobs(
    sizes: Sequence[Sequence[int]] = ((40, 20), (30,)),
    *,
    names: Sequence[str] = NAMES,
    spread: float = 0.08,
    layout: str = NEIGHBOURS,
    seed: int = 1,
) -> DocumentMap:
    """Give a map of so many documents in each topic of each group; each topic is a round heap on a circle.

    Names are given to topics in turn, and an group has the name of its first topic.
    """
    rng = np.random.default_rng(seed)
    flat = [size for group in sizes for size in group]
    said = [names[place % len(names)] for place in range(len(flat))]
    topic_of = np.repeat(np.arange(len(flat), dtype=np.int32), flat)
    angles = 2 * np.pi * np.arange(len(flat)) / max(1, len(flat))
    middles = 0.8 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    coordinates = (middles[topic_of] + spread * rng.standard_normal((len(topic_of), 2))).astype(np.float32)
    groups, first = [], 0
    for number, group in enumerate(sizes, start=1):
        topics = tuple(
            Topic(f"{number}.{place + 1}", said[first + place], (), size, ()) for place, size in enumerate(group)
        )
        groups.append(Topic(str(number), said[first] if group else "", (), sum(group), (), topics))
        first += len(group)
    ids = [f"d{number}" for number in range(len(topic_of))]
    return DocumentMap(
        layout=layout,
        numbers=np.arange(len(topic_of)),
        ids=ids,
        titles=[""] * len(ids),
        coordinates=coordinates,
        topics=Topics(tuple(groups), len(ids), 0),
        topic_of=topic_of,
        memberships=np.ones(len(ids), np.float32),
        background=BackgroundGrid(-1, -1, 1, 1, ((),)),
    )


HOSTILE = (
    "x" * 10_000,
    "שלום, עולם, טוב",
    "😀, 🚀, 👩‍👩‍👧",
    "\x1b[31mred\x1b[0m, \x07bell, \u202eevil",
    "half \ud83d pair, $\\frac{1}{2}$",
    "你好世界, 深度学习, 自动编码器",
    "<script>alert(1)</script>",
    "a\nb\tc",
    "",
    "e\u0301e\u0301" * 40,
)
"""Names that nobody should trust."""
