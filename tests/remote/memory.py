"""A vector database in memory: what serving asks of a database, and no more; for tests without Milvus."""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from textae.errors import StoreError
from textae.remote.conditions import AllOf, AnyOf, Between, Has, Known, Named, Not, Numbered, Predicate
from textae.remote.vector_store import BITS, Found, Row, Sparse

SCHEME = "memory://"


class Memory:
    """The database at an address; all clients of an address share it."""

    _databases: ClassVar[dict[str, dict[str, Any]]] = {}

    def __init__(self, address: str, *, is_new: bool = False) -> None:
        self.address, self._commit = address, ""
        empty: dict[str, Any] = {"manifest": None, "files": {}, "commits": {}}
        self._held = self._databases.setdefault(address, empty) if is_new else self._databases.get(address, empty)

    @property
    def rows(self) -> dict[int, dict[str, Any]]:
        """The documents of the commit in use, by number."""
        rows: dict[int, dict[str, Any]] = self._held["commits"].setdefault(self._commit, {})
        return rows

    def manifest(self) -> Mapping[str, Any]:
        if self._held["manifest"] is None:
            raise StoreError(f"{self.address} holds no index")
        manifest: Mapping[str, Any] = self._held["manifest"]
        return manifest

    def use(self, commit: str) -> None:
        self._commit = commit

    def nearest(
        self, column: str, vector: bytes | Sparse, k: int, where: Predicate | None, columns: Sequence[str] = ()
    ) -> Found:
        if column == BITS:
            query = np.frombuffer(vector, np.uint8)
            distances = {
                number: float(np.bitwise_count(query ^ np.frombuffer(row[BITS], np.uint8)).sum())
                for number, row in self._meeting(where)
            }
            best = heapq.nsmallest(k, distances.items(), lambda one: one[1])
        else:
            products = {
                number: float(sum(weight * row[column].get(term, 0.0) for term, weight in dict(vector).items()))
                for number, row in self._meeting(where)
            }
            best = heapq.nlargest(k, ((number, score) for number, score in products.items() if score > 0), _score)
        numbers, scores = (np.array([one[i] for one in best], kind) for i, kind in ((0, np.int64), (1, np.float64)))
        return Found(numbers, scores, [self._shown(number, columns) for number in numbers.tolist()])

    def select(self, where: Predicate, columns: Sequence[str]) -> list[dict[str, Any]]:
        return [self._shown(number, columns) for number, _ in self._meeting(where)]

    def read_file(self, sha256: str) -> bytes:
        content: bytes = self._held["files"].get(sha256, b"")
        return content

    def begin(self, commit: str, n_bytes: int, dims: int) -> None:
        self.use(commit)

    def has(self, numbers: Sequence[int]) -> set[int]:
        return set(numbers) & self.rows.keys()

    def insert(self, rows: Iterable[Row]) -> None:
        self.rows.update((row.number, vars(row)) for row in rows)

    def write_file(self, sha256: str, content: bytes) -> None:
        self._held["files"][sha256] = content

    def publish(self, manifest: Mapping[str, Any]) -> None:
        kept = {self._commit, (self._held["manifest"] or manifest)["commit"]}
        self._held["manifest"] = manifest
        self._held["commits"] = {name: rows for name, rows in self._held["commits"].items() if name in kept}

    def close(self) -> None:
        pass

    def _shown(self, number: int, columns: Sequence[str]) -> dict[str, Any]:
        return {"number": number, **{name: self.rows[number][name] for name in columns}}

    def _meeting(self, where: Predicate | None) -> Iterator[tuple[int, dict[str, Any]]]:
        return ((number, row) for number, row in self.rows.items() if where is None or _meets(row, where))


def _score(found: tuple[int, float]) -> float:
    return found[1]


def _meets(row: Mapping[str, Any], where: Predicate) -> bool:
    match where:
        case Has(column, numbers):
            return not set(row[column]).isdisjoint(numbers)
        case Between(field, kind, n, low, high):
            return any(low <= value < high for value in row["values"].get(field, {}).get(kind, [])[:n])
        case Numbered(numbers):
            return row["number"] in numbers
        case Named(id):
            return bool(row["id"] == id)
        case Known():
            return bool(row["has_code"])
        case AllOf(parts):
            return all(_meets(row, part) for part in parts)
        case AnyOf(parts):
            return any(_meets(row, part) for part in parts)
        case Not(part):
            return not _meets(row, part)
