"""The map of a corpus: a place on the plane for every document, its topic, and what the decoder says at each place.

Places are a function of codes alone, so that what is learned once serves documents that come later, and queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.types import Topics
from textae.vectorizer import Floats

NEIGHBOURS, AUTOENCODER, LSA = "neighbours", "autoencoder", "lsa"
LAYOUTS = (NEIGHBOURS, AUTOENCODER, LSA)
"""How codes come to the plane: so that neighbours stay together; by the bottleneck of an auto-encoder (Hinton &
Salakhutdinov, Science 2006); by the first two dimensions of LSA."""


@dataclass(frozen=True)
class Ground:
    """What the decoder says at the places of the plane, whether or not a document is there: a grid of n × n cells.

    Attributes:
        left: the edge of the first column.
        bottom: the edge of the last row.
        right: the edge of the last column.
        top: the edge of the first row.
        words: n · n cells, row by row from the top: the most telling words, the most telling first.
    """

    left: float
    bottom: float
    right: float
    top: float
    words: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class TopicMap:
    """The map of an index: its n documents that have a code, in the order of their numbers.

    Attributes:
        layout: one of `LAYOUTS`.
        numbers: (n,) int64 of the documents.
        ids: n.
        titles: n; empty where a document has none.
        places: (n, 2) float32, x to the right and y upwards; most lie from -1 to 1.
        topics: of the documents.
        topic_of: (n,) int32, the place of each document's topic in `topics.leaves`.
        strengths: (n,) float32 from 0 to 1, how much it belongs to it.
        ground: what is said where.
    """

    layout: str
    numbers: NDArray[np.int64]
    ids: Sequence[str]
    titles: Sequence[str]
    places: Floats
    topics: Topics
    topic_of: NDArray[np.int32]
    strengths: Floats
    ground: Ground
