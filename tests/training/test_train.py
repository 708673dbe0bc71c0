"""Learning on corpora of a few made-up documents: it learns, it repeats itself, and no size is too small."""

from pathlib import Path

import numpy as np
import pytest
import torch

from textae.config import ModelSpec, TrainSpec
from textae.encoding.analyzer import Analysis
from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags, Tokens
from textae.encoding.counting import Counter
from textae.encoding.encoders import Bits, Encoder
from textae.encoding.layers import unit
from textae.encoding.weighting import idf
from textae.errors import TextaeError
from textae.training import text as train
from textae.training.batches import DeviceBags
from textae.training.holdout import HoldoutMonitor, is_worse, split_holdout
from textae.training.loop import shuffled
from textae.training.lsa import fit_lsa
from textae.training.neighbours import Neighbours
from textae.training.networks.two_head import AutoEncoder
from textae.training.text import learn, sample
from textae.types import Progress

SMALL = ModelSpec(dims=12, bits=16, hidden=(16,), topics=4)
"""Eight numbers for the instance head, four for topics."""
CPU = TrainSpec(seed=1, device="cpu", epochs=4)


def quiet(stage: str, done: int, total: int | None) -> None:
    pass


def two_topics(n: int, seed: int = 1) -> tuple[list[str], np.ndarray]:
    """Documents of eleven words: three of their topic's hundred, and eight of the thirty that both topics share."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    own, shared = rng.integers(0, 100, (n, 3)), rng.integers(0, 30, (n, 8))
    return [
        " ".join([*(f"topic{label}word{i}" for i in own[row]), *(f"any{i}" for i in shared[row])])
        for row, label in enumerate(labels)
    ], labels


def in_order(texts: list[str], folder: Path) -> tuple[Tokens, Floats]:
    counter = Counter(Analysis.of(None), folder)
    for text in texts:
        counter.add(text)
    _, tokens, frequency = counter.finish()
    return tokens, idf(frequency, len(tokens))


def counted(texts: list[str], folder: Path) -> tuple[Bags, Floats]:
    tokens, idf_of = in_order(texts, folder)
    return tokens.bags(), idf_of


def trained(
    bags: Bags, idf_of: Floats, model: ModelSpec = SMALL, spec: TrainSpec = CPU, progress: Progress = quiet
) -> Encoder:
    learned_from = sample(bags, len(idf_of), spec)
    start = Encoder.lsa(fit_lsa(learned_from, idf_of, model.start_dims, spec.seed), idf_of)
    return learn(learned_from, start, model, spec, progress).encoder


def as_bytes(encoder: Encoder) -> bytes:
    return b"".join(array.tobytes() for _, array in sorted(encoder.arrays().items()))


def signs(bits: Bits) -> Floats:
    return np.unpackbits(bits, axis=1).astype(np.float32) * 2 - 1


def agreement(codes: Floats, labels: np.ndarray, k: int = 10) -> float:
    """How many of the k nearest documents share a document's topic."""
    likeness = codes @ codes.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = np.argsort(-likeness, axis=1)[:, :k]
    return float((labels[nearest] == labels[:, None]).mean())


