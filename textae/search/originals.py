"""Where a document comes from: the place of a passage in its file, and the file itself, which can be opened.

The index remembers its sources, and a document has the path inside of one: `notes/boiler.md`, or `mail.mbox:7` of one
of several in a file. A stranger may have written both. So a file is opened only where it lies in a remembered source,
links included, and what could be a program is not handed to the system to open it.
"""

import os
import re
import stat
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from textae.errors import QueryError
from textae.types import Document, Place

Sources = Mapping[str, Mapping[str, Any]]
"""The sources of an index by their keys, as its settings have them."""

_NUMBER = re.compile(r":[0-9]+(\.[0-9]+)?\Z")  # of a document among several in a file, behind the file's name
_CONTAINED = re.compile(r"(\.(zip|jar|7z|rar|tar(\.\w+)?|t[bgx]z2?|tzst|xls[xm]|ods)(\.\w{2,3})?)/.*", re.I | re.S)
_ESCAPED = re.compile(r"\\u(dc[89a-f][0-9a-f])")
_MOST_DIGITS = 15
_LONGEST = 4_096  # characters of a path

_PROGRAMS = frozenset(
    "action app appimage appref-ms bat bin chm cmd com command cpl deb desktop dmg exe gadget hta inf inx ipa iso jar "  # noqa: SIM905
    "job js jse jnlp ksh lnk msc msh msi msp mst out pif pkg pl ps1 psm1 py pyc pyw pyz reg rgs rpm run scf scpt scr "
    "sct settingcontent-ms sh shb shs snap terminal tool u3p url vb vbe vbs webloc wsc wsf wsh workflow xll".split()
)
"""Endings of files that some system runs, or that name what it runs or visits, when a person opens them."""

