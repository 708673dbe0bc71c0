"""An index that stores bits alone: no float of a document is on disk, and all that reads floats reads what bits say."""

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mutants import Mutant
from shared import QUICK, TINY, contents, evaluate_labels, long_documents, some_documents, some_pictures
from test_soundness import changed, opening

from textae import Document, Engine, ModelSpec, TrainSpec, frames
from textae.config import BY_BITS
from textae.errors import QueryError, TextaeError
from textae.explore.decode import decode_documents
from textae.explore.duplicates import near_duplicates
from textae.explore.map import map_model, place
from textae.explore.sampling import sample
from textae.index import soundness
from textae.index.specification import specification
from textae.index.store import Reader

BITS = replace(TINY, codes="bits")
UNKNOWN = Document("unknown", "zyzzyva")


def made(folder: Path, model: ModelSpec) -> Path:
    """Give an index of two segments, one document of which has no code, and one is removed."""
    with Engine.create(folder) as engine:
        engine.index(some_documents(30), model=model, train=QUICK)
        engine.add([*some_documents(36)[30:], UNKNOWN])
        engine.remove(["stars-3"])
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("bits") / "index", BITS)


@pytest.fixture(scope="module")
def with_floats(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("floats") / "index", TINY)


@pytest.fixture
def engine(folder):
    with Engine.open(folder) as engine:
        yield engine


def test_it_stores_what_an_index_with_floats_does_but_for_floats(folder, with_floats):
    (documents, arrays), (same_documents, more) = contents(folder), contents(with_floats)
    assert documents == same_documents
    assert arrays.items() <= more.items()
    missing = {name for name in more if name not in arrays}
    segments = {f"segments/{i}/documents/{name}" for i in (0, 1) for name in ("floats", "lsa")}
    assert missing == {"lsa/words", *segments}


def test_codes_cost_the_bytes_of_their_bits(folder, with_floats):
    costs = []
    for one in (folder, with_floats):
        with Engine.open(one) as engine:
            costs.append(engine.info())
    assert [cost["bytes_floats"] for cost in costs] == [0, 37 * 8 * 2]
    # of 37 rows one is removed; LSA has 8 numbers, as the code has
    assert [cost["bytes_of_codes_per_document"] for cost in costs] == [4, round((4 + 16 + 16) * 37 / 36)]


@pytest.mark.parametrize("mode", ["tfidf", "bm25", "bits", "hamming"])
def test_what_reads_no_floats_ranks_as_with_floats(engine, with_floats, mode):
    with Engine.open(with_floats) as other:
        for query in ("comet over the harbour", "only31 dough"):
            hits = engine.search(query, mode=mode)
            assert hits
            assert hits == other.search(query, mode=mode)


def test_the_hybrid_adds_bits_to_keywords(engine):
    searcher = engine.searcher
    query = searcher.text_query("comet over the harbour")
    hybrid, rows = searcher.retriever("hybrid"), np.arange(37)
    by_words, by_bits = hybrid.factors(query)
    expected = by_words * searcher.retriever("bm25").scores(query, rows) ** 2
    expected += np.maximum(by_bits * searcher.retriever("bits").scores(query, rows), 0)
    assert hybrid.scores(query, rows) == pytest.approx(expected, abs=1e-6)
    hit = engine.search("comet harbour", 1, explain=True, expand=True)[0]
    assert hit.explanation.common
    assert hit.explanation.codes
    assert hit.explanation.score == pytest.approx(hit.score, abs=1e-5)


def test_floats_are_those_that_the_bits_stand_for(engine, with_floats):
    snapshot = engine.snapshot
    floats, known = snapshot.codes.floats, snapshot.codes.has_code
    assert known.tolist() == [True] * 35 + [False]
    assert np.linalg.norm(floats, axis=1) == pytest.approx(known.astype(float), abs=1e-3)
    with Engine.open(with_floats) as other:
        cosines = (floats * other.snapshot.codes.floats)[known].sum(axis=1)
    assert cosines.mean() > 0.9  # 32 bits of 8 numbers
    rows = np.array([36, 5, 30])  # 3 is removed
    assert np.array_equal(snapshot.documents.floats.take(rows), floats[rows - 1])


