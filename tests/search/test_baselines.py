"""The vector space model, BM25 and LSA against numbers that a reader can redo on paper."""

import itertools
from dataclasses import replace
from math import hypot, log
from pathlib import Path

import numpy as np
import pytest
from counts import IDF, N_TERMS, bags_of
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.analyzer import Analysis
from textae.encoding.arrays import Mask
from textae.encoding.counting import Counter
from textae.encoding.topk import TopK
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.weighting import idf, tfidf
from textae.index.postings import Postings, Removed, Statistics
from textae.search import lexical as baselines
from textae.search.lexical import BM25, VectorSpace
from textae.search.query import QueryVector
from textae.training.lsa import fit_lsa

# Three documents of 3, 2 and 4 words (3 at the mean); "cat" is in two of them, the rest in one each.
CORPUS = ("cat sat mat", "cat cat", "dog ran far away")
IDF_ONE = log(1 + (3 - 1 + 0.5) / (1 + 0.5))
IDF_TWO = log(1 + (3 - 2 + 0.5) / (2 + 0.5))
TWICE = 1 + log(2)


class UniformCorpus:
    def __init__(self, texts, folder: Path) -> None:
        counter = Counter(Analysis.of(None), folder)
        for text in texts:
            counter.add(text)
        vocabulary, tokens, frequency = counter.finish()
        self.bags = tokens.bags()
        self.vectorizer = Vectorizer(Analysis.of(None), vocabulary)
        self.idf = idf(frequency, len(self.bags))
        self.postings = Postings.of(self.bags, self.idf)
        self.rows = np.arange(len(self.bags))
        self.bm25 = BM25([self.postings], Statistics([self.postings], [Removed.none()]))
        self.tfidf = VectorSpace([self.postings], self.idf, unseen=5.0)

    def ask(self, query: str) -> QueryVector:
        return QueryVector.of(self.vectorizer.transform([query]))


@pytest.fixture
def three(tmp_path) -> UniformCorpus:
    return UniformCorpus(CORPUS, tmp_path)


class TestVectorSpace:
    def test_by_hand(self, three) -> None:
        first = IDF_TWO / hypot(IDF_TWO, IDF_ONE, IDF_ONE)  # of "cat" in "cat sat mat"
        assert three.tfidf.scores(three.ask("cat"), three.rows) == pytest.approx([first, 1, 0])
        cat, dog = IDF_TWO / hypot(IDF_TWO, IDF_ONE), IDF_ONE / hypot(IDF_TWO, IDF_ONE)
        scores = three.tfidf.scores(three.ask("cat dog"), three.rows)
        assert scores == pytest.approx([cat * first, cat, dog / 2])  # "dog" is one of four equal weights

    def test_it_is_the_product_of_the_dense_matrices(self, three) -> None:
        dense = np.zeros((3, 7))
        dense[three.bags.row_of, three.bags.terms] = tfidf(three.bags, three.idf)
        scores = [three.tfidf.scores(three.ask(text), three.rows) for text in CORPUS]
        assert np.array(scores) == pytest.approx(dense @ dense.T, abs=1e-6)

    def test_texts_are_added_by_their_shares_and_taken_away(self, three) -> None:
        texts = three.vectorizer.transform(["cat", "dog"])
        shares = np.float32([1, -2])
        query = QueryVector(texts.terms, np.float32([1, 1]), texts, shares)
        alone = [three.tfidf.scores(three.ask(word), three.rows) for word in ("cat", "dog")]
        assert three.tfidf.scores(query, three.rows) == pytest.approx((shares @ np.array(alone)) / 5**0.5)

    def test_terms_that_came_later_have_the_idf_of_the_unseen(self) -> None:
        learned, later = IDF[:4], np.append(IDF[:4], np.float32([5, 5]))
        postings = Postings.of(bags_of([[1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 2]]), later)
        query = QueryVector.of(bags_of([[1, 0, 0, 0, 2, 1]]))
        rows = np.arange(2)
        found = VectorSpace([postings], learned, unseen=5.0).scores(query, rows)
        assert found.tolist() == VectorSpace([postings], later, unseen=0.0).scores(query, rows).tolist()


class TestBM25:
    def test_by_hand(self, three) -> None:
        # k1 = 1.2, b = .75; document 0 has the mean length, so tf / (tf + k1) saturates alone
        once = IDF_TWO * 1 * 2.2 / (1 + 1.2)
        twice = IDF_TWO * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 2 / 3))
        dog = IDF_ONE * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 4 / 3))
        query = three.ask("cat dog")
        assert three.bm25.scores(query, three.rows) == pytest.approx([once, twice, dog])
        found = three.bm25.search(query, 2)
        assert (found.rows.tolist(), found.scores) == (
            [1, 2] if twice > dog else [2, 1],
            pytest.approx(sorted([twice, dog], reverse=True)),
        )

    def test_a_term_that_a_query_repeats_counts_as_often(self, three) -> None:
        once, twice = (three.bm25.scores(three.ask(query), three.rows) for query in ("cat", "cat cat"))
        assert twice == pytest.approx(2 * once)

    def test_shares_are_the_terms_of_the_sum(self, three) -> None:
        query = three.ask("cat dog mat")
        shares = three.bm25.contributions(query, np.array([0]))[1][0]
        alone = [
            three.bm25.scores(three.ask(three.vectorizer.vocabulary.term(term)), three.rows)[0] for term in query.terms
        ]
        assert shares == pytest.approx(alone)
        assert shares.sum() == pytest.approx(three.bm25.scores(query, three.rows)[0])


