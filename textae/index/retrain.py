"""Learning again from what an index holds, anew or from labels; its documents and their words stay as they are.

    tokens ─▶ bags ─▶ auto-encoder (anew, or the one that is there) ─▶ fine-tuned by labels ─▶ codes of all

Learned anew, the index is as if its documents had just been indexed: the terms are numbered by their frequency of now,
those that no document holds any more are gone, and segments are whole. Labels fine-tune what was learned without any.
That is kept beside what they make of it, so that the labels of another field are learned from the same start, and
learning the same ones twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from textae.config import LSA, ModelSpec, TrainSpec
from textae.encoding.bags import Bags, Tokens
from textae.encoding.classifier import Labels
from textae.encoding.counting import TermCounts, renumbered
from textae.encoding.encoders import Encoder, Inputs, PixelEncoder, encoder_of
from textae.encoding.pixels import Pixels
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.errors import TextaeError
from textae.index.checksums import with_checksums
from textae.index.learning import CountedCorpus, learn_and_write, too_little_memory_is_an_error
from textae.index.own_vectors import own_vectors
from textae.index.segments import DOCUMENTS, VECTORS, encode_rows, prefix
from textae.index.snapshot import Snapshot
from textae.index.soundness import check_all
from textae.index.writer import UpdateWriter, failures_are_errors
from textae.types import Progress, Shape

if TYPE_CHECKING:
    from textae.training.text import Learned

_BEFORE = "unlabelled/"
"""Begins the names of the encoder's arrays as they were before any label."""

Tune = Callable[[Inputs, float, "Learned[Any]"], Encoder | PixelEncoder]
"""Fine-tunes an auto-encoder: bags or pixels, word dropout and the auto-encoder to its new encoder."""

_NAMED = 10  # fields that are named


@dataclass(frozen=True)
class Trained:
    """The result of training an index again.

    Attributes:
        documents: the number of documents in the index.
        anew: whether the auto-encoder was learned anew.
        label: the field whose labels were learned; None for none.
        labelled: the number of documents with a label.
        classes: the number of different labels.
        warnings: problems of the training, for the user.
        shape: height, width and channels of pictures; None for texts.
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
        progress: called at each stage.

    Raises:
        TextaeError: the labels cannot be learned; there is not enough memory; or learning diverged.
    """
    pretrain = (train if model is not None else snapshot.specs[1]).pretrain
    if label is not None and pretrain != LSA:
        raise TextaeError(
            f"labels fine-tune what starts from LSA, and this would start from {pretrain!r}; give --pretrain lsa"
        )
    writer.check("")
    check_all(snapshot.reader)
    labels = None if label is None else _labels(snapshot, label)
    tune = None if labels is None else partial(_fine_tune, writer, labels, snapshot.shape, train, progress)
    warnings: Sequence[str] = ()
    if model is not None:
        snapshot.modality.check_training(model, train)
        warnings = _train_anew(writer, snapshot, model, train, progress, tune)
    elif tune is not None:
        _tune_what_is_there(writer, snapshot, tune, progress)
    else:
        raise TextaeError("there is nothing to learn: give labels, or a model to learn anew")
    trained = Trained(len(snapshot.numbers), model is not None, warnings=tuple(warnings), shape=snapshot.shape)
    if labels is None:
        return trained
    return replace(trained, label=label, labelled=labels.n_labelled, classes=len(labels.classes))


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


