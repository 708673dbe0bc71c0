"""Names for the arrays that pass between modules, and one numpy function that is slow to import."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Reals = TypeVar("Reals", Floats, Doubles)

Rows = NDArray[np.int64]
"""Row numbers, counted through all segments."""

Mask = NDArray[np.bool_]
"""(n_rows,) true for the rows that may be hits."""


def evenly_spaced(n: int, most: int) -> Rows:
    """At most `most` of n rows, rising and evenly spaced."""
    return distinct(np.linspace(0, n - 1, min(n, most)).astype(np.int64))[0]


def distinct(values: NDArray[T]) -> tuple[NDArray[T], NDArray[np.int64]]:
    """The distinct values of an array, rising, and how often each occurs.

    Same as `np.unique`, which imports `numpy.ma`: 14 ms that a cold search must not wait for.
    """
    return runs(np.sort(values))


def runs(ordered: NDArray[T]) -> tuple[NDArray[T], NDArray[np.int64]]:
    """`distinct` of values that do not fall: to sort them again takes most of its time."""
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    return ordered[first], np.diff(np.append(first, len(ordered)))
