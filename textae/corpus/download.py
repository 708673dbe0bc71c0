"""Downloads of archives, checked and unpacked, so that an interruption leaves no file that looks like the corpus.

The archive is written under a temporary name, compared with its checksum, then renamed. Its files are unpacked in the
same way, the corpus last. Only the members that the recipe names are read, and they get the recipe's names: a member
called `../../etc/passwd` is never written.
"""

import gzip
import hashlib
import http.client
import json
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from textae.errors import CorpusError
from textae.files import make_folder, whole_file
from textae.types import Progress

_PIECE = 1 << 20
_TIMEOUT = 30  # seconds without a byte
_NEWSGROUP_SPLITS = {"20news-bydate-train": "train", "20news-bydate-test": "test"}


@dataclass(frozen=True, slots=True)
class Archive:
    """A file to download, and how to unpack it.

    Attributes:
        url: of a .zip or .tar.gz.
        bytes: its size, where it is known.
        sha256: its checksum.
        md5: its checksum, where the publisher gives no SHA-256.
        format: `zip`, or `20newsgroups`: a tar with a folder for each split, in it a folder for each group, in it a
            file for each message.
        members: of a zip: the member for each file, by the file's name.
    """

    url: str
    bytes: int = 0
    sha256: str = ""
    md5: str = ""
    format: str = "zip"
    members: Mapping[str, str] = field(default_factory=dict)


def fetch(archive: Archive, name: str, folder: Path, progress: Progress) -> None:
    """Unpack an archive into a folder; it is downloaded unless it lies there.

    A downloaded archive is deleted; one that was saved by hand is kept.

    Args:
        archive: to fetch.
        name: of the corpus, for messages.
        folder: for the files.
        progress: called for each megabyte.

    Raises:
        CorpusError: it cannot be downloaded or unpacked, or its checksum does not match.
    """
    file = archive.url.rpartition("/")[2]
    saved, downloaded = folder / file, folder / f".{file}"
    try:
        make_folder(folder)
        packed = saved if saved.exists() else downloaded
        if packed.exists():
            _verify(archive, packed, str(packed))
        else:
            _download(archive, name, packed, f"download {archive.url} by hand, and save it as {saved}", progress)
        UNPACK[archive.format](archive, packed, folder)
        downloaded.unlink(missing_ok=True)
    except (zipfile.BadZipFile, KeyError, tarfile.TarError, EOFError, zlib.error) as error:
        raise CorpusError(f"{packed} cannot be unpacked ({error}); delete it and try again") from error
    except OSError as error:
        raise CorpusError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _download(archive: Archive, name: str, packed: Path, advice: str, progress: Progress) -> None:
    try:
        with whole_file(packed) as target:
            with urllib.request.urlopen(archive.url, timeout=_TIMEOUT) as response, target.open("wb") as file:
                total = int(response.headers.get("Content-Length") or archive.bytes) or None
                done = 0
                while piece := response.read(_PIECE):
                    file.write(piece)
                    done += len(piece)
                    progress(f"downloading {name}", done, total)
                if total and done < total:
                    raise http.client.IncompleteRead(b"", total - done)
            _verify(archive, target, archive.url)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise CorpusError(f"the corpus {name!r} could not be downloaded ({reason}); {advice}") from error


def _verify(archive: Archive, packed: Path, origin: str) -> None:
    """Compare the checksum.

    Raises:
        CorpusError: the file is not the published one.
    """
    kind, expected = ("sha256", archive.sha256) if archive.sha256 else ("md5", archive.md5)
    digest = checksum(packed, kind)
    if digest != expected:
        raise CorpusError(f"{origin} is not what was published: its {kind} is {digest}, expected {expected}")


def checksum(path: Path, kind: str) -> str:
    """The digest of a file in hexadecimal digits; `kind` names the algorithm, such as `sha256`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole, packed where it ends in .gz; the same content gives the same bytes."""
    with whole_file(path) as target, target.open("wb") as file:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                yield cast("IO[bytes]", packed)
        else:
            yield file


def _unpack_zip(archive: Archive, packed: Path, folder: Path) -> None:
    with zipfile.ZipFile(packed) as source:
        # The corpus comes last: where it is, the other files are too.
        for file, member in sorted(archive.members.items(), key=lambda item: item[0].startswith("corpus.")):
            with source.open(member) as content, _written(folder / file) as target:
                shutil.copyfileobj(content, target, _PIECE)


def _unpack_newsgroups(archive: Archive, packed: Path, folder: Path) -> None:
    """The messages as a table: id `newsgroup/number`, label, split; the collection is in Latin-1."""
    with tarfile.open(packed) as messages, _written(folder / "corpus.jsonl.gz") as target:
        for member in messages:
            parts = member.name.split("/")
            content = messages.extractfile(member) if member.isfile() else None
            if content is None or len(parts) != 3 or parts[0] not in _NEWSGROUP_SPLITS:
                continue
            text, label = content.read().decode("latin-1"), parts[1]
            row = {"id": f"{label}/{parts[2]}", "text": text, "label": label, "split": _NEWSGROUP_SPLITS[parts[0]]}
            target.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


UNPACK: dict[str, Callable[[Archive, Path, Path], None]] = {"zip": _unpack_zip, "20newsgroups": _unpack_newsgroups}
"""The function that unpacks each format into a folder."""
