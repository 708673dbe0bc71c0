"""Questions made of documents, against sums that a reader can redo on paper; and on the shared index."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.config import SYSTEMS
from textae.encoding.bags import Bags
from textae.encoding.encoders import Encoder
from textae.evaluation.run import rank
from textae.search.feedback import ADDED, BETA, GAMMA, OWN, like_these, rm3, with_feedback
from textae.search.query import QueryVector
from textae.search.second_look import BLIND, SEEN, moved, second_look
from textae.types import Query

CODES = [system for system in SYSTEMS if system not in ("bm25", "tfidf", "hybrid")]


def bags(*rows: dict[int, int]) -> Bags:
    terms = [term for row in rows for term in sorted(row)]
    counts = [row[term] for row in rows for term in sorted(row)]
    return Bags(np.cumsum([0, *map(len, rows)]), np.array(terms, np.int32), np.array(counts, np.uint16))


def weights(query: QueryVector) -> dict[int, float]:
    return dict(zip(query.terms.tolist(), query.weights.tolist(), strict=True))


NONE = bags()


class TestByHand:
    def test_like_one_document_is_the_document(self) -> None:
        query = like_these(bags({1: 2, 4: 1}))
        assert weights(query) == {1: 2, 4: 1}
        assert query.text_weights.tolist() == [1]

    def test_like_two_documents_is_their_mean(self) -> None:
        query = like_these(bags({1: 2, 4: 1}, {4: 3}))
        assert weights(query) == {1: 1, 4: 2}
        assert query.text_weights.tolist() == [0.5, 0.5]
        assert len(query.texts) == 2

    def test_liked_documents_bring_their_words(self) -> None:
        """Of idf 1 and 3 the words of the liked one are worth 1 and 3, and get BETA of the query's 2 in all."""
        asked = QueryVector.of(bags({0: 2}))
        query = with_feedback(asked, bags({0: 1, 5: 1}), NONE, np.float32([1, 3]))
        assert weights(query) == pytest.approx({0: 2 + BETA * 2 / 4, 5: BETA * 2 * 3 / 4})
        assert query.text_weights == pytest.approx([1, BETA])

    def test_the_texts_weigh_as_rocchio_has_it(self) -> None:
        asked = QueryVector.of(bags({0: 1}))
        query = with_feedback(asked, bags({1: 1}, {2: 1}), bags({3: 1}, {4: 1}, {5: 1}), np.float32([1, 1]))
        assert query.text_weights == pytest.approx([1, BETA / 2, BETA / 2, *[-GAMMA / 3] * 3])
        assert query.texts.terms.tolist() == [0, 1, 2, 3, 4, 5]

    def test_what_is_not_liked_changes_no_keyword(self) -> None:
        asked = QueryVector.of(bags({0: 2, 3: 1}))
        assert weights(with_feedback(asked, NONE, bags({0: 1, 7: 1}), np.float32([]))) == weights(asked)

    def test_of_many_words_the_most_telling_are_added(self) -> None:
        liked = bags(dict.fromkeys(range(100), 1))
        query = with_feedback(QueryVector.of(bags({200: 1})), liked, NONE, np.arange(1, 101, dtype=np.float32))
        assert query.terms.tolist() == [*range(100 - ADDED, 100), 200]

    def test_a_query_of_unknown_words_takes_those_of_what_is_liked(self) -> None:
        query = with_feedback(QueryVector.of(bags({})), bags({1: 1}), NONE, np.float32([5]))
        assert weights(query) == pytest.approx({1: BETA})

    def test_a_liked_document_without_words_adds_none(self) -> None:
        asked = QueryVector.of(bags({1: 1}))
        assert weights(with_feedback(asked, bags({}), NONE, np.float32([]))) == {1: 1}


ROW = st.dictionaries(st.integers(0, 60), st.integers(1, 9), max_size=40)


@given(ROW, st.lists(ROW, max_size=3), st.lists(ROW, max_size=3), st.integers(0, 2**32 - 1))
def test_it_is_a_question(query, like, unlike, seed) -> None:
    asked, liked = QueryVector.of(bags(query)), bags(*like)
    idf = np.random.default_rng(seed).uniform(0.1, 9, 61).astype(np.float32)
    query_vector = with_feedback(asked, liked, bags(*unlike), idf[liked.terms])
    assert (np.diff(query_vector.terms) > 0).all() and (query_vector.weights > 0).all()
    assert all(weights(query_vector)[term] >= count * (1 - 1e-6) for term, count in query.items())
    assert len(query_vector.terms) <= len(query) + ADDED
    added = float(query_vector.weights.sum() - asked.weights.sum())
    assert added == pytest.approx(BETA * max(1, sum(query.values())) if any(like) else 0, rel=1e-4, abs=1e-4)
    assert len(query_vector.texts) == len(query_vector.text_weights) == 1 + len(like) + len(unlike)


