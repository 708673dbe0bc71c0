"""The page of the map in a notebook."""

from dataclasses import dataclass
from html import escape
from io import BytesIO

from textae.encoding.analyzer import Analysis
from textae.explore.map import DocumentMap
from textae.index.store import Reader
from textae.views.page import compose

HEIGHT = 640
"""Pixels of a map in a notebook."""


@dataclass(frozen=True, repr=False)
class MapPage:
    """The page of a map, which a notebook shows.

    Attributes:
        html: the whole page, which works offline.
        documents: on the map.
    """

    html: str
    documents: int

    def __repr__(self) -> str:
        return f"MapPage({self.documents:,} documents, {len(self.html):,} characters of HTML)"

    def _repr_html_(self) -> str:
        """A frame with the page, whose script cannot reach the notebook."""
        style = f"width: 100%; height: {HEIGHT}px; border: 0"
        return f'<iframe sandbox="allow-scripts allow-forms" style="{style}" srcdoc="{escape(self.html)}"></iframe>'


def map_page(topic_map: DocumentMap, reader: Reader, analysis: Analysis) -> MapPage:
    """The page of a map.

    Args:
        topic_map: the map.
        reader: of its documents.
        analysis: of the index, for the page's search.

    Raises:
        TextaeError: there is no document on the map.
    """
    page = BytesIO()
    report = compose(topic_map, reader.stream(), page, name=reader.folder.resolve().name, analysis=analysis)
    return MapPage(page.getvalue().decode(), report.documents)
