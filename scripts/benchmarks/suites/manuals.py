"""Questions over manuals with long pages: success@5 and MRR by whole pages and by passages of several lengths.

The questions are in manuals.toml. The manuals come with packages of Debian, which `dpkg-deb -x` unpacks without root:

    apt-get download postgresql-doc-15 git-doc
    for package in *.deb; do dpkg-deb -x $package manuals; done
    scripts/bench passages manuals
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from benchmarks.datasets import documents, table
from benchmarks.harness.rows import write
from benchmarks.harness.runs import indexed, seeds_option
from textae.evaluation.run import rank
from textae.types import Query, Ranking

QUESTIONS = Path(__file__).parents[1] / "manuals.toml"
SYSTEMS = ("bm25", "code", "hybrid")
PASSAGES = (0, 100, 150, 200, 300)
DEPTH = 100


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@seeds_option
def passages(folder: Path, seeds: tuple[int, ...]) -> None:
    """Success@5 and MRR of 30 questions to each manual below FOLDER, which holds unpacked packages (or is /)."""
    for name, manual in tomllib.loads(QUESTIONS.read_text(encoding="utf-8")).items():
        pages = [
            replace(page, id=page.id.removesuffix(".html"), fields={})
            for page in documents(folder / manual["folder"])
            if page.id.endswith(".html") and "/" not in page.id
        ]
        queries, answers = [Query(text, text) for text in manual["questions"]], list(manual["questions"].values())
        with table(pages) as source:
            for words in PASSAGES:
                for seed in seeds:
                    with indexed(source, seed=seed, passage=words) as (engine, cost):
                        rankings = {system: list(rank(engine.searcher, queries, DEPTH, system)) for system in SYSTEMS}
                        size = sum(file.stat().st_size for file in engine.folder.rglob("*") if file.is_file())
                    costs = {"MiB on disk": size / 2**20, **cost.figures()}
                    on = f"{name}, {f'passages of {words} words' if words else 'whole pages'}"
                    scores = {system: reciprocal_ranks(found, answers) for system, found in rankings.items()}
                    success = {system: float(np.mean(values >= 1 / 5)) for system, values in scores.items()}
                    means = {system: float(values.mean()) for system, values in scores.items()}
                    write("success@5, long pages", on, cost.documents, {**success, **costs}, seed)
                    write("MRR, long pages", on, cost.documents, means, seed)


def reciprocal_ranks(rankings: Sequence[Ranking], answers: Sequence[Sequence[str]]) -> np.ndarray:
    """1 / rank of the first page that answers each question, 0 where none is ranked: (n_questions,)."""
    return np.array(
        [
            max((1 / place for place, id in enumerate(ranking.ids, start=1) if id in pages), default=0.0)
            for ranking, pages in zip(rankings, answers, strict=True)
        ]
    )


COMMANDS = (passages,)
