"""Commands that use what was learned otherwise than to search: labels, the decoder, features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textae.app import printing, terminal
from textae.app.cli.options import HITS, index_option, json_option, quiet_option, stdin_text
from textae.errors import QueryError
from textae.types import PICTURES, Decoded, Grid, Picture, Samples

if TYPE_CHECKING:
    from textae.engine import Engine

_DRAWS = "Of pictures: draw them"


@click.command(short_help="The likeliest labels of a text.")
@click.argument("text", metavar="TEXT…|ID", nargs=-1)
@click.option("--queries", "queries_file", metavar="FILE", help="Many texts: jsonl or tsv of id and text, or lines.")
@click.option("-k", "--top", "k", type=HITS, default=3, show_default=True, help="Labels, at most.")
@json_option
@index_option
@quiet_option
def classify(text: Sequence[str], queries_file: str | None, k: int, folder: Path, **options: Any) -> None:
    """The likeliest labels of TEXT (`-`: standard input), or of the document with that ID.

    The labels are those that 'textae train --label FIELD' has taught. Of many texts a line each: id, rank, label and
    probability between tabs.

    \b
    textae classify "orbit of the shuttle"
    textae classify --queries mails.jsonl -k 1 --json
    """
    from textae.engine import Engine

    if bool(text) == bool(queries_file):
        raise click.UsageError("give a TEXT, an ID or --queries FILE")
    with Engine.open(folder) as engine:
        if queries_file:
            from textae.evaluation import read_queries

            printing.print_labels_of_many(engine, read_queries(queries_file), k, options)
            return
        asked = stdin_text() if tuple(text) == ("-",) else " ".join(text)
        is_id = len(text) == 1 and engine.has(asked)
        found = engine.classify([engine.text(asked) if is_id else asked], k)[0]
        printing.print_labels({"id" if is_id else "query": asked}, found, options)


@click.command(short_help="The words that a code makes likelier than usual.")
@click.argument("ids", metavar="[ID…]", nargs=-1)
@click.option("--text", metavar="WORDS", help="Decode the code of a text instead; `-` reads it from standard input.")
@click.option("--code", metavar="CODE", help="Decode a code: its numbers, between commas.")
@click.option("-k", "--top", "k", type=HITS, default=20, show_default=True, help="Words, at most.")
@click.option("-o", "--output", "drawing", metavar="OUT", type=click.Path(path_type=Path), help=f"{_DRAWS}, png.")
@json_option
@index_option
@quiet_option
def decode(ids: Sequence[str], text: str | None, code: str | None, k: int, folder: Path, **options: Any) -> None:
    """What a code says: the words that the trained decoder expects of it, or the picture that it draws.

    Beside each word stand the probability that the decoder gives it, how many times its mean over documents that is
    (the lift), and whether the text holds it: a search by meaning finds a text also by the words that its code
    expects and it does not hold. The order is by (probability - usual)² / usual: words that are likely, and
    likelier than usual.

    Of pictures it prints how far what is drawn is from the picture: the squares of the differences, summed over pixels
    from 0 (black) to 1. With -o it draws a row for each: the picture, and beside it what its code draws.

    \b
    textae decode scipy.signal.savgol_filter
    textae decode --text "smooth a noisy signal" -k 10
    textae decode --code 0.031,-0.17,…       as 'textae sample --json' gives codes
    textae decode holidays/beach.jpg -o beside.png
    """
    from textae.engine import Engine

    if bool(ids) + (text is not None) + (code is not None) != 1:
        raise click.UsageError("give IDs of documents, --text or --code")
    as_json, drawing = options["as_json"], options["drawing"]
    with Engine.open(folder) as engine:
        if engine.kind == PICTURES and text is None:
            _redraw(engine, ids, code, options)
            return
        _check_no_drawing(engine, drawing)
        if text is not None:
            text = stdin_text() if text == "-" else text
            told = [({"text": " ".join(text.split())}, engine.decode_text(text, k))]
        elif code is not None:
            told = [({"code": code}, engine.decode_code(code, k))]
        else:
            told = [({"id": id}, decoded) for id, decoded in zip(ids, engine.decode(ids, k), strict=True)]
    for of, decoded in told:
        printing.print_decoded(of, decoded, as_json=as_json)


def _check_no_drawing(engine: Engine, drawing: Path | None) -> None:
    if drawing is not None:
        raise QueryError(f"-o draws pictures, and the index {engine.folder} holds texts; leave it out")


def _redraw(engine: Engine, ids: Sequence[str], code: str | None, options: Mapping[str, Any]) -> None:
    """What codes of pictures say."""
    if code is not None:
        if options["drawing"] is None:
            raise click.UsageError("a code of this index says a picture; give -o OUT.png to draw it")
        _draw([_pictures([engine.decode_code(code)])], options)
        return
    told = engine.decode(ids)
    if options["drawing"] is not None:
        _draw(list(zip(engine.pictures(ids), _pictures(told), strict=True)), options)
    if options["drawing"] is None or options["as_json"]:
        printing.print_redrawn(ids, told, as_json=options["as_json"])


def _pictures(told: Iterable[Decoded]) -> list[Picture]:
    return [decoded.picture for decoded in told if decoded.picture is not None]


def _draw(rows: Sequence[Sequence[Picture]], options: Mapping[str, Any]) -> None:
    from textae.views.contact_sheet import draw_pictures

    draw_pictures(rows, options["drawing"])
    terminal.note(f"drew {options['drawing']}", quiet=options["quiet"])


@click.command(short_help="Draw codes, and say what they would be about.")
@click.option("-n", "n", type=click.IntRange(1, 10_000), help="Codes to draw.  [default: 5]")
@click.option("-k", "--top", "k", type=HITS, help="Words of each, at most.  [default: 10; of a cell of a grid 3]")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the codes that are drawn.")
@click.option("--grid", "rows", type=click.IntRange(1, 30), help="Instead N × N places of a plane of codes.")
@click.option(
    "-o",
    "--output",
    "drawing",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help=f"{_DRAWS}, png; of a --grid of words a picture, png, svg or pdf.",
)
@json_option
@index_option
@quiet_option
def sample(n: int | None, k: int | None, seed: int, folder: Path, **options: Any) -> None:
    """Draw codes from the distribution of the documents' codes, and decode their words or pictures.

    Each is drawn around a document picked at random, as far away and in such directions as its ten neighbours lie.
    Beside it stands the nearest document, and how far away its code is (1 - cosine; of a deep stack's codes Euclid's
    distance): a code that is farther from all documents than these are from each other is about nothing that the
    corpus is about.

    With --grid, the codes are the places of the plane over which an index of codes of 2 numbers spreads its documents,
    all but the outermost 2 % on each side.

    \b
    textae sample -n 10
    textae sample --grid 8 -o plane.png      after textae index … --preset hinton2006 --dims 2
    textae sample -n 12 -o samples.png       pictures that might be in the corpus
    """
    from textae.engine import Engine

    rows, drawing = options["rows"], options["drawing"]
    if rows is not None and n is not None:
        raise click.UsageError("give -n or --grid")
    with Engine.open(folder) as engine:
        of_pictures = engine.kind == PICTURES
        if rows is None:
            if drawing is not None and not of_pictures:
                raise click.UsageError("-o draws a --grid; give one")
            _show_samples(engine.sample(n or 5, k or 10, seed), options)
            return
        grid = engine.grid(rows, k or 3)
    if of_pictures:
        _show_plane(grid, options)
        return
    if drawing is not None:
        from textae.views.figures.grid import draw_grid

        draw_grid(grid, drawing)
        terminal.note(f"drew {drawing}", quiet=options["quiet"])
    if drawing is None or options["as_json"]:
        printing.print_grid(grid, as_json=options["as_json"])


def _show_samples(drawn: Samples, options: Mapping[str, Any]) -> None:
    if options["drawing"] is not None:
        from textae.views.contact_sheet import nearly_square

        _draw(nearly_square(_pictures(one.decoded for one in drawn.samples)), options)
    if options["drawing"] is None or options["as_json"]:
        printing.print_samples(drawn, as_json=options["as_json"], quiet=options["quiet"])


def _show_plane(grid: Grid, options: Mapping[str, Any]) -> None:
    """A grid of pictures, which no table can show."""
    if options["drawing"] is None and not options["as_json"]:
        raise click.UsageError("the cells of this grid are pictures; give -o OUT.png to draw them")
    if options["drawing"] is not None:
        from textae.views.contact_sheet import nearly_square

        _draw(nearly_square(_pictures(cell.decoded for cell in grid.cells)), options)
    if options["as_json"]:
        printing.print_grid(grid, as_json=True)


@click.command(short_help="Write the codes for other tools.")
@click.option(
    "--codes",
    "path",
    metavar="OUT",
    required=True,
    type=click.Path(path_type=Path),
    help="Ends in .npy, .parquet or .csv; what is there is replaced.",
)
@click.option(
    "--what", type=click.Choice(("floats", "bits")), default="floats", show_default=True, help="Of the two codes."
)
@index_option
@quiet_option
def export(path: Path, what: str, folder: Path, quiet: bool) -> None:
    """Write the codes of all documents, as features for other tools.

    .npy is an array of a row a document, with the ids beside it in a file that ends in .ids, a line each; .parquet has
    the columns id and code, a list; .csv has id, c0, c1, and so on. Floats are float32. Bits are packed, 8 in a number
    (numpy.unpackbits), and in .csv in hexadecimal.

    \b
    textae export --codes codes.npy
    textae export --codes codes.parquet --what bits
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        engine.export_codes(path, what)
    terminal.note(f"wrote {path}", quiet=quiet)


COMMANDS = (
    classify,
    decode,
    sample,
    export,
)
