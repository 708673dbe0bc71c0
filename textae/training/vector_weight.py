"""The weight of the user's own vectors in hybrid search, computed from the corpus alone."""

import numpy as np

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.layers import matmul
from textae.encoding.weighting import tfidf
from textae.training.threads import one_blas_thread

QUERIES = 500
"""Documents to find, at most."""

SHARE = 3.0
"""The vectors of all-MiniLM-L6-v2 have a p of .31 to .41 on four sets of the development suite, and so a weight of .9
to 1.2. From .8 to 2 the hybrid ranks alike (docs/benchmarks-notes.md)."""


@one_blas_thread()
def vector_weight(bags: Bags, idf: Floats, vectors: Floats, seed: int) -> float:
    """The weight of the user's own vectors beside BM25 and codes: `SHARE` · p.

    Nothing encodes a query here, so documents are the queries: p is the mean reciprocal rank, by vectors, of the
    document that is nearest by words, less what vectors that know nothing would have.

    Args:
        bags: n documents.
        idf: (n_terms,) of their terms.
        vectors: (n, dims) of the documents, of unit length.
        seed: of the sample of documents.

    Returns:
        Between 0 and `SHARE`.
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
    return float(SHARE * p)
