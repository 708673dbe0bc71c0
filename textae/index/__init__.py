"""Nearest codes: an index holds the codes of the documents and scores them all against the codes of queries.

Every index passes one contract test: more alike is a higher score, an equal code scores 1, the opposite one -1, and
the code of a text of which nothing is known scores 0 with everything.
"""

from typing import Protocol

from textae.encoder import Codes
from textae.index.cosine import CosineIndex
from textae.index.hamming import HammingIndex
from textae.vectorizer import Floats

__all__ = ["CosineIndex", "HammingIndex", "Index"]


class Index(Protocol):
    """Exact search over one kind of code."""

    def scores(self, queries: Codes) -> Floats:
        """The likeness of each query's code to each document's: (n_queries, n_documents), from -1 to 1."""
        ...
