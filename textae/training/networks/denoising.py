"""The stacked de-noising auto-encoder: each layer learns to rebuild its clean input from a corrupted one.

    ṽ ~ q(ṽ | v)      y = s(ṽ W + c)      z = m(y Wᵀ + b)      minimise the mismatch of z and v

Vincent, Larochelle, Bengio & Manzagol, "Extracting and Composing Robust Features with Denoising Autoencoders", ICML
2008. The weights are tied, as in a restricted Boltzmann machine, so both make the same kind of stack. Adam replaces the
paper's gradient descent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Generator, Tensor

from textae.training.loop import Schedule, Tick, descend, shuffled
from textae.training.networks.layers import LINEAR, Examples, Layer, Stack, greedily


@dataclass(frozen=True)
class Denoising:
    """How a layer learns.

    Attributes:
        corrupt: a corruption with its amount and its generator, (n, n_visible) to the same shape.
        epochs: passes over the examples.
        batch: examples of a step.
        learning_rate: of Adam.
    """

    corrupt: Callable[[Tensor], Tensor]
    epochs: int
    batch: int = 128
    learning_rate: float = 1e-3


def fit_denoising(layer: Layer, examples: Examples, how: Denoising, generator: Generator, tick: Tick) -> list[float]:
    """Train a layer to rebuild its clean input.

    Args:
        layer: changed in place.
        examples: clean.
        how: it learns.
        generator: on the device.
        tick: called after each step.

    Returns:
        The reconstruction error of clean examples before the first epoch and after each (`Layer.error_of`).

    Raises:
        DivergedError: a parameter is no longer finite.
    """
    parameters = [parameter.requires_grad_() for parameter in layer.parameters()]
    errors: list[float] = []

    def loss_of(rows: Tensor) -> Tensor:
        clean = examples.take(rows)  # (batch, n_visible)
        return layer.error(clean, layer.up(how.corrupt(clean)))

    def checkpoint() -> None:
        errors.append(layer.error_of(examples))

    per_epoch = -(-examples.n // how.batch)
    schedule = Schedule(how.epochs * per_epoch, every=per_epoch, decay=False, fused=False)
    batches, groups = shuffled(examples.n, how.batch, generator), [(parameters, how.learning_rate)]
    descend(loss_of, batches, groups, schedule, tick, checkpoint)
    for parameter in parameters:
        parameter.requires_grad_(False)
    checkpoint()
    return errors


def stack_denoising(
    examples: Examples, sizes: tuple[int, ...], how: Denoising, generator: Generator, tick: Tick, code: str = LINEAR
) -> Stack[Layer]:
    """Stack de-noising layers, from the bottom up.

    Args:
        examples: the clean input of the first layer.
        sizes: hidden units of each layer; the last one is the code.
        how: each layer learns.
        generator: on the device.
        tick: called after each step.
        code: the kind of the code's units.
    """
    fit = partial(fit_denoising, how=how, generator=generator, tick=tick)
    return greedily(Layer, examples, sizes, fit, generator, code)
