"""A layer that can be read both ways, however it learned: as an RBM, or as a de-noising auto-encoder of tied weights.

    up:    h = s(v W + c)        s: the logistic function; nothing where the layer is a linear code
    down:  v = m(h Wᵀ + b)       m: what a visible unit is expected to be, by its kind

Kinds of visible units: `BINARY`, on with probability logistic(x); `GAUSSIAN`, x with unit noise; `COUNTS`, the words of
a document, which all have the one distribution softmax(x). Layers stacked on each other, the hidden units of one the
visible units of the next, are a deep network (Hinton & Salakhutdinov, Science 2006), learned one by one from the
bottom: `greedily`.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from textae.encoding import encoders as encoder
from textae.training.losses import reconstruction
from textae.training.networks.init import uniform_weights

BINARY, GAUSSIAN, COUNTS = "binary", "gaussian", "counts"
"""Visible units."""

LOGISTIC, LINEAR = encoder.LOGISTIC, encoder.LINEAR
"""Hidden units: on with a probability; or any number with unit Gaussian noise."""

_FIRST_WEIGHTS = 0.01
"""Standard deviation at the start (Hinton, "A Practical Guide to Training RBMs", 2010, section 8)."""


@dataclass
class Layer:
    """Weights of one layer, and what its units are.

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
    def begin(cls, mean: Tensor, n_hidden: int, visible: str, hidden: str, generator: torch.Generator) -> Self:
        """Small random weights, and visible biases that expect what is seen on average (Hinton 2010, section 8).

        Args:
            mean: (n_visible,) of the examples.
            n_hidden: units.
            visible: their kind.
            hidden: their kind.
            generator: on the CPU.
        """
        weights = torch.randn(len(mean), n_hidden, generator=generator) * _FIRST_WEIGHTS
        zeros = torch.zeros(n_hidden, device=mean.device)
        return cls(weights.to(mean.device), expecting(visible, mean), zeros, visible, hidden)

    def input(self, visible: Tensor) -> Tensor:
        """What the hidden units are given: (n, n_visible) to (n, n_hidden)."""
        return torch.addmm(self.hidden_bias, visible, self.weights)

    def up(self, visible: Tensor) -> Tensor:
        """What the hidden units are expected to be: (n, n_visible) to (n, n_hidden)."""
        x = self.input(visible)
        return torch.sigmoid(x) if self.hidden == LOGISTIC else x

    def output(self, hidden: Tensor) -> Tensor:
        """What the visible units are given: (n, n_hidden) to (n, n_visible)."""
        return torch.addmm(self.visible_bias, hidden, self.weights.T)

    def down(self, hidden: Tensor) -> Tensor:
        """What the visible units are expected to be, of words their shares: (n, n_hidden) to (n, n_visible)."""
        return expectation(self.visible, self.output(hidden))

    def error(self, visible: Tensor, hidden: Tensor) -> Tensor:
        """How badly hidden units tell what was seen; see `mismatch`."""
        return mismatch(self.visible, self.output(hidden), visible)

    @torch.no_grad()
    def error_of(self, examples: "Examples") -> float:
        """The error of going up and down again, as a mean over the first `_MEASURED` examples."""
        visible = examples.take(torch.arange(min(examples.n, _MEASURED)))
        return float(self.error(visible, self.up(visible)))

    def parameters(self) -> tuple[Tensor, Tensor, Tensor]:
        """What is learned."""
        return self.weights, self.visible_bias, self.hidden_bias


def expectation(visible: str, x: Tensor) -> Tensor:
    """What units of that kind are expected to be, given x: (n, n_visible)."""
    if visible == BINARY:
        return torch.sigmoid(x)
    return torch.softmax(x, dim=1) if visible == COUNTS else x


def expecting(visible: str, mean: Tensor) -> Tensor:
    """The biases with which units of that kind are expected to be what they are on average: (n_visible,)."""
    if visible == BINARY:
        return torch.logit(mean.clamp(0.01, 0.99))
    if visible == COUNTS:
        return torch.log(mean / mean.sum().clamp_min(1e-9) + 1 / (100 * len(mean)))
    return mean.clone()


