"""The trained encoder as plain arrays: numpy alone encodes documents and queries, so a search imports no torch.

    h    = unit(Σ_t tfidf_t · W_t)             the bag through the first layer
    code = unit(h + f(h))                      float code: cosine
    bits = R · (h + g(h)) > 0                  binary code: Hamming distance

f and g are small networks, B_L relu(… relu(B_1 h)): what tells documents apart by what they say, and what they are
about, is not quite the same. Before any learning W holds the right singular vectors and f and g end in zeros: the code
*is* LSA's (Deerwester et al. 1990), and learning starts from there. An index learns this `Encoder` by default.

    code = W_L s(… s(share · W_1 + c_1) …) + c_L      s: the logistic function
    bits = R · (code - mean) > 0

is a `DeepEncoder`, of a deep auto-encoder as published (Hinton & Salakhutdinov, Science 2006): it reads the share that
each word has in the document, and its code may have any length.
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
        floats: (n, dims), of unit length but for a deep stack's; float32 where they are computed, float16 where they
            are stored.
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

    @property
    def dims(self) -> int:
        """Numbers of the float code."""
        return int(self.words.shape[1])

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
        return cls(
            arrays["encoder/idf"],
            arrays["encoder/words"],
            _layers(arrays, "code"),
            _layers(arrays, "bits"),
            arrays["encoder/rotation"],
        )


@dataclass(frozen=True)
class DeepEncoder:
    """From bags of words to codes through logistic layers.

    The bits are the signs of a random rotation of the code, seen from the corpus's mean: R has orthonormal columns, or
    orthonormal rows where there are more bits than numbers. Nobody taught them: they are there so that everything that
    searches bits works, and say no more than the code does.

    Attributes:
        layers: from (n_terms,) to (dims,).
        mean: (dims,) float32, of the corpus's codes.
        rotation: (dims, n_bits) float32.
    """

    layers: Layers
    mean: Floats
    rotation: Floats

    @property
    def words(self) -> Floats:
        """The first layer: (n_terms, n_hidden)."""
        return self.layers[0][0]

    @property
    def dims(self) -> int:
        """Numbers of the float code."""
        return int(self.layers[-1][0].shape[1])

    def encode(self, bags: Bags) -> Codes:
        """Both codes of some bags; those of one without a known term are zeros."""
        known_terms = bags.below(len(self.words))
        known = np.diff(known_terms.starts) > 0
        hidden = _weighted(known_terms, shares(known_terms), self.words) + self.layers[0][1]
        for weight, bias in self.layers[1:]:
            hidden = logistic(hidden) @ weight + bias
        bits = ((hidden - self.mean) @ self.rotation > 0) & known[:, None]
        return Codes(known, hidden * known[:, None], np.packbits(bits, axis=1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same encoder of."""
        named = {"encoder/mean": self.mean, "encoder/rotation": self.rotation}
        for i, (weight, bias) in enumerate(self.layers):
            named |= {f"encoder/deep/weight{i}": weight, f"encoder/deep/bias{i}": bias}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "DeepEncoder":
        """The encoder that gave these `arrays`."""
        return cls(_layers(arrays, "deep"), arrays["encoder/mean"], arrays["encoder/rotation"])


def encoder_of(arrays: Mapping[str, NDArray[Any]]) -> Encoder | DeepEncoder:
    """The encoder that gave these arrays, of the kind that it was."""
    return (DeepEncoder if "encoder/deep/weight0" in arrays else Encoder).from_arrays(arrays)


def _layers(arrays: Mapping[str, NDArray[Any]], head: str) -> Layers:
    depth = sum(name.startswith(f"encoder/{head}/weight") for name in arrays)
    return tuple((arrays[f"encoder/{head}/weight{i}"], arrays[f"encoder/{head}/bias{i}"]) for i in range(depth))


def _network(layers: Layers, hidden: Floats) -> Floats:
    """A small network of relu layers; without any it adds nothing."""
    if not layers:
        return np.zeros_like(hidden)
    for i, (weight, bias) in enumerate(layers):
        hidden = (np.maximum(hidden, 0) if i else hidden) @ weight + bias
    return hidden


def project(bags: Bags, idf: Floats, words: Floats) -> Floats:
    """The tf-idf weighted sum of the rows of `words`, for each bag: (n, n_terms) · (n_terms, dims)."""
    return _weighted(bags, tfidf(bags, idf), words)


def _weighted(bags: Bags, weights: Floats, words: Floats) -> Floats:
    """The sum of the rows of `words`, weighted by posting, for each bag: (n, dims)."""
    out = np.zeros((len(bags), words.shape[1]), np.float32)
    for i in range(len(bags)):
        part = slice(bags.starts[i], bags.starts[i + 1])
        out[i] = weights[part] @ words[bags.terms[part]]
    return out


def shares(bags: Bags) -> Floats:
    """Counts divided by the sum of their row: (n_postings,) float32."""
    counts = bags.counts.astype(np.float32)
    lengths = np.bincount(bags.row_of, counts, minlength=len(bags)).astype(np.float32)
    counts /= np.repeat(lengths, np.diff(bags.starts))
    return counts


def logistic(x: Floats) -> Floats:
    """1 / (1 + exp(-x))."""
    tanh: Floats = np.tanh(x / np.float32(2))  # in this form nothing overflows
    return (1 + tanh) / np.float32(2)


def unit(rows: Floats) -> Floats:
    """Rows scaled to unit length; zero rows stay zero."""
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    scaled: Floats = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return scaled
