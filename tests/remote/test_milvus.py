"""An index that Milvus serves gives what the index gives; milvus-lite runs in this process, without a network."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shared import ENVIRONMENT, LONG, QUICK, TINY, long_documents, real_shell, some_documents, write

import textae
from textae import Document, Engine
from textae.errors import QueryError, StoreError
from textae.remote import milvus
from textae.remote.conditions import Numbered
from textae.remote.engine import RemoteEngine, push_to, store_at
from textae.search.request import SearchRequest

pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'textae[milvus]'")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed: pip install 'textae[milvus]'")

SYSTEMS = ("bm25", "bits", "hamming", "code", "hybrid")


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """A cache of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def two_thousand(tmp_path_factory):
    """An index of 2,000 documents, many of which score alike, and where it was pushed."""
    folder = tmp_path_factory.mktemp("milvus")
    documents = some_documents(2_000)
    documents[7] = replace(
        documents[7], text="", title="only7", fields={"tags": ["Deep Sea", "c++"], "when": "2012-05-03"}
    )
    documents[8] = replace(documents[8], fields={"year": 1905.5, "nested": {"by": "Noether, E."}, "flag": True})
    documents[9] = replace(documents[9], id='a "quoted" \\ id', fields={"many": list(range(20))})
    documents[10] = replace(documents[10], text="zzz", title="", id="zzz.txt")
    with Engine.create(folder / "index") as engine:
        engine.index(documents, language="english", model=TINY, train=QUICK)
        address = f"milvus://{folder}/served.db"
        assert push_to(address, engine) == 2_000
    return folder / "index", address


@pytest.fixture(scope="module")
def pair(two_thousand):
    """The engine of the index, and that of its address."""
    with Engine.open(two_thousand[0]) as local, RemoteEngine.open(two_thousand[1]) as served:
        yield local, served


def queries(engine: Engine, n: int) -> list[str]:
    """Titles, and words of texts, of documents in all parts of the index."""
    rng = np.random.default_rng(1)
    numbers = np.sort(rng.choice(engine.snapshot.numbers, n, replace=False)).tolist()
    documents = engine.snapshot.reader.documents(numbers)
    return [
        one.title if at % 2 and one.title else " ".join(rng.permutation(one.text.split() or ["sea"])[:4].tolist())
        for at, one in enumerate(documents)
    ]


def differing(local: Engine, served: Engine, texts: list[str], **how) -> list[str]:
    """The queries whose whole results differ: hits in their order, scores, snippets, fields, places."""
    requests = [SearchRequest(text, **how) for text in texts]
    return [one.text for one in requests if local.searcher.search(one) != served.searcher.search(one)]


@pytest.mark.parametrize("mode", SYSTEMS)
def test_a_hundred_queries_get_what_the_index_gives(pair, mode) -> None:
    assert differing(*pair, queries(pair[0], 100), mode=mode) == []


@pytest.mark.parametrize(
    "how",
    [
        {"top_k": 40, "offset": 30},
        {"like": ["stars-0"], "unlike": ["bread-1"]},
        {"expand": True},
        {"explain": True},
        {"mode": "bm25", "feedback": True},
        {"min_score": 0.3},
        {"mode": "code", "explain": True},
        {"mode": "bits", "explain": True},
    ],
)
def test_the_options_of_a_search_give_what_the_index_gives(pair, how) -> None:
    assert differing(*pair, queries(pair[0], 8), **how) == []


def test_documents_like_others_are_those_of_the_index(pair) -> None:
    local, served = pair
    assert [local.similar(id) for id in ("stars-0", "ships-5")] == [served.similar(id) for id in ("stars-0", "ships-5")]
    assert local.similar(["stars-0", "bread-1"], unlike=["ships-5"]) == served.similar(
        ["stars-0", "bread-1"], unlike=["ships-5"]
    )


