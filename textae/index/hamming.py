"""Exact search over binary codes by their Hamming distance (semantic hashing, Salakhutdinov & Hinton 2009).

A code of 256 bits is four 64-bit words: the distance is four exclusive-ors and their population counts, and a scan of
a million documents reads 32 MB.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textae.column import Column, Mask, Rows
from textae.encoder import Bits, Codes
from textae.found import Found
from textae.index.cosine import sample
from textae.vectorizer import Floats


class HammingIndex:
    """Binary codes, scanned whole.

    Args:
        bits: (n_rows, n_bits / 8) of the documents, packed.
        known: (n_rows,) whether anything is known of each; one of which nothing is scores 0.
    """

    def __init__(self, bits: Column[np.uint8], known: Column[np.bool_]) -> None:
        self._bits, self._known = bits, known

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._bits)

    def search(self, query: Codes, k: int, among: Mask | None = None, above: float = 0.0) -> Found:
        """The rows at the smallest distances, as `Index.search` says."""
        parts = [
            self._likeness(query, bits, known) for bits, known in zip(self._bits.parts, self._known.parts, strict=True)
        ]
        return Found.best_of_all(np.concatenate(parts), k, among, above)

    def nearest(self, query: Codes, k: int, among: Mask | None = None) -> Rows:
        """The k rows at the smallest distances, of those of which something is known; in no order."""
        known = self._known.whole()
        return self.search(query, k, known if among is None else known & among, -np.inf).rows

    def scores(self, query: Codes, rows: Rows) -> Floats:
        """1 - 2 · distance / n_bits, the cosine of codes of ±1, of each of some rows: (n,)."""
        return self._likeness(query, self._bits.take(rows), self._known.take(rows))

    def spread(self, query: Codes) -> float:
        """The standard deviation of the scores of a sample of rows, or of all of few."""
        return float(self._likeness(query, *self._sample).std())

    @cached_property
    def _sample(self) -> tuple[Bits, NDArray[np.bool_]]:
        rows = sample(len(self))
        return self._bits.take(rows), self._known.take(rows)

    def _likeness(self, query: Codes, bits: Bits, known: NDArray[np.bool_]) -> Floats:
        if not query.known[0]:
            return np.zeros(len(bits), np.float32)
        distance = hamming(_as_words(query.bits), _as_words(bits))
        return _likeness(distance, bits.shape[1]) * known


def _likeness(distance: NDArray[np.uint16], n_bytes: int) -> Floats:
    scores: Floats = 1 - distance * np.float32(2 / (8 * n_bytes))
    return scores


def hamming(left: NDArray[np.unsignedinteger], right: NDArray[np.unsignedinteger]) -> NDArray[np.uint16]:
    """The number of bits in which packed rows differ."""
    counts = np.bitwise_count(left ^ right)
    distance = counts[:, 0].astype(np.uint16)
    for column in counts.T[1:]:  # a sum along rows as short as these takes three times as long
        distance += column
    return distance


def _as_words(bits: Bits) -> NDArray[np.unsignedinteger]:
    """The same bits in the widest machine words that divide a row."""
    width = next(w for w in (8, 4, 2, 1) if bits.shape[1] % w == 0)
    return np.ascontiguousarray(bits).view(f"u{width}")
