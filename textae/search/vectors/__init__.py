"""Nearest codes: an index holds the codes of the documents and finds those that are most like a question's.

Every index passes one contract test: more alike is a higher score, an equal code scores 1, the opposite one -1, and
the code of a text of which nothing is known scores 0 with everything.
"""

from typing import Protocol

from textae.encoding.arrays import Floats, Mask, Rows
from textae.encoding.encoders import Codes
from textae.encoding.topk import TopK
from textae.search.vectors.asymmetric import AsymmetricIndex
from textae.search.vectors.cosine import CosineIndex
from textae.search.vectors.euclidean import EuclideanIndex
from textae.search.vectors.hamming import HammingIndex
from textae.search.vectors.two_stage import CodeIndex

__all__ = ["AsymmetricIndex", "CodeIndex", "CosineIndex", "EuclideanIndex", "HammingIndex", "Index"]


class Index(Protocol):
    """Search over one kind of code."""

    def __len__(self) -> int:
        """The number of rows."""
        ...

    def search(self, query: Codes, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows whose codes are most like the query's.

        Args:
            query: codes of one row.
            k: the maximum number of rows.
            mask: (n_rows,) the rows that may be hits; None for all.
            min_score: what scores this or less is not found; -inf ranks everything.
        """
        ...

    def scores(self, query: Codes, rows: Rows) -> Floats:
        """The likeness of the query's code to that of each of some rows: (n,) from -1 to 1, as `search` gives it."""
        ...
