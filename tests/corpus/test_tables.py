"""Tables: rows become documents, one at a time, and nothing that a row may hold breaks the reading."""

import csv
import gzip
import io
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from textae.corpus import TableSpec, delimited, json_rows, read, rows, tables
from textae.corpus import reading as streams
from textae.errors import CorpusError
from textae.types import Document, FieldValue, Place, Skipped


def from_json(*lines: str | bytes, spec: TableSpec | None = None) -> list[Document | Skipped]:
    content = b"\n".join(line.encode() if isinstance(line, str) else line for line in lines)
    return without_places(tables.read_jsonl(io.BytesIO(content), "t", spec or TableSpec()))


def from_csv(content: str | bytes, spec: TableSpec | None = None) -> list[Document | Skipped]:
    stream = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return without_places(tables.read_csv(stream, "t", spec or TableSpec()))


def without_places(items: Iterable[Document | Skipped | None]) -> list[Document | Skipped]:
    return [replace(item, places=()) if isinstance(item, Document) else item for item in items if item is not None]


def test_a_row_is_a_document_and_its_other_columns_are_fields() -> None:
    assert from_json('{"id": 7, "title": "T", "text": "words", "label": "x", "tags": ["a", null], "n": 1.5}') == [
        Document("7", "words", "T", {"label": "x", "tags": ["a", None], "n": 1.5}, "t:1")
    ]


def test_without_an_id_a_row_is_called_by_its_line() -> None:
    first, second = from_json('{"text": "a"}', "", '{"_id": "own", "text": "b"}')
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert (first.id, second.id) == ("t:1", "own")


def test_the_text_may_have_a_common_name_or_the_one_that_is_given() -> None:
    row = '{"key": "k", "subject": "S", "abstract": "common", "note": "given"}'
    (common,) = from_json(row)
    (given_,) = from_json(row, spec=TableSpec("key", "subject", "note"))
    assert isinstance(common, Document)
    assert common.text == "common"
    assert given_ == Document("k", "given", "S", {"abstract": "common"}, "t:1")


def test_names_of_columns_may_have_capitals() -> None:
    assert from_csv("ID,Title,Price,TEXT\n1,T,5,words\n") == [Document("1", "words", "T", {"Price": 5}, "t:2")]
    first, second = from_json('{"Description": "less", "Body": "more"}', '{"ABSTRACT": "A", "text": "first", "Id": 2}')
    assert isinstance(first, Document)
    assert (first.text, first.fields) == ("more", {"Description": "less"})
    assert second == Document("2", "first", "", {"ABSTRACT": "A"}, "t:2")
    (given_,) = from_csv("Text,text\na,b\n", TableSpec(text_field="Text"))
    assert given_ == Document("t:2", "a", "", {"text": "b"}, "t:2")


def test_rows_that_are_none_are_counted_by_reason() -> None:
    bad = b'{"text": "\xff"}'
    found = from_json('{"text": "größer als Öl äöüäöüäöü"}', "{", "[1]", bad, "[" * 9_000, '{"x": 1}', '{"text": " "}')
    assert [item.reason for item in found if isinstance(item, Skipped)] == [
        "not JSON",
        "not a JSON object",
        "not UTF-8",
        "not JSON",
        "no field 'text'",
        "empty",
    ]


def test_a_title_without_a_text_is_a_document() -> None:
    (document,) = from_json('{"id": "1", "title": "Extraction of Roots", "text": ""}')
    assert isinstance(document, Document)


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        (TableSpec(), "no field 'text'; its fields are a, b; --text-field names"),
        (TableSpec(text_field="words"), "no field 'words'; its fields are a, b"),
        (TableSpec(text_field="a", id_field="key"), "no field 'key'"),
        (TableSpec(text_field="a", title_field="head"), "no field 'head'"),
        (TableSpec(text_field="a", select=(("split", "train"),)), "no field 'split'"),
    ],
)
def test_a_table_without_a_field_is_an_error_that_names_those_it_has(spec: TableSpec, missing: str) -> None:
    with pytest.raises(CorpusError, match=missing):
        from_json('{"a": "1", "b": "2"}', spec=spec)
    with pytest.raises(CorpusError, match=missing):
        from_csv("a,b\n1,2\n", spec)


