"""The README and the page on searching, executed: every session runs, in order, in one fresh folder.

Training differs a little between machines, numbers of threads, and versions of packages. So a list of hits holds if
half of its ids are among the first ten hits of this run. Every other output must be the same except for its numbers.
`TEXTAE_UPDATE_README=1 scripts/test tests/test_readme.py` writes the outputs of this run into the pages.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import textae

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
SEARCHING = ROOT / "docs" / "searching.md"
SESSION = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
PROGRESS = re.compile(r".*…|[a-z][a-z -]* +[\d,]+(%.*)?|textae: .* takes about .*")
"""What depends on the machine."""
PYTHON = re.compile(r"(?<=```python\n)(.*?)(?=```)", re.DOTALL)
HIT = re.compile(r"^ *\d+  (\S+)", re.MULTILINE)
UPDATE = bool(os.environ.get("TEXTAE_UPDATE_README"))
BRIEF = ("textae index python ", "textae index python --passes 8 ")
"""In a test the largest corpus learns for 8 passes of 19. The pages show what all of them give."""


def commands(session: str) -> list[tuple[str, str]]:
    """The commands of a session, each with the output that the page shows."""
    parts = re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]
    return [tuple(part.split("\n", 1)) for part in parts]  # type: ignore[misc]


def run(command: str, folder: Path) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TEXTAE")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(textae.__file__).parents[1]),
        "COLUMNS": "100",
    }
    briefer = command if UPDATE else command.replace(*BRIEF)
    done = subprocess.run(["bash", "-c", briefer], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
    shown = [line for line in done.stderr.splitlines() if not PROGRESS.fullmatch(line)]
    output = "".join(f"{line}\n" for line in shown) + done.stdout
    for path, name in ((folder, ""), (Path(sys.prefix).resolve(), "/.venv"), (Path(sys.prefix), "/.venv")):
        output = output.replace(str(path), f"/home/you{name}")
    return output


def holds(command: str, shown: str, output: str, folder: Path) -> bool:
    ids = set(HIT.findall(shown))
    if ids:
        half = len(ids) / 2
        if len(ids & set(HIT.findall(output))) >= half:
            return True
        first_ten = HIT.findall(run(re.sub(r"-k \d+", "-k 10", command), folder))
        return len(ids & set(first_ten)) >= half
    if command.startswith("textae topics"):  # another machine may give topics other names, in another order
        every = run(command.partition(" | head")[0], folder) if " | head" in command else output
        return len(words(shown) & words(every)) >= len(words(shown)) / 2
    return masked(shown) == masked(output)


def words(output: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w+", output))


def masked(output: str) -> list[str]:
    return [re.sub(r"\s+", " ", re.sub(r"[-+*]?[\d.,]*\d[+-]?", "#", line)).strip() for line in output.splitlines()]


def replayed(page: Path, folder: Path) -> list[str]:
    """Run the sessions of a page, and return the commands whose output differs from the page; or update the page."""
    text = page.read_text(encoding="utf-8")
    sessions = SESSION.findall(text)
    assert len(sessions) >= 5
    wrong = []
    for session in sessions:
        written = ""
        for command, shown in commands(session):
            output = run(command, folder)
            printed = f"{output.rstrip()}\n" if output.strip() else ""
            written += f"$ {command}\n{printed}" + ("\n" if shown.endswith("\n\n") else "")
            if not UPDATE and not holds(command, shown.strip(), output.strip(), folder):
                wrong.append(f"$ {command}\n--- {page.name} shows\n{shown}\n--- and now it is\n{output}")
        text = text.replace(session, written)
    if UPDATE:
        page.write_text(text, encoding="utf-8")
    return wrong


@pytest.mark.skipif(not README.exists(), reason="the README is not there")
def test_every_session_of_the_readme_and_of_searching_runs_and_prints_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    wrong = [*replayed(README, tmp_path), *replayed(SEARCHING, tmp_path)]  # searching.md uses the index of the README
    assert not wrong, "\n".join(wrong)
    (program,) = PYTHON.findall(README.read_text(encoding="utf-8"))
    (tmp_path / "readme.py").write_text(program, encoding="utf-8")
    assert len(run("python readme.py", tmp_path).splitlines()) >= 3


@pytest.mark.skipif(not README.exists(), reason="the README is not there")
def test_the_readme_has_at_most_900_words_outside_code_blocks() -> None:
    text = re.sub(r"```.*?```", "", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(text.split()) <= 900
