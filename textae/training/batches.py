"""A corpus of bags on the device, and what training draws from it: whole rows, words left out, query-like crops.

Rows have different lengths; a batch is the postings of its rows, one after the other, with the row of each posting.
No step touches a document in Python.
"""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from textae.encoding.arrays import Floats
from textae.encoding.bags import Bags
from textae.encoding.weighting import term_frequencies, tfidf


@dataclass(frozen=True)
class Batch:
    """The postings of some rows.

    Attributes:
        terms: (n_postings,) int64.
        weights: (n_postings,) float32.
        row_of: (n_postings,) int64, rising: which row of the batch.
        lengths: (n,) int64, postings of each row.
    """

    terms: Tensor
    weights: Tensor
    row_of: Tensor
    lengths: Tensor

    @property
    def starts(self) -> Tensor:
        """Where each row begins: (n,)."""
        return torch.cumsum(self.lengths, 0) - self.lengths

    def hide(self, hidden: Tensor) -> "Batch":
        """The same rows with the weight of some postings at zero, as if they were not there: hidden (n_postings,)."""
        return Batch(self.terms, self.weights.masked_fill(hidden, 0), self.row_of, self.lengths)

    def dense(self, n: int, n_terms: int) -> Tensor:
        """The first n rows as a matrix (n, n_terms)."""
        inside = self.row_of < n
        matrix = torch.zeros(n, n_terms, device=self.terms.device)
        return matrix.index_put_((self.row_of[inside], self.terms[inside]), self.weights[inside])


def joined(*batches: Batch) -> Batch:
    """The rows of several batches as those of one, to encode them at once."""
    rows, row_of = 0, []
    for batch in batches:
        row_of.append(batch.row_of + rows)
        rows += len(batch.lengths)
    return Batch(
        torch.cat([batch.terms for batch in batches]),
        torch.cat([batch.weights for batch in batches]),
        torch.cat(row_of),
        torch.cat([batch.lengths for batch in batches]),
    )


SHORT = 10
"""Distinct words of a document of which half as many are hidden as of a long one."""


def hide_words(batch: Batch, drop: float, generator: torch.Generator) -> Batch:
    """Words hidden at random (de-noising, Vincent et al. 2008); of a title fewer, or nothing would be left.

    Args:
        batch: n rows.
        drop: the share of a long document's words.
        generator: on the CPU.
    """
    length = batch.lengths[batch.row_of]
    share = drop * length / (length + SHORT)
    hidden = uniform(len(batch.terms), generator, batch.terms.device) < share
    left = torch.zeros_like(batch.lengths).index_add_(0, batch.row_of, (~hidden).long())
    # A bag of nothing has no direction: its gradient would be of the order of 1 / eps, and stay in Adam's moments.
    return batch.hide(hidden & (left > 0)[batch.row_of])


