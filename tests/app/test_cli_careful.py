"""The shell is careful: it asks before it replaces or removes, finds the index above, and keeps a list of sources."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from shared import ENVIRONMENT, command, contents
from test_cli_making import QUICKLY, changed, ids, write

from textae import Engine
from textae.app.cli.nearest import nearest_index


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Be in a folder that has some notes."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "notes", comet="a comet and a star", bread="flour, dough and an oven", ship="an anchor at sea")
    write(tmp_path / "notes" / "old", moon="the moon", sun="the sun")
    return tmp_path


@pytest.fixture
def index(shell, here) -> Path:
    """Give an index of the notes."""
    assert shell("index", "notes", "--quiet", *QUICKLY).code == 0
    return here / ".textae"


def answered(answer: str, *arguments: object) -> tuple[int, str]:
    """Run a command in a terminal and answer its question; give its exit code and what it printed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, env=ENVIRONMENT)
    os.close(theirs)
    printed = b""
    try:
        while b"[y/N]" not in printed:
            printed += os.read(ours, 1_000)
        os.write(ours, f"{answer}\n".encode())
        while piece := os.read(ours, 1_000):
            printed += piece
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    return process.wait(60), printed.decode()


class TestReplace:
    def test_where_nobody_can_be_asked_it_wants_the_option(self, shell, index) -> None:
        before = contents(index)
        told = "there is an index at .textae; --replace replaces it, and 'textae sync' updates it"
        assert shell("index", "notes", *QUICKLY).error == told
        assert contents(index) == before
        assert shell("index", "notes/old", "--replace", "--quiet", *QUICKLY).code == 0
        assert ids() == {"moon.txt", "sun.txt"}

    def test_in_a_terminal_it_asks(self, index) -> None:
        code, printed = answered("n", "index", "notes/old", *QUICKLY)
        assert (code, "there is an index at .textae; replace it?" in printed) == (1, True)
        assert "nothing has changed" in printed
        assert len(ids()) == 5
        assert answered("y", "index", "notes/old", *QUICKLY)[0] == 0
        assert ids() == {"moon.txt", "sun.txt"}

    def test_an_index_that_was_never_finished_is_none(self, shell, here) -> None:
        (here / "empty").mkdir()
        assert shell("index", "empty").code == 2
        assert shell("index", "notes", "--quiet", *QUICKLY).code == 0

    def test_a_damaged_one_is_one(self, shell, index) -> None:
        (index / "index.sqlite").write_bytes(b"garbage" * 1_000)
        assert shell("index", "notes").error.startswith("there is an index at .textae; ")


class TestNearest:
    def test_every_folder_below_has_the_index(self, shell, index, here, monkeypatch) -> None:
        monkeypatch.chdir(here / "notes" / "old")
        assert shell("search", "comet", "--tsv", "--mode", "bm25").out.split("\t")[2] == "comet.txt"
        write(here / "notes" / "old", mars="a planet")
        assert "6 documents in ../../.textae" in shell("sync").err

    def test_index_makes_one_here(self, shell, index, here, monkeypatch) -> None:
        monkeypatch.chdir(here / "notes" / "old")
        assert shell("index", ".", "--quiet", *QUICKLY).code == 0
        assert ids() == {"moon.txt", "sun.txt"}
        monkeypatch.chdir(here)
        assert len(ids()) == 5

    def test_the_home_directory_is_the_last_that_is_looked_at(self, index, here, monkeypatch) -> None:
        monkeypatch.chdir(here / "notes" / "old")
        monkeypatch.setenv("HOME", str(here))
        assert nearest_index() == Path("../../.textae")
        monkeypatch.setenv("HOME", str(here / "notes"))
        assert nearest_index() == Path(".textae")

    def test_one_of_somebody_else_above_is_named_and_not_used(self, shell, index, here, monkeypatch) -> None:
        if os.geteuid():
            pytest.skip("only root gives files away")
        os.chown(index, 65534, 65534)
        monkeypatch.chdir(here / "notes")
        assert shell("sources").error == f"{index} belongs to another user; --index ../.textae uses it all the same"
        assert shell("sources", "--index", "../.textae").code == 0

    def test_a_folder_that_is_gone(self, shell, here, monkeypatch) -> None:
        (here / "gone").mkdir()
        monkeypatch.chdir(here / "gone")
        (here / "gone").rmdir()
        assert "no index at .textae" in shell("info").error


