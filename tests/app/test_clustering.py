"""The shell and datasets of shards: index --out, add --out, rm --out, doctor --out, push, pull, encode."""

import json
import os
import shutil
from pathlib import Path

import pytest
from shared import real_shell

pytest.importorskip("pyarrow")

ROWS = [
    {"id": f"n{number}", "text": text, "year": 1900 + number}
    for number, text in enumerate(["comet telescope orbit", "comet tail orbit", "oven dough yeast", "bread oven flour"])
]


def lines(path: Path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def shell(*arguments: object) -> str:
    """What a command prints on both streams, without progress."""
    done = real_shell(*arguments)
    assert done.code == 0, done
    said = [line.split("\r")[-1] for line in done.err.splitlines()]
    return "".join(f"{line}\n" for line in said if line.startswith("textae: ")) + done.out


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clustering")
    notes = lines(folder / "notes.jsonl", [*ROWS, ROWS[0], {"id": "n9", "text": "  "}])
    said = shell("index", notes, "--out", folder / "notes.dataset", "--passes", 1)
    assert said.splitlines()[:2] == [
        f"textae: indexed 4 documents in 1 shards of {folder / 'notes.dataset'}",
        "textae: skipped 2 · empty: 1 · id already used: 1",
    ]
    return folder / "notes.dataset"


@pytest.fixture(scope="module")
def index(tmp_path_factory) -> Path:
    """An index that stays."""
    folder = tmp_path_factory.mktemp("there")
    shell("index", lines(folder / "notes.jsonl", ROWS), "--index", folder / "index", "--passes", 1)
    return folder / "index"


def test_a_dataset_from_the_shell(dataset, tmp_path) -> None:
    assert shell("doctor", "--out", dataset) == f"{dataset}: sound\n"
    index = tmp_path / "index"
    assert shell("pull", dataset, "--index", index) == f"textae: wrote 4 documents to {index}\n"
    assert real_shell("pull", dataset, "--index", index).error == (
        f"there is an index at {index}; --replace replaces it"
    )
    more = lines(tmp_path / "more.jsonl", [{"id": "z", "text": "zeppelin orbit"}])
    copy = tmp_path / "copy.dataset"
    pushed = json.loads(shell("push", "--to", copy, "--index", index, "--json"))
    assert pushed == {"address": str(copy), "documents": 4, "written": 4}
    assert shell("add", more, "--out", copy) == f"textae: added 1 documents to {copy}\n"
    assert shell("rm", "n1", "--out", copy) == f"textae: removed 1 documents of {copy}\n"
    shell("pull", copy, "--index", index, "--replace")
    found = shell("search", "orbit", "--mode", "bm25", "--tsv", "--index", index)
    assert sorted(line.split("\t")[2] for line in found.splitlines()) == ["n0", "z"]
    assert shell("doctor", "--index", index) == f"{index}: sound\n"


def test_documents_that_are_there_are_skipped_and_removed_ones_come_back(dataset, tmp_path) -> None:
    copy = Path(shutil.copytree(dataset, tmp_path / "copy.dataset"))
    notes = lines(tmp_path / "notes.jsonl", [*ROWS[:3], {"id": "new", "text": "a comet"}])
    added = [f"textae: added 1 documents to {copy}", "textae: skipped 3 · id already used: 3"]
    assert shell("add", notes, "--out", copy).splitlines() == added
    added = [f"textae: added 0 documents to {copy}", "textae: skipped 4 · id already used: 4"]
    assert shell("add", notes, "--out", copy).splitlines() == added
    for id in ("new", "n1"):
        shell("rm", id, "--out", copy)
    added = [f"textae: added 2 documents to {copy}", "textae: skipped 2 · id already used: 2"]
    assert shell("add", notes, "--out", copy).splitlines() == added
    shell("rm", "new", "--out", copy)
    one = lines(tmp_path / "one.jsonl", [{"id": "new", "text": "a comet"}])
    assert shell("add", one, "--out", copy) == f"textae: added 1 documents to {copy}\n"
    assert shell("pull", copy, "--index", tmp_path / "index") == f"textae: wrote 5 documents to {tmp_path / 'index'}\n"
    assert shell("doctor", "--index", tmp_path / "index") == f"{tmp_path / 'index'}: sound\n"


@pytest.mark.parametrize("is_whole", [True, False], ids=["committed", "killed while it was written"])
def test_a_dataset_in_a_folder_is_no_document_of_it(dataset, tmp_path, is_whole) -> None:
    part = Path() if is_whole else Path("documents")
    shutil.copytree(dataset / part, tmp_path / "notes.dataset" / part)
    lines(tmp_path / "notes.jsonl", ROWS)
    said = shell("index", tmp_path, "--index", tmp_path / "index", "--passes", 1, "-v")
    assert "indexed 4 documents" in said
    assert "a dataset: 1" in said


def test_nothing_is_added_to_a_damaged_dataset(dataset, tmp_path) -> None:
    copy = Path(shutil.copytree(dataset, tmp_path / "copy.dataset"))
    (codes,) = copy.glob("codes/*")
    codes.write_bytes(codes.read_bytes()[:-100])
    before = (copy / "manifest.json").read_bytes()
    one = lines(tmp_path / "one.jsonl", [{"id": "new", "text": "a comet"}])
    for done in (real_shell("add", one, "--out", copy), real_shell("rm", "n1", "--out", copy)):
        assert (done.code, done.out) == (2, "")
        assert f"is damaged: codes/{codes.name} is not what was written" in done.err.splitlines()[-1]
    assert (copy / "manifest.json").read_bytes() == before


def test_codes_of_other_documents(dataset, tmp_path) -> None:
    from pyarrow import parquet

    notes = lines(tmp_path / "notes.jsonl", [*ROWS, {"id": "none", "text": "nothing known"}])
    codes = tmp_path / "codes"
    assert shell("encode", notes, "--model", dataset, "--out", codes) == f"textae: wrote 5 codes to {codes}\n"
    assert f"there is codes.parquet in {codes}" in real_shell("encode", notes, "--model", dataset, "--out", codes).error
    table = parquet.read_table(codes)
    assert table["id"].to_pylist() == ["n0", "n1", "n2", "n3", "none"]
    assert table["known"].to_pylist() == [True] * 4 + [False]
    (kept,) = dataset.glob("codes/*")
    stored = parquet.read_table(kept)
    for name in ("bits", "floats"):
        assert table[name].to_pylist()[:4] == stored[name].to_pylist()


def test_a_dataset_is_not_replaced_without_a_question(dataset, tmp_path) -> None:
    notes, before = lines(tmp_path / "notes.jsonl", ROWS[:2]), (dataset / "manifest.json").read_bytes()
    assert real_shell("index", notes, "--out", dataset).error == (
        f"there is a dataset at {dataset}; --replace replaces it, and 'textae add --out' adds to it"
    )
    assert (dataset / "manifest.json").read_bytes() == before


def test_an_index_is_pushed_over_a_dataset_after_a_question(dataset, index, tmp_path) -> None:
    copy = Path(shutil.copytree(dataset, tmp_path / "copy.dataset"))
    before = (copy / "manifest.json").read_bytes()
    refused = f"there is a dataset at {copy}; --replace replaces it"
    assert real_shell("push", "--to", copy, "--index", index).error == refused
    assert (copy / "manifest.json").read_bytes() == before
    assert "4 of them new" in shell("push", "--to", copy, "--index", index, "--replace")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "the address of the dataset is empty; give a folder, or a URL"),
        ("{index}", "is an index, and no dataset; take another folder"),
        ("GOPHER://x/y", "no dataset can be at 'GOPHER://x/y'; give a path, or an encoded URL of file, s3, gs or hdfs"),
        ("file:///tmp/ä b", "give a path, or an encoded URL of file"),
    ],
)
def test_no_dataset_can_be_there(index, address, message) -> None:
    before = sorted(index.rglob("*"))
    assert message in real_shell("push", "--to", address.format(index=index), "--index", index).error
    assert sorted(index.rglob("*")) == before


