"""Rows of pixels: what goes in comes out, in whatever portions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from textae.encoding.pixels import Pixels
from textae.types import Picture


def test_pictures_become_rows_and_levels_become_brightness() -> None:
    pixels = Pixels.of([Picture(1, 3, 1, bytes([0, 51, 255])), Picture(1, 3, 1, bytes([255, 102, 0]))])
    assert len(pixels) == 2
    assert pixels.values.tolist() == [[0, 51, 255], [255, 102, 0]]
    assert pixels.brightness() == pytest.approx(np.array([[0, 0.2, 1], [1, 0.4, 0]]), abs=1e-7)
    assert pixels.brightness().dtype == np.float32


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.just(3))), st.integers(1, 25), st.integers(0, 20))
def test_parts_make_the_whole_again(values, size, cut) -> None:
    pixels = Pixels(values)
    parts = list(pixels.chunks(size))
    assert {len(part) for part in parts[:-1]} <= {size}
    for rows in (parts, [pixels.rows(0, cut), pixels.rows(cut, len(pixels))]):
        assert (Pixels.concatenated(rows).values == values).all()
    order = np.arange(len(pixels))[::-1]
    assert (pixels.take(order).values == values[::-1]).all()
