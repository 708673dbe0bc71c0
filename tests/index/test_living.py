"""An index that lives, against a dictionary: whatever is added, removed, synced and learned, both say the same.

A state machine draws the changes. After each one, ids, texts and fields are the dictionary's; each document is found by
its own word and by its fields; and the scores of BM25 are those that a page of plain Python computes from the texts.
"""

import contextlib
import json
import math
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from shared import LONG

from textae import Document, Engine, ModelSpec, TrainSpec
from textae.corpus import Source, read, sources
from textae.errors import QueryError, StoreError

SPECS = {"model": ModelSpec(dims=8, bits=16, hidden=(8,)), "train": TrainSpec(epochs=1, device="cpu")}
WORDS = ["sun", "moon", "star", "comet", "bread", "flour", "oven", "ship", "sail", "rope"]
IDS = [f"id{number}" for number in range(16)]
FILES = [f"note{number}.txt" for number in range(8)]

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=30).map(" ".join)
described = st.tuples(st.sampled_from(IDS), texts, st.sampled_from(["", "sun", "ship"]), st.integers(1990, 1999))


def naive_bm25(documents: Sequence[Document], query: str) -> dict[str, float]:
    """Robertson & Zaragoza 2009, equation 3.15, times idf and k1 + 1, document by document."""
    k1, b = 1.2, 0.75
    bags = {document.id: Counter(re.findall(r"\w+", f"{document.title} {document.text}")) for document in documents}
    mean = sum(bag.total() for bag in bags.values()) / len(bags)
    scores = dict.fromkeys(bags, 0.0)
    for term, weight in Counter(query.split()).items():
        n = sum(term in bag for bag in bags.values())
        idf = math.log(1 + (len(bags) - n + 0.5) / (n + 0.5))
        for id, bag in bags.items():
            tf = bag[term]
            scores[id] += weight * idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * bag.total() / mean))
    return {id: score for id, score in scores.items() if score > 0}


