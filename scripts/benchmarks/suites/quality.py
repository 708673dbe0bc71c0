"""Quality: judged queries, expansion by the decoder, topics of documents, short texts, and quality against time."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.datasets import (
    BY_DATE,
    COLLECTIONS,
    abstracts,
    collection,
    newsgroups,
    split,
    stripped,
    table,
    unchanged,
    with_words,
)
from benchmarks.harness.options import data_option, quick, quick_option, seeds_option, stripped_option
from benchmarks.harness.precision import label_precision, label_precisions
from benchmarks.harness.rows import ROOT, Row, newest, read, write
from benchmarks.harness.runs import by_system, indexed, query_vectors
from textae.engine import Engine
from textae.evaluation import judged
from textae.search.second_look import second_look
from textae.types import Document, Query, Ranking

JUDGED = ("bm25", "tfidf", "lsa-32", "lsa-64", "lsa-128", "lsa", "code", "bits", "hybrid")
BY_GROUP = ("bm25", "tfidf", "lsa-64", "lsa", "code", "bits-64", "bits", "hybrid")
SHORT = ("bm25", "tfidf", "lsa-32", "lsa-64", "lsa", "code", "bits", "hybrid")
BY_PASSES = ("tfidf", "lsa", "code", "bits")

EXPANSION_DEPTH = 1_000
CATEGORIES = 40
SHARES = (0.2, 0.02)
"""Of the documents in these categories: a fifth is indexed, a fiftieth are queries."""
PASSES = (0, 1, 2, 5, 10, None)
PASSES_TABLE = "P@100 by passes"
PICTURE = ROOT / "docs" / "quality-against-time.png"


@click.command()
@data_option(COLLECTIONS, smallest="med")
@seeds_option(3)
@quick_option
def retrieval(data: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    """nDCG@10 and recall@100 of every system on the seven judged collections, with one set of defaults."""
    for name in data:
        corpus, queries, qrels = collection(name)
        for seed in seeds:
            with indexed(corpus, seed=seed) as (engine, cost):
                board = engine.evaluate(queries, qrels, JUDGED, seed=seed)
            for metric in ("nDCG@10", "recall@100"):
                write(metric, name, cost.documents, {**by_system(board.figures, metric), **cost.figures()}, seed)


@click.command()
@data_option(COLLECTIONS, smallest="med")
@seeds_option(3)
@quick_option
def expansion(data: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    """nDCG@10 and recall@100 of bm25 and hybrid on the seven collections, with and without the decoder's words.

    The number of added words and their weight were chosen on SciFact's training claims and on titles from arXiv, never
    on the queries measured here.
    """
    for name in data:
        corpus, queries, qrels = collection(name)
        for seed in seeds:
            with indexed(corpus, seed=seed) as (engine, cost):
                scores = {
                    f"{mode} expanded" if expanded else mode: judged(
                        _rankings(engine, mode, queries, expanded=expanded), qrels
                    )
                    for mode in ("bm25", "hybrid")
                    for expanded in (False, True)
                }
            for metric in ("nDCG@10", "recall@100"):
                figures = {system: statistics.fmean(values[metric].values()) for system, values in scores.items()}
                write(f"{metric}, expansion", name, cost.documents, figures, seed)


def _rankings(engine: Engine, mode: str, queries: Sequence[Query], *, expanded: bool) -> dict[str, Ranking]:
    searcher, snapshot, rankings = engine.searcher, engine.snapshot, {}
    for query, vector in zip(queries, query_vectors(engine, [query.text for query in queries]), strict=True):
        vector = second_look(searcher, searcher.expanded(vector) if expanded else vector, mode)
        best = searcher.rank(vector, EXPANSION_DEPTH, mode)
        ids = [snapshot.ids[number] for number in snapshot.searched.doc_numbers.take(best.rows).tolist()]
        rankings[query.id] = Ranking(tuple(ids), tuple(best.scores.tolist()))
    return rankings


@click.command("newsgroups")
@seeds_option(3)
@stripped_option
@quick_option
def by_group(seeds: tuple[int, ...], strip: bool) -> None:
    """P@100 on 20 Newsgroups by date, with 64 and 256 bits: test messages are queries, the same group is relevant."""
    edit = stripped if strip else unchanged
    test = newsgroups("test", edit)
    with table(newsgroups("train", edit)) as source:
        for seed in seeds:
            with indexed(source, seed=seed) as (engine, cost):
                scores = label_precision(engine, BY_GROUP, test)
            write("P@100", BY_DATE + ", stripped" * strip, cost.documents, {**scores, **cost.figures()}, seed)


@click.command()
@seeds_option(3)
@quick_option
def short(seeds: tuple[int, ...]) -> None:
    """P@10 and P@100 on arXiv's 40 largest categories, of titles and abstracts among titles and abstracts.

    A title has eight words: half of them hidden leaves little, and two titles on one topic share none. What serves
    whole documents (word dropout, neighbours, 256 dimensions) need not serve here, so LSA has every size. The documents
    of the development suite are left out.
    """
    _, unseen = split(abstracts(), (0.1, 0.9), seed=0)
    corpus = largest(unseen, CATEGORIES)
    views: dict[str, Callable[[Document], Document]] = {
        "titles": lambda document: replace(document, text=document.title, title=""),
        "abstracts": lambda document: replace(document, title=""),
    }
    for seed in seeds:
        indexing, querying = split(corpus, SHARES, seed)
        for name, view in views.items():
            with table(map(view, indexing)) as source, indexed(source, seed=seed) as (engine, cost):
                for asking, query in views.items():
                    asked, data = with_words(map(query, querying)), f"{asking} among {name}"
                    for depth, scores in label_precisions(engine, SHORT, asked, (10, 100)).items():
                        write(f"P@{depth}, short texts", data, cost.documents, {**scores, **cost.figures()}, seed)


def largest(corpus: Sequence[Document], n: int) -> list[Document]:
    """The documents of the n largest categories, in their order; of categories of equal size, the alphabet decides."""
    sizes = Counter(str(document.fields["label"]) for document in corpus)
    kept = sorted(sizes, key=lambda label: (-sizes[label], label))[:n]
    return [document for document in corpus if document.fields["label"] in kept]


@click.command("time")
@seeds_option(3)
@quick_option
def by_passes(seeds: tuple[int, ...]) -> None:
    """P@100 and seconds on 20 Newsgroups by date, after 0, 1, 2, 5, 10 and the default number of passes."""
    test = newsgroups("test")
    with table(newsgroups("train")) as source:
        for seed in seeds:
            for passes in PASSES[:1] if quick() else PASSES:
                with indexed(source, seed=seed, passes=passes) as (engine, cost):
                    scores = label_precision(engine, BY_PASSES, test)
                write(PASSES_TABLE, name_of(passes), cost.documents, {**scores, **cost.figures()}, seed)
    if not quick():
        draw_passes(read(), PICTURE)


def name_of(passes: int | None) -> str:
    """The name of the data in a row."""
    return "default passes" if passes is None else f"{passes} pass{'' if passes == 1 else 'es'}"


def draw_passes(rows: Sequence[Row], picture: Path) -> None:
    """Draw P@100 over seconds of learning: a line for each kind of code, a level for each system without training.

    Args:
        rows: all rows; the newest of PASSES_TABLE are drawn, seeds as their mean.
        picture: a .png.
    """
    from matplotlib.figure import Figure

    groups = newest(rows)[PASSES_TABLE]
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


COMMANDS = (retrieval, expansion, by_group, short, by_passes)
