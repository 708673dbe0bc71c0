"""From codes to coordinates on a map, as plain arrays: numpy alone places documents and queries.

    place = f(W_L s(… s(W_1 code + b_1) …) + b_L  [ + Σ_j s_j A_j V code ])
    f(x)  = x up to EDGE, then sign(x) (EDGE + (LIMIT - EDGE) tanh((|x| - EDGE) / (LIMIT - EDGE)))

s is the logistic function, or a soft-max over the units; with a soft-max, places may move linearly with the code, by
A_j around unit j. f clips softly: most places are in [-1, 1], all are in [-LIMIT, LIMIT].
`textae.training.map_layout` trains the layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.encoding.layers import Layers, layer_arrays, layers_from, logistic, matmul, softmax

EDGE, LIMIT = 1.0, 1.1
"""Coordinates up to EDGE stay as they are; none is beyond LIMIT."""

LOGISTIC, SOFTMAX = "logistic", "softmax"
"""The activations of the hidden units."""

_OUTSIDE = 0.005  # of the documents, at each side of the square


@dataclass(frozen=True)
class Slopes:
    """The linear part of a projection around each hidden unit.

    Attributes:
        axes: (dims, r), V, the directions of codes that count.
        weights: (n_units, 2 · r), A: for each unit those of x along each axis, then those of y.
    """

    axes: Floats
    weights: Floats

    def offsets(self, codes: Floats, hidden: Floats) -> Floats:
        """What is added to the coordinates: (n, dims) and (n, n_units) to (n, 2)."""
        along = matmul(codes, self.axes)  # (n, r)
        offsets: Floats = (matmul(hidden, self.weights).reshape(len(codes), 2, -1) * along[:, None]).sum(axis=2)
        return offsets

    def transformed(self, axes: NDArray[np.float64]) -> "Slopes":
        """The slopes after the coordinates are multiplied by a (2, 2) matrix."""
        by_coordinate = self.weights.reshape(len(self.weights), 2, -1)
        weights = np.einsum("umr,mk->ukr", by_coordinate, axes).reshape(self.weights.shape)
        return Slopes(self.axes, weights.astype(np.float32))


@dataclass(frozen=True)
class Projection:
    """From codes to coordinates.

    Attributes:
        layers: from (dims,) to (2,).
        hidden: the activation of the hidden units, `LOGISTIC` or `SOFTMAX`.
        slopes: around the units of the only hidden layer; None for no linear part.
    """

    layers: Layers
    hidden: str = LOGISTIC
    slopes: Slopes | None = None

    def coordinates(self, codes: NDArray[np.floating]) -> Floats:
        """The coordinates of codes of any precision: (n, dims) to (n, 2)."""
        x = self._unclipped(codes.astype(np.float32, copy=False))
        room = np.float32(LIMIT - EDGE)
        over = np.maximum(np.abs(x) - np.float32(EDGE), 0)
        clipped: Floats = np.sign(x) * (np.minimum(np.abs(x), np.float32(EDGE)) + room * np.tanh(over / room))
        return clipped

    def _unclipped(self, codes: Floats) -> Floats:
        """The coordinates before f: (n, dims) to (n, 2)."""
        x = hidden = codes
        for i, (weight, bias) in enumerate(self.layers):
            if i:
                hidden = logistic(x) if self.hidden == LOGISTIC else softmax(x)
            x = matmul(hidden, weight) + bias  # equal codes have equal places
        return x if self.slopes is None else x + self.slopes.offsets(codes, hidden)

    def fitted_to_square(self, codes: NDArray[np.floating]) -> "Projection":
        """The projection rotated and scaled so that these codes fill the square, with the wide side horizontal.

        Args:
            codes: (n, dims), at least one.
        """
        places = self._unclipped(codes.astype(np.float32)).astype(np.float64)
        _, axes = np.linalg.eigh(np.cov(places.T, bias=True))
        axes = axes[:, ::-1]
        axes *= np.where((axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0), -1, 1)
        low, high = np.quantile(places @ axes, [_OUTSIDE, 1 - _OUTSIDE], axis=0)
        half = (high - low) / 2
        half[half <= 1e-6 * max(1.0, np.abs(places).max())] = 1.0  # all in one place, apart from rounding
        weight, bias = self.layers[-1]
        scaled = (weight @ axes / half).astype(np.float32)
        moved = ((bias @ axes - (low + high) / 2) / half).astype(np.float32)
        slopes = None if self.slopes is None else self.slopes.transformed(axes / half)
        return Projection((*self.layers[:-1], (scaled, moved)), self.hidden, slopes)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        slopes = {} if self.slopes is None else {f"slopes/{name}": array for name, array in vars(self.slopes).items()}
        return layer_arrays("", self.layers) | slopes

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], hidden: str) -> "Projection":
        """The projection that gave these `arrays`."""
        slopes = Slopes(arrays["slopes/axes"], arrays["slopes/weights"]) if "slopes/axes" in arrays else None
        return cls(layers_from(arrays, ""), hidden, slopes)


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
