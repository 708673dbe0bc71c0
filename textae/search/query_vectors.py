"""Vectors of queries, where a function gives them: of the text of a query, and of documents that have none.

A function is called with a list of texts, for systems that read vectors and indexes that have some; it gives as many.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from textae.config import READ_VECTORS
from textae.encoding.analyzer import searchable
from textae.encoding.given_vectors import vectors_of
from textae.index.own_vectors import own_vectors
from textae.index.snapshot import Snapshot
from textae.search.feedback import moved
from textae.search.query import QueryVector

Function = Callable[[list[str]], Any]


def of_text(text: str, function: Function, mode: str, snapshot: Snapshot) -> Any:
    """The vector of the text of a query; None without a text, where the system reads none, or the index has none."""
    if mode not in READ_VECTORS or not text.strip() or own_vectors(snapshot) is None:
        return None
    return next(vectors_of(function, [text]))


def beside_documents(
    query: QueryVector, snapshot: Snapshot, like: Sequence[int], unlike: Sequence[int], given: Any
) -> QueryVector:
    """A query with a vector that is moved towards those of documents, and away from others.

    Args:
        query: one; without a vector, the liked documents are the query.
        snapshot: the index, maybe without vectors.
        like: numbers of documents.
        unlike: numbers as well.
        given: a function that gives the vectors of documents that have none; anything else for none.
    """
    own = own_vectors(snapshot)
    if own is None:
        return query

    def of(numbers: Sequence[int]) -> Any:
        rows = own.of(numbers)
        without = np.flatnonzero(~rows.any(axis=1)).tolist() if callable(given) else []
        documents = snapshot.reader.documents([numbers[i] for i in without])
        for i, vector in zip(without, vectors_of(given, list(map(searchable, documents))), strict=True):
            rows[i] = own.of_query(vector)
        return rows

    return replace(query, vector=moved(query.vector, of(like), of(unlike)))
