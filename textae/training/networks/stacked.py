"""The deep auto-encoder: a stack of layers unrolled into an encoder and a mirrored decoder, and fine-tuned as a whole.

    code = W_L s(… s(v W_1 + c_1) …) + c_L            s: the logistic function; the code is linear, or logistic too
    p    = m(U_1 s(… s(U_L code + b_L) …) + b_1)      m: soft-max over the words; logistic for binary pixels
    loss = mismatch(v, p) + λ |code|²                 of words: -Σ_t share_t ln p_t

Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 2006. Before fine-tuning U
is Wᵀ, so the network equals the stack; then encoder and decoder learn separately. Adam replaces the paper's conjugate
gradients. λ keeps codes near 0, so that random codes near 0 decode well.

A logistic code is rounded to bits before decoding; the gradient ignores the rounding (Krizhevsky & Hinton, "Using Very
Deep Autoencoders for Content-Based Image Retrieval", ESANN 2011).
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from textae.encoding.decoder import Decoder
from textae.encoding.encoders import DeepEncoder, PixelEncoder, Quantization
from textae.training.networks.init import as_layers, forward
from textae.training.networks.layers import LINEAR, LOGISTIC, Layer, Stack, mismatch


class DeepAutoEncoder(nn.Module):
    """The module's documentation has the equations.

    Args:
        stack: layers; the network copies their weights.
    """

    def __init__(self, stack: Stack[Layer]) -> None:
        super().__init__()
        self.visible = stack.layers[0].visible
        self.hidden = tuple(layer.hidden for layer in stack.layers)
        up, down = stack.layers, stack.layers[::-1]
        self.up_weights = _parameters(layer.weights for layer in up)
        self.up_biases = _parameters(layer.hidden_bias for layer in up)
        self.down_weights = _parameters(layer.weights.T for layer in down)
        self.down_biases = _parameters(layer.visible_bias for layer in down)

    def encode(self, visible: Tensor) -> Tensor:
        """The code: (n, n_visible) to (n, dims)."""
        for kind, weight, bias in zip(self.hidden, self.up_weights, self.up_biases, strict=True):
            visible = torch.addmm(bias, visible, weight)
            visible = visible if kind == LINEAR else torch.sigmoid(visible)
        return visible

    def decode(self, code: Tensor) -> Tensor:
        """The input of the visible units, which is the logits of words and pixels: (n, dims) to (n, n_visible)."""
        return forward(code, self.down_weights, self.down_biases, torch.sigmoid)

    def loss(self, clean: Tensor, noisy: Tensor, code_l2: float) -> Tensor:
        """The reconstruction error of the clean input from the noisy one, plus the penalty on the code.

        Args:
            clean: (n, n_visible).
            noisy: (n, n_visible), equal to `clean` without de-noising.
            code_l2: λ.
        """
        code = self.encode(noisy)  # (n, dims)
        read = code + (code.round() - code).detach() if self.hidden[-1] == LOGISTIC else code
        return mismatch(self.visible, self.decode(read), clean) + code_l2 * code.square().sum(dim=1).mean()

    def encoder(self, length: float, quantization: Quantization) -> DeepEncoder:
        """The encoder of texts as plain arrays.

        Args:
            length: of the documents in training; the encoder reads shares, which sum to 1.
            quantization: from codes to bits.
        """
        (first, bias), *others = as_layers(self.up_weights, self.up_biases)
        return DeepEncoder(((np.float32(length) * first, bias), *others), quantization)

    def pixel_encoder(self, quantization: Quantization) -> PixelEncoder:
        """The encoder of pictures as plain arrays."""
        return PixelEncoder(as_layers(self.up_weights, self.up_biases), self.hidden, quantization)

    def decoder(self) -> Decoder:
        """The decoder as plain arrays."""
        return Decoder(as_layers(self.down_weights, self.down_biases))


def _parameters(tensors: Iterable[Tensor]) -> nn.ParameterList:
    """Trainable copies, which share no memory with the stack or with each other."""
    return nn.ParameterList(
        nn.Parameter(tensor.detach().clone(memory_format=torch.contiguous_format)) for tensor in tensors
    )
