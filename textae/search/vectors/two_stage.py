"""Search by float codes among the nearest binary ones: the bits find candidates, the floats rank them."""

import numpy as np

from textae.encoding.arrays import Mask
from textae.encoding.encoders import Codes
from textae.encoding.topk import TopK
from textae.index.chunked import ChunkedArray
from textae.search.vectors.cosine import CosineIndex
from textae.search.vectors.hamming import HammingIndex

POOL = 1_000
"""Candidates that the bits find."""


class CodeIndex(CosineIndex):
    """The cosine of float codes, of the `POOL` rows (or 4 k) whose bits are nearest; of all, where there are no more.

    Args:
        floats: (n_rows, dims) of the documents.
        bits: (n_rows, n_bits / 8), packed.
        known: (n_rows,) whether anything is known of each.
    """

    def __init__(
        self, floats: ChunkedArray[np.floating], bits: ChunkedArray[np.uint8], known: ChunkedArray[np.bool_]
    ) -> None:
        super().__init__(floats)
        if len(floats) > POOL:
            floats.expect_rows()
        self._hamming = HammingIndex(bits, known)

    def search(self, query: Codes, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The candidates with the highest cosines, as `Index.search` says; below a `min_score` of 0, all are ranked."""
        pool = max(POOL, 4 * k)
        if not query.has_code[0] and min_score >= 0:
            return TopK.empty()
        if min_score < 0 or len(self.floats) <= pool:
            return super().search(query, k, mask, min_score)
        if mask is not None and np.count_nonzero(mask) <= pool:
            rows = np.flatnonzero(mask)
        else:
            rows = self._hamming.nearest(query, pool, mask)
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)
