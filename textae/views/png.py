"""Pictures as Pillow images, and as PNGs within a page."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from textae.types import Picture

if TYPE_CHECKING:
    from PIL import Image


def image(picture: Picture) -> Image.Image:
    """The picture as a Pillow image, grey or in colours."""
    from PIL import Image

    return Image.frombytes("RGB" if picture.channels == 3 else "L", (picture.width, picture.height), picture.pixels)


def content(picture: Picture) -> bytes:
    """The picture as the content of a PNG."""
    written = io.BytesIO()
    image(picture).save(written, "PNG")
    return written.getvalue()


def data_url(picture: Picture) -> str:
    """The picture as a `data:` URL, a PNG in base64, for a page that loads nothing."""
    return f"data:image/png;base64,{base64.b64encode(content(picture)).decode()}"
