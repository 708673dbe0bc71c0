"""What is equal has equal codes and bits, wherever it stands in a batch and however large the batch is."""

import itertools

import numpy as np
import pytest

from textae.encoding.bags import Bags
from textae.encoding.encoders import DIRECTION, LOGISTIC, RELU, DeepEncoder, Encoder, PixelEncoder, Quantization
from textae.encoding.layers import TILE, matmul
from textae.encoding.pixels import Pixels

SIZES = (1, 2, 3, 5, TILE - 1, TILE, TILE + 1, 12, 13, 31, 64, 100, 257)
"""Of batches: where a BLAS changes its ways."""


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def layers(*sizes: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    pairs = itertools.pairwise(sizes)
    return tuple((normal(a, b, seed=a) / np.float32(a**0.5), normal(b, seed=b)) for a, b in pairs)


class TestMatmul:
    def test_it_is_the_product(self) -> None:
        rows, weights = normal(37, 50), normal(50, 21)
        assert matmul(rows, weights) == pytest.approx(rows @ weights, abs=1e-4)

    @pytest.mark.parametrize("n", [0, 1, TILE])
    def test_shapes(self, n) -> None:
        assert matmul(normal(n, 5), normal(5, 3)).shape == (n, 3)

    @pytest.mark.parametrize(
        "shape", [(1, 1), (3, 8), (9, 32), (33, 17), (64, 64), (320, 256), (512, 512), (2000, 500)]
    )
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_a_row_does_not_depend_on_the_others(self, shape, order) -> None:
        weights, row = np.asarray(normal(*shape), order=order), normal(1, shape[0], seed=2)
        alone = matmul(row, weights).tobytes()
        for size in SIZES:
            rows = normal(size, shape[0], seed=size)
            for place in {0, size // 3, size // 2, size - 1}:
                rows[place] = row
                assert matmul(rows, weights)[place].tobytes() == alone, (size, place)


def text_encoder() -> Encoder:
    planes = Quantization(normal(48, seed=3) / 50, normal(48, 64, seed=4))
    heads = layers(96, 96, 32), layers(96, 96, 16)
    return Encoder(abs(normal(300)), normal(300, 96), *heads, normal(16), normal(16, 16), 0.4, planes)


def deep_encoder() -> DeepEncoder:
    return DeepEncoder(layers(300, 96, 40, 10), Quantization(normal(10) / 50, normal(10, 64)))


def pixel_encoder() -> PixelEncoder:
    return PixelEncoder(layers(64, 96, 32), (RELU, DIRECTION), Quantization(normal(32) / 50, normal(32, 64)))


def convolving_encoder() -> PixelEncoder:
    kernels = ((normal(5, 1, 3, 3), normal(5)), (normal(7, 5, 3, 3), normal(7)))
    planes = Quantization(np.full(16, 0.5, np.float32), np.eye(16, dtype=np.float32))
    return PixelEncoder(layers(28, 16), (LOGISTIC,), planes, kernels, (8, 8, 1))


def bags(n: int, seed: int) -> Bags:
    """Documents of one to 90 different terms."""
    rng = np.random.default_rng(seed)
    rows = [np.sort(rng.choice(300, rng.integers(1, 90), replace=False)).astype(np.int32) for _ in range(n)]
    starts = np.cumsum([0, *map(len, rows)])
    return Bags(starts, np.concatenate(rows), rng.integers(1, 9, starts[-1]).astype(np.uint16))


def pictures(n: int, seed: int) -> Pixels:
    return Pixels(np.random.default_rng(seed).integers(0, 256, (n, 64), dtype=np.uint8))


@pytest.mark.parametrize(
    ("encoder", "some", "joined"),
    [
        (text_encoder(), bags, Bags.concatenated),
        (deep_encoder(), bags, Bags.concatenated),
        (pixel_encoder(), pictures, Pixels.concatenated),
        (convolving_encoder(), pictures, Pixels.concatenated),
    ],
    ids=["text", "deep", "pixels", "convolved"],
)
class TestEncoders:
    def test_a_document_has_one_code_in_every_batch(self, encoder, some, joined) -> None:
        one = some(1, seed=99)
        alone = encoder.encode(one)
        for size in SIZES:
            for before in {0, size // 2, size - 1}:
                parts = [some(before, seed=1)] if before else []
                parts += [one, *([some(size - 1 - before, seed=2)] if size - 1 - before else [])]
                codes = encoder.encode(joined(parts))
                assert codes.floats[before].tobytes() == alone.floats[0].tobytes(), (size, before)
                assert codes.bits[before].tobytes() == alone.bits[0].tobytes(), (size, before)

    def test_equal_documents_have_equal_codes(self, encoder, some, joined) -> None:
        codes = encoder.encode(joined([some(1, seed=5)] * 203))
        assert len({row.tobytes() for row in codes.floats}) == 1
        assert len({row.tobytes() for row in codes.bits}) == 1