def test_systems_that_need_floats_are_refused_with_what_to_do(engine):
    for mode in ("code", "lsa", "lsa-2", "bits-8", "hamming-16"):
        with pytest.raises(QueryError) as refused:
            engine.search("comet", mode=mode)
        assert str(refused.value) == (
            f"the system '{mode}' needs float codes, and the index stores bits alone; "
            "give bits or hybrid, or learn floats by 'textae train --codes floats'"
        )
    with pytest.raises(TextaeError, match="no system 'nope'"):
        engine.search("comet", mode="nope")
    with pytest.raises(QueryError, match="the system 'code' needs float codes"):
        evaluate_labels(engine, "topic", systems=["bits", "code"], k=3)


def test_a_comparison_of_all_systems_is_of_those_without_floats(engine, folder, shell):
    lines = shell("eval", "--label", "topic", "-k", 3, "--index", folder).out.splitlines()
    assert [line.split()[0] for line in lines[3:8]] == list(BY_BITS)


def test_what_gives_floats_away_is_refused(engine, folder, shell, tmp_path):
    said = shell("export", "--codes", tmp_path / "codes.npy", "--index", folder)
    assert said.error.startswith("an export of floats needs float codes, and the index")
    assert "give --what bits" in said.error
    assert shell("export", "--codes", tmp_path / "codes.npy", "--what", "bits", "--index", folder).code == 0
    assert np.load(tmp_path / "codes.npy").shape == (36, 4)
    with pytest.raises(QueryError, match="a frame of floats needs float codes"):
        frames.codes(engine)
    assert frames.bits(engine).shape == (36, 32)
    assert shell("map", "--layout", "lsa", "--index", folder).error.startswith("the layout 'lsa' needs float codes")


def test_what_reads_floats_works(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "index")
    with Engine.open(copy) as engine:
        topics = engine.topics(3)
        assert sum(topic.documents for topic in topics.leaves) == 35
        assert engine.map().coordinates.shape == (35, 2)
        there = place(engine.snapshot, map_model(engine.snapshot), ["telescope comet", "zyzzyva"])
        assert np.isfinite(there).all(axis=1).tolist() == [True, False]
        assert decode_documents(engine.snapshot, ["bread-31"])[0].words
        with pytest.raises(QueryError, match="the encoder knows no word of the document 'unknown'"):
            decode_documents(engine.snapshot, ["unknown"])
        assert len(sample(engine.snapshot, 2, 3, 1).samples) == 2
        assert near_duplicates(engine.snapshot, radius=0) is not None
        assert engine.similar("stars-0", mode="bits")
        assert engine.search("dough", like=["stars-0"], unlike=["bread-1"])
    assert contents(copy)


def test_merged_segments_are_those_of_all_documents(tmp_path):
    """Passages too, and documents that have none."""
    documents, kept = [*long_documents(12), Document("short", "", "Telescope")], ["long-0", "long-4", "short"]
    for name, model in (("bits", BITS), ("floats", TINY)):
        with Engine.create(tmp_path / name) as engine:
            engine.index(documents[:4], model=model, train=QUICK, passage=20)
            engine.add(documents[4:])
            engine.remove([document.id for document in documents if document.id not in kept])
            assert engine.search("only4")[0].id == "long-4"
    (_, arrays), (_, more) = contents(tmp_path / "bits"), contents(tmp_path / "floats")
    assert arrays.items() <= more.items()
    assert not any(name.endswith(("/floats", "/lsa")) for name in arrays)
    assert any(name.endswith("passages/floats") for name in more)


def test_floats_are_learned_again_and_forgotten_again(folder, shell, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "index")
    with Engine.open(copy) as engine:
        spec = engine.snapshot.specs[0]
        engine.train(model=spec)
        alone = contents(copy)
        engine.train(model=replace(spec, codes="floats"))
        assert engine.search("comet", mode="code")
        assert any(name.endswith("/lsa") for name in contents(copy)[1])
    assert shell("train", "--codes", "bits", "--index", copy).code == 0
    assert contents(copy) == alone


