"""Folders, files and standard input: what becomes a document, under which id, and what is skipped and why."""

import gzip
import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import write

from textae.corpus import TableSpec, read, sources
from textae.corpus import reading as streams
from textae.corpus.html import decode_html, html_parts, html_sections
from textae.corpus.parts import _pieces
from textae.errors import CorpusError
from textae.types import Document, Place, Skipped


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


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.txt", "text", 1),
        ("a.txt", "\n \t\n\n  text", 4),
        ("a.txt", "\r\n\r\ntext\r\n\r\n", 3),
        ("a.txt", "\f\n\x0btext", 2),
        ("a.md", "\n# Title\n\ntext", 2),
        ("a.md", "---\ntitle: T\n---\n\n\ntext\n", 6),
        ("a.md", "---\r\ntitle: T\r\n---\r\n\r\n\r\ntext\r\nmore\r\n\r\n", 6),
    ],
)
def test_a_text_knows_the_line_on_which_it_begins(tmp_path: Path, name: str, content: str, line: int) -> None:
    (tmp_path / name).write_bytes(content.encode())
    assert documents(tmp_path)[name].places == (Place(0, "line", str(line)),)


def test_hidden_files_and_caches_are_not_looked_at_but_counted(tmp_path: Path) -> None:
    write(tmp_path, _dot_git__config_dot_txt="x", __pycache__x="x", node_modules__readme_dot_md="x", a_dot_txt="a")
    write(tmp_path / "__pycache__", x_dot_txt="x")
    assert list(documents(tmp_path)) == ["a.txt"]
    assert skipped(tmp_path) == {".git": "hidden", "__pycache__": "__pycache__", "node_modules": "node_modules"}
    assert all(item.ignored for item in read([str(tmp_path)]) if isinstance(item, Skipped))


def test_what_is_not_a_document_is_named_and_said_why(tmp_path: Path) -> None:
    write(
        tmp_path,
        binary_dot_txt=b"MZ\0\1",
        broken_dot_txt=b"\xff\xfe" + b"\x00\xd8" * 9,
        empty_dot_txt=" \n",
        code_dot_xyz=b"\0\1",
        table_dot_csv="a,b\n",
        whole_dot_txt="\ufeffwhole",
    )
    (tmp_path / "lost").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    assert skipped(tmp_path) == {
        "binary.txt": "binary",
        "broken.txt": "binary",
        "code.xyz": "binary (unknown type .xyz)",
        "empty.txt": "empty",
        "loop": "a link to a folder",
        "lost": "a link to nothing",
        "pipe.txt": "not a file",
        "table.csv": "empty",
    }
    assert documents(tmp_path)["whole.txt"].text == "whole"


def test_a_path_that_is_too_long_is_one_skipped_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a_dot_txt="a", z_dot_txt="z")
    monkeypatch.chdir(tmp_path)
    for _ in range(20):  # of 250 letters: PATH_MAX is 4,096
        Path("d" * 250).mkdir()
        os.chdir("d" * 250)
    monkeypatch.chdir(tmp_path)
    try:
        assert list(documents(tmp_path)) == ["a.txt", "z.txt"]
        assert list(skipped(tmp_path).values()) == ["file name too long"]
        (source,) = sources([str(tmp_path)])
        assert source.signature()
    finally:
        subprocess.run(["rm", "-r", "d" * 250], check=True)


def test_a_file_that_is_lost_or_cut_off_while_the_folder_is_read_is_skipped(tmp_path: Path) -> None:
    names = "abcde"
    write(tmp_path, **{f"{name}_dot_txt": name * 9 for name in names})
    found = read([str(tmp_path)])
    assert isinstance(next(found), Document)
    (tmp_path / "b.txt").unlink()
    (tmp_path / "c.txt").write_bytes(b"")
    (tmp_path / "d.txt").unlink()
    (tmp_path / "d.txt").mkdir()
    rest = [item.id if isinstance(item, Document) else f"{item.source}: {item.reason}" for item in found]
    assert rest == ["b.txt: gone", "c.txt: empty", "d.txt: is a directory", "e.txt"]


