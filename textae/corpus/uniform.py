"""One index holds one kind of documents: texts, or pictures of one shape. This makes a corpus so before it is stored.

    its own shape       where the first pictures have one shape of at most 32 × 32
    32 × 32             otherwise: each side is shrunk or stretched by itself
    grey levels         where all of the first pictures are grey, otherwise red, green and blue

The whole picture is kept and its proportions are not, as in the tiny images of Krizhevsky & Hinton ("Using Very Deep
Autoencoders for Content-Based Image Retrieval", ESANN 2011): nothing at the edge is lost, and no border is added that
all pictures of one format would share. The picture of a query is resized in the same way.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from textae.types import Document, Picture, Shape, Skipped

SIDE = 32
"""Pixels of a side of a picture that is larger, as of the tiny images of Krizhevsky & Hinton (2011)."""

READ_SIDE = 4 * SIDE
"""Pixels of a side of a picture as it is read, at most. Shrinking to a quarter later leaves no trace of this, and a
photograph takes 48 kB of memory, not 36 MB."""

AMONG_TEXTS, AMONG_PICTURES = "a picture among texts", "a text among pictures"
"""Reasons to skip a document."""

_SAMPLE = 64  # pictures at the beginning, held in memory, that decide the shape


class UniformCorpus(Iterable[Document | Skipped]):
    """A corpus of one kind: that of its first document. Documents of the other kind are skipped.

    Args:
        corpus: read once.
        shape: of the pictures, None for texts; by default the corpus decides.

    Attributes:
        shape: of the pictures; None for texts.
    """

    def __init__(self, corpus: Iterable[Document | Skipped], *shape: Shape | None) -> None:
        items = iter(corpus)
        first: list[Document | Skipped] = []
        pictures: list[Picture] = []
        for item in () if shape else items:
            first.append(item)
            if isinstance(item, Document) and item.picture:
                pictures.append(item.picture)
            if len(pictures) == _SAMPLE or (isinstance(item, Document) and not pictures):
                break
        self.shape = shape[0] if shape else _common_shape(pictures)
        self._items = itertools.chain(first, items)

    def __iter__(self) -> Iterator[Document | Skipped]:
        """The documents and what is skipped, in order."""
        for item in self._items:
            if isinstance(item, Skipped):
                yield item
            elif item.picture and self.shape:
                yield replace(item, picture=resized(item.picture, self.shape))
            elif item.picture or self.shape:
                yield Skipped(item.source or item.id, AMONG_PICTURES if self.shape else AMONG_TEXTS)
            else:
                yield item


def _common_shape(pictures: list[Picture]) -> Shape | None:
    if not pictures:
        return None
    sizes = {(picture.height, picture.width) for picture in pictures}
    height, width = sizes.pop() if len(sizes) == 1 else (SIDE, SIDE)
    channels = max(picture.channels for picture in pictures)
    return (height, width, channels) if max(height, width) <= SIDE else (SIDE, SIDE, channels)


def resized(picture: Picture, shape: Shape) -> Picture:
    """A picture in another shape: its sides are shrunk or stretched, its colours become grey or its grey colours."""
    if picture.shape == shape:
        return picture
    from PIL import Image

    height, width, channels = shape
    image = Image.frombytes("RGB" if picture.channels == 3 else "L", (picture.width, picture.height), picture.pixels)
    image = image.convert("RGB" if channels == 3 else "L")
    if (picture.height, picture.width) != (height, width):
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return Picture(height, width, channels, image.tobytes())
