"""The stacked de-noising auto-encoder: each layer learns to rebuild its clean input from a spoilt one.

    ṽ ~ q(ṽ | v)      y = s(ṽ W + c)      z = m(y Wᵀ + b)      minimise the mismatch of z and v

Vincent, Larochelle, Bengio & Manzagol, "Extracting and Composing Robust Features with Denoising Autoencoders", ICML
2008. The weights are tied, as they are in a restricted Boltzmann machine, so both make the same kind of stack. The
paper's gradient descent is Adam here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from textae.training.networks.layers import LINEAR, Examples, Layer, Stack, Tick, greedily

Spoil = Callable[[Tensor], Tensor]
"""A corruption with its amount and its generator: (n, n_visible) to the same, spoilt."""


@dataclass(frozen=True)
class Denoising:
    """How a layer learns.

    Attributes:
        passes: over the examples.
        batch: examples a step.
        rate: Adam's.
    """

    passes: int
    batch: int = 128
    rate: float = 1e-3


def fit_denoising(
    layer: Layer, examples: Examples, spoil: Spoil, how: Denoising, generator: torch.Generator, tick: Tick
) -> list[float]:
    """Teach a layer to rebuild what was spoilt.

    Args:
        layer: changed in place.
        examples: clean.
        spoil: them.
        how: it learns.
        generator: on the CPU.
        tick: called after each step.

    Returns:
        The error of rebuilding what is clean before the first pass and after each (`Layer.error_of`).
    """
    errors = [layer.error_of(examples)]
    parameters = [parameter.requires_grad_() for parameter in layer.parameters()]
    optimiser = torch.optim.Adam(parameters, how.rate)
    for _ in range(how.passes):
        for clean in examples.shuffled(how.batch, generator):
            loss = layer.error(clean, layer.up(spoil(clean)))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            tick()
        errors.append(layer.error_of(examples))
    for parameter in parameters:
        parameter.requires_grad_(False)
    return errors


def stack_denoising(
    examples: Examples,
    sizes: tuple[int, ...],
    visible: str,
    spoil: Spoil,
    how: Denoising,
    generator: torch.Generator,
    tick: Tick,
    code: str = LINEAR,
) -> Stack[Layer]:
    """Stack de-noising layers, from the bottom up.

    Args:
        examples: what the first layer sees, clean.
        sizes: of each layer's hidden units; the last one is the code.
        visible: the kind of unit that the first layer sees.
        spoil: the input of a layer.
        how: each layer learns.
        generator: on the CPU.
        tick: called after each step.
        code: the kind of its units.
    """

    def fit(layer: Layer, seen: Examples) -> list[float]:
        return fit_denoising(layer, seen, spoil, how, generator, tick)

    return greedily(Layer, examples, sizes, visible, fit, generator, code)
