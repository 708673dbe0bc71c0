"""The terminal: colours, wrapped text, lines of JSON, messages and progress.

Data goes to stdout, everything else to stderr. The text of documents is never trusted: characters that could steer a
terminal are replaced before it is printed.
"""

import contextlib
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

import click

from textae.errors import TextaeError
from textae.views.sanitise import cell, json_line


def shows_colours() -> bool:
    """Whether stdout is a terminal with colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, **style: Any) -> str:
    """The text in a style of `click.style` where stdout shows colours."""
    return click.style(text, **style) if any(style.values()) and shows_colours() else text


def linked(text: str, path: str) -> str:
    """The text as a link that opens the file at an absolute path, where stdout is a terminal that knows links (OSC 8).

    The name of the machine is in the link, so that a terminal on another one does not open its own file.
    """
    if not PurePath(path).is_absolute() or not shows_colours() or os.environ.get("TERM") == "linux":
        return text
    from urllib.parse import quote  # which leaves nothing in a path that could end the link

    host = os.uname().nodename if hasattr(os, "uname") else ""
    file = quote(path.replace(os.sep, "/"), errors="replace")
    return f"\x1b]8;;file://{quote(host)}/{file.removeprefix('/')}\x1b\\{text}\x1b]8;;\x1b\\"


def text_width() -> int:
    """Columns of running text: those of the terminal, and at most 100."""
    return min(100, shutil.get_terminal_size().columns)


def wrapped(text: str, indent: int = 0) -> str:
    """Plain text as lines that fit the terminal."""
    margin = " " * indent
    return textwrap.fill(cell(text), max(20, text_width()), initial_indent=margin, subsequent_indent=margin)


def titled(id: str, title: str, link: str = "", **style: Any) -> str:
    """An id, in a style of `click.style` and linked to a file, and the title where it differs."""
    shown = linked(styled(cell(id), **style), link)
    return f"{shown}  {cell(title)}" if title and title != id else shown


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line."""
    for row in rows:
        click.echo(json_line(row))


def print_rows(items: Iterable[Any], as_json: bool, line: Callable[[Any], str], **more: Any) -> None:
    """Print dataclasses, one a line: as a text, or as a JSON object with more fields before its own."""
    for item in items:
        click.echo(json_line({**more, **asdict(item)}) if as_json else line(item))


def open_missing_streams() -> None:
    """Open the standard streams that the caller has closed, onto nothing.

    Otherwise the next file that is opened, such as the index, has the number of one, and gets what is printed to it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _say(text: str, *, nl: bool = True) -> None:
    """Print on stderr; where nobody can read it, the command goes on."""
    with contextlib.suppress(OSError):
        click.echo(text, err=True, nl=nl)


def note(message: str, *, quiet: bool = False) -> None:
    """Print a message on stderr."""
    if not quiet:
        _say(f"textae: {cell(message)}")


def error(message: str) -> None:
    """Print an error on stderr, on one line."""
    _say(f"textae: error: {cell(message)}")


def confirm(question: str, otherwise: str) -> None:
    """Ask whether to go on; on a no, leave with exit code 1.

    Args:
        question: for a yes or a no.
        otherwise: what to do where nobody can be asked.

    Raises:
        TextaeError: standard input or standard error is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise TextaeError(otherwise)
    if not click.confirm(cell(question), err=True):
        note("nothing has changed")
        raise SystemExit(1)


def _duration(seconds: float) -> str:
    """Seconds as a person says them: 40 seconds, 2 minutes, 3 hours."""
    for size, unit in ((3_600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{10 * round(seconds / 10)} seconds"


class ProgressLine(AbstractContextManager["ProgressLine"]):
    """The progress of a long task, on one line of stderr that is overwritten; in a log, a line every ten seconds.

    It says how long a long stage takes, as soon as its first steps tell. Used as a context manager, it clears the line
    at the end.

    Args:
        quiet: print nothing.
    """

    EVERY, LOGGED = 0.1, 10.0  # seconds between two updates of the line, and between two lines of a log
    KNOWN, LONG = 3.0, 30.0  # seconds of a stage after which its steps tell, and from which it is long

    def __init__(self, *, quiet: bool) -> None:
        self._bar = sys.stderr.isatty() and not quiet
        self._log = not sys.stderr.isatty() and not quiet
        self._stage = ""
        self._started = self._last = 0.0
        self._first, self._announced = 0, quiet

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show how much of a stage is done; the signature of `textae.types.Progress`."""
        now = time.monotonic()
        if stage != self._stage:
            self.finish()
            self._stage, self._started, self._last = stage, now, now if self._log else 0.0
            self._first, self._announced = done, not (self._bar or self._log)
            if self._log:
                _say(f"{stage}…")
        seconds = now - self._started
        left = seconds * (total - done) / (done - self._first) if total and done > self._first else None
        if not self._announced and left is not None and seconds >= self.KNOWN:
            self._announced = True
            if seconds + left >= self.LONG:
                self.finish()
                note(f"{stage} takes about {_duration(seconds + left)}")
        if self._bar and now - self._last >= self.EVERY:
            self._last = now
            _say(f"\r\x1b[K{self._line(done, total, left if seconds > 1 else None)}", nl=False)
        elif self._log and now - self._last >= self.LOGGED:
            self._last = now
            _say(self._line(done, total, left))

    def _line(self, done: int, total: int | None, left: float | None) -> str:
        if not total:
            return f"{self._stage}  {done:,}" if done else f"{self._stage}…"
        filled = 24 * done // total
        bar = f"{'█' * filled}{'░' * (24 - filled)} " if self._bar else ""
        minutes, seconds = divmod(round(left or 0), 60)
        rest = "" if left is None else f"  {minutes}:{seconds:02} left"
        return f"{self._stage}  {bar}{100 * done // total:3}%{rest}"

    def finish(self) -> None:
        """Clear the line."""
        if self._bar and self._stage:
            _say("\r\x1b[K", nl=False)

    def __exit__(self, *error: object) -> None:
        self.finish()
