"""Words and terms, in many scripts; a document and a query are read alike."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textae.encoding.analyzer import (
    LONGEST_WORD,
    Analysis,
    detect_language,
    languages,
    searchable,
    spans,
    stop_words,
    words,
)
from textae.errors import TextaeError
from textae.types import Document

PLAIN = Analysis.of(None)

TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(" _-'aé文档かタสวัหि\u0301\u3099\u200d9²ß")), max_size=60)


class TestWords:
    @given(TEXTS)
    @example("snake_case_naïve")
    @example("Python3で文")
    def test_each_word_stands_where_its_span_says(self, text) -> None:
        assert words(text) == [text[start:end] for start, end in spans(text)]

    @given(TEXTS)
    def test_a_word_is_never_empty_nor_holds_what_parts_words(self, text) -> None:
        for word in words(text):
            assert word
            assert not set(word) & set(" _-'\n\t")

    @given(TEXTS)
    def test_no_letter_and_no_digit_is_lost(self, text) -> None:
        covered = {at for start, end in spans(text) for at in range(start, end)}
        assert {at for at, character in enumerate(text) if character.isalnum()} <= covered

    @given(st.text(st.characters(max_codepoint=127), max_size=60))
    def test_plain_text_is_cut_the_same_way_beside_other_scripts(self, text) -> None:
        assert [*words(text), "ж"] == words(f"{text} ж")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("It's well-known: 3.5 GHz", ["It", "s", "well", "known", "3", "5", "GHz"]),
            ("random_state", ["random", "state"]),
            ("Größe: naïve_Bayes", ["Größe", "naïve", "Bayes"]),
            ("Привет, мир!", ["Привет", "мир"]),
            ("हिन्दी में खोज", ["हिन्दी", "में", "खोज"]),
            ("مَرْحَبًا بالعالم", ["مَرْحَبًا", "بالعالم"]),
            ("한국어 문서를 검색", ["한국어", "문서를", "검색"]),
            ("文档检索", ["文档", "档检", "检索"]),
            ("文", ["文"]),
            ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
            ("Python3で書く", ["Python3", "で書", "書く"]),
            ("อ่านหนังสือ", ["อ่า", "าน", "นห", "หนั", "นัง", "งสื", "สือ"]),
            ("", []),
            (" ___ --- ", []),
        ],
    )
    def test_words_of_many_scripts(self, text, expected) -> None:
        assert words(text) == expected

    def test_a_long_thai_sentence_keeps_its_words(self) -> None:
        sentence = "การค้นหาเอกสารด้วยความหมายเรียนรู้จากเอกสารของคุณเองโดยไม่ต้องดาวน์โหลดสิ่งใด"
        assert len(sentence) > LONGEST_WORD
        assert set(PLAIN.terms("เอกสาร")) <= set(PLAIN.terms(sentence))

    def test_a_phrase_of_unspaced_script_is_found_within_a_sentence(self) -> None:
        assert set(PLAIN.terms("检索")) <= set(PLAIN.terms("我们学习文档检索。"))


class TestTerms:
    def test_english_by_hand(self) -> None:
        assert Analysis.of("english").terms("The smoothing of NOISY signals, smoothed") == [
            "smooth", "noisi", "signal", "smooth",
        ]  # fmt: skip

    def test_german_by_hand(self) -> None:
        assert Analysis.of("german").terms("Die Häuser und das Haus; daß und dass") == ["haus", "haus"]

    def test_russian_by_hand(self) -> None:
        first, second = Analysis.of("russian").terms("книга и книги")
        assert first == second

    def test_without_a_language_no_word_is_left_out(self) -> None:
        assert PLAIN.terms("The cats are THE cats") == ["the", "cats", "are", "the", "cats"]

    @pytest.mark.parametrize("other", ["STRASSE", "Straße", "strasse", "ＳＴＲＡＳＳＥ"])
    def test_case_and_width_make_no_difference(self, other) -> None:
        assert PLAIN.terms(other) == ["strasse"]

    @given(TEXTS)
    def test_composed_or_not_makes_no_difference_outside_kana(self, text) -> None:
        text = "".join(c for c in text if unicodedata.combining(c) == 0 or c == "\u0301")
        if "\u3099" not in unicodedata.normalize("NFD", text):
            composed, apart = (words(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))
            assert list(map(PLAIN.term, composed)) == list(map(PLAIN.term, apart))

    def test_what_is_too_long_is_no_word(self) -> None:
        assert PLAIN.terms(f"{'x' * LONGEST_WORD} {'y' * (LONGEST_WORD + 1)}") == ["x" * LONGEST_WORD]

    @pytest.mark.parametrize("language", languages())
    def test_every_language_stems_and_leaves_its_own_stop_words_out(self, language) -> None:
        analysis = Analysis.of(language)
        assert analysis.terms(" ".join(word for word in stop_words(language) if word.isalpha())) == []
        assert analysis.terms("2024") == ["2024"]

    def test_an_unknown_language_is_told_with_those_that_are_known(self) -> None:
        with pytest.raises(TextaeError, match=r"no stemmer for the language 'klingon'; known are: none, .*english"):
            Analysis.of("klingon")

    def test_a_title_is_searched_with_its_text(self) -> None:
        assert searchable(Document("1", "body", "head")) == "head\nbody"
        assert searchable(Document("1", "body")) == "body"


class TestDetectLanguage:
    @pytest.mark.parametrize(
        ("language", "text"),
        [
            ("english", "The cat sat on the mat, and the dog was not at all pleased with it."),
            ("german", "Der Hund und die Katze sind nicht in dem Haus, aber sie war auf der Straße."),
            ("french", "Le chat est sur la table et il ne veut pas de cette eau dans son verre."),
            ("spanish", "El gato no está en la casa de los vecinos porque se fue con el perro."),
            ("italian", "Il gatto non è nella casa dei vicini perché è andato con il cane."),
            ("russian", "Кошка не была в доме, потому что она ушла с собакой, и он это знал."),
            ("dutch", "De kat is niet in het huis van de buren, want zij was met de hond op straat."),
            ("swedish", "Katten är inte i huset och den har varit på gatan med hunden som jag såg."),
        ],
    )
    def test_short_texts(self, language, text) -> None:
        assert detect_language([text]) == language

    @pytest.mark.parametrize(
        "text",
        [
            "2024-05-01T12:00:00 ERROR worker[1234] connection refused host=db1 port=5432 retries=3",
            "12:00:00 ERROR worker 1234: connection to db1 5432 refused, retry 3, after 35 ms, host node17, pid 4711",
            "def transform(self, X): return np.log1p(X.sum(axis=1)) / self.scale_",
            "我们学习文档检索。今天天气很好。",
            "ผมชอบอ่านหนังสือ",
            "",
        ],
        ids=["log", "log with a word", "code", "chinese", "thai", "nothing"],
    )
    def test_none_where_no_language_speaks(self, text) -> None:
        assert detect_language([text]) is None

    def test_no_text_at_all_has_no_language(self) -> None:
        assert detect_language([]) is None

    def test_the_whole_corpus_votes(self) -> None:
        english = "The cat sat on the mat and it was with the dog."
        german = "Der Hund ist nicht in dem Haus und die Katze auch nicht."
        assert detect_language([english, english, german]) == "english"
        assert detect_language([english, german, german]) == "german"
