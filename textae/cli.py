"""The command line: data on stdout, everything else on stderr; 0 found, 1 nothing found, 2 an error (as grep)."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from textae import printing, terminal
from textae.errors import QueryError, TextaeError
from textae.spec import AUTO, CORRUPTIONS, DEVICES, PRESETS, PRETRAINING, SYSTEMS
from textae.types import Document, Ranking

if TYPE_CHECKING:
    from textae.corpus import TableSpec
    from textae.engine import Engine
    from textae.evaluation import Scoreboard

F = TypeVar("F", bound=Callable[..., Any])

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_HITS = click.IntRange(1, 10**9)


def _together(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_index_option = click.option(
    "--index",
    "folder",
    type=click.Path(path_type=Path),
    envvar="TEXTAE_INDEX",
    default=".textae",
    show_default=True,
    help="The folder of the index; also TEXTAE_INDEX.",
)
_quiet_option = click.option("-q", "--quiet", is_flag=True, help="Nothing on stderr but errors.")
_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_rank_options = _together(
    click.option("-k", "--top", "k", type=_HITS, default=10, show_default=True, help="Hits, at most."),
    click.option("--mode", default="hybrid", show_default=True, help=f"{', '.join(SYSTEMS)}, lsa-N, or bits-N."),
    _json_option,
    click.option("--tsv", "as_tsv", is_flag=True, help="Lines of query, rank, id, score, title between tabs."),
    click.option("--trec", "as_trec", is_flag=True, help="A TREC run; white space and % in ids as %20, %25."),
    _index_option,
    _quiet_option,
)
_model_options = _together(
    click.option("--bits", type=int, help="Bits of the binary code, a multiple of 8.  [default: 256]"),
    click.option("--dims", type=int, help="Numbers of the float code.  [default: 320]"),
    click.option("--hidden", metavar="N,N…", help="Sizes of the encoder's hidden layers.  [default: 512]"),
    click.option("--drop", type=float, help="Share of the words that de-noising hides.  [default: 0.5]"),
    click.option("--passes", type=int, help="Passes over the documents; by default what the corpus asks for."),
    click.option("--rate", type=float, help="Of learning; by default one that serves every corpus."),
    click.option("--pretrain", type=click.Choice(PRETRAINING), help="What learning starts from.  [default: lsa]"),
    click.option("--corruption", type=click.Choice(CORRUPTIONS), help="Of a deep stack's input.  [default: masking]"),
    click.option("--code-l2", type=float, help="How much a deep stack's code is held near 0.  [default: 0]"),
)
_table_options = _together(
    click.option("--id-field", metavar="NAME", help="The column of a table that holds the id."),
    click.option("--title-field", metavar="NAME", help="The column that holds the title."),
    click.option("--text-field", metavar="NAME", help="The column that holds the text."),
    click.option(
        "--select", metavar="FIELD=VALUE", multiple=True, help="Only the rows of a table that have it; repeatable."
    ),
)


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


@cli.command(short_help="Read a corpus, learn it, and make it the index.")
@click.argument("sources", metavar="SOURCE…", nargs=-1, required=True)
@_table_options
@click.option("--language", default=AUTO, show_default=True, help="Stems and stop words: english, …, none, or auto.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="default",
    show_default=True,
    help="Choices that go together, as published; what is given beside it comes before it.",
)
@_model_options
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
@click.option("-v", "--verbose", is_flag=True, help="List what was skipped.")
@_json_option
@_index_option
@_quiet_option
def index(sources: Sequence[str], folder: Path, **options: Any) -> None:
    """Read SOURCE…, learn it, and make it the index, in place of what was indexed before.

    A SOURCE is a folder or a file (txt, md, html, mbox), a table (jsonl, csv, tsv, parquet; also .gz), `-` for
    standard input, or the name of a recipe ('textae corpora' lists them).

    \b
    textae index notes/ mail.mbox
    textae index tickets.csv.gz --id-field key --text-field body --select status=closed
    textae index python                      the documentation of the Python that runs textae
    textae index notes/ --preset hinton2006  a deep stack of RBMs, as published; also with --dims 2
    """
    from textae.corpus import read
    from textae.engine import Engine

    quiet = options["quiet"]
    progress = terminal.ProgressLine(quiet=quiet)
    language = None if options["language"] == "none" else options["language"]
    with Engine.create(folder) as engine:
        try:
            report = engine.index(
                read(sources, _table_spec(options), progress),
                language=language,
                model=replace(PRESETS[options["preset"]][0], **_chosen(options)),
                train=replace(PRESETS[options["preset"]][1], **_how(options)),
                progress=progress,
            )
        finally:
            progress.finish()
    if options["as_json"]:
        click.echo(terminal.json_line({"index": str(folder), **asdict(report)}))
        return
    detected, verbose = language == AUTO, options["verbose"]
    printing.print_report(report, str(folder), detected=detected, verbose=verbose, quiet=quiet)


@cli.command(short_help="The documents closest to a query.")
@click.argument("query", nargs=-1)
@click.option("--queries", "queries_file", metavar="FILE", help="Many queries: jsonl or tsv of id and text, or lines.")
@_rank_options
def search(query: Sequence[str], queries_file: str | None, k: int, mode: str, folder: Path, **options: Any) -> None:
    """The documents closest to QUERY (`-` reads it from standard input).

    \b
    textae search "smooth a noisy signal"
    textae search temporary directory that is deleted --mode code -k 3 --json
    textae search --queries queries.jsonl -k 100 --mode bits --trec > run.txt
    """
    from textae.engine import Engine

    if bool(query) == bool(queries_file):
        raise click.UsageError("give a QUERY or --queries FILE")
    with Engine.open(folder) as engine:
        if queries_file:
            from textae.evaluation import read_queries

            printing.print_many(engine, read_queries(queries_file), k, mode, options)
            return
        text = " ".join(_stdin().split() if tuple(query) == ("-",) else query)
        hits, no_effect = engine.search(text, k, mode), printing.no_effect(engine, text, mode)
        if no_effect and hits:
            terminal.note(no_effect, quiet=options["quiet"])
        printing.print_one(text, hits, mode, options, f"; {no_effect}" if no_effect else "")


@cli.command(short_help="The documents closest to a document.")
@click.argument("document", metavar="ID|FILE")
@_rank_options
def similar(document: str, k: int, mode: str, folder: Path, **options: Any) -> None:
    """The documents closest to the one with that ID, or to the text of a FILE (`-`: standard input).

    \b
    textae similar scipy.signal.savgol_filter
    textae similar draft.txt --mode code
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        if document == "-":
            hits = engine.search(_stdin(), k, mode)
        elif engine.has(document) or not os.path.isfile(document):  # noqa: PTH113 (as pathlib refuses long names)
            hits = engine.similar(document, k, mode)
        else:
            hits = engine.search(_text_of(document), k, mode)
        printing.print_one(document, hits, mode, options)


