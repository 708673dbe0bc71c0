"""The map as a picture for papers: every document a point, and the names of topics where their documents are.

Points are splatted into an image by numpy, so that a million documents need seconds and no point hides another: where
many lie, a pixel is denser and has the mean of their colours. Words are sharp at any size in
svg and pdf. Two layouts side by side are the comparison of Hinton & Salakhutdinov (Science 2006, figure 4).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textae.colouring import CATEGORIES, Colouring, colours, legend, stops
from textae.labels import arranged, densest, names, plain
from textae.palette import GROUND, INK, OTHER, categorical, inks, topic_colours
from textae.pictures.drawing import drawing
from textae.spec import AUTOENCODER, LSA, NEIGHBOURS
from textae.topicmap import TopicMap

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure

LAYOUT_NAMES = {NEIGHBOURS: "neighbours kept together", AUTOENCODER: "auto-encoder, 2-d", LSA: "LSA, 2-d"}

_DPI = 300
_SIZES = (5.2, 0.47, 8.5)  # points: names of the largest topics on no map, more for each inch of it, and at most
_LINE = 15  # letters
_SMALLEST = 0.72  # of that: names of the smallest topics
_NARROW = 4.0  # inches: names on smaller maps are shorter
_LEGEND, _SCALE = 7.0, 0.5  # points; and inches, the height of a scale
_POINT = 72.0  # to the inch
_MARGIN = 0.02  # of the map, around the points
_LED = 5.0  # points: from a name to its documents, from where on a line leads there
_REACH = 0.11  # of the map's width: how far a name may stand from its documents


def draw_map(
    topic_map: TopicMap, path: Path, *, colour: Colouring | None = None, title: str = "", width: float = 7.0
) -> int:
    """Draw a map.

    Args:
        topic_map: of an index.
        path: whose ending, one of `drawing.ENDINGS`, decides the format.
        colour: what points are coloured by; topics, with a hue for each area, unless given.
        title: above it.
        width: in inches; letters have the same size at any, so 3.4 for a column and 7 for a page.

    Returns:
        How many topics have no name in the picture, as there was no room for it.

    Raises:
        TextaeError: the ending is of no format; or matplotlib is not installed.
        OSError: the file cannot be written; what was there is as it was.
    """
    return _draw([topic_map], [title], path, colour, width)


def draw_comparison(
    maps: Sequence[TopicMap], path: Path, *, colour: Colouring | None = None, width: float = 7.0
) -> int:
    """Draw maps of the same documents by different layouts side by side, each titled by its layout.

    Args:
        maps: of one index, at least one.
        path: as `draw_map` takes it.
        colour: as `draw_map` takes it.
        width: of all of them together, in inches.

    Returns:
        How many names of topics the maps do without, as there was no room for them.

    Raises:
        TextaeError: the ending is of no format; or matplotlib is not installed.
        OSError: the file cannot be written; what was there is as it was.
    """
    return _draw(maps, [LAYOUT_NAMES.get(one.layout, one.layout) for one in maps], path, colour, width)


def _draw(maps: Sequence[TopicMap], titles: Sequence[str], path: Path, colour: Colouring | None, width: float) -> int:
    with drawing(path) as write:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, width), dpi=_DPI, facecolor=GROUND[0])
        ruler = FigureCanvasAgg(figure).get_renderer()  # one for all: it is as large as the picture
        is_scale = colour is not None and colour.kind != CATEGORIES
        below = _SCALE if is_scale else _key(figure, ruler, *_entries(maps[0], colour))
        panels = _panels(figure, maps, titles, below)
        if colour is not None and is_scale:
            _scale(figure, colour)
        shades = _shades(maps[0], colour)
        dropped = 0
        for one, axes in zip(maps, panels, strict=True):
            at, radius = _frame(one, axes)
            _points(axes, at, shades, radius)
            dropped += _names(axes, one, at, ruler, inked=colour is None)
        write(figure)
    return dropped


@dataclass(frozen=True)
class _Shades:
    """The colours of documents: `table` (n_colours, 3) linear light, `of` (n,) the place of each document's in it."""

    table: NDArray[np.float64]
    of: NDArray[np.int32]


def _shades(topic_map: TopicMap, colour: Colouring | None) -> _Shades:
    if colour is not None:
        table, of = colours(colour)
    else:
        table, of = topic_colours([len(area.topics) for area in topic_map.topics.areas]), topic_map.topic_of
    channels = np.array([[int(shade[at : at + 2], 16) for at in (1, 3, 5)] for shade in table]) / 255
    return _Shades(np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4), of)


