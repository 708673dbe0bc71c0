"""Short queries against documents: seven collections with judgements that people made."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.page import COLLECTIONS
from benchmarks.rows import data, render, write
from benchmarks.runs import by_system, index, seeds_option
from textae.engine import Engine
from textae.evaluation import read_qrels, read_queries

SYSTEMS = ("bm25", "tfidf", "lsa-32", "lsa-64", "lsa-128", "lsa", "code", "bits", "hybrid")


@click.command()
@seeds_option
@click.option("--only", default=",".join(COLLECTIONS), show_default=True, help="Some of the collections.")
def retrieval(seeds: tuple[int, ...], only: str) -> None:
    """The seven query collections: nDCG@10 and recall@100 of every system, one set of defaults."""
    for name in only.split(","):
        queries, qrels = read_queries(data(name, "queries.jsonl")), read_qrels(data(name, "qrels.tsv"))
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                cost = index(data(name, "corpus.jsonl.gz"), Path(folder), seed=seed)
                with Engine.open(folder) as engine:
                    scored = engine.evaluate(queries, qrels, SYSTEMS, seed=seed)
            for metric in ("nDCG@10", "recall@100"):
                write(metric, name, cost.documents, {**by_system(scored.figures, metric), **cost.figures()}, seed)
    render()
