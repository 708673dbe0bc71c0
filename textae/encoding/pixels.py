"""Pictures as an encoder reads them: rows of pixels, as bags of words are rows of counts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.types import Picture


@dataclass(frozen=True)
class Pixels:
    """Pictures of one shape, a row each.

    Attributes:
        values: (n, n_pixels) uint8, from 0, black, to 255.
    """

    values: NDArray[np.uint8]

    @classmethod
    def of(cls, pictures: Iterable[Picture]) -> Self:
        """The pixels of pictures that have one shape; at least one."""
        rows = [np.frombuffer(picture.pixels, np.uint8) for picture in pictures]
        return cls(np.stack(rows))

    @classmethod
    def concatenated(cls, parts: Iterable[Self]) -> Self:
        """The rows of all parts, in order."""
        return cls(np.concatenate([part.values for part in parts]))

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.values)

    def rows(self, first: int, last: int) -> "Pixels":
        """The rows from first to before last."""
        return Pixels(self.values[first:last])

    def take(self, rows: NDArray[np.int64]) -> "Pixels":
        """The named rows, in the order named."""
        return Pixels(self.values[rows])

    def chunks(self, size: int) -> Iterator["Pixels"]:
        """All rows in order, `size` at a time."""
        for first in range(0, len(self), size):
            yield self.rows(first, first + size)

    def brightness(self) -> Floats:
        """Each pixel from 0 to 1: (n, n_pixels)."""
        return self.values.astype(np.float32) / np.float32(255)
