"""Vectors of documents that the user has from a model of theirs, brought to the documents that they are of.

    embedding       a field of the documents that holds a list of numbers; the documents lose it
    vectors.npy     an array of n rows, one for each document that the sources give, in their order
    {id: vector}    also a file .parquet, with a column `id` and a column of lists
    f(texts)        a function from a list of texts, title and body, to as many vectors

A row of an array belongs to each document that the sources give, also to one that is skipped, as an empty row of a
table is, but to none that is left out on purpose (`--select`, hidden files). So the array of all rows of a table fits.
Whether a vector can be used is decided in `textae.index.own_vectors`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from os import PathLike
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import searchable
from textae.encoding.given_vectors import vectors_of
from textae.errors import CorpusError, CorpusTypeError, needs_extra
from textae.types import Document, Skipped

Items = Iterable[Document | Skipped]

Vectors = Any
"""The name of a field, the path of a file, an array, a mapping, or a function, as above."""

_DAMAGE = (ValueError, TypeError, SyntaxError, EOFError, NotImplementedError, MemoryError, TokenError)
"""What numpy makes of a broken header, and pyarrow of a damaged file or of lists of something else."""

_BATCH = 64
"""Texts that a function gets at a time."""


def field_of(vectors: Vectors) -> str:
    """The field that these vectors are in; "" where they are elsewhere."""
    return vectors if isinstance(vectors, str) and not vectors.endswith((".npy", ".parquet")) else ""


def with_vectors(corpus: Items, vectors: Vectors, field: str = "") -> Iterator[Document | Skipped]:
    """The documents, each with its vector where it has one.

    Args:
        corpus: read once.
        vectors: as above; None for those that the documents have.
        field: that documents lose in any case, and whose vector they get where `vectors` is None.

    Raises:
        CorpusError: a file of vectors cannot be read, or has another number of rows than there are documents.
        CorpusTypeError: `vectors` is nothing of the above; or a function gives another number of rows than texts.
    """
    items = _each(corpus, partial(_without, field)) if field else iter(corpus)
    given, name = vectors, "the array"
    if isinstance(vectors, PathLike) or (isinstance(vectors, str) and not field_of(vectors)):
        name = os.fspath(vectors)
        given = (_table if name.endswith(".parquet") else array_in)(Path(name))
    if given is None:
        return items
    if isinstance(given, str):
        return _each(items, partial(_without, given)) if given != field else items
    if isinstance(given, Mapping):
        return _each(items, lambda document: replace(document, vector=given.get(document.id)))
    if callable(given):
        return _by_function(items, given)
    if np.ndim(given) != 2:
        raise CorpusTypeError(
            f"vectors are the name of a field, a path, an array of (documents, numbers), a mapping or a function; "
            f"got {type(given).__name__} {np.shape(given)}: {vectors!r:.60}"
        )
    return _by_row(items, given, name)


def array_in(path: Path) -> NDArray[Any]:
    """The numbers in a .npy file, memory-mapped.

    Raises:
        CorpusError: the file cannot be read, or holds something else.
    """
    with _readable(path):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            raise ValueError("no numbers")
    rows: NDArray[Any] = array
    return rows


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CorpusError(f"the vectors {path} cannot be read: {error.strerror or error}") from None
    except _DAMAGE as error:
        reason = next(iter(str(error).splitlines()), "")
        raise CorpusError(f"the vectors {path} are damaged, or no numbers in that format: {reason:.200}") from None


def _table(path: Path) -> dict[str, NDArray[np.float64]]:
    """The vectors of a parquet file, by their ids."""
    with needs_extra("tables", "reading .parquet files"):
        import pyarrow as pa
        from pyarrow import parquet
    found: dict[str, NDArray[np.float64]] = {}
    kinds = (pa.ListType, pa.LargeListType, pa.FixedSizeListType)
    with _readable(path), path.open("rb") as stream, parquet.ParquetFile(stream) as file:
        names, lists = file.schema_arrow.names, [one.name for one in file.schema_arrow if isinstance(one.type, kinds)]
        if "id" not in names or len(lists) != 1:
            raise CorpusError(
                f"the vectors {path} need a column id and one column of lists; there are {', '.join(names):.200}"
            )
        for batch in file.iter_batches(columns=["id", *lists]):
            column = batch.column(lists[0]).cast(pa.list_(pa.float64()))
            ends = np.cumsum(column.value_lengths().fill_null(0))
            rows = np.split(column.flatten().to_numpy(zero_copy_only=False), ends[:-1])
            found |= zip(batch.column("id").cast(pa.string()).to_pylist(), rows, strict=True)
    return {id: row for id, row in found.items() if len(row)}


def _each(corpus: Items, change: Callable[[Document], Document]) -> Iterator[Document | Skipped]:
    return (change(item) if isinstance(item, Document) else item for item in corpus)


def _without(field: str, document: Document) -> Document:
    """A document with its vector from a field, and without that."""
    if field not in document.fields:
        return document
    others = {name: value for name, value in document.fields.items() if name != field}
    return replace(document, fields=others, vector=document.fields[field])


def _by_row(corpus: Items, rows: Any, name: str) -> Iterator[Document | Skipped]:
    n = skipped = 0
    for item in corpus:
        if isinstance(item, Skipped) and item.ignored:
            yield item
            continue
        vector = rows[n] if n < len(rows) else None
        n += 1
        skipped += isinstance(item, Skipped)
        yield replace(item, vector=vector) if isinstance(item, Document) else item
    if n != len(rows):
        beside = f", {skipped:,} of them skipped" if skipped else ""
        raise CorpusError(
            f"{name} has {len(rows):,} rows of vectors for {n:,} documents{beside}; give a row for each, in their "
            "order, or a .parquet file with their ids"
        )


def _by_function(corpus: Items, function: Callable[[list[str]], Any]) -> Iterator[Document | Skipped]:
    items = iter(corpus)
    while some := list(islice(items, _BATCH)):
        texts = [searchable(item) for item in some if isinstance(item, Document)]
        rows = vectors_of(function, texts)
        for item in some:
            yield replace(item, vector=next(rows)) if isinstance(item, Document) else item
