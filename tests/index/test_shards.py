"""The seams of a cluster: a corpus that is counted, encoded and searched in shards has the bytes of the whole one.

Held here on one machine: counts add up to one vocabulary, segments of shards merge to the segment of all documents, and
the best rows of shards merge to the best rows of the corpus. A hybrid needs merged segments: it divides scores by their
standard deviation over all rows.
"""

import functools
import itertools
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import TOPICS, some_documents

from textae import Document, Engine
from textae.encoding.analyzer import Analysis, searchable
from textae.encoding.counting import Counter, TermCounts, renumbered
from textae.encoding.encoders import Encoder, Quantization
from textae.encoding.layers import unit
from textae.encoding.model import Model
from textae.encoding.topk import TopK
from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Vocabulary
from textae.encoding.weighting import idf
from textae.index.segments import Segment, build_segment, merge_segments, prefix
from textae.index.snapshot import Snapshot
from textae.search.searcher import Searcher

ENGLISH = Analysis.of("english")
TEXTS = st.lists(st.text("ab cжß文档 ", max_size=20), max_size=12)
CUTS = st.lists(st.integers(0, 12), max_size=4)


def shards(rows, cuts) -> list:
    """The rows cut into consecutive shards."""
    ends = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    return [rows[first:last] for first, last in itertools.pairwise(ends)]


def counted(texts, folder) -> tuple[TermCounts, object]:
    counter = Counter(ENGLISH, folder)
    for text in texts:
        counter.add(text)
    return counter.counts()


class TestCounts:
    @given(TEXTS, CUTS, st.randoms(use_true_random=False))
    def test_shards_give_the_vocabulary_and_the_tokens_of_the_whole(self, tmp_path_factory, texts, cuts, random):
        folder = tmp_path_factory.getbasetemp()
        counter = Counter(ENGLISH, folder)
        for text in texts:
            counter.add(text)
        vocabulary, tokens, frequencies = counter.finish()
        parts = [counted(some, folder) for some in shards(texts, cuts)]
        in_any_order = random.sample(parts, len(parts))
        total = functools.reduce(operator.add, [counts for counts, _ in in_any_order])
        ranked = total.ranked()
        again, summed = Vocabulary.of(ranked.terms), ranked.frequencies
        assert total.n_documents == len(texts)
        assert {name: array.tobytes() for name, array in again.arrays().items()} == {
            name: array.tobytes() for name, array in vocabulary.arrays().items()
        }
        assert (summed.dtype, summed.tolist()) == (frequencies.dtype, frequencies.tolist())
        for some, (counts, own) in zip(shards(texts, cuts), parts, strict=True):
            by_counts = renumbered(own, counts.terms, ranked.terms, folder)
            by_words = Vectorizer(ENGLISH, again).tokens(some)
            assert by_counts.terms.tolist() == by_words.terms.tolist()
            assert by_counts.starts.tolist() == by_words.starts.tolist()
        joined = [
            term for counts, own in parts for term in renumbered(own, counts.terms, ranked.terms, folder).terms.tolist()
        ]
        assert joined == tokens.terms.tolist()

    def test_the_rarest_terms_of_the_whole_go_not_those_of_a_shard(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr("textae.encoding.counting.MOST_TERMS", 2)
        texts = ["zebra yak", "cat dog", "zebra", "zebra cat"]
        parts = [counted(some, tmp_path)[0] for some in shards(texts, [2])]
        assert functools.reduce(operator.add, parts).ranked().terms == ["zebra", "cat"]


def model(passage: int = 0, dims: int = 24) -> Model:
    """A model that learned the words of the topics, with an encoder by chance."""
    terms = [term for words in TOPICS.values() for word in words.split() if (term := ENGLISH.term(word))]
    rng = np.random.default_rng(1)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32) / np.float32(shape[-1] ** 0.5)

    learned = idf(np.append(rng.integers(1, 40, len(terms)), 0), 60)
    instance, topic = ((normal(32, 32), normal(32)), (normal(32, 16), normal(16))), ((normal(32, 8), normal(8)),)
    planes = Quantization(normal(dims) / 50, normal(dims, 64))
    encoder = Encoder(learned[:-1], normal(len(terms), 32), instance, topic, normal(8), normal(8, 8), 0.4, planes)
    start = Encoder.lsa(normal(len(terms), 8), learned[:-1])
    return Model(Vectorizer(ENGLISH, Vocabulary.of(terms)), learned, encoder, start, passage)


def built(documents, of: Model, numbers=None) -> dict[str, np.ndarray]:
    return dict(build_segment(documents, of, numbers))


def segment(name: str, arrays: dict[str, np.ndarray]) -> Segment:
    return Segment.from_arrays(name, {prefix(name) + inside: array for inside, array in arrays.items()})


