"""Indexes that a stranger made: one line of error and exit 2, or an answer; no crash, no hang, and no memory filled.

An index is changed in one place, and all its hashes are made right again. Whatever `doctor` calls sound must work.
"""

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from mutants import Runner, hunt, mutate
from shared import LONG, QUICK, long_documents, some_documents, some_pictures, write_picture

from textae import Document, Engine, ModelSpec, TrainSpec
from textae.corpus import read
from textae.corpus.source import sources
from textae.explore.map import map_model

MUTANTS = (
    {"texts": 14_000, "pictures": 4_000, "deep": 2_000, "vectors": 6_000}
    if LONG
    else {"texts": 70, "pictures": 30, "deep": 10, "vectors": 40}
)

SMALL = ModelSpec(dims=8, bits=16, hidden=(8,), topics=4)

TEXT_COMMANDS: Sequence[Sequence[str]] = [
    ("search", "telescope bread only7", "--json"),
    ("search", "yeast crust only7", "--mode", "bm25", "--where", "year:[1900 TO 1950] AND about:b*", "--json"),
    ("search", "moon orbit", "--mode", "code", "--must", '"comet moon" OR telescope OR star*', "--explain", "--json"),
    ("search", "rope deck", "--mode", "bits", "--like", "long-5", "--not-like", "long-4", "--json"),
    ("search", "dough salt tlescope", "--mode", "tfidf", "--expand"),
    ("search", "planet sky light", "--mode", "lsa-2", "--where", "title:volume* AND NOT year:>1920"),
    ("search", "captain anchor crust", "--mode", "bits-8", "--explain"),
    ("search", "captain crust", "--must", '"sail anchor"', "--where", 'id:"long 3" OR other:*'),
    ("similar", "long-4", "--json", "--explain"),
    ("similar", "later-2", "long-3", "--mode", "bits"),
    ("info", "--json"),
    ("topics", "--json"),
    ("topics", "--over", "year"),
    ("topics", "1"),
    ("map", "OUT.html"),
    ("map", "-q"),
    ("dups", "--radius", "4", "--resemblance", "0.3", "--json"),
    ("classify", "orbit of the comet", "-k", "2", "--json"),
    ("decode", "long-4", "--json"),
    ("decode", "--text", "comet"),
    ("sample", "-n", "2", "--json"),
    ("export", "--codes", "OUT.csv"),
    ("eval", "--label", "about", "-k", "5", "--systems", "bm25,hybrid"),
]
TEXT_CHANGES: Sequence[Sequence[str]] = [
    ("add", "MORE"),
    ("rm", "long-3", "later-1"),
    ("sync",),
    ("train", "--label", "about", "--passes", "1", "--device", "cpu"),
    ("train", "--passes", "1", "--device", "cpu", "--dims", "6", "--hidden", "8"),
    ("topics", "--n", "3", "--seed", "5"),
    ("topics", "rename", "1.1", "Mine"),
    ("topics", "reset"),
    ("map", "--seed", "5", "--layout", "lsa", "-q"),
]
VECTOR = "[0.5, -1, 2, 0.25]"
VECTOR_COMMANDS: Sequence[Sequence[str]] = [
    ("search", "telescope bread only7", "--vector", VECTOR, "--explain", "--json"),
    ("search", "yeast crust", "--vector", VECTOR, "--mode", "vector", "--where", "year:[1900 TO 1950]", "--json"),
    ("search", "moon orbit", "--vector", VECTOR, "--like", "long-5", "--not-like", "later-4", "--json"),
    ("search", "--vector", VECTOR, "-k", "50"),
    ("search", "moon orbit", "--json"),
    ("similar", "long-4", "--json", "--explain"),
    ("similar", "later-2", "long-3", "--mode", "vector"),
    ("info", "--json"),
    ("topics", "--json"),
    ("topics", "1"),
    ("map", "OUT.html"),
    ("map", "-q", "--layout", "autoencoder"),
    ("dups", "--json"),
    ("export", "--codes", "OUT.npy", "--what", "vectors"),
    ("eval", "--label", "about", "-k", "5"),
    ("eval", "--label", "about", "-k", "5", "--systems", "vector,hybrid"),
]
VECTOR_CHANGES: Sequence[Sequence[str]] = [
    ("add", "MORE"),
    ("rm", "long-3", "later-1"),
    ("sync",),
    ("train", "--label", "about", "--passes", "1", "--device", "cpu"),
    ("train", "--passes", "1", "--device", "cpu", "--dims", "6", "--hidden", "8"),
    ("topics", "--n", "3", "--seed", "5"),
    ("topics", "--seeds", "SEEDS"),
    ("topics", "rename", "1.1", "Mine"),
    ("map", "--seed", "5", "-q"),
]
PICTURE_COMMANDS: Sequence[Sequence[str]] = [
    ("similar", "across-3", "--json"),
    ("similar", "PICTURE", "--mode", "pixels", "--where", "label:down"),
    ("similar", "square-2", "--mode", "pca-2", "--not-like", "down-1"),
    ("similar", "across-3", "--mode", "bits-8", "--json"),
    ("info",),
    ("topics",),
    ("map", "OUT.html"),
    ("dups", "--json"),
    ("decode", "across-3", "-o", "OUT.png"),
    ("sample", "-n", "2"),
    ("export", "--codes", "OUT.npy", "--what", "bits"),
]
PICTURE_CHANGES: Sequence[Sequence[str]] = [
    ("add", "PICTURE"),
    ("rm", "across-3"),
    ("train", "--passes", "1", "--device", "cpu", "--dims", "6"),
    ("topics", "--n", "2", "--seed", "5"),
]


@dataclass(frozen=True)
class World:
    """An index to be changed, and the commands that are run on it; those that change it get a copy each."""

    folder: Path
    commands: Sequence[Sequence[str]]
    changes: Sequence[Sequence[str]]


def make_texts(folder: Path) -> Path:
    """Two segments with passages, removed documents, labels, topics and two maps, of a source that is there."""
    rows = [{"id": d.id, "title": d.title, "text": d.text, **d.fields} for d in long_documents(24)]
    table = folder / "table.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = sources([str(table)])
    index = folder / "index"
    with Engine.create(index) as engine:
        engine.index(read([str(table)]), model=SMALL, train=QUICK, passage=24, sources=given)
        engine.train(label="about", model=SMALL, train=QUICK)
        engine.add([Document(f"later-{n}", d.text, d.title, d.fields) for n, d in enumerate(long_documents(7, 2))])
        engine.remove(["long-1", "long-2", "later-0"])
        engine.topics(3, rename={"1": "One"}, merge=["2", "3"])
        engine.map()
        map_model(engine.snapshot, "lsa")
        assert engine.info()["segments"] == 2
    return index


def make_vectors(folder: Path) -> Path:
    """Two segments with vectors, removed documents, some without a vector, topics and a map."""
    numbers = np.random.default_rng(3)
    rows = [
        {"id": d.id, "text": d.text, "own": numbers.standard_normal(4).tolist(), **d.fields} for d in long_documents(20)
    ]
    del rows[5]["own"]
    table = folder / "table.jsonl"
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    index = folder / "index"
    with Engine.create(index) as engine:
        given = {"model": SMALL, "train": QUICK, "passage": 24, "vectors": "own"}
        engine.index(read([str(table)]), sources=sources([str(table)]), **given)
        later = [Document(f"later-{n}", d.text, d.title, d.fields) for n, d in enumerate(long_documents(7, 2))]
        engine.add(later, vectors={f"later-{n}": numbers.standard_normal(4) for n in (0, 2, 3, 4)})
        engine.remove(["long-1", "long-2", "later-0"])
        engine.topics(3, rename={"1": "One"})
        engine.map()
        assert engine.info()["segments"] == 2
    return index


