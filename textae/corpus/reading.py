"""Bytes from files, pipes and gzip, with a bound on the memory for one document.

A document (a line of a table, a text file, a message) is at most `LONGEST` bytes. A longer one is read past in pieces
and counted as skipped, so a line of 200 MB takes no more memory than any other.
"""

import gzip
import os
import re
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path, PurePath
from typing import IO, Any, TypeVar, cast

from textae.errors import CorpusError
from textae.types import Document, FieldValue, Skipped

P = TypeVar("P", bound=PurePath)

Item = Document | Skipped | None
"""What reading gives; None is a document that is not wanted."""

LONGEST = 16 << 20
"""Bytes of one document, at most: 16 MiB, three times the King James Bible."""

TOO_LONG = "longer than 16 MiB"
NOT_UTF8 = "not UTF-8"
BINARY = "binary"
EMPTY = "empty"
DENIED = "permission denied"
DAMAGED = "damaged"
GONE = "gone"
NESTED = "nested too deeply"

_PIECE = 1 << 20
_BOM = b"\xef\xbb\xbf"
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one document may take; a document that takes more is skipped.

    Attributes:
        seconds: since the document before it; a reader that is waited for has not used them.
        memory: bytes, beyond those of a reader that has just started.
    """

    seconds: float = 30
    memory: int = 1 << 30

    @property
    def too_slow(self) -> str:
        """The reason to skip a document that takes too long."""
        return f"took more than {self.seconds:g} s; give a larger --timeout"

    @property
    def too_much(self) -> str:
        """The reason to skip a document that takes too much memory."""
        return f"needs more than {self.memory / 2**30:g} GB of memory"


DEFAULT = Limits()


class LateError(Exception):
    """A document takes too long to read."""


class Stopwatch:
    """The time since the last document of a file.

    Args:
        limits: of a document.
    """

    def __init__(self, limits: Limits) -> None:
        self._seconds = limits.seconds
        self.restart()

    def restart(self) -> None:
        """Begin with the next document."""
        self._end = time.monotonic() + self._seconds

    @property
    def is_late(self) -> bool:
        """Whether the document takes too long."""
        return time.monotonic() > self._end


class _TimedFile(FileIO):
    """A file that is read only as long as a stopwatch allows; reading a fifo waits for its writer without a bound."""

    stopwatch: Stopwatch | None = None

    def readinto(self, buffer: Any) -> int | None:
        late = self.stopwatch is not None and self.stopwatch.is_late
        if late and not stat.S_ISFIFO(os.fstat(self.fileno()).st_mode):
            raise LateError
        return super().readinto(buffer)


class RefusedError(Exception):
    """One document cannot be read; the text is the reason, which is counted."""


class FileError(CorpusError):
    """A file cannot be read to its end: an error if it was named by itself, a skipped file in a folder.

    Attributes:
        reason: in a word or two, which is counted.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def without_gz(path: P) -> P:
    """The path without the ending .gz."""
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


@contextmanager
def opened(path: Path, stopwatch: Stopwatch | None = None) -> Iterator[IO[bytes]]:
    """Open a file, unpacked where it ends in .gz.

    Args:
        path: of the file.
        stopwatch: checked at each read.

    Raises:
        FileError: it cannot be opened or read, or is damaged; also from inside of the block.
    """
    try:
        with BufferedReader(file := _TimedFile(path)) as raw:
            file.stopwatch = stopwatch
            yield cast("IO[bytes]", BufferedReader(gzip.GzipFile(fileobj=raw))) if path != without_gz(path) else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        message = f"{path}: the gzip file is cut off or damaged ({error}); fetch or pack it anew"
        raise FileError(message, DAMAGED) from error
    except OSError as error:
        reason = GONE if isinstance(error, FileNotFoundError) else (error.strerror or DAMAGED).lower()
        raise FileError(f"{path}: cannot be read: {error.strerror or error}", reason) from error


def lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """The lines of a stream with their ends; None for one that is longer than `LONGEST`."""
    first = True
    while line := stream.readline(LONGEST + 1):
        if first:
            line, first = line.removeprefix(_BOM), False
        if len(line) <= LONGEST:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(_PIECE)
        yield None


def whole(stream: IO[bytes]) -> bytes:
    """All of a stream.

    Raises:
        RefusedError: it is longer than `LONGEST`.
    """
    content = stream.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise RefusedError(TOO_LONG)
    return content


def whole_text(stream: IO[bytes]) -> str:
    """The text of a whole file.

    Raises:
        RefusedError: it is longer than `LONGEST`, has NUL bytes, which no text has, or is not UTF-8.
    """
    content = whole(stream)
    try:
        if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):  # the marks of UTF-16
            raise RefusedError(BINARY)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedError(NOT_UTF8) from None


def storable(text: str) -> str:
    """The text as UTF-8 and SQLite can store it: NUL becomes a space, a lone surrogate becomes U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return _UNSAFE.sub(lambda match: " " if match[0] == "\0" else "\ufffd", text)


def storable_value(value: object) -> FieldValue:
    """Any value as JSON can hold it: NaN and infinity become None, dates ISO 8601, other objects their `str`."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if value - value == 0 else None
        case str():
            return storable(value)
        case list() | tuple():
            return [storable_value(part) for part in value]
        case dict():
            return {storable(str(key)): storable_value(part) for key, part in value.items()}
        case bytes():
            return storable(value.decode("utf-8", "replace"))
    return storable(str(value.isoformat() if hasattr(value, "isoformat") else value))
