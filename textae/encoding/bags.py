"""Bags of words and token sequences as flat arrays (compressed sparse rows), one row per document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Ints, distinct

CHUNK = 4_096
"""Documents that are counted at a time, which bounds the memory."""


@dataclass(frozen=True)
class TermRows:
    """Rows of terms that lie one after the other.

    Attributes:
        starts: (n + 1,) int64; row i is at `starts[i]:starts[i + 1]`.
        terms: (n_entries,) int32, term numbers.
    """

    starts: NDArray[np.int64]
    terms: Ints

    def __post_init__(self) -> None:
        # Damaged starts must not make numpy allocate more than the machine has.
        if self.starts[-1] != len(self.terms):
            raise ValueError(f"the last row ends at {self.starts[-1]}, but there are {len(self.terms)} terms")

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.starts) - 1

    @property
    def row_of(self) -> NDArray[np.int64]:
        """The row of each entry: (n_entries,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def _entries(self) -> list[NDArray[Any]]:
        """The arrays beside `starts`, which have one entry per term of a row."""
        return [array for name, array in vars(self).items() if name != "starts"]

    def rows(self, first: int, last: int) -> Self:
        """The rows from `first` to before `last`."""
        part = slice(self.starts[first], self.starts[last])
        starts = self.starts[first : last + 1] - self.starts[first]
        return type(self)(starts, *(array[part] for array in self._entries()))

    def chunks(self, size: int) -> Iterator[Self]:
        """All rows in order, `size` at a time."""
        for first in range(0, len(self), size):
            yield self.rows(first, min(first + size, len(self)))

    def take(self, rows: NDArray[np.int64]) -> Self:
        """The rows of these numbers, in their order."""
        lengths = np.diff(self.starts)[rows]
        starts = row_starts(lengths)
        entries = np.arange(starts[-1]) + np.repeat(self.starts[:-1][rows] - starts[:-1], lengths)
        return type(self)(starts, *(array[entries] for array in self._entries()))

    def below(self, n_terms: int) -> Self:
        """The same rows with only the terms below `n_terms`, which are the most frequent ones."""
        kept = (self.terms >= 0) & (self.terms < n_terms)
        return type(self)(row_starts(kept)[self.starts], *(array[kept] for array in self._entries()))

    def hold_below(self, n_terms: int) -> NDArray[np.bool_]:
        """Whether each row holds a term below `n_terms`: (n,)."""
        before = row_starts((self.terms >= 0) & (self.terms < n_terms))
        return np.diff(before[self.starts]) > 0

    @classmethod
    def concatenated(cls, parts: Sequence[Self]) -> Self:
        """The rows of all parts, one part after the other; at least one part."""
        lengths = np.concatenate([np.diff(part.starts) for part in parts])
        columns = zip(*(part._entries() for part in parts), strict=True)
        return cls(row_starts(lengths), *map(np.concatenate, columns))


@dataclass(frozen=True)
class Bags(TermRows):
    """Term counts of documents; the terms of a row rise.

    Attributes:
        counts: (n_entries,) uint16, at least 1.
    """

    counts: NDArray[np.uint16]

    def row(self, i: int) -> tuple[Ints, NDArray[np.uint16]]:
        """The terms of row i and their counts."""
        part = slice(self.starts[i], self.starts[i + 1])
        return self.terms[part], self.counts[part]


@dataclass(frozen=True)
class Tokens(TermRows):
    """The terms of documents in reading order; bags are counted from them, and phrases searched in them.

    A word without a term (a stop word, or one outside the vocabulary) is -1.
    """

    def bags(self) -> Bags:
        """The term counts of each row."""
        none = Bags(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.uint16))
        return Bags.concatenated([none, *map(_count, self.chunks(CHUNK))])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        return {f"tokens/{name}": array for name, array in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Tokens":
        """The tokens that gave these `arrays`."""
        return cls(arrays["tokens/starts"], arrays["tokens/terms"])


def _count(tokens: Tokens) -> Bags:
    known = tokens.terms >= 0
    keys, times = distinct(tokens.row_of[known] << 32 | tokens.terms[known])
    lengths = np.bincount(keys >> 32, minlength=len(tokens))
    counts = np.minimum(times, np.iinfo(np.uint16).max).astype(np.uint16)
    return Bags(row_starts(lengths), (keys & 0xFFFFFFFF).astype(np.int32), counts)


def row_starts(lengths: Sequence[int] | NDArray[Any]) -> NDArray[np.int64]:
    """The start of each row and the end of the last: (n,) lengths to (n + 1,) int64."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
