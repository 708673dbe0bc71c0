"""Where documents come from: folders, files, tables, mail, standard input, and public corpora by name.

    >>> for item in read(["notes/", "mail.mbox", "scifact"]):       # doctest: +SKIP
    ...     print(item)

Everything is read one document at a time, and what does not become a document comes along as `Skipped`, with the
reason. Ids are the documents' own where they have them (the `id` of a row, the Message-ID of a mail), else paths:
inside the folder where there is one source, and with the source as given in front where there are several, as
`grep -r` prints them. So the ids of several sources do not meet, unless the documents bring the same ones.

Importing this costs little: pyarrow is imported when a parquet file is read.
"""

import difflib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from textae.corpus.files import read_file, read_folder, read_stdin
from textae.corpus.recipes import Recipe, read_recipe, recipes
from textae.corpus.tables import TableSpec
from textae.errors import CorpusError
from textae.types import Document, Progress, Skipped

__all__ = ["Recipe", "TableSpec", "read", "recipes"]


def _silent(stage: str, done: int, total: int | None) -> None:
    pass


def read(
    sources: Sequence[str], spec: TableSpec | None = None, progress: Progress = _silent
) -> Iterator[Document | Skipped]:
    """The documents of the sources, one after the other.

    Args:
        sources: folders, files, `-` for standard input, or names of recipes; a path that exists comes before a recipe
            of that name (`./python` is always a path).
        spec: how tables are read, and which documents are wanted.
        progress: told of a download.

    Raises:
        CorpusError: a source is not there (at once, before anything is read), or cannot be read.
    """
    several = len(sources) > 1
    return chain.from_iterable(
        opened() for opened in [_opener(source, several, spec or TableSpec(), progress) for source in sources]
    )


def _opener(
    source: str, several: bool, spec: TableSpec, progress: Progress
) -> Callable[[], Iterator[Document | Skipped]]:
    """What reads a source, when its turn comes."""
    path = Path(source)
    name, _, packages = source.partition(":")
    if source == "-":
        return lambda: read_stdin(sys.stdin.buffer, spec)
    if os.path.isdir(source):  # noqa: PTH112 (pathlib raises for a name of 5,000 letters)
        return lambda: read_folder(path, f"{path.as_posix()}/" if several and source != "." else "", spec)
    if os.path.exists(source):  # noqa: PTH110
        return lambda: read_file(path, path.as_posix() if several else path.name, spec)
    known = {recipe.name: recipe for recipe in recipes()}
    if name in known and (not packages or known[name].packages):
        return lambda: read_recipe(known[name], packages, spec, progress)
    close = ", ".join(difflib.get_close_matches(name, known, n=3, cutoff=0.5))
    hint = f"did you mean {close}? " if close else ""
    raise CorpusError(f"no file, folder or corpus {source[:200]!r}; {hint}'textae corpora' lists the corpora")
