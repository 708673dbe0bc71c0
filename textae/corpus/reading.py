"""Bytes from files, pipes and gzip, with a bound on the memory for one document.

A document (a line of a table, a text file, a message) is at most `LONGEST` bytes. A longer one is read past in pieces
and counted as skipped, so a line of 200 MB takes no more memory than any other.
"""

import errno
import gzip
import os
import re
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
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

TOO_LONG = f"longer than {LONGEST >> 20} MiB"
NOT_UTF8 = "not UTF-8"
BINARY = "binary"
EMPTY = "empty"
DENIED = "permission denied"
DAMAGED = "damaged"
GONE = "gone"
BROKEN_LINK = "a link to nothing"
NESTED = "nested too deeply"
DELETED = "deleted"

PACKINGS = (".gz", ".bz2", ".xz", ".zst")
"""The endings of compressed files."""

_PIECE = 1 << 20
_USUAL = 1 << 16
_BOM = b"\xef\xbb\xbf"
_MAILDIR = re.compile(r"[0-9]{6,}\.[^.].*")  # the time of delivery, and what makes the name unique
_BEGINS_BOX = re.compile(rb"From (?:- |\S+ .{0,200}\d\d:\d\d).{0,200}\n[!-9;-~]{1,80}:")
_BEGINS_MAIL = re.compile(rb"[!-9;-~]{1,80}: .{0,1000}\n(?:[!-9;-~]{1,80}:|[ \t])")
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one document may take; a document that takes more is skipped.

    Attributes:
        seconds: since the document before it; a reader that is waited for has not used them.
        memory: bytes, beyond those of a reader that has just started.
        longest: bytes of the document; a longer text is read in parts.
    """

    seconds: float = 30
    memory: int = 1 << 30
    longest: int = LONGEST

    @property
    def too_slow(self) -> str:
        """The reason to skip a document that takes too long."""
        return f"took more than {self.seconds:g} s; give a larger --timeout"

    @property
    def too_much(self) -> str:
        """The reason to skip a document that takes too much memory."""
        return f"needs more than {self.memory / 2**30:g} GB of memory"


DEFAULT = Limits()


def too_long(longest: int) -> str:
    """The reason to skip a document that is longer than so many bytes."""
    return f"longer than {longest / 2**20:g} MiB"


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
    """A file that is read only as long as a stopwatch allows; reading a fifo waits for its writer without a bound.

    A file that grows is read to the size that it had: a log that is written faster than it is read has no end.
    """

    stopwatch: Stopwatch | None = None

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        status = os.fstat(self.fileno())
        self._is_fifo = stat.S_ISFIFO(status.st_mode)
        self._size = status.st_size if stat.S_ISREG(status.st_mode) else 0  # files of /proc have none
        if stat.S_ISREG(status.st_mode) and not self._size and os.name == "posix":
            os.set_blocking(self.fileno(), False)  # /proc/kmsg gives nothing until something happens

    def readinto(self, buffer: Any) -> int | None:
        if self.stopwatch is not None and self.stopwatch.is_late and not self._is_fifo:
            raise LateError
        if self._size and (left := self._size - self.tell()) < len(buffer):
            if left <= 0:
                return 0
            buffer = memoryview(buffer)[:left]
        size = super().readinto(buffer)
        if size is None:  # such as /proc/kmsg, which waits for the kernel to say something
            raise BlockingIOError(errno.EAGAIN, "gives nothing now")
        return size

    def readall(self) -> bytes:
        buffer = bytearray(_PIECE)
        return b"".join(bytes(buffer[:size]) for size in iter(lambda: self.readinto(buffer) or 0, 0))


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


def without_packing(path: P) -> P:
    """The path without the ending of a compression, such as .gz."""
    return path.with_suffix("") if path.suffix.lower() in PACKINGS else path


def unpacked(raw: IO[bytes], ending: str) -> IO[bytes]:
    """A stream of what is packed in another.

    Args:
        raw: the packed bytes.
        ending: one of `PACKINGS`.

    Raises:
        RefusedError: no package for it is installed.
    """
    match ending:
        case ".gz":
            stream: Any = gzip.GzipFile(fileobj=raw)
        case ".bz2":
            import bz2

            stream = bz2.BZ2File(raw)
        case ".xz":
            import lzma

            stream = lzma.LZMAFile(raw)  # noqa: SIM115 (the caller closes it)
        case _:
            module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
            try:
                stream = import_module(module).ZstdFile(raw)
            except ModuleNotFoundError:
                raise RefusedError("zstd: needs pip install 'textae[documents]'") from None
    return cast("IO[bytes]", BufferedReader(stream))


def packing_errors() -> tuple[type[Exception], ...]:
    """What is raised for packed files that are damaged; those of bz2 are also an `OSError`."""
    import lzma  # not needed to read a file that is whole

    zstd = sys.modules.get("compression.zstd") or sys.modules.get("backports.zstd")
    return (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, *([zstd.ZstdError] if zstd else []))


@contextmanager
def opened(path: Path, stopwatch: Stopwatch | None = None) -> Iterator[IO[bytes]]:
    """Open a file, unpacked where it ends in one of `PACKINGS`.

    Args:
        path: of the file.
        stopwatch: checked at each read.

    Raises:
        FileError: it cannot be opened or read, or is damaged; also from inside of the block.
    """
    try:
        with BufferedReader(file := _TimedFile(path)) as raw:
            file.stopwatch = stopwatch
            yield raw if path == without_packing(path) else unpacked(raw, path.suffix.lower())
    except RefusedError as error:
        raise FileError(f"{path}: {error}", str(error)) from None
    except packing_errors() as error:
        packing = path.suffix.lower()[1:].replace("gz", "gzip")
        message = f"{path}: the {packing} file is cut off or damaged ({error}); fetch or pack it anew"
        raise FileError(message, DAMAGED) from error
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}", reason_of(error)) from error


def reason_of(error: OSError) -> str:
    """The reason to skip a file that cannot be opened or read."""
    return GONE if isinstance(error, FileNotFoundError) else (error.strerror or DAMAGED).lower()


def is_in_maildir(path: PurePath) -> bool:
    """Whether a file is a mail in a Maildir: `cur/1700000000.M1P2.host:2,S`, which has no ending."""
    return bool(_MAILDIR.fullmatch(path.name)) and path.parent.name in ("cur", "new")


def ending_of_mail(path: PurePath) -> str:
    """The ending that a file of mail could have: `.mbox` of Thunderbird's `Inbox`, `.eml` of `12` in a folder of MH."""
    try:
        if not isinstance(path, Path) or not stat.S_ISREG(path.stat().st_mode):  # to open a pipe is to read from it
            return ""
        with path.open("rb", buffering=0) as file:
            head = file.read(1_500) or b""
    except OSError:
        return ""
    is_mail = path.name.isdigit() and _BEGINS_MAIL.match(head)
    return ".mbox" if _BEGINS_BOX.match(head) else ".eml" if is_mail else ""


def is_deleted_mail(path: PurePath) -> bool:
    """Whether the user deleted a mail in a Maildir: whether it has the flag T, trashed."""
    return is_in_maildir(path) and "T" in path.name.rpartition("2,")[2]


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


def whole(stream: IO[bytes], longest: int = LONGEST) -> bytes:
    """All of a stream.

    Raises:
        RefusedError: it is longer than `longest`.
    """
    # Python makes room for all that it is asked to read; for 16 MiB, that takes half of the time of a small file.
    content = stream.read(min(_USUAL, longest + 1))
    if len(content) == _USUAL:
        content += stream.read(longest + 1 - _USUAL)
    if len(content) > longest:
        raise RefusedError(too_long(longest))
    return content


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
