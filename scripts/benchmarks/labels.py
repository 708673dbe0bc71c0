"""Few labels: how often the right newsgroup is told, by how many documents of the training part have a label.

Ours learns all training documents without labels, once a seed, and is fine-tuned by the labels that were drawn, which
are the same for every system. Beside it stand logistic regressions of the labelled documents alone, on tf-idf, on LSA
and on our codes (both of which all documents taught), and our network from a random start, which labels alone teach.

Everything that could be chosen was chosen with a fifth of the training part held out, one setting for any number of
labels: the C of the regressions (100 was best of 1, 10, 100 and 1,000 in the mean over 10, 100, 1,000 and all labels,
for each of the three), `finetune.Recipe`, and `FROM_NOTHING`.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.rows import data, render, write
from benchmarks.runs import documents, seeds_option
from textae.config import ModelSpec, TrainSpec
from textae.corpus import TableSpec
from textae.encoding.analyzer import Analysis, searchable
from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.classifier import Labels
from textae.encoding.counting import Counter
from textae.encoding.encoders import Encoder, Quantization
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import idf, tfidf
from textae.training.finetune import DECAY, Recipe, fine_tune
from textae.training.lsa import fit_lsa
from textae.training.networks.two_head import AutoEncoder
from textae.training.text import Learned, learn, sample
from textae.types import Document

KNOWN = (10, 100, 1_000, None)
"""Documents with a label; None for all."""

FROM_NOTHING = Recipe(learning_rate=3e-3, last_learning_rate=3e-3, consistent=0, hold=0)
"""Of the network that labels alone teach: there is nothing to be held to."""


@click.command()
@seeds_option
def labels(seeds: tuple[int, ...]) -> None:
    """20 Newsgroups by date: accuracy on the test part, by how many documents of the training part have a label."""
    task = Task.of(part("train"), part("test"))
    for seed in seeds:
        start = task.lsa(seed)
        learned = task.learned(start, seed)
        for known in KNOWN:
            on = f"20newsgroups by date, {f'{known:,}' if known else 'all'} labels"
            write("few labels, accuracy", on, len(task.bags), task.accuracies(start, learned, known, seed), seed)
    render()


def part(split: str) -> list[Document]:
    """The documents of `train` or `test`."""
    return list(documents(data("20newsgroups", "corpus.jsonl.gz"), TableSpec(select=(("split", split),))))


@dataclass(frozen=True)
class Task:
    """Documents to learn from, and documents whose label is asked.

    Attributes:
        bags: of n documents, over the terms that the encoder knows.
        labels: of all of them.
        asked: bags.
        right: (n_asked,) the numbers of their labels.
        idf: (n_terms,).
    """

    bags: Bags
    labels: Labels
    asked: Bags
    right: NDArray[np.int64]
    idf: Floats

    @classmethod
    def of(cls, train: list[Document], test: list[Document]) -> Task:
        """The task of telling the field `label` of some documents, learned from others."""
        analysis = Analysis.of("english")
        counter = Counter(analysis, Path(tempfile.gettempdir()))
        for document in train:
            counter.add(searchable(document))
        vocabulary, tokens, frequency = counter.finish()
        bags = tokens.bags()
        n_terms = min(ModelSpec().inputs, len(vocabulary))
        labels = Labels.read("label", [document.fields["label"] for document in train])
        asked = Vectorizer(analysis, vocabulary).transform(map(searchable, test)).below(n_terms)
        right = np.array([labels.classes.index(str(document.fields["label"])) for document in test])
        return cls(bags.below(n_terms), labels, asked, right, idf(frequency, len(bags))[:n_terms])

    def learned(self, start: Encoder, seed: int) -> Learned:
        """The auto-encoder of the documents, without labels."""
        spec = TrainSpec(seed=seed, device="cpu")
        return learn(sample(self.bags, len(self.idf), spec), start, ModelSpec(), spec, _silent)

    def lsa(self, seed: int) -> Encoder:
        """LSA of the documents."""
        return Encoder.lsa(fit_lsa(self.bags, self.idf, ModelSpec().start_dims, seed), self.idf)

    def accuracies(self, start: Encoder, learned: Learned, known: int | None, seed: int) -> dict[str, float]:
        """The accuracy of each system where so many documents, drawn by the seed, have a label."""
        n = len(self.bags)
        drawn = np.sort(np.random.default_rng(seed).permutation(n)[:known])
        of = np.full(n, -1)
        of[drawn] = self.labels.of[drawn]
        some = Labels("label", self.labels.classes, of)
        return {
            "ours": self._tuned(some, learned, Recipe(), seed),
            "without pre-training": self._tuned(some, self._untaught(seed), FROM_NOTHING, seed),
            "logistic regression, our codes": self._regression(some, *self._codes(learned.encoder)),
            "logistic regression, LSA-256": self._regression(some, *self._codes(start)),
            "logistic regression, tf-idf": self._regression(some, self._tfidf(self.bags), self._tfidf(self.asked)),
        }

    def _tuned(self, some: Labels, before: Learned, recipe: Recipe, seed: int) -> float:
        spec = TrainSpec(seed=seed, device="cpu")
        tuned = fine_tune(self.bags, some, before, ModelSpec().dropout, spec, _silent, recipe)
        shares = tuned.classifier.predict_proba(tuned.encoder.encode(self.asked).floats)
        return float((shares.argmax(axis=1) == self.right).mean())

    def _untaught(self, seed: int) -> Learned:
        """The same network, of random weights in every layer."""
        generator = torch.Generator().manual_seed(seed)
        dims = ModelSpec().start_dims
        words = torch.randn(len(self.idf), dims, generator=generator) / dims**0.5
        network = AutoEncoder(Encoder.lsa(words.numpy(), self.idf), ModelSpec(), generator)
        signs = Quantization(np.zeros(network.dims, np.float32), np.eye(network.dims, 8, dtype=np.float32))
        return Learned(network.encoder(signs), network.decoder())

    def _codes(self, encoder: Encoder) -> tuple[Floats, Floats]:
        return encoder.encode(self.bags).floats, encoder.encode(self.asked).floats

    def _tfidf(self, bags: Bags) -> csr_array:
        return csr_array((tfidf(bags, self.idf), bags.terms, bags.starts), shape=(len(bags), len(self.idf)))

    def _regression(self, some: Labels, seen: Floats | csr_array, asked: Floats | csr_array) -> float:
        from sklearn.linear_model import LogisticRegression

        rows = np.flatnonzero(some.of >= 0)
        model = LogisticRegression(C=1 / DECAY, max_iter=1_000).fit(seen[rows], some.of[rows])
        return float((model.predict(asked) == self.right).mean())


def _silent(stage: str, done: int, total: int | None) -> None:
    pass
