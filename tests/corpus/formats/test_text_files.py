"""Files of text: markup is no text, a title is found where there is one, and lines are those of the file."""

import gzip
import time
from pathlib import Path

import pytest
from asked import only, places

from textae.corpus import read
from textae.corpus.formats import markdown, markup
from textae.types import Document

RFC = """


Network Working Group                                     R. Fielding
Request for Comments: 2616                                  UC Irvine
Obsoletes: 2068                                             June 1999


                Hypertext Transfer Protocol -- HTTP/1.1
                           Second line

Status of this Memo
"""


def written(path: Path, content: str) -> Document:
    path.write_text(content)
    return only(path)


def line_of(document: Document, words: str) -> int:
    """The line of the file at which words of the text stand."""
    (place,) = document.places
    assert place.kind == "line"
    return int(place.name) + document.text.count("\n", 0, document.text.index(words))


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("rfc2616.txt", RFC, "RFC 2616: Hypertext Transfer Protocol -- HTTP/1.1 Second line"),
        (
            "rfc791.txt",
            f"\n\nRFC:  791\n\n\n{'':27}INTERNET PROTOCOL\n\n\n{'':33}DARPA\n",
            "RFC 791: INTERNET PROTOCOL",
        ),
        ("changelog", "bash (5.2-1) unstable; urgency=medium\n\n  * New.\n", "bash (5.2-1)"),
        ("a.py", '#!/usr/bin/python\n# x\n"""Say hello.\n\nMore."""\n', "Say hello."),
        ("b.py", "x = 1\n", "b.py"),
        ("Makefile", "all:\n", "Makefile"),
        ("a.sql", "select 1;", "a.sql"),
    ],
)
def test_the_title_of_plain_text(name: str, content: str, title: str, tmp_path: Path) -> None:
    document = written(tmp_path / name, content)
    assert document.title == title
    assert document.text == content.strip("\n")


@pytest.mark.parametrize(
    ("header", "title"),
    [
        (  # of the 1970s: the header has several paragraphs, and the title may be underlined
            f"NWG{'':48}J. Postel\nRFC # 89\n\nNIC # 5806\n\n{'':26}SOME HISTORIC MOMENTS\n{'':26}--------------",
            "RFC 89: SOME HISTORIC MOMENTS",
        ),
        (  # of the 1980s: tabs, and no regular spelling
            "Network Working Group\t\t\t\t\tJ. Moy\nRequest\tFor Comment: 1245\n\n\t\t     OSPF Protocol Analysis",
            "RFC 1245: OSPF Protocol Analysis",
        ),
        (  # of the 1990s: the day stands at the right alone
            f"Request for Comments: 2132{'':24}Silicon Graphics\nObsoletes: 1533{'':49}R. Droms\n{'':62}March 1997\n"
            f"\n{'':16}DHCP Options and BOOTP Vendor Extensions",
            "RFC 2132: DHCP Options and BOOTP Vendor Extensions",
        ),
        (  # of the 2020s: the title may take the whole width, and go on with a bracket
            f"Request for Comments: 9353{'':32}Telefonica I+D\n{'':54}Old Dog Consulting\n{'':60}January 2023\n\n\n"
            f"IGP Extension for Path Computation Element Communication Protocols of\n{'':20}(PCE) Discovery (PCED)",
            "RFC 9353: IGP Extension for Path Computation Element Communication Protocols of (PCE) Discovery (PCED)",
        ),
        (f"RFC 1\n{'':60}January 2023\n\nAbstract", "RFC 1"),
    ],
)
def test_the_title_of_an_rfc_is_what_is_centred(header: str, title: str, tmp_path: Path) -> None:
    content = f"{header}\n\nAbstract\n\n   This memo of March 1997 describes, for those who read it, a protocol.\n"
    assert written(tmp_path / "a.txt", content).title == title


def test_text_begins_at_its_first_line_and_keeps_its_indentation(tmp_path: Path) -> None:
    document = written(tmp_path / "a.txt", "\n \n  one\ntwo\n")
    assert (document.text, places(document)) == ("  one\ntwo", [("line", "3", "  one")])


