"""Topics of 20 Newsgroups: ours beside LDA, NMF and BERTopic's recipe on the same codes.

How well the words of topics go together, how few topics share them, and how far topics are the groups. BERTopic's
recipe needs UMAP, in an environment of its own:

    python -m venv umap
    umap/bin/pip install umap-learn==0.5.12
    scripts/bench clusters --python umap/bin/python
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.newsgroups import part
from benchmarks.rows import render, write
from benchmarks.runs import index, seeds_option, table
from textae.encoding.analyzer import searchable
from textae.encoding.decoder import Decoder, most_telling
from textae.encoding.weighting import tfidf
from textae.engine import Engine
from textae.explore.topics import learn, topics_of

WHAT = "topics: words that go together, and groups"
PROGRAM = Path(__file__).parent / "peers" / "densities.py"
GROUPS = 20
WORDS = 10

Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Corpus:
    """The documents that topics are found in.

    Attributes:
        counts: (n_documents, n_terms) of the terms that the decoder knows, for all systems the same.
        weights: the same places, tf-idf.
        may_name: (n_terms,) bool, words that may stand for a topic: no numbers, no single letters.
        labels: of the documents.
    """

    counts: csr_array
    weights: csr_array
    may_name: NDArray[np.bool_]
    labels: Ints

    def first_words(self, scores: NDArray[np.floating]) -> list[Ints]:
        """The terms that score highest, of each row of (k, n_terms)."""
        return list(np.argsort(np.where(self.may_name, -scores, np.inf), axis=1, kind="stable")[:, :WORDS])


@dataclass(frozen=True)
class TopK:
    """Topics.

    Attributes:
        topic_of: (n_documents,), -1 for none.
        words: of each topic, the terms that stand for it.
        seconds: that it took.
    """

    topic_of: Ints
    words: Sequence[Ints]
    seconds: float


@click.command()
@click.option(
    "--python", type=click.Path(exists=True), help="Of the environment that has UMAP; without it no such row."
)
@seeds_option
def clusters(python: str | None, seeds: tuple[int, ...]) -> None:
    """Topics of 20 Newsgroups (train part): NPMI and diversity of their words, NMI and ARI with the groups."""
    with table(part("train")) as source:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                index(source, Path(folder), seed=seed)
                with Engine.open(folder) as engine:
                    for name, corpus, found in _systems(engine, seed, python):
                        write(WHAT, name, len(corpus.labels), scored(corpus, found), seed)
    render()


def _systems(engine: Engine, seed: int, python: str | None) -> Iterator[tuple[str, Corpus, TopK]]:
    corpus = corpus_of(engine)
    for n in (None, GROUPS):
        ours = _ours(engine, n, seed)
        k = len(ours.words)
        name = "ours" if n is None else f"ours, {n} topics"
        yield name, corpus, ours
        yield f"{name}, words by the decoder", corpus, replace(ours, words=_by_decoder(engine, corpus, ours))
        yield f"{name}, words by c-tf-idf", corpus, replace(ours, words=by_class(corpus, ours.topic_of))
        which = f"{GROUPS} topics" if n else "as many as ours"
        yield f"LDA, {which}", corpus, _lda(corpus, k, seed)
        yield f"NMF, {which}", corpus, _nmf(corpus, k, seed)
    if python is not None:
        yield "UMAP, HDBSCAN, c-tf-idf", corpus, _densities(engine, corpus, seed, python)


def corpus_of(engine: Engine) -> Corpus:
    """The documents of an index, as topics are found in and judged by."""
    snapshot = engine.snapshot
    bags = snapshot.model.vectorizer.transform([searchable(one) for one in snapshot.reader.stream()])
    bags = bags.below(_n_terms(snapshot.decoder))
    shape = (len(bags), _n_terms(snapshot.decoder))
    words = [snapshot.model.vectorizer.vocabulary.term(number) for number in range(shape[1])]
    labels = np.unique(list(map(str, snapshot.reader.field("label").values())), return_inverse=True)[1]
    return Corpus(
        csr_array((bags.counts.astype(np.float64), bags.terms, bags.starts), shape=shape),
        csr_array((tfidf(bags, snapshot.model.idf), bags.terms, bags.starts), shape=shape),
        np.array([len(word) > 1 and not word.isdecimal() for word in words]),
        labels,
    )


def _n_terms(decoder: Decoder) -> int:
    return len(decoder.layers[-1][1])


def scored(corpus: Corpus, found: TopK) -> dict[str, float]:
    """All figures of some topics; documents of none are a group of their own to NMI and ARI."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return {
        "NPMI": coherence(corpus.counts, found.words),
        "diversity": diversity(found.words),
        "NMI": float(normalized_mutual_info_score(corpus.labels, found.topic_of)),
        "ARI": float(adjusted_rand_score(corpus.labels, found.topic_of)),
        "topics": len(found.words),
        "without a topic": float((found.topic_of < 0).mean()),
        "s": found.seconds,
    }


