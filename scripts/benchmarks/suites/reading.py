"""Reading: documents and megabytes a second of each kind of file, beside its library alone.

The files of a kind are made from messages of 20 Newsgroups. textae reads their folder: it looks at the names, reads in
a process of its own what has a parser, and gives titles, places and fields. The peer is a loop in this process over
the same paths, which takes the text out with the library that textae uses; for text it is `open().read()`. Seconds are
those of processors, of both of textae's processes, so that other work on the machine does not count. The start of the
second process is in the time of the first document.
"""

from __future__ import annotations

import csv
import email
import email.policy
import gzip
import html
import json
import mailbox
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from xml.etree import ElementTree

import click

from benchmarks import datasets, made
from benchmarks.harness.options import quick, quick_option
from benchmarks.harness.rows import ROOT, write
from benchmarks.harness.runs import cpu_seconds_of
from textae.corpus import read
from textae.types import Document

WHAT, BEFORE = "reading, by kind of file", "reading, beside before"
FILES, ROUNDS, PAIRS = 400, 4, 7
LONGEST = 4_000  # characters of a text


@dataclass(frozen=True)
class Text:
    """What a file is made of.

    Attributes:
        title: a few words.
        paragraphs: of lines.
    """

    title: str
    paragraphs: Sequence[str]

    @property
    def body(self) -> str:
        """The paragraphs with empty lines between them."""
        return "\n\n".join(self.paragraphs)

    def marked(self, before: str, after: str) -> str:
        """The paragraphs, escaped for XML, each within tags."""
        return "".join(f"{before}{html.escape(part)}{after}" for part in self.paragraphs)


Write = Callable[[Path, Text], object]
"""Writes a file of one text."""

WriteAll = Callable[[Path, Sequence[Text]], object]
"""Writes a file of all texts."""

