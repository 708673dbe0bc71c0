"""Passages: windows that overlap, cover everything and stay within bounds; and what is found by them."""

import itertools
import shutil
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import QUICK, TOPICS, evaluate_labels, long_documents, similar_to

from textae import Document, Engine, ModelSpec, Query, TextaeError
from textae.config import SYSTEMS
from textae.encoding.analyzer import searchable, spans, words
from textae.encoding.arrays import Floats, Mask, Rows
from textae.encoding.bags import Bags
from textae.encoding.passages import passages
from textae.encoding.topk import TopK
from textae.evaluation.run import rank
from textae.index.build import suitable_passage
from textae.index.chunked import ChunkedArray
from textae.index.snapshot import CorpusView
from textae.search.by_passages import COUNTED, POOL, best_documents
from textae.search.query import QueryVector

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
    assert parts("文档检索方法很好", 4) == ["文档检索", "检索方法", "方法很好"]


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
    starts = {start for start, _ in spans(text)}
    for first, end in passages(text, words):
        assert end - first <= 80 * words + 64
        assert sum(first <= start < end for start in starts) <= 1.25 * words + 1


@given(TEXTS, st.integers(2, 40))
def test_a_cut_is_never_inside_a_word_that_is_a_word(text, words) -> None:
    found = list(spans(text))
    for first, _ in passages(text, words):
        assert not any(a < first < b for a, b in found if b - a <= 64 and text[a:b].isascii())


SIZE = 24
SMALL = ModelSpec(dims=16, bits=32, hidden=(16,))
LONG_DOCUMENTS = long_documents()


@pytest.fixture
def engine(passages_folder) -> Iterator[Engine]:
    with Engine.open(passages_folder) as engine:
        yield engine


@pytest.fixture
def changing(passages_folder, tmp_path) -> Iterator[Engine]:
    shutil.copytree(passages_folder, tmp_path / "index")
    with Engine.open(tmp_path / "index") as engine:
        yield engine


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("mode", SYSTEMS)
class TestFoundByPassages:
    def test_a_document_is_found_once_and_so_are_k_of_them(self, engine, mode) -> None:
        for k in (1, 5, 12, 100):
            hits = engine.search("comet telescope oven dough harbour", k, mode)
            assert len({hit.id for hit in hits}) == len(hits)
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            assert len(hits) == k if k < 12 else len(hits) <= 12
            scores = [hit.score for hit in hits]
            assert scores == sorted(scores, reverse=True)

    def test_fewer_hits_are_the_first_of_more(self, engine, mode) -> None:
        more = engine.search("comet oven", 12, mode)
        assert engine.search("comet oven", 3, mode) == more[:3]
        assert engine.search("comet oven", 10**9, mode) == more

    def test_the_best_passage_is_shown_and_each_next_one_counts_half(self, engine, mode) -> None:
        """A chapter that is not what its document is about is found, and shown."""
        chapter = LONG_DOCUMENTS[3].text.split("\n\n")[1]
        snapshot = engine.snapshot
        query = QueryVector.of(snapshot.model.vectorizer.transform([chapter]))
        hits = engine.search(chapter, 12, mode, feedback=False)
        assert set(words(hits[0].snippet.casefold())) <= set(TOPICS["bread"].split()) | {"only3"}
        for hit in hits:
            document = LONG_DOCUMENTS[int(hit.id.removeprefix("long-"))]
            scores = engine.searcher.retriever(mode).scores(query, snapshot.searched.rows_of(snapshot.number(hit.id)))
            first, *others = sorted(scores.tolist(), reverse=True)
            halved = (max(0, score) / 2**place for place, score in enumerate(others[: COUNTED - 1], start=2))
            assert hit.score == pytest.approx(first / 2 + sum(halved), rel=1e-5, abs=1e-5)
            first, last = passages(document.text, SIZE)[scores.argmax()]
            assert hit.snippet.strip("…").strip() in plain(document.text[first:last])

    def test_conditions_are_of_documents_not_of_passages(self, engine, mode) -> None:
        """The word that must be there is in another passage than the one that is found."""
        hits = engine.search(TOPICS["stars"], 12, mode, must="only3")
        assert [hit.id for hit in hits] == ["long-3"]
        hits = engine.search(TOPICS["stars"], 12, mode, where="year:[1903 TO 1905]")
        assert {hit.id for hit in hits} <= {"long-3", "long-4", "long-5"}
        assert "long-3" in {hit.id for hit in hits}

    def test_similar_compares_wholes(self, engine, mode) -> None:
        """Two chapters of three say what a document is about."""
        hits = engine.similar("long-0", 11, mode)
        assert hits[0].fields["about"] == "stars"
        assert "long-0" not in {hit.id for hit in hits}
        whole = searchable(LONG_DOCUMENTS[6])
        assert similar_to(engine, whole, 1, mode)[0].id == "long-6"

    def test_a_removed_document_goes_with_its_passages(self, changing, mode) -> None:
        changing.remove(["long-3", "long-7"])
        for query in ("only3 comet", "only7 oven", " ".join(TOPICS.values())):
            assert not {"long-3", "long-7"} & {hit.id for hit in changing.search(query, 99, mode)}
        assert len(changing.search(TOPICS["stars"], 5, mode)) == 5
        assert changing.snapshot.reader.damage() == []

    def test_an_added_document_is_found_by_its_passages(self, changing, mode) -> None:
        new = long_documents(13, seed=2)[12]
        changing.add([Document("new", new.text, "New", new.fields)])
        first, last = passages(new.text, SIZE)[2]
        hits = changing.search(f"New {new.text[first:last]}", 13, mode)
        found = next(hit for hit in hits if hit.id == "new")
        assert found.score == hits[0].score or (mode == "bits" and found.rank == 2)  # behind another one on stars
        assert found.snippet in plain(new.text[first:last])
        assert changing.snapshot.searched.statistics.n > len(passages(new.text, SIZE))

    def test_many_queries_give_what_each_one_gives(self, engine, mode) -> None:
        queries = [Query(str(n), text) for n, text in enumerate(["comet", "only3 oven", "qwertz"])]
        for query, ranking in zip(queries, rank(engine.searcher, queries, 7, mode), strict=True):
            hits = engine.search(query.text, 7, mode)
            assert ranking.ids == tuple(hit.id for hit in hits)
            assert ranking.scores == pytest.approx([hit.score for hit in hits], abs=1e-5)

    def test_it_is_scored_by_documents(self, engine, mode) -> None:
        scored = evaluate_labels(engine, "about", systems=[mode], k=3)
        assert scored.figures[0].queries == 12
        assert 0 < scored.figures[0].value <= 1
        curve = evaluate_labels(engine, "about", systems=[mode], k=3, curve=True).curves[mode]
        assert curve.cutoffs[-1] == 12


