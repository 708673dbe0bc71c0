"""The files of a dataset on any filesystem that pyarrow knows: a folder, S3, GCS, HDFS.

A file is there whole or not at all: it is written beside its place and renamed into it.
"""

import contextlib
import hashlib
import os
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from textae.errors import TextaeError, needs_extra
from textae.files import sync_folder

_URL = re.compile(r"file:|[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_AT_A_TIME = 1 << 20  # bytes
_PART = re.compile(r"\.[0-9a-f]{32}\.part$")
_DAY = 86_400  # seconds; another process may be writing a file that is younger

_FOLDERS = ("documents", "counts", "tokens", "samples", "codes", "models", "vocabularies", "removed")
NAME = re.compile(rf"({'|'.join(_FOLDERS)})/[0-9a-f]{{64}}\.(parquet|npz)")
"""What a manifest may name: a stranger may have written it."""


class DatasetError(TextaeError):
    """There is no dataset where one was expected, or it is damaged, of another version, or cannot be written."""


class Storage:
    """Files by name, below an address.

    Args:
        address: a path, or a URL such as `s3://bucket/notes` or `hdfs://host/notes`.

    Raises:
        DatasetError: no filesystem has that address.
    """

    def __init__(self, address: str) -> None:
        with needs_extra("tables", "a dataset of shards"):
            import pyarrow as pa
            from pyarrow import fs
        if not address:
            raise DatasetError("the address of the dataset is empty; give a folder, or a URL")
        url = _URL.match(address)
        self.address = url[0].lower() + address[url.end() :] if url else str(Path(address).absolute())
        self._is_local = not url or self.address.startswith("file:")
        try:
            self._files, self._root = fs.FileSystem.from_uri(self.address)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DatasetError(
                f"no dataset can be at {address!r:.200}; give a path, or an encoded URL of file, s3, gs or hdfs: "
                f"{_line(error)}"
            ) from None

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def has(self, name: str) -> bool:
        """Whether there is a file with this name."""
        with self._failures():
            return bool(self._files.get_file_info(self._path(name)).is_file)

    def size(self, name: str) -> int:
        """The bytes of a file; -1 where there is none."""
        return self.sizes([name])[0]

    def sizes(self, names: Sequence[str]) -> list[int]:
        """The bytes of each file; -1 where there is none."""
        with self._failures():
            found = self._files.get_file_info(list(map(self._path, names)))
        return [int(one.size) if one.is_file else -1 for one in found]

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Any]:
        """Open a file to read; a pyarrow file, which may be read in any order."""
        if not self.has(name):  # to open a pipe would wait for a writer
            raise DatasetError(f"the dataset {self.address}: {name} is missing")
        with self._failures(), self._files.open_input_file(self._path(name)) as file:
            yield file

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """Give a stream to write to; the file takes its name when the block ends, unless it failed."""
        place = self._path(name)
        passing = f"{place}.{uuid.uuid4().hex}.part"
        with self._failures():
            self._files.create_dir(place.rpartition("/")[0], recursive=True)
            try:
                with self._files.open_output_stream(passing) as stream:
                    yield stream
                if self._is_local:
                    with Path(passing).open("r+b") as file:  # Windows syncs what is open to write
                        os.fsync(file.fileno())
                self._files.move(passing, place)
            except BaseException:
                with contextlib.suppress(OSError):
                    self._files.delete_file(passing)
                raise
        if self._is_local:
            sync_folder(Path(place).parent)

    def names(self, folder: str) -> list[str]:
        """The files of a folder."""
        from pyarrow import fs

        with self._failures():
            found = self._files.get_file_info(fs.FileSelector(self._path(folder), allow_not_found=True))
        return sorted(f"{folder}/{one.base_name}" for one in found if one.is_file)

    def delete(self, name: str) -> None:
        """Delete a file, if it is there.

        Raises:
            DatasetError: its folder is a link, which may lead anywhere; or the filesystem refuses.
        """
        if self._is_local and Path(self._path(name)).parent.is_symlink():
            raise DatasetError(f"{self.address}/{name} is damaged, and its folder is a link; delete the file")
        if self.has(name):
            with self._failures():
                self._files.delete_file(self._path(name))

    def sweep(self) -> None:
        """Delete the files that processes left half-written when they were killed, a day ago or more.

        A folder that is a link, or cannot be read, is left as it is.
        """
        from pyarrow import fs

        for place in (self._root, *map(self._path, (*_FOLDERS, "manifests"))):
            with contextlib.suppress(OSError):  # another process may have deleted a file
                if self._is_local and place != self._root and Path(place).is_symlink():
                    continue
                for one in self._files.get_file_info(fs.FileSelector(place, allow_not_found=True)):
                    if _PART.search(one.path) and one.mtime.timestamp() < time.time() - _DAY:
                        self._files.delete_file(one.path)

    def bytes_of(self, name: str, most: int) -> bytes:
        """A small file.

        Raises:
            DatasetError: it is missing, or has more than `most` bytes.
        """
        if self.size(name) > most:
            raise DatasetError(f"{self.address}/{name} has more than {most:,} bytes; it is no file of a dataset")
        with self.reading(name) as file:
            return bytes(file.read())

    def hash(self, name: str) -> str:
        """The SHA-256 of a file, in hexadecimal digits."""
        digest = hashlib.sha256()
        with self.reading(name) as file:
            while part := file.read(_AT_A_TIME):
                digest.update(part)
        return digest.hexdigest()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process holds the folder, and hold it. Filesystems with a URL have no such lock."""
        if not self._is_local or os.name != "posix":
            yield
            return
        import fcntl

        with self._failures():
            self._files.create_dir(self._root, recursive=True)
            folder = os.open(self._root, os.O_RDONLY)
        try:
            with self._failures():
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise DatasetError(f"the dataset {self.address}: {_line(error)}") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
