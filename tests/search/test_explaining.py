"""Explanations against sums that a reader can redo on paper, and against the scores that they explain."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.analyzer import Analysis
from textae.encoding.bags import Bags
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import DeepEncoder, Encoder, Quantization
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.index.chunked import ChunkedArray
from textae.search.contributions import (
    Contributions,
    bit_contributions,
    code_contributions,
    common_words,
    explanation,
    fused,
    written,
)
from textae.search.query import QueryVector
from textae.search.vectors import AsymmetricIndex, CosineIndex, HammingIndex

SEEDS = st.integers(0, 2**32 - 1)
N_TERMS = 12
ROWS = np.arange(4)


def bags(*rows: dict[int, int]) -> Bags:
    starts = np.cumsum([0, *map(len, rows)])
    terms = np.array([term for row in rows for term in sorted(row)], np.int32)
    return Bags(starts, terms, np.array([row[term] for row in rows for term in sorted(row)], np.uint16))


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def layers(rng: np.random.Generator, *sizes: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    return tuple((normal(rng, n, m), normal(rng, m)) for n, m in itertools.pairwise(sizes))


def quantization(rng: np.random.Generator, dims: int) -> Quantization:
    return Quantization(normal(rng, dims) / 9, normal(rng, dims, 16))


def lsa(rng: np.random.Generator) -> Encoder:
    return replace(Encoder.lsa(normal(rng, N_TERMS, 5), rng.uniform(1, 9, N_TERMS)), quantization=quantization(rng, 5))


def learned(rng: np.random.Generator) -> Encoder:
    """Two heads, of which one has two layers, and topics that have their share."""
    heads = {"instance_layers": layers(rng, 5, 7, 4), "topic_layers": layers(rng, 5, 3)}
    topics = {"topic_mean": normal(rng, 3) / 9, "topic_axes": normal(rng, 3, 3), "topic_weight": 0.5}
    return replace(lsa(rng), **heads, **topics, quantization=quantization(rng, 7))


def deep(rng: np.random.Generator) -> DeepEncoder:
    return DeepEncoder(layers(rng, N_TERMS, 8, 6, 3), quantization(rng, 3))


def some_bags(rng: np.random.Generator, n: int) -> Bags:
    """Of up to 9 words, of which the last two are unknown to the encoder."""
    return bags(
        *(dict(zip(rng.integers(0, N_TERMS + 2, 9).tolist(), rng.integers(1, 5, 9), strict=True)) for _ in range(n))
    )


def some_question(rng: np.random.Generator) -> QueryVector:
    """Of one text, or of several of which some are to be unlike."""
    asked = QueryVector.of(some_bags(rng, 1))
    return (
        asked
        if rng.random() < 0.5
        else replace(asked, texts=some_bags(rng, 3), text_weights=np.float32([1, 0.5, -0.4]))
    )


ENCODERS = pytest.mark.parametrize("encoder_of", [lsa, learned, deep])


class TestCodes:
    def test_the_cosine_of_two_words_by_hand(self) -> None:
        """The question is (3, 4) / 5, by idf; of a document along the first axis it has .6 by the first word alone."""
        encoder = Encoder.lsa(np.eye(2, dtype=np.float32), np.float32([3, 4]))
        query = QueryVector.of(bags({0: 1, 1: 1}))
        along, between = code_contributions(encoder, query, np.float16([[2, 0], [3, 4]]))
        assert along.values == pytest.approx([0.6, 0])
        assert between.values == pytest.approx([0.36, 0.64])
        assert (along.together, between.together) == (0, 0)

    def test_what_layers_give_to_a_word_by_hand(self) -> None:
        """The word gives the code what it changes in an empty text's."""
        first, second = ([[-1, 1], [0, 0]], [0, 0.5]), ([[0, 1], [1, 0]], [0, 0.5])
        network = tuple((np.float32(weight), np.float32(bias)) for weight, bias in (first, second))
        encoder = replace(Encoder.lsa(-np.eye(2, dtype=np.float32), np.ones(2, np.float32)), instance_layers=network)
        # an empty text: relu (0, .5) → (.5, 0) + (0, .5) = (.5, .5)
        # the word, h = (-1, 0): relu (1, -.5) = (1, 0) → (0, 1) + (0, .5), and h: (-1, 1.5), that is (-1.5, 1) more
        found, across = code_contributions(encoder, QueryVector.of(bags({0: 1})), np.float32([[1, 0], [0, 1]]))
        length = 3.25**0.5
        assert (found.values.tolist(), found.together) == (pytest.approx([-1.5 / length]), pytest.approx(0.5 / length))
        assert (across.values.tolist(), across.together) == (pytest.approx([1 / length]), pytest.approx(0.5 / length))

    def test_what_a_logistic_layer_gives_to_words_by_hand(self) -> None:
        """Two words of half a share each: together 2 ln 3 / 2, s = 3/4, so 1/4 more than empty; one gives all of it."""
        first, second = np.float32([[2 * np.log(3)], [0]]), np.float32([[1]])
        nothing = np.zeros(1, np.float32)
        planes = Quantization(nothing, np.ones((1, 8), np.float32))
        encoder = DeepEncoder(((first, nothing), (second, nothing)), planes)
        (found,) = code_contributions(encoder, QueryVector.of(bags({0: 1, 1: 1})), np.float32([[5]]))
        assert found.values == pytest.approx([0.25 / 0.75, 0])
        assert found.together == pytest.approx(0.5 / 0.75)

    @ENCODERS
    @given(SEEDS)
    def test_the_parts_sum_to_the_score(self, encoder_of, seed) -> None:
        rng = np.random.default_rng(seed)
        encoder, query = encoder_of(rng), some_question(rng)
        if rng.random() < 0.5:
            query = replace(query, toward=normal(rng, encoder.dims) / 9)
        codes = encoder.encode(some_bags(rng, 4))
        floats = codes.floats.astype(np.float16)
        cosines = CosineIndex(ChunkedArray([floats]))
        asked = query.codes(encoder)
        found = code_contributions(encoder, query, floats)
        assert [one.score for one in found] == pytest.approx(cosines.scores(asked, ROWS).tolist(), abs=2e-5)
        by_bits = AsymmetricIndex(
            ChunkedArray([codes.bits]), ChunkedArray([np.ones(4, bool)]), encoder.quantization
        ).scores(asked, ROWS)
        told = bit_contributions(encoder, query, codes.bits, by_bits)
        assert [one.score for one in told] == pytest.approx(by_bits.tolist())
        known = sorted({term for term in query.texts.terms.tolist() if term < N_TERMS})
        assert all(one.terms.tolist() == known for one in found + told)

    @given(SEEDS)
    def test_of_a_linear_encoder_nothing_is_left(self, seed) -> None:
        rng = np.random.default_rng(seed)
        found = code_contributions(lsa(rng), some_question(rng), normal(rng, 3, 5))
        assert [one.together for one in found] == [0, 0, 0]

    @ENCODERS
    def test_of_unknown_words_there_is_nothing_to_say(self, encoder_of) -> None:
        encoder = encoder_of(np.random.default_rng(1))
        (found,) = code_contributions(encoder, QueryVector.of(bags({N_TERMS: 1})), np.ones((1, encoder.dims)))
        nothing = QueryVector.of(bags({N_TERMS: 1}))
        (told,) = bit_contributions(encoder, nothing, np.zeros((1, 2), np.uint8), np.zeros(1, np.float32))
        assert (len(found.terms), found.score) == (len(told.terms), told.score) == (0, 0)

    def test_words_that_cancel_out_have_no_code(self) -> None:
        encoder = replace(learned(np.random.default_rng(1)), words=np.zeros((N_TERMS, 5), np.float32))
        (found,) = code_contributions(encoder, QueryVector.of(bags({1: 1, 2: 1})), np.ones((1, 7)))
        assert (found.values.tolist(), found.together) == ([0, 0], 0)

    def test_bits_by_hand(self) -> None:
        """Z = (.6, .8), whose weights sum to 1.4; the document's second bit differs: 1 - 2 · .8 / 1.4."""
        planes = Quantization(np.zeros(2, np.float32), np.eye(2, 8, dtype=np.float32))
        encoder = replace(Encoder.lsa(np.eye(2, dtype=np.float32), np.float32([3, 4])), quantization=planes)
        query, document = QueryVector.of(bags({0: 1, 1: 1})), np.uint8([[0b10000000]])
        index = AsymmetricIndex(ChunkedArray([document]), ChunkedArray([np.ones(1, bool)]), planes)
        scores = index.scores(query.codes(encoder), np.zeros(1, int))
        (found,) = bit_contributions(encoder, query, document, scores)
        assert found.values == pytest.approx([0.6 / 1.4, -0.8 / 1.4])
        assert (found.score, found.together) == (pytest.approx(1 - 1.6 / 1.4), pytest.approx(0, abs=1e-6))
        hamming = HammingIndex(ChunkedArray([document]), ChunkedArray([np.ones(1, bool)]))
        by_signs = hamming.scores(query.codes(encoder), np.zeros(1, int))
        (rounded,) = bit_contributions(encoder, query, document, by_signs)
        assert (rounded.score, by_signs.tolist()) == (pytest.approx(0.75), [0.75])


