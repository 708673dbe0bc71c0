"""A command that is told to end: one line, the index old or new, and nothing left over; and what else ends it early.

SIGINT, SIGTERM and SIGHUP come at sampled steps of each command that writes, and at sampled moments of each that reads.
"""

import itertools
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from forked import CHANGES, forked, make_world, nothing_is_left_over, one_of, spread, write_table
from shared import ENVIRONMENT, LONG, command, some_documents, wait_for

from textae import Engine

SIGNALS, STEPS, MOMENTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP), 60 if LONG else 4, 12 if LONG else 1
LINE = "textae: error: interrupted\n"
AS_BEFORE = "textae: error: interrupted; the index is as it was before\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with forked(folder) as commands:
        yield make_world(folder, commands)


@pytest.mark.parametrize("name", CHANGES if LONG else ("add and merge", "rm", "sync"))
def test_a_change_that_is_interrupted_is_made_or_not_and_leaves_nothing_over(world, name, tmp_path):
    old, new, folder = world.old, world.copy(tmp_path / "new"), tmp_path / "index"
    most = world.commands.steps(world.changes[name], new)
    by = itertools.cycle(SIGNALS)
    interrupted = 0
    for step, number in zip(spread(STEPS, most), by, strict=False):
        code = world.run(name, world.copy(folder), limit=step, by=number)
        said = world.commands.said()
        assert code in (0, 128 + number), said
        became = one_of(folder, old, new)
        nothing_is_left_over(folder)
        if code:
            interrupted += 1
            assert said in (LINE, AS_BEFORE)
            assert said == LINE or became == old
        else:
            assert became == new
    assert interrupted


READING = {
    "search": ["search", "telescope comet", "--expand"],
    "similar": ["similar", "stars-0"],
    "dups": ["dups"],
    "decode": ["decode", "stars-0"],
    "sample": ["sample"],
    "info": ["info"],
    "doctor": ["doctor"],
    "eval": ["eval", "--label", "topic", "--systems", "bm25,code"],
    "topics": ["topics"],
    "export": ["export", "--codes", "OUT/codes.npy"],
    "map": ["map", "OUT/map.html"],
    "picture": ["map", "OUT/map.png"],
}


@pytest.fixture(scope="module")
def mapped(world, tmp_path_factory):
    """Give the old index with the map that it keeps, so that the commands on it write nothing but their files."""
    folder = world.copy(tmp_path_factory.mktemp("mapped") / "index")
    assert world.commands.run(["map"], folder) == 0
    return folder


@pytest.mark.parametrize("name", READING if LONG else ("search", "topics", "export", "map"))
def test_a_command_that_is_interrupted_leaves_the_index_and_no_half_of_a_file(world, mapped, name, tmp_path):
    out, folder = tmp_path / "out", tmp_path / "index"
    old = world.old if name == "topics" else mapped
    out.mkdir()
    arguments = [argument.replace("OUT", str(out)) for argument in READING[name]]
    shutil.copytree(old, folder)
    began = time.monotonic()
    assert world.commands.run(arguments, folder) in (0, 1), world.commands.said()
    takes = time.monotonic() - began
    new = Path(shutil.copytree(folder, tmp_path / "new")) if name == "topics" else old
    whole = {file.name: len(file.read_bytes()) for file in out.iterdir()}
    rng = random.Random(name)
    for turn in range(MOMENTS):
        number = SIGNALS[(len(name) + turn) % len(SIGNALS)]
        shutil.rmtree(folder)
        shutil.copytree(old, folder)
        for file in out.iterdir():
            file.write_bytes(b"old")
        code = world.commands.run(arguments, folder, seconds=rng.uniform(0, takes), by=number)
        assert code in (0, 1, 128 + number)
        assert world.commands.said() in (("", LINE, AS_BEFORE) if code > 1 else ("",))
        assert {file.name: len(file.read_bytes()) in (3, whole[file.name]) for file in out.iterdir()} == dict.fromkeys(
            whole, True
        )
        one_of(folder, *{old, new})
        nothing_is_left_over(folder)


def test_a_second_interrupt_leaves_at_once():
    script = (
        "import os, signal, sys; from textae.app import signals\n"
        "try:\n"
        "    with signals.raised():\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "except signals.Interrupted as interrupted:\n"
        "    print(interrupted.code, flush=True)\n"
        "with signals.raised():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        print('cleaning up goes on')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"130\n", b"")


@pytest.mark.parametrize("by", SIGNALS)
def test_a_real_process_ends_with_the_code_of_the_signal(index_folder, by, tmp_path):
    folder = shutil.copytree(index_folder, tmp_path / "index")
    arguments = command("add", "-", "--index", folder)
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        wait_for(lambda: (folder / "writer.json").exists())
        process.send_signal(by)
        said = process.stderr.read().decode()
    assert (process.returncode, said.splitlines()[-1:]) == (128 + by, [AS_BEFORE.rstrip()])
    nothing_is_left_over(folder)


def test_what_is_ignored_stays_ignored():
    """As nohup and scripts have it."""
    script = (
        "import os, signal; from textae.app import signals\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "signals.handle(signals.leave_at_once)\n"
        "os.kill(os.getpid(), signal.SIGHUP); os.kill(os.getpid(), signal.SIGTERM)"
    )
    assert subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT).returncode == 128 + signal.SIGTERM


