"""Clusters of codes, their number found by itself, and clusters of clusters.

k-means (Lloyd 1982, k-means++) makes many small clusters, Ward's method (1963) joins their centres into a tree, and the
tree is cut twice: into clusters and, where these are many, into areas of clusters. A last k-means moves the centres to
where the documents are. So one tree gives every number of clusters, and it takes seconds.

    information(k) = I(A; B) - E I(A; B)        A, B: the clusters of all documents by the one half and by the other

is what decides k. Two halves of the documents are clustered without knowing of each other, and `information` is what
the clusters of the one say about those of the other, less what they would by chance: the adjusted mutual information
(Vinh, Epps & Bailey, JMLR 2010) in nats, not normalised. Where there are k groups it is ln k, and stays there when more
clusters cut them at random; so the least k that has nearly the most is taken. Stability alone (Ben-Hur, Elisseeff &
Guyon 2002) is highest for two or three clusters, which say little; normalised, it decides the number of areas.
"""

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.types import Progress

Numbers = NDArray[np.int32]

MOST = 64
"""Clusters that are found by themselves: more than that nobody reads. No more than √n either."""

_ALONE = 7  # clusters of which each is its own area: there is nothing to sum up
_UNEVEN = 1.5  # times more or fewer areas than √k, which are as many as there are clusters in each
_SMALL = 300  # small clusters: with 150 or 600 what is cut is as good
_NEARLY = 0.95  # of the most information
_PAIRS = 3  # of halves that are compared
_HALF = 5_000  # vectors of a half, at most
_AT_A_TIME = 1 << 16  # vectors compared with centres


@dataclass(frozen=True)
class Clusters:
    """Clusters in the order of their areas, and areas in the order of their sizes.

    Attributes:
        centres: (k, dims) float32.
        area_of: (k,) int32 from 0, never falling.
    """

    centres: Floats
    area_of: Numbers


def find(vectors: Floats, n: int | None, generator: np.random.Generator, progress: Progress) -> Clusters:
    """Cluster vectors.

    Args:
        vectors: (n_vectors, dims), at least one.
        n: clusters; None to find the number. Fewer where fewer vectors differ.
        generator: of all that is random.
        progress: told of the pairs of halves.
    """
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    different = len(np.unique(vectors, axis=0))
    with threadpool_limits(1):  # the sums of several threads differ from run to run
        most = min(MOST, different, int(len(vectors) ** 0.5)) if n is None else min(n, different)
        highest = most if n is None else _areas_of(most)[-1]
        agreed = information(vectors, _candidates(highest), generator, progress)
        k = most if n is not None else min(k for k in agreed if agreed[k] >= _NEARLY * max(agreed.values()))
        small, sizes = _small(vectors, min(different, max(_SMALL, 2 * k)), generator)
        k = min(k, len(small))
        return _in_areas(*_settled(vectors, _joined(small, sizes, _cut(small, [k])[k]), generator), agreed)


def _candidates(most: int) -> list[int]:
    """Numbers of clusters from 1, the next about a tenth larger, and the largest."""
    return sorted({*(round(1.1**power) for power in range(73) if 1.1**power <= most), most})


def _areas_of(k: int) -> range:
    """The numbers of areas that k clusters may have."""
    return range(math.ceil(k**0.5 / _UNEVEN), int(k**0.5 * _UNEVEN) + 1)


