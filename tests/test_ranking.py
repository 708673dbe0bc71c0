"""Systems as one thing, put together and ranked."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.encoder import Encoder
from textae.index import CosineIndex, HammingIndex
from textae.ranking import CodeSearch, Hybrid, spread_to_one, top
from textae.vectorizer import Bags

SCORES = st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0]), max_size=30)
NOBODY = Bags(np.zeros(2, np.int64), np.empty(0, np.int32), np.empty(0, np.uint16))


@dataclass
class Fixed:
    """A system that has made up its mind."""

    found: list[float]

    def scores(self, queries: Bags):
        return np.array([self.found] * len(queries), np.float32)


class TestTop:
    @given(SCORES, st.integers(-1, 35), st.sampled_from([-np.inf, -1.5, 0.0, 1.0]))
    def test_it_is_the_head_of_a_stable_sort(self, scores, k, above) -> None:
        ranked = sorted((i for i, score in enumerate(scores) if score > above), key=lambda i: (-scores[i], i))
        assert top(np.array(scores, np.float32), k, above).tolist() == ranked[: max(k, 0)]

    def test_equal_scores_at_the_cut_go_to_the_earlier_documents(self) -> None:
        assert top(np.float32([1, 2, 1, 2, 1]), 3).tolist() == [1, 3, 0]

    def test_what_is_excluded_never_comes(self) -> None:
        assert top(np.float32([0.1, -np.inf, 0.2]), 3, above=-np.inf).tolist() == [2, 0]


class TestSpread:
    def test_by_hand(self) -> None:
        # 1 and 3 lie one standard deviation from their mean
        assert spread_to_one(np.float32([[1, 3], [10, 30]])).tolist() == [[1, 3], [1, 3]]

    @given(st.floats(-100, 100, width=32), st.integers(1, 2_000))
    def test_equal_scores_stay_whatever_rounding_makes_of_their_spread(self, score, n) -> None:
        scores = np.full((1, n), score, np.float32)
        assert np.array_equal(spread_to_one(scores), scores)

    @given(st.lists(st.floats(0, 1, width=16), min_size=2, max_size=20), st.sampled_from([0.25, 8.0, 1024.0]))
    def test_the_scale_of_a_system_does_not_matter(self, scores, scale) -> None:
        row = np.array([scores], np.float32)
        if row.std() > 1e-3:
            assert spread_to_one(row * np.float32(scale)) == pytest.approx(spread_to_one(row), rel=1e-4)


class TestHybrid:
    def test_by_hand(self) -> None:
        keywords, codes = Fixed([0, 2, 2, 4]), Fixed([0.3, 0.1, 0.1, 0.3])  # deviations √2 and .1
        fused = Hybrid(keywords, codes, 0.5).scores(NOBODY)
        assert fused[0] == pytest.approx([1.5, 2**0.5 + 0.5, 2**0.5 + 0.5, 8**0.5 + 1.5], rel=1e-5)

    def test_where_the_words_say_nothing_the_codes_decide(self) -> None:
        assert top(Hybrid(Fixed([0, 0, 0]), Fixed([0.1, 0.3, 0.2]), 0.5).scores(NOBODY)[0], 3).tolist() == [1, 2, 0]

    def test_where_all_documents_say_the_word_alike_the_codes_decide(self) -> None:
        fused = Hybrid(Fixed([0.1] * 1_000), Fixed([i / 1_000 for i in range(1_000)]), 0.5).scores(NOBODY)
        assert top(fused[0], 1_000).tolist() == list(range(999, -1, -1))

    def test_where_the_codes_say_nothing_the_words_decide(self) -> None:
        assert top(Hybrid(Fixed([1, 3, 2]), Fixed([0, 0, 0]), 0.5).scores(NOBODY)[0], 3).tolist() == [1, 2, 0]


class TestCodeSearch:
    """Two documents along the axes and one between them, asked by their own terms."""

    ENCODER = Encoder.lsa(np.eye(2, 8, dtype=np.float32), np.ones(2, np.float32))
    CORPUS = Bags(np.array([0, 1, 2, 4]), np.array([0, 1, 0, 1], np.int32), np.ones(4, np.uint16))

    @pytest.mark.parametrize("kind", ["floats", "bits"])
    def test_a_document_is_its_own_best_match(self, kind) -> None:
        codes = self.ENCODER.encode(self.CORPUS)
        index = CosineIndex(codes) if kind == "floats" else HammingIndex(codes)
        scores = CodeSearch(self.ENCODER, index).scores(self.CORPUS)
        assert scores.diagonal() == pytest.approx([1, 1, 1])
        assert (scores < 1 + 1e-6).all()
        assert [top(row, 1).tolist() for row in scores] == [[0], [1], [2]]

    @pytest.mark.parametrize("kind", ["floats", "bits"])
    def test_a_query_of_unknown_words_finds_nothing(self, kind) -> None:
        codes = self.ENCODER.encode(self.CORPUS)
        index = CosineIndex(codes) if kind == "floats" else HammingIndex(codes)
        assert top(CodeSearch(self.ENCODER, index).scores(NOBODY)[0], 10).tolist() == []
