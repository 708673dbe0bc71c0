"""The shell looks after an index: add, rm, sync, watch, and what is told of it; every mistake is one line."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from shared import ENVIRONMENT, Said, command, contents, real_shell, wait_for

from textae import Engine
from textae.app.cli import watching as watching_module
from textae.app.cli.options import ShellOptions

QUICKLY = ("--passes", 1, "--device", "cpu", "--dims", 16, "--bits", 32, "--hidden", 16)


def write(folder: Path, **texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def changed(said: Said) -> dict:
    """Give what a command says with --json."""
    assert (said.code, len(said.out.splitlines())) == (0, 1), said
    row = json.loads(said.out)
    return {name: row[name] for name in ("added", "replaced", "removed", "unchanged") if row[name]}


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Be in a folder that has some notes."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "notes", comet="a comet and a star", bread="flour, dough and an oven", ship="an anchor at sea")
    return tmp_path


@pytest.fixture
def index(shell, here) -> Path:
    """Give an index of the notes."""
    assert shell("index", "notes", "--quiet", *QUICKLY).code == 0
    return here / ".textae"


def ids() -> set[str]:
    with Engine.open(".textae") as engine:
        return set(engine.snapshot.ids.values())


class TestAdd:
    def test_a_folder(self, shell, index, here) -> None:
        write(here / "more", moon="the moon and a zygote")
        said = shell("add", "more/")
        assert (said.code, said.out) == (0, "")
        assert said.err.endswith("textae: added 1; 4 documents in .textae\n")
        assert shell("search", "zygote", "--tsv").out.split("\t")[2] == "more/moon.txt"

    def test_json(self, shell, index, here) -> None:
        write(here / "more", moon="the moon", nothing="")
        said = shell("add", "more", "--json")
        row = json.loads(said.out)
        assert changed(said) == {"added": 1}
        assert (row["index"], row["documents"], row["unlearned"], row["skipped"]) == (".textae", 4, 1, {"empty": 1})
        assert row["examples"] == {"empty": ["more/nothing.txt"]}

    def test_a_table_with_its_options(self, shell, index, here) -> None:
        (here / "t.csv").write_text("key,body,s\nk1,a zygote,x\nk2,a qubit,y\n")
        options = ("--id-field", "key", "--text-field", "body", "--select", "s=x")
        assert changed(shell("add", "t.csv", *options, "--json")) == {"added": 1}
        (here / "t.csv").write_text("key,body,s\nk1,a zygote,x\nk3,a tensor,x\n")
        assert changed(shell("sync", "--json")) == {"added": 1, "unchanged": 4}
        assert ids() == {"comet.txt", "bread.txt", "ship.txt", "t.csv:k1", "t.csv:k3"}

    def test_standard_input(self, shell, index) -> None:
        said = shell("add", "-", "--json", stdin=b'{"id": "a", "text": "a zygote"}\n{"id": "b", "text": "a qubit"}\n')
        assert changed(said) == {"added": 2}
        assert changed(shell("sync", "--json", stdin=b"")) == {"unchanged": 3}
        assert changed(shell("sync", "-", "--json", stdin=b'{"id": "b", "text": "qubits"}\n')) == {
            "replaced": 1, "removed": 1
        }  # fmt: skip
        assert ids() == {"comet.txt", "bread.txt", "ship.txt", "b"}

    def test_what_is_skipped_is_counted_and_listed(self, shell, index, here) -> None:
        shell("add", "-", "--json", stdin=b'{"id": "t.jsonl:1", "text": "a zygote"}\n')
        (here / "t.jsonl").write_text('{"id": "1", "text": "another"}\nnot json\n')
        said = shell("add", "t.jsonl", "--verbose")
        assert said.err.splitlines()[-4:] == [
            "textae: nothing to do; 4 documents in .textae",
            "textae: skipped 2 · id already used: 1 · not JSON: 1",
            "textae: skipped t.jsonl:1: id already used",
            "textae: skipped t.jsonl:2: not JSON",
        ]
        assert "(--verbose lists them)" in shell("add", "t.jsonl").err

    def test_when_most_documents_are_new_learning_is_advised(self, shell, index, here) -> None:
        write(here / "more", **{f"new{n}": f"the moon of newword{n}" for n in range(4)})
        said = shell("add", "more")
        assert said.err.splitlines()[-1] == (
            "textae: 4 documents were added after training; 'textae info' shows how well they fit, 'textae train' "
            "learns them"
        )
        assert shell("train", "--quiet").code == 0
        assert "added after training" not in shell("sync").err

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ([], "Missing argument 'SOURCE…'"),
            (["nowhere"], "no file, folder or corpus 'nowhere'"),
            (["notes", "--select", "x"], "Invalid value for '--select': 'x' is not FIELD=VALUE"),
            (["broken.csv.gz"], "broken.csv.gz: the gzip file is cut off or damaged"),
        ],
    )
    def test_what_cannot_be_added(self, shell, index, here, arguments, says) -> None:
        (here / "broken.csv.gz").write_bytes(b"no gzip")
        before = contents(index)
        assert shell("add", *arguments).error.startswith(says)
        assert contents(index) == before

    @pytest.mark.parametrize("arguments", [["add", "notes"], ["rm", "a"], ["sync"], ["sync", "notes", "--watch"]])
    def test_without_an_index(self, shell, here, arguments) -> None:
        assert shell(*arguments).error.startswith("no index at .textae; 'textae index SOURCE… --index .textae' makes")
        assert not (here / ".textae").exists()


class TestRm:
    def test_ids(self, shell, index) -> None:
        said = shell("rm", "comet.txt", "ship.txt")
        assert (said.code, said.out) == (0, "")
        assert said.err.splitlines()[-1] == "textae: removed 2; 1 documents in .textae"
        assert ids() == {"bread.txt"}

    def test_ids_from_standard_input(self, shell, index) -> None:
        said = shell("rm", "-", "--json", stdin=b"comet.txt\n\nship.txt\n")
        assert changed(said) == {"removed": 2}

    def test_the_example_of_its_help(self, shell, index) -> None:
        found = shell("search", "anchor", "--tsv", "-k", 1000, "--mode", "bm25").out
        column = "".join(line.split("\t")[2] + "\n" for line in found.splitlines())
        assert changed(shell("rm", "-", "--json", stdin=column.encode())) == {"removed": 1}
        assert "ship.txt" not in ids()

    def test_nothing_on_standard_input_removes_nothing(self, shell, index) -> None:
        said = shell("rm", "-", stdin=b"")
        assert (said.code, said.err.splitlines()[-1]) == (0, "textae: nothing to do; 3 documents in .textae")

    @pytest.mark.parametrize(
        ("arguments", "stdin", "says"),
        [
            ([], b"", "give IDs or --where EXPR"),
            (["comet.txt", "x12"], b"", "no document has the id 'x12'; 'textae search' prints ids"),
            (["-"], b"comet.txt\nx12\n", "no document has the id 'x12'"),
            (["-"], b"\xff\n", "standard input is not UTF-8 text"),
            (["comet.txt", "ship.txt", "bread.txt"], b"", "that would leave no document in .textae; delete the folder"),
        ],
    )
    def test_what_cannot_be_removed(self, shell, index, arguments, stdin, says) -> None:
        before = contents(index)
        assert shell("rm", "--quiet", *arguments, stdin=stdin).error.startswith(says)
        assert contents(index) == before


class TestSync:
    def test_all_that_it_was_made_of_from_any_folder(self, shell, index, here, monkeypatch) -> None:
        write(here / "notes", comet="another comet", moon="a moon")
        (here / "notes" / "ship.txt").unlink()
        monkeypatch.chdir("/")
        told = shell("sync", "--index", index).err.splitlines()
        assert f"textae: added 1, replaced 1, removed 1, unchanged 1; 3 documents in {index}" in told
        assert f"textae: unchanged 3; 3 documents in {index}" in shell("sync", "--index", index).err.splitlines()

    def test_a_source_keeps_the_names_that_its_ids_have(self, shell, index, here) -> None:
        """Alone it is named otherwise than among others; and given with options as without."""
        write(here / "more", moon="a moon")
        (here / "t.jsonl").write_text('{"words": "a qubit"}\n')
        shell("add", "more")
        shell("add", "t.jsonl", "--text-field", "words")
        assert ids() == {"comet.txt", "bread.txt", "ship.txt", "more/moon.txt", "t.jsonl:1"}
        assert changed(shell("sync", "notes", "--json")) == {"unchanged": 3}
        assert changed(shell("sync", here / "more", "--json")) == {"unchanged": 1}
        assert changed(shell("sync", "notes", "--text-field", "text", "--json")) == {"unchanged": 3}
        assert changed(shell("sync", here / "t.jsonl", "--text-field", "words", "--json")) == {"unchanged": 1}
        assert changed(shell("sync", "notes", "more", "t.jsonl", "--json")) == {"unchanged": 5}

    def test_a_source_that_is_gone(self, shell, index, here) -> None:
        before = contents(index)
        (here / "notes").rename(here / "elsewhere")
        advice = "'textae sync --forget' removes what came from it"
        assert shell("sync").error == f"{here}/notes is not there any more; {advice}"
        assert shell("sync", "notes").error.startswith("no file, folder or corpus 'notes'")
        assert contents(index) == before

    def test_what_cannot_be_watched(self, shell, index, tmp_path_factory) -> None:
        assert shell("sync", "-", "--watch").error.startswith("standard input cannot be watched; give a folder")
        folder = tmp_path_factory.mktemp("said") / "index"
        assert shell("index", "-", "--quiet", *QUICKLY, "--index", folder, stdin=b"a comet").code == 0
        assert "remembers no source that can be read again" in shell("sync", "--index", folder).error
        assert (
            "an index without readable sources cannot be watched" in shell("sync", "--watch", "--index", folder).error
        )


@contextmanager
def watching(*arguments: object, **environment: str) -> Iterator[subprocess.Popen]:
    """Give a real process that watches, from when it says so, and interrupt it at the end."""
    line = command("sync", "--watch", *arguments)
    process = subprocess.Popen(line, env=ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr.readline().startswith(b"textae: watching ")
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, b"textae: stopped watching\n")


class TestWatch:
    def test_the_index_follows_until_it_is_interrupted(self, index, here) -> None:
        write(here / "notes", comet="a comet of before")  # what has changed before it looks is seen, too
        with watching("--json") as process:
            assert json.loads(process.stdout.readline())["replaced"] == 1
            write(here / "notes", moon="the moon and a zygote")
            assert json.loads(process.stdout.readline())["added"] == 1
            assert real_shell("search", "zygote", "--tsv").out.split("\t")[2] == "moon.txt"
            (here / "notes" / "ship.txt").unlink()
            wait_for(lambda: "ship.txt" not in ids())
        with Engine.open(index) as engine:
            assert engine.snapshot.reader.damage() == []

    def test_what_goes_wrong_is_said_once_and_tried_again(self, index, here) -> None:
        with watching() as process:
            (here / "notes").rename(here / "elsewhere")
            gone = process.stderr.readline().decode()
            advice = "'textae sync --forget' removes what came from it"
            assert gone == f"textae: error: {here}/notes is not there any more; {advice}\n"
            write(here / "elsewhere", moon="the moon")
            (here / "elsewhere").rename(here / "notes")
            assert process.stderr.readline().startswith(b"textae: added 1, unchanged 3; 4 documents")

    def test_what_is_skipped_is_said_once_also_where_nothing_else_has_changed(self, index, here) -> None:
        with watching() as process:
            (here / "notes" / "binary.txt").write_bytes(b"\0")
            assert process.stderr.readline().startswith(b"textae: unchanged 3; 3 documents")
            assert process.stderr.readline() == b"textae: skipped 1 \xc2\xb7 binary: 1 (--verbose lists them)\n"
            write(here / "notes", moon="the moon")
            assert process.stderr.readline().startswith(b"textae: added 1, unchanged 3; 4 documents")
            assert process.stderr.readline().startswith(b"textae: skipped 1 ")

    def test_a_notification_ends_the_wait(self, here, monkeypatch) -> None:
        pytest.importorskip("watchfiles")
        monkeypatch.setattr(watching_module, "_POLLED_EVERY", 1_000)
        monkeypatch.setattr(watching_module, "_CHECKED_EVERY", 1_000)
        with watching_module._waiting([here / "notes"], ShellOptions()) as wait:
            ended = threading.Event()
            threading.Thread(target=lambda: (wait(), ended.set()), daemon=True).start()
            wait_for(lambda: write(here / "notes", moon="the moon") and ended.wait(0.5))

    def test_without_notifications_it_looks_again_and_again(self, here, monkeypatch) -> None:
        monkeypatch.setitem(sys.modules, "watchfiles", None)
        monkeypatch.setattr(watching_module, "_POLLED_EVERY", 0.01)
        monkeypatch.setattr(watching_module, "_CHECKED_EVERY", 1_000)
        with watching_module._waiting([here / "notes"], ShellOptions()) as wait:
            for _ in range(3):
                wait()

    def test_a_recipe_is_synced_once(self, here, tmp_path) -> None:
        """Nobody can tell whether it has changed without reading it, but at first it is read."""
        package = tmp_path / "snakes"
        said = f'"""{"what a snake does " * 20}"""'
        package.mkdir()
        (package / "__init__.py").write_text(f"def bite(): {said}\n")
        path = {"PYTHONPATH": f"{ENVIRONMENT['PYTHONPATH']}:{tmp_path}"}
        assert real_shell("index", "python:snakes", "--quiet", *QUICKLY, **path).code == 0
        (package / "__init__.py").write_text(f"def bite(): {said}\ndef hiss(): {said.replace('what', 'why')}\n")
        with watching(**path) as process:
            assert process.stderr.readline().startswith(b"textae: added 1, unchanged 1; 2 documents")


class TestInfo:
    def test_what_came_since_it_was_learned(self, shell, index, here) -> None:
        before = json.loads(shell("info", "--json").out)
        assert (before["added_since_learned"], before["removed_since_learned"], before["segments"]) == (0, 0, 1)
        assert not any(name.startswith(("unknown_words", "loss")) for name in before)
        write(here / "more", moon="comet zygote", qubit="a comet and a star")
        shell("add", "more")
        shell("rm", "ship.txt")
        facts = json.loads(shell("info", "--json").out)
        assert (facts["documents"], facts["added_since_learned"], facts["removed_since_learned"]) == (4, 2, 1)
        assert facts["unknown_words_of_added"] == pytest.approx(3 / 8)  # with the names of the files
        assert facts["loss_of_learned"] > 0 and facts["loss_of_added"] > 0
        lines = {line[:24].strip(): line[24:].strip() for line in shell("info").out.splitlines()}
        assert lines["added since learned"] == "2"
        assert lines["unknown words of added"] == "0.375"

    def test_of_documents_of_which_nothing_is_known_json_stays_json(self, shell, index, here) -> None:
        (here / "more.jsonl").write_text('{"text": "zygote qubit"}\n')
        shell("add", "more.jsonl")
        facts = json.loads(shell("info", "--json").out)
        assert facts["unknown_words_of_added"] == 1
        assert "loss_of_added" not in facts

    def test_passages(self, shell, here) -> None:
        write(here / "notes", long="one two three four five six seven eight nine ten " * 10)
        assert shell("index", "notes", "--quiet", *QUICKLY, "--passages", 20).code == 0
        assert json.loads(shell("info", "--json").out)["passages"] == 3 + 9
        shell("rm", "long.txt", "--quiet")
        assert json.loads(shell("info", "--json").out)["passages"] == 3
        for words in ("1", "19", "-5"):
            said = shell("index", "notes", "--replace", "--passages", words)
            assert "give 20 to 100,000, or 0 for none" in said.error
