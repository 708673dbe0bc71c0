"""The language of `--must` and `--where`: an expression becomes a tree of Whoosh's query nodes.

    noisy signal            both words, wherever they stand; AND says the same
    a b OR c                OR takes its neighbours: a AND (b OR c); but of a AND b OR c, AND takes them first
    NOT (noise OR hum)      all documents but those
    "noisy signal"          side by side; a stop word in a phrase fits any word that is not in the vocabulary
    smooth*                 words that begin so
    topic:stars             the field is it, or holds it and cuts no word; topic:"two words", topic:(stars OR moon)
    topic:=stars            the field is it, and holds nothing else; topic:="two words"
    year:[2010 TO 2012]     with both ends; {2010 TO 2012} without them; [2010 TO *] has no end
    year:>=2010             as well > < <=
    module:os*   topic:*    begins so; the field is there
    "odd: name":value       a field whose name has blanks, colons or parentheses
    *:*                     all documents

The nodes: `Term`, `Prefix`, `TermRange` and `Every`, whose field is None for the text of a document, and `Phrase`, a
field's whole value, in `And`, `Or` and `Not`. A `Term` of the text may hold several words, which
then stand side by side.

Whoosh tags and groups an expression. It makes another condition of most mistakes without a word, so the tags are
checked before they are grouped, and a mistake is a `QueryError` that says where it is.
"""

import re
from collections.abc import Collection, Iterable
from importlib import import_module
from typing import Any, Literal, NamedTuple

from textae.encoding.analyzer import LONGEST_WORD, fold, words
from textae.errors import QueryError
from textae.index.fields import Range

Condition = Any
"""A node of `whoosh.query`, which has no types."""

Option = Literal["--must", "--where"]
"""Whether a word without a field is a word of the text, or a mistake."""

_DEEPEST = 100
"""Parentheses inside parentheses."""

_BEFORE, _BEHIND = r"(?<![^\s()])", r"(?![^\s()])"
_FIELD = r'(?<![^\s(])(?P<quote>")?(?P<text>(?(quote)[^"]+|[^\s():"]+))(?(quote)"):'
_PHRASE = r'"(?P<text>[^"]*)"(?P<slop>)'
_PREFIX = r'(?P<text>[^\s()"*]*)[*](?![^\s)])'
_COMPARISON = r"(?<=:)(?P<rel><=|>=|<|>|=)"
_RANGE = re.compile(
    r"(?P<open>[\[{])(?P<start>[^\[\]{}]*?)(?<![^\s\[{])(?i:TO)(?![^\s\]}])(?P<end>[^\[\]{}]*)(?P<close>[\]}])"
)


def parse(expression: str, option: Option, fields: Collection[str]) -> Condition:
    """The tree of an expression.

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
        self._query: Any = import_module("whoosh.query")
        self._plugins: Any = plugins
        self._syntax: Any = syntax
        comparisons = self._plugins.GtLtPlugin(_COMPARISON)
        ranged = comparisons.make_range

        def compared(node: Any, rel: str) -> Any:
            if rel != "=":
                return ranged(node, rel)
            node.is_whole = True  # Whoosh knows no equality
            return node

        comparisons.make_range = compared
        prefixes = self._plugins.PrefixPlugin(_PREFIX)
        prefixes.priority = 2  # after ranges, whose ends may be stars
        operators = {"And": f"{_BEFORE}AND{_BEHIND}", "Or": f"{_BEFORE}OR{_BEHIND}", "Not": f"{_BEFORE}NOT{_BEHIND}"}
        taken = [
            self._plugins.FieldsPlugin(_FIELD),
            self._plugins.PhrasePlugin(_PHRASE),
            self._plugins.RangePlugin(_RANGE),
            comparisons,
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
        """The tree of the expression."""
        tagged = self._parser.tag(self._expression)
        self._check(
            _Tag(
                self._kinds[type(node)],
                node.startchar,
                node.endchar,
                self._expression[node.startchar : node.endchar],
            )
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
        """The node of a grouped tag."""
        if isinstance(node, self._syntax.GroupNode):
            parts = tuple(map(self._meaning, node))
            if isinstance(node, self._syntax.NotGroup):
                return self._query.Not(parts[0])
            if len(parts) == 1:
                return parts[0]
            return (self._query.Or if isinstance(node, self._syntax.OrGroup) else self._query.And)(parts)
        kind = self._kinds[type(node)]
        if kind == "everything":
            return self._query.Every(None)
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
            return self._query.Term(None, text)
        if fold(text) not in map(fold, parts):
            raise self._mistake("a star ends one word, without marks", node.startchar)
        return self._query.Prefix(None, text)

    def _of_field(self, kind: str, node: Any) -> Condition:
        name = node.fieldname
        if kind == "range":
            low, high = (self._end(end, node.startchar) for end in (node.start, node.end))
            if low is None and high is None:
                return self._query.Every(name)
            if Range(low, high, node.startexcl, node.endexcl).is_empty():
                raise self._mistake("nothing can lie in this range", node.startchar)
            return self._query.TermRange(name, low, high, node.startexcl, node.endexcl)
        if kind == "prefix":
            return self._query.Prefix(name, node.text) if node.text else self._query.Every(name)
        if not node.text.strip():
            raise self._mistake("there is nothing between the quotes", node.startchar)
        if getattr(node, "is_whole", False):
            return self._query.Phrase(name, [node.text])
        return self._query.Term(name, node.text)

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
