"""What the commands print: reports, hits in four shapes (for people, JSON, TSV, TREC), and the scoreboard."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

import click

from textae.app import terminal
from textae.types import (
    Cell,
    Decoded,
    DuplicateGroups,
    Grid,
    Hit,
    Prediction,
    Query,
    Ranking,
    Samples,
    Shape,
    shape_in_words,
)
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.engine import Engine
    from textae.evaluation import Scoreboard
    from textae.index.build import Report
    from textae.index.retrain import Trained
    from textae.index.update import Changes

_LISTED = 10  # words that are named
_NOT_IN_A_RUN = re.compile(r"[\s%\x00-\x1f\x7f-\x9f]")


def print_report(report: Report, folder: str, *, detected: bool, verbose: bool, quiet: bool) -> None:
    """Say what became of a corpus."""
    what = "documents" if report.shape is None else f"pictures of {shape_in_words(report.shape)}"
    terminal.note(f"indexed {report.documents:,} {what} in {folder}", quiet=quiet)
    _note_skipped(report, verbose=verbose, quiet=quiet)
    if report.shape is None:
        how = " (detected; --language sets it)" if detected else ""
        terminal.note(f"{report.terms:,} terms, language: {report.language or 'none'}{how}", quiet=quiet)
    for warning in report.warnings:
        terminal.note(warning, quiet=quiet)


def _kind(shape: Shape | None) -> str:
    """What documents are called."""
    return "documents" if shape is None else "pictures"


def _note_skipped(of: Report | Changes, *, verbose: bool, quiet: bool) -> None:
    if of.skipped:
        reasons = "".join(f" · {reason}: {count:,}" for reason, count in sorted(of.skipped.items()))
        hint = "" if verbose else " (--verbose lists them)"
        terminal.note(f"skipped {sum(of.skipped.values()):,}{reasons}{hint}", quiet=quiet)
    for reason, examples in sorted(of.examples.items()) if verbose else ():
        for place in examples:
            terminal.note(f"skipped {place}: {reason}", quiet=quiet)


def print_changes(changes: Changes, folder: Path, options: Mapping[str, Any]) -> None:
    """Say what has changed in an index."""
    if options["as_json"]:
        click.echo(sanitise.json_line({"index": str(folder), **asdict(changes)}))
        return
    quiet = options["quiet"]
    counts = {name: getattr(changes, name) for name in ("added", "replaced", "removed", "unchanged")}
    said = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "nothing to do"
    what = _kind(changes.shape)
    terminal.note(f"{said}; {changes.documents:,} {what} in {folder}", quiet=quiet)
    _note_skipped(changes, verbose=options.get("verbose", False), quiet=quiet)
    if changes.unlearned > changes.documents / 2:
        terminal.note(
            f"{changes.unlearned:,} of the {what} came after the index was learned; "
            "'textae info' says how well they fit, 'textae train' learns them",
            quiet=quiet,
        )


def print_trained(trained: Trained, folder: str, *, quiet: bool) -> None:
    """Say what was learned."""
    if trained.anew:
        terminal.note(f"learned {trained.documents:,} {_kind(trained.shape)} anew in {folder}", quiet=quiet)
    if trained.label is not None:
        terminal.note(
            f"{trained.labelled:,} of {trained.documents:,} documents have a label in {trained.label!r}, "
            f"of {trained.classes:,} different ones; 'textae classify' tells it of others",
            quiet=quiet,
        )
    for warning in trained.warnings:
        terminal.note(warning, quiet=quiet)


def print_labels(of: Mapping[str, str], found: Sequence[Prediction], options: Mapping[str, Any]) -> None:
    """Print the likeliest labels of a text; exit with 1, and say why, where the encoder knows no word of it."""
    for prediction in found:
        if options["as_json"]:
            click.echo(sanitise.json_line({**of, **asdict(prediction)}))
        else:
            click.echo(f"{prediction.rank:3}  {prediction.probability:.3f}  {sanitise.cell(prediction.label)}")
    _exit_if_nothing(bool(found), "; the encoder knows no word of it", options)


def print_labels_of_many(engine: Engine, queries: Sequence[Query], k: int, options: Mapping[str, Any]) -> None:
    """Print the likeliest labels of many texts, a line each; exit with 1 where the encoder knows no word of any."""
    found = engine.classify([query.text for query in queries], k)
    for query, predictions in zip(queries, found, strict=True):
        for prediction in predictions:
            if options["as_json"]:
                click.echo(sanitise.json_line({"query": query.text, "query_id": query.id, **asdict(prediction)}))
            else:
                columns = (query.id, str(prediction.rank), prediction.label, f"{prediction.probability:.4f}")
                click.echo("\t".join(map(sanitise.cell, columns)))
    unknown = sum(not predictions for predictions in found)
    if unknown:
        terminal.note(f"of {unknown:,} of {len(queries):,} texts the encoder knows no word", quiet=options["quiet"])
    _exit_if_nothing(len(found) > unknown, "", options)


def print_one(query: str, hits: Sequence[Hit], mode: str, options: Mapping[str, Any], why_none: str = "") -> None:
    """Print the hits of one query; exit with 1, and say why, where there is none."""
    if options["as_trec"]:
        ranking = Ranking(tuple(hit.id for hit in hits), tuple(hit.score for hit in hits))
        write_trec({"1": ranking}, mode, sys.stdout)
    elif options["as_json"]:
        for hit in hits:
            click.echo(sanitise.json_line({"query": query, **_of_hit(hit)}))
    elif options["as_tsv"]:
        for hit in hits:
            click.echo(_tsv(query, hit.rank, hit.id, hit.score, hit.title))
    else:
        terminal.print_hits(hits)
    _exit_if_nothing(bool(hits), why_none, options)


def _of_hit(hit: Hit) -> dict[str, Any]:
    """A hit as JSON has it: with an explanation where one was asked for."""
    return {name: value for name, value in asdict(hit).items() if name != "explanation" or value is not None}


def print_many(
    engine: Engine,
    queries: Sequence[Query],
    k: int,
    mode: str,
    how: Mapping[str, str | None],
    options: Mapping[str, Any],
) -> None:
    """Print the hits of many queries, as lines of a table unless asked otherwise; exit with 1 where there is none.

    Args:
        engine: that searches.
        queries: that are asked.
        k: hits of each, at most.
        mode: the system.
        how: conditions, as `Engine.search` takes them.
        options: of the command.
    """
    if options["as_json"]:
        found = _print_json(engine, queries, k, mode, how)
    else:
        ranked = engine.rank(queries, k, mode, where=how["where"], must=how["must"])
        if options["as_trec"]:
            rankings = {query.id: ranking for query, ranking in zip(queries, ranked, strict=True)}
            write_trec(rankings, mode, sys.stdout)
            found = any(ranking.ids for ranking in rankings.values())
        else:
            found = _print_tsv(engine, zip(queries, ranked, strict=True))
    unknown = sum(bool(engine.unknown(query.text, mode)) for query in queries)
    if unknown:
        terminal.note(
            f"{unknown:,} of {len(queries):,} queries hold words that are {_nowhere(mode)}", quiet=options["quiet"]
        )
    _exit_if_nothing(found, "", options)


def _print_json(engine: Engine, queries: Sequence[Query], k: int, mode: str, how: Mapping[str, str | None]) -> bool:
    found = False
    for query in filter(lambda query: query.text.strip(), queries):
        for hit in engine.search(query.text, k, mode, where=how["where"], must=how["must"]):
            found = True
            click.echo(sanitise.json_line({"query": query.text, "query_id": query.id, **_of_hit(hit)}))
    return found


def _print_tsv(engine: Engine, ranked: Iterable[tuple[Query, Ranking]]) -> bool:
    found = False
    for query, ranking in ranked:
        rows = zip(ranking.ids, ranking.scores, engine.titles(ranking.ids), strict=True)
        for rank, (id, score, title) in enumerate(rows, start=1):
            found = True
            click.echo(_tsv(query.id, rank, id, score, title))
    return found


def _tsv(query: str, rank: int, id: str, score: float, title: str) -> str:
    return "\t".join((sanitise.cell(query), str(rank), sanitise.cell(id), f"{score:.6g}", sanitise.cell(title)))


def _exit_if_nothing(found: bool, why: str, options: Mapping[str, Any]) -> None:
    if not found:
        terminal.note(f"nothing found{why}", quiet=options["quiet"])
        raise SystemExit(1)


def no_effect(engine: Engine, query: str, mode: str) -> str:
    """What of a query says nothing to a system, in words for a person; nothing where all of it does."""
    unknown = engine.unknown(query, mode)
    if unknown:
        more = f" and {len(unknown) - _LISTED:,} more" if len(unknown) > _LISTED else ""
        return f"{_nowhere(mode)}: {', '.join(_with_hint(engine, word) for word in unknown[:_LISTED])}{more}"
    return "the query holds only stop words" if engine.only_stop_words(query) else ""


def _with_hint(engine: Engine, word: str) -> str:
    near = engine.did_you_mean(word)
    return f"{word} (did you mean {' or '.join(near)}?)" if near else word


def _nowhere(mode: str) -> str:
    return "not in the corpus" if mode in ("hybrid", "bm25", "tfidf") else f"not in the corpus, or too rare for {mode}"


def write_trec(rankings: Mapping[str, Ranking], tag: str, file: TextIO) -> None:
    """Write a TREC run, in whose ids white space, control characters and % are percent-encoded: `my%20notes.txt`."""
    from textae.evaluation import write_run

    shown = {
        _run_id(query, file): Ranking(tuple(_run_id(id, file) for id in ranking.ids), ranking.scores)
        for query, ranking in rankings.items()
    }
    write_run(shown, tag, file)


def _run_id(id: str, file: TextIO) -> str:
    """The id as a column of a run; a terminal is spared what else could steer it, while a file gets it as it is."""
    word = _NOT_IN_A_RUN.sub(lambda found: quote(found[0], safe=""), id)
    return sanitise.safe(word) if file.isatty() else word


def print_scoreboard(scored: Scoreboard, *, as_json: bool) -> None:
    """Print a table of figures, and of the points of the curves where there are any."""
    from textae.evaluation import table

    points: list[dict[str, Any]] = [
        {"system": system, "documents": int(n), "precision": float(precision), "recall": float(recall)}
        for system, curve in scored.curves.items()
        for n, precision, recall in zip(curve.cutoffs, curve.precision, curve.recall, strict=True)
    ]
    if as_json:
        for row in [*map(asdict, scored.figures), *points]:
            click.echo(sanitise.json_line(row))
        return
    click.echo(table(scored.figures, scored.unjudged))
    if points:
        click.echo("\nsystem   documents  precision  recall")
    for row in points:
        click.echo(f"{row['system']:8} {row['documents']:9,}  {row['precision']:9.3f}  {row['recall']:6.3f}")


def print_decoded(of: Mapping[str, str], decoded: Decoded, *, as_json: bool) -> None:
    """Print the words of a code, a line each; those that the text does not hold in bold.

    Args:
        of: what was decoded, by what it is: an id, a text or a code.
        decoded: its words.
        as_json: one object a line.
    """
    if as_json:
        for word in decoded.words:
            click.echo(sanitise.json_line({**of, **asdict(word)}))
        return
    colour = terminal.colourful()
    name, with_text = sanitise.cell(next(iter(of.values()))), "code" not in of
    click.echo(click.style(name, bold=True, fg="cyan") if colour else name, color=colour)
    width = max([4, *(len(word.word) for word in decoded.words)])
    click.echo(f"     {'word':{width}}  probability   lift{'  in the text' if with_text else ''}")
    for word in decoded.words:
        shown = f"{sanitise.cell(word.word):{width}}"
        shown = click.style(shown, bold=True) if colour and word.held is False else shown
        held = f"  {'yes' if word.held else 'no'}" if with_text else ""
        click.echo(f"{word.rank:3}  {shown}  {word.probability:11.4f}  {word.lift:5.1f}{held}", color=colour)


def print_redrawn(ids: Sequence[str], told: Sequence[Decoded], *, as_json: bool) -> None:
    """Print how far the pictures that codes draw are from those that they are of, a line each."""
    for id, decoded in zip(ids, told, strict=True):
        if as_json:
            click.echo(sanitise.json_line({"id": id, "code": decoded.code, "error": decoded.error}))
        else:
            click.echo(f"{decoded.error:8.3f}  {sanitise.cell(id)}")


def print_duplicates(found: DuplicateGroups, what: str, options: Mapping[str, Any]) -> None:
    """Print groups of near-duplicates, a blank line between them; exit with 1 where there is none.

    Args:
        found: the groups.
        what: documents or pictures.
        options: of the command.
    """
    for number, group in enumerate(found.groups, start=1):
        if options["as_json"]:
            for one in group:
                click.echo(sanitise.json_line({"group": number, **asdict(one)}))
            continue
        if number > 1:
            click.echo()
        for one in group:
            title = f"  {sanitise.cell(one.title)}" if one.title and one.title != one.id else ""
            click.echo(f"{one.resemblance:.2f}  {sanitise.cell(one.id)}{title}")
    members = sum(map(len, found.groups))
    unknown = f"; {found.unknown:,} without a code were not compared" if found.unknown else ""
    terminal.note(
        f"{members:,} {what} in {len(found.groups):,} groups, of {found.compared:,} compared within "
        f"{found.radius} bits{unknown}",
        quiet=options["quiet"],
    )
    _exit_if_nothing(bool(found.groups), "", options)


def print_samples(drawn: Samples, *, as_json: bool, quiet: bool) -> None:
    """Print codes that were drawn: their words, and the nearest document."""
    for number, sample in enumerate(drawn.samples, start=1):
        if as_json:
            about = {"sample": number, "nearest": sample.nearest, "distance": sample.distance}
            click.echo(sanitise.json_line({**about, **_as_drawn(sample.decoded)}))
            continue
        nearest = f"nearest: {sanitise.cell(sample.nearest)}  {sample.distance:.3g} away"
        if sample.decoded.words:
            said = terminal.wrapped(" ".join(word.word for word in sample.decoded.words), 5)
            click.echo(f"{number:3}  {said.lstrip()}\n     {nearest}")
        else:
            click.echo(f"{number:3}  {nearest}")
    terminal.note(f"a document's own nearest is {drawn.usual_distance:.3g} away (the median)", quiet=quiet)


def _as_drawn(decoded: Decoded) -> dict[str, Any]:
    """A code and its words, of which no text says whether it holds them; of a picture the code alone."""
    if decoded.picture is not None:
        return {"code": decoded.code}
    words = [{name: value for name, value in asdict(word).items() if name != "held"} for word in decoded.words]
    return {"code": decoded.code, "words": words}


def print_grid(grid: Grid, *, as_json: bool) -> None:
    """Print a grid of codes as a table: the words of a cell below each other, its documents below them."""
    if as_json:
        for cell in grid.cells:
            about = {"row": cell.row, "column": cell.column, "documents": cell.documents}
            click.echo(sanitise.json_line({**about, **_as_drawn(cell.decoded)}))
        return
    n = len(grid.x) - 1
    lines = [_lines_of(cell) for cell in grid.cells]
    widths = [max(len(line) for cell in lines[column::n] for line in cell) for column in range(n)]
    for first in range(0, len(lines), n):
        row = lines[first : first + n]
        for height in range(max(map(len, row))):
            parts = [cell[height] if height < len(cell) else "" for cell in row]
            click.echo("  ".join(f"{part:{width}}" for part, width in zip(parts, widths, strict=True)).rstrip())
        click.echo()


def _lines_of(cell: Cell) -> list[str]:
    documents = f"({cell.documents:,})" if cell.documents else "·"
    return [*(sanitise.cell(word.word) for word in cell.decoded.words), documents]
