"""The user's own vectors of the documents: what can be used of them, at unit length, in half precision and as bits.

A vector that cannot be used is none: its document is found by its words and its code, and counted with the reason.
"""

from collections import Counter as Tally
from collections.abc import Mapping
from typing import Any

import numpy as np

from textae.encoding.arrays import Floats
from textae.encoding.encoders import Codes, Quantization
from textae.encoding.given_vectors import OTHER_DIMS, unit_vector
from textae.errors import CorpusError

N_BITS = 256
"""Bits of a vector, by which a scan finds candidates, as of our own codes."""

_CHUNK = 2_048  # rows that are quantised at a time


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

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
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


def codes_of(floats: np.ndarray[Any, Any], planes: Quantization) -> Codes:
    """Vectors with their bits, as codes: (n, dims), of unit length or zeros, in half precision or single."""
    known = np.asarray(floats.any(axis=1))
    bits = [np.empty((0, planes.rotation.shape[1] // 8), np.uint8)]
    for at in range(0, len(floats), _CHUNK):
        bits.append(planes.bits(floats[at : at + _CHUNK].astype(np.float32), known[at : at + _CHUNK]))
    return Codes(known, floats, np.concatenate(bits))


def listed(reasons: Mapping[str, int]) -> str:
    """Reasons and their counts, for an error."""
    return ", ".join(f"{reason}: {count:,}" for reason, count in sorted(reasons.items()))
