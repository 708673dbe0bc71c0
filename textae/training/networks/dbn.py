"""The deep belief network: a stack of restricted Boltzmann machines, and samples from it.

    p(v, h1, …, hL) = p(v | h1) p(h1 | h2) … p(h(L-1), hL)

Hinton, Osindero & Teh, "A Fast Learning Algorithm for Deep Belief Nets", 2006: each machine learns from the hidden
units of the one below (`stack_rbms`). The top two layers are an undirected machine; all layers below are directed
downwards. So a sample is a long Gibbs chain at the top and one pass down (`DeepBeliefNetwork.sample`).
"""

from functools import partial

import torch
from torch import Generator, Tensor

from textae.training.loop import Tick
from textae.training.networks.layers import LINEAR, LOGISTIC, Examples, Layer, Stack, greedily
from textae.training.networks.rbm import RBM, Descent, fit_rbm


class DeepBeliefNetwork(Stack[RBM]):
    """A stack of machines; `Stack` has the attributes."""

    @torch.no_grad()
    def sample(self, n: int, steps: int, generator: Generator, words: int = 1) -> Tensor:
        """Samples of the visible units.

        Args:
            n: number of samples.
            steps: of the Gibbs chain at the top, which starts from random hidden units.
            generator: on the device.
            words: length of each document, if the visible units are words.

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
        """Equivalent layers for documents that all have one length (`RBM.of_length`)."""
        return Stack(tuple(layer.of_length(length) for layer in self.layers), self.errors)


def stack_rbms(
    examples: Examples, sizes: tuple[int, ...], how: Descent, generator: Generator, tick: Tick, code: str = LINEAR
) -> DeepBeliefNetwork:
    """Stack machines, from the bottom up.

    Args:
        examples: the input of the first machine.
        sizes: hidden units of each machine; the last ones are the code.
        how: each machine learns.
        generator: on the device.
        tick: called after each step.
        code: the kind of the code's units.
    """
    fit = partial(fit_rbm, how=how, generator=generator, tick=tick)
    stack = greedily(RBM, examples, sizes, fit, generator, code)
    return DeepBeliefNetwork(stack.layers, stack.errors)
