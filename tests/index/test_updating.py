"""An index that follows its corpus: what is added, removed and synced, what stays, and what is remembered."""

import gzip
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import LONG, QUICK, contents, nobody, open_to_all

from textae import Document, Engine, ModelSpec, Skipped
from textae.config import SYSTEMS
from textae.corpus import Source, TableSpec, sources
from textae.corpus.python_docs import FEWEST_WORDS
from textae.encoding.analyzer import searchable
from textae.errors import CorpusError, QueryError, StoreError
from textae.explore.classify import classify
from textae.index.update import Changes, remembered_sources

SMALL = ModelSpec(dims=16, bits=32, hidden=(16,))
LEARNED = ("encoder/", "decoder/", "lsa/", "idf", "vocabulary/0/", "quantization/")


@pytest.fixture
def lived(tmp_path, index_folder) -> Engine:
    """Give the shared index, to be changed."""
    shutil.copytree(index_folder, tmp_path / "index")
    return Engine.open(tmp_path / "index")


def told(changes: Changes) -> dict[str, int]:
    """Give what has changed, without what did not."""
    names = ("added", "replaced", "removed", "unchanged")
    return {name: getattr(changes, name) for name in names if getattr(changes, name)}


def ids(engine: Engine) -> set[str]:
    return set(engine.snapshot.ids.values())


