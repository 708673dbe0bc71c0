"""The figures of docs/images: reconstructions, maps of digits, decoded codes, filters and nearest neighbours."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.rows import ROOT
from textae.encoding.arrays import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IMAGES = ROOT / "docs" / "images"
SIDE = 28
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C6D1F", "#555555", "#7B4FA3", "#B5C334",
)  # fmt: skip
"""The colours of the digits: Okabe & Ito's, which colour-blind people can tell apart, and three more."""


@dataclass(frozen=True)
class Neighbours:
    """A picture and its nearest pictures.

    Attributes:
        query: (n_pixels,) uint8.
        nearest: by system, (k, n_pixels) uint8.
        relevant: by system, (k,) whether each shows the same digit.
    """

    query: NDArray[np.uint8]
    nearest: Mapping[str, NDArray[np.uint8]]
    relevant: Mapping[str, NDArray[np.bool_]]


def sheet(pictures: NDArray[np.floating] | NDArray[np.uint8], columns: int, gap: int = 2) -> Floats:
    """Arrange pictures from 0 to 1 in a grid, dark on white: (n, SIDE²) to one picture."""
    rows, inner = len(pictures) // columns, slice(gap // 2, gap // 2 + SIDE)
    cells = np.ones((rows, columns, SIDE + gap, SIDE + gap), np.float32)
    cells[:, :, inner, inner] = 1 - pictures.reshape(rows, columns, SIDE, SIDE)
    return cells.swapaxes(1, 2).reshape(rows * (SIDE + gap), columns * (SIDE + gap))


def draw_rows(rows: Mapping[str, Floats], name: str) -> None:
    """Draw named rows of pictures."""
    columns = len(next(iter(rows.values())))
    figure, axes = _figure(0.62 * columns + 2.6, 0.62 * len(rows) + 0.1)
    axes.imshow(sheet(np.concatenate(list(rows.values())).clip(0, 1), columns), cmap="gray", vmin=0, vmax=1)
    _bare(axes)
    axes.set_yticks([(SIDE + 2) * (row + 0.5) for row in range(len(rows))], list(rows), fontsize=10)
    _save(figure, name)


def draw_codes(codes: Mapping[str, Floats], labels: NDArray[np.int64], name: str) -> None:
    """Draw pictures at their codes of two numbers, coloured by digit, with the digit at its median."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(codes), figsize=(11, 5.4), layout="constrained")
    order = np.random.default_rng(1).permutation(len(labels))[:5_000]  # no digit lies on top of all others
    for axes, (title, points) in zip(panels, codes.items(), strict=True):
        axes.scatter(*points[order].T, c=np.array(COLOURS)[labels[order]], s=4, linewidths=0, alpha=0.7)
        for digit, colour in enumerate(COLOURS):
            middle = np.median(points[labels == digit], axis=0)
            box = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour, "alpha": 0.9}
            axes.text(*middle, str(digit), ha="center", va="center", fontsize=10, color=colour, weight="bold", bbox=box)
        low, high = np.quantile(points, (0.002, 0.998), axis=0)
        margin = 0.05 * (high - low)
        axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
        axes.set_title(title, fontsize=11)
        _bare(axes)
    _save(figure, name)


def grid(codes: Floats, n: int) -> Floats:
    """A grid of n × n points of the plane around 0, which reaches to the 98 % quantile of the codes: (n, n, 2)."""
    reach = np.quantile(np.abs(codes), 0.98, axis=0)
    across, down = np.linspace(-reach[0], reach[0], n), np.linspace(reach[1], -reach[1], n)
    return np.stack(np.meshgrid(across, down), axis=-1).astype(np.float32)


def draw_grid(pictures: Floats, points: Floats, name: str) -> None:
    """Draw the decoded pictures of a grid: (n · n, n_pixels) at (n, n, 2)."""
    n = len(points)
    figure, axes = _figure(7.2, 7.2)
    (left, top), (right, bottom) = points[0, 0], points[-1, -1]
    axes.imshow(
        sheet(pictures, n, gap=0), cmap="gray", vmin=0, vmax=1, extent=(left, right, bottom, top), aspect="auto"
    )
    axes.set(xlabel="first number of the code", ylabel="second number of the code")
    axes.spines[:].set_visible(False)
    _save(figure, name)


def draw_filters(layers: Mapping[str, Floats], name: str, n: int = 60) -> None:
    """Draw the weights of the n strongest units of first layers: white excites a unit, black inhibits it."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(layers), figsize=(11, 3.5), layout="constrained")
    for axes, (title, weights) in zip(panels, layers.items(), strict=True):
        strongest = weights[:, np.sort(np.argsort(-np.square(weights).sum(axis=0), kind="stable")[:n])].T
        reach = np.quantile(np.abs(strongest), 0.995, axis=1, keepdims=True)
        axes.imshow(sheet(0.5 - (strongest / reach).clip(-1, 1) / 2, 10), cmap="gray", vmin=0, vmax=1)
        axes.set_title(title, fontsize=11)
        _bare(axes)
    _save(figure, name)


def draw_neighbours(rows: Sequence[Neighbours], name: str) -> None:
    """Draw queries and their nearest pictures by each system; a picture of another digit has a red frame."""
    import matplotlib.pyplot as plt

    systems = list(rows[0].nearest)
    k = len(rows[0].nearest[systems[0]])
    widths = {"width_ratios": [1, *[k] * len(systems)]}
    figure, panels = plt.subplots(1, 1 + len(systems), figsize=(11, 6.6), layout="constrained", gridspec_kw=widths)
    panels[0].imshow(sheet(np.stack([one.query for one in rows]) / 255, 1), cmap="gray", vmin=0, vmax=1)
    panels[0].set_title("asked", fontsize=11)
    for axes, system in zip(panels[1:], systems, strict=True):
        axes.imshow(sheet(np.concatenate([one.nearest[system] for one in rows]) / 255, k), cmap="gray", vmin=0, vmax=1)
        for row, column in np.argwhere(~np.stack([one.relevant[system] for one in rows])):
            corner = ((SIDE + 2) * column, (SIDE + 2) * row)
            axes.add_patch(plt.Rectangle(corner, SIDE + 1, SIDE + 1, fill=False, edgecolor="#D55E00", linewidth=2))
        axes.set_title(f"nearest by {system}", fontsize=11)
    for axes in panels:
        _bare(axes)
    _save(figure, name)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _save(figure: Figure, name: str) -> None:
    import matplotlib.pyplot as plt
    from PIL import Image

    IMAGES.mkdir(exist_ok=True)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100, bbox_inches="tight", pad_inches=0.08)
    plt.close(figure)
    few = Image.open(drawn).convert("RGB").quantize(48, dither=Image.Dither.NONE)  # a third of the bytes
    few.save(IMAGES / name, optimize=True)
