"""Folders, files and standard input.

All files of a folder are read, in the order of their names; the id of a file is its path inside the folder. The ending
decides how a file is read, with or without `.gz` behind it:

    .txt .text .log, or no ending          plain text
    .md .markdown .rst .adoc .org .tex     text whose first heading is the title
    .html .htm .xhtml                      the words that a reader sees
    .mbox .eml                             mail, each message a document
    .jsonl .ndjson .csv .tsv .parquet      tables, each row a document

These hold texts; `textae.corpus.images` lists those that hold pictures. A corpus is of one kind, and files of the other
kind are not opened. In a folder, a file with another ending is skipped and counted, as is a file that is damaged or has
just been deleted; hidden files, `__pycache__` and `node_modules` are ignored. Links to files are followed, links to
folders are not, so nothing is read twice and no loop starts. A file that is named by itself is read whatever its
ending, as plain text or as a picture; if it is damaged, that is an error.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from io import BufferedReader, RawIOBase
from itertools import islice
from pathlib import Path, PurePath
from typing import IO, BinaryIO, cast

from textae.corpus import images, pandas_tables, reading, tables
from textae.corpus.isolation import AVAILABLE, File, Reader
from textae.corpus.reading import DEFAULT, FileError, Item, LateError, Limits, RefusedError, Stopwatch
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import PICTURES, TEXTS, Document, Skipped

STDIN = "stdin"
"""The id of a text from standard input, and the name of a table from there."""

_PLAIN = {"", ".txt", ".text", ".log"}
_MARKDOWN = {".md", ".markdown", ".rst", ".adoc", ".org", ".tex"}
_HTML = {".html", ".htm", ".xhtml"}
_MAIL_AND_TABLES = {".mbox", ".eml", ".jsonl", ".ndjson", ".csv", ".tsv", *pandas_tables.ENDINGS}
_TEXTS = _PLAIN | _MARKDOWN | _HTML | _MAIL_AND_TABLES
_PARSED = {*_HTML, ".mbox", ".eml", *pandas_tables.ENDINGS}
_AHEAD = 16  # files that the reader may read while the documents of the first one are used
_IGNORED = {"__pycache__", "node_modules"}


def kind_of(path: PurePath) -> str:
    """The kind of documents in a file, one of `KINDS`, by its name; "" where the ending tells neither."""
    ending = _ending(path)
    return TEXTS if ending in _TEXTS else PICTURES if ending in images.ENDINGS else ""


def read_folder(
    folder: Path, prefix: str, spec: TableSpec, kind: str, limits: Limits = DEFAULT
) -> Iterator[Document | Skipped]:
    """Every document in a folder.

    Args:
        folder: to read.
        prefix: put before the ids.
        spec: how tables are read; a table without the fields is skipped, as is a damaged file.
        kind: of the documents, one of `KINDS`.
        limits: of each document.

    Raises:
        CorpusError: the folder cannot be listed.
    """
    if not os.access(folder, os.R_OK | os.X_OK):
        raise CorpusError(f"{folder}: {reading.DENIED}; read and execute permission required")
    files = _files(folder, prefix, kind)
    ahead: deque[tuple[File | Skipped, bool]] = deque()
    with Reader(spec, kind, limits) as reader:
        while True:
            for file in islice(files, _AHEAD - len(ahead)):
                isolated = isinstance(file, File) and _is_isolated(file.path, kind)
                if isinstance(file, File) and isolated:
                    reader.give(file)
                ahead.append((file, isolated))
            if not ahead:
                return
            file, isolated = ahead.popleft()
            if isinstance(file, Skipped):
                yield file
                continue
            try:
                yield from reader.items() if isolated else _items_here(file, spec, kind, limits)
            except FileError as error:
                yield Skipped(file.name, error.reason)


def read_file(
    path: Path, name: str, spec: TableSpec, kind: str, limits: Limits = DEFAULT
) -> Iterator[Document | Skipped]:
    """Every document in a file that was named by itself.

    Raises:
        CorpusError: it cannot be read at all.
    """
    if not os.access(path, os.R_OK):
        raise CorpusError(f"{path}: {reading.DENIED}")
    ending, file = _ending(path), File(path, name, "")
    if ending and kind_of(path) not in ("", kind):
        yield Skipped(name, f"unknown type {ending}")
    elif not _is_isolated(path, kind):
        yield from _items_here(file, spec, kind, limits)
    else:
        with Reader(spec, kind, limits) as reader:
            reader.give(file)
            yield from reader.items()


def read_stdin(stream: BinaryIO, spec: TableSpec) -> Iterator[Document | Skipped]:
    """Standard input: jsonl if its first letter is `{`, else one text."""
    buffered = BufferedReader(cast("RawIOBase", stream))
    try:
        while (ahead := buffered.peek(1)) and ahead[:1].isspace():
            buffered.read(1)
        is_json = ahead.removeprefix(b"\xef\xbb\xbf").startswith(b"{")
        yield from filter(None, _read_stream(buffered, STDIN, ".jsonl" if is_json else "", spec))
    finally:
        buffered.detach()  # else standard input would be closed with it


def walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in the order of the names, and every folder that cannot be listed."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        is_folder = path == folder or (os.path.isdir(path) and not path.is_symlink())  # noqa: PTH112 (never raises)
        if not (is_folder and os.access(path, os.R_OK | os.X_OK)):
            yield path
            continue
        try:
            inside = sorted(path.iterdir(), reverse=True)
        except OSError:  # a file, or a folder that has just been deleted
            yield path
            continue
        waiting += [new for new in inside if not new.name.startswith(".") and new.name not in _IGNORED]


def _refusal(path: Path, kind: str) -> str:
    """The reason not to read a file of a folder; "" where there is none."""
    if not os.path.exists(path):  # noqa: PTH110 (never raises)
        return "a link to nothing" if path.is_symlink() else reading.GONE
    if path.is_dir():
        return "a link to a folder" if path.is_symlink() else reading.DENIED
    if not path.is_file():
        return "not a file"
    if kind_of(path) != kind:
        return f"unknown type {_ending(path)}".strip()
    return "" if os.access(path, os.R_OK) else reading.DENIED


def _files(folder: Path, prefix: str, kind: str) -> Iterator[File | Skipped]:
    """The files of a folder, and those that are not to be read."""
    for path in walk(folder):
        inside = path.relative_to(folder)
        name = (prefix + inside.as_posix()).encode("utf-8", "replace").decode()
        if kind == PICTURES and _ending(path) == images.LABELS:
            continue  # read together with their pictures
        reason = _refusal(path, kind)
        yield Skipped(name, reason) if reason else File(path, name, inside.parent.name)


def _is_isolated(path: Path, kind: str) -> bool:
    """Whether a file is read in a process of its own: whether its parser is not a loop over lines."""
    return AVAILABLE and (kind == PICTURES or _ending(path) in _PARSED)


def _items_here(file: File, spec: TableSpec, kind: str, limits: Limits) -> Iterator[Document | Skipped]:
    """The documents of a file, read in this process."""
    stopwatch = reading.Stopwatch(limits)
    try:
        for item in items(file, spec, kind, stopwatch):
            if item is not None:
                yield item
            stopwatch.restart()
    except LateError:
        yield Skipped(file.name, limits.too_slow)


def items(file: File, spec: TableSpec, kind: str, stopwatch: Stopwatch | None = None) -> Iterator[Item]:
    """The documents of a file, what is skipped, and None for each document that is not wanted.

    Args:
        file: to read.
        spec: how to read it, and which documents are wanted.
        kind: of the documents, one of `KINDS`.
        stopwatch: checked while text and tables are read.

    Raises:
        FileError: it cannot be read to its end.
        LateError: the stopwatch raised it.
    """
    path, name, ending = file.path, file.name, _ending(file.path)
    if kind == PICTURES:
        yield from images.read(path, name, file.label, spec)
    elif ending in pandas_tables.ENDINGS:
        yield from pandas_tables.read(path, name, spec)
    else:
        with reading.opened(path, stopwatch) as stream:
            if ending == ".json":  # only of a file that was named by itself: one object a line, as so many are
                if stream.read(64).lstrip().startswith(b"["):
                    command = f"jq -c '.[]' {path} > {path.stem}.jsonl"
                    raise CorpusError(f"{path}: one JSON array; a table has one object a line: {command}")
                stream.seek(0)
            yield from _read_stream(stream, name, ending, spec, file.start)


def _read_stream(stream: IO[bytes], name: str, ending: str, spec: TableSpec, start: int = 0) -> Iterator[Item]:
    items: Iterable[Item]
    try:
        match ending:
            case ".jsonl" | ".ndjson" | ".json":
                yield from tables.read_jsonl(stream, name, spec)
                return
            case ".csv" | ".tsv":
                yield from tables.read_csv(stream, name, spec, delimiter="\t" if ending == ".tsv" else "")
                return
            case ".mbox" | ".eml":
                from textae.corpus import mail  # 15 ms

                is_box = ending == ".mbox"
                items = (
                    mail.read_mbox(stream, name, start) if is_box else [mail.read_message(reading.whole(stream), name)]
                )
            case _:
                items = [_text(reading.whole_text(stream), name, ending)]
        for item in items:
            yield item if not isinstance(item, Document) or spec.selects(item.fields) else None
    except RefusedError as error:
        yield Skipped(name, str(error))


def _text(content: str, name: str, ending: str) -> Document | Skipped:
    from textae.corpus.html import html_parts, markdown_parts

    parts = html_parts if ending in _HTML else markdown_parts if ending in _MARKDOWN else None
    title, text = parts(content) if parts else ("", content.strip())
    return Document(name, text, title, source=name) if title or text else Skipped(name, reading.EMPTY)


def _ending(path: PurePath) -> str:
    """The ending in lower case, without .gz; of MNIST's files the part of the name that takes its place."""
    plain = reading.without_gz(path)
    name = plain.name.lower()
    return next((ending for ending in images.IDX if name.endswith(ending)), plain.suffix.lower())
