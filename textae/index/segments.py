"""Segments: the parts of an index, which never change, each with its own words, codes and fields.

    segments/<name>/documents/…   of whole documents: postings, codes, document numbers, and the removed rows; also
                                  the user's own vectors, where the index has some
    segments/<name>/passages/…    the same of their passages, where the index has them, and the span of each
    segments/<name>/tokens/…      the terms of the documents in reading order, for phrases
    segments/<name>/names/…       their names
    segments/<name>/…             the values of their fields

New documents make a segment of their own, so that an update costs what the documents cost, not what the corpus costs.
Removed documents are listed beside their segment, with what they subtract from the corpus's statistics, so that these
stay exact. Segments that have become small beside those that follow are merged (`merge_slice`), like the digits
of a binary counter: a document is written again only as often as the number of documents doubles.

`build_segment` is a function of documents and a model alone: the shards of a corpus can be built on any machine, in any
order. `merge_segments` of them gives the bytes that one segment of all documents would have.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Ints, Rows
from textae.encoding.bags import Bags, Tokens
from textae.encoding.encoders import Codes, Inputs, encode
from textae.encoding.model import Model
from textae.encoding.pixels import Pixels
from textae.index.fields import FieldIndex
from textae.index.modality import modality_of
from textae.index.names import Names
from textae.index.passage_spans import NO_SPANS, PassageSpans
from textae.index.postings import Postings, Removed
from textae.index.records import Arrays
from textae.types import Document, Picture, Progress, no_progress

LARGEST = 1 << 19
"""The maximum number of documents in a segment."""

DOCUMENTS, PASSAGES = "documents", "passages"

VECTORS = "vectors/"

_CHUNK = 2_048  # rows encoded at a time; any number gives the same bytes (`textae.encoding.layers`)

_NO_PIXELS = np.zeros((0, 0), np.uint8)
_NO_FLOATS = np.zeros((0, 0), np.float16)


@dataclass(frozen=True)
class SegmentRows:
    """The searched rows of a segment: its whole documents, or their passages.

    Attributes:
        doc_numbers: (n,) int64, the number of each row's document; rising.
        postings: the words of the rows.
        codes: as stored; the floats are empty where bits alone are.
        lsa: (n, dims) float16, the codes of the baseline: LSA's, or PCA's of pictures; empty where bits alone are.
        removed: rows of removed documents.
        token_spans: (n, 2) int32, the first token of each passage in its document and the one after the last;
            empty for whole documents.
        char_spans: (n, 2) int32, the first character of each passage in its document's text and the one after the last.
        pixels: (n, n_pixels) uint8, of pictures; else empty.
        vectors: the user's own, of whole documents; None where the index has none.
    """

    doc_numbers: Rows
    postings: Postings
    codes: Codes
    lsa: NDArray[np.float16]
    removed: Removed
    token_spans: NDArray[np.int32]
    char_spans: NDArray[np.int32]
    pixels: NDArray[np.uint8]
    vectors: Codes | None = None

    def __len__(self) -> int:
        """The number of rows, with the removed ones."""
        return len(self.doc_numbers)

    def alive(self) -> NDArray[np.bool_]:
        """True for the rows that are not removed: (n,)."""
        alive = np.ones(len(self), bool)
        alive[self.removed.rows] = False
        return alive

    def rows_of(self, numbers: Rows) -> Rows:
        """The rows of the documents with these numbers, rising, with the removed ones."""
        return np.flatnonzero(np.isin(self.doc_numbers, numbers))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "SegmentRows":
        """The rows that these arrays hold."""
        postings = Postings.from_arrays(_below(arrays, "postings/"))
        removed = Removed.from_arrays(_below(arrays, "removed/"))
        floats, lsa = (arrays.get(name, _NO_FLOATS) for name in ("floats", "lsa"))
        codes = Codes(arrays["known"], floats, arrays["bits"])
        token_spans, char_spans = (arrays.get(name, NO_SPANS) for name in ("windows", "places"))
        pixels, own = arrays.get("pixels", _NO_PIXELS), _below(arrays, VECTORS)
        vectors = Codes(own["known"], own["floats"], own["bits"]) if own else None
        return cls(arrays["owners"], postings, codes, lsa, removed, token_spans, char_spans, pixels, vectors)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The arrays with an entry for each row, by their names on disk."""
        columns: dict[str, NDArray[Any]] = {"owners": self.doc_numbers, "known": self.codes.has_code}
        columns |= {"floats": self.codes.floats, "bits": self.codes.bits, "lsa": self.lsa}
        columns |= {"windows": self.token_spans, "places": self.char_spans, "pixels": self.pixels}
        columns |= dict(_under(VECTORS, () if self.vectors is None else _columns(self.vectors)))
        return {name: array for name, array in columns.items() if len(array) == len(self) and 0 not in array.shape[1:]}


