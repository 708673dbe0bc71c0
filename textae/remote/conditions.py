"""Conditions as a vector database can evaluate them: predicates on a few columns of each document.

A value of a field becomes a key, a hash of the field's name, the kind and the value as `textae.index.fields` indexes
it; a document holds its keys as a list of numbers. So words, whole values and numbers mean what they mean in an index.
Ranges and prefixes compare strings, which a document holds for the first `MOST_COMPARED` values of each field and kind.
A condition that needs more is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib import import_module
from typing import Any

from textae.encoding.analyzer import words
from textae.encoding.vectorizer import Vectorizer
from textae.errors import QueryError
from textae.index.fields import Range, fold_value, is_part_of_date, number_key, prefixes_of
from textae.search.filters import Filter, numbers_of_prefix
from textae.search.parser import Condition

MOST_COMPARED = 8
"""Values of a field, of one kind, that are compared one by one."""

_MOST_TERMS = 1_000
"""Terms that a prefix may stand for."""


@dataclass(frozen=True)
class Has:
    """A document that holds one of these numbers in a column of lists."""

    column: str
    numbers: Sequence[int]


@dataclass(frozen=True)
class Between:
    """A document of which one of the first `n` values of a field, of one kind, is from low to below high."""

    field: str
    kind: str
    n: int
    low: str
    high: str


@dataclass(frozen=True)
class Numbered:
    """The documents of these numbers."""

    numbers: Sequence[int]


@dataclass(frozen=True)
class Named:
    """The document with this id."""

    id: str


@dataclass(frozen=True)
class Known:
    """The documents that have a code."""


@dataclass(frozen=True)
class AllOf:
    """What meets all predicates; of none, every document."""

    parts: Sequence[Predicate]


@dataclass(frozen=True)
class AnyOf:
    """What meets one of the predicates; of none, no document."""

    parts: Sequence[Predicate]


@dataclass(frozen=True)
class Not:
    """What does not meet a predicate."""

    part: Predicate


Predicate = Has | Between | Numbered | Named | Known | AllOf | AnyOf | Not


def key_of(field: str, kind: str, value: str) -> int:
    """The key of a value: 63 bits of a hash."""
    name = f"{field}\0{kind}{value}".encode(errors="replace")
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big") >> 1


PRESENT, DAY = "present", "date"
"""Kinds of keys beside those of the fields: a field is there; the year, the month and the day of a date."""


class Translator:
    """Translates conditions to predicates.

    Args:
        vectorizer: that numbered the terms.
        widths: by the name of a field and then by kind, the most values that a document has of it.
        terms_are_whole: whether documents hold all their terms.
    """

    def __init__(
        self, vectorizer: Vectorizer, widths: Mapping[str, Mapping[str, int]], *, terms_are_whole: bool
    ) -> None:
        self._vectorizer, self._widths, self._terms_are_whole = vectorizer, widths, terms_are_whole

    def predicate(self, filter: Filter) -> Predicate:
        """What a filter means.

        Raises:
            QueryError: a database cannot evaluate it; the message says which part.
        """
        conditions = [condition for condition in (filter.where, filter.must) if condition is not None]
        return AllOf([part for condition in conditions if (part := self._of(condition)) is not None])

    def _of(self, condition: Condition) -> Predicate | None:
        """What a condition means; None for that of a stop word, which is none."""
        query = import_module("whoosh.query")
        if isinstance(condition, query.And | query.Or):
            parts = [part for child in condition.children() if (part := self._of(child)) is not None]
            return (AllOf if isinstance(condition, query.And) else AnyOf)(parts) if parts else None
        if isinstance(condition, query.Not):
            part = self._of(condition.query)
            return None if part is None else Not(part)
        name = condition.fieldname
        if name is None:
            return AllOf([]) if isinstance(condition, query.Every) else self._of_text(condition, query)
        if isinstance(condition, query.Every):
            return Has("keys", [key_of(name, PRESENT, "")])
        if isinstance(condition, query.TermRange):
            values = Range(condition.start, condition.end, condition.startexcl, condition.endexcl)
            bounds = ((kind, _text(low), _text(high)) for kind, low, high in values.bounds())
            return AnyOf([one for bound in bounds for one in self._between(name, *bound)])
        if isinstance(condition, query.Prefix):
            starts = [(kind, start, start + _LAST) for kind, start in prefixes_of(condition.text).items()]
            return AnyOf([one for bound in starts for one in self._between(name, *bound)])
        if isinstance(condition, query.Phrase):
            return Has("keys", list(_whole(name, fold_value(condition.words[0]))))
        return Has("keys", list(_equal(name, condition.text)))

    def _of_text(self, condition: Condition, query: Any) -> Predicate | None:
        """What a condition on the words of the text means."""
        if not self._terms_are_whole:
            raise QueryError("--must needs all words of a document, and some documents here have more than are kept")
        if isinstance(condition, query.Prefix):
            numbers = numbers_of_prefix(condition.text, self._vectorizer).tolist()
            if len(numbers) > _MOST_TERMS:
                raise QueryError(
                    f"{condition.text}* stands for {len(numbers):,} words, and {_MOST_TERMS:,} are allowed"
                )
            return Has("terms", numbers)
        if not self._vectorizer.analysis.terms(condition.text):
            return None
        several = words(condition.text)
        if len(several) > 1:
            raise QueryError(f'"{condition.text}" is a phrase, and the database keeps no order of words; use AND')
        number = self._vectorizer.numbers[several[0]]
        return Has("terms", [number] if number >= 0 else [])

    def _between(self, name: str, kind: str, low: str, high: str) -> Iterator[Predicate]:
        n = self._widths.get(name, {}).get(kind, 0)
        if n > MOST_COMPARED:
            raise QueryError(
                f"a range or prefix compares each value of {name!r}, of which a document has {n:,}, and "
                f"{MOST_COMPARED} are allowed; give a whole word or value"
            )
        if n:
            yield Between(name, kind, n, low, high)


def _text(bound: bytes) -> str:
    return bound.replace(b"\xff", _LAST.encode()).decode()


_LAST = "\U0010ffff"
"""After every character."""


def _whole(name: str, value: str) -> Iterator[int]:
    yield key_of(name, "s", value)
    if (number := number_key(value)) is not None:
        yield key_of(name, "n", number)


def _equal(name: str, text: str) -> Iterator[int]:
    """The keys of a value as `FieldIndex.equal` looks for it.

    Raises:
        QueryError: it is neither one word, nor a number, nor a date.
    """
    value = fold_value(text)
    if words(value) != [value] and not is_part_of_date(value) and number_key(value) is None:
        raise QueryError(
            f"{name}:{text} looks inside of values, which the database cannot; give one word, or {name}:={text} for "
            "the whole value"
        )
    yield from _whole(name, value)
    yield key_of(name, "w", value)
    if is_part_of_date(value):
        yield key_of(name, DAY, prefixes_of(value)["d"])


def stored_values(values: Iterator[tuple[str, str, list[str]]]) -> tuple[list[int], dict[str, dict[str, list[str]]]]:
    """The keys of a document, and its values by field and kind.

    Args:
        values: as `textae.index.fields.values_of` gives them.
    """
    keys: set[int] = set()
    by_field: dict[str, dict[str, list[str]]] = {}
    for name, kind, some in values:
        keys.add(key_of(name, PRESENT, ""))
        keys.update(key_of(name, kind, value) for value in some)
        if kind == "d":
            keys.update(key_of(name, DAY, value[:n]) for value in some for n in range(4, len(value) + 1))
        known = by_field.setdefault(name, {}).setdefault(kind, [])
        known.extend(value for value in some if value not in known)
    return sorted(keys), by_field
