"""Tables beyond text: spreadsheets, parquet, Arrow files, and the files of statistics packages.

    .xlsx .xlsm                     with openpyxl, row by row
    .ods                            with the standard library, row by row
    .parquet .feather .arrow .orc   with pyarrow, batch by batch
    .dta .sas7bdat .xpt             with pandas, 1,000 rows at a time

Rows become documents as in `textae.corpus.tables`. Each worksheet is a table, and its first row with a value names
the columns. Ids of rows are `book.xlsx:7` in the first worksheet, `book.xlsx/Notes:7` in another.

A spreadsheet is a zip archive: a few kilobytes can unpack to gigabytes, and a few bytes of it can repeat a cell a
million times. So the unpacked sizes are checked before anything is unpacked, and rows and columns are limited to what
Excel and LibreOffice can hold.
"""

from __future__ import annotations

import re
import shutil
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, time
from importlib import import_module
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from textae.corpus import reading, rows, tables
from textae.corpus.reading import FileError, Item
from textae.errors import ExtraMissingError, needs_extra
from textae.types import FieldValue, Skipped

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pandas import DataFrame

T = TypeVar("T")

LARGEST = 512 << 20
"""Unpacked bytes of a worksheet, or of the texts of a workbook; a million rows of ten short cells have 400 MB."""

_SPREADSHEETS = (".xlsx", ".xlsm", ".ods")
_ARROW = (".parquet", ".feather", ".arrow", ".orc")
_STATISTICS = (".dta", ".sas7bdat", ".xpt")
ENDINGS = _SPREADSHEETS + _ARROW + _STATISTICS

_ROWS = 1 << 20  # of a worksheet, in Excel and in LibreOffice
_BATCH = 1_000
_TABLE, _OFFICE, _TEXT = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{part}:1.0}}" for part in ("table", "office", "text")
)
_BLANKS = (f"{_TEXT}s", f"{_TEXT}tab", f"{_TEXT}line-break")

_DAMAGE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)
"""What the readers raise on a damaged file."""

Line = tuple[str, int, Sequence[object]]
"""The name of a worksheet, the number of a row, and its cells."""


def read(path: Path, name: str, spec: tables.TableSpec, prefix: str = "") -> Iterator[Item]:
    """Read the documents of a file with one of `ENDINGS`, as `textae.corpus.tables.read_rows` does.

    Raises:
        FileError: the file cannot be read, is damaged or too large, or a package for it is not installed.
        FieldMissingError: no worksheet has the columns that are needed.
    """
    plain = reading.without_packing(path)
    ending = plain.suffix.lower()
    extra = needs_extra("tables", f"reading {ending} files")
    try:
        with extra, reading.opened(path) as stream, tempfile.TemporaryFile() as unpacked:
            if plain != path:
                for piece in iter(lambda: stream.read(1 << 20), b""):
                    if unpacked.tell() > LARGEST and ending != ".parquet":
                        raise _too_large(path, unpacked.tell())
                    unpacked.write(piece)
                unpacked.seek(0)
                stream = unpacked
            if ending in _SPREADSHEETS:
                with zipfile.ZipFile(stream) as archive:  # it does not unpack a part beyond the size that is stated
                    parts = [part.file_size for part in archive.infolist()]
                if max(parts, default=0) > LARGEST:
                    raise _too_large(path, max(parts))
                lines = _ods_lines(stream) if ending == ".ods" else _xlsx_lines(stream)
                yield from _worksheets(_without_warnings(lines), name, spec, prefix)
            else:
                is_arrow = ending in _ARROW
                found = _arrow_rows(stream, ending) if is_arrow else _without_warnings(_statistics_rows(stream, ending))
                yield from tables.read_rows(enumerate(found, start=1), name, spec, prefix, unit="row")
    except ExtraMissingError as error:
        raise FileError(f"{path}: {error}", "needs textae[tables]") from None
    except _DAMAGE as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        message = f"{path}: damaged, or not a file in the {ending} format ({reason:.200})"
        raise FileError(message, reading.DAMAGED) from error


