"""Semantic hashing: short binary codes of 20 Newsgroups, by the protocol of the papers on it.

P@100, the same group is relevant, documents by Hamming distance, ties at the cut counted fairly
(`topics.expected_precision`). The labels are looked at to score, never to learn or to choose. There are two splits:

- random: both parts mixed; 60 % are learned from and found, 20 % ask, and the 20 % by which papers choose their models
  stay unused. So the papers describe it.
- by date: the training part is learned from and found, a random half of the test part asks; documents of 10 to 500
  different words. So the set that they share (ng20.tfidf.mat) was made: the notebook that makes it
  (github.com/bayesquant/VDSH, Prepare_newsgroups_dataset.ipynb) keeps 11,016 and 7,335 messages of the two parts by
  date, and halves the latter to 3,667 and 3,668. It is the harder one, for threads do not run across the cut.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from benchmarks.newsgroups import part, stripped, whole
from benchmarks.rows import render, say, write
from benchmarks.runs import index, numbers, split, table
from benchmarks.topics import precision
from textae.encoding.analyzer import Analysis
from textae.encoding.encoders import Encoder, Quantization
from textae.encoding.layers import unit
from textae.engine import Engine
from textae.index.chunked import ChunkedArray
from textae.index.snapshot import Snapshot
from textae.search.retrievers import CodeSearch, Retriever
from textae.search.vectors import HammingIndex
from textae.types import Document

SHARES = (0.6, 0.2, 0.2)
"""To learn and find, to choose models by, and to ask."""
WORDS = range(10, 501)
"""Different words of a document in the set that the papers share."""


@click.command()
@click.option("--seeds", default="1,2,3,4,5", show_default=True, callback=numbers, help="One split and run each.")
@click.option("--bits", default="16,32,64,128", show_default=True, callback=numbers, help="All from one training.")
@click.option("--split", "cut", type=click.Choice(["random", "date"]), default="random", show_default=True)
@click.option("--stripped", "strip", is_flag=True, help="Without headers, footers and quotes.")
@click.option("--quick", is_flag=True, help="The first seed, 64 bits, and no row is written.")
def hashing(seeds: tuple[int, ...], bits: tuple[int, ...], cut: str, strip: bool, quick: bool) -> None:
    """20 Newsgroups by the semantic-hashing protocol: P@100 of bits of several lengths, tf-idf, LSA and its bits."""
    edit = stripped if strip else whole
    parts = part("train", edit), part("test", edit)
    what = f"P@100, semantic hashing, {cut} split" + (", stripped" if strip else "")
    for seed in seeds[:1] if quick else seeds:
        training, test = by_date(*parts, seed) if cut == "date" else mixed(*parts, seed)
        with table(training) as source:
            for length, size, figures in _run(source, test, (64,) if quick else bits, seed):
                if quick:
                    say(what, f"{length} bits", figures)
                else:
                    write(what, f"{length} bits", size, figures, seed)
    if not quick:
        render()


def mixed(train: Sequence[Document], test: Sequence[Document], seed: int) -> tuple[list[Document], list[Document]]:
    """The random split: what is learned from and found, and what asks."""
    training, _, asking = split([*train, *test], SHARES, seed)
    return training, asking


def by_date(train: Sequence[Document], test: Sequence[Document], seed: int) -> tuple[list[Document], list[Document]]:
    """The split by date, of the documents that are neither very short nor very long: the same two."""
    terms = Analysis.of("english").terms
    training, asked = ([doc for doc in part if len(set(terms(doc.text))) in WORDS] for part in (train, test))
    return training, split(asked, (0.5, 0.5), seed)[1]


def _run(
    source: Path, test: Sequence[Document], lengths: Sequence[int], seed: int
) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Learn once, and score bits of every length beside what needs no learning: length, documents, figures."""
    with tempfile.TemporaryDirectory() as folder:
        cost = index(source, Path(folder), seed=seed)
        with Engine.open(folder) as engine:
            for length in lengths:
                retrievers: dict[str, Retriever] = {
                    "bits": engine.snapshot.system(f"bits-{length}"),
                    "tf-idf": engine.snapshot.system("tfidf"),
                    "LSA of as many numbers": engine.snapshot.system(f"lsa-{length}"),
                    "LSA bits": lsa_bits(engine.snapshot, length),
                }
                yield length, cost.documents, {**precision(engine, retrievers, test), **cost.figures()}


def lsa_bits(snapshot: Snapshot, n: int) -> CodeSearch:
    """LSA's coordinates cut at their medians, by Hamming distance: what a bit is worth before anything is learned.

    Args:
        snapshot: the index.
        n: bits, the first coordinates of LSA; each is set for half of the documents.
    """
    documents, start = snapshot.documents, snapshot.model.start
    known = documents.has_code.whole()
    floats = unit(documents.lsa.whole()[:, :n].astype(np.float32))
    planes = Quantization(np.median(floats[known], axis=0), np.eye(floats.shape[1], dtype=np.float32))
    encoder = replace(Encoder.lsa(start.words[:, :n], start.idf), quantization=planes)
    return CodeSearch(encoder, HammingIndex(ChunkedArray([planes.bits(floats, known)]), documents.has_code))