def test_names_of_documents_count(pair) -> None:
    local, served = pair
    for text in ("stars-33", "About bread 4", "zzz", "zzz.txt"):
        assert local.searcher.search(SearchRequest(text)) == served.searcher.search(SearchRequest(text))


def test_words_without_effect_are_those_of_the_index(pair) -> None:
    results = [engine.searcher.search(SearchRequest("harbours quxotic telescobe zzz", suggest=3)) for engine in pair]
    assert results[0] == results[1]
    assert results[1].unknown == ("quxotic", "telescobe")
    assert results[1].suggestions["telescobe"] == ["telescope"]


@pytest.mark.parametrize(
    "where",
    [
        "topic:stars", "topic:=stars", "topic:Stars AND year:[1950 TO 2010]", "year:>2100", "year:[* TO 1905}",
        "year:1905.5", "NOT topic:stars", "topic:stars OR (year:1904 NOT topic:bread)", "tags:sea", 'tags:="deep sea"',
        "tags:*", "when:2012", "when:[2012-01 TO 2012-05]", "when:2012-05-03", "nested.by:noether", "nested.by:*",
        "flag:true", "topic:st*", "topic:[bread TO ships]", "id:zzz*", 'id:="stars-33"', "title:About", "many:7",
        "topic:nothing", "year:[5000 TO 6000]", "NOT year:*", "*:*",
    ],
)  # fmt: skip
def test_conditions_on_fields_mean_what_they_mean_in_an_index(pair, where) -> None:
    listed = [engine.searcher.search(SearchRequest(where=where, top_k=3_000)) for engine in pair]
    assert listed[0] == listed[1]
    assert differing(*pair, ["harbour sail", "telescope"], where=where) == []


@pytest.mark.parametrize("must", ["harbour", "harbour AND NOT sail", "telesc*", "only7 OR only9", "the", "NOT qqq"])
def test_conditions_on_the_text_mean_what_they_mean_in_an_index(pair, must) -> None:
    assert differing(*pair, ["harbour sail", "telescope"], must=must) == []


@pytest.mark.parametrize(
    ("how", "line"),
    [
        ({"must": '"harbour sail"'}, '"harbour sail" is a phrase, and the database keeps no order of words; use AND'),
        ({"where": "tags:c++"}, "tags:c++ looks inside of values"),
        ({"where": "many:[3 TO 4]"}, "of which a document has 20, and 8 are allowed"),
        ({"mode": "tfidf"}, "serves bm25, code, bits, hamming, hybrid, and not 'tfidf'"),
        ({"mode": "bits-16"}, "and not 'bits-16'"),
        ({"vector": [1.0, 2.0]}, "serves no vectors of yours"),
    ],
)
def test_what_the_database_cannot_do_is_refused_in_one_line(pair, how, line) -> None:
    with pytest.raises(QueryError) as error:
        pair[1].searcher.search(SearchRequest("harbour", **how))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_what_needs_all_codes_or_a_change_is_refused(pair) -> None:
    served = pair[1]
    with pytest.raises(QueryError, match="serves searches alone"):
        served.topics()
    for change in (lambda: served.add([]), lambda: served.remove("stars-0"), lambda: served.train()):
        with pytest.raises(StoreError, match="is searched, not changed; change the index and push it again"):
            change()


def pushed(folder: Path, documents: list[Document], **options) -> tuple[Path, str]:
    """Index some documents and push them."""
    options = {"language": "english", "model": TINY, "train": QUICK} | options
    with Engine.create(folder / "index") as engine:
        engine.index(documents, **options)
        push_to(f"milvus://{folder}/served.db", engine)
    return folder / "index", f"milvus://{folder}/served.db"


