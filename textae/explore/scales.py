"""What the values of a field are: categories, numbers, or dates."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from textae.types import FieldValue

CATEGORIES, NUMBERS, DATES = "categories", "numbers", "dates"


DISTINCT = 12
"""Categories that colours can tell apart (`textae.views.palette.MOST`)."""

SHOWN = DISTINCT - 1
"""Categories that have a colour of their own, the most frequent ones; all others share one."""


_NEARLY_ALL = 0.95  # of the values: of mails a few have a date that nobody can read


_FEW_ARE_SHOWN = 0.1  # of the documents: a legend that explains fewer explains nothing


YEARS = (1000, 2999)


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


_DATE = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d).*)?)?", re.ASCII | re.DOTALL)


_MAIL_DATE = re.compile(r"(?:[a-z]{3},? *)?\d{1,2}[ -][a-z]{3}[ -]\d{2,4}\b.*", re.ASCII | re.IGNORECASE)


_LONGEST = 80  # characters of a number or a date


EPOCH = datetime(1970, 1, 1)


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
    """How a field of some documents is coloured; None where it says nothing.

    It says nothing where no document has a value, or all the same, or where those categories that a legend could show
    (several documents each) hold fewer than a tenth of the documents, as of ids and signatures.

    Args:
        field: its name.
        values: of each document, None where it has no such field.
    """
    said = list(map(_said, values))
    known = [value for value in said if value is not None]
    if not known or (len(known) == len(said) and len(set(map(_label, known))) == 1):
        return None
    for kind, read in ((NUMBERS, _number), (DATES, _days)):
        scale = [math.nan if value is None else read(value) for value in said]
        if sum(map(math.isfinite, scale)) >= _NEARLY_ALL * len(known):
            if kind == NUMBERS and _is_coded(scale):
                break
            return Colouring(field, kind, np.array(scale, np.float64))
    return _categories(field, said)


def _categories(field: str, said: Sequence[str | bool | int | float | None]) -> Colouring | None:
    written = [None if value is None else _label(value) for value in said]
    counts = Counter(label for label in written if label is not None)
    labels = sorted(counts, key=lambda label: (-counts[label], label))
    if sum(counts[label] for label in labels[:SHOWN] if counts[label] > 1) < _FEW_ARE_SHOWN * len(said):
        return None
    place = {label: number for number, label in enumerate(labels)}
    values = np.array([-1 if label is None else place[label] for label in written], np.int32)
    return Colouring(field, CATEGORIES, values, tuple(labels))


def label_of(value: FieldValue) -> str | None:
    """How a legend writes what a field says of a document; None where it says nothing."""
    said = _said(value)
    return None if said is None else _label(said)


def _said(value: FieldValue) -> str | bool | int | float | None:
    """The one value that a field stands for; None where it says nothing."""
    while isinstance(value, list):
        value = next((part for part in value if part not in (None, "", [])), None)
    if isinstance(value, str):
        return " ".join(value.split()) or None
    if isinstance(value, dict) or value is None or math.isnan(_number(value)):
        return None
    return value


def _label(value: str | bool | int | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else str(value).removesuffix(".0")


def _number(value: str | bool | int | float) -> float:
    """As a finite number, truth values too; NaN for what is none."""
    if isinstance(value, str) and not (len(value) <= _LONGEST and _NUMBER.fullmatch(value)):
        return math.nan
    try:
        number = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.nan
    return number if math.isfinite(number) else math.nan


def _days(value: str | bool | int | float) -> float:
    """A date as days since 1970-01-01, on the clock of who wrote it; NaN for what is none."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return math.nan
    if found := _DATE.fullmatch(value):
        year, month, day, hour, minute = map(int, found.groups("1")[:3] + found.groups("0")[3:])
    elif _MAIL_DATE.fullmatch(value):
        from email.utils import parsedate

        year, month, day, hour, minute = (parsedate(value) or (0,) * 5)[:5]
    else:
        return math.nan
    try:
        return (datetime(year, month, day, hour, minute) - EPOCH) / timedelta(days=1)
    except ValueError:  # the 31st of February
        return math.nan


def _is_coded(numbers: Iterable[float]) -> bool:
    """Whether numbers are but the names of a few categories: truth values, whole numbers that are no years."""
    known = {number for number in numbers if not math.isnan(number)}
    whole = all(number.is_integer() for number in known)
    return whole and len(known) <= DISTINCT and not all(YEARS[0] <= number <= YEARS[1] for number in known)
