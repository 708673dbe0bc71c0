"""Systems as one thing: a `Retriever` finds the best rows for a question and scores any; fusing needs no more.

The hybrid adds up two systems on one scale. BM25 finds the documents that say it in the query's words, codes those
that say it in others.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Mask, Rows, distinct
from textae.encoding.encoders import AnyEncoder, Codes
from textae.encoding.topk import TopK
from textae.search.lexical import BM25
from textae.search.query import QueryVector, encode_query
from textae.search.vectors import EuclideanIndex, Index


class Retriever(Protocol):
    """A system. Higher scores are better; what scores 0 or less is no hit."""

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows that score highest.

        Args:
            query: what is asked.
            k: at most so many are found.
            mask: (n_rows,) the rows that may be; None for all.
            min_score: what scores this or less is not found; -inf ranks everything, what scores 0 too.
        """
        ...

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The score of each of some rows: (n,), to the last bit as `search` gives it."""
        ...


@dataclass(frozen=True)
class CodeSearch:
    """Documents by the likeness of their codes to the question's: the encoder before an index."""

    encoder: AnyEncoder
    index: Index

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows most like the question, as `Retriever.search` says."""
        return self.index.search(encode_query(self.encoder, query), k, mask, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The likeness of the question to each of some rows: (n,)."""
        return self.index.scores(encode_query(self.encoder, query), rows)


@dataclass(frozen=True)
class PixelSearch:
    """Pictures by the distance of their pixels to the question's, nearest first; without learning."""

    index: EuclideanIndex

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The nearest rows, as `Retriever.search` says."""
        return self.index.search(_mean_picture(query), k, mask, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The score of each of some rows: (n,)."""
        return self.index.scores(_mean_picture(query), rows)


def _mean_picture(query: QueryVector) -> NDArray[np.int32]:
    """The pixels that are asked for, (n_pixels,): of several pictures their weighted sum, as far as it is a picture."""
    assert query.pictures is not None
    mixed = query.shares @ query.pictures.values.astype(np.float32)
    return np.clip(np.rint(mixed), 0, 255).astype(np.int32)


POOL = 100
"""Candidates that the hybrid takes from each of its systems. With 50 it already found the same ten as by scoring all
of 100,000 arXiv abstracts, for each of 60 titles, however much weight codes had."""


@dataclass(frozen=True)
class Hybrid:
    """Keywords and codes fused: bm25 / σ(bm25) + weight · max(0, code / σ(code)), σ over all documents for one query.

    Dividing by the spread puts both on one scale (subtracting the mean too would change no rank). It also weighs by
    the query: few documents share a short query's words, so that BM25's best stand many σ above the rest; a long
    query shares words with most, and the codes get more say. A code that points away counts nothing, so that what
    shares a word with the query is always a hit.

    The best `POOL` rows of each (or 4 k) are scored by both; where that is all rows, the ranking is that of all.
    """

    keywords: BM25
    codes: CodeSearch
    weight: float

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows with the highest fused scores, as `Retriever.search` says."""
        codes, pool = encode_query(self.codes.encoder, query), max(POOL, 4 * k)
        if min_score < 0 or pool >= len(self.keywords):
            rows = np.arange(len(self.keywords)) if mask is None else np.flatnonzero(mask)
        else:
            by_words = self.keywords.search(query, pool, mask)
            by_codes = self.codes.index.search(codes, pool, mask)
            rows = distinct(np.concatenate([by_words.rows, by_codes.rows]))[0]
        return TopK.of_rows(rows, self._fused(query, codes, rows), k, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The fused score of each of some rows: (n,)."""
        return self._fused(query, encode_query(self.codes.encoder, query), rows)

    def factors(self, query: QueryVector, codes: Codes) -> tuple[float, float]:
        """What the scores of keywords are multiplied with for a question, and those of codes."""
        return 1 / (self.keywords.score_std(query) or 1), self.weight / (self.codes.index.score_std(codes) or 1)

    def _fused(self, query: QueryVector, codes: Codes, rows: Rows) -> Floats:
        of_words, of_codes = map(np.float32, self.factors(query, codes))
        words, alike = self.keywords.scores(query, rows), self.codes.index.scores(codes, rows)
        fused: Floats = words * of_words + np.maximum(alike * of_codes, 0)
        return fused
