"""What de-noising does to its input, and stacks of layers that learn to undo it."""

import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from textae import config as spec
from textae.training.corruption import CORRUPTIONS, gaussian, mask, salt_and_pepper
from textae.training.networks.denoising import Denoising, fit_denoising, stack_denoising
from textae.training.networks.layers import BINARY, COUNTS, GAUSSIAN, LINEAR, LOGISTIC, Examples, Layer


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def patterns(visible: str, n: int = 120) -> Tensor:
    """Twelve values of which the first half and the second half go together."""
    topic = torch.arange(n) % 2
    halves = torch.stack([torch.tensor([1.0] * 6 + [0.0] * 6), torch.tensor([0.0] * 6 + [1.0] * 6)])[topic]
    if visible == COUNTS:
        return halves * torch.randint(1, 4, halves.shape, generator=seeded())
    return halves if visible == BINARY else 2 * halves - 1 + 0.1 * torch.randn(halves.shape, generator=seeded())


class TestCorruption:
    def test_there_is_one_for_every_name_that_can_be_chosen(self) -> None:
        assert tuple(CORRUPTIONS) == spec.CORRUPTIONS

    @pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
    def test_none_of_it_leaves_all_as_it_was(self, corrupt) -> None:
        clean = torch.rand(4, 5, generator=seeded(2))
        assert torch.equal(corrupt(clean, 0.0, seeded()), clean)

    @pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
    def test_the_seed_decides_and_what_is_given_stays(self, corrupt) -> None:
        clean = torch.rand(4, 5, generator=seeded(2))
        before = clean.clone()
        first, again, other = (corrupt(clean, 0.5, seeded(seed)) for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert torch.equal(clean, before)

    @given(st.floats(0, 0.99), st.integers(0, 100))
    def test_masking_hides_that_share_and_leaves_the_rest(self, amount, seed) -> None:
        spoilt = mask(torch.full((50, 200), 3.0), amount, seeded(seed))
        assert set(spoilt.unique().tolist()) <= {0, 3}
        assert float((spoilt == 0).float().mean()) == pytest.approx(amount, abs=0.03)

    def test_salt_and_pepper_are_the_extremes_of_the_row_with_equal_chances(self) -> None:
        clean = torch.rand(50, 400, generator=seeded(2)) * torch.arange(1, 51)[:, None]
        spoilt = salt_and_pepper(clean, 0.4, seeded())
        low, high = spoilt == clean.amin(1, keepdim=True), spoilt == clean.amax(1, keepdim=True)
        assert float(low.float().mean()) == pytest.approx(0.2, abs=0.02)
        assert float(high.float().mean()) == pytest.approx(0.2, abs=0.02)
        assert torch.equal(spoilt[~low & ~high], clean[~low & ~high])

    def test_gaussian_noise_has_that_deviation_and_no_mean(self) -> None:
        noise = gaussian(torch.full((50, 400), 7.0), 0.3, seeded()) - 7
        assert float(noise.mean()) == pytest.approx(0, abs=0.01)
        assert float(noise.std()) == pytest.approx(0.3, abs=0.01)


class TestDenoising:
    def spoil(self, name: str = spec.MASKING, amount: float = 0.3):
        return functools.partial(
            lambda clean, generator: CORRUPTIONS[name](clean, amount, generator), generator=seeded()
        )

    @pytest.mark.parametrize("visible", [BINARY, GAUSSIAN, COUNTS])
    @pytest.mark.parametrize("name", CORRUPTIONS)
    def test_each_layer_of_a_stack_learns_to_rebuild_what_is_below_it(self, visible, name) -> None:
        examples, how = Examples.of(patterns(visible), visible), Denoising(self.spoil(name), 15, 20, 0.02)
        stack = stack_denoising(examples, (8, 4, 2), how, seeded(), lambda: None)
        assert [len(errors) for errors in stack.errors] == [16] * 3
        assert all(errors[-1] < errors[0] for errors in stack.errors)
        assert [layer.hidden for layer in stack.layers] == [LOGISTIC, LOGISTIC, LINEAR]
        assert [layer.visible for layer in stack.layers] == [visible, BINARY, BINARY]

    def test_what_is_hidden_is_guessed_from_what_goes_with_it(self) -> None:
        layer = Layer.begin(patterns(BINARY).mean(0), 4, BINARY, LOGISTIC, seeded())
        how = Denoising(self.spoil(), 60, 20, 0.05)
        fit_denoising(layer, Examples.of(patterns(BINARY)), how, seeded(), lambda: None)
        half_hidden = torch.tensor([[1.0, 1, 1] + [0] * 9])
        assert (layer.down(layer.up(half_hidden)).round() == torch.tensor([1.0] * 6 + [0] * 6)).all()

    def test_the_gradient_is_that_of_tied_weights(self) -> None:
        # one step of Adam moves each parameter by the rate against its gradient's sign: v = 1, h = 1/2, and z = 1/2
        # is too small, so that both biases and the weight, which helps both ways, grow
        layer = Layer(torch.tensor([[0.1]]), torch.zeros(1), torch.zeros(1))
        examples, how = Examples.of(torch.ones(1, 1)), Denoising(lambda clean: clean, 1, 1, 0.01)
        fit_denoising(layer, examples, how, seeded(), lambda: None)
        moved = [float(parameter.flatten()[0]) for parameter in layer.parameters()]
        assert moved == pytest.approx([0.11, 0.01, 0.01], abs=1e-5)
        assert not any(parameter.requires_grad for parameter in layer.parameters())

    def test_every_step_is_told(self) -> None:
        told: list[int] = []
        examples, how = Examples.of(patterns(BINARY, 50)), Denoising(self.spoil(), 3, 20)
        stack_denoising(examples, (4, 2), how, seeded(), lambda: told.append(1))
        assert len(told) == 2 * 3 * 3
