"""Confidence intervals and p-values of means over queries, by resampling; no normal distribution is assumed.

Both functions take one score per query id, go through the ids in sorted order, and draw from a generator of the
given seed, so that the same scores give the same figures whatever order they come in.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from textae.errors import QueryError

RESAMPLES = 10_000
"""Draws of the bootstrap and flips of the test; a p-value near .05 is then good to ±.004."""

BLOCK = 1 << 21
"""Numbers drawn at once: 16 MiB of them, whatever the number of queries."""


def confidence(values: Mapping[str, float], seed: int) -> tuple[float, float]:
    """Give the 95 % interval of the mean by the percentile bootstrap (Efron & Tibshirani 1993, chapter 13).

    Args:
        values: the score of each query.
        seed: of the resampling.

    Returns:
        low, high: the 2.5 % and 97.5 % points of the mean of `RESAMPLES` resamples of the queries.

    Raises:
        QueryError: there is no query.
    """
    sample = _scores(values, values)
    n, rng = len(sample), np.random.default_rng(seed)
    means = [sample[rng.integers(0, n, size=(rows, n))].mean(axis=1) for rows in _blocks(n)]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(low), float(high)


def significance(values: Mapping[str, float], baseline: Mapping[str, float], seed: int) -> float:
    """Give the two-sided p-value of the paired randomisation test (Smucker, Allan & Carterette, CIKM 2007).

    If the systems were alike, each query's difference could as well have the other sign. p is the share of random
    flips of the signs under which the sum of differences is at least as large as observed, the observed one counted
    among them, so that p is never 0 (Davison & Hinkley 1997, equation 4.11). It is not corrected for the number of
    systems compared.

    Args:
        values: the score of each query.
        baseline: the score of the same queries by the baseline.
        seed: of the flips.

    Returns:
        Between 1 / (`RESAMPLES` + 1) and 1; 1 for equal systems.

    Raises:
        QueryError: there is no query, or the two are not over the same queries.
    """
    difference = _scores(values, baseline) - _scores(baseline, values)
    total = difference.sum()
    rounding = 1e-12 * np.abs(difference).sum()
    n, rng = len(difference), np.random.default_rng(seed)
    extreme = 0
    for rows in _blocks(n):
        packed = rng.integers(0, 256, size=(rows, -(-n // 8)), dtype=np.uint8)
        coins = np.unpackbits(packed, axis=1, count=n).astype(np.float64)  # (rows, n) zeros and ones, a random bit each
        flipped = 2 * coins @ difference - total
        extreme += int((np.abs(flipped) >= abs(total) - rounding).sum())
    return (extreme + 1) / (RESAMPLES + 1)


def _scores(values: Mapping[str, float], others: Mapping[str, float]) -> NDArray[np.float64]:
    """Give the scores in the order of the sorted ids: (n_queries,)."""
    if not values:
        raise QueryError("no query was judged, so there is no mean")
    if values.keys() != others.keys():
        odd = min(values.keys() ^ others.keys())
        raise QueryError(f"systems must be compared on the same queries, but only one of them has the query {odd!r}")
    return np.array([values[query] for query in sorted(values)], dtype=np.float64)


def _blocks(columns: int) -> Iterator[int]:
    """Split `RESAMPLES` rows of so many columns into blocks that fit in memory."""
    rows = max(1, BLOCK // columns)
    for start in range(0, RESAMPLES, rows):
        yield min(rows, RESAMPLES - start)
