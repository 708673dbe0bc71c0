"""Codes in words: what documents, texts and codes say, what is drawn, and what stands on a plane of codes."""

import re

import numpy as np
import pytest
from shared import PLACES, QUICK, TOPICS, some_documents

from textae import Document, Engine, ModelSpec, TextaeError
from textae.encoding.layers import unit
from textae.errors import QueryError
from textae.explore.decode import decode_code, decode_documents, decode_text
from textae.explore.sampling import grid as decoded_grid
from textae.explore.sampling import sample as draw


@pytest.fixture(scope="module")
def narrow(documents, tmp_path_factory):
    """Give an index whose codes have room for the topics alone: with 118 numbers each document has its own."""
    with Engine.create(tmp_path_factory.mktemp("narrow") / "index") as engine:
        engine.index(documents, model=ModelSpec(dims=4, hidden=(16,)), train=QUICK)
        yield engine


@pytest.fixture
def on_a_plane(plane_folder):
    with Engine.open(plane_folder) as engine:
        yield engine


def said(decoded) -> list[str]:
    return [word.word for word in decoded.words]


def numbers(sample) -> np.ndarray:
    return np.array(sample.decoded.code.split(","), np.float32)


class TestDecode:
    def test_a_document_is_about_its_topic(self, narrow):
        for id in ("stars-0", "bread-1", "ships-2"):
            words = said(decode_documents(narrow.snapshot, [id], 5)[0])
            assert len(set(words) & set(TOPICS[id.split("-")[0]].split())) >= 4

    def test_a_code_with_room_for_it_tells_its_own_document(self, engine):
        for decoded, number in zip(
            decode_documents(engine.snapshot, ["stars-0", "bread-1", "ships-2"], 5), range(3), strict=True
        ):
            assert f"only{number}" in said(decoded)
            assert all(word.held for word in decoded.words)

    def test_it_is_marked_which_words_the_text_holds(self, narrow):
        held = {word.word: word.held for word in decode_text(narrow.snapshot, "a comet and the telescopes", 12).words}
        assert held.pop("comet") and held.pop("telescope")
        assert set(held.values()) == {False}

    def test_probability_and_lift_are_the_decoders(self, engine):
        snapshot = engine.snapshot
        shares = snapshot.decoder.words(snapshot.codes.floats[:1])[0]
        for word in decode_documents(engine.snapshot, ["stars-0"], 5)[0].words:
            number = snapshot.model.vectorizer.vocabulary.number(word.term)
            assert word.probability == pytest.approx(shares[number], rel=1e-5)
            assert word.lift == pytest.approx(shares[number] / snapshot.usual_words[number], rel=1e-5)

    def test_ranks_count_and_what_the_words_add_falls(self, engine):
        words = decode_documents(engine.snapshot, ["bread-1"], 10)[0].words
        added = [word.probability / word.lift * (word.lift - 1) ** 2 for word in words]
        assert [word.rank for word in words] == list(range(1, len(words) + 1))
        assert added == sorted(added, reverse=True)
        assert decode_documents(engine.snapshot, ["bread-1"], 3)[0].words == words[:3]

    def test_only_what_is_likelier_than_usual_is_named(self, engine):
        words = decode_documents(engine.snapshot, ["bread-1"], 10_000)[0].words
        assert 0 < len(words) < len(engine.snapshot.model.vectorizer.vocabulary)
        assert all(word.lift > 1 for word in words)

    def test_a_text_is_decoded_like_a_document(self, engine, documents):
        text = f"{documents[3].title}\n{documents[3].text}"
        of_text, of_document = (
            decode_text(engine.snapshot, text, 5),
            decode_documents(engine.snapshot, ["stars-3"], 5)[0],
        )
        assert {word.word for word in of_text.words} == set(said(of_document))
        probabilities = [[word.probability for word in decoded.words] for decoded in (of_text, of_document)]
        assert probabilities[0] == pytest.approx(probabilities[1], rel=0.01)  # one is of half precision

    def test_a_code_says_what_its_document_says(self, engine):
        decoded = decode_documents(engine.snapshot, ["ships-2"], 8)[0]
        of_code = decode_code(engine.snapshot, decoded.code, 8)
        assert len(decoded.code.split(",")) == engine.snapshot.model.encoder.dims
        assert (of_code.code, said(of_code)) == (decoded.code, said(decoded))
        assert decode_code(engine.snapshot, decoded.code.replace(",", " , "), 8) == of_code
        assert {word.held for word in of_code.words} == {None}

    def test_a_place_of_the_plane_says_what_stands_there(self, on_a_plane):
        assert (
            said(decode_code(on_a_plane.snapshot, decode_documents(on_a_plane.snapshot, ["ships-2"])[0].code, 1))[0]
            in TOPICS["ships"].split()
        )
        assert set(said(decode_code(on_a_plane.snapshot, "-1, 0", 12))) == set(TOPICS["stars"].split())

    def test_documents_come_in_the_order_asked(self, engine):
        assert decode_documents(engine.snapshot, ["ships-2", "stars-0"]) == [
            decode_documents(engine.snapshot, [id])[0] for id in ("ships-2", "stars-0")
        ]
        assert decode_documents(engine.snapshot, []) == []

    def test_stems_are_shown_as_they_are_written(self, tmp_path):
        texts = ["noisy signals", "NOISY signal", "a noisy signal", "the quiet sea", "quiet seas"] * 3
        with Engine.create(tmp_path / "index") as engine:
            engine.index((Document(str(n), text) for n, text in enumerate(texts)), language="english", train=QUICK)
            word_of = {word.term: word.word for word in decode_documents(engine.snapshot, ["0"], 99)[0].words}
        assert word_of["noisi"] == "noisy"
        assert word_of["signal"] == "signal"

    def test_without_a_language_words_are_shown_as_they_are(self, tmp_path):
        with Engine.create(tmp_path / "index") as engine:
            engine.index(some_documents(9), language=None, train=QUICK)
            assert all(word.word == word.term for word in decode_documents(engine.snapshot, ["stars-0"])[0].words)

    def test_a_document_of_which_the_encoder_knows_no_word(self, tmp_path):
        with Engine.create(tmp_path / "index") as engine:
            documents = [*some_documents(9), Document("odd", "zzzyzx")]
            engine.index(documents, train=QUICK, model=ModelSpec(inputs=5))
            with pytest.raises(QueryError, match="the encoder knows no word of the document 'odd'"):
                decode_documents(engine.snapshot, ["odd"])
            assert draw(engine.snapshot, 3).samples  # and it is not drawn from

    @pytest.mark.parametrize("text", ["", "zzzyzx", "the and of"])
    def test_a_text_of_which_the_encoder_knows_no_word(self, engine, text):
        with pytest.raises(QueryError, match="the encoder knows no word of the text"):
            decode_text(engine.snapshot, text)

    def test_what_is_no_id(self, engine):
        with pytest.raises(QueryError, match="no document has the id 'x12'; 'textae search' prints ids"):
            decode_documents(engine.snapshot, ["stars-0", "x12"])

    @pytest.mark.parametrize("k", [0, -1])
    def test_what_is_no_number_of_words(self, engine, k):
        for ask in (decode_text, decode_code):
            with pytest.raises(QueryError, match=f"the number of words must be at least 1, got {k}"):
                ask(
                    engine.snapshot,
                    "comet" if ask == decode_text else ",".join("0" * engine.snapshot.model.encoder.dims),
                    k,
                )

    @pytest.mark.parametrize(
        "code, says",
        [
            ("", "has 1 numbers, and those of this index have 2"),
            ("1", "has 1 numbers"),
            ("1,2,3", "has 3 numbers"),
            ("1,x", "'x' in the code is no number; give 2 between commas"),
            ("1,", "'' in the code is no number"),
            ("nan,1", "'nan' in the code is too large or no number"),
            ("1,-inf", "'-inf' in the code is too large or no number"),
            ("1e300,1", "'1e300' in the code is too large or no number; give at most 1,000,000"),
            ("9" * 5_000 + ",1", "in the code is too large"),
        ],
    )
    def test_what_is_no_code(self, on_a_plane, code, says):
        with pytest.raises(QueryError, match=re.escape(says)) as refused:
            decode_code(on_a_plane.snapshot, code)
        assert len(str(refused.value)) < 200


