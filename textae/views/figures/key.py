"""The key of a map's colours, at the foot of its picture: points with names, or a scale with values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from textae.explore.map import DocumentMap
from textae.explore.scales import CATEGORIES, Colouring
from textae.views.colour_scale import colours, legend, stops
from textae.views.label_placement import names, plain
from textae.views.palette import INK, OTHER, categorical

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure

NARROW = 4.0  # inches: letters are smaller in what is not wider
_LETTERS, _SMALL_LETTERS = 7.0, 6.0  # points
_SCALE = 0.5  # inches: the height of a scale


def draw_key(
    figure: Figure, ruler: RendererBase, topic_map: DocumentMap, colour: Colouring | None, above: float
) -> float:
    """Draw the meaning of the colours at the foot of a figure, and set the figure's height.

    Args:
        figure: of its final width.
        ruler: measures letters.
        topic_map: its topic groups have the colours, unless a field has them.
        colour: the field.
        above: inches of the figure above the key.

    Returns:
        The height of the key, in inches.
    """
    if colour is not None and colour.kind != CATEGORIES:
        figure.set_figheight(above + _SCALE)
        _scale(figure, colour)
        return _SCALE
    entries: list[tuple[str, str]] = []  # (colour, meaning)
    if colour is None:
        groups = topic_map.topics.groups
        if len(groups) > 1:
            meanings = zip(names([group.name for group in groups], 30), groups, strict=True)
            labels = [f"{name} ({group.documents:,})" for name, group in meanings]
            entries = list(zip(categorical(len(groups)), labels, strict=True))
    else:
        explained, (shades, _) = legend(colour), colours(colour)
        labels = [f"{plain(label, 30)} ({n:,})" for label, n in explained.entries]
        entries = list(zip(shades, labels, strict=False))
        if explained.others:
            n_others = len(colour.labels) - len(explained.entries)
            entries.append((OTHER[0], f"{n_others:,} others ({explained.others:,})"))
        if explained.without:
            entries.append((shades[-1], f"none ({explained.without:,})"))
    height = _legend(figure, ruler, entries, "" if colour is None else plain(colour.field, 60)) if entries else 0.0
    figure.set_figheight(above + height)
    return height


def _legend(figure: Figure, ruler: RendererBase, entries: Sequence[tuple[str, str]], heading: str) -> float:
    """Draw points and the meaning of their colours in as many columns as fit; the height in inches."""
    from matplotlib.lines import Line2D

    handles: list[Artist] = [
        Line2D([], [], color=shade, marker="o", linestyle="", markersize=5, markeredgewidth=0) for shade, _ in entries
    ]
    size = _LETTERS if figure.get_figwidth() > NARROW else _SMALL_LETTERS
    for columns in range(len(entries), 0, -1):
        key = figure.legend(
            handles, [meaning for _, meaning in entries], ncols=columns, loc="lower left", frameon=False, borderpad=0.6,
            bbox_to_anchor=(0, 0), borderaxespad=0, handlelength=0.8, handletextpad=0.5, columnspacing=1.5,
            labelspacing=0.35, fontsize=size, labelcolor=INK[0], alignment="left",
            title=heading or None, title_fontproperties={"size": size, "weight": "bold"},
        )  # fmt: skip
        key.get_title().set_color(INK[0])
        box = key.get_window_extent(ruler)
        if box.width <= figure.bbox.width or columns == 1:
            break
        key.remove()
    return float(box.height) / figure.dpi


def _scale(figure: Figure, colour: Colouring) -> None:
    """Draw the colours from the least to the most, and the values that they mean."""
    from matplotlib.colors import ListedColormap

    shades, _ = colours(colour)
    width, height = figure.get_figwidth(), figure.get_figheight()
    long = min(3.0, width - 0.5)
    axes = figure.add_axes((0.25 / width, 0.22 / height, long / width, 0.08 / height))
    axes.imshow([range(len(shades) - 1)], cmap=ListedColormap(shades[:-1]), aspect="auto", extent=(0, 1, 0, 1))
    ticks = {value: share for share, value in stops(colour)}  # equal values once
    axes.set_xticks(list(ticks.values()), list(ticks), fontsize=_LETTERS, color=INK[0])
    axes.tick_params(length=0, pad=2)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    without = int(np.isnan(colour.values).sum())
    heading = plain(colour.field, 60) + (f" (none: {without:,})" if without else "")
    axes.set_title(heading, fontsize=_LETTERS, weight="bold", color=INK[0], loc="left", pad=3)
