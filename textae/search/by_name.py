"""Documents that are found by their names, beside what they say.

Popular documents are mentioned everywhere, often more tellingly than they name themselves: BM25 ranks `torch.nn.Linear`
49th for its own name. So the likeness of a query to a document's name (`textae.index.names`) raises its score,

    score(q, d) = s + n · (most - s),  n = .99 · max(0, (s(q, name) - .3) / .7)

where s is what keywords and codes give and `most` what they can give at most. A document whose name is the query comes
first, and of several with this name, the one with the highest s.

.3 was chosen by SciFact's training claims, which it costs nothing, and by titles that lack words
(docs/benchmarks-notes.md).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Doubles, Rows, distinct
from textae.index.names import Reading, among, readings
from textae.index.snapshot import Snapshot
from textae.search.query import QueryVector

FULL, LEAST = 0.99, 0.3

_NO_TERM = -1


@dataclass(frozen=True)
class NameShares:
    """The documents whose name is like a query.

    Attributes:
        numbers: (n,) of the documents, rising.
        shares: (n,) n(q, d), above 0.
    """

    numbers: Rows
    shares: Doubles

    def of(self, numbers: Rows) -> Doubles:
        """The shares of m documents: (m,); 0 for those whose name is not like the query."""
        place = np.searchsorted(self.numbers, numbers)
        found, shares = np.append(self.numbers, -1)[place], np.append(self.shares, 0)[place]
        return np.where(found == numbers, shares, 0)


def name_shares(snapshot: Snapshot, query: QueryVector) -> NameShares:
    """The documents that are not removed and whose name is like a query."""
    numbers, shares = [np.empty(0, np.int64)], [np.empty(0)]
    asked = [
        (reading, worths(snapshot, reading)) for reading in readings(query.text, snapshot.model.vectorizer.analysis)
    ]
    for segment in snapshot.segments:
        if segment.names is None or not asked:
            continue
        alike = [segment.names.like(reading, of_words, LEAST) for reading, of_words in asked]
        rows = np.concatenate([rows for rows, _ in alike])
        near = distinct(rows)[0]
        likeness = np.zeros(len(near))
        np.maximum.at(likeness, near.searchsorted(rows), np.concatenate([values for _, values in alike]))
        there = ~among(near, segment.documents.removed.rows)
        numbers.append(segment.documents.doc_numbers[near[there]])
        shares.append(FULL * (likeness[there] - LEAST) / (1 - LEAST))
    return NameShares(np.concatenate(numbers), np.concatenate(shares))


def worths(snapshot: Snapshot, reading: Reading) -> list[float]:
    """The idf of each word of a query; of a stop word, which weighs little already, the mean of the others."""
    number = snapshot.model.vectorizer.vocabulary.number
    terms = {term: at for term in reading.values() if term is not None and (at := number(term)) is not None}
    *idf, of_unknown = snapshot.documents.statistics.idf(np.array([*terms.values(), _NO_TERM], np.int32)).tolist()
    idf_of = dict(zip(terms, idf, strict=True))
    worths = [None if term is None else idf_of.get(term, of_unknown) for term in reading.values()]
    others = [worth for worth in worths if worth is not None] or [1.0]
    return [sum(others) / len(others) if worth is None else worth for worth in worths]


def given(scores: NDArray[np.floating], shares: Doubles, most: float) -> Doubles:
    """What their names give to the scores of documents: n(q, d) · (most - s), (n,).

    Args:
        scores: (n,) s, what keywords and codes give.
        shares: (n,) n(q, d).
        most: what keywords and codes can give at most.
    """
    missing: Doubles = np.maximum(most - scores.astype(np.float64), 0)
    return shares * missing
