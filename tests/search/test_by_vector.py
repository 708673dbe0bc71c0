"""Searches by the vectors of documents and queries that a model of the user's gives."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared import QUICK, TINY, TOPICS, some_documents

from textae import Document, Engine, Query
from textae.errors import CorpusTypeError, QueryError, TextaeError
from textae.evaluation.run import by_labels, with_vectors
from textae.search.request import SearchRequest
from textae.search.retrievers import LONG, WEIGHT, Hybrid
from textae.types import Hit

DOCUMENTS = some_documents(45)
RNG = np.random.default_rng(3)
TOPIC = {topic: RNG.standard_normal(24) for topic in TOPICS}
VECTORS = {one.id: TOPIC[one.id.split("-")[0]] + 0.8 * RNG.standard_normal(24) for one in DOCUMENTS}
WITHOUT = ("bread-1", "ships-2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors") / "index"
    given = {id: vector for id, vector in VECTORS.items() if id not in WITHOUT}
    with Engine.create(folder) as engine:
        engine.index(DOCUMENTS, vectors=given, model=TINY, train=QUICK)
    return folder


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    with Engine.open(folder) as opened:
        yield opened


def ranked(hits: list[Hit]) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in hits]


def cosines(query: np.ndarray) -> dict[str, float]:
    lengths = {id: np.linalg.norm(vector) * np.linalg.norm(query) for id, vector in VECTORS.items()}
    return {id: float(VECTORS[id] @ query / lengths[id]) for id in VECTORS if id not in WITHOUT}


class TestAlone:
    def test_the_score_is_the_cosine(self, engine: Engine) -> None:
        expected = {id: cosine for id, cosine in cosines(TOPIC["bread"]).items() if cosine > 0}
        hits = engine.search("anything at all", 45, "vector", vector=7 * TOPIC["bread"])
        assert [hit.id for hit in hits] == sorted(expected, key=lambda id: -expected[id])
        assert [hit.score for hit in hits] == pytest.approx(sorted(expected.values(), reverse=True), abs=1e-3)

    def test_a_query_needs_one(self, engine: Engine) -> None:
        with pytest.raises(QueryError, match="the system 'vector' needs the vector of the query"):
            engine.search("storm", mode="vector")

    def test_words_have_no_say_and_are_not_missed(self, engine: Engine) -> None:
        result = engine.searcher.search(SearchRequest("xyzzy", mode="vector", vector=TOPIC["bread"], suggest=3))
        assert (result.unknown, result.suggestions) == ((), {})

    def test_a_query_may_be_nothing_else(self, engine: Engine) -> None:
        by_vector = engine.search("", 5, "vector", vector=TOPIC["ships"])
        fused = engine.search("", 5, vector=TOPIC["ships"])
        assert [hit.id for hit in fused] == [hit.id for hit in by_vector]
        assert all(0 < hit.score <= 1 for hit in fused)

    def test_filters_hold(self, engine: Engine) -> None:
        hits = engine.search("", 50, "vector", vector=TOPIC["ships"] + TOPIC["stars"], where="topic:stars")
        assert {hit.id.split("-")[0] for hit in hits} == {"stars"}

    def test_pictures_have_no_such_system(self, pictures_folder: Path) -> None:
        with (
            Engine.open(pictures_folder) as engine,
            pytest.raises(TextaeError, match="no system 'vector' for pictures"),
        ):
            engine.similar("across-0", mode="vector")


class TestFused:
    def test_the_score_is_the_sum_that_is_written(self, engine: Engine) -> None:
        """(bm25 / most · bm25 / best + w · max(0, code) + v · max(0, (vector - μ) / (1 - μ))) / (1 + w + v)."""
        searcher = engine.searcher
        fused = searcher.retriever("hybrid", "document")
        assert isinstance(fused, Hybrid)
        assert fused.vectors is not None
        query = searcher.text_query("storm anchor", TOPIC["bread"])
        rows = np.arange(len(DOCUMENTS))
        w, v = WEIGHT + 2 / LONG, fused.vector_weight
        of_words = fused.keywords.scores(query, rows)
        of_words = of_words / fused.keywords.most(query) * of_words / of_words.max()
        of_codes = w * np.maximum(fused.codes.scores(query, rows), 0)
        every = cosines(TOPIC["bread"])
        mean = np.mean(list(every.values()))
        assert fused.vectors.usual(query) == pytest.approx(mean, abs=1e-3)
        own = np.array([every.get(one.id, 0.0) for one in DOCUMENTS])
        of_vectors = v * np.maximum(own - mean, 0) / (1 - mean) * np.isin([one.id for one in DOCUMENTS], list(every))
        assert fused.scores(query, rows) == pytest.approx((of_words + of_codes + of_vectors) / (1 + w + v), abs=2e-3)
        assert engine.snapshot.reader.settings["vector_weight"] == v > 0

    def test_a_query_without_one_ranks_as_in_an_index_without(self, folder: Path, tmp_path: Path) -> None:
        with Engine.create(tmp_path / "index") as plain, Engine.open(folder) as engine:
            plain.index(DOCUMENTS, model=TINY, train=QUICK)
            for text in ("storm anchor", "dough of only7", "telescope"):
                for k in (3, 45):
                    assert ranked(engine.search(text, k)) == ranked(plain.search(text, k))
            assert engine.searcher.search(SearchRequest("storm")).without_vector
            assert not plain.searcher.search(SearchRequest("storm")).without_vector
            assert not engine.searcher.search(SearchRequest("storm", vector=TOPIC["bread"])).without_vector
            assert not engine.searcher.search(SearchRequest("storm", mode="bm25")).without_vector

    def test_an_index_of_bits_alone_keeps_vectors_too(self, tmp_path: Path) -> None:
        with Engine.create(tmp_path / "index") as engine:
            vectors = {id: vector for id, vector in VECTORS.items() if id not in WITHOUT}
            engine.index(DOCUMENTS, vectors=vectors, model=replace(TINY, codes="bits"), train=QUICK)
            assert engine.search("", 1, "vector", vector=VECTORS["bread-4"])[0].id == "bread-4"
            assert engine.search("xyzzy", 1, vector=VECTORS["bread-4"])[0].id == "bread-4"

    def test_it_finds_what_no_word_and_no_code_does(self, engine: Engine) -> None:
        assert engine.search("xyzzy") == []
        assert engine.search("xyzzy", 1, vector=VECTORS["bread-4"])[0].id == "bread-4"

    def test_a_document_without_one_is_found_by_its_words(self, engine: Engine) -> None:
        assert engine.search("only1", 1, vector=TOPIC["bread"])[0].id == "bread-1"

    def test_a_model_that_finds_all_texts_alike_hides_no_document_without_a_vector(self, tmp_path: Path) -> None:
        near = {id: vector / np.linalg.norm(vector) + 1 for id, vector in VECTORS.items() if id not in WITHOUT}
        bread = TOPIC["bread"] / np.linalg.norm(TOPIC["bread"]) + 1
        with Engine.create(tmp_path / "index") as engine:
            engine.index(DOCUMENTS, vectors=near, model=TINY, train=QUICK)
            assert min(hit.score for hit in engine.search("", 43, "vector", vector=bread)) > 0.8
            assert engine.search("only1", 1, vector=bread)[0].id == "bread-1"
            scores = [hit.score for hit in engine.search("storm", 45, vector=bread)]
            assert min(scores) < 0.1

    def test_scores_of_many_documents_are_those_of_few(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        every = ranked(engine.search("storm bread", 45, vector=TOPIC["stars"]))
        monkeypatch.setattr("textae.search.retrievers.POOL", 20)
        monkeypatch.setattr("textae.search.searcher.PAGES", 5)
        with Engine.open(engine.folder) as again:
            assert ranked(again.search("storm bread", 5, vector=TOPIC["stars"])) == every[:5]

    @pytest.mark.parametrize("mode", ["hybrid", "vector"])
    def test_an_explanation_sums_to_the_score(self, mode: str, engine: Engine) -> None:
        hits = engine.search("storm anchor of only2", 20, mode, vector=TOPIC["bread"], explain=True)
        for hit in hits:
            assert hit.explanation is not None
            assert hit.explanation.score == pytest.approx(hit.score, abs=1e-5)
        gives = {hit.id: hit.explanation.vectors for hit in hits if hit.explanation}
        assert max(gives, key=lambda id: gives[id]).startswith("bread")
        assert gives.get("ships-2", 0) == 0


class TestQueries:
    @pytest.mark.parametrize(
        ("vector", "told"),
        [
            ([1.0] * 23, "the vector of the query has 23 numbers, and those of the documents have 24; take the same"),
            ([0.0] * 24, "the query has a vector of zeros"),
            ([float("nan")] * 24, "the query has a vector not finite"),
            (["a"] * 24, "the query has a vector not a list of numbers"),
            ([[1.0] * 24], "the query has a vector not a list of numbers"),
            ("storm", "the query has a vector not a list of numbers"),
        ],
    )
    def test_one_that_is_wrong_is_refused(self, vector: Any, told: str, engine: Engine) -> None:
        with pytest.raises(QueryError, match=told):
            engine.search("storm", vector=vector)

    def test_many_have_one_each(self, engine: Engine) -> None:
        queries = [Query("a", "xyzzy"), Query("b", "xyzzy")]
        qrels = {"a": {"bread-4": 1}, "b": {"stars-3": 1}}
        rows = [VECTORS["bread-4"], VECTORS["stars-3"]]
        for vectors in (rows, np.array(rows), lambda texts: rows):
            board = engine.evaluate(with_vectors(queries, vectors), qrels)
            scores = {one.system: one.value for one in board.figures if one.metric == "nDCG@10"}
            assert list(scores)[-1] == "vector"
            assert (scores["vector"], scores["hybrid"], scores["bm25"]) == (1, 1, 0)
        assert "vector" not in {one.system for one in engine.evaluate(queries, qrels).figures}
        with pytest.raises(CorpusTypeError, match="gave 1 rows for 2 texts"):
            with_vectors(queries, rows[:1])


class TestFunctions:
    """A function from texts to vectors, in the place of a vector."""

    def test_it_gives_the_vector_of_the_query(self, engine: Engine) -> None:
        seen = []

        def embed(texts: list[str]) -> list[Any]:
            seen.append(texts)
            return [TOPIC["bread"] for _ in texts]

        for mode in ("vector", None):
            by_array = engine.search("storm", 9, mode, vector=TOPIC["bread"])
            assert ranked(engine.search("storm", 9, mode, vector=embed)) == ranked(by_array)
        assert seen == [["storm"]] * 2

    def test_it_is_called_where_system_and_index_read_vectors(self, engine: Engine, index_folder: Path) -> None:
        def never(texts: list[str]) -> list[Any]:
            raise AssertionError(texts)

        assert ranked(engine.search("storm", 9, "bm25", vector=never)) == ranked(engine.search("storm", 9, "bm25"))
        assert engine.searcher.search(SearchRequest(where="topic:stars", vector=never)).n_matching == 15
        with Engine.open(index_folder) as plain:
            assert ranked(plain.search("storm", vector=never)) == ranked(plain.search("storm"))

    def test_words_are_needed(self, engine: Engine) -> None:
        with pytest.raises(QueryError, match="the query is empty"):
            engine.search(" ", vector=lambda texts: [TOPIC["bread"]])

    @pytest.mark.parametrize(
        ("given", "error"),
        [([], "gave 0 rows for 1 texts"), ([[1.0]], "has 1 numbers, and those of the documents have 24")],
    )
    def test_what_it_gives_is_checked(self, given: list[Any], error: str, engine: Engine) -> None:
        with pytest.raises((CorpusTypeError, QueryError), match=error):
            engine.search("storm", vector=lambda texts: given)

    def test_no_vector_is_none(self, engine: Engine) -> None:
        assert ranked(engine.search("storm", vector=lambda texts: [None])) == ranked(engine.search("storm"))

    def test_similar_asks_for_the_documents_that_have_none(self, engine: Engine) -> None:
        texts: list[str] = []

        def embed(some: list[str]) -> list[Any]:
            texts.extend(some)
            return [VECTORS["bread-1"] for _ in some]

        found = engine.similar(["stars-0", "bread-1"], 9, "vector", vector=embed)
        units = [VECTORS[id] / np.linalg.norm(VECTORS[id]) for id in ("stars-0", "bread-1")]
        expected = cosines(units[0] + units[1])
        assert [hit.score for hit in found] == pytest.approx([expected[hit.id] for hit in found], abs=2e-3)
        assert [text.split()[-1] for text in texts] == ["only1."]

    def test_an_engine_may_have_one_for_all_its_queries(self, folder: Path) -> None:
        with Engine(folder, lambda texts: [TOPIC["bread"] for _ in texts]) as engine:
            by_array = engine.search("storm", 60, vector=TOPIC["bread"])
            assert ranked(engine.search("storm", 60)) == ranked(by_array)
            by_another = engine.search("storm", 60, vector=TOPIC["stars"])
            assert ranked(by_another) != ranked(by_array)
            assert len(engine.similar("bread-1", mode="vector")) == 10

    def test_evaluation_takes_it(self, engine: Engine) -> None:
        queries, qrels = [Query("a", "xyzzy")], {"a": {"bread-4": 1}}
        board = engine.evaluate(queries, qrels, ["hybrid", "vector"], vectors=lambda texts: [VECTORS["bread-4"]])
        assert {(one.system, one.value) for one in board.figures if one.metric == "nDCG@10"} == {
            ("hybrid", 1), ("vector", 1),
        }  # fmt: skip


class TestLabels:
    """Documents that ask by their own vectors: those with the same label are relevant."""

    def test_documents_of_the_index_ask_with_their_own(self, engine: Engine) -> None:
        board = by_labels(engine.searcher, "topic", None, None, 5, None, 1, curve=True)
        scores = {one.system: one.value for one in board.figures if one.metric == "P@5"}
        assert list(scores)[-1] == "vector"
        vectors = np.array([VECTORS[one.id] / np.linalg.norm(VECTORS[one.id]) for one in DOCUMENTS])
        apart = vectors @ vectors.T
        np.fill_diagonal(apart, -np.inf)
        lacking = [i for i, one in enumerate(DOCUMENTS) if one.id in WITHOUT]
        apart[:, lacking] = 0
        topics = np.array([str(one.fields["topic"]) for one in DOCUMENTS])
        near = np.argsort(-apart, axis=1)[:, :5]
        precision = (topics[near] == topics[:, None]).mean(axis=1)
        precision[lacking] = 0  # who has none finds nothing
        assert scores["vector"] == pytest.approx(precision.mean(), abs=1e-6)
        assert board.curves.keys() == scores.keys()

    def test_documents_from_elsewhere_ask_with_what_they_have(self, engine: Engine) -> None:
        asked = [Document("x", "xyzzy", fields={"topic": "bread"}, vector=TOPIC["bread"])]
        board = by_labels(engine.searcher, "topic", asked, ["bm25", "vector"], 5, None, 1, curve=False)
        assert [one.value for one in board.figures if one.system == "vector"] == [1.0]
        with pytest.raises(QueryError, match="the system 'vector' needs the vector of the query"):
            by_labels(engine.searcher, "topic", DOCUMENTS[:3], ["vector"], 5, None, 1, curve=False)


class TestSimilar:
    def test_it_is_by_the_document_s_own(self, engine: Engine) -> None:
        expected = cosines(VECTORS["stars-0"])
        hits = engine.similar("stars-0", 5, "vector")
        assert [hit.score for hit in hits] == pytest.approx(sorted(expected.values(), reverse=True)[1:6], abs=1e-3)
        assert [hit.score for hit in hits] == pytest.approx([expected[hit.id] for hit in hits], abs=1e-3)

    def test_several_are_their_mean_less_what_is_unlike(self, engine: Engine) -> None:
        def unit(id: str) -> np.ndarray:
            return np.asarray(VECTORS[id] / np.linalg.norm(VECTORS[id]))

        wanted = (unit("stars-0") + unit("ships-5")) / 2 - 0.25 * unit("ships-8")
        expected = cosines(wanted)
        hits = engine.similar(["stars-0", "ships-5"], 5, "vector", unlike=["ships-8"])
        assert [hit.score for hit in hits] == pytest.approx([expected[hit.id] for hit in hits], abs=1e-3)

    def test_a_document_without_one_is_compared_by_words_and_code(self, engine: Engine) -> None:
        assert {hit.id.split("-")[0] for hit in engine.similar("bread-1", 5)} == {"bread"}
        assert engine.searcher.search(SearchRequest(like=["bread-1"])).without_vector
        with pytest.raises(QueryError, match="needs the vector"):
            engine.similar("bread-1", mode="vector")

    def test_feedback_moves_the_vector_of_a_query(self, engine: Engine) -> None:
        bread = TOPIC["bread"] / np.linalg.norm(TOPIC["bread"])
        stars = VECTORS["stars-0"] / np.linalg.norm(VECTORS["stars-0"])
        expected = cosines(bread + 0.75 * stars)
        for text in ("x", ""):
            hits = engine.search(text, 9, "vector", vector=TOPIC["bread"], like=["stars-0"])
            assert [hit.score for hit in hits] == pytest.approx([expected[hit.id] for hit in hits], abs=1e-3)
            assert "stars-0" not in {hit.id for hit in hits}

    def test_feedback_on_a_query_without_one_leaves_it_without(self, engine: Engine) -> None:
        assert engine.searcher.search(SearchRequest("storm", like=["stars-0"])).without_vector


def test_rows_that_were_removed_are_no_hits(folder: Path, tmp_path: Path) -> None:
    with Engine.open(shutil.copytree(folder, tmp_path / "index")) as engine:
        engine.remove(["bread-4", "bread-7"])
        found = {hit.id for hit in engine.search("", 45, "vector", vector=VECTORS["bread-4"])}
        assert found
        assert not found & {"bread-4", "bread-7"}
