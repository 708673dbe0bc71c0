"""Commands that search: search, similar, classify."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textae.app.cli.inputs import document_of, open_engine, stdin_picture, stdin_text
from textae.app.cli.options import HITS, PATH, OutputOptions, SearchOptions, index_option, options
from textae.app.output.codes import print_labels, print_labels_of_many
from textae.app.output.hits import LISTED, print_many, print_result
from textae.errors import QueryError

if TYPE_CHECKING:
    from textae.index.snapshot import Snapshot
    from textae.search.request import RequestOptions
    from textae.types import Hit, Picture

_QUERIES = "A file of queries: jsonl or tsv with id and text, or one query a line."


@click.command(short_help="Find the documents closest to a query.")
@click.argument("query", nargs=-1)
@click.option("--queries", "queries_file", metavar="FILE", help=_QUERIES)
@options("search", SearchOptions)
@options("output", OutputOptions, "as_json", "as_tsv", "as_trec", "quiet")
@index_option
def search(
    query: Sequence[str], queries_file: str | None, search: SearchOptions, folder: Path, output: OutputOptions
) -> None:
    """Find the documents closest to QUERY (`-`: standard input).

    --where and --must are filters, and work in any mode. They take AND, OR, NOT, (…), "phrases", prefix*, field:value,
    field:[low TO high] and field:>low. --like and --not-like are relevance feedback: good and bad hits of an earlier
    search. --explain shows how much each word of the query adds to the score, and words that query and document have in
    common.

    \b
    textae search "smooth a noisy signal"
    textae search temporary directory that is deleted --mode code -k 3 --json
    textae search "read a file" --where "module:os*" --must "encoding OR decoding"
    textae search --queries queries.jsonl -k 100 --mode bits --trec > run.txt
    """
    from textae.search.request import SearchRequest

    if bool(query) == bool(queries_file):
        raise click.UsageError("give a QUERY or --queries FILE")
    if queries_file and (search.like or search.unlike or search.expand or search.explain):
        raise click.UsageError("--like, --not-like, --expand and --explain need one QUERY, not --queries")
    with open_engine(folder) as engine:
        if queries_file:
            from textae.evaluation import read_queries

            print_many(engine.searcher, read_queries(queries_file), search, output)
            return
        text = " ".join(stdin_text().split() if tuple(query) == ("-",) else query)
        request = SearchRequest.of_words(text, **search.request(), suggest=LISTED)
        print_result(text, engine.searcher.search(request), output)


@click.command(short_help="Find the documents closest to other documents, or to a file.")
@click.argument("documents", metavar="ID…|FILE", nargs=-1, required=True)
@options("search", SearchOptions, "where", "must", "unlike", "explain", "k", "mode")
@click.option("--html", "page", metavar="OUT", type=PATH, help="Write a page of pictures.")
@options("output", OutputOptions, "as_json", "as_tsv", "as_trec", "quiet")
@index_option
def similar(
    documents: Sequence[str], search: SearchOptions, page: Path | None, folder: Path, output: OutputOptions
) -> None:
    """Find the documents closest to these IDs, or to the text or picture in a FILE (`-`: standard input).

    Whole documents are compared, also in an index of passages. For pictures, --html writes a contact sheet: one page
    with the query and the hits, which works offline.

    \b
    textae similar scipy.signal.savgol_filter
    textae similar scipy.signal.savgol_filter scipy.signal.wiener --not-like scipy.ndimage.sobel
    textae similar draft.txt --mode code
    textae similar picture.png -k 30 --html found.html
    """
    from textae.search.request import SearchRequest
    from textae.types import PICTURES

    with open_engine(folder) as engine:
        snapshot = engine.snapshot
        kind = snapshot.modality.kind
        if page is not None and kind != PICTURES:
            raise QueryError(f"--html shows pictures, and the index {folder} holds texts; --json writes hits for tools")
        first = documents[0]
        is_file = len(documents) == 1 and not snapshot.reader.has(first) and os.path.isfile(first)  # noqa: PTH113 (as pathlib refuses long names)
        picture: Picture | None = None
        how: RequestOptions = {**search.request(), "granularity": "document"}
        if not is_file and tuple(documents) != ("-",):
            how["like"] = documents
            request = SearchRequest(**how)
        elif search.unlike:
            raise click.UsageError("--not-like needs IDs, not a FILE")
        elif kind == PICTURES:
            picture = document_of(first, PICTURES).picture if is_file else stdin_picture()
            request = SearchRequest(picture=picture, **how)
        else:
            from textae.encoding.analyzer import searchable

            text = searchable(document_of(first, kind)) if is_file else stdin_text()
            request = SearchRequest.of_words(text, **how)
        result = engine.searcher.search(request)
        if page is not None:
            pictures = snapshot.pictures(documents) if picture is None else [engine.searcher.resized(picture)]
            _write_sheet(snapshot, page, list(zip(documents, pictures, strict=True)), result.hits)
            output.note(f"wrote {page}")
        print_result(" ".join(documents), replace(result, unknown=(), only_stop_words=False), output)


def _write_sheet(snapshot: Snapshot, page: Path, queries: Sequence[tuple[str, Picture]], hits: Sequence[Hit]) -> None:
    from textae.files import whole_file
    from textae.views.contact_sheet import contact_sheet

    html = contact_sheet(queries, hits, snapshot.pictures([hit.id for hit in hits]))
    with whole_file(page) as temporary:
        temporary.write_text(html, encoding="utf-8")


@click.command(short_help="Predict the label of a text.")
@click.argument("text", metavar="TEXT…|ID", nargs=-1)
@click.option("--queries", "queries_file", metavar="FILE", help=_QUERIES)
@click.option("-k", "--top", "k", type=HITS, default=3, show_default=True, help="Maximum number of labels.")
@options("output", OutputOptions, "as_json", "quiet")
@index_option
def classify(text: Sequence[str], queries_file: str | None, k: int, folder: Path, output: OutputOptions) -> None:
    """Predict the label of TEXT (`-`: standard input), or of the document with this ID.

    First, 'textae train --label FIELD' has to learn the labels. With --queries, each line has id, rank, label and
    probability between tabs.

    \b
    textae classify "orbit of the shuttle"
    textae classify --queries mails.jsonl -k 1 --json
    """
    from textae.encoding.analyzer import searchable
    from textae.explore.classify import classify as predict

    if bool(text) == bool(queries_file):
        raise click.UsageError("give a TEXT, an ID or --queries FILE")
    with open_engine(folder) as engine:
        if queries_file:
            from textae.evaluation import read_queries

            print_labels_of_many(engine.snapshot, read_queries(queries_file), k, output)
            return
        query = stdin_text() if tuple(text) == ("-",) else " ".join(text)
        snapshot = engine.snapshot
        is_id = len(text) == 1 and snapshot.reader.has(query)
        predictions = predict(snapshot, [searchable(snapshot.document(query)) if is_id else query], k)[0]
    print_labels({"id" if is_id else "query": query}, predictions, output)
