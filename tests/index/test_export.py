"""Codes as files for other tools: all formats say what the index holds, and a file is whole or not there."""

import csv
import errno
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from shared import QUICK, export_codes, some_documents

from textae import Document, Engine, TextaeError
from textae.files import whole_file
from textae.index import export


def read_array(path) -> tuple[list[str], np.ndarray]:
    return path.with_suffix(".ids").read_text().splitlines(), np.load(path, allow_pickle=False)


def read_parquet(path) -> tuple[list[str], np.ndarray]:
    table = pyarrow.parquet.read_table(path)
    assert table.column_names == ["id", "code"]
    numbers = table["code"].combine_chunks().flatten().to_numpy()
    return table["id"].to_pylist(), numbers.reshape(len(table), -1)


def read_csv(path) -> tuple[list[str], np.ndarray]:
    with path.open(newline="") as file:
        names, *rows = csv.reader(file)
    ids = [row[0] for row in rows]
    if names == ["id", "bits"]:
        return ids, np.array([list(bytes.fromhex(row[1])) for row in rows], np.uint8)
    assert names == ["id", *(f"c{i}" for i in range(len(names) - 1))]
    return ids, np.array([row[1:] for row in rows], np.float32)


READERS = {"codes.npy": read_array, "codes.parquet": read_parquet, "codes.csv": read_csv}


@pytest.mark.parametrize("name", READERS)
class TestEveryFormat:
    @pytest.mark.parametrize("what, dtype", [("floats", np.float32), ("bits", np.uint8)])
    def test_it_holds_the_codes_of_the_index(self, engine, tmp_path, name, what, dtype):
        export_codes(engine, tmp_path / name, what)
        ids, codes = READERS[name](tmp_path / name)
        assert ids == list(engine.snapshot.ids.values())
        assert codes.dtype == dtype
        assert np.array_equal(codes, getattr(engine.snapshot.codes, what))

    def test_it_is_the_same_in_chunks(self, engine, tmp_path, name, monkeypatch):
        export_codes(engine, tmp_path / name)
        whole = READERS[name](tmp_path / name)
        monkeypatch.setattr(export, "_CHUNK", 7)
        export_codes(engine, tmp_path / name)
        ids, codes = READERS[name](tmp_path / name)
        assert ids == whole[0]
        assert np.array_equal(codes, whole[1])

    def test_what_fails_leaves_what_was_there(self, engine, tmp_path, name, monkeypatch):
        (tmp_path / name).write_text("before")

        def full(*_):
            yield list(engine.snapshot.ids.values())[:5], engine.snapshot.codes.floats[:5].astype(np.float32)
            raise OSError("no space left")

        monkeypatch.setattr(export, "_chunks", full)
        with pytest.raises(OSError, match="no space left"):
            export_codes(engine, tmp_path / name)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "before"


def test_odd_ids_come_back(tmp_path):
    ids = ["a,b", 'say "it"', "=1+1", "größe 文", " blank "]
    with Engine.create(tmp_path / "index") as engine:
        engine.index((Document(id, d.text) for id, d in zip(ids, some_documents(5), strict=True)), train=QUICK)
        for name, read in READERS.items():
            export_codes(engine, tmp_path / name)
            assert read(tmp_path / name)[0] == ids


def test_an_id_of_two_lines_is_refused_where_ids_are_lines(tmp_path):
    with Engine.create(tmp_path / "index") as engine:
        engine.index([Document("two\nlines", "a comet"), Document("one", "a star")], train=QUICK)
        with pytest.raises(TextaeError, match=r"the id 'two\\nlines' is of several lines, .* give .csv"):
            export_codes(engine, tmp_path / "codes.npy")
        export_codes(engine, tmp_path / "codes.csv")
        assert read_csv(tmp_path / "codes.csv")[0] == ["two\nlines", "one"]


@pytest.mark.parametrize("name", ["codes", "codes.txt", "codes.npz", ".npy"])
def test_a_format_that_is_not_known(engine, tmp_path, name):
    with pytest.raises(TextaeError, match=r"give a name that ends in .npy, .parquet, .csv"):
        export_codes(engine, tmp_path / name)


class TestWholeFiles:
    def test_a_link_stays_a_link(self, tmp_path):
        (tmp_path / "target").write_text("old")
        (tmp_path / "link").symlink_to("target")
        with whole_file(tmp_path / "link") as passing:
            passing.write_text("new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "target").read_text() == "new"

    def test_until_it_is_done_nothing_is_seen(self, tmp_path):
        with whole_file(tmp_path / "file") as passing:
            passing.write_text("half")
            assert not (tmp_path / "file").exists()
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    def test_what_cannot_be_written_is_named_as_it_was_given(self, tmp_path):
        (tmp_path / "folder").mkdir()
        for path in (tmp_path / "nowhere" / "file", tmp_path / "folder"):
            with pytest.raises(OSError) as failed, whole_file(path):
                pytest.fail("it was opened")
            assert failed.value.filename == str(path)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_a_full_disk_is_named_by_the_file(self, tmp_path):
        with pytest.raises(OSError) as failed, whole_file(tmp_path / "map.html"), open("/dev/full", "w") as file:  # noqa: PTH123
            file.write("a")
            file.flush()
        assert (failed.value.errno, failed.value.filename) == (errno.ENOSPC, str(tmp_path / "map.html"))
        assert list(tmp_path.iterdir()) == []

    def test_it_may_be_read_by_whom_the_umask_lets(self, tmp_path):
        before = os.umask(0o027)
        try:
            with whole_file(tmp_path / "file"):
                pass
        finally:
            os.umask(before)
        assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
