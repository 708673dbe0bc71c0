"""The deep auto-encoder: a stack of layers unrolled into an encoder and its mirror image, and fine-tuned as a whole.

    code = W_L s(… s(v W_1 + c_1) …) + c_L            s: the logistic function; the code is linear, or logistic too
    p    = m(U_1 s(… s(U_L code + b_L) …) + b_1)      m: soft-max over the words; logistic for binary pixels
    loss = mismatch(v, p) + λ |code|²                 of words: -Σ_t share_t ln p_t

Hinton & Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 2006. Before fine-tuning U
is Wᵀ, and the network does exactly what going up and down the stack does; then the two learn apart. The paper's
conjugate gradients are Adam here, and the code may be held near 0 (λ), so that what lies near 0 decodes well.

A logistic code is rounded to bits before it is decoded, and the gradient passes as if it had not been: so Krizhevsky &
Hinton, "Using Very Deep Autoencoders for Content-Based Image Retrieval", ESANN 2011.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from textae.encoding.decoder import Decoder
from textae.encoding.encoders import DeepEncoder, PixelEncoder, Quantization
from textae.encoding.layers import Layers
from textae.training.networks.init import as_array
from textae.training.networks.layers import LINEAR, LOGISTIC, Layer, Stack, mismatch


class DeepAutoEncoder(nn.Module):
    """See the module's documentation for the equations.

    Args:
        stack: of layers, whose weights are copied.
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
        """What the visible units are given, of words their logits: (n, dims) to (n, n_visible)."""
        for i, (weight, bias) in enumerate(zip(self.down_weights, self.down_biases, strict=True)):
            code = torch.addmm(bias, torch.sigmoid(code) if i else code, weight)
        return code

    def loss(self, clean: Tensor, spoilt: Tensor, code_l2: float) -> Tensor:
        """How badly the code of what was spoilt tells what it was, and how far it is from 0.

        Args:
            clean: (n, n_visible).
            spoilt: (n, n_visible), the same where nothing is to be de-noised.
            code_l2: λ.
        """
        code = self.encode(spoilt)
        read = code + (code.round() - code).detach() if self.hidden[-1] == LOGISTIC else code
        return mismatch(self.visible, self.decode(read), clean) + code_l2 * code.square().sum(dim=1).mean()

    def encoder(self, length: float, quantization: Quantization) -> DeepEncoder:
        """The encoder as plain arrays.

        Args:
            length: of the documents that the network was shown; the encoder reads shares, which sum to 1.
            quantization: from codes to bits.
        """
        (first, bias), *others = self._up()
        return DeepEncoder(((np.float32(length) * first, bias), *others), quantization)

    def pixel_encoder(self, quantization: Quantization) -> PixelEncoder:
        """The encoder of pictures as plain arrays."""
        return PixelEncoder(self._up(), self.hidden, quantization)

    def _up(self) -> Layers:
        layers = zip(self.up_weights, self.up_biases, strict=True)
        return tuple((as_array(weight), as_array(bias)) for weight, bias in layers)

    def decoder(self) -> Decoder:
        """The decoder as plain arrays."""
        layers = zip(self.down_weights, self.down_biases, strict=True)
        return Decoder(tuple((as_array(weight), as_array(bias)) for weight, bias in layers))


def _parameters(tensors: Iterable[Tensor]) -> nn.ParameterList:
    """Copies to learn, which share nothing with the stack or with each other."""
    return nn.ParameterList(
        nn.Parameter(tensor.detach().clone(memory_format=torch.contiguous_format)) for tensor in tensors
    )
