"""Folders, files and standard input.

All files of a folder are read, in the order of their names; the id of a file is its path inside the folder. The ending
decides how a file is read, with or without the ending of a compression behind it: `textae.corpus.formats` lists those
of texts, and `textae.corpus.images` those of pictures. A corpus is of one kind, and files of the other kind are not
opened. A file with another ending is read as plain text if it is text.

In a folder, what holds no text is skipped and counted, as is a file that is damaged, is not what its ending says, or
has just been deleted; `textae.corpus.ignore` says which files are left out. A file that is named by itself and is
damaged is an error.
"""

import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from io import BufferedReader, RawIOBase
from itertools import islice
from pathlib import Path, PurePath
from typing import BinaryIO, cast

from textae.corpus import formats, images, reading
from textae.corpus.formats import Given
from textae.corpus.identity import LINKED, Belonging, escaped, is_within
from textae.corpus.ignore import BY_DEFAULT, Ignore, walk
from textae.corpus.isolation import AVAILABLE, File, Reader
from textae.corpus.parts import in_parts
from textae.corpus.reading import DEFAULT, FileError, Item, LateError, Limits, Stopwatch
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import PICTURES, TEXTS, Document, Skipped

STDIN = "stdin"
"""The id of a text from standard input, and the name of a table from there."""

_AHEAD = 16  # files that the reader may read while the documents of the first one are used


def kind_of(path: PurePath) -> str:
    """The kind of documents in a file, one of `KINDS`, by its name; "" where the ending tells neither."""
    ending = _ending(path)
    return TEXTS if not ending or ending in formats.FORMATS else PICTURES if ending in images.ENDINGS else ""


def read_folder(
    folder: Path,
    prefix: str,
    spec: TableSpec,
    kind: str,
    limits: Limits = DEFAULT,
    ignore: Ignore = BY_DEFAULT,
    *,
    part: str = "",
    others: Sequence[str] = (),
) -> Iterator[Document | Skipped]:
    """Every document in a folder.

    Args:
        folder: to read.
        prefix: put before the ids.
        spec: how tables are read; a table without the fields is skipped, as is a damaged file.
        kind: of the documents, one of `KINDS`.
        limits: of each document.
        ignore: what is left out.
        part: the path of a file or a folder in it, of which alone the documents are read.
        others: the paths of other sources, whose files are left out.

    Raises:
        CorpusError: the folder cannot be listed.
    """
    if not os.access(folder, os.R_OK | os.X_OK):
        raise CorpusError(f"{folder}: {reading.DENIED}; read and execute permission required")
    belonging = Belonging(folder, others, partial(listing, kind=kind, ignore=ignore))
    files = _files(folder, prefix, kind, ignore, limits.longest, part, belonging)
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
    path: Path, name: str, spec: TableSpec, kind: str, limits: Limits = DEFAULT, *, own_ids: bool = False
) -> Iterator[Document | Skipped]:
    """Every document in a file that was named by itself.

    Args:
        path: of the file.
        name: of its document, or of its table.
        spec: how tables are read.
        kind: of the documents, one of `KINDS`.
        limits: of each document.
        own_ids: whether the rows of a table keep their ids as they are, without the name of the table.

    Raises:
        CorpusError: it cannot be read at all.
    """
    if not os.access(path, os.R_OK):
        raise CorpusError(f"{path}: {reading.DENIED}")
    ending = _ending(path)
    file = File(path, name, "", is_alone=True, own_ids=own_ids, longest=limits.longest)
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
        given = Given(buffered, STDIN, ".jsonl" if is_json else "", spec, own_ids=True)
        yield from filter(None, formats.read(given))
    finally:
        buffered.detach()  # else standard input would be closed with it


def _refusal(path: Path, kind: str, belonging: Belonging) -> str:
    """The reason not to read a file of a folder; "" where there is none."""
    is_link = False
    try:
        mode = path.lstat().st_mode
        if is_link := stat.S_ISLNK(mode):
            mode = path.stat().st_mode
    except OSError as error:
        return reading.BROKEN_LINK if is_link else reading.reason_of(error)
    if stat.S_ISDIR(mode):
        return "a link to a folder" if is_link else reading.DENIED
    if not stat.S_ISREG(mode):
        return "not a file"
    if not _may_hold(path, kind):
        return f"unknown type {_ending(path)}".strip()
    if reading.is_deleted_mail(path):
        return reading.DELETED
    if not os.access(path, os.R_OK):
        return reading.DENIED
    return LINKED if is_link and belonging.is_known(path) else ""


def _may_hold(path: Path, kind: str) -> bool:
    """Whether a file may hold documents of a kind, by its name; any file of an unknown ending may be text."""
    return kind_of(path) in (kind, "" if kind == TEXTS else kind)


def listing(source: Path, kind: str, ignore: Ignore) -> Iterator[Path]:
    """The files that are read of a folder; of a file that is named by itself, this file."""
    return (path for path, why in walk(source, ignore) if not why and (path == source or _may_hold(path, kind)))


def _files(
    folder: Path, prefix: str, kind: str, ignore: Ignore, longest: int, part: str, belonging: Belonging
) -> Iterator[File | Skipped]:
    """The files of a folder, and those that are not to be read."""
    start = 0 if folder == Path() else len(str(folder / "x")) - 1
    for path, why in walk(folder, ignore):
        inside = str(path)[start:]  # `relative_to` takes a tenth of the time to read a file
        if part and not is_within(inside, part):
            continue
        name = escaped(prefix + inside.replace(os.sep, "/"))
        if why:
            yield Skipped(name, why, ignored=True)
            continue
        if kind == PICTURES and _ending(path) == images.LABELS:
            continue  # read together with their pictures
        if belonging.is_of_another(inside):
            continue
        reason = _refusal(path, kind, belonging)
        label = escaped(path.parent.name) if os.sep in inside else ""
        yield Skipped(name, reason) if reason else File(path, name, label, longest=longest)


def _is_isolated(path: Path, kind: str) -> bool:
    """Whether a file is read in a process of its own: whether its parser is not a loop over lines."""
    return AVAILABLE and (kind == PICTURES or formats.find(path).isolated)


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
    path = file.path
    if kind == PICTURES:
        yield from images.read(path, file.name, file.label, spec)
        return
    with reading.opened(path, stopwatch) as stream:
        status = os.fstat(stream.fileno())
        given = Given(
            *(stream, file.name, _ending(path), spec, file.start),
            path=path,
            size=status.st_size,
            modified=status.st_mtime,
            is_alone=file.is_alone,
            own_ids=file.own_ids,
            longest=file.longest,
        )
        is_short = 0 < given.size <= file.longest and reading.without_packing(path) == path  # files of /proc have 0
        if formats.find(path).parts and not is_short:
            yield from in_parts(stream, file.name, file.longest, lambda *part: formats.read(given.part(*part)))
        else:
            yield from formats.read(given)


def _ending(path: PurePath) -> str:
    """The ending, as `formats` knows it; of MNIST's files the part of the name that takes its place."""
    name = path.name.lower()
    if "ubyte" in name:
        name = reading.without_packing(path).name.lower()
        return next((ending for ending in images.IDX if name.endswith(ending)), formats.ending_of(path))
    return formats.ending_of(path)
