"""Documents from the shell: where hits are, links to files, `get` and `open`."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from shared import ENVIRONMENT, HOSTILE, command

LINK = re.compile(r"\x1b\]8;;(file://[\x21-\x7e]*)\x1b\\(.*?)\x1b\]8;;\x1b\\")


@pytest.fixture
def at_home(home, shell):
    """Give a function that runs a command on the index of `home`."""
    return lambda name, *arguments: shell(name, *arguments, "--index", home / ".textae")


def on_a_terminal(*arguments: object, **environment: str) -> str:
    """Give what a command prints on a terminal."""
    main, other = pty.openpty()
    everything = {**ENVIRONMENT, "TERM": "xterm", **environment}
    process = subprocess.Popen(
        command(*arguments), stdin=other, stdout=other, stderr=subprocess.DEVNULL, env=everything
    )
    os.close(other)
    shown = b""
    while True:
        try:
            piece = os.read(main, 65_536)
        except OSError:  # as Linux ends it
            piece = b""
        if not piece:
            break
        shown += piece
    os.close(main)
    assert process.wait() == 0
    return shown.decode()


class TestHits:
    def test_a_line_as_grep_prints_it_and_a_page(self, at_home):
        assert at_home("search", "walrus", "-k", 1).out.startswith("  1  boiler.md:4  Boiler  ")
        assert at_home("search", "heron", "-k", 1).out.startswith("  1  manual.pdf, page 2  The manual  ")

    def test_a_line_of_one_of_several_indexes(self, at_home, home, index_folder):
        said = at_home("search", "walrus", "-k", 1, "--index", index_folder)
        assert said.out.startswith(f"  1  {home / '.textae'}:boiler.md:4  Boiler  ")

    def test_json_has_place_and_source(self, at_home, home):
        hit = json.loads(at_home("search", "walrus", "-k", 1, "--json").out)
        assert (hit["id"], hit["place"], hit["source"]) == ("boiler.md", "line 4", str(home / "notes" / "boiler.md"))

    def test_what_is_printed_can_be_given(self, at_home):
        assert at_home("similar", "boiler.md:4", "-k", 1).code == 0
        assert at_home("get", "boiler.md:4").out == "the walrus swims\n"

    def test_no_link_in_a_pipe(self, at_home):
        assert "\x1b" not in at_home("search", "walrus eagle pelican").out

    @pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": "linux"}])
    def test_no_link_where_it_would_be_seen(self, home, environment):
        assert "\x1b]8;" not in on_a_terminal("search", "walrus", "--index", home / ".textae", **environment)

    def test_a_link_on_a_terminal(self, home):
        shown = on_a_terminal("search", "walrus", "-k", 1, "--index", home / ".textae")
        ((file, text),) = LINK.findall(shown)
        assert file == f"file://{os.uname().nodename}{home}/notes/boiler.md"
        assert "boiler.md:4" in text

    def test_names_that_steer_a_terminal_and_programs(self, home):
        shown = on_a_terminal("search", "eagle", "-k", 9, "--mode", "bm25", "--index", home / ".textae")
        files = [file for file, _ in LINK.findall(shown)]
        assert any(
            file.endswith("/notes/a%1B%5D8%3B%3Bhttp%3A//evil%1B%5Cb%07%C2%9C%0A%E2%80%AEc.txt") for file in files
        )
        assert not any("desktop" in file for file in files)
        assert "run.desktop" in shown
        left = re.sub(r"\x1b\[[0-9;]*m", "", LINK.sub("", shown))
        assert not set(left) & set("\x1b\x07\x9c\u202e")
        assert "http://evil\x1b" not in shown


class TestGet:
    def test_a_text_as_it_is_indexed(self, at_home):
        assert at_home("get", "boiler.md").out == "# Boiler\n\nthe walrus swims\n"

    def test_a_page(self, at_home):
        assert at_home("get", "manual.pdf", "--page", "1").out == "a pelican, \n"
        assert "it has page 1 to page 2" in at_home("get", "manual.pdf", "--page", "3").error

    def test_json(self, at_home, home):
        row = json.loads(at_home("get", "manual.pdf", "--page", "2", "--json").out)
        assert row == {
            "id": "manual.pdf", "title": "The manual", "text": "\x1b[2Ja heron", "fields": {}, "place": "page 2",
            "source": str(home / "notes" / "manual.pdf"),
        }  # fmt: skip

    def test_nothing_steers_a_terminal(self, home):
        assert on_a_terminal("get", "manual.pdf", "--index", home / ".textae") == "a pelican, \ufffd[2Ja heron\r\n"

    def test_a_passage(self, shell, passages_folder):
        id = json.loads(shell("search", "telescope", "-k", 1, "--json", "--index", passages_folder).out)["id"]
        whole, first, second = (
            shell("get", id, *more, "--index", passages_folder).out[:-1]
            for more in ([], ["--passage", 1], ["--passage", 2])
        )
        assert whole.startswith(first)
        assert second in whole
        assert first != second
        assert "give --passage 1 to" in shell("get", id, "--passage", 10_000, "--index", passages_folder).error

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [(("nope",), "no document has the id"), (("boiler.md", "--page", "1"), "has no pages"),
         (("boiler.md", "--passage", "1"), "no passages"), (("manual.pdf:3",), "no text of lines"),
         (("boiler.md", "--passage", "1", "--page", "1"), "not both")],
    )  # fmt: skip
    def test_one_line_where_there_is_no_such_part(self, at_home, arguments, said):
        left = at_home("get", *arguments)
        assert left.code == 2
        assert said in left.error


class TestOpen:
    @pytest.fixture
    def opened(self, tmp_path, monkeypatch) -> Path:
        """Put openers and an editor on the path that note with what they were called."""
        noted = tmp_path / "noted"
        for name in ("xdg-open", "open", "editor", "code"):
            (tmp_path / name).write_text(f'#!/bin/sh\nprintf "%s\\n" {name} "$@" > {noted}\n')
            (tmp_path / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.setenv("EDITOR", "editor -w")
        monkeypatch.delenv("VISUAL", raising=False)
        return noted

    def test_the_file_where_it_is(self, at_home, home, opened):
        left = at_home("open", "manual.pdf")
        assert (left.code, left.out) == (0, "")
        assert str(home / "notes" / "manual.pdf") in left.err
        assert opened.read_text().splitlines()[1:] == [str(home / "notes" / "manual.pdf")]

    @pytest.mark.parametrize("id", ["boiler.md", "boiler.md:4"])
    def test_an_editor_at_a_line(self, at_home, home, opened, id):
        assert at_home("open", id, "--editor").code == 0
        line = "+4" if ":" in id else "+2"  # where its text begins, as that of a mail in a mailbox
        assert opened.read_text().splitlines() == ["editor", "-w", line, str(home / "notes" / "boiler.md")]

    def test_an_editor_that_takes_lines_in_its_own_way(self, at_home, home, opened, monkeypatch):
        monkeypatch.setenv("VISUAL", "code")
        assert at_home("open", "boiler.md:4", "--editor").code == 0
        assert opened.read_text().splitlines() == ["code", "--goto", f"{home}/notes/boiler.md:4"]

    @pytest.mark.parametrize(
        ("id", "said"),
        [("run.desktop", "is a program"), ("../secret", "in no source"), ("/etc/passwd", "is not there"),
         ("leads.txt", "in no source"), ("gone.txt", "not there any more"), (HOSTILE, "not there any more"),
         ("bread-1", "not from a file"), ("nope", "no document has the id")],
    )  # fmt: skip
    def test_nothing_else_is_opened(self, at_home, opened, id, said):
        left = at_home("open", id)
        assert left.code == 2
        assert said in left.error
        assert len(left.error.splitlines()) == 1
        assert not opened.exists()

    @pytest.mark.parametrize(
        ("editor", "said"), [("", "no editor is set"), ("nope-1", "cannot be run"), ("'", "cannot")]
    )
    def test_no_editor(self, at_home, opened, monkeypatch, editor, said):
        monkeypatch.setenv("EDITOR", editor)
        left = at_home("open", "boiler.md", "--editor")
        assert (left.code, said in left.error) == (2, True)

    def test_an_opener_that_fails(self, at_home, opened):
        for name in ("xdg-open", "open"):
            (opened.parent / name).write_text("#!/bin/sh\nexit 4\n")
        left = at_home("open", "manual.pdf")
        assert left.code == 2
        assert "no program opened" in left.error
