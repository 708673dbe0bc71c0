"""Learning on a CUDA card: the quality of its codes beside the CPU's, and its speed beside the limit of the card.

    codes     both devices learn the same corpus; each draws its own random numbers, so P@100 by label is compared
    speed     documents per second of the steps alone, and of all learning with the searches for neighbours
    limit     a step takes at least as long as the card needs to move its fewest bytes, and to multiply its matrices;
              and as the CPU needs to start its kernels, unless they are captured
    captured  the same steps as one CUDA graph, which costs the CPU one call a step

Rows are appended to docs/benchmarks.jsonl, and the page of benchmarks is rendered. Without a card nothing is measured.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import datasets, report
from benchmarks.harness import rows
from benchmarks.suites.images import Digits
from textae.config import PICTURE_PRESETS, ModelSpec, TrainSpec
from textae.encoding.analyzer import Analysis, searchable
from textae.encoding.bags import Tokens, row_starts
from textae.encoding.counting import Counter
from textae.encoding.encoders import Encoder, PixelEncoder
from textae.encoding.pixels import Pixels
from textae.encoding.weighting import idf
from textae.training import image, text
from textae.training.batches import DeviceBags
from textae.training.loop import Schedule, descend, shuffled
from textae.training.losses import mixed_precision
from textae.training.lsa import fit_lsa
from textae.training.neighbours import Neighbours
from textae.training.networks.two_head import AutoEncoder
from textae.training.spans import Spans
from textae.training.threads import one_blas_thread
from textae.types import Progress, Shape, no_progress

Ints = NDArray[np.int64]
Put = Callable[[str, str, int, dict[str, float]], None]
"""Keeps a row: what was measured, the data, its size, the figures."""

NO_CARD = "no CUDA card: not measured (--dry-run runs the same steps on the CPU, with little data)"
TERMS = 20_000
CODES, SPEED = "learning on a CUDA card: codes", "learning on a CUDA card: speed"


@dataclass(frozen=True)
class Texts:
    """Documents in reading order, with labels."""

    name: str
    tokens: Tokens
    labels: Ints

    def learn(self, device: str, progress: Progress = no_progress, epochs: int | None = None) -> NDArray[Any]:
        """The codes after learning on a device."""
        bags, spec = self.tokens.bags(), TrainSpec(device=device, epochs=epochs)
        learned = text.learn(bags, self.start(), ModelSpec(), spec, progress, self.tokens)
        return learned.encoder.encode(bags).floats

    def start(self) -> Encoder:
        """LSA."""
        bags = self.tokens.bags()
        idf_of = idf(np.bincount(bags.terms), len(bags))
        return Encoder.lsa(fit_lsa(bags, idf_of, ModelSpec().start_dims, seed=1), idf_of)


@dataclass(frozen=True)
class Pictures:
    """Pictures of one shape, with labels."""

    name: str
    pixels: Pixels
    shape: Shape
    labels: Ints

    def learn(self, device: str, progress: Progress = no_progress, epochs: int | None = None) -> NDArray[Any]:
        """The codes after learning on a device."""
        model, train = PICTURE_PRESETS["default"]
        start = PixelEncoder.pca(*image.fit_pca(self.pixels, model.dims))
        spec = replace(train, device=device, epochs=epochs)
        learned = image.learn_pictures(self.pixels, self.shape, start, model, spec, progress)
        return learned.encoder.encode(self.pixels).floats


@click.command(help=__doc__)
@click.option("--documents", default=30_000, show_default=True, help="For the speed: as many as learning takes.")
@click.option("--dry-run", is_flag=True, help="Run every step on the CPU with little data, and append no row.")
def main(documents: int, dry_run: bool) -> None:
    """Measure on the card; where there is none, print one line."""
    if dry_run:
        few = topics(400, n_terms=2_000)
        measure("cpu", few, digits(400), few, digits(400), lambda what, on, _, figures: rows.echo(what, on, figures))
    elif torch.cuda.is_available():
        put = partial(rows.write, seed=1, machine=torch.cuda.get_device_name())
        quality = newsgroups() or topics(4_000), mnist(10_000) or digits(1_797)
        measure("cuda", *quality, topics(documents), mnist(documents) or digits(1_797), put, steps=300, epochs=None)
        report.render()
    else:
        click.echo(NO_CARD)


def measure(
    device: str,
    texts: Texts,
    pictures: Pictures,
    many_texts: Texts,
    many_pictures: Pictures,
    put: Put,
    steps: int = 3,
    epochs: int | None = 2,
) -> None:
    """All rows: codes of the first two corpora, speed with the last two."""
    for corpus in (texts, pictures):
        figures = {}
        for where in dict.fromkeys(("cpu", device)):
            begun = time.perf_counter()
            quality = precision(corpus.learn(where, epochs=epochs), corpus.labels)
            figures |= {f"{where} P@100": quality, f"{where} s": time.perf_counter() - begun}
        put(CODES, corpus.name, len(corpus.labels), figures)
    of_steps = speed_of_steps(many_texts, device, steps)
    put(SPEED, many_texts.name, len(many_texts.labels), of_steps | speed_of_learning(many_texts, device))
    put(SPEED, many_pictures.name, len(many_pictures.labels), speed_of_learning(many_pictures, device))


def speed_of_learning(corpus: Texts | Pictures, device: str) -> dict[str, float]:
    """Documents per second of two passes with the searches for neighbours, beside the limit by dense matrices."""
    n, ticks = len(corpus.labels), list[float]()
    with FlopCounterMode(display=False) as counter:
        corpus.learn(device, epochs=2)  # also loads the kernels
    corpus.learn(device, lambda *_: ticks.append(time.perf_counter()), epochs=2)
    limit = 2 * n * multiplications(torch.device(device)) / counter.get_total_flops()
    return {"documents/s, learning": 2 * n / (ticks[-1] - ticks[0]), "limit, learning": limit}


@one_blas_thread()
def speed_of_steps(texts: Texts, device: str, steps: int) -> dict[str, float]:
    """Documents per second of the steps alone, beside the limit, and of the steps as one CUDA graph."""
    on, start = torch.device(device), texts.start()
    generator = Generator(on).manual_seed(1)
    network = AutoEncoder(start, ModelSpec(), generator).to(on)
    corpus = DeviceBags(texts.tokens.bags(), start.idf, on)
    neighbours = Neighbours(corpus.matrix, text.MOST_NEIGHBOURS)
    with torch.no_grad():
        begun = time.perf_counter()
        neighbours.search(F.normalize(network.hidden_of(corpus)[:, : text.START_DIMS], dim=1), lambda: None)
        synchronise(on)
        search = time.perf_counter() - begun
    spans = Spans(texts.tokens.take(np.arange(len(texts.labels))), corpus.idf)
    draws = [corpus.crops, spans.anywhere, spans.opening]
    loss_of = mixed_precision(on)(
        partial(text.batch_loss, network, corpus, neighbours, draws, ModelSpec().dropout, generator)
    )
    size = min(text.BATCH, len(texts.labels))

    def run(n: int) -> float:
        batches = shuffled(len(texts.labels), size, generator, drop_last=True)
        begun = time.perf_counter()
        descend(loss_of, batches, [(network.parameters(), 1e-4)], Schedule(n), lambda: None)
        synchronise(on)
        return (time.perf_counter() - begun) / n

    run(min(steps, 20))
    step = run(steps)
    batch = next(shuffled(len(texts.labels), size, generator))
    waits = float(does_wait(loss_of, batch, on))
    with FlopCounterMode(display=False) as counter, Kernels() as kernels:
        loss_of(batch).backward()
    tiny = torch.zeros(1, device=on)
    by_starts = kernels.n * seconds_of(lambda: tiny.add_(1), on, 1_000)
    by_memory = step_bytes(network, corpus, size) / bandwidth(on)
    by_matrices = counter.get_total_flops() / multiplications(on)
    figures = {"documents/s, steps": size / step, "limit": size / max(by_memory, by_matrices), "step ms": 1e3 * step}
    figures |= {
        "memory ms": 1e3 * by_memory,
        "matrices ms": 1e3 * by_matrices,
        "kernels": float(kernels.n),
        "starts ms": 1e3 * by_starts,
        "waits": waits,
        "search s": search,
    }
    if device == "cuda":
        try:
            figures["documents/s, captured"] = size / captured(network, loss_of, batch, generator, steps)
        except RuntimeError as error:
            click.echo(f"the steps were not captured: {error}", err=True)
    return figures


class Kernels(TorchDispatchMode):
    """Counts operations that are more than another view of a tensor; each starts a kernel, or a few."""

    def __init__(self) -> None:
        super().__init__()
        self.n = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count an operation, and do it."""
        self.n += not (func.is_view or func.__name__.startswith(("detach", "empty", "_unsafe_view")))
        return func(*args, **(kwargs or {}))