WORD_OF = {0: "stars", 1: "Planets", 2: "of"}


class TestExplanation:
    KEYWORDS = Contributions(np.int32([0, 1, 2]), np.array([1.0, 3.0, 0.0]), 0.0)
    CODES = Contributions(np.int32([0, 1]), np.array([0.3, -0.1]), 0.05)

    def test_by_hand(self) -> None:
        why = explanation(WORD_OF, *fused(self.KEYWORDS, self.CODES, factors=(0.125, 10)), common=["moon"])
        assert [(part.word, part.share) for part in why.keywords] == [("Planets", 1.5), ("stars", 0.5)]
        assert [(part.word, part.share) for part in why.codes] == [("stars", 3), ("Planets", -1)]
        assert (why.together, why.common, why.score) == (0.5, ("moon",), pytest.approx(4.5))

    def test_codes_that_point_away_count_nothing(self) -> None:
        away = replace(self.CODES, together=-0.5)
        why = explanation(WORD_OF, *fused(self.KEYWORDS, away, factors=(0.25, 10)))
        assert (why.codes, why.together, why.score) == ((), 0, 4)

    def test_one_system_alone(self) -> None:
        assert explanation(WORD_OF, codes=self.CODES).score == pytest.approx(0.25)
        assert explanation(WORD_OF, self.KEYWORDS).codes == ()

    def test_words_are_as_the_question_first_writes_them(self) -> None:
        vectorizer = Vectorizer(Analysis.of("english"), Vocabulary.of(["star", "planet"]))
        assert written(vectorizer, "Of STARS and the planets, planet by star") == {0: "STARS", 1: "planets"}


