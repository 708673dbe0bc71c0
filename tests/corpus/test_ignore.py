"""Which files of a folder are read: the rules of gitignore(5), compared with git itself where it is there."""

import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from textae.corpus.ignore import BY_DEFAULT, EXCLUDED, HIDDEN, INDEX, Ignore, walk


def tree(folder: Path, *paths: str, **rules: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("a comet")
    for where, text in rules.items():
        name = ".textaeignore" if where.startswith("textae") else ".gitignore"
        (folder / where.removeprefix("textae_").removeprefix("root") / name).write_text(text)
    return folder


def read(folder: Path, ignore: Ignore = BY_DEFAULT) -> list[str]:
    return [path.relative_to(folder).as_posix() for path, ignored in walk(folder, ignore) if not ignored]


def ignored(folder: Path, ignore: Ignore = BY_DEFAULT) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): why for path, why in walk(folder, ignore) if why}


def test_rules_of_lower_folders_come_later_and_the_last_one_decides(tmp_path: Path) -> None:
    tree(
        tmp_path, "a.log", "a.md", "build/b.md", "sub/a.log", "sub/keep.log", "sub/build", "sub/x/keep.log",
        root="*.log\nbuild/\n# sub/\n", sub="!keep.log\n/x\n",
    )  # fmt: skip
    assert read(tmp_path) == ["a.md", "sub/build", "sub/keep.log"]
    assert ignored(tmp_path) == {
        ".gitignore": HIDDEN, "sub/.gitignore": HIDDEN, "a.log": ".gitignore", "build": ".gitignore",
        "sub/a.log": ".gitignore", "sub/x": ".gitignore",
    }  # fmt: skip


def test_nothing_in_an_ignored_folder_comes_back(tmp_path: Path) -> None:
    tree(tmp_path, "build/keep.md", "docs/a.md", "docs/b.txt", "c.txt", root="*\n!*/\n!*.md\nbuild/\n")
    assert read(tmp_path) == ["docs/a.md"]


def test_textaeignore_comes_after_gitignore_and_exclude_after_both(tmp_path: Path) -> None:
    tree(tmp_path, "a.md", "b.md", "c.md", root="*.md\n", textae_root="!a.md\n!b.md\n")
    assert read(tmp_path) == ["a.md", "b.md"]
    assert read(tmp_path, Ignore(("/a*",))) == ["b.md"]
    assert ignored(tmp_path, Ignore(("/a*",)))["a.md"] == EXCLUDED
    assert read(tmp_path, Ignore(("!c.md", "b.*"))) == ["a.md", "c.md"]


def test_without_ignore_files_only_exclude_and_what_is_hidden_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path, "a.log", "b.md", ".hidden/c.md", "node_modules/d.md", root="*.log\n")
    assert read(tmp_path, Ignore(by_files=False)) == ["a.log", "b.md", "node_modules/d.md"]
    assert read(tmp_path, Ignore(("b*",), by_files=False)) == ["a.log", "node_modules/d.md"]


def test_in_a_repository_the_rules_above_count_but_not_for_a_folder_that_they_ignore(tmp_path: Path) -> None:
    tree(tmp_path, "docs/a.md", "docs/b.log", "build/a.log", root="*.log\n/docs/a*\nbuild/\n")
    assert read(tmp_path / "docs") == ["a.md", "b.log"]
    (tmp_path / ".git").mkdir()
    assert read(tmp_path / "docs") == []
    assert read(tmp_path / "build") == ["a.log"]


def test_no_index_is_indexed(tmp_path: Path) -> None:
    tree(tmp_path, "a.md", "mine.textae/index.sqlite", "mine.textae/arrays/x.txt", "mine.textae/note.txt")
    assert read(tmp_path) == ["a.md"]
    assert ignored(tmp_path) == {"mine.textae": INDEX}


def test_a_file_of_rules_that_is_none_has_no_rules(tmp_path: Path) -> None:
    tree(tmp_path, "a.md", "b/c.md", "d/e.md")
    (tmp_path / ".gitignore").mkdir()
    (tmp_path / "b" / ".gitignore").write_bytes(b"\xff\xfe\n!\n\\\n[\nx*\n" + b"*x" * 600_000)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "d" / ".gitignore")
    assert read(tmp_path) == ["a.md", "b/c.md", "d/e.md"]


def test_a_rule_of_many_stars_takes_no_power_of_their_number(tmp_path: Path) -> None:
    """One path took 20 seconds with four of the twenty stars."""
    tree(
        tmp_path, "a" * 250, "b", root="*a" * 20 + "*b\n" + "*?" * 20 + "*b\n" + "*" * 30 + "c\n" + "**/a/" * 20 + "b\n"
    )
    started = time.process_time()
    assert read(tmp_path) == ["a" * 250, "b"]
    assert time.process_time() - started < 1


SEGMENTS = [
    "*", "**", "a", "ab", "*.x", "a*", "*b", "a?*", "[ab]", "[!a]*", "d_*", "d_a", "*a*b*", "c\\ d", "a***", "\\a",
    "[]a]",
]  # fmt: skip


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there to compare with")
@pytest.mark.parametrize("seed", range(20))
def test_what_git_ignores_is_ignored(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    folders = [tmp_path]
    for _ in range(6):
        folders.append(choose.choice(folders) / choose.choice(["d_a", "d_b", "d_ab"]))
        folders[-1].mkdir(exist_ok=True)
    for _ in range(25):
        (choose.choice(folders) / choose.choice(["a", "b", "ab", "a.x", "b.x", "aab.x", "c d"])).touch()
    for folder in {tmp_path, *choose.sample(folders, 2)}:
        rules = []
        for _ in range(choose.randint(1, 4)):
            body = "/".join(choose.choices(SEGMENTS, k=choose.choice([1, 1, 1, 2, 3])))
            is_folder = choose.random() < 0.25 and not body.endswith("/**")  # of x/**/, pathspec makes x/
            rules.append(choose.choice(["", "", "", "!"]) + choose.choice(["", "", "", "/"]) + body + "/" * is_folder)
        (folder / ".gitignore").write_text("".join(f"{rule}\n" for rule in rules))
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    arguments = ["git", "-C", str(tmp_path), "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(arguments, capture_output=True, check=True).stdout.decode().split("\0")
    expected = {path for path in listed if path and not path.endswith(".gitignore")}
    assert {path for path in read(tmp_path) if (tmp_path / path).is_file()} == expected
