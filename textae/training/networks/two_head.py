"""The deep auto-encoder: a bag of words to a code, and the code back to the words.

    h       = unit(Σ_t w_t W_t)                      w: tf-idf of the words that de-noising left
    answer  = unit(h + f(h))                         f: a small network whose last layer begins at zero
    topic   = unit(h + g(h))                         g: another one; the first, heaviest dimensions of h alone
    code    = (√(1 - s) answer, √s unit((topic - μ) A))
    p(t)    = softmax(D code + d)                    multinomial reconstruction

What tells a document from all others, and what it is about, are not the same, and one head that learns both does
neither well: so there are two, and the cosine of two codes is 1 - s times that of their answers and s times that of
their topics. s grows with the number of different words: few words ask for a document, a whole document for its topic.
A, found when all is learned, turns topics to their principal axes and stretches each by the square root
of its variance, so that what few documents differ in counts less.

It starts as LSA: W are the right singular vectors, and f and g begin as nothing. So step 0 knows what LSA knows, and
learning can only add to it (Hinton & Salakhutdinov, Science 2006, start from restricted Boltzmann machines for the
same reason: deep networks need a start near a good solution).
"""

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textae.config import ModelSpec
from textae.encoding.arrays import Floats
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import Encoder, Quantization, topic_weights
from textae.encoding.layers import Layers
from textae.training.networks.init import as_array, uniform_weights

TOPIC_SHARE = 0.5
"""Of long texts: more finds more of a topic (20 Newsgroups), less the one document that says it (SciFact's training
queries). Shorter texts have less (`textae.encoding.encoders.topic_weights`): few words say which document, whole ones
which topic."""


