"""Pictures made smaller, as text: a hexadecimal digit for each pixel and channel, row by row.

A PNG has some 70 bytes beside its pixels, and the base64 around it hides from gzip what pictures have in common. A
digit of MNIST takes 296 bytes of a page whole, 58 with its sides halved, and 21 with a quarter of them.
"""

import numpy as np

from textae.types import Picture

_LEAST = 6
"""Pixels of the shorter side of the smallest thumbnail."""

_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


def thumbnail_shape(shape: tuple[int, int, int], halvings: int) -> tuple[int, int, int]:
    """Height, width and channels of a picture whose sides were halved so often; odd sides lose a pixel each time."""
    height, width, channels = shape
    return height >> halvings, width >> halvings, channels


def thumbnails(picture: Picture) -> list[str]:
    """The picture with its sides halved once, twice and so on, of 16 levels."""
    pixels = np.frombuffer(picture.pixels, np.uint8).reshape(picture.shape).astype(np.float32)
    drawn: list[str] = []
    while min(pixels.shape[:2]) >= 2 * _LEAST:
        height, width, channels = thumbnail_shape(picture.shape, len(drawn) + 1)
        pixels = pixels[: 2 * height, : 2 * width].reshape(height, 2, width, 2, channels).mean(axis=(1, 3))
        drawn.append(_DIGITS[(pixels / 17).round().astype(np.uint8)].tobytes().decode())
    return drawn
