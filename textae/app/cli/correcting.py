"""Commands of `textae topics`, which correct topics by hand: rename, merge, reset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from textae.app.cli.options import ShellOptions, options
from textae.app.output.topics import note_lost, print_topics
from textae.errors import QueryError

_MOST_SEEDS = 1 << 20  # bytes


def seed_lines(file: Path) -> list[str]:
    """The lines of a file of seeds.

    Raises:
        QueryError: it is too long, or not UTF-8.
    """
    with file.open("rb") as stream:
        stored = stream.read(_MOST_SEEDS + 1)
    if len(stored) > _MOST_SEEDS:
        raise QueryError(f"{file} has more than {_MOST_SEEDS:,} bytes; give a topic a line, as 'name: word, word'")
    try:
        return stored.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise QueryError(f"{file} is not UTF-8 text; give a topic a line, as 'name: word, word'") from None


class TopicsCommand(click.Command):
    """A command with an argument or one of its own commands, which comes first."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command that the first argument names, or else of this one."""
        if command := next((COMMANDS[name] for name in args[:1] if name in COMMANDS), None):
            return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and the commands."""
        super().format_options(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(100)) for name, command in COMMANDS.items()])


@click.command(short_help="Give a topic or an area another name.")
@click.argument("topic")
@click.argument("name")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def rename(topic: str, name: str, shell: ShellOptions) -> None:
    """Give a topic or an area another name, which the index keeps.

    TOPIC is its number as 'textae topics' shows it, or its name. 'textae topics --n', '--seeds' and 'textae train' make
    other topics; a name stays if one of them has mostly the same documents.

    \b
    textae topics rename 3.2 Cookies
    textae topics rename Cookies "Cookies and sessions"
    """
    _correct(shell, rename={topic: name})


@click.command(short_help="Make one topic of several.")
@click.argument("topics", metavar="TOPIC…", nargs=-1, required=True)
@click.option("--name", help="Its name.  [default: a name of yours that one of them has, else by its documents]")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def merge(topics: Sequence[str], name: str | None, shell: ShellOptions) -> None:
    """Make one topic of several, with all their documents, in the place of the first.

    An area stands for its topics. Later topics move up in number.

    \b
    textae topics merge 1.1 1.4
    textae topics merge 4 --name Email       all topics of an area
    """
    _correct(shell, merge=topics, name=name)


@click.command(short_help="Forget corrections and seeds.")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def reset(shell: ShellOptions) -> None:
    """Take back all names, merges and seeds: topics are as they were learned, or are learned without seeds.

    \b
    textae topics reset
    """
    _correct(shell, reset=True)


def _correct(shell: ShellOptions, **corrections: Any) -> None:
    with shell.open_engine() as engine, shell.progress() as progress:
        topics = engine.topics(progress=progress, **corrections)
    print_topics(topics, None, shell)
    note_lost(topics, shell)


COMMANDS = {"rename": rename, "merge": merge, "reset": reset}
