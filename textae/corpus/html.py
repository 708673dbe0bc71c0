"""The words of HTML and the title of Markdown, without the markup that only steers their looks.

HTML is parsed by lexbor, which follows the rules of browsers (WHATWG HTML, section 13.2): no page is too broken.
Scripts, styles, navigation and other elements that hold no page text are left out. Each block is a line of its own.
"""

import re
from collections import Counter

_UNSEEN = ("script", "style", "template", "noscript", "svg", "object", "iframe", "nav")
_CLOSED = (*_UNSEEN, "title", "textarea")  # elements that take the rest of the page where they are never closed
_INLINE = "a,abbr,b,bdi,bdo,cite,code,dfn,em,font,i,kbd,mark,q,s,samp,small,span,strong,sub,sup,u,var"
_FLAT = set("a area base br col dd dt embed hr img input li link meta option p source td th tr track wbr".split())  # noqa: SIM905
"""Elements that hold nothing, or that the parser closes by itself."""

_DEEPEST = 1_000
_MANY = 10_000  # tags; fewer of them are parsed in a second, however deep they nest
_SELF_CLOSED = re.compile(rf"<({'|'.join(_CLOSED)})\b[^<>]*/>", re.IGNORECASE)  # of XHTML; HTML would wait for the end
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)[^<>]*>?", re.IGNORECASE)

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:[ \t]*(.+)$", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+)$|^(?=\S)(.+)\n(?:={3,}|-{3,}|~{3,})[ \t]*$", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def html_parts(source: str) -> tuple[str, str]:
    """The title and the text of an HTML document, however broken."""
    from selectolax.lexbor import LexborHTMLParser  # 20 ms, and only here

    source = _SELF_CLOSED.sub("\n", source)
    if source.count("<") > _MANY:
        source = _shallow(source)
    page = LexborHTMLParser(source, scripting=True)
    for element in _CLOSED:  # the tags of one that is never closed are dropped
        if len(page.css(element)) > len(re.findall(f"</{element}", source, re.IGNORECASE)):
            source = _without_unclosed(source, element)
            page = LexborHTMLParser(source, scripting=True)
    for block in page.css(f":not(html,head,body,{_INLINE})"):
        block.insert_before("\n")
        block.insert_after("\n")
    page.strip_tags(list(_UNSEEN), recursive=True)
    title = page.css_first("title")
    heading = title.text() if title else ""
    if title:
        title.decompose()
    lines = page.root.text(separator="").split("\n") if page.root else []
    return _one_line(heading), "\n".join(filter(None, map(_one_line, lines)))


def markdown_parts(source: str) -> tuple[str, str]:
    """The title and the text of Markdown or reStructuredText: the front matter's title, else the first heading."""
    source = source.replace("\r\n", "\n")
    title = ""
    if front := _FRONT_MATTER.match(source):
        source = source[front.end() :]
        if named := _FRONT_TITLE.search(front[1]):
            title = (named[1].rstrip(" \t") or " ").strip("\"'")
    if not title and (heading := _HEADING.search(_FENCED.sub("", source))):
        title = heading[2] or heading[1].rstrip(" \t#") or heading[1][0]
    return _one_line(title), source.strip()


def _shallow(source: str) -> str:
    """Drop tags that nest deeper than `_DEEPEST`, as browsers do: the parser's time grows with the depth, squared."""
    opened: Counter[str] = Counter()

    def kept(tag: re.Match[str]) -> str:
        element = tag[2].lower()
        if element in _FLAT or element in _UNSEEN[:-1]:
            return tag[0]
        if tag[1] and not opened[element]:
            return ""
        if not tag[1] and opened[""] >= _DEEPEST:
            return "\n"
        (opened.subtract if tag[1] else opened.update)((element, ""))
        return tag[0]

    return _TAG.sub(kept, source)


def _without_unclosed(source: str, element: str) -> str:
    """The source without the element's tags from the first one on that is never closed."""
    tags = re.compile(f"<(/?){element}\\b[^<>]*>?", re.IGNORECASE)
    depth = start = 0
    for tag in tags.finditer(source):
        if not tag[1] and not depth:
            start = tag.start()
        depth = max(0, depth - 1 if tag[1] else depth + 1)
    return source[:start] + tags.sub("\n", source[start:]) if depth else source


def _one_line(text: str) -> str:
    return " ".join(text.split())
