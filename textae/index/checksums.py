"""Checksums of the blocks of large arrays, so that a search can check the few rows that it reads of them.

The words of an encoder have some 40 MB, of which a query reads a row for each of its terms. A bit that flips there
would change the code of the query, and nobody would know. CRC-32 finds what disks do, not what strangers do: a block
takes 4 µs, SHA-256 takes 12. A search of 1.4 ms checks 3 to 5 blocks, once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from textae.index.records import Arrays, damaged

BLOCK = 1 << 14
"""Bytes of a block."""

LARGE = 1 << 20
"""Bytes of an array that has no checksums; the hashes of smaller ones are checked when an index is opened."""

PREFIX = "checksums/"
"""Begins the names of the checksums of an array."""

_ROWS_OF_TERMS = ("encoder/words", "encoder/deep/weight0", "lsa/words")


def with_checksums(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """These arrays, and the checksums of the large ones with a row for each term: (n_blocks,) uint32."""
    large = {name: arrays[name] for name in _ROWS_OF_TERMS if name in arrays and arrays[name].nbytes > LARGE}
    own = {PREFIX + name: checksums(array) for name, array in large.items() if array.flags.c_contiguous}
    return {**arrays, **own}


def checksummed(arrays: Arrays) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """The arrays that have checksums, with these, by name."""
    names = [name for name in _ROWS_OF_TERMS if name in arrays and PREFIX + name in arrays]
    return {name: (arrays[name], arrays[PREFIX + name]) for name in names}


def n_blocks(array: NDArray[Any]) -> int:
    """The number of blocks of an array."""
    return -(-array.nbytes // BLOCK)


def checksums(array: NDArray[Any]) -> NDArray[np.uint32]:
    """The checksum of each block of an array."""
    content = _content(array)
    return np.array([crc32(content[at : at + BLOCK]) for at in range(0, len(content), BLOCK)], np.uint32)


def _content(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


class Checksums:
    """Checks blocks of the arrays with a row for each term, each block once.

    Args:
        arrays: of an index; those without checksums are not checked.
        folder: of the index.
    """

    def __init__(self, arrays: Arrays, folder: Path) -> None:
        self._arrays, self._folder = checksummed(arrays), folder
        self._whole: set[tuple[str, int]] = set()

    def check(self, terms: Sequence[int]) -> None:
        """Check what an encoder is to read of the rows of these terms.

        Raises:
            StoreError: it is not what was written.
        """
        for name, (array, own) in self._arrays.items():
            content, width = _content(array), array.nbytes // max(1, len(array))
            firsts = [term * width for term in terms if term < len(array)]
            blocks = {block for at in firsts for block in range(at // BLOCK, (at + width - 1) // BLOCK + 1)}
            for block in sorted(blocks):
                if (name, block) not in self._whole:
                    if crc32(content[block * BLOCK : (block + 1) * BLOCK]) != own[block]:
                        raise damaged(self._folder, f"the array {name!r} is not what was written")
                    self._whole.add((name, block))
