"""The encoder in plain arrays, against sums that a reader can redo on paper."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder, Quantization, half_weight_of, project, topic_weights
from textae.encoding.layers import unit

ROWS = arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.floats(-100, 100, width=16))


def bags(*rows: dict[int, int]) -> Bags:
    starts = np.cumsum([0, *map(len, rows)])
    terms = np.array([term for row in rows for term in row], np.int32)
    return Bags(starts, terms, np.array([n for row in rows for n in row.values()], np.uint16))


def encoder(**changed) -> Encoder:
    """Two terms that point along the axes of the plane, of equal idf, no layers, and answers alone."""
    parts = {
        "idf": np.ones(2, np.float32),
        "words": np.eye(2, dtype=np.float32),
        "instance_layers": (),
        "topic_layers": (),
        "topic_mean": np.zeros(0, np.float32),
        "topic_axes": np.zeros((0, 0), np.float32),
        "topic_weight": 0.0,
        "quantization": Quantization(np.zeros(2, np.float32), np.eye(2, 8, dtype=np.float32)),
    }
    return Encoder(**(parts | changed))


class TestUnit:
    def test_by_hand(self) -> None:
        assert unit(np.float32([[3, 4], [0, 0], [0, -2]])) == pytest.approx(np.array([[0.6, 0.8], [0, 0], [0, -1]]))

    @given(ROWS)
    def test_rows_have_unit_length_or_stay_zero(self, rows) -> None:
        lengths = np.linalg.norm(unit(rows), axis=1)
        assert lengths == pytest.approx(rows.any(axis=1).astype(float), abs=1e-5)


def layer(weight, bias) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """A network of one layer."""
    return ((np.float32(weight), np.float32(bias)),)


class TestCodes:
    def test_a_bag_through_the_first_layer_by_hand(self) -> None:
        # both terms once, weighted 3 : 4 by idf, and the second points back along the first axis
        idf, words = np.float32([3, 4]), np.float32([[1, 0], [-1, 1]])
        assert project(bags({0: 1, 1: 1}), idf, words) == pytest.approx(np.array([[0.6 - 0.8, 0.8]]))

    def test_without_layers_the_code_is_the_projection(self) -> None:
        assert encoder().encode(bags({0: 1}, {1: 5}, {0: 1, 1: 1})).floats == pytest.approx(
            np.array([[1, 0], [0, 1], [0.5**0.5, 0.5**0.5]])
        )

    def test_the_layers_by_hand(self) -> None:
        layers = layer([[-1, 1], [0, 0]], [0, 0.5]) + layer([[0, 1], [1, 0]], [0, 0.5])
        # h = (-1, 0); B1 h = (1, -1 + .5); relu → (1, 0); B2 → (0, 1) + (0, .5); h + that = (-1, 1.5)
        code = encoder(words=-np.eye(2, dtype=np.float32), instance_layers=layers).encode(bags({0: 1})).floats
        assert code == pytest.approx(np.array([[-1, 1.5]]) / np.hypot(1, 1.5))

    def test_answers_and_topics_stand_side_by_side(self) -> None:
        # h = (1, 0): the answer is h; the topic is its first number, 1 + 2 = 3 → 1, seen from 3 as 1 - 3 = -2 → -1
        # of one word it has the share .756 · 1 / (1 + 20) = .036, of long texts .756
        quantization = Quantization(np.zeros(3, np.float32), np.eye(3, 8, dtype=np.float32))
        topic = {"topic_mean": np.float32([3]), "topic_axes": np.float32([[5]]), "topic_weight": 0.756}
        model = encoder(topic_layers=layer([[2], [0]], [0]), quantization=quantization, **topic)
        assert model.encode(bags({0: 1})).floats == pytest.approx(np.array([[0.964**0.5, 0, -(0.036**0.5)]]))
        assert model.dims == 3

    def test_the_cosine_is_the_shared_out_sum_of_those_of_answers_and_topics(self) -> None:
        rng = np.random.default_rng(1)
        heads = {"topic_layers": layer(rng.normal(size=(2, 2)), [1, 0]), "topic_axes": np.eye(2, dtype=np.float32)}
        zeros = Quantization(np.zeros(4, np.float32), np.eye(4, 8, dtype=np.float32))
        both = encoder(topic_mean=np.zeros(2, np.float32), topic_weight=0.5, quantization=zeros, **heads)
        codes = both.encode(bags({0: 1}, {0: 1, 1: 2})).floats
        answer, topic = (np.prod([unit(part)[0], unit(part)[1]], axis=0).sum() for part in (codes[:, :2], codes[:, 2:]))
        shares = np.array([0.5 * 1 / 21, 0.5 * 2 / 22])
        expected = np.sqrt(np.prod(1 - shares)) * answer + np.sqrt(np.prod(shares)) * topic
        assert codes[0] @ codes[1] == pytest.approx(expected)

    def test_the_share_of_topics_grows_with_the_words(self) -> None:
        assert topic_weights(0.5, np.array([0, 20, 180])) == pytest.approx([0, 0.25, 0.45])
        assert topic_weights(1.0, np.array([1, 20])).tolist() == [1, 1]
        assert topic_weights(0.0, np.array([1, 20])).tolist() == [0, 0]

    def test_where_documents_are_short_few_words_tell_the_topic(self) -> None:
        assert half_weight_of(np.array([20, 20])) == half_weight_of(np.array([300, 2])) == 20
        assert half_weight_of(np.array([4, 6])) == pytest.approx(20 / 16)
        assert half_weight_of(np.array([], np.int64)) == 0
        assert topic_weights(0.5, np.array([0, 5]), 1.25) == pytest.approx([0, 0.4])

    def test_the_half_weight_is_stored(self) -> None:
        assert Encoder.from_arrays(encoder(half_weight=1.25).arrays()).half_weight == 1.25

    def test_a_topical_encoder_gives_a_short_text_the_share_of_an_endless_one(self) -> None:
        heads = {"topic_layers": layer(np.eye(2), [1, 0]), "topic_axes": np.eye(2, dtype=np.float32)}
        planes = Quantization(np.zeros(4, np.float32), np.eye(4, 8, dtype=np.float32))
        both = encoder(topic_mean=np.zeros(2, np.float32), topic_weight=0.36, quantization=planes, **heads)
        one_word, none = both.topical().encode(bags({0: 1}, {})).floats
        assert np.linalg.norm(one_word[2:]) == pytest.approx(0.6)
        assert np.linalg.norm(one_word[:2]) == pytest.approx(0.8)
        assert not none.any()

    def test_bits_are_the_sides_of_planes_through_the_mean_and_zero_is_no(self) -> None:
        rotation = np.float32([[1, -1, 0, 1, 1, -1, -1, 2], [0] * 8])
        there = encoder(quantization=Quantization(np.zeros(2, np.float32), rotation))
        beyond = encoder(quantization=Quantization(np.float32([9, 0]), rotation))
        assert there.encode(bags({0: 1})).bits.tolist() == [[0b10011001]]
        assert beyond.encode(bags({0: 1})).bits.tolist() == [[0b01000110]]

    def test_bits_stand_for_the_code_in_the_middle_of_their_sides(self) -> None:
        # |mean|² = .36, and of 8 bits each has σ² = .64 / 8: a side is √(2 / π) √.08 from 0
        side = (2 / np.pi * 0.08) ** 0.5
        planes = Quantization(np.float32([0, 0.6]), np.eye(2, 8, dtype=np.float32))
        expected = unit(np.float32([[side, 0.6 - side], [-side, 0.6 + side], [0, 0]]))
        some = planes.floats(np.uint8([[0b10000000], [0b01000000], [0]]), np.array([True, True, False]))
        assert some == pytest.approx(expected, abs=1e-6)

    def test_terms_beyond_the_first_layer_have_no_effect(self) -> None:
        both = encoder().encode(bags({0: 1, 7: 9}, {0: 1})).floats
        assert np.array_equal(both[0], both[1])

    def test_nothing_known_is_zero_whatever_the_layers_add(self) -> None:
        adding = layer(np.zeros((2, 2)), [1, 1])
        codes = encoder(instance_layers=adding).encode(bags({}, {9: 1}, {0: 1}))
        assert codes.floats.any(axis=1).tolist() == [False, False, True]
        assert codes.bits.any(axis=1).tolist() == [False, False, True]

    def test_a_document_is_encoded_alone_as_among_others(self) -> None:
        rng = np.random.default_rng(1)
        model = encoder(instance_layers=layer(rng.normal(size=(2, 2)), rng.normal(size=2)))
        together = model.encode(bags({0: 1}, {0: 2, 1: 1}, {1: 1})).floats
        assert model.encode(bags({0: 2, 1: 1})).floats == pytest.approx(together[1:2], abs=1e-6)

    def test_no_document_at_all(self) -> None:
        codes = encoder().encode(bags())
        assert (codes.floats.shape, codes.bits.shape) == ((0, 2), (0, 1))

    def test_lsa_is_an_encoder_without_layers(self) -> None:
        words = np.random.default_rng(1).normal(size=(2, 8)).astype(np.float32)
        codes = Encoder.lsa(words, np.ones(2, np.float32)).encode(bags({0: 1}))
        assert codes.floats == pytest.approx(unit(words[:1]), abs=1e-6)
        assert np.unpackbits(codes.bits).tolist() == (words[0] > 0).tolist()

    @pytest.mark.parametrize(("depth", "topic_depth"), [(0, 0), (1, 2), (12, 0), (2, 12)])
    def test_it_comes_back_from_its_arrays(self, depth, topic_depth) -> None:
        rng = np.random.default_rng(depth)
        some = [layer(rng.normal(size=(2, 2)), [i, 0])[0] for i in range(depth + topic_depth)]
        zeros = Quantization(np.zeros(4, np.float32), np.eye(4, 8, dtype=np.float32))
        topics = {"topic_mean": np.float32([1, 2]), "topic_axes": np.eye(2, dtype=np.float32), "topic_weight": 0.3}
        layers = {"instance_layers": tuple(some[:depth]), "topic_layers": tuple(some[depth:])}
        whole = encoder(**layers, **topics, quantization=zeros)
        again = Encoder.from_arrays(whole.arrays())
        assert (len(again.instance_layers), len(again.topic_layers)) == (depth, topic_depth)
        assert again.topic_weight == whole.topic_weight
        first, second = (model.encode(bags({0: 1, 1: 2}, {1: 3})) for model in (whole, again))
        assert first.floats.tobytes() == second.floats.tobytes()
        assert first.bits.tobytes() == second.bits.tobytes()
        for (name, array), (other, kept) in zip(whole.arrays().items(), again.arrays().items(), strict=True):
            assert name == other
            assert np.array_equal(array, kept)
