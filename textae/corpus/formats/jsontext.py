r"""JSON: a table where it is a list of objects with a text, else the keys and values, line by line as they are written.

The text keeps its lines, without the quotes, brackets and escapes: `"title": "Caf\u00e9",` is read as `title: Café`.
So a file that only resembles JSON is read too, such as settings with comments.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

from textae.corpus import formats, reading, tables
from textae.corpus.formats import Given
from textae.corpus.reading import Item

_STRING = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)"?')  # one that is not closed ends with its line
_PUNCTUATION = re.compile(r"(?:^|(?<=[:\s]))[\[\]{}]+|[\[\]{},]+(?=\s|$)|[\[\]{}]+", re.MULTILINE)
_TITLES = ("title", "name")


def read(given: Given) -> Iterator[Item]:
    """The documents of a list of objects, or the document of the file."""
    if given.size > reading.LONGEST:  # only as a table, whose rows are read one at a time
        yield from tables.read_jsonl(given.stream, given.name, given.spec, given.prefix)
        return
    text = given.text()
    value: Any = None
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
    if _is_table(value, given.spec) if value is not None else _is_lines(text):
        yield from tables.read_jsonl(BytesIO(text.encode()), given.name, given.spec, given.prefix)
        return
    named = [value[key] for key in _TITLES if isinstance(value, dict) and isinstance(value.get(key), str)]
    yield given.wanted(given.document(named[0] if named else "", [formats.lines(readable(text))]))


def _is_lines(text: str) -> bool:
    """Whether each line is an object: the first two that hold something are."""
    first = [line for line in text[: reading.LONGEST].split("\n", 20) if line.strip()][:2]
    try:
        return len(first) == 2 and all(isinstance(json.loads(line), dict) for line in first)
    except (ValueError, RecursionError):
        return False


def _is_table(value: Any, spec: tables.TableSpec) -> bool:
    is_list = isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
    if spec.text_field or not is_list:
        return is_list and any(spec.text_field in row for row in value)
    return any(column.casefold() in tables.TEXT_FIELDS for row in value for column in row)


def readable(text: str) -> str:
    """The text without the marks of JSON, line by line."""
    pieces, end = [], 0
    for string in _STRING.finditer(text):
        pieces += [_PUNCTUATION.sub(" ", text[end : string.start()]), _unescaped(string[1])]
        end = string.end()
    pieces.append(_PUNCTUATION.sub(" ", text[end:]))
    return "\n".join(line.strip() for line in "".join(pieces).split("\n"))


def _unescaped(string: str) -> str:
    if "\\" not in string:
        return string
    try:
        return " ".join(str(json.loads(f'"{string}"', strict=False)).split())
    except ValueError:
        return string
