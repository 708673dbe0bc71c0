"""The words of HTML, without the markup that only steers their looks.

HTML is parsed by lexbor, which follows the rules of browsers (WHATWG HTML, section 13.2): no page is too broken. So is
its encoding found: by a byte order mark, a declaration, `<meta charset>`. Left out are scripts, styles, navigation,
other elements that hold no page text, and what is hidden, but for the panels of tabs, which a click shows. What only
screen readers skip (`aria-hidden`) is kept, as a reader sees it. Each block is a line of its own.
"""

import re
from collections import Counter
from typing import TYPE_CHECKING

from textae.corpus.decoding import Decoded, codec, decode

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_UNSEEN = ("script", "style", "template", "noscript", "svg", "object", "iframe", "noframes", "nav")
_CLOSED = (*_UNSEEN, "title", "textarea")  # elements that take the rest of the page where they are never closed
_INLINE = (
    "a,abbr,acronym,b,bdi,bdo,big,cite,code,data,del,dfn,em,font,i,ins,kbd,label,mark,nobr,q,rb,rp,rt,ruby,s,samp,small,"
    "span,strike,strong,sub,sup,time,tt,u,var,wbr"
)
_HIDDEN = "[hidden]:not([hidden='until-found'],[role=tabpanel],html,body),dialog:not([open])"
_ROLES = "[role=navigation i],[role=menu i],[role=menubar i]"
_NAMED = ":is([class*='nav' i],[id*='nav' i],[class*=breadcrumb i],[class*=pag i]):not(html,body)"
_NAVIGATION = re.compile(
    r"((top|bottom|sub|side|skip|main|page|site|post|mobile)[-_]?)?"
    r"nav(igation|[-_]?(bar|header|footer|path|panel|tree|list|links?|menu|row)\w*)?|breadcrumbs?|pagination|pager",
    re.IGNORECASE,
)
"""A class or an id that names a block navigation, in words that reader modes of browsers know, too."""
_PAGE = "h1,h2,main,article,pre"  # what is no navigation, though a script may have named it so
_NEIGHBOURS = "a[rel~=prev i],a[rel~=next i],a[rel~=up i]"
_LINKS = 64  # to neighbours; a page has a few
_STYLED = "[style]:not([role=tabpanel],html,body)"  # a script shows a page that is hidden until it is loaded
_NOT_SHOWN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
_PERMALINKS = {"¶", "#", "§", "🔗", "\uf0c1"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_HEADING_MARK = "\ufdd0"  # no character of Unicode
_FLAT = set("a area base br col dd dt embed hr img input li link meta option p source td th tr track wbr".split())  # noqa: SIM905
"""Elements that hold nothing, or that the parser closes by itself."""

_PRESCAN = 4_096  # bytes; browsers look at 1,024, and again where they meet a later declaration
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';]+)", re.IGNORECASE)
_DEEPEST = 1_000
_MANY = 10_000  # tags; fewer of them are parsed in a second, however deep they nest
_SELF_CLOSED = re.compile(rf"<({'|'.join(_CLOSED)})\b[^<>]*/>", re.IGNORECASE)  # of XHTML; HTML would wait for the end
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)[^<>]*>?", re.IGNORECASE)


def decode_html(content: bytes, declared: str = "") -> Decoded:
    """The source of a page.

    Args:
        content: of the page.
        declared: its encoding, where a header tells it; else the page does.

    Raises:
        RefusedError: it is no text.
    """
    return decode(content, declared or _declared(content[:_PRESCAN]))


def html_parts(source: str) -> tuple[str, str]:
    """The title and the text of an HTML document, however broken."""
    title, sections = html_sections(source)
    return title, "\n".join(text for _, text in sections)


def html_sections(source: str) -> tuple[str, list[tuple[str, str]]]:
    """The title of an HTML document, else its first heading of level 1, and its sections.

    Returns:
        The title; of each section the heading, "" in front of the first one, and the text with the heading.
    """
    from selectolax.lexbor import LexborHTMLParser  # 20 ms, and only here

    source = _SELF_CLOSED.sub("\n", source.replace(_HEADING_MARK, ""))
    if source.count("<") > _MANY:
        source = _shallow(source)
    page = LexborHTMLParser(source, scripting=True)
    for element in _CLOSED:  # the tags of one that is never closed are dropped
        if len(page.css(element)) > len(re.findall(f"</{element}", source, re.IGNORECASE)):
            source = _without_unclosed(source, element)
            page = LexborHTMLParser(source, scripting=True)
    hidden = page.css(_HIDDEN) + [
        node for node in page.css(_STYLED) if _NOT_SHOWN.search(node.attributes["style"] or "")
    ]
    hidden += _navigation(page)
    for link in page.css("a[href^='#']"):  # to the heading that it stands in, shown below the mouse
        if link.text().strip() in _PERMALINKS:
            link.decompose()
    for block in page.css(f":not(html,head,body,{_INLINE})"):
        block.insert_before(f"\n{_HEADING_MARK}" if block.tag in _HEADINGS else "\n")
        block.insert_after("\n")
    for node in hidden:
        node.remove(recursive=False)
    page.strip_tags(list(_UNSEEN), recursive=True)
    named, first = page.css_first("title"), page.css_first("h1")
    title = _one_line(named.text() if named else "") or _one_line(first.text() if first else "")
    if named:
        named.decompose()
    return title, _sections(page.root.text(separator="") if page.root else "")


def _navigation(page: "LexborHTMLParser") -> "list[LexborNode]":
    """The blocks that lead to other pages: by their role, their name, or links to the neighbours of the page."""
    named = [
        node
        for node in page.css(_NAMED)
        if any(map(_NAVIGATION.fullmatch, f"{node.attributes.get('class')} {node.attributes.get('id')}".split()))
        and not node.css_first(_PAGE)
    ]
    rows = [link.parent for link in page.css(_NEIGHBOURS)[:_LINKS] if link.parent]
    return page.css(_ROLES) + named + [row for row in rows if _is_mostly_links(row)]


def _is_mostly_links(node: "LexborNode") -> bool:
    return 2 * sum(len(link.text()) for link in node.css("a")) > len(node.text())


def _sections(text: str) -> list[tuple[str, str]]:
    sections: list[tuple[str, list[str]]] = []
    at_heading = False
    for line in text.split("\n"):
        at_heading |= _HEADING_MARK in line
        if line := _one_line(line.replace(_HEADING_MARK, "")):
            if at_heading or not sections:
                sections.append((line if at_heading else "", []))
            sections[-1][1].append(line)
            at_heading = False
    return [(heading, "\n".join(lines)) for heading, lines in sections]


def _declared(head: bytes) -> str:
    """The encoding that the first bytes of a page declare; "" for none, and where it cannot be true."""
    last = head.lower().rfind(b"charset")
    if last < 0:
        return ""
    from selectolax.lexbor import LexborHTMLParser

    head = head[: head.find(b">", last) + 1] or head
    for meta in LexborHTMLParser(head).css("meta"):
        attributes = {name: value or "" for name, value in meta.attributes.items()}
        label = attributes.get("charset", "")
        if not label and attributes.get("http-equiv", "").lower() == "content-type":
            label = match[1] if (match := _CHARSET.search(attributes.get("content", ""))) else ""
        if codec(label):
            return "utf-8" if codec(label).startswith("utf-16") else label  # as which its ASCII could not be read
    return ""


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
