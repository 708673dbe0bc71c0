"""The terms of an index, numbered, in flat arrays that are searched where they lie."""

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
    """Terms that are numbered one after the other, and found by bisection.

    It works on the mapped arrays as they are: nothing is read but what a query touches, however many terms there are.

    Attributes:
        text: (n_bytes,) uint8, the terms in UTF-8, one after the other in order of their numbers.
        starts: (n_terms + 1,) int64, where each begins in `text`.
        by_name: (n_terms,) int32, the numbers of the terms in the order of their bytes.
    """

    def __init__(self, text: NDArray[np.uint8], starts: NDArray[np.int64], by_name: Ints) -> None:
        self.text, self.starts, self.by_name = text, starts, by_name
        # A word is looked up by some twenty slices: of a memory they take a fifth of what they take of an array.
        self._text, self._starts, self._by_name = text.data, starts.data, by_name.data

    def __reduce__(self) -> tuple[type["Terms"], tuple[NDArray[Any], ...]]:
        """What is pickled: the arrays, not the memory in which they are."""
        return Terms, (self.text, self.starts, self.by_name)

    @classmethod
    def of(cls, terms: Iterable[str]) -> "Terms":
        """Number these terms from 0, in this order."""
        encoded = [term.encode() for term in terms]
        starts = row_starts([len(term) for term in encoded])
        by_name = np.array(sorted(range(len(encoded)), key=encoded.__getitem__), np.int32)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), starts, by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What it is made of, by name."""
        return {"text": self.text, "starts": self.starts, "by_name": self.by_name}

    def _bytes(self, number: int) -> bytes:
        return self._text[self._starts[number] : self._starts[number + 1]].tobytes()

    def term(self, number: int) -> str:
        """The term of that number."""
        return self._bytes(number).decode()

    def terms(self) -> list[str]:
        """All terms, by number."""
        text = self.text.tobytes()
        return [text[a:b].decode() for a, b in itertools.pairwise(self.starts.tolist())]

    def number(self, term: str) -> int | None:
        """The number of a term; None where the corpus does not hold it."""
        name = term.encode()
        place = self._place(name)
        found = self._by_name[place] if place < len(self) else None
        return found if found is not None and self._bytes(found) == name else None

    def numbers_from(self, prefix: str) -> Ints:
        """The numbers of all terms that begin so."""
        name = prefix.encode()
        return self.by_name[self._place(name) : self._place(name + b"\xff")]  # no term in UTF-8 holds that byte

    def _place(self, name: bytes) -> int:
        """How many terms come before a name, in the order of their bytes."""
        return bisect.bisect_left(range(len(self)), name, key=lambda place: self._bytes(self._by_name[place]))


class Vocabulary:
    """The terms of an index, and those that came later: a term is in one of the parts.

    Args:
        parts: the first numbers terms from 0, each other one from where the one before it ends.
    """

    def __init__(self, parts: Sequence[Terms]) -> None:
        self.parts = parts
        self._starts = row_starts(list(map(len, parts)))

    @classmethod
    def of(cls, terms: Iterable[str]) -> "Vocabulary":
        """The vocabulary that numbers these terms from 0, in this order."""
        return cls([Terms.of(terms)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __iter__(self) -> Iterator[tuple[int, Terms]]:
        """Each part, after the number of its first term."""
        return zip(self._starts[:-1].tolist(), self.parts, strict=True)

    def term(self, number: int) -> str:
        """The term of that number."""
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
        """The numbers of all terms that begin so, rising."""
        found = [part.numbers_from(prefix) + start for start, part in self]
        return np.sort(np.concatenate(found)).astype(np.int32)

    def with_terms(self, terms: Sequence[str]) -> "Vocabulary":
        """This one and some new terms behind it, few parts: one that is no larger than what follows is joined to it."""
        parts = list(self.parts)
        new = list(terms)
        while new and len(parts) > 1 and len(parts[-1]) <= len(new):
            new = [*parts.pop().terms(), *new]
        return Vocabulary([*parts, Terms.of(new)] if new else parts)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same vocabulary of."""
        parts = enumerate(self.parts)
        return {f"vocabulary/{i}/{name}": array for i, part in parts for name, array in part.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Vocabulary":
        """The vocabulary that gave these `arrays`."""
        found = {name.split("/")[1] for name in arrays if name.startswith("vocabulary/")}
        names = ("text", "starts", "by_name")
        return cls([Terms(*(arrays[f"vocabulary/{i}/{name}"] for name in names)) for i in sorted(found, key=int)])
