"""Colours that people with any colour vision tell apart, the same for a picture, a page and a terminal.

Everything is worked out in OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020): lightness,
chroma and hue as people see them, so that no colour of a set shouts and none is lost on the ground.
"""

import math
from collections.abc import Sequence

_HUES = (255.0, 55.0, 150.0, 0.0, 95.0, 300.0, 200.0, 25.0, 120.0, 330.0, 230.0, 75.0)
"""Degrees: of neighbours in the list far apart, and blue and orange first, which all eyes tell apart."""


def categorical(n: int, *, dark: bool = False) -> tuple[str, ...]:
    """N colours as `#rrggbb`, on a light ground or a dark one; after the first `MOST` of them hues return."""
    return tuple(_colour(place, dark=dark) for place in range(n))


MOST = len(_HUES)
"""Colours that differ enough to be told apart by themselves."""


OTHER = ("#8a8f98", "#7d828b")
"""On a light ground and a dark one: what is something else than what has a colour."""

WITHOUT = ("#cfd2d6", "#4a4e55")
"""On a light ground and a dark one: what says nothing."""


def topic_colours(sizes: Sequence[int], *, dark: bool = False) -> tuple[str, ...]:
    """The colours of topics, area by area: a hue for each area, and shades of it for the topics in it.

    Args:
        sizes: how many topics each area has.
        dark: whether the ground is.
    """
    found = []
    for area, size in enumerate(sizes):
        hue, turn = _HUES[area % MOST], area // MOST
        middle = (0.74 if dark else 0.62) + (0.08, -0.08)[area % MOST % 2] * (1 - 0.4 * (turn % 2))
        for topic in range(size):
            found.append(oklch(middle + 0.16 * ((topic + 0.5) / size - 0.5), 0.13, hue))
    return tuple(found)


def _colour(place: int, *, dark: bool) -> str:
    turn, hue = divmod(place, MOST)
    lightness = (0.74 if dark else 0.62) + (0.08, -0.08)[hue % 2] * (1 - 0.4 * (turn % 2))
    return oklch(lightness, 0.13, _HUES[hue])


def sequential(share: float, *, dark: bool = False) -> str:
    """The colour of a number between the least (0) and the most (1) of a corpus, as `#rrggbb`."""
    low, high = (0.35, 0.9) if dark else (0.85, 0.35)
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


def _gamma(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
