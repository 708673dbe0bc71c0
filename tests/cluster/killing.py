"""A task that kills its worker, once; on the path of every worker."""

import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textae.cluster import shards
from textae.cluster.worker import Cluster, Task, Values


def kill_once(name: str, marker: str, executor: bool, given: Values) -> Values:
    """Run a task of `textae.cluster.shards`; the first time, kill the process that runs it.

    Args:
        name: of the task.
        marker: a file that says that it was done.
        executor: whether to kill the process that the worker of Spark belongs to.
        given: to the task.
    """
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return getattr(shards, name)(given)
    victim = os.getpid()
    if executor:
        daemon = os.getppid()
        victim = int(Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(victim, signal.SIGKILL)
    raise AssertionError("killed, and still there")


class Killing:
    """A cluster of which a worker is killed while it counts, and one while it encodes.

    Args:
        cluster: that runs the tasks.
        folder: for the markers.
        executor: as of `kill_once`.
    """

    def __init__(self, cluster: Cluster, folder: Path, executor: bool = False) -> None:
        self._cluster, self._folder, self._executor = cluster, folder, executor
        self.killed: list[str] = []

    def run(self, task: Task, given: Sequence[Values], done) -> list[Values]:
        if task is shards.sample:
            return self._cluster.run(task, given, done)
        marker = self._folder / f"killed-{task.__name__}-{len(self.killed)}"
        results = self._cluster.run(partial(kill_once, task.__name__, str(marker), self._executor), given, done)
        assert marker.exists()
        self.killed.append(task.__name__)
        return results
