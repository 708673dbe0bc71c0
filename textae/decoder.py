"""The trained decoder as plain arrays: from a code back to the words, so that codes can be read, and words drawn.

    p(t) = softmax(D_L s(… s(D_1 code)))_t        s: the logistic function

The auto-encoder that an index learns by default reads its bits, as ±1, and has one layer; a deep auto-encoder
(Hinton & Salakhutdinov, Science 2006) reads its float code through as many layers as its encoder has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoder import Codes, Layers, logistic
from textae.vectorizer import Floats

BITS, FLOATS = "bits", "floats"
"""What a decoder reads: signs of ±1, or the float code."""


@dataclass(frozen=True)
class Decoder:
    """From codes to words.

    Attributes:
        layers: the first takes what is read, the last gives the (n_terms,) logits.
        reads: `BITS` or `FLOATS`.
    """

    layers: Layers
    reads: str

    def read(self, codes: Codes) -> Floats:
        """What the decoder reads of some codes: (n, n_in) float32."""
        if self.reads == FLOATS:
            return codes.floats.astype(np.float32, copy=False)
        return signs(codes.bits)

    def logits(self, code: Floats) -> Floats:
        """The logits of the words: (n, n_in) to (n, n_terms)."""
        hidden = code
        for i, (weight, bias) in enumerate(self.layers):
            hidden = (logistic(hidden) if i else hidden) @ weight.astype(np.float32) + bias
        return hidden

    def words(self, code: Floats) -> Floats:
        """The distribution of the words, softmax of the `logits`: (n, n_in) to (n, n_terms), rows of sum 1."""
        logits = self.logits(code)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Floats = odds / odds.sum(axis=1, keepdims=True)
        return shares

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same decoder of; weights in half precision."""
        named: dict[str, NDArray[Any]] = {}
        for i, (weight, bias) in enumerate(self.layers):
            named |= {f"decoder/weight{i}": weight.astype(np.float16), f"decoder/bias{i}": bias}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], reads: str) -> "Decoder":
        """The decoder that gave these `arrays`."""
        depth = sum(name.startswith("decoder/weight") for name in arrays)
        return cls(tuple((arrays[f"decoder/weight{i}"], arrays[f"decoder/bias{i}"]) for i in range(depth)), reads)


def signs(bits: NDArray[np.uint8]) -> Floats:
    """Packed bits as ±1: (n, n_bits / 8) uint8 to (n, n_bits) float32."""
    return np.unpackbits(bits, axis=1).astype(np.float32) * 2 - 1
