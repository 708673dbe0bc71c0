"""Speed and size of searches: beside SQLite FTS5, tantivy, bm25s and faiss on the same documents, and alone.

Every peer is measured in the same run, in turns with ours, on one core and in a process of its own. The peers need an
environment of their own:

    python -m venv peers
    peers/bin/pip install numpy==2.4.6 faiss-cpu==1.15.1 tantivy==0.27.0 'bm25s[core]==0.3.16'
    scripts/bench speed --peers peers/bin/python --folder DIR

Queries are the titles of a seeded sample of the documents, without stop words, which not every peer removes itself.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks import datasets
from benchmarks.datasets import WordFrequencies, abstracts, documents, save, variants
from benchmarks.harness.options import quick, quick_option
from benchmarks.harness.rows import write
from benchmarks.harness.runs import index, indexed, seconds_of
from benchmarks.harness.workers import SCANS, SYSTEMS, Worker, in_turns, one_core, timed
from textae.encoding.analyzer import Analysis, words
from textae.engine import Engine
from textae.evaluation.run import rank
from textae.types import Query

PARTS = ("cold", "warm", "keywords", "hamming", "growth", "memory")
PEERS = ("fts5", "tantivy", "bm25s")
GROWING = ("fts5", "tantivy")
RUNNING = ("fts5", "tantivy", "bm25s", "bm25s+numba")
MODES = ("hybrid", "code", "bits", "bm25")
QUERIES = 300
COLD_RUNS = 21
QUICK_SIZE = 2_000
SCANNED = (100_000, 1_000_000, 10_000_000)
SCANS_OF_EACH = 200  # ours scans with numpy at first, and with faiss after five million rows: the median is faiss's
CODE_BYTES = 32
ADDED, NEW_COPY = 10_000, 99
LIMITS = {"indexing s": 300.0, "peak GiB": 3.0}  # for 100,000 abstracts
SEED = 1


@dataclass(frozen=True)
class Bench:
    """The documents, the indexes and the interpreters of a run.

    Attributes:
        source: a table of documents.
        folder: holds an index of the source for each system.
        python: the peers' interpreter.
    """

    source: Path
    folder: Path
    python: str

    @property
    def name(self) -> str:
        """The name of the data in the rows."""
        stem = self.source.name.split(".")[0]
        return self.source.parent.name if stem == "corpus" else stem

    @property
    def ours(self) -> Path:
        """The folder of our index."""
        return self.folder / "textae"

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """The facts of `textae info` about our index."""
        with Engine.open(self.ours) as engine:
            return engine.info()

    @property
    def size(self) -> int:
        """The number of documents."""
        return int(self.facts["documents"])

    @cached_property
    def queries(self) -> list[str]:
        """Titles of a sample of the documents, without stop words."""
        return queries([document.title for document in documents(self.source)])

    def worker(self, system: str) -> Worker:
        """A process that answers with a peer, or with one of our modes."""
        if system in RUNNING:
            return Worker(self.python, SYSTEMS, "many", system, self.folder / system.removesuffix("+numba"))
        return Worker(sys.executable, SYSTEMS, "many", system, self.ours)

    def write(self, what: str, figures: Mapping[str, float]) -> None:
        """Write a row."""
        write(what, self.name, self.size, figures)


@click.command()
@click.option("--peers", "python", required=True, type=click.Path(exists=True), help="The peers' interpreter.")
@click.option("--folder", type=click.Path(path_type=Path), help="A folder that keeps the indexes for the next run.")
@click.option("--source", type=click.Path(exists=True, path_type=Path), help="A .jsonl or .gz; by default arXiv's.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), default=PARTS, help="All by default.")
@quick_option
def speed(python: str, folder: Path | None, source: Path | None, parts: Sequence[str]) -> None:
    """Time and memory of searching, adding, removing and indexing, beside other engines."""
    with tempfile.TemporaryDirectory() as temporary:
        if quick():
            folder, source, parts = None, Path(temporary) / "arxiv.jsonl", PARTS[:1]
            save(abstracts()[:QUICK_SIZE], source)
        bench = Bench(source or datasets.path("arxiv100k", "corpus.jsonl.gz"), folder or Path(temporary), python)
        bench.folder.mkdir(parents=True, exist_ok=True)
        indexing(bench)
        for part in (cold, warm, keywords, hamming, growth, memory):
            if part.__name__ in parts:
                part(bench)


def indexing(bench: Bench) -> None:
    """Index the source with every system that has no index of it yet."""
    if not bench.ours.exists():
        cost = index(bench.source, bench.ours).figures()
        cost |= {f"{name} of {limit:g}": cost[name] / limit for name, limit in LIMITS.items()}
        _indexed(bench, "textae, with learning", bench.ours, cost)
    for peer in PEERS:
        if not (folder := bench.folder / peer).exists():
            seconds = timed(bench.python, SYSTEMS, "add", peer, folder, bench.source)
            _indexed(bench, peer, folder, {"indexing s": seconds})


def _indexed(bench: Bench, system: str, folder: Path, cost: Mapping[str, float]) -> None:
    n_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    figures = {**cost, "bytes a document": n_bytes / bench.size}
    write("indexing, beside others", f"{bench.name}, {system}", bench.size, figures)


def cold(bench: Bench) -> None:
    """Measure a search from a cold shell: the whole process, with its files in the page cache."""
    query = bench.queries[0]
    ours = [sys.executable, "-m", "textae", "search", query, "--index", bench.ours, "--mode"]
    once = {peer: [bench.python, SYSTEMS, "once", peer, bench.folder / peer, query] for peer in PEERS}
    if shell := shutil.which("sqlite3"):
        once["fts5"] = [shell, bench.folder / "fts5" / "fts5.sqlite", _FTS5.format(" OR ".join(query.split()))]
    commands = {mode: [*ours, mode] for mode in ("hybrid", "bm25")} | once
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for name, command in [*commands.items()] * (COLD_RUNS + 1):
        seconds[name].append(timed(*command))
    ms = {name: 1e3 * statistics.median(values[1:]) for name, values in seconds.items()}  # the first reads the disk
    bench.write("a search from a cold shell, ms", beside(ms, "hybrid"))


_FTS5 = """SELECT id, title, snippet(documents, 2, '', '', '…', 20) FROM documents
WHERE documents MATCH '{}' ORDER BY rank LIMIT 10"""


def warm(bench: Bench) -> None:
    """Measure each mode in a running process, beside the product of as many float codes with a query's."""
    for mode in MODES:
        with ExitStack() as stack:
            workers = {name: stack.enter_context(bench.worker(name)) for name in (mode, f"{mode}+texts")}
            scan = stack.enter_context(Worker(sys.executable, SCANS, "floats", bench.size))
            ms = {name: 1e3 * seconds for name, seconds in in_turns(workers, bench.queries).items()}
            floats = 1e3 * statistics.median(in_turns({"floats": scan}, codes_to_ask(bench.size))["floats"])
        middle, late = ({name: float(np.quantile(ms[name], q)) for name in workers} for q in (0.5, 0.99))
        figures = {
            "p50 ms": middle[mode],
            "p99 ms": late[mode],
            "p50 ms, with texts": middle[f"{mode}+texts"],
            "p99 ms, with texts": late[f"{mode}+texts"],
            "one scan of float codes, ms": floats,
            "ratio": middle[mode] / floats,
        }
        bench.write(f"a search in a running process, one core, {mode}", figures)


