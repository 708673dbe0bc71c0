"""Vectors of the user's own: they come with the documents, and stay with them whatever happens to the index."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from mutants import Mutant
from shared import QUICK, TINY, TOPICS, contents, long_documents, some_documents, some_pictures

from textae import Document, Engine
from textae.corpus import sources
from textae.errors import CorpusError, QueryError, StoreError, TextaeError
from textae.index import segment_writer, segments, update
from textae.index.own_vectors import VectorRows, needed_vectors, own_vectors
from textae.index.soundness import damage
from textae.index.store import Reader

DIMS = 12
DOCUMENTS = some_documents(40)
SPECS: dict[str, Any] = {"model": TINY, "train": QUICK}


def embed(texts: list[str]) -> list[np.ndarray]:
    """A model: how many words of each topic a text has, in twelve mixtures."""
    mixtures = np.random.default_rng(7).standard_normal((3, DIMS))
    counts = [[sum(word in text for word in words.split()) for words in TOPICS.values()] for text in texts]
    return list(np.array(counts) @ mixtures + 0.01)


def vector_of(document: Document) -> np.ndarray:
    return embed([f"{document.title} {document.text}"])[0]


VECTORS = {document.id: vector_of(document) for document in DOCUMENTS}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an index with vectors; read it only."""
    folder = tmp_path_factory.mktemp("given") / "index"
    with Engine.create(folder) as engine:
        engine.index(DOCUMENTS, vectors=VECTORS, **SPECS)
    return folder


@pytest.fixture
def engine(given: Path, tmp_path: Path) -> Iterator[Engine]:
    with Engine.open(shutil.copytree(given, tmp_path / "index")) as opened:
        yield opened
        assert contents(opened.folder)
        assert opened.snapshot.reader.damage() == []


def stored(engine: Engine) -> dict[str, list[float]]:
    """The vectors of an index by the id of their document; of one without it is []."""
    own = needed_vectors(engine.snapshot)
    vectors = own.codes
    rows = zip(engine.snapshot.ids.values(), vectors.has_code.tolist(), vectors.floats.tolist(), strict=True)
    assert np.array_equal(vectors.bits, own.planes.bits(vectors.floats.astype(np.float32), vectors.has_code))
    return {id: row if known else [] for id, known, row in rows}


def half(vector: Any) -> list[float]:
    numbers = np.asarray(vector, np.float64)
    return (numbers / np.linalg.norm(numbers)).astype(np.float32).astype(np.float16).tolist()


