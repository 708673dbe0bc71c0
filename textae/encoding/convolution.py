"""Convolution and its transpose in numpy: a convolutional auto-encoder without torch (`textae.training.networks.conv`).

    y[p, o] = b_o + Σ_d Σ_i x[p + d, i] · w[o, i, d]        the kernel slides over a picture padded with zeros

Pictures are (n, height, width, channels), as their pixels are stored; kernels are as in torch.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from textae.encoding.arrays import Floats
from textae.encoding.layers import matmul

Kernels = tuple[tuple[Floats, Floats], ...]
"""Kernels (n_out, n_in, size, size), of odd size, and biases (n_out,) of convolutions, first to last."""

POOL = 2
"""Height and width of the blocks that pooling reduces to one number."""


def convolved(pictures: Floats, kernels: Floats, biases: Floats) -> Floats:
    """Kernels over pictures: (n, height, width, n_in) to (n, height, width, n_out)."""
    size = kernels.shape[-1]
    edge = (size // 2, size // 2)
    windows = sliding_window_view(np.pad(pictures, ((0, 0), edge, edge, (0, 0))), (size, size), axis=(1, 2))
    n, height, width = pictures.shape[:3]
    flat = windows.reshape(n * height * width, -1)  # (n · height · width, n_in · size²)
    slid: Floats = (matmul(flat, kernels.reshape(len(kernels), -1).T) + biases).reshape(n, height, width, -1)
    return slid


def deconvolved(pictures: Floats, kernels: Floats, biases: Floats) -> Floats:
    """The transpose of `convolved`: a convolution with the kernels flipped.

    Args:
        pictures: (n, height, width, n_kernels).
        kernels: (n_kernels, channels, size, size).
        biases: (channels,).

    Returns:
        (n, height, width, channels)
    """
    return convolved(pictures, np.flip(kernels, (2, 3)).swapaxes(0, 1), biases)


def pooled(pictures: Floats) -> Floats:
    """The maximum of each block: (n, height, width, channels) to (n, height // POOL, width // POOL, channels)."""
    n, height, width, channels = pictures.shape
    blocks = pictures[:, : height // POOL * POOL, : width // POOL * POOL]
    maxima: Floats = blocks.reshape(n, height // POOL, POOL, width // POOL, POOL, channels).max(axis=(2, 4))
    return maxima


def repeated(pictures: Floats, height: int, width: int) -> Floats:
    """Each number at every place of its block: (n, …, …, channels) to (n, height, width, channels)."""
    down = np.arange(height) * pictures.shape[1] // height
    across = np.arange(width) * pictures.shape[2] // width
    return pictures[:, down[:, None], across]