def test_a_changed_index_replaces_what_was_pushed_when_all_of_it_is_there(tmp_path, monkeypatch) -> None:
    index, address = pushed(tmp_path, some_documents(60))
    with RemoteEngine.open(address) as before:
        first = before.search("harbour")
    with Engine.open(index) as local:
        local.remove([first[0].id])
        local.add([Document("new", "harbour sail harbour", "A new one", {"year": 3000})])
    with Engine.open(index) as local:
        real = milvus.Milvus.insert

        def ended(self, rows) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(milvus.Milvus, "insert", ended)
        with pytest.raises(KeyboardInterrupt):
            push_to(address, local)
        with RemoteEngine.open(address) as still:
            assert still.search("harbour") == first
        monkeypatch.setattr(milvus.Milvus, "insert", real)
        assert push_to(address, local) == 60
        assert push_to(address, local) == 0
        with RemoteEngine.open(address) as served:
            assert not differing(local, served, ["harbour", "sail new", "telescope"])
            assert served.search("harbour", where="year:3000")[0].id == "new"
            assert first[0].id not in [hit.id for hit in served.search("harbour", 60)]


def test_a_push_that_was_ended_goes_on_where_it_stopped(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("textae.remote.push._BATCH", 25)
    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(60), language="english", model=TINY, train=QUICK)
        address, real, calls = f"milvus://{tmp_path}/served.db", milvus.Milvus.insert, []

        def ended(self, rows) -> None:
            calls.append(rows)
            if len(calls) == 2:
                raise KeyboardInterrupt
            real(self, rows)

        monkeypatch.setattr(milvus.Milvus, "insert", ended)
        with pytest.raises(KeyboardInterrupt):
            push_to(address, engine)
        with pytest.raises(StoreError, match="holds no index; 'textae push --to"):
            RemoteEngine.open(address)
        monkeypatch.setattr(milvus.Milvus, "insert", real)
        assert push_to(address, engine) == 35
        with RemoteEngine.open(address) as served:
            assert differing(engine, served, ["harbour", "telescope"]) == []


def test_a_document_that_is_deleted_in_the_database_is_found_no_more(tmp_path) -> None:
    _, address = pushed(tmp_path, some_documents(60))
    with RemoteEngine.open(address) as served:
        first = served.search("harbour", mode="bm25")[0].id
        store = served.snapshot.store
        store._client.delete(store._documents, filter=f"id == '{first}'")
        for mode in SYSTEMS:
            assert first not in [hit.id for hit in served.search("harbour", 60, mode=mode)]
        with pytest.raises(QueryError, match="no document has the id"):
            served.snapshot.document(first)


def test_bits_alone_are_served(tmp_path) -> None:
    index, address = pushed(tmp_path, some_documents(60), model=replace(TINY, codes="bits"))
    with Engine.open(index) as local, RemoteEngine.open(address) as served:
        for how in ({}, {"mode": "bits"}, {"explain": True}, {"mode": "hamming"}):
            assert differing(local, served, ["harbour", "telescope orbit"], **how) == []
        with pytest.raises(QueryError, match="needs float codes"):
            served.search("harbour", mode="code")


def test_a_document_that_is_not_what_was_pushed_is_refused(tmp_path) -> None:
    _, address = pushed(tmp_path, some_documents(60))
    with RemoteEngine.open(address) as served:
        store, hit = served.snapshot.store, served.search("harbour", 1)[0]
        number = served.snapshot.number(hit.id)
        (row,) = store.select(Numbered([number]), list(vars(milvus.Row)["__dataclass_fields__"])[1:])
        vectors = {name: row[name][0] for name in ("bits", "floats")}
        store._client.upsert(store._documents, [row | vectors | {"text": "harbour, but not what was said"}])
        with pytest.raises(StoreError, match="is not what was written"):
            served.search("harbour", 1)


