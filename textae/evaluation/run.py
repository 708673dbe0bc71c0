"""Systems side by side: what each ranks highest for many queries, scored by judgements or by labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from textae.config import VECTOR, check_seed
from textae.encoding.analyzer import searchable
from textae.encoding.given_vectors import vectors_of
from textae.encoding.topk import TopK
from textae.errors import QueryError
from textae.evaluation.label_judge import LabelJudge
from textae.evaluation.measures import judged
from textae.evaluation.scoreboard import Scoreboard, figures
from textae.index.own_vectors import own_vectors
from textae.index.snapshot import Snapshot
from textae.search.searcher import Searcher
from textae.search.second_look import second_look
from textae.types import Document, Query, Ranking

if TYPE_CHECKING:
    from textae.search.filters import Filter

Asked = TypeVar("Asked", Query, Document)

_AT_A_TIME = 256  # queries whose rankings are in memory
_FEW = 8  # queries that are answered sooner than threads start
_JUDGED_DEPTH = 1_000  # documents per query, as TREC's runs have
_ASKED = 1_000  # documents of the index that are the queries, where none are given


def rank(
    searcher: Searcher,
    queries: Sequence[Query] | Sequence[Document],
    top_k: int,
    mode: str,
    *,
    min_score: float = 0.0,
    feedback: bool | None = None,
    not_itself: bool = False,
    conditions: Filter | None = None,
) -> Iterator[Ranking]:
    """Rank the documents of an index for each of many queries, on all cores.

    Args:
        searcher: of the index.
        queries: texts or whole documents; each is encoded when its turn comes.
        top_k: maximum number of hits of a query.
        mode: the system that ranks.
        min_score: hits have a higher score.
        feedback: as `SearchRequest.feedback`.
        not_itself: whether to leave the document with the query's id out of its ranking.
        conditions: on the hits; None for none.

    Yields:
        A ranking for each query, in order; at most `_AT_A_TIME` are in memory. By vectors alone, a query without one
        has no hits.

    Raises:
        QueryError: no query has the vector that the system needs.
    """
    from concurrent.futures import ThreadPoolExecutor

    snapshot, view = searcher.snapshot, searcher.snapshot.searched
    shared = searcher.mask(conditions)
    searcher.retriever(mode)  # made once, before threads need it
    some_have_vectors = any(query.vector is not None for query in queries)

    def ranked(query: Query | Document, own: int | None) -> TopK:
        if mode == VECTOR and some_have_vectors and query.vector is None:
            return TopK.empty()
        mask = shared if own is None else searcher.without(shared, [own])
        if isinstance(query, Query):
            vector = searcher.text_query(query.text, query.vector)
        elif query.picture is None:
            vector = searcher.text_query(searchable(query), query.vector)
        else:
            vector = searcher.picture_query(query.picture)
        vector = second_look(searcher, vector, mode, mask, feedback=feedback)
        return searcher.rank(vector, top_k, mode, mask, min_score=min_score)

    with ExitStack() as stack:
        apply: Callable[..., Iterable[TopK]] = map
        if len(queries) > _FEW:  # threads take some milliseconds to start
            apply = stack.enter_context(ThreadPoolExecutor(os.cpu_count())).map
        for first in range(0, len(queries), _AT_A_TIME):
            some = queries[first : first + _AT_A_TIME]
            own = [snapshot.reader.number(query.id) if not_itself else None for query in some]
            for top in apply(ranked, some, own):
                numbers = view.doc_numbers.take(top.rows).tolist()
                yield Ranking(tuple(map(snapshot.ids.__getitem__, numbers)), tuple(top.scores.tolist()))


def with_vectors(queries: Sequence[Asked], vectors: Any) -> Sequence[Asked]:
    """Queries with their vectors: an array with a row for each, or a function from their texts to one.

    Raises:
        CorpusTypeError: there are more vectors than queries, or fewer.
    """
    texts = [query.text if isinstance(query, Query) else searchable(query) for query in queries]
    rows = vectors_of(vectors if callable(vectors) else lambda _: vectors, texts)
    return [replace(query, vector=row) for query, row in zip(queries, rows, strict=True)]


def by_judgements(
    searcher: Searcher,
    queries: Sequence[Query],
    qrels: Mapping[str, Mapping[str, int]],
    systems: Sequence[str] | None,
    baseline: str | None,
    seed: int,
    keep: Callable[[str, Mapping[str, Ranking]], None] | None,
) -> Scoreboard:
    """Score systems by judged queries: nDCG@10, MAP, recall@100, P@10.

    Args:
        searcher: of the index.
        queries: those without a judgement are left out, and counted.
        qrels: by query id and document id, the grade.
        systems: to score; None for all, with the user's own vectors where a query has one.
        baseline: what the others are tested against; None for the first system.
        seed: of intervals and tests.
        keep: gets the rankings of each system, to write them down.

    Raises:
        QueryError: nothing can be scored.
        TextaeError: a system, the baseline or the seed is wrong; raised before anything is scored.
    """
    systems, baseline = _checked(searcher.snapshot, queries, systems, baseline, seed)
    scores = {}
    for system in systems:
        ranked = rank(searcher, queries, _JUDGED_DEPTH, system)
        rankings = {query.id: ranking for query, ranking in zip(queries, ranked, strict=True)}
        scores[system] = judged(rankings, qrels)
        if keep is not None:
            keep(system, rankings)
    shown = figures(scores, baseline, seed)
    return Scoreboard(shown, len(queries) - shown[0].queries, {})


def by_labels(
    searcher: Searcher,
    field: str,
    queries: Iterable[Document] | None,
    systems: Sequence[str] | None,
    k: int,
    baseline: str | None,
    seed: int,
    *,
    curve: bool,
) -> Scoreboard:
    """Score systems by labels, P@k and the precision-recall curve: documents with the query's label are relevant.

    Args:
        searcher: of the index.
        field: of the documents, that holds the label.
        queries: documents whose text is the query, and their vectors; one that is in the index is not its own hit.
            None for a seeded sample of the index's own documents, with the vectors that it has of them.
        systems: as `by_judgements` takes them.
        k: of P@k.
        baseline: what the others are tested against; None for the first system.
        seed: of the sample, intervals and tests.
        curve: whether to rank the whole corpus for each query.

    Raises:
        QueryError: nothing can be scored.
        TextaeError: a system, the baseline or the seed is wrong; raised before anything is scored.
    """
    asked = _sampled(searcher.snapshot, seed) if queries is None else list(queries)
    systems, baseline = _checked(searcher.snapshot, asked, systems, baseline, seed)
    labels = searcher.snapshot.reader.field(field)
    depth = len(labels) if curve else k
    scores, curves, unjudged = {}, {}, 0
    for system in systems:
        judge = LabelJudge(labels, cutoffs=(k,), depth=depth)
        ranked = rank(searcher, asked, depth, system, min_score=-np.inf, not_itself=True)
        for document, ranking in zip(asked, ranked, strict=True):
            judge.add(document.id, document.fields.get(field), ranking)
        scores[system], unjudged = judge.scores(), judge.unjudged
        if curve:
            curves[system] = judge.curve()
    return Scoreboard(figures(scores, baseline, seed), unjudged, curves)


def _sampled(snapshot: Snapshot, seed: int) -> list[Document]:
    """Some documents of an index, with their vectors."""
    check_seed(seed)
    order = np.random.default_rng(seed).permutation(len(snapshot.numbers))
    numbers = snapshot.numbers[np.sort(order[:_ASKED])].tolist()
    documents, own = snapshot.reader.documents(numbers), own_vectors(snapshot)
    if own is None:
        return documents
    rows = [row if row.any() else None for row in own.of(numbers)]
    return [replace(document, vector=row) for document, row in zip(documents, rows, strict=True)]


def _checked(
    snapshot: Snapshot,
    queries: Sequence[Query] | Sequence[Document],
    systems: Sequence[str] | None,
    baseline: str | None,
    seed: int,
) -> tuple[Sequence[str], str]:
    """Systems and baseline, after all that was chosen was found to be possible: scoring takes minutes."""
    if systems is None:
        own = [VECTOR] if any(query.vector is not None for query in queries) else []
        systems = [*snapshot.modality.systems, *own]
    if not systems:
        raise QueryError(f"no system to score; give some of {', '.join(snapshot.modality.systems)}")
    for system in systems:
        snapshot.modality.check_system(system)
    check_seed(seed)
    if baseline is not None and baseline not in systems:
        raise QueryError(f"the baseline {baseline!r} is not among the systems: {', '.join(systems)}")
    return systems, systems[0] if baseline is None else baseline
