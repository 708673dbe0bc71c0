"""Did you mean: what is near an unknown word, and in which order."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.analyzer import Analysis
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.search.suggest import _distances, did_you_mean

WORDS = st.text("abc文é", min_size=1, max_size=7)


def suggested(word: str, *terms: str, language: str | None = None) -> list[str]:
    """What is suggested where the vocabulary has these terms, the most frequent first."""
    vectorizer = Vectorizer(Analysis.of(language), Vocabulary.of(terms))
    return did_you_mean(word, vectorizer, lambda number: len(terms) - number)


@cache
def distance(a: str, b: str) -> int:
    """Damerau's restricted distance, from its definition."""
    if not a or not b:
        return len(a) + len(b)
    ways = [distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0])]
    if len(a) > 1 and len(b) > 1 and a[:2] == b[1::-1]:
        ways.append(distance(a[2:], b[2:]) + 1)
    return min(ways)


@pytest.mark.parametrize("word", ["sginal", "signall", "sinal", "siknal", "SIGNAAL"])
def test_one_slip(word) -> None:
    assert suggested(word, "noise", "signal") == ["signal"]


def test_a_word_is_given_and_not_its_stem() -> None:
    assert suggested("informaton", "inform", "format", language="english") == ["information"]


def test_two_slips_where_one_finds_nothing() -> None:
    assert suggested("documnnnt", "document", "monument") == ["document"]


def test_one_slip_is_likelier_than_two() -> None:
    assert suggested("documen", "documenta", "document") == ["document"]


def test_the_first_letter_then_what_is_frequent() -> None:
    assert suggested("cats", "bats", "cat", "hats", "cots") == ["cat", "cots", "bats"]


@pytest.mark.parametrize(("word", "term"), [("слво", "слово"), ("λογς", "λογοσ"), ("cafe", "café"), ("naïf", "naif")])
def test_other_letters(word, term) -> None:
    assert suggested(word, term) == [term]


@pytest.mark.parametrize("word", ["ab", "", "zzzzzzzz", "x" * 100])
def test_nothing_is_near(word) -> None:
    assert suggested(word, "cat", "a", "b") == []
    assert suggested(word) == []


@given(WORDS, st.lists(WORDS, min_size=1, max_size=5))
def test_the_distance_is_that_of_its_definition(word, others) -> None:
    longest = max(map(len, others))
    padded = np.array([[ord(letter) for letter in other.ljust(longest)] for other in others], np.uint32)
    found = _distances(word, padded, np.array(list(map(len, others))))
    assert found.tolist() == [distance(word, other) for other in others]


@given(WORDS.filter(lambda word: len(word) > 4), st.lists(WORDS, unique=True, max_size=6))
def test_what_is_suggested_is_near(word, terms) -> None:
    for term in suggested(word, *terms):
        assert term in terms
        assert distance(word, term) <= 2
    if any(distance(word, term) <= 2 for term in terms) and word not in terms:
        assert suggested(word, *terms)
