"""Words and terms, in many scripts; a document and a query are read alike."""

import re
import sys
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
    @example("\u00ad\n\u0301ﬁ½가\u11a8")
    def test_each_word_stands_where_its_span_says(self, text) -> None:
        places = list(spans(text))
        assert places == sorted(places)
        for word, (start, end) in zip(words(text), places, strict=True):
            assert word in "".join(words(text[start:end]))

    @given(TEXTS)
    def test_a_text_in_normal_form_has_the_same_words(self, text) -> None:
        assert words(unicodedata.normalize("NFKC", text)) == words(text)

    @pytest.mark.parametrize(
        ("text", "marked"),
        [
            ("ein Gesamt\u00adkonzept", ["ein", "Gesamt\u00adkonzept"]),
            ("lang\u00ad\n  fristig, ja", ["lang\u00ad\n  fristig", "ja"]),
            ("e\u0301te\u0301 C++!", ["e\u0301te\u0301", "C", "C++"]),
            ("ﬁne 5㎞/h", ["ﬁne", "5㎞", "h"]),
            ("ﾃﾞﾊﾞ", ["ﾃﾞ", "ﾃﾞﾊﾞ", "ﾊﾞ"]),
            ("in .NET", ["in", ".NET", "NET"]),
        ],
    )
    def test_a_span_is_of_the_text_as_written(self, text, marked) -> None:
        assert [text[start:end] for start, end in spans(text)] == marked

    @given(TEXTS)
    def test_a_word_is_never_empty_nor_holds_what_parts_words(self, text) -> None:
        for word in words(text):
            assert word
            assert not set(word) & set(" _-'\n\t\u200d")

    @given(TEXTS)
    def test_no_letter_and_no_digit_is_lost(self, text) -> None:
        covered = {at for start, end in spans(text) for at in range(start, end)}
        fillers = "\u115f\u1160\u3164\uffa0"  # letters of Hangul that nobody sees
        assert {at for at, each in enumerate(text) if each.isalnum() and each not in fillers} <= covered

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
            ("한국어 PDF를", ["한", "한국", "국", "국어", "어", "PDF", "를"]),
            ("文档检", ["文", "文档", "档", "档检", "检"]),
            ("文", ["文"]),
            ("東京タワ", ["東", "東京", "京", "京タ", "タ", "タワ", "ワ"]),
            ("Python3で書く", ["Python3", "で", "で書", "書", "書く", "く"]),
            ("人々", ["人", "人々", "々"]),
            ("อ่านหนั", ["อ่", "อ่า", "า", "าน", "น", "นห", "ห", "หนั", "นั"]),
            ("น้ำ", ["น้ํ", "น้ํา", "า"]),
            ("ภาษา๓๔", [*words("ภาษา"), "๓๔"]),
            ("don´t", ["don", "t"]),
            ("❤\ufe0f 1\ufe0f\u20e3", ["1"]),
            ("", []),
            (" ___ --- ", []),
        ],
    )
    def test_words_of_many_scripts(self, text, expected) -> None:
        assert words(text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("C++, C++17 (and C#).", ["C", "C++", "C", "C++", "17", "and", "C", "C#"]),
            ("Notepad++ A+ CD4+ Ca2+", ["Notepad", "Notepad++", "A", "A+", "CD4", "CD4+", "Ca2", "Ca2+"]),
            (".NET 8, ASP.NET; a .gitignore", [".NET", "NET", "8", "ASP", "NET", "a", ".gitignore", "gitignore"]),
            ("**C++**, `C#`|F#|<b>C++</b>", ["C", "C++", "C", "C#", "F", "F#", "b", "C", "C++", "b"]),
            ("lang:C++/C# x+=1 $a+ .C#", ["lang", "C", "C++", "C", "C#", "x", "1", "a", "C"]),
            ("Ｃ＋＋ und Ｃ＃", ["C", "C++", "und", "C", "C#"]),
            ("言語C++で", ["言", "言語", "語", "C", "C++", "で"]),
            ("用.NET框", ["用", ".NET", "NET", "框"]),
            ("x+y 1+1 a ++ b issue#12 ### 3D+", ["x", "y", "1", "1", "a", "b", "issue", "12", "3D"]),
            ("The end.The next ...and .5 naïve+ _C++", ["The", "end", "The", "next", "and", "5", "naïve", "C"]),
            (f"{'x' * 70}+", ["x" * 70]),
        ],
    )
    def test_names_with_signs_are_words_beside_the_words_in_them(self, text, expected) -> None:
        assert words(text) == expected

    @given(st.text(st.characters(max_codepoint=127), max_size=60))
    def test_plain_words_stay_beside_names(self, text) -> None:
        assert [word for word in words(text) if word.isalnum()] == re.findall("[A-Za-z0-9]+", text)

    def test_no_mark_and_nothing_invisible_parts_a_word(self) -> None:
        """Every mark of Unicode (categories Mn and Mc), and every format character but the space and those one sees."""
        seen = [0x200B, *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD]
        joining = [
            character
            for code in range(0x80, sys.maxunicode + 1)
            if (category := unicodedata.category(character := chr(code))) in ("Mn", "Mc")
            or (category == "Cf" and code not in (*seen, *range(0xFFF9, 0xFFFC), *range(0x13430, 0x13460)))
        ]
        assert len(joining) > 2_000
        unspaced = re.compile(
            "[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u1aad\ua9e0-\uaadf\U00011700-\U0001174f]"
        )
        for character in joining:
            if not unspaced.match(unicodedata.normalize("NFKC", character)):
                assert len(words(f"ab{character}cd")) == 1, hex(ord(character))

    def test_a_query_of_unspaced_script_has_pairs_alone(self) -> None:
        assert words("文档检 文 C++", characters=False) == ["文档", "档检", "文", "C", "C++"]

    def test_a_korean_noun_is_found_with_its_particles(self) -> None:
        for written in ("고양이에", "고양이는", unicodedata.normalize("NFD", "고양이를")):
            assert {PLAIN.term(word) for word in words("고양이", characters=False)} <= set(PLAIN.terms(written))
        assert words("고양이", characters=False) == ["고양", "양이"]

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

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Gesamt\u00adkonzept", "gesamtkonzept"),
            ("win\u2060dow", "window"),
            ("cat\ufeffalog", "catalog"),
            ("lang\u00ad\nfristig", "langfristig"),
            ("foo\u200bbar", "foo bar"),
            ("\u202bשלום\u202c", "שלום"),
            ("می\u200cخواهم", "میخواهم"),
            ("क्\u200dष", "क्ष"),
            ("葛\U000e0100城", "葛城"),
            ("ﾃﾞﾊﾞｯｸﾞ", "デバッグ"),
            ("テ\u3099ハ\u3099ック\u3099", "デバッグ"),
            ("ｶﾀｶﾅ", "カタカナ"),
            ("각", "각"),
            ("ﬁle", "file"),
            ("x²", "x2"),
            ("㎏", "kg"),
            ("İstanbul", "istanbul"),
            ("ısparta", "ISPARTA"),
            ("مَرْحَبًا", "مرحبا"),
            ("مرحـــبا", "مرحبا"),
            ("שָׁלוֹם", "שלום"),
            ("٢٠٢٤", "2024"),
            ("१९४७", "1947"),
            ("ΟΔΟΣ", "οδος"),
            ("豈", "豈"),
        ],
    )
    def test_two_ways_to_write_a_word_are_one_term(self, one, other) -> None:
        assert PLAIN.terms(one) == PLAIN.terms(other) != []

    @pytest.mark.parametrize(("one", "other"), [("für", "fur"), ("schön", "schon"), ("año", "ano"), ("й", "и")])
    def test_letters_with_accents_are_letters_of_their_own(self, one, other) -> None:
        assert PLAIN.terms(one) != PLAIN.terms(other)

    @given(TEXTS)
    def test_composed_or_not_makes_no_difference(self, text) -> None:
        composed, apart = (PLAIN.terms(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))
        assert composed == apart

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
