"""What topics and maps compare: codes, and beside them the user's own vectors, where an index has some.

    [code | √(1.5 v) · unit((vector - mean) R)]        v: the weight of the vectors in hybrid search
                                                       mean, R: the planes of their bits, which keep inner products

The inner product of two rows is the cosine of the codes, and that of the vectors from their mean on, fused as in a
search. R turns vectors of more dimensions to their 256 principal axes.

Texts have no vector, and some documents neither. Theirs is the one that their code makes likely, by ridge regression on
the documents that were learned: unit(code B), B = (CᵀC + n/1000 · I)⁻¹ CᵀV. With zeros in its place, a text would lie
among what is like nothing: of new messages of 20 Newsgroups, the map places .45 right so, .68 by the regression, .71
with their vectors, and .55 where it has learned codes alone (docs/benchmarks-notes.md).
"""

import numpy as np

from textae.encoding.arrays import Floats, Rows, evenly_spaced
from textae.encoding.encoders import Encoder
from textae.encoding.layers import matmul, unit
from textae.explore.known_rows import known_rows
from textae.index.own_vectors import OwnVectors, own_vectors
from textae.index.snapshot import Snapshot

WEIGHT = 1.5
"""Times v. Of 1, 1.5, 2, 3 and 4, for 2,000 messages of the training part of 20 Newsgroups, it is best on the map; 2 is
best for topics."""

_SAMPLE = 5_000  # documents of the regression, at most
_AT_A_TIME = 8_192  # vectors, which may have thousands of dimensions
_RIDGE = 1e-3  # of a document: from .15 to 1.5 thousandths give the same

_NAME = "fused codes"


def fused(snapshot: Snapshot, parts: Floats, codes: Floats, rows: Rows | None) -> Floats:
    """Codes with vectors beside them; in an index without vectors, codes alone.

    Args:
        snapshot: the index.
        parts: (n, m) of the codes, what is compared of them.
        codes: (n, dims) the whole codes.
        rows: (n,) of the documents; None for texts.

    Returns:
        (n, m) or (n, m + bits of a vector).
    """
    own = own_vectors(snapshot)
    if own is None:
        return parts
    if _NAME not in snapshot.learned:
        snapshot.learned[_NAME] = _VectorParts(snapshot, own)
    vector_parts: _VectorParts = snapshot.learned[_NAME]
    return np.concatenate([parts, vector_parts.of(codes, rows)], axis=1)


class _VectorParts:
    """What stands beside codes.

    Args:
        snapshot: the index.
        own: its vectors.
    """

    def __init__(self, snapshot: Snapshot, own: OwnVectors) -> None:
        settings, documents, rows = snapshot.reader.settings, snapshot.documents, known_rows(snapshot)
        own.check()
        self._own = own
        is_learned = documents.doc_numbers.take(rows) < settings["learned_numbers"]
        rows = rows[is_learned & own.known.take(rows)]
        rows = rows[evenly_spaced(len(rows), _SAMPLE)]
        codes = documents.floats.take(rows).astype(np.float64)
        squares = float(np.square(codes).sum())
        # Codes of a deep stack have any length.
        length = 1.0 if isinstance(snapshot.model.encoder, Encoder) else (squares / max(1, len(codes))) ** 0.5
        self._scale = np.float32((WEIGHT * settings["vector_weight"]) ** 0.5 * length)
        ridge = (_RIDGE * squares or 1.0) * np.eye(codes.shape[1])
        self._likely = np.linalg.solve(codes.T @ codes + ridge, codes.T @ self._sides(rows)).astype(np.float32)

    def of(self, codes: Floats, rows: Rows | None) -> Floats:
        """The parts of texts with these codes, or of the documents of these rows: (n, bits of a vector)."""
        likely = unit(matmul(codes, self._likely))
        if rows is not None:
            known = self._own.known.take(rows)
            likely[known] = self._sides(rows[known])
        return likely * self._scale

    def _sides(self, rows: Rows) -> Floats:
        planes, parts = self._own.planes, [np.empty((0, self._own.planes.rotation.shape[1]), np.float32)]
        for first in range(0, len(rows), _AT_A_TIME):
            parts.append(planes.sides(self._own.floats.take(rows[first : first + _AT_A_TIME]).astype(np.float32)))
        return unit(np.concatenate(parts))
