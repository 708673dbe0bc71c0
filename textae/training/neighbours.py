"""The nearest documents of each document, by what they share in words and in codes.

Learning starts from the neighbours that tf-idf finds, and finds better ones as its codes get better: the likeness is
the sum of the two cosines. Exact, a block of rows at a time: n²/2 products of sparse rows is what it costs, which is
why learning takes a sample of a very large corpus.
"""

from collections.abc import Callable

import torch
from torch import Tensor

_BLOCK = 1_024


def n_blocks(n: int) -> int:
    """How many blocks of rows n documents are."""
    return -(-n // _BLOCK)


def nearest(matrix: Tensor, codes: Tensor, k: int, tick: Callable[[], None]) -> Tensor:
    """The k nearest documents of each, by tf-idf cosine (of pictures, that of PCA) plus code cosine, itself left out.

    Args:
        matrix: (n, n_terms) sparse, or dense, rows of unit length.
        codes: (n, dims), rows of unit length.
        k: below n.
        tick: called after each of the `n_blocks`.

    Returns:
        (n, k) int64, the nearest first.
    """
    n = len(codes)
    found = torch.empty(n, k, dtype=torch.int64, device=codes.device)
    for first in range(0, n, _BLOCK):
        rows = torch.arange(first, min(first + _BLOCK, n), device=codes.device)
        likeness = matrix @ _dense(matrix, first, len(rows)).T + codes @ codes[rows].T  # (n, block)
        likeness[rows, rows - first] = -torch.inf
        found[rows] = torch.topk(likeness.T, k, dim=1).indices
        tick()
    return found


def _dense(matrix: Tensor, first: int, n: int) -> Tensor:
    """Rows of a matrix as a dense one: (n, n_terms)."""
    if matrix.layout == torch.strided:
        return matrix[first : first + n]
    starts = matrix.crow_indices()[first : first + n + 1]
    part = slice(int(starts[0]), int(starts[-1]))
    row_of = torch.repeat_interleave(torch.arange(n, device=matrix.device), starts.diff())
    dense = torch.zeros(n, matrix.shape[1], device=matrix.device)
    return dense.index_put_((row_of, matrix.col_indices()[part]), matrix.values()[part])
