"""What an index stores, with the hashes that prove it whole: the rows of documents, and the files of arrays."""

import contextlib
import hashlib
import json
import math
import os
import re
import struct
from collections.abc import Mapping, Sequence
from io import BufferedReader, BufferedWriter
from pathlib import Path
from tokenize import TokenError
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from textae.errors import CorpusError, StoreError
from textae.index.directory import Directory
from textae.types import Document, FieldValue, Picture, Place, is_deeper

Arrays = Mapping[str, NDArray[Any]]

COLUMNS = "number, id, title, text, fields, source, origin, places, picture, content, sha256"
"""The columns of a document's row."""

DEEPEST = 200
"""Levels of a document's fields. What prints them goes down level by level, and Python's stack ends at 1,000."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHAPE = struct.Struct("<3I")  # stands before the pixels of a picture
_encoded = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` would make an encoder each time: 3 µs


def damaged(folder: Path, what: str) -> StoreError:
    """The error for files of an index that are not what was written."""
    return StoreError(f"the index {folder} is damaged: {what}; 'textae index --replace' rebuilds it from its sources")


def content_hash(document: Document) -> bytes:
    """The hash of a document's id, title, text, fields and picture, without its number, source and places; 32 bytes.

    Raises:
        UnicodeEncodeError: of half of a surrogate pair, which cannot be stored.
    """
    return _content_hash(_content(document))


def row_of(document: Document, number: int) -> tuple[Any, ...]:
    """A document as a row of `COLUMNS`.

    Raises:
        UnicodeEncodeError: of half of a surrogate pair, which cannot be stored.
    """
    content = _content(document)
    content_hash = _content_hash(content)
    where = document.source, document.origin, places_json(document.places)
    return number, *content[:4], *where, content[4], content_hash, _row_hash(number, where, content_hash)


def places_json(places: Sequence[Place]) -> str:
    """The places of a document, as they are stored."""
    return json.dumps([[place.start, place.kind, place.name] for place in places], separators=(",", ":"))


def where_hash(source: str, places: str) -> int:
    """A hash of where a document is, in this process: its source, and its places as they are stored."""
    return hash((source, places))


def document_of(row: Sequence[Any], folder: Path) -> Document:
    """The document of a row of `COLUMNS`.

    Raises:
        StoreError: the row is not what was written.
    """
    parsed = _parsed(row)
    if parsed is None:
        raise damaged(folder, f"the document {row[1]!r} is not what was written")
    fields, places = parsed
    _, id, title, text, _, source, origin, _, stored, *_ = row
    picture = None if stored is None else Picture(*shape_of(stored), stored[_SHAPE.size :])
    return Document(id, text, title, fields, source, origin, picture, places)


def fields_of(stored: str, folder: Path) -> dict[str, FieldValue]:
    """The fields of a document, as they are stored.

    Raises:
        StoreError: they are not what was written.
    """
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        fields = json.loads(stored)
        if isinstance(fields, dict):
            return fields
    raise damaged(folder, "the fields of a document are not what was written")


def is_whole(row: Sequence[Any]) -> bool:
    """Whether a document's row is what was written; a damaged database may give values of any type."""
    return _parsed(row) is not None


def _parsed(row: Sequence[Any]) -> tuple[dict[str, FieldValue], tuple[Place, ...]] | None:
    """The fields and the places of a document's row; None where the row is not what was written."""
    number, id, title, text, fields, source, origin, places, picture, content, sha256 = row
    try:
        whole = (
            _content_hash((id, title, text, fields, picture)) == content
            and _row_hash(number, (source, origin, places), content) == sha256
            and all(isinstance(value, str) for value in (id, title, text, source, origin))
            and isinstance(parsed := json.loads(fields), dict)
            and not is_deeper(parsed, DEEPEST)
            and (picture is None or math.prod(shape_of(picture)) == len(picture) - _SHAPE.size)
        )
        return (parsed, places_of(places, len(text))) if whole else None
    except (TypeError, ValueError, RecursionError, struct.error):
        return None


