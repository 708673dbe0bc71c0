"""Segments: an index is made of parts that never change, each with its own words, codes and fields.

    segments/<name>/documents/…   of whole documents: postings, codes, whose they are, and which are removed
    segments/<name>/passages/…    the same of their passages, where the index has them, and where each one stands
    segments/<name>/tokens/…      the documents' terms in reading order, for phrases
    segments/<name>/fields/…      what their fields hold

Documents that are added make a segment of their own, so they cost what they are and not what the corpus is. Those that
are removed are named beside their segment, with what must be subtracted from the corpus's statistics, so that these
stay exact. Segments that have become small beside those that follow are merged (`to_merge`), as the digits of a binary
counter are: a document is written again only as often as the number of documents doubles.
"""

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import spans, words
from textae.encoding.arrays import Ints, Rows
from textae.encoding.bags import Bags, Tokens, concatenated
from textae.encoding.encoders import AnyEncoder, Codes, Inputs, encode
from textae.encoding.model import Model
from textae.encoding.passages import passages
from textae.encoding.pixels import Pixels
from textae.index.fields import FieldIndex
from textae.index.postings import Postings, Removed
from textae.types import Document, Progress

LARGEST = 1 << 19
"""Documents of a segment that is made at once, or by merging."""

DOCUMENTS, PASSAGES = "documents", "passages"

_CHUNK = 2_048  # rows encoded at a time

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class SegmentRows:
    """What is searched of a segment: its whole documents, or their passages.

    Attributes:
        doc_numbers: (n,) int64, the number of the document that each row is of; rising.
        postings: the words of the rows.
        codes: as stored.
        lsa: (n, dims) float16, LSA's codes; of pictures, PCA's.
        removed: rows whose document is gone.
        windows: (n, 2) int32, of passages the first token of the document's and the one after the last; else empty.
        places: (n, 2) int32, of passages the first character of the document's text and the one after the last.
        pixels: (n, n_pixels) uint8, of pictures; else empty.
    """

    doc_numbers: Rows
    postings: Postings
    codes: Codes
    lsa: NDArray[np.float16]
    removed: Removed
    windows: NDArray[np.int32]
    places: NDArray[np.int32]
    pixels: NDArray[np.uint8]

    def __len__(self) -> int:
        """The number of rows, removed ones among them."""
        return len(self.doc_numbers)

    def alive(self) -> NDArray[np.bool_]:
        """Which rows are not removed: (n,)."""
        alive = np.ones(len(self), bool)
        alive[self.removed.rows] = False
        return alive

    def rows_of(self, numbers: Rows) -> Rows:
        """The rows of the documents of these numbers, removed ones among them, rising."""
        return np.flatnonzero(np.isin(self.doc_numbers, numbers))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "SegmentRows":
        """The unit that was stored as these."""
        return cls(
            arrays["owners"],
            Postings.from_arrays(_below(arrays, "postings/")),
            Codes(arrays["known"], arrays["floats"], arrays["bits"]),
            arrays["lsa"],
            Removed.from_arrays(_below(arrays, "removed/")),
            arrays.get("windows", _NO_PLACES),
            arrays.get("places", _NO_PLACES),
            arrays.get("pixels", _NO_PIXELS),
        )


_NO_PLACES = np.zeros((0, 2), np.int32)
_NO_PIXELS = np.zeros((0, 0), np.uint8)


@dataclass(frozen=True)
class Segment:
    """A part of an index.

    Attributes:
        name: of the segment in the index.
        documents: whole.
        passages: of the documents, in their order; None where the index has none.
        tokens: the terms of the documents in reading order.
        fields: of the documents.
    """

    name: str
    documents: SegmentRows
    passages: SegmentRows | None
    tokens: Tokens
    fields: FieldIndex

    def __len__(self) -> int:
        """The number of documents that are not removed."""
        return len(self.documents) - len(self.documents.removed.rows)

    @property
    def n_rows(self) -> int:
        """Documents, removed ones among them."""
        return len(self.documents)

    def term_rows(self, number: int) -> Ints:
        """The rows of the documents that hold a term, rising."""
        return self.documents.postings.term(number)[0]

    def units(self) -> Iterator[tuple[str, SegmentRows]]:
        """What is searched of it, by name."""
        yield DOCUMENTS, self.documents
        if self.passages is not None:
            yield PASSAGES, self.passages

    @classmethod
    def from_arrays(cls, name: str, arrays: Arrays) -> "Segment":
        """The segment of that name among the arrays of an index."""
        own = _below(arrays, prefix(name))
        passages = _below(own, f"{PASSAGES}/")
        return cls(
            name,
            SegmentRows.from_arrays(_below(own, f"{DOCUMENTS}/")),
            SegmentRows.from_arrays(passages) if passages else None,
            Tokens.from_arrays(own),
            FieldIndex.from_arrays(own),
        )


