"""A few engines of one index, a thread each: what is asked is answered by one of them, from the newest commit.

SQLite's connections belong to threads, and so does what an engine learns of an index as it answers; the arrays are
mapped from the same files, and are in memory once. Searching is numpy's, which lets other threads go on for a part of
the time: more engines than two answer no more questions a second, and two let a quick question pass a slow one.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from textae.engine import Engine
from textae.index import store

Answer = TypeVar("Answer")

ENGINES = 2
EVERY = 1.0
"""Seconds between two looks whether there is a newer commit."""


class Engines:
    """The engines of an index; used as a context manager.

    No answer is of an older commit than one that was given before it. Where the index is gone, or cannot be read,
    questions fail until it is back.

    Args:
        folder: the index.
        n: engines.
        every: seconds between two looks whether there is a newer commit.
    """

    def __init__(self, folder: Path, n: int = ENGINES, every: float = EVERY) -> None:
        self.folder = folder
        self._every = every
        self._threads = ThreadPoolExecutor(n, "textae-engine", self._begin)
        self._own = threading.local()
        self._made: list[Engine] = []
        self._looking = threading.Lock()
        self._newest, self._looked = "", -every

    async def ask(self, query: Callable[[Engine], Answer]) -> Answer:
        """The answer of one engine, when it has time.

        Raises:
            StoreError: the index is gone, or cannot be read.
            TextaeError: what the question raises.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: query(self._engine()))

    def _begin(self) -> None:
        self._own.engine = Engine(self.folder)
        self._made.append(self._own.engine)

    def _engine(self) -> Engine:
        """The engine of this thread, at the newest commit that is known."""
        engine: Engine = self._own.engine
        with self._looking:
            if time.monotonic() >= self._looked + self._every:
                self._newest = store.last_commit(self.folder)
                self._looked = time.monotonic()
            if engine.snapshot.reader.commit != self._newest:
                engine.close()
                self._newest = engine.snapshot.reader.commit
        return engine

    def close(self) -> None:
        """Let go of the index, when what was asked is answered."""
        self._threads.shutdown()
        for engine in self._made:
            engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
