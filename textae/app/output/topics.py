"""Topics: a table for people, JSON, CSV, and bars over time."""

from __future__ import annotations

import csv
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from textae.app import terminal
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.app.cli.options import ShellOptions
    from textae.explore.topics_over_time import TopicsOverTime
    from textae.types import Topic, Topics

_BARS = " ▁▂▃▄▅▆▇█"
_NAME_WIDTH = 24  # columns of a topic's name beside bars


def print_topics(topics: Topics, chosen: Topic | None, shell: ShellOptions) -> None:
    """Print areas and their topics, one a line.

    Args:
        topics: all topics of the index.
        chosen: an area or a topic to print alone; None for all.
        shell: the format.
    """
    rows = [_row(topic, topics) for topic in _chosen(topics, chosen)]
    if shell.as_json:
        terminal.print_json(rows)
    elif shell.as_csv:
        header = ("id", "name", "documents", "share", "words")
        _print_csv(header, ([{**row, "words": " ".join(row["words"])}[name] for name in header] for row in rows))
    else:
        for topic in _chosen(topics, table=True):
            click.echo(terminal.styled(_line(topic, topics), bold=topic in topics.groups))
    counts = ((len(topics.leaves), "topic"), (len(topics.groups), "area"))
    counted = " in ".join(f"{n:,} {name}{'' if n == 1 else 's'}" for n, name in counts)
    without = f"; {topics.without_code:,} without a code belong to none" if topics.without_code else ""
    shell.note(f"{counted}, of {topics.documents:,} documents{without}")


def note_lost(topics: Topics, shell: ShellOptions) -> None:
    """Say which names and seeds of a person these topics have not."""
    if topics.lost:
        named = ", ".join(repr(sanitise.cell(name)) for name in topics.lost)
        shell.note(f"not carried over, because no topic has mostly the same documents or words: {named}")


def _chosen(topics: Topics, chosen: Topic | None = None, *, table: bool = False) -> list[Topic]:
    """All areas, or the chosen area or topic; each area before its topics.

    A table leaves out an area of one topic, as its line would repeat the topic's.
    """
    areas = topics.groups if chosen is None else (chosen,)
    return [topic for area in areas for topic in (area, *area.topics) if not table or len(topic.topics) != 1]


def _row(topic: Topic, topics: Topics) -> dict[str, Any]:
    share = round(topic.documents / max(1, topics.documents), 4)
    return asdict(topic) | {"share": share, "topics": [inner.id for inner in topic.topics]}


def _print_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([sanitise.cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def _line(topic: Topic, topics: Topics) -> str:
    width, share = len(f"{topics.documents:,}"), topic.documents / max(1, topics.documents)
    start = f"{_indented(topic.id):7} {topic.documents:{width},} {share:6.1%}  "
    return start + _cut(topic.name, shutil.get_terminal_size().columns - len(start))


def _indented(id: str) -> str:
    return f"  {id}" if "." in id else id


def _cut(text: str, width: int) -> str:
    """The text on one line of at most `width` columns."""
    text, width = sanitise.cell(text), max(width, 12)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def print_topic(topic: Topic, topics: Topics, shell: ShellOptions) -> None:
    """Print one topic: its words, its typical documents, and the topics in it."""
    if shell.as_json:
        terminal.print_json([_row(topic, topics)])
        return
    click.echo(terminal.styled(f"{topic.id}  {sanitise.cell(topic.name)}", bold=True))
    share = topic.documents / max(1, topics.documents)
    click.echo(f"{topic.documents:,} of {topics.documents:,} documents, {share:.1%}")
    if (words := ", ".join(topic.words)) != topic.name:
        click.echo(terminal.wrapped(words))
    for document in topic.typical:
        click.echo(f"  {document.strength:.2f}  {terminal.titled(document.id, document.title)}")
    for inner in topic.topics:
        click.echo(_line(inner, topics))


def print_over_time(over_time: TopicsOverTime, chosen: Topic | None, shell: ShellOptions) -> None:
    """Print the number of documents of each topic in each period."""
    topics, periods, unit = over_time.topics, over_time.periods, over_time.unit
    by_leaf = dict(zip((topic.id for topic in topics.leaves), over_time.documents, strict=True))
    by_area = {area.id: sum(by_leaf[topic.id] for topic in area.topics) for area in topics.groups}
    counts = {id: row.tolist() for id, row in (by_leaf | by_area).items()}  # documents of each period
    table = not (chosen or shell.as_json or shell.as_csv)
    rows = _chosen(topics, chosen, table=table)
    series = [(topic, dict(zip(periods, counts[topic.id], strict=True))) for topic in rows]
    if shell.as_json:
        terminal.print_json({"id": one.id, "name": one.name, "unit": unit, "periods": by} for one, by in series)
    elif shell.as_csv:
        cells = ((topic.id, topic.name, period, n) for topic, one in series for period, n in one.items())
        _print_csv(("id", "name", unit, "documents"), cells)
    else:
        _print_bars(over_time, counts, rows)
    undated = f"; {over_time.undated:,} documents without a date" if over_time.undated else ""
    bars = "a bar is the topic's share of the documents of a period, relative to its highest share"
    shell.note(f"{periods[0]} to {periods[-1]}, by {unit}; {bars}{undated}")


def _print_bars(over_time: TopicsOverTime, counts: Mapping[str, Sequence[int]], rows: Sequence[Topic]) -> None:
    """Print a line of bars for each topic: its share of each period's documents, its highest share a full bar."""
    columns, periods = shutil.get_terminal_size().columns, over_time.periods
    name_width = _NAME_WIDTH if columns >= 80 else _NAME_WIDTH // 2
    n = min(len(periods), max(8, columns - name_width - len(periods[0]) - 21))
    edges = [len(periods) * column // n for column in range(n + 1)]  # of the periods that share a bar
    totals = [over_time.documents[:, a:b].sum().item() for a, b in pairwise(edges)]
    for topic in rows:
        parts = [sum(counts[topic.id][a:b]) for a, b in pairwise(edges)]
        shares = [part / max(1, total) for part, total in zip(parts, totals, strict=True)]
        most = max(shares)
        bars = "".join(_BARS[round(8 * share / most) if most else 0] for share in shares)
        peak = periods[edges[shares.index(most)]] if most else ""
        name = _cut(topic.name, name_width)
        click.echo(f"{_indented(topic.id):7} {sum(parts):7,}  {name:{name_width}}  {bars}  {peak}".rstrip())
