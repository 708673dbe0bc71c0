"""Where documents come from: folders, files, tables, mail, standard input, and public corpora by name.

    >>> for item in read(["notes/", "mail.mbox", "scifact"]):       # doctest: +SKIP
    ...     print(item)

Everything is read one document at a time, and what does not become a document comes along as `Skipped`, with the
reason. Ids are the documents' own where they have them (the `id` of a row, the Message-ID of a mail), else paths:
inside the folder where there is one source, and with the source as given in front where there are several, as
`grep -r` prints them. So the ids of several sources do not meet, unless the documents bring the same ones.

A corpus is of texts or of pictures. The names of its files decide, before any is opened: where more of them are of
pictures than of texts, it is of pictures. Files of the other kind are skipped and counted.

Importing this costs little: pyarrow is imported when a parquet file is read, Pillow when a picture is.
"""

import contextlib
import difflib
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from textae.corpus.files import kind_of, read_file, read_folder, read_stdin, walk
from textae.corpus.recipes import Recipe, read_recipe, recipes
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import PICTURES, TEXTS, Document, Progress, Skipped

__all__ = ["Recipe", "Source", "TableSpec", "read", "recipes", "sources"]


STDIN = "-"
"""The origin of what is read from standard input; it cannot be read again."""


def _silent(stage: str, done: int, total: int | None) -> None:
    pass


@dataclass(frozen=True)
class Source:
    """A place that documents come from, as an index remembers it to read it again.

    Attributes:
        origin: a path from the root, `-`, or the name of a recipe; its `key` is the `origin` of its documents.
        name: what ids begin with: of a folder "" or its name and a slash, of a file its name.
        spec: how tables are read, and which documents are wanted.
        given: as somebody wrote it, for messages; "" where nobody did.
        kind: of the documents that are looked for, one of `KINDS`.
    """

    origin: str
    name: str
    spec: TableSpec
    given: str = field(default="", compare=False)
    kind: str = TEXTS

    def read(self, progress: Progress = _silent) -> Iterator[Document | Skipped]:
        """The documents that are there now.

        Raises:
            CorpusError: it is not there any more, or cannot be read.
        """
        for item in self._read(progress):
            yield replace(item, origin=self.key) if isinstance(item, Document) else item

    @property
    def key(self) -> str:
        """The origin as Unicode, which a path need not be."""
        return self.origin.encode("utf-8", "backslashreplace").decode()

    def _read(self, progress: Progress) -> Iterator[Document | Skipped]:
        if self.origin == STDIN:
            return read_stdin(sys.stdin.buffer, self.spec)
        if not Path(self.origin).is_absolute():
            name, _, packages = self.origin.partition(":")
            known = {recipe.name: recipe for recipe in recipes()}
            if name in known:
                return read_recipe(known[name], packages, self.spec, progress)
        path = Path(self.given or self.origin)
        if path.is_dir():
            return read_folder(path, self.name, self.spec, self.kind)
        if path.exists():
            return read_file(path, self.name, self.spec, self.kind)
        raise CorpusError(f"{path} is not there any more; 'textae rm' removes what came from it")

    def signature(self) -> str:
        """What changes when a file of it is written, comes or goes; nothing is read. Of a recipe always the same."""
        path = Path(self.origin)
        if not path.is_absolute():
            return ""
        stats = []
        for file in walk(path) if path.is_dir() else [path]:
            with contextlib.suppress(OSError):
                stat = file.stat()
                stats.append(f"{file!r} {stat.st_mtime_ns} {stat.st_size} {stat.st_ino}")
        return hashlib.sha256("\n".join(stats).encode("utf-8", "surrogatepass")).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """What `from_json` makes the same source of."""
        select = [list(condition) for condition in self.spec.select]
        spec = {**asdict(self.spec), "select": select}
        return {"origin": self.key, "name": self.name, "kind": self.kind, "spec": spec}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Source":
        """The source that said this."""
        spec = said["spec"]
        select = tuple((field, value) for field, value in spec["select"])
        return cls(said["origin"], said["name"], TableSpec(**{**spec, "select": select}), kind=said["kind"])


def sources(
    given: Sequence[str], spec: TableSpec | None = None, *, several: bool | None = None, kind: str | None = None
) -> list[Source]:
    """The sources that were given.

    Args:
        given: folders, files, `-` for standard input, or names of recipes; a path that exists comes before a recipe
            of that name (`./python` is always a path).
        spec: how tables are read, and which documents are wanted.
        several: whether ids tell the sources apart; by default where several are given.
        kind: of the documents, one of `KINDS`; by default what most of the files are by their names.

    Raises:
        CorpusError: one of them is not there, or gives no documents of that kind.
    """
    apart, spec = len(given) > 1 if several is None else several, spec or TableSpec()
    found = [_source(one, apart, spec) for one in given]
    kind = kind or _most(found)
    for source in found if kind == PICTURES else ():
        if not Path(source.origin).is_absolute():
            what = "standard input" if source.origin == STDIN else f"the corpus {source.origin!r}"
            raise CorpusError(f"{what} gives texts, and pictures are asked for; give files or folders of pictures")
    if kind == PICTURES and spec != TableSpec(select=spec.select):
        raise CorpusError("columns of tables were named, and pictures have none; name the id, title and text of texts")
    return [replace(source, kind=kind) for source in found]


def _most(found: Sequence[Source]) -> str:
    """The kind of which there are more files; texts where there are as many."""
    count = {TEXTS: 0, PICTURES: 0}
    for source in found:
        path = Path(source.origin)
        if not path.is_absolute():
            return TEXTS
        for file in walk(path) if path.is_dir() else [path]:
            kind = kind_of(file) or (TEXTS if file == path else "")
            if kind:
                count[kind] += 1
    return PICTURES if count[PICTURES] > count[TEXTS] else TEXTS


def _source(given: str, apart: bool, spec: TableSpec) -> Source:
    path = Path(given)
    name, _, packages = given.partition(":")
    if given == STDIN:
        return Source(given, "", spec)
    if os.path.isdir(given):  # noqa: PTH112 (pathlib raises for a name of 5,000 letters)
        return Source(os.path.abspath(given), f"{path.as_posix()}/" if apart and given != "." else "", spec, given)  # noqa: PTH100
    if os.path.exists(given):  # noqa: PTH110
        return Source(os.path.abspath(given), path.as_posix() if apart else path.name, spec, given)  # noqa: PTH100
    known = {recipe.name: recipe for recipe in recipes()}
    if name in known and (not packages or known[name].packages):
        return Source(given, "", spec)
    close = ", ".join(difflib.get_close_matches(name, known, n=3, cutoff=0.5))
    hint = f"did you mean {close}? " if close else ""
    raise CorpusError(f"no file, folder or corpus {given[:200]!r}; {hint}'textae corpora' lists the corpora")


def read(
    given: Sequence[str], spec: TableSpec | None = None, progress: Progress = _silent, *, kind: str | None = None
) -> Iterator[Document | Skipped]:
    """The documents of the sources, one after the other.

    Args:
        given: as `sources` takes them.
        spec: how tables are read, and which documents are wanted.
        progress: told of a download.
        kind: as `sources` takes it.

    Raises:
        CorpusError: a source is not there (at once, before anything is read), or cannot be read.
    """
    return chain.from_iterable(source.read(progress) for source in sources(given, spec, kind=kind))
