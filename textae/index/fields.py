r"""The documents' fields, turned: for each value of each field the documents that hold it.

A value becomes a few keys, `field NUL kind value`, and the sorted dictionary of all keys is searched by bisection, as
Lucene searches its terms; what is equal, begins so or lies between is one stretch of neighbouring keys, and their
postings are one slice. Four arrays hold it all, however many fields there are. The kinds are

    d   a date as ISO 8601 writes it, 2012-05-03T10:20:30, on the clock of who wrote it (zones are left out)
    m   a number that a string spells
    n   a number; of both the bits of the double, in hexadecimal digits that sort as numbers do
    s   a string as a whole, and how a number or a truth value is written
    w   a word of a string that is not that word alone

Strings are normalised (NFKC) and case-folded, their white space is collapsed, and nothing is stemmed. A list is found
by each of its elements, and what is inside a dictionary as `outer.inner`; null, NaN and the empty string are not there.
The document's id and title are fields too.

    >>> index = FieldIndex.of([("a", "On stars", {"year": 1905}), ("b", "", {"year": 1915, "by": ["Noether"]})])
    >>> index.names()
    ['by', 'id', 'title', 'year']
    >>> index.equal("by", "noether").tolist()
    [1]
    >>> index.between("year", Range("1900", "1910")).tolist()
    [0]
"""

import itertools
import math
import re
import struct
import unicodedata
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import LONGEST_WORD, spans, words
from textae.encoding.arrays import Ints
from textae.types import FieldValue

LONGEST_STRING = 1_024
"""Characters of a string that are found as a whole; its words are found however long it is."""

