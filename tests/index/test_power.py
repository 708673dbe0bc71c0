"""The power fails at any moment of a command that writes: the index is the old one or the new one, and so is each file.

What a command writes is recorded by a library that is loaded before all others. The record is replayed on the model of
a disk in `disk.py`, cut at each step, and what may be on the disk then is laid out and opened.
"""

import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from disk import Disk, Step, Tree, laid_out, steps
from forked import CHANGES, World, forked, make_world, nothing_is_left_over, spread, state
from shared import ENVIRONMENT, LONG

from textae import Engine
from textae.errors import StoreError
from textae.files import whole_file
from textae.types import Hit

CUTS, LOSSES, FOLLOWED = (10**9, 4, 20) if LONG else (6, 2, 1)
"""Steps after which the power fails; states of the disk beside four extremes; how many of them the next command meets.
"""

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="the library that records writes takes a compiler")

LEARNED_LATER = {"topics": ["topics"], "map": ["map"]}
"""Commands that keep in the index what they learn."""

FILES = {
    "codes.npy": ["export", "--codes", "codes.npy"],
    "codes.csv": ["export", "--codes", "codes.csv", "--what", "bits"],
    "codes.parquet": ["export", "--codes", "codes.parquet"],
    "map.html": ["map", "map.html"],
    "map.png": ["map", "map.png"],
    "runs": ["eval", "--queries", "queries", "--qrels", "qrels", "--systems", "bm25,code", "--runs", "runs"],
}
"""Commands that write files for other tools, by the file, or the folder, that they write."""


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    shim, source = folder / "recorder.so", Path(__file__).with_name("recorder.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl", "-lpthread"], check=True)
    with forked(folder, shim) as commands:
        yield make_world(folder, commands)


class Recording:
    """A command that was recorded, and what may be on the disk where the power fails meanwhile.

    Args:
        world: whose commands run.
        arguments: of the command.
        root: the folder in which everything is recorded.
        index: the folder of the index, in `root`.
    """

    def __init__(self, world: World, arguments: Sequence[str], root: Path, index: Path) -> None:
        self.disk, record = Disk(root), root.with_name("record")
        assert world.commands.run(arguments, index, record=[str(root), str(record)]) == 0, world.commands.said()
        self.steps: list[Step] = list(steps(record))
        self.after = Disk(root).seen()

    def losses(self) -> Iterator[tuple[bool, Tree]]:
        """Give each state of the disk once, and whether the command had ended."""
        rng, known = random.Random(1), set()
        cuts = {*spread(CUTS, len(self.steps)), len(self.steps)}
        for number in range(len(self.steps) + 1):
            if number:
                self.disk.play(self.steps[number - 1])
            if number and number not in cuts:
                continue
            ended = number == len(self.steps)
            for tree in self.disk.losses(rng, LOSSES):
                if (key := (ended, digest(tree))) not in known:
                    known.add(key)
                    yield ended, tree
        assert digest(self.disk.seen()) == digest(self.after)  # else the record missed a call


def digest(tree: Tree) -> str:
    def hashed(tree: Tree) -> list[object]:
        return [
            [name, hashlib.sha256(node).hexdigest() if isinstance(node, bytes) else hashed(node)]
            for name, node in sorted(tree.items())
        ]

    return json.dumps(hashed(tree))


def found_in(folder: Path) -> tuple | None:
    """Give all that an index holds, after it was found sound; None where there is none."""
    try:
        return state(folder)
    except StoreError as error:
        assert "no index at" in str(error) or "was never finished; 'textae index" in str(error), error
        return None


def hits(folder: Path) -> list[Hit]:
    with Engine.open(folder) as engine:
        return engine.search("telescope comet star bread sail", k=7)


def survives(world: World, recording: Recording, before: Path, after: Path, place: str, tmp_path: Path) -> None:
    """Check that a recorded change is there as a whole, or not at all; and wholly when the command had ended."""
    old, new = found_in(before), found_in(after)
    became, rng = [], random.Random(2)
    followed = {"old": 0, "new": 0}
    for number, (ended, tree) in enumerate(recording.losses()):
        root = tmp_path / f"cut-{number}"
        laid_out(tree, root)
        found = found_in(root / place)
        assert found == new or (not ended and found == old), (number, ended)
        became.append("new" if found == new else "old")
        if not followed[became[-1]] or (followed[became[-1]] < FOLLOWED and rng.random() < 0.1):
            followed[became[-1]] += 1
            if found is not None:
                assert hits(root / place) == hits(after if found == new else before)
            assert world.run("index" if found is None else "add", root / place) == 0, world.commands.said()
            nothing_is_left_over(root / place)
        shutil.rmtree(root)
    assert set(became) == {"old", "new"}
    print(f"{len(recording.steps)} steps, {len(became)} states of the disk")  # for `pytest -rP`


