"""Training as published: a deep stack is pre-trained layer by layer, unrolled, and fine-tuned to rebuild its input.

    documents ─▶ layer by layer (RBMs, de-noising, or random weights) ─▶ unrolled ─▶ fine-tuned ─▶ encoder, decoder

Hinton & Salakhutdinov, Science 2006: the input of a document is the shares of its words, all layers are logistic but
the linear code, and a soft-max predicts the words. In training all documents have the mean length. A pixel of a picture
is a binary unit, on with the probability of its brightness. Unlike the paper, Adam fine-tunes in place of conjugate
gradients, for some tens of epochs, fewer with many documents. Documents that are held out of both stages judge each
epoch of fine-tuning, and the network of the best one is kept: after more epochs it knows the others by heart.

The very deep auto-encoder of pictures (Krizhevsky & Hinton, ESANN 2011) learns in the same way, with a code of rounded
logistic units. Unlike the paper's, its first layer sees whole pictures, not patches, as binary pixels, not Gaussian
ones.
"""

import torch
from torch import Generator, Tensor

from textae.config import DENOISING, NONE, RBM, ModelSpec, TrainSpec
from textae.encoding.bags import Bags
from textae.encoding.encoders import TextEncoder
from textae.encoding.weighting import term_frequencies
from textae.training.batches import Batch
from textae.training.corruption import CORRUPTIONS
from textae.training.drawing import postings_of
from textae.training.holdout import HoldoutMonitor, split_holdout
from textae.training.itq import quantization
from textae.training.loop import Clock, Schedule, descend, device_of, shuffled
from textae.training.networks.dbn import stack_rbms
from textae.training.networks.denoising import Denoising, stack_denoising
from textae.training.networks.init import as_array
from textae.training.networks.layers import COUNTS, LINEAR, LOGISTIC, Examples, Layer, Stack, at_random
from textae.training.networks.rbm import Descent
from textae.training.networks.stacked import DeepAutoEncoder
from textae.training.text import Learned
from textae.training.threads import one_blas_thread
from textae.types import Progress

BATCH = 128
LEARNING_RATE = 3e-3
"""Of fine-tuning. After as many epochs of 1e-3 the reconstruction of held-out documents is worse."""
JUDGED = 5
"""Held-out documents that share a score, their mean loss. Those that are left over judge nothing."""
MOST_EPOCHS = 200
"""Of each stage; fewer with more documents: 100 with 170, 41 with 1,000, 12 with 11,314."""


@one_blas_thread()
def learn_deep(bags: Bags, n_terms: int, model: ModelSpec, spec: TrainSpec, progress: Progress) -> Learned[TextEncoder]:
    """Train a deep auto-encoder on a corpus.

    Args:
        bags: a sample of the corpus (`textae.training.text.sample`), none empty.
        n_terms: size of the encoder's vocabulary.
        model: shape of the auto-encoder.
        spec: settings of the training.
        progress: called after every step.

    Raises:
        TextaeError: there is no CUDA device; or training diverged.
    """
    examples = word_counts(bags, n_terms, device_of(spec.device))
    epochs = spec.epochs if spec.epochs is not None else min(MOST_EPOCHS, round(1_300 / len(bags) ** 0.5))
    network, errors = train_stack(examples, model, spec, (epochs, epochs), progress)
    planes = quantization(as_array(examples.each(network.encode)), model.bits, spec.seed)
    return Learned(network.encoder(examples.length, planes), network.decoder(), errors)


def word_counts(bags: Bags, n_terms: int, device: torch.device) -> Examples:
    """Documents as word counts that are all scaled to the mean length.

    Args:
        bags: n rows, none of them empty.
        n_terms: size of the vocabulary.
        device: holds the postings.

    Returns:
        Examples (n, n_terms); their length is the mean number of words of a document.
    """
    arrays = bags.starts, bags.terms.astype("int64"), term_frequencies(bags)
    starts, terms, parts = (torch.from_numpy(array).to(device) for array in arrays)
    length = float(bags.counts.sum(dtype="int64")) / max(1, len(bags))

    def take(rows: Tensor) -> Tensor:
        at, row_of, lengths = postings_of(starts, rows.to(device))
        return length * Batch(terms[at], parts[at], row_of, lengths).dense(len(rows), n_terms)

    return Examples(len(bags), take, COUNTS, length)


def train_stack(
    examples: Examples, model: ModelSpec, spec: TrainSpec, epochs: tuple[int, int], progress: Progress
) -> tuple[DeepAutoEncoder, tuple[tuple[float, ...], ...]]:
    """Pre-train a stack of layers, unroll it, and fine-tune it until held-out examples are rebuilt best.

    Args:
        examples: of any kind.
        model: shape of the auto-encoder.
        spec: settings of the training.
        epochs: of pre-training each layer, and of fine-tuning.
        progress: called after every step.

    Returns:
        The network, and for each pre-trained layer its reconstruction errors (`Stack`).

    Raises:
        TextaeError: training diverged.
    """
    sizes, code = (*model.hidden, model.dims), LOGISTIC if model.rounded else LINEAR
    one = examples.take(torch.arange(1))  # (1, n_visible)
    generator = Generator(one.device).manual_seed(spec.seed)
    held_out, training = map(torch.from_numpy, split_holdout(examples.n, generator))
    held, examples = examples.take(held_out), examples.only(training)  # (n_held, n_visible)
    (pretraining, fine_tuning), per_epoch = epochs, -(-examples.n // BATCH)
    clock = Clock(progress, ((0 if spec.pretrain == NONE else len(sizes)) * pretraining + fine_tuning) * per_epoch)

    def corrupt(clean: Tensor) -> Tensor:
        return CORRUPTIONS[model.corruption](clean, model.dropout, generator)

    stack: Stack[Layer]
    if spec.pretrain == RBM:
        machines = stack_rbms(examples, sizes, Descent(pretraining, BATCH), generator, clock.tick, code)
        stack = machines.of_length(examples.length)
    elif spec.pretrain == DENOISING:
        stack = stack_denoising(examples, sizes, Denoising(corrupt, pretraining, BATCH), generator, clock.tick, code)
    else:
        stack = at_random((one.shape[1], *sizes), examples.visible, generator, code)
    network = DeepAutoEncoder(stack).to(one.device)

    def loss_of(rows: Tensor) -> Tensor:
        clean = examples.take(rows)  # (batch, n_visible)
        return network.loss(clean, corrupt(clean), model.code_l2)

    judged = held[: len(held) // JUDGED * JUDGED].split(JUDGED)
    monitor = HoldoutMonitor(network, lambda: -torch.stack([network.loss(x, x, model.code_l2) for x in judged]), 0)
    groups = [(network.parameters(), spec.learning_rate or LEARNING_RATE)]
    batches, schedule = shuffled(examples.n, BATCH, generator), Schedule(fine_tuning * per_epoch, per_epoch)
    descend(loss_of, batches, groups, schedule, clock.tick, monitor.accept)
    monitor.accept()
    monitor.revert()
    return network.requires_grad_(False), stack.errors
