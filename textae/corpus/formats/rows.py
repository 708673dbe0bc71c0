"""Tables in text: each row is a document.

A table of a folder that has no column of text is one document, as a workbook is: a list of contacts, a log in JSON.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from textae.corpus import formats, reading, tables
from textae.corpus.decoding import GUESSED
from textae.corpus.formats import Given
from textae.corpus.formats.jsontext import readable
from textae.corpus.reading import Item
from textae.corpus.rows import as_utf8, is_guessed
from textae.corpus.tables import PATIENCE, FieldMissingError
from textae.types import Document, Skipped

_DELIMITERS = {".csv": "", ".tsv": "\t"}


def read(given: Given) -> Iterator[Item]:
    """The documents of the rows, or the document of the file."""
    bad: list[Skipped] = []  # rows, while the table may be one document
    may_be_document = given.may_be_document and given.size <= given.longest
    is_empty = True
    try:
        for item in _rows(given):
            is_empty = False
            may_be_document &= isinstance(item, Skipped) and len(bad) < PATIENCE
            if may_be_document:
                bad.append(cast("Skipped", item))
                continue
            yield from bad
            bad.clear()
            yield item
    except FieldMissingError:
        if not may_be_document:
            raise
        given.stream.seek(0)
        text = given.text()
        text = text if given.ending in _DELIMITERS else readable(text)
        yield given.wanted(given.document("", [formats.lines(text)]))
        return
    yield from bad
    if is_empty:
        yield Skipped(given.name, reading.EMPTY)


def _rows(given: Given) -> Iterator[Item]:
    stream = as_utf8(given.stream)
    table = stream, given.name, given.spec, given.prefix
    if given.ending in _DELIMITERS:
        items = tables.read_csv(*table, delimiter=_DELIMITERS[given.ending])
    else:
        items = tables.read_jsonl(*table)
    for item in items:
        yield replace(item, notice=GUESSED) if is_guessed(stream) and isinstance(item, Document) else item
