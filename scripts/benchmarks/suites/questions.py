"""Natural questions to real documentation: success@5 and MRR of each system, beside a pretrained sentence model.

The questions and their answers are in questions/*.toml, one file for each collection. Three collections are packages of
Debian 12, which `apt-get download` fetches and `dpkg-deb -x` unpacks, without root; the fourth is the recipe `python`.

    scripts/bench questions manuals --python minilm/bin/python

The folder `manuals` keeps the packages for the next time. The suite `minilm` says how to make the interpreter.
"""

from __future__ import annotations

import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import documents, table
from benchmarks.harness.options import data_option, quick_option, seeds_option
from benchmarks.harness.rows import echo, write
from benchmarks.harness.runs import indexed
from benchmarks.suites.minilm import NAME, Sentences, ranked
from textae.encoding.passages import passages
from textae.evaluation.run import rank
from textae.evaluation.significance import confidence
from textae.types import Document, Query, Ranking

FOLDER = Path(__file__).parents[1] / "questions"
COLLECTIONS = ("postgresql", "git", "man", "python")
SYSTEMS = ("tfidf", "bm25", "lsa", "code", "bits", "hybrid")
FUSED = f"{NAME} and bm25"
DEPTH = 100
PASSAGE = 150
"""Words of a passage that the sentence model reads; it cuts a text at 256 pieces of words."""

Values = dict[str, NDArray[np.float64]]
"""By system, the reciprocal rank of each question's first answer: (n_questions,)."""


@dataclass(frozen=True)
class Collection:
    """Documents, and questions with the ids of the documents that answer each.

    Attributes:
        name: the stem of its file.
        documents: whose ids are the names of their files without the ending.
        queries: the questions; a query's id is its text.
        answers: of each question, one or several.
    """

    name: str
    documents: Sequence[Document]
    queries: Sequence[Query]
    answers: Sequence[Sequence[str]]

    @classmethod
    def load(cls, name: str, folder: Path) -> Collection:
        """Read a collection; its packages are below `folder / name`, and are fetched where that is missing."""
        about = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        questions: Mapping[str, Sequence[str]] = about["questions"]
        if "recipe" in about:
            corpus = list(documents(Path(about["recipe"])))
        else:
            corpus = _pages(_unpacked(about["packages"], folder / name), about["pages"])
        ids = {document.id for document in corpus}
        if missing := sorted(id for answers in questions.values() for id in answers if id not in ids):
            raise click.ClickException(f"{name} lacks {', '.join(missing)}; fetch the packages of Debian 12")
        return cls(name, corpus, [Query(text, text) for text in questions], list(questions.values()))

    def reciprocal_ranks(self, rankings: Sequence[Ranking]) -> NDArray[np.float64]:
        """1 / rank of the first answer to each question, 0 where none is among the first `DEPTH`: (n_questions,)."""
        return np.array(
            [
                max((1 / place for place, id in enumerate(ranking.ids, start=1) if id in answers), default=0.0)
                for ranking, answers in zip(rankings, self.answers, strict=True)
            ]
        )


def _unpacked(packages: Sequence[str], folder: Path) -> Path:
    """A folder with the files of packages of Debian."""
    if not folder.exists():
        with tempfile.TemporaryDirectory() as fetched:
            subprocess.run(["apt-get", "download", *packages], cwd=fetched, check=True)
            for package in sorted(Path(fetched).glob("*.deb")):
                subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder


def _pages(folder: Path, pattern: str) -> list[Document]:
    """The pages of a manual, each with the name of its file as its id and without fields."""
    ending = Path(pattern).suffix
    pages = [page for part in sorted(folder.glob(str(Path(pattern).parent))) for page in documents(part)]
    return [
        replace(page, id=page.id.removesuffix(ending), fields={})
        for page in pages
        if page.id.endswith(ending) and "/" not in page.id
    ]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--python", type=click.Path(exists=True), help=f"An interpreter that has {NAME}; without, only our own.")