class TestLearning:
    def test_unseen_documents_of_one_topic_come_together(self, tmp_path) -> None:
        texts, labels = two_topics(600)
        bags, idf_of = counted(texts, tmp_path)
        seen, unseen = bags.rows(0, 300), bags.rows(300, 600)
        start = Encoder.lsa(fit_lsa(seen, idf_of, SMALL.start_dims, 1), idf_of)
        before, after = (
            learn(seen, start, SMALL, TrainSpec(device="cpu", epochs=epochs), quiet).encoder.encode(unseen)
            for epochs in (0, 30)
        )
        assert agreement(after.floats, labels[300:]) > agreement(before.floats, labels[300:]) + 0.05
        assert agreement(signs(after.bits), labels[300:]) > agreement(signs(before.bits), labels[300:]) + 0.02

    def test_no_pass_leaves_lsa_as_it_is(self, tmp_path) -> None:
        bags, idf_of = counted(two_topics(30)[0], tmp_path)
        start = Encoder.lsa(fit_lsa(bags, idf_of, SMALL.start_dims, 1), idf_of)
        learned = learn(bags, start, SMALL, TrainSpec(device="cpu", epochs=0), quiet).encoder
        codes, lsa = learned.encode(bags).floats, start.encode(bags).floats
        assert unit(codes[:, :8]) == pytest.approx(lsa, abs=1e-6)
        assert unit(codes[:, 8:]) == pytest.approx(unit(lsa[:, :4]), abs=1e-6)

    def test_it_leaves_its_start_as_it_was(self, tmp_path) -> None:
        bags, idf_of = counted(two_topics(30)[0], tmp_path)
        start = Encoder.lsa(fit_lsa(bags, idf_of, SMALL.start_dims, 1), idf_of)
        before = as_bytes(start)
        learned = learn(bags, start, SMALL, CPU, quiet).encoder
        assert as_bytes(start) == before
        assert not np.allclose(learned.words, start.words)

    def test_progress_counts_up_to_the_end(self, tmp_path) -> None:
        told: list[tuple[str, int, int | None]] = []
        trained(*counted(two_topics(30)[0], tmp_path), progress=lambda *step: told.append(step))
        total = told[-1][2]
        assert told == [("learning", step, total) for step in range(1, len(told) + 1)]
        assert total == len(told) > 1

    @pytest.mark.parametrize("hidden", [(), (4, 4)])
    @pytest.mark.parametrize("dropout", [0.0, 0.9])
    def test_other_shapes(self, tmp_path, hidden, dropout) -> None:
        bags, idf_of = counted(two_topics(20)[0], tmp_path)
        codes = trained(bags, idf_of, ModelSpec(dims=3, bits=8, hidden=hidden, dropout=dropout)).encode(bags)
        assert (codes.floats.shape, codes.bits.shape) == ((20, 3), (20, 1))
        assert np.linalg.norm(codes.floats, axis=1) == pytest.approx(np.ones(20), abs=1e-5)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card here")
    def test_a_card_that_is_not_there_is_told(self, tmp_path) -> None:
        with pytest.raises(TextaeError, match="there is no CUDA device here; give --device cpu"):
            trained(*counted(two_topics(20)[0], tmp_path), spec=TrainSpec(device="cuda"))


class TestJudgement:
    """Held-out documents, and words of theirs, say whether learning helps."""

    def test_one_in_twenty_is_held_out_and_none_of_a_few(self) -> None:
        for n, n_held in ((199, 0), (200, 10), (2_000, 100), (50_000, 500)):
            held, taught = split_holdout(n, torch.Generator().manual_seed(1))
            assert len(held) == n_held
            assert sorted([*held, *taught]) == list(range(n))

    def test_learning_that_diverges_is_taken_back_and_said(self, tmp_path) -> None:
        bags, idf_of = counted(two_topics(400)[0], tmp_path)
        start = Encoder.lsa(fit_lsa(bags, idf_of, SMALL.start_dims, 1), idf_of)
        learned = learn(bags, start, SMALL, TrainSpec(device="cpu", epochs=10, learning_rate=1e39), quiet)
        (warning,) = learned.warnings
        assert "was taken back to where it was better; a smaller --rate may help" in warning
        assert np.isfinite(learned.encoder.encode(bags).floats).all()
        assert learned.encoder.words == pytest.approx(start.words, abs=1e-6)

    def test_what_makes_held_out_documents_harder_to_find_is_taken_back(self, tmp_path) -> None:
        bags, idf_of = counted([f"word{i} word{i}x word{i}y some" for i in range(60)], tmp_path)
        start = Encoder.lsa(fit_lsa(bags, idf_of, 40, 1), idf_of)
        generator = torch.Generator().manual_seed(1)
        network = AutoEncoder(start, ModelSpec(44, 16, (), topics=4), generator)
        held, corpus = (DeviceBags(some, idf_of, torch.device("cpu")) for some in (bags.rows(0, 30), bags.rows(30, 60)))
        crops = held.crops(torch.arange(30), generator)
        monitor = HoldoutMonitor(network, lambda: train.reciprocal_ranks(network, crops, held, corpus))
        assert monitor.accept()
        with torch.no_grad():
            network.words.copy_(torch.randn(network.words.shape, generator=generator)[:, :1])  # all point one way
        assert not monitor.accept()
        monitor.revert()
        assert network.words.detach().numpy() == pytest.approx(start.words)

    def test_learning_that_helps_is_not(self, tmp_path) -> None:
        bags, idf_of = counted(two_topics(400)[0], tmp_path)
        start = Encoder.lsa(fit_lsa(bags, idf_of, SMALL.start_dims, 1), idf_of)
        assert learn(bags, start, SMALL, CPU, quiet).warnings == ()

    def test_worse_is_what_chance_would_not_do(self) -> None:
        before = torch.tensor([1.0, 0.5, 1.0, 0.5, 1.0, 0.5])
        assert not is_worse(before, before)
        assert not is_worse(before - torch.tensor([0.5, -0.5, 0.5, -0.5, 0.5, -0.25]), before)
        assert is_worse(before - 0.25, before)
        assert not is_worse(before + 0.25, before)


