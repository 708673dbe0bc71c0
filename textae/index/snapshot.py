"""One commit of an index, read only: its documents, segments, model and codes, each loaded when it is first used.

snapshot = Snapshot(Reader(folder))
snapshot.documents.floats          the codes of all documents, segment after segment
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from textae.config import ModelSpec, TrainSpec, specs_of
from textae.encoding.arrays import Mask, Rows, T, evenly_spaced
from textae.encoding.bags import Tokens
from textae.encoding.encoders import Codes, Inputs, Quantization, TextEncoder
from textae.encoding.model import Model
from textae.encoding.pixels import Pixels
from textae.errors import QueryError
from textae.index.chunked import ChunkedArray
from textae.index.modality import Modality
from textae.index.postings import Statistics
from textae.index.segments import Segment, SegmentRows, prefix
from textae.index.soundness import check_opened, check_values
from textae.index.store import Reader
from textae.index.stored_model import stored_modality, stored_model
from textae.types import TEXTS, Document, Picture, Shape

if TYPE_CHECKING:
    from textae.encoding.classifier import Classifier
    from textae.encoding.decoder import Decoder


_CODES = ("known", "floats")
"""Arrays whose values are checked before the libraries of clusters and maps read them."""


HOLDERS = 3
"""Documents in which the forms of a word are looked for."""


@dataclass(frozen=True)
class CorpusView:
    """What is searched, through all segments: whole documents, or their passages. Its rows are numbered through.

    Attributes:
        units: of each segment.
        quantization: that gave the bits, where they are stored alone.
    """

    units: tuple[SegmentRows, ...]
    quantization: Quantization | None = None

    @cached_property
    def doc_numbers(self) -> ChunkedArray[np.int64]:
        """The number of the document of each row; rising."""
        return ChunkedArray([unit.doc_numbers for unit in self.units])

    @cached_property
    def has_code(self) -> ChunkedArray[np.bool_]:
        """Whether the encoder knows a word of each row."""
        return ChunkedArray([unit.codes.has_code for unit in self.units])

    @cached_property
    def floats(self) -> ChunkedArray[np.floating]:
        """The float codes, or those that the bits stand for."""
        if self.quantization is not None:
            from textae.index.decoded_bits import DecodedBits  # few indexes store bits alone

            return DecodedBits(self.bits.parts, self.has_code, self.quantization)
        return ChunkedArray([unit.codes.floats for unit in self.units])

    @cached_property
    def bits(self) -> ChunkedArray[np.uint8]:
        """The binary codes."""
        return ChunkedArray([unit.codes.bits for unit in self.units])

    @cached_property
    def lsa(self) -> ChunkedArray[np.float16]:
        """LSA's codes."""
        return ChunkedArray([unit.lsa for unit in self.units])

    @cached_property
    def pixels(self) -> ChunkedArray[np.uint8]:
        """The pixels of pictures."""
        return ChunkedArray([unit.pixels for unit in self.units])

    @cached_property
    def char_spans(self) -> ChunkedArray[np.int32]:
        """The first character of each passage in the text of its document, and the one after the last."""
        return ChunkedArray([unit.char_spans for unit in self.units])

    @cached_property
    def statistics(self) -> Statistics:
        """Of the words, without what is removed."""
        return Statistics([unit.postings for unit in self.units], [unit.removed for unit in self.units])

    @cached_property
    def alive(self) -> Mask | None:
        """Which rows are not removed; None where none is."""
        if not any(len(unit.removed.rows) for unit in self.units):
            return None
        return np.concatenate([unit.alive() for unit in self.units])

    def there(self, column: ChunkedArray[T]) -> NDArray[T]:
        """The rows of a column that are not removed."""
        return column.whole() if self.alive is None else column.take(np.flatnonzero(self.alive))

    def first_holders(self, term: int) -> list[int]:
        """The numbers of the first documents that hold a term, at most `HOLDERS`."""
        numbers: list[int] = []
        for unit in self.units:
            rows = unit.postings.term(term)[0]
            rows = rows[~np.isin(rows, unit.removed.rows)]
            numbers += unit.doc_numbers[rows[: HOLDERS - len(numbers)]].tolist()
        return numbers

    def rows_of(self, numbers: int | Rows) -> Rows:
        """The rows of one document or of several, rising, without the removed ones."""
        parts, wanted = [], np.atleast_1d(numbers)
        for start, part in self.doc_numbers:
            first, end = (np.searchsorted(part, wanted, side) for side in ("left", "right"))
            before = np.cumsum(end - first) - (end - first)
            parts.append(np.repeat(start + first - before, end - first) + np.arange(np.sum(end - first)))
        rows = np.concatenate(parts)
        return rows if self.alive is None else rows[self.alive[rows]]


