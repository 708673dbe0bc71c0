"""What a person sees: nothing that steers the terminal, hits on their lines, the time that is left."""

import json
import sys
import unicodedata

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from textae.app.output.hits import print_hits
from textae.app.terminal import ProgressLine, error, note
from textae.types import Hit
from textae.views.sanitise import cell, json_line, safe

ANY = st.text(st.one_of(st.characters(), st.characters(categories=["Cc", "Cs", "Cf", "Zl", "Zp"])))
STEERING = {"Cc", "Cs", "Zl", "Zp"}
TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def hit(rank: int = 1, **changed) -> Hit:
    parts = {"id": f"d{rank}", "score": 0.5, "title": "", "snippet": "", "marks": (), "fields": {}}
    return Hit(rank, **(parts | changed))


def seen(capsys, *hits: Hit) -> str:
    print_hits(hits)
    return capsys.readouterr().out


@pytest.fixture
def tty(monkeypatch, capsys):
    """As if a person looked at both streams."""
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda stream: True)
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


class TestSafe:
    @given(ANY)
    @example("\x1b[2J\x1b]0;title\x07")
    @example("\x9b31m \u202egnp.exe \ud83d")
    def test_no_control_character_is_left(self, text) -> None:
        shown = safe(text)
        assert len(shown) == len(text)
        assert not [c for c in shown if unicodedata.category(c) in STEERING and c not in "\t\n"]
        assert not [c for c in shown if unicodedata.bidirectional(c) in TURNING]
        shown.encode()

    @pytest.mark.parametrize("text", ["plain text\n", "Größe, наука, 文档, 한국어", "हिन्दी", "مَرْحَبًا", "👩‍🔬 café ½"])
    def test_what_people_write_stays(self, text) -> None:
        assert safe(text) == text

    @given(ANY)
    @example("a\tb\r\nc\x85d\u2028e\x1ff")
    def test_a_cell_is_one_line_without_tabs(self, text) -> None:
        assert len(cell(text).splitlines()) <= 1
        assert not set(cell(text)) & set("\t\r\n")


class TestJsonLine:
    @given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.floats(-1e9, 1e9)))
    def test_it_says_what_was_given(self, value) -> None:
        assert json.loads(json_line(value)) == value

    @given(ANY)
    def test_it_is_one_line_that_steers_nothing(self, text) -> None:
        line = json_line({"text": text})
        assert len(line.splitlines()) == 1
        assert safe(line) == line

    def test_other_scripts_are_written_as_they_are(self) -> None:
        assert json_line({"title": "Größe 文档"}) == '{"title": "Größe 文档"}'

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
    def test_what_is_no_number_is_null(self, number) -> None:
        assert json.loads(json_line({"score": number, "title": "NaN"})) == {"score": None, "title": "NaN"}


class TestHits:
    def test_rank_id_title_score_and_passage(self, capsys) -> None:
        shown = seen(capsys, hit(1, title="A title", snippet="some words", marks=((0, 4),)), hit(2, title="d2"))
        assert shown == "  1  d1  A title  0.500\n     some words\n  2  d2  0.500\n"

    def test_nothing_found_prints_nothing(self, capsys) -> None:
        assert seen(capsys) == ""

    def test_a_pipe_gets_no_colour(self, capsys) -> None:
        assert "\x1b" not in seen(capsys, hit(snippet="cats sat", marks=((0, 4),)))

    def test_a_person_gets_the_matching_words_in_bold(self, tty, capsys) -> None:
        shown = seen(capsys, hit(snippet="the cats sat", marks=((4, 8),)))
        assert f"the {click.style('cats', bold=True)} sat" in shown
        assert click.unstyle(shown) == "  1  d1  0.500\n     the cats sat\n"

    def test_an_id_stays_on_its_line(self, tty, capsys) -> None:
        assert click.unstyle(seen(capsys, hit(id="a\nb\tc"))) == "  1  a b c  0.500\n"

    @pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
    def test_nobody_gets_colours_who_asks_for_none(self, tty, capsys, monkeypatch, name, value) -> None:
        monkeypatch.setenv(name, value)
        assert "\x1b" not in seen(capsys, hit(snippet="cats sat", marks=((0, 4),)))

    def test_a_long_passage_is_wrapped_and_no_mark_is_lost(self, tty, capsys, monkeypatch) -> None:
        monkeypatch.setenv("COLUMNS", "40")
        snippet = "noise and cats " * 12
        marks = tuple((at + 10, at + 14) for at in range(0, len(snippet), 15))
        shown = seen(capsys, hit(snippet=snippet.strip(), marks=marks))
        assert shown.count(click.style("cats", bold=True)) == 12
        assert max(map(len, click.unstyle(shown).splitlines())) <= 40
        assert " ".join(click.unstyle(shown).split()[3:]) == snippet.strip()

    def test_overlapping_marks_show_each_character_once(self, tty, capsys) -> None:
        shown = seen(capsys, hit(snippet="我学文档检索", marks=((2, 4), (3, 5))))
        assert click.unstyle(shown).splitlines()[1].strip() == "我学文档检索"

    @given(ANY)
    def test_no_document_steers_the_terminal(self, text) -> None:
        with pytest.MonkeyPatch.context() as patch:
            shown: list[str] = []
            patch.setattr(click, "echo", lambda line="", **_: shown.append(line))
            print_hits([hit(id=text, title=text, snippet=" ".join(text.split()))])
        lines = "\n".join(shown)
        assert safe(lines) == lines
        assert shown[0].count("\n") == 0


