"""Bags of words and token sequences as flat arrays: compressed sparse rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Ints, distinct

CHUNK = 4_096
"""Documents whose counts are in memory at a time."""


@dataclass(frozen=True)
class Bags:
    """Counts of terms, a row a document: compressed sparse rows.

    Attributes:
        starts: (n + 1,) int64; row i is at `starts[i]:starts[i + 1]`.
        terms: (n_postings,) int32, rising within a row.
        counts: (n_postings,) uint16, at least 1.
    """

    starts: NDArray[np.int64]
    terms: Ints
    counts: NDArray[np.uint16]

    def __post_init__(self) -> None:
        _check_ends(self.starts, self.terms)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, i: int) -> tuple[Ints, NDArray[np.uint16]]:
        """The terms of row i, and how often each occurs."""
        part = slice(self.starts[i], self.starts[i + 1])
        return self.terms[part], self.counts[part]

    def rows(self, first: int, last: int) -> "Bags":
        """The rows from first to before last."""
        part = slice(self.starts[first], self.starts[last])
        return Bags(self.starts[first : last + 1] - self.starts[first], self.terms[part], self.counts[part])

    def chunks(self, size: int) -> Iterator["Bags"]:
        """All rows in order, `size` at a time."""
        for first in range(0, len(self), size):
            yield self.rows(first, min(first + size, len(self)))

    @property
    def row_of(self) -> NDArray[np.int64]:
        """The row of each posting: (n_postings,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def take(self, rows: NDArray[np.int64]) -> "Bags":
        """The named rows, in the order named."""
        starts, at = _gather(self.starts, rows)
        return Bags(starts, self.terms[at], self.counts[at])

    def below(self, n_terms: int) -> "Bags":
        """The same rows with only the terms numbered below n_terms: the most frequent ones."""
        kept = self.terms < n_terms
        starts = np.concatenate([[0], np.cumsum(kept)])[self.starts]
        return Bags(starts, self.terms[kept], self.counts[kept])


@dataclass(frozen=True)
class Tokens:
    """Terms in the order in which they are read, a row a document; what bags are counted from, and phrases found in.

    Attributes:
        starts: (n + 1,) int64; row i is at `starts[i]:starts[i + 1]`.
        terms: (n_words,) int32, -1 for a word that is no term: a stop word, or one without a number.
    """

    starts: NDArray[np.int64]
    terms: Ints

    def __post_init__(self) -> None:
        _check_ends(self.starts, self.terms)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def rows(self, first: int, last: int) -> "Tokens":
        """The rows from first to before last."""
        part = slice(self.starts[first], self.starts[last])
        return Tokens(self.starts[first : last + 1] - self.starts[first], self.terms[part])

    def chunks(self, size: int) -> Iterator["Tokens"]:
        """All rows in order, `size` at a time."""
        for first in range(0, len(self), size):
            yield self.rows(first, min(first + size, len(self)))

    def take(self, rows: NDArray[np.int64]) -> "Tokens":
        """The named rows, in the order named."""
        starts, at = _gather(self.starts, rows)
        return Tokens(starts, self.terms[at])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same of."""
        return {f"tokens/{name}": array for name, array in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Tokens":
        """What gave these `arrays`."""
        return cls(arrays["tokens/starts"], arrays["tokens/terms"])

    def bags(self) -> Bags:
        """The same rows, counted."""
        counted = [_counted(chunk) for chunk in self.chunks(CHUNK)]
        nothing = Bags(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.uint16))
        return concatenated([nothing, *counted])

    @classmethod
    def concatenated(cls, parts: Sequence["Tokens"]) -> "Tokens":
        """The rows of some, one after the other."""
        lengths = [np.diff(part.starts) for part in parts]
        return cls(row_starts(np.concatenate(lengths)), np.concatenate([part.terms for part in parts]))


def _check_ends(starts: NDArray[np.int64], terms: Ints) -> None:
    """Damaged starts must not ask for more memory than there is: what lies between wild ones has a negative length."""
    if starts[-1] != len(terms):
        raise ValueError(f"the last of the rows ends at {starts[-1]}, and there are {len(terms)} terms")


def concatenated(parts: Sequence[Bags]) -> Bags:
    """The rows of some bags, one after the other."""
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    terms, counts = (np.concatenate([getattr(part, name) for part in parts]) for name in ("terms", "counts"))
    return Bags(row_starts(lengths), terms, counts)


def _counted(tokens: Tokens) -> Bags:
    row_of = np.repeat(np.arange(len(tokens)), np.diff(tokens.starts))
    known = tokens.terms >= 0
    keys, times = distinct(row_of[known] << 32 | tokens.terms[known])
    lengths = np.bincount(keys >> 32, minlength=len(tokens))
    counts = np.minimum(times, np.iinfo(np.uint16).max).astype(np.uint16)
    return Bags(row_starts(lengths), (keys & 0xFFFFFFFF).astype(np.int32), counts)


def _gather(starts: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where some rows begin when they lie one after the other, and where what is in them lies now."""
    lengths = np.diff(starts)[rows]
    new = row_starts(lengths)
    return new, np.arange(new[-1]) + np.repeat(starts[:-1][rows] - new[:-1], lengths)


def row_starts(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each row begins, and where the last one ends: (n + 1,) int64."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
