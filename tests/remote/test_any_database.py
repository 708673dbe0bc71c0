"""An index that any vector database serves gives what the index gives; a database in memory stands for one."""

import pytest
from remote.memory import SCHEME, Memory
from shared import QUICK, TINY, some_documents

from textae import Engine
from textae.errors import QueryError
from textae.remote.engine import STORES, RemoteEngine, push_to
from textae.search.request import SearchRequest
from textae.search.vectors.two_stage import POOL

N = POOL + 300
"""Documents: more than the candidates of codes."""

QUERIES = ("telescope orbit moon", "sourdough yeast", "anchor rope storm", "only7 galaxy", "stars-33", "About 4")


@pytest.fixture(scope="module", autouse=True)
def in_memory(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STORES, SCHEME, Memory)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def pair(in_memory, tmp_path_factory):
    """The engine of an index, and that of where it was pushed."""
    with Engine.create(tmp_path_factory.mktemp("memory") / "index") as engine:
        engine.index(some_documents(N), language="english", model=TINY, train=QUICK)
        assert push_to(f"{SCHEME}notes", engine) == N
        with RemoteEngine.open(f"{SCHEME}notes") as served:
            yield engine, served


@pytest.mark.parametrize("mode", ["bm25", "bits", "hamming", "code", "hybrid"])
@pytest.mark.parametrize("where", [None, "topic:stars AND year:[1950 TO 2010]", "NOT topic:bread", "topic:nothing"])
def test_the_hits_are_those_of_the_index(pair, mode, where) -> None:
    for text in QUERIES:
        request = SearchRequest(text, mode=mode, where=where, explain=where is None)
        local, served = (one.searcher.search(request) for one in pair)
        assert local == served


def test_similar_documents_are_those_of_the_index(pair) -> None:
    for given in (["stars-0"], ["ships-5", "bread-1"]):
        local, served = (one.similar(given) for one in pair)
        assert local == served


def test_what_needs_all_documents_is_refused(pair) -> None:
    _, served = pair
    for refused in (served.info, lambda: served.snapshot.numbers, lambda: served.snapshot.classifier):
        with pytest.raises(QueryError, match="serves searches alone"):
            refused()


def test_a_second_push_shows_what_is_there_then(tmp_path) -> None:
    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(30), language="english", model=TINY, train=QUICK)
        push_to(f"{SCHEME}again", engine)
        engine.remove(["stars-0"])
        assert push_to(f"{SCHEME}again", engine) == 29
    with RemoteEngine.open(f"{SCHEME}again") as served:
        assert not served.snapshot.reader.has("stars-0")
        assert served.snapshot.reader.has("stars-3")
