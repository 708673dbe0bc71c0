"""Learning again from what an index holds, anew or from labels; its documents and their words stay as they are.

    postings ─▶ bags ─▶ auto-encoder (anew, or the one that is there) ─▶ fine-tuned by labels ─▶ codes of all

Labels fine-tune what was learned without any. That is kept beside what they make of it, so that the labels of another
field are learned from the same start, and learning the same ones twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textae.classifier import Labels
from textae.encoder import Encoder, encoder_of
from textae.errors import TextaeError
from textae.indexing import about, encode, learn_from, too_little_memory_is_an_error
from textae.opened import Opened
from textae.spec import LSA, ModelSpec, TrainSpec, check_together
from textae.store import Reviser
from textae.types import Progress
from textae.vectorizer import Bags

if TYPE_CHECKING:
    from textae.train import Learned

_BEFORE = "unlabelled/"
"""Begins the names of the encoder's arrays as they were before any label."""

_NAMED = 10  # fields that are named


@dataclass(frozen=True)
class Trained:
    """What was learned.

    Attributes:
        documents: in the index.
        anew: whether the auto-encoder was learned anew.
        label: the field whose labels were learned; None for none.
        labelled: documents that have a label.
        classes: different labels.
        warnings: what went otherwise than it should.
    """

    documents: int
    anew: bool
    label: str | None = None
    labelled: int = 0
    classes: int = 0
    warnings: tuple[str, ...] = ()


def relearn(
    writer: Reviser, opened: Opened, label: str | None, model: ModelSpec | None, train: TrainSpec, progress: Progress
) -> Trained:
    """Learn an index again; nothing is committed yet.

    Args:
        writer: of the store.
        opened: the commit that is revised.
        label: the field whose labels fine-tune what is learned without them; None for none.
        model: the shape of an auto-encoder to be learned anew; None to keep the one that is there.
        train: how it learns; where it is kept, the seed and the device of fine-tuning.
        progress: told of each stage.

    Raises:
        TextaeError: the labels cannot be learned; there is not enough memory; or learning diverged.
    """
    pretrain = (train if model is not None else opened.specs[1]).pretrain
    if label is not None and pretrain != LSA:
        raise TextaeError(
            f"labels fine-tune what starts from LSA, and this would start from {pretrain!r}; give --pretrain lsa"
        )
    if model is not None:
        check_together(model, train)
    labels = None if label is None else _labels(opened, label)
    bags = opened.postings.bags()
    with too_little_memory_is_an_error(model or opened.specs[0]):
        if model is None:
            learned, start = _kept(opened)
        else:
            learned, start = _anew(writer, opened, bags, model, train, progress)
        encoder = learned.encoder
        if labels is not None:
            encoder = _fine_tune(writer, bags, labels, learned, (model or opened.specs[0]).drop, train, progress)
        encode(writer, bags, encoder, start, progress)
    if labels is None:
        return Trained(len(bags), model is not None, warnings=learned.warnings)
    return Trained(len(bags), model is not None, label, labels.known, len(labels.classes), learned.warnings)


def _labels(opened: Opened, field: str) -> Labels:
    values = list(opened.reader.field(field).values())
    if all(value is None for value in values):
        fields = sorted({name for document in opened.reader.stream() for name in document.fields})
        more = f" and {len(fields) - _NAMED:,} more" if len(fields) > _NAMED else ""
        raise TextaeError(
            f"no document has anything in a field {field!r}; "
            + (f"there are {', '.join(fields[:_NAMED])}{more}" if fields else "the documents have no fields")
        )
    return Labels.read(field, values)


def _anew(
    writer: Reviser, opened: Opened, bags: Bags, model: ModelSpec, train: TrainSpec, progress: Progress
) -> tuple[Learned, Encoder]:
    """Learn the auto-encoder as `textae index` does, from LSA on; what was learned before is no part of the index."""
    writer.keep_only("documents", "analysis", "vocabulary/", "postings/")
    inputs = min(model.inputs, len(opened.idf))
    writer.set("about", about(opened.vectorizer.analysis.language, model, train, inputs))
    return learn_from(writer, bags, opened.idf[:inputs], model, train, progress)


def _kept(opened: Opened) -> tuple[Learned, Encoder]:
    """What was learned without labels, and LSA, from which the codes of `lsa` are."""
    from textae.train import Learned  # torch

    arrays = opened.reader.arrays
    before = {name.removeprefix(_BEFORE): array for name, array in arrays.items() if name.startswith(_BEFORE)}
    words = arrays["lsa/words"]
    return Learned(encoder_of(before or arrays), opened.decoder), Encoder.lsa(words, opened.idf[: len(words)])


def _fine_tune(
    writer: Reviser, bags: Bags, labels: Labels, before: Learned, drop: float, train: TrainSpec, progress: Progress
) -> Encoder:
    """Fine-tune by labels, and write what was learned beside what it was learned from."""
    from textae.finetune import fine_tune  # torch

    tuned = fine_tune(bags, labels, before, drop, train, progress)
    for name, array in before.encoder.arrays().items():
        writer.put(f"{_BEFORE}{name}", array)
    for name, array in {**tuned.encoder.arrays(), **tuned.classifier.arrays()}.items():
        writer.put(name, array)
    taught = {"field": labels.field, "labelled": labels.known, "classes": tuned.classifier.classes}
    writer.set("classifier", taught)
    return tuned.encoder
