"""The benchmarks: each appends rows to docs/benchmarks.jsonl, from which docs/benchmarks.md is written.

A row says what was measured, on which data, of what size, the figure, the commit, the machine, the date and the seed.
A timing stands beside a peer or a limit that was measured in the same run, for machines are noisy.
"""

from __future__ import annotations

import datetime
import gzip
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from textae.corpus import TableSpec, read
from textae.engine import Engine
from textae.evaluation import Figure, read_qrels, read_queries
from textae.indexing import Report
from textae.spec import TrainSpec
from textae.types import Document, Query

ROOT = Path(__file__).parent.parent
ROWS = ROOT / "docs" / "benchmarks.jsonl"
PAGE = ROOT / "docs" / "benchmarks.md"
NOTES = ROOT / "docs" / "benchmarks-notes.md"
README = ROOT / "README.md"
SCORES = "<!-- scores: written by scripts/bench -->"
COLLECTIONS = ("scifact", "cran", "med", "cisi", "cacm", "npl", "lisa")
SYSTEMS = ("bm25", "tfidf", "lsa", "code", "bits", "hybrid")

Row = dict[str, Any]


def data(*parts: str) -> Path:
    """A file of the real corpora."""
    folder = os.environ.get("TEXTAE_DATA")
    if not folder:
        raise click.ClickException("set TEXTAE_DATA to the folder that holds the corpora (scifact/, cran/, …)")
    return Path(folder).joinpath(*parts)


def write(what: str, on: str, size: int, figures: Mapping[str, float], seed: int | None = None) -> None:
    """Append a row, and say it."""
    row = {
        "what": what,
        "data": on,
        "size": size,
        "figures": {name: round(value, 4) for name, value in figures.items()},
        "seed": seed,
        "commit": _commit(),
        "machine": _machine(),
        "date": datetime.date.today().isoformat(),
    }
    with ROWS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    click.echo(f"{what} · {on} · " + " · ".join(f"{name} {value:.4g}" for name, value in figures.items()))


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores"


@click.group()
def bench() -> None:
    """Measure, append the rows to docs/benchmarks.jsonl, and write docs/benchmarks.md anew."""


_seeds = click.option("--seeds", default="1,2,3", show_default=True, help="One run each.")


@bench.command()
@_seeds
@click.option("--only", help="Some of the collections, between commas.")
def collections(seeds: str, only: str | None) -> None:
    """The seven query collections: nDCG@10 and recall@100 of every system, one set of defaults."""
    for name in only.split(",") if only else COLLECTIONS:
        queries, qrels = read_queries(data(name, "queries.jsonl")), read_qrels(data(name, "qrels.tsv"))
        for seed in map(int, seeds.split(",")):
            with tempfile.TemporaryDirectory() as folder, Engine.create(folder) as engine:
                report = _indexed(engine, data(name, "corpus.jsonl.gz"), TableSpec(), seed)
                scored = engine.evaluate(queries, qrels, SYSTEMS, seed=seed)
            for metric in ("nDCG@10", "recall@100"):
                write(metric, name, report.documents, _by_system(scored.figures, metric), seed)
    render()


