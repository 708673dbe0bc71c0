"""The map of the server: its page, its topics, and the places of queries."""

import hashlib
import io
import math
from dataclasses import dataclass

from textae.app.server.live import Live
from textae.config import NEIGHBOURS
from textae.engine import Engine
from textae.explore.map import MapModel, map_model, place
from textae.index.snapshot import Snapshot
from textae.types import Progress, Topics
from textae.views.page import compose


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


class LiveMap(Live[ShownMap]):
    """The newest map of an index."""

    what = "the map"

    def make(self, engine: Engine, progress: Progress) -> ShownMap:
        """The map; topics and layout are learned where the index has none."""
        map_model(engine.snapshot, NEIGHBOURS, progress=progress)
        engine.topics(progress=progress)
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
        if snapshot.shape is None:
            shown.position("")  # loads the model, before the engine is closed
        return shown
