"""Queries expanded by the decoder (`textae.search.expansion`), beside the same queries as they were asked.

How many words are added, and with what weight, was chosen on SciFact's training claims and on titles from arXiv, never
on the queries that are measured here.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.page import COLLECTIONS
from benchmarks.rows import data, render, write
from benchmarks.runs import index, seeds_option
from textae.engine import Engine
from textae.evaluation import judged, read_qrels, read_queries
from textae.search.query import QueryVector
from textae.types import Query, Ranking

_DEPTH = 1_000


@click.command()
@seeds_option
@click.option("--only", default=",".join(COLLECTIONS), show_default=True, help="Some of the collections.")
def expansion(seeds: tuple[int, ...], only: str) -> None:
    """The seven query collections: nDCG@10 and recall@100 of bm25 and hybrid, with and without the decoder's words."""
    for name in only.split(","):
        queries, qrels = read_queries(data(name, "queries.jsonl")), read_qrels(data(name, "qrels.tsv"))
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                cost = index(data(name, "corpus.jsonl.gz"), Path(folder), seed=seed)
                with Engine.open(folder) as engine:
                    found = {
                        f"{mode} expanded" if expanded else mode: judged(
                            _rankings(engine, mode, queries, expanded=expanded), qrels
                        )
                        for mode in ("bm25", "hybrid")
                        for expanded in (False, True)
                    }
            for metric in ("nDCG@10", "recall@100"):
                figures = {system: statistics.fmean(scores[metric].values()) for system, scores in found.items()}
                write(f"{metric}, expansion", name, cost.documents, figures, seed)
    render()


def _rankings(engine: Engine, mode: str, queries: Sequence[Query], *, expanded: bool) -> dict[str, Ranking]:
    snapshot, found = engine.snapshot, {}
    for query in queries:
        query_vector = QueryVector.of(snapshot.model.vectorizer.transform([query.text]))
        best = snapshot.search(snapshot.expanded(query_vector) if expanded else query_vector, _DEPTH, mode)
        ids = [snapshot.ids[number] for number in snapshot.searched.doc_numbers.take(best.rows).tolist()]
        found[query.id] = Ranking(tuple(ids), tuple(best.scores.tolist()))
    return found
