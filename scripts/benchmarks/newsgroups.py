"""Documents that ask for their topic: 20 Newsgroups by date, with its headers, and without what gives the group away.

A message's header names its newsgroup's machines and people, its quotes are other messages' text, its footer is a
signature: with them a group is found by who writes, without them by what is written. Messages of which nothing is left
are neither indexed nor asked.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.rows import data, render, write
from benchmarks.runs import documents, index, seeds_option, table
from benchmarks.topics import precision, retrievers, with_words
from textae.corpus import TableSpec
from textae.engine import Engine
from textae.types import Document

SYSTEMS = ("bm25", "tfidf", "lsa-64", "lsa", "code", "bits-64", "bits", "hybrid")
QUOTED = re.compile(r"(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)")
"""Lines that are quoted, or that say who is quoted; as scikit-learn knows them."""


@click.command()
@seeds_option
@click.option("--stripped", "strip", is_flag=True, help="Without headers, footers and quotes.")
def newsgroups(seeds: tuple[int, ...], strip: bool) -> None:
    """20 Newsgroups by date: the test part asks the training part; P@100, 64 and 256 bits; same group is relevant."""
    edit = stripped if strip else whole
    on = "20newsgroups by date" + (", stripped" if strip else "")
    test = part("test", edit)
    with table(part("train", edit)) as source:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                cost = index(source, Path(folder), seed=seed)
                with Engine.open(folder) as engine:
                    scored = precision(engine, retrievers(engine, SYSTEMS), test)
            write("P@100", on, cost.documents, {**scored, **cost.figures()}, seed)
    render()


def whole(document: Document) -> Document:
    """A message as it is."""
    return document


def part(split: str, edit: Callable[[Document], Document] = whole) -> list[Document]:
    """The documents of `train` or `test`, edited; those that still hold a word."""
    source = data("20newsgroups", "corpus.jsonl.gz")
    return with_words(map(edit, documents(source, TableSpec(select=(("split", split),)))))


def stripped(document: Document) -> Document:
    """A message without header, footer and quotes, in the order in which scikit-learn's `remove=` takes them."""
    return replace(document, text=without_quotes(without_footer(without_header(document.text))))


def without_header(message: str) -> str:
    """What follows the first empty line."""
    return message.partition("\n\n")[2]


def without_footer(message: str) -> str:
    """What stands before the last line that is empty or made of hyphens: after it comes the signature."""
    lines = message.strip().split("\n")
    ends = [i for i, line in enumerate(lines) if not line.strip().strip("-")]
    return "\n".join(lines[: ends[-1]]) if ends and ends[-1] else message


def without_quotes(message: str) -> str:
    """The lines that nobody is quoted in."""
    return "\n".join(line for line in message.split("\n") if not QUOTED.search(line))
