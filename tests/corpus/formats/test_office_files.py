"""PDF, office documents, e-books, notebooks and saved mail: the text, the title, the places and the fields of each."""

import json
from pathlib import Path

import pytest
from asked import only, places, refusal
from openpyxl import Workbook

from benchmarks.made import CORE, OPEN, SLIDE, WORD, cfb, docx, pdf, zipped
from textae.corpus import read
from textae.types import Document


def test_a_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    stated = "/Title (Microsoft Word - Boiler manual.doc) /Author (Ada) /CreationDate (D:20240501120000Z)"
    stated += " /Subject (unspecified)"
    document = only(pdf(tmp_path / "a.pdf", [["First page", "words"], ["Second page"]], stated))
    assert (document.title, document.text) == ("Boiler manual", "First page\nwords\n\nSecond page")
    assert places(document) == [("page", "1", "First page"), ("page", "2", "Second page")]
    assert "subject" not in document.fields
    assert {name: document.fields[name] for name in ("author", "created", "pages", "type")} == {
        "author": "Ada", "created": "2024-05-01", "pages": 2, "type": "pdf"
    }  # fmt: skip


def test_the_title_of_a_pdf_without_one_is_its_largest_text_or_its_first_line(tmp_path: Path) -> None:
    large = pdf(tmp_path / "a.pdf", [["Large letters", "small ones " * 4]], "/Title (untitled)", sizes="24")
    assert only(large).title == "Large letters"
    assert only(pdf(tmp_path / "b.pdf", [["1", "The first line", "another"]])).title == "The first line"


def test_running_titles_and_page_numbers_of_a_pdf_stand_once(tmp_path: Path) -> None:
    pages = [["The manual", f"body number {n}", f"page {n}"] for n in range(1, 7)]
    text = only(pdf(tmp_path / "a.pdf", pages)).text
    assert text.count("The manual") == text.count("page ") == 1
    assert text.count("body") == 6


def test_numbers_at_the_foot_of_a_page_that_are_none_of_pages_are_kept(tmp_path: Path) -> None:
    sums = [1204, 88, 310, 47, 5120]
    pages = [["Invoice of 2026", f"item {n}", f"page {n + 6} of 12", f"total {total}"] for n, total in enumerate(sums)]
    text = only(pdf(tmp_path / "a.pdf", pages)).text
    assert [f"total {total}" in text for total in sums] == [True] * 5
    turned = [[*page[:2], page[3], page[2]] for page in pages]
    text = only(pdf(tmp_path / "b.pdf", turned)).text
    assert (text.count("Invoice of"), text.count(" of 12"), text.count("total")) == (1, 1, 5)


def test_a_page_without_text_keeps_the_numbers_of_the_others(tmp_path: Path) -> None:
    document = only(pdf(tmp_path / "a.pdf", [["one"], [], ["three"]]))
    assert places(document) == [("page", "1", "one"), ("page", "3", "three")]


def test_a_word_document(tmp_path: Path) -> None:
    body = """<w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr><w:r><w:t>The boiler</w:t></w:r></w:p>
    <w:p><w:r><w:t xml:space="preserve">half a </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>word</w:t></w:r>
    <w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>
    <w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
    <w:p><w:r><w:lastRenderedPageBreak/><w:t>next</w:t><w:br/><w:t>page</w:t></w:r></w:p>"""
    styles = f'<w:styles {WORD}><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>'
    notes = f"<w:footnotes {WORD}><w:footnote><w:p><w:r><w:t>a note</w:t></w:r></w:p></w:footnote></w:footnotes>"
    core = CORE.format("<dc:creator>Ada</dc:creator><t:created>2024-05-01T10:00:00Z</t:created>")
    parts = {"word__styles": styles, "word__footnotes": notes, "docProps__core": core}
    document = only(docx(tmp_path / "a.docx", body, **parts))
    assert document.title == "The boiler"
    assert document.text == "The boiler\nhalf a word\ncell\n\nnext\npage\n\na note"
    assert places(document)[:2] == [("page", "1", "The boiler"), ("page", "2", "next")]
    assert (document.fields["author"], document.fields["created"]) == ("Ada", "2024-05-01T10:00:00Z")


