"""The trained decoder as plain arrays: from a code back to the words, so that codes can be read, and words drawn.

    p(t) = softmax(D_L s(… s(D_1 code)))_t        s: the logistic function
    x(i) = s(D_L s(… s(D_1 code)))_i              of pictures, the brightness of each pixel

The auto-encoder that an index learns by default has one layer; a deep auto-encoder (Hinton & Salakhutdinov, Science
2006) has as many as its encoder. Both read the float code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoder import Layers, logistic
from textae.vectorizer import Floats


@dataclass(frozen=True)
class Decoder:
    """From codes to words.

    Attributes:
        layers: the first takes the float code, the last gives the (n_terms,) logits, of pictures (n_pixels,).
    """

    layers: Layers

    def logits(self, code: NDArray[np.floating]) -> Floats:
        """The logits of the words, or of pixels: (n, dims) of any precision to (n, n_terms)."""
        hidden: Floats = code.astype(np.float32, copy=False)
        for i, (weight, bias) in enumerate(self.layers):
            hidden = (logistic(hidden) if i else hidden) @ weight.astype(np.float32) + bias
        return hidden

    def words(self, code: NDArray[np.floating]) -> Floats:
        """The distribution of the words, softmax of the `logits`: (n, dims) to (n, n_terms), rows of sum 1."""
        logits = self.logits(code)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Floats = odds / odds.sum(axis=1, keepdims=True)
        return shares

    def brightness(self, code: NDArray[np.floating]) -> Floats:
        """The pixels of pictures, from 0 to 1: (n, dims) to (n, n_pixels)."""
        return logistic(self.logits(code))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same decoder of; weights in half precision."""
        named: dict[str, NDArray[Any]] = {}
        for i, (weight, bias) in enumerate(self.layers):
            named |= {f"decoder/weight{i}": weight.astype(np.float16), f"decoder/bias{i}": bias}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Decoder":
        """The decoder that gave these `arrays`."""
        depth = sum(name.startswith("decoder/weight") for name in arrays)
        return cls(tuple((arrays[f"decoder/weight{i}"], arrays[f"decoder/bias{i}"]) for i in range(depth)))
