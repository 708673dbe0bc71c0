"""A plain installation does all that most people do; what needs an extra says which one, in one line."""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from shared import ENVIRONMENT, Said

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
EXTRAS = ("fastapi", "starlette", "pydantic", "uvicorn", "matplotlib", "openpyxl", "pyarrow", "pypdfium2",
          "striprtf", "olefile", "backports.zstd", "watchfiles", "mcp")  # fmt: skip

MISSING = "raise ModuleNotFoundError(f'No module named {__name__!r}', name=__name__)"

PLAIN = """
import sys

sys.path.insert(0, sys.argv.pop())  # before all else, here and in the process that reads files
from textae.app.cli import main

for line in sys.stdin.read().splitlines():
    sys.argv = ["textae", *line.split("|")]
    try:
        main()
    except SystemExit as left:
        if left.code == 2:  # 1 is that nothing was found
            sys.exit(left.code)
"""


def plain_shell(*commands: str) -> Said:
    """Run commands, their arguments between bars, in one process that has no extras; stop at the first failure."""
    with tempfile.TemporaryDirectory() as folder:
        for name in EXTRAS:
            (Path(folder) / f"{name}.py").write_text(MISSING)
        arguments = [sys.executable, "-c", PLAIN, folder]
        done = subprocess.run(
            arguments, input="\n".join(commands), capture_output=True, text=True, env=ENVIRONMENT, check=False
        )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder(mapped_folder, tmp_path) -> Path:
    return Path(shutil.copytree(mapped_folder, tmp_path / "index"))


def test_the_packages_that_are_blocked_here_are_those_of_the_extras() -> None:
    project = tomllib.loads(PROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    groups = ("serve", "figures", "tables", "documents", "watch", "mcp")
    named = {one.split(">")[0] for extra in groups for one in extras[extra]}
    assert named <= set(EXTRAS)
    assert not set(EXTRAS) & {one.split(">")[0] for one in project["dependencies"]}
    assert extras["all"] == ["textae[serve,figures,tables,documents,watch,mcp]"]
    assert extras["dev"][0] == "textae[all,dask]"


def test_without_extras_all_else_works(folder, tmp_path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("id,text,topic\n" + "".join(f"{n},apple pear word{n},{n % 2}\n" for n in range(20)))
    at = f"--index|{folder}"
    said = plain_shell(
        f"index|{table}|--index|{tmp_path / 'new'}|--passes|1|--dims|8|--bits|16",
        f"search|telescope|{at}|--explain",
        f"similar|stars-0|{at}",
        f"topics|{at}|--over|year",
        f"map|{tmp_path / 'map.html'}|{at}",
        f"map|{at}",
        f"eval|--label|topic|{at}",
        f"decode|stars-0|{at}",
        f"dups|{at}",
        f"export|--codes|{tmp_path / 'codes.csv'}|{at}",
        f"info|{at}",
    )
    assert said.code == 0, said


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("serve|--index|{index}", "'textae serve' needs fastapi, which is not installed: pip install 'textae[serve]'"),
        ("mcp|--index|{index}", "'textae mcp' needs mcp, which is not installed: pip install 'textae[mcp]'"),
        (
            "map|{folder}/map.png|-q|--index|{index}",
            "drawing .png figures needs matplotlib, which is not installed: pip install 'textae[figures]'",
        ),
        (
            "index|{folder}/t.parquet|--index|{folder}/new",
            "{folder}/t.parquet: reading .parquet files needs pyarrow, which is not installed: "
            "pip install 'textae[tables]'",
        ),
        (
            "index|{folder}/t.xlsx|--index|{folder}/new",
            "{folder}/t.xlsx: reading .xlsx files needs openpyxl, which is not installed: pip install 'textae[tables]'",
        ),
        (
            "export|--codes|{folder}/codes.parquet|--index|{index}",
            "writing .parquet files needs pyarrow, which is not installed: pip install 'textae[tables]'",
        ),
    ],
)
def test_what_needs_an_extra_names_it(command, message, folder, tmp_path) -> None:
    from openpyxl import Workbook

    Workbook().save(tmp_path / "t.xlsx")
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    said = plain_shell(command.format(index=folder, folder=tmp_path))
    assert said.error == message.format(folder=tmp_path)


def test_in_a_folder_a_table_that_needs_an_extra_is_skipped_and_counted(tmp_path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text(f"apple pear word{number}")
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    said = plain_shell(f"index|{tmp_path}|--index|{tmp_path / '.new'}|--passes|1|--dims|8|--bits|16")
    assert said.code == 0
    assert "needs textae[tables]: 1" in said.err
