"""Documents that ask for their topic: 20 Newsgroups by date."""

from __future__ import annotations

import tempfile

import click

from benchmarks.rows import data, render, write
from benchmarks.runs import by_system, documents, indexed, seeds_option
from textae.corpus import TableSpec
from textae.engine import Engine


@click.command()
@seeds_option
def newsgroups(seeds: str) -> None:
    """20 Newsgroups by date: index the training part, ask with the test part; P@100, same group is relevant."""
    source = data("20newsgroups", "corpus.jsonl.gz")
    asked = list(documents(source, TableSpec(select=(("split", "test"),))))
    for seed in map(int, seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder, Engine.create(folder) as engine:
            report = indexed(engine, source, TableSpec(select=(("split", "train"),)), seed)
            systems = ("bm25", "tfidf", "lsa-64", "lsa", "code", "bits", "hybrid")
            scored = engine.evaluate_labels("label", asked, systems, seed=seed)
        write("P@100", "20newsgroups by date", report.documents, by_system(scored.figures, "P@100"), seed)
    render()
