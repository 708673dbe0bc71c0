"""Arrays of pictures: numpy's .npz and the idx files of MNIST, read block by block, so that an array may be large.

    images.npz               `images` (n, h, w) or (n, h, w, 3), and optionally `labels` (n,)
    mnist.npz                `x_train`, `y_train`, `x_test`, `y_test` of these shapes; the field `split` tells which
    …-images-idx3-ubyte      labels are in …-labels-idx1-ubyte beside it; `train-…` and `t10k-…` have the field `split`

Each may be packed (.gz). The id of a picture is the name of the file, its split where the file has two, and its row,
from 0: `mnist.npz:train/17`. Black is 0, white the smallest of 1, 255 and 65,535 that no number exceeds.
"""

from __future__ import annotations

import itertools
import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from textae.corpus import reading
from textae.corpus.reading import DAMAGED, FileError, Item
from textae.corpus.tables import TableSpec
from textae.corpus.uniform import READ_SIDE, resized
from textae.types import Document, FieldValue, Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IDX_IMAGES, IDX_LABELS = "idx3-ubyte", "idx1-ubyte"
"""The ends of the names of MNIST's files."""

MOST_PIXELS = 89_000_000
"""Pixels of one picture, at most: Pillow warns above. A file of a few kB may claim to have more."""

TOO_LARGE = "too many pixels"
NO_IMAGES = "arrays of another kind"
"""Reasons to skip a file."""

WHITES = (1, 255, 65_535)

_BLOCK = 1 << 20  # bytes that are read at a time
_IDX_BYTES = 0x08  # the code of the type uint8

Header = tuple[tuple[int, ...], "np.dtype[Any]"]


