"""Postings, what is removed of them, and what a corpus of segments counts: by hand, and against dense matrices."""

import itertools

import numpy as np
import pytest
from counts import IDF, N_TERMS, bags_of
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.weighting import idf, norms
from textae.index.postings import K1, B, Postings, Removed, Statistics, by_segment, counts_in, length_norm, saturation

COUNTS = st.lists(st.lists(st.sampled_from([0, 0, 0, 1, 2, 7]), min_size=N_TERMS, max_size=N_TERMS), max_size=12)

THREE = Postings.of(bags_of([[1, 0, 0, 1, 0, 1], [2, 0, 0, 0, 0, 0], [0, 0, 4, 0, 0, 0]]), IDF)


class TestPostings:
    def test_by_hand(self) -> None:
        assert THREE.terms.tolist() == [0, 2, 3, 5]
        assert [part.tolist() for part in THREE.term(0)] == [[0, 1], [1, 2]]
        assert [part.tolist() for part in THREE.term(1)] == [[], []]
        assert [part.tolist() for part in THREE.term(99)] == [[], []]
        assert THREE.lengths.tolist() == [3, 2, 4]
        assert (len(THREE), THREE.mean_length) == (3, 3)
        assert THREE.frequencies(np.int32([5, 0, 4, 99])).tolist() == [1, 2, 0, 0]

    def test_bounds_by_hand(self) -> None:
        # k1 = 1.2, b = .75: "0" twice in 2 words, where the mean is 3
        twice = 2 / (2 + 1.2 * (0.25 + 0.75 * 2 / 3))
        assert THREE.bounds[0] == pytest.approx(twice)

    @given(COUNTS)
    def test_they_are_the_bags_turned_and_come_back(self, rows) -> None:
        bags = bags_of(rows)
        postings = Postings.of(bags, IDF)
        again = Postings.from_arrays(postings.arrays())
        dense = np.array(rows).reshape(-1, N_TERMS)
        for number in range(N_TERMS):
            documents, counts = again.term(number)
            assert documents.tolist() == np.flatnonzero(dense[:, number]).tolist()
            assert counts.tolist() == dense[documents, number].tolist()
        assert postings.lengths.tolist() == dense.sum(axis=1).tolist()
        assert postings.norms.tolist() == norms(bags, IDF).tolist()
        for name, array in vars(postings.bags()).items():
            assert array.dtype == getattr(bags, name).dtype
            assert array.tolist() == getattr(bags, name).tolist()

    def test_the_arrays_have_plain_names(self) -> None:
        names = ("terms", "starts", "documents", "counts", "lengths", "norms", "bounds")
        assert tuple(THREE.arrays()) == names

    def test_how_often_some_documents_hold_a_term(self) -> None:
        assert counts_in(THREE.term(0), np.int32([2, 1, 0, 1])).tolist() == [0, 2, 1, 2]
        assert counts_in(THREE.term(4), np.int32([0])).tolist() == [0]


class TestSaturation:
    def test_the_equation(self) -> None:
        norm = length_norm(np.int32([5, 50]), 5.0)
        assert norm == pytest.approx([K1, K1 * (1 - B + B * 10)])
        assert saturation(np.float32([0, 1.2, 1e6]), norm[[0, 0, 0]]) == pytest.approx([0, 1 / 2, 1], abs=1e-5)

    @given(st.integers(1, 50), st.integers(1, 500), st.floats(1, 100), st.floats(1, 100))
    def test_it_grows_with_the_mean_length_by_no_more_than_that(self, tf, length, before, now) -> None:
        """What bounds rest on, which were found when the corpus had another mean length."""
        at_first, later = (
            saturation(np.float32([tf]), length_norm(np.int32([length]), mean))[0] for mean in (before, now)
        )
        assert later <= at_first * max(1, now / before) * (1 + 1e-5)


class TestRemoved:
    def test_by_hand(self) -> None:
        gone = Removed.of(np.array([2, 0]), THREE)
        assert (gone.rows.tolist(), gone.terms.tolist(), gone.counts.tolist(), gone.length) == (
            [0, 2], [0, 2, 3, 5], [1, 1, 1, 1], 7,
        )  # fmt: skip

    def test_it_comes_back_from_its_arrays(self) -> None:
        for gone in (Removed.of(np.array([1]), THREE), Removed.none()):
            again = Removed.from_arrays(gone.arrays())
            assert {name: np.asarray(value).tolist() for name, value in vars(again).items()} == {
                name: np.asarray(value).tolist() for name, value in vars(gone).items()
            }


class TestStatistics:
    @given(COUNTS, st.lists(st.integers(0, 12), max_size=2), st.data())
    def test_they_are_those_of_the_documents_that_are_left(self, rows, cuts, data) -> None:
        """Counted anew over all documents but the removed ones, as if there were no segments."""
        ends = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
        parts = [rows[first:last] for first, last in itertools.pairwise(ends)]
        postings = [Postings.of(bags_of(part), IDF) for part in parts]
        gone = [data.draw(st.sets(st.integers(0, len(part) - 1))) if part else set() for part in parts]
        removed = [
            Removed.of(np.array(sorted(some), np.int64), part) for some, part in zip(gone, postings, strict=True)
        ]
        statistics = Statistics(postings, removed)
        left = np.array(
            [row for some, part in zip(gone, parts, strict=True) for i, row in enumerate(part) if i not in some]
        )
        left = left.reshape(-1, N_TERMS)
        every = np.arange(N_TERMS, dtype=np.int32)
        frequencies = (left > 0).sum(axis=0)
        assert statistics.n == len(left)
        assert statistics.mean_length == pytest.approx(left.sum() / len(left) if left.any() else 1)
        assert statistics.frequencies(every).tolist() == frequencies.tolist()
        assert statistics.idf(every).tolist() == idf(frequencies, len(left)).tolist()


@given(st.lists(st.integers(0, 9), max_size=20))
def test_rows_are_told_by_segment(rows) -> None:
    starts = np.array([0, 3, 3, 10])
    told = np.full((len(rows), 2), -1)
    for number, where, local in by_segment(starts, np.array(rows, np.int64)):
        told[where] = np.column_stack([np.full(len(local), number), local])
    assert told.tolist() == [[0, row] if row < 3 else [2, row - 3] for row in rows]
