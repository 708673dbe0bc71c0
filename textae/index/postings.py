"""Postings: for each term, the documents of a segment that hold it; and the statistics of a corpus of segments.

A segment never changes. `Removed` is stored beside it, and the `Statistics` of a corpus (the number of documents, their
mean length, the document frequency of each term) are sums over segments minus what is removed. They add up over shards
too: BM25 in one shard with the statistics of all gives each row the score that it has in the whole corpus.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Ints, Rows, T
from textae.encoding.bags import Bags, row_starts
from textae.encoding.weighting import idf, norms

K1, B = 1.2, 0.75
"""BM25's saturation of repeated terms and its normalisation by length (the usual values, not tuned)."""

_CHUNK = 4_096
"""Documents whose lengths and norms are computed at a time."""
_AT_A_TIME = 1 << 20
"""Postings whose saturation is computed at a time."""


def length_norm(length: Ints, mean_length: float) -> Floats:
    """BM25's normalisation by length: k1 (1 - b + b · length / mean length).

    Args:
        length: (n,) of documents, in terms.
        mean_length: of all documents.
    """
    norm: Floats = length.astype(np.float32) * np.float32(K1 * B / mean_length) + np.float32(K1 * (1 - B))
    return norm


def saturation(tf: Floats, norm: Floats) -> Floats:
    """BM25's saturated term frequency, from 0 to 1: tf / (tf + k1 (1 - b + b · length / mean length)).

    Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, equation 3.15, without the idf
    and without k1 + 1.

    Args:
        tf: (n,) occurrences of the term in each document.
        norm: (n,), the `length_norm` of these documents.
    """
    return tf / (tf + norm)


PostingList = tuple[Ints, NDArray[np.uint16]]
"""The documents that hold a term, rising, and its count in each."""


@dataclass(frozen=True)
class Postings:
    """The bags of a segment by term: compressed sparse columns of the terms that occur.

    Attributes:
        terms: (n_here,) int32, rising: the terms that occur in this segment.
        starts: (n_here + 1,) int64; the postings of terms[i] are at `starts[i]:starts[i + 1]`.
        documents: (n_postings,) int32 rows of the segment, rising within a term.
        counts: (n_postings,) uint16.
        lengths: (n_documents,) int32, terms in each document.
        norms: (n_documents,) float32, the length of each document's tf-idf vector.
        bounds: (n_here,) float32, the highest `saturation` of each term, at the mean length of this segment.
    """

    terms: Ints
    starts: NDArray[np.int64]
    documents: Ints
    counts: NDArray[np.uint16]
    lengths: Ints
    norms: Floats
    bounds: Floats

    @classmethod
    def of(cls, bags: Bags, idf: Floats) -> "Postings":
        """The postings of a segment.

        Args:
            bags: n documents.
            idf: (n_terms,) of at least all terms that occur.
        """
        from scipy.sparse import csr_array

        columns = csr_array((bags.counts, bags.terms, bags.starts), shape=(len(bags), len(idf))).tocsc()
        chunks = list(bags.chunks(_CHUNK))
        sums = [np.bincount(chunk.row_of, chunk.counts, minlength=len(chunk)) for chunk in chunks]
        lengths = np.concatenate([np.empty(0), *sums]).astype(np.int32)
        terms = np.flatnonzero(np.diff(columns.indptr)).astype(np.int32)
        starts = np.append(columns.indptr[terms], columns.indptr[-1]).astype(np.int64)
        documents, counts = columns.indices.astype(np.int32), columns.data
        norm = np.concatenate([np.empty(0, np.float32), *(norms(chunk, idf) for chunk in chunks)])
        bounds = _bounds(starts, documents, counts, length_norm(lengths, _mean(lengths)))
        return cls(terms, starts, documents, counts, lengths, norm, bounds)

    def bags(self) -> Bags:
        """The bags of which these are the postings."""
        from scipy.sparse import csc_array

        shape = (len(self), len(self.terms))
        bags = csc_array((self.counts, self.documents, self.starts), shape=shape).tocsr()
        return Bags(bags.indptr.astype(np.int64), self.terms[bags.indices], bags.data)

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.lengths)

    @cached_property
    def mean_length(self) -> float:
        """The mean number of terms in a document of this segment; 1 where there are none."""
        return _mean(self.lengths)

    def term(self, number: int) -> PostingList:
        """The postings of a term; empty where it does not occur."""
        return self.find(np.array([number], np.int32)).lists[0]

    def find(self, terms: Ints) -> "Lists":
        """The postings of n terms."""
        place, here = _look_up(self.terms, terms)
        ends = zip(self.starts[place].tolist(), self.starts[place + here].tolist(), strict=True)
        lists = [(self.documents[start:end], self.counts[start:end]) for start, end in ends]
        return Lists(lists, _values_at(self.bounds, place, here))

    def frequencies(self, terms: Ints) -> NDArray[np.int64]:
        """The document frequency of n terms in this segment: (n,)."""
        place, here = _look_up(self.terms, terms)
        return self.starts[place + here] - self.starts[place]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Postings":
        """The postings that gave these `arrays`."""
        return cls(*(np.asarray(arrays[field.name]) for field in fields(cls)))


@dataclass(frozen=True)
class Lists:
    """The postings of n terms in a segment.

    Attributes:
        lists: of each term; empty where it does not occur.
        bounds: (n,) float32, the highest saturation of each term; 0 where it does not occur.
    """

    lists: list[PostingList]
    bounds: Floats


