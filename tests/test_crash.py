"""kill -9 at any moment of `textae index` or `train`: there is the old index, or the new one, and never half of one.

A process that has done the slow imports forks one that indexes or trains, which kills itself at the n-th of the steps
by which an index is made (files opened, renamed and deleted, SQL statements), or is killed after a while. The steps are
counted by Python's audit hook and SQLite's trace, so the code that is tested is the one that runs.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shared import ENVIRONMENT, LONG, command, contents, some_documents

from textae import Engine, ModelSpec, TrainSpec
from textae.errors import StoreError

KILLS_AT_STEPS, KILLS_AT_TIMES = (200, 100) if LONG else (10, 6)
SPECS = {"model": ModelSpec(dims=8, bits=16, hidden=(8,)), "train": TrainSpec(passes=1, device="cpu")}

SERVER = """
import os, signal, sqlite3, sys, time
import sklearn.utils.extmath, scipy.sparse, textae.evaluation, textae.finetune, textae.corpus
from textae.cli import main

def run(arguments, folder, limit):
    steps = 0
    def step():
        nonlocal steps
        steps += 1
        if steps == limit:
            os.kill(os.getpid(), signal.SIGKILL)
    def hook(event, arguments):
        if event in ("open", "os.rename", "os.remove", "os.mkdir") and folder in str(arguments[0]):
            step()
    def traced(*arguments, **options):
        database = connect(*arguments, **options)
        database.set_trace_callback(lambda sql: sql.startswith("INSERT INTO documents") or step())
        return database
    if limit is not None:
        sys.addaudithook(hook)
        connect, sqlite3.connect = sqlite3.connect, traced
    sys.argv = ["textae", *arguments.split(), "--index", folder, "--quiet"]
    try:
        main()
    except SystemExit as done:
        if limit == 0:
            print(steps, file=sys.stderr, flush=True)
        os._exit(done.code or 0)

print("ready", flush=True)
for line in sys.stdin:
    arguments, folder, limit, seconds = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        run(arguments, folder, int(limit) if limit else None)
    if seconds:
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


INDEX = "index {table} --passes 1 --device cpu --dims 8 --bits 16 --hidden 8"
TRAIN = "train --passes 1 --device cpu --dims 8 --bits 16 --hidden 8 --label topic"


class Indexer:
    """A process whose children index a table, or train an index, and are killed."""

    def __init__(self, table: Path, said: Path, arguments: str) -> None:
        self.table, self.said, self.arguments = table, said, arguments.format(table=table)
        with said.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=ENVIRONMENT,
                text=True,
                bufsize=1,
            )
        assert self.process.stdout.readline() == "ready\n"

    def run(self, folder: Path, step: int | None = None, seconds: float | None = None) -> int:
        """Index into the folder, or train what is there; gives the signal that ended it, or 0."""
        limit, wait = ("" if number is None else number for number in (step, seconds))
        print(self.arguments, folder, limit, wait, sep="\t", file=self.process.stdin, flush=True)
        return os.waitstatus_to_exitcode(int(self.process.stdout.readline()))

    def steps(self, folder: Path) -> int:
        """Count the steps of an index that is made in peace."""
        assert self.run(folder, step=0) == 0
        return int(self.said.read_text().split()[-1])


