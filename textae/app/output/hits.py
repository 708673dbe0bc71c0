"""Hits, for people, as JSON, as TSV, and as a TREC run; and predicted labels."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TextIO

import click

from textae.app import terminal
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.app.cli.options import SearchOptions, ShellOptions
    from textae.search.request import RequestOptions, SearchResult
    from textae.search.searcher import Searcher
    from textae.types import Explanation, Hit, Prediction, Query, Ranking

LISTED = 10
"""Unknown words that are listed, with their suggestions."""

_NOT_IN_A_RUN = re.compile(r"[\s%\x00-\x1f\x7f-\x9f]")


def print_result(query: str, result: SearchResult, shell: ShellOptions) -> None:
    """Print the hits of one query, and note the words without effect; where there are no hits, exit with 1.

    Args:
        query: the first column, or field, of each hit.
        result: of the search.
        shell: the format.
    """
    hits, reason = result.hits, _no_effect(result)
    _note_ignored(result.ignored, shell)
    if (result.n_matching or 0) > len(hits):
        shell.note(f"{result.n_matching:,} documents match, and {len(hits):,} are listed; -k sets how many")
    if result.without_vector:
        shell.note_unused_vectors()
    if reason and hits:
        shell.note(reason)
    corrected = f"did you mean: {text}" if (text := result.corrected(query)) else ""
    if corrected and hits:
        shell.note(corrected)
    if shell.as_trec:
        from textae.types import Ranking

        ranking = Ranking(tuple(hit.id for hit in hits), tuple(hit.score for hit in hits))
        write_trec({"1": ranking}, result.mode, sys.stdout)
    elif shell.as_json:
        terminal.print_json({"query": query, **_row(hit)} for hit in hits)
    elif shell.as_tsv:
        for hit in hits:
            click.echo(_tsv(query, hit.rank, hit.id, hit.score, hit.title))
    else:
        print_hits(hits)
    shell.exit_if_nothing(hits, "; ".join(filter(None, (reason, corrected))))


def print_many(searcher: Searcher, queries: Sequence[Query], search: SearchOptions, shell: ShellOptions) -> None:
    """Search for many queries and print their hits, as TSV by default; where there are none, exit with 1.

    Args:
        searcher: of the index.
        queries: each with its id.
        search: the number of hits, the system and the filters.
        shell: the format.
    """
    from textae.evaluation.run import rank
    from textae.search.request import SearchRequest

    snapshot = searcher.snapshot
    mode = search.mode or snapshot.modality.default_system
    conditions = searcher.conditions(search.where, search.must)
    _note_ignored(conditions.ignored(snapshot.model.vectorizer.analysis) if conditions else (), shell)
    empty, unknown = True, dict[str, Sequence[str]]()
    if shell.as_json:
        for query in queries:
            if query.text.strip():
                how: RequestOptions = {**search.request(), "vector": query.vector}
                result = searcher.search(SearchRequest(query.text, **how))
                terminal.print_json({"query": query.text, "query_id": query.id, **_row(hit)} for hit in result.hits)
                empty = empty and not result.hits
                unknown[query.id] = result.unknown
    else:
        rankings = rank(
            searcher, queries, search.top_k, mode,
            min_score=search.min_score, feedback=search.feedback, conditions=conditions,
        )  # fmt: skip
        ranked = zip(queries, rankings, strict=True)
        if shell.as_trec:
            runs = {query.id: ranking for query, ranking in ranked}
            write_trec(runs, mode, sys.stdout)
            empty = not any(ranking.ids for ranking in runs.values())
        else:
            for query, ranking in ranked:
                rows = zip(ranking.ids, ranking.scores, snapshot.reader.titles(ranking.ids), strict=True)
                for number, (id, score, title) in enumerate(rows, start=1):
                    click.echo(_tsv(query.id, number, id, score, title))
                empty = empty and not ranking.ids
        unknown = {query.id: searcher.unknown(query.text, mode) for query in queries}
    if n_unknown := sum(map(bool, unknown.values())):
        hint = "" if shell.verbose else " (--verbose names them)"
        shell.note(f"{n_unknown:,} of {len(queries):,} queries hold words that are {_missing(mode)}{hint}")
    for id, words in unknown.items() if shell.verbose else ():
        if words:
            shell.note(f"query {id}: {', '.join(words)}")
    shell.exit_if_nothing(not empty)


def _note_ignored(ignored: Sequence[str], shell: ShellOptions) -> None:
    if ignored:
        shell.note(f"stop words are ignored in --must: {', '.join(ignored)}")


def _row(hit: Hit) -> dict[str, Any]:
    """A hit as JSON; the explanation only where there is one."""
    return {name: value for name, value in asdict(hit).items() if name != "explanation" or value is not None}


def _tsv(query: str, rank: int, id: str, score: float, title: str) -> str:
    return "\t".join((sanitise.cell(query), str(rank), sanitise.cell(id), f"{score:.6g}", sanitise.cell(title)))


def print_hits(hits: Sequence[Hit]) -> None:
    """Print rank, id, place, title, score and the passage, with its matching words in bold."""
    from textae.search.originals import may_run

    for hit in hits:
        title = "" if hit.title == PurePath(hit.id).name else hit.title
        link = "" if may_run(PurePath(hit.source)) else hit.source
        shown = terminal.titled(_where(hit), title, link, bold=True, fg="cyan")
        click.echo(f"{hit.rank:3}  {shown}  {hit.score:.3f}")
        if hit.snippet:
            for line in _marked_lines(sanitise.safe(hit.snippet), hit.marks, terminal.text_width() - 5):
                click.echo(f"     {line}")
        for reason in _reasons(hit.explanation) if hit.explanation else ():
            click.echo(terminal.styled(terminal.wrapped(reason, 5), dim=True))


def _where(hit: Hit) -> str:
    """The id and the place of a hit: `manual.pdf, page 12`; of a line `notes/boiler.md:42`, as grep prints."""
    kind, _, number = hit.place.partition(" ")
    if not hit.place or hit.id.endswith(f":{number}"):
        return hit.id
    is_file = hit.id.endswith(PurePath(hit.source).name or "/")  # behind the index, where several are searched
    return f"{hit.id}:{number}" if kind == "line" and is_file else f"{hit.id}, {hit.place}"


def _reasons(explanation: Explanation) -> Iterator[str]:
    """The parts of a score, one a line."""
    for name, shares in (("keywords", explanation.keywords), ("codes", explanation.codes)):
        if shares:
            together = explanation.together if name == "codes" else 0
            total = sum(share.share for share in shares) + together
            parts = [f"{sanitise.cell(share.word)} {share.share:+.3f}" for share in shares]
            parts += [f"together {together:+.3f}"] if abs(together) >= 0.0005 else []
            yield f"{name} {total:.3f} = {' · '.join(parts)}"
    if explanation.vectors:
        yield f"vectors {explanation.vectors:.3f}"
    if explanation.name:
        yield f"name {explanation.name:.3f}"
    if explanation.common:
        yield f"in common: {', '.join(map(sanitise.cell, explanation.common))}"


def _marked_lines(text: str, marks: Sequence[tuple[int, int]], width: int) -> Iterator[str]:
    """Lines of at most `width` characters, the marked words in bold."""
    end = 0
    for plain in textwrap.wrap(text, max(20, width), break_on_hyphens=False) or [""]:
        start = text.index(plain, end)
        end = start + len(plain)
        line, done = "", start
        for first, last in marks:
            if start <= first and last <= end and first >= done:  # marks of n-grams overlap: the first one wins
                line += text[done:first] + terminal.styled(text[first:last], bold=True)
                done = last
        yield line + text[done:end]


def _no_effect(result: SearchResult) -> str:
    """The words of a query that have no effect on the system, as a message; empty where all words have one."""
    if not result.unknown:
        return "the query holds only stop words" if result.only_stop_words else ""
    hints = []
    for word in result.unknown[:LISTED]:
        similar = result.suggestions.get(word)
        hints.append(f"{word} ({' or '.join(similar)}?)" if similar else word)
    more = f" and {len(result.unknown) - LISTED:,} more" if len(result.unknown) > LISTED else ""
    return f"{_missing(result.mode)}: {', '.join(hints)}{more}"


def _missing(mode: str) -> str:
    return "not in the corpus" if mode in ("hybrid", "bm25", "tfidf") else f"not in the corpus, or too rare for {mode}"


def write_trec(rankings: Mapping[str, Ranking], tag: str, file: TextIO) -> None:
    """Write a TREC run; white space, control characters and % in ids are percent-encoded: `my%20notes.txt`."""
    from urllib.parse import quote

    from textae.evaluation import write_run
    from textae.types import Ranking

    def column(id: str) -> str:
        word = _NOT_IN_A_RUN.sub(lambda match: quote(match[0], safe=""), id)
        return sanitise.safe(word) if file.isatty() else word  # a file gets the other characters unchanged

    runs = {column(query): Ranking(tuple(map(column, one.ids)), one.scores) for query, one in rankings.items()}
    write_run(runs, tag, file)


def print_labels(query: Mapping[str, str], predictions: Sequence[Prediction], shell: ShellOptions) -> None:
    """Print the most probable labels of a text; where the encoder knows none of its words, exit with 1."""

    def line(one: Prediction) -> str:
        return f"{one.rank:3}  {one.probability:.3f}  {sanitise.cell(one.label)}"

    terminal.print_rows(predictions, shell.as_json, line, **query)
    shell.exit_if_nothing(predictions, "the encoder knows no word of it")


def print_labels_of_many(queries: Sequence[Query], labels: Sequence[Sequence[Prediction]], shell: ShellOptions) -> None:
    """Print the most probable labels of many texts; where no text has any, exit with 1."""
    for query, predictions in zip(queries, labels, strict=True):

        def line(one: Prediction, id: str = query.id) -> str:
            return "\t".join(map(sanitise.cell, (id, str(one.rank), one.label, f"{one.probability:.4f}")))

        terminal.print_rows(predictions, shell.as_json, line, query=query.text, query_id=query.id)
    unknown = sum(not predictions for predictions in labels)
    if unknown:
        shell.note(f"the encoder knows no word of {unknown:,} of the {len(queries):,} texts")
    shell.exit_if_nothing(len(labels) > unknown)
