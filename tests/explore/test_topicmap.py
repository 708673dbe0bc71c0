"""The map of an index: who is on it and where, what is said at its places, and what of it is kept."""

import shutil

import numpy as np
import pytest
from shared import QUICK, TOPICS, nobody, open_to_all, some_documents

from textae import Document, Engine, ModelSpec, TextaeError, TrainSpec
from textae.config import AUTOENCODER, LAYOUTS, LSA, NEIGHBOURS
from textae.encoding.analyzer import searchable
from textae.encoding.projection import LIMIT
from textae.errors import QueryError
from textae.explore.map import GRID, WORDS, codes_at, map_model, place


@pytest.fixture
def own(index_folder, tmp_path):
    """Give an engine of an index that may be written to."""
    with Engine.open(shutil.copytree(index_folder, tmp_path / "own")) as engine:
        yield engine


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_document_has_a_place_a_topic_and_a_title(own, documents, layout) -> None:
    found = own.map(layout)
    assert found.layout == layout
    assert list(found.ids) == [document.id for document in documents]
    assert list(found.titles) == [document.title for document in documents]
    assert found.numbers.tolist() == sorted(own.snapshot.ids)
    assert (found.coordinates.shape, found.coordinates.dtype) == ((60, 2), np.float32)
    assert np.abs(found.coordinates).max() <= LIMIT
    assert found.topics == own.topics()
    sizes = np.bincount(found.topic_of, minlength=len(found.topics.leaves))
    assert sizes.tolist() == [topic.documents for topic in found.topics.leaves]
    assert found.memberships.shape == (60,)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_text_is_placed_where_a_document_of_it_is(own, documents, layout) -> None:
    found = own.map(layout)
    texts = [searchable(document) for document in documents[:9]]
    assert place(own.snapshot, map_model(own.snapshot, layout), texts) == pytest.approx(
        found.coordinates[:9], abs=0.02
    )  # codes are stored in half precision
    assert np.isnan(place(own.snapshot, map_model(own.snapshot, layout), ["zzxqy"])).all()


def test_neighbours_on_the_map_are_of_a_topic(own, documents) -> None:
    places = own.map().coordinates
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    topics = np.array([document.fields["topic"] for document in documents])
    assert (topics[apart.argmin(axis=1)] == topics).mean() > 0.9


def test_the_ground_says_what_documents_there_are_about(plane_folder, tmp_path, documents) -> None:
    with Engine.open(shutil.copytree(plane_folder, tmp_path / "own")) as engine:
        found = engine.map(AUTOENCODER)  # codes of two numbers are places
        ground = found.background
        assert len(ground.words) == GRID**2
        assert all(len(cell) <= WORDS for cell in ground.words)
        for place, document in zip(found.coordinates, documents, strict=True):
            column = int((place[0] - ground.left) / (ground.right - ground.left) * GRID)
            row = int((ground.top - place[1]) / (ground.top - ground.bottom) * GRID)
            said = ground.words[row * GRID + column]
            assert set(said) <= set(TOPICS[document.fields["topic"]].split())


def test_a_place_between_documents_has_the_mean_of_their_codes() -> None:
    codes = np.array([[1.0, 0.0], [3.0, 4.0]], np.float32)
    places = np.array([[-1.0, 0.0], [1.0, 0.0]], np.float32)
    there = codes_at(np.array([[0.0, 0.0], [0.0, 7.0]], np.float32), codes, places)
    assert there == pytest.approx(np.array([[2.0, 2.0], [2.0, 2.0]]))
    of_unit_length = codes_at(np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32), places)
    assert of_unit_length == pytest.approx(np.full((1, 2), 0.5**0.5))


def test_what_was_learned_is_kept_and_serves_documents_that_come_later(own) -> None:
    learned = own.map()
    stages = set()

    def progress(stage, done, total) -> None:
        stages.add(stage)

    again = own.map(progress=progress)
    assert not stages
    assert again.coordinates.tobytes() == learned.coordinates.tobytes()
    assert again.background == learned.background
    own.remove([learned.ids[3]])
    own.add([Document("new", "The sail and the anchor of the captain.", "A ship"), Document("none", "zzxqy")])
    later = own.map(progress=progress)
    assert not stages
    assert list(later.ids) == [*learned.ids[:3], *learned.ids[4:], "new"]
    assert later.titles[-1] == "A ship"
    assert later.topics.without_code == 1
    assert np.abs(later.coordinates[:-1] - np.delete(learned.coordinates, 3, axis=0)).max() < 1e-5
    assert own.snapshot.reader.damage() == []


def test_another_seed_learns_another_map_and_the_same_one_the_same(own) -> None:
    one, other, again = (own.map(seed=seed) for seed in (1, 2, 1))
    assert one.coordinates.tobytes() == again.coordinates.tobytes() != other.coordinates.tobytes()
    assert own.map().coordinates.tobytes() == one.coordinates.tobytes()


def test_learning_the_index_anew_takes_its_maps_away(own) -> None:
    own.map(LSA)
    own.refresh()
    assert any(name.startswith("map/lsa/") for name in own.snapshot.reader.arrays)
    own.train(train=TrainSpec(epochs=1, seed=2, device="cpu"))
    assert not any(name.startswith("map") for name in own.snapshot.reader.arrays)
    assert "map/lsa" not in own.snapshot.reader.settings


def test_an_index_that_cannot_be_written_to_has_a_map(index_folder, tmp_path) -> None:
    folder = shutil.copytree(index_folder, tmp_path / "own")
    open_to_all(folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    with nobody(), Engine.open(folder) as engine:
        assert len(engine.map(LSA).ids) == 60
        assert "map/lsa" not in engine.snapshot.reader.settings


def test_what_cannot_be_is_said(own) -> None:
    with pytest.raises(TextaeError, match="there is no layout 'umap'; give one of neighbours, autoencoder, lsa"):
        own.map("umap")
    with pytest.raises(TextaeError, match="seed"):
        own.map(seed=-1)


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize(
    ("dims", "pretrain"), [(16, "lsa"), (8, "rbm"), (2, "rbm")], ids=["default", "deep", "deep on a plane"]
)
def test_few_documents_have_a_map(tmp_path, n, dims, pretrain) -> None:
    with Engine.create(tmp_path / "index") as engine:
        model = ModelSpec(dims=dims, bits=32, hidden=(16,), dropout=0.0)
        engine.index(some_documents(n), model=model, train=TrainSpec(epochs=1, device="cpu", pretrain=pretrain))
        for layout in LAYOUTS:
            found = engine.map(layout)
            assert len(found.ids) == n
            assert np.isfinite(found.coordinates).all()


def test_codes_that_nobody_has_make_no_map(tmp_path) -> None:
    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(4), model=ModelSpec(dims=16, bits=32, hidden=(16,)), train=QUICK)
        engine.add([Document("none", "zzxqy")])
        engine.remove([document.id for document in some_documents(4)])
        with pytest.raises(QueryError, match="no document of this index has a code"):
            engine.map(NEIGHBOURS)


def test_pictures_have_a_map_whose_ground_has_no_words(pictures_folder, tmp_path) -> None:
    with Engine.open(shutil.copytree(pictures_folder, tmp_path / "own")) as engine:
        for layout in (AUTOENCODER, LSA):
            found = engine.map(layout)
            assert (len(found.ids), found.coordinates.shape) == (60, (60, 2))
            assert found.background.words == ((),) * GRID**2
            assert engine.map(layout).background == found.background  # as it is kept
        with pytest.raises(QueryError, match="a place on the map by words is for texts"):
            place(engine.snapshot, map_model(engine.snapshot), ["a bar"])
