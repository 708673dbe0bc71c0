"""Near-duplicates: documents whose binary codes lie within a Hamming radius and whose contents resemble each other.

The codes propose pairs (`textae.explore.near_pairs`). The contents decide, by the resemblance of two documents (Broder,
Compression and Complexity of Sequences 1997). S is the set of the shingles of a text, its runs of `WORDS` words:

    r(A, B) = |S(A) ∩ S(B)| / |S(A) ∪ S(B)|

Groups are the connected components of the pairs that resemble each other. Documents of equal code and equal shingles
count once, so a thousand copies cost no more than one. Contents already in one group are not compared again, which
changes no component: a thousand variants of one form letter take 999 comparisons, not half a million. Pictures are
compared by their pixels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import NamedTuple
from unicodedata import normalize
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import searchable, words
from textae.encoding.arrays import Mask, Rows
from textae.encoding.encoders import Bits
from textae.errors import QueryError
from textae.explore.near_pairs import MULTIPLIER, distinct_codes, pairs
from textae.index.snapshot import Snapshot
from textae.types import TEXTS, Document, Progress, no_progress

Shingles = NDArray[np.uint32]
Contents = Callable[[Rows], Sequence[bytes]]
Compare = Callable[[bytes, bytes], float]

WORDS = 4
"""Words of a shingle."""
RADIUS = 1 / 16
"""Default radius, as a share of the bits: 16 of 256. On 20 Newsgroups it covers 98 % of the pairs with a resemblance
of .8 or more, and all pairs from .9. Twice the radius covers the rest, among four times as many candidates."""

TEXTS_ALIKE, PICTURES_ALIKE = 0.8, 0.97
"""Default minimum resemblance. Pixels then differ by at most eight of 255 levels in the root mean square."""

MOST_CONTENTS_COMPARED = 20_000_000
"""Maximum number of content comparisons. A radius that needs more finds topics, not copies."""

_CONTENTS_AT_A_TIME = 1_000


class Member(NamedTuple):
    """A document of a group.

    Attributes:
        row: of the document.
        resemblance: to the first member, 0 to 1; low at the far end of a chain of near-duplicates.
    """

    row: int
    resemblance: float


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A document that is nearly another one.

    Attributes:
        id: of the document.
        title: of the document.
        resemblance: to the first document of its group, from 0 to 1.
    """

    id: str
    title: str
    resemblance: float


@dataclass(frozen=True, slots=True)
class DuplicateGroups:
    """Near-duplicates.

    Attributes:
        groups: each of at least two documents, the largest group first.
        radius: bits in which codes were allowed to differ.
        compared: documents whose codes were compared.
        unknown: documents that have no code, as the encoder knows no word of them.
    """

    groups: tuple[tuple[Duplicate, ...], ...]
    radius: int
    compared: int
    unknown: int


def near_duplicates(
    snapshot: Snapshot, radius: int | None = None, resemblance: float | None = None, progress: Progress = no_progress
) -> DuplicateGroups:
    """The groups of near-duplicates of an index.

    Args:
        snapshot: the index.
        radius: maximum Hamming distance of two codes; by default `RADIUS` of the bits.
        resemblance: minimum, from 0 to 1; by default `TEXTS_ALIKE` or `PICTURES_ALIKE`.
        progress: called after each table.

    Raises:
        QueryError: as `groups` does.
    """
    numbers, bits, has_code = snapshot.numbers, snapshot.codes.bits, snapshot.codes.has_code
    radius = int(RADIUS * 8 * bits.shape[1]) if radius is None else radius

    is_text = snapshot.modality.kind == TEXTS

    def documents(rows: Rows) -> list[Document]:
        return snapshot.reader.documents(numbers[rows].tolist())

    def contents(rows: Rows) -> list[bytes]:
        if is_text:
            return [shingles(searchable(document)).tobytes() for document in documents(rows)]
        return [pixels.tobytes() for pixels in snapshot.pixels_of(numbers[rows].tolist()).values]

    similarity, usual = (text_similarity, TEXTS_ALIKE) if is_text else (pixel_similarity, PICTURES_ALIKE)
    threshold = usual if resemblance is None else resemblance
    duplicates = []
    for group in groups(bits, has_code, radius, threshold, contents, similarity, progress):
        members = zip(documents(np.array([member.row for member in group])), group, strict=True)
        duplicates.append(tuple(Duplicate(one.id, one.title, member.resemblance) for one, member in members))
    n = int(has_code.sum())
    return DuplicateGroups(tuple(duplicates), radius, n, len(bits) - n)


