"""Options and inputs that commands share.

A frozen dataclass declares a group of options, and reaches the command as one argument.

@dataclass(frozen=True)
class Greeting:
    name: str = option("Whom to greet.", default="you")     --name TEXT  Whom to greet.  [default: you]

@click.command()
@options("greeting", Greeting)
def greet(greeting: Greeting) -> None: ...
"""

from __future__ import annotations

import functools
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from textae.app import terminal
from textae.app.cli.nearest import NAME, nearest_index
from textae.app.engines import is_address, opened
from textae.config import PICTURE_SYSTEMS, SYSTEMS, VECTOR
from textae.errors import QueryError

if TYPE_CHECKING:
    from textae.corpus import Ignore, Limits, TableSpec
    from textae.engine import Engine
    from textae.index.snapshot import Snapshot
    from textae.search.request import RequestOptions
    from textae.types import Document, Picture

F = TypeVar("F", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
HITS = click.IntRange(1, 10**9)
_AT_LINE = re.compile(r"(.+):([0-9]{1,9})", re.DOTALL)


def completed(what: str) -> Callable[..., Any]:
    """What a shell offers for an option or argument, by `complete_…` of `textae.app.cli.completing`."""

    def complete(*arguments: Any) -> Any:
        from textae.app.cli import completing  # not needed by a command that runs

        return getattr(completing, f"complete_{what}")(*arguments)

    return complete


class IndexPath(click.Path):
    """The folder of an index, or an address, `milvus://…`, which stays a string.

    Of several, an environment variable holds one, whatever letters it has.
    """

    envvar_list_splitter = "\0"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or the address as it is."""
        return value if is_address(value) else super().convert(value, param, ctx)


class _Folder(click.Path):
    """The folder of an index that is written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if is_address(value):
            self.fail(
                f"{value!r:.100} is an address; an index is written to a folder, and 'textae push' loads it there",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


_SETTINGS: dict[str, dict[str, Any]] = {
    "bool": {"is_flag": True},
    "int": {"type": int},
    "float": {"type": float},
    "Path": {"type": PATH},
    "Sequence[str]": {"multiple": True, "metavar": "ID"},
    "Sequence[Path]": {"multiple": True},
}
"""Of `click.option`, by the type of a field."""


def option(help: str, *flags: str, **settings: Any) -> Any:
    """A field of a dataclass of options.

    Args:
        help: what it does.
        flags: by default `--code-l2` for the field `code_l2`.
        settings: as `click.option` takes them; they go before those of the field's type, and a default is shown.
    """
    return field(default=settings.get("default"), metadata={"help": help, "flags": flags, **settings})


def options(argument: str, group: type, *names: str) -> Callable[[F], F]:
    """The options of a dataclass, as a decorator of a command.

    Args:
        argument: of the command; it gets an instance of the dataclass.
        group: the dataclass; its module has `from __future__ import annotations`.
        names: the fields that are options of this command, by default all; the others have their defaults.
    """
    chosen = [one for one in fields(group) if not names or one.name in names]

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def with_group(**values: Any) -> Any:
            own = {one.name: values.pop(one.name) for one in chosen}
            return command(**values, **{argument: group(**own)})

        for one in reversed(chosen):
            settings = _SETTINGS.get(str(one.type).removesuffix(" | None"), {}) | one.metadata
            flags = settings.pop("flags") or (f"--{one.name.replace('_', '-')}",)
            settings.setdefault("show_default", "default" in settings)
            click.option(*flags, one.name, **settings)(with_group)
        return cast(F, with_group)

    return decorate


@dataclass(frozen=True)
class ShellOptions:
    """The index of a command, and how it prints its result."""

    verbose: bool = option("List what was skipped and ignored.", "-v", "--verbose")
    as_json: bool = option("Print one JSON object a line.", "--json")
    as_tsv: bool = option("Print query, rank, id, score and title between tabs.", "--tsv")
    as_trec: bool = option("Print a TREC run; white space and % in ids as %20, %25.", "--trec")
    as_csv: bool = option("Print a table with a header, for spreadsheets.", "--csv")
    quiet: bool = option("Print nothing on stderr but errors.", "-q", "--quiet")
    folder: Path = option(  # noqa: RUF009
        "The folder of the index, or its address; also TEXTAE_INDEX.  [default: .textae, here or in a folder above]",
        "--index", envvar="TEXTAE_INDEX", default=nearest_index, show_default=False, type=IndexPath(path_type=Path),
    )  # fmt: skip

    def open_engine(self) -> Engine:
        """The engine of the index, imported here so that the help needs no numpy."""
        from textae.encoding.analyzer import VERSION

        engine = opened(self.folder)
        if engine.snapshot.shape is None and engine.snapshot.reader.settings["analysis"].get("version", 1) < VERSION:
            self.note(f"an earlier version cut the words of {self.folder} by other rules; 'textae index' makes it anew")
        return engine

    def note(self, message: str) -> None:
        """Print a message on stderr."""
        terminal.note(message, quiet=self.quiet)

    def note_unused_vectors(self) -> None:
        """Say that a query has no vector, and the index has some."""
        self.note("the vectors of the index are not used: the query has none; --vector-command names what gives it")

    def progress(self) -> terminal.ProgressLine:
        """The progress of a long task, on stderr."""
        return terminal.ProgressLine(quiet=self.quiet)

    def exit_if_nothing(self, result: object, reason: str = "") -> None:
        """Where the result is empty, say why and leave with exit code 1."""
        if not result:
            self.note(f"nothing found; {reason}" if reason else "nothing found")
            raise SystemExit(1)


@dataclass(frozen=True)
class NewIndexOptions(ShellOptions):
    """Those of a command that makes an index: here, whatever is above, as 'git init' does."""

    folder: Path = option(  # noqa: RUF009
        "The folder of the index; also TEXTAE_INDEX.",
        "--index", envvar="TEXTAE_INDEX", default=NAME, type=_Folder(path_type=Path),
    )  # fmt: skip


@dataclass(frozen=True)
class SeveralOptions(ShellOptions):
    """Those of a command that searches several indexes as one; `folder` is the first of them."""

    verbose: bool = option("Name the queries with words that have no effect.", "-v", "--verbose")
    folders: Sequence[Path] = option(
        "The folder of the index; also TEXTAE_INDEX. Several are searched as one.  "
        "[default: .textae, here or in a folder above]",
        "--index", envvar="TEXTAE_INDEX", metavar="PATH", type=IndexPath(path_type=Path),
        default=lambda: [nearest_index()], show_default=False,
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Each index counts once."""
        distinct = {folder if is_address(folder) else folder.resolve(): folder for folder in self.folders}
        object.__setattr__(self, "folders", tuple(distinct.values()))
        object.__setattr__(self, "folder", self.folders[0])


@dataclass(frozen=True)
class SearchOptions:
    """What a search returns; `like` and `expand` are for queries, not for similar documents."""

    where: str | None = option(
        "Filter by fields: 'year:[2010 TO 2012] AND module:os*'.",
        metavar="EXPR",
        shell_complete=completed("filter"),
    )
    must: str | None = option("Filter by words of the text: '\"noisy signal\" AND NOT image'.", metavar="EXPR")
    like: Sequence[str] = option("Rank documents like this ID higher; repeatable.", shell_complete=completed("id"))
    unlike: Sequence[str] = option(
        "Rank documents like this ID lower; repeatable.", "--not-like", shell_complete=completed("id")
    )
    expand: bool = option("Also search for keywords that the decoder predicts from the query.")
    explain: bool = option("Explain the score of each hit.")
    min_score: float = option(
        "Only hits that score higher; hybrid scores from 0 to 1.", type=click.FloatRange(0), default=0.0
    )
    feedback: bool | None = option(
        "Search twice, the second time for what is like the best hits, too: hybrid by their codes, bm25 by their words "
        "(RM3).  [default: hybrid does]",
        "--feedback/--no-feedback",
        is_flag=True,
        default=None,
    )
    top_k: int = option("Maximum number of hits.", "-k", "--top", type=HITS, default=10)
    mode: str | None = option(
        f"{', '.join(SYSTEMS)}, {VECTOR}, lsa-N, bits-N, or hamming-N; for pictures {', '.join(PICTURE_SYSTEMS)}, "
        "pca-N, bits-N, or hamming-N.  "
        "[default: hybrid; for pictures code]",
        shell_complete=completed("mode"),
    )

    def request(self) -> RequestOptions:
        """The options that were given, as a `SearchRequest` takes them."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return cast("RequestOptions", given)


def _condition(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not field or not equals:
        raise click.BadParameter(f"{text!r} is not FIELD=VALUE")
    return field, value


@dataclass(frozen=True)
class TableOptions:
    """How tables are read."""

    id_field: str | None = option("The column of a table that holds the id.", metavar="NAME")
    title_field: str | None = option("The column that holds the title.", metavar="NAME")
    text_field: str | None = option("The column that holds the text.", metavar="NAME")
    select: tuple[tuple[str, str], ...] = option(
        "Only rows of a table with this value; repeatable.", metavar="FIELD=VALUE", multiple=True, type=_condition
    )

    def spec(self) -> TableSpec:
        """The options, as the corpus reader takes them."""
        from textae.corpus import TableSpec

        return TableSpec(**vars(self))


_SIZE = re.compile(r"(\d{1,12})\s*([km]?)(i?b)?", re.IGNORECASE | re.ASCII)


def _size(text: str) -> int:
    size = _SIZE.fullmatch(text.strip())
    n_bytes = int(size[1]) << {"": 0, "k": 10, "m": 20}[size[2].lower()] if size else 0
    if not 1_000 <= n_bytes <= 512 << 20:  # SQLite stores a billion bytes, and the words take more memory than the text
        raise click.BadParameter(f"{text[:60]!r} is not a size from 1k to 512M")
    return n_bytes


@dataclass(frozen=True)
class ReadingOptions:
    """What is read, and how long; an index remembers it with the source. None for what was not given."""

    exclude: Sequence[str] = option(
        "Leave out the files of a folder that match, as a line of .gitignore; repeatable.", metavar="PATTERN"
    )
    ignore: bool | None = option(
        "Leave out what .gitignore and .textaeignore list, and caches.  [default: --ignore]", "--ignore/--no-ignore",
        is_flag=True, default=None, show_default=False,
    )  # fmt: skip
    longest: int | None = option(
        "Read a longer text file in parts of this many bytes.  [default: 16M]", metavar="SIZE", type=_size
    )
    timeout: int | None = option(
        "Skip a document that takes longer to read.  [default: 30]", metavar="SECONDS", type=click.IntRange(1, 10**6)
    )

    vectors: str | None = option(
        "Vectors of the documents, from a model of yours: their FIELD, or a FILE (.npy, .parquet).",
        metavar="FIELD|FILE",
    )

    def limits(self, before: Limits) -> Limits:
        """Limits with those that were given."""
        return replace(before, seconds=self.timeout or before.seconds, longest=self.longest or before.longest)

    def rules(self, before: Ignore) -> Ignore:
        """What is left out, with what was given; `--exclude ''` takes the patterns back."""
        exclude = tuple(filter(None, self.exclude)) if self.exclude else before.exclude
        return replace(before, exclude=exclude, by_files=before.by_files if self.ignore is None else self.ignore)


def id_and_line(snapshot: Snapshot, given: str) -> tuple[str, int | None]:
    """An id, and the line of `ID:LINE`, as hits are printed; an id may have that form itself."""
    at = _AT_LINE.fullmatch(given)
    is_at = at is not None and not snapshot.reader.has(given) and snapshot.reader.has(at[1])
    return (at[1], int(at[2])) if at and is_at else (given, None)


def stdin_picture() -> Picture:
    """The picture on standard input.

    Raises:
        CorpusError: it is not a picture.
    """
    from textae.corpus.images import picture_in

    return picture_in(io.BytesIO(sys.stdin.buffer.read()), "standard input")


def stdin_text() -> str:
    """The text on standard input.

    Raises:
        QueryError: it is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise QueryError("standard input is not UTF-8 text") from None


def is_file(path: str) -> bool:
    """Whether there is a file; pathlib refuses long names."""
    return os.path.isfile(path)  # noqa: PTH113


def document_of(path: str, kind: str) -> Document:
    """The document in a file, read as 'textae index' reads it; the first one where there are several.

    Args:
        path: of the file.
        kind: of the index, one of `textae.types.KINDS`.

    Raises:
        QueryError: the file has no document of that kind.
    """
    from textae.corpus import read
    from textae.types import PICTURES, Document

    skipped = "it is empty"
    for item in read([path], kind=kind):
        if isinstance(item, Document):
            return item
        skipped = item.reason.partition("; ")[0]  # what comes behind is an option of 'textae index'
    wanted = "a picture" if kind == PICTURES else "a file of text"
    raise QueryError(f"{path} gives no document: {skipped}; give {wanted}, or the id of a document")
