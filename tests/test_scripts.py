"""The scripts that a person runs first, with stand-ins for Python and textae: what is replaced, and what is kept."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

import bench
import gpu
import house
from benchmarks import report
from benchmarks.datasets import COLLECTIONS
from benchmarks.harness import rows
from textae.corpus import read
from textae.search.originals import place_at
from textae.types import Document

CHECKOUT = Path(__file__).parents[1]
PATH = "/usr/bin:/bin"

# `-m venv FOLDER` makes a folder of stand-ins; `pip install` takes note of the further index, and may be broken off.
PYTHON = f"""#!/usr/bin/env bash
case "$*" in
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$(dirname "$0")/textae" "$3/bin/textae" ;;
    *"pip config list") echo "$PIP_SAYS" ;;
    *"pip install"*) echo "installed ${{@: -1}}, index: ${{PIP_EXTRA_INDEX_URL:-}}" >> log; [ ! -e break ] ;;
    *) exec {sys.executable} "$@" ;;
esac
"""
UV = """#!/usr/bin/env bash
echo "uv $*" >> log
[ ! -e break-uv ]
"""
TEXTAE = """#!/usr/bin/env bash
echo "textae $*" >> log
case "$1" in
    info) [ -e "${@: -1}" ] ;;
    index) mkdir -p "${@: -1}" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    scripts = [f"scripts/{name}" for name in ("demo", "digits.py", "house.py", "house.txt", "install")]
    for name in (*scripts, "pyproject.toml", "constraints.txt"):
        shutil.copy(CHECKOUT / name, folder / name)
    for name, source in {"python": PYTHON, "textae": TEXTAE}.items():
        (tmp_path / "bin" / name).write_text(source)
        (tmp_path / "bin" / name).chmod(0o755)
    return folder


