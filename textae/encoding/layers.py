"""Layers of small networks in numpy: their weights on disk, their matrix product, and their activations.

In `matmul` equal rows give equal results to the last bit, in every batch. A BLAS adds up the products of a row in an
order that depends on the row's place, on the number of rows and on the number of threads. Equal documents would get
codes that differ in the last bit, and different bits where a number is nothing but rounding. Tiles of one size always
take the same way through the BLAS: OpenBLAS 0.3.30 gave equal rows with tiles of 2, 4 and 8 rows under its Prescott,
Nehalem, Sandybridge, Haswell, Zen and SkylakeX kernels, with one and two threads; tiles of 12 and more did not under
Haswell and Zen.

So shards of any size, encoded in chunks of any size, have the bytes of the whole corpus, on all machines whose BLAS
picks the same kernels.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Reals

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


TILE = 8
"""Rows of a tile. 2,048 rows through a layer of 512 × 512 take 20 ms in tiles of 8, 32 ms in tiles of 4, and 7 ms
without tiles; one row takes .09 ms."""


def matmul(rows: Floats, weights: Floats) -> Floats:
    """`rows @ weights`, each row of the result from its own row alone: (n, n_in) · (n_in, n_out)."""
    n, n_in = rows.shape
    n_tiles = -(-n // TILE)
    tiles = np.zeros((n_tiles * TILE, n_in), rows.dtype)
    tiles[:n] = rows
    products: Floats = tiles.reshape(n_tiles, TILE, n_in) @ weights
    return products.reshape(len(tiles), weights.shape[1])[:n]


def logistic(x: Reals) -> Reals:
    """1 / (1 + exp(-x)), in the precision of x."""
    tanh: Reals = np.tanh(x / np.float32(2))  # in this form nothing overflows
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