class TestSample:
    def test_the_seed_decides(self, engine):
        first = draw(engine.snapshot, 4, 5, seed=1)
        assert first == draw(engine.snapshot, 4, 5, seed=1)
        assert first != draw(engine.snapshot, 4, 5, seed=2)

    def test_the_nearest_document_is_the_nearest(self, engine):
        snapshot = engine.snapshot
        for sample in draw(engine.snapshot, 5, 3).samples:
            cosines = snapshot.codes.floats.astype(np.float32) @ numbers(sample)
            assert sample.distance == pytest.approx(1 - cosines.max(), abs=1e-3)
            assert sample.nearest == list(snapshot.ids.values())[cosines.argmax()]

    def test_a_sample_is_about_one_thing(self, narrow):
        shared = [
            max(len(set(said(sample.decoded)) & set(topic.split())) for topic in TOPICS.values())
            for sample in draw(narrow.snapshot, 30, 5).samples
        ]
        assert np.median(shared) >= 4

    def test_a_sample_is_as_near_to_a_document_as_documents_are_to_each_other(self, engine):
        drawn = draw(engine.snapshot, 30, 1)
        assert 0 < np.median([sample.distance for sample in drawn.samples]) < drawn.usual_distance

    def test_it_is_said_how_far_documents_are_from_each_other(self, engine):
        floats = unit(engine.snapshot.codes.floats.astype(np.float32))
        cosines = floats @ floats.T
        np.fill_diagonal(cosines, -1)
        assert draw(engine.snapshot, 1).usual_distance == pytest.approx(np.median(1 - cosines.max(axis=1)), abs=1e-5)

    def test_a_sample_has_unit_length_where_codes_have(self, engine):
        for sample in draw(engine.snapshot, 3).samples:
            assert np.linalg.norm(numbers(sample)) == pytest.approx(1, abs=1e-5)

    def test_on_a_plane_codes_are_drawn_where_documents_are(self, on_a_plane):
        codes = np.array([numbers(sample) for sample in draw(on_a_plane.snapshot, 200, 1, seed=3).samples])
        apart = np.linalg.norm(codes[:, None] - np.array(list(PLACES.values())), axis=2)  # documents: .14 at most
        assert apart.min(axis=1).max() < 0.6
        assert np.bincount(apart.argmin(axis=1)).min() > 50

    def test_what_cannot_be_drawn(self, engine):
        with pytest.raises(QueryError, match="the number of samples must be at least 1, got 0"):
            draw(engine.snapshot, 0)
        with pytest.raises(QueryError, match="the number of words must be at least 1, got 0"):
            draw(engine.snapshot, 1, 0)
        with pytest.raises(TextaeError, match="the seed must be from 0 to 4294967295"):
            draw(engine.snapshot, 1, seed=-1)

    def test_of_one_document(self, tmp_path):
        with Engine.create(tmp_path / "index") as engine:
            engine.index(some_documents(1), train=QUICK)
            drawn = draw(engine.snapshot, 2)
            assert [sample.nearest for sample in drawn.samples] == ["stars-0"] * 2
            assert [sample.distance for sample in drawn.samples] == pytest.approx([0, 0], abs=1e-6)
            assert drawn.usual_distance == 0


