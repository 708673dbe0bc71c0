"""Commands that show a corpus as a whole: its topics, and its map."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textae.app import terminal
from textae.app.cli.options import index_option, json_option, quiet_option
from textae.config import AUTOENCODER, LAYOUTS, LSA
from textae.errors import QueryError, TextaeError

if TYPE_CHECKING:
    from textae.engine import Engine
    from textae.explore.map import DocumentMap
    from textae.explore.scales import Colouring
    from textae.types import Topic, Topics
    from textae.views.page import PageReport


PAGE = ".html"
PICTURES = (".png", ".svg", ".pdf")


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
    from textae.app import listing
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
    topic = next((one for area in found.groups for one in (area, *area.topics) if one.id == id), None)
    if topic is None:
        raise QueryError(f"no topic has the id {id!r}; 'textae topics' lists them")
    return topic


@click.command("map", short_help="The map of the documents: a page, a picture, or in the terminal.")
@click.argument("out", metavar="[OUT]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default=LAYOUTS[0],
    show_default=True,
    help="How codes come to the plane: neighbours stay together; an auto-encoder's bottleneck; LSA.",
)
@click.option("--compare", is_flag=True, help="A picture of the auto-encoder's plane and LSA's, side by side.")
@click.option("--colour", "field", metavar="FIELD", help="Colour a picture by a field; by default by topic.")
@click.option("--width", type=click.FloatRange(1, 40), default=7.0, show_default=True, help="Of a picture, in inches.")
@click.option(
    "--whole-texts", is_flag=True, help="Texts in a page are not cut, nor pictures left out, however large it becomes."
)
@click.option("--seed", type=int, help="Of learning the plane.  [default: that of the index]")
@index_option
@quiet_option
def map_command(
    out: Path | None, layout: str, compare: bool, field: str | None, folder: Path, quiet: bool, **options: Any
) -> None:
    """Draw the map: every document at the place of its code on the plane, close ones together, topics named.

    OUT.html is one page for any browser, that asks for nothing from elsewhere: to explore, search and share. OUT.png,
    .svg or .pdf is a picture, for papers. Without OUT the map is drawn in the terminal. The plane is learned once and
    kept with the index; documents that are added come to their places at once.

    \b
    textae map notes.html
    textae map figure.pdf --width 3.4 --colour year
    textae map figure.png --compare          the auto-encoder's plane beside LSA's
    textae map                               in the terminal
    """
    from textae.engine import Engine

    ending = "" if out is None else out.suffix.lower()
    if ending not in ("", PAGE, *PICTURES) or (out is not None and not ending):
        raise click.UsageError(f"no map for {str(out)!r:.200}; give a name that ends in {', '.join((PAGE, *PICTURES))}")
    if compare and ending not in PICTURES:
        raise click.UsageError(f"--compare draws a picture; give a name that ends in {', '.join(PICTURES)}")
    if field is not None and ending not in PICTURES:
        raise click.UsageError("--colour is for pictures; a page colours by any field")
    if out is not None and not out.absolute().parent.is_dir():  # said before something is learned
        raise TextaeError(f"there is no folder {out.parent} for {out.name}; make it, or name another")
    with Engine.open(folder) as engine:
        progress = terminal.ProgressLine(quiet=quiet)
        try:
            layouts = (AUTOENCODER, LSA) if compare else (layout,)
            maps = [engine.topic_map(one, options["seed"], progress=progress) for one in layouts]
            colour = None if field is None else engine.colouring(field, maps[0].ids)
            progress("drawing", 0, None)
            said = _drawn(engine, maps, out, ending, colour, options)
        finally:
            progress.finish()
    without = maps[0].topics.without_code
    if without:
        said.append(f"{without:,} documents are not on it: the encoder knows no word of them")
    for line in said:
        terminal.note(line, quiet=quiet)


def _drawn(
    engine: Engine,
    maps: Sequence[DocumentMap],
    out: Path | None,
    ending: str,
    colour: Colouring | None,
    options: Mapping[str, Any],
) -> list[str]:
    """Draw maps as they are to be drawn; gives what is to be said of it."""
    if out is None:
        from textae.views.braille_map import map_in_characters

        width, height = shutil.get_terminal_size((80, 24))
        legend = len(maps[0].topics.groups) + 2
        colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        encoding = sys.stdout.encoding or "ascii"
        drawn = map_in_characters(maps[0], width, max(height - legend, height // 2), colour=colours, encoding=encoding)
        click.echo(drawn, color=colours)
        return []
    if ending == PAGE:
        from textae.views.page import write_page

        report = write_page(
            maps[0], engine.snapshot.reader.stream(), out, name=engine.name, whole_texts=options["whole_texts"]
        )
        return [f"{out}: {report.documents:,} documents, {report.bytes / 1e6:.1f} MB", *_cuts(report)]
    from textae.views.figures.map import LAYOUT_NAMES, draw_maps

    titles = [LAYOUT_NAMES[one.layout] for one in maps] if len(maps) > 1 else [""]
    unnamed = draw_maps(maps, titles, out, colour=colour, width=options["width"])
    return [f"{out}: no room for the names of {unnamed:,} topics"] if unnamed else []


def _cuts(report: PageReport) -> list[str]:
    """What a page does without, to stay small."""
    if report.pictures == 0:
        return ["pictures are left out, so that the page stays small; --whole-texts has them all"]
    if report.characters is None:
        return []
    if report.characters == 0:
        return ["texts are left out, so that the page stays small; --whole-texts has them all"]
    return [f"texts are cut to {report.characters:,} characters, so that the page stays small; --whole-texts does not"]


COMMANDS = (topics, map_command)