@cli.command(short_help="The words that a code makes likelier than usual.")
@click.argument("ids", metavar="[ID…]", nargs=-1)
@click.option("--text", metavar="WORDS", help="Decode the code of a text instead; `-` reads it from standard input.")
@click.option("--code", metavar="CODE", help="Decode a code: its numbers, between commas.")
@click.option("-k", "--top", "k", type=_HITS, default=20, show_default=True, help="Words, at most.")
@_json_option
@_index_option
def decode(ids: Sequence[str], text: str | None, code: str | None, k: int, as_json: bool, folder: Path) -> None:
    """What a code says: the words that the trained decoder expects of it.

    Beside each word stand the probability that the decoder gives it, how many times its mean over documents that is
    (the lift), and whether the text holds it: a search by meaning finds a text also by the words that its code
    expects and it does not hold. The order is by (probability - usual)² / usual: words that are likely, and
    likelier than usual.

    \b
    textae decode scipy.signal.savgol_filter
    textae decode --text "smooth a noisy signal" -k 10
    textae decode --code 0.031,-0.17,…       as 'textae sample --json' gives codes
    """
    from textae.engine import Engine

    if bool(ids) + (text is not None) + (code is not None) != 1:
        raise click.UsageError("give IDs of documents, --text or --code")
    with Engine.open(folder) as engine:
        if text is not None:
            text = _stdin() if text == "-" else text
            told = [({"text": " ".join(text.split())}, engine.decode_text(text, k))]
        elif code is not None:
            told = [({"code": code}, engine.decode_code(code, k))]
        else:
            told = [({"id": id}, decoded) for id, decoded in zip(ids, engine.decode(ids, k), strict=True)]
    for of, decoded in told:
        printing.print_decoded(of, decoded, as_json=as_json)


