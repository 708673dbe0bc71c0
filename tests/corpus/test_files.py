"""Folders, files and standard input: what becomes a document, under which id, and what is skipped and why."""

import gzip
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from shared import write

from textae.corpus import TableSpec, read
from textae.corpus import reading as streams
from textae.corpus.html import html_parts, markdown_parts
from textae.errors import CorpusError
from textae.types import Document, Skipped


def documents(*sources: object, spec: TableSpec | None = None) -> dict[str, Document]:
    return {item.id: item for item in read([str(s) for s in sources], spec) if isinstance(item, Document)}


def skipped(*sources: object) -> dict[str, str]:
    return {item.source: item.reason for item in read([str(s) for s in sources]) if isinstance(item, Skipped)}


def test_a_folder_is_read_in_the_order_of_its_names_and_ids_are_paths_inside_it(tmp_path: Path) -> None:
    write(
        tmp_path, b_dot_txt="b", a__z_dot_md="# Zed\n\nlast letter", c_dot_html="<title>Sea</title><p>see", README="r"
    )
    assert list(documents(tmp_path)) == ["README", "a/z.md", "b.txt", "c.html"]
    found = documents(tmp_path)
    assert (found["a/z.md"].title, found["a/z.md"].text) == ("Zed", "# Zed\n\nlast letter")
    assert (found["c.html"].title, found["c.html"].text) == ("Sea", "see")


def test_with_several_sources_the_source_stands_before_the_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, one__a_dot_txt="1", two__a_dot_txt="2")
    monkeypatch.chdir(tmp_path)
    assert list(documents("one", "two/", "two/a.txt")) == ["one/a.txt", "two/a.txt"]
    assert list(documents("one/a.txt")) == ["a.txt"]
    assert list(documents("one/a.txt", "two/a.txt")) == ["one/a.txt", "two/a.txt"]


def test_hidden_files_and_caches_are_not_looked_at(tmp_path: Path) -> None:
    write(tmp_path, _dot_git__config_dot_txt="x", __pycache__x="x", node_modules__readme_dot_md="x", a_dot_txt="a")
    write(tmp_path / "__pycache__", x_dot_txt="x")
    assert list(documents(tmp_path)) == ["a.txt"]
    assert skipped(tmp_path) == {}


def test_what_is_not_a_document_is_named_and_said_why(tmp_path: Path) -> None:
    write(
        tmp_path,
        binary_dot_txt=b"MZ\0\1",
        latin_dot_txt="café".encode("latin-1"),
        utf16_dot_txt="text".encode("utf-16"),
        empty_dot_txt=" \n",
        code_dot_py="x = 1",
        table_dot_csv="a,b\n1,2\n",
        whole_dot_txt="\ufeffwhole",
    )
    (tmp_path / "lost").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    assert skipped(tmp_path) == {
        "binary.txt": "binary",
        "code.py": "unknown type .py",
        "empty.txt": "empty",
        "latin.txt": "not UTF-8",
        "loop": "a link to a folder",
        "lost": "a link to nothing",
        "pipe.txt": "not a file",
        "table.csv": "a table without the fields",
        "utf16.txt": "not UTF-8",
    }
    assert documents(tmp_path)["whole.txt"].text == "whole"


def test_what_may_not_be_read_is_skipped_in_a_folder_and_an_error_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, secret_dot_txt="s", open_dot_txt="o")
    # The super-user may read everything, so the answer of the operating system is given here.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "secret.txt")
    assert skipped(tmp_path) == {"secret.txt": "permission denied"}
    with pytest.raises(CorpusError, match="permission denied"):
        documents(tmp_path / "secret.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="the super-user may look into every folder")
def test_a_folder_that_may_not_be_looked_into_is_skipped_inside_another_and_an_error_by_name(tmp_path: Path) -> None:
    write(tmp_path, shut__a_dot_txt="a")
    (tmp_path / "shut").chmod(0)
    try:
        assert skipped(tmp_path) == {"shut": "permission denied"}
        with pytest.raises(CorpusError, match="permission denied"):
            documents(tmp_path / "shut")
    finally:
        (tmp_path / "shut").chmod(0o700)


def test_a_file_given_by_name_is_read_whatever_its_ending(tmp_path: Path) -> None:
    write(tmp_path, program_dot_py="print('hello')")
    assert documents(tmp_path / "program.py")["program.py"].text == "print('hello')"


def test_a_packed_file_reads_as_the_plain_one(tmp_path: Path) -> None:
    (tmp_path / "a.md.gz").write_bytes(gzip.compress(b"# Title\nbody"))
    assert documents(tmp_path)["a.md.gz"].title == "Title"


def test_a_packed_file_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    rows = b"".join(b'{"text": "%d"}\n' % number for number in range(9_000))
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(rows)[:-20])
    (tmp_path / "not.txt.gz").write_bytes(b"not gzip")
    for name in ("cut.jsonl.gz", "not.txt.gz"):
        with pytest.raises(CorpusError, match=rf"{name}: the gzip file is cut off or damaged"):
            documents(tmp_path / name)


