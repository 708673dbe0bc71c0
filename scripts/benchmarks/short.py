"""Short texts: arXiv's titles alone, and its abstracts alone, that must find others of their category.

A title is eight words: half of them hidden leaves little, and two titles on one topic share none. What serves whole
documents (drop-out, neighbours, 256 dimensions) need not serve here, so LSA is asked at every size.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.rows import data, render, write
from benchmarks.runs import documents, index, seeds_option, split, table
from benchmarks.topics import precision, retrievers, with_words
from textae.engine import Engine
from textae.types import Document

SYSTEMS = ("tfidf", "lsa-16", "lsa-32", "lsa-64", "lsa-128", "lsa", "code", "bits")
CATEGORIES = 40
SHARES = (0.2, 0.05)
"""Of the documents in these categories a fourth, of which four fifths are found and one fifth asks."""


@click.command()
@seeds_option
def short(seeds: tuple[int, ...]) -> None:
    """arXiv, its 40 largest categories: titles ask titles, abstracts ask abstracts; P@100, same category."""
    corpus = largest(list(documents(data("arxiv100k", "corpus.jsonl.gz"))), CATEGORIES)
    for seed in seeds:
        found, asking = split(corpus, SHARES, seed)
        for name, view in (("titles", title), ("abstracts", abstract)):
            _run(f"arXiv {name}", found, asking, view, seed)
    render()


def _run(
    on: str, found: Sequence[Document], asking: Sequence[Document], view: Callable[[Document], Document], seed: int
) -> None:
    with table(map(view, found)) as source, tempfile.TemporaryDirectory() as folder:
        cost = index(source, Path(folder), seed=seed)
        with Engine.open(folder) as engine:
            scored = precision(engine, retrievers(engine, SYSTEMS), with_words(map(view, asking)))
    write("P@100, short texts", on, cost.documents, {**scored, **cost.figures()}, seed)


def largest(corpus: Sequence[Document], n: int) -> list[Document]:
    """The documents of the n largest categories (of two of one size the first in the alphabet), in their order."""
    sizes = Counter(str(document.fields["label"]) for document in corpus)
    kept = sorted(sizes, key=lambda label: (-sizes[label], label))[:n]
    return [document for document in corpus if document.fields["label"] in kept]


def title(document: Document) -> Document:
    """The title alone."""
    return replace(document, text=document.title, title="")


def abstract(document: Document) -> Document:
    """The abstract alone."""
    return replace(document, title="")
