"""An inverted index with keys of any kind: sorted keys, and the rows of each, searched where they lie on disk.

All keys are searched by bisection, like the terms of Lucene: the keys that equal a value, start with a prefix or lie in
a range are consecutive, and their postings are one slice.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Ints, Rows
from textae.encoding.bags import row_starts

AFTER = b"\xff"
"""No byte of UTF-8, so that `key + AFTER` sorts after all keys with this prefix."""


class InvertedIndex:
    """For each key, the rows that hold it; it reads only the parts of mapped arrays that it needs.

    Attributes:
        text: (n_bytes,) uint8, the sorted keys in UTF-8, one after the other.
        starts: (n_keys + 1,) int64, where each key starts in `text`.
        postings: (n_keys + 1,) int64, where the rows of each key start in `rows`.
        rows: (n_postings,) int32, rising within a key.
    """

    def __init__(
        self, text: NDArray[np.uint8], starts: NDArray[np.int64], postings: NDArray[np.int64], rows: Ints
    ) -> None:
        self.text, self.starts, self.postings, self.rows = text, starts, postings, rows
        self._text, self._starts = text.data, starts.data  # slices take half the time of an array's

    @classmethod
    def of_keys(cls, keys: Sequence[bytes], held: Rows, lengths: Rows) -> Self:
        """The index of rows that hold keys.

        Args:
            keys: different ones, in any order.
            held: the numbers of the keys that the rows hold, row after row, each once in a row.
            lengths: (n_rows,) how many each row holds.
        """
        by_name = sorted(range(len(keys)), key=keys.__getitem__)
        sorted_keys = [keys[number] for number in by_name]
        rank = np.empty(len(keys), np.int64)
        rank[by_name] = np.arange(len(keys))
        ranks = rank[held]
        row_of = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        text, starts = np.frombuffer(b"".join(sorted_keys), np.uint8), row_starts(list(map(len, sorted_keys)))
        postings = row_starts(np.bincount(ranks, minlength=len(keys)))
        return cls(text, starts, postings, row_of[np.argsort(ranks, kind="stable")])

    def __len__(self) -> int:
        """The number of keys."""
        return len(self.starts) - 1

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The index that gave these `arrays`."""
        return cls(*(arrays[name] for name in _ARRAYS))

    def key(self, number: int) -> bytes:
        """The key with this number."""
        return self._text[self._starts[number] : self._starts[number + 1]].tobytes()

    def rank(self, key: bytes) -> int:
        """The number of keys that sort before this one."""
        return bisect_left(range(len(self)), key, key=self.key)

    def rows_between(self, first: bytes, last: bytes) -> Ints:
        """The rows of the keys from first to before last."""
        low, high = self.rank(first), self.rank(last)
        return self.rows[self.postings[low] : self.postings[max(low, high)]]

    def rows_of(self, key: bytes) -> Ints:
        """The rows of a key."""
        at = self.rank(key)
        last = at + (at < len(self) and self.key(at) == key)
        return self.rows[self.postings[at] : self.postings[last]]


_ARRAYS = ("text", "starts", "postings", "rows")
