"""A corpus of bags on a device, and the batches that training draws from it.

Rows differ in length, so a batch is the postings of its rows, one row after the other, with the row of each posting.
No step loops over documents in Python, and of a long document it reads some words that are drawn
(`textae.training.drawing`). Everything is drawn on the device, and no step on a GPU waits for the shape of a tensor:
where the number of words is random, the batch is padded by postings of weight 0.
"""

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.weighting import tfidf
from textae.training.drawing import Drawing, counted, is_padding, postings_of, starts_of, uniform

SHORT = 10
"""Distinct words of a document of which half as large a share is hidden as of a long one."""

MOST_READ = 512
"""Different words of a document that a step, or a search for neighbours, reads."""

MOST_CROPPED = 15
"""Different words of a crop."""


@dataclass(frozen=True)
class Batch:
    """The postings of n rows.

    Attributes:
        terms: (n_postings,) int64.
        weights: (n_postings,) float32; those of padding are 0.
        row_of: (n_postings,) int64, rising: the row of each posting in the batch.
        lengths: (n,) int64, postings of each row without padding.
    """

    terms: Tensor
    weights: Tensor
    row_of: Tensor
    lengths: Tensor

    @property
    def starts(self) -> Tensor:
        """The first posting of each row: (n,)."""
        return starts_of(self.row_of, len(self.lengths))

    def hide(self, hidden: Tensor) -> "Batch":
        """The same rows, where the hidden postings, (n_postings,) bool, have weight 0."""
        return replace(self, weights=self.weights.masked_fill(hidden, 0))

    def dense(self, n: int, n_terms: int) -> Tensor:
        """The first n rows as a matrix: (n, n_terms)."""
        matrix = torch.zeros(n + 1, n_terms, device=self.terms.device)  # the last row is of all other rows
        at = self.row_of.clamp(max=n) * n_terms + self.terms
        return matrix.view(-1).index_add_(0, at, self.weights).view_as(matrix)[:n]


def joined(*batches: Batch) -> Batch:
    """The rows of several batches as one batch, to encode them at once."""
    first = itertools.accumulate((len(batch.lengths) for batch in batches), initial=0)
    parts = [(one.terms, one.weights, one.row_of + n, one.lengths) for one, n in zip(batches, first, strict=False)]
    return Batch(*map(torch.cat, zip(*parts, strict=True)))


def hide_words(batch: Batch, dropout: float, generator: Generator) -> Batch:
    """Hide words at random (de-noising, Vincent et al. 2008): a smaller share of a short document, never all words.

    Args:
        batch: n rows.
        dropout: the share of the words of a long document.
        generator: on the device.
    """
    length = batch.lengths[batch.row_of]  # (n_postings,)
    hidden = uniform(len(batch.terms), generator, batch.terms.device) < dropout * length / (length + SHORT)
    seen = ~hidden & (batch.weights > 0)  # padding is no word
    left = torch.zeros_like(batch.lengths).index_add_(0, batch.row_of, seen.long())  # (n,)
    # An empty bag has no direction: its gradient would be of the order of 1 / eps, and stay in Adam's moments.
    return batch.hide(hidden & (left > 0)[batch.row_of])


