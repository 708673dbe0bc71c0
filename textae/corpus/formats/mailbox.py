"""A mailbox of many messages."""

from collections.abc import Iterator

from textae.corpus import mail
from textae.corpus.formats import Given
from textae.corpus.reading import Item


def read(given: Given) -> Iterator[Item]:
    """The documents of the messages."""
    for item in mail.read_mbox(given.stream, given.name, given.start, given.prefix):
        yield None if item is None else given.wanted(item)
