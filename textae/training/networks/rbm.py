"""The restricted Boltzmann machine: visible and hidden units, where each unit connects to all units of the other kind.

    p(v, h) = exp(-E(v, h)) / Z

    binary v     E = -b·v - c·h - v W h                   Smolensky 1986; Hinton 2002
    Gaussian v   E = ½|v - b|² - c·h - v W h              Welling, Rosen-Zvi & Hinton 2005, of unit variance
    word counts  E = -b·v - D c·h - v W h,  D = Σ v       replicated softmax, Salakhutdinov & Hinton 2009

Hidden units are binary, or linear with unit Gaussian noise (E gets ½|h|²), as in the code layer of Hinton &
Salakhutdinov, Science 2006. A document of D words is D draws from one distribution, softmax(b + W h), so its length
weighs the hidden bias; the constrained Poisson model of semantic hashing (2009) expects the same counts, D softmax.
The free energy, -ln Σ_h exp(-E(v, h)), is -ln p(v) up to the constant ln Z:

>>> rbm = RBM(torch.zeros(3, 2), torch.zeros(3), torch.zeros(2))        # all 2³ states are equally likely
>>> rbm.log_likelihood(torch.tensor([[1.0, 0, 1]]), log_partition(rbm))  # -3 ln 2
tensor([-2.0794])
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from textae.training.loop import Tick
from textae.training.networks.layers import BINARY, COUNTS, GAUSSIAN, LOGISTIC, Examples, Layer


class RBM(Layer):
    """The module's documentation has the equations, `Layer` the attributes."""

    def input(self, visible: Tensor) -> Tensor:
        """Give v W + c, of a document v W + D c: (n, n_visible) to (n, n_hidden)."""
        return visible @ self.weights + self.length(visible) * self.hidden_bias

    def length(self, visible: Tensor) -> Tensor:
        """The number of words of each document, 1 for other units: (n, 1)."""
        return visible.sum(dim=1, keepdim=True) if self.visible == COUNTS else visible.new_ones(len(visible), 1)

    def free_energy(self, visible: Tensor) -> Tensor:
        """-ln Σ_h exp(-E(v, h)): (n, n_visible) to (n,).

        The hidden units, given x = v W + c, add -Σ ln(1 + exp x) where they are binary (Hinton 2010, equation 25), and
        -Σ (½x² + ½ ln 2π), a Gaussian integral, where they are linear.
        """
        x = self.input(visible)
        own = -visible @ self.visible_bias
        if self.visible == GAUSSIAN:
            own = (visible - self.visible_bias).square().sum(dim=1) / 2
        return own - (F.softplus(x) if self.hidden == LOGISTIC else x.square() / 2 + _HALF_LN_2PI).sum(dim=1)

    def log_likelihood(self, visible: Tensor, log_z: float) -> Tensor:
        """Ln p(v), of a document as the sequence of its words: (n, n_visible) to (n,).

        Args:
            visible: documents all of one length, for which Z is known.
            log_z: ln Z, of `log_partition` or `annealed_importance_sampling`.
        """
        return -self.free_energy(visible) - log_z

    def sample_hidden(self, mean: Tensor, generator: Generator) -> Tensor:
        """A sample of the hidden units, given their mean: (n, n_hidden)."""
        return _sample(mean, binary=self.hidden == LOGISTIC, generator=generator)

    def sample_visible(self, hidden: Tensor, length: Tensor, generator: Generator) -> Tensor:
        """A sample of the visible units given the hidden ones: (n, n_hidden) to (n, n_visible).

        Args:
            hidden: (n, n_hidden).
            length: (n, 1), number of words to draw for each document.
            generator: on the device.
        """
        mean = self.down(hidden)
        if self.visible == COUNTS:  # multinomial counts
            most = max(int(length.max()), 1)
            words = torch.multinomial(mean, most, replacement=True, generator=generator)
            counted = (torch.arange(most, device=mean.device) < length).to(mean.dtype)  # (n, most)
            return torch.zeros_like(mean).scatter_add_(1, words, counted)
        return _sample(mean, binary=self.visible == BINARY, generator=generator)

    def gibbs(self, visible: Tensor, generator: Generator) -> Tensor:
        """One step of the Gibbs chain: sample the hidden units, then the visible ones, (n, n_visible)."""
        hidden = self.sample_hidden(self.up(visible), generator)
        return self.sample_visible(hidden, self.length(visible), generator)

    def tempered(self, beta: float) -> "RBM":
        """The machine with weights and hidden biases scaled by β; at β = 0 its units are independent."""
        return replace(self, weights=self.weights * beta, hidden_bias=self.hidden_bias * beta)

    def of_length(self, length: float) -> Layer:
        """The equivalent layer for documents that all have one length D: its hidden bias is D c.

        For other units than words it is the same layer.
        """
        times = length if self.visible == COUNTS else 1.0
        return Layer(self.weights, self.visible_bias, self.hidden_bias * times, self.visible, self.hidden)


