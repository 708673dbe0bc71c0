"""The convolutional auto-encoder: convolution and pooling, and the layers that reverse them.

    convolution     y[o] = b + Σ_i Σ_d  x[i, p + d] · w[o, i, d]         one small kernel for all positions p
    max-pooling     the maximum of each s × s block, and its position
    unpooling       each maximum at its position, zeros around it        (Zeiler & Fergus, ECCV 2014, section 2.1)
                    or the same value at every position of the block
    deconvolution   each number adds the kernel, times itself, at its position: a convolution of the padded input with
                    the flipped kernel

The encoder halves a picture once per layer, down to `dims` numbers, and the decoder reverses it (Masci, Meier, Cireşan
& Schmidhuber, "Stacked Convolutional Auto-Encoders", ICANN 2011):

    x ─ convolution ─ relu ─ pooling ─ … ─ linear ─▶ code ─ linear ─ … ─ unpooling ─ deconvolution ─▶ x̂

The functions are torch's operations under their textbook names, with shapes.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from textae.config import REMEMBERED
from textae.encoding.convolution import POOL
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import LINEAR, PixelEncoder, Quantization
from textae.training.networks.init import as_array, as_layers
from textae.types import Shape


def convolution(pictures: Tensor, kernels: Tensor, biases: Tensor | None = None) -> Tensor:
    """Slide kernels over pictures; zero padding keeps their size.

    Args:
        pictures: (n, channels, height, width).
        kernels: (n_kernels, channels, size, size), of odd size; not flipped, as usual in networks.
        biases: (n_kernels,).

    Returns:
        (n, n_kernels, height, width)
    """
    return F.conv2d(pictures, kernels, biases, padding=kernels.shape[-1] // 2)


def max_pooling(pictures: Tensor, size: int = POOL) -> tuple[Tensor, Tensor]:
    """The maximum of each size × size block, and its position.

    Args:
        pictures: (n, channels, height, width); an incomplete block at the right or below is left out.
        size: of a block.

    Returns:
        The maxima and their positions, both (n, channels, height // size, width // size). Positions count through the
        height × width of the channel, row by row. Of equal numbers the first one is the maximum.
    """
    return F.max_pool2d(pictures, size, return_indices=True)


def unpooling(pooled: Tensor, positions: Tensor, shape: Sequence[int], size: int = POOL) -> Tensor:
    """Put each number back at its position, among zeros.

    Args:
        pooled: (n, channels, height, width).
        positions: of the same shape, from `max_pooling`.
        shape: of the pictures before pooling.
        size: of a block.
    """
    return F.max_unpool2d(pooled, positions, [size, size], output_size=list(shape))


def repeating(pooled: Tensor, shape: Sequence[int]) -> Tensor:
    """Put each number at every position of its block.

    Args:
        pooled: (n, channels, height, width).
        shape: of the pictures before pooling; an incomplete block gets the number beside it.
    """
    return F.interpolate(pooled, size=tuple(shape[-2:]), mode="nearest")


def deconvolution(pictures: Tensor, kernels: Tensor, biases: Tensor | None = None) -> Tensor:
    """Add the kernel, times each number of the pictures, at the position of the number; the size stays.

    It is the transpose of `convolution` as a matrix, so it maps the output back to the shape of the input.

    Args:
        pictures: (n, n_kernels, height, width).
        kernels: (n_kernels, channels, size, size), of odd size.
        biases: (channels,).

    Returns:
        (n, channels, height, width)
    """
    return F.conv_transpose2d(pictures, kernels, biases, padding=kernels.shape[-1] // 2)


class ConvAutoEncoder(nn.Module):
    """The module's documentation has the layers.

    Args:
        shape: (channels, height, width) of a picture.
        channels: of each convolution, first to last; each halves the picture.
        dims: of the code.
        unpool: one of `textae.config.UNPOOLINGS`; with `REMEMBERED` the decoder in training gets the positions beside
            the code, and a code alone is decoded by repeating.
        size: of the kernels, odd.
        generator: on the device.
    """

    def __init__(
        self, shape: Shape, channels: Sequence[int], dims: int, unpool: str, generator: Generator, size: int = 3
    ) -> None:
        super().__init__()
        self.unpool = unpool
        self.shapes = [tuple(shape)]
        for n in channels:
            _, height, width = self.shapes[-1]
            self.shapes.append((n, height // POOL, width // POOL))
        steps = list(pairwise([shape[0], *channels]))
        self.up_kernels = nn.ParameterList(_kernels(n_out, n_in, size, generator) for n_in, n_out in steps)
        self.up_biases = nn.ParameterList(nn.Parameter(torch.zeros(n_out)) for _, n_out in steps)
        self.down_kernels = nn.ParameterList(_kernels(n_out, n_in, size, generator) for n_in, n_out in steps)
        self.down_biases = nn.ParameterList(nn.Parameter(torch.zeros(n_in)) for n_in, _ in steps)
        n_last = int(torch.tensor(self.shapes[-1]).prod())
        self.to_code = nn.utils.skip_init(nn.Linear, n_last, dims, device=generator.device)
        self.from_code = nn.utils.skip_init(nn.Linear, dims, n_last, device=generator.device)
        for layer in (self.to_code, self.from_code):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator)
            nn.init.zeros_(layer.bias)

    def encode(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The codes, and the positions of each pooling: (n, channels, height, width) to (n, dims)."""
        hidden, remembered = pictures, []
        for kernels, biases in zip(self.up_kernels, self.up_biases, strict=True):
            hidden, positions = max_pooling(torch.relu(convolution(hidden, kernels, biases)))
            remembered.append(positions)
        codes: Tensor = self.to_code(hidden.flatten(1))
        return codes, remembered

    def decode(self, codes: Tensor, remembered: Sequence[Tensor] = ()) -> Tensor:
        """The logits of the pixels: (n, dims) to (n, channels, height, width).

        Args:
            codes: of the pictures.
            remembered: the positions of each pooling; none to repeat numbers.
        """
        hidden: Tensor = torch.relu(self.from_code(codes)).unflatten(1, self.shapes[-1])
        for step in reversed(range(len(self.up_kernels))):
            before = (len(codes), len(self.down_kernels[step]), *self.shapes[step][1:])
            hidden = unpooling(hidden, remembered[step], before) if remembered else repeating(hidden, before)
            hidden = deconvolution(hidden, self.down_kernels[step], self.down_biases[step])
            hidden = torch.relu(hidden) if step else hidden
        return hidden

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The codes of pictures, and the logits of the pixels that the decoder rebuilds from them."""
        codes, remembered = self.encode(pictures)
        return codes, self.decode(codes, remembered if self.unpool == REMEMBERED else ())

    def encoder(self, quantization: Quantization) -> PixelEncoder:
        """The encoder as plain arrays, channels last."""
        n, height, width = self.shapes[-1]
        weight = self.to_code.weight.reshape(-1, n, height, width).permute(2, 3, 1, 0).flatten(0, 2)
        channels, height, width = self.shapes[0]
        return PixelEncoder(
            ((as_array(weight), as_array(self.to_code.bias)),),
            (LINEAR,),
            quantization,
            as_layers(self.up_kernels, self.up_biases),
            (height, width, channels),
        )

    def decoder(self) -> Decoder:
        """The decoder as plain arrays, channels last; it has no positions, so it repeats."""
        n, height, width = self.shapes[-1]
        weight = self.from_code.weight.T.reshape(-1, n, height, width).permute(0, 2, 3, 1).flatten(1)
        bias = self.from_code.bias.reshape(n, height, width).permute(1, 2, 0).flatten()
        shapes = [(height, width, channels) for channels, height, width in reversed(self.shapes)]
        down = as_layers(self.down_kernels, self.down_biases)[::-1]
        return Decoder(((as_array(weight), as_array(bias)),), down, np.array(shapes))


def _kernels(n_out: int, n_in: int, size: int, generator: Generator) -> nn.Parameter:
    """Random kernels that keep the variance through relu (He et al., ICCV 2015)."""
    scale = (2 / (n_in * size * size)) ** 0.5
    return nn.Parameter(torch.randn(n_out, n_in, size, size, generator=generator, device=generator.device) * scale)
