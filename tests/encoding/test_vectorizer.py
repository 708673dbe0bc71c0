"""Bags of words: counted in a stream, the same as counted in one go."""

import collections
import gc
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.analyzer import Analysis, words
from textae.encoding.bags import Bags, Tokens
from textae.encoding.counting import Counter, TermCounts, renumbered
from textae.encoding.vectorizer import GrowingVectorizer, Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.encoding.weighting import idf, norms, term_weight, tfidf

PLAIN = Analysis.of(None)
CORPUS = ("the cat sat", "the cat the dog", "", "a dog, a dog, a bird")

TERM = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
TERMS = st.lists(TERM, unique=True, max_size=30)
PARTS = st.lists(TERM, unique=True, max_size=40).flatmap(
    lambda terms: st.lists(st.integers(0, len(terms)), max_size=6).map(
        lambda cuts: [terms[a:b] for a, b in itertools.pairwise([0, *sorted(cuts), len(terms)])]
    )
)
"""Terms, and which of them came together."""
DENSE = st.integers(1, 6).flatmap(
    lambda n_terms: st.lists(st.lists(st.integers(0, 3), min_size=n_terms, max_size=n_terms), min_size=1, max_size=7)
).map(np.array)  # fmt: skip


def count(texts, folder: Path, analysis: Analysis = PLAIN):
    counter = Counter(analysis, folder)
    for text in texts:
        counter.add(text)
    vocabulary, tokens, frequency = counter.finish()
    return vocabulary, tokens.bags(), frequency


def bags_of(dense) -> Bags:
    rows, terms = np.nonzero(dense)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(dense)))])
    return Bags(starts.astype(np.int64), terms.astype(np.int32), dense[rows, terms].astype(np.uint16))


def dense_of(bags: Bags, n_terms: int):
    dense = np.zeros((len(bags), n_terms), int)
    dense[bags.row_of, bags.terms] = bags.counts
    return dense


class TestBags:
    @given(DENSE)
    def test_the_rows_hold_what_the_matrix_holds(self, dense) -> None:
        bags = bags_of(dense)
        assert len(bags) == len(dense)
        for i, row in enumerate(dense):
            terms, counts = bags.row(i)
            assert terms.tolist() == np.flatnonzero(row).tolist()
            assert counts.tolist() == row[row > 0].tolist()

    @given(DENSE, st.data())
    def test_take_is_the_named_rows_in_the_order_named(self, dense, draw) -> None:
        rows = draw.draw(st.lists(st.integers(0, len(dense) - 1), max_size=9))
        taken = bags_of(dense).take(np.array(rows, np.int64))
        assert np.array_equal(dense_of(taken, dense.shape[1]), dense[rows])

    @given(DENSE, st.integers(0, 7))
    def test_below_keeps_the_first_columns(self, dense, n_terms) -> None:
        kept = bags_of(dense).below(n_terms)
        assert np.array_equal(dense_of(kept, dense.shape[1])[:, :n_terms], dense[:, :n_terms])
        assert len(kept.terms) == np.count_nonzero(dense[:, :n_terms])

    def test_below_keeps_the_order_of_tokens_and_drops_words_without_a_term(self) -> None:
        tokens = Tokens(np.array([0, 4, 4, 6]), np.array([3, -1, 0, 2, 5, 1], np.int32))
        kept = tokens.below(3)
        assert (kept.starts.tolist(), kept.terms.tolist()) == ([0, 2, 2, 3], [0, 2, 1])

    @given(DENSE, st.data())
    def test_rows_are_a_slice(self, dense, draw) -> None:
        first = draw.draw(st.integers(0, len(dense)))
        last = draw.draw(st.integers(first, len(dense)))
        part = bags_of(dense).rows(first, last)
        assert part.starts[0] == 0
        assert np.array_equal(dense_of(part, dense.shape[1]), dense[first:last])

    @given(DENSE, st.integers(1, 4))
    def test_chunks_joined_are_the_whole(self, dense, size) -> None:
        chunks = list(bags_of(dense).chunks(size))
        assert all(len(chunk) == size for chunk in chunks[:-1])
        assert np.array_equal(np.vstack([dense_of(chunk, dense.shape[1]) for chunk in chunks]), dense)


