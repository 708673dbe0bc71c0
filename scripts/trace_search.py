"""Count the functions and modules of textae that one search runs through.

The script runs `textae search` twice in this process, once to import everything and once under `sys.setprofile`, and
prints a table with a column for a plain search and one for a search with --where, --must and --explain:

    functions   distinct functions of textae that are called; properties count, comprehensions and lambdas do not
    modules     distinct modules of textae that these functions stand in
    switches    consecutive calls, in order of time, whose functions stand in different modules; returns do not count
    depth       the largest number of textae's functions on the stack at one time
    calls       all calls of textae's functions
    parsed      calls of the parser of conditions
    vectorized  calls of `Vectorizer.transform` or `bag`: from text to a bag of words
    encoded     calls of an encoder's `encode`: from a bag of words to a code

It measures the textae of the current folder, so that it also runs in an older checkout:

    .venv/bin/python scripts/trace_search.py                       both searches, on a small index that it builds
    .venv/bin/python scripts/trace_search.py --calls               also each module with its functions and their calls
    .venv/bin/python scripts/trace_search.py --path                also the calls in order, one line per switch
    .venv/bin/python scripts/trace_search.py --index notes.textae --query "smooth a signal" --where "year:2012" \
        --must signal

A small k keeps snippets, which are the same work for every hit, from dominating the number of switches.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import io
import json
import re
import runpy
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import groupby, pairwise
from pathlib import Path
from types import FrameType
from typing import Any

TREE = Path.cwd() / "textae"
LIBRARY = ("os", "shutil", "subprocess", "asyncio", "tempfile", "zipfile", "random", "statistics", "json", "logging")
REPEATED = {
    "parsed": re.compile(r"\.(conditions|filters|parser)\.parse$"),
    "vectorized": re.compile(r"\.Vectorizer\.(transform|bag)$"),
    "encoded": re.compile(r"Encoder\.encode$"),
}


class Trace:
    """The calls of textae's functions while it is installed as the profiler.

    Attributes:
        calls: (module, qualified name of the function) of each call, in order of time.
        depth: the largest number of textae's functions on the stack at one time.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.depth = 0
        self._on_stack = 0

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        """Note an event of `sys.setprofile`."""
        code = frame.f_code
        # Generated code (the constructor of a dataclass) has no file; comprehensions, lambdas and module bodies have
        # names like <listcomp>. A generator is called each time that it resumes.
        if event not in ("call", "return") or code.co_name.startswith("<") or str(TREE) not in code.co_filename:
            return
        if event == "return":
            self._on_stack -= 1
            return
        module = Path(code.co_filename).relative_to(TREE.parent).with_suffix("")
        self.calls.append((".".join(module.parts), code.co_qualname))
        self._on_stack += 1
        self.depth = max(self.depth, self._on_stack)

    def counts(self) -> dict[str, int]:
        """The rows of the table."""
        names = Counter(".".join(call) for call in self.calls)
        return {
            "functions": len(names),
            "modules": len({module for module, _ in self.calls}),
            "switches": sum(before != after for (before, _), (after, _) in pairwise(self.calls)),
            "depth": self.depth,
            "calls": len(self.calls),
            **{row: sum(n for name, n in names.items() if regex.search(name)) for row, regex in REPEATED.items()},
        }


def textae(arguments: Sequence[str]) -> None:
    """Run a command of the shell in this process, without its output."""
    sys.argv = ["textae", *arguments]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            runpy.run_module("textae", run_name="__main__")
        except SystemExit as end:
            code = end.code
    if code not in (0, None):
        raise SystemExit(f"textae {' '.join(arguments)}: exit code {code}: {errors.getvalue()}")


def traced(arguments: Sequence[str]) -> Trace:
    """Trace a command, after a first run that imports what it needs."""
    textae(arguments)
    trace = Trace()
    sys.setprofile(trace)
    try:
        textae(arguments)
    finally:
        sys.setprofile(None)
    return trace


def build_index(folder: Path) -> Path:
    """Index the docstrings of some modules of Python's library: a few hundred documents, in some seconds."""
    source, index = folder / "library.jsonl", folder / "library.textae"
    with source.open("w", encoding="utf-8") as lines:
        for name in LIBRARY:
            for member, thing in inspect.getmembers(importlib.import_module(name)):
                if not member.startswith("_") and (text := inspect.getdoc(thing)):
                    lines.write(json.dumps({"id": f"{name}.{member}", "text": text, "module": name}) + "\n")
    subprocess.run([sys.executable, "-m", "textae", "index", source, "--index", index, "-q"], check=True)
    return index


def print_calls(trace: Trace) -> None:
    """Print each module with its functions and the number of their calls."""
    for (module, name), count in sorted(Counter(trace.calls).items()):
        print(f"{count:6,}  {module}  {name}")


def print_path(trace: Trace) -> None:
    """Print the calls in order, a line for each stay in a module."""
    for module, stay in groupby(trace.calls, key=lambda call: call[0]):
        runs = ((name, sum(1 for _ in run)) for name, run in groupby(name for _, name in stay))
        print(f"{module}: {', '.join(name if n == 1 else f'{name} × {n}' for name, n in runs)}")


def main() -> None:
    """Trace a plain search and one with conditions, and print what they run through."""
    parser = argparse.ArgumentParser(
        description="Count the functions and modules of textae that one search runs through."
    )
    parser.add_argument("--index", type=Path, help="an index of texts; by default a small one is built")
    parser.add_argument("--query", default="wait until a process has ended")
    parser.add_argument("--where", default="module:(subprocess OR asyncio OR os)")
    parser.add_argument("--must", default="process AND child")
    parser.add_argument("-k", default="3", help="the number of hits (default: 3)")
    parser.add_argument("--calls", action="store_true", help="print each function and the number of its calls")
    parser.add_argument("--path", action="store_true", help="print the calls in order")
    options = parser.parse_args()
    sys.path.insert(0, str(TREE.parent))
    with tempfile.TemporaryDirectory() as folder:
        index = options.index or build_index(Path(folder))
        plain = ["search", options.query, "--index", str(index), "-k", options.k]
        conditions = ["--where", options.where, "--must", options.must, "--explain"]
        traces = {"plain": traced(plain), "conditions": traced([*plain, *conditions])}
    for title, trace in traces.items():
        for wanted, show in ((options.calls, print_calls), (options.path, print_path)):
            if wanted:
                print(f"# {title}")
                show(trace)
    counts = {title: trace.counts() for title, trace in traces.items()}
    print(f"{'':12}{''.join(f'{title:>12}' for title in counts)}")
    for row in counts["plain"]:
        print(f"{row:12}{''.join(f'{of[row]:12,}' for of in counts.values())}")


if __name__ == "__main__":
    main()
