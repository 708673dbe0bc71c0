"""Fine-tuning: a few labels teach what was learned without any (Hinton & Salakhutdinov, Science 2006; Bengio 2007).

    p    = softmax(code · V + b)                                                    the last layer
    loss = - ln p_label(noisy labelled document)
           - CONSISTENT · Σ_c p_c(document) ln p_c(the same, noisy)                 of any document
           + HOLD · (1 - cos(code, code₀))                                          of any document, noisy

First the last layer alone, on the codes as they are: a convex problem, solved to the end. Then, at a small rate, all
layers by back-propagation, with words hidden as in learning (the de-noising is the regulariser). A few labels would
bend the codes of everything, so all documents hold them: a document with words hidden should be labelled as it is whole
(what the labels say must follow the corpus), and its code should stay near the one that was learned without labels. So
it can still be decoded, and documents of labels that nobody gave can still be found. Bits follow from the new codes by
the planes of the old ones. There is nothing to stop early: how long it takes is known from the start, and no label is
held out.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from textae.config import TrainSpec
from textae.encoding.bags import Bags
from textae.encoding.classifier import Classifier, Labels
from textae.encoding.encoders import Encoder
from textae.errors import TextaeError
from textae.training.batches import Batch, DeviceBags, hide_words, joined
from textae.training.networks.two_head import AutoEncoder
from textae.training.text import Learned, device_of, rate_of, sample, sampled
from textae.types import Progress

BATCH = 128
"""Of labelled documents, and of any."""
FEW_PASSES = 30
"""Over all documents, at most: 30 steps where they are fewer than a batch."""
DECAY = 0.01
"""Of the last layer, over the number of labels: a scikit-learn's C of 1 / DECAY."""
ITERATIONS = 200
"""Of the convex problem, at most."""

_CHUNK = 2_048


@dataclass(frozen=True)
class Recipe:
    """How the layers below the last are fine-tuned: one setting for any number of labels.

    Chosen by accuracy on a fifth of the training part of 20 Newsgroups, one or two draws of labels each, so that
    differences of .01 are noise. With 10, 100, 1,000 and all 9,052 labels the last layer alone gave .25, .67, .84 and
    .89; all layers, held by nothing, .27, .68, .84 and .91; with `consistent` 1 and `hold` .3, .29, .69, .84 and .91.
    `hold` 1 was no better. A `rate` of 1e-3 forgot (.82 with 1,000), 1e-4 was slow (.90 with all). Targets that
    `consistent` made sharper believed themselves (.60 with 100).

    Attributes:
        steps: at most, of a batch each; as many as FEW_PASSES take where there are few documents.
        passes: over the labelled documents, besides.
        rate: of learning the layers of the auto-encoder; that of the last layer is `last_rate`.
        last_rate: of learning the last layer.
        consistent: what it is worth that a document is labelled alike with words hidden.
        hold: what it is worth that codes stay where they were learned to be.
    """

    steps: int = 200
    passes: float = 3.0
    rate: float = 3e-4
    last_rate: float = 1e-3
    consistent: float = 1.0
    hold: float = 0.3


@dataclass(frozen=True)
class Tuned:
    """What fine-tuning gives.

    Attributes:
        encoder: from bags to codes.
        classifier: from float codes to labels.
    """

    encoder: Encoder
    classifier: Classifier


def fine_tune(
    bags: Bags,
    labels: Labels,
    before: Learned,
    drop: float,
    spec: TrainSpec,
    progress: Progress,
    recipe: Recipe | None = None,
) -> Tuned:
    """Learn labels, beginning with what was learned without any.

    Args:
        bags: of n documents.
        labels: of some of them.
        before: what was learned from the documents alone.
        drop: the share of a document's words that de-noising hides.
        spec: the seed, the device, and how many documents are learned from at most.
        progress: told of every step.
        recipe: how; the one that was found to serve any number of labels unless given.

    Raises:
        TextaeError: the encoder knows no word of documents of two labels; CUDA was asked for and there is none; or
            learning diverged.
    """
    recipe = recipe or Recipe()
    device, generator = device_of(spec.device), torch.Generator().manual_seed(spec.seed)
    assert isinstance(before.encoder, Encoder)  # a deep stack is refused before anything is learned
    n_terms = len(before.encoder.words)
    rows = np.flatnonzero(labels.of >= 0)
    rows = rows[sampled(bags.take(rows), n_terms, spec)]
    if len(np.unique(labels.of[rows])) < 2:
        raise TextaeError(
            f"the encoder knows no word of any document with a label in {labels.field!r} but those of one label"
        )
    tuner = _Tuner(
        AutoEncoder.of(before.encoder, before.decoder).to(device),
        DeviceBags(bags.take(rows).below(n_terms), before.encoder.idf, device),
        torch.from_numpy(labels.of[rows]).to(device),
        DeviceBags(sample(bags, n_terms, spec), before.encoder.idf, device),
        len(labels.classes),
        drop,
        recipe,
        generator,
    )
    tuner.run(progress)
    return Tuned(tuner.network.encoder(before.encoder.quantization), tuner.classifier(labels.classes))


