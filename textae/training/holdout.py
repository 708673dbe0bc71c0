"""Documents that are held out of training judge it, and the best state of the network is kept."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from textae.training.loop import shuffled

HELD_OUT, MOST_HELD_OUT, LEAST_HELD_OUT = 20, 500, 10
"""One of 20 documents is held out, at most 500; none if there would be fewer than ten."""


def split_holdout(n: int, generator: Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of the held-out documents and of the others, each rising."""
    n_held = min(MOST_HELD_OUT, n // HELD_OUT)
    order = next(shuffled(n, n, generator)).cpu().numpy()
    cut = n_held if n_held >= LEAST_HELD_OUT else 0
    return np.sort(order[:cut]), np.sort(order[cut:])


class HoldoutMonitor:
    """Keeps the best state of a network, judged by documents that are held out of training.

    A state is worse than another if its mean score is lower by more than some standard errors of the differences.

    Args:
        network: the network in training.
        scores: computes the scores of the held-out documents, (n,), higher is better; with none, no state is worse.
        tolerance: the number of standard errors; with 0, the state of the highest mean score is kept.
    """

    def __init__(self, network: nn.Module, scores: Callable[[], Tensor], tolerance: float = 2) -> None:
        self._network, self._scores, self._tolerance = network, scores, tolerance
        self._kept: tuple[Tensor, dict[str, Tensor]] | None = None

    @torch.no_grad()
    def accept(self) -> bool:
        """Keep the present state unless it is worse than the kept one, and return whether it was kept."""
        scores = self._scores()
        if self._kept is not None and is_worse(scores, self._kept[0], self._tolerance):
            return False
        self._kept = scores, {name: value.clone() for name, value in self._network.state_dict().items()}
        return True

    def revert(self) -> None:
        """Restore the kept state."""
        assert self._kept is not None  # the first state is always accepted
        self._network.load_state_dict(self._kept[1])


def is_worse(scores: Tensor, before: Tensor, tolerance: float = 2) -> bool:
    """Whether the mean score fell by more than so many standard errors: (n,) and (n,)."""
    if len(scores) < 2:
        return False
    lost = before - scores
    return bool(lost.mean() > tolerance * lost.std() / len(lost) ** 0.5)
