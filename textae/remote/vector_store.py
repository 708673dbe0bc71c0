"""What a vector database must do to serve an index. A new one is a module with a class of these methods.

A database holds a row for each document, with the columns of `Row`; files, which are the model; and the name of the
commit that clients read. Predicates are those of `textae.remote.conditions`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Doubles, Rows
from textae.remote.conditions import Predicate

BITS, WORDS, NAMES = "bits", "words", "names"
"""Columns that are searched: binary codes by Hamming distance; terms and names by inner product."""

MOST_DOCUMENTS = 1 << 14
"""Documents of one answer, at most."""

Sparse = Mapping[int, float]


@dataclass(frozen=True)
class Row:
    """A document as a database holds it.

    Attributes:
        number: of the document, which no other one of the index has.
        id, title, text: of it.
        fields: as JSON.
        rest: JSON of the other columns of `textae.index.records.COLUMNS`: source, origin, places, content, sha256.
        has_code: whether the encoder knows a word of it.
        bits: its binary code, packed.
        floats: (dims,) float16, its float code; None where the index stores bits alone.
        words: BM25's saturation of each of its terms.
        names: by the key of a word, the most that it is of a name.
        keys: of its values, as `textae.remote.conditions` has them.
        terms: the first of its terms, rising.
        values: by field and kind, for ranges.
    """

    number: int
    id: str
    title: str
    text: str
    fields: str
    rest: str
    has_code: bool
    bits: bytes
    floats: NDArray[np.float16] | None
    words: Sparse
    names: Sparse
    keys: Sequence[int]
    terms: Sequence[int]
    values: Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class Found:
    """What is nearest to a vector, nearest first.

    Attributes:
        numbers: (k,) of the documents.
        scores: (k,) distances, or inner products.
        columns: of each document, the columns that were asked for.
    """

    numbers: Rows
    scores: Doubles
    columns: Sequence[Mapping[str, Any]]


class VectorStore(Protocol):
    """A database that holds one index, or several commits of it."""

    address: str

    # Reading

    def manifest(self) -> Mapping[str, Any]:
        """What was published last.

        Raises:
            StoreError: nothing was.
        """
        ...

    def use(self, commit: str) -> None:
        """Search the documents of this commit from now on."""
        ...

    def nearest(
        self, column: str, vector: bytes | Sparse, k: int, where: Predicate | None, columns: Sequence[str] = ()
    ) -> Found:
        """The k documents nearest to a vector that meet a predicate; of equal ones, any."""
        ...

    def select(self, where: Predicate, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Columns of the documents that meet a predicate, in any order; their numbers are among them.

        Raises:
            QueryError: there are more than `MOST_DOCUMENTS`.
        """
        ...

    def read_file(self, sha256: str) -> bytes:
        """The bytes of a file; what it lacks is missing."""
        ...

    # Writing

    def begin(self, commit: str, n_bytes: int, dims: int) -> None:
        """Make room for the documents of a commit, unless there is some already.

        Args:
            commit: its name.
            n_bytes: of a binary code.
            dims: of a float code; 0 for none.
        """
        ...

    def has(self, numbers: Sequence[int]) -> set[int]:
        """Which of these documents the commit in use holds."""
        ...

    def insert(self, rows: Iterable[Row]) -> None:
        """Add documents to the commit in use."""
        ...

    def write_file(self, sha256: str, content: bytes) -> None:
        """Write a file, unless it is there already."""
        ...

    def publish(self, manifest: Mapping[str, Any]) -> None:
        """Let clients read this commit, at once, and drop all but it and the one before."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
