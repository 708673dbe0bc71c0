"""Manuals of GNU info: the text of each node, as the reader `info` shows it.

What stands between nodes is left out: the copyright at the beginning, tables of tags, marks of indices and pictures.
"""

import re
from collections.abc import Iterator

from textae.corpus import formats, reading
from textae.corpus.decoding import decode
from textae.corpus.formats import Given, Part
from textae.corpus.reading import Item

_MARK = re.compile(rb"\0\x08\[[^\0]*\0\x08\]")
_NODE = re.compile(r"\s*File: [^\n]*?Node: ([^,\n]+)[^\n]*\n")
_TITLE = re.compile(r"^(\S.*)\n\*{3,}$", re.MULTILINE)


def read(given: Given) -> Iterator[Item]:
    """The document of a manual, or of a text that is none."""
    decoded = decode(_MARK.sub(b"", reading.whole(given.stream, given.longest)))
    given.notice = decoded.notice
    if "\x1f" not in decoded.text:
        yield given.document("", [formats.lines(decoded.text)])
        return
    title = _TITLE.search(decoded.text)
    nodes = list(_nodes(decoded.text))
    # The first part of a long manual lists the others, and says what it is about.
    yield given.document(title[1] if title else "", nodes or [formats.lines(decoded.text.partition("\x1f")[0])])


def _nodes(text: str) -> Iterator[Part]:
    for piece in text.split("\x1f"):
        if node := _NODE.match(piece):
            yield "heading", node[1], piece[node.end() :].strip("\n\f")
