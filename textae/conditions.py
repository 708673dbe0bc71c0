r"""Conditions that documents must meet: the query language of filters, and what it means.

    noisy signal            both words (AND is meant where nothing stands between)
    noisy OR signal         OR binds its two neighbours less than AND, more than nothing: a b OR c is a AND (b OR c)
    NOT (noise OR hum)
    "noisy signal"          side by side; a stop word in the phrase fits any stop word
    smooth*                 words that begin so
    topic:stars             the field is it, or holds it between the ends of words; topic:"two words", topic:(a OR b)
    year:[2010 TO 2012]     from and to, both included; {2010 TO 2012} without them; [2010 TO *] without an end
    year:>=2010             also > < <=
    module:os*   topic:*    begins so; the field is there
    "odd: name":value       a field whose name has blanks or marks
    *:*                     all documents

Whoosh's parser tags and groups, and no other module knows that it does. It takes most mistakes in silence, so that what
it tagged is checked before it is grouped: a mistake is a `QueryError` that says where.

Words are analysed as documents are. A stop word is not in the index; alone it is no condition, and `ignored` names it.
"""

from dataclasses import dataclass
from typing import Literal

from textae.fields import Range

Option = Literal["--must", "--where"]
"""What is parsed: words of the text and fields, or fields alone."""


@dataclass(frozen=True)
class Words:
    """Words that stand side by side in the title and text."""

    text: str


@dataclass(frozen=True)
class Prefix:
    """A word of the title and text that begins so."""

    text: str


@dataclass(frozen=True)
class InField:
    """A field that is a value or holds it."""

    name: str
    value: str


@dataclass(frozen=True)
class FieldPrefix:
    """A field of which the whole or a word begins so."""

    name: str
    prefix: str


@dataclass(frozen=True)
class Between:
    """A field whose value lies in a range."""

    name: str
    stretch: Range


@dataclass(frozen=True)
class Present:
    """A field that is there."""

    name: str


@dataclass(frozen=True)
class Everything:
    """Any document."""


@dataclass(frozen=True)
class All:
    """All of several conditions."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Any_:
    """At least one of several conditions."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Not:
    """Any document but those of a condition."""

    part: "Condition"


Condition = Words | Prefix | InField | FieldPrefix | Between | Present | Everything | All | Any_ | Not