def test_labels_are_learned_as_with_floats(folder, with_floats, tmp_path):
    learned = []
    for index in (folder, with_floats):
        with Engine.open(shutil.copytree(index, tmp_path / index.parent.name)) as engine:
            engine.train(label="topic")
        learned.append(contents(engine.folder)[1])
    assert learned[0].items() <= learned[1].items()
    assert not any(name.endswith(("/floats", "/lsa")) for name in learned[0])
    assert learned[0]["encoder/words"] != contents(folder)[1]["encoder/words"]


@pytest.mark.parametrize(
    ("documents", "train", "what"),
    [
        (some_pictures(12), QUICK, "pictures keep their pixels"),
        (some_documents(12), TrainSpec(epochs=1, device="cpu", pretrain="rbm"), "the length of a deep stack's code"),
    ],
)
def test_pictures_and_deep_stacks_store_floats(tmp_path, documents, train, what):
    model = ModelSpec(dims=8, bits=16, hidden=(8,), dropout=0.0, codes="bits")
    with (
        Engine.create(tmp_path / "index") as engine,
        pytest.raises(TextaeError, match=f"{what}.*; give --codes floats"),
    ):
        engine.index(documents, model=model, train=train)


def test_codes_of_another_name_are_refused():
    with pytest.raises(TextaeError, match=r"no codes 'bytes'; give one of floats, bits"):
        ModelSpec(codes="bytes")


class TestAStranger:
    def test_the_index_keeps_its_specification(self, folder):
        with closing(Reader(folder)) as reader:
            assert soundness.faults(reader) == []
            assert reader.arrays.keys() == specification(reader.arrays, reader.settings).keys()

    def test_an_index_without_floats_must_say_so(self, folder):
        with closing(Reader(folder)) as reader:
            for codes in ({}, {"codes": "floats"}):
                about = {name: value for name, value in reader.settings["about"].items() if name != "codes"}
                settings = {**reader.settings, "about": about | codes}
                assert "is missing" in opening(reader, reader.arrays, settings)
            settings = {**reader.settings, "about": {**reader.settings["about"], "codes": "bytes"}}
            assert "no codes 'bytes'" in opening(reader, reader.arrays, settings)

    @pytest.mark.parametrize("name", ["lsa/words", "segments/1/documents/floats", "segments/0/documents/lsa"])
    def test_an_index_of_bits_alone_has_no_floats(self, folder, with_floats, name):
        with closing(Reader(folder)) as reader, closing(Reader(with_floats)) as other:
            arrays = {**reader.arrays, name: other.arrays[name]}
            assert "the codes and their setting of the index do not agree" in opening(reader, arrays, reader.settings)

    def test_pictures_and_deep_stacks_are_never_of_bits_alone(self, pictures_folder, tmp_path):
        deep = tmp_path / "deep"
        with Engine.create(deep) as engine:
            train = TrainSpec(epochs=1, device="cpu", pretrain="rbm")
            engine.index(some_documents(12), model=ModelSpec(dims=8, bits=16, hidden=(8,)), train=train)

        for index in (pictures_folder, deep):
            with closing(Reader(index)) as reader:
                settings = {**reader.settings, "about": {**reader.settings["about"], "codes": "bits"}}
                arrays = {
                    name: array
                    for name, array in reader.arrays.items()
                    if not name.startswith(("lsa/", "checksums/lsa")) and not name.endswith(("/floats", "/lsa"))
                }
                assert "do not agree" in opening(reader, arrays, settings)

    def test_any_planes_give_floats(self, folder, tmp_path):
        def huge(mutant: Mutant) -> None:
            mutant.put("encoder/mean", np.full_like(mutant.array("encoder/mean"), 9))

        with Engine.open(changed(folder, tmp_path, huge)) as engine:
            assert np.isfinite(engine.snapshot.codes.floats).all()
