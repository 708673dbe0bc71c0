"""Archives: their members are read as files, and what they unpack to is bounded."""

import gzip
from pathlib import Path

import pytest
from asked import refusal

import house
from benchmarks.made import tarred, zipped
from textae.corpus import Limits, read
from textae.corpus.formats import archives
from textae.corpus.reading import LONGEST
from textae.types import Document

PAGE = b"# Title\nbody"


def outcome(*given: Path, limits: Limits | None = None) -> dict[str, str]:
    """The text of each document, or the reason to skip it."""
    items = read([str(one) for one in given], limits=limits or Limits())
    return {item.source: item.text if isinstance(item, Document) else f"! {item.reason}" for item in items}


def test_members_are_read_by_their_kind_under_their_path(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", {
        "in/page.md": PAGE, "b.html": "<p>page", "c.txt.gz": gzip.compress(b"packed"), "d.csv": "id,text\n1,row\n",
        ".hidden": "x", "__MACOSX/x.txt": "x", "node_modules/x.txt": "x", "p.png": "x", "../../up.txt": "up",
        "empty/": "", "bad.pdf": "%PDF-", "lie.txt": "%PDF-1.4",
    })  # fmt: skip
    found = outcome(tmp_path)
    assert found == {
        "a.zip/in/page.md": "# Title\nbody", "a.zip/b.html": "page", "a.zip/c.txt.gz": "packed", "a.zip/d.csv:2": "row",
        "a.zip/p.png": "! unknown type .png", "a.zip/up.txt": "up", "a.zip/bad.pdf": "! damaged",
        "a.zip/lie.txt": "! a PDF named .txt",
    }  # fmt: skip


def test_a_member_has_the_fields_of_a_file(tmp_path: Path) -> None:
    (item,) = read([str(tarred(tmp_path / "a.tar", "w", {"in/page.md": PAGE}))])
    assert isinstance(item, Document)
    fields = {"path": "a.tar/in/page.md", "folder": "a.tar/in", "type": "md", "size": 12}
    assert dict(item.fields) == fields | {"modified": item.fields["modified"]}
    assert str(item.fields["modified"]).startswith("2023-11-1")


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.txz", "w:xz")],
)
def test_tar_files_packed_or_not(name: str, mode: str, tmp_path: Path) -> None:
    assert outcome(tarred(tmp_path / name, mode, {"x.md": PAGE})) == {f"{name}/x.md": "# Title\nbody"}


def test_three_archives_in_each_other_are_read_and_four_are_not(tmp_path: Path) -> None:
    inner: dict[str, str | bytes] = {"x.txt": "deep"}
    for name in ("3.zip", "2.zip"):
        inner = {name: house.zipped(inner)}
    assert outcome(zipped(tmp_path / "1.zip", inner)) == {"1.zip/2.zip/3.zip/x.txt": "deep"}
    deeper = zipped(tmp_path / "0.zip", {"1.zip": house.zipped(inner)})
    assert outcome(deeper) == {"0.zip/1.zip/2.zip/3.zip": "! an archive in 3 archives"}


def test_members_and_bytes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textae.corpus.files.AVAILABLE", False)  # so that the bounds of this process hold
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    path = zipped(
        tmp_path / "a.zip", {"in.zip": house.zipped({"1.txt": "1", "2.txt": "2", "3.txt": "3"}), "4.txt": "4"}
    )
    assert outcome(path) == {
        "a.zip/in.zip/1.txt": "1", "a.zip/in.zip/2.txt": "2", "a.zip/in.zip": "! more than 3 members",
        "a.zip": "! more than 3 members",
    }  # fmt: skip
    monkeypatch.setattr(archives, "MOST_BYTES", 1_000)
    path = zipped(tmp_path / "b.zip", {"1.txt": "x" * 900, "2.txt": "y" * 900, "3.txt": "z"})
    assert [reason[:4] for reason in outcome(path).values()] == ["xxxx", "! an", "z"]


def test_a_member_that_unpacks_to_more_than_a_document_is_skipped(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"bomb.txt": bytes(LONGEST + 1), "b.txt": "text"})
    assert outcome(path) == {"a.zip/bomb.txt": "! longer than 16 MiB", "a.zip/b.txt": "text"}


def test_reading_goes_on_behind_a_member_that_takes_too_long(tmp_path: Path) -> None:
    slow = "<a " + " ".join(f"a{n}=1" for n in range(60_000)) + ">"
    inner = house.zipped({"3.csv": "id,text\n1,one\n2,two\n"})
    path = zipped(tmp_path / "a.zip", {"1.txt": "one", "2.html": slow, "x.zip": inner, "4.html": slow, "5.txt": "5"})
    late = "! took more than 0.5 s; give a larger --timeout"
    assert outcome(path, limits=Limits(seconds=0.5)) == {
        "a.zip/1.txt": "one", "a.zip:2": late, "a.zip/x.zip/3.csv:2": "one", "a.zip/x.zip/3.csv:3": "two",
        "a.zip:4": late, "a.zip/5.txt": "5",
    }  # fmt: skip


def test_what_is_no_archive_or_cannot_be_unpacked(tmp_path: Path) -> None:
    for name, content, reason in (
        ("a.zip", b"nothing", "damaged"),
        ("a.tar", b"nothing", "damaged"),
        ("a.tgz", gzip.compress(b"nothing" * 500), "damaged"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it, or pack it as zip"),
        ("a.zip", tarred(tmp_path / "x", "w:gz", {"y": b"y"}).read_bytes(), "a gzip file named .zip"),
    ):
        folder = tmp_path / reason[:9]
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        assert refusal(folder / name) == reason
        (folder / name).unlink()


def test_a_member_with_a_password_is_named(tmp_path: Path) -> None:
    content = bytearray(house.zipped({"secret.txt": "x", "open.txt": "text"}))
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # of the first member
        content[content.index(header) + flags] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert outcome(tmp_path) == {"a.zip/secret.txt": "! encrypted", "a.zip/open.txt": "text"}
