"""The index on disk: what a commit makes true at once, what a failure leaves as it was, and what is refused."""

import errno
import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import ENVIRONMENT, nobody, open_to_all, wait_for

from textae import Document
from textae.errors import StoreError
from textae.index import store
from textae.index.records import content_hash, digest_of, where_hash
from textae.index.store import Reader
from textae.index.writer import UpdateWriter, Writer
from textae.types import Place


def write(folder: Path, word: str, n: int = 3) -> None:
    """Commit n documents and two arrays that all say `word`."""
    with Writer(folder) as writer:
        fill(writer, word, n)
        writer.commit()


def fill(writer: Writer, word: str, n: int = 3) -> None:
    for number in range(n):
        assert writer.add(Document(f"{word}-{number}", f"{word} text")) is not None
    writer.put("letters", np.frombuffer(word.encode(), np.uint8))
    writer.put("numbers", np.arange(1_000 + len(word)))
    writer.set("word", word)


def seal(database: sqlite3.Connection) -> None:
    """Make what was changed look as if it had been committed, as a stranger can."""
    rows = (database.execute(statement).fetchall() for statement in (store.SETTINGS, store.ARRAYS))
    database.execute("UPDATE digest SET sha256 = ?", (digest_of(*rows),))
    database.commit()


def word_of(reader: Reader) -> str:
    """Give the word that all parts of the snapshot agree on."""
    word = reader.settings["word"]
    assert reader.arrays["letters"].tobytes().decode() == word
    assert len(reader.arrays["numbers"]) == 1_000 + len(word)
    assert {document.text for document in reader.stream()} == {f"{word} text"}
    assert reader.damage() == []
    return word


def word_in(folder: Path) -> str:
    with closing(Reader(folder)) as reader:
        return word_of(reader)


def array_files(folder: Path) -> list[Path]:
    return sorted((folder / "arrays").iterdir())


@pytest.fixture
def folder(tmp_path) -> Path:
    """Give an index that says `old`."""
    write(tmp_path / "index", "old")
    return tmp_path / "index"


