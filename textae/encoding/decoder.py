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

from textae.encoding.arrays import Floats
from textae.encoding.convolution import Kernels, deconvolved, repeated
from textae.encoding.encoders import Codes, Layers, logistic, relu
from textae.encoding.topk import top


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


Doubles = NDArray[np.float64]


_USUAL = 512  # documents of which the words are averaged: .3 s for 20,000 terms


_DECODED = 128  # codes decoded at a time


def known_floats(codes: Codes) -> NDArray[np.floating]:
    """The float codes of the documents of which the encoder knows a word, the others have none: (n_known, dims)."""
    return codes.floats if codes.known.all() else codes.floats[codes.known]


def usual_words(decoder: Decoder, floats: NDArray[np.floating]) -> Doubles:
    """p̄, the mean of the decoder's words over documents, evenly taken where there are many.

    Args:
        decoder: of the words.
        floats: (n, dims), the codes of the documents.

    Returns:
        (n_terms,)
    """
    rows = np.unique(np.linspace(0, len(floats) - 1, min(len(floats), _USUAL)).astype(np.int64))
    total = np.zeros(len(decoder.layers[-1][1]))
    for first in range(0, len(rows), _DECODED):
        total += decoder.words(floats[rows[first : first + _DECODED]]).sum(axis=0, dtype=np.float64)
    return np.maximum(total / len(rows), np.finfo(np.float32).tiny)


def most_telling(shares: Floats, usual: Doubles, k: int) -> NDArray[np.int64]:
    """The k terms that add most to χ²(p ‖ p̄), (p(t) - p̄(t))² / p̄(t); the most telling first.

    Args:
        shares: (n_terms,), p.
        usual: (n_terms,), p̄.
        k: at most so many come back: only those that the code makes likelier than usual.
    """
    min_score = np.maximum(shares - usual, 0)
    return top((min_score**2 / usual).astype(np.float32), k)
