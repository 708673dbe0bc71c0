"""The ranking systems over a vector database: it finds candidates, and the client scores them as an index does.

A document holds BM25's saturations, and the query weight · idf · (k1 + 1): their inner product is its score. A database
adds up in another order, and may return any of equal scores. So it is asked for more, until what it leaves out scores
less than the last hit, and the client scores what it returns, in the order of an index.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from textae.encoding.arrays import Floats, Ints, Rows, distinct
from textae.encoding.encoders import Codes
from textae.encoding.topk import TopK
from textae.errors import QueryError
from textae.index.postings import K1
from textae.remote.conditions import AllOf, Known, Predicate
from textae.remote.snapshot import RemoteSnapshot
from textae.remote.vector_store import BITS, MOST_DOCUMENTS, WORDS, VectorStore
from textae.remote.view import RemoteView
from textae.search.lexical import BM25
from textae.search.query import QueryVector
from textae.search.retrievers import POOL, CodeSearch, Hybrid, Retriever
from textae.search.vectors import AsymmetricIndex, CodeIndex, CosineIndex, HammingIndex
from textae.search.vectors.two_stage import POOL as CANDIDATES

_MORE = 32
"""Documents that are asked for beside those that are wanted."""
_ROUNDING = 1e-4
"""Of a score, what the order of a sum may change."""


class RemoteBM25(BM25):
    """BM25 over a database.

    Args:
        store: of the documents.
        view: of them.
    """

    def __init__(self, store: VectorStore, view: RemoteView) -> None:
        self._store, self._words = store, vars(view)["words"]
        self.statistics = view.statistics

    def __len__(self) -> int:
        """The number of documents."""
        return self.statistics.n

    def search(self, query: QueryVector, k: int, mask: Any = None, min_score: float = 0.0) -> TopK:
        """The documents that score highest; the mask is a predicate."""
        factors = self._plan(query)[0]
        vector = dict(zip(query.terms.tolist(), factors.tolist(), strict=True))
        vector = {term: factor for term, factor in vector.items() if factor > 0}
        if k < 1 or not vector:
            return TopK.empty()
        wanted = k + _MORE
        while True:
            found = self._store.nearest(WORDS, vector, wanted, mask, (WORDS,))
            self._words.keep(found.numbers.tolist(), [columns[WORDS] for columns in found.columns])
            rows = np.sort(found.numbers)
            top = TopK.of_rows(rows, self.scores(query, rows), k, min_score)
            is_all = len(found.numbers) < min(wanted, MOST_DOCUMENTS) or wanted >= MOST_DOCUMENTS
            if is_all or (len(top.rows) == k and found.scores[-1] < top.scores[-1] * (1 - _ROUNDING)):
                return top
            wanted *= 4

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        """The score of each document: (n,)."""
        parts, order = self._parts_of(query, rows), np.argsort(-self._plan(query)[0], kind="stable").tolist()
        scores = np.zeros(len(rows), np.float32)
        for place in order:  # an index sums in this order
            scores += parts[:, place]
        return scores

    def contributions(self, query: QueryVector, rows: Rows) -> tuple[Ints, Floats]:
        """The terms of a query, and what each adds to the score of each document: (n_terms,), (n_rows, n_terms)."""
        return query.terms, self._parts_of(query, rows)

    def _parts_of(self, query: QueryVector, rows: Rows) -> Floats:
        factors = self._plan(query)[0]
        parts = np.zeros((len(rows), len(factors)), np.float32)
        for at, (terms, saturations) in enumerate(self._words.values(rows)):
            place = np.minimum(terms.searchsorted(query.terms), max(0, len(terms) - 1))
            if len(terms):
                parts[at] = factors * np.where(terms[place] == query.terms, saturations[place], np.float32(0))
        return parts

    def _make_plan(self, query: QueryVector) -> Any:
        """The factors of the saturations; the database has the postings."""
        factors: Floats = query.weights * query.statistics(self.statistics)[1] * np.float32(K1 + 1)
        return factors, []


class RemoteHamming(HammingIndex):
    """Binary codes of a database.

    Args:
        store: of the documents.
        view: of them.
        all_known: whether each has a code.
    """

    def __init__(self, store: VectorStore, view: RemoteView, *, all_known: bool) -> None:
        super().__init__(view.bits, view.has_code)
        self._store, self._all_known = store, all_known

    def search(self, query: Codes, k: int, mask: Any = None, min_score: float = 0.0) -> TopK:
        """The documents at the smallest distances; the mask is a predicate."""
        rows = self.nearest(query, k, mask)
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)

    def nearest(self, query: Codes, k: int, mask: Any = None) -> Rows:
        """The k documents at the smallest distances, of those with a code: rising."""
        if k < 1 or not query.has_code[0]:
            return np.empty(0, np.int64)
        if not self._all_known:
            mask = _both(mask, Known())
        wanted = k + _MORE
        while True:
            found = self._store.nearest(BITS, query.bits[0].tobytes(), wanted, mask)
            order = np.lexsort((found.numbers, found.scores))[:k]
            is_all = len(found.numbers) < min(wanted, MOST_DOCUMENTS) or wanted >= MOST_DOCUMENTS
            if is_all or found.scores[-1] > found.scores[order[-1]]:
                return np.sort(found.numbers[order])
            wanted *= 2


def _both(mask: Predicate | None, other: Predicate) -> Predicate:
    return other if mask is None else AllOf([mask, other])


class RemoteCodes(CodeIndex):
    """The cosine of float codes, of the documents whose bits are nearest."""

    def __init__(self, view: RemoteView, hamming: RemoteHamming) -> None:
        CosineIndex.__init__(self, view.floats)  # what `CodeIndex` adds is for arrays of this machine
        self._hamming = hamming

    def search(self, query: Codes, k: int, mask: Any = None, min_score: float = 0.0) -> TopK:
        """The candidates with the highest cosines; the mask is a predicate."""
        rows = self._hamming.nearest(query, max(CANDIDATES, 4 * k), mask)
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)


class RemoteBits(AsymmetricIndex):
    """The asymmetric distance of bits, of the documents whose bits are nearest."""

    def __init__(self, view: RemoteView, hamming: RemoteHamming, quantization: Any) -> None:
        super().__init__(view.bits, view.has_code, quantization)
        self._hamming = hamming

    def search(self, query: Codes, k: int, mask: Any = None, min_score: float = 0.0) -> TopK:
        """The best of the nearest documents; the mask is a predicate."""
        rows = self._hamming.nearest(query, max(CANDIDATES, 4 * k), mask)
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)


@dataclass(frozen=True)
class RemoteHybrid(Hybrid):
    """Keywords and codes fused, of the best candidates of both."""

    def search(self, query: QueryVector, k: int, mask: Any = None, min_score: float = 0.0) -> TopK:
        """The documents with the highest fused scores; the mask is a predicate."""
        pool = max(POOL, 4 * k)
        found = self._by_words(query, pool, mask), self.codes.search(query, pool, mask)
        rows = distinct(np.concatenate([top.rows for top in found]))[0]
        return TopK.of_rows(rows, self.scores(query, rows), k, min_score)


def remote_retriever(name: str, snapshot: RemoteSnapshot) -> Retriever:
    """The system of that name.

    Raises:
        QueryError: a database does not serve it.
        TextaeError: there is no such system.
    """
    snapshot.modality.check_system(name)
    if name not in snapshot.modality.systems:
        systems = ", ".join(snapshot.modality.systems)
        raise QueryError(f"{snapshot.store.address} serves {systems}, and not {name!r}; give one of these")
    view, encoder = snapshot.documents, snapshot.model.encoder
    hamming = RemoteHamming(snapshot.store, view, all_known=bool(snapshot.remote["all_known"]))
    makers: dict[str, Callable[[], Retriever]] = {
        "bm25": lambda: RemoteBM25(snapshot.store, view),
        "hamming": lambda: CodeSearch(encoder, hamming),
        "bits": lambda: CodeSearch(encoder, RemoteBits(view, hamming, encoder.quantization)),
        "code": lambda: CodeSearch(encoder, RemoteCodes(view, hamming)),
    }
    if name != "hybrid":
        return makers[name]()
    codes = makers["code" if snapshot.modality.stores_floats else "bits"]()
    assert isinstance(codes, CodeSearch)
    return RemoteHybrid(RemoteBM25(snapshot.store, view), CodeSearch(codes.encoder.topical(), codes.index))