def test_a_changelog_of_debian_is_text(tmp_path: Path) -> None:
    (tmp_path / "changelog.Debian.gz").write_bytes(gzip.compress(b"bash (5.2-1) unstable; urgency=low\n"))
    assert only(tmp_path / "changelog.Debian.gz").title == "bash (5.2-1)"


def test_front_matter_is_fields_as_they_are_written(tmp_path: Path) -> None:
    front = "title: 'Front'\ntags: [a, b]\nversion: 1.10\ndraft: no\nday: 2024-05-01\nby:\n  name: Ada"
    document = written(tmp_path / "a.md", f"---\n{front}\n---\n\n# Head\n")
    assert (document.title, document.text, line_of(document, "Head")) == ("Front", "# Head", 11)
    own = {name: document.fields[name] for name in ("tags", "version", "draft", "day", "by")}
    assert own == {"tags": ["a", "b"], "version": "1.10", "draft": "no", "day": "2024-05-01", "by": {"name": "Ada"}}
    toml = written(tmp_path / "b.md", "+++\ntitle = 'T'\ndate = 2024-05-01\n+++\nbody")
    assert (toml.title, toml.text, toml.fields["date"]) == ("T", "body", "2024-05-01")


@pytest.mark.parametrize(
    "front", ["a: &x [1]\nb: *x", "a: [", "- a\n- b", "a: " + "[" * 9_000, "x: y\n" * 9_000, "a: !!python/name:os.x\n"]
)
def test_front_matter_that_cannot_be_read_is_left_out(front: str, tmp_path: Path) -> None:
    document = written(tmp_path / "a.md", f"---\n{front}\n---\nbody")
    assert document.text == "body"
    assert "b" not in document.fields


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("text\n\n## Second level ##\n", "Second level"),
        ("Underlined\n==========\n", "Underlined"),
        ("```\n# a comment\n```\n# Real\n", "Real"),
        ("no heading", ""),
        ("# a # b ##  \n", "a # b"),
        ("# ###\n", "#"),
    ],
)
def test_the_first_heading_of_markdown(source: str, title: str) -> None:
    assert markdown.heading(source) == title


@pytest.mark.parametrize(
    ("name", "content", "title", "text"),
    [
        ("a.rst", "=====\nTitle\n=====\n\n.. image:: x.png\n   :width: 200\n\nSee :ref:`the guide <g>`, `P <http://p>`_"
         ", ``code`` and *it*::\n\n.. note:: Mind.\n", "Title", "Title See the guide, P, code and it: Mind."),
        ("a.adoc", "= Doc Title\n:author: me\n\n== Part\n\nSee link:http://x[the page], *bold*.\n\n[source]\n----\n1\n"
         "----\n// gone\n", "Doc Title", "Doc Title Part See the page, bold. 1"),
        ("a.org", "#+TITLE: Org title\n#+AUTHOR: Ada\n* TODO Buy milk :home:\n:PROPERTIES:\n:ID: 1\n:END:\nSee "
         "[[http://x][the page]] =code=.\n# gone\n", "Org title", "Buy milk See the page code."),
        ("a.textile", 'h1. Head\n\np. Some "link":http://x.y and *bold*\n\n* item !i.png!\n', "Head",
         "Head Some link and bold item"),
        ("a.tex", "\\documentclass{article}\n\\title{On \\emph{Heat}}\n\\begin{document}\n\\section{Intro} % gone\n"
         "Caf\\'e na\\\"{\\i}ve Stra\\ss{}e, 50\\% \\textbf{hot}~water \\cite{x}.\n\\end{document}\nafter\n", "On Heat",
         "Intro Café naïve Straße, 50% hot water ."),
    ],
)  # fmt: skip
def test_light_markup(name: str, content: str, title: str, text: str, tmp_path: Path) -> None:
    document = written(tmp_path / name, content)
    assert (document.title, " ".join(document.text.split())) == (title, text)
    lines = content.split("\n")
    word = text.split()[-1].strip(".")
    if name != "a.tex":
        assert word in lines[line_of(document, word) - 1]


