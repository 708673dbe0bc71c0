"""Exact search over binary codes by their Hamming distance (semantic hashing, Salakhutdinov & Hinton 2009).

A code of 256 bits is four 64-bit words: the distance is four exclusive-ors and their population counts, and a scan of
a million documents reads 32 MB.
"""

import numpy as np
from numpy.typing import NDArray

from textae.encoder import Bits, Codes
from textae.vectorizer import Floats


class HammingIndex:
    """Binary codes, scanned whole.

    Args:
        codes: of the documents.
    """

    def __init__(self, codes: Codes) -> None:
        self._words = _as_words(codes.bits)
        self._known = codes.known

    def scores(self, queries: Codes) -> Floats:
        """1 - 2 · distance / n_bits, the cosine of codes of ±1: (n_queries, n_documents)."""
        n_bits = 8 * queries.bits.shape[1]
        scores = np.zeros((len(queries.bits), len(self._words)), np.float32)
        for row in np.flatnonzero(queries.known):
            scores[row] = 1 - hamming(_as_words(queries.bits[row : row + 1]), self._words) * np.float32(2 / n_bits)
        return scores * self._known


def hamming(left: NDArray[np.unsignedinteger], right: NDArray[np.unsignedinteger]) -> NDArray[np.int64]:
    """The number of bits in which packed rows differ."""
    distance: NDArray[np.int64] = np.bitwise_count(left ^ right).sum(axis=1, dtype=np.int64)
    return distance


def _as_words(bits: Bits) -> NDArray[np.unsignedinteger]:
    """The same bits in the widest machine words that divide a row."""
    width = next(w for w in (8, 4, 2, 1) if bits.shape[1] % w == 0)
    return np.ascontiguousarray(bits).view(f"u{width}")