@dataclass(frozen=True)
class Removed:
    """The removed documents of a segment, and what they subtract from its statistics.

    Attributes:
        rows: (n,) int32, rising: the rows of the removed documents.
        terms: (m,) int32, rising: the terms that they held.
        counts: (m,) int64, the number of them that held each term.
        length: terms in all of them together.
    """

    rows: Ints
    terms: Ints
    counts: NDArray[np.int64]
    length: int

    @classmethod
    def of(cls, rows: Rows | Ints, postings: Postings) -> "Removed":
        """What these rows subtract.

        Args:
            rows: (n,) in any order: all removed rows, also those that were removed before.
            postings: of the segment.
        """
        gone = np.zeros(len(postings), bool)
        gone[rows] = True
        counts = np.diff(row_starts(gone[postings.documents])[postings.starts])
        held = counts > 0
        length = int(postings.lengths[gone].sum())
        return cls(np.flatnonzero(gone).astype(np.int32), postings.terms[held], counts[held], length)

    @classmethod
    def none(cls) -> "Removed":
        """No document."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int64), 0)

    def frequencies(self, terms: Ints) -> NDArray[np.int64]:
        """The number of removed documents that held each of n terms: (n,)."""
        return _values_at(self.counts, *_look_up(self.terms, terms))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        length = np.array([self.length], np.int64)
        return {"rows": self.rows, "terms": self.terms, "counts": self.counts, "length": length}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Removed":
        """The removed documents that gave these `arrays`."""
        return cls(arrays["rows"], arrays["terms"], arrays["counts"], int(arrays["length"][0]))


class Statistics:
    """The exact statistics of a corpus of segments, without the removed documents; those of shards add up.

    Args:
        postings: of each segment.
        removed: of each segment.

    Attributes:
        n: documents.
        mean_length: mean number of terms in a document; 1 where there are none.
    """

    def __init__(self, postings: Sequence[Postings], removed: Sequence[Removed]) -> None:
        self._postings, self._removed = postings, removed
        self.n = sum(map(len, postings)) - sum(len(gone.rows) for gone in removed)
        length = sum(int(part.lengths.sum(dtype=np.int64)) for part in postings) - sum(gone.length for gone in removed)
        self.mean_length = length / self.n if length else 1.0

    def __add__(self, other: "Statistics") -> "Statistics":
        """The statistics of the documents of both."""
        return Statistics([*self._postings, *other._postings], [*self._removed, *other._removed])

    def frequencies(self, terms: Ints) -> NDArray[np.int64]:
        """The document frequency of n terms: (n,)."""
        total = np.zeros(len(terms), np.int64)
        for part, gone in zip(self._postings, self._removed, strict=True):
            total += part.frequencies(terms)
            if len(gone.rows):
                total -= gone.frequencies(terms)
        return total

    def frequencies_and_idf(self, terms: Ints) -> tuple[NDArray[np.int64], Floats]:
        """The document frequency and the inverse document frequency of n terms: (n,) each."""
        frequencies = self.frequencies(terms)
        return frequencies, idf(frequencies, self.n)

    def idf(self, terms: Ints) -> Floats:
        """The inverse document frequency of n terms: (n,)."""
        return self.frequencies_and_idf(terms)[1]


def counts_in(postings: PostingList, rows: Ints) -> NDArray[np.uint16]:
    """The count of a term in each of n documents of a segment: (n,)."""
    documents, counts = postings
    if not len(documents):
        return np.zeros(len(rows), np.uint16)
    place = documents.searchsorted(rows)
    held = documents.take(place, mode="clip") == rows
    tf: NDArray[np.uint16] = counts.take(place, mode="clip") * held
    return tf


Placed = tuple[int, slice | Rows, Ints]
"""Rows of one segment, as `by_segment` gives them."""


def by_segment(starts: Rows, rows: Rows) -> Iterator[Placed]:
    """Group rows by their segment.

    Args:
        starts: (n_segments + 1,), as `first_rows` gives them.
        rows: (n,) numbered through all segments, in any order.

    Yields:
        The number of a segment, the positions of its rows in `rows`, and these rows numbered within the segment.
    """
    if len(starts) == 2:
        yield 0, slice(None), rows.astype(np.int32)
        return
    for number, (first, end) in enumerate(pairwise(starts.tolist())):
        where = np.flatnonzero((rows >= first) & (rows < end))
        if len(where):
            yield number, where, (rows[where] - first).astype(np.int32)


def first_rows(postings: Sequence[Postings]) -> Rows:
    """The number of each segment's first row, and of the row after the last: (n_segments + 1,)."""
    return row_starts(list(map(len, postings)))


def _mean(lengths: Ints) -> float:
    return float(lengths.mean()) if lengths.any() else 1.0


def _look_up(names: Ints, terms: Ints) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The place of each term among sorted names, and whether it is there."""
    place = np.minimum(names.searchsorted(terms), max(0, len(names) - 1))
    return place, names[place] == terms if len(names) else np.zeros(len(terms), bool)


def _values_at(values: NDArray[T], place: NDArray[np.int64], here: NDArray[np.bool_]) -> NDArray[T]:
    """The values of n terms that were looked up, and zeros for those that are not there: (n, …)."""
    at = np.zeros((len(here), *values.shape[1:]), values.dtype)
    at[here] = values[place[here]]
    return at


def _bounds(starts: NDArray[np.int64], documents: Ints, counts: NDArray[np.uint16], norm: Floats) -> Floats:
    """The `bounds` of postings."""
    bounds = np.zeros(len(starts) - 1, np.float32)
    first = 0
    while first < len(bounds):
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + _AT_A_TIME, side="right")) - 1)
        inside, begin = slice(starts[first], starts[last]), starts[first:last] - starts[first]
        of_each = saturation(counts[inside].astype(np.float32), norm[documents[inside]])
        bounds[first:last] = np.maximum.reduceat(of_each, begin)
        first = last
    return bounds
