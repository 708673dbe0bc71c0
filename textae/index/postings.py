"""The bags of a segment, turned: for each term the documents that hold it; and what a corpus of segments counts.

A segment never changes. What is removed from it is written beside it (`Removed`), and what a corpus counts
(`Statistics`: documents, their mean length, in how many a term occurs) are sums over segments less what is removed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Ints, Rows, distinct
from textae.encoding.bags import Bags
from textae.encoding.weighting import idf, norms

K1, B = 1.2, 0.75
"""BM25's saturation of repeated terms and its normalisation by length (the usual values, not tuned)."""

_CHUNK = 4_096
"""Documents whose postings are weighted at a time."""
_AT_A_TIME = 1 << 20
"""Postings whose saturation is found at a time."""


def length_norm(length: Ints, mean_length: float) -> Floats:
    """BM25's normalisation by length: k1 (1 - b + b · length / mean length).

    Args:
        length: (n,) of documents, in terms.
        mean_length: of all documents.
    """
    norm: Floats = length.astype(np.float32) * np.float32(K1 * B / mean_length) + np.float32(K1 * (1 - B))
    return norm


def saturation(tf: Floats, norm: Floats) -> Floats:
    """How much of a term documents hold, from 0 to 1: tf / (tf + k1 (1 - b + b · length / mean length)).

    Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, equation 3.15, without the idf
    and without k1 + 1.

    Args:
        tf: (n,) how often each document holds it.
        norm: (n,), the `length_norm` of these documents.
    """
    return tf / (tf + norm)


PostingList = tuple[Ints, NDArray[np.uint16]]
"""The documents that hold a term, rising, and how often each does."""


@dataclass(frozen=True)
class Postings:
    """The bags of a segment by term (compressed sparse columns, of the terms that occur).

    Attributes:
        terms: (n_here,) int32, rising: the terms that occur in this segment.
        starts: (n_here + 1,) int64; the postings of terms[i] are at `starts[i]:starts[i + 1]`.
        documents: (n_postings,) int32 rows of the segment, rising within a term.
        counts: (n_postings,) uint16.
        lengths: (n_documents,) int32, terms in each document.
        norms: (n_documents,) float32, the length of each document's tf-idf vector.
        bounds: (n_here,) float32, the highest `saturation` of each term, at the mean length of this segment.
        moments: (n_here, 2) float64, the sum of each term's saturations and the sum of their squares.
    """

    terms: Ints
    starts: NDArray[np.int64]
    documents: Ints
    counts: NDArray[np.uint16]
    lengths: Ints
    norms: Floats
    bounds: Floats
    moments: NDArray[np.float64]

    @classmethod
    def of(cls, bags: Bags, idf: Floats) -> "Postings":
        """Turn the bags of a segment.

        Args:
            bags: n documents.
            idf: (n_terms,) of at least all terms that occur.
        """
        from scipy.sparse import csr_array

        shape = (len(bags), len(idf))
        turned = csr_array((bags.counts, bags.terms, bags.starts), shape=shape).tocsc()
        chunks = list(bags.chunks(_CHUNK))
        lengths = [np.bincount(chunk.row_of, chunk.counts, minlength=len(chunk)) for chunk in chunks]
        terms = np.flatnonzero(np.diff(turned.indptr)).astype(np.int32)
        starts = np.append(turned.indptr[terms], turned.indptr[-1]).astype(np.int64)
        length = np.concatenate([np.empty(0), *lengths]).astype(np.int32)
        documents = turned.indices.astype(np.int32)
        return cls(
            terms,
            starts,
            documents,
            turned.data,
            length,
            np.concatenate([np.empty(0, np.float32), *(norms(chunk, idf) for chunk in chunks)]),
            *_saturations(starts, documents, turned.data, length_norm(length, _mean(length))),
        )

    def bags(self) -> Bags:
        """The bags that were turned, turned back."""
        from scipy.sparse import csc_array

        shape = (len(self), len(self.terms))
        bags = csc_array((self.counts, self.documents, self.starts), shape=shape).tocsr()
        return Bags(bags.indptr.astype(np.int64), self.terms[bags.indices], bags.data)

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.lengths)

    @cached_property
    def mean_length(self) -> float:
        """Terms in a document of this segment, at the mean; 1 where there are none."""
        return _mean(self.lengths)

    def term(self, number: int) -> PostingList:
        """The documents that hold a term, and how often; empty where none does."""
        return self.find(np.array([number], np.int32)).lists[0]

    def find(self, terms: Ints) -> "Lists":
        """The postings of some terms."""
        place, here = _places(self.terms, terms)
        if not len(self.terms):
            return Lists([(self.documents, self.counts)] * len(terms), np.zeros(len(terms), np.float32))
        ends = np.where(here, self.starts[place + 1], self.starts[place])
        lists = [
            (self.documents[start:end], self.counts[start:end])
            for start, end in zip(self.starts[place].tolist(), ends.tolist(), strict=True)
        ]
        return Lists(lists, self.bounds[place] * here)

    def frequencies(self, terms: Ints) -> NDArray[np.int64]:
        """The number of documents that hold each of some terms: (n,)."""
        if not len(self.terms):
            return np.zeros(len(terms), np.int64)
        place, here = _places(self.terms, terms)
        frequencies: NDArray[np.int64] = (self.starts[place + 1] - self.starts[place]) * here
        return frequencies

    def moments_of(self, terms: Ints) -> NDArray[np.float64]:
        """The `moments` of some terms: (n, 2)."""
        place, here = _places(self.terms, terms)
        moments: NDArray[np.float64] = (
            self.moments[place] * here[:, None] if len(self.terms) else np.zeros((len(terms), 2))
        )
        return moments

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same postings of."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Postings":
        """The postings that gave these `arrays`."""
        return cls(*(np.asarray(arrays[field.name]) for field in fields(cls)))


