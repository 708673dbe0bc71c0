"""The trained encoder as plain arrays: numpy alone encodes documents and queries, so a search imports no torch.

    h      = unit(Σ_t tfidf_t · W_t)                              the bag through the first layer
    answer = unit(h + f(h))                                       what tells a document from all others
    topic  = unit(h + g(h))                                       what it is about
    code   = (√(1 - s) answer, √s unit((topic - μ) A))            float code: cosine; s grows with the words of the bag
    bits   = (code - mean) · R > 0                                binary code: Hamming distance

f and g are small networks, B_L relu(… relu(B_1 h)). Before any learning W holds the right singular vectors and f and g
are nothing: answers *are* LSA's codes (Deerwester et al. 1990), and learning starts from there. An index learns this
`Encoder` by default; `textae.training.networks.two_head` has the reasons for two heads.

    code = W_L s(… s(share · W_1 + c_1) …) + c_L      s: the logistic function

is a `DeepEncoder`, of a deep auto-encoder as published (Hinton & Salakhutdinov, Science 2006): it reads the share that
each word has in the document, and its code may have any length. Its bits are found in the same way.

    code = u_L(… u_1(x W_1 + c_1) … W_L + c_L)        u: what the units of each layer do

is a `PixelEncoder`, of pictures: x is the brightness of the pixels, or what convolutions make of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.convolution import Kernels, convolved, pooled
from textae.encoding.matmul import matmul
from textae.encoding.pixels import Pixels
from textae.encoding.weighting import tfidf

Bits = NDArray[np.uint8]

Inputs = Bags | Pixels
"""What an encoder reads of documents: their words, or the pixels of pictures."""


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
"""Weights (n_in, n_out) and biases (n_out,) of a small network, first layer to last."""


@dataclass(frozen=True)
class Quantization:
    """From float codes to bits: on which side of so many planes a code lies.

    Attributes:
        mean: (dims,) float32, of the corpus's codes.
        rotation: (dims, n_bits) float32, R.
    """

    mean: Floats
    rotation: Floats

    def bits(self, floats: Floats, known: NDArray[np.bool_]) -> Bits:
        """The packed bits of some codes: (n, dims) to (n, n_bits / 8); zeros where nothing is known."""
        return np.packbits((matmul(floats - self.mean, self.rotation) > 0) & known[:, None], axis=1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same of."""
        return {"encoder/mean": self.mean, "encoder/rotation": self.rotation}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Quantization":
        """What gave these `arrays`."""
        return cls(arrays["encoder/mean"], arrays["encoder/rotation"])


