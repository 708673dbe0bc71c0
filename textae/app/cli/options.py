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
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from textae.app import terminal
from textae.config import PICTURE_SYSTEMS, SYSTEMS
from textae.errors import QueryError

if TYPE_CHECKING:
    from textae.corpus import TableSpec
    from textae.engine import Engine
    from textae.search.request import RequestOptions
    from textae.types import Document, Picture

F = TypeVar("F", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
HITS = click.IntRange(1, 10**9)

timeout = click.option(
    "--timeout",
    type=click.IntRange(1, 10**6),
    metavar="SECONDS",
    help="Skip a document that takes longer to read; 'textae sync' remembers it.  [default: 30]",
)


_SETTINGS: dict[str, dict[str, Any]] = {
    "bool": {"is_flag": True},
    "int": {"type": int},
    "float": {"type": float},
    "Path": {"type": PATH},
    "Sequence[str]": {"multiple": True, "metavar": "ID"},
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
            click.option(*flags, one.name, show_default="default" in settings, **settings)(with_group)
        return cast(F, with_group)

    return decorate


@dataclass(frozen=True)
class ShellOptions:
    """The index of a command, and how it prints its result."""

    verbose: bool = option("List the skipped documents.", "-v", "--verbose")
    as_json: bool = option("Print one JSON object a line.", "--json")
    as_tsv: bool = option("Print query, rank, id, score and title between tabs.", "--tsv")
    as_trec: bool = option("Print a TREC run; white space and % in ids as %20, %25.", "--trec")
    as_csv: bool = option("Print a table with a header, for spreadsheets.", "--csv")
    quiet: bool = option("Print nothing on stderr but errors.", "-q", "--quiet")
    folder: Path = option(  # noqa: RUF009
        "The folder of the index; also TEXTAE_INDEX.", "--index", envvar="TEXTAE_INDEX", default=".textae"
    )

    def open_engine(self) -> Engine:
        """The engine of the index, imported here so that the help needs no numpy."""
        from textae.engine import Engine

        return Engine.open(self.folder)

    def note(self, message: str) -> None:
        """Print a message on stderr."""
        terminal.note(message, quiet=self.quiet)

    def progress(self) -> terminal.ProgressLine:
        """The progress of a long task, on stderr."""
        return terminal.ProgressLine(quiet=self.quiet)

    def exit_if_nothing(self, result: object, reason: str = "") -> None:
        """Where the result is empty, say why and leave with exit code 1."""
        if not result:
            self.note(f"nothing found; {reason}" if reason else "nothing found")
            raise SystemExit(1)


@dataclass(frozen=True)
class SearchOptions:
    """What a search returns; `like` and `expand` are for queries, not for similar documents."""

    where: str | None = option("Filter by fields: 'year:[2010 TO 2012] AND module:os*'.", metavar="EXPR")
    must: str | None = option("Filter by words of the text: '\"noisy signal\" AND NOT image'.", metavar="EXPR")
    like: Sequence[str] = option("Rank documents like this ID higher; repeatable.")
    unlike: Sequence[str] = option("Rank documents like this ID lower; repeatable.", "--not-like")
    expand: bool = option("Also search for keywords that the decoder predicts from the query.")
    explain: bool = option("Explain the score of each hit.")
    top_k: int = option("Maximum number of hits.", "-k", "--top", type=HITS, default=10)
    mode: str | None = option(
        f"{', '.join(SYSTEMS)}, lsa-N, or bits-N; for pictures {', '.join(PICTURE_SYSTEMS)}, pca-N, or bits-N.  "
        "[default: hybrid; for pictures code]"
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
        skipped = item.reason
    wanted = "a picture" if kind == PICTURES else "a file of text"
    raise QueryError(f"{path} gives no document: {skipped}; give {wanted}, or the id of a document")
