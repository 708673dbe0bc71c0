"""What all tests share: how they run, a small corpus, an index learned from it, and the shell."""

import io
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Threads that share a few documents wait for each other longer than they work; set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from shared import QUICK, TINY, Said, long_documents, onto_a_plane, some_documents, some_pictures

from textae import Document, Engine, ModelSpec, TrainSpec
from textae.explore.map import map_model

# A busy machine is no defect: what must be quick is measured by the benchmarks.
settings.register_profile("textae", deadline=None)
settings.load_profile("textae")

# A suite that a shell started in the background ignores SIGINT, and so would each command that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def documents() -> list[Document]:
    return some_documents()


@pytest.fixture(scope="session")
def index_folder(documents, tmp_path_factory) -> Path:
    """Give an index of the documents; read it only."""
    folder = tmp_path_factory.mktemp("shared") / "index"
    with Engine.create(folder) as engine:
        engine.index(documents, train=TrainSpec(epochs=2, device="cpu"))
    return folder


@pytest.fixture(scope="session")
def mapped_folder(index_folder, tmp_path_factory) -> Path:
    """Give an index of the documents that keeps its topics and its map; copy it before you write to it."""
    folder = Path(shutil.copytree(index_folder, tmp_path_factory.mktemp("mapped") / "index"))
    with Engine.open(folder) as engine:
        engine.topics()
        map_model(engine.snapshot)
    return folder


@pytest.fixture(scope="session")
def plane_folder(index_folder, tmp_path_factory) -> Path:
    """Give an index of the documents whose codes lie on a plane; read it only."""
    return onto_a_plane(index_folder, tmp_path_factory.mktemp("plane") / "index")


@pytest.fixture(scope="session")
def passages_folder(tmp_path_factory) -> Path:
    """Give an index of long documents that are found by their passages; read it only."""
    folder = tmp_path_factory.mktemp("passages") / "index"
    with Engine.create(folder) as engine:
        engine.index(long_documents(), model=ModelSpec(dims=16, bits=32, hidden=(16,)), train=QUICK, passage=24)
    return folder


@pytest.fixture(scope="session")
def pictures_folder(tmp_path_factory) -> Path:
    """Give an index of pictures; read it only."""
    folder = tmp_path_factory.mktemp("pictures") / "index"
    with Engine.create(folder) as engine:
        engine.index(some_pictures(60), model=TINY, train=TrainSpec(epochs=30, device="cpu", pretrain="none"))
    return folder


@pytest.fixture
def engine(index_folder) -> Iterator[Engine]:
    with Engine.open(index_folder) as snapshot:
        yield snapshot


@pytest.fixture
def shell(monkeypatch, capfdbinary):
    """Give a function that runs `textae ARGUMENT…` in this process, which spares the imports."""
    from textae.app.cli import main

    def run(*arguments: object, stdin: bytes = b"") -> Said:
        monkeypatch.setattr(sys, "argv", ["textae", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfdbinary.readouterr()
        return Said(left.value.code or 0, out.decode(), err.decode())

    return run
