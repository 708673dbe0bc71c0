"""The layers of the convolutional auto-encoder, on numbers that one can redo by hand."""

import pytest
import torch
from torch import Tensor

from textae.config import REMEMBERED, REPEATED, UNPOOLINGS
from textae.training.networks.conv import ConvAutoEncoder, convolution, deconvolution, max_pooling, repeating, unpooling


def picture(rows) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32)[None, None]


def line(*numbers: float) -> Tensor:
    """Give numbers as a picture of one row."""
    return picture([numbers])


def flat_kernel(*numbers: float) -> Tensor:
    """Give a kernel of three rows whose middle one is these numbers: what it does is one-dimensional."""
    return picture([[0, 0, 0], list(numbers), [0, 0, 0]])


def of(result: Tensor) -> list:
    return result[0, 0].tolist()


FOUR = [
    [1.0, 3.0, 2.0, 1.0],
    [4.0, 2.0, 0.0, 5.0],
    [7.0, 1.0, 1.0, 1.0],
    [0.0, 2.0, 1.0, 1.0],
]


class TestConvolution:
    def test_the_kernel_is_laid_at_each_place_and_not_flipped(self) -> None:
        # At the second place: 1·1 + 2·10 + 3·100; beyond the ends there are zeros.
        assert of(convolution(line(1, 2, 3), flat_kernel(1, 10, 100))) == [[210.0, 321.0, 32.0]]

    def test_two_dimensions_two_channels_and_a_bias(self) -> None:
        both = torch.cat([picture([[1, 2], [3, 4]]), picture([[10, 20], [30, 40]])], dim=1)
        ones = torch.ones(1, 2, 3, 3)
        # Every 3 × 3 window over a padded 2 × 2 picture holds all of it: 10 + 100, and the bias.
        assert of(convolution(both, ones, torch.tensor([0.5]))) == [[110.5, 110.5], [110.5, 110.5]]


class TestPooling:
    def test_the_largest_of_each_block_and_where_it_stood(self) -> None:
        pooled, places = max_pooling(picture(FOUR))
        assert of(pooled) == [[4.0, 5.0], [7.0, 1.0]]
        assert of(places) == [[4, 7], [8, 10]]  # counted row by row; of the four ones the first

    def test_what_fills_no_block_is_left_out(self) -> None:
        pooled, _ = max_pooling(picture([[1, 2, 9], [3, 4, 9], [9, 9, 9]]))
        assert of(pooled) == [[4.0]]

    def test_unpooling_puts_each_number_back_where_it_stood(self) -> None:
        pooled, places = max_pooling(picture(FOUR))
        assert of(unpooling(pooled, places, (1, 1, 4, 4))) == [
            [0.0, 0.0, 0.0, 0.0],
            [4.0, 0.0, 0.0, 5.0],
            [7.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 0.0],
        ]

    def test_unpooling_makes_a_picture_of_an_odd_size_again(self) -> None:
        pooled, places = max_pooling(picture([[1, 2, 9], [3, 4, 9], [9, 9, 9]]))
        assert of(unpooling(pooled, places, (1, 1, 3, 3))) == [[0.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 0.0]]

    def test_repeating_fills_the_block(self) -> None:
        pooled, _ = max_pooling(picture(FOUR))
        assert of(repeating(pooled, (1, 1, 4, 4))) == [
            [4.0, 4.0, 5.0, 5.0],
            [4.0, 4.0, 5.0, 5.0],
            [7.0, 7.0, 1.0, 1.0],
            [7.0, 7.0, 1.0, 1.0],
        ]

    def test_what_pooling_took_comes_back_by_pooling_again(self) -> None:
        pooled, places = max_pooling(torch.rand(3, 2, 6, 8, generator=torch.Generator().manual_seed(1)))
        for back in (unpooling(pooled, places, (3, 2, 6, 8)), repeating(pooled, (3, 2, 6, 8))):
            assert torch.equal(max_pooling(back)[0], pooled)


class TestDeconvolution:
    """The lecture's example: three numbers, a kernel of three, overlaps added."""

    def test_each_number_lays_the_kernel_and_overlaps_are_added(self) -> None:
        a, b, c = 2.0, 3.0, 5.0
        kernel = flat_kernel(1, 10, 100)
        # a lays  1a 10a 100a
        # b lays      1b  10b 100b
        # c lays           1c  10c 100c        the first and the last are beyond the picture, which keeps its size
        overlaps = [10 * a + b, 100 * a + 10 * b + c, 100 * b + 10 * c]
        assert of(deconvolution(line(a, b, c), kernel)) == [overlaps]

    def test_it_is_a_convolution_with_the_flipped_kernel(self) -> None:
        generator = torch.Generator().manual_seed(1)
        pictures, kernels = torch.randn(2, 4, 5, 6, generator=generator), torch.randn(4, 3, 3, 3, generator=generator)
        flipped = kernels.flip(2, 3).transpose(0, 1)
        torch.testing.assert_close(deconvolution(pictures, kernels), convolution(pictures, flipped))

    def test_it_is_the_transpose_of_convolution(self) -> None:
        generator = torch.Generator().manual_seed(1)
        x, y = torch.randn(1, 3, 5, 6, generator=generator), torch.randn(1, 4, 5, 6, generator=generator)
        kernels = torch.randn(4, 3, 3, 3, generator=generator)
        torch.testing.assert_close(
            (convolution(x, kernels) * y).sum(), (x * deconvolution(y, kernels)).sum(), atol=1e-4, rtol=1e-4
        )


def network(unpool: str, shape=(1, 9, 8), dims: int = 4) -> ConvAutoEncoder:
    return ConvAutoEncoder(shape, (3, 5), dims, unpool, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("unpool", UNPOOLINGS)
class TestConvAutoEncoder:
    @pytest.mark.parametrize("shape", [(1, 9, 8), (3, 12, 7)])
    def test_a_picture_comes_back_in_its_own_shape(self, unpool: str, shape) -> None:
        net = network(unpool, shape)
        pictures = torch.rand(2, *shape)
        codes, remembered = net.encode(pictures)
        assert codes.shape == (2, 4)
        assert [places.shape[1:] for places in remembered] == [torch.Size(size) for size in net.shapes[1:]]
        assert net(pictures)[1].shape == pictures.shape
        assert net.decode(codes).shape == pictures.shape

    def test_it_learns_strokes(self, unpool: str) -> None:
        pictures = torch.zeros(16, 1, 8, 8)
        for place in range(16):  # a row or a column of ink
            pictures[place, 0, place % 8 if place < 8 else slice(None), slice(None) if place < 8 else place % 8] = 1
        net = network(unpool, (1, 8, 8), dims=12)
        optimiser = torch.optim.Adam(net.parameters(), 1e-2)
        losses = []
        for _ in range(150):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net(pictures)[1], pictures)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < losses[0] / 5


def test_with_remembered_places_the_code_is_spared_saying_where() -> None:
    remembered, repeated = network(REMEMBERED), network(REPEATED)
    pictures = torch.rand(2, 1, 9, 8)
    codes, places = remembered.encode(pictures)
    assert torch.equal(remembered(pictures)[1], remembered.decode(codes, places))
    assert torch.equal(repeated(pictures)[1], repeated.decode(codes))
    assert not torch.equal(remembered(pictures)[1], repeated(pictures)[1])


def test_the_same_seed_begins_with_the_same_weights() -> None:
    first, second = (network(REPEATED).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
