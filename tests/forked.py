"""Commands in processes that may die, or whose writes may fail: forked from one that has done the slow imports."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import ENVIRONMENT, some_documents

from textae import Document
from textae.index.store import Reader

SERVER = """
import contextlib, ctypes, json, os, signal, sqlite3, sys, threading, time
import sklearn.utils.extmath, scipy.sparse
import textae.evaluation, textae.training.finetune, textae.corpus, textae.index.update
from textae.app.cli import main
from textae.app.signals import handle, leave_at_once

handle(leave_at_once)
shim = ctypes.CDLL(sys.argv[1]) if len(sys.argv) > 1 else None

def counted(folder, limit, by):
    global steps
    steps = 0
    there = threading.Event()
    def step():
        global steps
        steps += 1
        if steps == limit and by == signal.SIGKILL:
            os.kill(os.getpid(), by)
        if steps == limit:
            there.set()
    def interrupt():  # from beside, as what is raised in a callback of SQLite's would be lost
        there.wait()
        os.kill(os.getpid(), by)
    threading.Thread(target=interrupt, daemon=True).start()
    def hook(event, arguments):
        if event in ("open", "os.rename", "os.remove", "os.mkdir"):
            name = str(arguments[0])  # relative to the descriptor of a folder: of the index, or of its arrays
            if folder in name or not (os.path.isabs(name) or name.isdigit()):
                step()
    def traced(*arguments, **options):
        database = connect(*arguments, **options)
        database.set_trace_callback(lambda sql: sql.startswith("INSERT INTO documents") or step())
        return database
    sys.addaudithook(hook)
    connect, sqlite3.connect = sqlite3.connect, traced

def run(arguments, folder, limit=None, by=signal.SIGKILL, fault=None, said=None, record=None):
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if said is not None:
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    if limit is not None:
        counted(folder, limit, by)
    if fault is not None:
        shim.arm(folder.encode(), *fault)
    if record is not None:
        shim.record(*map(str.encode, record))
    quiet = [] if arguments[0] in ("info", "doctor") else ["--quiet"]
    sys.argv = ["textae", *arguments, "--index", folder, *quiet]
    code = 0
    try:
        main()
    except SystemExit as done:
        code = done.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if limit == 0:
        print(steps, file=sys.stderr, flush=True)
    if fault is not None and not fault[0]:
        print(shim.counted(), file=sys.stderr, flush=True)
    os._exit(code)

print("ready", flush=True)
for line in sys.stdin:
    wanted = json.loads(line)
    seconds = wanted.pop("seconds", None)
    child = os.fork()
    if not child:
        run(**wanted)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, wanted.get("by", signal.SIGKILL))
    status = os.waitpid(child, 0)[1]
    with contextlib.suppress(ProcessLookupError):  # of its group, nobody is left
        for _ in range(500):
            os.killpg(child, 0)
            time.sleep(0.01)
        status = "a child was left behind"
    print(status, flush=True)
