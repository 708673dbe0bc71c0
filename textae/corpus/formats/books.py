"""E-books: EPUB (https://www.w3.org/TR/epub-33) and FictionBook 2, chapter by chapter."""

import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote
from xml.etree import ElementTree

from textae.corpus import formats
from textae.corpus.formats import Given, Part, zipped
from textae.corpus.formats.markupxml import Grammar, blocks
from textae.corpus.html import decode_html, html_parts
from textae.corpus.reading import Item, RefusedError
from textae.types import FieldValue

_PAGES = (".xhtml", ".html", ".htm", ".xml")
_METADATA = {"creator": "author", "language": "language", "date": "created", "publisher": "publisher"}
_FICTION = Grammar(
    blocks=frozenset({"p", "v", "subtitle", "text-author", "book-title", "first-name", "last-name"}),
    skipped=frozenset({"binary", "stylesheet", "document-info", "publish-info"}),
    breaks=frozenset({"section", "body"}),
)


def read(given: Given) -> Iterator[Item]:
    """The document of a book."""
    yield _fiction(given) if given.ending == ".fb2" else _epub(given)


def _epub(given: Given) -> Item:
    with zipped.opened(given) as archive:
        title, chapters, fields = _package(archive)
        if not chapters:  # without a spine the chapters are in the order of their names
            chapters = sorted(name for name in archive.namelist() if name.lower().endswith(_PAGES[:3]))
        if not chapters:
            raise RefusedError(f"a zip archive named {given.ending}")
        locked = zipped.content(archive, "META-INF/encryption.xml").decode("utf-8", "replace")
        if any(posixpath.basename(chapter) in locked for chapter in chapters):
            raise RefusedError(formats.ENCRYPTED)
        return given.document(title, _chapters(archive, chapters), fields)


def _package(archive: zipfile.ZipFile) -> tuple[str, list[str], dict[str, FieldValue]]:
    """The title, the chapters in the order of the spine, and the metadata."""
    container = _elements(zipped.content(archive, "META-INF/container.xml"))
    named = [element.get("full-path", "") for element in container if element.tag.endswith("rootfile")]
    named += [name for name in archive.namelist() if name.endswith(".opf")]
    path = named[0] if named else ""
    title, fields, files, spine = "", dict[str, FieldValue](), dict[str, str](), list[str]()
    for element in _elements(zipped.content(archive, path)):
        match element.tag.rpartition("}")[2]:
            case "title":
                title = title or (element.text or "")
            case "item":
                files[element.get("id", "")] = unquote(element.get("href", ""))
            case "itemref":
                spine.append(element.get("idref", ""))
            case name if name in _METADATA and element.text:
                fields.setdefault(_METADATA[name], element.text.strip())
    folder = posixpath.dirname(path)
    return title, [posixpath.normpath(posixpath.join(folder, files[id])) for id in spine if id in files], fields


def _chapters(archive: zipfile.ZipFile, names: list[str]) -> Iterator[Part]:
    for number, name in enumerate(names, start=1):
        page = zipped.content(archive, name)
        heading, text = html_parts(decode_html(page).text)
        first = text.split("\n", 1)[0]
        yield "chapter", first if 0 < len(first) <= 80 else heading or str(number), text


def _fiction(given: Given) -> Item:
    title, author = "", list[str]()
    parts: list[tuple[str, list[str]]] = []
    for block in blocks(given.stream, _FICTION):
        if block.is_break:
            parts.append((str(len(parts) + 1), []))
        elif block.element == "book-title":
            title = title or block.text
        elif block.element in ("first-name", "last-name"):
            author.append(block.text)
        elif parts:
            parts[-1][1].append(block.text)
    chapters = ((texts[0][:80] if texts else name, "\n".join(texts)) for name, texts in parts)
    return given.document(title, (("chapter", name, text) for name, text in chapters), {"author": " ".join(author[:2])})


def _elements(content: bytes) -> list[ElementTree.Element]:
    """The elements of a part that may be damaged."""
    try:
        return list(ElementTree.fromstring(content).iter())
    except (ElementTree.ParseError, ValueError, LookupError):
        return []