_AFTER = b"\xff"
"""No byte of UTF-8, so that `key + _AFTER` comes after all keys that begin so."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(
    r"\d{4}-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?)?", re.ASCII | re.IGNORECASE
)
_PART_OF_DATE = re.compile(
    r"\d{4}(?:-\d\d(?:-\d\d(?:[T ][\d:.]*(?: ?(?:Z|[+-]\d\d:?\d\d))?)?)?)?", re.ASCII | re.IGNORECASE
)
_ZONE = re.compile(r"(?<=\d) ?(?:Z|[+-]\d\d:?\d\d)$", re.ASCII)
_MAIL_DATE = re.compile(r"(?:[a-z]{3}, *)?\d{1,2} [a-z]{3} \d{4} \d\d:\d\d.*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Range:
    """A stretch of values.

    Ends that are numbers mean numbers, ends that are dates or begin one mean dates (a year is both), and others
    strings. An end stands for all that begins with it: up to 2012 is up to the last day of 2012.

    Attributes:
        low: where it begins; None for no beginning.
        high: where it ends; None for no end.
        low_excluded: whether `low` itself is left out.
        high_excluded: whether `high` itself is left out.
    """

    low: str | None
    high: str | None
    low_excluded: bool = False
    high_excluded: bool = False

    def bounds(self) -> list[tuple[str, bytes, bytes]]:
        """For each kind of value that is meant, the first key of the stretch and the first one behind it."""
        ends = [end for end in (self.low, self.high) if end is not None]
        spelt: dict[str, Callable[[str], str]] = {}
        if all(map(_NUMBER.fullmatch, ends)):
            spelt |= dict.fromkeys("mn", lambda end: _sortable(float(end)))
        if all(map(_PART_OF_DATE.fullmatch, ends)):
            spelt["d"] = _iso
        return [
            (
                kind,
                b"" if self.low is None else _encoded(spell(self.low)) + _AFTER * self.low_excluded,
                _AFTER if self.high is None else _encoded(spell(self.high)) + _AFTER * (not self.high_excluded),
            )
            for kind, spell in (spelt or {"s": _folded}).items()
        ]

    def is_empty(self) -> bool:
        """Whether nothing can lie in it, as between 5 and 1."""
        return all(first >= last for _, first, last in self.bounds())


class FieldIndex:
    """For each value of each field the rows that hold it; it works on mapped arrays, and reads what it touches.

    What is found comes as rows, int32, in no order; a row may come more than once.

    Attributes:
        text: (n_bytes,) uint8, the keys in UTF-8, one after the other in the order of their bytes.
        starts: (n_keys + 1,) int64, where each begins in `text`.
        postings: (n_keys + 1,) int64, where the rows of each begin in `rows`.
        rows: (n_postings,) int32, rising within a key.
    """

    def __init__(
        self, text: NDArray[np.uint8], starts: NDArray[np.int64], postings: NDArray[np.int64], rows: Ints
    ) -> None:
        self.text, self.starts, self.postings, self.rows = text, starts, postings, rows

    @classmethod
    def of(cls, documents: Iterable[tuple[str, str, Mapping[str, FieldValue]]]) -> "FieldIndex":
        """The index of some documents' fields.

        Args:
            documents: (id, title, fields) of each, in the order of their rows.
        """
        new_number = itertools.count().__next__
        tables: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(new_number))
        numbers, lengths = array("q"), array("q")
        for id, title, fields in documents:
            row: set[int] = set()
            for name, value in _leaves(id, title, fields):
                for kind, values in _values(value):
                    row.update(map(tables[name, kind].__getitem__, values))
            numbers.extend(row)
            lengths.append(len(row))
        encoded = [b""] * new_number()
        for (name, kind), table in tables.items():
            start = _encoded(_field(name) + kind)
            for value, number in table.items():
                encoded[number] = start + _encoded(value)
        by_name = sorted(range(len(encoded)), key=encoded.__getitem__)
        sorted_keys = [encoded[number] for number in by_name]
        place = np.empty(len(encoded), np.int64)
        place[by_name] = np.arange(len(encoded))
        places = place[np.asarray(numbers)]
        row_of = np.repeat(np.arange(len(lengths), dtype=np.int32), np.asarray(lengths))
        return cls(
            np.frombuffer(b"".join(sorted_keys), np.uint8),
            _starts(np.fromiter(map(len, sorted_keys), np.int64)),
            _starts(np.bincount(places, minlength=len(encoded))),
            row_of[np.argsort(places, kind="stable")],
        )

    def __len__(self) -> int:
        """The number of keys."""
        return len(self.starts) - 1

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same index of."""
        return dict(vars(self))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "FieldIndex":
        """The index that gave these `arrays`."""
        return cls(*(arrays[name] for name in ("text", "starts", "postings", "rows")))

    def names(self) -> list[str]:
        """The names of all fields, sorted; each is found by one bisection."""
        names, at = [], 0
        while at < len(self):
            name = self._key(at).partition(b"\0")[0]
            names.append(name.decode(errors="replace"))
            at = self._place(name + b"\1")
        return names

    def present(self, name: str) -> Ints:
        """The rows that have the field."""
        return self._between(_field(name), b"", _AFTER)

    def equal(self, name: str, value: str) -> Ints:
        """The rows where the value is the field's, or stands in it between the ends of words.

        One word is looked up. What is more, or less, as `new york`, `c++` or `os.path`, is looked for in all the
        strings of that field. A number is equal however it is written, and the beginning of a date is every date that
        begins so.
        """
        value, found = _folded(value), [np.empty(0, np.int32)]
        if _NUMBER.fullmatch(value) and _is_exact(value):
            found.append(self._exactly(_field(name) + "n" + _sortable(float(value))))
        if _PART_OF_DATE.fullmatch(value):
            found.append(self._beginning(_field(name) + "d" + _iso(value)))
        if words(value) == [value]:
            found += [self._exactly(_field(name) + kind + value) for kind in "sw"]
        elif value:
            found.append(self._holding(_field(name) + "s", value))
        return np.concatenate(found)

    def prefix(self, name: str, prefix: str) -> Ints:
        """The rows where the field, or a word of it, begins so."""
        keys = {"d": _iso(prefix), "s": _folded(prefix), "w": _folded(prefix)}
        return np.concatenate([self._beginning(_field(name) + kind + key) for kind, key in keys.items()])

    def between(self, name: str, stretch: Range) -> Ints:
        """The rows where a value of the field lies in a range."""
        found = [self._between(_field(name) + kind, first, last) for kind, first, last in stretch.bounds()]
        return np.concatenate(found)

    def _key(self, number: int) -> bytes:
        return self.text[self.starts[number] : self.starts[number + 1]].tobytes()

    def _place(self, key: bytes) -> int:
        """The number of keys that come before this one."""
        return bisect_left(range(len(self)), key, key=self._key)

    def _slice(self, first: bytes, last: bytes) -> Ints:
        """The rows of the keys from first to before last."""
        low, high = self._place(first), self._place(last)
        return self.rows[self.postings[low] : self.postings[max(low, high)]]

    def _between(self, start: str, first: bytes, last: bytes) -> Ints:
        return self._slice(_encoded(start) + first, _encoded(start) + last)

    def _beginning(self, key: str) -> Ints:
        return self._between(key, b"", _AFTER)

    def _exactly(self, key: str) -> Ints:
        return self._between(key, b"", b"\0")  # the next key that there could be

    def _holding(self, start: str, phrase: str) -> Ints:
        """The rows of the strings that hold a phrase: their bytes are searched as one."""
        low, high = self._place(_encoded(start)), self._place(_encoded(start) + _AFTER)
        region = self.text[self.starts[low] : self.starts[high]].data
        places = [found.start() for found in re.finditer(re.escape(_encoded(phrase)), region)]
        keys = np.unique(np.searchsorted(self.starts, np.array(places, np.int64) + self.starts[low], side="right")) - 1
        length = len(_encoded(start))
        holding = [key for key in keys.tolist() if _stands_in(phrase, self._key(key)[length:].decode(errors="replace"))]
        parts = [self.rows[self.postings[key] : self.postings[key + 1]] for key in holding]
        return np.concatenate([np.empty(0, np.int32), *parts])


