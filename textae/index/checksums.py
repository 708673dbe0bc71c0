"""Checksums of the blocks of large arrays, so that a search can check the few rows that it reads of them.

The words of an encoder have some 40 MB, of which a query reads a row for each of its terms. A bit that flips there
would change the code of the query, and nobody would know. CRC-32 finds what disks do, not what strangers do: a block
takes 4 µs, SHA-256 takes 12. A search of 1.4 ms checks 3 to 5 blocks, once.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from textae.index.records import Arrays

BLOCK = 1 << 14
"""Bytes of a block."""

LARGE = 1 << 20
"""Bytes of an array that has no checksums; the hashes of smaller ones are checked when an index is opened."""

_PREFIX = "checksums/"
_ROWS_OF_TERMS = ("encoder/words", "encoder/deep/weight0", "lsa/words")


def with_checksums(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """These arrays, and the checksums of the large ones with a row for each term: (n_blocks,) uint32."""
    large = {name: arrays[name] for name in _ROWS_OF_TERMS if name in arrays and arrays[name].nbytes > LARGE}
    own = {_PREFIX + name: _checksums(array) for name, array in large.items() if array.flags.c_contiguous}
    return {**arrays, **own}


def _checksums(array: NDArray[Any]) -> NDArray[np.uint32]:
    content = _content(array)
    return np.array([crc32(content[at : at + BLOCK]) for at in range(0, len(content), BLOCK)], np.uint32)


def _content(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


class Checked:
    """Checks blocks of the arrays with a row for each term, each block once.

    Args:
        arrays: of an index; those without checksums are not checked.
    """

    def __init__(self, arrays: Arrays) -> None:
        names = [name for name in _ROWS_OF_TERMS if name in arrays and _PREFIX + name in arrays]
        self._arrays = {name: (arrays[name], arrays[_PREFIX + name]) for name in names}
        self._whole: set[tuple[str, int]] = set()

    def damaged(self, terms: Iterable[int]) -> str | None:
        """The name of an array that is damaged where it has the rows of these terms; None for none."""
        for name, (array, checksums) in self._arrays.items():
            content, width = _content(array), array.nbytes // max(1, len(array))
            ends = [(term * width, (term + 1) * width - 1) for term in terms if term < len(array)]
            for block in {block for first, last in ends for block in range(first // BLOCK, last // BLOCK + 1)}:
                if (name, block) not in self._whole:
                    if crc32(content[block * BLOCK : (block + 1) * BLOCK]) != checksums[block]:
                        return name
                    self._whole.add((name, block))
        return None