def _panels(figure: Figure, maps: Sequence[TopicMap], titles: Sequence[str], below: float) -> list[Axes]:
    """One square for each map, its coordinates in points, in a figure made as high as they and the legend are."""
    width = figure.get_figwidth()
    gap = 0.12 if len(maps) > 1 else 0.0
    side = (width - gap * (len(maps) - 1)) / len(maps)
    above = 0.24 if any(titles) else 0.0
    height = below + side + above
    figure.set_figheight(height)
    panels = []
    for number, title in enumerate(titles):
        left = number * (side + gap)
        axes = figure.add_axes((left / width, below / height, side / width, side / height))
        axes.set(xlim=(0, side * _POINT), ylim=(0, side * _POINT), xticks=[], yticks=[])
        axes.spines[:].set(visible=len(maps) > 1, color="#d8dade", linewidth=0.6)
        axes.patch.set_visible(False)
        if title:
            words = plain(title, int(side * 13))
            figure.text((left + 0.05) / width, 1 - 0.06 / height, words, size=9, weight="bold", color=INK[0], va="top")
        panels.append(axes)
    return panels


def _frame(topic_map: TopicMap, axes: Axes) -> tuple[NDArray[np.float64], float]:
    """The places of documents in points from the corner of the map, as wide as high, and the radius of a point."""
    side = float(axes.get_xlim()[1])
    places = topic_map.places.astype(np.float64)
    if not len(places):
        return places, 1.0
    low, high = places.min(axis=0), places.max(axis=0)
    extent = float((high - low).max())
    radius = float(np.clip(0.27 * side / np.sqrt(len(places)), 0.36, 3.2))
    margin = _MARGIN * side + radius
    scale = (side - 2 * margin) / extent if extent > 1e-6 else 0.0
    return (places - (low + high) / 2) * scale + side / 2, radius


def _points(axes: Axes, at: NDArray[np.float64], shades: _Shades, radius: float) -> None:
    side = float(axes.get_xlim()[1])
    pixels = round(side / _POINT * _DPI)
    opacity = float(np.clip(1.8 * max(1, len(at)) ** -0.14, 0.12, 0.85))
    image = splatted(at * (pixels / side), shades.table, shades.of, pixels, radius / _POINT * _DPI, opacity)
    axes.imshow(image, extent=(0, side, 0, side), interpolation="nearest", zorder=1, aspect="auto")


def splatted(
    at: NDArray[np.float64],
    table: NDArray[np.float64],
    of: NDArray[np.int32],
    side: int,
    radius: float,
    opacity: float,
) -> NDArray[np.uint8]:
    """Points as an image: 1 - (1 - opacity)^c opaque where c of them lie, in the mean of their colours.

    Args:
        at: (n, 2) in pixels, from the lower left.
        table: (n_colours, 3) linear red, green and blue from 0 to 1.
        of: (n,) the place of each point's colour in the table.
        side: width and height in pixels.
        radius: of a point, in pixels.
        opacity: of a single point.

    Returns:
        (side, side, 4), the upper row first.
    """
    wide = int(np.ceil(radius))
    padded = side + 2 * wide + 2
    x, y = (np.clip(at, 0, side - 1).astype(np.int64) + wide + 1).T
    pixels, pixel_of = np.unique(y * padded + x, return_inverse=True)
    light = np.stack([np.bincount(pixel_of, weights, len(pixels)) for weights in (*table.T[:, of], None)], axis=1)
    sums = np.zeros((padded * padded, 4), np.float32)
    for dx in range(-wide, wide + 1):
        for dy in range(-wide, wide + 1):
            if (covered := min(1.0, radius + 0.5 - float(np.hypot(dx, dy)))) > 0:
                sums[pixels + (dy * padded + dx)] += covered * light
    inner = slice(wide + 1, wide + 1 + side)
    sums = sums.reshape(padded, padded, 4)[inner, inner][::-1]
    count = sums[..., 3:]
    mean = sums[..., :3] / np.maximum(count, 1e-9)
    gamma = np.where(mean <= 0.0031308, 12.92 * mean, 1.055 * np.maximum(mean, 1e-9) ** (1 / 2.4) - 0.055)
    image = np.concatenate([gamma, 1 - (1 - opacity) ** count], axis=2)
    rounded: NDArray[np.uint8] = np.rint(255 * image).clip(0, 255).astype(np.uint8)
    return rounded


def _names(axes: Axes, topic_map: TopicMap, at: NDArray[np.float64], ruler: RendererBase, *, inked: bool) -> int:
    """Write the names of the topics, and say how many had no room."""
    from matplotlib.patheffects import Normal, withStroke

    leaves = topic_map.topics.leaves
    halo = [withStroke(linewidth=2.2, foreground=GROUND[0]), Normal()]
    hues = inks(len(topic_map.topics.areas))
    ink_of = [hues[area] for area, one in enumerate(topic_map.topics.areas) for _ in one.topics]
    most = max((leaf.documents for leaf in leaves), default=1)
    side = float(axes.get_xlim()[1])
    least, more, largest = _SIZES
    large = min(least + more * side / _POINT, largest)
    longest = 36 if side > _NARROW * _POINT else 24
    texts, sizes = [], []
    for leaf, name, ink in zip(leaves, names([leaf.name for leaf in leaves], longest), ink_of, strict=True):
        size = large * (_SMALLEST + (1 - _SMALLEST) * (leaf.documents / max(most, 1)) ** 0.5)
        lines = textwrap.wrap(name, _LINE, break_long_words=False)
        text = axes.text(
            0, 0, "\n".join(lines), size=size, color=ink if inked else INK[0], zorder=3, path_effects=halo,
            linespacing=1.0, ha="center", va="center", multialignment="center",
        )  # fmt: skip
        box = text.get_window_extent(ruler)
        texts.append(text)
        sizes.append((box.width / _DPI * _POINT + 3, box.height / _DPI * _POINT + 2))
    first = sorted(range(len(leaves)), key=lambda place: -leaves[place].documents)
    anchors = densest(at, topic_map.topic_of, len(leaves))
    middles = arranged(anchors[first], np.array(sizes).reshape(-1, 2)[first], (side, side), _REACH * side)
    dropped = 0
    for place, middle in zip(first, middles, strict=True):
        if middle is None:
            texts[place].remove()
            dropped += 1
            continue
        texts[place].set_position(middle)
        _leader(axes, anchors[place], middle, sizes[place], ink_of[place] if inked else INK[0])
    return dropped


