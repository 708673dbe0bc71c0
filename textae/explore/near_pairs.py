"""Pairs of near codes: multi-index hashing finds all of them without comparing all pairs.

Norouzi, Punjani & Fleet, CVPR 2012; tables of several substrings, Manku, Jain & Das Sarma, WWW 2007. Each code is cut
into r + k disjoint substrings. Two codes that differ in at most r bits differ in at most r substrings, so k substrings
are equal, and both codes lie in one bucket of the table whose key is these k. A larger k means more tables and smaller
buckets. Learned codes crowd around topics, so a sample of the codes decides k, not a formula for evenly spread codes.
k = 0 means one bucket, all pairs; it is the cheapest for a few thousand codes.

At radius 16 on one core, 100,000 clustered codes of 256 bits take 0.4 s and a million 44 s. The same pairs take
`faiss.IndexBinaryMultiHash` 3.7 s, and 9 to 15 minutes (extrapolated from a third of the queries);
`faiss.IndexBinaryFlat` takes 15 s for 100,000, a hundred times that for a million.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from math import comb

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Rows
from textae.encoding.encoders import Bits
from textae.errors import QueryError
from textae.types import Progress

Packed = NDArray[np.uint64]

MOST_COMPARED = 2e10
"""Maximum number of code comparisons; as many take some minutes."""

_SORTING = 20
"""Cost of inserting a code into a table, in code comparisons."""
_MOST_EQUAL = 4
"""Maximum number of substrings in a key; more give too many tables for any useful radius."""
_SAMPLE, _SAMPLE_TABLES = 1 << 14, 64
"""Codes and tables of the sample that estimates the cost of a k."""
_AT_A_TIME = 1 << 18
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits spread: 2^64 / the golden ratio (Knuth, vol. 3, 6.4)


def pairs(bits: Bits, radius: int, progress: Progress) -> Iterator[Rows]:
    """All pairs of codes that differ in at most `radius` bits, exactly, each once, in blocks.

    Memory holds 8 bytes for each code and substring, and parts of the buckets.

    Args:
        bits: (n, n_bits / 8) uint8, packed; equal codes are pairs too.
        radius: from 0.
        progress: called after each table.

    Yields:
        (m, 2), the lower row first.

    Raises:
        QueryError: the radius is negative, or needs more than `MOST_COMPARED` comparisons.
    """
    if radius < 0:
        raise QueryError(f"the radius must be at least 0 bits, got {radius}")
    radius = min(radius, 8 * bits.shape[1])
    cost, equal = _cheapest(bits, radius)
    if cost > MOST_COMPARED:
        largest = bisect_right(range(radius), MOST_COMPARED, key=lambda smaller: _cheapest(bits, smaller)[0]) - 1
        raise QueryError(
            f"radius {radius} needs some {cost / 1e6:,.0f} million comparisons of codes, and the limit is "
            f"{MOST_COMPARED / 1e6:,.0f} million; give a radius of at most {largest}"
        )
    packed = _in_words(bits)
    substrings = _substrings(bits, radius + equal) if equal else np.empty((0, len(bits)), np.uint64)
    tables = comb(radius + equal, equal)
    for number, chosen in enumerate(combinations(range(radius + equal), equal), start=1):
        block, size = [np.empty((0, 2), np.int64)], 0
        for left, right in _in_one_bucket(_key(substrings, chosen), packed, radius):
            if chosen:  # a pair that shares several tables is yielded by the first of them
                upto = substrings[: chosen[-1] + 1]
                expected = np.isin(np.arange(len(upto)), chosen)[:, None]
                first = ((upto[:, left] == upto[:, right]) == expected).all(axis=0)
                left, right = left[first], right[first]
            block.append(np.sort(np.stack([left, right], axis=1), axis=1))
            size += len(left)
            if size > _AT_A_TIME:
                yield np.concatenate(block)
                block, size = [np.empty((0, 2), np.int64)], 0
        yield np.concatenate(block)
        progress("comparing codes", number, tables)


def distinct_codes(bits: Bits) -> tuple[Bits, Rows, Rows]:
    """The different codes, and the rows of each: those of code i are `order[starts[i]:starts[i + 1]]`, rising."""
    packed = _in_words(bits)
    order = np.lexsort(packed.T)
    is_new = np.ones(len(bits), np.bool_)
    is_new[1:] = (packed[order[1:]] != packed[order[:-1]]).any(axis=1)
    starts = np.append(np.flatnonzero(is_new), len(bits))
    return bits[order[starts[:-1]]], starts, order


def _cheapest(bits: Bits, radius: int) -> tuple[float, int]:
    """The cost of the cheapest search, in code comparisons, and its number k of equal substrings."""
    n = len(bits)
    some = bits if n <= _SAMPLE else bits[np.sort(np.random.default_rng(0).choice(n, _SAMPLE, replace=False))]
    all_pairs, sampled_pairs = comb(n, 2), comb(len(some), 2)
    best = (float(all_pairs), 0)
    for equal in range(1, min(_MOST_EQUAL, 8 * bits.shape[1] - radius) + 1):
        tables = comb(radius + equal, equal)
        sorting = float(tables * n * _SORTING)
        if sorting >= best[0]:
            break
        substrings = _substrings(some, radius + equal)
        step = -(-tables // _SAMPLE_TABLES)
        in_buckets = []
        for chosen in islice(combinations(range(radius + equal), equal), 0, None, step):
            sizes = np.unique(_key(substrings, chosen), return_counts=True)[1]
            in_buckets.append(int((sizes * (sizes - 1) // 2).sum()))
        best = min(best, (sorting + tables * all_pairs * sum(in_buckets) / (len(in_buckets) * sampled_pairs), equal))
    return best


def _in_words(bits: Bits) -> Packed:
    """The bits in 64-bit words, padded with zeros: (n, n_words)."""
    missing = -bits.shape[1] % 8
    return np.ascontiguousarray(np.pad(bits, ((0, 0), (0, missing)))).view(np.uint64)


def _substrings(bits: Bits, n: int) -> Packed:
    """Each code cut into n substrings, bit i in substring i mod n; of a longer one the first 64: (n, n_codes)."""
    columns = np.ascontiguousarray(bits.T)
    substrings = np.zeros((n, len(bits)), np.uint64)
    for bit in range(min(8 * len(columns), 64 * n)):
        substring = substrings[bit % n]
        substring <<= np.uint64(1)
        substring |= (columns[bit // 8] >> np.uint8(bit % 8)) & np.uint8(1)
    return substrings


def _key(substrings: Packed, chosen: Sequence[int]) -> Packed:
    """The chosen substrings of each code, hashed: (n_codes,); others may collide."""
    key = np.zeros(substrings.shape[1], np.uint64)
    for number in chosen:
        key = key * MULTIPLIER + substrings[number]
    return key


def _in_one_bucket(key: Packed, packed: Packed, radius: int) -> Iterator[tuple[Rows, Rows]]:
    """The pairs within the radius among rows of the same key, each once, in blocks."""
    order = np.argsort(key)
    ordered = key[order]
    edges = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(key)]])
    sizes = np.diff(edges)
    crowded = np.flatnonzero(np.repeat(sizes, sizes) > 1)
    order = order[crowded]
    partners = np.repeat(edges[1:], sizes)[crowded] - crowded - 1  # those after it in its bucket
    begins = np.concatenate([[0], np.cumsum(partners)])
    columns = [packed[order, column] for column in range(packed.shape[1])]
    first = 0
    while begins[first] < begins[-1]:
        last = max(first + 1, int(np.searchsorted(begins, begins[first] + _AT_A_TIME, side="right")) - 1)
        counts = partners[first:last]
        left = np.repeat(np.arange(first, last), counts)
        right = left + 1 + np.arange(len(left)) - np.repeat(begins[first:last] - begins[first], counts)
        distance = np.zeros(len(left), np.int64)
        for column in columns:  # most pairs are too far apart by the first word already
            distance += np.bitwise_count(column[left] ^ column[right])
            near = np.flatnonzero(distance <= radius)
            left, right, distance = left[near], right[near], distance[near]
        yield order[left], order[right]
        first = last
