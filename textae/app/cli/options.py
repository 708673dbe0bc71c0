"""What commands have in common: their options, and how these become what the engine takes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from textae.config import CORRUPTIONS, NONE, PICTURE_SYSTEMS, PRETRAINING, STORED_NAMES, SYSTEMS, UNPOOLINGS
from textae.errors import QueryError
from textae.types import KINDS, PICTURES, Document, Picture

if TYPE_CHECKING:
    from textae.corpus import TableSpec

F = TypeVar("F", bound=Callable[..., Any])

HITS = click.IntRange(1, 10**9)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


index_option = click.option(
    "--index",
    "folder",
    type=click.Path(path_type=Path),
    envvar="TEXTAE_INDEX",
    default=".textae",
    show_default=True,
    help="The folder of the index; also TEXTAE_INDEX.",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Nothing on stderr but errors.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
rank_options = together(
    click.option("-k", "--top", "k", type=HITS, default=10, show_default=True, help="Hits, at most."),
    click.option(
        "--mode",
        help=f"{', '.join(SYSTEMS)}, lsa-N, or bits-N; of pictures {', '.join(PICTURE_SYSTEMS)}, pca-N, or bits-N.  "
        "[default: hybrid; of pictures code]",
    ),
    json_option,
    click.option("--tsv", "as_tsv", is_flag=True, help="Lines of query, rank, id, score, title between tabs."),
    click.option("--trec", "as_trec", is_flag=True, help="A TREC run; white space and % in ids as %20, %25."),
    index_option,
    quiet_option,
)
kind_option = click.option(
    "--kind", type=click.Choice(KINDS), help="What SOURCE holds.  [default: what more of its files are, by their names]"
)
model_options = together(
    click.option("--bits", type=int, help="Bits of the binary code, a multiple of 8.  [default: 256]"),
    click.option("--dims", type=int, help="Numbers of the float code.  [default: 320; of pictures 64]"),
    click.option(
        "--hidden", metavar="N,N…", help="Sizes of the encoder's hidden layers.  [default: 512; of pictures 1024,512]"
    ),
    click.option("--drop", type=float, help="Share of the words, or pixels, that de-noising hides.  [default: 0.5; 0]"),
    click.option("--passes", type=int, help="Passes over the documents; by default what the corpus asks for."),
    click.option("--rate", type=float, help="Of learning; by default one that serves every corpus."),
    click.option("--pretrain", type=click.Choice(PRETRAINING), help="What learning starts from.  [default: lsa]"),
    click.option("--corruption", type=click.Choice(CORRUPTIONS), help="Of a deep stack's input.  [default: masking]"),
    click.option(
        "--unpool",
        type=click.Choice((*UNPOOLINGS, NONE)),
        help="Convolve pictures with --hidden kernels, and undo pooling so.  [default: none]",
    ),
    click.option("--code-l2", type=float, help="How much a deep stack's code is held near 0.  [default: 0]"),
)
table_options = together(
    click.option("--id-field", metavar="NAME", help="The column of a table that holds the id."),
    click.option("--title-field", metavar="NAME", help="The column that holds the title."),
    click.option("--text-field", metavar="NAME", help="The column that holds the text."),
    click.option(
        "--select", metavar="FIELD=VALUE", multiple=True, help="Only the rows of a table that have it; repeatable."
    ),
)


def table_spec(options: Mapping[str, Any]) -> TableSpec:
    """How tables are to be read."""
    from textae.corpus import TableSpec

    select = []
    for condition in options["select"]:
        field, equals, value = condition.partition("=")
        if not equals or not field:
            raise click.BadParameter(f"{condition!r} is not FIELD=VALUE", param_hint="--select")
        select.append((field, value))
    return TableSpec(options["id_field"], options["title_field"], options["text_field"], tuple(select))


def chosen_model(options: Mapping[str, Any]) -> dict[str, Any]:
    """What of a `ModelSpec` was chosen."""
    chosen = _chosen(options, "bits", "dims", "dropout", "corruption", "code_l2", "unpool")
    if options["hidden"]:
        sizes = options["hidden"].split(",")
        if not all(size.strip().isdecimal() and len(size) < 20 for size in sizes):
            raise click.BadParameter(
                f"{options['hidden'][:60]!r} is not a list of sizes like 512,512", param_hint="--hidden"
            )
        chosen["hidden"] = tuple(map(int, sizes))
    return chosen


def chosen_training(options: Mapping[str, Any]) -> dict[str, Any]:
    """What of a `TrainSpec` was chosen."""
    return _chosen(options, "seed", "device", "epochs", "learning_rate", "pretrain")


def _chosen(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The fields of a spec whose options were given."""
    values = {name: options[STORED_NAMES.get(name, name)] for name in names}
    return {name: value for name, value in values.items() if value is not None}


def stdin_picture() -> Picture:
    """The picture that comes from standard input.

    Raises:
        CorpusError: it is none.
    """
    from textae.corpus.images import picture_in

    return picture_in(io.BytesIO(sys.stdin.buffer.read()), "standard input")


def stdin_text() -> str:
    """What standard input says.

    Raises:
        QueryError: it is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise QueryError("standard input is not UTF-8 text") from None


def document_of(path: str, kind: str) -> Document:
    """What would be indexed of a file: of one that holds many documents, the first.

    Args:
        path: of the file.
        kind: of the index, one of `KINDS`.

    Raises:
        QueryError: it holds none of that kind.
    """
    from textae.corpus import read

    skipped = "it is empty"
    for found in read([path], kind=kind):
        if isinstance(found, Document):
            return found
        skipped = found.reason
    wanted = "a picture" if kind == PICTURES else "a file of text"
    raise QueryError(f"{path} gives no document: {skipped}; give {wanted}, or the id of a document")