class TestOrder:
    def test_spans_are_drawn_from_the_documents_in_training(self, tmp_path, monkeypatch) -> None:
        """Of 220 documents eleven are held out; row i of the bags and of the tokens is one document."""
        tokens, idf_of = in_order(two_topics(220)[0], tmp_path)
        start = Encoder.lsa(fit_lsa(tokens.bags(), idf_of, SMALL.start_dims, 1), idf_of)
        read, spans = [], train.Spans

        def watched(rows: Tokens, idf: torch.Tensor) -> train.Spans:
            read.append(rows.bags())
            return spans(rows, idf)

        def kept(bags: Bags, idf: Floats, device: torch.device) -> DeviceBags:
            read.append(bags)
            return DeviceBags(bags, idf, device)

        monkeypatch.setattr(train, "Spans", watched)
        monkeypatch.setattr(train, "DeviceBags", kept)
        learn(tokens.bags(), start, SMALL, CPU, quiet, tokens)
        training, held_out, in_spans = read
        assert (len(training), len(held_out)) == (209, 11)
        assert all(
            np.array_equal(one, other) for one, other in zip(training._entries(), in_spans._entries(), strict=True)
        )

    def test_the_order_of_words_is_learned_from(self, tmp_path) -> None:
        tokens, idf_of = in_order(two_topics(60)[0], tmp_path)
        start = Encoder.lsa(fit_lsa(tokens.bags(), idf_of, SMALL.start_dims, 1), idf_of)
        without, with_order, backwards, again = (
            as_bytes(learn(tokens.bags(), start, SMALL, CPU, quiet, order).encoder)
            for order in (
                None,
                tokens,
                Tokens(tokens.starts, tokens.terms.reshape(60, 11)[:, ::-1].reshape(-1)),
                tokens,
            )
        )
        assert with_order == again
        assert len({without, with_order, backwards}) == 3


class TestSeeds:
    def test_the_same_seed_gives_the_same_bytes_and_another_does_not(self, tmp_path) -> None:
        bags, idf_of = counted(two_topics(60)[0], tmp_path)
        start = Encoder.lsa(fit_lsa(bags, idf_of, SMALL.start_dims, 1), idf_of)
        first, again, other = (
            as_bytes(learn(bags, start, SMALL, TrainSpec(seed=seed, device="cpu", epochs=3), quiet).encoder)
            for seed in (1, 1, 2)
        )
        assert first == again
        assert first != other

    def test_other_random_numbers_drawn_before_change_nothing(self, tmp_path) -> None:
        bags, idf_of = counted(two_topics(40)[0], tmp_path)
        first = as_bytes(trained(bags, idf_of))
        torch.rand(7)
        assert as_bytes(trained(bags, idf_of)) == first


