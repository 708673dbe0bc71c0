"""Commands that search: search, similar, classify, serve, mcp."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textae.app.cli.options import (
    HITS,
    PATH,
    SearchOptions,
    SeveralOptions,
    ShellOptions,
    completed,
    document_of,
    id_and_line,
    is_file,
    option,
    options,
    stdin_picture,
    stdin_text,
)
from textae.app.cli.vector_options import VectorOptions
from textae.app.output.hits import LISTED, print_labels, print_labels_of_many, print_many, print_result
from textae.errors import QueryError, needs_extra

if TYPE_CHECKING:
    from textae.engine import Engine
    from textae.search.request import RequestOptions
    from textae.types import Picture

_QUERIES = "A file of queries: jsonl or tsv with id and text, or one query a line."


@click.command(short_help="Find the documents closest to a query.")
@click.argument("query", nargs=-1)
@click.option("--queries", "queries_file", metavar="FILE", help=_QUERIES)
@options("search", SearchOptions)
@options("vectors", VectorOptions)
@options("shell", SeveralOptions, "verbose", "as_json", "as_tsv", "as_trec", "quiet", "folders")
def search(
    query: Sequence[str],
    queries_file: str | None,
    search: SearchOptions,
    vectors: VectorOptions,
    shell: SeveralOptions,
) -> None:
    """Find the documents closest to QUERY (`-`: standard input).

    --where and --must are filters, and work in any mode. They take AND, OR, NOT, (…), "phrases", prefix*,
    field:value, field:=value (the whole field), field:[low TO high] and field:>low. --like and --not-like are
    relevance feedback: good and bad hits of an earlier search. --explain shows how much each word of the query adds
    to the score, and words that query and document have in common. A filter without a query lists what it matches, by
    id.

    \b
    textae search "smooth a noisy signal"
    textae search temporary directory that is deleted --mode code -k 3 --json
    textae search "read a file" --where "module:os*" --must "encoding OR decoding"
    textae search --where "folder:projects" -k 100
    textae search "boiler" --index ~/notes/.textae --index ~/mail/.textae
    textae search --queries queries.jsonl -k 100 --mode bits --trec > run.txt
    textae search "boiler" --vector-command 'python embed.py'
    """
    from textae.search.request import SearchRequest

    if (query and queries_file) or not (query or queries_file or vectors.vector or search.where or search.must):
        raise click.UsageError("give a QUERY, --queries FILE, or --where or --must alone")
    if vectors.vector is not None and (queries_file or (tuple(query) == ("-",) and vectors.vector == "-")):
        raise click.UsageError("--vector is of one QUERY, which is not on standard input, too; see --vector-command")
    if not (query or queries_file or vectors.vector) and (
        search.like or search.unlike or search.expand or search.explain or search.min_score
    ):
        raise click.UsageError("--like, --not-like, --expand, --explain and --min-score need a QUERY")
    if queries_file and (search.like or search.unlike or search.expand or search.explain):
        raise click.UsageError("--like, --not-like, --expand and --explain need one QUERY, not --queries")
    if len(shell.folders) > 1:
        from textae.app.cli.several import search_several

        if queries_file or search.like or search.unlike:
            raise click.UsageError("--queries, --like and --not-like search one index; give one --index")
        text = _text(query)
        print_result(text, search_several(text, search, vectors, shell, LISTED), shell)
        return
    with shell.open_engine() as engine:
        if queries_file:
            from textae.evaluation import read_queries

            queries = vectors.of_queries(read_queries(queries_file), [search.mode], engine.snapshot, shell)
            print_many(engine.searcher, queries, search, shell)
            return
        text = _text(query)
        how: RequestOptions = {**search.request(), "suggest": LISTED}
        how["vector"] = vectors.of_query(text, search.mode, engine.snapshot)
        print_result(text, engine.searcher.search(SearchRequest(text, **how)), shell)


def _text(query: Sequence[str]) -> str:
    """The words of a query, which may be on standard input.

    Raises:
        QueryError: they are blank.
    """
    text = " ".join(stdin_text().split() if tuple(query) == ("-",) else query)
    if query and not text.strip():
        raise QueryError("the query is empty; give some words")
    return text


@click.command(short_help="Find the documents closest to other documents, or to a file.")
@click.argument("documents", metavar="ID…|FILE", nargs=-1, required=True, shell_complete=completed("id_or_file"))
@options("search", SearchOptions, "where", "must", "unlike", "explain", "min_score", "feedback", "top_k", "mode")
@options("vectors", VectorOptions)
@click.option("--html", "page", metavar="OUT", type=PATH, help="Write a page of pictures.")
@options("shell", SeveralOptions, "as_json", "as_tsv", "as_trec", "quiet", "folders")
def similar(
    documents: Sequence[str], search: SearchOptions, vectors: VectorOptions, page: Path | None, shell: SeveralOptions
) -> None:
    """Find the documents closest to these IDs, or to the text or picture in a FILE (`-`: standard input).

    Whole documents are compared, also in an index of passages. For pictures, --html writes a contact sheet: one page
    with the query and the hits, which works offline.

    \b
    textae similar scipy.signal.savgol_filter
    textae similar scipy.signal.savgol_filter scipy.signal.wiener --not-like scipy.ndimage.sobel
    textae similar draft.txt --mode code --index ~/notes/.textae --index ~/mail/.textae
    textae similar picture.png -k 30 --html found.html
    """
    from textae.encoding.analyzer import searchable
    from textae.search.request import SearchRequest
    from textae.types import PICTURES

    if len(shell.folders) > 1:
        from textae.app.cli.several import similar_in_several

        if page or search.unlike or tuple(documents) == ("-",):
            raise click.UsageError("--html, --not-like and standard input need one --index")
        print_result(" ".join(documents), similar_in_several(documents, search, vectors, shell), shell)
        return
    with shell.open_engine() as engine:
        snapshot, (first, *others) = engine.snapshot, documents
        kind = snapshot.modality.kind
        if page is not None and kind != PICTURES:
            raise QueryError(
                f"--html shows pictures, and the index {shell.folder} holds texts; --json writes hits for tools"
            )
        is_stdin = not others and first == "-"
        of_file = not others and not snapshot.reader.has(first) and is_file(first)
        how: RequestOptions = {**search.request(), "granularity": "document"}
        if not of_file and not is_stdin:
            if vectors.vector is not None:
                raise click.UsageError("--vector is of a FILE; documents of the index have their own")
            how["like"] = documents = [id_and_line(snapshot, id)[0] for id in documents]
            how["vector"] = vectors.program([search.mode], snapshot)  # for documents without one
            request = SearchRequest(**how)
        elif search.unlike:
            raise click.UsageError("--not-like needs IDs, not a FILE")
        elif kind == PICTURES:
            request = SearchRequest(picture=document_of(first, kind).picture if of_file else stdin_picture(), **how)
        else:
            text = searchable(document_of(first, kind)) if of_file else stdin_text()
            how["vector"] = vectors.of_query(text, search.mode, snapshot)
            request = SearchRequest.of_words(text, **how)
        result = engine.searcher.search(request)
        if page is not None:
            from textae.files import whole_file
            from textae.views.contact_sheet import contact_sheet

            given = [engine.searcher.resized(request.picture)] if request.picture else snapshot.pictures(documents)
            hits = snapshot.pictures([hit.id for hit in result.hits])
            with whole_file(page) as temporary:
                html = contact_sheet(list(zip(documents, given, strict=True)), result.hits, hits)
                temporary.write_text(html, encoding="utf-8")
            shell.note(f"wrote {page}")
        print_result(" ".join(documents), replace(result, unknown=(), only_stop_words=False), shell)


@click.command(short_help="Predict the label of a text or a picture.")
@click.argument("text", metavar="TEXT…|ID|FILE…", nargs=-1)
@click.option("--queries", "queries_file", metavar="FILE", help=_QUERIES)
@click.option("-k", "--top", "k", type=HITS, default=3, show_default=True, help="Maximum number of labels.")
@options("shell", ShellOptions, "as_json", "quiet", "folder")
def classify(text: Sequence[str], queries_file: str | None, k: int, shell: ShellOptions) -> None:
    """Predict the label of TEXT (`-`: standard input), or of the document with this ID; of pictures, by FILE or ID.

    First, 'textae train --label FIELD' has to learn the labels. With --queries, each line has id, rank, label and
    probability between tabs.

    \b
    textae classify "orbit of the shuttle"
    textae classify --queries mails.jsonl -k 1 --json
    textae classify scan1.png scan2.png
    """
    from textae.encoding.analyzer import searchable
    from textae.explore.classify import classify as predict
    from textae.types import PICTURES

    if bool(text) == bool(queries_file):
        raise click.UsageError("give a TEXT, an ID or --queries FILE")
    with shell.open_engine() as engine:
        snapshot = engine.snapshot
        if queries_file:
            from textae.evaluation import read_queries

            queries = read_queries(queries_file)
            print_labels_of_many(queries, predict(snapshot, [query.text for query in queries], k), shell)
            return
        if snapshot.modality.kind == PICTURES:
            _classify_pictures(engine, text, k, shell)
            return
        query = stdin_text() if tuple(text) == ("-",) else " ".join(text)
        is_id = len(text) == 1 and snapshot.reader.has(query)
        predictions = predict(snapshot, [searchable(snapshot.document(query)) if is_id else query], k)[0]
    print_labels({"id" if is_id else "query": query}, predictions, shell)


def _classify_pictures(engine: Engine, given: Sequence[str], k: int, shell: ShellOptions) -> None:
    """Print the labels of pictures, given by ids or as files, or of the one on standard input (`-`)."""
    from textae.encoding.pixels import Pixels
    from textae.explore.classify import classify_inputs
    from textae.types import PICTURES, Query

    snapshot = engine.snapshot
    snapshot.classifier  # noqa: B018  # says what is missing, before any file is read

    def picture(name: str) -> Picture:
        if snapshot.reader.has(name) or not (name == "-" or is_file(name)):
            return snapshot.pictures([id_and_line(snapshot, name)[0]])[0]
        read = stdin_picture() if name == "-" else document_of(name, PICTURES).picture
        assert read is not None  # by its kind
        return engine.searcher.resized(read)

    labels = classify_inputs(snapshot, Pixels.of(map(picture, given)), k)
    if len(given) == 1:
        print_labels({"id" if snapshot.reader.has(given[0]) else "query": given[0]}, labels[0], shell)
    else:
        print_labels_of_many([Query(name, name) for name in given], labels, shell)


@dataclass(frozen=True)
class ServerOptions:
    """Where to listen, and for whom; a `rate` of 0 is no limit."""

    host: str = option("The name or address to listen on.", default="127.0.0.1")
    port: int | None = option("[default: 8080, or a free one if it is taken]", type=click.IntRange(0, 65_535))
    token: str | None = option("The token of the clients; also TEXTAE_TOKEN.  [default: random]", envvar="TEXTAE_TOKEN")
    no_token: bool = option("Answer every user of this machine.", "--no-token")
    rate: float | None = option(
        "Maximum requests a second for each client; 0: no limit.  [default: 50 if other machines can connect]",
        type=click.FloatRange(0, 1e6),
    )
    open_page: bool = option("Open the page in a browser.", "--open")


def _check_token(server: ServerOptions) -> None:
    """Check that a token is given or turned off, and not both.

    Raises:
        UsageError: it is both.
    """
    if server.token and server.no_token:
        raise click.UsageError("give --token (or TEXTAE_TOKEN) or --no-token, not both")


@click.command(short_help="Serve search and map to a browser.")
@options("server", ServerOptions)
@options("vectors", VectorOptions, "vector_command")
@options("shell", ShellOptions, "quiet", "folder")
def serve(server: ServerOptions, vectors: VectorOptions, shell: ShellOptions) -> None:
    """Serve search and map as a web application, and as a JSON API; Ctrl-C stops it.

    By default only this machine can connect; --host changes that. Clients need the token of the printed address; on
    Linux, your own programs on this machine do not. The server works offline. It serves nothing but the index and the
    files that its documents came from, and follows changes of the index at once. /api lists the operations for
    programs.

    \b
    textae serve --open
    textae serve --index notes.textae --port 9000
    textae serve --host 0.0.0.0              other machines can connect, too
    """
    _check_token(server)
    with needs_extra("serve", "'textae serve'"):
        from textae.app.server.api import WEB
        from textae.app.server.process import serve
    # Nobody else can enter the folder.
    with shell.progress() as progress, tempfile.TemporaryDirectory(prefix="textae-") as private:

        def print_url(url: str, token: str | None) -> None:
            progress.finish()
            with_token = f"{url}?token={token}" if token else url
            click.echo(url if server.token else with_token)
            if server.open_page:
                import threading
                import webbrowser

                # Every user of the machine sees the command line of a browser, so the token goes through a file.
                page = Path(private) / "open.html"
                page.write_text(f'<meta http-equiv="refresh" content="0; url={html.escape(with_token)}">')
                # A browser in the terminal blocks until it is closed.
                threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True).start()

        serve(WEB, shell.folder, server, vectors.vector_command, print_url, shell.note, progress)


@click.command(short_help="Let assistants search, by the Model Context Protocol.")
@click.option("--http", is_flag=True, help="Listen on this machine, for several clients, instead of standard input.")
@options("server", ServerOptions, "port", "token", "no_token")
@options("vectors", VectorOptions, "vector_command")
@options("shell", ShellOptions, "quiet", "folder")
def mcp(http: bool, server: ServerOptions, vectors: VectorOptions, shell: ShellOptions) -> None:
    """Give assistants the tools search, get, similar and topics, by the Model Context Protocol (MCP).

    An assistant starts this command, and speaks with it over standard input and output. The index stays on this
    machine; the assistant sees what its tools return. With --http, the server listens on 127.0.0.1 for streamable
    HTTP; clients need the token that it prints, except your own programs on Linux. It follows changes of the index.

    \b
    textae mcp --index ~/notes/.textae       the command of an assistant's configuration
    textae mcp --http --port 9000
    """
    if not http and (server.port is not None or server.no_token):
        raise click.UsageError("--port and --no-token need --http")
    _check_token(server)
    with needs_extra("mcp", "'textae mcp'"):
        from textae.app.server.mcp import TOOLS_OVER_HTTP, serve_stdio
    if not http:
        serve_stdio(shell.folder, vectors.vector_command, shell.note)
        return
    from textae.app.server.process import serve

    with shell.progress() as progress:

        def print_url(url: str, token: str | None) -> None:
            progress.finish()
            click.echo(url)
            if token and not server.token:
                click.echo(f"Authorization: Bearer {token}")

        serve(TOOLS_OVER_HTTP, shell.folder, server, vectors.vector_command, print_url, shell.note, progress)
