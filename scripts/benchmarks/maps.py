"""Maps of 20 Newsgroups: how much of a neighbourhood is left on the plane, and where new messages land.

The training part is laid out by its codes, and each message asks the ten nearest others for its group; then the test
part is placed among them, which no layout has seen. Beside ours t-SNE and UMAP lay out the same codes, and UMAP tf-idf,
in an environment of their own:

    python -m venv peers
    peers/bin/pip install umap-learn==0.5.12 openTSNE==1.0.4
    scripts/bench maps --python peers/bin/python
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.newsgroups import part
from benchmarks.rows import render, write
from benchmarks.runs import index, seeds_option, table
from textae.encoder import unit
from textae.engine import Engine
from textae.text import searchable
from textae.topicmap import LAYOUTS, NEIGHBOURS, learn_chart, place
from textae.vectorizer import Bags, Floats, tfidf

PROGRAM = Path(__file__).parent / "peers" / "embeddings.py"
K = 10
JUDGED = 5_000
"""Documents of which trustworthiness is told: all pairs of more take too much memory."""


@dataclass(frozen=True)
class Laid:
    """A layout.

    Attributes:
        learned: (n, dims) of the training part.
        new: (m, dims) of the test part.
        seconds: of learning and of placing.
    """

    learned: Floats
    new: Floats
    seconds: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Groups:
    """The group of each message, as a number."""

    learned: NDArray[np.int64]
    new: NDArray[np.int64]


@click.command()
@seeds_option
@click.option("--python", type=click.Path(exists=True), help="Of the environment of the peers; without it, none.")
def maps(seeds: tuple[int, ...], python: str | None) -> None:
    """20 Newsgroups by date on a plane: the group of the ten nearest, trustworthiness, new messages, seconds."""
    train, test = part("train"), part("test")
    with tempfile.TemporaryDirectory() as folder, table(train) as source:
        index(source, Path(folder))
        with Engine.open(folder) as engine:
            texts = [searchable(document) for document in test]
            code = _code(engine, texts)
            of = dict(engine.opened.reader.field("label"))
            known = _known(engine, texts)
            groups = _groups(list(of.values()), [str(test[i].fields["label"]) for i in known])
            for seed in seeds:
                laid = {"code": code} | {layout: _ours(engine, texts, layout, seed) for layout in LAYOUTS}
                laid["ours"] = laid.pop(NEIGHBOURS)
                if python and seed == seeds[0]:
                    laid |= _peers(python, engine, texts, code, seed)
                _write(laid, code, groups, seed)
    render()


def _write(laid: dict[str, Laid], code: Laid, groups: Groups, seed: int) -> None:
    on, n = "20newsgroups by date", len(code.learned)
    write("label on a map", on, n, {name: told(one, groups.learned) for name, one in laid.items()}, seed)
    write("label of new documents on a map", on, n, {name: told_new(one, groups) for name, one in laid.items()}, seed)
    plane = {name: one for name, one in laid.items() if name != "code"}
    write("trustworthiness of a map", on, n, {name: trust(code, one) for name, one in plane.items()}, seed)
    write("laying a map out, s", on, n, {name: one.seconds[0] for name, one in plane.items()}, seed)
    write("placing new documents, s", on, len(code.new), {name: one.seconds[1] for name, one in plane.items()}, seed)


def _code(engine: Engine, texts: list[str]) -> Laid:
    opened = engine.opened
    asked = opened.model.encoder.encode(opened.model.vectorizer.transform(texts))
    return Laid(opened.codes.floats.astype(np.float32)[opened.codes.known], asked.floats[asked.known])


def _known(engine: Engine, texts: list[str]) -> NDArray[np.int64]:
    opened = engine.opened
    return np.flatnonzero(opened.model.encoder.encode(opened.model.vectorizer.transform(texts)).known)


def _groups(learned: list[object], new: list[str]) -> Groups:
    names = sorted({str(label) for label in learned})
    number = {name: place for place, name in enumerate(names)}
    return Groups(np.array([number[str(label)] for label in learned]), np.array([number[label] for label in new]))


def _ours(engine: Engine, texts: list[str], layout: str, seed: int) -> Laid:
    """One of our layouts; the words of its places are part of the seconds."""
    import textae.models.projection  # noqa: F401  what it imports takes seconds, which are none of learning

    opened = engine.opened
    started = time.perf_counter()
    chart = learn_chart(opened, layout, seed, lambda *_: None)
    learned = time.perf_counter()
    rows = opened.documents.lsa if layout == "lsa" else opened.documents.floats
    places = chart.projection.places(rows.whole()[opened.codes.known])
    began = time.perf_counter()
    new = place(opened, chart, texts)
    placed = time.perf_counter()
    return Laid(places, new[~np.isnan(new[:, 0])], (learned - started, placed - began))


def _peers(python: str, engine: Engine, texts: list[str], code: Laid, seed: int) -> dict[str, Laid]:
    opened = engine.opened
    idf = opened.model.idf[:-1]
    bags = {
        "learned": opened.bags_of(opened.numbers[opened.codes.known].tolist()),
        "new": opened.model.vectorizer.transform(texts).take(_known(engine, texts)),
    }
    sparse = {"dims": np.array(len(idf))}
    for name, rows in bags.items():
        sparse |= _sparse(name, rows.below(len(idf)), idf)
    codes = {"learned": code.learned, "new": code.new}
    return {
        "t-SNE": _peer(python, "tsne", codes, seed),
        "UMAP": _peer(python, "umap", codes, seed),
        "UMAP of tf-idf": _peer(python, "umap", sparse, seed),
    }


def _sparse(name: str, rows: Bags, idf: Floats) -> dict[str, NDArray[np.generic]]:
    return {f"{name}_values": tfidf(rows, idf), f"{name}_columns": rows.terms, f"{name}_starts": rows.starts}


def _peer(python: str, method: str, vectors: dict[str, NDArray[np.generic]], seed: int) -> Laid:
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "vectors.npz", Path(folder) / "places.npz"
        np.savez(given, **vectors)
        environment = {"OMP_NUM_THREADS": str(os.cpu_count() or 1), **os.environ}
        command = [python, str(PROGRAM), method, str(given), str(found), str(seed)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise click.ClickException(f"{python} cannot run {method} ({said}); benchmarks/maps.py says how to")
        learning, placing = json.loads(done.stdout.splitlines()[-1])
        with np.load(found) as places:
            return Laid(places["learned"].astype(np.float32), places["new"].astype(np.float32), (learning, placing))


def told(laid: Laid, groups: NDArray[np.int64]) -> float:
    """How often most of the K nearest others of a document are of its group."""
    return float((_votes(laid.learned, laid.learned, groups, itself=True) == groups).mean())


def told_new(laid: Laid, groups: Groups) -> float:
    """The same of the test part, by the training part."""
    return float((_votes(laid.learned, laid.new, groups.learned, itself=False) == groups.new).mean())


def _votes(rows: Floats, asked: Floats, groups: NDArray[np.int64], *, itself: bool) -> NDArray[np.int64]:
    """The group that most of the K nearest rows have, of a tie the first; nearest by Euclid's distance."""
    voted = np.empty(len(asked), np.int64)
    squares = np.vecdot(rows, rows)
    for first in range(0, len(asked), 1_024):
        block = asked[first : first + 1_024]
        apart = squares - 2 * block @ rows.T  # but for what is the same for a whole row
        if itself:
            apart[np.arange(len(block)), first + np.arange(len(block))] = np.inf
        near = groups[np.argpartition(apart, K, axis=1)[:, :K]]
        voted[first : first + len(block)] = [np.bincount(row).argmax() for row in near]
    return voted


def trust(code: Laid, laid: Laid) -> float:
    """Trustworthiness (Venna & Kaski 2001): 1 where the nearest on the plane are near in the code too."""
    from sklearn.manifold import trustworthiness

    rows = np.random.default_rng(1).permutation(len(code.learned))[:JUDGED]
    return float(trustworthiness(unit(code.learned)[rows], laid.learned[rows], n_neighbors=K))
