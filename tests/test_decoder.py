"""The decoder in plain arrays, against sums that a reader can redo on paper."""

import numpy as np
import pytest

from textae.decoder import BITS, FLOATS, Decoder, logistic, signs
from textae.encoder import Codes

ONE_LAYER = Decoder(((np.float32([[1, 0, -1], [0, 2, 0]]), np.float32([0, 0, 0.5])),), BITS)


def test_signs_by_hand() -> None:
    assert signs(np.uint8([[0b10100000]])).tolist() == [[1, -1, 1, -1, -1, -1, -1, -1]]


def test_the_logistic_function_overflows_nowhere() -> None:
    assert logistic(np.float32([-1e9, 0, 1e9])).tolist() == [0, 0.5, 1]


def test_one_layer_by_hand() -> None:
    assert ONE_LAYER.logits(np.float32([[1, -1]])).tolist() == [[1, -2, -0.5]]


def test_words_are_shares() -> None:
    odds = np.exp([1, -2, -0.5])
    assert ONE_LAYER.words(np.float32([[1, -1]])) == pytest.approx((odds / odds.sum())[None])


def test_two_layers_with_the_logistic_function_between() -> None:
    layers = ((np.float32([[2]]), np.float32([-2])), (np.float32([[4, 8]]), np.float32([0, 1])))
    assert Decoder(layers, FLOATS).logits(np.float32([[1]])).tolist() == [[2, 5]]


def test_what_is_read_of_codes() -> None:
    codes = Codes(np.array([True]), np.float16([[0.5, 1]]), np.uint8([[255]]))
    assert Decoder((), BITS).read(codes).tolist() == [[1] * 8]
    assert Decoder((), FLOATS).read(codes).tolist() == [[0.5, 1]]


def test_it_comes_back_from_its_arrays() -> None:
    back = Decoder.from_arrays(ONE_LAYER.arrays(), BITS)
    assert back.logits(np.float32([[1, -1]])) == pytest.approx(ONE_LAYER.logits(np.float32([[1, -1]])), rel=1e-3)
