"""The tables of a shard, as Parquet: its documents, tokens, counts and codes."""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.cluster.dataset import Dataset
from textae.cluster.storage import DatasetError
from textae.encoding.bags import Tokens
from textae.encoding.counting import TermCounts
from textae.errors import StoreError
from textae.index.records import fields_of, places_json, places_of
from textae.types import Document

_BATCH = 1_024  # documents that memory holds at a time
_MOST = 1 << 32  # bytes of a file when it is unpacked
_DTYPES = {"known": np.bool_, "floats": np.float16, "bits": np.uint8, "lsa": np.float16}
_DOCUMENT = ("id", "title", "text", "fields", "source", "origin", "places")


def write_documents(dataset: Dataset, documents: Iterable[Document]) -> str:
    """Write the documents of a shard to a file that is named by its content, and return its name."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    schema = pa.schema([(name, pa.string()) for name in _DOCUMENT])
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        rows = iter(documents)
        while batch := list(islice(rows, _BATCH)):
            columns = zip(*map(_row, batch), strict=True)
            writer.write_batch(pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=schema))
    packed = sink.getvalue()
    name = f"documents/{hashlib.sha256(packed).hexdigest()}.parquet"
    if not dataset.storage.has(name):
        with dataset.storage.writing(name) as stream:
            stream.write(packed)
    return name


def _row(document: Document) -> tuple[str, ...]:
    fields = json.dumps(dict(document.fields), ensure_ascii=False)
    places = places_json(document.places)
    return document.id, document.title, document.text, fields, document.source, document.origin, places


def read_documents(dataset: Dataset, name: str) -> Iterator[Document]:
    """The documents of a shard, in order.

    Raises:
        DatasetError: the file is not what textae writes.
    """
    for batch in _read(dataset, name, _DOCUMENT):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            id, title, text, fields, source, origin, places = row
            try:
                yield Document(
                    id, text, title, fields_of(fields, Path(dataset.address)), source, origin,
                    places=places_of(places, len(text)),
                )  # fmt: skip
            except (TypeError, ValueError, RecursionError, StoreError):
                raise DatasetError(
                    f"{dataset.address}/{name}: the document {id!r:.60} is not what was written"
                ) from None


def read_ids(dataset: Dataset, name: str) -> Iterator[str]:
    """The ids of a shard, or of what is removed, in order."""
    for batch in _read(dataset, name, ("id",)):
        yield from batch.column(0).to_pylist()


def write_ids(dataset: Dataset, name: str, ids: Sequence[str]) -> None:
    """Write a list of ids."""
    _write(dataset, name, {"id": ids})


def write_counts(dataset: Dataset, name: str, counts: TermCounts, about: Mapping[str, Any]) -> None:
    """Write the terms of a shard and their document frequencies, and what JSON holds about the shard."""
    about = {**about, "n_documents": counts.n_documents}
    _write(dataset, name, {"term": list(counts.terms), "frequency": counts.frequencies}, json.dumps(about))


def read_counts(dataset: Dataset, name: str) -> tuple[TermCounts, dict[str, Any]]:
    """The terms of a shard and their document frequencies, and what was written about the shard."""
    with _opened(dataset, name) as file:
        about = _about(file)
        table = file.read()
    counts = TermCounts(about["n_documents"], table["term"].to_pylist(), table["frequency"].to_numpy())
    return counts, about


def write_tokens(dataset: Dataset, name: str, tokens: Tokens) -> None:
    """Write the tokens of documents."""
    _write(dataset, name, {"tokens": _lists(tokens)})


def read_tokens(dataset: Dataset, name: str) -> Tokens:
    """The tokens of the documents of a file."""
    import pyarrow as pa

    with _opened(dataset, name) as file:
        column = file.read(["tokens"])["tokens"].cast(pa.large_list(pa.int32())).combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # without a chunk
            return Tokens(np.zeros(1, np.int64), np.empty(0, np.int32))
        terms = column.flatten()
        if column.null_count or terms.null_count:
            raise ValueError("a document has no tokens")
    starts = column.offsets.to_numpy().astype(np.int64)
    return Tokens(starts - starts[0], terms.to_numpy())


def _lists(tokens: Tokens) -> Any:
    import pyarrow as pa

    return pa.LargeListArray.from_arrays(pa.array(tokens.starts), pa.array(np.asarray(tokens.terms), pa.int32()))


def write_codes(
    dataset: Dataset,
    name: str,
    ids: Sequence[str],
    tokens: Tokens,
    codes: Mapping[str, Mapping[str, NDArray[Any]]],
    n_passages: NDArray[np.int64],
) -> None:
    """Write the codes of a shard, a row for each document.

    Args:
        dataset: to write to.
        name: of the file.
        ids: of the documents, n.
        tokens: of the documents, n rows.
        codes: of each unit, arrays by name: of the documents n rows, of their passages those of `n_passages`.
        n_passages: of each document, (n,).
    """
    columns: dict[str, Any] = {"id": list(ids), "tokens": _lists(tokens)}
    for unit, arrays in codes.items():
        ends = np.arange(len(ids) + 1) if unit == "documents" else np.concatenate([[0], np.cumsum(n_passages)])
        for array_name, array in arrays.items():
            columns[array_name if unit == "documents" else f"{unit}/{array_name}"] = _packed(array, ends)
    widths = {f"{unit}/{name}": array.shape[1:] for unit, arrays in codes.items() for name, array in arrays.items()}
    _write(dataset, name, columns, json.dumps(widths))


def _packed(array: NDArray[Any], ends: NDArray[np.int64]) -> Any:
    """Rows of numbers as bytes: those from an end to the next one in one value."""
    import pyarrow as pa

    plain = np.ascontiguousarray(array)
    width = plain.itemsize * int(np.prod(plain.shape[1:], dtype=np.int64))
    offsets = pa.py_buffer(ends.astype(np.int64) * width)
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends) - 1, [None, offsets, pa.py_buffer(plain)])


def read_codes(dataset: Dataset, name: str) -> tuple[list[str], dict[str, dict[str, NDArray[Any]]], NDArray[np.int64]]:
    """The ids of the documents of a shard, the codes of each unit, and the passages of each document.

    Raises:
        DatasetError: the file is not what textae writes.
    """
    with _opened(dataset, name) as file:
        widths = _about(file)
        table = file.read()
    codes: dict[str, dict[str, NDArray[Any]]] = {}
    n_passages = np.zeros(len(table), np.int64)
    try:
        for key, shape in widths.items():
            unit, _, array_name = key.rpartition("/")
            column = table[array_name if unit == "documents" else key]
            sizes, packed = _unpacked(column)
            dtype = np.dtype(_DTYPES[array_name.rpartition("-")[2]])
            array = np.frombuffer(packed, dtype).reshape(-1, *shape)
            codes.setdefault(unit, {})[array_name] = array
            if unit != "documents":
                n_passages = sizes // (dtype.itemsize * int(np.prod(shape, dtype=np.int64)))
        return table["id"].to_pylist(), codes, n_passages
    except (KeyError, ValueError, TypeError, AttributeError):
        raise DatasetError(f"{dataset.address}/{name} is not what textae writes") from None


def _unpacked(column: Any) -> tuple[NDArray[np.int64], bytes]:
    values = column.combine_chunks()
    parts = values.chunks if hasattr(values, "chunks") else [values]
    sizes, packed = [np.empty(0, np.int64)], []
    for part in parts:
        _, offsets, content = part.buffers()
        ends = np.frombuffer(offsets, np.int64)[part.offset : part.offset + len(part) + 1]
        sizes.append(np.diff(ends))
        packed.append(b"" if content is None else memoryview(content)[ends[0] : ends[-1]])
    return np.concatenate(sizes), b"".join(packed)


def _write(dataset: Dataset, name: str, columns: Mapping[str, Any], about: str = "") -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(dict(columns))
    if about:
        table = table.replace_schema_metadata({"textae": about})
    with dataset.storage.writing(name) as stream:
        parquet.write_table(table, stream, compression="zstd", row_group_size=_BATCH)


@contextlib.contextmanager
def _opened(dataset: Dataset, name: str) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    with dataset.storage.reading(name) as stream:
        try:
            with parquet.ParquetFile(stream) as file:
                groups = map(file.metadata.row_group, range(file.num_row_groups))
                if sum(group.total_byte_size for group in groups) > _MOST:
                    raise ValueError(f"it would take more than {_MOST:,} bytes")
                yield file
        except (pa.ArrowException, KeyError, ValueError, TypeError, RecursionError) as error:
            why = " ".join(str(error).split())[:200]
            raise DatasetError(f"{dataset.address}/{name} is not what textae writes: {why}") from None


def _read(dataset: Dataset, name: str, columns: Sequence[str]) -> Iterator[Any]:
    with _opened(dataset, name) as file:
        for batch in file.iter_batches(_BATCH, columns=list(columns)):
            yield batch.select(list(columns))  # a column that is missing is an error here


def _about(file: Any) -> Any:
    """What was written beside the columns."""
    return json.loads((file.schema_arrow.metadata or {})[b"textae"])
