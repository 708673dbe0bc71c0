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
"""

import contextlib
import hashlib
import json
import os
import re
import sqlite3
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tokenize import TokenError
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from textae.errors import StoreError
from textae.types import Document, FieldValue, Picture

FORMAT = 4
"""The version of what is described here; another one is refused, with the command that rebuilds the index."""

APPLICATION_ID = 0x74786165  # "txae"; tells our file from any other SQLite database
WAIT_FOR_LOCK = 5.0
"""Seconds that a second writer waits for the first."""

_SCHEMA = """
CREATE TABLE documents (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
                        text TEXT NOT NULL, fields TEXT NOT NULL, source TEXT NOT NULL, origin TEXT NOT NULL,
                        picture BLOB, content BLOB NOT NULL, sha256 BLOB NOT NULL);
CREATE TABLE arrays (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE digest (sha256 TEXT NOT NULL);
"""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OURS = re.compile(r"[0-9a-f]{64}\.npy|[0-9]+\.part")  # nothing else in the folder of the arrays is ever deleted

_WRITER = "writer.json"

_SETTINGS = "SELECT name, value FROM settings ORDER BY name"
_DIGEST = "SELECT sha256 FROM digest"
_ARRAYS = "SELECT name, sha256, bytes FROM arrays ORDER BY name"
_COLUMNS = "number, id, title, text, fields, source, origin, picture, content, sha256"
_SHAPE = struct.Struct("<3I")  # stands before the pixels of a picture
_PARAMETERS = 500  # of a statement: SQLite bounds them
_NOT_OF_ITS_OWN = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)  # a whole index may bring these

Arrays = Mapping[str, NDArray[Any]]


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
        self._database = _connect(folder)
        try:
            self.arrays, self.settings = self._snapshot()
            self.commit = _commit(self._database)
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
                self._hashes = {name: sha256 for name, sha256, _ in named}
                return {name: _map(self.folder, name, sha256, size) for name, sha256, size in named}, settings
            except FileNotFoundError as error:
                self._database.execute("ROLLBACK")
                if self._rows("PRAGMA data_version") == commit:
                    raise _damaged(self.folder, f"{Path(error.filename).name} is missing") from None

    def _digested(self) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
        """The settings, and the name, hash and size of every array, after they were found to be what was written."""
        settings, arrays = self._rows(_SETTINGS), self._rows(_ARRAYS)
        if self._rows(_DIGEST) == [(_digest(settings, arrays),)]:
            with contextlib.suppress(ValueError, RecursionError):  # JSON that a stranger made
                return {name: json.loads(value) for name, value in settings}, arrays
        raise _damaged(self.folder, "its settings or its list of arrays are not what was written")

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _damage_is_an_error(self.folder):
            return self._database.execute(statement, parameters).fetchall()

    def __len__(self) -> int:
        """The number of documents."""
        return int(self._rows("SELECT count(*) FROM documents")[0][0])

    def ids(self, numbers: Sequence[int]) -> list[str]:
        """The ids of the documents of these numbers, in their order."""
        id_of = dict(self._select("number, id", numbers))
        return [id_of[number] for number in numbers]

    def documents(self, numbers: Sequence[int]) -> list[Document]:
        """The documents of these numbers, in their order, after they were found to be what was written."""
        found = {row[0]: _checked(row, self.folder) for row in self._select(_COLUMNS, numbers)}
        return [found[number] for number in numbers]

    def _select(self, columns: str, numbers: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        for first in range(0, len(numbers), _PARAMETERS):
            part = [int(number) for number in numbers[first : first + _PARAMETERS]]
            marks = ",".join("?" * len(part))
            yield from self._rows(f"SELECT {columns} FROM documents WHERE number IN ({marks})", part)

    def has(self, id: str) -> bool:
        """Whether a document has this id."""
        return self.number(id) is not None

    def all_ids(self) -> dict[int, str]:
        """Every id, by the document's number."""
        return dict(self._rows("SELECT number, id FROM documents ORDER BY number"))

    def ids_and_titles(self) -> tuple[list[str], list[str]]:
        """The id of every document, and its title, in the order of the numbers."""
        rows = self._rows("SELECT id, title FROM documents ORDER BY number")
        return [id for id, _ in rows], [title for _, title in rows]

    def content(self, id: str) -> bytes | None:
        """The hash of what the document with this id says (`content_of`); None where there is none."""
        rows = self._rows("SELECT content FROM documents WHERE id = ?", (id,)) if _can_be_stored(id) else []
        return rows[0][0] if rows else None

    def contents(self, origin: str) -> dict[str, bytes]:
        """The hash of what each document says that came from one place, by id."""
        return dict(self._rows("SELECT id, content FROM documents WHERE origin = ?", (origin,)))

    def stream(self) -> Iterator[Document]:
        """Every document, by number, each after it was found to be what was written."""
        with _damage_is_an_error(self.folder):
            for row in self._database.execute(f"SELECT {_COLUMNS} FROM documents ORDER BY number"):
                yield _checked(row, self.folder)

    def field(self, name: str) -> dict[str, FieldValue]:
        """One field of every document, by id, in the order of the numbers; None where a document has no such field."""
        rows = self._rows("SELECT id, fields FROM documents ORDER BY number")
        return {id: json.loads(fields).get(name) for id, fields in rows}

    def is_same(self, other: "Reader", *prefixes: str) -> bool:
        """Whether another commit has the same arrays under the names that begin so."""
        own, others = (
            {name: sha256 for name, sha256 in reader._hashes.items() if name.startswith(prefixes)}
            for reader in (self, other)
        )
        return own == others

    def number(self, id: str) -> int | None:
        """The number of the document with this id; None where there is none."""
        if not _can_be_stored(id):
            return None
        rows = self._rows("SELECT number FROM documents WHERE id = ?", (id,))
        return rows[0][0] if rows else None

    def titles(self, ids: Sequence[str]) -> list[str]:
        """The titles of the documents with these ids, in their order."""
        title_of: dict[str, str] = {}
        for first in range(0, len(ids), _PARAMETERS):
            part = ids[first : first + _PARAMETERS]
            marks = ",".join("?" * len(part))
            title_of |= dict(self._rows(f"SELECT id, title FROM documents WHERE id IN ({marks})", part))
        return [title_of[id] for id in ids]

    def is_current(self) -> bool:
        """Whether this is still the last commit."""
        return last_commit(self.folder) == self.commit

    def damage(self) -> list[str]:
        """What is wrong with the files, a line each: each page, each document's hash and each array's is checked.

        The settings and the list of arrays were checked when the reader was made.
        """
        found = [str(row[0]) for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]
        with _damage_is_an_error(self.folder):
            for row in self._database.execute(f"SELECT {_COLUMNS} FROM documents"):
                if not _is_whole(row):
                    found.append(f"the document {row[1]!r} is not what was written")
        if len(self) != self.settings["documents"]:
            found.append(f"of {self.settings['documents']} documents there are {len(self)}")
        for name, sha256 in self._hashes.items():
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
        with failures_are_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=WAIT_FOR_LOCK, isolation_level=None)
        try:
            with failures_are_errors(folder):
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
        _say_who_writes(self.folder)
        self._documents, self._next, self._history = self._prepare()

    def _prepare(self) -> tuple[int, int, str]:
        """Make the tables that are written to; gives how many documents are in them, the next one's number, history."""
        for table in self._tables():
            self._database.execute(f'DROP TABLE "{table}"')
        for statement in _SCHEMA.split(";"):
            self._database.execute(statement)
        self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._database.execute(f"PRAGMA user_version = {FORMAT}")
        return 0, 0, ""

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
            (self.folder / _WRITER).unlink(missing_ok=True)
        self._database.close()

    def __len__(self) -> int:
        """The number of documents."""
        return self._documents

    def add(self, document: Document) -> int | None:
        """Add a document, and give its number; None, and nothing added, where its id is taken."""
        said = (document.id, document.title, document.text, _fields_of(document))
        picture = _picture_bytes(document.picture)
        row = (self._next, *said, document.source, document.origin, picture)
        content = content_of(*said, picture)
        with failures_are_errors(self.folder):
            added = self._database.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (*row, content, _hash_of(row, content)),
            ).rowcount
        if not added:
            return None
        self._passed(_hash_of(row, content))
        self._documents += 1
        self._next += 1
        return self._next - 1

    def documents(self, first: int, last: int) -> Iterator[Document]:
        """The documents whose numbers are from first to before last, in their order, as they are by now."""
        with failures_are_errors(self.folder):
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM documents WHERE number >= ? AND number < ? ORDER BY number", (first, last)
            )
            yield from (_checked(row, self.folder) for row in rows)

    def remove(self, ids: Sequence[str]) -> list[int]:
        """Remove the documents with these ids, and give the numbers that they had; an id that is not there has none."""
        numbers = []
        with failures_are_errors(self.folder):
            for id in ids:
                found = self._database.execute("DELETE FROM documents WHERE id = ? RETURNING number", (id,)).fetchall()
                numbers += [number for (number,) in found]
        if numbers:
            self._passed(repr(numbers).encode())
        self._documents -= len(numbers)
        return numbers

    def _passed(self, what: bytes) -> None:
        """Keep in mind what came or went, so that commits of other documents differ, though all arrays are the same."""
        self._history = hashlib.sha256(self._history.encode() + what).hexdigest()

    @property
    def next_number(self) -> int:
        """The number that the next document gets."""
        return self._next

    def put_all(self, prefix: str, arrays: Arrays) -> None:
        """Write arrays to disk as `put` does, their names behind a prefix."""
        for name, array in arrays.items():
            self.put(prefix + name, array)

    def put(self, name: str, array: NDArray[Any]) -> None:
        """Write an array to disk, to be part of the index from the commit on."""
        with failures_are_errors(self.folder):
            sha256, size = _write_array(self.folder / "arrays", array)
            self._database.execute("REPLACE INTO arrays VALUES (?, ?, ?)", (name, sha256, size))

    def arrays(self, prefix: str) -> Arrays:
        """The arrays whose names begin so, as they are by now, memory-mapped; their names without the prefix."""
        with failures_are_errors(self.folder):
            named = self._database.execute(_ARRAYS).fetchall()
        return {
            name.removeprefix(prefix): _map(self.folder, name, sha256, size)
            for name, sha256, size in named
            if name.startswith(prefix)
        }

    def check(self, *prefixes: str) -> None:
        """See whether the arrays whose names begin so are what was written, byte by byte.

        What is made of damaged arrays would be as damaged, and its hash would say that it is not.

        Raises:
            StoreError: one is not.
        """
        with failures_are_errors(self.folder):
            for name, sha256, _ in self._database.execute(_ARRAYS).fetchall():
                if name.startswith(prefixes) and _sha256_of(_array_path(self.folder, sha256)) != sha256:
                    raise _damaged(self.folder, f"the array {name!r} is not what was written")

    def set(self, name: str, value: Any) -> None:
        """Set what JSON can hold, to be part of the index from the commit on."""
        with failures_are_errors(self.folder):
            self._database.execute("REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value, ensure_ascii=False)))

    def drop(self, prefix: str) -> None:
        """From the commit on, the index has no array or setting whose name begins so, but those put anew."""
        with failures_are_errors(self.folder):
            for table in ("arrays", "settings"):
                self._database.execute(f"DELETE FROM {table} WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))

    def commit(self) -> None:
        """Make all of it the index, at once."""
        self.set("documents", self._documents)
        self.set("next_number", self._next)
        self.set("history", self._history)
        with failures_are_errors(self.folder):
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


class UpdateWriter(Writer):
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

    def _prepare(self) -> tuple[int, int, str]:
        documents = self._database.execute("SELECT count(*) FROM documents").fetchone()[0]
        settings = dict(self._database.execute(_SETTINGS).fetchall())
        return documents, int(settings["next_number"]), json.loads(settings.get("history", '""'))

    def keep_only(self, *beginnings: str) -> None:
        """From the commit on, the index has no arrays and settings but those whose names begin so, and those put anew.

        So what a later version learns, and this one knows nothing of, goes with what it was learned from.
        """
        with failures_are_errors(self.folder):
            for table in ("arrays", "settings"):
                names = [name for (name,) in self._database.execute(f"SELECT name FROM {table}")]
                gone = [(name,) for name in names if not name.startswith(beginnings)]
                self._database.executemany(f"DELETE FROM {table} WHERE name = ?", gone)


def last_commit(folder: Path) -> str:
    """The name of the last commit of an index.

    Raises:
        StoreError: there is no index, or it is of another version.
    """
    with contextlib.closing(_connect(folder)) as database, _damage_is_an_error(folder):
        return _commit(database)


def _commit(database: sqlite3.Connection) -> str:
    return "".join(str(sha256) for (sha256,) in database.execute(_DIGEST))


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


def content_of(id: str, title: str, text: str, fields: str, picture: bytes | None) -> bytes:
    """The hash of what a document says, wherever it came from and whichever number it has; 32 bytes.

    Raises:
        UnicodeEncodeError: of half of a surrogate pair, which cannot be stored.
    """
    said = hashlib.sha256(json.dumps([id, title, text, fields], ensure_ascii=False).encode())
    if picture is not None:
        said.update(picture)
    return said.digest()


def content_of_document(document: Document) -> bytes:
    """`content_of`, as a document is stored."""
    picture = _picture_bytes(document.picture)
    return content_of(document.id, document.title, document.text, _fields_of(document), picture)


def _fields_of(document: Document) -> str:
    return json.dumps(dict(document.fields), ensure_ascii=False)


def _picture_bytes(picture: Picture | None) -> bytes | None:
    """A picture as it is stored."""
    return None if picture is None else _SHAPE.pack(*picture.shape) + picture.pixels


def _picture_of(stored: bytes | None) -> Picture | None:
    if stored is None:
        return None
    height, width, channels = _SHAPE.unpack_from(stored)
    return Picture(height, width, channels, stored[_SHAPE.size :])


def _hash_of(row: Sequence[Any], content: bytes) -> bytes:
    """The hash of a document's row: of its number and where it came from, and of what it says."""
    number, _, _, _, _, source, origin, _ = row
    return hashlib.sha256(json.dumps([number, source, origin], ensure_ascii=False).encode() + content).digest()


def _digest(settings: Sequence[Any], arrays: Sequence[Any]) -> str:
    """The hash of what a commit says beside its documents: the rows of its settings and of its arrays, by name."""
    return hashlib.sha256(json.dumps([settings, arrays], default=repr).encode()).hexdigest()


def _can_be_stored(text: str) -> bool:
    """Whether a text is Unicode, which half of a surrogate pair is not."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _damaged(folder: Path, what: str) -> StoreError:
    return StoreError(f"the index {folder} is damaged: {what}; 'textae index' rebuilds it from its sources")


def _is_whole(row: Sequence[Any]) -> bool:
    """Whether a document's row is what was written; a damaged database may give values of any type."""
    *said, content, sha256 = row
    try:
        _, id, title, text, fields, _, _, picture = said
        return bool(content_of(id, title, text, fields, picture) == content and _hash_of(said, content) == sha256)
    except (TypeError, ValueError):
        return False


def _checked(row: Sequence[Any], folder: Path) -> Document:
    if not _is_whole(row):
        raise _damaged(folder, f"the document {row[1]!r} is not what was written")
    _, id, title, text, fields, source, origin, picture, *_ = row
    return Document(id, text, title, json.loads(fields), source, origin, _picture_of(picture))


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
    sha256 = _sha256_of(passing)
    size = passing.stat().st_size
    passing.replace(folder / f"{sha256}.npy")
    return sha256, size


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _say_who_writes(folder: Path) -> None:
    """Leave word for those who will find the index locked."""
    told = {"process": os.getpid(), "command": sys.argv[1] if len(sys.argv) > 1 else "", "since": int(time.time())}
    with contextlib.suppress(OSError):  # a courtesy, no part of the index
        (folder / _WRITER).write_text(json.dumps(told), encoding="utf-8")


def _who_writes(folder: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        told = json.loads((folder / _WRITER).read_bytes())
        since = time.strftime("%H:%M:%S", time.localtime(int(told["since"])))
        command = re.sub("[^a-z]", "", str(told["command"]))[:20]  # a stranger may have written it
        return f"another textae{f' ({command})' if command else ''}, process {int(told['process'])}, since {since},"
    return "another textae"


def _sync_folder(folder: Path) -> None:
    """Names are synced with their folder, on systems where a folder can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def failures_are_errors(folder: Path) -> Iterator[None]:
    """What fails inside is a `StoreError`: the index cannot be written."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"{_who_writes(folder)} is writing to {folder}; try again when it has finished") from None
        raise StoreError(f"cannot write the index {folder}: {error}; it is as it was before") from None
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"{folder / 'index.sqlite'} is damaged or no index ({error}); delete it, or give another --index"
        ) from None
    except OSError as error:  # numpy's have no strerror
        why = error.strerror or "the disk took only a part of what was written"
        raise StoreError(f"cannot write the index {folder}: {why}; it is as it was before") from None


@contextlib.contextmanager
def _damage_is_an_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _NOT_OF_ITS_OWN:
            raise StoreError(
                f"cannot read the index {folder}: {error}; its disk may be full or broken, or you may not read it"
            ) from None
        raise StoreError(f"the index {folder} cannot be read: {error}; 'textae index' rebuilds it") from None
