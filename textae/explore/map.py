"""The map of a corpus: a place on the plane for every document, its topic, and what the decoder says at each place.

Places are a function of codes alone, so that what is learned once serves documents that come later, and queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textae.config import LAYOUTS, LSA, NEIGHBOURS, check_seed
from textae.encoding.arrays import Floats
from textae.encoding.decoder import most_telling
from textae.encoding.encoders import PixelEncoder
from textae.encoding.layers import unit
from textae.encoding.projection import LIMIT, Projection, first_coordinates
from textae.errors import QueryError, TextaeError
from textae.explore.topics import known_rows
from textae.index.chunked import ChunkedArray
from textae.index.snapshot import Snapshot
from textae.index.surface_forms import forms
from textae.types import Progress, Topics

if TYPE_CHECKING:
    from textae.index.segments import Arrays


@dataclass(frozen=True)
class BackgroundGrid:
    """What the decoder says at the places of the plane, whether or not a document is there: a grid of n × n cells.

    Attributes:
        left: the edge of the first column.
        bottom: the edge of the last row.
        right: the edge of the last column.
        top: the edge of the first row.
        words: n · n cells, row by row from the top: the most telling words, the most telling first; none of pictures.
    """

    left: float
    bottom: float
    right: float
    top: float
    words: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class DocumentMap:
    """The map of an index: its n documents that have a code, in the order of their numbers.

    Attributes:
        layout: one of `LAYOUTS`.
        numbers: (n,) int64 of the documents.
        ids: n.
        titles: n; empty where a document has none.
        places: (n, 2) float32, x to the right and y upwards; most lie from -1 to 1.
        topics: of the documents.
        topic_of: (n,) int32, the place of each document's topic in `topics.leaves`.
        strengths: (n,) float32 from 0 to 1, how much it belongs to it.
        ground: what is said where.
    """

    layout: str
    numbers: NDArray[np.int64]
    ids: Sequence[str]
    titles: Sequence[str]
    places: Floats
    topics: Topics
    topic_of: NDArray[np.int32]
    strengths: Floats
    ground: BackgroundGrid


GRID, WORDS = 48, 6
"""Rows and columns of the ground, and words of a cell."""

MOST = 20_000
"""Documents that a layout is learned from: a seeded sample of more."""

_NEAR = 10  # documents that a place is told by at least
_CELLS = 256  # told at a time
_AT_A_TIME = 8_192  # documents placed


@dataclass(frozen=True)
class MapModel:
    """What is learned of a map, and serves documents that come later.

    Attributes:
        layout: one of `LAYOUTS`.
        seed: that it was learned by.
        projection: from codes to places.
        ground: what is said where.
    """

    layout: str
    seed: int
    projection: Projection
    ground: BackgroundGrid

    def kept(self) -> tuple[Arrays, dict[str, Any]]:
        """The arrays and what JSON holds of it, as `from_kept` takes them."""
        words = "\n".join(" ".join(cell) for cell in self.ground.words)
        text = np.frombuffer(words.encode(), np.uint8)
        return self.projection.arrays() | {"words": text}, {"seed": self.seed, "hidden": self.projection.hidden}

    @classmethod
    def from_kept(cls, layout: str, arrays: Mapping[str, NDArray[Any]], said: Mapping[str, Any]) -> MapModel:
        """The chart that gave these `kept`."""
        cells = arrays["words"].tobytes().decode().split("\n")
        ground = _square(tuple(tuple(cell.split()) for cell in cells))
        return cls(layout, said["seed"], Projection.from_arrays(arrays, said["hidden"]), ground)


def _square(words: tuple[tuple[str, ...], ...]) -> BackgroundGrid:
    return BackgroundGrid(-LIMIT, -LIMIT, LIMIT, LIMIT, words)


def setting(layout: str) -> str:
    """The name under which an index keeps a chart.

    Raises:
        TextaeError: there is no such layout.
    """
    if layout not in LAYOUTS:
        raise TextaeError(f"there is no layout {layout!r}; give one of {', '.join(LAYOUTS)}")
    return f"map/{layout}"


def kept_chart(snapshot: Snapshot, layout: str) -> MapModel | None:
    """The chart that an index keeps; None where it keeps none."""
    name = setting(layout)
    said = snapshot.reader.settings.get(name)
    if said is None:
        return None
    arrays = {
        key.removeprefix(f"{name}/"): array
        for key, array in snapshot.reader.arrays.items()
        if key.startswith(f"{name}/")
    }
    return MapModel.from_kept(layout, arrays, said)


def learn_chart(snapshot: Snapshot, layout: str, seed: int, progress: Progress) -> MapModel:
    """Learn how codes come to the plane, and what the decoder says there.

    Args:
        snapshot: the index.
        layout: one of `LAYOUTS`.
        seed: of the sample of documents, and of learning.
        progress: told of every step.

    Raises:
        QueryError: no document has a code.
        TextaeError: the seed cannot be.
    """
    check_seed(seed)
    rows = known_rows(snapshot)
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST, replace=False))
    if not len(rows):
        raise QueryError("no document of this index has a code: the encoder knows none of their words")
    codes = snapshot.documents.floats.take(rows).astype(np.float32)
    placed = _placed(snapshot, layout).take(rows).astype(np.float32)
    projection = _learned(layout, placed, seed, progress).fitted_to_square(placed)
    return MapModel(layout, seed, projection, learn_ground(snapshot, codes, projection.coordinates(placed), progress))


def _learned(layout: str, codes: Floats, seed: int, progress: Progress) -> Projection:
    if layout == LSA:
        return first_coordinates(codes.shape[1])
    from textae.training.map_layout import learn_autoencoder, learn_neighbours

    return (learn_neighbours if layout == NEIGHBOURS else learn_autoencoder)(codes, seed, progress)


def learn_ground(snapshot: Snapshot, codes: Floats, places: Floats, progress: Progress) -> BackgroundGrid:
    """What the decoder says at the places of the plane, of the codes there: words, which pictures have none of.

    Args:
        snapshot: the index.
        codes: (n, dims) of some documents.
        places: (n, 2) of theirs.
        progress: told of every step.
    """
    if snapshot.shape is not None:
        return _square(((),) * GRID**2)
    middles = (np.arange(GRID, dtype=np.float32) + 0.5) * (2 * LIMIT / GRID) - LIMIT
    x, y = np.meshgrid(middles, middles[::-1])
    cells = np.stack([x.ravel(), y.ravel()], axis=1)
    vocabulary, usual = snapshot.model.vectorizer.vocabulary, snapshot.usual_words
    told: list[list[int]] = []
    for first in range(0, len(cells), _CELLS):
        shares = snapshot.decoder.words(codes_of(cells[first : first + _CELLS], codes, places))
        told += [most_telling(row, usual, WORDS).tolist() for row in shares]
        progress("reading the map", len(told), len(cells))
    form_of = forms(snapshot, {term for terms in told for term in terms}, ())
    stems = [[vocabulary.term(term) for term in terms] for terms in told]
    return _square(tuple(tuple(form_of.get(stem, stem) for stem in cell) for cell in stems))


def codes_of(at: Floats, codes: Floats, places: Floats) -> Floats:
    """The codes that documents would have at some places: means of those near, by a Gaussian as wide as a cell.

    Where few are near it is as wide as it takes to reach `_NEAR` of them (Nadaraya & Watson 1964).

    Args:
        at: (n_places, 2).
        codes: (n, dims) of documents.
        places: (n, 2) of theirs.

    Returns:
        (n_places, dims), of unit length where those of the documents are.
    """
    apart = (at * at).sum(axis=1)[:, None] + (places * places).sum(axis=1) - 2 * at @ places.T  # (n_places, n)
    k = min(_NEAR, len(places)) - 1
    width = np.maximum(np.partition(apart, k, axis=1)[:, k : k + 1], (2 * LIMIT / GRID) ** 2 / 4)
    weights = np.exp((apart.min(axis=1, keepdims=True) - apart) / (2 * width))
    means: Floats = weights @ codes / weights.sum(axis=1, keepdims=True)
    lengths = np.linalg.norm(codes, axis=1)
    return unit(means) if (np.abs(lengths - 1) < 0.01).all() else means


def topic_map(
    snapshot: Snapshot, chart: MapModel, topics: Topics, topic_of: NDArray[np.int32], strengths: Floats
) -> DocumentMap:
    """The map of an index.

    Args:
        snapshot: the index.
        chart: what was learned of it.
        topics: of the documents.
        topic_of: (n,) as `DocumentMap` has it.
        strengths: (n,) as `DocumentMap` has them.
    """
    rows, placed = known_rows(snapshot), _placed(snapshot, chart.layout)
    blocks = np.split(rows, range(_AT_A_TIME, len(rows), _AT_A_TIME))
    places = np.concatenate([chart.projection.coordinates(placed.take(block)) for block in blocks])
    numbers = snapshot.documents.doc_numbers.take(rows)
    ids, titles = snapshot.reader.ids_and_titles()
    if len(ids) > len(numbers):  # some have no code
        mask = np.searchsorted(snapshot.numbers, numbers).tolist()
        ids, titles = [ids[i] for i in mask], [titles[i] for i in mask]
    return DocumentMap(chart.layout, numbers, ids, titles, places, topics, topic_of, strengths, chart.ground)


def _placed(snapshot: Snapshot, layout: str) -> ChunkedArray[np.float16] | ChunkedArray[np.floating]:
    """The codes that a layout places, of each row: (n_rows, dims)."""
    return snapshot.documents.lsa if layout == LSA else snapshot.documents.floats


def place(snapshot: Snapshot, chart: MapModel, texts: Sequence[str]) -> Floats:
    """Where texts are on a map: (n, 2), NaN for one of which the encoder knows no word.

    Raises:
        QueryError: the documents are pictures.
    """
    snapshot.check_words("a place on the map by words")
    encoder = snapshot.model.start if chart.layout == LSA else snapshot.model.encoder
    assert not isinstance(encoder, PixelEncoder)  # of texts
    codes = encoder.encode(snapshot.model.vectorizer.transform(texts))
    places = chart.projection.coordinates(codes.floats)
    places[~codes.has_code] = np.nan
    return places
