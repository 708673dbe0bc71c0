"""The texts, fields and pictures of a page, cut to what fits.

A page has a budget. Documents are read once and wait on disk; a sample of them decides the length of texts within the
budget, and all are cut to that length. So a million documents need no more memory than their ids, titles and
coordinates.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, Any

from textae.types import Document, FieldValue
from textae.views import png
from textae.views.page.packing import compressed, json_bytes
from textae.views.page.thumbnails import thumbnails

_SAMPLE = 1_000  # documents that decide the length
_SURELY = 10  # compression that no text reaches
_PARTS, _LEAST = 256, 128  # most blocks of texts, and least documents of a block
_BASE64 = 4 / 3
_CAUTION = 0.96  # of the room: the sample is not the corpus
_WORTH = 40  # characters: a shorter text tells nothing
_BREAK = re.compile(r"[\r\n]+")
_FIELDS, _VALUE = 24, 200  # fields of a document, and characters of a value


@dataclass(frozen=True)
class Cut:
    """What a page shows of each document.

    Attributes:
        length: maximum characters of a text; None for whole texts, 0 for none.
        fields: whether fields are shown.
        halvings: how often the sides of pictures are halved; None for no pictures.
    """

    length: int | None
    fields: bool = True
    halvings: int | None = 0

    def of(self, shown: list[Any]) -> list[Any]:
        """A document as `Waiting` keeps it, cut."""
        text, fields, characters, *pictures = shown
        picture = pictures[self.halvings : self.halvings + 1] if self.halvings is not None else ()
        return [text[: self.length], fields if self.fields else {}, characters, *picture]


class Waiting:
    """Texts, fields and pictures on disk until all have been read.

    Args:
        file: empty, open for writing and reading.
        documents: their number.
        room: maximum bytes in the page; None for no maximum.
        served: whether a server gives the pictures, so that the page needs none.

    Attributes:
        per_part: documents of a block.
        shape: of the pictures, which is one; None without any.
    """

    def __init__(self, file: IO[bytes], documents: int, room: int | None, *, served: bool = False) -> None:
        self._file, self._n, self._served = file, documents, served
        self.per_part = max(_LEAST, -(-documents // _PARTS))
        self._longest = None if room is None else max(_WORTH, _SURELY * room // documents)
        self._cut, self._most = False, 0
        self.shape: tuple[int, int, int] | None = None

    def add(self, document: Document) -> Document:
        """Write what the page may show of a document, and give the document with this part of its text."""
        text = document.text[: self._longest]
        self._cut |= len(text) < len(document.text)
        shown: list[Any] = [text, _fields(document), len(document.text)]
        if document.picture is not None:
            self.shape = document.picture.shape
            if not self._served:
                smaller = thumbnails(document.picture) if self._longest is not None else []
                shown += [png.data_url(document.picture), *smaller]
                self._most = len(smaller)
        self._file.write(json_bytes(shown) + b"\n")
        return replace(document, text=text)

    def __iter__(self) -> Iterator[list[Any]]:
        self._file.seek(0)
        return map(json.loads, self._file)

    def parts(self, cut: Cut) -> Iterator[bytes]:
        """The contents of the blocks, in the order of the documents.

        Each is JSON of [text, fields, characters of the whole text], and the `data:` URL of a picture or a thumbnail.
        """
        shown = map(cut.of, self)
        while part := list(islice(shown, self.per_part)):
            yield json_bytes(part)

    def fitting(self, room: float) -> Cut:
        """The largest cut that fits. Texts get shorter before fields go; fields go before pictures are halved again.

        Args:
            room: bytes in the page.
        """
        step = max(1, self._n // _SAMPLE)
        sample = [shown for place, shown in enumerate(self) if place % step == 0]
        allowed = room * _CAUTION / _BASE64 * len(sample) / self._n

        def fits(cut: Cut) -> bool:
            shown = [cut.of(one) for one in sample]
            parts = (shown[first : first + self.per_part] for first in range(0, len(shown), self.per_part))
            return sum(len(compressed(json_bytes(part))) for part in parts) <= allowed

        if not self._cut and fits(Cut(None)):
            return Cut(None)
        if self.shape is not None:
            sizes = (*range(self._most + 1), None)
            cuts = [Cut(None, fields, halvings) for halvings in sizes for fields in (True, False)]
            return next(filter(fits, cuts), cuts[-1])
        for fields in (True, False):
            low, high = 0, max(len(shown[0]) for shown in sample)
            while high - low > max(1, low // 100):
                middle = (low + high + 1) // 2
                low, high = (middle, high) if fits(Cut(middle, fields)) else (low, middle - 1)
            if low >= _WORTH:
                return Cut(low, fields)
        return Cut(0, fits(Cut(0)))


def _fields(document: Document) -> dict[str, str]:
    """The fields that have a value, as the page shows them."""
    fields = ((name, value) for name, value in document.fields.items() if value not in (None, "", []))
    return {name: _written(value)[:_VALUE] for name, value in islice(fields, _FIELDS)}


def _written(value: FieldValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def lines(texts: Iterable[str], length: int | None = None) -> bytes:
    """Texts as lines, cut to a length."""
    return "\n".join(_BREAK.sub(" ", text[:length]) for text in texts).encode("utf-8", "replace")
