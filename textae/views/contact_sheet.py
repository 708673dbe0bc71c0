"""Pictures side by side: as one picture, and with the hits of a search as a page, a contact sheet.

The page is one file that loads nothing: pictures are in it as `data:` URLs, and its policy allows no script and no
address. The texts of documents are escaped.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from textae.errors import TextaeError
from textae.files import whole_file
from textae.types import Hit, Picture
from textae.views import png
from textae.views.page.document import filled, source_hash, static
from textae.views.sanitise import safe

ENDING = ".png"

_LEAST = 96  # pixels of the longer side of a picture: small ones are enlarged a whole number of times
_GAP = 4
_GROUND = (128, 128, 128)  # between pictures with white and with black edges


def draw_pictures(rows: Sequence[Sequence[Picture]], path: Path) -> None:
    """Draw pictures of one shape; small ones with each pixel as a square.

    Args:
        rows: from the top, each from the left; at least one picture.
        path: ends in .png.

    Raises:
        TextaeError: another suffix.
        OSError: the file cannot be written; an existing file stays as it was.
    """
    if path.suffix.lower() != ENDING:
        raise TextaeError(f"no picture for {path.name!r}; give a name that ends in {ENDING}")
    from PIL import Image

    first = rows[0][0]
    times = max(1, _LEAST // max(first.height, first.width))
    width, height = first.width * times + _GAP, first.height * times + _GAP
    sheet = Image.new("RGB", (max(map(len, rows)) * width - _GAP, len(rows) * height - _GAP), _GROUND)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            large = png.image(picture).resize((first.width * times, first.height * times), Image.Resampling.NEAREST)
            sheet.paste(large, (x * width, y * height))
    with whole_file(path) as passing:
        sheet.save(passing, "PNG")


def nearly_square(pictures: Sequence[Picture]) -> list[Sequence[Picture]]:
    """The pictures in rows, each as long as there are rows, or longer by one."""
    columns = next(n for n in range(1, len(pictures) + 1) if n * n >= len(pictures))
    return [pictures[first : first + columns] for first in range(0, len(pictures), columns)]


def contact_sheet(queries: Sequence[tuple[str, Picture]], hits: Sequence[Hit], pictures: Sequence[Picture]) -> str:
    """A page with the query pictures and the hits, as HTML.

    Args:
        queries: the names of the query pictures, and the pictures.
        hits: best first.
        pictures: of the hits.
    """
    shown = [("query", picture, name, ["asked"]) for name, picture in queries]
    for hit, picture in zip(hits, pictures, strict=True):
        label = hit.fields.get("label")
        shown.append(("hit", picture, hit.id, [f"{hit.score:.3f}", *([] if label is None else [str(label)])]))
    figures = []
    for kind, picture, name, lines in shown:
        title, below = _escaped(name), "".join(f"<span>{_escaped(line)}</span>" for line in lines)
        size = f'width="{picture.width}" height="{picture.height}"'
        image = f'<img src="{png.data_url(picture)}" {size} alt="{title}">'
        figures.append(f'<figure class="{kind}">{image}<figcaption><bdi>{title}</bdi>{below}</figcaption></figure>\n')
    style = static("sheet.css")
    return filled(
        static("sheet.html"),
        policy=f"default-src 'none'; img-src data:; style-src {source_hash(style)}",
        title=_escaped(f"Similar to {', '.join(name for name, _ in queries)}"),
        style=style,
        figures="".join(figures),
    )


def _escaped(text: str) -> str:
    return html.escape(safe(text))
