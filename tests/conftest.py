"""What all tests share: how they run, a small corpus, an index learned from it, and the shell."""

import io
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings

# Threads that share a few documents wait for each other longer than they work; set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from shared import HOSTILE, QUICK, TINY, Said, long_documents, onto_a_plane, some_documents, some_pictures, write

from textae import Document, Engine, ModelSpec, TrainSpec
from textae.corpus import sources
from textae.explore.map import map_model
from textae.types import Place

# A busy machine is no defect: what must be quick is measured by the benchmarks.
settings.register_profile("textae", deadline=None)
settings.load_profile("textae")

# A suite that a shell started in the background ignores SIGINT, and so would each command that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = ("test_readme.py", "test_docs.py", "test_faults.py", "test_power.py", "test_concurrent.py")
"""Files of tests that take a minute or more, and start first: at the end, one of two processes would wait for them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(name) if (name := item.path.name) in LONGEST else len(LONGEST))


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
def home(tmp_path_factory) -> Path:
    """Give a folder with `notes` and an index of them, `.textae`; a secret lies beside, and some names lead to it."""
    folder = tmp_path_factory.mktemp("home")
    page = "<h1>A stork</h1><script>document.title = 'owned'</script>"
    write(
        folder,
        secret="the key",
        notes__manual_dot_pdf=b"%PDF-1.4\xff",
        notes__run_dot_desktop="[Desktop Entry]\nan eagle",
    )
    write(folder / "notes", boiler_dot_md="\n# Boiler\n\nthe walrus swims\n", page_dot_html=page, gone_dot_txt="a")
    (folder / "notes" / "leads.txt").symlink_to(folder / "secret")
    (source,) = sources([str(folder / "notes")])
    pages = (Place(0, "page", "1"), Place(11, "page", "2"))
    made = [
        Document("manual.pdf", "a pelican, \x1b[2Ja heron", "The manual", source="manual.pdf", places=pages),
        *(Document(name, f"an eagle {name}", source=name) for name in ("../secret", "/etc/passwd", HOSTILE)),
    ]
    kept = [document for document in source.read() if isinstance(document, Document)]
    with Engine.create(folder / ".textae") as engine:
        corpus = [*kept, *(replace(one, origin=source.key) for one in made), *some_documents()]
        engine.index(corpus, model=TINY, train=QUICK, sources=[source])
    (folder / "notes" / "gone.txt").unlink()
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
