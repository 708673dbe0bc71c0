"""Write the papers of a house that nobody owns: FOLDER/manuals/boiler-manual.pdf, FOLDER/notes/roof.md, and so on.

`house.txt`, beside this file, has the texts: `=== PATH | DATE | TITLE`, and what is in the file. PDFs, e-books and
notebooks are written here page by page, `---` between two; all other kinds are text, or XML in a zip archive.
"""

import json
import os
import sys
import time
import zipfile
from collections.abc import Mapping
from html import escape
from io import BytesIO
from pathlib import Path
from textwrap import wrap

_TEXTS = Path(__file__).with_suffix(".txt")
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"


def write(folder: Path) -> None:
    """Write all of them, each with the time of noon of its day."""
    for section in _TEXTS.read_text(encoding="utf-8").removeprefix("=== ").split("\n=== "):
        head, _, text = section.partition("\n")
        name, date, title = (part.strip() for part in head.split("|"))
        outer, is_packed, inner = name.partition(".zip/")
        path = folder / (f"{outer}.zip" if is_packed else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = _content(name, title, f"{text.strip()}\n")
        path.write_bytes(zipped({inner: content}) if is_packed else content)
        noon = time.mktime(time.strptime(f"{date} 12", "%Y-%m-%d %H"))
        os.utime(path, (noon, noon))


def _content(name: str, title: str, text: str) -> bytes:
    parts = text.strip().split("\n---\n")
    match name.rpartition(".")[2]:
        case "pdf":
            pages = [[line for line in part.split("\n") for line in wrap(line, 90) or [""]] for part in parts]
            return pdf(pages, f"/Title ({title})", sizes="18")
        case "docx":
            return zipped({"word/document.xml": _word(text)})
        case "odt":
            return zipped({"content.xml": _open(text)})
        case "epub":
            return _book(title, parts)
        case "ipynb":
            return _notebook(parts)
    return text.encode()


def pdf(pages: list[list[str]], information: str = "", trailer: str = "", sizes: str = "12") -> bytes:
    """A PDF of lines in Helvetica; the first line of the first page may be larger."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for number, lines in enumerate(pages):
        first = sizes if number == 0 else "12"
        drawn = " ".join(
            f"/F1 {first if at == 0 else 12} Tf 1 0 0 1 50 {750 - 30 * at} Tm ({line}) Tj"
            for at, line in enumerate(lines)
        )
        stream = f"BT {drawn} ET"
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {len(objects) + 2} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects[1] = f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(kids)}] >>"
    objects.append(f"<< {information} >>")
    content = "%PDF-1.4\n"
    starts = []
    for number, body in enumerate(objects, start=1):
        starts.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    end = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R {trailer} >>\n"
    at = len(content)
    whole = f"{content}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}startxref\n{at}\n%%EOF\n"
    return whole.encode("latin-1")


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip archive, the same whenever it is written."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _word(text: str) -> str:
    first, *others = map(escape, text.strip().split("\n"))
    heading = f'<w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr><w:r><w:t>{first}</w:t></w:r></w:p>'
    paragraphs = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in others)
    return f'<w:document xmlns:w="{_WORD}"><w:body>{heading}{paragraphs}</w:body></w:document>'


def _open(text: str) -> str:
    first, *others = map(escape, text.strip().split("\n"))
    body = f"<text:h>{first}</text:h>" + "".join(f"<text:p>{line}</text:p>" for line in others)
    names = f'xmlns:office="{_OPEN}:office:1.0" xmlns:text="{_OPEN}:text:1.0"'
    return (
        f"<office:document-content {names}><office:body><office:text>{body}</office:text></office:body>"
        "</office:document-content>"
    )


def _book(title: str, chapters: list[str]) -> bytes:
    named = {f"{number}.xhtml": chapter for number, chapter in enumerate(chapters, start=1)}
    items = "".join(f'<item id="c{name[0]}" href="{name}" media-type="application/xhtml+xml"/>' for name in named)
    spine = "".join(f'<itemref idref="c{name[0]}"/>' for name in named)
    package = (
        f'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/" version="3.0">'
        f"<metadata><dc:title>{title}</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = '<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>'
    pages = {name: _page(*chapter.split("\n", 1)) for name, chapter in named.items()}
    return zipped(
        {"mimetype": "application/epub+zip", "META-INF/container.xml": container, "book.opf": package} | pages
    )


def _page(heading: str, text: str) -> str:
    return f"<html><head><title>{heading}</title></head><body><h1>{heading}</h1><p>{escape(text)}</p></body></html>"


def _notebook(parts: list[str]) -> bytes:
    """Notes, and code where a line `>>>` has its output."""
    cells: list[dict[str, object]] = []
    for part in parts:
        source, is_code, printed = part.partition("\n>>> ")
        cell: dict[str, object] = {"cell_type": "code" if is_code else "markdown", "metadata": {}, "source": source}
        if is_code:
            output = {"output_type": "stream", "name": "stdout", "text": printed}
            cell |= {"execution_count": 1, "outputs": [output]}
        cells.append(cell)
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
