"""Rows of tables in text: their type, the names of their columns, and a stream in any encoding as UTF-8.

Without a byte order mark, a table is UTF-8 up to the first bytes that are not. There its encoding is guessed, from the
piece that they are in. Where the rest of the piece is UTF-8, it is that of the table, and the row is lost.
"""

import codecs
import contextlib
from collections.abc import Iterator, Mapping
from io import BufferedReader, RawIOBase
from itertools import chain
from typing import IO, Any, cast

from textae.corpus.decoding import decode
from textae.corpus.reading import RefusedError
from textae.types import FieldValue

Row = tuple[int, Mapping[str, FieldValue] | str]
"""The line or the number of a row, and its values by column or the reason to skip it."""

MOST_COLUMNS = 1 << 14
"""Columns of a table, at most, as in Excel and in LibreOffice."""

_PIECE = 1 << 16

LOST_AFTER = ", and the rows after it"

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is its beginning
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def add_column(columns: dict[str, None], name: str) -> None:
    """Add the name of the next column; a column without a name, or with one that is taken, is numbered."""
    number = len(columns) + 1
    name = name or f"column {number}"
    while name in columns:
        name = f"{name}.{number}"
    columns[name] = None


def as_utf8(stream: IO[bytes]) -> BufferedReader:
    """A stream of a `Recoded`, without a byte order mark; to close it leaves the given one open."""
    buffered = stream if isinstance(stream, BufferedReader) else BufferedReader(cast("RawIOBase", stream))
    if isinstance(buffered.raw, Recoded):
        return buffered
    return BufferedReader(Recoded(buffered, _encoding(buffered.peek(4))), _PIECE)


def _encoding(start: bytes) -> str:
    """The encoding of a file that begins so; "" for UTF-8 without a mark."""
    return next((encoding for mark, encoding in _MARKS.items() if start.startswith(mark)), "")


class Recoded(RawIOBase):
    """A stream as UTF-8; what is not UTF-8 in a file that claims to be stays as it is.

    Args:
        stream: in any encoding.
        encoding: of the stream; "" to guess it where it is not UTF-8.

    Attributes:
        is_guessed: whether it was guessed, as far as the stream is read.
    """

    def __init__(self, stream: BufferedReader, encoding: str) -> None:
        errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
        pieces = iter(lambda: stream.read1(_PIECE), b"")  # a pipe gives what it has
        self.is_guessed = False
        self._pieces = _recoded(pieces, encoding, errors) if encoding else self._guessed(pieces)
        self._rest = memoryview(b"")

    def _guessed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder("utf-8")()
        cut, is_ascii = b"", True  # the beginning of a letter that goes on in the next piece
        for piece in pieces:
            if not cut and piece.isascii() and b"\0" not in piece:  # which takes a tenth of the time to decode it
                yield piece
                continue
            whole, text = cut + piece, None
            with contextlib.suppress(UnicodeDecodeError):
                text = decoder.decode(piece)
            if is_ascii and (text is None or "\0" in text) and (encoding := _guess(whole)):
                self.is_guessed = True
                yield from _recoded(chain([whole], pieces), encoding, "replace")
                return
            if text is None:
                yield whole
                yield from pieces
                return
            is_ascii &= text.isascii()
            cut = decoder.getstate()[0]
            yield whole[: len(whole) - len(cut)]
        yield cut

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes, 0 at the end."""
        self._rest = self._rest or memoryview(next(self._pieces, b""))
        content, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(content)] = content
        return len(content)


def _recoded(pieces: Iterator[bytes], encoding: str, errors: str) -> Iterator[bytes]:
    return codecs.iterencode(codecs.iterdecode(pieces, encoding, errors), "utf-8", errors)


def _guess(piece: bytes) -> str:
    """The likeliest encoding of a piece; "" where it is UTF-8 with bad bytes in it, or no text."""
    try:
        encoding = decode(piece).encoding
    except RefusedError:
        return ""
    return "" if encoding == "utf-8" else encoding
