"""The deep belief network: restricted Boltzmann machines stacked on each other, and what they dream of.

    p(v, h1, …, hL) = p(v | h1) p(h1 | h2) … p(h(L-1), hL)

Hinton, Osindero & Teh, "A Fast Learning Algorithm for Deep Belief Nets", 2006: each machine learns from what the ones
below make of the examples (`stack_rbms`). The top two layers are an undirected machine, everything below is directed
downwards: a sample is a long Gibbs chain at the top, and one pass down (`DeepBeliefNetwork.sample`).
"""

import torch
from torch import Tensor

from textae.training.networks.layers import LINEAR, LOGISTIC, Examples, Layer, Stack, Tick, greedily
from textae.training.networks.rbm import RBM, Descent, fit_rbm


class DeepBeliefNetwork(Stack[RBM]):
    """See the module's documentation, and `Stack` for the attributes."""

    @torch.no_grad()
    def sample(self, n: int, steps: int, generator: torch.Generator, words: int = 1) -> Tensor:
        """Visible vectors that the network believes in.

        Args:
            n: samples.
            steps: of the Gibbs chain at the top, that starts from hidden units of any state.
            generator: on the CPU.
            words: of each document, where the visible units are words.

        Returns:
            (n, n_visible).
        """
        *below, top = self.layers
        length = top.weights.new_full((n, 1), words)
        anywhere = top.weights.new_full((n, top.weights.shape[1]), 0.5 if top.hidden == LOGISTIC else 0.0)
        state = top.sample_visible(top.sample_hidden(anywhere, generator), length, generator)
        for _ in range(steps):
            state = top.gibbs(state, generator)
        for layer in reversed(below):
            state = layer.sample_visible(state, length, generator)
        return state

    def of_length(self, length: float) -> Stack[Layer]:
        """The layers that do the same for documents which all have that length (`RBM.of_length`)."""
        return Stack(tuple(layer.of_length(length) for layer in self.layers), self.errors)


def stack_rbms(
    examples: Examples,
    sizes: tuple[int, ...],
    visible: str,
    how: Descent,
    generator: torch.Generator,
    tick: Tick,
    code: str = LINEAR,
) -> DeepBeliefNetwork:
    """Stack machines, from the bottom up.

    Args:
        examples: what the first machine sees.
        sizes: of each machine's hidden units; the last ones are the code.
        visible: the kind of unit that the first machine sees.
        how: each machine learns.
        generator: on the CPU.
        tick: called after each step.
        code: the kind of its units.
    """

    def fit(rbm: RBM, seen: Examples) -> list[float]:
        return fit_rbm(rbm, seen, how, generator, tick)

    stack = greedily(RBM, examples, sizes, visible, fit, generator, code)
    return DeepBeliefNetwork(stack.layers, stack.errors)
