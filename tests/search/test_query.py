"""The passage that is shown, and the words that are marked in it."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.analyzer import Analysis, spans, words
from textae.search.snippet import snippets

TEXTS = st.lists(
    st.sampled_from(
        ["cat", "Dog", "dogs", "x" * 90, "y" * 250, "\n", "  ", "\t", "\r\n", "\u2028", "文档检索", "é.", "—"]
    ),
    max_size=60,
).map(" ".join) | st.text(st.sampled_from("ab文档 \n\u00a0."), max_size=400)


def show(text: str, *query: str) -> tuple[str, list[str]]:
    """The snippet of a text for some words, each a term of its own, and the parts of it that are marked."""
    analysis = Analysis.of("english")
    weights = {analysis.term_of[word]: 1.0 + number for number, word in enumerate(query)}
    line, marks, _ = snippets([text], analysis.term_of, weights)[0]
    return line, [line[first:last] for first, last in marks]


class TestSnippet:
    def test_the_words_of_the_query_are_marked_in_all_their_forms(self) -> None:
        line, marked = show("A dog smooths what Dogs smoothed.", "dog", "smoothing")
        assert line == "A dog smooths what Dogs smoothed."
        assert marked == ["dog", "smooths", "Dogs", "smoothed"]

    @pytest.mark.parametrize(
        ("text", "query", "marked"),
        [
            ("ein Gesamt\u00adkonzept", ["gesamtkonzept"], ["Gesamt\u00adkonzept"]),
            ("die lang\u00ad\n fristige", ["langfristige"], ["lang\u00ad fristige"]),
            ("猫が好き", ["猫"], ["猫"]),
            ("ﾃﾞﾊﾞｯｸﾞ する", ["デバ", "バッ"], ["ﾃﾞﾊﾞ", "ﾊﾞｯ"]),
            ("in C++ on .NET", ["c", "c++", ".net"], ["C", "C++", ".NET"]),
            ("e\u0301te\u0301 en ﬁn", ["été", "fin"], ["e\u0301te\u0301", "ﬁn"]),
        ],
    )
    def test_words_are_marked_as_they_are_written(self, text, query, marked) -> None:
        assert show(text, *query)[1] == marked

    def test_of_a_long_text_the_passage_that_speaks_of_the_query(self) -> None:
        filler = "nothing to be seen here at all " * 30
        line, marked = show(f"{filler} the noisy signal was smoothed {filler}", "noisy", "signal")
        assert "the noisy signal was smoothed" in line
        assert marked == ["noisy", "signal"]
        assert len(line) < 250

    def test_two_words_side_by_side_are_better_than_one(self) -> None:
        filler = "nothing to be seen here at all " * 20
        line, _ = show(f"a signal {filler} a noisy signal {filler} noisy", "noisy", "signal")
        assert "noisy signal" in line

    def test_without_a_match_the_beginning(self) -> None:
        line, marked = show("It begins here. " * 50, "zebra")
        assert line.startswith("It begins here. It begins")
        assert len(line) <= 200
        assert marked == []

    def test_no_word_is_cut(self) -> None:
        text = "abcdefghij " * 100 + "needle " + "klmnopqrst " * 100
        line, marked = show(text, "needle")
        assert marked == ["needle"]
        assert set(line.split()) == {"abcdefghij", "needle", "klmnopqrst"}

    @pytest.mark.parametrize("text", ["", " ", "\n\n"])
    def test_a_text_of_nothing(self, text) -> None:
        assert show(text, "cat") == ("", [])

    def test_overlapping_pairs_of_unspaced_script_are_both_marked(self) -> None:
        _, marked = show("我们学习文档检索。", "文档", "档检")
        assert marked == ["文档", "档检"]

    def test_white_space_is_one_blank_and_the_marks_move_with_their_words(self) -> None:
        assert show("\n\n  the\n\n\tcat \r\n sat\u2028\u00a0there \n", "sat") == ("the cat sat there", ["sat"])

    @given(TEXTS, st.sampled_from(["cat", "dog", "文档", "y" * 250, "ab"]))
    def test_every_mark_is_a_word_of_the_query_and_there_is_no_line_break(self, text, word) -> None:
        line, marked = show(text, word)
        term = Analysis.of("english").term
        assert all(term(part) == term(word) for part in marked)
        assert len(line.splitlines()) <= 1
        assert line == line.strip()
        assert "  " not in line
        assert line in " ".join(text.split())

    @given(TEXTS)
    def test_a_match_in_the_first_pages_is_shown(self, text) -> None:
        if "cat" in words(text):
            assert "cat" in show(text, "cat")[1]

    @given(TEXTS)
    def test_marks_rise_and_stay_within_the_line(self, text) -> None:
        line, marks, _ = snippets([text], defaultdict(lambda: "any"), {"any": 1.0})[0]
        assert list(marks) == sorted(marks)
        assert set(marks) <= set(spans(line))
