"""Milvus as a `VectorStore`: milvus-lite in a file of this machine, or a server.

    milvus:///home/me/docs.db              a file, which milvus-lite serves in this process
    milvus://HOST:PORT/COLLECTION          a server; MILVUS_TOKEN holds its token, where it wants one

The collection of the address holds files, in pieces, and a row that names the commit that clients read; a collection of
its own holds the documents of each commit. So a commit is replaced by one row, also by milvus-lite, which has no
aliases. All reads are strongly consistent: a document that was deleted is found no more.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from textae.errors import QueryError, StoreError, needs_extra
from textae.remote.conditions import AllOf, AnyOf, Between, Has, Known, Named, Not, Numbered, Predicate
from textae.remote.vector_store import BITS, MOST_DOCUMENTS, NAMES, WORDS, Found, Row, Sparse

T = TypeVar("T")

SCHEME = "milvus://"

_ADDRESS = re.compile(
    r"milvus://(?:(?P<file>/(?:[^#?]*/)?[A-Za-z0-9._-]{1,33}\.db)"
    r"|(?P<host>[^/@?#]+:\d{1,5})/(?P<name>[A-Za-z_]\w{0,99}))",
    re.ASCII,
)
_CONNECT, _TIMEOUT = 5.0, 60.0
"""Seconds to wait for an answer: until there is a connection, and of a call."""
_PIECE = 48 << 10
"""Bytes of a file in one row: a string holds 65,535 bytes, and base64 takes four thirds."""
MOST_TEXT, _MOST_LIST = 65_535, 4_096
"""Bytes of a string and numbers of a list, at most."""
_STRONG = "Strong"
_SEARCHES = {
    BITS: {"index_type": "BIN_FLAT", "metric_type": "HAMMING"},
    WORDS: {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "IP"},
    NAMES: {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "IP"},
    "floats": {"index_type": "FLAT", "metric_type": "COSINE"},
}


class Milvus:
    """The index at an address.

    Args:
        address: as above.
        is_new: whether to make a file that is not there.

    Raises:
        StoreError: it is no such address; nobody answers there; or another process has the file.
        ExtraMissingError: pymilvus is not installed.
    """

    def __init__(self, address: str, *, is_new: bool = False) -> None:
        parsed = _ADDRESS.fullmatch(address)
        if parsed is None or (parsed["host"] and int(parsed["host"].rpartition(":")[2]) > 65_535):
            raise StoreError(
                f"{address:.200} is no address; give milvus://HOST:PORT/COLLECTION, or milvus:///PATH/FILE.db with a "
                "name of at most 36 ASCII letters, digits, '.', '-' and '_'"
            )
        self.address, self._embedded = address, parsed["file"] is not None
        self._files, self._documents = parsed["name"] or "textae", ""
        where = str(Path(parsed["file"]).resolve()) if self._embedded else f"http://{parsed['host']}"
        if self._embedded and not Path(where).parent.is_dir():
            raise StoreError(f"{Path(where).parent} is no folder; give milvus:///PATH/FILE.db in one that exists")
        if self._embedded and not is_new and not Path(where).exists():
            raise StoreError(f"there is no {where}; 'textae push --to {address}' makes it")
        with needs_extra("milvus", "serving by Milvus"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of protobuf's, and of setuptools that milvus-lite imports
            import pymilvus

            self._pymilvus = pymilvus
            for name in [name for name in logging.root.manager.loggerDict if name.startswith("pymilvus")]:
                logging.getLogger(name).disabled = True  # errors are raised, too
            token = os.environ.get("MILVUS_TOKEN", "")
            with self._failures():
                if self._embedded:
                    _check_alone(Path(where))
                self._client = pymilvus.MilvusClient(where, token=token, timeout=_CONNECT)
            if self._embedded:
                _held.add(where)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Raise a `StoreError` of one line where Milvus fails."""
        import grpc

        try:
            yield
        except (self._pymilvus.MilvusException, grpc.RpcError, ValueError, OSError, RuntimeError) as error:
            why = getattr(error, "message", "") or (error.details() if hasattr(error, "details") else str(error))
            line = " ".join(str(why).split())[:200]
            raise StoreError(f"{self.address} does not answer as Milvus does: {line}") from None

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        with self._failures():
            return getattr(self._client, name)(*arguments, timeout=_TIMEOUT, **options)

    def _select(self, collection: str, where: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        options: dict[str, Any] = {"output_fields": list(columns), "consistency_level": _STRONG}
        with self._failures():
            try:
                return list(self._client.query(collection, where, limit=MOST_DOCUMENTS, timeout=_TIMEOUT, **options))
            except self._pymilvus.MilvusException as error:
                if "Unsupported data type: 0" not in str(error):  # so milvus-lite says that there are none
                    raise
                return []

    # Reading

    def manifest(self) -> Mapping[str, Any]:
        """What was published last."""
        rows = []
        if self._call("has_collection", self._files):
            rows = self._select(self._files, 'name == "current"', ["name", "content"])
        if not rows:
            raise StoreError(f"{self.address} holds no index; 'textae push --to {self.address}' pushes one")
        try:
            manifest = json.loads(rows[0]["content"])
        except (ValueError, KeyError, TypeError, RecursionError):
            manifest = None
        if not isinstance(manifest, dict) or not isinstance(manifest.get("commit"), str):
            raise StoreError(f"{self.address} holds no index of textae's; give another address")
        return manifest

    def use(self, commit: str) -> None:
        """Search the documents of this commit from now on."""
        self._documents = f"{self._files}_{re.sub('[^0-9a-f]', '', commit)[:16]}"

    def nearest(
        self, column: str, vector: bytes | Sparse, k: int, where: Predicate | None, columns: Sequence[str] = ()
    ) -> Found:
        """The k documents nearest to a vector that meet a predicate."""
        found = self._call(
            "search", self._documents, [vector], anns_field=column, limit=min(k, MOST_DOCUMENTS),
            filter="" if where is None else self._expression(where), output_fields=list(columns),
            search_params={"metric_type": _SEARCHES[column]["metric_type"]}, consistency_level=_STRONG,
        )  # fmt: skip
        hits = list(found[0]) if found else []
        numbers = np.array([hit["id"] if "id" in hit else hit["number"] for hit in hits], np.int64)
        scores = np.array([hit["distance"] for hit in hits], np.float64)
        return Found(numbers, scores, [hit["entity"] for hit in hits])

    def select(self, where: Predicate, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Columns of the documents that meet a predicate."""
        rows = self._select(self._documents, self._expression(where), ["number", *columns])
        if len(rows) == MOST_DOCUMENTS:
            raise QueryError(f"{MOST_DOCUMENTS:,} documents or more meet the condition; give a narrower one")
        return rows

    def read_file(self, sha256: str) -> bytes:
        """The bytes of a file."""
        pieces = []
        for number in count():
            rows = self._select(self._files, f'name == "{sha256}/{number}"', ["content"])
            if not rows:
                break
            pieces.append(base64.b64decode(rows[0]["content"]))
        return b"".join(pieces)

    # Writing

    def begin(self, commit: str, n_bytes: int, dims: int) -> None:
        """Make room for the documents of a commit."""
        import grpc

        kind = self._pymilvus.DataType
        self.use(commit)
        with suppress(self._pymilvus.MilvusException, grpc.RpcError):  # milvus-lite tells no version
            version = str(self._client.get_server_version())
            if re.match(r"v?(1|2\.[0-3])\.", version):  # one vector a document
                raise StoreError(f"{self.address} is Milvus {version:.40}, and an index needs 2.4 or newer")
        if not self._call("has_collection", self._files):
            schema = self._client.create_schema(auto_id=False)
            schema.add_field("name", kind.VARCHAR, is_primary=True, max_length=100)
            schema.add_field("content", kind.VARCHAR, max_length=MOST_TEXT)
            schema.add_field(BITS, kind.BINARY_VECTOR, dim=8)  # a collection must have a vector
            self._create(self._files, schema, [BITS])
        if self._call("has_collection", self._documents):
            return
        schema = self._client.create_schema(auto_id=False)
        schema.add_field("number", kind.INT64, is_primary=True)
        for name in ("id", "title", "text", "fields", "rest"):
            schema.add_field(name, kind.VARCHAR, max_length=MOST_TEXT)
        schema.add_field("has_code", kind.BOOL)
        schema.add_field("values", kind.JSON)
        for name, of in (("keys", kind.INT64), ("terms", kind.INT32)):
            schema.add_field(name, kind.ARRAY, element_type=of, max_capacity=_MOST_LIST)
        schema.add_field(BITS, kind.BINARY_VECTOR, dim=8 * n_bytes)
        for name in (WORDS, NAMES):
            schema.add_field(name, kind.SPARSE_FLOAT_VECTOR)
        if dims:
            schema.add_field("floats", kind.FLOAT16_VECTOR, dim=dims)
        self._create(self._documents, schema, [BITS, WORDS, NAMES, *["floats"][: bool(dims)]])

    def _create(self, name: str, schema: Any, vectors: Sequence[str]) -> None:
        indexes = self._client.prepare_index_params()
        for vector in vectors:
            indexes.add_index(vector, **_SEARCHES[vector])
        self._call("create_collection", name, schema=schema, index_params=indexes, consistency_level=_STRONG)

    def has(self, numbers: Sequence[int]) -> set[int]:
        """Which of these documents the commit in use holds."""
        return {row["number"] for row in self.select(Numbered(numbers), [])}

    def insert(self, rows: Iterable[Row]) -> None:
        """Add documents to the commit in use."""
        given = [vars(row) | {"keys": row.keys[:_MOST_LIST], "terms": row.terms[:_MOST_LIST]} for row in rows]
        for row in given:
            for name in ("id", "title", "text", "fields", "rest"):
                if (size := len(row[name].encode())) > MOST_TEXT:
                    raise StoreError(
                        f"the {name} of the document {row['id']!r:.100} has {size:,} bytes, and Milvus holds "
                        f"{MOST_TEXT:,}; 'textae index --longest 60k' reads long files, not rows of tables, in parts"
                    )
            if row["floats"] is None:
                del row["floats"]
        if given:
            self._call("insert", self._documents, given)

    def write_file(self, sha256: str, content: bytes) -> None:
        """Write a file, unless it is there already; its first piece is written last."""
        if self._select(self._files, f'name == "{sha256}/0"', ["name"]):
            return
        for at in reversed(range(0, max(1, len(content)), _PIECE)):
            self._put(f"{sha256}/{at // _PIECE}", base64.b64encode(content[at : at + _PIECE]).decode())

    def _put(self, name: str, content: str) -> None:
        self._call("upsert", self._files, [{"name": name, "content": content, BITS: b"\0"}])

    def publish(self, manifest: Mapping[str, Any]) -> None:
        """Let clients read this commit, at once, and drop all but it and the one before."""
        try:
            before = self.manifest()
        except StoreError:
            before = {"commit": ""}
        for name in (self._documents, self._files):
            self._call("flush", name)
        self._put("current", json.dumps(manifest))
        kept = {self._documents, self._files}
        own = self._documents
        self.use(before["commit"])
        kept.add(self._documents)
        self._documents = own
        for name in self._call("list_collections"):
            if re.fullmatch(rf"{re.escape(self._files)}_[0-9a-f]{{16}}", name) and name not in kept:
                self._call("drop_collection", name)

    def close(self) -> None:
        """Nothing: all clients of an address in a process share a connection, which ends with the process."""

    # Expressions

    def _expression(self, where: Predicate) -> str:
        match where:
            case Has(column, numbers):
                return f"array_contains_any({column}, {list(map(int, numbers))})" if numbers else _NOTHING
            case Between(field, kind, n, low, high):
                values = (f"values[{_quoted(field)}][{_quoted(kind)}][{at}]" for at in range(n))
                return _joined("or", (f"({one} >= {_quoted(low)} and {one} < {_quoted(high)})" for one in values))
            case Numbered(numbers):
                return f"number in {list(map(int, numbers))}" if numbers else _NOTHING
            case Named(id):
                return f"id == {_quoted(id)}"
            case Known():
                return "has_code == true"
            case AllOf(parts):
                return _joined("and", map(self._expression, parts)) if parts else _EVERYTHING
            case AnyOf(parts):
                return _joined("or", map(self._expression, parts)) if parts else _NOTHING
            case Not(Numbered(numbers)):
                return f"number not in {list(map(int, numbers))}" if numbers else _EVERYTHING
            case Not(part):
                if not self._embedded:
                    return f"not ({self._expression(part)})"
                # milvus-lite cannot negate: the documents are listed.
                return self._expression(Not(Numbered([row["number"] for row in self.select(part, [])])))


_held: set[str] = set()
"""Files that milvus-lite serves in this process."""


def _check_alone(file: Path) -> None:
    """Raise a `StoreError` where another process has a file: milvus-lite would delete its lock when it is refused."""
    import fcntl  # milvus-lite is of Linux and macOS

    lock = file.with_name(f".{file.name}.lock")
    if str(file) not in _held and lock.exists():
        with lock.open("a") as held:  # to close it would free a lock of this process
            try:
                fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreError(f"another process has {file}, and a file serves one; use a server of Milvus") from None


_NOTHING, _EVERYTHING = "number < 0", "number >= 0"


def _joined(by: str, parts: Iterable[str]) -> str:
    return f"({f' {by} '.join(parts)})"


def _quoted(text: str) -> str:
    """A string in an expression, as it is but for what would end it.

    Raises:
        QueryError: it has a control character, for which milvus-lite knows no escape.
    """
    if re.search(r"[\x00-\x1f]", text):
        raise QueryError(f"{text!r:.60} has a control character, and Milvus cannot search for these")
    escaped = text.encode(errors="replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
