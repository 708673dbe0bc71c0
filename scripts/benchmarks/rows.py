"""The rows of the benchmarks: what was measured is appended to docs/benchmarks.jsonl, and the page is written from it.

A row says what was measured, on which data, of what size, the figures, the commit, the machine, the date and the seed.
A timing stands beside a peer or a limit that was measured in the same run, for machines are noisy.

    write("P@100", "20newsgroups by date", 11_314, {"bm25": .451, "code": .588}, seed=1)
    render()
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks import page

ROOT = Path(__file__).parents[2]
ROWS = ROOT / "docs" / "benchmarks.jsonl"
PAGE = ROOT / "docs" / "benchmarks.md"
NOTES = ROOT / "docs" / "benchmarks-notes.md"
PICTURE = ROOT / "docs" / page.PICTURE
README = ROOT / "README.md"
SCORES = "<!-- scores: written by scripts/bench -->"


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        what: was measured; rows of one name share a table.
        data: it was measured on.
        size: documents.
        figures: by name, in the order of the table's columns.
        seed: None where nothing is random.
        commit: of the code.
        machine: in words.
        date: ISO 8601.
    """

    what: str
    data: str
    size: int
    figures: Mapping[str, float]
    seed: int | None
    commit: str
    machine: str
    date: str


def data(*parts: str) -> Path:
    """A file of the real corpora."""
    folder = os.environ.get("TEXTAE_DATA")
    if not folder:
        raise click.ClickException("set TEXTAE_DATA to the folder that holds the corpora (scifact/, cran/, …)")
    return Path(folder).joinpath(*parts)


def write(what: str, on: str, size: int, figures: Mapping[str, float], seed: int | None = None) -> None:
    """Append a row, and say it."""
    rounded = {name: round(value, 4) for name, value in figures.items()}
    row = Row(what, on, size, rounded, seed, _commit(), _machine(), datetime.date.today().isoformat())
    with ROWS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(row), ensure_ascii=False) + "\n")
    say(what, on, figures)


def say(what: str, on: str, figures: Mapping[str, float]) -> None:
    """Print a measurement."""
    click.echo(f"{what} · {on} · " + " · ".join(f"{name} {value:.4g}" for name, value in figures.items()))


def read() -> list[Row]:
    """All rows, as they were written."""
    return [Row(**json.loads(line)) for line in ROWS.read_text(encoding="utf-8").splitlines()]


def render() -> None:
    """Write the page and the README's scores from the rows."""
    rows = read()
    PAGE.write_text(page.page(rows, NOTES.read_text(encoding="utf-8")), encoding="utf-8")
    before, _, after = README.read_text(encoding="utf-8").split(SCORES)
    README.write_text(f"{before}{SCORES}\n{page.scores(rows)}\n{SCORES}{after}", encoding="utf-8")


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def _machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores"
