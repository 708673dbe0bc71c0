"""Programs that give the vectors of queries, and those that do not."""

import os
import re
import shlex
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from shared import wait_for

from textae.errors import QueryError
from textae.search.vector_command import StayingCommand, VectorCommand, json_vector

LENGTHS = "import json, sys\nfor line in sys.stdin: print([len(json.loads(line)), 1], flush=True)"


def program(text: str, **options: float) -> VectorCommand:
    return VectorCommand(shlex.join([sys.executable, "-c", text]), **options)


class TestPrograms:
    def test_all_texts_go_through_one_process_in_order(self) -> None:
        with_process = "import json, os, sys\nfor line in sys.stdin: print([os.getpid(), len(json.loads(line))])"
        rows = program(with_process)(["a", 'two\n"lines"', "∞" * 9, ""])
        assert [length for _, length in rows] == [1, 11, 9, 0]
        assert len({process for process, _ in rows}) == 1

    def test_one_that_reads_all_before_it_answers_does_not_block(self) -> None:
        late = "import sys; lines = sys.stdin.readlines()\nfor line in lines: print([len(line)] * 3)"
        assert len(program(late)(["x" * 10_000] * 500)) == 500

    def test_one_that_reads_nothing_is_enough_for_one_vector(self) -> None:
        assert program("print([1, 2])")(["x" * 1_000_000]) == [[1, 2]]

    def test_no_shell_reads_the_command(self, tmp_path: Path) -> None:
        command = VectorCommand(f"{shlex.join([sys.executable, '-c', LENGTHS])} > {tmp_path / 'made'} ; $(false)")
        assert command(["abc"]) == [[3, 1]]
        assert not (tmp_path / "made").exists()


class TestFailures:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("print('junk')", "line 1 of the vector command .* is 'junk'; it must be a JSON list of numbers"),
            ("print('{}')", "it must be a JSON list of numbers"),
            ("print('[' * 100_000)", "it must be a JSON list of numbers"),
            (
                "import sys; sys.stdout.buffer.write(bytes(range(128, 200)) + b'\\n')",
                "it must be a JSON list of numbers",
            ),
            ("", r"ended \(exit code 0\) after 0 of 2 vectors$"),
            ("print([1]); raise SystemExit(3)", r"ended \(exit code 3\) after 1 of 2 vectors$"),
            ("print([1]); 1 / 0", r"ended \(exit code 1\) after 1 of 2 vectors: ZeroDivisionError: division by zero$"),
            ("import sys; print('no model\\n\\n', file=sys.stderr)", "after 0 of 2 vectors: no model$"),
            ("print([1]); print('[2', end='')", "after 1 of 2 vectors"),
        ],
    )
    def test_one_that_fails_is_named_with_what_it_said(self, text: str, told: str) -> None:
        with pytest.raises(QueryError, match=told) as error:
            program(text)(["a", "b"])
        assert len(str(error.value).splitlines()) == 1

    def test_one_that_prints_without_end_takes_no_memory(self) -> None:
        endless = "import sys\nwhile True: sys.stdout.write('1' * 65536)"
        with pytest.raises(QueryError, match="after 0 of 1 vectors"):
            program(endless)(["a"])
        noisy = "import sys\nprint([1], flush=True)\nwhile True: sys.stderr.write('x' * 65536)"
        assert program(noisy)(["a"]) == [[1]]

    def test_one_that_hangs_is_ended_with_all_that_it_started(self, tmp_path: Path) -> None:
        started = tmp_path / "started"
        text = (
            "import subprocess, sys, time, pathlib\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
            f"pathlib.Path({str(started)!r}).write_text(str(child.pid)); time.sleep(60)"
        )
        begun = time.monotonic()
        with pytest.raises(QueryError, match=r"took more than 3 s after 0 of 1 vectors"):
            program(text, starting=2)(["a"])
        assert time.monotonic() - begun < 30
        wait_for(lambda: not runs(int(started.read_text())))

    def test_one_that_gave_its_vectors_and_stays_is_ended(self) -> None:
        (vector,) = program("import os, time; print([os.getpid()], flush=True); time.sleep(60)")(["a"])
        wait_for(lambda: not runs(vector[0]))

    def test_one_that_is_interrupted_is_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = []

        def interrupted(line: bytes, _: str) -> None:
            seen.append(int(line.strip(b"[]\n")))
            raise KeyboardInterrupt

        monkeypatch.setattr("textae.search.vector_command.json_vector", interrupted)
        with pytest.raises(KeyboardInterrupt):
            program("import os, time; print([os.getpid()], flush=True); time.sleep(60)")(["a"])
        wait_for(lambda: not runs(seen[0]))

    @pytest.mark.parametrize(
        ("command", "told"),
        [
            ("", "is empty; give a program"),
            ("embed 'x", "cannot be split into words: No closing quotation"),
            ("/no/such/program", "cannot be started: No such file or directory"),
            ("/", "cannot be started: Permission denied"),
            ("a\0b", "cannot be started: embedded null byte"),
        ],
    )
    def test_one_that_cannot_be_started_is_named(self, command: str, told: str) -> None:
        with pytest.raises(QueryError, match=told):
            VectorCommand(command)(["a"])


