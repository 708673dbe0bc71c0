"""Tables in text: each row is a document.

A table of a folder that has no column of text is one document, as a workbook is: a list of contacts, a log in JSON.
"""

from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedReader
from typing import cast

from textae.corpus import formats, reading, tables
from textae.corpus.decoding import GUESSED, decode
from textae.corpus.formats import Given
from textae.corpus.formats.jsontext import readable
from textae.corpus.reading import Item
from textae.corpus.rows import Recoded, as_utf8
from textae.corpus.tables import PATIENCE, FieldMissingError
from textae.types import Document, Skipped

_DELIMITERS = {".csv": "", ".tsv": "\t"}


def read(given: Given) -> Iterator[Item]:
    """The documents of the rows, or the document of the file."""
    _check_is_text(given)
    bad: list[Skipped] = []  # rows, while the table may be one document
    may_be_document = given.may_be_document and given.size <= given.longest
    rows = _rows(given)
    try:
        for item in rows:
            if may_be_document and isinstance(item, Skipped) and len(bad) < PATIENCE:
                bad.append(item)
                continue
            may_be_document = False
            yield from bad
            yield item
            yield from rows
            return
    except FieldMissingError:
        if not may_be_document:
            raise
        given.stream.seek(0)
        text = given.text()
        text = text if given.ending in _DELIMITERS else readable(text)
        yield given.wanted(given.document("", [formats.lines(text)]))
        return
    yield from bad or [Skipped(given.name, reading.EMPTY)]


def _check_is_text(given: Given) -> None:
    """Refuse what begins with bytes of no encoding, of which each line would be a row that is not UTF-8.

    Raises:
        RefusedError: it is binary.
    """
    head = cast("BufferedReader", given.stream).peek()
    try:
        getincrementaldecoder("utf-8")().decode(head)  # a letter may be cut at the end
    except UnicodeDecodeError:
        decode(head)


def _rows(given: Given) -> Iterator[Item]:
    stream = as_utf8(given.stream)
    table = stream, given.name, given.spec, given.prefix
    if given.ending in _DELIMITERS:
        items = tables.read_csv(*table, delimiter=_DELIMITERS[given.ending])
    else:
        items = tables.read_jsonl(*table)
    source = cast("Recoded", stream.raw)
    for item in items:
        yield replace(item, notice=GUESSED) if source.is_guessed and isinstance(item, Document) else item
