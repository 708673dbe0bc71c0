"""The colours and the legend of a field: of categories, or of numbers and dates on a scale.

`textae.explore.scales` decides which of these a field has.

    >>> by_topic = colouring("topic", ["stars", "bread", "stars", None])
    >>> by_topic.labels, by_topic.values.tolist()
    (('stars', 'bread'), [0, 1, 0, -1])
    >>> legend(by_topic)
    Legend(entries=(('stars', 2), ('bread', 1)), others=0, without=1)
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from textae.explore.scales import CATEGORIES, DATES, EPOCH, SHOWN, YEARS, Colouring
from textae.views.palette import OTHER, WITHOUT, categorical, sequential

_STEPS = 64  # colours of a scale


@dataclass(frozen=True)
class Legend:
    """The meaning of the colours of categories.

    Attributes:
        entries: (label, documents) of at most `SHOWN` categories with a colour of their own, the most frequent first.
        others: documents of all other categories.
        without: documents without a category.
    """

    entries: tuple[tuple[str, int], ...]
    others: int
    without: int


def shares(colouring: Colouring) -> NDArray[np.float64]:
    """The position of each document on the scale of a field, from 0 to 1, by rank; NaN for none: (n,).

    By rank (equal values have their mean rank) each colour has as many documents. By value a few large sizes or counts
    would leave one colour for nearly all.
    """
    values = np.asarray(colouring.values, np.float64)
    known = np.sort(values[~np.isnan(values)])
    ranks = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right") - 1) / 2
    return np.where(np.isnan(values), np.nan, ranks / max(1, len(known) - 1))


def colours(colouring: Colouring, *, dark: bool = False) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The colours of a field, and the place of each document's colour in them: (n,).

    Categories have `SHOWN` colours in the order of the labels, one for all others and one for none; numbers and dates
    have a scale from the minimum to the maximum, and one colour for none.
    """
    others, without = OTHER[dark], WITHOUT[dark]
    if colouring.kind == CATEGORIES:
        places = np.minimum(np.asarray(colouring.values, np.int32), SHOWN)
        return (*categorical(SHOWN, dark=dark), others, without), np.where(places < 0, SHOWN + 1, places)
    steps = np.nan_to_num(shares(colouring) * (_STEPS - 1), nan=_STEPS).round().astype(np.int32)
    return (*(sequential(step / (_STEPS - 1), dark=dark) for step in range(_STEPS)), without), steps


def legend(colouring: Colouring) -> Legend:
    """The meaning of the colours of categories, with their numbers of documents."""
    values = np.asarray(colouring.values, np.int32)
    counts = np.bincount(values[values >= 0], minlength=len(colouring.labels)).tolist()
    entries = tuple(zip(colouring.labels[:SHOWN], counts, strict=False))
    return Legend(entries, sum(counts[SHOWN:]), int((values < 0).sum()))


def stops(colouring: Colouring, n: int = 5) -> tuple[tuple[float, str], ...]:
    """The values of a scale at n places from 0 to 1, (place, value as text): the quantiles of the documents."""
    values = np.asarray(colouring.values, np.float64)
    known = values[~np.isnan(values)]
    places = np.linspace(0, 1, n)
    at = np.quantile(known, places, method="nearest")
    low, high = float(known.min()), float(known.max())

    def text(value: float) -> str:
        if colouring.kind == DATES:  # years for a long time span, days for a short one
            length = 4 if high - low > 5 * 365 else 7 if high - low > 150 else 10 if high - low > 4 else 16
            return (EPOCH + timedelta(days=value)).isoformat(" ", "minutes")[:length]
        if not are_whole:
            return f"{value:.4g}"
        if YEARS[0] <= low and high <= YEARS[1]:
            return f"{value:.0f}"
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"

    are_whole = bool((known == known.round()).all())
    return tuple(zip(places.tolist(), map(text, at.tolist()), strict=True))