COUNTING = """
import json, sys
print("ready", file=sys.stderr)
for n, line in enumerate(sys.stdin):
    text = json.loads(line)
    if text == "die":
        raise SystemExit("no more")
    if text == "hang":
        import time; time.sleep(60)
    print([len(text), n], flush=True)
"""


class TestStaying:
    @pytest.fixture
    def notes(self) -> list[str]:
        return []

    @pytest.fixture
    def staying(self, notes: list[str]) -> Iterator[StayingCommand]:
        with closing(
            StayingCommand(shlex.join([sys.executable, "-c", COUNTING]), notes.append, starting=20)
        ) as staying:
            yield staying

    def test_one_process_answers_one_text_after_the_other(self, staying: StayingCommand) -> None:
        staying.start()
        assert [staying([text]) for text in ("a", "bb", "ccc")] == [[[1, 0]], [[2, 1]], [[3, 2]]]
        assert staying(["dddd", "é"]) == [[4, 3], [1, 4]]

    def test_a_text_is_asked_once(self, staying: StayingCommand) -> None:
        assert staying(["a", "bb", "a"]) == [[1, 0], [2, 1], [1, 0]]
        assert staying(["a"]) == [[1, 0]]

    def test_many_threads_get_their_own(self, staying: StayingCommand) -> None:
        texts = ["x" * n for n in range(1, 60)]
        with ThreadPoolExecutor(8) as threads:
            rows = list(threads.map(lambda text: staying([text])[0][0], texts))
        assert rows == list(range(1, 60))

    def test_where_it_fails_there_are_none_and_a_note_says_why(
        self, staying: StayingCommand, notes: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert staying(["die", "a"]) == [None, None]
        assert len(notes) == 1
        assert re.fullmatch(r"searching without vectors: the vector command '.* ended: no more", notes[0], re.DOTALL)
        assert staying(["a"]) == [None]  # and is not started for each
        assert len(notes) == 1
        later = time.monotonic() + 61
        monkeypatch.setattr(time, "monotonic", lambda: later)
        assert staying(["a"]) == [[1, 0]]

    def test_one_that_died_between_texts_is_started_again(self, staying: StayingCommand, notes: list[str]) -> None:
        staying(["a"])
        assert staying._process is not None
        staying._process.kill()
        staying._process.wait()
        assert staying(["bb"]) == [[2, 0]]
        assert notes == []

    def test_one_that_hangs_is_ended(self, notes: list[str]) -> None:
        with closing(StayingCommand(shlex.join([sys.executable, "-c", COUNTING]), notes.append, starting=3)) as staying:
            assert staying(["hang"]) == [None]
        assert "took more than 3 s" in notes[0]

    def test_it_ends_when_it_is_closed(self, staying: StayingCommand) -> None:
        staying.start()
        assert staying._process is not None
        process = staying._process.pid
        staying.close()
        assert not runs(process)
        staying.close()

    def test_one_that_cannot_be_started_is_an_error_at_the_start(self, notes: list[str]) -> None:
        with pytest.raises(QueryError, match="cannot be started: No such file"):
            StayingCommand("/no/such/program", notes.append).start()


def runs(process: int) -> bool:
    """Whether a process is there that is no zombie."""
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("text", ["", "1", "null", '"[1]"', "[1, 2", "[" * 10_000, "[1] [2]"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match=r"the vector is .*; it must be a JSON list of numbers"):
        json_vector(text, "the vector")
