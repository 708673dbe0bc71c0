"""The nearest neighbours of each document, by the sum of two cosines: of words and of codes.

Training starts from the neighbours that tf-idf finds, and searches again as codes get better. The search is exact, a
block of rows at a time. It costs n²/2 products of sparse rows, so training takes a sample of a very large corpus.
"""

import torch
from torch import Generator, Tensor

from textae.training.loop import Tick

_BLOCK = 256  # rows; with 1,024 a search takes 1.4 times as long

_PRODUCTS = 800_000_000
"""Products of a number of a sparse row that take as long as a step, which takes .15 to .22 s of CPU."""


class Neighbours:
    """The k nearest neighbours of each document, k = √n / 3.2 up to a maximum.

    Args:
        matrix: (n, n_terms) sparse or (n, dims) dense, rows of unit length; n at least 2.
        most: maximum of k.

    Attributes:
        n_blocks: blocks of rows that one search takes.
        steps_of_block: steps of learning that take as long as a block.
        near: (n, k) int64, nearest first; None before the first search.
    """

    def __init__(self, matrix: Tensor, most: int) -> None:
        n = len(matrix)
        self._matrix, self._k = matrix, min(most, max(1, round(n**0.5 / 3.2)))
        self.n_blocks = -(-n // _BLOCK)
        products = 0 if matrix.layout == torch.strided else len(matrix.values()) * min(n, _BLOCK)
        self.steps_of_block = max(1, round(products / _PRODUCTS))
        self.near: Tensor | None = None

    def search(self, codes: Tensor, tick: Tick) -> None:
        """Search the neighbours of all documents; see `nearest`."""
        self.near = nearest(self._matrix, codes, self._k, tick)

    def draw(self, rows: Tensor, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """A random neighbour of each document of a batch, and the pairs that are no negatives of each other.

        A pair is excluded as a negative if one of it is a neighbour of the other.

        Args:
            rows: (n,) int64, the documents of the batch.
            generator: on the device.

        Returns:
            Their neighbours, (n,) int64; the excluded pairs off the diagonal, (n, n) bool, of documents with documents
            and of documents with those neighbours.
        """
        assert self.near is not None
        near = self.near[rows]  # (n, k)
        drawn = torch.randint(self._k, (len(rows), 1), generator=generator, device=rows.device)
        others = near.gather(1, drawn)[:, 0]
        alike_near = (near[:, :, None] == others).any(1) | (rows[:, None] == others)
        return others, self.alike(rows), alike_near.fill_diagonal_(False)

    def alike(self, rows: Tensor, share: float = 1.0) -> Tensor:
        """The pairs of a batch of which one is among the nearest neighbours of the other: (n, n) bool, no diagonal.

        Args:
            rows: (n,) int64, the documents of the batch.
            share: of the neighbours, the nearest ones, that count.
        """
        assert self.near is not None
        alike = (self.near[rows, : max(1, round(share * self._k)), None] == rows).any(1)
        return (alike | alike.T).fill_diagonal_(False)


def nearest(matrix: Tensor, codes: Tensor, k: int, tick: Tick) -> Tensor:
    """The k nearest other documents of each, by the cosine of the matrix plus the cosine of the codes.

    Args:
        matrix: (n, n_terms) sparse or (n, dims) dense, rows of unit length.
        codes: (n, dims), rows of unit length.
        k: less than n.
        tick: called after each block of rows.

    Returns:
        (n, k) int64, nearest first.
    """
    n = len(codes)
    near = torch.empty(n, k, dtype=torch.int64, device=codes.device)
    for first in range(0, n, _BLOCK):
        rows = torch.arange(first, min(first + _BLOCK, n), device=codes.device)
        cosines = matrix @ _columns(matrix, first, len(rows)) + codes @ codes[rows].T  # (n, block)
        cosines[rows, rows - first] = -torch.inf
        near[rows] = torch.topk(cosines.T, k, dim=1).indices
        tick()
    return near


def _columns(matrix: Tensor, first: int, n: int) -> Tensor:
    """Consecutive rows of a sparse or dense matrix, as columns: (n_terms, n)."""
    if matrix.layout == torch.strided:
        return matrix[first : first + n].T
    starts = matrix.crow_indices()[first : first + n + 1]
    part = slice(int(starts[0]), int(starts[-1]))
    row_of = torch.repeat_interleave(torch.arange(n, device=matrix.device), starts.diff())
    # To transpose rows afterwards would take as long as the product.
    columns = torch.zeros(matrix.shape[1], n, device=matrix.device)
    return columns.index_put_((matrix.col_indices()[part], row_of), matrix.values()[part])