class TestSources:
    def test_list(self, shell, index, here) -> None:
        (here / "t.csv").write_text("key,body\nk1,a zygote\n")
        options = ("--id-field", "key", "--text-field", "body", "--longest", "4M", "--timeout", 9)
        assert shell("add", "t.csv", *options).code == 0
        (here / "t.csv").unlink()
        notes, table = map(json.loads, shell("sources", "--json").out.splitlines())
        assert notes == {
            "source": str(here / "notes"), "documents": 5, "kind": "texts", "gone": False, "options": {}
        }  # fmt: skip
        assert (table["documents"], table["gone"]) == (1, True)
        assert table["options"] == {"id_field": "key", "text_field": "body", "seconds": 9, "longest": 4 << 20}
        first, second = shell("sources").out.splitlines()
        assert first.split() == ["5", str(here / "notes")]
        assert second.split()[:3] == ["1", str(here / "t.csv"), "gone"]

    def test_documents_without_a_source(self, shell, here, documents) -> None:
        with Engine.create(".textae") as engine:
            engine.index(documents[:3])
        assert shell("sources").out.split() == ["3", "(no", "source)"]

    def test_rm(self, shell, index, here) -> None:
        write(here / "more", mars="a planet")
        shell("add", "more")
        assert changed(shell("sources", "rm", "notes", "--json")) == {"removed": 5}
        assert ids() == {"more/mars.txt"}
        assert len(shell("sources").out.splitlines()) == 1
        before = contents(index)
        assert shell("sources", "rm", "more").error.startswith("that would leave no document")
        assert (
            shell("sources", "rm", "nowhere").error == "'nowhere' is no source of .textae; 'textae sources' lists them"
        )
        assert shell("sources", "mr", "more").error.startswith("give 'rm SOURCE…' or nothing, not 'mr more'")
        assert contents(index) == before

    def test_a_source_that_is_gone_is_forgotten_by_either(self, shell, index, here) -> None:
        for name in ("one", "two"):
            write(here / name, mars="a planet")
            shell("add", name)
            (here / name).rename(here / f"{name}-elsewhere")
        assert "is not there any more" in shell("sync").error
        assert changed(shell("sources", "rm", here / "one", "--json")) == {"removed": 1}
        said = shell("sync", "--forget")
        assert f"textae: forgot {here}/two\n" in said.err
        assert "textae: removed 1, unchanged 5; 5 documents in .textae" in said.err
        assert "nothing to do" not in shell("sync", "--forget").err
        assert len(shell("sources").out.splitlines()) == 1


