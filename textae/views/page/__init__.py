"""The map of a corpus as one page that works alone: without server, internet or graphics card.

The page joins the files in `static` and blocks of data (`textae.views.page.packing`). Its Content Security Policy
allows its own script and no connections. The data of the map comes first, then the script, which draws the map while
the browser reads the rest; texts are unpacked on demand.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from textae.encoding.analyzer import Analysis, searchable
from textae.errors import TextaeError
from textae.explore.map import DocumentMap
from textae.explore.scales import Colouring, colouring
from textae.files import whole_file
from textae.types import Document, FieldValue
from textae.views.colour_scale import colours
from textae.views.page.document import page_around
from textae.views.page.packing import Square, block, colouring_json, json_bytes, map_json, places_block
from textae.views.page.texts import Cut, Waiting, lines
from textae.views.page.thumbnails import thumbnail_shape
from textae.views.page.word_table import WordTable

WORDS_AS_THEY_ARE = Analysis.of(None)

BUDGET, MANY, EACH = 5_000_000, 20_000, 56
"""Maximum bytes of a page of up to `MANY` documents, and of each further one: 60 MB for a million."""

_TITLES = 0.6  # of the bytes that ids and coordinates leave; the rest is for texts
_LONGEST_TITLE = 1_000
_FIELDS, _MENU = 200, 30  # fields that are read, the first ones; and fields in the colour menu
_LONGEST_VALUE = 80


@dataclass(frozen=True)
class PageReport:
    """What a page contains.

    Attributes:
        bytes: its size.
        documents: on the map.
        characters: maximum length of texts; None if all are whole, 0 if there are none.
        pictures: shown; None of texts, 0 for lack of room.
        halvings: how often the sides of the pictures are halved for lack of room.
    """

    bytes: int
    documents: int
    characters: int | None
    pictures: int | None = None
    halvings: int = 0


def write_page(
    topic_map: DocumentMap,
    documents: Iterable[Document],
    path: Path,
    *,
    name: str,
    analysis: Analysis = WORDS_AS_THEY_ARE,
    whole_texts: bool = False,
) -> PageReport:
    """Write the map as a page.

    Args:
        topic_map: the map.
        documents: of the map, in the order of their numbers; others among them are skipped.
        path: of the file.
        name: of the corpus, for people.
        analysis: of the index, for the page's search.
        whole_texts: whether to keep whole texts and all pictures, however large the page becomes.

    Raises:
        TextaeError: there is no document on the map.
        OSError: the file cannot be written; an existing file stays as it was.
        ValueError: a document of the map is not among the documents.
    """
    with whole_file(path) as passing, passing.open("wb") as out:
        return compose(topic_map, documents, out, name=name, analysis=analysis, whole_texts=whole_texts)


def compose(
    topic_map: DocumentMap,
    documents: Iterable[Document],
    out: BinaryIO,
    *,
    name: str,
    analysis: Analysis = WORDS_AS_THEY_ARE,
    whole_texts: bool = False,
    served: str | None = None,
) -> PageReport:
    """Compose the page that `write_page` writes.

    Args:
        topic_map: the map.
        documents: as in `write_page`.
        out: where the page is written.
        name: of the corpus.
        analysis: as in `write_page`.
        whole_texts: as in `write_page`.
        served: the commit of the index, if a server gives the page and answers its requests.

    Raises:
        TextaeError: there is no document on the map.
        ValueError: a document of the map is not among the documents.
    """
    n = len(topic_map.ids)
    if not n:
        raise TextaeError("the map has no documents: the encoder knows no word of any; 'textae train' learns anew")
    budget = BUDGET + EACH * max(0, n - MANY)
    start, script, end = page_around(name, application=served is not None)
    square = Square.around(topic_map.coordinates)
    places, ids = places_block(topic_map, square), block("ids", lines(topic_map.ids))
    budget -= sum(map(len, (start, script, end, places, ids)))
    with TemporaryFile() as file:
        waiting = Waiting(file, n, None if whole_texts else budget, served=served is not None)
        fields, table = _Fields(n), WordTable(analysis)
        for place, document in enumerate(_of_map(topic_map, documents)):
            table.add(searchable(waiting.add(document)))
            fields.add(place, document)
        coloured, words = fields.blocks(0.2 * budget), block("words", table.content())
        budget -= len(words) + sum(len(packed) for _, packed in coloured)
        titles, title_characters = _titles(topic_map.titles, budget * _TITLES)
        cut = Cut(None) if whole_texts else waiting.fitting(budget - len(titles))
        pictures = n * (cut.halvings is not None or served is not None) if waiting.shape else None
        about = map_json(topic_map, square) | {
            "name": name,
            "commit": served,
            "colourings": [colouring_json(of) for of, _ in coloured],
            "fieldsLeftOut": len(fields.names) - len(coloured),
            "characters": cut.length,
            "titleCharacters": title_characters,
            "withFields": cut.fields,
            "pictures": pictures,
            "thumbnail": thumbnail_shape(waiting.shape, cut.halvings) if waiting.shape and cut.halvings else None,
            "perPart": waiting.per_part,
        }
        texts = waiting.parts(cut) if cut.length != 0 or cut.fields else ()
        text_blocks = (block(f"texts-{at}", part) for at, part in enumerate(texts))
        first = [start, block("about", json_bytes(about)), places, b"<script>%s</script>\n" % script]
        rest = [titles, ids, words, *(packed for _, packed in coloured)]
        size = sum(map(out.write, chain(first, rest, text_blocks, [end])))
    return PageReport(size, n, cut.length, pictures, cut.halvings or 0)


def _of_map(topic_map: DocumentMap, documents: Iterable[Document]) -> Iterator[Document]:
    """The documents of the map, in its order."""
    ids = iter(topic_map.ids)
    id = next(ids, None)
    for document in documents:
        if document.id == id:
            yield document
            id = next(ids, None)
    if id is not None:
        raise ValueError(f"the document {id!r} of the map is not among the documents, or not in its place")


def _titles(titles: Sequence[str], room: float) -> tuple[bytes, int | None]:
    """The block of titles, and their maximum length to fit into the room."""
    longest = max(map(len, titles), default=0)
    length = min(longest, _LONGEST_TITLE)
    while len(packed := block("titles", lines(titles, length))) > room and length > 1:
        length = max(1, min(int(length * 0.9), int(length * 0.5 + length * room / len(packed) * 0.5)))
    return packed, None if length == longest else length


class _Fields:
    """The fields of all documents, column by column.

    Args:
        documents: their number.

    Attributes:
        names: of all fields that some document has.
    """

    def __init__(self, documents: int) -> None:
        self._n = documents
        self.names: set[str] = set()
        self._columns: dict[str, list[FieldValue]] = {}
        self._same: dict[str, str] = {}

    def add(self, place: int, document: Document) -> None:
        """Keep the short values of a document; equal ones once, so a million equal labels take no memory."""
        for name, value in document.fields.items():
            if value is None:
                continue
            self.names.add(name)
            if name not in self._columns and len(self._columns) == _FIELDS:
                continue
            while isinstance(value, list):
                value = value[0] if value else None
            if isinstance(value, str):
                value = self._same.setdefault(value[:_LONGEST_VALUE], value[:_LONGEST_VALUE])
            column = self._columns.setdefault(name, [])
            column.extend([None] * (place - len(column)))
            column.append(value)

    def blocks(self, room: float) -> list[tuple[Colouring, bytes]]:
        """The fields that can colour the map, with their blocks: the most frequent ones, while there is room."""
        fields = []
        for name, column in self._columns.items():
            column.extend([None] * (self._n - len(column)))
            if of := colouring(name, column):
                fields.append((sum(value is not None for value in column), of))
        kept: list[tuple[Colouring, bytes]] = []
        for _, of in sorted(fields, key=lambda field: -field[0])[:_MENU]:
            packed = block(f"colouring-{len(kept)}", colours(of)[1].astype("u1").tobytes())  # of each document
            room -= len(packed)
            if room >= 0:
                kept.append((of, packed))
        return kept