class TestMessages:
    def test_they_go_to_stderr_in_one_line(self, capsys) -> None:
        note("skipped 3")
        note("skipped 4", quiet=True)
        error("no index in\n\x1b[31mhere")
        written = capsys.readouterr()
        assert written.out == ""
        assert written.err == "textae: skipped 3\ntextae: error: no index in \ufffd[31mhere\n"


class TestProgressLine:
    def run(self, *, quiet: bool) -> None:
        progress = ProgressLine(quiet=quiet)
        progress("reading", 1, None)
        progress("reading", 2, None)
        progress("learning", 1, 4)
        progress.finish()

    def test_a_log_gets_each_stage_once(self, capsys) -> None:
        self.run(quiet=False)
        assert capsys.readouterr().err == "reading…\nlearning…\n"

    def test_quiet_says_nothing(self, tty, capsys) -> None:
        self.run(quiet=True)
        assert capsys.readouterr() == ("", "")

    def test_a_person_sees_how_far_it_is_and_then_a_clear_line(self, tty, capsys) -> None:
        self.run(quiet=False)
        written = capsys.readouterr()
        assert written.out == ""
        assert "reading  1" in written.err
        assert "learning  ██████░░░░░░░░░░░░░░░░░░  25%" in written.err
        assert written.err.endswith("\r\x1b[K")

    def timed(self, monkeypatch, *calls: tuple[float, str, int, int | None]) -> None:
        """Report progress at given seconds."""
        now = [0.0]
        monkeypatch.setattr("time.monotonic", lambda: now[0])
        progress = ProgressLine(quiet=False)
        for now[0], stage, done, total in calls:
            progress(stage, done, total)

    def test_a_log_gets_a_line_every_ten_seconds(self, capsys, monkeypatch) -> None:
        reading = [(seconds, "reading", 100 * seconds, None) for seconds in range(26)]
        learning = [(26 + seconds, "learning", seconds, 29) for seconds in range(26)]
        self.timed(monkeypatch, *reading, *learning)
        assert capsys.readouterr().err.splitlines() == [
            "reading…",
            "reading  1,000",
            "reading  2,000",
            "learning…",
            "learning   34%  0:19 left",
            "learning   68%  0:09 left",
        ]

    def test_a_long_stage_says_once_how_long_it_takes(self, capsys, monkeypatch) -> None:
        """At first 4 of 124 were done; 3 in the next three seconds leave 117 for 117 seconds."""
        self.timed(monkeypatch, *((s, "learning", 4 + s, 124) for s in range(9)))
        assert capsys.readouterr().err == "learning…\ntextae: learning takes about 2 minutes\n"

    @pytest.mark.parametrize(
        ("total", "said"), [(29, ""), (30, "30 seconds"), (88, "90 seconds"), (90, "2 minutes"), (9_000, "2 hours")]
    )
    def test_a_short_stage_announces_nothing(self, capsys, monkeypatch, total, said) -> None:
        self.timed(monkeypatch, (0, "learning", 0, total), (3, "learning", 3, total))
        assert capsys.readouterr().err == "learning…\n" + f"textae: learning takes about {said}\n" * bool(said)

    def test_the_announcement_has_a_line_of_its_own(self, tty, capsys, monkeypatch) -> None:
        self.timed(monkeypatch, (0, "learning", 0, 40), (10, "learning", 10, 40))
        assert "\r\x1b[Ktextae: learning takes about 40 seconds\n\r\x1b[Klearning" in capsys.readouterr().err

    def test_the_time_left(self, tty, capsys, monkeypatch) -> None:
        clock = iter([100.0, 130.0])  # a quarter done in 30 seconds
        monkeypatch.setattr("time.monotonic", lambda: next(clock))
        progress = ProgressLine(quiet=False)
        progress("learning", 0, 4)
        progress("learning", 1, 4)
        assert capsys.readouterr().err.endswith(" 25%  1:30 left")
