"""The picture of the grid: words stay inside their cells, and the same grid gives the same file."""

import itertools
import sys

import pytest

from textae import Engine, TextaeError
from textae.types import Cell, Decoded, Grid, LikelyWord
from textae.views.figures.grid import _figure, draw_grid

pytest.importorskip("matplotlib")


def grid_of(*words: str, n: int = 2, documents: int = 3) -> Grid:
    said = tuple(LikelyWord(rank, word, word, 0.1, 2.0, None) for rank, word in enumerate(words, start=1))
    cells = tuple(Cell(place // n, place % n, documents, Decoded("0,0", said)) for place in range(n * n))
    edges = tuple(range(n + 1))
    return Grid(edges, edges, cells)


def extents(grid: Grid):
    """Give the figure's words, and the box of each word and of each cell."""
    figure = _figure(grid)
    figure.canvas.draw()
    axes = figure.axes[0]
    words = axes.texts
    boxes = [word.get_window_extent(figure.canvas.get_renderer()) for word in words]
    corners = [(cell.column, len(grid.y) - 2 - cell.row) for cell in grid.cells]
    cells = [axes.transData.transform([(x, y), (x + 1, y + 1)]) for x, y in corners]
    return [word.get_text() for word in words], boxes, cells


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("words", [("comet", "star"), ("internationalisation", "x" * 64, "of"), ("only",), ()])
def test_words_stay_inside_their_cell_and_below_each_other(n, words):
    texts, boxes, cells = extents(grid_of(*words, n=n))
    assert texts == [*words] * n * n
    for cell, ((left, bottom), (right, top)) in enumerate(cells):
        inside = boxes[cell * len(words) : (cell + 1) * len(words)]
        for box in inside:
            assert left <= box.x0 and box.x1 <= right and bottom <= box.y0 and box.y1 <= top
        for min_score, below in itertools.pairwise(inside):
            assert below.y1 <= min_score.y0


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_the_same_grid_gives_the_same_file(tmp_path, ending):
    for name in ("a", "b"):
        draw_grid(grid_of("comet", "star"), tmp_path / f"{name}{ending}")
    assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


def test_words_that_look_like_formulas_or_that_no_font_has_are_no_error(tmp_path):
    draw_grid(grid_of("$x$", "a_b^c", "\U000e0041", documents=0), tmp_path / "grid.png")
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_a_grid_of_an_index(plane_folder, tmp_path):
    with Engine.open(plane_folder) as engine:
        draw_grid(engine.grid(3, 2), tmp_path / "grid.svg")
    assert "<svg" in (tmp_path / "grid.svg").read_text()


def test_a_picture_of_no_known_kind(tmp_path):
    with pytest.raises(TextaeError, match=r"no picture for 'grid.gif'; give a name that ends in .png, .svg, .pdf"):
        draw_grid(grid_of("comet"), tmp_path / "grid.gif")


def test_without_matplotlib_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(TextaeError, match=r"needs matplotlib, .*pip install 'textae\[figures\]'"):
        draw_grid(grid_of("comet"), tmp_path / "grid.png")
    assert not list(tmp_path.iterdir())