def groups(
    bits: Bits,
    has_code: Mask,
    radius: int,
    threshold: float,
    contents: Contents,
    similarity: Compare,
    progress: Progress,
) -> list[tuple[Member, ...]]:
    """The groups of near-duplicates: connected by pairs within the radius whose contents resemble each other.

    Args:
        bits: (n, n_bits / 8) uint8, packed.
        has_code: (n,)
        radius: maximum Hamming distance of two codes.
        threshold: minimum resemblance of two documents, 0 to 1.
        contents: reads the contents of up to a thousand rows, in their order. Each row is read at most once, and only
            if its code lies near another.
        similarity: compares two contents.
        progress: called after each table.

    Returns:
        Groups of two or more members, by rising row. The largest group comes first; of equal ones that with the lower
        row.

    Raises:
        QueryError: the threshold or the radius is out of range, or the radius needs more than
            `MOST_CONTENTS_COMPARED` content comparisons.
    """
    if not 0 <= threshold <= 1:
        raise QueryError(f"the resemblance must be from 0 to 1, got {threshold:g}")
    rows = np.flatnonzero(has_code)
    codes, starts, order = distinct_codes(bits[rows])
    forest = _Forest(starts, rows[order], contents, threshold, similarity)
    for near in pairs(codes, radius, progress):
        forest.compare(near)
    forest.fetch(np.flatnonzero(np.diff(starts) > 1))
    return sorted(forest.groups(), key=lambda group: (-len(group), group[0].row))


def shingles(text: str, n: int = WORDS) -> Shingles:
    """The runs of n words of a text, hashed to 32 bits; a shorter text is one run.

    Case, typography (NFKC), punctuation and white space are ignored.

    Returns:
        Rising and distinct; empty if the text has no word.
    """
    hashes = np.array([crc32(word.encode()) for word in words(normalize("NFKC", text).casefold())], np.uint64)
    n = min(n, len(hashes))
    if not n:
        return np.empty(0, np.uint32)
    runs = np.zeros(len(hashes) - n + 1, np.uint64)
    for i in range(n):
        runs = runs * MULTIPLIER + hashes[i : i + len(runs)]
    return np.unique(((runs * MULTIPLIER) >> np.uint64(32)).astype(np.uint32))


def resemblance(left: Shingles, right: Shingles) -> float:
    """|A ∩ B| / |A ∪ B|, of sets as `shingles` returns them (Broder 1997); 1 if both are empty."""
    together = np.concatenate([left, right])
    together.sort()
    shared = int(np.count_nonzero(together[1:] == together[:-1]))
    return shared / (len(together) - shared) if len(together) else 1.0


def pixel_similarity(left: bytes, right: bytes) -> float:
    """1 - |x - y| / (255 √n), as `textae.search.vectors.euclidean` scores n pixels."""
    difference = np.frombuffer(left, np.uint8).astype(np.int32) - np.frombuffer(right, np.uint8)
    return 1 - float(np.sqrt(np.square(difference).mean())) / 255


def text_similarity(left: bytes, right: bytes) -> float:
    """The `resemblance` of two texts, by the bytes of their shingles."""
    return resemblance(np.frombuffer(left, np.uint32), np.frombuffer(right, np.uint32))


