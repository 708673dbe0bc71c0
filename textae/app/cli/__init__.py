"""The command line: results on stdout, messages on stderr; exit code 0: found, 1: nothing found, 2: error (as grep)."""

from __future__ import annotations

import io
import os
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from textae.app import signals, terminal
from textae.errors import TextaeError

SECTIONS = {
    "Make an index": ("making", ("index", "train", "corpora")),
    "Search": ("searching", ("search", "similar", "classify", "serve", "mcp")),
    "Read a document": ("documents", ("get", "open")),
    "Look at the corpus": ("looking", ("topics", "map", "dups", "decode", "sample")),
    "Keep the index": ("keeping", ("add", "rm", "sync", "sources", "info", "doctor", "export")),
    "Measure": ("measuring", ("eval",)),
    "Go beyond one machine": ("clustering", ("pull", "encode")),
    "Serve or keep it elsewhere": ("pushing", ("push",)),
    "Set up": ("completing", ("completion",)),
}
"""The module and the commands of each section. A module is imported when one of its commands is used."""

_MODULES = {name: module for module, names in SECTIONS.values() for name in names}


class _Commands(click.Group):
    """Commands in sections; a broken pipe is no error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"{__name__}.{_MODULES[cmd_name]}")
        return next(one for one in vars(module).values() if isinstance(one, click.Command) and one.name == cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in _MODULES:
            import difflib  # 1 ms, which no command that there is needs

            if close := difflib.get_close_matches(args[0], _MODULES, n=1):
                ctx.fail(f"no command {args[0]!r}; did you mean {close[0]!r}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _MODULES))  # one column for all sections
        for title, (_, names) in SECTIONS.items():
            commands = [self.get_command(ctx, name) for name in names]
            with formatter.section(title):
                formatter.write_dl([(f"{one.name:{width}}", one.get_short_help_str(100)) for one in commands if one])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has closed the pipe, as head does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="textae", message="%(prog)s %(version)s")
def cli() -> None:
    """Semantic search that learns your corpus.

    \b
    textae index notes/                      read, learn, encode
    textae search "smooth a noisy signal"    the closest documents
    textae similar notes/spline.md           documents like this one

    No pretrained model, no download: textae learns from your documents alone.
    """


def main() -> None:
    """Run the command line; an error is one line on stderr and an exit code."""
    terminal.open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character still shows the others
            stream.reconfigure(errors="backslashreplace")
    # Numpy warns of nothing on a sound index; `Engine` checks an index on which it does.
    warnings.filterwarnings("error", category=RuntimeWarning, module=r"(textae|numpy)\.")
    signals.end_with_a_line_where_a_file_cannot_be_read()
    try:
        with signals.raised():
            sys.exit(cli.main(prog_name="textae", standalone_mode=False))
    except signals.Interrupted as interrupted:
        terminal.error("; ".join(["interrupted", *getattr(interrupted, "__notes__", ())]))
        sys.exit(interrupted.code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "textae"
        terminal.error(f"{error.format_message().rstrip('.')} (see '{command} --help')")
    except (click.ClickException, TextaeError) as error:
        terminal.error(str(error))
    except OSError as error:
        terminal.error(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    except RuntimeWarning as warning:
        terminal.error(f"{warning}; 'textae doctor' checks the index for damage")
    except MemoryError:
        terminal.error("not enough memory")
    except click.Abort:
        sys.exit(130)
    sys.exit(2)
