"""The best state of a network, judged by documents that are held out."""

import torch

from textae.training.holdout import HoldoutMonitor, is_worse


class TestHoldoutMonitor:
    def test_the_best_state_comes_back(self) -> None:
        network, scores = torch.nn.Linear(1, 1), [torch.tensor([0.5, 0.6, 0.7]), torch.tensor([0.1, 0.2, 0.2])]
        monitor = HoldoutMonitor(network, lambda: scores.pop(0))
        before = network.weight.detach().clone()
        assert monitor.accept()
        with torch.no_grad():
            network.weight += 1
        assert not monitor.accept()
        monitor.revert()
        assert torch.equal(network.weight, before)

    def test_without_tolerance_the_highest_mean_is_kept(self) -> None:
        worse, better = torch.tensor([0.1, 0.9, 0.4]), torch.tensor([0.7, 0.2, 0.6])
        assert not is_worse(worse, better)
        assert is_worse(worse, better, 0)
        scores = [worse, better, worse]
        monitor = HoldoutMonitor(torch.nn.Linear(1, 1), lambda: scores.pop(0), 0)
        assert [monitor.accept() for _ in range(3)] == [True, True, False]

    def test_without_held_out_documents_every_state_is_accepted(self) -> None:
        monitor = HoldoutMonitor(torch.nn.Linear(1, 1), lambda: torch.ones(0))
        assert monitor.accept() and monitor.accept()
        assert not is_worse(torch.zeros(1), torch.ones(1))