def keywords(bench: Bench) -> None:
    """Measure the ten best by BM25, ids and scores alone."""
    with ExitStack() as stack:
        workers = {name: stack.enter_context(bench.worker(name)) for name in ("bm25", *RUNNING)}
        seconds = in_turns(workers, bench.queries)
    rates = {name: len(values) / float(values.sum()) for name, values in seconds.items()}
    bench.write("the ten best by BM25, queries/s", beside(rates, "bm25"))


def hamming(bench: Bench) -> None:
    """Measure a scan of random binary codes, beside that of faiss and beside a copy in memory."""
    pythons = {"hamming": sys.executable, "faiss": bench.python, "copy": sys.executable}
    for size in SCANNED:
        with ExitStack() as stack:
            workers = {name: stack.enter_context(Worker(python, SCANS, name, size)) for name, python in pythons.items()}
            scans = {name: float(np.median(seconds)) for name, seconds in in_turns(workers, codes_to_ask(size)).items()}
        gigabytes = size * CODE_BYTES / 1e9
        figures = {
            "ms": 1e3 * scans["hamming"],
            "faiss, ms": 1e3 * scans["faiss"],
            "ratio": scans["hamming"] / scans["faiss"],
            "GB/s": gigabytes / scans["hamming"],
            "faiss, GB/s": gigabytes / scans["faiss"],
            "a copy, GB/s read and written": 2 * gigabytes / scans["copy"],
        }
        write("a scan of 256-bit codes, one core", f"{size:,} random codes", size, figures)


