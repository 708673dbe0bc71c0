"""Names for the arrays that pass between modules, and what numpy lacks of them."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.generic)

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

Rows = NDArray[np.int64]
"""Numbers of rows, counted through all parts."""

Mask = NDArray[np.bool_]
"""(n_rows,) which rows are meant."""


def distinct(values: NDArray[T]) -> tuple[NDArray[T], NDArray[np.int64]]:
    """The different values of an array, rising, and how often each occurs.

    It is `np.unique` on the way of a search, which must not wait for the 14 ms in which that imports `numpy.ma`.
    """
    ordered = np.sort(values)
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    return ordered[first], np.diff(np.append(first, len(ordered)))
