"""The process of `textae.corpus.isolation` that reads files, one after the other."""

import contextlib
import fcntl
import json
import os
import re
import resource
import signal
import sys
import time
from pathlib import Path
from typing import IO

from textae.corpus import files, reading
from textae.corpus.isolation import END, FAILED, OUT_OF_MEMORY, READY, SKIPPED, UNWANTED, File
from textae.corpus.reading import FileError, Limits
from textae.corpus.tables import TableSpec
from textae.types import Document, Skipped

_WIDEST = 4  # bytes of an answer for a byte of a document, in another encoding and with escapes

_FLUSHED_EVERY = 0.02  # seconds; rows of a table since then are lost where the next one ends the reader

_encoded = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def main(alive: int) -> None:
    """Answer the requests on standard input until it ends.

    Args:
        alive: a pipe of which the caller has the other end.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the caller gets it too, and ends this process
    for by_default in (signal.SIGALRM, signal.SIGPIPE, signal.SIGIO):
        signal.signal(by_default, signal.SIG_DFL)  # which is to end, also inside a parser
    fcntl.fcntl(alive, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(alive, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not answer
    requests = sys.stdin.buffer
    spec, kind, limits = json.loads(requests.readline())
    spec = TableSpec(**spec | {"select": tuple(map(tuple, spec["select"]))})
    bounds = Limits(**limits)
    _bound_memory(bounds.memory)
    _write(answers, _encoded([READY]).encode())
    for request in requests:
        path, *values = json.loads(request)
        try:
            _read(File(Path(path), *values), spec, kind, bounds, answers)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)


def _bound_memory(more: int) -> None:
    """Let this process take some more bytes than it has, and be the first to be ended where the machine has none."""
    with contextlib.suppress(OSError, KeyError):  # macOS has no such files, and ignores such a limit
        Path("/proc/self/oom_score_adj").write_text("1000")
        limit = _memory("VmData") + more
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _memory(name: str) -> int:
    """Bytes of memory, by their name in proc(5); 0 on other systems."""
    with contextlib.suppress(OSError):
        sizes = dict(re.findall(r"(\w+):\s*(\d+) kB", Path("/proc/self/status").read_text()))
        return int(sizes[name]) * 1024
    return 0


_AT_START = _memory("VmHWM")


def _read(file: File, spec: TableSpec, kind: str, limits: Limits, answers: IO[bytes]) -> None:
    items = files.items(file, spec, kind)
    outcome, flushed = [END], time.monotonic()
    try:
        while True:
            signal.setitimer(signal.ITIMER_REAL, limits.seconds)
            try:
                line, pixels = _answer(next(items), limits.longest)
            except StopIteration:
                break
            signal.setitimer(signal.ITIMER_REAL, 0)  # the caller may be slow
            answers.write(line + b"\n" + pixels)
            # One write for a file with one document; a message of a mailbox must be out before the next is parsed.
            if file.is_box or time.monotonic() > flushed + _FLUSHED_EVERY:
                answers.flush()
                flushed = time.monotonic()
    except FileError as error:
        outcome = [FAILED, str(error), error.reason]
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever a parser raises, the next file can be read)
        outcome = [FAILED, f"{file.path}: cannot be read ({type(error).__name__})", reading.DAMAGED]
    signal.setitimer(signal.ITIMER_REAL, 0)
    if outcome != [END] and _memory("VmHWM") > _AT_START + limits.memory // 2:
        raise MemoryError  # parsers that are refused memory raise all kinds of errors
    _write(answers, _encoded(outcome).encode())


def _answer(item: Document | Skipped | None, longest: int) -> tuple[bytes, bytes]:
    """The line that answers with an item, and the pixels behind it."""
    if item is None:
        return _encoded([UNWANTED]).encode(), b""
    if isinstance(item, Skipped):
        return _encoded([SKIPPED, item.source, item.reason]).encode(), b""
    picture = item.picture
    values = {name: getattr(item, name) for name in ("id", "text", "title", "fields", "source", "notice")}
    places = [(place.start, place.kind, place.name) for place in item.places]  # `astuple` takes 5 µs each
    values |= {"picture": picture and picture.shape, "places": places}
    line = _encoded(values).encode("utf-8", "surrogatepass")
    if len(line) > _WIDEST * longest:
        return _answer(Skipped(item.source or item.id, reading.too_long(longest)), longest)
    return line, picture.pixels if picture else b""


def _write(answers: IO[bytes], line: bytes) -> None:
    answers.write(line + b"\n")
    answers.flush()
