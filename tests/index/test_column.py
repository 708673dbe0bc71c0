"""One array in several parts answers as the whole one does."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.index.chunked import ChunkedArray

PARTS = st.lists(st.lists(st.integers(-9, 9), max_size=5), min_size=1, max_size=6).map(
    lambda parts: [np.array(part, np.int16).reshape(-1, 1) * [1, 10] for part in parts]
)


@given(PARTS, st.data())
def test_rows_are_those_of_the_whole(parts, draw) -> None:
    column, whole = ChunkedArray(parts), np.concatenate(parts)
    assert len(column) == len(whole)
    assert np.array_equal(column.whole(), whole)
    rows = np.array(draw.draw(st.lists(st.integers(0, len(whole) - 1), max_size=9) if len(whole) else st.just([])), int)
    taken = column.take(rows)
    assert np.array_equal(taken, whole[rows])
    assert (taken.dtype, taken.shape[1:]) == (whole.dtype, whole.shape[1:])


@given(PARTS)
def test_parts_come_after_the_number_of_their_first_row(parts) -> None:
    column = ChunkedArray(parts)
    assert column.starts.tolist() == [sum(map(len, parts[:n])) for n in range(len(parts) + 1)]
    assert [(start, id(part)) for start, part in column] == [
        (start, id(part)) for start, part in zip(column.starts, parts, strict=False)
    ]


def test_one_part_is_not_copied() -> None:
    array = np.arange(3)
    assert ChunkedArray([array]).whole() is array


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system does not show how files are mapped")
def test_where_rows_are_expected_the_system_reads_none_around_them(tmp_path) -> None:
    np.save(tmp_path / "rows.npy", np.zeros((1_000, 9), np.float16))
    rows = np.asarray(np.load(tmp_path / "rows.npy", mmap_mode="r"))

    def flags() -> str:
        return re.search(r"rows\.npy.*?VmFlags:([a-z ]*)", Path("/proc/self/smaps").read_text(), re.DOTALL)[1]

    assert " rr " not in flags()
    ChunkedArray([rows, rows[:0], np.zeros((3, 9), np.float16)]).expect_rows()
    assert " rr " in flags()
