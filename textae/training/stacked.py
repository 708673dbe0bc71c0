"""Learning as published: a deep stack pre-trained layer by layer, unrolled, and fine-tuned to rebuild its documents.

    documents ─▶ layer by layer (RBMs, de-noising, or random weights) ─▶ unrolled ─▶ fine-tuned ─▶ encoder, decoder

Hinton & Salakhutdinov, Science 2006: a document is the shares that its words have, every layer is logistic but the
code, which is linear, and a soft-max tells the words. While they learn, all documents count as so long as the mean
one. Of a picture every pixel is a binary unit, on with the probability that is its brightness. Where this departs from
the paper: Adam fine-tunes in place of conjugate gradients, and there are some tens of passes, fewer where there are
many documents.

The very deep auto-encoder of pictures (Krizhevsky & Hinton, ESANN 2011) learns in the same way, with a code of rounded
logistic units; its first layer sees all of the picture and not patches of it, and binary pixels, not Gaussian ones.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from textae.config import DENOISING, NONE, RBM, ModelSpec, TrainSpec
from textae.encoding.bags import Bags
from textae.errors import TextaeError
from textae.training.batches import DeviceShares
from textae.training.corruption import CORRUPTIONS
from textae.training.itq import quantization
from textae.training.networks.dbn import stack_rbms
from textae.training.networks.denoising import Denoising, stack_denoising
from textae.training.networks.init import as_array
from textae.training.networks.layers import COUNTS, LINEAR, LOGISTIC, Examples, Layer, Stack, Tick, at_random
from textae.training.networks.rbm import Descent
from textae.training.networks.stacked import DeepAutoEncoder
from textae.training.text import Clock, Learned, device_of
from textae.types import Progress

BATCH = 128
RATE = 3e-3
"""Of fine-tuning; falls to zero in a straight line. At 1e-3 held-out documents are told worse after as many passes."""
MOST_PASSES = 200
"""Of each stage; fewer over more documents: 100 over 170, 41 over 1,000, 12 over 11,314."""


def learn_deep(bags: Bags, n_terms: int, model: ModelSpec, spec: TrainSpec, progress: Progress) -> Learned:
    """Train a deep auto-encoder on a corpus.

    Args:
        bags: what `textae.training.text.sample` gave of the corpus: none is empty.
        n_terms: that the encoder knows.
        model: the shape of the auto-encoder.
        spec: how it learns.
        progress: told of every step.

    Raises:
        TextaeError: CUDA was asked for and there is none; or learning diverged.
    """
    documents = DeviceShares(bags, n_terms, device_of(spec.device))
    passes = spec.passes if spec.passes is not None else min(MOST_PASSES, round(1_300 / len(bags) ** 0.5))
    shown = Examples(len(documents), lambda rows: documents.length * documents.rows(rows))
    course = StackedTraining(shown, COUNTS, model, spec, (passes, passes), documents.length, progress)
    network = course.learned()
    codes = as_array(shown.each(network.encode))
    encoder = network.encoder(documents.length, quantization(codes, model.bits, spec.seed))
    return Learned(encoder, network.decoder(), course.errors)


class StackedTraining:
    """The stages of learning.

    Args:
        examples: of any kind.
        visible: the kind of unit that sees them.
        model: the shape of the auto-encoder.
        spec: how it learns.
        passes: of pre-training each layer, and of fine-tuning.
        length: of all examples, where they are documents.
        progress: told of every step.

    Attributes:
        errors: of pre-trained layers, before and after each pass.
    """

    def __init__(
        self,
        examples: Examples,
        visible: str,
        model: ModelSpec,
        spec: TrainSpec,
        passes: tuple[int, int],
        length: float,
        progress: Progress,
    ) -> None:
        self.examples, self.visible, self.model, self.how = examples, visible, model, spec.pretrain
        self.before, self.passes = passes
        self.length = length
        self.rate = RATE if spec.rate is None else spec.rate
        self.generator = torch.Generator().manual_seed(spec.seed)
        layers = 0 if self.how == NONE else len(model.hidden) + 1
        self.clock = Clock(progress, (layers * self.before + self.passes) * -(-examples.n // BATCH))
        self.errors: tuple[tuple[float, ...], ...] = ()

    def learned(self) -> DeepAutoEncoder:
        """The network, after all stages.

        Raises:
            TextaeError: learning diverged.
        """
        stack = self.pretrained()
        self.errors = stack.errors
        network = DeepAutoEncoder(stack).to(self.examples.take(torch.arange(1)).device)
        descend(network, self.examples, self.loss_of(network), self.passes, self.rate, self.generator, self.clock.tick)
        return network.requires_grad_(False)

    def spoilt(self, clean: Tensor) -> Tensor:
        """What de-noising shows in place of what is clean: (n, n_visible)."""
        return CORRUPTIONS[self.model.corruption](clean, self.model.drop, self.generator)

    def loss_of(self, network: DeepAutoEncoder) -> Callable[[Tensor], Tensor]:
        """How badly the network rebuilds what was spoilt."""
        return lambda clean: network.loss(clean, self.spoilt(clean), self.model.code_l2)

    def pretrained(self) -> Stack[Layer]:
        """The layers, each learned from what those below make of the documents."""
        sizes, code = (*self.model.hidden, self.model.dims), LOGISTIC if self.model.rounded else LINEAR
        seen, drawn, tick = (self.examples, sizes, self.visible), self.generator, self.clock.tick
        if self.how == RBM:
            machines = stack_rbms(*seen, Descent(self.before, BATCH), drawn, tick, code)
            return machines.of_length(self.length)
        if self.how == DENOISING:
            return stack_denoising(*seen, self.spoilt, Denoising(self.before, BATCH), drawn, tick, code)
        n_visible = self.examples.take(torch.arange(1)).shape[1]
        return at_random((n_visible, *sizes), self.visible, drawn, code)


def descend(
    network: nn.Module,
    examples: Examples,
    loss_of: Callable[[Tensor], Tensor],
    passes: int,
    rate: float,
    generator: torch.Generator,
    tick: Tick,
) -> None:
    """Teach all layers of a network together, by Adam whose rate falls to zero in a straight line.

    Args:
        network: changed in place.
        examples: to learn from.
        loss_of: what is to be made small, of a batch of them.
        passes: over the examples.
        rate: to begin with.
        generator: of their order, on the CPU.
        tick: called after each step.

    Raises:
        TextaeError: learning diverged.
    """
    done, steps = 0, passes * -(-examples.n // BATCH)
    optimiser = torch.optim.Adam(network.parameters(), rate, fused=True)
    for _ in range(passes):
        for clean in examples.shuffled(BATCH, generator):
            for group in optimiser.param_groups:
                group["lr"] = rate * (1 - done / steps)
            loss = loss_of(clean)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            done += 1
            tick()
    if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
        raise TextaeError("learning diverged (the parameters are no longer numbers); try a smaller --rate")
