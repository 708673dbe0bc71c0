"""The same file is one document, whatever the paths that lead to it, and ids do not collide."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from shared import write

from textae.corpus import TableSpec, identity, read, sources
from textae.corpus.source import Source, beside
from textae.types import TEXTS, Document, Skipped

TABLE = "id,text\n1,{0} one\n2,{0} two\n"


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, notes__a_dot_txt="a", notes__sub__b_dot_txt="b", mail__c_dot_txt="c")


def ids(found: Sequence[Source]) -> list[str]:
    return [item.id for source in found for item in source.read() if isinstance(item, Document)]


def added(given: str, *known: str, spec: TableSpec | None = None) -> list[str]:
    """The ids of the documents of a source that is added to an index of others."""
    return ids(beside(sources(known), [given], spec or TableSpec(), TEXTS))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["notes", "./notes/", "notes/../notes"], ["a.txt", "sub/b.txt"]),
        (["notes", "notes/a.txt", "notes/sub"], ["a.txt", "sub/b.txt"]),
        (["notes/sub", "notes/a.txt", "."], ["mail/c.txt", "notes/a.txt", "notes/sub/b.txt"]),
        (["mail", "notes/sub/b.txt", "notes/sub"], ["mail/c.txt", "notes/sub/b.txt"]),
    ],
)
def test_what_lies_in_another_source_is_read_with_that(given: list[str], expected: list[str]) -> None:
    assert ids(sources(given)) == expected


def test_links_to_a_source_or_to_a_file_of_it_are_that(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("notes")
    (tmp_path / "link.txt").symlink_to("notes/a.txt")
    assert ids(sources(["notes", "link", "link.txt"])) == ["a.txt", "sub/b.txt"]
    assert ids(sources(["link"])) == ["a.txt", "sub/b.txt"]
    assert added("link.txt", "notes", "mail") == ["notes/a.txt"]


def test_a_link_in_a_folder_is_read_where_its_file_is_not(tmp_path: Path) -> None:
    write(tmp_path, notes___dot_hidden__h_dot_txt="h", notes__u_dot_png="u", outside_dot_txt="o")
    for name, target in {"1": "a.txt", "2": ".hidden/h.txt", "3": "u.png", "4": "../outside.txt", "5": "4.txt"}.items():
        (tmp_path / "notes" / f"{name}.txt").symlink_to(target)
    (tmp_path / "notes" / "sub" / "6.txt").symlink_to("../../mail/c.txt")
    found = list(read(["notes"]))
    assert [item.id for item in found if isinstance(item, Document)] == [
        "2.txt", "3.txt", "4.txt", "a.txt", "sub/6.txt", "sub/b.txt",
    ]  # fmt: skip
    linked = [item.source for item in found if isinstance(item, Skipped) and item.reason == identity.LINKED]
    assert linked == ["1.txt", "5.txt"]
    assert "notes/sub/6.txt" not in ids(sources(["notes", "mail"]))


def test_hard_links_are_files_of_their_own(tmp_path: Path) -> None:
    os.link(tmp_path / "mail" / "c.txt", tmp_path / "mail" / "d.txt")
    assert ids(sources(["mail"])) == ["c.txt", "d.txt"]


def test_a_file_or_folder_of_a_remembered_folder_is_a_part_of_it(tmp_path: Path) -> None:
    write(tmp_path, notes__new_dot_csv=TABLE.format("new"))
    assert added("notes/a.txt", "notes") == ["a.txt"]
    assert added("notes/sub", "notes") == ["sub/b.txt"]
    assert added("notes/new.csv", "notes", "mail") == ["notes/new.csv:1", "notes/new.csv:2"]
    (part,) = beside(sources(["notes"]), ["notes/a.txt"], TableSpec(), TEXTS)
    assert (part.key, part.as_json()) == (str(tmp_path / "notes"), sources(["notes"])[0].as_json())


def test_what_a_remembered_folder_does_not_read_is_a_source_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, notes__u_dot_png="u", notes___dot_hidden__h_dot_txt="h", notes__t_dot_csv="id,words\n1,w\n")
    assert added("notes/u.png", "notes") == []
    assert added("notes/.hidden", "notes") == ["notes/.hidden/h.txt"]
    spec = TableSpec(text_field="words")
    assert added("notes/t.csv", "notes", spec=spec) == ["notes/t.csv:1"]


def test_a_folder_around_a_remembered_source_leaves_its_files_to_it() -> None:
    assert added(".", "notes/sub", "mail/c.txt") == ["notes/a.txt"]
    assert added("notes", "notes/sub") == ["notes/a.txt"]
    assert added("notes/sub", "notes/sub", "notes/a.txt") == ["notes/sub/b.txt"]


def test_two_folders_with_one_name_have_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = sources(["notes", "mail"])
    write(tmp_path, other__notes__a_dot_txt="other", other__sub__b_dot_txt="other")
    monkeypatch.chdir(tmp_path / "other")
    assert ids(beside(known, ["notes"], TableSpec(), TEXTS)) == [f"{tmp_path}/other/notes/a.txt"]
    alone = sources([str(tmp_path / "notes")])
    assert ids(beside(alone, ["sub"], TableSpec(), TEXTS)) == [f"{tmp_path}/other/sub/b.txt"]


def test_rows_have_the_path_of_their_table_before_their_own_id(tmp_path: Path) -> None:
    write(tmp_path, t__one_dot_csv=TABLE.format("a"), t__two_dot_csv=TABLE.format("b"))
    assert ids(sources(["t"])) == ["one.csv:1", "one.csv:2", "two.csv:1", "two.csv:2"]
    assert ids(sources(["t/one.csv", "t/two.csv"])) == ["t/one.csv:1", "t/one.csv:2", "t/two.csv:1", "t/two.csv:2"]
    assert ids(sources(["t/one.csv"])) == ["1", "2"]
    assert added("t/two.csv", "t/one.csv") == ["t/two.csv:1", "t/two.csv:2"]
    assert added("t/one.csv", "t/one.csv") == ["1", "2"]


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_are_no_unicode_stay_apart_and_are_read_again(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    for name in (b"\xfe", b"\xfd", b"?"):
        (folder / os.fsdecode(name + b".txt")).write_text("text")
    (source,) = sources([str(folder)])
    again = Source.from_json(source.as_json())
    assert ids([source]) == ids([again]) == ["?.txt", r"\udcfd.txt", r"\udcfe.txt"]
    assert again == source
    assert source.key.isprintable()
