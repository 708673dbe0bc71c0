"""Count a corpus in one pass: its vocabulary, its document frequencies and its tokens.

A `Counter` numbers terms as it meets them and writes the numbers to an unnamed temporary file, so that memory holds
the terms alone. When the corpus ends, the terms are numbered again by falling document frequency (ties by the term).
The n most frequent terms are then the terms below n, and the encoder, which knows fewer terms than keyword search,
takes its part of the same counts.

The shards of a corpus can be counted apart. Their `TermCounts` add up, and give the vocabulary of the whole corpus:

    counts, tokens = counter.counts()                                on each worker
    ranked = TermCounts.total(counts_of_shards).ranked()             on one machine
    renumbered(tokens, counts.terms, ranked.terms, folder)           on each worker
"""

import tempfile
import weakref
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import Analysis
from textae.encoding.arrays import Ints
from textae.encoding.bags import CHUNK, Tokens, row_starts
from textae.encoding.tokenising import Batch, Tokeniser
from textae.encoding.vocabulary import MOST_TERMS, Vocabulary


@dataclass(frozen=True)
class TermCounts:
    """Document frequencies of the terms of a corpus, or of a shard of it.

    Attributes:
        n_documents: documents that were counted.
        terms: each once, in any order.
        frequencies: (n_terms,) int64, documents that hold each term.
    """

    n_documents: int
    terms: Sequence[str]
    frequencies: NDArray[np.int64]

    @classmethod
    def of(cls, tokens: Tokens, terms: Sequence[str]) -> "TermCounts":
        """Count documents.

        Args:
            tokens: of the documents.
            terms: by their number in `tokens`.
        """
        frequencies = np.zeros(len(terms), np.int64)
        for chunk in tokens.chunks(CHUNK):
            frequencies += np.bincount(chunk.bags().terms, minlength=len(terms))
        return cls(len(tokens), terms, frequencies)

    def __add__(self, other: "TermCounts") -> "TermCounts":
        """The counts of the documents of both, which share none."""
        return TermCounts.total([self, other])

    @classmethod
    def total(cls, parts: Iterable["TermCounts"]) -> "TermCounts":
        """The counts of the documents of all parts, read one at a time; a sum of two at a time copies it each time."""
        total: dict[str, int] = {}
        n_documents = 0
        for part in parts:
            n_documents += part.n_documents
            for term, frequency in zip(part.terms, part.frequencies.tolist(), strict=True):
                total[term] = total.get(term, 0) + frequency
        return cls(n_documents, list(total), np.fromiter(total.values(), np.int64, len(total)))

    def ranked(self) -> "TermCounts":
        """The counts in the order of a vocabulary: by falling document frequency, ties by the term.

        Terms that occur in no document are left out, and the rarest beyond `MOST_TERMS`. The order depends on the
        counts alone, not on the order in which shards were added.
        """
        occurring = np.flatnonzero(self.frequencies).tolist()
        order = sorted(occurring, key=lambda i: (-self.frequencies[i], self.terms[i]))[:MOST_TERMS]
        return TermCounts(self.n_documents, [self.terms[i] for i in order], self.frequencies[order])


class Counter:
    """Counts a corpus, or a shard of it, in one pass.

    A counter holds an open file and cannot be pickled; its counts and tokens can.

    Args:
        analysis: how words become terms.
        folder: for the temporary files, which have no name and vanish with the process.
        beside: whether a second process tokenises texts, once there are many; the result is the same.
    """

    def __init__(self, analysis: Analysis, folder: Path, *, beside: bool = False) -> None:
        self._tokeniser, self._folder = Tokeniser(analysis, beside=beside), folder
        self._number_of_term: dict[str, int] = {}
        self._lengths = array("q")
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, closed by `counts`
        weakref.finalize(self, self._file.close)  # for a corpus that breaks off

    def add(self, text: str) -> None:
        """Count the next document."""
        self._write(self._tokeniser.add(text))

    def _write(self, batches: Iterable[Batch]) -> None:
        number_of = self._number_of_term
        for terms, tokens in batches:
            numbers = np.array([*(number_of.setdefault(term, len(number_of)) for term in terms), -1], np.int32)
            self._lengths.extend(np.diff(tokens.starts))
            self._file.write(numbers[tokens.terms].tobytes())

    def counts(self) -> tuple[TermCounts, Tokens]:
        """The counts of all documents, and their tokens, numbered as in `TermCounts.terms`; nothing can be added."""
        with self._file:
            self._write(self._tokeniser.finish())
            tokens = Tokens(row_starts(np.asarray(self._lengths)), _mapped(self._file))
        return TermCounts.of(tokens, list(self._number_of_term)), tokens

    def finish(self) -> tuple[Vocabulary, Tokens, NDArray[np.int64]]:
        """The vocabulary, the tokens of all documents (mapped from disk), and the document frequency of each term."""
        counts, tokens = self.counts()
        ranked = counts.ranked()
        tokens = renumbered(tokens, counts.terms, ranked.terms, self._folder)
        return Vocabulary.of(ranked.terms), tokens, ranked.frequencies


def renumbered(tokens: Tokens, terms: Sequence[str], new_terms: Sequence[str], folder: Path) -> Tokens:
    """The same rows with other numbers for their terms, mapped from a temporary file.

    Args:
        tokens: of documents.
        terms: by their number in `tokens`.
        new_terms: by their new number; a term that is not among them becomes -1.
        folder: for the temporary file.
    """
    number_of = {term: number for number, term in enumerate(new_terms)}
    numbers = np.array([*(number_of.get(term, -1) for term in terms), -1], np.int32)  # the last one is that of -1
    with tempfile.TemporaryFile(dir=folder) as file:
        for chunk in tokens.chunks(CHUNK):
            file.write(numbers[chunk.terms].tobytes())
        return Tokens(tokens.starts, _mapped(file))


def _mapped(file: IO[bytes]) -> Ints:
    """The numbers in a file as an array; the file can be closed, and vanishes with the array."""
    file.flush()
    return np.memmap(file, np.int32, mode="r") if file.tell() else np.empty(0, np.int32)
