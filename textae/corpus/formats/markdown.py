"""Markdown: the text as it stands, without its front matter, whose keys are fields.

Front matter is YAML between lines of `---`, or TOML between lines of `+++`. The title is its `title`, else the first
heading. Values are kept as they are written: `version: 1.10` is not 1.1, and `country: no` is not false.
"""

import re
from collections.abc import Iterator
from typing import Any

from textae.corpus import formats, reading
from textae.corpus.formats import Given
from textae.corpus.reading import Item
from textae.types import FieldValue

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.*?\n)?(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_LONGEST = 1 << 13  # characters of front matter that are parsed; brackets in each other take the square of their number
_TITLE = re.compile(r"^title:(.+)$", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+)$|^(?=\S)(.+)\n(?:={3,}|-{3,}|~{3,})[ \t]*$", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def read(given: Given) -> Iterator[Item]:
    """The document of a Markdown file."""
    text = given.text().replace("\r\n", "\n")
    front = _FRONT_MATTER.match(text)
    fields = _front_matter(front[2] or "", front[1]) if front else {}
    title = next((str(fields.pop(key)) for key in list(fields) if key.lower() == "title"), "")
    if front and not fields and (stated := _TITLE.search(front[2] or "")):  # the rest of it cannot be parsed
        title = title or stated[1].strip().strip("\"'")
    # Blank lines stand for the front matter, so that the text begins at its own line.
    body = "\n" * front[0].count("\n") + text[front.end() :] if front else text
    title = title.strip() or heading(body)
    if title or body.strip():
        yield given.document(title, [formats.lines(body)], fields)
    else:
        yield given.document("", [])


def heading(text: str) -> str:
    """The first heading of Markdown or reStructuredText; "" without one."""
    match = _HEADING.search(_FENCED.sub("", text))
    return (match[2] or match[1].rstrip(" \t#") or match[1][0]) if match else ""


def _front_matter(source: str, mark: str) -> dict[str, FieldValue]:
    """The keys of front matter; none where it cannot be parsed."""
    if len(source) > _LONGEST:
        return {}
    values: Any
    try:
        values = _toml(source) if mark == "+++" else _yaml(source)
    except (ValueError, RecursionError):
        return {}
    return (
        {str(key): reading.storable_value(value) for key, value in values.items()} if isinstance(values, dict) else {}
    )


def _toml(source: str) -> Any:
    import tomllib

    return tomllib.loads(source)


def _yaml(source: str) -> Any:
    import yaml  # 15 ms

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # it makes strings, lists and dictionaries only
    try:
        # An alias can repeat a value that repeats another: a kilobyte that unfolds to gigabytes.
        if "*" in source and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, loader)):
            return {}
        return yaml.load(source, loader)
    except yaml.YAMLError as error:
        raise ValueError from error
