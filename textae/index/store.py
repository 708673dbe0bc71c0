"""The index on disk: one SQLite file, whose transaction is the commit, beside immutable arrays named by their hash.

    .textae/
      index.sqlite          documents, settings, and which arrays make up the index
      arrays/<sha256>.npy   written and synced before the transaction that names them; memory-mapped when read
      writer.json           who writes, or wrote last: for the message to those who wait

A writer replaces the index, or revises it, inside one transaction that ends with its commit; whatever ends it early
(an error, an interrupt, kill -9, a full disk) leaves the index as it was. Arrays that no commit names are swept by the
next writer. A reader holds one snapshot, the documents of one commit and that commit's arrays, until it is closed.
Every document has a number, which no other one ever gets.
Everything is JSON, text or `.npy` without pickles: an index from a stranger can be wrong, but never code.
`textae.index.database` and `textae.index.directory` open what a stranger may have made.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textae.encoding.arrays import Rows
from textae.errors import NoIndexError, StoreError
from textae.index import records
from textae.index.database import Database, check_disk, damage_is_an_error, open_to_read
from textae.index.records import COLUMNS, Arrays, damaged, digest_of, document_of, fields_of, is_whole, map_array
from textae.types import Document, FieldValue

SETTINGS = "SELECT name, value FROM settings ORDER BY name"
ARRAYS = "SELECT name, sha256, bytes FROM arrays ORDER BY name"
DIGEST = "SELECT sha256 FROM digest"

_ID, _TITLE = "CAST(id AS TEXT)", "CAST(title AS TEXT)"  # a stranger may have stored bytes, which nothing can print

_MOST_SETTINGS = 4 << 20
"""Characters of all settings together; the largest are those of topics and sources."""

_PARAMETERS = 500  # of a statement: SQLite bounds them


class Reader:
    """One commit of an index, unchanging while it is open, whatever writers do meanwhile.

    Args:
        folder: the index.

    Attributes:
        arrays: the commit's arrays by name, memory-mapped.
        settings: what JSON holds of the index: analysis, sources, how it was learned.
        commit: its name, which no other one has.

    Raises:
        StoreError: there is no index, it is of another version, or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = open_to_read(folder)
        try:
            self.arrays: Arrays
            self.settings: Mapping[str, Any]
            self.arrays, self.settings = self._snapshot()
        except BaseException:
            self._database.close()
            raise

    def _snapshot(self) -> tuple[Arrays, Mapping[str, Any]]:
        """Begin the transaction that fixes the commit, and map its arrays; again where a writer came between."""
        while True:
            self._database.execute("BEGIN")
            with damage_is_an_error(self.folder):
                self.commit = _commit(self._database)  # `_rows` compares it where files are read without locks
            version = self._rows("PRAGMA data_version")
            settings, arrays = self._rows(SETTINGS), self._rows(ARRAYS)
            loaded = None
            # A stranger may write numbers, or 30 MB of lists, which take 800 MB.
            texts = all(isinstance(cell, str) for row in settings for cell in row)
            few = texts and sum(len(value) for _, value in settings) <= _MOST_SETTINGS
            if few and self.commit == digest_of(settings, arrays):
                with contextlib.suppress(ValueError, RecursionError):  # JSON that a stranger made
                    loaded = {name: json.loads(value) for name, value in settings}
            if loaded is None:
                raise damaged(self.folder, "its settings or its list of arrays are not what was written")
            try:
                self._hashes = {name: sha256 for name, sha256, _ in arrays}
                directory = self._database.directory.folder("arrays")
                with contextlib.closing(directory), damage_is_an_error(self.folder):
                    return {name: map_array(directory, name, sha256, size) for name, sha256, size in arrays}, loaded
            except FileNotFoundError as error:
                self._database.execute("ROLLBACK")
                if self._rows("PRAGMA data_version") == version:
                    raise damaged(self.folder, f"{Path(error.filename).name} is missing") from None

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with damage_is_an_error(self.folder):
            rows = self._database.rows(statement, parameters)
        if self._database.is_as_opened():
            return rows
        database = open_to_read(self.folder)  # anew: the files were opened without locks, and have changed since
        database.execute("BEGIN")
        if _commit(database) != self.commit:
            database.close()
            raise StoreError(f"another process has changed the index {self.folder}; run the command again")
        self._database.close()
        self._database = database
        return self._rows(statement, parameters)

    def __len__(self) -> int:
        """The number of documents."""
        # `count(*)` would be a single instruction of SQLite's, which no bound interrupts.
        return int(self._rows("SELECT count(number) FROM documents")[0][0])

    def ids(self, numbers: Sequence[int]) -> list[str]:
        """The ids of the documents with these numbers, in their order."""
        id_of = dict(self._select(f"number, {_ID}", "number", list(map(int, numbers))))
        return [id_of[number] for number in numbers]

    def titles(self, ids: Sequence[str]) -> list[str]:
        """The titles of the documents with these ids, in their order."""
        title_of = dict(self._select(f"id, {_TITLE}", "id", ids))
        return [title_of[id] for id in ids]

    def documents(self, numbers: Sequence[int]) -> list[Document]:
        """The documents with these numbers, in their order.

        Raises:
            StoreError: a document is not what was written.
        """
        rows = self._select(COLUMNS, "number", list(map(int, numbers)))
        document_by_number = {row[0]: document_of(row, self.folder) for row in rows}
        return [document_by_number[number] for number in numbers]

    def _select(self, columns: str, key: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Columns of the documents whose key is one of these values, in any order."""
        for first in range(0, len(values), _PARAMETERS):
            part = values[first : first + _PARAMETERS]
            yield from self._rows(f"SELECT {columns} FROM documents WHERE {key} IN ({','.join('?' * len(part))})", part)

    def has(self, id: str) -> bool:
        """Whether a document has this id."""
        return self.number(id) is not None

    def all_ids(self) -> dict[int, str]:
        """Every id, by the document's number."""
        return dict(self._rows(f"SELECT number, {_ID} FROM documents ORDER BY number"))

    def numbers(self) -> Rows:
        """The number of every document, rising."""
        rows = self._database.execute("SELECT number FROM documents ORDER BY number")
        with damage_is_an_error(self.folder):
            return np.fromiter((number for (number,) in rows), np.int64)

    def shapes(self) -> list[list[int] | None]:
        """The different shapes of the documents' pictures; None among them where a document is a text."""
        rows = self._rows("SELECT DISTINCT substr(picture, 1, 12) FROM documents")
        return [None if header is None else list(records.shape_of(header)) for (header,) in rows]

    def ids_and_titles(self) -> tuple[list[str], list[str]]:
        """The id of every document, and its title, in the order of the numbers."""
        rows = self._rows(f"SELECT {_ID}, {_TITLE} FROM documents ORDER BY number")
        return [id for id, _ in rows], [title for _, title in rows]

    def content(self, id: str) -> bytes | None:
        """The content hash of the document with this id; None where there is none."""
        content: bytes | None = self._value("content", id)
        return content

    def contents(self, origin: str) -> dict[str, tuple[bytes, int]]:
        """The content hash of each document of an origin, and its `where_hash`, by id."""
        rows = self._rows("SELECT id, content, source, places FROM documents WHERE origin = ?", (origin,))
        return {id: (content, records.where_hash(source, places)) for id, content, source, places in rows}

    def stream(self) -> Iterator[Document]:
        """Every document, by number.

        Raises:
            StoreError: a document is not what was written.
        """
        for row in self._rows_of_documents():
            yield document_of(row, self.folder)

    def _rows_of_documents(self) -> Iterator[tuple[Any, ...]]:
        with damage_is_an_error(self.folder):
            for row in self._database.stream(f"SELECT {COLUMNS} FROM documents ORDER BY number"):
                if not self._database.is_as_opened():
                    raise StoreError(f"another process has changed the index {self.folder}; run the command again")
                yield row

    def field(self, name: str) -> dict[str, FieldValue]:
        """One field of every document, by id, in the order of the numbers; None where a document has no such field."""
        rows = self._rows(f"SELECT {_ID}, fields FROM documents ORDER BY number")
        return {id: fields_of(fields, self.folder).get(name) for id, fields in rows}

    def is_same(self, other: "Reader", *prefixes: str) -> bool:
        """Whether another commit has the same arrays under all names with one of these prefixes."""
        differing = dict(self._hashes.items() ^ other._hashes.items())
        return not any(name.startswith(prefixes) for name in differing)

    def number(self, id: str) -> int | None:
        """The number of the document with this id; None where there is none."""
        number: int | None = self._value("number", id)
        return number

    def _value(self, column: str, id: str) -> Any:
        """A column of the document with this id; None where there is none."""
        if any("\ud800" <= character <= "\udfff" for character in id):  # half of a surrogate pair cannot be stored
            return None
        return next((value for (value,) in self._select(column, "id", [id])), None)

    def is_current(self) -> bool:
        """Whether this is still the last commit."""
        return last_commit(self.folder) == self.commit

    def damage(self) -> list[str]:
        """What is wrong with the files, a line each, by every page and the hash of every document and array.

        The settings and the list of arrays were checked when the reader was made.
        """
        damage = [str(row[0]) for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]
        if damage:
            check_disk(self.folder)
        for row in self._rows_of_documents():
            if not is_whole(row):
                damage.append(f"the document {row[1]!r} is not what was written")
        if len(self) != (stated := self.settings.get("documents")):
            damage.append(f"of {stated} documents there are {len(self)}")
        return damage + [
            f"the array {name!r} is not what was written" for name in self.arrays if not self.is_written(name)
        ]

    def is_written(self, name: str) -> bool:
        """Whether every byte of an array is what was written."""
        whole_file: Any = self.arrays[name].base  # as it was mapped; its name may be gone with its commit
        sha256: str = self._hashes[name]
        return hashlib.sha256(whole_file).hexdigest() == sha256

    def close(self) -> None:
        """Let go of the snapshot."""
        self._database.close()


def has_index(folder: Path) -> bool:
    """Whether there is an index that was finished, also one that is damaged or of another version."""
    try:
        open_to_read(folder).close()
    except NoIndexError:
        return False
    except StoreError:
        return True
    return True


def last_commit(folder: Path) -> str:
    """The name of the last commit of an index.

    Raises:
        StoreError: there is no index, or it is of another version.
    """
    with contextlib.closing(open_to_read(folder)) as database, damage_is_an_error(folder):
        return _commit(database)


def _commit(database: Database) -> str:
    return "".join(str(sha256) for (sha256,) in database.rows(DIGEST))
