"""Topics of 20 Newsgroups: ours beside LDA, NMF and BERTopic's recipe on the same codes.

The figures are the coherence of a topic's words (NPMI), their diversity over topics, and the agreement of topics with
groups (NMI, ARI). BERTopic's recipe needs UMAP in an environment of its own:

    python -m venv umap
    umap/bin/pip install umap-learn==0.5.12
    scripts/bench clusters --python umap/bin/python
"""

from __future__ import annotations

import itertools
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

from benchmarks.datasets import newsgroups, table
from benchmarks.harness.options import quick_option, seeds_option
from benchmarks.harness.rows import write
from benchmarks.harness.runs import indexed
from benchmarks.harness.workers import run_peer
from textae.encoding.analyzer import searchable
from textae.encoding.decoder import most_telling
from textae.encoding.weighting import tfidf
from textae.engine import Engine
from textae.explore.topics import learn, topics_of

WHAT = "topics: words that go together, and groups"
GROUPS = 20
WORDS = 10

Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Corpus:
    """The documents of an index, as all systems get them.

    Attributes:
        counts: (n_documents, n_terms) of the terms that the decoder knows.
        weights: tf-idf, of the same shape and sparsity.
        may_name: (n_terms,) bool, whether a word may name a topic: numbers and single letters may not.
        labels: (n_documents,) the group of each document.
    """

    counts: csr_array
    weights: csr_array
    may_name: NDArray[np.bool_]
    labels: Ints

    def first_words(self, scores: NDArray[np.floating]) -> list[Ints]:
        """The terms with the highest scores, for each row of (k, n_terms)."""
        return list(np.argsort(np.where(self.may_name, -scores, np.inf), axis=1, kind="stable")[:, :WORDS])


@dataclass(frozen=True)
class Topics:
    """Topics of a system.

    Attributes:
        topic_of: (n_documents,), -1 for none.
        words: the terms that name each topic.
        seconds: of finding them.
    """

    topic_of: Ints
    words: Sequence[Ints]
    seconds: float


@click.command()
@click.option(
    "--python",
    type=click.Path(exists=True),
    help="An interpreter that has UMAP; without it, its row is left out.",
)
@seeds_option(3)
@quick_option
def clusters(python: str | None, seeds: tuple[int, ...]) -> None:
    """NPMI and diversity of the words of topics, NMI and ARI with the groups, on 20 Newsgroups (training part)."""
    with table(newsgroups("train")) as source:
        for seed in seeds:
            with indexed(source, seed=seed) as (engine, _):
                corpus = corpus_of(engine)
                for name, topics in _systems(engine, corpus, seed, python):
                    write(WHAT, name, len(corpus.labels), scored(corpus, topics), seed)


def _systems(engine: Engine, corpus: Corpus, seed: int, python: str | None) -> Iterator[tuple[str, Topics]]:
    for n in (None, GROUPS):
        ours = _ours(engine, n, seed)
        k = len(ours.words)
        name = "ours" if n is None else f"ours, {n} topics"
        yield name, ours
        yield f"{name}, words by the decoder", replace(ours, words=_by_decoder(engine, corpus, ours))
        yield f"{name}, words by c-tf-idf", replace(ours, words=by_class(corpus, ours.topic_of))
        which = f"{GROUPS} topics" if n else "as many as ours"
        yield f"LDA, {which}", _lda(corpus, k, seed)
        yield f"NMF, {which}", _nmf(corpus, k, seed)
    if python is not None:
        yield "UMAP, HDBSCAN, c-tf-idf", _densities(engine, corpus, seed, python)


def corpus_of(engine: Engine) -> Corpus:
    """The documents of an index."""
    snapshot, vectorizer = engine.snapshot, engine.snapshot.model.vectorizer
    n_terms = len(snapshot.decoder.layers[-1][1])
    bags = vectorizer.transform([searchable(one) for one in snapshot.reader.stream()]).below(n_terms)
    shape = (len(bags), n_terms)
    words = [vectorizer.vocabulary.term(number) for number in range(n_terms)]
    labels = np.unique(list(map(str, snapshot.reader.field("label").values())), return_inverse=True)[1]
    return Corpus(
        csr_array((bags.counts.astype(np.float64), bags.terms, bags.starts), shape=shape),
        csr_array((tfidf(bags, snapshot.model.idf), bags.terms, bags.starts), shape=shape),
        np.array([len(word) > 1 and not word.isdecimal() for word in words]),
        labels,
    )


