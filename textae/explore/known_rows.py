"""The documents that topics and maps are made of: those whose words the encoder knows."""

import numpy as np

from textae.encoding.arrays import Rows
from textae.errors import QueryError
from textae.index.snapshot import Snapshot


def known_rows(snapshot: Snapshot) -> Rows:
    """The rows of the documents that have a code and are not removed."""
    has_code, alive = snapshot.documents.has_code.whole(), snapshot.documents.alive
    return np.flatnonzero(has_code if alive is None else has_code & alive)


def some_known_rows(snapshot: Snapshot) -> Rows:
    """The `known_rows`, at least one.

    Raises:
        QueryError: no document has a code.
    """
    rows = known_rows(snapshot)
    if not len(rows):
        raise QueryError("no document of this index has a code: the encoder knows none of their words")
    return rows


def rows_to_learn(snapshot: Snapshot, most: int, generator: np.random.Generator) -> Rows:
    """The `known_rows`, or a sample of more than `most`, rising.

    Raises:
        QueryError: no document has a code.
    """
    rows = some_known_rows(snapshot)
    return rows if len(rows) <= most else np.sort(generator.choice(rows, most, replace=False))
