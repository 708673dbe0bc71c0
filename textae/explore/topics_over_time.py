"""Topics over time: the number of documents of each topic in each year, month or day of a date field."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Ints
from textae.errors import QueryError
from textae.explore.scales import DATES, NUMBERS, YEARS, colouring
from textae.index.snapshot import Snapshot
from textae.types import Topics

YEAR, MONTH, DAY = "year", "month", "day"

_DAYS, _MONTHS = 62, 60  # longest periods that are shown by days, and by months


@dataclass(frozen=True)
class TopicsOverTime:
    """The number of documents of each topic in each period.

    Attributes:
        topics: of all documents.
        field: with the dates.
        unit: of a period: `YEAR`, `MONTH` or `DAY`.
        periods: ISO 8601, from the first date to the last without a gap.
        documents: (n_leaves, n_periods) int64, in the order of `topics.leaves`.
        undated: documents with a topic and without a date.
    """

    topics: Topics
    field: str
    unit: str
    periods: tuple[str, ...]
    documents: NDArray[np.int64]
    undated: int


def topics_over_time(snapshot: Snapshot, field: str, topics: Topics, topic_of: Ints) -> TopicsOverTime:
    """Count the documents of each topic by period.

    Args:
        snapshot: the index.
        field: of years, or of dates as ISO 8601 or mails (RFC 2822) write them.
        topics: of the documents.
        topic_of: of each document that has a code, in the order of their numbers.

    Raises:
        QueryError: no document has the field, or it does not hold dates, or all are the same.
    """
    dates = _dates(snapshot, field)
    is_dated = ~np.isnat(dates)
    dated, unit = dates[is_dated], YEAR
    if dates.dtype == np.dtype("datetime64[D]"):
        days = int((dated.max() - dated.min()).astype(np.int64))
        unit = DAY if days < _DAYS else MONTH if days < _MONTHS * 30.5 else YEAR
    periods = dated.astype(f"datetime64[{unit[0].upper()}]")
    first = periods.min()
    column = (periods - first).astype(np.int64)
    n_periods = int(column.max()) + 1
    cell = topic_of[is_dated].astype(np.int64) * n_periods + column
    counts = np.bincount(cell, minlength=len(topics.leaves) * n_periods).reshape(-1, n_periods)
    names = tuple(np.datetime_as_string(first + np.arange(n_periods)).tolist())
    return TopicsOverTime(topics, field, unit, names, counts, int((~is_dated).sum()))


def _dates(snapshot: Snapshot, field: str) -> NDArray[np.datetime64]:
    """The year or the day of each document that has a code; NaT without one."""
    if field not in snapshot.field_names:
        known = ", ".join(sorted(snapshot.field_names - {"id", "title"})) or "none"
        raise QueryError(f"no document has the field {field!r}; the fields are: {known}")
    values = np.array(list(snapshot.reader.field(field).values()), object)[snapshot.codes.has_code].tolist()
    scale = colouring(field, values)
    numbers = np.asarray(scale.values if scale else (), np.float64)
    dated, kind = ~np.isnan(numbers), scale.kind if scale else None
    are_years = kind == NUMBERS and bool((numbers[dated] == numbers[dated].round().clip(*YEARS)).all())
    if not are_years and kind != DATES:
        raise QueryError(
            f"the field {field!r} does not date the documents; give one that holds years, or dates as 2012-05-03 "
            "or as in mails, and not all the same"
        )
    whole = np.full(len(numbers), np.iinfo(np.int64).min)  # which stands for NaT
    whole[dated] = np.floor(numbers[dated]).astype(np.int64) - 1970 * are_years
    return whole.astype("datetime64[Y]") if are_years else whole.astype("datetime64[D]")
