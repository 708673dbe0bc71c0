"""What the benchmarks share: seeds, splits, and an index that is made in a process of its own, which tells its cost.

cost = index(source, folder, model=ModelSpec(bits=64), train=TrainSpec(seed=1))
with Engine.open(folder) as engine: …
write("P@100", "20newsgroups", cost.documents, {"bits": .61, **cost.figures()}, seed=1)
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import click
import numpy as np

from textae.config import ModelSpec, TrainSpec
from textae.corpus import TableSpec, read
from textae.engine import Engine
from textae.evaluation import Figure
from textae.types import Document

T = TypeVar("T")


def numbers(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    """`1,2,3` as numbers."""
    try:
        return tuple(map(int, value.split(",")))
    except ValueError:
        raise click.BadParameter(f"{value!r}; give whole numbers between commas") from None


seeds_option = click.option("--seeds", default="1,2,3", show_default=True, callback=numbers, help="One run each.")


@dataclass(frozen=True)
class Cost:
    """What an index took.

    Attributes:
        documents: indexed.
        learning: seconds of LSA (of pictures, PCA), of the auto-encoder and of finding the hybrid's weight.
        indexing: seconds in all: reading, counting, learning, encoding, writing.
        gib: the most memory that the process held at a time, in GiB; Python with torch alone holds some .3.
    """

    documents: int
    learning: float
    indexing: float
    gib: float

    def figures(self) -> dict[str, float]:
        """As a row has them."""
        return {"learning s": self.learning, "indexing s": self.indexing, "peak GiB": self.gib}


def index(
    source: Path, folder: Path, spec: TableSpec | None = None, model: ModelSpec | None = None, seed: int = 1,
    passes: int | None = None, train: TrainSpec | None = None,
) -> Cost:  # fmt: skip
    """Index a source on the CPU in a fresh process, so that the peak of its memory is its own.

    Args:
        source: a file.
        folder: of the index.
        spec: which documents of the source.
        model: the shape of the auto-encoder.
        seed: of learning.
        passes: None for the default.
        train: how it learns, in place of passes.
    """
    train = replace(train or TrainSpec(epochs=passes), seed=seed, device="cpu")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_index, source, folder, spec or TableSpec(), model or ModelSpec(), train).result()


def _index(source: Path, folder: Path, spec: TableSpec, model: ModelSpec, train: TrainSpec) -> Cost:
    # What these import takes seconds, which are none of learning.
    import sklearn.utils.extmath  # noqa: F401

    import textae.index.build
    import textae.training.text  # noqa: F401

    began: dict[str, float] = {}

    def progress(stage: str, done: int, total: int | None) -> None:
        began.setdefault(stage, time.perf_counter())

    started = time.perf_counter()
    with Engine.create(folder) as engine:
        report = engine.index(read([str(source)], spec), model=model, train=train, progress=progress)
    indexing = time.perf_counter() - started
    return Cost(report.documents, began["encoding"] - began.get("LSA", began.get("PCA", 0.0)), indexing, _peak_gib())


def _peak_gib() -> float:
    """Of this process. On Linux getrusage's peak is no less than that of the process which started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


def documents(source: Path, spec: TableSpec | None = None) -> Iterator[Document]:
    """The documents of a source."""
    return (item for item in read([str(source)], spec) if isinstance(item, Document))


@contextmanager
def table(documents: Iterable[Document]) -> Iterator[Path]:
    """A temporary table of documents, to be indexed; it is gone afterwards."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        save(documents, Path(file.name))
        yield Path(file.name)


def save(documents: Iterable[Document], path: Path) -> None:
    """Write documents as a table."""
    with path.open("w", encoding="utf-8") as file:
        for document in documents:
            row = {"id": document.id, "title": document.title, "text": document.text, **document.fields}
            file.write(json.dumps(row) + "\n")


def split(items: Sequence[T], shares: Sequence[float], seed: int) -> list[list[T]]:
    """Shuffle and cut: a part for each share, and what the shares leave over in none.

    Args:
        items: to be split.
        shares: of each part; at most 1 in all.
        seed: of the shuffling.
    """
    order = np.random.default_rng(seed).permutation(len(items))
    ends = [0, *np.rint(np.cumsum(shares) * len(items)).astype(int)]
    return [[items[i] for i in order[first:last]] for first, last in itertools.pairwise(ends)]


def by_system(figures: Sequence[Figure], metric: str) -> dict[str, float]:
    """One metric's figures, by system."""
    return {figure.system: figure.value for figure in figures if figure.metric == metric}
