"""A driver that is killed: 'textae index --out' dies at each of its files, and the next run goes on from there."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from shared import ENVIRONMENT, LONG, command, nobody, real_shell, some_documents, wait_for

from textae.cluster.storage import Storage

pytest.importorskip("pyarrow")

FILES = 8  # documents, counts, tokens, vocabulary, sample, model, codes, commit
AT = range(FILES) if LONG else (6,)


@pytest.fixture(scope="module")
def notes(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("notes") / "notes.jsonl"
    rows = ({"id": one.id, "title": one.title, "text": one.text} for one in some_documents(600))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def arguments(notes: Path, out: Path, seed: int = 1) -> list[object]:
    return ["index", notes, "--out", out, "--passes", 1, "--seed", seed, "--device", "cpu", "--quiet", "--replace"]


def files(out: Path) -> dict[Path, int]:
    """The files that are whole, and when each was written."""
    return {path: path.stat().st_mtime_ns for path in out.rglob("*.*") if path.suffix != ".part" and path.is_file()}


def running(group: int) -> bool:
    """Whether a process of a group is there, and no zombie."""
    stats = [path.read_text().rpartition(")")[2].split() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    return any(stat[2] == str(group) and stat[0] != "Z" for stat in stats)


def killed_at(n_files: int, given: list[object], out: Path) -> None:
    """Run a command, and kill its process, not its workers, as soon as it has written some files."""
    there = len(files(out))
    driver = subprocess.Popen(command(*given), env=ENVIRONMENT, stderr=subprocess.PIPE, start_new_session=True)
    wait_for(lambda: len(files(out)) >= there + n_files or driver.poll() is not None)
    driver.send_signal(signal.SIGKILL)
    _, said = driver.communicate()
    assert driver.returncode == -signal.SIGKILL, said
    wait_for(lambda: not running(driver.pid))  # no worker is left over


@pytest.mark.skipif(not Path("/proc").exists(), reason="there is no /proc")
@pytest.mark.parametrize("n_files", AT)
def test_a_driver_that_is_killed_goes_on_where_it_stopped(notes, tmp_path, n_files) -> None:
    out, whole = tmp_path / "killed", tmp_path / "whole"
    killed_at(n_files, arguments(notes, out), out)
    there = files(out)
    if n_files < FILES:
        assert not (out / "manifest.json").exists()
        assert "there is no dataset at" in real_shell("pull", out, "--index", tmp_path / "index").error
    assert real_shell(*arguments(notes, out)).code == 0
    again = files(out)
    assert {path: again[path] for path in there if path.name != "manifest.json"} == there  # none was written again
    assert real_shell(*arguments(notes, whole)).code == 0
    assert (out / "manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()


@pytest.mark.skipif(not Path("/proc").exists(), reason="there is no /proc")
@pytest.mark.parametrize("n_files", range(1, 5) if LONG else (2,))
def test_a_killed_driver_leaves_the_dataset_that_was_there(notes, tmp_path, n_files) -> None:
    """The second run learns from another seed: a sample, a model, codes and a commit."""
    out = tmp_path / "dataset"
    assert real_shell(*arguments(notes, out)).code == 0
    before = (out / "manifest.json").read_bytes()
    killed_at(n_files - 1, arguments(notes, out, seed=2), out)
    assert (out / "manifest.json").read_bytes() == before
    assert real_shell("doctor", "--out", out).out == f"{out}: sound\n"
    assert real_shell(*arguments(notes, out, seed=2)).code == 0
    assert (out / "manifest.json").read_bytes() != before


def test_what_a_killed_process_left_half_written_goes_after_a_day(tmp_path) -> None:
    out = tmp_path / "dataset"
    (out / "codes").mkdir(parents=True)
    name = f"{'a' * 64}.parquet.{'b' * 32}.part"
    old, new, own = out / "codes" / name, out / "codes" / name.replace("b", "c"), out / "codes" / "notes.part"
    for path in (old, new, own):
        path.write_text("half")
    for path in (old, own):
        os.utime(path, (time.time() - 90_000,) * 2)
    Storage(str(out)).sweep()
    assert [path.exists() for path in (old, new, own)] == [False, True, True]


def test_links_and_folders_that_cannot_be_read_are_left_as_they_are(tmp_path) -> None:
    out, other = tmp_path / "dataset", tmp_path / "other"
    out.mkdir()
    (out / "lost+found").mkdir(mode=0)
    other.mkdir()
    left = other / f"{'a' * 64}.parquet.{'b' * 32}.part"
    left.write_text("half")
    os.utime(left, (time.time() - 90_000,) * 2)
    (out / "samples").symlink_to(other)
    (out / "link").symlink_to(other)
    with nobody():
        Storage(str(out)).sweep()
    Storage(str(out)).sweep()
    assert left.exists()