def test_manual_pages(tmp_path: Path) -> None:
    man = written(tmp_path / "ls.1", '.\\" gone\n.TH LS 1 "May 2024"\n.SH NAME\nls \\- list \\fIfiles\\fR\n.de XX\n'
                  'gone\n..\n.BR cat (1),\n.TP\n.B \\-a\n\\(lqall\\(rq na\\(:ive\n')  # fmt: skip
    assert (man.title, man.text.split()) == (
        "LS(1): list files",
        ["NAME", "ls", "-", "list", "files", "cat(1),", "-a", "“all”", "naïve"],
    )
    assert line_of(man, "cat(1)") == 8
    mdoc = written(tmp_path / "ping.8", ".Dd May 1\n.Dt PING 8\n.Os\n.Sh NAME\n.Nm ping\n.Nd send packets\n"
                   ".Sh DESCRIPTION\n.Nm\nsends\n.Op Fl c Ar count\n.Xr traceroute 8 .\n")  # fmt: skip
    assert mdoc.title == "PING(8): send packets"
    assert written(tmp_path / "a.1", ".TH A 1\n.SH SYNOPSIS\na [-x]\n").title == "A(1)"
    assert " ".join(mdoc.text.split()) == "NAME ping send packets DESCRIPTION ping sends -c count traceroute(8)."
    for name in ("A.3type", "A.2const.gz", "a.3head"):
        pack = gzip.compress if name.endswith("gz") else bytes
        (tmp_path / name).write_bytes(pack(b".TH A 1\n.SH NAME\na \\- a page\n"))
        assert only(tmp_path / name).title == "A(1): a page"
    assert written(tmp_path / "notes.3drafts", "as they stand").text == "as they stand"
    assert written(tmp_path / "syslog.1", "Jan 1 kernel: .x").text == "Jan 1 kernel: .x"


def test_colours_of_a_terminal_are_no_text(tmp_path: Path) -> None:
    assert written(tmp_path / "a.log", "\x1b[31;1mfailed\x1b[0m: a[0]\x1b[K").text == "failed: a[0]"


def test_lines_of_old_macs_are_lines(tmp_path: Path) -> None:
    document = written(tmp_path / "a.txt", "a\rheron\rflies")
    assert (document.text, line_of(document, "flies")) == ("a\nheron\nflies", 3)


def test_definitions_of_macros_end_as_in_roff(tmp_path: Path) -> None:
    asciidoctor = ".TH DMESG 1\n.als MTO URL\n.if \\n[.g] \\{\\\n.  am URL\n.    ad l\n.  .\n.\\}\n"
    db2man = '.de Sh \\" Subsection\n.br\n..\n.de Ip \\" List item\n.IP "\\\\$1" \\\\$2\n..\n'
    text = ".SH NAME\nthe kernel\\*(Aqs ring\n.HP \\w'\\fBring\\ \\fR'u\n.URL https://a.example a page\n\\*(C+ RFC\\9\n"
    document = written(tmp_path / "dmesg.1", asciidoctor + db2man + text)
    assert " ".join(document.text.split()) == "NAME the kernel's ring https://a.example a page C++ RFC9"


def test_manuals_of_info_are_their_nodes(tmp_path: Path) -> None:
    head = b"This is boiler.info, produced by makeinfo.\n\n"
    top = b"\x1f\nFile: boiler.info,  Node: Top,  Next: Valves,  Up: (dir)\n\nBoilers\n*******\n\nHow to run one.\n\n"
    valves = b"\x1f\nFile: boiler.info,  Node: Valves,  Prev: Top\n\n1 Valves\n--------\n\nOpen\nthem.\n"
    marks = b'\0\x08[image src="valve.png"\0\x08]\n\n\0\x08[index\0\x08]\n* Menu:\n\n'
    manual = head + top + valves + marks + b"\x1f\nTag Table:\nNode: Top\x7f61\n\x1f\nEnd Tag Table\n"
    for name in ("boiler.info", "boiler.info-1", "boiler.info.gz"):
        (tmp_path / name).write_bytes(gzip.compress(manual) if name.endswith("gz") else manual)
        document = only(tmp_path / name)
        assert document.title == "Boilers"
        assert " ".join(document.text.split()) == (
            "Boilers ******* How to run one. 1 Valves -------- Open them. * Menu:"
        )
        assert places(document) == [("heading", "Top", "Boilers"), ("heading", "Valves", "1 Valves")]
    (tmp_path / "long.info").write_bytes(
        head + b"It describes boilers.\n\x1f\nIndirect:\nlong.info-1: 90\n\x1f\nTag Table:\n"
    )
    assert only(tmp_path / "long.info").text.endswith("It describes boilers.")
    (tmp_path / "module.info").write_text("name = boiler\n")
    assert only(tmp_path / "module.info").text == "name = boiler"


