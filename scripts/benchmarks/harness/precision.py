"""P@k by label: the share of the k documents nearest to a query that share a label with it.

Short codes tie: 11,000 documents have at most 17 Hamming distances to a query of 16 bits. The order of tied documents
is arbitrary, so P@k is the expectation over all of their orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.runs import query_vectors
from textae.encoding.analyzer import searchable
from textae.engine import Engine
from textae.evaluation.label_judge import label_set
from textae.search.retrievers import Retriever
from textae.search.second_look import second_look
from textae.types import Document

_BATCH = 256


def expected_precision(distances: NDArray[np.floating], relevant: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """Precision at k, its expectation where documents tie at the cut: (n_queries,).

    Let d be the k-th smallest distance, b the number of documents nearer than d, h the relevant ones among them, t the
    number of documents at distance d and r the relevant ones among these. All t are equally likely to fill the k - b
    remaining ranks, so

        E[P@k] = (h + (k - b) · r / t) / k

    Ranks without a document are misses.

    Args:
        distances: (n_queries, n_documents), smaller is nearer.
        relevant: (n_queries, n_documents).
        k: the depth.
    """
    depth = min(k, distances.shape[1])
    cut = np.partition(distances, depth - 1, axis=1)[:, depth - 1 : depth]
    nearer, tied = distances < cut, distances == cut
    left = depth - nearer.sum(axis=1)
    hits = (nearer & relevant).sum(axis=1) + left * (tied & relevant).sum(axis=1) / tied.sum(axis=1)
    precision: NDArray[np.float64] = hits / k
    return precision


def label_precision(
    engine: Engine, systems: Iterable[str] | Mapping[str, Retriever], queries: Sequence[Document], k: int = 100
) -> dict[str, float]:
    """P@k of each system, as `label_precisions` gives it for one depth."""
    return label_precisions(engine, systems, queries, (k,))[k]


def label_precisions(
    engine: Engine,
    systems: Iterable[str] | Mapping[str, Retriever],
    queries: Sequence[Document],
    depths: Sequence[int],
) -> dict[int, dict[str, float]]:
    """P@k of each system by depth, by the field `label`, which has one label or a list: the mean over the queries.

    Args:
        engine: an index whose documents have labels.
        systems: names of systems of the index, or retrievers by the name of their column.
        queries: documents that are not in the index; each is ranked once for all depths.
        depths: values of k.
    """
    named = not isinstance(systems, Mapping)
    if not isinstance(systems, Mapping):
        systems = {name: engine.searcher.retriever(name) for name in systems}
    label_of = engine.snapshot.reader.field("label")
    labels = [label_set(label_of[id]) for id in engine.snapshot.ids.values()]
    column_of = {label: column for column, label in enumerate(sorted(frozenset().union(*labels)))}
    labelled, rows = _indicator(labels, column_of), np.arange(len(labels))
    sums = {depth: dict.fromkeys(systems, 0.0) for depth in depths}
    for first in range(0, len(queries), _BATCH):
        batch = queries[first : first + _BATCH]
        vectors = query_vectors(engine, map(searchable, batch))
        asked_for = _indicator([label_set(document.fields["label"]) for document in batch], column_of)
        relevant = asked_for @ labelled.T > 0  # (n_queries, n_documents)
        for name, retriever in systems.items():
            asked = [second_look(engine.searcher, vector, name) for vector in vectors] if named else vectors
            scores = np.stack([retriever.scores(vector, rows) for vector in asked])
            for depth in depths:
                sums[depth][name] += float(expected_precision(-scores, relevant, depth).sum())
    return {depth: {name: value / len(queries) for name, value in of.items()} for depth, of in sums.items()}


def _indicator(labels: Sequence[Set[str]], column_of: Mapping[str, int]) -> NDArray[np.float32]:
    """1 where a document has a label: (n_documents, n_labels)."""
    matrix = np.zeros((len(labels), len(column_of)), np.float32)
    for row, own in enumerate(labels):
        matrix[row, [column_of[label] for label in own if label in column_of]] = 1
    return matrix
