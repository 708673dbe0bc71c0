"""Drift of an index from what it learned: do its words and codes still fit newer documents?

Two measures, of a sample of the learned documents and of a sample of later ones:

    unknown words    share of the words (without stop words) that the encoder does not know
    loss             mean over documents of -Σ_t q(t) ln p(t), in nats: p the decoder's probabilities for the document's
                     code, q the document's tf-idf weights of the words that the encoder knows, scaled to sum 1

A higher loss of later documents means that the auto-encoder knows their topics less well. Pictures have one measure:

    error            mean over pictures of Σ_i (x(i) - x̂(i))²: x the brightness of a pixel, from 0 to 1, x̂ the decoder's
"""

from dataclasses import dataclass

import numpy as np

from textae.encoding.arrays import Rows
from textae.encoding.encoders import encode
from textae.encoding.weighting import tfidf
from textae.index.snapshot import Snapshot

SAMPLE = 1_000
"""Documents of each sample, evenly spaced."""

_AT_A_TIME = 64  # documents decoded at a time, each to a distribution over all words


@dataclass(frozen=True)
class Fit:
    """How well some documents fit what was learned.

    Attributes:
        unknown_words: share of their words that the encoder does not know.
        loss: of reconstruction, in nats; None if the encoder knows no word of them.
    """

    unknown_words: float
    loss: float | None


def fit(snapshot: Snapshot, numbers: Rows) -> Fit:
    """How well documents, or a sample of many, fit what was learned.

    Args:
        snapshot: the index.
        numbers: (n,) of the documents, at least 1.
    """
    bags = snapshot.bags_of(_sample(numbers).tolist())
    inputs = len(snapshot.text_encoder.words)
    known, total = bags.below(inputs), float(bags.counts.sum())
    unknown = 1 - float(known.counts.sum()) / total if total else 0.0
    losses = []
    for rows in known.chunks(_AT_A_TIME):
        weights = tfidf(rows, snapshot.model.idf[:inputs]).astype(np.float64)
        codes = snapshot.text_encoder.encode(rows).floats
        log_probabilities = np.log(snapshot.decoder.words(codes) + np.finfo(np.float32).tiny)
        sums = np.bincount(rows.row_of, weights, minlength=len(rows))
        loss = -np.bincount(rows.row_of, weights * log_probabilities[rows.row_of, rows.terms], minlength=len(rows))
        losses.append(loss[sums > 0] / sums[sums > 0])
    every = np.concatenate(losses)
    return Fit(unknown, float(every.mean()) if len(every) else None)


def picture_error(snapshot: Snapshot, numbers: Rows) -> float:
    """The mean squared error of pictures, or of a sample of many.

    Args:
        snapshot: the index.
        numbers: (n,) of the pictures, at least 1.
    """
    errors = []
    for rows in snapshot.pixels_of(_sample(numbers).tolist()).chunks(_AT_A_TIME):
        brightness = snapshot.decoder.brightness(encode(snapshot.model.encoder, rows).floats)
        errors.append(np.square(brightness - rows.brightness()).sum(axis=1))
    return float(np.concatenate(errors).mean())


def _sample(numbers: Rows) -> Rows:
    return numbers[np.unique(np.linspace(0, len(numbers) - 1, min(len(numbers), SAMPLE)).astype(np.int64))]
