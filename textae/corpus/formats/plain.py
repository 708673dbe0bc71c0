r"""Text that is read as it stands: notes, logs, settings, source code, RFCs, Debian's changelogs.

The title is what the text says of itself in its first lines, where it is one of these:

    an RFC                      RFC 2616: Hypertext Transfer Protocol -- HTTP/1.1
    a Debian changelog          textae (1.2-1)
    a module of Python          the first line of its docstring
"""

import re
from collections.abc import Iterator
from itertools import takewhile

from textae.corpus import formats, reading
from textae.corpus.formats import Given
from textae.corpus.reading import Item, RefusedError

_HEAD = 4_096  # characters in which a title is looked for

_COLOURS = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")  # of a terminal, in logs
_RFC = re.compile(
    r"^[ \t]*(?:Requests?\s+For\s+Comm+ents?|RFC)(?: No\.|[:#\- ])*0*(\d+)\b", re.MULTILINE | re.IGNORECASE
)
_HEADER = 1_500  # characters, before prose that names an RFC
_WIDTH = 72  # columns of an RFC
_UNDERLINE = re.compile(r"\W+")
_CHANGELOG = re.compile(r"\s*([a-z0-9][a-z0-9+.-]+ \([^()\s]+\)) [^;\n]+; urgency=", re.IGNORECASE)
_DOCSTRING = re.compile(r"(?:\s|#[^\n]*\n)*[rR]?(?:\"\"\"|''')\s*(\S[^\n]*?)\s*(?:\"\"\"|'''|\n)")
_PYTHON = (".py", ".pyi")


def read(given: Given) -> Iterator[Item]:
    """The document of a text file, or of a file that may be one."""
    try:
        text = given.text()
    except RefusedError as error:
        is_known = given.ending in ("", *formats.FORMATS) or str(error) == reading.too_long(given.longest)
        raise error if is_known else RefusedError(f"{error} (unknown type {given.ending})") from None
    if "\x1b[" in text:
        text = _COLOURS.sub("", text)
    yield given.document(_title(text, given.ending), [formats.lines(text)])


def _title(text: str, ending: str) -> str:
    head = text[:_HEAD]
    if ending in _PYTHON:
        return match[1] if (match := _DOCSTRING.match(head)) else ""
    if "; urgency=" in head and (match := _CHANGELOG.match(head)):
        return match[1]
    if ("RFC" in head or "equest" in head) and (rfc := _RFC.search(head, 0, _HEADER)):
        title = _centred(head[rfc.end() :])
        return f"RFC {rfc[1]}: {title}" if title else f"RFC {rfc[1]}"
    return ""


def _centred(text: str) -> str:
    """The first centred paragraph behind the header of an RFC, whose last lines may stand at the right alone."""
    for paragraph in re.split(r"\n\s*\n", text.expandtabs())[1:]:
        lines = paragraph.strip("\n").split("\n")
        left, right = len(lines[0]) - len(lines[0].lstrip()), _WIDTH - len(lines[0].rstrip())
        if abs(left - right) < _WIDTH / 4:
            title = " ".join(takewhile(lambda line: not _UNDERLINE.fullmatch(line), lines))
            return "" if title.endswith(".") else title  # prose may be as wide as the page
    return ""
