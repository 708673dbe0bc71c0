"""Folders, files and standard input.

A folder is read with all that is in it, in the order of the names, and each file's id is its path inside the folder.
What its ending says is how a file is read, with or without `.gz` behind it:

    .txt .text .log, or no ending          plain text
    .md .markdown .rst .adoc .org .tex     text whose first heading is the title
    .html .htm .xhtml                      the words that a reader sees
    .mbox .eml                             mail, each message a document
    .jsonl .ndjson .csv .tsv .parquet      tables, each row a document
    .xlsx .xlsm .ods .feather .arrow .orc
    .dta .sas7bdat .xpt                    tables, too: `textae.corpus.pandas_tables`

These are texts; `textae.corpus.images` has what pictures are read from. A corpus is one of both, and files of the
other kind are not opened. In a folder, files with another ending are skipped by that name and counted; hidden files,
`__pycache__` and `node_modules` are not looked at. A file that is damaged, or gone before its turn, is skipped, too.
Links to files are followed, links to folders are not, so nothing is read twice and no loop has a beginning. A file that
is named by itself is read whatever its ending, as plain text where it has none of these, or as a picture; that it is
damaged is then an error.
"""

import os
from collections.abc import Callable, Iterator
from io import BufferedReader, RawIOBase
from pathlib import Path, PurePath
from typing import IO, BinaryIO, cast

from textae.corpus import html as markup
from textae.corpus import images as pictures
from textae.corpus import mail, pandas_tables, tables
from textae.corpus import reading as streams
from textae.corpus.reading import FileError
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import PICTURES, TEXTS, Document, Skipped

STDIN = "stdin"
"""The id of a text that comes from standard input, and the name of a table that does."""

_NOT_LOOKED_AT = {"__pycache__", "node_modules"}


def kind_of(path: PurePath) -> str:
    """Which kind of documents a file holds by its name, one of `KINDS`; "" where its ending says neither."""
    ending = _ending(path)
    return TEXTS if ending in _READERS else PICTURES if ending in pictures.ENDINGS else ""


def read_folder(folder: Path, prefix: str, spec: TableSpec, kind: str) -> Iterator[Document | Skipped]:
    """Every document in a folder.

    Args:
        folder: where to look.
        prefix: put before the ids.
        spec: how tables are read; a table without the fields is skipped, not an error, as is what is damaged.
        kind: of the documents, one of `KINDS`.

    Raises:
        CorpusError: the folder cannot be looked into.
    """
    if not os.access(folder, os.R_OK | os.X_OK):
        raise CorpusError(f"{folder}: {streams.DENIED}; it takes the right to list the folder and to enter it")
    for path in walk(folder):
        inside = path.relative_to(folder)
        name = (prefix + inside.as_posix()).encode("utf-8", "replace").decode()
        if kind == PICTURES and _ending(path) == pictures.LABELS:
            continue  # they are read with what they are of
        reason = _refusal(path, kind)
        if reason:
            yield Skipped(name, reason)
            continue
        try:
            if kind == PICTURES:
                yield from pictures.read(path, name, inside.parent.name, spec)
            else:
                yield from _READERS[_ending(path)](path, name, spec)
        except FileError as error:
            yield Skipped(name, error.reason)


def read_file(path: Path, name: str, spec: TableSpec, kind: str) -> Iterator[Document | Skipped]:
    """Every document in a file that was named by itself.

    Raises:
        CorpusError: it cannot be read at all.
    """
    if not os.access(path, os.R_OK):
        raise CorpusError(f"{path}: {streams.DENIED}")
    ending = _ending(path)
    if ending and kind_of(path) not in ("", kind):
        yield Skipped(name, f"unknown type {ending}")
    elif kind == PICTURES:
        yield from pictures.read(path, name, "", spec)
    else:
        reader = _reads_json if ending == ".json" else _READERS.get(ending, _READS_PLAIN_TEXT)
        yield from reader(path, name, spec)


def read_stdin(stream: BinaryIO, spec: TableSpec) -> Iterator[Document | Skipped]:
    """Standard input: jsonl if its first letter is `{`, else one text."""
    buffered = BufferedReader(cast("RawIOBase", stream))
    try:
        while (ahead := buffered.peek(1)) and ahead[:1].isspace():
            buffered.read(1)
        if ahead.removeprefix(b"\xef\xbb\xbf").startswith(b"{"):
            yield from tables.read_rows(tables.json_rows(buffered), STDIN, spec)
        else:
            yield from _wanted(_text(buffered, STDIN, _as_is), spec)
    finally:
        buffered.detach()  # else standard input would be closed with it


def walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in the order of the names; and every folder that cannot be looked into."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        is_folder = path == folder or (os.path.isdir(path) and not path.is_symlink())  # noqa: PTH112 (never raises)
        if not (is_folder and os.access(path, os.R_OK | os.X_OK)):
            yield path
            continue
        try:
            inside = sorted(path.iterdir(), reverse=True)
        except OSError:  # it was there a moment ago
            yield path
            continue
        waiting += [new for new in inside if not new.name.startswith(".") and new.name not in _NOT_LOOKED_AT]


def _refusal(path: Path, kind: str) -> str:
    """Why a file of a folder is not read; nothing where it is."""
    if not os.path.exists(path):  # noqa: PTH110 (never raises)
        return "a link to nothing" if path.is_symlink() else streams.GONE
    if path.is_dir():
        return "a link to a folder" if path.is_symlink() else streams.DENIED
    if not path.is_file():
        return "not a file"
    if kind_of(path) != kind:
        return f"unknown type {_ending(path)}".strip()
    return "" if os.access(path, os.R_OK) else streams.DENIED


Parts = Callable[[str], tuple[str, str]]
"""Takes the title and the text out of what a file says."""

Reader = Callable[[Path, str, TableSpec], Iterator[Document | Skipped]]
"""Reads the documents of a file."""


def _as_is(source: str) -> tuple[str, str]:
    return "", source.strip()


def _text(stream: IO[bytes], name: str, parts: Parts) -> Iterator[Document | Skipped]:
    """A file that is one document."""
    try:
        title, text = parts(streams.storable(streams.decoded(streams.whole(stream))))
    except streams.RefusedError as error:
        yield Skipped(name, str(error))
        return
    if title or text:
        yield Document(name, text, title, source=name)
    else:
        yield Skipped(name, streams.EMPTY)


def _wanted(documents: Iterator[Document | Skipped], spec: TableSpec) -> Iterator[Document | Skipped]:
    """The documents that were selected."""
    return (item for item in documents if isinstance(item, Skipped) or spec.selects(item.fields))


def _reads_text(parts: Parts) -> Reader:
    def read(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
        with streams.snapshot(path) as stream:
            yield from _wanted(_text(stream, name, parts), spec)

    return read


def _reads_mbox(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    with streams.snapshot(path) as stream:
        yield from _wanted(mail.read_mbox(stream, name), spec)


def _reads_message(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    with streams.snapshot(path) as stream:
        try:
            message = mail.read_message(streams.whole(stream), name)
        except streams.RefusedError as error:
            message = Skipped(name, str(error))
    yield from _wanted(iter([message]), spec)


def _reads_jsonl(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    with streams.snapshot(path) as stream:
        yield from tables.read_rows(tables.json_rows(stream), name, spec)


def _reads_csv(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    with streams.snapshot(path) as stream:
        yield from tables.read_rows(tables.csv_rows(stream, name), name, spec)


def _reads_tsv(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    with streams.snapshot(path) as stream:
        yield from tables.read_rows(tables.csv_rows(stream, name, delimiter="\t"), name, spec)


def _reads_parquet(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    yield from tables.read_rows(tables.parquet_rows(path), name, spec)


def _reads_json(path: Path, name: str, spec: TableSpec) -> Iterator[Document | Skipped]:
    """A .json file that was named by itself: one object a line, as so many are."""
    with streams.snapshot(path) as stream:
        if stream.read(64).lstrip().startswith(b"["):
            raise CorpusError(
                f"{path}: one JSON array; a table has one object a line: jq -c '.[]' {path} > {path.stem}.jsonl"
            )
    yield from _reads_jsonl(path, name, spec)


_READS_PLAIN_TEXT = _reads_text(_as_is)
_READS_MARKDOWN = _reads_text(markup.markdown_parts)
_READS_HTML = _reads_text(markup.html_parts)
_READERS: dict[str, Reader] = {
    **dict.fromkeys(("", ".txt", ".text", ".log"), _READS_PLAIN_TEXT),
    **dict.fromkeys((".md", ".markdown", ".rst", ".adoc", ".org", ".tex"), _READS_MARKDOWN),
    **dict.fromkeys((".html", ".htm", ".xhtml"), _READS_HTML),
    ".mbox": _reads_mbox,
    ".eml": _reads_message,
    ".jsonl": _reads_jsonl,
    ".ndjson": _reads_jsonl,
    ".csv": _reads_csv,
    ".tsv": _reads_tsv,
    ".parquet": _reads_parquet,
    **dict.fromkeys(pandas_tables.ENDINGS, pandas_tables.read),
}


def _ending(path: PurePath) -> str:
    """The ending, without .gz; of the files of MNIST what stands in its place."""
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    name = plain.name.lower()
    return next((ending for ending in pictures.IDX if name.endswith(ending)), plain.suffix.lower())
