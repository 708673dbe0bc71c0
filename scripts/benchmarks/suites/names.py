"""Known items by name: documents that are searched by their id, its last part, their file name or their title.

A query is right with the first document that has this name; several may share a last part or a title. Names are drawn
from the documents; only the popular ones, which others mention everywhere, are chosen by hand. `by text` is the same
system without names.

    scripts/bench names --folder ~/rfc      also the titles and file names of a folder
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

import click
import numpy as np

from benchmarks import datasets
from benchmarks.harness.options import data_option, quick_option, seeds_option
from benchmarks.harness.rows import ROOT, write
from benchmarks.harness.runs import indexed
from textae.encoding.analyzer import words
from textae.engine import Engine
from textae.search.second_look import second_look
from textae.types import Document

MODES = ("bm25", "hybrid")
DRAWN = 200
DEPTH = 1_000
_POPULAR = """
    pandas.read_csv pandas.DataFrame pandas.DataFrame.merge pandas.concat torch.nn.Linear torch.nn.Conv2d
    torch.optim.Adam subprocess.run json.loads json.load json.dumps os.path.join numpy.array numpy.where
    numpy.linalg.svd collections.Counter datetime.datetime pathlib.Path scipy.optimize.minimize sklearn.cluster.KMeans
    sklearn.linear_model.LogisticRegression threading.Thread argparse.ArgumentParser urllib.request.urlopen
    logging.getLogger shutil.copy tempfile.TemporaryDirectory asyncio.run unittest.mock.patch zipfile.ZipFile
    typing.Protocol dataclasses.dataclass enum.Enum bisect.bisect_left
"""
POPULAR = frozenset(_POPULAR.split())
PYTHON, SOURCES = "python", "textae's sources"
TITLED = ("scifact", "cran", "cisi", "cacm", "lisa")

Naming = Callable[[Document], str]
"""The name by which a document is searched; "" for none."""


def popular(document: Document) -> str:
    """The id of one of `POPULAR`."""
    return document.id if document.id in POPULAR else ""


def last_part(document: Document) -> str:
    """What stands behind the last dot, as a module's function."""
    return document.id.rpartition(".")[2]


def file_name(document: Document) -> str:
    """The name of a file."""
    return PurePath(document.id).name


def file_stem(document: Document) -> str:
    """The name of a file without its ending."""
    return PurePath(document.id).stem


def title(document: Document) -> str:
    """A title of at least two words; of an RFC without its number."""
    text = re.sub(r"^RFC \d+: ", "", document.title)
    return text if len(words(text)) > 1 else ""


def most_of_title(document: Document) -> str:
    """A title without every fourth word."""
    return " ".join(word for at, word in enumerate(title(document).split()) if at % 4 != 2)


@click.command()
@data_option((PYTHON, SOURCES, *TITLED), smallest=SOURCES)
@click.option("--folder", type=click.Path(exists=True, path_type=Path), help="A folder of files that have titles.")
@seeds_option(3)
@quick_option
def names(data: tuple[str, ...], folder: Path | None, seeds: tuple[int, ...]) -> None:
    """MRR of bm25 and hybrid for known items by name, with names and by text alone."""
    of_python: dict[str, Naming] = {"ids": lambda document: document.id, "last parts": last_part}
    collections: list[tuple[str, Path, dict[str, Naming]]] = [
        (PYTHON, Path("python"), {**of_python, "popular ids": popular}),
        (SOURCES, ROOT / "textae", {"file names": file_name, "without endings": file_stem}),
    ]
    for name in TITLED:
        collections.append(
            (name, datasets.path(name, "corpus.jsonl.gz"), {"titles": title, "3/4 titles": most_of_title})
        )
    if folder is not None:
        namings: dict[str, Naming] = {"titles": title, "3/4 titles": most_of_title, "file names": file_name}
        collections.append((folder.name, folder, namings))
    kept = (*data, folder.name) if folder is not None else data
    for name, source, namings in collections:
        if name not in kept:
            continue
        for seed in seeds:
            with indexed(source, seed=seed) as (engine, cost):
                documents = list(engine.snapshot.reader.stream())
                for what, naming in namings.items():
                    write("known items by name, MRR", f"{name}, {what}", cost.documents,
                          _mean_reciprocal_ranks(engine, documents, naming, seed), seed)  # fmt: skip


def _mean_reciprocal_ranks(
    engine: Engine, documents: Sequence[Document], naming: Naming, seed: int
) -> dict[str, float]:
    owners: dict[str, set[str]] = {}
    for document in documents:
        owners.setdefault(naming(document).casefold(), set()).add(document.id)
    named = [document for document in documents if naming(document)]
    drawn = np.random.default_rng(seed).permutation(len(named))[:DRAWN]
    figures: dict[str, list[float]] = {f"{mode}{text}": [] for text in (" by text", "") for mode in MODES}
    for name in (naming(named[i]) for i in drawn):
        vector = engine.searcher.text_query(name)
        for system, ranks in figures.items():
            query = replace(vector, text="") if system.endswith(" by text") else vector
            mode = system.split()[0]
            best = engine.searcher.rank(second_look(engine.searcher, query, mode), DEPTH, mode)
            ids = [
                engine.snapshot.ids[number] for number in engine.snapshot.searched.doc_numbers.take(best.rows).tolist()
            ]
            right = (rank for rank, id in enumerate(ids, start=1) if id in owners[name.casefold()])
            ranks.append(1 / next(right, np.inf))
    return {system: statistics.fmean(ranks) for system, ranks in figures.items()}


COMMANDS = (names,)