def test_names_that_are_not_utf8_are_read(tmp_path: Path) -> None:
    for name in (b"caf\xe9.txt", b"caf\xe9.html", b"caf\xe9.eml"):
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b"Subject: s\n\ntext")
    assert len(documents(tmp_path)) == 3


def test_a_maildir_is_mail_without_endings(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / "box" / folder).mkdir(parents=True)
    for name in ("cur/1700000000.M1P2.host:2,S", "cur/1700000001.M1P2.host:2,ST", "new/1700000002.M1P2.host"):
        (tmp_path / "box" / name).write_bytes(b"Subject: one\n\ntext")
    write(tmp_path, new__2024_dot_txt="no mail")
    titles = {id: document.title == "one" for id, document in documents(tmp_path).items()}
    first, last = "box/cur/1700000000.M1P2.host:2,S", "box/new/1700000002.M1P2.host"
    assert titles == {first: True, last: True, "new/2024.txt": False}
    assert skipped(tmp_path) == {"box/cur/1700000001.M1P2.host:2,ST": "deleted"}


def test_mail_folders_whose_files_have_no_ending(tmp_path: Path) -> None:
    mail = b"Subject: one\nTo: b\n\ntext\n"
    box = b"From a@example.org Mon Jan  5 10:00:00 2026\n" + mail
    for name, content in {
        "Inbox": box + b"\n" + box,  # of Thunderbird
        "Drafts": b"From - Mon Jan  5 10:00:00 2026\nX-Mozilla-Status: 0001\n" + mail,
        "inbox/12": mail,  # of MH
        "box/.Sent/cur/1700000000.M1P2.host:2,S": mail,  # of Maildir++
        "letter": b"From here to there\nSubject: walks",
        "notes/7": b"a text",
        "notes/mail": mail,
        ".cache/cur.txt": b"hidden",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "13")
    assert {id: document.title for id, document in documents(tmp_path).items()} == {
        "Inbox:1": "one", "Inbox:2": "one", "Drafts:1": "one", "inbox/12": "one", "letter": "letter",
        "box/.Sent/cur/1700000000.M1P2.host:2,S": "one", "notes/7": "7", "notes/mail": "mail",
    }  # fmt: skip
    assert skipped(tmp_path) == {".cache": "hidden", "13": "not a file"}


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


def test_text_is_read_whatever_the_ending_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, notes_dot_xyz="hello", Makefile="all:")
    assert documents(tmp_path / "notes.xyz")["notes.xyz"].text == "hello"
    assert documents(tmp_path).keys() == {"notes.xyz", "Makefile"}


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
    write(tmp_path, a_dot_txt_dot_gz=b"not gzip", b_dot_parquet=b"PAR1" * 10, c_dot_csv=b"\xff\xff", d_dot_txt="d")
    assert skipped(tmp_path) == {"a.txt.gz": "damaged", "b.parquet": "damaged", "c.csv": "empty"}
    assert list(documents(tmp_path)) == ["d.txt"]


def test_what_is_gone_when_its_turn_comes_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a_dot_txt="a", b_dot_txt="b", c__d_dot_txt="d", e_dot_txt="e")
    found = read([str(tmp_path)])
    next(found)
    (tmp_path / "b.txt").unlink()
    shutil.rmtree(tmp_path / "c")
    assert [item.reason if isinstance(item, Skipped) else item.id for item in found] == ["gone", "gone", "e.txt"]
    # Between the question whether it is there and the reading.
    monkeypatch.setattr("textae.corpus.files._refusal", lambda path, *_: path.unlink() if path.name == "a.txt" else "")
    assert skipped(tmp_path) == {"a.txt": "gone"}


def test_a_page_longer_than_the_limit_is_skipped_packed_or_not(tmp_path: Path) -> None:
    write(tmp_path, long_dot_html=b"x" * (streams.LONGEST + 1))
    (tmp_path / "bomb.html.gz").write_bytes(gzip.compress(b"x" * (streams.LONGEST + 1)))
    assert skipped(tmp_path) == {"bomb.html.gz": streams.TOO_LONG, "long.html": streams.TOO_LONG}


