"""HTML: the words that a reader of the page sees."""

from collections.abc import Iterator

from textae.corpus import reading
from textae.corpus.formats import Given
from textae.corpus.html import decode_html, html_sections
from textae.corpus.reading import Item


def read(given: Given) -> Iterator[Item]:
    """The document of a page."""
    decoded = decode_html(reading.whole(given.stream, given.longest))
    given.notice = decoded.notice
    title, sections = html_sections(decoded.text)
    yield given.document(title, [(heading and "heading", heading, text) for heading, text in sections], between="\n")
