"""A byte that flips in any file of an index: `doctor` finds it, and nothing else fails but with one clear line.

A search reads few of an index's bytes and cannot check them all. What it may do with a damaged one is to rank
otherwise, or to say that the index is damaged; it may not fail in any other way, nor give a document what is another
one's. A change never makes anything of what is damaged.
"""

import json
import random
import re
import resource
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from forked import TINY, one_of, write_table
from shared import LONG, some_documents

from textae import Document, Engine, ModelSpec, TrainSpec
from textae.index import soundness
from textae.index.store import Reader

FLIPS = 40 if LONG else 3
"""Bytes that flip in each array, and in each region of the database."""

MODEL, TRAIN = ModelSpec(dims=8, bits=16, hidden=(8,)), TrainSpec(epochs=1, device="cpu")


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Give an index that has lived: three segments of documents and passages, one of which something is removed."""
    folder = tmp_path_factory.mktemp("whole") / "index"
    documents = [
        Document(d.id, f"{d.text} {d.text}", d.title, d.fields, d.source, "/notes") for d in some_documents(60)
    ]
    with Engine.create(folder) as engine:
        engine.index(documents[:40], model=MODEL, train=TRAIN, passage=20)
        engine.train(label="topic", model=MODEL, train=TRAIN)
        engine.add(documents[40:52])
        engine.remove([documents[place].id for place in (1, 2, 30)])
        engine.add(documents[52:57])
        assert engine.info()["segments"] == 3
    return folder


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    return shutil.copytree(whole, tmp_path / "index")


@pytest.fixture(autouse=True)
def large(monkeypatch) -> None:
    """Let nothing be hashed when an index is opened, as nearly nothing of a large one is."""
    monkeypatch.setattr(soundness, "_HASHED", 0)


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("search", "telescope bread sail only45", "--json"),
    ("search", "yeast crust only7", "--json", "--mode", "bm25", "--where", "year:[1900 TO 1950] AND topic:b*"),
    ("search", "moon orbit", "--json", "--mode", "code", "--must", '"comet" OR telescope OR star*', "--explain"),
    ("search", "rope deck", "--json", "--mode", "bits", "--like", "ships-5", "--not-like", "bread-4"),
    ("search", "dough salt", "--json", "--mode", "tfidf", "--expand"),
    ("search", "planet sky light", "--json", "--mode", "lsa", "--explain"),
    ("search", "captain anchor crust", "--json", "--explain"),
    ("similar", "bread-4", "--json", "--explain"),
    ("similar", "stars-54", "bread-52", "--json", "--mode", "bits-8"),
)
OTHERS: tuple[tuple[str, ...], ...] = (
    ("info",),
    ("dups", "-q", "--radius", "4", "--resemblance", "0.3"),
    ("classify", "-q", "orbit of the comet"),
    ("decode", "bread-4"),
    ("sample", "-q", "-n", "2"),
    ("eval", "-q", "--label", "topic", "-k", "5", "--systems", "bm25,hybrid"),
)


@contextmanager
def little_memory(gigabytes: float = 4) -> Iterator[None]:
    """Let no more memory be had than now and a little: a wild number must not become an array of that length."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(re.search(r"VmSize:\s+(\d+)", Path("/proc/self/status").read_text())[1]) << 10
    resource.setrlimit(resource.RLIMIT_AS, (used + int(gigabytes * 2**30), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


class Watch:
    """Runs commands on a damaged index, and checks what they say."""

    def __init__(self, shell, folder: Path) -> None:
        self.shell, self.folder = shell, folder
        with closing(Reader(folder)) as reader:
            self.documents = {document.id: document for document in reader.stream()}
        self.turn = 0
        self.refused = 0

    def look(self, what: object) -> None:
        """Run some of the commands; each in its turn."""
        for _ in range(2 if LONG else 1):
            arguments = (*COMMANDS, *OTHERS)[self.turn % (len(COMMANDS) + len(OTHERS))]
            self.turn += 1
            with little_memory():
                said = self.shell(*arguments, "--index", self.folder)
            context = (what, arguments, said)
            assert said.code in (0, 1, 2), context
            errors = [line for line in said.err.splitlines() if line.startswith("textae: error: ")]
            assert len(errors) == (said.code == 2), context
            assert all(line.startswith("textae: ") for line in said.err.splitlines()), context
            assert "not enough memory" not in said.err, context
            self.refused += said.code == 2
            if said.code == 0 and arguments[0] in ("search", "similar"):
                for line in said.out.splitlines():
                    hit = json.loads(line)
                    document = self.documents[hit["id"]]
                    assert (hit["title"], hit["fields"]) == (document.title, dict(document.fields)), context
                    assert hit["snippet"].strip("… ") in " ".join(document.text.split()), context

    def doctor(self):
        """Give what `doctor` says, which must be that the index is sound or one line of error."""
        said = self.shell("doctor", "--index", self.folder)
        assert said.code in (0, 2), said
        assert len(said.err.splitlines()) == (said.code == 2), said
        assert said.code == 2 or said.out == f"{self.folder}: sound\n", said
        return said


def flip(path: Path, place: int, by: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        old = file.read(1)[0]
        file.seek(place)
        file.write(bytes([old ^ by]))


def places(size: int, rng: random.Random) -> Iterator[tuple[int, int]]:
    """Give bytes of a file, and what to flip them by: in the header, in the last number, and anywhere."""
    yield rng.randrange(min(size, 128)), 1 << rng.randrange(8)
    yield size - 1, 0x80
    for _ in range(FLIPS - 2):
        yield rng.randrange(min(size - 1, 128), size), rng.choice([0x01, 0x40, 0x80, 0xFF])


def kinds(folder: Path) -> dict[str, list[Path]]:
    """Give the files of the arrays, by the arrays' names without the numbers in them."""
    found = defaultdict(list)
    with closing(Reader(folder)) as reader:
        for name, array in reader.arrays.items():
            found[re.sub(r"/\d+/", "/N/", name)].append(Path(array.filename))
    return found


def test_the_index_that_is_damaged_has_all_kinds_of_arrays_and_all_commands_work_on_it(whole, shell):
    names = set(kinds(whole))
    assert {name for name in names if name.startswith("segments/N/passages/removed/")}
    assert {"lsa/words", "segments/N/tokens/starts", "vocabulary/N/text", "idf"} <= names
    for arguments in (*COMMANDS, *OTHERS):
        said = shell(*arguments, "--index", whole)
        assert said.code == (arguments[0] == "dups"), said


def test_a_flipped_byte_of_any_array_is_found_and_harms_nothing_else(copy, shell):
    watch, rng = Watch(shell, copy), random.Random(1)
    for name, paths in sorted(kinds(copy).items()):
        for path in paths if LONG else [rng.choice(paths)]:
            for place, by in places(path.stat().st_size, rng):
                flip(path, place, by)
                watch.look((name, place, by))
                assert watch.doctor().code == 2, (name, place, by)
                flip(path, place, by)
    assert watch.doctor().code == 0
    assert watch.refused


def test_wild_numbers_in_any_array_harm_nothing_else(copy, shell):
    """The worst that bytes can say: numbers far outside of what they point into, negative ones, infinities."""
    watch, rng = Watch(shell, copy), random.Random(2)
    for name, paths in sorted(kinds(copy).items()):
        path = rng.choice(paths)
        before = path.read_bytes()
        for wild in WILD if LONG else rng.sample(WILD, 1):
            with path.open("r+b") as file:
                file.seek(128)
                file.write(wild * (len(before) - 128))
            for _ in range(7 if LONG else 1):
                watch.look((name, wild))
            path.write_bytes(before)
    assert watch.doctor().code == 0
    assert watch.refused


def test_a_flipped_byte_of_any_page_of_the_database_is_found_or_means_nothing(copy, whole, shell):
    watch, rng = Watch(shell, copy), random.Random(3)
    database = copy / "index.sqlite"
    before = database.read_bytes()
    found = 0
    for page in range(0, len(before), 4096):
        regions = [(page, 4096), (page + 4000, 96), (page, 100), (page + 2048, 2048)]
        for first, size in regions * (FLIPS // 4) if LONG else regions[: FLIPS - 1]:
            place, by = first + rng.randrange(size), rng.choice([0x01, 0x20, 0x80, 0xFF])
            flip(database, place, by)
            watch.look((place, by))
            if watch.doctor().code == 2:
                found += 1
            else:
                assert one_of(copy, whole), (place, by)
            restore(copy, before)
    assert found > 3
    assert watch.refused


WILD = (b"\x7f", b"\x80", b"\xff", b"\x00", b"\x7b")


def restore(folder: Path, before: bytes) -> None:
    for path in folder.glob("index.sqlite*"):
        path.unlink()
    (folder / "index.sqlite").write_bytes(before)


@pytest.mark.parametrize("place", range(100) if LONG else range(0, 100, 7))
def test_a_flipped_byte_of_the_header_of_the_database_is_found_or_means_nothing(copy, whole, shell, place):
    watch = Watch(shell, copy)
    flip(copy / "index.sqlite", place, 0x81)
    watch.look(place)
    assert watch.doctor().code == 2 or one_of(copy, whole)


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_flipped_byte_of_the_log_gives_no_half_of_a_commit(whole, tmp_path, shell, suffix):
    """As a crash leaves it: what was committed last is in the log alone. Without it, there is the commit before."""
    old, live = shutil.copytree(whole, tmp_path / "old"), shutil.copytree(whole, tmp_path / "live")
    with Engine.open(live) as reader:  # holds the log open
        assert reader.snapshot.reader.has("stars-54")
        with Engine.open(live) as engine:
            engine.add([Document("new", "a comet over the harbour only99")])
        crashed = shutil.copytree(live, tmp_path / "crashed")
    new = shutil.copytree(crashed, tmp_path / "new")
    assert one_of(new, old, new) == new
    log = crashed / f"index.sqlite{suffix}"
    before = {path: path.read_bytes() for path in crashed.glob("index.sqlite*")}
    became, rng = set(), random.Random(4)
    for _ in range(FLIPS * 5):
        for path in crashed.glob("index.sqlite*"):
            path.unlink()
        for path, content in before.items():
            path.write_bytes(content)
        flip(log, rng.randrange(log.stat().st_size), rng.choice([0x01, 0x80, 0xFF]))
        watch_code = shell("doctor", "--index", crashed).code
        assert watch_code in (0, 2)
        if not watch_code:
            became.add(one_of(crashed, old, new).name)
    assert new.name in became or suffix == "-wal"


CHANGES: tuple[tuple[str, ...], ...] = (
    ("add", "MORE"),
    ("rm", "stars-54", "bread-52", "ships-53"),
    ("rm", "stars-6"),
    ("train", *TINY),
    ("train", "--label", "topic", "--device", "cpu"),
)


def test_a_change_makes_nothing_of_what_is_damaged(whole, tmp_path, shell):
    """Its hash would say that it is whole. All that differs from the same change of a whole index is the damage."""
    write_table(tmp_path / "more.jsonl", some_documents(75)[57:75])
    changes = [[word.replace("MORE", str(tmp_path / "more.jsonl")) for word in change] for change in CHANGES]
    wholes = [shutil.copytree(whole, tmp_path / f"whole{number}") for number in range(len(changes))]
    for change, folder in zip(changes, wholes, strict=True):
        assert shell(*change, "--index", folder, "-q").code == 0
    rng, refused, done = random.Random(5), 0, 0
    names = sorted(kinds(whole)) if LONG else rng.sample(sorted(kinds(whole)), 18)
    for number, name in enumerate(name for name in names for _ in range(5 if LONG else 1)):
        spare = shutil.copytree(whole, tmp_path / "spare")
        path = rng.choice(kinds(spare)[name])
        with path.open("r+b") as file:
            file.seek(128)
            file.write(rng.choice(WILD) * (path.stat().st_size - 128))
        with little_memory():
            said = shell(*changes[number % len(changes)], "--index", spare, "-q")
        context = (name, changes[number % len(changes)], said)
        assert said.code in (0, 2), context
        assert len(said.err.splitlines()) == (said.code == 2), context
        assert "memory" not in said.err, context
        refused += said.code == 2
        done += said.code == 0
        with closing(Reader(spare)) as reader, closing(Reader(wholes[number % len(changes)])) as right:
            if said.code == 2:
                assert (reader.settings, reader.all_ids()) == (settings_of(whole), ids_of(whole)), context
            else:
                assert list(reader.stream()) == list(right.stream()), context
                assert reader.arrays.keys() == right.arrays.keys(), context
                for each in reader.arrays.keys() - {name}:
                    same = reader.arrays[each].tobytes() == right.arrays[each].tobytes()
                    assert same or Path(reader.arrays[each].filename) == path, (each, context)
        shutil.rmtree(spare)
    assert refused
    assert done


def settings_of(folder: Path) -> dict:
    with closing(Reader(folder)) as reader:
        return dict(reader.settings)


def ids_of(folder: Path) -> dict[int, str]:
    with closing(Reader(folder)) as reader:
        return reader.all_ids()
