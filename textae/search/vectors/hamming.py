"""Exact search over binary codes by their Hamming distance (semantic hashing, Salakhutdinov & Hinton 2009).

A code of 256 bits is four 64-bit words: the distance is four exclusive-ors and their population counts, and a scan of
a million documents reads 32 MB.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Mask, Rows
from textae.encoding.encoders import Bits, Codes
from textae.encoding.topk import TopK
from textae.index.chunked import ChunkedArray
from textae.search.vectors.cosine import blocks

_PATIENCE = 5_000_000
"""Rows that numpy scans before faiss is imported. A row takes numpy 5 ns longer, faiss .14 s to be imported: a search
from a cold shell never waits for it, and a process that searches a million documents has it from the sixth on."""
_COUNTED = 1 << 12
"""At most so many nearest rows are asked of faiss, which has room for as many at each distance."""
_AT_A_TIME = 1 << 14
"""Rows whose distances are found at a time, so that what is between lies in the processor's cache."""

_MANY, _SHORT = 1 << 17, 32
"""Rows that are worth copies of the query, which fit the cache up to so many bytes a row. A million rows take 6.7 ms in
place of 12.1, but 16,384 rows .6 in place of .2, and codes of 256 bytes always longer."""


class HammingIndex:
    """Binary codes, scanned whole where they lie.

    Args:
        bits: (n_rows, n_bits / 8) of the documents, packed.
        known: (n_rows,) whether anything is known of each; one of which nothing is scores 0.
    """

    def __init__(self, bits: ChunkedArray[np.uint8], known: ChunkedArray[np.bool_]) -> None:
        self.bits, self._known = bits, known
        self._scanned = 0

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.bits)

    def search(self, query: Codes, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows at the smallest distances, as `Index.search` says."""
        if min_score < 0 or not query.has_code[0]:
            rows = np.arange(len(self)) if mask is None else np.flatnonzero(mask)
        else:
            rows = self.nearest(query, k, mask)
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)

    def nearest(self, query: Codes, k: int, mask: Mask | None = None) -> Rows:
        """The k rows at the smallest distances, of those of which something is known: rising.

        Of those at the greatest distance, the lower rows.
        """
        if k < 1:
            return np.empty(0, np.int64)  # faiss crashes
        if self._scanned < _PATIENCE or k > _COUNTED:
            self._scanned += len(self)
            return self._scan(query, k, mask)
        out = self._unknown + (0 if mask is None else len(mask) - int(np.count_nonzero(mask)))
        if k + out > _COUNTED:
            rows = np.flatnonzero(self._wanted(mask))
            return rows[np.sort(_nearest(query.bits, self.bits.take(rows), k)[0])]
        found = [_nearest(query.bits, part, k + out) for part in self.bits.parts]
        rows = np.concatenate([near + first for (near, _), first in zip(found, self.bits.starts, strict=False)])
        if len(found) > 1:
            rows = rows[np.argsort(np.concatenate([distances for _, distances in found]), kind="stable")]
        if out:
            rows = rows[self._known.take(rows) if mask is None else self._known.take(rows) & mask[rows]]
        return np.sort(rows[:k])

    def scores(self, query: Codes, rows: Rows) -> Floats:
        """1 - 2 · distance / n_bits, the cosine of codes of ±1, of each of some rows: (n,)."""
        return self._likeness(query, self.bits.take(rows), self._known.take(rows))

    @cached_property
    def _unknown(self) -> int:
        """The number of rows of which nothing is known."""
        return sum(len(part) - int(np.count_nonzero(part)) for part in self._known.parts)

    def _scan(self, query: Codes, k: int, mask: Mask | None) -> Rows:
        """`nearest` in numpy."""
        far = 8 * query.bits.shape[1] + 1
        # A copy of the query beside each of many rows takes half the time of one for all.
        copies = _AT_A_TIME if len(self) >= _MANY and query.bits.shape[1] <= _SHORT else 1
        words = _as_words(np.repeat(query.bits, copies, axis=0))
        distances = np.empty(len(self), np.uint16)
        first = 0
        for block in blocks([_as_words(bits) for bits in self.bits.parts], _AT_A_TIME):
            distances[first : first + len(block)] = hamming(words[: len(block)], block)
            first += len(block)
        if self._unknown or mask is not None:
            distances[~self._wanted(mask)] = far
        at_least = np.cumsum(np.bincount(distances, minlength=far + 1)[:far])
        last = int(np.searchsorted(at_least, k))  # the distance of the k-th
        nearer = np.flatnonzero(distances < last)
        equal = np.flatnonzero(distances == last)[: k - len(nearer)] if last < far else nearer[:0]
        return np.sort(np.concatenate([nearer, equal]))

    def _wanted(self, mask: Mask | None) -> Mask:
        """The rows that have a code and may be hits."""
        known = self._known.whole()
        return known if mask is None else known & mask

    def _likeness(self, query: Codes, bits: Bits, known: NDArray[np.bool_]) -> Floats:
        distance = hamming(_as_words(query.bits), _as_words(bits))
        scores: Floats = 1 - distance * np.float32(2 / (8 * query.bits.shape[1]))
        return scores * known if query.has_code[0] else np.zeros(len(bits), np.float32)


def _nearest(query: Bits, bits: Bits, k: int) -> tuple[Rows, NDArray[np.int32]]:
    """The k nearest codes and their distances, nearest first; of equal ones the lower row, as counting finds them."""
    from faiss import knn_hamming

    if not len(bits):
        return np.empty(0, np.int64), np.empty(0, np.int32)
    distances, rows = knn_hamming(query, bits, min(k, len(bits)), variant="mc")
    return rows[0], distances[0]


def hamming(left: NDArray[np.unsignedinteger], right: NDArray[np.unsignedinteger]) -> NDArray[np.uint16]:
    """The number of bits in which packed rows differ."""
    counts = np.bitwise_count(left ^ right)
    distance: NDArray[np.uint16] = counts[:, 0].astype(np.uint16)
    for column in counts.T[1:]:  # a sum along rows as short as these takes longer
        distance += column
    return distance


def _as_words(bits: Bits) -> NDArray[np.unsignedinteger]:
    """The same bits in the widest machine words that divide a row."""
    width = next(w for w in (8, 4, 2, 1) if bits.shape[1] % w == 0)
    return np.ascontiguousarray(bits).view(f"u{width}")
