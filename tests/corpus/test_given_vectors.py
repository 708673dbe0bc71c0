"""Vectors of the user's own, in files and beside documents that are skipped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textae.corpus import TableSpec, read
from textae.corpus.own_vectors import with_vectors
from textae.errors import CorpusError, CorpusTypeError, TextaeError
from textae.types import Document, Skipped

ABC = [Document(id, f"text {id}") for id in "abc"]


def given(corpus: Any, vectors: Any, field: str = "") -> dict[str, Any]:
    """The vectors of the documents by their ids, as lists."""
    items = [item for item in with_vectors(corpus, vectors, field) if isinstance(item, Document)]
    return {item.id: None if item.vector is None else np.asarray(item.vector).tolist() for item in items}


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i4", "u1"])
def test_the_rows_of_an_array_are_those_of_the_documents(dtype: str, tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.array([[1, 2], [3, 4], [5, 6]], dtype))
    assert (
        given(ABC, tmp_path / "v.npy") == given(ABC, str(tmp_path / "v.npy")) == {"a": [1, 2], "b": [3, 4], "c": [5, 6]}
    )


def test_an_array_is_not_read_into_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.ones((3, 2)))
    (first, *_) = with_vectors(ABC, tmp_path / "v.npy")
    assert isinstance(first, Document)
    assert isinstance(first.vector.base, np.memmap)


def test_a_skipped_document_has_a_row_and_one_that_is_left_out_has_none() -> None:
    corpus = [ABC[0], Skipped("x", "empty"), Skipped(".y", "hidden", ignored=True), ABC[1]]
    assert given(corpus, [[1], [2], [3]]) == {"a": [1], "b": [3]}
    with pytest.raises(CorpusError, match=r"the array has 2 rows of vectors for 3 documents, 1 of them skipped; give"):
        given(corpus, [[1], [2]])


def test_an_array_has_a_row_for_each_row_of_a_table(tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    table.write_text('{"id":"a","text":"one"}\n{"id":"b","text":""}\nno JSON\n{"id":"d","text":"four","k":1}\n')
    assert given(read([str(table)]), np.arange(4)[:, None]) == {"a": [0], "d": [3]}
    assert given(read([str(table)], TableSpec(select=(("k", "1"),))), np.ones((2, 1))) == {"d": [1]}  # and no JSON


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_bytes(b"\x93NUMPY junk"), "are damaged, or no numbers in that format"),
        (lambda path: path.write_bytes(b""), "are damaged, or no numbers in that format"),
        (
            lambda path: np.save(path, np.array([{"a": 1}]), allow_pickle=True),
            "are damaged, or no numbers in that format",
        ),
        (lambda path: np.save(path, np.array([["a"]])), "no numbers in that format"),
        (lambda path: np.save(path, np.ones(3)), r"got memmap \(3,\): "),
        (lambda path: np.save(path, np.ones((3, 2), complex)), "no numbers in that format"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_array_is_refused(make: Callable[[Path], object], told: str, tmp_path: Path) -> None:
    make(tmp_path / "v.npy")
    with pytest.raises(CorpusError, match=told):
        given(ABC, tmp_path / "v.npy")


class TestParquet:
    @pytest.fixture
    def table(self, tmp_path: Path) -> Callable[..., Path]:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        def write(kind: Any = None, **columns: Any) -> Path:
            arrays = {name: pa.array(column, kind if name == "v" else None) for name, column in columns.items()}
            parquet.write_table(pa.table(arrays), tmp_path / "v.parquet", row_group_size=2)
            return tmp_path / "v.parquet"

        return write

    def test_rows_are_matched_by_id(self, table: Callable[..., Path]) -> None:
        path = table(id=["c", "x", "a"], v=[[5.0, 6.0], [0.0, 0.0], [1.0, 2.0]])
        assert given(ABC, path) == {"a": [1, 2], "b": None, "c": [5, 6]}

    @pytest.mark.parametrize("kind", ["list", "large_list", "fixed"])
    @pytest.mark.parametrize("number", ["float16", "float32", "float64", "int64"])
    def test_lists_of_every_kind(self, kind: str, number: str, table: Callable[..., Path]) -> None:
        pa = pytest.importorskip("pyarrow")
        of = getattr(pa, number)()
        lists = {"list": pa.list_(of), "large_list": pa.large_list(of), "fixed": pa.list_(of, 2)}
        value = np.float16 if number == "float16" else int
        path = table(lists[kind], id=["a", "b", "c"], v=[[value(1), value(2)], None, [value(3), value(4)]])
        assert given(ABC, path) == {"a": [1, 2], "b": None, "c": [3, 4]}

    def test_lists_of_several_lengths_and_gaps_are_each_document_s_own(self, table: Callable[..., Path]) -> None:
        found = given(ABC, table(id=["a", "b", "c"], v=[[1.0], [1.0, None], []]))
        assert (found["a"], found["c"]) == ([1], None)
        assert np.isnan(found["b"][1])

    def test_ids_may_be_numbers(self, table: Callable[..., Path]) -> None:
        assert given([Document("7", "text")], table(id=[7], v=[[1.0]])) == {"7": [1]}

    @pytest.mark.parametrize(
        ("columns", "told"),
        [
            ({"v": [[1.0]]}, "need a column id and one column of lists; there are v"),
            ({"id": ["a"], "v": [1.0]}, "need a column id and one column of lists; there are id, v"),
            ({"id": ["a"], "v": [[1.0]], "w": [[1.0]]}, "there are id, v, w"),
            ({"id": ["a"], "v": [[{"x": 1}]]}, "damaged, or no numbers in that format"),
            ({"id": ["a"], "v": [["x"]]}, "damaged, or no numbers in that format"),
        ],
    )
    def test_other_tables_are_refused(self, columns: Any, told: str, table: Callable[..., Path]) -> None:
        with pytest.raises(CorpusError, match=told):
            given(ABC, table(**columns))

    def test_what_is_no_parquet_file_is_refused(self, tmp_path: Path) -> None:
        pytest.importorskip("pyarrow")
        (tmp_path / "v.parquet").write_text("junk")
        with pytest.raises(CorpusError, match=r"v\.parquet are damaged"):
            given(ABC, tmp_path / "v.parquet")
        with pytest.raises(CorpusError, match="cannot be read: No such file"):
            given(ABC, tmp_path / "w.parquet")


class TestFields:
    def test_documents_lose_the_field(self) -> None:
        (one, other) = with_vectors([Document("a", "text", fields={"v": [1], "w": 2}), Document("b", "text")], "v")
        assert (one.fields, one.vector, other.vector) == ({"w": 2}, [1], None)  # type: ignore[union-attr]

    def test_a_known_field_goes_also_where_other_vectors_come(self) -> None:
        (one,) = with_vectors([Document("a", "text", fields={"v": [1]})], {"a": [2]}, "v")
        assert (one.fields, one.vector) == ({}, [2])  # type: ignore[union-attr]

    def test_a_list_column_of_a_table_is_a_field(self, tmp_path: Path) -> None:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        columns = {"id": ["a", "b"], "text": ["one", "two"], "v": [[1.5, 2.0], None]}
        parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
        assert given(read([str(tmp_path / "t.parquet")]), "v") == {"a": [1.5, 2.0], "b": None}


class TestFunctions:
    def test_they_get_texts_in_batches(self) -> None:
        seen: list[list[str]] = []

        def embed(texts: list[str]) -> np.ndarray:
            seen.append(texts)
            return np.array([[len(text)] for text in texts])

        corpus = [Document(str(i), "x" * i, title="t") for i in range(1, 100)]
        assert given([Skipped("y", "empty"), *corpus], embed) == {str(i): [i + 2] for i in range(1, 100)}
        assert [len(texts) for texts in seen] == [63, 36]
        assert seen[0][0] == "t\nx"

    def test_as_many_vectors_as_texts(self) -> None:
        with pytest.raises(CorpusTypeError, match="gave 1 rows for 3 texts"):
            given(ABC, lambda texts: [[1.0]])


@pytest.mark.parametrize("vectors", [3, [1.0, 2.0], np.ones((1, 1, 1))])
def test_what_is_no_vectors_is_refused(vectors: Any) -> None:
    with pytest.raises(TextaeError, match="vectors are the name of a field, a path, an array of"):
        given(ABC, vectors)
