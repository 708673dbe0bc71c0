"""Sources: the folders, files, standard input and named corpora that a corpus is read from.

    >>> for item in read(["notes/", "mail.mbox", "scifact"]):       # doctest: +SKIP
    ...     print(item)

Documents are read one at a time. What does not become a document is a `Skipped` with the reason. A document keeps its
own id where it has one (the `id` of a row, the Message-ID of a mail); else the id is its path: inside the folder where
there is one source, with the source in front where there are several, as `grep -r` prints paths.

A corpus holds texts or pictures. The names of its files decide, before any file is opened: the kind with more files.
Files of the other kind are skipped and counted.
"""

import contextlib
import difflib
import hashlib
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textae.corpus.files import kind_of, read_file, read_folder, read_stdin, walk
from textae.corpus.reading import DEFAULT, Limits
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import PICTURES, TEXTS, Document, Progress, Skipped, no_progress

if TYPE_CHECKING:
    from textae.corpus.recipes import Recipe

STDIN = "-"
"""The origin of standard input, which cannot be read again."""

_RESOLUTION = 2.0  # seconds, of the times of files on FAT; others have 0.01 or less


@dataclass(frozen=True)
class Source:
    """A place that documents come from; an index keeps it to read it again.

    Attributes:
        origin: an absolute path, `-`, or the name of a recipe; its `key` is the `origin` of its documents.
        name: the start of ids: of a folder "" or its name and a slash, of a file its name.
        spec: how tables are read, and which documents are wanted.
        given: the argument that named it, for messages; "" where the index named it.
        kind: of the documents, one of `KINDS`.
        limits: of reading one document; the index keeps the time.
    """

    origin: str
    name: str
    spec: TableSpec
    given: str = field(default="", compare=False)
    kind: str = TEXTS
    limits: Limits = DEFAULT

    @property
    def key(self) -> str:
        """The origin as Unicode, which a path need not be."""
        return self.origin.encode("utf-8", "backslashreplace").decode()

    def read(self, progress: Progress = no_progress) -> Iterator[Document | Skipped]:
        """The documents that are there now.

        Raises:
            CorpusError: the source no longer exists, or cannot be read.
        """
        name, _, packages = self.origin.partition(":")
        path = Path(self.given or self.origin)
        if self.origin == STDIN:
            items = read_stdin(sys.stdin.buffer, self.spec)
        elif not Path(self.origin).is_absolute() and name in (known := _recipes()):
            items = known[name].read(packages, self.spec, progress)
        elif path.is_dir():
            items = read_folder(path, self.name, self.spec, self.kind, self.limits)
        elif path.exists():
            items = read_file(path, self.name, self.spec, self.kind, self.limits)
        else:
            raise CorpusError(f"{path} is not there any more; 'textae rm' removes what came from it")
        for item in items:
            yield replace(item, origin=self.key) if isinstance(item, Document) else item

    def signature(self) -> str:
        """A hash of the names, sizes and times of the source's files, "" for a recipe; no file is read.

        A file that has just changed may change again within the resolution of its times. So the hash of a source with
        such a file is never given twice.
        """
        path = Path(self.origin)
        if not path.is_absolute():
            return ""
        stats = []
        for file in walk(path):
            with contextlib.suppress(OSError):
                stat = file.stat()
                stats.append(f"{file!r} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_size} {stat.st_ino}")
                if any(0 <= time.time() - changed < _RESOLUTION for changed in (stat.st_mtime, stat.st_ctime)):
                    stats.append(os.urandom(8).hex())
        return hashlib.sha256("\n".join(stats).encode("utf-8", "surrogatepass")).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The source as JSON, for `from_json`."""
        spec = asdict(self.spec) | {"select": [list(condition) for condition in self.spec.select]}
        timeout = self.limits.seconds
        return {"origin": self.key, "name": self.name, "kind": self.kind, "spec": spec, "timeout": timeout}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Source":
        """The source of which `as_json` gave these values."""
        spec = TableSpec(**values["spec"] | {"select": tuple(map(tuple, values["spec"]["select"]))})
        limits = Limits(values.get("timeout", DEFAULT.seconds))
        return cls(values["origin"], values["name"], spec, kind=values["kind"], limits=limits)


def sources(
    given: Sequence[str],
    spec: TableSpec | None = None,
    *,
    several: bool | None = None,
    kind: str | None = None,
    limits: Limits = DEFAULT,
) -> list[Source]:
    """The sources that the arguments name.

    Args:
        given: folders, files, `-` for standard input, or names of recipes; a path that exists comes before a recipe
            of that name (`./python` is always a path).
        spec: how tables are read, and which documents are wanted.
        several: whether ids begin with the source; by default where there are several.
        kind: of the documents, one of `KINDS`; by default the kind with more files, by their names.
        limits: of the time and the memory to read one document.

    Raises:
        CorpusError: a source does not exist, or gives no documents of that kind.
    """
    spec = spec or TableSpec()
    prefixed = len(given) > 1 if several is None else several
    named = [_source(one, prefixed, spec) for one in given]
    kind = kind or _majority(named)
    if kind == PICTURES:
        for origin in (source.origin for source in named):
            if not Path(origin).is_absolute():
                what = "standard input" if origin == STDIN else f"the corpus {origin!r}"
                raise CorpusError(f"{what} gives texts, and pictures are asked for; give files or folders of pictures")
        if spec != TableSpec(select=spec.select):
            raise CorpusError("--id-field, --title-field and --text-field are for tables of texts, not for pictures")
    return [replace(source, kind=kind, limits=limits) for source in named]


def read(
    given: Sequence[str],
    spec: TableSpec | None = None,
    progress: Progress = no_progress,
    *,
    kind: str | None = None,
    limits: Limits = DEFAULT,
) -> Iterator[Document | Skipped]:
    """The documents of the sources, one source after the other.

    Args:
        given: as for `sources`.
        spec: how tables are read, and which documents are wanted.
        progress: called during a download.
        kind: as for `sources`.
        limits: as for `sources`.

    Raises:
        CorpusError: a source does not exist (at once, before anything is read), or cannot be read.
    """
    return chain.from_iterable(source.read(progress) for source in sources(given, spec, kind=kind, limits=limits))


def _source(given: str, prefixed: bool, spec: TableSpec) -> Source:
    path = Path(given)
    if given == STDIN:
        return Source(given, "", spec)
    if os.path.isdir(given):  # noqa: PTH112 (pathlib raises for a name of 5,000 letters)
        return Source(os.path.abspath(given), f"{path.as_posix()}/" if prefixed and given != "." else "", spec, given)  # noqa: PTH100
    if os.path.exists(given):  # noqa: PTH110
        return Source(os.path.abspath(given), path.as_posix() if prefixed else path.name, spec, given)  # noqa: PTH100
    name, _, packages = given.partition(":")
    known = _recipes()
    if name in known and (not packages or known[name].packages):
        return Source(given, "", spec)
    close = ", ".join(difflib.get_close_matches(name, known, n=3, cutoff=0.5))
    hint = f"did you mean {close}? " if close else ""
    raise CorpusError(f"no file, folder or corpus {given[:200]!r}; {hint}'textae corpora' lists the corpora")


def _recipes() -> dict[str, "Recipe"]:
    from textae.corpus.recipes import recipes  # 30 ms, and not for a path

    return {recipe.name: recipe for recipe in recipes()}


def _majority(named: Sequence[Source]) -> str:
    """The kind with more files; texts where both have as many."""
    paths = [Path(source.origin) for source in named]
    if not all(path.is_absolute() for path in paths):
        return TEXTS
    # A file that is named by itself is a text where its ending says nothing.
    kinds = [kind_of(file) or (TEXTS if file == path else "") for path in paths for file in walk(path)]
    return PICTURES if kinds.count(PICTURES) > kinds.count(TEXTS) else TEXTS
