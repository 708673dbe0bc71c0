"""The trained decoder as plain arrays: from a code back to words, so that people can read codes, and to pictures.

    p(t) = softmax(D_L s(… s(D_1 code)))_t        s: the logistic function
    x(i) = s(D_L s(… s(D_1 code)))_i              the brightness of each pixel of a picture

The default auto-encoder has one layer; a deep auto-encoder (Hinton & Salakhutdinov, Science 2006) has as many as its
encoder. Both read the float code. The decoder of pictures may have deconvolutions after its layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Doubles, Floats, evenly_spaced
from textae.encoding.convolution import Kernels, deconvolved, repeated
from textae.encoding.encoders import Codes
from textae.encoding.layers import Layers, layer_arrays, layers_from, logistic, relu, softmax
from textae.encoding.topk import top_k


@dataclass(frozen=True)
class Decoder:
    """From codes to words, or to pixels.

    Attributes:
        layers: from (dims,) to the logits, (n_terms,) or (n_pixels,).
        deconvolutions: of pictures, after the layers, each after relu and repetition.
        shapes: (n_deconvolutions + 1, 3), height, width and channels before each deconvolution and at the end.
    """

    layers: Layers
    deconvolutions: Kernels = ()
    shapes: NDArray[np.int64] | None = None

    def logits(self, code: NDArray[np.floating]) -> Floats:
        """The logits of the words, or of the pixels: (n, dims) of any precision to (n, n_terms)."""
        hidden: Floats = code.astype(np.float32, copy=False)
        for i, (weight, bias) in enumerate(self.layers):
            hidden = (logistic(hidden) if i else hidden) @ weight.astype(np.float32) + bias
        if self.shapes is None:
            return hidden
        first, *shapes = self.shapes.tolist()
        hidden = hidden.reshape(len(hidden), *first)
        for (kernels, biases), (height, width, _) in zip(self.deconvolutions, shapes, strict=True):
            hidden = deconvolved(repeated(relu(hidden), height, width), kernels.astype(np.float32), biases)
        return hidden.reshape(len(hidden), -1)

    def words(self, code: NDArray[np.floating]) -> Floats:
        """The probabilities of the words, softmax of the `logits`: (n, dims) to (n, n_terms), rows of sum 1."""
        return softmax(self.logits(code))

    def brightness(self, code: NDArray[np.floating]) -> Floats:
        """The pixels of pictures, from 0 to 1: (n, dims) to (n, n_pixels)."""
        return logistic(self.logits(code))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`; weights in half precision."""
        kernels = layer_arrays("decoder/kernel/", self.deconvolutions, np.float16)
        shapes = {} if self.shapes is None else {"decoder/kernel/shapes": self.shapes}
        return layer_arrays("decoder/", self.layers, np.float16) | kernels | shapes

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Decoder":
        """The decoder that gave these `arrays`."""
        kernels = layers_from(arrays, "decoder/kernel/")
        return cls(layers_from(arrays, "decoder/"), kernels, arrays.get("decoder/kernel/shapes"))


SAMPLE = 512
"""Documents whose words are averaged: .3 s for 20,000 terms."""
_AT_A_TIME = 128  # codes decoded at a time


def known_floats(codes: Codes) -> NDArray[np.floating]:
    """The float codes of the documents that have one: (n_with_code, dims)."""
    return codes.floats if codes.has_code.all() else codes.floats[codes.has_code]


def usual_words(decoder: Decoder, floats: NDArray[np.floating]) -> Doubles:
    """p̄, the mean of the decoder's probabilities over documents, or over an even sample of many.

    Args:
        decoder: of the words.
        floats: (n, dims), the codes of the documents.

    Returns:
        (n_terms,)
    """
    rows = evenly_spaced(len(floats), SAMPLE)
    total = np.zeros(len(decoder.layers[-1][1]))
    for first in range(0, len(rows), _AT_A_TIME):
        total += decoder.words(floats[rows[first : first + _AT_A_TIME]]).sum(axis=0, dtype=np.float64)
    return np.maximum(total / len(rows), np.finfo(np.float32).tiny)


def most_telling(probabilities: Floats, usual: Doubles, k: int) -> NDArray[np.int64]:
    """The k terms that add most to χ²(p ‖ p̄), (p(t) - p̄(t))² / p̄(t), the largest first.

    Args:
        probabilities: (n_terms,), p.
        usual: (n_terms,), p̄.
        k: maximum number of terms; a term that is no likelier than usual is left out.
    """
    excess = np.maximum(probabilities - usual, 0)
    return top_k((excess**2 / usual).astype(np.float32), k)
