"""Clusters of vectors: groups that are there are found, with their number, and groups of close ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from textae.explore.clustering import Clusters, find, information, nearest


def silent(stage: str, done: int, total: int | None) -> None:
    pass


def found(vectors: np.ndarray, n: int | None = None, seed: int = 1) -> Clusters:
    return find(vectors, n, np.random.default_rng(seed), silent)


def groups(centres: np.ndarray, each: int, noise: float = 0.1, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Give vectors around centres, and the group of each."""
    labels = np.repeat(np.arange(len(centres)), each)
    noisy = centres[labels] + noise * np.random.default_rng(seed).standard_normal((len(labels), centres.shape[1]))
    return noisy.astype(np.float32), labels


def corners(n: int) -> np.ndarray:
    """Give n places in 16 dimensions, each 1 away from the middle and √2 from the others."""
    return np.eye(16)[:n]


class TestNearest:
    def test_membership_is_one_less_the_ratio_of_squared_distances(self) -> None:
        centres = np.array([[0, 0], [4, 0], [0, 9]], np.float32)
        vectors = np.array([[0, 0], [1, 0], [2, 0], [3, 0], [4, 3]], np.float32)
        cluster, membership = nearest(vectors, centres)
        assert cluster.tolist() == [0, 0, 0, 1, 1]
        assert membership.tolist() == pytest.approx([1, 1 - 1 / 9, 0, 1 - 1 / 9, 1 - 9 / 25])

    def test_all_belong_to_a_single_cluster_wholly(self) -> None:
        cluster, membership = nearest(np.array([[5, 1], [0, 0]], np.float32), np.zeros((1, 2), np.float32))
        assert (cluster.tolist(), membership.tolist()) == ([0, 0], [1, 1])

    def test_a_cluster_of_several_centres_is_as_near_as_the_nearest(self) -> None:
        centres = np.array([[0, 0], [8, 0], [4, 0]], np.float32)
        vectors = np.array([[1, 0], [7, 0], [4, 1]], np.float32)
        cluster, membership = nearest(vectors, centres, np.array([0, 0, 1], np.int32))
        assert cluster.tolist() == [0, 0, 1]
        assert membership.tolist() == pytest.approx([1 - 1 / 9, 1 - 1 / 9, 1 - 1 / 17])
        cluster, membership = nearest(vectors, centres, np.zeros(3, np.int32))
        assert (cluster.tolist(), membership.tolist()) == ([0, 0, 0], [1, 1, 1])

    def test_of_equal_centres_the_first_is_meant_and_not_at_all(self) -> None:
        cluster, membership = nearest(np.ones((1, 2), np.float32), np.ones((2, 2), np.float32))
        assert (cluster.tolist(), membership.tolist()) == ([0], [0])

    def test_equal_vectors_have_equal_memberships_in_every_batch(self) -> None:
        rng = np.random.default_rng(1)
        centres, vector = (rng.normal(size=(n, 64)).astype(np.float32) for n in (30, 1))
        _, memberships = nearest(np.repeat(vector, 100, axis=0), centres)
        assert set(memberships.tolist()) == set(nearest(vector, centres)[1].tolist())

    def test_nothing_is_nearest_to_nothing(self) -> None:
        cluster, membership = nearest(np.zeros((0, 2), np.float32), np.eye(2, dtype=np.float32))
        assert (len(cluster), len(membership)) == (0, 0)


