"""Systems as one thing: a `Retriever` scores every document for each query; ranking and fusing need no more.

The hybrid adds up two systems on one scale. BM25 finds the documents that say it in the query's words, codes those
that say it in others.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from textae.encoder import DeepEncoder, Encoder
from textae.index import Index
from textae.vectorizer import Bags, Floats


class Retriever(Protocol):
    """A system: it scores every document for each query. Higher is better; what scores 0 or less is no hit."""

    def scores(self, queries: Bags) -> Floats:
        """The score of each document for each query: (n_queries, n_documents)."""
        ...


@dataclass(frozen=True)
class CodeSearch:
    """Documents by the likeness of their codes to the query's: the encoder before an index."""

    encoder: Encoder | DeepEncoder
    index: Index

    def scores(self, queries: Bags) -> Floats:
        """The likeness of each query to each document: (n_queries, n_documents)."""
        return self.index.scores(self.encoder.encode(queries))


@dataclass(frozen=True)
class Hybrid:
    """Keywords and codes fused: bm25 / σ(bm25) + weight · max(0, code / σ(code)), σ over all documents for one query.

    Dividing by the spread puts both on one scale (subtracting the mean too would change no rank). It also weighs by
    the query: few documents share a short query's words, so that BM25's best stand many σ above the rest; a long
    query shares words with most, and the codes get more say. A code that points away counts nothing, so that what
    shares a word with the query is always a hit.
    """

    keywords: Retriever
    codes: Retriever
    weight: float

    def scores(self, queries: Bags) -> Floats:
        """The fused score of each document for each query: (n_queries, n_documents)."""
        codes = spread_to_one(self.codes.scores(queries)) * np.float32(self.weight)
        fused: Floats = spread_to_one(self.keywords.scores(queries)) + np.maximum(codes, 0)
        return fused


def spread_to_one(scores: Floats) -> Floats:
    """Rows divided by their standard deviation; rows without spread stay."""
    deviation = scores.std(axis=1, keepdims=True)
    rounding = 1e-5 * np.abs(scores).max(axis=1, keepdims=True)  # what equal scores may seem to differ by
    scaled: Floats = np.divide(scores, deviation, out=scores.copy(), where=deviation > rounding)
    return scaled


def top(scores: Floats, k: int, above: float = 0.0) -> NDArray[np.int64]:
    """The positions of the k highest scores, best first; of equal ones the earlier document.

    Args:
        scores: (n_documents,).
        k: at most so many come back.
        above: what scores this or less is no hit.
    """
    if k < 1:
        return np.empty(0, np.int64)
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        higher = np.flatnonzero(scores > least)
        equal = np.flatnonzero(scores == least)[: k - len(higher)]
        chosen = np.concatenate([higher, equal])
    else:
        chosen = np.arange(len(scores))
    chosen = chosen[scores[chosen] > above]
    best: NDArray[np.int64] = chosen[np.lexsort((chosen, -scores[chosen]))]
    return best
