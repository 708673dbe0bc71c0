"""The development suite: on it defaults are chosen, so that no test query and no test label is seen.

Queries are SciFact's training claims; titles, or first sentences, that must find their own text; a fifth of the
training part of 20 Newsgroups, which must find its groups; and arXiv's titles, which must find their categories.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import click

from benchmarks import datasets
from benchmarks.datasets import abstracts, documents, newsgroups, split, table, with_words
from benchmarks.harness.options import data_option, numbers, quick_option, seeds_option
from benchmarks.harness.precision import label_precision
from benchmarks.harness.rows import write
from benchmarks.harness.runs import by_system, indexed
from textae.config import TrainSpec
from textae.evaluation import read_qrels, read_queries
from textae.evaluation.run import by_judgements
from textae.index.modality import modality_of
from textae.index.snapshot import Snapshot
from textae.search.searcher import Searcher
from textae.types import Document, Query

SYSTEMS = ("bm25", "tfidf", "lsa", "code", "bits", "hybrid")
TITLED = ("cran", "cisi", "cacm", "lisa", "med", "npl")
SETS = ("scifact", *TITLED, "20newsgroups", "arxiv")
BITS_ALONE = "hybrid, 32 bytes"
"""The hybrid of an index that stores bits alone."""
QUERIES = 400
"""Queries of each set, at most; the standard error of a mean of 400 is about .02."""
SAMPLES = "10000,30000,100000"
"""Sizes of samples to learn from."""

_SENTENCE = re.compile(r"(?<=[a-z)]{2}[.?!])\s+|\s+\.\s+|\n\s*\n")


@dataclass(frozen=True)
class DevelopmentSet:
    """What is indexed and what is searched.

    Attributes:
        corpus: the documents.
        queries: with one or several right documents each.
        qrels: of the queries.
        labelled: documents that are queries, and whose label is right; none where `depth` is 0.
        depth: the k of P@k for these.
    """

    corpus: Sequence[Document]
    queries: Sequence[Query]
    qrels: Mapping[str, Mapping[str, int]]
    labelled: Sequence[Document] = ()
    depth: int = 0


class WithoutFloats(Snapshot):
    """An index of texts as if it stored bits alone, which are the same."""

    modality = modality_of(None, with_floats=False)


@click.command()
@data_option(SETS, smallest="med")
@seeds_option(3)
@quick_option
def development(data: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    """nDCG@10 and P@k of every system on the development suite."""
    for name in data:
        for seed in seeds:
            part = development_set(name)
            with table(part.corpus) as source, indexed(source, seed=seed) as (engine, cost):
                if part.queries:
                    board = engine.evaluate(part.queries, part.qrels, SYSTEMS, seed=seed)
                    figures = by_system(board.figures, "nDCG@10")
                    searcher = Searcher(WithoutFloats(engine.snapshot.reader))
                    alone = by_judgements(searcher, part.queries, part.qrels, ("hybrid",), None, seed, None)
                    figures[BITS_ALONE] = by_system(alone.figures, "nDCG@10")["hybrid"]
                    write("nDCG@10, development", name, cost.documents, figures, seed)
                if part.labelled:
                    hybrid = Searcher(WithoutFloats(engine.snapshot.reader)).retriever("hybrid")
                    systems = {one: engine.searcher.retriever(one) for one in SYSTEMS} | {BITS_ALONE: hybrid}
                    scores = label_precision(engine, systems, part.labelled, part.depth)
                    write(f"P@{part.depth}, development", name, cost.documents, scores, seed)


@click.command()
@click.option("--documents", "sizes", default=SAMPLES, show_default=True, callback=numbers, help="To learn from.")
@seeds_option(1)
@quick_option
def samples(sizes: tuple[int, ...], seeds: tuple[int, ...]) -> None:
    """What more documents to learn from are worth: all of arXiv's abstracts, learned from samples of several sizes."""
    held_out, others = split(abstracts(), (0.1, 0.9), seed=0)
    asking, rest = held_out[-QUERIES:], held_out[:-QUERIES]
    known = _known_items(rest)
    corpus = [*known.corpus, *(body for _, body in _titled(others))]
    titles = with_words(replace(document, text=document.title, title="") for document in asking)
    bodies = with_words(replace(document, title="") for document in asking)
    for seed in seeds:
        for size in sizes:
            train = TrainSpec(most_documents=size)
            with table(corpus) as source, indexed(source, train=train, seed=seed) as (engine, cost):
                board = engine.evaluate(known.queries, known.qrels, SYSTEMS, seed=seed)
                figures, data = by_system(board.figures, "nDCG@10"), f"learned from {min(size, cost.documents):,}"
                write("nDCG@10, samples", data, cost.documents, {**figures, **cost.figures()}, seed)
                for name, queries in (("titles", titles), ("abstracts", bodies)):
                    scores = label_precision(engine, SYSTEMS, queries, 10)
                    write(f"P@10 of {name}, samples", data, cost.documents, scores, seed)


def development_set(name: str) -> DevelopmentSet:
    """One of `SETS`; the same each time."""
    match name:
        case "scifact":
            corpus = list(documents(datasets.path(name, "corpus.jsonl.gz")))
            qrels = read_qrels(datasets.path(name, "qrels_train.tsv"))
            queries = [query for query in read_queries(datasets.path(name, "queries.jsonl")) if query.id in qrels]
            return DevelopmentSet(corpus, queries, qrels)
        case "20newsgroups":
            corpus, labelled = split(newsgroups("train"), (0.8, 0.2), seed=0)
            return DevelopmentSet(corpus, (), {}, labelled[:QUERIES], 100)
        case "arxiv":
            (some,) = split(abstracts(), (0.1,), seed=0)
            titles = [replace(document, text=document.title, title="") for document in some[-QUERIES:]]
            return replace(_known_items(some[:-QUERIES]), labelled=with_words(titles), depth=10)
    return _known_items(list(documents(datasets.path(name, "corpus.jsonl.gz"))))


def _known_items(corpus: Sequence[Document]) -> DevelopmentSet:
    """Titles that must find their own texts, where a document has both."""
    pairs = list(_titled(corpus))
    bodies = with_words(body for _, body in pairs)
    kept = {body.id for body in bodies}
    queries = [query for query, _ in pairs if query.id in kept]
    (queries,) = split(queries, (min(1.0, QUERIES / len(queries)),), seed=0)
    return DevelopmentSet(bodies, queries, {query.id: {query.id: 1} for query in queries})


def _titled(corpus: Sequence[Document]) -> Iterator[tuple[Query, Document]]:
    for document in corpus:
        title, text = document.title, document.text
        if title and text.startswith(title):
            text = text[len(title) :].lstrip(" .")
        if not title:
            title, text = _opening(text)
        if title and len(text.split()) >= 10:
            yield Query(document.id, title), replace(document, title="", text=text)


def _opening(text: str) -> tuple[str, str]:
    """The first sentence and the rest; the first eight words in NPL, which has no sentences."""
    if end := _SENTENCE.search(text):
        return text[: end.start()], text[end.end() :]
    words = text.split()
    return " ".join(words[:8]), " ".join(words[8:])


COMMANDS = (development, samples)
