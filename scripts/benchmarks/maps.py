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
from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.encoders import unit
from textae.encoding.weighting import tfidf
from textae.engine import Engine
from textae.explore.map import LAYOUTS, LSA, NEIGHBOURS, learn_map
from textae.index.snapshot import Snapshot
from textae.types import Document

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
            bags = engine.snapshot.model.vectorizer.transform(map(searchable, test))
            groups = _groups(engine, test)
            code = Laid(*_codes(engine.snapshot, NEIGHBOURS, bags))
            for seed in seeds:
                laid = {"code": code} | {layout: _ours(engine.snapshot, layout, bags, seed) for layout in LAYOUTS}
                laid["ours"] = laid.pop(NEIGHBOURS)
                if python and seed == seeds[0]:
                    laid |= _peers(python, engine.snapshot, bags, code, seed)
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


def _groups(engine: Engine, test: list[Document]) -> Groups:
    learned = list(map(str, engine.snapshot.reader.field("label").values()))
    number = {name: place for place, name in enumerate(sorted(set(learned)))}
    return Groups(
        np.array([number[name] for name in learned]), np.array([number[str(each.fields["label"])] for each in test])
    )


def _codes(snapshot: Snapshot, layout: str, bags: Bags) -> tuple[Floats, Floats]:
    """What a layout places: of the training part, and of the test part."""
    learned = snapshot.documents.lsa if layout == LSA else snapshot.documents.floats
    encoder = snapshot.model.start if layout == LSA else snapshot.model.encoder
    return learned.whole().astype(np.float32), encoder.encode(bags).floats.astype(np.float32)


def _ours(snapshot: Snapshot, layout: str, bags: Bags, seed: int) -> Laid:
    """One of our layouts; finding words for its places is part of the seconds."""
    import textae.training.map_layout  # noqa: F401  what it imports takes seconds, which are none of learning

    learned, new = _codes(snapshot, layout, bags)
    started = time.perf_counter()
    model = learn_map(snapshot, layout, seed, lambda *_: None)
    places = model.projection.places(learned)
    laid_out = time.perf_counter()
    placed = model.projection.places(new)
    return Laid(places, placed, (laid_out - started, time.perf_counter() - laid_out))


def _peers(python: str, snapshot: Snapshot, new: Bags, code: Laid, seed: int) -> dict[str, Laid]:
    idf = snapshot.model.idf[:-1]
    bags = {"learned": snapshot.bags_of(snapshot.numbers.tolist()), "new": new}
    sparse: dict[str, NDArray[np.generic]] = {"dims": np.array(len(idf))}
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
