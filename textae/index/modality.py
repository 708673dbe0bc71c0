"""What the documents of an index are: texts, or pictures of one shape. Only a `Modality` knows the difference.

Everything that depends on it is a method here, or a table with one entry for each kind in the room that needs it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textae import config
from textae.config import AUTO, BY_BITS, PICTURE_SYSTEMS, SERVED, SYSTEMS, ModelSpec, Preset, TrainSpec
from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder, Inputs, PixelEncoder
from textae.encoding.pixels import Pixels
from textae.errors import CorpusError, QueryError, TextaeError
from textae.index.records import Arrays
from textae.types import PICTURES, TEXTS, Picture, Shape, shape_in_words


@dataclass(frozen=True)
class Modality(ABC):
    """One kind of document: its features, its baseline and its ranking systems.

    Attributes:
        kind: `TEXTS` or `PICTURES`.
        noun: what a person calls the documents.
        exact_match: what finds documents without learning.
        systems: names of the ranking systems.
        default_system: ranks unless a person names another one.
        stores_floats: whether the index has float codes, those of the documents and those of the baseline.
        shape: height, width and channels of the pictures; None for texts.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]
    exact_match: ClassVar[str]
    systems: ClassVar[tuple[str, ...]]
    default_system: ClassVar[str]
    stores_floats: ClassVar[bool] = True

    shape: ClassVar[Shape | None] = None

    def check_system(self, name: str) -> None:
        """Check that a ranking system has this name.

        Raises:
            TextaeError: none has, or it needs float codes that the index does not have.
        """
        config.check_system(name, pictures=self.kind == PICTURES)

    def check_floats(self, what: str, instead: str) -> None:
        """Check that the index has float codes, which `what` needs.

        Raises:
            QueryError: it stores bits alone.
        """
        if not self.stores_floats:
            advice = f"give {instead}, or learn floats by 'textae train --codes floats'"
            raise QueryError(f"{what} needs float codes, and the index stores bits alone; {advice}")

    def check_training(self, model: ModelSpec, train: TrainSpec) -> None:
        """Check that a shape and a training fit together, and fit these documents.

        Raises:
            TextaeError: they do not.
        """
        config.check_together(model, train, pictures=self.kind == PICTURES)

    def preset(self, name: str) -> Preset:
        """The preset with this name.

        Raises:
            TextaeError: the preset is for pictures, and the documents are texts.
        """
        return config.preset_of(name, pictures=self.kind == PICTURES)

    @abstractmethod
    def language(self, language: str | None, passage: int | None) -> str | None:
        """The language to analyse documents in: None for none, `AUTO` to detect it.

        Args:
            language: that the user chose.
            passage: words of a passage; 0 for whole documents; None for what suits them.

        Raises:
            TextaeError: pictures have no language and no passages.
        """

    @abstractmethod
    def check_words(self, what: str, folder: Path) -> None:
        """Check that the documents are texts, which `what` needs.

        Raises:
            QueryError: they are pictures.
        """

    @abstractmethod
    def check_picture(self, folder: Path) -> Shape:
        """The shape of the pictures.

        Raises:
            QueryError: the documents are texts.
        """

    @abstractmethod
    def features(self, bags: Bags, pictures: Sequence[Picture]) -> Inputs:
        """What an encoder reads of n documents: their bags, or their pixels."""

    @abstractmethod
    def baseline_encoder(self, arrays: Arrays, dims: int | None = None) -> Encoder | PixelEncoder | None:
        """LSA or PCA, with all of its dimensions or the first few; None where the index stores bits alone."""

    @abstractmethod
    def n_inputs(self, model: ModelSpec, n_terms: int) -> int:
        """The number of terms that the encoder reads."""

    @property
    def description(self) -> str:
        """The documents in words: `documents`, `pictures of 8 × 8 grey levels`."""
        return self.noun if self.shape is None else f"{self.noun} of {shape_in_words(self.shape)}"


class _Text(Modality):
    kind, noun, exact_match = TEXTS, "documents", "matching words"
    systems: ClassVar[tuple[str, ...]] = SYSTEMS
    default_system = "hybrid"

    def language(self, language: str | None, passage: int | None) -> str | None:
        return language

    def check_words(self, what: str, folder: Path) -> None:
        """Texts have words."""

    def check_picture(self, folder: Path) -> Shape:
        raise QueryError(f"a picture was given, and the index {folder} holds texts; give a text")

    def features(self, bags: Bags, pictures: Sequence[Picture]) -> Bags:
        return bags

    def baseline_encoder(self, arrays: Arrays, dims: int | None = None) -> Encoder | None:
        words = arrays["lsa/words"]
        return Encoder.lsa(words[:, :dims], arrays["idf"][: len(words)])

    def n_inputs(self, model: ModelSpec, n_terms: int) -> int:
        return min(model.inputs, n_terms)


class _TextByBits(_Text):
    systems: ClassVar[tuple[str, ...]] = BY_BITS
    stores_floats = False

    def check_system(self, name: str) -> None:
        super().check_system(name)
        if name not in (*self.systems, config.VECTOR):
            self.check_floats(f"the system {name!r}", "bits or hybrid")

    def baseline_encoder(self, arrays: Arrays, dims: int | None = None) -> None:
        return None


class _Served(_Text):
    systems = SERVED


class _ServedByBits(_TextByBits):
    systems: ClassVar[tuple[str, ...]] = tuple(name for name in SERVED if name in BY_BITS)


@dataclass(frozen=True)
class _Image(Modality):
    shape: Shape  # type: ignore[misc]  # of texts there is none

    kind, noun, exact_match = PICTURES, "pictures", "matching pixels"
    systems, default_system = PICTURE_SYSTEMS, "code"

    def language(self, language: str | None, passage: int | None) -> None:
        if passage:
            raise CorpusError(f"passages of {passage} words were asked for, of pictures; leave --passages out")
        if language not in (AUTO, None):
            raise TextaeError(f"the language {language!r:.40} was named, of pictures; leave --language out")

    def check_words(self, what: str, folder: Path) -> None:
        raise QueryError(
            f"{what} is for texts, and the index {folder} holds pictures; 'textae similar PICTURE' searches them"
        )

    def check_picture(self, folder: Path) -> Shape:
        return self.shape

    def features(self, bags: Bags, pictures: Sequence[Picture]) -> Pixels:
        return Pixels.of(pictures)

    def baseline_encoder(self, arrays: Arrays, dims: int | None = None) -> PixelEncoder:
        return PixelEncoder.pca(arrays["pca/axes"][:, :dims], arrays["pca/mean"])

    def n_inputs(self, model: ModelSpec, n_terms: int) -> int:
        return model.inputs


TEXT: Modality = _Text()


def modality_of(shape: Shape | None, *, with_floats: bool = True) -> Modality:
    """The modality of documents: texts where the shape is None, else pictures of that shape, which have float codes."""
    if shape is not None:
        return _Image(shape)
    return TEXT if with_floats else _TextByBits()


def served(modality: Modality) -> Modality:
    """The same texts with the systems that a vector database serves."""
    return _Served() if modality.stores_floats else _ServedByBits()