class TestWeights:
    def test_idf_by_hand(self) -> None:
        # 3 documents: a term in one of them, in two, in all
        assert idf(np.array([1, 2, 3]), 3) == pytest.approx([math.log(1 + 2.5 / 1.5), math.log(1 + 1.5 / 2.5),
                                                              math.log(1 + 0.5 / 3.5)])  # fmt: skip

    @given(st.integers(1, 10**9), st.data())
    def test_idf_is_positive_and_falls_with_the_frequency(self, n, draw) -> None:
        frequency = np.array(sorted(draw.draw(st.lists(st.integers(1, n), min_size=2, max_size=5))))
        weights = idf(frequency, n)
        assert (weights > 0).all()
        assert (np.diff(weights) <= 0).all()

    def test_a_repeated_term_counts_less_each_time(self) -> None:
        assert term_weight(np.array([1, 2, 10], np.uint16)) == pytest.approx([1, 1 + math.log(2), 1 + math.log(10)])

    def test_tfidf_by_hand(self) -> None:
        bags = bags_of(np.array([[1, 2], [0, 1], [0, 0]]))
        first, second = 3.0, (1 + math.log(2)) * 1.0
        length = math.hypot(first, second)
        weights = np.array([3.0, 1.0], np.float32)
        assert tfidf(bags, weights) == pytest.approx([first / length, second / length, 1.0])
        assert norms(bags, weights) == pytest.approx([length, 1.0, 1.0])

    @given(DENSE)
    def test_rows_have_unit_length_or_no_term(self, dense) -> None:
        bags = bags_of(dense)
        weights = tfidf(bags, np.arange(1, dense.shape[1] + 1, dtype=np.float32))
        squared = np.bincount(bags.row_of, weights**2, minlength=len(bags))
        assert squared == pytest.approx(dense.any(axis=1).astype(float), abs=1e-5)


class TestVocabulary:
    @given(TERMS)
    def test_a_term_is_found_under_its_number(self, terms) -> None:
        vocabulary = Vocabulary.of(terms)
        assert len(vocabulary) == len(terms)
        assert [vocabulary.term(i) for i in range(len(terms))] == terms
        assert [vocabulary.number(term) for term in terms] == list(range(len(terms)))

    @given(TERMS, st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
    def test_what_it_does_not_hold_has_no_number(self, terms, other) -> None:
        assert (Vocabulary.of(terms).number(other) is None) == (other not in terms)

    @given(TERMS)
    def test_it_comes_back_from_its_arrays(self, terms) -> None:
        again = Vocabulary.from_arrays(Vocabulary.of(terms).arrays())
        assert [again.term(i) for i in range(len(again))] == terms
        assert [again.number(term) for term in terms] == list(range(len(terms)))


def grown(parts: list[list[str]]) -> Vocabulary:
    vocabulary = Vocabulary.of(parts[0])
    for part in parts[1:]:
        vocabulary = vocabulary.with_terms(part)
    return vocabulary


class TestPartsOfAVocabulary:
    @given(PARTS, st.text(st.characters(exclude_categories=["Cs"]), max_size=2))
    def test_terms_that_come_later_are_numbered_behind_those_before(self, parts, prefix) -> None:
        terms = [term for part in parts for term in part]
        for vocabulary in (grown(parts), Vocabulary.from_arrays(grown(parts).arrays())):
            assert len(vocabulary) == len(terms)
            assert vocabulary.terms() == terms
            assert [vocabulary.term(number) for number in range(len(terms))] == terms
            assert [vocabulary.number(term) for term in terms] == list(range(len(terms)))
            begin_so = [number for number, term in enumerate(terms) if term.startswith(prefix)]
            assert vocabulary.numbers_from(prefix).tolist() == begin_so

    @given(PARTS)
    def test_the_first_part_is_never_written_again_and_the_others_halve(self, parts) -> None:
        vocabulary = grown(parts)
        assert vocabulary.parts[0].terms() == parts[0]
        sizes = [len(part) for part in vocabulary.parts[1:]]
        assert all(later < before for before, later in itertools.pairwise(sizes))
        assert all(sizes)

    def test_1_000_terms_one_at_a_time_are_few_parts(self) -> None:
        """As the digits of 1,000 in binary are: 1111101000."""
        vocabulary = grown([["first"], *([f"word{n}"] for n in range(1_000))])
        assert [len(part) for part in vocabulary.parts] == [1, 512, 256, 128, 64, 32, 8]

    def test_more_parts_than_ten_come_back_in_their_order(self) -> None:
        sizes = [3, *(2**n for n in range(11, -1, -1))]
        names = iter(f"word{n}" for n in range(sum(sizes)))
        vocabulary = grown([[next(names) for _ in range(size)] for size in sizes])
        assert len(vocabulary.parts) == 13
        assert Vocabulary.from_arrays(vocabulary.arrays()).terms() == [f"word{n}" for n in range(sum(sizes))]


class TestTokens:
    ROWS = st.lists(st.lists(st.integers(-1, 5), max_size=9), min_size=1, max_size=6)

    def tokens(self, rows: list[list[int]]) -> Tokens:
        starts = np.cumsum([0, *map(len, rows)])
        return Tokens(starts, np.array([term for row in rows for term in row], np.int32))

    def rows(self, tokens: Tokens) -> list[list[int]]:
        return [tokens.terms[a:b].tolist() for a, b in itertools.pairwise(tokens.starts.tolist())]

    @given(ROWS)
    def test_bags_count_what_is_a_term(self, rows) -> None:
        bags = self.tokens(rows).bags()
        for i, row in enumerate(rows):
            terms, counts = bags.row(i)
            assert (np.diff(terms) > 0).all()
            expected = collections.Counter(term for term in row if term >= 0)
            assert dict(zip(terms.tolist(), counts.tolist(), strict=True)) == expected

    @given(ROWS, st.data())
    def test_take_rows_and_join_are_those_of_lists(self, rows, draw) -> None:
        tokens = self.tokens(rows)
        chosen = draw.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9))
        first = draw.draw(st.integers(0, len(rows)))
        taken, some = tokens.take(np.array(chosen, np.int64)), tokens.rows(first, len(rows))
        assert self.rows(taken) == [rows[i] for i in chosen]
        assert self.rows(some) == rows[first:]
        assert self.rows(Tokens.concatenated([taken, some])) == [rows[i] for i in chosen] + rows[first:]
        assert self.rows(Tokens.from_arrays(tokens.arrays())) == rows

    @given(ROWS)
    def test_renumbered_by_frequency_they_say_the_same(self, tmp_path_factory, rows) -> None:
        terms = [f"t{number}" for number in range(6)]
        counts = TermCounts.of(self.tokens(rows), terms)
        again = counts.ranked()
        held = collections.Counter(term for row in rows for term in set(row) - {-1})
        ranked = sorted(held, key=lambda number: (-held[number], terms[number]))
        assert list(again.terms) == [terms[number] for number in ranked]
        assert again.frequencies.tolist() == [held[number] for number in ranked]
        renamed = renumbered(self.tokens(rows), terms, again.terms, tmp_path_factory.getbasetemp())
        back = [*ranked, -1]
        assert [[back[term] for term in row] for row in self.rows(renamed)] == rows


