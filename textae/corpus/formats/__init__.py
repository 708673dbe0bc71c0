"""The kinds of files that hold texts: which module reads a file, by its ending.

    >>> find(PurePath("notes/Report.PDF")).module
    'pdf'

A module has one function, `read(given)`, which yields the documents of a file. To add a kind of file, write a line in
`_KINDS`; where no module reads such files, write the module. This package itself imports no parser.
"""

import contextlib
import io
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib import import_module
from pathlib import Path, PurePath
from typing import IO, cast

from textae.corpus import reading
from textae.corpus.decoding import decode
from textae.corpus.reading import FileError, Item, RefusedError
from textae.corpus.tables import TableSpec
from textae.types import Document, FieldValue, Place, Skipped

Part = tuple[str, str, str]
"""A part of a document: the kind and the name of its place, and its text. A part without a place has no kind."""

LARGEST = 512 << 20
"""Bytes of a file that holds more than text, at most: a PDF, a notebook, a part of a zip archive."""

ENCRYPTED = "encrypted"


@dataclass(frozen=True, slots=True)
class Format:
    """How a kind of file is read.

    Attributes:
        module: in this package, whose `read` reads it.
        isolated: whether it is read in a process of its own: whether its parser is more than a loop over lines.
        needs: what a person calls it, where it needs the extra `documents`.
        rows: whether its documents are parts with fields of their own. They do not have the size and the day of the
            file: each change of the file would change them all.
        box: whether a reader that ends inside of it can go on behind the document that ended it.
        parts: whether a text that is too long is read in parts.
        members: whether it holds files, any of which can be left out, and yields None before each of them.
    """

    module: str
    isolated: bool = True
    needs: str = ""
    rows: bool = False
    box: bool = False
    parts: bool = False
    members: bool = False


PLAIN = Format("plain", isolated=False, parts=True)
"""The format of plain text, and of files with no ending or an unknown one, which are read if they hold text."""

_SOURCE_CODE = """
    .py .pyi .pyx .c .h .cc .cpp .cxx .hh .hpp .hxx .m .mm .cs .java .kt .kts .scala .groovy .go .rs .swift .js .jsx
    .mjs .cjs .ts .tsx .vue .svelte .rb .php .pl .pm .lua .r .jl .hs .ml .mli .fs .fsx .clj .cljs .ex .exs .erl .hrl
    .el .lisp .scm .rkt .nim .zig .d .dart .v .vhd .sv .f .f90 .f95 .pas .ada .adb .ads .asm .s .sh .bash .zsh .fish
    .ps1 .bat .cmd .awk .sed .sql .css .scss .sass .less .proto .graphql .tf .cmake .mk .gradle .vb .tcl .diff .patch
"""

_KINDS = (
    (PLAIN, ".txt .text .log .yaml .yml .toml .ini .cfg .conf .debian" + _SOURCE_CODE),
    (Format("markdown", isolated=False, parts=True), ".md .markdown .mdown .mkd .mdx .qmd .rmd"),
    (Format("markup", parts=True), ".rst .rest .adoc .asciidoc .asc .org .textile .tex .ltx .latex"),
    (Format("info", isolated=False), ".info"),
    (Format("roff"), ".man .mdoc .roff .1 .2 .3 .4 .5 .6 .7 .8 .9"),
    (Format("web"), ".html .htm .xhtml .xht .shtml .xls"),
    (Format("message"), ".eml .emlx .mht .mhtml"),
    (Format("mailbox", rows=True, box=True), ".mbox"),
    (Format("rows", isolated=False, rows=True), ".jsonl .ndjson .csv .tsv"),
    (Format("sheets", rows=True), ".xlsx .xlsm .ods .parquet .feather .arrow .orc .dta .sas7bdat .xpt"),
    (Format("jsontext", rows=True), ".json .geojson .json5 .jsonc .webmanifest"),
    (Format("xmltext"), ".xml .svg .rss .atom .opml .dbk .docbook .tei .rdf .xsd .xsl .xslt .plist .kml .gpx"),
    (Format("office"), ".docx .docm .dotx .pptx .pptm .ppsx .odt .ott .odp .otp .fodt .fodp"),
    (Format("books"), ".epub .fb2"),
    (Format("pdf", needs="PDF"), ".pdf"),
    (Format("rtf", needs="RTF"), ".rtf .doc"),
    (Format("msg", needs="Outlook mail"), ".msg"),
    (Format("notebook"), ".ipynb"),
    (Format("subtitles", isolated=False), ".srt .vtt"),
    (Format("cards", rows=True), ".ics .ical .vcf .vcard"),
    (Format("archives", rows=True, box=True, members=True), ".zip .jar .tar .tgz .tbz .tbz2 .txz .tzst .7z .rar"),
)