def test_slides_are_in_the_order_in_which_they_are_shown_and_have_their_notes(tmp_path: Path) -> None:
    def slide(kind: str, text: str) -> str:
        shape = f'<p:sp><p:ph type="{kind}"/><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>'
        return SLIDE.format(shape + '<p:sp><p:ph type="sldNum"/><a:p><a:t>7</a:t></a:p></p:sp>')

    listed = SLIDE.format('<p:sldId id="256" r:id="r2"/><p:sldId id="257" r:id="r1"/>')
    links = '<Relationships xmlns="r">{}</Relationships>'
    document = only(zipped(tmp_path / "a.pptx", {
        "ppt/presentation.xml": listed,
        "ppt/_rels/presentation.xml.rels": links.format('<Relationship Id="r1" Target="slides/slide1.xml"/>'
                                                        '<Relationship Id="r2" Target="/ppt/slides/slide2.xml"/>'),
        "ppt/slides/slide1.xml": slide("body", "the end"), "ppt/slides/slide2.xml": slide("ctrTitle", "The start"),
        "ppt/slides/_rels/slide1.xml.rels": links.format('<Relationship Id="r1" Target="../notesSlides/n.xml"/>'
                                                             '<Relationship Id="r2" Target="../charts/chart1.xml"/>'),
        "ppt/charts/chart1.xml": SLIDE.format("<a:p><a:t>Costs</a:t></a:p><c:pt><c:v>North</c:v></c:pt>"
                                              "<c:numCache><c:pt><c:v>4.2</c:v></c:pt></c:numCache>"),
        "docProps/core.xml": CORE.format("<dc:title>PowerPoint-Präsentation</dc:title>"),
        "ppt/notesSlides/n.xml": slide("body", "remember"),
    }))  # fmt: skip
    assert (document.title, document.text) == ("The start", "The start\n\nthe end\nCosts\nNorth\nremember")
    assert places(document) == [("slide", "1", "The start"), ("slide", "2", "the end")]


def test_open_documents(tmp_path: Path) -> None:
    text = """<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes><text:h>Heading</text:h>
    <text:p>two<text:s/>words, <text:span>one</text:span> more</text:p><text:p><text:soft-page-break/>last</text:p>"""
    meta = OPEN.format('<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">Stated</dc:title>')
    document = only(zipped(tmp_path / "a.odt", {"content.xml": OPEN.format(text), "meta.xml": meta}))
    assert (document.title, document.text) == ("Stated", "Heading\ntwo words, one more\n\nlast")
    assert places(document) == [("page", "1", "Heading"), ("page", "2", "last")]
    pages = "<draw:page><text:p>one</text:p></draw:page><draw:page><text:p>two</text:p></draw:page>"
    slides = only(zipped(tmp_path / "a.odp", {"content.xml": OPEN.format(pages)}))
    assert (slides.title, places(slides)) == ("one", [("slide", "1", "one"), ("slide", "2", "two")])
    (tmp_path / "a.fodt").write_text(OPEN.format("<o:styles><text:p>style</text:p></o:styles><text:p>flat</text:p>"))
    assert only(tmp_path / "a.fodt").text == "flat"


