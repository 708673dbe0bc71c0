"""Restricted Boltzmann machines small enough to sum over everything that they can be."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from textae.training.networks.layers import BINARY, COUNTS, GAUSSIAN, LINEAR, LOGISTIC, Examples
from textae.training.networks.rbm import (
    RBM,
    Descent,
    annealed_importance_sampling,
    contrastive_divergence,
    fit_rbm,
    log_partition,
)

N_VISIBLE, N_HIDDEN, WORDS = 3, 2, 4
BITS = torch.tensor(list(itertools.product((0.0, 1.0), repeat=N_VISIBLE)), dtype=torch.float64)
STATES = torch.tensor(list(itertools.product((0.0, 1.0), repeat=N_HIDDEN)), dtype=torch.float64)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def machine(visible: str, hidden: str = LOGISTIC, scale: float = 0.8) -> RBM:
    generator = seeded(3)
    sizes = ((N_VISIBLE, N_HIDDEN), (N_VISIBLE,), (N_HIDDEN,))
    parameters = [scale * torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes]
    return RBM(*parameters, visible, hidden)


def energies(rbm: RBM, v: Tensor, h: Tensor) -> Tensor:
    """The energy of each visible state beside each hidden one, as the module's documentation has it: (n, m)."""
    own = (v - rbm.visible_bias).square().sum(1) / 2 if rbm.visible == GAUSSIAN else -(v @ rbm.visible_bias)
    length = v.sum(1) if rbm.visible == COUNTS else torch.ones(len(v), dtype=v.dtype)
    noise = h.square().sum(1) / 2 if rbm.hidden == LINEAR else torch.zeros(len(h), dtype=h.dtype)
    return own[:, None] + noise - length[:, None] * (h @ rbm.hidden_bias) - v @ rbm.weights @ h.T


def examples_of(visible: str) -> Tensor:
    """What each kind of unit may see: all that it can, of word counts and numbers a few."""
    if visible == COUNTS:
        return torch.tensor([[2, 1, 1], [0, 4, 0], [1, 0, 3]], dtype=torch.float64)
    return BITS if visible == BINARY else torch.tensor([[0.5, -1, 2], [0, 0, 0], [-3, 1, 0.25]], dtype=torch.float64)


def sequences(length: int) -> Tensor:
    """The counts of every sequence of words: (N_VISIBLE ** length, N_VISIBLE)."""
    every = itertools.product(range(N_VISIBLE), repeat=length)
    return torch.stack([torch.bincount(torch.tensor(words), minlength=N_VISIBLE).double() for words in every])


def grid() -> Tensor:
    """Points of the cube from -9 to 9, for integrals."""
    line = torch.linspace(-9, 9, 61, dtype=torch.float64)
    return torch.cartesian_prod(line, line, line)


def everything(visible: str, length: int = WORDS) -> tuple[Tensor, float]:
    """All that visible units can be, and what each stands for: 1 state, or a small cube of Gaussian ones."""
    if visible == GAUSSIAN:
        return grid(), 0.3**3
    return (BITS if visible == BINARY else sequences(length)), 1.0


KINDS = [(BINARY, LOGISTIC), (GAUSSIAN, LOGISTIC), (COUNTS, LOGISTIC), (BINARY, LINEAR), (COUNTS, LINEAR)]


