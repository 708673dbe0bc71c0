"""Fully connected layers: their initial weights, their forward pass, and their plain arrays."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Generator, Tensor, nn

from textae.encoding.arrays import Floats
from textae.encoding.layers import Layers


def uniform_weights(n_in: int, n_out: int, generator: Generator) -> Tensor:
    """Random weights (n_in, n_out) that keep the variance of the layer before (LeCun et al. 1998)."""
    weights: Tensor = (torch.rand(n_in, n_out, generator=generator, device=generator.device) * 2 - 1) / math.sqrt(n_in)
    return weights


def random_layers(sizes: Sequence[int], generator: Generator) -> tuple[nn.ParameterList, nn.ParameterList]:
    """The weights and the biases of a network, given the sizes of its input and of each layer."""
    weights = nn.ParameterList(uniform_weights(n_in, n_out, generator) for n_in, n_out in itertools.pairwise(sizes))
    return weights, nn.ParameterList(torch.zeros(n_out, device=generator.device) for n_out in sizes[1:])


def forward(
    x: Tensor, weights: Iterable[Tensor], biases: Iterable[Tensor], activation: Callable[[Tensor], Tensor]
) -> Tensor:
    """The output of a network, linear in its last layer: (n, n_in) to (n, n_out)."""
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        x = torch.addmm(bias, activation(x) if i else x, weight)
    return x


def as_array(tensor: Tensor) -> Floats:
    """A copy of a tensor as a plain array."""
    array: Floats = tensor.detach().cpu().numpy().copy()
    return array


def as_layers(weights: Iterable[Tensor], biases: Iterable[Tensor]) -> Layers:
    """The layers of a network as plain arrays."""
    return tuple((as_array(weight), as_array(bias)) for weight, bias in zip(weights, biases, strict=True))
