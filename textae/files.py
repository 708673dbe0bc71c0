"""Files that are there whole or not at all: written beside their place, synced, and renamed into it."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path to write to; what was written takes the place of `path` when the block ends, unless it failed.

    Args:
        path: of a file, or of a link to one, which stays a link.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    place = Path(os.path.realpath(path))
    passing = place.parent / f".{os.getpid()}{place.suffix[:16]}.part"
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        passing.unlink(missing_ok=True)  # it may be a link that a stranger put there
        passing.touch(exist_ok=False)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        yield passing
        with passing.open("rb") as file:
            os.fsync(file.fileno())
        passing.replace(place)
    finally:
        passing.unlink(missing_ok=True)
