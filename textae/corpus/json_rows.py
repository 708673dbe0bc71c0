"""Rows of JSON: one object a line, or objects that are written in another way.

A file whose lines are objects (jsonl, ndjson) is read line by line, and a bad line costs one row. A file that begins
with a list, or with an object of several lines, is read as a sequence of objects, in pieces; between them may be
commas, the brackets of the list, and the record separators of RFC 7464. After a bad object, the next one that begins on
a line of its own with the same indentation is read.

Numbers keep their type. One that is an id, a title or a text is read as it is written (1.10), and so is one that no
double can hold (1e999). NaN and infinity, which JSON does not have and Python writes, are None.
"""

import codecs
import json
import math
import re
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import IO, cast

from textae.corpus import reading
from textae.corpus.rows import LOST_AFTER, Row, as_utf8
from textae.types import FieldValue, is_deeper

NOT_JSON = "not JSON"

TOO_MANY = "more than a million values"

_MOST_VALUES = 1_000_000  # strings, lists and objects of a row; 16 MiB of lists would take 3 GB and half a minute
_DEEPEST = 100  # levels of a value; a few hundred would be too many for Python's stack
_PIECE = 1 << 20
_BETWEEN = re.compile(r"[\s,\[\]\x1e]*")
_ENDS_LATER = 16  # characters; an error this near to the end of a piece may be that of a token that is cut


class Written(float):
    """A number, and how it is written."""

    __slots__ = ("text",)
    text: str


def json_rows(stream: IO[bytes]) -> Iterator[Row]:
    """The rows of a file of JSON objects, by their first line."""
    stream = as_utf8(stream)
    if stream.peek(1).lstrip()[:1] in (b"[", b"\x1e"):
        yield from _Sequence(stream, "", 1).rows()
        return
    is_first = True
    for number, line in enumerate(reading.lines(stream), start=1):
        if line is None:
            yield number, reading.TOO_LONG
        elif line.strip():
            try:
                text = line.decode()
            except UnicodeDecodeError:
                yield number, reading.NOT_UTF8
                continue
            if _has_too_many(text):
                yield number, TOO_MANY
                continue
            try:
                yield number, _row(_decode(text), text)
            except RecursionError:
                yield number, NOT_JSON
            except ValueError as error:
                if is_first and _is_cut(error, text):
                    yield from _Sequence(stream, text, number).rows()
                    return
                yield from _several(number, text)
            is_first = False


def _number(text: str) -> float | str:
    value = float(text)
    if repr(value) == text:
        return value
    if math.isinf(value):
        return text
    written = Written(value)
    written.text = text
    return written


_DECODER = json.JSONDecoder(parse_float=_number)
_decode = _DECODER.decode


def _row(value: object, text: str, start: int = 0, end: int | None = None) -> Mapping[str, FieldValue] | str:
    """The row of a value, of which `text[start:end]` is the JSON; or the reason to skip it."""
    if text.count("[", start, end) + text.count("{", start, end) > _DEEPEST and is_deeper(value, _DEEPEST):
        return reading.NESTED
    if not isinstance(value, dict):
        return "not a JSON object"
    return cast("dict[str, FieldValue]", reading.storable_value(value))


def _several(number: int, text: str) -> Iterator[Row]:
    """The objects of one line; after a bad one, the rest of the line is lost."""
    at = 0
    while found := _BETWEEN.match(text, at):
        if (at := found.end()) == len(text):
            return
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            yield number, NOT_JSON
            return
        yield number, _row(value, text, at, end)
        at = end


class _Sequence:
    """The objects of a file that is read in pieces.

    Args:
        stream: the rest of the file.
        text: what was read of it.
        line: the number of the line on which that begins.
    """

    def __init__(self, stream: BufferedReader, text: str, line: int) -> None:
        self._pieces = codecs.iterdecode(iter(lambda: stream.read(_PIECE), b""), "utf-8", "replace")
        self._text, self._line = text, line
        self._at = 0  # where the next object begins
        self._is_whole = False  # whether no more text will come

    def rows(self) -> Iterator[Row]:
        while self._skip_between():
            if _has_too_many(self._text, self._at):
                yield self._line, TOO_MANY if self._skip_object() else TOO_MANY + LOST_AFTER
                continue
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                size, is_cut = len(self._text) - self._at, _is_cut(error, self._text)
                if is_cut and not self._is_whole and size <= reading.LONGEST:
                    self._grow(size)  # to twice the size, so that a long object is not parsed too often
                    continue
                line, reason = self._line, NOT_JSON if size <= reading.LONGEST else reading.TOO_LONG
                yield line, reason if self._skip_object() or is_cut else reason + LOST_AFTER
            else:
                is_long = end - self._at > reading.LONGEST
                yield self._line, reading.TOO_LONG if is_long else _row(value, self._text, self._at, end)
                self._move(end)

    def _skip_between(self) -> bool:
        """Move to the next object; False at the end of the file."""
        while True:
            found = _BETWEEN.match(self._text, self._at)
            self._move(found.end() if found else self._at)
            if self._at < len(self._text) or self._is_whole:
                return self._at < len(self._text)
            self._grow(1)

    def _skip_object(self) -> bool:
        """Move behind an object that cannot be read; False where the next one is not found."""
        indentation = self._text[self._text.rfind("\n", 0, self._at) + 1 : self._at]
        following = re.compile(rf"\n{'' if indentation.strip() else indentation}(?=\{{)")
        while not (found := following.search(self._text, self._at + 1)):
            if self._is_whole:
                self._move(len(self._text))
                return False
            self._move(max(self._at, len(self._text) - len(indentation) - 1))  # which may be cut
            self._grow(1)
        self._move(found.end())
        return True

    def _move(self, at: int) -> None:
        self._line += self._text.count("\n", self._at, at)
        self._at = at

    def _grow(self, size: int) -> None:
        """Read so many characters more, and forget those of the objects before."""
        parts = [self._text[self._at :]]
        while size > 0 and not self._is_whole:
            parts.append(next(self._pieces, ""))
            size -= len(parts[-1])
            self._is_whole = not parts[-1]
        self._text, self._at = "".join(parts), 0


def _is_cut(error: Exception, text: str) -> bool:
    """Whether a value is wrong only where the text ends, as far as an error tells."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.pos >= len(text.rstrip()) - _ENDS_LATER or error.msg.startswith("Unterminated string")


def _has_too_many(text: str, start: int = 0) -> bool:
    if len(text) - start <= _MOST_VALUES:
        return False
    return text.count('"', start) // 2 + text.count("[", start) + text.count("{", start) > _MOST_VALUES