def test_a_table_without_the_text_is_given_up_after_a_thousand_rows() -> None:
    taken = 0

    def rows() -> Iterator[tables.Row]:
        nonlocal taken
        for taken in range(1, 10**9):
            yield taken, {"a": 1}

    with pytest.raises(CorpusError, match="no field 'text'"):
        list(tables.read_rows(rows(), "t", TableSpec()))
    assert taken == tables.PATIENCE


def test_select_takes_the_rows_that_have_it() -> None:
    rows = [
        '{"text": "a", "split": "train", "year": 2020}',
        '{"text": "b", "split": "test", "year": 2020}',
        '{"text": "c", "split": "train", "year": 2020.0, "new": true}',
        '{"split": "test"}',
    ]

    def texts(*select: tuple[str, str]) -> str:
        found = from_json(*rows, spec=TableSpec(select=select))
        assert not any(isinstance(item, Skipped) for item in found)
        return "".join(item.text for item in found if isinstance(item, Document))

    assert texts(("split", "train")) == "ac"
    assert texts(("split", "train"), ("year", "2020")) == "ac"
    assert texts(("new", "true")) == "c"


def test_what_cannot_be_stored_is_replaced() -> None:
    (document,) = from_json(
        r'{"id": "a\ud800", "text": "nul\u0000 half\udfff", "n": NaN, "m": -1e999, "\ud800": "\udc00"}'
    )
    assert document == Document("a\ufffd", "nul  half\ufffd", "", {"n": None, "m": "-1e999", "\ufffd": "\ufffd"}, "t:1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text() | st.sampled_from(["id", "title", "text"]), JSON, max_size=5), max_size=4))
def test_every_json_object_becomes_something_that_can_be_stored(rows: list[dict[str, FieldValue]]) -> None:
    lines = ['{"text": "so that there is one"}', *map(json.dumps, rows)]
    found = from_json(*lines)
    assert len(found) == len(lines)
    for item in found:
        if isinstance(item, Document):
            text = json.dumps([item.id, item.title, item.text, dict(item.fields)], ensure_ascii=False, allow_nan=False)
            assert "\0" not in text.encode().decode()


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1), max_size=5))
def test_what_a_csv_writer_writes_is_read_back(texts: list[str]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "text"], *([str(number), f"x{text}"] for number, text in enumerate(texts))])
    found = from_csv(out.getvalue())
    assert [item.text for item in found if isinstance(item, Document)] == [f"x{text}" for text in texts]


def test_cells_of_csv_are_numbers_where_they_are_plain_ones() -> None:
    (document,) = from_csv("text;n;price;zip;empty;long;n\na;3;-1.50;01234;;12345678901234567;4\n")
    assert isinstance(document, Document)
    assert document.fields == {
        "n": 3,
        "price": "-1.50",
        "zip": "01234",
        "empty": None,
        "long": "12345678901234567",
        "n.7": 4,
    }


def test_rows_of_csv_that_do_not_fit_are_counted() -> None:
    found = from_csv('text,n\n"two\nlines",größer als Öl äöüäöüäöü\na,b,c\nshort\n'.encode() + b"\xff\n")
    assert [item.reason if isinstance(item, Skipped) else item.text for item in found] == [
        "two\nlines",
        "more cells than columns",
        "short",
        "not UTF-8",
    ]
    assert [getattr(item, "source", "") for item in found] == ["t:2", "t:4", "t:5", "t:6"]


