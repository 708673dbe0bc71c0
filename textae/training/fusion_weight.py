"""The weight of codes beside keywords in hybrid search, computed from the corpus alone.

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


SEEN = 2_000


def vector_weight(bags: Bags, start: Encoder, vectors: Floats, seed: int) -> float:
    """The weight of the user's own vectors beside BM25."""
    return 1.0
