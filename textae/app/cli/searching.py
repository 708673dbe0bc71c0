"""Commands that search, and say how well."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textae.app import printing, terminal
from textae.app.cli.options import (
    HITS,
    document_of,
    index_option,
    json_option,
    quiet_option,
    rank_options,
    stdin_picture,
    stdin_text,
    table_options,
    table_spec,
    together,
)
from textae.errors import QueryError
from textae.types import PICTURES, Document, Hit, Picture, Ranking

if TYPE_CHECKING:
    from textae.engine import Engine
    from textae.evaluation import Scoreboard


_filter_options = together(
    click.option(
        "--where", metavar="EXPR", help="Only documents whose fields are so: 'year:[2010 TO 2012] AND module:os*'."
    ),
    click.option(
        "--must", metavar="EXPR", help="Only documents whose text holds it: '\"noisy signal\" AND NOT image'."
    ),
)
_unlike_option = click.option(
    "--not-like", "unlike", metavar="ID", multiple=True, help="Unlike the document with this ID; repeatable."
)
_explain_option = click.option("--explain", is_flag=True, help="Say why each hit has its score.")


@click.command(short_help="The documents closest to a query.")
@click.argument("query", nargs=-1)
@click.option("--queries", "queries_file", metavar="FILE", help="Many queries: jsonl or tsv of id and text, or lines.")
@_filter_options
@click.option("--like", metavar="ID", multiple=True, help="Also like the document with this ID; repeatable.")
@_unlike_option
@click.option("--expand", is_flag=True, help="Keywords also look for words that the decoder expects of the query.")
@_explain_option
@rank_options
def search(
    query: Sequence[str],
    queries_file: str | None,
    k: int,
    mode: str | None,
    folder: Path,
    where: str | None,
    must: str | None,
    like: Sequence[str],
    unlike: Sequence[str],
    expand: bool,
    explain: bool,
    **options: Any,
) -> None:
    """The documents closest to QUERY (`-` reads it from standard input).

    --where and --must take AND, OR, NOT, (…), "phrases", prefix*, field:value, field:[low TO high] and field:>low; they
    narrow what is searched, in any mode. --like and --not-like say which hits of a first search were right and wrong.
    --explain says what each word of the query gave to the score, and which words query and document have in common.

    \b
    textae search "smooth a noisy signal"
    textae search temporary directory that is deleted --mode code -k 3 --json
    textae search "read a file" --where "module:os*" --must "encoding OR decoding"
    textae search --queries queries.jsonl -k 100 --mode bits --trec > run.txt
    """
    from textae.engine import Engine

    if bool(query) == bool(queries_file):
        raise click.UsageError("give a QUERY or --queries FILE")
    if queries_file and (like or unlike or expand or explain):
        raise click.UsageError("--like, --not-like, --expand and --explain go with one QUERY, not with --queries")
    with Engine.open(folder) as engine:
        mode = engine.default_system if mode is None else mode
        _note_ignored(engine, must, options)
        if queries_file:
            from textae.evaluation import read_queries

            conditions = {"where": where, "must": must}
            printing.print_many(engine, read_queries(queries_file), k, mode, conditions, options)
            return
        text = " ".join(stdin_text().split() if tuple(query) == ("-",) else query)
        hits = engine.search(
            text, k, mode, where=where, must=must, like=like, unlike=unlike, expand=expand, explain=explain
        )
        no_effect = printing.no_effect(engine, text, mode)
        if no_effect and hits:
            terminal.note(no_effect, quiet=options["quiet"])
        printing.print_one(text, hits, mode, options, f"; {no_effect}" if no_effect else "")


def _note_ignored(engine: Engine, must: str | None, options: Mapping[str, Any]) -> None:
    ignored = [] if must is None else engine.ignored(must)
    if ignored:
        terminal.note(f"stop words are no condition: {', '.join(ignored)}", quiet=options["quiet"])


@click.command(short_help="The documents closest to a document, or to several.")
@click.argument("documents", metavar="ID…|FILE", nargs=-1, required=True)
@_filter_options
@_unlike_option
@_explain_option
@click.option("--html", "page", metavar="OUT", type=click.Path(path_type=Path), help="Pictures found, as a page.")
@rank_options
def similar(
    documents: Sequence[str],
    k: int,
    mode: str | None,
    folder: Path,
    where: str | None,
    must: str | None,
    unlike: Sequence[str],
    explain: bool,
    page: Path | None,
    **options: Any,
) -> None:
    """The documents closest to those with these IDs, or to the text or the picture in a FILE (`-`: standard input).

    Documents are compared as wholes, also where passages are searched. Of pictures --html writes a contact sheet: one
    page with what was asked and what was found, that needs no network.

    \b
    textae similar scipy.signal.savgol_filter
    textae similar scipy.signal.savgol_filter scipy.signal.wiener --not-like scipy.ndimage.sobel
    textae similar draft.txt --mode code
    textae similar picture.png -k 30 --html found.html
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        mode = engine.default_system if mode is None else mode
        _note_ignored(engine, must, options)
        if page is not None and engine.kind != PICTURES:
            raise QueryError(f"--html shows pictures, and the index {folder} holds texts; --json writes hits for tools")
        first = documents[0]
        is_file = len(documents) == 1 and not engine.has(first) and os.path.isfile(first)  # noqa: PTH113 (as pathlib refuses long names)
        asked: list[Picture] = []
        if not is_file and tuple(documents) != ("-",):
            hits = engine.similar(documents, k, mode, unlike=unlike, where=where, must=must, explain=explain)
        elif unlike:
            raise click.UsageError("--not-like goes with IDs, not with a FILE")
        elif engine.kind == PICTURES:
            if explain:
                engine.snapshot.check_words("an explanation by words")
            picture = document_of(first, PICTURES).picture if is_file else stdin_picture()
            assert picture is not None
            asked = [engine.resized(picture)]
            hits = engine.similar_to_picture(picture, k, mode, where=where, must=must)
        else:
            from textae.encoding.analyzer import searchable

            text = searchable(document_of(first, engine.kind)) if is_file else stdin_text()
            hits = engine.similar_to(text, k, mode, where=where, must=must, explain=explain)
        if page is not None:
            _write_sheet(engine, page, list(zip(documents, asked or engine.pictures(documents), strict=True)), hits)
            terminal.note(f"wrote {page}", quiet=options["quiet"])
        printing.print_one(" ".join(documents), hits, mode, options)


