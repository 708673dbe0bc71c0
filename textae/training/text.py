"""Training on texts: the auto-encoder starts as LSA, and four losses train one encoder at every step.

1. Crops, a few words like a query, must find their document among the batch by the instance part of the code. One is
   drawn from the bag, one is words that follow each other, and one opens the document (`textae.training.spans`).
2. A document with half of its words hidden must find one of its neighbours by the topic part.
3. Crops must find their document by topics too: this keeps topics from collapsing to one.
4. The code must predict the words of the document and of that neighbour (multinomial reconstruction).

A step draws at most 512 words of a long document (`textae.training.drawing`).

Documents of one neighbourhood are excluded as negatives, of the instance part the closest ones alone. The first
neighbours are those of tf-idf and a few dimensions of LSA; later searches use tf-idf and topics, which get better.
Training uses no label and no query. Held-out documents judge it: if crops find them less often than before, the network
returns to its best state.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Generator, Tensor

from textae.config import ModelSpec, TrainSpec
from textae.encoding.bags import CHUNK, Bags, TermRows, Tokens
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import AnyEncoder, Encoder, TextEncoder, half_weight_of
from textae.training.batches import Batch, DeviceBags, hide_words, joined
from textae.training.holdout import HoldoutMonitor, split_holdout
from textae.training.itq import quantization
from textae.training.loop import Clock, DivergedError, Schedule, descend, device_of, shuffled
from textae.training.losses import contrast, mixed_precision, reconstruction
from textae.training.neighbours import Neighbours
from textae.training.networks.init import as_array
from textae.training.networks.two_head import AutoEncoder
from textae.training.spans import Spans
from textae.training.threads import one_blas_thread
from textae.types import Progress

E = TypeVar("E", bound=AnyEncoder)
R = TypeVar("R", Bags, Tokens)

Draw = Callable[[Tensor, Generator], Batch]
"""Draws a crop of each of some rows, (n,) int64; the generator is on their device."""

BATCH = 256
LEARNING_RATE = 1e-3
WARM_UP = 0.05
CROPS = 3
"""Of a document at each step. They are short: three cost a third more than one, and SciFact's training queries find
.648 in place of .637. A span and an opening in place of two drawn from the bag cost nothing: titles find their texts
.704 in place of .684 (four collections, two seeds), P@100 of 20 Newsgroups is .602 in place of .585."""
MOST_NEIGHBOURS = 30
"""Of a document; fewer in a small corpus, where a topic has fewer documents: 30 of 10,000, 10 of 1,000, 1 of 20."""
CLOSEST = 0.3
"""The share of the neighbours, the nearest ones, that are no negatives of the instance part: they may be one document
twice. From the others it must tell its document. Titles find their texts .710 in place of .704, SciFact's training
queries .641 in place of .635, and topics stay."""
SEARCHES = 5
"""For neighbours, evenly spread over the steps."""
START_DIMS = 64
"""Of LSA, for the first neighbours: fewer dimensions know the topic better than the document."""
T_CROP, T_NEIGHBOUR = 0.07, 0.2
W_CROP, W_NEIGHBOUR, W_TOPIC_CROP, W_WORDS = 1.0, 1.0, 0.3, 0.1
TOPIC_GRADIENT = 0.2
"""The share of the topics' gradient that reaches the layer below both heads: the instance head needs it more."""
RECONSTRUCTED = 0.25
"""The share of a batch that is reconstructed: the soft-max over all words is the largest cost of a step on the CPU."""


def sample(rows: R, n_terms: int, spec: TrainSpec) -> R:
    """The documents to learn from (see `sampled`), without the terms that the encoder does not know."""
    return rows.take(sampled(rows, n_terms, spec)).below(n_terms)


def sampled(rows: TermRows, n_terms: int, spec: TrainSpec) -> NDArray[np.int64]:
    """The numbers of the documents to learn from, rising: all that hold a known term, or a seeded sample of them.

    Beyond some ten thousand documents a bag of words learns little more, but neighbours cost the square of them.

    Args:
        rows: of the corpus.
        n_terms: size of the encoder's vocabulary.
        spec: has the maximum and the seed.
    """
    numbers = np.flatnonzero(np.concatenate([chunk.hold_below(n_terms) for chunk in rows.chunks(CHUNK)]))
    if len(numbers) > spec.most_documents:
        rng = np.random.default_rng(spec.seed)
        numbers = np.sort(rng.choice(numbers, spec.most_documents, replace=False))
    return numbers


@dataclass(frozen=True)
class Learned(Generic[E]):
    """A trained auto-encoder.

    Attributes:
        encoder: from bags or pixels to codes.
        decoder: from float codes to words, or to the logits of brightness.
        errors: for each pre-trained layer, the reconstruction error before the first epoch and after each.
        warnings: problems of the training, for the user.
    """

    encoder: E
    decoder: Decoder
    errors: tuple[tuple[float, ...], ...] = ()
    warnings: tuple[str, ...] = ()


