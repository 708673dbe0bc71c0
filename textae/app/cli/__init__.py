"""The command line: data on stdout, everything else on stderr; 0 found, 1 nothing found, 2 an error (as grep)."""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import Any

import click

from textae.app import terminal
from textae.app.cli import learning, looking, making, searching, seeing, serving
from textae.errors import TextaeError

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(click.Group):
    """Lets broken pipes and interrupts reach `main`, where click would write lines of its own."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has seen enough, as head does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt:
            terminal.error("interrupted; the index is as it was before")
            raise click.exceptions.Exit(130) from None


@click.group(cls=_Commands, context_settings=_CONTEXT)
@click.version_option(package_name="textae", message="%(prog)s %(version)s")
def cli() -> None:
    """Semantic search that learns your corpus.

    \b
    textae index notes/                      read, learn, encode
    textae search "smooth a noisy signal"    the closest documents
    textae similar notes/spline.md           what is like this one

    No pretrained model, no download: all that it knows it learned from your documents.
    """


for module in (making, searching, seeing, learning, looking, serving):
    for command in module.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the command line; every failure is one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character still shows the others
            stream.reconfigure(errors="backslashreplace")
    # No sound index makes numpy warn; where one does, `Engine` finds out whether it is damaged.
    warnings.filterwarnings("error", category=RuntimeWarning, module=r"textae\.")
    try:
        code = cli.main(prog_name="textae", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = 2
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "textae"
        terminal.error(f"{error.format_message().rstrip('.')} (see '{command} --help')")
        code = 2
    except click.ClickException as error:
        terminal.error(error.format_message())
        code = 2
    except TextaeError as error:
        terminal.error(str(error))
        code = 2
    except OSError as error:
        terminal.error(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        code = 2
    except RuntimeWarning as warning:
        terminal.error(f"{warning}; 'textae doctor' says whether the index is damaged")
        code = 2
    except MemoryError:
        terminal.error("there is not enough memory for that")
        code = 2
    except click.Abort:
        code = 130
    sys.exit(code)
