"""Texts are tokenised in other processes once there are many, and nobody can tell from the result."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from shared import some_documents

from textae.encoding import tokenising
from textae.encoding.analyzer import Analysis, searchable
from textae.encoding.counting import Counter
from textae.encoding.tokenising import Tokeniser, tokenised
from textae.engine import Engine

ENGLISH = Analysis.of("english")
TEXTS = [
    *map(searchable, some_documents(60)),
    "",
    "half of a pair: \ud800x",
    "C++ 文档检索 \0 ﬁne",
    *["the same again"] * 9,
]


@pytest.fixture
def at_once(monkeypatch) -> None:
    """Let the first batches be as small as a text, and given to other processes."""
    monkeypatch.setattr(tokenising, "_BATCH", 200)
    monkeypatch.setattr(tokenising, "_ALONE", 1_000)


def counted(folder: Path, processes: int) -> tuple[list[str], bytes, bytes, bytes]:
    counter = Counter(ENGLISH, folder, processes)
    for text in TEXTS:
        counter.add(text)
    vocabulary, tokens, frequencies = counter.finish()
    return list(vocabulary.terms()), tokens.starts.tobytes(), tokens.terms.tobytes(), frequencies.tobytes()


def test_terms_are_numbered_by_their_first_occurrence() -> None:
    terms, tokens = tokenised(ENGLISH, ["a cat and two dogs", "", "dogs"])
    assert terms == ["cat", "two", "dog"]
    assert tokens.starts.tolist() == [0, 5, 5, 6]
    assert tokens.terms.tolist() == [-1, 0, -1, 1, 2, 2]


@pytest.mark.usefixtures("at_once")
def test_any_number_of_processes_counts_the_same(tmp_path) -> None:
    alone = counted(tmp_path, 0)
    assert len(alone[0]) > 100
    for processes in (1, 3):
        assert counted(tmp_path, processes) == alone


def test_few_texts_start_no_process(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert counted(tmp_path, 2)


@pytest.mark.usefixtures("at_once")
def test_a_process_that_is_killed_loses_nothing() -> None:
    tokeniser = Tokeniser(ENGLISH, 2)
    batches, killed = [], 0
    for text in TEXTS:
        batches += tokeniser.add(text)
        if killed < len(tokeniser._started):
            tokeniser._started[killed].kill()
            killed += 1
    batches += tokeniser.finish()
    assert killed == 2
    assert all(process.returncode is not None for process in tokeniser._started)
    rows = [[terms[n] if n >= 0 else None for n in row] for terms, tokens in batches for row in rows_of(tokens)]
    terms, tokens = tokenised(ENGLISH, TEXTS)
    assert rows == [[terms[n] if n >= 0 else None for n in row] for row in rows_of(tokens)]


def rows_of(tokens) -> list[list[int]]:
    return [row.tolist() for row in np.split(tokens.terms, tokens.starts[1:-1])]


@pytest.mark.usefixtures("at_once")
def test_a_process_ends_with_its_caller() -> None:
    tokeniser = Tokeniser(ENGLISH, 1)
    list(tokeniser._give())
    for text in TEXTS:
        tokeniser.add(text)
    (process,) = tokeniser._started
    process.communicate(timeout=60)  # which closes its input, as the system does for a caller that is killed
    assert process.returncode == 0


@pytest.mark.usefixtures("at_once")
def test_an_index_has_the_same_bytes_however_many_cores_there_are(monkeypatch, tmp_path) -> None:
    started, start = [], Tokeniser._start
    monkeypatch.setattr(Tokeniser, "_start", lambda self: started.append(start(self)) or started[-1])
    arrays = []
    for cores in (1, 3):
        monkeypatch.setattr("textae.index.build.cores", lambda cores=cores: cores)
        with Engine(tmp_path / str(cores)) as engine:
            engine.index(some_documents(60))
        arrays.append(sorted(path.name for path in (tmp_path / str(cores) / "arrays").iterdir()))
        assert len(started) == cores - 1
    assert arrays[0] == arrays[1]