Peer = Callable[[Path], object]
"""Reads a file with the library alone."""


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        ending: of its files.
        library: of the peer.
        peer: reads a file.
        write: makes a file of one text, or of all texts where `is_box`.
        is_box: whether one file holds all documents.
    """

    ending: str
    library: str
    peer: Peer
    write: Write | WriteAll
    is_box: bool = False

    def make(self, folder: Path, texts: Sequence[Text]) -> list[Path]:
        """Write the files of the kind."""
        paths = [folder / f"all{self.ending}"] if self.is_box else [
            folder / f"{number:04}{self.ending}" for number in range(len(texts))
        ]  # fmt: skip
        for path, text in zip(paths, [texts] if self.is_box else texts, strict=True):
            self.write(path, text)  # type: ignore[arg-type]
        return paths


@click.command()
@click.option("--kind", "endings", multiple=True, help="An ending, such as .pdf; all by default.")
@quick_option
def reading(endings: Sequence[str]) -> None:
    """Documents and megabytes a second of reading each kind of file, beside its library alone."""
    messages = texts(FILES)
    chosen = [kind for kind in KINDS if not endings or kind.ending in endings]
    for kind in chosen[:1] if quick() else chosen:
        with tempfile.TemporaryDirectory() as folder:
            measure(kind, Path(folder), messages)


def measure(kind: Kind, folder: Path, messages: Sequence[Text]) -> None:
    """Write the row of a kind."""
    (all_files := folder / "all").mkdir()
    (one_file := folder / "one").mkdir()
    paths = kind.make(all_files, messages)
    kind.make(one_file, messages[:1])
    n_read = sum(isinstance(item, Document) for item in read([str(all_files)]))
    if n_read != len(messages):
        raise click.ClickException(f"{kind.ending}: {n_read} documents were read of {len(messages)}")
    actions = {
        "ours": lambda: deque(read([str(all_files)]), 0),
        "start": lambda: deque(read([str(one_file)]), 0),
        "library": lambda: deque(map(kind.peer, paths), 0),
    }
    rounds = [{name: cpu_seconds_of(action) for name, action in actions.items()} for _ in range(ROUNDS + 1)]
    seconds = {name: statistics.median(one[name] for one in rounds[1:]) for name in actions}  # the first imports
    ratios = sorted(one["ours"] / one["library"] for one in rounds[1:])
    figures = {
        "documents/s": len(messages) / seconds["ours"],
        "MB/s": sum(path.stat().st_size for path in paths) / 1e6 / seconds["ours"],
        "the first document, ms": 1e3 * seconds["start"],
        "library documents/s": len(messages) / seconds["library"],
        "ratio of times": statistics.median(ratios),
        "least": ratios[0],
        "most": ratios[-1],
        "without the first": (seconds["ours"] - seconds["start"]) / seconds["library"],
    }
    write(WHAT, f"{kind.ending}, {kind.library}", len(messages), figures)


_SECONDS = """
import resource, sys, textae.corpus
def seconds():
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
started = seconds()
n = sum(1 for _ in textae.corpus.read([sys.argv[1]]))
print(n, seconds() - started)
"""


@click.command("reading-before")
@click.argument("checkout", type=click.Path(exists=True, path_type=Path))
def reading_before(checkout: Path) -> None:
    """Documents a second of reading text and tables, beside another commit of textae in CHECKOUT."""
    messages = datasets.newsgroups("train", datasets.stripped) + datasets.newsgroups("test", datasets.stripped)
    all_texts = [Text("", [one.text]) for one in messages if one.text.strip()]
    with tempfile.TemporaryDirectory() as folder:
        text, table = Path(folder) / "text", Path(folder) / "table"
        for number, one in enumerate(all_texts):
            (inner := text / f"{number // 1_000:02}").mkdir(parents=True, exist_ok=True)
            (inner / f"{number:05}.txt").write_text(one.body)
        table.mkdir()
        for suffix, write_all in ((".jsonl", _jsonl), (".csv", _delimited(","))):
            write_all(table / f"all{suffix}", all_texts)
        tables = {"jsonl": table / "all.jsonl", "csv": table / "all.csv", "jsonl and csv in a folder": table}
        for name, path in {"text": text, **tables}.items():
            figures = _pairs(path, (ROOT, checkout))
            write(BEFORE, name, round(figures.pop("documents")), figures)


def _pairs(path: Path, checkouts: tuple[Path, Path]) -> dict[str, float]:
    """The figures of reading a path with this commit and with another one, in turns."""
    runs = [{one: _seconds(one, path) for one in checkouts[:: 1 - 2 * (n % 2)]} for n in range(PAIRS)]
    counts = {n for run in runs for n, _ in run.values()}
    if len(counts) > 1:
        raise click.ClickException(f"{path}: this commit and the other one read {counts} documents")
    ours, before = ([run[one][1] for run in runs] for one in checkouts)
    ratios = sorted(now / then for now, then in zip(ours, before, strict=True))
    return {
        "documents": (n := counts.pop()),
        "documents/s": n / statistics.median(ours),
        "before documents/s": n / statistics.median(before),
        "ratio of times": statistics.median(ratios),
        "least": ratios[0],
        "most": ratios[-1],
    }


def _seconds(checkout: Path, path: Path) -> tuple[int, float]:
    """The documents and the time of processors of reading a path in a new process, without its start."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, "-c", _SECONDS, path]
    run = subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, check=True)
    n, seconds = run.stdout.split()
    return int(n), float(seconds)


def texts(count: int) -> list[Text]:
    """Messages in ASCII, without header, footer and quotes, cut to `LONGEST`."""
    messages = datasets.newsgroups("train", datasets.stripped)
    bodies = ("".join(c for c in one.text if c == "\n" or " " <= c <= "~").strip()[:LONGEST] for one in messages)
    kept = (body for body in bodies if len(body) > 200)
    return [Text(" ".join(body.split()[:6]), body.split("\n\n")) for body in islice(kept, count)]


def _template(template: str) -> Write:
    """Write a text file; `TITLE` and `BODY` stand in the template."""
    return lambda path, text: path.write_text(template.replace("TITLE", text.title).replace("BODY", text.body))


def _marked(template: str, before: str, after: str) -> Write:
    """Write a file of markup in which each paragraph has tags."""

    def write(path: Path, text: Text) -> None:
        path.write_text(template.replace("TITLE", html.escape(text.title)).replace("BODY", text.marked(before, after)))

    return write


def _zipped(name: str, template: str, before: str, after: str, **parts: str) -> Write:
    """Write a zip archive of which one part is markup."""

    def write(path: Path, text: Text) -> None:
        made.zipped(path, {**parts, name: template.format(text.marked(before, after))})

    return write