def lines(path: Path) -> Iterator[Line]:
    """The rows of all worksheets of a workbook that `read` can read."""
    with reading.opened(path) as stream, tempfile.TemporaryFile() as unpacked:
        shutil.copyfileobj(stream, unpacked)
        is_open = reading.without_packing(path).suffix.lower() == ".ods"
        yield from _without_warnings(_ods_lines(unpacked) if is_open else _xlsx_lines(unpacked))


def frame_rows(frame: DataFrame) -> Iterator[dict[str, FieldValue]]:
    """Yield the rows of a DataFrame as JSON can hold them; a missing value is None."""
    names = [str(column) for column in frame.columns]
    for first in range(0, len(frame), _BATCH):
        part = frame.iloc[first : first + _BATCH]
        columns = [part.iloc[:, place] for place in range(len(names))]
        values = [column.astype(object).where(column.notna(), None).tolist() for column in columns]
        for row in zip(*values, strict=True):
            yield {name: plain_value(value) for name, value in zip(names, row, strict=True)}


def plain_value(value: Any) -> FieldValue:
    """Convert a value of numpy, pandas or openpyxl to what JSON can hold; a timestamp at midnight is a date."""
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain_value(part) for part in value]
    if isinstance(value, datetime) and value.tzinfo is None and value.time() == time.min:
        value = value.date()  # `day:[2020-01-01 TO 2020-02-01]` then includes the last day
    return reading.storable_value(value)


def _too_large(path: Path, size: int) -> FileError:
    limit = f"larger than {LARGEST >> 20} MiB"
    return FileError(f"{path}: {size >> 20:,} MiB or more when unpacked, {limit}; save it as csv", limit)


def _worksheets(lines: Iterator[Line], name: str, spec: tables.TableSpec, prefix: str) -> Iterator[Item]:
    """Read each worksheet as a table. One without the columns that are needed is skipped if another has them.

    The ids of all worksheets but the first begin with its name, as two of them may have a row 1.
    """
    n_read = 0
    missing: list[tuple[str, tables.FieldMissingError]] = []
    for place, (sheet, of_sheet) in enumerate(groupby(lines, itemgetter(0))):
        table = f"{name}/{reading.storable(sheet)}" if place else name
        try:
            yield from tables.read_rows(_rows(of_sheet), table, spec, f"{table}:" if place else prefix, unit="row")
            n_read += 1
        except tables.FieldMissingError as error:
            missing.append((table, error))
    if missing and not n_read:
        raise missing[0][1]
    yield from (Skipped(table, error.reason) for table, error in missing)


def _rows(lines: Iterator[Line]) -> Iterator[rows.Row]:
    """Name the cells of a worksheet by its first row with a value; rows without a value are left out."""
    columns: dict[str, None] = {}
    for _, number, cells in lines:
        values = [plain_value(cell) for cell in cells]
        while values and values[-1] in (None, ""):
            values.pop()
        if not values:
            continue
        is_header = not columns
        for place in range(len(columns), len(values)):
            rows.add_column(columns, " ".join(tables.as_text(values[place]).split()) if is_header else "")
        if not is_header:
            yield number, dict(zip(columns, values + [None] * (len(columns) - len(values)), strict=True))


def _xlsx_lines(stream: IO[bytes]) -> Iterator[Line]:
    from openpyxl import load_workbook
    from openpyxl.cell.cell import ERROR_CODES

    book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # a file can state a billion cells; rows are as wide as the cells that it holds
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            if number > _ROWS:
                raise ValueError(f"more than {_ROWS:,} rows")
            yield sheet.title, number, [None if cell in ERROR_CODES else cell for cell in cells]


def _ods_lines(stream: IO[bytes]) -> Iterator[Line]:
    """Read the content of an OpenDocument spreadsheet (ISO/IEC 26300-1, part 9)."""
    from xml.etree.ElementTree import Element, iterparse

    with zipfile.ZipFile(stream) as archive, archive.open("content.xml") as content:
        table, sheet, number, cells = Element(""), "", 0, list[object]()
        for event, element in iterparse(content, events=("start", "end")):
            if event == "start":
                if element.tag == f"{_TABLE}table":
                    table, sheet, number = element, element.get(f"{_TABLE}name", ""), 0
            elif element.tag in _BLANKS:
                element.text = " "
            elif element.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                times = int(element.get(f"{_TABLE}number-columns-repeated", "1"))
                cells += [_ods_value(element)] * min(times, rows.MOST_COLUMNS - len(cells))
            elif element.tag == f"{_TABLE}table-row":
                times = min(int(element.get(f"{_TABLE}number-rows-repeated", "1")), _ROWS - number)
                if any(cell is not None for cell in cells):
                    yield from ((sheet, number + row, cells) for row in range(1, times + 1))
                number, cells = number + times, []
                table.clear()  # else a million rows stay in memory


