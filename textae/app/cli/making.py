"""Commands that make an index and keep it: what is in it changes by these alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from textae.app import printing, terminal
from textae.app.cli.options import (
    chosen_model,
    chosen_training,
    index_option,
    json_option,
    kind_option,
    model_options,
    quiet_option,
    stdin_text,
    table_options,
    table_spec,
)
from textae.config import AUTO, DEVICES, PICTURE_PRESETS, preset_of
from textae.errors import TextaeError
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.corpus import Source
    from textae.engine import Engine
    from textae.index.update import Changes


_verbose_option = click.option("-v", "--verbose", is_flag=True, help="List what was skipped.")


@click.command(short_help="Read a corpus, learn it, and make it the index.")
@click.argument("given", metavar="SOURCE…", nargs=-1, required=True)
@kind_option
@table_options
@click.option("--language", default=AUTO, show_default=True, help="Stems and stop words: english, …, none, or auto.")
@click.option(
    "--preset",
    type=click.Choice(list(PICTURE_PRESETS)),
    default="default",
    show_default=True,
    help="Choices that go together, as published; what is given beside it comes before it.",
)
@model_options
@click.option(
    "--seed", type=int, default=1, show_default=True, help="The same seed gives the same index (same machine, CPU)."
)
@click.option(
    "--device",
    type=click.Choice(DEVICES),
    default=AUTO,
    show_default=True,
    help="Where to learn; auto: on a CUDA card if there is one.",
)
@click.option(
    "--passages",
    metavar="WORDS",
    type=int,
    default=0,
    help="For long documents: find them by their best passage of so many words, say 200.",
)
@_verbose_option
@json_option
@index_option
@quiet_option
def index(given: Sequence[str], folder: Path, **options: Any) -> None:
    """Read SOURCE…, learn it, and make it the index, in place of what was indexed before.

    A SOURCE is a folder or a file (txt, md, html, mbox), a table (jsonl, csv, tsv, parquet; also .gz), `-` for
    standard input, or the name of a recipe ('textae corpora' lists them). Or it holds pictures: a folder of them (png,
    jpg, webp, tiff, bmp, gif), arrays (npz), or the files of MNIST; 'textae similar' searches them.

    \b
    textae index notes/ mail.mbox
    textae index photos/                     pictures; the name of a subfolder is their label
    textae index tickets.csv.gz --id-field key --text-field body --select status=closed
    textae index python                      the documentation of the Python that runs textae
    textae index notes/ --preset hinton2006  a deep stack of RBMs, as published; also with --dims 2
    """
    from textae.corpus import sources
    from textae.corpus.uniform import UniformCorpus
    from textae.engine import Engine

    quiet = options["quiet"]
    progress = terminal.ProgressLine(quiet=quiet)
    language = None if options["language"] == "none" else options["language"]
    corpus = sources(given, table_spec(options), kind=options["kind"])
    with Engine.create(folder) as engine:
        try:
            documents = UniformCorpus(chain.from_iterable(source.read(progress) for source in corpus))
            preset = preset_of(options["preset"], pictures=documents.shape is not None)
            report = engine.index(
                documents,
                sources=corpus,
                passage=options["passages"],
                language=language,
                model=replace(preset[0], **chosen_model(options)),
                train=replace(preset[1], **chosen_training(options)),
                progress=progress,
            )
        finally:
            progress.finish()
    if options["as_json"]:
        click.echo(sanitise.json_line({"index": str(folder), **asdict(report)}))
        return
    detected, verbose = language == AUTO, options["verbose"]
    printing.print_report(report, str(folder), detected=detected, verbose=verbose, quiet=quiet)


@click.command(short_help="Add documents to the index.")
@click.argument("given", metavar="SOURCE…", nargs=-1, required=True)
@table_options
@_verbose_option
@json_option
@index_option
@quiet_option
def add(given: Sequence[str], folder: Path, **options: Any) -> None:
    """Add the documents of SOURCE… to the index; sources are as 'textae index' takes them.

    They are encoded by what the index has learned: that costs what they are, not what the corpus is. Their words are
    found from then on, also those that the corpus did not have. A document whose id is taken is skipped, and counted;
    'textae sync' replaces. 'textae info' says how well what was added fits what was learned, 'textae train' learns all.

    \b
    textae add more-notes/
    textae add today.jsonl --text-field body
    textae add more-photos/                  to an index of pictures
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        asked = _remembered(engine, given, options)
        progress = terminal.ProgressLine(quiet=options["quiet"])
        try:
            corpus = chain.from_iterable(source.read(progress) for source in asked)
            changes = engine.add(corpus, sources=asked, progress=progress)
        finally:
            progress.finish()
    printing.print_changes(changes, folder, options)


@click.command(short_help="Remove documents from the index.")
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@json_option
@index_option
@quiet_option
def rm(ids: Sequence[str], folder: Path, **options: Any) -> None:
    """Remove the documents with these IDs (`-` reads them from standard input, one a line).

    An id that no document has is an error, and nothing is removed then.

    \b
    textae rm notes/old.md
    textae search "confidential" --tsv -k 1000 | cut -f 3 | textae rm -
    """
    from textae.engine import Engine

    chosen = stdin_text().splitlines() if tuple(ids) == ("-",) else list(ids)
    with Engine.open(folder) as engine:
        progress = terminal.ProgressLine(quiet=options["quiet"])
        try:
            changes = engine.remove([id for id in chosen if id], progress=progress)
        finally:
            progress.finish()
    printing.print_changes(changes, folder, options)


