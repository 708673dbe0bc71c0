"""Documents that are broken, locked, empty or not what they say: each is skipped and named, in a bounded time."""

import random
from pathlib import Path

import pytest
from asked import only, refusal

from benchmarks.made import OPEN, WORD, cfb, docx, pdf, zipped
from textae.corpus import Limits, read, reading
from textae.types import Document

LOCK = (
    f"/Encrypt << /Filter /Standard /V 1 /R 2 /O ({'o' * 32}) /U ({'u' * 32}) /P -44 >> /ID [({'1' * 16}) ({'1' * 16})]"
)
LAUGHS = '<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">{}]>'.format(
    "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
)
BINARY = random.Random(0).randbytes(5_000)


def test_pdfs_without_a_text_to_read(tmp_path: Path) -> None:
    assert refusal(pdf(tmp_path / "a.pdf", [[], []])) == "scanned PDF: no text in it"
    assert refusal(pdf(tmp_path / "a.pdf", [["secret"]], trailer=LOCK)) == "encrypted"
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4\ncut")
    assert refusal(tmp_path / "a.pdf") == "damaged"
    (tmp_path / "a.pdf").write_bytes(b"")
    assert refusal(tmp_path / "a.pdf") == "empty"


def test_a_pdf_of_many_pages_is_read(tmp_path: Path) -> None:
    document = only(pdf(tmp_path / "a.pdf", [[f"page {n} of a long book"] for n in range(2_000)]))
    assert len(document.places) == 2_000


@pytest.mark.parametrize("ending", ["docx", "xlsx", "pptx", "odt"])
def test_an_office_file_with_a_password_is_encrypted(ending: str, tmp_path: Path) -> None:
    assert refusal(cfb(tmp_path / f"a.{ending}", {"EncryptedPackage": b"x"})) == "encrypted"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"%PDF-1.7", "a PDF named .txt"),
        ("a.md", b"\x7fELF\0", "a program named .md"),
        ("notes", b"\x89PNG\r\n\x1a\n\0", "a PNG picture without an ending"),
        ("a.pdf", b"PK\3\4", "a zip archive named .pdf"),
        ("a.docx", b"%PDF-1.7", "a PDF named .docx"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word document; save it as .docx"),
        ("a.ppt", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file named .ppt"),
        ("a.json", b"\x1f\x8b\x08", "a gzip file named .json"),
        ("Inbox.msf", b"// <!-- <mdb:mork:z v=", "an index of Thunderbird named .msf"),
        ("a.mp4", b"\0\0\0\x20ftyp", "binary (unknown type .mp4)"),
        ("a.csv", BINARY, "binary"),
        ("a.tsv", BINARY, "binary"),
        ("a.jsonl", BINARY, "binary"),
        ("a.xlsx", b"", "empty"),
        ("a.parquet", b"", "empty"),
        ("a.docx", b"nothing", "damaged"),
        ("a.xml", b"<a><b></a>", "damaged"),
        ("a.msg", b"nothing", "damaged"),
        ("a.rtf", b"nothing", "damaged"),
        ("a.ics", b"nothing", "empty"),
        ("a.srt", b"nothing", "empty"),
        ("ls.1", b".so man1/dir.1\n", "refers to another page"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name) == reason


def test_a_zip_archive_with_nothing_of_a_document_in_it(tmp_path: Path) -> None:
    for ending in ("docx", "odt", "epub"):
        path = zipped(tmp_path / f"a.{ending}", {"x.bin": "x"})
        assert refusal(path) == f"a zip archive named .{ending}"
        path.unlink()
    locked = {"content.xml": b"\x93\x12", "META-INF/manifest.xml": "<m:encryption-data/>"}
    assert refusal(zipped(tmp_path / "a.odt", locked)) == "encrypted"


def test_documents_that_unpack_to_too_much(tmp_path: Path) -> None:
    paragraph = f"<w:p><w:r><w:t>{'word ' * 200}</w:t></w:r></w:p>"
    assert refusal(docx(tmp_path / "a.docx", paragraph * 17_000)) == "longer than 16 MiB"
    (tmp_path / "a.docx").unlink()
    zipped(tmp_path / "a.odt", {"content.xml": LAUGHS + OPEN.format("<text:p>&i;</text:p>")})
    assert refusal(tmp_path / "a.odt") == "damaged"
    (tmp_path / "a.odt").unlink()
    assert (tmp_path / "a.xml").write_text(LAUGHS + "<s>&i;</s>")
    assert refusal(tmp_path / "a.xml") == "damaged"


def test_a_part_that_states_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    path = docx(tmp_path / "a.docx", "<w:p/>")
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2") + 24  # the unpacked size in the directory
    content[at : at + 4] = (0xF0000000).to_bytes(4, "little")
    path.write_bytes(content)
    assert refusal(path, limits=Limits(memory=256 << 20)) == "larger than 512 MiB"


def test_a_docx_with_text_of_a_million_levels(tmp_path: Path) -> None:
    deep = "<w:p>" * 300_000
    (tmp_path / "b.txt").write_text("text")
    zipped(tmp_path / "a.docx", {"word/document.xml": f"<w:document {WORD}>{deep}"})
    items = {item.source: item for item in read([str(tmp_path)], limits=Limits(memory=256 << 20))}
    assert not isinstance(items["a.docx"], Document)
    assert isinstance(items["b.txt"], Document)


def test_without_the_extra_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pdf(tmp_path / "a.pdf", [["words"]])
    monkeypatch.setattr("textae.corpus.files.AVAILABLE", False)  # so that this process reads it
    monkeypatch.setitem(__import__("sys").modules, "pypdfium2", None)
    assert refusal(tmp_path / "a.pdf") == "PDF: needs pip install 'textae[documents]'"


def test_a_file_that_grows_is_read_to_the_size_that_it_had(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("line\n" * 10)
    with reading.opened(path) as stream, path.open("a") as more:
        more.write("later\n" * 10_000)
        more.flush()
        assert stream.read() == b"line\n" * 10


def test_a_table_that_grows_while_its_rows_are_used_ends(tmp_path: Path) -> None:
    path, row = tmp_path / "a.jsonl", '{"text": "row"}\n'
    path.write_text(row * 2_000)
    n_rows = 0
    for _ in read([str(path)]):
        n_rows += 1
        with path.open("a") as file:
            file.write(row * 3)
    assert n_rows == 2_000
