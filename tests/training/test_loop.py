"""The training loop: the schedule, the order of rows, checkpoints, divergence, and the best state."""

import itertools

import pytest
import torch

from textae.errors import TextaeError
from textae.training.loop import Clock, Schedule, descend, shuffled


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parabola(weight: torch.Tensor):
    """The loss (w - 3)² for any batch."""
    return lambda batch: (weight - 3).square().sum()


class TestSchedule:
    def test_the_rate_rises_to_its_peak_and_falls_to_zero_in_straight_lines(self) -> None:
        schedule = Schedule(10, warm_up=0.4)
        expected = [0.25 * 1.0, 0.5 * 0.9, 0.75 * 0.8, *(1 - step / 10 for step in range(3, 10))]
        assert [schedule.factor(step) for step in range(10)] == pytest.approx(expected)

    def test_without_warm_up_or_decay(self) -> None:
        assert [Schedule(4).factor(step) for step in range(4)] == [1, 0.75, 0.5, 0.25]
        assert {Schedule(4, decay=False).factor(step) for step in range(4)} == {1}


class TestDescend:
    def test_it_finds_the_minimum(self) -> None:
        weight = torch.zeros(1, requires_grad=True)
        descend(parabola(weight), itertools.repeat(0), [([weight], 0.2)], Schedule(200), lambda: None)
        assert weight.item() == pytest.approx(3, abs=0.05)

    def test_the_first_step_of_adam_moves_each_group_by_its_own_rate(self) -> None:
        slow, quick = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
        groups = [([slow], 0.01), ([quick], 0.1)]
        descend(lambda batch: -(slow + quick).sum(), [0], groups, Schedule(1), lambda: None)
        assert (slow.item(), quick.item()) == pytest.approx((0.01, 0.1), rel=1e-4)

    @pytest.mark.parametrize(("steps", "every", "checkpoints"), [(10, 5, 2), (11, 5, 3), (1, 5, 1), (0, 5, 0)])
    def test_steps_and_checkpoints_are_counted_and_no_batch_is_drawn_in_vain(self, steps, every, checkpoints) -> None:
        weight, batches, ticks, calls = torch.zeros(1, requires_grad=True), itertools.count(), [], []
        schedule = Schedule(steps, every)
        tick, checkpoint = lambda: ticks.append(1), lambda: calls.append(weight.item())
        descend(parabola(weight), batches, [([weight], 0.1)], schedule, tick, checkpoint)
        assert (len(ticks), next(batches)) == (steps, steps)
        assert len(calls) == schedule.checkpoints == checkpoints
        assert calls[:1] == [0] * min(1, steps)

    @pytest.mark.parametrize("every", [1, 100])
    def test_parameters_that_are_no_numbers_are_an_error(self, every) -> None:
        weight = torch.zeros(1, requires_grad=True)
        seen = []

        def loss_of(batch: int) -> torch.Tensor:
            seen.append(batch)
            return (weight * (float("nan") if batch == 2 else 1)).sum()

        with pytest.raises(TextaeError, match=r"learning diverged .* try a smaller --rate"):
            descend(loss_of, itertools.count(), [([weight], 0.1)], Schedule(5, every), lambda: None)
        assert len(seen) == (3 if every == 1 else 5)


class TestShuffled:
    def test_an_epoch_holds_every_row_once_and_the_next_one_another_order(self) -> None:
        batches = [rows.tolist() for rows in itertools.islice(shuffled(10, 4, seeded()), 6)]
        assert [len(rows) for rows in batches] == [4, 4, 2] * 2
        first, second = (list(itertools.chain(*some)) for some in (batches[:3], batches[3:]))
        assert sorted(first) == sorted(second) == list(range(10))
        assert first != second

    def test_a_smaller_last_batch_can_be_left_out(self) -> None:
        batches = [rows.tolist() for rows in itertools.islice(shuffled(10, 4, seeded(), drop_last=True), 4)]
        every = [rows.tolist() for rows in itertools.islice(shuffled(10, 4, seeded()), 6)]
        assert batches == [*every[:2], *every[3:5]]


def test_the_clock_never_passes_its_total() -> None:
    told: list[tuple[str, int, int | None]] = []
    clock = Clock(lambda *now: told.append(now), 2, "laying out")
    for _ in range(3):
        clock.tick()
    assert told == [("laying out", 1, 2), ("laying out", 2, 2), ("laying out", 2, 2)]
