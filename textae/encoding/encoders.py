"""The trained encoder as plain arrays: numpy alone encodes documents and queries, so that a search imports no torch.

    h        = unit(Σ_t tfidf_t · W_t)                              the bag through the first layer
    instance = unit(h + f(h))                                       what tells a document from all others
    topic    = unit(h + g(h))                                       what it is about
    code     = (√(1 - s) instance, √s unit((topic - μ) A))          float code: cosine; s grows with the distinct words
    bits     = (code - mean) · R > 0                                binary code: Hamming distance

f and g are small networks, B_L relu(… relu(B_1 h)). Before training, W holds the right singular vectors and f and g
are absent: codes *are* LSA's (Deerwester et al. 1990), and training starts from there. An index learns this `Encoder`
by default; `textae.training.networks.two_head` gives the reasons for two heads.

    code = W_L s(… s(frequencies · W_1 + c_1) …) + c_L      s: the logistic function

is a `DeepEncoder`, of a deep auto-encoder as published (Hinton & Salakhutdinov, Science 2006): it reads the relative
frequency of each word in the document, and its code may have any length.

    code = u_L(… u_1(x W_1 + c_1) … W_L + c_L)        u: the activation of each layer

is a `PixelEncoder`, of pictures: x is the brightness of the pixels, or the output of convolutions over them.

The code of a row depends on that row alone, to the last bit: all products of a batch go through `matmul`. So documents
may be encoded in chunks and on machines as it suits, and a corpus has the same bytes however it is divided.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.convolution import Kernels, convolved, pooled
from textae.encoding.layers import Layers, layer_arrays, layers_from, logistic, matmul, relu, unit
from textae.encoding.pixels import Pixels
from textae.encoding.weighting import term_frequencies, tfidf

Bits = NDArray[np.uint8]

Inputs = Bags | Pixels
"""What an encoder reads: the words of documents, or the pixels of pictures."""


@dataclass(frozen=True)
class Codes:
    """Codes of n documents or queries.

    Attributes:
        has_code: (n,) bool, false for a text without a word that the encoder knows; its codes are zeros.
        floats: (n, dims), of unit length except those of a `DeepEncoder`; float32 when computed, float16 on disk.
        bits: (n, n_bits / 8) uint8, packed.
    """

    has_code: NDArray[np.bool_]
    floats: NDArray[np.floating]
    bits: Bits

    @classmethod
    def concatenated(cls, parts: Sequence["Codes"]) -> "Codes":
        """The rows of several, at least one."""
        known, floats = (np.concatenate([getattr(part, name) for part in parts]) for name in ("has_code", "floats"))
        return cls(known, floats, np.concatenate([part.bits for part in parts]))

    def rows(self, first: int, last: int) -> "Codes":
        """The codes of the rows from first to before last."""
        return Codes(self.has_code[first:last], self.floats[first:last], self.bits[first:last])

    @cached_property
    def direction(self) -> Floats:
        """The first float code, scaled to unit length: (dims,)."""
        direction: Floats = unit(self.floats[:1].astype(np.float32, copy=False))[0]
        return direction


@dataclass(frozen=True)
class Quantization:
    """From float codes to bits: each bit says on which side of a plane the code lies.

    Attributes:
        mean: (dims,) float32, of the corpus's codes.
        rotation: (dims, n_bits) float32, R.
    """

    mean: Floats
    rotation: Floats

    @classmethod
    def signs(cls, dims: int) -> "Quantization":
        """The signs of the code's coordinates."""
        return cls(np.zeros(dims, np.float32), np.eye(dims, dtype=np.float32))

    def bits(self, floats: Floats, has_code: NDArray[np.bool_]) -> Bits:
        """The packed bits of codes: (n, dims) to (n, n_bits / 8); zeros where there is no code."""
        return np.packbits((self.sides(floats) > 0) & has_code[:, None], axis=1)

    def sides(self, floats: Floats) -> Floats:
        """How far codes lie from each plane, and on which side: (n, dims) to (n, n_bits)."""
        return matmul(floats - self.mean, self.rotation)

    def floats(self, bits: Bits, has_code: NDArray[np.bool_]) -> Floats:
        """The codes that bits stand for: (n, n_bits / 8) to (n, dims), of unit length; zeros where there is no code.

            unit(mean + σ √(2 / π) · s Rᵀ)        s = ±1; σ² = (1 - |mean|²) / n_bits, the mean square of a side

        A Gaussian side is √(2 / π) σ from 0 on average. The cosine with the code is .89 on average for MED's documents,
        .85 for those of 20 Newsgroups, and no higher with the measured mean of each side.
        """
        n_bits = self.rotation.shape[1]
        side = np.float32(np.sqrt(2 / np.pi * max(0.0, 1 - float(self.mean @ self.mean)) / n_bits))
        signs = np.unpackbits(bits, axis=1).astype(np.float32) * 2 - 1
        return unit(self.mean + matmul(signs * side, self.rotation.T)) * has_code[:, None]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        return {"encoder/mean": self.mean, "encoder/rotation": self.rotation}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Quantization":
        """The quantization that gave these `arrays`."""
        return cls(arrays["encoder/mean"], arrays["encoder/rotation"])


