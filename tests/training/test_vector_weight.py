"""The weight of the user's own vectors is decided by the corpus."""

import numpy as np
import pytest

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.weighting import idf, tfidf
from textae.training.vector_weight import SHARE, vector_weight


def corpus(n: int, n_terms: int, length: int) -> tuple[Bags, Floats]:
    """Random documents, and the idf of their terms."""
    rng = np.random.default_rng(1)
    rows = [np.sort(rng.choice(n_terms, length, replace=False)).astype(np.int32) for _ in range(n)]
    bags = Bags(np.arange(n + 1) * length, np.concatenate(rows), np.ones(n * length, np.uint16))
    return bags, idf(np.bincount(bags.terms, minlength=n_terms), n)


class TestVectors:
    """Vectors weigh by how well they find the document that is nearest by words."""

    def weight(self, vectors: np.ndarray) -> float:
        rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return vector_weight(self.bags, self.idf, rows.astype(np.float32), seed=1)

    def setup_method(self) -> None:
        self.bags, self.idf = corpus(300, n_terms=60, length=12)
        self.words = np.zeros((300, 60))
        self.words[self.bags.row_of, self.bags.terms] = tfidf(self.bags, self.idf)

    def test_by_hand(self) -> None:
        """Documents of the words ab, bc and cd: the nearest by words are the second, the first, and the second.

        By the worse vectors each of these is only the second nearest, and chance gives (1 + 1/2) / 2 = 3/4. By the
        right ones the third is nearer to the second than the first is (.64, .6): (1 + 1/2 + 1) / 3 = 5/6, of which
        chance leaves p = (5/6 - 3/4) / (1 - 3/4) = 1/3.
        """
        bags = Bags(np.array([0, 2, 4, 6]), np.array([0, 1, 1, 2, 2, 3], np.int32), np.ones(6, np.uint16))
        idf_of = np.ones(4, np.float32)
        worse = np.array([[1, 0.0], [0, 1], [1, 0.1]], np.float32)
        assert vector_weight(bags, idf_of, worse, seed=1) == 0
        right = np.array([[1, 0, 0.0], [0.6, 0.8, 0], [0, 0.8, 0.6]], np.float32)
        assert vector_weight(bags, idf_of, right, seed=1) == pytest.approx(SHARE / 3)

    def test_those_that_know_nothing_weigh_nothing(self) -> None:
        rng = np.random.default_rng(1)
        assert self.weight(rng.standard_normal((300, 8))) < 0.1

    def test_noise_takes_weight_and_the_words_themselves_have_the_most(self) -> None:
        rng = np.random.default_rng(1)
        noise = rng.standard_normal(self.words.shape)
        weights = [self.weight(self.words + share * noise) for share in (0, 0.1, 0.2, 0.4)]
        assert weights == sorted(weights, reverse=True)
        assert weights[0] == pytest.approx(SHARE)
        assert weights[1] < SHARE

    def test_few_documents(self) -> None:
        for n in (0, 1, 2):
            bags = self.bags.rows(0, n)
            assert vector_weight(bags, self.idf, np.ones((n, 1), np.float32), seed=1) == 0