def make_pictures(folder: Path) -> Path:
    with Engine.create(folder / "index") as engine:
        model = ModelSpec(dims=8, bits=16, hidden=(4, 4), dropout=0, unpool="repeated")
        engine.index(some_pictures(24), model=model, train=TrainSpec(epochs=1, device="cpu", pretrain="none"))
        engine.add([Document(f"x{d.id}", "", "", d.fields, picture=d.picture) for d in some_pictures(5, 2)])
        engine.remove(["across-0"])
        engine.topics(3)
        engine.map()
    return folder / "index"


def make_deep(folder: Path) -> Path:
    with Engine.create(folder / "index") as engine:
        model = ModelSpec(dims=2, bits=16, hidden=(8,))
        engine.index(some_documents(24), model=model, train=TrainSpec(epochs=1, device="cpu", pretrain="denoising"))
        engine.topics(2)
    return folder / "index"


MAKE = {"texts": make_texts, "pictures": make_pictures, "deep": make_deep, "vectors": make_vectors}
COMMANDS = {
    "texts": (TEXT_COMMANDS, TEXT_CHANGES),
    "pictures": (PICTURE_COMMANDS, PICTURE_CHANGES),
    "deep": (TEXT_COMMANDS, TEXT_CHANGES),
    "vectors": (VECTOR_COMMANDS, VECTOR_CHANGES),
}


@pytest.fixture(scope="module")
def runner(tmp_path_factory) -> Iterator[Runner]:
    runner = Runner(tmp_path_factory.mktemp("said"))
    yield runner
    runner.close()


def make_world(kind: str, folder: Path) -> World:
    index = MAKE[kind](folder)
    more, picture = folder / "more.jsonl", write_picture(folder / "new.png", some_pictures(3, 5)[0].picture)
    rows = [{"id": f"new-{d.id}", "text": d.text, **d.fields, "own": [1, 2, 3, 4]} for d in long_documents(9, 3)]
    more.write_text("".join(json.dumps(row) + "\n" for row in rows))
    seeds = folder / "seeds.txt"
    seeds.write_text("sky: telescope, comet\nid:long-4, bread\n")
    places = {"MORE": str(more), "PICTURE": str(picture), "OUT": str(folder / "out"), "SEEDS": str(seeds)}

    def placed(commands: Sequence[Sequence[str]]) -> list[list[str]]:
        return [[_with_places(word, places) for word in words] for words in commands]

    commands, changes = COMMANDS[kind]
    return World(index, placed(commands), placed(changes))


def _with_places(word: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(name, place)
    return word


@pytest.mark.parametrize("kind", MUTANTS)
def test_an_index_of_a_stranger_harms_nothing(kind, tmp_path, runner):
    world = make_world(kind, tmp_path)
    found, sound = [], 0
    for seed in range(MUTANTS[kind]):
        what, is_sound, faults = try_mutant(world, tmp_path / "mutant", runner, seed)
        found += [f"{what}: {fault}" for fault in faults]
        sound += is_sound
        assert not found, "\n".join(found)
    assert 0 < sound < MUTANTS[kind] / 2


def try_mutant(world: World, folder: Path, runner: Runner, seed: int) -> tuple[str, bool, list[str]]:
    """Change a copy of an index, and run some commands on it: one that changes it on a copy of its own."""
    rng = random.Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(world.folder, folder)
    what = mutate(folder, seed)
    sound, faults = hunt(runner, folder, rng.sample(world.commands, 4 if LONG else 1))
    if LONG or seed % 4 == 0:
        faults += hunt_change(runner, folder, rng.choice(world.changes))
    return what, sound, faults


def hunt_change(runner: Runner, folder: Path, change: Sequence[str]) -> list[str]:
    """What a change does wrong; it leaves a sound index sound."""
    sound, faults = hunt(runner, folder, [change])
    if sound and not hunt(runner, folder, [])[0]:
        faults.append(f"{' '.join(change)} made a sound index unsound")
    return faults
