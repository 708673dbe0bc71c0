"""The map as a picture for papers: a point for each document, and the names of topics at their documents.

Points are one image in every format; words are sharp at any size in svg and pdf. Two layouts side by side are the
comparison of Hinton & Salakhutdinov (Science 2006, figure 4).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textae.config import AUTOENCODER, LSA, NEIGHBOURS
from textae.errors import TextaeError
from textae.explore.map import DocumentMap
from textae.explore.scales import Colouring
from textae.views.colour_scale import colours
from textae.views.figures.drawing import WIDTHS, drawing
from textae.views.figures.key import NARROW, draw_key
from textae.views.label_placement import Places, arranged, densest, names, plain
from textae.views.palette import GROUND, INK, inks, rgb, topic_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure

LAYOUT_NAMES = {NEIGHBOURS: "neighbours kept together", AUTOENCODER: "auto-encoder, 2-d", LSA: "LSA, 2-d"}

_DPI = 300
_POINT = 72.0  # to the inch
_TITLE, _GAP = 0.24, 0.12  # inches: above a map, and between maps
_MARGIN = 0.02  # of a map's width: around the points
_SIZES = (5.2, 0.47, 8.5)  # points: names of the largest topics on no map, more for each inch of it, and at most
_SMALLEST = 0.72  # of that: names of the smallest topics
_LONGEST, _LINE = (24, 36), 15  # letters of a name, on a narrow map and on others; and of a line of it
_AROUND = (3.0, 2.0)  # points: left free around a name
_LED = 5.0  # points: a name farther than this from its documents gets a line to them
_REACH = 0.11  # of a map's width: how far a name may stand from its documents


def draw_maps(
    maps: Sequence[DocumentMap], titles: Sequence[str], path: Path, *, colour: Colouring | None = None, width: float = 7
) -> int:
    """Draw maps of the same documents side by side.

    Args:
        maps: of one index, at least one.
        titles: above each; may be empty.
        path: its suffix, one of `drawing.ENDINGS`, decides the format.
        colour: of the points; by default by topic, with a hue for each topic group.
        width: of all maps together, in inches: 3.4 for a column of a paper, 7 for a page. The size of letters does not
            depend on it.

    Returns:
        The number of topics without a name in the picture, for lack of room.

    Raises:
        TextaeError: unknown suffix; the width is not in `WIDTHS`; or matplotlib is not installed.
        OSError: the file cannot be written; an existing file stays as it was.
    """
    low, high = WIDTHS
    if not low <= width <= high:
        raise TextaeError(f"a picture cannot be {width:g} inches wide; give {low} to {high}")
    with drawing(path) as write:
        figure, unnamed = _figure(maps, titles, colour, width)
        write(figure)
    return unnamed


def _figure(
    maps: Sequence[DocumentMap], titles: Sequence[str], colour: Colouring | None, width: float
) -> tuple[Figure, int]:
    """The picture, and the number of topics without a name in it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, width), dpi=_DPI, facecolor=GROUND[0])
    ruler = FigureCanvasAgg(figure).get_renderer()  # one for all: it is as large as the picture
    side = (width - _GAP * (len(maps) - 1)) / len(maps)
    bottom = draw_key(figure, ruler, maps[0], colour, side + (_TITLE if any(titles) else 0.0))
    if colour is None:
        shades, of = topic_colours([len(group.topics) for group in maps[0].topics.groups]), maps[0].topic_of
    else:
        shades, of = colours(colour)
    unnamed = 0
    for number, (one, title) in enumerate(zip(maps, titles, strict=True)):
        axes = _panel(figure, number * (side + _GAP), bottom, side, title)
        axes.spines[:].set_visible(len(maps) > 1)
        at, radius = _frame(one, side)
        pixels, points = round(side * _DPI), side * _POINT
        opacity = float(np.clip(1.8 * max(1, len(at)) ** -0.14, 0.12, 0.85))
        image = splatted(at * (pixels / points), shades, of, pixels, radius / _POINT * _DPI, opacity)
        axes.imshow(image, extent=(0, points, 0, points), interpolation="nearest", zorder=1, aspect="auto")
        unnamed += _names(axes, one, at, ruler, inked=colour is None)
    return figure, unnamed


