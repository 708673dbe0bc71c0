"""The weight of codes beside keywords is decided by the corpus."""

import numpy as np
import pytest

from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder
from textae.encoding.weighting import idf, tfidf
from textae.training.fusion_weight import MOST, VECTOR_MOST, fusion_weight, pseudo_queries, vector_weight
from textae.training.lsa import fit_lsa


def corpus(n: int, n_terms: int = 400, length: int = 30) -> tuple[Bags, Encoder]:
    """Random documents, and LSA of 20 dimensions."""
    rng = np.random.default_rng(1)
    rows = [np.sort(rng.choice(n_terms, length, replace=False)).astype(np.int32) for _ in range(n)]
    bags = Bags(np.arange(n + 1) * length, np.concatenate(rows), np.ones(n * length, np.uint16))
    idf_of = idf(np.bincount(bags.terms, minlength=n_terms), n)
    return bags, Encoder.lsa(fit_lsa(bags, idf_of, 20, seed=1), idf_of)


def test_codes_lead_where_lsa_tells_all_documents_apart() -> None:
    assert fusion_weight(*corpus(15), seed=1) == MOST


def test_keywords_lead_where_lsa_is_coarse() -> None:
    few, many = fusion_weight(*corpus(60), seed=1), fusion_weight(*corpus(1_500), seed=1)
    assert 0 < many < few / 5


def test_the_same_seed_gives_the_same_weight() -> None:
    bags, start = corpus(300)
    assert fusion_weight(bags, start, seed=3) == fusion_weight(bags, start, seed=3)


def test_a_pseudo_query_holds_at_most_half_of_its_document() -> None:
    bags, start = corpus(50, length=8)
    queries = pseudo_queries(bags, start, np.random.default_rng(1))
    for i in range(50):
        terms, counts = queries.row(i)
        assert 3 <= len(terms) <= 4
        assert set(terms) <= set(bags.row(i)[0])
        assert (counts == 1).all()
        assert (np.diff(terms) > 0).all()


def test_one_document_of_one_word() -> None:
    bags = Bags(np.array([0, 1]), np.array([0], np.int32), np.array([7], np.uint16))
    start = Encoder.lsa(np.ones((1, 1), np.float32), np.ones(1, np.float32))
    assert 0 < fusion_weight(bags, start, seed=1) <= MOST


class TestVectors:
    """Vectors weigh by how well they find the document that is nearest by words."""

    def weight(self, vectors: np.ndarray, hybrid_weight: float = 1.0) -> float:
        rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return vector_weight(self.bags, self.idf, rows.astype(np.float32), hybrid_weight, seed=1)

    def setup_method(self) -> None:
        self.bags, start = corpus(300, n_terms=60, length=12)
        self.idf = start.idf
        self.words = np.zeros((300, 60))
        self.words[self.bags.row_of, self.bags.terms] = tfidf(self.bags, self.idf)

    def test_by_hand(self) -> None:
        """Documents of the words ab, bc and cd: the nearest by words are the second, the first, and the second.

        By the worse vectors each of these is only the second nearest, and chance gives (1 + 1/2) / 2 = 3/4. By the
        right ones the third is nearer to the second than the first is (.64, .6): (1 + 1/2 + 1) / 3 = 5/6, of which
        chance leaves p = (5/6 - 3/4) / (1 - 3/4) = 1/3. The weight is 4 · 1/2, times 1 + 1/2.
        """
        bags = Bags(np.array([0, 2, 4, 6]), np.array([0, 1, 1, 2, 2, 3], np.int32), np.ones(6, np.uint16))
        idf_of = np.ones(4, np.float32)
        worse = np.array([[1, 0.0], [0, 1], [1, 0.1]], np.float32)
        assert vector_weight(bags, idf_of, worse, 1.0, seed=1) == 0
        right = np.array([[1, 0, 0.0], [0.6, 0.8, 0], [0, 0.8, 0.6]], np.float32)
        assert vector_weight(bags, idf_of, right, 0.5, seed=1) == pytest.approx(3)

    def test_those_that_know_nothing_weigh_nothing(self) -> None:
        rng = np.random.default_rng(1)
        assert self.weight(rng.standard_normal((300, 8))) < 0.1

    def test_noise_takes_weight_and_the_words_themselves_have_the_most(self) -> None:
        rng = np.random.default_rng(1)
        noise = rng.standard_normal(self.words.shape)
        weights = [self.weight(self.words + share * noise) for share in (0, 0.1, 0.2, 0.4)]
        assert weights == sorted(weights, reverse=True)
        assert weights[0] == 2 * VECTOR_MOST > weights[-1] > 0

    def test_it_grows_with_the_weight_of_codes(self) -> None:
        vectors = self.words + 0.2 * np.random.default_rng(1).standard_normal(self.words.shape)
        assert self.weight(vectors, 3.0) == 2 * self.weight(vectors, 1.0) > 0

    def test_few_documents(self) -> None:
        for n in (0, 1, 2):
            bags = self.bags.rows(0, n)
            assert vector_weight(bags, self.idf, np.ones((n, 1), np.float32), 1.0, seed=1) == 0