@dataclass(frozen=True)
class Lists:
    """The postings of some terms in a segment.

    Attributes:
        lists: of each term; empty where it does not occur.
        bounds: (n,) float32, the highest saturation of each, 0 where it does not occur.
    """

    lists: list[PostingList]
    bounds: Floats


@dataclass(frozen=True)
class Removed:
    """What is gone of one segment.

    Attributes:
        rows: (n,) int32, rising: the rows of the documents that are gone.
        terms: (m,) int32, rising: the terms that they held.
        counts: (m,) int64, how many of them held each.
        length: terms in all of them together.
    """

    rows: Ints
    terms: Ints
    counts: NDArray[np.int64]
    length: int

    @classmethod
    def of(cls, rows: Rows | Ints, postings: Postings) -> "Removed":
        """What is gone of a segment when these rows are.

        Args:
            rows: (n,) in any order: all that are gone, not only those that go now.
            postings: of the segment.
        """
        gone = np.zeros(len(postings), bool)
        gone[rows] = True
        counts = np.diff(np.concatenate([[0], np.cumsum(gone[postings.documents])])[postings.starts])
        held = counts > 0
        return cls(
            np.flatnonzero(gone).astype(np.int32), postings.terms[held], counts[held], int(postings.lengths[gone].sum())
        )

    @classmethod
    def nothing(cls) -> "Removed":
        """Of a segment that is whole."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64), 0)

    def frequencies(self, terms: Ints) -> NDArray[np.int64]:
        """How many of the documents that are gone held each of some terms: (n,)."""
        if not len(self.terms):
            return np.zeros(len(terms), np.int64)
        place, here = _places(self.terms, terms)
        frequencies: NDArray[np.int64] = self.counts[place] * here
        return frequencies

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same of."""
        length = np.array([self.length], np.int64)
        return {"rows": self.rows, "terms": self.terms, "counts": self.counts, "length": length}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Removed":
        """What gave these `arrays`."""
        return cls(arrays["rows"], arrays["terms"], arrays["counts"], int(arrays["length"][0]))


