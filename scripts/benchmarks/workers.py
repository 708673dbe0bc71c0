"""Processes that are timed beside each other: each on one core, by its own clock, all asked in turns.

with Worker(python, SYSTEMS, "many", "tantivy", folder) as peer, Worker(…, "many", "bm25", index) as ours:
    seconds = in_turns({"tantivy": peer, "textae": ours}, queries)
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import click
import numpy as np
from numpy.typing import NDArray

PROGRAMS = Path(__file__).parent / "peers"
SYSTEMS = PROGRAMS / "systems.py"
SCANS = PROGRAMS / "scans.py"

ROUND = 20


def environment() -> dict[str, str]:
    """Of a process that keeps to one core, and keeps the bytecode of what it imports, as a person's shell does."""
    one_core = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "RAYON")}
    return {**os.environ, **one_core, "PYTHONDONTWRITEBYTECODE": ""}


class Worker:
    """A program of peers/ that answers rounds of texts.

    Args:
        python: the interpreter that has what the program imports.
        program: of peers/.
        arguments: of the program.
    """

    def __init__(self, python: str, program: Path, *arguments: object) -> None:
        command = [python, str(program), *map(str, arguments)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        )
        self._name = " ".join(command[1:])

    def ask(self, texts: Sequence[str]) -> list[float]:
        """The seconds that each text takes."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps(texts), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"{self._name} broke off; what it said stands above")
        seconds: list[float] = json.loads(line)["seconds"]
        return seconds

    def memory(self) -> dict[str, float]:
        """What the process holds, in MiB: the most at a time, and now its own and what is mapped from files (Linux)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":\t") for line in status.splitlines())
               if name in ("VmHWM", "RssAnon", "RssFile")}  # fmt: skip
        return {"MiB at most": kib["VmHWM"] / 1024, "own": kib["RssAnon"] / 1024, "mapped": kib["RssFile"] / 1024}

    def __enter__(self) -> Self:
        """The worker."""
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def in_turns(workers: Mapping[str, Worker], texts: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """The seconds of each text with each worker, who take turns after every few texts: (n_texts,) each.

    The first round is asked twice and counts once: before it nothing is in memory.
    """
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for worker in workers.values():
        worker.ask(texts[:ROUND])
    for first in range(0, len(texts), ROUND):
        for name, worker in workers.items():
            seconds[name] += worker.ask(texts[first : first + ROUND])
    return {name: np.array(values) for name, values in seconds.items()}