class TestRemoveMany:
    def test_a_pattern(self, shell, index) -> None:
        before = contents(index)
        told = "2 documents match, such as old/moon.txt; --yes removes them"
        assert shell("rm", "old/*").error == told
        assert contents(index) == before
        assert changed(shell("rm", "[cx]omet.t?t", "--json")) == {"removed": 1}
        assert changed(shell("rm", "old/*", "--yes", "--json")) == {"removed": 2}
        assert ids() == {"bread.txt", "ship.txt"}
        assert shell("rm", "old/*").error.startswith("no document has an id like 'old/*'")

    def test_in_a_terminal_it_asks(self, index) -> None:
        assert answered("n", "rm", "old/*")[0] == 1
        assert len(ids()) == 5
        code, printed = answered("y", "rm", "old/*")
        assert (code, "2 documents match, such as old/moon.txt; remove them?" in printed) == (0, True)
        assert ids() == {"bread.txt", "ship.txt", "comet.txt"}

    def test_ids_are_removed_without_a_question_and_those_of_standard_input_are_no_patterns(self, shell, index) -> None:
        assert shell("rm", "-", stdin=b"old/*\n").error.startswith("no document has the id 'old/*'")
        assert changed(shell("rm", "-", "--json", stdin=b"old/moon.txt\nold/sun.txt\n")) == {"removed": 2}
        assert changed(shell("rm", "bread.txt", "bread.txt", "ship.txt", "--json")) == {"removed": 2}

    def test_an_id_with_a_star_is_that_document(self, shell, here) -> None:
        (here / "t.jsonl").write_text('{"id": "a*", "text": "star"}\n{"id": "ab", "text": "comet"}\n')
        shell("index", "t.jsonl", *QUICKLY)
        assert changed(shell("rm", "a*", "--json")) == {"removed": 1}
        assert ids() == {"ab"}

    def test_where(self, shell, here) -> None:
        rows = [{"id": f"d{n}", "text": f"word{n} comet", "year": 2000 + n} for n in range(6)]
        (here / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        shell("index", "t.jsonl", *QUICKLY)
        assert shell("rm", "--where", "year:>2003").error == "2 documents match, such as d4; --yes removes them"
        assert changed(shell("rm", "--where", "year:>2003", "-y", "--json")) == {"removed": 2}
        assert changed(shell("rm", "d[01]", "--where", "year:2001", "--json")) == {"removed": 1}
        assert ids() == {"d0", "d2", "d3"}
        said = shell("rm", "--where", "year:1066")
        assert (said.code, said.err) == (1, "textae: nothing found; no document meets the condition\n")
        assert "x12" in shell("rm", "x12", "--where", "year:2000").error
        assert shell("rm", "--where", "year:[").code == 2


class TestFilterAlone:
    def test_it_lists_by_id(self, shell, here) -> None:
        rows = [{"id": f"d{n}", "text": f"word{n} comet", "year": 2000 + n} for n in (3, 1, 2, 0)]
        (here / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        shell("index", "t.jsonl", *QUICKLY)
        listed = [json.loads(line) for line in shell("search", "--where", "year:>2000", "--json").out.splitlines()]
        assert [(hit["rank"], hit["id"], hit["score"]) for hit in listed] == [(1, "d1", 1), (2, "d2", 1), (3, "d3", 1)]
        said = shell("search", "--must", "comet", "-k", 2, "--tsv")
        assert [line.split("\t")[2] for line in said.out.splitlines()] == ["d0", "d1"]
        assert said.err == "textae: 4 documents match, and 2 are listed; -k sets how many\n"
        shell("rm", "d2")
        assert "d2" not in shell("search", "--where", "year:>2000", "--tsv").out
        assert shell("search", "--where", "year:1066").code == 1
        assert "need a QUERY" in shell("search", "--where", "year:2000", "--explain").error

    def test_pictures(self, shell, pictures_folder) -> None:
        said = shell("search", "--where", "year:[1900 TO 1902]", "--index", pictures_folder, "--tsv")
        assert len(said.out.splitlines()) == 3


class TestIgnore:
    def test_what_is_ignored_is_counted_and_listed(self, shell, here) -> None:
        (here / "notes" / ".gitignore").write_text("old/\n")
        said = shell("index", "notes", "--exclude", "b*", "--verbose", *QUICKLY)
        assert "textae: ignored 3 (--exclude: 1, .gitignore: 1, hidden: 1)\n" in said.err
        assert "textae: ignored old: .gitignore\n" in said.err
        assert ids() == {"comet.txt", "ship.txt"}

    def test_where_all_is_ignored_the_error_says_so(self, shell, here) -> None:
        error = shell("index", "notes", "--exclude", "*", *QUICKLY).error
        assert error.startswith("no document to index; ignored 4 (--exclude: 4)")

    def test_the_source_remembers_until_it_is_taken_back(self, shell, here) -> None:
        (here / "notes" / ".gitignore").write_text("old/\n")
        assert shell("index", "notes", "--exclude", "b*", *QUICKLY).code == 0
        write(here / "notes", boat="a boat")
        assert changed(shell("sync", "--json")) == {"unchanged": 2}
        assert changed(shell("sync", "notes", "--no-ignore", "--json")) == {"added": 2, "unchanged": 2}
        assert changed(shell("sync", "--json")) == {"unchanged": 4}
        assert changed(shell("sync", "--exclude", "", "--json")) == {"added": 2, "unchanged": 4}
        assert changed(shell("sync", "--ignore", "--json")) == {"removed": 2, "unchanged": 4}

    def test_what_becomes_ignored_is_removed_at_the_next_sync(self, shell, index, here) -> None:
        (here / "notes" / ".textaeignore").write_text("old/\n")
        said = shell("sync", "--json")
        assert changed(said) == {"removed": 2, "unchanged": 3}
        assert json.loads(said.out)["ignored"] == {".textaeignore": 1, "hidden": 1}

    def test_the_document_of_a_broken_link_is_gone(self, shell, here) -> None:
        (here / "elsewhere.txt").write_text("a planet")
        (here / "notes" / "link.txt").symlink_to(here / "elsewhere.txt")
        shell("index", "notes", "--quiet", *QUICKLY)
        assert "link.txt" in ids()
        (here / "elsewhere.txt").unlink()
        assert changed(shell("sync", "--json")) == {"removed": 1, "unchanged": 5}

    def test_the_document_of_a_link_goes_where_its_file_is_added(self, shell, here) -> None:
        (here / "elsewhere.txt").write_text("a planet")
        (here / "notes" / "link.txt").symlink_to(here / "elsewhere.txt")
        shell("index", "notes", "--quiet", *QUICKLY)
        shell("add", "elsewhere.txt", "--quiet")
        assert changed(shell("sync", "--json")) == {"removed": 1, "unchanged": 6}
        assert {"link.txt", "elsewhere.txt"} & ids() == {"elsewhere.txt"}

    def test_a_mail_that_the_user_deletes_is_gone(self, shell, here) -> None:
        box = here / "notes" / "Inbox.mbox"
        mail = "From - Mon Mar 02 09:00:00 2026\nX-Mozilla-Status: 0001\nMessage-ID: <{0}@x>\n\na comet {0}\n\n"
        box.write_text(mail.format(1) + mail.format(2))
        shell("index", "notes", "--quiet", *QUICKLY)
        box.write_text(mail.format(1).replace("0001", "0009") + mail.format(2))
        assert changed(shell("sync", "--json")) == {"removed": 1, "unchanged": 6}


class TestLongest:
    def test_a_long_text_is_read_in_parts_also_by_sync(self, shell, here) -> None:
        (here / "big.log").write_text("".join(f"a comet line{n}\n" for n in range(200)))
        assert shell("index", "big.log", "--longest", "2k", *QUICKLY).code == 0
        assert ids() == {"big.log#1", "big.log#2"}
        assert shell("search", "line199", "--tsv", "--mode", "bm25").out.split("\t")[2] == "big.log#2"
        with (here / "big.log").open("a") as file:
            file.write("a zygote\n" * 300)
        assert changed(shell("sync", "--json")) == {"added": 1, "replaced": 1, "unchanged": 1}

    @pytest.mark.parametrize("size", ["x", "0", "999", "513M", "1G", "-1", "9" * 40])
    def test_no_size(self, shell, here, size) -> None:
        said = shell("index", "notes", "--longest", size)
        assert said.error.startswith(f"Invalid value for '--longest': '{size}' is not a size from 1k to 512M")
