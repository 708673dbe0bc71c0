"""A few engines of one index, one thread each; each request runs on one of them, on the newest commit.

SQLite connections belong to threads, and so do the caches of an engine; arrays are memory-mapped and shared. Two
engines are enough: numpy releases the GIL for a part of a search only, so more do not raise the throughput, and two let
a short request pass a long one.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from textae.app.engines import engine_of, last_commit
from textae.engine import Engine
from textae.errors import TextaeError

Answer = TypeVar("Answer")

ENGINES = 2
REFRESH = 1.0
"""Seconds between two checks for a newer commit."""

MOST = 256
"""Maximum number of requests that run or wait for an engine."""

PATIENCE = 30.0
"""Seconds after which a request gets no answer."""


class BusyError(TextaeError):
    """The engines cannot answer a request in time."""


class EnginePool(AbstractContextManager["EnginePool"]):
    """The engines of an index; used as a context manager.

    No answer comes from an older commit than an earlier answer. While the index is missing or unreadable, requests
    fail.

    Args:
        folder: the index.
        refresh: seconds between two checks for a newer commit.
        most: maximum number of requests that run or wait.
        patience: seconds after which a request gets no answer.
        vectors: a function that gives the vectors of queries, as `Engine` takes it.
    """

    def __init__(
        self, folder: Path, refresh: float = REFRESH, most: int = MOST, patience: float = PATIENCE, vectors: Any = None
    ) -> None:
        self.folder, self._vectors = folder, vectors
        self._refresh, self._most, self._patience = refresh, most, patience
        self._requests = 0
        self._threads = ThreadPoolExecutor(ENGINES, "textae-engine", self._start_thread)
        self._local = threading.local()
        self._engines: list[Engine] = []
        self._lock = threading.Lock()
        self._newest, self._checked = "", -refresh

    async def run(self, query: Callable[[Engine], Answer]) -> Answer:
        """The result of a function of an engine, on the thread of that engine.

        Raises:
            BusyError: too many requests wait, or this one waited too long.
            StoreError: the index is missing or unreadable.
            TextaeError: the error of the function.
        """
        if self._requests >= self._most:
            raise BusyError(f"{self._most} requests are in progress; try again")
        self._requests += 1
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, lambda: query(self._current_engine())
                )
        except TimeoutError:
            raise BusyError(f"no answer within {self._patience:g} s; try again") from None
        finally:
            self._requests -= 1

    def _start_thread(self) -> None:
        from threadpoolctl import threadpool_limits  # comes with scikit-learn

        # Threads of BLAS spin while they wait: 64 clients got 10 answers a second with them, and 50 without.
        threadpool_limits(1)
        self._local.engine = engine_of(self.folder, self._vectors)
        self._engines.append(self._local.engine)

    def _current_engine(self) -> Engine:
        """The engine of this thread, on the newest known commit."""
        engine: Engine = self._local.engine
        with self._lock:
            if time.monotonic() >= self._checked + self._refresh:
                self._newest = last_commit(self.folder)
                self._checked = time.monotonic()
            if engine.snapshot.reader.commit != self._newest:
                engine.close()
                self._newest = engine.snapshot.reader.commit
        return engine

    def __exit__(self, *error: object) -> None:
        """Close the engines, after the running requests; those that wait are dropped."""
        self._threads.shutdown(cancel_futures=True)
        for engine in self._engines:
            engine.close()