@dataclass(frozen=True)
class Encoder:
    """From bags of words to codes.

    Attributes:
        idf: (n_terms,) float32.
        words: (n_terms, n_hidden) float32, the first layer W.
        instance_layers: f, from n_hidden to n_instance.
        topic_layers: g, from n_hidden to n_topics.
        topic_mean: (n_topics,) float32, μ; empty where the code holds answers alone.
        topic_axes: (n_topics, n_topics) float32, A.
        topic_share: what topics decide of the cosine of two long documents; of shorter texts less (`share_of`).
        quantization: from (n_answers + n_topics,) floats to bits.
    """

    idf: Floats
    words: Floats
    instance_layers: Layers
    topic_layers: Layers
    topic_mean: Floats
    topic_axes: Floats
    topic_share: float
    quantization: Quantization

    @property
    def dims(self) -> int:
        """Numbers of the float code."""
        return len(self.quantization.mean)

    @classmethod
    def lsa(cls, words: Floats, idf: Floats) -> "Encoder":
        """LSA's projection as an encoder: answers without layers, and the signs of its coordinates for bits."""
        dims, nothing = words.shape[1], np.zeros(0, np.float32)
        signs = Quantization(np.zeros(dims, np.float32), np.eye(dims, dtype=np.float32))
        return cls(idf, words, (), (), nothing, nothing.reshape(0, 0), 0.0, signs)

    def encode(self, bags: Bags) -> Codes:
        """Both codes of some bags; one without a known term has no direction, and its codes are zeros."""
        hidden = unit(project(bags.below(len(self.words)), self.idf, self.words))
        known = np.asarray(hidden.any(axis=1))
        topics = len(self.topic_mean)
        answer = _head(self.instance_layers, hidden, self.dims - topics)
        topic = _head(self.topic_layers, hidden, topics)
        turned = matmul(topic - self.topic_mean, self.topic_axes).astype(np.float32)
        share = share_of(self.topic_share, np.diff(bags.below(len(self.words)).starts))[:, None]
        scaled = (answer * np.sqrt(1 - share), unit(turned) * np.sqrt(share))
        floats = (np.hstack(scaled) * known[:, None]).astype(np.float32)
        return Codes(known, floats, self.quantization.bits(floats, known))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same encoder of."""
        named: dict[str, NDArray[Any]] = {
            "encoder/idf": self.idf,
            "encoder/words": self.words,
            "encoder/topic_mean": self.topic_mean,
            "encoder/topic_axes": self.topic_axes,
            "encoder/topic_share": np.array([self.topic_share], np.float64),
        }
        for head, layers in (("answer", self.instance_layers), ("topic", self.topic_layers)):
            for i, (weight, bias) in enumerate(layers):
                named |= {f"encoder/{head}/weight{i}": weight, f"encoder/{head}/bias{i}": bias}
        return named | self.quantization.arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Encoder":
        """The encoder that gave these `arrays`."""
        return cls(
            arrays["encoder/idf"],
            arrays["encoder/words"],
            _layers(arrays, "answer"),
            _layers(arrays, "topic"),
            arrays["encoder/topic_mean"],
            arrays["encoder/topic_axes"],
            float(arrays["encoder/topic_share"][0]),
            Quantization.from_arrays(arrays),
        )


HALF_SHARE = 20
"""Different words of a text whose topics have half the share that those of a long one have."""


def share_of(most: float, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of topics, s = most · n / (n + HALF_SHARE) for n different words; 1 where there are only topics.

    A few words say which document is meant, a whole document says which topic.

    Args:
        most: of a text without end.
        lengths: (n,) different words that the encoder knows.
    """
    shares: NDArray[np.float64] = np.where(most < 1, most * lengths / (lengths + HALF_SHARE), 1.0)
    return shares


@dataclass(frozen=True)
class DeepEncoder:
    """From bags of words to codes through logistic layers.

    Attributes:
        layers: from (n_terms,) to (dims,).
        quantization: from (dims,) floats to bits.
    """

    layers: Layers
    quantization: Quantization

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
            hidden = matmul(logistic(hidden), weight) + bias
        return Codes(known, hidden * known[:, None], self.quantization.bits(hidden, known))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same encoder of."""
        named = self.quantization.arrays()
        for i, (weight, bias) in enumerate(self.layers):
            named |= {f"encoder/deep/weight{i}": weight, f"encoder/deep/bias{i}": bias}
        return named

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "DeepEncoder":
        """The encoder that gave these `arrays`."""
        return cls(_layers(arrays, "deep"), Quantization.from_arrays(arrays))


LINEAR, LOGISTIC, RELU, DIRECTION = "linear", "logistic", "relu", "direction"
"""What units of a layer do with what they are given: nothing; 1 / (1 + exp(-x)); max(0, x); scale to unit length."""


@dataclass(frozen=True)
class PixelEncoder:
    """From pictures to codes.

    Attributes:
        layers: from what is given to the first one to (dims,).
        units: of each layer, `LINEAR`, `LOGISTIC`, `RELU` or `DIRECTION`.
        quantization: from (dims,) floats to bits.
        convolutions: before the layers, each followed by relu and max-pooling.
        shape: height, width and channels, where there are convolutions.
    """

    layers: Layers
    units: tuple[str, ...]
    quantization: Quantization
    convolutions: Kernels = ()
    shape: tuple[int, int, int] | None = None

    @classmethod
    def pca(cls, axes: Floats, mean: Floats) -> "PixelEncoder":
        """Principal components as an encoder, and the signs of the coordinates for bits.

        Args:
            axes: (n_pixels, dims).
            mean: (n_pixels,), of brightness.
        """
        dims = axes.shape[1]
        signs = Quantization(np.zeros(dims, np.float32), np.eye(dims, dtype=np.float32))
        return cls(((axes, -mean @ axes),), (LINEAR,), signs)

    @property
    def dims(self) -> int:
        """Numbers of the float code."""
        return int(self.layers[-1][0].shape[1])

    def encode(self, pixels: Pixels) -> Codes:
        """Both codes of some pictures, of which there is always something known."""
        size = _AT_A_TIME if self.convolutions else max(1, len(pixels))
        parts = [self._floats(chunk.brightness()) for chunk in pixels.chunks(size)]
        floats = np.concatenate([np.empty((0, self.dims), np.float32), *parts])
        known = np.ones(len(pixels), bool)
        return Codes(known, floats, self.quantization.bits(floats, known))

    def _floats(self, hidden: Floats) -> Floats:
        if self.shape is not None:
            hidden = hidden.reshape(-1, *self.shape)
            for kernels, biases in self.convolutions:
                hidden = pooled(relu(convolved(hidden, kernels, biases)))
            hidden = hidden.reshape(len(hidden), -1)
        for (weight, bias), units in zip(self.layers, self.units, strict=True):
            hidden = _OF_UNITS[units](matmul(hidden, weight) + bias)
        return hidden

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What `from_arrays` makes the same encoder of."""
        named = self.quantization.arrays()
        for i, ((weight, bias), units) in enumerate(zip(self.layers, self.units, strict=True)):
            named |= {f"encoder/pixel/weight{i}": weight, f"encoder/pixel/bias{i}": bias}
            named |= {f"encoder/pixel/units{i}": np.array([_NUMBERED.index(units)])}
        for i, (kernels, biases) in enumerate(self.convolutions):
            named |= {f"encoder/kernel/weight{i}": kernels, f"encoder/kernel/bias{i}": biases}
        return named | ({} if self.shape is None else {"encoder/kernel/shape": np.array(self.shape)})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "PixelEncoder":
        """The encoder that gave these `arrays`."""
        layers, shape = _layers(arrays, "pixel"), arrays.get("encoder/kernel/shape")
        units = tuple(_NUMBERED[int(arrays[f"encoder/pixel/units{i}"][0])] for i in range(len(layers)))
        height, width, channels = (0, 0, 0) if shape is None else shape.tolist()
        return cls(
            layers,
            units,
            Quantization.from_arrays(arrays),
            _layers(arrays, "kernel"),
            None if shape is None else (height, width, channels),
        )