def write(folder: Path, **texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def rows_of(path: Path, rows: Iterable[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def made_of(folder: Path, *given: Path | str, spec: TableSpec | None = None, several: bool | None = None) -> Engine:
    """Give an index of sources, as the shell makes it."""
    found = sources(list(map(str, given)), spec, several=several)
    engine = Engine.create(folder)
    engine.index((item for source in found for item in source.read()), sources=found, model=SMALL, train=QUICK)
    return engine


class TestAdd:
    def test_what_is_added_is_found_by_every_system(self, lived) -> None:
        new = Document("new", "the comet and a telescope, only999 planet", "New", {"topic": "stars"}, "new.txt")
        changes = lived.add([new])
        assert told(changes) == {"added": 1}
        assert (changes.documents, changes.unlearned) == (61, 1)
        for mode in SYSTEMS:
            assert lived.search(f"{new.title} {new.text}", 1, mode)[0].id == "new"
            assert "new" in {hit.id for hit in lived.similar("stars-0", 61, mode)}
        assert lived.snapshot.reader.damage() == []

    def test_words_that_the_corpus_did_not_have_are_found(self, lived) -> None:
        assert lived.searcher.unknown("zygote", "hybrid") == ["zygote"]
        lived.add([Document("cell", "a zygote divides"), Document("cells", "zygotes and comets")])
        assert lived.searcher.unknown("zygote", "hybrid") == []
        assert {hit.id for hit in lived.search("zygote", mode="bm25")} == {"cell", "cells"}
        assert {hit.id for hit in lived.search("comet", must="zygot*")} == {"cells"}
        assert lived.searcher.unknown("zygote", "code") == ["zygote"]  # the encoder has not learned it

    def test_one_that_says_the_same_is_unchanged_and_one_whose_id_is_taken_is_skipped(self, lived, documents) -> None:
        other = Document("stars-0", "something else", source="else.txt")
        changes = lived.add([documents[1], other, Skipped("x.bin", "binary"), Document("n", "...", source="n.txt")])
        assert told(changes) == {"unchanged": 1}
        assert changes.skipped == {"id already used": 1, "binary": 1, "no words": 1}
        assert changes.examples == {"id already used": ["else.txt"], "binary": ["x.bin"], "no words": ["n.txt"]}
        assert not changes.any

    def test_an_id_that_comes_twice_is_taken_the_second_time(self, lived) -> None:
        changes = lived.add([Document("a", "a comet"), Document("a", "a comet")])
        assert (told(changes), changes.skipped) == ({"added": 1}, {"id already used": 1})

    def test_where_nothing_is_new_nothing_is_written(self, lived, documents) -> None:
        before = contents(lived.folder)
        with Engine.open(lived.folder) as reader:
            lived.add(documents)
            assert reader.refresh() is False
        assert contents(lived.folder) == before

    def test_numbers_of_terms_stay_and_parts_of_the_vocabulary_stay_few(self, lived) -> None:
        before = lived.snapshot.model.vectorizer.vocabulary.terms()
        for n in range(12):
            lived.add([Document(f"new-{n}", f"comet newword{n}")])
        vocabulary = lived.snapshot.model.vectorizer.vocabulary
        assert vocabulary.terms() == before + [f"newword{n}" for n in range(12)]
        assert [len(part) for part in vocabulary.parts] == [len(before), 8, 4]
        assert [len(segment) for segment in lived.snapshot.segments] == [60, 8, 4]
        assert {hit.id for hit in lived.search("newword7", mode="bm25")} == {"new-7"}
        names = {name for name in lived.snapshot.reader.arrays if name.startswith("vocabulary/")}
        assert names == {f"vocabulary/{n}/{name}" for n in range(3) for name in ("text", "starts", "by_name")}
        assert lived.snapshot.reader.damage() == []

    def test_what_was_learned_stays_to_the_last_byte(self, lived) -> None:
        before = contents(lived.folder)[1]
        lived.add([Document(f"new-{n}", f"comet newword{n}") for n in range(9)])
        lived.remove(["stars-0"])
        after = contents(lived.folder)[1]
        learned = [name for name in before if not name.startswith(("segments/", "vocabulary/1/"))]
        assert len(learned) > 10
        assert all(after[name] == before[name] for name in learned)

    def test_scores_of_keywords_are_those_of_an_index_of_all(self, tmp_path, documents) -> None:
        """Statistics are exact, however documents came and went."""
        queries = ["comet telescope", "oven", "about only50 sail", "only3 about stars"]
        with Engine.create(tmp_path / "all") as whole, Engine.create(tmp_path / "grown") as grown:
            whole.index(documents[10:], model=SMALL, train=QUICK)
            grown.index(documents[:30], model=SMALL, train=QUICK)
            for first in range(30, 60, 6):
                grown.add(documents[first : first + 6])
            grown.remove([document.id for document in documents[:10]])
            for query in queries:
                ours, theirs = (engine.search(query, 60, "bm25") for engine in (grown, whole))
                assert [hit.id for hit in ours] == [hit.id for hit in theirs]
                assert [hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs])

    def test_after_learning_anew_nothing_is_left_of_how_it_came(self, tmp_path, documents) -> None:
        with Engine.create(tmp_path / "all") as whole, Engine.create(tmp_path / "grown") as grown:
            whole.index(documents[10:], model=SMALL, train=QUICK)
            grown.index(documents[:30], model=SMALL, train=QUICK)
            grown.add(documents[30:])
            grown.remove([document.id for document in documents[:10]])
            grown.train(model=SMALL, train=QUICK)
        ours, theirs = (contents(tmp_path / name) for name in ("grown", "all"))
        assert ours[0] == theirs[0]
        numbered = {name for name in theirs[1] if name.endswith("/owners")}
        assert ours[1].keys() == theirs[1].keys()
        assert {name for name in theirs[1] if ours[1][name] != theirs[1][name]} == numbered

    def test_learning_anew_reads_the_words_that_came_since(self, tmp_path, documents) -> None:
        with Engine.create(tmp_path / "grown") as engine:
            engine.index(documents[:10], model=SMALL, train=QUICK)
            before = engine.info()["inputs"]
            engine.add([Document("new", " ".join(f"w{number}" for number in range(100)))])
            engine.train(train=QUICK, model=engine.snapshot.specs[0])
            assert engine.info()["inputs"] == len(engine.snapshot.text_encoder.words) == before + 100

    @pytest.mark.parametrize("pretrain", ["none", "lsa"])
    def test_added_documents_have_the_codes_that_a_search_gives_them(self, tmp_path, documents, pretrain) -> None:
        from dataclasses import replace

        deep = ModelSpec(dims=8, bits=32, hidden=(16,))
        with Engine.create(tmp_path) as engine:
            engine.index(documents[:40], model=deep, train=replace(QUICK, pretrain=pretrain))
            engine.add(documents[40:])
            for document in documents[40:46]:
                hits = engine.search(f"{document.title} {document.text}", 60, "code")
                assert next(hit.score for hit in hits if hit.id == document.id) == pytest.approx(1, abs=1e-3)

    def test_labels_that_were_learned_speak_of_added_documents_too(self, lived) -> None:
        lived.train(label="topic")
        lived.add([Document("new", "telescope comet planet moon", fields={"topic": None})])
        assert classify(lived.snapshot, [searchable(lived.snapshot.document("new"))])[0][0].label == "stars"
        assert lived.search("telescope comet planet moon", 1, "code")[0].id == "new"
        lived.train(label="topic")
        assert lived.search("telescope comet planet moon", 1, "code")[0].id == "new"
        assert lived.snapshot.reader.damage() == []

    def test_a_source_that_breaks_in_the_middle_changes_nothing(self, lived) -> None:
        before = contents(lived.folder)

        def breaking() -> Iterable[Document]:
            yield Document("new", "a comet")
            raise CorpusError("the file ends in the middle of a line")

        with pytest.raises(CorpusError, match="in the middle"):
            lived.add(breaking())
        assert contents(lived.folder) == before

    def test_there_must_be_an_index(self, tmp_path) -> None:
        for change in (lambda engine: engine.add([Document("a", "b")]), lambda engine: engine.remove(["a"])):
            with pytest.raises(StoreError, match="no index at"):
                change(Engine.create(tmp_path / "nowhere"))
        assert not (tmp_path / "nowhere").exists()


class TestRemove:
    def test_what_is_removed_is_found_by_no_system(self, lived) -> None:
        changes = lived.remove(["stars-0", "ships-2", "stars-0"])
        assert (told(changes), changes.documents, changes.unlearned) == ({"removed": 2}, 58, 0)
        for mode in SYSTEMS:
            found = {hit.id for hit in lived.search("comet telescope harbour about stars ships", 60, mode)}
            assert found and not found & {"stars-0", "ships-2"}
        assert not lived.snapshot.reader.has("stars-0")
        assert lived.info()["removed_since_learned"] == 2
        assert lived.snapshot.reader.damage() == []

    def test_its_words_are_not_in_the_corpus_any_more(self, lived) -> None:
        lived.remove(["bread-4"])
        assert lived.search("only4", mode="bm25") == []
        assert lived.searcher.unknown("only4 only5", "hybrid") == ["only4"]
        assert "only4" not in lived.searcher.did_you_mean("onyl4")

    def test_an_id_of_no_document_removes_nothing(self, lived) -> None:
        before = contents(lived.folder)
        with pytest.raises(QueryError, match="no document has the id 'x12'"):
            lived.remove(["stars-0", "x12"])
        assert contents(lived.folder) == before

    def test_the_last_document_cannot_be_removed(self, lived, documents) -> None:
        before = contents(lived.folder)
        with pytest.raises(StoreError, match=r"no document in .*; delete the folder to remove the index"):
            lived.remove([document.id for document in documents])
        assert contents(lived.folder) == before
        lived.remove([document.id for document in documents[1:]])
        assert [hit.id for hit in lived.search("about stars", mode="bm25")] == ["stars-0"]

    def test_an_id_can_be_used_again_and_no_number_is(self, lived) -> None:
        last = lived.snapshot.number("ships-59")
        lived.remove(["ships-59"])
        lived.add([Document("ships-59", "a zeppelin")])
        assert lived.snapshot.number("ships-59") == last + 1
        assert searchable(lived.snapshot.document("ships-59")) == "a zeppelin"

    def test_a_segment_that_is_half_removed_is_written_anew(self, lived, documents) -> None:
        lived.remove([document.id for document in documents[:30]])
        assert [segment.n_rows for segment in lived.snapshot.segments] == [60]
        lived.remove([documents[30].id])
        assert [segment.n_rows for segment in lived.snapshot.segments] == [29]
        assert lived.snapshot.numbers.tolist() == list(range(31, 60))


class TestSync:
    def test_new_changed_gone_and_unchanged(self, tmp_path) -> None:
        notes = write(tmp_path / "notes", a="a comet", b="the bread oven", c="a ship at sea", d="flour and dough")
        with made_of(tmp_path / "index", notes) as engine:
            write(notes, b="the bread of stars", e="a new anchor")
            (notes / "c.txt").unlink()
            changes = engine.sync()
            assert told(changes) == {"added": 1, "replaced": 1, "removed": 1, "unchanged": 2}
            assert (changes.documents, changes.unlearned) == (4, 2)
            assert ids(engine) == {"a.txt", "b.txt", "d.txt", "e.txt"}
            assert engine.snapshot.document("b.txt").text == "the bread of stars"
            assert engine.search("oven", mode="bm25") == []
            assert told(engine.sync()) == {"unchanged": 4}
            assert engine.snapshot.reader.damage() == []

    def test_a_file_that_is_only_touched_is_unchanged(self, tmp_path) -> None:
        notes = write(tmp_path / "notes", a="a comet", b="bread")
        with made_of(tmp_path / "index", notes) as engine:
            before = contents(tmp_path / "index")
            for path in notes.iterdir():
                os.utime(path)
            write(notes, a="a comet")
            assert told(engine.sync()) == {"unchanged": 2}
            assert contents(tmp_path / "index") == before
            os.utime(notes / "a.txt", (1, 1))  # the field `modified` is another day
            assert told(engine.sync()) == {"replaced": 1, "unchanged": 1}

    def test_a_text_that_moves_in_its_file_is_not_encoded_again(self, tmp_path) -> None:
        notes, comet = write(tmp_path / "notes", b="bread"), {"id": "a", "text": "a comet"}
        rows_of(notes / "t.jsonl", [comet])
        with made_of(tmp_path / "index", notes) as engine:
            number, before = engine.snapshot.number("t.jsonl:a"), engine.snapshot.reader.commit
            (notes / "t.jsonl").write_text(f"\n\n{json.dumps(comet)}\n")
            changes = engine.sync()
            assert (told(changes), changes.moved, changes.any) == ({"unchanged": 2}, 1, True)
            assert engine.search("comet", mode="bm25")[0].place == "line 3"
            assert engine.snapshot.number("t.jsonl:a") == number
            assert engine.snapshot.reader.commit != before
            assert engine.snapshot.reader.damage() == []
            assert engine.sync().moved == 0

    def test_where_nothing_has_changed_nothing_is_committed(self, tmp_path) -> None:
        """Also where sources are remembered with conditions, which JSON writes otherwise than Python."""
        table = rows_of(tmp_path / "t.jsonl", [{"id": "a", "text": "comet", "k": "v"}, {"id": "b", "text": "x"}])
        engine = made_of(tmp_path / "index", table, spec=TableSpec(select=(("k", "v"),)))
        with engine, closing(sqlite3.connect(tmp_path / "index" / "index.sqlite")) as database:
            before = database.execute("PRAGMA data_version").fetchone()
            assert told(engine.sync()) == {"unchanged": 1}
            assert database.execute("PRAGMA data_version").fetchone() == before
            rows_of(table, [{"id": "a", "text": "comets", "k": "v"}])
            assert told(engine.sync()) == {"replaced": 1}
            assert database.execute("PRAGMA data_version").fetchone() != before

    def test_a_field_that_changes_is_a_change(self, tmp_path) -> None:
        table = tmp_path / "t.jsonl"
        rows_of(table, [{"id": "a", "text": "comet", "year": 1900}, {"id": "b", "text": "bread", "year": 1901}])
        with made_of(tmp_path / "index", table) as engine:
            rows_of(table, [{"id": "a", "text": "comet", "year": 2000}, {"id": "b", "text": "bread", "year": 1901}])
            assert told(engine.sync()) == {"replaced": 1, "unchanged": 1}
            assert [hit.id for hit in engine.search("comet bread", where="year:2000")] == ["a"]

    def test_only_what_came_from_the_source_is_touched(self, tmp_path) -> None:
        one, two = write(tmp_path / "one", a="a comet"), write(tmp_path / "two", b="bread")
        with made_of(tmp_path / "index", one, two) as engine:
            engine.add([Document("by hand", "an anchor")])
            (two / "b.txt").unlink()
            write(two, c="a crust")
            assert told(engine.sync(sources([str(one)], several=True))) == {"unchanged": 1}
            assert told(engine.sync()) == {"added": 1, "removed": 1, "unchanged": 1}
            assert ids(engine) == {f"{one}/a.txt", f"{two}/c.txt", "by hand"}

    def test_an_id_that_another_source_has_is_skipped_and_counted(self, tmp_path) -> None:
        one = rows_of(tmp_path / "one.jsonl", [{"id": "a", "text": "comet"}])
        with made_of(tmp_path / "index", one) as engine:
            engine.add([Document("b", "bread")])
            rows_of(one, [{"id": "a", "text": "comet"}, {"id": "b", "text": "anchor"}])
            changes = engine.sync()
            assert (told(changes), changes.skipped) == ({"unchanged": 1}, {"id already used": 1})
            assert searchable(engine.snapshot.document("b")) == "bread"

    @pytest.mark.parametrize("back", [False, True])
    def test_a_document_that_moves_from_one_source_to_another_is_not_lost(self, tmp_path, back) -> None:
        closed = {"id": "7", "text": "the comet is fixed"}
        tables = [tmp_path / "open.jsonl", tmp_path / "closed.jsonl"]
        rows_of(tables[back], [closed, {"id": "1", "text": "an anchor"}])
        rows_of(tables[not back], [{"id": "2", "text": "some bread"}])
        with made_of(tmp_path / "index", *tables, several=False) as engine:
            rows_of(tables[back], [{"id": "1", "text": "an anchor"}])
            rows_of(tables[not back], [{"id": "2", "text": "some bread"}, closed])
            changes = engine.sync()
            assert (told(changes), changes.skipped) == ({"added": 1, "removed": 1, "unchanged": 2}, {})
            assert ids(engine) == {"1", "2", "7"}
            assert told(engine.sync()) == {"unchanged": 3}
            assert engine.snapshot.reader.damage() == []

    def test_a_source_given_twice_is_synced_once(self, tmp_path) -> None:
        notes = write(tmp_path / "notes", a="a comet", b="bread")
        with made_of(tmp_path / "index", notes) as engine:
            write(notes, a="another comet", c="an anchor")
            given = sources([str(notes), f"{notes}/"], several=False)
            assert told(engine.sync(given)) == {"added": 1, "replaced": 1, "unchanged": 1}
            assert engine.snapshot.reader.damage() == []
            assert {hit.id for hit in engine.search("comet anchor", mode="bm25")} == {"a.txt", "c.txt"}

    @pytest.mark.parametrize("made_of_folder", [False, True])
    def test_a_vanished_source_is_an_error_and_nothing_changes(self, tmp_path, made_of_folder) -> None:
        notes = write(tmp_path / "notes", a="a comet")
        other = write(tmp_path / "other", b="bread")
        with made_of(tmp_path / "index", notes if made_of_folder else notes / "a.txt", other) as engine:
            before = contents(tmp_path / "index")
            write(other, c="crust")
            shutil.rmtree(notes)
            with pytest.raises(
                CorpusError, match="is not there any more; 'textae sync --forget' removes what came from it"
            ):
                engine.sync()
        assert contents(tmp_path / "index") == before

    def test_a_source_that_is_empty_now_cannot_take_the_last_document(self, tmp_path) -> None:
        notes = write(tmp_path / "notes", a="a comet")
        with made_of(tmp_path / "index", notes) as engine:
            (notes / "a.txt").unlink()
            with pytest.raises(StoreError, match="would leave no document"):
                engine.sync()
            assert ids(engine) == {"a.txt"}

    def test_a_document_without_words_any_more_is_removed_and_counted(self, tmp_path) -> None:
        notes = write(tmp_path / "notes", a="a comet", c="anchor")
        rows_of(notes / "t.jsonl", [{"text": "bread"}])
        with made_of(tmp_path / "index", notes) as engine:
            write(notes, a="")
            rows_of(notes / "t.jsonl", [{"text": "..."}])
            changes = engine.sync()
            assert (told(changes), changes.skipped) == ({"removed": 2, "unchanged": 1}, {"empty": 1, "no words": 1})

    def test_what_cannot_be_read_now_is_kept(self, tmp_path) -> None:
        notes = write(tmp_path / "notes", a="a comet", b="bread")
        (notes / "rows.jsonl.gz").write_bytes(gzip.compress(b'{"text": "an anchor"}\n{"text": "a mast"}\n'))
        rows_of(notes / "t.jsonl", [{"text": "sail"}, {"text": "rope"}, {"text": "storm"}])
        with made_of(tmp_path / "index", notes) as engine:
            (notes / "a.txt").write_bytes(b"no text\0")
            (notes / "rows.jsonl.gz").write_bytes(b"cut off")
            (notes / "t.jsonl").write_text('{"text": "sail"}\n{"text": "rop\n{"text": "storm"}\n')
            changes = engine.sync()
            assert told(changes) == {"unchanged": 7}
            assert changes.skipped == {"binary": 1, "damaged": 1, "not JSON": 1}
            assert "t.jsonl:2" in ids(engine)
            (notes / "a.txt").unlink()
            rows_of(notes / "t.jsonl", [{"text": "sail"}])
            assert told(engine.sync()) == {"removed": 3, "unchanged": 4}

    def test_a_folder_that_cannot_be_listed_keeps_its_documents(self, tmp_path) -> None:
        notes = write(tmp_path / "notes", a="a comet")
        write(notes / "locked", b="bread", c="crust")
        write(notes / "locked up", d="anchor")
        engine = made_of(tmp_path / "index", notes)
        open_to_all(notes)
        for path in (tmp_path / "index").rglob("*"):
            path.chmod(0o777)
        (tmp_path / "index").chmod(0o777)
        (notes / "locked").chmod(0)
        shutil.rmtree(notes / "locked up")
        try:
            with nobody():
                changes = engine.sync()
        finally:
            (notes / "locked").chmod(0o755)
        assert (told(changes), changes.skipped) == ({"removed": 1, "unchanged": 3}, {"permission denied": 1})
        assert ids(engine) == {"a.txt", "locked/b.txt", "locked/c.txt"}

    def test_an_index_of_documents_alone_remembers_no_source(self, lived) -> None:
        with pytest.raises(StoreError, match="remembers no source that can be read again; give the SOURCE"):
            lived.sync()


class TestSources:
    def test_they_are_remembered_as_they_were_given(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "notes", a="a comet")
        rows_of(tmp_path / "t.jsonl", [{"key": "k1", "body": "bread", "s": "x"}, {"key": "k2", "body": "y", "s": "z"}])
        spec = TableSpec("key", None, "body", (("s", "x"),))
        with made_of(tmp_path / "index", "notes", "t.jsonl", spec=spec) as engine:
            assert engine.sources == [
                Source(str(tmp_path / "notes"), "notes/", spec),
                Source(str(tmp_path / "t.jsonl"), "t.jsonl", spec),
            ]
            assert ids(engine) == {"t.jsonl:k1"}  # a file has no field 's'

    def test_table_options_and_the_names_of_ids_hold_when_it_is_synced(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "one", a="a comet")
        write(tmp_path / "two", a="bread")
        rows_of(tmp_path / "t.jsonl", [{"words": "anchor"}])
        found = [*sources(["one", "two"]), *sources(["t.jsonl"], TableSpec(text_field="words"))]
        with Engine.create(tmp_path / "index") as engine:
            engine.index((item for one in found for item in one.read()), sources=found, model=SMALL, train=QUICK)
            assert ids(engine) == {"one/a.txt", "two/a.txt", "t.jsonl:1"}
            monkeypatch.chdir("/")
            rows_of(tmp_path / "t.jsonl", [{"words": "anchor"}, {"words": "mast"}])
            write(tmp_path / "two", b="crust")
            assert told(engine.sync()) == {"added": 2, "unchanged": 3}
            assert ids(engine) == {"one/a.txt", "two/a.txt", "two/b.txt", "t.jsonl:1", "t.jsonl:2"}

    def test_what_is_added_and_synced_is_remembered_and_learning_forgets_no_source(self, tmp_path) -> None:
        one, two, three = (write(tmp_path / name, a=name) for name in ("comet", "bread", "anchor"))
        with made_of(tmp_path / "index", one) as engine:
            more = sources([str(two)], several=True)
            engine.add(more[0].read(), sources=more)
            engine.sync(sources([str(three)], several=True))
            engine.train(model=SMALL, train=QUICK)
            assert [source.origin for source in engine.sources] == [str(one), str(two), str(three)]
            write(two, b="oven")
            assert told(engine.sync()) == {"added": 1, "unchanged": 3}

    def test_standard_input_is_not_read_again(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setattr("sys.stdin", type("Closed", (), {"buffer": None}))
        notes = write(tmp_path / "notes", a="a comet")
        said = Source("-", "", TableSpec())
        with Engine.create(tmp_path / "index") as engine:
            corpus = [Document("stdin", "bread", origin="-"), *sources([str(notes)])[0].read()]
            engine.index(corpus, sources=[said, *sources([str(notes)])], model=SMALL, train=QUICK)
            assert told(engine.sync()) == {"unchanged": 1}
            assert ids(engine) == {"stdin", "a.txt"}
            assert set(remembered_sources(engine.snapshot)) == {"-", str(notes)}

    def test_a_recipe(self, tmp_path, monkeypatch) -> None:
        package = tmp_path / "snakes"
        package.mkdir()
        said = f'"""{"what a snake does " * FEWEST_WORDS}"""'
        (package / "__init__.py").write_text(f"def bite(): {said}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        with made_of(tmp_path / "index", "python:snakes") as engine:
            (package / "__init__.py").write_text(f"def bite(): {said}\ndef hiss(): {said.replace('what', 'why')}\n")
            assert told(engine.sync()) == {"added": 1, "unchanged": 1}
            assert ids(engine) == {"snakes.bite", "snakes.hiss"}

    def test_a_recipe_that_this_textae_does_not_know(self, tmp_path) -> None:
        with pytest.raises(CorpusError, match=r"^oldrecipe is not there any more"):
            list(Source("oldrecipe", "", TableSpec()).read())

    @given(st.builds(TableSpec, *[st.none() | st.text()] * 3, st.lists(st.tuples(st.text(), st.text())).map(tuple)))
    def test_a_source_comes_back_from_json(self, spec) -> None:
        source = Source("/somewhere", "name", spec)
        assert Source.from_json(json.loads(json.dumps(source.as_json()))) == source

    def test_messages_name_it_as_it_was_given(self, tmp_path, monkeypatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "t.csv.gz").write_bytes(b"no gzip")
        with pytest.raises(CorpusError, match=r"^t\.csv\.gz: the gzip file is cut off or damaged"):
            list(sources(["t.csv.gz"])[0].read())


WORDS = st.sampled_from(["comet", "bread", "anchor", "zygote", "the", "newword", "oven"])
STATES = st.dictionaries(st.integers(0, 5), st.lists(WORDS, max_size=3).map(" ".join), max_size=6)


@settings(max_examples=200 if LONG else 12)  # each commit waits for the disk
@given(st.lists(STATES, min_size=1, max_size=6 if LONG else 3))
def test_a_synced_index_is_what_its_source_is(tmp_path_factory, small_folder, states) -> None:
    """Whatever became of a table, the index holds its rows, finds their words and counts what happened."""
    folder = tmp_path_factory.mktemp("synced")
    shutil.copytree(small_folder, folder / "index")
    table = folder / "t.jsonl"
    with Engine.open(folder / "index") as engine:
        before: dict[str, str] = {}
        for state in states:
            rows_of(table, [{"id": str(id), "text": text} for id, text in state.items()])
            now = {str(id): text for id, text in state.items() if text}
            changes = engine.sync(sources([str(table)]))
            assert told(changes) == {
                name: n
                for name, n in {
                    "added": len(now.keys() - before.keys()),
                    "removed": len(before.keys() - now.keys()),
                    "replaced": sum(before[id] != now[id] for id in before.keys() & now.keys()),
                    "unchanged": sum(before[id] == now[id] for id in before.keys() & now.keys()),
                }.items()
                if n
            }
            assert {id: searchable(engine.snapshot.document(id)) for id in ids(engine) - {"fixed"}} == now
            for word in ("comet", "zygote", "newword"):
                found = {hit.id for hit in engine.search(word, 99, "bm25")} - {"fixed"}
                assert found == {id for id, text in now.items() if word in text.split()}
            before = now
        assert engine.snapshot.reader.damage() == []
        assert asdict(changes)["documents"] == len(before) + 1
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory) -> Path:
    """Give an index of one document, that came from no source."""
    folder = tmp_path_factory.mktemp("small") / "index"
    with Engine.create(folder) as engine:
        engine.index([Document("fixed", "a comet and bread")], model=SMALL, train=QUICK, language="english")
    return folder


Change = Callable[[Engine], Changes]


@pytest.mark.parametrize("change", [lambda e: e.add([Document("new", "a comet")]), lambda e: e.remove(["stars-0"])])
def test_who_reads_keeps_what_it_read_until_it_looks_again(lived, change: Change) -> None:
    with Engine.open(lived.folder) as reader:
        before = reader.search("comet", 60)
        change(lived)
        assert reader.search("comet", 60) == before
        assert reader.refresh() is True
        assert {hit.id for hit in reader.search("comet", 60)} != {hit.id for hit in before}
        assert reader.refresh() is False


def test_the_order_of_rows_is_that_of_numbers(lived, documents) -> None:
    lived.add([Document(f"new-{n}", "a comet") for n in range(3)])
    lived.remove(["stars-3", "new-1"])
    numbers = lived.snapshot.numbers
    assert (np.diff(numbers) > 0).all()
    kept = [document.id for document in documents if document.id != "stars-3"] + ["new-0", "new-2"]
    assert lived.snapshot.reader.ids(numbers.tolist()) == kept == list(lived.snapshot.ids.values())
