"""A dataset of shards: the documents of a corpus, their terms and codes, and the model, as Parquet and numpy files.

    notes.dataset/
      manifest.json                  the commit: settings, the model, the shards in order, a hash of each file
      manifests/<sha256>.json        every commit there was
      documents/<sha256>.parquet     id, title, text, fields (JSON), source, origin, places
      codes/<sha256>.parquet         id, tokens, known, bits, floats, lsa; and those of passages
      models/<sha256>.npz            the arrays of an index that belong to no document
      vocabularies/<sha256>.npz
      counts/, tokens/, samples/     of a step that another one reads; they can be deleted after the commit

No file is ever changed. The commit is the replacement of `manifest.json`, which is atomic. Removing documents writes
a list of their ids. Others read the Parquet files as they are.
"""

import contextlib
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textae.cluster.storage import NAME, DatasetError, Storage
from textae.cluster.worker import VERSION
from textae.index import settings as setting_rules
from textae.index.records import Arrays
from textae.index.soundness import model_faults
from textae.types import Progress

FORMAT = 2

SHARD, SHARD_CHARACTERS = 1 << 15, 1 << 26
"""The most documents of a shard, and about the most characters."""

_MANIFEST = "manifest.json"
_MOST_MANIFEST, _MOST_ARRAYS = 1 << 28, 1 << 32  # bytes
ANEW = "'textae index --out … --replace' or 'textae push --replace' makes it anew"
_HASH = re.compile("[0-9a-f]{64}")
_DAMAGE = (
    ValueError, TypeError, OSError, KeyError, EOFError, NotImplementedError, SyntaxError, RecursionError, MemoryError,
    TokenError, zipfile.BadZipFile,
)  # fmt: skip
"""What reading a stranger's arrays raises."""


@dataclass(frozen=True)
class Shard:
    """A part of a dataset.

    Attributes:
        documents: the name of the file of the documents.
        n: the number of documents.
        codes: the name of the file of the codes; empty while there is none.
    """

    documents: str
    n: int
    codes: str = ""


@dataclass(frozen=True)
class Removed:
    """Documents that were removed.

    Attributes:
        ids: the name of the file of their ids.
        shards: how many shards there were; a document of a later one may have the id of a removed one.
    """

    ids: str
    shards: int


@dataclass(frozen=True)
class Manifest:
    """One commit of a dataset.

    Attributes:
        settings: of an index of these documents.
        model: the name of the file of the model's arrays.
        vocabulary: the name of the file of the terms.
        shards: in the order of the documents.
        removed: what was removed, in order.
        files: the SHA-256 and the bytes of each file, by name.
        parent: the hash of the commit before; empty for none.
    """

    settings: Mapping[str, Any]
    model: str
    vocabulary: str
    shards: tuple[Shard, ...]
    removed: tuple[Removed, ...] = ()
    files: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    parent: str = ""

    @property
    def names(self) -> list[str]:
        """The files of this commit."""
        of_shards = [name for shard in self.shards for name in (shard.documents, shard.codes)]
        return [self.model, self.vocabulary, *of_shards, *(one.ids for one in self.removed)]