class _Array:
    """An array in a file.

    Args:
        opened: opens its bytes; called for each pass over the array.
        header: reads the shape and the type at the beginning.

    Attributes:
        shape: (n, …).
    """

    def __init__(
        self, opened: Callable[[], AbstractContextManager[IO[bytes]]], header: Callable[[IO[bytes]], Header]
    ) -> None:
        self._opened, self._header = opened, header
        with opened() as stream:
            self.shape, _ = header(stream)

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Some rows at a time.

        Raises:
            ValueError: there are fewer rows than the header says.
        """
        import numpy as np

        with self._opened() as stream:
            (n, *shape), dtype = self._header(stream)
            row = math.prod(shape) * dtype.itemsize
            size = max(1, _BLOCK // max(1, row))
            for first in range(0, n, size):
                rows = min(size, n - first)
                block = stream.read(rows * row)
                if len(block) < rows * row:
                    raise ValueError(f"it ends after {first:,} of {n:,} rows")
                yield np.frombuffer(block, dtype).reshape(rows, *shape)

    def rows(self) -> Iterator[NDArray[Any]]:
        """One row at a time."""
        return itertools.chain.from_iterable(self.blocks())


def read_npz(path: Path, name: str, spec: TableSpec) -> Iterator[Item]:
    """Every picture in a file of arrays.

    Raises:
        FileError: it holds other arrays, or is damaged.
    """
    with reading.opened(path) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                members = {Path(member).stem: partial(archive.open, member) for member in archive.namelist()}
                splits = [""] if "images" in members else [s for s in ("train", "test") if f"x_{s}" in members]
                if not splits:
                    held = ", ".join(sorted(members)[:6]) or "nothing"
                    message = f"{path}: it holds {held}; expected images and labels, or x_train, y_train …"
                    raise FileError(message, NO_IMAGES)
                for split in splits:
                    images, labels = (f"x_{split}", f"y_{split}") if split else ("images", "labels")
                    labelled = _Array(members[labels], _npy_header) if labels in members else None
                    start = f"{name}:{split}/" if split else f"{name}:"
                    yield from _documents(_Array(members[images], _npy_header), labelled, split, start, path, spec)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
            raise FileError(f"{path}: the arrays are damaged ({error})", DAMAGED) from error


def _npy_header(stream: IO[bytes]) -> Header:
    from numpy.lib import format as npy

    read = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
    shape, by_columns, dtype = read(stream)
    if by_columns and len(shape) > 1:
        raise ValueError("its columns come first; save numpy.ascontiguousarray of it")
    if dtype.hasobject:
        raise ValueError("it holds Python's objects; save an array of numbers")
    return shape, dtype


def read_idx(path: Path, name: str, spec: TableSpec) -> Iterator[Item]:
    """Every picture in an idx file (http://yann.lecun.com/exdb/mnist), its label from the file beside it.

    Raises:
        FileError: it is damaged.
    """
    plain = reading.without_packing(path)
    beside = plain.name.replace("images", "labels").replace(IDX_IMAGES, IDX_LABELS)
    labels = next((file for file in (path.with_name(beside), path.with_name(f"{beside}.gz")) if file.exists()), None)
    start = Path(name).name
    split = "train" if start.startswith("train") else "test" if start.startswith(("t10k", "test")) else ""
    try:
        images = _Array(partial(reading.opened, path), _idx_header)
        labelled = None if labels is None else _Array(partial(reading.opened, labels), _idx_header)
        yield from _documents(images, labelled, split, f"{name}:", path, spec)
    except (struct.error, ValueError) as error:
        raise FileError(f"{path}: the idx file is damaged ({error})", DAMAGED) from error


def _idx_header(stream: IO[bytes]) -> Header:
    import numpy as np

    nothing, kind, dims = struct.unpack(">HBB", stream.read(4))
    if nothing or kind != _IDX_BYTES:
        raise ValueError("its header is not that of an array of bytes")
    return struct.unpack(f">{dims}I", stream.read(4 * dims)), np.dtype(np.uint8)


def _documents(
    images: _Array, labels: _Array | None, split: str, start: str, path: Path, spec: TableSpec
) -> Iterator[Item]:
    """The pictures of an array.

    Args:
        images: of n pictures.
        labels: of as many.
        split: of all of them; "" where the file has none.
        start: of their ids.
        path: of the file, for messages.
        spec: which are wanted.
    """
    shared: dict[str, FieldValue] = {"split": split} if split else {}
    height, width, channels = _shape_of(images, path)
    if labels is not None and (math.prod(labels.shape[1:]) != 1 or labels.shape[:1] != images.shape[:1]):
        pair = f"labels of shape {labels.shape} for {images.shape[0]:,} images"
        raise FileError(f"{path}: {pair}; expected one of each", NO_IMAGES)
    brightest = _white_of(images, path)
    values: Iterator[NDArray[Any] | None] = itertools.repeat(None) if labels is None else labels.rows()
    for row, (image, label) in enumerate(zip(images.rows(), values, strict=False)):
        fields = shared if label is None else shared | {"label": reading.storable_value(label.item())}
        if not spec.selects(fields):
            yield None
        else:
            picture = Picture(height, width, channels, levels(image, brightest).tobytes())
            small = resized(picture, (min(height, READ_SIDE), min(width, READ_SIDE), channels))
            yield Document(f"{start}{row}", "", "", fields, source=f"{start}{row}", picture=small)


def _shape_of(images: _Array, path: Path) -> tuple[int, int, int]:
    """Height, width and channels of each picture."""
    match images.shape:
        case (_, height, width) | (_, height, width, 1) if height and width:
            channels = 1
        case (_, height, width, 3) if height and width:
            channels = 3
        case _:
            expected = "expected (n, height, width), or (n, height, width, 3) of red, green and blue"
            raise FileError(f"{path}: images of shape {images.shape}; {expected}", NO_IMAGES)
    if height * width > MOST_PIXELS:
        raise FileError(f"{path}: pictures of {width:,} × {height:,} pixels; at most {MOST_PIXELS:,}", TOO_LARGE)
    return height, width, channels


def _white_of(images: _Array, path: Path) -> int:
    """The number for white in an array; reads the whole array."""
    import numpy as np

    bounds = [0.0] if not images.shape[0] else []
    for block in images.blocks():
        if block.dtype.kind not in "buif":
            raise FileError(f"{path}: images of type {block.dtype}; expected whole numbers or floats", NO_IMAGES)
        bounds += [float(block.min()), float(block.max())]
    return white(float(np.min(bounds)), float(np.max(bounds)))  # numpy's are NaN where a number is


def white(low: float, high: float) -> int:
    """The number for white where grey levels go from `low` to `high`: the first of `WHITES` that is at least `high`.

    Raises:
        ValueError: there is none, `low` is negative, or one of them is NaN.
    """
    for most in WHITES:
        if low >= 0 and high <= most:
            return most
    raise ValueError(f"it has numbers from {low:g} to {high:g}; expected 0 to 1, 0 to 255, or 0 to 65,535")


def levels(values: NDArray[Any], brightest: int) -> NDArray[np.uint8]:
    """Grey levels or colours in 8 bits, of any shape.

    Args:
        values: from 0 to `brightest`.
        brightest: the number for white.
    """
    import numpy as np

    if values.dtype == np.uint8 and brightest == WHITES[1]:
        return values
    scaled: NDArray[np.uint8] = np.rint(values.astype(np.float64) * (255 / brightest)).astype(np.uint8)
    return scaled
