"""Tables in text: each row is a document."""

from collections.abc import Iterator

from textae.corpus import tables
from textae.corpus.formats import Given
from textae.corpus.reading import Item


def read(given: Given) -> Iterator[Item]:
    """The documents of the rows."""
    if given.ending in (".csv", ".tsv"):
        delimiter = "\t" if given.ending == ".tsv" else ""
        return tables.read_csv(given.stream, given.name, given.spec, given.prefix, delimiter=delimiter)
    return tables.read_jsonl(given.stream, given.name, given.spec, given.prefix)
