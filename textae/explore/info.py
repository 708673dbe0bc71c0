"""The facts about an index: what it holds, how it was learned, and its drift from what it learned.

Drift: do the words and codes of an index still fit newer documents? Two measures, of a sample of the learned documents
and of a sample of later ones:

    unknown words    share of the words (without stop words) that the encoder does not know
    loss             mean over documents of -Σ_t q(t) ln p(t), in nats: p the decoder's probabilities for the document's
                     code, q the document's tf-idf weights of the words that the encoder knows, scaled to sum 1

A higher loss of later documents means that the auto-encoder knows their topics less well. Pictures have one measure:

    error            mean over pictures of Σ_i (x(i) - x̂(i))²: x the brightness of a pixel, from 0 to 1, x̂ the decoder's
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from textae.corpus.ignore import BY_DEFAULT
from textae.corpus.reading import DEFAULT
from textae.encoding.arrays import Rows, evenly_spaced
from textae.encoding.encoders import encode
from textae.encoding.weighting import tfidf
from textae.index.own_vectors import own_vectors
from textae.index.snapshot import Snapshot
from textae.index.update import remembered_sources
from textae.types import shape_in_words

SAMPLE = 1_000
"""Documents of each sample, evenly spaced."""

_AT_A_TIME = 64  # documents decoded at a time, each to a distribution over all words

_TEXTS_ONLY = ("language", "inputs", "topics")
"""Settings of learning that have no meaning for pictures."""


def info(snapshot: Snapshot) -> dict[str, Any]:
    """What the index holds and how it was learned, as JSON can hold it."""
    settings, documents, has_words = snapshot.reader.settings, snapshot.documents, snapshot.shape is None
    facts: dict[str, Any] = {"documents": len(snapshot.reader)}
    if has_words:
        facts |= {"terms": len(snapshot.model.vectorizer.vocabulary)}
        if own := own_vectors(snapshot):
            vectors = own.codes
            facts |= {"vectors": int(vectors.has_code.sum()), "vector_dims": vectors.floats.shape[1]}
            facts |= {"vector_weight": round(settings["vector_weight"], 3), "bytes_vectors": vectors.floats.nbytes}
    else:
        facts["pictures"] = shape_in_words(snapshot.modality.check_picture(snapshot.reader.folder))
    is_new = snapshot.numbers >= settings["learned_numbers"]
    added, learned = snapshot.numbers[is_new], snapshot.numbers[~is_new]
    facts |= {
        "bytes_floats": sum(rows.codes.floats.nbytes for rows in documents.units),
        "bytes_bits": sum(rows.codes.bits.nbytes for rows in documents.units),
        "bytes_of_codes_per_document": round(bytes_of_codes(snapshot) / len(snapshot.reader)),
        "segments": len(snapshot.segments),
        "added_since_learned": len(added),
        "removed_since_learned": settings["learned_documents"] - len(learned),
    }
    if snapshot.model.passage:
        facts["passages"] = snapshot.searched.statistics.n
    if len(added) and len(learned):
        facts |= (_text_drift if has_words else _picture_drift)(snapshot, learned, added)
    facts |= {name: value for name, value in settings["about"].items() if has_words or name not in _TEXTS_ONLY}
    if has_words:
        facts["inputs"] = len(snapshot.text_encoder.words)  # not more than there were terms when it was trained
    if errors := settings.get("layer_errors"):
        facts["layer_errors"] = [f"{layer[0]:.4g} → {layer[-1]:.4g}" for layer in errors]
    if labels := settings.get("classifier"):
        facts |= {"label_field": labels["field"], "labelled": labels["labelled"], "labels": len(labels["classes"])}
    return facts


def bytes_of_codes(snapshot: Snapshot) -> int:
    """The size of all codes and of LSA's, of documents and passages, with the removed ones."""
    units = [rows for segment in snapshot.segments for _, rows in segment.units()]
    return sum(rows.codes.floats.nbytes + rows.codes.bits.nbytes + rows.lsa.nbytes for rows in units)


def sources(snapshot: Snapshot) -> list[dict[str, Any]]:
    """What an index is made of, as JSON can hold it: each source, and the documents that came from none.

    A source has the number of its documents, whether it is `gone`, and of its options those that were given.
    """
    listed: list[dict[str, Any]] = []
    for key, source in remembered_sources(snapshot).items():
        options = {name: value for name, value in asdict(source.spec).items() if value}
        options |= {name: value for name, value in asdict(source.ignore).items() if value != getattr(BY_DEFAULT, name)}
        options |= {name: value for name, value in asdict(source.limits).items() if value != getattr(DEFAULT, name)}
        n = len(snapshot.reader.contents(key))
        listed.append({"source": key, "documents": n, "kind": source.kind, "gone": source.is_gone, "options": options})
    if others := len(snapshot.reader) - sum(one["documents"] for one in listed):
        listed.append({"source": "", "documents": others, "kind": snapshot.modality.kind, "gone": False, "options": {}})
    return listed


def _text_drift(snapshot: Snapshot, learned: Rows, added: Rows) -> dict[str, Any]:
    before, now = fit(snapshot, learned), fit(snapshot, added)
    losses = {"loss_of_learned": before.loss, "loss_of_added": now.loss}
    return {
        "unknown_words_of_learned": round(before.unknown_words, 4),
        "unknown_words_of_added": round(now.unknown_words, 4),
        **{name: round(loss, 3) for name, loss in losses.items() if loss is not None},
    }


def _picture_drift(snapshot: Snapshot, learned: Rows, added: Rows) -> dict[str, Any]:
    numbers = {"error_of_learned": learned, "error_of_added": added}
    return {name: round(picture_error(snapshot, rows), 3) for name, rows in numbers.items()}


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
    bags = snapshot.tokens_of(numbers[evenly_spaced(len(numbers), SAMPLE)].tolist()).bags()
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
    for rows in snapshot.pixels_of(numbers[evenly_spaced(len(numbers), SAMPLE)].tolist()).chunks(_AT_A_TIME):
        brightness = snapshot.decoder.brightness(encode(snapshot.model.encoder, rows).floats)
        errors.append(np.square(brightness - rows.brightness()).sum(axis=1))
    return float(np.concatenate(errors).mean())
