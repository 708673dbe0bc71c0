"""Exact search over float codes by their cosine."""

import numpy as np
from numpy.typing import NDArray

from textae.encoder import Codes
from textae.vectorizer import Floats


class CosineIndex:
    """Float codes of unit length, kept as half precision on disk and compared in single precision.

    Args:
        codes: (n_documents, dims) float16 or float32, of unit length or zero.
    """

    def __init__(self, codes: NDArray[np.floating]) -> None:
        self._codes = codes.astype(np.float32)

    def scores(self, queries: Codes) -> Floats:
        """The cosine of each query with each document: (n_queries, n_documents)."""
        return queries.floats @ self._codes.T
