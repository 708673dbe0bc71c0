"""Fine-tuning: a few labels teach an auto-encoder that was trained without any (Hinton & Salakhutdinov, Science 2006).

    p    = softmax(code · V + b)                                                    the last layer
    loss = - ln p_label(noisy labelled document)
           - CONSISTENT · Σ_c p_c(document) ln p_c(the same, noisy)                 of any document
           + HOLD · (1 - cos(code, code₀))                                          of any document, noisy

First the last layer alone is fitted to the codes: a convex problem, solved to its minimum. Then back-propagation trains
all layers with a small learning rate, with words hidden as in the first training (de-noising is the regulariser). A few
labels alone would distort all codes, so unlabelled documents take part: a document with hidden words should get the
label of the whole document, and its code should stay near the one that was learned without labels. So codes can still
be decoded, and documents of other labels can still be found. The bits use the planes of the old codes. The number of
steps is fixed in advance, so training needs no early stopping and no held-out label.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from textae.config import TrainSpec
from textae.encoding.bags import Bags
from textae.encoding.classifier import Classifier, Labels
from textae.encoding.encoders import Encoder, TextEncoder
from textae.errors import TextaeError
from textae.training.batches import Batch, DeviceBags, hide_words, joined
from textae.training.loop import Clock, DivergedError, Schedule, descend, device_of, shuffled
from textae.training.networks.init import as_array
from textae.training.networks.two_head import AutoEncoder
from textae.training.text import WARM_UP, E, Learned, sample, sampled
from textae.training.threads import one_blas_thread
from textae.types import Progress

BATCH = 128
"""Labelled documents of a step, and as many of all documents."""
FEW_EPOCHS = 30
"""Over all documents, at most: 30 steps if they are fewer than a batch."""
DECAY = 0.01
"""Of the last layer, over the number of labels: a scikit-learn's C of 1 / DECAY."""
ITERATIONS = 200
"""Of the convex problem, at most."""


@dataclass(frozen=True)
class Recipe:
    """The settings of fine-tuning: one for any number of labels.

    Chosen by accuracy on a fifth of the training part of 20 Newsgroups, one or two draws of labels each, so
    differences of .01 are noise. With 10, 100, 1,000 and all 9,052 labels the last layer alone gave .25, .67, .84 and
    .89; all layers without the other two terms .27, .68, .84 and .91; with `consistent` 1 and `hold` .3, .29, .69, .84
    and .91. `hold` 1 was no better. A `learning_rate` of 1e-3 forgot (.82 with 1,000), 1e-4 was slow (.90 with all).
    Sharpened targets for `consistent` reinforced their own errors (.60 with 100).

    Attributes:
        steps: maximum, of a batch each; as many as FEW_EPOCHS take with few documents.
        epochs: additional passes over the labelled documents.
        learning_rate: of the auto-encoder's layers.
        last_learning_rate: of the last layer.
        consistent: weight of the second term of the loss.
        hold: weight of the third term.
    """

    steps: int = 200
    epochs: float = 3.0
    learning_rate: float = 3e-4
    last_learning_rate: float = 1e-3
    consistent: float = 1.0
    hold: float = 0.3


@dataclass(frozen=True)
class Tuned(Generic[E]):
    """A fine-tuned encoder.

    Attributes:
        encoder: from bags or pixels to codes.
        classifier: from float codes to labels.
    """

    encoder: E
    classifier: Classifier


