"""A folder of an index, held open: its entries are reached through its descriptor, and no link is ever followed.

An index may come from a stranger. A link in place of a folder or a file would have textae read, replace or delete what
is outside of the index; a pipe would have it wait; a name that is checked first and used later could be exchanged in
between. Windows has no such descriptors: there, each name is checked just before it is used.
"""

# ruff: noqa: PTH102, PTH105, PTH116, PTH208  (pathlib knows no descriptors)

import contextlib
import os
import stat
import threading
import weakref
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

from textae.errors import StoreError
from textae.files import sync_opened

_BY_DESCRIPTOR = {os.open, os.stat, os.mkdir, os.rename, os.unlink} <= os.supports_dir_fd
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for its other end
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFREG: "a file", stat.S_IFLNK: "a link"}

_READING, _AT_A_TIME = threading.Lock(), 1 << 20
_kept_open: dict[tuple[int, int], int] = {}
"""Files that were read through, by device and inode: to close one would drop SQLite's locks on it in this process."""


class Directory:
    """A folder that is held open until it is closed, or garbage.

    Args:
        path: of the folder. Links on the way to it are followed, but it must not be one itself.
        parent: that holds it, by its name alone.

    Raises:
        FileNotFoundError: there is nothing.
        StoreError: it is a link, or no folder.
    """

    def __init__(self, path: Path, parent: "Directory | None" = None) -> None:
        self.path = path
        where, name = ({}, path) if parent is None else (parent._where, parent._name(path.name))
        self._check(path, os.lstat(name, **where), stat.S_IFDIR)
        self._where: dict[str, Any] = {}
        if _BY_DESCRIPTOR:
            self._where = {"dir_fd": os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, **where)}
        self.close = weakref.finalize(self, _close, self._where)

    def folder(self, name: str, make: bool = False) -> "Directory":
        """The folder in this one with a name; made where there is none, if so wished.

        Raises:
            FileNotFoundError: there is none.
            StoreError: it is a link, or no folder.
        """
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._name(name), **self._where)
        return Directory(self.path / name, self)

    def names(self) -> list[str]:
        """The names of all entries."""
        return os.listdir(self._where.get("dir_fd", self.path))

    def status(self, name: str) -> os.stat_result | None:
        """The status of an entry, links not followed; None where there is none."""
        try:
            return os.lstat(self._name(name), **self._where)
        except FileNotFoundError:
            return None

    def file_status(self, name: str) -> os.stat_result | None:
        """The status of a file; None where there is none.

        Raises:
            StoreError: it is a link, or no regular file.
        """
        status = self.status(name)
        if status is not None:
            self._check(self.path / name, status, stat.S_IFREG)
        return status

    def open(self, name: str, writable: bool = False) -> BufferedReader:
        """Open a file to read it, or to change it, too.

        Raises:
            FileNotFoundError: there is none.
            StoreError: it is a link, or no regular file.
        """
        self.file_status(name)
        more = os.O_RDWR if writable else 0
        return open(self.path / name, "rb", opener=lambda _, flags: self._opened(name, flags | more))

    def read_through(self, name: str, size: int) -> None:
        """Read some bytes of a file, to find out whether the disk reads them.

        Raises:
            OSError: it does not.
        """
        status = os.lstat(self._name(name), **self._where)
        with _READING:
            key = status.st_dev, status.st_ino
            if key not in _kept_open:
                _kept_open[key] = self._opened(name, os.O_RDONLY)
            os.lseek(_kept_open[key], 0, os.SEEK_SET)
            for _ in range(0, size, _AT_A_TIME):
                os.read(_kept_open[key], _AT_A_TIME)

    def create(self, name: str) -> BufferedWriter:
        """Make a file.

        Raises:
            FileExistsError: there is an entry with this name.
        """
        return open(self.path / name, "xb", opener=lambda _, flags: self._opened(name, flags))

    def _opened(self, name: str, flags: int) -> int:
        return os.open(self._name(name), flags | _SAFELY, 0o666, **self._where)

    def replace(self, name: str, other: "Directory", new: str) -> None:
        """Move a file to another folder, under a new name; what had this name there is gone."""
        to = {f"dst_{key}": value for key, value in other._where.items()}
        where = {f"src_{key}": value for key, value in self._where.items()}
        os.replace(self._name(name), other._name(new), **where, **to)

    def remove(self, name: str) -> None:
        """Remove an entry that is no folder; nothing happens where there is none."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._name(name), **self._where)

    def sync(self) -> None:
        """Sync the names of the entries to the disk, on systems where a folder can be opened."""
        for descriptor in self._where.values():
            sync_opened(descriptor)

    def is_at_its_path(self) -> bool:
        """Whether its path still leads to this folder, for those who can only be given a path."""
        return not self._where or os.path.samestat(os.stat(self.path), os.fstat(self._where["dir_fd"]))

    def _name(self, name: str) -> str:
        return name if self._where else str(self.path / name)

    @staticmethod
    def _check(path: Path, status: os.stat_result, wanted: int) -> None:
        kind = stat.S_IFMT(status.st_mode)
        if kind != wanted:
            what = _KINDS.get(kind, "a pipe or a device")
            advice = f"it leads to {os.path.realpath(path)}" if kind == stat.S_IFLNK else "delete it"
            raise StoreError(f"{path} is {what}, and must be {_KINDS[wanted]} itself for an index; {advice}")


def _close(where: dict[str, int]) -> None:
    for descriptor in where.values():
        os.close(descriptor)
