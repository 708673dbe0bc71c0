"""The weights of codes and of the user's own vectors in hybrid search, computed from the corpus alone.

If LSA can tell each document from all others by a few of its words, because the corpus is small or varied, then codes
lose little of what keywords know, and add topics. If it cannot, codes are coarse, and keywords must lead. So the weight
grows with the odds that LSA finds a document by some of its words.

The trained encoder cannot judge itself: it was trained to find these very documents by their words. Keywords need no
test: they find a document by its own words almost always (a mean reciprocal rank of .98 to 1.00 on every corpus tried).
"""

import numpy as np

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags, row_starts
from textae.encoding.encoders import Encoder
from textae.encoding.layers import matmul
from textae.encoding.weighting import tfidf
from textae.training.threads import one_blas_thread

QUERIES = 500
"""Documents to find, at most."""

SHARE, MOST = 0.3, 3.0
"""The weight is SHARE · p / (1 - p), at most MOST. A larger share finds more of a topic (arXiv titles for their
category); .3 is the largest that costs nothing for a single right answer (SciFact's training queries, arXiv titles for
their own abstract)."""


@one_blas_thread()
def fusion_weight(bags: Bags, start: Encoder, seed: int) -> float:
    """The weight of codes beside BM25, both scaled to unit variance.

    Args:
        bags: n documents, of the encoder's terms.
        start: LSA's encoder.
        seed: of the sample of documents and words.

    Returns:
        Between 0 and `MOST`.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(bags), min(QUERIES, len(bags)), replace=False)
    queries = pseudo_queries(bags.take(chosen), start, rng)
    queried = np.ascontiguousarray(start.encode(queries).floats.T)
    scores = matmul(start.encode(bags).floats, queried).T  # (n_queries, n); equal documents have equal scores
    own = scores[np.arange(len(chosen)), chosen][:, None]
    reciprocal_ranks = 1 / (1 + (scores > own).sum(axis=1))
    p = (reciprocal_ranks.sum() + 0.5) / (len(chosen) + 1)  # less than 1, also for few queries
    return float(min(MOST, SHARE * p / (1 - p)))


def pseudo_queries(bags: Bags, start: Encoder, rng: np.random.Generator) -> Bags:
    """A query for each document: 3 to 9 of its words, at most half, drawn by counts times idf."""
    rows = []
    for i in range(len(bags)):
        terms, counts = bags.row(i)
        chances = counts * start.idf[terms].astype(np.float64)
        size = min(int(rng.integers(3, 10)), (len(terms) + 1) // 2)
        rows.append(np.sort(rng.choice(terms, size, replace=False, p=chances / chances.sum())))
    terms = np.concatenate([np.empty(0, np.int32), *rows]).astype(np.int32)
    return Bags(row_starts([len(row) for row in rows]), terms, np.ones(len(terms), np.uint16))


VECTOR_SHARE, VECTOR_MOST = 4.0, 2.0
"""The weight of vectors is VECTOR_SHARE · p / (1 - p), at most VECTOR_MOST, times that of keywords and codes together.
Chosen with six kinds of vectors on titles that must find their texts and on SciFact's training queries."""


@one_blas_thread()
def vector_weight(bags: Bags, idf: Floats, vectors: Floats, hybrid_weight: float, seed: int) -> float:
    """The weight of the user's own vectors beside BM25 and codes, all scaled to unit variance.

    Nothing encodes a query here, so documents are the queries: p is the mean reciprocal rank, by vectors, of the
    document that is nearest by words, less what vectors that know nothing would have. It says how well vectors tell
    documents apart. Vectors vote against keywords and codes together, so their weight grows with both.

    Args:
        bags: n documents.
        idf: (n_terms,) of their terms.
        vectors: (n, dims) of the documents, of unit length.
        hybrid_weight: of codes beside BM25.
        seed: of the sample of documents.

    Returns:
        Between 0 and VECTOR_MOST · (1 + hybrid_weight).
    """
    from scipy.sparse import csr_array

    n = len(bags)
    if n < 2:
        return 0.0
    chosen = np.random.default_rng(seed).choice(n, min(QUERIES, n), replace=False)
    words, itself = csr_array((tfidf(bags, idf), bags.terms, bags.starts), shape=(n, len(idf))), np.arange(len(chosen))
    by_words = (words[chosen] @ words.T).toarray()
    by_words[itself, chosen] = -1
    scores = matmul(vectors, np.ascontiguousarray(vectors[chosen].T)).T
    scores[itself, chosen] = -2
    nearest = scores[itself, by_words.argmax(axis=1)][:, None]
    p, chance = (1 / (1 + (scores > nearest).sum(axis=1))).mean(), (1 / np.arange(1, n)).mean()
    p = max(0.0, (p - chance) / (1 - chance)) if n > 2 else 0.0
    return float(min(VECTOR_MOST, VECTOR_SHARE * p / max(1 - p, 1e-9)) * (1 + hybrid_weight))