@one_blas_thread()
def fine_tune(
    bags: Bags,
    labels: Labels,
    before: Learned[TextEncoder],
    dropout: float,
    spec: TrainSpec,
    progress: Progress,
    recipe: Recipe | None = None,
) -> Tuned[Encoder]:
    """Learn labels, starting from an auto-encoder that was trained without any.

    Args:
        bags: of n documents.
        labels: of some of them.
        before: the auto-encoder, which starts from LSA.
        dropout: the share of a document's words that de-noising hides.
        spec: the seed, the device, and the maximum number of documents.
        progress: called after every step.
        recipe: the settings, by default those for any number of labels.

    Raises:
        TextaeError: fewer than two labels have a document with a known word; there is no CUDA device; or training
            diverged.
    """
    recipe = recipe or Recipe()
    device = device_of(spec.device)
    generator = Generator(device).manual_seed(spec.seed)
    assert isinstance(before.encoder, Encoder)  # the caller refuses a deep stack
    n_terms, idf = len(before.encoder.words), before.encoder.idf
    rows = np.flatnonzero(labels.of >= 0)
    rows = rows[sampled(bags.take(rows), n_terms, spec)]
    if len(np.unique(labels.of[rows])) < 2:
        raise TextaeError(
            f"the encoder knows no word of any document with a label in {labels.field!r} but those of one label"
        )
    network = AutoEncoder.of(before.encoder, before.decoder).to(device)
    labelled = DeviceBags(bags.take(rows).below(n_terms), idf, device)
    every = DeviceBags(sample(bags, n_terms, spec), idf, device)
    targets = torch.from_numpy(labels.of[rows]).to(device)  # (n_known,)

    def code_of(batch: Batch) -> Tensor:
        return network.code(network.hidden(batch), batch.lengths)  # (n, dims)

    with torch.no_grad():
        codes, labelled_codes = (torch.cat([*map(code_of, some.batches())]) for some in (every, labelled))
    weights, bias = last_layer(labelled_codes, targets, len(labels.classes))

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        """Numbers of labelled documents and of any, each at most once in a batch."""
        while True:
            first, other = (next(shuffled(len(some), BATCH, generator)) for some in (labelled, every))
            yield first, other

    def loss_of(batch: tuple[Tensor, Tensor]) -> Tensor:
        first, others = batch
        known, whole = labelled.batch(first), every.batch(others)
        noisy = [hide_words(some, dropout, generator) for some in (known, whole)]
        code = code_of(joined(*noisy))  # (n_known + n_any, dims)
        logits = torch.addmm(bias, code, weights)  # (n_known + n_any, n_classes)
        loss = F.cross_entropy(logits[: len(first)], targets[first])
        with torch.no_grad():
            probabilities = torch.softmax(torch.addmm(bias, code_of(whole), weights), dim=1)  # (n_any, n_classes)
        consistent = F.cross_entropy(logits[len(first) :], probabilities)
        apart = 1 - (code[len(first) :] * codes[others]).sum(1)  # (n_any,)
        return loss + recipe.consistent * consistent + recipe.hold * apart.mean()

    few = round(FEW_EPOCHS * len(every) / min(BATCH, len(every)))
    steps = min(recipe.steps, few) + round(recipe.epochs * len(targets) / BATCH)
    groups = [(network.parameters(), recipe.learning_rate), ((weights, bias), recipe.last_learning_rate)]
    clock = Clock(progress, steps, "fine-tuning")
    try:
        descend(loss_of, batches(), groups, Schedule(steps, warm_up=WARM_UP), clock.tick)
    except DivergedError:
        raise TextaeError("fine-tuning diverged (a parameter is no longer a number); try another --seed") from None
    classifier = Classifier(as_array(weights), as_array(bias), labels.classes)
    return Tuned(network.encoder(before.encoder.quantization), classifier)


def last_layer(codes: Tensor, labels: Tensor, n_classes: int) -> tuple[Tensor, Tensor]:
    """The soft-max layer that fits fixed codes: the minimum of the mean of - ln p_label, plus DECAY |V|² / 2n.

    Args:
        codes: (n, dims).
        labels: (n,) int64.
        n_classes: number of different labels.

    Returns:
        V (dims, n_classes), b (n_classes,)
    """
    weights = torch.zeros(codes.shape[1], n_classes, device=codes.device, requires_grad=True)
    bias = torch.zeros(n_classes, device=codes.device, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(torch.addmm(bias, codes, weights), labels)
        value = value + DECAY / (2 * len(codes)) * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return weights, bias