def test_a_line_or_a_cell_without_end_is_skipped_and_the_next_row_read() -> None:
    long = "x" * (streams.LONGEST + 10)
    assert [type(item).__name__ for item in from_json(json.dumps({"text": long}), '{"text": "next"}')] == [
        "Skipped",
        "Document",
    ]
    assert [type(item).__name__ for item in from_csv(f"text\n{long}\nnext\n")] == ["Skipped", "Document"]
    unclosed = '"' + "xxxxxxxxx\n" * (streams.LONGEST // 10 + 2)
    assert isinstance(from_csv(f"text\nfirst\n{unclosed}")[1], Skipped)


def shown(found: list[Document | Skipped]) -> list[str]:
    return [f"{item.source} {item.reason if isinstance(item, Skipped) else item.text}" for item in found]


def test_a_quote_that_is_never_closed_costs_one_row() -> None:
    unclosed = delimited.UNCLOSED
    assert shown(from_csv('text,n\na,1\n"b,2\nc,3\nd,4\n')) == ["t:2 a", f"t:3 {unclosed}", "t:4 c", "t:5 d"]
    assert shown(from_csv('text,n\na,1\n"b,2\nc,3\n"d\ne",4\n')) == [
        "t:2 a",
        f"t:3 {unclosed}",
        "t:4 c",
        "t:5 d\ne",
    ]
    assert shown(from_csv('text,n\na,1\n"b')) == ["t:2 a", f"t:3 {unclosed}"]


def test_a_long_text_in_quotes_and_quotes_inside_a_line_are_no_mistake() -> None:
    long = "line\n" * 5_000
    assert shown(from_csv(f'text,n\n"{long}",1\n"so" it is,2\nsay "x",3\n')) == [
        f"t:2 {long}",
        "t:5003 so it is",
        't:5004 say "x"',
    ]


def test_a_quote_that_hides_more_than_a_document_may_have_is_said_to() -> None:
    found = from_csv('text\n"' + ("x" * 99 + "\n") * (streams.LONGEST // 100 + 10))
    assert found[0] == Skipped("t:2", delimited.UNCLOSED_AND_LOST)


def test_quotes_that_pair_with_nothing_line_after_line_are_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_READ_AGAIN", 1_000_000)
    found = from_csv("text,n\n" + 'x","\n' * 20_000)
    assert {item.reason for item in found if isinstance(item, Skipped)} == {
        delimited.UNCLOSED,
        delimited.UNCLOSED_AND_LOST,
    }


def test_lines_may_end_as_on_an_old_macintosh() -> None:
    assert shown(from_csv("text,n\ra,1\rb,2\r")) == ["t:2 a", "t:3 b"]
    assert shown(from_csv("text,n\na,1\rb,2\n")) == ["t:2 a", "t:3 b"]
    assert shown(from_csv('text,n\r\n"a\r\nb",1\r\nc,2\r\n')) == ["t:2 a\r\nb", "t:4 c"]


def test_every_column_has_a_name_of_its_own() -> None:
    (found,) = from_csv("text,a,a.4,a,,a.4\nx,1,2,3,4,5\n")
    assert found.fields == {"a": 1, "a.4": 2, "a.4.4": 3, "column 5": 4, "a.4.6": 5}


def test_a_header_may_have_line_breaks_in_quotes() -> None:
    (document,) = from_csv('id,"question\r\n(please explain)",text,"rating\n1-5"\n1,q,t,4\n')
    assert document == Document("1", "t", "", {"question (please explain)": "q", "rating 1-5": 4}, "t:4")
    with pytest.raises(CorpusError, match="the header cannot be read: a quote that is never closed"):
        from_csv('id,"text\n1,a\n')


def test_ids_titles_and_texts_of_csv_stay_as_they_are_written() -> None:
    rows = "id,title,text,version\n1.1,2.0,one,1.1\n1.10,3.10,12.50,1.10\n,007,5,\n"
    assert from_csv(rows) == [
        Document("1.1", "one", "2.0", {"version": 1.1}, "t:2"),
        Document("1.10", "12.50", "3.10", {"version": "1.10"}, "t:3"),
        Document("t:4", "5", "007", {"version": None}, "t:4"),
    ]
    assert shown(from_csv(rows, TableSpec(select=(("version", "1.1"),)))) == ["t:2 one"]


def test_tsv_has_no_quotes() -> None:
    content = b'id\ttext\n1\t"start\n2\tend"\n3\t"whole"\n4\tan inch: 1"\n'
    found = list(tables.read_csv(io.BytesIO(content), "t", TableSpec(), delimiter="\t"))
    assert shown(found) == ['t:2 "start', 't:3 end"', 't:4 "whole"', 't:5 an inch: 1"']


def test_each_row_has_its_own_text() -> None:
    rows = ['{"description": "short"}', '{"description": "short", "text": "long"}', '{"text": "long"}', '{"n": 1}']
    assert shown(from_json(*rows)) == ["t:1 short", "t:2 long", "t:3 long", "t:4 no field 'text'"]


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "cp932", "utf-16-le"])
def test_the_encoding_of_a_table_is_guessed_where_it_is_not_utf8(tmp_path: Path, encoding: str) -> None:
    text = {
        "cp1251": "Это обычный русский текст, и читать его легко",
        "cp932": "これは日本語のテキストです",
    }.get(encoding, "größer als Öl, süß")
    for ending, lines in (
        ("csv", f"id;text\n{'7;plain' * 9_999}\n1;{text}\n2;b\n"),
        ("jsonl", f'{{"text": "{text}"}}\n{{"text": "b"}}\n'),
    ):
        path = tmp_path / f"{encoding}.{ending}"
        path.write_bytes(lines.encode(encoding))
        found = [item for item in read([str(path)]) if isinstance(item, Document)]
        assert [item.text for item in found] == [text, "b"]
        assert {item.notice for item in found} == {"encoding guessed"}


def test_a_table_of_utf8_with_bad_bytes_is_no_table_of_another_encoding() -> None:
    rows = "".join(f"{number},größer als Öl\n" for number in range(9_999)).encode()
    found = from_csv(b"id,text\n" + rows + b"a,\xff\nb,good\n")
    assert [item.reason for item in found if isinstance(item, Skipped)] == ["not UTF-8"]
    assert isinstance(found[-1], Document)
    with pytest.raises(CorpusError, match="the header cannot be read: not UTF-8"):
        from_csv("größer als Öl äöüäöüäöü".encode() + b"\xff,text\n")


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("contacts.csv", "name;phone\nAnna;12\n\nBo;1;2;3\n", "name;phone\nAnna;12\n\nBo;1;2;3"),
        ("prices.tsv", "item\tprice\nboiler\t5\n", "item\tprice\nboiler\t5"),
        ("log.jsonl", '{"at": 1, "message": "boiler on"}\n{"at": 2}\n', "at: 1  message: boiler on\nat: 2"),
    ],
)
def test_a_table_of_a_folder_without_a_text_is_one_document(tmp_path: Path, name: str, content: str, text: str) -> None:
    (tmp_path / name).write_text(content)
    documents = [item for item in read([str(tmp_path)]) if isinstance(item, Document)]
    assert [(item.id, item.title, item.text) for item in documents] == [(name, name, text)]
    with pytest.raises(CorpusError, match="no field 'text'; its fields are"):
        list(read([str(tmp_path / name)]))
    assert not [item for item in read([str(tmp_path)], TableSpec(text_field="x")) if isinstance(item, Document)]


