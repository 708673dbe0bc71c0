"""Query expansion by the decoder: keyword search looks for words, too, that a query means and does not say.

    Q'(t) = Q(t)               of the query's own words
    Q'(t) ∝ χ²(t)              of the n other words that its code tells most, by what each adds to χ²(p ‖ p̄)
    Σ_added Q' · idf  =  λ · Σ_own Q · idf

p are the decoder's probabilities for the query's code, p̄ their mean (`textae.encoding.decoder.usual_words`). RM3
(Lavrenko & Croft, SIGIR 2001; Abdul-Jaleel et al., TREC 2004) takes such words from the documents of a first search;
the decoder has learned them, so one search is enough. λ counts as BM25 does, by idf: where it counts occurrences
alone, rare words that are added have more say, and SciFact's training claims are answered a little worse (nDCG@10 .703,
not .705).

n and λ were chosen there, and by titles from arXiv that ask for their own abstracts (one answer) and for their
category (a topic). More than λ = .1 finds more of a topic and loses the one answer.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats, Ints
from textae.encoding.decoder import Decoder, most_telling
from textae.search.query import QueryVector

ADDED = 10
"""n, the words that are added; 5 and 20 do as well."""

WEIGHT = 0.1
"""λ, what they may give, as a share of what the query's own words can."""


def expand(
    query: QueryVector,
    decoder: Decoder,
    usual: NDArray[np.float64],
    floats: NDArray[np.floating],
    idf: Callable[[Ints], Floats],
    n_words: int = ADDED,
    weight: float = WEIGHT,
) -> QueryVector:
    """A question with the words that its code tells, beside its own; its texts, and so its code, stay as they are.

    Args:
        query: what was asked; one without words, or without a code, comes back as it is.
        decoder: of the words.
        usual: (n_decoded,), p̄.
        floats: (dims,), the code of the question; zeros where nothing of it is known.
        idf: of terms, by their numbers.
        n_words: at most so many are added: only those that the code makes likelier than usual.
        weight: λ.
    """
    if not floats.any():
        return query
    shares = decoder.words(floats[None])[0]
    shares[query.terms[query.terms < len(shares)]] = 0  # below the usual: its own words keep their weights
    added = most_telling(shares, usual, n_words).astype(np.int32)
    telling = (shares[added] - usual[added]) ** 2 / usual[added]
    own = float(query.weights @ idf(query.terms))
    scale = weight * own / (telling @ idf(added)) if len(added) else 0
    weights = (telling * scale).astype(np.float32)
    terms = np.concatenate([query.terms, added[weights > 0]])
    order = np.argsort(terms)
    return replace(query, terms=terms[order], weights=np.concatenate([query.weights, weights[weights > 0]])[order])
