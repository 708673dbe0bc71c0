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
    "halves of a pair: \ud800x \ud835\udc00b",
    "C++ 文档检索 \0 ﬁne",
    *["the same again"] * 9,
]


@pytest.fixture
def at_once(monkeypatch) -> None:
    """Let the first batches be as small as a text, and given to other processes."""
    monkeypatch.setattr(tokenising, "_BATCH", 200)
    monkeypatch.setattr(tokenising, "_ALONE", 1_000)


def counted(folder: Path, *, beside: bool) -> tuple[list[str], bytes, bytes, bytes]:
    counter = Counter(ENGLISH, folder, beside=beside)
    for text in TEXTS:
        counter.add(text)
    vocabulary, tokens, frequencies = counter.finish()
    return list(vocabulary.terms()), tokens.starts.tobytes(), tokens.terms.tobytes(), frequencies.tobytes()


def test_terms_are_numbered_by_their_first_occurrence() -> None:
    terms, tokens = tokenised(ENGLISH, ["a cat and two dogs", "", "dogs"])
    assert terms == ["cat", "two", "dog"]
    assert tokens.starts.tolist() == [0, 5, 5, 6]
    assert tokens.terms.tolist() == [-1, 0, -1, 1, 2, 2]


def all_at_once(tokeniser: Tokeniser, between=lambda: None) -> list[list[str | None]]:
    """Give the terms of each text."""
    batches = []
    for text in TEXTS:
        batches += tokeniser.add(text)
        between()
    batches += tokeniser.finish()
    return [row for terms, tokens in batches for row in rows_of(terms, tokens)]


def rows_of(terms, tokens) -> list[list[str | None]]:
    rows = np.split(tokens.terms, tokens.starts[1:-1])
    return [[terms[n] if n >= 0 else None for n in row.tolist()] for row in rows]


EXPECTED = rows_of(*tokenised(ENGLISH, TEXTS))


@pytest.mark.usefixtures("at_once")
def test_a_second_process_counts_the_same(tmp_path) -> None:
    alone = counted(tmp_path, beside=False)
    assert len(alone[0]) > 100
    assert counted(tmp_path, beside=True) == alone


def test_few_texts_start_no_process(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert counted(tmp_path, beside=True)


@pytest.mark.usefixtures("at_once")
def test_a_process_that_is_killed_loses_nothing_and_is_started_again() -> None:
    tokeniser, killed = Tokeniser(ENGLISH, beside=True), []

    def kill() -> None:
        if (process := tokeniser._process) and process not in killed and len(killed) < 2:
            process.kill()
            killed.append(process)

    assert all_at_once(tokeniser, kill) == EXPECTED
    assert len(killed) == 2
    assert tokeniser._starts == 0
    assert all(process.returncode is not None for process in killed)


@pytest.mark.usefixtures("at_once")
def test_where_no_process_can_be_started_this_one_tokenises(monkeypatch) -> None:
    def refuse(*_, **__):
        raise BlockingIOError("too many processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert all_at_once(Tokeniser(ENGLISH, beside=True)) == EXPECTED


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_library_that_prints_does_not_answer(monkeypatch, when) -> None:
    start = "import sys; sys.path[:] = sys.argv[1:]; import textae.encoding.tokenising as t; "
    if when == "before":
        start += "print('hi', flush=True); "
    else:
        start += "whole = t.tokenised; t.tokenised = lambda *a: (print('hi', flush=True), whole(*a))[1]; "
    monkeypatch.setattr(tokenising, "_START", f"{start}t.main()")
    assert all_at_once(Tokeniser(ENGLISH, beside=True)) == EXPECTED


@pytest.mark.usefixtures("at_once")
def test_the_process_ends_with_its_caller() -> None:
    tokeniser = Tokeniser(ENGLISH, beside=True)
    for text in TEXTS:
        tokeniser.add(text)
    process = tokeniser._process
    process.communicate(timeout=60)  # which closes its input, as the system does for a caller that is killed
    assert process.returncode == 0


@pytest.mark.usefixtures("at_once")
def test_an_index_has_the_same_bytes_however_many_cores_there_are(monkeypatch, tmp_path) -> None:
    started, start = [], Tokeniser._start
    monkeypatch.setattr(Tokeniser, "_start", lambda self: started.append(start(self)))
    arrays = []
    for cores in (1, 3):
        monkeypatch.setattr("textae.index.build.cores", lambda cores=cores: cores)
        with Engine(tmp_path / str(cores)) as engine:
            engine.index(some_documents(60))
        arrays.append(sorted(path.name for path in (tmp_path / str(cores) / "arrays").iterdir()))
        assert len(started) == (cores > 1)
    assert arrays[0] == arrays[1]