class TestEnergy:
    @pytest.mark.parametrize("visible", [BINARY, GAUSSIAN, COUNTS])
    def test_the_free_energy_is_the_sum_over_all_hidden_states(self, visible) -> None:
        rbm, seen = machine(visible), examples_of(visible)
        expected = -energies(rbm, seen, STATES).neg().exp().sum(1).log()
        assert rbm.free_energy(seen).tolist() == pytest.approx(expected.tolist())

    @pytest.mark.parametrize("visible", [BINARY, COUNTS])
    def test_of_linear_hidden_units_it_is_the_integral(self, visible) -> None:
        rbm, seen = machine(visible, LINEAR, scale=0.3), examples_of(visible)
        line = torch.linspace(-12, 12, 241, dtype=torch.float64)
        states = torch.cartesian_prod(line, line)
        expected = -(energies(rbm, seen, states).neg().exp().sum(1) * 0.1**2).log()
        assert rbm.free_energy(seen).tolist() == pytest.approx(expected.tolist(), rel=1e-6)

    def test_by_hand(self) -> None:
        # one unit each, W = ln 3, no biases; v = 1: Σ_h = 1 + 3, and v = 0: 1 + 1
        rbm = RBM(torch.tensor([[math.log(3)]]), torch.zeros(1), torch.zeros(1))
        assert rbm.free_energy(torch.tensor([[1.0], [0.0]])).tolist() == pytest.approx([-math.log(4), -math.log(2)])
        assert log_partition(rbm) == pytest.approx(math.log(6))
        likely = rbm.log_likelihood(torch.tensor([[1.0], [0.0]]), log_partition(rbm))
        assert likely.exp().tolist() == pytest.approx([4 / 6, 2 / 6])


class TestConditionals:
    @pytest.mark.parametrize(("visible", "hidden"), KINDS[:3])
    def test_hidden_units_are_on_as_often_as_the_sum_over_their_states_has_it(self, visible, hidden) -> None:
        rbm, seen = machine(visible, hidden), examples_of(visible)
        odds = energies(rbm, seen, STATES).neg().exp()
        assert torch.allclose(rbm.up(seen), odds @ STATES / odds.sum(1, keepdim=True))

    @pytest.mark.parametrize("visible", [BINARY, COUNTS, GAUSSIAN])
    def test_visible_units_are_what_the_sum_over_their_states_expects(self, visible) -> None:
        rbm = machine(visible)
        every, _ = everything(visible)
        odds = energies(rbm, every, STATES).neg().exp().T
        words = WORDS if visible == COUNTS else 1
        assert torch.allclose(words * rbm.down(STATES), odds @ every / odds.sum(1, keepdim=True), atol=1e-5)

    def test_linear_hidden_units_are_expected_at_their_input(self) -> None:
        rbm = machine(COUNTS, LINEAR)
        v = torch.tensor([[2.0, 1, 1]], dtype=torch.float64)
        assert torch.allclose(rbm.up(v), v @ rbm.weights + 4 * rbm.hidden_bias)

    @pytest.mark.parametrize(("visible", "hidden"), [*KINDS, (GAUSSIAN, LINEAR)])
    def test_what_is_drawn_is_on_average_what_is_expected(self, visible, hidden) -> None:
        rbm, generator = machine(visible, hidden), seeded()
        v = examples_of(visible)[2:3].expand(4_000, -1)
        h = rbm.sample_hidden(rbm.up(v), generator)
        assert h.mean(0).tolist() == pytest.approx(rbm.up(v)[0].tolist(), abs=0.08)
        some = rbm.up(v)[:1].expand(4_000, -1)
        drawn = rbm.sample_visible(some, torch.full((4_000, 1), WORDS), generator)
        words = WORDS if visible == COUNTS else 1
        assert drawn.mean(0).tolist() == pytest.approx((words * rbm.down(some))[0].tolist(), abs=0.08)
        if visible == COUNTS:
            assert (drawn.sum(1) == WORDS).all()
        elif visible == BINARY:
            assert set(drawn.unique().tolist()) <= {0, 1}

    def test_documents_of_different_lengths_are_drawn_together(self) -> None:
        rbm = machine(COUNTS)
        lengths = torch.tensor([[0], [1], [7]])
        drawn = rbm.sample_visible(torch.zeros(3, N_HIDDEN, dtype=torch.float64), lengths, seeded())
        assert drawn.sum(1).tolist() == [0, 1, 7]


