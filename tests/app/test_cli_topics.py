"""`textae topics`: a table for people, JSON and CSV for others, one topic, and topics over time."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from shared import TOPICS, real_shell, some_documents

from textae import Document, Engine, TrainSpec
from textae.app.cli.correcting import COMMANDS


@pytest.fixture
def index(plane_folder, tmp_path) -> Path:
    """Give an index whose three topics are known, with topics that are kept."""
    folder = shutil.copytree(plane_folder, tmp_path / "index")
    with Engine.open(folder) as engine:
        engine.topics(3)
    return folder


def rows_of(said: str) -> list[dict]:
    return [json.loads(line) for line in said.splitlines()]


def test_the_table(shell, index) -> None:
    said = shell("topics", "--index", index)
    assert said.code == 0
    assert said.err == "textae: 3 topics in 3 areas, of 60 documents\n"
    lines = [line.split(maxsplit=3) for line in said.out.splitlines()]
    assert [(id, documents, share) for id, documents, share, _ in lines] == [
        (f"{number}.1", "20", "33.3%") for number in (1, 2, 3)
    ]
    names = {frozenset(name.split(", ")) for *_, name in lines}
    assert all(any(name <= {topic, *words.split()} for topic, words in TOPICS.items()) for name in names)


def test_areas_stand_before_their_topics(shell, index) -> None:
    said = shell("topics", "--n", 10, "--index", index)
    assert said.err.splitlines()[:2] == ["comparing halves…", "naming topics…"]
    ids = [line.split()[0] for line in said.out.splitlines()]
    areas = [id for id in ids if "." not in id]
    assert areas == sorted(areas, key=int)
    assert len(ids) - len(areas) == 10
    assert all(ids[place + 1] == f"{id}.1" for place, id in enumerate(ids) if "." not in id)
    assert all(line.startswith("  ") == ("." in id) or ids.count(id.split(".")[0]) == 0
               for id, line in zip(ids, said.out.splitlines(), strict=True))  # fmt: skip


def test_json(shell, index) -> None:
    rows = rows_of(shell("topics", "--json", "-q", "--index", index).out)
    assert [row["id"] for row in rows] == ["1", "1.1", "2", "2.1", "3", "3.1"]
    assert rows[0]["topics"] == ["1.1"]
    topic = rows[1]
    assert topic.keys() == {"id", "name", "words", "documents", "typical", "topics", "share"}
    assert (topic["documents"], topic["share"], topic["topics"], len(topic["words"])) == (20, 0.3333, [], 10)
    assert all(one.keys() == {"id", "title", "strength"} and 0 <= one["strength"] <= 1 for one in topic["typical"])


def test_csv(shell, index) -> None:
    said = shell("topics", "--csv", "--index", index)
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["id"] for row in rows] == ["1", "1.1", "2", "2.1", "3", "3.1"]
    assert [row["documents"] for row in rows] == ["20"] * 6
    assert rows[1]["name"] == ", ".join(rows[1]["words"].split()[:3])


def test_one_topic(shell, index) -> None:
    (row,) = rows_of(shell("topics", "2.1", "--json", "--index", index).out)
    assert row["id"] == "2.1"
    said = shell("topics", "2.1", "--index", index)
    lines = said.out.splitlines()
    assert lines[:2] == [f"2.1  {row['name']}", "20 of 60 documents, 33.3%"]
    assert lines[2] == ", ".join(row["words"])[: len(lines[2])]
    assert [line.split()[:2] for line in lines[-3:]] == [
        [f"{one['strength']:.2f}", one["id"]] for one in row["typical"]
    ]
    assert said.err == ""


def test_an_area_lists_its_topics(shell, index) -> None:
    assert shell("topics", "2", "--index", index).out.splitlines()[-1].split()[0] == "2.1"
    table = list(csv.reader(io.StringIO(shell("topics", "2", "--csv", "--index", index).out)))
    assert [row[0] for row in table] == ["id", "2", "2.1"]


def test_over_time(shell, index) -> None:
    said = shell("topics", "--over", "year", "--index", index)
    assert said.code == 0
    assert said.err.startswith("textae: 1900 to 1959, by year; ")
    bars = [line.split()[-2] for line in said.out.splitlines()]
    assert [sum(line.count(bar) for bar in "▁▂▃▄▅▆▇█") for line in bars] == [20] * 3 or max(map(len, bars)) < 60
    rows = rows_of(shell("topics", "--over", "year", "--json", "-q", "--index", index).out)
    assert [row["id"] for row in rows] == ["1", "1.1", "2", "2.1", "3", "3.1"]
    assert all((row["unit"], sum(row["periods"].values()), len(row["periods"])) == ("year", 20, 60) for row in rows)
    topic = {1900 + number for number in range(60) if number % 3 == 0}
    assert {int(year) for year, n in rows[1]["periods"].items() if n} in (
        topic,
        {y + 1 for y in topic},
        {y + 2 for y in topic},
    )
    table = list(csv.reader(io.StringIO(shell("topics", "2.1", "--over", "year", "--csv", "-q", "--index", index).out)))
    assert table[0] == ["id", "name", "year", "documents"]
    assert len(table) == 61
    assert sum(int(row[3]) for row in table[1:]) == 20


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["9.9"], "no topic has the id '9.9', or alone that name; 'textae topics' lists them"),
        (["--n", 0], "the number of topics must be from 1 to 60 for the 60 documents that have a code, got 0"),
        (["--n", 61], "the number of topics must be from 1 to 60 for the 60 documents that have a code, got 61"),
        (["--json", "--csv"], "give --json or --csv (see 'textae topics --help')"),
        (["--over", "era"], "no document has the field 'era'; the fields are: topic, year"),
        (
            ["--over", "topic"],
            "the field 'topic' does not date the documents; give one that holds years, or dates as 2012-05-03 or as in "
            "mails, and not all the same",
        ),
        (["--seed", -1], None),
    ],
)
def test_errors_are_one_line(shell, index, arguments, error) -> None:
    said = shell("topics", *arguments, "-q", "--index", index).error
    assert error in (None, said)


def test_an_index_whose_documents_have_no_code(shell, tmp_path) -> None:
    with Engine.create(tmp_path / "index") as engine:
        engine.index(some_documents(6), train=TrainSpec(epochs=0, device="cpu"))
        engine.add([Document("odd", "qqqq zzzz")])
        engine.remove([document.id for document in some_documents(6)])
    said = shell("topics", "-q", "--index", tmp_path / "index")
    assert said.error == "no document of this index has a code: the encoder knows none of their words"


def test_names_and_titles_steer_no_terminal(shell, tmp_path) -> None:
    steering = [Document(f"\x1b[2J{i}", f"bread \x1b]0;butter flour {i}", "\x1b[31mred\ttitle\n=1+1") for i in range(6)]
    with Engine.create(tmp_path / "index") as engine:
        engine.index(steering, train=TrainSpec(epochs=0, device="cpu"))
    for arguments in ((), ("1",), ("--csv",), ("--json",), ("1.1", "--json")):
        said = shell("topics", *arguments, "--index", tmp_path / "index")
        assert said.code == 0
        assert "\x1b" not in said.out + said.err


def test_a_line_fits_the_terminal(index) -> None:
    for columns in (60, 80):
        said = real_shell("topics", "--over", "year", "-q", "--index", index, COLUMNS=str(columns))
        assert said.code == 0
        assert max(map(len, said.out.splitlines())) <= columns


class TestCorrecting:
    def test_a_name_is_shown_from_then_on(self, shell, index) -> None:
        said = shell("topics", "rename", "2.1", "Mine", "--index", index)
        assert (said.code, said.err) == (0, "textae: 3 topics in 3 areas, of 60 documents\n")
        assert said.out.splitlines()[1].endswith("33.3%  Mine")
        assert shell("topics", "-q", "--index", index).out == said.out
        assert shell("topics", "Mine", "--index", index).out.startswith("2.1  Mine\n20 of 60 documents")
        assert "2.1 Mine" in shell("map", "--index", index).out

    def test_merged_topics_are_one(self, shell, index) -> None:
        said = shell("topics", "merge", "1.1", "3.1", "--name", "Both", "--json", "-q", "--index", index)
        assert [(row["id"], row["documents"]) for row in rows_of(said.out)] == [
            ("1", 40), ("1.1", 40), ("2", 20), ("2.1", 20),
        ]  # fmt: skip
        assert rows_of(said.out)[1]["name"] == "Both"

    def test_reset_takes_everything_back(self, shell, index) -> None:
        before = shell("topics", "--index", index)
        shell("topics", "rename", "2.1", "Mine", "--index", index)
        shell("topics", "merge", "1.1", "3.1", "--index", index)
        assert shell("topics", "reset", "--index", index) == before

    def test_seeds(self, shell, index_folder, tmp_path) -> None:
        folder, file = shutil.copytree(index_folder, tmp_path / "own"), tmp_path / "seeds.txt"
        file.write_text("\ufeffSky: telescope, comet\n\nBaking: oven, id:bread-1\n", "utf-8")
        said = shell("topics", "--seeds", file, "--n", 3, "--json", "-q", "--index", folder)
        assert {"Sky", "Baking"} < {row["name"] for row in rows_of(said.out)}
        said = shell("topics", "--n", 1, "--index", folder)
        assert said.error == "there are 2 seeds for at most 1 topics; give fewer seeds"

    def test_a_file_without_end_is_refused(self, shell, index) -> None:
        said = shell("topics", "--seeds", "/dev/zero", "--index", index)
        assert said.error == "/dev/zero has more than 1,048,576 bytes; give a topic a line, as 'name: word, word'"

    def test_what_is_lost_is_said(self, shell, index) -> None:
        shell("topics", "rename", "2.1", "Mine", "--index", index)
        said = shell("topics", "--n", 1, "--index", index)
        lost = "textae: not carried over, because no topic has mostly the same documents or words: 'Mine'"
        assert lost in said.err.splitlines()
        assert "not carried over" not in shell("topics", "--index", index).err

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            (["rename", "9", "A"], "no topic has the id '9', or alone that name; 'textae topics' lists them"),
            (["rename", "1.1", " "], "'' cannot be a name; give 1 to 100 characters that can be shown"),
            (["rename", "1.1", "2.1"], "'2.1' cannot be a name, since topics have numbers; give one with a letter"),
            (["rename", "1.1", "a\nb"], r"'a\nb' cannot be a name; give 1 to 100 characters that can be shown"),
            (["merge", "1.1"], "the topic 1.1 cannot be merged alone; give two or more"),
            (["merge", "1.1", "7.7"], "no topic has the id '7.7', or alone that name; 'textae topics' lists them"),
            (["merge", "1.1", "2.1", "--name", ""], "'' cannot be a name; give 1 to 100 characters that can be shown"),
            (["merge"], "Missing argument 'TOPIC…' (see 'textae topics merge --help')"),
            (["rename", "1.1"], "Missing argument 'NAME' (see 'textae topics rename --help')"),
            (["reset", "1.1"], "Got unexpected extra argument (1.1) (see 'textae topics reset --help')"),
            (["--seeds", "nothing.txt"], "No such file or directory: nothing.txt"),
        ],
    )
    def test_errors_are_one_line_and_change_nothing(self, shell, index, arguments, error) -> None:
        before = shell("topics", "--index", index)
        assert shell("topics", *arguments, "--index", index).error == error
        assert shell("topics", "--index", index) == before

    def test_seeds_that_are_no_text(self, shell, index, tmp_path) -> None:
        (tmp_path / "seeds").write_bytes(b"\xff\xfe")
        said = shell("topics", "--seeds", tmp_path / "seeds", "--index", index)
        assert said.error == f"{tmp_path / 'seeds'} is not UTF-8 text; give a topic a line, as 'name: word, word'"

    @pytest.mark.parametrize("name", COMMANDS)
    def test_each_has_a_help_with_an_example(self, shell, name) -> None:
        said = shell("topics", name, "--help")
        assert said.out.startswith(f"Usage: textae topics {name} ")
        assert f"\n  textae topics {name}" in said.out
        assert f"\n  {name}" in shell("topics", "--help").out.partition("Commands:")[2]
