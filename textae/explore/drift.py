"""How far an index has drifted from what it learned: do the words and the meaning of newer documents still fit?

Two measures, of a sample of the documents that were learned and of a sample of those that came later:

    unknown words    share of the words (stop words aside) that the encoder does not know
    loss             mean over documents of -Σ_t q(t) ln p(t), in nats: p what the decoder makes of the document's code,
                     q the document's tf-idf weights of the words that it knows, scaled to sum 1

A higher loss of later documents says that the auto-encoder cannot tell what they are about as well. Of pictures there
is one measure:

    error            mean over pictures of Σ_i (x(i) - x̂(i))²: x the brightness of a pixel, from 0 to 1, x̂ the decoder's
"""

from dataclasses import dataclass

import numpy as np

from textae.encoding.arrays import Rows
from textae.encoding.encoders import encode
from textae.encoding.weighting import tfidf
from textae.index.snapshot import Snapshot

SAMPLE = 1_000
"""Documents of each kind that are looked at, evenly taken."""

_AT_A_TIME = 64  # documents decoded at a time: a distribution over all words each


@dataclass(frozen=True)
class Fit:
    """How well some documents fit what was learned.

    Attributes:
        unknown_words: the share of their words that the encoder does not know.
        loss: of reconstruction, in nats; None where nothing of them is known.
    """

    unknown_words: float
    loss: float | None


def fit(snapshot: Snapshot, numbers: Rows) -> Fit:
    """How well documents of these numbers, or a sample of many, fit what was learned.

    Args:
        snapshot: the index.
        numbers: (n,) at least 1.
    """
    some = _sample(numbers)
    bags = snapshot.bags_of(some.tolist())
    inputs = len(snapshot.text_encoder.words)
    counts = bags.counts.astype(np.float64)
    known = bags.below(inputs)
    unknown = 1 - float(known.counts.sum() / counts.sum()) if counts.sum() else 0.0
    weights = tfidf(known, snapshot.model.idf[:inputs]).astype(np.float64)
    losses = []
    for first in range(0, len(known), _AT_A_TIME):
        last = min(first + _AT_A_TIME, len(known))
        rows = known.rows(first, last)
        told = np.log(snapshot.decoder.words(snapshot.text_encoder.encode(rows).floats) + np.finfo(np.float32).tiny)
        own = weights[known.starts[first] : known.starts[last]]
        total = np.bincount(rows.row_of, own, minlength=len(rows))
        said = np.bincount(rows.row_of, own * told[rows.row_of, rows.terms], minlength=len(rows))
        losses.append(-said[total > 0] / total[total > 0])
    every = np.concatenate(losses)
    return Fit(unknown, float(every.mean()) if len(every) else None)


def picture_error(snapshot: Snapshot, numbers: Rows) -> float:
    """How well pictures of these numbers, or a sample of many, fit what was learned: the mean squared error.

    Args:
        snapshot: the index.
        numbers: (n,) at least 1.
    """
    errors = []
    for rows in snapshot.pixels_of(_sample(numbers).tolist()).chunks(_AT_A_TIME):
        drawn = snapshot.decoder.brightness(encode(snapshot.model.encoder, rows).floats)
        errors.append(np.square(drawn - rows.brightness()).sum(axis=1))
    return float(np.concatenate(errors).mean())


def _sample(numbers: Rows) -> Rows:
    return numbers[np.unique(np.linspace(0, len(numbers) - 1, min(len(numbers), SAMPLE)).astype(np.int64))]
