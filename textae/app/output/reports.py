"""Reports: what changed in an index, what was learned, near-duplicates, and the scoreboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from textae.app.output import print_json, print_rows, titled
from textae.types import TEXTS
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.app.cli.options import OutputOptions
    from textae.evaluation import Scoreboard
    from textae.index.build import Report
    from textae.index.modality import Modality
    from textae.index.retrain import Trained
    from textae.index.update import Changes
    from textae.types import Duplicate, DuplicateGroups


def print_report(report: Report, folder: Path, output: OutputOptions, *, detected: bool) -> None:
    """Print what was indexed, and whether the language was detected."""
    if output.as_json:
        print_json([{"index": str(folder), **asdict(report)}])
        return
    modality = _modality(report)
    output.note(f"indexed {report.documents:,} {modality.description} in {folder}")
    _note_skipped(report, output)
    if modality.kind == TEXTS:
        hint = " (detected; --language sets it)" if detected else ""
        output.note(f"{report.terms:,} terms, language: {report.language or 'none'}{hint}")
    for warning in report.warnings:
        output.note(warning)


def _modality(report: Report | Changes | Trained) -> Modality:
    from textae.index.modality import modality_of  # numpy, which 'textae --help' does not wait for

    return modality_of(report.shape)


def _note_skipped(report: Report | Changes, output: OutputOptions) -> None:
    if report.skipped:
        reasons = "".join(f" · {reason}: {count:,}" for reason, count in sorted(report.skipped.items()))
        hint = "" if output.verbose else " (--verbose lists them)"
        output.note(f"skipped {sum(report.skipped.values()):,}{reasons}{hint}")
    for reason, sources in sorted(report.examples.items()) if output.verbose else ():
        for source in sources:
            output.note(f"skipped {source}: {reason}")


def print_changes(changes: Changes, folder: Path, output: OutputOptions) -> None:
    """Print how many documents of an index changed."""
    if output.as_json:
        print_json([{"index": str(folder), **asdict(changes)}])
        return
    counts = {name: getattr(changes, name) for name in ("added", "replaced", "removed", "unchanged")}
    summary = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "nothing to do"
    kind = _modality(changes).noun
    output.note(f"{summary}; {changes.documents:,} {kind} in {folder}")
    _note_skipped(changes, output)
    if changes.unlearned > changes.documents / 2:
        output.note(
            f"{changes.unlearned:,} {kind} were added after training; 'textae info' shows how well they fit, "
            "'textae train' learns them"
        )


def print_trained(trained: Trained, folder: Path, output: OutputOptions) -> None:
    """Print what was learned."""
    if output.as_json:
        print_json([{"index": str(folder), **asdict(trained)}])
        return
    if trained.anew:
        output.note(f"trained on {trained.documents:,} {_modality(trained).noun} in {folder}")
    if trained.label is not None:
        output.note(
            f"{trained.labelled:,} of {trained.documents:,} documents have a label in {trained.label!r}, of "
            f"{trained.classes:,} classes; 'textae classify' predicts it for other texts"
        )
    for warning in trained.warnings:
        output.note(warning)


def _duplicate(one: Duplicate) -> str:
    return f"{one.resemblance:.2f}  {titled(one.id, one.title)}"


def print_duplicates(duplicates: DuplicateGroups, kind: str, output: OutputOptions) -> None:
    """Print groups of near-duplicates, a blank line between them; where there are none, exit with 1."""
    for number, group in enumerate(duplicates.groups, start=1):
        if number > 1 and not output.as_json:
            click.echo()
        print_rows(
            group, output.as_json, lambda one: f"{one.resemblance:.2f}  {titled(one.id, one.title)}", group=number
        )
    members = sum(map(len, duplicates.groups))
    unknown = f"; {duplicates.unknown:,} without a code were not compared" if duplicates.unknown else ""
    output.note(
        f"{members:,} {kind} in {len(duplicates.groups):,} groups, of {duplicates.compared:,} compared within "
        f"{duplicates.radius} bits{unknown}"
    )
    output.exit_if_nothing(duplicates.groups)


def print_scoreboard(scoreboard: Scoreboard, output: OutputOptions) -> None:
    """Print the scores of all systems, and the points of the precision-recall curves where there are any."""
    from textae.evaluation import table

    points: list[dict[str, Any]] = [
        {"system": system, "documents": int(n), "precision": float(precision), "recall": float(recall)}
        for system, curve in scoreboard.curves.items()
        for n, precision, recall in zip(curve.cutoffs, curve.precision, curve.recall, strict=True)
    ]
    if output.as_json:
        print_json([*map(asdict, scoreboard.figures), *points])
        return
    click.echo(table(scoreboard.figures, scoreboard.unjudged))
    if points:
        click.echo("\nsystem   documents  precision  recall")
    for row in points:
        click.echo(f"{row['system']:8} {row['documents']:9,}  {row['precision']:9.3f}  {row['recall']:6.3f}")


def print_facts(facts: Mapping[str, Any], output: OutputOptions) -> None:
    """Print the facts of 'textae info', one a line."""
    if output.as_json:
        print_json([facts])
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        shown = f"{value:,}" if type(value) is int else sanitise.cell(str(value))
        click.echo(f"{name.replace('_', ' '):{width}}  {shown}")
