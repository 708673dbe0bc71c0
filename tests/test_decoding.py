"""Codes in words: what documents, texts and codes say, what is drawn, and what stands on a plane of codes."""

import re

import numpy as np
import pytest
from shared import PLACES, QUICK, TOPICS, some_documents

from textae import Document, Engine, ModelSpec, TextaeError
from textae.encoder import Codes
from textae.errors import QueryError


@pytest.fixture
def on_a_plane(plane_folder):
    with Engine.open(plane_folder) as engine:
        yield engine


def said(decoded) -> list[str]:
    return [word.word for word in decoded.words]


class TestDecode:
    def test_a_document_is_about_its_topic(self, engine):
        for id in ("stars-0", "bread-1", "ships-2"):
            words = said(engine.decode([id], 5)[0])
            assert len(set(words) & set(TOPICS[id.split("-")[0]].split())) >= 3

    def test_it_is_marked_which_words_the_text_holds(self, engine):
        held = {word.word: word.held for word in engine.decode_text("a comet and the telescopes", 8).words}
        assert held.pop("comet") and held.pop("telescope")
        assert set(held.values()) == {False}

    def test_probability_and_lift_are_the_decoders(self, engine):
        opened = engine.opened
        code = Codes(opened.codes.known[:1], opened.codes.floats[:1], opened.codes.bits[:1])
        shares = opened.decoder.words(opened.decoder.read(code))[0]
        for word in engine.decode(["stars-0"], 5)[0].words:
            number = opened.vectorizer.vocabulary.number(word.term)
            assert word.probability == pytest.approx(shares[number], rel=1e-5)
            assert word.lift == pytest.approx(shares[number] / opened.usual_words[number], rel=1e-5)

    def test_ranks_count_and_what_the_words_add_falls(self, engine):
        words = engine.decode(["bread-1"], 10)[0].words
        added = [word.probability / word.lift * (word.lift - 1) ** 2 for word in words]
        assert [word.rank for word in words] == list(range(1, len(words) + 1))
        assert added == sorted(added, reverse=True)
        assert engine.decode(["bread-1"], 3)[0].words == words[:3]

    def test_only_what_is_likelier_than_usual_is_named(self, engine):
        words = engine.decode(["bread-1"], 10_000)[0].words
        assert 0 < len(words) < len(engine.opened.idf)
        assert all(word.lift > 1 for word in words)

    def test_a_text_is_decoded_like_a_document(self, engine, documents):
        text = f"{documents[3].title}\n{documents[3].text}"
        assert engine.decode_text(text) == engine.decode(["stars-3"])[0]

    def test_a_code_says_what_its_document_says(self, engine):
        decoded = engine.decode(["ships-2"], 8)[0]
        of_code = engine.decode_code(decoded.code, 8)
        assert re.fullmatch(r"[0-9a-f]{64}", decoded.code)
        assert (of_code.code, said(of_code)) == (decoded.code, said(decoded))
        assert engine.decode_code(decoded.code.upper(), 8) == of_code
        assert {word.held for word in of_code.words} == {None}

    def test_a_code_of_floats_says_what_its_document_says(self, on_a_plane):
        decoded = on_a_plane.decode(["ships-2"], 8)[0]
        assert len(decoded.code.split(",")) == 2
        assert said(on_a_plane.decode_code(decoded.code, 8)) == said(decoded)
        assert set(said(on_a_plane.decode_code("-1, 0", 12))) == set(TOPICS["stars"].split())

    def test_documents_come_in_the_order_asked(self, engine):
        assert engine.decode(["ships-2", "stars-0"]) == [engine.decode([id])[0] for id in ("ships-2", "stars-0")]
        assert engine.decode([]) == []

    def test_stems_are_shown_as_they_are_written(self, tmp_path):
        texts = ["noisy signals", "NOISY signal", "a noisy signal", "the quiet sea", "quiet seas"] * 3
        with Engine.create(tmp_path / "index") as engine:
            engine.index((Document(str(n), text) for n, text in enumerate(texts)), language="english", train=QUICK)
            word_of = {word.term: word.word for word in engine.decode(["0"], 99)[0].words}
        assert word_of["noisi"] == "noisy"
        assert word_of["signal"] == "signal"

    def test_without_a_language_words_are_shown_as_they_are(self, tmp_path):
        with Engine.create(tmp_path / "index") as engine:
            engine.index(some_documents(9), language=None, train=QUICK)
            assert all(word.word == word.term for word in engine.decode(["stars-0"])[0].words)

    def test_a_document_of_which_the_encoder_knows_no_word(self, tmp_path):
        with Engine.create(tmp_path / "index") as engine:
            documents = [*some_documents(9), Document("odd", "zzzyzx")]
            engine.index(documents, train=QUICK, model=ModelSpec(inputs=5))
            with pytest.raises(QueryError, match="the encoder knows no word of the document 'odd'"):
                engine.decode(["odd"])
            assert engine.sample(3).samples  # and it is not drawn from

    @pytest.mark.parametrize("text", ["", "zzzyzx", "the and of"])
    def test_a_text_of_which_the_encoder_knows_no_word(self, engine, text):
        with pytest.raises(QueryError, match="the encoder knows no word of the text"):
            engine.decode_text(text)

    def test_what_is_no_id(self, engine):
        with pytest.raises(QueryError, match="no document has the id 'x12'; 'textae search' prints ids"):
            engine.decode(["stars-0", "x12"])

    @pytest.mark.parametrize("k", [0, -1])
    def test_what_is_no_number_of_words(self, engine, k):
        for ask in (engine.decode_text, engine.decode_code):
            with pytest.raises(QueryError, match=f"{k} words were asked for; give at least 1"):
                ask("comet" if ask == engine.decode_text else "0" * 64, k)

    @pytest.mark.parametrize(
        "code, says",
        [
            ("", "has 0 hexadecimal digits, and the decoder of this index reads 64 (256 bits)"),
            ("ab", "has 2 hexadecimal digits"),
            ("a" * 65, "has 65 hexadecimal digits"),
            ("g" * 64, "is not hexadecimal; give 64 digits of 0-9 and a-f"),
            ("0x" + "a" * 62, "is not hexadecimal"),
            ("٣" * 64, "is not hexadecimal"),
            ("0.1,0.2", "'0.1,0.2' is not hexadecimal"),
        ],
    )
    def test_what_is_no_code_of_bits(self, engine, code, says):
        with pytest.raises(QueryError, match=re.escape(says)):
            engine.decode_code(code)

    @pytest.mark.parametrize(
        "code, says",
        [
            ("", "has 1 numbers, and the decoder of this index reads 2"),
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
    def test_what_is_no_code_of_floats(self, on_a_plane, code, says):
        with pytest.raises(QueryError, match=re.escape(says)) as refused:
            on_a_plane.decode_code(code)
        assert len(str(refused.value)) < 200


class TestSample:
    def test_the_seed_decides(self, engine):
        first = engine.sample(4, 5, seed=1)
        assert first == engine.sample(4, 5, seed=1)
        assert first != engine.sample(4, 5, seed=2)

    def test_the_nearest_document_is_the_nearest(self, engine):
        opened = engine.opened
        drawn = engine.sample(5, 3)
        assert drawn.bits == 256
        for sample in drawn.samples:
            code = np.frombuffer(bytes.fromhex(sample.decoded.code), np.uint8)
            apart = np.unpackbits(code ^ opened.codes.bits, axis=1).sum(axis=1)
            assert sample.distance == apart.min() == apart[opened.ids.index(sample.nearest)]

    def test_it_is_said_how_far_documents_are_from_each_other(self, engine):
        bits = np.unpackbits(engine.opened.codes.bits, axis=1)
        apart = (bits[:, None] != bits[None]).sum(axis=2)
        np.fill_diagonal(apart, 999)
        assert engine.sample(1).usual_distance == np.median(apart.min(axis=1))

    def test_codes_of_floats_are_drawn_where_documents_are(self, on_a_plane):
        drawn = on_a_plane.sample(200, 1, seed=3)
        assert drawn.bits is None
        codes = np.array([[float(number) for number in sample.decoded.code.split(",")] for sample in drawn.samples])
        assert codes.mean(axis=0) == pytest.approx(np.mean(list(PLACES.values()), axis=0), abs=0.15)

    def test_what_cannot_be_drawn(self, engine):
        with pytest.raises(QueryError, match="0 samples were asked for; give at least 1"):
            engine.sample(0)
        with pytest.raises(QueryError, match="0 words were asked for"):
            engine.sample(1, 0)
        with pytest.raises(TextaeError, match="the seed -1 is negative"):
            engine.sample(1, seed=-1)

    def test_of_one_document(self, tmp_path):
        with Engine.create(tmp_path / "index") as engine:
            engine.index(some_documents(1), train=QUICK)
            drawn = engine.sample(2)
            assert [(sample.nearest, sample.distance) for sample in drawn.samples] == [("stars-0", 0)] * 2
            assert drawn.usual_distance == 0


class TestGrid:
    def test_a_topic_stands_where_its_documents_are(self, on_a_plane):
        grid = on_a_plane.grid(3, 2)
        assert [(cell.row, cell.column) for cell in grid.cells] == [(r, c) for r in range(3) for c in range(3)]
        at = {(cell.row, cell.column): cell for cell in grid.cells}
        for topic, place in (("stars", (2, 0)), ("bread", (2, 2)), ("ships", (0, 1))):
            assert set(said(at[place].decoded)) <= set(TOPICS[topic].split())
            assert at[place].documents >= 15
        assert at[0, 0].documents == at[0, 2].documents == 0
        assert sum(cell.documents for cell in grid.cells) <= 60

    def test_its_edges_enclose_most_documents(self, on_a_plane):
        grid = on_a_plane.grid(5)
        assert len(grid.x) == len(grid.y) == 6
        assert (grid.x[0], grid.x[-1]) == pytest.approx((-1, 1), abs=0.15)
        assert (grid.y[0], grid.y[-1]) == pytest.approx((0, 1), abs=0.15)

    def test_bits_are_no_plane(self, engine):
        with pytest.raises(QueryError, match=r"needs codes of 2 numbers, and .* reads 256 bits; 'textae"):
            engine.grid()

    @pytest.mark.parametrize("n, k, says", [(0, 3, "a grid of 0 rows was asked for"), (2, 0, "0 words were asked for")])
    def test_a_grid_of_nothing(self, on_a_plane, n, k, says):
        with pytest.raises(QueryError, match=says):
            on_a_plane.grid(n, k)
