r"""Rows of csv and tsv, whose first row names the columns.

    csv    RFC 4180: a cell in quotes may have delimiters, line breaks and doubled quotes, the header too
    tsv    text/tab-separated-values of IANA: no quotes; a line is a row

Lines end in LF, CR LF or CR. The delimiter of csv is a comma, a semicolon, a tab or a bar: the one that a first line
`sep=;` names, as Excel writes it, or else the one with which most of the first rows have as many cells as the header.
Before the header may be blank lines and comments (`# …`).

One bad row is one skipped row. Of a quote that is never closed the first line is skipped, and the next line starts a
row. Empty cells behind the last column are left out, and cells that are missing are empty.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import TextIOWrapper
from itertools import islice
from typing import IO, Literal

from textae.corpus import reading
from textae.corpus.reading import FileError, RefusedError
from textae.corpus.rows import LOST_AFTER, MOST_COLUMNS, Row, add_column, as_utf8

DELIMITERS = ",;\t|"
NONE = "\x1f"
"""The delimiter of a table of one column; the separator of units, which no text has."""

UNCLOSED = "a quote that is never closed"
UNCLOSED_AND_LOST = UNCLOSED + LOST_AFTER

Record = tuple[int, list[str] | str]
"""The line that a row starts at, and its cells or the reason to skip it."""

_READ_AGAIN = 4 * reading.LONGEST  # characters of a table, in all; without it `x","`, line after line, takes its square
_FIRST = 50  # lines that tell the delimiter
_SAMPLE = 1 << 16  # characters of them
_NAMED = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


def csv_rows(stream: IO[bytes], name: str, delimiter: str) -> Iterator[Row]:
    """The rows of a file, by their first line.

    Args:
        stream: of the file.
        name: of the file, for messages.
        delimiter: a tab for tsv, without quotes; "" for that of the file.

    Raises:
        FileError: the header cannot be read.
    """
    # One setting for the process, whose default is a short novel; `_records` gives no row more than this.
    csv.field_size_limit(2 * reading.LONGEST)
    # What is not UTF-8 becomes surrogates, so that one row is lost and not the file.
    with TextIOWrapper(as_utf8(stream), "utf-8", "surrogateescape", newline="") as text:
        yield from _named(_records_of(_Lines(text), delimiter), name)


def _records_of(lines: "_Lines", delimiter: str) -> Iterator[Record]:
    is_quoted = delimiter != "\t"
    if named := _NAMED.fullmatch(lines.peek(1)[0]) if is_quoted else None:
        next(lines)
        delimiter = named[1]
    lines.skip_comments(delimiter)
    return _records(lines, delimiter or _delimiter(lines.peek(_FIRST)), is_quoted)


def _named(records: Iterator[Record], name: str) -> Iterator[Row]:
    """The rows, with the names of their columns from the first record that has a cell."""
    header = next((cells for _, cells in records if isinstance(cells, str) or any(map(str.strip, cells))), [])
    if isinstance(header, str):
        message = f"{name}: the header cannot be read: {header}; a table starts with the names of its columns"
        raise FileError(message, header)
    if len(header) > MOST_COLUMNS:  # a row of two bytes would have as many fields
        raise FileError(f"{name}: {len(header):,} columns; at most {MOST_COLUMNS:,}", "too many columns")
    columns: dict[str, None] = {}
    for cell in header:
        add_column(columns, re.sub(r"\s*[\r\n]\s*", " ", reading.storable(cell)).strip())
    width = len(columns)
    for line, cells in records:
        if isinstance(cells, str):
            yield line, cells
        elif len(cells) > width and any(cells[width:]):
            yield line, "more cells than columns"
        elif cells:
            row = dict(zip(columns, map(reading.storable, cells), strict=False))
            yield line, row if len(row) == width else dict.fromkeys(columns, "") | row


class _Lines(Iterator[str | None]):
    """The lines of a text with their ends; None for one that is longer than `LONGEST`.

    Attributes:
        number: of the line that is next.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._ahead: deque[str | None] = deque()
        self.number = 1

    def __next__(self) -> str | None:
        if self._ahead:
            line = self._ahead.popleft()
        else:
            line = self._text.readline(reading.LONGEST + 1)
            if not line:
                raise StopIteration
            is_long, end = len(line) > reading.LONGEST, line
            while is_long and end and not end.endswith(("\n", "\r")):
                end = self._text.readline(reading.LONGEST)
            line = None if is_long else line
        self.number += 1
        return line

    def put_back(self, lines: Iterable[str | None]) -> None:
        """Give these lines again."""
        before = len(self._ahead)
        self._ahead.extendleft(lines)
        self.number -= len(self._ahead) - before

    def peek(self, n: int) -> list[str]:
        """At most n lines that follow, fewer where they are long; one that is empty where there is none."""
        lines, size = list[str | None](), 0
        for line in islice(self, n):
            lines.append(line)
            size += len(line or "")
            if size > _SAMPLE:
                break
        self.put_back(reversed(lines))
        return [line for line in lines if line] or [""]

    def skip_comments(self, delimiter: str) -> None:
        """Leave out the blank lines and comments before the header; a comment has fewer cells than the line behind."""

        def cells(line: str) -> int:
            return max(line.count(one) for one in delimiter or DELIMITERS)

        lines = [line.strip() for line in self.peek(_FIRST)]
        header = next((line for line in lines if line and line[0] != "#"), "")
        for line in lines:
            if line and not (line[0] == "#" and cells(line) < cells(header)):
                return
            next(self, None)


