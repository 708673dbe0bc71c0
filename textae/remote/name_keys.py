"""Documents by their names, where a database holds these: it finds candidates, and the client compares their names.

The likeness of a query to a name (`textae.index.names`) is a product of two shares, which no inner product is. So the
database finds the `CANDIDATES` documents of the highest Σ w(t) idf(t) · max_n w(t) / Σ w(n) of the words of the query,
and their names are read and compared as those of an index are.
"""

from __future__ import annotations

import json
from zlib import crc32

import numpy as np

from textae.encoding.analyzer import Analysis
from textae.index.names import Names, keys_of_word, names_of, readings
from textae.index.snapshot import Snapshot
from textae.remote.conditions import Predicate
from textae.remote.vector_store import NAMES, Sparse, VectorStore
from textae.search.by_name import FULL, LEAST, NameShares, worths
from textae.search.query import QueryVector

CANDIDATES = 100


def name_weights(id: str, title: str, source: str, analysis: Analysis) -> Sparse:
    """By the number of each key, the most that it weighs of a name of a document."""
    weights: dict[int, float] = {}
    for name in sorted(names_of(id, title, source)):
        for reading in readings(name, analysis):
            keys = dict(key for word, term in reading.items() for key in keys_of_word(word, term))
            whole = sum(keys.values())
            for key, weight in keys.items():
                number = _number(key)
                weights[number] = max(weights.get(number, 0.0), weight / whole)
    return weights


def _number(key: str) -> int:
    return crc32(key.encode(errors="replace")) >> 1


def name_shares(snapshot: Snapshot, store: VectorStore, query: QueryVector, where: Predicate | None) -> NameShares:
    """The documents that meet a predicate and whose name is like a query."""
    analysis = snapshot.model.vectorizer.analysis
    asked = [(reading, worths(snapshot, reading)) for reading in readings(query.text, analysis)]
    vector: dict[int, float] = {}
    for reading, values in asked:
        for (word, term), worth in zip(reading.items(), values, strict=True):
            vector |= {_number(key): weight * worth for key, weight in keys_of_word(word, term)}
    if not vector:
        return NameShares(np.empty(0, np.int64), np.empty(0))
    found = store.nearest(NAMES, vector, CANDIDATES, where, ("id", "title", "rest"))
    order = np.argsort(found.numbers)
    rows = [found.columns[at] for at in order.tolist()]
    names = Names.of([(row["id"], row["title"], json.loads(row["rest"])[0]) for row in rows], analysis)
    likeness = np.zeros(len(rows))
    for reading, values in asked:
        near, values_of_near = names.like(reading, values, LEAST)
        likeness[near] = np.maximum(likeness[near], values_of_near)
    near = np.flatnonzero(likeness > 0)
    return NameShares(found.numbers[order][near], FULL * (likeness[near] - LEAST) / (1 - LEAST))


def is_named(store: VectorStore, term: str) -> bool:
    """Whether the name of a document holds a term."""
    key = keys_of_word("", term)[0][0]
    return len(store.nearest(NAMES, {_number(key): 1.0}, 1, None).numbers) > 0
