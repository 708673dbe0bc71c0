"""The decoder in plain arrays, against sums that a reader can redo on paper."""

import numpy as np
import pytest

from textae.encoding.decoder import Decoder
from textae.encoding.layers import logistic

ONE_LAYER = Decoder(((np.float32([[1, 0, -1], [0, 2, 0]]), np.float32([0, 0, 0.5])),))


def test_the_logistic_function_overflows_nowhere() -> None:
    assert logistic(np.float32([-1e9, 0, 1e9])).tolist() == [0, 0.5, 1]


def test_one_layer_by_hand() -> None:
    assert ONE_LAYER.logits(np.float32([[1, -1]])).tolist() == [[1, -2, -0.5]]


def test_words_are_shares() -> None:
    odds = np.exp([1, -2, -0.5])
    assert ONE_LAYER.words(np.float32([[1, -1]])) == pytest.approx((odds / odds.sum())[None])


def test_two_layers_with_the_logistic_function_between() -> None:
    layers = ((np.float32([[2]]), np.float32([-2])), (np.float32([[4, 8]]), np.float32([0, 1])))
    assert Decoder(layers).logits(np.float32([[1]])).tolist() == [[2, 5]]


def test_codes_of_half_precision_are_read_as_what_they_are() -> None:
    """A code of 0.1 is 0.0999756 on disk; 1,000 times that is 99.9756, where half precision would say 100."""
    decoder = Decoder(((np.float32([[1_000]]), np.float32([0])),))
    logits = decoder.logits(np.float16([[0.1]]))
    assert logits.dtype == np.float32
    assert logits.item() == pytest.approx(99.9756, abs=1e-4)


def test_it_comes_back_from_its_arrays() -> None:
    back = Decoder.from_arrays(ONE_LAYER.arrays())
    assert back.logits(np.float32([[1, -1]])) == pytest.approx(ONE_LAYER.logits(np.float32([[1, -1]])), rel=1e-3)


def test_brightness_is_the_logistic_of_each_logit() -> None:
    decoder = Decoder(((np.array([[0, 1, -1, 100]], np.float32), np.array([0, 0, 0, -200], np.float32)),))
    expected = [[0.5, 0.5, 0.5, 0], [0.5, 0.75, 0.25, 0]]
    assert decoder.brightness(np.array([[0], [np.log(3)]], np.float32)) == pytest.approx(np.array(expected), abs=1e-6)
