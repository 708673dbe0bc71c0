"""The result of a search: the best rows and their scores, best first; of equal scores, the lower row comes first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textae.encoding.arrays import Floats, Mask, Rows


@dataclass(frozen=True)
class TopK:
    """The rows with the highest scores.

    Attributes:
        rows: (k,) int64, best first.
        scores: (k,) float32, never rising.
    """

    rows: Rows
    scores: Floats

    @classmethod
    def empty(cls) -> "TopK":
        """No row."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float32))

    @classmethod
    def of_rows(cls, rows: Rows, scores: Floats, k: int, min_score: float = 0.0) -> "TopK":
        """The best of some rows.

        Args:
            rows: (n,) rising, so that of equal scores the lower row comes first.
            scores: (n,), of these rows.
            k: maximum number of hits.
            min_score: a row with this score or less is no hit.
        """
        best = top_k(scores, k, min_score)
        return cls(rows[best], scores[best])

    @classmethod
    def of_scores(cls, scores: Floats, k: int, mask: Mask | None, min_score: float = 0.0) -> "TopK":
        """The best of all rows.

        Args:
            scores: (n_rows,).
            k: maximum number of hits.
            mask: (n_rows,) the rows that may be hits; None for all.
            min_score: a row with this score or less is no hit.
        """
        if mask is None:
            best = top_k(scores, k, min_score)
            return cls(best, scores[best])
        rows = np.flatnonzero(mask)
        return cls.of_rows(rows, scores[rows], k, min_score)

    @classmethod
    def merge(cls, parts: Sequence["TopK"], starts: Sequence[int], k: int) -> "TopK":
        """The best rows of all shards of a corpus, from the best k of each; the same as one search over all rows.

        It is exact where a row's score does not depend on its shard (for BM25: with the `Statistics` of all shards).

        Args:
            parts: of each shard, its best k rows or more, numbered within the shard.
            starts: the number of each shard's first row in the corpus.
            k: maximum number of hits.
        """
        shards = zip(parts, starts, strict=True)
        rows = np.concatenate([cls.empty().rows, *(part.rows + start for part, start in shards)])
        scores = np.concatenate([cls.empty().scores, *(part.scores for part in parts)])
        best = np.lexsort((rows, -scores))[: max(k, 0)]
        return cls(rows[best], scores[best])


def top_k(scores: Floats, k: int, min_score: float = 0.0) -> Rows:
    """The positions of the k highest scores, best first; of equal scores, the earlier position comes first.

    Args:
        scores: (n,).
        k: maximum number of positions.
        min_score: a position with this score or less is left out.
    """
    if k < 1:
        return np.empty(0, np.int64)
    candidates = np.flatnonzero(scores > min_score)  # thousands of equal scores, as zeros are, are slow to partition
    if k < len(candidates):
        values = scores[candidates]
        least = np.partition(values, len(values) - k)[len(values) - k]
        higher = np.flatnonzero(values > least)
        equal = np.flatnonzero(values == least)[: k - len(higher)]
        candidates = candidates[np.concatenate([higher, equal])]
    best: Rows = candidates[np.lexsort((candidates, -scores[candidates]))]
    return best