@bench.command()
@_seeds
def newsgroups(seeds: str) -> None:
    """20 Newsgroups by date: index the training part, ask with the test part; P@100, same group is relevant."""
    source = data("20newsgroups", "corpus.jsonl.gz")
    asked = [item for item in read([str(source)], TableSpec(select=(("split", "test"),))) if isinstance(item, Document)]
    for seed in map(int, seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder, Engine.create(folder) as engine:
            report = _indexed(engine, source, TableSpec(select=(("split", "train"),)), seed)
            systems = ("bm25", "tfidf", "lsa-64", "lsa", "code", "bits", "hybrid")
            scored = engine.evaluate_labels("label", asked, systems, seed=seed)
        write("P@100", "20newsgroups by date", report.documents, _by_system(scored.figures, "P@100"), seed)
    render()


@bench.command()
def cost() -> None:
    """What indexing takes: reading and counting beside scikit-learn's, the whole beside tf-idf + SVD, and memory."""
    source = data("20newsgroups", "corpus.jsonl.gz")
    with gzip.open(source) as lines:
        n = sum(1 for _ in lines)
    ours = _seconds_of(_COUNT_OURS, source)
    peer = _seconds_of(_COUNT_PEER, source)
    write(
        "reading, analysing, counting",
        "20newsgroups",
        n,
        {"documents/s": n / ours, "CountVectorizer documents/s": n / peer, "ratio of times": ours / peer},
    )
    svd = _seconds_of(_SVD_PEER, source)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "textae", "index", str(source), "--index", folder, "--quiet"]
        started = time.perf_counter()
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            raise click.ClickException("indexing failed")
        codes = _bytes_of_codes(Path(folder))
    memory = usage.ru_maxrss / 2**20
    figures = {"seconds": seconds, "of 300 s": seconds / 300, "GiB at most": memory, "tf-idf + SVD seconds": svd}
    write("indexing whole, with learning", "20newsgroups", n, figures)
    write("bytes a document", "20newsgroups", n, codes)
    render()


def _bytes_of_codes(folder: Path) -> dict[str, float]:
    with Engine.open(folder) as engine:
        facts = engine.info()
    return {kind: facts[f"bytes_{kind}"] / facts["documents"] for kind in ("bits", "floats")}


@bench.command()
@click.option("--runs", default=21, show_default=True)
def latency(runs: int) -> None:
    """A search from a cold shell beside the imports it cannot do without; and in a running process."""
    source = data("20newsgroups", "corpus.jsonl.gz")
    with tempfile.TemporaryDirectory() as folder:
        with Engine.create(folder) as engine:
            report = _indexed(engine, source, TableSpec(), 1, passes=0)  # what is learned costs a search no time
        _cold(folder, report.documents, runs)
        _warm(folder, report.documents, source)
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

    queries = [" ".join(item.text.split()[40:48]) for item, _ in zip(_documents(source), range(300), strict=False)]
    codes = np.random.default_rng(1).standard_normal((n, 256), np.float32)
    with Engine.open(folder) as engine:
        for mode in ("hybrid", "code", "bits", "bm25"):
            times, ranks, scan = [], [], []
            for query in filter(str.strip, queries):
                times.append(_timed(lambda query=query, mode=mode: engine.search(query, 10, mode)))
                asked = [Query("1", query)]
                ranks.append(_timed(lambda asked=asked, mode=mode: list(engine.rank(asked, 10, mode))))
                scan.append(_timed(lambda: codes @ codes[0]))
            ms, rank_ms, peer = (1e3 * statistics.median(values) for values in (times, ranks, scan))
            figures = {"ms at the median": ms, "ids and scores alone, ms": rank_ms, "one scan of float codes, ms": peer}
            write(f"search in a running process, {mode}", "20newsgroups", n, {**figures, "ratio": ms / peer})


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _documents(source: Path) -> Iterator[Document]:
    return (item for item in read([str(source)]) if isinstance(item, Document))


def _indexed(engine: Engine, source: Path, spec: TableSpec, seed: int, passes: int | None = None) -> Report:
    return engine.index(read([str(source)], spec), train=TrainSpec(seed=seed, device="cpu", passes=passes))


def _by_system(figures: Sequence[Figure], metric: str) -> dict[str, float]:
    return {figure.system: figure.value for figure in figures if figure.metric == metric}


def _seconds_of(program: str, source: Path) -> float:
    """The median time of three runs, each in a fresh process that measures itself after its imports."""
    runs = [
        float(subprocess.run([sys.executable, "-c", program, str(source)], capture_output=True, check=True).stdout)
        for _ in range(3)
    ]
    return statistics.median(runs)


