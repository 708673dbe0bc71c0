"""What 'textae topics' prints: a table for people, JSON lines, CSV."""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from textae.app import terminal
from textae.types import Topic, Topics
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.explore.topics_over_time import TopicsOverTime

_BARS = " ▁▂▃▄▅▆▇█"
_NAME = 24  # columns of a name beside bars


def print_topics(found: Topics, asked: Topic | None, options: Mapping[str, Any]) -> None:
    """Print areas and their topics, a line each.

    Args:
        found: the topics.
        asked: an area or a topic, to print that alone; None for all.
        options: of the command.
    """
    if options["as_json"]:
        for topic in _rows(found, asked):
            click.echo(sanitise.json_line(_of_topic(topic, found)))
    elif options["as_csv"]:
        header = ("id", "name", "documents", "share", "words")
        rows = ({**_of_topic(topic, found), "words": " ".join(topic.words)} for topic in _rows(found, asked))
        _print_csv(header, ([row[name] for name in header] for row in rows))
    else:
        colour = terminal.colourful()
        for topic in _shown(found):
            line = _line(topic, found)
            is_area = topic in found.groups
            click.echo(click.style(line, bold=True) if colour and is_area else line, color=colour)
    without = f"; {found.without_code:,} without a code belong to none" if found.without_code else ""
    counted = ((found.leaves, "topic"), (found.groups, "area"))
    topics, areas = (f"{len(of):,} {name}{'' if len(of) == 1 else 's'}" for of, name in counted)
    terminal.note(f"{topics} in {areas}, of {found.documents:,} documents{without}", quiet=options["quiet"])


def _rows(found: Topics, asked: Topic | None) -> Iterator[Topic]:
    """All areas, or one or a topic, each area before its topics."""
    for area in found.groups if asked is None else (asked,):
        yield area
        yield from area.topics


def _shown(found: Topics) -> Iterator[Topic]:
    """The rows that say something to a person: of an area of a single topic the topic."""
    for area in found.groups:
        if len(area.topics) > 1:
            yield area
        yield from area.topics


def _of_topic(topic: Topic, found: Topics) -> dict[str, Any]:
    """A topic as JSON has it, those inside by their ids."""
    share = round(topic.documents / max(1, found.documents), 4)
    return asdict(topic) | {"share": share, "topics": [inner.id for inner in topic.topics]}


def _print_csv(header: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([sanitise.cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def _line(topic: Topic, found: Topics) -> str:
    documents = f"{topic.documents:,}"
    id = topic.id if "." not in topic.id else f"  {topic.id}"
    start = f"{id:7} {documents:>{len(f'{found.documents:,}')}} {_percent(topic, found):>6}  "
    return start + _cut(topic.name, shutil.get_terminal_size().columns - len(start))


def _percent(topic: Topic, found: Topics) -> str:
    return f"{topic.documents / max(1, found.documents):.1%}"


def _cut(text: str, width: int) -> str:
    """A text on one line, no longer than a terminal is wide."""
    text, width = sanitise.cell(text), max(width, 12)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def print_topic(topic: Topic, found: Topics, *, as_json: bool) -> None:
    """Print one topic: its words, its typical documents, and the topics in it."""
    if as_json:
        click.echo(sanitise.json_line(_of_topic(topic, found)))
        return
    colour = terminal.colourful()
    name = f"{topic.id}  {sanitise.cell(topic.name)}"
    click.echo(click.style(name, bold=True) if colour else name, color=colour)
    click.echo(f"{topic.documents:,} of {found.documents:,} documents, {_percent(topic, found)}")
    if (words := ", ".join(topic.words)) != topic.name:
        click.echo(terminal.wrapped(words, 0))
    for one in topic.typical:
        title = f"  {sanitise.cell(one.title)}" if one.title and one.title != one.id else ""
        click.echo(f"  {one.strength:.2f}  {sanitise.cell(one.id)}{title}")
    for inner in topic.topics:
        click.echo(_line(inner, found))


def print_over_time(over: TopicsOverTime, asked: Topic | None, options: Mapping[str, Any]) -> None:
    """Print topics and how many documents of each there are in each period."""
    found = over.topics
    counts = _counts(over)
    rows = list(_rows(found, asked))
    if options["as_json"]:
        for topic in rows:
            periods = dict(zip(over.periods, counts[topic.id], strict=True))
            click.echo(sanitise.json_line({"id": topic.id, "name": topic.name, "unit": over.unit, "periods": periods}))
    elif options["as_csv"]:
        cells = (
            (topic.id, topic.name, period, n)
            for topic in rows
            for period, n in zip(over.periods, counts[topic.id], strict=True)
        )
        _print_csv(("id", "name", over.unit, "documents"), cells)
    else:
        _print_bars(over, counts, rows if asked else list(_shown(found)))
    undated = f"; {over.undated:,} documents without a date" if over.undated else ""
    terminal.note(
        f"{over.periods[0]} to {over.periods[-1]}, by {over.unit}; bars are shares of the documents of each, beside "
        f"the highest of the line{undated}",
        quiet=options["quiet"],
    )


def _counts(over: TopicsOverTime) -> dict[str, list[int]]:
    """The documents of each period, by the id of a topic or an area."""
    counts: dict[str, list[int]] = {}
    first = 0
    for area in over.topics.groups:
        part = over.documents[first : first + len(area.topics)]
        counts[area.id] = part.sum(axis=0).tolist()
        counts |= {topic.id: row.tolist() for topic, row in zip(area.topics, part, strict=True)}
        first += len(area.topics)
    return counts


def _print_bars(over: TopicsOverTime, counts: Mapping[str, Sequence[int]], rows: Sequence[Topic]) -> None:
    """Print a line of bars a topic: its share of each period's documents, the highest of the line a full bar."""
    columns = shutil.get_terminal_size().columns
    name = _NAME if columns >= 80 else _NAME // 2
    width = max(8, columns - name - len(over.periods[0]) - 21)
    n = len(over.periods)
    edges = [n * column // min(n, width) for column in range(min(n, width) + 1)]
    every = [sum(over.documents[:, a:b].sum(axis=0).tolist()) for a, b in pairwise(edges)]
    for topic in rows:
        held = [sum(counts[topic.id][a:b]) for a, b in pairwise(edges)]
        shares = [part / max(1, whole) for part, whole in zip(held, every, strict=True)]
        most = max(shares)
        bars = "".join(_BARS[round(8 * share / most) if most else 0] for share in shares)
        highest = over.periods[edges[shares.index(most)]] if most else ""
        id = topic.id if "." not in topic.id else f"  {topic.id}"
        click.echo(f"{id:7} {sum(held):7,}  {_cut(topic.name, name):{name}}  {bars}  {highest}".rstrip())
