"""Queries expanded by the decoder (`textae.expansion`), beside the same queries as they were asked.

How many words are added, and with what weight, was chosen on SciFact's training claims and on titles from arXiv, never
on the queries that are measured here.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.page import COLLECTIONS
from benchmarks.rows import data, render, write
from benchmarks.runs import index, seeds_option
from textae.baselines import BM25
from textae.engine import Engine
from textae.evaluation import judged, read_qrels, read_queries
from textae.expansion import expand
from textae.opened import Opened
from textae.question import Question, encode_question
from textae.ranking import Hybrid, Retriever, top
from textae.types import Query, Ranking
from textae.vectorizer import Bags, Floats

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
                        system: judged(_rankings(engine.opened, retriever, queries), qrels)
                        for system, retriever in _systems(engine.opened).items()
                    }
            for metric in ("nDCG@10", "recall@100"):
                figures = {system: statistics.fmean(scores[metric].values()) for system, scores in found.items()}
                write(f"{metric}, expansion", name, cost.documents, figures, seed)
    render()


@dataclass(frozen=True)
class ExpandedBM25:
    """BM25 of expanded queries."""

    opened: Opened
    bm25: BM25

    def scores(self, queries: Bags) -> Floats:
        """The score of each document for each query with the words added: (n_queries, n_documents)."""
        return np.stack([self._scores(queries.rows(i, i + 1)) for i in range(len(queries))])

    def _scores(self, query: Bags) -> Floats:
        opened, question = self.opened, Question.of(query)
        code = encode_question(opened.encoder, question).floats[0]
        asked = expand(question, opened.decoder, opened.usual_words, code, opened.idf)
        each = Bags(np.arange(len(asked.terms) + 1), asked.terms, np.ones(len(asked.terms), np.uint16))
        scores: Floats = asked.weights @ self.bm25.scores(each)
        return scores


def _systems(opened: Opened) -> dict[str, Retriever]:
    """BM25 and the hybrid, as they are and expanded; the codes of the hybrid are always those of the query itself."""
    bm25, hybrid = opened.system("bm25"), opened.system("hybrid")
    assert isinstance(bm25, BM25) and isinstance(hybrid, Hybrid)
    expanded = ExpandedBM25(opened, bm25)
    return {
        "bm25": bm25,
        "bm25 expanded": expanded,
        "hybrid": hybrid,
        "hybrid expanded": Hybrid(expanded, hybrid.codes, hybrid.weight),
    }


def _rankings(opened: Opened, retriever: Retriever, queries: Sequence[Query]) -> dict[str, Ranking]:
    found = {}
    for query in queries:
        scores = retriever.scores(opened.vectorizer.transform([query.text]))[0]
        best = top(scores, _DEPTH)
        found[query.id] = Ranking(tuple(opened.ids[i] for i in best), tuple(scores[best].tolist()))
    return found
