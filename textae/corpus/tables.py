r"""Tables: each row is a document, each column that is not its id, title or text is a field.

A table is jsonl (one JSON object a line), csv or tsv; `textae.corpus.pandas_tables` reads others. Unless a `TableSpec`
names other columns, the id is the column `id` or `_id`, else the file's name and the row's line; the title is `title`;
the text is the first of `TEXT_FIELDS` that the row has. A row with a title and an empty text is a document; a row with
neither is skipped as empty. Rows are read one at a time.

Values keep their type. csv has none: a field that is a plain number (`-?[0-9]+(\.[0-9]+)?`, without leading zeros, of
at most 15 digits) is read as a number, an empty one as None, any other as text. Ids, titles and texts stay as they are
written, so `1.10` is not `1.1`. A quoted cell of csv may have line breaks (RFC 4180); of a quote that is never closed
the first line is skipped, and the next line starts a row. tsv has no quotes: a line is a row (IANA,
text/tab-separated-values).
"""

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import TextIOWrapper
from itertools import chain, zip_longest
from typing import IO, Literal, cast

from textae.corpus import reading
from textae.corpus.reading import FileError, Item, RefusedError
from textae.types import Document, FieldValue, Skipped, is_deeper

ID_FIELDS = ("id", "_id")
TITLE_FIELDS = ("title",)
TEXT_FIELDS = ("text", "body", "content", "abstract", "description")

MOST_COLUMNS = 1 << 14
"""Columns of a table, at most, as in Excel and in LibreOffice."""

PATIENCE = 1_000
"""Rows after which a field that no row had is taken to be missing from the table."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DEEPEST = 100  # levels of a value; a few hundred would be too many for Python's stack
_MOST_VALUES = 1_000_000  # strings, lists and objects of a row
_DIGITS = 15  # what a float keeps
_READ_AGAIN = 4 * reading.LONGEST  # characters of a table, in all; without it `x","`, line after line, takes its square
_UNCLOSED = "a quote that is never closed"
_UNCLOSED_AND_LOST = "a quote that is never closed, and the rows after it"

Row = tuple[int, Mapping[str, FieldValue] | str]
"""The line or the number of a row, and its values by column or the reason to skip it."""


class FieldMissingError(FileError):
    """A table has no column that a `TableSpec` names, or none for the text."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """How the rows of a table become documents, and which of them.

    Attributes:
        id_field: the column of the id.
        title_field: the column of the title.
        text_field: the column of the text.
        select: (field, value) pairs; documents that have all of them are read.
    """

    id_field: str | None = None
    title_field: str | None = None
    text_field: str | None = None
    select: tuple[tuple[str, str], ...] = ()

    def selects(self, fields: Mapping[str, FieldValue]) -> bool:
        """Whether a document with these fields is wanted."""
        return all(field in fields and _equal(fields[field], value) for field, value in self.select)


def read_jsonl(stream: IO[bytes], name: str, spec: TableSpec) -> Iterator[Item]:
    """The documents of a jsonl file; blank lines are no rows."""
    lines = enumerate(reading.lines(stream), start=1)
    return read_rows(((number, _json_row(line)) for number, line in lines if line is None or line.strip()), name, spec)


def read_csv(stream: IO[bytes], name: str, spec: TableSpec, *, delimiter: str = "") -> Iterator[Item]:
    """The documents of a csv or tsv file, whose first row names the columns.

    Args:
        stream: of the file.
        name: of the file, for ids and messages.
        spec: how to read it.
        delimiter: a tab for tsv; by default a comma or a semicolon, of which the first line has more.

    Raises:
        FileError: the header cannot be read, or lacks a column that is needed.
    """
    return read_rows(_csv_rows(stream, name, delimiter), name, spec, _number_or_text)


def read_rows(
    rows: Iterator[Row], name: str, spec: TableSpec, convert: Callable[[FieldValue], FieldValue] = lambda value: value
) -> Iterator[Item]:
    """The documents of a table, and None for each row that is not wanted.

    Args:
        rows: in order.
        name: of the table, for ids and messages.
        spec: how to read it.
        convert: makes a field of a cell; ids, titles and texts stay as they are written.

    Raises:
        FieldMissingError: a column that is needed is in no row, or in none of the first thousand.
    """
    ids = (spec.id_field,) if spec.id_field else ID_FIELDS
    titles = (spec.title_field,) if spec.title_field else TITLE_FIELDS
    texts = (spec.text_field,) if spec.text_field else TEXT_FIELDS
    named = [*dict(spec.select), *filter(None, (spec.id_field, spec.title_field))]
    absent: list[tuple[str, ...]] = [*((field,) for field in named), texts]  # no row so far had one of these columns
    columns: dict[str, None] = {}
    incomplete: list[Skipped] = []  # held back while the whole table may turn out to lack a column
    count = 0
    for line, row in rows:
        place = f"{name}:{line}"
        if isinstance(row, str):
            yield Skipped(place, row)
            continue
        count += 1
        if absent:
            columns.update(dict.fromkeys(list(row)[:PATIENCE]))
            absent = [fields for fields in absent if not any(field in row for field in fields)]
            if absent and count == PATIENCE:
                break
        fields = {field: convert(value) for field, value in row.items()}
        if not spec.selects(fields):
            yield None
            continue
        text_field = next((field for field in texts if field in row), "")
        missing = spec.id_field if spec.id_field and spec.id_field not in row else "" if text_field else texts[0]
        if missing:
            incomplete.append(Skipped(place, f"no field {missing!r}"))
        if not absent:
            yield from incomplete
            incomplete.clear()
        if not missing:
            id_field = next((field for field in ids if fields.get(field) is not None), "")
            title_field = next((field for field in titles if field in row), "")
            title, text = " ".join(as_text(row.get(title_field)).split()), as_text(row[text_field])
            id = as_text(row[id_field]) if id_field else place
            own = {field: value for field, value in fields.items() if field not in (id_field, title_field, text_field)}
            yield Document(id, text, title, own, place) if title or text.strip() else Skipped(place, reading.EMPTY)
    if absent and count:
        there = ", ".join(sorted(columns)[:20]) or "none"
        hint = "" if absent[0] != TEXT_FIELDS else "; --text-field names the column of the text"
        message = f"{name}: no field {absent[0][0]!r}; its fields are {there}{hint}"
        raise FieldMissingError(message, "a table without the fields")
    yield from incomplete


def as_text(value: FieldValue) -> str:
    """A value as text: a string as it is, "" for None, JSON for anything else."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _equal(value: FieldValue, wanted: str) -> bool:
    """Whether a value is the one on the command line; numbers are compared as numbers."""
    if as_text(value) == wanted:
        return True
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and bool(_NUMBER.fullmatch(wanted)) and float(wanted) == value


