"""Bits from float codes: planes that lie well, more of them than numbers, and what happens where nothing varies."""

import numpy as np
import pytest

from textae.training.itq import SHORT, TOPIC_AXES, quantization


def bits(floats, n_bits: int, seed: int = 1) -> np.ndarray:
    planes = quantization(floats, n_bits, seed)
    return np.unpackbits(planes.bits(floats, np.ones(len(floats), bool)), axis=1)


def clusters(n: int = 400, dims: int = 6, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    centres = rng.normal(size=(4, dims))
    return (centres[labels] + 0.1 * rng.normal(size=(n, dims))).astype(np.float32), labels


def test_the_planes_of_a_square_stand_between_its_corners() -> None:
    # corners at 0°, 90°, 180°, 270° about (5, 5): the signs of principal axes would cut through them
    floats = np.tile(np.float32([[6, 5], [5, 6], [4, 5], [5, 4]]), (10, 1))
    assert len({tuple(row[:2]) for row in bits(floats, 2)}) == 4


def test_clusters_have_bits_of_their_own() -> None:
    floats, labels = clusters()
    found = bits(floats, 16)
    apart = (found[:, None] != found[None]).sum(axis=2)
    same = labels[:, None] == labels
    assert apart[same].mean() < 0.3 * apart[~same].mean()


@pytest.mark.parametrize("n_bits", [8, 64, 256, 1024])
def test_any_number_of_bits(n_bits) -> None:
    assert bits(clusters()[0], n_bits).shape == (400, n_bits)


@pytest.mark.parametrize(("n_bits", "axes"), [(16, 16), (64, TOPIC_AXES), (SHORT, TOPIC_AXES), (136, 60), (256, 60)])
def test_short_bits_see_the_first_axes_alone(n_bits, axes) -> None:
    floats = np.random.default_rng(1).normal(size=(300, 60)).astype(np.float32)
    assert np.linalg.matrix_rank(quantization(floats, n_bits, 1).rotation, tol=1e-3) == axes


@pytest.mark.parametrize("n", [0, 1, 5])
def test_nothing_varies(n) -> None:
    floats = np.ones((n, 3), np.float32)
    planes = quantization(floats, 16, 1)
    assert np.isfinite(planes.rotation).all()
    assert planes.bits(floats, np.ones(n, bool)).shape == (n, 2)


def test_the_same_seed_gives_the_same_planes() -> None:
    floats = clusters()[0]
    assert quantization(floats, 16, 1).rotation.tobytes() == quantization(floats, 16, 1).rotation.tobytes()
    assert quantization(floats, 16, 1).rotation.tobytes() != quantization(floats, 16, 2).rotation.tobytes()
