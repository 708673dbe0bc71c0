"""What indexing takes: time, beside scikit-learn's for the same, and memory."""

from __future__ import annotations

import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks.rows import data, render, write
from textae.engine import Engine


@click.command()
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