def _json_row(line: bytes | None) -> Mapping[str, FieldValue] | str:
    if line is None:
        return reading.TOO_LONG
    # A line of 16 MiB may hold five million lists, which would take 3 GB and half a minute.
    if len(line) > _MOST_VALUES and line.count(b'"') // 2 + line.count(b"[") + line.count(b"{") > _MOST_VALUES:
        return "more than a million values"
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return reading.NOT_UTF8
    except (ValueError, RecursionError):  # no JSON; a number of thousands of digits; brackets without end
        return "not JSON"
    if line.count(b"[") + line.count(b"{") > _DEEPEST and is_deeper(row, _DEEPEST):
        return reading.NESTED
    return cast("dict[str, FieldValue]", reading.storable_value(row)) if isinstance(row, dict) else "not a JSON object"


def _csv_rows(stream: IO[bytes], name: str, delimiter: str) -> Iterator[Row]:
    # One setting for the process, whose default is a short novel; `_records` gives no row more than this.
    csv.field_size_limit(2 * reading.LONGEST)
    lines = _text_lines(stream)
    first = next(lines, "")
    delimiter = delimiter or max(",;", key=(first or "").count)
    records = _records(chain([first], lines), delimiter)
    _, header = next(records, (1, []))
    if isinstance(header, str):
        message = f"{name}: the header cannot be read: {header}; a table starts with the names of its columns"
        raise FileError(message, header)
    if len(header) > MOST_COLUMNS:  # a row of two bytes would have as many fields
        raise FileError(f"{name}: {len(header):,} columns; at most {MOST_COLUMNS:,}", "too many columns")
    columns: dict[str, None] = {}
    for cell in header:
        add_column(columns, re.sub(r"\s*[\r\n]\s*", " ", reading.storable(cell)).strip())
    for line, cells in records:
        if isinstance(cells, str):
            yield line, cells
        elif len(cells) > len(columns):
            yield line, "more cells than columns"
        elif cells:
            yield line, dict(zip_longest(columns, map(reading.storable, cells), fillvalue=""))


def add_column(columns: dict[str, None], name: str) -> None:
    """Add the name of the next column; a column without a name, or with one that is taken, is numbered."""
    number = len(columns) + 1
    name = name or f"column {number}"
    while name in columns:
        name = f"{name}.{number}"
    columns[name] = None


def _records(lines: Iterator[str | None], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """The rows of a csv file: the line that each starts at, and its cells or the reason to skip it."""
    quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    reader = partial(csv.reader, delimiter=delimiter, quoting=quoting)
    read_again: deque[str | None] = deque()
    patience = _READ_AGAIN
    number = 1
    record: list[str] = []

    def lines_of_record() -> Iterator[str]:
        size = 0
        while line := read_again.popleft() if read_again else next(lines, ""):
            record.append(line)
            yield line
            size += len(line)
            if size > reading.LONGEST:
                raise RefusedError(_UNCLOSED_AND_LOST)
        if line is None:
            record.append("")
            raise RefusedError(reading.TOO_LONG)

    while True:
        record.clear()
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
            if len(record) > 1 or tolerant.line_num > 1:  # in one line, `"so" it is` means what it says
                patience -= sum(map(len, record[1:]))
                cells = _UNCLOSED if patience >= 0 else _UNCLOSED_AND_LOST
                if patience >= 0:
                    read_again.extendleft(reversed(record[1:]))
                    del record[1:]
        if not record:
            return
        yield number, cells
        number += len(record)


def _text_lines(stream: IO[bytes]) -> Iterator[str | None]:
    """The lines of a csv file with their ends (LF, CR LF or CR); None for one that is longer than `LONGEST`."""
    # What is not UTF-8 becomes surrogates, so that one row is lost and not the file.
    with TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text:
        while line := text.readline(reading.LONGEST + 1):
            yield line if len(line) <= reading.LONGEST else None
            while line and not line.endswith(("\n", "\r")):
                line = text.readline(reading.LONGEST)


def _number_or_text(cell: FieldValue) -> FieldValue:
    """The field of a csv cell."""
    if isinstance(cell, str) and len(cell) <= _DIGITS and _NUMBER.fullmatch(cell):
        return float(cell) if "." in cell else int(cell)
    return cell or None
