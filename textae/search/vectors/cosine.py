"""Exact search over float codes by their cosine."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Mask, Rows, T
from textae.encoding.encoders import Codes
from textae.encoding.topk import TopK
from textae.index.chunked import ChunkedArray

SAMPLE = 2_048
"""Rows by which the mean of scores is told."""

_KEPT = 1 << 24
"""Numbers that are kept in single precision, 64 MB."""
_AT_A_TIME = 1 << 20
"""Numbers that are converted at a time where they are not kept."""
_ROUNDING = 1e-5
"""By how much a matrix product may differ from `cosines`, and more."""
ZERO = 1e-6
"""The cosine of orthogonal codes, rounded: OpenBLAS's Prescott and Haswell kernels give them a little more than 0, and
so would make hits of them."""


class CosineIndex:
    """Float codes of any length, scanned whole; a code of zeros is like nothing.

    Most encoders give codes of unit length, and half precision keeps that to some 4 digits; a deep stack's code has any
    length, which its decoder needs. So scores are divided by the lengths of both, whatever these are.

    A scan is one matrix product, whose last digits depend on where in the matrix a row stands; so it only says which
    rows may be among the best, and `cosines` scores these.

    Args:
        floats: (n_rows, dims) of the documents. To convert 20,000 from half precision takes 6 ms, to compare them with
            a query .5 ms: few are kept in single precision, many are converted each time.
    """

    def __init__(self, floats: ChunkedArray[np.floating]) -> None:
        self.floats = floats

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.floats)

    def search(self, query: Codes, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows with the highest cosines, as `Index.search` says."""
        products: Floats = np.concatenate([block @ query.direction for block in self._blocks()])
        rows = candidates(products / self._lengths, k, mask, _ROUNDING)
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)

    def scores(self, query: Codes, rows: Rows) -> Floats:
        """The cosine of the query with each of some rows: (n,)."""
        size = max(1, _AT_A_TIME // query.floats.shape[1])
        blocks = (self.floats.take(rows[at : at + size]) for at in range(0, max(1, len(rows)), size))
        return np.concatenate([cosines(query.direction, block) for block in blocks])

    @cached_property
    def _lengths(self) -> Floats:
        """The length of each code, and 1 for none: (n_rows,)."""
        return np.concatenate([_lengths(rows) for rows in self._blocks()])

    @cached_property
    def _kept(self) -> list[Floats]:
        return [in_single(part) for part in self.floats.parts]

    def _blocks(self) -> Iterable[Floats]:
        """All codes in single precision, a block after the other."""
        width = self.floats.parts[0].shape[1]
        if len(self.floats) * width <= _KEPT:
            return self._kept
        return map(in_single, blocks(self.floats.parts, max(1, _AT_A_TIME // width)))


def blocks(parts: Sequence[NDArray[T]], size: int) -> Iterator[NDArray[T]]:
    """All rows of some arrays in order, at most `size` at a time."""
    return (part[at : at + size] for part in parts for at in range(0, len(part), size))


def candidates(rough: Floats, k: int, mask: Mask | None, margin: float) -> Rows:
    """The rows that may be among the best k, rising.

    Args:
        rough: (n_rows,) scores that are a little wrong; those that the mask excludes are overwritten.
        k: the number of hits.
        mask: (n_rows,) the rows that may be hits; None for all.
        margin: two scores whose order may be wrong differ by this at most.
    """
    if mask is not None:
        rough[~mask] = -np.inf
    least = np.partition(rough, len(rough) - k)[len(rough) - k] if 0 < k < len(rough) else -np.inf
    return np.flatnonzero((rough >= least - margin) & (rough > -np.inf))


def cosines(direction: Floats, floats: NDArray[np.floating]) -> Floats:
    """The cosine of one vector of unit length with each row: (dims,) and (n, dims) to (n,); 0 for a row of zeros.

    A row's is the same to the last bit whichever rows stand beside it. One of `ZERO` or less is rounding, and 0.
    """
    rows = in_single(floats)
    scores: Floats = np.vecdot(rows, direction) / _lengths(rows)
    scores[np.abs(scores) <= ZERO] = 0
    return scores


def in_single(floats: NDArray[np.floating]) -> Floats:
    """The same finite numbers in single precision; from half precision by their bits, in a quarter of a cast's time.

    Half precision has 5 bits of exponent, biased by 15, and single 8, by 127: moved to their places, the same bits are
    2^-112 times the number, and a product with 2^112 is exact, that of a subnormal number too.
    """
    if floats.dtype != np.float16:
        return floats.astype(np.float32, copy=False)
    bits = np.ascontiguousarray(floats).view(np.int16).astype(np.int32)  # the sign goes all the way up
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _SIGN_EXPONENT_FRACTION, out=bits)
    single: Floats = bits.view(np.float32)
    return np.multiply(single, _TO_SINGLE, out=single)


_SIGN_EXPONENT_FRACTION = np.int32(0x8FFFE000 - (1 << 32))
_TO_SINGLE = np.float32(2.0**112)


def _lengths(rows: Floats) -> Floats:
    lengths: Floats = np.sqrt(np.vecdot(rows, rows))
    lengths[lengths == 0] = 1
    return lengths


def sample(n: int) -> Rows:
    """At most `SAMPLE` of n rows, rising: spread evenly but for the golden ratio, which no order of a corpus has."""
    if n <= SAMPLE:
        return np.arange(n)
    golden = (5**0.5 - 1) / 2
    return np.sort((np.arange(1, SAMPLE + 1) * golden % 1 * n).astype(np.int64))
