"""Every document of a file has the fields of the file; rows of tables have their own."""

import os
import zipfile
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


def test_rows_have_the_names_of_their_file_but_not_what_each_change_of_it_changes(tmp_path: Path) -> None:
    write(tmp_path, tables__a_dot_csv="id,text,size,Path\n1,row,L,x\n",
          b_dot_jsonl='{"id": 2, "text": "row", "path": 7}',
          tables__c_dot_mbox="From x\nMessage-ID: <m>\nSubject: s\n\nbody\n",
          d_dot_vcf="BEGIN:VCARD\nFN:Ada\nEND:VCARD\n")  # fmt: skip
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("in/f.csv", "id,text\n1,row\n")
        archive.writestr("in/g.txt", "text")
    fields = {id: dict(document.fields) for id, document in documents(tmp_path).items()}
    table = {"path": "tables/a.csv", "type": "csv", "folder": "tables"}
    assert fields["tables/a.csv:1"] == {**table, "size": "L", "Path": "x"}
    assert fields["b.jsonl:2"] == {"path": 7, "type": "jsonl"}
    assert fields["tables/c.mbox:m"].items() >= {"path": "tables/c.mbox", "folder": "tables", "type": "mbox"}.items()
    assert fields["d.vcf:1"] == {"path": "d.vcf", "type": "vcf"}
    assert fields["e.zip/in/f.csv:1"] == {"path": "e.zip/in/f.csv", "type": "csv", "folder": "e.zip/in"}
    assert fields["e.zip/in/g.txt"].items() >= {"path": "e.zip/in/g.txt", "folder": "e.zip/in", "type": "txt"}.items()


def test_a_table_that_is_the_only_source_keeps_its_fields(tmp_path: Path) -> None:
    write(tmp_path, a_dot_csv="id,text,price\n1,row,5\n")
    assert documents(tmp_path / "a.csv")["1"].fields == {"price": 5}


def test_documents_are_selected_by_the_fields_of_their_files(tmp_path: Path) -> None:
    write(tmp_path, a_dot_md="# A", b_dot_txt="b")
    write(tmp_path, c_dot_csv="id,text\n1,row\n", d_dot_csv="id,text,type\n1,row,md\n2,row,other\n")
    assert list(documents(tmp_path, spec=TableSpec(select=(("type", "md"),)))) == ["a.md", "d.csv:1"]
    assert list(documents(tmp_path, spec=TableSpec(select=(("type", "csv"),)))) == ["c.csv:1"]


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
