"""Expansion against sums that a reader can redo on paper, and what holds for any decoder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import TOPICS

from textae.encoding.bags import Bags
from textae.encoding.decoder import Decoder
from textae.search.expansion import expand
from textae.search.query import QueryVector

DECODER = Decoder(((np.log(np.float32([[1, 2, 4, 1]])), np.zeros(4, np.float32)),))
"""Of the code 1 the shares of four words are 1/8, 2/8, 4/8, 1/8."""
USUAL = np.array([1 / 4, 1 / 8, 1 / 4, 3 / 8])
IDF = np.float32([3, 1, 2, 5, 7]).take
ONE = np.float16([1])


def query(**counts: int) -> QueryVector:
    """A question of the terms t0, t1, ..."""
    terms = np.array([int(name[1:]) for name in counts], np.int32)
    return QueryVector.of(Bags(np.array([0, len(terms)]), terms, np.array(list(counts.values()), np.uint16)))


class TestByHand:
    """Term 1 adds (1/8)² / (1/8) = 1/8 to the divergence and term 2 (1/4)² / (1/4) = 1/4; the others are unlikelier."""

    def test_what_is_added_weighs_by_idf_the_asked_share_of_what_was_there(self) -> None:
        # own: 2 · 3 = 6, half of it is 3 = x (1/8 · 1 + 1/4 · 2), so that x = 4.8
        asked = expand(query(t0=2), DECODER, USUAL, ONE, IDF, n_words=9, weight=0.5)
        assert asked.terms.tolist() == [0, 1, 2]
        assert asked.weights == pytest.approx([2, 0.6, 1.2])

    def test_the_most_telling_word_alone(self) -> None:
        asked = expand(query(t0=2), DECODER, USUAL, ONE, IDF, n_words=1, weight=0.5)
        assert dict(zip(asked.terms.tolist(), asked.weights.tolist(), strict=True)) == {0: 2, 2: 1.5}

    def test_the_questions_own_words_are_not_added_again(self) -> None:
        asked = expand(query(t2=1, t4=1), DECODER, USUAL, ONE, IDF, n_words=1, weight=0.5)
        assert asked.terms.tolist() == [1, 2, 4]  # 4 is beyond what the decoder knows
        assert asked.weights == pytest.approx([4.5, 1, 1])

    def test_where_the_code_tells_nothing_new_nothing_is_added(self) -> None:
        asked = expand(query(t1=1, t2=1), DECODER, USUAL, ONE, IDF)
        assert asked.terms.tolist() == [1, 2]

    def test_a_question_without_a_code_stays_as_it_is(self) -> None:
        before = query(t4=1)
        assert expand(before, DECODER, USUAL, np.float32([0]), IDF) is before

    def test_a_question_without_words_stays_without(self) -> None:
        assert len(expand(query(), DECODER, USUAL, ONE, IDF).terms) == 0


@given(
    st.dictionaries(st.integers(0, 19), st.integers(1, 9), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(0.01, 2),
)  # fmt: skip
def test_of_any_decoder(counts, seed, n_words, weight) -> None:
    rng = np.random.default_rng(seed)
    decoder = Decoder(((rng.normal(0, 2, (3, 16)).astype(np.float32), rng.normal(0, 1, 16).astype(np.float32)),))
    idf = rng.uniform(0.1, 9, 20).astype(np.float32)
    before = query(**{f"t{term}": counts[term] for term in sorted(counts)})
    usual = decoder.words(np.zeros((1, 3), np.float32))[0].astype(np.float64)
    after = expand(before, decoder, usual, rng.normal(0, 1, 3), idf.take, n_words, weight)
    weight_of = dict(zip(after.terms.tolist(), after.weights.tolist(), strict=True))
    assert (np.diff(after.terms) > 0).all() and (after.weights > 0).all()
    assert {term: weight_of.pop(term) for term in counts} == counts
    assert len(weight_of) <= n_words
    added = sum(idf[term] * times for term, times in weight_of.items())
    own = sum(idf[term] * times for term, times in counts.items())
    assert added == pytest.approx(weight * own if weight_of else 0, rel=1e-3)
    assert (after.texts, after.text_weights) == (before.texts, before.text_weights)


def test_words_of_one_topic_bring_others_of_it(engine) -> None:
    snapshot = engine.snapshot
    asked = QueryVector.of(snapshot.model.vectorizer.transform(["telescope gravity"]))
    code = asked.codes(snapshot.model.encoder).floats[0]
    after = expand(asked, snapshot.decoder, snapshot.usual_words, code, snapshot.searched.statistics.idf)
    added = set(after.terms.tolist()) - set(asked.terms.tolist())
    assert added
    assert added <= {snapshot.model.vectorizer.numbers[word] for word in TOPICS["stars"].split()}
