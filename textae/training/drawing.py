"""Some words of a long document in place of all of them, so that a step of training costs no more than with short ones.

Systematic sampling (Madow, "On the Theory of Systematic Sampling, II", Ann. Math. Stat. 1949): the words of a row lie
on a line, each as long as its chance to be drawn, which is proportional to its weight and at most 1. The chances sum to
m, the number of draws, and the points u, u + 1, …, u + m - 1, with u uniform in [0, 1), hit m different words. Weights
.6, .3 and .1 have the chances 1, .75 and .25 of two draws; their ends on the line are 1, 1.75 and 2; u = .8 draws the
first and, at 1.8, the third.

A drawn word counts for those that are not: its weight is divided by its chance, and the sum Σ_t w_t W_t keeps its mean
(Horvitz & Thompson, J. Am. Stat. Assoc. 1952).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from textae.encoding.arrays import Floats
from textae.encoding.bags import row_starts


class Drawing:
    """Draws postings of rows; a row with few of them is drawn whole.

    Args:
        starts: (n + 1,) int64, the first posting of each row, and the end.
        weights: (n_postings,), positive.
        most: maximum of drawn postings of a row.
        device: holds the arrays.

    Attributes:
        chances: (n_postings,) float32, of each posting to be drawn.
    """

    def __init__(self, starts: NDArray[np.int64], weights: Floats, most: int, device: torch.device) -> None:
        lengths = np.diff(starts)
        draws = row_starts(np.minimum(lengths, most))  # (n + 1,)
        self._width = int(lengths.max(initial=0).clip(max=most)) if pads(device) else None
        chances = chances_of(starts, weights, most)
        self._is_whole = bool((lengths <= most).all())
        self._draws = torch.from_numpy(draws).to(device)
        self._ends = torch.from_numpy(_ends(starts, draws, chances)).to(device)
        self.chances = torch.from_numpy(chances.astype(np.float32)).to(device)

    def postings(self, rows: Tensor, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw postings of some rows.

        Args:
            rows: (m,) int64.
            generator: on the device; a corpus without long rows needs no random numbers, and draws none.

        Returns:
            The numbers of the postings, (n_drawn,), rising in each row; the row of each, counted among these rows; and
            how many of each row are drawn, (m,). Padding (`is_padding`) repeats a posting.
        """
        at, row_of, lengths = postings_of(self._draws, rows, self._width)
        if not self._is_whole:
            points = at + uniform(len(rows), generator, rows.device).double()[row_of]
            at = torch.searchsorted(self._ends, points, right=True)
        return at, row_of, lengths


def chances_of(starts: NDArray[np.int64], weights: Floats, most: int) -> NDArray[np.float64]:
    """The chance of each posting to be drawn: c · weight in its row, at most 1, where c makes them sum to `most`.

    Args:
        starts: (n + 1,) int64, the first posting of each row, and the end.
        weights: (n_postings,), positive.
        most: maximum of drawn postings of a row; in a row of no more, all chances are 1.
    """
    lengths = np.diff(starts)
    row_of = np.repeat(np.arange(len(lengths)), lengths)
    chances, light = np.ones(len(weights)), np.flatnonzero((lengths > most)[row_of])
    while len(light):  # a heavy posting has the chance 1, and leaves the others of its row fewer draws
        rows, heights = row_of[light], weights[light].astype(np.float64)
        left = most - (lengths - np.bincount(rows, minlength=len(lengths)))  # draws for light postings: (n,)
        chances[light] = heights * (left / np.bincount(rows, heights, len(lengths)).clip(1e-300))[rows]
        heavy = chances[light] > 1
        chances[light[heavy]] = 1
        light = light[~heavy] if heavy.any() else light[:0]
    return chances


def _ends(starts: NDArray[np.int64], draws: NDArray[np.int64], chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where each posting ends on the line of all rows, (n_postings,); row i begins at `draws[i]`, exactly."""
    lengths = np.diff(starts)
    total = np.concatenate([[0.0], np.cumsum(chances)])
    ends: NDArray[np.float64] = total[1:] - np.repeat(total[starts[:-1]] - draws[:-1], lengths)
    whole = np.repeat(np.diff(draws) == lengths, lengths)
    ends[whole] = np.rint(ends[whole])
    ends = np.minimum(ends, np.repeat(draws[1:], lengths))
    ends[starts[1:][lengths > 0] - 1] = draws[1:][lengths > 0]
    return ends


def pads(device: torch.device) -> bool:
    """Whether the rows of a batch are padded to one width, by postings of weight 0.

    A GPU must finish all earlier work before it can tell how many words a batch has. Padded batches have one shape, so
    nobody asks. A CPU loses no time by telling, and much by reading padding.
    """
    return device.type != "cpu"


def counted(weights: Tensor) -> Tensor | slice:
    """The postings to keep of a padded batch, given their weights, (n_postings,): on a CPU those above 0, else all."""
    return slice(None) if pads(weights.device) else weights > 0


def postings_of(starts: Tensor, rows: Tensor, width: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """The postings of some rows.

    Args:
        starts: (n + 1,) int64, the first posting of each row, and the end.
        rows: (m,) int64.
        width: postings that each row is padded to, by its last posting; None for no padding.

    Returns:
        The numbers of the postings, (n_postings,); the row of each, counted among these rows; and the lengths of these
        rows, (m,), without padding.
    """
    first, end = starts[rows], starts[rows + 1]
    lengths, numbers = end - first, torch.arange(len(rows), device=rows.device)
    if width is not None:
        at = first[:, None] + torch.arange(width, device=rows.device)  # (m, width)
        return torch.minimum(at, end[:, None] - 1).flatten(), numbers.repeat_interleave(width), lengths
    row_of = torch.repeat_interleave(numbers, lengths)
    begin = torch.cumsum(lengths, 0) - lengths
    return torch.arange(len(row_of), device=rows.device) + (first - begin)[row_of], row_of, lengths


def starts_of(row_of: Tensor, n: int) -> Tensor:
    """The first posting of each of n rows, (n,), given the row of each posting, (n_postings,), rising."""
    return torch.searchsorted(row_of, torch.arange(n, device=row_of.device))


def is_padding(row_of: Tensor, lengths: Tensor) -> Tensor:
    """Whether a posting is padding, (n_postings,) bool: the row of each posting, rising; and lengths of rows, (n,)."""
    place = torch.arange(len(row_of), device=row_of.device) - starts_of(row_of, len(lengths))[row_of]
    return place >= lengths[row_of]


def uniform(n: int, generator: Generator, device: torch.device) -> Tensor:
    """Random numbers from 0 to 1, (n,); the generator is on the device."""
    return torch.rand(n, generator=generator, device=device)