def test_what_is_damaged_is_skipped_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path, a_dot_txt_dot_gz=b"not gzip", b_dot_parquet=b"PAR1" * 10, c_dot_csv=b"\xff\xfe", d_dot_txt="d")
    assert skipped(tmp_path) == {"a.txt.gz": "damaged", "b.parquet": "damaged", "c.csv": "not UTF-8"}
    assert list(documents(tmp_path)) == ["d.txt"]


def test_a_parquet_file_is_damaged_where_a_value_is(tmp_path: Path) -> None:
    column = pa.array([253402300800], pa.timestamp("s"))  # the year 10,000
    parquet.write_table(pa.table({"text": ["a"], "date": column}), tmp_path / "t.parquet")
    assert skipped(tmp_path) == {"t.parquet": "damaged"}
    with pytest.raises(CorpusError, match=r"damaged, or not a file in the \.parquet format"):
        documents(tmp_path / "t.parquet")


def test_what_is_gone_when_its_turn_comes_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a_dot_txt="a", b_dot_txt="b", c__d_dot_txt="d", e_dot_txt="e")
    found = read([str(tmp_path)])
    next(found)
    (tmp_path / "b.txt").unlink()
    shutil.rmtree(tmp_path / "c")
    assert [item.reason if isinstance(item, Skipped) else item.id for item in found] == ["gone", "gone", "e.txt"]
    # Between the question whether it is there and the reading.
    monkeypatch.setattr(
        "textae.corpus.files._refusal", lambda path, kind: path.unlink() if path.name == "a.txt" else ""
    )
    assert skipped(tmp_path) == {"a.txt": "gone"}


def test_a_text_longer_than_the_limit_is_skipped_packed_or_not(tmp_path: Path) -> None:
    write(tmp_path, long_dot_txt=b"x" * (streams.LONGEST + 1))
    (tmp_path / "bomb.txt.gz").write_bytes(gzip.compress(b"x" * (streams.LONGEST + 1)))
    assert skipped(tmp_path) == {"bomb.txt.gz": streams.TOO_LONG, "long.txt": streams.TOO_LONG}


def test_a_source_that_is_not_there_is_named_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no file, folder or corpus 'scifakt'; did you mean scifact\?"):
        read([str(tmp_path), "scifakt"])
    with pytest.raises(CorpusError, match="no file, folder or corpus"):
        read(["x" * 5_000])
    with pytest.raises(CorpusError, match="no file, folder or corpus"):
        read(["scifact:click"])


def test_a_path_comes_before_a_recipe_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, python__a_dot_txt="a snake")
    monkeypatch.chdir(tmp_path)
    assert list(documents("python")) == ["a.txt"]


def test_an_array_of_json_is_answered_with_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, a_dot_json='[{"text": "a"}]', b_dot_json='{"text": "b"}\n')
    with pytest.raises(CorpusError, match=r"one object a line: jq -c"):
        documents(tmp_path / "a.json")
    assert documents(tmp_path / "b.json")["b.json:1"].text == "b"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b'\n {"id": 7, "text": "a row"}\n', "7|a row"),
        (b'\xef\xbb\xbf{"text": "marked"}', "stdin:1|marked"),
        ("café\nau lait\n".encode(), "stdin|café\nau lait"),
        (b"", "stdin: empty"),
        (b"\xff\xfe", "stdin: not UTF-8"),
    ],
)
def test_standard_input_is_a_table_if_it_begins_with_a_brace_and_else_one_text(given: bytes, expected: str) -> None:
    show = (
        "import sys; from textae.corpus import read\n"
        "for i in read(['-']): sys.stdout.buffer.write("
        "(f'{i.id}|{i.text}' if hasattr(i, 'id') else f'{i.source}: {i.reason}').encode())"
    )
    done = subprocess.run([sys.executable, "-c", show], input=given, capture_output=True, check=True)
    assert done.stdout.decode() == expected


