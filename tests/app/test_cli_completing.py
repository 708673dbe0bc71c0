"""What a shell offers at the tabulator."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from shared import ENVIRONMENT

from textae.app.cli import cli


@pytest.fixture
def offered(index_folder, monkeypatch):
    """Give a function that completes the last of some words."""
    monkeypatch.setenv("TEXTAE_INDEX", str(index_folder))

    def complete(*words: str) -> list[str]:
        *before, incomplete = words
        shell = BashComplete(cli, {}, "textae", "_TEXTAE_COMPLETE")
        return [item.value for item in shell.get_completions(before, incomplete)]

    return complete


def test_commands_and_options(offered) -> None:
    assert offered("se") == ["search", "serve"]
    assert offered("sync", "--for") == ["--forget"]


def test_modes(offered) -> None:
    assert offered("search", "--mode", "b") == ["bm25", "bits"]


def test_fields(offered) -> None:
    assert offered("topics", "--over", "") == ["topic", "year"]
    assert offered("train", "--label", "y") == ["year"]
    assert offered("search", "--where", "") == ["id:", "title:", "topic:", "year:"]
    assert offered("search", "--where", "year:1901 AND NOT (to") == ["year:1901 AND NOT (topic:"]


def test_corrections_of_topics(offered) -> None:
    assert offered("topics", "") == ["rename", "merge", "reset"]
    assert offered("topics", "merge", "--n") == ["--name"]


def test_ids(offered, tmp_path) -> None:
    assert offered("similar", "bread-1") == ["bread-1", "bread-10", "bread-13", "bread-16", "bread-19"]
    assert offered("search", "x", "--like", "ships-2")[0] == "ships-2"
    assert offered("get", "ships-2")[0] == offered("open", "ships-2")[0] == "ships-2"
    assert offered("rm", "nothing") == []
    assert offered("similar", "notes/") == ["notes/"]  # the shell lists files


def test_corpora(offered) -> None:
    assert "python" in offered("index", "pyt")


def test_where_there_is_no_index_nothing_is_said(offered, capfd, tmp_path) -> None:
    assert offered("search", "--index", str(tmp_path / "nowhere"), "--where", "") == []
    (tmp_path / "index.sqlite").write_bytes(b"garbage")
    assert offered("rm", "--index", str(tmp_path), "") == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_its_shell(shell, name) -> None:
    said = shell("completion", name)
    assert (said.code, said.err) == (0, "")
    assert "_TEXTAE_COMPLETE" in said.out
    if shutil.which(name):
        subprocess.run([name, "-n"], input=said.out, text=True, check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not there")
def test_bash_completes(shell, tmp_path, index_folder) -> None:
    program = tmp_path / "textae"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m textae "$@"\n')
    program.chmod(0o755)
    script = shell("completion", "bash").out
    script += 'COMP_WORDS=(textae search --mode bm); COMP_CWORD=3; _textae_completion textae; echo "${COMPREPLY[@]}"'
    environment = ENVIRONMENT | {"PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}", "TEXTAE_INDEX": str(index_folder)}
    done = subprocess.run(["bash", "-c", script], cwd=Path(tmp_path), env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "bm25\n", "")


def test_another_shell(shell) -> None:
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in shell("completion", "tcsh").error