def in_parts(path: Path, longest: int) -> dict[str, tuple[str, str]]:
    """Give the text of each part, and the source."""
    items = list(read([str(path)], limits=streams.Limits(longest=longest)))
    assert all(isinstance(item, Document) for item in items), items
    return {item.id: (item.text, item.source) for item in items}


def test_a_text_longer_than_the_limit_is_read_in_parts_that_end_with_a_line(tmp_path: Path) -> None:
    write(tmp_path, a_dot_log=b"one\ntwo\nthree\n", b_dot_md=b"0123456789ab", c_dot_txt="ä€𝒳".encode() * 3)
    (tmp_path / "d.log.gz").write_bytes(gzip.compress(b"one\ntwo\nthree\n"))
    cut = {"a.log#1": ("one\ntwo", "a.log"), "a.log#2": ("three", "a.log")}
    assert in_parts(tmp_path / "a.log", 8) == cut
    assert in_parts(tmp_path / "a.log", 14) == {"a.log": ("one\ntwo\nthree", "a.log")}
    assert [text for text, _ in in_parts(tmp_path / "d.log.gz", 8).values()] == ["one\ntwo", "three"]
    assert [text for text, _ in in_parts(tmp_path / "b.md", 5).values()] == ["01234", "56789", "ab"]
    for longest in range(4, 27):
        assert "".join(text for text, _ in in_parts(tmp_path / "c.txt", longest).values()) == "ä€𝒳" * 3
    assert in_parts(tmp_path, 8).keys() >= {"a.log#2", "b.md#2", "d.log.gz#1"}


def test_the_parts_of_a_file_have_an_end_and_one_that_is_refused_is_it(tmp_path: Path) -> None:
    (tmp_path / "bomb.txt.gz").write_bytes(gzip.compress(b"a word\n" * 1_000))
    write(tmp_path, half_dot_log=b"a line\n\0\0\0\0\0\n" + b"\0" * 100)
    items = list(read([str(tmp_path)], limits=streams.Limits(longest=7)))
    assert len(items) == 64 + 1 + 1 + 1
    assert [(item.source, item.reason) for item in items if isinstance(item, Skipped)] == [
        ("bomb.txt.gz", "longer than 64 parts; give a larger --longest"),
        ("half.log", streams.BINARY),
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_cut_between_its_characters_and_each_piece_has_the_mark(encoding: str) -> None:
    text = "\ufeffa\u0a00\u000a\u0a0a€\u0a00ab\ncd" + "x" * 20
    for longest in range(6, 80):
        pieces = [piece for piece, _ in _pieces(io.BytesIO(text.encode(encoding)), longest)]
        decoded = [piece.decode("utf-16") for piece in pieces]
        assert "\ufeff" + "".join(decoded) == text
        assert all(len(piece) <= longest + 2 for piece in pieces)


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


def test_a_json_file_that_is_named_by_itself_may_be_a_table(tmp_path: Path) -> None:
    write(tmp_path, a_dot_json='[{"id": "x", "text": "a"}]', b_dot_json='{"text": "b"}\n{"text": "c"}\n')
    assert documents(tmp_path / "a.json")["x"].text == "a"
    assert documents(tmp_path / "b.json")["b.json:1"].text == "b"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b'\n {"id": 7, "text": "a row"}\n', "7|a row"),
        (b'\xef\xbb\xbf{"text": "marked"}', "stdin:1|marked"),
        ("café\nau lait\n".encode(), "stdin|café\nau lait"),
        (b"", "stdin: empty"),
        (b"\xff\xfe", "stdin: empty"),
        ("café".encode("utf-16"), "stdin|café"),
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


def test_the_mark_beside_a_heading_that_links_to_it_is_no_part_of_it() -> None:
    page = (
        '<h1>Valves<a class="headerlink" href="#valves">¶</a></h1><p>see <a href="#notes">C</a><a href="#1">1</a></p>'
    )
    assert html_sections(page) == ("Valves", [("Valves", "Valves\nsee C1")])
    assert html_parts("<title>T</title><frameset><noframes><p>old</p></noframes></frameset>") == ("T", "")


