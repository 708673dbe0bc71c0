"""Where a hit is: its line or its page, and the file that it came from, which a stranger's index may not choose."""

import os
from dataclasses import replace

import pytest
from shared import QUICK, TINY, some_documents, write

from textae import Document, Engine
from textae.corpus import sources
from textae.errors import QueryError
from textae.search.originals import address, is_program, open_original, original, part_named, place_at, start_of_line
from textae.types import Place

FILLER = "".join(f"{n} {document.text}\n" for n in range(40) for document in some_documents())  # 400 kB
FILES = {
    "blank.txt": "\n\n \t\n  first\n\n\nthe walrus swims\n",
    "crlf.txt": "\r\n\r\nfirst\r\n\r\nthe walrus swims\r\n",
    "feeds.txt": "\f\n\x0b\nfirst\n\fa page\n\f\nthe walrus swims\n",
    "tabs.txt": "\tfirst\n\t\tsecond\n\n\tthe\twalrus\tswims\n",
    "front.md": "---\ntitle: A beast\na: b\n---\n\ntext\n\nIt has a heading\n================\n\nthe walrus swims\n",
    "crlf.md": "---\r\ntitle: A beast\r\n---\r\n\r\ntext\r\n\r\n## In the middle\r\n\r\nthe walrus swims\r\n",
    "heading.md": "\n\ntext\n\n# In the middle\n\nthe walrus swims\n",
    "one.txt": "the walrus swims",
    "deep.txt": f"\n\n{FILLER}the walrus swims\n{FILLER[:200_000]}",
    "uneven.txt": f"{'a ' * 100_000}\nthe walrus swims\n{'incomprehensibilities ' * 20_000}",
    "titled.md": f"# About a beast\n\n{FILLER}\nthe walrus swims\n",
}
PAGES = ["on the first page is bread", "on the second page is nothing\nelse", "on the third page the walrus swims"]
STARTS = [0, len(PAGES[0]) + 1, len(PAGES[0]) + len(PAGES[1]) + 2]
MANUAL = Document(
    "manual.pdf", "\n".join(PAGES), places=tuple(Place(at, "page", str(n)) for n, at in enumerate(STARTS, start=1))
)


def line_of(content: str) -> int:
    """The line of the walrus, as grep counts lines."""
    return 1 + next(n for n, line in enumerate(content.encode().split(b"\n")) if b"walrus" in line)


