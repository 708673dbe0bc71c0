"""Documents and slides of Word, PowerPoint, LibreOffice and others: Office Open XML (ISO 29500), OpenDocument (26300).

Both are XML in a zip archive, and are read here rather than by python-docx, python-pptx and odfpy: these build the
whole document in memory (with lxml, 5 MB), and have no function for its text in order, with its pages and notes.

The title is that of the document's properties, else its first title or heading. Deleted text, comments, headers and
footers are left out. Pages are those of the last print: where the program wrote none, places have no page.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, groupby
from operator import itemgetter
from typing import IO
from urllib.parse import unquote
from xml.etree import ElementTree

from textae.corpus import reading
from textae.corpus.formats import ENCRYPTED, Given, zipped
from textae.corpus.formats.markupxml import Block, Grammar, blocks
from textae.corpus.reading import Item, RefusedError
from textae.types import FieldValue

_WORD = Grammar(
    blocks=frozenset({"p"}),
    text=frozenset({"t"}),
    skipped=frozenset({"Fallback", "del", "moveFrom", "instrText"}),
    blanks={"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"},
    breaks=frozenset({"lastRenderedPageBreak"}),
    style=("pStyle", "val"),
    restyled=frozenset({"p"}),
)
_POWERPOINT = Grammar(
    blocks=frozenset({"p"}),
    text=frozenset({"t"}),
    skipped=frozenset({"Fallback"}),
    blanks={"tab": "\t", "br": "\n"},
    style=("ph", "type"),
    restyled=frozenset({"sp"}),
)
_DRAWN = Grammar(  # the words of charts and of SmartArt, without the numbers
    blocks=frozenset({"p", "pt"}), text=frozenset({"t", "v"}), skipped=frozenset({"numCache", "numLit"})
)
_OPEN = Grammar(
    blocks=frozenset({"p", "h"}),
    skipped=frozenset({"tracked-changes", "annotation", "styles", "automatic-styles", "master-styles", "settings"}),
    blanks={"s": " ", "tab": "\t", "line-break": "\n"},
    breaks=frozenset({"page", "soft-page-break"}),
    style=("frame", "class"),
    restyled=frozenset({"page"}),
)
_HEADING = re.compile(r"title|heading ?1|ctrTitle", re.IGNORECASE)
_PRESENTATION = r"(?:a?pr[eäé][sz]enta\S*|презентация|プレゼンテーション|演示文稿|簡報)"
_PROGRAM = re.compile(rf"{_PRESENTATION}(?: \w+){{0,2}} PowerPoint|PowerPoint[ -]?{_PRESENTATION}", re.IGNORECASE)
_PROPERTIES = {"creator": "author", "initial-creator": "author", "subject": "subject", "keywords": "keywords",
               "keyword": "keywords", "created": "created", "creation-date": "created"}  # fmt: skip


def read(given: Given) -> Iterator[Item]:
    """The document of a file."""
    if given.ending in (".fodt", ".fodp"):
        yield _document(given, _open_parts(blocks(given.stream, _OPEN), given.ending), {})
        return
    with zipped.opened(given) as archive:
        names = set(archive.namelist())
        if "word/document.xml" in names:
            stated = properties(zipped.content(archive, "docProps/core.xml"))
            yield _document(given, _word_parts(archive), stated)
        elif "ppt/presentation.xml" in names:
            stated = properties(zipped.content(archive, "docProps/core.xml"))
            yield _document(given, list(_slides(archive)), stated)
        elif "content.xml" in names:
            if b"encryption-data" in zipped.content(archive, "META-INF/manifest.xml"):
                raise RefusedError(ENCRYPTED)
            stated = properties(zipped.content(archive, "meta.xml"))
            yield _document(given, _open_parts(_blocks(archive, "content.xml", _OPEN), given.ending), stated)
        else:
            raise RefusedError(f"a zip archive named {given.ending}")


Passage = tuple[str, str, Block]
"""The kind and the name of the place of a paragraph, and the paragraph."""


def _document(given: Given, passages: list[Passage], stated: dict[str, FieldValue]) -> Item:
    headings = [block.text for _, _, block in passages if block.element == "h" or _HEADING.fullmatch(block.style)]
    headings += [block.text for kind, _, block in passages if kind == "slide"]
    title = str(stated.pop("title", "")) or (headings[0] if headings else "")
    together = groupby(passages, itemgetter(0, 1))
    parts = ((*place, "\n".join(block.text for _, _, block in texts)) for place, texts in together)
    return given.document(title, parts, stated)


def _blocks(archive: zipfile.ZipFile, name: str, grammar: Grammar) -> Iterator[Block]:
    stream: IO[bytes] | None = zipped.part(archive, name)
    if stream is not None:
        with stream:
            size = 0
            for block in blocks(stream, grammar):
                size += len(block.text)
                if size > reading.LONGEST:
                    raise RefusedError(reading.TOO_LONG)
                yield block


def _word_parts(archive: zipfile.ZipFile) -> list[Passage]:
    names = _style_names(zipped.content(archive, "word/styles.xml"))
    passages = _paged(_blocks(archive, "word/document.xml", _WORD))
    for notes in ("word/footnotes.xml", "word/endnotes.xml"):
        passages += [("", "", block) for block in _blocks(archive, notes, _WORD) if not block.is_break]
    passages += [("", "", block) for block in _drawn(archive, "word/document.xml")]
    return [(kind, at, replace(block, style=names.get(block.style, block.style))) for kind, at, block in passages]


def _paged(found: Iterator[Block], kind: str = "page", first: int = 1) -> list[Passage]:
    """The paragraphs with their page or slide; without one where no page ends."""
    number, passages = first, list[Passage]()
    for block in found:
        number += block.is_break
        if not block.is_break:
            passages.append((kind, str(number), block))
    return passages if number > 1 or kind == "slide" else [("", "", block) for _, _, block in passages]


def _style_names(content: bytes) -> dict[str, str]:
    """The names of styles by their ids: ids are in the language of the user, and names of headings in English."""
    names: dict[str, str] = {}
    for style in _elements(content, "style"):
        attributes = {key.rpartition("}")[2]: value for key, value in style.attrib.items()}
        for name in style:
            if name.tag.endswith("}name") and "styleId" in attributes:
                names[attributes["styleId"]] = next(iter(name.attrib.values()), "")
    return names


def _slides(archive: zipfile.ZipFile) -> Iterator[Passage]:
    related = _related(archive, "ppt/presentation.xml")
    listed = [next((v for k, v in slide.attrib.items() if k.endswith("}id")), "")
              for slide in _elements(zipped.content(archive, "ppt/presentation.xml"), "sldId")]  # fmt: skip
    for number, slide in enumerate((related[id] for id in listed if id in related), start=1):
        notes = [name for name in _related(archive, slide).values() if "/notesSlides/" in name]
        shown, said = (_blocks(archive, slide, _POWERPOINT), (_blocks(archive, name, _POWERPOINT) for name in notes))
        for block in chain(shown, _drawn(archive, slide), chain.from_iterable(said)):
            if block.style not in ("sldNum", "dt", "ftr", "hdr"):
                yield "slide", str(number), block


def _drawn(archive: zipfile.ZipFile, name: str) -> Iterator[Block]:
    """The words of the charts and of the diagrams of a part."""
    for drawn in _related(archive, name).values():
        if "/charts/chart" in drawn or "/diagrams/data" in drawn:
            yield from _blocks(archive, drawn, _DRAWN)


def _related(archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    """The parts that a part refers to, by the ids of the references."""
    folder, file = posixpath.split(name)
    links = _elements(zipped.content(archive, f"{folder}/_rels/{file}.rels"), "Relationship")
    targets = ((link.get("Id", ""), unquote(link.get("Target", ""))) for link in links)
    return {id: posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/") for id, target in targets}


def _open_parts(found: Iterator[Block], ending: str) -> list[Passage]:
    return _paged(found, "slide", 0) if ending in (".odp", ".otp", ".fodp") else _paged(found)


def properties(content: bytes) -> dict[str, FieldValue]:
    """The title, author, subject, keywords and date of a document."""
    stated: dict[str, FieldValue] = {}
    for element in _elements(content, ""):
        name = element.tag.rpartition("}")[2]
        text = (element.text or "").strip()
        if name == "title" and text and not _PROGRAM.fullmatch(text):
            stated["title"] = text
        elif name in _PROPERTIES and text:
            stated.setdefault(_PROPERTIES[name], text)
    return stated


def _elements(content: bytes, name: str) -> list[ElementTree.Element]:
    """The elements with a name without its namespace, of a part that may be damaged; all where there is no name."""
    try:
        return [one for one in ElementTree.fromstring(content).iter() if not name or one.tag.endswith(f"}}{name}")]
    except (ElementTree.ParseError, ValueError, LookupError):
        return []
