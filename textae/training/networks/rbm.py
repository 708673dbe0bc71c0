"""The restricted Boltzmann machine: visible and hidden units, each connected to all of the other kind and no others.

    p(v, h) = exp(-E(v, h)) / Z

    binary v     E = -b·v - c·h - v W h                   Smolensky 1986; Hinton 2002
    Gaussian v   E = ½|v - b|² - c·h - v W h              Welling, Rosen-Zvi & Hinton 2005, of unit variance
    word counts  E = -b·v - D c·h - v W h,  D = Σ v       replicated softmax, Salakhutdinov & Hinton 2009

Hidden units are binary, or linear with unit Gaussian noise (E gets ½|h|²), as in the code layer of Hinton &
Salakhutdinov, Science 2006. A document of D words is D draws from one distribution, softmax(b + W h), so its length
weighs the hidden bias; the constrained Poisson model of semantic hashing (2009) expects the same counts, D softmax.
All that a machine says of v alone is in its free energy, -ln Σ_h exp(-E(v, h)):

>>> rbm = RBM(torch.zeros(3, 2), torch.zeros(3), torch.zeros(2))        # knows nothing: all 2³ are as likely
>>> rbm.log_likelihood(torch.tensor([[1.0, 0, 1]]), log_partition(rbm))  # -3 ln 2
tensor([-2.0794])
"""

import itertools
import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from textae.training.networks.layers import BINARY, COUNTS, GAUSSIAN, LOGISTIC, Examples, Layer, Tick


class RBM(Layer):
    """See the module's documentation for the equations, and `Layer` for the attributes."""

    def input(self, visible: Tensor) -> Tensor:
        """Give v W + c, of a document v W + D c: (n, n_visible) to (n, n_hidden)."""
        return visible @ self.weights + self.length(visible) * self.hidden_bias

    def length(self, visible: Tensor) -> Tensor:
        """The words of each document; 1 of what is none: (n, 1)."""
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

    def sample_hidden(self, mean: Tensor, generator: torch.Generator) -> Tensor:
        """Hidden units, of what they are expected to be: (n, n_hidden)."""
        return _sample(mean, binary=self.hidden == LOGISTIC, generator=generator)

    def sample_visible(self, hidden: Tensor, length: Tensor, generator: torch.Generator) -> Tensor:
        """Visible units given the hidden ones: (n, n_hidden) to (n, n_visible).

        Args:
            hidden: (n, n_hidden).
            length: (n, 1), words to draw for each document.
            generator: on the CPU.
        """
        mean = self.down(hidden)
        if self.visible == COUNTS:
            return _draws(mean, length, generator)
        return _sample(mean, binary=self.visible == BINARY, generator=generator)

    def gibbs(self, visible: Tensor, generator: torch.Generator) -> Tensor:
        """One step of the chain: new hidden units, and from these new visible ones, (n, n_visible)."""
        hidden = self.sample_hidden(self.up(visible), generator)
        return self.sample_visible(hidden, self.length(visible), generator)

    def tempered(self, beta: float) -> "RBM":
        """The machine with weights and hidden biases scaled by β; at 0 its units know nothing of each other."""
        return replace(self, weights=self.weights * beta, hidden_bias=self.hidden_bias * beta)

    def of_length(self, length: float) -> Layer:
        """The layer that does the same for documents which all have that length: its hidden bias is D c.

        Of units that are no words it is the layer as it is.
        """
        times = length if self.visible == COUNTS else 1.0
        return Layer(self.weights, self.visible_bias, self.hidden_bias * times, self.visible, self.hidden)


_HALF_LN_2PI = math.log(2 * math.pi) / 2


def _sample(mean: Tensor, *, binary: bool, generator: torch.Generator) -> Tensor:
    """On with that probability, or with unit Gaussian noise; drawn on the CPU, so the same on every device."""
    if binary:
        return (torch.rand(mean.shape, generator=generator).to(mean.device) < mean).to(mean.dtype)
    return mean + torch.randn(mean.shape, generator=generator, dtype=mean.dtype).to(mean.device)


def _draws(shares: Tensor, length: Tensor, generator: torch.Generator) -> Tensor:
    """How often each word is drawn, of so many draws a row: (n, n_terms)."""
    most = int(length.max())
    words = torch.multinomial(shares.cpu(), max(most, 1), replacement=True, generator=generator).to(shares.device)
    counted = (torch.arange(max(most, 1), device=shares.device) < length).to(shares.dtype)  # (n, most)
    return torch.zeros_like(shares).scatter_add_(1, words, counted)


@dataclass(frozen=True)
class Gradient:
    """The direction in which the data become more likely, by parameter, a mean over the examples."""

    weights: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor


