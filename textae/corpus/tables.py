r"""Tables: each row is a document, each column that is not its id, title or text is a field.

A table is jsonl (one JSON object a line), csv, tsv, or parquet. Unless a `TableSpec` says otherwise the id is the
column `id` or `_id`, else the file's name and the row's line; the title is `title`; the text is the first of
`TEXT_FIELDS` that the table has. A row with a title and an empty text is a document; one with neither is skipped as
empty. Rows are read one at a time.

Values keep their type. csv has none: there, a cell written as a plain number (`-?[0-9]+(\.[0-9]+)?`, without leading
zeros, of at most 15 digits) is a number, an empty one is None, anything else is text. Where a quote is opened and never
closed, its line is skipped and the next one read as a row of its own.
"""

import csv
import json
import re
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from textae.corpus import reading as streams
from textae.corpus.reading import FileError
from textae.errors import ExtraMissingError, needs_extra
from textae.types import Document, FieldValue, Skipped

ID_FIELDS = ("id", "_id")
TITLE_FIELDS = ("title",)
TEXT_FIELDS = ("text", "body", "content", "abstract", "description")

PATIENCE = 1_000
"""Rows without a field that was asked for, after which the table is taken not to have it."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DIGITS = 15  # what a float keeps
_BATCH = 256
_READ_AGAIN = 4 * streams.LONGEST  # characters of a table, in all; else `x","`, line after line, takes its square
_UNCLOSED = "a quote that is never closed"
_UNCLOSED_AND_LOST = "a quote that is never closed, and the rows after it"

Row = tuple[int, Mapping[str, FieldValue] | str]
"""Where a row stands (its line, or its number) and what it holds, or why it cannot be taken."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """How the rows of a table become documents, and which of them.

    Attributes:
        id_field: the column of the id.
        title_field: the column of the title.
        text_field: the column of the text.
        select: (field, value) pairs; a document is taken where all hold.
    """

    id_field: str | None = None
    title_field: str | None = None
    text_field: str | None = None
    select: tuple[tuple[str, str], ...] = ()

    def selects(self, fields: Mapping[str, FieldValue]) -> bool:
        """Whether a document with these fields is wanted."""
        return all(field in fields and _equal(fields[field], value) for field, value in self.select)


class FieldMissingError(FileError):
    """A table does not have a column that it needs."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "a table without the fields")


