"""The processes of this machine, as the workers of a cluster."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from textae.cluster.storage import DatasetError
from textae.cluster.worker import Task, Values

_ATTEMPTS = 3  # of the tasks of processes that were killed


class Local:
    """Runs tasks in processes of this machine.

    Args:
        processes: at most; by default one for each core.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else processes

    def run(self, task: Task, given: Sequence[Values], done: Callable[[int], None]) -> list[Values]:
        """Run a task on each of some values, as `textae.cluster.worker.Cluster` says."""
        results: dict[int, Values] = {}
        for _ in range(_ATTEMPTS):
            left = [place for place in range(len(given)) if place not in results]
            if left and self._run(task, given, left, results, done):
                break
        if len(results) < len(given):
            raise DatasetError("processes of this machine were killed again and again; it may lack memory")
        return [results[place] for place in range(len(given))]

    def _run(
        self,
        task: Task,
        given: Sequence[Values],
        places: Sequence[int],
        results: dict[int, Values],
        done: Callable[[int], None],
    ) -> bool:
        """Run what is left; False where a process was killed."""
        context = multiprocessing.get_context("spawn")  # a fork would copy the threads of the libraries, and stop
        with ProcessPoolExecutor(min(self._processes or 1, len(places)), context) as pool:
            running: dict[Future[Values], int] = {pool.submit(task, given[place]): place for place in places}
            try:
                while running:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        results[running[future]] = future.result()
                        del running[future]
                        done(len(results))
            except BrokenProcessPool:
                return False
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return True