class _Quantized:
    quantization: Quantization

    @property
    def dims(self) -> int:
        """Numbers of the float code."""
        return len(self.quantization.mean)

    def topical(self) -> Self:
        """The encoder that gives each text the topics' weight of an endless text; itself without topics."""
        return self


HALF_WEIGHT = 20
"""Distinct words of a text whose topics have half the weight of those of a long text, at most (`half_weight_of`)."""

_PLAIN = ("idf", "words", "topic_mean", "topic_axes")  # attributes of an `Encoder` that are arrays, named so on disk


@dataclass(frozen=True)
class Encoder(_Quantized):
    """From bags of words to codes.

    Attributes:
        idf: (n_terms,) float32.
        words: (n_terms, n_hidden) float32, the first layer W.
        instance_layers: f, from n_hidden to n_instance.
        topic_layers: g, from n_hidden to n_topics.
        topic_mean: (n_topics,) float32, μ; empty where the code has no topic part.
        topic_axes: (n_topics, n_topics) float32, A.
        topic_weight: weight of the topics in the cosine of two long documents; shorter texts have `topic_weights`.
        quantization: from (n_instance + n_topics,) floats to bits.
        half_weight: distinct words of a text whose topics have half the weight of those of a long text.
    """

    idf: Floats
    words: Floats
    instance_layers: Layers
    topic_layers: Layers
    topic_mean: Floats
    topic_axes: Floats
    topic_weight: float
    quantization: Quantization
    half_weight: float = HALF_WEIGHT

    @classmethod
    def lsa(cls, words: Floats, idf: Floats) -> "Encoder":
        """LSA's projection as an encoder, without layers.

        Args:
            words: (n_terms, dims), the right singular vectors.
            idf: (n_terms,).
        """
        none = np.zeros(0, np.float32)
        return cls(idf, words, (), (), none, none.reshape(0, 0), 0.0, Quantization.signs(words.shape[1]))

    def encode(self, bags: Bags) -> Codes:
        """Both codes of n bags; zeros for a bag without a known term, which has no direction."""
        bags, n_topics = bags.below(len(self.words)), len(self.topic_mean)
        hidden = unit(project(bags, self.idf, self.words))  # (n, n_hidden)
        has_code = np.asarray(hidden.any(axis=1))
        instance = _head(self.instance_layers, hidden, self.dims - n_topics)  # (n, n_instance)
        topic = _head(self.topic_layers, hidden, n_topics)  # (n, n_topics)
        topic = unit(matmul(topic - self.topic_mean, self.topic_axes).astype(np.float32))
        weight = topic_weights(self.topic_weight, np.diff(bags.starts), self.half_weight)[:, None]
        floats = np.hstack((instance * np.sqrt(1 - weight), topic * np.sqrt(weight)))
        floats = (floats * has_code[:, None]).astype(np.float32)
        return Codes(has_code, floats, self.quantization.bits(floats, has_code))

    def topical(self) -> Self:
        """The encoder whose texts all have the topics' weight of an endless text."""
        return replace(self, half_weight=0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        plain = {f"encoder/{name}": getattr(self, name) for name in _PLAIN}
        plain["encoder/topic_share"] = np.array([self.topic_weight], np.float64)
        plain["encoder/half_weight"] = np.array([self.half_weight], np.float64)
        instance = layer_arrays("encoder/answer/", self.instance_layers)
        return plain | instance | layer_arrays("encoder/topic/", self.topic_layers) | self.quantization.arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Encoder":
        """The encoder that gave these `arrays`."""
        idf, words, mean, axes = (arrays[f"encoder/{name}"] for name in _PLAIN)
        instance, topic = (layers_from(arrays, f"encoder/{head}/") for head in ("answer", "topic"))
        weight, half_weight = (float(arrays[f"encoder/{name}"][0]) for name in ("topic_share", "half_weight"))
        return cls(idf, words, instance, topic, mean, axes, weight, Quantization.from_arrays(arrays), half_weight)


def half_weight_of(lengths: NDArray[np.int64]) -> float:
    """The half weight that suits a corpus: 20 · min(1, n / 20)² where documents have n distinct words on average.

    Where documents are titles, a title is a whole document, which tells its topic. P@100 of synopses of Debian's
    packages by their section rises from .474 to .526, of Reuters' titles by topic from .628 to .655, of arXiv's by
    category from .162 to .174.

    Args:
        lengths: (n_documents,) distinct words that the encoder knows.
    """
    mean = float(lengths.mean()) if len(lengths) else 0.0
    return HALF_WEIGHT * min(1.0, mean / HALF_WEIGHT) ** 2


def topic_weights(limit: float, lengths: NDArray[np.int64], half_weight: float = HALF_WEIGHT) -> NDArray[np.float64]:
    """The weight of topics in a code, s = limit · n / (n + half_weight) for n distinct words: (n_texts,).

    A few words say which document is meant; a whole document says which topic.

    Args:
        limit: of an endless text; 1 for a code of topics alone, where all texts have it.
        lengths: (n_texts,) distinct words that the encoder knows.
        half_weight: words of a text whose topics have half of the limit.
    """
    shares = lengths / np.maximum(lengths + half_weight, 1)
    weights: NDArray[np.float64] = np.where(limit < 1, limit * shares, 1.0)
    return weights


@dataclass(frozen=True)
class DeepEncoder(_Quantized):
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

    def encode(self, bags: Bags) -> Codes:
        """Both codes of n bags; zeros for a bag without a known term."""
        bags = bags.below(len(self.words))
        has_code = np.diff(bags.starts) > 0
        hidden = _weighted_sums(bags, term_frequencies(bags), self.words) + self.layers[0][1]
        for weight, bias in self.layers[1:]:
            hidden = matmul(logistic(hidden), weight) + bias
        return Codes(has_code, hidden * has_code[:, None], self.quantization.bits(hidden, has_code))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        return {**layer_arrays("encoder/deep/", self.layers), **self.quantization.arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "DeepEncoder":
        """The encoder that gave these `arrays`."""
        return cls(layers_from(arrays, "encoder/deep/"), Quantization.from_arrays(arrays))


LINEAR, LOGISTIC, RELU, DIRECTION = "linear", "logistic", "relu", "direction"

_ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    LINEAR: lambda x: x,
    LOGISTIC: logistic,
    RELU: relu,
    DIRECTION: unit,
}
UNITS = tuple(_ACTIVATIONS)
"""The activations, by their numbers on disk."""

_AT_A_TIME = 256  # pictures that are encoded at a time: their convolution windows take some 50 MB


@dataclass(frozen=True)
class PixelEncoder(_Quantized):
    """From pictures to codes.

    Attributes:
        layers: from the pixels, or the output of the convolutions, to (dims,).
        units: the activation of each layer: `LINEAR`, `LOGISTIC`, `RELU`, or `DIRECTION`, which scales to unit length.
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
        """Principal components as an encoder.

        Args:
            axes: (n_pixels, dims).
            mean: (n_pixels,), of brightness.
        """
        return cls(((axes, -mean @ axes),), (LINEAR,), Quantization.signs(axes.shape[1]))

    def encode(self, pixels: Pixels) -> Codes:
        """Both codes of n pictures; every picture has a code."""
        parts = [self._floats(chunk.brightness()) for chunk in pixels.chunks(_AT_A_TIME)]
        floats = np.concatenate([np.empty((0, self.dims), np.float32), *parts])
        has_code = np.ones(len(pixels), bool)
        return Codes(has_code, floats, self.quantization.bits(floats, has_code))

    def _floats(self, hidden: Floats) -> Floats:
        if self.shape is not None:
            hidden = hidden.reshape(-1, *self.shape)
            for kernels, biases in self.convolutions:
                hidden = pooled(relu(convolved(hidden, kernels, biases)))
            hidden = hidden.reshape(len(hidden), -1)
        for (weight, bias), units in zip(self.layers, self.units, strict=True):
            hidden = _ACTIVATIONS[units](matmul(hidden, weight) + bias)
        return hidden

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        units = {f"encoder/pixel/units{i}": np.array([UNITS.index(name)]) for i, name in enumerate(self.units)}
        shape = {} if self.shape is None else {"encoder/kernel/shape": np.array(self.shape)}
        layers = layer_arrays("encoder/pixel/", self.layers) | layer_arrays("encoder/kernel/", self.convolutions)
        return layers | units | shape | self.quantization.arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "PixelEncoder":
        """The encoder that gave these `arrays`."""
        layers, kernels = layers_from(arrays, "encoder/pixel/"), layers_from(arrays, "encoder/kernel/")
        units = tuple(UNITS[int(arrays[f"encoder/pixel/units{i}"][0])] for i in range(len(layers)))
        of = arrays.get("encoder/kernel/shape")
        shape = None if of is None else (int(of[0]), int(of[1]), int(of[2]))
        return cls(layers, units, Quantization.from_arrays(arrays), kernels, shape)


TextEncoder = Encoder | DeepEncoder
AnyEncoder = TextEncoder | PixelEncoder


def encode(encoder: AnyEncoder, inputs: Inputs) -> Codes:
    """Both codes of documents: of bags by an encoder of texts, of pixels by one of pictures."""
    codes: Codes = cast(Any, encoder).encode(inputs)
    return codes


def encoder_of(arrays: Mapping[str, NDArray[Any]]) -> AnyEncoder:
    """The encoder that gave these arrays, of its own class."""
    if "encoder/pixel/weight0" in arrays:
        return PixelEncoder.from_arrays(arrays)
    return (DeepEncoder if "encoder/deep/weight0" in arrays else Encoder).from_arrays(arrays)


def _head(layers: Layers, hidden: Floats, n_out: int) -> Floats:
    """unit(h + f(h)) for a network f of relu layers; of h the first n_out numbers: (n, n_hidden) to (n, n_out)."""
    if not layers:
        return unit(hidden[:, :n_out])
    added = hidden
    for i, (weight, bias) in enumerate(layers):
        added = matmul(relu(added) if i else added, weight) + bias
    return unit(hidden[:, :n_out] + added)


def project(bags: Bags, idf: Floats, words: Floats) -> Floats:
    """The rows of `words` summed by tf-idf, for each bag: (n, n_terms) · (n_terms, dims)."""
    return _weighted_sums(bags, tfidf(bags, idf), words)


def _weighted_sums(bags: Bags, weights: Floats, words: Floats) -> Floats:
    """The rows of `words` summed by the weight of each entry, for each bag: (n, dims)."""
    sums = np.zeros((len(bags), words.shape[1]), np.float32)
    for i, (first, last) in enumerate(pairwise(bags.starts.tolist())):
        sums[i] = weights[first:last] @ words[bags.terms[first:last]]
    return sums
