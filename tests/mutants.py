"""Indexes as a stranger would make them: one thing in them is changed, and all hashes are made right again.

`mutate` changes a copy of an index; `Runner` runs commands on it, each in a process that may have 500 MB and 5 s.
"""

import json
import os
import random
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from shared import ENVIRONMENT, Said

from textae.index import store
from textae.index.directory import Directory
from textae.index.records import COLUMNS, _content_hash, _row_hash, digest_of, write_array

Random = random.Random

HUGE = 10**400
BAD_TEXTS = ["", "\x1b[31mred\x07", "a\u202eb", "\ud800", "x" * 100_000, "\0", "../../etc/passwd", "nan", "٣"]
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 7, 2**31, 2**53, 2**63, -(2**63), HUGE, 0.5, -0.5, 1e308, float("nan"), float("inf"),
    [], {}, [None], [[]], [1, 2, 3], ["0"], ["0", "0"], ["9"], ["../x"], {"a": 1}, *BAD_TEXTS,
]  # fmt: skip
DTYPES = ["u1", "i1", "i4", "i8", "f2", "f4", "f8", ">f4", ">i8", "b1", "u2", "c8", "S3", "U2", "M8[s]"]


class Mutant:
    """An index that is being changed; `seal` makes its hashes right."""

    def __init__(self, folder: Path, rng: Random) -> None:
        self.folder, self.rng = folder, rng
        self.database = sqlite3.connect(folder / "index.sqlite", isolation_level=None)

    def names(self) -> list[str]:
        names = self.database.execute("SELECT name FROM arrays WHERE typeof(name) = 'text' ORDER BY name")
        return [name for (name,) in names]

    def array(self, name: str) -> np.ndarray:
        (sha256,) = self.database.execute("SELECT sha256 FROM arrays WHERE name = ?", (name,)).fetchone()
        return np.load(self.folder / "arrays" / f"{sha256}.npy")

    def put(self, name: str, array: np.ndarray) -> None:
        self.database.execute(
            "REPLACE INTO arrays VALUES (?, ?, ?)", (name, *write_array(Directory(self.folder / "arrays"), array))
        )

    def delete(self, table: str, name: str) -> None:
        self.database.execute(f"DELETE FROM {table} WHERE name = ?", (name,))

    def seal(self) -> None:
        rows = (self.database.execute(statement).fetchall() for statement in (store.SETTINGS, store.ARRAYS))
        self.database.execute("UPDATE digest SET sha256 = ?", (digest_of(*rows),))
        self.database.close()


def mutate(folder: Path, seed: int) -> str:
    """Change something in an index; returns what."""
    rng = Random(seed)
    mutant = Mutant(folder, rng)
    done = rng.choices(KINDS, WEIGHTS)[0](mutant)
    mutant.seal()
    return f"seed {seed}: {done}"


def change_array(mutant: Mutant) -> str:
    rng, names = mutant.rng, mutant.names()
    kinds = sorted({re.sub(r"\d+", "N", name) for name in names})
    kind = rng.choice(kinds)  # a segment has many arrays, and others are as many kinds
    name = rng.choice([name for name in names if re.sub(r"\d+", "N", name) == kind])
    change = rng.choice(ARRAY_CHANGES)
    with np.errstate(all="ignore"):
        change(mutant, name, mutant.array(name))
    return f"{change.__name__} {name}"


def drop(mutant: Mutant, name: str, _: np.ndarray) -> None:
    mutant.delete("arrays", name)


def rename(mutant: Mutant, name: str, _: np.ndarray) -> None:
    new = mutant.rng.choice([f"{name}0", name.upper(), "", "\x1b[31m", name.rpartition("/")[0] or "x"])
    mutant.database.execute("UPDATE OR REPLACE arrays SET name = ? WHERE name = ?", (new, name))


def empty(mutant: Mutant, name: str, array: np.ndarray) -> None:
    mutant.put(name, mutant.rng.choice([array[:0], array.reshape(-1)[:0], np.zeros((0, 0), array.dtype)]))


def scalar(mutant: Mutant, name: str, array: np.ndarray) -> None:
    mutant.put(name, np.zeros((), array.dtype))


def swap(mutant: Mutant, name: str, array: np.ndarray) -> None:
    other = mutant.rng.choice(mutant.names())
    mutant.put(name, mutant.array(other))
    mutant.put(other, array)


def swap_with_its_like(mutant: Mutant, name: str, array: np.ndarray) -> None:
    """With one of the same dtype, which shapes alone may tell apart."""
    alike = [other for other in mutant.names() if mutant.array(other).dtype == array.dtype]
    other = mutant.rng.choice(alike)
    mutant.put(name, mutant.array(other))
    mutant.put(other, array)