"""


class Commands:
    """A process whose children are commands of the shell.

    Args:
        folder: for what they say.
        shim: a library by which their writes can be made to fail.
    """

    def __init__(self, folder: Path, shim: Path | None = None) -> None:
        self._said = folder / "said"
        preloaded = {} if shim is None else {"LD_PRELOAD": str(shim)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, *([] if shim is None else [str(shim)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENVIRONMENT | preloaded,
            text=True,
            bufsize=1,
        )
        assert self.process.stdout.readline() == "ready\n"

    def run(self, arguments: Sequence[str], folder: Path, **how: Any) -> int:
        """Run one on an index; gives its exit code, or the signal that ended it, negative.

        It may be killed, or told to end `by` a signal: after some `seconds`, or at a step (`limit`). `fault` may make a
        write fail. `record` names a folder in which writes are recorded, and the file of the record.
        """
        self.process.stdin.write(
            json.dumps({"arguments": arguments, "folder": str(folder), "said": str(self._said), **how}) + "\n"
        )
        code = os.waitstatus_to_exitcode(int(self.process.stdout.readline()))
        assert "Traceback" not in self.said(), self.said()
        return code

    def said(self) -> str:
        """Give what the last one said on stderr."""
        return self._said.read_text()

    def steps(self, arguments: Sequence[str], folder: Path) -> int:
        """Count the steps of one that is run in peace: files opened, renamed and deleted, SQL statements."""
        assert self.run(arguments, folder, limit=0) == 0, self.said()
        return int(self.said().split()[-1])


@contextmanager
def forked(folder: Path, shim: Path | None = None) -> Iterator[Commands]:
    """Give the process, and end it."""
    commands = Commands(folder, shim)
    with commands.process:
        yield commands
        commands.process.stdin.close()
        assert commands.process.wait() == 0


TINY = ["--passes", "1", "--device", "cpu", "--dims", "8", "--bits", "16", "--hidden", "8"]


def write_table(path: Path, documents: Sequence[Document]) -> None:
    """Write a table of documents, each of two passages."""
    rows = [{"id": d.id, "title": d.title, "text": f"{d.text} {d.text}", **d.fields} for d in documents]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@dataclass(frozen=True)
class World:
    """An index that has lived, and commands that change it: each is a way for something to go wrong.

    Attributes:
        commands: that run them.
        old: the index, of two segments of 40 and 9 documents, which nobody changes.
        changes: arguments by name.
    """

    commands: Commands
    old: Path
    changes: Mapping[str, Sequence[str]]

    def copy(self, folder: Path) -> Path:
        """Make the folder a copy of the old index."""
        shutil.rmtree(folder, ignore_errors=True)
        return shutil.copytree(self.old, folder)

    def run(self, name: str, folder: Path, **how: Any) -> int:
        """Make a change."""
        return self.commands.run(self.changes[name], folder, **how)


CHANGES = ("index", "add", "add and merge", "rm", "rm and merge", "sync", "train")


def make_world(folder: Path, commands: Commands) -> World:
    """Make the index in a folder."""
    tables = {name: folder / f"{name}.jsonl" for name in ("fresh", "synced", "few", "some", "later")}
    documents, others = some_documents(100), some_documents(40, seed=2)
    write_table(tables["fresh"], documents[:50])
    write_table(tables["synced"], documents[:40])
    write_table(tables["later"], documents[40:49])
    write_table(tables["few"], documents[50:53])
    write_table(tables["some"], documents[60:70])
    old = folder / "old"
    assert commands.run(["index", str(tables["synced"]), *TINY, "--passages", "20"], old) == 0, commands.said()
    assert commands.run(["add", str(tables["later"])], old) == 0, commands.said()
    write_table(tables["synced"], [*documents[:30], *others[30:36], *documents[80:84]])  # gone, changed, new

    def ids(*places: int) -> list[str]:
        prefix = f"{tables['later'].as_posix()}:"  # of a source beside others
        return [documents[place].id if place < 40 else prefix + documents[place].id for place in places]

    changes = {
        "index": ["index", str(tables["fresh"]), *TINY, "--replace"],
        "add": ["add", str(tables["few"])],
        "add and merge": ["add", str(tables["some"])],
        "rm": ["rm", *ids(3, 17, 41)],
        "rm and merge": ["rm", *ids(3, 17, 41, 42, 43, 44, 45)],
        "sync": ["sync", str(tables["synced"])],
        "train": ["train", *TINY, "--label", "topic"],
    }
    assert tuple(changes) == CHANGES
    return World(commands, old, changes)


def state(folder: Path) -> tuple[Any, ...]:
    """Give all that an index holds, to the last byte of every array, after it was found sound."""
    with closing(Reader(folder)) as reader:
        assert reader.damage() == []
        arrays = {name: (array.dtype, array.shape, array.tobytes()) for name, array in reader.arrays.items()}
        return reader.all_ids(), list(reader.stream()), arrays, dict(reader.settings)


def one_of(folder: Path, *wholes: Path) -> Path:
    """Tell which of some indexes this one is, document by document and array by array; it must be one of them."""
    found = state(folder)
    same = [whole for whole in wholes if state(whole) == found]
    assert len(same) == 1
    return same[0]


def nothing_is_left_over(folder: Path) -> None:
    """Check that the folder holds the index and nothing else."""
    there = sorted(path.name for path in folder.iterdir())
    assert there == ["arrays", "index.sqlite"], there
    with closing(Reader(folder)) as reader:
        named = {Path(array.filename).name for array in reader.arrays.values()}
    assert {path.name for path in (folder / "arrays").iterdir()} == named


def spread(n: int, most: int) -> list[int]:
    """Choose n of the steps from 1 to most: the first and the last ones, and others of all parts."""
    if n >= most:
        return list(range(1, most + 1))
    ends = [1, 2, most - 2, most - 1, most]
    return sorted({*ends, *(1 + most * i // (n - len(ends) + 1) for i in range(1, n - len(ends) + 1))})
