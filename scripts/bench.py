"""The shell's way to the benchmarks: `scripts/bench NAME` runs the command NAME of benchmarks/NAME.py."""

from importlib import import_module

import click

from benchmarks import rows

COMMANDS = (
    "hashing",
    "retrieval",
    "newsgroups",
    "hinton",
    "short",
    "labels",
    "time",
    "cost",
    "latency",
    "expansion",
    "speed",
    "million",
    "minilm",
    "maps",
    "serve",
    "clusters",
    "images",
)


@click.group()
def bench() -> None:
    """Measure, append the rows to docs/benchmarks.jsonl, and write docs/benchmarks.md anew."""


@bench.command()
def render() -> None:
    """Only write docs/benchmarks.md and the README's scores anew from the rows."""
    rows.render()


for name in COMMANDS:
    bench.add_command(getattr(import_module(f"benchmarks.{name}"), name))


if __name__ == "__main__":
    bench()
