"""Near-duplicates: documents whose binary codes lie within a Hamming radius, held against each other word by word.

Codes are compared without comparing all pairs, and still no pair is missed (multi-index hashing, Norouzi, Punjani &
Fleet, CVPR 2012; tables of several substrings, Manku, Jain & Das Sarma, WWW 2007). Cut every code into r + k disjoint
substrings: two codes that differ in at most r bits differ in at most r substrings, so k of them are equal, and both
codes lie in one bucket of the table whose key is these k. A larger k has more tables and smaller buckets. Learned codes
crowd around topics, so k is not derived from n_bits, as for codes that are spread evenly: a sample of the codes says
what each k would cost. k = 0 is one bucket, all pairs, and the cheapest for a few thousand documents.

Codes propose and texts decide, by the resemblance of two documents (Broder, Compression and Complexity of Sequences
1997), S being the set of runs of `WORDS` words in a text, its shingles:

    r(A, B) = |S(A) ∩ S(B)| / |S(A) ∪ S(B)|

Groups are the connected components of what resembles each other. Equal codes are one code and, of the same code, equal
sets of shingles are one text, so that a thousand copies cost no more than one; and texts that are in one group already
are not compared again, which changes no component. So a group is verified along a tree that spans it: a thousand
variants of one form letter take 999 resemblances, not half a million. Pictures go the same way, by their pixels.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product
from math import comb
from typing import Any
from unicodedata import normalize
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import words
from textae.encoding.arrays import Mask, Rows
from textae.encoding.encoders import Bits
from textae.errors import QueryError
from textae.types import Progress

Packed = NDArray[np.uint64]
Shingles = NDArray[np.uint32]

WORDS = 4
"""Words of a shingle."""
RADIUS = 1 / 16
"""Share of the bits in which near-duplicates differ at most: 16 of 256. On 20 Newsgroups so near are 98 % of the
pairs that resemble each other by .8 or more, and all by .9; twice as much finds the rest among four times as many."""

MOST_COMPARED = 2e10
"""Comparisons of two codes that are made; as many take some minutes."""
MOST_TEXTS_COMPARED = 20_000_000
"""Resemblances that are taken. Whoever asks for more has found topics, not copies."""

_SORTING = 20
"""What it costs to put a code into a table, in comparisons of two codes."""
_MOST_EQUAL = 4
"""Substrings in a key; the tables of more are too many for whatever radius is of use."""
_SAMPLE, _SAMPLE_TABLES = 1 << 14, 64
"""Codes and tables that say what a number of substrings would cost."""
_AT_A_TIME = 1 << 18
_TEXTS_AT_A_TIME = 1_000
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits spread: 2^64 / the golden ratio (Knuth, vol. 3, 6.4)


@dataclass(frozen=True, slots=True)
class Member:
    """One document of a group.

    Attributes:
        row: of the document.
        resemblance: to the first of the group, 0 to 1. A chain of near-duplicates may end far from where it began.
    """

    row: int
    resemblance: float


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found.

    Attributes:
        groups: of two members or more, by rising row; the largest group first, of equal ones that of the lower row.
        compared: documents that were compared with all others.
        unknown: documents that were not, since nothing of them is known, and they have no code.
    """

    groups: tuple[tuple[Member, ...], ...]
    compared: int
    unknown: int


@dataclass(frozen=True)
class Likeness:
    """How alike two documents are.

    Attributes:
        content: of a document's text, or of its pixels, what is compared; where it is equal, documents are.
        between: two contents, from 0 to 1, which is equal.
        usual: of near-duplicates, at least.
    """

    content: Callable[[Any], bytes]
    between: Callable[[bytes, bytes], float]
    usual: float


