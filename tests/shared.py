"""What the tests of the store, the engine and the shell share: a small corpus, and ways to run a command."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import textae
from textae import Document, Engine, TrainSpec

LONG = bool(os.environ.get("TEXTAE_LONG"))
"""Whether the long form of the sampled tests was asked for."""

QUICK = TrainSpec(passes=1, device="cpu")
"""Learning that takes no time."""

TOPICS = {
    "stars": "telescope star planet orbit moon galaxy comet nebula astronomer sky light gravity",
    "bread": "flour oven dough yeast baker crust loaf knead salt butter rise sourdough",
    "ships": "harbour sail anchor captain mast deck voyage tide sailor rope cargo storm",
}

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(textae.__file__).parents[1])}
"""For processes of their own: the textae that is tested, from any folder."""


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


def contents(folder: Path) -> tuple[tuple[Document, ...], dict[str, bytes]]:
    """Give all that an index holds, to the last byte of every array, after it was found sound."""
    with Engine.open(folder) as engine:
        assert engine.damage() == []
        reader = engine.opened.reader
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
