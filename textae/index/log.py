"""The log of an index: a commit that SQLite reports as failed is cut out of it.

A commit is its frames in the log, and then a sync of the log. If the sync fails, SQLite gives up the commit, but its
frames stay in the log, and the next process that opens the index takes them for a commit. So they are cut off. That
works on a full disk, which frees blocks and gives none. (https://sqlite.org/fileformat2.html#the_write_ahead_log)
"""

import contextlib
import os
import sqlite3
from typing import Any

from textae.index.database import Database

_NAME = "index.sqlite-wal"
_HEADER, _FRAME_HEADER = 32, 24  # bytes before all frames, and before the page of each
_SALTS = slice(16, 24)  # of the header; a log that begins anew has others


class Log:
    """The log of a database as it is when a transaction begins, which this class begins.

    Args:
        database: open for writing.

    Raises:
        sqlite3.Error: another process is writing, or the log cannot be copied into the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        while True:
            before = self._one("PRAGMA data_version")
            _, frames, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()  # the only way to count them
            database.execute("BEGIN IMMEDIATE")
            if self._one("PRAGMA data_version") == before:
                break
            database.execute("ROLLBACK")  # somebody has committed in between
        page = self._one("PRAGMA page_size")
        self._size = _HEADER + frames * (_FRAME_HEADER + page) if frames > 0 else min(frames, 0)
        self._salts, self._commit = self._read_salts(), self._read_commit()

    def take_back(self) -> bool:
        """Cut off a commit that failed; tells whether it is sure that no reader will find it."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            if self._read_commit() == self._commit:  # otherwise another process has written over it
                self._cut()
            self._database.execute("ROLLBACK")
        except (sqlite3.Error, OSError):
            return False
        return True

    def _cut(self) -> None:
        if self._size < 0:
            raise OSError("another process was copying the log, and nobody knows its frames")
        with self._database.directory.open(_NAME, writable=True) as log:
            # A log begins anew when all of it is in the database, and nobody reads from it.
            size = self._size if self._read_salts() == self._salts else 0
            if os.fstat(log.fileno()).st_size > size:
                os.ftruncate(log.fileno(), size)
            with contextlib.suppress(OSError):  # the disk has failed once; without power both states are whole
                os.fsync(log.fileno())

    def _read_salts(self) -> bytes:
        try:
            with self._database.directory.open(_NAME) as log:
                return log.read(_HEADER)[_SALTS]
        except FileNotFoundError:
            return b""

    def _read_commit(self) -> Any:
        """The digest of the last commit; None in a new database."""
        tables = self._one("SELECT count(*) FROM sqlite_schema WHERE name = 'digest' AND type = 'table'")
        return self._one("SELECT max(sha256) FROM digest") if tables else None

    def _one(self, statement: str) -> Any:
        return self._database.execute(statement).fetchone()[0]
