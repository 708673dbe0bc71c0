"""A corpus as large as one likes, from one that there is: the same documents again, a tenth of the words others.

An exchanged word is drawn as often as it occurs in the corpus, so that term frequencies, lengths and the growth of the
vocabulary stay those of real text, and no two documents are the same.

    scripts/bench million million.jsonl && scripts/bench speed --source million.jsonl …
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import data
from benchmarks.runs import documents, save
from textae.types import Document

TIMES = 10
SHARE = 0.1


@dataclass(frozen=True)
class Words:
    """The words of a corpus, to be drawn from.

    Attributes:
        words: n different ones.
        share: (n,) of all occurrences, summed up to each word's.
    """

    words: tuple[str, ...]
    share: NDArray[np.float64]

    @classmethod
    def of(cls, corpus: Iterable[Document]) -> Words:
        """The words of these documents."""
        counted = Counter(word for document in corpus for word in f"{document.title} {document.text}".split())
        counts = np.cumsum(list(counted.values()))
        return cls(tuple(counted), counts / counts[-1])

    def exchange(self, text: str, share: float, rng: np.random.Generator) -> str:
        """The text, so great a share of its words exchanged; white space becomes single blanks."""
        words = text.split()
        places = rng.permutation(len(words))[: round(share * len(words))]
        drawn = np.searchsorted(self.share, rng.random(len(places)), side="right")
        for place, word in zip(places.tolist(), drawn.tolist(), strict=True):
            words[place] = self.words[word]
        return " ".join(words)


def variants(corpus: Iterable[Document], words: Words, copy: int, seed: int = 1) -> Iterator[Document]:
    """The documents again, with other words here and there, and `#copy` behind their ids.

    Args:
        corpus: the documents.
        words: to exchange words for.
        copy: its number; every copy is another.
        seed: of the drawing.
    """
    rng = np.random.default_rng([seed, copy])
    for document in corpus:
        title, text = (words.exchange(part, SHARE, rng) for part in (document.title, document.text))
        yield replace(document, id=f"{document.id}#{copy}", title=title, text=text)


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
def million(path: Path) -> None:
    """Write a million documents to PATH (.jsonl): arXiv's, ten times, a tenth of the words exchanged."""
    source = data("arxiv100k", "corpus.jsonl.gz")
    words = Words.of(documents(source))
    save((one for copy in range(TIMES) for one in variants(documents(source), words, copy)), path)