def resize(mutant: Mutant, name: str, array: np.ndarray) -> None:
    n = mutant.rng.choice([1, 2, len(array) - 1, len(array) + 1, 2 * len(array), 100_000])
    mutant.put(name, np.resize(array, (max(0, n), *array.shape[1:])))


def retype(mutant: Mutant, name: str, array: np.ndarray) -> None:
    mutant.put(name, array.astype(mutant.rng.choice(DTYPES)))


def transpose(mutant: Mutant, name: str, array: np.ndarray) -> None:
    mutant.put(name, mutant.rng.choice([array.T, array[None], array[..., None], np.asfortranarray(array)]))


def at_random(mutant: Mutant, name: str, array: np.ndarray) -> None:
    bytes_ = np.frombuffer(mutant.rng.randbytes(array.nbytes), np.uint8)
    mutant.put(name, bytes_.view(array.dtype).reshape(array.shape))


def small_at_random(mutant: Mutant, name: str, array: np.ndarray) -> None:
    """Of the right size more or less, in the wrong order."""
    generator = np.random.default_rng(mutant.rng.randrange(1000))
    mutant.put(name, generator.permutation(array.reshape(-1)).reshape(array.shape))


def shift(mutant: Mutant, name: str, array: np.ndarray) -> None:
    by = mutant.rng.choice([1, -1, 100, -100])
    mutant.put(name, array if array.dtype == bool else array + np.array(by).astype(array.dtype))


def one_value(mutant: Mutant, name: str, array: np.ndarray) -> None:
    """Off by one, or wild, in one place."""
    array, rng = array.copy(), mutant.rng
    if array.size:
        flat = array.reshape(-1)
        place = rng.choice([0, flat.size - 1, rng.randrange(flat.size)])
        flat[place] = rng.choice([flat[place] + 1, *wild(array)])
    mutant.put(name, array)


def all_values(mutant: Mutant, name: str, array: np.ndarray) -> None:
    mutant.put(name, np.full_like(array, mutant.rng.choice(wild(array))))


