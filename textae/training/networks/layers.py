"""A layer that works in both directions, as a restricted Boltzmann machine or as a de-noising layer of tied weights.

    up:    h = s(v W + c)        s: the logistic function; the identity in a linear code
    down:  v = m(h Wᵀ + b)       m: the mean of a visible unit of its kind

The kinds of visible units are `BINARY`, on with probability logistic(x); `GAUSSIAN`, x with unit noise; and `COUNTS`,
the words of a document, which share one distribution softmax(x). A stack of layers, where the hidden units of one are
the visible units of the next, is a deep network. `greedily` trains it layer by layer from the bottom (Hinton &
Salakhutdinov, Science 2006).
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from textae.encoding import encoders
from textae.training.losses import reconstruction
from textae.training.networks.init import uniform_weights

BINARY, GAUSSIAN, COUNTS = "binary", "gaussian", "counts"
"""Visible units."""

LOGISTIC, LINEAR = encoders.LOGISTIC, encoders.LINEAR
"""Hidden units: on with a probability; or any number with unit Gaussian noise."""

_FIRST_WEIGHTS = 0.01
"""Standard deviation of the initial weights (Hinton, "A Practical Guide to Training RBMs", 2010, section 8)."""

_CHUNK = 2_048  # examples in memory at a time
_MEASURED = 1_024  # examples whose error is measured


@dataclass
class Layer:
    """The weights of one layer, and the kinds of its units.

    Attributes:
        weights: (n_visible, n_hidden).
        visible_bias: (n_visible,).
        hidden_bias: (n_hidden,).
        visible: `BINARY`, `GAUSSIAN` or `COUNTS`.
        hidden: `LOGISTIC` or `LINEAR`.
    """

    weights: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor
    visible: str = BINARY
    hidden: str = LOGISTIC

    @classmethod
    def begin(cls, mean: Tensor, n_hidden: int, visible: str, hidden: str, generator: Generator) -> Self:
        """Small random weights, and visible biases that reproduce the mean example (Hinton 2010, section 8).

        Args:
            mean: (n_visible,) of the examples.
            n_hidden: number of hidden units.
            visible: kind of the visible units.
            hidden: kind of the hidden units.
            generator: on the device.
        """
        weights = torch.randn(len(mean), n_hidden, generator=generator, device=mean.device) * _FIRST_WEIGHTS
        if visible == BINARY:
            bias = torch.logit(mean.clamp(0.01, 0.99))
        elif visible == COUNTS:
            bias = torch.log(mean / mean.sum().clamp_min(1e-9) + 1 / (100 * len(mean)))
        else:
            bias = mean.clone()
        return cls(weights, bias, torch.zeros(n_hidden, device=mean.device), visible, hidden)

    def input(self, visible: Tensor) -> Tensor:
        """The input of the hidden units: (n, n_visible) to (n, n_hidden)."""
        return torch.addmm(self.hidden_bias, visible, self.weights)

    def up(self, visible: Tensor) -> Tensor:
        """The mean of the hidden units: (n, n_visible) to (n, n_hidden)."""
        x = self.input(visible)
        return torch.sigmoid(x) if self.hidden == LOGISTIC else x

    def output(self, hidden: Tensor) -> Tensor:
        """The input of the visible units: (n, n_hidden) to (n, n_visible)."""
        return torch.addmm(self.visible_bias, hidden, self.weights.T)

    def down(self, hidden: Tensor) -> Tensor:
        """The mean of the visible units, for words their shares: (n, n_hidden) to (n, n_visible)."""
        x = self.output(hidden)
        if self.visible == BINARY:
            return torch.sigmoid(x)
        return torch.softmax(x, dim=1) if self.visible == COUNTS else x

    def error(self, visible: Tensor, hidden: Tensor) -> Tensor:
        """The mismatch of visible units and what hidden units reconstruct; see `mismatch`."""
        return mismatch(self.visible, self.output(hidden), visible)

    @torch.no_grad()
    def error_of(self, examples: "Examples") -> float:
        """The mean reconstruction error of the first `_MEASURED` examples."""
        visible = examples.take(torch.arange(min(examples.n, _MEASURED)))
        return float(self.error(visible, self.up(visible)))

    def parameters(self) -> tuple[Tensor, Tensor, Tensor]:
        """The weights, the visible and the hidden biases."""
        return self.weights, self.visible_bias, self.hidden_bias


def mismatch(visible: str, x: Tensor, values: Tensor) -> Tensor:
    """The negative log-likelihood of visible units given their input, up to a constant, averaged over the rows.

    This is the cross-entropy summed over binary units, the cross-entropy of one word of a document, or half the squared
    distance of Gaussian units.

    Args:
        visible: kind of the units.
        x: (n, n_visible), their input.
        values: (n, n_visible).
    """
    if visible == BINARY:
        return F.binary_cross_entropy_with_logits(x, values, reduction="sum") / len(values)
    if visible == COUNTS:
        return reconstruction(x, values)
    return (x - values).square().sum() / (2 * len(values))


@dataclass(frozen=True)
class Examples:
    """Training examples, read a batch at a time.

    Attributes:
        n: number of examples.
        take: (rows,) int64 to these examples, (rows, n_visible).
        visible: kind of their units, `BINARY`, `GAUSSIAN` or `COUNTS`.
        length: number of words of every example, if they are documents.
    """

    n: int
    take: Callable[[Tensor], Tensor]
    visible: str = BINARY
    length: float = 1.0

    @classmethod
    def of(cls, every: Tensor, visible: str = BINARY) -> "Examples":
        """The rows of a matrix."""
        return cls(len(every), lambda rows: every[rows.to(every.device)], visible)

    def only(self, rows: Tensor) -> "Examples":
        """Some of them, by their numbers, (n_rows,) int64."""
        return replace(self, n=len(rows), take=lambda some: self.take(rows[some.to(rows.device)]))

    def each(self, of: Callable[[Tensor], Tensor]) -> Tensor:
        """A function of all examples, in their order: (n, …)."""
        return torch.cat([of(self.take(rows)) for rows in torch.arange(self.n).split(_CHUNK)])

    def mean(self) -> Tensor:
        """The mean example: (n_visible,)."""
        return self.each(lambda some: some.sum(dim=0, keepdim=True)).sum(dim=0) / self.n


L = TypeVar("L", bound=Layer)

Fit = Callable[[L, Examples], Sequence[float]]
"""Trains a layer, and returns its reconstruction errors."""


@dataclass(frozen=True)
class Stack(Generic[L]):
    """Layers, from the bottom up.

    Attributes:
        layers: the hidden units of one are the visible units of the next.
        errors: for each layer, the reconstruction error before the first epoch and after each (`Layer.error_of`).
    """

    layers: tuple[L, ...]
    errors: tuple[tuple[float, ...], ...]

    def up(self, visible: Tensor) -> Tensor:
        """Through all layers: (n, n_visible) to (n, n_top)."""
        for layer in self.layers:
            visible = layer.up(visible)
        return visible

    def down(self, top: Tensor) -> Tensor:
        """And back: (n, n_top) to (n, n_visible); for words, their shares."""
        for layer in reversed(self.layers):
            top = layer.down(top)
        return top


def greedily(
    kind: type[L], examples: Examples, sizes: Sequence[int], fit: Fit[L], generator: Generator, code: str
) -> Stack[L]:
    """Stack layers; each learns from the hidden units of the one below.

    Args:
        kind: the class of the layers.
        examples: input of the first layer; the other layers see probabilities.
        sizes: hidden units of each layer, from the bottom up; the last layer is the code.
        fit: trains a layer.
        generator: on the device.
        code: kind of the code's units, `LINEAR` or `LOGISTIC`; the layers below are logistic.
    """
    layers: list[L] = []
    errors: list[tuple[float, ...]] = []
    for depth, size in enumerate(sizes, start=1):
        hidden = code if depth == len(sizes) else LOGISTIC
        layers.append(kind.begin(examples.mean(), size, examples.visible, hidden, generator))
        errors.append(tuple(fit(layers[-1], examples)))
        examples = Examples.of(examples.each(layers[-1].up))
    return Stack(tuple(layers), tuple(errors))


def at_random(sizes: Sequence[int], visible: str, generator: Generator, code: str = LINEAR) -> Stack[Layer]:
    """A stack of random weights.

    Args:
        sizes: number of visible units, and of each layer's hidden units.
        visible: kind of the first layer's visible units.
        generator: on the device.
        code: kind of the last layer's units.
    """
    layers = []
    for depth, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        weights = uniform_weights(n_in, n_out, generator)
        hidden = code if depth == len(sizes) - 1 else LOGISTIC
        layers.append(Layer(weights, torch.zeros(n_in), torch.zeros(n_out), visible if depth == 1 else BINARY, hidden))
    return Stack(tuple(layers), ())
