r"""An inverted index of the documents' fields: for each value of each field, the documents that hold it.

A value becomes a few keys, `field NUL kind value`, of an `InvertedIndex`. Four arrays hold it all, however many fields
there are. The kinds are

    d   an ISO 8601 date, 2012-05-03T10:20:30, in local time (time zones are left out)
    m   a number in a string
    n   a number; both as the bits of the double, in hexadecimal digits that sort as numbers do
    s   a whole string, and the text of a number or a boolean
    w   a word of a string of several words

Strings are normalised (NFKC) and case-folded, their white space is collapsed, and nothing is stemmed. Each element of a
list is indexed, and the values inside a dictionary as `outer.inner`; null, NaN and the empty string are not indexed.
The id and the title of a document are fields too.

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
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from textae.encoding.analyzer import LONGEST_WORD, fold, spans, words
from textae.encoding.arrays import Ints
from textae.index.inverted import AFTER, InvertedIndex
from textae.types import FieldValue

LONGEST_STRING = 1_024
"""Characters of a string that are indexed as a whole; all its words are indexed."""

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
    """A range of values.

    Two numbers are a range of numbers, two dates or prefixes of dates a range of dates (years are both), and other ends
    a range of strings. An end stands for all values with this prefix: up to 2012 means up to the last day of 2012.

    Attributes:
        low: the lower end; None for no end.
        high: the upper end; None for no end.
        exclude_low: whether the range excludes `low` itself.
        exclude_high: whether the range excludes `high` itself.
    """

    low: str | None
    high: str | None
    exclude_low: bool = False
    exclude_high: bool = False

    def bounds(self) -> list[tuple[str, bytes, bytes]]:
        """For each kind of value in the range: the kind, the first key, and the first key behind the range."""
        ends = [end for end in (self.low, self.high) if end is not None]
        spellings: dict[str, Callable[[str], str]] = {}
        if all(map(_NUMBER.fullmatch, ends)):
            spellings |= dict.fromkeys("mn", lambda end: _sortable(float(end)))
        if all(map(_PART_OF_DATE.fullmatch, ends)):
            spellings["d"] = _iso
        bounds = []
        for kind, spell in (spellings or {"s": fold_value}).items():
            first = b"" if self.low is None else _encoded(spell(self.low)) + AFTER * self.exclude_low
            last = AFTER if self.high is None else _encoded(spell(self.high)) + AFTER * (not self.exclude_high)
            bounds.append((kind, first, last))
        return bounds

    def is_empty(self) -> bool:
        """Whether no value can be in the range, as between 5 and 1."""
        return all(first >= last for _, first, last in self.bounds())


class FieldIndex(InvertedIndex):
    """For each value of each field, the rows that hold it: in no order, and one row may come several times."""

    @classmethod
    def of(cls, documents: Iterable[tuple[str, str, Mapping[str, FieldValue]]]) -> Self:
        """Index the fields of documents.

        Args:
            documents: (id, title, fields) of each, in the order of their rows.
        """
        new_number = itertools.count().__next__
        tables: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(new_number))
        numbers, lengths = array("q"), array("q")
        for id, title, fields in documents:
            row: set[int] = set()
            for name, kind, values in values_of(id, title, fields):
                row.update(map(tables[name, kind].__getitem__, values))
            numbers.extend(row)
            lengths.append(len(row))
        keys = [b""] * new_number()
        for (name, kind), table in tables.items():
            start = _encoded(_field(name) + kind)
            for value, number in table.items():
                keys[number] = start + _encoded(value)
        return cls.of_keys(keys, np.asarray(numbers), np.asarray(lengths))

    def names(self) -> list[str]:
        """The names of all fields, sorted; one bisection each."""
        names, at = [], 0
        while at < len(self):
            name = self.key(at).partition(b"\0")[0]
            names.append(name.decode(errors="replace"))
            before, at = at, self.rank(name + b"\1")
            if at <= before:
                raise ValueError("the keys of the fields are not sorted")
        return names

    def present(self, name: str) -> Ints:
        """The rows that have the field."""
        return self._with_prefix(_field(name))

    def equal(self, name: str, value: str) -> Ints:
        """The rows where the field is the value, or holds it between word boundaries.

        One word is looked up; any other value, such as `new york`, `c++` or `os.path`, is searched in all strings of
        the field. A number equals every spelling of it, and the prefix of a date equals every date with it.
        """
        value = fold_value(value)
        rows = [self._number(name, value)]
        if is_part_of_date(value):
            rows.append(self._with_prefix(_field(name) + "d" + _iso(value)))
        if words(value) == [value]:
            rows += [self._exactly(_field(name) + kind + value) for kind in "sw"]
        elif value:
            rows.append(self._holding(_field(name) + "s", value))
        return np.concatenate(rows)

    def whole(self, name: str, value: str) -> Ints:
        """The rows where the field, or an element of its list, is the value; numbers are equal as `equal` has them."""
        value = fold_value(value)
        rows = [self._number(name, value), self._exactly(_field(name) + "s" + value[:LONGEST_STRING])]
        return np.concatenate(rows)

    def prefix(self, name: str, prefix: str) -> Ints:
        """The rows where the field, or a word of it, has this prefix."""
        keys = prefixes_of(prefix).items()
        return np.concatenate([self._with_prefix(_field(name) + kind + key) for kind, key in keys])

    def between(self, name: str, values: Range) -> Ints:
        """The rows where a value of the field is in a range."""
        starts = [(_encoded(_field(name) + kind), first, last) for kind, first, last in values.bounds()]
        return np.concatenate([self.rows_between(start + first, start + last) for start, first, last in starts])

    def _with_prefix(self, key: str) -> Ints:
        return self.rows_between(_encoded(key), _encoded(key) + AFTER)

    def _exactly(self, key: str) -> Ints:
        return self.rows_of(_encoded(key))

    def _number(self, name: str, value: str) -> Ints:
        """The rows where the field is a number that is written so."""
        number = number_key(value)
        return np.empty(0, np.int32) if number is None else self._exactly(_field(name) + "n" + number)

    def _holding(self, start: str, phrase: str) -> Ints:
        """The rows of the strings that hold a phrase; their bytes are searched as one text."""
        prefix = _encoded(start)
        low, high = self.rank(prefix), self.rank(prefix + AFTER)
        region = self.text[self.starts[low] : self.starts[high]].data
        at = [match.start() for match in re.finditer(re.escape(_encoded(phrase)), region)]
        keys = np.unique(np.searchsorted(self.starts, np.array(at, np.int64) + self.starts[low], side="right")) - 1
        rows = [np.empty(0, np.int32)]
        for key in keys.tolist():
            if _is_phrase_of(self.key(key)[len(prefix) :].decode(errors="replace"), phrase):
                rows.append(self.rows[self.postings[key] : self.postings[key + 1]])
        return np.concatenate(rows)


def values_of(id: str, title: str, fields: Mapping[str, FieldValue]) -> Iterator[tuple[str, str, list[str]]]:
    """The values that are indexed of a document: the name of a field, a kind, and values as their keys hold them."""
    for name, value in _leaves(id, title, fields):
        for kind, values in _values(value):
            yield name, kind, values


def _leaves(id: str, title: str, fields: Mapping[str, FieldValue]) -> Iterator[tuple[str, str | int | float | bool]]:
    """The name and value of each field, of each element of a list, and of each value in a dictionary."""
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
    """The keys of one value without the field's name, by kind."""
    if isinstance(value, str):
        folded = fold_value(value)
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
        elif _MAIL_DATE.fullmatch(folded):
            from email.utils import parsedate

            date = parsedate(value)
            if date:
                yield "d", ["{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*date)]
        return
    if isinstance(value, bool):
        yield "s", [str(value).lower()]
        return
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    if not math.isnan(number):
        yield "n", [_sortable(number)]
        yield "s", [str(value).removesuffix(".0")]


def _field(name: str) -> str:
    """The prefix of all keys of a field."""
    return name.replace("\0", " ") + "\0"


def number_key(value: str) -> str | None:
    """The value of the key of a number that is written so; None where it is none.

    A double tells a number from its neighbours up to 2^53; larger whole numbers are equal as they are written.
    """
    return _sortable(float(value)) if _NUMBER.fullmatch(value) and abs(float(value)) <= 2**53 else None


def is_part_of_date(value: str) -> bool:
    """Whether a value is a date, or the beginning of one."""
    return bool(_PART_OF_DATE.fullmatch(value))


def prefixes_of(prefix: str) -> dict[str, str]:
    """How the values of each kind begin that have a prefix."""
    return {"d": _iso(prefix), "s": fold_value(prefix), "w": fold_value(prefix)}


def _encoded(key: str) -> bytes:
    return key.encode(errors="replace")  # JSON can hold half a surrogate pair, and UTF-8 cannot


def fold_value(text: str) -> str:
    """A string as it is indexed: folded, with single spaces."""
    return " ".join(fold(text).split())


def _sortable(number: float) -> str:
    """16 hexadecimal digits that sort as numbers do: the double's bits, all flipped below 0, otherwise the sign."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", number + 0.0))  # -0.0 is 0.0
    return f"{bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63):016x}"


def _iso(date: str) -> str:
    return _ZONE.sub("", date.upper()).replace(" ", "T")


def _is_phrase_of(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase between word boundaries; unspaced script has them everywhere."""
    boundaries = list(spans(text))
    firsts, lasts = {first for first, _ in boundaries}, {last for _, last in boundaries}
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if (at in firsts or not phrase[0].isalnum()) and (end in lasts or not phrase[-1].isalnum()):
            return True
        at = text.find(phrase, at + 1)
    return False
