"""Pictures: files that Pillow reads, and arrays of many.

.png .jpg .jpeg .webp .tif .tiff .bmp   one picture; its folder's name is its `label`
.npz                                    `images` (n, h, w[, 3]) and `labels`, or `x_train`, `y_train`, `x_test`,
`y_test`, which give the fields `label` and `split`
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from textae.corpus.streams import DAMAGED, FileError
from textae.corpus.tables import TableSpec
from textae.types import Document, FieldValue, Picture, Skipped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def read_picture(path: Path) -> Picture:
    """The picture in a file, turned as its camera was held, in grey or in colours.

    Raises:
        FileError: it is none, or is damaged.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image)
                grey = upright.mode in ("1", "L", "LA", "I", "I;16", "F")
                shown = upright.convert("L" if grey else "RGB")
                return Picture(shown.height, shown.width, 1 if grey else 3, shown.tobytes())
    except UnidentifiedImageError as error:
        raise FileError(
            f"{path}: no picture that can be read; give png, jpg, webp, tiff or bmp", "no picture"
        ) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FileError(f"{path}: the picture is damaged ({error})", DAMAGED) from error


def reads_picture(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    """The one document that a picture's file is."""
    fields: dict[str, FieldValue] = {"label": name.rsplit("/", 2)[-2]} if "/" in name else {}
    if spec.selects(fields):
        yield Document(name, "", Path(name).name, fields, source=name, picture=read_picture(path))


def reads_arrays(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    """Every picture in a file of arrays."""
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as arrays:
            if "images" in arrays:
                yield from _rows(arrays["images"], arrays.get("labels"), name, {}, spec)
                return
            for split in ("train", "test"):
                if f"x_{split}" in arrays:
                    yield from _rows(arrays[f"x_{split}"], arrays.get(f"y_{split}"), name, {"split": split}, spec)
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise FileError(f"{path}: the arrays are damaged ({error})", DAMAGED) from error


def _rows(
    images: NDArray[np.uint8],
    labels: NDArray[np.generic] | None,
    name: str,
    fields: dict[str, FieldValue],
    spec: TableSpec,
) -> Iterator[Document]:
    n, height, width = images.shape[:3]
    channels = images.shape[3] if images.ndim == 4 else 1
    start = f"{fields['split']}/" if fields else ""
    for row in range(n):
        own = fields | ({} if labels is None else {"label": labels[row].item()})
        if spec.selects(own):
            id = f"{start}{row}"
            yield Document(
                id, "", "", own, f"{name}:{id}", picture=Picture(height, width, channels, images[row].tobytes())
            )