class DeviceBags:
    """All rows of a corpus on a device.

    Args:
        bags: n rows.
        idf: (n_terms,).
        device: where they are kept.
    """

    def __init__(self, bags: Bags, idf: Floats, device: torch.device) -> None:
        starts = torch.from_numpy(bags.starts).to(device)
        self.first, self.lengths = starts[:-1], starts.diff()
        self.terms = torch.from_numpy(bags.terms.astype("int64")).to(device)
        self.counts = torch.from_numpy(bags.counts.astype("float32")).to(device)
        self.weights = torch.from_numpy(tfidf(bags, idf)).to(device)
        self.idf = torch.tensor(idf, device=device)
        self.starts = starts

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def matrix(self) -> Tensor:
        """The tf-idf vectors as a sparse matrix (n, n_terms)."""
        with warnings.catch_warnings():  # torch calls compressed sparse rows a beta; all we ask of them is a product
            warnings.filterwarnings("ignore", message="Sparse (CSR|invariant)", category=UserWarning)
            return torch.sparse_csr_tensor(self.starts, self.terms, self.weights, (len(self), len(self.idf)))

    def _at(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The places of these rows' postings, the row of each in the batch, and the rows' lengths."""
        return places(self.first, self.lengths, rows)

    def batch(self, rows: Tensor) -> Batch:
        """These rows, whole."""
        at, row_of, lengths = self._at(rows)
        return Batch(self.terms[at], self.weights[at], row_of, lengths)

    def crops(self, rows: Tensor, generator: torch.Generator) -> Batch:
        """Of each row a few terms, as a query has them, weighted by idf.

        Half of the crops draw 4 to 15 words as they occur, half 3 to 9 by idf, without replacement: with the keys
        u^(1/w), u uniform, the largest m are such a draw with probability proportional to w (Efraimidis & Spirakis
        2006).

        Args:
            rows: (n,) int64.
            generator: on the CPU.
        """
        at, row_of, lengths = self._at(rows)
        counts, idf = self.counts[at], self.idf[self.terms[at]]
        plain = uniform(len(rows), generator, rows.device) < 0.5
        size = torch.where(
            plain,
            4 + 12 * uniform(len(rows), generator, rows.device),
            3 + 7 * uniform(len(rows), generator, rows.device),
        ).long()
        chances = torch.where(plain[row_of], counts, counts * idf).double()
        keys = uniform(len(at), generator, rows.device).double().clamp_min(1e-12) ** (1 / chances)
        order = torch.argsort(row_of.double() + 1 - keys, stable=True)  # keys are within 0 and 1, so rows stay together
        rank = torch.empty_like(order)
        rank[order] = torch.arange(len(order), device=rows.device) - (torch.cumsum(lengths, 0) - lengths)[row_of[order]]
        size = torch.minimum(size, (lengths + 1) // 2)  # all the words of a title would be too easy a query
        drawn = rank < size[row_of]
        return Batch(self.terms[at][drawn], idf[drawn], row_of[drawn], size)


class DeviceShares:
    """Documents as distributions over words, on a device: counts divided by their sum (Hinton & Salakhutdinov 2006).

    Args:
        bags: n rows, none of them empty.
        n_terms: that the bags are over.
        device: where they are kept.

    Attributes:
        n_terms: see above.
        device: see above.
        length: the mean number of words in a document.
    """

    def __init__(self, bags: Bags, n_terms: int, device: torch.device) -> None:
        starts = torch.from_numpy(bags.starts).to(device)
        self._first, self._lengths = starts[:-1], starts.diff()
        self._terms = torch.from_numpy(bags.terms.astype("int64")).to(device)
        self._shares = torch.from_numpy(term_frequencies(bags)).to(device)
        self.n_terms, self.device = n_terms, device
        self.length = float(bags.counts.sum(dtype="int64")) / max(1, len(bags))

    def __len__(self) -> int:
        return len(self._lengths)

    def rows(self, rows: Tensor) -> Tensor:
        """These documents, whole: (n, n_terms), rows of sum 1."""
        at, row_of, _ = places(self._first, self._lengths, rows.to(self.device))
        matrix = torch.zeros(len(rows), self.n_terms, device=self.device)
        return matrix.index_put_((row_of, self._terms[at]), self._shares[at])


def places(first: Tensor, lengths: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where the postings of some rows are among all postings, the row of each in the batch, and the rows' lengths.

    Args:
        first: (n,) int64, where each row begins.
        lengths: (n,) int64, postings of each.
        rows: (m,) int64.
    """
    lengths = lengths[rows]
    row_of = torch.repeat_interleave(torch.arange(len(rows), device=rows.device), lengths)
    begin = torch.cumsum(lengths, 0) - lengths
    return torch.arange(len(row_of), device=rows.device) + (first[rows] - begin)[row_of], row_of, lengths


def uniform(n: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Random numbers that are the same on every device: drawn on the CPU, where the generator is."""
    return torch.rand(n, generator=generator).to(device)
