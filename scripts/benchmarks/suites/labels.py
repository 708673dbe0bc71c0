"""Few labels: the accuracy of predicted newsgroups, by the number of labelled training documents; and of digits.

Ours learns all training documents without labels, once per seed, and is fine-tuned by the drawn labels, which are the
same for every system. Beside it are logistic regressions of the labelled documents alone, on tf-idf, on LSA and on our
codes (all documents teach the latter two), and our network from random weights, which labels alone teach.

All settings were chosen with a fifth of the training part held out, one setting for any number of labels: the C of
the regressions (100 was best of 1, 10, 100 and 1,000 in the mean over 10, 100, 1,000 and all labels, for each of the
three), `finetune.Recipe`, and `FROM_SCRATCH`.

For pictures, `textae train --label` stands beside the same network from random weights, which labels alone teach.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from benchmarks.datasets import BY_DATE, newsgroups
from benchmarks.harness.options import quick, quick_option, seeds_option
from benchmarks.harness.rows import write
from textae.config import ModelSpec, TrainSpec
from textae.encoding.analyzer import Analysis, searchable
from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.classifier import Labels
from textae.encoding.counting import Counter
from textae.encoding.encoders import Encoder, PixelEncoder, Quantization, TextEncoder
from textae.encoding.pixels import Pixels
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import idf, tfidf
from textae.training.finetune import DECAY, Recipe, fine_tune
from textae.training.finetune_pictures import RECIPE as PICTURE_RECIPE
from textae.training.finetune_pictures import fine_tune_pictures
from textae.training.lsa import fit_lsa
from textae.training.networks.contrastive import ContrastiveAutoEncoder
from textae.training.networks.two_head import AutoEncoder
from textae.training.text import Learned, learn, sample
from textae.types import Document, no_progress

KNOWN = (10, 100, 1_000, None)
"""The numbers of labelled documents; None for all."""

FROM_SCRATCH = Recipe(learning_rate=3e-3, last_learning_rate=3e-3, consistent=0, hold=0)
"""The recipe of the network that labels alone teach: it has no earlier codes to stay close to."""


@click.command()
@seeds_option(3)
@quick_option
def labels(seeds: tuple[int, ...]) -> None:
    """Accuracy on the test part of 20 Newsgroups by date, by the number of labelled training documents."""
    task = Task.of(newsgroups("train"), newsgroups("test"))
    for seed in seeds:
        start = task.lsa(seed)
        learned = task.learned(start, seed)
        for known in KNOWN[:1] if quick() else KNOWN:
            on = f"{BY_DATE}, {f'{known:,}' if known else 'all'} labels"
            write("few labels, accuracy", on, len(task.bags), task.accuracies(start, learned, known, seed), seed)


@dataclass(frozen=True)
class Task:
    """Training documents, and test documents whose labels are predicted.

    Attributes:
        bags: of n training documents, over the encoder's terms.
        labels: of all training documents.
        test: bags of the test documents.
        truth: (n_test,) the numbers of their labels.
        idf: (n_terms,).
    """

    bags: Bags
    labels: Labels
    test: Bags
    truth: NDArray[np.int64]
    idf: Floats

    @classmethod
    def of(cls, train: list[Document], test: list[Document]) -> Task:
        """The task of predicting the field `label` of test documents."""
        analysis = Analysis.of("english")
        counter = Counter(analysis, Path(tempfile.gettempdir()))
        for document in train:
            counter.add(searchable(document))
        vocabulary, tokens, frequency = counter.finish()
        bags = tokens.bags()
        n_terms = min(ModelSpec().inputs, len(vocabulary))
        labels = Labels.read("label", [document.fields["label"] for document in train])
        test_bags = Vectorizer(analysis, vocabulary).transform(map(searchable, test)).below(n_terms)
        truth = np.array([labels.classes.index(str(document.fields["label"])) for document in test])
        return cls(bags.below(n_terms), labels, test_bags, truth, idf(frequency, len(bags))[:n_terms])

    def learned(self, start: Encoder, seed: int) -> Learned[TextEncoder]:
        """The auto-encoder of the training documents, learned without labels."""
        spec = TrainSpec(seed=seed, device="cpu")
        return learn(sample(self.bags, len(self.idf), spec), start, ModelSpec(), spec, no_progress)

    def lsa(self, seed: int) -> Encoder:
        """LSA of the training documents."""
        return Encoder.lsa(fit_lsa(self.bags, self.idf, ModelSpec().start_dims, seed), self.idf)

    def accuracies(
        self, start: Encoder, learned: Learned[TextEncoder], known: int | None, seed: int
    ) -> dict[str, float]:
        """The accuracy of each system with `known` labelled documents, which the seed draws."""
        n = len(self.bags)
        drawn = np.sort(np.random.default_rng(seed).permutation(n)[:known])
        of = np.full(n, -1)
        of[drawn] = self.labels.of[drawn]
        some = Labels("label", self.labels.classes, of)
        return {
            "ours": self._tuned(some, learned, Recipe(), seed),
            "without pre-training": self._tuned(some, self._random(seed), FROM_SCRATCH, seed),
            "logistic regression, our codes": self._regression(some, *self._codes(learned.encoder)),
            "logistic regression, LSA-256": self._regression(some, *self._codes(start)),
            "logistic regression, tf-idf": self._regression(some, self._tfidf(self.bags), self._tfidf(self.test)),
        }

    def _tuned(self, some: Labels, before: Learned[TextEncoder], recipe: Recipe, seed: int) -> float:
        spec = TrainSpec(seed=seed, device="cpu")
        tuned = fine_tune(self.bags, some, before, ModelSpec().dropout, spec, no_progress, recipe)
        probabilities = tuned.classifier.predict_proba(tuned.encoder.encode(self.test).floats)
        return float((probabilities.argmax(axis=1) == self.truth).mean())

    def _random(self, seed: int) -> Learned[TextEncoder]:
        """The same network with random weights in every layer."""
        generator = torch.Generator().manual_seed(seed)
        dims = ModelSpec().start_dims
        words = torch.randn(len(self.idf), dims, generator=generator) / dims**0.5
        network = AutoEncoder(Encoder.lsa(words.numpy(), self.idf), ModelSpec(), generator)
        signs = Quantization(np.zeros(network.dims, np.float32), np.eye(network.dims, 8, dtype=np.float32))
        return Learned(network.encoder(signs), network.decoder())

    def _codes(self, encoder: Encoder) -> tuple[Floats, Floats]:
        return encoder.encode(self.bags).floats, encoder.encode(self.test).floats

    def _tfidf(self, bags: Bags) -> csr_array:
        return csr_array((tfidf(bags, self.idf), bags.terms, bags.starts), shape=(len(bags), len(self.idf)))

    def _regression(self, some: Labels, train: Floats | csr_array, test: Floats | csr_array) -> float:
        from sklearn.linear_model import LogisticRegression

        rows = np.flatnonzero(some.of >= 0)
        model = LogisticRegression(C=1 / DECAY, max_iter=1_000).fit(train[rows], some.of[rows])
        return float((model.predict(test) == self.truth).mean())


def picture_accuracies(
    encoder: PixelEncoder, pixels: Pixels, some: Labels, test: tuple[Pixels, NDArray[np.int64]], seed: int
) -> dict[str, float]:
    """The accuracy on test pictures of the fine-tuned network, with and without pre-training.

    Args:
        encoder: pre-trained by all pictures, without labels.
        pixels: of the training pictures.
        some: the labels of a few of them.
        test: pictures and the numbers of their labels.
        seed: of the random weights, and of the order of the pictures.
    """
    spec = TrainSpec(seed=seed, device="cpu")
    sizes = ModelSpec(encoder.dims, hidden=tuple(len(bias) for _, bias in encoder.layers[:-1]))
    generator = torch.Generator().manual_seed(seed)
    random = ContrastiveAutoEncoder(pixels.values.shape[1], sizes, generator).encoder(encoder.quantization)
    alone = replace(PICTURE_RECIPE, hold=0)  # random codes are nothing to stay close to
    accuracies = {}
    for name, before, recipe in (
        ("fine-tuned", encoder, PICTURE_RECIPE),
        ("without pre-training", random, alone),
    ):
        tuned = fine_tune_pictures(pixels, (28, 28, 1), some, before, spec, no_progress, recipe)
        codes = np.concatenate([tuned.encoder.encode(chunk).floats for chunk in test[0].chunks(2_000)])
        accuracies[name] = float((tuned.classifier.predict_proba(codes).argmax(axis=1) == test[1]).mean())
    return accuracies


COMMANDS = (labels,)
