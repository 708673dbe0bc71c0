"""Tokenise texts in order; once there are many, in a second process, while this one reads and stores the next ones.

    texts ─▶ batches ─▶ here, or in the other process ─▶ the terms and tokens of each batch, in order

A batch depends on its texts alone, so the result is the same. If the process is killed, its batch is tokenised here. A
third process would gain nothing: reading and storing take longer than tokenising (10.4 and 5.6 seconds of processors
for 100,000 abstracts). The process is started by its own command, not by `multiprocessing`, which would run the script
of a Python user a second time.
"""

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import numpy as np

from textae.encoding.analyzer import Analysis, Memo, words
from textae.encoding.bags import Tokens

Batch = tuple[Sequence[str], Tokens]
"""The terms of some texts by their first occurrence, and the tokens of the texts, numbered by these terms."""

_BATCH = 1 << 21  # characters; the terms of a batch are numbered anew: at this size, in a tenth of its time
_ALONE = 16 << 20  # characters that are tokenised here: two seconds, beside .2 s to start a process
_STARTS = 3  # of the process, where it is killed
_SIZE = struct.Struct("<Q")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # numpy would start one for each core, and none is needed
_READY = b"textae tokenises\n"
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
        beside: whether a second process may help.
    """

    def __init__(self, analysis: Analysis, *, beside: bool) -> None:
        can_start = beside and sys.executable and not getattr(sys, "frozen", False)
        self._analysis, self._starts = analysis, _STARTS if can_start else 0
        self._texts: list[str] = []  # of the next batch
        self._characters = self._done = 0  # of these, and of the batches before
        self._given: list[str] = []  # the batch that the process has
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False

    def add(self, text: str) -> Iterable[Batch]:
        """Take the next text, and return the batches that have to be taken now."""
        self._texts.append(text)
        self._characters += len(text)
        return self._give() if self._characters >= _BATCH else ()

    def finish(self) -> Iterator[Batch]:
        """The batches that are left."""
        if self._texts:
            yield from self._give()
        if self._given:
            yield self._take()
        self._end()

    def _give(self) -> Iterable[Batch]:
        texts, self._texts = self._texts, []
        self._done, self._characters = self._done + self._characters, 0
        ready = [self._take()] if self._given else []
        if self._process is None and self._starts and self._done > _ALONE:
            self._start()
        if self._process is None:
            return [*ready, tokenised(self._analysis, texts)]
        _write(self._process.stdin, _packed(texts))
        self._given = texts
        return ready

    def _start(self) -> None:
        pipe, analysis = subprocess.PIPE, self._analysis
        command, threads = [sys.executable, "-c", _START, *sys.path], dict.fromkeys(_THREADS, "1")
        try:
            process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=os.environ | threads
            )
        except OSError:  # too many processes, or no memory for one more
            self._starts = 0
            return
        self._process, self._is_ready = process, False
        self._starts -= 1
        self._close = weakref.finalize(self, _end, process)
        _write(process.stdin, _packed([analysis.language, sorted(analysis.stop_words), analysis.version]))

    def _take(self) -> Batch:
        """The batch that the process has."""
        assert self._process is not None and self._process.stdout is not None
        texts, self._given = self._given, []
        answers = self._process.stdout
        self._is_ready = self._is_ready or answers.read(len(_READY)) == _READY
        terms, ends, numbers = (_read(answers) if self._is_ready else None for _ in range(3))
        if terms is None or ends is None or numbers is None:
            self._end()
            return tokenised(self._analysis, texts)
        return _unpacked(terms), Tokens(np.frombuffer(ends, np.int64), np.frombuffer(numbers, np.int32))

    def _end(self) -> None:
        if self._process is not None:
            self._close()
            self._process = None


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    with contextlib.suppress(BrokenPipeError), process:
        pass


def _packed(value: Sequence[object]) -> bytes:
    """The value as JSON, in which two halves of a pair stay two."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _unpacked(packed: bytes) -> list[str]:
    unpacked: list[str] = json.loads(packed.decode("utf-8", "surrogatepass"))
    return unpacked


def _write(stream: IO[bytes] | None, frame: bytes) -> None:
    """Write a frame; a process that has ended is noticed when it is read."""
    assert stream is not None
    with contextlib.suppress(BrokenPipeError):
        stream.write(_SIZE.pack(len(frame)))
        stream.write(frame)
        stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """The next frame; None where the other side has ended."""
    if len(size := stream.read(_SIZE.size)) < _SIZE.size:
        return None
    frame = stream.read(*_SIZE.unpack(size))
    return frame if len(frame) == _SIZE.unpack(size)[0] else None


def main() -> None:
    """Answer the requests on standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the caller gets it too, and ends this process
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not answer
    language, stop_words, version = json.loads(_read(requests) or b"[null, [], 0]")
    analysis = Analysis(language, frozenset(stop_words), version)
    answers.write(_READY)
    while (request := _read(requests)) is not None:
        terms, tokens = tokenised(analysis, _unpacked(request))
        for frame in (_packed(terms), tokens.starts.tobytes(), tokens.terms.tobytes()):
            _write(answers, frame)
