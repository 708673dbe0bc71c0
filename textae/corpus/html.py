"""The words of HTML and the title of Markdown, without what only steers their looks.

HTML is read with the standard library's tolerant parser: nothing is too broken for it. What a reader does not see or
did not come for (scripts, styles, navigation) is left out, and blocks become lines of their own.
"""

import re
from collections.abc import Mapping
from html.parser import HTMLParser

_UNSEEN = {"script", "style", "template", "noscript", "svg", "object", "iframe"}
_ASIDE = {"nav"}
_INLINE = set("a abbr b bdi bdo cite code dfn em font i kbd mark q s samp small span strong sub sup u var".split())  # noqa: SIM905
_MARKED_SECTION = re.compile(r"<!\[[^>]*>?")  # <![if IE]>: the one thing at which the parser gives up

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$|^(?=\S)(.+)\n(?:={3,}|-{3,}|~{3,})[ \t]*$", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def html_parts(source: str) -> tuple[str, str]:
    """The title and the text of an HTML document, however broken."""
    source = _MARKED_SECTION.sub(" ", source)
    reader = _read(source, {})
    # What is never closed must not swallow the page: an <svg> is read as if it had not been opened, and so is a <nav>.
    never_closed: dict[str, tuple[int, int]] = {}
    while reader.unseen and reader.unseen not in never_closed:
        never_closed[reader.unseen] = reader.unseen_from
        reader = _read(source, never_closed)
    return _one_line("".join(reader.title)), _tidy("".join(reader.all if reader.aside else reader.text))


def markdown_parts(source: str) -> tuple[str, str]:
    """The title and the text of Markdown or reStructuredText: the front matter's title, else the first heading."""
    source = source.replace("\r\n", "\n")
    title = ""
    if front := _FRONT_MATTER.match(source):
        source = source[front.end() :]
        if named := _FRONT_TITLE.search(front[1]):
            title = named[1].strip("\"'")
    if not title and (heading := _HEADING.search(_FENCED.sub("", source))):
        title = heading[1] or heading[2]
    return _one_line(title), source.strip()


def _read(source: str, never_closed: Mapping[str, tuple[int, int]]) -> "_Reader":
    reader = _Reader(never_closed)
    reader.feed(source)
    reader.close()
    return reader


class _Reader(HTMLParser):
    """Collects the title and the text; `all` has what is inside <nav> too.

    Attributes:
        unseen: the unseen element that is open, if any; its line and column are `unseen_from`.
    """

    def __init__(self, never_closed: Mapping[str, tuple[int, int]]) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.text: list[str] = []
        self.all: list[str] = []
        self.aside = 0
        self.unseen, self.unseen_from = "", (0, 0)
        self._never_closed = never_closed
        self._depth = 0  # an <svg> may hold another
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN and not self.unseen and not self._is_never_closed(tag):
            self.unseen, self.unseen_from = tag, self.getpos()
        self._depth += tag == self.unseen
        self.aside += tag in _ASIDE
        self._in_title = tag == "title" and not self.title and not self.unseen
        self._block(tag)

    def set_cdata_mode(self, elem: str, **options: bool) -> None:
        if not self._is_never_closed(elem):  # else the tags to the end of the page would be words
            super().set_cdata_mode(elem, **options)

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == self.unseen
        if not self._depth:
            self.unseen = ""
        self.aside -= tag in _ASIDE and self.aside > 0
        self._in_title = self._in_title and tag != "title"
        self._block(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._block(tag)

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self.unseen:
            self._say(data)

    def _is_never_closed(self, tag: str) -> bool:
        return tag in self._never_closed and self.getpos() >= self._never_closed[tag]

    def _block(self, tag: str) -> None:
        if tag not in _INLINE:
            self._say("\n")

    def _say(self, piece: str) -> None:
        self.all.append(piece)
        if not self.aside:
            self.text.append(piece)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """Runs of blanks as one, blank lines dropped."""
    return "\n".join(line for line in map(_one_line, text.split("\n")) if line)
