"""The map that the server shows: made when it starts, and made again in the background when the index has changed.

Topics and the layout are learned once and kept with the index, so that to make the map again takes seconds, unless the
index was learned anew. Until then the old map is shown, which says of itself which commit it is of.
"""

import hashlib
import io
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textae.app.server.engines import EVERY
from textae.config import NEIGHBOURS
from textae.engine import Engine
from textae.errors import StoreError, TextaeError
from textae.explore.map import MapModel, place
from textae.index import store
from textae.index.snapshot import Snapshot
from textae.types import Progress, Topics
from textae.views.page import compose

_NO_MAP = (TextaeError, ArithmeticError, LookupError, MemoryError, OSError, RuntimeWarning, TypeError, ValueError)
# What a damaged index or a full disk may bring; to answer searches goes on.


@dataclass(frozen=True)
class Shown:
    """What is shown of one commit.

    Attributes:
        commit: its name.
        page: the page, as HTML.
        tag: the hash of the page, by which a browser knows that it has it.
        topics: of the map.
        snapshot: whose model encodes texts that are to be placed; what it reads of documents is closed.
        chart: that places them.
    """

    commit: str
    page: bytes
    tag: str
    topics: Topics
    snapshot: Snapshot
    chart: MapModel

    def place(self, text: str) -> tuple[float, float] | None:
        """Where a text is on the map; None of one of which the encoder knows no word."""
        x, y = place(self.snapshot, self.chart, [text])[0].tolist()
        return None if math.isnan(x) else (x, y)


class Map:
    """The newest map that there is.

    Args:
        folder: the index.
        note: told, in a line, of what goes wrong in the background.
    """

    def __init__(self, folder: Path, note: Callable[[str], None]) -> None:
        self.folder = folder
        self._note = note
        self._shown: Shown | None = None
        self._why_none = "the map is being made; try again"
        self._ended = threading.Event()

    @property
    def shown(self) -> Shown:
        """What is shown now.

        Raises:
            StoreError: there is no map, or not yet.
        """
        if self._shown is None:
            raise StoreError(self._why_none)
        return self._shown

    def make(self, progress: Progress) -> None:
        """Make the map of the newest commit.

        Raises:
            StoreError: the index is gone, or cannot be read or written to now.
            TextaeError: there can be no map of it; the one that was there stays.
        """
        try:
            with Engine.open(self.folder) as engine:
                self._shown = show(engine, progress)
        except TextaeError as error:
            self._why_none = f"there is no map: {error}"
            raise

    def keep_up(self) -> None:
        """Look for newer commits from now on, in a thread of its own, and make the map of each; `close` ends it."""
        threading.Thread(target=self._keep_up, name="textae-map", daemon=True).start()

    def _keep_up(self) -> None:
        tried, pause = self._shown.commit if self._shown else "", EVERY
        while not self._ended.wait(pause):
            started = time.monotonic()
            newest = tried
            try:
                newest = store.last_commit(self.folder)
                if newest != tried:
                    self.make(lambda stage, done, total: None)
                    newest = self.shown.commit
            except StoreError:
                newest = tried  # gone, or somebody is writing to it: there will be another time
            except _NO_MAP as error:
                self._note(f"the map stays as it was: {error}")
            tried = newest
            pause = EVERY + time.monotonic() - started  # an index that changes all the time has half of the time

    def close(self) -> None:
        """Look for nothing more."""
        self._ended.set()


def show(engine: Engine, progress: Progress) -> Shown:
    """What is shown of the commit that an engine is at, after it has learned what is needed."""
    engine.chart(NEIGHBOURS, progress=progress)
    engine.topics(progress=progress)
    # Both are kept by commits of their own, and others may commit between them; from here on it is one commit.
    engine.refresh()
    topic_map, chart, snapshot = engine.topic_map(NEIGHBOURS), engine.chart(NEIGHBOURS), engine.snapshot
    progress("making the page", 0, None)
    page = io.BytesIO()
    name = engine.folder.resolve().name
    compose(topic_map, snapshot.reader.stream(), page, name=name, served=snapshot.reader.commit)
    html = page.getvalue()
    shown = Shown(snapshot.reader.commit, html, hashlib.sha256(html).hexdigest(), topic_map.topics, snapshot, chart)
    shown.place("")  # reads the model, before the engine is closed
    return shown