class TestPartition:
    @pytest.mark.parametrize("visible", [BINARY, GAUSSIAN, COUNTS])
    def test_z_is_the_sum_over_all_that_can_be_seen(self, visible) -> None:
        rbm = machine(visible)
        every, volume = everything(visible)
        total = float(torch.logsumexp(-rbm.free_energy(every), 0)) + math.log(volume)
        assert log_partition(rbm, WORDS if visible == COUNTS else 1) == pytest.approx(total, rel=1e-5)

    @pytest.mark.parametrize(("visible", "hidden"), KINDS)
    def test_annealed_importance_sampling_comes_to_the_same(self, visible, hidden) -> None:
        rbm = machine(visible, hidden, scale=0.5)
        every, volume = everything(visible)
        total = float(torch.logsumexp(-rbm.free_energy(every), 0)) + math.log(volume)
        length = WORDS if visible == COUNTS else 1
        assert annealed_importance_sampling(rbm, seeded(), length, steps=200) == pytest.approx(total, abs=0.05)

    def test_without_weights_it_is_exact(self) -> None:
        rbm = RBM(torch.zeros(3, 2), torch.tensor([1.0, 0, -1]), torch.zeros(2))
        exact = 2 * math.log(2) + sum(math.log1p(math.exp(bias)) for bias in (1, 0, -1))
        assert annealed_importance_sampling(rbm, seeded(), steps=1, chains=3) == pytest.approx(exact)
        assert log_partition(rbm) == pytest.approx(exact)


class TestContrastiveDivergence:
    def test_by_hand(self) -> None:
        # no weights: h is on with logistic(ln 3) = 3/4 whatever is seen, and v comes back as logistic(0) = 1/2
        rbm = RBM(torch.zeros(2, 1), torch.zeros(2), torch.tensor([math.log(3)]))
        gradient = contrastive_divergence(rbm, torch.tensor([[1.0, 0.0]]), 1, seeded())
        assert gradient.weights.tolist() == [[pytest.approx(0.75 - 0.375)], [pytest.approx(0 - 0.375)]]
        assert gradient.visible_bias.tolist() == pytest.approx([0.5, -0.5])
        assert gradient.hidden_bias.tolist() == pytest.approx([0])

    def test_of_documents_by_hand(self) -> None:
        # four words, three of them the first; they come back as two of each, and the hidden bias counts once a word
        rbm = RBM(torch.zeros(2, 1), torch.zeros(2), torch.tensor([math.log(3) / 4]), COUNTS)
        gradient = contrastive_divergence(rbm, torch.tensor([[3.0, 1.0]]), 1, seeded())
        assert gradient.weights.tolist() == [[pytest.approx(0.75)], [pytest.approx(-0.75)]]
        assert gradient.visible_bias.tolist() == pytest.approx([1, -1])

    def test_a_machine_that_is_sure_of_itself_takes_each_step_for_certain(self) -> None:
        # v = (1, 0) turns h on, which turns both off; that turns h off, which turns the second one on
        rbm = RBM(torch.tensor([[200.0], [-200]]), torch.tensor([-300.0, 100]), torch.tensor([-100.0]))
        one, two = (contrastive_divergence(rbm, torch.tensor([[1.0, 0.0]]), k, seeded()) for k in (1, 2))
        assert rbm.up(torch.tensor([[1.0, 0.0]])).tolist() == [[1]]
        assert one.weights.tolist() == [[1], [0]]
        assert one.visible_bias.tolist() == [1, 0]
        assert one.hidden_bias.tolist() == [1]
        assert two.visible_bias.tolist() == [1, -1]

    @pytest.mark.parametrize(("visible", "hidden"), KINDS[:4])
    def test_many_steps_follow_the_gradient_of_the_likelihood(self, visible, hidden) -> None:
        rbm = machine(visible, hidden, scale=0.3)
        seen = examples_of(visible)[:3]
        for parameter in rbm.parameters():
            parameter.requires_grad_()
        every, volume = everything(visible)
        log_z = torch.logsumexp(-rbm.free_energy(every), 0) + math.log(volume)
        (-rbm.free_energy(seen) - log_z).mean().backward()
        exact = torch.cat([parameter.grad.flatten() for parameter in rbm.parameters()])
        with torch.no_grad():
            found = contrastive_divergence(rbm, seen.repeat(2_000, 1), 8, seeded())
        ways = torch.cat([found.weights.flatten(), found.visible_bias, found.hidden_bias])
        assert float(torch.cosine_similarity(exact, ways, dim=0)) > 0.97