class TestCommonWords:
    DECODER = Decoder(((np.log(np.float32([[1, 2, 4, 1], [1, 1, 4, 2]])), np.zeros(4, np.float32)),))
    """The first axis has the shares 1/8, 2/8, 4/8, 1/8, the second 1/8, 1/8, 4/8, 2/8."""

    def test_by_hand(self) -> None:
        """Of both at least 1/8, 1/8, 4/8, 1/8, where 1/5, 1/10, 1/5, 1/2 are usual; away from the first, but word 1."""
        usual = np.array([1 / 5, 1 / 10, 1 / 5, 1 / 2])
        documents = np.float32([[0, 1], [0, 1], [-1, 0]])
        assert common_words(self.DECODER, usual, np.float16([1, 0]), documents, 9) == [[2, 1], [2, 1], [1]]
        assert common_words(self.DECODER, usual, np.float16([1, 0]), documents[:1], 1) == [[2]]

    @given(SEEDS)
    def test_each_code_alone_makes_them_likelier_too(self, seed) -> None:
        rng = np.random.default_rng(seed)
        decoder = Decoder(layers(rng, 3, 20))
        usual = decoder.words(np.zeros((1, 3), np.float32))[0].astype(np.float64)
        query, document = normal(rng, 2, 3)
        (terms,) = common_words(decoder, usual, query, document[None], 10)
        lifts = decoder.words(np.stack([query, document]))[:, terms] / usual[terms]
        assert (lifts > 1).all()
        assert common_words(decoder, usual, document, query[None], 10) == [terms]