def splatted(
    at: Places, shades: Sequence[str], of: NDArray[np.int32], side: int, radius: float, opacity: float
) -> NDArray[np.uint8]:
    """Points as an image: 1 - (1 - opacity)^c opaque where c of them lie, in the mean of their colours, mixed as light.

    Numpy draws a million points in seconds, and none hides another.

    Args:
        at: (n, 2) in pixels, from the lower left.
        shades: colours as `#rrggbb`.
        of: (n,) the place of each point's colour in `shades`.
        side: width and height in pixels.
        radius: of a point, in pixels.
        opacity: of a single point.

    Returns:
        (side, side, 4) red, green, blue and opacity, the upper row first.
    """
    wide = int(np.ceil(radius))
    padded = side + 2 * wide + 2
    x, y = (np.clip(at, 0, side - 1).astype(np.int64) + wide + 1).T
    pixels, pixel_of = np.unique(y * padded + x, return_inverse=True)
    srgb = np.array([rgb(shade) for shade in shades]).reshape(-1, 3) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)  # light (IEC 61966-2-1)
    channels = linear.T[:, of]
    light = np.stack([np.bincount(pixel_of, weights, len(pixels)) for weights in (*channels, None)], axis=1)
    sums = np.zeros((padded * padded, 4), np.float32)
    for dx in range(-wide, wide + 1):
        for dy in range(-wide, wide + 1):
            if (covered := min(1.0, radius + 0.5 - float(np.hypot(dx, dy)))) > 0:  # pixels of one shift are distinct
                sums[pixels + (dy * padded + dx)] += covered * light
    inner = slice(wide + 1, wide + 1 + side)
    sums = sums.reshape(padded, padded, 4)[inner, inner][::-1]
    count = sums[..., 3:]
    mean = sums[..., :3] / np.maximum(count, 1e-9)
    screen = np.where(mean <= 0.0031308, 12.92 * mean, 1.055 * np.maximum(mean, 1e-9) ** (1 / 2.4) - 0.055)
    image = np.concatenate([screen, 1 - (1 - opacity) ** count], axis=2)
    rounded: NDArray[np.uint8] = np.rint(255 * image).clip(0, 255).astype(np.uint8)
    return rounded


def _panel(figure: Figure, left: float, bottom: float, side: float, title: str) -> Axes:
    """A square for a map, in inches; its coordinates are points."""
    width, height = figure.get_figwidth(), figure.get_figheight()
    axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
    axes.set(xlim=(0, side * _POINT), ylim=(0, side * _POINT), xticks=[], yticks=[])
    axes.spines[:].set(color="#d8dade", linewidth=0.6)
    axes.patch.set_visible(False)
    words = plain(title, int(side * 11))
    figure.text((left + 0.05) / width, 1 - 0.06 / height, words, size=9, weight="bold", color=INK[0], va="top")
    return axes


def _frame(topic_map: DocumentMap, side: float) -> tuple[Places, float]:
    """The places of documents on a map of so many inches, and the radius of a point, both in typographic points."""
    side *= _POINT
    coordinates = topic_map.coordinates.astype(np.float64)
    if not len(coordinates):
        return coordinates, 1.0
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    extent = float((high - low).max())
    radius = float(np.clip(0.27 * side / np.sqrt(len(coordinates)), 0.36, 3.2))
    scale = (side - 2 * (_MARGIN * side + radius)) / extent if extent > 1e-6 else 0.0
    return (coordinates - (low + high) / 2) * scale + side / 2, radius


def _names(axes: Axes, topic_map: DocumentMap, at: Places, ruler: RendererBase, *, inked: bool) -> int:
    """Write the names of the topics, in the inks of their groups or all in one; the number of those without room."""
    from matplotlib.patheffects import Normal, withStroke

    leaves, groups, side = topic_map.topics.leaves, topic_map.topics.groups, float(axes.get_xlim()[1])
    group_inks = inks(len(groups))
    ink_of = [group_inks[i] if inked else INK[0] for i, group in enumerate(groups) for _ in group.topics]
    halo = [withStroke(linewidth=1.9, foreground=GROUND[0]), Normal()]
    least, more, most = _SIZES
    large = min(least + more * side / _POINT, most)
    largest = max((leaf.documents for leaf in leaves), default=1)
    shown = names([leaf.name for leaf in leaves], _LONGEST[side / _POINT > NARROW])
    texts = []
    for leaf, name, ink in zip(leaves, shown, ink_of, strict=True):
        lines = "\n".join(textwrap.wrap(name, _LINE, break_long_words=False))
        size = large * (_SMALLEST + (1 - _SMALLEST) * (leaf.documents / max(largest, 1)) ** 0.5)
        text = axes.text(0, 0, lines, size=size, color=ink, zorder=3, path_effects=halo, linespacing=1.12)
        text.set(ha="center", va="center", multialignment="center")
        texts.append(text)
    boxes = [text.get_window_extent(ruler) for text in texts]
    sizes = np.array([(box.width, box.height) for box in boxes]).reshape(-1, 2) * (_POINT / _DPI) + _AROUND
    first = sorted(range(len(leaves)), key=lambda place: -leaves[place].documents)
    anchors = densest(at, topic_map.topic_of, len(leaves))
    middles = arranged(anchors[first], sizes[first], (side, side), _REACH * side)
    for place, middle in zip(first, middles, strict=True):
        if middle is None:
            texts[place].remove()
        else:
            texts[place].set_position(middle)
            _lead(axes, anchors[place], middle, sizes[place], ink_of[place])
    return middles.count(None)


def _lead(axes: Axes, anchor: Places, middle: tuple[float, float], size: Places, ink: str) -> None:
    """Draw a line to its documents from a name that stands apart from them."""
    away = anchor - middle
    inside = np.max(np.abs(away) / (size / 2))
    if inside > 1 and np.hypot(*away) * (1 - 1 / inside) > _LED:
        start = middle + away / inside
        axes.plot(*zip(start, anchor, strict=True), color=ink, linewidth=0.6, zorder=2, solid_capstyle="round")
        axes.plot(*anchor, ".", color=ink, markersize=2.5, markeredgewidth=0, zorder=2)
