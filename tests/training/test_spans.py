"""Spans are words that follow each other in a document, and an opening is its first ones."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.bags import Tokens, row_starts
from textae.training.spans import LONGEST, SHORTEST, Spans

N_TERMS = 50
IDF = torch.linspace(0.5, 4, N_TERMS)


def seeded(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tokens_of(rows: list[list[int]]) -> Tokens:
    return Tokens(row_starts(list(map(len, rows))), np.array([term for row in rows for term in row], np.int32))


def drawn(draw, rows: list[int], seed: int = 1) -> list[list[int]]:
    """The terms of the span of each row."""
    batch = draw(torch.tensor(rows), seeded(seed))
    assert batch.weights.tolist() == pytest.approx(IDF[batch.terms].tolist())
    assert batch.row_of.tolist() == sorted(batch.row_of.tolist())
    assert batch.lengths.tolist() == torch.bincount(batch.row_of, minlength=len(rows)).tolist()
    return [batch.terms[batch.row_of == i].tolist() for i in range(len(rows))]


RISING = [list(range(40)), list(range(10, 50)), [7]]
"""Rows in which a span is a range of numbers."""


@given(st.integers(0, 10**6), st.lists(st.integers(0, 1), min_size=1, max_size=6))
def test_a_span_is_five_to_twelve_words_that_follow_each_other(seed, rows) -> None:
    for row, span in zip(rows, drawn(Spans(tokens_of(RISING), IDF).anywhere, rows, seed), strict=True):
        assert SHORTEST <= len(span) <= LONGEST
        assert span == list(range(span[0], span[-1] + 1))
        assert set(span) <= set(RISING[row])


@given(st.integers(0, 10**6))
def test_an_opening_begins_with_the_first_word(seed) -> None:
    first, second, only = drawn(Spans(tokens_of(RISING), IDF).opening, [0, 1, 2], seed)
    assert (first[0], second[0], only) == (0, 10, [7])
    assert SHORTEST <= len(second) <= LONGEST
    assert second == list(range(10, 10 + len(second)))


def test_spans_come_from_everywhere_and_in_all_sizes() -> None:
    spans = drawn(Spans(tokens_of(RISING), IDF).anywhere, [1] * 400)
    assert {len(span) for span in spans} == set(range(SHORTEST, LONGEST + 1))
    assert {term for span in spans for term in span} == set(RISING[1])


def test_a_span_is_at_most_half_of_a_document_and_holds_a_word_once() -> None:
    spans = Spans(tokens_of([[4, 9, 9, 9, 9, 9], [8, 3, 2]]), IDF)
    assert drawn(spans.opening, [1, 0]) == [[3, 8], [4, 9]]


def test_the_same_seed_draws_the_same_spans() -> None:
    spans = Spans(tokens_of(RISING), IDF)
    first, again, other = (drawn(spans.anywhere, [0, 1] * 5, seed) for seed in (1, 1, 2))
    assert first == again != other
