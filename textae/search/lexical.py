"""The keyword systems that codes are compared with: the vector space model and BM25.

Both score documents by the postings of the query's terms. LSA is a system of codes: `textae.search.retrievers`.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from textae.encoding.arrays import Floats, Ints, Mask, Rows
from textae.encoding.topk import TopK
from textae.encoding.vocabulary import MOST_TERMS
from textae.encoding.weighting import idf, term_weight
from textae.index.postings import (
    K1,
    Placed,
    PostingList,
    Postings,
    Statistics,
    by_segment,
    counts_in,
    first_rows,
    length_norm,
    saturation,
)
from textae.search.query import QueryVector


class VectorSpace:
    """The vector space model: the cosine between tf-idf vectors (Salton, Wong & Yang 1975).

    Args:
        postings: of each segment; their norms are those of this idf.
        idf: (n_terms,) as it was learned.
        unseen: the idf of terms with higher numbers, which came later.
    """

    n_terms = MOST_TERMS

    def __init__(self, postings: Sequence[Postings], idf: Floats, unseen: float) -> None:
        self.postings, self.idf, self.unseen = postings, idf, unseen
        self._starts = first_rows(postings)

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows whose vectors point most as the query's does, as `Retriever.search` says."""
        terms, weights = self._vector(query)
        scores = np.zeros(self._starts[-1], np.float32)
        for start, postings in zip(self._starts.tolist(), self.postings, strict=False):
            part = scores[start : start + len(postings)]
            for term, weight in zip(terms.tolist(), weights, strict=True):
                documents, counts = postings.term(term)
                part[documents] += weight * term_weight(counts)
            part /= postings.norms
        return TopK.of_scores(scores, k, mask, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The cosine of the query's vector with each row's: (n,)."""
        scores = np.zeros(len(rows), np.float32)
        _, parts, norms = self._parts(query, rows)
        for part in parts:  # in the order of `search`
            scores += part
        return scores / norms

    def contributions(self, query: QueryVector, rows: Rows) -> tuple[Ints, Floats]:
        """The terms of a query's texts, and what each adds to the score of each row: (n_terms,), (n_rows, n_terms)."""
        terms, parts, norms = self._parts(query, rows)
        return terms, (parts / norms).T

    def _parts(self, query: QueryVector, rows: Rows) -> tuple[Ints, Floats, Floats]:
        """The terms, what each adds to the score of n rows, and the norms of these: (n_terms,), (n_terms, n), (n,)."""
        terms, weights = self._vector(query)
        parts, norms = np.zeros((len(terms), len(rows)), np.float32), np.ones(len(rows), np.float32)
        for number, where, local in by_segment(self._starts, rows):
            postings = self.postings[number]
            norms[where] = postings.norms[local]
            for i, (term, weight) in enumerate(zip(terms.tolist(), weights, strict=True)):
                counts = counts_in(postings.term(term), local)
                parts[i, where] = np.where(counts > 0, weight * term_weight(np.maximum(counts, 1)), 0)
        return terms, parts, norms

    def _vector(self, query: QueryVector) -> tuple[Ints, Floats]:
        """The terms of a query's texts, and its unit vector times their idf."""
        texts = query.texts
        terms, place = np.unique(texts.terms, return_inverse=True)
        seen = terms < len(self.idf)
        idf = np.full(len(terms), self.unseen, np.float32)
        idf[seen] = self.idf[terms[seen]]
        weights = term_weight(texts.counts) * idf[place]
        squares = np.bincount(texts.row_of, weights * weights, minlength=len(texts))
        shares = query.text_weights / np.sqrt(np.where(squares > 0, squares, 1))
        vector = np.bincount(place, weights * np.repeat(shares, np.diff(texts.starts)), minlength=len(terms))
        length = np.sqrt(vector @ vector) or 1.0
        return terms, (vector / length * idf).astype(np.float32)


@dataclass(frozen=True)
class _QueryTerm:
    """A term of a query.

    Attributes:
        place: of the term in the query.
        factor: float32, what a saturation is multiplied with: weight · idf · (k1 + 1).
        lists: its documents and counts in each segment.
        to_come: the most that this term and all after it can add to a score.
    """

    place: int
    factor: np.float32
    lists: list[PostingList]
    to_come: float

    def __len__(self) -> int:
        """The number of its postings."""
        return sum(len(documents) for documents, _ in self.lists)


class BM25:
    """BM25 over the postings; a term that a query weighs counts as often.

    A score is summed over the terms by falling weight, always in this order, so that it is the same to the last bit
    whether `search` or `scores` finds it. A search walks the postings in this order too, and not to the end: MaxScore
    (Turtle & Flood, "Query evaluation: strategies and optimizations", 1995). No document gets more from a term than its
    weight times its highest saturation. Once k documents are known that score more than all terms still to come can add
    up to, a document that holds none of the terms before is out; of the others only those that can still reach the best
    k are looked up in the postings still to come, which are the longest.

    Args:
        postings: of each segment.
        statistics: of the corpus.
    """

    n_terms = MOST_TERMS

    def __init__(self, postings: Sequence[Postings], statistics: Statistics) -> None:
        self.postings, self.statistics = postings, statistics
        self._starts = first_rows(postings)
        self._norms = [length_norm(part.lengths, statistics.mean_length) for part in postings]
        # A saturation grows with the mean length, and at most by as much.
        self._growth = [max(1.0, statistics.mean_length / part.mean_length) for part in postings]
        self._own = threading.local()

    def __len__(self) -> int:
        """The number of rows, removed ones too."""
        return int(self._starts[-1])

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        """The rows that score highest, as `Retriever.search` says."""
        if mask is not None and np.count_nonzero(mask) <= _FEW:
            rows = np.flatnonzero(mask)
            return TopK.of_rows(rows, self.scores(query, rows), k, min_score)
        if min_score < 0:
            return TopK.of_scores(self.scores(query, np.arange(len(self))), k, mask, min_score)
        if k < 1:
            return TopK.empty()
        terms, sums = self._plan(query)[1], self._sums()
        walked, done, least = 0, 0, min_score
        for term in terms:
            if len(term) > max(walked, _LONG):
                rows = self._leading(terms[:done], sums, k, mask)
                least = max(least, _kth(self._complete(terms, done, rows, sums[rows], k, least)[1], k))
            if term.to_come < least * _slack(terms):
                rows = np.flatnonzero(sums >= np.float32(least * _slack(terms) - term.to_come))
                if _LOOKED_UP * len(rows) < len(term):
                    break
            self._walk(term, sums)
            walked, done = walked + len(term), done + 1
        else:
            least = max(least, _kth(sums[self._leading(terms, sums, k, mask)], k))
            rows = np.flatnonzero((sums >= np.float32(least * _slack(terms))) & (sums > 0))
        self._own.walked = terms, done
        if mask is not None:
            rows = rows[mask[rows]]
        return TopK.of_rows(*self._complete(terms, done, rows, sums[rows], k, least), k, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The score of each row: (n,)."""
        terms, placed = self._plan(query)[1], list(by_segment(self._starts, rows))
        of, done = getattr(self._own, "walked", (None, 0))
        done = done if of is terms else 0  # the sums of this thread's last search may be of another query
        scores: Floats = self._own.sums[rows] if done else np.zeros(len(rows), np.float32)
        for term in terms[done:]:
            scores += self._parts(term, placed, len(rows))
        return scores

    def contributions(self, query: QueryVector, rows: Rows) -> tuple[Ints, Floats]:
        """The terms of a query, and what each adds to the score of each row: (n_terms,), (n_rows, n_terms)."""
        parts, placed = np.zeros((len(rows), len(query.terms)), np.float32), list(by_segment(self._starts, rows))
        for term in self._plan(query)[1]:
            parts[:, term.place] = self._parts(term, placed, len(rows))
        return query.terms, parts

    def most(self, query: QueryVector) -> float:
        """What no score reaches: that of a document that says each word of the query endlessly often."""
        of_missing = query.missing * float(idf(np.zeros(1, np.int64), self.statistics.n)[0]) * (K1 + 1)
        return float(self._plan(query)[0].sum()) + of_missing

    def _plan(self, query: QueryVector) -> tuple[Floats, list[_QueryTerm]]:
        """Factors of the saturations, weight · idf · (k1 + 1), and the terms by falling factor."""
        return query.once(self, self._make_plan)

    def _make_plan(self, query: QueryVector) -> tuple[Floats, list[_QueryTerm]]:
        lists = [part.find(query.terms) for part in self.postings]
        factors: Floats = query.weights * query.statistics(self.statistics)[1] * np.float32(K1 + 1)
        most = np.max([np.minimum(1, each.bounds * by) for each, by in zip(lists, self._growth, strict=True)], axis=0)
        order = np.argsort(-factors, kind="stable")
        to_come = np.cumsum((factors * most)[order][::-1], dtype=np.float64)[::-1] * (1 + _ROUNDING * len(order))
        terms = [
            _QueryTerm(place, factors[place], [each.lists[place] for each in lists], left)
            for place, left in zip(order.tolist(), to_come.tolist(), strict=True)
        ]
        return factors, terms

    def _sums(self) -> Floats:
        """A thread's own zeros, one for each row: to make 4 MB anew for each question takes longer than to clear it."""
        if not hasattr(self._own, "sums"):
            self._own.sums = np.empty(len(self), np.float32)
        sums: Floats = self._own.sums
        self._own.walked = None, 0
        sums.fill(0)
        return sums

    def _walk(self, term: _QueryTerm, sums: Floats) -> None:
        """Add a term's part to the sums of all rows."""
        for start, norms, (documents, counts) in zip(self._starts.tolist(), self._norms, term.lists, strict=False):
            rows = documents.astype(np.intp)
            part = term.factor * saturation(counts.astype(np.float32), norms[rows])
            np.add.at(sums[start : start + len(norms)], rows, part)  # quicker than +=, by a third

    def _parts(self, term: _QueryTerm, placed: Sequence[Placed], n: int) -> Floats:
        """What a term adds to the score of each of n rows, as `by_segment` gives them: (n,)."""
        parts = np.zeros(n, np.float32)
        for number, where, local in placed:
            tf = counts_in(term.lists[number], local).astype(np.float32)
            parts[where] = term.factor * saturation(tf, self._norms[number][local])
        return parts

    def _leading(self, walked: list[_QueryTerm], sums: Floats, n: int, mask: Mask | None) -> Rows:
        """The n rows whose sums are highest, of those that hold the heaviest term that as many hold."""
        lists = next((term.lists for term in walked if len(term) >= n), [])
        parts = zip(self._starts.tolist(), lists, strict=False)
        rows = np.concatenate([np.empty(0, np.int64), *(documents + start for start, (documents, _) in parts)])
        if mask is not None:
            rows = rows[mask[rows]]
        return rows[np.argpartition(sums[rows], len(rows) - n)[len(rows) - n :]] if len(rows) > n else rows

    def _complete(
        self, terms: list[_QueryTerm], done: int, rows: Rows, scores: Floats, k: int, least: float
    ) -> tuple[Rows, Floats]:
        """Add the terms that are not done to the scores of rows; those that cannot reach the best k are left out."""
        for term in terms[done:]:
            least = max(least, _kth(scores, k))
            can = scores >= np.float32(least * _slack(terms) - term.to_come)
            rows, scores = rows[can], scores[can]
            scores = scores + self._parts(term, list(by_segment(self._starts, rows)), len(rows))
        return rows, scores


def _slack(terms: list[_QueryTerm]) -> float:
    """What a score may be rounded down to."""
    return 1 - _ROUNDING * len(terms)


def _kth(scores: Floats, k: int) -> float:
    """The k-th highest score; 0 of fewer."""
    return float(np.partition(scores, len(scores) - k)[len(scores) - k]) if len(scores) >= k else 0.0


_FEW = 1_000
"""Rows that are scored one by one, where no others may be found."""
_LONG = 50_000
"""Postings that take longer to walk than it takes to find out whether they must be walked."""
_LOOKED_UP = 8
"""Postings that are walked in the time in which the count of one row is looked up."""
_ROUNDING = 1e-6
"""What the sum of terms may be off by, of itself, for each term."""