@pytest.fixture(scope="module", params=[0, 30], ids=["whole documents", "passages"])
def found(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    notes = folder / "notes"
    notes.mkdir()
    for name, content in FILES.items():
        (notes / name).write_bytes(content.encode())
    (source,) = sources([str(notes)])
    corpus = [*source.read(), replace(MANUAL, source=MANUAL.id, origin=source.key), *some_documents()]
    with Engine.create(folder / "index") as engine:
        engine.index(corpus, model=TINY, train=QUICK, passage=request.param, sources=[source])
        yield notes, {hit.id: hit for hit in engine.search("walrus swims", 20, "bm25")}


class TestPlaces:
    @pytest.mark.parametrize("name", FILES)
    def test_a_hit_is_on_the_line_that_an_editor_shows(self, found, name):
        notes, hits = found
        assert hits[name].place == f"line {line_of(FILES[name])}"
        assert hits[name].source == str(notes / name)

    def test_a_hit_is_on_its_page(self, found):
        notes, hits = found
        assert (hits["manual.pdf"].place, hits["manual.pdf"].source) == ("page 3", str(notes / "manual.pdf"))
        assert [hits["manual.pdf"].snippet[start:end] for start, end in hits["manual.pdf"].marks] == ["walrus", "swims"]


def test_a_hit_is_on_the_page_of_the_word_that_is_worth_most(tmp_path):
    pages = ["the radiators and their valves", "bleed the radiators with a brass key"]
    places = (Place(0, "page", "1"), Place(len(pages[0]) + 1, "page", "2"))
    others = [Document(f"other {n}", "radiators and more radiators") for n in range(3)]
    with Engine.create(tmp_path / "index") as engine:
        engine.index([Document("manual.pdf", "\n".join(pages), places=places), *others], model=TINY, train=QUICK)
        assert engine.search("radiators brass", 1)[0].place == "page 2"


def test_a_document_from_a_program_has_no_place(engine):
    hit = engine.search("telescope", 1)[0]
    assert (hit.place, hit.source) == ("", engine.snapshot.document(hit.id).source)


class TestPlaceAt:
    def test_the_last_place_that_begins_before(self):
        assert [place_at(MANUAL, at) for at in (0, STARTS[1] - 1, STARTS[1], STARTS[2] + 5, 999)] == [
            "page 1", "page 1", "page 2", "page 3", "page 3",
        ]  # fmt: skip

    def test_nobody_knows(self):
        assert place_at(Document("a", "text"), 2) == ""
        assert place_at(Document("a", "text", places=(Place(2, "page", "1"),)), 1) == ""

    def test_lines_are_counted_from_the_place_before(self):
        document = Document("a", "a\nb\nc\nd", places=(Place(0, "line", "7"), Place(4, "line", "100")))
        assert [place_at(document, at) for at in (0, 2, 4, 6)] == ["line 7", "line 8", "line 100", "line 101"]

    @pytest.mark.parametrize("name", ["", "x", "9" * 5_000, "-1"])
    def test_a_line_without_a_number_is_what_it_is(self, name):
        assert place_at(Document("a", "a\nb", places=(Place(0, "line", name),)), 2) == f"line {name}".strip()


class TestParts:
    def test_a_page(self):
        assert [MANUAL.text[slice(*part_named(MANUAL, str(n)))].strip() for n in (1, 2, 3)] == PAGES

    @pytest.mark.parametrize("name", ["4", "0", "", "x"])
    def test_no_such_page(self, name):
        with pytest.raises(QueryError, match="it has page 1 to page 3"):
            part_named(MANUAL, name)

    def test_no_pages(self):
        with pytest.raises(QueryError, match="has no pages"):
            part_named(Document("a", "a\nb", places=(Place(0, "line", "1"),)), "1")

    def test_a_line(self):
        document = Document("a", "c\nd\ne", places=(Place(0, "line", "3"),))
        assert [document.text[start_of_line(document, n)] for n in (1, 3, 4, 5, 99)] == ["c", "c", "d", "e", "e"]
        two = Document("a", "c\nd\ne", places=(Place(0, "line", "3"), Place(4, "line", "90")))
        assert [two.text[start_of_line(two, n)] for n in (1, 4, 89, 90)] == ["c", "d", "e", "e"]
        with pytest.raises(QueryError, match="no text of lines"):
            start_of_line(MANUAL, 2)


class TestOriginal:
    """Of a document of `notes/` and of `mail.mbox`, both remembered; `secret` lies beside them."""

    @pytest.fixture
    def remembered(self, tmp_path):
        write(tmp_path, notes__sub__a_dot_txt="a", notes__rows_dot_csv="id,text", mail_dot_mbox="From ", secret="s")
        (tmp_path / "notes" / "x:7").write_text("a file of this name")
        (tmp_path / "notes" / "out.txt").symlink_to(tmp_path / "secret")
        (tmp_path / "notes" / "in.txt").symlink_to("sub/a.txt")
        (tmp_path / "notes" / "away").symlink_to(tmp_path)
        os.mkfifo(tmp_path / "notes" / "pipe")
        given = sources([str(tmp_path / "notes"), str(tmp_path / "mail.mbox")])
        return {source.key: source.as_json() for source in given}

    def document(self, remembered, name: str) -> Document:
        notes, mail, *_ = remembered
        if name.startswith("mail.mbox"):
            return Document("id", "text", source=f"{remembered[mail]['name']}{name[9:]}", origin=mail)
        return Document(name, "text", source=f"{remembered[notes]['name']}{name}", origin=notes)

    @pytest.mark.parametrize(
        ("name", "path"),
        [
            ("sub/a.txt", "notes/sub/a.txt"),
            ("rows.csv:12", "notes/rows.csv"),
            ("rows.csv/inside/of/it.txt", "notes/rows.csv"),
            ("x:7", "notes/x:7"),
            ("in.txt", "notes/sub/a.txt"),
            ("sub/../rows.csv", "notes/rows.csv"),
            ("mail.mbox:3", "mail.mbox"),
            ("mail.mbox", "mail.mbox"),
        ],
    )
    def test_inside_of_a_source(self, remembered, tmp_path, name, path):
        document = self.document(remembered, name)
        assert original(document, remembered) == tmp_path / path
        opened, file = open_original(document, remembered)
        with file:
            assert (opened, file.read()) == (tmp_path / path, (tmp_path / path).read_bytes())

    @pytest.mark.parametrize(
        "name",
        ["../secret", "sub/../../secret", "out.txt", "away/secret", "/etc/passwd", "//etc/passwd", "pipe", "", ".",
         "sub", "gone.txt", "a\0b", "\ud800", "x" * 5_000, "a/" * 3_000, "../../../../../../etc/passwd"],
    )  # fmt: skip
    def test_nothing_else_is_opened(self, remembered, name):
        document = self.document(remembered, name)
        with pytest.raises(QueryError, match=r"is not there any more|in no source"):
            original(document, remembered)
        with pytest.raises(QueryError):
            open_original(document, remembered)

    @pytest.mark.parametrize("origin", ["/a\0b", "/\ud800", "", "/" + "x" * 5_000, "relative", "scifact"])
    def test_a_source_that_no_one_has(self, remembered, origin):
        remembered["x"] = {**next(iter(remembered.values())), "origin": origin, "name": ""}
        with pytest.raises(QueryError):
            original(Document("id", "text", source="secret", origin="x"), remembered)
        assert original(self.document(remembered, "sub/a.txt"), remembered).name == "a.txt"

    @pytest.mark.parametrize(
        ("origin", "said"), [("-", "standard input"), ("scifact", "the corpus"), ("", "a program")]
    )
    def test_a_document_without_a_file(self, remembered, origin, said):
        document = Document("7", "text", source="stdin:7", origin=origin)
        with pytest.raises(QueryError, match=f"came from {said}.*, not from a file"):
            original(document, {**remembered, "-": {"origin": "-", "name": ""}})
        assert address(document, remembered) == "stdin:7"

    def test_a_file_that_is_exchanged_while_it_is_opened(self, remembered, tmp_path, monkeypatch):
        document, opened = self.document(remembered, "sub/a.txt"), os.open

        def exchanged(path, *arguments, **named):
            descriptor = opened(path, *arguments, **named)
            os.unlink(path)  # noqa: PTH108
            os.symlink(tmp_path / "secret", path)  # noqa: PTH211
            return descriptor

        monkeypatch.setattr("os.open", exchanged)
        with pytest.raises(QueryError):
            open_original(document, remembered)


class TestPrograms:
    @pytest.mark.parametrize(
        ("name", "content"),
        [("a.desktop", "[Desktop Entry]"), ("a.EXE", ""), ("a.sh", ""), ("a.url", ""), ("run", "#!/bin/sh"),
         ("run.unknown", "\x7fELF"), ("link", "\n[Desktop Entry]\nExec=x"), ("a.pdf.lnk", ""), ("a.jar", "")],
    )  # fmt: skip
    def test_what_the_system_may_run(self, tmp_path, name, content):
        (tmp_path / name).write_text(content)
        assert is_program(tmp_path / name)

    @pytest.mark.parametrize(
        ("name", "mode"), [("a.txt", 0o755), ("a.pdf", 0o755), ("README", 0o644), ("a.org", 0o644)]
    )
    def test_what_it_shows(self, tmp_path, name, mode):
        (tmp_path / name).write_text("MZ is the beginning of a text, too" if name == "a.txt" else "text")
        (tmp_path / name).chmod(mode)
        assert not is_program(tmp_path / name)

    def test_a_file_without_an_ending_that_may_be_run(self, tmp_path):
        (tmp_path / "run").write_text("rm -r /")
        (tmp_path / "run").chmod(0o755)
        assert is_program(tmp_path / "run")
