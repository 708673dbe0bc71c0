"""The documentation, executed: shell sessions as in the README, and Python, in order, in one folder a page.

Training differs a little between machines. So half of the words that a page shows must be in the output of this run,
and numbers may differ. `TEXTAE_UPDATE_README=1` writes the outputs of this run into the pages.
"""

import contextlib
import hashlib
import io
import re
import shutil
from pathlib import Path

import pytest
from test_readme import ROOT, UPDATE, commands, holds, run, words

DOCS = ROOT / "docs"
BLOCK = re.compile(r"```(console|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
PATH = re.compile(r"`((?:textae|tests|scripts|docs|corpora)/[\w./-]*)`")
SHARED = re.compile(r"textae index( python:\w+)+ --quiet")
FILE = re.compile(r"`([\w-]+(?:\.py|/))`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), ROOT / "corpora" / "README.md"])


def indexed(command: str, folder: Path) -> str:
    """Run a command once for all pages, and copy the index that it makes into a folder."""
    kept = folder.parent / hashlib.sha256(command.encode()).hexdigest()
    if not kept.exists():
        kept.mkdir()
        run(command, kept)
    shutil.copytree(kept / ".textae", folder / ".textae")
    return ""


def session(text: str, folder: Path) -> str:
    """Run the commands of a session and compare their outputs; return the session with the outputs of this run."""
    written = ""
    for command, shown in commands(text):
        output = (indexed if SHARED.fullmatch(command) else run)(command, folder).rstrip()
        drawn = command.startswith("textae sample")  # another machine learns another code for the same seed
        drawn = drawn or command.endswith("textae map")  # and another map
        if not UPDATE and drawn:
            assert len(output.splitlines()) == len(shown.rstrip().splitlines()), output
        elif not UPDATE:
            assert holds(command, shown.strip(), output, folder), f"$ {command}\n{shown}\n--- and now it is\n{output}"
        written += f"$ {command}\n{output}\n" if output else f"$ {command}\n"
    return written


def program(text: str, names: dict) -> str:
    """Run a block of Python after the blocks before it; return what it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "<docs>", "exec"), names)
    return out.getvalue()


@pytest.mark.parametrize(
    "page",
    [
        "features.md",
        "folders.md",
        "frames.md",
        "generator.md",
        "family.md",
        "images.md",
        "living.md",
        "maps.md",
        "programs.md",
        "scale.md",
        "vectors.md",
    ],
)
def test_every_block_runs_and_prints_what_the_page_shows(page, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    names: dict = {"__name__": "docs"}

    def now(block: re.Match) -> str:
        kind, text, shown = block.groups()
        if kind == "console":
            return f"```console\n{session(text, tmp_path)}```"
        output = program(text, names)
        if not UPDATE and shown is not None:
            assert len(output.splitlines()) == len(shown.splitlines()), output
            assert len(words(output) & words(shown)) >= len(words(shown)) / 2, output
        return f"```python\n{text}```" + (f"\n\n```text\n{output}```" if shown is not None else "")

    text = (DOCS / page).read_text(encoding="utf-8")
    again = BLOCK.sub(now, text)
    assert len(BLOCK.findall(text)) >= 5
    if UPDATE:
        (DOCS / page).write_text(again, encoding="utf-8")


def exists(path: str, folder: Path = ROOT) -> bool:
    """Whether there is a file or a folder of this name, or a module with `.py` left out."""
    return (folder / path).exists() or (folder / f"{path}.py").exists()


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_path_and_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not [path for path in PATH.findall(text) if not exists(path)]
    assert not [link for link in LINK.findall(text) if not exists(link, page.parent)]


def test_every_file_in_a_section_of_the_architecture_is_in_the_folder_of_its_heading() -> None:
    _, *sections = re.split(r"^## (?=textae/)", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), flags=re.M)
    assert len(sections) == 11
    for section in sections:
        folder, _, text = re.split(r"^## ", section, flags=re.M)[0].partition("\n")
        assert exists(folder)
        assert not [file for file in FILE.findall(text) if not exists(file, ROOT / folder)], folder
