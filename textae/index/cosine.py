"""Exact search over float codes by their cosine."""

import numpy as np

from textae.encoder import Codes
from textae.vectorizer import Floats


class CosineIndex:
    """Float codes of unit length, kept as half precision on disk and compared in single precision.

    Args:
        codes: of the documents, of unit length or zero.
    """

    def __init__(self, codes: Codes) -> None:
        self._floats = codes.floats.astype(np.float32)

    def scores(self, queries: Codes) -> Floats:
        """The cosine of each query with each document: (n_queries, n_documents)."""
        cosines: Floats = queries.floats.astype(np.float32, copy=False) @ self._floats.T
        return cosines
