"""Files that are there whole or not at all: written beside their place, synced, and renamed into it."""

import contextlib
import errno
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

_CANNOT_SYNC = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP)  # some folders and network file systems


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path to write to; what was written takes the place of `path` when the block ends, unless it failed.

    Args:
        path: of a file, or of a link to one, which stays a link.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    key = f".{zlib.crc32(os.fsencode(place.name)):08x}"  # the name may already be as long as a name can be
    _remove_left_over(place.parent, key)
    passing = place.parent / f"{key}.{os.getpid()}.part"
    try:
        passing.unlink(missing_ok=True)  # it may be a link that a stranger put there
        passing.touch(exist_ok=False)
        yield passing
        with passing.open("rb") as file:
            os.fsync(file.fileno())
        passing.replace(place)
        sync_folder(place.parent)
    except OSError as error:
        if error.errno and error.filename in (None, str(passing)):  # a full disk names no file
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise
    finally:
        with contextlib.suppress(OSError):
            passing.unlink()


def _remove_left_over(folder: Path, key: str) -> None:
    """Delete what processes left that were killed while they wrote the same file."""
    if os.name != "posix":  # elsewhere, the question whether a process lives would end it
        return
    for left in folder.glob(f"{key}.*.part"):
        with contextlib.suppress(OSError, ValueError, OverflowError):
            try:
                os.kill(int(left.name.split(".")[2]), 0)
            except ProcessLookupError:
                left.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, so that a loss of power cannot take them away again."""
    try:
        folder.mkdir()
    except FileNotFoundError:
        if folder.parent == folder:
            raise
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
    except OSError:
        if not folder.is_dir():
            raise
        return
    sync_folder(folder.absolute().parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder safe from a loss of power, on systems where a folder can be opened."""
    if os.name != "posix":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder in which names may be made, but not read
        return
    try:
        sync_opened(handle)
    finally:
        os.close(handle)


def sync_opened(folder: int) -> None:
    """Sync an open folder, where its file system can do so."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
