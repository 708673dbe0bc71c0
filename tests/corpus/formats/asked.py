"""What tests of formats ask about the file that they made."""

from pathlib import Path

from textae.corpus import Limits, read
from textae.types import Document, Skipped


def only(path: Path, **options: Limits) -> Document:
    """The only document of a file."""
    (item,) = read([str(path)], **options)
    assert isinstance(item, Document), item
    return item


def refusal(path: Path, **options: Limits) -> str:
    """The reason for which the only file of a folder is skipped."""
    (item,) = read([str(path.parent)], **options)
    assert isinstance(item, Skipped), item
    return item.reason


def places(document: Document) -> list[tuple[str, str, str]]:
    """The kind, the name and the first line of each place."""
    return [(place.kind, place.name, document.text[place.start :].split("\n")[0]) for place in document.places]
