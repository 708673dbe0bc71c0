"""Reports: what changed in an index, what was learned, near-duplicates, and the scoreboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from textae.app import terminal
from textae.views import sanitise

if TYPE_CHECKING:
    from textae.app.cli.options import ShellOptions
    from textae.evaluation import Scoreboard
    from textae.explore.duplicates import Duplicate, DuplicateGroups
    from textae.index.build import Report
    from textae.index.modality import Modality
    from textae.index.retrain import Trained
    from textae.index.update import Changes


def print_report(report: Report, shell: ShellOptions, *, detected: bool) -> None:
    """Print what was indexed, and whether the language was detected."""
    if shell.as_json:
        terminal.print_json([{"index": str(shell.folder), **asdict(report)}])
        return
    from textae.types import TEXTS  # 12 ms, which 'textae --help' does not wait for

    modality = _modality(report)
    shell.note(f"indexed {report.documents:,} {modality.description} in {shell.folder}")
    _note_skipped(report, shell)
    if modality.kind == TEXTS:
        hint = " (detected; --language sets it)" if detected else ""
        shell.note(f"{report.terms:,} terms, language: {report.language or 'none'}{hint}")
    for warning in report.warnings:
        shell.note(warning)


def _modality(report: Report | Changes | Trained) -> Modality:
    from textae.index.modality import modality_of  # numpy, which 'textae --help' does not wait for

    return modality_of(report.shape)


def _note_skipped(report: Report | Changes, shell: ShellOptions) -> None:
    if report.noticed:
        shell.note(" · ".join(f"{notice}: {count:,}" for notice, count in sorted(report.noticed.items())))
    hint = "" if shell.verbose else " (--verbose lists them)"
    if report.skipped:
        reasons = "".join(f" · {reason}: {count:,}" for reason, count in sorted(report.skipped.items()))
        shell.note(f"skipped {sum(report.skipped.values()):,}{reasons}{hint}")
    if report.ignored:
        reasons = ", ".join(f"{reason}: {count:,}" for reason, count in sorted(report.ignored.items()))
        shell.note(f"ignored {sum(report.ignored.values()):,} ({reasons})")
    for reason, sources in sorted(report.examples.items()) if shell.verbose else ():
        for source in sources:
            shell.note(f"{'ignored' if reason in report.ignored else 'skipped'} {source}: {reason}")


def print_changes(changes: Changes, shell: ShellOptions) -> None:
    """Print how many documents of an index changed."""
    if shell.as_json:
        terminal.print_json([{"index": str(shell.folder), **asdict(changes)}])
        return
    counts = {name: getattr(changes, name) for name in ("added", "replaced", "removed", "unchanged")}
    summary = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "nothing to do"
    kind = _modality(changes).noun
    shell.note(f"{summary}; {changes.documents:,} {kind} in {shell.folder}")
    _note_skipped(changes, shell)
    if changes.unlearned > changes.documents / 2:
        shell.note(
            f"{changes.unlearned:,} {kind} were added after training; 'textae info' shows how well they fit, "
            "'textae train' learns them"
        )


def print_trained(trained: Trained, shell: ShellOptions) -> None:
    """Print what was learned."""
    if shell.as_json:
        terminal.print_json([{"index": str(shell.folder), **asdict(trained)}])
        return
    if trained.anew:
        shell.note(f"trained on {trained.documents:,} {_modality(trained).noun} in {shell.folder}")
    if trained.label is not None:
        modality = _modality(trained)
        shell.note(
            f"{trained.labelled:,} of {trained.documents:,} {modality.noun} have a label in {trained.label!r}, of "
            f"{trained.classes:,} classes; 'textae classify' predicts it for other {modality.kind}"
        )
    for warning in trained.warnings:
        shell.note(warning)


def print_duplicates(duplicates: DuplicateGroups, kind: str, shell: ShellOptions) -> None:
    """Print groups of near-duplicates, a blank line between them; where there are none, exit with 1."""
    for number, group in enumerate(duplicates.groups, start=1):
        if number > 1 and not shell.as_json:
            click.echo()

        def line(one: Duplicate) -> str:
            return f"{one.resemblance:.2f}  {terminal.titled(one.id, one.title)}"

        terminal.print_rows(group, shell.as_json, line, group=number)
    members = sum(map(len, duplicates.groups))
    unknown = f"; {duplicates.unknown:,} without a code were not compared" if duplicates.unknown else ""
    shell.note(
        f"{members:,} {kind} in {len(duplicates.groups):,} groups, of {duplicates.compared:,} compared within "
        f"{duplicates.radius} bits{unknown}"
    )
    shell.exit_if_nothing(duplicates.groups)


def print_scoreboard(scoreboard: Scoreboard, shell: ShellOptions) -> None:
    """Print the scores of all systems, and the points of the precision-recall curves where there are any."""
    from textae.evaluation import table

    points: list[dict[str, Any]] = [
        {"system": system, "documents": int(n), "precision": float(precision), "recall": float(recall)}
        for system, curve in scoreboard.curves.items()
        for n, precision, recall in zip(curve.cutoffs, curve.precision, curve.recall, strict=True)
    ]
    if shell.as_json:
        terminal.print_json([*map(asdict, scoreboard.figures), *points])
        return
    click.echo(table(scoreboard.figures, scoreboard.unjudged))
    if points:
        click.echo("\nsystem   documents  precision  recall")
    for row in points:
        click.echo(f"{row['system']:8} {row['documents']:9,}  {row['precision']:9.3f}  {row['recall']:6.3f}")


def print_facts(facts: Mapping[str, Any], shell: ShellOptions) -> None:
    """Print the facts of 'textae info', one a line."""
    if shell.as_json:
        terminal.print_json([facts])
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        shown = f"{value:,}" if type(value) is int else sanitise.cell(str(value))
        click.echo(f"{name.replace('_', ' '):{width}}  {shown}")


def print_sources(sources: Sequence[Mapping[str, Any]], shell: ShellOptions) -> None:
    """Print what an index is made of, a source a line."""
    if shell.as_json:
        terminal.print_json(sources)
        return
    for one in sources:
        options = "".join(f"  {name}={_option(value)}" for name, value in one["options"].items())
        gone = terminal.styled("  gone", fg="red") if one["gone"] else ""
        click.echo(f"{one['documents']:9,}  {sanitise.cell(one['source'] or '(no source)')}{gone}{options}")


def _option(value: Any) -> str:
    return sanitise.cell(",".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
