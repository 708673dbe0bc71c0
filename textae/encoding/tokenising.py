"""Tokenise texts in order; once there are many, in other processes, while this one reads and stores the next ones.

    texts ─▶ batches ─▶ here, or in the next of the processes ─▶ the terms and tokens of each batch, in order

A batch depends on its texts alone, so any number of processes gives the same. A process that is killed loses nothing:
its batch is tokenised here. A process is started by its own command, not by `multiprocessing`, which would run the
script of a Python user a second time.
"""

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import numpy as np

from textae.encoding.analyzer import Analysis, Memo, words
from textae.encoding.bags import Tokens

Batch = tuple[Sequence[str], Tokens]
"""The terms of some texts by their first occurrence, and the tokens of the texts, numbered by these terms."""

_BATCH = 1 << 21  # characters; the terms of a batch are numbered anew: at this size, in a tenth of its time
_ALONE = 16 << 20  # characters that are tokenised here: two seconds, beside .2 s to start a process
_SIZE = struct.Struct("<Q")
_START = "import sys; sys.path[:] = sys.argv[1:]; from textae.encoding.tokenising import main; main()"


def cores() -> int:
    """The cores that this process may use."""
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1


def tokenised(analysis: Analysis, texts: Iterable[str]) -> Batch:
    """The terms and the tokens of texts."""
    number_of: dict[str, int] = {}

    def number(word: str) -> int:
        term = analysis.term_of[word]
        return -1 if term is None else number_of.setdefault(term, len(number_of))

    number_of_word = Memo(number).__getitem__
    numbers: list[int] = []
    ends = [0]
    for text in texts:
        numbers += map(number_of_word, words(text))
        ends.append(len(numbers))
    return list(number_of), Tokens(np.array(ends, np.int64), np.array(numbers, np.int32))


class Tokeniser:
    """Tokenises texts in batches.

    Args:
        analysis: how words become terms.
        processes: beside this one, at most.
    """

    def __init__(self, analysis: Analysis, processes: int) -> None:
        self._analysis, self._processes = analysis, processes if sys.executable else 0
        self._texts: list[str] = []  # of the next batch
        self._characters = self._done = 0  # of these, and of the batches before
        self._given: deque[tuple[subprocess.Popen[bytes], list[str]]] = deque()
        self._idle: deque[subprocess.Popen[bytes]] = deque()
        self._started: list[subprocess.Popen[bytes]] = []
        self._close = weakref.finalize(self, _end, self._started)

    def add(self, text: str) -> Iterable[Batch]:
        """Take the next text, and return the batches that have to be taken now."""
        self._texts.append(text)
        self._characters += len(text)
        return self._give() if self._characters >= _BATCH else ()

    def finish(self) -> Iterator[Batch]:
        """The batches that are left."""
        if self._texts:
            yield from self._give()
        while self._given:
            yield self._take()
        self._close()

    def _give(self) -> Iterable[Batch]:
        texts, self._texts = self._texts, []
        self._done, self._characters = self._done + self._characters, 0
        if not self._processes or self._done <= _ALONE:
            return [tokenised(self._analysis, texts)]
        ready = []
        if len(self._started) < self._processes:
            self._idle.append(self._start())
        elif not self._idle:
            ready.append(self._take())
        process = self._idle.popleft()
        _write(process.stdin, json.dumps(texts).encode())
        self._given.append((process, texts))
        return ready

    def _start(self) -> "subprocess.Popen[bytes]":
        pipe, analysis = subprocess.PIPE, self._analysis
        command = [sys.executable, "-c", _START, *sys.path]
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        self._started.append(process)
        settings = [analysis.language, sorted(analysis.stop_words), analysis.version]
        _write(process.stdin, json.dumps(settings).encode())
        return process

    def _take(self) -> Batch:
        """The oldest batch that was given."""
        process, texts = self._given.popleft()
        self._idle.append(process)
        terms, ends, numbers = (_read(process.stdout) for _ in range(3))
        if terms is None or ends is None or numbers is None:
            return tokenised(self._analysis, texts)
        return json.loads(terms), Tokens(np.frombuffer(ends, np.int64), np.frombuffer(numbers, np.int32))


def _end(processes: Iterable["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        process.kill()
        with contextlib.suppress(BrokenPipeError), process:
            pass


def _write(stream: IO[bytes] | None, frame: bytes) -> None:
    """Write a frame; a process that has ended is noticed when it is read."""
    assert stream is not None
    with contextlib.suppress(BrokenPipeError):
        stream.write(_SIZE.pack(len(frame)))
        stream.write(frame)
        stream.flush()


def _read(stream: IO[bytes] | None) -> bytes | None:
    """The next frame; None where the other side has ended."""
    assert stream is not None
    if len(size := stream.read(_SIZE.size)) < _SIZE.size:
        return None
    frame = stream.read(*_SIZE.unpack(size))
    return frame if len(frame) == _SIZE.unpack(size)[0] else None


def main() -> None:
    """Answer the requests on standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the caller gets it too, and ends this process
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    language, stop_words, version = json.loads(_read(requests) or b"[null, [], 0]")
    analysis = Analysis(language, frozenset(stop_words), version)
    while (request := _read(requests)) is not None:
        terms, tokens = tokenised(analysis, json.loads(request))
        for frame in (json.dumps(terms).encode(), tokens.starts.tobytes(), tokens.terms.tobytes()):
            _write(answers, frame)
