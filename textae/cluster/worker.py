"""What runs a task: its versions and its BLAS, which decide the last bits of codes."""

import platform
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import numpy as np

from textae.cluster.storage import DatasetError

Values = Mapping[str, Any]
"""What JSON holds."""

Task = Callable[[Values], Values]
"""A pure function of a shard. What it computes is in a file of the dataset, which a second run finds there."""


class Cluster(Protocol):
    """Runs tasks: the processes of this machine, Spark, or Dask."""

    def run(self, task: Task, given: Sequence[Values], done: Callable[[int], None]) -> list[Values]:
        """Run a task on each of some values, and return the results in their order.

        Args:
            task: of a module that every worker can import.
            given: a value for each shard.
            done: called now and then with the number of tasks that have ended.

        Raises:
            DatasetError: a task failed, or a worker has no textae.
        """


def _version() -> str:
    try:
        return version("textae")
    except PackageNotFoundError:  # a folder on the path of a worker
        return "unknown"


VERSION = _version()


@cache
def environment() -> dict[str, str]:
    """What this process computes with."""
    import scipy.linalg  # noqa: F401  # its BLAS is loaded, too
    from threadpoolctl import threadpool_info

    blas = {str(one.get("architecture", one["internal_api"])) for one in threadpool_info() if one["user_api"] == "blas"}
    return {
        "textae": VERSION, "numpy": np.__version__, "Unicode": unicodedata.unidata_version,
        "kernel": ",".join(sorted(blas)), "machine": platform.machine(),
    }  # fmt: skip


def check_environment(driver: Mapping[str, str]) -> None:
    """Check that this process, a worker, computes with what the driver computes with; before it writes anything.

    Raises:
        DatasetError: it does not, and its codes would differ in bits.
    """
    own = environment()
    differing = [name for name in own if driver.get(name) != own[name]]
    if differing:
        here, there = (", ".join(f"{name} {one.get(name)}" for name in differing) for one in (own, driver))
        raise DatasetError(
            f"a worker computes with {here}, and the driver with {there}, so that codes would differ; give all the "
            "same versions, and set OPENBLAS_CORETYPE to one kernel"
        )
