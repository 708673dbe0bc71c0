"""Learning: from the LSA start, three things are asked of one encoder at every step.

1. A crop, a few words drawn as a query has them, must find its document among the batch (float codes, and bits).
2. A document, half of its words hidden, must find one of its neighbours (float codes, and bits).
3. The bits must tell the words of the document and of that neighbour (multinomial reconstruction).

Documents that share a neighbourhood are no negatives of each other. The first neighbours are those of tf-idf and a few
dimensions of LSA; they are found anew, by tf-idf and codes, as these get better. The learning rate warms up and falls
to zero over a number of steps that is known from the start, so there is nothing to stop early, and no label or query
is looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from textae.decoder import Decoder
from textae.encoder import DeepEncoder, Encoder
from textae.errors import TextaeError
from textae.models.autoencoder import AutoEncoder
from textae.models.bags import Batch, DeviceBags, hide_words, joined
from textae.models.losses import contrast, reconstruction, straight_through
from textae.neighbours import n_blocks, nearest
from textae.spec import AUTO, ModelSpec, TrainSpec
from textae.types import Progress
from textae.vectorizer import Bags

BATCH = 256
RATE = 1e-3
WARM_UP = 0.05
MOST_NEIGHBOURS = 30
"""Of a document; fewer in a small corpus, where a topic has fewer documents: 14 of 10,000, 5 of 1,000, 1 of 20."""
REFRESHES = 5
START_DIMS = 64
"""Of LSA, for the first neighbours: fewer dimensions know the topic better than the document."""
T_CROP, T_NEIGHBOUR = 0.07, 0.1
W_CROP, W_NEIGHBOUR = 1.0, 0.3
W_CROP_BITS, W_NEIGHBOUR_BITS, W_WORDS = 1.0, 0.3, 0.2
BITS_TEACH = 0.3
"""How much of the gradient of the bits' losses reaches the layers that both codes share."""
RECONSTRUCTED = 0.25
"""Of a batch: the soft-max over all words is what a step on the CPU costs most."""

_CHUNK = 4_096


def sample(bags: Bags, n_terms: int, spec: TrainSpec) -> Bags:
    """What is learned from: the `sampled` documents, as far as the encoder knows their terms."""
    return bags.take(sampled(bags, n_terms, spec)).below(n_terms)


def sampled(bags: Bags, n_terms: int, spec: TrainSpec) -> NDArray[np.int64]:
    """The documents that hold a known term, of too many a seeded sample, in their order.

    Beyond some ten thousand documents a bag of words learns little more, while finding neighbours costs their square.

    Args:
        bags: of the corpus.
        n_terms: the most frequent terms, that the encoder knows.
        spec: how many at most, and the seed.
    """
    known = np.concatenate([np.diff(chunk.below(n_terms).starts) for chunk in bags.chunks(_CHUNK)])
    rows = np.flatnonzero(known)
    if len(rows) > spec.most_documents:
        rows = np.sort(np.random.default_rng(spec.seed).choice(rows, spec.most_documents, replace=False))
    return rows


@dataclass(frozen=True)
class Learned:
    """What learning gives.

    Attributes:
        encoder: from bags to codes.
        decoder: from codes to words.
        errors: of each layer that was pre-trained, the reconstruction error before the first pass and after each.
    """

    encoder: Encoder | DeepEncoder
    decoder: Decoder
    errors: tuple[tuple[float, ...], ...] = ()