def information(
    vectors: Floats, ks: Sequence[int], generator: np.random.Generator, progress: Progress
) -> dict[int, float]:
    """What two halves of some vectors agree on, in nats, for each number of clusters; 0 where only by chance.

    Args:
        vectors: (n, dims).
        ks: numbers of clusters.
        generator: of the halves.
        progress: told of each pair.
    """
    found: dict[int, list[float]] = {k: [] for k in ks}
    half = min(len(vectors) // 2, _HALF)
    for pair in range(_PAIRS):
        progress("comparing halves", pair, _PAIRS)
        mixed = vectors[generator.permutation(len(vectors))[: 2 * half]]
        one, other = (_every_cut(part, ks, generator) for part in (mixed[:half], mixed[half:]))
        for k in one.keys() & other.keys():
            found[k].append(_shared(nearest(mixed, one[k])[0], nearest(mixed, other[k])[0]))
    return {k: float(np.mean(values)) if values else 0.0 for k, values in found.items()}


def _shared(one: Numbers, other: Numbers) -> float:
    """The mutual information of two clusterings less what is expected by chance."""
    from sklearn.metrics import mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

    table = contingency_matrix(one, other, sparse=True).astype(np.float64)
    return float(mutual_info_score(one, other) - expected_mutual_information(table, len(one)))


def _every_cut(vectors: Floats, ks: Iterable[int], generator: np.random.Generator) -> dict[int, Floats]:
    """The centres of each number of clusters, of those numbers that the vectors have differing values for."""
    different = len(np.unique(vectors, axis=0))
    if not different:
        return {}
    small, sizes = _small(vectors, min(different, _SMALL // 2), generator)
    cuts = _cut(small, [k for k in ks if k <= len(small)])
    return {k: _joined(small, sizes, cluster) for k, cluster in cuts.items()}


def _small(vectors: Floats, k: int, generator: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """The centres of at most k small clusters, (k, dims), and how many vectors each holds."""
    return _k_means(vectors, k, "k-means++", 20, generator)


def _settled(vectors: Floats, centres: Floats, generator: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Centres moved to where k-means, begun there, has them, and how many vectors each holds."""
    return _k_means(vectors, len(centres), centres, 300, generator)


def _k_means(
    vectors: Floats, k: int, start: str | Floats, steps: int, generator: np.random.Generator
) -> tuple[Floats, NDArray[np.int64]]:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(k, init=start, n_init=1, max_iter=steps, random_state=int(generator.integers(1 << 31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # rounding may make equal what differs
        found = means.fit(vectors)
    sizes = np.bincount(found.labels_, minlength=k)
    return found.cluster_centers_[sizes > 0], sizes[sizes > 0]


def _cut(centres: Floats, ks: Sequence[int]) -> dict[int, Numbers]:
    """For each k the cluster of each centre, when Ward's tree is cut into k: from 0."""
    from scipy.cluster.hierarchy import cut_tree, ward

    if len(centres) == 1:
        return {k: np.zeros(1, np.int32) for k in ks}
    cuts = cut_tree(ward(centres.astype(np.float64)), list(ks)).astype(np.int32)
    return dict(zip(ks, cuts.T, strict=True))


def _joined(centres: Floats, sizes: NDArray[np.int64], cluster: Numbers) -> Floats:
    """The centres of clusters of centres: their mean by size."""
    sums = np.zeros((int(cluster.max()) + 1, centres.shape[1]))
    np.add.at(sums, cluster, centres * sizes[:, None])
    return (sums / np.bincount(cluster, sizes)[:, None]).astype(np.float32)


def _in_areas(centres: Floats, sizes: NDArray[np.int64], agreed: dict[int, float]) -> Clusters:
    """Clusters and their areas, as many as the halves agree on most, the largest first."""
    k = len(centres)
    area = np.arange(k, dtype=np.int32)
    if k > _ALONE:
        n_areas = max((n for n in agreed if n in _areas_of(k)), key=lambda n: agreed[n] / np.log(n))
        area = _cut(centres, [n_areas])[n_areas]
    of_area = np.bincount(area, sizes)
    order = np.lexsort((-sizes, area, -of_area[area]))
    ordered = area[order]
    return Clusters(centres[order], np.cumsum(np.diff(ordered, prepend=ordered[:1]) != 0).astype(np.int32))


def nearest(vectors: Floats, centres: Floats) -> tuple[Numbers, Floats]:
    """The cluster of each vector, and how much it belongs there.

        strength = 1 - d₁² / d₂²        d₁, d₂: Euclid's distances to the nearest centre and to the next

    is 1 in the middle and 0 where two clusters meet: the simplified silhouette (Hruschka et al. 2004) of squared
    distances. Of a single cluster it is 1.

    Args:
        vectors: (n, dims).
        centres: (k, dims), at least one.

    Returns:
        (n,) int32 and (n,) float32.
    """
    cluster, strength = np.zeros(len(vectors), np.int32), np.ones(len(vectors), np.float32)
    if len(centres) == 1:
        return cluster, strength
    squares = (centres * centres).sum(axis=1)
    for first in range(0, len(vectors), _AT_A_TIME):
        some = vectors[first : first + _AT_A_TIME]
        distances = squares - 2 * (some @ centres.T) + (some * some).sum(axis=1, keepdims=True)
        place = distances.argmin(axis=1)
        two = np.maximum(np.partition(distances, 1, axis=1)[:, :2], 0)
        ratio = np.divide(two[:, 0], two[:, 1], out=np.ones(len(some), np.float32), where=two[:, 1] > 0)
        cluster[first : first + len(some)], strength[first : first + len(some)] = place, 1 - ratio
    return cluster, strength
