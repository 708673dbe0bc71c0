"""Recipes: public corpora by name, from TOML files that say where each comes from, how to check it, and whose it is.

What a recipe names ends up as a folder of `corpus.jsonl.gz`, and, where the corpus has them, `queries.jsonl` and
`qrels.tsv`. It is looked for in this order, and nothing is fetched that is there:

1. `$TEXTAE_DATA/<name>/`: what a person has put there, checked against the SHA-256 sums of the recipe;
2. the cache, `$TEXTAE_CACHE/<name>/`, else `$XDG_CACHE_HOME/textae/<name>/`, else `~/.cache/textae/<name>/`;
3. the archive, if a person has put it into that folder of the cache; else it is downloaded to there, checked, and
   unpacked, and deleted.

The recipe `python` is not a folder but the documentation of what is installed.
"""

import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textae.corpus import download as fetch
from textae.corpus import files, python_docs
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import TEXTS, Document, Progress, Skipped

_CORPUS = ("corpus.jsonl.gz", "corpus.jsonl")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A corpus with a name.

    Attributes:
        name: as `textae index` takes it.
        description: one line.
        documents: how many there are; about, for what is installed.
        homepage: where it comes from.
        licence: whose it is and what may be done with it.
        citation: of the paper that it belongs to, if any.
        sha256: of the files as a person has them in `TEXTAE_DATA`, by name.
        archive: what is downloaded; None where nobody offers it.
        packages: whose documentation it is, of a recipe that reads what is installed.
        available: whether it can be read without a download.
        folder: where its files are; None where they are not.
    """

    name: str
    description: str
    documents: int
    homepage: str
    licence: str
    citation: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)
    archive: fetch.Archive | None = None
    packages: tuple[str, ...] = ()
    available: bool = False
    folder: str | None = None


def recipes() -> list[Recipe]:
    """All recipes, in the order of their names."""
    return [_load(path) for path in sorted(_home().glob("*.toml"))]


def read_recipe(recipe: Recipe, packages: str, spec: TableSpec, progress: Progress) -> Iterator[Document | Skipped]:
    """The documents of a recipe.

    Args:
        recipe: which one.
        packages: `click,hypothesis`, to read about these instead of what the recipe says.
        spec: how to read its table.
        progress: told of a download.

    Raises:
        CorpusError: it is not here and cannot be fetched, or is not what it should be.
    """
    if recipe.packages:
        named = [name for name in packages.split(",") if name]
        documents = python_docs.read_packages(named or recipe.packages, missing_is_an_error=bool(named))
        return (item for item in documents if isinstance(item, Skipped) or spec.selects(item.fields))
    path = _corpus(Path(recipe.folder)) if recipe.folder else None
    if path and _data_folder(recipe.name) == path.parent:
        _check(recipe, path)
    return files.read_file(path or _fetched(recipe, progress), f"{recipe.name}/corpus.jsonl", spec, TEXTS)


def _home() -> Path:
    """The folder of the TOML files: part of the package where that is installed, beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "recipes"
    return installed if installed.is_dir() else package.parent / "corpora"


def _load(path: Path) -> Recipe:
    values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    archive = fetch.Archive(**values.pop("archive")) if "archive" in values else None
    packages = tuple(values.pop("packages", ()))
    folders = (_data_folder(path.stem), _cache_folder(path.stem))
    here = next((folder for folder in folders if folder and _corpus(folder)), None)
    return Recipe(
        name=path.stem,
        archive=archive,
        packages=packages,
        available=bool(here or packages),
        folder=str(here) if here else None,
        **values,
    )


def _data_folder(name: str) -> Path | None:
    home = os.environ.get("TEXTAE_DATA")
    return Path(home) / name if home else None


def _cache_folder(name: str) -> Path | None:
    """Where downloads go; None where nothing says so and this user has no home, as in many a container."""
    if home := os.environ.get("TEXTAE_CACHE"):
        return Path(home) / name
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (never raises)
    return None if cache.startswith("~") else Path(cache) / "textae" / name


def _corpus(folder: Path) -> Path | None:
    # not Path.is_file, which raises where a folder may not be looked into
    return next((folder / name for name in _CORPUS if os.path.isfile(folder / name)), None)  # noqa: PTH113


def _check(recipe: Recipe, path: Path) -> None:
    """A recipe's name means one corpus; another in its place would give other figures under the same name.

    Raises:
        CorpusError: the file is not the one that the recipe means.
    """
    expected = recipe.sha256.get(path.name)
    if not expected:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise CorpusError(
            f"{path} is not the corpus {recipe.name!r}: its SHA-256 is {found}, expected {expected}; "
            f"to read it all the same, give its path instead of the name"
        )


def _fetched(recipe: Recipe, progress: Progress) -> Path:
    """The corpus in the cache, downloaded and unpacked.

    Raises:
        CorpusError: there is nothing to download, or it did not work.
    """
    if recipe.archive is None:
        raise CorpusError(
            f"the corpus {recipe.name!r} is not here and cannot be downloaded; see {recipe.homepage}, "
            f"and put it at $TEXTAE_DATA/{recipe.name}/corpus.jsonl.gz"
        )
    folder = _cache_folder(recipe.name)
    if folder is None:
        raise CorpusError(f"the corpus {recipe.name!r} has no folder to go to; name one: export TEXTAE_CACHE=/a/folder")
    fetch.fetch(recipe.archive, recipe.name, folder, progress)
    return folder / _CORPUS[0]