class TestKeywordsOverPassages:
    def test_statistics_are_those_of_passages(self, engine) -> None:
        """A word in the middle of a document is in two of its passages."""
        statistics = engine.snapshot.searched.statistics
        number = engine.snapshot.model.vectorizer.numbers["only3"]
        text = LONG_DOCUMENTS[3].text
        holding = [text[first:last] for first, last in passages(text, SIZE) if "Only3" in text[first:last]]
        assert statistics.frequencies(np.int32([number])).tolist() == [len(holding)] == [2]
        assert statistics.n == sum(len(passages(document.text, SIZE)) for document in LONG_DOCUMENTS)
        assert engine.snapshot.documents.statistics.n == 12

    def test_words_of_one_passage_count_more_than_words_apart(self, tmp_path) -> None:
        filler = " ".join(f"word{n}" for n in range(30))
        together = Document("together", f"zygote qubit {filler} {filler}")
        apart = Document("apart", f"zygote {filler} {filler} qubit")
        with Engine.create(tmp_path / "index") as engine:
            engine.index([apart, together], model=SMALL, train=QUICK, passage=20)
            assert [hit.id for hit in engine.search("zygote qubit", mode="bm25")] == ["together", "apart"]

    def test_a_title_is_in_every_passage(self, engine) -> None:
        hits = engine.search("Volume3 only3", 1, "bm25")
        assert hits[0].id == "long-3"
        last = LONG_DOCUMENTS[3].text.split("\n\n")[2].split(".")[-2]
        assert engine.search(f"Volume3 {last}", 1, "bm25")[0].id == "long-3"


NO_WORDS = Bags(np.zeros(2, np.int64), np.empty(0, np.int32), np.empty(0, np.uint16))


class Fixed:
    """A system whose scores are given."""

    def __init__(self, scores: list[float]) -> None:
        self.all = np.array(scores, np.float32)
        self.searched: list[int] = []

    def search(self, query: QueryVector, k: int, mask: Mask | None = None, min_score: float = 0.0) -> TopK:
        self.searched.append(k)
        return TopK.of_scores(self.all, k, mask, min_score)

    def scores(self, query: QueryVector, rows: Rows) -> Floats:
        return self.all[rows]


def view_of(*segments: list[int]) -> Any:
    """Passages of the documents of these numbers, in segments."""
    view = SimpleNamespace(doc_numbers=ChunkedArray([np.array(segment, np.int64) for segment in segments]), alive=None)
    view.rows_of = partial(CorpusView.rows_of, view)
    return view


def ranked(scores: list[float], view: Any, k: int, min_score: float = 0.0) -> list[tuple[int, float]]:
    top = best_documents(Fixed(scores), view, QueryVector.of(NO_WORDS), k, None, min_score)
    return list(zip(top.rows.tolist(), top.scores.tolist(), strict=True))


