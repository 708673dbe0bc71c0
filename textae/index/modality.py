"""What the documents of an index are: texts, or pictures of one shape. Only a `Modality` knows the difference.

Everything that depends on it is a method here, or a table with one entry for each kind in the room that needs it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy.typing import NDArray

from textae.config import PICTURE_SYSTEMS, SYSTEMS, ModelSpec, check_system
from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder, Inputs, PixelEncoder
from textae.encoding.pixels import Pixels
from textae.errors import QueryError
from textae.types import PICTURES, TEXTS, Document, Shape, shape_in_words

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Modality(ABC):
    """One kind of document: its features, its baseline and its ranking systems.

    Attributes:
        kind: `TEXTS` or `PICTURES`.
        noun: what a person calls the documents.
        systems: names of the ranking systems.
        default_system: ranks unless a person names another one.
        baseline: the linear system that learning starts from, `lsa` or `pca`.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]
    systems: ClassVar[tuple[str, ...]]
    default_system: ClassVar[str]
    baseline: ClassVar[str]

    shape: ClassVar[Shape | None] = None

    def check_system(self, name: str) -> None:
        """Check that a ranking system has this name.

        Raises:
            TextaeError: none has.
        """
        check_system(name, pictures=self.kind == PICTURES)

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
    def features(self, bags: Bags, documents: Iterable[Document]) -> Inputs:
        """What an encoder reads of n documents: their bags, or their pixels."""

    @abstractmethod
    def baseline_encoder(self, arrays: Arrays, dims: int | None = None) -> Encoder | PixelEncoder:
        """LSA or PCA, with all of its dimensions or the first few."""

    @abstractmethod
    def n_inputs(self, model: ModelSpec, n_terms: int) -> int:
        """The number of terms that the encoder reads."""

    @property
    @abstractmethod
    def description(self) -> str:
        """The documents in words: `documents`, `pictures of 8 × 8 grey levels`."""


class _Text(Modality):
    kind, noun = TEXTS, "documents"
    systems, default_system, baseline = SYSTEMS, "hybrid", "lsa"

    def check_words(self, what: str, folder: Path) -> None:
        """Texts have words."""

    def check_picture(self, folder: Path) -> Shape:
        raise QueryError(f"a picture was given, and the index {folder} holds texts; give a text")

    def features(self, bags: Bags, documents: Iterable[Document]) -> Bags:
        return bags

    def baseline_encoder(self, arrays: Arrays, dims: int | None = None) -> Encoder:
        words = arrays["lsa/words"]
        return Encoder.lsa(words[:, :dims], arrays["idf"][: len(words)])

    def n_inputs(self, model: ModelSpec, n_terms: int) -> int:
        return min(model.inputs, n_terms)

    @property
    def description(self) -> str:
        return self.noun


@dataclass(frozen=True)
class _Image(Modality):
    shape: Shape  # type: ignore[misc]  # of texts there is none

    kind, noun = PICTURES, "pictures"
    systems, default_system, baseline = PICTURE_SYSTEMS, "code", "pca"

    def check_words(self, what: str, folder: Path) -> None:
        raise QueryError(
            f"{what} is for texts, and the index {folder} holds pictures; 'textae similar PICTURE' searches them"
        )

    def check_picture(self, folder: Path) -> Shape:
        return self.shape

    def features(self, bags: Bags, documents: Iterable[Document]) -> Pixels:
        return Pixels.of(document.picture for document in documents if document.picture is not None)

    def baseline_encoder(self, arrays: Arrays, dims: int | None = None) -> PixelEncoder:
        return PixelEncoder.pca(arrays["pca/axes"][:, :dims], arrays["pca/mean"])

    def n_inputs(self, model: ModelSpec, n_terms: int) -> int:
        return model.inputs

    @property
    def description(self) -> str:
        return f"{self.noun} of {shape_in_words(self.shape)}"


TEXT: Modality = _Text()


def modality_of(shape: Shape | None) -> Modality:
    """The modality of documents: texts where the shape is None, else pictures of that shape."""
    return TEXT if shape is None else _Image(shape)