class LivingIndex(RuleBasedStateMachine):
    """An index, the sources of it, and the dictionary of what should be in it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.notes, self.table = self.folder / "notes", self.folder / "table.jsonl"
        self.notes.mkdir()
        self.rows: list[dict] = []
        self.write_table()
        self.there: dict[str, Document] = {}
        self.versions = 0

    def teardown(self) -> None:
        self.engine.close()
        shutil.rmtree(self.folder)

    def document(self, drawn: tuple[str, str, str, int]) -> Document:
        """Make a document with a word that no other version of any has."""
        id, text, title, year = drawn
        self.versions += 1
        return Document(id, f"{text} only{self.versions}", title, {"year": year, "first": text.split()[0]})

    @initialize(
        drawn=st.lists(described, min_size=3, max_size=12, unique_by=lambda drawn: drawn[0]),
        passage=st.sampled_from([0, 0, 20]),
    )
    def index(self, drawn, passage) -> None:
        documents = list(map(self.document, drawn))
        self.passage = passage
        self.engine = Engine.create(self.folder / "index")
        self.engine.index(documents, language=None, passage=passage, **SPECS)
        self.there = {document.id: document for document in documents}

    @rule(drawn=st.lists(described, min_size=1, max_size=8))
    def add(self, drawn) -> None:
        documents = list(map(self.document, drawn))
        changes = self.engine.add(documents)
        new = {document.id: document for document in reversed(documents) if document.id not in self.there}
        self.there |= new
        assert (changes.added, changes.removed, changes.unchanged) == (len(new), 0, 0)
        assert sum(changes.skipped.values()) == len(documents) - len(new)

    @rule()
    def add_again(self) -> None:
        changes = self.engine.add(list(self.there.values()))
        assert (changes.any, changes.unchanged) == (False, len(self.there))

    @rule(data=st.data())
    def remove(self, data) -> None:
        ids = data.draw(st.lists(st.sampled_from(sorted(self.there)), min_size=1, unique=True))
        if len(ids) == len(self.there):
            with pytest.raises(StoreError, match="would leave no document"):
                self.engine.remove(ids)
            return
        assert self.engine.remove(ids).removed == len(ids)
        for id in ids:
            del self.there[id]

    @rule(name=st.sampled_from(FILES), text=texts)
    def write_a_file(self, name, text) -> None:
        self.versions += 1
        (self.notes / name).write_text(f"{text} only{self.versions}")

    @rule(name=st.sampled_from(FILES))
    def delete_a_file(self, name) -> None:
        (self.notes / name).unlink(missing_ok=True)

    @rule(drawn=st.lists(described, max_size=6))
    def write_rows(self, drawn) -> None:
        kept = self.rows[: len(self.rows) // 2]
        new = map(self.document, drawn)
        self.rows = kept + [{"id": d.id, "title": d.title, "text": d.text, **d.fields} for d in new]
        self.write_table()

    def write_table(self) -> None:
        self.table.write_text("".join(json.dumps(row) + "\n" for row in self.rows))

    @rule()
    def sync_the_folder(self) -> None:
        found = (
            [one for one in read([str(self.notes)]) if isinstance(one, Document)] if any(self.notes.iterdir()) else []
        )
        self.sync(sources([str(self.notes)])[0], found)

    @rule()
    def sync_the_table(self) -> None:
        found = [
            Document(row["id"], row["text"], row["title"], {"year": row["year"], "first": row["first"]})
            for row in self.rows
        ]
        self.sync(sources([str(self.table)])[0], found)

    def sync(self, source: Source, found: Sequence[Document]) -> None:
        """What a source says first of an id counts, and an id that another source has is that one's."""
        others = {id: document for id, document in self.there.items() if document.origin != source.key}
        first = {document.id: replace(document, origin=source.key) for document in reversed(found)}
        after = others | {id: document for id, document in first.items() if id not in others}
        if not after:
            with pytest.raises(StoreError, match="would leave no document"):
                self.engine.sync([source])
            return
        changes = self.engine.sync([source])
        before, self.there = self.there, after
        said = {id: (document.text, document.title, document.fields) for id, document in before.items()}
        assert changes.added == len(after.keys() - before.keys())
        assert changes.removed == len(before.keys() - after.keys())
        replaced = [id for id in after.keys() & before.keys() if said[id] != _said(after[id])]
        assert changes.replaced == len(replaced)

    @rule()
    def train(self) -> None:
        self.engine.train(**SPECS)
        assert len(self.engine.snapshot.segments) == 1

    @rule()
    def reopen(self) -> None:
        self.engine.close()
        self.engine = Engine.open(self.folder / "index")

    @invariant()
    def all_is_as_in_the_dictionary(self) -> None:
        if not self.there:
            return
        snapshot = self.engine.snapshot
        stored = {document.id: document for document in snapshot.reader.stream()}
        assert stored.keys() == self.there.keys()
        for id, document in self.there.items():
            assert (_said(stored[id]), stored[id].origin) == (_said(document), document.origin)
        assert len(self.engine.snapshot.reader) == len(self.there)
        assert self.engine.snapshot.reader.damage() == []
        doc_numbers = [segment.documents.doc_numbers[segment.documents.alive()] for segment in snapshot.segments]
        assert [number for part in doc_numbers for number in part.tolist()] == sorted(snapshot.ids)

    @invariant()
    def every_document_is_found_by_its_own_word_and_no_other(self) -> None:
        for id, document in self.there.items():
            own = document.text.split()[-1]
            assert [hit.id for hit in self.engine.search(own, mode="bm25")] == [id]
        for number in {1, self.versions // 2, self.versions}:  # among them words that are gone
            holders = [id for id, document in self.there.items() if document.text.endswith(f" only{number}")]
            assert [hit.id for hit in self.engine.search(f"only{number}", mode="bm25")] == holders

    @invariant()
    def filters_select_as_a_loop_would(self) -> None:
        if not self.there:
            return
        query = " ".join(WORDS)  # each document holds one of them
        unknown = {"year", "first"} - self.engine.snapshot.field_names  # the last document that had it is gone
        assert not any(unknown & document.fields.keys() for document in self.there.values())
        for where, must, meets in (
            ("year:[1992 TO 1996]", None, lambda d: 1992 <= d.fields.get("year", 0) <= 1996),
            ("first:bread OR NOT year:>1990", None, lambda d: d.fields.get("first") == "bread" or not _later(d)),
            (None, '"sun moon" OR rope', lambda d: "sun moon" in f"{d.title} {d.text}" or "rope" in d.text.split()),
            (None, "NOT comet", lambda d: "comet" not in d.text.split()),
        ):
            if where is not None and any(f"{field}:" in where for field in unknown):
                with pytest.raises(QueryError, match="no document has a field"):
                    self.engine.search(query, 100, "bm25", where=where, must=must)
                continue
            found = {hit.id for hit in self.engine.search(query, 100, "bm25", where=where, must=must)}
            assert found == {id for id, document in self.there.items() if meets(document)}, (where, must)

    def likeness(self, id: str, query: str) -> float:
        """Give how like a query the title of a document is, which is one word or none; ids are no words of queries."""
        title, asked = self.there[id].title, dict.fromkeys(query.split())
        if title not in asked:
            return 0.0
        worths = {word: self.worth(word) for word in asked}
        return worths[title] / sum(worths.values())

    def worth(self, word: str) -> float:
        """Give the idf of a word."""
        n = sum(word in f"{document.title} {document.text}".split() for document in self.there.values())
        return math.log(1 + (len(self.there) - n + 0.5) / (n + 0.5))

    @invariant()
    def scores_of_bm25_are_exact(self) -> None:
        if not self.there or self.passage:
            return
        for query in ("sun", "bread oven ship", f"moon moon only{self.versions} star unheard"):
            expected = naive_bm25(list(self.there.values()), query)
            searcher, snapshot = self.engine.searcher, self.engine.snapshot
            vector = searcher.text_query(query)
            best = searcher.rank(replace(vector, text=""), 100, "bm25")  # without names
            ids = [snapshot.ids[number] for number in snapshot.documents.doc_numbers.take(best.rows).tolist()]
            assert dict(zip(ids, best.scores.tolist(), strict=True)) == pytest.approx(expected, rel=1e-4)
            most, named = searcher.retriever("bm25").most(vector), self.engine.search(query, 100, "bm25")
            for hit in named:
                said = expected.get(hit.id, 0)
                share = 0.99 * (self.likeness(hit.id, query) - 0.3) / 0.7
                assert hit.score == pytest.approx(said + max(0, share) * (most - said), rel=1e-4)

    @invariant()
    def codes_are_those_of_documents_that_are_there(self) -> None:
        if not self.there:
            return
        for mode in ("code", "bits", "hybrid", "tfidf", "lsa"):
            assert {hit.id for hit in self.engine.search("sun bread ship", 100, mode)} <= self.there.keys()
        assert len(self.engine.snapshot.codes.bits) == len(self.there)


def _said(document: Document) -> tuple:
    return document.text, document.title, dict(document.fields)


def _later(document: Document) -> bool:
    return document.fields.get("year", 0) > 1990


LivingIndex.TestCase.settings = settings(
    max_examples=200 if LONG else 6,
    stateful_step_count=40 if LONG else 14,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_an_index_that_lives_says_what_a_dictionary_says = LivingIndex.TestCase


def test_an_index_that_lived_is_the_index_of_its_documents_made_afresh(tmp_path):
    """By a life that merges, removes and learns: the words' statistics leave no trace of what is gone."""
    machine = LivingIndex()
    three = [" ".join(WORDS[number % 7 : number % 7 + 3]) for number in range(len(IDS))]
    drawn = [(id, text, "", 1990) for id, text in zip(IDS, three, strict=True)]
    machine.index(drawn[:6], 0)
    for step in (
        lambda: machine.add(drawn[4:10]),
        lambda: machine.engine.remove(["id1", "id7"]) and [machine.there.pop(id) for id in ("id1", "id7")],
        lambda: machine.add(drawn[10:14]),
        machine.train,
        lambda: machine.add(drawn),
        lambda: machine.engine.remove(["id3", "id15"]) and [machine.there.pop(id) for id in ("id3", "id15")],
    ):
        step()
        machine.all_is_as_in_the_dictionary()
    with contextlib.closing(Engine.create(tmp_path / "fresh")) as fresh:
        fresh.index(list(machine.there.values()), language=None, **SPECS)
        for query in ("sun moon", "bread rope comet", "sail"):
            lived, afresh = (
                {hit.id: hit.score for hit in engine.search(query, 50, "bm25")} for engine in (machine.engine, fresh)
            )
            assert lived == pytest.approx(afresh, rel=1e-5)
    machine.teardown()