class DeviceBags:
    """The rows of a corpus on a device, weighted by tf-idf.

    Args:
        bags: n rows.
        idf: (n_terms,).
        device: holds the postings.
    """

    def __init__(self, bags: Bags, idf: Floats, device: torch.device) -> None:
        self.starts = torch.from_numpy(bags.starts).to(device)
        self.terms = torch.from_numpy(bags.terms.astype("int64")).to(device)
        self.counts = torch.from_numpy(bags.counts.astype("float32")).to(device)
        weights = tfidf(bags, idf)
        self._drawing = Drawing(bags.starts, weights, MOST_READ, device)
        self.weights = torch.from_numpy(weights).to(device)
        self.lengths = self.starts.diff()
        self.idf = torch.tensor(idf, device=device)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def matrix(self) -> Tensor:
        """The tf-idf vectors of the `MOST_READ` heaviest words of each row, of unit length: (n, n_terms), sparse."""
        row_of = torch.repeat_interleave(self.lengths)
        kept = places(self.weights.clamp(max=1), row_of, len(self)) < MOST_READ
        left_out = torch.zeros(len(self), device=row_of.device).index_add_(0, row_of[~kept], self.weights[~kept] ** 2)
        weights = (self.weights / (1 - left_out).sqrt()[row_of])[kept]
        starts = F.pad(self.lengths.clamp(max=MOST_READ).cumsum(0), (1, 0))
        with warnings.catch_warnings():  # torch calls compressed sparse rows a beta; only their product is used here
            warnings.filterwarnings("ignore", message="Sparse (CSR|invariant)", category=UserWarning)
            return torch.sparse_csr_tensor(starts, self.terms[kept], weights, (len(self), len(self.idf)))

    def batch(self, rows: Tensor) -> Batch:
        """Whole rows, by their numbers (n,) int64."""
        at, row_of, lengths = postings_of(self.starts, rows)
        return Batch(self.terms[at], self.weights[at], row_of, lengths)

    def drawn(self, rows: Tensor, generator: Generator) -> Batch:
        """Rows by their numbers (n,) int64, of each at most `MOST_READ` words; the generator is on the device."""
        at, row_of, lengths = self._drawing.postings(rows, generator)
        weights = self.weights[at] / self._drawing.chances[at]
        return Batch(self.terms[at], weights.masked_fill(is_padding(row_of, lengths), 0), row_of, lengths)

    def batches(self, size: int = 2_048) -> Iterator[Batch]:
        """All rows in their order."""
        yield from map(self.batch, torch.arange(len(self), device=self.terms.device).split(size))

    def crops(self, rows: Tensor, generator: Generator) -> Batch:
        """A pseudo-query of each row: a few of its terms, at most half, weighted by idf.

        Half of the crops draw 4 to 15 terms by their counts, half 3 to 9 by counts times idf, without replacement: the
        m largest keys u^(1/w), u uniform, are such a draw with probability proportional to w (Efraimidis & Spirakis
        2006). Of a long row they are drawn from `MOST_READ` of its terms, so counts are divided by their chances.

        Args:
            rows: (n,) int64.
            generator: on the device.
        """
        at, row_of, lengths = self._drawing.postings(rows, generator)
        counts, idf = self.counts[at] / self._drawing.chances[at], self.idf[self.terms[at]]  # (n_drawn,)
        plain, many, few = (uniform(len(rows), generator, rows.device) for _ in range(3))  # (n,)
        plain = plain < 0.5
        size = torch.where(plain, 4 + 12 * many, 3 + 7 * few).long()
        chances = torch.where(plain[row_of], counts, counts * idf).double()
        keys = uniform(len(at), generator, rows.device).double().clamp_min(1e-12) ** (1 / chances)
        keys = keys.masked_fill(is_padding(row_of, lengths), 0)  # padding comes last
        size = torch.minimum(size, (lengths + 1) // 2)  # all the words of a title would be too easy a query
        drawn = places(keys, row_of, len(rows)) < size[row_of]
        number = drawn.cumsum(0) - 1 - (size.cumsum(0) - size)[row_of]  # of a drawn posting in its crop
        slot = torch.where(drawn, row_of * MOST_CROPPED + number, len(rows) * MOST_CROPPED)  # the last is of all others
        cropped = at.new_zeros(len(rows) * MOST_CROPPED + 1).scatter_(0, slot, at)[:-1]
        row_of = torch.arange(len(rows), device=rows.device).repeat_interleave(MOST_CROPPED)
        weights = self.idf[self.terms[cropped]].masked_fill(is_padding(row_of, size), 0)
        kept = counted(weights)
        return Batch(self.terms[cropped][kept], weights[kept], row_of[kept], size)


def places(keys: Tensor, row_of: Tensor, n: int) -> Tensor:
    """The place of each posting in its row by falling keys, from 0: (n_postings,) int64.

    Args:
        keys: (n_postings,), from 0 to 1.
        row_of: (n_postings,) int64, rising.
        n: rows.
    """
    order = torch.argsort(row_of.double() + 1 - keys, stable=True)  # keys are within 0 and 1, so rows stay together
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=keys.device) - starts_of(row_of, n)[row_of[order]]
    return place
