"""Cleaning up without an interrupt: a signal that comes meanwhile is handled at the end."""

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""The signals that tell a command to end: an interrupt, a request of the system, a terminal that closes."""


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off the handlers of Python's for SIGINT, SIGTERM and SIGHUP until the block ends.

    Other threads than the main one have no handlers, and nothing to put off.
    """
    arrived: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in filter(lambda number: callable(signal.getsignal(number)), ENDING):
            before[number] = signal.signal(number, lambda number, frame: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])