class TestScoresOfPassages:
    def test_each_next_one_counts_half(self) -> None:
        """4/2 + 3/4 + 1/8 = 2.875; what scores 0 or less gives nothing."""
        view = view_of([0, 0, 0, 0, 0], [1, 2])
        assert ranked([1, 4, 0, 3, -2, 5, -1], view, 9) == [(1, 2.875), (5, 2.5)]

    def test_only_the_best_eight_count(self) -> None:
        assert ranked([1] * 20, view_of([7] * 20), 1) == [(0, 1 - 2**-8)]

    def test_of_equal_documents_the_first_comes_first(self) -> None:
        assert ranked([2, 2, 2, 2], view_of([0, 0, 1, 1]), 2) == [(0, 1.5), (2, 1.5)]

    def test_documents_below_zero_are_ranked_where_all_are(self) -> None:
        assert ranked([-3, -1, -2], view_of([0, 0, 1]), 3, -np.inf) == [(1, -0.5), (2, -1.0)]

    def test_enough_documents_are_found_behind_one_that_has_all_the_best_passages(self) -> None:
        scores = [9.0] * 2 * POOL + [1.0] * 8 + [1.5]
        view = view_of([*[0] * 2 * POOL, *[1] * 8, 2])
        assert ranked(scores, view, 2) == [(0, 9 * (1 - 2**-8)), (2 * POOL, 1 - 2**-8)]

    def test_one_search_is_enough_where_it_gives_enough_documents(self) -> None:
        system = Fixed([1.0] * 1_000)
        best_documents(system, view_of(list(range(1_000))), QueryVector.of(NO_WORDS), 10, None, 0.0)
        assert system.searched == [POOL]

    @given(
        st.lists(st.lists(st.integers(-4, 9), min_size=1, max_size=12), min_size=1, max_size=16),
        st.integers(1, 20),
        st.sampled_from([0.0, 3.0, -np.inf]),
        st.integers(0, 16),
    )
    def test_few_passages_are_ranked_as_if_all_were_scored(self, documents, k, min_score, cut) -> None:
        numbers = [[number] * len(scores) for number, scores in enumerate(documents)]
        expected, start = [], 0
        for scores in documents:
            first, *others = sorted(scores, reverse=True)
            total = first / 2 + sum(max(0, score) / 2**n for n, score in enumerate(others[: COUNTED - 1], start=2))
            expected.append((start + scores.index(first), total))
            start += len(scores)
        expected = sorted((hit for hit in expected if hit[1] > min_score), key=lambda hit: (-hit[1], hit[0]))[:k]
        view = view_of(*(list(itertools.chain.from_iterable(part)) for part in (numbers[:cut], numbers[cut:])))
        assert ranked(list(itertools.chain.from_iterable(documents)), view, k, min_score) == expected


@pytest.mark.parametrize(
    ("lengths", "passage"),
    [([], 0), ([0], 0), ([1_000] * 9, 0), ([1_001], 200), ([5_000, *[100] * 50], 0), ([5_001, *[100] * 50], 200)],
)
def test_passages_are_made_where_most_words_are_in_long_documents(lengths, passage) -> None:
    assert suitable_passage(np.array(lengths, np.int64)) == passage


def test_long_documents_get_passages_unless_wholes_are_wanted(tmp_path) -> None:
    text = "zygote " + " ".join(f"word{n % 50}" for n in range(1_200))
    for passage, made in ((None, 200), (0, 0), (50, 50)):
        with Engine.create(tmp_path / str(passage)) as engine:
            engine.index([Document("long", text)], model=SMALL, train=QUICK, passage=passage)
            assert engine.snapshot.model.passage == made
            assert ("passages" in engine.info()) == bool(made)


def test_what_an_index_holds_counts_passages_that_are_there(changing) -> None:
    counts = {document.id: len(passages(document.text, SIZE)) for document in LONG_DOCUMENTS}
    assert changing.info()["passages"] == sum(counts.values())
    changing.remove(["long-3"])
    assert changing.info()["passages"] == sum(counts.values()) - counts["long-3"]


def test_learning_anew_keeps_passages(changing) -> None:
    changing.remove(["long-3"])
    changing.train(model=SMALL, train=QUICK)
    assert changing.info()["passages"] == sum(len(passages(d.text, SIZE)) for d in LONG_DOCUMENTS if d.id != "long-3")
    assert changing.search("only4", 1, "bm25")[0].id == "long-4"


def test_short_documents_are_one_passage_each_and_found_as_wholes(tmp_path, documents) -> None:
    with Engine.create(tmp_path / "whole") as whole, Engine.create(tmp_path / "passages") as cut:
        for engine, passage in ((whole, 0), (cut, 100)):
            engine.index(documents, model=SMALL, train=QUICK, passage=passage)
        for mode in SYSTEMS:
            ours, theirs = (engine.search("comet only3 sail", 20, mode) for engine in (cut, whole))
            assert [(hit.id, hit.snippet) for hit in ours] == [(hit.id, hit.snippet) for hit in theirs]
            assert [2 * hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs], abs=1e-5)


@pytest.mark.parametrize("passage", [-1, 1, 19, 100_001])
def test_passages_that_cannot_be_are_refused_before_anything_is_read(tmp_path, passage) -> None:
    with pytest.raises(TextaeError, match="give 20 to 100,000, or 0 for none"):
        Engine.create(tmp_path / "index").index(iter([]), passage=passage)
    assert not (tmp_path / "index").exists()