def _delimiter(lines: list[str]) -> str:
    """The delimiter of the file that begins with these lines."""
    sample = "".join(lines)[:_SAMPLE]
    sample = sample[: sample.rfind("\n") + 1] or sample

    def regularity(delimiter: str) -> tuple[int, int]:
        try:
            rows = [row for row in csv.reader(sample.splitlines(keepends=True), delimiter=delimiter) if row]
        except csv.Error:
            return 0, 0
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) if width > 1 else 0), width

    best = max(DELIMITERS, key=regularity)
    return best if regularity(best)[0] else NONE


def _records(lines: _Lines, delimiter: str, is_quoted: bool) -> Iterator[Record]:
    """The rows of the lines."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE
    reader = partial(csv.reader, delimiter=delimiter, quoting=quoting)
    patience = _READ_AGAIN
    record: list[str] = []

    def lines_of_record() -> Iterator[str]:
        size = 0
        for line in lines:
            if line is None:
                record.append("")
                raise RefusedError(reading.TOO_LONG)
            record.append(line)
            yield line
            size += len(line)
            if size > reading.LONGEST:
                raise RefusedError(UNCLOSED_AND_LOST)

    while True:
        record.clear()
        number = lines.number
        cells: list[str] | str
        try:
            cells = next(reader(lines_of_record(), strict=True), [])
            "".join(record).encode()  # fails where a line was not UTF-8
        except UnicodeEncodeError:
            cells = reading.NOT_UTF8
        except RefusedError as error:
            cells = str(error)
        except csv.Error:  # a quote inside of a cell, or the end of the file inside of quotes
            tolerant = reader([record[0], ""])
            cells = next(tolerant)
            escaped = _escaped(reader, record[0]) if '\\"' in record[0] else []
            if escaped or len(record) > 1 or tolerant.line_num > 1:  # in one line, `"so" it is` means what it says
                patience -= sum(map(len, record[1:]))
                cells = (escaped or UNCLOSED) if patience >= 0 else UNCLOSED_AND_LOST
                if patience >= 0:
                    lines.put_back(reversed(record[1:]))
        if not record:
            return
        yield number, cells


def _escaped(reader: Callable[..., Iterator[list[str]]], line: str) -> list[str]:
    """The cells of a line whose quotes have a backslash before them, as MySQL writes them; none where they do not."""
    try:
        return next(reader([line], escapechar="\\", strict=True))
    except csv.Error:
        return []