def growth(bench: Bench) -> None:
    """Add documents to a copy of each index and remove them again; search ours meanwhile."""
    with tempfile.TemporaryDirectory() as temporary:
        table, ids = Path(temporary) / "added.jsonl", Path(temporary) / "ids.json"
        # Documents of the same kind that the source does not hold.
        words = WordFrequencies.of(documents(bench.source))
        added = list(itertools.islice(variants(documents(bench.source), words, copy=NEW_COPY), ADDED))
        save(added, table)
        ids.write_text(json.dumps([document.id for document in added]))
        indexes = {
            name: Path(shutil.copytree(bench.folder / name, Path(temporary) / name)) for name in ("textae", *GROWING)
        }
        textae = [sys.executable, "-m", "textae"]
        at = ["--index", indexes["textae"], "--quiet"]
        adding, before, during = _searched_while(indexes["textae"], bench.queries, [*textae, "add", table, *at])
        removing = timed(*textae, "rm", *(document.id for document in added), *at)
        peers = {
            task: {peer: timed(bench.python, SYSTEMS, task, peer, indexes[peer], file) for peer in GROWING}
            for task, file in (("add", table), ("remove", ids))
        }
    n = len(added)
    rates = {"textae": n / adding} | {peer: n / seconds for peer, seconds in peers["add"].items()}
    bench.write(f"adding {n:,} documents, documents/s", beside(rates, "textae"))
    bench.write(f"removing {n:,} documents, s", beside({"textae": removing, **peers["remove"]}, "textae"))
    median, slowest = 1e3 * float(np.median(before)), 1e3 * float(during.max())
    figures = {
        "median before, ms": median,
        "median during, ms": 1e3 * float(np.median(during)),
        "slowest during, ms": slowest,
        "slowest over median before": slowest / median,
    }
    bench.write(f"hybrid searches while {n:,} documents are added", figures)


