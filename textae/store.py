"""The index on disk: one SQLite file, whose transaction is the commit, beside immutable arrays named by their hash.

    .textae/
      index.sqlite          documents, settings, and which arrays make up the index
      arrays/<sha256>.npy   written and synced before the transaction that names them; memory-mapped when read

A writer replaces the index, or revises it, inside one transaction that ends with its commit; whatever ends it early
(an error, an interrupt, kill -9, a full disk) leaves the index as it was. Arrays that no commit names are swept by the
next writer. A reader holds one snapshot, the documents of one commit and that commit's arrays, until it is closed.
Everything is JSON, text or `.npy` without pickles: an index from a stranger can be wrong, but never code.
"""

import contextlib
import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tokenize import TokenError
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from textae.errors import StoreError
from textae.types import Document, FieldValue

FORMAT = 2
"""The version of what is described here; another one is refused, with the command that rebuilds the index."""

APPLICATION_ID = 0x74786165  # "txae"; tells our file from any other SQLite database
WAIT_FOR_LOCK = 5.0
"""Seconds that a second writer waits for the first."""

_SCHEMA = """
CREATE TABLE documents (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
                        text TEXT NOT NULL, fields TEXT NOT NULL, source TEXT NOT NULL,
                        sha256 BLOB NOT NULL);
CREATE TABLE arrays (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE digest (sha256 TEXT NOT NULL);
"""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OURS = re.compile(r"[0-9a-f]{64}\.npy|[0-9]+\.part")  # nothing else in the folder of the arrays is ever deleted

_SETTINGS = "SELECT name, value FROM settings ORDER BY name"
_ARRAYS = "SELECT name, sha256, bytes FROM arrays ORDER BY name"
_PARAMETERS = 500  # of a statement: SQLite bounds them

Arrays = Mapping[str, NDArray[Any]]


