"""The façade: index, search, similar, rank and evaluate, on corpora of every size and kind."""

import hashlib
import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shared import ENVIRONMENT, QUICK, contents, evaluate_labels, some_documents

from textae import Document, Engine, ModelSpec, Query, Skipped, TextaeError, TrainSpec
from textae.config import SYSTEMS
from textae.errors import CorpusError, QueryError, StoreError
from textae.evaluation.run import rank
from textae.index import soundness
from textae.index.build import first_documents

SMALL = ModelSpec(dims=16, bits=32, hidden=(16,))


def indexed(folder: Path, corpus, language="auto") -> Engine:
    engine = Engine.create(folder)
    engine.index(corpus, model=SMALL, train=QUICK, language=language)
    return engine


@pytest.mark.parametrize("system", [*SYSTEMS, "lsa-3"])
class TestEverySystem:
    @pytest.mark.parametrize(
        "topic, words", [("stars", "comet telescope"), ("bread", "oven dough"), ("ships", "anchor")]
    )
    def test_it_finds_the_topic(self, engine, system, topic, words):
        assert [hit.fields["topic"] for hit in engine.search(words, k=5, mode=system)] == [topic] * 5

    def test_a_document_as_a_query_finds_itselffirst_documents(self, engine, documents, system):
        if system == "lsa-3":
            pytest.skip("three numbers tell topics apart, not documents")
        for document in documents[:6]:
            assert engine.search(f"{document.title} {document.text}", k=1, mode=system)[0].id == document.id

    def test_scores_never_increase_and_ranks_count(self, engine, system):
        for query in ("comet and sail", "yeast", "about"):
            hits = engine.search(query, k=60, mode=system)
            scores = [hit.score for hit in hits]
            assert scores == sorted(scores, reverse=True)
            assert all(score > 0 for score in scores)
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            assert len({hit.id for hit in hits}) == len(hits)

    def test_fewer_hits_are_the_first_of_more(self, engine, system):
        more = engine.search("sail bread star", k=60, mode=system)
        assert engine.search("sail bread star", k=7, mode=system) == more[:7]
        assert engine.search("sail bread star", k=1_000_000, mode=system) == more

    def test_a_document_is_not_its_own_hit_in_similar(self, engine, documents, system):
        for document in documents[:3]:
            hits = engine.similar(document.id, k=100, mode=system)
            assert hits
            assert document.id not in {hit.id for hit in hits}
            assert hits[0].fields["topic"] == document.fields["topic"]

    def test_one_query_at_a_time_or_many_give_the_same(self, engine, system):
        texts = ["comet", "sail the storm", "zzz", "", "flour oven star", "crust " * 50]
        rankings = rank(engine.searcher, [Query(str(n), text) for n, text in enumerate(texts)], 8, system)
        for text, ranking in zip(texts, rankings, strict=True):
            hits = engine.search(text, 8, system) if text else []
            assert ranking.ids == tuple(hit.id for hit in hits)
            assert ranking.scores == pytest.approx([hit.score for hit in hits], abs=1e-5)

    def test_unknown_words_find_nothing_and_change_nothing(self, engine, system):
        assert engine.search("qwertz", mode=system) == []
        with_it, without = (engine.search(query, mode=system) for query in ("qwertz comet", "comet"))
        assert [hit.id for hit in with_it] == [hit.id for hit in without]
        if system != "hybrid":  # whose scores are shares of what a document with all words can get
            assert with_it == without

    def test_it_is_scored(self, engine, documents, system):
        queries = [Query("1", "comet"), Query("2", "dough"), Query("3", "not judged")]
        qrels = {
            str(number): {d.id: 1 for d in documents if d.fields["topic"] == topic}
            for number, topic in ((1, "stars"), (2, "bread"))
        }
        scored = engine.evaluate(queries, qrels, [system])
        assert scored.unjudged == 1
        assert {figure.metric for figure in scored.figures} == {"nDCG@10", "MAP", "recall@100", "P@10"}
        assert all(figure.system == system and figure.queries == 2 for figure in scored.figures)
        assert next(figure.value for figure in scored.figures if figure.metric == "P@10") > 0.5
        assert 0.5 < evaluate_labels(engine, "topic", systems=[system], k=5).figures[0].value <= 1


