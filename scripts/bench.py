"""The command line of the benchmarks: `scripts/bench NAME` runs a command of benchmarks/suites/."""

from importlib import import_module

import click

from benchmarks import report
from benchmarks.harness.options import quick

SUITES = (
    "quality",
    "hashing",
    "hinton",
    "minilm",
    "development",
    "topics",
    "maps",
    "labels",
    "images",
    "natural",
    "speed",
    "scale",
    "engines",
    "reading",
    "questions",
    "names",
)


@click.group()
def bench() -> None:
    """Measure, append the rows to docs/benchmarks.jsonl, and render docs/benchmarks.md."""


@bench.command()
def render() -> None:
    """Render docs/benchmarks.md and the scores of README.md and docs/results.md from the rows, without measuring."""


@bench.result_callback()
def finish(_: object) -> None:
    """Render after every command that appends rows."""
    if not quick():
        report.render()


for name in SUITES:
    for command in import_module(f"benchmarks.suites.{name}").COMMANDS:
        bench.add_command(command)


if __name__ == "__main__":
    bench()