def learn(bags: Bags, start: Encoder, model: ModelSpec, spec: TrainSpec, progress: Progress) -> Learned:
    """Train the auto-encoder on a corpus.

    Args:
        bags: what `sample` gave of the corpus.
        start: LSA of the same terms.
        model: the shape of the auto-encoder.
        spec: how it learns.
        progress: told of every step.

    Raises:
        TextaeError: CUDA was asked for and there is none; or learning diverged.
    """
    device = device_of(spec.device)
    corpus = DeviceBags(bags, start.idf, device)
    generator = torch.Generator().manual_seed(spec.seed)
    network = AutoEncoder(start, model, generator).to(device)
    if len(corpus) < 3:  # nobody to tell it from, or no neighbour
        return _learned(network)
    trainer = _Trainer(corpus, network, model, generator)
    steps = _steps(len(corpus), spec)
    clock = Clock(progress, steps + min(steps, REFRESHES) * n_blocks(len(corpus)))
    optimiser = torch.optim.Adam(network.parameters(), RATE, fused=True)
    for step in range(steps):
        if step % -(-steps // REFRESHES) == 0:
            trainer.find_neighbours(model.dims if step else START_DIMS, clock.tick)
        for group in optimiser.param_groups:
            group["lr"] = RATE * rate_of(step, steps)
        loss = trainer.loss()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        clock.tick()
    if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
        raise TextaeError("learning diverged (the parameters are no longer numbers); try another --seed")
    return _learned(network)


def _learned(network: AutoEncoder) -> Learned:
    return Learned(network.encoder(), network.decoder())


class Clock:
    """Counts what has been done: a step, or a block of neighbours found, which takes about as long.

    Args:
        progress: told of it.
        total: of what is to be done.
    """

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def tick(self) -> None:
        """One more is done."""
        self._done += 1
        self._progress("learning", min(self._done, self._total), self._total)


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
        self._k = min(MOST_NEIGHBOURS, max(1, round(len(self.corpus) ** 0.5 / 7)))

    @torch.no_grad()
    def find_neighbours(self, dims: int, tick: Callable[[], None]) -> None:
        """Find the neighbours of all documents, by words and by the first dimensions of the codes of now."""
        every = torch.arange(len(self.corpus), device=self.corpus.terms.device)
        codes = [self.network.code(self._hidden(self.corpus.batch(rows)))[:, :dims] for rows in every.split(2_048)]
        self.near = nearest(self.corpus.matrix, F.normalize(torch.cat(codes), dim=1), self._k, tick)

    def _hidden(self, batch: Batch) -> Tensor:
        return self.network.hidden(batch.terms, batch.starts, batch.weights)

    def _rows(self) -> Tensor:
        """The next documents of a shuffled pass."""
        if self._at + self._size > len(self._order):
            self._order, self._at = torch.randperm(len(self.corpus), generator=self.generator), 0
        rows = self._order[self._at : self._at + self._size]
        self._at += self._size
        return rows.to(self.corpus.terms.device)

    def loss(self) -> Tensor:
        """The loss of one batch."""
        rows = self._rows()
        others = self.near[rows, torch.randint(self._k, (self._size,), generator=self.generator).to(rows.device)]
        documents, neighbours = self.corpus.batch(rows), self.corpus.batch(others)
        crops = self.corpus.crops(rows, self.generator)
        hidden = self._hidden(joined(self._noisy(documents), self._noisy(neighbours), crops))  # (3n, dims)
        code, near_code, crop_code = self.network.code(hidden).split(self._size)
        y = self.network.rotated(BITS_TEACH * hidden + (1 - BITS_TEACH) * hidden.detach())
        bits, near_bits, crop_bits = straight_through(y).split(self._size)
        alike, alike_near = self._alike(rows, others)
        n_words = max(1, round(self._size * RECONSTRUCTED))
        n_terms = len(self.corpus.idf)
        target = documents.dense(n_words, n_terms) + neighbours.dense(n_words, n_terms)
        return (
            W_CROP * contrast(crop_code, code, alike, T_CROP)
            + W_NEIGHBOUR * contrast(code, near_code, alike_near, T_NEIGHBOUR)
            + W_CROP_BITS * contrast(crop_bits, bits, alike, T_CROP)
            + W_NEIGHBOUR_BITS * contrast(bits, near_bits, alike_near, T_NEIGHBOUR)
            + W_WORDS * reconstruction(self.network.words_of(bits[:n_words]), target)
        )

    def _noisy(self, batch: Batch) -> Batch:
        return hide_words(batch, self.model.drop, self.generator)

    def _alike(self, rows: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        """Which pairs off the diagonal are no negatives, since one is a neighbour of the other: twice (n, n) bool.

        Among the documents themselves, and between them and the neighbours that they must find.
        """
        near = self.near[rows]  # (n, k)
        alike = (near[:, :, None] == rows).any(1)
        alike_near = (near[:, :, None] == others).any(1) | (rows[:, None] == others)
        return (alike | alike.T).fill_diagonal_(False), alike_near.fill_diagonal_(False)


def device_of(name: str) -> torch.device:
    """The device of that name.

    Raises:
        TextaeError: it is not there.
    """
    if name == AUTO:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise TextaeError("there is no CUDA device here; give --device cpu, or auto for whichever there is")
    return torch.device(name)


def _steps(n: int, spec: TrainSpec) -> int:
    passes = spec.passes if spec.passes is not None else min(20, 1750 / n**0.5)
    return round(passes * n / min(BATCH, n))


def rate_of(step: int, steps: int) -> float:
    """Up to 1 in the first steps, then down to 0 in a straight line."""
    done = (step + 1) / steps
    return min(1.0, done / WARM_UP) * (1 - step / steps)
