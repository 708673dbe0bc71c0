"""Systems as one thing, put together and ranked."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import QUICK, TINY

from textae import Engine
from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder
from textae.encoding.topk import TopK, top_k
from textae.index.chunked import ChunkedArray
from textae.index.postings import Postings, Removed, Statistics
from textae.search import retrievers as ranking
from textae.search.lexical import BM25
from textae.search.query import QueryVector
from textae.search.retrievers import CodeSearch, Hybrid
from textae.search.vectors import CodeIndex, CosineIndex, HammingIndex

SCORES = st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0]), max_size=30)


class TestTop:
    @given(SCORES, st.integers(-1, 35), st.sampled_from([-np.inf, -1.5, 0.0, 1.0]))
    def test_it_is_the_head_of_a_stable_sort(self, scores, k, min_score) -> None:
        ranked = sorted((i for i, score in enumerate(scores) if score > min_score), key=lambda i: (-scores[i], i))
        assert top_k(np.array(scores, np.float32), k, min_score).tolist() == ranked[: max(k, 0)]

    def test_equal_scores_at_the_cut_go_to_the_earlier_documents(self) -> None:
        assert top_k(np.float32([1, 2, 1, 2, 1]), 3).tolist() == [1, 3, 0]

    def test_what_is_excluded_never_comes(self) -> None:
        assert top_k(np.float32([0.1, -np.inf, 0.2]), 3, min_score=-np.inf).tolist() == [2, 0]


class TestFound:
    def test_of_equal_scores_the_lower_row_comes_first(self) -> None:
        found = TopK.of_rows(np.array([3, 5, 8, 9]), np.float32([1, 2, 2, 0]), 3)
        assert (found.rows.tolist(), found.scores.tolist()) == ([5, 8, 3], [2, 2, 1])

    def test_among_some_of_all(self) -> None:
        scores, mask = np.float32([4, 1, 3, 2]), np.array([False, True, True, True])
        assert TopK.of_scores(scores, 2, mask).rows.tolist() == [2, 3]
        assert TopK.of_scores(scores, 2, None).rows.tolist() == [0, 2]


def bags_of(*rows) -> Bags:
    """Bags of terms that occur once."""
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    terms = np.concatenate([np.empty(0), *rows]).astype(np.int32)
    return Bags(starts, terms, np.ones(len(terms), np.uint16))


NOTHING = QueryVector.of(bags_of([]))


class Collection:
    """Bags, and the systems that search them: codes are sums of random vectors of their words."""

    def __init__(self, bags: Bags, n_terms: int) -> None:
        words = np.random.default_rng(1).standard_normal((n_terms, 8)).astype(np.float32)
        encoder = Encoder.lsa(words, np.ones(n_terms, np.float32))
        codes = encoder.encode(bags)
        postings = [Postings.of(bags, np.ones(n_terms, np.float32))]
        self.bm25 = BM25(postings, Statistics(postings, [Removed.none()]))
        columns = (ChunkedArray([array]) for array in (codes.floats, codes.bits, codes.has_code))
        self.codes = CodeSearch(encoder, CodeIndex(*columns))
        self.hybrid = Hybrid(self.bm25, self.codes)
        self.rows = np.arange(len(bags))


def random_bags(n: int, n_terms: int) -> Bags:
    rng = np.random.default_rng(2)
    often = 1 / np.arange(1, n_terms + 1)
    return bags_of(*(np.unique(rng.choice(n_terms, 12, p=often / often.sum())) for _ in range(n)))


THOUSAND = Collection(random_bags(1_000, 60), 60)


class TestHybrid:
    QUESTION = QueryVector.of(bags_of([0, 3, 17, 40]))

    @pytest.fixture
    def many(self) -> Collection:
        return Collection(random_bags(3_000, 60), 60)

    def test_it_is_the_equation(self, many) -> None:
        words = many.bm25.scores(self.QUESTION, many.rows)
        codes = many.codes.scores(self.QUESTION, many.rows)
        by_words = words / many.bm25.most(self.QUESTION) * words / words.max()
        weight = ranking.WEIGHT + 4 / ranking.LONG
        expected = (by_words + weight * np.maximum(codes, 0)) / (1 + weight)
        assert many.hybrid.scores(self.QUESTION, many.rows) == pytest.approx(expected, rel=1e-5)

    def test_the_best_by_keywords_is_that_of_all_rows_that_are_not_removed(self, many) -> None:
        """A filter changes no score."""
        words = many.bm25.scores(self.QUESTION, many.rows)
        alive = many.rows != words.argmax()
        hybrid = replace(many.hybrid, alive=alive)
        for mask in (alive, alive & (many.rows % 3 == 1)):
            query = replace(self.QUESTION)  # which remembers no search
            found = hybrid.search(query, 10, mask)
            assert hybrid.best(query) == words[alive].max() < words.max()
            assert found.scores.tolist() == hybrid.scores(replace(query), found.rows).tolist()

    def test_a_document_of_the_words_alone_endlessly_often_scores_1_and_less_with_each_word_that_is_missing(
        self,
    ) -> None:
        often = Bags(np.array([0, 2, 3, 4]), np.array([0, 1, 2, 3], np.int32), np.uint16([65_535, 65_535, 1, 1]))
        corpus = Collection(often, 4)
        query = QueryVector.of(bags_of([0, 1]))
        by_missing = [corpus.hybrid.scores(replace(query, missing=n), np.arange(1))[0] for n in range(3)]
        assert by_missing[0] == pytest.approx(1, abs=1e-3)
        assert by_missing[0] > by_missing[1] > by_missing[2] > 0

    @given(st.lists(st.integers(0, 59), min_size=1, max_size=20), st.integers(0, 5))
    def test_scores_are_from_0_to_1(self, words, missing) -> None:
        many = Collection(random_bags(200, 60), 60)
        scores = many.hybrid.scores(QueryVector.of(bags_of(sorted(set(words))), missing=missing), many.rows)
        assert np.all((scores >= 0) & (scores <= 1))

    def test_what_is_found_is_scored_as_alone(self, many) -> None:
        found = many.hybrid.search(self.QUESTION, 10)
        assert len(found.rows) == 10
        assert found.scores.tolist() == many.hybrid.scores(self.QUESTION, found.rows).tolist()

    @pytest.mark.parametrize(("k", "min_score"), [(10, -np.inf), (3_000, -np.inf), (750, 0.0), (5_000, 0.0)])
    def test_where_the_pool_is_everything_the_ranking_is_that_of_all(self, many, k, min_score) -> None:
        """Also where all are ranked, what scores 0 too; four are pooled for each that is sought."""
        everything = many.hybrid.scores(self.QUESTION, many.rows)
        assert (
            many.hybrid.search(self.QUESTION, k, min_score=min_score).rows.tolist()
            == top_k(everything, k, min_score).tolist()
        )

    def test_the_pool_is_the_best_of_both(self, many, monkeypatch) -> None:
        monkeypatch.setattr(ranking, "POOL", 2)
        everything = many.hybrid.scores(self.QUESTION, many.rows)
        pool = {row for system in (many.bm25, many.codes) for row in system.search(self.QUESTION, 4).rows.tolist()}
        best = sorted(pool, key=lambda row: (-everything[row], row))[:1]
        assert many.hybrid.search(self.QUESTION, 1).rows.tolist() == best

    @pytest.mark.parametrize("pool", [1, 8, 40])
    @given(
        words=st.sets(st.integers(0, 59), min_size=1, max_size=8),
        k=st.integers(1, 12),
        every=st.integers(1, 3),
        towards=st.booleans(),
    )
    def test_codes_that_are_not_searched_would_change_nothing(self, pool, words, k, every, towards) -> None:
        """However small the pool is, with a filter, and in a second look."""
        query, mask = QueryVector.of(bags_of(sorted(words))), None if every == 1 else THOUSAND.rows % every == 0
        first = THOUSAND.hybrid.search(query, k, mask)
        if towards and len(first.rows):
            query = query.moved(THOUSAND.codes.index.floats.take(first.rows[:1])[0])
        searched, search = [], THOUSAND.codes.index.search
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ranking, "POOL", pool)
            patch.setattr(THOUSAND.codes.index, "search", lambda *args: (searched.append(args[1]), search(*args))[1])
            found = THOUSAND.hybrid.search(query, k, mask)
        alone = replace(query)  # which remembers no search
        if not searched:  # then no other row can be better
            every_row = THOUSAND.rows if mask is None else np.flatnonzero(mask)
            best = TopK.of_rows(every_row, THOUSAND.hybrid.scores(alone, every_row), k)
            assert found.rows.tolist() == best.rows.tolist()
        parts = [system.search(alone, max(pool, 4 * k), mask).rows for system in (THOUSAND.bm25, THOUSAND.codes)]
        rows = np.unique(np.concatenate(parts))
        expected = TopK.of_rows(rows, THOUSAND.hybrid.scores(alone, rows), k)
        assert found.rows.tolist() == expected.rows.tolist()
        assert found.scores.tolist() == expected.scores.tolist()

    def test_codes_are_not_searched_where_they_cannot_matter(self, monkeypatch) -> None:
        """Three documents say the whole query, and no other says any of it; where four are sought, codes decide."""
        corpus = Collection(bags_of(*([0, 1], [0, 1], [0, 1], *([2 + n % 40] for n in range(300)))), 60)
        searched, search = [], corpus.codes.index.search
        monkeypatch.setattr(corpus.codes.index, "search", lambda *args: (searched.append(args[1]), search(*args))[1])
        query = QueryVector.of(bags_of([0, 1]))
        assert corpus.hybrid.search(query, 3).rows.tolist() == [0, 1, 2]
        assert searched == []
        assert len(corpus.hybrid.search(query, 4).rows) == 4
        assert searched == [100]

    def test_only_rows_that_may_be_are_found(self, many) -> None:
        mask = many.rows % 3 == 1
        found = many.hybrid.search(self.QUESTION, 20, mask)
        assert len(found.rows) == 20
        assert mask[found.rows].all()

    def test_where_the_words_say_nothing_the_codes_decide(self) -> None:
        """All documents hold the word alike."""
        same = Collection(bags_of([0, 1], [0, 2], [0, 3]), 4)
        query = QueryVector.of(bags_of([0]))
        expected = same.codes.search(query, 3, min_score=-np.inf).rows.tolist()
        assert same.hybrid.search(query, 3).rows.tolist() == expected

    def test_where_the_words_say_almost_the_same_the_codes_decide(self) -> None:
        """The lengths differ a little, and so little is not stretched to a scale."""
        almost = Collection(bags_of([0, *range(1, 30)], [0, *range(30, 60)]), 60)
        query = QueryVector.of(bags_of([0]))
        assert almost.bm25.search(query, 2).rows.tolist() == [0, 1]
        assert almost.codes.search(query, 2).rows.tolist() == [1]
        assert almost.hybrid.search(query, 2).rows.tolist() == [1, 0]

    def test_a_question_of_unknown_words_finds_nothing(self, many) -> None:
        assert many.hybrid.search(NOTHING, 10).rows.tolist() == []
        assert many.hybrid.search(NOTHING, 3, min_score=-np.inf).rows.tolist() == [0, 1, 2]


class TestCodeSearch:
    """Two documents along the axes and one between them, asked by their own terms."""

    ENCODER = Encoder.lsa(np.eye(2, 8, dtype=np.float32), np.ones(2, np.float32))
    CORPUS = Bags(np.array([0, 1, 2, 4]), np.array([0, 1, 0, 1], np.int32), np.ones(4, np.uint16))

    @pytest.fixture(params=["floats", "bits", "both"])
    def search(self, request) -> CodeSearch:
        codes = self.ENCODER.encode(self.CORPUS)
        floats, bits, known = (ChunkedArray([array]) for array in (codes.floats, codes.bits, codes.has_code))
        kinds = {"floats": CosineIndex(floats), "bits": HammingIndex(bits, known)}
        return CodeSearch(self.ENCODER, kinds.get(request.param) or CodeIndex(floats, bits, known))

    def test_a_document_is_its_own_best_match(self, search) -> None:
        for row in range(3):
            found = search.search(QueryVector.of(self.CORPUS.rows(row, row + 1)), 1)
            assert (found.rows.tolist(), found.scores) == ([row], pytest.approx([1]))

    def test_a_question_of_unknown_words_finds_nothing(self, search) -> None:
        assert search.search(NOTHING, 10).rows.tolist() == []
        assert search.scores(NOTHING, np.arange(3)).tolist() == [0, 0, 0]


def test_pages_neither_repeat_nor_skip_a_hit(tmp_path, monkeypatch) -> None:
    """One candidate of each system, as if the corpus were a hundred times as large."""
    monkeypatch.setattr(ranking, "POOL", 1)
    rng, words = random.Random(1), [f"word{number}" for number in range(200)]
    weights = [1 / (1 + number) for number in range(200)]
    corpus = [" ".join(rng.choices(words, weights, k=20)) for _ in range(400)]
    with Engine.create(tmp_path / "index") as engine:
        engine.index(corpus, model=TINY, train=QUICK)
        for word in words[3:12]:
            pages = [hit.id for first in range(40) for hit in engine.search(word, k=1, offset=first)]
            assert pages == [hit.id for hit in engine.search(word, k=40)]
