"""The float codes of an index that stores bits alone, for what reads floats: topics, the map, explanations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Rows
from textae.encoding.encoders import Quantization
from textae.index.chunked import ChunkedArray

_AT_A_TIME = 4_096  # rows that are decoded


@dataclass(frozen=True)
class DecodedBits(ChunkedArray[np.floating]):
    """The float codes that binary ones stand for, in half precision as they are stored; decoded when rows are taken.

    Attributes:
        parts: the bits.
        known: (n_rows,) whether each row has a code.
        quantization: that gave the bits.
    """

    parts: Sequence[NDArray[Any]]
    known: ChunkedArray[np.bool_]
    quantization: Quantization

    def whole(self) -> NDArray[np.floating]:
        """The codes of all rows."""
        return self.take(np.arange(len(self)))

    def take(self, rows: Rows) -> NDArray[np.floating]:
        """The codes of the rows of these numbers, in their order."""
        codes = np.empty((len(rows), len(self.quantization.mean)), np.float16)
        for first in range(0, len(rows), _AT_A_TIME):
            some = rows[first : first + _AT_A_TIME]
            bits: NDArray[Any] = super().take(some)
            codes[first : first + len(some)] = self.quantization.floats(bits, self.known.take(some))
        return codes
