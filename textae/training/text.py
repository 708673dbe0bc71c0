"""Learning: from the LSA start, four things are asked of one encoder at every step.

1. Crops, a few words drawn as a query has them, must find their document among the batch, by the answers of the code.
2. A document, half of its words hidden, must find one of its neighbours, by the topics of the code.
3. Crops must find their document by topics too: this keeps topics from falling together.
4. The code must tell the words of the document and of that neighbour (multinomial reconstruction).

Documents that share a neighbourhood are no negatives of each other. The first neighbours are those of tf-idf and a few
dimensions of LSA; they are found anew, by tf-idf and topics, as these get better. The learning rate warms up and falls
to zero over a number of steps that is known from the start. No label and no query is looked at. Whether learning helps
is judged by documents that are held out of it, and by words of theirs: where these are found worse than before, what
was learned is taken back.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from textae.config import AUTO, ModelSpec, TrainSpec
from textae.encoding.bags import Bags, Tokens
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import DeepEncoder, Encoder
from textae.errors import TextaeError
from textae.training.batches import Batch, DeviceBags, hide_words, joined
from textae.training.itq import quantization
from textae.training.losses import contrast, known_pairs, reconstruction
from textae.training.neighbours import n_blocks, nearest
from textae.training.networks.init import as_array
from textae.training.networks.two_head import AutoEncoder
from textae.types import Progress

BATCH = 256
RATE = 1e-3
WARM_UP = 0.05
CROPS = 3
"""Of a document at each step. They are short: three cost a third more than one, and SciFact's training queries find
.648 in place of .637."""
MOST_NEIGHBOURS = 30
"""Of a document; fewer in a small corpus, where a topic has fewer documents: 30 of 10,000, 10 of 1,000, 1 of 20."""
REFRESHES = 5
START_DIMS = 64
"""Of LSA, for the first neighbours: fewer dimensions know the topic better than the document."""
T_CROP, T_NEIGHBOUR = 0.07, 0.2
W_CROP, W_NEIGHBOUR, W_TOPIC_CROP, W_WORDS = 1.0, 1.0, 0.3, 0.1
TOPICS_TEACH = 0.2
"""How much of the gradient of the topics reaches the layer that both heads share: answers need it more."""
RECONSTRUCTED = 0.25
"""Of a batch: the soft-max over all words is what a step on the CPU costs most."""
HELD_OUT, MOST_HELD_OUT = 20, 500
"""One of so many documents judges what the others teach, at most so many; none where there would be fewer than ten."""

_CHUNK = 4_096


def sample(rows: Bags | Tokens, n_terms: int, spec: TrainSpec) -> Bags:
    """What is learned from: the `sampled` documents, as far as the encoder knows their terms."""
    taken = rows.take(sampled(rows, n_terms, spec))
    return (taken.bags() if isinstance(taken, Tokens) else taken).below(n_terms)


def sampled(rows: Bags | Tokens, n_terms: int, spec: TrainSpec) -> NDArray[np.int64]:
    """The documents that hold a known term, of too many a seeded sample, in their order.

    Beyond some ten thousand documents a bag of words learns little more, while finding neighbours costs their square.

    Args:
        rows: of the corpus.
        n_terms: the most frequent terms, that the encoder knows.
        spec: how many at most, and the seed.
    """
    known = np.concatenate([_holds_known(chunk, n_terms) for chunk in rows.chunks(_CHUNK)])
    rows_known = np.flatnonzero(known)
    if len(rows_known) > spec.most_documents:
        rng = np.random.default_rng(spec.seed)
        rows_known = np.sort(rng.choice(rows_known, spec.most_documents, replace=False))
    return rows_known


def _holds_known(rows: Bags | Tokens, n_terms: int) -> NDArray[np.bool_]:
    known = (rows.terms >= 0) & (rows.terms < n_terms)
    return np.diff(np.concatenate([[0], np.cumsum(known)])[rows.starts]) > 0


@dataclass(frozen=True)
class Learned:
    """What learning gives.

    Attributes:
        encoder: from bags to codes.
        decoder: from codes to words.
        errors: of each layer that was pre-trained, the reconstruction error before the first pass and after each.
        warnings: what went otherwise than it should.
    """

    encoder: Encoder | DeepEncoder
    decoder: Decoder
    errors: tuple[tuple[float, ...], ...] = ()
    warnings: tuple[str, ...] = ()


def learn(bags: Bags, start: Encoder, model: ModelSpec, spec: TrainSpec, progress: Progress) -> Learned:
    """Train the auto-encoder on a corpus.

    Args:
        bags: what `sample` gave of the corpus.
        start: LSA of the same terms.
        model: the shape of the auto-encoder.
        spec: how it learns.
        progress: told of every step.

    Raises:
        TextaeError: CUDA was asked for and there is none.
    """
    device, generator = device_of(spec.device), torch.Generator().manual_seed(spec.seed)
    network = AutoEncoder(start, model, generator).to(device)
    if len(bags) < 3:  # nobody to tell it from, or no neighbour
        return _learned(network, DeviceBags(bags, start.idf, device), model, spec, ())
    judging, taught = _held_out(len(bags), generator)
    corpus, held = (DeviceBags(bags.take(rows), start.idf, device) for rows in (taught, judging))
    trainer, judge = _Trainer(corpus, network, model, generator), HoldoutMonitor(held, corpus, network, generator)
    warnings = _run(trainer, judge, spec, progress)
    if spec.passes != 0:
        with torch.no_grad():
            network.settle(_hidden_of(network, corpus), corpus.lengths)
    return _learned(network, corpus, model, spec, warnings)


def _run(trainer: "_Trainer", judge: "HoldoutMonitor", spec: TrainSpec, progress: Progress) -> tuple[str, ...]:
    """All steps; what comes back is what went wrong, by which the network is as it was when all was well."""
    rate, steps = RATE if spec.rate is None else spec.rate, _steps(len(trainer.corpus), spec)
    clock = Clock(progress, steps + min(steps, REFRESHES) * n_blocks(len(trainer.corpus)))
    optimiser = torch.optim.Adam(trainer.network.parameters(), rate, fused=True)
    for step in range(steps):
        if step % -(-steps // REFRESHES) == 0:
            if not judge.approves():
                return (_taken_back(f"diverged within {step:,} of {steps:,} steps at a rate of {rate:g}"),)
            trainer.find_neighbours(first=step == 0, tick=clock.tick)
        for group in optimiser.param_groups:
            group["lr"] = rate * rate_of(step, steps)
        loss = trainer.loss()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        clock.tick()
    if not judge.approves():
        return (_taken_back(f"diverged at a rate of {rate:g}"),)
    return () if judge.settled() else (_taken_back("made documents that were held out of it harder to find"),)


def _taken_back(why: str) -> str:
    return f"learning {why}, and was taken back to where it was better; a smaller --rate may help"


def _held_out(n: int, generator: torch.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The documents that judge, and those that teach, each in their order."""
    n_held = min(MOST_HELD_OUT, n // HELD_OUT)
    order = torch.randperm(n, generator=generator).numpy()
    cut = n_held if n_held >= 10 else 0
    return np.sort(order[:cut]), np.sort(order[cut:])


def _learned(
    network: AutoEncoder, corpus: DeviceBags, model: ModelSpec, spec: TrainSpec, warnings: tuple[str, ...]
) -> Learned:
    with torch.no_grad():
        codes = as_array(network.code(_hidden_of(network, corpus), corpus.lengths))
    encoder = network.encoder(quantization(codes, model.bits, spec.seed))
    return Learned(encoder, network.decoder(), warnings=warnings)


def _hidden_of(network: AutoEncoder, documents: DeviceBags) -> Tensor:
    """All documents through the first layer: (n, n_hidden)."""
    every = torch.arange(len(documents), device=documents.terms.device)
    batches = (documents.batch(rows) for rows in every.split(2_048))
    parts = [network.hidden(batch.terms, batch.starts, batch.weights) for batch in batches]
    return torch.cat([network.words.new_empty(0, network.words.shape[1]), *parts])


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


class HoldoutMonitor:
    """Held-out documents, and a few words of each: by how answers find them again, learning goes on or is taken back.

    Answers are asked, for a document that says it is what they are to find; topics are only where there are no answers.

    A state is worse than another where the mean of the reciprocal ranks falls by more than two standard errors of
    their differences. The last state that was not worse than what it followed is kept.

    Args:
        held: n documents that nothing is learned from; where there are none, every state is as good.
        corpus: those that are.
        network: that learns.
        generator: on the CPU, of the words that are drawn.
    """

    def __init__(self, held: DeviceBags, corpus: DeviceBags, network: AutoEncoder, generator: torch.Generator) -> None:
        self._held, self._corpus, self._network = held, corpus, network
        self._crops = held.crops(torch.arange(len(held), device=held.terms.device), generator)
        self._kept: tuple[Tensor, dict[str, Tensor]] | None = None

    def approves(self) -> bool:
        """Look at the state of now, and keep it where it is not worse; where it is no number, take it back: False."""
        if not all(bool(parameter.isfinite().all()) for parameter in self._network.parameters()):
            self._take_back()
            return False
        found = self._reciprocal_ranks()
        if self._kept is None or not _worse(found, self._kept[0]):
            self._kept = found, {name: value.clone() for name, value in self._network.state_dict().items()}
        return True

    def settled(self) -> bool:
        """Whether the state of now is the one that was kept; it is from here on."""
        assert self._kept is not None
        if not _worse(self._reciprocal_ranks(), self._kept[0]):
            return True
        self._take_back()
        return False

    def _take_back(self) -> None:
        assert self._kept is not None  # the first state is all numbers
        self._network.load_state_dict(self._kept[1])

    @torch.no_grad()
    def _reciprocal_ranks(self) -> Tensor:
        """Of each held-out document among all, when some of its words are looked for: (n,)."""
        if not len(self._held):
            return torch.ones(0)
        network, crops = self._network, self._crops
        code = network.answer if network.answer_head.n_out else network.topic
        asked = code(network.hidden(crops.terms, crops.starts, crops.weights))
        held, others = (code(_hidden_of(network, of)) for of in (self._held, self._corpus))
        cosines = asked @ held.T
        own = cosines.diagonal()[:, None]
        # What ties with the document is before it: where all codes are the same, nothing is found.
        return 1 / ((cosines >= own).sum(dim=1) + (asked @ others.T >= own).sum(dim=1)).double()


def _worse(found: Tensor, before: Tensor) -> bool:
    """Whether it was found worse, beyond what chance would do."""
    if len(found) < 2:
        return False
    lost = before - found
    return bool(lost.mean() > 2 * lost.std() / len(lost) ** 0.5)


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
        self._k = min(MOST_NEIGHBOURS, max(1, round(len(self.corpus) ** 0.5 / 3.2)))

    @torch.no_grad()
    def find_neighbours(self, first: bool, tick: Callable[[], None]) -> None:
        """Find the neighbours of all documents, by words and by LSA at first, by the topics of now later."""
        hidden = _hidden_of(self.network, self.corpus)
        codes = F.normalize(hidden[:, :START_DIMS], dim=1) if first else self.network.topic(hidden)
        self.near = nearest(self.corpus.matrix, codes, self._k, tick)

    def _rows(self) -> Tensor:
        """The next documents of a shuffled pass."""
        if self._at + self._size > len(self._order):
            self._order, self._at = torch.randperm(len(self.corpus), generator=self.generator), 0
        rows = self._order[self._at : self._at + self._size]
        self._at += self._size
        return rows.to(self.corpus.terms.device)

    def loss(self) -> Tensor:
        """The loss of one batch."""
        rows, network = self._rows(), self.network
        others = self.near[rows, torch.randint(self._k, (self._size,), generator=self.generator).to(rows.device)]
        documents, neighbours = self.corpus.batch(rows), self.corpus.batch(others)
        crops = [self.corpus.crops(rows, self.generator) for _ in range(CROPS)]
        batch = joined(self._noisy(documents), self._noisy(neighbours), *crops)
        hidden = network.hidden(batch.terms, batch.starts, batch.weights)  # ((2 + CROPS) n, n_hidden)
        topic, near_topic, *crop_topics = network.topic(
            TOPICS_TEACH * hidden + (1 - TOPICS_TEACH) * hidden.detach()
        ).split(self._size)
        answer, _, *crop_answers = network.answer(hidden).split(self._size)
        alike, alike_near = known_pairs(self.near[rows], rows, others)
        loss = W_NEIGHBOUR * contrast(topic, near_topic, alike_near, T_NEIGHBOUR)
        for crop_answer, crop_topic in zip(crop_answers, crop_topics, strict=True):
            loss = loss + W_TOPIC_CROP / CROPS * contrast(crop_topic, topic, alike, T_CROP)
            if answer.shape[1]:
                loss = loss + W_CROP / CROPS * contrast(crop_answer, answer, alike, T_CROP)
        n_words, n_terms = max(1, round(self._size * RECONSTRUCTED)), len(self.corpus.idf)
        target = documents.dense(n_words, n_terms) + neighbours.dense(n_words, n_terms)
        lengths = documents.lengths[:n_words]
        told = network.words_of(network.joined(answer[:n_words], topic[:n_words], lengths))
        return loss + W_WORDS * reconstruction(told, target)

    def _noisy(self, batch: Batch) -> Batch:
        return hide_words(batch, self.model.drop, self.generator)


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
