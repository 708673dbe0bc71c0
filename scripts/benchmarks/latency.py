"""How long a search takes: from a cold shell, and in a running process."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from benchmarks.rows import data, render, write
from benchmarks.runs import documents, index
from textae.engine import Engine
from textae.types import Query, Ranking


@click.command()
@click.option("--runs", default=21, show_default=True)
def latency(runs: int) -> None:
    """A search from a cold shell beside the imports it cannot do without; and in a running process."""
    source = data("20newsgroups", "corpus.jsonl.gz")
    with tempfile.TemporaryDirectory() as folder:
        size = index(source, Path(folder), passes=0).documents  # what is learned costs a search no time
        _cold(folder, size, runs)
        _warm(folder, size, source)
    render()


def _cold(folder: str, n: int, runs: int) -> None:
    search = [sys.executable, "-m", "textae", "search", "graphics card driver for windows", "--index", folder]
    imports = [sys.executable, "-c", "import numpy, sqlite3, click"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    seconds: dict[str, list[float]] = {"search": [], "imports": []}
    for run in range(runs + 1):
        for name, command in (("search", search), ("imports", imports)):
            started = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment)
            if run:  # the first one warms the page cache
                seconds[name].append(time.perf_counter() - started)
    ms = {name: 1e3 * statistics.median(values) for name, values in seconds.items()}
    figures = {"ms": ms["search"], "imports ms": ms["imports"], "ratio": ms["search"] / ms["imports"]}
    write("search from a cold shell", "20newsgroups", n, figures)


def _warm(folder: str, n: int, source: Path) -> None:
    import numpy as np

    queries = [" ".join(item.text.split()[40:48]) for item, _ in zip(documents(source), range(300), strict=False)]
    codes = np.random.default_rng(1).standard_normal((n, 256), np.float32)
    with Engine.open(folder) as engine:
        for mode in ("hybrid", "code", "bits", "bm25"):
            times, ranks, scan = [], [], []
            for query in filter(str.strip, queries):
                times.append(_timed(partial(engine.search, query, 10, mode)))
                ranks.append(_timed(partial(_ranked, engine, query, mode)))
                scan.append(_timed(lambda: codes @ codes[0]))
            ms, rank_ms, peer = (1e3 * statistics.median(values) for values in (times, ranks, scan))
            figures = {"ms at the median": ms, "ids and scores alone, ms": rank_ms, "one scan of float codes, ms": peer}
            write(f"search in a running process, {mode}", "20newsgroups", n, {**figures, "ratio": ms / peer})


def _ranked(engine: Engine, query: str, mode: str) -> list[Ranking]:
    return list(engine.rank([Query("1", query)], 10, mode))


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
