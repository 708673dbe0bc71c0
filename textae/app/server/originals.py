"""The file of a document as an answer, which a browser shows or stores, whoever wrote it.

A page among the documents must not act in the name of this server, where the token is: it is shown in a sandbox, which
runs no script and has no origin. What is no page, picture, PDF or text is stored.
"""

import codecs
import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from textae.app.server.guard import POLICY
from textae.app.server.requests import PIECE

_PAGES = {"text/html", "application/xhtml+xml", "image/svg+xml"}
_SHOWN = _PAGES | {"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp"}
_TEXT, _OTHER = "text/plain; charset=utf-8", "application/octet-stream"

_SANDBOX = {
    "Content-Security-Policy": f"{POLICY}; style-src 'unsafe-inline'; img-src data:; sandbox",
    "Cross-Origin-Opener-Policy": "unsafe-none",  # browsers refuse a sandbox with another one
}
_PDF = {"Content-Security-Policy": f"{POLICY}; object-src 'self'; style-src 'unsafe-inline'"}  # of a browser's viewer


def original_answer(path: Path, file: BinaryIO) -> Response:
    """The answer with a file, which is closed at its end.

    Args:
        path: of the file.
        file: its content, from the beginning.
    """
    start = file.read(PIECE)
    kind = _kind(path, start)
    shown = "attachment" if kind == _OTHER else "inline"
    headers = {
        "Content-Type": kind,  # not as an argument, by which a page would be UTF-8 whatever it says
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(path.name, errors='replace')}",
        "Content-Length": str(size := os.fstat(file.fileno()).st_size),
        **(_PDF if kind == "application/pdf" else _SANDBOX),
    }
    return StreamingResponse(_pieces(file, start, size), headers=headers)


def _kind(path: Path, start: bytes) -> str:
    """The media type of a file, by its name and its first bytes."""
    kind, packed = mimetypes.guess_type(path.name)
    if kind in _SHOWN and not packed:
        return kind
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start, len(start) < PIECE)
    except UnicodeDecodeError:
        return "text/plain" if kind and kind.startswith("text/") and not packed else _OTHER
    return _OTHER if "\0" in text else _TEXT


def _pieces(file: BinaryIO, start: bytes, size: int) -> Iterator[bytes]:
    """The content of a file, as long as it was; it may grow meanwhile."""
    with file:
        while start and size > 0:
            yield start[:size]
            size -= len(start)
            start = file.read(PIECE)