def test_a_workbook_without_a_column_of_text_is_a_document_and_with_one_it_is_a_table(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Costs"
    for row in (["item", "cost"], ["boiler", 1200], [None, None], ["tap", 2.5]):
        book.active.append(row)
    book.create_sheet("Notes").append(["paid in May"])
    book.properties.title, book.properties.creator = "House", "Ada"
    book.save(tmp_path / "a.xlsx")
    (document,) = read([str(tmp_path)])
    assert isinstance(document, Document)
    assert (document.title, document.fields["author"]) == ("House", "Ada")
    assert document.text == "item\tcost\nboiler\t1200\ntap\t2.5\n\npaid in May"
    assert places(document) == [("sheet", "Costs", "item\tcost"), ("sheet", "Notes", "paid in May")]
    book.active["B1"] = "text"
    book.save(tmp_path / "a.xlsx")
    assert [item.text for item in read([str(tmp_path)]) if isinstance(item, Document)] == ["1200", "2.5"]


def test_an_epub_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    package = """<package xmlns="o" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The book</dc:title>
    <dc:creator>Ann</dc:creator></metadata><manifest><item id="a" href="a%20a.xhtml"/><item id="b" href="b.xhtml"/>
    </manifest><spine><itemref idref="b"/><itemref idref="a"/></spine></package>"""
    parts: dict[str, str | bytes] = {
        "META-INF/container.xml": '<container xmlns="c"><rootfile full-path="x/y.opf"/></container>',
        "x/y.opf": package, "x/a a.xhtml": "<h1>Last</h1><p>end</p>", "x/b.xhtml": "<h1>First</h1><p>start</p>",
    }  # fmt: skip
    document = only(zipped(tmp_path / "a.epub", parts))
    assert (document.title, document.fields["author"]) == ("The book", "Ann")
    assert places(document) == [("chapter", "First", "First"), ("chapter", "Last", "Last")]
    del parts["x/y.opf"]
    without = only(zipped(tmp_path / "b.epub", parts))
    assert (without.title, without.text) == ("b.epub", "Last\nend\n\nFirst\nstart")


def test_a_fiction_book(tmp_path: Path) -> None:
    (tmp_path / "a.fb2").write_text(
        '<FictionBook xmlns="f"><title-info><author><first-name>Leo</first-name></author><book-title>War</book-title>'
        "</title-info><body><section><title><p>One</p></title><p>It was.</p></section></body>"
        "<binary>AAAA</binary></FictionBook>"
    )
    document = only(tmp_path / "a.fb2")
    assert (document.title, document.text, document.fields["author"]) == ("War", "One\nIt was.", "Leo")
    assert places(document) == [("chapter", "One", "One")]


@pytest.mark.parametrize("name", ["a.rtf", "letter.doc"])
def test_rich_text(name: str, tmp_path: Path) -> None:
    information = rb"{\info{\title The title}{\author Ada}{\creatim\yr2024\mo5\dy1}}"
    body = rb"{\fonttbl{\f0 Times;}}\f0 Caf\'e9 \b bold\b0\par \u8364?5}"
    (tmp_path / name).write_bytes(rb"{\rtf1\ansi\ansicpg1252" + information + body)
    document = only(tmp_path / name)
    assert (document.title, document.text) == ("The title", "Café bold\n€5")
    assert (document.fields["author"], document.fields["created"]) == ("Ada", "2024-05-01")


def test_mail_that_outlook_saved(tmp_path: Path) -> None:
    texts = {"0037001F": "The subject", "1000001F": "The body\r\nof it", "0C1A001F": "Ada", "0C1F001F": "ada@x.org"}
    streams = {f"__substg1.0_{name}": text.ljust(2_048, "\0").encode("utf-16-le") for name, text in texts.items()}
    sent = b"\x40\0\x39\0" + bytes(4) + (133_589_952_000_000_000).to_bytes(8, "little")
    document = only(cfb(tmp_path / "a.msg", streams | {"__properties_version1.0": bytes(32) + sent}))
    assert (document.title, document.text) == ("The subject", "The body\nof it")
    assert (document.fields["from"], document.fields["date"]) == ("Ada <ada@x.org>", "2024-05-01T00:00:00+00:00")


def test_a_notebook_is_read_cell_by_cell_with_a_part_of_its_outputs(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "stream", "text": ["x" * 50_000_000]},
        {"data": {"image/png": "AAAA", "text/plain": "<Figure>"}},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Heat\n", "of boilers"]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": "1\n"}]},
        {"cell_type": "code", "source": "long()", "outputs": outputs},
    ]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    document = only(tmp_path / "a.ipynb")
    assert document.title == "Heat"
    assert document.text.startswith("# Heat\nof boilers\n\nprint(1)\n1\n\nlong()\nxxx")
    assert len(document.text) < 3_000
    assert [name for _, name, _ in places(document)] == ["1", "2", "3"]


@pytest.mark.parametrize("content", ["[]", '{"cells": 3}', '{"cells": [{"source": {}}]', "[" * 100_000])
def test_a_notebook_that_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(content)
    assert refusal(tmp_path / "a.ipynb") in ("damaged", "nested too deeply")