@pytest.mark.parametrize("name", ["tfidf", "bm25"])
class TestBoth:
    def test_unknown_words_score_nothing(self, three, name) -> None:
        system = getattr(three, name)
        for query in ("zebra", ""):
            assert not system.scores(three.ask(query), three.rows).any()
            assert system.search(three.ask(query), 3).rows.tolist() == []
            assert system.search(three.ask(query), 3, min_score=-np.inf).rows.tolist() == [0, 1, 2]
        known = (system.scores(three.ask(query), three.rows).tolist() for query in ("zebra cat", "cat"))
        assert next(known) == next(known)

    def test_a_document_is_its_own_best_match(self, three, name) -> None:
        assert [getattr(three, name).search(three.ask(text), 1).rows.tolist() for text in CORPUS] == [[0], [1], [2]]

    def test_documents_without_a_word_are_found_by_nothing(self, tmp_path, name) -> None:
        corpus_of_one_kind = UniformCorpus(["", "cat", ""], tmp_path)
        assert getattr(corpus_of_one_kind, name).search(corpus_of_one_kind.ask("cat"), 3).rows.tolist() == [1]


ROWS = st.lists(
    st.lists(st.sampled_from([0, 0, 1, 1, 2, 9]), min_size=N_TERMS, max_size=N_TERMS), min_size=1, max_size=40
)


@st.composite
def corpora(draw):
    """Segments of a corpus with removed rows, a question, a mask or none, and how many are asked for."""
    rows = draw(ROWS)
    ends = [0, *sorted(draw(st.lists(st.integers(0, len(rows)), max_size=2))), len(rows)]
    postings = [Postings.of(bags_of(rows[a:b]), IDF) for a, b in itertools.pairwise(ends)]
    removed = [
        Removed.of(np.array(sorted(draw(st.sets(st.integers(0, len(part) - 1)))), int), part)
        if len(part)
        else Removed.none()
        for part in postings
    ]
    terms = np.array(sorted(draw(st.sets(st.integers(0, N_TERMS - 1), min_size=1))), np.int32)
    weights = draw(st.lists(st.sampled_from([0.25, 1.0, 3.0]), min_size=len(terms), max_size=len(terms)))
    query = QueryVector(
        terms, np.float32(weights), bags_of([np.isin(np.arange(N_TERMS), terms)]), np.ones(1, np.float32)
    )
    mask = (
        np.array(draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))) if draw(st.booleans()) else None
    )
    return postings, removed, query, mask, draw(st.integers(0, len(rows) + 2))


def exhaustive(system, query: QueryVector, n: int, k: int, mask: Mask | None, min_score: float) -> TopK:
    """Score all, sort all; the query remembers no search."""
    scores = system.scores(replace(query), np.arange(n))
    ranked = sorted(
        (i for i in range(n) if (mask is None or mask[i]) and scores[i] > min_score), key=lambda i: (-scores[i], i)
    )
    return TopK(np.array(ranked[:k], np.int64), scores[ranked[:k]])


