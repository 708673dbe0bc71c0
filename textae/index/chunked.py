"""One array that lies in several parts, as an index lies in segments: numbered through, copied only where asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Rows, T, distinct


@dataclass(frozen=True)
class ChunkedArray(Generic[T]):
    """Rows of one kind, first part to last.

    Attributes:
        parts: arrays of the same dtype and the same shape but for their first axis; at least one.
    """

    parts: Sequence[NDArray[T]]

    @classmethod
    def of(cls, array: NDArray[T]) -> "ChunkedArray[T]":
        """A column of one part."""
        return cls((array,))

    @cached_property
    def starts(self) -> Rows:
        """Where each part begins, and where the last one ends: (n_parts + 1,)."""
        return np.concatenate([[0], np.cumsum([len(part) for part in self.parts])]).astype(np.int64)

    def __len__(self) -> int:
        """The number of rows."""
        return int(self.starts[-1])

    def __iter__(self) -> Iterator[tuple[int, NDArray[T]]]:
        """Each part, after the number of its first row."""
        return zip(self.starts[:-1].tolist(), self.parts, strict=True)

    def whole(self) -> NDArray[T]:
        """All rows in one array; the part itself, where there is one."""
        return self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)

    def take(self, rows: Rows) -> NDArray[T]:
        """The rows of these numbers, in their order."""
        if len(self.parts) == 1:
            return self.parts[0][rows]
        found: NDArray[Any] = np.empty((len(rows), *self.parts[0].shape[1:]), self.parts[0].dtype)
        part_of = np.searchsorted(self.starts, rows, side="right") - 1
        for number in distinct(part_of)[0]:
            inside = part_of == number
            found[inside] = self.parts[number][rows[inside] - self.starts[number]]
        return found
