"""Rows: each measurement is appended to docs/benchmarks.jsonl.

A row holds the measurement, the data and its size, the figures, and the commit, machine, date and seed:

    write("P@100", "20newsgroups by date", 11_314, {"bm25": .451, "code": .588}, seed=1)

Machines are noisy, so a timing stands beside a peer or a limit that was measured in the same run.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.harness.options import quick

ROOT = Path(__file__).parents[3]
ROWS = ROOT / "docs" / "benchmarks.jsonl"

_STARTED = time.perf_counter()

Groups = dict[str, dict[str, list["Row"]]]
"""Rows by what was measured, then by data; a list has one row per seed."""


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        what: the name of the measurement; rows with the same name share a table.
        data: the data set.
        size: the number of documents.
        figures: values by column name, in the order of the table's columns.
        seed: None where nothing is random.
        commit: of the code.
        machine: in words.
        date: ISO 8601.
        command: that wrote the row; empty in rows of before.
        seconds: since the command began; rows of one command share them.
    """

    what: str
    data: str
    size: int
    figures: Mapping[str, float]
    seed: int | None
    commit: str
    machine: str
    date: str
    command: str = ""
    seconds: float = 0.0


def write(
    what: str, on: str, size: int, figures: Mapping[str, float], seed: int | None = None, machine: str = ""
) -> None:
    """Append a row and print it; a quick command's row is printed alone, and marked.

    The machine is this one's CPU unless another device was measured.
    """
    echo(f"quick: {what}" if quick() else what, on, figures)
    if quick():
        return
    rounded = {name: round(value, 4) for name, value in figures.items()}
    today, command = datetime.date.today().isoformat(), " ".join([f"scripts/{Path(sys.argv[0]).stem}", *sys.argv[1:]])
    seconds = round(time.perf_counter() - _STARTED)
    row = Row(what, on, size, rounded, seed, _commit(), machine or _machine(), today, command, seconds)
    with ROWS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(row), ensure_ascii=False) + "\n")


def echo(what: str, on: str, figures: Mapping[str, float]) -> None:
    """Print a measurement."""
    click.echo(f"{what} · {on} · " + " · ".join(f"{name} {value:.4g}" for name, value in figures.items()))


def read() -> list[Row]:
    """All rows, oldest first."""
    return [Row(**json.loads(line)) for line in ROWS.read_text(encoding="utf-8").splitlines()]


def newest(rows: Sequence[Row]) -> Groups:
    """The newest row of each measurement, data set and seed."""
    last = {(row.what, row.data, row.seed): row for row in rows}
    groups: Groups = {}
    for row in last.values():
        groups.setdefault(row.what, {}).setdefault(row.data, []).append(row)
    return groups


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def _machine() -> str:
    model, cpuinfo = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores"
