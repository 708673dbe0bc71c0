"""What the tests of the store, the engine and the shell share: a small corpus, and ways to run a command."""

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

import textae
from textae import Document, Engine, ModelSpec, TrainSpec
from textae.encoding.decoder import Decoder
from textae.encoding.encoders import Encoder, Quantization
from textae.evaluation import Scoreboard
from textae.evaluation.run import by_labels
from textae.index import export
from textae.index.writer import Writer
from textae.search.request import SearchRequest
from textae.types import Hit, Picture

LONG = bool(os.environ.get("TEXTAE_LONG"))
"""Whether the long form of the sampled tests was asked for."""

QUICK = TrainSpec(epochs=1, device="cpu")
"""Learning that takes no time."""


def write(folder: Path, **files: str | bytes) -> Path:
    """Write files, whose names have `_dot_` for a dot and `__` for a slash."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


HOSTILE = "a\x1b]8;;http://evil\x1b\\b\x07\x9c\n\u202ec.txt"
"""An id that would steer a terminal."""

TINY = ModelSpec(dims=8, bits=32, hidden=(16,), dropout=0.0)
"""A shape that takes none either."""

TOPICS = {
    "stars": "telescope star planet orbit moon galaxy comet nebula astronomer sky light gravity",
    "bread": "flour oven dough yeast baker crust loaf knead salt butter rise sourdough",
    "ships": "harbour sail anchor captain mast deck voyage tide sailor rope cargo storm",
}

ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(
        [str(Path(textae.__file__).parents[1]), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    ),
}
"""For processes of their own: the textae that is tested, and what tests share, from any folder."""


def some_documents(n: int = 60, seed: int = 1) -> list[Document]:
    """Make documents on the three topics in turn; each has a word of its own, `only<number>`."""
    rng = random.Random(seed)
    documents = []
    for number in range(n):
        topic = list(TOPICS)[number % len(TOPICS)]
        words = rng.choices(TOPICS[topic].split(), k=12)
        text = f"The {words[0]} and the {' '.join(words[1:])} of only{number}."
        fields = {"topic": topic, "year": 1900 + number}
        documents.append(Document(f"{topic}-{number}", text, f"About {topic} {number}", fields, f"notes/{number}.txt"))
    return documents


def long_documents(n: int = 12, seed: int = 1) -> list[Document]:
    """Make documents of three chapters of 36 words, in sentences of six, and a year.

    The middle chapter is on the next topic than the others, and has the document's own word, `only<number>`.
    """
    rng = random.Random(seed)
    topics = list(TOPICS)

    def chapter(topic: str, *own: str) -> str:
        words = [*own, *rng.choices(TOPICS[topic].split(), k=36 - len(own))]
        sentences = [" ".join(words[first : first + 6]).capitalize() + "." for first in range(0, 36, 6)]
        return " ".join(sentences)

    documents = []
    for number in range(n):
        about, other = topics[number % 3], topics[(number + 1) % 3]
        text = "\n\n".join([chapter(about), chapter(other, f"only{number}"), chapter(about)])
        fields = {"about": about, "other": other, "year": 1900 + number}
        documents.append(Document(f"long-{number}", text, f"Volume{number}", fields))
    return documents


def contents(folder: Path) -> tuple[tuple[Document, ...], dict[str, bytes]]:
    """Give all that an index holds, to the last byte of every array, after it was found sound."""
    with Engine.open(folder) as engine:
        assert engine.snapshot.reader.damage() == []
        reader = engine.snapshot.reader
        return tuple(reader.stream()), {name: array.tobytes() for name, array in reader.arrays.items()}


@dataclass(frozen=True)
class Said:
    """What a command said, and the code with which it left."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line of an error, after it was checked that it is one."""
        lines = self.err.splitlines()
        assert (self.code, self.out, len(lines)) == (2, "", 1), self
        assert lines[0].startswith("textae: error: "), self
        return lines[0].removeprefix("textae: error: ")


def command(*arguments: object) -> list[str]:
    """Give the command line of a real process."""
    return [sys.executable, "-m", "textae", *map(str, arguments)]


