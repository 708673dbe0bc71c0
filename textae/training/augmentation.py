"""Small distortions of a picture that keep what it shows: rotation, scaling, shear and translation.

    x'(p) = x(A p + t)        A = rotation · diag(scale) · shear; bilinear, and edge values outside the picture

Pictures are not mirrored: a mirrored letter is another letter.
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

SHIFT, TURN, STRETCH, SLANT = 0.1, 0.35, 0.25, 0.3
"""Maxima: of the side; in radians; of the logarithm of the size, for each direction; of the height."""


def distorted(pictures: Tensor, generator: Generator) -> Tensor:
    """Distort each picture at random.

    Args:
        pictures: (n, channels, height, width).
        generator: on the device.
    """
    drawn = torch.rand(len(pictures), 6, generator=generator, device=pictures.device) * 2 - 1
    maxima = TURN, SLANT, STRETCH, STRETCH, 2 * SHIFT, 2 * SHIFT  # a side has length 2
    turn, slant, wide, high, across, down = (of * most for of, most in zip(drawn.unbind(1), maxima, strict=True))
    cos, sin, wide, high = turn.cos(), turn.sin(), wide.exp(), high.exp()
    first = torch.stack([cos * wide, cos * slant - sin * high, across], dim=1)
    second = torch.stack([sin * wide, sin * slant + cos * high, down], dim=1)
    grid = F.affine_grid(torch.stack([first, second], dim=1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