class TestStreams:
    @pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    def test_a_standard_stream_that_is_closed_is_one_onto_nothing(self, index_folder, tmp_path, closed):
        """And never a file of the index, as the next file that is opened has the number of the one that was closed."""
        folder = shutil.copytree(index_folder, tmp_path / "index")
        said = shell(f"$TEXTAE rm stars-0 --index {folder} {closed}")
        assert (said.returncode, said.stdout) == (0, b"")
        assert b"Traceback" not in said.stderr
        with Engine.open(folder) as engine:
            assert engine.snapshot.reader.damage() == []
            assert not engine.snapshot.reader.has("stars-0")

    def test_a_change_is_made_though_nobody_reads_what_is_said(self, index_folder, tmp_path):
        folder = shutil.copytree(index_folder, tmp_path / "index")
        write_table(tmp_path / "table.jsonl", some_documents(62)[60:])
        shell(f"$TEXTAE add {tmp_path}/table.jsonl --index {folder} 2>&1 >/dev/null | head -c 1")
        with Engine.open(folder) as engine:
            assert len(engine.snapshot.reader) == 62

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    def test_a_stream_without_room_is_an_error_of_results_and_none_of_messages(self, index_folder):
        results = shell(f"$TEXTAE search comet --index {index_folder} >/dev/full")
        assert (results.returncode, results.stderr) == (2, b"textae: error: No space left on device\n")
        assert shell(f"$TEXTAE search comet --index {index_folder} 2>/dev/full").returncode == 0
        assert shell(f"$TEXTAE rm nobody --index {index_folder} 2>/dev/full").returncode == 2


def shell(line: str) -> subprocess.CompletedProcess:
    quoted = line.replace("$TEXTAE", shlex.join(command()))
    return subprocess.run(["sh", "-c", quoted], capture_output=True, env=ENVIRONMENT, timeout=120)


CUT_SHORT = "textae: error: a file of the index was cut short, or its disk failed; 'textae doctor' checks the index\n"


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(
    "use", ["array.sum()", "array[-1, 3]", "array[[5, -1]]", "array @ array.T", "bytes(array)", "sha256(array)"]
)
def test_a_mapped_file_that_is_cut_short_ends_the_process_with_a_line(use, beside, tmp_path):
    """Where Python's lock is held and where it is not, in the main thread and beside one that never waits."""
    np.save(tmp_path / "array.npy", np.ones((1000, 1000), np.float32))
    script = (
        "import os, sys, threading, numpy as np; from hashlib import sha256\n"
        "from textae.app.signals import end_with_a_line_where_a_file_cannot_be_read\n"
        "end_with_a_line_where_a_file_cannot_be_read()\n"
        "array = np.load(sys.argv[1], mmap_mode='r')\n"
        "os.truncate(sys.argv[1], 5000)\n"
        f"def use():\n    {use}\n"
        f"if {beside}:\n"
        "    thread = threading.Thread(target=use)\n"
        "    thread.start()\n"
        "    while thread.is_alive(): pass\n"
        "else:\n    use()\n"
    )
    arguments = [sys.executable, "-c", script, tmp_path / "array.npy"]
    done = subprocess.run(arguments, capture_output=True, env=ENVIRONMENT, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", CUT_SHORT)


@pytest.mark.parametrize(
    "arguments", [("search", "comet bread"), ("similar", "stars-0", "--mode", "code"), ("doctor",)]
)
def test_an_index_that_is_cut_short_while_it_is_open_ends_a_command_with_a_line(arguments, index_folder, tmp_path):
    """What was read before is still right."""
    folder = shutil.copytree(index_folder, tmp_path / "index")
    script = (
        "import os, sys; from pathlib import Path; from textae.index import snapshot, store\n"
        "from textae.app.cli import main\n"
        "opener = store.Reader if sys.argv[1] == 'doctor' else snapshot.Snapshot\n"
        "init = opener.__init__\n"
        "def opened(self, *arguments):\n"
        "    init(self, *arguments)\n"
        "    for path in Path(sys.argv[-1]).rglob('*'):\n"
        "        if path.is_file(): os.truncate(path, 0)\n"
        "opener.__init__ = opened\n"
        "main()"
    )
    line = [sys.executable, "-c", script, *arguments, "--index", folder]
    done = subprocess.run(line, capture_output=True, env=ENVIRONMENT, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("textae: error: ")