FORMATS = {ending: kind for kind, endings in _KINDS for ending in endings.split()}
"""The format of each ending."""

_MANUAL = re.compile(r"\.[1-9][a-z]{0,12}")  # sections of the manual: .3pm, .1ssl, .2const
_PART_OF_INFO = re.compile(r"\.info-\d+")

_OLD_OFFICE = "an old Office file"
_SIGNATURES = (
    (b"%PDF-", "a PDF", ".pdf"),
    (
        b"PK\x03\x04",
        "a zip archive",
        ".zip .jar .docx .docm .dotx .pptx .pptm .ppsx .odt .ott .odp .otp .epub .xlsx .xlsm .ods",
    ),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLD_OFFICE, ".doc .msg"),
    (b"{\\rtf", "an RTF file", ".rtf .doc"),
    (b"\x1f\x8b\x08", "a gzip file", ".tgz .tar"),
    (b"BZh", "a bzip2 file", ".tbz .tbz2 .tar"),
    (b"\xfd7zXZ\0", "an xz file", ".txz .tar"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", ".tzst .tar"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", ".7z"),
    (b"Rar!\x1a\x07", "a rar archive", ".rar"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", ""),
    (b"\xff\xd8\xff", "a JPEG picture", ""),
    (b"GIF8", "a GIF picture", ""),
    (b"\x7fELF", "a program", ""),
    (b"SQLite format 3\0", "an SQLite database", ""),
    (b"// <!-- <mdb:mor", "an index of Thunderbird", ""),
)
"""The first bytes of kinds of files, what people call them, and the endings of files that may begin so."""


def find(path: PurePath) -> Format:
    """The format of a file, by its name."""
    return FORMATS.get(ending_of(path), PLAIN)


def ending_of(path: PurePath) -> str:
    """The ending in lower case, without that of a compression; `.1` of the whole manual, `.eml` in mail folders."""
    if reading.is_in_maildir(path):
        return ".eml"
    ending = _ending(path.name)
    return ending if ending in FORMATS else reading.ending_of_mail(path) or ending


@lru_cache(1 << 10)  # each file is looked up three times
def _ending(name: str) -> str:
    name = name.lower()
    ending = _suffix(name)
    if ending in reading.PACKINGS:
        ending = _suffix(name.removesuffix(ending))
    if _PART_OF_INFO.fullmatch(ending):
        return ".info"
    return ending[:2] if ending not in FORMATS and _MANUAL.fullmatch(ending) else ending


def _suffix(name: str) -> str:
    """As `PurePath.suffix`, which takes ten times as long."""
    at = name.rfind(".")
    return name[at:] if 0 < at < len(name) - 1 else ""


