"""Which index a command uses where none is named: that of this folder, or of the first one above it that has one."""

import contextlib
import os
from pathlib import Path

from textae.errors import StoreError

NAME = ".textae"


def nearest_index() -> Path:
    """The index here, or the nearest one above, as git finds `.git`; `.textae` where there is none.

    The home directory is the last one that is looked at, and no other file system is entered.

    Raises:
        StoreError: the nearest one above belongs to somebody else. `sync` would copy into it what it names.
    """
    with contextlib.suppress(OSError, RuntimeError):  # this folder is gone, or there is no home
        here, home = Path.cwd(), Path.home().resolve()
        device = here.stat().st_dev
        for n_above, folder in enumerate((here, *here.parents)):
            if folder.stat().st_dev != device:
                break
            if os.path.isfile(folder / NAME / "index.sqlite"):  # noqa: PTH113 (never raises)
                index = Path(*[".."] * n_above, NAME)
                if n_above and hasattr(os, "geteuid") and index.stat().st_uid != os.geteuid():
                    raise StoreError(f"{folder / NAME} belongs to another user; --index {index} uses it all the same")
                return index
            if folder == home:
                break
    return Path(NAME)
