"""Processes: workers that answer in turns, each on one core and by its own clock, and programs that run once.

    with Worker(python, SYSTEMS, "many", "tantivy", folder) as peer, Worker(…, "many", "bm25", index) as ours:
        seconds = in_turns({"tantivy": peer, "textae": ours}, queries)

Turns let noise of the machine fall on all workers alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
import numpy as np
from numpy.typing import NDArray

PEERS = Path(__file__).parents[1] / "peers"
SYSTEMS = PEERS / "systems.py"
SCANS = PEERS / "scans.py"

ROUND = 20


def one_core() -> dict[str, str]:
    """The environment of a process that uses one core, and keeps bytecode as a person's shell does."""
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "RAYON")}
    return {**os.environ, **threads, "PYTHONDONTWRITEBYTECODE": ""}


class Worker:
    """A program of peers/ that answers rounds of texts.

    Args:
        python: an interpreter that has what the program imports.
        program: of peers/.
        arguments: of the program.
    """

    def __init__(self, python: str, program: Path, *arguments: object) -> None:
        command = [python, str(program), *map(str, arguments)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one_core()
        )
        self._name = " ".join(command[1:])

    def ask(self, texts: Sequence[str]) -> list[float]:
        """The seconds of each text.

        Raises:
            ClickException: the process has ended.
        """
        assert self._process.stdin and self._process.stdout
        print(json.dumps(texts), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"{self._name} ended early; its error message is above")
        seconds: list[float] = json.loads(line)["seconds"]
        return seconds

    def memory(self) -> dict[str, float]:
        """The memory of the process in MiB: its peak, and now its own and what is mapped from files (Linux)."""
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
    """The seconds of each text with each worker, (n_texts,) each; workers take turns after every few texts.

    The first round runs twice and counts once, because it loads everything into memory.
    """
    seconds: dict[str, list[float]] = {name: [] for name in workers}
    for worker in workers.values():
        worker.ask(texts[:ROUND])
    for first in range(0, len(texts), ROUND):
        for name, worker in workers.items():
            seconds[name] += worker.ask(texts[first : first + ROUND])
    return {name: np.array(values) for name, values in seconds.items()}


def timed(*command: str | Path) -> float:
    """The seconds of a process on one core, from its start to its end.

    Raises:
        ClickException: the command fails.
    """
    started = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, env=one_core(), check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise click.ClickException(f"{' '.join(map(str, command))[:500]} failed; its error message is above")
    return seconds


def run_peer(python: str, program: str, *arguments: object, **environment: str) -> Any:
    """Run a program of peers/ once.

    Args:
        python: an interpreter that has what the program imports.
        program: its file name.
        arguments: of the program.
        environment: variables beside those of this process.

    Returns:
        The JSON of the last line that it prints.

    Raises:
        ClickException: the program fails.
    """
    command = [python, str(PEERS / program), *map(str, arguments)]
    env = {**os.environ, **environment}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        message = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise click.ClickException(f"{python} cannot run peers/{program} ({message}); its suite lists what to install")
    return json.loads(done.stdout.splitlines()[-1])