_HALF_LN_2PI = math.log(2 * math.pi) / 2


def _sample(mean: Tensor, *, binary: bool, generator: Generator) -> Tensor:
    """Bernoulli samples or unit Gaussian noise around a mean."""
    if binary:
        return (torch.rand(mean.shape, generator=generator, device=mean.device) < mean).to(mean.dtype)
    return mean + torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)


class Gradient(NamedTuple):
    """The gradient of the log-likelihood by each parameter, averaged over the examples."""

    weights: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor


def contrastive_divergence(rbm: RBM, visible: Tensor, k: int, generator: Generator) -> Gradient:
    """CD-k, ⟨v h⟩ of the data minus ⟨v h⟩ after k steps of the chain that starts from them (Hinton 2002).

    As in Hinton's practical guide (section 3), hidden units are sampled on the way down. The reconstruction, and the
    hidden units at both ends of the chain, are means.

    Args:
        rbm: the machine.
        visible: (n, n_visible).
        k: steps, at least 1.
        generator: on the device.
    """
    length = rbm.length(visible)
    hidden = rbm.up(visible)
    rebuilt, expected = visible, hidden
    for _ in range(k):
        rebuilt = length * rbm.down(rbm.sample_hidden(expected, generator))
        expected = rbm.up(rebuilt)
    return Gradient(
        (visible.T @ hidden - rebuilt.T @ expected) / len(visible),
        (visible - rebuilt).mean(dim=0),
        (length * (hidden - expected)).mean(dim=0),
    )


@dataclass(frozen=True)
class Descent:
    """How a machine learns (Hinton, "A Practical Guide to Training Restricted Boltzmann Machines", 2010).

    Attributes:
        epochs: passes over the examples.
        batch: examples of a step.
        k: of CD-k.
        learning_rate: for logistic hidden units; linear ones, whose gradient has no bound, take a hundredth.
        decay: of the weights, in each step times the learning rate (section 10).
        early, late: momentum in the first epochs, and in the others (section 9).
        early_epochs: number of the first epochs.
    """

    epochs: int
    batch: int = 128
    k: int = 1
    learning_rate: float = 0.1
    decay: float = 2e-4
    early: float = 0.5
    late: float = 0.9
    early_epochs: int = 5