class _CodesThere(Codes):
    """The codes of the rows that are not removed; each kind is read, or decoded, when it is first used.

    Args:
        view: of the rows.
    """

    def __init__(self, view: CorpusView) -> None:
        self._view = view

    @cached_property
    def has_code(self) -> NDArray[np.bool_]:
        return self._view.there(self._view.has_code)

    @cached_property
    def floats(self) -> NDArray[np.floating]:
        return self._view.there(self._view.floats)

    @cached_property
    def bits(self) -> NDArray[np.uint8]:
        return self._view.there(self._view.bits)


class Snapshot:
    """One commit of an index. Each part is loaded when it is first used.

    Args:
        reader: of the store.

    Raises:
        StoreError: an array or a setting is not what textae writes.
    """

    def __init__(self, reader: Reader) -> None:
        check_opened(reader)
        self.reader = reader
        self.learned: dict[str, Any] = {}  # topics and maps of this commit, also of one that cannot be written to
        # A slice of a memmap takes a microsecond more than one of a plain array.
        self.arrays = {name: np.asarray(array) for name, array in reader.arrays.items()}

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """The parts of the index, oldest first."""
        return tuple(Segment.from_arrays(name, self.arrays) for name in self.reader.settings["segments"])

    @cached_property
    def documents(self) -> CorpusView:
        """The documents as wholes."""
        quantization = None if self.modality.stores_floats else Quantization.from_arrays(self.arrays)
        return CorpusView(tuple(segment.documents for segment in self.segments), quantization)

    @cached_property
    def searched(self) -> CorpusView:
        """What a query is compared with: the passages of the documents where the index has them."""
        passages = tuple(segment.passages for segment in self.segments if segment.passages is not None)
        return CorpusView(passages, self.documents.quantization) if passages else self.documents

    @cached_property
    def model(self) -> Model:
        """What was learned."""
        return stored_model(self.arrays, self.reader.settings)

    @cached_property
    def modality(self) -> Modality:
        """What the documents are: texts, or pictures of one shape; and whether they have float codes."""
        return stored_modality(self.reader.settings)

    @property
    def shape(self) -> Shape | None:
        """Height, width and channels of the pictures; None for texts."""
        return self.modality.shape

    def view(self, granularity: str) -> CorpusView:
        """What a query is compared with: whole documents, or passages where the index has them.

        Args:
            granularity: `document` or `passage`.
        """
        return self.documents if granularity == "document" else self.searched

    def check_words(self, what: str) -> None:
        """Check that the documents are texts, which `what` needs.

        Raises:
            QueryError: they are pictures.
        """
        self.modality.check_words(what, self.reader.folder)

    @property
    def text_encoder(self) -> TextEncoder:
        """The encoder of texts.

        Raises:
            QueryError: the documents are pictures.
        """
        self.check_words("a question in words")
        return cast(TextEncoder, self.model.encoder)

    @cached_property
    def decoder(self) -> Decoder:
        """The trained decoder."""
        from textae.encoding.decoder import Decoder  # a plain search decodes nothing

        return Decoder.from_arrays(self.arrays)

    @cached_property
    def usual_words(self) -> NDArray[np.float64]:
        """How likely the decoder finds each word over all documents: (n_terms,)."""
        from textae.encoding.decoder import SAMPLE, usual_words

        numbers = self.numbers[self.codes.has_code]
        rows = self.documents.rows_of(numbers[evenly_spaced(len(numbers), SAMPLE)])
        return usual_words(self.decoder, self.documents.floats.take(rows))

    @cached_property
    def classifier(self) -> Classifier:
        """The classifier of labels.

        Raises:
            QueryError: no labels were learned.
        """
        learned = self.reader.settings.get("classifier")
        if learned is None:
            raise QueryError(
                f"the index {self.reader.folder} has learned no labels; 'textae train --label FIELD' does it"
            )
        from textae.encoding.classifier import Classifier

        return Classifier.from_arrays(self.reader.arrays, learned["classes"])

    @property
    def specs(self) -> tuple[ModelSpec, TrainSpec]:
        """How the index was learned; a setting that the index lacks has its default."""
        return specs_of(self.reader.settings["about"])

    @cached_property
    def codes(self) -> Codes:
        """The codes of all documents that are there, as they are on disk, or as bits stand for them."""
        check_values(self.reader, *(f"{prefix(one.name)}documents/{name}" for one in self.segments for name in _CODES))
        return _CodesThere(self.documents)

    @cached_property
    def numbers(self) -> Rows:
        """The number of each document that is there, in the order of `codes`."""
        return self.documents.there(self.documents.doc_numbers)

    @cached_property
    def ids(self) -> dict[int, str]:
        """Every document's id, by its number."""
        return self.reader.all_ids()

    def number(self, id: str) -> int:
        """The number of the document with this id.

        Raises:
            QueryError: there is none.
        """
        number = self.reader.number(id)
        if number is None:
            raise QueryError(
                f"no document has the id {id!r}; 'textae search' prints ids, and 'textae info' counts the documents"
            )
        return number

    def document(self, id: str) -> Document:
        """The document with this id.

        Raises:
            QueryError: there is none.
        """
        return self.reader.documents([self.number(id)])[0]

    def pictures(self, ids: Sequence[str]) -> list[Picture]:
        """The pictures with these ids, in their order.

        Raises:
            QueryError: no document has an id, or it is a text.
        """
        pictures = [picture for id in ids if (picture := self.document(id).picture) is not None]
        if len(pictures) < len(ids):
            raise QueryError(f"the index {self.reader.folder} holds texts, and pictures are asked for")
        return pictures

    def position(self, id: str) -> int:
        """The place of the document with this id in `codes`.

        Raises:
            QueryError: there is none.
        """
        return int(np.searchsorted(self.numbers, self.number(id)))

    @cached_property
    def field_names(self) -> set[str]:
        """The fields that a document has, or had."""
        return {"id", "title"}.union(*(segment.fields.names() for segment in self.segments))

    def inputs_of(self, numbers: Sequence[int]) -> Inputs:
        """What the encoder reads of the documents of these numbers, in their order."""
        return self.tokens_of(numbers).bags() if self.modality.kind == TEXTS else self.pixels_of(numbers)

    def pixels_of(self, numbers: Sequence[int]) -> Pixels:
        """The pixels of the pictures of these numbers, in their order."""
        rows = [self.documents.rows_of(number)[0] for number in numbers]
        return Pixels(self.documents.pixels.take(np.array(rows, np.int64)))

    def tokens_of(self, numbers: Sequence[int]) -> Tokens:
        """The words of the documents of these numbers, in their order."""
        parts, starts = [Tokens(np.zeros(1, np.int64), np.empty(0, np.int32))], self.documents.doc_numbers.starts
        for number in numbers:
            row = self.documents.rows_of(number)[0]
            segment = int(np.searchsorted(starts, row, side="right")) - 1
            inside = int(row - starts[segment])
            parts.append(self.segments[segment].tokens.rows(inside, inside + 1))
        return Tokens.concatenated(parts)
