"""What a page holds of its documents: texts, fields and pictures, cut to what fits.

A page has a budget. Documents are read once and wait on disk; a sample of them says how long texts may be so that the
page keeps to it, and all are cut to that one length. So a million documents need no more memory than their ids, titles
and places.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from textae.types import Document, FieldValue
from textae.views import png
from textae.views.page.packing import compressed, json_bytes

_SAMPLE = 1_000  # documents that are packed to find the length
_SURELY = 10  # times: no text is compressed so well
_PARTS, _LEAST = 256, 128  # blocks that texts come in, and documents of one: few are opened to show one text
_BASE64 = 4 / 3
_CAUTION = 0.96  # of what is left: the sample is not the corpus
_WORTH = 40  # characters of a text, below which it says nothing
_BREAK = re.compile(r"[\r\n]+")
_FIELDS, _VALUE = 24, 200  # fields that are shown of a document, and characters of a value


@dataclass(frozen=True)
class Cut:
    """What a page holds of each document.

    Attributes:
        length: characters that texts are cut to; None for whole ones, 0 for none.
        fields: whether they are shown.
        pictures: whether they are shown, where documents are pictures.
    """

    length: int | None
    fields: bool = True
    pictures: bool = True

    def of(self, shown: list[Any]) -> list[Any]:
        """A document as `Waiting` keeps it, cut."""
        text, fields, characters, *picture = shown
        return [text[: self.length], fields if self.fields else {}, characters, *(picture if self.pictures else ())]


class Waiting:
    """Texts, fields and pictures on disk until all are known; a context.

    Args:
        documents: how many there will be.
        room: bytes that they may take in the page; None for as many as they need.
    """

    def __init__(self, documents: int, room: int | None) -> None:
        self._n = documents
        self._longest = None if room is None else max(_WORTH, _SURELY * room // documents)
        self._cut = self.pictured = False
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 — __exit__ closes it

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, document: Document) -> None:
        """Keep what the page may show of a document."""
        text = document.text[: self._longest]
        self._cut |= len(text) < len(document.text)
        shown: list[Any] = [text, _fields(document), len(document.text)]
        if document.picture is not None:
            shown.append(png.data_url(document.picture))
            self.pictured = True
        self._file.write(json_bytes(shown) + b"\n")

    def __iter__(self) -> Iterator[list[Any]]:
        self._file.seek(0)
        return map(json.loads, self._file)

    @property
    def per_part(self) -> int:
        """Documents of a block."""
        return max(_LEAST, -(-self._n // _PARTS))

    def parts(self, cut: Cut) -> Iterator[bytes]:
        """The blocks' contents in the order of the documents.

        Each is JSON of [text, fields, characters of the whole text], and the `data:` URL of a picture.
        """
        part: list[list[Any]] = []
        for shown in self:
            part.append(cut.of(shown))
            if len(part) == self.per_part:
                yield json_bytes(part)
                part = []
        if part:
            yield json_bytes(part)

    def fitting(self, room: float) -> Cut:
        """What fits: texts as long as may be, and fields; of pictures fields go first, then pictures.

        Args:
            room: bytes in the page.
        """
        step = max(1, self._n // _SAMPLE)
        sample = [shown for place, shown in enumerate(self) if place % step == 0]
        allowed = room * _CAUTION / _BASE64 * len(sample) / self._n

        def fits(cut: Cut) -> bool:
            return self._packed([cut.of(shown) for shown in sample]) <= allowed

        def text_fits(fields: bool, length: int) -> bool:
            return fits(Cut(length, fields))

        if not self._cut and fits(Cut(None)):
            return Cut(None)
        if self.pictured:
            less = (Cut(None, fields=False), Cut(None, pictures=False))
            return next(filter(fits, less), Cut(None, fields=False, pictures=False))
        longest = max(len(shown[0]) for shown in sample)
        for fields in (True, False):
            length = _last(partial(text_fits, fields), longest)
            if length >= _WORTH:
                return Cut(length, fields)
        return Cut(0, fits(Cut(0)))

    def _packed(self, cut: list[list[Any]]) -> int:
        """Bytes of some documents in the page's blocks."""
        starts = range(0, len(cut), self.per_part)
        return sum(len(compressed(json_bytes(cut[start : start + self.per_part]))) for start in starts)


def _last(holds: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` of which something holds that holds of all smaller ones; 0 where of none."""
    low, high = 0, most
    while high - low > max(1, low // 100):
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _fields(document: Document) -> dict[str, str]:
    """The fields that say something, as they are shown."""
    said = {name: _written(value)[:_VALUE] for name, value in document.fields.items() if value not in (None, "", [])}
    return dict(list(said.items())[:_FIELDS])


def _written(value: FieldValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def lines(texts: Iterable[str], length: int | None = None) -> bytes:
    """Texts as lines, each on one, cut to a length."""
    return "\n".join(_BREAK.sub(" ", text[:length]) for text in texts).encode("utf-8", "replace")
