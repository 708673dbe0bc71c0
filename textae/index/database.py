"""The database of an index, which a stranger may have made: checked before SQLite opens it, bounded while it is read.

- SQLite follows links, and believes the files beside a database. A rollback journal names a file that SQLite deletes.
  textae's databases have write-ahead logs, so nothing but `-wal` and `-shm` may lie beside one, all regular files.
- A view or a trigger is a program. The schema must be the one written here, word for word, before a row is read.
- Pages can be linked so that a scan never ends. A statement may do as much work as the size of the file justifies.
"""

import contextlib
import errno
import itertools
import os
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textae.errors import NoIndexError, NotWritableError, StoreError
from textae.files import make_folder
from textae.index.directory import Directory

FORMAT = 6
"""The version of the tables and arrays; another one is refused, with the command that rebuilds the index."""

APPLICATION_ID = 0x74786165  # "txae"; tells our file from any other SQLite database
WAIT_FOR_LOCK = 5.0
"""Seconds that a second writer waits for the first."""

TABLES = {
    "documents": """CREATE TABLE documents (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
                        text TEXT NOT NULL, fields TEXT NOT NULL, source TEXT NOT NULL, origin TEXT NOT NULL,
                        places TEXT NOT NULL, picture BLOB, content BLOB NOT NULL, sha256 BLOB NOT NULL)""",
    "arrays": "CREATE TABLE arrays (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL)",
    "settings": "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "digest": "CREATE TABLE digest (sha256 TEXT NOT NULL)",
}
"""The statements that make the tables. SQLite keeps them as they are, so that they may never change in a format."""

_KEYED = ("documents", "arrays", "settings")  # for which SQLite makes an index
_SCHEMA = {
    *(("table", name, name, statement) for name, statement in TABLES.items()),
    *(("index", f"sqlite_autoindex_{name}_1", name, None) for name in _KEYED),
}
_SEQUENCE = ("table", "sqlite_sequence", "sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)")
"""Stays for good, and means nothing, where an index of another format had numbered rows."""

_FILE, _WAL, _SHM = (f"index.sqlite{suffix}" for suffix in ("", "-wal", "-shm"))

_STEPS = 50_000  # instructions of SQLite's machine between two looks at the bound
_FEW, _PER_BYTE = 500_000, 1
"""The instructions of a statement: some, and more for each byte of the files once the schema is known. A check of all
pages took 0.22 a byte of documents without words, and a scan 0.11."""

_SECONDS, _PER_SECOND = 1.5, 32 << 20
"""A statement may take some seconds of CPU, and one more for so many bytes: an instruction that reads pages from a
sparse file took ten times as long as others."""

_UNWRITTEN, _PACKED = 32 << 20, 8
"""A file may have more bytes than its blocks: so many where a file system writes late, so many times where it packs.
A sparse file of a terabyte has no blocks."""

_MEMORY_PER_BYTE = 8
"""Bytes of memory for rows, for each byte of the files. A character takes up to four; a number and a text 80 together,
in a row that takes as many on disk."""

_LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
}
_PRAGMAS = ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0")

_NO_ROOM = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY)
"""What SQLite says where it cannot make a log and its index: on a full disk, in a folder that cannot be written to."""

_AS_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_INTERRUPT)
"""What SQLite says of damage, and also where a disk does not read (SQLITE_IOERR_CORRUPTFS becomes SQLITE_CORRUPT)."""

_PROGRAM = re.compile(r"\b(as|check|generated|virtual)\b", re.IGNORECASE)
"""What dropping the tables of another format could run."""

_NO_LOCKS = "unix-none" if os.name == "posix" else "win32-none"  # the names of SQLite's file systems