@dataclass(frozen=True)
class Segment:
    """A part of an index.

    Attributes:
        name: of the segment in the index.
        documents: the rows of whole documents.
        passages: the rows of their passages, in order; None where the index has none.
        tokens: the terms of the documents in reading order.
        fields: of the documents.
        names: of the documents; None of pictures.
    """

    name: str
    documents: SegmentRows
    passages: SegmentRows | None
    tokens: Tokens
    fields: FieldIndex
    names: Names | None

    def __len__(self) -> int:
        """The number of documents that are not removed."""
        return len(self.documents) - len(self.documents.removed.rows)

    @property
    def n_rows(self) -> int:
        """The number of documents, with the removed ones."""
        return len(self.documents)

    def term_rows(self, number: int) -> Ints:
        """The rows of the documents that hold a term, rising."""
        return self.documents.postings.term(number)[0]

    def units(self) -> Iterator[tuple[str, SegmentRows]]:
        """Its searched rows, by name."""
        yield DOCUMENTS, self.documents
        if self.passages is not None:
            yield PASSAGES, self.passages

    @classmethod
    def from_arrays(cls, name: str, arrays: Arrays) -> "Segment":
        """The segment with this name among the arrays of an index."""
        own = _below(arrays, prefix(name))
        whole, parts = (_below(own, f"{unit}/") for unit in (DOCUMENTS, PASSAGES))
        passages = SegmentRows.from_arrays(parts) if parts else None
        names = Names.from_arrays(named) if (named := _below(own, "names/")) else None
        tokens, fields = Tokens.from_arrays(own), FieldIndex.from_arrays(own)
        return cls(name, SegmentRows.from_arrays(whole), passages, tokens, fields, names)


def prefix(name: str) -> str:
    """What the names of a segment's arrays start with."""
    return f"segments/{name}/"


