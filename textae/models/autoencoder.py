"""The deep auto-encoder: a bag of words to a float code and to bits, and the bits back to the words.

    h      = unit(Σ_t w_t W_t)                       w: tf-idf of the words that de-noising left
    code   = unit(h + B_L(… relu(B_1(h))))           a residual network that begins at zero
    y      = unit(R code),  bits = sign(y)           straight through: the gradient of tanh(y √n_bits)
    p(t)   = softmax(D bits + d)                     multinomial reconstruction

It starts as LSA: W are the right singular vectors, R a random rotation, D what turns the rotation back into words. So
step 0 knows what LSA knows, and learning can only add to it (Hinton & Salakhutdinov, Science 2006, start from
restricted Boltzmann machines for the same reason: deep networks need a start near a good solution).
"""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textae.encoder import Encoder
from textae.spec import ModelSpec
from textae.vectorizer import Floats


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
        sizes = [dims, *spec.hidden, dims]
        self.weights = nn.ParameterList(_uniform(n_in, n_out, generator) for n_in, n_out in itertools.pairwise(sizes))
        self.biases = nn.ParameterList(torch.zeros(n_out) for n_out in sizes[1:])
        nn.init.zeros_(self.weights[-1])
        rotation = _rotation(dims, spec.bits, generator)
        self.rotation = nn.Parameter(rotation)  # (dims, bits)
        self.decoder = nn.Parameter(_SHARPNESS / spec.bits**0.5 * rotation.T @ words.T)  # (bits, n_terms)
        self.decoder_bias = nn.Parameter(torch.zeros(n_terms))

    def code(self, terms: Tensor, starts: Tensor, weights: Tensor) -> Tensor:
        """The float codes of bags.

        Args:
            terms: (n_postings,) int64.
            starts: (n,) int64, where each bag begins.
            weights: (n_postings,) float32.

        Returns:
            (n, dims), of unit length.
        """
        bag = F.embedding_bag(terms, self.words, starts, mode="sum", per_sample_weights=weights)
        hidden = F.normalize(bag, dim=1)
        residual = hidden
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            residual = torch.addmm(bias, residual if i == 0 else F.relu(residual), weight)
        return F.normalize(hidden + residual, dim=1)

    def rotated(self, code: Tensor) -> Tensor:
        """What the bits are the signs of: (n, dims) to (n, bits), of unit length."""
        return F.normalize(code @ self.rotation, dim=1)

    def words_of(self, bits: Tensor) -> Tensor:
        """The logits of the words, given bits of ±1: (n, bits) to (n, n_terms)."""
        return torch.addmm(self.decoder_bias, bits, self.decoder)

    def encoder(self) -> Encoder:
        """The trained encoder as plain arrays."""
        layers = tuple((_array(w), _array(b)) for w, b in zip(self.weights, self.biases, strict=True))
        return Encoder(self.idf, _array(self.words), layers, _array(self.rotation))


_SHARPNESS = 16.0
"""Of the decoder at its start: logits of a few units, so that the words that LSA expects stand out."""


def _uniform(n_in: int, n_out: int, generator: torch.Generator) -> Tensor:
    """Weights of a variance that keeps the scale of the layer before (LeCun et al. 1998)."""
    weights: Tensor = (torch.rand(n_in, n_out, generator=generator) * 2 - 1) / n_in**0.5
    return weights


def _rotation(n_in: int, n_out: int, generator: torch.Generator) -> Tensor:
    """A random matrix (n_in, n_out) of orthonormal rows or columns, whichever are fewer."""
    size = max(n_in, n_out)
    square, _ = torch.linalg.qr(torch.randn(size, size, generator=generator))
    part: Tensor = square[:n_in, :n_out].clone()
    return part


def _array(parameter: Tensor) -> Floats:
    array: Floats = parameter.detach().cpu().numpy().copy()
    return array
