"""The network, what it is fed and what is asked of it; the trained arrays do in numpy what torch does."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from textae.config import ModelSpec
from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder, Quantization
from textae.encoding.layers import unit
from textae.training.batches import Batch, DeviceBags, joined
from textae.training.losses import contrast, reconstruction
from textae.training.networks.two_head import AutoEncoder, principal_axes

CPU = torch.device("cpu")
N_TERMS, DIMS = 30, 6


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bags_of(dense) -> Bags:
    dense = np.asarray(dense)
    rows, terms = np.nonzero(dense)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(dense)))])
    return Bags(starts.astype(np.int64), terms.astype(np.int32), dense[rows, terms].astype(np.uint16))


def corpus(n: int = 20, n_terms: int = N_TERMS, seed: int = 1) -> DeviceBags:
    """Random documents, the second of them without a term."""
    rng = np.random.default_rng(seed)
    dense = rng.poisson(0.7, (n, n_terms))
    dense[1] = 0
    return DeviceBags(bags_of(dense), np.linspace(0.5, 4, n_terms, dtype=np.float32), CPU)


def start(dims: int = DIMS, n_terms: int = N_TERMS) -> Encoder:
    words, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(n_terms, dims)))
    return Encoder.lsa(words.astype(np.float32), np.linspace(0.5, 4, n_terms, dtype=np.float32))


def row(batch: Batch, i: int) -> tuple[list[int], list[float]]:
    part = batch.row_of == i
    return batch.terms[part].tolist(), batch.weights[part].tolist()


class TestBatch:
    def test_whole_rows_in_the_order_asked(self) -> None:
        every = corpus()
        dense = every.matrix.to_dense()
        rows = torch.tensor([4, 1, 4, 0])
        batch = every.batch(rows)
        assert torch.equal(batch.dense(4, N_TERMS), dense[rows])
        assert batch.lengths.tolist() == [int((dense[i] > 0).sum()) for i in rows]
        assert batch.starts.tolist() == [0, *batch.lengths.cumsum(0).tolist()[:-1]]

    def test_the_matrix_has_rows_of_unit_length(self) -> None:
        lengths = corpus().matrix.to_dense().norm(dim=1)
        assert lengths.tolist() == pytest.approx([1.0, 0.0] + [1.0] * 18)

    def test_the_first_rows_as_a_matrix(self) -> None:
        every = corpus()
        batch = every.batch(torch.arange(5))
        assert torch.equal(batch.dense(2, N_TERMS), every.matrix.to_dense()[:2])

    def test_what_is_hidden_weighs_nothing_and_the_rest_as_before(self) -> None:
        batch = corpus().batch(torch.arange(5))
        hidden = torch.arange(len(batch.terms)) % 2 == 0
        seen = batch.hide(hidden)
        assert seen.weights[hidden].eq(0).all()
        assert torch.equal(seen.weights[~hidden], batch.weights[~hidden])
        assert torch.equal(seen.starts, batch.starts)

    def test_hiding_a_word_is_as_if_it_were_not_there(self) -> None:
        network = AutoEncoder(start(), ModelSpec(DIMS, 8, (4,), topics=2), seeded())
        batch = corpus().batch(torch.tensor([0]))
        hidden = torch.arange(len(batch.terms)) == 1
        without = Batch(batch.terms[~hidden], batch.weights[~hidden], batch.row_of[~hidden], batch.lengths - 1)
        seen = [network.hidden(some) for some in (batch.hide(hidden), without)]
        assert torch.allclose(*seen, atol=1e-6)
        assert not torch.allclose(seen[0], network.hidden(batch), atol=1e-3)

    def test_joined_rows_are_those_of_the_first_and_then_of_the_second(self) -> None:
        every = corpus()
        first, second = every.batch(torch.tensor([3, 1])), every.batch(torch.tensor([7, 0, 2]))
        both = joined(first, second)
        assert torch.equal(both.dense(5, N_TERMS), every.matrix.to_dense()[[3, 1, 7, 0, 2]])
        assert torch.equal(both.starts, every.batch(torch.tensor([3, 1, 7, 0, 2])).starts)


class TestCrops:
    @given(st.integers(0, 10**6), st.lists(st.integers(0, 19), min_size=1, max_size=8))
    def test_a_crop_is_a_few_of_the_documents_terms_each_once_weighted_by_idf(self, seed, rows) -> None:
        every = corpus()
        crops = every.crops(torch.tensor(rows), seeded(seed))
        whole = every.batch(torch.tensor(rows))
        assert crops.row_of.tolist() == sorted(crops.row_of.tolist())
        for i in range(len(rows)):
            (terms, weights), (known, _) = row(crops, i), row(whole, i)
            assert len(terms) == crops.lengths[i]
            assert set(terms) <= set(known)
            assert len(set(terms)) == len(terms)
            assert min((len(known) + 1) // 2, 3) <= len(terms) <= min((len(known) + 1) // 2, 15)
            assert weights == pytest.approx(every.idf[terms].tolist())

    def test_same_seed_same_crops_and_another_seed_others(self) -> None:
        every, rows = corpus(), torch.arange(20)
        first, again, other = (every.crops(rows, seeded(seed)).terms.tolist() for seed in (1, 1, 2))
        assert first == again != other

    def test_rare_terms_are_drawn_more_often(self) -> None:
        # a document of 30 terms, each once; idf rises with the number of the term
        every = DeviceBags(bags_of(np.ones((1, 30))), np.linspace(0.1, 4, 30, dtype=np.float32), CPU)
        drawn = every.crops(torch.zeros(400, dtype=torch.int64), seeded()).terms.bincount(minlength=30)
        assert drawn[20:].sum() > 1.3 * drawn[:10].sum()

    def test_frequent_terms_of_a_document_are_drawn_more_often(self) -> None:
        every = DeviceBags(bags_of([[1] * 15 + [9] * 15]), np.ones(30, np.float32), CPU)
        drawn = every.crops(torch.zeros(400, dtype=torch.int64), seeded()).terms.bincount(minlength=30)
        assert drawn[15:].sum() > 2 * drawn[:15].sum()

    def test_at_most_half_of_a_document_is_drawn_even_of_terms_that_every_document_holds(self) -> None:
        every = DeviceBags(bags_of(np.ones((2, 3))), np.array([1e-6, 1e-6, 1e-6], np.float32), CPU)
        crops = every.crops(torch.tensor([0, 1]), seeded())
        assert crops.lengths.tolist() == [2, 2]
        assert all(set(row(crops, i)[0]) < {0, 1, 2} for i in (0, 1))


QUANTIZED = Quantization(np.zeros(DIMS, np.float32), np.eye(DIMS, 16, dtype=np.float32))


@pytest.mark.parametrize("hidden", [(), (5,), (7, 4)])
class TestAutoEncoder:
    """Four numbers for the instance head, two for topics."""

    def network(self, hidden: tuple[int, ...]) -> AutoEncoder:
        return AutoEncoder(start(4), ModelSpec(DIMS, 16, hidden, topics=2), seeded())

    def trained(self, hidden: tuple[int, ...]) -> AutoEncoder:
        """As learning may leave it: every parameter somewhere else."""
        network, generator = self.network(hidden), seeded(5)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += torch.randn(parameter.shape, generator=generator)
            network.settle(F.normalize(torch.randn(40, 4, generator=generator), dim=1), torch.full((40,), 9))
        return network

    def test_at_its_start_both_heads_are_lsa(self, hidden) -> None:
        bags = bags_of(np.random.default_rng(2).poisson(0.5, (9, N_TERMS)))
        codes = self.network(hidden).encoder(QUANTIZED).encode(bags).floats
        lsa = start(4).encode(bags).floats
        assert unit(codes[:, :4]) == pytest.approx(lsa, abs=1e-6)
        assert unit(codes[:, 4:]) == pytest.approx(unit(lsa[:, :2]), abs=1e-6)

    def test_the_arrays_do_in_numpy_what_torch_does(self, hidden) -> None:
        bags = bags_of(np.random.default_rng(2).poisson(0.5, (50, N_TERMS)))
        network = self.trained(hidden)
        batch = DeviceBags(bags, network.idf, CPU).batch(torch.arange(50))
        with torch.no_grad():
            code = network.code(network.hidden(batch), batch.lengths)
            words = network.words_of(code).softmax(1)
        codes = network.encoder(QUANTIZED).encode(bags)
        assert codes.floats == pytest.approx(code.numpy(), abs=1e-4)
        assert np.array_equal(codes.bits, np.packbits(code.numpy() @ QUANTIZED.rotation > 0, axis=1))
        assert network.decoder().words(codes.floats) == pytest.approx(words.numpy(), abs=1e-4)

    def test_codes_have_unit_length(self, hidden) -> None:
        batch = corpus().batch(torch.tensor([0, 2, 3]))
        network = self.trained(hidden)
        layer = network.hidden(batch)
        for code in (
            layer,
            network.instance_head(layer),
            network.topic_head(layer),
            network.code(layer, batch.lengths),
        ):
            assert code.norm(dim=1).tolist() == pytest.approx([1.0] * 3)

    def test_every_parameter_learns(self, hidden) -> None:
        network = self.trained(hidden)
        batch = corpus().batch(torch.tensor([0, 2, 3, 4]))
        code = network.code(network.hidden(batch), batch.lengths)
        reconstruction(network.words_of(code), batch.dense(4, N_TERMS)).backward()
        assert all(parameter.grad.any() for parameter in network.parameters())

    def test_it_goes_on_from_its_arrays(self, hidden) -> None:
        network = self.trained(hidden)
        again = AutoEncoder.of(network.encoder(QUANTIZED), network.decoder())
        layer = F.normalize(torch.randn(5, 4, generator=seeded()), dim=1)
        code = network.code(layer, torch.arange(5))
        assert torch.allclose(again.code(layer, torch.arange(5)), code, atol=1e-6)
        assert torch.allclose(again.words_of(code), network.words_of(code), atol=1e-4)

    def test_what_is_exported_does_not_change_with_the_network(self, hidden) -> None:
        network = self.network(hidden)
        exported = network.encoder(QUANTIZED)
        before = exported.words.copy()
        with torch.no_grad():
            network.words += 1
        assert np.array_equal(exported.words, before)


class TestShapes:
    @pytest.mark.parametrize(("dims", "topics", "shapes"), [(6, 2, (4, 2)), (6, 6, (0, 6)), (2, 64, (0, 2))])
    def test_topics_come_first_where_numbers_are_few(self, dims, topics, shapes) -> None:
        spec = ModelSpec(dims, 8, (), topics=topics)
        network = AutoEncoder(start(spec.start_dims), spec, seeded())
        layer = F.normalize(torch.randn(3, spec.start_dims, generator=seeded()), dim=1)
        assert (network.instance_head(layer).shape[1], network.topic_head(layer).shape[1]) == shapes
        assert network.code(layer, torch.tensor([1, 9, 99])).norm(dim=1).tolist() == pytest.approx([1.0] * 3)

    def test_at_its_start_the_decoder_expects_the_words_that_made_the_code(self) -> None:
        network = AutoEncoder(start(12), ModelSpec(18, 8, (), topics=6), seeded())
        terms, ones = torch.arange(N_TERMS), torch.ones(N_TERMS)
        documents = Batch(terms, ones, terms, ones.long())  # each term alone
        logits = network.words_of(network.code(network.hidden(documents), documents.lengths))
        own, others = logits.diagonal().mean(), logits.fill_diagonal_(0).mean()
        assert own > others + 1


class TestTopics:
    def test_the_axes_by_hand(self) -> None:
        # variance 4 along the first number, 1 along the second: stretched by 1 and by √(1/4)
        mean, axes = principal_axes(np.float32([[12, 5], [8, 5], [10, 5 + 2**0.5], [10, 5 - 2**0.5]]) * [[1, 1]])
        assert mean == pytest.approx([10, 5])
        assert np.abs(axes) == pytest.approx(np.array([[1, 0], [0, (1 / 2) ** 0.5]]), abs=1e-6)

    def test_topics_that_are_all_the_same_stay(self) -> None:
        mean, axes = principal_axes(np.ones((5, 3), np.float32))
        assert mean.tolist() == [0, 0, 0]
        assert np.array_equal(axes, np.eye(3))

    def test_the_decoder_tells_the_same_words_when_the_axes_are_known(self) -> None:
        network = AutoEncoder(start(4), ModelSpec(DIMS, 16, (5,), topics=2), seeded())
        hidden = F.normalize(torch.randn(200, 4, generator=seeded(2)) + 2, dim=1)
        lengths = torch.randint(5, 200, (200,), generator=seeded(3))
        with torch.no_grad():
            before = network.words_of(network.code(hidden, lengths))
            network.settle(hidden, lengths)
            after = network.words_of(network.code(hidden, lengths))
        assert (before - after).abs().mean() < 0.2 * before.std()


class TestContrast:
    def by_force(self, left, right, known, temperature: float) -> float:
        """Every pair in turn, in both directions."""
        n, total = len(left), 0.0
        cosines = [[float(F.cosine_similarity(a, b, dim=0)) / temperature for b in right] for a in left]
        for i in range(n):
            across = sum(math.exp(cosines[i][j]) for j in range(n) if not known[i][j])
            down = sum(math.exp(cosines[j][i]) for j in range(n) if not known[j][i])
            total += math.log(across) - cosines[i][i] + math.log(down) - cosines[i][i]
        return total / (2 * n)

    @pytest.mark.parametrize("temperature", [0.1, 1.0])
    def test_against_every_pair_in_turn(self, temperature) -> None:
        left, right = (torch.randn(6, 3, generator=seeded(seed)) for seed in (1, 2))
        known = (torch.rand(6, 6, generator=seeded(3)) < 0.3).fill_diagonal_(False)
        expected = self.by_force(left, right, known, temperature)
        assert contrast(left, right, known, temperature).item() == pytest.approx(expected, rel=1e-5)

    def test_by_hand(self) -> None:
        # two pairs at right angles to each other: e¹ against e⁰ for each, both ways
        pairs = torch.tensor([[1.0, 0], [0, 5]])
        loss = contrast(pairs, pairs, torch.zeros(2, 2, dtype=torch.bool), 1.0)
        assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)))

    def test_pairs_that_are_known_to_belong_together_do_not_repel(self) -> None:
        pairs = torch.ones(3, 2)
        everyone = ~torch.eye(3, dtype=torch.bool)
        assert contrast(pairs, pairs, everyone, 0.05).item() == pytest.approx(0, abs=1e-6)
        assert contrast(pairs, pairs, ~everyone & everyone, 0.05).item() == pytest.approx(math.log(3))


class TestReconstruction:
    def test_by_hand(self) -> None:
        # softmax of (0, ln 3) is (1/4, 3/4)
        logits = torch.tensor([[0.0, math.log(3)]])
        assert reconstruction(logits, torch.tensor([[0.0, 7.0]])).item() == pytest.approx(-math.log(3 / 4))
        assert reconstruction(logits, torch.tensor([[2.0, 2.0]])).item() == pytest.approx(
            -(math.log(1 / 4) + math.log(3 / 4)) / 2
        )

    def test_it_is_a_mean_over_the_batch(self) -> None:
        logits, target = torch.randn(4, 5, generator=seeded()), torch.rand(4, 5, generator=seeded(2))
        each = [reconstruction(logits[i : i + 1], target[i : i + 1]).item() for i in range(4)]
        assert reconstruction(logits, target).item() == pytest.approx(sum(each) / 4)

    def test_it_is_least_where_the_words_are_told_as_they_are(self) -> None:
        target = torch.tensor([[0.2, 0.3, 0.5]])
        best = reconstruction(target.log(), target)
        assert best.item() == pytest.approx(-float((target * target.log()).sum()))
        for seed in range(5):
            other = target.log() + torch.randn(1, 3, generator=seeded(seed))
            assert reconstruction(other, target) > best
