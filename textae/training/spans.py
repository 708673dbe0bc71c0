"""Words of a document that follow each other, as queries that the corpus brings along.

A document opens with its title or with the sentence that says what it is about: what a person would ask for it. The
bag of a document does not know this order, so spans read its tokens.
"""

import torch
from torch import Generator, Tensor

from textae.encoding.bags import Tokens
from textae.training.batches import Batch
from textae.training.drawing import counted, uniform

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
        """The first words of each row, (n,) int64; the generator is on the device."""
        return self._batch(rows, self._sizes(rows, generator), torch.zeros_like(rows))

    def anywhere(self, rows: Tensor, generator: Generator) -> Batch:
        """Words from a random place of each row, (n,) int64; the generator is on the device."""
        sizes = self._sizes(rows, generator)
        places = uniform(len(rows), generator, rows.device) * (self._lengths(rows) - sizes + 1)
        return self._batch(rows, sizes, places.long())

    def _lengths(self, rows: Tensor) -> Tensor:
        return self._starts[rows + 1] - self._starts[rows]

    def _sizes(self, rows: Tensor, generator: Generator) -> Tensor:
        drawn = SHORTEST + (LONGEST - SHORTEST + 1) * uniform(len(rows), generator, rows.device)
        return torch.minimum(drawn.long(), (self._lengths(rows) + 1) // 2)

    def _batch(self, rows: Tensor, sizes: Tensor, places: Tensor) -> Batch:
        """The different terms of the spans of these sizes, (n,), at these places of the rows, (n,); padded."""
        n_terms, words = len(self._idf), torch.arange(LONGEST, device=rows.device)
        at = torch.minimum((self._starts[rows] + places)[:, None] + words, self._starts[rows + 1][:, None] - 1)
        terms = self._terms[at].long().masked_fill(words >= sizes[:, None], n_terms).sort(dim=1).values  # (n, LONGEST)
        once = (terms < n_terms) & (terms != terms.roll(1, 1)).index_fill(1, words[:1], True)
        terms = terms.clamp(max=n_terms - 1)
        weights = self._idf[terms].masked_fill(~once, 0).flatten()
        row_of = torch.arange(len(rows), device=rows.device).repeat_interleave(LONGEST)
        kept = counted(weights)
        return Batch(terms.flatten()[kept], weights[kept], row_of[kept], once.sum(dim=1))
