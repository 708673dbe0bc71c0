"""The vector space model, BM25 and LSA against numbers that a reader can redo on paper."""

from math import hypot, log
from pathlib import Path

import numpy as np
import pytest

from textae.baselines import BM25, K1, B, Postings, VectorSpace, bm25_weight, fit_lsa
from textae.text import Analysis
from textae.vectorizer import Bags, Counter, Vectorizer, idf, tfidf

# Three documents of 3, 2 and 4 words (3 at the mean); "cat" is in two of them, the rest in one each.
CORPUS = ("cat sat mat", "cat cat", "dog ran far away")
IDF_ONE = log(1 + (3 - 1 + 0.5) / (1 + 0.5))
IDF_TWO = log(1 + (3 - 2 + 0.5) / (2 + 0.5))
TWICE = 1 + log(2)


class Fitted:
    def __init__(self, texts, folder: Path) -> None:
        counter = Counter(Analysis.of(None), folder)
        for text in texts:
            counter.add(text)
        vocabulary, self.bags, frequency = counter.finish()
        self.vectorizer = Vectorizer(Analysis.of(None), vocabulary)
        self.idf = idf(frequency, len(self.bags))
        self.postings = Postings.of(self.bags, self.idf)

    def ask(self, *queries: str) -> Bags:
        return self.vectorizer.transform(queries)


@pytest.fixture
def three(tmp_path) -> Fitted:
    return Fitted(CORPUS, tmp_path)


class TestPostings:
    def test_the_documents_of_a_term_by_hand(self, three) -> None:
        documents, counts = three.postings.term(three.vectorizer.numbers["cat"])
        assert (documents.tolist(), counts.tolist()) == ([0, 1], [1, 2])
        assert three.postings.lengths.tolist() == [3, 2, 4]
        assert len(three.postings) == 3
        assert three.postings.frequency.tolist() == [2, 1, 1, 1, 1, 1, 1]

    def test_they_are_the_bags_turned(self, tmp_path) -> None:
        letters = np.random.default_rng(1).choice(list("abcdefghij"), (40, 12))
        fitted = Fitted([" ".join(row) for row in letters], tmp_path)
        dense = np.zeros((40, 10), int)
        dense[fitted.bags.row_of, fitted.bags.terms] = fitted.bags.counts
        for number in range(10):
            documents, counts = fitted.postings.term(number)
            assert documents.tolist() == np.flatnonzero(dense[:, number]).tolist()
            assert counts.tolist() == dense[documents, number].tolist()

    def test_they_come_back_from_their_arrays(self, three) -> None:
        again = Postings.from_arrays(three.postings.arrays())
        for name, array in vars(three.postings).items():
            assert np.array_equal(getattr(again, name), array)


class TestVectorSpace:
    def test_by_hand(self, three) -> None:
        scores = VectorSpace(three.postings, three.idf).scores(three.ask("cat", "cat dog"))
        first = IDF_TWO / hypot(IDF_TWO, IDF_ONE, IDF_ONE)  # of "cat" in "cat sat mat"
        assert scores[0] == pytest.approx([first, 1, 0])
        cat, dog = IDF_TWO / hypot(IDF_TWO, IDF_ONE), IDF_ONE / hypot(IDF_TWO, IDF_ONE)
        assert scores[1] == pytest.approx([cat * first, cat, dog / 2])  # "dog" is one of four equal weights

    def test_a_document_is_its_own_best_match(self, three) -> None:
        scores = VectorSpace(three.postings, three.idf).scores(three.ask(*CORPUS))
        assert scores.diagonal() == pytest.approx([1, 1, 1])
        assert scores.argmax(axis=1).tolist() == [0, 1, 2]

    def test_it_is_the_product_of_the_dense_matrices(self, three) -> None:
        dense = np.zeros((3, 7))
        dense[three.bags.row_of, three.bags.terms] = tfidf(three.bags, three.idf)
        scores = VectorSpace(three.postings, three.idf).scores(three.ask(*CORPUS))
        assert scores == pytest.approx(dense @ dense.T, abs=1e-6)


