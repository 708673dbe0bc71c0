"""Points as an image, by numpy: a million take seconds, and none hides another.

More points make a pixel more opaque. Its colour is the mean of theirs, mixed as light.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from textae.views.palette import rgb


def splatted(
    at: NDArray[np.float64], shades: Sequence[str], of: NDArray[np.int32], side: int, radius: float, opacity: float
) -> NDArray[np.uint8]:
    """Points as an image: 1 - (1 - opacity)^c opaque where c of them lie, in the mean of their colours.

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
    channels = _light(np.array([rgb(shade) for shade in shades]).reshape(-1, 3) / 255).T[:, of]
    light = np.stack([np.bincount(pixel_of, weights, len(pixels)) for weights in (*channels, None)], axis=1)
    sums = np.zeros((padded * padded, 4), np.float32)
    for dx in range(-wide, wide + 1):
        for dy in range(-wide, wide + 1):
            if (covered := min(1.0, radius + 0.5 - float(np.hypot(dx, dy)))) > 0:  # pixels of one shift are distinct
                sums[pixels + (dy * padded + dx)] += covered * light
    inner = slice(wide + 1, wide + 1 + side)
    sums = sums.reshape(padded, padded, 4)[inner, inner][::-1]
    count = sums[..., 3:]
    image = np.concatenate([_screen(sums[..., :3] / np.maximum(count, 1e-9)), 1 - (1 - opacity) ** count], axis=2)
    rounded: NDArray[np.uint8] = np.rint(255 * image).clip(0, 255).astype(np.uint8)
    return rounded


def _light(screen: NDArray[np.floating]) -> NDArray[np.floating]:
    """Linear light from sRGB (IEC 61966-2-1)."""
    return np.where(screen <= 0.04045, screen / 12.92, ((screen + 0.055) / 1.055) ** 2.4)


def _screen(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """The values of sRGB from linear light."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