@dataclass(slots=True)  # frozen, it would take 3 µs more of the 90 µs of a file
class Given:
    """A file to read, or a member of an archive.

    Attributes:
        stream: of its bytes, unpacked.
        name: the id of its document, or what the ids of its documents start with.
        ending: in lower case.
        spec: how tables are read, and which documents are wanted.
        start: documents, or members of an archive, at its beginning that are left out.
        depth: archives that it is in.
        path: of the file; None of a member of an archive.
        size: of the file in bytes.
        modified: seconds since 1970; None where nobody knows.
        is_alone: whether it was named by itself.
        own_ids: whether the rows of a table, or the mails of a box, keep their ids and fields as they are.
        longest: bytes of a document.
        notice: of its document.
    """

    stream: IO[bytes]
    name: str
    ending: str
    spec: TableSpec
    start: int = 0
    depth: int = 0
    path: Path | None = None
    size: int = 0
    modified: float | None = None
    is_alone: bool = False
    own_ids: bool = False
    longest: int = reading.LONGEST
    notice: str = ""

    @property
    def prefix(self) -> str:
        """What stands before the own ids of its rows, so that two tables of a folder may both have a row 1."""
        return "" if self.own_ids else f"{self.name}:"

    @property
    def may_be_document(self) -> bool:
        """Whether a table without a text may be one document; who names a table by itself has its rows in mind."""
        return self._is_file and not self.is_alone and self.spec == TableSpec(select=self.spec.select)

    @property
    def _is_file(self) -> bool:
        """Whether it has a name that a person gave it, unlike standard input."""
        return self.path is not None or self.depth > 0

    def text(self) -> str:
        """The text of a text file.

        Raises:
            RefusedError: it is too long, or no text.
        """
        decoded = decode(reading.whole(self.stream, self.longest))
        self.notice = decoded.notice
        text = decoded.text
        return text if "\n" in text else text.replace("\r", "\n")  # of old Macs

    def part(self, stream: IO[bytes], name: str) -> "Given":
        """A part of the file, as a file of its own."""
        return replace(self, stream=io.BufferedReader(cast("io.RawIOBase", stream)), name=name)

    def content(self) -> bytes:
        """All bytes of a file that holds more than text.

        Raises:
            RefusedError: it is longer than `LARGEST`.
        """
        return bounded(self.stream)

    def seekable(self) -> IO[bytes]:
        """The stream, or a copy of it in a temporary file where it is being unpacked."""
        if not isinstance(getattr(self.stream, "raw", None), io.FileIO | io.BytesIO):
            copy = tempfile.TemporaryFile()  # noqa: SIM115 (the caller reads it)
            for piece in iter(lambda: self.stream.read(1 << 20), b""):
                copy.write(piece)
                if copy.tell() > LARGEST:
                    raise RefusedError(too_large())
            copy.seek(0)
            return cast("IO[bytes]", copy)
        return self.stream

    def document(
        self,
        title: str,
        parts: Iterable[Part],
        fields: Mapping[str, FieldValue] | None = None,
        between: str = "\n\n",
    ) -> Document | Skipped:
        """The document of the file; what has no text is skipped.

        Args:
            title: "" where it has none: the name of the file then.
            parts: in order; blank ones are left out.
            fields: beside those that every file has; empty ones are left out.
            between: two parts.
        """
        pieces: list[str] = []
        places: list[Place] = []
        start = 0
        for kind, name, part in parts:
            text = reading.storable(part.rstrip())
            if not text:
                continue
            if kind:
                places.append(Place(start, kind, name))
            pieces.append(text)
            if start + len(text) > self.longest:
                raise RefusedError(reading.too_long(self.longest))
            start += len(text) + len(between)
        if title:
            title = reading.storable(" ".join(title.split()))
        if not (title or pieces):
            return Skipped(self.name, reading.EMPTY)
        values = self.fields()
        if fields:
            values |= {name: value for name, value in fields.items() if value not in ("", None, [], {})}
        if self._is_file:
            title = title or self.name.rpartition("/")[2]
        return Document(
            self.name, between.join(pieces), title, values, self.name, places=tuple(places), notice=self.notice
        )

    @property
    def names(self) -> dict[str, FieldValue]:
        """The fields of the file that a change of it does not change, which its rows have, too."""
        folder = self.name.rpartition("/")[0]
        names: dict[str, FieldValue] = {"path": self.name, "type": self.ending[1:] or "text"}
        return names | {"folder": folder} if folder else names

    def fields(self) -> dict[str, FieldValue]:
        """The fields of the file. Its documents have them beside their own, which win where both have one name."""
        if not self._is_file:
            return {}
        fields = self.names | {"size": self.size}
        if self.modified is not None:
            # The day of here, as `ls` shows it. A time of day would make each save of the same text a new document.
            with contextlib.suppress(ValueError, OverflowError, OSError):  # of the year 10,000
                fields["modified"] = date.fromtimestamp(self.modified).isoformat()
        return fields

    def wanted(self, item: Document | Skipped) -> Item:
        """The item; None for a document that is not wanted."""
        return item if isinstance(item, Skipped) or self.spec.selects(item.fields) else None