@pytest.mark.parametrize(
    "navigation",
    [
        '<div class="navheader"><table><tr><th>2. Boilers</th></tr><tr><td><a>Prev</a></tr></table></div>',
        '<table class="navigation" id="top"><tr><td>Top | <a>Up</a></table>',
        '<div id="nav-path" class="tree"><ul><li class="navelem"><a>core</a></li></ul></div>',
        '<div class="topNav"><h3>Skip</h3><ul class="nav-list"><li>Class</ul></div>',
        '<ol class="breadcrumb dark"><li><a>Home</a><li>Boilers</ol>',
        '<ul class="theme" role="menu"><li>Light</ul>',
        '<div class="header"><p>Next: <a rel="next">Water pumps</a>, Up: <a rel="up">Heating</a></p></div>',
    ],
)
def test_what_leads_to_other_pages_is_no_text(navigation: str) -> None:
    assert html_parts(f"<body>{navigation}<h1>Boilers</h1><p>Bleed it.</p></body>") == ("Boilers", "Boilers\nBleed it.")


@pytest.mark.parametrize(
    "page",
    [
        '<body class="nav"><p>Bleed it.</p></body>',
        '<div class="navigation"><h2>Bleed it.</h2></div>',
        '<div class="wy-nav-content"><p>Bleed it.</p></div>',
        '<div class="navy page navel"><p>Bleed it.</p></div>',
        '<p>Bleed <a rel="next">it</a>.</p>',
    ],
)
def test_a_page_that_speaks_of_its_navigation_is_text(page: str) -> None:
    assert html_parts(page)[1] == "Bleed it."


def test_what_is_hidden_is_not_text() -> None:
    page = """<body style="visibility:hidden"><p hidden>a</p><p style="color: red; Display : NONE">b</p><p>c</p>
    <div role="navigation">d</div><dialog>e</dialog><dialog open>f</dialog><p aria-hidden="true">g</p>
    <div hidden role="tabpanel">h</div><details><summary>i</summary>j</details><p hidden="until-found">k</p>"""
    assert html_parts(page)[1].split() == ["c", "f", "g", "h", "i", "j", "k"]


def test_tags_inside_of_a_word_do_not_cut_it() -> None:
    assert (
        html_parts("<p>Wasser<wbr>kessel, <ins>Dampf</ins>kessel, H<sub>2</sub>O")[1]
        == "Wasserkessel, Dampfkessel, H2O"
    )


def test_headings_begin_sections_and_the_first_is_the_title_of_a_page_that_has_none() -> None:
    page = "<p>intro<h1>Valves <i>and</i> pipes</h1>one<h2></h2><p>two<h2><div>Tools</div></h2>three"
    sections = [("", "intro"), ("Valves and pipes", "Valves and pipes\none"), ("two", "two"), ("Tools", "Tools\nthree")]
    assert html_sections(page) == ("Valves and pipes", sections)


@pytest.mark.parametrize(
    ("page", "encoding"),
    [
        ('<meta charset="windows-1252">', "cp1252"),
        ("<META CONTENT='text/html; CHARSET=Shift_JIS' http-equiv='content-type'>", "cp932"),
        ("<!-- <meta charset=koi8-r> --><meta charset=euc-kr>", "euc_kr"),
        ('<meta name=description content="charset=big5"><meta charset=gb18030>', "gb18030"),
        ('<meta charset="x-none"><meta charset="koi8-r">', "koi8-r"),
        ('<?xml version="1.0" encoding="iso-8859-5"?><html>', "iso8859-5"),
        ('<meta charset="utf-16">', "utf-8"),
        ("<script>'<meta charset=big5>'</script><meta charset=utf-8>", "utf-8"),
        ("\ufeff<meta charset=big5>", "utf-16-le"),
    ],
)
def test_a_page_declares_its_encoding(page: str, encoding: str) -> None:
    letters = {"cp932": "日本", "euc_kr": "한국", "gb18030": "中国", "koi8-r": "Кёльн", "iso8859-5": "Кельн"}
    text = letters.get(encoding, "Köln")
    decoded = decode_html(f"{page}<p>{text}".encode(encoding))
    assert html_parts(decoded.text)[1] == text
    assert not decoded.guessed


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
