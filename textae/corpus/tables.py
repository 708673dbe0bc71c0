r"""Tables: each row is a document, each column that is not its id, title or text is a field.

A table is jsonl (one JSON object a line), csv or tsv; `textae.corpus.pandas_tables` reads others. Unless a `TableSpec`
names other columns, the id is the column `id` or `_id`, else the file's name and the row's line; the title is `title`;
the text is the first of `TEXT_FIELDS` that has a value in the row. Capitals do not matter: `ID`, `Title`. A row with a
title and an empty text is a document; a row with neither is skipped as empty. Rows are read one at a time.

Values keep their type. csv has none: a field is a number where that is written back as the cell is (12, -1.5), None
where the cell is empty, and any other is text: 007, 1.10, NA, 12345678901234567. A text that is a number is found by
ranges (`price:[10 TO 20]`) like a number. Ids, titles and texts stay as they are written.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

from textae.corpus import reading
from textae.corpus.delimited import csv_rows
from textae.corpus.json_rows import Written, json_rows
from textae.corpus.reading import FileError, Item
from textae.corpus.rows import Row
from textae.types import Document, FieldValue, Place, Skipped

ID_FIELDS = ("id", "_id")
TITLE_FIELDS = ("title",)
TEXT_FIELDS = ("text", "body", "content", "abstract", "description")

PATIENCE = 1_000
"""Rows after which a field that no row had is taken to be missing from the table."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DIGITS = 15  # what a float keeps


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


def read_jsonl(stream: IO[bytes], name: str, spec: TableSpec, prefix: str = "") -> Iterator[Item]:
    """The documents of a file of JSON objects, as `textae.corpus.json_rows` finds them."""
    return read_rows(json_rows(stream), name, spec, prefix)


def read_csv(stream: IO[bytes], name: str, spec: TableSpec, prefix: str = "", *, delimiter: str = "") -> Iterator[Item]:
    """The documents of a csv or tsv file, as `textae.corpus.delimited` finds them.

    Args:
        stream: of the file.
        name: of the file, for ids and messages.
        spec: how to read it.
        prefix: of the ids that rows have.
        delimiter: a tab for tsv; "" for that of the file.

    Raises:
        FileError: the header cannot be read, or lacks a column that is needed.
    """
    return read_rows(csv_rows(stream, name, delimiter), name, spec, prefix, _number_or_text)


def read_rows(
    rows: Iterator[Row],
    name: str,
    spec: TableSpec,
    prefix: str = "",
    convert: Callable[[FieldValue], FieldValue] = lambda value: value,
    unit: str = "line",
) -> Iterator[Item]:
    """The documents of a table, and None for each row that is not wanted.

    Args:
        rows: in order.
        name: of the table, for ids and messages.
        spec: how to read it.
        prefix: of the ids that rows have; a row without one is named by the table and its line.
        convert: makes a field of a cell; ids, titles and texts stay as they are written.
        unit: what the numbers of the rows count, as in `Place`.

    Raises:
        FieldMissingError: a column that is needed is in no row, or in none of the first thousand.
    """
    ids: tuple[str, ...] = (spec.id_field,) if spec.id_field else ID_FIELDS
    titles: tuple[str, ...] = (spec.title_field,) if spec.title_field else TITLE_FIELDS
    texts: tuple[str, ...] = (spec.text_field,) if spec.text_field else TEXT_FIELDS
    named = [*dict(spec.select), *filter(None, (spec.id_field, spec.title_field))]
    absent = [*named, texts[0]]  # no row so far had one of these columns, or any for a text
    columns: dict[str, None] = {}
    incomplete: list[Skipped] = []  # held back while the whole table may turn out to lack a column
    count = n_same = last = 0
    for line, row in rows:
        n_same = n_same + 1 if line == last else 1
        last = line
        place = f"{name}:{line}" if n_same == 1 else f"{name}:{line}.{n_same}"
        if isinstance(row, str):
            yield Skipped(place, row)
            continue
        count += 1
        if count <= PATIENCE and (new := [column for column in islice(row, PATIENCE) if column not in columns]):
            columns.update(dict.fromkeys(new))
            ids, titles, texts = (_with_capitals(fields, new) for fields in (ids, titles, texts))
        if absent:
            absent = [one for one in absent if not any(field in row for field in (texts if one == texts[0] else [one]))]
            if absent and count == PATIENCE:
                break
        fields = {field: convert(value) for field, value in row.items()}
        if not spec.selects(fields):
            yield None
            continue
        text_field = _first(texts, row)
        missing = spec.id_field if spec.id_field and spec.id_field not in row else "" if text_field else texts[0]
        if missing:
            incomplete.append(Skipped(place, f"no field {missing!r}"))
        if not absent:
            yield from incomplete
            incomplete.clear()
        if not missing:
            id_field, title_field = _first(ids, row), _first(titles, row)
            title, text = " ".join(as_text(row.get(title_field)).split()), as_text(row[text_field])
            own_id = as_text(row.get(id_field))
            id = prefix + own_id if own_id else place
            own = {field: value for field, value in fields.items() if field not in (id_field, title_field, text_field)}
            where = (Place(0, unit, str(line)),)
            if title or text.strip():
                yield Document(id, text, title, own, place, places=where)
            else:
                yield Skipped(place, reading.EMPTY)
    if absent and count:
        there = ", ".join(sorted(columns)[:20]) or "none"
        hint = "; --text-field names the column of the text" if absent[0] == TEXT_FIELDS[0] else ""
        message = f"{name}: no field {absent[0]!r}; its fields are {there}{hint}"
        raise FieldMissingError(message, "a table without the fields")
    yield from incomplete


def _with_capitals(names: tuple[str, ...], columns: Sequence[str]) -> tuple[str, ...]:
    """The names, and behind them the columns that differ from one in capitals only, in the order of the names."""
    return names + tuple(column for name in names for column in columns if column != name == column.casefold())


def _first(names: tuple[str, ...], row: Mapping[str, FieldValue]) -> str:
    """The first of these columns that has a value, or else the first that is there; "" for none."""
    there = ""
    for name in names:
        if name in row:
            if row[name] not in (None, ""):
                return name
            there = there or name
    return there


def as_text(value: FieldValue) -> str:
    """A value as text: a string as it is, "" for None, JSON for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, Written):
        return value.text
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _equal(value: FieldValue, wanted: str) -> bool:
    """Whether a value is the one on the command line; numbers are compared as numbers."""
    if as_text(value) == wanted:
        return True
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and bool(_NUMBER.fullmatch(wanted)) and float(wanted) == value


def _number_or_text(cell: FieldValue) -> FieldValue:
    """The field of a csv cell."""
    if isinstance(cell, str) and len(cell) <= _DIGITS and _NUMBER.fullmatch(cell):
        number = float(cell) if "." in cell else int(cell)
        return number if str(number) == cell else cell
    return cell or None
