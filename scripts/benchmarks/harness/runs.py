"""Runs: an index that is built in a process of its own, which measures its cost.

    with indexed(source, seed=1, model=ModelSpec(bits=64)) as (engine, cost):
        write("P@100", "20newsgroups", cost.documents, {"bits": .61, **cost.figures()}, seed=1)

The index is temporary; `index` builds one that stays.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from textae.config import ModelSpec, TrainSpec
from textae.corpus import TableSpec, read
from textae.engine import Engine
from textae.evaluation import Figure
from textae.search.query import QueryVector


@dataclass(frozen=True)
class Cost:
    """The cost of building an index.

    Attributes:
        documents: the number of indexed documents.
        learning: seconds of LSA (of pictures, PCA), of the auto-encoder and of choosing the hybrid's weight.
        indexing: seconds in total: reading, counting, learning, encoding, writing.
        gib: the peak memory of the process in GiB; Python with torch alone takes about .3.
    """

    documents: int
    learning: float
    indexing: float
    gib: float

    def figures(self) -> dict[str, float]:
        """The columns of a row."""
        return {"learning s": self.learning, "indexing s": self.indexing, "peak GiB": self.gib}


def index(
    source: Path, folder: Path, spec: TableSpec | None = None, model: ModelSpec | None = None, seed: int = 1,
    passes: int | None = None, train: TrainSpec | None = None, passage: int | None = None,
) -> Cost:  # fmt: skip
    """Index a source on the CPU in a fresh process, so that its peak memory can be measured.

    Args:
        source: a file.
        folder: of the index.
        spec: selects documents of the source.
        model: the shape of the auto-encoder.
        seed: of learning.
        passes: epochs; None for the default.
        train: how to learn, instead of `passes`.
        passage: words of a passage; None for what suits the documents.
    """
    train = replace(train or TrainSpec(epochs=passes), seed=seed, device="cpu")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_index, source, folder, spec or TableSpec(), model or ModelSpec(), train, passage).result()


def _index(
    source: Path, folder: Path, spec: TableSpec, model: ModelSpec, train: TrainSpec, passage: int | None
) -> Cost:
    # These imports take seconds that are not part of learning.
    import sklearn.utils.extmath  # noqa: F401

    import textae.index.build
    import textae.training.text  # noqa: F401

    began: dict[str, float] = {}

    def progress(stage: str, done: int, total: int | None) -> None:
        began.setdefault(stage, time.perf_counter())

    started = time.perf_counter()
    with Engine.create(folder) as engine:
        report = engine.index(read([str(source)], spec), model=model, train=train, passage=passage, progress=progress)
    indexing = time.perf_counter() - started
    learning = began["encoding"] - began.get("LSA", began.get("PCA", 0.0))
    return Cost(report.documents, learning, indexing, _peak_gib())


def _peak_gib() -> float:
    # On Linux the peak that getrusage gives is at least that of the process which started this one.
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


@contextmanager
def indexed(source: Path, spec: TableSpec | None = None, **options: Any) -> Iterator[tuple[Engine, Cost]]:
    """Build a temporary index and open it; options are those of `index`."""
    with tempfile.TemporaryDirectory() as folder:
        cost = index(source, Path(folder), spec, **options)
        with Engine.open(folder) as engine:
            yield engine, cost


def query_vectors(engine: Engine, texts: Iterable[str]) -> list[QueryVector]:
    """Texts as queries of the systems of an index."""
    return list(map(engine.searcher.text_query, texts))


def by_system(figures: Sequence[Figure], metric: str) -> dict[str, float]:
    """The values of one metric, by system."""
    return {figure.system: figure.value for figure in figures if figure.metric == metric}


def bytes_of_codes(engine: Engine) -> dict[str, float]:
    """The bytes of a document's bits and of its float code."""
    facts = engine.info()
    return {kind: facts[f"bytes_{kind}"] / facts["documents"] for kind in ("bits", "floats")}


def seconds_of(action: Callable[[], object]) -> float:
    """Run an action and measure its seconds."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def cpu_seconds_of(action: Callable[[], object]) -> float:
    """Run an action and measure the time of processors that it takes, here and in processes that it starts and ends."""
    started = _cpu_seconds()
    action()
    return _cpu_seconds() - started


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
