"""What a server has learned of an index beside its answers: made at the start, and made again when the index changes.

Topics and layout are learned once and kept in the index, so that making them again takes seconds, unless the index was
trained again. Until then the server shows the old ones, with the name of their commit.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from textae.app.engines import last_commit, opened
from textae.app.server.engine_pool import REFRESH
from textae.engine import Engine
from textae.errors import StoreError, TextaeError
from textae.types import Progress, Topics, no_progress

_NOT_MADE = (TextaeError, ArithmeticError, LookupError, MemoryError, OSError, RuntimeWarning, TypeError, ValueError)
# Errors of a damaged index or a full disk; searches go on.


class OfCommit(Protocol):
    """What is made of one commit, whose name it has."""

    @property
    def commit(self) -> str:
        """The name of the commit."""
        ...


Made = TypeVar("Made", bound=OfCommit)


class Live(ABC, Generic[Made]):
    """The newest of what is made of each commit.

    Args:
        folder: the index.
        note: gets a message for each error in the background.
    """

    what: ClassVar[str]

    def __init__(self, folder: Path, note: Callable[[str], None]) -> None:
        self.folder = folder
        self._note = note
        self._current: Made | None = None
        self._why_none = f"{self.what} is being made; try again"
        self._tried, self._closed = threading.Event(), threading.Event()

    @abstractmethod
    def make(self, engine: Engine, progress: Progress) -> Made:
        """What is made of an engine's commit."""

    @property
    def current(self) -> Made:
        """The newest one.

        Raises:
            StoreError: there is none (yet).
        """
        if self._current is None:
            raise StoreError(self._why_none)
        return self._current

    def update(self, progress: Progress) -> None:
        """Make that of the newest commit.

        Raises:
            StoreError: the index is missing, unreadable, or locked by a writer.
            TextaeError: this index has none; an earlier one stays.
        """
        try:
            with opened(self.folder) as engine:
                self._current = self.make(engine, progress)
        except TextaeError as error:
            self._why_none = f"there is no {self.what.removeprefix('the ')}: {error}"
            raise
        finally:
            self._tried.set()

    def wait(self, seconds: float) -> None:
        """Wait until the first one was made, or could not be made."""
        self._tried.wait(seconds)

    def follow(self) -> None:
        """Start the thread that makes that of each new commit; `close` stops it."""
        threading.Thread(target=self._follow, name="textae-live", daemon=True).start()

    def _follow(self) -> None:
        tried, pause = (self._current.commit, REFRESH) if self._current else ("", 0.0)
        while not self._closed.wait(pause):
            started = time.monotonic()
            newest = tried
            try:
                newest = last_commit(self.folder)
                if newest != tried:
                    self.update(no_progress)
                    newest = self.current.commit
            except StoreError:
                newest = tried  # missing, or locked by a writer: try again later
            except _NOT_MADE as error:
                self._note(f"{self.what} was not updated: {error}")
            tried = newest
            pause = REFRESH + time.monotonic() - started  # at most half of the time is spent on this

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()


@dataclass(frozen=True)
class TopicsOfCommit:
    """The topics of one commit."""

    commit: str
    topics: Topics


class LiveTopics(Live[TopicsOfCommit]):
    """The newest topics of an index."""

    what = "the list of topics"

    def make(self, engine: Engine, progress: Progress) -> TopicsOfCommit:
        """The topics, which are learned where the index has none."""
        engine.topics(progress=progress)
        engine.refresh()  # they were kept by a commit of their own
        return TopicsOfCommit(engine.snapshot.reader.commit, engine.topics())