def read_rows(rows: Iterator[Row], name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    """The documents of a table.

    Args:
        rows: in order.
        name: of the table, for ids and messages.
        spec: how to read it.

    Raises:
        FieldMissingError: no row, or none of the first thousand, has a column that is needed.
    """
    names = _Names(name, spec)
    without: list[Skipped] = []  # rows without a field: held back until it is sure that the table has it
    for line, row in rows:
        place = f"{name}:{line}"
        if isinstance(row, str):
            yield Skipped(place, row)
            continue
        missing = names.look_for(row)
        if not spec.selects(row):
            continue
        if missing:
            without.append(Skipped(place, f"no field {missing!r}"))
        if len(without) == PATIENCE or not missing:
            yield from without
            without.clear()
        if not missing:
            yield _document(row, names, place)
    names.check()
    yield from without


def json_rows(stream: IO[bytes]) -> Iterator[Row]:
    """The rows of a jsonl file; blank lines are none."""
    for number, line in enumerate(streams.lines(stream), start=1):
        if line is None:
            yield number, streams.TOO_LONG
        elif line.strip():
            yield number, _json_row(line)


def csv_rows(stream: IO[bytes], name: str, *, delimiter: str = "") -> Iterator[Row]:
    """The rows of a csv file, whose first line names the columns.

    Args:
        stream: of the file.
        name: of the file.
        delimiter: where it is not given, a comma or a semicolon, of which the header has more.

    Raises:
        FileError: the header cannot be read.
    """
    # One setting for the process, whose default is a short novel; `_Lines` gives no row more than this.
    csv.field_size_limit(2 * streams.LONGEST)
    cells = _Lines(stream)
    try:
        header = next(cells, "")
    except streams.RefusedError as error:
        message = f"{name}: the header is {error}; a table starts with the names of its columns"
        raise FileError(message, str(error)) from None
    delimiter = delimiter or max(",;", key=header.count)
    columns = _unique(next(csv.reader([header], delimiter=delimiter), []))
    strict = csv.reader(cells, delimiter=delimiter, strict=True)
    tolerant = csv.reader(cells, delimiter=delimiter)
    while True:
        line = cells.begin()
        try:
            row = _csv_cells(cells, strict, tolerant)
        except StopIteration:
            return
        except streams.RefusedError as error:
            yield line, str(error)
        else:
            if row:
                yield line, _csv_row(columns, row)


def parquet_rows(path: Path) -> Iterator[Row]:
    """The rows of a parquet file, numbered from 1; of a packed one, through a temporary file.

    Raises:
        FileError: it cannot be read.
    """
    try:
        with needs_extra("tables", "reading .parquet files"):
            from pyarrow import ArrowException  # .1 s, and only here
            from pyarrow.parquet import ParquetFile
    except ExtraMissingError as error:
        raise FileError(f"{path}: {error}", "needs textae[tables]") from None

    number = 0
    try:
        with streams.snapshot(path) as stream, tempfile.TemporaryFile() as unpacked:
            packed = path.suffix.lower() == ".gz"
            if packed:
                shutil.copyfileobj(stream, unpacked)
            for batch in ParquetFile(unpacked if packed else stream).iter_batches(_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, cast("dict[str, FieldValue]", streams.storable_value(row))
    except (ArrowException, ValueError, OverflowError) as error:  # the latter two from a value that Python cannot have
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        message = f"{path}: not a parquet file, or a damaged one ({reason}); write it anew"
        raise FileError(message, streams.DAMAGED) from error


class _Names:
    """Which columns are what; learned from the rows as they pass."""

    def __init__(self, table: str, spec: TableSpec) -> None:
        self._table, self._rows = table, 0
        self._columns: dict[str, None] = {}
        self._wanted = {field: True for field, _ in spec.select}
        self._wanted |= dict.fromkeys(filter(None, (spec.id_field, spec.title_field, spec.text_field)), True)
        self._required = [field for field in (spec.id_field, spec.text_field) if field]
        self.text = spec.text_field
        self.id = (spec.id_field,) if spec.id_field else ID_FIELDS
        self.title = (spec.title_field,) if spec.title_field else TITLE_FIELDS

    def look_for(self, row: Mapping[str, FieldValue]) -> str:
        """Take note of a row's columns; gives the name of one that it should have and does not.

        Raises:
            FieldMissingError: too many rows have gone by without.
        """
        self._rows += 1
        if len(self._columns) < PATIENCE:
            self._columns.update(dict.fromkeys(row))
        for field in [field for field in self._wanted if field in row]:
            del self._wanted[field]
        if self.text is None:
            self.text = next((field for field in TEXT_FIELDS if field in row), None)
        if self._rows == PATIENCE:
            self.check()
        if self.text is None:
            return TEXT_FIELDS[0]
        return next((field for field in (*self._required, self.text) if field not in row), "")

    def check(self) -> None:
        """See whether all that is needed was found.

        Raises:
            FieldMissingError: it was not.
        """
        if not self._rows or (self.text and not self._wanted):
            return
        wanted = next(iter(self._wanted), TEXT_FIELDS[0])
        there = ", ".join(sorted(self._columns)[:20]) or "none"
        hint = "" if self._wanted else "; --text-field names the column of the text"
        raise FieldMissingError(f"{self._table}: no field {wanted!r}; its fields are {there}{hint}")


class _Lines:
    """The decoded lines of a file, for a csv reader: a line that cannot be taken raises, and the next one follows.

    Attributes:
        record: the lines since `begin`: those of one row.
        ended: whether more of them were asked for than the file has; so it ends inside quotes.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines = streams.lines(stream)
        self._again: deque[str] = deque()
        self._patience = _READ_AGAIN
        self._number = self._size = 0
        self.record: list[str] = []
        self.ended = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._size > streams.LONGEST:
            raise streams.RefusedError(_UNCLOSED_AND_LOST)
        line = self._again.popleft() if self._again else self._decoded()
        self._number += 1
        self._size += len(line)
        self.record.append(line)
        return line

    def begin(self) -> int:
        """Start a row; gives the number of its first line."""
        self.record, self._size, self.ended = [], 0, False
        return self._number + 1

    def again(self, start: int) -> bool:
        """Whether the lines of the row from one on will be given again; not if that was asked for too often."""
        lines = self.record[start:]
        self._patience -= sum(map(len, lines))
        if self._patience < 0:
            return False
        self._again.extendleft(reversed(lines))
        self._number -= len(lines)
        return True

    def _decoded(self) -> str:
        try:
            line = next(self._lines)
        except StopIteration:
            self.ended = True
            raise
        try:
            if line is not None:
                return line.decode("utf-8")
            reason = streams.TOO_LONG
        except UnicodeDecodeError:
            reason = streams.NOT_UTF8
        self._number += 1
        raise streams.RefusedError(reason)


def _document(row: Mapping[str, FieldValue], names: _Names, place: str) -> Document | Skipped:
    id_field = next((field for field in names.id if row.get(field) is not None), None)
    title_field = next((field for field in names.title if field in row), None)
    title = " ".join(as_text(row[title_field]).split()) if title_field else ""
    text = as_text(row[names.text]) if names.text else ""
    if not (title or text.strip()):
        return Skipped(place, streams.EMPTY)
    fields = {field: value for field, value in row.items() if field not in (id_field, title_field, names.text)}
    return Document(as_text(row[id_field]) if id_field else place, text, title, fields, place)


def as_text(value: FieldValue) -> str:
    """A value in words: text as it is, nothing for None, else as JSON writes it."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _equal(value: FieldValue, wanted: str) -> bool:
    """Whether a value is what was written on the command line; numbers by what they are, not by how they look."""
    if as_text(value) == wanted:
        return True
    if isinstance(value, bool) or not isinstance(value, int | float) or not _NUMBER.fullmatch(wanted):
        return False
    return float(wanted) == value


def _json_row(line: bytes) -> Mapping[str, FieldValue] | str:
    try:
        row = json.loads(line.decode("utf-8"))
        if not isinstance(row, dict):
            return "not a JSON object"
        return cast("dict[str, FieldValue]", streams.storable_value(row))
    except UnicodeDecodeError:
        return streams.NOT_UTF8
    except (ValueError, RecursionError):  # no JSON; a number of thousands of digits; brackets without end
        return "not JSON"


def _csv_cells(cells: _Lines, strict: Iterator[list[str]], tolerant: Iterator[list[str]]) -> list[str]:
    """The next row; where its quotes do not pair, as shows at the next quote or at the end, its first line is given up.

    Raises:
        RefusedError: a quote is never closed, or a line cannot be taken.
    """
    try:
        return next(strict)
    except csv.Error:
        pairs = len(cells.record) == 1 and not cells.ended and cells.again(0)
    if pairs:  # in one line, `"so" it is` means what it says
        cells.begin()
        try:
            row = next(tolerant)
        except csv.Error:  # all that a tolerant reader minds
            raise streams.RefusedError("a carriage return outside of quotes") from None
        if not cells.ended:
            return row
    raise streams.RefusedError(_UNCLOSED if cells.again(1) else _UNCLOSED_AND_LOST)


def _csv_row(columns: list[str], cells: list[str]) -> Mapping[str, FieldValue] | str:
    if len(cells) > len(columns):
        return "more cells than columns"
    cells += [""] * (len(columns) - len(cells))
    return {column: _typed(cell) for column, cell in zip(columns, cells, strict=True)}


def _typed(cell: str) -> FieldValue:
    if _NUMBER.fullmatch(cell) and len(cell) <= _DIGITS:
        return float(cell) if "." in cell else int(cell)
    return streams.storable(cell) or None


def _unique(columns: list[str]) -> list[str]:
    """Names of columns; one that is taken gets its place in the header behind it, one that is missing is its place."""
    names: list[str] = []
    for place, column in enumerate(columns, start=1):
        name = streams.storable(column.strip()) or f"column {place}"
        names.append(name if name not in names else f"{name}.{place}")
    return names