def groups(
    bits: Bits,
    known: Mask,
    radius: int,
    threshold: float,
    texts: Callable[[Sequence[int]], Sequence[object]],
    progress: Progress,
    likeness: Likeness | None = None,
) -> Duplicates:
    """The groups of near-duplicates: connected by pairs within the radius that resemble each other.

    Args:
        bits: (n, n_bits / 8) uint8, packed.
        known: (n,) which rows have a code.
        radius: bits in which two codes differ at most.
        threshold: the least resemblance of two documents, 0 to 1.
        texts: of some rows, or pixels, in their order. It is asked for each row at most once, for a thousand rows at
            most, and only for rows whose code lies near another's.
        progress: told of each table.
        likeness: of two texts, by their words, unless given.

    Raises:
        QueryError: the threshold is none, or the radius asks for too much: more than `MOST_COMPARED` comparisons of
            codes, or `MOST_TEXTS_COMPARED` of texts.
    """
    if not 0 <= threshold <= 1:
        raise QueryError(f"a resemblance of {threshold:g} was asked for; give one from 0 to 1")
    rows = np.flatnonzero(known)
    codes, starts, order = _distinct(bits[rows])
    forest = _Forest(starts, rows[order], texts, threshold, likeness or BY_WORDS)
    for near in pairs(codes, radius, progress):
        forest.compare(near)
    forest.fetch(np.flatnonzero(np.diff(starts) > 1))
    found = sorted(forest.groups(), key=lambda group: (-len(group), group[0].row))
    return Duplicates(tuple(found), len(rows), len(bits) - len(rows))


def pairs(bits: Bits, radius: int, progress: Progress) -> Iterator[Rows]:
    """All pairs of codes that differ in at most `radius` bits, exactly, each once, some at a time.

    Memory holds 8 bytes for each code and substring, and parts of the buckets.

    Args:
        bits: (n, n_bits / 8) uint8, packed; where codes may be equal, the pairs of equal ones are among those found.
        radius: from 0.
        progress: told of each table.

    Yields:
        (m, 2), the lower row first.

    Raises:
        QueryError: the radius is below 0, or more than `MOST_COMPARED` comparisons would be made.
    """
    if radius < 0:
        raise QueryError(f"a radius of {radius} bits was asked for; give at least 0")
    cost, equal = _cheapest(bits, radius)
    if cost > MOST_COMPARED:
        largest = bisect_right(range(radius), MOST_COMPARED, key=lambda smaller: _cheapest(bits, smaller)[0]) - 1
        raise QueryError(
            f"radius {radius} would take some {cost / 1e6:,.0f} million comparisons of codes, and at most "
            f"{MOST_COMPARED / 1e6:,.0f} million are made; give a radius of at most {largest}"
        )
    packed = _in_words(bits)
    substrings = _substrings(bits, radius + equal) if equal else np.empty((0, len(bits)), np.uint64)
    tables = comb(radius + equal, equal)
    for number, chosen in enumerate(combinations(range(radius + equal), equal)):
        found, n_found = [np.empty((0, 2), np.int64)], 0
        for left, right in _in_one_bucket(_key(substrings, chosen), packed, radius):
            first = _first_in(substrings, chosen, left, right)
            found.append(np.sort(np.stack([left[first], right[first]], axis=1), axis=1))
            n_found += len(found[-1])
            if n_found > _AT_A_TIME:
                yield np.concatenate(found)
                found, n_found = [np.empty((0, 2), np.int64)], 0
        yield np.concatenate(found)
        progress("comparing codes", number + 1, tables)


def shingles(text: str, n: int = WORDS) -> Shingles:
    """The runs of n words of a text, hashed to 32 bits; a text of fewer words is one run.

    Case and typography (NFKC) do not count, and neither do punctuation and white space.

    Returns:
        Rising and each once; none where the text has no word.
    """
    hashes = np.array([crc32(word.encode()) for word in words(normalize("NFKC", text).casefold())], np.uint64)
    n = min(n, len(hashes))
    if not n:
        return np.empty(0, np.uint32)
    runs = np.zeros(len(hashes) - n + 1, np.uint64)
    for i in range(n):
        runs = runs * _MULTIPLIER + hashes[i : i + len(runs)]
    return np.unique(((runs * _MULTIPLIER) >> np.uint64(32)).astype(np.uint32))


def resemblance(left: Shingles, right: Shingles) -> float:
    """|A ∩ B| / |A ∪ B|, of sets as `shingles` gives them (Broder 1997); 1 where both are empty."""
    together = np.concatenate([left, right])
    together.sort()
    shared = int(np.count_nonzero(together[1:] == together[:-1]))
    return shared / (len(together) - shared) if len(together) else 1.0