def does_wait(loss_of: Callable[[Tensor], Tensor], batch: Tensor, device: torch.device) -> bool:
    """Whether a step waits for the card."""
    if device.type == "cpu":
        return False
    torch.cuda.set_sync_debug_mode("error")
    try:
        loss_of(batch).backward()
    except RuntimeError as error:
        click.echo(f"a step waits for the card: {error}", err=True)
        return True
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return False


def captured(
    network: nn.Module, loss_of: Callable[[Tensor], Tensor], batch: Tensor, generator: Generator, steps: int
) -> float:
    """Seconds of a step that is replayed as a CUDA graph, with Adam; its random numbers differ at each replay."""
    adam = torch.optim.Adam(network.parameters(), 1e-4, fused=True, capturable=True)

    def step() -> None:
        loss_of(batch).backward()
        adam.step()

    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            adam.zero_grad(set_to_none=True)
            step()
    torch.cuda.current_stream().wait_stream(beside)
    adam.zero_grad(set_to_none=True)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        step()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(steps):
        graph.replay()
    torch.cuda.synchronize()
    return (time.perf_counter() - begun) / steps


def step_bytes(network: AutoEncoder, corpus: DeviceBags, size: int) -> float:
    """The fewest bytes that a step moves.

    Each parameter, its gradient and its two moments are read, and all but the gradient written; the gradient is written
    once before. Each word of a document, of its neighbour and of three crops of ten words is a row of the first layer,
    which is read, and whose gradient is read.
    """
    parameters = sum(parameter.numel() for parameter in network.parameters())
    words = size * (2 * float(corpus.lengths.double().mean()) + 30)
    return 4 * (8 * parameters + 2 * words * network.words.shape[1])


