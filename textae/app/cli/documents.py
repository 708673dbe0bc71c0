"""Commands that read a document: get, open."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from textae.app import terminal
from textae.app.cli.options import ShellOptions, completed, id_and_line, options
from textae.errors import QueryError, TextaeError
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.index.snapshot import Snapshot
    from textae.types import Document

_GOES_TO = {"code": "--goto", "codium": "--goto", "subl": "", "hx": "", "zed": ""}
"""Editors that take a line as `FILE:LINE`, and the option before it; others take `+LINE FILE`."""


@click.command(short_help="Print a document.")
@click.argument("id", metavar="ID", shell_complete=completed("id"))
@click.option("--passage", type=click.IntRange(1), metavar="N", help="Only the N-th passage of the index.")
@click.option("--page", metavar="NAME", help="Only this page, slide, sheet, or chapter.")
@options("shell", ShellOptions, "as_json", "folder")
def get(id: str, passage: int | None, page: str | None, shell: ShellOptions) -> None:
    """Print the text of the document with this ID, as it is indexed; `ID:LINE` prints it from a line on.

    \b
    textae get notes/boiler.md
    textae get manual.pdf --page 12
    textae get manual.pdf --json
    """
    from textae.search.originals import address, part_named, place_at, start_of_line
    from textae.types import PICTURES

    if passage and page:
        raise click.UsageError("give --passage or --page, not both")
    with shell.open_engine() as engine:
        snapshot = engine.snapshot
        if snapshot.modality.kind == PICTURES:
            raise QueryError(f"the index {shell.folder} holds pictures, which have no text; 'textae open' shows one")
        id, line = id_and_line(snapshot, id)
        document = snapshot.document(id)
        sources = snapshot.reader.settings["sources"]
        if passage:
            start, end = _passage(snapshot, document, passage)
        elif page:
            start, end = part_named(document, page)
        else:
            start, end = start_of_line(document, line) if line else 0, len(document.text)
    text = document.text[start:end].rstrip("\n")
    if shell.as_json:
        row = {"id": document.id, "title": document.title, "text": text, "fields": document.fields}
        terminal.print_json([{**row, "place": place_at(document, start), "source": address(document, sources)}])
    else:
        text = text or document.title
        click.echo(sanitise.safe(text.replace("\r\n", "\n")) if sys.stdout.isatty() else text)


@click.command("open", short_help="Open the file of a document.")
@click.argument("id", metavar="ID", shell_complete=completed("id"))
@click.option(
    "--editor", is_flag=True, help="Open it in $VISUAL or $EDITOR, at the line of ID:LINE, or of the mail or row."
)
@options("shell", ShellOptions, "quiet", "folder")
def open_(id: str, editor: bool, shell: ShellOptions) -> None:
    """Open the file that the document with this ID was read from, with the program that the system has for it.

    The file must be in a source of the index. A program is not opened, as it would run; --editor shows its text.

    \b
    textae open manual.pdf
    textae open notes/boiler.md:42 --editor
    """
    from textae.search.originals import first_line, is_program, original

    with shell.open_engine() as engine:
        id, line = id_and_line(engine.snapshot, id)
        document = engine.snapshot.document(id)
        path = original(document, engine.snapshot.reader.settings["sources"])
    if editor:
        line = line or first_line(document)
        command = _editor_command(str(path), line)
        _run(command)
        shell.note(f"opened {path} with {command[0]}")
        return
    if is_program(path):
        raise QueryError(f"{path} is a program, or may start one; 'textae open --editor' shows its text")
    # The opener of macOS would wait for the end of the program; that of Linux may be a browser in the terminal.
    code = click.launch(str(path), wait=sys.platform.startswith("linux"))
    if code:
        raise TextaeError(f"no program opened {path} (exit code {code}); 'textae open --editor' uses $EDITOR")
    shell.note(f"opened {path}")


def _passage(snapshot: Snapshot, document: Document, number: int) -> tuple[int, int]:
    """The first character of a passage, and the one behind the last."""
    view = snapshot.searched
    if view is snapshot.documents:
        raise QueryError("the index has whole documents, no passages; 'textae index --passages WORDS' makes some")
    rows = view.rows_of(snapshot.number(document.id))
    if number > len(rows):
        raise QueryError(f"{document.id!r} has {len(rows):,} passages; give --passage 1 to {len(rows):,}")
    ((start, end),) = view.char_spans.take(rows[number - 1 : number]).tolist()
    return start, end


def _editor_command(path: str, line: int | None) -> list[str]:
    import shlex

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        command = shlex.split(editor, posix=os.name == "posix")
    except ValueError as error:
        raise TextaeError(f"$EDITOR cannot be read: {error}: {editor}") from None
    if not command:
        raise TextaeError("no editor is set; set EDITOR, as in EDITOR=nano")
    if line is None:
        return [*command, path]
    goto = _GOES_TO.get(os.path.basename(command[0]).removesuffix(".exe"))  # noqa: PTH119
    if goto is None:
        return [*command, f"+{line}", path]
    return [*command, *filter(None, [goto]), f"{path}:{line}"]


def _run(command: list[str]) -> None:
    import subprocess

    try:
        code = subprocess.call(command)
    except OSError as error:
        raise TextaeError(f"the editor {command[0]} cannot be run: {error.strerror}; set EDITOR") from None
    if code:
        raise TextaeError(f"the editor {command[0]} ended with exit code {code}")