class TestSecondLook:
    def test_the_code_moves_towards_the_hits_by_their_scores(self) -> None:
        """Codes of any length count alike; the text itself has the code (1, 0)."""
        encoder = Encoder.lsa(np.eye(2, 8, dtype=np.float32), np.ones(2, np.float32))
        query = moved(
            QueryVector.of(bags({0: 3})), np.float16([[0, 4] + [0] * 6, [2] + [0] * 7]), np.float32([0.6, 0.2])
        )
        expected = np.array([1 + BLIND / 4, BLIND * 3 / 4] + [0] * 6)
        assert query.codes(encoder).floats[0] == pytest.approx(expected / np.linalg.norm(expected))
        assert weights(query) == {0: 3}

    def test_it_is_what_search_does_and_evaluation_too(self, engine) -> None:
        searcher, text = engine.searcher, "comet bread"
        once = engine.search(text, 30, feedback=False)
        numbers = [engine.snapshot.number(hit.id) for hit in once[:SEEN]]
        codes = engine.snapshot.documents.floats.take(engine.snapshot.documents.rows_of(np.array(numbers)))
        scores = np.float32([hit.score for hit in once])
        assert searcher.rank(searcher.text_query(text), 30, "hybrid").scores.tolist() == scores.tolist()
        twice = searcher.rank(moved(searcher.text_query(text), codes, scores[:SEEN]), 30, "hybrid").scores.tolist()
        assert twice != [hit.score for hit in once]
        assert twice == [hit.score for hit in engine.search(text, 30)]
        for feedback, scores in ((True, twice), (False, [hit.score for hit in once])):
            (ranking,) = rank(searcher, [Query("1", text)], 30, "hybrid", feedback=feedback)
            assert list(ranking.scores) == scores

    def test_hits_that_a_filter_excludes_are_not_looked_at(self, engine) -> None:
        documents = engine.snapshot.documents
        only = engine.search("comet bread", 30, where="topic:bread", feedback=False)
        rows = documents.rows_of(np.array([engine.snapshot.number(hit.id) for hit in only[:SEEN]]))
        mask = engine.searcher.conditions("topic:bread", None).mask(engine.snapshot, "document")
        query = second_look(engine.searcher, engine.searcher.text_query("comet bread"), "hybrid", mask)
        scores = np.float32([hit.score for hit in only[:SEEN]])
        assert query.toward == pytest.approx(moved(query, documents.floats.take(rows), scores).toward)

    @pytest.mark.parametrize("mode", [mode for mode in SYSTEMS if mode != "hybrid"])
    def test_other_systems_look_once(self, engine, mode) -> None:
        query = engine.searcher.text_query("comet")
        assert second_look(engine.searcher, query, mode) is query
        assert second_look(engine.searcher, query, mode, feedback=mode != "bm25") is query

    def test_words_of_hits_are_added_by_hand(self) -> None:
        """Scores of 3 and 1: term 1 has 3 · 2/4 + 1/2 = 2, term 4 has 3 · 2/4 = 1.5, term 5 has 1/2; of 4 in all."""
        query = rm3(QueryVector.of(bags({0: 1, 1: 1})), bags({1: 2, 4: 2}, {1: 1, 5: 1}), np.float32([3, 1]))
        added = 2 * (1 - OWN) / 4
        assert weights(query) == pytest.approx({0: OWN, 1: OWN + 2 * added, 4: 1.5 * added, 5: 0.5 * added})
        assert query.texts.terms.tolist() == [0, 1]

    def test_bm25_looks_twice_where_that_is_asked(self, engine) -> None:
        once, twice = (engine.search("comet", 60, "bm25", feedback=feedback) for feedback in (None, True))
        assert {hit.id for hit in once} < {hit.id for hit in twice}
        assert once == engine.search("comet", 60, "bm25", feedback=False)
        assert engine.search("zzzunknown", 9, "bm25", feedback=True) == []

    def test_who_was_given_feedback_is_not_given_more(self, engine) -> None:
        found = [engine.search("comet", 9, like=["ships-2"], feedback=feedback) for feedback in (True, False)]
        assert found[0] == found[1]

    def test_a_query_without_a_code_looks_once(self, engine) -> None:
        assert engine.search("zzzzunknown", feedback=True) == engine.search("zzzzunknown", feedback=False)

    def test_the_explanation_sums_to_the_score(self, engine) -> None:
        for hit in engine.search("comet bread telescope", 10, explain=True):
            reason = hit.explanation
            parts = [share.share for share in (*reason.keywords, *reason.codes)]
            assert sum(parts) + reason.together + reason.name == pytest.approx(hit.score, rel=1e-4)


class TestSearches:
    @pytest.mark.parametrize("mode", SYSTEMS)
    def test_like_a_ship_finds_ships_though_the_query_says_stars(self, engine, mode) -> None:
        plain = engine.search("comet", 30, mode)
        found = engine.search("comet", 30, mode, like=["ships-2", "ships-5", "ships-8"])
        topics = [[hit.fields["topic"] for hit in hits] for hits in (plain, found)]
        assert topics[1].count("ships") > topics[0].count("ships")
        assert not {"ships-2", "ships-5", "ships-8"} & {hit.id for hit in found}

    @pytest.mark.parametrize("mode", CODES)
    def test_unlike_ships_finds_fewer_of_them(self, engine, mode) -> None:
        said = "comet telescope anchor harbour"
        plain = engine.search(said, 20, mode)
        found = engine.search(said, 20, mode, unlike=["ships-2", "ships-5", "ships-8", "ships-11"])
        counts = [sum(hit.fields["topic"] == "ships" for hit in hits) for hits in (plain, found)]
        assert counts[1] < counts[0]

    @pytest.mark.parametrize("mode", SYSTEMS)
    def test_like_several_documents_is_about_all_of_them(self, engine, mode) -> None:
        found = engine.similar(["stars-0", "bread-1"], 16, mode)
        assert {hit.fields["topic"] for hit in found} == {"stars", "bread"}
        assert not {"stars-0", "bread-1"} & {hit.id for hit in found}

    def test_the_order_of_ids_changes_nothing(self, engine) -> None:
        one, other = (engine.similar(ids, 20, "bm25") for ids in (["stars-0", "bread-1"], ["bread-1", "stars-0"]))
        assert [(hit.id, hit.score) for hit in one] == [(hit.id, hit.score) for hit in other]

    def test_unlike_a_document_in_similar(self, engine) -> None:
        found = engine.similar(["stars-0", "bread-1"], 20, "code", unlike=["bread-4"])
        assert "bread-4" not in {hit.id for hit in found}
        assert found[0].fields["topic"] == "stars"
