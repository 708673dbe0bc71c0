"""The README, executed: every console session runs, in order, in a fresh folder.

What is learned differs a little between machines, numbers of threads, and versions of the packages that it learns. So
a list of hits holds if half of its ids are among the first ten of now; every other output must be the same but for
its numbers. `TEXTAE_UPDATE_README=1 scripts/test tests/test_readme.py` writes the outputs of now into the README.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
SESSION = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
HIT = re.compile(r"^ *\d+  (\S+)", re.MULTILINE)
UPDATE = bool(os.environ.get("TEXTAE_UPDATE_README"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readme")


def commands(session: str) -> list[tuple[str, str]]:
    """The commands of a session, each with the output that the README shows."""
    parts = re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]
    return [tuple(part.split("\n", 1)) for part in parts]  # type: ignore[misc]


def run(command: str, folder: Path) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TEXTAE")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "100",
    }
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
    shown = [line for line in done.stderr.splitlines() if not line.endswith("…")]  # the stages of progress
    return "".join(f"{line}\n" for line in shown) + done.stdout


def holds(command: str, shown: str, found: str, folder: Path) -> bool:
    ids = HIT.findall(shown)
    if ids:
        first_ten = HIT.findall(run(re.sub(r"-k \d+", "-k 10", command), folder))
        return len(set(ids) & set(first_ten)) >= len(ids) / 2
    if command.startswith("textae topics"):  # learned: another machine may name some otherwise, and in another order
        every = run(command.partition(" | head")[0], folder)
        return len(words(shown) & words(every)) >= len(words(shown)) / 2
    return masked(shown) == masked(found)


def words(output: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w+", output))


def masked(output: str) -> list[str]:
    return [re.sub(r"\s+", " ", re.sub(r"[-+*]?[\d.,]*\d[+-]?", "#", line)).strip() for line in output.splitlines()]


@pytest.mark.skipif(not README.exists(), reason="the README is not there")
def test_every_session_of_the_readme_runs_and_prints_what_it_shows(folder: Path) -> None:
    text = README.read_text(encoding="utf-8")
    sessions = SESSION.findall(text)
    assert len(sessions) >= 5
    wrong = []
    for session in sessions:
        written = ""
        for command, shown in commands(session):
            found = run(command, folder)
            printed = f"{found.rstrip()}\n" if found.strip() else ""
            written += f"$ {command}\n{printed}" + ("\n" if shown.endswith("\n\n") else "")
            if not UPDATE and not holds(command, shown.strip(), found.strip(), folder):
                wrong.append(f"$ {command}\n--- the README shows\n{shown}\n--- and now it is\n{found}")
        if UPDATE:
            text = text.replace(session, written)
    if UPDATE:
        README.write_text(text, encoding="utf-8")
    else:
        assert not wrong, "\n".join(wrong)
