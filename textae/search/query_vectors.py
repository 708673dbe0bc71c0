"""Vectors of queries, where a function gives them: of the text of a query, and of documents that have none.

A function is called for systems that read vectors, with a list of texts; it gives as many vectors.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from textae.config import READ_VECTORS
from textae.encoding.analyzer import searchable
from textae.encoding.given_vectors import vectors_of
from textae.index.own_vectors import needed_vectors, own_vectors
from textae.index.snapshot import Snapshot
from textae.search.feedback import moved
from textae.search.query import QueryVector
from textae.search.request import SearchRequest


def of_text(request: SearchRequest, mode: str, snapshot: Snapshot) -> Any:
    """The vector that the function of a request gives for its text; None without a text, or where none is read.

    Raises:
        QueryError: the index has no vectors.
    """
    if mode not in READ_VECTORS or not request.text.strip():
        return None
    needed_vectors(snapshot)
    return next(vectors_of(request.vector, [request.text]))


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
