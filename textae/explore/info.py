"""The facts about an index: what it holds, how it was learned, and how well added documents fit the model."""

from typing import Any

from textae.encoding.arrays import Rows
from textae.explore.drift import fit, picture_error
from textae.index.snapshot import Snapshot
from textae.types import shape_in_words

_TEXTS_ONLY = ("language", "inputs", "topics")
"""Settings of learning that have no meaning for pictures."""


def info(snapshot: Snapshot) -> dict[str, Any]:
    """What the index holds and how it was learned, as JSON can hold it."""
    settings, documents, has_words = snapshot.reader.settings, snapshot.documents, snapshot.shape is None
    facts: dict[str, Any] = {"documents": len(snapshot.reader)}
    if has_words:
        facts |= {"terms": len(snapshot.model.vectorizer.vocabulary)}
        facts |= {"hybrid_weight": round(settings["hybrid_weight"], 3)}
    else:
        facts["pictures"] = shape_in_words(snapshot.modality.check_picture(snapshot.reader.folder))
    is_new = snapshot.numbers >= settings["learned_numbers"]
    added, learned = snapshot.numbers[is_new], snapshot.numbers[~is_new]
    facts |= {
        "bytes_floats": sum(part.nbytes for part in documents.floats.parts),
        "bytes_bits": sum(part.nbytes for part in documents.bits.parts),
        "segments": len(snapshot.segments),
        "added_since_learned": len(added),
        "removed_since_learned": settings["learned_documents"] - len(learned),
    }
    if snapshot.model.passage:
        facts["passages"] = snapshot.searched.statistics.n
    if len(added) and len(learned):
        facts |= (_text_drift if has_words else _picture_drift)(snapshot, learned, added)
    facts |= {name: value for name, value in settings["about"].items() if has_words or name not in _TEXTS_ONLY}
    if errors := settings.get("layer_errors"):
        facts["layer_errors"] = [f"{layer[0]:.4g} → {layer[-1]:.4g}" for layer in errors]
    if labels := settings.get("classifier"):
        facts |= {"label_field": labels["field"], "labelled": labels["labelled"], "labels": len(labels["classes"])}
    return facts


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