def prefix(name: str) -> str:
    """How the names of a segment's arrays begin."""
    return f"segments/{name}/"


def _below(arrays: Arrays, start: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


Named = Iterator[tuple[str, NDArray[Any]]]
"""Arrays with their names inside a segment, one at a time: each may be large."""


def _under(start: str, named: Iterable[tuple[str, NDArray[Any]]]) -> Named:
    return ((start + name, array) for name, array in named)


def new_segment(
    numbers: Rows, tokens: Tokens, documents: Iterable[Document], model: Model, progress: Progress
) -> Named:
    """The arrays of a segment of new documents.

    Args:
        numbers: (n,) of the documents, rising.
        tokens: of the documents, n rows.
        documents: the same n, read once.
        model: what was learned.
        progress: told of the rows that are encoded.
    """
    bags: Bags = tokens.bags()
    inputs: Inputs = bags
    if model.shape is not None:
        documents = list(documents)
        inputs = Pixels.of(document.picture for document in documents if document.picture is not None)
        yield f"{DOCUMENTS}/pixels", inputs.values
    yield from _under(f"{DOCUMENTS}/", _unit(numbers, bags, inputs, model, progress))
    yield from _read(tokens, documents, numbers, model, progress)


def _unit(doc_numbers: Rows, bags: Bags, inputs: Inputs, model: Model, progress: Progress) -> Named:
    yield "owners", doc_numbers
    yield from _under("postings/", postings_of(bags, model).arrays().items())
    yield from _under("removed/", Removed.nothing().arrays().items())
    yield from encoded(inputs, model.encoder, progress).items()
    yield "lsa", _stacked(encode(model.start, chunk).floats.astype(np.float16) for chunk in inputs.chunks(_CHUNK))


def encoded(inputs: Inputs, encoder: AnyEncoder, progress: Progress) -> dict[str, NDArray[Any]]:
    """The codes of what an encoder reads, as they are stored."""
    known, floats, bits = [], [], []
    for chunk in inputs.chunks(_CHUNK):
        codes = encode(encoder, chunk)
        known.append(codes.known)
        floats.append(codes.floats.astype(np.float16))
        bits.append(codes.bits)
        progress("encoding", sum(map(len, known)), len(inputs))
    return {"known": np.concatenate(known), "floats": np.concatenate(floats), "bits": np.concatenate(bits)}


def _stacked(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(parts))


def _read(tokens: Tokens, documents: Iterable[Document], numbers: Rows, model: Model, progress: Progress) -> Named:
    """What comes of the documents themselves and not of their bags."""
    described: list[tuple[str, str, Mapping[str, Any]]] = []
    cut: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
    for document in documents:
        described.append((document.id, document.title, document.fields))
        if model.passage:
            cut.append(_cut(document, model.passage))
    yield from FieldIndex.of(described).arrays().items()
    yield from tokens.arrays().items()
    if model.passage:
        counts = [len(windows) for windows, _ in cut]
        windows, places = (np.concatenate([_NO_PLACES, *parts]) for parts in zip(*cut, strict=True))
        owner_rows = np.repeat(np.arange(len(numbers)), counts)
        bags = _passage_tokens(tokens, owner_rows, windows).bags()
        yield from _under(f"{PASSAGES}/", _unit(numbers[owner_rows], bags, bags, model, progress))
        yield from _under(f"{PASSAGES}/", {"windows": windows, "places": places}.items())


def _cut(document: Document, size: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The passages of a document: which of its tokens, and which characters of its text, each holds."""
    before = len(words(document.title)) if document.title else 0
    starts = [start for start, _ in spans(document.text)]
    places = passages(document.text, size)
    windows = [(before + bisect_left(starts, first), before + bisect_left(starts, last)) for first, last in places]
    return np.array(windows, np.int32).reshape(-1, 2), np.array(places, np.int32).reshape(-1, 2)


def _passage_tokens(tokens: Tokens, owner_rows: Rows, windows: NDArray[np.int32]) -> Tokens:
    """The tokens of passages: those of the document's title, which its first passage begins after, and their own."""
    begins = tokens.starts[owner_rows]
    first_of_owner = np.searchsorted(owner_rows, owner_rows)
    titles = windows[first_of_owner, 0].astype(np.int64)
    pieces = np.stack([begins, begins + titles, begins + windows[:, 0], begins + windows[:, 1]], axis=1)
    lengths = titles + np.diff(windows, axis=1)[:, 0]
    parts = [tokens.terms[a:b] for row in pieces.tolist() for a, b in (row[:2], row[2:])]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Tokens(starts, np.concatenate([np.empty(0, np.int32), *parts]))


def merged(segments: Sequence[Segment], documents: Iterable[Document], model: Model) -> Named:
    """The arrays of one segment in place of several that follow each other, without what was removed.

    Args:
        segments: at least one.
        documents: that are in them, read once.
        model: by which they were made.
    """
    kept = [np.flatnonzero(segment.documents.alive()) for segment in segments]
    tokens = Tokens.concatenated([one.tokens.take(rows) for one, rows in zip(segments, kept, strict=True)])
    yield from tokens.arrays().items()
    described = [(document.id, document.title, document.fields) for document in documents]
    yield from FieldIndex.of(described).arrays().items()
    whole = [segment.documents for segment in segments]
    yield from _under(f"{DOCUMENTS}/", _merged_units(whole, tokens.bags(), model))
    parts = [segment.passages for segment in segments if segment.passages is not None]
    if parts:
        bags = concatenated([unit.postings.bags().take(np.flatnonzero(unit.alive())) for unit in parts])
        yield from _under(f"{PASSAGES}/", _merged_units(parts, bags, model))


def _merged_units(units: Sequence[SegmentRows], bags: Bags, model: Model) -> Named:
    alive = [unit.alive() for unit in units]

    def kept(arrays: Iterable[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([array[rows] for array, rows in zip(arrays, alive, strict=True)])

    yield "owners", kept(unit.doc_numbers for unit in units)
    yield "known", kept(unit.codes.known for unit in units)
    yield "floats", kept(unit.codes.floats for unit in units)
    yield "bits", kept(unit.codes.bits for unit in units)
    yield "lsa", kept(unit.lsa for unit in units)
    if units[0].pixels.size:
        yield "pixels", kept(unit.pixels for unit in units)
    if len(units[0].windows):
        yield "windows", kept(unit.windows for unit in units)
        yield "places", kept(unit.places for unit in units)
    yield from _under("postings/", postings_of(bags, model).arrays().items())
    yield from _under("removed/", Removed.nothing().arrays().items())


def removed_from(segment: Segment, numbers: Rows) -> dict[str, NDArray[Any]]:
    """The arrays that say what is removed of a segment, when documents of these numbers go, too."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, unit in segment.units():
        rows = np.union1d(unit.removed.rows, unit.rows_of(numbers))
        arrays |= dict(_under(f"{name}/removed/", Removed.of(rows, unit.postings).arrays().items()))
    return arrays


def to_merge(sizes: Sequence[int]) -> slice | None:
    """Which segments should be one: the oldest that is no larger than all after it together, and these.

    So each one that stays is larger than all after it, there are at most 1 + log₂ n, and what is written again is then
    in a segment at least twice as large (but for what has just been added). Only those that would be larger than
    `LARGEST` stay apart.

    Args:
        sizes: documents of each segment, oldest first.

    Returns:
        At least two of them; None where no two should be one.
    """
    total, first = 0, len(sizes)
    for place in range(len(sizes) - 1, -1, -1):
        if total + sizes[place] > LARGEST:
            break
        if sizes[place] <= total:
            first = place
        total += sizes[place]
    return slice(first, len(sizes)) if first < len(sizes) else None


def parts_of(n: int) -> Iterator[tuple[int, int]]:
    """The first row of each segment that n new documents make, and the one after its last."""
    return itertools.pairwise([*range(0, n, LARGEST), n])


def postings_of(bags: Bags, model: Model) -> Postings:
    """The postings of bags, in which terms may be that were not there when the index was learned."""
    later = int(bags.terms.max(initial=-1)) + 1 - (len(model.idf) - 1)
    return Postings.of(bags, np.concatenate([model.idf[:-1], np.repeat(model.idf[-1:], max(0, later))]))
