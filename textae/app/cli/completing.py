"""The command that completes others: completion. And what is completed: modes, fields, ids, corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from textae.app.cli.nearest import nearest_index
from textae.config import PICTURE_SYSTEMS, SYSTEMS, VECTOR

if TYPE_CHECKING:
    from textae.index.snapshot import Snapshot

_FIRST = 500
"""Ids that are offered; a shell lists no more for a person to read."""

Completions = list[CompletionItem]


@click.command(short_help="Print the script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the script that lets bash, zsh or fish complete commands, options, modes, fields, ids and corpora.

    \b
    eval "$(textae completion bash)"         in ~/.bashrc
    eval "$(textae completion zsh)"          in ~/.zshrc
    textae completion fish > ~/.config/fish/completions/textae.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    variables = {"complete_func": "_textae_completion", "complete_var": "_TEXTAE_COMPLETE", "prog_name": "textae"}
    click.echo(kind.source_template % variables)  # `kind.source` starts a bash to ask for its version


def _completed(values: Iterable[str], incomplete: str) -> Completions:
    return [CompletionItem(value) for value in values if value.startswith(incomplete)]


def _of_index(context: click.Context, values: Callable[[Snapshot], Iterable[str]], incomplete: str) -> Completions:
    """Values of the index that the command line names; none where it cannot be read: a completion says nothing."""
    from textae.engine import Engine

    given = context.params.get("folder") or next(iter(context.params.get("folders") or ()), None)
    try:
        with Engine.open(given or nearest_index()) as engine:
            return _completed(values(engine.snapshot), incomplete)
    except Exception:  # noqa: BLE001 (whatever is wrong, the command itself will tell)
        return []


def complete_mode(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The systems of texts and of pictures."""
    return _completed(dict.fromkeys((*SYSTEMS, VECTOR, *PICTURE_SYSTEMS)), incomplete)


def complete_field(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The names of fields."""
    return _of_index(context, lambda snapshot: sorted(snapshot.field_names - {"id", "title"}), incomplete)


def complete_filter(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The name of the field at the end of a condition, and the colon behind it."""
    start = max(map(incomplete.rfind, " (")) + 1
    before, name = incomplete[:start], incomplete[start:]
    fields = _of_index(context, lambda snapshot: sorted(snapshot.field_names), name)
    return [CompletionItem(f"{before}{one.value}:") for one in fields]


def complete_id(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The ids of documents; of many, the first."""

    def ids(snapshot: Snapshot) -> list[str]:
        return sorted(id for id in snapshot.ids.values() if id.startswith(incomplete))[:_FIRST]

    return _of_index(context, ids, incomplete)


def complete_correction(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The commands of `textae topics`."""
    from textae.app.cli.correcting import COMMANDS

    return _completed(COMMANDS, incomplete)


def complete_id_or_file(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The ids of documents; paths where no id begins so."""
    return complete_id(context, parameter, incomplete) or [CompletionItem(incomplete, type="file")]


def complete_source(context: click.Context, parameter: click.Parameter, incomplete: str) -> Completions:
    """The names of corpora, and paths."""
    from textae.corpus.recipes import recipes

    # click's script for bash forgets what comes before a file.
    return [CompletionItem(incomplete, type="file"), *_completed((recipe.name for recipe in recipes()), incomplete)]