class TestSearch:
    def test_a_hit_is_the_document(self, engine, documents):
        hit = engine.search("only17", k=1, mode="bm25")[0]
        assert (hit.id, hit.title, hit.fields) == (documents[17].id, documents[17].title, documents[17].fields)
        assert [hit.snippet[start:end] for start, end in hit.marks] == ["only17"]

    def test_unknown_words_are_told_once_and_as_written(self, engine):
        assert engine.searcher.unknown("Qwertz comet ünknown qwertz Qwertz the", "hybrid") == [
            "Qwertz",
            "ünknown",
            "qwertz",
        ]

    def test_what_the_encoder_does_not_know_is_told_for_codes_alone(self, tmp_path):
        engine = Engine.create(tmp_path)
        engine.index(some_documents(30), model=ModelSpec(dims=8, bits=32, hidden=(), inputs=20), train=QUICK)
        assert engine.searcher.unknown("only7 qwertz about", "hybrid") == ["qwertz"]
        assert engine.searcher.unknown("only7 qwertz about", "bm25") == ["qwertz"]
        for system in ("code", "bits", "lsa", "lsa-2"):
            assert engine.searcher.unknown("only7 qwertz about", system) == ["only7", "qwertz"]
            assert engine.search("only7", mode=system) == []

    def test_stop_words_alone_are_told(self, engine):
        assert engine.searcher.only_stop_words("to be or not to be")
        assert not engine.searcher.only_stop_words("to be a comet")
        assert not engine.searcher.only_stop_words("to qwertz")
        assert not engine.searcher.only_stop_words("…!")

    @pytest.mark.parametrize(
        ("chosen", "says"),
        [
            ({"systems": ["bm25", "magic"]}, "no system 'magic'"),
            ({"systems": ["bm25", "lsa-" + "9" * 5_000]}, "no system 'lsa-999"),
            ({"systems": []}, "no system to score"),
            ({"baseline": "code", "systems": ["bm25"]}, "the baseline 'code' is not among the systems: bm25"),
            ({"seed": -1}, "the seed must be from 0 to 4294967295"),
            ({"seed": 2**32}, "the seed must be from 0 to 4294967295"),
        ],
    )
    def test_what_cannot_be_scored_is_refused_before_anything_is(self, engine, monkeypatch, chosen, says):
        monkeypatch.setattr("textae.evaluation.run.rank", None)
        with pytest.raises(TextaeError, match=says):
            engine.evaluate([Query("1", "comet")], {"1": {"stars-0": 1}}, **chosen)
        with pytest.raises(TextaeError, match=says):
            evaluate_labels(engine, "topic", **chosen)

    @pytest.mark.parametrize("query", ["", "  ", "\n\t"])
    def test_an_empty_query_is_refused(self, engine, query):
        with pytest.raises(QueryError, match="the query is empty; give some words"):
            engine.search(query)

    def test_an_unknown_id_is_refused(self, engine):
        with pytest.raises(QueryError, match=r"no document has the id 'x12'; 'textae search' prints ids"):
            engine.similar("x12")

    @pytest.mark.parametrize("mode", ["", "BM25", "lsa-0", "lsa-x", "lsa-²", "lsa-1-2", "code-3"])
    def test_an_unknown_system_is_refused(self, engine, mode):
        with pytest.raises(TextaeError, match=f"no system '{mode}'; give one of tfidf, bm25"):
            engine.search("comet", mode=mode)

    @pytest.mark.parametrize("k", [0, -1])
    def test_no_hits_cannot_be_asked_for(self, engine, k):
        with pytest.raises(QueryError, match=f"{k} hits were asked for; give at least 1"):
            engine.search("comet", k=k)

    def test_100_000_words_are_a_query(self, engine):
        assert engine.search("comet telescope " * 50_000, k=1)[0].fields["topic"] == "stars"
        assert len(engine.searcher.unknown(" ".join(f"word{n}" for n in range(100_000)), "hybrid")) == 100_000

    def test_chinese_in_an_english_corpus_finds_nothing(self, engine):
        assert engine.search("文档检索") == []
        assert engine.searcher.unknown("文档", "hybrid") == ["文档"]

    def test_what_the_index_holds_is_told(self, engine):
        facts = engine.info()
        assert (facts["documents"], facts["language"], facts["seed"]) == (60, "english", 1)
        assert facts["bytes_bits"] == 60 * 32

    def test_an_engine_that_is_open_keeps_its_commit(self, tmp_path):
        indexed(tmp_path, some_documents(12))
        old = Engine.open(tmp_path)
        indexed(tmp_path, some_documents(3))
        with old, Engine.open(tmp_path) as new:
            indexed(tmp_path, [Document("other", "words")])
            for engine, number in ((old, 12), (new, 3)):
                assert list(engine.snapshot.reader.all_ids().values()) == [one.id for one in some_documents(number)]
                assert engine.search(f"only{number - 1}", mode="bm25")[0].title.endswith(str(number - 1))
            new.close()
            assert new.search("only2", mode="bm25") == []
            assert [hit.id for hit in new.search("words")] == ["other"]


