"""The kind of a field's values: categories, numbers, or dates.

The values decide, not the field's name. If nearly all values are numbers, or dates as ISO 8601 or a mail writes them,
the field is a scale, and other values are missing; else it has categories, also if the numbers are few coded labels. A
list counts as its first element that has a value, a dictionary as none.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from textae.errors import QueryError
from textae.index.snapshot import Snapshot
from textae.types import FieldValue

Scalar = str | bool | int | float

CATEGORIES, NUMBERS, DATES = "categories", "numbers", "dates"
DISTINCT = 12
"""Maximum number of distinguishable colours (`textae.views.palette.MOST`)."""
SHOWN = DISTINCT - 1
"""Categories with a colour of their own, the most frequent ones; all others share one."""
YEARS = (1000, 2999)
EPOCH = datetime(1970, 1, 1)

_NEARLY_ALL = 0.95  # of the values: a few mails have an unreadable date
_FEW_ARE_SHOWN = 0.1  # of the documents: a legend that covers fewer explains nothing
_LONGEST = 80  # characters of a number or a date
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d).*)?)?", re.ASCII | re.DOTALL)
_MAIL_DATE = re.compile(r"(?:[a-z]{3},? *)?\d{1,2}[ -][a-z]{3}[ -]\d{2,4}\b.*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Colouring:
    """The values of a field, for colours.

    Attributes:
        field: its name.
        kind: `CATEGORIES`, `NUMBERS` or `DATES`.
        values: (n,). Categories: int32, places in `labels`, -1 for none. Numbers and dates: float64, NaN for none;
            dates are days since 1970-01-01.
        labels: the categories, the most frequent first; empty for other kinds.
    """

    field: str
    kind: str
    values: NDArray[np.int32] | NDArray[np.float64]
    labels: tuple[str, ...] = ()


def colouring(field: str, values: Sequence[FieldValue]) -> Colouring | None:
    """The kind and the values of a field; None if colours would tell nothing.

    They tell nothing if no document has a value, if all values are the same, or if the categories that a legend could
    show, each of several documents, cover fewer than a tenth of the documents, as with ids and signatures.

    Args:
        field: its name.
        values: of each document, None for none.
    """
    scalars = list(map(_scalar, values))
    labels = [None if value is None else _label(value) for value in scalars]
    counts = Counter(label for label in labels if label is not None)
    n = counts.total()
    if not n or (n == len(values) and len(counts) == 1):
        return None
    for kind, read in ((NUMBERS, _number), (DATES, _days)):
        scale = np.array([math.nan if value is None else read(value) for value in scalars], np.float64)
        numbers = np.unique(scale[np.isfinite(scale)])
        if np.isfinite(scale).sum() >= _NEARLY_ALL * n:
            # A few whole numbers that are no years are labels, as are truth values.
            whole = len(numbers) <= DISTINCT and bool((numbers == numbers.round()).all())
            if kind == NUMBERS and whole and not (numbers == numbers.clip(*YEARS)).all():
                break
            return Colouring(field, kind, scale)
    ordered = sorted(counts, key=lambda label: (-counts[label], label))
    if sum(counts[label] for label in ordered[:SHOWN] if counts[label] > 1) < _FEW_ARE_SHOWN * len(values):
        return None
    number = {label: i for i, label in enumerate(ordered)}
    places = np.array([-1 if label is None else number[label] for label in labels], np.int32)
    return Colouring(field, CATEGORIES, places, tuple(ordered))


def label_of(value: FieldValue) -> str | None:
    """The value of a field as a legend writes it; None for none."""
    scalar = _scalar(value)
    return None if scalar is None else _label(scalar)


def _scalar(value: FieldValue) -> Scalar | None:
    """The one value of a field; None for none."""
    while isinstance(value, list):
        value = next((part for part in value if part not in (None, "", [])), None)
    if isinstance(value, str):
        return " ".join(value.split()) or None
    return None if isinstance(value, dict) or value is None or math.isnan(_number(value)) else value


def _label(value: Scalar) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else str(value).removesuffix(".0")


def _number(value: Scalar) -> float:
    """A finite number, or a truth value as one; else NaN."""
    if isinstance(value, str) and not (len(value) <= _LONGEST and _NUMBER.fullmatch(value)):
        return math.nan
    try:
        number = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.nan
    return number if math.isfinite(number) else math.nan


def _days(value: Scalar) -> float:
    """A date, in its own time zone, as days since 1970-01-01; else NaN."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return math.nan
    if match := _DATE.fullmatch(value):
        year, month, day, hour, minute = map(int, match.groups("1")[:3] + match.groups("0")[3:])
    elif _MAIL_DATE.fullmatch(value):
        from email.utils import parsedate

        year, month, day, hour, minute = (parsedate(value) or (0,) * 5)[:5]
    else:
        return math.nan
    try:
        return (datetime(year, month, day, hour, minute) - EPOCH) / timedelta(days=1)
    except ValueError:  # the 31st of February
        return math.nan


def field_colouring(snapshot: Snapshot, field: str, ids: Sequence[str]) -> Colouring:
    """How a field colours some documents.

    Raises:
        QueryError: it has no colours: all values are the same, or each document has its own.
    """
    values = snapshot.reader.field(field)
    if scale := colouring(field, [values[id] for id in ids]):
        return scale
    known = ", ".join(sorted(snapshot.field_names - {"id", "title"})) or "none"
    raise QueryError(f"the field {field!r} has one value, or too many values, for colours; the fields are: {known}")
