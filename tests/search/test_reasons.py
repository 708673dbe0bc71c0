"""Why a hit is a hit: whatever was asked of whichever system, the parts sum to the score."""

import shutil
from collections.abc import Iterator

import pytest
from shared import TOPICS, similar_to

from textae import Document, Engine, Hit
from textae.config import SYSTEMS
from textae.encoding.analyzer import searchable, words

MODES = [*SYSTEMS, "lsa-7", "bits-48"]
QUERIES = {
    "words": ("telescopes of the galaxy, and butter", {}),
    "one word": ("comet", {}),
    "unknown words": ("comet qwertz", {}),
    "like": ("comet", {"like": ["ships-2", "bread-4"]}),
    "unlike": ("comet harbour", {"unlike": ["ships-2", "ships-5"]}),
    "like and unlike": ("comet harbour sail", {"like": ["stars-0"], "unlike": ["ships-2"]}),
    "expanded": ("comet", {"expand": True}),
    "all of it": ("comet sail", {"like": ["stars-0", "stars-3"], "unlike": ["ships-2"], "expand": True}),
    "unknown, but like": ("qwertz", {"like": ["bread-1"]}),
}


def sums_up(hits: list[Hit]) -> bool:
    assert hits
    for hit in hits:
        assert hit.explanation is not None
        assert hit.explanation.score == pytest.approx(hit.score, abs=1e-4, rel=1e-4)
    return True


@pytest.fixture(scope="module")
def followed(index_folder, tmp_path_factory) -> Engine:
    """Give the shared index after documents came and went, in several segments."""
    folder = tmp_path_factory.mktemp("followed") / "index"
    shutil.copytree(index_folder, folder)
    engine = Engine.open(folder)
    engine.add([Document(f"new-{n}", f"the comet and the sail of newword{n}, telescope") for n in range(5)])
    engine.remove(["stars-9", "new-1"])
    assert len(engine.snapshot.segments) == 2
    return engine


@pytest.fixture
def in_passages(passages_folder) -> Iterator[Engine]:
    with Engine.open(passages_folder) as engine:
        yield engine


@pytest.mark.parametrize("mode", MODES)
class TestEverySystem:
    @pytest.mark.parametrize("asked", QUERIES)
    def test_the_parts_sum_to_the_score(self, engine, mode, asked) -> None:
        query, how = QUERIES[asked]
        assert sums_up(engine.search(query, 10, mode, explain=True, **how))

    def test_also_through_several_segments_with_words_that_came_later(self, followed, mode) -> None:
        hits = followed.search("newword3 comet sail", 70, mode, explain=True)
        assert sums_up(hits)
        assert any(hit.id.startswith("new") for hit in hits)
        assert sums_up(followed.similar(["new-0", "stars-0"], 70, mode, unlike=["ships-2"], explain=True))

    def test_also_of_passages(self, in_passages, mode) -> None:
        assert sums_up(in_passages.search("comet telescope oven", 12, mode, explain=True))
        assert sums_up(in_passages.similar("long-3", 12, mode, explain=True))

    def test_also_of_a_text(self, engine, mode) -> None:
        assert sums_up(similar_to(engine, "A comet. " * 3 + "And bread!", 9, mode, explain=True))

    def test_hits_are_the_same_with_and_without(self, engine, mode) -> None:
        plain, explained = (engine.search("comet and sail", 7, mode, explain=explain) for explain in (False, True))
        assert [(hit.id, hit.score, hit.snippet) for hit in plain] == [(h.id, h.score, h.snippet) for h in explained]
        assert all(hit.explanation is None for hit in plain)

    def test_where_nothing_is_found_there_is_nothing_to_say(self, engine, mode) -> None:
        assert engine.search("qwertz", mode=mode, explain=True) == []

    def test_the_words_are_as_they_were_asked_for(self, engine, mode) -> None:
        for hit in engine.search("Telescopes, galaxies; BUTTER", 9, mode, explain=True):
            assert hit.explanation is not None
            named = {part.word for part in hit.explanation.keywords + hit.explanation.codes}
            assert named and named <= {"Telescopes", "galaxies", "BUTTER"}


class TestKinds:
    def test_keywords_name_only_what_the_document_holds(self, engine) -> None:
        for mode in ("bm25", "tfidf"):
            for hit in engine.search("comet only3 sail", 20, mode, explain=True):
                assert hit.explanation is not None
                held = set(words(searchable(engine.snapshot.document(hit.id)).casefold()))
                assert {part.word for part in hit.explanation.keywords} == held & {"comet", "only3", "sail"}
                assert (hit.explanation.codes, hit.explanation.together, hit.explanation.common) == ((), 0, ())

    def test_codes_name_no_keywords(self, engine) -> None:
        for mode in ("code", "bits", "lsa", "lsa-7", "bits-48"):
            assert all(hit.explanation.keywords == () for hit in engine.search("comet sail", 9, mode, explain=True))

    def test_the_hybrid_has_both(self, engine) -> None:
        why = engine.search("comet", 1, explain=True)[0].explanation
        assert why.keywords and why.codes and why.common

    def test_codes_of_one_topic_have_its_words_in_common(self, in_passages) -> None:
        why = in_passages.search("comet galaxy", 1, "code", explain=True)[0].explanation
        assert len(set(why.common) & set(TOPICS["stars"].split())) >= 3

    def test_the_decoder_hears_nothing_in_lsa(self, engine) -> None:
        assert all(hit.explanation.common == () for hit in engine.search("comet", 5, "lsa", explain=True))

    def test_words_of_other_texts_are_written_as_documents_write_them(self, engine) -> None:
        """The liked document says `harbour` where the vocabulary has its stem."""
        hit = engine.search("comet", 1, "bm25", like=["ships-2"], explain=True)[0]
        said = set(words(searchable(engine.snapshot.document("ships-2")).casefold())) | set(
            words(searchable(engine.snapshot.document(hit.id)).casefold())
        )
        assert {part.word.casefold() for part in hit.explanation.keywords} <= said | {"comet"}