def _write_sheet(engine: Engine, page: Path, asked: Sequence[tuple[str, Picture]], hits: Sequence[Hit]) -> None:
    from textae.files import whole_file
    from textae.views.contact_sheet import contact_sheet

    written = contact_sheet(asked, hits, engine.pictures([hit.id for hit in hits]))
    with whole_file(page) as passing:
        passing.write_text(written, encoding="utf-8")


@click.command(short_help="Documents that are nearly the same.")
@click.option("--radius", type=int, help="Bits in which codes may differ.  [default: a sixteenth of them]")
@click.option(
    "--resemblance",
    type=float,
    help="Share of their runs of four words that documents must have in common; of pictures, the score of their "
    "pixels.  [default: 0.8; 0.97]",
)
@json_option
@index_option
@quiet_option
def dups(radius: int | None, resemblance: float | None, folder: Path, **options: Any) -> None:
    """Groups of documents that are nearly the same: their codes are close, and so are their words or pixels.

    Codes find the candidates without comparing all pairs; texts or pixels decide. Beside each document stands how much
    it resembles the first one of its group, from 0 to 1.

    \b
    textae dups
    textae dups --resemblance 0.5 --radius 24
    textae dups --json
    """
    from textae.engine import Engine

    with Engine.open(folder) as engine:
        progress = terminal.ProgressLine(quiet=options["quiet"])
        try:
            found = engine.duplicates(radius, resemblance, progress=progress)
        finally:
            progress.finish()
        what = engine.kind if engine.kind == PICTURES else "documents"
    printing.print_duplicates(found, what, options)


@click.command("eval", short_help="The scoreboard: every system side by side.")
@click.option("--queries", metavar="FILE", help="The queries: jsonl or tsv of id and text; with --label, any SOURCE.")
@click.option("--qrels", metavar="FILE", help="The judgements: BEIR's tsv or TREC's four columns.")
@click.option(
    "--label",
    metavar="FIELD",
    help="Documents with the same value of FIELD are relevant to each other; without --queries 1,000 of them ask.",
)
@click.option("--systems", help="Between commas; also lsa-N, pca-N, bits-N.  [default: all that the index has]")
@click.option("--baseline", help="What the others are tested against.  [default: the first system]")
@click.option("-k", "--top", "k", type=HITS, default=100, show_default=True, help="With --label: P@k.")
@click.option("--curve", is_flag=True, help="With --label: also precision and recall from 1 document to all.")
@click.option(
    "--runs", metavar="FOLDER", type=click.Path(path_type=Path), help="Write TREC runs there, as search --trec does."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the resampling.")
@table_options
@json_option
@index_option
@quiet_option
def evaluate(**options: Any) -> None:
    """The scoreboard: every system side by side, with confidence intervals and significance.

    \b
    textae eval --queries queries.jsonl --qrels qrels.tsv
    textae eval --queries corpus.jsonl.gz --select split=test --label label -k 100 --json
    textae eval --label group                a sample of 1,000 documents as queries
    textae eval --label label --index photos.textae      pictures: pixels, pca, code, bits
    """
    from textae.engine import Engine

    systems = None if options["systems"] is None else options["systems"].split(",")
    with Engine.open(options["folder"]) as engine:
        if options["label"]:
            scored = _by_labels(engine, systems, options)
        elif options["queries"] and options["qrels"]:
            scored = _by_judgements(engine, systems, options)
        else:
            raise click.UsageError("give --queries and --qrels, or --label")
    printing.print_scoreboard(scored, as_json=options["as_json"])


def _by_judgements(engine: Engine, systems: Sequence[str] | None, options: Mapping[str, Any]) -> Scoreboard:
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


def _by_labels(engine: Engine, systems: Sequence[str] | None, options: Mapping[str, Any]) -> Scoreboard:
    from textae.corpus import read

    queries = None
    if options["queries"]:
        found = list(read([options["queries"]], table_spec(options), kind=engine.kind))
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


COMMANDS = (search, similar, dups, evaluate)
