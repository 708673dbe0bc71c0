"""Words of a document that follow each other, as queries that the corpus brings along.

A document opens with its title or with the sentence that says what it is about: what a person would ask for it. The
bag of a document does not know this order, so spans read its tokens.
"""

import torch
from torch import Generator, Tensor

from textae.encoding.bags import Tokens
from textae.training.batches import Batch
from textae.training.drawing import uniform

SHORTEST, LONGEST = 5, 12
"""Words of a span, at most half of the document's."""


class Spans:
    """Draws a span of each of some documents, weighted by idf.

    Args:
        tokens: n rows of known terms alone.
        idf: (n_terms,), on the device that holds the spans.
    """

    def __init__(self, tokens: Tokens, idf: Tensor) -> None:
        self._starts = torch.from_numpy(tokens.starts).to(idf.device)
        self._terms = torch.from_numpy(tokens.terms).to(idf.device)
        self._idf = idf

    def opening(self, rows: Tensor, generator: Generator) -> Batch:
        """The first words of each row, (n,) int64; the generator is on the CPU."""
        return self._batch(rows, self._sizes(rows, generator), torch.zeros_like(rows))

    def anywhere(self, rows: Tensor, generator: Generator) -> Batch:
        """Words from a random place of each row, (n,) int64; the generator is on the CPU."""
        sizes = self._sizes(rows, generator)
        places = uniform(len(rows), generator, rows.device) * (self._lengths(rows) - sizes + 1)
        return self._batch(rows, sizes, places.long())

    def _lengths(self, rows: Tensor) -> Tensor:
        return self._starts[rows + 1] - self._starts[rows]

    def _sizes(self, rows: Tensor, generator: Generator) -> Tensor:
        drawn = SHORTEST + (LONGEST - SHORTEST + 1) * uniform(len(rows), generator, rows.device)
        return torch.minimum(drawn.long(), (self._lengths(rows) + 1) // 2)

    def _batch(self, rows: Tensor, sizes: Tensor, places: Tensor) -> Batch:
        """The different terms of the spans of these sizes, (n,), at these places of the rows, (n,)."""
        ends = sizes.cumsum(0)
        row_of = torch.repeat_interleave(sizes)  # (n_words,)
        at = torch.arange(len(row_of), device=rows.device) + (self._starts[rows] + places - ends + sizes)[row_of]
        n_terms = len(self._idf)
        keys = torch.unique(row_of * n_terms + self._terms[at])  # rising: row after row
        row_of, terms = keys // n_terms, keys % n_terms
        return Batch(terms, self._idf[terms], row_of, torch.bincount(row_of, minlength=len(rows)))
