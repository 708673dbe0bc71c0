"""Systems side by side: what each ranks highest for many queries, scored by judgements or by labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from textae.config import check_seed
from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Mask
from textae.encoding.topk import TopK
from textae.errors import QueryError
from textae.index.snapshot import Snapshot
from textae.search.query import QueryVector
from textae.search.searcher import Searcher
from textae.types import Document, Query, Ranking

if TYPE_CHECKING:
    from textae.evaluation import Scoreboard

_AT_A_TIME = 256  # queries whose rankings are in memory
_FEW = 8  # queries that are answered sooner than threads start
_JUDGED_DEPTH = 1_000  # documents per query, as TREC's runs have
_ASKED = 1_000  # documents of the index that ask for their like, where no queries are given


def rank(
    searcher: Searcher,
    queries: Sequence[Query],
    top_k: int,
    mode: str,
    *,
    min_score: float = 0.0,
    not_itself: bool = False,
    where: str | None = None,
    must: str | None = None,
) -> Iterator[Ranking]:
    """The ranking of each of many queries, in their order, computed on all cores.

    Args:
        searcher: of the index.
        queries: texts with ids.
        top_k: the maximum number of documents of a ranking.
        mode: the ranking system.
        min_score: documents that score this or less are left out.
        not_itself: leave out the document that has the query's id.
        where: as in `SearchRequest`.
        must: as in `SearchRequest`.

    Raises:
        QueryError: a condition cannot be read; or the documents are pictures.
        TextaeError: there is no such system.
    """
    conditions = searcher.conditions(where, must)
    mask = None if conditions is None else conditions.mask(searcher.snapshot, "passage")
    made = [(query.id, partial(searcher.text_query, query.text)) for query in queries]
    return _ranked(searcher, made, top_k, mode, mask, min_score=min_score, not_itself=not_itself)


def _ranked(
    searcher: Searcher,
    queries: Sequence[tuple[str, Callable[[], QueryVector]]],
    top_k: int,
    mode: str,
    everywhere: Mask | None = None,
    *,
    min_score: float,
    not_itself: bool,
) -> Iterator[Ranking]:
    """The same of queries of any kind, each under its id and made when it is ranked."""
    from concurrent.futures import ThreadPoolExecutor

    searcher.retriever(mode)  # made once, before threads ask for it
    snapshot, view = searcher.snapshot, searcher.snapshot.searched

    def ranked(query: tuple[str, Callable[[], QueryVector]], own: int | None) -> TopK:
        mask = everywhere
        if own is not None:
            mask = np.ones(len(view.doc_numbers), bool) if mask is None else mask.copy()
            mask[view.rows_of(own)] = False
        return searcher.rank(query[1](), top_k, mode, mask, min_score=min_score)

    with ExitStack() as stack:
        apply: Callable[..., Iterable[TopK]] = map
        if len(queries) > _FEW:  # threads take some milliseconds to start
            apply = stack.enter_context(ThreadPoolExecutor(os.cpu_count())).map
        for first in range(0, len(queries), _AT_A_TIME):
            some = queries[first : first + _AT_A_TIME]
            own = [snapshot.reader.number(id) if not_itself else None for id, _ in some]
            for top in apply(ranked, some, own):
                numbers = view.doc_numbers.take(top.rows).tolist()
                yield Ranking(tuple(map(snapshot.ids.__getitem__, numbers)), tuple(top.scores.tolist()))


def by_judgements(
    searcher: Searcher,
    queries: Sequence[Query],
    qrels: Mapping[str, Mapping[str, int]],
    systems: Sequence[str],
    baseline: str | None,
    seed: int,
    keep: Callable[[str, Mapping[str, Ranking]], None] | None,
) -> Scoreboard:
    """Score systems by judged queries: nDCG@10, MAP, recall@100, P@10.

    Args:
        searcher: of the index.
        queries: those without a judgement are left out, and counted.
        qrels: by query id and document id, the grade.
        systems: at least one.
        baseline: the system that the others are tested against; None for the first.
        seed: of intervals and tests.
        keep: called with each system and its rankings by query id, for example to write a run.

    Raises:
        QueryError: nothing can be scored.
        TextaeError: a system, the baseline or the seed is invalid; checked before anything is scored.
    """
    from textae.evaluation import Scoreboard, figures, judged

    baseline = _checked(searcher.snapshot, systems, baseline, seed)
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
    systems: Sequence[str],
    k: int,
    baseline: str | None,
    seed: int,
    *,
    curve: bool,
) -> Scoreboard:
    """Score systems by labels: documents with the query's label are relevant. P@k, and the precision-recall curve.

    Args:
        searcher: of the index.
        field: of the documents, which holds the label.
        queries: documents whose text is the query; a document of the index is not its own hit. None for a seeded sample
            of the index.
        systems: at least one.
        k: of P@k.
        baseline: the system that the others are tested against; None for the first.
        seed: of the sample, intervals and tests.
        curve: whether to rank the whole corpus for each query.

    Raises:
        QueryError: nothing can be scored.
        TextaeError: a system, the baseline or the seed is invalid; checked before anything is scored.
    """
    from textae.evaluation import LabelJudge, Scoreboard, figures

    baseline = _checked(searcher.snapshot, systems, baseline, seed)
    labels = searcher.snapshot.reader.field(field)
    asked = list(_sample(searcher.snapshot, seed) if queries is None else queries)
    querys = [(document.id, partial(_query, searcher, document)) for document in asked]
    depth = len(labels) if curve else k
    scores, curves, unjudged = {}, {}, 0
    for system in systems:
        judge = LabelJudge(labels, cutoffs=(k,), depth=depth)
        ranked = _ranked(searcher, querys, depth, system, min_score=-np.inf, not_itself=True)
        for document, ranking in zip(asked, ranked, strict=True):
            judge.add(document.id, document.fields.get(field), ranking)
        scores[system], unjudged = judge.scores(), judge.unjudged
        if curve:
            curves[system] = judge.curve()
    return Scoreboard(figures(scores, baseline, seed), unjudged, curves)


def _query(searcher: Searcher, document: Document) -> QueryVector:
    if document.picture is None:
        return searcher.text_query(searchable(document))
    return searcher.picture_query(document.picture)


def _sample(snapshot: Snapshot, seed: int) -> list[Document]:
    chosen = np.random.default_rng(seed).permutation(len(snapshot.numbers))[:_ASKED]
    return snapshot.reader.documents(snapshot.numbers[np.sort(chosen)].tolist())


def _checked(snapshot: Snapshot, systems: Sequence[str], baseline: str | None, seed: int) -> str:
    """The baseline, after all that was chosen was found to be possible: scoring takes minutes."""
    if not systems:
        raise QueryError(f"no system to score; give some of {', '.join(snapshot.modality.systems)}")
    for system in systems:
        snapshot.modality.check_system(system)
    check_seed(seed)
    if baseline is not None and baseline not in systems:
        raise QueryError(f"the baseline {baseline!r} is not among the systems: {', '.join(systems)}")
    return systems[0] if baseline is None else baseline
