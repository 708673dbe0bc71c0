"""The auto-encoder that tells which pictures are alike: relu layers to a code of unit length, and a short way back.

code = unit(W_L relu(… relu(W_1 x + c_1) …) + c_L)
x̂    = s(U_2 s(U_1 code + b_1) + b_2)                  s: the logistic function
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textae.config import ModelSpec
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import DIRECTION, RELU, PixelEncoder, Quantization
from textae.encoding.layers import Layers
from textae.training.networks.init import as_array, uniform_weights


class AlikeAutoEncoder(nn.Module):
    """See the module's documentation for the equations.

    Args:
        n_pixels: of a picture.
        spec: sizes of the code and of the hidden layers; the last of these is that of the way back.
        generator: of the random numbers, on the CPU.
    """

    def __init__(self, n_pixels: int, spec: ModelSpec, generator: torch.Generator) -> None:
        super().__init__()
        up, down = (n_pixels, *spec.hidden, spec.dims), (spec.dims, *spec.hidden[-1:], n_pixels)
        self.up_weights, self.up_biases = _layers(up, generator)
        self.down_weights, self.down_biases = _layers(down, generator)

    def encode(self, pixels: Tensor) -> Tensor:
        """The code: (n, n_pixels) to (n, dims), of unit length."""
        hidden = pixels
        for i, (weight, bias) in enumerate(zip(self.up_weights, self.up_biases, strict=True)):
            hidden = torch.addmm(bias, F.relu(hidden) if i else hidden, weight)
        return F.normalize(hidden, dim=1)

    def decode(self, code: Tensor) -> Tensor:
        """The logits of the pixels: (n, dims) to (n, n_pixels)."""
        for i, (weight, bias) in enumerate(zip(self.down_weights, self.down_biases, strict=True)):
            code = torch.addmm(bias, torch.sigmoid(code) if i else code, weight)
        return code

    def encoder(self, quantization: Quantization) -> PixelEncoder:
        """The trained encoder as plain arrays."""
        layers = _arrays(self.up_weights, self.up_biases)
        return PixelEncoder(layers, (*(RELU,) * (len(layers) - 1), DIRECTION), quantization)

    def decoder(self) -> Decoder:
        """The trained decoder as plain arrays."""
        return Decoder(_arrays(self.down_weights, self.down_biases))


def _layers(sizes: tuple[int, ...], generator: torch.Generator) -> tuple[nn.ParameterList, nn.ParameterList]:
    pairs = itertools.pairwise(sizes)
    weights = nn.ParameterList(uniform_weights(n_in, n_out, generator) for n_in, n_out in pairs)
    return weights, nn.ParameterList(torch.zeros(n_out) for n_out in sizes[1:])


def _arrays(weights: nn.ParameterList, biases: nn.ParameterList) -> Layers:
    return tuple((as_array(weight), as_array(bias)) for weight, bias in zip(weights, biases, strict=True))