def _train_anew(
    writer: UpdateWriter, snapshot: Snapshot, model: ModelSpec, train: TrainSpec, progress: Progress, tune: Tune | None
) -> Sequence[str]:
    """Learn the auto-encoder as `textae index` does, from LSA on, and drop all that was learned before."""
    progress("counting", 0, None)
    old, pixels = _tokens(snapshot), None if tune is None or snapshot.shape is None else _pixels(snapshot)
    counts = TermCounts.of(old, snapshot.model.vectorizer.vocabulary.terms())
    ranked = counts.ranked()
    with failures_are_errors(writer.folder):
        tokens = renumbered(old, counts.terms, ranked.terms, writer.folder)
    vectorizer = Vectorizer(snapshot.model.vectorizer.analysis, Vocabulary.of(ranked.terms))
    writer.keep_only("sources", VECTORS.rstrip("/"))
    passage, modality = snapshot.model.passage, snapshot.modality
    counted = CountedCorpus(vectorizer, ranked.frequencies, snapshot.numbers, tokens, passage, modality)
    if own := own_vectors(snapshot):
        counted = replace(counted, vectors=own.codes)
    tune_this = None if tune is None else partial(tune, pixels or tokens.bags(), model.dropout)
    return learn_and_write(writer, counted, model, train, progress, tune_this)


def _tokens(snapshot: Snapshot) -> Tokens:
    """The terms of all documents that are not removed."""
    alive = [segment.tokens.take(np.flatnonzero(segment.documents.alive())) for segment in snapshot.segments]
    return Tokens.concatenated(alive)


def _pixels(snapshot: Snapshot) -> Pixels:
    """The pixels of all pictures that are not removed."""
    rows = (segment.documents for segment in snapshot.segments)
    return Pixels.concatenated(Pixels(one.pixels[np.flatnonzero(one.alive())]) for one in rows)


def _tune_what_is_there(writer: UpdateWriter, snapshot: Snapshot, tune: Tune, progress: Progress) -> None:
    """Fine-tune the auto-encoder that was learned without labels, and encode all rows anew where they lie."""
    from textae.training.text import Learned  # torch

    arrays = snapshot.reader.arrays
    unlabelled = {name.removeprefix(_BEFORE): array for name, array in arrays.items() if name.startswith(_BEFORE)}
    encoder = encoder_of(unlabelled or arrays)
    assert isinstance(encoder, Encoder | PixelEncoder)  # labels are refused for all that does not start from LSA
    pictures = snapshot.shape is not None
    for learned_of_codes in ("topics", "map"):
        writer.drop(learned_of_codes)
    model = snapshot.specs[0]
    with too_little_memory_is_an_error(model):
        inputs = _pixels(snapshot) if pictures else _tokens(snapshot).bags()
        encoder = tune(inputs, model.dropout, Learned(encoder, snapshot.decoder))
        tuned = replace(snapshot.model, encoder=encoder)
        for segment in snapshot.segments:
            for name, unit in segment.units():
                whole = Pixels(unit.pixels) if pictures else segment.tokens.bags()
                rows = whole if name == DOCUMENTS else unit.postings.bags()
                writer.put_all(f"{prefix(segment.name)}{name}/", encode_rows(rows, tuned, progress))


def _fine_tune(
    writer: UpdateWriter,
    labels: Labels,
    shape: Shape | None,
    train: TrainSpec,
    progress: Progress,
    inputs: Inputs,
    drop: float,
    before: Learned[Any],
) -> Encoder | PixelEncoder:
    """Fine-tune by labels, and write the encoder and the classifier, and the encoder before."""
    from textae.training.finetune import Tuned, fine_tune  # torch
    from textae.training.finetune_pictures import fine_tune_pictures

    tuned: Tuned[Any]
    if shape is not None and isinstance(inputs, Pixels):
        tuned = fine_tune_pictures(inputs, shape, labels, before.encoder, train, progress)
    else:
        assert isinstance(inputs, Bags)
        tuned = fine_tune(inputs, labels, before, drop, train, progress)
    classifier = tuned.classifier
    writer.put_all(_BEFORE, before.encoder.arrays())
    writer.put_all("", with_checksums(tuned.encoder.arrays() | classifier.arrays()))
    writer.set("classifier", {"field": labels.field, "labelled": labels.n_labelled, "classes": classifier.classes})
    encoder: Encoder | PixelEncoder = tuned.encoder
    return encoder