def _words_alike(left: bytes, right: bytes) -> float:
    return resemblance(np.frombuffer(left, np.uint32), np.frombuffer(right, np.uint32))


BY_WORDS = Likeness(lambda text: shingles(text).tobytes(), _words_alike, 0.8)
"""Of texts."""


def _pixels_alike(left: bytes, right: bytes) -> float:
    """1 - |x - y| / (255 √n), as `textae.search.vectors.euclidean` scores n pixels."""
    apart = np.frombuffer(left, np.uint8).astype(np.int32) - np.frombuffer(right, np.uint8)
    return 1 - float(np.sqrt(np.square(apart).mean())) / 255


BY_PIXELS = Likeness(bytes, _pixels_alike, 0.97)
"""Of pictures: pixels differ by at most eight of 255 levels in the root mean square."""


def _cheapest(bits: Bits, radius: int) -> tuple[float, int]:
    """What a search costs, in comparisons of two codes, and the number of equal substrings by which it costs so."""
    n = len(bits)
    some = bits
    if n > _SAMPLE:
        some = bits[np.sort(np.random.default_rng(0).choice(n, _SAMPLE, replace=False))]
    all_pairs, sampled_pairs = comb(n, 2), comb(len(some), 2)
    best = (float(all_pairs), 0)
    for equal in range(1, min(_MOST_EQUAL, 8 * bits.shape[1] - radius) + 1):
        tables = comb(radius + equal, equal)
        sorting = float(tables * n * _SORTING)
        if sorting >= best[0]:
            break
        substrings = _substrings(some, radius + equal)
        chosen = islice(combinations(range(radius + equal), equal), 0, None, -(-tables // _SAMPLE_TABLES))
        met = [_meetings(_key(substrings, each)) for each in chosen]
        best = min(best, (sorting + tables * all_pairs * sum(met) / (len(met) * sampled_pairs), equal))
    return best


def _meetings(key: Packed) -> int:
    """Pairs of rows with the same key."""
    sizes = np.unique(key, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())


def _in_words(bits: Bits) -> Packed:
    """The same bits in 64-bit words, the last one filled up with zeros: (n, n_words)."""
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
    """One number for the chosen substrings of each code: (n_codes,); others may share it by chance."""
    key = np.zeros(substrings.shape[1], np.uint64)
    for number in chosen:
        key = key * _MULTIPLIER + substrings[number]
    return key


def _in_one_bucket(key: Packed, packed: Packed, radius: int) -> Iterator[tuple[Rows, Rows]]:
    """The pairs within the radius among rows of the same key, each once, in parts."""
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


def _first_in(substrings: Packed, chosen: Sequence[int], left: Rows, right: Rows) -> Mask:
    """Of pairs that met in the table of the chosen substrings, those whose first equal substrings these are."""
    if not chosen:
        return np.ones(len(left), np.bool_)
    upto = substrings[: chosen[-1] + 1]
    expected = np.isin(np.arange(len(upto)), chosen)[:, None]
    first: Mask = ((upto[:, left] == upto[:, right]) == expected).all(axis=0)
    return first


def _distinct(bits: Bits) -> tuple[Bits, Rows, Rows]:
    """The different codes, and the rows of each: those of code i are `order[starts[i]:starts[i + 1]]`, rising."""
    packed = _in_words(bits)
    order = np.lexsort(packed.T)
    is_new = np.ones(len(bits), np.bool_)
    is_new[1:] = (packed[order[1:]] != packed[order[:-1]]).any(axis=1)
    starts = np.append(np.flatnonzero(is_new), len(bits))
    return bits[order[starts[:-1]]], starts, order


class _Forest:
    """Texts in trees: those of one tree are of one group (union-find, Tarjan 1975).

    A text is a code and what is compared of it, whatever rows have it; texts are numbered as they are read. The least
    number of a tree is its root.

    Args:
        starts: (n_codes + 1,) where the rows of each code begin.
        rows: (n,) code by code, rising in each.
        texts: of some rows.
        threshold: the least resemblance of two texts that join their trees.
        likeness: says how much two texts resemble each other.
    """

    def __init__(
        self,
        starts: Rows,
        rows: Rows,
        texts: Callable[[Sequence[int]], Sequence[object]],
        threshold: float,
        likeness: Likeness,
    ) -> None:
        self._starts, self._rows, self._texts, self._threshold = starts, rows, texts, threshold
        self._likeness = likeness
        self._of_code: dict[int, dict[bytes, int]] = {}
        self._only = -1 - np.arange(len(starts) - 1)  # the text of each code; below 0 where it has several, or none yet
        self._contents: list[bytes] = []
        self._rows_of: list[list[int]] = []
        self._parent: list[int] = []
        self._compared = 0

    def compare(self, near: Rows) -> None:
        """Compare the texts of some pairs of codes: (m, 2)."""
        self.fetch(np.unique(near))
        for left, right in self._apart(near).tolist():
            for one, other in product(self._of_code[left].values(), self._of_code[right].values()):
                self._join(one, other)

    def fetch(self, codes: Rows) -> None:
        """Read the texts of those of the codes that were not read yet, and compare the texts of the same code."""
        new = np.array([code for code in codes.tolist() if code not in self._of_code], np.int64)
        sizes = np.diff(self._starts)[new]
        code_of = np.repeat(new, sizes)
        rows = self._rows[np.repeat(self._starts[new] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(code_of))]
        for first in range(0, len(rows), _TEXTS_AT_A_TIME):
            part = slice(first, first + _TEXTS_AT_A_TIME)
            some = rows[part].tolist()
            for code, row, text in zip(code_of[part].tolist(), some, self._texts(some), strict=True):
                self._add(code, row, self._likeness.content(text))
        for code in new.tolist():
            numbers = self._of_code[code].values()
            if len(numbers) == 1:
                self._only[code] = min(numbers)
            for one, other in combinations(numbers, 2):
                self._join(one, other)

    def groups(self) -> Iterator[tuple[Member, ...]]:
        """The documents of each tree, by rising row, where there are two or more."""
        texts_of: dict[int, list[int]] = {}
        for number in range(len(self._parent)):
            texts_of.setdefault(self._root(number), []).append(number)
        for numbers in texts_of.values():
            first = self._contents[min(numbers, key=lambda number: self._rows_of[number][0])]
            members = []
            for number in numbers:
                alike = self._likeness.between(first, self._contents[number])
                members += [Member(row, alike) for row in self._rows_of[number]]
            if len(members) > 1:
                yield tuple(sorted(members, key=lambda member: member.row))

    def _add(self, code: int, row: int, content: bytes) -> None:
        numbers = self._of_code.setdefault(code, {})
        if content not in numbers:
            numbers[content] = len(self._parent)
            self._parent.append(len(self._parent))
            self._contents.append(content)
            self._rows_of.append([])
        self._rows_of[numbers[content]].append(row)

    def _apart(self, near: Rows) -> Rows:
        """The pairs of codes but those whose only texts are in one tree: of a thousand variants, nearly all."""
        roots = np.array(self._parent, np.int64)
        while not np.array_equal(min_score := roots[roots], roots):
            roots = min_score
        tree = np.where(self._only >= 0, roots[np.maximum(self._only, 0)], self._only) if len(roots) else self._only
        apart: Rows = near[tree[near[:, 0]] != tree[near[:, 1]]]
        return apart

    def _join(self, one: int, other: int) -> None:
        """Make one tree of those of two texts, if these resemble each other."""
        root, leaf = sorted((self._root(one), self._root(other)))
        if root == leaf:
            return
        self._compared += 1
        if self._compared > MOST_TEXTS_COMPARED:
            raise QueryError(
                f"more than {MOST_TEXTS_COMPARED:,} pairs of different texts have codes within the radius: these are "
                "topics, not copies; give a smaller radius"
            )
        if self._likeness.between(self._contents[one], self._contents[other]) >= self._threshold:
            self._parent[leaf] = root

    def _root(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]  # halves the way for those who come after
            number = parent[number]
        return number
