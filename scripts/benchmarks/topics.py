"""P@k where the label decides: of the k documents nearest to a query, the share that has the query's label.

Short codes tie: 11,000 documents have at most 17 Hamming distances to a query of 16 bits, and which of the tied ones
are among the first k is nobody's merit. So the expected precision over all orders of the tied documents is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import searchable, spans
from textae.engine import Engine
from textae.search.query import QueryVector
from textae.search.retrievers import Retriever
from textae.types import Document

_QUERIES_AT_A_TIME = 256


def expected_precision(distances: NDArray[np.floating], relevant: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """Precision at k, its expectation where documents tie at the cut: (n_queries,).

    Let d be the k-th smallest distance, b documents nearer than d, h of them relevant, and t documents at d, r of them
    relevant. All t are equally likely to fill the k - b places that are left, so

        E[P@k] = (h + (k - b) · r / t) / k

    Places for which there are no documents are misses.

    Args:
        distances: (n_queries, n_documents), smaller is nearer.
        relevant: (n_queries, n_documents).
        k: how deep to look.
    """
    places = min(k, distances.shape[1])
    cut = np.partition(distances, places - 1, axis=1)[:, places - 1 : places]
    nearer, tied = distances < cut, distances == cut
    left = places - nearer.sum(axis=1)
    hits = (nearer & relevant).sum(axis=1) + left * (tied & relevant).sum(axis=1) / tied.sum(axis=1)
    precision: NDArray[np.float64] = hits / k
    return precision


def precision(
    engine: Engine, retrievers: Mapping[str, Retriever], asked: Sequence[Document], k: int = 100
) -> dict[str, float]:
    """P@k of each system: the mean over the documents that ask, by the field `label`.

    Args:
        engine: of the index, whose documents have labels.
        retrievers: by the name they have in the row.
        asked: documents that are not in the index.
        k: how deep to look.
    """
    label_of = engine.snapshot.reader.field("label")
    labels = np.array([str(label_of[id]) for id in engine.snapshot.ids.values()])
    rows = np.arange(len(labels))
    sums = dict.fromkeys(retrievers, 0.0)
    for first in range(0, len(asked), _QUERIES_AT_A_TIME):
        some = asked[first : first + _QUERIES_AT_A_TIME]
        querys = [
            QueryVector.of(engine.snapshot.model.vectorizer.transform([searchable(document)])) for document in some
        ]
        relevant = np.array([str(document.fields["label"]) for document in some])[:, None] == labels
        for name, retriever in retrievers.items():
            scores = np.stack([retriever.scores(query, rows) for query in querys])
            sums[name] += float(expected_precision(-scores, relevant, k).sum())
    return {name: value / len(asked) for name, value in sums.items()}


def retrievers(engine: Engine, systems: Iterable[str]) -> dict[str, Retriever]:
    """Systems of an index, by name."""
    return {name: engine.snapshot.system(name) for name in systems}


def with_words(documents: Iterable[Document]) -> list[Document]:
    """The documents that hold a word; what holds none is no query (and no index takes it)."""
    return [document for document in documents if next(spans(searchable(document)), None) is not None]
