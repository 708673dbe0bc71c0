"""Archives: zip and tar. Each member is read as a file of its kind, under the id `archive.zip/inner/path`.

An archive of a few kilobytes can unpack to petabytes, and can hold itself. So the archives in each other, the members
and the unpacked bytes are limited. Nothing is written outside of temporary files without a name.
"""

import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, BytesIO
from pathlib import PurePosixPath
from typing import IO, cast

from textae.corpus import formats, images, reading
from textae.corpus.formats import Given, zipped
from textae.corpus.reading import FileError, Item, RefusedError
from textae.types import Skipped

DEEPEST = 3
"""Archives in each other, at most."""

MOST_MEMBERS = 10_000
"""Members of an archive and of the archives in it that are read, at most."""

MOST_BYTES = 4 << 30
"""Bytes that are unpacked of an archive and of the archives in it, at most."""

_PACKED_TARS = {".tgz": ".gz", ".tbz": ".bz2", ".tbz2": ".bz2", ".txz": ".xz", ".tzst": ".zst"}
_PIECE = 1 << 18
_IN_MEMORY = 1 << 20  # bytes of a member that need no temporary file
_IGNORED = {"__MACOSX", "__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class _Member:
    """A file in an archive: its path, the seconds since 1970 of its last change, and how it is opened."""

    path: PurePosixPath
    modified: float | None
    open: Callable[[], IO[bytes] | None]


class _Budget:
    """What may still be read of an archive, and how many members are left out before."""

    def __init__(self, start: int) -> None:
        self.members, self.bytes, self.start = MOST_MEMBERS, MOST_BYTES, start


def read(given: Given) -> Iterator[Item]:
    """The documents of the members, and None before those of each member."""
    return _read(given, _Budget(given.start))


def _read(given: Given, budget: _Budget) -> Iterator[Item]:
    if given.depth >= DEEPEST:
        raise RefusedError(f"an archive in {DEEPEST} archives")
    if given.ending in (".7z", ".rar"):
        raise RefusedError(f"a {given.ending[1:]} archive; unpack it, or pack it as zip")
    members = _zip_members(given) if given.ending == ".zip" else _tar_members(given)
    for member in members:
        if any(part.startswith(".") or part in _IGNORED for part in member.path.parts) or not member.path.parts:
            continue
        budget.members -= 1
        if budget.members < 0:
            yield Skipped(given.name, f"more than {MOST_MEMBERS:,} members")
            return
        yield from _documents(given, member, budget)


def _documents(given: Given, member: _Member, budget: _Budget) -> Iterator[Item]:
    name = f"{given.name}/{reading.storable(member.path.as_posix())}"
    ending = formats.ending_of(member.path)
    if ending in images.ENDINGS:
        yield Skipped(name, f"unknown type {ending}")
        return
    try:
        stream, size = _unpacked(member, budget)
        with stream:
            inner = Given(stream, name, ending, given.spec, 0, given.depth + 1, None, size, member.modified)
            is_archive = formats.find(member.path).module == "archives"
            if is_archive:
                yield from _read(inner, budget)
                return
            yield None
            if budget.start:
                budget.start -= 1
            else:
                yield from (item for item in formats.read(inner) if item is not None)
    except RefusedError as error:
        yield Skipped(name, str(error))
    except FileError as error:
        yield Skipped(name, error.reason)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 (whatever a parser raises, the next member can be read)
        yield Skipped(name, reading.DAMAGED)


def _unpacked(member: _Member, budget: _Budget) -> tuple[IO[bytes], int]:
    """A member as a stream of its own, and its size.

    Raises:
        RefusedError: it is encrypted, damaged or too large.
    """
    source = member.open()
    if source is None:
        raise RefusedError(reading.GONE)
    packing = member.path.suffix.lower()
    broken: tuple[type[Exception], ...] = (zipfile.BadZipFile, NotImplementedError, OSError, *reading.packing_errors())
    most = min(formats.LARGEST, budget.bytes)
    copy: IO[bytes] = BytesIO()
    try:
        if packing in reading.PACKINGS:
            source = reading.unpacked(source, packing)
        while piece := source.read(_PIECE):
            if copy.tell() + len(piece) > most:
                what = (
                    f"an archive of more than {MOST_BYTES >> 30} GiB" if most == budget.bytes else formats.too_large()
                )
                raise RefusedError(what)
            if isinstance(copy, BytesIO) and copy.tell() + len(piece) > _IN_MEMORY:
                start, copy = copy.getvalue(), cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 (the caller closes it)
                copy.write(start)
            copy.write(piece)
    except broken as error:
        raise RefusedError(reading.DAMAGED) from error
    size = copy.tell()
    budget.bytes -= size
    copy.seek(0)
    return (BufferedReader(copy) if isinstance(copy, BytesIO) else copy), size


def _zip_members(given: Given) -> Iterator[_Member]:
    with zipped.opened(given) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield _Member(_path(info.filename), _time(info), partial(zipped.part, archive, info.filename))


def _tar_members(given: Given) -> Iterator[_Member]:
    packing = _PACKED_TARS.get(given.ending)
    broken: tuple[type[Exception], ...] = (tarfile.TarError, OSError, *reading.packing_errors())
    stream = reading.unpacked(given.stream, packing) if packing else given.stream
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                if info.isreg():
                    yield _Member(_path(info.name), float(info.mtime), partial(archive.extractfile, info))
    except broken as error:
        raise RefusedError(reading.DAMAGED) from error


def _path(name: str) -> PurePosixPath:
    """The path of a member, which stays inside of the archive."""
    parts = name.replace("\\", "/").split("/")
    return PurePosixPath(*(part for part in parts if part not in ("", ".", "..")))


def _time(info: zipfile.ZipInfo) -> float | None:
    """The time of a member: of here, without a zone, and 1980 where the program wrote none."""
    try:
        return time.mktime((*info.date_time, 0, 0, -1)) if info.date_time[0] > 1980 else None
    except (OverflowError, ValueError):
        return None
