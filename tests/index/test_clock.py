"""The clock goes back, and files change without a later time: nothing waits for ever, and no change is missed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from forked import state
from shared import real_shell, wait_for, write
from test_concurrent import SPECS, a_writer_that_waits

from textae import Engine
from textae.corpus import source as module
from textae.corpus import sources


@pytest.fixture(scope="module")
def backwards(tmp_path_factory) -> dict[str, str]:
    """Give the environment of a process whose clock goes back by an hour whenever it looks at it."""
    if shutil.which("cc") is None:
        pytest.skip("the library that sets the clock back takes a compiler")
    shim = tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, Path(__file__).with_name("clock.c"), "-ldl"], check=True)
    return {"LD_PRELOAD": str(shim)}


def test_commands_end_and_find_what_changed_while_the_clock_goes_back(backwards, tmp_path):
    notes, index = write(tmp_path / "notes", a_dot_txt="a telescope", b_dot_txt="some flour"), tmp_path / "index"
    with Engine.create(index) as engine:
        (source,) = sources([str(notes)])
        engine.index(source.read(), sources=[source], **SPECS)
    before = state(index)
    (notes / "a.txt").write_text("a galaxy__")  # of the same size
    assert real_shell("sync", "--index", index, **backwards).code == 0
    assert state(index) != before
    assert real_shell("search", "galaxy", "--tsv", "--index", index, **backwards).out.split("\t")[2] == "a.txt"
    with a_writer_that_waits(index) as first:
        refused = real_shell("rm", "b.txt", "--index", index, "-q", **backwards)
        assert "is writing to" in refused.error
        first.communicate(b"a comet that came late")


def test_a_source_that_has_just_changed_may_change_again_unseen(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a telescope")
    (watched,) = sources([str(tmp_path)])
    now = (tmp_path / "a.txt").stat().st_mtime
    for seconds, quiet in ((0, False), (1.9, False), (2.1, True), (3600, True), (-3600, True)):
        monkeypatch.setattr(module.time, "time", lambda seconds=seconds: now + seconds)
        assert (watched.signature() == watched.signature()) is quiet


def test_a_file_of_the_same_size_and_time_is_another_one(tmp_path, monkeypatch):
    """As `cp -p` and `touch -r` leave it."""
    file = tmp_path / "a.txt"
    file.write_text("a telescope")
    (watched,) = sources([str(tmp_path)])
    monkeypatch.setattr(module.time, "time", lambda: file.stat().st_mtime + 3600)
    before, status = watched.signature(), file.stat()
    wait_for(
        lambda: (tmp_path / "later").write_text("") or (tmp_path / "later").stat().st_ctime_ns > status.st_ctime_ns
    )
    (tmp_path / "later").unlink()
    file.write_text("two planets")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert watched.signature() != before


def test_a_reader_keeps_its_commit_while_writers_sweep_and_learn(tmp_path):
    """And finds the same in it, though most of its arrays have lost their names."""
    folder = write(tmp_path / "notes", **{f"n{n}_dot_txt": f"telescope moon number{n}" for n in range(12)})
    arrays = tmp_path / "index" / "arrays"
    with Engine.create(tmp_path / "index") as writer:
        (notes,) = sources([str(folder)])
        writer.index(notes.read(), sources=[notes], **SPECS)
        with Engine.open(tmp_path / "index") as reader:
            before = reader.search("telescope number3", k=12, mode="hybrid")
            files = {path.name for path in arrays.iterdir()}
            writer.remove(["n3.txt"])
            write(folder, n4_dot_txt="another comet")
            writer.sync()
            writer.train(**SPECS)
            assert len(files & {path.name for path in arrays.iterdir()}) < len(files) / 2
            assert reader.search("telescope number3", k=12, mode="hybrid") == before
            assert reader.snapshot.reader.damage() == []
            assert reader.refresh()
            assert {hit.id for hit in reader.search("telescope", k=12, mode="bm25")} == {
                f"n{n}.txt" for n in range(12) if n != 4
            }
