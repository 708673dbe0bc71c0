"""Every document of a file has the fields of the file; rows of tables have their own."""

import os
from datetime import datetime
from pathlib import Path

from shared import TINY, write

from textae import Engine, TrainSpec
from textae.corpus import TableSpec, read, sources
from textae.types import Document

NEW_YEAR = datetime(2026, 1, 1, 12).timestamp()


def documents(*given: Path, spec: TableSpec | None = None) -> dict[str, Document]:
    return {item.id: item for item in read([str(one) for one in given], spec) if isinstance(item, Document)}


def test_the_fields_of_a_file(tmp_path: Path) -> None:
    write(tmp_path, projects__plans__a_dot_md="# A", projects__b_dot_html="<p>b", Makefile="all:")
    os.utime(tmp_path / "projects/plans/a.md", (NEW_YEAR, NEW_YEAR))
    found = documents(tmp_path)
    assert dict(found["projects/plans/a.md"].fields) == {
        "path": "projects/plans/a.md", "folder": "projects/plans", "type": "md", "size": 3, "modified": "2026-01-01"
    }  # fmt: skip
    assert found["projects/b.html"].fields["folder"] == "projects"
    assert found["Makefile"].fields["type"] == "text"
    assert "folder" not in found["Makefile"].fields


def test_what_a_document_says_of_itself_comes_before_what_its_file_says(tmp_path: Path) -> None:
    write(tmp_path, a_dot_md="---\ntype: recipe\nmodified: 2001-02-03\n---\nSoup")
    fields = documents(tmp_path)["a.md"].fields
    assert (fields["type"], fields["modified"], fields["path"]) == ("recipe", "2001-02-03", "a.md")


def test_rows_and_messages_of_a_box_have_their_own_fields_only(tmp_path: Path) -> None:
    write(tmp_path, a_dot_csv="id,text,size\n1,row,L\n", b_dot_jsonl='{"id": 2, "text": "row"}\n',
          c_dot_mbox="From x\nMessage-ID: <m>\nSubject: s\n\nbody\n")  # fmt: skip
    for document in documents(tmp_path).values():
        assert not {"path", "folder", "modified"} & document.fields.keys()
        assert document.fields.get("size") in (None, "L")


def test_documents_are_selected_by_the_fields_of_their_files(tmp_path: Path) -> None:
    write(tmp_path, a_dot_md="# A", b_dot_txt="b")
    assert list(documents(tmp_path, spec=TableSpec(select=(("type", "md"),)))) == ["a.md"]


def test_a_search_is_narrowed_by_folder_and_day(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    for number in range(12):
        place = "projects" if number % 2 else "letters"
        write(folder / place, **{f"{number}_dot_txt": f"boiler heat water number{number}"})
        time = NEW_YEAR + (number - 6) * 86_400
        os.utime(folder / place / f"{number}.txt", (time, time))
    found = sources([str(folder)])
    with Engine.create(tmp_path / "index") as engine:
        engine.index(found[0].read(), sources=found, model=TINY, train=TrainSpec(epochs=1, device="cpu"))
        hits = engine.search("boiler", k=20, where="folder:projects AND modified:[2026 TO *]")
        assert {hit.id for hit in hits} == {f"projects/{number}.txt" for number in (7, 9, 11)}
