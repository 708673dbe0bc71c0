"""The map of a corpus: coordinates of every document on the plane, its topic, and words for each place of the plane.

Coordinates depend on codes alone, and on the user's own vectors where an index has some
(`textae.explore.fused_codes`), so a map that was learned once places new documents and queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.config import LAYOUTS, LSA, NEIGHBOURS, check_seed
from textae.encoding.arrays import Floats, Ints, Rows
from textae.encoding.decoder import most_telling
from textae.encoding.encoders import TextEncoder
from textae.encoding.layers import unit
from textae.encoding.nearest_places import NearestPlaces
from textae.encoding.projection import LIMIT, Projection, first_coordinates
from textae.errors import TextaeError
from textae.explore.fused_codes import fused
from textae.explore.known_rows import rows_to_learn, some_known_rows
from textae.explore.naming import telling_names
from textae.explore.sampling import spherical
from textae.index.derived import keep
from textae.index.snapshot import Snapshot
from textae.index.surface_forms import forms
from textae.types import TEXTS, Progress, Topics, no_progress

Words = tuple[tuple[str, ...], ...]

GRID, WORDS = 48, 6
"""Rows and columns of the background grid, and words of a cell."""

MOST = 20_000
"""Documents that a layout is learned from: a seeded sample of more."""

_NEAR = 10  # documents that a place takes its words from, at least
_CELLS = 256  # decoded at a time
_AT_A_TIME = 8_192  # documents placed


@dataclass(frozen=True)
class BackgroundGrid:
    """The decoder's words all over the plane, with documents or without: a grid of n × n cells.

    Attributes:
        left: the edge of the first column.
        bottom: the edge of the last row.
        right: the edge of the last column.
        top: the edge of the first row.
        words: n · n cells, row by row from the top: the most telling words first; empty for pictures.
    """

    left: float
    bottom: float
    right: float
    top: float
    words: Words


@dataclass(frozen=True)
class DocumentMap:
    """The map of an index: its n documents that have a code, in the order of their numbers.

    Attributes:
        layout: one of `LAYOUTS`.
        numbers: (n,) int64 of the documents.
        ids: n.
        titles: n; empty for a document without one.
        coordinates: (n, 2) float32, x to the right and y upwards; most from -1 to 1.
        topics: of the documents.
        topic_of: (n,) int32, the place of each document's topic in `topics.leaves`.
        memberships: (n,) float32 from 0 to 1, of each document in its topic.
        background: the words of the plane.
    """

    layout: str
    numbers: Rows
    ids: Sequence[str]
    titles: Sequence[str]
    coordinates: Floats
    topics: Topics
    topic_of: Ints
    memberships: Floats
    background: BackgroundGrid


@dataclass(frozen=True)
class MapModel:
    """A learned map, which also places new documents.

    Attributes:
        layout: one of `LAYOUTS`.
        seed: of learning.
        projection: from codes to coordinates.
        background: the words of the plane.
    """

    layout: str
    seed: int
    projection: Projection | NearestPlaces
    background: BackgroundGrid

    def stored(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """The arrays and the setting that `load` reads."""
        words = "\n".join(" ".join(cell) for cell in self.background.words)
        text = np.frombuffer(words.encode(), np.uint8)
        return self.projection.arrays() | {"words": text}, {"seed": self.seed}

    @classmethod
    def load(cls, snapshot: Snapshot, layout: str) -> MapModel | None:
        """The map that an index stores; None without one.

        Raises:
            TextaeError: no such layout.
        """
        stored = snapshot.reader.settings.get(setting(layout))
        if stored is None:
            return None
        prefix, every = f"{setting(layout)}/", snapshot.reader.arrays
        arrays = {key.removeprefix(prefix): array for key, array in every.items() if key.startswith(prefix)}
        if layout == NEIGHBOURS and "keys" not in arrays:
            return None  # a network, as older versions learned
        words = tuple(tuple(cell.split()) for cell in arrays["words"].tobytes().decode().split("\n"))
        background = BackgroundGrid(-LIMIT, -LIMIT, LIMIT, LIMIT, words)
        kind = NearestPlaces if layout == NEIGHBOURS else Projection
        return cls(layout, stored["seed"], kind.from_arrays(arrays), background)


def setting(layout: str) -> str:
    """The setting, and prefix of the arrays, of a stored map.

    Raises:
        TextaeError: no such layout.
    """
    if layout not in LAYOUTS:
        raise TextaeError(f"there is no layout {layout!r}; give one of {', '.join(LAYOUTS)}")
    return f"map/{layout}"


def map_model(
    snapshot: Snapshot, layout: str = NEIGHBOURS, seed: int | None = None, progress: Progress = no_progress
) -> MapModel:
    """The map that the index keeps, or a new one, which it then keeps.

    Args:
        snapshot: the index.
        layout: one of `LAYOUTS`.
        seed: of learning; None for the map that is kept, else the seed of the index.
        progress: called at each stage of learning.

    Raises:
        TextaeError: no such layout; the seed is out of range; or the layout is LSA's, and bits alone are stored.
        StoreError: another process is writing to the index.
    """
    name = setting(layout)
    if layout == LSA:
        snapshot.modality.check_floats(f"the layout {LSA!r}", "another layout")
    model = snapshot.learned.get(name) or MapModel.load(snapshot, layout)
    if model is None or seed not in (None, model.seed):
        model = learn_map(snapshot, layout, snapshot.specs[1].seed if seed is None else seed, progress)
        arrays, stored = model.stored()
        keep(snapshot, name, arrays, {name: stored})
        snapshot.learned[name] = model
    return model


def learn_map(snapshot: Snapshot, layout: str, seed: int, progress: Progress) -> MapModel:
    """Learn a projection of codes to the plane, and the words of the plane.

    Args:
        snapshot: the index.
        layout: one of `LAYOUTS`.
        seed: of the sample of documents, and of learning.
        progress: called for each step.

    Raises:
        QueryError: no document has a code.
        TextaeError: the seed is invalid.
    """
    check_seed(seed)
    rows = rows_to_learn(snapshot, MOST, np.random.default_rng(seed))
    codes = _codes(snapshot, layout, rows)
    projection: Projection | NearestPlaces
    if layout == LSA:
        projection = first_coordinates(codes.shape[1]).fitted_to_square(codes)
    else:
        from textae.training.map_layout import learn_autoencoder, learn_neighbours

        projection = (learn_neighbours if layout == NEIGHBOURS else learn_autoencoder)(codes, seed, progress)
    words: Words = ((),) * GRID**2
    if snapshot.modality.kind == TEXTS:
        floats = snapshot.documents.floats.take(rows).astype(np.float32)
        words = _background_words(snapshot, floats, projection.coordinates(codes), progress)
    return MapModel(layout, seed, projection, BackgroundGrid(-LIMIT, -LIMIT, LIMIT, LIMIT, words))


def _background_words(snapshot: Snapshot, codes: Floats, coordinates: Floats, progress: Progress) -> Words:
    """The decoder's words of every cell, by the codes, (n, dims), and coordinates, (n, 2), of documents."""
    middles = (np.arange(GRID, dtype=np.float32) + 0.5) * (2 * LIMIT / GRID) - LIMIT
    x, y = np.meshgrid(middles, middles[::-1])
    cells = np.stack([x.ravel(), y.ravel()], axis=1)
    stem_of = snapshot.model.vectorizer.vocabulary.term
    terms: list[list[int]] = []
    for first in range(0, len(cells), _CELLS):
        probabilities = snapshot.decoder.words(codes_at(cells[first : first + _CELLS], codes, coordinates))
        terms += [most_telling(row, snapshot.usual_words, 2 * WORDS).tolist() for row in probabilities]
        progress("reading the map", len(terms), len(cells))
    form_of = forms(snapshot, {term for cell in terms for term in cell}, ())
    return tuple(telling_names(map(stem_of, cell), form_of, WORDS) for cell in terms)