def test_json_is_its_keys_and_values_line_by_line(tmp_path: Path) -> None:
    document = written(
        tmp_path / "a.json", '{"title": "Caf\\u00e9",\n "list": ["a b", 1.10],\n // why\n "n": {"x": null}}'
    )
    assert document.text == "title: Café\nlist:  a b  1.10\n// why\nn:  x: null"
    assert line_of(document, "a b") == 2
    assert written(tmp_path / "b.json", '{"name": "The name"}').title == "The name"


@pytest.mark.parametrize("content", ['[{"text": "one"}, {"text": "two"}]', '{"text": "one"}\n{"text": "two"}\n'])
def test_json_of_rows_is_a_table(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    items = list(read([str(tmp_path / "a.json")]))
    assert [item.text for item in items if isinstance(item, Document)] == ["one", "two"]


def test_xml_is_what_stands_between_its_tags_in_the_encoding_it_declares(tmp_path: Path) -> None:
    content = (
        '<?xml version="1.0" encoding="windows-1252"?>\n<doc>\n<title>The title</title>\n<p>café &nbsp;<b>bold</b></p>'
    )
    (tmp_path / "a.xml").write_bytes(f"{content}\n<!-- gone --><style>gone</style></doc>".encode("cp1252"))
    document = only(tmp_path / "a.xml")
    assert (document.title, document.text.split()) == ("The title", ["The", "title", "café", "bold"])
    assert line_of(document, "café") == 4


def test_a_manual_page_in_docbook_has_the_title_of_the_page_and_not_of_a_section(tmp_path: Path) -> None:
    meta = "<refmeta><refentrytitle>pump.conf</refentrytitle><manvolnum>5</manvolnum></refmeta>"
    section = "<refsect1><title>Description</title><citerefentry><refentrytitle>hose</refentrytitle></citerefentry>"
    assert written(tmp_path / "a.xml", f"<refentry>{meta}{section}</refsect1></refentry>").title == "pump.conf"
    assert written(tmp_path / "b.xml", f"<chapter>{section}</refsect1></chapter>").title == "Description"


def test_xml_that_is_not_well_formed_is_read_without_its_tags(tmp_path: Path) -> None:
    document = written(
        tmp_path / "a.xml",
        '<doc>\n<title>Fish &amp; chips</title>\n<p a="1"\n>salt & <b>oil</p>\n<![CDATA[1 < 2]]>\n<q',
    )
    assert document.title == "Fish & chips"
    assert " ".join(document.text.split()) == "Fish & chips salt & oil 1 < 2 <q"
    assert line_of(document, "salt") == 4
    assert " ".join(written(tmp_path / "b.xml", "<a>cut off <b>in the mid").text.split()) == "cut off in the mid"


def test_texts_of_feeds_have_no_markup(tmp_path: Path) -> None:
    item = "<item><title>First</title>\n<description>&lt;p&gt;Boil&lt;b&gt;er&lt;/b&gt;&lt;p&gt;hot</description>\n"
    encoded = "<x:encoded><![CDATA[\n<script>no</script>\n<div>Open &amp; close</div>]]></x:encoded></item>\n"
    rss = written(
        tmp_path / "a.rss",
        f"<rss><channel><title>News</title>\n{item}{encoded}<item><title>Last</title></item></channel></rss>",
    )
    assert rss.text == "News\nFirst\nBoiler hot\nOpen & close\n\n\nLast"
    assert [line_of(rss, word) for word in ("Boiler", "Open", "Last")] == [3, 4, 7]
    xhtml = '<content type="xhtml"><div><p>one</p><p>two</p></div></content>'
    atom = written(tmp_path / "b.atom", f"<feed>{xhtml}<content>3 &lt;i&gt;x&lt;/i&gt;</content></feed>")
    assert atom.text.split() == ["one", "two", "3", "x"]
    assert written(tmp_path / "c.xml", "<doc><description>a &lt;b&gt; c</description></doc>").text == "a <b> c"


def test_a_page_or_a_table_may_be_named_xls(tmp_path: Path) -> None:
    page = written(tmp_path / "a.xls", "<html><meta charset=utf-8><table><tr><td>Pump<td>12</table></html>")
    assert page.text.split() == ["Pump", "12"]
    assert written(tmp_path / "b.xls", "Pump\t12\n").text == "Pump\t12"


def test_subtitles_are_cues_at_their_times(tmp_path: Path) -> None:
    srt = written(
        tmp_path / "a.srt", "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i>\nthere\n\n2\n00:01:05,0 --> 0\nbye"
    )
    assert (srt.text, places(srt)) == (
        "Hello there\nbye",
        [("time", "00:00:01", "Hello there"), ("time", "00:01:05", "bye")],
    )
    vtt = written(
        tmp_path / "a.vtt",
        "WEBVTT\n\nNOTE x\n\nSTYLE\n::cue{}\n\n01:02.000 --> 01:03.000 align:start\n<v Bob>Hi &amp; bye\n",
    )
    assert (vtt.text, places(vtt)) == ("Hi & bye", [("time", "00:01:02", "Hi & bye")])


def test_events_and_people_are_documents(tmp_path: Path) -> None:
    (tmp_path / "a.ics").write_text(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1@x\r\nSUMMARY:Service\\, yearly\r\nDTSTART;TZID=Europe/Berlin:20260301"
        'T090000\r\nDESCRIPTION:Bring the\r\n  keys\\nand time\r\nATTENDEE;CN="Ann: B":mailto:ann@x.org\r\n'
        "BEGIN:VALARM\r\nDESCRIPTION:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VTODO\r\nSUMMARY:Pay\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    )
    event, task = [item for item in read([str(tmp_path / "a.ics")]) if isinstance(item, Document)]
    assert (event.id, event.title) == ("a.ics:1@x", "Service, yearly")
    assert event.text == "Bring the keys\nand time\nAnn: B ann@x.org"
    assert dict(event.fields) == {"start": "2026-03-01T09:00:00"}
    assert (task.id, task.title, task.source) == ("a.ics:2", "Pay", "a.ics:13")
    (tmp_path / "a.vcf").write_text(
        "BEGIN:VCARD\nFN;QUOTED-PRINTABLE;CHARSET=UTF-8:Jo M=C3=\n=BCller\nitem1.TEL;HOME:12\nEND:VCARD\n"
        "BEGIN:VCARD\nN:Lovelace;Ada\nTEL:20445566\nEND:VCARD\n"
    )
    people = [item for item in read([str(tmp_path / "a.vcf")]) if isinstance(item, Document)]
    assert [(one.title, one.text) for one in people] == [("Jo Müller", "12"), ("Lovelace Ada", "20445566")]


LONG = [
    "\\",
    "{",
    "*",
    "`",
    "[",
    "<",
    "$",
    "\\f",
    ":`",
    "=",
    "|",
    '"',
    "\\begin{",
    "![",
    "_a ",
    "\\(",
    "(a",
    ".. ",
    "%",
    "@x",
]


@pytest.mark.parametrize("piece", LONG)
def test_no_markup_takes_the_square_of_its_length(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    started = time.process_time()
    for language in (".rst", ".adoc", ".org", ".textile", ".tex"):
        markup.plain(text, language)
    assert time.process_time() - started < 10  # where time grows with the square, minutes


@pytest.mark.parametrize(
    "line", ["# x{0}x", "# x{1}x", "---\ntitle: x{1}x\n---", "a\n-{0}x", "# {1}", "---\n{0}", "~~~{0}"]
)
def test_no_markdown_takes_the_square_of_its_length(line: str, tmp_path: Path) -> None:
    started = time.process_time()
    written(tmp_path / "a.md", line.format("#" * 500_000, " " * 500_000))
    assert time.process_time() - started < 10  # where time grows with the square, minutes