def contrastive_divergence(rbm: RBM, visible: Tensor, k: int, generator: torch.Generator) -> Gradient:
    """CD-k, ⟨v h⟩ of the data minus ⟨v h⟩ after k steps of the chain that starts from them (Hinton 2002).

    As in Hinton's practical guide (section 3) hidden units are drawn on the way down, and what is not drawn counts as
    what it is expected to be: the reconstruction, and the hidden units at both ends.

    Args:
        rbm: the machine.
        visible: (n, n_visible).
        k: steps, at least 1.
        generator: on the CPU.
    """
    length = rbm.length(visible)
    hidden = rbm.up(visible)
    seen, expected = visible, hidden
    for _ in range(k):
        seen = length * rbm.down(rbm.sample_hidden(expected, generator))
        expected = rbm.up(seen)
    return Gradient(
        (visible.T @ hidden - seen.T @ expected) / len(visible),
        (visible - seen).mean(dim=0),
        (length * (hidden - expected)).mean(dim=0),
    )


@dataclass(frozen=True)
class Descent:
    """How a machine learns (Hinton, "A Practical Guide to Training Restricted Boltzmann Machines", 2010).

    Attributes:
        passes: over the examples.
        batch: examples a step.
        k: of CD-k.
        rate: of learning, for logistic hidden units; linear ones, whose gradient has no bound, take a hundredth.
        decay: of the weights, by each step times the rate (section 10).
        early, late: momentum in the first passes, and then (section 9).
        early_passes: how many these are.
    """

    passes: int
    batch: int = 128
    k: int = 1
    rate: float = 0.1
    decay: float = 2e-4
    early: float = 0.5
    late: float = 0.9
    early_passes: int = 5


@torch.no_grad()
def fit_rbm(rbm: RBM, examples: Examples, how: Descent, generator: torch.Generator, tick: Tick) -> list[float]:
    """Teach a machine by contrastive divergence.

    Args:
        rbm: changed in place.
        examples: what it sees.
        how: it learns.
        generator: on the CPU.
        tick: called after each step.

    Returns:
        The reconstruction error before the first pass and after each (`Layer.error_of`).
    """
    ascent = _Ascent(rbm, how, examples)
    errors = [rbm.error_of(examples)]
    for number in range(how.passes):
        for visible in examples.shuffled(how.batch, generator):
            gradient = contrastive_divergence(rbm, visible, how.k, generator)
            ascent.step(gradient, how.early if number < how.early_passes else how.late)
            tick()
        errors.append(rbm.error_of(examples))
    return errors


class _Ascent:
    """Uphill with momentum: velocity ← momentum · velocity + rate · (gradient - decay · weights), then along it.

    The hidden bias of documents counts once a word, so its gradient and its effect both grow with the length D of the
    mean document: its rate is divided by D². That of the weights is divided by √D; at .1 without it units die.
    """

    def __init__(self, rbm: RBM, how: Descent, examples: Examples) -> None:
        self._rbm, self._decay = rbm, how.decay
        rate = how.rate if rbm.hidden == LOGISTIC else how.rate / 100
        words = float(examples.mean().sum()) if rbm.visible == COUNTS else 1.0
        self._rates = (rate / words**0.5, rate / words**0.5, rate / words**2)
        self._velocity = [torch.zeros_like(parameter) for parameter in rbm.parameters()]

    def step(self, gradient: Gradient, momentum: float) -> None:
        uphill = (gradient.weights - self._decay * self._rbm.weights, gradient.visible_bias, gradient.hidden_bias)
        for parameter, velocity, rate, way in zip(
            self._rbm.parameters(), self._velocity, self._rates, uphill, strict=True
        ):
            velocity.mul_(momentum).add_(way, alpha=rate)
            parameter.add_(velocity)


def log_partition(rbm: RBM, length: int = 1) -> float:
    """Ln Z, exactly: by the sum over all 2^n_hidden states of logistic hidden units, so for a few of them.

    Args:
        rbm: of logistic hidden units.
        length: of the documents, where the visible units are words: Z sums over all sequences of so many.
    """
    states = rbm.weights.new_tensor(list(itertools.product((0, 1), repeat=rbm.weights.shape[1])))
    visible = _log_visible_sum(rbm, rbm.output(states), length)
    return float(torch.logsumexp(length * (states @ rbm.hidden_bias) + visible, dim=0))


def _log_visible_sum(rbm: RBM, x: Tensor, length: int) -> Tensor:
    """Ln Σ_v exp(v·x) of the visible units that are given x, of Gaussian ones the integral: (n, n_visible) to (n,)."""
    if rbm.visible == BINARY:
        return F.softplus(x).sum(dim=1)
    if rbm.visible == COUNTS:
        return length * torch.logsumexp(x, dim=1)
    return (x.square() - rbm.visible_bias.square()).sum(dim=1) / 2 + x.shape[1] * _HALF_LN_2PI


@torch.no_grad()
def annealed_importance_sampling(
    rbm: RBM, generator: torch.Generator, length: int = 1, steps: int = 1_000, chains: int = 100
) -> float:
    """Ln Z, estimated where it cannot be summed (Salakhutdinov & Murray, ICML 2008).

    Each chain starts at the machine of β = 0, whose Z is known, and is cooled down to β = 1: before every step of it,
    its weight is multiplied by exp(F_β(v) - F_β'(v)). Z is Z_0 times the mean weight.

    Args:
        rbm: of any kind of units.
        generator: on the CPU.
        length: of the documents, where the visible units are words.
        steps: from 0 to 1.
        chains: whose mean is taken.
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
