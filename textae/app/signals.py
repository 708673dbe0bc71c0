"""Signals: a command that is told to end cleans up first, and a file that is cut short ends it with one line.

Arrays are memory-mapped. Where a page of one cannot be read, as the file was truncated meanwhile or the disk fails, the
kernel sends SIGBUS, and the instruction that failed cannot go on. A handler of Python's would be called after it, which
is never; so the C library calls one at once, which writes a line and leaves.
"""

import contextlib
import functools
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from textae.index.uninterrupted import ENDING

_UNREADABLE = b"a file of the index was cut short, or its disk failed; 'textae doctor' checks the index"


class Interrupted(BaseException):
    """The command was told to end.

    Attributes:
        code: the exit code, 128 and the number of the signal, as shells have it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


def leave_at_once(number: int, frame: FrameType | None) -> None:
    """Handle a signal where there is nothing to clean up, or no time."""
    os._exit(128 + number)


def handle(handler: Any) -> dict[int, Any]:
    """Handle the signals that tell a command to end, except those that are ignored, as under nohup.

    Returns:
        The handlers before.
    """
    return {
        number: signal.signal(number, handler) for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN
    }


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Raise `Interrupted` in the block at the first signal; leave at once at the second.

    An interrupt that was lost, in a callback from C or where another error took its place, counts all the same.
    """
    arrived: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        handle(leave_at_once)
        arrived.append(number)
        raise Interrupted(number)

    def lost(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, Interrupted):
            os._exit(unraisable.exc_value.code)
        hook(unraisable)

    hook, sys.unraisablehook = sys.unraisablehook, lost
    before = handle(stop)
    try:
        yield
    except Exception as error:
        if not arrived:
            raise
        interrupted = Interrupted(arrived[0])
        for what in getattr(error, "__notes__", ()):
            interrupted.add_note(what)
        raise interrupted from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook


@functools.cache  # what the C library calls must live as long as the process
def end_with_a_line_where_a_file_cannot_be_read() -> Any:
    """Write one line and leave with exit code 2 where a mapped file cannot be read, on systems with SIGBUS.

    The failing instruction is a load from the file, so no lock is held but Python's own, which the callback may take.
    """
    if not hasattr(signal, "SIGBUS"):
        return None
    import ctypes  # 3 ms, which numpy needs anyway

    def leave(number: int) -> None:
        os.write(2, b"textae: error: " + _UNREADABLE + b"\n")
        os._exit(2)

    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(leave)
    install = ctypes.CDLL(None).signal
    install.argtypes, install.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    install(signal.SIGBUS, ctypes.cast(handler, ctypes.c_void_p))
    return handler
