"""Files of pictures, read by Pillow.

    .png .jpg .jpeg .webp .tif .tiff .bmp .gif     one picture, of an animation the first; the content decides the
                                                   format, not the ending
    .npz, and MNIST's …-images-idx3-ubyte          many pictures (`textae.corpus.image_arrays`)

A picture is turned upright by its EXIF orientation, and transparent pixels are blended with white. A picture without
colours is grey, whatever its format. A picture in a subfolder has the folder's name as its `label`. At most
`READ_SIDE` × `READ_SIDE` pixels are kept; a picture of more than `MOST_PIXELS` pixels is not decoded.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from textae.corpus import image_arrays as arrays
from textae.corpus import reading
from textae.corpus.reading import DAMAGED, EMPTY, FileError, Item
from textae.corpus.tables import TableSpec
from textae.corpus.uniform import READ_SIDE
from textae.types import Document, FieldValue, Picture

if TYPE_CHECKING:
    from PIL import Image

LABELS = arrays.IDX_LABELS
IDX = (arrays.IDX_IMAGES, LABELS)
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".npz", arrays.IDX_IMAGES)
"""The endings of files that hold pictures."""

_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")  # some other formats run programs
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
"""What Pillow raises for damaged files."""


def read(path: Path, name: str, label: str, spec: TableSpec) -> Iterator[Item]:
    """Every picture in a file.

    Args:
        path: of the file.
        name: of the document, or of the arrays whose rows are documents.
        label: the name of its folder; "" in the source's own folder.
        spec: which documents are wanted.

    Raises:
        FileError: it cannot be read, or is damaged.
    """
    plain = reading.without_packing(path)
    if plain.suffix.lower() == ".npz":
        yield from arrays.read_npz(path, name, spec)
    elif plain.name.lower().endswith(arrays.IDX_IMAGES):
        yield from arrays.read_idx(path, name, spec)
    else:
        fields: dict[str, FieldValue] = {"label": label} if label else {}
        if spec.selects(fields):
            yield Document(name, "", "", fields, source=name, picture=read_picture(path))


def read_picture(path: Path) -> Picture:
    """The picture in a file, in grey or in colours.

    Raises:
        FileError: it is no picture, is damaged, or is too large.
    """
    with reading.opened(path) as stream:
        return picture_in(stream, str(path))


def picture_in(stream: IO[bytes], name: str) -> Picture:
    """The picture in a seekable stream; errors as of `read_picture`."""
    from PIL import Image, UnidentifiedImageError

    try:
        if not stream.read(1):
            raise FileError(f"{name}: the file is empty; give a picture", EMPTY)
        stream.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(stream, formats=_FORMATS) as image:
                if image.width * image.height > arrays.MOST_PIXELS:
                    message = f"{name}: {image.width:,} × {image.height:,} pixels; at most {arrays.MOST_PIXELS:,}"
                    raise FileError(message, arrays.TOO_LARGE)
                return _picture_of(image)
    except UnidentifiedImageError as error:
        reason = "no picture that can be read"
        raise FileError(f"{name}: {reason}; give png, jpg, webp, tiff, bmp or gif", reason) from error
    except Image.DecompressionBombError as error:
        raise FileError(f"{name}: {error}", arrays.TOO_LARGE) from error
    except _BROKEN as error:
        raise FileError(f"{name}: the picture is damaged ({error})", DAMAGED) from error


def _picture_of(image: Image.Image) -> Picture:
    import numpy as np
    from PIL import Image, ImageOps

    image.draft(None, (READ_SIDE, READ_SIDE))  # jpg can be decoded at down to an eighth of its size
    upright = ImageOps.exif_transpose(image)
    clear = upright.has_transparency_data
    if upright.mode.startswith(("I", "F")):  # more than 256 grey levels, or fractions
        values = np.asarray(upright)
        wide = upright.mode.startswith("I;16")
        white = arrays.WHITES[-1] if wide else arrays.white(float(values.min()), float(values.max()))
        upright = Image.fromarray(arrays.levels(values, white))
    mode = ("LA" if clear else "L") if upright.mode in ("1", "L", "LA") else "RGBA" if clear else "RGB"
    upright = upright.convert(mode)
    size = (min(upright.width, READ_SIDE), min(upright.height, READ_SIDE))
    if size != upright.size:
        upright = upright.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if clear:
        upright = Image.alpha_composite(Image.new("RGBA", size, "white"), upright.convert("RGBA")).convert(mode[:-1])
    bands = [band.tobytes() for band in upright.split()]
    is_grey = all(band == bands[0] for band in bands)
    return Picture(upright.height, upright.width, 1 if is_grey else 3, bands[0] if is_grey else upright.tobytes())
