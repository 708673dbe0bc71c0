"""What codes give: words of the decoder, samples and grids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click

from textae.app import terminal
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.app.cli.options import ShellOptions
    from textae.types import Decoded, Grid, LikelyWord, Samples


def print_decoded(source: Mapping[str, str], decoded: Decoded, shell: ShellOptions) -> None:
    """Print the words of a code, one a line; words that the text does not contain are in bold. Of a picture, its error.

    Args:
        source: what was decoded: its kind (`id`, `text` or `code`), and its value.
        decoded: its words, or its picture.
        shell: the format.
    """
    ((kind, value),) = source.items()
    if decoded.error is not None:
        row = {"id": value, "code": decoded.code, "error": decoded.error}
        click.echo(sanitise.json_line(row) if shell.as_json else f"{decoded.error:8.3f}  {sanitise.cell(value)}")
        return
    width = max([4, *(len(word.word) for word in decoded.words)])

    def line(word: LikelyWord) -> str:
        shown = terminal.styled(f"{sanitise.cell(word.word):{width}}", bold=word.held is False)
        held = "" if kind == "code" else f"  {'yes' if word.held else 'no'}"
        return f"{word.rank:3}  {shown}  {word.probability:11.4f}  {word.lift:5.1f}{held}"

    if not shell.as_json:
        click.echo(terminal.styled(sanitise.cell(value), bold=True, fg="cyan"))
        click.echo(f"     {'word':{width}}  probability   lift{'' if kind == 'code' else '  in the text'}")
    terminal.print_rows(decoded.words, shell.as_json, line, **source)


def print_samples(samples: Samples, shell: ShellOptions) -> None:
    """Print sampled codes: their words, and the nearest document."""
    for number, sample in enumerate(samples.samples, start=1):
        row = {"sample": number, "nearest": sample.nearest, "distance": sample.distance}
        words = terminal.wrapped(" ".join(word.word for word in sample.decoded.words), 5).lstrip()
        nearest = f"nearest: {sanitise.cell(sample.nearest)}  {sample.distance:.3g} away"
        if shell.as_json:
            terminal.print_json([{**row, **_json(sample.decoded)}])
        else:
            click.echo(f"{number:3}  {words}\n     {nearest}" if words else f"{number:3}  {nearest}")
    shell.note(f"median distance of a document to its nearest one: {samples.usual_distance:.3g}")


def _json(decoded: Decoded) -> dict[str, Any]:
    """A code and its words without `held`, as there is no text; a picture's code alone."""
    if decoded.picture is not None:
        return {"code": decoded.code}
    rows = [asdict(word) for word in decoded.words]
    return {"code": decoded.code, "words": [{name: row[name] for name in row if name != "held"} for row in rows]}


def print_grid(grid: Grid, shell: ShellOptions) -> None:
    """Print a grid of codes as a table; a cell has its words below each other, then its number of documents."""
    if shell.as_json:
        counts = ({"row": cell.row, "column": cell.column, "documents": cell.documents} for cell in grid.cells)
        terminal.print_json({**count, **_json(cell.decoded)} for count, cell in zip(counts, grid.cells, strict=True))
        return
    n = len(grid.x) - 1
    cells = [
        [*(sanitise.cell(word.word) for word in cell.decoded.words), f"({cell.documents:,})" if cell.documents else "·"]
        for cell in grid.cells
    ]
    widths = [max(len(line) for cell in cells[column::n] for line in cell) for column in range(n)]
    for first in range(0, len(cells), n):
        for line in zip_longest(*cells[first : first + n], fillvalue=""):
            click.echo("  ".join(f"{part:{width}}" for part, width in zip(line, widths, strict=True)).rstrip())
        click.echo()
