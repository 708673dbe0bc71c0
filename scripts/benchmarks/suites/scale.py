"""Scale: the cost of indexing, the throughput of the server, and a corpus of a million documents.

The million documents are a source for the other commands, as in `scripts/bench speed --source million.jsonl`.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from resource import struct_rusage
from threading import Thread
from urllib.parse import quote_plus, urlsplit

import click
import numpy as np

from benchmarks import datasets
from benchmarks.datasets import WordFrequencies, documents, save, some, variants
from benchmarks.harness.options import quick_option
from benchmarks.harness.rows import write
from benchmarks.harness.runs import bytes_of_codes, seconds_of
from textae.engine import Engine

CLIENTS = 64
TITLES = 2_000
COPIES = 10


@click.command()
@quick_option
def cost() -> None:
    """Time and memory of indexing, beside scikit-learn's counting and its tf-idf with SVD."""
    source = datasets.path("20newsgroups", "corpus.jsonl.gz")
    with tempfile.TemporaryDirectory() as folder, gzip.open(source) as lines:
        part = Path(folder) / "corpus.jsonl.gz"
        kept = list(some(lines))
        part.write_bytes(gzip.compress(b"".join(kept)))
        _cost(part, len(kept))


def _cost(source: Path, n: int) -> None:
    ours = _median_seconds(_COUNT_OURS, source)
    peer = _median_seconds(_COUNT_PEER, source)
    write(
        "reading, analysing, counting",
        "20newsgroups",
        n,
        {"documents/s": n / ours, "CountVectorizer documents/s": n / peer, "ratio of times": ours / peer},
    )
    svd = _median_seconds(_SVD_PEER, source)
    with tempfile.TemporaryDirectory() as folder:
        seconds, usage = _index(source, folder)
        with Engine.open(folder) as engine:
            codes = bytes_of_codes(engine)
    memory = usage.ru_maxrss / 2**20
    figures = {"seconds": seconds, "of 300 s": seconds / 300, "GiB at most": memory, "tf-idf + SVD seconds": svd}
    write("indexing whole, with learning", "20newsgroups", n, figures)
    write("bytes a document", "20newsgroups", n, codes)


def _index(source: Path, folder: str) -> tuple[float, struct_rusage]:
    """Index a source in a process of its own: seconds, and what it used."""
    command = [sys.executable, "-m", "textae", "index", str(source), "--index", folder, "--quiet"]
    started = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise click.ClickException("indexing failed")
    return time.perf_counter() - started, usage


def _median_seconds(program: str, source: Path) -> float:
    """The median of three runs, each in a fresh process that measures itself after its imports."""
    runs = [
        float(subprocess.run([sys.executable, "-c", program, str(source)], capture_output=True, check=True).stdout)
        for _ in range(3)
    ]
    return statistics.median(runs)


