"""Commands that show what codes mean: decode, sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textae.app.cli.inputs import open_engine, stdin_text
from textae.app.cli.options import HITS, PATH, OutputOptions, index_option, options
from textae.app.output.codes import print_decoded, print_grid, print_reconstructions, print_samples
from textae.errors import QueryError

if TYPE_CHECKING:
    from textae.engine import Engine
    from textae.types import Decoded, Picture


@click.command(short_help="List the words that a code predicts.")
@click.argument("ids", metavar="[ID…]", nargs=-1)
@click.option("--text", metavar="WORDS", help="Decode the code of a text; `-` reads it from standard input.")
@click.option("--code", metavar="CODE", help="Decode a code: its numbers, comma-separated.")
@click.option("-k", "--top", "k", type=HITS, default=20, show_default=True, help="Maximum number of words.")
@click.option("-o", "--output", "drawing", metavar="OUT", type=PATH, help="For pictures: write a png.")
@options("output", OutputOptions, "as_json", "quiet")
@index_option
def decode(
    ids: Sequence[str],
    text: str | None,
    code: str | None,
    k: int,
    drawing: Path | None,
    folder: Path,
    output: OutputOptions,
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
    with open_engine(folder) as engine:
        if engine.snapshot.modality.kind == PICTURES and text is None:
            _reconstruct(engine, ids, code, drawing, output)
            return
        if drawing is not None:
            raise QueryError(f"-o draws pictures, and the index {engine.folder} holds texts; leave it out")
        if text is not None:
            text = stdin_text() if text == "-" else text
            decoded = [({"text": " ".join(text.split())}, decode_text(engine.snapshot, text, k))]
        elif code is not None:
            decoded = [({"code": code}, decode_code(engine.snapshot, code, k))]
        else:
            decoded = [
                ({"id": id}, one) for id, one in zip(ids, decode_documents(engine.snapshot, ids, k), strict=True)
            ]
    for source, one in decoded:
        print_decoded(source, one, output)


def _reconstruct(
    engine: Engine, ids: Sequence[str], code: str | None, drawing: Path | None, output: OutputOptions
) -> None:
    """Draw pictures beside their reconstructions, or print the errors."""
    from textae.explore.decode import decode_code, decode_documents

    if code is not None:
        if drawing is None:
            raise click.UsageError("this code is of a picture; give -o OUT.png to draw it")
        _draw([_pictures([decode_code(engine.snapshot, code)])], drawing, output)
        return
    decoded = decode_documents(engine.snapshot, ids)
    if drawing is not None:
        _draw(list(zip(engine.snapshot.pictures(ids), _pictures(decoded), strict=True)), drawing, output)
    if drawing is None or output.as_json:
        print_reconstructions(ids, decoded, output)


def _pictures(decoded: Iterable[Decoded]) -> list[Picture]:
    return [one.picture for one in decoded if one.picture is not None]


def _draw(rows: Sequence[Sequence[Picture]], drawing: Path, output: OutputOptions) -> None:
    from textae.views.contact_sheet import draw_pictures

    draw_pictures(rows, drawing)
    output.note(f"drew {drawing}")


@click.command(short_help="Sample codes, and decode them.")
@click.option("-n", "n", type=click.IntRange(1, 10_000), help="Number of samples.  [default: 5]")
@click.option("-k", "--top", "k", type=HITS, help="Maximum number of words.  [default: 10; 3 in a grid]")
@click.option("--seed", type=int, default=1, show_default=True, help="Random seed.")
@click.option("--grid", "size", type=click.IntRange(1, 30), help="Decode a grid of N × N codes instead.")
@click.option("-o", "--output", "drawing", metavar="OUT", type=PATH, help="Write a figure of pictures, or of a --grid.")
@options("output", OutputOptions, "as_json", "quiet")
@index_option
def sample(
    n: int | None, k: int | None, seed: int, size: int | None, drawing: Path | None, folder: Path, output: OutputOptions
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
    from textae.explore.sampling import grid as grid_of_codes
    from textae.explore.sampling import sample as sample_codes
    from textae.types import PICTURES

    if size is not None and n is not None:
        raise click.UsageError("give -n or --grid")
    with open_engine(folder) as engine:
        pictures = engine.snapshot.modality.kind == PICTURES
        if size is None and drawing is not None and not pictures:
            raise click.UsageError("-o draws a --grid; give one")
        samples = sample_codes(engine.snapshot, n or 5, k or 10, seed) if size is None else None
        grid = None if size is None else grid_of_codes(engine.snapshot, size, k or 3)
    if grid and pictures and drawing is None and not output.as_json:
        raise click.UsageError("the cells of this grid are pictures; give -o OUT.png to draw them")
    if drawing is not None and pictures:
        from textae.views.contact_sheet import nearly_square

        drawn = [one.decoded for one in (grid.cells if grid else samples.samples if samples else ())]
        _draw(nearly_square(_pictures(drawn)), drawing, output)
    elif drawing is not None and grid:
        from textae.views.figures.grid import draw_grid

        draw_grid(grid, drawing)
        output.note(f"drew {drawing}")
    if drawing is None or output.as_json:
        if grid:
            print_grid(grid, output)
        if samples:
            print_samples(samples, output)