@pytest.mark.parametrize("name", [*CHANGES, *LEARNED_LATER] if LONG else ["add and merge", "sync", "train", "topics"])
def test_the_power_fails_and_there_is_the_old_index_or_the_new_one(world, name, tmp_path):
    root = tmp_path / "disk"
    index = world.copy(root / "index")
    if name == "map":
        assert world.commands.run(["topics"], index) == 0  # which would be a commit of its own
    before = Path(shutil.copytree(index, tmp_path / "before"))
    arguments = world.changes[name] if name in CHANGES else [*LEARNED_LATER[name]]
    survives(world, Recording(world, arguments, root, index), before, index, "index", tmp_path)


def test_the_power_fails_and_there_is_no_first_index_or_a_whole_one(world, tmp_path):
    root = tmp_path / "disk"
    root.mkdir()
    index = root / "new" / "folders" / "index"
    recording = Recording(world, world.changes["index"], root, index)
    survives(world, recording, tmp_path / "nothing", index, "new/folders/index", tmp_path)


@pytest.mark.parametrize("name", FILES if LONG else ["codes.npy", "runs"])
def test_the_power_fails_and_each_file_for_other_tools_is_the_old_one_or_the_new_one(world, name, tmp_path):
    root = tmp_path / "disk"
    out = root / "out"
    out.mkdir(parents=True)
    index = world.copy(tmp_path / "index")
    assert world.commands.run(["map"], index) == 0  # which is kept, so that drawing it writes nothing but the file
    (out / "queries").write_text("".join(f"q{n}\t{word}\n" for n, word in enumerate(["telescope bread", "sail"])))
    (out / "qrels").write_text("q0\t0\tstars-0\t1\nq1\t0\tships-2\t1\n")
    arguments = [str(out / one) if one in ("queries", "qrels", name) else one for one in FILES[name]]
    assert world.commands.run(arguments, index) == 0, world.commands.said()
    for file in written(out):
        file.write_bytes(b"old")
    recording = Recording(world, arguments, root, index)
    new = {file.relative_to(root): file.read_bytes() for file in written(out)}
    became, left = set(), False
    for number, (ended, tree) in enumerate(recording.losses()):
        cut = tmp_path / f"cut-{number}"
        laid_out(tree, cut)
        for file, content in new.items():
            found = (cut / file).read_bytes()
            assert found == content or (not ended and found == b"old"), (number, ended, file, len(found))
            became.add(found == content)
        left = left or any(file.suffix == ".part" for file in written(cut / "out"))
        shutil.rmtree(cut)
    assert became == {False, True}
    assert left
    print(f"{len(recording.steps)} steps, {number + 1} states of the disk")


def written(out: Path) -> list[Path]:
    """Give the files that a command has written."""
    return [file for file in sorted(out.rglob("*")) if file.is_file() and file.name not in ("queries", "qrels")]


def test_what_a_dead_process_left_of_a_file_is_gone_when_the_file_is_written_again(tmp_path):
    """Only that: another file's, and that of a process that lives, stay."""
    script = (
        "import os, sys; from pathlib import Path; from textae.files import whole_file\n"
        "with whole_file(Path(sys.argv[1])): os._exit(0)"
    )
    for name in ("one", "other"):
        subprocess.run([sys.executable, "-c", script, str(tmp_path / name)], check=True, env=ENVIRONMENT)
    dead = set(tmp_path.glob(".*.part"))
    assert len(dead) == 2
    with whole_file(tmp_path / "one") as first:
        first.write_bytes(b"first")
        subprocess.run([sys.executable, "-c", script, str(tmp_path / "one")], check=True, env=ENVIRONMENT)
        assert first.exists()
        assert len(dead & set(tmp_path.glob(".*.part"))) == 1
    with whole_file(tmp_path / "one"), whole_file(tmp_path / "other"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]
