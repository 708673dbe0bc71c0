"""A dataset of shards has the codes and the rankings of an ordinary index, byte for byte, however it is cut."""

import hashlib
import io
import json
import os
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shared import LONG, QUICK, TINY, contents, long_documents, nobody, open_to_all, some_documents

from textae import Document, Engine, TextaeError, TrainSpec
from textae.cluster import corpus, shards, tables, worker
from textae.cluster.corpus import ShardWriter, add, learn, remove, there
from textae.cluster.dataset import Dataset, Shard, key_of
from textae.cluster.local import encode_to
from textae.cluster.storage import DatasetError
from textae.cluster.transfer import pull, push
from textae.cluster.worker import environment
from textae.types import no_progress

pytest.importorskip("pyarrow")


class Here:
    """Runs tasks in this process, the last one first."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def run(self, task, given, done) -> list:
        results = {}
        for place in reversed(range(len(given))):
            results[place] = task(json.loads(json.dumps(given[place])))
            self.tasks.append(task.__name__)
            done(len(results))
        return [results[place] for place in range(len(given))]


def written(dataset: Dataset, documents, size: int) -> list[Shard]:
    """The documents in shards of a size."""
    parts = []
    for first in range(0, len(documents), size):
        writer = ShardWriter(dataset)
        for document in documents[first : first + size]:
            assert writer.add(document) is not None
        parts += writer.finish()
    return parts


def learned(folder: Path, documents, size: int, train=QUICK, **more) -> Dataset:
    dataset = Dataset(str(folder))
    learn(dataset, written(dataset, documents, size), Here(), no_progress, model=TINY, train=train, **more)
    return dataset


def indexed(folder: Path, documents, train=QUICK, **more) -> Path:
    with Engine.create(folder) as engine:
        engine.index(documents, model=TINY, train=train, **more)
    return folder


def pulled(dataset: Dataset, folder: Path) -> Path:
    pull(dataset, folder, no_progress)
    return folder


def rankings(folder: Path, queries=("comet tail", "dough only4", "sail captain storm")) -> list:
    with Engine.open(folder) as engine:
        modes = ("bm25", "tfidf", "lsa", "code", "bits", "hamming", "hybrid")
        return [[(hit.id, hit.score) for hit in engine.search(q, k=9, mode=mode)] for q in queries for mode in modes]


DOCUMENTS = some_documents(60)


@pytest.mark.parametrize("size", [60, 17, 1] if LONG else [60, 17])
@pytest.mark.parametrize("most", [30_000, 40])
def test_shards_of_any_size_give_the_bytes_of_the_index(tmp_path, size, most) -> None:
    train = replace(QUICK, most_documents=most)
    whole = indexed(tmp_path / "index", DOCUMENTS, train)
    again = pulled(learned(tmp_path / "shards", DOCUMENTS, size, train), tmp_path / "again")
    assert contents(again) == contents(whole)
    with Engine.open(whole) as one, Engine.open(again) as other:
        settings = [dict(engine.snapshot.reader.settings) for engine in (one, other)]
    assert settings[0] == settings[1]


def test_passages_too(tmp_path) -> None:
    documents = long_documents()
    whole = indexed(tmp_path / "index", documents, passage=30)
    again = pulled(learned(tmp_path / "shards", documents, 5, passage=30), tmp_path / "again")
    assert contents(again) == contents(whole)


def test_bits_alone_too(tmp_path) -> None:
    model = replace(TINY, codes="bits")
    with Engine.create(tmp_path / "index") as engine:
        engine.index(DOCUMENTS, model=model, train=QUICK)
    dataset = Dataset(str(tmp_path / "shards"))
    learn(dataset, written(dataset, DOCUMENTS, 17), Here(), no_progress, model=model, train=QUICK)
    assert contents(pulled(dataset, tmp_path / "again")) == contents(tmp_path / "index")


def test_an_index_that_is_pushed_and_pulled_ranks_the_same(tmp_path) -> None:
    rng = np.random.default_rng(1)
    vectors = {document.id: rng.normal(size=6) for document in DOCUMENTS[:50]}
    whole = indexed(tmp_path / "index", DOCUMENTS, vectors=vectors)
    with Engine.open(whole) as engine:
        engine.topics(n=3)
        engine.remove(["stars-0", "ships-5"])
        engine.add([Document("late", "A comet and a zeppelin.", fields={"topic": "stars"})])
        engine.map()
    dataset = Dataset(str(tmp_path / "shards"))
    with Engine.open(whole) as engine:
        assert push(engine.snapshot, dataset, no_progress) == 59
        topics = engine.topics()
    again = pulled(dataset, tmp_path / "again")
    assert rankings(again) == rankings(whole)
    with Engine.open(whole) as one, Engine.open(again) as other:
        assert other.topics() == topics
        found = [[hit.id for hit in engine.search("zeppelin")][:1] for engine in (one, other)]
        assert found == [["late"]] * 2
        by_vector = [
            [(hit.id, hit.score) for hit in engine.search("oven", vector=vectors["bread-1"])] for engine in (one, other)
        ]
        assert by_vector[0] == by_vector[1]
        assert other.snapshot.reader.damage() == []


def test_what_is_added_and_removed_ranks_as_in_an_index(tmp_path) -> None:
    new = [Document("new-1", "The comet met a zeppelin."), Document("new-2", "Zeppelin dough, and a sail.")]
    whole = indexed(tmp_path / "index", DOCUMENTS)
    dataset = learned(tmp_path / "shards", DOCUMENTS, 25)
    cluster = Here()
    assert add(dataset, written(dataset, new, 1), cluster, no_progress) == 2
    assert cluster.tasks.count("encode") == 2  # a new shard costs what it holds
    assert remove(dataset, ["bread-1", "new-1"]) == 2
    with Engine.open(whole) as engine:
        engine.add(new)
        engine.remove(["bread-1", "new-1"])
    queries = ("comet zeppelin", "dough", "only4 only1")
    assert rankings(pulled(dataset, tmp_path / "again"), queries) == rankings(whole, queries)
    assert list(there(dataset, dataset.manifest())) == [one.id for one in DOCUMENTS if one.id != "bread-1"] + ["new-2"]
    # A removed id is free again, and the second removal does not touch the first document.
    assert add(dataset, written(dataset, [Document("new-1", "The oven of a comet.")], 1), cluster, no_progress) == 1
    with Engine.open(pulled(dataset, tmp_path / "third")) as engine:
        assert engine.snapshot.document("new-1").text == "The oven of a comet."
    assert add(dataset, written(dataset, new[1:], 1), cluster, no_progress) == 0  # this run was committed


def test_a_shard_whose_documents_were_removed_comes_back_once(tmp_path) -> None:
    dataset = Dataset(str(tmp_path / "dataset"))
    learn(dataset, written(dataset, DOCUMENTS, 60), Here(), no_progress, model=TINY, train=QUICK)
    new = [Document("new-1", "The comet of a zeppelin."), Document("new-2", "A zeppelin.")]
    (part,) = written(dataset, new, 2)
    for _ in range(2):
        assert [add(dataset, [part], Here(), no_progress) for _ in range(2)] == [2, 0]  # a run that was repeated
        remove(dataset, ["new-1", "new-2"])
    add(dataset, [part], Here(), no_progress)
    with Engine.open(pulled(dataset, tmp_path / "index")) as engine:
        assert [engine.snapshot.document(one.id).text for one in new] == [one.text for one in new]
    with pytest.raises(TextaeError, match=r"two of the new documents of .* have the same id"):
        add(dataset, written(dataset, [Document("twice", "a comet")], 1) * 2, Here(), no_progress)


def test_a_restart_computes_only_what_is_not_there(tmp_path) -> None:
    class StoppedError(Exception):
        pass

    class Stopping(Here):
        def run(self, task, given, done) -> list:
            if task is shards.encode:
                super().run(task, given[2:], done)
                raise StoppedError
            return super().run(task, given, done)

    dataset = Dataset(str(tmp_path / "shards"))
    with pytest.raises(StoppedError):
        learn(dataset, written(dataset, DOCUMENTS, 15), Stopping(), no_progress, model=TINY, train=QUICK)
    assert not dataset.head()
    files = {path: path.stat().st_mtime_ns for path in Path(dataset.address).rglob("*.*")}
    learn(dataset, written(dataset, DOCUMENTS, 15), Here(), no_progress, model=TINY, train=QUICK)
    assert {path: path.stat().st_mtime_ns for path in files} == files
    new = {path.parent.name for path in Path(dataset.address).rglob("*.*")} - {path.parent.name for path in files}
    assert new == {"manifests", "shards"}
    assert len(list(Path(dataset.address).glob("codes/*"))) == 4
    assert contents(pulled(dataset, tmp_path / "again")) == contents(indexed(tmp_path / "index", DOCUMENTS))


class TestBadInput:
    @pytest.fixture
    def dataset(self, tmp_path) -> Dataset:
        return learned(tmp_path / "shards", DOCUMENTS, 25)

    def test_no_dataset(self, tmp_path) -> None:
        with pytest.raises(DatasetError, match=r"there is no dataset at .*nothing"):
            Dataset(str(tmp_path / "nothing")).manifest()

    def test_no_filesystem(self) -> None:
        with pytest.raises(DatasetError, match="no dataset can be at 'gopher://notes'"):
            Dataset("gopher://notes")

    @pytest.mark.parametrize("kind", ["documents", "codes", "models", "vocabularies"])
    @pytest.mark.parametrize("how", ["missing", "cut", "changed"])
    def test_every_file_is_checked(self, dataset, tmp_path, kind, how) -> None:
        path = next(Path(dataset.address).glob(f"{kind}/*"))
        stored = bytearray(path.read_bytes())
        if how == "missing":
            path.unlink()
        else:
            stored[len(stored) // 2] ^= 1
            path.write_bytes(stored[:-9] if how == "cut" else stored)
        what = "is missing" if how == "missing" else "is not what was written"
        assert list(dataset.faults(dataset.manifest().files, no_progress)) == [(f"{kind}/{path.name}", what)]
        whole = indexed(tmp_path / "index", DOCUMENTS[:9])
        before = contents(whole)
        with pytest.raises(DatasetError, match=f"is damaged: {kind}/{path.name} {what}"):
            pull(dataset, whole, no_progress)
        assert contents(whole) == before

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("model", "models/../../../etc/passwd"),
            ("model", "/etc/passwd"),
            ("shards", []),
            ("shards", [{"documents": "documents/a.parquet", "n": 1, "codes": ""}]),
            ("shards", [{"documents": 1, "n": "many", "codes": None}]),
            ("removed", [{"ids": "removed/x", "shards": "1"}]),
            ("files", {}),
            ("files", []),
            ("settings", {}),
            ("settings", {"passage": -1}),
            ("settings", []),
            ("model", f"documents/{'a' * 64}.parquet"),
            ("files", {f"models/{'a' * 64}.npz": ["a" * 64, float("inf")]}),
            ("parent", "\ud800"),
            ("format", 99),
            ("format", None),
        ],
    )
    def test_a_manifest_of_a_stranger(self, dataset, name, value) -> None:
        path = Path(dataset.address) / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
        with pytest.raises(DatasetError, match=r"is not what textae writes|writes another format"):
            dataset.manifest()

    def test_a_shard_of_another_one_with_a_right_hash(self, dataset, tmp_path) -> None:
        path = Path(dataset.address) / "manifest.json"
        stored = json.loads(path.read_text())
        first, second = stored["shards"][:2]
        first["codes"], second["codes"] = second["codes"], first["codes"]
        path.write_text(json.dumps(stored))
        with pytest.raises(DatasetError, match=r"has the codes of '.*' for '.*'"):
            pull(dataset, tmp_path / "index", no_progress)

    @pytest.mark.parametrize("term", [-2, 1 << 20, 2**31 - 1])
    def test_tokens_of_a_stranger_with_a_right_hash(self, dataset, tmp_path, term) -> None:
        manifest = dataset.manifest()
        shard = manifest.shards[0]
        ids, codes, n_passages = tables.read_codes(dataset, shard.codes)
        tokens = tables.read_tokens(dataset, shard.codes)
        terms = np.array(tokens.terms)
        terms[3] = term
        name = f"codes/{key_of(term)}.parquet"
        tables.write_codes(dataset, name, ids, replace(tokens, terms=terms), codes, n_passages)
        files = dict(manifest.files) | {name: (dataset.storage.hash(name), dataset.storage.size(name))}
        forged = (replace(shard, codes=name), *manifest.shards[1:])
        dataset.commit(replace(manifest, shards=forged, files=files), dataset.head())
        with pytest.raises(TextaeError, match="is not what textae writes"):
            pull(dataset, tmp_path / "index", no_progress)
        assert not (tmp_path / "index" / "index.sqlite").exists() or not _has_commit(tmp_path / "index")

    @staticmethod
    def forge(dataset, name, content: bytes) -> None:
        """Put a file in the place of one, with its right hash."""
        sha256 = hashlib.sha256(content).hexdigest()
        forged = f"{name.partition('/')[0]}/{sha256}.{name.rpartition('.')[2]}"
        (Path(dataset.address) / forged).write_bytes(content)
        path = Path(dataset.address) / "manifest.json"
        stored = json.loads(path.read_text().replace(name, forged))
        stored["files"][forged] = [sha256, len(content)]
        path.write_text(json.dumps(stored))

    @staticmethod
    def refuse(dataset, folder: Path) -> None:
        """Whatever reads the model refuses it, in one line."""
        new = written(dataset, [Document("new", "a comet")], 1)
        for action in (
            lambda: pull(dataset, folder / "index", no_progress),
            lambda: add(dataset, new, Here(), no_progress),
            lambda: encode_to([Document("new", "a comet")], dataset, str(folder / "codes"), no_progress),
        ):
            with pytest.raises(DatasetError, match="is not what textae writes") as caught:
                action()
            assert "\n" not in str(caught.value)
        assert not (folder / "codes" / "codes.parquet").exists()

    @pytest.mark.parametrize(
        ("shape", "dtype"), [("(10**12,)", "<f4"), ("(1000000000000,)", "<f4"), ("(1000000000000,)", "|V0"),
                             ("(0, 99999999999999)", "<f4"), ("(1,)", "|O"), ("((((", "<f4")],
    )  # fmt: skip
    def test_a_header_of_a_stranger(self, dataset, tmp_path, shape, dtype) -> None:
        name, packed = dataset.manifest().model, io.BytesIO()
        header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
        idf = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64)
        with zipfile.ZipFile(Path(dataset.address) / name) as old, zipfile.ZipFile(packed, "w") as new:
            for one in old.namelist():
                new.writestr(one, idf if one == "idf.npy" else old.read(one))
        self.forge(dataset, name, packed.getvalue())
        self.refuse(dataset, tmp_path)

    @pytest.mark.parametrize("how", ["missing", "shape", "dtype", "NaN"])
    def test_a_model_of_a_stranger(self, dataset, tmp_path, how) -> None:
        name, packed = dataset.manifest().model, io.BytesIO()
        arrays = dataset.read_arrays(name)
        idf = arrays.pop("idf")
        other = {"shape": idf[:-1], "dtype": idf.astype("f8"), "NaN": idf * np.float32("nan")}
        np.savez(packed, **arrays, **({} if how == "missing" else {"idf": other[how]}))
        self.forge(dataset, name, packed.getvalue())
        self.refuse(dataset, tmp_path)

    def test_arrays_that_are_not_those_of_their_name(self, dataset) -> None:
        """The name is the hash of the content; `add` and `encode` do not hash the other files."""
        name = dataset.manifest().model
        path = Path(dataset.address) / name
        with np.load(path) as arrays:
            changed = {one: array * 2 if one == "idf" else array for one, array in arrays.items()}
        np.savez(path, **changed)
        with pytest.raises(DatasetError, match=f"{name} is not what textae writes"):
            dataset.read_arrays(name)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
    def test_a_pipe_in_the_place_of_a_file(self, dataset, tmp_path) -> None:
        path = Path(dataset.address) / dataset.manifest().model
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(DatasetError, match="is missing"):
            encode_to([Document("new", "a comet")], dataset, str(tmp_path / "codes"), no_progress)

    @pytest.mark.parametrize("how", ["rows", "deep", "type", "null", "column", "bomb"])
    def test_a_table_of_a_stranger(self, dataset, tmp_path, monkeypatch, how) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        name, packed = dataset.manifest().shards[0].codes, io.BytesIO()
        table = parquet.read_table(Path(dataset.address) / name)
        tokens = {"type": range(len(table)), "null": [None, *table["tokens"].to_pylist()[1:]]}
        if how == "rows":
            path = Path(dataset.address) / "manifest.json"
            path.write_text(path.read_text().replace('"n": 25', '"n": 24', 1))
        elif how == "deep":
            table = table.replace_schema_metadata({"textae": "[" * 100_000})
        elif how in tokens:
            table = table.set_column(1, "tokens", pa.array(tokens[how]))
        elif how == "column":
            table = table.drop_columns(["id"])
        else:
            monkeypatch.setattr(tables, "_MOST", 1_000)
        parquet.write_table(table, packed)
        self.forge(dataset, name, packed.getvalue())
        with pytest.raises(DatasetError, match=r"is not what textae writes|has 25 rows, and should have 24"):
            pull(dataset, tmp_path / "index", no_progress)

    @pytest.mark.skipif(os.name != "posix", reason="there are no users")
    def test_a_folder_that_is_read_only(self, dataset, tmp_path) -> None:
        before, folder = dataset.manifest(), Path(dataset.address)
        open_to_all(folder)
        (folder / "removed").mkdir()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        new = [Document("new", "a comet")]
        with nobody():
            for action in (lambda: remove(dataset, ["stars-0"]), lambda: written(dataset, new, 1)):
                with pytest.raises(DatasetError, match=r"the dataset .*: .*Permission denied"):
                    action()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)
        assert dataset.manifest() == before

    def test_two_commits_at_once(self, dataset) -> None:
        """Of two processes that read one commit, the second one to write is refused, also between check and write."""
        before, head = dataset.manifest(), dataset.head()
        entered, free = threading.Event(), dataset.storage.writing
        failed: list[Exception] = []

        def second() -> None:
            try:
                Dataset(dataset.address).commit(replace(before, shards=before.shards[:1]), head)
            except DatasetError as error:
                failed.append(error)

        other = threading.Thread(target=second)

        def writing(name):
            if not entered.is_set():  # the check is done, and nothing is written
                entered.set()
                other.start()
                other.join(0.5)
                assert other.is_alive()
            return free(name)

        dataset.storage.writing = writing
        dataset.commit(replace(before, shards=before.shards[:2]), head)
        other.join(60)
        assert "another process has committed" in str(failed[0])
        assert len(dataset.manifest().shards) == 2

    def test_another_process_that_commits_meanwhile(self, dataset) -> None:
        before, head = dataset.manifest(), dataset.head()
        remove(dataset, ["stars-0"])
        with pytest.raises(DatasetError, match="another process has committed"):
            dataset.commit(replace(before, removed=()), head)

    def test_an_id_that_is_taken(self, dataset) -> None:
        with pytest.raises(TextaeError, match="the id 'stars-0' is taken"):
            add(dataset, written(dataset, [Document("stars-0", "another comet")], 1), Here(), no_progress)

    def test_ids_that_are_not_there(self, dataset) -> None:
        with pytest.raises(TextaeError, match=r"no document of .* has the id 'x'"):
            remove(dataset, ["stars-0", "x"])
        with pytest.raises(TextaeError, match="would leave no document"):
            remove(dataset, [document.id for document in DOCUMENTS])

    def test_a_worker_with_another_kernel(self, tmp_path, monkeypatch) -> None:
        class Elsewhere(Here):
            def run(self, task, given, done) -> list:
                with monkeypatch.context() as patch:
                    if task is shards.encode:
                        patch.setattr(worker, "environment", lambda: {**environment(), "kernel": "Nehalem"})
                    return super().run(task, given, done)

        dataset = Dataset(str(tmp_path / "other"))
        with pytest.raises(DatasetError, match="a worker computes with kernel Nehalem, and the driver with kernel"):
            learn(dataset, written(dataset, DOCUMENTS, 25), Elsewhere(), no_progress, model=TINY, train=QUICK)
        assert not dataset.head()
        assert not list(Path(dataset.address).glob("codes/*"))  # a later run would take them for its own

    def test_files_of_another_kernel_are_not_taken(self, dataset, monkeypatch) -> None:
        for module in (worker, corpus):
            monkeypatch.setattr(module, "environment", lambda: {**environment(), "kernel": "Nehalem"})
        learn(dataset, written(dataset, DOCUMENTS, 25), Here(), no_progress, model=TINY, train=QUICK)
        assert [len(list(Path(dataset.address).glob(f"{kind}/*"))) for kind in ("documents", "codes")] == [3, 6]

    def test_documents_without_words(self, tmp_path) -> None:
        dataset = Dataset(str(tmp_path / "none"))
        with pytest.raises(TextaeError, match="no document has a word to search for"):
            learn(dataset, written(dataset, [Document("1", "the of and")], 1), Here(), no_progress, "english")

    def test_what_cannot_be_stored(self, tmp_path) -> None:
        with pytest.raises(UnicodeEncodeError):
            ShardWriter(Dataset(str(tmp_path / "half"))).add(Document("1", "\ud800 comet"))
        writer = ShardWriter(Dataset(str(tmp_path / "half")))
        assert [writer.add(Document("1", "comet")), writer.add(Document("1", "moon"))] == [0, None]


def _has_commit(folder: Path) -> bool:
    from textae.index.store import has_index

    return has_index(folder)


class TestReplacing:
    """Whatever is a dataset can be replaced, of any version and damage."""

    @pytest.mark.parametrize("how", ["format", "cut", "settings"])
    def test_a_manifest_that_cannot_be_read(self, tmp_path, how) -> None:
        dataset = learned(tmp_path / "shards", DOCUMENTS, 25)
        path, made = Path(dataset.address) / "manifest.json", dataset.manifest()
        stored = path.read_text()
        changes = {"format": stored.replace('"format": 2', '"format": 1'), "cut": stored[: len(stored) // 2]}
        path.write_text(changes.get(how, stored.replace('"analysis"', '"analyses"')))
        with pytest.raises(DatasetError):
            dataset.manifest()
        head = dataset.head()
        assert replace(learned(tmp_path / "shards", DOCUMENTS, 25).manifest(), parent="") == made
        assert dataset.manifest().parent == head

    @pytest.mark.parametrize("kind", ["documents", "codes", "models", "vocabularies"])
    def test_a_file_that_is_not_what_was_written_is_written_again(self, tmp_path, kind) -> None:
        dataset = learned(tmp_path / "shards", DOCUMENTS, 25)
        path = next(Path(dataset.address).glob(f"{kind}/*"))
        whole = path.read_bytes()
        path.write_bytes(whole[:-100] + bytes(100))
        dataset.discard_damaged(no_progress)
        learned(tmp_path / "shards", DOCUMENTS, 25)
        assert path.read_bytes() == whole
        assert list(dataset.faults(dataset.manifest().files, no_progress)) == []

    @pytest.mark.parametrize("how", ["cut", "empty"])
    def test_a_file_and_the_manifest(self, tmp_path, how) -> None:
        """The commits before tell which files are whole."""
        dataset = learned(tmp_path / "shards", DOCUMENTS, 25)
        manifest, codes = Path(dataset.address) / "manifest.json", next(Path(dataset.address).glob("codes/*"))
        stored, whole = manifest.read_bytes(), codes.read_bytes()
        manifest.write_bytes(stored[: len(stored) // 2] if how == "cut" else b"")
        codes.write_bytes(whole[:-100] + bytes(100))
        dataset.discard_damaged(no_progress)
        learned(tmp_path / "shards", DOCUMENTS, 25)
        assert codes.read_bytes() == whole
        assert list(dataset.faults(dataset.manifest().files, no_progress)) == []

    def test_a_damaged_file_that_cannot_be_deleted(self, tmp_path) -> None:
        dataset = learned(tmp_path / "shards", DOCUMENTS, 25)
        codes = next(Path(dataset.address).glob("codes/*"))
        codes.write_bytes(b"damaged")
        codes.parent.rename(tmp_path / "codes")
        codes.parent.symlink_to(tmp_path / "codes")
        with pytest.raises(DatasetError, match="is damaged, and its folder is a link; delete the file"):
            dataset.discard_damaged(no_progress)
        assert codes.read_bytes() == b"damaged"

    def test_a_file_that_another_process_deletes_meanwhile(self, tmp_path, monkeypatch) -> None:
        dataset = learned(tmp_path / "shards", DOCUMENTS, 25)
        before, head, size = dataset.manifest(), dataset.head(), dataset.storage.size

        def then_deleted(name: str) -> int:
            found = size(name)
            if name.startswith("codes/"):
                dataset.storage.delete(name)
            return found

        monkeypatch.setattr(dataset.storage, "size", then_deleted)
        with pytest.raises(DatasetError, match="another process has committed"):
            dataset.commit(replace(before, files={}), head)
        assert dataset.head() == head

    def test_by_an_index_that_is_pushed(self, tmp_path) -> None:
        dataset = learned(tmp_path / "shards", DOCUMENTS, 25)
        whole = pulled(dataset, tmp_path / "index")
        for path in Path(dataset.address).glob("*/*.parquet"):
            os.truncate(path, 9)
        with Engine.open(whole) as engine:
            push(engine.snapshot, dataset, no_progress)
        assert contents(pulled(dataset, tmp_path / "again")) == contents(whole)

    @pytest.mark.parametrize("name", ["A page", "textae"])
    def test_a_manifest_of_somebody_else_is_left_as_it_is(self, tmp_path, name) -> None:
        (tmp_path / "manifest.json").write_text(json.dumps({"name": name, "icons": []}))
        with pytest.raises(DatasetError, match="is not textae's; delete it, or take another folder"):
            learned(tmp_path, DOCUMENTS, 25)
        assert json.loads((tmp_path / "manifest.json").read_text()) == {"name": name, "icons": []}


def test_a_manifest_is_committed_whole_or_not_at_all(tmp_path, monkeypatch) -> None:
    """At every write of a commit, whatever ends it, the last commit is there and every file of it."""
    dataset = learned(tmp_path / "shards", DOCUMENTS, 25)
    before, head = dataset.manifest(), dataset.head()
    move = dataset.storage.writing
    n_writes = 0

    def count(name):
        nonlocal n_writes
        n_writes += 1
        return move(name)

    monkeypatch.setattr(dataset.storage, "writing", count)
    remove(dataset, ["stars-0"])
    after = dataset.manifest()
    assert n_writes == 3  # the ids, the commit by its hash, and the commit
    for killed_at in range(n_writes):
        (Path(dataset.address) / "manifest.json").write_bytes(
            (Path(dataset.address) / f"manifests/{head}.json").read_bytes()
        )
        seen = 0

        def broken(name, at=killed_at):
            nonlocal seen
            seen += 1
            if seen - 1 == at:
                raise KeyboardInterrupt
            return move(name)

        monkeypatch.setattr(dataset.storage, "writing", broken)
        with pytest.raises(KeyboardInterrupt):
            remove(dataset, ["stars-0"])
        assert dataset.manifest() == before
        assert list(dataset.faults(before.files, no_progress)) == []
    monkeypatch.setattr(dataset.storage, "writing", move)
    remove(dataset, ["stars-0"])
    assert dataset.manifest() == after


def test_the_bound_of_a_shard(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(corpus, "SHARD", 16)
    monkeypatch.setattr(corpus, "SHARD_CHARACTERS", 400)
    writer = ShardWriter(Dataset(str(tmp_path / "a")))
    for document in [*DOCUMENTS[:20], Document("long", "comet " * 100), Document("short", "comet")]:
        writer.add(document)
    assert sum(part.n for part in writer.finish()) == 22
    assert max(part.n for part in writer.finish()) <= 16


def test_the_sample_is_of_all_shards(tmp_path) -> None:
    """The documents to learn from do not depend on the number of shards."""
    train = TrainSpec(epochs=1, device="cpu", most_documents=20)
    models = {learned(tmp_path / str(size), DOCUMENTS, size, train).manifest().model for size in (60, 20, 7)}
    assert len(models) == 1
