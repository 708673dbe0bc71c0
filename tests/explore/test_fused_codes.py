"""Topics and maps of an index with vectors of the user's own: they compare documents by these, too."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mutants import Mutant
from shared import QUICK, TINY, TOPICS, some_documents

from textae import Document, Engine, ModelSpec, TrainSpec
from textae.encoding.layers import unit
from textae.errors import StoreError
from textae.explore.fused_codes import WEIGHT, fused
from textae.explore.map import map_model, place
from textae.explore.topics import topic_vectors
from textae.index.own_vectors import needed_vectors

RNG = np.random.default_rng(5)
DIMS = 20
DOCUMENTS = some_documents(48)
HALVES = RNG.standard_normal((2, DIMS)) * 3
"""Half of the documents of each topic have one meaning, and half another; their words do not tell."""
HALF_OF = {one.id: number % 2 for number, one in enumerate(DOCUMENTS)}
VECTORS = {id: HALVES[half] + 0.3 * RNG.standard_normal(DIMS) for id, half in HALF_OF.items()}
WITHOUT = ("bread-1", "ships-2", "stars-3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fused") / "index"
    given = {id: vector for id, vector in VECTORS.items() if id not in WITHOUT}
    with Engine.create(folder) as engine:
        engine.index(DOCUMENTS, vectors=given, model=TINY, train=QUICK)
        set_weight(folder, 3.0)
    return folder


@pytest.fixture
def engine(folder: Path, tmp_path: Path) -> Iterator[Engine]:
    with Engine.open(shutil.copytree(folder, tmp_path / "index")) as opened:
        yield opened
        assert opened.snapshot.reader.damage() == []


def set_weight(folder: Path, weight: float) -> None:
    """Have the vectors weigh much: so small a corpus finds nothing by words that vectors should find, too."""
    mutant = Mutant(folder, None)
    mutant.database.execute("UPDATE settings SET value = ? WHERE name = 'vector_weight'", (str(weight),))
    mutant.seal()


def rows_of(engine: Engine) -> tuple[np.ndarray, np.ndarray]:
    """Codes, and the numbers of their rows."""
    floats = engine.snapshot.documents.floats.whole().astype(np.float32)
    return floats, np.arange(len(floats))


def half_of(engine: Engine) -> np.ndarray:
    return np.array([HALF_OF[id] for id in engine.snapshot.ids.values()])


def test_an_inner_product_is_that_of_codes_and_of_vectors_from_their_mean(engine: Engine) -> None:
    codes, rows = rows_of(engine)
    given = [id for id in HALF_OF if id not in WITHOUT]
    known = [i for i, id in enumerate(engine.snapshot.ids.values()) if id not in WITHOUT]
    units = np.array([VECTORS[id] / np.linalg.norm(VECTORS[id]) for id in given])
    own = units - units.mean(axis=0)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    expected = codes[known] @ codes[known].T + WEIGHT * 3.0 * own @ own.T
    together = fused(engine.snapshot, codes, codes, rows)[known]
    assert together @ together.T == pytest.approx(expected, abs=0.02)


def test_what_has_no_vector_gets_the_one_that_its_code_makes_likely(tmp_path: Path) -> None:
    """A vector that follows from the code is found again, of documents and of texts."""
    with Engine.create(tmp_path / "index") as plain:
        plain.index(DOCUMENTS, model=TINY, train=QUICK)
        codes = plain.snapshot.codes.floats.astype(np.float64)
    turned = codes @ np.random.default_rng(2).standard_normal((8, DIMS))
    given = {one.id: row for one, row in zip(DOCUMENTS, turned, strict=True)}
    with Engine.create(tmp_path / "index") as engine:
        some = {id: row for id, row in given.items() if id not in WITHOUT}
        engine.index(DOCUMENTS, vectors=some, model=TINY, train=QUICK)
        set_weight(engine.folder, 1.0)
        codes, rows = rows_of(engine)
        of_documents = fused(engine.snapshot, codes, codes, rows)[:, 8:]
        of_texts = fused(engine.snapshot, codes, codes, None)[:, 8:]
        planes = needed_vectors(engine.snapshot).planes
        true = unit(planes.sides(unit(turned.astype(np.float32))))
        lacking = [i for i, one in enumerate(DOCUMENTS) if one.id in WITHOUT]
        assert np.array_equal(of_documents[lacking], of_texts[lacking])
        assert np.vecdot(unit(of_texts), true).mean() > 0.9
        assert np.vecdot(unit(of_documents), true)[lacking].min() > 0.8


def test_an_index_without_vectors_has_what_it_had(index_folder: Path) -> None:
    with Engine.open(index_folder) as engine:
        codes, rows = rows_of(engine)
        assert fused(engine.snapshot, codes, codes, rows) is codes
        assert topic_vectors(engine.snapshot, codes, rows).shape == topic_vectors(engine.snapshot, codes).shape


def test_topics_are_of_codes_and_vectors(engine: Engine) -> None:
    """Six: each of three topics that words tell, and each of two halves of it that vectors tell."""
    topics = engine.topics(6)
    leaf_of = {}
    for leaf in topics.leaves:
        leaf_of |= dict.fromkeys((one.id for one in leaf.typical), leaf.id)
    assert len(leaf_of) >= 12
    for id, leaf in leaf_of.items():
        alike = [other for other in leaf_of if leaf_of[other] == leaf and other not in WITHOUT]
        if id not in WITHOUT:
            assert {HALF_OF[other] for other in alike} == {HALF_OF[id]}


def test_topics_are_named_by_words(engine: Engine) -> None:
    words = set(" ".join(TOPICS.values()).split())
    assert all(set(leaf.words) & words for leaf in engine.topics(3).leaves)


@pytest.mark.parametrize("layout", ["neighbours", "autoencoder"])
def test_the_map_keeps_those_together_that_vectors_hold_alike(engine: Engine, layout: str) -> None:
    places = engine.map(layout).coordinates
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    halves = half_of(engine)
    assert (halves[apart.argmin(axis=1)] == halves).mean() > 0.85


def test_a_document_that_comes_later_lies_where_its_vector_is(engine: Engine) -> None:
    model = map_model(engine.snapshot)
    topics = engine.topics(2)
    new = [Document(f"new-{half}", DOCUMENTS[0].text) for half in (0, 1)]
    engine.add(new, vectors={f"new-{half}": HALVES[half] for half in (0, 1)})
    assert map_model(engine.snapshot).background == model.background
    found = engine.map()
    ids = list(found.ids)
    halves = np.array([HALF_OF.get(id, -1) for id in ids])
    for half in (0, 1):
        at = ids.index(f"new-{half}")
        near = np.linalg.norm(found.coordinates - found.coordinates[at], axis=1)
        near[halves < 0] = np.inf
        assert halves[near.argmin()] == half
    assert found.topic_of[ids.index("new-0")] != found.topic_of[ids.index("new-1")]
    assert [leaf.name for leaf in found.topics.leaves] == [leaf.name for leaf in topics.leaves]


def test_a_text_has_a_place(engine: Engine) -> None:
    model = map_model(engine.snapshot)
    places = place(engine.snapshot, model, [DOCUMENTS[0].text, "xyzzy"])
    assert np.isfinite(places[0]).all()
    assert np.isnan(places[1]).all()
    lacking = next(one for one in DOCUMENTS if one.id == "bread-1")
    found = engine.map()
    own = found.coordinates[list(found.ids).index("bread-1")]
    assert place(engine.snapshot, model, [lacking.text])[0] == pytest.approx(own, abs=0.05)


def test_seeds_start_topics_by_words_and_documents(engine: Engine) -> None:
    topics = engine.topics(4, seeds=["sky: telescope, comet", f"one: id:{DOCUMENTS[0].id}", "id:bread-1, dough"])
    assert {"sky", "one"} <= {leaf.name for leaf in topics.leaves}


def test_corrections_are_carried_over_where_codes_change(engine: Engine) -> None:
    named = engine.topics(3, rename={"1": "Mine"})
    assert named.find("Mine")
    engine.train(model=replace(TINY, dims=6), train=QUICK)
    assert engine.topics(3).find("Mine") or "Mine" in engine.topics(3).lost


def test_vectors_that_know_nothing_change_nothing(engine: Engine) -> None:
    set_weight(engine.folder, 0.0)
    engine.refresh()
    with Engine.open(engine.folder) as again:
        codes, rows = rows_of(again)
        assert not fused(again.snapshot, codes, codes, rows)[:, codes.shape[1] :].any()
        assert again.topics(3).leaves


def test_a_deep_stack_s_codes_of_any_length_weigh_as_much(tmp_path: Path) -> None:
    model = ModelSpec(dims=2, bits=16, hidden=(8,))
    with Engine.create(tmp_path / "deep") as engine:
        engine.index(DOCUMENTS, vectors=VECTORS, model=model, train=TrainSpec(1, device="cpu", pretrain="denoising"))
        set_weight(engine.folder, 2.0)
        codes, rows = rows_of(engine)
        parts = fused(engine.snapshot, codes, codes, rows)[:, 2:]
        assert np.square(parts).sum() == pytest.approx(WEIGHT * 2.0 * np.square(codes).sum(), rel=0.01)
        assert engine.topics(2).leaves
        assert len(engine.map().ids) == len(DOCUMENTS)


@pytest.mark.parametrize("name", ["vectors/rotation", "vectors/mean", "documents/vectors/floats", "documents/floats"])
def test_numbers_are_checked_before_native_code_reads_them(name: str, folder: Path, tmp_path: Path) -> None:
    mutant = Mutant(Path(shutil.copytree(folder, tmp_path / "index")), None)
    (whole,) = (one for one in mutant.names() if one.endswith(name))
    array = mutant.array(whole)
    array.reshape(-1)[3] = np.nan
    mutant.put(whole, array)
    mutant.seal()
    with Engine.open(mutant.folder) as damaged:
        codes, rows = rows_of(damaged)
        with pytest.raises(StoreError, match="has a number that is not finite"):
            fused(damaged.snapshot, codes, codes, rows)
