"""What codes are measured against: the vector space model, BM25 and latent semantic analysis.

All three score documents from the same bags. The first two walk the postings of the question's terms; LSA compares
dense vectors, as codes are compared, and is where learning starts.
"""

from collections.abc import Sequence

import numpy as np

from textae.column import Mask, Rows
from textae.found import Found
from textae.postings import K1, Postings, Statistics, by_segment, first_rows, length_norm, saturation
from textae.question import Question
from textae.vectorizer import Bags, Floats, Ints, term_weight, tfidf


class VectorSpace:
    """The vector space model: the cosine between tf-idf vectors (Salton, Wong & Yang 1975).

    Args:
        postings: of each segment; their norms are those of this idf.
        idf: (n_terms,) as it was learned.
        unseen: the idf of terms with higher numbers, which came later.
    """

    def __init__(self, postings: Sequence[Postings], idf: Floats, unseen: float) -> None:
        self.postings, self.idf, self.unseen = postings, idf, unseen
        self._starts = first_rows(postings)

    def search(self, question: Question, k: int, among: Mask | None = None, above: float = 0.0) -> Found:
        """The rows whose vectors point most as the question's does, as `Retriever.search` says."""
        terms, weights = self._vector(question)
        scores = np.zeros(self._starts[-1], np.float32)
        for start, postings in zip(self._starts.tolist(), self.postings, strict=False):
            part = scores[start : start + len(postings)]
            for term, weight in zip(terms.tolist(), weights, strict=True):
                documents, counts = postings.term(term)
                part[documents] += weight * term_weight(counts)
            part /= postings.norms
        return Found.best_of_all(scores, k, among, above)

    def scores(self, question: Question, rows: Rows) -> Floats:
        """The cosine of the question's vector with each row's: (n,)."""
        terms, weights = self._vector(question)
        scores = np.zeros(len(rows), np.float32)
        for number, where, local in by_segment(self.postings, rows):
            postings, part = self.postings[number], np.zeros(len(local), np.float32)
            for term, weight in zip(terms.tolist(), weights, strict=True):
                counts = postings.counts_in(term, local)
                held = counts > 0
                part[held] += weight * term_weight(counts[held])
            scores[where] = part / postings.norms[local]
        return scores

    def _vector(self, question: Question) -> tuple[Ints, Floats]:
        """The terms of a question's texts, and its unit vector times their idf."""
        texts = question.texts
        terms, place = np.unique(texts.terms, return_inverse=True)
        seen = terms < len(self.idf)
        idf = np.full(len(terms), self.unseen, np.float32)
        idf[seen] = self.idf[terms[seen]]
        weights = term_weight(texts.counts) * idf[place]
        squares = np.bincount(texts.row_of, weights * weights, minlength=len(texts))
        shares = question.shares / np.sqrt(np.where(squares > 0, squares, 1))
        vector = np.bincount(place, weights * np.repeat(shares, np.diff(texts.starts)), minlength=len(terms))
        length = np.sqrt(vector @ vector) or 1.0
        return terms, (vector / length * idf).astype(np.float32)


class BM25:
    """BM25 over the postings; a term that a question weighs counts as often.

    Args:
        postings: of each segment.
        statistics: of the corpus.
    """

    def __init__(self, postings: Sequence[Postings], statistics: Statistics) -> None:
        self.postings, self.statistics = postings, statistics
        self._starts = first_rows(postings)
        self._norms = [length_norm(part.lengths, statistics.mean_length) for part in postings]

    def __len__(self) -> int:
        """The number of rows, removed ones too."""
        return int(self._starts[-1])

    def search(self, question: Question, k: int, among: Mask | None = None, above: float = 0.0) -> Found:
        """The rows that score highest, as `Retriever.search` says."""
        factors = self._factors(question)
        scores = np.zeros(len(self), np.float32)
        for start, postings, norms in zip(self._starts.tolist(), self.postings, self._norms, strict=False):
            part = scores[start : start + len(postings)]
            for term, factor in zip(question.terms.tolist(), factors, strict=True):
                documents, counts = postings.term(term)
                part[documents] += factor * saturation(counts.astype(np.float32), norms[documents])
        return Found.best_of_all(scores, k, among, above)

    def scores(self, question: Question, rows: Rows) -> Floats:
        """The score of each row: (n,)."""
        scores = np.zeros(len(rows), np.float32)
        for part in self._parts(question, rows):
            scores += part
        return scores

    def shares(self, question: Question, row: int) -> Floats:
        """What each term of a question adds to a row's score: (n_terms,)."""
        return self._parts(question, np.array([row]))[:, 0]

    def spread(self, question: Question) -> float:
        """The standard deviation of the scores of all rows."""
        return float(self.scores(question, np.arange(len(self))).std())

    def _factors(self, question: Question) -> Floats:
        """What each term's saturation is multiplied with: weight · idf · (k1 + 1)."""
        factors: Floats = question.weights * self.statistics.idf(question.terms) * np.float32(K1 + 1)
        return factors

    def _parts(self, question: Question, rows: Rows) -> Floats:
        """What each term adds to the score of each row: (n_terms, n_rows)."""
        factors = self._factors(question)
        parts = np.zeros((len(factors), len(rows)), np.float32)
        for number, where, local in by_segment(self.postings, rows):
            norms = self._norms[number][local]
            for i, (term, factor) in enumerate(zip(question.terms.tolist(), factors, strict=True)):
                tf = self.postings[number].counts_in(term, local).astype(np.float32)
                parts[i, where] = factor * saturation(tf, norms)
        return parts


def fit_lsa(bags: Bags, idf: Floats, dims: int, seed: int) -> Floats:
    """Latent semantic analysis: the right singular vectors of the tf-idf matrix (Deerwester et al. 1990).

    A document's coordinates are its tf-idf weights times these; fewer dimensions are the first columns.

    Args:
        bags: n documents.
        idf: (n_terms,), of the terms that are in the bags.
        dims: wanted; fewer come back where the corpus has not as many.
        seed: of the randomised decomposition (Halko, Martinsson & Tropp 2011).

    Returns:
        (n_terms, dims) float32.
    """
    from scipy.sparse import csr_array
    from sklearn.utils.extmath import randomized_svd

    dims = max(1, min(dims, len(bags) - 1, len(idf) - 1))
    matrix = csr_array((tfidf(bags, idf), bags.terms, bags.starts), shape=(len(bags), len(idf)))
    _, spread, components = randomized_svd(matrix, dims, random_state=seed, n_iter=4)
    rank = max(1, np.count_nonzero(spread > spread[0] * _ROUNDING))  # beyond it the vectors are noise
    return np.ascontiguousarray(components[:rank].T, np.float32)


_ROUNDING = 1e-5
