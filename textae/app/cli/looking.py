"""Commands that look at the corpus as a whole: topics, map, dups."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textae.app import terminal
from textae.app.cli.inputs import corpus_name, open_engine
from textae.app.cli.options import PATH, OutputOptions, index_option, option, options
from textae.app.output.reports import print_duplicates
from textae.app.output.topics import print_over_time, print_topic, print_topics
from textae.config import AUTOENCODER, LAYOUTS, LSA
from textae.errors import QueryError, TextaeError

if TYPE_CHECKING:
    from textae.explore.map import DocumentMap
    from textae.views.page import PageReport


PAGE = ".html"
FIGURES = (".png", ".svg", ".pdf")


@click.command(short_help="List the topics of the corpus.")
@click.argument("id", metavar="[ID]", required=False)
@click.option("--n", "n", type=int, help="Number of topics.  [default: chosen by split-half agreement]")
@click.option("--seed", type=int, help="Random seed of the clustering.  [default: 1]")
@click.option("--over", "field", metavar="FIELD", help="Count documents by year, month or day of a FIELD of dates.")
@options("output", OutputOptions, "as_json", "as_csv", "quiet")
@index_option
def topics(
    id: str | None, n: int | None, seed: int | None, field: str | None, folder: Path, output: OutputOptions
) -> None:
    """List the topics of the corpus, in areas of close topics; with an ID, show that topic.

    Topics are clusters of the documents' codes; every document with a code belongs to one topic. Topics are learned
    once and kept in the index, so new documents join existing topics; --n or --seed learn other topics. With --over,
    each topic has a line of bars: its share of the documents of each period.

    \b
    textae topics
    textae topics 3.2                        its words and typical documents
    textae topics --n 20 --json
    textae topics --over year --csv > years.csv
    """
    if output.as_json and output.as_csv:
        raise click.UsageError("give --json or --csv")
    over_time = None
    with open_engine(folder) as engine, output.progress() as progress:
        if field is None:
            found = engine.topics(n, seed, progress=progress)
        else:
            from textae.explore.topics import topic_model, topics_of
            from textae.explore.topics_over_time import topics_over_time

            found, topic_of, _ = topics_of(engine.snapshot, topic_model(engine.snapshot, n, seed, progress))
            over_time = topics_over_time(engine.snapshot, field, found, topic_of)
    chosen = next((topic for topic in (*found.groups, *found.leaves) if topic.id == id), None)
    if id is not None and chosen is None:
        raise QueryError(f"no topic has the id {id!r}; 'textae topics' lists them")
    if over_time is not None:
        print_over_time(over_time, chosen, output)
    elif chosen is not None and not output.as_csv:
        print_topic(chosen, found, output)
    else:
        print_topics(found, chosen, output)


@dataclass(frozen=True)
class MapOptions:
    """How the map is laid out and drawn."""

    layout: str = option(
        "Keep neighbours together; or the bottleneck of an auto-encoder; or LSA.",
        type=click.Choice(LAYOUTS),
        default=LAYOUTS[0],
    )
    compare: bool = option("A figure of the auto-encoder's map beside LSA's.")
    field: str | None = option("Colour a figure by FIELD.  [default: by topic]", "--colour", metavar="FIELD")
    width: float = option("Width of a figure, in inches.", type=click.FloatRange(1, 40), default=7.0)
    whole_texts: bool = option("Keep whole texts and all pictures in a page, however large it gets.")
    seed: int | None = option("Random seed of the layout.  [default: that of the index]")


@click.command("map", short_help="Draw the map: a page, a figure, or in the terminal.")
@click.argument("out", metavar="[OUT]", required=False, type=PATH)
@options("drawing", MapOptions)
@options("output", OutputOptions, "quiet")
@index_option
def map_command(out: Path | None, drawing: MapOptions, folder: Path, output: OutputOptions) -> None:
    """Draw the map: each document is a point, documents with close codes are close, and topics are named.

    OUT.html is a page for any browser to explore, search and share; it works offline. OUT.png, .svg or .pdf is a figure
    for papers. Without OUT, the map is drawn in the terminal. The layout is learned once and kept in the index; new
    documents get their place at once.

    \b
    textae map notes.html
    textae map figure.pdf --width 3.4 --colour year
    textae map figure.png --compare          the auto-encoder's map beside LSA's
    textae map                               in the terminal
    """
    from textae.explore.scales import field_colouring

    suffix = "" if out is None else out.suffix.lower()
    if out is not None and suffix not in (PAGE, *FIGURES):
        raise click.UsageError(f"no map for {str(out)!r:.200}; give a name that ends in {', '.join((PAGE, *FIGURES))}")
    if drawing.compare and suffix not in FIGURES:
        raise click.UsageError(f"--compare draws a figure; give a name that ends in {', '.join(FIGURES)}")
    if drawing.field is not None and suffix not in FIGURES:
        raise click.UsageError("--colour is for figures; a page can colour by any field")
    if out is not None and not out.absolute().parent.is_dir():  # checked before the layout is learned
        raise TextaeError(f"no folder {out.parent} for {out.name}; create it, or give another one")
    with open_engine(folder) as engine, output.progress() as progress:
        layouts = (AUTOENCODER, LSA) if drawing.compare else (drawing.layout,)
        maps = [engine.map(layout, drawing.seed, progress=progress) for layout in layouts]
        colour = None if drawing.field is None else field_colouring(engine.snapshot, drawing.field, maps[0].ids)
        progress("drawing", 0, None)
        if out is None:
            _draw_in_terminal(maps[0])
            notes = []
        elif suffix == PAGE:
            from textae.views.page import write_page

            stream = engine.snapshot.reader.stream()
            report = write_page(maps[0], stream, out, name=corpus_name(folder), whole_texts=drawing.whole_texts)
            notes = [f"{out}: {report.documents:,} documents, {report.bytes / 1e6:.1f} MB", *_left_out(report)]
        else:
            from textae.views.figures.map import LAYOUT_NAMES, draw_maps

            titles = [LAYOUT_NAMES[one.layout] for one in maps] if drawing.compare else [""]
            unnamed = draw_maps(maps, titles, out, colour=colour, width=drawing.width)
            notes = [f"{out}: no room for the names of {unnamed:,} topics"] if unnamed else []
    without_code = maps[0].topics.without_code
    if without_code:
        notes.append(f"{without_code:,} documents are not on the map: the encoder knows none of their words")
    for line in notes:
        output.note(line)


def _draw_in_terminal(document_map: DocumentMap) -> None:
    from textae.views.braille_map import map_in_characters

    width, height = shutil.get_terminal_size((80, 24))
    legend = len(document_map.topics.groups) + 2
    colour, encoding = terminal.shows_colours(), sys.stdout.encoding or "ascii"
    drawn = map_in_characters(document_map, width, max(height - legend, height // 2), colour=colour, encoding=encoding)
    click.echo(drawn)


def _left_out(report: PageReport) -> list[str]:
    """What a page leaves out to stay small, as a message."""
    if report.pictures == 0 or report.characters == 0:
        lost = "pictures" if report.pictures == 0 else "texts"
        return [f"{lost} are left out to keep the page small; --whole-texts keeps them"]
    if report.characters is None:
        return []
    return [f"texts are cut at {report.characters:,} characters to keep the page small; --whole-texts keeps them whole"]


@click.command(short_help="Find near-duplicates.")
@click.option("--radius", type=int, help="Maximum number of bits in which codes differ.  [default: 1/16 of the bits]")
@click.option(
    "--resemblance",
    type=float,
    help="Minimum share of common four-word sequences; for pictures, minimum score of the pixels.  "
    "[default: 0.8; 0.97]",
)
@options("output", OutputOptions, "as_json", "quiet")
@index_option
def dups(radius: int | None, resemblance: float | None, folder: Path, output: OutputOptions) -> None:
    """Find groups of near-duplicates: documents with close codes, and nearly the same words or pixels.

    Codes find the candidates without comparing all pairs; words or pixels decide. The number in front of a document is
    its resemblance to the first one of its group, from 0 to 1.

    \b
    textae dups
    textae dups --resemblance 0.5 --radius 24
    textae dups --json
    """
    from textae.explore.duplicates import near_duplicates

    with open_engine(folder) as engine, output.progress() as progress:
        duplicates = near_duplicates(engine.snapshot, radius, resemblance, progress)
        noun = engine.snapshot.modality.noun
    print_duplicates(duplicates, noun, output)
