"""The trained encoder as plain arrays: numpy alone encodes documents and queries, so a search imports no torch.

    h    = unit(Σ_t tfidf_t · W_t)                              the bag through the first layer
    code = unit(h + B_L(… relu(B_1(h))))                        float code: cosine
    bits = code · R > 0                                         256 bits: Hamming

Before any learning W holds the right singular vectors and the residual layers end in zeros: the code *is* LSA's
(Deerwester et al. 1990), and learning starts from there.
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
        floats: (n, dims) float32 of unit length, or zeros where nothing of the text is in the vocabulary.
        bits: (n, n_bits / 8) uint8, packed.
    """

    floats: Floats
    bits: Bits


@dataclass(frozen=True)
class Encoder:
    """From bags of words to codes.

    Attributes:
        idf: (n_terms,) float32.
        words: (n_terms, dims) float32, the first layer W.
        layers: the residual network: weights (n_in, n_out) and biases (n_out,), float32; relu between them.
        rotation: (dims, n_bits) float32, the layer R whose signs are the bits.
    """

    idf: Floats
    words: Floats
    layers: tuple[tuple[Floats, Floats], ...]
    rotation: Floats

    @classmethod
    def lsa(cls, words: Floats, idf: Floats) -> "Encoder":
        """LSA's projection as an encoder: no layers, and the signs of its coordinates for bits."""
        return cls(idf, words, (), np.eye(words.shape[1], dtype=np.float32))

    def floats(self, bags: Bags) -> Floats:
        """The float codes of some bags: (n, dims)."""
        hidden = unit(project(bags.below(len(self.words)), self.idf, self.words))
        residual = hidden
        for i, (weight, bias) in enumerate(self.layers):
            residual = (residual if i == 0 else np.maximum(residual, 0)) @ weight + bias
        # A bag without a known term has no direction: its code is zero, like nothing, and found by nothing.
        return unit((hidden + residual) * hidden.any(axis=1, keepdims=True))

    def bits(self, floats: Floats) -> Bits:
        """The bits of float codes, packed: (n, n_bits / 8)."""
        return np.packbits(floats @ self.rotation > 0, axis=1)

    def encode(self, bags: Bags) -> Codes:
        """Both codes of some bags."""
        floats = self.floats(bags)
        return Codes(floats, self.bits(floats))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same encoder of."""
        layers = {
            f"encoder/{part}{i}": array
            for i, layer in enumerate(self.layers)
            for part, array in zip(("weight", "bias"), layer, strict=True)
        }
        return {"encoder/idf": self.idf, "encoder/words": self.words, "encoder/rotation": self.rotation, **layers}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Encoder":
        """The encoder that gave these `arrays`."""
        depth = sum(name.startswith("encoder/weight") for name in arrays)
        layers = tuple((arrays[f"encoder/weight{i}"], arrays[f"encoder/bias{i}"]) for i in range(depth))
        return cls(arrays["encoder/idf"], arrays["encoder/words"], layers, arrays["encoder/rotation"])


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
