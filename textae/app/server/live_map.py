"""The map of the server: made at the start, and made again in the background when the index changes.

Topics and layout are learned once and kept in the index, so that making the map again takes seconds, unless the index
was trained again. Until then the server shows the old map, with the name of its commit.
"""

import hashlib
import io
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textae.app.server.engine_pool import REFRESH
from textae.config import NEIGHBOURS
from textae.engine import Engine
from textae.errors import StoreError, TextaeError
from textae.explore.map import MapModel, map_model, place
from textae.explore.topics import topic_model
from textae.index import store
from textae.index.snapshot import Snapshot
from textae.types import Progress, Topics, no_progress
from textae.views.page import compose

_NO_MAP = (TextaeError, ArithmeticError, LookupError, MemoryError, OSError, RuntimeWarning, TypeError, ValueError)
# Errors of a damaged index or a full disk; searches go on.


@dataclass(frozen=True)
class ShownMap:
    """The map of one commit.

    Attributes:
        commit: its name.
        page: the page, as HTML.
        tag: the hash of the page, for the browser's cache.
        topics: of the map.
        snapshot: its model encodes texts; its store is closed.
        model: gives positions to codes.
    """

    commit: str
    page: bytes
    tag: str
    topics: Topics
    snapshot: Snapshot
    model: MapModel

    def position(self, text: str) -> tuple[float | None, float | None]:
        """X and y of a text; None if the encoder knows none of its words."""
        x, y = place(self.snapshot, self.model, [text])[0].tolist()
        return (None, None) if math.isnan(x) else (x, y)


class LiveMap:
    """The newest map of an index.

    Args:
        folder: the index.
        note: gets a message for each error in the background.
    """

    def __init__(self, folder: Path, note: Callable[[str], None]) -> None:
        self.folder = folder
        self._note = note
        self._current: ShownMap | None = None
        self._why_none = "the map is being made; try again"
        self._closed = threading.Event()

    @property
    def current(self) -> ShownMap:
        """The newest map.

        Raises:
            StoreError: there is no map (yet).
        """
        if self._current is None:
            raise StoreError(self._why_none)
        return self._current

    def update(self, progress: Progress) -> None:
        """Make the map of the newest commit.

        Raises:
            StoreError: the index is missing, unreadable, or locked by a writer.
            TextaeError: this index has no map; an earlier map stays.
        """
        try:
            with Engine.open(self.folder) as engine:
                self._current = make_map(engine, progress)
        except TextaeError as error:
            self._why_none = f"there is no map: {error}"
            raise

    def follow(self) -> None:
        """Start the thread that makes the map of each new commit; `close` stops it."""
        threading.Thread(target=self._follow, name="textae-map", daemon=True).start()

    def _follow(self) -> None:
        tried, pause = self._current.commit if self._current else "", REFRESH
        while not self._closed.wait(pause):
            started = time.monotonic()
            newest = tried
            try:
                newest = store.last_commit(self.folder)
                if newest != tried:
                    self.update(no_progress)
                    newest = self.current.commit
            except StoreError:
                newest = tried  # missing, or locked by a writer: try again later
            except _NO_MAP as error:
                self._note(f"the map was not updated: {error}")
            tried = newest
            pause = REFRESH + time.monotonic() - started  # maps take at most half of the time

    def close(self) -> None:
        """Stop the thread."""
        self._closed.set()


def make_map(engine: Engine, progress: Progress) -> ShownMap:
    """The map of an engine's commit; topics and layout are learned where the index has none."""
    map_model(engine.snapshot, NEIGHBOURS, progress=progress)
    topic_model(engine.snapshot, None, None, progress)
    # Each of them was kept by a commit of its own, and others may commit in between: from here on it is one commit.
    engine.refresh()
    snapshot = engine.snapshot
    document_map, model = engine.map(NEIGHBOURS), map_model(snapshot, NEIGHBOURS)
    progress("making the page", 0, None)
    page = io.BytesIO()
    commit = snapshot.reader.commit
    name, analysis = engine.folder.resolve().name, snapshot.model.vectorizer.analysis
    compose(document_map, snapshot.reader.stream(), page, name=name, analysis=analysis, served=commit)
    html = page.getvalue()
    shown = ShownMap(commit, html, hashlib.sha256(html).hexdigest(), document_map.topics, snapshot, model)
    shown.position("")  # loads the model, before the engine is closed
    return shown
