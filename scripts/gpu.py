"""Learning on CUDA beside the CPU: agreement of the codes, and throughput. Prints rows as JSON lines.

Agreement: both devices learn the same corpus with the same seed and settings (random numbers are drawn on the CPU, so
both see the same batches); the codes must rank alike. Throughput: documents per second on a corpus of random bags,
beside the time that the fewest bytes of a step take at the card's copy bandwidth.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from textae.config import ModelSpec, TrainSpec
from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder
from textae.encoding.weighting import idf
from textae.training.lsa import fit_lsa
from textae.training.text import learn
from textae.types import no_progress


def main() -> None:
    """Measure on the card; where there is none, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=200_000, help="number of documents for the throughput")
    parser.add_argument("--dry-run", action="store_true", help="run the same steps on the CPU with a small corpus")
    options = parser.parse_args()
    if options.dry_run:
        _agreement("cpu")
        _throughput("cpu", 2_000)
    elif torch.cuda.is_available():
        _agreement("cuda")
        _throughput("cuda", options.documents)
    else:
        print("no CUDA card: nothing was measured (--dry-run runs the same steps on the CPU)", file=sys.stderr)


def _agreement(device: str) -> None:
    """P@100 by label of the codes of both devices: of 20 Newsgroups where TEXTAE_DATA has it, else of random topics."""
    bags, labels, on = _newsgroups() or _topics(2_000)
    quality = {}
    codes = {}
    for where in ("cpu", device):
        codes[where], seconds = _codes(bags, where)
        quality[where] = _precision(codes[where], labels)
        _row(
            "P@100 of documents asked by each other",
            on,
            len(bags),
            {where: quality[where], f"{where} seconds": seconds},
        )
    cosine = float((codes["cpu"] * codes[device]).sum(axis=1).mean())
    _row("mean cosine of the two devices' codes", on, len(bags), {"cosine": cosine})


def _throughput(device: str, n: int) -> None:
    bags, _, on = _topics(n)
    start = _start(bags)
    spec = TrainSpec(device=device, most_documents=n, epochs=2)
    learn(bags.rows(0, 2_000), start, ModelSpec(), TrainSpec(device=device, epochs=1), no_progress)  # loads the kernels
    steps = [0]
    begun = time.perf_counter()
    first = [begun]

    def count(stage: str, done: int, total: int | None) -> None:
        if not steps[0]:
            first[0] = time.perf_counter()
        steps[0] = done

    learn(bags, start, ModelSpec(), spec, count)
    if device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - begun
    figures = {"documents/s": 2 * n / seconds, "seconds": seconds, "before the first step": first[0] - begun}
    if device == "cuda":
        bandwidth = _bandwidth()
        floor = steps[0] * _step_bytes(start) / bandwidth
        figures |= {"copy GB/s": bandwidth / 1e9, "least seconds by memory": floor, "ratio": seconds / floor}
    _row("training throughput, 2 passes", on, n, figures)


def _step_bytes(start: Encoder) -> float:
    """The fewest bytes that a step moves: Adam reads and writes each parameter, its gradient and its two moments."""
    parameters = start.words.size * 2
    return 4.0 * parameters * 7


def _bandwidth() -> float:
    """Bytes per second, read and written, of a copy within the card's memory."""
    source = torch.rand(1 << 28, device="cuda")
    target = torch.empty_like(source)
    for _ in range(3):
        target.copy_(source)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(10):
        target.copy_(source)
    end.record()
    torch.cuda.synchronize()
    return 10 * 2 * 4 * source.numel() / (begin.elapsed_time(end) / 1e3)


def _codes(bags: Bags, device: str) -> tuple[np.ndarray[Any, Any], float]:
    begun = time.perf_counter()
    encoder = learn(bags, _start(bags), ModelSpec(), TrainSpec(device=device), no_progress).encoder
    return encoder.encode(bags).floats, time.perf_counter() - begun


def _start(bags: Bags) -> Encoder:
    n_terms = int(bags.terms.max()) + 1
    idf_of = idf(np.bincount(bags.terms, minlength=n_terms), len(bags))
    return Encoder.lsa(fit_lsa(bags, idf_of, 256, seed=1), idf_of)


def _precision(codes: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    scores = codes @ codes.T
    np.fill_diagonal(scores, -np.inf)
    best = np.argpartition(-scores, 100, axis=1)[:, :100]
    return float((labels[best] == labels[:, None]).mean())


def _newsgroups() -> tuple[Bags, np.ndarray[Any, Any], str] | None:
    path = Path(os.environ.get("TEXTAE_DATA", "")) / "20newsgroups" / "corpus.jsonl.gz"
    if not path.is_file():
        return None
    import tempfile

    from textae.encoding.analyzer import Analysis
    from textae.encoding.counting import Counter

    counter, labels = Counter(Analysis.of("english"), Path(tempfile.gettempdir())), []
    with gzip.open(path) as lines:
        for line in lines:
            document = json.loads(line)
            if document["split"] == "train":
                counter.add(document["text"])
                labels.append(document["label"])
    _, tokens, _ = counter.finish()
    bags = tokens.bags()
    return bags.below(20_000), np.unique(labels, return_inverse=True)[1], "20newsgroups, training part"


def _topics(n: int, n_topics: int = 20, n_terms: int = 20_000) -> tuple[Bags, np.ndarray[Any, Any], str]:
    """Random documents of 100 words: half from all words (by Zipf's law), half from their topic's thousand words."""
    rng = np.random.default_rng(1)
    labels = rng.integers(n_topics, size=n)
    chances = 1 / np.arange(1, n_terms + 1)
    common = rng.choice(n_terms, size=(n, 50), p=chances / chances.sum())
    own = rng.integers(n_terms // n_topics, size=(n, 50)) * n_topics + labels[:, None]
    rows = [np.unique(row, return_counts=True) for row in np.concatenate([common, own], axis=1)]
    starts = np.concatenate([[0], np.cumsum([len(terms) for terms, _ in rows])])
    terms = np.concatenate([terms for terms, _ in rows]).astype(np.int32)
    counts = np.concatenate([counts for _, counts in rows]).astype(np.uint16)
    return Bags(starts, terms, counts), labels, "random topics"


def _row(what: str, on: str, size: int, figures: dict[str, float]) -> None:
    machine = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    date = datetime.date.today().isoformat()
    row = {"what": what, "data": on, "size": size, "figures": figures, "seed": 1, "machine": machine, "date": date}
    print(json.dumps(row))


if __name__ == "__main__":
    main()
