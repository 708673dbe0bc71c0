"""The auto-encoder of texts: a bag of words to a code, and the code back to the words.

    h        = unit(Σ_t w_t W_t)                      w: tf-idf of the words that de-noising left
    instance = unit(h + f(h))                         f: a small network whose last layer begins at zero
    topic    = unit(h + g(h))                         g: another one; the first, heaviest dimensions of h alone
    code     = (√(1 - s) instance, √s unit((topic - μ) A))
    p(t)     = softmax(D code + d)                    multinomial reconstruction

To tell a document from all others and to know its topic are two tasks; one head that learns both does neither well. So
there are two heads, and the cosine of two codes is 1 - s times that of their instance parts plus s times that of their
topics. s grows with the number of different words: a few words ask for a document, a whole document for its topic. A is
computed after training: it turns topics to their principal axes and scales each axis by the square root of its
variance, so that differences between few documents count less.

The network starts as LSA: W holds the right singular vectors, and f and g begin at zero. So training can only add to
LSA (Hinton & Salakhutdinov, Science 2006, start from restricted Boltzmann machines for the same reason: deep networks
need a start near a good solution).
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from textae.config import ModelSpec
from textae.encoding.arrays import Floats
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import Encoder, Quantization
from textae.training.batches import Batch, DeviceBags
from textae.training.networks.init import as_array, as_layers, forward, random_layers

TOPIC_SHARE = 0.5
"""s of long texts: a larger share finds more of a topic (20 Newsgroups), and less often the one right document
(SciFact's training queries). Shorter texts have less (`textae.encoding.encoders.topic_weights`)."""

LONG = 100
"""Different words of a long text."""

_ROUNDING = 1e-9
"""A variance of topics of unit length that is only rounding."""

_SHARPNESS = 16.0
"""Of the decoder at its start: logits of a few units, so that the words that LSA expects stand out."""


class AutoEncoder(nn.Module):
    """The module's documentation has the equations.

    Args:
        start: LSA's encoder, (n_terms, n_hidden), with the half weight of the corpus.
        spec: sizes of the code and of the hidden layers.
        generator: of the initial weights.

    Attributes:
        instance_head: tells a document from all others: (n, n_hidden) to (n, n_instance), of unit length.
        topic_head: knows the topic: (n, n_hidden) to (n, n_topics), of unit length.
    """

    topic_mean: Tensor
    topic_axes: Tensor

    def __init__(self, start: Encoder, spec: ModelSpec, generator: Generator) -> None:
        super().__init__()
        words = torch.from_numpy(np.array(start.words))  # (n_terms, n_hidden)
        n_terms, n_hidden = words.shape
        instance, topics = min(spec.instance_dims, n_hidden), min(spec.topics, n_hidden)
        self.idf = start.idf
        self.words = nn.Parameter(words)
        self.instance_head = Residual(n_hidden, spec.hidden, instance, generator)
        self.topic_head = Residual(n_hidden, spec.hidden, topics, generator)
        self.topic_weight, self.half_weight = TOPIC_SHARE if instance else 1.0, start.half_weight
        self.register_buffer("topic_mean", torch.zeros(topics))
        self.register_buffer("topic_axes", torch.eye(topics))
        first = self.joined(words[:, :instance], words[:, :topics], torch.full((n_terms,), LONG))
        self.decoding = nn.Parameter(_SHARPNESS * first.T.contiguous())  # (dims, n_terms)
        self.decoding_bias = nn.Parameter(torch.zeros(n_terms))

    @classmethod
    def of(cls, encoder: Encoder, decoder: Decoder) -> "AutoEncoder":
        """The network of a trained encoder and decoder, to continue its training."""
        topics = len(encoder.topic_mean)
        spec = ModelSpec(encoder.dims, hidden=tuple(len(bias) for _, bias in encoder.topic_layers[:-1]), topics=topics)
        network = cls(encoder, spec, Generator())
        ((decoding, decoding_bias),) = decoder.layers
        learned = {"decoding": decoding, "decoding_bias": decoding_bias}
        learned |= {"topic_mean": encoder.topic_mean, "topic_axes": encoder.topic_axes}
        for head, layers in (("instance_head", encoder.instance_layers), ("topic_head", encoder.topic_layers)):
            for i, (weight, bias) in enumerate(layers):
                learned |= {f"{head}.weights.{i}": weight, f"{head}.biases.{i}": bias}
        tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in learned.items()}
        network.load_state_dict({"words": network.words, **tensors})
        network.topic_weight = encoder.topic_weight
        return network

    @property
    def dims(self) -> int:
        """Numbers of the code."""
        return self.instance_head.n_out + self.topic_head.n_out

    def hidden(self, batch: Batch) -> Tensor:
        """The output of the first layer: n bags to (n, n_hidden), of unit length."""
        terms, starts, weights = batch.terms, batch.starts, batch.weights
        return F.normalize(F.embedding_bag(terms, self.words, starts, mode="sum", per_sample_weights=weights), dim=1)

    def hidden_of(self, documents: DeviceBags) -> Tensor:
        """The output of the first layer for all documents of a corpus: (n, n_hidden)."""
        return torch.cat([self.words.new_empty(0, self.words.shape[1]), *map(self.hidden, documents.batches())])

    def joined(self, instance: Tensor, topic: Tensor, lengths: Tensor) -> Tensor:
        """Both parts of the code as one, weighted by the number of different words, (n,): (n, dims), of unit length."""
        words = lengths.double()[:, None]
        share = torch.ones_like(words)  # (n, 1), `topic_weights`
        if self.topic_weight < 1:
            share = self.topic_weight * words / (words + self.half_weight).clamp(min=1)
        share = share.to(instance)
        return torch.cat([instance * (1 - share).sqrt(), topic * share.sqrt()], dim=1)

    def code(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """The float codes: (n, n_hidden) and numbers of different words (n,) to (n, dims), of unit length."""
        topic = F.normalize((self.topic_head(hidden) - self.topic_mean) @ self.topic_axes, dim=1)
        return self.joined(self.instance_head(hidden), topic, lengths)

    def words_of(self, code: Tensor) -> Tensor:
        """The logits of the words: (n, dims) to (n, n_terms)."""
        return torch.addmm(self.decoding_bias, code, self.decoding)

    @torch.no_grad()
    def settle(self, hidden: Tensor, lengths: Tensor) -> None:
        """Compute the axes of the topics, and adapt the decoder to the codes that they give.

        In training the decoder reads both heads without axes. Least squares predict that input from the codes.

        Args:
            hidden: (n, n_hidden) of the corpus, or of a sample of it.
            lengths: (n,) different words.
        """
        topic = self.topic_head(hidden)
        read = self.joined(self.instance_head(hidden), topic, lengths)  # (n, dims)
        mean, axes = principal_axes(as_array(topic))
        self.topic_mean.copy_(torch.from_numpy(mean))
        self.topic_axes.copy_(torch.from_numpy(axes))
        code = np.hstack([as_array(self.code(hidden, lengths)), np.ones((len(hidden), 1), np.float32)])
        fitted = torch.from_numpy(np.linalg.lstsq(code, as_array(read), rcond=1e-4)[0]).to(read)  # (dims + 1, dims)
        self.decoding_bias.add_(fitted[-1] @ self.decoding)
        self.decoding.copy_(fitted[:-1] @ self.decoding)

    def encoder(self, quantization: Quantization) -> Encoder:
        """The trained encoder as plain arrays."""
        return Encoder(
            self.idf,
            as_array(self.words),
            as_layers(self.instance_head.weights, self.instance_head.biases),
            as_layers(self.topic_head.weights, self.topic_head.biases),
            as_array(self.topic_mean),
            as_array(self.topic_axes),
            self.topic_weight,
            quantization,
            self.half_weight,
        )

    def decoder(self) -> Decoder:
        """The trained decoder as plain arrays."""
        return Decoder(((as_array(self.decoding), as_array(self.decoding_bias)),))


class Residual(nn.Module):
    """The first numbers of a hidden vector plus a small network: unit(h + B_L relu(… relu(B_1 h))).

    Args:
        n_in: size of the hidden vector.
        sizes: of the layers between.
        n_out: at most n_in.
        generator: of the initial weights.
    """

    def __init__(self, n_in: int, sizes: tuple[int, ...], n_out: int, generator: Generator) -> None:
        super().__init__()
        self.weights, self.biases = random_layers((n_in, *sizes, n_out), generator)
        self.n_out = n_out
        nn.init.zeros_(self.weights[-1])

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, n_in) to (n, n_out), of unit length."""
        added = forward(hidden, self.weights, self.biases, F.relu)  # first: the order decides how gradients are rounded
        return F.normalize(hidden[:, : self.n_out] + added, dim=1)


def principal_axes(topics: Floats) -> tuple[Floats, Floats]:
    """The mean of topics, and their principal axes, each scaled by the square root of its variance.

    Args:
        topics: (n, n_topics).

    Returns:
        (n_topics,) and (n_topics, n_topics), whose largest scale is 1; zeros and the identity if all topics are equal.
    """
    mean = topics.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov(topics - mean, rowvar=False, ddof=0).reshape(len(mean), len(mean)))
    variances, axes = variances[::-1].clip(0), axes[:, ::-1]
    if variances[0] < _ROUNDING:
        return np.zeros_like(mean, np.float32), np.eye(len(mean), dtype=np.float32)
    return mean.astype(np.float32), (axes * np.sqrt(variances / variances[0])).astype(np.float32)