def test_importing_the_corpus_imports_nothing_heavy() -> None:
    heavy = {
        "numpy",
        "pandas",
        "pyarrow",
        "sklearn",
        "torch",
        "PIL",
        "selectolax",
        "email",
        "urllib.request",
        "tarfile",
    }
    show = f"import sys, textae.corpus; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_html_is_what_a_reader_sees() -> None:
    page = """<html><head><title>A &amp; B</title><style>p {}</style></head><body><nav>home</nav>
    <script>if (a < b) {}</script><h1>Head</h1><p>One <b>bold</b>
    word.<br>Next</p><svg><title>icon</title></svg></body>"""
    assert html_parts(page) == ("A & B", "Head\nOne bold\nword.\nNext")
    assert html_parts("<nav>never closed <p>the page")[1] == "never closed\nthe page"
    assert html_parts("<head><title/></head><body><p>the page</body>") == ("", "the page")
    assert html_parts("<title>never closed<body><p>the page")[1] == "never closed\nthe page"
    assert html_parts("<textarea>never closed<p>the page")[1] == "never closed\nthe page"


@pytest.mark.parametrize("tag", ["object", "svg", "template", "noscript", "iframe", "script", "style"])
def test_what_is_never_closed_does_not_swallow_the_page(tag: str) -> None:
    other = "object" if tag == "svg" else "svg"
    page = f"<p>one<{tag}>x</{tag}><p>two<nav>x</nav>\n<{tag}><p>three<b> bold</b><{other}>x</{other}><{tag}><p>four"
    assert html_parts(page)[1] == "one\ntwo\nthree bold\nfour"


def test_unseen_elements_that_are_never_closed_inside_each_other() -> None:
    assert html_parts("<svg>a<object>b<svg>c<iframe>d<template>e")[1].split() == ["a", "b", "c", "d", "e"]
    assert html_parts("<svg>a<svg>b</svg>c")[1] == "a\nb\nc"
    assert html_parts("<svg>a<svg>b</svg>c</svg>d")[1] == "d"


@pytest.mark.parametrize("condition", ["if mso", "if lt IE 9", "if !IE"])
def test_a_conditional_comment_is_a_comment(condition: str) -> None:
    page = f"<title>T</title><!--[{condition}]><p>hidden</p><![endif]--><h1>Head</h1><!-- end --><p>last</p>"
    assert html_parts(page) == ("T", "Head\nlast")
    assert html_parts("<![if !IE]><p>shown</p><![endif]>")[1] == "shown"


def test_self_closed_tags_of_xhtml_and_scripts_in_the_head() -> None:
    page = "<head><script src='a.js' /><noscript>no</noscript></head><body><p>one</p><svg/>two<script>x</script>three"
    assert html_parts(page)[1].split() == ["one", "two", "three"]


@pytest.mark.parametrize("piece", ["<div>", "<span></x>", "<b><p>", "<svg>", '<a x="', "<!--", "<table>", "<ul><li>"])
def test_no_html_takes_the_square_of_its_length(piece: str) -> None:
    started = time.process_time()
    html_parts(piece * (400_000 // len(piece)) + "the end")
    assert time.process_time() - started < 10  # where time grows with the square, minutes


@given(st.text(alphabet="<>!/[]-&;x '\"=\nscriptCDATA", max_size=60))
def test_no_html_is_too_broken(source: str) -> None:
    html_parts(source)


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("---\ntitle: 'Front'\n---\n# Head\n", "Front"),
        ("text\n\n## Second level ##\n", "Second level"),
        ("Underlined\n==========\n", "Underlined"),
        ("```\n# a comment\n```\n# Real\n", "Real"),
        ("no heading", ""),
    ],
)
def test_the_title_of_markdown(source: str, title: str) -> None:
    assert markdown_parts(source)[0] == title


@pytest.mark.parametrize("line", ["# x{0}x", "# x{1}x", "---\ntitle: x{1}x\n---", "a\n-{0}x", "# {1}"])
def test_no_markdown_takes_the_square_of_its_length(line: str) -> None:
    started = time.process_time()
    markdown_parts(line.format("#" * 500_000, " " * 500_000))
    assert time.process_time() - started < 10  # where time grows with the square, minutes


@pytest.mark.parametrize(
    ("source", "title"), [("# a # b ##  \n", "a # b"), ("# ###\n", "#"), ('---\ntitle: "a b"  \n---\n', "a b")]
)
def test_what_ends_a_heading_is_not_of_the_title(source: str, title: str) -> None:
    assert markdown_parts(source)[0] == title
