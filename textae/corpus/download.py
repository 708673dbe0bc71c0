"""Downloading an archive and unpacking it, so that what is there is whole and is what its publisher published.

The archive is written under a temporary name, its checksum compared, then renamed; the files are unpacked the same
way, the corpus last, so that an interruption at any moment leaves nothing that could be taken for the corpus. Of an
archive only the members that the recipe names are read, and written under names of our own: a member called
`../../etc/passwd` has nowhere to go.
"""

import gzip
import hashlib
import http.client
import json
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from textae.errors import CorpusError
from textae.types import Progress

_PIECE = 1 << 20
_PATIENCE = 30  # seconds without a byte
_NEWSGROUP_SPLITS = {"20news-bydate-train": "train", "20news-bydate-test": "test"}


@dataclass(frozen=True, slots=True)
class Archive:
    """What is downloaded, and what to make of it.

    Attributes:
        url: of a .zip or .tar.gz.
        bytes: its size, where it is known.
        sha256: its checksum.
        md5: its checksum, where the publisher gives no better one.
        format: `zip`, or `20newsgroups`: a tar with a folder for the split, in it one for the group, in it a file for
            each message.
        members: of a zip: the member that becomes each file, by the file's name.
    """

    url: str
    bytes: int = 0
    sha256: str = ""
    md5: str = ""
    format: str = "zip"
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.url.rpartition("/")[2]


def fetch(archive: Archive, name: str, folder: Path, progress: Progress) -> None:
    """Make a folder of the files of an archive; what was downloaded for that is not kept, what a person saved is.

    Args:
        archive: what to fetch, unless it lies in the folder already.
        name: of the corpus, for messages.
        folder: where to.
        progress: told of each megabyte.

    Raises:
        CorpusError: it cannot be fetched, is not what was published, or cannot be unpacked.
    """
    saved, downloaded = folder / archive.file, folder / f".{archive.file}"
    packed = saved
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not saved.exists():
            packed = downloaded
        if not packed.exists():
            _download(archive, name, packed, progress)
        _verify(archive, packed)
        UNPACK[archive.format](archive, packed, folder)
        downloaded.unlink(missing_ok=True)
    except (zipfile.BadZipFile, KeyError, tarfile.TarError, EOFError, zlib.error) as error:
        raise CorpusError(f"{packed} cannot be unpacked ({error}); delete it and try again") from error
    except OSError as error:
        raise CorpusError(f"{folder}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A file that is there whole, or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise


def _download(archive: Archive, name: str, packed: Path, progress: Progress) -> None:
    stage = f"downloading {name}"
    advice = f"download {archive.url} by hand, and save it as {packed.with_name(archive.file)}"
    try:
        with urllib.request.urlopen(archive.url, timeout=_PATIENCE) as response, _written(packed) as file:
            total = int(response.headers.get("Content-Length") or archive.bytes) or None
            done = 0
            while piece := response.read(_PIECE):
                file.write(piece)
                done += len(piece)
                progress(stage, done, total)
            if total and done < total:
                raise http.client.IncompleteRead(b"", total - done)
            _verify(archive, Path(file.name), file)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise CorpusError(f"the corpus {name!r} could not be downloaded ({reason}); {advice}") from error


def _verify(archive: Archive, packed: Path, unfinished: IO[bytes] | None = None) -> None:
    """Compare the checksum.

    Raises:
        CorpusError: it is another file than the one that was published.
    """
    if unfinished:
        unfinished.flush()
    kind, expected = ("sha256", archive.sha256) if archive.sha256 else ("md5", archive.md5)
    with packed.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found != expected:
        where = archive.url if unfinished else str(packed)
        raise CorpusError(f"{where} is not what was published: its {kind} is {found}, expected {expected}")


def _unpack_zip(archive: Archive, packed: Path, folder: Path) -> None:
    with zipfile.ZipFile(packed) as source:
        # The corpus comes last: where it is, the rest is too.
        for file, member in sorted(archive.members.items(), key=lambda item: item[0].startswith("corpus.")):
            with source.open(member) as content, _written(folder / file) as target:
                if file.endswith(".gz"):
                    with gzip.GzipFile("", "wb", fileobj=target, mtime=0) as zipped:
                        shutil.copyfileobj(content, zipped, _PIECE)
                else:
                    shutil.copyfileobj(content, target, _PIECE)


def _unpack_newsgroups(archive: Archive, packed: Path, folder: Path) -> None:
    """The messages as a table: id `newsgroup/number`, label, split; the bytes are Latin-1, as the collection's are."""
    with (
        tarfile.open(packed) as messages,
        _written(folder / "corpus.jsonl.gz") as target,
        gzip.GzipFile("", "wb", fileobj=target, mtime=0) as zipped,
    ):
        for member in messages:
            parts = member.name.split("/")
            content = messages.extractfile(member) if member.isfile() else None
            if content is None or len(parts) != 3 or parts[0] not in _NEWSGROUP_SPLITS:
                continue
            split, label, number = parts
            text = content.read().decode("latin-1")
            row = {"id": f"{label}/{number}", "text": text, "label": label, "split": _NEWSGROUP_SPLITS[split]}
            zipped.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


UNPACK: dict[str, Callable[[Archive, Path, Path], None]] = {"zip": _unpack_zip, "20newsgroups": _unpack_newsgroups}
"""How an archive of each format becomes files in a folder."""
