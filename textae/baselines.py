"""What codes are measured against: the vector space model, BM25 and latent semantic analysis.

All three score documents from the same bags. The first two walk the postings of the query's terms; LSA compares
dense vectors, as codes are compared, and is where learning starts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.vectorizer import Bags, Floats, Ints, norms, term_weight, tfidf

K1, B = 1.2, 0.75
"""BM25's saturation of repeated terms and its normalisation by length (the usual values, not tuned)."""


_CHUNK = 4_096
"""Documents whose postings are weighted at a time."""


@dataclass(frozen=True)
class Postings:
    """The bags of a corpus, turned: for each term the documents that hold it (compressed sparse columns).

    Attributes:
        starts: (n_terms + 1,) int64; the postings of term t are at `starts[t]:starts[t + 1]`.
        documents: (n_postings,) int32, rising within a term.
        counts: (n_postings,) uint16.
        lengths: (n_documents,) int32, terms in each document.
        norms: (n_documents,) float32, the length of each document's tf-idf vector.
    """

    starts: NDArray[np.int64]
    documents: Ints
    counts: NDArray[np.uint16]
    lengths: Ints
    norms: Floats

    @classmethod
    def of(cls, bags: Bags, idf: Floats) -> "Postings":
        """Turn the bags of a corpus."""
        from scipy.sparse import csr_array

        shape = (len(bags), len(idf))
        turned = csr_array((bags.counts, bags.terms, bags.starts), shape=shape).tocsc()
        chunks = list(bags.chunks(_CHUNK))
        lengths = [np.bincount(chunk.row_of, chunk.counts, minlength=len(chunk)) for chunk in chunks]
        return cls(
            turned.indptr.astype(np.int64),
            turned.indices.astype(np.int32),
            turned.data,
            np.concatenate(lengths).astype(np.int32),
            np.concatenate([norms(chunk, idf) for chunk in chunks]),
        )

    def bags(self) -> Bags:
        """The bags that were turned, turned back."""
        from scipy.sparse import csc_array

        shape = (len(self), len(self.starts) - 1)
        bags = csc_array((self.counts, self.documents, self.starts), shape=shape).tocsr()
        return Bags(bags.indptr.astype(np.int64), bags.indices.astype(np.int32), bags.data)

    def __len__(self) -> int:
        """The number of documents."""
        return len(self.lengths)

    @property
    def frequency(self) -> NDArray[np.int64]:
        """The number of documents that hold each term: (n_terms,)."""
        return np.diff(self.starts)

    def term(self, number: int) -> tuple[Ints, NDArray[np.uint16]]:
        """The documents that hold a term, and how often."""
        part = slice(self.starts[number], self.starts[number + 1])
        return self.documents[part], self.counts[part]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same postings of."""
        return {f"postings/{name}": array for name, array in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Postings":
        """The postings that gave these `arrays`."""
        names = ("starts", "documents", "counts", "lengths", "norms")
        return cls(*(arrays[f"postings/{name}"] for name in names))


class VectorSpace:
    """The vector space model: the cosine between tf-idf vectors (Salton, Wong & Yang 1975).

    Args:
        postings: of the corpus.
        idf: (n_terms,).
    """

    def __init__(self, postings: Postings, idf: Floats) -> None:
        self.postings, self.idf = postings, idf

    def scores(self, queries: Bags) -> Floats:
        """The cosine of each query with each document: (n_queries, n_documents)."""
        scores = np.zeros((len(queries), len(self.postings)), np.float32)
        weights = tfidf(queries, self.idf)
        for row, term, weight in zip(queries.row_of, queries.terms, weights, strict=True):
            documents, counts = self.postings.term(term)
            scores[row, documents] += weight * self.idf[term] * term_weight(counts)
        return scores / self.postings.norms


def bm25_weight(tf: Floats, idf: float, length: Floats, mean_length: float) -> Floats:
    """What a term adds to a document's score: idf · tf (k1 + 1) / (tf + k1 (1 - b + b · length / mean length)).

    Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, equation 3.15.
    """
    saturation: Floats = tf + np.float32(K1 * (1 - B)) + length * np.float32(K1 * B / mean_length)
    return tf * np.float32(idf * (K1 + 1)) / saturation


class BM25:
    """BM25 over the postings; a term that a query repeats counts as often.

    Args:
        postings: of the corpus.
        idf: (n_terms,).
    """

    def __init__(self, postings: Postings, idf: Floats) -> None:
        self.postings, self.idf = postings, idf
        self._lengths = postings.lengths.astype(np.float32)
        self._mean_length = float(self._lengths.mean()) or 1.0

    def scores(self, queries: Bags) -> Floats:
        """The BM25 score of each document for each query: (n_queries, n_documents)."""
        scores = np.zeros((len(queries), len(self.postings)), np.float32)
        for row, term, times in zip(queries.row_of, queries.terms, queries.counts, strict=True):
            documents, counts = self.postings.term(term)
            tf = counts.astype(np.float32)
            length = self._lengths[documents]
            scores[row, documents] += float(times) * bm25_weight(tf, float(self.idf[term]), length, self._mean_length)
        return scores


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
