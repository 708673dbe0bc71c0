"""The facts about an index: what it holds, how it was learned, and how well added documents fit the model."""

from collections.abc import Callable, Mapping
from typing import Any

from textae.encoding.arrays import Rows
from textae.explore.drift import fit, picture_error
from textae.index.snapshot import Snapshot
from textae.types import PICTURES, TEXTS, shape_in_words


def info(snapshot: Snapshot) -> dict[str, Any]:
    """What the index holds and how it was learned, as JSON can hold it."""
    settings, documents = snapshot.reader.settings, snapshot.documents
    errors = settings.get("layer_errors", [])
    labels = settings.get("classifier")
    return {
        "documents": len(snapshot.reader),
        **_CONTENT[snapshot.modality.kind](snapshot),
        "bytes_floats": sum(part.nbytes for part in documents.floats.parts),
        "bytes_bits": sum(part.nbytes for part in documents.bits.parts),
        **_changes(snapshot),
        **{name: value for name, value in settings["about"].items() if name not in _UNUSED[snapshot.modality.kind]},
        **({"layer_errors": [f"{layer[0]:.4g} → {layer[-1]:.4g}" for layer in errors]} if errors else {}),
        **(
            {"label_field": labels["field"], "labelled": labels["labelled"], "labels": len(labels["classes"])}
            if labels
            else {}
        ),
    }


def _changes(snapshot: Snapshot) -> dict[str, Any]:
    """What has changed since the index was learned, and how well added documents fit the model."""
    settings = snapshot.reader.settings
    is_new = snapshot.numbers >= settings["learned_numbers"]
    added, learned = snapshot.numbers[is_new], snapshot.numbers[~is_new]
    return {
        "segments": len(snapshot.segments),
        "added_since_learned": len(added),
        "removed_since_learned": settings["learned_documents"] - len(learned),
        **({"passages": snapshot.searched.statistics.n} if snapshot.model.passage else {}),
        **(_DRIFT[snapshot.modality.kind](snapshot, learned, added) if len(added) and len(learned) else {}),
    }


def _text_content(snapshot: Snapshot) -> dict[str, Any]:
    weight = round(snapshot.reader.settings["hybrid_weight"], 3)
    return {"terms": len(snapshot.model.vectorizer.vocabulary), "hybrid_weight": weight}


def _picture_content(snapshot: Snapshot) -> dict[str, Any]:
    return {"pictures": shape_in_words(snapshot.modality.check_picture(snapshot.reader.folder))}


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


_CONTENT: Mapping[str, Callable[[Snapshot], dict[str, Any]]] = {TEXTS: _text_content, PICTURES: _picture_content}
_DRIFT: Mapping[str, Callable[[Snapshot, Rows, Rows], dict[str, Any]]] = {TEXTS: _text_drift, PICTURES: _picture_drift}
_UNUSED: Mapping[str, tuple[str, ...]] = {TEXTS: (), PICTURES: ("language", "inputs", "topics")}
"""Settings of learning that have no meaning for one kind of document."""
