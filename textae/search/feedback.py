"""Queries made of documents: what is like these, unlike those, and like what a query found (Rocchio 1971).

The code that is asked for is the query's plus BETA times the mean code of what it should be like, minus GAMMA times the
mean code of what it should be unlike. To keyword search the words that tell most of the liked documents are added; that
it should avoid words would be asked in vain, as unlike documents share most of their words with the wanted ones.
"""

from dataclasses import replace

import numpy as np

from textae.encoding.arrays import Floats, Ints
from textae.encoding.bags import Bags
from textae.encoding.encoders import Inputs
from textae.encoding.layers import unit
from textae.encoding.pixels import Pixels
from textae.encoding.weighting import term_weight
from textae.search.query import QueryVector

BETA, GAMMA = 0.75, 0.25
"""Of what a document says beside a query: usual values (Manning, Raghavan & Schütze 2008, section 9.1), not tuned."""

ADDED = 20
"""Words of liked documents that keyword search looks for, too."""


READ, WORDS, OWN = 5, 20, 0.8
"""Of RM3: the hits that are read, the words that they add, and the share of the query's own. With a share of .6,
Reuters gains twice as much, and Med and Cranfield lose three times as much."""


def like_these(documents: Inputs) -> QueryVector:
    """The query of some documents: the mean of their codes, and all of their words.

    Args:
        documents: the bags or the pictures of n documents, at least 1.
    """
    if isinstance(documents, Pixels):
        return QueryVector.of_pictures(documents)
    bags, n = documents, len(documents)
    if n == 1:
        return QueryVector.of(bags)
    terms, weights = summed(bags.terms, bags.counts.astype(np.float32) / np.float32(n))
    return QueryVector(terms, weights, bags, np.full(n, 1 / n, np.float32))


def unlike_pictures(query: QueryVector, pixels: Pixels) -> QueryVector:
    """A question for pictures moved away from some: their codes are taken from the one that is asked for.

    Args:
        query: that was asked.
        pixels: of m pictures, at least 1.
    """
    assert query.pictures is not None
    shares = [query.text_weights, np.full(len(pixels), -GAMMA / len(pixels), np.float32)]
    pictures = Pixels.concatenated([query.pictures, pixels])
    return replace(query, pictures=pictures, text_weights=np.concatenate(shares))


def with_feedback(query: QueryVector, like: Bags, unlike: Bags, like_idf: Floats) -> QueryVector:
    """A question, and documents that were found to be what is looked for, and not to be.

    Args:
        query: that was asked.
        like: n documents, perhaps none.
        unlike: m documents, perhaps none.
        like_idf: (n_postings,) the idf of each posting of `like`.
    """
    shares = [query.text_weights]
    for bags, weight in ((like, BETA), (unlike, -GAMMA)):
        shares.append(np.full(len(bags), weight / max(1, len(bags)), np.float32))
    terms, weights = query.terms, query.weights
    if len(like):
        told, worth = summed(like.terms, term_weight(like.counts) * like_idf)
        best = np.argsort(-worth, kind="stable")[:ADDED]
        share = BETA * max(1.0, float(weights.sum())) / max(float(worth[best].sum()), 1e-9)
        added = worth[best] * np.float32(share)
        terms, weights = summed(np.concatenate([terms, told[best]]), np.concatenate([weights, added]))
    texts = Bags.concatenated([query.texts, like, unlike])
    return replace(query, terms=terms, weights=weights, texts=texts, text_weights=np.concatenate(shares))


def rm3(query: QueryVector, hits: Bags, scores: Floats) -> QueryVector:
    """A query with the words that its first hits say most, for keyword search (RM3, Abdul-Jaleel et al., TREC 2004).

        w'(t) = OWN · w(t) + (1 - OWN) · Σ w · P(t)        P(t) ~ Σ_d score(d) · tf(t, d) / length(d), of the best words

    Args:
        query: one.
        hits: n documents, at least 1.
        scores: (n,) of these, above 0.
    """
    lengths = np.bincount(hits.row_of, hits.counts, minlength=len(hits))
    told, worth = summed(hits.terms, (hits.counts * (scores / lengths)[hits.row_of]).astype(np.float32))
    best = np.argsort(-worth, kind="stable")[:WORDS]
    added = (1 - OWN) * query.weights.sum() * worth[best] / worth[best].sum()
    weights = np.concatenate([np.float32(OWN) * query.weights, added.astype(np.float32)])
    terms, weights = summed(np.concatenate([query.terms, told[best]]), weights)
    return replace(query, terms=terms, weights=weights)


def moved(vector: Floats | None, like: Floats, unlike: Floats) -> Floats | None:
    """A vector moved as codes are: towards what the query should be like, away from what it should be unlike.

    Args:
        vector: (dims,) of the query; None where the liked documents are the query.
        like: (n, dims) of documents; zeros for one that has none.
        unlike: (m, dims) as well.

    Returns:
        (dims,) of unit length; None where nothing is left.
    """
    own = like.sum(axis=0) / max(1, len(like)) if vector is None else vector
    if vector is not None and len(like):
        own = own + np.float32(BETA) * like.mean(axis=0)
    if len(unlike):
        own = own - np.float32(GAMMA) * unlike.mean(axis=0)
    return unit(own[None])[0] if own.any() else None


def summed(terms: Ints, weights: Floats) -> tuple[Ints, Floats]:
    """The terms, each once and rising, with the sum of their weights."""
    distinct, place = np.unique(terms, return_inverse=True)
    return distinct.astype(np.int32), np.bincount(place, weights, minlength=len(distinct)).astype(np.float32)