class Dataset:
    """The files and the commits of a dataset.

    Args:
        address: a path, or a URL of a filesystem that pyarrow knows.
    """

    def __init__(self, address: str) -> None:
        self.storage = Storage(address)

    @property
    def address(self) -> str:
        """Where it is: an absolute path, or a URL."""
        return self.storage.address

    def head(self) -> str:
        """The hash of the last commit, of whatever version or damage; empty where there is none.

        Raises:
            DatasetError: the file of this name is somebody else's; or the folder is an index.
        """
        stored = self._last()
        if not stored and self.storage.has("index.sqlite"):
            raise DatasetError(f"{self.address} is an index, and no dataset; take another folder")
        return hashlib.sha256(stored).hexdigest() if stored else ""

    def _last(self) -> bytes:
        stored = self.storage.bytes_of(_MANIFEST, _MOST_MANIFEST) if self.storage.has(_MANIFEST) else b""
        if stored and not (b'"format"' in stored[:50] and b'"textae"' in stored[:50]):  # it begins with both
            raise DatasetError(f"{self.address}/{_MANIFEST} is not textae's; delete it, or take another folder")
        return stored

    def manifest(self) -> Manifest:
        """The last commit.

        Raises:
            DatasetError: there is none, or it is not what textae writes.
        """
        if not (stored := self._last()):
            raise DatasetError(
                f"there is no dataset at {self.address}; 'textae index --out' or 'textae push' makes one"
            )
        return self._parsed(stored)

    def _parsed(self, stored: bytes) -> Manifest:
        try:
            value = json.loads(stored)
            if value["format"] != FORMAT:
                made = f"{value['textae']!r:.20}"
                raise DatasetError(
                    f"the dataset {self.address} was made by textae {made}, which writes another format; {ANEW}"
                )
            shards = tuple(Shard(one["documents"], one["n"], one["codes"]) for one in value["shards"])
            files = {name: (sha256, size) for name, (sha256, size) in value["files"].items()}
            removed = tuple(Removed(one["ids"], one["shards"]) for one in value["removed"])
            names = value["model"], value["vocabulary"]
            manifest = Manifest(value["settings"], *names, shards, removed, files, str(value["parent"]))
            sound = (
                all(NAME.fullmatch(name) and name in files for name in manifest.names)
                and names[0].startswith("models/") and names[1].startswith("vocabularies/")
                and all(one.documents.startswith("documents/") and one.codes.startswith("codes/") for one in shards)
                and all(one.ids.startswith("removed/") for one in removed)
                and all(_HASH.fullmatch(sha256) and type(size) is int for sha256, size in files.values())
                and isinstance(manifest.settings, dict)
                and all(type(shard.n) is int and 0 < shard.n <= SHARD for shard in shards)
                and bool(shards)
                and all(type(one.shards) is int for one in removed)
                and bool(_stored(manifest))  # no half of a surrogate pair
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            sound = False
        if not sound:
            raise DatasetError(f"the manifest of {self.address} is not what textae writes; {ANEW}")
        if manifest.settings.get("shape") is not None:
            raise DatasetError(f"the dataset {self.address} is of pictures, and a dataset of shards holds texts")
        # What an index adds when it is written.
        complete = {"documents": 1, "next_number": 1, "history": "", "segments": ["0"], "sources": {}}
        for fault in setting_rules.faults({**complete, **manifest.settings}):
            raise DatasetError(f"the manifest of {self.address} is not what textae writes: {fault}")
        return replace(manifest, files={name: files[name] for name in manifest.names})  # a stranger may list others

    def commit(self, manifest: Manifest, before: str) -> None:
        """Make a manifest the last commit, at once.

        Args:
            manifest: its files are there; those of which it knows no hash are read.
            before: the `head` that it replaces.

        Raises:
            DatasetError: another process has committed meanwhile.
        """
        files = {
            name: manifest.files.get(name) or (self.storage.hash(name), self.storage.size(name))
            for name in sorted(set(manifest.names))
        }
        stored = _stored(replace(manifest, files=files, parent=before))
        with self.storage.alone():
            if self.head() != before or not all(self.storage.has(name) for name in files.keys() - manifest.files):
                raise DatasetError(f"another process has committed to {self.address}; nothing is changed, run it again")
            for name in (f"manifests/{hashlib.sha256(stored).hexdigest()}.json", _MANIFEST):
                with self.storage.writing(name) as stream:
                    stream.write(stored)

    def faults(self, written: Mapping[str, tuple[str, int]], progress: Progress) -> Iterator[tuple[str, str]]:
        """The files, as in `Manifest.files`, that are not what was written: each name, and what is wrong with it."""
        for done, (name, file) in enumerate(written.items()):
            progress("checking", done, len(written))
            if (size := self.storage.size(name)) < 0:
                yield name, "is missing"
            elif size != file[1] or self.storage.hash(name) != file[0]:
                yield name, "is not what was written"

    def discard_damaged(self, progress: Progress) -> None:
        """Delete the files of all commits that are not what was written: what is there is not computed again.

        Raises:
            DatasetError: a file cannot be read or deleted.
        """
        written: dict[str, tuple[str, int]] = {}
        for name in filter(self.storage.has, (*self.storage.names("manifests"), _MANIFEST)):
            stored = self.storage.bytes_of(name, _MOST_MANIFEST)
            with contextlib.suppress(DatasetError):  # of another format, none of whose files is taken; or damaged
                written |= self._parsed(stored).files
        for name, _ in self.faults(written, progress):
            self.storage.delete(name)

    def check_sizes(self, manifest: Manifest) -> None:
        """Check that the files of a commit are there and whole, which `check` does by every byte.

        Raises:
            DatasetError: one is not.
        """
        sizes = self.storage.sizes([*manifest.files])
        for (name, (_, size)), found in zip(manifest.files.items(), sizes, strict=True):
            if size != found:
                raise DatasetError(f"the dataset {self.address} is damaged: {name} is not what was written; {ANEW}")

    def check(self, manifest: Manifest, progress: Progress) -> None:
        """Check every byte of a commit.

        Raises:
            DatasetError: a file is not what was written.
        """
        for name, fault in self.faults(manifest.files, progress):
            raise DatasetError(f"the dataset {self.address} is damaged: {name} {fault}")

    def write_arrays(self, kind: str, arrays: Arrays) -> str:
        """Write arrays to a file that is named by their content, and return its name.

        Args:
            kind: the folder of the file.
            arrays: by name.
        """
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **{name: np.asarray(array) for name, array in arrays.items()})
        name = f"{kind}/{hashlib.sha256(packed.getbuffer()).hexdigest()}.npz"
        if not self.storage.has(name):
            with self.storage.writing(name) as stream:
                stream.write(packed.getbuffer())
        return name

    def check_model(self, manifest: Manifest) -> None:
        """Check the model and the vocabulary of a commit, which encode what is new: a stranger may have made them.

        Raises:
            DatasetError: they are not what textae writes.
        """
        arrays = self.read_arrays(manifest.model) | self.read_arrays(manifest.vocabulary)
        for fault in model_faults(arrays, manifest.settings):
            raise DatasetError(f"the model of {self.address} is not what textae writes: {fault}")

    def read_arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """The arrays of a file.

        Raises:
            DatasetError: it is not what textae writes.
        """
        stored = self.storage.bytes_of(name, _MOST_ARRAYS)
        if hashlib.sha256(stored).hexdigest() in name:
            with contextlib.suppress(*_DAMAGE), zipfile.ZipFile(io.BytesIO(stored)) as file:
                members = file.infolist()
                if sum(one.file_size for one in members) <= len(stored):  # `savez` does not compress
                    return {one.filename.removesuffix(".npy"): _array(file.read(one)) for one in members}
        raise DatasetError(f"{self.address}/{name} is not what textae writes")


def _array(stored: bytes) -> NDArray[Any]:
    """The array of a .npy file; `numpy.load` would make room for what a stranger's header declares."""
    stream = io.BytesIO(stored)
    np.lib.format.read_magic(stream)
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    values = np.frombuffer(stored, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if by_columns else "C")


def key_of(*parts: Any) -> str:
    """The name of what is computed from these values: a SHA-256 of them as JSON, and of the version of the format."""
    return hashlib.sha256(json.dumps([FORMAT, VERSION, *parts]).encode()).hexdigest()


def settings_of_model(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that encode: those that `textae.index.stored_model.stored_model` reads."""
    return {name: settings[name] for name in ("analysis", "about", "passage", "shape")}


def _stored(manifest: Manifest) -> bytes:
    listed = {name: [vars(one) for one in getattr(manifest, name)] for name in ("shards", "removed")}
    value = {"format": FORMAT, "textae": VERSION, **vars(manifest), **listed}
    return json.dumps(value, ensure_ascii=False, indent=1).encode()
