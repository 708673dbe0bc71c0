"""Documents found by their names: with filters, several segments, removals, passages, and explained."""

import numpy as np
import pytest
from shared import QUICK, TINY, some_documents

from textae import Document, Engine
from textae.search.by_name import NameShares, given
from textae.search.request import SearchRequest

NAMED = "bread.knead_dough"
SYSTEMS = ("hybrid", "bm25")


def corpus() -> list[Document]:
    """Three topics; one document on kneading that hardly says the words of its name, and many that say them often."""
    others = [
        Document(f"{number}", f"{document.text} Knead the dough, the bread dough, and knead.", document.title)
        for number, document in enumerate(some_documents(24))
    ]
    return [*others, Document(NAMED, "Fold it over a hundred times until it is smooth and warm and springs back.")]


@pytest.fixture(scope="module", params=[0, 20])
def engine(request, tmp_path_factory) -> Engine:
    with Engine.create(tmp_path_factory.mktemp("named") / "index") as engine:
        engine.index(corpus(), model=TINY, train=QUICK, passage=request.param)
        yield engine


@pytest.mark.parametrize("mode", SYSTEMS)
@pytest.mark.parametrize("query", [NAMED, "knead_dough", "Knead dough", "bread knead dough"])
def test_a_document_is_found_by_its_name(engine, mode, query):
    hits = engine.search(query, mode=mode)
    assert hits[0].id == NAMED
    assert [hit.rank for hit in hits] == list(range(1, 11))
    assert sorted((hit.score for hit in hits), reverse=True) == [hit.score for hit in hits]


@pytest.mark.parametrize("mode", ["code", "bits", "tfidf", "lsa"])
def test_a_name_is_nothing_to_the_other_systems(engine, mode):
    [hit] = engine.search("knead dough", k=1, mode=mode)
    assert hit.id != NAMED


@pytest.mark.parametrize("mode", SYSTEMS)
def test_fewer_hits_are_the_first_of_more(engine, mode):
    all_hits = [hit.id for hit in engine.search("dough of bread", k=50, mode=mode)]
    assert len(all_hits) == len(set(all_hits)) == 25
    for k in (1, 2, 5, 20):
        assert [hit.id for hit in engine.search("dough of bread", k=k, mode=mode)] == all_hits[:k]


@pytest.mark.parametrize("mode", SYSTEMS)
@pytest.mark.parametrize("query", [NAMED, "knead some dough", "telescope"])
def test_the_parts_of_an_explanation_sum_to_the_score(engine, mode, query):
    hits = engine.search(query, mode=mode, explain=True)
    assert [hit.explanation.score for hit in hits] == pytest.approx([hit.score for hit in hits], rel=1e-5)
    assert [hit.id for hit in hits if hit.explanation.name] == [NAMED] * (query != "telescope")


@pytest.mark.parametrize("mode", SYSTEMS)
def test_a_filter_and_documents_that_hits_are_unlike_keep_a_name_out(engine, mode):
    assert NAMED not in {hit.id for hit in engine.search(NAMED, mode=mode, where="id:1*")}
    assert NAMED not in {hit.id for hit in engine.search(NAMED, mode=mode, unlike=[NAMED])}
    assert engine.search(NAMED, mode=mode, like=["3"])[0].id == NAMED


def test_of_two_documents_with_the_name_the_one_that_says_more_of_it_comes_first(tmp_path):
    twins = [Document("a.sail", "Wind."), Document("b.sail", "Sail in the wind, by sail."), *some_documents(20)]
    with Engine.create(tmp_path / "index") as engine:
        engine.index(twins, model=TINY, train=QUICK)
        assert [hit.id for hit in engine.search("sail", k=2)] == ["b.sail", "a.sail"]


def test_names_of_stop_words_and_of_words_that_no_document_says_are_found(tmp_path):
    documents = [*some_documents(20), Document("numpy.where", "Choose."), Document("4983", "Measure.")]
    with Engine.create(tmp_path / "index") as engine:
        engine.index(documents, language="english", model=TINY, train=QUICK)
        for mode in SYSTEMS:
            for query, id in (("where", "numpy.where"), ("4983", "4983"), ("Numpy where", "numpy.where")):
                result = engine.searcher.search(SearchRequest(query, mode=mode))
                assert [hit.id for hit in result] == [id]
                assert (result.unknown, result.only_stop_words) == ((), False)
            assert engine.searcher.search(SearchRequest("what is", mode=mode)).only_stop_words
            assert engine.searcher.search(SearchRequest("5983", mode=mode)).unknown == ("5983",)
        assert engine.searcher.search(SearchRequest("4983", mode="code")).unknown == ("4983",)


def test_names_of_added_documents_are_found_and_of_removed_ones_not(tmp_path):
    with Engine.create(tmp_path / "index") as engine:
        engine.index(corpus()[:20], model=TINY, train=QUICK)
        engine.add([Document("brand-new/Heißluft_Ballon.txt", "Up and away.", source="brand-new/Heißluft_Ballon.txt")])
        for query in ("Heißluft_Ballon.txt", "heissluft ballon", "brand new ballon"):
            assert engine.search(query)[0].id == "brand-new/Heißluft_Ballon.txt"
        engine.add(corpus()[20:])
        assert len(engine.snapshot.segments) > 1
        before = engine.search(NAMED)
        assert before[0].id == NAMED
        engine.remove([NAMED])
        assert [hit.id for hit in engine.search(NAMED)] == [hit.id for hit in engine.search(NAMED, k=11)][:10]
        assert engine.searcher.names(engine.searcher.text_query(NAMED)).numbers.tolist() == []


def test_the_name_gives_its_share_of_what_is_missing():
    shares = NameShares(np.array([2, 5]), np.array([0.5, 0.99]))
    assert shares.of(np.array([5, 3, 2, 9])).tolist() == [0.99, 0, 0.5, 0]
    assert NameShares(np.empty(0, np.int64), np.empty(0)).of(np.array([1])).tolist() == [0]
    assert given(np.array([2.0, 10.0, 12.0]), np.array([0.5, 0.99, 0.5]), 10).tolist() == [4, 0, 0]
