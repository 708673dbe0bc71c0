"""Colours that people with any colour vision can distinguish, the same for a picture, a page and a terminal.

Colours are OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020): perceived
lightness, chroma and hue. Simulated annealing chose the twelve colours. It maximised the smallest OKLab distance of any
two of them, on both grounds, with all cones and without those for long, medium or short waves (Machado, Oliveira &
Fernandes, "A physiologically-based model for simulation of color vision deficiency", 2009).

Colours stay a formula, not constants: the shade of a topic depends on the size of its group.
"""

import math
from collections.abc import Sequence

_COLOURS = (
    (0.685, 0.170, 247.2),
    (0.561, 0.125, 58.9),
    (0.476, 0.156, 271.0),
    (0.756, 0.153, 89.8),
    (0.460, 0.156, 22.7),
    (0.481, 0.104, 327.4),
    (0.550, 0.114, 164.9),
    (0.594, 0.152, 289.7),
    (0.653, 0.109, 108.4),
    (0.767, 0.114, 139.8),
    (0.782, 0.104, 206.0),
    (0.683, 0.097, 352.4),
)
"""Lightness, chroma and hue on a light ground; each is as far as possible from those before it."""

MOST = len(_COLOURS)
"""Number of distinguishable colours."""

GROUND = ("#ffffff", "#15171c")
"""The ground, light or dark."""

INK = ("#1d2027", "#eceef1")
"""On a light and a dark ground: words without a colour of their own."""

OTHER = ("#8a8f98", "#7d828b")
"""On a light and a dark ground: all values without a colour of their own."""

WITHOUT = ("#cfd2d6", "#4a4e55")
"""On a light and a dark ground: no value."""

_LIGHTER = 0.12  # on a dark ground than on a light one
_LIGHTNESS = ((0.40, 0.84), (0.52, 0.95))  # the darkest and the lightest that still stand out from the ground
_INK_LIGHTNESS = (0.54, 0.72)  # at most on a light ground, at least on a dark one: contrasts of 4.5 : 1 (WCAG 2.2)
_BETWEEN_TOPICS, _WITHIN_GROUP = 0.06, 0.22  # difference in lightness of neighbours, and maximum of a group


def categorical(n: int, *, dark: bool = False) -> tuple[str, ...]:
    """N colours as `#rrggbb`, on a light or a dark ground; after the first `MOST` hues repeat, paler."""
    return tuple(oklch(*_colour(place, dark=dark)) for place in range(n))


def inks(n: int, *, dark: bool = False) -> tuple[str, ...]:
    """The same n colours for words: dark enough to be readable, or light enough on a dark ground."""
    bound, clipped = _INK_LIGHTNESS[dark], max if dark else min
    colours = (_colour(place, dark=dark) for place in range(n))
    return tuple(oklch(clipped(lightness, bound), chroma, hue) for lightness, chroma, hue in colours)


def topic_colours(sizes: Sequence[int], *, dark: bool = False) -> tuple[str, ...]:
    """The colours of topics, group by group: a hue for each group, a lightness for each topic.

    Args:
        sizes: number of topics of each group.
        dark: for a dark ground.
    """
    darkest, lightest = _LIGHTNESS[dark]
    colours: list[str] = []
    for group, size in enumerate(sizes):
        middle, chroma, hue = _colour(group, dark=dark)
        spread = min(_WITHIN_GROUP, _BETWEEN_TOPICS * (size - 1))
        first = min(max(middle - spread / 2, darkest), lightest - spread)
        colours += [oklch(first + spread * topic / max(1, size - 1), chroma, hue) for topic in range(size)]
    return tuple(colours)


def _colour(place: int, *, dark: bool) -> tuple[float, float, float]:
    """Lightness, chroma and hue."""
    turn, place = divmod(place, MOST)
    lightness, chroma, hue = _COLOURS[place]
    return lightness + _LIGHTER * dark, chroma * 0.6 ** (turn % 3), hue


def sequential(share: float, *, dark: bool = False) -> str:
    """The colour of a number from the minimum (0) to the maximum (1) of a corpus, as `#rrggbb`."""
    low, high = (0.42, 0.92) if dark else (0.80, 0.35)
    return oklch(low + (high - low) * share, 0.12, 250.0 - 190.0 * share)


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """A colour as `#rrggbb`, less colourful if no screen can show it.

    Args:
        lightness: from 0, black, to 1, white.
        chroma: 0 is grey.
        hue: in degrees.
    """
    while True:
        a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        linear = (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )
        if chroma <= 0 or all(-1e-4 <= channel <= 1 + 1e-4 for channel in linear):
            channels = (min(1.0, max(0.0, channel)) for channel in linear)
            gamma = (12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055 for x in channels)
            return "#" + "".join(f"{round(255 * x):02x}" for x in gamma)
        chroma = max(0.0, chroma - 0.005)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue from 0 to 255 of a colour as `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