def same_bytes(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert (array.dtype, array.shape) == (other[name].dtype, other[name].shape), name
        assert array.tobytes() == other[name].tobytes(), name


def merged(documents, of: Model, cuts) -> dict[str, np.ndarray]:
    """The segment that shards of the documents, each built on its own, merge to."""
    numbers = shards(np.arange(len(documents)), cuts)
    parts = [
        segment(str(i), built(some, of, own))
        for i, (some, own) in enumerate(zip(shards(documents, cuts), numbers, strict=True))
        if some
    ]
    return dict(merge_segments(parts, documents, of))


class TestSegments:
    @settings(max_examples=25)
    @given(st.integers(1, 40), st.lists(st.integers(0, 40), max_size=4), st.sampled_from([0, 4]))
    def test_shards_of_any_size_merge_to_the_bytes_of_the_whole(self, n, cuts, passage) -> None:
        documents, of = some_documents(n), model(passage)
        same_bytes(merged(documents, of, cuts), built(documents, of))

    def test_four_shards_of_chunks_merge_to_the_bytes_of_the_whole(self) -> None:
        documents, of = some_documents(4 * 2_048 + 700), model()
        whole = built(documents, of)
        same_bytes(merged(documents, of, [2_048, 4_096, 6_144]), whole)
        same_bytes(merged(documents, of, [1, 2_049, 5_000]), whole)

    def test_it_reads_documents_once_and_needs_neither_numbers_nor_tokens(self) -> None:
        documents, of = some_documents(9), model(4)
        tokens = of.vectorizer.tokens(map(searchable, documents))
        same_bytes(built(iter(documents), of), dict(build_segment(iter(documents), of, np.arange(9), tokens)))

    @pytest.mark.parametrize("index", ["index_folder", "passages_folder", "pictures_folder"])
    def test_shards_merge_to_the_segment_of_an_index(self, request, index) -> None:
        with Engine.open(request.getfixturevalue(index)) as engine:
            snapshot = engine.snapshot
            documents, (name,) = list(snapshot.reader.stream()), snapshot.reader.settings["segments"]
            start = prefix(name)
            on_disk = {
                inside.removeprefix(start): np.asarray(array)
                for inside, array in snapshot.reader.arrays.items()
                if inside.startswith(start)
            }
            same_bytes(merged(documents, snapshot.model, [5, 17, 30]), on_disk)


SCORES = st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0]), max_size=30)


class TestRankings:
    @given(SCORES, CUTS, st.integers(-1, 35), st.sampled_from([-np.inf, -1.5, 0.0]))
    def test_the_best_of_shards_merge_to_the_best_of_all(self, scores, cuts, k, min_score) -> None:
        parts = shards(np.float32(scores), cuts)
        starts = [sum(map(len, parts[:i])) for i in range(len(parts))]
        best = TopK.merge([TopK.of_scores(part, k, None, min_score) for part in parts], starts, k)
        whole = TopK.of_scores(np.float32(scores), k, None, min_score)
        assert (best.rows.tolist(), best.scores.tolist()) == (whole.rows.tolist(), whole.scores.tolist())
        assert (best.rows.dtype, best.scores.dtype) == (whole.rows.dtype, whole.scores.dtype)

    def test_no_shard_has_no_rows(self) -> None:
        assert TopK.merge([], [], 3).rows.tolist() == []

    def snapshot(self, engine: Engine, segments: list[Segment]) -> Snapshot:
        """The index with other segments."""
        snapshot = Snapshot(engine.snapshot.reader)
        vars(snapshot)["segments"] = tuple(segments)
        return snapshot

    @pytest.mark.parametrize("mode", ["tfidf", "bm25", "lsa", "lsa-4", "code", "bits", "bits-32", "hybrid"])
    def test_merged_shards_rank_as_the_whole(self, engine, mode) -> None:
        documents = list(engine.snapshot.reader.stream())
        one = Searcher(self.snapshot(engine, [segment("0", merged(documents, engine.snapshot.model, [5, 17, 30]))]))
        for text in ("telescope and comet", "flour of a baker in the harbour", "only7"):
            query = one.text_query(text)
            ours, theirs = one.rank(query, 60, mode), engine.searcher.rank(query, 60, mode)
            assert len(ours.rows)
            assert ours.rows.tolist() == theirs.rows.tolist()
            assert ours.scores.tobytes() == theirs.scores.tobytes()

    @pytest.mark.parametrize("mode", ["tfidf", "bm25", "lsa", "lsa-4", "code", "bits"])
    def test_shards_searched_apart_merge_to_the_ranking_of_the_whole(self, engine, mode) -> None:
        """Each with the statistics of all."""
        documents, of, cuts = list(engine.snapshot.reader.stream()), engine.snapshot.model, [5, 17, 30]
        numbers = shards(np.arange(len(documents)), cuts)
        alone = [
            self.snapshot(engine, [segment("0", built(some, of, own))])
            for some, own in zip(shards(documents, cuts), numbers, strict=True)
        ]
        statistics = functools.reduce(operator.add, [one.documents.statistics for one in alone])
        for one in alone:
            vars(one.documents)["statistics"] = statistics
        searchers = [Searcher(one) for one in alone]
        for text, k in itertools.product(("telescope and comet", "flour of a baker in the harbour", "only7"), (3, 60)):
            query = engine.searcher.text_query(text)
            best = TopK.merge([one.rank(query, k, mode) for one in searchers], [own[0] for own in numbers], k)
            whole = engine.searcher.rank(query, k, mode)
            assert best.rows.tolist() == whole.rows.tolist()
            assert best.scores.tobytes() == whole.scores.tobytes()


def test_codes_of_shards_are_rows_of_the_codes_of_the_whole() -> None:
    of, documents = model(), some_documents(100)
    codes = of.encoder.encode(of.vectorizer.transform(map(searchable, documents)))
    assert unit(codes.floats) == pytest.approx(codes.floats, abs=1e-6)
    for first, last in ((0, 1), (1, 50), (50, 100)):
        part = of.encoder.encode(of.vectorizer.transform(map(searchable, documents[first:last])))
        assert part.floats.tobytes() == codes.floats[first:last].tobytes()
        assert part.bits.tobytes() == codes.bits[first:last].tobytes()


def test_a_shard_without_a_word_is_a_segment_too() -> None:
    arrays = built([Document("a", "the"), Document("b", "zebra")], model(4))
    assert arrays["documents/known"].tolist() == [False, False]
    assert arrays["passages/windows"].tolist() == [[0, 1], [0, 1]]