_COUNT_OURS = """
import sys, tempfile, time, pathlib
from textae.corpus import read
from textae.encoding.analyzer import Analysis, searchable
from textae.encoding.counting import Counter
started = time.perf_counter()
counter = Counter(Analysis.of("english"), pathlib.Path(tempfile.gettempdir()))
for document in read([sys.argv[1]]):
    counter.add(searchable(document))
counter.finish()
print(time.perf_counter() - started)
"""
_COUNT_PEER = """
import gzip, json, sys, time
from sklearn.feature_extraction.text import CountVectorizer
started = time.perf_counter()
CountVectorizer(stop_words="english").fit_transform(json.loads(line)["text"] for line in gzip.open(sys.argv[1]))
print(time.perf_counter() - started)
"""
_SVD_PEER = """
import gzip, json, sys, time
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
started = time.perf_counter()
make_pipeline(TfidfVectorizer(stop_words="english", sublinear_tf=True, max_features=20_000), TruncatedSVD(256)).fit(
    json.loads(line)["text"] for line in gzip.open(sys.argv[1]))
print(time.perf_counter() - started)
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--name", "data", default="arxiv100k", show_default=True, help="The name of the indexed data.")
@click.option("--seconds", default=60, show_default=True, help="Seconds of searching; the comparisons take a third.")
@click.option("--seed", default=1, show_default=True, help="Draws the titles that are queries.")
def serve(folder: Path, data: str, seconds: int, seed: int) -> None:
    """Rate and time of requests to textae serve by 64 clients with persistent connections, on the index in FOLDER.

    The server adds topics and a map to the index where it has none.
    """
    with Engine.open(folder) as engine:
        queries, n = _titles(engine, seed), len(engine.snapshot.reader)
    searches = [f"/api/search?q={quote_plus(query)}" for query in queries]
    with _server(folder) as (address, process):
        _request(address, searches, 2)
        before = _resident(process)
        load = _request(address, searches, seconds)
        after = _resident(process)
        empty = _request(address, ["/api/health"], seconds / 3)
    with Engine.open(folder) as engine:
        in_process = _in_process(engine, queries, seconds / 3)
    figures = {
        **load.figures(),
        "RSS MiB at first": before,
        "RSS MiB at last": after,
        "empty answers a second": len(empty.times) / empty.seconds,
        "searches a second in process": in_process,
    }
    write(f"requests to textae serve, {CLIENTS} clients", data, n, figures, seed)
    if load.errors:
        raise click.ClickException(f"{load.errors} of the answers were errors")


@dataclass
class Load:
    """Measured requests.

    Attributes:
        seconds: from the first request to the last answer.
        times: seconds of each request.
        errors: the number of answers other than 200 and of broken connections.
    """

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    errors: int = 0

    def figures(self) -> dict[str, float]:
        """The columns of a row."""
        p50, p99 = (1e3 * np.quantile(self.times, (0.5, 0.99))).tolist()
        return {"a second": len(self.times) / self.seconds, "p50 ms": p50, "p99 ms": p99, "errors": self.errors}


def _titles(engine: Engine, seed: int) -> list[str]:
    ids = random.Random(seed).choices(list(engine.snapshot.ids.values()), k=TITLES)
    return [title for title in engine.snapshot.reader.titles(ids) if title.strip()]


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "textae", "serve", "--index", str(folder), "--port", "0", "--no-token"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield urlsplit(process.stdout.readline().strip()).netloc, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _request(address: str, paths: Sequence[str], seconds: float) -> Load:
    """Request paths with all clients at the same time, until the time is up."""
    load, started = Load(), time.perf_counter()
    clients = [
        Thread(target=_client, args=(address, islice(cycle(paths), first, None, CLIENTS), started + seconds, load))
        for first in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    load.seconds = time.perf_counter() - started
    return load


def _client(address: str, paths: Iterator[str], end: float, load: Load) -> None:
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
        load.times.append(time.perf_counter() - started)
        load.errors += not is_good
    connection.close()


def _in_process(engine: Engine, queries: Sequence[str], seconds: float) -> float:
    engine.search(queries[0])
    times: list[float] = []
    while sum(times) < seconds:
        times.append(seconds_of(partial(engine.search, queries[len(times) % len(queries)])))
    return len(times) / sum(times)


def _resident(process: int) -> float:
    """The resident memory of a process in MiB, with the files that it maps and shares."""
    status = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    assert status
    return int(status[1]) / 1024


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def million(path: Path) -> None:
    """Write a million documents to PATH (.jsonl): arXiv's, ten times, with a tenth of the words exchanged."""
    source = datasets.path("arxiv100k", "corpus.jsonl.gz")
    words = WordFrequencies.of(documents(source))
    save((one for copy in range(COPIES) for one in variants(documents(source), words, copy)), path)


@click.command()
@click.argument("source", type=click.Path(dir_okay=False, path_type=Path, exists=True))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def indexing(source: Path, folder: Path) -> None:
    """Time and memory of textae index on SOURCE, such as what `million` writes. FOLDER keeps the index."""
    seconds, usage = _index(source, str(folder))
    with Engine.open(folder) as engine:
        n = len(engine.snapshot.reader)
    cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20
    on_disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    figures = {"seconds": seconds, "CPU-seconds": cpu, "GiB at most": memory, "bytes on disk a document": on_disk / n}
    write("indexing on one machine, with learning", source.stem, n, figures)


COMMANDS = (cost, serve, million, indexing)
