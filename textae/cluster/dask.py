"""Dask as the workers of a cluster.

with client("tcp://scheduler:8786") as workers:
    learn(dataset, parts, Dask(workers), progress)

Workers need textae with the versions of this machine.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any

from textae.cluster.storage import DatasetError
from textae.cluster.worker import Task, Values
from textae.errors import needs_extra


@contextlib.contextmanager
def client(scheduler: str, seconds: float = 10) -> Iterator[Any]:
    """Give a client of a scheduler, and close it.

    Args:
        scheduler: its address.
        seconds: to wait for an answer.

    Raises:
        DatasetError: none answers there, or it has no workers.
    """
    with needs_extra("dask", "Dask"):
        from distributed import Client
    try:
        workers = Client(scheduler, timeout=seconds)
    except (OSError, ValueError, TimeoutError) as error:
        why = " ".join(str(error).split())[:200]
        raise DatasetError(f"no scheduler of Dask answers at {scheduler!r:.100}: {why}") from None
    with workers:
        if not workers.scheduler_info()["workers"]:
            raise DatasetError(f"the scheduler of Dask at {scheduler!r:.100} has no workers; start some")
        yield workers


class Dask:
    """Runs tasks on the workers of Dask. A task whose worker is killed runs again on another one.

    Args:
        workers: a `distributed.Client`.
    """

    def __init__(self, workers: Any) -> None:
        self._workers = workers

    def run(self, task: Task, given: Sequence[Values], done: Callable[[int], None]) -> list[Values]:
        """Run a task on each of some values, as `textae.cluster.worker.Cluster` says."""
        from distributed import as_completed

        futures = self._workers.map(task, given, pure=False)
        try:
            for n, future in enumerate(as_completed(futures), 1):
                _check(future)
                done(n)
            return list(self._workers.gather(futures))
        except OSError as error:
            raise DatasetError(f"Dask failed: {_why(error)}") from None
        finally:
            self._workers.cancel(futures)

    def map(self, function: Callable[[Any], Any], given: Iterable[Any]) -> Iterator[Any]:
        """Call a function on each of some values, which are read as workers become free, and give its results in order.

        Raises:
            DatasetError: it failed, or a worker has no textae.
        """
        most, waiting = 2 * sum(self._workers.nthreads().values()), deque[Any]()
        try:
            for one in given:
                (sent,) = self._workers.scatter([one], hash=False)  # within the graph it would go by the scheduler
                waiting.append(self._workers.submit(function, sent, pure=False))
                if len(waiting) > most:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        except OSError as error:
            raise DatasetError(f"Dask failed: {_why(error)}") from None
        finally:
            self._workers.cancel(list(waiting))


def _result(future: Any) -> Any:
    from distributed import wait

    with contextlib.suppress(CancelledError):
        wait(future)
    _check(future)
    return future.result()


def _check(future: Any) -> None:
    """Check that a task did not fail."""
    if future.status != "finished":
        error = future.exception() if future.status == "error" else OSError("the scheduler is gone")
        raise DatasetError(f"Dask failed: {_why(error)}")


def _why(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and str(error.name).startswith("textae"):
        return "a worker has no textae; install the version of this machine there"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