@data_option(COLLECTIONS, smallest="git")
@seeds_option(3)
@quick_option
def questions(folder: Path, python: str | None, data: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    """Success@5 and MRR of questions to documentation; FOLDER keeps the packages with its pages."""
    of_seed: dict[int, list[Values]] = {seed: [] for seed in seeds}
    size = 0
    for name in data:
        collection = Collection.load(name, folder)
        size += len(collection.documents)
        peers = _peers(collection, python) if python else {}
        with table(collection.documents) as source:
            for seed in seeds:
                with indexed(source, seed=seed) as (engine, _):
                    found = {mode: list(rank(engine.searcher, collection.queries, DEPTH, mode)) for mode in SYSTEMS}
                if peers:
                    found |= peers | {FUSED: fused(found["bm25"], peers[NAME])}
                values = {system: collection.reciprocal_ranks(rankings) for system, rankings in found.items()}
                of_seed[seed].append(values)
                _write(name, len(collection.documents), values, seed)
        _intervals(name, [parts[-1] for parts in of_seed.values()])
    if set(data) == set(COLLECTIONS):
        every = {seed: _joined(parts) for seed, parts in of_seed.items()}
        for seed, values in every.items():
            _write("all questions", size, values, seed)
        for system, figures in _intervals("all questions", list(every.values())).items():
            write("questions, 95 % intervals", system, size, figures)


def _peers(collection: Collection, python: str) -> dict[str, list[Ranking]]:
    """The rankings of the sentence model: a document by its best passage, each read with the document's title."""
    texts, owners = [], []
    for owner, document in enumerate(collection.documents):
        spans = passages(document.text, PASSAGE)
        for start, end in dict.fromkeys([*spans[::2], spans[-1]]):  # every second: the others lie across two of these
            texts.append(f"{document.title}\n{document.text[start:end]}")
            owners.append(owner)
    with tempfile.TemporaryDirectory() as folder:
        model = Sentences(python, Path(folder))
        codes, _ = model.encode(texts)
        query_codes, _ = model.encode([query.text for query in collection.queries])
    starts = np.searchsorted(owners, np.arange(len(collection.documents)))
    scores = np.maximum.reduceat(query_codes @ codes.T, starts, axis=1)
    return {NAME: list(ranked(collection.queries, scores, [one.id for one in collection.documents]).values())}


def fused(one: Sequence[Ranking], other: Sequence[Ranking]) -> list[Ranking]:
    """Two systems by reciprocal ranks: Σ 1 / (60 + rank) (Cormack, Clarke & Büttcher, SIGIR 2009)."""
    rankings = []
    for pair in zip(one, other, strict=True):
        scores: dict[str, float] = {}
        for ranking in pair:
            for place, id in enumerate(ranking.ids, start=1):
                scores[id] = scores.get(id, 0.0) + 1 / (60 + place)
        best = sorted(scores, key=lambda id: -scores[id])[:DEPTH]
        rankings.append(Ranking(tuple(best), tuple(scores[id] for id in best)))
    return rankings


def _joined(parts: Sequence[Values]) -> Values:
    return {system: np.concatenate([part[system] for part in parts]) for system in parts[0]}


def _write(on: str, size: int, values: Values, seed: int) -> None:
    write(
        "success@5, questions", on, size, {name: float(np.mean(ranks >= 1 / 5)) for name, ranks in values.items()}, seed
    )
    write("MRR, questions", on, size, {name: float(ranks.mean()) for name, ranks in values.items()}, seed)


def _intervals(on: str, of_seeds: Sequence[Values]) -> dict[str, dict[str, float]]:
    """Print success@5 and MRR of each system, the mean of the seeds, with 95 % intervals over the questions."""
    figures = {}
    for system in of_seeds[0]:
        ranks = np.stack([values[system] for values in of_seeds])
        figures[system] = {}
        for name, scores in (("success@5", (ranks >= 1 / 5).mean(axis=0)), ("MRR", ranks.mean(axis=0))):
            low, high = confidence({str(i): score for i, score in enumerate(scores.tolist())}, seed=1)
            figures[system] |= {name: float(scores.mean()), f"{name} from": low, f"{name} to": high}
        echo("95 % intervals", f"{on}, {system}", figures[system])
    return figures


COMMANDS = (questions,)