def test_a_model_that_is_not_what_was_pushed_is_refused(tmp_path, monkeypatch) -> None:
    _, address = pushed(tmp_path, some_documents(60))
    store = store_at(address)
    manifest = store.manifest()
    sha256 = manifest["files"]["index.sqlite"]
    store._put(f"{sha256}/0", "AAAA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    with pytest.raises(StoreError, match=r"index\.sqlite of .* is not what was pushed"):
        RemoteEngine.open(address)
    store._put("current", json.dumps(manifest | {"files": {"../../evil": sha256}}))
    with pytest.raises(StoreError, match="lists files that textae does not write"):
        RemoteEngine.open(address)
    store._put("current", json.dumps(manifest | {"format": 99}))
    with pytest.raises(StoreError, match="pushed by another version of textae"):
        RemoteEngine.open(address)
    store._put("current", "[1]")
    with pytest.raises(StoreError, match="holds no index of textae's"):
        RemoteEngine.open(address)
    store.close()
    assert not list((tmp_path / "other").rglob("evil"))


def test_passages_pictures_and_long_texts_are_refused_when_they_are_pushed(tmp_path) -> None:
    address = f"milvus://{tmp_path}/served.db"
    with Engine.create(tmp_path / "passages") as engine:
        engine.index(long_documents(), language="english", model=TINY, train=QUICK, passage=20)
        with pytest.raises(QueryError, match="ranks passages, and whole documents are served"):
            push_to(address, engine)
    with Engine.create(tmp_path / "long") as engine:
        documents = [*some_documents(30), Document("long", "harbour sail " * 6_000)]
        engine.index(documents, language="english", model=TINY, train=QUICK, passage=0)
        with pytest.raises(StoreError, match=r"the text of the document 'long' has 78,000 bytes, and Milvus"):
            push_to(address, engine)


def test_the_shell_pushes_and_searches(tmp_path) -> None:
    own, index, cache = f"milvus://{tmp_path}/own.db", tmp_path / "index", {"XDG_CACHE_HOME": str(tmp_path)}
    with Engine.create(index) as engine:
        engine.index(some_documents(60), language="english", model=TINY, train=QUICK)
    done = real_shell("push", "--to", own, "--index", index, **cache)
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[-1] == f"textae: pushed 60 documents to {own}, 60 of them new"
    for arguments in (("search", "harbour sail", "--json"), ("similar", "stars-0", "-k", "3"), ("get", "stars-0")):
        served, local = (real_shell(*arguments, "--index", one, **cache) for one in (own, index))
        assert served == local
        assert served.code == 0
    write(tmp_path, queries_dot_tsv="1\tharbour sail\n2\ttelescope\n", qrels_dot_tsv="1\tships-2\t1\n2\tstars-0\t1\n")
    judged = ("--queries", tmp_path / "queries.tsv", "--qrels", tmp_path / "qrels.tsv", "--systems", "bm25,hybrid")
    served, local = (real_shell("eval", *judged, "--index", one, **cache) for one in (own, index))
    assert served == local
    assert served.code == 0
    several = real_shell("search", "harbour", "--index", own, "--index", index, **cache)
    assert [line for line in several.out.splitlines() if f"{own}:ships" in line]
    assert "is searched, not changed" in real_shell("rm", "stars-0", "--index", own, **cache).error
    for refused in (["info"], ["dups"], ["classify", "a ship"], ["eval", "--label", "topic"]):
        done = real_shell(*refused, "--index", own, **cache)
        assert done.error == f"{own} serves searches alone; labels, topics, maps and the like need the index itself"
    assert "has a control character" in real_shell("get", "a\nb", "--index", own, **cache).error


def test_a_file_that_another_process_has_stays_its_own(tmp_path) -> None:
    own = f"milvus://{tmp_path}/own.db"
    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(60), language="english", model=TINY, train=QUICK)
        push_to(own, engine)  # this process has the file from now on
    (tmp_path / "link").symlink_to(tmp_path)
    for same in (own, f"milvus://{tmp_path}/link/own.db"):
        with RemoteEngine.open(same) as served:  # the same file, by another name
            assert served.search("harbour")
        done = real_shell("search", "harbour", "--index", own, XDG_CACHE_HOME=str(tmp_path))
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert f"another process has {tmp_path}/own.db, and a file serves one; use a server of Milvus" in done.error
    with RemoteEngine.open(own) as served:
        assert served.search("harbour")


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("milvus://localhost:1/notes", "milvus://localhost:1/notes does not answer as Milvus does: "),
        ("milvus://localhost/notes", "is no address; give milvus://HOST:PORT/COLLECTION, or milvus:///PATH/FILE.db"),
        ("vespa://localhost:1/notes", "is no address; give one that begins with milvus://"),
        ("milvus:///nowhere/at/all.db", "/nowhere/at is no folder; give milvus:///PATH/FILE.db in one that exists"),
        ("milvus://{folder}/none.db", "none.db; 'textae push --to milvus://"),
        ("milvus://127.0.0.1:99999/notes", "is no address; give milvus://HOST:PORT/COLLECTION"),
        ("milvus://{folder}/a b.db", "with a name of at most 36 ASCII letters, digits, '.', '-' and '_'"),
        ("milvus://{folder}/{long}.db", "with a name of at most 36 ASCII letters, digits, '.', '-' and '_'"),
    ],
)
def test_an_address_of_no_index_is_one_line(tmp_path, address, line) -> None:
    address = address.format(folder=tmp_path, long="x" * 34)
    done = real_shell("search", "harbour", "--index", address, XDG_CACHE_HOME=str(tmp_path))
    assert line in done.error
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.skipif(not LONG, reason="TEXTAE_LONG indexes 20,000 abstracts")
@pytest.mark.skipif("TEXTAE_DATA" not in os.environ, reason="TEXTAE_DATA does not name the corpora")
def test_a_hundred_queries_to_twenty_thousand_abstracts_get_what_the_index_gives(tmp_path) -> None:
    import gzip

    source = Path(os.environ["TEXTAE_DATA"]) / "arxiv100k" / "corpus.jsonl.gz"
    with gzip.open(source, "rt", encoding="utf-8") as file:
        some = "".join(line for at, line in enumerate(file) if at % 5 == 0)
    write(tmp_path, abstracts_dot_jsonl=some)
    assert real_shell("index", tmp_path / "abstracts.jsonl", "--index", tmp_path / "index").code == 0
    address = f"milvus://{tmp_path}/served.db"
    with Engine.open(tmp_path / "index") as local:
        push_to(address, local)
        with RemoteEngine.open(address) as served:
            texts = queries(local, 100)
            for mode in ("bm25", "bits", "hamming"):
                assert differing(local, served, texts, mode=mode) == []
            assert len(differing(local, served, texts)) <= 1


