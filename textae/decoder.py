"""The trained decoder as plain arrays: from a code back to the words, so that codes can be read, and words drawn.

    p(t) = softmax(D_L s(… s(D_1 code)))_t        s: the logistic function
    x(i) = s(D_L s(… s(D_1 code)))_i              of pictures, the brightness of each pixel

The auto-encoder that an index learns by default has one layer; a deep auto-encoder (Hinton & Salakhutdinov, Science
2006) has as many as its encoder. Both read the float code. Of pictures, a pixel is as bright as the logistic
function of its logit, and deconvolutions may come after the layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.convolution import Kernels, deconvolved, repeated
from textae.encoder import Layers, logistic, relu
from textae.vectorizer import Floats


@dataclass(frozen=True)
class Decoder:
    """From codes to words, or to pixels.

    Attributes:
        layers: the first takes the float code, the last gives the (n_terms,) logits, of pictures (n_pixels,).
        deconvolutions: of pictures, after the layers, each after relu and repeating.
        shapes: (n_deconvolutions + 1, 3), height, width and channels before each and in the end.
    """

    layers: Layers
    deconvolutions: Kernels = ()
    shapes: NDArray[np.int64] | None = None

    def logits(self, code: NDArray[np.floating]) -> Floats:
        """The logits of the words, or of the pixels: (n, dims) of any precision to (n, n_terms)."""
        hidden: Floats = code.astype(np.float32, copy=False)
        for i, (weight, bias) in enumerate(self.layers):
            hidden = (logistic(hidden) if i else hidden) @ weight.astype(np.float32) + bias
        return hidden if self.shapes is None else self._deconvolved(hidden, self.shapes.tolist())

    def _deconvolved(self, hidden: Floats, shapes: list[list[int]]) -> Floats:
        hidden = hidden.reshape(len(hidden), *shapes[0])
        for (kernels, biases), (height, width, _) in zip(self.deconvolutions, shapes[1:], strict=True):
            hidden = deconvolved(repeated(relu(hidden), height, width), kernels.astype(np.float32), biases)
        return hidden.reshape(len(hidden), -1)

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
        for i, (kernels, biases) in enumerate(self.deconvolutions):
            named |= {f"decoder/kernel/weight{i}": kernels.astype(np.float16), f"decoder/kernel/bias{i}": biases}
        return named | ({} if self.shapes is None else {"decoder/kernel/shapes": self.shapes})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Decoder":
        """The decoder that gave these `arrays`."""
        layers, kernels = _layers(arrays, "decoder/"), _layers(arrays, "decoder/kernel/")
        return cls(layers, kernels, arrays.get("decoder/kernel/shapes"))


def _layers(arrays: Mapping[str, NDArray[Any]], under: str) -> Layers:
    depth = sum(name.startswith(f"{under}weight") for name in arrays)
    return tuple((arrays[f"{under}weight{i}"], arrays[f"{under}bias{i}"]) for i in range(depth))
