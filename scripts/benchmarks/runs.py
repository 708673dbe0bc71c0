"""What the benchmarks share: the seeds, an index of a source, the figures of a scoreboard by system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from textae.corpus import TableSpec, read
from textae.engine import Engine
from textae.evaluation import Figure
from textae.indexing import Report
from textae.spec import TrainSpec
from textae.types import Document

seeds_option = click.option("--seeds", default="1,2,3", show_default=True, help="One run each.")


def indexed(engine: Engine, source: Path, spec: TableSpec, seed: int, passes: int | None = None) -> Report:
    """Index a source on the CPU."""
    return engine.index(read([str(source)], spec), train=TrainSpec(seed=seed, device="cpu", passes=passes))


def documents(source: Path, spec: TableSpec | None = None) -> Iterator[Document]:
    """The documents of a source."""
    return (item for item in read([str(source)], spec) if isinstance(item, Document))


def by_system(figures: Sequence[Figure], metric: str) -> dict[str, float]:
    """One metric's figures, by system."""
    return {figure.system: figure.value for figure in figures if figure.metric == metric}