def bounded(stream: IO[bytes]) -> bytes:
    """All bytes of a stream.

    Raises:
        RefusedError: it is longer than `LARGEST`.
    """
    content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise RefusedError(too_large())
    return content


def too_large() -> str:
    """The reason to skip a file that is longer than `LARGEST`."""
    return f"larger than {LARGEST >> 20} MiB"


def lines(text: str) -> Part:
    """A text as it stands, as a part whose place is the line at which it begins."""
    blank = len(text) - len(text.lstrip())
    blank = text.rfind("\n", 0, blank) + 1  # the first line keeps its indentation
    return "line", str(text.count("\n", 0, blank) + 1), text[blank:]


def read(given: Given) -> Iterator[Item]:
    """The documents of a file, and None for each that is not wanted.

    Raises:
        FileError: it cannot be read to its end.
    """
    kind = FORMATS.get(given.ending, PLAIN)
    try:
        _check_first_bytes(given)
        if kind.rows and not (kind.members or given.own_ids):
            yield from _with_names(given)
            return
        for item in _items(given):
            yield item if kind.rows or item is None else given.wanted(item)
    except RefusedError as error:
        yield Skipped(given.name, str(error))
    except ModuleNotFoundError:
        if not kind.needs:
            raise
        yield Skipped(given.name, f"{kind.needs}: needs pip install 'textae[documents]'")


def _items(given: Given) -> Iterator[Item]:
    module = import_module(f"textae.corpus.formats.{FORMATS.get(given.ending, PLAIN).module}")
    return cast("Iterator[Item]", module.read(given))


def _with_names(given: Given) -> Iterator[Item]:
    """The rows of a file with its path, type and folder; a field of their own comes before one of the same name."""
    names = given.names
    own = tuple(pair for pair in given.spec.select if pair[0] not in names)
    for item in _items(replace(given, spec=replace(given.spec, select=own))):
        if isinstance(item, Document):
            object.__setattr__(item, "fields", {**names, **item.fields})  # of a new one; `replace` takes 1 µs more
        yield item and given.wanted(item) if given.spec.select else item


def _check_first_bytes(given: Given) -> None:
    """Refuse a file that is empty, or not what its ending says.

    Raises:
        FileError: it is something else.
        RefusedError: it is empty.
    """
    head = cast("io.BufferedReader", given.stream).peek(16)[:16]
    is_table = FORMATS.get(given.ending, PLAIN).module == "sheets"  # whose readers look for themselves
    if not head and is_table:
        raise FileError(f"{given.path or given.name}: empty, no file in the {given.ending} format", reading.EMPTY)
    if not head:
        raise RefusedError(reading.EMPTY)
    if head[:1].isalnum() and not head.startswith((b"PK", b"BZ", b"GIF8", b"7z", b"Rar!", b"SQL")):
        return
    for signature, what, endings in _SIGNATURES:
        if is_table and what != _OLD_OFFICE:
            continue
        if head.startswith(signature) and given.ending not in endings.split():
            named = f"named {given.ending}" if given.ending else "without an ending"
            # An Office file with a password is an old Office file that holds the encrypted one.
            is_locked = what == _OLD_OFFICE and "EncryptedPackage".encode("utf-16-le") in given.content()
            reason = ENCRYPTED if is_locked else f"{what} {named}"
            raise FileError(f"{given.path or given.name}: {reason}; rename or unlock it", reason)
