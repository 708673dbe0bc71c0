"""Commands that show a corpus as a whole: its topics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textae import terminal
from textae.cli.options import index_option, json_option, quiet_option
from textae.errors import QueryError

if TYPE_CHECKING:
    from textae.types import Topic, Topics


@click.command(short_help="What the documents are about: topics, and topics of topics.")
@click.argument("id", metavar="[ID]", required=False)
@click.option("--n", "n", type=int, help="Topics; by default as many as halves of the corpus agree on.")
@click.option("--seed", type=int, help="Of clustering.  [default: 1]")
@click.option(
    "--over", "field", metavar="FIELD", help="Over time: documents by year, month or day of a FIELD of dates."
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="A table with a header, as spreadsheets read it.")
@index_option
@quiet_option
def topics(id: str | None, n: int | None, seed: int | None, field: str | None, folder: Path, **options: Any) -> None:
    """What the documents are about: topics, and areas of close topics. With an ID that topic alone.

    Topics are clusters of the documents' codes; every document with a code belongs to one. They are learned once and
    kept with the index, so that documents that are added come to topics that are known; --n or --seed learn others.
    With --over each topic has a line of bars, its share of the documents of each period.

    \b
    textae topics
    textae topics 3.2                        its words and typical documents
    textae topics --n 20 --json
    textae topics --over year --csv > years.csv
    """
    from textae import listing
    from textae.engine import Engine

    if options["as_json"] and options["as_csv"]:
        raise click.UsageError("give --json or --csv")
    with Engine.open(folder) as engine:
        progress = terminal.ProgressLine(quiet=options["quiet"])
        try:
            if field is None:
                found = engine.topics(n, seed, progress=progress)
            else:
                over_time = engine.topics_over_time(field, n, seed, progress=progress)
                found = over_time.topics
        finally:
            progress.finish()
    asked = None if id is None else _topic(found, id)
    if field is not None:
        listing.print_over_time(over_time, asked, options)
    elif asked is not None and not options["as_csv"]:
        listing.print_topic(asked, found, as_json=options["as_json"])
    else:
        listing.print_topics(found, asked, options)


def _topic(found: Topics, id: str) -> Topic:
    topic = next((one for area in found.areas for one in (area, *area.topics) if one.id == id), None)
    if topic is None:
        raise QueryError(f"no topic has the id {id!r}; 'textae topics' lists them")
    return topic


COMMANDS = (topics,)
