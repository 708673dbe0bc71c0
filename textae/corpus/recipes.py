"""Recipes: public corpora by name, from TOML files that give each one's origin, checksums and licence.

A recipe is a folder with `corpus.jsonl.gz` and, where the corpus has them, `queries.jsonl` and `qrels.tsv`. It is
looked for in this order:

1. `$TEXTAE_DATA/<name>/`, checked against the SHA-256 sums of the recipe;
2. the cache: `$TEXTAE_CACHE/<name>/`, else `$XDG_CACHE_HOME/textae/<name>/`, else `~/.cache/textae/<name>/`;
3. the archive, if it was saved in that folder of the cache by hand;
4. the archive's URL: it is downloaded to the cache, checked, unpacked and deleted.

The recipe `python` is the documentation of installed packages.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textae.corpus.download import Archive, checksum, fetch
from textae.corpus.files import read_file
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import TEXTS, Document, Progress, Skipped

_CORPUS = ("corpus.jsonl.gz", "corpus.jsonl")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A corpus with a name.

    Attributes:
        name: for `textae index`.
        description: one line.
        documents: their number; approximate for installed packages.
        homepage: of its publisher.
        licence: as its publisher states it.
        citation: of its paper, if any.
        sha256: checksums of the files in `TEXTAE_DATA`, by file name.
        archive: to download; None where there is none.
        packages: to read the documentation of; empty for other recipes.
        available: whether it can be read without a download.
        folder: of its files; None where they have to be downloaded.
    """

    name: str
    description: str
    documents: int
    homepage: str
    licence: str
    citation: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)
    archive: Archive | None = None
    packages: tuple[str, ...] = ()
    available: bool = False
    folder: str | None = None

    def read(self, packages: str, spec: TableSpec, progress: Progress) -> Iterator[Document | Skipped]:
        """The documents of the recipe.

        Args:
            packages: `click,hypothesis`: packages to read in place of the recipe's own.
            spec: how to read its table.
            progress: called during a download.

        Raises:
            CorpusError: it cannot be downloaded, or a checksum does not match.
        """
        if self.packages:
            from textae.corpus.python_docs import read_packages

            named = [name for name in packages.split(",") if name]
            documents = read_packages(named or self.packages, missing_is_an_error=bool(named))
            return (item for item in documents if isinstance(item, Skipped) or spec.selects(item.fields))
        path = _corpus(Path(self.folder)) if self.folder else None
        if path is None:
            path = self._download(progress)
        elif _data_folder(self.name) == path.parent and (expected := self.sha256.get(path.name)):
            digest = checksum(path, "sha256")
            if digest != expected:  # another corpus under this name would give other figures
                raise CorpusError(
                    f"{path} is not the corpus {self.name!r}: its SHA-256 is {digest}, expected {expected}; "
                    f"to read it all the same, give its path instead of the name"
                )
        return read_file(path, f"{self.name}/corpus.jsonl", spec, TEXTS, own_ids=True)

    def _download(self, progress: Progress) -> Path:
        if self.archive is None:
            advice = f"see {self.homepage}, and put it at $TEXTAE_DATA/{self.name}/{_CORPUS[0]}"
            raise CorpusError(f"the corpus {self.name!r} is not here and cannot be downloaded; {advice}")
        folder = _cache_folder(self.name)
        if folder is None:
            raise CorpusError(f"the corpus {self.name!r} needs a folder; name one: export TEXTAE_CACHE=/a/folder")
        fetch(self.archive, self.name, folder, progress)
        return folder / _CORPUS[0]


def recipes() -> list[Recipe]:
    """All recipes, in the order of their names."""
    package = Path(__file__).parent.parent
    installed = package / "recipes"  # in a checkout they are beside the package
    home = installed if installed.is_dir() else package.parent / "corpora"
    return [_load(path) for path in sorted(home.glob("*.toml"))]


def _load(path: Path) -> Recipe:
    values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    archive = Archive(**values.pop("archive")) if "archive" in values else None
    packages = tuple(values.pop("packages", ()))
    candidates = (_data_folder(path.stem), _cache_folder(path.stem))
    folder = next((str(folder) for folder in candidates if folder and _corpus(folder)), None)
    available = bool(folder or packages)
    return Recipe(path.stem, archive=archive, packages=packages, available=available, folder=folder, **values)


def _data_folder(name: str) -> Path | None:
    home = os.environ.get("TEXTAE_DATA")
    return Path(home) / name if home else None


def _cache_folder(name: str) -> Path | None:
    """The folder for downloads; None where no variable names one and the user has no home, as in many containers."""
    if home := os.environ.get("TEXTAE_CACHE"):
        return Path(home) / name
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (never raises)
    return None if cache.startswith("~") else Path(cache) / "textae" / name


def _corpus(folder: Path) -> Path | None:
    # not Path.is_file, which raises where the folder cannot be entered
    return next((folder / name for name in _CORPUS if os.path.isfile(folder / name)), None)  # noqa: PTH113
