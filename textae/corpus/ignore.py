"""Which files of a folder are read: those that are neither hidden nor ignored.

`.gitignore` and `.textaeignore` in the folder, and below it, hold rules as gitignore(5) describes them; in a git
repository, those above the folder count, too. The last rule that matches decides; rules of a lower folder come after
those of a higher one, `.textaeignore` after `.gitignore`, and `--exclude` after all. What is in an ignored folder is
ignored. Hidden files are never read, but for the folders of a Maildir, such as `.Sent`; nor is an index. Links to files
are followed, links to folders are not, so nothing is read twice and no loop starts.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

HIDDEN, INDEX, DATASET, EXCLUDED = "hidden", "an index", "a dataset", "--exclude"
"""Reasons to ignore; the others are the name of the file with the rule, or of a folder of `_FOLDERS`."""

_FILES = (".gitignore", ".textaeignore")
_FOLDERS = {"__pycache__", "node_modules"}
_SHARD = re.compile(r"[0-9a-f]{64}\.parquet")
"""A file of a dataset, also of one that was never finished."""

_LARGEST, _LONGEST = 1 << 18, 1_000  # bytes that are read of a file of rules, and letters of a rule
_MOST_DEEP = 4  # `**` of a rule; the time to match one is a power of their number

_STARS = re.compile(r"(?:\[\^/\]\*)+")
_STAR_AND_CHUNK = re.compile(r"\[\^/\]\*((?:\[\^/\]|[^/])+?)(?=\[\^/\]\*)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """What a source leaves out.

    Attributes:
        exclude: rules that come after all others; relative to the source.
        by_files: whether the rules of files and the folders of other programs count.
    """

    exclude: tuple[str, ...] = ()
    by_files: bool = True


BY_DEFAULT = Ignore()


class _Rules(NamedTuple):
    """Rules of one file; the path that they match is `above` and that inside of the source without `below` letters."""

    name: str
    above: str
    below: int
    rules: Sequence[tuple[bool, re.Pattern[str]]]

    def decision(self, inside: str) -> bool | None:
        """Whether the last rule that matches ignores the path; None where none matches."""
        path = self.above + inside[self.below :]
        return next((ignores for ignores, pattern in self.rules if pattern.search(path)), None)


def walk(folder: Path, ignore: Ignore = BY_DEFAULT) -> Iterator[tuple[Path, str]]:
    """Every file below a folder, in the order of the names, every folder that cannot be listed, and what is ignored.

    Yields:
        The path, and why it is ignored: "" where it is not. Of an ignored folder, nothing inside is listed.
    """
    excluded = [_Rules(EXCLUDED, "", 0, _rules(ignore.exclude))] if ignore.exclude else []
    above = _rules_above(folder) if ignore.by_files and folder.is_dir() else []
    waiting: list[tuple[Path, str, bool, list[_Rules]]] = [(folder, "", True, above)]
    while waiting:
        path, inside, is_folder, rules = waiting.pop()
        if inside and (reason := _reason(path, inside + "/" * is_folder, [*rules, *excluded], ignore)):
            yield path, reason
            continue
        if inside and not is_folder and _SHARD.fullmatch(path.name):
            yield path, DATASET
            continue
        if not (is_folder and os.access(path, os.R_OK | os.X_OK)):
            yield path, ""
            continue
        try:
            with os.scandir(path) as entries:  # a third of the time of `iterdir`, and it knows which are folders
                folders = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError:  # a file, or a folder that has just been deleted
            yield path, ""
            continue
        if {"index.sqlite", "arrays"} <= folders.keys():
            yield path, INDEX
            continue
        if {"manifest.json", "manifests", "codes"} <= folders.keys():
            yield path, DATASET
            continue
        start = f"{inside}/" if inside else ""
        if ignore.by_files:
            own = [_Rules(name, "", len(start), _rules_of(path / name)) for name in _FILES if name in folders]
            rules = [*rules, *own] if own else rules
        waiting += [(path / name, start + name, folders[name], rules) for name in sorted(folders, reverse=True)]


def _reason(path: Path, inside: str, rules: Sequence[_Rules], ignore: Ignore) -> str:
    """Why an entry is ignored; "" where it is not."""
    if path.name.startswith(".") and not (inside.endswith("/") and os.path.isdir(path / "cur")):  # noqa: PTH112
        return HIDDEN
    if ignore.by_files and path.name in _FOLDERS:
        return path.name
    for one in reversed(rules):
        if (ignores := one.decision(inside)) is not None:
            return one.name if ignores else ""
    return ""


def _rules_above(folder: Path) -> list[_Rules]:
    """The rules of the folders above, in a git repository; none where they ignore this folder, as it was asked for."""
    whole = Path(os.path.abspath(folder))  # noqa: PTH100 (keeps links)
    root = next((path for path in (whole, *whole.parents) if os.path.lexists(path / ".git")), whole)
    found: list[_Rules] = []
    for path in reversed(whole.parents):
        if path != root and root not in path.parents:
            continue
        above = f"{whole.relative_to(path).as_posix()}/"
        found += [_Rules(name, above, 0, _rules_of(path / name)) for name in _FILES if (path / name).is_file()]
    steps = [rules.above.split("/")[:-1] for rules in found]
    for rules, parts in zip(found, steps, strict=True):
        for end in range(1, len(parts) + 1):
            if rules._replace(above="").decision("/".join(parts[:end]) + "/"):
                return []
    return found


def _rules_of(path: Path) -> list[tuple[bool, re.Pattern[str]]]:
    """The rules of a file; none where it cannot be read."""
    try:
        if not path.is_file():  # such as a pipe
            return []
        with path.open("rb") as file:
            return _rules(file.read(_LARGEST).decode("utf-8-sig", "surrogateescape").split("\n"))
    except OSError:
        return []


def _rules(lines: Iterable[str]) -> list[tuple[bool, re.Pattern[str]]]:
    """The rules that lines hold, the last one first; lines that are no rules are passed over, as git does."""
    from pathspec.patterns.gitignore.base import GitIgnorePatternError  # 30 ms, and few folders have rules
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    rules: list[tuple[bool, re.Pattern[str]]] = []
    for line in lines:
        if len(line) > _LONGEST or line.count("**") > _MOST_DEEP:
            continue
        try:
            rule = GitIgnoreSpecPattern(line.removesuffix("\r"))
        except GitIgnorePatternError:
            continue
        if rule.include is not None and rule.regex is not None:
            rules.append((rule.include, _in_linear_time(rule.regex.pattern)))
    return rules[::-1]


def _in_linear_time(pattern: str) -> re.Pattern[str]:
    """The expression of a rule, to match one path to its end, without trying all ways in which stars can share it.

    A chunk between two stars may as well be the first one that fits: the second star takes what comes after it.
    """
    bounded = _STAR_AND_CHUNK.sub(r"(?>[^/]*?\1)", _STARS.sub("[^/]*", pattern))
    # `a/**` becomes `^a/`, which has to match what is inside, and not the folder; `**` becomes a single dot.
    end = r"\Z" if bounded.endswith(")") else "." if bounded.endswith("/") else ""
    return re.compile(bounded + end, re.DOTALL)
