"""Commands that keep an index: add, rm, sync, sources, info, doctor, export."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textae.app import terminal
from textae.app.cli.clustering import ClusterOptions, add_shards, examine, remove_from
from textae.app.cli.options import PATH, ReadingOptions, ShellOptions, TableOptions, completed, options, stdin_text
from textae.app.engines import is_address
from textae.app.output.reports import print_changes, print_facts, print_sources
from textae.errors import QueryError, TextaeError
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.corpus import Source, TableSpec
    from textae.engine import Engine


@click.command(short_help="Add documents.")
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True, shell_complete=completed("source"))
@options("table", TableOptions)
@options("reading", ReadingOptions)
@options("cluster", ClusterOptions)
@options("shell", ShellOptions, "verbose", "as_json", "quiet", "folder")
def add(
    sources: Sequence[str], table: TableOptions, reading: ReadingOptions, cluster: ClusterOptions, shell: ShellOptions
) -> None:
    """Add the documents of SOURCE… to the index. Sources are the same as for 'textae index'.

    The trained model encodes them, so the cost depends on the new documents, not on the size of the corpus. Keyword
    search finds all their words, also words that are new. A document with an id that is in use is skipped and counted;
    'textae sync' replaces it. 'textae info' shows how well new documents fit the model, 'textae train' learns them.

    \b
    textae add more-notes/
    textae add today.jsonl --text-field body
    textae add more-photos/                  to an index of pictures
    textae add today.jsonl --vectors today.npy            to an index with vectors of a model of yours
    textae add big.log --longest 4M          in parts of 4 MiB
    textae add today.jsonl --out /mnt/shared/notes.dataset
    """
    cluster.check()
    if cluster.out is not None:
        from textae import corpus

        here = [one for one in sources if not cluster.reads(one)]
        limits, ignore = reading.limits(corpus.Limits()), reading.rules(corpus.Ignore())
        given = corpus.sources(here, table.spec(), limits=limits, ignore=ignore)
        add_shards(sources, given, table.spec(), cluster, shell)
        return
    with shell.open_engine() as engine:
        given = _read_so(_as_remembered(engine, sources, table.spec()), reading)
        with shell.progress() as progress:
            documents = chain.from_iterable(source.read(progress) for source in given)
            changes = engine.add(documents, sources=given, progress=progress, vectors=reading.vectors)
    print_changes(changes, shell)


@click.command(short_help="Remove documents.")
@click.argument("ids", metavar="[ID…]", nargs=-1, shell_complete=completed("id"))
@click.option(
    "--where",
    metavar="EXPR",
    shell_complete=completed("filter"),
    help="Only documents with such fields; without an ID, all of these.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--out", metavar="DATASET", help="Of a dataset of shards, not of an index; no patterns.")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def rm(ids: Sequence[str], where: str | None, yes: bool, out: str | None, shell: ShellOptions) -> None:
    """Remove the documents with these IDs (`-`: one ID a line from standard input), or with such fields.

    An ID may be a pattern: * stands for any letters, also for /, ? for one, and [ab] for one of some. Where a pattern
    or --where matches several documents, the command asks. An ID or a pattern of no document is an error, and then no
    document is removed. 'textae search --where EXPR' lists what an EXPR matches.

    \b
    textae rm notes/old.md
    textae rm 'notes/2019/*' --yes
    textae rm --where "year:[* TO 2010]"
    textae search "confidential" --tsv -k 1000 | cut -f 3 | textae rm -
    """
    from_stdin = tuple(ids) == ("-",)
    given = list(dict.fromkeys(id for id in (stdin_text().splitlines() if from_stdin else ids) if id))
    if not ids and where is None:
        raise click.UsageError("give IDs or --where EXPR")
    if out is not None:
        remove_from(out, given, shell)
        return
    with shell.open_engine() as engine:
        listed = given if from_stdin else _matching(engine, given)
        chosen = listed if where is None else _meeting(engine, listed if given else None, where)
        if len(chosen) > 1 and not (yes or chosen == given):
            there = f"{len(chosen):,} documents match, such as {chosen[0]}"
            terminal.confirm(f"{there}; remove them?", f"{there}; --yes removes them")
        shell.exit_if_nothing(chosen or where is None, "no document meets the condition")
        with shell.progress() as progress:
            changes = engine.remove(chosen, progress=progress)
    print_changes(changes, shell)


def _matching(engine: Engine, given: Sequence[str]) -> list[str]:
    """The ids that some ids and patterns stand for."""
    chosen: dict[str, None] = {}
    for one in given:
        if not any(letter in one for letter in "*?[") or engine.snapshot.reader.has(one):
            chosen[one] = None
            continue
        pattern = re.compile(fnmatch.translate(one))
        matches = [id for id in engine.snapshot.ids.values() if pattern.match(id)]
        if not matches:
            raise QueryError(f"no document has an id like {one!r:.200}; 'textae search' prints ids")
        chosen |= dict.fromkeys(matches)
    return list(chosen)


def _meeting(engine: Engine, ids: Sequence[str] | None, where: str) -> list[str]:
    """Those of some ids, or of all, whose documents meet a condition."""
    for id in ids or ():
        engine.snapshot.number(id)  # an unknown one is an error here, too
    conditions = engine.searcher.conditions(where, None)
    assert conditions is not None
    wanted = None if ids is None else set(ids)
    return [id for _, id in engine.searcher.matching(conditions) if wanted is None or id in wanted]


@click.command(short_help="Update the index from its sources.")
@click.argument("sources", metavar="[SOURCE…]", nargs=-1, shell_complete=completed("source"))
@options("table", TableOptions)
@options("reading", ReadingOptions)
@click.option("--watch", is_flag=True, help="Update at each change, until interrupted.")
@click.option("--forget", is_flag=True, help="Forget sources that are gone, and remove their documents.")
@options("shell", ShellOptions, "verbose", "as_json", "quiet", "folder")
def sync(
    sources: Sequence[str], table: TableOptions, reading: ReadingOptions, watch: bool, forget: bool, shell: ShellOptions
) -> None:
    """Update the index to what SOURCE… contains now; by default all sources of the index.

    New documents are added, changed ones are replaced, and missing ones are removed. Documents are compared by their
    content. Documents of other sources stay, and so do documents that cannot be read now. A missing source is an error,
    and then nothing changes; a disk may just not be there. --forget removes it.

    \b
    textae sync                              all sources of the index
    textae sync notes/ --watch
    textae sync notes/ --exclude 'drafts/'   from now on; --exclude '' takes it back
    textae sync --forget
    """
    with shell.open_engine() as engine:
        known = _as_remembered(engine, sources, table.spec()) if sources else engine.sources
        given = _read_so(known, reading)
        if watch and reading.vectors:
            raise click.UsageError("--vectors is for one sync, not for --watch; the index remembers a field")
        if watch:
            from textae.app.cli.watching import watch_sources

            watch_sources(engine, given, shell)
        gone = [source.key for source in given if forget and source.is_gone]
        with shell.progress() as progress:
            changes = engine.sync(given, forget=gone, progress=progress, vectors=reading.vectors)
    for key in gone:
        shell.note(f"forgot {key}")
    print_changes(changes, shell)


def _as_remembered(engine: Engine, given: Sequence[str], table: TableSpec) -> list[Source]:
    """The given sources; those that the index remembers keep their name and, without table options, their options."""
    from textae.corpus.source import beside
    from textae.index.update import remembered_sources

    snapshot = engine.snapshot
    return beside(list(remembered_sources(snapshot).values()), given, table, snapshot.modality.kind)


def _read_so(sources: Sequence[Source], reading: ReadingOptions) -> list[Source]:
    """The sources, with the options that were given in place of those that they remember."""
    return [
        replace(source, limits=reading.limits(source.limits), ignore=reading.rules(source.ignore)) for source in sources
    ]


@click.command("sources", short_help="List the sources of the index, or remove some.")
@click.argument("words", metavar="[rm SOURCE…]", nargs=-1)
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def sources_command(words: Sequence[str], shell: ShellOptions) -> None:
    """List what the index is made of: each source, with the number of its documents and its options.

    'rm' removes sources with their documents. A SOURCE is named as in the list, or by its path; it may be gone.

    \b
    textae sources
    textae sources rm old-notes/
    """
    from textae.explore.info import sources as sources_of

    with shell.open_engine() as engine:
        listed = sources_of(engine.snapshot)
        if not words:
            print_sources(listed, shell)
            return
        action, *given = words
        if action != "rm" or not given:
            raise click.UsageError(f"give 'rm SOURCE…' or nothing, not {' '.join(words)!r:.200}")
        keys = {str(one["source"]) for one in listed}
        chosen = [next((key for key in (one, os.path.abspath(one)) if key in keys), None) for one in given]  # noqa: PTH100
        if None in chosen:
            unknown = given[chosen.index(None)]
            raise QueryError(f"{unknown!r:.200} is no source of {shell.folder}; 'textae sources' lists them")
        with shell.progress() as progress:
            changes = engine.forget([key for key in chosen if key is not None], progress=progress)
    print_changes(changes, shell)


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
@click.option("--out", metavar="DATASET", help="Check a dataset of shards, not an index.")
@options("shell", ShellOptions, "quiet", "folder")
def doctor(out: str | None, shell: ShellOptions) -> None:
    """Check every byte of the index against the committed hashes; exit with 2 if the index is damaged.

    \b
    textae doctor --index notes.textae
    textae doctor --out /mnt/shared/notes.dataset
    """
    if out is not None:
        examine(out, shell)
        return
    if is_address(shell.folder):
        raise TextaeError(f"{shell.folder} is an address, and a database checks its own files; give a folder")
    from textae.index.soundness import damage
    from textae.index.store import Reader

    with contextlib.closing(Reader(shell.folder)) as reader:  # an engine refuses at the first fault
        faults = damage(reader)
    for line in faults:
        click.echo(sanitise.safe(line))
    if faults:
        raise TextaeError(f"{shell.folder} is damaged; 'textae index --replace' rebuilds it from its sources")
    click.echo(f"{shell.folder}: sound")


@click.command(short_help="Export the codes for other tools.")
@click.option(
    "--codes", "path", metavar="OUT", required=True, type=PATH,
    help="A name that ends in .npy, .parquet or .csv; an existing file is replaced.",
)  # fmt: skip
@click.option(
    "--what", type=click.Choice(("floats", "bits", "vectors")), default="floats", show_default=True,
    help="Which codes; vectors are those of your own.",
)  # fmt: skip
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
    from textae.index.own_vectors import needed_vectors

    with shell.open_engine() as engine:
        snapshot = engine.snapshot
        if what == "floats":
            snapshot.modality.check_floats("an export of floats", "--what bits")
        codes = needed_vectors(snapshot).codes if what == "vectors" else snapshot.codes
        export_codes(path, list(snapshot.ids.values()), codes, what)
    shell.note(f"wrote {path}")
