"""Vectors of queries from a program of the user's, which runs the model that gave the documents' vectors.

    "smooth a noisy signal"          a line of its standard input: a text, as a JSON string
    [0.0123, -0.2345, 0.0456]        a line of its standard output: the vector of that text, as a JSON list

The program runs without a shell, in a process of its own, and gets all texts at once; that of a server stays, and gets
one after the other. It is named by an option or an environment variable, never by an index: a stranger may have made
that.
"""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import IO, Any, cast

from textae.encoding.given_vectors import MOST_DIMS
from textae.errors import QueryError

STARTING, EACH = 60.0, 1.0
"""Seconds that a program may take: to load a model, and for each text."""

_PAUSE = 60.0  # seconds until a program that stays is started again after it failed
_KEPT, _SHORT = 100, 10_000  # texts whose vectors are kept, and their characters: pages of hits are of one query
_LONGEST = 32 * MOST_DIMS  # bytes of a line: a number takes 25 at most, and may stand behind a blank


def json_vector(text: str | bytes, what: str) -> list[Any]:
    """The list that JSON text holds; whether it is a vector, `textae.encoding.given_vectors` decides.

    Raises:
        QueryError: it is no list.
    """
    with contextlib.suppress(ValueError, RecursionError):
        vector = json.loads(text)
        if isinstance(vector, list):
            return vector
    shown = text if isinstance(text, str) else text.decode(errors="replace")
    raise QueryError(f"{what} is {shown.strip()!r:.60}; it must be a JSON list of numbers")


class VectorCommand:
    """A function from texts to their vectors, by a program.

    Args:
        command: the program and its arguments, quoted as for a shell.
        starting: seconds that it may take to start.

    Raises:
        QueryError: the command is empty, or a quote in it has no end.
    """

    def __init__(self, command: str, starting: float = STARTING) -> None:
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise QueryError(f"the vector command {command!r:.200} cannot be split into words: {error}") from None
        if not self._arguments:
            raise QueryError("the vector command is empty; give a program")
        self._name, self._starting = f"the vector command {command!r:.200}", starting

    def __call__(self, texts: Sequence[str]) -> list[list[Any]]:
        """A vector for each text.

        Raises:
            QueryError: the program cannot be started, ends or takes too long before it gave all, or gives no list.
        """
        seconds = self._starting + EACH * len(texts)
        process, late, errors = self._started(), threading.Event(), deque[bytes](maxlen=1)
        lines = cast(IO[bytes], process.stdout)
        timer = threading.Timer(seconds, _end_late, (process, late))
        writer = threading.Thread(target=_write, args=(process.stdin, texts))
        listener = threading.Thread(target=_keep_last, args=(process.stderr, errors))
        vectors: list[list[Any]] = []
        try:
            for helper in (timer, writer, listener):
                helper.daemon = True
                helper.start()
            while len(vectors) < len(texts) and (line := lines.readline(_LONGEST)).endswith(b"\n"):
                vectors.append(json_vector(line, f"line {len(vectors) + 1} of {self._name}"))
            if len(vectors) == len(texts):
                return vectors
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)  # who closes the output ends soon, with a code that tells why
        finally:
            timer.cancel()
            _kill(process)
            code = process.wait()
            lines.close()
            writer.join(1)
            listener.join(1)
        why = f"took more than {seconds:g} s" if late.is_set() else f"ended (exit code {code})"
        raise QueryError(f"{self._name} {why} after {len(vectors):,} of {len(texts):,} vectors{_last(errors)}")

    def _started(self) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        try:
            # Its own session, so that what it starts ends with it.
            return subprocess.Popen(self._arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        except (OSError, ValueError) as error:
            raise QueryError(f"{self._name} cannot be started: {getattr(error, 'strerror', '') or error}") from None


class StayingCommand(VectorCommand):
    """A function from texts to their vectors by a program that stays and prints each line at once, for servers.

    Where it fails, texts have no vector. A minute later the next text starts it again.

    Args:
        command: as `VectorCommand` takes it.
        note: gets a line for each failure.
        starting: seconds that it may take to start, or to answer.

    Raises:
        QueryError: as `VectorCommand`.
    """

    def __init__(self, command: str, note: Callable[[str], None], starting: float = STARTING) -> None:
        super().__init__(command, starting)
        self._note, self._lock, self._not_before = note, threading.Lock(), 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = deque[bytes](maxlen=1)
        self._vector = lru_cache(_KEPT)(self._asked)

    def __call__(self, texts: Sequence[str]) -> list[Any]:
        """A vector for each text; None for each while the program fails."""
        with self._lock:
            try:
                if time.monotonic() >= self._not_before:
                    return [(self._vector if len(text) <= _SHORT else self._asked)(text) for text in texts]
            except QueryError as error:
                self.close()
                self._not_before = time.monotonic() + _PAUSE
                self._note(f"searching without vectors: {error}")
        return [None] * len(texts)

    def start(self) -> None:
        """Start the program, if it does not run.

        Raises:
            QueryError: it cannot be started.
        """
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = self._started()
            threading.Thread(target=_keep_last, args=(self._process.stderr, self._errors), daemon=True).start()

    def close(self) -> None:
        """End the program."""
        if self._process is not None:
            _kill(self._process)
            with contextlib.suppress(OSError, ValueError), self._process:
                self._process = None  # leaving closes its pipes, and waits for it

    def _asked(self, text: str) -> list[Any]:
        self.start()
        process, late = cast("subprocess.Popen[bytes]", self._process), threading.Event()
        timer = threading.Timer(self._starting, _end_late, (process, late))
        timer.daemon = True
        timer.start()
        try:
            with contextlib.suppress(OSError, ValueError):
                _write_line(cast(IO[bytes], process.stdin), text)
            line = cast(IO[bytes], process.stdout).readline(_LONGEST)
        finally:
            timer.cancel()
        if line.endswith(b"\n"):
            return json_vector(line, f"a line of {self._name}")
        why = f"took more than {self._starting:g} s" if late.is_set() else "ended"
        raise QueryError(f"{self._name} {why}{_last(self._errors)}")


def _end_late(process: "subprocess.Popen[bytes]", late: threading.Event) -> None:
    late.set()
    _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _write(stream: IO[bytes], texts: Sequence[str]) -> None:
    with contextlib.suppress(OSError, ValueError), stream:
        for text in texts:
            _write_line(stream, text)


def _write_line(stream: IO[bytes], text: str) -> None:
    stream.write(json.dumps(text).encode() + b"\n")
    stream.flush()


def _keep_last(stream: IO[bytes], lines: deque[bytes]) -> None:
    """Keep the last line that is not blank: an exception of Python's is there."""
    with contextlib.suppress(OSError, ValueError), stream:
        while line := stream.readline(10_000):
            if line.strip():
                lines.append(line)


def _last(errors: deque[bytes]) -> str:
    return f": {errors[0].decode(errors='replace').strip():.200}" if errors else ""
