"""What the arrays and settings of an index hold: the model; and what holds them, before a commit and after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from textae.encoding.analyzer import Analysis
from textae.encoding.arrays import Rows
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


class Stored(Protocol):
    """What is checked: a commit, or an `Uncommitted`."""

    @property
    def arrays(self) -> Arrays:
        """By name."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What JSON holds."""

    def numbers(self) -> Rows:
        """The number of every document, rising."""

    def shapes(self) -> list[list[int] | None]:
        """The different shapes of the documents' pictures; None among them where a document is a text."""


@dataclass(frozen=True)
class Uncommitted:
    """What is about to become a commit; or a model alone, without documents and segments.

    Attributes:
        arrays: by name.
        settings: what JSON holds.
        n: the number of documents, which are texts.
    """

    arrays: Arrays
    settings: Mapping[str, Any]
    n: int = 0

    def numbers(self) -> Rows:
        """The number of every document."""
        return np.arange(self.n)

    def shapes(self) -> list[list[int] | None]:
        """Texts have none."""
        return [None]