class _Forest:
    """Contents in trees, one tree for each group (union-find, Tarjan 1975).

    A content belongs to one code, whatever rows have both. Contents are numbered in reading order, and the least number
    of a tree is its root.

    Args:
        starts: (n_codes + 1,) where the rows of each code begin.
        rows: (n,) code by code, rising in each.
        contents: reads those of some rows.
        threshold: minimum resemblance of two contents that join their trees.
        similarity: compares two contents.
    """

    def __init__(self, starts: Rows, rows: Rows, contents: Contents, threshold: float, similarity: Compare) -> None:
        self._starts, self._rows, self._read = starts, rows, contents
        self._threshold, self._between = threshold, similarity
        self._of_code: dict[int, dict[bytes, int]] = {}
        # The content of each code; negative if it has several, or none that was read.
        self._only = -1 - np.arange(len(starts) - 1)
        self._contents: list[bytes] = []
        self._rows_of: list[list[int]] = []
        self._parent: list[int] = []
        self._compared = 0

    def compare(self, near: Rows) -> None:
        """Compare the contents of pairs of codes: (m, 2)."""
        self.fetch(np.unique(near))
        # Pairs of codes whose only contents are in one tree are skipped: of a thousand variants nearly all.
        roots = np.array(self._parent, np.int64)
        while not np.array_equal(parents := roots[roots], roots):
            roots = parents
        tree = np.where(self._only >= 0, roots[np.maximum(self._only, 0)], self._only) if len(roots) else self._only
        for left, right in near[tree[near[:, 0]] != tree[near[:, 1]]].tolist():
            for one, other in product(self._of_code[left].values(), self._of_code[right].values()):
                self._join(one, other)

    def fetch(self, codes: Rows) -> None:
        """Read the contents of codes that were not read yet, and compare those of the same code."""
        new = np.array([code for code in codes.tolist() if code not in self._of_code], np.int64)
        sizes = np.diff(self._starts)[new]
        code_of = np.repeat(new, sizes)
        rows = self._rows[np.repeat(self._starts[new] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(code_of))]
        for first in range(0, len(rows), _CONTENTS_AT_A_TIME):
            some = rows[first : first + _CONTENTS_AT_A_TIME]
            for code, row, content in zip(code_of[first:].tolist(), some.tolist(), self._read(some), strict=False):
                numbers = self._of_code.setdefault(code, {})
                if content not in numbers:
                    numbers[content] = len(self._parent)
                    self._parent.append(len(self._parent))
                    self._contents.append(content)
                    self._rows_of.append([])
                self._rows_of[numbers[content]].append(row)
        for code in new.tolist():
            same_code = self._of_code[code].values()
            if len(same_code) == 1:
                self._only[code] = min(same_code)
            for one, other in combinations(same_code, 2):
                self._join(one, other)

    def groups(self) -> Iterator[tuple[Member, ...]]:
        """The documents of each tree of two or more, by rising row."""
        trees: dict[int, list[int]] = {}
        for number in range(len(self._parent)):
            trees.setdefault(self._root(number), []).append(number)
        for numbers in trees.values():
            first = self._contents[min(numbers, key=lambda number: self._rows_of[number][0])]
            rated = [(number, self._between(first, self._contents[number])) for number in numbers]
            members = [Member(row, resemblance) for number, resemblance in rated for row in self._rows_of[number]]
            if len(members) > 1:
                yield tuple(sorted(members))

    def _join(self, one: int, other: int) -> None:
        """Make one tree of those of two contents if these resemble each other."""
        root, leaf = sorted((self._root(one), self._root(other)))
        if root == leaf:
            return
        self._compared += 1
        if self._compared > MOST_CONTENTS_COMPARED:
            most = f"more than {MOST_CONTENTS_COMPARED:,} pairs of different texts have codes within the radius"
            raise QueryError(f"{most}: these are topics, not copies; give a smaller radius")
        if self._between(self._contents[one], self._contents[other]) >= self._threshold:
            self._parent[leaf] = root

    def _root(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]  # halves the path for later calls
            number = parent[number]
        return number
