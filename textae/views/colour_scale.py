"""What a field of the documents says in colours: categories, or numbers and dates on a scale.

The values decide, not the field's name. Where nearly all are numbers, or dates as ISO 8601 or a mail writes them, the
field is a scale, and what does not fit has no value; else it is categories, among them the few whole numbers of a
coded label. A list speaks by its first element that says something, a dictionary not at all.

    >>> by_topic = colouring("topic", ["stars", "bread", "stars", None])
    >>> by_topic.labels, by_topic.values.tolist()
    (('stars', 'bread'), [0, 1, 0, -1])
    >>> legend(by_topic)
    Legend(entries=(('stars', 2), ('bread', 1)), others=0, without=1)
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from textae.explore.scales import CATEGORIES, DATES, EPOCH, SHOWN, YEARS, Colouring
from textae.views.palette import OTHER, WITHOUT, categorical, sequential

_STEPS = 64  # colours of a scale


@dataclass(frozen=True)
class Legend:
    """What the colours of categories mean.

    Attributes:
        entries: (label, documents) of the at most `SHOWN` categories that have a colour of their own, the most
            frequent first.
        others: documents of all other categories.
        without: documents of none.
    """

    entries: tuple[tuple[str, int], ...]
    others: int
    without: int


def shares(colouring: Colouring) -> NDArray[np.float64]:
    """Where each document is on the scale of a field, from 0 to 1, by rank; NaN for none: (n,).

    Ranks (equal values have the mean of theirs) give each colour as many documents, where a few large values, as sizes
    and counts have them, would leave one colour to nearly all.
    """
    values = np.asarray(colouring.values, np.float64)
    known = np.sort(values[~np.isnan(values)])
    ranks = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right") - 1) / 2
    return np.where(np.isnan(values), np.nan, ranks / max(1, len(known) - 1))


def colours(colouring: Colouring, *, dark: bool = False) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The colours of a field, and of each document the place of its own among them: (n,).

    Of categories these are `SHOWN` colours in the order of the labels, that of all others, and that of none; of
    numbers and dates a scale from the least to the most, and that of none.
    """
    others, without = OTHER[dark], WITHOUT[dark]
    if colouring.kind == CATEGORIES:
        places = np.minimum(np.asarray(colouring.values, np.int32), SHOWN)
        return (*categorical(SHOWN, dark=dark), others, without), np.where(places < 0, SHOWN + 1, places)
    steps = np.nan_to_num(shares(colouring) * (_STEPS - 1), nan=_STEPS).round().astype(np.int32)
    return (*(sequential(step / (_STEPS - 1), dark=dark) for step in range(_STEPS)), without), steps


def legend(colouring: Colouring) -> Legend:
    """What the colours of categories mean, and of how many documents each is."""
    values = np.asarray(colouring.values, np.int32)
    counts = np.bincount(values[values >= 0], minlength=len(colouring.labels)).tolist()
    entries = tuple(zip(colouring.labels[:SHOWN], counts, strict=False))
    return Legend(entries, sum(counts[SHOWN:]), int((values < 0).sum()))


def stops(colouring: Colouring, n: int = 5) -> tuple[tuple[float, str], ...]:
    """What a scale means at n places from 0 to 1, (place, value as it is written): the quantiles of the documents."""
    values = np.asarray(colouring.values, np.float64)
    known = values[~np.isnan(values)]
    places = np.linspace(0, 1, n)
    at = np.quantile(known, places, method="nearest")
    write = _date_writer(known) if colouring.kind == DATES else _number_writer(known)
    return tuple(zip(places.tolist(), map(write, at.tolist()), strict=True))


def _date_writer(days: NDArray[np.float64]) -> Callable[[float], str]:
    """Years of what lasts long, days of what does not."""
    lasts = float(days.max() - days.min())
    length = 4 if lasts > 5 * 365 else 7 if lasts > 150 else 10 if lasts > 4 else 16
    return lambda day: (EPOCH + timedelta(days=day)).isoformat(" ", "minutes")[:length]


def _number_writer(numbers: NDArray[np.float64]) -> Callable[[float], str]:
    """Whole numbers as such, those that may all be years without a comma, and others to four digits."""
    if not (numbers == numbers.round()).all():
        return lambda number: f"{number:.4g}"
    years = YEARS[0] <= numbers.min() and numbers.max() <= YEARS[1]
    return lambda number: f"{number:.0f}" if years else f"{number:,.0f}" if abs(number) < 1e9 else f"{number:.3g}"
