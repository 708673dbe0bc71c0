"""A text that is longer than one document may be is read in parts, which are documents: `server.log#1`, `server.log#2`.

A part ends with a line where it can, and knows the line of the file at which it begins.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import IO

from textae.corpus.reading import Item
from textae.types import Document, Skipped

MOST = 64
"""Parts of a file. What is packed may have no end."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def in_parts(
    stream: IO[bytes], name: str, longest: int, read: Callable[[IO[bytes], str], Iterator[Item]]
) -> Iterator[Item]:
    """The documents of a text, one for each part; a text that is not too long is one part, of its own name.

    Args:
        stream: of the text.
        name: of the file.
        longest: bytes of a part.
        read: gives the document of a stream and a name. A part that it refuses is the end of the file.
    """
    line = 1
    for number, (piece, is_last) in enumerate(_pieces(stream, longest), start=1):
        if number > MOST:
            yield Skipped(name, f"longer than {MOST} parts; give a larger --longest")
            return
        if number == 1 and is_last:
            yield from read(io.BytesIO(piece), name)
            return
        for item in read(io.BytesIO(piece), f"{name}#{number}"):
            if isinstance(item, Skipped):
                yield replace(item, source=name)
                return
            yield item and _placed(item, name, line)
        line += piece.count(b"\n")


def _placed(part: Document, name: str, line: int) -> Document:
    """A part that knows its file, and its lines there."""
    places = tuple(
        replace(one, name=str(int(one.name) + line - 1)) if one.kind == "line" else one for one in part.places
    )
    # Not the size and the day of the file: each line that is appended would change all parts.
    fields = {field: value for field, value in part.fields.items() if field not in ("size", "modified")}
    if "path" in fields:
        fields["path"] = name
    return replace(part, fields=fields, source=name, places=places)


def _pieces(stream: IO[bytes], longest: int) -> Iterator[tuple[bytes, bool]]:
    """The pieces of a stream, and whether each is the last one; a later one of UTF-16 begins with its mark, too."""
    rest, mark = b"", b""
    while True:
        piece = rest + stream.read(longest + 1 - len(rest))
        if len(piece) <= longest:
            yield piece, True
            return
        mark = mark or next((mark for mark in _UTF_16 if piece.startswith(mark)), b"")
        end = _end(piece, longest, mark)
        rest = mark + piece[end:]
        yield piece[:end], False


def _end(piece: bytes, longest: int, mark: bytes) -> int:
    """Where to cut: behind the last line; else in front of a character, if it is of UTF-8 or UTF-16."""
    if mark:
        newline, even = "\n".encode("utf-16-le" if mark == _UTF_16[0] else "utf-16-be"), longest // 2 * 2
        end = piece.rfind(newline, 2, even) + 2
        return end if end > 3 and end % 2 == 0 else even
    if end := piece.rfind(b"\n", 0, longest) + 1:
        return end
    end = longest
    while end > longest - 4 and piece[end] & 0xC0 == 0x80:
        end -= 1
    return end
