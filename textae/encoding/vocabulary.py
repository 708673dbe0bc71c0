"""The numbered terms of an index, as flat arrays that are searched by bisection where they lie on disk."""

import bisect
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Ints
from textae.encoding.bags import row_starts

MOST_TERMS = 1_000_000
"""Terms that an index keeps; beyond it the rarest go (a corpus so large has that many misspelt ones)."""


class Terms:
    """Terms with consecutive numbers.

    A lookup touches some twenty terms of the mapped arrays and reads nothing else, however many terms there are.

    Attributes:
        text: (n_bytes,) uint8, the terms in UTF-8, in the order of their numbers.
        starts: (n_terms + 1,) int64, where each term starts in `text`.
        by_name: (n_terms,) int32, the term numbers sorted by the terms' bytes.
    """

    def __init__(self, text: NDArray[np.uint8], starts: NDArray[np.int64], by_name: Ints) -> None:
        self.text, self.starts, self.by_name = text, starts, by_name
        # Slices of a memoryview take a fifth of the time of slices of an array.
        self._text, self._starts, self._by_name = text.data, starts.data, by_name.data

    def __reduce__(self) -> tuple[type["Terms"], tuple[NDArray[Any], ...]]:
        """Pickle the arrays; memoryviews cannot be pickled."""
        return Terms, (self.text, self.starts, self.by_name)

    @classmethod
    def of(cls, terms: Iterable[str]) -> "Terms":
        """Number these terms from 0, in this order."""
        encoded = [term.encode() for term in terms]
        by_name = np.array(sorted(range(len(encoded)), key=encoded.__getitem__), np.int32)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), row_starts(list(map(len, encoded))), by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {"text": self.text, "starts": self.starts, "by_name": self.by_name}

    def _bytes(self, number: int) -> bytes:
        return self._text[self._starts[number] : self._starts[number + 1]].tobytes()

    def _rank(self, name: bytes) -> int:
        """The number of terms that sort before a name."""
        return bisect.bisect_left(range(len(self)), name, key=lambda rank: self._bytes(self._by_name[rank]))

    def term(self, number: int) -> str:
        """The term with this number."""
        return self._bytes(number).decode()

    def terms(self) -> list[str]:
        """All terms, by number."""
        text = self.text.tobytes()
        return [text[a:b].decode() for a, b in itertools.pairwise(self.starts.tolist())]

    def number(self, term: str) -> int | None:
        """The number of a term; None where it is not here."""
        name = term.encode()
        rank = self._rank(name)
        number = self._by_name[rank] if rank < len(self) else None
        return number if number is not None and self._bytes(number) == name else None

    def numbers_from(self, prefix: str) -> Ints:
        """The numbers of all terms with this prefix."""
        name = prefix.encode()
        return self.by_name[self._rank(name) : self._rank(name + b"\xff")]  # no UTF-8 text holds that byte


class Vocabulary:
    """The terms of an index: those of the learned corpus, and behind them those of later documents.

    Args:
        parts: consecutive terms; each term is in one part.
    """

    def __init__(self, parts: Sequence[Terms]) -> None:
        self.parts = parts
        self._starts = row_starts(list(map(len, parts)))

    @classmethod
    def of(cls, terms: Iterable[str]) -> "Vocabulary":
        """Number these terms from 0, in this order."""
        return cls([Terms.of(terms)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __iter__(self) -> Iterator[tuple[int, Terms]]:
        """The parts, each with the number of its first term."""
        return zip(self._starts[:-1].tolist(), self.parts, strict=True)

    def term(self, number: int) -> str:
        """The term with this number."""
        part = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self.parts[part].term(number - int(self._starts[part]))

    def number(self, term: str) -> int | None:
        """The number of a term; None where the corpus does not hold it."""
        for start, part in self:
            number = part.number(term)
            if number is not None:
                return start + number
        return None

    def terms(self) -> list[str]:
        """All terms, by number."""
        return [term for part in self.parts for term in part.terms()]

    def numbers_from(self, prefix: str) -> Ints:
        """The numbers of all terms with this prefix, rising."""
        return np.sort(np.concatenate([part.numbers_from(prefix) + start for start, part in self])).astype(np.int32)

    def with_terms(self, terms: Sequence[str]) -> "Vocabulary":
        """This vocabulary and new terms behind it.

        A part that is no larger than the terms behind it is joined with them, so that there are few parts.
        """
        parts, new = list(self.parts), list(terms)
        while new and len(parts) > 1 and len(parts[-1]) <= len(new):
            new = [*parts.pop().terms(), *new]
        return Vocabulary([*parts, Terms.of(new)] if new else parts)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        parts = enumerate(self.parts)
        return {f"vocabulary/{i}/{name}": array for i, part in parts for name, array in part.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Vocabulary":
        """The vocabulary that gave these `arrays`."""
        n_parts = len({name.split("/")[1] for name in arrays if name.startswith("vocabulary/")})
        names = ("text", "starts", "by_name")
        return cls([Terms(*(arrays[f"vocabulary/{i}/{name}"] for name in names)) for i in range(n_parts)])