def _pdf(path: Path, text: Text) -> None:
    lines = [line.translate(str.maketrans({c: f"\\{c}" for c in "()\\"})) for line in text.body.split("\n")]
    made.pdf(path, [lines[first : first + 24] for first in range(0, len(lines), 24)])


def _xlsx(path: Path, all_texts: Sequence[Text]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in _rows(all_texts):
        sheet.append(list(row))
    book.save(path)


def _ods(path: Path, all_texts: Sequence[Text]) -> None:
    rows = (
        f"<t:table-row>{''.join(map(_CELL.format, map(html.escape, row)))}</t:table-row>" for row in _rows(all_texts)
    )
    made.zipped(path, {"mimetype": _ODS_TYPE, "content.xml": _ODS.format("".join(rows))})


_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_CELL = '<t:table-cell o:value-type="string"><x:p>{}</x:p></t:table-cell>'
_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns"
_ODS = (
    f'<o:document-content xmlns:o="{_NAMESPACE}:office:1.0" xmlns:t="{_NAMESPACE}:table:1.0" '
    f'xmlns:x="{_NAMESPACE}:text:1.0"><o:body><o:spreadsheet>'
    '<t:table t:name="a">{}</t:table></o:spreadsheet></o:body></o:document-content>'
)


def _rows(all_texts: Sequence[Text]) -> Iterator[tuple[str, str, str]]:
    """A table, the header first."""
    yield "id", "title", "text"
    for number, text in enumerate(all_texts):
        yield str(number), text.title, text.body


def _delimited(delimiter: str) -> WriteAll:
    def write(path: Path, all_texts: Sequence[Text]) -> None:
        with path.open("w", newline="") as file:
            if delimiter == "\t":  # whose cells have neither tabs nor newlines (IANA)
                file.writelines("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in _rows(all_texts))
            else:
                csv.writer(file).writerows(_rows(all_texts))

    return write


def _objects(all_texts: Sequence[Text]) -> list[dict[str, str]]:
    return [{"title": text.title, "text": text.body} for text in all_texts]


def _jsonl(path: Path, all_texts: Sequence[Text]) -> None:
    path.write_text("".join(json.dumps(value) + "\n" for value in _objects(all_texts)))


def _notebook(path: Path, text: Text) -> None:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": [part]} for part in text.paragraphs]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def _mail(text: Text) -> str:
    return f"From: ada@example.org\nTo: bob@example.org\nSubject: {text.title}\n\n{text.body}\n"


def _mbox(path: Path, all_texts: Sequence[Text]) -> None:
    quoted = (_mail(text).replace("\nFrom ", "\n>From ") for text in all_texts)
    path.write_text("".join(f"From ada@example.org Mon Jan  1 00:00:00 2024\n{mail}\n" for mail in quoted))


def _outlook(path: Path, text: Text) -> None:
    streams = {"0037001F": text.title, "1000001F": text.body}
    made.cfb(
        path, {f"__substg1.0_{name}": value.ljust(2_048, "\0").encode("utf-16-le") for name, value in streams.items()}
    )


def _rtf(path: Path, text: Text) -> None:
    escaped = text.body.translate(str.maketrans({c: f"\\{c}" for c in "{}\\"})).replace("\n", "\\par\n")
    path.write_text(f"{{\\rtf1\\ansi {escaped}}}")


def _cards(before: str, after: str, template: str) -> WriteAll:
    """Write a calendar or an address book."""

    def write(path: Path, all_texts: Sequence[Text]) -> None:
        rows = (template.format(n, text.title, text.body.replace("\n", "\\n")) for n, text in enumerate(all_texts))
        path.write_text(before + "".join(rows) + after)

    return write


def _subtitles(head: str) -> Write:
    def write(path: Path, text: Text) -> None:
        cues = (f"{n}\n00:{n // 60:02}:{n % 60:02},000 --> 00:{n // 60:02}:{n % 60:02},900\n{part.strip()}\n"
                for n, part in enumerate(text.paragraphs, start=1))  # fmt: skip
        path.write_text(head + "\n".join(cues).replace(",", "." if head else ","))

    return write


def _archive(path: Path, all_texts: Sequence[Text]) -> None:
    parts = {f"{number}.txt": text.body.encode() for number, text in enumerate(all_texts)}
    if path.suffix == ".zip":
        made.zipped(path, dict(parts))
    else:
        made.tarred(path, "w", parts)


def _gzip(path: Path, text: Text) -> None:
    path.write_bytes(gzip.compress(text.body.encode()))


def _read_text(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read()


def _read_gzip(path: Path) -> str:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.read()


def _read_xml(path: Path) -> str:
    return "\n".join(ElementTree.parse(path).getroot().itertext())


def _read_zipped(name: str, path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "\n".join(ElementTree.fromstring(archive.read(name)).itertext())


def _read_zip(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name).decode() for name in archive.namelist()]


def _read_tar(path: Path) -> list[str]:
    with tarfile.open(path) as archive:
        return [file.read().decode() for member in archive if (file := archive.extractfile(member))]


def _read_pdf(path: Path) -> str:
    import pypdfium2

    with pypdfium2.PdfDocument(path) as pdf:
        return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def _read_xlsx(path: Path) -> list[object]:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True)
    return [row for sheet in book for row in sheet.iter_rows(values_only=True)]


def _read_html(path: Path) -> str:
    from selectolax.lexbor import LexborHTMLParser

    page = LexborHTMLParser(path.read_bytes())
    page.strip_tags(["script", "style"])
    return str(page.text(separator="\n"))


def _read_rtf(path: Path) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(path.read_text(encoding="latin-1")))


def _read_outlook(path: Path) -> list[str]:
    import olefile

    with olefile.OleFileIO(path) as file:
        return [file.openstream(name).read().decode("utf-16-le") for name in file.listdir()]


def _read_mail(path: Path) -> object:
    return email.message_from_bytes(path.read_bytes()).get_payload(decode=True)


def _read_mbox(path: Path) -> list[object]:
    return [message.get_payload(decode=True) for message in mailbox.mbox(path, create=False)]


def _read_notebook(path: Path) -> str:
    return "\n".join("".join(cell["source"]) for cell in json.loads(path.read_bytes())["cells"])


def _read_csv(delimiter: str, path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def _read_jsonl(path: Path) -> list[object]:
    with path.open(encoding="utf-8") as file:
        return list(map(json.loads, file))


def _texts_of(templates: Iterable[tuple[str, str]]) -> Iterator[Kind]:
    """Kinds of text, which are read by `open`."""
    return (Kind(ending, "open().read()", _read_text, _template(template)) for ending, template in templates)


_PYTHON = '"""TITLE."""\n\n\ndef told():\n    """BODY"""\n'
_WORD = f"<w:document {made.WORD}><w:body>{{}}</w:body></w:document>"
_WORD_TEXT = ("<w:p><w:r><w:t>", "</w:t></w:r></w:p>")
_SLIDE_TEXT = ("<p:sp><p:txBody><a:p><a:r><a:t>", "</a:t></a:r></a:p></p:txBody></p:sp>")
_SHOW = {
    "ppt/presentation.xml": made.SLIDE.format('<p:sldId r:id="r1"/>'),
    "ppt/_rels/presentation.xml.rels": '<R xmlns="r"><Relationship Id="r1" Target="slides/slide1.xml"/></R>',
}
_PAGE = made.OPEN.format("<draw:page>{}</draw:page>")
_PACKAGE = (
    '<package xmlns="o"><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>'
)
_CONTAINER = '<container xmlns="c"><rootfile full-path="b.opf"/></container>'
_CHAPTER = '<html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'

KINDS = (
    *_texts_of([
        (".txt", "BODY"), (".log", "BODY"), (".yaml", "title: TITLE\ntext: |\n  BODY\n"), (".sql", "-- TITLE\nBODY\n"),
        (".py", _PYTHON), (".c", "/* TITLE */\n/* BODY */\n"),
        (".debian", "textae (1.2-1) unstable; urgency=low\n\n  * BODY\n\n -- Ada <a@b.org>  Mon, 1 Jan 2024\n"),
        (".md", "# TITLE\n\nBODY\n"), (".rst", "TITLE\n=====\n\nBODY\n"), (".adoc", "= TITLE\n\nBODY\n"),
        (".org", "#+TITLE: TITLE\n\n* Part\n\nBODY\n"), (".textile", "h1. TITLE\n\nBODY\n"),
        (".tex", "\\documentclass{article}\\title{TITLE}\\begin{document}\nBODY\n\\end{document}\n"),
        (".man", '.TH TITLE 1\n.SH NAME\nname \\- TITLE\n.SH DESCRIPTION\nBODY\n'),
    ]),
    Kind(".srt", "open().read()", _read_text, _subtitles("")),
    Kind(".vtt", "open().read()", _read_text, _subtitles("WEBVTT\n\n")),
    Kind(".ics", "open().read()", _read_text, _cards(
        "BEGIN:VCALENDAR\n", "END:VCALENDAR\n",
        "BEGIN:VEVENT\nUID:{}\nSUMMARY:{}\nDESCRIPTION:{}\nEND:VEVENT\n"), is_box=True),
    Kind(".vcf", "open().read()", _read_text, _cards(
        "", "", "BEGIN:VCARD\nVERSION:4.0\nUID:{}\nFN:{}\nNOTE:{}\nEND:VCARD\n"), is_box=True),
    Kind(".txt.gz", "gzip", _read_gzip, _gzip),
    Kind(".jsonl", "json", _read_jsonl, _jsonl, is_box=True),
    Kind(".csv", "csv", partial(_read_csv, ","), _delimited(","), is_box=True),
    Kind(".tsv", "csv", partial(_read_csv, "\t"), _delimited("\t"), is_box=True),
    Kind(".json", "json", lambda path: json.loads(path.read_bytes()),
         lambda path, all_texts: path.write_text(json.dumps(_objects(all_texts))), is_box=True),
    Kind(".ipynb", "json", _read_notebook, _notebook),
    Kind(".xml", "xml.etree", _read_xml, _marked("<doc><title>TITLE</title>BODY</doc>", "<p>", "</p>")),
    Kind(".html", "selectolax", _read_html, _marked(
        "<html><head><title>TITLE</title></head><body><nav><a>home</a></nav>BODY</body></html>", "<p>", "</p>")),
    Kind(".eml", "email", _read_mail, lambda path, text: path.write_text(_mail(text))),
    Kind(".mbox", "mailbox", _read_mbox, _mbox, is_box=True),
    Kind(".msg", "olefile", _read_outlook, _outlook),
    Kind(".pdf", "pypdfium2", _read_pdf, _pdf),
    Kind(".rtf", "striprtf", _read_rtf, _rtf),
    Kind(".docx", "zipfile and xml.etree", partial(_read_zipped, "word/document.xml"),
         _zipped("word/document.xml", _WORD, *_WORD_TEXT)),
    Kind(".pptx", "zipfile and xml.etree", partial(_read_zipped, "ppt/slides/slide1.xml"),
         _zipped("ppt/slides/slide1.xml", made.SLIDE, *_SLIDE_TEXT, **_SHOW)),
    Kind(".odt", "zipfile and xml.etree", partial(_read_zipped, "content.xml"),
         _zipped("content.xml", made.OPEN, "<text:p>", "</text:p>")),
    Kind(".odp", "zipfile and xml.etree", partial(_read_zipped, "content.xml"),
         _zipped("content.xml", _PAGE, "<text:p>", "</text:p>")),
    Kind(".epub", "zipfile and xml.etree", partial(_read_zipped, "a.xhtml"),
         _zipped("a.xhtml", _CHAPTER, "<p>", "</p>", **{"META-INF/container.xml": _CONTAINER, "b.opf": _PACKAGE})),
    Kind(".fb2", "xml.etree", _read_xml, _marked(
        '<FictionBook xmlns="f"><body><section>BODY</section></body></FictionBook>', "<p>", "</p>")),
    Kind(".xlsx", "openpyxl", _read_xlsx, _xlsx, is_box=True),
    Kind(".ods", "zipfile and xml.etree", partial(_read_zipped, "content.xml"), _ods, is_box=True),
    Kind(".zip", "zipfile", _read_zip, _archive, is_box=True),
    Kind(".tar", "tarfile", _read_tar, _archive, is_box=True),
)  # fmt: skip

COMMANDS = (reading, reading_before)
