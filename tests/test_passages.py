"""Passages: windows that overlap, cover everything and stay within bounds."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae import TextaeError
from textae.passages import passages
from textae.text import spans

TEXTS = st.text(st.sampled_from("ab é文档.。!?\n\t \u00a0\"')"), max_size=600) | st.lists(
    st.sampled_from(
        [
            "One sentence of six words here. ",
            "word ",
            "x" * 200,
            "\n\n",
            "文档检索。",
            " " * 300,
            "...",
            'He said: "No." ',
        ]
    ),
    max_size=60,
).map("".join)


def parts(text: str, words: int) -> list[str]:
    return [text[start:end] for start, end in passages(text, words)]


def test_halves_end_where_sentences_do() -> None:
    text = "One two three. Four five six. Seven eight nine. Ten eleven twelve."
    assert parts(text, 6) == [
        "One two three. Four five six. ",
        "Four five six. Seven eight nine. ",
        "Seven eight nine. Ten eleven twelve.",
    ]


def test_a_cut_moves_to_the_end_of_a_sentence_that_is_near() -> None:
    """Of 48 words the cuts belong after 8, 16, …; sentences of 7 and 9 words in turn move the first."""
    sentence = "a a a a a a a. b b b b b b b b b. "
    assert parts(sentence * 3, 16)[0] == sentence
    assert parts(sentence * 3, 16)[1].startswith("b b b")


def test_without_a_sentence_no_word_is_cut() -> None:
    assert parts("abc " * 10, 4) == ["abc abc abc abc "] * 4


def test_a_paragraph_ends_a_sentence() -> None:
    assert parts("one two three four five six seven\n\n" * 4, 16)[0] == "one two three four five six seven\n\n" * 2


@pytest.mark.parametrize("text", ["", "word", "\n \n", "one two three four five six"])
def test_what_is_short_is_one_passage(text) -> None:
    assert passages(text, 6) == [(0, len(text))]


def test_unspaced_script_is_cut_by_characters() -> None:
    """The last character begins no pair: of 9 characters 8 are places to cut before."""
    assert parts("文档检索方法很好用", 4) == ["文档检索", "检索方法", "方法很好用"]


def test_one_endless_word_is_cut_every_64_characters() -> None:
    assert passages("x" * 256, 2) == [(0, 128), (64, 192), (128, 256)]


def test_passages_of_one_word_are_refused() -> None:
    with pytest.raises(TextaeError, match="passages of 1 words; at least 2 are needed"):
        passages("some text", 1)


@given(TEXTS, st.integers(2, 40))
def test_they_cover_the_text_in_order_and_overlap(text, words) -> None:
    found = passages(text, words)
    assert found[0][0] == 0
    assert found[-1][1] == len(text)
    for (first, end), (second, second_end) in itertools.pairwise(found):
        assert first < second < end < second_end
    for (_, end), (third, _) in zip(found, found[2:], strict=False):
        assert third == end  # every half is in two passages, but the first and the last


@given(TEXTS, st.integers(2, 40))
def test_none_is_long(text, words) -> None:
    starts = [start for start, _ in spans(text)]
    for first, end in passages(text, words):
        assert end - first <= 80 * words + 64
        assert sum(first <= start < end for start in starts) <= 1.25 * words + 1


@given(TEXTS, st.integers(2, 40))
def test_a_cut_is_never_inside_a_word_that_is_a_word(text, words) -> None:
    found = list(spans(text))
    for first, _ in passages(text, words):
        assert not any(a < first < b for a, b in found if b - a <= 64 and text[a:b].isascii())