def wild(array: np.ndarray) -> list[Any]:
    if array.dtype.kind == "f":
        top = np.finfo(array.dtype).max
        return [np.nan, np.inf, -np.inf, top, -top, np.finfo(array.dtype).tiny, 0, -1, 1e4]
    if array.dtype.kind == "b":
        return [True, False]
    limits = np.iinfo(array.dtype)
    return [limits.max, limits.min, limits.max // 2, 0, 1, limits.max // 1000, 1000 % limits.max]


def no_truth_values(mutant: Mutant, name: str, array: np.ndarray) -> None:
    mutant.put(name, np.full(array.shape, 7, np.uint8).view(bool) if array.dtype == bool else array[::-1])


def raw_bytes(mutant: Mutant, name: str, array: np.ndarray) -> None:
    """A file whose header lies, or that is none."""
    arrays = mutant.folder / "arrays"
    whole = (arrays / f"{write_array(Directory(arrays), array)[0]}.npy").read_bytes()
    shape = str(array.shape).encode()
    lies = [
        b"", whole[:50], b"PK\x03\x04" + whole, whole.replace(shape, b"(1000000000000,)", 1),
        whole.replace(b"fortran_order': False", b"fortran_order': True ", 1), mutant.rng.randbytes(300),
        whole.replace(b"descr': '", b"descr': '|O", 1), whole.replace(b"NUMPY\x01", b"NUMPY\x03", 1),
    ]  # fmt: skip
    (mutant.folder / "passing").write_bytes(mutant.rng.choice(lies))
    import hashlib

    content = (mutant.folder / "passing").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    (mutant.folder / "passing").replace(arrays / f"{sha256}.npy")
    mutant.database.execute("REPLACE INTO arrays VALUES (?, ?, ?)", (name, sha256, len(content)))


def wrong_row(mutant: Mutant, name: str, _: np.ndarray) -> None:
    column, value = mutant.rng.choice(
        [
            *(("sha256", value) for value in ("0" * 64, "../x", 5, b"x")),
            *(("bytes", value) for value in (0, -1, "many", 2**62)),
            *(("name", value) for value in (b"\xff", 5)),
        ]
    )
    mutant.database.execute(f"UPDATE arrays SET {column} = ? WHERE name = ?", (value, name))


ARRAY_CHANGES: list[Callable[[Mutant, str, np.ndarray], None]] = [
    drop, rename, empty, scalar, swap, swap_with_its_like, resize, retype, transpose, at_random, small_at_random,
    shift, one_value, one_value, all_values, all_values, no_truth_values, raw_bytes, wrong_row,
]  # fmt: skip


def change_setting(mutant: Mutant) -> str:
    """A setting is dropped or replaced, or something inside it is."""
    rng = mutant.rng
    settings = dict(mutant.database.execute("SELECT name, value FROM settings ORDER BY name").fetchall())
    name = rng.choice(sorted(settings))
    match rng.randrange(6):
        case 0:
            mutant.delete("settings", name)
            return f"no setting {name}"
        case 1:
            new = rng.choice(["", "{", "[" * 100_000, "1e999", "NaN", '"\\ud800"', "9" * 5_000, "[" * 300 + "]" * 300])
        case 2:
            new = settings[rng.choice(sorted(settings))]
        case 3:
            new = json.dumps(rng.choice(VALUES[:11] + VALUES[12:]))
        case _:
            new = json.dumps(changed(json.loads(settings[name]), rng))
    value = rng.choice([new, new, new, new.encode("utf-8", "replace")]) if rng.randrange(20) == 0 else new
    mutant.database.execute("UPDATE settings SET value = ? WHERE name = ?", (value, name))
    return f"setting {name} = {new:.60}"


def changed(value: Any, rng: Random) -> Any:
    """Something inside of JSON is replaced, dropped, or there twice."""
    if isinstance(value, dict) and value and rng.randrange(8):
        key = rng.choice(sorted(value))
        rest = {name: part for name, part in value.items() if name != key}
        return rest if rng.randrange(4) == 0 else rest | {key: changed(value[key], rng)}
    if isinstance(value, list) and value and rng.randrange(8):
        place = rng.randrange(len(value))
        match rng.randrange(4):
            case 0:
                return value[:place] + value[place + 1 :]
            case 1:
                return value + value[place:]
        return [*value[:place], changed(value[place], rng), *value[place + 1 :]]
    if type(value) in (int, float) and rng.randrange(2):
        return rng.choice([value + 1, value - 1, -value, value * 1000])
    return rng.choice([one for one in VALUES if one is not HUGE])


FIELDS = [
    "", "[]", "1", "null", '"x"', "{", "{}", '{"a": NaN}', '{"year": 1e999}', '{"a": ' + "9" * 5_000 + "}",
    '{"a": "\\ud800"}', '{"\\u001b[31m": "\\u001b[31m"}', '{"": ""}', '{"a": ' + "[" * 900 + "]" * 900 + "}",
    '{"a": ' + "[" * 90_000 + "]" * 90_000 + "}", '{"id": [1], "title": {}}', '{"label": [[]], "topic": {}}',
]  # fmt: skip
PICTURES = [None, b"", b"\0" * 12, b"\xff" * 12, b"\1\0\0\0" * 3 + b"x", b"\6\0\0\0\6\0\0\0\1\0\0\0" + b"x" * 36]
BY_COLUMN: dict[str, list[Any]] = {
    "number": [-1, 2**53, 2**62, -(2**63), 1_000_000], "fields": FIELDS, "picture": PICTURES,
    "places": ["", "[", "{}", "[1]", '[[0,"line"]]', '[[-1,"page","1"]]', '[[9e9,"page","1"]]', '[[1,2,3]]', 5, b"[]"],
    **{name: [b"\xff\xfe", b"bytes", 5, 1.5, *BAD_TEXTS] for name in ("id", "title", "text", "source", "origin")},
}  # fmt: skip


def change_document(mutant: Mutant) -> str:
    """A row of the documents is changed, dropped, or there twice; its hashes are right."""
    rng, database = mutant.rng, mutant.database
    rows = database.execute(f"SELECT {COLUMNS} FROM documents ORDER BY number").fetchall()
    names, row = COLUMNS.split(", "), list(rng.choice(rows))
    column = rng.choice(sorted(BY_COLUMN))
    match rng.randrange(8):
        case 0:
            database.execute("DELETE FROM documents WHERE number = ?", row[:1])
            return f"no document {row[1]}"
        case 1:
            database.execute("DELETE FROM documents")
            return "no documents"
        case 2:
            row[:2] = [rng.choice([len(rows), 10**6]), "twice"]
        case 3:
            database.execute(f"UPDATE OR REPLACE documents SET {column} = ? WHERE number = ?", (5, row[0]))
            return f"a document's {column} without its hash"
        case _:
            value = rng.choice(BY_COLUMN[column])
            row[names.index(column)] = value.replace("\ud800", "?") if isinstance(value, str) else value
    number, id, title, text, fields, source, origin, places, picture, *_ = row
    try:
        content = _content_hash((id, title, text, fields, picture))
        row[-2:] = content, _row_hash(number, (source, origin, places), content)
    except (TypeError, UnicodeEncodeError):
        pass
    database.execute(f"INSERT OR REPLACE INTO documents VALUES ({','.join('?' * len(row))})", row)
    return f"a document's {column} = {row[names.index(column)]!s:.60}"


def twice(mutant: Mutant) -> str:
    """Two arrays are changed."""
    return f"{change_array(mutant)}, {change_array(mutant)}"


KINDS = (change_array, change_setting, change_document, twice)
WEIGHTS = (60, 20, 15, 5)


SERVER = """
import contextlib, io, json, os, re, resource, signal, sys, traceback
import torch, sklearn.cluster, sklearn.utils.extmath, scipy.sparse, scipy.cluster.hierarchy, whoosh.query, Stemmer, PIL
import sklearn.metrics.cluster
from faiss import knn_hamming
import textae.engine, textae.evaluation, textae.training.finetune, textae.training.text, textae.training.image
import textae.corpus, textae.index.update, textae.index.retrain, textae.explore.topics, textae.explore.map
import textae.training.map_layout, textae.training.stacked, textae.search.filters, textae.search.feedback
import textae.search.explain, textae.search.suggest, textae.explore.duplicates, textae.explore.sampling
import textae.explore.classify, textae.explore.info, textae.views.page, textae.views.braille_map
from textae.app.cli import main
import textae.app.cli.searching, textae.app.cli.looking, textae.app.cli.keeping, textae.app.cli.making

torch.set_num_threads(1)

def size():
    return int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) << 10

def run(commands, folder):
    resource.setrlimit(resource.RLIMIT_AS, (size() + (500 << 20), resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number, arguments in enumerate(commands):
        for stream, name in ((1, "out"), (2, "err")):
            file = os.open(f"{folder}/{name}{number}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, stream)
            os.close(file)
        signal.setitimer(signal.ITIMER_PROF, 5)  # SIGPROF ends the process
        sys.argv = ["textae", *arguments]
        code = 0
        try:
            main()
        except SystemExit as done:
            code = done.code or 0
        except BaseException:
            traceback.print_exc()
            code = 99
        sys.stdout.flush()
        with open(f"{folder}/codes", "a") as codes:
            print(code, file=codes)
    os._exit(0)

print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        run(**json.loads(line))
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Runner:
    """A process whose children are commands, with a bound on their memory and time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            env=ENVIRONMENT | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        assert self.process.stdout.readline() == "ready\n"

    def run(self, *commands: Sequence[object]) -> list[Said]:
        """What some commands said, one after the other; a signal ends them, and is its negative number as a code."""
        (self._folder / "codes").write_text("")
        words = [[*map(str, arguments)] for arguments in commands]
        self.process.stdin.write(json.dumps({"commands": words, "folder": str(self._folder)}) + "\n")
        signal = os.waitstatus_to_exitcode(int(self.process.stdout.readline()))
        codes = [int(line) for line in (self._folder / "codes").read_text().splitlines()]
        codes += [signal] if signal else []
        return [Said(code, self._text(f"out{number}"), self._text(f"err{number}")) for number, code in enumerate(codes)]

    def _text(self, name: str) -> str:
        return (self._folder / name).read_text("utf-8", "backslashreplace")

    def close(self) -> None:
        with self.process:
            self.process.stdin.close()


def fault_of(said: Said) -> str | None:
    """What no command may do, whatever an index holds; None for nothing."""
    errors = [line for line in said.err.splitlines() if line.startswith("textae: error: ")]
    others = [line for line in said.err.splitlines() if not line.startswith("textae: ") and not line.endswith("…")]
    if said.code not in (0, 1, 2) or len(errors) != (said.code == 2) or others:
        return f"exit {said.code}: {said.err[-1500:]}"
    if "not enough memory" in said.err:
        return said.err
    if re.search("[\0-\x08\x0b-\x1f\x7f]", said.out + said.err):
        return f"control characters: {said.out[:300]!r} {said.err[:300]!r}"
    if re.search(r"\b(NaN|Infinity)\b", said.out):
        return f"no JSON: {said.out[:500]}"
    return None


DOCTOR = ("doctor",)


def hunt(runner: Runner, folder: Path, commands: Sequence[Sequence[str]]) -> tuple[bool, list[str]]:
    """Whether `doctor` calls an index sound, and what it and some commands do wrong on it."""
    commands = [[*arguments, "--index", str(folder)] for arguments in (DOCTOR, *commands)]
    said = runner.run(*commands)
    faults = []
    for arguments, one in zip(commands, said, strict=False):
        fault = fault_of(one)
        if fault is None and said[0].code == 0 and "is damaged" in one.err:
            fault = f"doctor calls it sound: {one.err}"
        if fault is not None:
            faults.append(f"{' '.join(arguments[:-2])}: {fault}")
    return said[0].code == 0, faults
