"""Maps of 20 Newsgroups: how well the plane keeps neighbourhoods, and where new messages land.

Layouts learn the codes of the training part; the ten nearest others of a message vote for its group. Then the test
part, which no layout has learned, is placed among them. Beside ours, t-SNE and UMAP lay out the same codes, and UMAP
lays out tf-idf, in an environment of their own:

    python -m venv peers
    peers/bin/pip install umap-learn==0.5.12 openTSNE==1.0.4
    scripts/bench maps --python peers/bin/python
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import BY_DATE, newsgroups, table
from benchmarks.harness.options import quick_option, seeds_option
from benchmarks.harness.rows import write
from benchmarks.harness.runs import indexed
from benchmarks.harness.workers import run_peer
from textae.config import LAYOUTS, LSA, NEIGHBOURS
from textae.encoding.analyzer import searchable
from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.layers import unit
from textae.encoding.weighting import tfidf
from textae.engine import Engine
from textae.explore.map import learn_map
from textae.index.snapshot import Snapshot
from textae.types import Document, no_progress

K = 10
JUDGED = 5_000
"""The number of documents whose trustworthiness is measured; all pairs of more take too much memory."""


@dataclass(frozen=True)
class Layout:
    """The coordinates of documents on a map, or their codes.

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
    """The group of each message of the training and of the test part, as a number: (n,) and (m,)."""

    learned: NDArray[np.int64]
    new: NDArray[np.int64]


@click.command()
@seeds_option(3)
@quick_option
@click.option(
    "--python", type=click.Path(exists=True), help="An interpreter that has the peers; without it, they are left out."
)
def maps(seeds: tuple[int, ...], python: str | None) -> None:
    """Label of the ten nearest, trustworthiness, new messages and seconds, on maps of 20 Newsgroups by date."""
    test = newsgroups("test")
    with table(newsgroups("train")) as source, indexed(source) as (engine, _):
        bags = engine.snapshot.model.vectorizer.transform(map(searchable, test))
        groups = _groups(engine, test)
        code = Layout(*_codes(engine.snapshot, NEIGHBOURS, bags))
        for seed in seeds:
            layouts = {"code": code} | {layout: _ours(engine.snapshot, layout, bags, seed) for layout in LAYOUTS}
            layouts["ours"] = layouts.pop(NEIGHBOURS)
            if python and seed == seeds[0]:
                layouts |= _peers(python, engine.snapshot, bags, code, seed)
            _write(layouts, code, groups, seed)


def _write(layouts: dict[str, Layout], code: Layout, groups: Groups, seed: int) -> None:
    on, n = BY_DATE, len(code.learned)
    write("label on a map", on, n, {name: accuracy(one, groups) for name, one in layouts.items()}, seed)
    new = {name: accuracy_of_new(one, groups) for name, one in layouts.items()}
    write("label of new documents on a map", on, n, new, seed)
    plane = {name: one for name, one in layouts.items() if name != "code"}
    write("trustworthiness of a map", on, n, {name: trust(code, one) for name, one in plane.items()}, seed)
    write("laying a map out, s", on, n, {name: one.seconds[0] for name, one in plane.items()}, seed)
    write("placing new documents, s", on, len(code.new), {name: one.seconds[1] for name, one in plane.items()}, seed)


def _groups(engine: Engine, test: list[Document]) -> Groups:
    learned = list(map(str, engine.snapshot.reader.field("label").values()))
    number = {name: i for i, name in enumerate(sorted(set(learned)))}
    return Groups(
        np.array([number[name] for name in learned]), np.array([number[str(each.fields["label"])] for each in test])
    )


def _codes(snapshot: Snapshot, layout: str, bags: Bags) -> tuple[Floats, Floats]:
    """The codes that a layout places, of the training part and of the test part."""
    learned = snapshot.documents.lsa if layout == LSA else snapshot.documents.floats
    encoder = snapshot.model.start if layout == LSA else snapshot.model.encoder
    return learned.whole().astype(np.float32), encoder.encode(bags).floats.astype(np.float32)


def _ours(snapshot: Snapshot, layout: str, bags: Bags, seed: int) -> Layout:
    """One of our layouts; its seconds include those of finding words for the map's places."""
    import textae.training.map_layout  # noqa: F401  these imports take seconds that are not part of learning

    learned, new = _codes(snapshot, layout, bags)
    started = time.perf_counter()
    model = learn_map(snapshot, layout, seed, no_progress)
    places = model.projection.coordinates(learned)
    laid_out = time.perf_counter()
    placed = model.projection.coordinates(new)
    return Layout(places, placed, (laid_out - started, time.perf_counter() - laid_out))


def _peers(python: str, snapshot: Snapshot, new: Bags, code: Layout, seed: int) -> dict[str, Layout]:
    idf = snapshot.model.idf[:-1]
    bags = {"learned": snapshot.tokens_of(snapshot.numbers.tolist()).bags(), "new": new}
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


def _peer(python: str, method: str, vectors: dict[str, NDArray[np.generic]], seed: int) -> Layout:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "vectors.npz", Path(folder) / "places.npz"
        np.savez(source, **vectors)
        threads = os.environ.get("OMP_NUM_THREADS", str(os.cpu_count() or 1))
        learning, placing = run_peer(python, "embeddings.py", method, source, target, seed, OMP_NUM_THREADS=threads)
        with np.load(target) as places:
            return Layout(places["learned"].astype(np.float32), places["new"].astype(np.float32), (learning, placing))


def accuracy(layout: Layout, groups: Groups) -> float:
    """The accuracy of the group that most of the K nearest other documents have, on the training part."""
    votes = _votes(layout.learned, layout.learned, groups.learned, leave_one_out=True)
    return float((votes == groups.learned).mean())


def accuracy_of_new(layout: Layout, groups: Groups) -> float:
    """The accuracy of the group that most of the K nearest training documents have, on the test part."""
    return float((_votes(layout.learned, layout.new, groups.learned, leave_one_out=False) == groups.new).mean())


def _votes(rows: Floats, queries: Floats, groups: NDArray[np.int64], *, leave_one_out: bool) -> NDArray[np.int64]:
    """The group that most of the K nearest rows have by Euclidean distance, the first of tied groups: (n_queries,)."""
    voted = np.empty(len(queries), np.int64)
    squares = np.vecdot(rows, rows)
    for first in range(0, len(queries), 1_024):
        block = queries[first : first + 1_024]
        apart = squares - 2 * block @ rows.T  # (n, n_rows): squared distances, less the query's own square
        if leave_one_out:
            apart[np.arange(len(block)), first + np.arange(len(block))] = np.inf
        near = groups[np.argpartition(apart, K, axis=1)[:, :K]]
        voted[first : first + len(block)] = [np.bincount(row).argmax() for row in near]
    return voted


def trust(code: Layout, layout: Layout) -> float:
    """Trustworthiness (Venna & Kaski 2001): 1 where the nearest on the plane are also nearest by code."""
    from sklearn.manifold import trustworthiness

    rows = np.random.default_rng(1).permutation(len(code.learned))[:JUDGED]
    return float(trustworthiness(unit(code.learned)[rows], layout.learned[rows], n_neighbors=K))


COMMANDS = (maps,)