class TestComing:
    @pytest.mark.parametrize(
        "vectors",
        [VECTORS, np.array(list(VECTORS.values())), [*VECTORS.values()], embed],
        ids=["mapping", "array", "list", "function"],
    )
    def test_in_every_form_they_give_the_same_bytes(self, vectors: Any, given: Path, tmp_path: Path) -> None:
        with Engine.create(tmp_path / "index") as engine:
            engine.index(DOCUMENTS, vectors=vectors, **SPECS)
        assert contents(tmp_path / "index") == contents(given)

    def test_documents_may_have_their_own(self, given: Path, tmp_path: Path) -> None:
        with Engine.create(tmp_path / "index") as engine:
            engine.index([replace(one, vector=VECTORS[one.id]) for one in DOCUMENTS], **SPECS)
        assert contents(tmp_path / "index") == contents(given)

    def test_they_are_kept_at_unit_length_in_half_precision(self, engine: Engine) -> None:
        assert stored(engine) == {id: half(vector) for id, vector in VECTORS.items()}

    def test_an_index_without_them_has_what_it_had(self, given: Path, tmp_path: Path) -> None:
        with Engine.create(tmp_path / "index") as engine:
            engine.index(DOCUMENTS, **SPECS)
            assert own_vectors(engine.snapshot) is None
            assert not [name for name in engine.snapshot.reader.arrays if "vectors" in name]
            assert not {"vectors", "vector_weight"} & engine.snapshot.reader.settings.keys()
        _, without = contents(tmp_path / "index")
        _, beside = contents(given)
        assert without == {name: array for name, array in beside.items() if "vectors/" not in name}

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (None, "no vector"),
            ([1.0] * 11, "vector of other dimensions"),
            ([0.0] * DIMS, "vector of zeros"),
            ([float("nan")] * DIMS, "vector not finite"),
            ([1e308, float("-inf")] * 6, "vector not finite"),
            (["1"] * DIMS, "vector not a list of numbers"),
            ([1.0, None] * 6, "vector not a list of numbers"),
            ([[1.0] * DIMS], "vector not a list of numbers"),
            ([[1.0], [1.0, 2.0]], "vector not a list of numbers"),
            ([], "vector not a list of numbers"),
            ("0.1, 0.2", "vector not a list of numbers"),
            ({"a": 1}, "vector not a list of numbers"),
            ([True] * DIMS, "vector not a list of numbers"),
        ],
    )
    def test_a_bad_one_is_none_and_is_counted_with_its_reason(self, bad: Any, reason: str, tmp_path: Path) -> None:
        with Engine.create(tmp_path / "index") as engine:
            report = engine.index(DOCUMENTS, vectors=VECTORS | {"bread-1": bad}, **SPECS)
            assert report.noticed == {reason: 1}
            assert stored(engine) == {id: half(v) if id != "bread-1" else [] for id, v in VECTORS.items()}
            assert "bread-1" not in {hit.id for hit in engine.search("", 50, "vector", vector=VECTORS["bread-4"])}

    def test_large_and_small_numbers_lose_nothing(self) -> None:
        rows = VectorRows()
        for scale in (1e300, 1.0, 1e-300):
            rows.add(np.array([3.0, 4.0]) * scale)
        assert rows.take()[0].floats.tolist() == [half([3, 4])] * 3

    def test_where_none_can_be_used_nothing_is_written(self, tmp_path: Path) -> None:
        with Engine.create(tmp_path / "index") as engine:
            with pytest.raises(CorpusError, match=r"no document has a vector that can be used: no vector: 40"):
                engine.index(DOCUMENTS, vectors={"nobody": [1.0]}, **SPECS)
            with pytest.raises(StoreError):
                engine.search("star")

    @pytest.mark.parametrize("n", [39, 41])
    def test_an_array_of_another_length_is_refused_and_the_index_stays(self, n: int, engine: Engine) -> None:
        before = contents(engine.folder)
        with pytest.raises(
            CorpusError, match=rf"the array has {n} rows of vectors for 40 documents; give a row for each"
        ):
            engine.index(DOCUMENTS, vectors=np.ones((n, 3)), **SPECS)
        assert contents(engine.folder) == before

    def test_pictures_have_none(self, tmp_path: Path) -> None:
        with Engine.create(tmp_path / "index") as engine, pytest.raises(TextaeError, match="are for texts"):
            engine.index(some_pictures(8), vectors=np.ones((8, 3)), **SPECS)


