"""The trained encoder as plain arrays: numpy alone encodes documents and queries, so a search imports no torch.

    h    = unit(Σ_t tfidf_t · W_t)             the bag through the first layer
    code = unit(h + f(h))                      float code: cosine
    bits = R · (h + g(h)) > 0                  binary code: Hamming distance

f and g are small networks, B_L relu(… relu(B_1 h)): what tells documents apart by what they say, and what they are
about, is not quite the same. Before any learning W holds the right singular vectors and f and g end in zeros: the code
*is* LSA's (Deerwester et al. 1990), and learning starts from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.vectorizer import Bags, Floats, tfidf

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Codes:
    """Codes of n documents or queries.

    Attributes:
        known: (n,) bool, whether anything of the text is in the vocabulary; the codes of what is not are zeros.
        floats: (n, dims) of unit length; float32 where they are computed, float16 where they are stored.
        bits: (n, n_bits / 8) uint8, packed.
    """

    known: NDArray[np.bool_]
    floats: NDArray[np.floating]
    bits: Bits


Layers = tuple[tuple[Floats, Floats], ...]
"""Weights (n_in, n_out) and biases (n_out,) of a small network, first layer to last; relu between them."""


@dataclass(frozen=True)
class Encoder:
    """From bags of words to codes.

    Attributes:
        idf: (n_terms,) float32.
        words: (n_terms, dims) float32, the first layer W.
        layers: f, from dims to dims.
        bit_layers: g, from dims to dims.
        rotation: (dims, n_bits) float32, the layer R whose signs are the bits.
    """

    idf: Floats
    words: Floats
    layers: Layers
    bit_layers: Layers
    rotation: Floats

    @classmethod
    def lsa(cls, words: Floats, idf: Floats) -> "Encoder":
        """LSA's projection as an encoder: no layers, and the signs of its coordinates for bits."""
        return cls(idf, words, (), (), np.eye(words.shape[1], dtype=np.float32))

    def encode(self, bags: Bags) -> Codes:
        """Both codes of some bags; one without a known term has no direction, and its codes are zeros."""
        hidden = unit(project(bags.below(len(self.words)), self.idf, self.words))
        known = np.asarray(hidden.any(axis=1, keepdims=True))
        floats = unit((hidden + _network(self.layers, hidden)) * known)
        bits = ((hidden + _network(self.bit_layers, hidden)) * known) @ self.rotation > 0
        return Codes(known[:, 0], floats, np.packbits(bits, axis=1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same encoder of."""
        named = {"encoder/idf": self.idf, "encoder/words": self.words, "encoder/rotation": self.rotation}
        for head, layers in (("code", self.layers), ("bits", self.bit_layers)):
            for i, (weight, bias) in enumerate(layers):
                named |= {f"encoder/{head}/weight{i}": weight, f"encoder/{head}/bias{i}": bias}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Encoder":
        """The encoder that gave these `arrays`."""

        def layers(head: str) -> Layers:
            depth = sum(name.startswith(f"encoder/{head}/weight") for name in arrays)
            return tuple((arrays[f"encoder/{head}/weight{i}"], arrays[f"encoder/{head}/bias{i}"]) for i in range(depth))

        return cls(
            arrays["encoder/idf"], arrays["encoder/words"], layers("code"), layers("bits"), arrays["encoder/rotation"]
        )


def _network(layers: Layers, hidden: Floats) -> Floats:
    """A small network of relu layers; without any it adds nothing."""
    if not layers:
        return np.zeros_like(hidden)
    for i, (weight, bias) in enumerate(layers):
        hidden = (np.maximum(hidden, 0) if i else hidden) @ weight + bias
    return hidden


def project(bags: Bags, idf: Floats, words: Floats) -> Floats:
    """The tf-idf weighted sum of the rows of `words`, for each bag: (n, n_terms) · (n_terms, dims)."""
    weights = tfidf(bags, idf)
    out = np.zeros((len(bags), words.shape[1]), np.float32)
    for i in range(len(bags)):
        part = slice(bags.starts[i], bags.starts[i + 1])
        out[i] = weights[part] @ words[bags.terms[part]]
    return out


def unit(rows: Floats) -> Floats:
    """Rows scaled to unit length; zero rows stay zero."""
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    scaled: Floats = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return scaled
