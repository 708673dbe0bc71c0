"""What a search finds: the best rows and their scores, best first; of equal scores the lower row first, always."""

from dataclasses import dataclass

import numpy as np

from textae.encoding.arrays import Floats, Mask, Rows


@dataclass(frozen=True)
class TopK:
    """The rows that score highest.

    Attributes:
        rows: (k,) int64, best first.
        scores: (k,) float32, never rising.
    """

    rows: Rows
    scores: Floats

    @classmethod
    def best(cls, rows: Rows, scores: Floats, k: int, min_score: float = 0.0) -> "TopK":
        """The best of some rows.

        Args:
            rows: (n,) rising, so that of equal scores the lower row comes first.
            scores: (n,), of these rows.
            k: at most so many are found.
            min_score: what scores this or less is not found.
        """
        order = top(scores, k, min_score)
        return cls(rows[order], scores[order])

    @classmethod
    def best_of_all(cls, scores: Floats, k: int, mask: Mask | None, min_score: float = 0.0) -> "TopK":
        """The best of all rows, or of those among which they are sought.

        Args:
            scores: (n_rows,).
            k: at most so many are found.
            mask: (n_rows,); None for all.
            min_score: what scores this or less is not found.
        """
        if mask is None:
            order = top(scores, k, min_score)
            return cls(order, scores[order])
        rows = np.flatnonzero(mask)
        return cls.best(rows, scores[rows], k, min_score)

    @classmethod
    def nothing(cls) -> "TopK":
        """What is found where nothing is."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float32))


def top(scores: Floats, k: int, min_score: float = 0.0) -> Rows:
    """The positions of the k highest scores, best first; of equal ones the earlier position.

    Args:
        scores: (n,).
        k: at most so many come back.
        min_score: what scores this or less is no hit.
    """
    if k < 1:
        return np.empty(0, np.int64)
    chosen = np.flatnonzero(scores > min_score)  # what is equal by the thousand, as zeros are, is slow to partition
    if k < len(chosen):
        sought = scores[chosen]
        least = np.partition(sought, len(sought) - k)[len(sought) - k]
        higher = np.flatnonzero(sought > least)
        equal = np.flatnonzero(sought == least)[: k - len(higher)]
        chosen = chosen[np.concatenate([higher, equal])]
    best: Rows = chosen[np.lexsort((chosen, -scores[chosen]))]
    return best
