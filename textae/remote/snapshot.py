"""An index whose documents a vector database holds, as a `Snapshot`: rows are the numbers of documents."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import searchable
from textae.encoding.bags import Tokens
from textae.encoding.encoders import Codes
from textae.errors import StoreError
from textae.index.modality import Modality, served
from textae.index.records import damaged, document_of
from textae.index.segments import Segment
from textae.index.snapshot import Snapshot
from textae.index.store import Reader
from textae.remote.conditions import Named, Numbered
from textae.remote.push import FORMAT, FREQUENCIES, HOLDING, USUAL
from textae.remote.vector_store import VectorStore
from textae.remote.view import AT_A_TIME, RemoteView, StoredStatistics, searches_alone
from textae.types import Document

_FILE = re.compile(r"index\.sqlite|arrays/[0-9a-f]{64}\.npy")
_MOST_FILES = 10_000

_COLUMNS = ("id", "title", "text", "fields", "rest")


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

    def contents(self, origin: str) -> NoReturn:
        """Not there: a database does not know the sources of documents.

        Raises:
            QueryError: always.
        """
        raise searches_alone(self.store)

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
        for first in range(0, int(self.settings["remote"]["next_number"]), AT_A_TIME):
            some = self.store.select(Numbered(range(first, first + AT_A_TIME)), columns)
            yield from sorted(some, key=lambda row: row["number"])

    def _rows_at(self, numbers: Sequence[int], columns: Sequence[str]) -> dict[int, dict[str, Any]]:
        rows: dict[int, dict[str, Any]] = {}
        wanted = list(map(int, numbers))
        for first in range(0, len(wanted), AT_A_TIME):
            some = self.store.select(Numbered(wanted[first : first + AT_A_TIME]), columns)
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
        holders = self.arrays[HOLDING]
        return RemoteView(self.store, statistics, planes, holders, with_floats=floats, all_known=known)

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
    def classifier(self) -> NoReturn:
        """Not there: a push leaves it out.

        Raises:
            QueryError: always.
        """
        raise searches_alone(self.store)

    @cached_property
    def codes(self) -> Codes:
        """Not there: a client does not hold the codes of all documents.

        Raises:
            QueryError: always.
        """
        raise searches_alone(self.store)

    @cached_property
    def field_names(self) -> set[str]:
        """The fields that a document has."""
        return set(self.remote["fields"])

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
