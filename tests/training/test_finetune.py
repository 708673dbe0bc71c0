"""Labels teach on a corpus of a few made-up documents, and leave what was learned without them in reach."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_train import agreement, as_bytes, counted, quiet, signs, two_topics

from textae.config import ModelSpec, TrainSpec
from textae.encoding.bags import Bags
from textae.encoding.classifier import Labels
from textae.encoding.encoders import Encoder, TextEncoder
from textae.errors import TextaeError
from textae.training.finetune import DECAY, Recipe, Tuned, fine_tune, last_layer
from textae.training.lsa import fit_lsa
from textae.training.networks.two_head import AutoEncoder
from textae.training.text import Learned, learn, sample

SMALL = ModelSpec(dims=8, bits=16, hidden=(16,))
CPU = TrainSpec(seed=1, device="cpu", epochs=4)
N = 300
STRONG = Recipe(learning_rate=3e-3)
"""So that it shows in the few steps that a small corpus takes."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> tuple[Bags, np.ndarray, Learned[TextEncoder]]:
    """Give the bags of two topics, the topic of each, and what was learned of them without it."""
    texts, topics = two_topics(N)
    bags, idf_of = counted(texts, tmp_path_factory.mktemp("corpus"))
    start = Encoder.lsa(fit_lsa(bags, idf_of, SMALL.dims, 1), idf_of)
    return bags, topics, learn(sample(bags, len(idf_of), CPU), start, SMALL, CPU, quiet)


def labels_of(topics: np.ndarray, known: int) -> Labels:
    """Give the first documents their labels."""
    return Labels("topic", ("even", "odd"), np.where(np.arange(len(topics)) < known, topics, -1))


def tuned(corpus, known: int, spec: TrainSpec = CPU, recipe: Recipe | None = None) -> Tuned:
    bags, topics, learned = corpus
    return fine_tune(bags, labels_of(topics, known), learned, 0.5, spec, quiet, recipe)


def accuracy(corpus, tuned: Tuned, first: int) -> float:
    bags, topics, _ = corpus
    found = tuned.classifier.predict_proba(tuned.encoder.encode(bags).floats).argmax(axis=1)
    return float((found == topics)[first:].mean())


class TestLastLayer:
    def test_it_is_scikit_learns_logistic_regression(self) -> None:
        from sklearn.linear_model import LogisticRegression

        rng = np.random.default_rng(1)
        codes, labels = rng.standard_normal((90, 4)).astype(np.float32), rng.integers(0, 3, 90)
        weights, bias = (tensor.detach().numpy() for tensor in last_layer(torch.tensor(codes), torch.tensor(labels), 3))
        peer = LogisticRegression(C=1 / DECAY, tol=1e-8, max_iter=1_000).fit(codes, labels)
        logits = codes @ weights + bias
        odds = np.exp(logits)
        assert odds / odds.sum(axis=1, keepdims=True) == pytest.approx(peer.predict_proba(codes), abs=1e-3)

    def test_one_document_of_each_label_is_enough(self) -> None:
        codes = torch.eye(3)
        weights, bias = last_layer(codes, torch.arange(3), 3)
        assert (codes @ weights + bias).argmax(1).tolist() == [0, 1, 2]


class TestTheNetworkAgain:
    def test_it_gives_the_encoder_and_the_decoder_that_it_was_made_of(self, corpus) -> None:
        _, _, learned = corpus
        again = AutoEncoder.of(learned.encoder, learned.decoder)
        assert as_bytes(again.encoder(learned.encoder.quantization)) == as_bytes(learned.encoder)
        for (weight, bias), (other, other_bias) in zip(again.decoder().layers, learned.decoder.layers, strict=True):
            assert np.array_equal(weight, other)
            assert np.array_equal(bias, other_bias)


class TestFineTuning:
    def test_unlabelled_documents_get_the_right_label(self, corpus) -> None:
        assert accuracy(corpus, tuned(corpus, 100), 100) > 0.9

    def test_documents_of_one_label_come_together_even_those_without_it(self, corpus) -> None:
        bags, topics, learned = corpus
        before = learned.encoder.encode(bags).floats
        after = tuned(corpus, 150, recipe=STRONG).encoder.encode(bags).floats
        assert agreement(after[150:], topics[150:]) > agreement(before[150:], topics[150:])
        assert contrast(after[150:], topics[150:]) > contrast(before[150:], topics[150:]) + 0.05

    def test_it_beats_the_last_layer_alone(self, corpus) -> None:
        alone = tuned(corpus, 60, recipe=Recipe(steps=0, epochs=0))
        assert accuracy(corpus, tuned(corpus, 60), 60) >= accuracy(corpus, alone, 60)
        assert as_bytes(alone.encoder) == as_bytes(corpus[2].encoder)

    def test_two_labels_leave_the_codes_about_where_they_were(self, corpus) -> None:
        bags, _, learned = corpus
        before, after = (encoder.encode(bags) for encoder in (learned.encoder, tuned(corpus, 2).encoder))
        assert (before.floats * after.floats).sum(axis=1).mean() > 0.9
        assert (signs(before.bits) == signs(after.bits)).mean() > 0.9

    def test_holding_keeps_codes_nearer(self, corpus) -> None:
        bags, _, learned = corpus
        before = learned.encoder.encode(bags).floats
        loose, held = (
            (before * tuned(corpus, 100, recipe=replace(STRONG, hold=hold)).encoder.encode(bags).floats)
            .sum(axis=1)
            .mean()
            for hold in (0.0, 10.0)
        )
        assert held > loose

    def test_the_seed_decides(self, corpus) -> None:
        first, again, other = (
            as_bytes(tuned(corpus, 50, TrainSpec(seed=seed, device="cpu")).encoder) for seed in (1, 1, 2)
        )
        assert first == again != other

    def test_progress_reaches_its_end(self, corpus) -> None:
        bags, topics, learned = corpus
        told: list[tuple[str, int, int | None]] = []
        fine_tune(bags, labels_of(topics, 9), learned, 0.5, CPU, lambda *now: told.append(now), Recipe(steps=3))
        assert told == [("fine-tuning", step, 3) for step in (1, 2, 3)]

    def test_documents_beyond_the_most_that_are_learned_from_are_left_out(self, corpus) -> None:
        assert accuracy(corpus, tuned(corpus, 200, TrainSpec(device="cpu", most_documents=100)), 200) > 0.8

    def test_labels_that_no_known_word_stands_for_are_refused(self, corpus) -> None:
        bags, _, learned = corpus
        empty = Bags(np.zeros(4, np.int64), bags.terms[:0], bags.counts[:0])
        labels = Labels("topic", ("even", "odd"), np.array([0, 1, -1]))
        with pytest.raises(TextaeError, match="knows no word of any document with a label in 'topic'"):
            fine_tune(empty, labels, learned, 0.5, CPU, quiet)


def contrast(codes: np.ndarray, topics: np.ndarray) -> float:
    """How much more alike codes of one topic are than codes of two."""
    likeness, same = codes @ codes.T, topics[:, None] == topics
    return float(likeness[same].mean() - likeness[~same].mean())