@click.command(short_help="Make the index what its sources are now.")
@click.argument("given", metavar="[SOURCE…]", nargs=-1)
@table_options
@click.option("--watch", is_flag=True, help="Look again every two seconds, until interrupted.")
@_verbose_option
@json_option
@index_option
@quiet_option
def sync(given: Sequence[str], folder: Path, watch: bool, **options: Any) -> None:
    """Make the index what SOURCE… holds now; by default all that it was made of.

    What is new is added, what says something else is replaced, what is gone is removed. Documents are compared by what
    they say. Those that came from another source stay as they are, and so do those that cannot be read now; a source
    that is not there at all is an error, and nothing changes.

    \b
    textae sync                              all that the index remembers
    textae sync notes/ --watch
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        asked = _remembered(engine, given, options) if given else engine.sources
        if watch:
            _watch(engine, asked, folder, options)
        printing.print_changes(_synced(engine, asked, options), folder, options)


def _synced(engine: Engine, asked: Sequence[Source], options: Mapping[str, Any]) -> Changes:
    progress = terminal.ProgressLine(quiet=options["quiet"])
    try:
        return engine.sync(asked, progress=progress)
    finally:
        progress.finish()


_LOOK_EVERY = 2.0  # seconds


def _watch(engine: Engine, asked: Sequence[Source], folder: Path, options: Mapping[str, Any]) -> NoReturn:
    """Sync whenever a file of the sources has changed; what goes wrong is said once, and tried again."""
    from textae.corpus import STDIN

    if not asked or any(source.origin == STDIN for source in asked):
        what = "standard input" if asked else "what the index does not remember"
        raise click.UsageError(f"{what} cannot be watched; give a folder or a file")
    terminal.note(f"watching {', '.join(source.key for source in asked)}", quiet=options["quiet"])
    seen: list[str] = []
    said = ""
    try:
        while True:
            look = [source.signature() for source in asked]
            if look != seen:
                try:
                    changes = _synced(engine, asked, {**options, "quiet": True})
                    seen, said = look, ""
                    if changes.any:
                        printing.print_changes(changes, folder, options)
                except TextaeError as error:
                    if str(error) != said:
                        said = str(error)
                        terminal.error(said)
            time.sleep(_LOOK_EVERY)
    except KeyboardInterrupt:  # the usual end: what was synced stays
        terminal.note("stopped watching", quiet=options["quiet"])
        raise SystemExit(130) from None


def _remembered(engine: Engine, given: Sequence[str], options: Mapping[str, Any]) -> list[Source]:
    """The sources that were given, read as the index remembers them where nothing else is asked for."""
    from textae.corpus import sources

    spec, known, kind = table_spec(options), engine.remembered, engine.kind
    alone = len(given) == 1 and {source.key for source in sources(given, spec, kind=kind)} >= known.keys()

    def as_remembered(source: Source) -> Source:
        before = known.get(source.key)
        if before is None:
            return source
        return replace(source, name=before.name, spec=before.spec if spec == type(spec)() else spec)

    return list(map(as_remembered, sources(given, spec, several=not alone, kind=kind)))


@click.command(short_help="Learn again, anew or from labels.")
@click.option(
    "--label", metavar="FIELD", help="Learn the labels that FIELD holds of some documents, and not of others."
)
@model_options
@click.option("--seed", type=int, help="Of everything random.  [default: what it was]")
@click.option("--device", type=click.Choice(DEVICES), help="Where to learn.  [default: what it was]")
@json_option
@index_option
@quiet_option
def train(label: str | None, folder: Path, quiet: bool, as_json: bool, **options: Any) -> None:
    """Learn again from the documents that the index holds, and encode them anew; the sources are not needed.

    With --label, what was learned without labels is fine-tuned by those of FIELD, and 'textae classify' tells the label
    of any text. It is learned anew first where the model is to be another one (--dims, --bits, --hidden, --passes …).
    All that is not given stays as it was. Searches go on meanwhile, in what was learned before.

    \b
    textae train --label topic               some documents have a topic: learn to tell it
    textae train                             learn anew, without labels
    textae train --dims 64 --passes 30
    """
    from textae.engine import Engine

    chosen = chosen_model(options)
    how = chosen_training(options)
    progress = terminal.ProgressLine(quiet=quiet)
    with Engine.open(folder) as engine:
        model, spec = engine.specs
        keep = label is not None and not chosen and not {"epochs", "learning_rate", "pretrain"} & how.keys()
        try:
            trained = engine.train(
                label=label,
                model=None if keep else replace(model, **chosen),
                train=replace(spec, **how),
                progress=progress,
            )
        finally:
            progress.finish()
    if as_json:
        click.echo(sanitise.json_line({"index": str(folder), **asdict(trained)}))
        return
    printing.print_trained(trained, str(folder), quiet=quiet)


COMMANDS = (index, add, rm, sync, train)
