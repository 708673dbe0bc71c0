"""What is asked of codes: one text as it is, several as the direction of their weighted sum."""

from dataclasses import replace

import numpy as np
import pytest

from textae.encoding.bags import Bags
from textae.encoding.encoders import DeepEncoder, Encoder, Quantization
from textae.search.query import QueryVector

AXES = Encoder.lsa(np.eye(3, dtype=np.float32), np.ones(3, np.float32))
"""The code of a text of one word is the axis of that word."""
ENCODER = replace(AXES, quantization=Quantization(np.zeros(3, np.float32), np.eye(3, 8, dtype=np.float32)))


def texts(*terms: int) -> Bags:
    """Texts of one word each."""
    return Bags(np.arange(len(terms) + 1), np.array(terms, np.int32), np.ones(len(terms), np.uint16))


def query(terms: list[int], shares: list[float]) -> QueryVector:
    return replace(QueryVector.of(texts(0)), texts=texts(*terms), text_weights=np.float32(shares))


def test_a_query_asks_for_its_words_as_often_as_it_says_them() -> None:
    asked = QueryVector.of(Bags(np.array([0, 2]), np.int32([4, 7]), np.uint16([1, 3])))
    assert (asked.terms.tolist(), asked.weights.tolist(), asked.text_weights.tolist()) == ([4, 7], [1, 3], [1])


def test_one_text_has_its_own_codes() -> None:
    asked, own = QueryVector.of(texts(1)).codes(ENCODER), ENCODER.encode(texts(1))
    for name in ("has_code", "floats", "bits"):
        assert np.array_equal(getattr(asked, name), getattr(own, name))


def test_a_sum_of_texts_by_hand() -> None:
    """3 · (1, 0, 0) - 4 · (0, 1, 0) is (.6, -.8, 0) of unit length, whose signs are + and -."""
    asked = query([0, 1], [3, -4]).codes(ENCODER)
    assert asked.floats[0] == pytest.approx([0.6, -0.8, 0])
    assert asked.has_code.tolist() == [True]
    assert np.unpackbits(asked.bits, axis=1)[0, :2].tolist() == [1, 0]


def test_one_text_that_is_not_wanted_asks_for_the_opposite() -> None:
    asked = query([2], [-0.25]).codes(ENCODER)
    assert asked.floats[0] == pytest.approx([0, 0, -1])
    assert np.unpackbits(asked.bits, axis=1)[0, 2] == 0


def test_the_codes_of_a_query_that_moved_are_made_once_for_each_place() -> None:
    asked = query([0], [1])
    assert asked.codes(ENCODER).floats[0] == pytest.approx([1, 0, 0])
    for more in (1, -1):
        there = asked.moved(np.float32([0, more, 0]))
        assert there.codes(ENCODER) is there.codes(ENCODER)
        assert there.codes(ENCODER).floats[0] == pytest.approx([0.5**0.5, more * 0.5**0.5, 0])


def test_texts_of_any_length_count_by_their_shares() -> None:
    """A deep stack's codes have any length: 2 and -6 on its one axis. Both count alike, so nothing is left."""
    layers = ((np.float32([[2], [-6]]), np.zeros(1, np.float32)),)
    deep = DeepEncoder(layers, Quantization(np.zeros(1, np.float32), np.ones((1, 8), np.float32)))
    asked = query([0, 1], [1, 1]).codes(deep)
    assert (asked.has_code.tolist(), asked.floats.tolist()) == ([False], [[0]])
    assert query([0, 1], [1, 2]).codes(deep).floats.tolist() == [[-1]]


@pytest.mark.parametrize("terms, shares", [([0, 0], [1, -1]), ([7, 7], [1, 1]), ([], [])])
def test_what_says_nothing_is_not_known(terms, shares) -> None:
    """Texts that cancel out, unknown words, and no text at all."""
    known = [term for term in terms if term < 3]
    starts = np.arange(len(terms) + 1) if known == terms else np.zeros(len(terms) + 1, int)
    bags = Bags(starts, np.array(known, np.int32), np.ones(len(known), np.uint16))
    asked = replace(query([0], [1]), texts=bags, text_weights=np.float32(shares)).codes(ENCODER)
    assert (asked.has_code.tolist(), asked.floats.tolist()) == ([False], [[0, 0, 0]])
    assert not asked.bits.any()
