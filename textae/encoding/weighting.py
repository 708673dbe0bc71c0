"""Term weights: inverse document frequency, sublinear term frequency, tf-idf."""

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags


def idf(document_frequency: NDArray[np.int64], n_documents: int) -> Floats:
    """Inverse document frequency, ln(1 + (n - df + .5) / (df + .5)) (Robertson & Spärck Jones 1976, never negative).

    Args:
        document_frequency: (n_terms,) documents that hold each term.
        n_documents: documents in the corpus.
    """
    return np.log1p((n_documents - document_frequency + 0.5) / (document_frequency + 0.5)).astype(np.float32)


def term_weight(counts: NDArray[np.uint16]) -> Floats:
    """Sublinear term frequency, 1 + ln tf."""
    weight: Floats = np.add(1, np.log(counts, dtype=np.float32), dtype=np.float32)
    return weight


def norms(bags: Bags, idf: Floats) -> Floats:
    """The length of each row's vector of (1 + ln tf) · idf: (n,); 1 for a row without terms."""
    return _weights_and_norms(bags, idf)[1]


def _weights_and_norms(bags: Bags, idf: Floats) -> tuple[Floats, Floats]:
    weights: Floats = term_weight(bags.counts) * idf[bags.terms]
    squared = np.bincount(bags.row_of, weights * weights, minlength=len(bags))
    return weights, np.where(squared > 0, np.sqrt(squared), 1).astype(np.float32)


def tfidf(bags: Bags, idf: Floats) -> Floats:
    """The weight of each entry, (1 + ln tf) · idf, rows scaled to unit length (Salton & Buckley 1988, `ltc`).

    Args:
        bags: n rows.
        idf: (n_terms,).

    Returns:
        (n_entries,), beside `bags.terms`.
    """
    weights, norms = _weights_and_norms(bags, idf)
    weights /= np.repeat(norms, np.diff(bags.starts))
    return weights


def term_frequencies(bags: Bags) -> Floats:
    """The relative frequency of each entry in its row: (n_entries,), which sum to 1 in a row."""
    counts = bags.counts.astype(np.float32)
    lengths = np.bincount(bags.row_of, counts, minlength=len(bags)).astype(np.float32)
    counts /= np.repeat(lengths, np.diff(bags.starts))
    return counts
