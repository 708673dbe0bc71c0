"""The training loop: Adam, a learning-rate schedule, progress, checkpoints, and a check for divergence.

    θ ← Adam(θ, η_s ∇ loss(batch_s))        η_s = η min(1, (s + 1) / (w S)) (1 - s / S)        of S steps, warm-up w

All networks of this room learn here; they differ in their loss and in their batches. The one exception is the
restricted Boltzmann machine: contrastive divergence is not the gradient of a loss (`textae.training.networks.rbm`).
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Generator, Tensor

from textae.config import AUTO
from textae.errors import TextaeError
from textae.types import Progress

B = TypeVar("B")

Tick = Callable[[], None]
"""Called after each step."""


class DivergedError(TextaeError):
    """A parameter is no longer a number."""


@dataclass(frozen=True)
class Schedule:
    """The number of steps, and the learning rate of each.

    Attributes:
        steps: batches to learn from.
        every: steps from one checkpoint to the next; the first one is before step 0.
        warm_up: the share of the steps in which the learning rate rises to its peak.
        decay: whether the learning rate falls to zero in a straight line.
        fused: whether Adam updates all parameters in one kernel, which is faster and rounds differently.
    """

    steps: int
    every: int = 1_000_000
    warm_up: float = 0.0
    decay: bool = True
    fused: bool = True

    def factor(self, step: int) -> float:
        """The learning rate of a step, as a share of its peak."""
        rise = min(1.0, (step + 1) / self.steps / self.warm_up) if self.warm_up else 1.0
        return rise * (1 - step / self.steps) if self.decay else rise

    @property
    def checkpoints(self) -> int:
        """The number of checkpoints."""
        return -(-self.steps // self.every)


def descend(
    loss_of: Callable[[B], Tensor],
    batches: Iterable[B],
    groups: Sequence[tuple[Iterable[Tensor], float]],
    schedule: Schedule,
    tick: Tick,
    checkpoint: Callable[[], object] | None = None,
) -> None:
    """Minimise a loss.

    Args:
        loss_of: the loss of a batch, ().
        batches: at least as many as there are steps.
        groups: parameters, which change in place, with the peak of their learning rate.
        schedule: the steps.
        tick: called after each step.
        checkpoint: called at each checkpoint, when the parameters are known to be finite.

    Raises:
        DivergedError: a parameter is no longer finite at a checkpoint or at the end.
    """
    adam = torch.optim.Adam([{"params": [*some], "peak": rate} for some, rate in groups], fused=schedule.fused)
    parameters: list[Tensor] = [parameter for group in adam.param_groups for parameter in group["params"]]
    for step, batch in enumerate(itertools.islice(batches, schedule.steps)):
        if step % schedule.every == 0:
            _check_finite(parameters)
            if checkpoint is not None:
                checkpoint()
        for group in adam.param_groups:
            group["lr"] = group["peak"] * schedule.factor(step)
        loss = loss_of(batch)  # ()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        tick()
    _check_finite(parameters)


def _check_finite(parameters: Iterable[Tensor]) -> None:
    if not all(bool(parameter.isfinite().all()) for parameter in parameters):
        raise DivergedError("learning diverged (the parameters are no longer numbers); try a smaller --rate")


def shuffled(n: int, size: int, generator: Generator, *, drop_last: bool = False) -> Iterator[Tensor]:
    """Row numbers in batches, epoch after epoch without end; each epoch draws a new order when it begins.

    Args:
        n: rows.
        size: rows of a batch.
        generator: draws on its device.
        drop_last: whether to leave out the last batch of an epoch where it is smaller.

    Yields:
        (size,) int64, on the generator's device.
    """
    while True:
        for rows in torch.randperm(n, generator=generator, device=generator.device).split(size):
            if len(rows) == size or not drop_last:
                yield rows


class Clock:
    """Reports progress.

    Args:
        progress: gets the stage, the number of steps done, and the total.
        total: number of steps; other work counts as the steps that take as long.
        stage: the name of the work.
    """

    def __init__(self, progress: Progress, total: int, stage: str = "learning") -> None:
        self._progress, self._total, self._stage, self._done = progress, total, stage, 0

    def tick(self, steps: int = 1) -> None:
        """Count more steps."""
        self._done += steps
        self._progress(self._stage, min(self._done, self._total), self._total)


def device_of(name: str) -> torch.device:
    """The device with a name of `textae.config.DEVICES`.

    Raises:
        TextaeError: this machine has no CUDA device.
    """
    if name == AUTO:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise TextaeError("there is no CUDA device here; give --device cpu, or auto for whichever there is")
    return torch.device(name)