@cli.command(short_help="Draw codes, and say what they would be about.")
@click.option("-n", "n", type=click.IntRange(1, 10_000), help="Codes to draw.  [default: 5]")
@click.option("-k", "--top", "k", type=_HITS, help="Words of each, at most.  [default: 10; of a cell of a grid 3]")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the codes that are drawn.")
@click.option("--grid", "rows", type=click.IntRange(1, 30), help="Instead N × N places of a plane of codes.")
@click.option(
    "-o", "--output", "picture", type=click.Path(path_type=Path), help="With --grid: a picture, png, svg or pdf."
)
@_json_option
@_index_option
@_quiet_option
def sample(n: int | None, k: int | None, seed: int, folder: Path, **options: Any) -> None:
    """Draw codes from the distribution of the documents' codes, and decode their words.

    Each is drawn around a document picked at random, as far away and in such directions as its ten neighbours lie.
    Beside it stands the nearest document, and how far away its code is (1 - cosine; of a deep stack's codes Euclid's
    distance): a code that is farther from all documents than these are from each other is about nothing that the
    corpus is about.

    With --grid, the codes are the places of the plane over which an index of codes of 2 numbers spreads its documents,
    all but the outermost 2 % on each side.

    \b
    textae sample -n 10
    textae sample --grid 8 -o plane.png      after textae index … --preset hinton2006 --dims 2
    """
    from textae.engine import Engine

    rows, picture = options["rows"], options["picture"]
    if rows is None and picture is not None:
        raise click.UsageError("-o draws a --grid; give one")
    if rows is not None and n is not None:
        raise click.UsageError("give -n or --grid")
    with Engine.open(folder) as engine:
        if rows is None:
            printing.print_samples(
                engine.sample(n or 5, k or 10, seed), as_json=options["as_json"], quiet=options["quiet"]
            )
            return
        grid = engine.grid(rows, k or 3)
    if picture is not None:
        from textae.picture import draw_grid

        draw_grid(grid, picture)
        terminal.note(f"drew {picture}", quiet=options["quiet"])
    if picture is None or options["as_json"]:
        printing.print_grid(grid, as_json=options["as_json"])


