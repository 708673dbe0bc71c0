"""Exact search over pixels by Euclid's distance: the baseline that codes of pictures are compared with."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Mask, Rows
from textae.encoding.topk import TopK
from textae.index.chunked import ChunkedArray
from textae.search.vectors.cosine import blocks, candidates

_AT_A_TIME = 1 << 20
"""Numbers that are converted at a time."""
_KEPT = 1 << 26
"""Numbers that are kept in single precision, 256 MB: more than pictures of 28 × 28 that are 80,000."""
_ROUNDING = 2e-3
"""By how much a score that is found by a matrix product may differ from the exact one: of what is nearly equal, the
root of the product's own rounding."""


class EuclideanIndex:
    """Rows of bytes, scanned whole; a query is a row of whole numbers from 0 to 255.

        score(x, q) = 1 - |x - q| / (255 √n)         1 of what is equal, 0 of black and white

    A scan takes |x - q|² from one matrix product in single precision; the rows that may be among the best are then
    scored exactly, in whole numbers.

    Args:
        values: (n_rows, n) uint8.
    """

    def __init__(self, values: ChunkedArray[np.uint8]) -> None:
        self.values = values

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.values)

    def search(self, query: NDArray[np.int32], k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The nearest rows, as `Index.search` says."""
        rows = candidates(self._scan(query), k, mask, 2 * _ROUNDING)
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)

    def scores(self, query: NDArray[np.int32], rows: Rows) -> Floats:
        """The score of each of some rows: (n,)."""
        size = max(1, _AT_A_TIME // len(query))
        taken = (self.values.take(rows[at : at + size]).astype(np.int32) for at in range(0, max(1, len(rows)), size))
        squares = [np.square(block - query).sum(axis=1, dtype=np.int64) for block in taken]
        return _score(np.concatenate(squares), len(query))

    def _scan(self, query: NDArray[np.int32]) -> Floats:
        """The score of each row, to within `_ROUNDING`: (n_rows,)."""
        floats = query.astype(np.float32)
        products = np.concatenate([block @ floats for block in self._blocks()]).astype(np.float64)
        squares = self._squares - 2 * products + float(floats.astype(np.float64) @ floats)
        return _score(np.maximum(squares, 0), len(query))

    @cached_property
    def _squares(self) -> NDArray[np.float64]:
        """|x|² of each row: (n_rows,)."""
        return np.concatenate([np.vecdot(block, block).astype(np.float64) for block in self._blocks()])

    @cached_property
    def _kept(self) -> list[Floats]:
        return [part.astype(np.float32) for part in self.values.parts]

    def _blocks(self) -> Iterable[Floats]:
        width = self.values.parts[0].shape[1]
        if len(self) * width <= _KEPT:
            return self._kept
        return (block.astype(np.float32) for block in blocks(self.values.parts, max(1, _AT_A_TIME // width)))


def _score(squares: NDArray[np.float64] | NDArray[np.int64], n: int) -> Floats:
    scores: Floats = (1 - np.sqrt(squares) / (255 * n**0.5)).astype(np.float32)
    return scores
