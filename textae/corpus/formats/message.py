"""A file of one mail."""

from collections.abc import Iterator
from dataclasses import replace

from textae.corpus import mail, reading
from textae.corpus.formats import Given
from textae.corpus.reading import Item
from textae.types import Document


def read(given: Given) -> Iterator[Item]:
    """The document of a message."""
    item = mail.read_message(reading.whole(given.stream, given.longest), given.name)
    if isinstance(item, Document):
        title = item.title or given.name.rpartition("/")[2]
        item = replace(item, title=title, fields=given.fields() | dict(item.fields))
    yield item
