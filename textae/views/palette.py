"""Colours that people with any colour vision tell apart, the same for a picture, a page and a terminal.

Everything is worked out in OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020): lightness,
chroma and hue as people see them. The twelve colours were found by annealing: the least distance in OKLab of any two of
them, on both grounds, as people see them with all cones and without those for long, medium or short waves (Machado,
Oliveira & Fernandes, "A physiologically-based model for simulation of color vision deficiency", 2009), was to be as
large as it can be, with hues that go round the circle.
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
"""Lightness, chroma and hue on a light ground; each is as far as can be from all before it."""

MOST = len(_COLOURS)
"""Colours that differ enough to be told apart by themselves."""

GROUND = ("#ffffff", "#15171c")
"""The ground, light or dark."""

INK = ("#1d2027", "#eceef1")
"""On a light ground and a dark one: words without a colour of their own."""

OTHER = ("#8a8f98", "#7d828b")
"""On a light ground and a dark one: what is something else than what has a colour."""

WITHOUT = ("#cfd2d6", "#4a4e55")
"""On a light ground and a dark one: what says nothing."""

_LIGHTER = 0.12  # on a dark ground than on a light one
_LIGHTNESS = ((0.40, 0.84), (0.52, 0.95))  # the darkest and the lightest that still stand out from the ground
_INK_LIGHTNESS = (0.54, 0.72)  # at most on a light ground, at least on a dark one: contrasts of 4.5 : 1 (WCAG 2.2)
_BETWEEN_TOPICS, _WITHIN_AREA = 0.06, 0.22  # in lightness: of neighbours, and at most from the first to the last


def categorical(n: int, *, dark: bool = False) -> tuple[str, ...]:
    """N colours as `#rrggbb`, on a light ground or a dark one; after the first `MOST` of them hues return."""
    return tuple(oklch(*_colour(place, dark=dark)) for place in range(n))


def inks(n: int, *, dark: bool = False) -> tuple[str, ...]:
    """The same n colours for words: as dark, or on a dark ground as light, as words must be to be read."""
    bound, clipped = _INK_LIGHTNESS[dark], max if dark else min
    colours = (_colour(place, dark=dark) for place in range(n))
    return tuple(oklch(clipped(lightness, bound), chroma, hue) for lightness, chroma, hue in colours)


def topic_colours(sizes: Sequence[int], *, dark: bool = False) -> tuple[str, ...]:
    """The colours of topics, area by area: the hue of each area, and a lightness of each topic in it.

    Args:
        sizes: how many topics each area has.
        dark: whether the ground is.
    """
    darkest, lightest = _LIGHTNESS[dark]
    found = []
    for area, size in enumerate(sizes):
        middle, chroma, hue = _colour(area, dark=dark)
        score_std = min(_WITHIN_AREA, _BETWEEN_TOPICS * (size - 1))
        first = min(max(middle - score_std / 2, darkest), lightest - score_std)
        found += [oklch(first + score_std * topic / max(1, size - 1), chroma, hue) for topic in range(size)]
    return tuple(found)


def _colour(place: int, *, dark: bool) -> tuple[float, float, float]:
    """Lightness, chroma and hue; those that return are paler."""
    turn, place = divmod(place, MOST)
    lightness, chroma, hue = _COLOURS[place]
    return lightness + _LIGHTER * dark, chroma * 0.6 ** (turn % 3), hue


def sequential(share: float, *, dark: bool = False) -> str:
    """The colour of a number between the least (0) and the most (1) of a corpus, as `#rrggbb`."""
    low, high = (0.42, 0.92) if dark else (0.80, 0.35)
    return oklch(low + (high - low) * share, 0.12, 250.0 - 190.0 * share)


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """A colour as `#rrggbb`, less colourful where no screen shows it so.

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
            return "#" + "".join(f"{round(255 * _gamma(min(1.0, max(0.0, channel)))):02x}" for channel in linear)
        chroma = max(0.0, chroma - 0.005)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue from 0 to 255 of a colour as `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _gamma(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
