"""The deep auto-encoder: a bag of words to a float code and to bits, and the bits back to the words.

    h    = unit(Σ_t w_t W_t)                  w: tf-idf of the words that de-noising left
    code = unit(h + f(h))                     f: a small network whose last layer begins at zero
    y    = unit(R (h + g(h)))                 g: another one
    bits = sign(y)                            straight through: the gradient of tanh(y √n_bits)
    p(t) = softmax(D bits + d)                multinomial reconstruction

It starts as LSA: W are the right singular vectors, R a random rotation, D what turns the rotation back into words. So
step 0 knows what LSA knows, and learning can only add to it (Hinton & Salakhutdinov, Science 2006, start from
restricted Boltzmann machines for the same reason: deep networks need a start near a good solution).
"""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textae.decoder import BITS, Decoder
from textae.encoder import Encoder, Layers
from textae.models.weights import as_array, orthonormal, uniform_weights
from textae.spec import ModelSpec


class AutoEncoder(nn.Module):
    """See the module's documentation for the equations.

    Args:
        start: LSA's encoder, (n_terms, dims).
        spec: sizes of the hidden layers and of the binary code.
        generator: of the random numbers, on the CPU.
    """

    def __init__(self, start: Encoder, spec: ModelSpec, generator: torch.Generator) -> None:
        super().__init__()
        words = torch.from_numpy(np.array(start.words))  # (n_terms, dims)
        n_terms, dims = words.shape
        self.idf = start.idf
        self.words = nn.Parameter(words)
        self.head = Residual(dims, spec.hidden, generator)
        self.bit_head = Residual(dims, spec.hidden, generator)
        rotation = orthonormal(dims, spec.bits, generator)
        self.rotation = nn.Parameter(rotation)  # (dims, bits)
        self.decoding = nn.Parameter(_SHARPNESS / spec.bits**0.5 * rotation.T @ words.T)  # (bits, n_terms)
        self.decoding_bias = nn.Parameter(torch.zeros(n_terms))

    @classmethod
    def of(cls, encoder: Encoder, decoder: Decoder) -> "AutoEncoder":
        """The network that gave this `encoder` and `decoder`, to learn on from where it stopped."""
        sizes = tuple(len(bias) for _, bias in encoder.layers[:-1])
        network = cls(encoder, ModelSpec(bits=encoder.rotation.shape[1], hidden=sizes), torch.Generator())
        ((decoding, decoding_bias),) = decoder.layers
        learned = {"rotation": encoder.rotation, "decoding": decoding, "decoding_bias": decoding_bias}
        for head, layers in (("head", encoder.layers), ("bit_head", encoder.bit_layers)):
            for i, (weight, bias) in enumerate(layers):
                learned |= {f"{head}.weights.{i}": weight, f"{head}.biases.{i}": bias}
        tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in learned.items()}
        network.load_state_dict({"words": network.words, **tensors})
        return network

    def hidden(self, terms: Tensor, starts: Tensor, weights: Tensor) -> Tensor:
        """The bags through the first layer.

        Args:
            terms: (n_postings,) int64.
            starts: (n,) int64, where each bag begins.
            weights: (n_postings,) float32.

        Returns:
            (n, dims), of unit length.
        """
        return F.normalize(F.embedding_bag(terms, self.words, starts, mode="sum", per_sample_weights=weights), dim=1)

    def code(self, hidden: Tensor) -> Tensor:
        """The float codes: (n, dims) to (n, dims), of unit length."""
        return F.normalize(hidden + self.head(hidden), dim=1)

    def rotated(self, hidden: Tensor) -> Tensor:
        """What the bits are the signs of: (n, dims) to (n, bits), of unit length."""
        return F.normalize((hidden + self.bit_head(hidden)) @ self.rotation, dim=1)

    def words_of(self, bits: Tensor) -> Tensor:
        """The logits of the words, given bits of ±1: (n, bits) to (n, n_terms)."""
        return torch.addmm(self.decoding_bias, bits, self.decoding)

    def encoder(self) -> Encoder:
        """The trained encoder as plain arrays."""
        return Encoder(
            self.idf, as_array(self.words), self.head.arrays(), self.bit_head.arrays(), as_array(self.rotation)
        )

    def decoder(self) -> Decoder:
        """The trained decoder as plain arrays."""
        return Decoder(((as_array(self.decoding), as_array(self.decoding_bias)),), BITS)


class Residual(nn.Module):
    """What is added to a hidden vector: B_L relu(… relu(B_1 h)), nothing at first.

    Args:
        dims: of what comes in and goes out.
        sizes: of the layers between.
        generator: of the random numbers, on the CPU.
    """

    def __init__(self, dims: int, sizes: tuple[int, ...], generator: torch.Generator) -> None:
        super().__init__()
        widths = [dims, *sizes, dims]
        self.weights = nn.ParameterList(
            uniform_weights(n_in, n_out, generator) for n_in, n_out in itertools.pairwise(widths)
        )
        self.biases = nn.ParameterList(torch.zeros(n_out) for n_out in widths[1:])
        nn.init.zeros_(self.weights[-1])

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, dims) to (n, dims)."""
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.addmm(bias, F.relu(hidden) if i else hidden, weight)
        return hidden

    def arrays(self) -> Layers:
        """The layers as plain arrays."""
        return tuple((as_array(weight), as_array(bias)) for weight, bias in zip(self.weights, self.biases, strict=True))


_SHARPNESS = 16.0
"""Of the decoder at its start: logits of a few units, so that the words that LSA expects stand out."""
