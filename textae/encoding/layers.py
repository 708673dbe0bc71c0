"""Layers of small networks in numpy: their weights on disk, and the functions that their units compute."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats

Layers = tuple[tuple[Floats, Floats], ...]
"""Weights and biases of a network, first layer to last: (n_in, n_out) and (n_out,) of a dense layer."""


def layer_arrays(prefix: str, layers: Layers, dtype: type[np.floating] = np.float32) -> dict[str, NDArray[Any]]:
    """The weights and biases by name, for `layers_from`; the weights in a precision of their own."""
    return {
        f"{prefix}{name}{i}": array
        for i, (weight, bias) in enumerate(layers)
        for name, array in (("weight", weight.astype(dtype, copy=False)), ("bias", bias))
    }


def layers_from(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Layers:
    """The layers that gave these arrays."""
    depth = sum(name.startswith(f"{prefix}weight") for name in arrays)
    return tuple((arrays[f"{prefix}weight{i}"], arrays[f"{prefix}bias{i}"]) for i in range(depth))


def logistic(x: Floats) -> Floats:
    """1 / (1 + exp(-x))."""
    tanh: Floats = np.tanh(x / np.float32(2))  # in this form nothing overflows
    return (1 + tanh) / np.float32(2)


def relu(x: Floats) -> Floats:
    """max(0, x)."""
    positive: Floats = np.maximum(x, 0)
    return positive


def softmax(x: Floats) -> Floats:
    """exp(x) / Σ exp(x) along each row: (n, m), rows of sum 1."""
    odds: Floats = np.exp(x - x.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    return odds


def unit(rows: Floats) -> Floats:
    """Rows scaled to unit length; zero rows stay zero."""
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    scaled: Floats = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return scaled