def mismatch(visible: str, x: Tensor, seen: Tensor) -> Tensor:
    """How badly units that are given x tell what was seen, as a mean over the rows.

    The cross-entropy of all units where these are binary, of one word where they are words; half the squared
    distance where they are Gaussian: minus the logarithm of what was seen, but for a constant.

    Args:
        visible: the kind of unit.
        x: (n, n_visible).
        seen: (n, n_visible).
    """
    if visible == BINARY:
        return F.binary_cross_entropy_with_logits(x, seen, reduction="sum") / len(seen)
    if visible == COUNTS:
        return reconstruction(x, seen)
    return (x - seen).square().sum() / (2 * len(seen))


@dataclass(frozen=True)
class Examples:
    """What a layer learns from, as many at a time as it likes.

    Attributes:
        n: examples.
        take: (rows,) int64 to the named examples, (rows, n_visible).
    """

    n: int
    take: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, every: Tensor) -> "Examples":
        """The rows of a matrix."""
        return cls(len(every), lambda rows: every[rows.to(every.device)])

    def shuffled(self, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """One pass: every example once, `size` at a time."""
        yield from map(self.take, torch.randperm(self.n, generator=generator).split(size))

    def each(self, of: Callable[[Tensor], Tensor]) -> Tensor:
        """Something of every example, in order: (n, …)."""
        return torch.cat([of(self.take(rows)) for rows in torch.arange(self.n).split(_AT_A_TIME)])

    def mean(self) -> Tensor:
        """The mean example: (n_visible,)."""
        parts = [self.take(rows).sum(dim=0) for rows in torch.arange(self.n).split(_AT_A_TIME)]
        return torch.stack(parts).sum(dim=0) / self.n


_AT_A_TIME = 2_048
_MEASURED = 1_024

Tick = Callable[[], None]
"""Called after each step."""

L = TypeVar("L", bound=Layer)

Fit = Callable[[L, Examples], Sequence[float]]
"""Teaches a layer, and gives its reconstruction error in each pass."""


@dataclass(frozen=True)
class Stack(Generic[L]):
    """Layers, from the bottom up.

    Attributes:
        layers: the hidden units of one are the visible units of the next.
        errors: of each layer, the reconstruction error before the first pass and after each (`Layer.error_of`).
    """

    layers: tuple[L, ...]
    errors: tuple[tuple[float, ...], ...]

    def up(self, visible: Tensor) -> Tensor:
        """Through all layers: (n, n_visible) to (n, n_top)."""
        for layer in self.layers:
            visible = layer.up(visible)
        return visible

    def down(self, top: Tensor) -> Tensor:
        """And back: (n, n_top) to (n, n_visible); of words, their shares."""
        for layer in reversed(self.layers):
            top = layer.down(top)
        return top


def greedily(
    kind: type[L],
    examples: Examples,
    sizes: Sequence[int],
    visible: str,
    fit: Fit[L],
    generator: torch.Generator,
    code: str = LINEAR,
) -> Stack[L]:
    """Stack layers, each learned from what those below make of the examples; the last one is the code.

    Args:
        kind: of layer.
        examples: what the first layer sees.
        sizes: of each layer's hidden units, from the bottom up.
        visible: the kind of unit that the first layer sees; the others see probabilities.
        fit: teaches a layer.
        generator: on the CPU.
        code: the kind of its units, `LINEAR` or `LOGISTIC`; the layers below are logistic.
    """
    layers: list[L] = []
    errors: list[tuple[float, ...]] = []
    for depth, size in enumerate(sizes, start=1):
        hidden = code if depth == len(sizes) else LOGISTIC
        layers.append(kind.begin(examples.mean(), size, visible, hidden, generator))
        errors.append(tuple(fit(layers[-1], examples)))
        examples, visible = Examples.of(examples.each(layers[-1].up)), BINARY
    return Stack(tuple(layers), tuple(errors))


def at_random(sizes: Sequence[int], visible: str, generator: torch.Generator, code: str = LINEAR) -> Stack[Layer]:
    """A stack that has learned nothing.

    Args:
        sizes: of the visible units, and of each layer's hidden units.
        visible: the kind of unit that the first layer sees.
        generator: on the CPU.
        code: the kind of unit of the last layer.
    """
    layers = []
    for depth, (n_in, n_out) in enumerate(itertools.pairwise(sizes), start=1):
        weights = uniform_weights(n_in, n_out, generator)
        hidden = code if depth == len(sizes) - 1 else LOGISTIC
        layers.append(Layer(weights, torch.zeros(n_in), torch.zeros(n_out), visible if depth == 1 else BINARY, hidden))
    return Stack(tuple(layers), ())
