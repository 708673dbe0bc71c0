"""DataFrames in and out: rows become documents, and what an engine computes comes back as columns."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from shared import QUICK, TINY

from textae import Document, Engine, Query, Skipped, TextaeError, frames
from textae.errors import CorpusError, QueryError


def frame_of(documents: list[Document]) -> pd.DataFrame:
    rows = [{"id": one.id, "title": one.title, "text": one.text, **one.fields} for one in documents]
    return pd.DataFrame(rows)


class TestDocuments:
    def test_a_row_is_a_document_and_its_other_columns_are_fields(self) -> None:
        frame = pd.DataFrame({"id": ["a"], "title": ["T  U"], "text": ["red apple"], "year": [1901], "tag": ["x"]})
        assert list(frames.documents(frame)) == [Document("a", "red apple", "T U", {"year": 1901, "tag": "x"}, "0")]

    def test_without_a_column_of_ids_the_labels_are_the_ids(self) -> None:
        frame = pd.DataFrame({"text": ["a", "b"]}, index=[7, "own"])
        assert [one.id for one in frames.documents(frame)] == ["7", "own"]
        several = pd.MultiIndex.from_tuples([("x", 1), ("x", 2)])
        assert [one.id for one in frames.documents(frame.set_index(several))] == ["x/1", "x/2"]

    def test_columns_are_named(self) -> None:
        frame = pd.DataFrame({"key": [1, None], "heading": ["T", "U"], "note": ["a", "b"], "text": ["c", "d"]})
        first, second = frames.documents(frame, id="key", title="heading", text="note")
        assert first == Document("1", "a", "T", {"text": "c"}, "0")
        assert second.id == "row 1"  # and not 1, which another row may have

    def test_what_is_missing_is_no_field_and_no_text(self) -> None:
        frame = pd.DataFrame({
            "title": ["T", None, "U"],
            "text": ["a", float("nan"), None],
            "n": [1.5, 2.0, np.nan],
            "day": pd.to_datetime(["2020-01-01", None, None]),
            "whole": pd.array([1, None, None], dtype="Int64"),
            "kind": pd.Categorical(["x", "y", None]),
        })  # fmt: skip
        assert list(frames.documents(frame)) == [
            Document("0", "a", "T", {"n": 1.5, "day": "2020-01-01", "whole": 1, "kind": "x"}, "0"),
            Skipped("1", "empty"),
            Document("2", "", "U", {}, "2"),
        ]

    def test_values_are_what_json_can_hold(self) -> None:
        values = {
            "i": np.int16(3), "f": np.float32(1.5), "b": np.True_, "list": [np.int64(1), None], "array": np.arange(2),
            "dict": {"x": [1]}, "time": pd.Timestamp("2020-01-01 12:30"), "zone": pd.Timestamp("2020-01-01", tz="UTC"),
            "infinite": float("inf"), "surrogate": "\ud800", "period": pd.Period("2020-01"),
        }  # fmt: skip
        frame = pd.DataFrame(
            {"text": ["a"], **{name: pd.Series([value], dtype=object) for name, value in values.items()}}
        )
        (document,) = frames.documents(frame)
        assert document.fields == {
            "i": 3, "f": 1.5, "b": True, "list": [1, None], "array": [0, 1], "dict": {"x": [1]},
            "time": "2020-01-01T12:30:00", "zone": "2020-01-01T00:00:00+00:00", "surrogate": "\ufffd",
            "period": "2020-01",
        }  # fmt: skip
        assert {type(document.fields[name]) for name in ("i", "f", "b")} == {int, float, bool}

    @pytest.mark.parametrize(
        ("columns", "names", "message"),
        [
            (["a", "b"], {}, r"no column 'text' or 'body' .* its columns are: a, b"),
            (["text"], {"id": "key"}, "no column 'key'; its columns are: text"),
            (["text"], {"title": "T"}, "no column 'T'"),
            (["text", "x", "x"], {}, "two columns named 'x'"),
        ],
    )
    def test_columns_that_cannot_be_are_an_error_at_once(self, columns, names, message) -> None:
        with pytest.raises(CorpusError, match=message):
            frames.documents(pd.DataFrame([["a"] * len(columns)], columns=columns), **names)

    def test_the_frame_stays_as_it_was(self) -> None:
        frame = pd.DataFrame({"text": ["a", None], "n": [1, np.nan]})
        before = frame.copy()
        list(frames.documents(frame))
        pd.testing.assert_frame_equal(frame, before)


class TestIndex:
    def test_it_is_the_index_of_the_same_documents(self, tmp_path, documents) -> None:
        report = frames.index(frame_of(documents), tmp_path / "frame", model=TINY, train=QUICK)
        with Engine.create(tmp_path / "index") as engine:
            engine.index(documents, model=TINY, train=QUICK)
        assert (report.documents, report.skipped) == (60, {})
        with Engine.open(tmp_path / "frame") as one, Engine.open(tmp_path / "index") as other:
            for query in ("telescope and planet", "only17"):
                found, expected = ([replace(hit, source="") for hit in engine.search(query)] for engine in (one, other))
                assert found == expected

    def test_rows_with_the_same_id_are_counted(self, tmp_path) -> None:
        frame = pd.DataFrame({"id": ["a", "a", "b"], "text": ["red apple", "green apple", "blue sky"]})
        report = frames.index(frame, tmp_path / "index", model=TINY, train=QUICK)
        assert report.documents == 2
        assert sum(report.skipped.values()) == 1


class TestSearch:
    def test_rankings_are_those_of_the_engine(self, engine) -> None:
        queries = ["telescope and planet", "flour", "only17 ship"]
        ranked = frames.search(engine, queries, k=4, where="year:[1905 TO 1950]")
        assert ranked.columns.tolist() == ["qid", "docid", "rank", "score"]
        assert ranked.dtypes.tolist() == ["str", "str", np.int64, np.float64]
        for number, query in enumerate(queries, start=1):
            hits = engine.search(query, 4, where="year:[1905 TO 1950]")
            rows = ranked[ranked["qid"] == str(number)]
            assert rows["docid"].tolist() == [hit.id for hit in hits]
            assert rows["rank"].tolist() == [1, 2, 3, 4]
            assert rows["score"].to_numpy() == pytest.approx([hit.score for hit in hits])

    @pytest.mark.parametrize(
        "queries",
        [
            pd.DataFrame({"qid": ["x", "y"], "query": ["telescope", "flour"], "more": [1, 2]}),
            pd.DataFrame({"query_id": ["x", "y"], "text": ["telescope", "flour"]}),
            pd.Series(["telescope", "flour"], index=["x", "y"]),
        ],
    )
    def test_queries_bring_their_ids(self, engine, queries) -> None:
        ranked = frames.search(engine, queries, k=2, mode="bm25")
        assert ranked["qid"].tolist() == ["x", "x", "y", "y"]

    def test_ids_that_are_numbers_are_written_as_such(self, engine) -> None:
        queries = pd.DataFrame({"qid": [1.0, 2.0], "query": ["telescope", "flour"]})
        assert frames.search(engine, queries, k=1)["qid"].tolist() == ["1", "2"]

    def test_queries_without_a_hit_have_no_row_and_the_columns_stay(self, engine) -> None:
        nothing = frames.search(engine, ["qqqqq", ""], mode="bm25")
        assert len(nothing) == 0
        assert nothing.dtypes.tolist() == ["str", "str", np.int64, np.float64]

    @pytest.mark.parametrize(
        ("queries", "options", "message"),
        [
            ("telescope", {}, "got one string; put it in a list"),
            (["telescope", None], {}, "the query '2' is not a text: None"),
            (pd.Series(["a", "b"], index=[1, 1]), {}, "two queries have the same id"),
            (pd.DataFrame({"qid": [1]}), {}, "no column 'query' or 'text'"),
            (["telescope"], {"mode": "magic"}, "magic"),
            (["telescope"], {"where": "year:("}, "where"),
        ],
    )
    def test_what_cannot_be_searched_is_an_error(self, engine, queries, options, message) -> None:
        with pytest.raises(TextaeError, match=message):
            frames.search(engine, queries, **options)


class TestScoreboard:
    QUERIES = pd.DataFrame({"qid": ["s", "b"], "query": ["telescope planet", "flour oven"]})

    def test_figures_are_those_of_the_engine(self, engine) -> None:
        rows = [("s", "stars-0", 1), ("s", "stars-3", 2), ("b", "bread-1", 1), ("b", "ships-2", 0)]
        qrels = pd.DataFrame(rows, columns=["query_id", "doc_id", "relevance"])
        scores = frames.scoreboard(engine, self.QUERIES, qrels, ["bm25", "code"])
        board = engine.evaluate(
            [Query("s", "telescope planet"), Query("b", "flour oven")],
            {"s": {"stars-0": 1, "stars-3": 2}, "b": {"bread-1": 1, "ships-2": 0}},
            ["bm25", "code"],
        )
        assert len(scores) == len(board.figures) == 8
        for row, figure in zip(scores.to_dict("records"), board.figures, strict=True):
            assert (row["system"], row["metric"], row["value"]) == (figure.system, figure.metric, figure.value)
        assert scores.loc[scores["system"] == "bm25", "p"].isna().all()
        named = {
            query: dict(zip(some["doc_id"], some["relevance"], strict=True))
            for query, some in qrels.groupby("query_id")
        }
        pd.testing.assert_frame_equal(frames.scoreboard(engine, self.QUERIES, named, ["bm25", "code"]), scores)

    def test_what_search_gives_ir_measures_reads(self, engine) -> None:
        import ir_measures

        qrels = pd.DataFrame({"qid": ["s", "b"], "docid": ["stars-0", "bread-1"], "relevance": [1, 1]})
        names = {"qid": "query_id", "docid": "doc_id"}
        run = frames.search(engine, self.QUERIES, k=60, mode="bm25")
        figure = ir_measures.calc_aggregate([ir_measures.AP], qrels.rename(columns=names), run.rename(columns=names))
        scores = frames.scoreboard(engine, self.QUERIES, qrels, ["bm25"])
        assert scores.loc[scores["metric"] == "MAP", "value"].item() == pytest.approx(figure[ir_measures.AP], abs=0.05)

    def test_judgements_without_a_column_are_an_error(self, engine) -> None:
        with pytest.raises(CorpusError, match="no column 'relevance' or 'label' or 'grade'"):
            frames.scoreboard(engine, self.QUERIES, pd.DataFrame({"qid": ["s"], "docid": ["stars-0"]}))

    @pytest.mark.parametrize("grade", [0.5, float("nan"), "high", None])
    def test_a_judgement_is_a_whole_number(self, engine, grade) -> None:
        qrels = pd.DataFrame({"qid": ["s"], "docid": ["stars-0"], "relevance": pd.Series([grade], dtype=object)})
        with pytest.raises(TextaeError, match="expected a whole number as the judgement"):
            frames.scoreboard(engine, self.QUERIES, qrels, ["bm25"])


class TestTopics:
    def test_topics_and_their_numbers_by_year(self, mapped_folder) -> None:
        with Engine.open(mapped_folder) as engine:
            topics = frames.topics(engine)
            by_year = frames.topics_over_time(engine, "year")
            leaves = engine.topics().leaves
        assert topics.index.tolist() == [topic.id for topic in leaves] == by_year.columns.tolist()
        assert topics["documents"].tolist() == [topic.documents for topic in leaves]
        assert topics.loc[leaves[0].id, "words"] == leaves[0].words
        assert by_year.index.equals(pd.period_range("1900", "1959", freq="Y", name="year"))
        assert by_year.sum().tolist() == topics["documents"].tolist()
        assert by_year.rename(columns=topics["name"]).columns.tolist() == topics["name"].tolist()

    def test_a_field_without_dates_is_an_error(self, mapped_folder) -> None:
        with Engine.open(mapped_folder) as engine, pytest.raises(QueryError, match="does not date"):
            frames.topics_over_time(engine, "topic")


class TestCodes:
    def test_a_row_a_document_and_a_column_a_number(self, engine, documents) -> None:
        codes, bits = frames.codes(engine), frames.bits(engine)
        assert codes.index.tolist() == bits.index.tolist() == [document.id for document in documents]
        assert codes.shape == (60, engine.snapshot.codes.floats.shape[1])
        assert codes.to_numpy().dtype == np.float32
        assert np.array_equal(codes.to_numpy(), engine.snapshot.codes.floats)
        assert np.array_equal(np.packbits(bits.to_numpy(), axis=1), engine.snapshot.codes.bits)
        assert set(np.unique(bits)) == {0, 1}
