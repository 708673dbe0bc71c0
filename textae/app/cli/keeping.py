"""Commands that keep an index: add, rm, sync, info, doctor, export."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from textae.app import terminal
from textae.app.cli.options import PATH, ShellOptions, TableOptions, options, stdin_text, timeout
from textae.app.output.reports import print_changes, print_facts
from textae.app.signals import Interrupted
from textae.errors import TextaeError
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.corpus import Source, TableSpec
    from textae.engine import Engine
    from textae.index.update import Changes

_WATCH_EVERY = 2.0  # seconds


@click.command(short_help="Add documents.")
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True)
@options("table", TableOptions)
@timeout
@options("shell", ShellOptions, "verbose", "as_json", "quiet", "folder")
def add(sources: Sequence[str], table: TableOptions, timeout: int | None, shell: ShellOptions) -> None:
    """Add the documents of SOURCE… to the index. Sources are the same as for 'textae index'.

    The trained model encodes them, so the cost depends on the new documents, not on the size of the corpus. Keyword
    search finds all their words, also words that are new. A document with an id that is in use is skipped and counted;
    'textae sync' replaces it. 'textae info' shows how well new documents fit the model, 'textae train' learns them.

    \b
    textae add more-notes/
    textae add today.jsonl --text-field body
    textae add more-photos/                  to an index of pictures
    """
    with shell.open_engine() as engine:
        given = _within(_as_remembered(engine, sources, table.spec()), timeout)
        with shell.progress() as progress:
            documents = chain.from_iterable(source.read(progress) for source in given)
            changes = engine.add(documents, sources=given, progress=progress)
    print_changes(changes, shell)


@click.command(short_help="Remove documents.")
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def rm(ids: Sequence[str], shell: ShellOptions) -> None:
    """Remove the documents with these IDs (`-`: one ID a line from standard input).

    An unknown ID is an error, and then no document is removed.

    \b
    textae rm notes/old.md
    textae search "confidential" --tsv -k 1000 | cut -f 3 | textae rm -
    """
    given = stdin_text().splitlines() if tuple(ids) == ("-",) else ids
    with shell.open_engine() as engine, shell.progress() as progress:
        changes = engine.remove([id for id in given if id], progress=progress)
    print_changes(changes, shell)


@click.command(short_help="Update the index from its sources.")
@click.argument("sources", metavar="[SOURCE…]", nargs=-1)
@options("table", TableOptions)
@timeout
@click.option("--watch", is_flag=True, help="Check for changes every two seconds, until interrupted.")
@options("shell", ShellOptions, "verbose", "as_json", "quiet", "folder")
def sync(sources: Sequence[str], table: TableOptions, timeout: int | None, watch: bool, shell: ShellOptions) -> None:
    """Update the index to what SOURCE… contains now; by default all sources of the index.

    New documents are added, changed ones are replaced, and missing ones are removed. Documents are compared by their
    content. Documents of other sources stay, and so do documents that cannot be read now. A missing source is an error,
    and then nothing changes.

    \b
    textae sync                              all sources of the index
    textae sync notes/ --watch
    """
    with shell.open_engine() as engine:
        known = _as_remembered(engine, sources, table.spec()) if sources else engine.sources
        given = _within(known, timeout)
        if watch:
            _watch(engine, given, shell)
        print_changes(_synced(engine, given, shell), shell)


def _synced(engine: Engine, sources: Sequence[Source], shell: ShellOptions) -> Changes:
    with shell.progress() as progress:
        return engine.sync(sources, progress=progress)


def _watch(engine: Engine, sources: Sequence[Source], shell: ShellOptions) -> NoReturn:
    """Sync whenever a file of the sources changes; an error is printed once, and the sync is tried again."""
    from textae.corpus import STDIN

    if not sources or any(source.origin == STDIN for source in sources):
        what = "standard input" if sources else "an index without readable sources"
        raise click.UsageError(f"{what} cannot be watched; give a folder or a file")
    shell.note(f"watching {', '.join(source.key for source in sources)}")
    synced: list[str] = []  # the signatures of the sources at the last sync
    last_error = ""
    try:
        while True:
            signatures = [source.signature() for source in sources]
            if signatures != synced:
                try:
                    changes = _synced(engine, sources, replace(shell, quiet=True))
                    synced, last_error = signatures, ""
                    if changes.any:
                        print_changes(changes, shell)
                except TextaeError as error:
                    if str(error) != last_error:
                        last_error = str(error)
                        terminal.error(last_error)
            time.sleep(_WATCH_EVERY)
    except Interrupted as interrupted:  # the usual end: what was synced stays
        shell.note("stopped watching")
        raise SystemExit(interrupted.code) from None


def _as_remembered(engine: Engine, given: Sequence[str], table: TableSpec) -> list[Source]:
    """The given sources; those that the index remembers keep their name and, without table options, their options."""
    from textae.corpus import sources
    from textae.index.update import remembered_sources

    known, kind = remembered_sources(engine.snapshot), engine.snapshot.modality.kind
    # A source alone has ids without its name. That holds only as long as the index has no other source.
    alone = len(given) == 1 and {source.key for source in sources(given, table, kind=kind)} >= known.keys()
    result = sources(given, table, several=not alone, kind=kind)
    for i, source in enumerate(result):
        if before := known.get(source.key):
            spec = before.spec if table == type(table)() else table
            result[i] = replace(source, name=before.name, spec=spec, limits=before.limits)
    return result


def _within(sources: Sequence[Source], timeout: int | None) -> Sequence[Source]:
    """The sources with a time limit for each document, where one is given."""
    from textae.corpus import Limits

    return [replace(source, limits=Limits(timeout)) for source in sources] if timeout else sources


@click.command()
@options("shell", ShellOptions, "as_json", "folder")
def info(shell: ShellOptions) -> None:
    """Show the size of the index and the settings it was trained with.

    \b
    textae info --index notes.textae
    """
    with shell.open_engine() as engine:
        facts = engine.info()
    print_facts(facts, shell)


@click.command(short_help="Check every byte of the index.")
@options("shell", ShellOptions, "folder")
def doctor(shell: ShellOptions) -> None:
    """Check every byte of the index against the committed hashes; exit with 2 if the index is damaged.

    \b
    textae doctor --index notes.textae
    """
    from textae.index.soundness import damage
    from textae.index.store import Reader

    with contextlib.closing(Reader(shell.folder)) as reader:  # an engine refuses at the first fault
        faults = damage(reader)
    for line in faults:
        click.echo(sanitise.safe(line))
    if faults:
        raise TextaeError(f"{shell.folder} is damaged; 'textae index' rebuilds it from its sources")
    click.echo(f"{shell.folder}: sound")


@click.command(short_help="Export the codes for other tools.")
@click.option(
    "--codes", "path", metavar="OUT", required=True, type=PATH,
    help="A name that ends in .npy, .parquet or .csv; an existing file is replaced.",
)  # fmt: skip
@click.option("--what", type=click.Choice(("floats", "bits")), default="floats", show_default=True, help="Which code.")
@options("shell", ShellOptions, "quiet", "folder")
def export(path: Path, what: str, shell: ShellOptions) -> None:
    """Write the codes of all documents to a file, as features for other tools.

    .npy is an array with one row a document; the ids are in a second file that ends in .ids, one a line. .parquet has
    the columns id and code (a list). .csv has the columns id, c0, c1, and so on. Floats are float32. Bits are packed, 8
    to a byte (numpy.unpackbits), and hexadecimal in .csv.

    \b
    textae export --codes codes.npy
    textae export --codes codes.parquet --what bits
    """
    from textae.index.export import export_codes

    with shell.open_engine() as engine:
        export_codes(path, list(engine.snapshot.ids.values()), engine.snapshot.codes, what)
    shell.note(f"wrote {path}")
