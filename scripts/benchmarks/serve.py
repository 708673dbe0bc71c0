"""What `textae serve` answers a second, beside what HTTP alone costs and what the same searches cost without it."""

from __future__ import annotations

import http.client
import json
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from threading import Thread
from urllib.parse import quote_plus, urlsplit

import click
import numpy as np

from benchmarks.rows import render, write
from textae.engine import Engine

CLIENTS = 16
QUERIES = 2_000


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--data", default="arxiv100k", show_default=True, help="What the index is of.")
@click.option("--seconds", default=60, show_default=True, help="Of asking; of what it is compared with, a third.")
@click.option("--seed", default=1, show_default=True, help="Of the titles that are asked.")
def serve(folder: Path, data: str, seconds: int, seed: int) -> None:
    """Requests a second and their times at 16 clients that keep their connections, over the index in FOLDER.

    The server keeps topics and a map in the index, where it has none.
    """
    with Engine.open(folder) as engine:
        queries, n = _titles(engine, seed), len(engine.snapshot.reader)
    searches = [f"/api/search?q={quote_plus(query)}" for query in queries]
    with _server(folder) as (address, process):
        _ask(address, searches, 2)
        before = _resident(process)
        searched = _ask(address, searches, seconds)
        after = _resident(process)
        empty = _ask(address, ["/api/health"], seconds / 3)
    with Engine.open(folder) as engine:
        in_process = _in_process(engine, queries, seconds / 3)
    figures = {
        **searched.figures(),
        "RSS MiB at first": before,
        "RSS MiB at last": after,
        "empty answers a second": len(empty.times) / empty.seconds,
        "searches a second in process": in_process,
    }
    write(f"requests to textae serve, {CLIENTS} clients", data, n, figures, seed)
    if searched.errors:
        raise click.ClickException(f"{searched.errors} of the answers were errors")
    render()


@dataclass
class Asked:
    """Requests, and what became of them.

    Attributes:
        seconds: that they took together.
        times: seconds of each.
        errors: answers that were not 200, and connections that broke.
    """

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    errors: int = 0

    def figures(self) -> dict[str, float]:
        """As a row holds them."""
        p50, p99 = (1e3 * np.quantile(self.times, (0.5, 0.99))).tolist()
        return {"a second": len(self.times) / self.seconds, "p50 ms": p50, "p99 ms": p99, "errors": self.errors}


def _titles(engine: Engine, seed: int) -> list[str]:
    ids = random.Random(seed).choices(list(engine.snapshot.ids.values()), k=QUERIES)
    return [title for title in engine.titles(ids) if title.strip()]


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "textae", "serve", "--index", str(folder), "--port", "0", "--rate", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield urlsplit(process.stdout.readline().strip()).netloc, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _ask(address: str, paths: Sequence[str], seconds: float) -> Asked:
    """Ask from all clients at once, each in its turn, until the time is up."""
    asked, started = Asked(), time.perf_counter()
    clients = [
        Thread(target=_client, args=(address, islice(cycle(paths), first, None, CLIENTS), started + seconds, asked))
        for first in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    asked.seconds = time.perf_counter() - started
    return asked


def _client(address: str, paths: Iterator[str], end: float, asked: Asked) -> None:
    connection = http.client.HTTPConnection(address, timeout=30)
    while time.perf_counter() < end:
        started = time.perf_counter()
        try:
            connection.request("GET", next(paths))
            answer = connection.getresponse()
            is_good = answer.status == 200 and json.loads(answer.read()) is not None
        except (OSError, http.client.HTTPException):
            is_good = False
            connection.close()
        asked.times.append(time.perf_counter() - started)
        asked.errors += not is_good
    connection.close()


def _in_process(engine: Engine, queries: Sequence[str], seconds: float) -> float:
    engine.search(queries[0])
    times: list[float] = []
    while sum(times) < seconds:
        started = time.perf_counter()
        engine.search(queries[len(times) % len(queries)])
        times.append(time.perf_counter() - started)
    return len(times) / sum(times)


def _resident(process: int) -> float:
    """MiB of memory that a process holds; the mapped files among it are shared."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024