def _below(arrays: Arrays, start: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


NamedArrays = Iterator[tuple[str, NDArray[Any]]]
"""Arrays with their names inside a segment, one at a time, since each may be large."""


def _under(start: str, named: Iterable[tuple[str, NDArray[Any]]]) -> NamedArrays:
    return ((start + name, array) for name, array in named)


def build_segment(
    documents: Iterable[Document],
    model: Model,
    numbers: Rows | None = None,
    tokens: Tokens | None = None,
    progress: Progress = no_progress,
    vectors: Codes | None = None,
    codes: Mapping[str, Arrays] | None = None,
) -> NamedArrays:
    """The arrays of a segment of documents.

    Args:
        documents: n documents, read once.
        model: the learned model.
        numbers: (n,) of the documents, rising; by default 0 to n - 1.
        tokens: of the documents, n rows; by default the model's vectorizer reads the documents.
        progress: of the encoding of rows.
        vectors: the user's own, n rows, where the index has some.
        codes: of the documents and of their passages, as `segment_codes` gives them; by default they are computed.

    Yields:
        The name of each array in the segment, and the array.
    """
    if tokens is None:
        documents = list(documents)
        tokens = model.vectorizer.tokens(map(searchable, documents))
    numbers = np.arange(len(tokens)) if numbers is None else numbers
    pictures: list[Picture] = []
    spans_of = PassageSpans(model.passage)
    named: list[tuple[str, str, str]] = []

    def described() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """The fields of the documents, while what else is needed of these is kept: they are read once."""
        for document in documents:
            if document.picture is not None:
                pictures.append(document.picture)
            spans_of.add(document)
            named.append((document.id, document.title, document.source))
            yield document.id, document.title, document.fields

    yield from FieldIndex.of(described()).arrays().items()
    yield from _names(named, model)
    yield from tokens.arrays().items()
    bags = tokens.bags()
    inputs = modality_of(model.shape).features(bags, pictures)
    if isinstance(inputs, Pixels):
        yield f"{DOCUMENTS}/pixels", inputs.values
    if vectors is not None:
        yield from _under(f"{DOCUMENTS}/{VECTORS}", _columns(vectors))
    yield from _under(f"{DOCUMENTS}/", _build_rows(numbers, bags, model))
    of_documents = encode_rows(inputs, model, progress, baseline=True) if codes is None else codes[DOCUMENTS]
    yield from _under(f"{DOCUMENTS}/", of_documents.items())
    if model.passage:
        owners, bags = numbers[spans_of.rows], spans_of.bags(tokens)
        yield from _under(f"{PASSAGES}/", _build_rows(owners, bags, model))
        of_passages = _encode_passages(bags, model, progress) if codes is None else codes[PASSAGES]
        yield from _under(f"{PASSAGES}/", of_passages.items())
        yield f"{PASSAGES}/windows", spans_of.tokens
        yield f"{PASSAGES}/places", spans_of.characters


def segment_codes(documents: Iterable[Document], model: Model, tokens: Tokens) -> tuple[dict[str, Arrays], Rows]:
    """The codes of the documents of a segment and of their passages, which `build_segment` takes.

    Args:
        documents: n texts; not read where the model has no passages.
        model: the learned model.
        tokens: of the documents, n rows.

    Returns:
        The arrays of each unit, and the passages of each document: (n,).
    """
    codes: dict[str, Arrays] = {DOCUMENTS: encode_rows(tokens.bags(), model, no_progress, baseline=True)}
    spans_of = PassageSpans(model.passage)
    if model.passage:
        for document in documents:
            spans_of.add(document)
        codes[PASSAGES] = _encode_passages(spans_of.bags(tokens), model, no_progress)
    return codes, np.bincount(spans_of.rows, minlength=len(tokens))


def _columns(codes: Codes) -> NamedArrays:
    yield from (("known", codes.has_code), ("floats", codes.floats), ("bits", codes.bits))


def _names(documents: Iterable[tuple[str, str, str]], model: Model) -> NamedArrays:
    """The arrays of the names of documents: (id, title, source) of each. Nobody asks for pictures in words."""
    if model.shape is None:
        yield from _under("names/", Names.of(documents, model.vectorizer.analysis).arrays().items())


def _build_rows(doc_numbers: Rows, bags: Bags, model: Model) -> NamedArrays:
    yield "owners", doc_numbers
    yield from _under("postings/", postings_of(bags, model).arrays().items())
    yield from _under("removed/", Removed.none().arrays().items())


def encode_rows(inputs: Inputs, model: Model, progress: Progress, *, baseline: bool = False) -> dict[str, NDArray[Any]]:
    """The codes of documents or passages, as they are stored; also those of the baseline, where they are stored."""
    stored = ("known", "bits", "floats") if model.start is not None else ("known", "bits")
    rows: dict[str, NDArray[Any]] = {}
    done = 0

    def put(name: str, column: NDArray[Any]) -> None:
        if name not in rows:
            rows[name] = np.empty((len(inputs), *column.shape[1:]), column.dtype)
        rows[name][done : done + len(column)] = column

    for chunk in inputs.chunks(_CHUNK):
        codes = encode(model.encoder, chunk)
        columns = {"known": codes.has_code, "bits": codes.bits, "floats": codes.floats.astype(np.float16)}
        for name in stored:
            put(name, columns[name])
        if baseline and model.start is not None:
            put("lsa", encode(model.start, chunk).floats.astype(np.float16))
        done += len(chunk)
        progress("encoding", done, len(inputs))
    return rows


def _encode_passages(bags: Bags, model: Model, progress: Progress) -> dict[str, NDArray[Any]]:
    def of_passages(stage: str, done: int, total: int | None) -> None:
        progress(f"{stage} passages", done, total)  # a stage of its own, whose time differs

    return encode_rows(bags, model, of_passages, baseline=True)


def merge_segments(segments: Sequence[Segment], documents: Iterable[Document], model: Model) -> NamedArrays:
    """The arrays of one segment in place of several consecutive ones, without the removed documents.

    Args:
        segments: at least one, oldest first.
        documents: those of the segments that are not removed, read once.
        model: by which the segments were built.
    """
    kept = [np.flatnonzero(segment.documents.alive()) for segment in segments]
    tokens = Tokens.concatenated([one.tokens.take(rows) for one, rows in zip(segments, kept, strict=True)])
    yield from tokens.arrays().items()
    named: list[tuple[str, str, str]] = []

    def described() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for document in documents:
            named.append((document.id, document.title, document.source))
            yield document.id, document.title, document.fields

    yield from FieldIndex.of(described()).arrays().items()
    yield from _names(named, model)
    whole = [segment.documents for segment in segments]
    yield from _under(f"{DOCUMENTS}/", _merge_rows(whole, tokens.bags(), model))
    parts = [segment.passages for segment in segments if segment.passages is not None]
    if parts:
        bags = Bags.concatenated([part.postings.bags().take(np.flatnonzero(part.alive())) for part in parts])
        yield from _under(f"{PASSAGES}/", _merge_rows(parts, bags, model))


def _merge_rows(parts: Sequence[SegmentRows], bags: Bags, model: Model) -> NamedArrays:
    alive, columns = [part.alive() for part in parts], [part.columns() for part in parts]
    for name in columns[0]:
        yield name, np.concatenate([column[name][rows] for column, rows in zip(columns, alive, strict=True)])
    yield from _under("postings/", postings_of(bags, model).arrays().items())
    yield from _under("removed/", Removed.none().arrays().items())


def removal_arrays(segment: Segment, numbers: Rows) -> dict[str, NDArray[Any]]:
    """The arrays of what is removed of a segment, after the documents with these numbers are removed too."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, part in segment.units():
        rows = np.union1d(part.removed.rows, part.rows_of(numbers))
        arrays |= dict(_under(f"{name}/removed/", Removed.of(rows, part.postings).arrays().items()))
    return arrays


def merge_slice(sizes: Sequence[int]) -> slice | None:
    """The segments to merge: the oldest that is no larger than all after it together, and these.

    So each segment that stays is larger than all after it, there are at most 1 + log₂ n, and a document that is written
    again is then in a segment at least twice as large (unless it has just been added). A merged segment never has more
    than `LARGEST` documents.

    Args:
        sizes: documents of each segment, oldest first.

    Returns:
        At least two of them; None where no two should be merged.
    """
    total, first = 0, len(sizes)
    for place in range(len(sizes) - 1, -1, -1):
        if total + sizes[place] > LARGEST:
            break
        if sizes[place] <= total:
            first = place
        total += sizes[place]
    return slice(first, len(sizes)) if first < len(sizes) else None


def postings_of(bags: Bags, model: Model) -> Postings:
    """The postings of bags, which may hold terms that came after the model was learned."""
    later = int(bags.terms.max(initial=-1)) + 1 - (len(model.idf) - 1)
    return Postings.of(bags, np.concatenate([model.idf[:-1], np.repeat(model.idf[-1:], max(0, later))]))
