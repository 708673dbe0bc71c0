"""t-SNE: places on the plane, such that near documents are near each other and all others keep off.

    p_ij = 1 / |edges| where i is a neighbour of j or j of i      attracts
    q_ij = (1 + |y_i - y_j|²)⁻¹ / Z                               repels; Z: the sum over all pairs
    ∂KL/∂y_i = 4 Σ_j (p_ij - q_ij) q_ij Z (y_i - y_j)

van der Maaten & Hinton, "Visualizing Data using t-SNE", JMLR 2008. All neighbours count alike, which draws the same
picture as affinities of a perplexity (Böhm, Berens & Kobak, "Attraction-Repulsion Spectrum in Neighbor Embeddings",
JMLR 2022). Repulsion is a convolution of the documents' density: spread over a grid, convolved by fast Fourier
transform, and read off again, it costs the same however many pairs there are (Linderman et al., "Fast
interpolation-based t-SNE", Nature Methods 2019).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats

Doubles = NDArray[np.float64]

EXAGGERATED, FREE = 100, 300
"""Steps in which attraction is stronger, so that neighbours find each other, and steps after them."""

_EXAGGERATION = 12.0  # n over it is the rate (Belkina et al., Nature Communications 2019)
_LONGEST = 5.0  # step
_BEGIN = 0.1  # the standard deviation of the start
_GRID = 192  # nodes a side, at most: below 1, the width of the kernel, apart for some 20,000 documents


def layout(neighbours: NDArray[np.int64], start: Floats, tick: Callable[[], None]) -> Floats:
    """Places of n documents.

    Args:
        neighbours: (n, k) of each document, itself left out.
        start: (n, 2) where they begin.
        tick: called after each of `EXAGGERATED + FREE` steps.

    Returns:
        (n, 2), around 0.
    """
    pull, push, n = _Attraction(neighbours), _Repulsion(len(start)), len(start)
    places = start.astype(np.float64) * (_BEGIN / max(float(start.std(axis=0).max()), 1e-12))
    speed, gains, rate = np.zeros_like(places), np.ones_like(places), n / _EXAGGERATION
    for step in range(EXAGGERATED + FREE):
        exaggeration, momentum = (_EXAGGERATION, 0.5) if step < EXAGGERATED else (1.0, 0.8)
        gradient = 4 * (exaggeration * pull(places) - push(places))
        onwards = gradient * speed < 0  # speed is downhill
        gains = np.where(onwards, gains + 0.2, np.maximum(gains * 0.8, 0.01))
        speed = momentum * speed - rate * gains * gradient
        speed /= np.maximum(1, np.linalg.norm(speed, axis=1, keepdims=True) / _LONGEST)
        places = places + speed
        places -= places.mean(axis=0)
        tick()
    return places.astype(np.float32)


class _Attraction:
    """Σ_j p_ij q_ij Z (y_i - y_j) over the edges of the graph of neighbours.

    Args:
        neighbours: (n, k).
    """

    def __init__(self, neighbours: NDArray[np.int64]) -> None:
        self.n, k = neighbours.shape
        own, other = np.repeat(np.arange(self.n), k), neighbours.ravel()
        edges = np.unique(np.concatenate([own * self.n + other, other * self.n + own]))
        self.own, self.other = edges // self.n, edges % self.n

    def __call__(self, places: Doubles) -> Doubles:
        """The sums at n places: (n, 2)."""
        apart = places[self.own] - places[self.other]
        weights = 1 / ((1 + np.vecdot(apart, apart)) * max(1, len(self.own)))
        sums = [np.bincount(self.own, weights * along, minlength=self.n) for along in apart.T]
        return np.stack(sums, axis=1)


class _Repulsion:
    """Σ_j q_ij² Z (y_i - y_j) over all pairs, by convolution on a grid that is as wide as the places are.

    Args:
        n: places; few take little room.
    """

    def __init__(self, n: int) -> None:
        self.side = min(_GRID, 8 * math.ceil(n**0.5))
        self.width = 0.0
        self.spectra: NDArray[np.complexfloating] = np.zeros(0, np.complex64)

    def __call__(self, places: Doubles) -> Doubles:
        """The sums at n places: (n, 2)."""
        side, low, high = self.side, places.min(axis=0), places.max(axis=0)
        self._fit(float((high - low).max()))
        nodes, shares = _corners((places - (low + high) / 2) * ((side - 2) / self.width) + (side - 1) / 2, side)
        score_std = np.bincount(nodes.ravel(), shares.ravel(), minlength=side**2).reshape(side, side)
        spectrum = np.fft.rfft2(score_std.astype(np.float32), (2 * side, 2 * side))
        sums = np.fft.irfft2(self.spectra * spectrum)[:, :side, :side].reshape(3, -1)
        z, x, y = np.einsum("cin,in->cn", sums[:, nodes], shares)
        total = max(float(z.sum()) - len(places), 1e-12)  # nothing repels itself
        return np.stack([x, y], axis=1) / total

    def _fit(self, extent: float) -> None:
        """Make the grid anew where the places have outgrown it, or it them."""
        if 0.7 * self.width <= extent <= self.width and self.width:
            return
        self.width = 1.1 * extent or 1.0
        away = np.fft.fftfreq(2 * self.side, 0.5 / self.side) * (self.width / (self.side - 2))
        x, y = away[:, None], away[None, :]
        near = 1 / (1 + x * x + y * y)
        kernels = np.stack([near, x * near**2, y * near**2]).astype(np.float32)
        self.spectra = np.fft.rfft2(kernels)


def _corners(at: Doubles, side: int) -> tuple[NDArray[np.int64], Doubles]:
    """The four nodes around places on the grid, and their shares of each, falling in a straight line: (4, n) both."""
    first = np.floor(at).astype(np.int64)
    right, up = (at - first).T
    node = first[:, 0] * side + first[:, 1]
    shares = [(1 - right) * (1 - up), (1 - right) * up, right * (1 - up), right * up]
    return np.stack([node, node + 1, node + side, node + side + 1]), np.stack(shares)
