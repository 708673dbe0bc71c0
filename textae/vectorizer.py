"""Bag of words: a document is the multiset of its terms, whatever their order.

`Counter` reads a corpus once, in a stream: it numbers terms as they come, and spills what it counted to an unnamed
temporary file, so memory holds the terms alone. When the corpus has ended, the terms are numbered anew by falling
document frequency (ties by the term itself): the most frequent n terms are then simply the terms below n, which is
how the encoder, that knows fewer terms than keyword search, takes its part of the same counts.
"""

import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

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
        lengths = np.diff(self.starts)[rows]
        starts = _starts(lengths)
        at = np.arange(starts[-1]) + np.repeat(self.starts[:-1][rows] - starts[:-1], lengths)
        return Bags(starts, self.terms[at], self.counts[at])

    def below(self, n_terms: int) -> "Bags":
        """The same rows with only the terms numbered below n_terms: the most frequent ones."""
        kept = self.terms < n_terms
        starts = np.concatenate([[0], np.cumsum(kept)])[self.starts]
        return Bags(starts, self.terms[kept], self.counts[kept])


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


class Vocabulary:
    """The terms of an index, numbered by falling document frequency, and found by bisection.

    It works on the mapped arrays as they are: nothing is read but what a query touches, however many terms there are.

    Attributes:
        text: (n_bytes,) uint8, the terms in UTF-8, one after the other in order of their numbers.
        starts: (n_terms + 1,) int64, where each begins in `text`.
        by_name: (n_terms,) int32, the numbers of the terms in the order of their bytes.
    """

    def __init__(self, text: NDArray[np.uint8], starts: NDArray[np.int64], by_name: Ints) -> None:
        self.text, self.starts, self.by_name = text, starts, by_name

    @classmethod
    def of(cls, terms: Iterable[str]) -> "Vocabulary":
        """The vocabulary that numbers these terms from 0, in this order."""
        encoded = [term.encode() for term in terms]
        starts = _starts([len(term) for term in encoded])
        by_name = np.array(sorted(range(len(encoded)), key=encoded.__getitem__), np.int32)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), starts, by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same vocabulary of."""
        return {f"vocabulary/{name}": array for name, array in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Vocabulary":
        """The vocabulary that gave these `arrays`."""
        return cls(*(arrays[f"vocabulary/{name}"] for name in ("text", "starts", "by_name")))

    def _bytes(self, number: int) -> bytes:
        return self.text[self.starts[number] : self.starts[number + 1]].tobytes()

    def term(self, number: int) -> str:
        """The term of that number."""
        return self._bytes(number).decode()

    def number(self, term: str) -> int | None:
        """The number of a term; None where the corpus does not hold it."""
        name, low, high = term.encode(), 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(self.by_name[middle]) < name:
                low = middle + 1
            else:
                high = middle
        return int(self.by_name[low]) if low < len(self) and self._bytes(self.by_name[low]) == name else None


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

    def transform(self, texts: Iterable[str]) -> Bags:
        """The bags of some texts, in order; words that are not in the vocabulary are left out."""
        lengths, terms, counts = [], [np.empty(0, np.int32)], [np.empty(0, np.uint16)]
        for text in texts:
            row_terms, row_counts = _bag(text, self.numbers)
            lengths.append(len(row_terms))
            terms.append(row_terms)
            counts.append(row_counts)
        return Bags(_starts(lengths), np.concatenate(terms), np.concatenate(counts))

    def unknown(self, text: str) -> list[str]:
        """The words of a text, as written, that would be terms but occur nowhere in the corpus; each once."""
        candidates = dict.fromkeys(words(text))
        return [word for word in candidates if self.numbers[word] < 0 and self.analysis.term(word) is not None]


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
        self._counts = _temporary(spill)
        for file in (self._terms, self._counts):  # where the corpus breaks off, and nobody finishes
            weakref.finalize(self, file.close)

    def _number(self, word: str) -> int:
        term = self._analysis.term(word)
        return -1 if term is None else self._number_of_term.setdefault(term, len(self._number_of_term))

    def add(self, text: str) -> None:
        """Count the next document."""
        terms, counts = _bag(text, self._numbers)
        self._lengths.append(len(terms))
        self._terms.write(terms.tobytes())
        self._counts.write(counts.tobytes())

    def finish(self) -> tuple[Vocabulary, Bags, NDArray[np.int64]]:
        """The vocabulary, the bags of all documents in order (mapped from disk), and each term's document frequency."""
        raw = Bags(_starts(self._lengths), _mapped(self._terms, np.int32), _mapped(self._counts, np.uint16))
        frequency = np.zeros(len(self._number_of_term), np.int64)
        for chunk in raw.chunks(_CHUNK):
            frequency += np.bincount(chunk.terms, minlength=len(frequency))
        terms = list(self._number_of_term)
        ranked = sorted(range(len(terms)), key=lambda number: (-frequency[number], terms[number]))[:MOST_TERMS]
        renumbered = np.full(len(terms), -1, np.int32)
        renumbered[ranked] = np.arange(len(ranked), dtype=np.int32)
        return Vocabulary.of(terms[i] for i in ranked), self._renumber(raw, renumbered), frequency[ranked]

    def _renumber(self, raw: Bags, renumbered: Ints) -> Bags:
        terms, counts, lengths = _temporary(self._folder), _temporary(self._folder), [np.empty(0, np.int64)]
        for chunk in raw.chunks(_CHUNK):
            numbers, row_of = renumbered[chunk.terms], chunk.row_of
            order = np.lexsort((numbers, row_of))
            order = order[numbers[order] >= 0]
            lengths.append(np.bincount(row_of[order], minlength=len(chunk)))
            terms.write(numbers[order].tobytes())
            counts.write(chunk.counts[order].tobytes())
        return Bags(_starts(np.concatenate(lengths)), _mapped(terms, np.int32), _mapped(counts, np.uint16))


_CHUNK = 4096
"""Documents whose counts are in memory at a time."""


def _bag(text: str, numbers: Remembered[int]) -> tuple[Ints, NDArray[np.uint16]]:
    found = np.array(list(map(numbers.__getitem__, words(text))), np.int32)
    terms, counts = np.unique(found[found >= 0], return_counts=True)
    return terms, np.minimum(counts, np.iinfo(np.uint16).max).astype(np.uint16)


def _starts(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _temporary(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder)


def _mapped(file: IO[bytes], dtype: type[T]) -> NDArray[T]:
    """What was written, as an array; the file is closed, and gone when the array is."""
    with file:
        file.flush()
        return np.memmap(file, dtype, mode="r") if file.tell() else np.empty(0, dtype)
