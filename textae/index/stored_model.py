"""The model that the arrays and settings of an index hold."""

from collections.abc import Mapping
from typing import Any

from textae.encoding.analyzer import Analysis
from textae.encoding.encoders import encoder_of
from textae.encoding.model import Model
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.index.modality import Modality, modality_of
from textae.index.records import Arrays
from textae.index.specification import stores_floats


def stored_model(arrays: Arrays, settings: Mapping[str, Any]) -> Model:
    """What was learned.

    Args:
        arrays: of an index, by name; those of its segments are not needed.
        settings: of the index.
    """
    stored, modality = settings["analysis"], stored_modality(settings)
    analysis = Analysis(stored["language"], frozenset(stored["stop_words"]), stored.get("version", 1))
    vectorizer = Vectorizer(analysis, Vocabulary.from_arrays(arrays))
    start = modality.baseline_encoder(arrays)
    return Model(vectorizer, arrays["idf"], encoder_of(arrays), start, settings["passage"], modality.shape)


def stored_modality(settings: Mapping[str, Any]) -> Modality:
    """What the documents are: texts, or pictures of one shape; and whether they have float codes."""
    shape = settings.get("shape")
    return modality_of(None if shape is None else (shape[0], shape[1], shape[2]), with_floats=stores_floats(settings))
