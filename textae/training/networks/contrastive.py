"""The auto-encoder that contrastive learning trains on pictures: relu layers to a code of unit length, and a decoder.

code = unit(W_L relu(… relu(W_1 x + c_1) …) + c_L)
x̂    = s(U_2 s(U_1 code + b_1) + b_2)                  s: the logistic function
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from textae.config import ModelSpec
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import DIRECTION, RELU, PixelEncoder, Quantization
from textae.training.networks.init import as_layers, forward, random_layers


class ContrastiveAutoEncoder(nn.Module):
    """The module's documentation has the equations.

    Args:
        n_pixels: of a picture.
        spec: sizes of the code and of the hidden layers; the decoder has one hidden layer, as large as the last one.
        generator: of the initial weights.
    """

    def __init__(self, n_pixels: int, spec: ModelSpec, generator: Generator) -> None:
        super().__init__()
        self.up_weights, self.up_biases = random_layers((n_pixels, *spec.hidden, spec.dims), generator)
        self.down_weights, self.down_biases = random_layers((spec.dims, *spec.hidden[-1:], n_pixels), generator)

    def encode(self, pixels: Tensor) -> Tensor:
        """The code: (n, n_pixels) to (n, dims), of unit length."""
        return F.normalize(forward(pixels, self.up_weights, self.up_biases, F.relu), dim=1)

    def decode(self, code: Tensor) -> Tensor:
        """The logits of the pixels: (n, dims) to (n, n_pixels)."""
        return forward(code, self.down_weights, self.down_biases, torch.sigmoid)

    def encoder(self, quantization: Quantization) -> PixelEncoder:
        """The trained encoder as plain arrays."""
        layers = as_layers(self.up_weights, self.up_biases)
        return PixelEncoder(layers, (*(RELU,) * (len(layers) - 1), DIRECTION), quantization)

    def decoder(self) -> Decoder:
        """The trained decoder as plain arrays."""
        return Decoder(as_layers(self.down_weights, self.down_biases))
