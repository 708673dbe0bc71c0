"""Topics over time: how many documents of each there are in each year, month or day of a field of dates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.errors import QueryError
from textae.explore.clustering import Numbers
from textae.explore.scales import DATES, NUMBERS, YEARS, colouring
from textae.index.snapshot import Snapshot
from textae.types import Topics

YEAR, MONTH, DAY = "year", "month", "day"

_DAYS, _MONTHS = 62, 60  # that are shown one by one; of what lasts longer, months, and then years
_LETTER = {YEAR: "Y", MONTH: "M", DAY: "D"}


@dataclass(frozen=True)
class TopicsOverTime:
    """How many documents of each topic there are in each period.

    Attributes:
        topics: of all documents.
        field: that dates the documents.
        unit: of a period: `YEAR`, `MONTH` or `DAY`.
        periods: each as ISO 8601 writes it, from the first date to the last without a gap.
        documents: (n_leaves, n_periods) int64, by the place of a topic in `topics.leaves`.
        undated: documents with a topic and without a date.
    """

    topics: Topics
    field: str
    unit: str
    periods: tuple[str, ...]
    documents: NDArray[np.int64]
    undated: int


def topics_over_time(snapshot: Snapshot, field: str, topics: Topics, topic_of: Numbers) -> TopicsOverTime:
    """Count the documents of each topic by period.

    Args:
        snapshot: the index.
        field: that holds years, or dates as ISO 8601 or mails (RFC 2822) write them.
        topics: of the documents.
        topic_of: of each document that has a code, in the order of their numbers.

    Raises:
        QueryError: no document has the field, or it does not hold dates, or all the same.
    """
    dates = _dates(snapshot, field)
    is_dated = ~np.isnat(dates)
    unit, period_of = _periods(dates[is_dated])
    first = period_of.min()
    n_periods = int((period_of.max() - first).astype(np.int64)) + 1
    place = topic_of[is_dated].astype(np.int64) * n_periods + (period_of - first).astype(np.int64)
    counts = np.bincount(place, minlength=len(topics.leaves) * n_periods).reshape(-1, n_periods)
    periods = tuple(np.datetime_as_string(first + np.arange(n_periods)).tolist())
    return TopicsOverTime(topics, field, unit, periods, counts, int((~is_dated).sum()))


def _dates(snapshot: Snapshot, field: str) -> NDArray[np.datetime64]:
    """The day of each document that has a code; not a time where it has none."""
    if field not in snapshot.field_names:
        known = ", ".join(sorted(snapshot.field_names - {"id", "title"})) or "none"
        raise QueryError(f"no document has the field {field!r}; the fields are: {known}")
    values = np.array(list(snapshot.reader.field(field).values()), object)[snapshot.codes.has_code].tolist()
    scale = colouring(field, values)
    numbers = np.asarray(scale.values if scale else (), np.float64)
    are_numbers = scale is not None and scale.kind == NUMBERS
    known_numbers = numbers[~np.isnan(numbers)]
    are_years = are_numbers and bool((known_numbers == known_numbers.round().clip(*YEARS)).all())
    if scale is None or not (are_years or scale.kind == DATES):
        raise QueryError(
            f"the field {field!r} does not date the documents; give one that holds years, or dates as 2012-05-03 "
            "or as in mails, and not all the same"
        )
    days = np.floor(numbers)
    whole = np.where(np.isnan(days), np.iinfo(np.int64).min, days).astype(np.int64)  # the least stands for no time
    return (whole - 1970 * (~np.isnan(days))).astype("datetime64[Y]") if are_years else whole.astype("datetime64[D]")


def _periods(dates: NDArray[np.datetime64]) -> tuple[str, NDArray[np.datetime64]]:
    """The finest unit of which there are not too many, and the period of each date."""
    unit = YEAR
    if dates.dtype == np.dtype("datetime64[D]"):
        lasts = int((dates.max() - dates.min()).astype(np.int64))
        unit = DAY if lasts < _DAYS else MONTH if lasts < _MONTHS * 30.5 else YEAR
    return unit, dates.astype(f"datetime64[{_LETTER[unit]}]")