def _searched_while(
    folder: Path, texts: Sequence[str], command: Sequence[str | Path]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """The seconds of a command, and those of each search before it and during it."""
    with Worker(sys.executable, SYSTEMS, "many", "hybrid", folder) as worker:
        before = in_turns({"hybrid": worker}, texts)["hybrid"]
        started, during = time.perf_counter(), []
        with subprocess.Popen(command, env=one_core()) as process:
            for text in itertools.cycle(texts):
                during += worker.ask([text])
                if process.poll() is not None:
                    break
        seconds = time.perf_counter() - started
    if process.returncode:
        raise click.ClickException(f"{' '.join(map(str, command))} failed")
    return seconds, before, np.array(during)


def memory(bench: Bench) -> None:
    """Measure the memory of a process after every query; all processes share what is mapped from files."""
    codes = (bench.facts["bytes_floats"] + bench.facts["bytes_bits"]) / 2**20
    for system in (*MODES, *RUNNING):
        # A mode alone gives ids, all of which its worker holds.
        with bench.worker(f"{system}+texts" if system in MODES else system) as worker:
            worker.ask(bench.queries)
            figures = worker.memory()
        if system in MODES:
            figures |= {"codes": codes, "at most, over codes": figures["MiB at most"] / codes}
        write("memory of a search process, MiB", f"{bench.name}, {system}", bench.size, figures)


def queries(titles: Sequence[str]) -> list[str]:
    """A sample of the titles, without stop words, in lower case (AND and OR are words like others)."""
    analysis = Analysis.of("english")
    order = np.random.default_rng(SEED).permutation(len(titles))
    stripped = (" ".join(w.lower() for w in words(titles[i]) if analysis.term(w) is not None) for i in order)
    return list(itertools.islice(filter(None, stripped), QUERIES))


def codes_to_ask(size: int) -> list[str]:
    """The numbers of the codes that are queries."""
    return [str(number) for number in np.random.default_rng(SEED).integers(0, size, SCANS_OF_EACH)]


def beside(figures: Mapping[str, float], ours: str) -> dict[str, float]:
    """The figures, and the quotients of ours and each other one."""
    return {**figures, **{f"over {name}": figures[ours] / value for name, value in figures.items() if name != ours}}


@click.command()
@click.option("--runs", default=21, show_default=True, help="The number of searches from a cold shell.")
@quick_option
def latency(runs: int) -> None:
    """Time of a search from a cold shell, beside its necessary imports, and of one in a running process."""
    source = datasets.path("20newsgroups", "corpus.jsonl.gz")
    with indexed(source, passes=0) as (engine, cost):  # training changes no timing
        _cold_search(engine.folder, cost.documents, runs)
        _running_search(engine, cost.documents, source)


def _cold_search(folder: Path, n: int, runs: int) -> None:
    search = [sys.executable, "-m", "textae", "search", "graphics card driver for windows", "--index", folder]
    imports = [sys.executable, "-c", "import numpy, sqlite3, click"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    seconds: dict[str, list[float]] = {"search": [], "imports": []}
    for _ in range(runs + 1):
        for name, command in (("search", search), ("imports", imports)):
            run = partial(subprocess.run, command, stdout=subprocess.DEVNULL, check=True, env=environment)
            seconds[name].append(seconds_of(run))
    ms = {name: 1e3 * statistics.median(values[1:]) for name, values in seconds.items()}  # the first reads the disk
    figures = {"ms": ms["search"], "imports ms": ms["imports"], "ratio": ms["search"] / ms["imports"]}
    write("search from a cold shell", "20newsgroups", n, figures)


def _running_search(engine: Engine, n: int, source: Path) -> None:
    parts = (" ".join(document.text.split()[40:48]) for document in itertools.islice(documents(source), QUERIES))
    queries = [Query("1", part) for part in parts if part]
    codes = np.random.default_rng(SEED).standard_normal((n, 256), np.float32)
    for mode in MODES:
        whole, ranking, scan = [], [], []
        for query in queries:
            whole.append(seconds_of(partial(engine.search, query.text, 10, mode)))
            ranking.append(seconds_of(lambda query=query, mode=mode: list(rank(engine.searcher, [query], 10, mode))))
            scan.append(seconds_of(lambda: codes @ codes[0]))
        ms, ranking_ms, peer = (1e3 * statistics.median(values) for values in (whole, ranking, scan))
        figures = {"ms at the median": ms, "ids and scores alone, ms": ranking_ms, "one scan of float codes, ms": peer}
        write(f"search in a running process, {mode}", "20newsgroups", n, {**figures, "ratio": ms / peer})


COMMANDS = (speed, latency)
