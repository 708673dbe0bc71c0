"""Learning: from the LSA start, three things are asked of one encoder at every step.

1. A crop, a few words drawn as a query has them, must find its document among the batch (float codes).
2. A document, half of its words hidden, must find one of its neighbours (float codes, and bits).
3. The bits must tell the words of the document and of that neighbour (multinomial reconstruction).

Documents that share a neighbourhood are no negatives of each other. The neighbours come from tf-idf and are found
anew with the codes as these get better. The learning rate warms up and falls to zero over a number of steps that is
known from the start, so there is nothing to stop early, and no label or query is looked at.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from textae.encoder import Encoder
from textae.errors import TextaeError
from textae.models.autoencoder import AutoEncoder
from textae.models.bags import DeviceBags, joined, uniform
from textae.models.losses import contrast, reconstruction, straight_through
from textae.neighbours import nearest
from textae.spec import ModelSpec, TrainSpec
from textae.types import Progress
from textae.vectorizer import Bags

BATCH = 256
RATE = 1e-3
WARM_UP = 0.05
NEIGHBOURS = 10
REFRESHES = 4
TEMPERATURE = 0.05
W_CROP, W_NEIGHBOUR, W_BITS, W_WORDS = 1.0, 0.2, 0.2, 0.1
RECONSTRUCTED = 0.25
"""Of a batch: the soft-max over all words is what a step on the CPU costs most."""


def learn(bags: Bags, start: Encoder, model: ModelSpec, spec: TrainSpec, progress: Progress) -> Encoder:
    """Train the auto-encoder on a corpus.

    Args:
        bags: of the corpus, over the terms that the encoder knows.
        start: LSA of the same terms.
        model: the shape of the auto-encoder.
        spec: how it learns.
        progress: told of every step.

    Raises:
        TextaeError: CUDA was asked for and there is none; or learning diverged.
    """
    device = _device(spec.device)
    corpus = DeviceBags(_sample(bags, spec), start.idf, device)
    generator = torch.Generator().manual_seed(spec.seed)
    network = AutoEncoder(start, model, generator).to(device)
    if len(corpus) < 3:  # nobody to tell it from, or no neighbour
        return network.encoder()
    trainer = _Trainer(corpus, network, model, generator)
    steps = _steps(len(corpus), spec)
    optimiser = torch.optim.Adam(network.parameters(), RATE, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    for step in range(steps):
        if step % -(-steps // REFRESHES) == 0:
            trainer.find_neighbours()
        loss = trainer.loss()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        progress("learning", step + 1, steps)
    if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
        raise TextaeError("learning diverged (the parameters are no longer numbers); try another --seed")
    return network.encoder()


@dataclass
class _Trainer:
    """What a step needs: the corpus, the network, and who is near whom."""

    corpus: DeviceBags
    network: AutoEncoder
    model: ModelSpec
    generator: torch.Generator

    def __post_init__(self) -> None:
        self.near = torch.empty(0)
        self._order, self._at = torch.empty(0, dtype=torch.int64), 0
        self._size = min(BATCH, len(self.corpus))
        self._k = min(NEIGHBOURS, len(self.corpus) - 2)

    @torch.no_grad()
    def find_neighbours(self) -> None:
        """Find the neighbours of all documents, by words and by the codes of now."""
        every = torch.arange(len(self.corpus), device=self.corpus.terms.device)
        batches = (self.corpus.batch(rows) for rows in every.split(2_048))
        codes = torch.cat([self.network.code(batch.terms, batch.starts, batch.weights) for batch in batches])
        self.near = nearest(self.corpus.matrix, codes, self._k)

    def _rows(self) -> Tensor:
        """The next documents of a shuffled pass."""
        if self._at + self._size > len(self._order):
            self._order, self._at = torch.randperm(len(self.corpus), generator=self.generator), 0
        rows = self._order[self._at : self._at + self._size]
        self._at += self._size
        return rows.to(self.corpus.terms.device)

    def loss(self) -> Tensor:
        """The loss of one batch."""
        n, device = self._size, self.corpus.terms.device
        rows = self._rows()
        pick = torch.randint(self._k, (n,), generator=self.generator).to(device)
        others = self.near[rows, pick]
        documents, neighbours = self.corpus.batch(rows), self.corpus.batch(others)
        crops = self.corpus.crops(rows, self.generator)
        seen = joined(*(batch.hide(self._hidden(len(batch.terms), device)) for batch in (documents, neighbours)), crops)
        code = self.network.code(seen.terms, seen.starts, seen.weights)  # (3n, dims)
        of_document, of_neighbour, of_crop = code.split(n)
        bits = straight_through(self.network.rotated(code[: 2 * n]))
        near = self.near[rows]  # (n, k)
        alike = (near[:, :, None] == rows).any(1)
        alike = (alike | alike.T).fill_diagonal_(False)
        alike_other = ((near[:, :, None] == others).any(1) | (rows[:, None] == others)).fill_diagonal_(False)
        few = max(1, round(n * RECONSTRUCTED))
        target = documents.dense(few, len(self.corpus.idf)) + neighbours.dense(few, len(self.corpus.idf))
        return (
            W_CROP * contrast(of_crop, of_document, alike, TEMPERATURE)
            + W_NEIGHBOUR * contrast(of_document, of_neighbour, alike_other, TEMPERATURE)
            + W_BITS * contrast(bits[:n], bits[n:], alike_other, TEMPERATURE)
            + W_WORDS * reconstruction(self.network.words_of(bits[:few]), target)
        )

    def _hidden(self, n: int, device: torch.device) -> Tensor:
        return uniform(n, self.generator, device) < self.model.drop


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise TextaeError("there is no CUDA device here; give --device cpu, or auto for whichever there is")
    return torch.device(name)


def _sample(bags: Bags, spec: TrainSpec) -> Bags:
    """The documents to learn from: those with a known term, and of too many a seeded sample, in their order."""
    rows = np.flatnonzero(np.diff(bags.starts))
    if len(rows) > spec.most_documents:
        rows = np.sort(np.random.default_rng(spec.seed).choice(rows, spec.most_documents, replace=False))
    return bags.take(rows)


def _steps(n: int, spec: TrainSpec) -> int:
    passes = spec.passes if spec.passes is not None else min(40, max(6, 120_000 / n))
    return round(passes * n / min(BATCH, n))


def _rate(step: int, steps: int) -> float:
    """Up to 1 in the first steps, then down to 0 in a straight line."""
    done = (step + 1) / steps
    return min(1.0, done / WARM_UP) * (1 - step / steps)
