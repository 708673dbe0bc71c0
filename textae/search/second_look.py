"""A second look (pseudo-relevance feedback): the best hits of a first search tell what else to search for.

The code of a query for `hybrid` moves towards those of the hits; a query for `bm25` gets words of theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Mask
from textae.encoding.layers import unit
from textae.search.lexical import BM25
from textae.search.query import QueryVector
from textae.search.retrievers import Hybrid

if TYPE_CHECKING:
    from textae.search.searcher import Searcher

SEEN, BLIND = 3, 0.4
"""Hits of a first look that a query moves towards without being told to, and the weight of their mean. On
the development suite they cost SciFact .003 and no other set more than .0015, and give topics up to .018; a weight of
.25 costs up to .002 and gives up to .012 (docs/benchmarks-notes.md)."""


def second_look(
    searcher: Searcher,
    query: QueryVector,
    mode: str,
    mask: Mask | None = None,
    granularity: str = "passage",
    feedback: bool | None = None,
) -> QueryVector:
    """The query of the second search; one that has feedback of a person already, or finds nothing, stays as it is.

    Args:
        searcher: of the index.
        query: of the first search.
        mode: the name of the system; queries for others than `hybrid` and `bm25` stay as they are.
        mask: (n_rows,) of the view, the rows that may be hits; None for all.
        granularity: of the rows, `document` or `passage`.
        feedback: whether to look twice; None for `hybrid` alone.
    """
    system, view = searcher.retriever(mode, granularity), searcher.snapshot.view(granularity)
    looks = isinstance(system, Hybrid) if feedback is None else feedback
    if not looks or not query.is_one_text:
        return query
    if isinstance(system, Hybrid) and query.codes(system.codes.encoder).has_code[0]:
        first = searcher.rank(query, SEEN, mode, mask, granularity=granularity)
        return moved(query, view.floats.take(first.rows), first.scores) if len(first.rows) else query
    if isinstance(system, BM25):
        from textae.search.feedback import READ, rm3

        first = searcher.rank(query, READ, mode, mask, granularity=granularity)
        bags = searcher.snapshot.tokens_of(view.doc_numbers.take(first.rows).tolist()).bags()
        return rm3(query, bags, first.scores) if len(first.rows) else query
    return query


def moved(query: QueryVector, codes: NDArray[np.floating], scores: Floats) -> QueryVector:
    """A query whose code is moved towards the hits of a first look (pseudo-relevance feedback).

    Args:
        query: one.
        codes: (n, dims), the float codes of these hits, of any length.
        scores: (n,) of these hits, above 0: their weights in the mean.
    """
    mean = scores @ unit(codes.astype(np.float32)) / scores.sum()
    return query.moved((BLIND * mean).astype(np.float32))
