"""An index that a stranger made: whatever lies in its folder, nothing outside is read, changed or deleted.

Every command leaves with exit code 2 and one line, or works on what is inside, and none waits or runs without end.
"""

import contextlib
import gc
import os
import re
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from forked import TINY, write_table
from shared import nobody, open_to_all, some_documents
from test_damage import little_memory
from test_store import no_file_beyond

from textae import Document, Engine, ModelSpec, TrainSpec
from textae.errors import StoreError
from textae.files import whole_file
from textae.index import records, store
from textae.index.store import ARRAYS, SETTINGS, Reader, last_commit
from textae.index.writer import UpdateWriter, Writer

SPECS = {"model": ModelSpec(dims=8, bits=16, hidden=(8,)), "train": TrainSpec(epochs=1, device="cpu")}
READING: tuple[tuple[str, ...], ...] = (
    ("search", "telescope", "-k", "1"),
    ("similar", "stars-0", "-k", "1"),
    ("get", "stars-0"),
    ("info",),
    ("doctor",),
    ("export", "--codes", "OUT.csv"),
)
WRITING: tuple[tuple[str, ...], ...] = (
    ("rm", "stars-0", "-q"),
    ("add", "MORE", "-q"),
    ("sync", "MORE", "-q"),
    ("train", *TINY, "-q"),
    ("index", "MORE", *TINY, "-q", "--replace"),
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """Give an index; read it only."""
    folder = tmp_path_factory.mktemp("sound") / "index"
    with Engine.create(folder) as engine:
        engine.index(some_documents(20), **SPECS)
    return folder


class Stranger:
    """A folder with a copy of an index, and beside it the user's own things, which no command may touch."""

    def __init__(self, sound: Path, where: Path, shell) -> None:
        self.index, self.mine, self.where, self._shell = where / "index", where / "mine", where, shell
        shutil.copytree(sound, self.index)
        shutil.copytree(sound, self.mine)
        (self.mine / "thesis.txt").write_text("precious")
        (self.mine / "empty.txt").touch()
        write_table(where / "more.jsonl", some_documents(26)[20:])
        self._before = self._all_that_is_mine()

    def _all_that_is_mine(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.mine.rglob("*")) if path.is_file()}

    def run(self, *arguments: str):
        """Run a command on the index; what is beside it stays as it was, and an error is one line."""
        places = {"MORE": str(self.where / "more.jsonl"), "OUT.csv": str(self.where / "out.csv")}
        with limited(seconds=20):
            said = self._shell(*(places.get(word, word) for word in arguments), "--index", self.index)
        assert self._all_that_is_mine() == self._before, (arguments, said)
        assert said.code in (0, 2), (arguments, said)
        assert len(said.err.splitlines()) == (said.code == 2) or arguments[0] in ("index", "export"), (arguments, said)
        return said

    def refused(self, *commands: tuple[str, ...]) -> set[str]:
        """Give the lines with which commands are refused, all of them by default."""
        return {self.run(*arguments).error for arguments in commands or (*READING, *WRITING)}


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Fail where something waits, or runs on without end."""

    def fail(*_: object) -> None:
        raise AssertionError(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def stranger(sound, tmp_path, shell) -> Stranger:
    return Stranger(sound, tmp_path, shell)


def an_array(folder: Path) -> Path:
    return max((folder / "arrays").iterdir(), key=lambda path: path.stat().st_size)


def link(path: Path, to: Path) -> None:
    """Put a link in place of what may be there."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.symlink_to(to, target_is_directory=to.is_dir())


def huge(path: Path) -> None:
    """Make a file of 8 GiB, which takes no room."""
    path.touch()
    os.truncate(path, 1 << 33)