class TestLearning:
    @pytest.mark.parametrize(("visible", "hidden"), KINDS[:4])
    def test_what_was_seen_becomes_more_likely_and_is_rebuilt_better(self, visible, hidden) -> None:
        patterns = {
            BINARY: [[1.0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 0, 1]],
            GAUSSIAN: [[1.0, 1, -1], [-1, -1, 1]] * 2,
            COUNTS: [[2.0, 2, 0], [0, 0, 4], [1, 3, 0], [0, 0, 4]],
        }
        seen = torch.tensor(patterns[visible] * 25, dtype=torch.float32)
        rbm = RBM.begin(seen.mean(0), N_HIDDEN, visible, hidden, seeded())
        every, volume = everything(visible)

        def likelihood() -> float:
            log_z = float(torch.logsumexp(-rbm.free_energy(every.float()), 0)) + math.log(volume)
            return float(rbm.log_likelihood(seen, log_z).mean())

        before = likelihood()
        rate = 5.0 if hidden == LINEAR else 0.1
        errors = fit_rbm(rbm, Examples.of(seen), Descent(60, batch=10, learning_rate=rate), seeded(), lambda: None)
        assert likelihood() > before + 0.3
        assert errors[-1] < errors[0]
        assert len(errors) == 61

    def test_weights_decay_where_nothing_is_to_be_learned(self) -> None:
        # one unit that is always on, and biases that say so: the gradient is 0, and the decay is left
        rbm = RBM(torch.tensor([[1.0]]), torch.tensor([100.0]), torch.tensor([100.0]))
        how = Descent(1, batch=1, learning_rate=0.1, decay=0.5, early=0.0)
        fit_rbm(rbm, Examples.of(torch.ones(1, 1)), how, seeded(), lambda: None)
        assert rbm.weights.tolist() == [[pytest.approx(1 - 0.1 * 0.5)]]

    def test_momentum_carries_on(self) -> None:
        rbm = RBM(torch.tensor([[1.0]]), torch.tensor([100.0]), torch.tensor([100.0]))
        how = Descent(2, batch=1, learning_rate=0.1, decay=0.5, early=0.5, early_epochs=2)
        fit_rbm(rbm, Examples.of(torch.ones(1, 1)), how, seeded(), lambda: None)
        # -.05, then half of that again and -.1 · .5 · .95
        assert rbm.weights.tolist() == [[pytest.approx(1 - 0.05 - 0.025 - 0.0475)]]

    def test_the_seed_decides(self) -> None:
        def learned(seed: int) -> bytes:
            seen = torch.rand(30, 5, generator=seeded(9)).round()
            rbm = RBM.begin(seen.mean(0), 4, BINARY, LOGISTIC, seeded(seed))
            fit_rbm(rbm, Examples.of(seen), Descent(3), seeded(seed), lambda: None)
            return np.asarray(rbm.weights).tobytes()

        assert learned(1) == learned(1) != learned(2)


def test_a_machine_for_one_length_is_a_layer_with_the_bias_of_that_length() -> None:
    rbm, seen = machine(COUNTS), torch.tensor([[2.0, 1, 1]], dtype=torch.float64)
    assert torch.allclose(rbm.of_length(4).up(seen), rbm.up(seen))
    assert torch.equal(machine(BINARY).of_length(4).hidden_bias, machine(BINARY).hidden_bias)
