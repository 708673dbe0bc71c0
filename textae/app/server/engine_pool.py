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
from typing import TypeVar

from textae.engine import Engine
from textae.index import store

Answer = TypeVar("Answer")

ENGINES = 2
REFRESH = 1.0
"""Seconds between two checks for a newer commit."""


class EnginePool(AbstractContextManager["EnginePool"]):
    """The engines of an index; used as a context manager.

    No answer comes from an older commit than an earlier answer. While the index is missing or unreadable, requests
    fail.

    Args:
        folder: the index.
        refresh: seconds between two checks for a newer commit.
    """

    def __init__(self, folder: Path, refresh: float = REFRESH) -> None:
        self.folder = folder
        self._refresh = refresh
        self._threads = ThreadPoolExecutor(ENGINES, "textae-engine", self._start_thread)
        self._local = threading.local()
        self._engines: list[Engine] = []
        self._lock = threading.Lock()
        self._newest, self._checked = "", -refresh

    async def run(self, query: Callable[[Engine], Answer]) -> Answer:
        """The result of a function of an engine, on the thread of that engine.

        Raises:
            StoreError: the index is missing or unreadable.
            TextaeError: the error of the function.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: query(self._current_engine()))

    def _start_thread(self) -> None:
        self._local.engine = Engine(self.folder)
        self._engines.append(self._local.engine)

    def _current_engine(self) -> Engine:
        """The engine of this thread, on the newest known commit."""
        engine: Engine = self._local.engine
        with self._lock:
            if time.monotonic() >= self._checked + self._refresh:
                self._newest = store.last_commit(self.folder)
                self._checked = time.monotonic()
            if engine.snapshot.reader.commit != self._newest:
                engine.close()
                self._newest = engine.snapshot.reader.commit
        return engine

    def __exit__(self, *error: object) -> None:
        """Close the engines, after the running requests."""
        self._threads.shutdown()
        for engine in self._engines:
            engine.close()
