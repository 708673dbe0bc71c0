"""One document for one file, whatever the paths that lead to it.

A file is known by its path without symbolic links. A link to a file that is read is left out, and a file that lies in
two sources belongs to the inner one. Hard links are files of their own: nothing tells which name is the first.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

LINKED = "a link to a file that is read"

Listing = Callable[[Path], Iterable[Path]]
"""The files that are read of a folder, or of a file that is named by itself."""


def real(path: str) -> str:
    """The absolute path without symbolic links; what is no path, such as `-`, stays as it is."""
    return os.path.realpath(path) if Path(path).is_absolute() else path


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it; both are absolute."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def escaped(path: str) -> str:
    r"""A path as Unicode: a byte that is not UTF-8 becomes `\udc` and two digits, so no two paths become one."""
    return path.encode("utf-8", "backslashreplace").decode()


class Belonging:
    """Which files of a source belong to it.

    Args:
        source: the path of its folder.
        others: the paths of the other sources, without links.
        listing: of a source.
    """

    def __init__(self, source: Path, others: Sequence[str], listing: Listing) -> None:
        self._root, self._listing = real(os.path.abspath(source)), listing  # noqa: PTH100 (links stay)
        self._roots = (self._root, *others)
        self._inner = [other for other in others if is_within(other, self._root)]
        self._files: dict[str, frozenset[str]] = {}  # of a source; only links need them
        self._linked: set[str] = set()

    def is_of_another(self, inside: str) -> bool:
        """Whether a path in the folder lies in an inner source."""
        return bool(self._inner) and any(is_within(str(Path(self._root, inside)), other) for other in self._inner)

    def is_known(self, link: Path) -> bool:
        """Whether a link leads to a file that is read under its own name, or under that of a link before."""
        target = real(os.path.abspath(link))  # noqa: PTH100
        known = target in self._linked or any(
            is_within(target, root) and target in self._files_of(root) for root in self._roots
        )
        self._linked.add(target)
        return known

    def _files_of(self, root: str) -> frozenset[str]:
        if root not in self._files:
            self._files[root] = frozenset(map(str, self._listing(Path(root))))
        return self._files[root]
