"""Pictures as an encoder reads them: one row of pixels per picture."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.types import Picture


@dataclass(frozen=True)
class Pixels:
    """Pictures of one shape.

    Attributes:
        values: (n, n_pixels) uint8, from 0, black, to 255.
    """

    values: NDArray[np.uint8]

    @classmethod
    def of(cls, pictures: Iterable[Picture]) -> "Pixels":
        """The pixels of at least one picture, all of one shape."""
        return cls(np.stack([np.frombuffer(picture.pixels, np.uint8) for picture in pictures]))

    @classmethod
    def concatenated(cls, parts: Iterable["Pixels"]) -> "Pixels":
        """The rows of all parts, one part after the other."""
        return cls(np.concatenate([part.values for part in parts]))

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.values)

    def rows(self, first: int, last: int) -> "Pixels":
        """The rows from `first` to before `last`."""
        return Pixels(self.values[first:last])

    def take(self, rows: NDArray[np.int64]) -> "Pixels":
        """The rows of these numbers, in their order."""
        return Pixels(self.values[rows])

    def chunks(self, size: int) -> Iterator["Pixels"]:
        """All rows in order, `size` at a time."""
        for first in range(0, len(self), size):
            yield self.rows(first, first + size)

    def brightness(self) -> Floats:
        """Each pixel from 0 to 1: (n, n_pixels)."""
        return self.values.astype(np.float32) / np.float32(255)