class TestStaying:
    def test_add_takes_those_of_new_documents(self, engine: Engine) -> None:
        new = [Document(f"new-{i}", f"a harbour of new ships {i}") for i in range(3)]
        changes = engine.add(new, vectors={"new-1": [*range(DIMS)]})
        assert (changes.added, changes.noticed) == (3, {"no vector": 2})
        more = {"new-0": [], "new-1": half(range(DIMS)), "new-2": []}
        assert stored(engine) == {id: half(vector) for id, vector in VECTORS.items()} | more

    def test_add_without_any_counts_them(self, engine: Engine) -> None:
        assert engine.add([("new", "a harbour")]).noticed == {"no vector": 1}
        assert stored(engine)["new"] == []

    def test_add_with_others_alone_is_refused(self, engine: Engine) -> None:
        with pytest.raises(CorpusError, match="no new document has a vector that can be used: vector of other dim"):
            engine.add([("new", "a harbour")], vectors=np.ones((1, 3)))
        assert len(engine.snapshot.reader) == 40

    def test_an_index_without_vectors_takes_none(self, index_folder: Path, tmp_path: Path) -> None:
        folder = shutil.copytree(index_folder, tmp_path / "index")
        with Engine.open(folder) as engine:
            for corpus, vectors in (([("new", "a harbour")], [[1.0]]), ([Document("new", "a", vector=[1.0])], None)):
                with pytest.raises(QueryError, match="has no vectors; 'textae index --vectors' makes one"):
                    engine.add(corpus, vectors=vectors)

    def test_they_go_with_their_documents(self, engine: Engine) -> None:
        gone = ["bread-1", "ships-2", "stars-39"]
        engine.remove(gone)
        assert stored(engine) == {id: half(vector) for id, vector in VECTORS.items() if id not in gone}

    def test_merged_segments_keep_them(self, engine: Engine) -> None:
        expected = {id: half(vector) for id, vector in VECTORS.items()}
        for i in range(6):
            engine.add([(f"new-{i}", f"a harbour {i}")], vectors={f"new-{i}": [i + 1.0] * DIMS} if i % 2 else None)
            expected[f"new-{i}"] = half([1.0] * DIMS) if i % 2 else []
        engine.remove([one.id for one in DOCUMENTS[:25]])  # more than half of the first segment
        expected = {id: row for id, row in expected.items() if id not in {one.id for one in DOCUMENTS[:25]}}
        assert len(engine.snapshot.segments) < 7
        assert stored(engine) == expected

    def test_segments_that_are_full_have_their_own_rows(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (segments, segment_writer, update):
            monkeypatch.setattr(module, "LARGEST", 2)
        new = {f"new-{i}": np.eye(DIMS)[i] for i in range(5)}
        engine.add([(id, f"a harbour of {id}") for id in new], vectors=new)
        assert {id: row for id, row in stored(engine).items() if id in new} == {id: half(v) for id, v in new.items()}

    def test_learning_again_keeps_them_and_the_weight(self, engine: Engine) -> None:
        engine.remove(["bread-1"])
        before, weight = stored(engine), engine.snapshot.reader.settings["vector_weight"]
        engine.train(train=replace(QUICK, epochs=2))
        assert stored(engine) == before
        assert engine.snapshot.reader.settings["vector_weight"] == pytest.approx(weight, rel=0.5)
        engine.train(label="topic")
        assert stored(engine) == before

    def test_passages_have_their_document_s(self, tmp_path: Path) -> None:
        documents = long_documents()
        vectors = {one.id: np.eye(len(documents))[i] for i, one in enumerate(documents)}
        with Engine.create(tmp_path / "index") as engine:
            engine.index(documents, passage=24, vectors=vectors, **SPECS)
            (best, *_) = engine.search("", 3, "vector", vector=vectors["long-5"])
            assert best.id == "long-5"
            (hit, *_) = engine.search("telescope", 5, vector=vectors["long-5"], explain=True)
            assert hit.explanation is not None
            assert hit.explanation.score == pytest.approx(hit.score, abs=1e-5)
            assert engine.search("telescope", 5, explain=True)[0].explanation.vectors == 0  # type: ignore[union-attr]


class TestFields:
    @pytest.fixture
    def table(self, tmp_path: Path) -> Callable[..., None]:
        def write(changes: dict[str, str]) -> None:
            with (tmp_path / "notes.jsonl").open("w") as file:
                for one in DOCUMENTS:
                    text = changes.get(one.id, one.text)
                    vector = [round(float(x), 3) for x in embed([text])[0]]
                    file.write(json.dumps({"id": one.id, "text": text, "year": 1, "embedding": vector}) + "\n")

        return write

    def test_sync_reads_the_field_again(self, table: Callable[..., None], tmp_path: Path) -> None:
        table({})
        given = sources([str(tmp_path / "notes.jsonl")])
        with Engine.create(tmp_path / "index") as engine:
            engine.index(given[0].read(), sources=given, vectors="embedding", **SPECS)
            assert engine.snapshot.document("bread-1").fields == {"year": 1}
            before = stored(engine)
            assert not engine.sync().any
            table({"bread-1": "flour and a storm at sea"})
            changes = engine.sync()
            assert (changes.replaced, changes.unchanged, changes.noticed) == (1, 39, {})
            now = stored(engine)
            assert now.pop("bread-1") != before.pop("bread-1")
            assert now == before

    def test_add_remembers_a_field(self, table: Callable[..., None], tmp_path: Path) -> None:
        table({})
        given = sources([str(tmp_path / "notes.jsonl")])
        with Engine.create(tmp_path / "index") as engine:
            engine.index([("a", "a star"), ("b", "a loaf")], vectors=np.eye(2, DIMS), **SPECS)
            engine.add(given[0].read(), sources=given, vectors="embedding")
            before = stored(engine)
            assert needed_vectors(engine.snapshot).settings == {"dims": DIMS, "field": "embedding"}
            assert all(before.values())
            assert not engine.sync().any


class TestStrangers:
    """An index is a stranger: its vectors are checked as its other arrays are."""

    @pytest.mark.parametrize(
        ("name", "change", "told"),
        [
            ("segments/0/documents/vectors/floats", lambda a: a[:, :-1], "has the shape"),
            ("segments/0/documents/vectors/floats", lambda a: a.astype(np.float32), "holds float32"),
            ("segments/0/documents/vectors/floats", lambda a: np.full_like(a, np.nan), "is not finite"),
            ("segments/0/documents/vectors/floats", lambda a: np.full_like(a, 9), "out of range"),
            ("segments/0/documents/vectors/bits", lambda a: a[:-1], "has the shape"),
            (
                "segments/0/documents/vectors/known",
                lambda a: np.full(len(a), 3, np.uint8).view(bool),
                "is no truth value",
            ),
            ("vectors/rotation", lambda a: a[:, :8], "the vectors of the index do not agree"),
            ("vectors/mean", lambda a: a[:5], "has the shape"),
        ],
    )
    def test_wrong_arrays_are_damage(self, name: str, change: Any, told: str, given: Path, tmp_path: Path) -> None:
        folder = shutil.copytree(given, tmp_path / "index")
        mutant = Mutant(folder, Random(1))
        mutant.put(name, change(mutant.array(name)))
        mutant.seal()
        with closing(Reader(folder)) as reader:
            faults = damage(reader)
        assert told in faults[0]

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM settings WHERE name = 'vector_weight'",
            "DELETE FROM settings WHERE name = 'vectors'",
            "DELETE FROM arrays WHERE name = 'vectors/mean'",
            "DELETE FROM arrays WHERE name = 'segments/0/documents/vectors/known'",
            "UPDATE settings SET value = '{\"dims\": 3}' WHERE name = 'vectors'",
            "UPDATE settings SET value = '{\"dims\": 12, \"field\": [1]}' WHERE name = 'vectors'",
            "DELETE FROM settings WHERE name IN ('vectors', 'vector_weight')",
        ],
    )
    def test_settings_that_do_not_agree_are_damage(self, statement: str, given: Path, tmp_path: Path) -> None:
        folder = shutil.copytree(given, tmp_path / "index")
        mutant = Mutant(folder, Random(1))
        with sqlite3.connect(folder / "index.sqlite") as database:
            database.execute(statement)
        mutant.seal()
        with pytest.raises(StoreError, match=re.escape(str(folder))):
            Engine.open(folder)


class TestExport:
    def test_info_counts_them(self, engine: Engine) -> None:
        facts = engine.info()
        assert (facts["vectors"], facts["vector_dims"], facts["bytes_vectors"]) == (40, DIMS, 40 * DIMS * 2)
        assert facts["vector_weight"] >= 0

    def test_a_vector_for_an_index_without_is_an_error(self, index_folder: Path) -> None:
        with Engine.open(index_folder) as engine:
            with pytest.raises(QueryError, match="has no vectors; 'textae index --vectors' makes one"):
                engine.search("star", vector=[1.0])
            with pytest.raises(QueryError, match="has no vectors; 'textae index --vectors'"):
                engine.search("star", mode="vector")
