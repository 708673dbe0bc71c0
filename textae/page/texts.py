"""What a page holds of its documents: texts and fields, cut to what fits.

A page has a budget. Documents are read once and wait on disk; a sample of them says how long texts may be so that the
page keeps to it, and all are cut to that one length. So a million documents need no more memory than their ids, titles
and places.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from textae.page.packing import compressed, json_bytes
from textae.types import Document, FieldValue

_SAMPLE = 1_000  # documents that are packed to find the length
_SURELY = 10  # times: no text is compressed so well
_PARTS, _LEAST = 256, 128  # blocks that texts come in, and documents of one: few are opened to show one text
_BASE64 = 4 / 3
_CAUTION = 0.96  # of what is left: the sample is not the corpus
_WORTH = 40  # characters of a text, below which it says nothing
_BREAK = re.compile(r"[\r\n]+")
_FIELDS, _VALUE = 24, 200  # fields that are shown of a document, and characters of a value


class Waiting:
    """Texts and fields on disk until all are known; a context.

    Args:
        documents: how many there will be.
        room: bytes that they may take in the page; None for as many as they need.
    """

    def __init__(self, documents: int, room: int | None) -> None:
        self._n = documents
        self._longest = None if room is None else max(_WORTH, _SURELY * room // documents)
        self._cut = False
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 — __exit__ closes it

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, document: Document) -> None:
        """Keep what the page may show of a document."""
        text = document.text[: self._longest]
        self._cut |= len(text) < len(document.text)
        self._file.write(json_bytes([text, _fields(document), len(document.text)]) + b"\n")

    def __iter__(self) -> Iterator[list[Any]]:
        self._file.seek(0)
        return map(json.loads, self._file)

    @property
    def per_part(self) -> int:
        """Documents of a block."""
        return max(_LEAST, -(-self._n // _PARTS))

    def parts(self, length: int | None, *, fields: bool = True) -> Iterator[bytes]:
        """The blocks' contents in the order of the documents: JSON of [text, fields, characters of the whole text].

        Args:
            length: characters that texts are cut to; None for whole ones.
            fields: whether they are shown.
        """
        part: list[list[Any]] = []
        for text, said, characters in self:
            part.append([text[:length], said if fields else {}, characters])
            if len(part) == self.per_part:
                yield json_bytes(part)
                part = []
        if part:
            yield json_bytes(part)

    def fitting(self, room: float) -> tuple[int | None, bool]:
        """How long texts may be, and whether fields fit too: None for whole texts, 0 for none.

        Args:
            room: bytes in the page.
        """
        step = max(1, self._n // _SAMPLE)
        sample = [shown for place, shown in enumerate(self) if place % step == 0]
        allowed = room * _CAUTION / _BASE64 * len(sample) / self._n

        def fits(length: int | None, fields: bool) -> bool:
            return self._packed(sample, length, fields) <= allowed

        if not self._cut and fits(None, True):
            return None, True
        longest = max(len(shown[0]) for shown in sample)
        for fields in (True, False):
            length = _last(partial(fits, fields=fields), longest)
            if length >= _WORTH:
                return length, fields
        return 0, fits(0, True)

    def _packed(self, sample: list[list[Any]], length: int | None, fields: bool) -> int:
        """Bytes of the sample in the page's blocks."""
        cut = [[text[:length], said if fields else {}, characters] for text, said, characters in sample]
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