@contextmanager
def children(folder: Path, arguments: str) -> Iterator[Indexer]:
    """Give the process, and check at its end that nothing but a signal went wrong in it."""
    rows = [{"id": d.id, "title": d.title, "text": d.text, **d.fields} for d in some_documents(60)]
    (folder / "table.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = Indexer(folder / "table.jsonl", folder / "said", arguments)
    yield made
    made.process.stdin.close()
    made.process.stdout.close()
    assert made.process.wait() == 0
    assert "Traceback" not in made.said.read_text()


@pytest.fixture(scope="module")
def indexer(tmp_path_factory):
    with children(tmp_path_factory.mktemp("indexer"), INDEX) as made:
        yield made


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    with children(tmp_path_factory.mktemp("trainer"), TRAIN) as made:
        yield made


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("old") / "index"
    with Engine.create(folder) as engine:
        engine.index(some_documents(7, seed=2), **SPECS)
    return folder


@pytest.fixture(scope="module")
def new(tmp_path_factory, indexer) -> Path:
    folder = tmp_path_factory.mktemp("new") / "index"
    assert indexer.run(folder) == 0
    return folder


def spread(n: int, most: int) -> list[int]:
    """Choose n of the steps from 1 to most: the first and the last ones, and others of all parts."""
    if n >= most:
        return list(range(1, most + 1))
    ends = [1, 2, 3, most - 3, most - 2, most - 1, most]
    return sorted({*ends, *(1 + most * i // (n - len(ends)) for i in range(n - len(ends)))})


def one_of(folder: Path, *wholes: Path) -> Path:
    """Tell which of some indexes this one is, to the last byte; it must be one of them, and sound."""
    found = contents(folder)
    same = [whole for whole in wholes if contents(whole) == found]
    assert len(same) == 1
    return same[0]


def the_next_writer_cleans_up(indexer: Indexer, folder: Path, new: Path) -> None:
    """Index in peace, and check that nothing is left of those that died."""
    assert indexer.run(folder) == 0
    assert one_of(folder, new)
    assert sorted(path.name for path in folder.iterdir()) == ["arrays", "index.sqlite"]
    with Engine.open(folder) as engine:
        named = len({array.filename for array in engine.opened.reader.arrays.values()})
    assert len(list((folder / "arrays").iterdir())) == named


def test_killed_at_any_step_there_is_the_old_index_or_the_new_one(indexer, old, new, tmp_path):
    folder = tmp_path / "index"
    shutil.copytree(old, folder)
    most = indexer.steps(folder)
    assert one_of(folder, old, new) == new
    became = []
    for step in spread(KILLS_AT_STEPS, most):
        shutil.rmtree(folder)
        shutil.copytree(old, folder)
        assert indexer.run(folder, step=step) == -signal.SIGKILL
        became.append(one_of(folder, old, new))
        if LONG or len(became) % 5 == 0:
            the_next_writer_cleans_up(indexer, folder, new)
    assert became == sorted(became, key=[old, new].index)  # once it is the new one, it stays the new one
    assert set(became) == {old, new}


def test_killed_at_any_step_of_the_first_index_there_is_none_or_a_whole_one(indexer, new, tmp_path):
    most = indexer.steps(tmp_path / "whole")
    became = set()
    for step in {*spread(KILLS_AT_STEPS * 2 // 3, most), most // 2}:
        folder = tmp_path / str(step)
        assert indexer.run(folder, step=step) == -signal.SIGKILL
        try:
            one_of(folder, new)
            became.add("whole")
        except StoreError as error:
            assert "no index at" in str(error) or "was never finished; 'textae index" in str(error)
            became.add("none")
    the_next_writer_cleans_up(indexer, tmp_path / str(most // 2), new)
    assert became == {"none", "whole"}


def test_killed_at_any_time_there_is_the_old_index_or_the_new_one(indexer, old, new, tmp_path):
    folder = tmp_path / "index"
    shutil.copytree(old, folder)
    began = time.monotonic()
    assert indexer.run(folder) == 0
    takes = time.monotonic() - began
    rng = random.Random(1)
    for number in range(KILLS_AT_TIMES):
        if one_of(folder, old, new) == new:
            shutil.rmtree(folder)
            shutil.copytree(old, folder)
        indexer.run(folder, seconds=rng.uniform(number, number + 1) / KILLS_AT_TIMES * takes * 1.1)
        one_of(folder, old, new)  # orphans of several dead writers may lie there by now
    the_next_writer_cleans_up(indexer, folder, new)


def test_killed_at_any_step_of_training_there_is_the_old_index_or_the_new_one(trainer, new, tmp_path):
    """The documents are in both: what is at stake is that codes, encoder and settings are of one commit."""
    folder, trained = tmp_path / "index", tmp_path / "trained"
    for copy in (folder, trained):
        shutil.copytree(new, copy)
    most = trainer.steps(trained)
    assert trainer.run(folder) == 0
    assert one_of(folder, new, trained) == trained  # training twice is the same
    became = []
    for step in spread(KILLS_AT_STEPS, most):
        shutil.rmtree(folder)
        shutil.copytree(new, folder)
        assert trainer.run(folder, step=step) == -signal.SIGKILL
        became.append(one_of(folder, new, trained))
        if LONG or len(became) % 5 == 0:
            the_next_writer_cleans_up(trainer, folder, trained)
    assert became == sorted(became, key=[new, trained].index)
    assert set(became) == {new, trained}


def test_a_reader_that_was_open_survives_the_death_of_a_writer(indexer, old, new, tmp_path):
    folder = tmp_path / "index"
    shutil.copytree(old, folder)
    most = indexer.steps(tmp_path / "count")
    with Engine.open(folder) as reader:
        before = reader.search("telescope comet star bread sail", k=7, mode="code")
        assert before
        for step in (most // 2, most - 1, None):
            indexer.run(folder, step=step)
            assert reader.search("telescope comet star bread sail", k=7, mode="code") == before
            assert len(reader.opened.reader) == 7
            assert reader.damage() == []
    assert one_of(folder, old, new) == new


def test_a_killed_command_leaves_the_index_and_its_doctor_content(indexer, old, tmp_path):
    """The same with nothing between: the command as it is typed, killed while it learns."""
    folder = tmp_path / "index"
    shutil.copytree(old, folder)
    arguments = command("index", indexer.table, "--index", folder, "--passes", 1_000_000)
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        for line in process.stderr:
            if line.startswith(b"learning"):
                break
        process.kill()
    assert process.returncode == -signal.SIGKILL
    done = subprocess.run(command("doctor", "--index", folder), capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder}: sound\n", "")
    assert one_of(folder, old) == old
