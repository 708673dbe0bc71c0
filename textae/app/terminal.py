"""What a person sees: hits with their words marked, and how long it will still take.

Data goes to stdout, everything else to stderr. The text of documents is never trusted: what could steer a terminal
is replaced before it gets there.
"""

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence

import click

from textae.types import Explanation, Hit
from textae.views.sanitise import cell, safe


def colourful() -> bool:
    """Whether stdout shows colours to a person (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_hits(hits: Sequence[Hit]) -> None:
    """Rank, id, title and the passage with its matching words in bold."""
    colour = colourful()
    width = min(100, shutil.get_terminal_size().columns)
    for hit in hits:
        name = click.style(cell(hit.id), bold=True, fg="cyan") if colour else cell(hit.id)
        title = f"  {cell(hit.title)}" if hit.title and hit.title != hit.id else ""
        click.echo(f"{hit.rank:3}  {name}{title}  {hit.score:.3f}", color=colour)
        if hit.snippet:
            for line in _wrapped(safe(hit.snippet), hit.marks if colour else (), width - 5):
                click.echo(f"     {line}", color=colour)
        for reason in _reasons(hit.explanation) if hit.explanation else ():
            click.echo(click.style(wrapped(reason, 5), dim=True) if colour else wrapped(reason, 5), color=colour)


def _reasons(why: Explanation) -> Iterator[str]:
    """Why a hit has its score, a line for each part that has a say."""
    for name, shares in (("keywords", why.keywords), ("codes", why.codes)):
        if shares:
            together = f" · together {why.together:+.3f}" if name == "codes" and abs(why.together) >= 0.0005 else ""
            total = sum(share.share for share in shares) + (why.together if name == "codes" else 0)
            parts = " · ".join(f"{cell(share.word)} {share.share:+.3f}" for share in shares)
            yield f"{name} {total:.3f} = {parts}{together}"
    if why.common:
        yield f"in common: {', '.join(map(cell, why.common))}"


def _wrapped(text: str, marks: Sequence[tuple[int, int]], width: int) -> list[str]:
    """Lines of at most `width` characters, the marked words in bold."""
    lines, at = [], 0
    for plain in textwrap.wrap(text, max(20, width), break_on_hyphens=False) or [""]:
        start = text.index(plain, at)
        at = start + len(plain)
        line = ""
        done = start
        for first, last in marks:
            if start <= first and last <= at and first >= done:
                line += text[done:first] + click.style(text[first:last], bold=True)
                done = last
        lines.append(line + text[done:at])
    return lines


def wrapped(text: str, indent: int) -> str:
    """Plain text as lines for a person, each indented."""
    width = min(100, shutil.get_terminal_size().columns)
    margin = " " * indent
    return textwrap.fill(cell(text), max(20, width), initial_indent=margin, subsequent_indent=margin)


def note(message: str, *, quiet: bool = False) -> None:
    """Say something on stderr that is not data."""
    if not quiet:
        click.echo(f"textae: {cell(message)}", err=True)


def error(message: str) -> None:
    """Say on stderr, in one line, what is wrong."""
    click.echo(f"textae: error: {cell(message)}", err=True)


class ProgressLine:
    """How far a long work has come, on one line of stderr that is written over; silent where nobody looks.

    Args:
        quiet: say nothing.
    """

    EVERY = 0.1  # seconds between two lines

    def __init__(self, *, quiet: bool) -> None:
        self._shown = sys.stderr.isatty() and not quiet
        self._stages = not sys.stderr.isatty() and not quiet
        self._stage = ""
        self._started = self._last = 0.0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show where `stage` is."""
        now = time.monotonic()
        if stage != self._stage:
            self.finish()
            self._stage, self._started, self._last = stage, now, 0.0
            if self._stages:
                click.echo(f"{stage}…", err=True)
        if self._shown and now - self._last >= self.EVERY:
            self._last = now
            click.echo(f"\r\x1b[K{self._line(done, total, now - self._started)}", err=True, nl=False)

    def _line(self, done: int, total: int | None, seconds: float) -> str:
        if not total:
            return f"{self._stage}  {done:,}" if done else f"{self._stage}…"
        left = f"  {_duration(seconds * (total - done) / done)} left" if done and seconds > 1 else ""
        filled = 24 * done // total
        return f"{self._stage}  {'█' * filled}{'░' * (24 - filled)} {100 * done // total:3}%{left}"

    def finish(self) -> None:
        """Clear the line."""
        if self._shown and self._stage:
            click.echo("\r\x1b[K", err=True, nl=False)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