def bandwidth(device: torch.device) -> float:
    """Bytes per second, read and written, of a copy within the memory of a device."""
    source = torch.rand(1 << (28 if device.type == "cuda" else 22), device=device)
    target = torch.empty_like(source)
    return 2 * 4 * source.numel() / seconds_of(lambda: target.copy_(source), device)


def multiplications(device: torch.device) -> float:
    """Operations per second of a product of matrices in bfloat16."""
    n = 8_192 if device.type == "cuda" else 256
    left = torch.rand(n, n, device=device).bfloat16()
    return 2 * n**3 / seconds_of(lambda: left @ left, device)


def seconds_of(action: Callable[[], object], device: torch.device, n: int = 10) -> float:
    """Seconds of one action, the mean of n after three."""
    for repetitions in (3, n):
        synchronise(device)
        begun = time.perf_counter()
        for _ in range(repetitions):
            action()
        synchronise(device)
    return (time.perf_counter() - begun) / n


def synchronise(device: torch.device) -> None:
    """Wait until a card has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def precision(codes: NDArray[Any], labels: Ints) -> float:
    """P@100 by label, every document as a query."""
    scores = codes @ codes.T
    np.fill_diagonal(scores, -np.inf)
    best = np.argpartition(-scores, 100, axis=1)[:, :100]
    return float((labels[best] == labels[:, None]).mean())


def newsgroups() -> Texts | None:
    """The training part of 20 Newsgroups, if TEXTAE_DATA has it."""
    if "TEXTAE_DATA" not in os.environ:
        return None
    counter, documents = Counter(Analysis.of("english"), Path(tempfile.gettempdir())), datasets.newsgroups("train")
    for document in documents:
        counter.add(searchable(document))
    _, tokens, _ = counter.finish()
    labels = [str(document.fields["label"]) for document in documents]
    return Texts("20newsgroups, training part", tokens.below(TERMS), np.unique(labels, return_inverse=True)[1])


def topics(n: int, n_terms: int = TERMS, n_topics: int = 20) -> Texts:
    """Random documents of 100 words: half from all words (by Zipf's law), half from their topic's own words."""
    rng = np.random.default_rng(1)
    labels = rng.integers(n_topics, size=n)
    chances = 1 / np.arange(1, n_terms + 1)
    common = rng.choice(n_terms, size=(n, 50), p=chances / chances.sum())
    own = rng.integers(n_terms // n_topics, size=(n, 50)) * n_topics + labels[:, None]
    terms = rng.permuted(np.concatenate([common, own], axis=1), axis=1)
    return Texts("random topics", Tokens(row_starts([100] * n), terms.ravel().astype(np.int32)), labels)


def mnist(most: int) -> Pictures | None:
    """The first pictures of MNIST's training part, if TEXTAE_DATA has it."""
    if "TEXTAE_DATA" not in os.environ:
        return None
    all_of = Digits()
    return Pictures("MNIST, training part", all_of.train.rows(0, most), (28, 28, 1), all_of.train_labels[:most])


def digits(most: int) -> Pictures:
    """The handwritten digits that scikit-learn brings, 1,797 of 8 × 8 pixels."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    values = np.rint(loaded.data[:most] * (255 / 16)).astype(np.uint8)
    return Pictures("scikit-learn's digits", Pixels(values), (8, 8, 1), loaded.target[:most])


if __name__ == "__main__":
    main()
