"""Stacks of machines: each learns what is below it, and the whole dreams of what it has seen."""

import pytest
import torch
from torch import Tensor

from textae.training.networks.dbn import DeepBeliefNetwork, stack_rbms
from textae.training.networks.layers import BINARY, COUNTS, GAUSSIAN, LINEAR, LOGISTIC, Examples
from textae.training.networks.rbm import RBM, Descent


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def topics(visible: str, n: int = 200) -> Tensor:
    """Ten values, of which the first or the last five are on."""
    topic = torch.arange(n) % 2
    on = torch.stack([torch.tensor([1.0] * 5 + [0.0] * 5), torch.tensor([0.0] * 5 + [1.0] * 5)])[topic]
    if visible == COUNTS:
        return on * torch.randint(0, 4, on.shape, generator=seeded()) + on
    return on if visible == BINARY else 2 * on - 1


def stacked(visible: str, sizes=(12, 8, 4), epochs: int = 40, seed: int = 1) -> DeepBeliefNetwork:
    how = Descent(epochs, batch=20)
    return stack_rbms(Examples.of(topics(visible), visible), sizes, how, seeded(seed), lambda: None)


@pytest.mark.parametrize("visible", [BINARY, GAUSSIAN, COUNTS])
class TestStack:
    def test_each_layer_rebuilds_what_is_below_it_better_than_before(self, visible) -> None:
        stack = stacked(visible)
        assert [len(errors) for errors in stack.errors] == [41] * 3
        assert all(errors[-1] < errors[0] for errors in stack.errors)

    def test_the_layers_are_logistic_and_the_last_one_is_a_linear_code(self, visible) -> None:
        stack = stacked(visible, epochs=0)
        assert [layer.hidden for layer in stack.layers] == [LOGISTIC, LOGISTIC, LINEAR]
        assert [layer.visible for layer in stack.layers] == [visible, BINARY, BINARY]
        assert [tuple(layer.weights.shape) for layer in stack.layers] == [(10, 12), (12, 8), (8, 4)]

    def test_up_and_down_again_comes_back_to_its_topic(self, visible) -> None:
        stack, seen = stacked(visible), topics(visible)[:20]
        back = stack.down(stack.up(seen))
        first, last = back[:, :5].mean(1), back[:, 5:].mean(1)
        assert ((first > last) == (seen[:, 0] > seen[:, 9])).all()


def test_a_machine_at_its_start_expects_what_is_seen_on_average() -> None:
    seen = torch.tensor([[3.0, 1, 0], [1, 3, 0]])
    rbm = RBM.begin(seen.mean(0), 2, COUNTS, LOGISTIC, seeded())
    assert rbm.down(torch.zeros(1, 2))[0].tolist() == pytest.approx([0.5, 0.5, 0], abs=0.01)
    rbm = RBM.begin(torch.tensor([0.25, 0.75]), 2, BINARY, LOGISTIC, seeded())
    assert rbm.down(torch.zeros(1, 2))[0].tolist() == pytest.approx([0.25, 0.75])


class TestSamples:
    def network(self, visible: str) -> DeepBeliefNetwork:
        """Two layers by hand: the top unit is on half of the time, and tells which of two units below are on."""
        on = torch.tensor([[20.0], [-20.0]])
        top = RBM(on, torch.tensor([-10.0, 10]), torch.tensor([0.0]))
        below = RBM(torch.tensor([[9.0, -9], [-9, 9]]), torch.zeros(2), torch.zeros(2), visible)
        return DeepBeliefNetwork((below, top), ())

    def test_what_is_dreamt_of_is_one_thing_or_the_other(self) -> None:
        dreams = self.network(BINARY).sample(400, 3, seeded())
        assert dreams.shape == (400, 2)
        assert (dreams.sum(1) == 1).float().mean() > 0.95
        assert 0.3 < float(dreams[:, 0].mean()) < 0.7

    def test_documents_have_as_many_words_as_are_asked_for(self) -> None:
        dreams = self.network(COUNTS).sample(50, 3, seeded(), words=30)
        assert (dreams.sum(1) == 30).all()
        assert (dreams.amax(1) == 30).float().mean() > 0.9

    def test_what_was_learned_is_dreamt_of(self) -> None:
        dreams = stacked(BINARY, (12, 6), epochs=100).sample(200, 50, seeded())
        first, last = dreams[:, :5].mean(1), dreams[:, 5:].mean(1)
        assert float((first - last).abs().mean()) > 0.6

    def test_the_seed_decides(self) -> None:
        network = self.network(BINARY)
        first, again, other = (network.sample(50, 3, seeded(seed)) for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)

    def test_a_single_machine_is_a_network_too(self) -> None:
        machine = RBM(torch.zeros(3, 2), torch.tensor([9.0, -9, 9]), torch.zeros(2), BINARY, LINEAR)
        assert DeepBeliefNetwork((machine,), ()).sample(5, 2, seeded()).tolist() == [[1, 0, 1]] * 5


def test_the_same_seed_learns_the_same() -> None:
    first, again, other = (stacked(COUNTS, epochs=2, seed=seed).layers[1].weights for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
