"""Every write fails in turn: one clear line, exit 2, the index as it was before, and nothing left over.

A library that is loaded before all others makes the n-th write fail that a command does in the folder of the index:
each write, sync, truncation, new file, renaming and deletion, by Python, by numpy or by SQLite. The disk is broken for
that one write (EIO), full from then on (ENOSPC), or gone from then on (EIO, also of deletions, truncations and reads).
Then the reads fail in turn. SQLite calls that a malformed database, but nobody may be told that the index is damaged.
"""

import errno
import resource
import shutil
import signal
import subprocess
from itertools import product
from pathlib import Path

import pytest
from forked import CHANGES, World, forked, make_world, nothing_is_left_over, one_of, spread, state
from shared import LONG, Said

from textae.errors import StoreError

FAULTS = 150 if LONG else 5
"""Writes that fail, of each change."""

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="the library that lets writes fail takes a compiler")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    shim, source = folder / "faults.so", Path(__file__).with_name("faults.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
    with forked(folder, shim) as commands:
        yield make_world(folder, commands)


Fault = tuple[int, int, bool, bool]
"""The number of the call that fails, its error, whether all fail after it, and whether reads are counted, or writes."""


def broken(place: int) -> Fault:
    return place, errno.EIO, False, False


def full(place: int) -> Fault:
    return place, errno.ENOSPC, True, False


def gone(place: int) -> Fault:
    return place, errno.EIO, True, False


def gone_at_a_read(place: int) -> Fault:
    return place, errno.EIO, True, True


MODES = (broken, full, gone)


def count(world: World, name: str, folder: Path) -> int:
    """Count the writes of a change that is made in peace."""
    assert world.run(name, folder, fault=(0, 0, False, False)) == 0
    return int(world.commands.said().split()[-1])


def the_line(world: World, folder: Path) -> str:
    """Give the one line that was said, after it was checked that it is the right one."""
    line = Said(2, "", world.commands.said()).error
    assert line.startswith((f"cannot write the index {folder}: ", f"cannot read the index {folder}: ")), line
    assert line.endswith(("; it is as it was before", "; its disk may be full or broken, or you may not read it")), line
    return line


def is_in_doubt(world: World, folder: Path) -> bool:
    """Whether a command said that it does not know the index; it may, where the disk does not even cut a file."""
    return Said(2, "", world.commands.said()).error.startswith(
        f"the disk of {folder} failed in the last step of a commit; the index is the old one or the new one: "
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_write_that_fails_leaves_the_index_as_it_was_before(world, name, tmp_path):
    old, new, folder = world.old, world.copy(tmp_path / "new"), tmp_path / "index"
    most = count(world, name, new)
    said = set[str]()
    for number, place in enumerate(spread(FAULTS, most)):
        for fault in MODES if LONG else MODES[number % 3 :][:1]:
            code = world.run(name, world.copy(folder), fault=fault(place))
            if code == 0:  # what failed is no part of the index: the word for those who wait, the sweep afterwards
                assert world.commands.said() == ""
                assert one_of(folder, old, new) == new
                continue
            assert code == 2, world.commands.said()
            if fault is gone and is_in_doubt(world, folder):
                assert one_of(folder, old, new)
                continue
            line = the_line(world, folder)
            assert one_of(folder, old, new) == old
            if LONG or line not in said:  # to make the change in peace takes as long as all the rest
                assert world.run(name, folder) == 0
                assert one_of(folder, old, new) == new
                nothing_is_left_over(folder)
            said.add(line)
    assert said


@pytest.mark.parametrize("name", CHANGES if LONG else ["rm"])  # to add and merge takes 9 times as long
def test_a_commit_whose_last_sync_fails_is_none(world, name, tmp_path):
    """SQLite has written all of it to the log by then, and another process would find it there."""
    old, new, folder = world.old, world.copy(tmp_path / "new"), tmp_path / "index"
    place = count(world, name, new)
    while world.run(name, world.copy(folder), fault=full(place)) == 0:
        place -= 1
    for at, fault in product((place - 1, place), MODES):
        assert world.run(name, world.copy(folder), fault=fault(at)) == 2
        if is_in_doubt(world, folder):
            assert fault is gone
            assert one_of(folder, old, new)
        else:
            assert the_line(world, folder)
            assert one_of(folder, old, new) == old


LOOKS = (("search", "telescope bread"), ("similar", "ships-5"), ("info",), ("doctor",), ("dups",), ("rm", "ships-5"))


@pytest.mark.parametrize("command", LOOKS, ids=[command[0] for command in LOOKS])
def test_a_disk_that_does_not_read_is_no_damage(world, command, tmp_path):
    folder = world.copy(tmp_path / "index")
    assert world.commands.run(command, folder, fault=(0, 0, True, True)) in (0, 1)  # 1: there are no duplicates
    most = int(world.commands.said().split()[-1])
    for place in spread(FAULTS * 2, most):
        folder = world.copy(tmp_path / "index")
        code = world.commands.run(command, folder, fault=gone_at_a_read(place))
        if command[0] == "rm" and (code == 0 or is_in_doubt(world, folder)):  # in its commit, or after it
            continue
        assert code == 2, place
        line = Said(2, "", world.commands.said()).error
        assert "I/O error" in line or "Input/output error" in line, line
        assert not any(word in line for word in ("damage", "delete", "rebuild", "--replace", "malformed")), line


def test_a_write_that_fails_in_the_first_index_leaves_none(world, tmp_path):
    most = count(world, "index", tmp_path / "new")
    for number, place in enumerate(spread(FAULTS, most)):
        folder = tmp_path / str(place)
        if world.run("index", folder, fault=MODES[number % 3](place)) == 0:
            assert one_of(folder, tmp_path / "new")
            continue
        the_line(world, folder)
        with pytest.raises(StoreError, match=r"no index at|was never finished"):
            state(folder)
        assert world.run("index", folder) == 0
        assert one_of(folder, tmp_path / "new")
        nothing_is_left_over(folder)


@pytest.mark.parametrize("name", ["index", "add and merge"])
def test_a_disk_without_room_leaves_the_index_as_it_was_before(world, name, tmp_path):
    """No shim: files that may not grow beyond a size, from what a line of error takes to all that is written."""
    old, new, folder = world.old, world.copy(tmp_path / "new"), tmp_path / "index"
    assert world.run(name, new) == 0
    whole = (new / "index.sqlite").stat().st_size
    became = []
    for size in (300, 5_000, 40_000, whole // 2, whole, 4 * whole):
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.prlimit(world.commands.process.pid, resource.RLIMIT_FSIZE, (size, hard))
        try:
            code = world.run(name, world.copy(folder))
        finally:
            resource.prlimit(world.commands.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert code in (0, 2)
        became.append(one_of(folder, old, new))
        assert became[-1] == (old if code else new)
        assert not code or world.commands.said().count("\n") <= 1
    assert became == sorted(became, key=[old, new].index)
    assert set(became) == {old, new}
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN  # Python's own doing, on which all of this relies
