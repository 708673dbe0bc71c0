"""Tables beyond text.

A workbook of a folder that has no column of text is one document: its rows as they are, sheet by sheet. Of one that is
named by itself, the error names the columns: a person has a table in mind then.
"""

import tempfile
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from textae.corpus import pandas_tables, tables
from textae.corpus.formats import Given, Part, office, zipped
from textae.corpus.reading import Item
from textae.corpus.tables import FieldMissingError
from textae.types import Skipped

_WORKBOOKS = (".xlsx", ".xlsm", ".ods")


def read(given: Given) -> Iterator[Item]:
    """The documents of the rows, or the document of the workbook."""
    if given.path:
        yield from _read(given, given.path)
        return
    with tempfile.NamedTemporaryFile(suffix=given.ending) as copy:  # of a member of an archive
        for piece in iter(lambda: given.stream.read(1 << 20), b""):
            copy.write(piece)
        copy.flush()
        yield from _read(given, Path(copy.name))


def _read(given: Given, path: Path) -> Iterator[Item]:
    may_be_document = given.ending in _WORKBOOKS and given.may_be_document
    skipped: list[Skipped] = []
    try:
        for item in pandas_tables.read(path, given.name, given.spec, given.prefix):
            if isinstance(item, Skipped) and may_be_document:
                skipped.append(item)
            else:
                may_be_document = False
                yield item
    except FieldMissingError:
        if not may_be_document:
            raise
    if may_be_document:
        with zipped.opened(given) as archive:
            stated = office.properties(
                zipped.content(archive, "meta.xml" if given.ending == ".ods" else "docProps/core.xml")
            )
        document = given.document(str(stated.pop("title", "")), _sheets(path), stated)
        skipped = [] if not isinstance(document, Skipped) else skipped
        yield given.wanted(document)
    yield from skipped


def _sheets(path: Path) -> Iterator[Part]:
    for sheet, lines in groupby(pandas_tables.lines(path), itemgetter(0)):
        rows = ([tables.as_text(pandas_tables.plain_value(cell)) for cell in cells] for _, _, cells in lines)
        yield "sheet", sheet, "\n".join("\t".join(filter(None, row)) for row in rows if any(row))
