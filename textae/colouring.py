"""What a field of the documents says in colours: categories, or numbers and dates on a scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.types import FieldValue

CATEGORIES, NUMBERS, DATES = "categories", "numbers", "dates"


@dataclass(frozen=True)
class Colouring:
    """A field of some documents, as colours tell it.

    Attributes:
        field: its name.
        kind: `CATEGORIES`, `NUMBERS` or `DATES`.
        values: (n,) of categories int32, the place of each document's in `labels`, -1 for none; of numbers and dates
            float64, NaN for none; dates are days since 1970-01-01.
        labels: the categories, the most frequent first; empty of the other kinds.
    """

    field: str
    kind: str
    values: NDArray[np.int32] | NDArray[np.float64]
    labels: tuple[str, ...] = ()


def colouring(field: str, values: Sequence[FieldValue]) -> Colouring | None:
    """How a field of some documents is coloured; None where it says nothing: all the same, or a list of its own each.

    Args:
        field: its name.
        values: of each document, None where it has no such field.
    """
    raise NotImplementedError
