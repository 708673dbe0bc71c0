"""An index whose documents a vector database holds, as a `Snapshot`: rows are the numbers of documents."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Rows
from textae.encoding.bags import Tokens
from textae.encoding.encoders import Codes, Quantization
from textae.errors import QueryError, StoreError
from textae.index.modality import Modality, served
from textae.index.postings import Statistics
from textae.index.records import damaged, document_of
from textae.index.segments import Segment
from textae.index.snapshot import CorpusView, Snapshot
from textae.index.store import Reader
from textae.remote.conditions import Named, Numbered
from textae.remote.push import FORMAT, FREQUENCIES, HOLDING, USUAL
from textae.remote.vector_store import BITS, WORDS, VectorStore
from textae.types import Document

V = TypeVar("V")

_KEPT = 1 << 14
"""Rows of a column that a client keeps."""

_FILE = re.compile(r"index\.sqlite|arrays/[0-9a-f]{64}\.npy")
_MOST_FILES = 10_000

_COLUMNS = ("id", "title", "text", "fields", "rest")


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
        for first in range(0, len(missing), _AT_A_TIME):
            some = Numbered(missing[first : first + _AT_A_TIME])
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
        raise _searches_alone(self._store)


_AT_A_TIME = 1_000


class Always:
    """A column of which every value is true."""

    def take(self, rows: Rows) -> NDArray[np.bool_]:
        """True for each row."""
        return np.ones(len(rows), bool)


class Identity:
    """The numbers of documents whose rows are their numbers."""

    def __init__(self, n: int) -> None:
        self._n = n

    def __len__(self) -> int:
        """The number of documents."""
        return self._n

    def take(self, rows: Rows) -> Rows:
        """The same rows."""
        return rows


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
        all_known: whether each document has a code.
    """

    def __init__(
        self, store: VectorStore, statistics: Statistics, quantization: Quantization,
        *, with_floats: bool, all_known: bool,
    ) -> None:  # fmt: skip
        super().__init__((), None if with_floats else quantization)
        dims, n_bits = quantization.rotation.shape
        values: dict[str, Any] = {
            "statistics": statistics,
            "doc_numbers": Identity(statistics.n),
            "alive": None,
            "bits": RemoteColumn(store, BITS, _bytes, statistics.n, np.empty((0, n_bits // 8), np.uint8)),
            "floats": RemoteColumn(store, "floats", _floats, statistics.n, np.empty((0, dims), np.float16)),
            "has_code": Always()
            if all_known
            else RemoteColumn(store, "has_code", bool, statistics.n, np.empty(0, bool)),
            "words": RemoteColumn(store, WORDS, _sparse, statistics.n, np.empty(0)),
        }
        if all_known:
            values["has_code"] = Always()
        if not with_floats:
            from textae.index.decoded_bits import DecodedBits

            values["floats"] = DecodedBits([values["bits"]], values["has_code"], quantization)
        vars(self).update(values)  # in place of what a view of segments computes

    def rows_of(self, numbers: int | Rows) -> Rows:
        """The same numbers."""
        return np.atleast_1d(np.asarray(numbers, np.int64))


def _searches_alone(store: VectorStore) -> QueryError:
    return QueryError(f"{store.address} serves searches alone; topics, maps and the like need the index itself")


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


class RemoteReader(Reader):
    """The documents of a database, beside the small index with the model.

    Args:
        folder: of the small index.
        store: of the documents.
    """

    def __init__(self, folder: Path, store: VectorStore) -> None:
        super().__init__(folder)
        self.store = store
        with contextlib.suppress(KeyError, TypeError):  # what a snapshot then refuses
            self.commit = str(self.settings["remote"]["commit"])

    def __len__(self) -> int:
        """The number of documents that were pushed."""
        return int(self.settings["remote"]["documents"])

    def ids(self, numbers: Sequence[int]) -> list[str]:
        """The ids of the documents with these numbers, in their order."""
        rows = self._rows_at(numbers, ["id"])
        return [rows[number]["id"] for number in map(int, numbers)]

    def documents(self, numbers: Sequence[int]) -> list[Document]:
        """The documents with these numbers, in their order."""
        rows = self._rows_at(numbers, _COLUMNS)
        return [document_of(self._stored(rows[number]), self.folder) for number in map(int, numbers)]

    def number(self, id: str) -> int | None:
        """The number of the document with this id."""
        rows = self.store.select(Named(id), [])
        return rows[0]["number"] if rows else None

    def has(self, id: str) -> bool:
        """Whether a document has this id."""
        return self.number(id) is not None

    def all_ids(self) -> dict[int, str]:
        """Every id, by the document's number."""
        return {row["number"]: row["id"] for row in self._every(["id"])}

    def field(self, name: str) -> dict[str, Any]:
        """One field of every document, by id."""
        return {row["id"]: json.loads(row["fields"]).get(name) for row in self._every(["id", "fields"])}

    def stream(self) -> Iterator[Document]:
        """Every document, by number."""
        for row in self._every(_COLUMNS):
            yield document_of(self._stored(row), self.folder)

    def damage(self) -> list[str]:
        """What is wrong with the small index; the database checks its own files."""
        return [f"the array {name!r} is not what was written" for name in self.arrays if not self.is_written(name)]

    def is_current(self) -> bool:
        """Whether this is still what was published last."""
        return bool(self.store.manifest()["commit"] == self.commit)

    def close(self) -> None:
        """Let go of the database."""
        super().close()
        self.store.close()

    def _every(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Columns of every document, by number, a thousand numbers at a time."""
        for first in range(0, int(self.settings["remote"]["next_number"]), _AT_A_TIME):
            some = self.store.select(Numbered(range(first, first + _AT_A_TIME)), columns)
            yield from sorted(some, key=lambda row: row["number"])

    def _rows_at(self, numbers: Sequence[int], columns: Sequence[str]) -> dict[int, dict[str, Any]]:
        rows: dict[int, dict[str, Any]] = {}
        wanted = list(map(int, numbers))
        for first in range(0, len(wanted), _AT_A_TIME):
            some = self.store.select(Numbered(wanted[first : first + _AT_A_TIME]), columns)
            rows |= {row["number"]: row for row in some}
        if len(rows) < len(set(wanted)):
            raise StoreError(f"documents were removed from {self.store.address} meanwhile; search again")
        return rows

    def _stored(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """A row as `textae.index.records` checks it."""
        try:
            source, origin, places, content, sha256 = json.loads(row["rest"])
            hashes = bytes.fromhex(content), bytes.fromhex(sha256)
        except (ValueError, TypeError, RecursionError):
            raise damaged(self.folder, f"the document {row['id']!r} is not what was written") from None
        return row["number"], row["id"], row["title"], row["text"], row["fields"], source, origin, places, None, *hashes


class RemoteSnapshot(Snapshot):
    """One commit that was pushed.

    Args:
        store: that holds it.

    Raises:
        StoreError: nothing was pushed, by another version, or what is there is not what was pushed.
    """

    reader: RemoteReader

    def __init__(self, store: VectorStore) -> None:
        manifest = store.manifest()
        if manifest.get("format") != FORMAT:
            raise StoreError(
                f"{store.address} was pushed by another version of textae; push the index again with this one"
            )
        super().__init__(RemoteReader(_model(store, manifest), store))
        remote: Any = self.reader.settings.get("remote")
        self.store, self.remote = store, remote
        stored = [self.arrays.get(name) for name in (FREQUENCIES, HOLDING, USUAL)]
        n_terms, n_inputs = len(self.model.vectorizer.vocabulary), len(self.text_encoder.words)
        if not isinstance(self.remote, dict) or self.remote.keys() < _REMOTE:
            raise damaged(self.reader.folder, "it says nothing of what was pushed")
        if any(array is None or len(array) != n for array, n in zip(stored, (n_terms, n_terms, n_inputs), strict=True)):
            raise damaged(self.reader.folder, "what it holds of the corpus does not fit its terms")
        store.use(self.reader.commit)

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """None: the database holds the documents."""
        return ()

    @cached_property
    def documents(self) -> RemoteView:
        """The documents."""
        statistics = StoredStatistics(
            self.arrays[FREQUENCIES], self.remote["documents"], float(self.remote["mean_length"])
        )
        planes = self.model.encoder.quantization
        floats, known = self.modality.stores_floats, bool(self.remote["all_known"])
        return RemoteView(self.store, statistics, planes, with_floats=floats, all_known=known)

    @cached_property
    def searched(self) -> RemoteView:
        """The documents."""
        return self.documents

    @cached_property
    def modality(self) -> Modality:
        """Texts, with the systems that a database serves."""
        return served(super().modality)

    @cached_property
    def usual_words(self) -> NDArray[np.float64]:
        """How likely the decoder finds each word over all documents: (n_terms,)."""
        return self.arrays[USUAL]

    @cached_property
    def codes(self) -> Codes:
        """Not there: a client does not hold the codes of all documents.

        Raises:
            QueryError: always.
        """
        raise _searches_alone(self.store)

    @cached_property
    def field_names(self) -> set[str]:
        """The fields that a document has."""
        return set(self.remote["fields"])

    def first_holders(self, term: int) -> list[int]:
        """The numbers of the first documents that held a term when they were pushed."""
        numbers = self.arrays[HOLDING][term].tolist()
        there = self.store.select(Numbered([number for number in numbers if number >= 0]), [])
        return sorted(row["number"] for row in there)

    def tokens_of(self, numbers: Sequence[int]) -> Tokens:
        """The words of the documents of these numbers, read from their texts again."""
        return self.model.vectorizer.tokens(map(searchable, self.reader.documents(numbers)))


_REMOTE = {"commit", "documents", "next_number", "mean_length", "fields", "widths", "terms_are_whole", "all_known"}


def _model(store: VectorStore, manifest: Mapping[str, Any]) -> Path:
    """The folder with the small index, from the cache of this user, or read now; every file by its hash."""
    files = manifest.get("files")
    if not isinstance(files, dict) or len(files) > _MOST_FILES or not all(map(_FILE.fullmatch, files)):
        raise StoreError(f"{store.address} lists files that textae does not write; push the index again")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "textae" / "remote"
    name = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    folder = home / name
    if folder.is_dir():
        return folder
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = Path(tempfile.mkdtemp(dir=home))
    try:
        (temporary / "arrays").mkdir()
        for file, sha256 in files.items():
            content = store.read_file(str(sha256))
            if hashlib.sha256(content).hexdigest() != sha256:
                raise StoreError(f"{file} of {store.address} is not what was pushed; push the index again")
            (temporary / file).write_bytes(content)
        os.replace(temporary, folder)  # noqa: PTH105
    except OSError:
        if not folder.is_dir():  # of another client that was sooner
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder
