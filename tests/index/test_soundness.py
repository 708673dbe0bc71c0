"""What an index may hold: each array and each setting has a specification, and what breaks it is named."""

import json
import random
import shutil
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mutants import Mutant
from shared import LONG, QUICK, TINY, some_documents, some_pictures

from textae import Document, Engine, ModelSpec, TrainSpec
from textae.errors import StoreError
from textae.index import checksums, soundness
from textae.index.records import DEEPEST
from textae.index.specification import specification
from textae.index.store import Reader


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> Path:
    """Give an index with passages, labels, topics, a map, and two segments, of one of which something is removed."""
    folder = tmp_path_factory.mktemp("texts") / "index"
    documents = [Document(d.id, f"{d.text} {d.text}", d.title, d.fields) for d in some_documents(30)]
    with Engine.create(folder) as engine:
        engine.index(documents[:24], model=TINY, train=QUICK, passage=20)
        engine.train(label="topic", model=TINY, train=QUICK)
        engine.add(documents[24:])
        engine.remove(["stars-3"])
        engine.topics(3)
        engine.map()
    return folder


@pytest.fixture(scope="module")
def deep(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("deep") / "index"
    with Engine.create(folder) as engine:
        spec = TrainSpec(epochs=1, device="cpu", pretrain="rbm")
        engine.index(some_documents(24), model=ModelSpec(dims=8, bits=16, hidden=(8,)), train=spec)
        engine.topics(4, seeds=["mine: comet, oven"], rename={"1": "Mine"}, merge=["1.1", "2.1"])
    return folder


@pytest.fixture(scope="module")
def convolutional(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("convolutional") / "index"
    with Engine.create(folder) as engine:
        spec = TrainSpec(epochs=1, device="cpu", pretrain="none")
        engine.index(some_pictures(12), model=ModelSpec(8, 16, (4, 4), 0, unpool="repeated"), train=spec)
        engine.topics(2, rename={"1.1": "Mine"})
        engine.train(train=spec)
        assert "topics/carried" in engine.snapshot.reader.settings
    return folder


@pytest.fixture(params=["texts", "deep", "convolutional", "pictures_folder", "index_folder", "mapped_folder"])
def folder(request) -> Path:
    return request.getfixturevalue(request.param)


def test_each_array_of_an_index_has_a_specification_and_keeps_it(folder):
    with closing(Reader(folder)) as reader:
        specified = specification(reader.arrays, reader.settings)
        assert reader.arrays.keys() == specified.keys()
        assert soundness.faults(reader) == []
        soundness.check_opened(reader)


def changed(folder: Path, tmp_path: Path, change) -> Path:
    """Give a copy of an index after a change, with hashes that fit."""
    copy = tmp_path / "changed"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    mutant = Mutant(copy, random.Random(1))
    change(mutant)
    mutant.seal()
    return copy


def opening(reader: Reader, arrays, settings) -> str:
    """Give the error of opening an index with these arrays and settings."""
    other = SimpleNamespace(arrays=arrays, settings=settings, folder=reader.folder, is_written=lambda name: True)
    with pytest.raises(StoreError, match="is damaged") as refused:
        soundness.check_opened(other)
    return str(refused.value)


def without(mapping, name: str) -> dict:
    return {key: value for key, value in mapping.items() if key != name}


def test_an_index_without_one_of_its_arrays_is_refused_with_the_name_of_its_group(texts):
    with closing(Reader(texts)) as reader:
        for name in reader.arrays:
            error = opening(reader, without(reader.arrays, name), reader.settings)
            assert name.split("/")[0] in error, name


def test_an_index_without_one_of_its_settings_is_refused_with_the_name_of_the_setting(texts):
    with closing(Reader(texts)) as reader:
        names = reader.settings.keys() - {"topics", "map/neighbours", "classifier", "layer_errors"}
        assert len(names) == 11
        for name in names:
            error = opening(reader, reader.arrays, without(reader.settings, name))
            assert f"the setting '{name}' is missing" in error


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("segments/0/passages/postings/documents", 10**6, "has a number that is out of range"),
        ("segments/0/tokens/terms", -2, "has a number that is out of range"),
        ("segments/1/documents/owners", -1, "has a number that is out of range"),
        ("segments/0/documents/floats", np.nan, "has a number that is not finite"),
        ("segments/0/names/rows", 10**6, "has a number that is out of range"),
        ("segments/1/names/documents", 10**6, "has a number that is out of range"),
        ("segments/1/names/weights", 0, "has a number that is out of range"),
        ("segments/0/names/postings", 1, "does not start at 0 and end at the number of entries"),
        ("vocabulary/0/text", 255, "is not UTF-8"),
        ("vocabulary/0/by_name", 0, "does not number each entry once"),
    ],
)
def test_doctor_names_the_array_and_what_is_wrong_with_its_values(texts, tmp_path, shell, name, value, fault):
    copy = changed(texts, tmp_path, lambda mutant: mutant.put(name, np.full_like(mutant.array(name), value)))
    said = shell("doctor", "--index", copy)
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert f"the array '{name}' {fault}" in said.out


def test_arrays_and_documents_that_do_not_agree_are_found(texts, tmp_path):
    def remove_nothing(mutant: Mutant) -> None:
        mutant.put("segments/0/documents/removed/counts", mutant.array("segments/0/documents/removed/counts") + 1)

    def renumber(mutant: Mutant) -> None:
        mutant.database.execute("UPDATE documents SET number = 99 WHERE number = 5")

    def unsort(mutant: Mutant) -> None:
        mutant.put("segments/1/names/text", mutant.array("segments/1/names/text")[::-1])

    changes = (
        (remove_nothing, "what is removed"),
        (renumber, "the same documents"),
        (unsort, "the names of segment '1' are not sorted"),
    )
    for change, what in changes:
        with closing(Reader(changed(texts, tmp_path, change))) as reader:
            assert any(what in fault for fault in soundness.faults(reader))


@pytest.mark.parametrize(
    ("kind", "name", "changes"),
    [
        ("deep", "topics/corrected", {"names": ["one"]}),
        ("deep", "topics/corrected", {"given": [99]}),
        ("deep", "topics/corrected", {"given_areas": [99]}),
        ("deep", "topics/corrected", {"area_words": [["one"]] * 9}),
        ("convolutional", "topics/carried", {"names": ["one", "two", "three"]}),
        ("convolutional", "topics/carried", {"given": [2]}),
    ],
)
def test_corrected_topics_that_do_not_agree_are_refused(request, kind, name, changes):
    with closing(Reader(request.getfixturevalue(kind))) as reader:
        settings = {**reader.settings, name: reader.settings[name] | changes}
        assert f"the {name} of the index do not agree with each other" in opening(reader, reader.arrays, settings)
        for wrong in ({"given": [-1]}, {"given": "1"}, {"seeds": [1]}, {"names": [None]}):
            settings = {**reader.settings, name: reader.settings[name] | wrong}
            assert f"the setting '{name}' has a value" in opening(reader, reader.arrays, settings)
        arrays = {**reader.arrays, f"{name}/topic_of": np.zeros_like(reader.arrays[f"{name}/topic_of"])}
        assert f"the {name} of the index do not agree" in opening(reader, arrays, reader.settings)


def flip(folder: Path, name: str, place: int) -> None:
    with closing(Reader(folder)) as reader:
        path = Path(reader.arrays[name].filename)
        at = reader.arrays[name].offset + place
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_bit_that_flips_in_a_small_array_of_an_encoder_is_found_by_a_search(texts, tmp_path, shell):
    with closing(Reader(texts)) as reader:
        names = [name for name in reader.arrays if name.startswith("encoder/") and reader.arrays[name].size]
    for name in names if LONG else names[::4]:
        copy = shutil.copytree(texts, tmp_path / name.replace("/", "-"))
        flip(copy, name, 2)
        said = shell("search", "telescope", "--index", copy)
        assert said.error.startswith(f"the index {copy} is damaged: the array '{name}' is not what was written")


def test_a_bit_that_flips_in_a_large_array_of_an_encoder_is_found_where_a_query_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(checksums, "LARGE", 0)
    monkeypatch.setattr(checksums, "BLOCK", 32)  # a row of 8 numbers
    monkeypatch.setattr(soundness, "_HASHED", 0)
    folder = tmp_path / "index"
    with Engine.create(folder) as engine:
        engine.index(some_documents(24), model=TINY, train=QUICK)
    with Engine.open(folder) as engine:
        before = engine.search("bread flour", mode="code")
        row = engine.snapshot.model.vectorizer.numbers["telescope"]
        assert engine.snapshot.arrays["encoder/words"].shape[1] == 8
    flip(folder, "encoder/words", 32 * row + 3)
    with Engine.open(folder) as engine:
        assert engine.search("bread flour", mode="code") == before
        for _ in range(2):
            with pytest.raises(StoreError, match="the array 'encoder/words' is not what was written"):
                engine.search("bread telescope", mode="code")


def test_settings_of_any_json_are_refused_or_taken(texts):
    """Never an error of their own."""
    from mutants import VALUES, changed

    from textae.index import settings

    rng = random.Random(1)
    with closing(Reader(texts)) as reader:
        whole = json.loads(json.dumps(dict(reader.settings)))
    refused = 0
    for name in whole:
        for value in (*VALUES, *(changed(whole[name], rng) for _ in range(20))):
            refused += bool(list(settings.faults(whole | {name: value})))
    assert refused > 500


def nested(levels: int) -> list:
    value: list = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_fields_of_too_many_levels_are_skipped_and_those_of_fewer_are_printed(tmp_path, shell):
    """Python's stack ends at 1,000 levels, and what prints JSON takes several for each."""
    documents = [
        Document("deep", "a telescope", fields={"a": nested(DEEPEST)}),
        Document("level", "a telescope", fields={"a": nested(DEEPEST - 1)}),
        *some_documents(3),
    ]
    with Engine.create(tmp_path / "index") as engine:
        report = engine.index(documents, model=TINY, train=QUICK)
    assert report.skipped == {"fields of more than 200 levels": 1}
    said = shell("search", "telescope", "--index", tmp_path / "index", "--json")
    assert said.code == 0
    assert json.loads(said.out.splitlines()[0])["id"] == "level"
    assert shell("doctor", "--index", tmp_path / "index").code == 0


def test_a_map_that_is_kept_of_documents_that_have_no_code_any_more(texts, tmp_path, shell):
    def forget(mutant: Mutant) -> None:
        for name in mutant.names():
            if name.endswith("/known"):
                mutant.put(name, np.zeros_like(mutant.array(name)))

    said = shell("map", "-q", "--index", changed(texts, tmp_path, forget))
    assert said.error == "no document of this index has a code: the encoder knows none of their words"
