"""Sources: the folders, files, standard input and named corpora that a corpus is read from.

    >>> for item in read(["notes/", "mail.mbox", "scifact"]):       # doctest: +SKIP
    ...     print(item)

Documents are read one at a time. What does not become a document is a `Skipped` with the reason. The id of a document
is its path: inside the folder where there is one source, with the source in front where there are several, as `grep -r`
prints paths. A row of a table has its own id behind the path, or its line: `notes/tickets.csv:7`. Where a table or a
named corpus is the only source, its rows keep their ids as they are.

The same file is one document, whatever the paths that lead to it (`textae.corpus.identity`).

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

from textae.corpus.files import kind_of, listing, read_file, read_folder, read_stdin
from textae.corpus.identity import escaped, is_within, real
from textae.corpus.ignore import BY_DEFAULT, Ignore, walk
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
        name: the start of ids where there are several sources: the path of a file, that of a folder and a slash, the
            name of a recipe and a colon; "" where the source is the only one.
        spec: how tables are read, and which documents are wanted.
        given: the argument that named it, for messages; "" where the index named it.
        kind: of the documents, one of `KINDS`.
        limits: of reading one document; the index keeps the time and the length.
        part: the path of a file or a folder in it, of which alone the documents are read; "" for all.
        others: the paths of other sources, without links; a folder leaves out the files that are theirs.
        ignore: what of a folder is left out.
    """

    origin: str
    name: str
    spec: TableSpec
    given: str = field(default="", compare=False)
    kind: str = TEXTS
    limits: Limits = DEFAULT
    part: str = ""
    others: tuple[str, ...] = field(default=(), compare=False)
    ignore: Ignore = BY_DEFAULT

    @property
    def key(self) -> str:
        """The origin as Unicode, which a path need not be."""
        return escaped(self.origin)

    def read(self, progress: Progress = no_progress) -> Iterator[Document | Skipped]:
        """The documents that are there now.

        Raises:
            CorpusError: the source no longer exists, or cannot be read.
        """
        name, _, packages = self.origin.partition(":")
        path = Path(self.given or self.origin)
        if self.origin == STDIN:
            items = read_stdin(sys.stdin.buffer, self.spec)
        elif not self._is_path and name in (known := _recipes()):
            items = _prefixed(self.name, known[name].read(packages, self.spec, progress))
        elif path.is_dir():
            items = read_folder(
                path, self.name, self.spec, self.kind, self.limits, self.ignore, part=self.part, others=self.others
            )
        elif path.exists():
            name = self.name or escaped(path.name)
            items = read_file(path, name, self.spec, self.kind, self.limits, own_ids=not self.name)
        else:
            raise CorpusError(f"{path} is not there any more; 'textae sync --forget' removes what came from it")
        key = self.key
        for item in items:
            if isinstance(item, Document):
                object.__setattr__(item, "origin", key)  # of a new document; `replace` takes a fifth of a row's time
            yield item

    @property
    def is_gone(self) -> bool:
        """Whether it is a path at which there is nothing; what may not be looked at is not gone."""
        try:
            return self._is_path and not Path(self.origin).stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False

    def signature(self) -> str:
        """A hash of the names, sizes and times of the source's files, "" for a recipe; no file is read.

        A file that has just changed may change again within the resolution of its times. So the hash of a source with
        such a file is never given twice.
        """
        if not self._is_path:
            return ""
        stats = []
        for file in (file for file, ignored in walk(Path(self.origin), self.ignore) if not ignored):
            with contextlib.suppress(OSError):
                stat = file.stat()
                stats.append(f"{file!r} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_size} {stat.st_ino}")
                if any(0 <= time.time() - changed < _RESOLUTION for changed in (stat.st_mtime, stat.st_ctime)):
                    stats.append(os.urandom(8).hex())
        return hashlib.sha256("\n".join(stats).encode("utf-8", "surrogatepass")).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The source as JSON, for `from_json`."""
        spec = asdict(self.spec) | {"select": [list(condition) for condition in self.spec.select]}
        stored: dict[str, Any] = {"origin": self.key, "name": self.name, "kind": self.kind, "spec": spec}
        stored["timeout"] = self.limits.seconds
        if self.limits.longest != DEFAULT.longest:
            stored["longest"] = self.limits.longest
        if self.ignore != BY_DEFAULT:
            stored["ignore"] = {"exclude": list(self.ignore.exclude), "by_files": self.ignore.by_files}
        return stored if self.origin == self.key else stored | {"path": os.fsencode(self.origin).hex()}

    @property
    def _is_path(self) -> bool:
        return Path(self.origin).is_absolute()

    @property
    def _long_name(self) -> str:
        """The start of its ids where there are several sources."""
        path = escaped(Path(self.given or self.origin).as_posix())
        if not self._is_path:
            # Who writes to a pipe gives ids that are right for this index, and names of Python are those of one place.
            own_ids = path == STDIN or _recipes()[path.partition(":")[0]].packages
            return "" if own_ids else f"{path}:"
        return path if not os.path.isdir(self.origin) else "" if path == "." else f"{path.removesuffix('/')}/"  # noqa: PTH112

    def _renamed(self, known: Sequence["Source"]) -> "Source":
        """The source under a name that no other has: `notes/` of two places are two."""
        for other in known if self._is_path else ():
            path = str(Path(other.origin, self.name))
            of_other = other._is_path and not other.name and os.path.lexists(path) and real(path) != real(self.origin)
            if self.name == other.name or of_other:
                return replace(self, name=replace(self, given="")._long_name)
        return self

    def _is_in(self, other: "Source") -> bool:
        """Whether its files are read as files of another source, which is a folder."""
        path, folder = real(self.origin), real(other.origin)
        if path == folder or not (self._is_path and other._is_path and is_within(path, folder)):
            return False
        return any(is_within(str(file), path) for file in listing(Path(folder), self.kind, other.ignore))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Source":
        """The source of which `as_json` gave these values."""
        spec = TableSpec(**values["spec"] | {"select": tuple(map(tuple, values["spec"]["select"]))})
        limits = Limits(values.get("timeout", DEFAULT.seconds), longest=values.get("longest", DEFAULT.longest))
        kept = values.get("ignore")
        ignore = Ignore(tuple(kept["exclude"]), kept["by_files"]) if kept else BY_DEFAULT
        origin = os.fsdecode(bytes.fromhex(values["path"])) if "path" in values else values["origin"]
        return cls(origin, values["name"], spec, kind=values["kind"], limits=limits, ignore=ignore)


def sources(
    given: Sequence[str],
    spec: TableSpec | None = None,
    *,
    several: bool | None = None,
    kind: str | None = None,
    limits: Limits = DEFAULT,
    ignore: Ignore = BY_DEFAULT,
) -> list[Source]:
    """The sources that the arguments name, each once; what lies in another one of them is read with that.

    Args:
        given: folders, files, `-` for standard input, or names of recipes; a path that exists comes before a recipe
            of that name (`./python` is always a path).
        spec: how tables are read, and which documents are wanted.
        several: whether ids begin with the source; by default where there are several.
        kind: of the documents, one of `KINDS`; by default the kind with more files, by their names.
        limits: of the time and the memory to read one document.
        ignore: what of a folder is left out.

    Raises:
        CorpusError: a source does not exist, or gives no documents of that kind.
    """
    spec = spec or TableSpec()
    distinct: dict[str, Source] = {}
    for source in (_source(one, spec) for one in given):
        distinct.setdefault(real(source.origin), source)
    kind = kind or _majority(list(distinct.values()), ignore)
    named = [replace(source, kind=kind, limits=limits, ignore=ignore) for source in distinct.values()]
    named = [source for source in named if not any(source._is_in(other) for other in named)]
    if kind == PICTURES:
        for source in named:
            if not source._is_path:
                what = "standard input" if source.origin == STDIN else f"the corpus {source.origin!r}"
                raise CorpusError(f"{what} gives texts, and pictures are asked for; give files or folders of pictures")
        if spec != TableSpec(select=spec.select):
            raise CorpusError("--id-field, --title-field and --text-field are for tables of texts, not for pictures")
    prefixed = len(named) > 1 if several is None else several
    return apart([replace(source, name=source._long_name if prefixed else "") for source in named])


def beside(known: Sequence[Source], given: Sequence[str], spec: TableSpec, kind: str) -> list[Source]:
    """The sources that the arguments name, for an index that remembers others.

    One that the index remembers keeps its name and, unless `spec` says otherwise, its options. A file or folder that
    lies in a remembered one is a part of that, whose documents have the same ids as there.

    Args:
        known: the sources that the index remembers.
        given: as for `sources`.
        spec: how tables are read, and which documents are wanted.
        kind: of the documents of the index.

    Raises:
        CorpusError: as `sources`.
    """
    before = {real(source.origin): source for source in known}
    named = sources(given, spec, several=True, kind=kind)
    # A source alone has ids without its name. That holds only as long as the index has no other source.
    alone = len(named) == 1 and {real(named[0].origin)} >= before.keys()
    result = []
    for source in named:
        same = before.get(real(source.origin))
        around = [other for other in known if spec in (TableSpec(), other.spec) and source._is_in(other)]
        if same:
            result.append(replace(same, given=source.given, spec=same.spec if spec == TableSpec() else spec))
        elif around:
            inner = max(around, key=lambda other: len(real(other.origin)))
            part = os.path.relpath(real(source.origin), real(inner.origin))
            result.append(replace(inner, part=part))
        else:
            result.append(replace(source, name="") if alone else source._renamed(known))
    return apart(result, known)


def apart(given: Sequence[Source], known: Sequence[Source] = ()) -> list[Source]:
    """The sources, each with the paths of the others, so that no file is read as a document of two."""
    paths = {real(source.origin): source for source in (*known, *given) if source._is_path}
    return [replace(one, others=tuple(path for path in paths if path != real(one.origin))) for one in given]


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


def _source(given: str, spec: TableSpec) -> Source:
    if given == STDIN:
        return Source(given, "", spec, given)
    if os.path.exists(given):  # noqa: PTH110 (pathlib raises for a name of 5,000 letters)
        return Source(os.path.abspath(given), "", spec, given)  # noqa: PTH100 (links stay)
    name, _, packages = given.partition(":")
    known = _recipes()
    if name in known and (not packages or known[name].packages):
        return Source(given, "", spec, given)
    close = ", ".join(difflib.get_close_matches(name, known, n=3, cutoff=0.5))
    hint = f"did you mean {close}? " if close else ""
    raise CorpusError(f"no file, folder or corpus {given[:200]!r}; {hint}'textae corpora' lists the corpora")


def _prefixed(prefix: str, items: Iterator[Document | Skipped]) -> Iterator[Document | Skipped]:
    for item in items:
        yield replace(item, id=prefix + item.id) if prefix and isinstance(item, Document) else item


def _recipes() -> dict[str, "Recipe"]:
    from textae.corpus.recipes import recipes  # 30 ms, and not for a path

    return {recipe.name: recipe for recipe in recipes()}


def _majority(named: Sequence[Source], ignore: Ignore) -> str:
    """The kind with more files; texts where both have as many."""
    if not all(source._is_path for source in named):
        return TEXTS
    paths = [Path(source.origin) for source in named]
    # A file that is named by itself is a text where its ending says nothing.
    files = [(file, path) for path in paths for file, ignored in walk(path, ignore) if not ignored]
    kinds = [kind_of(file) or (TEXTS if file == path else "") for file, path in files]
    return PICTURES if kinds.count(PICTURES) > kinds.count(TEXTS) else TEXTS
