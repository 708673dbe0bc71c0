"""A document by its passages: the best counts half, and each next one half as much as the one before.

    score(d) = s₁ / 2 + s₂ / 4 + s₃ / 8 + …, where s₁ ≥ s₂ ≥ … are the scores of its passages

One passage can answer a question; a page on the subject has several. With the best passage alone, any page that names
the words once comes before it. For 120 questions to three manuals, success@5 and MRR of the hybrid are .44 and .34 by
whole documents, .47 and .35 by the best passage, .51 and .39 so (docs/benchmarks-notes.md).

The documents of the best `POOL` passages (or 20 k) are scored by all of theirs.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from textae.encoding.arrays import Doubles, Floats, Mask, Rows, distinct
from textae.encoding.topk import TopK
from textae.index.snapshot import CorpusView
from textae.search.query import QueryVector
from textae.search.retrievers import Retriever

COUNTED = 8
"""Passages that count; the ninth would add 1/512 of its score."""

POOL = 200
"""Passages whose documents are scored. For sixty questions to two manuals, .993 of the ten best documents by codes are
those of scoring all, and all by `hybrid` and `bm25`; with 100 passages .93 and .993."""


@dataclass(frozen=True)
class Counted:
    """The passages of n documents that count, those of a document together and its best one first.

    Attributes:
        starts: (n,) where each document begins in `rows`.
        rows: (m,) of the passages.
        weights: (m,) 1/2, 1/4, 1/8, …
        scores: (n,) float32, of the documents.
    """

    starts: Rows
    rows: Rows
    weights: Doubles
    scores: Floats

    @property
    def spans(self) -> list[slice]:
        """Where the passages of each document are in `rows`."""
        return [slice(*span) for span in pairwise([*self.starts.tolist(), len(self.rows)])]


def best_documents(
    system: Retriever, view: CorpusView, query: QueryVector, k: int, mask: Mask | None, min_score: float
) -> TopK:
    """The documents that score highest, each by the row of its best passage.

    Args:
        system: that scores passages.
        view: the passages.
        query: one.
        k: the maximum number of documents.
        mask: (n_rows,) the passages of the documents that may be hits; None for all.
        min_score: documents that score this or less are no hits.
    """
    n_passages = max(POOL, 20 * k)
    while True:
        top = system.search(query, n_passages, mask, min(min_score, 2 * min_score))  # a sum is below s₁, or half of it
        documents = counted(system, view, query, distinct(view.doc_numbers.take(top.rows))[0])
        best = TopK.of_rows(documents.rows[documents.starts], documents.scores, k, min_score)
        if len(best.rows) == k or len(top.rows) < n_passages:
            return best
        n_passages *= 4


def counted(system: Retriever, view: CorpusView, query: QueryVector, numbers: Rows) -> Counted:
    """The passages that count of the documents with these numbers."""
    rows, by_number = view.rows_of(numbers), np.argsort(numbers)
    owners = by_number[np.searchsorted(numbers, view.doc_numbers.take(rows), sorter=by_number)]
    scores = system.scores(query, rows)
    order = np.lexsort((rows, -scores, owners))
    rows, owners, scores = rows[order], owners[order], scores[order]
    place = np.arange(len(rows)) - np.searchsorted(owners, owners)
    counts = (place == 0) | ((place < COUNTED) & (scores > 0))
    rows, owners, weights = rows[counts], owners[counts], 0.5 ** (1 + place[counts])
    sums = np.bincount(owners, weights * scores[counts], minlength=len(numbers)).astype(np.float32)
    return Counted(np.searchsorted(owners, np.arange(len(numbers))), rows, weights, sums)
