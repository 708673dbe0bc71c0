"""Seeds: topics that a person wants, a line each: `name: word, word, id:document`, or without the name.

The words of a seed are encoded as a query, and documents have their codes. The topic starts at the mean of the sampled
documents that are closest to the mean of these codes, and moves to where its documents are: Seeded-KMeans (Basu,
Banerjee & Mooney, ICML 2002), with those documents as the seed set. The code of a few words alone would be far from
all documents.

    >>> seed_of("baking: bread, oven, id:notes/rye.md")
    Seed(name='baking', words=('bread', 'oven'), ids=('notes/rye.md',))
    >>> seed_of("id:a:1, comet")
    Seed(name='', words=('comet',), ids=('a:1',))
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from textae.encoding.arrays import Floats, Rows
from textae.errors import QueryError
from textae.explore.naming import check_name, check_new_name
from textae.index.snapshot import Snapshot

_ID = "id:"
_CLOSEST = 10  # documents that a topic starts at; √n of fewer than a hundred


class Seed(NamedTuple):
    """A topic that a person wants.

    Attributes:
        name: "" for one by its documents.
        words: that it is about.
        ids: of documents that it is about.
    """

    name: str
    words: tuple[str, ...]
    ids: tuple[str, ...]


def seed_of(line: str) -> Seed:
    """The seed of a line; a name has no comma.

    Raises:
        QueryError: the name cannot be one.
    """
    name, colon, rest = line.partition(":")
    has_name = bool(colon) and f"{name.rpartition(',')[2].strip()}:" != _ID
    items = [item for item in map(str.strip, (rest if has_name else line).split(",")) if item]
    words = tuple(item for item in items if not item.startswith(_ID))
    ids = tuple(item.removeprefix(_ID).strip() for item in items if item.startswith(_ID))
    return Seed(check_name(name) if has_name else "", words, ids)


def checked(lines: Iterable[str]) -> list[str]:
    """The lines that are not empty, without the spaces around them.

    Raises:
        QueryError: there is none; a name cannot be one; or two are the same.
    """
    lines = [line.strip() for line in lines if line.strip()]
    if not lines:
        raise QueryError("there is no seed; give a topic a line, as 'name: word, word'")
    names = [check_new_name(name) for name, _, _ in map(seed_of, lines) if name]
    if twice := [name for name in names if names.count(name) > 1]:
        raise QueryError(f"two seeds have the name {twice[0]!r}; give each a name of its own")
    return lines


def starts_of(
    seeds: Sequence[Seed], snapshot: Snapshot, to_vectors: Callable[[Floats, Rows | None], Floats], vectors: Floats
) -> Floats:
    """Where the topics of seeds start: (n_seeds, dims) float32.

    Args:
        seeds: at least one.
        snapshot: the index.
        to_vectors: makes of codes, and of the rows of documents that have them, what is clustered.
        vectors: (n, dims) of the sampled documents.

    Raises:
        QueryError: a seed has no word that the encoder knows; no document has an id, or that has no code; or two
            seeds mean the same documents.
    """
    closest = min(_CLOSEST, int(len(vectors) ** 0.5))
    starts = np.empty((len(seeds), vectors.shape[1]), np.float32)
    for i, seed in enumerate(seeds):
        middle = np.concatenate([to_vectors(*part) for part in codes_of(seed, snapshot)]).mean(axis=0)
        order = np.argsort(((vectors - middle) ** 2).sum(axis=1), kind="stable")
        starts[i] = vectors[order[:closest]].mean(axis=0)
        if (starts[:i] == starts[i]).all(axis=1).any():
            raise QueryError(f"the seed {_shown(seed)} means the same documents as another; give other words")
    return starts


def codes_of(seed: Seed, snapshot: Snapshot) -> list[tuple[Floats, Rows | None]]:
    """The codes of a seed, (1, dims), of its words together and of each document; with the row of that.

    Raises:
        QueryError: as `starts_of`.
    """
    parts: list[tuple[Floats, Rows | None]] = []
    if seed.words:
        codes = snapshot.text_encoder.encode(snapshot.model.vectorizer.transform([" ".join(seed.words)]))
        if not codes.has_code[0]:
            raise QueryError(f"the encoder knows no word of the seed {_shown(seed)}; give other words")
        parts.append((codes.floats.astype(np.float32), None))
    for id in seed.ids:
        number = snapshot.number(id)
        if not snapshot.codes.has_code[snapshot.position(id)]:
            raise QueryError(f"the encoder knows no word of the document {id!r}, so it cannot be of a seed")
        row = snapshot.documents.rows_of(number)[:1]
        parts.append((snapshot.documents.floats.take(row).astype(np.float32), row))
    if not parts:
        raise QueryError(f"the seed {_shown(seed)} has no word; give some, as 'name: word, word'")
    return parts


def _shown(seed: Seed) -> str:
    return repr(f"{seed.name or ', '.join((*seed.words, *seed.ids)):.60}")