class TestSample:
    def test_of_too_many_documents_a_seeded_sample_in_their_order(self, tmp_path) -> None:
        bags, _ = counted([f"word{i}" for i in range(50)], tmp_path)
        few = TrainSpec(most_documents=10)
        learned_from = sample(bags, 50, few)
        found = learned_from.terms.tolist()
        assert len(learned_from) == len(set(found)) == 10
        places = [bags.terms.tolist().index(term) for term in found]
        assert places == sorted(places)
        assert sample(bags, 50, few).terms.tolist() == found
        assert sample(bags, 50, TrainSpec(seed=2, most_documents=10)).terms.tolist() != found

    def test_what_holds_no_known_term_is_not_learned_from(self, tmp_path) -> None:
        bags, _ = counted(["every day", "", "every night", "rare"], tmp_path)
        learned_from = sample(bags, 1, CPU)  # of "every" alone
        assert (len(learned_from), learned_from.terms.tolist()) == (2, [0, 0])

    def test_learning_from_a_sample_encodes_all(self, tmp_path) -> None:
        bags, idf_of = counted(two_topics(60)[0], tmp_path)
        encoder = trained(bags, idf_of, spec=TrainSpec(device="cpu", epochs=2, most_documents=20))
        assert encoder.encode(bags).floats.any(axis=1).all()


class TestSmallCorpora:
    @pytest.mark.parametrize("n", [1, 2, 3, 4, 20])
    @pytest.mark.parametrize("model", [SMALL, ModelSpec()], ids=["small", "defaults"])
    def test_a_few_documents(self, tmp_path, n, model) -> None:
        bags, idf_of = counted(two_topics(n)[0], tmp_path)
        codes = trained(bags, idf_of, model).encode(bags)
        assert len(codes.floats) == n
        assert np.linalg.norm(codes.floats, axis=1) == pytest.approx(np.ones(n), abs=1e-5)
        assert codes.bits.shape == (n, model.bits // 8)

    @pytest.mark.parametrize("n", [1, 2, 3, 20, 300])
    def test_documents_that_are_all_the_same_have_the_same_code(self, tmp_path, n) -> None:
        bags, idf_of = counted(["one and the same"] * n, tmp_path)
        codes = trained(bags, idf_of).encode(bags)
        assert codes.floats @ codes.floats[0] == pytest.approx(np.ones(n), abs=1e-5)
        assert (codes.bits == codes.bits[0]).all()

    def test_documents_of_one_word(self, tmp_path) -> None:
        bags, idf_of = counted([f"word{i % 7}" for i in range(50)], tmp_path)
        codes = trained(bags, idf_of).encode(bags).floats
        assert np.isfinite(codes).all()
        assert agreement(codes, np.arange(50) % 7, k=3) == 1

    def test_no_document_to_learn_from(self, tmp_path) -> None:
        bags, idf_of = counted(["some words"], tmp_path)
        start = Encoder.lsa(fit_lsa(bags, idf_of, 2, 1), idf_of)
        learned = learn(bags.take(np.empty(0, np.int64)), start, SMALL, CPU, quiet).encoder
        n_instance = start.words.shape[1]
        assert unit(learned.encode(bags).floats[:, :n_instance]) == pytest.approx(start.encode(bags).floats, abs=1e-6)

    def test_documents_without_a_known_term_among_others(self, tmp_path) -> None:
        texts, _ = two_topics(20)
        bags, idf_of = counted(["", *texts, ""], tmp_path)
        known = trained(bags, idf_of).encode(bags).floats.any(axis=1)
        assert known.tolist() == [False] + [True] * 20 + [False]


def test_a_document_is_never_hidden_whole(tmp_path) -> None:
    # a bag of nothing would have no direction, and a gradient of 1e22
    bags, idf_of = counted([f"word{i % 50} word{i % 7}x" for i in range(300)], tmp_path)
    start = Encoder.lsa(fit_lsa(bags, idf_of, 8, 1), idf_of)
    generator = torch.Generator().manual_seed(1)
    corpus = DeviceBags(bags, idf_of, torch.device("cpu"))
    network = AutoEncoder(start, SMALL, generator)
    neighbours = Neighbours(corpus.matrix, train.MOST_NEIGHBOURS)
    neighbours.search(network.hidden_of(corpus).detach(), lambda: None)
    for _, rows in zip(range(20), shuffled(300, 256, generator, drop_last=True), strict=False):
        network.zero_grad()
        train.batch_loss(network, corpus, neighbours, [corpus.crops], 0.99, generator, rows).backward()
        assert max(float(parameter.grad.abs().max()) for parameter in network.parameters()) < 1e3