_NUMBERED = (LINEAR, LOGISTIC, RELU, DIRECTION)
"""In this order units are numbered on disk."""

_AT_A_TIME = 256  # pictures of which all windows are in memory: some 50 MB


TextEncoder = Encoder | DeepEncoder
AnyEncoder = TextEncoder | PixelEncoder


def encode(encoder: AnyEncoder, inputs: Inputs) -> Codes:
    """Both codes of what an encoder of that kind reads."""
    if isinstance(encoder, PixelEncoder):
        assert isinstance(inputs, Pixels)
        return encoder.encode(inputs)
    assert isinstance(inputs, Bags)
    return encoder.encode(inputs)


def encoder_of(arrays: Mapping[str, NDArray[Any]]) -> AnyEncoder:
    """The encoder that gave these arrays, of the kind that it was."""
    if "encoder/pixel/weight0" in arrays:
        return PixelEncoder.from_arrays(arrays)
    return (DeepEncoder if "encoder/deep/weight0" in arrays else Encoder).from_arrays(arrays)


def _layers(arrays: Mapping[str, NDArray[Any]], head: str) -> Layers:
    depth = sum(name.startswith(f"encoder/{head}/weight") for name in arrays)
    return tuple((arrays[f"encoder/{head}/weight{i}"], arrays[f"encoder/{head}/bias{i}"]) for i in range(depth))


def _head(layers: Layers, hidden: Floats, n_out: int) -> Floats:
    """The first numbers of a hidden vector and what a small network of relu layers adds: (n, n_out), unit length."""
    added = hidden
    for i, (weight, bias) in enumerate(layers):
        added = matmul(relu(added) if i else added, weight) + bias
    return unit(hidden[:, :n_out] + added) if layers else unit(hidden[:, :n_out])


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


def relu(x: Floats) -> Floats:
    """max(0, x)."""
    positive: Floats = np.maximum(x, 0)
    return positive


def unit(rows: Floats) -> Floats:
    """Rows scaled to unit length; zero rows stay zero."""
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    scaled: Floats = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return scaled


_OF_UNITS: Mapping[str, Callable[[Floats], Floats]] = {
    LINEAR: lambda x: x,
    LOGISTIC: logistic,
    RELU: relu,
    DIRECTION: unit,
}
