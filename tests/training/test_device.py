"""What a step on a GPU must not do, shown without one: wait for the shape of a tensor, or copy between host and device.

Tensors on PyTorch's device "meta" have a shape and no values: a step there fails where the shape of a result, or the
host, would need a value.
"""

from functools import partial

import numpy as np
import pytest
import torch
from test_train import agreement, in_order, quiet, two_topics
from torch import Generator
from torch.utils._python_dispatch import TorchDispatchMode

from textae.config import GAUSSIAN, MASKING, SALT_AND_PEPPER, ModelSpec, TrainSpec
from textae.encoding.arrays import Floats
from textae.encoding.encoders import Encoder, topic_weights
from textae.training import batches, drawing
from textae.training import text as train
from textae.training.augmentation import distorted
from textae.training.batches import DeviceBags, hide_words
from textae.training.corruption import CORRUPTIONS
from textae.training.lsa import fit_lsa
from textae.training.neighbours import Neighbours
from textae.training.networks.two_head import AutoEncoder
from textae.training.spans import Spans
from textae.training.text import learn

HOST, META = torch.device("cpu"), torch.device("meta")
MODEL = ModelSpec(dims=12, bits=16, hidden=(16,), topics=4)


def seeded(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture
def padded(monkeypatch) -> None:
    """Batches on the CPU as a GPU has them."""
    monkeypatch.setattr(drawing, "pads", lambda device: True)


class Copies(TorchDispatchMode):
    """Counts tensors that an operation brings to another device."""

    def __init__(self) -> None:
        super().__init__()
        self.n = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor):
            given = [one for one in args if isinstance(one, torch.Tensor)]
            self.n += any(one.device != out.device for one in given)
        return out


def test_copies_are_counted() -> None:
    with Copies() as copies:
        torch.ones(3).to(META)
        torch.ones(3) + 1
    assert copies.n == 1


@pytest.mark.parametrize("most", [512, 6], ids=["short documents", "long documents"])
def test_a_step_on_texts_waits_for_nothing_and_copies_nothing(tmp_path, monkeypatch, most) -> None:
    monkeypatch.setattr(batches, "MOST_READ", most)
    tokens, idf_of = in_order(two_topics(60)[0], tmp_path)
    bags = tokens.bags()
    start = Encoder.lsa(fit_lsa(bags, idf_of, MODEL.start_dims, 1), idf_of)
    network = AutoEncoder(start, MODEL, seeded()).to(META)
    corpus = DeviceBags(bags, idf_of, META)
    neighbours = Neighbours(torch.empty(60, 8, device=META), train.MOST_NEIGHBOURS)
    neighbours.near = torch.empty(60, 2, dtype=torch.int64, device=META)
    spans = Spans(tokens.take(np.arange(60)), corpus.idf)
    draws = [corpus.crops, spans.anywhere, spans.opening]
    with Copies() as copies:
        rows = torch.empty(32, dtype=torch.int64, device=META)
        train.batch_loss(network, corpus, neighbours, draws, 0.5, seeded(), rows).backward()
    assert copies.n == 0
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(parameter.grad.layout == torch.strided for parameter in network.parameters())


@pytest.mark.parametrize("kind", [MASKING, SALT_AND_PEPPER, GAUSSIAN])
def test_views_of_pictures_are_drawn_on_their_device(kind) -> None:
    with Copies() as copies:
        views = distorted(torch.empty(8, 1, 28, 28, device=META), seeded())
        CORRUPTIONS[kind](views.flatten(1), 0.3, seeded())
    assert copies.n == 0


