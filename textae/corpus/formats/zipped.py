"""Formats that are XML in a zip archive: their parts, each unpacked with a bound."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from textae.corpus import formats, reading
from textae.corpus.formats import Given
from textae.corpus.reading import RefusedError

_MEMBERS = 1 << 16  # as many as a zip archive has without its 64-bit extension


@contextmanager
def opened(given: Given) -> Iterator[zipfile.ZipFile]:
    """A zip archive.

    Raises:
        RefusedError: it is damaged or encrypted; also from inside of the block.
    """
    try:
        with zipfile.ZipFile(given.seekable()) as archive:
            if len(archive.filelist) > _MEMBERS:
                raise RefusedError(f"more than {_MEMBERS:,} members")
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError) as error:
        raise RefusedError(reading.DAMAGED) from error


def part(archive: zipfile.ZipFile, name: str) -> IO[bytes] | None:
    """A part to read; None where there is none. A part is never unpacked beyond the size that is stated for it.

    Raises:
        RefusedError: it is encrypted or too large.
    """
    try:
        info = archive.getinfo(name)
    except KeyError:
        return None
    if info.flag_bits & 1:
        raise RefusedError(formats.ENCRYPTED)
    if info.file_size > formats.LARGEST:
        raise RefusedError(formats.too_large())
    return archive.open(info)


def content(archive: zipfile.ZipFile, name: str) -> bytes:
    """A part that is read at once; b"" where there is none.

    Raises:
        RefusedError: it is encrypted, or longer than a document may be.
    """
    stream = part(archive, name)
    return b"" if stream is None else reading.whole(stream)
