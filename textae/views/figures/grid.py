"""The grid of codes as a picture: the decoder's words of each cell, tinted by its number of documents.

The plane of Hinton & Salakhutdinov (Science 2006, figure 4) shows where documents are; this shows the words of every
place, with documents or without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textae.types import Cell, Grid
from textae.views.figures.drawing import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure

_CELL = (1.3, 0.26)  # inches: the width of a cell, and the height of one of its lines
_FIRST, _OTHERS = 11.0, 9.0  # points: the most telling word, and the others
_BLUES = ("#ffffff", "#d3e2f2", "#8fb8dd")  # on darker blues black words are unreadable
_DPI = 150


def draw_grid(grid: Grid, path: Path) -> None:
    """Draw a grid.

    Args:
        grid: of the decoder.
        path: its suffix, one of `drawing.ENDINGS`, decides the format.

    Raises:
        TextaeError: unknown suffix; or matplotlib is not installed.
        OSError: the file cannot be written; an existing file stays as it was.
    """
    with drawing(path) as write:
        write(_figure(grid))


def _figure(grid: Grid) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    n = len(grid.x) - 1
    lines = max(len(cell.decoded.words) for cell in grid.cells)
    size = (n * _CELL[0] + 1.6, max(2.5, n * _CELL[1] * (lines + 0.6) + 1.1))
    figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    _tint(figure, axes, grid)
    ruler = FigureCanvasAgg(figure).get_renderer()  # one for all: it is as large as the picture
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # now the cells have their size, and keep it
    for cell in grid.cells:
        _words(axes, cell, grid, ruler)
    return figure


def _tint(figure: Figure, axes: Axes, grid: Grid) -> None:
    """Tint the cells by their number of documents, and draw the scale."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    n = len(grid.x) - 1
    counts = [[1.0 + cell.documents for cell in grid.cells[first : first + n]] for first in range(0, n * n, n)]
    most = max(map(max, counts))
    blues = LinearSegmentedColormap.from_list("ground", _BLUES)
    mesh = axes.pcolormesh(
        grid.x, grid.y, counts[::-1], norm=LogNorm(1, max(2.0, most)), cmap=blues, edgecolors="#dddddd", linewidth=0.8
    )
    axes.set(xlabel="first number of the code", ylabel="second number of the code")
    axes.spines[:].set_visible(False)
    ticks = [count for count in (0, 1, 3, 10, 30, 100, 300, 1_000, 10_000, 100_000) if 1 + count <= most]
    scale = figure.colorbar(mesh, ax=axes, ticks=[1 + count for count in ticks], aspect=30, pad=0.01)
    scale.ax.set_yticks([1 + count for count in ticks], [f"{count:,}" for count in ticks])
    scale.ax.minorticks_off()
    scale.set_label("documents in the cell")
    scale.outline.set_visible(False)


def _words(axes: Axes, cell: Cell, grid: Grid, ruler: RendererBase) -> None:
    """The words of a cell below each other, small enough to stay inside."""
    left, right = grid.x[cell.column : cell.column + 2]
    bottom, top = grid.y[len(grid.y) - 2 - cell.row :][:2]
    words = cell.decoded.words
    corners = axes.transData.transform([(left, bottom), (right, top)])
    width = (corners[1][0] - corners[0][0]) * 0.9
    for line, word in enumerate(words):
        size, colour, weight = (_OTHERS, "#333333", "normal") if line else (_FIRST, "black", "bold")
        y = top - (top - bottom) * (line + 0.8) / (len(words) + 0.6)
        text = axes.text((left + right) / 2, y, word.word, size=size, color=colour, weight=weight)
        text.set(horizontalalignment="center", verticalalignment="center")
        while (wide := text.get_window_extent(ruler).width) > width:  # small letters do not shrink in proportion
            size *= 0.98 * width / wide
            text.set_fontsize(size)
