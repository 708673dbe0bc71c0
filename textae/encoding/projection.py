"""From codes to the plane, as plain arrays: numpy alone places documents and queries, however the places were learned.

    place = f(W_L s(… s(W_1 code + b_1) …) + b_L  [ + Σ_j s_j A_j V code ])
    f(x)  = x up to EDGE, then sign(x) (EDGE + (LIMIT - EDGE) tanh((|x| - EDGE) / (LIMIT - EDGE)))

s is the logistic function, or a soft-max over the units; then places may lean with codes, by A_j around unit j. f
keeps what lies far out on the map: most places are in [-1, 1], all are in [-LIMIT, LIMIT]. `textae.training.map_layout`
learns the layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.encoding.encoders import Layers, logistic

EDGE, LIMIT = 1.0, 1.1
"""Up to where places are as the layers say, and beyond which there are none."""

LOGISTIC, SOFTMAX = "logistic", "softmax"
"""What the hidden units do."""

_OUTSIDE = 0.005  # of the documents, at each side, by a dimension


@dataclass(frozen=True)
class Slopes:
    """How places lean with codes around each hidden unit.

    Attributes:
        axes: (dims, r), V, the directions of codes that are followed.
        weights: (n_units, 2 · r), A: by unit those of x along each axis, then those of y.
    """

    axes: Floats
    weights: Floats

    def lean(self, codes: Floats, hidden: Floats) -> Floats:
        """What is added to places: (n, dims) and (n, n_units) to (n, 2)."""
        along = codes @ self.axes
        leaned: Floats = ((hidden @ self.weights).reshape(len(codes), 2, -1) * along[:, None]).sum(axis=2)
        return leaned

    def turned(self, axes: NDArray[np.float64]) -> "Slopes":
        """The slopes of places that are multiplied with a matrix: (2, 2)."""
        by_place = self.weights.reshape(len(self.weights), 2, -1)
        weights = np.einsum("umr,mk->ukr", by_place, axes).reshape(self.weights.shape)
        return Slopes(self.axes, weights.astype(np.float32))


@dataclass(frozen=True)
class Projection:
    """From codes to places.

    Attributes:
        layers: from (dims,) to (2,).
        hidden: what hidden units do, `LOGISTIC` or `SOFTMAX`.
        slopes: around the units of the only hidden layer, if places lean with codes.
    """

    layers: Layers
    hidden: str = LOGISTIC
    slopes: Slopes | None = None

    def places(self, codes: NDArray[np.floating]) -> Floats:
        """The places of codes of any precision: (n, dims) to (n, 2)."""
        return _kept_in(self._linear(codes.astype(np.float32, copy=False)))

    def _linear(self, codes: Floats) -> Floats:
        """What the last layer says: (n, dims) to (n, 2)."""
        x = hidden = codes
        for i, (weight, bias) in enumerate(self.layers):
            if i:
                hidden = logistic(x) if self.hidden == LOGISTIC else _softmax(x)
            x = hidden @ weight + bias
        return x if self.slopes is None else x + self.slopes.lean(codes, hidden)

    def framed(self, codes: NDArray[np.floating]) -> "Projection":
        """The same places turned and scaled, so that those of some codes fill the square, the wide side horizontal.

        Args:
            codes: (n, dims), at least one.
        """
        places = self._linear(codes.astype(np.float32)).astype(np.float64)
        _, axes = np.linalg.eigh(np.cov(places.T, bias=True))
        axes = axes[:, ::-1]
        axes *= np.where((axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0), -1, 1)
        low, high = np.quantile(places @ axes, [_OUTSIDE, 1 - _OUTSIDE], axis=0)
        half = (high - low) / 2
        half[half <= 1e-6 * max(1.0, np.abs(places).max())] = 1.0  # all at one place by rounding
        weight, bias = self.layers[-1]
        turned = (weight @ axes / half).astype(np.float32)
        moved = ((bias @ axes - (low + high) / 2) / half).astype(np.float32)
        slopes = None if self.slopes is None else self.slopes.turned(axes / half)
        return Projection((*self.layers[:-1], (turned, moved)), self.hidden, slopes)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same of."""
        named: dict[str, NDArray[Any]] = {}
        for i, (weight, bias) in enumerate(self.layers):
            named |= {f"weight{i}": weight, f"bias{i}": bias}
        if self.slopes is not None:
            named |= {"slopes/axes": self.slopes.axes, "slopes/weights": self.slopes.weights}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], hidden: str) -> "Projection":
        """The projection that gave these `arrays`."""
        depth = sum(name.startswith("weight") for name in arrays)
        layers = tuple((arrays[f"weight{i}"], arrays[f"bias{i}"]) for i in range(depth))
        leans = "slopes/axes" in arrays
        return cls(layers, hidden, Slopes(arrays["slopes/axes"], arrays["slopes/weights"]) if leans else None)


def _softmax(x: Floats) -> Floats:
    x -= x.max(axis=1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=1, keepdims=True)
    return x


def _kept_in(x: Floats) -> Floats:
    room = np.float32(LIMIT - EDGE)
    over = np.maximum(np.abs(x) - np.float32(EDGE), 0)
    inside: Floats = np.sign(x) * (np.minimum(np.abs(x), np.float32(EDGE)) + room * np.tanh(over / room))
    return inside


def linear(codes: NDArray[np.floating]) -> Projection:
    """The first two principal components of codes: (n, dims), n at least 1."""
    floats = codes.astype(np.float64)
    _, _, axes = np.linalg.svd(floats - floats.mean(axis=0), full_matrices=False)
    weight = np.zeros((floats.shape[1], 2), np.float32)
    weight[:, : len(axes[:2])] = axes[:2].T
    return Projection(((weight, np.zeros(2, np.float32)),)).framed(codes)


def first_two(dims: int) -> Projection:
    """The first two of some numbers: those of LSA that tell the most."""
    return Projection(((np.eye(dims, 2, dtype=np.float32), np.zeros(2, np.float32)),))
