"""From codes to coordinates on a map, as plain arrays: numpy alone places documents and queries.

    place = f(W_L s(… s(W_1 code + b_1) …) + b_L)        s: the logistic function
    f(x)  = x up to EDGE, then sign(x) (EDGE + (LIMIT - EDGE) tanh((|x| - EDGE) / (LIMIT - EDGE)))

f clips softly: most places are in [-1, 1], all are in [-LIMIT, LIMIT]. `textae.training.map_layout` trains the layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Doubles, Floats
from textae.encoding.layers import Layers, layer_arrays, layers_from, logistic, matmul

EDGE, LIMIT = 1.0, 1.1
"""Coordinates up to EDGE stay as they are; none is beyond LIMIT."""

_OUTSIDE = 0.005  # of the documents, at each side of the square


@dataclass(frozen=True)
class Projection:
    """From codes to coordinates by a network of logistic units.

    Attributes:
        layers: from (dims,) to (2,).
    """

    layers: Layers

    def coordinates(self, codes: NDArray[np.floating]) -> Floats:
        """The coordinates of codes of any precision: (n, dims) to (n, 2)."""
        return clipped(self._unclipped(codes.astype(np.float32, copy=False)))

    def _unclipped(self, codes: Floats) -> Floats:
        """The coordinates before f: (n, dims) to (n, 2)."""
        x = codes
        for i, (weight, bias) in enumerate(self.layers):
            x = matmul(logistic(x) if i else x, weight) + bias  # equal codes have equal places
        return x

    def fitted_to_square(self, codes: NDArray[np.floating]) -> "Projection":
        """The projection rotated and scaled so that these codes, (n, dims), n at least 1, fill the square."""
        turn, move = to_square(self._unclipped(codes.astype(np.float32)))
        weight, bias = self.layers[-1]
        last = (weight @ turn).astype(np.float32), (bias @ turn + move).astype(np.float32)
        return Projection((*self.layers[:-1], last))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        return layer_arrays("", self.layers)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Projection":
        """The projection that gave these `arrays`."""
        return cls(layers_from(arrays, ""))


def to_square(places: NDArray[np.floating]) -> tuple[Doubles, Doubles]:
    """The matrix, (2, 2), and what is added then, (2,), that bring places to the square, the wide side horizontal.

    Args:
        places: (n, 2), n at least 1.
    """
    places = places.astype(np.float64)
    _, axes = np.linalg.eigh(np.cov(places.T, bias=True))
    axes = axes[:, ::-1]
    axes *= np.where((axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0), -1, 1)
    low, high = np.quantile(places @ axes, [_OUTSIDE, 1 - _OUTSIDE], axis=0)
    half = (high - low) / 2
    half[half <= 1e-6 * max(1.0, np.abs(places).max())] = 1.0  # all in one place, apart from rounding
    return axes / half, -(low + high) / 2 / half


def clipped(x: Floats) -> Floats:
    """Coordinates of any shape, softly clipped by f."""
    room = np.float32(LIMIT - EDGE)
    over = np.maximum(np.abs(x) - np.float32(EDGE), 0)
    inside: Floats = np.sign(x) * (np.minimum(np.abs(x), np.float32(EDGE)) + room * np.tanh(over / room))
    return inside


def principal_components(codes: NDArray[np.floating]) -> Projection:
    """The first two principal components of codes: (n, dims), n at least 1."""
    floats = codes.astype(np.float64)
    _, _, axes = np.linalg.svd(floats - floats.mean(axis=0), full_matrices=False)
    weight = np.zeros((floats.shape[1], 2), np.float32)
    weight[:, : len(axes[:2])] = axes[:2].T
    return Projection(((weight, np.zeros(2, np.float32)),)).fitted_to_square(codes)


def first_coordinates(dims: int) -> Projection:
    """The first two numbers of a code; in LSA's codes they tell the most."""
    return Projection(((np.eye(dims, 2, dtype=np.float32), np.zeros(2, np.float32)),))
