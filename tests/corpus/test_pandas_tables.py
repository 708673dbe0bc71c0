"""Spreadsheets, Arrow files and files of statistics packages: rows become documents, and bombs are refused."""

import datetime as dt
import gzip
import io
import tracemalloc
import zipfile
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from openpyxl import Workbook
from pyarrow import feather, orc, parquet
from shared import LONG

from textae.corpus import TableSpec, pandas_tables, read
from textae.errors import CorpusError
from textae.types import Document, Place, Skipped

ROWS = [
    ["id", "title", "text", "year", "day", None],
    ["a", "T", "red apple", 1901, dt.datetime(2020, 1, 1), None],
    [None, None, None, None, None, None],
    [7, None, "blue sky", 1.5, dt.datetime(2020, 1, 1, 12, 30), "a note"],
]


def as_documents(name: str) -> list[Document | Skipped]:
    return [
        Document("a", "red apple", "T", {"year": 1901, "day": "2020-01-01"}, f"{name}:2"),
        Document("7", "blue sky", "", {"year": 1.5, "day": "2020-01-01T12:30:00", "column 6": "a note"}, f"{name}:4"),
    ]


def documents(path: Path, spec: TableSpec | None = None) -> list[Document | Skipped]:
    items = list(read([str(path)], spec or TableSpec()))
    return [
        item if isinstance(item, Skipped) else Document(item.id, item.text, item.title, item.fields, item.source)
        for item in items
    ]