class TestIndex:
    def test_the_same_seed_gives_the_same_bytes(self, tmp_path):
        """In another process too, whose hashes of strings differ."""
        script = (
            "import sys; sys.path.insert(0, sys.argv[1]); from test_engine import *\n"
            "indexed(Path(sys.argv[2]), some_documents(60))"
        )
        arguments = [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path / "another")]
        with subprocess.Popen(arguments, env=ENVIRONMENT | {"PYTHONHASHSEED": "4711"}) as other:
            indexed(tmp_path / "one", some_documents(60))
        assert other.returncode == 0
        one, another = contents(tmp_path / "one"), contents(tmp_path / "another")
        assert one == another
        assert len(one[1]) > 10

    def test_another_seed_gives_another_code(self, tmp_path):
        for seed in (1, 2):
            Engine.create(tmp_path / str(seed)).index(
                some_documents(), model=SMALL, train=TrainSpec(seed=seed, epochs=1, device="cpu")
            )
        first, second = (contents(tmp_path / seed)[1] for seed in "12")
        assert first["segments/0/documents/floats"] != second["segments/0/documents/floats"]
        assert first["segments/0/documents/postings/documents"] == second["segments/0/documents/postings/documents"]

    def test_indexing_again_replaces(self, tmp_path):
        with indexed(tmp_path, some_documents(30)) as engine:
            assert engine.snapshot.reader.has("ships-2")
            engine.index([Document("new", "another comet"), Document("two", "and bread")], model=SMALL, train=QUICK)
            assert not engine.snapshot.reader.has("ships-2")
            assert [hit.id for hit in engine.search("comet", mode="bm25")] == ["new"]
            assert engine.info()["documents"] == 2

    def test_odd_ids_and_fields_survive(self, tmp_path):
        ids = [
            "with space",
            "日本語",
            "x" * 5_000,
            "two\nlines",
            "tab\there",
            "nul\0",
            "../../etc/passwd",
            "-k",
            "'; --",
            " ",
        ]
        fields = {"a": [1, {"b": None}], "NaN": "text", "": 1.5, "ü": "日本"}
        documents = [Document(id, f"comet number{n}", "", fields) for n, id in enumerate(ids)]
        with indexed(tmp_path, documents) as engine:
            hits = engine.search("comet", k=20, mode="bm25")
            assert {hit.id for hit in hits} == set(ids)
            assert all(hit.fields == fields for hit in hits)
            assert all(id not in {hit.id for hit in engine.similar(id, k=20)} for id in ids)

    def test_what_is_no_document_is_counted_and_named(self, tmp_path):
        corpus = [
            Document("a", "a comet", source="a.txt"),
            Skipped("b.bin", "binary"),
            Document("a", "again", source="c.txt"),
            Document("d", " …!? ", source="d.txt"),
            Document("e\ud800", "half", source="e.txt"),
            Skipped("f.bin", "binary"),
            Document("g", "star"),
        ]
        report = Engine.create(tmp_path).index(corpus, model=SMALL, train=QUICK)
        assert report.documents == 2
        assert report.skipped == {"binary": 2, "id already used": 1, "no words": 1, "half of a surrogate pair": 1}
        assert report.examples["binary"] == ["b.bin", "f.bin"]
        assert report.examples["id already used"] == ["c.txt"]
        assert "expect little" in report.warnings[0]

    @pytest.mark.parametrize("corpus", [[], [Skipped("a", "binary")], [Document("a", ""), Document("b", "...")]])
    def test_a_corpus_without_words_is_refused_and_nothing_changes(self, tmp_path, corpus):
        indexed(tmp_path, some_documents(5))
        before = contents(tmp_path)
        with pytest.raises(CorpusError, match=r"^no document to index"):
            indexed(tmp_path, corpus)
        assert contents(tmp_path) == before

    def test_a_source_that_breaks_in_the_middle_changes_nothing(self, tmp_path):
        indexed(tmp_path, some_documents(5))
        before = contents(tmp_path)

        def breaking():
            yield from some_documents(3)
            raise CorpusError("the file ends in the middle of a line")

        with pytest.raises(CorpusError, match="in the middle"):
            indexed(tmp_path, breaking())
        assert contents(tmp_path) == before
        assert sorted(path.name for path in tmp_path.iterdir()) == ["arrays", "index.sqlite"]

    @pytest.mark.parametrize("n", [1, 2, 3, 4, 20, 257])
    def test_a_corpus_of_any_size_can_be_searched(self, tmp_path, n):
        with indexed(tmp_path, some_documents(n)) as engine:
            for system in SYSTEMS:
                assert len(engine.search("only0 telescope comet star planet", k=3, mode=system)) <= n
                assert len(engine.similar("stars-0", k=300, mode=system)) <= n - 1
            assert engine.search("only0 about")[0].id == "stars-0"

    @pytest.mark.parametrize("n", [2, 3, 20, 300])
    def test_documents_that_are_all_the_same_are_all_found(self, tmp_path, n):
        with indexed(tmp_path, [Document(str(i), "the same comet again") for i in range(n)]) as engine:
            for system in SYSTEMS:
                hits = engine.search("same comet", k=n, mode=system)
                assert [hit.id for hit in hits] == [str(i) for i in range(n)]
                assert len({hit.score for hit in hits}) == 1

    def test_10_000_documents_of_one_word(self, tmp_path):
        corpus = (Document(str(number), "comet") for number in range(10_000))
        with Engine.create(tmp_path) as engine:
            engine.index(corpus, model=SMALL, train=TrainSpec(epochs=1, device="cpu", most_documents=1_000))
            for system in SYSTEMS:
                assert [hit.id for hit in engine.search("comet", k=3, mode=system)] == ["0", "1", "2"]

    def test_documents_of_only_stop_words(self, tmp_path):
        corpus = [Document("a", "to be or not to be"), Document("b", "it is what it was")]
        with pytest.raises(CorpusError, match="all are stop words or too long; --language none keeps stop words"):
            indexed(tmp_path, corpus)
        with indexed(tmp_path, corpus, language=None) as engine:
            assert [hit.id for hit in engine.search("what is", mode="bm25")] == ["b"]

    def test_a_document_of_only_stop_words_among_others(self, tmp_path):
        corpus = [*some_documents(20), Document("hamlet", "to be or not to be")]
        with indexed(tmp_path, corpus, language="english") as engine:
            assert engine.snapshot.reader.has("hamlet")
            assert engine.similar("hamlet") == []
            assert all("hamlet" not in {hit.id for hit in engine.search("comet bread sail", 50, s)} for s in SYSTEMS)

    def test_words_too_long_to_be_words(self, tmp_path):
        with pytest.raises(CorpusError, match="too long"):
            indexed(tmp_path, [Document("a", "x" * 1_000)])

    def test_chinese_can_be_indexed(self, tmp_path):
        corpus = [Document("a", "文档检索系统"), Document("b", "天气预报"), Document("c", "数据压缩")]
        with indexed(tmp_path, corpus) as engine:
            assert engine.info()["language"] is None
            assert engine.search("检索", k=1)[0].id == "a"
            assert [hit.id for hit in engine.search("气", mode="bm25")] == ["b"]
            assert engine.searcher.unknown("猫好 数", "bm25") == ["猫好"]

    @pytest.mark.parametrize("other", ["more text", "much more text of other things"])
    def test_of_two_documents_the_one_that_has_the_word_comesfirst_documents(self, tmp_path, other):
        with indexed(tmp_path, [Document("h", other), Document("g", "good old text")], language=None) as engine:
            assert engine.search("good")[0].id == "g"

    @pytest.mark.parametrize(
        "wrong, says",
        [
            (Document(5, "text"), "the id of the document 5 is 5, of type int; it must be a string"),
            (Document("a", None), "the text of the document 'a' is None, of type NoneType; it must be a string"),
            (Document("a", "text", title=1.5), "the title of the document 'a' is 1.5, of type float; it must be"),
            (Document("a", "text", fields=None), "the document 'a' needs a dictionary of fields"),
            (Document("a", "text", picture=b""), "and a textae.Picture or None"),
            (Document("a", "text", fields={"n": np.int64(1)}), "the fields of the document 'a' are none that JSON"),
            ({"id": "a", "texts": "b"}, "the document 1 has no field 'text' or 'body' or 'content'"),
            (5, "the document 1 is of type int: 5"),
        ],
    )
    def test_what_is_no_document_is_refused_at_once_and_changes_nothing(self, tmp_path, wrong, says):
        with indexed(tmp_path, some_documents(20)) as engine:
            before = contents(tmp_path)
            for change in (engine.index, engine.add):
                with pytest.raises(CorpusError, match=re.escape(says)):
                    change([Document("b", "another text"), wrong])
            assert contents(tmp_path) == before

    @pytest.mark.parametrize(
        "wrong, says",
        [
            (lambda: ModelSpec(bits=10), "10 bits were asked for; give a multiple of 8"),
            (lambda: ModelSpec(dims=0), "give at least 1"),
            (lambda: ModelSpec(hidden=(5, 0)), "each needs at least 1 unit"),
            (lambda: ModelSpec(dropout=1.0), r"must be in \[0, 1\), got 1"),
            (lambda: ModelSpec(inputs=0), "give at least 1"),
            (lambda: TrainSpec(seed=-1), "the seed must be from 0 to 4294967295"),
            (lambda: TrainSpec(device="tpu"), "no device 'tpu'; give one of auto, cpu, cuda"),
            (lambda: TrainSpec(epochs=-1), r"must be from 0 \(LSA alone\) to 1,000,000"),
        ],
    )
    def test_a_shape_that_cannot_be_is_refused(self, wrong, says):
        with pytest.raises(TextaeError, match=says):
            wrong()

    @pytest.mark.parametrize("says", ["DefaultCPUAllocator: can't allocate memory", "CUDA out of memory. Tried"])
    def test_a_model_for_which_there_is_no_memory(self, tmp_path, monkeypatch, says):
        def learn(*arguments):
            raise RuntimeError(says)

        monkeypatch.setattr("textae.training.text.learn", learn)
        with pytest.raises(
            TextaeError, match=r"not enough memory to learn 16 numbers and 32 bits .* of 16; give smaller"
        ):
            indexed(tmp_path, some_documents(3))

    def test_an_error_that_is_not_of_memory_is_not_taken_for_one(self, tmp_path, monkeypatch):
        def learn(*arguments):
            raise RuntimeError("mine")

        monkeypatch.setattr("textae.training.text.learn", learn)
        with pytest.raises(RuntimeError, match="mine"):
            indexed(tmp_path, some_documents(3))

    def test_no_more_than_8_mb_are_held_to_tell_the_language(self):
        one = Document("a", "the comet and the sky " * 100_000)
        corpus = iter([one] * 10)
        assert len(first_documents(corpus)) == 4
        assert len(list(corpus)) == 6
        assert len(first_documents(iter([Document("a", "sky")] * 2_000))) == 1_000

    def test_an_unknown_language_is_refused_with_the_known_ones(self, tmp_path):
        with pytest.raises(TextaeError, match="no stemmer for the language 'klingon'; known are: none, arabic"):
            indexed(tmp_path, some_documents(3), language="klingon")

    @pytest.mark.parametrize("spec", [ModelSpec(bits=8, dims=1), ModelSpec(bits=512, hidden=()), ModelSpec(inputs=3)])
    def test_odd_shapes_work(self, tmp_path, spec):
        engine = Engine.create(tmp_path)
        engine.index(some_documents(30), model=spec, train=QUICK)
        assert engine.snapshot.reader.arrays["segments/0/documents/bits"].shape == (30, spec.bits // 8)
        for system in SYSTEMS:
            engine.search("comet telescope", mode=system)

    def test_no_pass_at_all_is_lsa(self, tmp_path):
        engine = Engine.create(tmp_path)
        few = ModelSpec(dims=16, bits=32, hidden=(16,), topics=16)
        engine.index(some_documents(), model=few, train=TrainSpec(epochs=0, device="cpu"))
        assert [h.id for h in engine.search("comet", mode="code")] == [h.id for h in engine.search("comet", mode="lsa")]


class TestDamage:
    def test_a_search_in_a_damaged_index_answers_or_says_so(self, tmp_path, index_folder, monkeypatch):
        """Bytes are changed all over the arrays, the worst that numbers can become among them."""
        monkeypatch.setattr(soundness, "_HASHED", 0)  # as nearly nothing of a large index is when it is opened
        rng = np.random.default_rng(1)
        said = answered = 0
        folder = tmp_path / "index"
        shutil.copytree(index_folder, folder)
        for path in sorted((folder / "arrays").iterdir()):
            whole = path.read_bytes()
            for byte in (0x7F, 0x80, 0xFF):
                place = int(rng.integers(len(whole)))
                damaged = bytearray(whole)
                damaged[place : place + 4] = bytes([byte ^ 0x15] * 4)
                path.write_bytes(damaged[: len(whole)])
                try:
                    with np.errstate(all="ignore"), Engine.open(folder) as engine:
                        for system in SYSTEMS:
                            engine.search("comet telescope bread", mode=system)
                        assert engine.snapshot.reader.damage()
                    answered += 1
                except StoreError as error:
                    assert "is damaged" in str(error)
                    said += 1
            path.write_bytes(whole)
        assert contents(folder) == contents(index_folder)
        assert said and answered

    def test_a_mistake_of_the_caller_is_not_taken_for_damage(self, index_folder):
        with pytest.raises(ValueError, match="mine"), Engine.open(index_folder):
            raise ValueError("mine")


def test_the_documents_of_the_package_run(tmp_path):
    """The first thing that anybody tries: create, index, search."""
    import textae

    engine = textae.Engine.create(str(tmp_path / "notes.textae"))
    engine.index(some_documents(20), train=QUICK)
    assert engine.search("only3")[0].id == "stars-3"
    for name in textae.__all__:
        assert getattr(textae, name).__name__.removeprefix("textae.") == name
    with pytest.raises(AttributeError):
        textae.nothing  # noqa: B018


def test_the_shared_index_was_not_written_to(index_folder):
    """A guard for the tests themselves: searching leaves no trace but SQLite's own files."""
    names = {path.name for path in index_folder.iterdir()}
    assert names - {"index.sqlite-wal", "index.sqlite-shm"} == {"arrays", "index.sqlite"}
    for path in (index_folder / "arrays").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
        assert path.stat().st_nlink == 1


class TestPython:
    """What Python people give, and what a notebook shows them."""

    @pytest.mark.parametrize("shape", ["frame", "records", "pairs", "texts"])
    def test_the_same_corpus_in_any_shape_gives_the_same_hits(self, tmp_path, engine, documents, shape):
        frame = pd.DataFrame({"id": [one.id for one in documents], "text": [one.text for one in documents]})
        pairs = list(frame.itertuples(index=False, name=None))
        given = {"frame": frame, "records": frame.to_dict("records"), "pairs": pairs, "texts": frame["text"].tolist()}
        with indexed(tmp_path, given[shape]) as made, indexed(tmp_path / "same", frame) as same:
            for query in ("only17", "telescope and planet"):
                ids = [hit.id for hit in same.search(query)]
                numbers = [str(frame["id"].tolist().index(id)) for id in ids]
                assert [hit.id for hit in made.search(query)] == (numbers if shape == "texts" else ids)

    def test_ids_come_one_or_several_also_of_numpy_and_pandas(self, tmp_path, documents):
        with indexed(tmp_path, documents) as engine:
            one, two = (engine.similar(ids) for ids in (documents[0].id, [documents[0].id, documents[1].id]))
            assert engine.similar(np.array([documents[0].id])) == one != two
            assert engine.similar(pd.Series([documents[0].id, documents[1].id])) == two
            with pytest.raises(QueryError, match="no id was given"):
                engine.similar(np.array([], str))
            assert engine.remove(documents[0].id).removed == 1
            assert engine.remove(pd.Index([documents[1].id, documents[2].id])).removed == 2

    @pytest.mark.parametrize(
        ("ask", "says"),
        [
            (lambda engine: engine.search(5), "the query is 5, of type int; it must be a string"),
            (lambda engine: engine.search(None), "the query is None, of type NoneType; it must be a string"),
            (lambda engine: engine.search(["a"]), "the query is ['a'], of type list; it must be a string"),
            (lambda engine: engine.search("a", like="bread-1"), "like takes a list of ids, and got one string"),
            (lambda engine: engine.search("a", unlike=[1]), "an id is 1, of type int; ids are strings"),
            (lambda engine: engine.remove(5), "an id is 5, of type int; ids are strings"),
            (lambda engine: engine.similar(5), "an id is 5, of type int; ids are strings"),
        ],
    )
    def test_what_is_no_string_is_a_type_error(self, engine, ask, says):
        with pytest.raises(TypeError) as error:
            ask(engine)
        assert str(error.value).startswith(says)
        assert isinstance(error.value, QueryError)

    def test_pages_of_hits(self, engine):
        whole = engine.search("telescope and flour", k=9)
        assert engine.search("telescope and flour", k=4, offset=5) == whole[5:]
        with pytest.raises(QueryError, match="the offset is -1; give 0 or more"):
            engine.search("telescope", offset=-1)

    def test_hits_are_a_list_that_a_notebook_shows_as_a_table(self, tmp_path):
        title = "<script>alert(1)</script> & 'title'"
        with indexed(tmp_path, [Document("<i>", "the <b>bold</b> sail & mast", title), ("b", "an oven")]) as engine:
            hits = engine.search("sail")
            shown = hits._repr_html_()
            assert isinstance(hits, list)
            assert shown.count("<tr>") == 1 + len(hits)
            assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#x27;title&#x27;" in shown
            assert "the &lt;b&gt;bold&lt;/b&gt; <mark>sail</mark> &amp; mast" in shown
            assert "<bdi>&lt;i&gt;</bdi>" in shown
            assert not re.search("<script|<i>|<b>bold", shown)
            assert engine.search("qwertz")._repr_html_() == "<p>no hits</p>"

    def test_the_map_in_a_notebook_is_the_whole_page_in_a_frame_of_its_own(self, mapped_folder):
        with Engine.open(mapped_folder) as engine:
            page = engine.map_page()
        assert repr(page).startswith("MapPage(60 documents, ")
        start, _, rest = page._repr_html_().partition(' srcdoc="')
        assert 'sandbox="allow-scripts allow-forms"' in start
        assert html.unescape(rest.removesuffix('"></iframe>')) == page.html
        assert '"' not in rest.removesuffix('"></iframe>')

    def test_an_integer_id_says_so_and_the_index_stays(self, tmp_path):
        with indexed(tmp_path, ["red apple", "blue sky"]) as engine:
            with pytest.raises(TypeError, match="the id of the document 5 is 5, of type int"):
                engine.index([Document("b", "other text"), Document(5, "text one")])
            assert [hit.id for hit in engine.search("apple", k=1)] == ["0"]