@pytest.mark.parametrize("content", ["", "\n\n", "id,text\n"])
def test_a_table_without_rows_is_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    assert list(read([str(tmp_path)])) == [Skipped("t.csv", "empty")]


def test_all_kinds_of_tables_packed_or_not_give_the_same_documents(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "one", "n": 1}, {"id": "b", "text": "two", "n": None}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "t.csv").write_text("id,text,n\na,one,1\nb,two,\n")
    (tmp_path / "t.tsv").write_text("id\ttext\tn\na\tone\t1\nb\ttwo\t\n")
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    expected = [("a", "one", {"n": 1}), ("b", "two", {"n": None})]
    for path in sorted(tmp_path.iterdir()):
        packed = path.with_name(path.name + ".gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        for each in (path, packed):
            found = [item for item in read([str(each)]) if isinstance(item, Document)]
            assert [(item.id, item.text, dict(item.fields)) for item in found] == expected, each.name


def test_a_damaged_parquet_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1" * 10)
    with pytest.raises(CorpusError, match=r"damaged, or not a file in the \.parquet format"):
        list(read([str(tmp_path / "t.parquet")]))


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.writelines(f'{{"id": {number}, "text": "row number {number} of many"}}\n' for number in range(50_000))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read([str(path)])) == 50_000
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("depth", [100, 101, 450, 900, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_row_may_not_nest_too_deeply(depth: int, opening: str, closing: str) -> None:
    row = f'{{"text": "a", "x": {opening * (depth - 1)}1{closing * (depth - 1)}}}'
    flat = json.dumps({"text": "b", "x": [[]] * 500})
    found = from_json(row, flat)
    assert isinstance(found[1], Document)
    reason = "nested too deeply" if depth < 1_000 else "not JSON"
    assert isinstance(found[0], Document) if depth <= 100 else found[0] == Skipped("t:1", reason)


def test_a_csv_file_may_not_have_a_million_columns() -> None:
    assert len(from_csv("," * (rows.MOST_COLUMNS - 5) + "text\n" + "," * 9 + "\n")) == 1
    with pytest.raises(CorpusError, match="1,000,001 columns; at most 16,384"):
        from_csv("," * 1_000_000 + "text\na\n")


@pytest.mark.parametrize("values", [b"[],", b"{},", b'"",', b'{"a":[]},'])
def test_a_row_of_millions_of_values_is_skipped_before_it_is_parsed(tmp_path, values):
    row = b'{"text": "an oven", "values": [' + values * ((15 << 20) // len(values)) + b"0]}\n"
    (tmp_path / "t.jsonl").write_bytes(row + b'{"id": "2", "text": "a sail"}\n')
    found = list(read([str(tmp_path / "t.jsonl")]))
    assert [getattr(item, "reason", None) or item.id for item in found] == ["more than a million values", "2"]


def test_every_row_knows_its_line() -> None:
    rows = b'a,text\n\n"1\n2",one\n3,"two\nlines"\n'
    found = list(tables.read_csv(io.BytesIO(rows), "t", TableSpec()))
    assert [item.places for item in found if isinstance(item, Document)] == [
        (Place(0, "line", "3"),),
        (Place(0, "line", "5"),),
    ]


@pytest.mark.parametrize("delimiter", list(delimited.DELIMITERS))
def test_the_delimiter_of_csv_is_the_one_that_makes_rows_regular(delimiter: str) -> None:
    others = " ".join(delimited.DELIMITERS.replace(delimiter, ""))
    rows = [["id", "text, see; or | also"], ["1", f"a {others} b"], ["2", "1,5;2,5"], ["3", "plain"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    assert shown(from_csv(out.getvalue(), TableSpec(text_field=rows[0][1]))) == [
        f"t:{line} {row[1]}" for line, row in enumerate(rows[1:], start=2)
    ]


def test_a_first_line_may_name_the_delimiter() -> None:
    assert shown(from_csv("sep=;\r\ntext;n\r\na,b;1\r\n")) == ["t:3 a,b"]
    assert shown(from_csv('"sep=^"\ntext^n\na,b^1\n')) == ["t:3 a,b"]


def test_a_table_of_one_column_has_no_delimiter() -> None:
    assert shown(from_csv('text\nhello, world; you\n"a\nb"\n')) == ["t:2 hello, world; you", "t:3 a\nb"]


def test_blank_lines_and_comments_may_stand_before_the_header() -> None:
    assert shown(from_csv("\n# exported today\n\n,,\n id,text,n\n1,a,2\n")) == ["t:6 a"]
    (document,) = from_csv("#n,text\n1,a\n")
    assert isinstance(document, Document)
    assert document.fields == {"#n": 1}


def test_rows_may_end_in_empty_cells_and_lack_cells() -> None:
    assert shown(from_csv("id,text\n1,a,,\n2,b,c\n3\n4,d\n")) == [
        "t:2 a", "t:3 more cells than columns", "t:4 empty", "t:5 d",
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    text = "é\u2028中 " * 40_000
    assert shown(from_csv(f'text,n\r\n"{text}",1\r\nb,2'.encode(encoding))) == [f"t:2 {text}", "t:3 b"]
    assert shown(from_json(f'{{"text": "{text}"}}\n{{"text": "b"}}'.encode(encoding))) == [f"t:1 {text}", "t:2 b"]
    if encoding == "utf-8-sig":
        assert shown(from_csv("text,n\na,1\n".encode(encoding) + b"\xff,2\nb,3\n")) == [
            "t:2 a", "t:3 not UTF-8", "t:4 b",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "cell", ["1.10", "007", "+1", "-0", "1e5", ".5", "1.", "NaN", "NA", "null", "2020-01-01", "1" * 30, "1,5", " 1"]
)
def test_a_cell_that_is_not_written_as_a_number_is_text(cell: str) -> None:
    (document,) = from_csv(f'text,x\na,"{cell}"\n')
    assert isinstance(document, Document)
    assert document.fields == {"x": cell}


def test_numbers_of_json_are_read_as_they_are_written() -> None:
    found = from_json('{"id": 1.10, "title": 2.0, "text": 1e400, "x": 1.10, "n": 12345678901234567890}', '{"text": 5}')
    assert found[0] == Document("1.10", "1e400", "2.0", {"x": 1.1, "n": 12345678901234567890}, "t:1")
    assert json.dumps(found[0].fields["x"]) == "1.1"
    assert shown(found[1:]) == ["t:2 5"]


def test_a_column_without_a_value_gives_way_to_the_next() -> None:
    rows = [
        '{"text": null, "abstract": "a"}',
        '{"id": "", "_id": "x", "text": "", "body": "b"}',
        '{"id": "", "text": "c"}',
    ]
    assert [item.id for item in from_json(*rows) if isinstance(item, Document)] == ["t:1", "x", "t:3"]
    assert shown(from_json(*rows)) == ["t:1 a", "t:2 b", "t:3 c"]
    assert shown(from_csv("text,body\n,a\nb,c\n")) == ["t:2 a", "t:3 b"]


def test_two_rows_of_one_line_have_two_ids() -> None:
    found = from_json('{"text": "a"}{"text": "b"} {"text": "c"}', '{"text": "d"}')
    assert [item.id for item in found if isinstance(item, Document)] == ["t:1", "t:1.2", "t:1.3", "t:2"]


ROWS = [{"text": f'a "{n}" {{[,\n', "tags": [{"text": "inner"}], "n": n} for n in range(3)]


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS), json.dumps(ROWS, indent=2), "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n",
        "\n".join(json.dumps(row, indent=4) for row in ROWS), "".join(f"\x1e{json.dumps(row)}\n" for row in ROWS),
        " ".join(map(json.dumps, ROWS)), "\n\n".join(map(json.dumps, ROWS)),
    ],
)  # fmt: skip
def test_objects_of_json_may_be_written_in_other_ways(
    content: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_rows, "_PIECE", piece)
    found = from_json(*content.split("\n"))
    assert [item.fields["n"] for item in found if isinstance(item, Document)] == [0, 1, 2]
    assert len(found) == 3
    if content.startswith("[\n  {"):
        assert [item.source for item in found] == ["t:2", "t:11", "t:20"]


def test_a_bad_object_of_a_list_costs_one_row() -> None:
    rows = json.dumps(ROWS, indent=2).split("\n")
    rows[10] = '  { "text" "b",'
    assert shown(from_json(*rows))[1] == "t:11 not JSON"
    assert len(from_json(*rows)) == 3
    assert shown(from_json('[{"text": "a"}, {"text" "b"}, {"text": "c"}]'))[1:] == [
        "t:1.2 not JSON, and the rows after it"
    ]
    assert shown(from_json('{"text": "a', '{"text": "b"}', '{"text": "c"}', "{"))[:2] == ["t:1 not JSON", "t:2 b"]
    assert shown(from_json('[{"text": "a"}, {"te'))[1:] == ["t:1.2 not JSON"]


def test_a_long_list_of_json_is_read_in_little_memory() -> None:
    content = io.BytesIO(json.dumps([{"text": f"{n:0500}"} for n in range(20_000)]).encode())
    tracemalloc.start()
    try:
        assert sum(1 for _ in tables.read_jsonl(content, "t", TableSpec())) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()
    long = '[{"text": "' + "x" * (streams.LONGEST + 10) + '"},\n{"text": "next"}]'
    assert shown(from_json(long)) == [f"t:1 {streams.TOO_LONG}", "t:2 next"]


def test_a_quote_in_quotes_may_have_a_backslash() -> None:
    rows = 'text,n\n"say \\"hi, you\\" now",1\n"C:\\",2\n"a \\" b\nc,3\n'
    assert shown(from_csv(rows)) == ['t:2 say "hi, you" now', "t:3 C:\\", "t:4 a \\ b", "t:5 c"]
