r"""Text that is read as it stands: notes, logs, settings, source code, RFCs, Debian's changelogs.

The title is what the text says of itself in its first lines, where it is one of these:

    an RFC                      RFC 2616: Hypertext Transfer Protocol -- HTTP/1.1
    a Debian changelog          textae (1.2-1)
    a module of Python          the first line of its docstring
"""

import re
from collections.abc import Iterator

from textae.corpus import formats, reading
from textae.corpus.formats import Given
from textae.corpus.reading import Item, RefusedError

_HEAD = 4_096  # characters in which a title is looked for

_COLOURS = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")  # of a terminal, in logs
_RFC = re.compile(r"^(?:Request for Comments|RFC):? *#?(\d+)\b", re.MULTILINE | re.IGNORECASE)
_CENTRED = re.compile(r"^ {3,}\S.*(?:\n {3,}\S.*)*$", re.MULTILINE)  # the first such lines behind the header
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
    if ("RFC" in head or "equest" in head) and (rfc := _RFC.search(head)):
        # In the header, lines that begin at the left margin give the authors; the title is what is centred below it.
        title = _CENTRED.search(head, head.find("\n", rfc.end()))
        return f"RFC {rfc[1]}: {title[0]}" if title else f"RFC {rfc[1]}"
    return ""
