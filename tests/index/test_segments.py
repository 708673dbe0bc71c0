"""Segments: few of them, each document rewritten seldom, and a merged one the same as one made at once."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import LONG, QUICK, TINY, some_documents

from textae import Document, Engine
from textae.encoding.analyzer import Analysis, searchable, spans, words
from textae.encoding.bags import Tokens
from textae.encoding.encoders import Encoder, Quantization
from textae.encoding.model import Model
from textae.encoding.passages import passages
from textae.encoding.vectorizer import GrowingVectorizer, Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.encoding.weighting import idf
from textae.index import segments as module
from textae.index.postings import Statistics
from textae.index.segments import (
    Segment,
    build_segment,
    merge_segments,
    merge_slice,
    postings_of,
    prefix,
    removal_arrays,
)

OFTEN = 300 if LONG else 60
KNOWN = 30
"""Terms that the encoder of these tests knows."""


def silent(stage: str, done: int, total: int | None) -> None:
    pass


class TestToMerge:
    @pytest.mark.parametrize(
        ("sizes", "expected"),
        [
            ([], None),
            ([5], None),
            ([4, 2, 1], None),
            ([5, 5], slice(0, 2)),
            ([4, 2, 1, 1], slice(0, 4)),
            ([8, 2, 1, 1], slice(1, 4)),
            ([1, 100], slice(0, 2)),
            ([100, 1, 60], slice(1, 3)),
            ([100, 1, 60, 45], slice(0, 4)),
        ],
    )
    def test_by_hand(self, sizes, expected) -> None:
        assert merge_slice(sizes) == expected

    def test_documents_one_at_a_time_are_a_binary_counter(self) -> None:
        sizes: list[int] = []
        for n in range(1, 130):
            sizes = self.appended(sizes, 1)
            assert sizes == [2**i for i in range(n.bit_length() - 1, -1, -1) if n >> i & 1]

    def appended(self, sizes: list[int], n: int) -> list[int]:
        sizes = [*sizes, n]
        run = merge_slice(sizes)
        return sizes if run is None else [*sizes[: run.start], sum(sizes[run])]

    @given(st.lists(st.integers(1, 50), max_size=OFTEN))
    def test_there_are_few_and_the_next_one_is_always_smaller(self, added) -> None:
        sizes: list[int] = []
        for n in added:
            sizes = self.appended(sizes, n)
            assert all(before > sum(behind) for before, behind in self.tails(sizes))
            assert len(sizes) <= math.log2(sum(sizes)) + 1

    def tails(self, sizes: list[int]) -> list[tuple[int, list[int]]]:
        return [(size, sizes[place + 1 :]) for place, size in enumerate(sizes[:-1])]

    @given(st.lists(st.integers(1, 50), max_size=OFTEN))
    def test_a_document_is_written_again_only_as_their_number_doubles(self, added) -> None:
        segments: list[list[int]] = []  # of each document how often it was written
        for n in added:
            segments.append([1] * n)
            run = merge_slice([len(segment) for segment in segments])
            if run is not None:
                segments[run] = [[times + 1 for segment in segments[run] for times in segment]]
        total = sum(added)
        assert all(times <= 2 + math.log2(total) for segment in segments for times in segment)

    @given(st.lists(st.integers(1, 8), min_size=1, max_size=OFTEN))
    def test_none_becomes_larger_than_the_largest(self, added) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "LARGEST", 10)
            sizes: list[int] = []
            for n in added:
                sizes = self.appended(sizes, n)
                assert max(sizes) <= 10
                assert all(a > sum(behind) or a + sum(behind) > 10 for a, behind in self.tails(sizes))


SAID = [
    "the",
    "star",
    "stars",
    "comet",
    "bread.",
    "oven,",
    "dough!",
    "and",
    "sail",
    "文档",
    "comets",
    "harbour.",
    "mast",
    "deck",
    "tide",
]
WORDS = st.sampled_from([*SAID, "mast\n\ndeck"])
TEXTS = st.lists(WORDS, max_size=30).map(" ".join)
DOCUMENTS = st.builds(
    lambda title, text, year: Document("", text, title, {"year": year}), TEXTS, TEXTS, st.integers(1900, 1999)
).filter(lambda document: bool(words(searchable(document))))
BATCHES = st.lists(st.lists(DOCUMENTS, min_size=1, max_size=5), min_size=1, max_size=4).map(
    lambda batches: [[replace(one, id=f"{n}-{m}") for m, one in enumerate(some)] for n, some in enumerate(batches)]
)


def model(passage: int) -> tuple[Model, GrowingVectorizer]:
    """Give a model that learned a few terms, and whose vectorizer numbers what it meets."""
    rng = np.random.default_rng(1)
    analysis = Analysis.of("english")
    vectorizer = GrowingVectorizer(analysis, Vocabulary.of(["star", "comet", "bread", "oven"]))
    learned = idf(np.array([9, 5, 3, 1, 0]), 10)
    planes = Quantization(np.zeros(3, np.float32), rng.normal(size=(3, 16)).astype(np.float32))
    start = Encoder.lsa(rng.normal(size=(4, 3)).astype(np.float32), learned[:4])
    return Model(vectorizer, learned, replace(start, quantization=planes), start, passage), vectorizer


def made(of: Model, documents: list[Document], numbers: np.ndarray, name: str = "0") -> Segment:
    tokens = of.vectorizer.tokens(map(searchable, documents))
    return named(name, build_segment(documents, of, numbers, tokens))


def named(name: str, arrays) -> Segment:
    return Segment.from_arrays(name, {prefix(name) + inside: array for inside, array in arrays})


def without(segment: Segment, numbers: np.ndarray, arrays: dict[str, np.ndarray]) -> Segment:
    """Give the segment after some of its documents went."""
    own = {**arrays, **removal_arrays(segment, numbers)}
    return named(segment.name, own.items())


def said(segment: Segment) -> dict[str, np.ndarray]:
    """Give all that a segment holds, by name."""
    arrays = {f"tokens/{name}": array for name, array in vars(segment.tokens).items()} | segment.fields.arrays()
    for name, unit in segment.units():
        own = {"owners": unit.doc_numbers, "lsa": unit.lsa, "windows": unit.token_spans, "places": unit.char_spans}
        own |= vars(unit.codes) | unit.postings.arrays() | unit.removed.arrays()
        arrays |= {f"{name}/{inside}": array for inside, array in own.items()}
    return arrays


def same(one: Segment, other: Segment) -> None:
    ours, theirs = said(one), said(other)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert array.dtype == theirs[name].dtype, name
        if array.dtype.kind == "f":
            assert array == pytest.approx(theirs[name], abs=1e-3), name
        else:
            assert np.array_equal(array, theirs[name]), name


def test_many_new_documents_are_segments_of_the_largest_size(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("textae.index.segment_writer.LARGEST", 25)
    with Engine.create(tmp_path) as engine:
        engine.index(some_documents(60), model=TINY, train=QUICK)
        assert [len(segment) for segment in engine.snapshot.segments] == [25, 25, 10]
        assert engine.search("only7", 1, "bm25")[0].id == some_documents(60)[7].id


class TestMerged:
    @pytest.mark.parametrize("passage", [0, 6])
    @given(BATCHES, st.data())
    def test_it_is_the_segment_of_what_is_left(self, passage, batches, draw) -> None:
        of, _ = model(passage)
        documents = [document for batch in batches for document in batch]
        numbers = np.arange(len(documents)) * 3 + 7  # a document's number is not its row
        gone = draw.draw(st.sets(st.sampled_from(numbers.tolist()), max_size=len(numbers) - 1))
        segments, first = [], 0
        for n, batch in enumerate(batches):
            own = numbers[first : first + len(batch)]
            arrays = dict(build_segment(batch, of, own))
            segment = named(str(n), arrays.items())
            for some in (sorted(gone)[::2], sorted(gone)[1::2]):  # in two goes
                segment = without(segment, np.array(some, np.int64), arrays)
                arrays |= removal_arrays(segment, np.array(some, np.int64))
            segments.append(segment)
            first += len(batch)
        kept = [document for document, number in zip(documents, numbers, strict=True) if number not in gone]
        left = np.array([number for number in numbers if number not in gone])
        assert sum(map(len, segments)) == len(left)
        fresh = made(of, kept, left)
        same(named("0", merge_segments(segments, kept, of)), fresh)
        same(named("0", merge_segments([fresh], kept, of)), fresh)

    @pytest.mark.parametrize("passage", [0, 6])
    @given(BATCHES, st.data())
    def test_statistics_are_those_of_what_is_left(self, passage, batches, draw) -> None:
        of, vectorizer = model(passage)
        documents = [document for batch in batches for document in batch]
        numbers = np.arange(len(documents))
        gone = np.array(sorted(draw.draw(st.sets(st.sampled_from(numbers.tolist()), max_size=len(numbers) - 1))), int)
        kept = [document for document, number in zip(documents, numbers, strict=True) if number not in gone]
        arrays = dict(build_segment(documents, of, numbers))
        segment = without(named("0", arrays.items()), gone, arrays)
        terms = np.arange(len(vectorizer.grown()), dtype=np.int32)
        for (_, ours), (_, theirs) in zip(
            segment.units(), made(of, kept, np.setdiff1d(numbers, gone)).units(), strict=True
        ):
            left, fresh = (Statistics([unit.postings], [unit.removed]) for unit in (ours, theirs))
            assert left.n == fresh.n == ours.alive().sum()
            assert left.mean_length == pytest.approx(fresh.mean_length)
            assert left.frequencies(terms).tolist() == fresh.frequencies(terms).tolist()


class TestRemoved:
    def test_a_document_goes_with_all_its_passages(self) -> None:
        of, _ = model(4)
        documents = [Document(str(n), "star comet bread oven " * 4) for n in range(3)]
        tokens = of.vectorizer.tokens(map(searchable, documents))
        arrays = dict(build_segment(documents, of, np.array([5, 6, 9]), tokens))
        segment = without(named("0", arrays.items()), np.array([6]), arrays)
        assert len(segment) == 2
        assert segment.documents.removed.rows.tolist() == [1]
        assert segment.passages is not None
        assert np.unique(segment.passages.doc_numbers[segment.passages.alive()]).tolist() == [5, 9]
        assert segment.passages.rows_of(np.array([6])).tolist() == segment.passages.removed.rows.tolist()

    def test_numbers_that_are_not_in_it_take_nothing(self) -> None:
        of, _ = model(0)
        segment = made(of, [Document("a", "star")], np.array([4]))
        assert removal_arrays(segment, np.array([3, 5]))["documents/removed/rows"].tolist() == []


class TestPassages:
    @given(DOCUMENTS, st.integers(2, 12))
    def test_windows_and_places_say_the_same_words(self, document, size) -> None:
        of, _ = model(size)
        segment = made(of, [document], np.array([0]))
        unit, tokens = segment.passages, segment.tokens.terms
        assert unit is not None
        assert unit.char_spans.tolist() == [list(place) for place in passages(document.text, size)]
        title = of.vectorizer.tokens([document.title]).terms.tolist()
        for row, ((first, last), (start, end)) in enumerate(
            zip(unit.token_spans.tolist(), unit.char_spans.tolist(), strict=True)
        ):
            inside = [of.vectorizer.numbers[document.text[a:b]] for a, b in spans(document.text) if start <= a < end]
            assert tokens[first:last].tolist() == inside
            held = [term for term in title + inside if term >= 0]
            bag = unit.postings.bags().rows(row, row + 1)
            assert dict(zip(bag.terms.tolist(), bag.counts.tolist(), strict=True)) == {
                term: held.count(term) for term in held
            }

    def test_a_passage_that_is_the_whole_document_has_its_codes(self) -> None:
        of, _ = model(50)
        segment = made(of, [Document("a", "star, comet and bread", "On stars")], np.array([0]))
        assert segment.passages is not None
        for name in ("has_code", "floats", "bits"):
            assert np.array_equal(getattr(segment.passages.codes, name), getattr(segment.documents.codes, name))

    def test_passages_stand_in_the_order_of_their_documents(self) -> None:
        of, _ = model(4)
        documents = some_documents(5)
        segment = made(of, documents, np.array([2, 3, 5, 7, 11]))
        assert segment.passages is not None
        counts = [len(passages(document.text, 4)) for document in documents]
        assert segment.passages.doc_numbers.tolist() == list(
            itertools.chain.from_iterable([number] * n for number, n in zip((2, 3, 5, 7, 11), counts, strict=True))
        )


def test_terms_that_came_later_have_the_idf_of_unseen_ones() -> None:
    of, vectorizer = model(0)
    bags = Tokens(np.array([0, 2]), np.int32([0, 6])).bags()
    assert postings_of(bags, of).norms.tolist() == pytest.approx([math.hypot(of.idf[0], of.idf[-1])])
    assert isinstance(vectorizer, Vectorizer)
