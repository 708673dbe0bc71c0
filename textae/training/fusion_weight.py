"""How much say codes get beside keywords, decided by the corpus alone.

Where a corpus is so small or so varied that the start of learning (LSA) can tell each document from all the others by
a few of its words, its codes lose little of what keywords know, and what they know of topics is pure gain. Where it
cannot, codes are coarse beside keywords, and keywords must lead. So the weight grows with the odds that LSA finds a
document again from some of its words.

LSA is asked, not the trained encoder: that one was taught to find these very documents by their words, and would find
itself excellent. Keywords need not be asked, since they find a document again by its own words almost always (a mean
reciprocal rank of .98 to 1.00 on every corpus that was looked at).
"""

import numpy as np

from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder

ASKED = 500
"""Documents that are looked for."""

SHARE, MOST = 0.3, 3.0
"""The weight is SHARE · p / (1 - p), at most MOST. A larger share finds more of a topic (arXiv titles that ask for
their category), and .3 is as large as costs nothing where one answer is asked for (SciFact's training queries, arXiv
titles that ask for their own abstract)."""


def fusion_weight(bags: Bags, start: Encoder, seed: int) -> float:
    """The weight of codes beside BM25, both scaled to unit spread.

    Args:
        bags: n documents, over the terms of the encoder.
        start: LSA's encoder.
        seed: of the documents and words that are drawn.

    Returns:
        Between 0 and `MOST`.
    """
    rng = np.random.default_rng(seed)
    asked = rng.choice(len(bags), min(ASKED, len(bags)), replace=False)
    queries = pseudo_queries(bags.take(asked), start, rng)
    scores = start.encode(queries).floats @ start.encode(bags).floats.T
    own = scores[np.arange(len(asked)), asked][:, None]
    reciprocal_ranks = 1 / (1 + (scores > own).sum(axis=1))
    p = (reciprocal_ranks.sum() + 0.5) / (len(asked) + 1)  # never 1, however few are asked
    return float(min(MOST, SHARE * p / (1 - p)))


def pseudo_queries(bags: Bags, start: Encoder, rng: np.random.Generator) -> Bags:
    """For each document a query of 3 to 9 of its words, at most half of them, drawn by their counts and idf."""
    rows = []
    for i in range(len(bags)):
        terms, counts = bags.row(i)
        chances = counts * start.idf[terms].astype(np.float64)
        size = min(int(rng.integers(3, 10)), (len(terms) + 1) // 2)
        rows.append(np.sort(rng.choice(terms, size, replace=False, p=chances / chances.sum())))
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    terms = np.concatenate([np.empty(0, np.int32), *rows]).astype(np.int32)
    return Bags(starts, terms, np.ones(len(terms), np.uint16))