class TestBM25:
    def test_by_hand(self, three) -> None:
        scores = BM25(three.postings, three.idf).scores(three.ask("cat dog"))
        # k1 = 1.2, b = .75; document 0 has the mean length, so tf / (tf + k1) saturates alone
        once = IDF_TWO * 1 * 2.2 / (1 + 1.2)
        twice = IDF_TWO * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 2 / 3))
        dog = IDF_ONE * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 4 / 3))
        assert scores[0] == pytest.approx([once, twice, dog])

    def test_the_equation(self) -> None:
        weight = bm25_weight(np.float32([0, 1, 1e6]), 2.0, np.float32([5, 5, 5]), 5.0)
        assert weight == pytest.approx([0, 2, 2 * (K1 + 1)], rel=1e-5)  # from nothing, through idf, to the limit
        longer = bm25_weight(np.float32([3, 3]), 1.0, np.float32([5, 50]), 5.0)
        assert longer[0] > longer[1] == pytest.approx(3 * (K1 + 1) / (3 + K1 * (1 - B + B * 10)))

    def test_a_term_that_a_query_repeats_counts_as_often(self, three) -> None:
        once, twice = BM25(three.postings, three.idf).scores(three.ask("cat", "cat cat"))
        assert twice == pytest.approx(2 * once)


@pytest.mark.parametrize("system", [VectorSpace, BM25])
class TestBoth:
    def test_unknown_words_score_nothing(self, three, system) -> None:
        scores = system(three.postings, three.idf).scores(three.ask("zebra", "", "zebra cat", "cat"))
        assert not scores[:2].any()
        assert np.array_equal(scores[2], scores[3])

    def test_a_query_scores_alone_as_among_others(self, three, system) -> None:
        model = system(three.postings, three.idf)
        together = model.scores(three.ask("cat", "dog ran", "mat"))
        assert np.array_equal(together[1:2], model.scores(three.ask("dog ran")))

    def test_documents_without_a_word_are_found_by_nothing(self, tmp_path, system) -> None:
        fitted = Fitted(["", "cat", ""], tmp_path)
        scores = system(fitted.postings, fitted.idf).scores(fitted.ask("cat"))
        assert scores[0, 1] > 0
        assert scores[0, [0, 2]].tolist() == [0, 0]


class TestLSA:
    def matrix(self, fitted: Fitted):
        dense = np.zeros((len(fitted.bags), len(fitted.idf)))
        dense[fitted.bags.row_of, fitted.bags.terms] = tfidf(fitted.bags, fitted.idf)
        return dense

    def test_the_vectors_keep_as_much_of_the_matrix_as_those_of_the_exact_decomposition(self, tmp_path) -> None:
        rng = np.random.default_rng(2)
        often = 1 / np.arange(1, 81)
        fitted = Fitted(
            [" ".join(f"w{i}" for i in rng.choice(80, 12, p=often / often.sum())) for _ in range(200)], tmp_path
        )
        found = fit_lsa(fitted.bags, fitted.idf, 4, seed=1)
        spread = np.linalg.svd(self.matrix(fitted), compute_uv=False)[:4]
        assert found.shape == (len(fitted.idf), 4)
        assert found.T @ found == pytest.approx(np.eye(4), abs=1e-5)
        assert np.linalg.norm(self.matrix(fitted) @ found, axis=0) == pytest.approx(spread, rel=0.02)

    def test_same_seed_same_bytes(self, three) -> None:
        first, second = (fit_lsa(three.bags, three.idf, 2, seed=7).tobytes() for _ in range(2))
        assert first == second

    @pytest.mark.parametrize(
        ("texts", "most"),
        [(["a"], 1), (["a b c"], 1), (["a", "a"], 1), (["a b", "b c"], 1), (["a b c"] * 20, 1), (list("abcde"), 4)],
    )
    def test_no_more_dimensions_than_the_corpus_has(self, tmp_path, texts, most) -> None:
        fitted = Fitted(texts, tmp_path)
        found = fit_lsa(fitted.bags, fitted.idf, 256, seed=1)
        assert 1 <= found.shape[1] <= most
        assert np.isfinite(found).all()
