"""One index holds one kind of document: texts, or pictures of one shape. Documents are made so before they are stored.

A query's picture goes the same way, so that what is compared was shrunk alike.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from textae.types import Document, Picture, Skipped

Shape = tuple[int, int, int]
"""Height, width and channels of pictures."""

SIDE = 32
"""Pixels of a side of a picture that is larger, as of the tiny images of Krizhevsky & Hinton (2011)."""

AMONG_TEXTS, AMONG_PICTURES = "a picture among texts", "a text among pictures"
"""Why a document is skipped."""

_LOOKED_AT = 64  # documents from the beginning, by which kind and shape are told


class Fitted(Iterable[Document | Skipped]):
    """A corpus of one kind: that of its first document. What is of the other kind is skipped.

    Pictures get one shape: their own where the first ones agree on one of at most `SIDE` × `SIDE`, else that; in grey
    where all of the first ones are, else in colours.

    Args:
        corpus: read once.
        shape: that is known already, None of texts; by default the corpus decides.

    Attributes:
        shape: of the pictures; None of texts.
    """

    def __init__(self, corpus: Iterable[Document | Skipped], *shape: Shape | None) -> None:
        items = iter(corpus)
        if shape:
            self.shape, first = shape[0], list[Document | Skipped]()
        else:
            first = list(itertools.islice(items, _LOOKED_AT))
            self.shape = _shape_of([item for item in first if isinstance(item, Document)])
        self._items = itertools.chain(first, items)

    def __iter__(self) -> Iterator[Document | Skipped]:
        """The documents and what is skipped, in order."""
        return (item if isinstance(item, Skipped) else fit(item, self.shape) for item in self._items)


def _shape_of(documents: Iterable[Document]) -> Shape | None:
    pictures = [document.picture for document in documents]
    if not pictures or pictures[0] is None:
        return None
    sizes = {(picture.height, picture.width) for picture in pictures if picture is not None}
    height, width = sizes.pop() if len(sizes) == 1 else (SIDE + 1, SIDE + 1)
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
