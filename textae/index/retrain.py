"""Learning again from what an index holds, anew or from labels; its documents and their words stay as they are.

    tokens ─▶ bags ─▶ auto-encoder (anew, or the one that is there) ─▶ fine-tuned by labels ─▶ codes of all

Learned anew, the index is as if its documents had just been indexed: the terms are numbered by their frequency of now,
those that no document holds any more are gone, and segments are whole. Labels fine-tune what was learned without any.
That is kept beside what they make of it, so that the labels of another field are learned from the same start, and
learning the same ones twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from textae.config import LSA, ModelSpec, TrainSpec
from textae.encoding.bags import Bags, Tokens
from textae.encoding.classifier import Labels
from textae.encoding.counting import TermCounts, renumbered
from textae.encoding.encoders import Encoder, encoder_of
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.errors import TextaeError
from textae.index.build import CountedCorpus, learn_and_write, too_little_memory_is_an_error
from textae.index.segments import DOCUMENTS, encode_rows, prefix
from textae.index.snapshot import Snapshot
from textae.index.writer import UpdateWriter, failures_are_errors
from textae.types import Progress, Shape

if TYPE_CHECKING:
    from textae.training.text import Learned

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
        shape: height, width and channels of pictures; None of texts.
    """

    documents: int
    anew: bool
    label: str | None = None
    labelled: int = 0
    classes: int = 0
    warnings: tuple[str, ...] = ()
    shape: Shape | None = None


def relearn(
    writer: UpdateWriter,
    snapshot: Snapshot,
    label: str | None,
    model: ModelSpec | None,
    train: TrainSpec,
    progress: Progress,
) -> Trained:
    """Learn an index again; nothing is committed yet.

    Args:
        writer: of the store.
        snapshot: the commit that is revised.
        label: the field whose labels fine-tune what is learned without them; None for none.
        model: the shape of an auto-encoder to be learned anew; None to keep the one that is there.
        train: how it learns; where it is kept, the seed and the device of fine-tuning.
        progress: told of each stage.

    Raises:
        TextaeError: the labels cannot be learned; there is not enough memory; or learning diverged.
    """
    if label is not None:
        snapshot.check_words("learning from labels")
    pretrain = (train if model is not None else snapshot.specs[1]).pretrain
    if label is not None and pretrain != LSA:
        raise TextaeError(
            f"labels fine-tune what starts from LSA, and this would start from {pretrain!r}; give --pretrain lsa"
        )
    writer.check("")
    labels = None if label is None else _labels(snapshot, label)
    if model is not None:
        snapshot.modality.check_training(model, train)
        warnings = _anew(writer, snapshot, labels, model, train, progress)
    else:
        warnings = ()
        _tune_what_is_there(writer, snapshot, labels, train, progress)
    about = Trained(len(snapshot.numbers), model is not None, warnings=tuple(warnings), shape=snapshot.shape)
    if labels is None:
        return about
    return replace(about, label=label, labelled=labels.n_labelled, classes=len(labels.classes))


def _labels(snapshot: Snapshot, field: str) -> Labels:
    values = list(snapshot.reader.field(field).values())
    if all(value is None for value in values):
        fields = sorted({name for document in snapshot.reader.stream() for name in document.fields})
        more = f" and {len(fields) - _NAMED:,} more" if len(fields) > _NAMED else ""
        raise TextaeError(
            f"no document has anything in a field {field!r}; "
            + (f"there are {', '.join(fields[:_NAMED])}{more}" if fields else "the documents have no fields")
        )
    return Labels.read(field, values)


def _anew(
    writer: UpdateWriter,
    snapshot: Snapshot,
    labels: Labels | None,
    model: ModelSpec,
    train: TrainSpec,
    progress: Progress,
) -> Sequence[str]:
    """Learn the auto-encoder as `textae index` does, from LSA on; what was learned before is no part of the index."""
    progress("counting", 0, None)
    old = _tokens(snapshot)
    counts = TermCounts.of(old, snapshot.model.vectorizer.vocabulary.terms())
    ranked = counts.ranked()
    with failures_are_errors(writer.folder):
        tokens = renumbered(old, counts.terms, ranked.terms, writer.folder)
    vectorizer = Vectorizer(snapshot.model.vectorizer.analysis, Vocabulary.of(ranked.terms))
    writer.keep_only("documents", "next_number", "sources")
    tune = None
    if labels is not None:
        tune = partial(_fine_tune, writer, tokens.bags(), labels, model.dropout, train, progress)
    passage, modality = snapshot.model.passage, snapshot.modality
    counted = CountedCorpus(vectorizer, ranked.frequencies, snapshot.numbers, tokens, passage, modality)
    return learn_and_write(writer, counted, model, train, progress, tune)


def _tokens(snapshot: Snapshot) -> Tokens:
    """The terms of all documents that are there."""
    units = [(segment.tokens, segment.documents) for segment in snapshot.segments]
    return Tokens.concatenated([tokens.take(np.flatnonzero(unit.alive())) for tokens, unit in units])


def _tune_what_is_there(
    writer: UpdateWriter, snapshot: Snapshot, labels: Labels | None, train: TrainSpec, progress: Progress
) -> None:
    """Fine-tune the auto-encoder that was learned without labels, and encode all rows anew where they lie."""
    from textae.training.text import Learned  # torch

    if labels is None:
        raise TextaeError("there is nothing to learn: give labels, or a model to learn anew")
    arrays = snapshot.reader.arrays
    unlabelled = {name.removeprefix(_BEFORE): array for name, array in arrays.items() if name.startswith(_BEFORE)}
    encoder = encoder_of(unlabelled or arrays)
    assert isinstance(encoder, Encoder)  # of what does not start from LSA, labels were refused
    before = Learned(encoder, snapshot.decoder)
    for learned_of_codes in ("topics", "map"):
        writer.drop(learned_of_codes)
    with too_little_memory_is_an_error(snapshot.specs[0]):
        bags = _tokens(snapshot).bags()
        encoder = _fine_tune(writer, bags, labels, snapshot.specs[0].dropout, train, progress, before)
        for segment in snapshot.segments:
            for name, unit in segment.units():
                rows = segment.tokens.bags() if name == DOCUMENTS else unit.postings.bags()
                writer.put_all(f"{prefix(segment.name)}{name}/", encode_rows(rows, encoder, progress))


def _fine_tune(
    writer: UpdateWriter, bags: Bags, labels: Labels, drop: float, train: TrainSpec, progress: Progress, before: Learned
) -> Encoder:
    """Fine-tune by labels, and write what was learned beside what it was learned from."""
    from textae.training.finetune import fine_tune  # torch

    tuned = fine_tune(bags, labels, before, drop, train, progress)
    writer.put_all(_BEFORE, before.encoder.arrays())
    writer.put_all("", {**tuned.encoder.arrays(), **tuned.classifier.arrays()})
    taught = {"field": labels.field, "labelled": labels.n_labelled, "classes": tuned.classifier.classes}
    writer.set("classifier", taught)
    return tuned.encoder
