"""Reading files in a process of its own, the reader, so that a hostile file costs its time and memory and nothing else.

Parsers of office documents, mail, HTML and pictures are large, and parts of them are in C. The kernel holds two bounds
of the reader, whatever a parser does: a timer kills it where one document takes too long (`setitimer`), and its memory
is limited (`RLIMIT_DATA`, Linux only). A reader that ends is replaced, and reading goes on behind the document that
ended it. Text, jsonl and csv are read in the process of the caller, by loops whose time is linear in the bytes.

    caller ─▶ how to read, then one file a line, a few files ahead                         JSON, over a pipe
    reader ─▶ documents and skipped ones in order, pixels behind their line; the outcome of each file

The reader ends with its caller, however the caller ends: the kernel then sends SIGIO for a pipe that both hold.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import IO, Any, Self

from textae.corpus import formats
from textae.corpus.reading import LONGEST, FileError, Limits
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import Document, Picture, Place, Skipped

AVAILABLE = hasattr(signal, "setitimer") and bool(sys.executable)
"""Whether a reader can be made; not on Windows."""

READY, UNWANTED, SKIPPED, END, FAILED = "ready", "unwanted", "skipped", "end", "failed"
"""The first words of a reader's answers; a document is an object."""

OUT_OF_MEMORY = 3
"""The exit code of a reader that reached its limit of memory."""

_START = "import sys; sys.path[:] = sys.argv[2:]; from textae.corpus.reader import main; main(int(sys.argv[1]))"
_SENT_AHEAD = 4_096  # bytes of requests; every pipe holds them, so the two sides never wait for each other


@dataclass(frozen=True, slots=True)
class File:
    """A file to read.

    Attributes:
        path: of the file.
        name: of its document, or the start of the ids of its documents.
        label: the name of its folder; "" in the source's own folder.
        start: documents, or members of an archive, at its beginning that are left out.
        is_alone: whether it was named by itself.
        own_ids: whether the rows of a table keep their ids as they are.
        longest: bytes of a document; a longer text is read in parts.
    """

    path: Path
    name: str
    label: str
    start: int = 0
    is_alone: bool = False
    own_ids: bool = False
    longest: int = LONGEST

    @property
    def is_box(self) -> bool:
        """Whether reading can go on behind a document that ended the reader, as in a mailbox."""
        return formats.find(self.path).box


_VALUES = [field.name for field in fields(File)][1:]
"""What a request holds behind the path, in order."""


class Reader:
    """A process that reads files. It starts with the first file, and again after a file that ended it.

    Args:
        spec: how tables are read, and which documents are wanted.
        kind: of the documents, one of `KINDS`.
        limits: of each document.
    """

    def __init__(self, spec: TableSpec, kind: str, limits: Limits) -> None:
        self._settings, self._limits = (asdict(spec), kind, asdict(limits)), limits
        self._files: deque[File] = deque()  # that were given and not read to their end
        self._sent: deque[int] = deque()  # the bytes of the requests for the first of them
        self._process: subprocess.Popen[bytes] | None = None
        self._alive = -1  # a pipe that this process alone can write to

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def give(self, file: File) -> None:
        """Queue a file; files are read in the order in which they are given."""
        self._files.append(file)
        self._send()

    def items(self) -> Iterator[Document | Skipped]:
        """The documents of the next file.

        Raises:
            FileError: the file cannot be read, or is damaged.
            CorpusError: the system gives no process.
        """
        file, n_read = self._files[0], 0
        kind = formats.find(file.path)
        for answer in self._answers():
            match answer:
                case [word, message, reason] if word == FAILED:
                    raise FileError(message, reason)
                case [word] if word == END:
                    return
                case [word] if word == UNWANTED:
                    pass
                case [_, source, reason]:
                    yield Skipped(source, reason)
                case document:
                    yield document
            n_read += not kind.members or answer == [UNWANTED]
        reason = self._end()
        begun = n_read if kind.members else n_read + 1
        if not kind.box or begun <= file.start:
            self._files.popleft()
            yield Skipped(file.name, reason)
        else:
            self._files[0] = replace(file, start=begun)
            yield Skipped(f"{file.name}:{begun}", reason)
            yield from self.items()

    def _answers(self) -> Iterator[Any]:
        """The answers for the next file; they stop early where the reader ends."""
        process = self._process = self._process or self._started()
        self._send()
        assert process.stdout is not None
        while (line := process.stdout.readline()).endswith(b"\n"):
            answer = json.loads(line.decode("utf-8", "surrogatepass"))
            if isinstance(answer, dict):
                yield _document(answer, process.stdout)
                continue
            if answer[0] in (END, FAILED):
                self._files.popleft()
                self._sent.popleft()
                self._send()
            yield answer

    def _started(self) -> "subprocess.Popen[bytes]":
        alive, self._alive = os.pipe()
        command, pipe = [sys.executable, "-c", _START, str(alive), *sys.path], subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, pass_fds=[alive])
        except OSError as error:
            raise CorpusError(f"no process can be made to read files in ({error.strerror}); free some") from error
        finally:
            os.close(alive)
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._write(json.dumps(self._settings).encode() + b"\n")
        if READY not in process.stdout.readline().decode():
            raise CorpusError(
                f"the process to read files in does not start ({sys.executable} ended with {self._end()})"
            )
        return process

    def _send(self) -> None:
        """Send the next files, as many as the reader's pipe can surely hold; the first one in any case."""
        while self._process is not None and len(self._sent) < len(self._files):
            file = self._files[len(self._sent)]
            values = [getattr(file, name) for name in _VALUES]  # `astuple` takes 25 µs
            request = json.dumps([os.fspath(file.path), *values]).encode() + b"\n"
            if self._sent and sum(self._sent) + len(request) > _SENT_AHEAD:
                break
            self._sent.append(len(request))
            self._write(request)

    def _write(self, request: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # of a reader that has ended, as its answers will tell
            self._process.stdin.write(request)
            self._process.stdin.flush()

    def _end(self) -> str:
        """End the process, and give the reason for which it ended by itself."""
        process, self._process = self._process, None
        self._sent.clear()
        if process is None:
            return ""
        os.close(self._alive)
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        process.kill()
        match process.wait():
            case code if code == -signal.SIGALRM:
                return self._limits.too_slow
            case code if code == OUT_OF_MEMORY:
                return self._limits.too_much
            case code:
                return f"ended the reader ({signal.Signals(-code).name if code < 0 else f'exit code {code}'})"


def _document(answer: dict[str, Any], stream: IO[bytes]) -> Document:
    """The document of an answer, whose pixels follow."""
    answer["places"] = tuple(Place(*place) for place in answer["places"])
    if shape := answer.pop("picture"):
        height, width, channels = shape
        return Document(**answer, picture=Picture(height, width, channels, stream.read(height * width * channels)))
    return Document(**answer)