@pytest.mark.usefixtures("padded")
class TestPadding:
    def test_a_padded_batch_is_the_batch(self, tmp_path, monkeypatch) -> None:
        tokens, idf_of = in_order([" ".join(f"w{i}" for i in range(n)) for n in (3, 9, 1, 5)], tmp_path)
        corpus, rows = DeviceBags(tokens.bags(), idf_of, HOST), torch.tensor([1, 2, 0, 3])
        batch = corpus.drawn(rows, seeded())
        assert len(batch.terms) == 4 * 9
        assert batch.lengths.tolist() == [9, 1, 3, 5]
        assert batch.starts.tolist() == [0, 9, 18, 27]
        whole = corpus.batch(rows)
        assert torch.equal(batch.dense(4, len(idf_of)), whole.dense(4, len(idf_of)))
        assert torch.equal(batch.dense(2, len(idf_of)), whole.dense(2, len(idf_of)))
        network = AutoEncoder(
            Encoder.lsa(fit_lsa(tokens.bags(), idf_of, 3, 1), idf_of), ModelSpec(4, 8, (), topics=2), seeded()
        )
        assert torch.allclose(network.hidden(batch), network.hidden(whole), atol=1e-6)

    def test_a_word_of_each_row_is_left(self, tmp_path) -> None:
        tokens, idf_of = in_order(["a", "a b c", "b"], tmp_path)
        batch = DeviceBags(tokens.bags(), idf_of, HOST).drawn(torch.arange(3), seeded())
        for seed in range(20):
            assert (hide_words(batch, 1.0, seeded(seed)).dense(3, 3) > 0).any(1).all()

    @pytest.mark.parametrize("kind", ["crops", "anywhere", "opening"])
    def test_crops_and_spans_are_those_without_padding(self, tmp_path, monkeypatch, kind) -> None:
        """The corpus has rows of one length, so the same random numbers are drawn."""
        tokens, idf_of = in_order([" ".join(f"w{i * 7 + j}" for j in range(7)) for i in range(9)], tmp_path)
        corpus, rows = DeviceBags(tokens.bags(), idf_of, HOST), torch.tensor([3, 0, 8, 8])
        draw = partial(getattr(corpus if kind == "crops" else Spans(tokens.take(np.arange(9)), corpus.idf), kind), rows)
        with_padding = draw(seeded())
        monkeypatch.setattr(drawing, "pads", lambda device: False)
        without = draw(seeded())
        assert len(with_padding.terms) > len(without.terms)
        assert with_padding.lengths.tolist() == without.lengths.tolist()
        kept = with_padding.weights > 0
        for name in ("terms", "weights", "row_of"):
            assert torch.equal(getattr(with_padding, name)[kept], getattr(without, name))

    def test_rows_without_a_word(self) -> None:
        numbers, row_of, lengths = drawing.postings_of(torch.tensor([0, 0, 2, 2]), torch.tensor([0, 1, 2]), 2)
        assert lengths.tolist() == [0, 2, 0]
        assert numbers[~drawing.is_padding(row_of, lengths)].tolist() == [0, 1]


@pytest.mark.parametrize("way", ["padded", "in bfloat16"])
def test_codes_are_as_good_in_the_way_of_a_card(tmp_path, monkeypatch, way) -> None:
    texts, labels = two_topics(300)
    tokens, idf_of = in_order(texts, tmp_path)
    bags = tokens.bags()
    start = Encoder.lsa(fit_lsa(bags, idf_of, MODEL.start_dims, 1), idf_of)

    def codes(epochs: int) -> Floats:
        learned = learn(bags, start, MODEL, TrainSpec(device="cpu", epochs=epochs), quiet, tokens)
        return learned.encoder.encode(bags).floats

    before, usual = codes(0), codes(20)
    if way == "padded":
        monkeypatch.setattr(drawing, "pads", lambda device: True)
    else:
        monkeypatch.setattr(train, "mixed_precision", lambda device: torch.autocast("cpu", torch.bfloat16))
    as_there = codes(20)
    assert not np.allclose(as_there, usual, atol=1e-3)
    assert agreement(as_there, labels) == pytest.approx(agreement(usual, labels), abs=0.03)
    assert agreement(as_there, labels) > agreement(before, labels) + 0.01


@pytest.mark.parametrize("topic_weight", [0.0, 0.5, 1.0])
def test_the_network_weighs_topics_as_the_encoder_does(topic_weight) -> None:
    words = np.eye(6, dtype=np.float32)
    network = AutoEncoder(Encoder.lsa(words, np.ones(6, np.float32)), ModelSpec(4, 8, (), topics=2), seeded())
    network.topic_weight = topic_weight
    lengths = torch.tensor([0, 1, 20, 600])
    joined = network.joined(torch.ones(4, 2), torch.ones(4, 2), lengths)
    assert joined[:, 2:].square().mean(1).tolist() == pytest.approx(topic_weights(topic_weight, lengths.numpy()))