@one_blas_thread()
def learn(
    bags: Bags,
    start: Encoder,
    model: ModelSpec,
    spec: TrainSpec,
    progress: Progress,
    tokens: Tokens | None = None,
) -> Learned[TextEncoder]:
    """Train the auto-encoder on a corpus.

    Args:
        bags: a `sample` of the corpus.
        start: LSA of the same terms.
        model: shape of the auto-encoder.
        spec: settings of the training.
        progress: called after every step.
        tokens: the same documents in reading order; without them, every crop is drawn from the bags.

    Raises:
        TextaeError: there is no CUDA device.
    """
    device = device_of(spec.device)
    generator = Generator(device).manual_seed(spec.seed)
    start = replace(start, half_weight=half_weight_of(np.diff(bags.starts)))
    network = AutoEncoder(start, model, generator).to(device)
    warnings: tuple[str, ...] = ()
    if len(bags) < 3:  # a document has no neighbour, or no negative
        corpus = DeviceBags(bags, start.idf, device)
    else:
        held_out, training = split_holdout(len(bags), generator)
        corpus, held = (DeviceBags(bags.take(rows), start.idf, device) for rows in (training, held_out))
        n, size = len(corpus), min(BATCH, len(corpus))
        epochs = spec.epochs if spec.epochs is not None else min(20, 1750 / n**0.5)
        steps, rate = round(epochs * n / size), spec.learning_rate or LEARNING_RATE
        schedule = Schedule(steps, max(1, -(-steps // SEARCHES)), WARM_UP)
        neighbours = Neighbours(corpus.matrix, MOST_NEIGHBOURS)
        clock = Clock(progress, steps + schedule.checkpoints * neighbours.n_blocks * neighbours.steps_of_block)
        crops = held.crops(torch.arange(len(held), device=device), generator)
        monitor = HoldoutMonitor(network, partial(reciprocal_ranks, network, crops, held, corpus))

        @torch.no_grad()
        def checkpoint() -> None:
            monitor.accept()
            hidden = network.hidden_of(corpus)
            first = neighbours.near is None
            codes = F.normalize(hidden[:, :START_DIMS], dim=1) if first else network.topic_head(hidden)
            neighbours.search(codes, partial(clock.tick, neighbours.steps_of_block))

        draws: list[Draw] = [corpus.crops] * CROPS
        if tokens is not None:
            spans = Spans(tokens.take(training), corpus.idf)
            draws[1:] = spans.anywhere, spans.opening
        loss_of = partial(batch_loss, network, corpus, neighbours, draws, model.dropout, generator)
        batches, groups = shuffled(n, size, generator, drop_last=True), [(network.parameters(), rate)]
        try:
            descend(mixed_precision(device)(loss_of), batches, groups, schedule, clock.tick, checkpoint)
            problem = "" if monitor.accept() else "made held-out documents harder to find"
        except DivergedError:
            problem = f"diverged at a learning rate of {rate:g}"
        if problem:
            monitor.revert()
            warnings = (f"learning {problem}, and was taken back to where it was better; a smaller --rate may help",)
        if spec.epochs != 0:
            with torch.no_grad():
                network.settle(network.hidden_of(corpus), corpus.lengths)
    with torch.no_grad():
        codes = as_array(network.code(network.hidden_of(corpus), corpus.lengths))
    return Learned(network.encoder(quantization(codes, model.bits, spec.seed)), network.decoder(), warnings=warnings)


def reciprocal_ranks(network: AutoEncoder, crops: Batch, held: DeviceBags, corpus: DeviceBags) -> Tensor:
    """The reciprocal rank of each held-out document among all documents, for its crop as the query: (n_held,).

    The codes are those of the instance head, or of the topic head if there is no other.
    """
    if not len(held):
        return torch.ones(0)
    head = network.instance_head if network.instance_head.n_out else network.topic_head
    queries, own, others = map(head, (network.hidden(crops), network.hidden_of(held), network.hidden_of(corpus)))
    cosines = queries @ own.T  # (n_held, n_held)
    score = cosines.diagonal()[:, None]
    # Ties rank before the document: if all codes are equal, no document is found.
    ranks: Tensor = (cosines >= score).sum(dim=1) + (queries @ others.T >= score).sum(dim=1)
    return 1 / ranks.double()


def batch_loss(
    network: AutoEncoder,
    corpus: DeviceBags,
    neighbours: Neighbours,
    draws: Sequence[Draw],
    dropout: float,
    generator: Generator,
    rows: Tensor,
) -> Tensor:
    """The loss of a batch, ().

    Args:
        network: the auto-encoder.
        corpus: all documents in training.
        neighbours: of these documents.
        draws: each draws a crop of every document.
        dropout: the share of the words that is hidden.
        generator: on the device.
        rows: (n,) int64, the documents of the batch.
    """
    n = len(rows)
    others, alike, alike_near = neighbours.draw(rows, generator)  # (n,), and (n, n) twice
    closest = neighbours.alike(rows, CLOSEST)  # (n, n)
    documents, near_documents = corpus.drawn(rows, generator), corpus.drawn(others, generator)
    crops = [draw(rows, generator) for draw in draws]
    noisy = [hide_words(batch, dropout, generator) for batch in (documents, near_documents)]
    hidden = network.hidden(joined(*noisy, *crops))  # ((2 + n_crops) n, n_hidden)
    weakened = TOPIC_GRADIENT * hidden + (1 - TOPIC_GRADIENT) * hidden.detach()
    topic, near_topic, *crop_topics = network.topic_head(weakened).split(n)  # (n, n_topics) each
    instance, _, *crop_instances = network.instance_head(hidden).split(n)  # (n, n_instance) each
    loss = W_NEIGHBOUR * contrast(topic, near_topic, alike_near, T_NEIGHBOUR)
    for crop_instance, crop_topic in zip(crop_instances, crop_topics, strict=True):
        loss = loss + W_TOPIC_CROP / len(crops) * contrast(crop_topic, topic, alike, T_CROP)
        if instance.shape[1]:
            loss = loss + W_CROP / len(crops) * contrast(crop_instance, instance, closest, T_CROP)
    n_words, n_terms = max(1, round(n * RECONSTRUCTED)), len(corpus.idf)
    target = documents.dense(n_words, n_terms) + near_documents.dense(n_words, n_terms)  # (n_words, n_terms)
    code = network.joined(instance[:n_words], topic[:n_words], documents.lengths[:n_words])  # (n_words, dims)
    return loss + W_WORDS * reconstruction(network.words_of(code), target)