class TestCommit:
    def test_documents_come_back_as_they_were(self, tmp_path):
        documents = [
            Document(
                "a b",
                "text\nof two lines",
                "A title",
                {"n": 1, "x": None, "deep": {"list": [1.5, True, "ü"]}},
                "s:1",
                "/s",
            ),
            Document("日本", "", "only a title"),
            Document("nul\0inside\nand a line\t", "\x1b[31m stays as it is", source="p\0q"),
            Document("x" * 100_000, "a long id"),
        ]
        with Writer(tmp_path / "index") as writer:
            assert [writer.add(document) for document in documents] == [0, 1, 2, 3]
            writer.commit()
        with closing(Reader(tmp_path / "index")) as reader:
            assert list(reader.stream()) == documents
            assert reader.documents([3, 0]) == [documents[3], documents[0]]
            assert reader.ids([2, 1]) == [documents[2].id, documents[1].id]
            assert [reader.number(document.id) for document in documents] == [0, 1, 2, 3]
            assert reader.number("A b") is None
            assert reader.field("n") == {documents[0].id: 1} | dict.fromkeys([d.id for d in documents[1:]])

    @settings(max_examples=30)
    @given(st.binary(max_size=200), st.sampled_from(["u1", "i4", "f2", "f4", "i8"]), st.integers(1, 3))
    def test_arrays_come_back_as_they_were(self, tmp_path_factory, content, dtype, columns):
        width = np.dtype(dtype).itemsize * columns
        array = np.frombuffer(content[: len(content) // width * width], dtype).reshape(-1, columns)
        folder = tmp_path_factory.mktemp("arrays")
        with Writer(folder) as writer:
            writer.put("array", array)
            writer.commit()
        with closing(Reader(folder)) as reader:
            back = reader.arrays["array"]
            assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())

    def test_more_documents_are_asked_for_than_sqlite_takes_parameters(self, tmp_path):
        write(tmp_path / "index", "many", 1_201)
        with closing(Reader(tmp_path / "index")) as reader:
            assert reader.ids(range(1_200, -1, -1)) == [f"many-{n}" for n in range(1_200, -1, -1)]
            assert reader.titles([f"many-{n}" for n in range(1_200)]) == [""] * 1_200

    def test_what_is_done_with_each_document_takes_no_time_of_the_statement(self, tmp_path, monkeypatch):
        monkeypatch.setattr("textae.index.database._STEPS", 100)
        monkeypatch.setattr("textae.index.database._SECONDS", 0.2)

        def slowly(document: Document) -> Document:
            end = time.thread_time() + 0.001
            while time.thread_time() < end:
                pass
            return document

        with Writer(tmp_path / "index") as writer:
            fill(writer, "slow", 600)
            assert len(list(map(slowly, writer.documents(0, 600)))) == 600
            writer.commit()
        with closing(Reader(tmp_path / "index")) as reader:
            assert len(list(map(slowly, reader.stream()))) == 600

    def test_an_id_is_taken_once(self, tmp_path):
        with Writer(tmp_path / "index") as writer:
            assert writer.add(Document("a", "first")) == 0
            assert writer.add(Document("a", "second")) is None
            assert (len(writer), writer.next_number) == (1, 1)
            writer.commit()
        with closing(Reader(tmp_path / "index")) as reader:
            assert [document.text for document in reader.stream()] == ["first"]

    def test_a_commit_replaces_everything_and_leaves_no_old_array(self, folder):
        before = array_files(folder)
        write(folder, "newer", 5)
        assert word_in(folder) == "newer"
        assert len(array_files(folder)) == 2
        assert not set(before) & set(array_files(folder))

    def test_two_names_may_share_an_array(self, tmp_path):
        with Writer(tmp_path) as writer:
            writer.put("a", np.arange(5))
            writer.put("b", np.arange(5))
            writer.commit()
        with closing(Reader(tmp_path)) as reader:
            assert reader.arrays["a"].tolist() == reader.arrays["b"].tolist() == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
    def test_without_a_commit_everything_is_as_before(self, folder, error):
        files = array_files(folder)
        with pytest.raises(type(error)), Writer(folder) as writer:
            fill(writer, "never")
            raise error
        assert word_in(folder) == "old"
        assert array_files(folder) == files

    def test_a_first_index_without_a_commit_is_none(self, tmp_path):
        with pytest.raises(ZeroDivisionError), Writer(tmp_path) as writer:
            fill(writer, "never")
            raise ZeroDivisionError
        with pytest.raises(StoreError, match="never finished; 'textae index"):
            Reader(tmp_path)
        write(tmp_path, "first")
        assert word_in(tmp_path) == "first"


class TestRevisers:
    def test_what_is_not_put_or_set_anew_stays(self, folder):
        kept = array_files(folder)
        with UpdateWriter(folder) as writer:
            assert len(writer) == 3
            writer.put("more", np.arange(3))
            writer.commit()
        assert word_in(folder) == "old"
        assert set(kept) < set(array_files(folder))

    def test_what_is_put_and_set_anew_is_replaced(self, folder):
        with UpdateWriter(folder) as writer:
            writer.put("letters", np.frombuffer(b"new", np.uint8))
            writer.set("word", "new")
            writer.commit()
        with closing(Reader(folder)) as reader:
            assert (reader.settings["word"], reader.arrays["letters"].tobytes()) == ("new", b"new")
            assert [document.text for document in reader.stream()] == ["old text"] * 3
            assert reader.damage() == []
        assert len(array_files(folder)) == 2

    def test_what_is_not_kept_goes(self, folder):
        with UpdateWriter(folder) as writer:
            writer.put("numbers/more", np.arange(3))
            writer.keep_only("documents", "numbers")
            writer.commit()
        with closing(Reader(folder)) as reader:
            assert set(reader.arrays) == {"numbers", "numbers/more"}
            assert set(reader.settings) == {"documents", "history", "next_number"}
            assert reader.damage() == []
        assert len(array_files(folder)) == 2

    def test_documents_may_be_added(self, folder):
        with UpdateWriter(folder) as writer:
            assert writer.add(Document("old-1", "again")) is None
            assert writer.add(Document("new", "old text")) == 3
            writer.commit()
        with closing(Reader(folder)) as reader:
            assert reader.all_ids() == {0: "old-0", 1: "old-1", 2: "old-2", 3: "new"}
            assert reader.damage() == []

    def test_a_number_is_never_given_twice(self, folder):
        """Not within a commit, nor after it, nor to the same id: a segment may still name the old one."""
        with UpdateWriter(folder) as writer:
            assert writer.remove(["old-2", "nowhere", "old-0"]) == [2, 0]
            assert writer.add(Document("old-2", "old text")) == 3
            writer.commit()
        with UpdateWriter(folder) as writer:
            assert writer.remove(["old-2"]) == [3]
            writer.commit()
        with UpdateWriter(folder) as writer:
            assert writer.next_number == 4
            assert writer.add(Document("old-2", "old text")) == 4
            writer.commit()
        with closing(Reader(folder)) as reader:
            assert reader.all_ids() == {1: "old-1", 4: "old-2"}
            assert reader.number("old-0") is None
            assert len(reader) == 2
            assert reader.damage() == []

    def test_documents_are_read_back_by_number_before_the_commit(self, folder):
        with UpdateWriter(folder) as writer:
            writer.remove(["old-1"])
            writer.add(Document("new", "new text"))
            assert [document.id for document in writer.documents(1, 4)] == ["old-2", "new"]

    def test_arrays_are_put_read_and_dropped_by_prefix(self, folder):
        with UpdateWriter(folder) as writer:
            writer.put_all("a_b/", {"x": np.arange(3), "y": np.arange(4)})
            writer.put("a%b/x", np.arange(5))
            writer.put("acb/x", np.arange(6))
            assert {name: len(array) for name, array in writer.arrays("a_b/").items()} == {"x": 3, "y": 4}
            writer.drop("a_b/")
            writer.put("a_b/z", np.arange(7))
            writer.commit()
        with closing(Reader(folder)) as reader:
            assert set(reader.arrays) == {"a%b/x", "a_b/z", "acb/x", "letters", "numbers"}

    def test_contents_are_equal_where_documents_say_the_same(self, tmp_path):
        said = {"title": "title", "fields": {"n": 1}}
        with Writer(tmp_path) as writer:
            writer.add(Document("a", "text", **said, source="here", origin="one"))
            writer.add(Document("b", "text", **said, source="here", origin="two"))
            writer.commit()
        with closing(Reader(tmp_path)) as reader:
            contents = {id: reader.content(id) for id in ("a", "b")}
            assert reader.contents("one") == {"a": (contents["a"], where_hash("here", "[]"))}
            assert reader.contents("two") == {"b": (contents["b"], where_hash("here", "[]"))}
            assert reader.content("c") is None
            assert reader.contents("nowhere") == {}
            assert contents["a"] == content_hash(Document("a", "text", **said, source="there"))
            for other in (
                Document("b", "text", **said),
                Document("a", "texts", **said),
                Document("a", "text", "titles", said["fields"]),
                Document("a", "text", "title", {"n": 2}),
            ):
                assert content_hash(other) != contents["a"]

    def test_places_come_back(self, tmp_path):
        places = (Place(0, "line", "3"), Place(4, "sheet", "half a pair: \ud800"))
        with Writer(tmp_path) as writer:
            writer.add(Document("a", "text", places=places))
            writer.add(Document("b", "text"))
            writer.commit()
        with closing(Reader(tmp_path)) as reader:
            assert [document.places for document in reader.stream()] == [places, ()]

    def test_a_reader_knows_whether_it_is_of_the_last_commit(self, folder):
        with closing(Reader(folder)) as reader:
            assert reader.is_current()
            with pytest.raises(ZeroDivisionError), UpdateWriter(folder) as writer:
                writer.remove(["old-1"])
                raise ZeroDivisionError
            assert reader.is_current()
            with UpdateWriter(folder) as writer:
                writer.remove(["old-1"])
                writer.commit()
            assert not reader.is_current()

    def test_a_commit_that_only_changes_a_document_is_another_one(self, folder):
        """As of a comma: it is in no array."""
        with closing(Reader(folder)) as reader:
            write(folder, "old")
            assert reader.is_current()
            with Writer(folder) as writer:
                fill(writer, "old", 2)
                writer.add(Document("old-2", "old, text"))
                writer.commit()
            assert not reader.is_current()

    def test_without_a_commit_everything_is_as_before(self, folder):
        files = array_files(folder)
        with pytest.raises(ZeroDivisionError), UpdateWriter(folder) as writer:
            writer.keep_only("numbers")
            writer.put("letters", np.arange(9))
            raise ZeroDivisionError
        assert word_in(folder) == "old"
        assert array_files(folder) == files

    def test_a_reader_keeps_its_snapshot(self, folder):
        with closing(Reader(folder)) as reader:
            with UpdateWriter(folder) as writer:
                writer.keep_only("documents")
                writer.commit()
            assert word_of(reader) == "old"

    def test_where_there_is_no_index_none_is_made(self, tmp_path):
        with pytest.raises(StoreError, match="no index at"):
            UpdateWriter(tmp_path / "index")
        assert not (tmp_path / "index").exists()

    def test_another_format_is_refused_and_stays(self, folder):
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute("PRAGMA user_version = 999")
        with pytest.raises(StoreError, match="has format 999"):
            UpdateWriter(folder)
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            assert database.execute("SELECT count(*) FROM documents").fetchone() == (3,)


class TestReaders:
    def test_a_reader_keeps_its_snapshot_after_a_commit(self, folder):
        with closing(Reader(folder)) as reader:
            write(folder, "newer", 9)
            write(folder, "newest", 1)
            assert len(reader) == 3
            assert reader.all_ids() == {0: "old-0", 1: "old-1", 2: "old-2"}
            assert reader.documents([1])[0].text == "old text"
            assert reader.arrays["letters"].tobytes() == b"old"
            assert reader.arrays["numbers"][-1] == 1_002
            assert word_in(folder) == "newest"

    def test_a_reader_sees_nothing_of_a_writer_at_work(self, folder):
        with Writer(folder) as writer:
            fill(writer, "newer")
            assert word_in(folder) == "old"
            writer.commit()
            assert word_in(folder) == "newer"

    def test_a_reader_never_sees_half_a_commit(self, folder):
        seen, failed, done = set(), [], threading.Event()

        def read() -> None:
            while not done.is_set():
                try:
                    seen.add(word_in(folder))
                except (StoreError, AssertionError) as error:
                    failed.append(error)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for number in range(15):
            write(folder, f"word{number}", 1 + number)
        wait_for(lambda: "word14" in seen or failed)
        done.set()
        for reader in readers:
            reader.join()
        assert failed == []
        assert len(seen) > 2

    def test_a_folder_that_cannot_be_written_to_can_be_read(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("public") / "index"
        write(folder, "old")
        for path in (folder, folder / "arrays"):
            path.chmod(0o555)
        open_to_all(folder)
        try:
            with nobody():
                assert not os.access(folder, os.W_OK)
                assert word_in(folder) == "old"
                with pytest.raises(StoreError, match="cannot write"):
                    Writer(folder)
        finally:
            for path in (folder, folder / "arrays"):
                path.chmod(0o755)

    def test_who_may_only_read_sees_what_a_writer_has_not_moved_out_of_the_log_yet(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("public") / "index"
        write(folder, "old")
        open_to_all(folder)
        with closing(Reader(folder)):  # holds the log open
            write(folder, "newer")
            assert (folder / "index.sqlite-wal").stat().st_size
            folder.chmod(0o555)
            try:
                with nobody():
                    assert word_in(folder) == "newer"
            finally:
                folder.chmod(0o755)


class TestWriters:
    def test_a_second_writer_waits_then_says_who_writes(self, folder, monkeypatch):
        monkeypatch.setattr("textae.index.writer.WAIT_FOR_LOCK", 0.2)
        with Writer(folder) as writer:
            fill(writer, "first")
            with pytest.raises(StoreError) as refused:
                Writer(folder)
            writer.commit()
        assert re.fullmatch(
            rf"another textae( \([a-z]+\))?, process {os.getpid()}, since \d\d:\d\d:\d\d, is writing to "
            rf"{re.escape(str(folder))}; try again when it has finished",
            str(refused.value),
        )
        assert word_in(folder) == "first"

    @pytest.mark.parametrize(
        "word",
        [b"", b"[]", b"\xff", b"[" * 100_000, b'{"process": Infinity, "command": 7, "since": 1}']
        + [b'{"process": 1, "command": "", "since": %s}' % since for since in (b"1e30", b"-1e18", b'"x"', b"1e999")],
    )
    def test_whatever_word_the_first_left_the_second_says_one_line(self, folder, monkeypatch, word):
        monkeypatch.setattr("textae.index.writer.WAIT_FOR_LOCK", 0.01)
        with Writer(folder):
            (folder / "writer.json").write_bytes(word)
            with pytest.raises(StoreError, match=rf"^another textae is writing to {folder}; try again when it has"):
                Writer(folder)

    def test_a_second_writer_that_waited_long_enough_writes(self, folder):
        with Writer(folder) as writer:
            fill(writer, "first")
            second = threading.Thread(target=write, args=(folder, "second"))
            second.start()
            writer.commit()
        second.join()
        assert word_in(folder) == "second"

    def test_many_writers_take_turns(self, folder):
        script = (
            "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import test_store as t\n"
            "for n in range(8): t.write(Path(sys.argv[2]), sys.argv[3] + str(n))"
        )
        arguments = [sys.executable, "-c", script, str(Path(__file__).parent), str(folder)]
        writers = [subprocess.Popen([*arguments, name], env=ENVIRONMENT) for name in "abc"]
        while any(writer.poll() is None for writer in writers):
            word_in(folder)
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        assert word_in(folder)[1:] == "7"
        assert len(array_files(folder)) == 2

    def test_a_writer_that_gives_up_leaves_the_next_ones_arrays_alone(self, folder, monkeypatch):
        """Its sweep must not take what the next writer has put but not committed."""
        first = Writer(folder)
        first.add(Document("x", "x"))
        rollback = first._database

        class Slow:
            """A connection after whose ROLLBACK another writer is quicker."""

            second: Writer | None = None

            def __getattr__(self, name):
                return getattr(rollback, name)

            def execute(self, statement, *parameters):
                found = rollback.execute(statement, *parameters)
                if statement == "ROLLBACK" and self.second is None:
                    self.second = Writer(folder)
                    fill(self.second, "second")
                return found

        first._database = slow = Slow()
        first.__exit__(None, None, None)
        with slow.second as second:
            second.commit()
        assert word_in(folder) == "second"

    def test_orphans_are_swept_and_nothing_else_is(self, folder):
        arrays = folder / "arrays"
        (arrays / ("0" * 64 + ".npy")).write_bytes(b"left by a writer that died")
        (arrays / "4711.part").write_bytes(b"left by another")
        mine = [arrays / "results.npy", arrays / "notes.txt", arrays / "thesis.part", arrays / "folder" / "file"]
        mine[-1].parent.mkdir()
        for path in mine:
            path.write_text("somebody's own")
        write(folder, "newer")
        assert {path.name for path in array_files(folder)} >= {"results.npy", "notes.txt", "thesis.part", "folder"}
        assert len(array_files(folder)) == 2 + 4
        assert all(path.read_text() == "somebody's own" for path in mine)

    @pytest.mark.parametrize(
        "name",
        ["with space", "ünï 日本", "a?b=c", "a#b", "100%41", "file:x?mode=memory", "'; DROP--", ":memory:", "\udcff"],
    )
    def test_any_folder_name_will_do(self, tmp_path, name, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for folder in (tmp_path / name, Path(name)):
            write(folder, "old")
            write(folder, "newer")
            assert word_in(folder) == "newer"
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name / "index.sqlite").is_file()


class TestRefused:
    def test_no_index(self, tmp_path):
        with pytest.raises(StoreError, match=r"^no index at .*; 'textae index SOURCE… --index .*' makes one$"):
            Reader(tmp_path / "nowhere")
        assert not (tmp_path / "nowhere").exists()

    def test_another_version(self, folder):
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute("PRAGMA user_version = 99")
        with pytest.raises(
            StoreError, match=r"has format 99, and this textae reads format 6; 'textae index .* rebuilds it"
        ):
            Reader(folder)
        write(folder, "rebuilt")
        assert word_in(folder) == "rebuilt"

    def test_another_version_with_tables_of_its_own_is_rebuilt(self, folder):
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute("CREATE TABLE segments (n INTEGER PRIMARY KEY AUTOINCREMENT)")
            database.execute("INSERT INTO segments DEFAULT VALUES")
            database.commit()
            database.execute("PRAGMA user_version = 99")
        write(folder, "rebuilt")
        assert word_in(folder) == "rebuilt"

    def test_somebody_elses_database_is_neither_read_nor_touched(self, tmp_path):
        with closing(sqlite3.connect(tmp_path / "index.sqlite")) as database:
            database.execute("CREATE TABLE photographs (name)")
            database.commit()
        before = (tmp_path / "index.sqlite").read_bytes()
        with pytest.raises(StoreError, match="is not an index of textae's; give another folder"):
            Reader(tmp_path)
        with pytest.raises(StoreError, match="is somebody else's database; give another --index"):
            Writer(tmp_path)
        assert (tmp_path / "index.sqlite").read_bytes() == before
        assert [path.name for path in tmp_path.iterdir()] == ["index.sqlite"]

    def test_garbage_is_neither_read_nor_touched(self, tmp_path):
        garbage = b"not a database at all, " * 100
        (tmp_path / "index.sqlite").write_bytes(garbage)
        for opening in (Reader, Writer):
            with pytest.raises(StoreError, match="file is not a database"):
                opening(tmp_path)
        assert (tmp_path / "index.sqlite").read_bytes() == garbage

    def test_an_empty_file_is_an_index_that_was_never_finished(self, tmp_path):
        (tmp_path / "index.sqlite").touch()
        with pytest.raises(StoreError, match="never finished"):
            Reader(tmp_path)

    def test_a_file_where_the_folder_should_be(self, tmp_path):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(StoreError, match=r"cannot write the index .*: File exists; it is as it was before"):
            Writer(tmp_path / "file")

    def test_a_database_cut_short(self, folder):
        path = folder / "index.sqlite"
        os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)
        with pytest.raises(StoreError, match="rebuilds it"):
            word_in(folder)

    def test_a_missing_array(self, folder):
        array_files(folder)[0].unlink()
        with pytest.raises(StoreError, match=r"is damaged: [0-9a-f]{64}.npy is missing; 'textae index --replace' "):
            Reader(folder)

    @pytest.mark.parametrize("size", [0, 5, 127, 200])
    def test_an_array_cut_short(self, folder, size):
        with closing(Reader(folder)) as reader:
            assert reader.arrays["numbers"].nbytes > size
            path = Path(reader.arrays["numbers"].filename)
        os.truncate(path, size)
        with pytest.raises(
            StoreError, match=rf"the array 'numbers' in {path.name} is not whole; 'textae index --replace' rebuilds"
        ):
            Reader(folder)

    def test_every_flipped_byte_of_an_array_is_found(self, folder):
        path = array_files(folder)[0]
        whole = path.read_bytes()
        for place in range(len(whole)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
            try:
                with closing(Reader(folder)) as reader:
                    assert len(reader.damage()) == 1
                    assert "is not what was written" in reader.damage()[0]
            except StoreError as error:
                assert "is not whole" in str(error)
            path.write_bytes(whole)
        assert word_in(folder) == "old"

    def test_a_changed_document_is_found(self, folder):
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute("UPDATE documents SET text = 'forged' WHERE id = 'old-1'")
            database.commit()
        with closing(Reader(folder)) as reader:
            assert reader.damage() == ["the document 'old-1' is not what was written"]

    @pytest.mark.parametrize(
        "forged",
        [
            "UPDATE settings SET value = '\"odd\"' WHERE name = 'word'",
            "UPDATE settings SET value = '{' WHERE name = 'word'",
            "UPDATE settings SET value = x'ff' WHERE name = 'word'",
            "DELETE FROM settings WHERE name = 'word'",
            "INSERT INTO settings VALUES ('more', '1')",
            "DELETE FROM arrays WHERE name = 'letters'",
            "UPDATE arrays SET name = 'words' WHERE name = 'letters'",
            "UPDATE arrays SET bytes = bytes + 1",
            "DELETE FROM digest",
            "UPDATE digest SET sha256 = ''",
        ],
    )
    def test_changed_settings_and_arrays_are_refused(self, folder, forged):
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute(forged)
            database.commit()
        with pytest.raises(StoreError, match=r"is damaged: its settings or its list of arrays .*; 'textae index --re"):
            Reader(folder)
        write(folder, "rebuilt")
        assert word_in(folder) == "rebuilt"

    @pytest.mark.parametrize("name", ["../../secret", "F" * 64, "0" * 63, "0" * 64 + "\n", "", b"0" * 64])
    def test_a_path_in_place_of_a_hash_is_not_followed(self, folder, name):
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute("UPDATE arrays SET sha256 = ? WHERE name = 'letters'", (name,))
            seal(database)
        with pytest.raises(StoreError, match="the array 'letters' is not named by a hash"):
            Reader(folder)

    @pytest.mark.parametrize("json", ["{", "[" * 100_000, ""])
    def test_settings_that_a_stranger_made_are_no_traceback(self, folder, json):
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute("UPDATE settings SET value = ? WHERE name = 'word'", (json,))
            seal(database)
        with pytest.raises(StoreError, match="its settings or its list of arrays"):
            Reader(folder)

    @pytest.mark.parametrize(
        ("forged", "found"),
        [
            ("DELETE FROM documents WHERE id = 'old-1'", ["of 3 documents there are 2"]),
            ("UPDATE documents SET number = 7 WHERE id = 'old-1'", ["the document 'old-1' is not what was written"]),
        ],
    )
    def test_a_document_that_is_gone_or_elsewhere_is_found(self, folder, forged, found):
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute(forged)
            database.commit()
        with closing(Reader(folder)) as reader:
            assert reader.damage() == found

    def test_an_id_that_is_no_unicode_is_nowhere(self, folder):
        with closing(Reader(folder)) as reader:
            assert reader.number("\udcff") is None

    def test_a_flipped_byte_in_a_text_is_found(self, folder):
        path = folder / "index.sqlite"
        path.write_bytes(path.read_bytes().replace(b"old text", b"odd text", 1))
        with closing(Reader(folder)) as reader:
            assert len(reader.damage()) == 1

    def test_a_pickle_is_refused_and_not_run(self, folder, tmp_path):
        class Trap:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "trapped"),)

        planted = folder / "arrays" / ("f" * 64 + ".npy")
        np.save(planted, np.array([Trap()], dtype=object), allow_pickle=True)
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            row = ("f" * 64, planted.stat().st_size)
            database.execute("UPDATE arrays SET sha256 = ?, bytes = ? WHERE name = 'letters'", row)
            seal(database)
        with pytest.raises(StoreError, match=r"the array 'letters' .* is not whole"):
            Reader(folder)
        with pytest.raises(ValueError, match="pickle"), Writer(folder) as writer:
            writer.put("objects", np.array([Trap()], dtype=object))
        assert not (tmp_path / "trapped").exists()

    def test_a_text_that_is_no_unicode_is_refused_before_it_is_written(self, tmp_path):
        with Writer(tmp_path) as writer:
            for bad in (Document("\ud800", "x"), Document("x", "\udcff"), Document("y", "y", fields={"z": "\ud800"})):
                with pytest.raises(UnicodeEncodeError):
                    writer.add(bad)
            fill(writer, "good")
            writer.commit()
        assert word_in(tmp_path) == "good"


@contextmanager
def no_file_beyond(size: int):
    """Let no file grow beyond a size, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Connections:
    """The SQLite connections that are made, caught by an audit hook, which outlives the test but does nothing then."""

    def __init__(self) -> None:
        self.caught = []
        self._watching = True
        sys.addaudithook(self._hook)

    def _hook(self, event, arguments) -> None:
        if self._watching and event == "sqlite3.connect/handle":
            self.caught.append(arguments[0])

    def stop(self) -> None:
        self._watching = False
        self.caught.clear()


@pytest.fixture
def connections():
    watching = Connections()
    yield watching
    watching.stop()


class TestFailures:
    """Each write fails in turn: one clear line, and the index as before."""

    def index_is_as_before(self, folder: Path) -> None:
        assert word_in(folder) == "old"
        assert len(array_files(folder)) == 2
        write(folder, "newer")
        assert word_in(folder) == "newer"
        assert len(array_files(folder)) == 2

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
    @pytest.mark.parametrize("failing", range(5))
    def test_a_failing_sync(self, folder, monkeypatch, failing, code):
        syncs = iter(range(100))
        sync = os.fsync

        def fail(handle) -> None:
            if next(syncs) == failing:
                raise OSError(code, os.strerror(code))
            sync(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises(StoreError, match=rf"cannot write the index .*: {os.strerror(code)}; it is as it was"):
                write(folder, "never")
        assert next(syncs) == failing + 1
        self.index_is_as_before(folder)

    @pytest.mark.parametrize("size", [0, 100, 1_000, 33_000, 60_000, 90_000])
    def test_a_full_disk(self, folder, size):
        """SQLite's log takes 32 KiB to begin with, the array 80,000 bytes, the documents some 160 KiB."""
        with no_file_beyond(size), pytest.raises(StoreError) as failed, Writer(folder) as writer:
            fill(writer, "never")
            writer.put("large", np.zeros(10_000))
            for number in range(40):
                writer.add(Document(str(number), "text" * 1_000))
            writer.commit()
        assert str(failed.value).startswith(f"cannot write the index {folder}: ")
        assert str(failed.value).endswith("; it is as it was before")
        assert "None" not in str(failed.value)
        self.index_is_as_before(folder)

    @pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
    def test_a_small_disk(self, tmp_path):
        disk = tmp_path / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk], capture_output=True).returncode:
            pytest.skip("mounting is not allowed here")
        try:
            folder = disk / "index"
            write(folder, "old")
            with pytest.raises(StoreError, match="it is as it was before"), Writer(folder) as writer:
                writer.put("large", np.zeros(1 << 20))
            with pytest.raises(StoreError, match="full"), Writer(folder) as writer:
                for number in range(10_000):
                    writer.add(Document(str(number), "text" * 100))
            self.index_is_as_before(folder)
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_database_that_cannot_grow(self, folder, connections):
        with (
            pytest.raises(StoreError, match="database or disk is full; it is as it was before"),
            Writer(folder) as writer,
        ):
            connections.caught[-1].execute("PRAGMA max_page_count = 1")
            fill(writer, "never", 1_000)
        self.index_is_as_before(folder)

    def test_a_commit_that_fails(self, folder, connections):
        def no_commit(action, what, *_):
            return (
                sqlite3.SQLITE_DENY if (action, what) == (sqlite3.SQLITE_TRANSACTION, "COMMIT") else sqlite3.SQLITE_OK
            )

        with pytest.raises(StoreError, match="not authorized"), Writer(folder) as writer:
            fill(writer, "never")
            connections.caught[-1].set_authorizer(no_commit)
            writer.commit()
        self.index_is_as_before(folder)

    def test_a_sweep_that_fails_after_the_commit_is_no_failure(self, folder, monkeypatch):
        def fail(path, dir_fd=None):
            raise OSError(errno.EIO, "Input/output error")

        with Writer(folder) as writer, monkeypatch.context() as patch:
            fill(writer, "newer")
            patch.setattr(os, "unlink", fail)
            writer.commit()
            writer.__exit__(None, None, None)
        assert word_in(folder) == "newer"
        assert len(array_files(folder)) == 4
        write(folder, "newest")
        assert len(array_files(folder)) == 2

    def test_an_index_that_was_copied_is_whole(self, folder, tmp_path):
        shutil.copytree(folder, tmp_path / "copy")
        assert word_in(tmp_path / "copy") == "old"


def test_what_is_stored_is_json_text_and_plain_arrays(index_folder):
    with closing(sqlite3.connect(index_folder / "index.sqlite")) as database:
        for (value,) in database.execute("SELECT value FROM settings UNION ALL SELECT fields FROM documents"):
            json.loads(value)
    for path in array_files(index_folder):
        assert np.load(path, allow_pickle=False).dtype.kind in "uifb"