class AutoEncoder(nn.Module):
    """See the module's documentation for the equations.

    Args:
        start: LSA's encoder, (n_terms, n_hidden).
        spec: sizes of the code and of the hidden layers.
        generator: of the random numbers, on the CPU.
    """

    topic_mean: Tensor
    topic_axes: Tensor

    def __init__(self, start: Encoder, spec: ModelSpec, generator: torch.Generator) -> None:
        super().__init__()
        words = torch.from_numpy(np.array(start.words))  # (n_terms, n_hidden)
        n_terms, n_hidden = words.shape
        answers, topics = min(spec.answers, n_hidden), min(spec.topics, n_hidden)
        self.idf = start.idf
        self.words = nn.Parameter(words)
        self.answer_head = Residual(n_hidden, spec.hidden, answers, generator)
        self.topic_head = Residual(n_hidden, spec.hidden, topics, generator)
        self.topic_share = TOPIC_SHARE if answers else 1.0
        self.register_buffer("topic_mean", torch.zeros(topics))
        self.register_buffer("topic_axes", torch.eye(topics))
        first = self.joined(words[:, :answers], words[:, :topics], torch.full((n_terms,), LONG))
        self.decoding = nn.Parameter(_SHARPNESS * first.T.contiguous())  # (dims, n_terms)
        self.decoding_bias = nn.Parameter(torch.zeros(n_terms))

    @classmethod
    def of(cls, encoder: Encoder, decoder: Decoder) -> "AutoEncoder":
        """The network that gave this `encoder` and `decoder`, to learn on from where it stopped."""
        topics = len(encoder.topic_mean)
        spec = ModelSpec(encoder.dims, hidden=tuple(len(bias) for _, bias in encoder.topic_layers[:-1]), topics=topics)
        network = cls(encoder, spec, torch.Generator())
        ((decoding, decoding_bias),) = decoder.layers
        learned = {"decoding": decoding, "decoding_bias": decoding_bias}
        learned |= {"topic_mean": encoder.topic_mean, "topic_axes": encoder.topic_axes}
        for head, layers in (("answer_head", encoder.instance_layers), ("topic_head", encoder.topic_layers)):
            for i, (weight, bias) in enumerate(layers):
                learned |= {f"{head}.weights.{i}": weight, f"{head}.biases.{i}": bias}
        tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in learned.items()}
        network.load_state_dict({"words": network.words, **tensors})
        network.topic_share = encoder.topic_weight
        return network

    @property
    def dims(self) -> int:
        """Numbers of the code."""
        return self.answer_head.n_out + self.topic_head.n_out

    def hidden(self, terms: Tensor, starts: Tensor, weights: Tensor) -> Tensor:
        """The bags through the first layer.

        Args:
            terms: (n_postings,) int64.
            starts: (n,) int64, where each bag begins.
            weights: (n_postings,) float32.

        Returns:
            (n, n_hidden), of unit length.
        """
        return F.normalize(F.embedding_bag(terms, self.words, starts, mode="sum", per_sample_weights=weights), dim=1)

    def answer(self, hidden: Tensor) -> Tensor:
        """What tells a document from all others: (n, n_hidden) to (n, n_answers), of unit length."""
        answer: Tensor = self.answer_head(hidden)
        return answer

    def topic(self, hidden: Tensor) -> Tensor:
        """What a document is about: (n, n_hidden) to (n, n_topics), of unit length."""
        topic: Tensor = self.topic_head(hidden)
        return topic

    def joined(self, answer: Tensor, topic: Tensor, lengths: Tensor) -> Tensor:
        """Both as one, of texts of so many different words: (n, dims), of unit length."""
        share = torch.from_numpy(topic_weights(self.topic_share, lengths.cpu().numpy())).to(answer)[:, None]
        return torch.cat([answer * (1 - share).sqrt(), topic * share.sqrt()], dim=1)

    def code(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """The float codes of texts of so many different words: (n, n_hidden) and (n,) to (n, dims), of unit length."""
        topic = F.normalize((self.topic(hidden) - self.topic_mean) @ self.topic_axes, dim=1)
        return self.joined(self.answer(hidden), topic, lengths)

    def words_of(self, code: Tensor) -> Tensor:
        """The logits of the words: (n, dims) to (n, n_terms)."""
        return torch.addmm(self.decoding_bias, code, self.decoding)

    @torch.no_grad()
    def settle(self, hidden: Tensor, lengths: Tensor) -> None:
        """Find the axes of the topics, and let the decoder read the codes that follow from them.

        The decoder learned to read answers and topics before their axes were known: what these were is told from the
        codes by least squares.

        Args:
            hidden: (n, n_hidden) of the corpus, or of a sample of it.
            lengths: (n,) different words.
        """
        topic = self.topic(hidden)
        read = self.joined(self.answer(hidden), topic, lengths)
        mean, axes = principal_axes(as_array(topic))
        self.topic_mean.copy_(torch.from_numpy(mean))
        self.topic_axes.copy_(torch.from_numpy(axes))
        code = as_array(self.code(hidden, lengths))
        ones = np.ones((len(code), 1), np.float32)
        told = torch.from_numpy(np.linalg.lstsq(np.hstack([code, ones]), as_array(read), rcond=1e-4)[0]).to(read)
        self.decoding_bias.add_(told[-1] @ self.decoding)
        self.decoding.copy_(told[:-1] @ self.decoding)

    def encoder(self, quantization: Quantization) -> Encoder:
        """The trained encoder as plain arrays."""
        return Encoder(
            self.idf,
            as_array(self.words),
            self.answer_head.arrays(),
            self.topic_head.arrays(),
            as_array(self.topic_mean),
            as_array(self.topic_axes),
            self.topic_share,
            quantization,
        )

    def decoder(self) -> Decoder:
        """The trained decoder as plain arrays."""
        return Decoder(((as_array(self.decoding), as_array(self.decoding_bias)),))


class Residual(nn.Module):
    """The first numbers of a hidden vector and what a small network adds: unit(h + B_L relu(… relu(B_1 h))).

    Args:
        n_in: of the hidden vector.
        sizes: of the layers between.
        n_out: at most n_in.
        generator: of the random numbers, on the CPU.
    """

    def __init__(self, n_in: int, sizes: tuple[int, ...], n_out: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = [n_in, *sizes, n_out]
        self.weights = nn.ParameterList(
            uniform_weights(n_in, n_out, generator) for n_in, n_out in itertools.pairwise(widths)
        )
        self.biases = nn.ParameterList(torch.zeros(n_out) for n_out in widths[1:])
        self.n_out = n_out
        nn.init.zeros_(self.weights[-1])

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, n_in) to (n, n_out), of unit length."""
        added = hidden
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            added = torch.addmm(bias, F.relu(added) if i else added, weight)
        return F.normalize(hidden[:, : self.n_out] + added, dim=1)

    def arrays(self) -> Layers:
        """The layers as plain arrays."""
        return tuple((as_array(weight), as_array(bias)) for weight, bias in zip(self.weights, self.biases, strict=True))


def principal_axes(topics: Floats) -> tuple[Floats, Floats]:
    """The mean of topics, and their principal axes, each stretched by the square root of its variance.

    Args:
        topics: (n, n_topics).

    Returns:
        (n_topics,) and (n_topics, n_topics), whose largest stretch is 1. Where all topics are the same, they stay.
    """
    mean = topics.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov(topics - mean, rowvar=False, ddof=0).reshape(len(mean), len(mean)))
    variances, axes = variances[::-1].clip(0), axes[:, ::-1]
    if variances[0] < _ROUNDING:
        return np.zeros_like(mean, np.float32), np.eye(len(mean), dtype=np.float32)
    return mean.astype(np.float32), (axes * np.sqrt(variances / variances[0])).astype(np.float32)


LONG = 100
"""Different words of a long text."""

_ROUNDING = 1e-9
"""Variance of topics of unit length that is none."""

_SHARPNESS = 16.0
"""Of the decoder at its start: logits of a few units, so that the words that LSA expects stand out."""