def test_a_server_answers_from_what_was_pushed_and_follows_it(tmp_path) -> None:
    import asyncio

    from textae.app.server.engine_pool import EnginePool

    index, address = pushed(tmp_path, some_documents(60))
    with EnginePool(address, refresh=0) as engines:

        def first() -> list[str]:
            return asyncio.run(engines.run(lambda engine: [hit.id for hit in engine.search("harbour sail", 3)]))

        with Engine.open(index) as local:
            before = [hit.id for hit in local.search("harbour sail", 3)]
            assert first() == before
            local.remove(before[0])
            push_to(address, local)
            assert first() == [hit.id for hit in local.search("harbour sail", 3)] != before


def test_the_example_of_the_page_runs(tmp_path) -> None:
    write(tmp_path, **{f"notes__{one.id}_dot_txt": one.text for one in some_documents(60)})
    page = (Path(textae.__file__).parents[1] / "docs" / "milvus.md").read_text(encoding="utf-8")
    (session,) = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    shown = "".join(line + "\n" for line in session.splitlines() if not line.startswith("$ "))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    lines = [line[2:] for line in session.splitlines() if line.startswith("$ ")]
    script = "\n".join(["set -e", 'textae() { "$PYTHON" -m textae "$@"; }', *lines])
    own = ENVIRONMENT | {"PATH": path, "PYTHON": sys.executable, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=own, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == (shown, 0), done.stderr