_COUNT_OURS = """
import sys, tempfile, time, pathlib
from textae.corpus import read
from textae.text import Analysis, searchable
from textae.vectorizer import Counter
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


@bench.command("render")
def render_command() -> None:
    """Only write docs/benchmarks.md anew from the rows."""
    render()


def render() -> None:
    """Write the page: of each measurement the newest row, seeds side by side as mean ± spread."""
    newest: dict[tuple[str, str, int | None], Row] = {}
    for line in ROWS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        newest[row["what"], row["data"], row["seed"]] = row
    groups: dict[str, dict[str, list[Row]]] = {}
    for row in newest.values():
        groups.setdefault(row["what"], {}).setdefault(row["data"], []).append(row)
    parts = [_HEAD]
    for what, by_data in groups.items():
        parts += [f"## {what}\n", _table(by_data)]
    if NOTES.exists():
        parts.append(NOTES.read_text(encoding="utf-8"))
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    if {"nDCG@10", "P@100"} <= groups.keys():
        text = README.read_text(encoding="utf-8")
        before, rest = text.split(SCORES, 1)
        _, after = rest.split(SCORES, 1)
        scores = _scores(groups["nDCG@10"], groups["P@100"])
        README.write_text(f"{before}{SCORES}\n{scores}\n{SCORES}{after}", encoding="utf-8")


def _scores(collections: Mapping[str, list[Row]], newsgroups: Mapping[str, list[Row]]) -> str:
    """The README's table: a row a system, nDCG@10 of the collections, their mean, and P@100 of 20 Newsgroups."""
    names = [name for name in COLLECTIONS if name in collections]
    lines = [f"| | {' | '.join(names)} | mean | 20newsgroups |", "|---|" + "---:|" * (len(names) + 2)]
    for system in ("tfidf", "bm25", "lsa", "code", "bits", "hybrid"):
        means = [statistics.fmean(row["figures"][system] for row in collections[name]) for name in names]
        topic = statistics.fmean(row["figures"][system] for rows in newsgroups.values() for row in rows)
        cells = (*means, statistics.fmean(means), topic)
        lines.append(f"| `{system}` | " + " | ".join(f"{value:.3f}" for value in cells) + " |")
    return "\n".join(lines)


_HEAD = """# Benchmarks

Written by `scripts/bench` from the rows in [benchmarks.jsonl](benchmarks.jsonl); the newest row of each measurement
is shown, and where several seeds were run, the mean ± half the range. How the choices were made, and how far the
queries measured here were kept out of them, stands below. Timings stand beside a peer or a limit measured in the same
run. A term that a query repeats counts as often in BM25, which on long queries (CISI, CACM) is worth some points.
"""


def _table(by_data: Mapping[str, list[Row]]) -> str:
    names = list(dict.fromkeys(name for rows in by_data.values() for row in rows for name in row["figures"]))
    lines = ["| data | documents | " + " | ".join(names) + " | seeds | commit | machine | date |"]
    lines.append("|---|" + "---:|" * (len(names) + 1) + "---|---|---|---|")
    means: dict[str, list[float]] = {name: [] for name in names}
    for on, rows in by_data.items():
        cells = []
        for name in names:
            values = [row["figures"][name] for row in rows if name in row["figures"]]
            cells.append(_cell(values))
            means[name] += [statistics.fmean(values)] if values else []
        seeds = ", ".join(str(row["seed"]) for row in rows if row["seed"] is not None) or "–"
        last = rows[-1]
        ends = (seeds, last["commit"], last["machine"], last["date"])
        lines.append(f"| {on} | {last['size']:,} | " + " | ".join((*cells, *ends)) + " |")
    if set(by_data) >= set(COLLECTIONS) and "code" in names:
        lines.append(
            "| **mean** | | " + " | ".join(f"**{statistics.fmean(means[name]):.3f}**" for name in names) + " | | | | |"
        )
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ""
    mean, half = statistics.fmean(values), (max(values) - min(values)) / 2
    digits = 3 if mean < 10 else 1 if mean < 1000 else 0
    return f"{mean:,.{digits}f}" + (f" ± {half:.{digits}f}" if half else "")


if __name__ == "__main__":
    bench()