_BEGINNINGS = (b"\x7fELF", b"MZ", b"#!", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""Of programs of Linux, Windows and macOS, and of scripts."""

_SHORTCUT = re.compile(rb"\s*\[(Desktop Entry|InternetShortcut)\]")


def place_at(document: Document, at: int) -> str:
    """The place of a character of a text, as people say it: `page 12`, or `line 42`; "" where nobody knows.

    It is the last place that begins at or before the character; after one of lines each newline counts.
    """
    number = bisect_right(document.places, at, key=_start) - 1
    if number < 0:
        return ""
    place = document.places[number]
    name = place.name
    if place.kind == "line" and _is_number(name):
        name = str(int(name) + document.text.count("\n", place.start, at))
    return f"{place.kind} {name}".strip()


def part_named(document: Document, name: str) -> tuple[int, int]:
    """The first character of the page, slide, sheet or chapter with this name, and the one behind its last.

    Raises:
        QueryError: there is none.
    """
    parts = [place for place in document.places if place.kind != "line"]
    if not parts:
        raise QueryError(f"{document.id!r} has no pages; 'textae get' without --page prints all of it")
    ends = [place.start for place in parts[1:]] + [len(document.text)]
    for place, end in zip(parts, ends, strict=True):
        if place.name.casefold() == name.strip().casefold():
            return place.start, end
    first, last = parts[0], parts[-1]
    raise QueryError(
        f"{document.id!r} has no page {name!r}, or no text on it; "
        f"it has {first.kind} {first.name} to {last.kind} {last.name}"
    )


def start_of_line(document: Document, line: int) -> int:
    """The character of a text at which a line of its file begins; the nearest one that is in the text.

    Raises:
        QueryError: nobody knows the lines of the text.
    """
    places = [one for one in document.places if one.kind == "line" and _is_number(one.name)]
    if not places:
        raise QueryError(f"{document.id!r} is no text of lines; 'textae get {document.id}' prints it")
    place = next((one for one in reversed(places) if int(one.name) <= line), places[0])
    start = place.start
    for _ in range(line - int(place.name)):
        end = document.text.find("\n", start)
        if end < 0:
            break
        start = end + 1
    return start


def first_line(document: Document) -> int | None:
    """The line of its file at which a text begins, as of a mail in a mailbox; None for 1, and where none is known."""
    first = document.places[0] if document.places else None
    line = int(first.name) if first and first.kind == "line" and _is_number(first.name) else 1
    return line if line > 1 else None


def _is_number(name: str) -> bool:
    return name.isdecimal() and len(name) <= _MOST_DIGITS


def _start(place: Place) -> int:
    return place.start


def address(document: Document, sources: Sources) -> str:
    """The absolute path of the file that a document was read from; of one without a file its `source`.

    Of what lies in an archive or a workbook it is the path of that. No file is looked at.
    """
    root = _root(document, sources)
    if root is None:
        return document.source
    name = sources[document.origin]["name"]
    inside = _unescaped(_NUMBER.sub("", _CONTAINED.sub(r"\1", document.source)).removeprefix(name))
    is_file = not name.endswith("/") if name else inside == os.path.basename(root)  # noqa: PTH119
    return root if is_file else f"{root}/{inside}"


def original(document: Document, sources: Sources) -> Path:
    """The file that a document was read from, without links on the way. Of what lies in an archive it is the archive.

    Raises:
        QueryError: the document is in no file, the file is gone, or it is in no source of the index.
    """
    root = _root(document, sources)
    if root is None:
        where = {"-": "standard input", "": "a program"}.get(document.origin, f"the corpus {document.origin!r}")
        raise QueryError(f"{document.id!r} came from {where}, not from a file; 'textae get' prints its text")
    inside = _unescaped(document.source.removeprefix(sources[document.origin]["name"]))
    path = PurePath(os.path.normpath(f"{root}/{inside}"))
    if not path.is_relative_to(root):
        raise QueryError(f"{path} is in no source of the index; open it by its path")
    below = [one for one in (path, *path.parents) if len(root) <= len(str(one)) <= _LONGEST]
    named = next((one for full in below for one in (str(full), _NUMBER.sub("", str(full))) if os.path.isfile(one)), "")  # noqa: PTH113
    if not named:
        raise QueryError(f"{address(document, sources)} is not there any more; 'textae get' prints the text of then")
    real = os.path.realpath(named)
    roots = (os.path.realpath(one) for one in map(_path, sources.values()) if one and os.path.exists(one))  # noqa: PTH110
    if not any(Path(real).is_relative_to(one) for one in roots):
        raise QueryError(f"{named} leads to {real}, which is in no source of the index; open it by its path")
    return Path(real)


def open_original(document: Document, sources: Sources) -> tuple[Path, BinaryIO]:
    """The `original` of a document, and its content, after it was checked that nothing was exchanged in between.

    Raises:
        QueryError: as `original`.
        OSError: the file cannot be read.
    """
    path = original(document, sources)
    safely = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | safely))  # noqa: SIM115
    try:
        status = os.fstat(file.fileno())
        is_same = os.path.realpath(path) == str(path) and os.path.samestat(status, path.lstat())
        if not (is_same and stat.S_ISREG(status.st_mode)):
            raise QueryError(f"{path} was exchanged while it was opened; try again")
    except BaseException:
        file.close()
        raise
    return path, file


def may_run(path: PurePath) -> bool:
    """Whether the system might run a file, or what it names, rather than show it; by its ending."""
    return path.suffix[1:].lower() in _PROGRAMS


def is_program(path: Path) -> bool:
    """Whether a file is a program or a shortcut, by its ending; where that tells nothing, by what is in it.

    Raises:
        OSError: it cannot be read.
    """
    import mimetypes  # a search opens no file

    if may_run(path) or mimetypes.guess_type(path.name)[0]:
        return may_run(path)
    if os.name == "posix" and os.access(path, os.X_OK):
        return True
    with path.open("rb") as file:
        start = file.read(512)
    return start.startswith(_BEGINNINGS) or bool(_SHORTCUT.match(start.removeprefix(b"\xef\xbb\xbf")))


def _root(document: Document, sources: Sources) -> str | None:
    """The folder or the file of the source that a document came from; None where it is neither."""
    remembered = sources.get(document.origin)
    return _path(remembered) if remembered else None


def _path(remembered: Mapping[str, Any]) -> str | None:
    if "path" in remembered:  # of a name that is not UTF-8
        return os.fsdecode(bytes.fromhex(remembered["path"]))
    return remembered["origin"] if os.path.isabs(remembered["origin"]) else None  # noqa: PTH117


def _unescaped(path: str) -> str:
    r"""A path of the file system: `\\udcff` of an id stands for the byte ff, which is not UTF-8."""
    return _ESCAPED.sub(lambda byte: chr(int(byte[1], 16)), path) if "\\udc" in path else path
