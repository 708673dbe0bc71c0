"""The convolutional auto-encoder, layer by layer: what convolution and pooling take away, and how it is put back.

    convolution     y[o] = b + Σ_i Σ_d  x[i, p + d] · w[o, i, d]         a small kernel, the same at every place p
    max-pooling     the largest of each s × s block, and where it stood
    unpooling       back to the place where it stood, zeros around it    (Zeiler & Fergus, ECCV 2014, section 2.1)
                    or the same value at every place of the block
    deconvolution   each number lays the kernel, times itself, at its place, and overlaps are added: a convolution of
                    the padded input with the flipped kernel

An auto-encoder of them halves a picture as often as it has layers, keeps `dims` numbers of it, and walks the same way
back (Masci, Meier, Cireşan & Schmidhuber, "Stacked Convolutional Auto-Encoders", ICANN 2011):

    x ─ convolution ─ relu ─ pooling ─ … ─ linear ─▶ code ─ linear ─ … ─ unpooling ─ deconvolution ─▶ x̂

Everything is torch's own operations: the functions here give them the lecture's names, and shapes.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textae.config import REMEMBERED
from textae.encoding.convolution import POOL
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import LINEAR, PixelEncoder, Quantization
from textae.training.networks.init import as_array


def convolution(pictures: Tensor, kernels: Tensor, biases: Tensor | None = None) -> Tensor:
    """Slide kernels over pictures, which are padded with zeros so that they keep their size.

    Args:
        pictures: (n, channels, height, width).
        kernels: (n_kernels, channels, size, size), of odd size; not flipped, as is usual in networks.
        biases: (n_kernels,).

    Returns:
        (n, n_kernels, height, width)
    """
    return F.conv2d(pictures, kernels, biases, padding=kernels.shape[-1] // 2)


def max_pooling(pictures: Tensor, size: int = POOL) -> tuple[Tensor, Tensor]:
    """Keep the largest number of each size × size block, and remember where it stood.

    Args:
        pictures: (n, channels, height, width); a rest at the right or below that fills no block is left out.
        size: of a block.

    Returns:
        The numbers and their places, both (n, channels, height // size, width // size); a place counts through the
        height × width of its channel, row by row. Of equal numbers the first one is kept.
    """
    return F.max_pool2d(pictures, size, return_indices=True)


def unpooling(pooled: Tensor, places: Tensor, shape: Sequence[int], size: int = POOL) -> Tensor:
    """Put each number back where it stood, among zeros.

    Args:
        pooled: (n, channels, height, width).
        places: of the same shape, as `max_pooling` gave them.
        shape: of the pictures before pooling.
        size: of a block.
    """
    return F.max_unpool2d(pooled, places, [size, size], output_size=list(shape))


def repeating(pooled: Tensor, shape: Sequence[int]) -> Tensor:
    """Put each number at every place of its block, for want of a place that is remembered.

    Args:
        pooled: (n, channels, height, width).
        shape: of the pictures before pooling; what no block filled takes the number beside it.
    """
    return F.interpolate(pooled, size=tuple(shape[-2:]), mode="nearest")


def deconvolution(pictures: Tensor, kernels: Tensor, biases: Tensor | None = None) -> Tensor:
    """Lay the kernel, times each number of the pictures, at its place, and add what overlaps; the size is kept.

    It is the transpose of `convolution` as a matrix, and so what takes its output back to the shape of its input.

    Args:
        pictures: (n, n_kernels, height, width).
        kernels: (n_kernels, channels, size, size), of odd size.
        biases: (channels,).

    Returns:
        (n, channels, height, width)
    """
    return F.conv_transpose2d(pictures, kernels, biases, padding=kernels.shape[-1] // 2)


class ConvAutoEncoder(nn.Module):
    """See the module's documentation for the way of a picture.

    Args:
        shape: (channels, height, width) of a picture.
        channels: of each convolution, first to last; each halves the picture. The first kernels are what is learned
            of strokes and edges.
        dims: of the code.
        unpool: one of `textae.config.UNPOOLINGS`; with `REMEMBERED` the places go from encoder to decoder beside the
            code, so that a code alone, of which no places are known, is decoded by repeating.
        size: of the kernels, odd.
        generator: on the CPU.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        channels: Sequence[int],
        dims: int,
        unpool: str,
        generator: torch.Generator,
        size: int = 3,
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
        self.to_code = nn.utils.skip_init(nn.Linear, n_last, dims)
        self.from_code = nn.utils.skip_init(nn.Linear, dims, n_last)
        for layer in (self.to_code, self.from_code):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator)
            nn.init.zeros_(layer.bias)

    def encode(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The codes, and the places of each pooling: (n, channels, height, width) to (n, dims)."""
        hidden, remembered = pictures, []
        for kernels, biases in zip(self.up_kernels, self.up_biases, strict=True):
            hidden, places = max_pooling(torch.relu(convolution(hidden, kernels, biases)))
            remembered.append(places)
        codes: Tensor = self.to_code(hidden.flatten(1))
        return codes, remembered

    def decode(self, codes: Tensor, remembered: Sequence[Tensor] = ()) -> Tensor:
        """The logits of the pixels: (n, dims) to (n, channels, height, width).

        Args:
            codes: of the pictures.
            remembered: the places of each pooling; none to repeat numbers.
        """
        hidden: Tensor = torch.relu(self.from_code(codes)).unflatten(1, self.shapes[-1])
        for step in reversed(range(len(self.up_kernels))):
            before = (len(codes), len(self.down_kernels[step]), *self.shapes[step][1:])
            hidden = unpooling(hidden, remembered[step], before) if remembered else repeating(hidden, before)
            hidden = deconvolution(hidden, self.down_kernels[step], self.down_biases[step])
            hidden = torch.relu(hidden) if step else hidden
        return hidden

    @property
    def remembers(self) -> bool:
        """Whether places go from encoder to decoder."""
        return self.unpool == REMEMBERED

    def forward(self, pictures: Tensor) -> Tensor:
        """The logits of the pixels that are rebuilt from the codes of pictures."""
        codes, remembered = self.encode(pictures)
        return self.decode(codes, remembered if self.remembers else ())

    def encoder(self, quantization: Quantization) -> PixelEncoder:
        """The encoder as plain arrays, in which channels stand last."""
        n, height, width = self.shapes[-1]
        weight = self.to_code.weight.reshape(-1, n, height, width).permute(2, 3, 1, 0).flatten(0, 2)
        kernels = zip(self.up_kernels, self.up_biases, strict=True)
        channels, height, width = self.shapes[0]
        return PixelEncoder(
            ((as_array(weight), as_array(self.to_code.bias)),),
            (LINEAR,),
            quantization,
            tuple((as_array(kernel), as_array(bias)) for kernel, bias in kernels),
            (height, width, channels),
        )

    def decoder(self) -> Decoder:
        """The decoder as plain arrays, in which channels stand last; it knows no places, so it repeats."""
        n, height, width = self.shapes[-1]
        weight = self.from_code.weight.T.reshape(-1, n, height, width).permute(0, 2, 3, 1).flatten(1)
        bias = self.from_code.bias.reshape(n, height, width).permute(1, 2, 0).flatten()
        down = list(zip(self.down_kernels, self.down_biases, strict=True))[::-1]
        shapes = [(height, width, channels) for channels, height, width in reversed(self.shapes)]
        return Decoder(
            ((as_array(weight), as_array(bias)),),
            tuple((as_array(kernels), as_array(biases)) for kernels, biases in down),
            np.array(shapes),
        )


def _kernels(n_out: int, n_in: int, size: int, generator: torch.Generator) -> nn.Parameter:
    """Kernels of a variance that keeps the scale through relu (He et al., ICCV 2015)."""
    scale = (2 / (n_in * size * size)) ** 0.5
    return nn.Parameter(torch.randn(n_out, n_in, size, size, generator=generator) * scale)
