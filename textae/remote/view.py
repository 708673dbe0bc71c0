"""What is searched where a vector database holds the documents: columns that are read as rows are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Rows
from textae.encoding.encoders import Quantization
from textae.errors import QueryError, StoreError
from textae.index.postings import Statistics
from textae.index.snapshot import CorpusView
from textae.remote.conditions import Numbered
from textae.remote.vector_store import BITS, WORDS, VectorStore

V = TypeVar("V")

AT_A_TIME = 1_000
"""Documents of one answer."""

_KEPT = 1 << 14
"""Rows of a column that a client keeps."""


class RemoteColumn(Generic[V]):
    """A column of the documents, read as rows are needed, and kept.

    Args:
        store: of the documents.
        name: of the column.
        decode: makes a value of what the database gives.
        n: documents.
        none: (0, …) what stands for no rows.
    """

    def __init__(self, store: VectorStore, name: str, decode: Callable[[Any], V], n: int, none: NDArray[Any]) -> None:
        self._store, self._name, self._decode, self._n, self._none = store, name, decode, n, none
        self._kept: dict[int, V] = {}

    def __len__(self) -> int:
        """The number of documents."""
        return self._n

    def keep(self, numbers: Sequence[int], values: Sequence[Any]) -> None:
        """Keep values that were read with a search."""
        self._kept.update((number, self._decode(value)) for number, value in zip(numbers, values, strict=True))

    def values(self, rows: Rows) -> list[V]:
        """The values of the documents of these numbers, in their order."""
        numbers, kept = rows.tolist(), self._kept
        if len(kept) > _KEPT:
            kept = self._kept = {}
        missing = [number for number in numbers if number not in kept]
        for first in range(0, len(missing), AT_A_TIME):
            some = Numbered(missing[first : first + AT_A_TIME])
            for row in self._store.select(some, [self._name]):
                kept[row["number"]] = self._decode(row[self._name])
        try:
            return [kept[number] for number in numbers]
        except KeyError:
            raise StoreError(f"documents were removed from {self._store.address} meanwhile; search again") from None

    def take(self, rows: Rows) -> NDArray[Any]:
        """The same, as an array: (n, …)."""
        return np.array(self.values(rows)) if len(rows) else self._none

    __getitem__ = take

    def whole(self) -> NDArray[Any]:
        """Not there: a client does not hold a column of all documents.

        Raises:
            QueryError: always.
        """
        raise searches_alone(self._store)


class Always:
    """A column of which every value is true.

    Args:
        store: for the message.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    def take(self, rows: Rows) -> NDArray[np.bool_]:
        """True for each row."""
        return np.ones(len(rows), bool)

    def whole(self) -> NDArray[np.bool_]:
        """Not there: a client does not hold a column of all documents.

        Raises:
            QueryError: always.
        """
        raise searches_alone(self._store)


class Identity:
    """The numbers of documents whose rows are their numbers.

    Args:
        store: for the message.
        n: documents.
    """

    def __init__(self, store: VectorStore, n: int) -> None:
        self._store, self._n = store, n

    def __len__(self) -> int:
        """The number of documents."""
        return self._n

    def take(self, rows: Rows) -> Rows:
        """The same rows."""
        return rows

    def whole(self) -> Rows:
        """Refused: what needs all documents needs the index.

        Raises:
            QueryError: always.
        """
        raise searches_alone(self._store)


class StoredStatistics(Statistics):
    """Statistics of the corpus that were stored.

    Args:
        frequencies: (n_terms,) of all terms.
        n: documents.
        mean_length: of the documents.
    """

    def __init__(self, frequencies: NDArray[np.int64], n: int, mean_length: float) -> None:
        self._frequencies, self.n, self.mean_length = frequencies, n, mean_length

    def frequencies(self, terms: NDArray[np.int32]) -> NDArray[np.int64]:
        """The document frequency of n terms: (n,)."""
        known = (terms >= 0) & (terms < len(self._frequencies))
        return np.where(known, self._frequencies[np.where(known, terms, 0)], 0)


class RemoteView(CorpusView):
    """The documents of a database.

    Args:
        store: that holds them.
        statistics: of their words.
        quantization: of the codes.
        with_floats: whether the database holds float codes, too.
        holders: (n_terms, `HOLDERS`) the first documents that hold each term, and -1.
        all_known: whether each document has a code.
    """

    def __init__(
        self, store: VectorStore, statistics: Statistics, quantization: Quantization,
        holders: NDArray[np.int64],
        *, with_floats: bool, all_known: bool,
    ) -> None:  # fmt: skip
        super().__init__((), None if with_floats else quantization)
        dims, n_bits = quantization.rotation.shape
        values: dict[str, Any] = {
            "statistics": statistics,
            "doc_numbers": Identity(store, statistics.n),
            "alive": None,
            "bits": RemoteColumn(store, BITS, _bytes, statistics.n, np.empty((0, n_bits // 8), np.uint8)),
            "floats": RemoteColumn(store, "floats", _floats, statistics.n, np.empty((0, dims), np.float16)),
            "has_code": Always(store)
            if all_known
            else RemoteColumn(store, "has_code", bool, statistics.n, np.empty(0, bool)),
            "words": RemoteColumn(store, WORDS, _sparse, statistics.n, np.empty(0)),
        }
        if not with_floats:
            from textae.index.decoded_bits import DecodedBits

            values["floats"] = DecodedBits([values["bits"]], values["has_code"], quantization)
        values |= {"_store": store, "_holders": holders}
        vars(self).update(values)  # in place of what a view of segments computes

    def first_holders(self, term: int) -> list[int]:
        """The numbers of the first documents that held a term when they were pushed, of those that are there."""
        numbers = [number for number in vars(self)["_holders"][term].tolist() if number >= 0]
        return sorted(row["number"] for row in vars(self)["_store"].select(Numbered(numbers), []))

    def rows_of(self, numbers: int | Rows) -> Rows:
        """The same numbers."""
        return np.atleast_1d(np.asarray(numbers, np.int64))


def searches_alone(store: VectorStore) -> QueryError:
    """The error for what needs more of the documents than a database gives."""
    return QueryError(f"{store.address} serves searches alone; labels, topics, maps and the like need the index itself")


def _bytes(value: Any) -> NDArray[np.uint8]:
    return np.frombuffer(value[0] if isinstance(value, list) else value, np.uint8)


def _floats(value: Any) -> NDArray[np.float16]:
    return np.frombuffer(value[0] if isinstance(value, list) else value, np.float16)


def _sparse(value: Mapping[int, float]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The terms of a document, rising, and the saturation of each."""
    terms = np.fromiter(value.keys(), np.int32, len(value))
    weights = np.fromiter(value.values(), np.float32, len(value))
    order = np.argsort(terms)
    return terms[order], weights[order]
