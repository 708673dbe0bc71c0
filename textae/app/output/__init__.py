"""Output: what the commands print, for people and as JSON, TSV, CSV or a TREC run.

One module for each kind of result. It computes nothing and opens no index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import click

from textae.app import terminal
from textae.views import sanitise


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line."""
    for row in rows:
        click.echo(sanitise.json_line(row))


def print_rows(items: Iterable[Any], as_json: bool, line: Callable[[Any], str], **more: Any) -> None:
    """Print dataclasses, one a line: as a text, or as a JSON object with more fields before its own."""
    for item in items:
        click.echo(sanitise.json_line({**more, **asdict(item)}) if as_json else line(item))


def titled(id: str, title: str, **style: Any) -> str:
    """An id, in a style of `click.style`, and the title where it differs."""
    shown = terminal.styled(sanitise.cell(id), **style)
    return f"{shown}  {sanitise.cell(title)}" if title and title != id else shown