class TestGrid:
    def test_a_topic_stands_where_its_documents_are(self, on_a_plane):
        grid = decoded_grid(on_a_plane.snapshot, 3, 2)
        assert [(cell.row, cell.column) for cell in grid.cells] == [(r, c) for r in range(3) for c in range(3)]
        at = {(cell.row, cell.column): cell for cell in grid.cells}
        for topic, place in (("stars", (2, 0)), ("bread", (2, 2)), ("ships", (0, 1))):
            assert set(said(at[place].decoded)) <= set(TOPICS[topic].split())
            assert at[place].documents >= 15
        assert at[0, 0].documents == at[0, 2].documents == 0
        assert sum(cell.documents for cell in grid.cells) <= 60

    def test_its_edges_enclose_most_documents(self, on_a_plane):
        grid = decoded_grid(on_a_plane.snapshot, 5)
        assert len(grid.x) == len(grid.y) == 6
        assert (grid.x[0], grid.x[-1]) == pytest.approx((-1, 1), abs=0.15)
        assert (grid.y[0], grid.y[-1]) == pytest.approx((0, 1), abs=0.15)

    def test_more_numbers_are_no_plane(self, engine):
        with pytest.raises(QueryError, match=r"needs codes of 2 numbers, and those of this index have 118; 'textae"):
            decoded_grid(engine.snapshot)

    @pytest.mark.parametrize(
        "n, k, says",
        [(0, 3, "the number of rows must be at least 1, got 0"), (2, 0, "the number of words must be at least 1")],
    )
    def test_a_grid_of_nothing(self, on_a_plane, n, k, says):
        with pytest.raises(QueryError, match=says):
            decoded_grid(on_a_plane.snapshot, n, k)
