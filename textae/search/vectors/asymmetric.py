"""Search by the bits of documents and the float code of the query (asymmetric distance: Gordo et al., PAMI 2014).

    score = 1 - 2 · Σ_{i: bits differ} |z_i| / Σ_i |z_i|        z = (code - mean) · R, the query before its signs

A bit counts by the distance of the query from its plane: one that the query hardly decides hardly matters. The nearest
documents by Hamming distance are candidates, so that a scan still counts bits. Of 100,000 abstracts, they hold .998 of
the exhaustive ranking's first ten for queries of three words, and all for titles (docs/benchmarks-notes.md).
"""

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Mask, Rows
from textae.encoding.encoders import Bits, Codes, Quantization
from textae.encoding.topk import TopK
from textae.index.chunked import ChunkedArray
from textae.search.vectors.cosine import ZERO
from textae.search.vectors.hamming import HammingIndex
from textae.search.vectors.two_stage import POOL

_BITS_OF_BYTES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)  # (256, 8)


class AsymmetricIndex:
    """Binary codes that are compared with float ones.

    Args:
        bits: (n_rows, n_bits / 8) of the documents, packed.
        known: (n_rows,) whether anything is known of each; one of which nothing is scores 0.
        quantization: that gave the bits.
    """

    def __init__(self, bits: ChunkedArray[np.uint8], known: ChunkedArray[np.bool_], quantization: Quantization) -> None:
        self.bits, self._known, self._quantization = bits, known, quantization
        self._hamming = HammingIndex(bits, known)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.bits)

    def search(self, query: Codes, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The best of the `POOL` (or 4 k) rows that are nearest by Hamming distance, as `Index.search` says."""
        if min_score < 0 or not query.has_code[0]:
            rows = np.arange(len(self)) if mask is None else np.flatnonzero(mask)
        else:
            rows = self._hamming.nearest(query, max(POOL, 4 * k), mask)
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)

    def scores(self, query: Codes, rows: Rows) -> Floats:
        """The likeness of the query to each of some rows: (n,)."""
        return self._likeness(query, self.bits.take(rows), self._known.take(rows))

    def _likeness(self, query: Codes, bits: Bits, known: NDArray[np.bool_]) -> Floats:
        if not query.has_code[0]:
            return np.zeros(len(bits), np.float32)
        weights = np.abs(self._quantization.sides(query.floats[:1].astype(np.float32))[0])
        of_bytes = weights.reshape(-1, 8) @ _BITS_OF_BYTES.T  # (n_bits / 8, 256): the weight of each set of bits
        differ = np.ascontiguousarray((bits ^ query.bits).T)
        distance, total = np.zeros(len(bits), np.float32), np.float32(0)
        for weight, column in zip(of_bytes, differ, strict=True):
            distance += weight.take(column)
            total += weight[255]
        likeness: Floats = (1 - 2 / (total or 1) * distance) * known
        likeness[np.abs(likeness) <= ZERO] = 0
        return likeness
