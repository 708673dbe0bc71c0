"""`textae sync --watch`: the index follows its sources until it is told to stop.

The system's notifications (watchfiles, of the extra `watch`) say when to look. Without them, and for what they do not
tell, such as changes on a network disk by another machine, the names, sizes and times of the files are compared again
and again. A sync happens only where these have changed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from textae.app import terminal
from textae.app.cli.options import ShellOptions
from textae.app.output.reports import print_changes
from textae.app.signals import Interrupted
from textae.errors import TextaeError

if TYPE_CHECKING:
    from textae.corpus import Source
    from textae.engine import Engine

_POLLED_EVERY, _CHECKED_EVERY = 2.0, 60.0  # seconds between two looks, without and with notifications


def watch_sources(engine: Engine, sources: Sequence[Source], shell: ShellOptions) -> NoReturn:
    """Sync whenever a file of the sources changes; an error is printed once, and the sync is tried again."""
    from textae.corpus import STDIN

    if not sources or any(source.origin == STDIN for source in sources):
        what = "standard input" if sources else "an index without readable sources"
        raise click.UsageError(f"{what} cannot be watched; give a folder or a file")
    paths = [Path(source.origin) for source in sources]  # of a recipe it is no path
    synced: list[str] = []  # the signatures of the sources at the last sync
    last_error, last_skipped = "", dict[str, int]()
    try:
        with _waiting([path for path in paths if path.is_absolute()], shell) as wait:
            shell.note(f"watching {', '.join(source.key for source in sources)}")
            while True:
                signatures = [source.signature() for source in sources]
                if signatures != synced:
                    try:
                        with replace(shell, quiet=True).progress() as progress:
                            changes = engine.sync(sources, progress=progress)
                        synced, last_error = signatures, ""
                        if changes.any or dict(changes.skipped) != last_skipped:
                            print_changes(changes, shell)
                        last_skipped = dict(changes.skipped)
                    except TextaeError as error:
                        if str(error) != last_error:
                            last_error = str(error)
                            terminal.error(last_error)
                wait()
    except Interrupted as interrupted:  # the usual end: what was synced stays
        shell.note("stopped watching")
        raise SystemExit(interrupted.code) from None


@contextlib.contextmanager
def _waiting(paths: Sequence[Path], shell: ShellOptions) -> Iterator[Callable[[], object]]:
    """A function that waits until something may have changed below some paths."""
    changed, ready, stop = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        changed.wait(_CHECKED_EVERY if ready.is_set() else _POLLED_EVERY)
        changed.clear()

    def listen() -> None:
        """Runs beside the main thread, in which signals arrive."""
        while not stop.is_set():
            try:
                from watchfiles import watch

                # The first time-out tells that the system is listening; what changed before, the next look finds.
                for changes in watch(
                    *paths, watch_filter=None, stop_event=stop, rust_timeout=1_000, yield_on_timeout=True,
                    raise_interrupt=False,
                ):  # fmt: skip
                    ready.set()
                    if changes:
                        changed.set()
            except ModuleNotFoundError:
                return
            except FileNotFoundError:  # a source is gone, and may come back
                ready.clear()
                stop.wait(_POLLED_EVERY)
            except (OSError, RuntimeError) as error:  # such as no more watches, of which the system has a number
                shell.note(f"no notifications from the system ({error}); looking every {_POLLED_EVERY:g} seconds")
                ready.clear()
                return

    if all(map(Path.is_dir, paths)):  # an editor replaces a file, and notifications are of what was replaced
        threading.Thread(target=listen, daemon=True).start()
    try:
        yield wait
    finally:
        stop.set()
