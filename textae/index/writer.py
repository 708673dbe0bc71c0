"""Writing an index: replace it, or change it, in one transaction that ends with the commit."""

import contextlib
import hashlib
import json
import os
import re
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from textae.errors import NotWritableError, StoreError
from textae.files import sync_folder
from textae.index import records
from textae.index.database import (
    APPLICATION_ID,
    FORMAT,
    TABLES,
    WAIT_FOR_LOCK,
    check_disk,
    check_schema,
    code_of,
    open_to_read,
    open_to_write,
    schema_of,
)
from textae.index.directory import Directory
from textae.index.log import Log
from textae.index.records import Arrays, damaged
from textae.index.store import ARRAYS, SETTINGS
from textae.index.uninterrupted import uninterrupted
from textae.types import Document

_SWEPT = re.compile(r"[0-9a-f]{64}\.npy|[0-9]+\.part")  # nothing else in the folder of the arrays is ever deleted

_WRITER, _LONGEST = "writer.json", 1_000
"""Who writes, or wrote last: the name of the note, and the bytes of it that are read."""

_MOST = 1 << 62  # SQLite's numbers end at 2⁶³


class Writer:
    """Replaces the whole index, in one transaction that `commit` ends; used as a context manager.

    Args:
        folder: the index; made where there is none.

    Raises:
        StoreError: another process is writing, or the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with failures_are_errors(folder):
            self._database = open_to_write(folder, WAIT_FOR_LOCK)
        try:
            with failures_are_errors(folder):
                self._begin()
        except BaseException as error:
            if self._database.in_transaction:  # otherwise another one is writing, or this is no index
                self.__exit__(type(error), error, None)
            self._database.close()
            raise

    def _begin(self) -> None:
        self._folder = self._database.directory
        self._arrays = self._folder.folder("arrays", make=True)
        self._log = Log(self._database)
        self._sweep()  # what a writer left that did not live to commit
        note = {"process": os.getpid(), "command": sys.argv[1] if len(sys.argv) > 1 else "", "since": int(time.time())}
        with contextlib.suppress(OSError):  # a courtesy to those who wait, no part of the index
            temporary = f"{os.getpid()}.part"
            with records.new_file(self._arrays, temporary) as file:
                file.write(json.dumps(note).encode())
            self._arrays.replace(temporary, self._folder, _WRITER)
        self._documents, self._next, self._history = self._prepare()

    def _prepare(self) -> tuple[int, int, str]:
        """Make empty tables; returns the number of documents in them, the next document's number, and the history."""
        # A page that is dropped is overwritten, so that one that is linked again and again is not dropped again.
        self._database.execute("PRAGMA secure_delete = ON")
        for table in self._tables():
            self._database.execute(f'DROP TABLE "{table}"')
        for statement in TABLES.values():
            self._database.execute(statement)
        self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._database.execute(f"PRAGMA user_version = {FORMAT}")
        return 0, 0, ""

    def _tables(self) -> list[str]:
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
        return [name for (name,) in self._database.execute(tables)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Without a commit, everything is as it was."""
        with uninterrupted():
            with contextlib.suppress(sqlite3.Error):
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                    if error is not None:
                        error.add_note("the index is as it was before")
            with contextlib.suppress(sqlite3.Error, OSError):
                # Under the lock: the next writer may have begun, and its arrays are named by no commit yet.
                self._database.execute("PRAGMA busy_timeout = 0")
                self._database.execute("BEGIN IMMEDIATE")
                self._sweep()
                self._folder.remove(_WRITER)
            self._arrays.close()
            self._database.close()

    def __len__(self) -> int:
        """The number of documents."""
        return self._documents

    def add(self, document: Document) -> int | None:
        """Add a document, and return its number; None, and nothing added, where its id is taken."""
        row = records.row_of(document, self._next)
        insert = (
            f"INSERT INTO documents VALUES ({', '.join('?' * len(row))}) ON CONFLICT (id) DO NOTHING RETURNING number"
        )
        if not self._execute(insert, row):
            return None
        self._remember(row[-1])
        self._documents += 1
        self._next += 1
        return self._next - 1

    def documents(self, first: int, last: int) -> Iterator[Document]:
        """The documents in this transaction whose numbers are from first to before last, in their order."""
        with failures_are_errors(self.folder):
            rows = self._database.stream(
                f"SELECT {records.COLUMNS} FROM documents WHERE number >= ? AND number < ? ORDER BY number",
                (first, last),
            )
            yield from (records.document_of(row, self.folder) for row in rows)

    def move(self, document: Document) -> None:
        """Note where a document with this id and this content is now, in its file."""
        ((number,),) = self._execute("SELECT number FROM documents WHERE id = ?", (document.id,))
        row = records.row_of(document, number)
        where = document.source, records.places_json(document.places), row[-1]
        self._execute("UPDATE documents SET source = ?, places = ?, sha256 = ? WHERE number = ?", (*where, number))
        self._remember(row[-1])

    def remove(self, ids: Sequence[str]) -> list[int]:
        """Remove the documents with these ids, and return their numbers; ids of no document are ignored."""
        delete = "DELETE FROM documents WHERE id = ? RETURNING number"
        numbers = [number for id in ids for (number,) in self._execute(delete, (id,))]
        if numbers:
            self._remember(repr(numbers).encode())
        self._documents -= len(numbers)
        return numbers

    def _remember(self, change: bytes) -> None:
        """Hash a change into the history, so that commits of other documents differ, though all arrays are the same."""
        self._history = hashlib.sha256(self._history.encode() + change).hexdigest()

    def _execute(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with failures_are_errors(self.folder):
            return self._database.execute(statement, parameters).fetchall()

    @property
    def next_number(self) -> int:
        """The number of the next document."""
        return self._next

    def put_all(self, prefix: str, arrays: Arrays) -> None:
        """Write arrays to disk as `put` does, their names behind a prefix."""
        for name, array in arrays.items():
            self.put(prefix + name, array)

    def put(self, name: str, array: NDArray[Any]) -> None:
        """Write an array to disk, to be part of the index from the commit on."""
        with failures_are_errors(self.folder):
            sha256, size = records.write_array(self._arrays, array)
        self._execute("REPLACE INTO arrays VALUES (?, ?, ?)", (name, sha256, size))

    def arrays(self, prefix: str) -> Arrays:
        """The arrays in this transaction with a prefix, memory-mapped; their names without the prefix."""
        return {
            name.removeprefix(prefix): records.map_array(self._arrays, name, sha256, size)
            for name, sha256, size in self._execute(ARRAYS)
            if name.startswith(prefix)
        }

    def check(self, *prefixes: str) -> None:
        """Check, byte by byte, that the arrays with these prefixes are what was written.

        Arrays that are computed from damaged ones would be damaged too, with a hash that fits.

        Raises:
            StoreError: an array is not what was written.
        """
        with failures_are_errors(self.folder):
            for name, sha256, _ in self._execute(ARRAYS):
                if name.startswith(prefixes) and records.file_hash(self._arrays, f"{sha256}.npy") != sha256:
                    raise damaged(self.folder, f"the array {name!r} is not what was written")

    def set(self, name: str, value: Any) -> None:
        """Set what JSON can hold, to be part of the index from the commit on."""
        self._execute("REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value, ensure_ascii=False)))

    def drop(self, prefix: str) -> None:
        """Drop the arrays and settings with a prefix from the next commit; those put later stay."""
        for table in ("arrays", "settings"):
            self._execute(f"DELETE FROM {table} WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))

    def commit(self) -> None:
        """Make all of it the index, at once."""
        self.set("documents", self._documents)
        self.set("next_number", self._next)
        self.set("history", self._history)
        digest = records.digest_of(self._execute(SETTINGS), self._execute(ARRAYS))
        self._execute("DELETE FROM digest")
        self._execute("INSERT INTO digest VALUES (?)", (digest,))
        with failures_are_errors(self.folder):
            self._arrays.sync()
            self._folder.sync()
            sync_folder(self.folder.resolve().parent)
        try:
            self._execute("COMMIT")
        except StoreError:
            with uninterrupted():
                if self._database.in_transaction or self._log.take_back():  # one that goes on wrote no commit
                    raise
            raise NotWritableError(
                f"the disk of {self.folder} failed in the last step of a commit; the index is the old one or the new "
                f"one: 'textae info' tells which, and 'textae doctor' checks it"
            ) from None

    def _sweep(self) -> None:
        """Delete the arrays that nothing names. Readers that have mapped them keep them."""
        tables = self._database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'arrays'").fetchall()
        named = {row[0] for row in self._database.execute("SELECT sha256 FROM arrays")} if tables else set()
        for name in self._arrays.names():
            if name.removesuffix(".npy") not in named and _SWEPT.fullmatch(name):
                status = self._arrays.status(name)
                if status and not stat.S_ISDIR(status.st_mode):  # no writer leaves a folder
                    self._arrays.remove(name)


class UpdateWriter(Writer):
    """Changes the index that is there, in one transaction as a `Writer` does: what is not put or set anew stays.

    Args:
        folder: the index.

    Raises:
        StoreError: there is no index, it is damaged or of another version, another process is writing, or the folder
            cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        open_to_read(folder).close()  # a writer would make a folder, or clear away another version's tables
        super().__init__(folder)

    def _prepare(self) -> tuple[int, int, str]:
        check_schema(schema_of(self._database), self.folder)  # again, now that nobody else writes
        ((documents,),) = self._database.rows("SELECT count(number) FROM documents")
        settings = dict(self._database.rows(SETTINGS))
        with contextlib.suppress(KeyError, TypeError, ValueError, RecursionError):  # a stranger may have written it
            following, history = int(settings["next_number"]), str(json.loads(settings.get("history", '""')))
            if 0 <= following < _MOST:
                return documents, following, history
        raise damaged(self.folder, "its settings are not what was written")

    def keep_only(self, *prefixes: str) -> None:
        """Drop all arrays and settings from the next commit but those with these prefixes, and those put later.

        Arrays that a later version learned, and this one does not know, go too.
        """
        for table in ("arrays", "settings"):
            for (name,) in self._execute(f"SELECT name FROM {table}"):
                if not name.startswith(prefixes):
                    self._execute(f"DELETE FROM {table} WHERE name = ?", (name,))


def _who_writes(folder: Path) -> str:
    with contextlib.suppress(OSError, StoreError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        with Directory(folder).open(_WRITER) as file:
            note = json.loads(file.read(_LONGEST))
        since = time.strftime("%H:%M:%S", time.localtime(int(note["since"])))
        command = re.sub("[^a-z]", "", str(note["command"]))[:20]  # a stranger may have written it
        return f"another textae{f' ({command})' if command else ''}, process {int(note['process'])}, since {since},"
    return "another textae"


@contextlib.contextmanager
def failures_are_errors(folder: Path) -> Iterator[None]:
    """Raise a `StoreError` where the index cannot be written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"{_who_writes(folder)} is writing to {folder}; try again when it has finished") from None
        if code_of(error) in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CORRUPT):
            check_disk(folder)
            why = "its pages are linked in circles" if code_of(error) == sqlite3.SQLITE_INTERRUPT else error
            raise damaged(folder, str(why)) from None
        raise NotWritableError(f"cannot write the index {folder}: {error}; it is as it was before") from None
    except sqlite3.DatabaseError as error:
        check_disk(folder)
        raise StoreError(
            f"{folder / 'index.sqlite'} is damaged or no index ({error}); delete it, or give another --index"
        ) from None
    except OSError as error:  # numpy's have no strerror
        why = error.strerror or "the disk took only a part of what was written"
        raise NotWritableError(f"cannot write the index {folder}: {why}; it is as it was before") from None