def _leaves(id: str, title: str, fields: Mapping[str, FieldValue]) -> Iterator[tuple[str, str | int | float | bool]]:
    """The name and value of each field and each part of one that is there."""
    waiting: list[tuple[str, FieldValue]] = [("id", id), ("title", title), *fields.items()]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += ((f"{name}.{inner}", part) for inner, part in value.items())
        elif isinstance(value, list):
            waiting += ((name, part) for part in value)
        elif value is not None:
            yield name, value


def _values(value: str | int | float | bool) -> Iterator[tuple[str, list[str]]]:
    """The keys of one value without the field's name, by their kinds."""
    if isinstance(value, str):
        folded = _folded(value)
        if not folded:
            return
        yield "s", [folded[:LONGEST_STRING]]
        parts = words(folded)
        if parts != [folded]:
            yield "w", [word for word in parts if len(word) <= LONGEST_WORD]
        if _NUMBER.fullmatch(folded):
            yield "m", [_sortable(float(folded))]
        elif _DATE.fullmatch(folded):
            yield "d", [_iso(folded)]
        elif _MAIL_DATE.fullmatch(folded) and (iso := _of_mail(value)):
            yield "d", [iso]
    elif isinstance(value, bool):
        yield "s", [str(value).lower()]
    elif not math.isnan(number := _double(value)):
        yield "n", [_sortable(number)]
        yield "s", [str(value).removesuffix(".0")]


def _field(name: str) -> str:
    """What all keys of a field begin with."""
    return name.replace("\0", " ") + "\0"


def _encoded(key: str) -> bytes:
    return key.encode(errors="replace")  # JSON can say half a pair of surrogates, and UTF-8 cannot


def _folded(text: str) -> str:
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split())


def _double(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _sortable(number: float) -> str:
    """Sixteen hexadecimal digits that sort as the numbers do: the double's bits, all flipped below 0, else the sign."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", number + 0.0))  # -0.0 is 0.0
    return f"{bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63):016x}"


def _is_exact(number: str) -> bool:
    """Whether a double tells a number from its neighbours; larger whole numbers are equal as they are written."""
    return abs(float(number)) <= 2**53


def _iso(date: str) -> str:
    return _ZONE.sub("", date.upper()).replace(" ", "T")


def _of_mail(date: str) -> str | None:
    """The date of a mail (RFC 2822) as ISO 8601 writes it; None for what only looks like one."""
    from email.utils import parsedate

    found = parsedate(date)
    return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*found) if found else None


def _stands_in(phrase: str, text: str) -> bool:
    """Whether a phrase stands in a text without cutting a word at its ends; unspaced script is cut anywhere."""
    firsts, lasts = (set(side) for side in zip(*spans(text), strict=True)) if words(text) else (set(), set())
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if (at in firsts or not phrase[0].isalnum()) and (end in lasts or not phrase[-1].isalnum()):
            return True
        at = text.find(phrase, at + 1)
    return False


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
