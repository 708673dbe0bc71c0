"""kill -9 at any moment of a command that changes an index: there is the old index, or the new one, never half of one.

A process that has done the slow imports forks the command, which kills itself at the n-th of the steps by which an
index is changed (files opened, renamed and deleted, SQL statements), or is killed after a while. The steps are counted
by Python's audit hook and SQLite's trace, so the code that is tested is the one that runs.
"""

import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from forked import CHANGES, World, forked, make_world, nothing_is_left_over, one_of, spread, state
from shared import ENVIRONMENT, LONG, command

from textae import Engine
from textae.errors import StoreError
from textae.index.segments import merge_slice

KILLS_AT_STEPS, KILLS_AT_TIMES = (60, 60) if LONG else (6, 2)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with forked(folder) as commands:
        yield make_world(folder, commands)


def sizes(folder: Path) -> list[int]:
    """Give how many documents each segment holds, removed ones too."""
    with Engine.open(folder) as engine:
        return [segment.n_rows for segment in engine.snapshot.segments]


def the_next_writer_cleans_up(world: World, name: str, folder: Path, new: Path) -> None:
    """Make the change in peace, and check that nothing is left of those that died.

    Where it was made already it is made again, or refused: it is all the same.
    """
    world.run(name, folder)
    assert one_of(folder, new)
    nothing_is_left_over(folder)


def test_the_changes_merge_where_they_say_so(world, tmp_path):
    became = {}
    for name in CHANGES:
        assert world.run(name, world.copy(tmp_path / "index")) == 0
        became[name] = sizes(tmp_path / "index")
    assert sizes(world.old) == [40, 9]
    assert became == {
        "index": [50],
        "add": [40, 9, 3],
        "add and merge": [40, 19],
        "rm": [40, 9],
        "rm and merge": [40, 4],
        "sync": [40, 19],
        "train": [49],
    }
    assert merge_slice([40, 9, 10]) == slice(1, 3)


@pytest.mark.parametrize("name", CHANGES)
def test_killed_at_any_step_there_is_the_old_index_or_the_new_one(world, name, tmp_path):
    old, new, folder = world.old, world.copy(tmp_path / "new"), world.copy(tmp_path / "index")
    assert world.run(name, new) == 0
    most = world.commands.steps(world.changes[name], folder)
    assert one_of(folder, old, new) == new  # to do it twice is the same
    became = []
    for step in spread(KILLS_AT_STEPS, most):
        assert world.run(name, world.copy(folder), limit=step) == -signal.SIGKILL
        became.append(one_of(folder, old, new))
        if LONG or len(became) == 4:
            the_next_writer_cleans_up(world, name, folder, new)
    assert became == sorted(became, key=[old, new].index)  # once it is the new one, it stays the new one
    assert set(became) == {old, new}


def test_killed_at_any_step_of_the_first_index_there_is_none_or_a_whole_one(world, tmp_path):
    new = tmp_path / "new"
    most = world.commands.steps(world.changes["index"], new)
    became = set()
    for step in {*spread(KILLS_AT_STEPS * 2 // 3, most), most // 2}:
        folder = tmp_path / str(step)
        assert world.run("index", folder, limit=step) == -signal.SIGKILL
        try:
            one_of(folder, new)
            became.add("whole")
        except StoreError as error:
            assert "no index at" in str(error) or "was never finished; 'textae index" in str(error)
            became.add("none")
    the_next_writer_cleans_up(world, "index", tmp_path / str(most // 2), new)
    assert became == {"none", "whole"}


@pytest.mark.parametrize("name", ["index", "sync"])
def test_killed_at_any_time_there_is_the_old_index_or_the_new_one(world, name, tmp_path):
    old, folder, new = world.old, world.copy(tmp_path / "index"), world.copy(tmp_path / "new")
    began = time.monotonic()
    assert world.run(name, new) == 0
    takes = time.monotonic() - began
    rng = random.Random(1)
    for number in range(KILLS_AT_TIMES):
        if one_of(folder, old, new) == new:
            world.copy(folder)
        world.run(name, folder, seconds=rng.uniform(number, number + 1) / KILLS_AT_TIMES * takes * 1.1)
        one_of(folder, old, new)  # orphans of several dead writers may lie there by now
    the_next_writer_cleans_up(world, name, folder, new)


def test_a_reader_that_was_open_survives_the_death_of_writers(world, tmp_path):
    folder = world.copy(tmp_path / "index")
    before = state(folder)[:2]
    with Engine.open(folder) as reader:
        hits = reader.search("telescope comet star bread sail", k=7, mode="hybrid")
        assert len(hits) == 7
        for name in CHANGES[1:]:
            most = world.commands.steps(world.changes[name], world.copy(tmp_path / "count"))
            for step in (most // 2, most - 1):
                world.run(name, folder, limit=step)
                assert reader.search("telescope comet star bread sail", k=7, mode="hybrid") == hits
        assert (reader.snapshot.reader.all_ids(), list(reader.snapshot.reader.stream())) == before
        assert reader.snapshot.reader.damage() == []
    with Engine.open(folder) as reader:
        assert reader.snapshot.reader.damage() == []


def test_a_killed_command_leaves_the_index_and_its_doctor_content(world, tmp_path):
    """The same with nothing between: the command as it is typed, killed while it learns."""
    folder = tmp_path / "index"
    shutil.copytree(world.old, folder)
    arguments = command("index", world.changes["index"][1], "--index", folder, "--passes", 1_000_000, "--replace")
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        for line in process.stderr:
            if line.startswith(b"learning"):
                break
        process.kill()
    assert process.returncode == -signal.SIGKILL
    done = subprocess.run(command("doctor", "--index", folder), capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder}: sound\n", "")
    assert one_of(folder, world.old) == world.old