def _leader(
    axes: Axes, anchor: NDArray[np.float64], middle: tuple[float, float], size: tuple[float, float], ink: str
) -> None:
    """A line from a name that had to move out of the way to its documents."""
    away = anchor - middle
    inside = np.max(np.abs(away) / (np.array(size) / 2))
    if inside > 1 and np.hypot(*away) * (1 - 1 / inside) > _LED:
        start = middle + away / inside
        axes.plot(*zip(start, anchor, strict=True), color=ink, linewidth=0.6, zorder=2, solid_capstyle="round")
        axes.plot(*anchor, ".", color=ink, markersize=2.5, markeredgewidth=0, zorder=2)


def _entries(topic_map: TopicMap, colour: Colouring | None) -> tuple[list[tuple[str, str]], str]:
    """(colour, what it means) of each entry of the legend, and its heading."""
    return (_areas(topic_map), "") if colour is None else (_categories(colour), plain(colour.field, 60))


def _areas(topic_map: TopicMap) -> list[tuple[str, str]]:
    """(colour, what it means) of the areas, where there are several."""
    areas = topic_map.topics.areas
    if len(areas) < 2:
        return []
    said = names([area.name for area in areas], 30)
    shades = categorical(len(areas))
    return [(shade, f"{name} ({area.documents:,})") for shade, name, area in zip(shades, said, areas, strict=True)]


def _categories(colour: Colouring) -> list[tuple[str, str]]:
    told, (shades, _) = legend(colour), colours(colour)
    entries = [(shade, f"{plain(label, 30)} ({n:,})") for shade, (label, n) in zip(shades, told.entries, strict=False)]
    if told.others:
        entries.append((OTHER[0], f"{len(colour.labels) - len(told.entries):,} others ({told.others:,})"))
    return entries + ([(shades[-1], f"none ({told.without:,})")] if told.without else [])


def _key(figure: Figure, ruler: RendererBase, entries: Sequence[tuple[str, str]], heading: str) -> float:
    """Draw points and what their colours mean, in as many columns as there is room for; the height in inches."""
    from matplotlib.lines import Line2D

    if not entries:
        return 0.0
    handles: list[Artist] = [
        Line2D([], [], color=shade, marker="o", linestyle="", markersize=5, markeredgewidth=0) for shade, _ in entries
    ]
    size = _LEGEND - (figure.get_figwidth() < _NARROW)
    for columns in range(len(entries), 0, -1):
        key = figure.legend(
            handles, [said for _, said in entries], ncols=columns, loc="lower left", frameon=False, borderpad=0.6,
            bbox_to_anchor=(0, 0), borderaxespad=0, handlelength=0.8, handletextpad=0.5, columnspacing=1.5,
            labelspacing=0.35, fontsize=size, labelcolor=INK[0], alignment="left",
            title=heading or None, title_fontproperties={"size": size, "weight": "bold"},
        )  # fmt: skip
        key.get_title().set_color(INK[0])
        box = key.get_window_extent(ruler)
        if box.width <= figure.bbox.width or columns == 1:
            break
        key.remove()
    return float(box.height) / _DPI


def _scale(figure: Figure, colour: Colouring) -> None:
    """The colours from the least to the most, and what they mean."""
    from matplotlib.colors import ListedColormap

    shades, _ = colours(colour)
    width, height = figure.get_figwidth(), figure.get_figheight()
    long = min(3.0, width - 0.5)
    axes = figure.add_axes((0.25 / width, 0.22 / height, long / width, 0.08 / height))
    axes.imshow([range(len(shades) - 1)], cmap=ListedColormap(shades[:-1]), aspect="auto", extent=(0, 1, 0, 1))
    told = {said: place for place, said in stops(colour)}  # equal ones once
    axes.set_xticks(list(told.values()), list(told), fontsize=_LEGEND, color=INK[0])
    axes.tick_params(length=0, pad=2)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_title(plain(colour.field, 60), fontsize=_LEGEND, weight="bold", color=INK[0], loc="left", pad=3)