class Reader:
    """One commit of an index, unchanging while it is open, whatever writers do meanwhile.

    Args:
        folder: the index.

    Attributes:
        arrays: the commit's arrays by name, memory-mapped.
        settings: what JSON holds of the index: analysis, sources, how it was learned.

    Raises:
        StoreError: there is no index, it is of another version, or it is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = _connect(folder)
        try:
            self.arrays, self.settings = self._snapshot()
        except BaseException:
            self._database.close()
            raise

    def _snapshot(self) -> tuple[Arrays, Mapping[str, Any]]:
        """Begin the transaction that fixes what is seen, and map its arrays; again where a writer came between."""
        while True:
            self._database.execute("BEGIN")
            commit = self._rows("PRAGMA data_version")
            settings, named = self._digested()
            try:
                return {name: _map(self.folder, name, sha256, size) for name, sha256, size in named}, settings
            except FileNotFoundError as error:
                self._database.execute("ROLLBACK")
                if self._rows("PRAGMA data_version") == commit:
                    raise _damaged(self.folder, f"{Path(error.filename).name} is missing") from None

    def _digested(self) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
        """The settings, and the name, hash and size of every array, after they were found to be what was written."""
        settings, arrays = self._rows(_SETTINGS), self._rows(_ARRAYS)
        if self._rows("SELECT sha256 FROM digest") == [(_digest(settings, arrays),)]:
            with contextlib.suppress(ValueError, RecursionError):  # JSON that a stranger made
                return {name: json.loads(value) for name, value in settings}, arrays
        raise _damaged(self.folder, "its settings or its list of arrays are not what was written")

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _damage_is_an_error(self.folder):
            return self._database.execute(statement, parameters).fetchall()

    def __len__(self) -> int:
        """The number of documents."""
        return int(self._rows("SELECT count(*) FROM documents")[0][0])

    def ids(self, positions: Sequence[int]) -> list[str]:
        """The ids at these positions, in their order."""
        id_at = dict(self._select("position, id", positions))
        return [id_at[position] for position in positions]

    def documents(self, positions: Sequence[int]) -> list[Document]:
        """The documents at these positions, in their order."""
        found = {
            row[0]: _document(row[1:]) for row in self._select("position, id, title, text, fields, source", positions)
        }
        return [found[position] for position in positions]

    def _select(self, columns: str, positions: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        for first in range(0, len(positions), _PARAMETERS):
            part = [int(position) for position in positions[first : first + _PARAMETERS]]
            marks = ",".join("?" * len(part))
            yield from self._rows(f"SELECT {columns} FROM documents WHERE position IN ({marks})", part)

    def all_ids(self) -> list[str]:
        """Every id, by position."""
        return [row[0] for row in self._rows("SELECT id FROM documents ORDER BY position")]

    def stream(self) -> Iterator[Document]:
        """Every document, by position."""
        with _damage_is_an_error(self.folder):
            for row in self._database.execute(
                "SELECT id, title, text, fields, source FROM documents ORDER BY position"
            ):
                yield _document(row)

    def field(self, name: str) -> dict[str, FieldValue]:
        """One field of every document, by id; None where a document has no such field."""
        return {id: json.loads(fields).get(name) for id, fields in self._rows("SELECT id, fields FROM documents")}

    def position(self, id: str) -> int | None:
        """The position of the document with this id; None where there is none."""
        if not _can_be_stored(id):
            return None
        rows = self._rows("SELECT position FROM documents WHERE id = ?", (id,))
        return rows[0][0] if rows else None

    def titles(self, ids: Sequence[str]) -> list[str]:
        """The titles of the documents with these ids, in their order."""
        title_of: dict[str, str] = {}
        for first in range(0, len(ids), _PARAMETERS):
            part = ids[first : first + _PARAMETERS]
            marks = ",".join("?" * len(part))
            title_of |= dict(self._rows(f"SELECT id, title FROM documents WHERE id IN ({marks})", part))
        return [title_of[id] for id in ids]

    def damage(self) -> list[str]:
        """What is wrong with the files, a line each: each page, each document's hash and each array's is checked.

        The settings and the list of arrays were checked when the reader was made.
        """
        found = [str(row[0]) for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]
        with _damage_is_an_error(self.folder):
            for *row, sha256 in self._database.execute("SELECT * FROM documents"):
                if _hash_of(row) != sha256:
                    found.append(f"the document {row[1]!r} is not what was written")
        if len(self) != self.settings["documents"]:
            found.append(f"of {self.settings['documents']} documents there are {len(self)}")
        for name, sha256 in self._rows("SELECT name, sha256 FROM arrays"):
            whole_file: Any = self.arrays[name].base  # as it was mapped; its name may be gone with its commit
            if hashlib.sha256(whole_file).hexdigest() != sha256:
                found.append(f"the array {name!r} is not what was written")
        return found

    def close(self) -> None:
        """Let go of the snapshot."""
        self._database.close()


class Writer:
    """Replaces the whole index, in one transaction that `commit` ends; used as a context manager.

    Args:
        folder: the index; made where there is none.

    Raises:
        StoreError: another process is writing, or the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder.absolute() / "index.sqlite"
        with _failures_are_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=WAIT_FOR_LOCK, isolation_level=None)
        try:
            with _failures_are_errors(folder):
                self._begin()
        except BaseException:
            self._database.close()
            raise

    def _begin(self) -> None:
        if self._tables() and self._database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreError(f"{self.folder / 'index.sqlite'} is somebody else's database; give another --index")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("BEGIN IMMEDIATE")
        (self.folder / "arrays").mkdir(exist_ok=True)
        self._sweep()  # what a writer left that did not live to commit
        self._documents = self._prepare()

    def _prepare(self) -> int:
        """Make the tables that are written to; gives the number of documents in them."""
        for table in self._tables():
            self._database.execute(f'DROP TABLE "{table}"')
        for statement in _SCHEMA.split(";"):
            self._database.execute(statement)
        self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._database.execute(f"PRAGMA user_version = {FORMAT}")
        return 0

    def _tables(self) -> list[str]:
        found = self._database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
        )
        return [row[0] for row in found]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Without a commit, everything is as it was."""
        with contextlib.suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        with contextlib.suppress(sqlite3.Error, OSError):
            # Under the lock: the next writer may have begun, and its arrays are named by no commit yet.
            self._database.execute("PRAGMA busy_timeout = 0")
            self._database.execute("BEGIN IMMEDIATE")
            self._sweep()
        self._database.close()

    def __len__(self) -> int:
        """The number of documents."""
        return self._documents

    def add(self, document: Document) -> bool:
        """Add a document at the next position; False, and nothing added, where its id is taken."""
        row = (
            self._documents,
            document.id,
            document.title,
            document.text,
            json.dumps(dict(document.fields), ensure_ascii=False),
            document.source,
        )
        sha256 = _hash_of(row)
        with _failures_are_errors(self.folder):
            added = self._database.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING", (*row, sha256)
            ).rowcount
        self._documents += added
        return bool(added)

    def put(self, name: str, array: NDArray[Any]) -> None:
        """Write an array to disk, to be part of the index from the commit on."""
        with _failures_are_errors(self.folder):
            sha256, size = _write_array(self.folder / "arrays", array)
            self._database.execute("REPLACE INTO arrays VALUES (?, ?, ?)", (name, sha256, size))

    def set(self, name: str, value: Any) -> None:
        """Set what JSON can hold, to be part of the index from the commit on."""
        with _failures_are_errors(self.folder):
            self._database.execute("REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value, ensure_ascii=False)))

    def commit(self) -> None:
        """Make all of it the index, at once."""
        self.set("documents", self._documents)
        with _failures_are_errors(self.folder):
            settings, arrays = (self._database.execute(rows).fetchall() for rows in (_SETTINGS, _ARRAYS))
            self._database.execute("DELETE FROM digest")
            self._database.execute("INSERT INTO digest VALUES (?)", (_digest(settings, arrays),))
            for folder in (self.folder / "arrays", self.folder, self.folder.absolute().parent):
                _sync_folder(folder)
            self._database.execute("COMMIT")

    def _sweep(self) -> None:
        """Delete the arrays that nothing names. Readers that have mapped them keep them."""
        tables = self._database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'arrays'").fetchall()
        named = {row[0] for row in self._database.execute("SELECT sha256 FROM arrays")} if tables else set()
        for path in (self.folder / "arrays").iterdir():
            if path.stem not in named and _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)


class Reviser(Writer):
    """Changes the index that is there, in one transaction as a `Writer` does: what is not put or set anew stays.

    Args:
        folder: the index.

    Raises:
        StoreError: there is no index, it is damaged or of another version, another process is writing, or the folder
            cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        _connect(folder).close()  # a writer would make a folder, or clear away another version's tables
        super().__init__(folder)

    def _prepare(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM documents").fetchone()[0])

    def keep_only(self, *beginnings: str) -> None:
        """From the commit on, the index has no arrays and settings but those whose names begin so, and those put anew.

        So what a later version learns, and this one knows nothing of, goes with what it was learned from.
        """
        with _failures_are_errors(self.folder):
            for table in ("arrays", "settings"):
                names = [name for (name,) in self._database.execute(f"SELECT name FROM {table}")]
                gone = [(name,) for name in names if not name.startswith(beginnings)]
                self._database.executemany(f"DELETE FROM {table} WHERE name = ?", gone)


def _connect(folder: Path) -> sqlite3.Connection:
    path = folder / "index.sqlite"
    if not path.is_file():
        raise StoreError(f"no index at {folder}; 'textae index SOURCE… --index {folder}' makes one")
    with _damage_is_an_error(folder):
        database = sqlite3.connect(
            f"{path.absolute().as_uri()}?{_access(folder)}",
            WAIT_FOR_LOCK,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        application = database.execute("PRAGMA application_id").fetchone()[0]
        version = database.execute("PRAGMA user_version").fetchone()[0]
        written = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application == APPLICATION_ID and version == FORMAT:
        return database
    database.close()
    if not written:
        raise StoreError(f"the index at {folder} was never finished; 'textae index SOURCE… --index {folder}' makes it")
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not an index of textae's; give another folder with --index")
    raise StoreError(
        f"the index at {folder} has format {version}, and this textae reads format {FORMAT}; "
        f"'textae index SOURCE… --index {folder}' rebuilds it"
    )


def _access(folder: Path) -> str:
    """How SQLite is to open an index; without its write-ahead log, it cannot make one where it may not write."""
    if os.access(folder, os.W_OK):
        return "mode=rw"
    return "mode=ro" if (folder / "index.sqlite-wal").exists() else "immutable=1"


def _hash_of(row: Sequence[Any]) -> bytes:
    """The hash of what a document's row says."""
    return hashlib.sha256(json.dumps(row, ensure_ascii=False).encode()).digest()


def _digest(settings: Sequence[Any], arrays: Sequence[Any]) -> str:
    """The hash of what a commit says beside its documents: the rows of its settings and of its arrays, by name."""
    return hashlib.sha256(json.dumps([settings, arrays], default=repr).encode()).hexdigest()


def _can_be_stored(text: str) -> bool:
    """Whether a text is Unicode, which half of a surrogate pair is not."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _damaged(folder: Path, what: str) -> StoreError:
    return StoreError(f"the index {folder} is damaged: {what}; 'textae index' rebuilds it from its sources")


def _document(row: Sequence[Any]) -> Document:
    id, title, text, fields, source = row
    return Document(id, text, title, json.loads(fields), source)


def _array_path(folder: Path, sha256: str) -> Path:
    return folder / "arrays" / f"{sha256}.npy"


def _map(folder: Path, name: str, sha256: str, size: int) -> NDArray[Any]:
    if not _SHA256.fullmatch(str(sha256)):  # it becomes a path, and a stranger may have written it
        raise _damaged(folder, f"the array {name!r} is not named by a hash")
    path = _array_path(folder, sha256)
    if path.stat().st_size == size:
        with contextlib.suppress(ValueError, TypeError, SyntaxError, TokenError):  # what numpy makes of a broken header
            mapped: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
            return mapped
    raise _damaged(folder, f"the array {name!r} in {path.name} is not whole")


def _write_array(folder: Path, array: NDArray[Any]) -> tuple[str, int]:
    """Write under a passing name, sync, and rename to the hash of what was written."""
    passing = folder / f"{os.getpid()}.part"
    with passing.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    with passing.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = passing.stat().st_size
    passing.replace(folder / f"{sha256}.npy")
    return sha256, size


def _sync_folder(folder: Path) -> None:
    """Names are synced with their folder, on systems where a folder can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def _failures_are_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"another textae is writing to {folder}; try again when it has finished") from None
        raise StoreError(f"cannot write the index {folder}: {error}; it is as it was before") from None
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"{folder / 'index.sqlite'} is damaged or no index ({error}); delete it, or give another --index"
        ) from None
    except OSError as error:  # numpy's have no strerror
        raise StoreError(
            f"cannot write the index {folder}: {error.strerror or error}; it is as it was before"
        ) from None


@contextlib.contextmanager
def _damage_is_an_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise StoreError(f"the index {folder} cannot be read: {error}; 'textae index' rebuilds it") from None