class TestCounter:
    def test_terms_are_numbered_by_falling_document_frequency_ties_by_name(self, tmp_path) -> None:
        vocabulary, bags, frequency = count(CORPUS, tmp_path)
        # cat, dog and the are in two documents each, a, bird and sat in one
        assert [vocabulary.term(i) for i in range(len(vocabulary))] == ["cat", "dog", "the", "a", "bird", "sat"]
        assert frequency.tolist() == [2, 2, 2, 1, 1, 1]
        assert dense_of(bags, 6).tolist() == [[1, 0, 1, 0, 0, 1], [1, 1, 2, 0, 0, 0], [0] * 6, [0, 2, 0, 3, 1, 0]]

    @given(st.lists(st.text("ab cжß文档", max_size=20), max_size=12))
    def test_it_counts_as_pythons_counter_counts(self, tmp_path_factory, texts) -> None:
        vocabulary, bags, frequency = count(texts, tmp_path_factory.getbasetemp())
        expected = [collections.Counter(PLAIN.terms(text)) for text in texts]
        for i, tally in enumerate(expected):
            terms, counts = bags.row(i)
            assert (np.diff(terms) > 0).all()
            assert {vocabulary.term(t): n for t, n in zip(terms, counts, strict=True)} == tally
        document_frequency = collections.Counter(term for tally in expected for term in tally)
        assert {vocabulary.term(i): n for i, n in enumerate(frequency)} == document_frequency

    def test_more_documents_than_are_in_memory_at_a_time(self, tmp_path) -> None:
        vocabulary, bags, frequency = count((f"every number{i}" for i in range(5_000)), tmp_path)
        assert (len(vocabulary), len(bags)) == (5_001, 5_000)
        assert frequency[0] == 5_000
        last, _ = bags.row(4_999)
        assert [vocabulary.term(number) for number in last] == ["every", "number4999"]

    def test_a_word_repeated_beyond_what_a_count_holds(self, tmp_path) -> None:
        _, bags, _ = count(["again " * 70_000], tmp_path)
        assert bags.counts.tolist() == [65_535]

    @pytest.mark.parametrize("texts", [[], [""], ["", "...", "\0"]])
    def test_a_corpus_without_a_word(self, tmp_path, texts) -> None:
        vocabulary, bags, frequency = count(texts, tmp_path)
        assert (len(vocabulary), len(bags), len(frequency)) == (0, len(texts), 0)
        assert bags.starts.tolist() == [0] * (len(texts) + 1)

    def test_it_leaves_nothing_on_disk(self, tmp_path) -> None:
        _, bags, _ = count(CORPUS, tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert bags.counts.sum() == 13

    def test_words_keep_their_order_and_stop_words_their_places(self, tmp_path) -> None:
        counter = Counter(Analysis.of("english"), tmp_path)
        counter.add("the cats and a dog of cats")
        vocabulary, tokens, _ = counter.finish()
        said = [vocabulary.term(number) if number >= 0 else None for number in tokens.terms.tolist()]
        assert said == [None, "cat", None, None, "dog", None, "cat"]

    def test_a_corpus_that_breaks_off_leaves_no_file_open(self, tmp_path) -> None:
        Counter(PLAIN, tmp_path).add("begun")
        gc.collect()  # an open file would warn now, and a warning fails the test


class TestVectorizer:
    def vectorizer(self, folder: Path, analysis: Analysis = PLAIN) -> tuple[Vectorizer, Bags]:
        vocabulary, bags, _ = count(CORPUS, folder, analysis)
        return Vectorizer(analysis, vocabulary), bags

    def test_a_query_walks_the_path_of_a_document(self, tmp_path) -> None:
        vectorizer, bags = self.vectorizer(tmp_path)
        again = vectorizer.transform(CORPUS)
        for part in ("starts", "terms", "counts"):
            assert np.array_equal(getattr(again, part), getattr(bags, part))

    def test_unknown_words_are_left_out(self, tmp_path) -> None:
        vectorizer, _ = self.vectorizer(tmp_path)
        text = "The Zebra and the cat: zebra"
        assert dense_of(vectorizer.transform([text]), 6).tolist() == [[1, 0, 2, 0, 0, 0]]

    def test_words_are_numbered_as_written(self, tmp_path) -> None:
        vectorizer, _ = self.vectorizer(tmp_path)
        assert [vectorizer.numbers[word] for word in words("CAT Dog zebra")] == [0, 1, -1]

    @pytest.mark.parametrize("text", [*CORPUS, "", "zebra", "The Zebra and the cat: zebra", "cat " * 70_000])
    def test_the_bag_of_one_text_is_that_of_a_corpus_of_one(self, tmp_path, text) -> None:
        for analysis in (PLAIN, Analysis.of("english")):
            vectorizer, _ = self.vectorizer(tmp_path, analysis)
            one, corpus = vectorizer.bag(text), vectorizer.transform([text])
            for name, array in vars(corpus).items():
                assert getattr(one, name).dtype == array.dtype
                assert getattr(one, name).tolist() == array.tolist()

    @pytest.mark.parametrize("texts", [[], [""], ["zebra"]])
    def test_texts_without_a_known_word_are_empty_bags(self, tmp_path, texts) -> None:
        bags = self.vectorizer(tmp_path)[0].transform(texts)
        assert len(bags) == len(texts)
        assert len(bags.terms) == 0

    def test_what_is_remembered_is_bounded_and_stays_right(self, tmp_path) -> None:
        vectorizer, _ = self.vectorizer(tmp_path)
        vectorizer.numbers.LARGEST = 2
        assert [vectorizer.numbers[word] for word in ("cat", "dog", "the", "cat", "bird")] == [0, 1, 2, 0, 4]
        assert len(vectorizer.numbers) <= 2


class TestGrowingVectorizer:
    def test_a_new_word_is_numbered_once_and_known_ones_stay(self) -> None:
        vectorizer = GrowingVectorizer(Analysis.of("english"), Vocabulary.of(["cat", "dog"]))
        assert vectorizer.tokens(["a zebra, two cats", "zebras and a yak"]).terms.tolist() == [
            -1,
            2,
            3,
            0,
            2,
            -1,
            -1,
            4,
        ]
        assert vectorizer.new == {"zebra": 2, "two": 3, "yak": 4}
        assert vectorizer.grown().terms() == ["cat", "dog", "zebra", "two", "yak"]

    def test_beyond_the_most_terms_new_words_are_none(self, monkeypatch) -> None:
        monkeypatch.setattr("textae.encoding.vectorizer.MOST_TERMS", 3)
        vectorizer = GrowingVectorizer(PLAIN, Vocabulary.of(["cat", "dog"]))
        assert vectorizer.tokens(["yak zebra yak cat"]).terms.tolist() == [2, -1, 2, 0]
        assert vectorizer.grown().terms() == ["cat", "dog", "yak"]