def run(checkout: Path, script: str, *arguments: str, pip_says: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a script; what was done is in `log`."""
    (checkout / "log").write_text("")
    stand_ins = checkout.parent / "bin"
    env = {"PATH": f"{stand_ins}:{PATH}", "PYTHON": str(stand_ins / "python"), "PIP_SAYS": pip_says}
    command = [checkout / "scripts" / script, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def log(checkout: Path) -> str:
    return (checkout / "log").read_text()


def test_the_demo_has_indexes_of_its_own_and_learns_once(checkout: Path) -> None:
    (checkout / ".textae").mkdir()
    (checkout / ".textae" / "mine").touch()
    assert run(checkout, "demo").returncode == 0
    assert "textae index python --index demo.textae" in log(checkout)
    assert "textae index demo-house/papers --index demo-house/index.textae" in log(checkout)
    assert (checkout / "demo-house" / "papers" / "manuals" / "boiler-manual.pdf").exists()
    done = run(checkout, "demo")
    assert "textae index" not in log(checkout)
    assert log(checkout).count("textae search") == 5
    assert all(re.search(r"--index demo(-house/index)?\.textae", line) for line in log(checkout).splitlines())
    assert "source .venv/bin/activate" in done.stdout
    assert (checkout / ".textae" / "mine").exists()
    assert {"demo.textae/", "demo-house/"} <= set((CHECKOUT / ".gitignore").read_text().splitlines())


def test_the_demo_of_pictures_takes_those_that_are_installed(checkout: Path) -> None:
    done = run(checkout, "demo", "--images")
    assert done.returncode == 0, done.stderr
    assert "textae index demo-images/digits --index demo-images/index.textae" in log(checkout)
    assert len(list((checkout / "demo-images" / "digits").glob("[0-9]/digit-*.png"))) == 1_797
    shutil.rmtree(checkout / "demo-images" / "digits")
    done = run(checkout, "demo", "--images")
    assert [line.split()[1] for line in log(checkout).splitlines()] == [
        "info",
        *["similar"] * 2,
        "decode",
        "sample",
        "eval",
    ]
    assert "demo-images/found.html is a page" in done.stdout
    assert not (checkout / "demo-images" / "digits").exists()
    assert "demo-images/\n" in (CHECKOUT / ".gitignore").read_text()


def test_the_papers_of_the_house_are_the_same_each_time_and_all_of_them_are_read(tmp_path: Path) -> None:
    for name in ("one", "two"):
        house.write(tmp_path / name)
    files = [sorted(path for path in (tmp_path / name).rglob("*") if path.is_file()) for name in ("one", "two")]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    items = list(read([str(tmp_path / "one")]))
    documents = {item.id: item for item in items if isinstance(item, Document)}
    assert len(documents) == len(items) == 45
    assert len({path.suffix for path in files[0]}) >= 20
    manual, roof = documents["manuals/boiler-manual.pdf"], documents["notes/roof.md"]
    assert place_at(manual, manual.text.index("Below 0.8 bar")) == "page 3"
    assert place_at(roof, roof.text.index("wet spot")) == "line 12"
    assert (roof.title, roof.fields["modified"], roof.fields["tags"]) == ("The roof", "2024-10-29", ["roof", "repairs"])


def test_the_demo_knows_one_option(checkout: Path) -> None:
    done = run(checkout, "demo", "--pictures")
    assert (done.returncode, done.stderr) == (2, "usage: scripts/demo [--images]\n")
    assert log(checkout) == ""


def test_what_is_installed_is_not_installed_again_and_another_version_replaces_it(checkout: Path) -> None:
    assert run(checkout, "install").returncode == 0
    assert log(checkout).startswith("installed .[serve,documents], ")
    (checkout / ".venv" / "old").touch()
    assert run(checkout, "install", "run").returncode == 0
    assert log(checkout) == ""
    (checkout / "constraints.txt").write_text("torch==0")
    assert run(checkout, "install").returncode == 0
    assert "installed" in log(checkout)
    assert not (checkout / ".venv" / "old").exists()


def test_what_develops_is_added_to_what_runs_and_serves_for_both(checkout: Path) -> None:
    assert run(checkout, "install").returncode == 0
    (checkout / ".venv" / "old").touch()
    assert run(checkout, "install", "dev").returncode == 0
    assert log(checkout).startswith("installed .[dev], ")
    assert (checkout / ".venv" / "old").exists()
    for kind in ("dev", "run"):
        assert run(checkout, "install", kind).returncode == 0
        assert log(checkout) == ""
    assert all(
        "scripts/install dev" in (CHECKOUT / "scripts" / name).read_text() for name in ("test", "check", "bench")
    )


def test_what_develops_is_installed_again_where_it_was_broken_off(checkout: Path) -> None:
    assert run(checkout, "install").returncode == 0
    (checkout / "break").touch()
    assert run(checkout, "install", "dev").returncode != 0
    (checkout / "break").unlink()
    assert run(checkout, "install").returncode == 0
    assert "installed .[serve,documents]" in log(checkout)


def test_there_are_two_kinds_of_installation(checkout: Path) -> None:
    done = run(checkout, "install", "all")
    assert (done.returncode, done.stderr) == (2, "usage: scripts/install [run|dev]\n")
    assert not (checkout / ".venv").exists()


def test_uv_installs_all_but_torch_and_pip_does_where_uv_fails(checkout: Path) -> None:
    uv = checkout.parent / "bin" / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    assert run(checkout, "install").returncode == 0
    first, second = log(checkout).splitlines()
    assert first.startswith("installed torch, ")
    assert second.startswith("uv pip install --quiet --python ")
    assert ".venv/bin/python -c constraints.txt -e .[serve,documents]" in second
    shutil.rmtree(checkout / ".venv")
    (checkout / "break-uv").touch()
    assert run(checkout, "install").returncode == 0
    assert log(checkout).splitlines()[2].startswith("installed .[serve,documents], ")


def test_an_environment_that_somebody_else_made_stays(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "mine").touch()
    done = run(checkout, "install")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "move it away or delete it" in done.stderr
    assert (checkout / ".venv" / "mine").exists()


def test_an_installation_that_was_broken_off_is_made_again(checkout: Path) -> None:
    (checkout / "break").touch()
    assert run(checkout, "install").returncode != 0
    (checkout / "break").unlink()
    assert run(checkout, "install").returncode == 0
    assert "installed" in log(checkout)


@pytest.mark.skipif(
    os.uname()[0] + os.uname()[4] != "Linuxx86_64" or shutil.which("nvidia-smi", path=PATH) is not None,
    reason="only Linux on x86-64 without a graphics card has a smaller torch to choose",
)
def test_the_smaller_torch_is_taken_unless_there_is_a_card_or_somebody_chose(checkout: Path) -> None:
    def index(pip_says: str = "") -> str:
        shutil.rmtree(checkout / ".venv", ignore_errors=True)
        assert run(checkout, "install", pip_says=pip_says).returncode == 0
        return log(checkout).partition("index: ")[2].strip()

    assert index() == "https://download.pytorch.org/whl/cpu"
    assert index("global.find-links='/opt/wheels'") == ""
    assert index(":env:.extra-index-url='https://example.org'") == ""
    (checkout.parent / "bin" / "nvidia-smi").touch(0o755)
    assert index() == ""


def test_the_wheel_has_every_module_and_the_mark_of_its_types(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    parts = ("textae", "corpora", "pyproject.toml", "README.md", "LICENSE")
    for part in parts:
        whole = CHECKOUT / part
        copy = shutil.copytree if whole.is_dir() else shutil.copy
        copy(whole, tmp_path / part)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "out", "."]
    subprocess.run(build, cwd=tmp_path, capture_output=True, check=True)
    (wheel,) = (tmp_path / "out").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "textae").rglob("*.py")}
    assert modules | {"textae/py.typed", "textae/recipes/scifact.toml"} <= names


@pytest.mark.parametrize("command", bench.bench.commands)
def test_every_benchmark_says_what_it_measures(command: str) -> None:
    said = CliRunner().invoke(bench.bench, [command, "--help"])
    assert said.exit_code == 0
    assert len(said.output.splitlines()[2].split()) > 3


def test_the_page_of_benchmarks_has_a_command_for_each_section() -> None:
    """Each names the command that measures it again, so that a reader need not look for it."""
    template = report.TEMPLATE.read_text(encoding="utf-8")
    sections = [section for section in template.split("\n## ")[1:] if "<!-- table: " in section]
    named = [re.findall(r"`scripts/bench ([a-z-]+)", section) for section in sections]
    assert all(named)
    assert {command for commands in named for command in commands} <= set(bench.bench.commands)


def test_the_page_of_benchmarks_is_what_its_rows_give() -> None:
    written = report.page(rows.read(), report.NOTES.read_text(encoding="utf-8"))
    assert report.PAGE.read_bytes() == written.encode(), "run 'scripts/bench render'"
    assert report.scores(rows.read(), ()) in report.README.read_text(encoding="utf-8")
    assert report.scores(rows.read(), COLLECTIONS) in report.RESULTS.read_text(encoding="utf-8")


def test_the_benchmarks_start_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, CHECKOUT / "scripts" / "bench.py", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in bench.bench.commands)


class TestCard:
    """`scripts/gpu`, which needs a card to measure."""

    @pytest.fixture(autouse=True)
    def rows_of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(rows, "ROWS", tmp_path / "rows.jsonl")
        return tmp_path / "rows.jsonl"

    def test_a_dry_run_takes_every_step_and_keeps_no_row(self, rows_of_its_own: Path) -> None:
        done = CliRunner().invoke(gpu.main, ["--dry-run"], catch_exceptions=False)
        codes, of_pictures, steps, learning = done.output.splitlines()
        assert all("P@100" in line for line in (codes, of_pictures))
        assert all("documents/s" in line and "limit" in line for line in (steps, learning))
        assert not rows_of_its_own.exists()

    def test_without_a_card_nothing_is_measured(self, rows_of_its_own: Path, monkeypatch) -> None:
        monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: False)
        done = CliRunner().invoke(gpu.main, [])
        assert (done.exit_code, done.output) == (0, f"{gpu.NO_CARD}\n")
        assert not rows_of_its_own.exists()

    def test_a_row_names_the_card_and_the_command(self, rows_of_its_own: Path, monkeypatch) -> None:
        monkeypatch.setattr("sys.argv", ["scripts/gpu.py", "--documents", "9"])
        rows.write(gpu.SPEED, "made", 9, {"limit": 1.0}, seed=1, machine="a card")
        (row,) = rows.read()
        assert (row.machine, row.command) == ("a card", "scripts/gpu --documents 9")


def test_a_search_is_traced(index_folder: Path) -> None:
    terms = ["--query", "sail", "--where", "year:>1900", "--must", "NOT nonsense", "--calls", "--path"]
    command = [sys.executable, "scripts/trace_search.py", "--index", index_folder, *terms]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[-8:]}
    assert list(rows) == ["functions", "modules", "switches", "depth", "calls", "parsed", "vectorized", "encoded"]
    plain, conditions = ([int(row[i].replace(",", "")) for row in rows.values()] for i in range(2))
    assert all(a <= b for a, b in zip(plain, conditions, strict=True))
    # Parsed once for each condition; vectorized and encoded once for each query.
    assert (plain[5:], conditions[5:]) == ([0, 1, 1], [2, 1, 1])
    # Modules; 8 of them check an index that a stranger may have made, one knows places in files, three names, one looks
    # twice, one has the options of vectors, one reads the model, and one tells an address from a folder.
    assert plain[1] <= 50
    assert conditions[1] <= 56
    assert "textae.engine: " in done.stdout
