"""Codes for other tools: an array, a parquet table, or comma-separated values; written in chunks, whole or not at all.

    codes.npy       (n, dims) float32, or (n, n_bits / 8) uint8 packed; ids beside it in codes.ids, a line each
    codes.parquet   columns `id` and `code`, a list of as many numbers
    codes.csv       id, c0, c1 …; or id and `bits`, in hexadecimal

Rows are in the order of the index. A document of which the encoder knows no word has a code of zeros.
"""

import contextlib
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.encoding.encoders import Codes
from textae.errors import TextaeError, needs_extra
from textae.files import whole_file

ENDINGS = (".npy", ".parquet", ".csv")

_CHUNK = 8_192  # rows in memory at a time


def export_codes(path: Path, ids: Sequence[str], codes: Codes, what: str) -> None:
    """Write the codes of all documents.

    Args:
        path: whose ending, one of `ENDINGS`, decides the format.
        ids: of the documents, n.
        codes: of the documents, n.
        what: `bits` or `floats`.

    Raises:
        TextaeError: the ending is of no format; or an id is of two lines, and the ids of an array are lines.
        OSError: the file cannot be written; what was there is as it was.
    """
    rows = codes.bits if what == "bits" else codes.floats
    match path.suffix:
        case ".npy":
            _write_array(path, ids, rows)
        case ".parquet":
            _write_parquet(path, ids, rows)
        case ".csv":
            _write_csv(path, ids, rows)
        case _:
            raise TextaeError(f"no format for {path.name!r}; give a name that ends in {', '.join(ENDINGS)}")


def _chunks(ids: Sequence[str], rows: NDArray[Any]) -> Iterator[tuple[Sequence[str], NDArray[Any]]]:
    """The ids, and the codes in a type that other tools know, a chunk at a time."""
    for first in range(0, len(rows), _CHUNK):
        part = slice(first, first + _CHUNK)
        yield ids[part], rows[part] if rows.dtype == np.uint8 else rows[part].astype(np.float32)


def _write_array(path: Path, ids: Sequence[str], rows: NDArray[Any]) -> None:
    broken = next((id for id in ids if len(id.splitlines()) > 1 or id != id.strip("\r\n")), None)
    if broken is not None:
        raise TextaeError(f"the id {broken!r} is of several lines, and the ids of an array are a line each; give .csv")
    number = "|u1" if rows.dtype == np.uint8 else "<f4"
    with contextlib.ExitStack() as files:
        array, lines = (files.enter_context(whole_file(file)) for file in (path, path.with_suffix(".ids")))
        lines.write_text("".join(f"{id}\n" for id in ids), encoding="utf-8", newline="\n")
        with array.open("wb") as file:
            header = {"descr": number, "fortran_order": False, "shape": rows.shape}
            np.lib.format.write_array_header_1_0(file, header)
            for _, chunk in _chunks(ids, rows):
                file.write(chunk.astype(number).tobytes())


def _write_parquet(path: Path, ids: Sequence[str], rows: NDArray[Any]) -> None:
    with needs_extra("tables", "writing .parquet files"):
        import pyarrow as pa
        from pyarrow import parquet

    number = pa.uint8() if rows.dtype == np.uint8 else pa.float32()
    schema = pa.schema([("id", pa.string()), ("code", pa.list_(number, rows.shape[1]))])
    with whole_file(path) as passing, parquet.ParquetWriter(passing, schema) as writer:
        for some, chunk in _chunks(ids, rows):
            lists = pa.FixedSizeListArray.from_arrays(pa.array(chunk.ravel(), number), rows.shape[1])
            writer.write_batch(pa.record_batch([pa.array(some, pa.string()), lists], schema=schema))


def _write_csv(path: Path, ids: Sequence[str], rows: NDArray[Any]) -> None:
    bits = rows.dtype == np.uint8
    with whole_file(path) as passing, passing.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "bits"] if bits else ["id", *(f"c{i}" for i in range(rows.shape[1]))])
        for some, chunk in _chunks(ids, rows):
            for id, row in zip(some, chunk, strict=True):
                writer.writerow([id, row.tobytes().hex()] if bits else [id, *map(str, row)])