class Database(sqlite3.Connection):
    """A connection to the database of an index; made by `open_to_read` and `open_to_write`."""

    directory: Directory
    unlocked_state: list[tuple[int, int, int]] | None = None
    """Of the files when they were opened without locks; None with locks."""
    _instructions = _per_byte = _size = 0
    _since = 0.0

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run a statement; it is interrupted when its work is out of proportion to the size of the files."""
        self._instructions, self._since = 0, time.thread_time()
        try:
            return super().execute(sql, parameters)
        except UnicodeDecodeError:  # names in the schema of a stranger
            raise sqlite3.DatabaseError("its schema is no UTF-8") from None

    def rows(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, which hold no more than the files do.

        Raises:
            sqlite3.DatabaseError: they hold more, since some page is linked several times; or anything else.
        """
        cursor, rows = self.execute(statement, parameters), list[tuple[Any, ...]]()
        left = _MEMORY_PER_BYTE * self.size()
        while batch := cursor.fetchmany(100):
            rows += batch
            left -= sum(map(sys.getsizeof, itertools.chain.from_iterable(batch)))
            if left < 0:
                raise sqlite3.DatabaseError("its rows hold more than its file")
        return rows

    def stream(self, statement: str, parameters: Any = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, one at a time; what the caller does between them is no work of the statement."""
        for row in self.execute(statement, parameters):
            instructions, used = self._instructions, time.thread_time() - self._since
            yield row
            self._instructions, self._since = instructions, time.thread_time() - used

    def size(self) -> int:
        """Bytes of the database and its log, of a file with holes what its blocks can hold at most."""
        files = [status for status in map(self.directory.status, (_FILE, _WAL)) if status]
        if files:  # otherwise the folder was deleted meanwhile, and SQLite still holds the files
            self._size = sum(map(_bytes_of, files))
        return self._size

    def is_as_opened(self) -> bool:
        """Whether what is read without locks has not changed; True with locks."""
        return self.unlocked_state in (None, _state(self.directory))

    def close(self) -> None:
        """Close the connection, and the folder."""
        super().close()
        self.directory.close()

    def _is_too_much(self) -> bool:
        self._instructions += _STEPS
        used, size = time.thread_time() - self._since, self.size()
        return self._instructions > _FEW + self._per_byte * size or used > _SECONDS + size / _PER_SECOND


def open_to_read(folder: Path) -> Database:
    """Connect to the database of an index, of which a transaction then reads one commit.

    With locks, as SQLite does it, so that a reader keeps its commit while others write. Locks take a file that can be
    written: without one (a full disk, a folder of somebody else's) the files are read as they are, nothing is written,
    and `is_as_opened` tells whether they have changed.

    Raises:
        StoreError: there is no index, it is of another version, or not what textae makes.
    """
    directory = _directory(folder)
    with damage_is_an_error(folder):
        if _second_name(directory) is None:
            try:
                return _checked(_connect(directory, "mode=rw"))
            except sqlite3.OperationalError as error:
                if code_of(error) not in _NO_ROOM:
                    raise
            directory = _directory(folder)
        state, log = _state(directory), directory.status(_WAL)
        # A log is read with an index in memory. That takes files without locks, and when such a file is closed, the
        # system drops all locks that this process has on it; so only where there is no other way.
        access = f"mode=ro&vfs={_NO_LOCKS}" if log and log.st_size else "immutable=1"
        database = _connect(directory, access)
        database.unlocked_state = state
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        return _checked(database)


def _directory(folder: Path) -> Directory:
    """The folder of an index that exists."""
    try:
        directory = Directory(folder)
        if _files(directory).get(_FILE):
            return directory
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _unreadable(folder, error.strerror) from None
    raise NoIndexError(f"no index at {folder}; 'textae index SOURCE… --index {folder}' makes one")


def _files(directory: Directory) -> dict[str, os.stat_result]:
    """The files of the database that are there, after it was checked that these are files, and that no other is."""
    for name in directory.names():
        if name.casefold().startswith(f"{_FILE}-") and name not in (_WAL, _SHM):  # some disks ignore the case
            raise StoreError(
                f"{directory.path / name} is no file of textae's, and SQLite may act on it; "
                f"delete the folder, and 'textae index' makes it again"
            )
    files = {name: directory.file_status(name) for name in (_FILE, _WAL, _SHM)}
    return {name: status for name, status in files.items() if status is not None}


def _second_name(directory: Directory) -> str | None:
    """A file that has a second name, by a hard link: what is written to it would change a file elsewhere."""
    return next((name for name, status in _files(directory).items() if status.st_nlink > 1), None)


def _state(directory: Directory) -> list[tuple[int, int, int]]:
    return [(file.st_ino, file.st_size, file.st_mtime_ns) for file in map(directory.status, (_FILE, _WAL)) if file]


def _connect(directory: Directory, access: str, wait: float = WAIT_FOR_LOCK) -> Database:
    """Connect to a database that exists. Nothing is read of it yet."""
    before = directory.file_status(_FILE)
    path = directory.path.absolute() / _FILE
    database = sqlite3.connect(
        f"{path.as_uri()}?{access}", wait, isolation_level=None, check_same_thread=False, uri=True, factory=Database
    )
    database.directory = directory
    try:
        after = directory.file_status(_FILE)  # SQLite takes a path, so it was open to exchange until now
        if not (before and after and os.path.samestat(before, after) and directory.is_at_its_path()):
            raise StoreError(f"{path} was exchanged while it was opened; try again")
        for limit, value in _LIMITS.items():
            database.setlimit(limit, value)
        database.set_progress_handler(database._is_too_much, _STEPS)
        for pragma in _PRAGMAS:
            database.execute(f"PRAGMA {pragma}")
    except BaseException:
        database.close()
        raise
    return database


def _checked(database: Database) -> Database:
    """The database, after it was checked that it is one of textae's, of this format."""
    folder = database.directory.path
    try:
        with_log = database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        version, schema = version_of(database), schema_of(database)
        if not schema:
            raise NoIndexError(
                f"the index at {folder} was never finished; 'textae index SOURCE… --index {folder}' makes it"
            )
        if version is None or not (with_log or database.unlocked_state):
            raise StoreError(f"{folder / _FILE} is not an index of textae's; give another folder with --index")
        if version != FORMAT:
            raise StoreError(
                f"the index at {folder} has format {version}, and this textae reads format {FORMAT}; "
                f"'textae index SOURCE… --replace --index {folder}' rebuilds it"
            )
        check_schema(schema, folder)
    except BaseException:
        database.close()
        raise
    database._per_byte = _PER_BYTE
    return database


def open_to_write(folder: Path, wait: float) -> Database:
    """Connect to the database of an index, or to a new and empty one.

    Args:
        folder: the index; made where there is none.
        wait: seconds to wait for a lock.

    Raises:
        StoreError: it is somebody else's database, or not what textae makes.
        sqlite3.DatabaseError: it is no database, or cannot be written to.
        OSError: the folder cannot be made or written to.
    """
    if not folder.is_symlink():
        make_folder(folder)
    directory = Directory(folder)
    if (name := _second_name(directory)) is not None:
        raise NotWritableError(
            f"{folder / name} has a second name elsewhere (a hard link), and that file would change, too; "
            f"make a copy of the folder and change the copy"
        )
    with contextlib.suppress(FileExistsError):
        directory.create(_FILE).close()
    database = _connect(directory, "mode=rw", wait)
    try:
        if not getattr(directory.status(_FILE), "st_size", 1):
            # With its default, a journal in a file, SQLite would leave one where this process ends right here.
            database.execute("PRAGMA journal_mode = MEMORY")
            database.execute("PRAGMA journal_mode = WAL")
            database.close()  # it takes the log for made where its header could not be written
            database = _connect(Directory(folder), "mode=rw", wait)
        database.execute("PRAGMA synchronous = FULL")
        version, schema = version_of(database), schema_of(database)
        has_log = database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        if not (schema or has_log):
            raise NotWritableError(f"cannot write the index {folder}: the disk took no log; it is as it was before")
        if (schema and version is None) or not has_log:
            raise StoreError(f"{folder / _FILE} is somebody else's database; give another --index")
        if version == FORMAT:
            check_schema(schema, folder)
        elif any(kind not in ("table", "index") or _PROGRAM.search(sql or "") for kind, _, _, sql in schema):
            raise _not_ours(folder)
    except BaseException:
        database.close()
        raise
    database._per_byte = _PER_BYTE
    return database


def _bytes_of(file: os.stat_result) -> int:
    """Bytes of a file, of one with holes what its blocks can hold at most."""
    return min(file.st_size, _UNWRITTEN + _PACKED * _on_disk(file))


def _on_disk(file: os.stat_result) -> int:
    """Bytes of the blocks of a file; of all its bytes where the system does not count blocks."""
    return 512 * blocks if (blocks := getattr(file, "st_blocks", None)) is not None else file.st_size


def version_of(database: sqlite3.Connection) -> int | None:
    """The format of an index; None of a database that is not textae's."""
    ((application,), (version,)) = (
        database.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
    )
    return int(version) if application == APPLICATION_ID else None


def schema_of(database: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """The type, name, table and statement of all that a database has; statements of a stranger are not run."""
    return database.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()


def check_schema(schema: list[tuple[Any, ...]], folder: Path) -> None:
    """Check that a schema is the one of this format.

    Raises:
        StoreError: it is not.
    """
    rows = [row for row in schema if row != _SEQUENCE]
    if len(rows) != len(_SCHEMA) or set(rows) != _SCHEMA:
        raise _not_ours(folder)


def _not_ours(folder: Path) -> StoreError:
    return StoreError(
        f"the index {folder} is damaged: it has other tables than textae makes; "
        f"delete the folder, and 'textae index' makes it again from its sources"
    )


def code_of(error: sqlite3.Error) -> int:
    """SQLite's code of an error; what Python says of itself is of texts that are no UTF-8, and so of damage."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF


def check_disk(folder: Path) -> None:
    """Read the files of a database that SQLite calls damaged, as it does also where the disk does not read.

    Raises:
        StoreError: the disk does not read them, so that nobody knows whether they are damaged.
    """
    try:
        with contextlib.closing(Directory(folder)) as directory:
            for name, status in _files(directory).items():
                directory.read_through(name, _bytes_of(status))
    except OSError as error:
        raise _unreadable(folder, error.strerror) from None


def _unreadable(folder: Path, why: object) -> StoreError:
    return StoreError(f"cannot read the index {folder}: {why}; its disk may be full or broken, or you may not read it")


@contextlib.contextmanager
def damage_is_an_error(folder: Path) -> Iterator[None]:
    """Raise a `StoreError` for what SQLite or the disk cannot read."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = code_of(error)
        if code in _AS_DAMAGE:
            check_disk(folder)
        if code in _NO_ROOM:
            raise _unreadable(folder, error) from None
        why = "its pages are linked in circles" if code == sqlite3.SQLITE_INTERRUPT else error
        raise StoreError(f"the index {folder} cannot be read: {why}; 'textae index --replace' rebuilds it") from None
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise _unreadable(folder, error.strerror) from None
