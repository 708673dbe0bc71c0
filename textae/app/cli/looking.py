"""Commands that look at the corpus: topics, map, dups, decode, sample."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textae.app import terminal
from textae.app.cli.correcting import TopicsCommand, seed_lines
from textae.app.cli.options import HITS, PATH, ShellOptions, completed, option, options, stdin_text
from textae.app.output.codes import print_decoded, print_grid, print_samples
from textae.app.output.reports import print_duplicates
from textae.app.output.topics import note_lost, print_over_time, print_topic, print_topics
from textae.config import AUTOENCODER, LAYOUTS, LSA
from textae.errors import QueryError, TextaeError
from textae.views.figures.drawing import ENDINGS as FIGURES
from textae.views.figures.drawing import WIDTHS

if TYPE_CHECKING:
    from textae.types import Decoded, Picture

PAGE = ".html"


@click.command(cls=TopicsCommand, short_help="List the topics of the corpus.")
@click.argument("id", metavar="[ID]", required=False, shell_complete=completed("correction"))
@click.option("--n", "n", type=int, help="Number of topics.  [default: chosen by split-half agreement]")
@click.option("--seed", type=int, help="Random seed of the clustering.  [default: 1]")
@click.option(
    "--over",
    "field",
    metavar="FIELD",
    shell_complete=completed("field"),
    help="Count documents by year, month or day of a FIELD of dates.",
)
@click.option(
    "--seeds", "file", metavar="FILE", type=PATH, help="Start topics of your own: a line each, 'name: word, word'."
)
@options("shell", ShellOptions, "as_json", "as_csv", "quiet", "folder")
def topics(
    id: str | None, n: int | None, seed: int | None, field: str | None, file: Path | None, shell: ShellOptions
) -> None:
    """List the topics of the corpus, in areas of close topics; with an ID or a name, show that topic.

    Topics are clusters of the documents' codes; every document with a code belongs to one topic. Topics are learned
    once and kept in the index, so new documents join existing topics; --n or --seed learn other topics. With --over,
    each topic has a line of bars: its share of the documents of each period.

    A line of --seeds is a topic that you want: a name and a colon (or neither), and words or id:… of documents between
    commas. Other topics fill up the number. The index keeps the seeds.

    \b
    textae topics
    textae topics 3.2                        its words and typical documents
    textae topics --n 20 --json
    textae topics --over year --csv > years.csv
    textae topics --seeds topics.txt         a line of it: Cookies: cookie, session, id:http.cookies
    textae topics rename 3.2 Cookies
    """
    if shell.as_json and shell.as_csv:
        raise click.UsageError("give --json or --csv")
    from textae.explore.kept_topics import find, kept_topics

    over_time, seeds = None, None if file is None else seed_lines(file)
    with shell.open_engine() as engine, shell.progress() as progress:
        all_topics, topic_of, _ = kept_topics(engine.snapshot, n, seed, seeds=seeds, progress=progress)
        if field is not None:
            from textae.explore.topics_over_time import topics_over_time

            over_time = topics_over_time(engine.snapshot, field, all_topics, topic_of)
    note_lost(all_topics, shell)
    chosen = None if id is None else find(all_topics, id)
    if over_time is not None:
        print_over_time(over_time, chosen, shell)
    elif chosen is not None and not shell.as_csv:
        print_topic(chosen, all_topics, shell)
    else:
        print_topics(all_topics, chosen, shell)


@dataclass(frozen=True)
class MapOptions:
    """How the map is laid out and drawn."""

    layout: str = option(
        "Keep neighbours together; or the bottleneck of an auto-encoder; or LSA.",
        type=click.Choice(LAYOUTS),
        default=LAYOUTS[0],
    )
    compare: bool = option("A figure of the auto-encoder's map beside LSA's.")
    field: str | None = option(
        "Colour a figure by FIELD.  [default: by topic]", "--colour", metavar="FIELD", shell_complete=completed("field")
    )
    width: float = option("Width of a figure, in inches.", type=click.FloatRange(*WIDTHS), default=7.0)
    whole_texts: bool = option("Keep whole texts and all pictures in a page, however large it gets.")
    seed: int | None = option("Random seed of the layout.  [default: that of the index]")


@click.command("map", short_help="Draw the map: a page, a figure, or in the terminal.")
@click.argument("out", metavar="[OUT]", required=False, type=PATH)
@options("drawing", MapOptions)
@options("shell", ShellOptions, "quiet", "folder")
def map_command(out: Path | None, drawing: MapOptions, shell: ShellOptions) -> None:
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
    with shell.open_engine() as engine, shell.progress() as progress:
        layouts = (AUTOENCODER, LSA) if drawing.compare else (drawing.layout,)
        maps = [engine.map(layout, drawing.seed, progress=progress) for layout in layouts]
        colour = None if drawing.field is None else field_colouring(engine.snapshot, drawing.field, maps[0].ids)
        progress("drawing", 0, None)
        notes = []
        if out is None:
            from textae.views.braille_map import map_in_characters

            width, height = shutil.get_terminal_size((80, 24))
            height = max(height - len(maps[0].topics.groups) - 2, height // 2)  # the legend is below
            encoding = sys.stdout.encoding or "ascii"
            click.echo(map_in_characters(maps[0], width, height, colour=terminal.shows_colours(), encoding=encoding))
        elif suffix == PAGE:
            from textae.views.page import write_page

            whole = shell.folder.resolve()
            name = whole.parent.name if whole.name.startswith(".") else whole.stem  # not `.textae`
            documents = engine.snapshot.reader.stream()
            analysis = engine.snapshot.model.vectorizer.analysis
            report = write_page(maps[0], documents, out, name=name, analysis=analysis, whole_texts=drawing.whole_texts)
            notes.append(f"{out}: {report.documents:,} documents, {report.bytes / 1e6:.1f} MB")
            if report.pictures == 0 or report.characters == 0:
                lost = "pictures" if report.pictures == 0 else "texts"
                notes.append(f"{lost} are left out to keep the page small; --whole-texts keeps them")
            elif report.halvings:
                size = f"1/{2**report.halvings} of their width and height"
                notes.append(f"pictures have {size} to keep the page small; --whole-texts keeps them whole")
            elif report.characters is not None:
                cut = f"texts are cut at {report.characters:,} characters to keep the page small"
                notes.append(f"{cut}; --whole-texts keeps them whole")
        else:
            from textae.views.figures.map import LAYOUT_NAMES, draw_maps

            titles = [LAYOUT_NAMES[one.layout] for one in maps] if drawing.compare else [""]
            if unnamed := draw_maps(maps, titles, out, colour=colour, width=drawing.width):
                notes.append(f"{out}: no room for the names of {unnamed:,} topics")
    if without_code := maps[0].topics.without_code:
        notes.append(f"{without_code:,} documents are not on the map: the encoder knows none of their words")
    for line in notes:
        shell.note(line)
    note_lost(maps[0].topics, shell)


@click.command(short_help="Find near-duplicates.")
@click.option("--radius", type=int, help="Maximum number of bits in which codes differ.  [default: 1/16 of the bits]")
@click.option(
    "--resemblance",
    type=float,
    help="Minimum share of common four-word sequences; for pictures, minimum score of the pixels.  "
    "[default: 0.8; for pictures 0.97]",
)
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def dups(radius: int | None, resemblance: float | None, shell: ShellOptions) -> None:
    """Find groups of near-duplicates: documents with close codes, and nearly the same words or pixels.

    Codes find the candidates without comparing all pairs; words or pixels decide. The number in front of a document is
    its resemblance to the first one of its group, from 0 to 1.

    \b
    textae dups
    textae dups --resemblance 0.5 --radius 24
    textae dups --json
    """
    from textae.explore.duplicates import near_duplicates

    with shell.open_engine() as engine, shell.progress() as progress:
        duplicates = near_duplicates(engine.snapshot, radius, resemblance, progress)
        noun = engine.snapshot.modality.noun
    print_duplicates(duplicates, noun, shell)


@click.command(short_help="List the words that a code predicts.")
@click.argument("ids", metavar="[ID…]", nargs=-1, shell_complete=completed("id"))
@click.option("--text", metavar="WORDS", help="Decode the code of a text; `-` reads it from standard input.")
@click.option("--code", metavar="CODE", help="Decode a code: its numbers, comma-separated.")
@click.option("-k", "--top", "k", type=HITS, default=20, show_default=True, help="Maximum number of words.")
@click.option("-o", "--output", "drawing", metavar="OUT", type=PATH, help="For pictures: write a png.")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def decode(
    ids: Sequence[str],
    text: str | None,
    code: str | None,
    k: int,
    drawing: Path | None,
    shell: ShellOptions,
) -> None:
    """Show what a code captures: the words that the decoder predicts from it, or the picture that it reconstructs.

    Each word has its probability, its lift (the probability divided by its mean over all documents), and whether the
    text contains it. Semantic search also finds a text by predicted words that it does not contain. Words are sorted
    by (probability - mean)² / mean.

    For a picture, the command prints the reconstruction error: the sum of squared differences over all pixels, from 0
    (black) to 1. With -o, it draws one row for each: the picture, and its reconstruction.

    \b
    textae decode scipy.signal.savgol_filter
    textae decode --text "smooth a noisy signal" -k 10
    textae decode --code 0.031,-0.17,…       a code that 'textae sample --json' printed
    textae decode holidays/beach.jpg -o beside.png
    """
    from textae.explore.decode import decode_code, decode_documents, decode_text
    from textae.types import PICTURES

    if bool(ids) + (text is not None) + (code is not None) != 1:
        raise click.UsageError("give IDs of documents, --text or --code")
    with shell.open_engine() as engine:
        snapshot = engine.snapshot
        of_pictures = snapshot.modality.kind == PICTURES
        if drawing is not None and not of_pictures:
            raise QueryError(f"-o draws pictures, and the index {shell.folder} holds texts; leave it out")
        if drawing is None and of_pictures and code is not None:
            raise click.UsageError("this code is of a picture; give -o OUT.png to draw it")
        if text is not None:
            text = stdin_text() if text == "-" else text
            sources, decoded = [{"text": " ".join(text.split())}], [decode_text(snapshot, text, k)]
        elif code is not None:
            sources, decoded = [{"code": code}], [decode_code(snapshot, code, k)]
        else:
            sources, decoded = [{"id": id} for id in ids], decode_documents(snapshot, ids, k)
        if drawing is not None:
            pictures = _pictures(decoded)
            _draw(list(zip(snapshot.pictures(ids), pictures, strict=True)) if ids else [pictures], drawing, shell)
    if drawing is None or (shell.as_json and ids):
        for source, one in zip(sources, decoded, strict=True):
            print_decoded(source, one, shell)


def _pictures(decoded: Iterable[Decoded]) -> list[Picture]:
    return [one.picture for one in decoded if one.picture is not None]


def _draw(rows: Sequence[Sequence[Picture]], drawing: Path, shell: ShellOptions) -> None:
    from textae.views.contact_sheet import draw_pictures

    draw_pictures(rows, drawing)
    shell.note(f"drew {drawing}")


@click.command("sample", short_help="Sample codes, and decode them.")
@click.option("-n", "n", type=click.IntRange(1, 10_000), help="Number of samples.  [default: 5]")
@click.option("-k", "--top", "k", type=HITS, help="Maximum number of words.  [default: 10; 3 in a grid]")
@click.option("--seed", type=int, default=1, show_default=True, help="Random seed.")
@click.option("--grid", "size", type=click.IntRange(1, 30), help="Decode a grid of N × N codes instead.")
@click.option("-o", "--output", "drawing", metavar="OUT", type=PATH, help="Write a figure of pictures, or of a --grid.")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def sample_command(
    n: int | None, k: int | None, seed: int, size: int | None, drawing: Path | None, shell: ShellOptions
) -> None:
    """Sample codes from the distribution of the documents' codes, and decode their words or pictures.

    A sample is drawn around a random document, with the spread of its ten nearest neighbours. Each sample has its
    nearest document, and the distance to it (1 - cosine; Euclidean for the codes of a deep stack). A sample that is
    much farther away than documents are from each other is outside the corpus.

    --grid needs an index with codes of 2 numbers (--dims 2). The grid covers the plane of the codes without the
    outermost 2 % on each side.

    \b
    textae sample -n 10
    textae sample --grid 8 -o plane.png      after textae index … --preset hinton2006 --dims 2
    textae sample -n 12 -o samples.png       new pictures in the style of the corpus
    """
    from textae.explore.sampling import grid, sample
    from textae.types import PICTURES, Grid

    if size is not None and n is not None:
        raise click.UsageError("give -n or --grid")
    with shell.open_engine() as engine:
        snapshot = engine.snapshot
        pictures = snapshot.modality.kind == PICTURES
        if drawing is not None and size is None and not pictures:
            raise click.UsageError("-o draws a --grid; give one")
        made = sample(snapshot, n or 5, k or 10, seed) if size is None else grid(snapshot, size, k or 3)
    if isinstance(made, Grid) and pictures and drawing is None and not shell.as_json:
        raise click.UsageError("the cells of this grid are pictures; give -o OUT.png to draw them")
    if drawing is not None and pictures:
        from textae.views.contact_sheet import nearly_square

        parts = made.cells if isinstance(made, Grid) else made.samples
        _draw(nearly_square(_pictures(part.decoded for part in parts)), drawing, shell)
    elif drawing is not None and isinstance(made, Grid):
        from textae.views.figures.grid import draw_grid

        draw_grid(made, drawing)
        shell.note(f"drew {drawing}")
    if drawing is None or shell.as_json:
        if isinstance(made, Grid):
            print_grid(made, shell)
        else:
            print_samples(made, shell)