def write_xlsx(path: Path, **sheets: list[list[object]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


NAMESPACES = " ".join(
    f'xmlns:{part}="urn:oasis:names:tc:opendocument:xmlns:{part}:1.0"' for part in ("office", "table", "text")
)


def write_ods(path: Path, *tables: str) -> Path:
    inside = "".join(f'<table:table table:name="Sheet{n}">{rows}</table:table>' for n, rows in enumerate(tables, 1))
    body = f"<office:body><office:spreadsheet>{inside}</office:spreadsheet></office:body>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f"<office:document-content {NAMESPACES}>{body}</office:document-content>")
    return path


def cell(text: str = "", kind: str = "string", repeated: int = 1, **values: str) -> str:
    stated = "".join(f' office:{name.replace("_", "-")}="{value}"' for name, value in values.items())
    times = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    inside = f"<text:p>{text}</text:p>" if text else ""
    return f'<table:table-cell office:value-type="{kind}"{stated}{times}>{inside}</table:table-cell>'


EMPTY = "<table:table-cell/>"


def row(*cells: str, repeated: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'


HEADER = row(*map(cell, ("id", "title", "text", "year", "day")))


class TestXlsx:
    def test_the_first_row_with_a_value_names_the_columns(self, tmp_path) -> None:
        path = write_xlsx(tmp_path / "t.xlsx", Sheet=[[None], *ROWS[1:1], *ROWS])
        items = documents(path)
        assert [item.id for item in items] == ["a", "7"]
        assert [item.source for item in items] == ["t.xlsx:3", "t.xlsx:5"]

    def test_values_keep_their_type_and_a_date_at_midnight_is_a_date(self, tmp_path) -> None:
        first, second = documents(write_xlsx(tmp_path / "t.xlsx", Sheet=ROWS))
        assert first == as_documents("t.xlsx")[0]
        assert second == as_documents("t.xlsx")[1]

    def test_columns_without_a_name_or_with_the_same_one_are_numbered(self, tmp_path) -> None:
        path = write_xlsx(tmp_path / "t.xlsx", Sheet=[["text", None, "x", "x"], ["a", 1, 2, 3]])
        assert documents(path)[0].fields == {"column 2": 1, "x": 2, "x.4": 3}

    def test_every_worksheet_is_a_table_and_one_without_a_text_is_counted(self, tmp_path) -> None:
        text = [["text"], ["apple"]]
        path = write_xlsx(tmp_path / "t.xlsx", One=text, Two=text, Three=[["sum"], [3]], Four=[])
        items = documents(path)
        assert [item.id for item in items if isinstance(item, Document)] == ["t.xlsx:2", "t.xlsx/Two:2"]
        assert items[2:] == [Skipped("t.xlsx/Three", "a table without the fields")]

    def test_where_no_worksheet_has_a_text_the_error_names_the_columns(self, tmp_path) -> None:
        path = write_xlsx(tmp_path / "t.xlsx", One=[["words"], ["apple"]])
        with pytest.raises(CorpusError, match=r"no field 'text'; its fields are words; --text-field"):
            documents(path)
        assert documents(path, TableSpec(text_field="words"))[0].text == "apple"

    def test_a_worksheet_of_which_no_row_is_selected_is_a_table(self, tmp_path) -> None:
        path = write_xlsx(tmp_path / "t.xlsx", One=[["text", "label"], ["apple", "fruit"]], Two=[["sum"], [3]])
        spec = TableSpec(select=(("label", "sky"),))
        assert documents(path, spec) == [Skipped("t.xlsx/Two", "a table without the fields")]

    def test_an_error_of_a_formula_is_no_value(self, tmp_path) -> None:
        path = write_xlsx(tmp_path / "t.xlsx", One=[["text", "n"], ["apple", "#DIV/0!"]])
        assert documents(path)[0].fields == {"n": None}

    def test_it_may_be_packed(self, tmp_path) -> None:
        path = write_xlsx(tmp_path / "t.xlsx", Sheet=ROWS)
        (tmp_path / "t.xlsx.gz").write_bytes(gzip.compress(path.read_bytes()))
        assert [item.id for item in documents(tmp_path / "t.xlsx.gz")] == ["a", "7"]

    def test_rows_that_a_file_only_states_are_not_waited_for(self, tmp_path) -> None:
        path = write_xlsx(tmp_path / "t.xlsx", Sheet=[["text"], ["apple"]])
        far = tmp_path / "far.xlsx"
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(far, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    content = content.replace(b'ref="A1:A2"', b'ref="A1:XFD9999999999"').replace(
                        b'<row r="2"', b'<row r="9999999999"'
                    ).replace(b'r="A2"', b'r="A9999999999"')  # fmt: skip
                target.writestr(name, content)
        with pytest.raises(CorpusError, match="more than 1,048,576 rows"):
            documents(far)


class TestOds:
    def test_values_keep_their_type(self, tmp_path) -> None:
        first = row(
            cell("a"), cell("T"), cell("red apple"), cell("1,901", "float", value="1901"),
            cell("1/1", "date", date_value="2020-01-01T00:00:00"),
        )  # fmt: skip
        second = row(
            cell("7", "float", value="7"), EMPTY, cell("blue sky"), cell("1.5", "percentage", value="1.5"),
            cell("", "date", date_value="2020-01-01T12:30:00"), cell("a note"),
        )  # fmt: skip
        path = write_ods(tmp_path / "t.ods", HEADER + first + row(EMPTY) + second + row(EMPTY, repeated=1_048_000))
        items = documents(path)
        assert items == as_documents("t.ods")
        assert isinstance(items[0].fields["year"], int)

    def test_truth_and_what_else_a_cell_shows(self, tmp_path) -> None:
        header = row(*map(cell, ("text", "right", "time")))
        path = write_ods(
            tmp_path / "t.ods",
            header
            + row(
                cell("a"), cell("TRUE", "boolean", boolean_value="true"), cell("10:30", "time", time_value="PT10H30M")
            ),
        )
        assert documents(path)[0].fields == {"right": True, "time": "10:30"}

    def test_blanks_are_elements_and_a_comment_is_no_text(self, tmp_path) -> None:
        words = "a<text:tab/>b<text:line-break/>c <text:span>d</text:span></text:p><text:p>e"
        comment = "<office:annotation><text:p>secret</text:p></office:annotation>"
        path = write_ods(
            tmp_path / "t.ods", row(cell("text")) + row(cell(words).replace("<text:p>", comment + "<text:p>", 1))
        )
        assert documents(path)[0].text == "a b c d\ne"

    def test_a_row_that_is_repeated_is_so_many_rows(self, tmp_path) -> None:
        path = write_ods(tmp_path / "t.ods", row(cell("text")) + row(cell("a"), repeated=3) + row(cell("b")))
        assert [item.id for item in documents(path)] == ["t.ods:2", "t.ods:3", "t.ods:4", "t.ods:5"]

    def test_every_table_is_one(self, tmp_path) -> None:
        text = row(cell("text")) + row(cell("apple"))
        path = write_ods(tmp_path / "t.ods", text, row(cell("sum")) + row(cell("3", "float", value="3")), text)
        items = documents(path)
        assert [getattr(item, "id", None) for item in items] == ["t.ods:2", "t.ods/Sheet3:2", None]
        assert items[2] == Skipped("t.ods/Sheet2", "a table without the fields")

    def test_a_cell_that_is_repeated_a_billion_times_needs_no_memory(self, tmp_path) -> None:
        many = cell("x", repeated=1_000_000_000)
        path = write_ods(tmp_path / "t.ods", row(cell("text")) + row(cell("a"), many) + row(EMPTY, repeated=10**12))
        tracemalloc.start()
        (document,) = documents(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(document.fields) == 16_383
        assert peak < 30 << 20

    def test_memory_does_not_grow_with_the_rows(self, tmp_path) -> None:
        path = write_ods(tmp_path / "t.ods", row(cell("text")) + "".join(row(cell(f"word{n}")) for n in range(20_000)))
        tracemalloc.start()
        assert sum(1 for _ in read([str(path)])) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 << 20


@pytest.mark.parametrize("name", ["t.xlsx", "t.ods"])
def test_a_spreadsheet_that_unpacks_to_too_much_is_not_unpacked(name, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pandas_tables, "LARGEST", 1 << 20)
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", b" " * (2 << 20))
        archive.writestr("xl/sharedStrings.xml", b" " * (2 << 20))
    assert (tmp_path / name).stat().st_size < 10_000
    with pytest.raises(CorpusError, match="2 MiB or more when unpacked, larger than 1 MiB; save it as csv") as error:
        list(pandas_tables.read(tmp_path / name, name, TableSpec()))
    assert error.value.reason == "larger than 1 MiB"


def test_a_part_of_a_spreadsheet_may_have_any_name_and_is_not_unpacked_either(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pandas_tables, "LARGEST", 1 << 20)
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.bin", b" " * (2 << 20))
    with pytest.raises(CorpusError, match="larger than 1 MiB"):
        list(pandas_tables.read(tmp_path / "t.xlsx", "t.xlsx", TableSpec()))


def test_a_packed_one_is_not_unpacked_further_either(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(pandas_tables, "LARGEST", 1 << 20)
    (tmp_path / "t.ods.gz").write_bytes(gzip.compress(bytes(5 << 20)))
    with pytest.raises(CorpusError, match="larger than 1 MiB"):
        list(pandas_tables.read(tmp_path / "t.ods.gz", "t.ods.gz", TableSpec()))


FRAME = pd.DataFrame({"id": ["a", "b"], "text": ["red apple", "blue sky"], "year": [1901, 1902]})


def write_statistics(path: Path) -> None:
    FRAME.to_stata(path, write_index=False)


def write_orc(path: Path) -> None:
    orc.write_table(pa.Table.from_pandas(FRAME), path)


def write_feather(path: Path) -> None:
    feather.write_feather(FRAME, path)


@pytest.mark.parametrize(
    ("name", "write"), [("t.dta", write_statistics), ("t.orc", write_orc), ("t.feather", write_feather)]
)
def test_other_tables_that_pandas_reads(name, write, tmp_path) -> None:
    write(tmp_path / name)
    assert documents(tmp_path / name) == [
        Document("a", "red apple", "", {"year": 1901}, f"{name}:1"),
        Document("b", "blue sky", "", {"year": 1902}, f"{name}:2"),
    ]


@pytest.mark.parametrize("ending", pandas_tables.ENDINGS)
@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\3\4" + b"x" * 200, b"ARROW1\0\0" * 20, b"\xd0\xcf\x11\xe0"])
def test_a_damaged_file_is_an_error_of_one_line_and_in_a_folder_it_is_skipped(ending, content, tmp_path) -> None:
    path = tmp_path / f"t{ending}"
    path.write_bytes(content)
    with pytest.raises(CorpusError) as caught:
        documents(path)
    assert len(str(caught.value).splitlines()) == 1
    assert documents(tmp_path) == [Skipped(path.name, "damaged" if content else "empty")]


@pytest.mark.parametrize("name", ["t.xlsx", "t.ods", "t.feather", "t.dta"])
def test_a_file_that_is_cut_off_is_damaged_or_read_in_part(name, tmp_path) -> None:
    writers = {
        "t.xlsx": lambda path: write_xlsx(path, Sheet=ROWS),
        "t.ods": lambda path: write_ods(path, HEADER + row(cell("a"))),
        "t.feather": write_feather,
        "t.dta": write_statistics,
    }
    writers[name](tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    (tmp_path / "whole").unlink()
    for size in range(0, len(content), max(1, len(content) // (40 if LONG else 12))):
        (tmp_path / name).write_bytes(content[:size])
        with pytest.raises(CorpusError):
            documents(tmp_path / name)


def test_a_worksheet_is_read_a_row_at_a_time(tmp_path) -> None:
    buffer = io.BytesIO()
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet")
    sheet.append(["text"])
    for number in range(20_000):
        sheet.append([f"word{number % 10}"])
    book.save(buffer)
    (tmp_path / "t.xlsx").write_bytes(buffer.getvalue())
    next(iter(read([str(tmp_path / "t.xlsx")])))  # openpyxl is imported before memory is measured
    tracemalloc.start()
    assert sum(1 for _ in read([str(tmp_path / "t.xlsx")])) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


FAR = 253_402_300_800  # seconds until the year 10,000


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([FAR, 0, None], pa.timestamp("s")), ["10000-01-01T00:00:00", "1970-01-01T00:00:00", None]),
        (pa.array([FAR], pa.timestamp("s", "UTC")), ["10000-01-01T00:00:00Z"]),
        (pa.array([-(10**17)], pa.timestamp("us")), ["-1199-02-15T14:13:20"]),
        (pa.array([2**62], pa.timestamp("ms")), [2**62]),
        (pa.array([5], pa.timestamp("ms", "Mars/Olympus")), [5]),
        (pa.array([0], pa.timestamp("s", "Europe/Berlin")), ["1970-01-01T01:00:00+01:00"]),
        (pa.array([10**7, 0], pa.date32()), ["29349-01-26", "1970-01-01"]),
        (pa.array([2**60], pa.duration("s")), [str(2**60)]),
        (pa.array([[FAR, 0]], pa.list_(pa.timestamp("s"))), [["10000-01-01T00:00:00", "1970-01-01T00:00:00"]]),
        (pa.array([{"a": [10**7]}], pa.struct({"a": pa.list_(pa.date32())})), [{"a": ["29349-01-26"]}]),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
        (pa.array([Decimal("1.10"), Decimal("12345678901234567890.12")]), ["1.10", "12345678901234567890.12"]),
        (pa.array([b"caf\xc3\xa9", b"\xff"]), ["café", "\ufffd"]),
        (pa.array([1.1, float("nan"), float("inf")], pa.float32()), [1.1, None, None]),
        (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), [[["k", 1]]]),
    ],
)  # fmt: skip
def test_a_value_that_python_cannot_represent_damages_no_table(column, expected, tmp_path) -> None:
    table = pa.table({"text": ["a"] * len(column), "x": column})
    parquet.write_table(table, tmp_path / "t.parquet")
    assert [document.fields["x"] for document in documents(tmp_path / "t.parquet")] == expected


def test_columns_of_one_name_are_numbered(tmp_path) -> None:
    table = pa.Table.from_arrays([pa.array([text]) for text in "abc"], names=["text", "x", "x"])
    parquet.write_table(table, tmp_path / "t.parquet")
    assert documents(tmp_path / "t.parquet")[0].fields == {"x": "b", "x.3": "c"}


def test_rows_of_two_worksheets_may_have_one_id(tmp_path) -> None:
    rows = [["id", "text"], ["1", "apple"]]
    path = write_xlsx(tmp_path / "t.xlsx", One=rows, Two=rows)
    assert [item.id for item in documents(path)] == ["1", "t.xlsx/Two:1"]
    assert [item.id for item in documents(tmp_path)] == ["t.xlsx:1", "t.xlsx/Two:1"]
    (first, _) = read([str(path)])
    assert first.places == (Place(0, "row", "2"),)