def _ods_value(cell: Element) -> object:
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "percentage", "currency"):
        number = float(cell.get(f"{_OFFICE}value", "nan"))
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") == "true"
    if kind == "date":
        return (cell.get(f"{_OFFICE}date-value") or "").removesuffix("T00:00:00") or None
    return "\n".join("".join(paragraph.itertext()) for paragraph in cell.findall(f"{_TEXT}p")) or None


def _arrow_rows(stream: IO[bytes], ending: str) -> Iterator[dict[str, FieldValue]]:
    plain: Callable[[Any], FieldValue] = plain_value
    if ending == ".parquet":
        plain = reading.storable_value  # a timestamp at midnight stays one
        batches = import_module("pyarrow.parquet").ParquetFile(stream).iter_batches(_BATCH)
    elif ending == ".orc":
        file = import_module("pyarrow.orc").ORCFile(stream)
        batches = (file.read_stripe(number) for number in range(file.nstripes))
    else:
        file = import_module("pyarrow").ipc.open_file(stream)
        batches = (file.get_batch(number) for number in range(file.num_record_batches))
    for batch in batches:
        batch.validate(full=True)  # pyarrow trusts offsets, and a wrong one would crash the process
        for first in range(0, batch.num_rows, _BATCH):
            columns: dict[str, None] = {}
            for name in batch.schema.names:
                rows.add_column(columns, reading.storable(name))
            values = map(_arrow_values, batch.slice(first, _BATCH).columns)
            for row in zip(*values, strict=True):
                yield dict(zip(columns, map(plain, row), strict=True))


def _arrow_values(column: Any) -> list[object]:
    """The values of a column of Arrow; single floats are the decimals that a person wrote, 1.1 and not 1.100000024."""
    pa = import_module("pyarrow")
    if column.type == pa.float32():
        column = column.cast(pa.string()).cast(pa.float64())
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except _DAMAGE:
        return [_arrow_value(scalar, pa.types) for scalar in column]


def _arrow_value(scalar: Any, types: Any) -> object:
    """One value; a date, a time or a duration that Python cannot represent is text, or the number that is stored."""
    with suppress(*_DAMAGE):
        return scalar.as_py()
    if types.is_dictionary(scalar.type):
        return _arrow_value(scalar.value, types)
    if types.is_struct(scalar.type):
        return {name: _arrow_value(part, types) for name, part in scalar.items()}
    if types.is_nested(scalar.type):
        return [_arrow_value(part, types) for part in scalar.values]
    with suppress(*_DAMAGE):
        text = str(scalar.cast("string").as_py())
        if types.is_temporal(scalar.type) and text[0] != "<":
            return re.sub(r"\.0+(?=\D*$)", "", text).replace(" ", "T", 1)  # units of parquet are milliseconds
    return scalar.value


def _statistics_rows(stream: IO[bytes], ending: str) -> Iterator[dict[str, FieldValue]]:
    import pandas as pd

    if ending == ".dta":
        reader: Any = pd.read_stata(stream, chunksize=_BATCH, convert_categoricals=False)
    else:
        kind, encoding = ("sas7bdat", "infer") if ending == ".sas7bdat" else ("xport", None)
        reader = pd.read_sas(stream, format=kind, encoding=encoding, chunksize=_BATCH)
    for frame in reader:
        yield from frame_rows(frame)


def _without_warnings(items: Iterator[T]) -> Iterator[T]:
    """Yield the items. The readers warn of styles and extensions that they do not know, which no document needs."""

    def following() -> T | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return next(items, None)

    return iter(following, None)
