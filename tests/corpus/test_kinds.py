"""One contract for every kind of document: an index of texts and one of pictures live alike."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shared import (
    TINY,
    contents,
    evaluate_labels,
    export_codes,
    similar_to,
    some_documents,
    some_pictures,
    write_picture,
)

from textae import Document, Engine, TextaeError, TrainSpec
from textae.corpus import sources
from textae.errors import QueryError, StoreError
from textae.explore.decode import decode_code, decode_documents
from textae.explore.duplicates import near_duplicates
from textae.explore.sampling import sample
from textae.search.request import SearchRequest
from textae.types import PICTURES, TEXTS, Hit, Skipped


class Kind(ABC):
    """What tests need of a kind of documents."""

    name: str
    label: str
    train: TrainSpec

    @abstractmethod
    def documents(self, n: int, seed: int = 1) -> list[Document]:
        """Some documents of three labels in turn."""

    @abstractmethod
    def write(self, folder: Path, document: Document) -> str:
        """Write a document as a file; give its name."""

    @abstractmethod
    def like(self, engine: Engine, document: Document, k: int, **how: str) -> list[Hit]:
        """Ask for what is like a document, which need not be in the index."""


class Texts(Kind):
    name, label = TEXTS, "topic"
    train = TrainSpec(epochs=1, device="cpu")

    def documents(self, n: int, seed: int = 1) -> list[Document]:
        return some_documents(n, seed)

    def write(self, folder: Path, document: Document) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{document.id}.txt").write_text(f"{document.title} {document.text}")
        return f"{document.id}.txt"

    def like(self, engine: Engine, document: Document, k: int, **how: str) -> list[Hit]:
        return similar_to(engine, document.text, k, **how)


class Pictures(Kind):
    name, label = PICTURES, "label"
    train = TrainSpec(epochs=30, device="cpu", pretrain="none")

    def documents(self, n: int, seed: int = 1) -> list[Document]:
        return some_pictures(n, seed)

    def write(self, folder: Path, document: Document) -> str:
        write_picture(folder / f"{document.id}.png", document.picture)
        return f"{document.id}.png"

    def like(self, engine: Engine, document: Document, k: int, **how: str) -> list[Hit]:
        return engine.similar(document.picture, k, **how)


@pytest.fixture(params=[Texts(), Pictures()], ids=lambda kind: kind.name)
def kind(request) -> Kind:
    return request.param


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> dict[str, Path]:
    """Give an index of each kind; read them only."""
    folders = {}
    for kind in (Texts(), Pictures()):
        folders[kind.name] = tmp_path_factory.mktemp("kinds") / kind.name
        with Engine.create(folders[kind.name]) as engine:
            engine.index(kind.documents(30), model=TINY, train=kind.train)
    return folders


@pytest.fixture
def engine(kind, made) -> Iterator[Engine]:
    with Engine.open(made[kind.name]) as snapshot:
        yield snapshot


@pytest.fixture
def living(kind, tmp_path) -> Iterator[Engine]:
    """Give an index of a folder of nine documents, that may be changed."""
    for document in kind.documents(9):
        kind.write(tmp_path / "corpus", document)
    (tmp_path / "corpus" / "program.bin").write_bytes(bytes(9))
    found = sources([str(tmp_path / "corpus")])
    with Engine.create(tmp_path / "index") as engine:
        report = engine.index(found[0].read(), sources=found, model=TINY, train=kind.train)
        assert (report.documents, report.skipped) == (
            9,
            {"unknown type .bin" if kind.name == PICTURES else "binary (unknown type .bin)": 1},
        )
        yield engine


def ids(engine: Engine) -> set[str]:
    return set(engine.snapshot.ids.values())


class TestAsItIs:
    def test_documents_come_back_as_they_were_given(self, kind, engine) -> None:
        assert engine.snapshot.modality.kind == kind.name
        assert list(engine.snapshot.reader.stream()) == kind.documents(30)
        assert engine.snapshot.reader.damage() == []

    def test_every_system_finds_the_document_itself_first(self, kind, engine) -> None:
        document = kind.documents(30)[7]
        for system in engine.snapshot.modality.systems:
            hits = kind.like(engine, document, 5, mode=system)
            assert hits[0].id == document.id or system in ("bits", "hamming", "pca", "lsa"), system
            assert document.id in {hit.id for hit in hits}
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            assert all(before.score >= after.score for before, after in itertools.pairwise(hits))

    def test_what_is_like_a_document_is_of_its_label_and_not_itself(self, kind, engine) -> None:
        for id in ids(engine):
            hits = engine.similar(id, k=3)
            assert id not in {hit.id for hit in hits}
            assert hits[0].fields[kind.label] in id

    def test_several_documents_and_one_that_it_should_be_unlike(self, kind, engine) -> None:
        first, second, third = [document.id for document in kind.documents(3)]
        found = {hit.id for hit in engine.similar([first, second], k=30, unlike=[third])}
        assert not found & {first, second, third}
        best = engine.similar(first, k=5, unlike=[third])
        assert {hit.fields[kind.label] for hit in best} == {first.split("-")[0]}

    def test_ids_and_like_are_one_query(self, kind, engine) -> None:
        first, second = [document.id for document in kind.documents(2)]
        assert engine.similar(first, k=5, like=[second]) == engine.similar([first, second], k=5)

    def test_a_blank_text_with_a_document_is_the_document(self, kind, engine) -> None:
        id = kind.documents(1)[0].id
        result = engine.searcher.search(SearchRequest(" ", like=[id], top_k=5, granularity="document"))
        assert list(result) == engine.similar(id, k=5)

    def test_a_condition_on_fields(self, kind, engine) -> None:
        document = kind.documents(1)[0]
        hits = kind.like(engine, document, 30, where="year:[1910 TO 1919]")
        assert hits
        assert {hit.fields["year"] for hit in hits} <= set(range(1910, 1920))

    def test_the_scoreboard_has_every_system_of_the_kind(self, kind, engine) -> None:
        scored = evaluate_labels(engine, kind.label, k=5)
        assert tuple(figure.system for figure in scored.figures) == engine.snapshot.modality.systems
        asked = evaluate_labels(engine, kind.label, kind.documents(6, seed=2), k=5)
        assert {figure.queries for figure in asked.figures} == {6}
        assert {figure.value > 0.5 for figure in (*scored.figures, *asked.figures)} == {True}

    def test_codes_are_decoded_and_drawn(self, kind, engine) -> None:
        id = kind.documents(1)[0].id
        (decoded,) = decode_documents(engine.snapshot, [id])
        assert decode_code(engine.snapshot, decoded.code).words == tuple(
            replace(word, held=None) for word in decoded.words
        )
        samples = sample(engine.snapshot, 3, seed=5)
        assert sample(engine.snapshot, 3, seed=5) == samples
        assert all(sample.nearest in ids(engine) for sample in samples.samples)
        pictures = [sample.decoded.picture is not None for sample in samples.samples]
        assert pictures == [kind.name == PICTURES] * 3

    def test_codes_for_other_tools(self, kind, engine, tmp_path) -> None:
        export_codes(engine, tmp_path / "codes.npy")
        assert np.load(tmp_path / "codes.npy").shape == engine.snapshot.codes.floats.shape

    def test_what_is_not_there(self, kind, engine) -> None:
        for ask in (engine.similar, engine.snapshot.document, lambda id: decode_documents(engine.snapshot, [id])):
            with pytest.raises(QueryError, match="no document has the id 'x12'"):
                ask("x12")
        with pytest.raises(TextaeError, match="no system 'magic'"):
            kind.like(engine, kind.documents(1)[0], 1, mode="magic")


class TestAsItLives:
    def test_the_same_documents_and_the_same_seed_give_the_same_bytes(self, kind, made, tmp_path) -> None:
        with Engine.create(tmp_path / "index") as engine:
            engine.index(kind.documents(30), model=TINY, train=kind.train)
        assert contents(tmp_path / "index") == contents(made[kind.name])

    def test_add_remove_and_open_again(self, kind, living) -> None:
        new = [replace(document, id=f"new-{document.id}") for document in kind.documents(3, seed=2)]
        changes = living.add(new)
        assert (changes.added, changes.documents) == (3, 12)
        assert living.add(new[:1]).unchanged == 1
        first = kind.like(living, new[0], 1)[0]
        assert first.id == new[0].id
        assert living.remove([new[0].id]).removed == 1
        assert new[0].id not in {hit.id for hit in kind.like(living, new[0], 20)}
        with Engine.open(living.folder) as again:
            assert kind.like(again, new[1], 9) == kind.like(living, new[1], 9)
            assert again.snapshot.reader.damage() == []

    def test_sync_makes_it_what_the_folder_is(self, kind, living, tmp_path) -> None:
        folder = tmp_path / "corpus"
        old, other = kind.documents(9), kind.documents(9, seed=2)
        (folder / kind.write(folder, old[0])).unlink()
        changed = kind.write(folder, replace(other[1], id=old[1].id))
        new = kind.write(folder, replace(other[2], id="new"))
        changes = living.sync()
        assert (changes.added, changes.replaced, changes.removed, changes.unchanged) == (1, 1, 1, 7)
        assert {changed, new} < ids(living)
        assert kind.like(living, other[2], 1)[0].id == new
        assert not living.sync().any

    def test_what_cannot_be_read_stays_as_it_was(self, kind, living, tmp_path) -> None:
        name = kind.write(tmp_path / "corpus", kind.documents(1)[0])
        (tmp_path / "corpus" / name).write_bytes(b"\x89PNG\r\n\x1a\n\0")
        changes = living.sync()
        assert (changes.any, changes.unchanged, sum(changes.skipped.values())) == (False, 9, 2)

    def test_learning_again_is_as_if_it_had_just_been_indexed(self, kind, living, tmp_path) -> None:
        with Engine.create(tmp_path / "once") as once:
            once.index(list(living.snapshot.reader.stream()), model=TINY, train=kind.train)
            expected = {name: array.tobytes() for name, array in once.snapshot.reader.arrays.items()}
        new = [replace(document, id=f"new-{document.id}") for document in kind.documents(3, seed=2)]
        living.add(new)
        living.remove([document.id for document in new])
        assert living.train().anew
        assert {name: array.tobytes() for name, array in living.snapshot.reader.arrays.items()} == expected

    def test_the_other_kind_is_skipped_and_counted(self, kind, living) -> None:
        other = Pictures() if kind.name == TEXTS else Texts()
        before = contents(living.folder)
        changes = living.add([*other.documents(2), Skipped("a", "b")])
        assert (changes.any, sum(changes.skipped.values())) == (False, 3)
        assert contents(living.folder) == before

    def test_nothing_to_index_leaves_what_was_there(self, kind, living) -> None:
        before = contents(living.folder)
        with pytest.raises(TextaeError, match="no document"):
            living.index([Skipped("a", "b")])
        with pytest.raises(StoreError, match="that would leave no document"):
            living.remove(sorted(ids(living)))
        assert contents(living.folder) == before

    def test_copies_are_found(self, kind, living) -> None:
        copy = kind.documents(1)[0]
        living.add([replace(copy, id="copy-1"), replace(copy, id="copy-2")])
        (group, *_) = near_duplicates(living.snapshot).groups
        assert {"copy-1", "copy-2"} <= {one.id for one in group}
