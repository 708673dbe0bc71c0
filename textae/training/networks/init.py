"""How weights begin, and how they become plain arrays."""

import math

import torch
from torch import Tensor

from textae.encoding.arrays import Floats


def uniform_weights(n_in: int, n_out: int, generator: torch.Generator) -> Tensor:
    """Weights of a variance that keeps the scale of the layer before (LeCun et al. 1998)."""
    weights: Tensor = (torch.rand(n_in, n_out, generator=generator) * 2 - 1) / math.sqrt(n_in)
    return weights


def as_array(tensor: Tensor) -> Floats:
    """A plain array of its own."""
    array: Floats = tensor.detach().cpu().numpy().copy()
    return array
