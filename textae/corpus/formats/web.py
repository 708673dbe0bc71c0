"""HTML: the words that a reader of the page sees."""

from collections.abc import Iterator

from textae.corpus import formats, reading
from textae.corpus.formats import Given
from textae.corpus.html import decode_html, html_sections
from textae.corpus.reading import Item


def read(given: Given) -> Iterator[Item]:
    """The document of a page."""
    decoded = decode_html(reading.whole(given.stream, given.longest))
    given.notice = decoded.notice
    if given.ending == ".xls" and not decoded.text.lstrip().startswith(
        "<"
    ):  # what programs call so is a page or a table
        yield given.document("", [formats.lines(decoded.text)])
        return
    title, sections = html_sections(decoded.text)
    yield given.document(title, [(heading and "heading", heading, text) for heading, text in sections], between="\n")
