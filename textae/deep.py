"""Learning as published: a deep stack pre-trained layer by layer, unrolled, and fine-tuned to rebuild its documents.

    documents ─▶ layer by layer (RBMs, de-noising, or random weights) ─▶ unrolled ─▶ fine-tuned ─▶ encoder, decoder

Hinton & Salakhutdinov, Science 2006: a document is the shares that its words have, every layer is logistic but the
code, which is linear, and a soft-max tells the words. While they learn, all documents count as so long as the mean
one. Where this departs from the paper: Adam fine-tunes in place of conjugate gradients, and there are some tens of
passes, fewer where there are many documents.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from textae.errors import TextaeError
from textae.models.bags import DeviceShares
from textae.models.corruption import CORRUPTIONS
from textae.models.dbn import stack_rbms
from textae.models.deep import DeepAutoEncoder
from textae.models.denoising import Denoising, stack_denoising
from textae.models.layers import COUNTS, Examples, Layer, Stack, at_random
from textae.models.rbm import Descent
from textae.models.weights import orthonormal
from textae.spec import DENOISING, NONE, RBM, ModelSpec, TrainSpec
from textae.train import Clock, Learned, device_of
from textae.types import Progress
from textae.vectorizer import Bags

BATCH = 128
RATE = 3e-3
"""Of fine-tuning; falls to zero in a straight line. At 1e-3 held-out documents are told worse after as many passes."""
MOST_PASSES = 200
"""Of each stage; fewer over more documents: 100 over 170, 41 over 1,000, 12 over 11,314."""


def learn_deep(bags: Bags, n_terms: int, model: ModelSpec, spec: TrainSpec, progress: Progress) -> Learned:
    """Train a deep auto-encoder on a corpus.

    Args:
        bags: what `textae.train.sample` gave of the corpus: none is empty.
        n_terms: that the encoder knows.
        model: the shape of the auto-encoder.
        spec: how it learns.
        progress: told of every step.

    Raises:
        TextaeError: CUDA was asked for and there is none; or learning diverged.
    """
    documents = DeviceShares(bags, n_terms, device_of(spec.device))
    passes = _passes(len(bags), spec)
    stages = 1 if spec.pretrain == NONE else len(model.hidden) + 2
    clock = Clock(progress, stages * passes * -(-len(bags) // BATCH))
    course = _Course(documents, model, passes, torch.Generator().manual_seed(spec.seed), clock.tick)
    stack = course.pretrained(spec.pretrain)
    network = DeepAutoEncoder(stack).to(documents.device)
    course.fine_tune(network)
    if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
        raise TextaeError("learning diverged (the parameters are no longer numbers); try another --seed")
    with torch.no_grad():
        mean = course.examples.each(network.encode).mean(dim=0)
    rotation = orthonormal(model.dims, model.bits, course.generator)
    return Learned(network.encoder(documents.length, mean, rotation), network.decoder(), stack.errors)


@dataclass(frozen=True)
class _Course:
    """What all stages of learning need."""

    documents: DeviceShares
    model: ModelSpec
    passes: int
    generator: torch.Generator
    tick: Callable[[], None]

    @property
    def examples(self) -> Examples:
        """The documents, each as if it had as many words as the mean one."""
        return Examples(len(self.documents), lambda rows: self.documents.length * self.documents.rows(rows))

    def spoilt(self, clean: Tensor) -> Tensor:
        """What de-noising shows in place of what is clean: (n, n_visible)."""
        return CORRUPTIONS[self.model.corruption](clean, self.model.drop, self.generator)

    def pretrained(self, how: str) -> Stack[Layer]:
        """The layers, each learned from what those below make of the documents."""
        sizes = (*self.model.hidden, self.model.dims)
        if how == RBM:
            descent = Descent(self.passes, BATCH)
            machines = stack_rbms(self.examples, sizes, COUNTS, descent, self.generator, self.tick)
            return machines.of_length(self.documents.length)
        if how == DENOISING:
            denoising = Denoising(self.passes, BATCH)
            return stack_denoising(self.examples, sizes, COUNTS, self.spoilt, denoising, self.generator, self.tick)
        return at_random((self.documents.n_terms, *sizes), COUNTS, self.generator)

    def fine_tune(self, network: DeepAutoEncoder) -> None:
        """Teach all layers together to rebuild the documents."""
        examples, done = self.examples, 0
        steps = self.passes * -(-examples.n // BATCH)
        optimiser = torch.optim.Adam(network.parameters(), RATE, fused=True)
        for _ in range(self.passes):
            for clean in examples.shuffled(BATCH, self.generator):
                for group in optimiser.param_groups:
                    group["lr"] = RATE * (1 - done / steps)
                loss = network.loss(clean, self.spoilt(clean), self.model.code_l2)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                done += 1
                self.tick()


def _passes(n: int, spec: TrainSpec) -> int:
    return spec.passes if spec.passes is not None else min(MOST_PASSES, round(1_300 / n**0.5))
