"""Dask as the workers of a cluster.

cluster = Dask("tcp://scheduler:8786")       # or a client that is there
"""

from collections.abc import Callable, Sequence
from typing import Any

from textae.cluster.storage import DatasetError
from textae.cluster.worker import Task, Values
from textae.errors import needs_extra


class Dask:
    """Runs tasks on the workers of Dask. A task whose worker is killed runs again on another one.

    Args:
        scheduler: its address, or a `distributed.Client`.

    Raises:
        DatasetError: no scheduler answers there.
    """

    def __init__(self, scheduler: Any) -> None:
        with needs_extra("dask", "Dask"):
            from distributed import Client
        try:
            self._client = Client(scheduler, timeout=10) if isinstance(scheduler, str) else scheduler
        except (OSError, ValueError, TimeoutError) as error:
            why = " ".join(str(error).split())[:200]
            raise DatasetError(f"no scheduler of Dask answers at {scheduler!r:.100}: {why}") from None

    def run(self, task: Task, given: Sequence[Values], done: Callable[[int], None]) -> list[Values]:
        """Run a task on each of some values, as `textae.cluster.worker.Cluster` says."""
        from distributed import as_completed

        futures = self._client.map(task, given, pure=False)
        try:
            for n, future in enumerate(as_completed(futures), 1):
                if future.status == "error":
                    raise DatasetError(f"Dask failed: {_why(future.exception())}")
                done(n)
            return list(self._client.gather(futures))
        except OSError as error:
            raise DatasetError(f"Dask failed: {_why(error)}") from None
        finally:
            self._client.cancel(futures)


def _why(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and str(error.name).startswith("textae"):
        return "a worker has no textae; install the version of this machine there"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
