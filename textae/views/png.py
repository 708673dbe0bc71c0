"""Pictures as others read them: an image of Pillow, and a PNG within a page."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from textae.types import Picture

if TYPE_CHECKING:
    from PIL import Image


def image(picture: Picture) -> Image.Image:
    """The picture as Pillow has it, grey or in colours."""
    from PIL import Image

    return Image.frombytes("RGB" if picture.channels == 3 else "L", (picture.width, picture.height), picture.pixels)


def data_url(picture: Picture) -> str:
    """The picture as a `data:` URL, a PNG in base64: what a page shows that asks the network for nothing."""
    written = io.BytesIO()
    image(picture).save(written, "PNG")
    return f"data:image/png;base64,{base64.b64encode(written.getvalue()).decode()}"
