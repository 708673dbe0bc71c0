"""The corpora of the benchmarks: files below TEXTAE_DATA, their splits, and variants of their documents."""

from __future__ import annotations

import itertools
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.options import quick
from textae.corpus import TableSpec, read
from textae.encoding.analyzer import searchable, spans
from textae.evaluation import read_qrels, read_queries
from textae.types import Document, Query

T = TypeVar("T")

COLLECTIONS = ("scifact", "cran", "med", "cisi", "cacm", "npl", "lisa")
BY_DATE = "20newsgroups by date"


def path(*parts: str) -> Path:
    """The path of a file below TEXTAE_DATA.

    Raises:
        ClickException: TEXTAE_DATA is not set.
    """
    folder = os.environ.get("TEXTAE_DATA")
    if not folder:
        raise click.ClickException("set TEXTAE_DATA to the folder that holds the corpora (scifact/, cran/, …)")
    return Path(folder).joinpath(*parts)


def documents(source: Path, spec: TableSpec | None = None) -> Iterator[Document]:
    """The documents of a source."""
    return (item for item in read([str(source)], spec) if isinstance(item, Document))


def save(documents: Iterable[Document], path: Path) -> None:
    """Write documents as a JSON-lines table."""
    with path.open("w", encoding="utf-8") as file:
        for document in documents:
            row = {"id": document.id, "title": document.title, "text": document.text, **document.fields}
            file.write(json.dumps(row) + "\n")


@contextmanager
def table(documents: Iterable[Document]) -> Iterator[Path]:
    """Write documents as a temporary table, which is deleted afterwards."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        save(documents, Path(file.name))
        yield Path(file.name)


def split(items: Sequence[T], shares: Sequence[float], seed: int) -> list[list[T]]:
    """Shuffle items and cut them into parts.

    Args:
        items: to be split.
        shares: the fraction of the items in each part; where their sum is below 1, the rest is in no part.
        seed: of the shuffling.
    """
    order = np.random.default_rng(seed).permutation(len(items))
    ends = [0, *np.rint(np.cumsum(shares) * len(items)).astype(int)]
    return [[items[i] for i in order[first:last]] for first, last in itertools.pairwise(ends)]


def with_words(documents: Iterable[Document]) -> list[Document]:
    """The documents that have at least one word; an index skips the others, and they cannot be queries."""
    return [document for document in documents if next(spans(searchable(document)), None) is not None]


class Collection(NamedTuple):
    """A collection with relevance judgements."""

    corpus: Path
    queries: list[Query]
    qrels: Mapping[str, Mapping[str, int]]


def collection(name: str) -> Collection:
    """One of COLLECTIONS."""
    queries, qrels = read_queries(path(name, "queries.jsonl")), read_qrels(path(name, "qrels.tsv"))
    return Collection(path(name, "corpus.jsonl.gz"), queries, qrels)


def unchanged(document: Document) -> Document:
    """A document as it is."""
    return document


def newsgroups(split: str, edit: Callable[[Document], Document] = unchanged) -> list[Document]:
    """20 Newsgroups by date: the edited messages of `train` or `test` that still have a word."""
    source = path("20newsgroups", "corpus.jsonl.gz")
    return with_words(map(edit, some(documents(source, TableSpec(select=(("split", split),))))))


def abstracts() -> list[Document]:
    """The abstracts from arXiv."""
    return list(some(documents(path("arxiv100k", "corpus.jsonl.gz"))))


def some(items: Iterable[T]) -> Iterable[T]:
    """The items of a large corpus; every tenth where the command is to be quick."""
    return itertools.islice(items, 0, None, 10) if quick() else items


QUOTED = re.compile(r"(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)")
"""Quoted lines, and lines that name the person who is quoted: scikit-learn's expression."""


def stripped(message: Document) -> Document:
    """A message without header, footer and quotes.

    A header names the newsgroup's machines and people, quotes are the text of other messages, a footer is a signature:
    with them, a group is found by who writes; without them, by what is written. The three are removed in the order of
    scikit-learn's `remove=`.
    """
    return replace(message, text=without_quotes(without_footer(without_header(message.text))))


def without_header(message: str) -> str:
    """The text after the first empty line."""
    return message.partition("\n\n")[2]


def without_footer(message: str) -> str:
    """The text before the last line that is empty or consists of hyphens: the signature follows that line."""
    lines = message.strip().split("\n")
    ends = [i for i, line in enumerate(lines) if not line.strip().strip("-")]
    return "\n".join(lines[: ends[-1]]) if ends and ends[-1] else message


def without_quotes(message: str) -> str:
    """The lines that are no quotes."""
    return "\n".join(line for line in message.split("\n") if not QUOTED.search(line))


VARIED = 0.1
"""The fraction of a document's words that a variant exchanges."""


@dataclass(frozen=True)
class WordFrequencies:
    """The distribution of the words of a corpus, to draw words from.

    Attributes:
        words: n different words.
        cumulative: (n,) cumulative relative frequencies of the words.
    """

    words: tuple[str, ...]
    cumulative: NDArray[np.float64]

    @classmethod
    def of(cls, corpus: Iterable[Document]) -> WordFrequencies:
        """Count the words of documents."""
        counter = Counter(word for document in corpus for word in f"{document.title} {document.text}".split())
        counts = np.cumsum(list(counter.values()))
        return cls(tuple(counter), counts / counts[-1])

    def exchange(self, text: str, share: float, rng: np.random.Generator) -> str:
        """Replace a share of the words of a text by drawn words; white space becomes single blanks."""
        words = text.split()
        places = rng.permutation(len(words))[: round(share * len(words))]
        drawn = np.searchsorted(self.cumulative, rng.random(len(places)), side="right")
        for place, word in zip(places.tolist(), drawn.tolist(), strict=True):
            words[place] = self.words[word]
        return " ".join(words)


def variants(corpus: Iterable[Document], words: WordFrequencies, copy: int, seed: int = 1) -> Iterator[Document]:
    """Copies of documents in which a tenth of the words are exchanged, with `#copy` after their ids.

    An exchanged word is drawn by its frequency in the corpus, so that term frequencies, lengths and the growth of the
    vocabulary stay those of real text, and no two documents are the same.

    Args:
        corpus: the documents.
        words: to draw from.
        copy: the number of the copy; copies of different numbers differ.
        seed: of the drawing.
    """
    rng = np.random.default_rng([seed, copy])
    for document in corpus:
        title, text = (words.exchange(part, VARIED, rng) for part in (document.title, document.text))
        yield replace(document, id=f"{document.id}#{copy}", title=title, text=text)
