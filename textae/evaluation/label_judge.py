"""Scores of rankings against labels: a document is relevant if it shares a label with the query.

Two figures, both from the number of relevant documents h(n) among the first n:

    precision(n) = h(n) / n        recall(n) = h(n) / relevant documents in the corpus

P@k is the mean of precision(k) over the queries. The precision-recall curve of Hinton & Salakhutdinov ("Reducing the
Dimensionality of Data with Neural Networks", Science 2006; "Discovering Binary Codes for Documents by Learning Deep
Generative Models", Topics in Cognitive Science 2011) takes the mean of each over the queries at n = 1, 3, 7, 15, ...
up to the whole corpus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.errors import QueryError
from textae.types import FieldValue, Ranking


@dataclass(frozen=True, slots=True)
class Curve:
    """A precision-recall curve.

    Attributes:
        cutoffs: (n,) documents looked at.
        precision: (n,) mean over the queries.
        recall: (n,) mean over the queries, never decreasing.
        queries: how many the mean is over.
    """

    cutoffs: NDArray[np.int64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    queries: int


class LabelJudge:
    """Takes rankings one by one, keeps a few numbers of each, and gives the scores at the end.

    Thousands of queries over the whole corpus can be judged, with one ranking in memory at a time.

    A query that is itself in the index is not its own hit: the caller removes it from the ranking (and asks for one
    document more), and it does not count among the relevant ones. Where a ranking is shorter than a cut-off, the
    missing documents count as misses. A query without a label, or with one that no document of the index has, is left
    out and counted.

    Attributes:
        unjudged: the queries left out so far.
    """

    def __init__(self, labels: Mapping[str, FieldValue], cutoffs: Sequence[int] = (100,), depth: int | None = None):
        """Learn which documents have which label.

        Args:
            labels: by document id, of every document in the index: one value, or a list of them; None for none.
            cutoffs: the k of each P@k.
            depth: how deep the rankings will go, where the curve ends; the whole corpus unless given.

        Raises:
            QueryError: a cut-off is below 1, or a label is neither a value nor a list of values.
        """
        if any(k < 1 for k in cutoffs):
            raise QueryError(f"expected cut-offs of at least 1, found {list(cutoffs)}")
        self.unjudged = 0
        self._labelled: dict[str, set[str]] = {}
        for document, value in labels.items():
            for label in label_set(value):
                self._labelled.setdefault(label, set()).add(document)
        self._k = tuple(cutoffs)
        self._curve_cutoffs = curve_cutoffs(len(labels) if depth is None else depth)
        self._at = np.concatenate([np.array(self._k, dtype=np.int64), self._curve_cutoffs])
        self._hits: dict[str, NDArray[np.int64]] = {}
        self._relevant: dict[str, int] = {}

    def add(self, query: str, label: FieldValue, ranking: Ranking) -> None:
        """Judge one ranking.

        Args:
            query: its id; if the index has a document of this id, it is taken for the query itself.
            label: one value, or a list of them.
            ranking: best first, without the query itself.

        Raises:
            QueryError: the query was added before.
        """
        if query in self._hits:
            raise QueryError(f"the query {query!r} is in the evaluation twice")
        sharing = [self._labelled[label] for label in label_set(label) if label in self._labelled]
        relevant = sharing[0] if len(sharing) == 1 else set[str]().union(*sharing)  # without a copy of a large set
        n_relevant = len(relevant) - (query in relevant)
        if n_relevant == 0:
            self.unjudged += 1
            return
        # map over a set's own method: 30 ns a document, so 20 Newsgroups' whole curve takes seconds
        relevance = np.fromiter(map(relevant.__contains__, ranking.ids), dtype=np.bool_, count=len(ranking.ids))
        self._hits[query] = hits(relevance, self._at)
        self._relevant[query] = n_relevant

    def scores(self) -> dict[str, dict[str, float]]:
        """Give the scores by metric (`P@100`) and query id.

        Raises:
            QueryError: no query was judged.
        """
        self._check_judged()
        return {
            f"P@{k}": {query: float(count[column] / k) for query, count in self._hits.items()}
            for column, k in enumerate(self._k)
        }

    def curve(self) -> Curve:
        """Give the precision-recall curve, a mean over the queries added so far.

        Raises:
            QueryError: no query was judged.
        """
        self._check_judged()
        count = np.stack(list(self._hits.values()))[:, len(self._k) :]  # (n_queries, n_cutoffs)
        relevant = np.array(list(self._relevant.values()))[:, None]
        precision = (count / self._curve_cutoffs).mean(axis=0)
        return Curve(self._curve_cutoffs, precision, (count / relevant).mean(axis=0), len(self._hits))

    def _check_judged(self) -> None:
        if not self._hits:
            raise QueryError(
                f"none of the {self.unjudged:,} queries has a label that a document of the index has; "
                "is it the right label field?"
            )


def hits(relevance: NDArray[np.bool_], cutoffs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count h(n), the relevant documents among the first n, for each cut-off.

    Args:
        relevance: (depth,) of the ranked documents, best first.
        cutoffs: (n_cutoffs,); beyond the depth there is nothing more to find.

    Returns:
        (n_cutoffs,)
    """
    found = np.concatenate([[0], np.cumsum(relevance)])
    return found[np.minimum(cutoffs, len(relevance))]


def curve_cutoffs(n: int) -> NDArray[np.int64]:
    """Give 1, 3, 7, 15, ... below n, and n itself: the paper's axis for 7,531 documents ends 2047, 4095, 7531."""
    powers = [2**i - 1 for i in range(1, n.bit_length() + 1)]
    return np.array([cutoff for cutoff in powers if cutoff < n] + [n] * (n > 0), dtype=np.int64)


def label_set(value: FieldValue) -> frozenset[str]:
    """Give the labels in a field, as strings, so that 3 in a JSON file and '3' in a CSV file agree.

    Raises:
        QueryError: an object, or a list within a list.
    """
    values = value if isinstance(value, list) else [value]
    if any(isinstance(label, dict | list) for label in values):
        raise QueryError(f"expected a label or a list of labels, found {repr(value)[:60]}")
    return frozenset(str(label) for label in values if label is not None and label != "")
