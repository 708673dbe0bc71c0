"""XML without a reader of its own: what stands between the tags, on the lines where it stands in the file.

In RSS and Atom a text may be HTML, escaped: there it is read as a page. A file that is not well-formed is read without
what looks like a tag.
"""

import html
import re
from collections.abc import Iterator

from textae.corpus import formats, reading
from textae.corpus.decoding import decode
from textae.corpus.formats import Given, markupxml
from textae.corpus.html import html_parts
from textae.corpus.reading import Item, RefusedError

_UNSEEN = ("script", "style", "binary")  # of SVG and of FictionBook
_FEEDS = ("rss", "feed", "RDF")
_PAGES = ("description", "encoded", "summary", "content")
_TAG = re.compile(r"<!\[CDATA\[|\]\]>|<[/!?A-Za-z_:][^<>]*>")
_TITLE = re.compile(r"<title[^<>]*>([^<]*)")


def read(given: Given) -> Iterator[Item]:
    """The document of an XML file."""
    content = reading.whole(given.stream, given.longest)
    try:
        title, text = _parsed(content)
    except RefusedError:  # it is not well-formed, or declares an encoding that expat does not know
        decoded = decode(content)
        given.notice = decoded.notice
        try:
            title, text = _parsed(decoded.text)
        except RefusedError:
            title, text = _without_tags(decoded.text)
            if "<!ENTITY" in decoded.text or not text.strip():  # entities may be what makes it too large
                raise
    yield given.document(title, [formats.lines("\n".join(line.strip() for line in text.split("\n")))])


def _parsed(content: bytes | str) -> tuple[str, str]:
    """The title and the text.

    Raises:
        RefusedError: it is not well-formed.
    """
    collector = _Lines()
    collector.parse(content)
    return collector.title, "".join(collector.pieces)


def _without_tags(source: str) -> tuple[str, str]:
    """The title and the text of what is not well-formed, line by line."""
    title = _TITLE.search(source)
    text = _TAG.sub(lambda tag: "\n" * tag[0].count("\n") or " ", source)
    return html.unescape(title[1]) if title else "", html.unescape(text)


class _Lines:
    """The characters of a file, each on its line, and the first title."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.title = ""
        self._title_element = "title"
        self._line = 1
        self._open: list[str] = []
        self._page: list[str] | None = None  # pieces of a text that may be HTML
        self._depth = 0  # of its element
        self._parser = markupxml.new_parser()
        self._parser.buffer_text = False  # else the line would be that at which the buffer is full
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.CharacterDataHandler = self._characters

    def parse(self, content: bytes | str) -> None:
        markupxml.parse(self._parser, content, is_last=True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(markupxml.local(name))
        if self._open == ["refentry"]:
            self._title_element = "refentrytitle"  # of a manual page in DocBook; its sections have titles, too
        if self._page is not None:
            self._page.append(" ")
        elif self._open[0] in _FEEDS and self._open[-1] in _PAGES:
            self._begin_line()
            self._page, self._depth = [], len(self._open)
        self.pieces.append(" ")
        if text := attributes.get("text"):  # of OPML
            self._characters(f"{text} ")

    def _end(self, name: str) -> None:
        if self._page is not None and len(self._open) == self._depth:
            page, self._page = "".join(self._page), None
            self.pieces.append(" ".join((html_parts(page)[1] if "<" in page else page).split()))
        if self._open.pop() == self._title_element and self.title.strip():
            self.title = self.title.strip() + "\n"  # which ends it
        self.pieces.append(" ")

    def _characters(self, text: str) -> None:
        if any(name in _UNSEEN for name in self._open):
            return
        if self._page is not None:
            self._page.append(text)
            return
        self._begin_line()
        self.pieces.append(text)
        self._line += text.count("\n")
        if self._title_element in self._open and not self.title.endswith("\n"):
            self.title += text

    def _begin_line(self) -> None:
        line = self._parser.CurrentLineNumber
        self.pieces.append("\n" * (line - self._line))
        self._line = max(line, self._line)
