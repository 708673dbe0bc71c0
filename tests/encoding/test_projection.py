"""Codes come to the plane: by hand, by t-SNE, and as they are learned."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.nearest_places import NearestPlaces
from textae.encoding.projection import EDGE, LIMIT, Projection, first_coordinates, principal_components
from textae.training import map_layout as learning
from textae.training import tsne


def silent(stage, done, total) -> None:
    pass


def blobs(n: int, dims: int = 16, k: int = 4, seed: int = 1):
    """Codes of unit length in k groups, in turn, and the group of each."""
    rng = np.random.default_rng(seed)
    codes = np.eye(k, dims)[np.arange(n) % k] + rng.normal(0, 0.1, (n, dims))
    return (codes / np.linalg.norm(codes, axis=1, keepdims=True)).astype(np.float32), np.arange(n) % k


def of_a_kind(places, groups) -> float:
    """How often the nearest other place is of the same group."""
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    return float((groups[apart.argmin(axis=1)] == groups).mean())


def test_a_projection_by_hand() -> None:
    one = np.array([[1.0], [2.0]], np.float32), np.array([-3.0], np.float32)
    two = np.array([[0.5, -1.0]], np.float32), np.array([0.25, 0.0], np.float32)
    codes = np.array([[1, 1], [3, 0]], np.float32)
    logistic = Projection((one, two)).coordinates(codes)
    assert logistic == pytest.approx(np.array([[0.5, -0.5], [0.5, -0.5]]))  # s(0) = 1/2
    assert first_coordinates(2).coordinates(np.array([[0.3, -0.7]])) == pytest.approx(np.array([[0.3, -0.7]]))


def test_a_new_document_comes_to_most_of_its_neighbours_and_not_between_groups() -> None:
    codes = np.array([[0.0], [0.1], [0.2], [1.0], [1.1]], np.float32)
    places = np.array([[-1, 1], [-1, 1], [-1, 1], [1, -1], [1, -1]], np.float32)
    known = NearestPlaces.of(codes, places)
    assert known.coordinates(np.array([[0.4], [-9.0]])) == pytest.approx(np.array([[-1, 0], [-1, 0]]), abs=1e-3)
    assert known.coordinates(np.array([[0.9], [1e6]]))[:, 0] == pytest.approx([1, -1], abs=1e-3)  # 3 of 5 are there
    again = NearestPlaces.from_arrays(known.arrays())
    assert again.coordinates(codes).tobytes() == known.coordinates(codes).tobytes()


@pytest.mark.parametrize("n", [1, 5, 700, 3_000])
def test_a_document_has_its_own_place_however_many_are_asked_for(n) -> None:
    rng = np.random.default_rng(n)
    codes = rng.normal(size=(n, 12)).astype(np.float32)
    known = NearestPlaces.of(codes, rng.normal(size=(n, 2)))
    assert known.coordinates(codes) == pytest.approx(known.places, abs=1e-4)
    assert known.coordinates(codes[:1].astype(np.float16)) == pytest.approx(known.places[:1], abs=1e-4)
    assert known.coordinates(codes[:0]).shape == (0, 2)


def test_the_nearest_documents_are_the_ones_of_all() -> None:
    rng = np.random.default_rng(1)
    codes, queries = (rng.normal(size=(n, 8)).astype(np.float32) for n in (2_000, 50))
    known = NearestPlaces.of(codes, rng.normal(size=(len(codes), 2)))
    near, squares = known._nearest((queries @ known.axes - known.origin).astype(np.float32))
    apart = np.linalg.norm(queries[:, None] - codes, axis=2)
    assert (np.sort(near) == np.sort(np.argsort(apart, axis=1)[:, : near.shape[1]])).mean() > 0.99  # keys are rounded
    assert (np.diff(squares, axis=1) >= 0).all()


@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=2, max_size=20))
def test_no_place_is_off_the_map_and_their_order_stays(xs) -> None:
    codes = np.array([[x, 0.0] for x in sorted(xs)], np.float32)
    x = first_coordinates(2).coordinates(codes)[:, 0]
    assert (np.abs(x) <= LIMIT).all()
    assert (np.diff(x) >= 0).all()
    inside = np.abs(codes[:, 0]) <= EDGE
    assert (x[inside] == codes[inside, 0]).all()


def test_the_wide_side_lies_and_most_fill_the_square() -> None:
    rng = np.random.default_rng(1)
    codes = (rng.normal(size=(2_000, 2)) * [1, 20] + [5, -300]).astype(np.float32)
    framed = first_coordinates(2).fitted_to_square(codes)
    places = framed.coordinates(codes)
    assert abs(np.corrcoef(places[:, 0], codes[:, 1])[0, 1]) > 0.999
    assert (np.abs(places) <= EDGE).mean(axis=0) == pytest.approx([0.99, 0.99], abs=0.002)
    assert (np.abs(places) > 0.9 * EDGE).any(axis=0).all()
    again = Projection.from_arrays(framed.arrays())
    assert (again.coordinates(codes) == places).all()


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("dims", [1, 2, 5])
def test_few_codes_have_finite_places(n, dims) -> None:
    codes = np.random.default_rng(n).normal(size=(n, dims)).astype(np.float32)
    for projection in (
        principal_components(codes),
        learning.learn_neighbours(codes, 1, silent),
        learning.learn_autoencoder(codes, 1, silent),
    ):
        places = projection.coordinates(codes)
        assert places.shape == (n, 2)
        assert np.isfinite(places).all()
        assert len(np.unique(places.round(4), axis=0)) == n


def test_equal_codes_are_at_one_place() -> None:
    codes = np.ones((40, 8), np.float32)
    for learn in (learning.learn_neighbours, learning.learn_autoencoder):
        places = learn(codes, 1, silent).coordinates(codes)
        assert np.abs(places).max() < 0.01


def test_neighbours_are_found_by_distance() -> None:
    codes = torch.tensor([[0.0], [1.0], [3.0], [3.5], [9.0]])
    near, squares = learning.nearest(codes, 2, silent)
    assert near.tolist() == [[1, 2], [0, 2], [3, 1], [2, 1], [3, 2]]
    assert squares[2].tolist() == [0.25, 4.0]


def test_attraction_and_repulsion_are_the_sums_over_pairs() -> None:
    rng = np.random.default_rng(1)
    places = rng.normal(0, 3, (300, 2))
    apart = places[:, None] - places
    near = 1 / (1 + (apart**2).sum(axis=2))
    pairs = near.sum() - len(places)
    by_pairs = (near[..., None] ** 2 * apart).sum(axis=1) / pairs
    by_grid = tsne._Repulsion(len(places))(places)
    assert np.linalg.norm(by_grid - by_pairs) < 0.05 * np.linalg.norm(by_pairs)
    pairs = tsne.affinities(np.array([[1], [0], [0]]), np.array([[1.0], [1.0], [4.0]]))
    assert [part.tolist() for part in pairs] == [[0, 0, 1, 2], [1, 2, 0, 0], [1 / 3, 1 / 6, 1 / 3, 1 / 6]]
    pulled = tsne.attraction(np.array([[0.0, 0], [1, 0], [0, 2]]), pairs)
    # q Z is 1/2 from 0 to 1, and 1/5 from 0 to 2
    assert pulled == pytest.approx(np.array([[-1 / 6, -1 / 15], [1 / 6, 0], [0, 1 / 15]]))


def test_as_many_neighbours_count_as_the_perplexity_says() -> None:
    squares = np.sort(np.random.default_rng(1).exponential(3.0, (30, tsne.NEIGHBOURS)), axis=1)
    p = tsne._conditional(squares)
    assert p.sum(axis=1) == pytest.approx(np.ones(30))
    assert np.exp(-(p * np.log(p)).sum(axis=1)) == pytest.approx(np.full(30, tsne.PERPLEXITY))
    assert (np.diff(p, axis=1) <= 0).all()
    assert tsne._conditional(np.ones((1, 4))) == pytest.approx(np.full((1, 4), 0.25))  # equal ones


@pytest.mark.parametrize("learn", [learning.learn_neighbours, learning.learn_autoencoder])
def test_what_is_alike_is_together_and_what_is_new_comes_to_it(learn) -> None:
    codes, groups = blobs(200)
    projection = learn(codes, 1, silent)
    places = projection.coordinates(codes)
    assert of_a_kind(places, groups) > 0.9
    new, of_new = blobs(40, seed=2)
    apart = np.linalg.norm(projection.coordinates(new)[:, None] - places, axis=2)
    assert (groups[apart.argmin(axis=1)] == of_new).mean() > 0.9


@pytest.mark.parametrize("learn", [learning.learn_neighbours, learning.learn_autoencoder])
def test_a_seed_gives_the_same_bytes_and_another_one_others(learn) -> None:
    codes, _ = blobs(60)
    one, same, other = (learn(codes, seed, silent).coordinates(codes) for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert (one != other).any()
