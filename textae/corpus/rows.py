"""Rows of tables in text: their type, the names of their columns, and a stream in any encoding as UTF-8."""

import codecs
from collections.abc import Mapping
from io import BufferedReader, RawIOBase
from typing import IO, Any, cast

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
    """A stream in UTF-8 without a byte order mark, whatever its encoding."""
    buffered = stream if isinstance(stream, BufferedReader) else BufferedReader(cast("RawIOBase", stream))
    encoding = _encoding(buffered.peek(4))
    return BufferedReader(_Recoded(buffered, encoding), _PIECE) if encoding else buffered


def _encoding(start: bytes) -> str:
    """The encoding of a file that begins so; "" for UTF-8 without a mark."""
    return next((encoding for mark, encoding in _MARKS.items() if start.startswith(mark)), "")


class _Recoded(RawIOBase):
    """A stream in another encoding, as UTF-8; what is not UTF-8 in a file that claims to be stays as it is."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
        pieces = iter(lambda: stream.read(_PIECE), b"")
        self._pieces = codecs.iterencode(codecs.iterdecode(pieces, encoding, errors), "utf-8", errors)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        content, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(content)] = content
        return len(content)
