"""The documentation, executed: sessions of the shell as in the README, and Python, in order, in one folder a page.

What is learned differs a little between machines, so half of the words that an output shows must be in the output of
now, and numbers may be others. `TEXTAE_UPDATE_README=1` writes the outputs of now into the pages.
"""

import contextlib
import io
import re
from pathlib import Path

import pytest
from test_readme import UPDATE, commands, holds, run, words

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"```(console|python)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def session(text: str, folder: Path) -> str:
    """Run the commands of a session; give it with what they print now, after it was compared with what is shown."""
    written = ""
    for command, shown in commands(text):
        found = run(command, folder).rstrip()
        drawn = command.startswith("textae sample")  # another machine learns another code for the same seed
        drawn = drawn or command.endswith("textae map")  # and another map
        if not UPDATE and drawn:
            assert len(found.splitlines()) == len(shown.rstrip().splitlines()), found
        elif not UPDATE:
            assert holds(command, shown.strip(), found, folder), f"$ {command}\n{shown}\n--- and now it is\n{found}"
        written += f"$ {command}\n{found}\n" if found else f"$ {command}\n"
    return written


def program(text: str, names: dict) -> str:
    """Run a block of Python where the blocks before it left off; give what it prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "<docs>", "exec"), names)
    return out.getvalue()


@pytest.mark.parametrize(
    "page", ["features.md", "frames.md", "generator.md", "family.md", "images.md", "living.md", "maps.md"]
)
def test_every_block_runs_and_prints_what_the_page_shows(page, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "docs"}

    def now(block: re.Match) -> str:
        kind, text, shown = block.groups()
        if kind == "console":
            return f"```console\n{session(text, tmp_path)}```"
        found = program(text, names)
        if not UPDATE and shown is not None:
            assert len(found.splitlines()) == len(shown.splitlines()), found
            assert len(words(found) & words(shown)) >= len(words(shown)) / 2, found
        return f"```python\n{text}```" + (f"\n\n```text\n{found}```" if shown is not None else "")

    text = (DOCS / page).read_text(encoding="utf-8")
    again = BLOCK.sub(now, text)
    assert len(BLOCK.findall(text)) >= 5
    if UPDATE:
        (DOCS / page).write_text(again, encoding="utf-8")