class TestSearch:
    """What a search finds is what is found by scoring everything, to the last bit."""

    @pytest.mark.parametrize(("long", "looked_up"), [(0, 0), (5, 0), (0, 8), (50_000, 8)])
    @pytest.mark.parametrize("few", [0, 1_000])
    @given(corpus=corpora(), min_score=st.sampled_from([0.0, 0.5, -np.inf]))
    def test_bm25(self, long, looked_up, few, corpus, min_score) -> None:
        """However soon it looks ahead, wherever it stops, and whether or not a mask's rows are scored one by one."""
        postings, removed, query, mask, k = corpus
        system = BM25(postings, Statistics(postings, removed))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(baselines, "_LONG", long)
            patch.setattr(baselines, "_LOOKED_UP", looked_up)
            patch.setattr(baselines, "_FEW", few)
            found = system.search(query, k, mask, min_score)
            scores = system.scores(query, np.arange(len(system)))
        self.same(found, exhaustive(system, query, len(system), k, mask, min_score))
        assert scores.tobytes() == BM25(postings, system.statistics).scores(query, np.arange(len(system))).tobytes()

    @given(corpora())
    def test_another_search_in_between_changes_no_score(self, corpus) -> None:
        """The sums of the last search belong to its query alone."""
        postings, removed, query, mask, k = corpus
        system, rows = BM25(postings, Statistics(postings, removed)), np.arange(sum(map(len, postings)))
        other = QueryVector.of(bags_of([[1, 0, 2, 0, 1, 1]]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(baselines, "_FEW", 0)
            system.search(query, k, mask)
            system.search(other, k, mask)
            scores = [system.scores(one, rows).tobytes() for one in (query, other)]
        fresh = BM25(system.postings, system.statistics)
        assert scores == [fresh.scores(one, rows).tobytes() for one in (query, other)]

    @given(corpus=corpora(), min_score=st.sampled_from([0.0, 0.5, -np.inf]))
    def test_the_vector_space_model(self, corpus, min_score) -> None:
        postings, _, query, mask, k = corpus
        system = VectorSpace(postings, IDF, 1.0)
        n = sum(map(len, postings))
        self.same(system.search(query, k, mask, min_score), exhaustive(system, query, n, k, mask, min_score))

    def same(self, found: TopK, expected: TopK) -> None:
        assert (found.rows.dtype, found.scores.dtype) == (np.int64, np.float32)
        assert found.rows.tolist() == expected.rows.tolist()
        assert found.scores.tolist() == expected.scores.tolist()

    @given(corpora())
    def test_segments_do_not_matter(self, corpus) -> None:
        postings, _, query, mask, k = corpus
        bags = [part.bags() for part in postings]
        dense = np.zeros((sum(map(len, bags)), N_TERMS), int)
        first = 0
        for part in bags:
            dense[first + part.row_of, part.terms] = part.counts
            first += len(part)
        whole = [Postings.of(bags_of(dense), IDF)]
        for make in (
            lambda parts: BM25(parts, Statistics(parts, [Removed.none()] * len(parts))),
            lambda parts: VectorSpace(parts, IDF, 1.0),
        ):
            self.same(make(postings).search(query, k, mask), make(whole).search(query, k, mask))

    def test_much_is_left_unwalked(self, monkeypatch) -> None:
        """A rare word that two documents say decides; the word that all others say is looked up in these alone."""
        rows = np.zeros((300, N_TERMS), int)
        rows[:, 5] = 1
        rows[[40, 200], 0] = 3
        postings = [Postings.of(bags_of(rows), IDF)]
        system = BM25(postings, Statistics(postings, [Removed.none()]))
        monkeypatch.setattr(baselines, "_LONG", 100)
        walked = []
        monkeypatch.setattr(
            system, "_walk", lambda term, sums, walk=system._walk: (walked.append(len(term)), walk(term, sums))
        )
        query = QueryVector.of(bags_of([[1, 0, 0, 0, 0, 1]]))
        assert system.search(query, 2).rows.tolist() == [40, 200]
        assert walked == [2]


class TestLSA:
    def matrix(self, corpus_of_one_kind: UniformCorpus):
        dense = np.zeros((len(corpus_of_one_kind.bags), len(corpus_of_one_kind.idf)))
        dense[corpus_of_one_kind.bags.row_of, corpus_of_one_kind.bags.terms] = tfidf(
            corpus_of_one_kind.bags, corpus_of_one_kind.idf
        )
        return dense

    def test_the_vectors_keep_as_much_of_the_matrix_as_those_of_the_exact_decomposition(self, tmp_path) -> None:
        rng = np.random.default_rng(2)
        often = 1 / np.arange(1, 81)
        corpus_of_one_kind = UniformCorpus(
            [" ".join(f"w{i}" for i in rng.choice(80, 12, p=often / often.sum())) for _ in range(200)], tmp_path
        )
        found = fit_lsa(corpus_of_one_kind.bags, corpus_of_one_kind.idf, 4, seed=1)
        spread = np.linalg.svd(self.matrix(corpus_of_one_kind), compute_uv=False)[:4]
        assert found.shape == (len(corpus_of_one_kind.idf), 4)
        assert found.T @ found == pytest.approx(np.eye(4), abs=1e-5)
        assert np.linalg.norm(self.matrix(corpus_of_one_kind) @ found, axis=0) == pytest.approx(spread, rel=0.02)

    def test_same_seed_same_bytes(self, three) -> None:
        first, second = (fit_lsa(three.bags, three.idf, 2, seed=7).tobytes() for _ in range(2))
        assert first == second

    @pytest.mark.parametrize(
        ("texts", "most"),
        [(["a"], 1), (["a b c"], 1), (["a", "a"], 1), (["a b", "b c"], 1), (["a b c"] * 20, 1), (list("abcde"), 4)],
    )
    def test_no_more_dimensions_than_the_corpus_has(self, tmp_path, texts, most) -> None:
        corpus_of_one_kind = UniformCorpus(texts, tmp_path)
        found = fit_lsa(corpus_of_one_kind.bags, corpus_of_one_kind.idf, 256, seed=1)
        assert 1 <= found.shape[1] <= most
        assert np.isfinite(found).all()
