"""Scan every code on one core: with textae, with faiss, as a float product, and as a plain copy of as many bytes.

    python scans.py hamming|faiss|floats|copy N

It answers rounds of texts (rounds.py) over N random codes, the same for all. A text is the number of the query's code.
"""

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rounds import Find, answer

BYTES = 32
DIMS = 320


def hamming(bits: NDArray[np.uint8]) -> Find:
    """The ten nearest, with textae."""
    from textae.encoding.encoders import Codes
    from textae.index.chunked import ChunkedArray
    from textae.search.vectors import HammingIndex

    index = HammingIndex(ChunkedArray([bits]), ChunkedArray([np.ones(len(bits), np.bool_)]))
    floats = np.zeros((1, DIMS), np.float32)

    def find(text: str) -> Sequence[str]:
        query = Codes(np.ones(1, np.bool_), floats, bits[int(text)][None])
        return list(map(str, index.search(query, 10).rows))

    return find


def faiss(bits: NDArray[np.uint8]) -> Find:
    """The ten nearest, with an exhaustive index of faiss."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(8 * BYTES)
    index.add(bits)
    return lambda text: list(map(str, index.search(bits[int(text)][None], 10)[1][0]))


def floats(bits: NDArray[np.uint8]) -> Find:
    """The scalar product with as many float codes."""
    codes = np.random.default_rng(1).standard_normal((len(bits), DIMS), np.float32)
    return lambda text: [str((codes @ codes[int(text)]).argmax())]


def copy(bits: NDArray[np.uint8]) -> Find:
    """A copy of all codes."""
    target = np.zeros_like(bits)

    def find(text: str) -> Sequence[str]:
        np.copyto(target, bits)
        return [text]

    return find


if __name__ == "__main__":
    codes = np.random.default_rng(1).integers(0, 256, (int(sys.argv[2]), BYTES), np.uint8)
    answer({"hamming": hamming, "faiss": faiss, "floats": floats, "copy": copy}[sys.argv[1]](codes))
