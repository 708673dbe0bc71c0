"""Clusters of codes, with their number chosen from the data, and groups of clusters.

k-means (Lloyd 1982, k-means++) makes many small clusters. Ward's method (1963) joins their centres into a tree. The
tree is cut twice: into clusters and, if these are many, into groups of clusters. A last k-means moves the centres to
where the documents are. So one tree gives every number of clusters, in seconds.

    information(k) = I(A; B) - E I(A; B)        A, B: the clusters of all documents by one half and by the other

decides k. Two halves of the documents are clustered independently, and `information` is their adjusted mutual
information (Vinh, Epps & Bailey, JMLR 2010) in nats, not normalised. With k true groups it is ln k, and it stays there
when more clusters cut the groups at random; so the smallest k with nearly the maximum is chosen. Stability alone
(Ben-Hur, Elisseeff & Guyon 2002) is highest for two or three clusters, which tell little; it decides the number of
groups, as the normalised information.

Clusters that a person wants start at seeds (Seeded-KMeans: Basu, Banerjee & Mooney, ICML 2002). The tree then joins
only the small clusters that are closer to no seed.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from textae.encoding.arrays import Floats, Ints, Rows
from textae.encoding.layers import matmul
from textae.types import Progress

MOST = 64
"""Maximum of a number of clusters that is chosen from the data: nobody reads more. √n is another maximum."""

_UNGROUPED = 7  # up to as many clusters each is a group of its own: there is nothing to sum up
_UNEVEN = 1.5  # times more or fewer groups than √k, which are as many as there are clusters in each
_SMALL = 300  # small clusters: with 150 or 600 the result is as good
_NEARLY = 0.95  # of the maximum information
_PAIRS = 3  # of halves that are compared
_HALF = 5_000  # vectors of a half, at most
_AT_A_TIME = 1 << 16  # vectors compared with centres


@dataclass(frozen=True)
class Clusters:
    """Clusters in the order of their groups, and groups by falling size.

    Attributes:
        centres: (n, dims) float32, at least one of each cluster.
        group_of: (k,) int32 from 0, never falling: the group of each cluster.
        cluster_of: (n,) int32 from 0, never falling: the cluster of each centre.
        seeded: (n_seeds,) int32, the cluster of each seed.
    """

    centres: Floats
    group_of: Ints
    cluster_of: Ints
    seeded: Ints = field(default_factory=lambda: np.empty(0, np.int32))

    def nearest(self, vectors: Floats) -> tuple[Ints, Floats]:
        """The cluster of each vector, and its membership in that; as `nearest`."""
        return nearest(vectors, self.centres, self.cluster_of)

    def alone(self) -> dict[int, int]:
        """The groups of one cluster, each with that."""
        groups, firsts, sizes = np.unique(self.group_of, return_index=True, return_counts=True)
        return dict(zip(groups[sizes == 1].tolist(), firsts[sizes == 1].tolist(), strict=True))


def find(
    vectors: Floats, n: int | None, generator: Generator, progress: Progress, seeds: Floats | None = None
) -> Clusters:
    """Cluster vectors.

    Args:
        vectors: (n_vectors, dims), at least one.
        n: number of clusters; None to choose it. Fewer if fewer vectors differ; not fewer than seeds.
        generator: source of all randomness.
        progress: called for each pair of halves.
        seeds: (n_seeds, dims), where the first clusters start.
    """
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    different, n_seeds = len(np.unique(vectors, axis=0)), 0 if seeds is None else len(seeds)
    with threadpool_limits(1):  # the sums of several threads differ from run to run
        most = min(MOST, different, int(len(vectors) ** 0.5)) if n is None else min(n, different)
        n, most = (n_seeds, n_seeds) if n_seeds > most else (n, most)
        highest = most if n is None else _group_numbers(most)[-1]
        candidates = sorted({*(k for power in range(73) if (k := round(1.1**power)) <= highest), highest})
        agreed = information(vectors, candidates, generator, progress)
        k = most if n is not None else min(k for k in agreed if agreed[k] >= _NEARLY * max(agreed.values()))
        small, sizes = _k_means(vectors, min(different, max(_SMALL, 2 * k)), "k-means++", 20, generator)
        k = min(max(k, n_seeds), len(small))
        joined = _joined(small, sizes, _cut(small, [k])[k])
        if seeds is not None:
            joined = _with_seeds(seeds, joined, small, sizes)
        centres, sizes = _k_means(vectors, len(joined), joined, 300, generator)
    k = len(centres)
    group_of = np.arange(k, dtype=np.int32)
    if k > _UNGROUPED:  # as many groups as the halves agree on most
        n_groups = max((n for n in agreed if n in _group_numbers(k)), key=lambda n: agreed[n] / np.log(n))
        group_of = _cut(centres, [n_groups])[n_groups]
    order = np.lexsort((-sizes, group_of, -np.bincount(group_of, sizes)[group_of]))
    ordered, places = group_of[order], np.argsort(order).astype(np.int32)
    groups = np.cumsum(np.diff(ordered, prepend=ordered[:1]) != 0).astype(np.int32)
    return Clusters(centres[order], groups, np.arange(k, dtype=np.int32), places[:n_seeds])


def _with_seeds(seeds: Floats, joined: Floats, small: Floats, sizes: Rows) -> Floats:
    """As many centres as `joined`: first the seeds, then of the small clusters that are closer to no seed."""
    free = nearest(small, np.concatenate([seeds, joined]))[0] >= len(seeds)
    n_others = min(len(joined) - len(seeds), int(free.sum()))
    if n_others <= 0:
        return seeds
    return np.concatenate([seeds, _joined(small[free], sizes[free], _cut(small[free], [n_others])[n_others])])


def _group_numbers(k: int) -> range:
    """The numbers of groups that k clusters may have."""
    return range(math.ceil(k**0.5 / _UNEVEN), int(k**0.5 * _UNEVEN) + 1)


def information(vectors: Floats, ks: Sequence[int], generator: Generator, progress: Progress) -> dict[int, float]:
    """The information that two halves of the vectors share, in nats, for each number of clusters; 0 for chance.

    Args:
        vectors: (n, dims).
        ks: numbers of clusters.
        generator: of the halves.
        progress: called for each pair of halves.
    """
    from sklearn.metrics import mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

    shared: dict[int, list[float]] = {k: [] for k in ks}
    half = min(len(vectors) // 2, _HALF)
    for pair in range(_PAIRS):
        progress("comparing halves", pair, _PAIRS)
        mixed = vectors[generator.permutation(len(vectors))[: 2 * half]]
        one, other = (_every_cut(part, ks, generator) for part in (mixed[:half], mixed[half:]))
        for k in one.keys() & other.keys():
            by_one, by_other = nearest(mixed, one[k])[0], nearest(mixed, other[k])[0]
            table = contingency_matrix(by_one, by_other, sparse=True).astype(np.float64)
            expected = expected_mutual_information(table, len(by_one))
            shared[k].append(float(mutual_info_score(by_one, by_other) - expected))
    return {k: float(np.mean(values)) if values else 0.0 for k, values in shared.items()}


def _every_cut(vectors: Floats, ks: Sequence[int], generator: Generator) -> dict[int, Floats]:
    """The centres of each number of clusters, for those numbers that the vectors have enough different values for."""
    if not len(vectors):
        return {}
    k = min(len(np.unique(vectors, axis=0)), _SMALL // 2)
    small, sizes = _k_means(vectors, k, "k-means++", 20, generator)
    cuts = _cut(small, [k for k in ks if k <= len(small)])
    return {k: _joined(small, sizes, cluster_of) for k, cluster_of in cuts.items()}


def _k_means(vectors: Floats, k: int, start: str | Floats, steps: int, generator: Generator) -> tuple[Floats, Rows]:
    """The centres of at most k clusters, (k, dims), and the number of vectors of each, (k,)."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(k, init=start, n_init=1, max_iter=steps, random_state=int(generator.integers(1 << 31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # rounding may make different vectors equal
        means.fit(vectors)
    sizes = np.bincount(means.labels_, minlength=k)
    return means.cluster_centers_[sizes > 0], sizes[sizes > 0]