class TestFind:
    @pytest.mark.parametrize("k", [3, 6, 13])
    def test_the_number_of_groups_is_found(self, k) -> None:
        vectors, labels = groups(corners(k), 40)
        clusters = found(vectors)
        assert len(clusters.centres) == k
        pairs = set(zip(nearest(vectors, clusters.centres)[0].tolist(), labels.tolist(), strict=True))
        assert len(pairs) == k

    def test_a_given_number_is_given(self) -> None:
        vectors, _ = groups(corners(3), 40)
        assert [len(found(vectors, n).centres) for n in (1, 2, 5, 40)] == [1, 2, 5, 40]

    def test_there_are_no_more_than_vectors_that_differ(self) -> None:
        assert len(found(np.repeat(np.eye(3, dtype=np.float32), 4, axis=0), 8).centres) == 3

    @pytest.mark.parametrize("n", [1, 2, 3, 9])
    def test_equal_vectors_are_one_cluster(self, n) -> None:
        clusters = found(np.ones((n, 4), np.float32))
        assert clusters.centres.tolist() == [[1, 1, 1, 1]]
        assert clusters.group_of.tolist() == [0]

    def test_close_clusters_are_a_group(self) -> None:
        areas = 10 * corners(4)
        centres = np.concatenate([area + corner for area in areas for corner in corners(4)[:3, None]])
        vectors, labels = groups(centres, 60)
        clusters = found(vectors)
        assert clusters.group_of.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
        group_of_vector = clusters.group_of[nearest(vectors, clusters.centres)[0]]
        assert len(set(zip(group_of_vector.tolist(), (labels // 3).tolist(), strict=True))) == 4

    def test_a_few_clusters_are_each_a_group_the_largest_first(self) -> None:
        vectors = np.concatenate([groups(corners(3)[i : i + 1], each)[0] for i, each in enumerate((20, 60, 40))])
        clusters = found(vectors, 3)
        assert clusters.group_of.tolist() == [0, 1, 2]
        assert clusters.centres.argmax(axis=1).tolist() == [1, 2, 0]

    def test_the_same_seed_gives_the_same_bytes_and_another_others(self) -> None:
        vectors = np.random.default_rng(1).standard_normal((400, 6)).astype(np.float32)
        one, again, other = (found(vectors, 12, seed) for seed in (1, 1, 2))
        assert one.centres.tobytes() == again.centres.tobytes() != other.centres.tobytes()
        assert one.group_of.tobytes() == again.group_of.tobytes()

    def test_clusters_start_at_seeds_and_others_fill_up_the_number(self) -> None:
        vectors, labels = groups(np.concatenate([corners(6), 1.4 * corners(1)]), 40, 0.05)  # close: 0, 6
        seeds = np.stack([vectors[labels == 6].mean(axis=0), vectors[labels == 2].mean(axis=0)])
        for n, expected in ((None, 7), (5, 5), (2, 2)):
            clusters = find(vectors, n, np.random.default_rng(1), silent, seeds)
            assert len(clusters.centres) == expected
            cluster, _ = clusters.nearest(vectors)
            for seed, label in zip(clusters.seeded.tolist(), (6, 2), strict=True):
                assert (cluster[labels == label] == seed).all()
        assert len(find(vectors, None, np.random.default_rng(1), silent, vectors[::10]).centres) == len(vectors[::10])

    @settings(max_examples=15)
    @given(arrays(np.float32, st.tuples(st.integers(1, 12), st.just(3)), elements=st.floats(-4, 4, width=16)))
    def test_every_vector_belongs_somewhere_with_a_membership(self, vectors) -> None:
        clusters = found(vectors)
        cluster, membership = nearest(vectors, clusters.centres)
        assert ((membership >= 0) & (membership <= 1)).all()
        assert set(cluster.tolist()) <= set(range(len(clusters.centres)))
        assert np.diff(clusters.group_of, prepend=0).min() >= 0


class TestInformation:
    def test_of_three_even_groups_it_is_the_logarithm_of_three_and_no_more(self) -> None:
        vectors, _ = groups(corners(3), 100)
        said = information(vectors, [1, 2, 3, 9], np.random.default_rng(1), silent)
        assert said[1] == 0
        assert said[2] < said[3]
        assert said[3] == pytest.approx(math.log(3), abs=0.02)  # chance would give .02
        assert said[9] == pytest.approx(math.log(3), abs=0.1)

    def test_a_pair_has_no_halves_to_compare(self) -> None:
        assert information(np.eye(2, dtype=np.float32), [1, 2], np.random.default_rng(1), silent)[2] == 0
