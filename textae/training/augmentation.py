"""Small distortions of pictures, after which they show what they showed: turned, stretched, slanted and moved a little.

    x'(p) = x(A p + t)        A = turn · diag(stretch) · slant; read between pixels, what is outside is as the edge

No picture is mirrored: a mirrored letter is another one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

SHIFT, TURN, STRETCH, SLANT = 0.1, 0.35, 0.25, 0.3
"""At most: of a side; radians; of the logarithm of the size, in each direction by itself; and of the height."""


def distorted(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Distort each picture in its own way.

    Args:
        pictures: (n, channels, height, width).
        generator: on the CPU.
    """
    turn, slant, wide, high, across, down = _drawn(len(pictures), generator).to(pictures.device).unbind(1)
    cos, sin = turn.cos(), turn.sin()
    first = torch.stack([cos * wide, cos * slant - sin * high, across], dim=1)
    second = torch.stack([sin * wide, sin * slant + cos * high, down], dim=1)
    grid = F.affine_grid(torch.stack([first, second], dim=1), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _drawn(n: int, generator: torch.Generator) -> Tensor:
    """Turn, slant, the sizes across and down, and the shifts, of which a side is 2 long: (n, 6)."""
    drawn = torch.rand(n, 6, generator=generator) * 2 - 1
    drawn *= torch.tensor([TURN, SLANT, STRETCH, STRETCH, 2 * SHIFT, 2 * SHIFT])
    drawn[:, 2:4] = drawn[:, 2:4].exp()
    return drawn
