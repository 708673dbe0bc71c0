"""Count a corpus once, in a stream: its vocabulary, its document frequencies, its tokens."""

import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import Analysis, Memo, words
from textae.encoding.bags import CHUNK, Tokens, row_starts
from textae.encoding.vocabulary import MOST_TERMS, Vocabulary

T = TypeVar("T", bound=np.generic)


class Counter:
    """Counts a corpus once, in a stream, for a vocabulary that is known only when it has ended.

    Args:
        analysis: how words become terms.
        spill: the folder for the temporary files (they have no name, and are gone with the process).
    """

    def __init__(self, analysis: Analysis, spill: Path) -> None:
        self._analysis, self._folder = analysis, spill
        self._number_of_term: dict[str, int] = {}
        self._numbers = Memo(self._number)
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
        raw = Tokens(row_starts(self._lengths), _mapped(self._terms, np.int32))
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
    for chunk in tokens.chunks(CHUNK):
        frequency += np.bincount(chunk.bags().terms, minlength=len(frequency))
    occurring = np.flatnonzero(frequency).tolist()
    ranked = sorted(occurring, key=lambda number: (-frequency[number], terms[number]))[:MOST_TERMS]
    return [(terms[number], number) for number in ranked], frequency[ranked]


def renumbered(tokens: Tokens, numbers: Sequence[int], spill: Path) -> Tokens:
    """The same rows with terms numbered by their place in `numbers`, in a temporary file; what is not there is -1."""
    new = np.full(max([-1, *numbers]) + 2, -1, np.int32)  # the last place is that of -1
    new[np.array(numbers, np.int64)] = np.arange(len(numbers), dtype=np.int32)
    file = _temporary(spill)
    for chunk in tokens.chunks(CHUNK):
        known = np.minimum(chunk.terms, len(new) - 1)
        file.write(new[known].tobytes())
    return Tokens(tokens.starts, _mapped(file, np.int32))


def _temporary(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder)


def _mapped(file: IO[bytes], dtype: type[T]) -> NDArray[T]:
    """What was written, as an array; the file is closed, and gone when the array is."""
    with file:
        file.flush()
        return np.memmap(file, dtype, mode="r") if file.tell() else np.empty(0, dtype)