def codes_at(places: Floats, codes: Floats, coordinates: Floats) -> Floats:
    """The codes of places on the plane: the mean code of near documents, by a Gaussian as wide as a cell.

    If few documents are near, it is wide enough for `_NEAR` of them (Nadaraya & Watson 1964).

    Args:
        places: (n_places, 2).
        codes: (n, dims) of documents.
        coordinates: (n, 2) of the same documents.

    Returns:
        (n_places, dims), of unit length if the codes are.
    """
    squares = (coordinates * coordinates).sum(axis=1)
    distances = (places * places).sum(axis=1)[:, None] + squares - 2 * places @ coordinates.T  # (n_places, n)
    k = min(_NEAR, len(coordinates)) - 1
    width = np.maximum(np.partition(distances, k, axis=1)[:, k : k + 1], (2 * LIMIT / GRID) ** 2 / 4)
    weights = np.exp((distances.min(axis=1, keepdims=True) - distances) / (2 * width))
    means: Floats = weights @ codes / weights.sum(axis=1, keepdims=True)
    return unit(means) if spherical(codes) else means


def document_map(
    snapshot: Snapshot, model: MapModel, topics: Topics, topic_of: Ints, memberships: Floats
) -> DocumentMap:
    """The map of an index.

    Args:
        snapshot: the index.
        model: the learned map.
        topics: of the documents.
        topic_of: (n,) as in `DocumentMap`.
        memberships: (n,) as in `DocumentMap`.

    Raises:
        QueryError: no document has a code.
    """
    rows = some_known_rows(snapshot)
    blocks = np.split(rows, range(_AT_A_TIME, len(rows), _AT_A_TIME))
    codes = (_codes(snapshot, model.layout, block) for block in blocks)
    coordinates = np.concatenate([model.projection.coordinates(some) for some in codes])
    numbers = snapshot.documents.doc_numbers.take(rows)
    ids, titles = snapshot.reader.ids_and_titles()
    if len(ids) > len(numbers):  # some documents have no code
        chosen = np.searchsorted(snapshot.numbers, numbers).tolist()
        ids, titles = [ids[i] for i in chosen], [titles[i] for i in chosen]
    return DocumentMap(model.layout, numbers, ids, titles, coordinates, topics, topic_of, memberships, model.background)


def _codes(snapshot: Snapshot, layout: str, rows: Rows) -> Floats:
    """The codes of documents that a layout projects, but for LSA's with the user's own vectors beside: (n, dims)."""
    if layout == LSA:
        return snapshot.documents.lsa.take(rows).astype(np.float32)
    floats = snapshot.documents.floats.take(rows).astype(np.float32)
    return fused(snapshot, floats, floats, rows)


def place(snapshot: Snapshot, model: MapModel, texts: Sequence[str]) -> Floats:
    """The coordinates of texts: (n, 2), NaN for a text without a word that the encoder knows.

    Raises:
        QueryError: the documents are pictures.
    """
    snapshot.check_words("a place on the map by words")
    encoder = snapshot.model.start if model.layout == LSA else snapshot.model.encoder
    assert isinstance(encoder, TextEncoder)  # of texts, and LSA's where that is stored
    codes = encoder.encode(snapshot.model.vectorizer.transform(texts))
    floats = codes.floats if model.layout == LSA else fused(snapshot, codes.floats, codes.floats, None)
    coordinates = model.projection.coordinates(floats)
    coordinates[~codes.has_code] = np.nan
    return coordinates
