"""Inputs of the commands: the index, standard input, and files."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from textae.errors import QueryError

if TYPE_CHECKING:
    from textae.engine import Engine
    from textae.types import Document, Picture


def open_engine(folder: Path) -> Engine:
    """The engine of an index, imported here so that the help needs no numpy."""
    from textae.engine import Engine

    return Engine.open(folder)


def corpus_name(folder: Path) -> str:
    """What to call the corpus of an index: the name of its folder, or of the folder above a `.textae`."""
    folder = folder.resolve()
    return folder.parent.name if folder.name.startswith(".") else folder.stem


def stdin_picture() -> Picture:
    """The picture on standard input.

    Raises:
        CorpusError: it is not a picture.
    """
    from textae.corpus.images import picture_in

    return picture_in(io.BytesIO(sys.stdin.buffer.read()), "standard input")


def stdin_text() -> str:
    """The text on standard input.

    Raises:
        QueryError: it is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise QueryError("standard input is not UTF-8 text") from None


def document_of(path: str, kind: str) -> Document:
    """The document in a file, read as 'textae index' reads it; the first one where there are several.

    Args:
        path: of the file.
        kind: of the index, one of `textae.types.KINDS`.

    Raises:
        QueryError: the file has no document of that kind.
    """
    from textae.corpus import read
    from textae.types import PICTURES, Document

    skipped = "it is empty"
    for item in read([path], kind=kind):
        if isinstance(item, Document):
            return item
        skipped = item.reason
    wanted = "a picture" if kind == PICTURES else "a file of text"
    raise QueryError(f"{path} gives no document: {skipped}; give {wanted}, or the id of a document")