def scored(corpus: Corpus, topics: Topics) -> dict[str, float]:
    """All figures of topics; for NMI and ARI, documents without a topic are a group of their own."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return {
        "NPMI": coherence(corpus.counts, topics.words),
        "diversity": diversity(topics.words),
        "NMI": float(normalized_mutual_info_score(corpus.labels, topics.topic_of)),
        "ARI": float(adjusted_rand_score(corpus.labels, topics.topic_of)),
        "topics": len(topics.words),
        "without a topic": float((topics.topic_of < 0).mean()),
        "s": topics.seconds,
    }


def coherence(counts: csr_array, topics: Sequence[Ints]) -> float:
    """The mean over topics of the mean NPMI of the pairs of its words (Bouma 2009; Lau, Newman & Baldwin 2014).

        NPMI(a, b) = ln(p(a, b) / (p(a) p(b))) / -ln p(a, b)        p: the share of documents that hold a, b, or both

    It is -1 where no document holds both, and 1 where each document that holds one holds the other.

    Args:
        counts: (n_documents, n_terms).
        topics: the terms of each topic.
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
    """The share of different words among the words of all topics (Dieng, Ruiz & Blei 2020)."""
    words = np.concatenate(list(topics))
    return len(np.unique(words)) / len(words)


def _timed(action: Callable[[], tuple[Ints, Sequence[Ints]]]) -> Topics:
    started = time.perf_counter()
    topic_of, words = action()
    return Topics(topic_of, words, time.perf_counter() - started)


def _ours(engine: Engine, n: int | None, seed: int) -> Topics:
    numbers = engine.snapshot.model.vectorizer.numbers

    def action() -> tuple[Ints, Sequence[Ints]]:
        topics, topic_of, _ = topics_of(engine.snapshot, learn(engine.snapshot, n, seed))
        return topic_of, [np.array([numbers[word] for word in topic.words]) for topic in topics.leaves]

    return _timed(action)


def _by_decoder(engine: Engine, corpus: Corpus, ours: Topics) -> list[Ints]:
    """The words that the decoder gives more probability at a topic's centre than in the mean over topics."""
    floats = engine.snapshot.codes.floats.astype(np.float32)
    centres = np.stack([floats[ours.topic_of == topic].mean(axis=0) for topic in range(len(ours.words))])
    probabilities = engine.snapshot.decoder.words(centres)
    mean = probabilities.mean(axis=0, dtype=np.float64)
    return [most_telling(np.where(corpus.may_name, row, 0), mean, WORDS) for row in probabilities]


def by_class(corpus: Corpus, topic_of: Ints) -> list[Ints]:
    """Class-based tf-idf (Grootendorst 2022): tf in the class · ln(1 + mean words of a class / tf in all classes)."""
    classes = np.unique(topic_of)
    inside = csr_array(
        (np.ones(len(topic_of)), (np.searchsorted(classes, topic_of), np.arange(len(topic_of)))),
        shape=(len(classes), len(topic_of)),
    )
    counts = (inside @ corpus.counts).toarray()
    idf = np.log1p(counts.sum() / len(classes) / np.maximum(counts.sum(axis=0), 1))
    return corpus.first_words((counts / counts.sum(axis=1, keepdims=True) * idf)[classes >= 0])


def _lda(corpus: Corpus, n: int, seed: int) -> Topics:
    from sklearn.decomposition import LatentDirichletAllocation

    def action() -> tuple[Ints, Sequence[Ints]]:
        model = LatentDirichletAllocation(n, learning_method="online", random_state=seed)
        mixed = np.random.default_rng(seed).permutation(len(corpus.labels))  # documents come group by group
        of_mixed = model.fit_transform(corpus.counts[mixed]).argmax(axis=1)
        return of_mixed[np.argsort(mixed)], corpus.first_words(model.components_)

    return _timed(action)


def _nmf(corpus: Corpus, n: int, seed: int) -> Topics:
    from sklearn.decomposition import NMF

    def action() -> tuple[Ints, Sequence[Ints]]:
        model = NMF(n, init="nndsvda", random_state=seed)
        return model.fit_transform(corpus.weights).argmax(axis=1), corpus.first_words(model.components_)

    return _timed(action)


def _densities(engine: Engine, corpus: Corpus, seed: int, python: str) -> Topics:
    """BERTopic's recipe; its seconds are those of the other process and of c-tf-idf."""
    with tempfile.TemporaryDirectory() as folder:
        codes, clusters = Path(folder) / "codes.npy", Path(folder) / "clusters.npy"
        np.save(codes, engine.snapshot.codes.floats.astype(np.float32))
        seconds = run_peer(python, "densities.py", codes, clusters, seed)
        named = _timed(lambda: (np.load(clusters), by_class(corpus, np.load(clusters))))
    return replace(named, seconds=named.seconds + seconds)


COMMANDS = (clusters,)
