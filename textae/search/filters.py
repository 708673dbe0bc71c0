"""Conditions that documents must meet: the language of `--must` and `--where`, and what it means.

    noisy signal            both words, wherever they stand; AND says the same
    a b OR c                OR takes its neighbours: a AND (b OR c); but of a AND b OR c, AND takes them first
    NOT (noise OR hum)      all documents but those
    "noisy signal"          side by side; a stop word in a phrase fits any word that is not in the vocabulary
    smooth*                 words that begin so
    topic:stars             the field is it, or holds it and cuts no word; topic:"two words", topic:(stars OR moon)
    year:[2010 TO 2012]     with both ends; {2010 TO 2012} without them; [2010 TO *] has no end
    year:>=2010             as well > < <=
    module:os*   topic:*    begins so; the field is there
    "odd: name":value       a field whose name has blanks, colons or parentheses
    *:*                     all documents

Whoosh's parser tags and groups, and only this module knows. It takes most mistakes in silence and makes another
condition of them, so that tags are checked before they are grouped: a mistake is a `QueryError` that says where it is.

Words are analysed as documents are. Stop words are in no index: alone one is no condition, as if it had not been
written, and `ignored` names it.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import LONGEST_WORD, Analysis, words
from textae.encoding.arrays import Ints, Mask
from textae.encoding.vectorizer import Vectorizer
from textae.errors import QueryError
from textae.index.fields import FieldIndex, Range

Option = Literal["--must", "--where"]
"""Whether a word without a field is a word of the text, or a mistake."""


@dataclass(frozen=True)
class Words:
    """Words that stand side by side in the title and the text."""

    text: str


@dataclass(frozen=True)
class Prefix:
    """The title or the text has a word that begins so."""

    text: str


@dataclass(frozen=True)
class InField:
    """The field is the value, or holds it (`FieldIndex.equal`)."""

    name: str
    value: str


@dataclass(frozen=True)
class FieldPrefix:
    """The field, or a word of it, begins so."""

    name: str
    prefix: str


@dataclass(frozen=True)
class Between:
    """A value of the field lies in the range."""

    name: str
    stretch: Range


@dataclass(frozen=True)
class Present:
    """The field is there."""

    name: str


@dataclass(frozen=True)
class Everything:
    """No condition at all."""


@dataclass(frozen=True)
class And:
    """All of the parts."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Or:
    """One of the parts or more."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True)
class Not:
    """All documents but those of the part."""

    part: "Condition"


Condition = Words | Prefix | InField | FieldPrefix | Between | Present | Everything | And | Or | Not


class ReadingOrder(Protocol):
    """The words of n rows in the order in which they are read."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each row begins and the last one ends: (n + 1,)."""
        ...

    @property
    def terms(self) -> Ints:
        """(n_words,) numbers of terms; -1 for a word that is no term of the vocabulary."""
        ...


class Filterable(Protocol):
    """What conditions are tried on: the documents of a segment."""

    @property
    def n_rows(self) -> int:
        """Documents, removed ones too."""
        ...

    @property
    def fields(self) -> FieldIndex:
        """Of the documents."""
        ...

    @property
    def tokens(self) -> ReadingOrder:
        """The words of the documents, the title before the text."""
        ...

    def term_rows(self, number: int) -> Ints:
        """The rows that hold a term, rising."""
        ...


def evaluate(condition: Condition, segment: Filterable, vectorizer: Vectorizer) -> Mask:
    """The documents of a segment that meet a condition: (n_rows,).

    Args:
        condition: as `parse` gives it.
        segment: whose documents are meant.
        vectorizer: that numbered the segment's terms.
    """
    met = _met(condition, segment, vectorizer)
    return np.ones(segment.n_rows, np.bool_) if met is None else met


def _met(condition: Condition, segment: Filterable, vectorizer: Vectorizer) -> Mask | None:
    """The documents that meet it; None where it is no condition, as that of a stop word."""
    match condition:
        case And(parts) | Or(parts):
            masks = [mask for part in parts if (mask := _met(part, segment, vectorizer)) is not None]
            combine = np.logical_and if isinstance(condition, And) else np.logical_or
            return combine.reduce(masks) if masks else None
        case Not(part):
            mask = _met(part, segment, vectorizer)
            return None if mask is None else ~mask
        case Everything():
            return np.ones(segment.n_rows, np.bool_)
        case Words(text) if not vectorizer.analysis.terms(text):
            return None
    found = np.zeros(segment.n_rows, np.bool_)
    found[_rows(condition, segment, vectorizer)] = True
    return found


