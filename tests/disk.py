"""A disk that loses its power: what may be on it after a record of writes that was cut (ALICE, OSDI 2014).

A disk keeps what was synced. Of what was not, it may keep all, nothing, or any part: each write of a file wholly, by
sectors, or not at all, in any order; and each name that was made, moved or deleted. The data of a file is safe when the
file is synced, and a name when its folder is. This is less than any file system of today keeps: where a program
survives here, it does not depend on one.
"""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512

Tree = dict[str, "Tree | bytes"]
"""The files and folders of a folder, by name."""


@dataclass(frozen=True)
class Step:
    """A call that changed a file or a folder; the letters are those of `recorder.c`."""

    letter: str
    inode: int
    offset: int
    path: str
    to: str
    data: bytes


def steps(record: Path) -> Iterator[Step]:
    """Read what `recorder.c` has written."""
    entry = struct.Struct("<6q")
    content, at = record.read_bytes(), 0
    while at < len(content):
        letter, inode, offset, length, first, second = entry.unpack_from(content, at)
        start = at + entry.size
        path, to = content[start : start + first].decode(), content[start + first : start + first + second].decode()
        at = start + first + second + length
        yield Step(chr(letter), inode, offset, path, to, content[start + first + second : at])


@dataclass(eq=False)
class File:
    """A file: what is safe of it, and what is not yet, as places and bytes; a truncation has None."""

    safe: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)


@dataclass(eq=False)
class Folder:
    """A folder: the names that are safe, and those that a program sees."""

    safe: dict[str, "File | Folder"] = field(default_factory=dict)
    seen: dict[str, "File | Folder"] = field(default_factory=dict)


Change = list[tuple[Folder, str, File | Folder | None]]
"""Names that are set or deleted at once."""


def patched(content: bytes, place: int, data: bytes | None) -> bytes:
    """Write into a file, or truncate it; zeros fill a gap."""
    if data is None:
        return content[:place].ljust(place, b"\0")
    return content[:place].ljust(place, b"\0") + data + content[place + len(data) :]


class Disk:
    """The disk under a folder, on which a record is replayed.

    Args:
        root: the folder before the first step, which is safe as a whole.
    """

    def __init__(self, root: Path) -> None:
        self.path = root
        self.nodes: dict[int, File | Folder] = {}
        self.root = self._read(root)
        self.changes: list[Change] = []

    def _read(self, path: Path) -> File | Folder:
        node: File | Folder = File(path.read_bytes()) if path.is_file() else Folder()
        if isinstance(node, Folder):
            node.safe = {one.name: self._read(one) for one in path.iterdir() if not one.name.endswith("-shm")}
            node.seen = dict(node.safe)
        self.nodes[path.stat().st_ino] = node
        return node

    def _place(self, path: str) -> tuple[Folder, str]:
        *above, name = Path(path).relative_to(self.path).parts
        folder = self.root
        for part in above:
            folder = folder.seen[part]
        return folder, name

    def _change(self, *names: tuple[str, File | Folder | None]) -> None:
        change = [(*self._place(path), node) for path, node in names]
        for folder, name, node in change:
            folder.seen[name] = node
            if node is None:
                del folder.seen[name]
        self.changes.append(change)

    def play(self, step: Step) -> None:
        """Do what was done."""
        match step.letter:
            case "c" | "m":
                self.nodes[step.inode] = File() if step.letter == "c" else Folder()
                self._change((step.path, self.nodes[step.inode]))
            case "u":
                self._change((step.path, None))
            case "r" | "l":
                folder, name = self._place(step.path)
                moved = [(step.path, None)] if step.letter == "r" else []
                self._change(*moved, (step.to, folder.seen[name]))
            case "w" | "t" if step.inode in self.nodes:
                self.nodes[step.inode].pending.append((step.offset, step.data if step.letter == "w" else None))
            case "s" if step.inode in self.nodes:
                self._sync(self.nodes[step.inode])

    def _sync(self, node: File | Folder) -> None:
        if isinstance(node, File):
            node.safe, node.pending = whole(node), []
            return
        for change in [change for change in self.changes if any(folder is node for folder, _, _ in change)]:
            self.changes.remove(change)
            for folder, name, target in change:
                put(folder.safe, name, target)

    def seen(self) -> Tree:
        """Give what a program sees, without a loss."""
        return self.after(lambda _: True, whole)

    def after(self, keeps: Callable[[Change], bool], content: Callable[[File], bytes]) -> Tree:
        """Give what is there after a loss of power.

        Args:
            keeps: tells whether a change of names was kept that was not synced.
            content: gives what was kept of a file.
        """
        names = {id(node): dict(node.safe) for node in self._folders()}
        for change in self.changes:
            if keeps(change):
                for folder, name, node in change:
                    put(names[id(folder)], name, node)

        def tree(folder: Folder) -> Tree:
            return {
                name: content(node) if isinstance(node, File) else tree(node)
                for name, node in names[id(folder)].items()
            }

        return tree(self.root)

    def _folders(self) -> Iterator[Folder]:
        """Give every folder that is, was or may be there."""
        known = [*self.nodes.values(), *(node for change in self.changes for _, _, node in change)]
        yield from {id(node): node for node in known if isinstance(node, Folder)}.values()
        yield from {id(folder): folder for change in self.changes for folder, _, _ in change}.values()

    def losses(self, rng: random.Random, n: int) -> Iterator[Tree]:
        """Give what may be there after a loss of power at this moment: four extremes, and n others by chance."""
        for keeps in (False, True):
            for content in (safe, whole):
                yield self.after(lambda _, keeps=keeps: keeps, content)
        for _ in range(n):
            share, kept = rng.random(), {}

            def some(file: File, kept: dict[int, bytes] = kept) -> bytes:
                if id(file) not in kept:  # a file may have two names
                    kept[id(file)] = partly(file, rng)
                return kept[id(file)]

            yield self.after(lambda _, share=share: rng.random() < share, some)


def put(names: dict[str, File | Folder], name: str, node: File | Folder | None) -> None:
    """Set a name, or delete it."""
    names.pop(name, None)
    if node is not None:
        names[name] = node


def safe(file: File) -> bytes:
    """Give what was synced of a file."""
    return file.safe


def whole(file: File) -> bytes:
    """Give a file with all that was written."""
    content = file.safe
    for place, data in file.pending:
        content = patched(content, place, data)
    return content


def partly(file: File, rng: random.Random) -> bytes:
    """Give a file with some of what was not synced: the first writes, the last of them torn, or any, by sectors."""
    content, pending = file.safe, file.pending
    ordered = rng.random() < 0.5
    first = rng.randint(0, len(pending))
    for number, (place, data) in enumerate(pending):
        if number > first if ordered else rng.random() < 0.3:
            continue
        if data is None or (ordered and number < first):
            content = patched(content, place, data)
            continue
        end = rng.randint(0, len(data))
        for start in range(0, len(data), SECTOR):
            sector = data[start : start + SECTOR]
            if ordered and start < end:  # the first bytes of the write
                content = patched(content, place + start, sector[: end - start])
            elif not ordered and rng.random() < 0.8:
                content = patched(content, place + start, sector)
    return content


def laid_out(tree: Tree, path: Path) -> None:
    """Make a folder of a tree."""
    path.mkdir()
    for name, node in tree.items():
        if isinstance(node, bytes):
            (path / name).write_bytes(node)
        else:
            laid_out(node, path / name)
