"""Names of topics and places: words that mean something, and no word in two names that are shown together.

A term names nothing by itself. Its name is the form that documents write most (`textae.index.surface_forms`), and a
stem that no document writes as a whole word, such as the `ve` of `I've`, has none.

    >>> is_name("c++"), is_name("x11"), is_name("1993"), is_name("q"), is_name("0x1f")
    (True, True, False, False, False)
    >>> apart([["file", "path", "open", "read"], ["path", "folder"], ["file"]])
    [['file', 'open', 'read'], ['path', 'folder'], ['file']]
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence

from textae.errors import QueryError

IN_A_NAME = 3
"""Words of a name."""

LONGEST = 100
"""Maximum of characters of a name that a person gives."""


def is_name(word: str) -> bool:
    """Whether a word may name something: not a single letter, and nothing that begins with a digit."""
    return len(word) > 1 and not word[0].isnumeric() and any(map(str.isalpha, word))


def telling_names(stems: Iterable[str], form_of: Mapping[str, str], n: int) -> tuple[str, ...]:
    """The first n names of stems, without forms of one another; where there is none, the first n stems.

    Args:
        stems: the most telling first.
        form_of: the written form of each stem that has one.
        n: maximum number.
    """
    stems = list(stems)
    chosen: list[str] = []
    for word in filter(is_name, (form_of[stem] for stem in stems if stem in form_of)):
        if len(chosen) < n and not any(_similar(word, other) for other in chosen):
            chosen.append(word)
    return tuple(chosen or stems[:n])


def _similar(one: str, other: str) -> bool:
    """Whether words are forms of one another, as vectors of vector."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and len(long) - len(short) <= 4 and long.startswith(short[: max(4, len(short) - 1)])


def apart(words: Sequence[Sequence[str]]) -> list[list[str]]:
    """At most three words of each row, and each word in one row: where it stands first, then in the first of these.

    A row whose words are all in others takes the one that stands last there; if each is the only word of its row, it
    keeps its own first three.
    """
    chosen: list[list[str]] = [[] for _ in words]
    row_of: dict[str, list[str]] = {}
    for rank in itertools.zip_longest(*words):
        for row, word in zip(chosen, rank, strict=True):
            if word is not None and word not in row_of and len(row) < IN_A_NAME:
                row.append(word)
                row_of[word] = row
    for row, own in zip(chosen, words, strict=True):
        if not row and (others := [word for word in own if len(row_of[word]) > 1]):
            word = max(others, key=lambda word: row_of[word].index(word))
            row_of[word].remove(word)
            row.append(word)
            row_of[word] = row
    return [row or list(own[:IN_A_NAME]) for row, own in zip(chosen, words, strict=True)]


def names(words: Iterable[Sequence[str]]) -> list[str]:
    """A name of each list of words: the first ones; if that name is taken, the next word that makes a new one."""
    names: list[str] = []
    for row in words:
        first = row[: IN_A_NAME - 1]
        possible = [", ".join([*first, last]) for last in row[IN_A_NAME - 1 :]] or [", ".join(row) or "unnamed"]
        numbered = (f"{possible[0]} ({number})" for number in itertools.count(2))
        names.append(next(name for name in itertools.chain(possible, numbered) if name not in names))
    return names


def check_name(name: str) -> str:
    """A name that a person gives, without the spaces around it.

    Raises:
        QueryError: it is empty, too long, or has a character that cannot be shown.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST or not name.isprintable():
        raise QueryError(f"{name!r:.60} cannot be a name; give 1 to {LONGEST} characters that can be shown")
    return name


def check_new_name(name: str) -> str:
    """The same, of a name that is new. Topics have numbers, so no number can name one.

    Raises:
        QueryError: it is a number, or no name.
    """
    if re.fullmatch(r"\s*\d[\d.]*\s*", name):
        raise QueryError(f"{name.strip()!r:.60} cannot be a name, since topics have numbers; give one with a letter")
    return check_name(name)