def _rows(
    condition: Words | Prefix | InField | FieldPrefix | Between | Present, segment: Filterable, vectorizer: Vectorizer
) -> Ints:
    match condition:
        case Words(text):
            return _phrase_rows([_number(word, vectorizer) for word in words(text)], segment)
        case Prefix(text):
            numbers = numbers_of_prefix(text, vectorizer)
            return np.concatenate([np.empty(0, np.int32), *map(segment.term_rows, numbers.tolist())])
        case InField(name, value):
            return segment.fields.equal(name, value)
        case FieldPrefix(name, prefix):
            return segment.fields.prefix(name, prefix)
        case Between(name, stretch):
            return segment.fields.between(name, stretch)
        case Present(name):
            return segment.fields.present(name)


_STOP, _UNKNOWN = -1, -2


def _number(word: str, vectorizer: Vectorizer) -> int:
    number = vectorizer.numbers[word]
    return number if number >= 0 else _STOP if vectorizer.analysis.term(word) is None else _UNKNOWN


_CHUNK = 1 << 20
"""Words that are compared with a phrase at a time."""


def _phrase_rows(numbers: Sequence[int], segment: Filterable) -> Ints:
    """The rows in which these terms stand side by side; a stop word fits any word that has no number."""
    if _UNKNOWN in numbers:
        return np.empty(0, np.int32)
    rows, *others = sorted((segment.term_rows(number) for number in set(numbers) - {_STOP}), key=len)
    for other in others:
        rows = rows[np.isin(rows, other, assume_unique=True)]
    if len(numbers) == 1:
        return rows
    starts, terms = segment.tokens.starts, segment.tokens.terms
    n_places = np.maximum(starts[rows + 1] - starts[rows] - len(numbers) + 1, 0)  # where in each row it may begin
    cuts = np.flatnonzero(np.diff(np.cumsum(n_places) // _CHUNK)) + 1
    found = [np.empty(0, np.int32)]
    for part, lengths in zip(np.split(rows, cuts), np.split(n_places, cuts), strict=True):
        row_of = np.repeat(part, lengths)
        at = np.arange(len(row_of)) + np.repeat(starts[part] - np.cumsum(lengths) + lengths, lengths)
        for offset, number in enumerate(numbers):
            fits = terms[at + offset] == number
            at, row_of = at[fits], row_of[fits]
        found.append(row_of)
    return np.concatenate(found)


def numbers_of_prefix(prefix: str, vectorizer: Vectorizer) -> Ints:
    """The numbers of the terms that begin so, and of the term that the prefix stands for as a word.

    Terms are stems: smoothing* means smooth, which is shorter than itself.
    """
    folded = Analysis.of(None).term(prefix) or prefix
    own = vectorizer.numbers[prefix]
    return np.append(vectorizer.vocabulary.numbers_from(folded), np.array([own] if own >= 0 else [], np.int32))


def asked(condition: Condition) -> Iterator[str]:
    """The words and phrases of the text that a condition speaks of, as written; not the prefixes."""
    match condition:
        case Words(text):
            yield text
        case And(parts) | Or(parts):
            for part in parts:
                yield from asked(part)
        case Not(part):
            yield from asked(part)


def ignored(condition: Condition, analysis: Analysis) -> list[str]:
    """The words and phrases that are no condition, as they hold stop words alone; each once."""
    return [text for text in dict.fromkeys(asked(condition)) if not analysis.terms(text)]


_DEEPEST = 100
"""Parentheses inside parentheses."""

_BEFORE, _BEHIND = r"(?<![^\s()])", r"(?![^\s()])"
_FIELD = r'(?<![^\s(])(?P<quote>")?(?P<text>(?(quote)[^"]+|[^\s():"]+))(?(quote)"):'
_PHRASE = r'"(?P<text>[^"]*)"(?P<slop>)'
_PREFIX = r'(?P<text>[^\s()"*]*)[*](?![^\s)])'
_COMPARISON = r"(?<=:)(?P<rel><=|>=|<|>)"
_RANGE = re.compile(
    r"(?P<open>[\[{])(?P<start>[^\[\]{}]*?)(?<![^\s\[{])(?i:TO)(?![^\s\]}])(?P<end>[^\[\]{}]*)(?P<close>[\]}])"
)


def parse(expression: str, option: Option, fields: Collection[str]) -> Condition:
    """What an expression asks.

    Args:
        expression: as a person writes it.
        option: under which it was written.
        fields: the names of all fields that some document has.

    Raises:
        QueryError: it is not written as it should be; the message says where, in one line.
    """
    return _Parsing(expression, option, fields).condition()


class _Tag(NamedTuple):
    """A piece of an expression."""

    kind: str
    at: int
    end: int
    text: str


_LEAVES = ("word", "phrase", "prefix", "range", "everything")
_VALUES = {"field": ("word", "phrase", "prefix", "range", "comparison", "("), "comparison": ("word", "phrase")}


def _misplaced(before: _Tag, tag: _Tag) -> tuple[str, _Tag] | None:
    """What is wrong, and with which, where one piece follows another; None where nothing is."""
    touches = before.end == tag.at
    match before.kind, tag.kind:
        case (("field" | "comparison"), kind) if not touches or kind not in _VALUES[before.kind]:
            return f"a value must follow {before.text} without a blank", before
        case "start", "end":
            return "there is no condition", tag
        case "(", ")":
            return "there is nothing between the parentheses", before
        case (("start" | "("), "infix"):
            return f"a condition must come before {tag.text}", tag
        case (("infix" | "NOT" | "("), ("infix" | ")" | "end")):
            return f"a condition must follow {before.text}", before
        case "NOT", "NOT":
            return "NOT NOT says nothing", before
        case kind, ("(" | "NOT" | "field" | "word" | "phrase" | "prefix" | "range" | "everything") if touches and (
            kind in _LEAVES or kind == ")"
        ):
            return "a blank must part two conditions, and quotes hold together what is one", tag
    return None


_MISTAKES = (
    (re.compile('"'), "this quote is not closed"),
    (re.compile(r"[*]"), "a star can only be the end of a word"),
    (re.compile(r"^[<>=]"), "a comparison follows its field, as in year:>=2010"),
    (re.compile(r"^[\[{]"), "a range is written [2010 TO 2012]"),
    (re.compile(r"\^[\d.]*$"), "conditions have no weights"),
    (re.compile(r"~[\d.]*$"), "words are not found by likeness; a star finds those that begin so"),
)
_MISTAKES_IN_WORDS = (
    (re.compile(r"^[+!-]"), "NOT is written out, and all conditions are required"),
    (re.compile(r"(?<=\w)[?](?=\w)"), "a question mark stands for no letter; a star can be the end of a word"),
)

_SHOWN = 24
"""Characters of an expression that a message shows."""


class _Parsing:
    """One expression on its way from characters to a condition."""

    def __init__(self, expression: str, option: Option, fields: Collection[str]) -> None:
        from whoosh.qparser import plugins, syntax
        from whoosh.qparser.default import QueryParser

        self._expression, self._option, self._fields = expression, option, fields
        self._plugins: Any = plugins
        self._syntax: Any = syntax
        prefixes = self._plugins.PrefixPlugin(_PREFIX)
        prefixes.priority = 2  # after ranges, whose ends may be stars
        operators = {"And": f"{_BEFORE}AND{_BEHIND}", "Or": f"{_BEFORE}OR{_BEHIND}", "Not": f"{_BEFORE}NOT{_BEHIND}"}
        taken = [
            self._plugins.FieldsPlugin(_FIELD),
            self._plugins.PhrasePlugin(_PHRASE),
            self._plugins.RangePlugin(_RANGE),
            self._plugins.GtLtPlugin(_COMPARISON),
            self._plugins.GroupPlugin(),
            self._plugins.OperatorsPlugin(**operators, AndNot=None, AndMaybe=None, Require=None),
            self._plugins.EveryPlugin(),
            prefixes,
        ]
        self._parser: Any = QueryParser(None, None, plugins=taken)
        self._kinds = {
            syntax.Whitespace: "blank",
            syntax.FieldnameNode: "field",
            syntax.RangeNode: "range",
            syntax.WordNode: "word",
            syntax.InfixOperator: "infix",
            syntax.PrefixOperator: "NOT",
            self._plugins.GtLtPlugin.GtLtNode: "comparison",
            self._plugins.PhrasePlugin.PhraseNode: "phrase",
            self._plugins.PrefixPlugin.PrefixNode: "prefix",
            self._plugins.GroupPlugin.OpenBracket: "(",
            self._plugins.GroupPlugin.CloseBracket: ")",
            self._plugins.EveryPlugin.EveryNode: "everything",
        }

    def condition(self) -> Condition:
        """What the expression asks."""
        tagged = self._parser.tag(self._expression)
        self._check(
            _Tag(self._kinds[type(node)], node.startchar, node.endchar, self._expression[node.startchar : node.endchar])
            for node in tagged
        )
        return self._meaning(self._parser.filterize(tagged))

    def _mistake(self, what: str, at: int) -> QueryError:
        shown = self._expression[at:] or self._expression[-_SHOWN:]
        shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
        return QueryError(f"{' '.join(what.split())}, at character {at + 1} of {self._option}: {shown!r}")

    def _check(self, tags: Iterable[_Tag]) -> None:
        """See whether the pieces, in their order, make a condition."""
        opened: list[int] = []
        before, end = _Tag("start", 0, 0, ""), _Tag("end", len(self._expression), len(self._expression), "")
        for tag in (*(tag for tag in tags if tag.kind != "blank"), end):
            if tag.kind == ")" and not opened:
                raise self._mistake("this parenthesis closes nothing", tag.at)
            if fault := _misplaced(before, tag):
                raise self._mistake(fault[0], fault[1].at)
            if tag.kind == "field":
                self._check_field(tag.text[:-1].strip('"'), tag.at)
            if tag.kind == "(":
                opened.append(tag.at)
            elif tag.kind == ")":
                opened.pop()
            if len(opened) > _DEEPEST:
                raise self._mistake(f"there are more than {_DEEPEST} parentheses inside each other", tag.at)
            before = tag
        if opened:
            raise self._mistake("this parenthesis is not closed", opened[-1])

    def _check_field(self, name: str, at: int) -> None:
        if name in self._fields:
            return
        from difflib import get_close_matches

        there = sorted(self._fields)
        known = ", ".join(there[:_LISTED]) + (f" and {len(there) - _LISTED} more" if len(there) > _LISTED else "")
        near = get_close_matches(name.casefold(), {field.casefold(): field for field in there}, n=1)
        meant = next((f"did you mean {field!r}? " for field in there if field.casefold() in near), "")
        quotes = "; quotes make a word of what has a colon" if self._option == "--must" else ""
        raise self._mistake(f"no document has a field {name!r}; {meant}there are {known}{quotes}", at)

    def _meaning(self, node: Any) -> Condition:
        """The condition that a grouped tag is."""
        if isinstance(node, self._syntax.GroupNode):
            parts = tuple(map(self._meaning, node))
            if isinstance(node, self._syntax.NotGroup):
                return Not(parts[0])
            return parts[0] if len(parts) == 1 else Or(parts) if isinstance(node, self._syntax.OrGroup) else And(parts)
        kind = self._kinds[type(node)]
        if kind == "everything":
            return Everything()
        if kind in ("word", "prefix"):
            self._check_text(node.text, node.startchar, _MISTAKES)
        if node.fieldname is not None:
            return self._of_field(kind, node)
        if self._option == "--where":
            what = "this has no field; write it as in topic:stars, or use --must for words of the text"
            raise self._mistake(what, node.startchar)
        if kind == "range":
            raise self._mistake("a range follows its field, as in year:[2010 TO 2012]", node.startchar)
        return self._of_text(kind, node)

    def _check_text(self, text: str, at: int, mistakes: Iterable[tuple[re.Pattern[str], str]]) -> None:
        for pattern, what in mistakes:
            if found := pattern.search(text):
                raise self._mistake(what, at + found.start())

    def _of_text(self, kind: str, node: Any) -> Condition:
        text, parts = node.text, words(node.text)
        if kind != "phrase":
            self._check_text(text, node.startchar, _MISTAKES_IN_WORDS)
        elif "*" in text:
            raise self._mistake("a star has no meaning inside a phrase", node.startchar)
        if not parts:
            raise self._mistake("there is no word in this", node.startchar)
        if max(map(len, parts)) > LONGEST_WORD:
            raise self._mistake(f"words of more than {LONGEST_WORD} characters are in no index", node.startchar)
        if kind != "prefix":
            return Words(text)
        if parts != [text]:
            raise self._mistake("a star ends one word, without marks", node.startchar)
        return Prefix(text)

    def _of_field(self, kind: str, node: Any) -> Condition:
        name = node.fieldname
        if kind == "range":
            return self._range(name, node)
        if kind == "prefix":
            return FieldPrefix(name, node.text) if node.text else Present(name)
        if not node.text.strip():
            raise self._mistake("there is nothing between the quotes", node.startchar)
        return InField(name, node.text)

    def _range(self, name: str, node: Any) -> Condition:
        low, high = (self._end(end, node.startchar) for end in (node.start, node.end))
        if low is None and high is None:
            return Present(name)
        stretch = Range(low, high, node.startexcl, node.endexcl)
        if stretch.is_empty():
            raise self._mistake("nothing can lie in this range", node.startchar)
        return Between(name, stretch)

    def _end(self, end: str | None, at: int) -> str | None:
        """One end of a range; None where it is open."""
        end = (end or "").strip()
        if end in ("", "*"):
            return None
        if len(end) > 1 and end[0] == end[-1] == '"':
            end = end[1:-1].strip()
        if not end or not _RANGE_END.fullmatch(end):
            raise self._mistake("an end of a range is a number, a date, a string or a star", at)
        return end


_LISTED = 10
"""Fields that a message names."""

_RANGE_END = re.compile(r'[^"*]+')
