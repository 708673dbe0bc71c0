"""One array in several chunks, one per segment of an index; its rows are numbered through all chunks."""

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Rows, T
from textae.index.postings import by_segment


@dataclass(frozen=True)
class ChunkedArray(Generic[T]):
    """An array in chunks; nothing is copied until rows are taken.

    Attributes:
        parts: arrays of one dtype, and of one shape apart from their first axis; at least one.
    """

    parts: Sequence[NDArray[T]]

    @cached_property
    def starts(self) -> Rows:
        """The first row of each chunk, and the row after the last: (n_parts + 1,)."""
        return np.cumsum([0, *map(len, self.parts)])

    def __len__(self) -> int:
        """The number of rows."""
        return int(self.starts[-1])

    def __iter__(self) -> Iterator[tuple[int, NDArray[T]]]:
        """The chunks, each with the number of its first row."""
        return zip(self.starts[:-1].tolist(), self.parts, strict=True)

    def expect_rows(self) -> None:
        """Tell the system that single rows will be taken, of files that are mapped: it need not read those around."""
        for part in self.parts:
            mapped: Any = getattr(part.base, "_mmap", None)
            if hasattr(mapped, "madvise"):
                mapped.madvise(mmap.MADV_RANDOM)

    def whole(self) -> NDArray[T]:
        """All rows in one array; the chunk itself where there is one."""
        return self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts)

    def take(self, rows: Rows) -> NDArray[T]:
        """The rows of these numbers, in their order."""
        if len(self.parts) == 1:
            return self.parts[0][rows]
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"there are {len(self):,} rows, and other ones were to be taken")
        taken: NDArray[Any] = np.empty((len(rows), *self.parts[0].shape[1:]), self.parts[0].dtype)
        for part, where, local in by_segment(self.starts, rows):
            taken[where] = self.parts[part][local]
        return taken