def coherence(counts: csr_array, topics: Sequence[Ints]) -> float:
    """The mean NPMI of the pairs of a topic's words (Bouma 2009; Lau, Newman & Baldwin 2014), the mean over topics.

        NPMI(a, b) = ln(p(a, b) / (p(a) p(b))) / -ln p(a, b)        p: the share of documents that hold both, or one

    It is -1 where no document holds both, and 1 where all that hold one hold both.

    Args:
        counts: (n_documents, n_terms).
        topics: the terms of each.
    """
    held = (counts > 0).tocsc()
    n = held.shape[0]
    means = []
    for terms in topics:
        dense = held[:, terms].toarray().astype(np.float64)
        together, alone = dense.T @ dense / n, dense.mean(axis=0)
        pairs = [_npmi(together[a, b], alone[a], alone[b]) for a, b in itertools.combinations(range(len(terms)), 2)]
        means.append(np.mean(pairs) if pairs else 0.0)
    return float(np.mean(means))


def _npmi(both: float, one: float, other: float) -> float:
    if both == 0:
        return -1.0
    return 1.0 if both == 1 else float(np.log(both / (one * other)) / -np.log(both))


def diversity(topics: Sequence[Ints]) -> float:
    """The share of different words among those of all topics (Dieng, Ruiz & Blei 2020)."""
    words = np.concatenate(list(topics))
    return len(np.unique(words)) / len(words)


def _timed(action: Callable[[], tuple[Ints, Sequence[Ints]]]) -> TopK:
    started = time.perf_counter()
    topic_of, words = action()
    return TopK(topic_of, words, time.perf_counter() - started)


def _ours(engine: Engine, n: int | None, seed: int) -> TopK:
    numbers = engine.snapshot.model.vectorizer.numbers

    def action() -> tuple[Ints, Sequence[Ints]]:
        found, topic_of, _ = topics_of(engine.snapshot, learn(engine.snapshot, n, seed))
        return topic_of, [np.array([numbers[word] for word in topic.words]) for topic in found.leaves]

    return _timed(action)


def _by_decoder(engine: Engine, corpus: Corpus, ours: TopK) -> list[Ints]:
    """What the decoder says at the topics' centres, beside the mean over topics."""
    floats = engine.snapshot.codes.floats.astype(np.float32)
    centres = np.stack([floats[ours.topic_of == topic].mean(axis=0) for topic in range(len(ours.words))])
    said = engine.snapshot.decoder.words(centres)
    usual = said.mean(axis=0, dtype=np.float64)
    telling = [most_telling(np.where(corpus.may_name, row, 0), usual, WORDS) for row in said]
    return list(telling)


def by_class(corpus: Corpus, topic_of: Ints) -> list[Ints]:
    """Class-based tf-idf (Grootendorst 2022): tf of a class · ln(1 + words of a class, the mean / tf of all)."""
    classes = np.unique(topic_of)
    inside = csr_array(
        (np.ones(len(topic_of)), (np.searchsorted(classes, topic_of), np.arange(len(topic_of)))),
        shape=(len(classes), len(topic_of)),
    )
    counts = (inside @ corpus.counts).toarray()
    idf = np.log1p(counts.sum() / len(classes) / np.maximum(counts.sum(axis=0), 1))
    return corpus.first_words((counts / counts.sum(axis=1, keepdims=True) * idf)[classes >= 0])


def _lda(corpus: Corpus, n: int, seed: int) -> TopK:
    from sklearn.decomposition import LatentDirichletAllocation

    def action() -> tuple[Ints, Sequence[Ints]]:
        model = LatentDirichletAllocation(n, learning_method="online", random_state=seed)
        mixed = np.random.default_rng(seed).permutation(len(corpus.labels))  # it takes them in turn, group by group
        of_mixed = model.fit_transform(corpus.counts[mixed]).argmax(axis=1)
        return of_mixed[np.argsort(mixed)], corpus.first_words(model.components_)

    return _timed(action)


def _nmf(corpus: Corpus, n: int, seed: int) -> TopK:
    from sklearn.decomposition import NMF

    def action() -> tuple[Ints, Sequence[Ints]]:
        model = NMF(n, init="nndsvda", random_state=seed)
        return model.fit_transform(corpus.weights).argmax(axis=1), corpus.first_words(model.components_)

    return _timed(action)


def _densities(engine: Engine, corpus: Corpus, seed: int, python: str) -> TopK:
    """BERTopic's recipe; its seconds are those of the other process and of c-tf-idf."""
    with tempfile.TemporaryDirectory() as folder:
        codes, found = Path(folder) / "codes.npy", Path(folder) / "clusters.npy"
        np.save(codes, engine.snapshot.codes.floats.astype(np.float32))
        command = [python, str(PROGRAM), str(codes), str(found), str(seed)]
        done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise click.ClickException(f"{python} cannot run UMAP ({said}); benchmarks/clusters.py says how to")
        named = _timed(lambda: (np.load(found), by_class(corpus, np.load(found))))
    return replace(named, seconds=named.seconds + json.loads(done.stdout))
