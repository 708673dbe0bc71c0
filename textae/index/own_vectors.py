"""The user's own vectors of the documents: what can be used of them, at unit length, in half precision and as bits.

A vector that cannot be used is none: its document is found by its words and its code, and counted with the reason.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.arrays import Floats
from textae.encoding.encoders import Codes, Quantization
from textae.encoding.given_vectors import OTHER_DIMS, unit_vector
from textae.errors import CorpusError, QueryError
from textae.index.chunked import ChunkedArray
from textae.index.segments import VECTORS, prefix
from textae.index.snapshot import Snapshot
from textae.index.soundness import check_values

N_BITS = 256
"""Bits of a vector, by which a scan finds candidates, as of our own codes."""

_CHUNK = 2_048  # rows that are quantised at a time


def own_vectors(snapshot: Snapshot) -> OwnVectors | None:
    """The vectors of an index; None where it has none."""
    return OwnVectors(snapshot) if "vectors" in snapshot.reader.settings else None


def needed_vectors(snapshot: Snapshot) -> OwnVectors:
    """The vectors of an index.

    Raises:
        QueryError: it has none.
    """
    if own := own_vectors(snapshot):
        return own
    raise QueryError(f"the index {snapshot.reader.folder} has no vectors; 'textae index --vectors' makes one with some")


class OwnVectors:
    """The vectors of an index that has some.

    Args:
        snapshot: of the index.

    Attributes:
        settings: `dims`, and the `field` that they were read from, if they were in one.
        planes: that quantise them.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.settings: Mapping[str, Any] = snapshot.reader.settings["vectors"]
        self.planes = Quantization(snapshot.arrays[f"{VECTORS}mean"], snapshot.arrays[f"{VECTORS}rotation"])
        self._reader, self._documents = snapshot.reader, snapshot.documents

    @cached_property
    def codes(self) -> Codes:
        """The vectors of all documents that are there, in the order of their numbers."""
        codes, alive = Codes.concatenated(self._parts), self._documents.alive
        return codes if alive is None else Codes(codes.has_code[alive], codes.floats[alive], codes.bits[alive])

    @cached_property
    def known(self) -> ChunkedArray[np.bool_]:
        """Whether each row of whole documents has a vector."""
        return ChunkedArray([part.has_code for part in self._parts])

    @cached_property
    def floats(self) -> ChunkedArray[np.floating]:
        """The vector of each row, zeros for none: (n_rows, dims)."""
        return ChunkedArray([part.floats for part in self._parts])

    def check(self) -> None:
        """Check all values, and those of the codes beside, before native code computes with both.

        Raises:
            StoreError: they are not what textae writes.
        """
        parts, segments = (VECTORS, "known", "floats"), self._reader.settings["segments"]
        check_values(self._reader, VECTORS, *(f"{prefix(name)}documents/{part}" for name in segments for part in parts))

    def of(self, numbers: Sequence[int]) -> Floats:
        """The vectors of the documents of these numbers, zeros for none: (n, dims)."""
        rows = np.array([self._documents.rows_of(number)[0] for number in numbers], np.int64)
        return self.floats.take(rows).astype(np.float32)

    def of_query(self, vector: Any) -> Floats:
        """The vector of a query at unit length: (dims,).

        Raises:
            QueryError: it is none, or has other dimensions.
        """
        row, dims = unit_vector(vector), self.settings["dims"]
        if isinstance(row, str):
            raise QueryError(f"the query has a {row}")
        if len(row) != dims:
            raise QueryError(
                f"the vector of the query has {len(row):,} numbers, and those of the documents have {dims:,}; take the "
                "same model"
            )
        return row

    @property
    def _parts(self) -> list[Codes]:
        return [unit.vectors for unit in self._documents.units if unit.vectors is not None]


class VectorRows:
    """Collects the vectors of documents, in their order.

    Args:
        planes: that quantise vectors, of an index that has some; None to learn them.

    Attributes:
        any: whether a document had a vector, be it one that can be used or not.
    """

    def __init__(self, planes: Quantization | None = None) -> None:
        self.planes, self.any = planes, False
        self._rows: list[Floats | str] = []

    def add(self, vector: Any) -> None:
        """Add the vector of the next document; None where it has none."""
        self.any = self.any or vector is not None
        row = unit_vector(vector)
        self._rows.append(row if isinstance(row, str) else row.astype(np.float16))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The planes by name, after they were learned."""
        assert self.planes is not None
        return {"mean": self.planes.mean, "rotation": self.planes.rotation}

    def take(self, seed: int = 0) -> tuple[Codes, Tally[str]]:
        """The vectors that were added since, a row for each document, and how many have none, by the reason.

        Args:
            seed: of the planes, where they are to be learned. Vectors have the dimensions that most have.

        Raises:
            CorpusError: no vector can be used, and planes are to be learned from them.
        """
        lengths = Tally(len(row) for row in self._rows if not isinstance(row, str))
        if self.planes is None and not lengths:
            raise CorpusError(f"no document has a vector that can be used: {listed(Tally(map(str, self._rows)))}")
        dims = lengths.most_common(1)[0][0] if self.planes is None else len(self.planes.mean)
        floats, without = np.zeros((len(self._rows), dims), np.float16), Tally[str]()
        for place, row in enumerate(self._rows):
            if isinstance(row, str) or len(row) != dims:
                without[row if isinstance(row, str) else OTHER_DIMS] += 1
            else:
                floats[place] = row
        self._rows = []
        known = floats.any(axis=1)
        if self.planes is None:
            from textae.training.itq import quantization  # numpy.random, which a search does not need

            self.planes = quantization(floats[known].astype(np.float32), N_BITS, seed)
        return codes_of(floats, self.planes), without


def codes_of(floats: NDArray[Any], planes: Quantization) -> Codes:
    """Vectors with their bits, as codes: (n, dims), of unit length or zeros, in half precision or single."""
    known = np.asarray(floats.any(axis=1))
    bits = [np.empty((0, planes.rotation.shape[1] // 8), np.uint8)]
    for at in range(0, len(floats), _CHUNK):
        bits.append(planes.bits(floats[at : at + _CHUNK].astype(np.float32), known[at : at + _CHUNK]))
    return Codes(known, floats, np.concatenate(bits))


def listed(reasons: Mapping[str, int]) -> str:
    """Reasons and their counts, for an error."""
    return ", ".join(f"{reason}: {count:,}" for reason, count in sorted(reasons.items()))