def real_shell(*arguments: object, encoding: str = "utf-8", **environment: str) -> Said:
    """Run `textae ARGUMENT…` in a process of its own."""
    everything = ENVIRONMENT | {"PYTHONIOENCODING": encoding} | environment
    done = subprocess.run(command(*arguments), capture_output=True, timeout=120, env=everything)
    return Said(done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding))


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user to whom permissions apply, which they do not to root."""
    if os.geteuid():
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def open_to_all(folder: Path) -> None:
    """Let everybody come to the folder; pytest keeps its own to their user."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path(parent.anchor):
            parent.chmod(parent.stat().st_mode | 0o055)


def wait_for(what, seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


PLACES = {"stars": (-1.0, 0.0), "bread": (1.0, 0.0), "ships": (0.0, 1.0)}
"""Where the topics are on the plane of `onto_a_plane`."""


def onto_a_plane(folder: Path, plane: Path) -> Path:
    """Copy an index of `some_documents`, its codes moved to the places of their topics, and a decoder by hand for them.

    The logit of a topic's word is 4 times the product of its topic's place with the code; that of any other word is 0.
    """
    with Engine.open(folder) as engine, Writer(plane) as writer:
        snapshot = engine.snapshot
        documents = list(snapshot.reader.stream())
        for document in documents:
            writer.add(document)
        jitter = np.random.default_rng(1).uniform(-0.1, 0.1, (len(documents), 2))
        codes = np.array([PLACES[document.fields["topic"]] for document in documents]) + jitter
        weight = np.zeros((2, len(snapshot.model.vectorizer.vocabulary)), np.float32)
        for topic, words in TOPICS.items():
            for word in words.split():
                weight[:, snapshot.model.vectorizer.numbers[word]] = 4 * np.array(PLACES[topic])
        decoder = Decoder(((weight, np.zeros(weight.shape[1], np.float32)),))
        replaced = ("decoder/", "encoder/")
        kept = {name: array for name, array in snapshot.reader.arrays.items() if not name.startswith(replaced)}
        moved = {"segments/0/documents/floats": codes.astype(np.float16)}
        n_bits = 8 * snapshot.codes.bits.shape[1]
        planes = Quantization(np.zeros(2, np.float32), np.zeros((2, n_bits), np.float32))
        encoder = replace(
            Encoder.lsa(snapshot.arrays["lsa/words"][:, :2], snapshot.model.encoder.idf), quantization=planes
        )
        for name, array in {**kept, **decoder.arrays(), **encoder.arrays(), **moved}.items():
            writer.put(name, np.asarray(array))
        for name, value in snapshot.reader.settings.items():
            if name != "documents":
                writer.set(name, value)
        writer.commit()
    return plane


PATTERNS = {
    "across": (slice(2, 4), slice(None)),
    "down": (slice(None), slice(2, 4)),
    "square": (slice(2, 5), slice(2, 5)),
}


def some_pictures(n: int = 30, seed: int = 1) -> list[Document]:
    """Make pictures of 6 × 6 grey levels: a bar across, a bar down, and a square in turn, no two the same."""
    generator = np.random.default_rng(seed)
    documents = []
    for number in range(n):
        label = list(PATTERNS)[number % len(PATTERNS)]
        levels = generator.integers(0, 60, (6, 6), np.uint8)
        levels[PATTERNS[label]] += np.uint8(190)
        fields = {"label": label, "year": 1900 + number}
        documents.append(Document(f"{label}-{number}", "", "", fields, picture=Picture(6, 6, 1, levels.tobytes())))
    return documents


def free_port() -> int:
    """Find a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether somebody listens on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def write_picture(path: Path, picture: Picture) -> Path:
    """Write a grey picture as a file, of the format that its ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.frombytes("L", (picture.width, picture.height), picture.pixels).save(path)
    return path


def similar_to(engine: Engine, text: str, k: int = 10, mode: str | None = None, **options) -> list[Hit]:
    """Give the documents closest to a text, as wholes."""
    request = SearchRequest.of_words(text, top_k=k, mode=mode, granularity="document", **options)
    return list(engine.searcher.search(request))


def evaluate_labels(engine: Engine, field: str, queries=None, systems=None, **options) -> Scoreboard:
    """Score systems by labels, all of them by default."""
    how = {"k": 100, "curve": False, "baseline": None, "seed": 1} | options
    chosen = engine.snapshot.modality.systems if systems is None else systems
    return by_labels(engine.searcher, field, queries, chosen, **how)


def export_codes(engine: Engine, path: Path, what: str = "floats") -> None:
    """Write the codes of an index to a file."""
    export.export_codes(path, list(engine.snapshot.ids.values()), engine.snapshot.codes, what)