def _cut(centres: Floats, ks: Sequence[int]) -> dict[int, Ints]:
    """For each k the cluster of each centre, from 0, if Ward's tree is cut into k clusters."""
    from scipy.cluster.hierarchy import cut_tree, ward

    if len(centres) == 1:
        return {k: np.zeros(1, np.int32) for k in ks}
    cuts = cut_tree(ward(centres.astype(np.float64)), list(ks)).astype(np.int32)
    return dict(zip(ks, cuts.T, strict=True))


def _joined(centres: Floats, sizes: Rows, cluster_of: Ints) -> Floats:
    """The centres of clusters of centres: their mean by size."""
    sums = np.zeros((int(cluster_of.max()) + 1, centres.shape[1]))
    np.add.at(sums, cluster_of, centres * sizes[:, None])
    return (sums / np.bincount(cluster_of, sizes)[:, None]).astype(np.float32)


def nearest(vectors: Floats, centres: Floats, cluster_of: Ints | None = None) -> tuple[Ints, Floats]:
    """The cluster of each vector, and its membership in that cluster.

        membership = 1 - d₁² / d₂²        d₁, d₂: Euclidean distances to the nearest and the second nearest cluster

    It is 1 at the centre and 0 where two clusters meet: the simplified silhouette (Hruschka et al. 2004) of squared
    distances. With a single cluster it is 1.

    Args:
        vectors: (n, dims).
        centres: (k, dims), at least one.
        cluster_of: (k,) as in `Clusters`; None for one centre of each cluster. A cluster is as near as its nearest one.

    Returns:
        (n,) int32 and (n,) float32.
    """
    chosen, membership = np.zeros(len(vectors), np.int32), np.ones(len(vectors), np.float32)
    starts = np.flatnonzero(np.diff(np.arange(len(centres)) if cluster_of is None else cluster_of, prepend=-1))
    if len(starts) == 1:
        return chosen, membership
    squares = (centres * centres).sum(axis=1)
    for first in range(0, len(vectors), _AT_A_TIME):
        part = slice(first, first + _AT_A_TIME)
        some = vectors[part]
        distances = squares - 2 * matmul(some, centres.T) + (some * some).sum(axis=1, keepdims=True)
        if len(starts) < len(centres):
            distances = np.minimum.reduceat(distances, starts, axis=1)
        two = np.maximum(np.partition(distances, 1, axis=1)[:, :2], 0)
        ratio = np.divide(two[:, 0], two[:, 1], out=np.ones(len(some), np.float32), where=two[:, 1] > 0)
        chosen[part], membership[part] = distances.argmin(axis=1), 1 - ratio
    return chosen, membership
