"""Bag of words: a document is the multiset of its terms, whatever their order.

`Counter` reads a corpus once, in a stream: it numbers terms as they come, and spills what it read to an unnamed
temporary file, so memory holds the terms alone. When the corpus has ended, the terms are numbered anew by falling
document frequency (ties by the term itself): the most frequent n terms are then simply the terms below n, which is
how the encoder, that knows fewer terms than keyword search, takes its part of the same counts. Terms that documents
bring later are numbered behind them (`Vocabulary`), and no number ever changes its term.
"""

import bisect
import itertools
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from textae.column import distinct
from textae.text import Analysis, Remembered, words

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

T = TypeVar("T", bound=np.generic)

MOST_TERMS = 1_000_000
"""Terms that an index keeps; beyond it the rarest go (a corpus so large has that many misspelt ones)."""


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
        counted = [_counted(chunk) for chunk in self.chunks(_CHUNK)]
        nothing = Bags(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.uint16))
        return concatenated([nothing, *counted])

    @classmethod
    def concatenated(cls, parts: Sequence["Tokens"]) -> "Tokens":
        """The rows of some, one after the other."""
        lengths = [np.diff(part.starts) for part in parts]
        return cls(_starts(np.concatenate(lengths)), np.concatenate([part.terms for part in parts]))


def _check_ends(starts: NDArray[np.int64], terms: Ints) -> None:
    """Damaged starts must not ask for more memory than there is: what lies between wild ones has a negative length."""
    if starts[-1] != len(terms):
        raise ValueError(f"the last of the rows ends at {starts[-1]}, and there are {len(terms)} terms")


def concatenated(parts: Sequence[Bags]) -> Bags:
    """The rows of some bags, one after the other."""
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    terms, counts = (np.concatenate([getattr(part, name) for part in parts]) for name in ("terms", "counts"))
    return Bags(_starts(lengths), terms, counts)


def _counted(tokens: Tokens) -> Bags:
    row_of = np.repeat(np.arange(len(tokens)), np.diff(tokens.starts))
    known = tokens.terms >= 0
    keys, times = distinct(row_of[known] << 32 | tokens.terms[known])
    lengths = np.bincount(keys >> 32, minlength=len(tokens))
    counts = np.minimum(times, np.iinfo(np.uint16).max).astype(np.uint16)
    return Bags(_starts(lengths), (keys & 0xFFFFFFFF).astype(np.int32), counts)