class Statistics:
    """What a corpus of segments counts, exactly, without what is removed.

    Args:
        postings: of each segment.
        removed: of each segment.

    Attributes:
        n: documents.
        mean_length: terms in a document, at the mean; 1 where there are none.
    """

    def __init__(self, postings: Sequence[Postings], removed: Sequence[Removed]) -> None:
        self._postings, self._removed = postings, removed
        self.n = sum(map(len, postings)) - sum(len(gone.rows) for gone in removed)
        length = sum(int(part.lengths.sum(dtype=np.int64)) for part in postings) - sum(gone.length for gone in removed)
        self.mean_length = length / self.n if length else 1.0

    def frequencies(self, terms: Ints) -> NDArray[np.int64]:
        """The number of documents that hold each of some terms: (n,)."""
        there = sum((part.frequencies(terms) for part in self._postings), np.zeros(len(terms), np.int64))
        return there - sum((gone.frequencies(terms) for gone in self._removed), np.zeros(len(terms), np.int64))

    def idf(self, terms: Ints) -> Floats:
        """The inverse document frequency of some terms: (n,)."""
        return idf(self.frequencies(terms), self.n)


def counts_in(postings: PostingList, rows: Ints) -> NDArray[np.uint16]:
    """How often each of some documents holds a term: (n,) for its postings and (n,) rows, all of one segment."""
    documents, counts = postings
    if not len(documents):
        return np.zeros(len(rows), np.uint16)
    place = documents.searchsorted(rows)
    held = documents.take(place, mode="clip") == rows
    tf: NDArray[np.uint16] = counts.take(place, mode="clip") * held
    return tf


Placed = tuple[int, slice | Rows, Ints]
"""Some rows of one segment, as `by_segment` gives them."""


def by_segment(starts: Rows, rows: Rows) -> Iterator[Placed]:
    """Rows by the segment that they are in.

    Args:
        starts: (n_segments + 1,), as `first_rows` gives them.
        rows: (n,) numbered through all segments, in any order.

    Yields:
        The number of a segment, where its rows are in `rows`, and the same numbered within the segment.
    """
    if len(starts) == 2:
        yield 0, slice(None), rows.astype(np.int32)
        return
    segment = starts.searchsorted(rows, side="right") - 1
    for number in distinct(segment)[0].tolist():
        where = np.flatnonzero(segment == number)
        yield number, where, (rows[where] - starts[number]).astype(np.int32)


def first_rows(postings: Sequence[Postings]) -> Rows:
    """The number of each segment's first row, and of the row after the last: (n_segments + 1,)."""
    return np.concatenate([[0], np.cumsum([len(part) for part in postings])]).astype(np.int64)


def _mean(lengths: Ints) -> float:
    return float(lengths.mean()) if lengths.any() else 1.0


def _places(names: Ints, terms: Ints) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where some terms are among all names, and whether they are."""
    place = np.minimum(names.searchsorted(terms), max(0, len(names) - 1))
    return place, names[place] == terms if len(names) else np.zeros(len(terms), bool)


def _saturations(
    starts: NDArray[np.int64], documents: Ints, counts: NDArray[np.uint16], norm: Floats
) -> tuple[Floats, NDArray[np.float64]]:
    """The `bounds` and `moments` of postings, so many of them at a time."""
    bounds, moments = np.zeros(len(starts) - 1, np.float32), np.zeros((len(starts) - 1, 2))
    first = 0
    while first < len(bounds):
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + _AT_A_TIME, side="right")) - 1)
        inside, begin = slice(starts[first], starts[last]), starts[first:last] - starts[first]
        of_each = saturation(counts[inside].astype(np.float32), norm[documents[inside]]).astype(np.float64)
        bounds[first:last] = np.maximum.reduceat(of_each, begin)
        moments[first:last, 0] = np.add.reduceat(of_each, begin)
        moments[first:last, 1] = np.add.reduceat(of_each * of_each, begin)
        first = last
    return bounds, moments
