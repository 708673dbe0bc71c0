"""Short queries against documents: seven collections with judgements that people made."""

from __future__ import annotations

import tempfile

import click

from benchmarks.page import COLLECTIONS
from benchmarks.rows import data, render, write
from benchmarks.runs import by_system, indexed, seeds_option
from textae.corpus import TableSpec
from textae.engine import Engine
from textae.evaluation import read_qrels, read_queries

SYSTEMS = ("bm25", "tfidf", "lsa", "code", "bits", "hybrid")


@click.command()
@seeds_option
@click.option("--only", help="Some of the collections, between commas.")
def retrieval(seeds: str, only: str | None) -> None:
    """The seven query collections: nDCG@10 and recall@100 of every system, one set of defaults."""
    for name in only.split(",") if only else COLLECTIONS:
        queries, qrels = read_queries(data(name, "queries.jsonl")), read_qrels(data(name, "qrels.tsv"))
        for seed in map(int, seeds.split(",")):
            with tempfile.TemporaryDirectory() as folder, Engine.create(folder) as engine:
                report = indexed(engine, data(name, "corpus.jsonl.gz"), TableSpec(), seed)
                scored = engine.evaluate(queries, qrels, SYSTEMS, seed=seed)
            for metric in ("nDCG@10", "recall@100"):
                write(metric, name, report.documents, by_system(scored.figures, metric), seed)
    render()
