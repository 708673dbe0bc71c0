"""One index holds one kind of document: texts, or pictures of one shape. Documents are made so before they are stored.

    its own shape       where the first pictures agree on one of at most 32 × 32
    32 × 32             else: the sides are shrunk or stretched, each by itself
    grey levels         where all of the first ones are grey, else red, green and blue

The whole picture is kept and its proportions are not, as in the tiny images of Krizhevsky & Hinton ("Using Very Deep
Autoencoders for Content-Based Image Retrieval", ESANN 2011): nothing at the edge is lost, and no border is added that
all pictures of one format would share. A query's picture goes the same way, so that what is compared was shrunk alike.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from textae.types import Document, Picture, Shape, Skipped

SIDE = 32
"""Pixels of a side of a picture that is larger, as of the tiny images of Krizhevsky & Hinton (2011)."""

READ_SIDE = 4 * SIDE
"""Pixels of a side of a picture as it is read, at most: what is shrunk to a quarter later shows no trace of it, and a
photograph costs 48 kB of memory and not 36 MB."""

AMONG_TEXTS, AMONG_PICTURES = "a picture among texts", "a text among pictures"
"""Why a document is skipped."""

_LOOKED_AT = 64  # pictures from the beginning, by which the shape is told: held in memory till then


class UniformCorpus(Iterable[Document | Skipped]):
    """A corpus of one kind: that of its first document. What is of the other kind is skipped.

    Pictures get one shape, as the module says.

    Args:
        corpus: read once.
        shape: that is known already, None of texts; by default the corpus decides.

    Attributes:
        shape: of the pictures; None of texts.
    """

    def __init__(self, corpus: Iterable[Document | Skipped], *shape: Shape | None) -> None:
        items = iter(corpus)
        first = [] if shape else _beginning(items)
        self.shape = shape[0] if shape else _shape_of([item for item in first if isinstance(item, Document)])
        self._items = itertools.chain(first, items)

    def __iter__(self) -> Iterator[Document | Skipped]:
        """The documents and what is skipped, in order."""
        return (item if isinstance(item, Skipped) else fit(item, self.shape) for item in self._items)


def _beginning(items: Iterator[Document | Skipped]) -> list[Document | Skipped]:
    """As much of a corpus as tells its kind and shape: a text, or some pictures."""
    first: list[Document | Skipped] = []
    pictures = 0
    for item in items:
        first.append(item)
        if isinstance(item, Skipped):
            continue
        pictures += item.picture is not None
        if not pictures or pictures == _LOOKED_AT:
            break
    return first


def _shape_of(documents: Iterable[Document]) -> Shape | None:
    pictures = [document.picture for document in documents]
    if not pictures or pictures[0] is None:
        return None
    sizes = {(picture.height, picture.width) for picture in pictures if picture is not None}
    height, width = sizes.pop() if len(sizes) == 1 else (SIDE, SIDE)
    channels = max(picture.channels for picture in pictures if picture is not None)
    return (height, width, channels) if max(height, width) <= SIDE else (SIDE, SIDE, channels)


def fit(document: Document, shape: Shape | None) -> Document | Skipped:
    """A document as an index of that kind holds it."""
    if (document.picture is None) != (shape is None):
        return Skipped(document.source or document.id, AMONG_TEXTS if shape is None else AMONG_PICTURES)
    if document.picture is None or shape is None:
        return document
    return replace(document, picture=resized(document.picture, shape))


def resized(picture: Picture, shape: Shape) -> Picture:
    """A picture in another shape: its sides are shrunk or stretched, its colours made grey or grey made colours."""
    if picture.shape == shape:
        return picture
    from PIL import Image

    height, width, channels = shape
    image = Image.frombytes("RGB" if picture.channels == 3 else "L", (picture.width, picture.height), picture.pixels)
    image = image.convert("RGB" if channels == 3 else "L")
    if (picture.height, picture.width) != (height, width):
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return Picture(height, width, channels, image.tobytes())
