"""Pictures side by side: as one picture, and as a page with what a search has found, a contact sheet.

The page is one file that asks the network for nothing: pictures are in it as `data:` URLs, and its policy allows no
script and no address. What documents say is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from pathlib import Path

from textae.errors import TextaeError
from textae.files import whole_file
from textae.types import Hit, Picture
from textae.views import png
from textae.views.sanitise import safe

ENDING = ".png"

_LEAST = 96  # pixels of the longer side of a picture that is drawn: small ones are enlarged a whole number of times
_GAP = 4
_GROUND = (128, 128, 128)  # neither of what is white at its edges nor of what is black


def draw_pictures(rows: Sequence[Sequence[Picture]], path: Path) -> None:
    """Draw pictures of one shape, each pixel as a square of its own where they are small.

    Args:
        rows: from the top, each from the left; at least one picture.
        path: ends in .png.

    Raises:
        TextaeError: it ends otherwise.
        OSError: the file cannot be written; what was there is as it was.
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
    """The pictures in rows, of as many as there are rows, or one more."""
    columns = next(n for n in range(1, len(pictures) + 1) if n * n >= len(pictures))
    return [pictures[first : first + columns] for first in range(0, len(pictures), columns)]


_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, CanvasText 20%, Canvas); }
body { margin: 1rem; font: 14px/1.4 system-ui, sans-serif; background: Canvas; color: CanvasText; }
h1 { font-size: 1.1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: 1rem; }
figure { margin: 0; min-width: 0; padding: .5rem; border: 1px solid var(--line); border-radius: .4rem; }
figure.query { outline: 3px solid Highlight; }
img { display: block; width: 100%; height: auto; image-rendering: pixelated; }
figcaption { margin-top: .4rem; overflow-wrap: anywhere; }
figcaption span { display: block; opacity: .75; }
"""


def contact_sheet(asked: Sequence[tuple[str, Picture]], hits: Sequence[Hit], pictures: Sequence[Picture]) -> str:
    """A page of what was asked, and of what was found for it.

    Args:
        asked: the pictures of the question, with their names.
        hits: best first.
        pictures: of the hits.

    Returns:
        HTML.
    """
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    title = _escaped(f"Similar to {', '.join(name for name, _ in asked)}")
    figures = [_figure(picture, name, ["asked"], "query") for name, picture in asked]
    for hit, picture in zip(hits, pictures, strict=True):
        label = hit.fields.get("label")
        said = [f"{hit.score:.3f}", *([] if label is None else [str(label)])]
        figures.append(_figure(picture, hit.id, said, "hit"))
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{style}'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<main>
{"".join(figures)}</main>
</body>
</html>
"""


def _figure(picture: Picture, name: str, said: Sequence[str], kind: str) -> str:
    shown = _escaped(name)
    lines = "".join(f"<span>{_escaped(line)}</span>" for line in said)
    image = f'<img src="{png.data_url(picture)}" width="{picture.width}" height="{picture.height}" alt="{shown}">'
    return f'<figure class="{kind}">{image}<figcaption><bdi>{shown}</bdi>{lines}</figcaption></figure>\n'


def _escaped(text: str) -> str:
    return html.escape(safe(text))
