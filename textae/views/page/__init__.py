"""The map of a corpus as one page that needs nothing else: no server, no internet, no graphics card.

The page is put together of the files in `static` and of blocks of data (`textae.views.page.packing`). Its Content
Security Policy lets it run this script and no other, and reach nothing. What is needed to draw the map comes first,
then the script, which draws it while the rest is still being read; texts are opened when they are asked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from textae.errors import TextaeError
from textae.explore.map import DocumentMap
from textae.explore.scales import Colouring, colouring
from textae.files import whole_file
from textae.types import Document, FieldValue
from textae.views.page.document import Page
from textae.views.page.packing import (
    Square,
    block,
    colouring_block,
    json_bytes,
    places_block,
    said_of_colouring,
    said_of_map,
)
from textae.views.page.texts import Cut, Waiting, lines

BUDGET, MANY, EACH = 5_000_000, 20_000, 56
"""Bytes of a page of up to `MANY` documents, and of each further one: 60 MB of a million."""

_TITLES = 0.6  # of what ids and places leave: the rest is for texts
_LONGEST_TITLE = 1_000
_FIELDS, _MENU = 200, 30  # fields that are looked at, those that come first; and that are offered as colours
_LONGEST_VALUE = 80


@dataclass(frozen=True)
class PageReport:
    """What was written.

    Attributes:
        bytes: of the page.
        documents: on the map.
        characters: that texts were cut to; None where all are whole, 0 where there are none.
        title_characters: that titles were cut to; None where all are whole.
        fields: that the map can be coloured by.
        fields_left_out: that say nothing in colours, or that fewer documents have.
        pictures: that are shown; None where documents are texts, 0 where there was no room.
    """

    bytes: int
    documents: int
    characters: int | None
    title_characters: int | None
    fields: int
    fields_left_out: int
    pictures: int | None = None


def write_page(
    topic_map: DocumentMap, documents: Iterable[Document], path: Path, *, name: str, whole_texts: bool = False
) -> PageReport:
    """Write the map as a page.

    Args:
        topic_map: what is drawn.
        documents: of the map, in the order of their numbers; others among them are passed over.
        path: of the file.
        name: of the corpus, for people.
        whole_texts: whether texts stay whole, and pictures in it, however large the page becomes.

    Raises:
        TextaeError: there is no document on the map.
        OSError: the file cannot be written; what was there is as it was.
        ValueError: a document of the map is not among the documents.
    """
    with whole_file(path) as passing, passing.open("wb") as out:
        return compose(topic_map, documents, out, name=name, whole_texts=whole_texts)


def compose(
    topic_map: DocumentMap,
    documents: Iterable[Document],
    out: BinaryIO,
    *,
    name: str,
    whole_texts: bool = False,
    served: str | None = None,
) -> PageReport:
    """Compose the page that `write_page` writes.

    Args:
        topic_map: what is drawn.
        documents: as `write_page` takes them.
        out: that it is written to.
        name: of the corpus.
        whole_texts: whether texts stay whole.
        served: the commit of the index that is drawn, where a server gives the page and answers what it asks.

    Raises:
        TextaeError: there is no document on the map.
        ValueError: a document of the map is not among the documents.
    """
    n = len(topic_map.ids)
    if not n:
        raise TextaeError("the map has no documents: the encoder knows no word of any; 'textae train' learns anew")
    budget = BUDGET + EACH * max(0, n - MANY)
    page = Page(name, application=served is not None)
    square = Square.around(topic_map.coordinates)
    places, ids = places_block(topic_map, square), block("ids", lines(topic_map.ids))
    budget -= page.size() + len(places) + len(ids)
    with Waiting(n, None if whole_texts else budget) as waiting:
        fields = _Fields(n)
        for place, document in enumerate(_of_map(topic_map, documents)):
            waiting.add(document)
            fields.add(place, document)
        coloured = fields.blocks(0.2 * budget)
        budget -= sum(len(packed) for _, packed in coloured)
        titles, title_characters = _titles(topic_map.titles, budget * _TITLES)
        cut = Cut(None) if whole_texts else waiting.fitting(budget - len(titles))
        report = PageReport(
            0, n, cut.length, title_characters, len(coloured), fields.seen - len(coloured),
            n * cut.pictures if waiting.pictured else None,
        )  # fmt: skip
        about = said_of_map(topic_map, square) | {
            "name": name,
            "commit": served,
            "colourings": [said_of_colouring(of) for of, _ in coloured],
            "fieldsLeftOut": report.fields_left_out,
            "characters": cut.length,
            "titleCharacters": title_characters,
            "withFields": cut.fields,
            "pictures": report.pictures,
            "perPart": waiting.per_part,
        }
        first = [block("about", json_bytes(about)), places]
        texts = waiting.parts(cut) if cut.length != 0 or cut.fields else ()
        texts_blocks = (block(f"texts-{at}", part) for at, part in enumerate(texts))
        rest = chain([titles, ids], (packed for _, packed in coloured), texts_blocks)
        written = sum(map(out.write, page.pieces(first, rest)))
    return replace(report, bytes=written)


def _of_map(topic_map: DocumentMap, documents: Iterable[Document]) -> Iterator[Document]:
    """The documents of the map, in its order."""
    wanted = iter(topic_map.ids)
    next_id = next(wanted, None)
    for document in documents:
        if document.id == next_id:
            yield document
            next_id = next(wanted, None)
    if next_id is not None:
        raise ValueError(f"the document {next_id!r} of the map is not among the documents, or not in its place")


def _titles(titles: Sequence[str], room: float) -> tuple[bytes, int | None]:
    """The block of titles, and what they were cut to so that it has room."""
    longest = max(map(len, titles), default=0)
    length = min(longest, _LONGEST_TITLE)
    while len(packed := block("titles", lines(titles, length))) > room and length > 1:
        length = max(1, min(int(length * 0.9), int(length * 0.5 + length * room / len(packed) * 0.5)))
    return packed, None if length == longest else length


class _Fields:
    """The fields of all documents, column by column.

    Args:
        documents: how many there will be.
    """

    def __init__(self, documents: int) -> None:
        self._n = documents
        self._columns: dict[str, list[FieldValue]] = {}
        self._others: set[str] = set()
        self._same: dict[str, str] = {}

    @property
    def seen(self) -> int:
        """Fields that some document has."""
        return len(self._columns) + len(self._others)

    def add(self, place: int, document: Document) -> None:
        """Keep what colours may tell of a document."""
        for name, value in document.fields.items():
            if value is None:
                continue
            if name not in self._columns and len(self._columns) == _FIELDS:
                self._others.add(name)
                continue
            column = self._columns.setdefault(name, [])
            column.extend([None] * (place - len(column)))
            column.append(self._kept(value))

    def _kept(self, value: FieldValue) -> FieldValue:
        """The value, short, and the same object where it was seen before: a million equal labels take no memory."""
        if isinstance(value, list):
            return self._kept(value[0]) if value else None
        if isinstance(value, str):
            return self._same.setdefault(value[:_LONGEST_VALUE], value[:_LONGEST_VALUE])
        return value

    def blocks(self, room: float) -> list[tuple[Colouring, bytes]]:
        """What the map can be coloured by, with its block: the fields that most documents have, while there is room."""
        found = []
        for name, column in self._columns.items():
            column.extend([None] * (self._n - len(column)))
            if of := colouring(name, column):
                found.append((sum(value is not None for value in column), of))
        kept: list[tuple[Colouring, bytes]] = []
        for _, of in sorted(found, key=lambda one: -one[0])[:_MENU]:
            packed = colouring_block(f"colouring-{len(kept)}", of)
            room -= len(packed)
            if room >= 0:
                kept.append((of, packed))
        return kept