@dataclass
class _Tuner:
    """What a step needs: the network, those with labels, and all.

    Attributes:
        network: the auto-encoder.
        labelled: n documents.
        labels: (n,) int64.
        every: all documents, or a sample of them.
        n_classes: different labels.
        drop: the share of words that is hidden.
        recipe: how to learn.
        generator: on the CPU.
    """

    network: AutoEncoder
    labelled: DeviceBags
    labels: Tensor
    every: DeviceBags
    n_classes: int
    drop: float
    recipe: Recipe
    generator: torch.Generator

    def __post_init__(self) -> None:
        with torch.no_grad():
            self._codes = self._all_codes(self.every)  # to be held
            codes = self._all_codes(self.labelled)
        self.last = last_layer(codes, self.labels, self.n_classes)

    def run(self, progress: Progress) -> None:
        """Fine-tune all layers."""
        few = round(FEW_PASSES * len(self.every) / min(BATCH, len(self.every)))
        steps = min(self.recipe.steps, few) + round(self.recipe.passes * len(self.labels) / BATCH)
        layers, last = list(self.network.parameters()), list(self.last)
        optimiser = torch.optim.Adam(
            [{"params": layers, "rate": self.recipe.rate}, {"params": last, "rate": self.recipe.last_rate}], fused=True
        )
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = group["rate"] * rate_of(step, steps)
            loss = self.loss()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            progress("fine-tuning", step + 1, steps)
        if not all(bool(parameter.isfinite().all()) for parameter in layers + last):
            raise TextaeError("fine-tuning diverged (the parameters are no longer numbers); try another --seed")

    def loss(self) -> Tensor:
        """The loss of one batch."""
        rows, others = self._draw(self.labelled), self._draw(self.every)
        known, any_ = self.labelled.batch(rows), self.every.batch(others)
        code = self._code(joined(self._noisy(known), self._noisy(any_)))
        logits = self._logits(code)
        loss = F.cross_entropy(logits[: len(rows)], self.labels[rows])
        with torch.no_grad():
            whole = torch.softmax(self._logits(self._code(any_)), dim=1)
        consistent = F.cross_entropy(logits[len(rows) :], whole)
        apart = 1 - (code[len(rows) :] * self._codes[others]).sum(1)
        return loss + self.recipe.consistent * consistent + self.recipe.hold * apart.mean()

    def classifier(self, classes: tuple[str, ...]) -> Classifier:
        """The last layer as plain arrays."""
        weights, bias = (tensor.detach().cpu().numpy().copy() for tensor in self.last)
        return Classifier(weights, bias, classes)

    def _draw(self, of: DeviceBags) -> Tensor:
        """Some documents, each at most once: (BATCH,), or fewer where there are not as many."""
        return torch.randperm(len(of), generator=self.generator)[:BATCH].to(of.terms.device)

    def _noisy(self, batch: Batch) -> Batch:
        return hide_words(batch, self.drop, self.generator)

    def _code(self, batch: Batch) -> Tensor:
        return self.network.code(self.network.hidden(batch.terms, batch.starts, batch.weights), batch.lengths)

    def _all_codes(self, documents: DeviceBags) -> Tensor:
        every = torch.arange(len(documents), device=documents.terms.device)
        return torch.cat([self._code(documents.batch(rows)) for rows in every.split(_CHUNK)])

    def _logits(self, code: Tensor) -> Tensor:
        weights, bias = self.last
        return torch.addmm(bias, code, weights)


def last_layer(codes: Tensor, labels: Tensor, n_classes: int) -> tuple[Tensor, Tensor]:
    """The soft-max layer that fits codes as they are: the mean of - ln p_label, plus DECAY |V|² / 2n, at its minimum.

    Args:
        codes: (n, dims).
        labels: (n,) int64.
        n_classes: different labels.

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
