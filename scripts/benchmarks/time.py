"""Quality against training time: what each further pass over 20 Newsgroups brings, in a table and in a picture."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.newsgroups import part
from benchmarks.page import newest
from benchmarks.rows import PICTURE, Row, data, read, render, write
from benchmarks.runs import index, seeds_option
from benchmarks.topics import precision, retrievers
from textae.corpus import TableSpec
from textae.engine import Engine

WHAT = "P@100 by passes"
PASSES = (0, 1, 2, 5, 10, None)
SYSTEMS = ("tfidf", "lsa", "code", "bits")


@click.command()
@seeds_option
def time(seeds: tuple[int, ...]) -> None:
    """20 Newsgroups by date: P@100 after 0, 1, 2, 5, 10 and the default number of passes, with seconds."""
    source, test = data("20newsgroups", "corpus.jsonl.gz"), part("test")
    for seed in seeds:
        for passes in PASSES:
            with tempfile.TemporaryDirectory() as folder:
                spec = TableSpec(select=(("split", "train"),))
                cost = index(source, Path(folder), spec, seed=seed, passes=passes)
                with Engine.open(folder) as engine:
                    scored = precision(engine, retrievers(engine, SYSTEMS), test)
            write(WHAT, name_of(passes), cost.documents, {**scored, **cost.figures()}, seed)
    draw(read(), PICTURE)
    render()


def name_of(passes: int | None) -> str:
    """What the row calls it."""
    return "default passes" if passes is None else f"{passes} pass{'' if passes == 1 else 'es'}"


def draw(rows: Sequence[Row], picture: Path) -> None:
    """Draw P@100 over seconds of learning: a line for each of both codes, and what needs no training as a level.

    Args:
        rows: those of other measurements are passed over; of these the newest are drawn, seeds as their mean.
        picture: a .png.
    """
    from matplotlib.figure import Figure

    groups = newest(rows)[WHAT]
    series = [groups[name] for passes in PASSES if (name := name_of(passes)) in groups]
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    seconds = [_mean(group, "learning s") for group in series]
    for name, colour in (("bits", "#d1495b"), ("code", "#00798c")):
        heights = [_mean(group, name) for group in series]
        axes.plot(seconds, heights, "o-", color=colour, label=f"{name} (ours)")
    for (name, shown), dashes in zip((("lsa", "LSA-256"), ("tfidf", "tf-idf")), ("--", ":"), strict=True):
        axes.axhline(_mean(series[0], name), color="#777777", linestyle=dashes, label=shown)
    for group, x in zip(series, seconds, strict=True):
        axes.annotate(group[0].data.replace(" passes", "").replace(" pass", ""), (x, _mean(group, "bits")),
                      xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.set(xlabel="seconds of learning (the numbers are passes)", ylabel="P@100, 20 Newsgroups by date")
    axes.margins(y=0.1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(picture, dpi=150)


def _mean(rows: Sequence[Row], name: str) -> float:
    return statistics.fmean(row.figures[name] for row in rows)
