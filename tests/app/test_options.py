"""Groups of options, and the sections of the help."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click
import pytest
from click.testing import CliRunner
from shared import ENVIRONMENT

from textae.app.cli import SECTIONS, cli
from textae.app.cli.making import IndexOptions, ModelOptions
from textae.app.cli.options import ShellOptions, option, options
from textae.config import ModelSpec, TrainSpec
from textae.types import KINDS


@dataclass(frozen=True)
class Greeting:
    """What a test command takes."""

    name: str = option("Whom to greet.", default="you")
    times: int | None = option("How often.", "-n", "--count")
    title: Sequence[str] = option("Titles.")
    code_l2: float | None = option("A number.")
    loud: bool = option("In capitals.")


@click.command()
@options("greeting", Greeting)
@options("shell", ShellOptions, "as_json", "quiet")
@click.argument("word")
def greet(greeting: Greeting, shell: ShellOptions, word: str) -> None:
    """Print what arrived."""
    click.echo(repr((greeting, shell, word)))


def run(*arguments: str) -> str:
    return CliRunner().invoke(greet, arguments, catch_exceptions=False).output.strip()


class TestOptions:
    def test_values_arrive_as_one_dataclass(self) -> None:
        given = run(
            "hi", "--name", "me", "-n", "2", "--title", "a", "--title", "b", "--code-l2", "0.5", "--loud", "--json"
        )
        assert given == repr((Greeting("me", 2, ("a", "b"), 0.5, True), ShellOptions(as_json=True, quiet=False), "hi"))

    def test_what_is_not_given_has_its_default(self) -> None:
        assert run("hi").startswith(repr(Greeting("you", None, (), None, False)).join(("(", "")))

    def test_the_help_has_the_options_in_order_and_those_of_the_command_alone(self) -> None:
        shown = run("--help")
        flags = [line.split()[0] for line in shown.partition("Options:\n")[2].splitlines()]
        assert flags == ["--name", "-n,", "--title", "--code-l2", "--loud", "--json", "-q,", "--help"]
        assert "[default: you]" in shown


class TestSections:
    def test_the_help_lists_each_command_in_its_section(self, shell) -> None:
        lines = shell("--help").out.splitlines()
        headings = [lines.index(f"{title}:") for title in SECTIONS]
        assert headings == sorted(headings)
        for heading, (_, names) in zip(headings, SECTIONS.values(), strict=True):
            listed = [line.split()[0] for line in lines[heading + 1 : heading + 1 + len(names)]]
            assert tuple(listed) == names

    @pytest.mark.parametrize("name", cli.list_commands(None))
    def test_no_command_has_more_than_eight_parameters(self, name) -> None:
        command = cli.get_command(None, name)
        assert command.name == name
        assert len(inspect.signature(command.callback).parameters) <= 8

    def test_a_search_imports_no_other_command(self, index_folder) -> None:
        script = f"import sys; sys.argv = ['textae', 'search', 'comet', '--quiet', '--index', {str(index_folder)!r}]\n"
        script += "from textae.app.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True)
        imported = {name.rpartition(".")[2] for name in done.stderr.split() if name.startswith("textae.app.cli.")}
        assert imported == {"searching", "options", "vector_options", "nearest"}
        assert "textae.corpus" not in done.stderr.split()


class TestModelOptions:
    def test_given_values_replace_those_of_the_specs(self) -> None:
        given = ModelOptions(dims=8, hidden=(4, 2), learning_rate=0.5, seed=3)
        assert given.override(ModelSpec(bits=32)) == ModelSpec(bits=32, dims=8, hidden=(4, 2))
        assert given.override(TrainSpec(epochs=2)) == TrainSpec(epochs=2, learning_rate=0.5, seed=3)

    def test_the_kinds_of_the_shell_are_those_of_an_index(self) -> None:
        (kind,) = (one for one in IndexOptions.__dataclass_fields__.values() if one.name == "kind")
        assert tuple(kind.metadata["type"].choices) == KINDS
