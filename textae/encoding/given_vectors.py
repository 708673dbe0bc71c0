"""Vectors as a user gives them, of documents and queries: numbers of unit length, or the reason why they are none."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from textae.encoding.arrays import Floats
from textae.errors import CorpusTypeError

MOST_DIMS = 1 << 16

NO_VECTOR, NOT_NUMBERS, NOT_FINITE, ZEROS, OTHER_DIMS = (
    "no vector", "vector not a list of numbers", "vector not finite", "vector of zeros", "vector of other dimensions",
)  # fmt: skip
"""Reasons for a document to have none."""


def unit_vector(vector: Any) -> Floats | str:
    """A vector at unit length, (dims,) float32; or the reason why it is none."""
    if vector is None:
        return NO_VECTOR
    try:
        numbers = np.asarray(vector)
    except ValueError:
        return NOT_NUMBERS
    if numbers.ndim != 1 or numbers.dtype.kind not in "fiu" or not 0 < len(numbers) <= MOST_DIMS:
        return NOT_NUMBERS
    numbers = numbers.astype(np.float64)
    largest = np.abs(numbers).max()
    if not np.isfinite(largest):
        return NOT_FINITE
    if not largest:
        return ZEROS
    numbers /= largest  # no square of what is left overflows
    unit: Floats = (numbers / np.linalg.norm(numbers)).astype(np.float32)
    return unit


def vectors_of(function: Callable[[list[str]], Any], texts: list[str]) -> Iterator[Any]:
    """What a function gives for texts, one for each.

    Raises:
        CorpusTypeError: it gives more or fewer.
    """
    rows = list(function(texts)) if texts else []
    if len(rows) != len(texts):
        raise CorpusTypeError(
            f"the function of the vectors gave {len(rows):,} rows for {len(texts):,} texts; give one each"
        )
    return iter(rows)