def test_a_damaged_dataset_is_replaced(dataset, tmp_path) -> None:
    old = Path(shutil.copytree(dataset, tmp_path / "old.dataset"))
    (codes,) = old.glob("codes/*")
    whole = codes.read_bytes()
    codes.write_bytes(whole[:-100] + bytes(100))
    assert real_shell("doctor", "--out", old).code == 2
    shell("index", dataset.parent / "notes.jsonl", "--out", old, "--passes", 1, "--replace")
    assert shell("doctor", "--out", old) == f"{old}: sound\n"
    assert codes.read_bytes() == whole


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "manifest.json").write_text('{"name": "A page", "icons": []}')
    assert "is not textae's; delete it, or take another folder" in real_shell("doctor", "--out", page).error
    done = real_shell("index", lines(tmp_path / "notes.jsonl", ROWS), "--out", page, "--replace")
    assert done.code == 2
    assert done.error == f"{page}/manifest.json is not textae's; delete it, or take another folder"
    assert [path.name for path in page.iterdir()] == ["manifest.json"]


class TestDamage:
    """One line, exit code 2, and the index that is there stays."""

    @pytest.fixture
    def copy(self, dataset, tmp_path) -> Path:
        return Path(shutil.copytree(dataset, tmp_path / "copy"))

    @staticmethod
    def refused(copy: Path, index: Path) -> str:
        before = shell("search", "orbit", "--tsv", "--index", index)
        error = real_shell("pull", copy, "--index", index, "--replace", "--quiet").error
        assert shell("search", "orbit", "--tsv", "--index", index) == before
        return error

    def test_a_shard_that_is_cut_off(self, copy, index) -> None:
        (shard,) = copy.glob("documents/*")
        os.truncate(shard, shard.stat().st_size - 100)
        assert f"is damaged: documents/{shard.name} is not what was written" in self.refused(copy, index)

    def test_a_link_out_of_the_dataset(self, copy, index) -> None:
        """What it leads to is read as any other content: it must have the hash of the manifest."""
        (shard,) = copy.glob("documents/*")
        shard.unlink()
        shard.symlink_to("/etc/passwd")
        assert f"is damaged: documents/{shard.name} is not what was written" in self.refused(copy, index)

    def test_a_manifest_of_another_model(self, copy, index, tmp_path) -> None:
        other = tmp_path / "other"
        more = lines(tmp_path / "more.jsonl", [{"id": n, "text": f"harbour sail anchor {n}"} for n in "abcd"])
        shell("index", more, "--out", other, "--passes", 1, "--dims", 16, "--bits", 64)
        manifest, foreign = (json.loads((folder / "manifest.json").read_text()) for folder in (copy, other))
        files = manifest["files"] | foreign["files"]
        for kind in ("models", "vocabularies"):
            shutil.copytree(other / kind, copy / kind, dirs_exist_ok=True)
        changed = manifest | {name: foreign[name] for name in ("model", "vocabulary")} | {"files": files}
        (copy / "manifest.json").write_text(json.dumps(changed))
        assert "is not what textae writes" in self.refused(copy, index)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index", "x.jsonl", "--engine", "spark"], "--engine and --master need --out DATASET"),
        (["index", "x.jsonl", "--out", "d", "--engine", "spark"], "--engine spark or dask needs --master URL"),
        (["index", "x.jsonl", "--out", "d", "--master", "yarn"], "--engine local takes none"),
        (["pull", "nothing"], "there is no dataset at"),
        (["doctor", "--out", "nothing"], "there is no dataset at"),
        (["rm", "a", "--out", "nothing"], "there is no dataset at"),
        (["encode", "x.jsonl", "--model", "nothing", "--out", "c"], "there is no dataset at"),
        (["encode", "x.jsonl", "--model", "nothing"], "give --out, a folder for the codes"),
        (["rm", "--where", "year:1", "--out", "nothing"], "--where is for an index"),
        (["rm", "a", "--out", "d", "--index", "i"], "--index is for an index, and --out DATASET is none; leave it out"),
        (["doctor", "--out", "d", "--index", "i"], "--index is for an index"),
        (["index", "x.jsonl", "--out", "d", "--index", "i"], "--index is for an index"),
        (
            ["index", "/dev/null", "--out", "d", "--engine", "dask", "--master", "tcp://127.0.0.1:9"],
            "no scheduler of Dask",
        ),
        (["index", "x.jsonl", "--out", "d", "--vectors", "v"], "--vectors is for an index"),
        (["add", "x.jsonl", "--out", "d", "-v"], "--verbose is for an index"),
        (["index", "x.jsonl", "--index", "milvus://host/x"], "is an address; an index is written to a folder"),
        (["pull", "x", "--index", "milvus://host/x"], "is an address; an index is written to a folder"),
        (["doctor", "--index", "milvus://host/x"], "is an address, and a database checks its own files"),
        (
            ["encode", "x.pdf", "--model", "m", "--out", "c", "--engine", "spark", "--master", "yarn"],
            "Spark reads none",
        ),
        (["push", "--to", "gopher://x"], "no index at .textae"),
    ],
)
def test_bad_input(tmp_path, monkeypatch, arguments, message) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in real_shell(*arguments).error
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_refused(tmp_path) -> None:
    from PIL import Image

    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    error = real_shell("index", tmp_path, "--out", tmp_path / "d").err.splitlines()[-1]
    assert "a dataset of shards holds texts, and these are pictures" in error
