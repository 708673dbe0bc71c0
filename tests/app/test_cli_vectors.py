"""Vectors of the user's own in the shell and in the server's API."""

import json
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served import Process
from shared import TOPICS, some_documents

from textae import Engine
from textae.config import VECTOR
from textae.errors import QueryError
from textae.index.own_vectors import needed_vectors

PROGRAM = f"""
import json, sys
topics = {[words.split() for words in TOPICS.values()]}
for line in sys.stdin:
    text = json.loads(line)
    print(json.dumps([0.01 + sum(word in text for word in words) for words in topics]), flush=True)
"""
UNUSED = "textae: the vectors of the index are not used: the query has none; --vector-command names what gives it\n"
SMALL = ("--dims", "8", "--bits", "32", "--passes", "1", "-q")
Shell = Any


def embed(text: str) -> list[float]:
    return [0.01 + sum(word in text for word in words.split()) for words in TOPICS.values()]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with documents, their vectors, queries, and a program that gives theirs."""
    monkeypatch.chdir(tmp_path)
    documents = some_documents(30)
    rows = [{"id": one.id, "text": one.text, "v": embed(one.text)} for one in documents]
    Path("notes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    np.save("v.npy", [row["v"] for row in rows])
    np.save("q.npy", [0, 1, 0])
    Path("program.py").write_text(PROGRAM)
    Path("queries.jsonl").write_text('{"id": "1", "text": "storm"}\n{"id": "2", "text": "dough"}\n')
    Path("qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1\tships-2\t1\n2\tbread-1\t1\n")
    return tmp_path


@pytest.fixture
def index(here: Path, shell: Shell) -> Iterator[Path]:
    assert shell("index", "notes.jsonl", "--vectors", "v", *SMALL).code == 0
    yield here
    with Engine.open(".textae") as engine:
        assert engine.snapshot.reader.damage() == []


COMMAND = shlex.join([sys.executable, "program.py"])


def ids(said: Any) -> list[str]:
    return [json.loads(line)["id"] for line in said.out.splitlines()]


class TestIndexing:
    def test_a_field_and_files_give_the_same_vectors(self, here: Path, shell: Shell) -> None:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        rows = [json.loads(line) for line in Path("notes.jsonl").read_text().splitlines()]
        parquet.write_table(pa.table({"id": [r["id"] for r in rows], "v": [r["v"] for r in rows]}), "v.parquet")
        arrays = {}
        for given in ("v", "v.npy", "v.parquet"):
            assert shell("index", "notes.jsonl", "--vectors", given, "--index", f"by-{given}", *SMALL).code == 0
            with Engine.open(f"by-{given}") as engine:
                arrays[given] = needed_vectors(engine.snapshot).codes.floats.tobytes()
                assert ("v" in engine.snapshot.document("bread-1").fields) == (given != "v")
        assert len(set(arrays.values())) == 1

    def test_what_is_missing_is_said(self, index: Path, shell: Shell) -> None:
        Path("more.jsonl").write_text('{"id": "x", "text": "a storm", "v": [1, 2]}\n{"id": "y", "text": "an orbit"}\n')
        said = shell("add", "more.jsonl")
        assert "no vector: 1 · vector of other dimensions: 1" in said.err
        assert shell("sync").code == 0
        assert json.loads(shell("info", "--json").out)["vectors"] == 30

    def test_a_file_of_another_length_writes_nothing(self, here: Path, shell: Shell) -> None:
        np.save("few.npy", np.ones((29, 3)))
        error = shell("index", "notes.jsonl", "--vectors", "few.npy", *SMALL).error
        assert error.startswith("few.npy has 29 rows of vectors for 30 documents; give a row for each")
        assert "was never finished" in shell("info").error

    def test_sync_takes_vectors_of_what_is_new(self, here: Path, shell: Shell) -> None:
        assert shell("index", "notes.jsonl", "--vectors", "v.npy", *SMALL).code == 0
        with Path("notes.jsonl").open("a") as file:
            file.write('{"id": "x", "text": "a storm"}\n')
        np.save("v.npy", np.ones((31, 3)))
        assert shell("sync", "--vectors", "v.npy", "-q").code == 0
        assert json.loads(shell("info", "--json").out)["vectors"] == 31
        with Engine.open(".textae") as engine:
            (kept, new) = needed_vectors(engine.snapshot).of([engine.snapshot.number(id) for id in ("bread-1", "x")])
        assert (kept[0] < 0.5, new.tolist()) == (True, pytest.approx([3**-0.5] * 3, abs=1e-3))

    def test_vectors_are_exported(self, index: Path, shell: Shell) -> None:
        assert shell("export", "--codes", "out.npy", "--what", "vectors", "-q").code == 0
        given = np.load("v.npy")
        expected = given / np.linalg.norm(given, axis=1, keepdims=True)
        assert np.load("out.npy") == pytest.approx(expected, abs=1e-3)

    def test_export_needs_some(self, index_folder: Path, shell: Shell, tmp_path: Path) -> None:
        error = shell("export", "--codes", tmp_path / "o.npy", "--what", "vectors", "--index", index_folder).error
        assert error.endswith("has no vectors; 'textae index --vectors' makes one with some")


class TestSearching:
    @pytest.mark.parametrize("given", [("--vector", "q.npy"), ("--vector", "[0, 1, 0]"), ("--vector", "-")])
    def test_a_vector_may_come_from_anywhere(self, given: tuple[str, str], index: Path, shell: Shell) -> None:
        said = shell("search", "xyzzy", *given, "-k", "3", "--json", stdin=b"[0, 2, 0]\n")
        assert {id.split("-")[0] for id in ids(said)} == {"bread"}
        assert "vectors" not in said.err
        alone = shell("search", *given, "--mode", VECTOR, "-k", "3", "--json", stdin=b"[0, 2, 0]\n")
        assert ids(alone) == ids(said)

    def test_a_program_gives_those_of_queries(self, index: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        by_option = shell("search", "storm", "--vector-command", COMMAND, "--mode", VECTOR, "--json")
        monkeypatch.setenv("TEXTAE_VECTOR_COMMAND", COMMAND)
        assert shell("search", "storm", "--mode", VECTOR, "--json").out == by_option.out != ""
        for form in ((), ("--json",), ("--trec",)):
            said = shell("search", "--queries", "queries.jsonl", "-k", "1", "--mode", VECTOR, *form)
            assert "ships-" in said.out.splitlines()[0]
            assert "bread-" in said.out.splitlines()[1]
        assert ids(shell("search", "--where", "id:bread-1", "--json")) == ["bread-1"]  # a filter starts no program

    def test_an_index_without_vectors_starts_no_program(
        self, index_folder: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = shell("search", "storm", "--json", "--index", index_folder)
        monkeypatch.setenv("TEXTAE_VECTOR_COMMAND", "/no/such/program")
        assert shell("search", "storm", "--json", "--index", index_folder) == plain

    def test_a_system_that_reads_no_vectors_starts_none(
        self, index: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEXTAE_VECTOR_COMMAND", "/no/such/program")
        for given in (("storm",), ("--queries", "queries.jsonl")):
            assert shell("search", *given, "--mode", "bm25", "-q").code == 0
        of_queries = ("--queries", "queries.jsonl", "--qrels", "qrels.tsv")
        assert shell("eval", *of_queries, "--systems", "bm25,code").code == 0
        assert "cannot be started" in shell("eval", *of_queries).error
        monkeypatch.delenv("TEXTAE_VECTOR_COMMAND")
        assert shell("eval", *of_queries, "--systems", "bm25,code").err == ""
        assert shell("search", "storm", "--mode", "bm25").err == ""

    def test_a_query_without_one_is_told_so(self, index: Path, shell: Shell) -> None:
        assert shell("search", "storm").err == UNUSED
        assert shell("search", "storm", "-q").err == ""
        assert shell("search", "--queries", "queries.jsonl").err == UNUSED
        assert UNUSED in shell("eval", "--queries", "queries.jsonl", "--qrels", "qrels.tsv").err
        assert shell("similar", "bread-1").err == ""

    def test_eval_gives_all_queries_to_one_process(self, index: Path, shell: Shell) -> None:
        Path("program.py").write_text(PROGRAM + "print('x', file=open('started', 'a'))")
        said = shell(
            "eval", "--queries", "queries.jsonl", "--qrels", "qrels.tsv", "--vector-command", COMMAND, "--json"
        )
        systems = {json.loads(line)["system"] for line in said.out.splitlines()}
        assert {"hybrid", VECTOR} <= systems

    def test_several_indexes_have_one_vector(self, index: Path, shell: Shell, index_folder: Path) -> None:
        both = ("--index", ".textae", "--index", index_folder)
        said = shell("search", "storm", *both, "--vector-command", COMMAND, "--json", "-k", "20")
        assert {id.rsplit(":", 1)[0] for id in ids(said)} == {".textae", str(index_folder)}

    def test_documents_ask_with_their_vectors_in_eval(self, index: Path, shell: Shell) -> None:
        """Three documents of a kind, whose vectors say so and whose words do not; then others ask."""
        rows = [{"id": f"{n}", "text": f"w{n} oven", "kind": "b", "v": [1, 1, 1]} for n in range(3)]
        Path("more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert shell("add", "more.jsonl", "-q").code == 0
        by_kind = ("eval", "--label", "kind", "-k", "2", "--json")
        scores = [json.loads(line) for line in shell(*by_kind).out.splitlines()]
        assert [row["value"] for row in scores if row["system"] == VECTOR] == [1.0]
        Path("asked.jsonl").write_text('{"id": "a", "text": "of no topic", "kind": "b"}\n')
        of_others = (*by_kind, "--queries", "asked.jsonl", "--systems", VECTOR)
        assert "needs the vector of the query" in shell(*of_others, "-q").error
        assert json.loads(shell(*of_others, "--vector-command", COMMAND).out)["value"] == 1.0
        Path("asked.jsonl").write_text('{"id": "a", "text": "oven", "kind": "b", "v": [2, 2, 2]}\n')
        assert json.loads(shell(*of_others).out)["value"] == 1.0

    def test_documents_similar_to_a_file_or_an_id_are_asked_of_the_program(self, index: Path, shell: Shell) -> None:
        Path("more.jsonl").write_text('{"id": "xyzzy", "text": "xyzzy storm"}\n')
        Path("xyzzy.txt").write_text("xyzzy storm")
        assert shell("add", "more.jsonl", "-q").code == 0
        for given in ("more.jsonl:xyzzy", "xyzzy.txt"):
            assert "needs the vector of the query" in shell("similar", given, "--mode", VECTOR).error
            found = ids(shell("similar", given, "--mode", VECTOR, "-k", "3", "--json", "--vector-command", COMMAND))
            assert {id.split("-")[0] for id in found} == {"ships"}
        error = shell("similar", "bread-1", "--vector", "[1, 2, 3]").error
        assert error.startswith("--vector is of a FILE; documents of the index have their own")

    def test_several_indexes_are_asked_for_similar_documents(
        self, index: Path, shell: Shell, index_folder: Path
    ) -> None:
        assert shell("index", "notes.jsonl", "--vectors", "v", "--index", "other", *SMALL).code == 0
        Path("xyzzy.txt").write_text("xyzzy storm")
        both = ("--index", ".textae", "--index", "other", "--mode", VECTOR, "--json", "--vector-command", COMMAND)
        Path("program.py").write_text("print('x', file=open('started', 'a'))\n" + PROGRAM)
        for given in ("xyzzy.txt", ".textae:ships-2"):
            found = ids(shell("similar", given, *both, "-k", "6"))
            assert {id.split(":")[0] for id in found} == {".textae", "other"}
            assert {id.split(":")[1].split("-")[0] for id in found} == {"ships"}
        assert len(Path("started").read_text().splitlines()) <= 2
        plain = ("--index", ".textae", "--index", index_folder, "--json", "--vector-command", COMMAND)
        assert len(ids(shell("similar", "xyzzy.txt", *plain))) == 10

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("search", "x", "--vector", "[1, 2"), "the vector of the query is '[1, 2'; it must be a JSON list"),
            (
                ("search", "x", "--vector", "[1, 2]"),
                "the vector of the query has 2 numbers, and those of the documents",
            ),
            (("search", "x", "--vector", "none.npy"), "the vectors none.npy cannot be read: No such file"),
            (
                ("search", "x", "--vector-command", "/none"),
                "the vector command '/none' cannot be started: No such file",
            ),
            (("search", "x", "--mode", VECTOR), "the system 'vector' needs the vector of the query"),
            (("search", "-", "--vector", "-"), "--vector is of one QUERY"),
            (("search", "--queries", "queries.jsonl", "--vector", "[1]"), "--vector is of one QUERY"),
            (("sync", "--watch", "--vectors", "v"), "--vectors is for one sync, not for --watch"),
        ],
    )
    def test_what_is_wrong_is_one_line(self, arguments: tuple[str, ...], told: str, index: Path, shell: Shell) -> None:
        assert told in shell(*arguments).error

    def test_explain_has_a_line_for_vectors(self, index: Path, shell: Shell) -> None:
        said = shell("search", "storm", "--vector", "[0, 0, 1]", "--explain", "-k", "1")
        assert "\n     vectors 0." in said.out


class TestServer:
    def test_its_program_gives_the_vectors_of_queries(self, index: Path) -> None:
        pytest.importorskip("fastapi")
        serving = Process(Path(".textae"), "--port", 0, "--vector-command", COMMAND)
        try:
            for query in ("xyzzy storm", "xyzzy storm", "oven"):
                answer = json.loads(serving.get(f"/api/search?q={query.replace(' ', '%20')}&mode={VECTOR}")[1])
                topic = "bread" if query == "oven" else "ships"
                assert {hit["id"].split("-")[0] for hit in answer["hits"][:5]} == {topic}
            x, y = (json.loads(serving.get("/api/place?q=storm")[1])[axis] for axis in "xy")
            assert -2 < x < 2
            assert -2 < y < 2
        finally:
            code, err = serving.stop(signal.SIGTERM)
        assert code == 0
        assert "vectors" not in err

    def test_it_searches_on_where_the_program_fails(self, index: Path) -> None:
        pytest.importorskip("fastapi")
        failing = shlex.join([sys.executable, "-c", "raise SystemExit('no model')"])
        serving = Process(Path(".textae"), "--port", 0, "--vector-command", failing)
        try:
            status, body = serving.get("/api/search?q=storm")
            assert (status, json.loads(body)["hits"][0]["id"].split("-")[0]) == (200, "ships")
            assert b"model" not in body
        finally:
            _, err = serving.stop(signal.SIGTERM)
        assert re.search(r"^textae: searching without vectors: the vector command '.*' ended: no model$", err, re.M)

    def test_a_program_that_is_none_ends_it_at_the_start(self, index: Path, shell: Shell) -> None:
        for command in ("serve", "mcp"):
            assert "cannot be started: No such file" in shell(command, "--vector-command", "/no/such/program").error

    def test_without_a_program_it_says_what_it_does_not_use(self, index: Path) -> None:
        pytest.importorskip("fastapi")
        serving = Process(Path(".textae"), "--port", 0)
        _, err = serving.stop(signal.SIGTERM)
        assert "the vectors of the index are not used: queries have none; --vector-command names what gives them" in err

    def test_a_request_may_have_one(self, index: Path) -> None:
        answers = pytest.importorskip("textae.app.server.answers")
        with Engine.open(".textae") as engine:
            found = answers.search(engine, answers.SearchParameters(q="xyzzy", vector="[0, 1, 0]", k=3, explain=True))
            assert {hit.id.split("-")[0] for hit in found.hits} == {"bread"}
            assert found.hits[0].explanation.vectors == pytest.approx(found.hits[0].score)
            with pytest.raises(QueryError, match="the vector is 'x'; it must be a JSON list of numbers"):
                answers.search(engine, answers.SearchParameters(q="storm", vector="x"))
