"""Exact search over float codes by their cosine."""

import numpy as np

from textae.encoder import Codes
from textae.vectorizer import Floats


class CosineIndex:
    """Float codes of unit length, scanned whole.

    They lie on disk in half precision, and are kept here in single precision: to convert 20,000 of them takes 6 ms, to
    compare them with a query .5 ms.

    Args:
        codes: of the documents.
    """

    def __init__(self, codes: Codes) -> None:
        self._floats = codes.floats.astype(np.float32)

    def scores(self, queries: Codes) -> Floats:
        """The cosine of each query with each document: (n_queries, n_documents)."""
        cosines: Floats = queries.floats.astype(np.float32, copy=False) @ self._floats.T
        return cosines
