"""From codes to coordinates on a map by the documents that have a place: numpy alone places documents and queries.

    place(x) = argmax_y Σ_j w_j exp(-|y - y_j|² / 2 h²)        w_j = 1 / |x - x_j|⁴;  j: the k nearest documents

A document comes to the peak of the density of its neighbours on the plane, which mean shift climbs (Fukunaga &
Hostetler 1975). Their mean would lie in the empty plane between two groups. Weights by inverse distances (Shepard 1968)
bring a document that has a place to that place.

On the training part of 20 Newsgroups and on abstracts of arXiv, the ten nearest on the map predict the label of a held
out document at .824 and .398 (by the code .852, .447). By the mean of the neighbours it is .75 and .31, by the nearest
one .79 and .38, by a network of 2,048 radial basis functions .743 and .309, by UMAP .815 and .367.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Doubles, Floats, Rows
from textae.encoding.layers import matmul
from textae.encoding.projection import clipped, to_square

AXES = 64
"""Principal axes of codes along which distances are measured. 48 and 128 lose .002 on both corpora above."""

_NEAREST = 15
_SPARE = 5  # candidates more, because rounding may exchange the last ones
_WIDTH = 0.05  # h; the square is from -1 to 1
_NOTHING = 1e-6  # added to squared distances, of the one to the last neighbour
_STEPS = 5  # of mean shift; 20 give the same figures
_AT_A_TIME = 128  # codes: their distances stay in the cache
_GROUPS = 32


@dataclass(frozen=True)
class NearestPlaces:
    """Places of m documents on the plane, and of any other code by theirs.

    Attributes:
        axes: (dims, r), principal axes of codes, in units of the spread along the first.
        origin: (r,), what the mean code has along the axes.
        keys: (m, r) float16, the documents' codes along the axes.
        places: (m, 2) of these documents, in the square.
    """

    axes: Floats
    origin: Floats
    keys: NDArray[np.float16]
    places: Floats

    @classmethod
    def of(cls, codes: Floats, places: NDArray[np.floating]) -> "NearestPlaces":
        """Documents with codes, (m, dims), and places anywhere, (m, 2), which are brought to the square.

        m is at least 1.
        """
        mean = codes.mean(axis=0, dtype=np.float64)
        spread, axes = np.linalg.eigh(np.cov(codes - mean, rowvar=False, bias=True).reshape(len(mean), len(mean)))
        axes = axes[:, ::-1][:, :AXES] / max(float(spread[-1]), 1e-12) ** 0.5
        fixed = axes.astype(np.float32), (mean @ axes).astype(np.float32)
        turn, move = to_square(places)
        return cls(*fixed, _along(codes, *fixed).astype(np.float16), clipped((places @ turn + move).astype(np.float32)))

    def coordinates(self, codes: NDArray[np.floating]) -> Floats:
        """The coordinates of codes of any precision: (n, dims) to (n, 2)."""
        queries, coordinates = _along(codes, self.axes, self.origin), np.empty((len(codes), 2), np.float32)
        for first in range(0, len(queries), _AT_A_TIME):
            some = queries[first : first + _AT_A_TIME]
            near, squares = self._nearest(some)
            coordinates[first : first + _AT_A_TIME] = _peak(self.places[near].astype(np.float64), squares)
        return coordinates

    @cached_property
    def _columns(self) -> tuple[Floats, Floats]:
        """The keys, transposed, (r, m), and half of their squares, (m,)."""
        keys = self.keys.astype(np.float32)
        return np.ascontiguousarray(keys.T), (keys * keys).sum(axis=1) / 2

    def _nearest(self, queries: Floats) -> tuple[Rows, Doubles]:
        """The nearest documents of queries, (n, r): their numbers, nearest first, and squared distances, (n, k)."""
        columns, halves = self._columns
        near = np.sort(_lowest(halves - queries @ columns, _NEAREST + _SPARE), axis=1)
        apart = queries[:, None] - self.keys[near].astype(np.float32)
        squares = (apart * apart).sum(axis=2, dtype=np.float64)
        order = np.argsort(squares, axis=1, kind="stable")[:, :_NEAREST]
        return np.take_along_axis(near, order, axis=1), np.take_along_axis(squares, order, axis=1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        return {"axes": self.axes, "origin": self.origin, "keys": self.keys, "places": self.places}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "NearestPlaces":
        """The places that gave these `arrays`."""
        return cls(arrays["axes"], arrays["origin"], arrays["keys"], arrays["places"])


def _along(codes: NDArray[np.floating], axes: Floats, origin: Floats) -> Floats:
    return matmul(codes.astype(np.float32, copy=False), axes) - origin


def _lowest(values: Floats, k: int) -> Rows:
    """The columns of the k lowest values of each row, in any order: (n, m) to (n, at most k).

    They are in the k groups of columns with the lowest minima. That takes a fifth of the time of a partition of all.
    """
    n, m = values.shape
    if k >= m:
        return np.tile(np.arange(m), (n, 1))
    width = -(-m // _GROUPS)  # a group is every width-th column
    if width <= k:
        return np.argpartition(values, k, axis=1)[:, :k]
    whole = np.full((n, _GROUPS * width), np.inf, np.float32)
    whole[:, :m] = values
    groups = np.argpartition(whole.reshape(n, _GROUPS, width).min(axis=1), k, axis=1)[:, :k]
    columns = (groups[:, :, None] + np.arange(0, _GROUPS * width, width)).reshape(n, -1)
    best = np.argpartition(np.take_along_axis(whole, columns, axis=1), k, axis=1)[:, :k]
    return np.take_along_axis(columns, best, axis=1)


def _peak(places: Doubles, squares: Doubles) -> Doubles:
    """Where the density of places, (n, k, 2), is highest; squares: (n, k), their squared distances, rising."""
    relative = squares / np.maximum(squares[:, -1:], np.finfo(np.float32).tiny)
    weights = (relative + _NOTHING) ** -2
    kernels = _kernel(places[:, :, None], places[:, None]) * weights[:, None]
    peak: Doubles = places[np.arange(len(places)), kernels.sum(axis=2).argmax(axis=1)]
    for _ in range(_STEPS):
        shares = weights * _kernel(places, peak[:, None])
        peak = (shares[:, :, None] * places).sum(axis=1) / shares.sum(axis=1)[:, None]
    return peak


def _kernel(one: Doubles, other: Doubles) -> Doubles:
    apart = one - other
    kernel: Doubles = np.exp((apart * apart).sum(axis=-1) / (-2 * _WIDTH**2))
    return kernel