def _gather(starts: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where some rows begin when they lie one after the other, and where what is in them lies now."""
    lengths = np.diff(starts)[rows]
    new = _starts(lengths)
    return new, np.arange(new[-1]) + np.repeat(starts[:-1][rows] - new[:-1], lengths)


def idf(document_frequency: NDArray[np.int64], n_documents: int) -> Floats:
    """Inverse document frequency, ln(1 + (n - df + .5) / (df + .5)) (Robertson & Spärck Jones 1976, never negative).

    Args:
        document_frequency: (n_terms,) documents that hold each term.
        n_documents: documents in the corpus.
    """
    return np.log1p((n_documents - document_frequency + 0.5) / (document_frequency + 0.5)).astype(np.float32)


def term_weight(counts: NDArray[np.uint16]) -> Floats:
    """Sublinear term frequency, 1 + ln tf."""
    weight: Floats = np.add(1, np.log(counts, dtype=np.float32), dtype=np.float32)
    return weight


def norms(bags: Bags, idf: Floats) -> Floats:
    """The length of each row's vector of (1 + ln tf) · idf: (n,); 1 for a row without terms."""
    weights = term_weight(bags.counts) * idf[bags.terms]
    squared = np.bincount(bags.row_of, weights * weights, minlength=len(bags))
    return np.where(squared > 0, np.sqrt(squared), 1).astype(np.float32)


def tfidf(bags: Bags, idf: Floats) -> Floats:
    """The weight of each posting, (1 + ln tf) · idf, rows scaled to unit length (Salton & Buckley 1988, `ltc`).

    Args:
        bags: n rows.
        idf: (n_terms,).

    Returns:
        (n_postings,) float32, beside `bags.terms`.
    """
    weights: Floats = term_weight(bags.counts) * idf[bags.terms]
    weights /= np.repeat(norms(bags, idf), np.diff(bags.starts))
    return weights


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

    @classmethod
    def of(cls, terms: Iterable[str]) -> "Terms":
        """Number these terms from 0, in this order."""
        encoded = [term.encode() for term in terms]
        starts = _starts([len(term) for term in encoded])
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
        self._starts = _starts(list(map(len, parts)))

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


class Vectorizer:
    """Texts to bags of the vocabulary's terms; a query walks the same path as a document.

    Args:
        analysis: how words become terms.
        vocabulary: the terms that are known.

    Attributes:
        numbers: of the term that a word, as written, stands for; -1 where the corpus does not hold it.
    """

    def __init__(self, analysis: Analysis, vocabulary: Vocabulary) -> None:
        self.analysis, self.vocabulary = analysis, vocabulary
        self.numbers = Remembered(self._look_up)

    def _look_up(self, word: str) -> int:
        term = self.analysis.term(word)
        number = None if term is None else self.vocabulary.number(term)
        return -1 if number is None else number

    def tokens(self, texts: Iterable[str]) -> Tokens:
        """The terms of some texts, in order; what is not in the vocabulary is -1."""
        found = [np.array(list(map(self.numbers.__getitem__, words(text))), np.int32) for text in texts]
        return Tokens(_starts(list(map(len, found))), np.concatenate([np.empty(0, np.int32), *found]))

    def transform(self, texts: Iterable[str]) -> Bags:
        """The bags of some texts, in order; words that are not in the vocabulary are left out."""
        return self.tokens(texts).bags()

    def unknown(self, text: str) -> list[str]:
        """The words of a text, as written, that would be terms but occur nowhere in the corpus; each once."""
        candidates = dict.fromkeys(words(text))
        return [word for word in candidates if self.numbers[word] < 0 and self.analysis.term(word) is not None]


class GrowingVectorizer(Vectorizer):
    """A vectorizer that numbers the terms that it meets for the first time, behind those that are known.

    Args:
        analysis: how words become terms.
        vocabulary: the terms that are known.

    Attributes:
        new: the terms that were met, in the order of their numbers.
    """

    PATIENCE = 2_000
    """Words that are bisected for, before all terms are read to find others sooner."""

    def __init__(self, analysis: Analysis, vocabulary: Vocabulary) -> None:
        super().__init__(analysis, vocabulary)
        self.new: dict[str, int] = {}
        self._known: dict[str, int] = {}
        self._bisected = 0

    def _look_up(self, word: str) -> int:
        term = self.analysis.term(word)
        if term is None:
            return -1
        number = self._known_number(term)
        if number is not None:
            return number
        size = len(self.vocabulary) + len(self.new)
        return self.new.setdefault(term, size) if size < MOST_TERMS else self.new.get(term, -1)

    def _known_number(self, term: str) -> int | None:
        if self._known:
            return self._known.get(term)
        self._bisected += 1
        if self._bisected > self.PATIENCE:
            self._known = {known: number for number, known in enumerate(self.vocabulary.terms())}
        return self.vocabulary.number(term)

    def grown(self) -> Vocabulary:
        """The vocabulary with the new terms."""
        return self.vocabulary.with_terms(list(self.new))


class Counter:
    """Counts a corpus once, in a stream, for a vocabulary that is known only when it has ended.

    Args:
        analysis: how words become terms.
        spill: the folder for the temporary files (they have no name, and are gone with the process).
    """

    def __init__(self, analysis: Analysis, spill: Path) -> None:
        self._analysis, self._folder = analysis, spill
        self._number_of_term: dict[str, int] = {}
        self._numbers = Remembered(self._number)
        self._lengths: list[int] = []
        self._terms = _temporary(spill)
        weakref.finalize(self, self._terms.close)  # where the corpus breaks off, and nobody finishes

    def _number(self, word: str) -> int:
        term = self._analysis.term(word)
        return -1 if term is None else self._number_of_term.setdefault(term, len(self._number_of_term))

    def add(self, text: str) -> None:
        """Count the next document."""
        found = np.array(list(map(self._numbers.__getitem__, words(text))), np.int32)
        self._lengths.append(len(found))
        self._terms.write(found.tobytes())

    def finish(self) -> tuple[Vocabulary, Tokens, NDArray[np.int64]]:
        """The vocabulary, the terms of all documents in order (mapped from disk), and each term's frequency."""
        raw = Tokens(_starts(self._lengths), _mapped(self._terms, np.int32))
        ranked, frequency = by_frequency(raw, list(self._number_of_term))
        vocabulary = Vocabulary.of(term for term, _ in ranked)
        return vocabulary, renumbered(raw, [number for _, number in ranked], self._folder), frequency


def by_frequency(tokens: Tokens, terms: Sequence[str]) -> tuple[list[tuple[str, int]], NDArray[np.int64]]:
    """The terms that occur, by falling document frequency (ties by the term), with their numbers; and the frequencies.

    Args:
        tokens: of the corpus.
        terms: by number.
    """
    frequency = np.zeros(len(terms), np.int64)
    for chunk in tokens.chunks(_CHUNK):
        frequency += np.bincount(chunk.bags().terms, minlength=len(frequency))
    occurring = np.flatnonzero(frequency).tolist()
    ranked = sorted(occurring, key=lambda number: (-frequency[number], terms[number]))[:MOST_TERMS]
    return [(terms[number], number) for number in ranked], frequency[ranked]


def renumbered(tokens: Tokens, numbers: Sequence[int], spill: Path) -> Tokens:
    """The same rows with terms numbered by their place in `numbers`, in a temporary file; what is not there is -1."""
    new = np.full(max([-1, *numbers]) + 2, -1, np.int32)  # the last place is that of -1
    new[np.array(numbers, np.int64)] = np.arange(len(numbers), dtype=np.int32)
    file = _temporary(spill)
    for chunk in tokens.chunks(_CHUNK):
        known = np.minimum(chunk.terms, len(new) - 1)
        file.write(new[known].tobytes())
    return Tokens(tokens.starts, _mapped(file, np.int32))


_CHUNK = 4096
"""Documents whose counts are in memory at a time."""


def _starts(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _temporary(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder)


def _mapped(file: IO[bytes], dtype: type[T]) -> NDArray[T]:
    """What was written, as an array; the file is closed, and gone when the array is."""
    with file:
        file.flush()
        return np.memmap(file, dtype, mode="r") if file.tell() else np.empty(0, dtype)