class TestLinks:
    def test_a_folder_of_arrays_elsewhere_is_not_swept(self, stranger):
        link(stranger.index / "arrays", stranger.mine / "arrays")
        (line,) = stranger.refused()
        assert "arrays is a link, and must be a folder itself" in line

    def test_an_index_that_is_a_link_is_refused_with_the_path_to_give(self, stranger):
        shutil.rmtree(stranger.index)
        stranger.index.symlink_to(stranger.mine)
        for written in (stranger.index, Path(f"{stranger.index}/."), stranger.where / "mine" / ".." / "index"):
            with pytest.raises(StoreError, match=rf"is a link, and must be .*; it leads to {stranger.mine}$"):
                Reader(written)
        (line,) = stranger.refused()
        assert line.endswith(f"it leads to {stranger.mine}")

    def test_a_link_that_leads_nowhere_makes_nothing_there(self, stranger):
        shutil.rmtree(stranger.index)
        stranger.index.symlink_to(stranger.where / "nowhere")
        stranger.refused()
        assert not (stranger.where / "nowhere").exists()

    def test_links_on_the_way_to_an_index_are_the_users_own(self, stranger):
        (stranger.where / "way").symlink_to(stranger.where)
        with closing(Reader(stranger.where / "way" / "index")) as reader:
            assert len(reader) == 20

    @pytest.mark.parametrize("name", ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"])
    @pytest.mark.parametrize("to", ["mine/index.sqlite", "mine/thesis.txt", "mine/empty.txt", "nowhere"])
    def test_a_file_of_the_database_elsewhere_is_neither_read_nor_written(self, stranger, name, to):
        link(stranger.index / name, stranger.where / to)
        (line,) = stranger.refused(*READING[:4], *WRITING[:2], WRITING[-1])
        assert f"{name} is a link" in line
        assert not (stranger.where / "nowhere").exists()

    def test_an_array_elsewhere_is_not_read(self, stranger):
        array = an_array(stranger.index)
        link(array, stranger.mine / "arrays" / array.name)
        (line,) = stranger.refused(*READING, *WRITING[:4])
        assert "is a link" in line
        assert stranger.run(*WRITING[-1]).code == 0  # which reads none, and sweeps the name alone
        assert not array.is_symlink()

    @pytest.mark.parametrize("kind", [os.link, os.symlink])
    def test_names_that_a_writer_uses_are_no_way_to_other_files(self, stranger, kind):
        """A temporary file and the note of who writes, by the number of this process."""
        arrays = stranger.index / "arrays"
        for path in (arrays / f"{os.getpid()}.part", arrays / ("0" * 64 + ".npy"), stranger.index / "writer.json"):
            kind(stranger.mine / "thesis.txt", path)
        for arguments in WRITING[:2]:
            assert stranger.run(*arguments).code == 0
        assert sorted(path.name for path in stranger.index.iterdir()) == ["arrays", "index.sqlite"]
        assert not [path for path in arrays.iterdir() if path.is_symlink() or path.read_bytes() == b"precious"]

    @pytest.mark.parametrize("name", ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"])
    def test_a_file_with_a_second_name_elsewhere_is_read_and_not_written(self, stranger, name):
        """As a backup by hard links has it: SQLite would cut the file short, or write into it."""
        mine = stranger.mine / ("index.sqlite" if name == "index.sqlite" else "empty.txt")
        (stranger.index / name).unlink(missing_ok=True)
        os.link(mine, stranger.index / name)
        for arguments in READING:
            assert stranger.run(*arguments).code == 0
        (line,) = stranger.refused(*WRITING)
        assert f"{name} has a second name elsewhere" in line

    def test_a_file_that_a_command_writes_is_no_link_of_a_stranger(self, tmp_path):
        (tmp_path / "thesis.txt").write_text("precious")
        (tmp_path / f".{os.getpid()}.csv.part").symlink_to(tmp_path / "thesis.txt")
        with whole_file(tmp_path / "out.csv") as passing:
            passing.write_text("codes")
        assert (tmp_path / "thesis.txt").read_text() == "precious"
        assert (tmp_path / "out.csv").read_text() == "codes"


class TestOtherKindsOfFiles:
    @pytest.mark.parametrize("name", ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm", "arrays", "ARRAY"])
    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
    def test_where_a_file_should_be(self, stranger, name, make):
        path = an_array(stranger.index) if name == "ARRAY" else stranger.index / name
        if (make, name) == (os.mkdir, "arrays"):
            return
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        make(path)
        stranger.refused(*READING[:4], *WRITING[:2])

    @pytest.mark.parametrize("name", ["-journal", "-JOURNAL", "-mj0123456789", "-wal2"])
    def test_files_that_sqlite_acts_on_and_textae_never_makes(self, stranger, name):
        (stranger.index / f"index.sqlite{name}").touch()
        (line,) = stranger.refused()
        assert f"index.sqlite{name} is no file of textae's" in line

    def test_a_journal_deletes_nothing(self, stranger):
        """Its last bytes name the journal of a commit over several files, which is deleted when it is done."""
        thesis = str(stranger.mine / "thesis.txt").encode()
        magic = bytes([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7])
        header = (magic + struct.pack(">5I", 0, 1, 1, 512, 4096)).ljust(512, b"\0")
        name = struct.pack(">I", 0x40000000 // 4096 + 1) + thesis + struct.pack(">2I", len(thesis), sum(thesis)) + magic
        (stranger.index / "index.sqlite-journal").write_bytes(header + name)
        database = bytearray((stranger.index / "index.sqlite").read_bytes())
        for versions in (b"\2\2", b"\1\1"):  # a log, or a journal
            database[18:20] = versions
            (stranger.index / "index.sqlite").write_bytes(database)
            stranger.refused()
        (stranger.index / "index.sqlite-journal").unlink()
        stranger.refused()

    @pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, huge])
    def test_a_note_of_who_writes_that_is_none(self, stranger, make, monkeypatch):
        monkeypatch.setattr("textae.index.writer.WAIT_FOR_LOCK", 0.01)
        with UpdateWriter(stranger.index):
            (stranger.index / "writer.json").unlink()
            make(stranger.index / "writer.json")
            (line,) = stranger.refused(*WRITING[:1])
        assert line.startswith("another textae is writing to ")
        assert stranger.run("search", "telescope").code == 0

    def test_a_folder_among_the_arrays_is_left_alone(self, stranger):
        (stranger.index / "arrays" / ("0" * 64 + ".npy")).mkdir()
        assert stranger.run(*WRITING[0]).code == 0
        assert (stranger.index / "arrays" / ("0" * 64 + ".npy")).is_dir()


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"
SCHEMAS = {
    "view": f"ALTER TABLE settings RENAME TO s; CREATE VIEW settings AS {ENDLESS} 'n' || x AS name, '1' value FROM c",
    "view of documents": f"ALTER TABLE documents RENAME TO d; CREATE VIEW documents AS {ENDLESS} x AS number, x AS id, "
    "'' AS title, '' AS text, '{}' AS fields, '' AS source, '' AS origin, NULL AS picture, x AS content, x AS sha256 "
    "FROM c",
    "another view": "CREATE VIEW more AS SELECT 1",
    "trigger": "CREATE TRIGGER evil AFTER INSERT ON documents BEGIN UPDATE documents SET text = 'forged'; END",
    "trigger of the digest": "CREATE TRIGGER evil BEFORE DELETE ON digest BEGIN DELETE FROM documents; END",
    "another table": "CREATE TABLE more (x)",
    "another index": "CREATE INDEX more ON documents (title)",
    "index of an expression": "CREATE INDEX more ON documents (abs(number))",
    "virtual table": "CREATE VIRTUAL TABLE more USING fts5(x)",
    "virtual table in place": "ALTER TABLE settings RENAME TO s; CREATE VIRTUAL TABLE settings USING fts5(name, value)",
    "without rowid": "DROP TABLE digest; CREATE TABLE digest (sha256 TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
    "generated": "ALTER TABLE documents ADD COLUMN more AS (length(text))",
    "check": "DROP TABLE digest; CREATE TABLE digest (sha256 TEXT NOT NULL CHECK (length(zeroblob(1e9)) > 0))",
    "another collation": "DROP TABLE digest; CREATE TABLE digest (sha256 TEXT NOT NULL COLLATE NOCASE)",
    "statistics": "ANALYZE",
    "no table": "DROP TABLE digest",
}


class TestSchemas:
    @pytest.mark.parametrize("name", SCHEMAS)
    def test_another_schema_is_refused_before_anything_is_read(self, stranger, name):
        with closing(sqlite3.connect(stranger.index / "index.sqlite")) as database:
            database.executescript(SCHEMAS[name])
        (line,) = stranger.refused(*READING[:4], *WRITING[:3], WRITING[-1])
        assert "it has other tables than textae makes; delete the folder" in line

    @pytest.mark.parametrize("name", ["view", "trigger", "virtual table", "check", "generated"])
    def test_no_program_of_another_format_is_run(self, stranger, name):
        with closing(sqlite3.connect(stranger.index / "index.sqlite")) as database:
            database.executescript(SCHEMAS[name])
            database.execute("PRAGMA user_version = 3")
        for arguments in (READING[0], WRITING[0]):
            assert "has format 3" in stranger.run(*arguments).error
        assert "it has other tables" in stranger.run(*WRITING[-1]).error

    def test_a_damaged_schema_is_one_line(self, stranger):
        with closing(sqlite3.connect(stranger.index / "index.sqlite")) as database:
            database.execute("PRAGMA writable_schema = ON")
            database.execute("UPDATE sqlite_schema SET sql = 'CREATE TABLE documents (' WHERE name = 'documents'")
            database.commit()
        stranger.refused()

    def test_a_rebuilt_index_of_another_format_is_as_any(self, stranger):
        with closing(sqlite3.connect(stranger.index / "index.sqlite")) as database:
            database.executescript("CREATE TABLE more (n INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE arrays;")
            database.execute("PRAGMA user_version = 99")
        assert stranger.run(*WRITING[-1]).code == 0
        assert stranger.run("doctor").code == 0


PAGE = 4096


def endless(path: Path, table: str, depth: int = 12) -> None:
    """Link the rows of a table again and again: each page of a chain has 500 times the next one below it."""
    data = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as database:
        roots = dict(database.execute("SELECT name, rootpage FROM sqlite_schema"))
    root = 1 if table == "sqlite_schema" else roots[table]
    at = (root - 1) * PAGE + (100 if root == 1 else 0)
    leaf = bytearray(data[(root - 1) * PAGE : root * PAGE])
    if root == 1:
        leaf[: PAGE // 8] = leaf[100 : 100 + PAGE // 8]
    elif leaf[0] == 5:
        last = struct.unpack_from(">I", leaf, 8)[0]
        leaf = data[(last - 1) * PAGE : last * PAGE]
    first = len(data) // PAGE + 1
    for number in range(depth):
        data += above(first + number + 1, 0)
    data += leaf
    data[at : root * PAGE] = above(first, at % PAGE)[at % PAGE :]
    struct.pack_into(">I", data, 28, len(data) // PAGE)
    data[92:96] = data[24:28]
    path.write_bytes(data)


def above(child: int, at: int) -> bytes:
    """A page of a table that has one page below it 500 times; its header starts at a byte."""
    page = bytearray(PAGE)
    cells = range(PAGE - 500 * 5, PAGE, 5)
    struct.pack_into(">BHHHBI", page, at, 5, 0, len(cells), cells[0], 0, child)
    for number, cell in enumerate(cells):
        struct.pack_into(">H", page, at + 12 + 2 * number, cell)
        struct.pack_into(">IB", page, cell, child, 1)
    return bytes(page)


class TestPages:
    @pytest.mark.parametrize("table", ["sqlite_schema", "settings", "arrays", "digest", "documents"])
    def test_rows_without_end_are_not_read_to_the_end(self, stranger, table):
        endless(stranger.index / "index.sqlite", table)
        for arguments in (("info",), ("export", "--codes", "OUT.csv"), *WRITING[:2], WRITING[-1]):
            copy = shutil.copytree(stranger.index, stranger.where / "copy")
            stranger.run(*arguments)  # may not need what is endless
            shutil.rmtree(stranger.index)
            copy.rename(stranger.index)
        assert stranger.run("doctor").code == 2

    def test_a_sparse_file_gives_no_more_time_than_its_blocks(self, stranger, monkeypatch):
        monkeypatch.setattr("textae.index.database._UNWRITTEN", 1 << 20)  # with 32 MiB it takes 18 s
        endless(stranger.index / "index.sqlite", "documents")
        os.truncate(stranger.index / "index.sqlite", 1 << 40)
        assert stranger.run("doctor").code == 2

    def test_a_schema_that_is_no_text_is_refused(self, stranger):
        with closing(sqlite3.connect(stranger.index / "index.sqlite", isolation_level=None)) as database:
            database.execute("PRAGMA writable_schema = ON")
            database.execute("UPDATE sqlite_schema SET sql = CAST(X'435245415445FFFE' AS TEXT) WHERE name = 'settings'")
        for arguments in (*READING[:2], *WRITING[:2]):
            assert stranger.run(*arguments).code == 2

    def test_settings_of_megabytes_are_not_parsed(self, stranger):
        with closing(sqlite3.connect(stranger.index / "index.sqlite")) as database:
            database.execute("INSERT INTO settings VALUES ('more', ?)", (f"[{'[],' * 3_000_000}0]",))
            rows = [database.execute(query).fetchall() for query in (SETTINGS, ARRAYS)]
            database.execute("UPDATE digest SET sha256 = ?", (records.digest_of(*rows),))
            database.commit()
        with little_memory(0.2):
            assert stranger.run("info").code == 2

    def test_long_rows_without_end_do_not_fill_the_memory(self, tmp_path):
        with Writer(tmp_path / "index") as writer:
            for number in range(30):
                writer.add(Document(f"{number:0300000}", "text"))
            writer.commit()
        endless(tmp_path / "index" / "index.sqlite", "documents")
        with closing(Reader(tmp_path / "index")) as reader, little_memory(0.5):
            for read in (reader.all_ids, reader.ids_and_titles, lambda: reader.contents("")):
                with pytest.raises(StoreError, match="its rows hold more than its file"):
                    read()


class TestDocuments:
    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("fields", "{"),
            ("fields", "[1]"),
            ("fields", "[" * 100_000),
            ("id", 7),
            ("title", 7),
            ("text", None),
            ("origin", 7),
        ]
        + [("places", value) for value in ("", "{}", "[1]", '[[0,"line"]]', "[[0,1,2]]", '[[-1,"page","1"]]', 7)]
        + [("places", '[[5,"page","1"],[4,"page","2"]]'), ("places", '[[99999,"page","1"]]')]
        + [("picture", value) for value in (b"", b"\xff" * 12, 7)],
    )
    def test_a_row_with_right_hashes_and_wild_values_is_damage(self, stranger, column, value):
        with closing(sqlite3.connect(stranger.index / "index.sqlite")) as database:
            names = [name.strip() for name in records.COLUMNS.split(",")]
            row = dict(
                zip(names, database.execute(f"SELECT {records.COLUMNS} FROM documents LIMIT 1").fetchone(), strict=True)
            )
            row[column] = value
            with contextlib.suppress(TypeError):
                row["content"] = records._content_hash(
                    (row["id"], row["title"], row["text"], row["fields"], row["picture"])
                )
            where = row["source"], row["origin"], row["places"]
            row["sha256"] = records._row_hash(row["number"], where, row["content"])
            database.execute("PRAGMA writable_schema = ON")  # by which NOT NULL can go, and come back
            kept = database.execute("SELECT sql FROM sqlite_schema WHERE name = 'documents'").fetchone()[0]
            change = "UPDATE sqlite_schema SET sql = ? WHERE name = 'documents'"
            database.execute(change, (re.sub("NOT NULL|TEXT", "", kept),))
            database.commit()
            with closing(sqlite3.connect(stranger.index / "index.sqlite")) as other:
                other.execute(
                    f"UPDATE documents SET {', '.join(f'{name} = ?' for name in names)} WHERE number = ?",
                    (*row.values(), row["number"]),
                )
                other.commit()
            database.execute(change, (kept,))
            database.commit()
        assert stranger.run("doctor").code == 2
        for arguments in (("search", "telescope", "-k", "20"), ("similar", "stars-0"), ("eval", "--label", "topic")):
            stranger.run(*arguments)


@pytest.fixture(params=["with a log", "without a log"])
def index(request, sound, tmp_path_factory) -> Path:
    """Give an index as a crash leaves it, or as a commit does, in a folder that everybody may enter."""
    folder = tmp_path_factory.mktemp("public") / "index"
    shutil.copytree(sound, folder)
    if request.param == "with a log":
        with closing(Reader(folder)):
            with UpdateWriter(folder) as writer:
                writer.set("later", 1)
                writer.commit()
            crashed = shutil.copytree(folder, folder.with_name("crashed"))
        shutil.rmtree(folder)
        crashed.rename(folder)
        (folder / "index.sqlite-shm").unlink()
    open_to_all(folder)
    return folder


class TestNoRoom:
    """A full disk, and a folder that cannot be written to: what reads works, what writes says one line."""

    def works(self, shell, folder: Path) -> None:
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for arguments in READING[:4]:
            said = shell(*arguments, "--index", folder)
            assert (said.code, said.err) == (0, ""), said
        with closing(Reader(folder)) as reader:
            assert ("later" in reader.settings) == ((folder / "index.sqlite-wal") in before)
            assert reader.damage() == []
        for arguments in (WRITING[0], ("rm", "stars-0", "stars-3", "-q")):
            assert "cannot write the index" in shell(*arguments, "--index", folder).error
        for path, content in before.items():
            assert path.read_bytes() == content

    def test_a_folder_of_somebody_else(self, index, shell):
        for path in (index, index / "arrays"):
            path.chmod(0o555)
        with nobody():
            self.works(shell, index)

    def test_files_that_cannot_grow(self, index, shell):
        with no_file_beyond(0):
            with closing(Reader(index)) as reader:
                assert reader.damage() == []
                assert len(reader.documents([0, 1])) == 2
            with pytest.raises(StoreError, match="cannot write the index"), UpdateWriter(index) as writer:
                writer.set("never", 1)
                writer.commit()

    @pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
    def test_a_full_disk(self, index, tmp_path, shell):
        disk = tmp_path / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True).returncode:
            pytest.skip("mounting is not allowed here")
        try:
            shutil.copytree(index, disk / "index")
            with contextlib.suppress(OSError), (disk / "fill").open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            self.works(shell, disk / "index")
            said = shell("topics", "-q", "--index", disk / "index")
            assert (said.code, said.err) == (0, ""), said
        finally:
            gc.collect()  # a traceback's frames may still hold arrays that are mapped from the disk
            subprocess.run(["umount", disk], check=True)

    def test_files_that_change_while_they_are_opened_without_locks(self, index, monkeypatch):
        opened = store.open_to_read

        def touched(folder: Path):
            database = opened(folder)
            monkeypatch.setattr(store, "open_to_read", opened)
            os.utime(folder / "index.sqlite", ns=(1, 1))
            return database

        monkeypatch.setattr(store, "open_to_read", touched)
        with no_file_beyond(0), closing(Reader(index)) as reader:
            assert reader.commit == last_commit(index)
            assert len(reader.all_ids()) == len(reader)

    def test_an_index_that_is_deleted_is_read_on_by_those_who_have_it(self, index):
        with closing(Reader(index)) as reader:
            ids = reader.all_ids()
            shutil.rmtree(index)
            assert reader.all_ids() == ids

    def test_what_is_read_without_locks_is_of_one_commit_or_an_error(self, index):
        """The files may change as they like: a page of the next commit never comes with one of this."""
        log = index / "index.sqlite-wal"
        with no_file_beyond(0), closing(Reader(index)) as reader:
            ids = reader.all_ids()
            os.utime(index / "index.sqlite", ns=(1, 1))  # as when the log is moved into it
            assert reader.all_ids() == ids
            whole = index.with_name("whole")
            with no_file_beyond(resource.RLIM_INFINITY):
                shutil.copytree(index, whole)
                log.unlink(missing_ok=True)
                (index / "index.sqlite-shm").unlink(missing_ok=True)
                with UpdateWriter(whole) as writer:
                    writer.remove([ids[0]])
                    writer.commit()
                shutil.copyfile(whole / "index.sqlite", index / "index.sqlite")
            for read in (reader.all_ids, lambda: list(reader.stream()), lambda: reader.number(ids[0])):
                with pytest.raises(StoreError, match="another process has changed the index"):
                    read()
            assert not reader.is_current()