@cli.command("eval", short_help="The scoreboard: every system side by side.")
@click.option("--queries", metavar="FILE", help="The queries: jsonl or tsv of id and text; with --label, any SOURCE.")
@click.option("--qrels", metavar="FILE", help="The judgements: BEIR's tsv or TREC's four columns.")
@click.option(
    "--label",
    metavar="FIELD",
    help="Documents with the same value of FIELD are relevant to each other; without --queries 1,000 of them ask.",
)
@click.option("--systems", default=",".join(SYSTEMS), show_default=True, help="Also lsa-N, bits-N.")
@click.option("--baseline", help="What the others are tested against.  [default: the first system]")
@click.option("-k", "--top", "k", type=_HITS, default=100, show_default=True, help="With --label: P@k.")
@click.option("--curve", is_flag=True, help="With --label: also precision and recall from 1 document to all.")
@click.option(
    "--runs", metavar="FOLDER", type=click.Path(path_type=Path), help="Write TREC runs there, as search --trec does."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the resampling.")
@_table_options
@_json_option
@_index_option
@_quiet_option
def evaluate(**options: Any) -> None:
    """The scoreboard: every system side by side, with confidence intervals and significance.

    \b
    textae eval --queries queries.jsonl --qrels qrels.tsv
    textae eval --queries corpus.jsonl.gz --select split=test --label label -k 100 --json
    textae eval --label group                a sample of 1,000 documents as queries
    """
    from textae.engine import Engine

    systems = options["systems"].split(",")
    with Engine.open(options["folder"]) as engine:
        if options["label"]:
            scored = _by_labels(engine, systems, options)
        elif options["queries"] and options["qrels"]:
            scored = _by_judgements(engine, systems, options)
        else:
            raise click.UsageError("give --queries and --qrels, or --label")
    printing.print_scoreboard(scored, as_json=options["as_json"])


def _by_judgements(engine: Engine, systems: Sequence[str], options: Mapping[str, Any]) -> Scoreboard:
    from textae.evaluation import read_qrels, read_queries

    def keep(system: str, rankings: Mapping[str, Ranking]) -> None:
        options["runs"].mkdir(parents=True, exist_ok=True)
        with (options["runs"] / f"{system}.run").open("w", encoding="utf-8") as file:
            printing.write_trec(rankings, system, file)

    return engine.evaluate(
        read_queries(options["queries"]),
        read_qrels(options["qrels"]),
        systems,
        baseline=options["baseline"],
        seed=options["seed"],
        keep=keep if options["runs"] else None,
    )


def _by_labels(engine: Engine, systems: Sequence[str], options: Mapping[str, Any]) -> Scoreboard:
    from textae.corpus import read

    queries = None
    if options["queries"]:
        found = list(read([options["queries"]], _table_spec(options)))
        queries = [item for item in found if isinstance(item, Document)]
        if len(queries) < len(found):
            terminal.note(f"skipped {len(found) - len(queries):,} of the queries", quiet=options["quiet"])
    return engine.evaluate_labels(
        options["label"],
        queries,
        systems,
        k=options["k"],
        curve=options["curve"],
        baseline=options["baseline"],
        seed=options["seed"],
    )


@cli.command(short_help="Learn again, anew or from labels.")
@click.option(
    "--label", metavar="FIELD", help="Learn the labels that FIELD holds of some documents, and not of others."
)
@_model_options
@click.option("--seed", type=int, help="Of everything random.  [default: what it was]")
@click.option("--device", type=click.Choice(DEVICES), help="Where to learn.  [default: what it was]")
@_json_option
@_index_option
@_quiet_option
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

    chosen = _chosen(options)
    how = _how(options)
    progress = terminal.ProgressLine(quiet=quiet)
    with Engine.open(folder) as engine:
        model, spec = engine.specs
        keep = label is not None and not chosen and not {"passes", "rate", "pretrain"} & how.keys()
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
        click.echo(terminal.json_line({"index": str(folder), **asdict(trained)}))
        return
    printing.print_trained(trained, str(folder), quiet=quiet)


@cli.command(short_help="The likeliest labels of a text.")
@click.argument("text", metavar="TEXT…|ID", nargs=-1)
@click.option("--queries", "queries_file", metavar="FILE", help="Many texts: jsonl or tsv of id and text, or lines.")
@click.option("-k", "--top", "k", type=_HITS, default=3, show_default=True, help="Labels, at most.")
@_json_option
@_index_option
@_quiet_option
def classify(text: Sequence[str], queries_file: str | None, k: int, folder: Path, **options: Any) -> None:
    """The likeliest labels of TEXT (`-`: standard input), or of the document with that ID.

    The labels are those that 'textae train --label FIELD' has taught. Of many texts a line each: id, rank, label and
    probability between tabs.

    \b
    textae classify "orbit of the shuttle"
    textae classify --queries mails.jsonl -k 1 --json
    """
    from textae.engine import Engine

    if bool(text) == bool(queries_file):
        raise click.UsageError("give a TEXT, an ID or --queries FILE")
    with Engine.open(folder) as engine:
        if queries_file:
            from textae.evaluation import read_queries

            printing.print_labels_of_many(engine, read_queries(queries_file), k, options)
            return
        asked = _stdin() if tuple(text) == ("-",) else " ".join(text)
        is_id = len(text) == 1 and engine.has(asked)
        found = engine.classify([engine.text(asked) if is_id else asked], k)[0]
        printing.print_labels({"id" if is_id else "query": asked}, found, options)


@cli.command()
@_json_option
@_index_option
def info(folder: Path, as_json: bool) -> None:
    """What the index holds, and how it was learned.

    \b
    textae info --index notes.textae
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        facts = engine.info()
    if as_json:
        click.echo(terminal.json_line(facts))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        shown = f"{value:,}" if type(value) is int else terminal.cell(str(value))
        click.echo(f"{name.replace('_', ' '):{width}}  {shown}")


@cli.command(short_help="Check every byte of the index.")
@_index_option
def doctor(folder: Path) -> None:
    """Check every byte of the index against the hashes that were committed; exit 2 where it is damaged.

    \b
    textae doctor --index notes.textae
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        found = engine.damage()
    for line in found:
        click.echo(terminal.safe(line))
    if found:
        raise TextaeError(f"{folder} is damaged; 'textae index' rebuilds it from its sources")
    click.echo(f"{folder}: sound")


@cli.command(short_help="Write the codes for other tools.")
@click.option(
    "--codes",
    "path",
    metavar="OUT",
    required=True,
    type=click.Path(path_type=Path),
    help="Ends in .npy, .parquet or .csv; what is there is replaced.",
)
@click.option(
    "--what", type=click.Choice(("floats", "bits")), default="floats", show_default=True, help="Of the two codes."
)
@_index_option
@_quiet_option
def export(path: Path, what: str, folder: Path, quiet: bool) -> None:
    """Write the codes of all documents, as features for other tools.

    .npy is an array of a row a document, with the ids beside it in a file that ends in .ids, a line each; .parquet has
    the columns id and code, a list; .csv has id, c0, c1, and so on. Floats are float32. Bits are packed, 8 in a number
    (numpy.unpackbits), and in .csv in hexadecimal.

    \b
    textae export --codes codes.npy
    textae export --codes codes.parquet --what bits
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        engine.export_codes(path, what)
    terminal.note(f"wrote {path}", quiet=quiet)


@cli.command()
@_json_option
def corpora(as_json: bool) -> None:
    """The corpora that 'textae index' knows by name.

    \b
    textae corpora
    textae index 20newsgroups
    """
    from textae.corpus import recipes

    for recipe in recipes():
        if as_json:
            click.echo(terminal.json_line(asdict(recipe)))
        else:
            missing = "  (fetched when asked for)" if recipe.archive else "  (to be put into TEXTAE_DATA)"
            here = "" if recipe.available else missing
            click.echo(f"{recipe.name:16} {recipe.description}{here}")


def _table_spec(options: Mapping[str, Any]) -> TableSpec:
    from textae.corpus import TableSpec

    select = []
    for condition in options["select"]:
        field, equals, value = condition.partition("=")
        if not equals or not field:
            raise click.BadParameter(f"{condition!r} is not FIELD=VALUE", param_hint="--select")
        select.append((field, value))
    return TableSpec(options["id_field"], options["title_field"], options["text_field"], tuple(select))


def _chosen(options: Mapping[str, Any]) -> dict[str, Any]:
    """What of a `ModelSpec` was chosen."""
    names = ("bits", "dims", "drop", "corruption", "code_l2")
    chosen = {name: options[name] for name in names if options[name] is not None}
    if options["hidden"]:
        sizes = options["hidden"].split(",")
        if not all(size.strip().isdecimal() and len(size) < 20 for size in sizes):
            raise click.BadParameter(
                f"{options['hidden'][:60]!r} is not a list of sizes like 512,512", param_hint="--hidden"
            )
        chosen["hidden"] = tuple(map(int, sizes))
    return chosen


def _how(options: Mapping[str, Any]) -> dict[str, Any]:
    """What of a `TrainSpec` was chosen."""
    names = ("seed", "device", "passes", "rate", "pretrain")
    return {name: options[name] for name in names if options[name] is not None}


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise QueryError("standard input is not UTF-8 text") from None


def _text_of(path: str) -> str:
    """What would be indexed of a file: of one that holds many documents, of the first."""
    from textae.corpus import read
    from textae.text import searchable

    skipped = "it is empty"
    for found in read([path]):
        if isinstance(found, Document):
            return searchable(found)
        skipped = found.reason
    raise QueryError(f"{path} gives no document: {skipped}; give a file of text, or the id of a document")


def main() -> None:
    """Run the command line; every failure is one line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character still shows the others
            stream.reconfigure(errors="backslashreplace")
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
    except MemoryError:
        terminal.error("there is not enough memory for that")
        code = 2
    except click.Abort:
        code = 130
    sys.exit(code)
