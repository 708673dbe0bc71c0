"""Recipes: found where a person put them, else downloaded from a real server and checked, else an answer that helps."""

import functools
import gzip
import hashlib
import http.server
import io
import json
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from textae.corpus import TableSpec, read
from textae.corpus.download import UNPACK, Archive
from textae.corpus.recipes import Recipe, recipes
from textae.errors import CorpusError
from textae.types import Document

DATA = os.environ.get("TEXTAE_DATA")
ROW = b'{"_id": "d1", "title": "T", "text": "words"}\n'
MEMBERS = {
    "corpus.jsonl.gz": "small/corpus.jsonl",
    "queries.jsonl": "small/queries.jsonl",
    "qrels.tsv": "small/qrels/test.tsv",
}


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; a file called cut.zip breaks off in the middle."""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def copyfile(self, source: io.BufferedReader, outputfile: io.BufferedIOBase) -> None:  # type: ignore[override]
        content = source.read()
        outputfile.write(content[: len(content) // 2] if self.path == "/cut.zip" else content)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    handler = functools.partial(Server, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEXTAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TEXTAE_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "cache" / "small"


def packed(**more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small/corpus.jsonl", ROW)
        archive.writestr("small/queries.jsonl", '{"_id": "q1", "text": "word"}\n')
        archive.writestr("small/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n")
        for name, content in more.items():
            archive.writestr(name, content)
    return out.getvalue()


def recipe(tmp_path: Path, server: str, content: bytes, file: str = "small.zip", **checksum: str) -> Recipe:
    (tmp_path / "served" / file).write_bytes(content)
    sums = checksum or {"sha256": hashlib.sha256(content).hexdigest()}
    archive = Archive(f"{server}/{file}", members=MEMBERS, **sums)
    return Recipe("small", "A small corpus", 1, "http://example.org", "none", archive=archive)


def fetched(wanted: Recipe) -> list[Document]:
    told: list[tuple[str, int, int | None]] = []
    items = list(wanted.read("", TableSpec(), lambda *at: told.append(at)))
    assert all(stage == "downloading small" and done == total for stage, done, total in told)
    return [item for item in items if isinstance(item, Document)]


def test_what_is_downloaded_is_checked_unpacked_and_not_fetched_again(
    tmp_path: Path, server: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = recipe(tmp_path, server, packed())
    (document,) = fetched(wanted)
    assert replace(document, places=()) == Document("d1", "words", "T", {}, "small/corpus.jsonl:1")
    assert sorted(path.name for path in cache.iterdir()) == ["corpus.jsonl.gz", "qrels.tsv", "queries.jsonl"]
    assert gzip.decompress((cache / "corpus.jsonl.gz").read_bytes()) == ROW
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("fetched again"))
    assert len(fetched(replace(wanted, folder=str(cache)))) == 1


def test_an_md5_sum_serves_where_there_is_no_better_one(tmp_path: Path, server: str) -> None:
    assert fetched(recipe(tmp_path, server, packed(), md5=hashlib.md5(packed()).hexdigest()))


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_another_file_than_the_published_one_leaves_nothing(
    tmp_path: Path, server: str, cache: Path, kind: str
) -> None:
    with pytest.raises(CorpusError, match=f"is not what was published: its {kind} is"):
        fetched(recipe(tmp_path, server, packed(), **{kind: "0" * 32}))
    assert list(cache.iterdir()) == []


def test_a_download_that_breaks_off_leaves_nothing_and_says_what_to_do(
    tmp_path: Path, server: str, cache: Path
) -> None:
    with pytest.raises(CorpusError, match=r"could not be downloaded.*by hand, and save it as .*cut\.zip"):
        list(recipe(tmp_path, server, packed(), "cut.zip").read("", TableSpec(), lambda *_: None))
    assert list(cache.iterdir()) == []


def test_an_archive_saved_by_hand_serves_as_well_as_a_downloaded_one(tmp_path: Path, server: str, cache: Path) -> None:
    wanted = recipe(tmp_path, server, packed())
    (tmp_path / "served" / "small.zip").unlink()
    with pytest.raises(CorpusError, match=r"not found.*save it as .*small\.zip"):
        fetched(wanted)
    (cache / "small.zip").write_bytes(packed())
    assert len(fetched(wanted)) == 1
    assert (cache / "small.zip").exists()  # what a person saved is not ours to delete


def test_a_download_that_was_not_unpacked_is_taken_up_and_not_kept(tmp_path: Path, server: str, cache: Path) -> None:
    wanted = recipe(tmp_path, server, packed())
    assert wanted.archive
    with pytest.raises(CorpusError, match="cannot be unpacked"):
        fetched(replace(wanted, archive=replace(wanted.archive, members={"corpus.jsonl.gz": "no such member"})))
    (tmp_path / "served" / "small.zip").unlink()
    assert len(fetched(wanted)) == 1
    assert not list(cache.glob("*.zip"))
    assert not list(cache.glob(".*"))


def test_a_member_that_points_out_of_the_folder_is_not_written(tmp_path: Path, server: str, cache: Path) -> None:
    assert fetched(recipe(tmp_path, server, packed(**{"../../escaped": b"x", "/tmp/escaped-too": b"x"})))
    assert not list(tmp_path.rglob("escaped*"))
    assert not Path("/tmp/escaped-too").exists()


def test_a_member_that_is_larger_than_it_says_is_refused(tmp_path: Path, server: str, cache: Path) -> None:
    content = packed()
    entry = content.rindex(b"PK\x01\x02", 0, content.index(b"small/corpus.jsonl", content.index(b"PK\x01\x02")))
    lying = bytearray(content)
    lying[entry + 24 : entry + 28] = (5).to_bytes(4, "little")  # the uncompressed size
    with pytest.raises(CorpusError, match="cannot be unpacked"):
        fetched(recipe(tmp_path, server, bytes(lying)))
    assert not (cache / "corpus.jsonl.gz").exists()


def test_an_archive_without_the_corpus_is_refused(tmp_path: Path, server: str) -> None:
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    with pytest.raises(CorpusError, match="cannot be unpacked"):
        fetched(recipe(tmp_path, server, out.getvalue()))


def test_the_newsgroups_are_read_from_their_tar(tmp_path: Path, server: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name in ("20news-bydate-train/sci.space/1", "20news-bydate-test/sci.med/2", "README"):
            content = "Subject: café\n\n...".encode("latin-1")
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    wanted = recipe(tmp_path, server, out.getvalue(), "small.tar.gz")
    assert wanted.archive
    found = fetched(replace(wanted, archive=replace(wanted.archive, format="20newsgroups", members={})))
    assert [(document.id, dict(document.fields)) for document in found] == [
        ("sci.space/1", {"label": "sci.space", "split": "train"}),
        ("sci.med/2", {"label": "sci.med", "split": "test"}),
    ]
    assert found[0].text == "Subject: café\n\n..."


def test_what_a_person_has_put_into_textae_data_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTAE_DATA", str(tmp_path))
    (tmp_path / "nfcorpus").mkdir()
    (tmp_path / "nfcorpus" / "corpus.jsonl").write_bytes(ROW)
    (document,) = read(["nfcorpus"])
    assert isinstance(document, Document)
    assert (document.id, document.source) == ("d1", "nfcorpus/corpus.jsonl:1")


def test_another_corpus_under_a_known_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTAE_DATA", str(tmp_path))
    (tmp_path / "cran").mkdir()
    (tmp_path / "cran" / "corpus.jsonl").write_bytes(ROW)
    with pytest.raises(CorpusError, match=r"is not the corpus 'cran'.*give its path instead of the name"):
        list(read(["cran"]))


def test_a_corpus_that_nobody_offers_says_where_to_put_it() -> None:
    with pytest.raises(CorpusError, match=r"cannot be downloaded; see https://.*put it at \$TEXTAE_DATA/cran/"):
        list(read(["cran"]))


def test_the_cache_is_where_the_desktop_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TEXTAE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    (tmp_path / "xdg" / "textae" / "nq").mkdir(parents=True)
    (tmp_path / "xdg" / "textae" / "nq" / "corpus.jsonl").write_bytes(ROW)
    assert {recipe.name for recipe in recipes() if recipe.available} == {"nq", "python"}


def test_a_user_without_a_home_reads_what_is_there_and_is_told_where_downloads_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME", "TEXTAE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    (tmp_path / "corpus.jsonl").write_bytes(ROW)
    assert len(list(read([str(tmp_path)]))) == 1
    with pytest.raises(CorpusError, match="name one: export TEXTAE_CACHE="):
        list(read(["nfcorpus"]))


def test_recipes_are_not_loaded_for_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("textae.corpus.recipes.recipes", lambda: pytest.fail("loaded"))
    (tmp_path / "corpus.jsonl").write_bytes(ROW)
    assert len(list(read([str(tmp_path), str(Path(__file__))]))) == 2


def test_every_recipe_says_what_it_is_and_how_it_is_checked() -> None:
    names = [recipe.name for recipe in recipes()]
    assert names == sorted(names)
    assert {"python", "20newsgroups", "scifact", "cran", "nfcorpus", "fever"} <= set(names)
    for each in recipes():
        assert each.description, each.name
        assert each.licence, each.name
        assert each.homepage.startswith(("https://", "http://")), each.name
        assert each.documents > 0, each.name
        assert all(len(checksum) == 64 for checksum in each.sha256.values()), each.name
        if each.archive:
            assert (len(each.archive.sha256), len(each.archive.md5)) in {(64, 0), (0, 32)}, each.name
            assert each.archive.format in UNPACK, each.name
            assert bool(each.archive.members) == (each.archive.format == "zip"), each.name
        assert each.archive or each.sha256 or each.packages, each.name


def test_a_recipe_can_be_shown_as_json() -> None:
    for each in recipes():
        assert json.loads(json.dumps(asdict(each)))["name"] == each.name


@pytest.mark.skipif(not DATA, reason="TEXTAE_DATA is not set: there are no public corpora to read")
@pytest.mark.parametrize("name", ["20newsgroups", "cacm", "cisi", "cran", "lisa", "med", "npl", "scifact"])
def test_a_public_corpus_has_as_many_documents_as_its_recipe_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTAE_DATA", str(DATA))
    said = {each.name: each for each in recipes()}[name]
    assert sum(1 for _ in read([name])) == said.documents  # two of Cranfield's are skipped, as they are empty
