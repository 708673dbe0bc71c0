"""Readers and writers at once, as real processes: no error, no half of a commit, nothing that is gone.

Four processes search without pause while this one adds, removes, merges and learns. What they found in each commit is
held against what one engine alone finds in the same commit: hits of a model with the codes of another would differ.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from forked import state, write_table
from shared import ENVIRONMENT, LONG, Said, command, some_documents, wait_for

from textae import Engine, ModelSpec, TrainSpec
from textae.index import store
from textae.index.database import WAIT_FOR_LOCK

READERS = 4
SECONDS = 120 if LONG else 0
"""How long changes are made, beyond `CHANGES` of them."""
CHANGES = 12
SPECS = {"model": ModelSpec(dims=8, bits=16, hidden=(8,)), "train": TrainSpec(epochs=1, device="cpu")}
QUERIES = (("bm25", "telescope bread sail"), ("code", "yeast crust"), ("bits", "rope deck"), ("hybrid", "moon salt"))


def found(engine: Engine) -> tuple[str, list[list[tuple[str, float]]]]:
    """Give the name of the commit that an engine looks at, and the hits of all queries."""
    hits = [[(hit.id, hit.score) for hit in engine.search(query, 8, mode)] for mode, query in QUERIES]
    return engine.snapshot.reader._rows(store.DIGEST)[0][0], hits


def read(folder: Path, gone: Path, told: Path, done: Path) -> None:
    """Search until it is done, and write down what was found in each commit, once: twice the same is a must."""
    seen = {}
    with Engine.open(folder) as engine, told.open("w") as file:
        while not done.exists():
            removed = set(gone.read_text().split())  # before the refresh: what is gone by now must not be found after
            if engine.refresh():
                assert not engine.refresh() or not done.exists()
            commit, hits = found(engine)
            ids = {id for some in hits for id, _ in some}
            assert not removed & ids, (commit, removed & ids)
            assert all(map(engine.snapshot.reader.has, ids))
            assert seen.setdefault(commit, hits) == hits
            print(json.dumps([commit, hits]), file=file, flush=True)


def seen_by(told: Path) -> dict[str, list[list[tuple[str, float]]]]:
    lines = told.read_text().splitlines(keepends=True) if told.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    return {commit: [[(id, score) for id, score in some] for some in hits] for commit, hits in found}


@contextmanager
def readers(folder: Path, work: Path) -> Iterator[list[Path]]:
    """Give the files in which reading processes write what they find; at the end nothing has gone wrong in them."""
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import test_concurrent as t\n"
        "t.read(*map(Path, sys.argv[2:]))"
    )
    files = [work / f"reader-{number}" for number in range(READERS)]
    done, gone = work / "done", work / "gone"
    arguments = [sys.executable, "-c", script, str(Path(__file__).parent), str(folder), str(gone)]
    processes = [
        subprocess.Popen([*arguments, str(file), str(done)], env=ENVIRONMENT, stderr=subprocess.PIPE) for file in files
    ]
    try:
        yield files
    finally:
        done.touch()
        said = [process.communicate()[1].decode() for process in processes]
    assert said == [""] * READERS
    assert [process.returncode for process in processes] == [0] * READERS


def test_readers_search_whole_commits_while_a_writer_changes_all_there_is(tmp_path):
    documents = some_documents(3_000)
    gone = tmp_path / "gone"
    gone.touch()
    alone = {}
    with Engine.create(tmp_path / "index") as writer:
        writer.index(documents[:30], **SPECS)
        alone.update([found(writer)])
        waiting = documents[30:]
        there = [document.id for document in documents[:30]]
        kinds = set()
        with readers(tmp_path / "index", tmp_path) as files:
            end, number = time.monotonic() + SECONDS, 0
            while number < CHANGES or time.monotonic() < end:
                number += 1
                segments = writer.info()["segments"]
                if number % 6 == 5:
                    writer.train(**SPECS)
                elif number % 3 == 2:
                    removed, there = there[:7], there[7:]
                    writer.remove(removed)
                    gone.write_text("\n".join([*gone.read_text().split(), *removed]))
                else:
                    new, waiting = waiting[: number % 4 + 5], waiting[number % 4 + 5 :]
                    writer.add(new)
                    there += [document.id for document in new]
                kinds.add(writer.info()["segments"] - segments)
                commit, hits = found(writer)
                alone[commit] = hits
                if number % 3 == 0:
                    wait_for(lambda commit=commit: all(commit in seen_by(file) for file in files))
        read = [seen_by(file) for file in files]
    assert len(alone) == number + 1
    assert {0, 1} < kinds  # some changes made a segment more, some merged
    for one in read:
        assert len(one) >= CHANGES // 3
        assert one == {commit: alone[commit] for commit in one}
    assert sorted(id for id in state(tmp_path / "index")[0].values()) == sorted(there)


@pytest.fixture
def folder(tmp_path) -> Path:
    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(20), **SPECS)
    return tmp_path / "index"


@contextmanager
def a_writer_that_waits(folder: Path) -> Iterator[subprocess.Popen]:
    """Give `textae add -` that has the lock, and waits for what it is to add."""
    arguments = command("add", "-", "--index", folder)
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as first:
        wait_for(lambda: (folder / "writer.json").exists() or first.poll() is not None)
        yield first


def test_a_second_writer_waits_and_then_says_who_has_the_lock(folder, tmp_path, shell):
    before = state(folder)
    write_table(tmp_path / "more.jsonl", some_documents(25)[20:])
    with a_writer_that_waits(folder) as first:
        began = time.time()
        for arguments in (("rm", "stars-0"), ("add", tmp_path / "more.jsonl")):
            error = Said(*(said := shell(*arguments, "--index", folder, "-q")).__dict__.values()).error
            told = re.fullmatch(
                r"another textae \(add\), process (\d+), since (\d\d:\d\d:\d\d), is writing to (.*); "
                r"try again when it has finished",
                error,
            )
            assert told, said
            assert (int(told[1]), told[3]) == (first.pid, str(folder))
            assert told[2] <= time.strftime("%H:%M:%S", time.localtime(began)) or told[2] > "23:5"
        assert time.time() - began > WAIT_FOR_LOCK
        assert state(folder) == before
        first.communicate(b"a comet that came late")
        assert first.returncode == 0
    assert shell("rm", "stars-0", "--index", folder, "-q").code == 0
    assert not (folder / "writer.json").exists()


def test_a_second_writer_that_waited_long_enough_writes(folder):
    with a_writer_that_waits(folder) as first:
        with subprocess.Popen(command("rm", "stars-0", "--index", folder, "-q"), env=ENVIRONMENT) as second:
            first.communicate(b"a comet that came late")
        assert (first.returncode, second.returncode) == (0, 0)
    with Engine.open(folder) as engine:
        assert len(engine.snapshot.numbers) == 20
        assert [hit.id for hit in engine.search("late", mode="bm25")] == ["stdin"]
        assert not engine.snapshot.reader.has("stars-0")
        assert engine.snapshot.reader.damage() == []