def places_of(stored: str, length: int) -> tuple[Place, ...]:
    """The places in a text of some length.

    Raises:
        TypeError: they are not what was written.
        ValueError: the same.
    """
    parsed = json.loads(stored)
    places, before = [], 0
    for start, kind, name in parsed:
        if not (type(start) is int and before <= start <= length and type(kind) is type(name) is str):
            raise ValueError("a place that is outside of the text, or before another one")
        places.append(Place(start, kind, name))
        before = start
    if type(parsed) is not list:
        raise TypeError("no places")
    return tuple(places)


def shape_of(picture: bytes) -> tuple[int, int, int]:
    """Height, width and channels of a stored picture."""
    height, width, channels = _SHAPE.unpack_from(picture)
    return height, width, channels


_Content = tuple[str, str, str, str, bytes | None]
"""The columns id, title, text, fields and picture."""


def _content(document: Document) -> _Content:
    try:
        fields = _encoded(dict(document.fields))
    except TypeError as error:
        raise CorpusError(f"the fields of the document {document.id!r:.60} are none that JSON holds: {error}") from None
    picture = None if document.picture is None else _SHAPE.pack(*document.picture.shape) + document.picture.pixels
    return document.id, document.title, document.text, fields, picture


def _content_hash(content: _Content) -> bytes:
    """The hash of the columns and their lengths: as JSON, a text of a megabyte would take five times as long."""
    *texts, picture = content
    parts = [*map(str.encode, texts), *([] if picture is None else [picture])]
    content_hash = hashlib.sha256(repr([*map(len, parts)]).encode())
    for part in parts:
        content_hash.update(part)
    return content_hash.digest()


def _row_hash(number: int, where: tuple[str, str, str], content_hash: bytes) -> bytes:
    """The hash of a row; `where` is its source, origin and places."""
    return hashlib.sha256(_encoded([number, *where]).encode() + content_hash).digest()


def digest_of(settings: Sequence[Any], arrays: Sequence[Any]) -> str:
    """The hash of a commit without its documents: of the rows of its settings and of its arrays, by name."""
    return hashlib.sha256(json.dumps([settings, arrays], default=repr).encode()).hexdigest()


def map_array(arrays: Directory, name: str, sha256: str, size: int) -> NDArray[Any]:
    """Memory-map an array of `size` bytes, header included.

    Args:
        arrays: the folder of the arrays.
        name: of the array in the index, for messages.
        sha256: by which its file is named.
        size: of its file.

    Raises:
        StoreError: the hash is malformed, or the file is not whole, or a link.
        FileNotFoundError: the file is missing.
    """
    if not (isinstance(name, str) and _SHA256.fullmatch(str(sha256))):  # the hash becomes a path
        raise damaged(arrays.path.parent, f"the array {name!r} is not named by a hash")
    with arrays.open(f"{sha256}.npy") as file:
        if os.fstat(file.fileno()).st_size == size:
            # What numpy makes of a broken header.
            with contextlib.suppress(ValueError, TypeError, SyntaxError, TokenError, MemoryError):
                return _mapped(file)
    raise damaged(arrays.path.parent, f"the array {name!r} in {sha256}.npy is not whole")


def _mapped(file: BufferedReader) -> NDArray[Any]:
    """As `np.lib.format.open_memmap`, which takes a path, and would follow it once more."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("objects are pickles")
    order: Literal["F", "C"] = "F" if fortran_order else "C"
    return np.memmap(file, dtype, "r", file.tell(), shape, order)


def write_array(arrays: Directory, array: NDArray[Any]) -> tuple[str, int]:
    """Write an array under a temporary name, sync it, and rename it to its hash; returns the hash and the size."""
    temporary = f"{os.getpid()}.part"
    with new_file(arrays, temporary) as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    sha256 = file_hash(arrays, temporary)
    arrays.replace(temporary, arrays, f"{sha256}.npy")
    return sha256, size


def new_file(arrays: Directory, name: str) -> BufferedWriter:
    """A new file in place of what has this name, which a stranger may have made a second name of another file."""
    arrays.remove(name)
    return arrays.create(name)


def file_hash(arrays: Directory, name: str) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with arrays.open(name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