@torch.no_grad()
def fit_rbm(rbm: RBM, examples: Examples, how: Descent, generator: Generator, tick: Tick) -> list[float]:
    """Train a machine by contrastive divergence, with momentum m and weight decay λ.

        velocity ← m · velocity + rate · (gradient - λ · weights)        parameter ← parameter + velocity

    Args:
        rbm: changed in place.
        examples: its visible units.
        how: it learns.
        generator: on the device.
        tick: called after each step.

    Returns:
        The reconstruction error before the first epoch and after each (`Layer.error_of`).
    """
    # The hidden bias of a document counts once per word, so both its gradient and its effect grow with the mean length
    # D: its rate is divided by D². The rate of the weights is divided by √D; at .1 without it units die.
    words = float(examples.mean().sum()) if rbm.visible == COUNTS else 1.0
    rate = how.learning_rate if rbm.hidden == LOGISTIC else how.learning_rate / 100
    rates = (rate / words**0.5, rate / words**0.5, rate / words**2)
    velocities = [torch.zeros_like(parameter) for parameter in rbm.parameters()]
    errors = [rbm.error_of(examples)]
    for epoch in range(how.epochs):
        momentum = how.early if epoch < how.early_epochs else how.late
        for rows in torch.randperm(examples.n, generator=generator, device=generator.device).split(how.batch):
            gradient = contrastive_divergence(rbm, examples.take(rows), how.k, generator)
            uphill = gradient._replace(weights=gradient.weights - how.decay * rbm.weights)
            for parameter, velocity, step, way in zip(rbm.parameters(), velocities, rates, uphill, strict=True):
                velocity.mul_(momentum).add_(way, alpha=step)
                parameter.add_(velocity)
            tick()
        errors.append(rbm.error_of(examples))
    return errors


def log_partition(rbm: RBM, length: int = 1) -> float:
    """Ln Z, exactly: the sum over all 2^n_hidden states of logistic hidden units, so only for few units.

    Args:
        rbm: of logistic hidden units.
        length: of the documents, if the visible units are words: Z sums over all sequences of this length.
    """
    states = rbm.weights.new_tensor(list(itertools.product((0, 1), repeat=rbm.weights.shape[1])))
    visible = _log_visible_sum(rbm, rbm.output(states), length)
    return float(torch.logsumexp(length * (states @ rbm.hidden_bias) + visible, dim=0))


def _log_visible_sum(rbm: RBM, x: Tensor, length: int) -> Tensor:
    """Ln Σ_v exp(v·x) for visible units with input x, for Gaussian ones the integral: (n, n_visible) to (n,)."""
    if rbm.visible == BINARY:
        return F.softplus(x).sum(dim=1)
    if rbm.visible == COUNTS:
        return length * torch.logsumexp(x, dim=1)
    return (x.square() - rbm.visible_bias.square()).sum(dim=1) / 2 + x.shape[1] * _HALF_LN_2PI


@torch.no_grad()
def annealed_importance_sampling(
    rbm: RBM, generator: Generator, length: int = 1, steps: int = 1_000, chains: int = 100
) -> float:
    """Ln Z, estimated for machines that are too large to sum (Salakhutdinov & Murray, ICML 2008).

    Each chain starts at the machine of β = 0, whose Z is known, and is cooled down to β = 1. Before every step, the
    weight of the chain is multiplied by exp(F_β(v) - F_β'(v)). Z is Z_0 times the mean weight.

    Args:
        rbm: of any kind of units.
        generator: on the device.
        length: of the documents, if the visible units are words.
        steps: of β from 0 to 1.
        chains: number of chains to average.
    """
    hotter = rbm.tempered(0.0)
    nothing = rbm.weights.new_zeros(chains, rbm.weights.shape[1])
    visible = hotter.sample_visible(nothing, rbm.weights.new_full((chains, 1), length), generator)
    log_weight = rbm.weights.new_zeros(chains)
    for beta in torch.linspace(0, 1, steps + 1).tolist()[1:]:
        cooler = rbm.tempered(beta)
        log_weight += hotter.free_energy(visible) - cooler.free_energy(visible)
        visible, hotter = cooler.gibbs(visible, generator), cooler
    one = math.log(2) if rbm.hidden == LOGISTIC else _HALF_LN_2PI
    log_z = _log_visible_sum(rbm, rbm.visible_bias[None], length)[0] + one * rbm.weights.shape[1]
    return float(log_z + torch.logsumexp(log_weight, dim=0) - math.log(chains))
