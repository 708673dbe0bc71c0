"""The shell on pictures: what it reads, finds, draws and writes, and one clear line where words are needed."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shared import PATTERNS, TINY, Said, some_documents, some_pictures, write_picture

from textae import Engine, TrainSpec

QUICKLY = ("--passes", 3, "--device", "cpu", "--dims", 8, "--bits", 32, "--hidden", 16)


def rows(said: Said) -> list[dict]:
    return [json.loads(line) for line in said.out.splitlines()]


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Be in a folder that has photos, in subfolders of their labels."""
    monkeypatch.chdir(tmp_path)
    for document in some_pictures(9):
        write_picture(tmp_path / "photos" / document.fields["label"] / f"{document.id}.png", document.picture)
    return tmp_path


@pytest.fixture
def photos(shell, here) -> Path:
    """Give an index of the photos."""
    assert shell("index", "photos", "--quiet", *QUICKLY).code == 0
    return here / ".textae"


@pytest.fixture
def ask(shell, pictures_folder):
    """Give a function that asks the index of 60 pictures, which is read only."""
    return lambda command, *arguments, **options: shell(command, *arguments, "--index", pictures_folder, **options)


class TestIndex:
    def test_it_is_told_in_terms_of_pictures(self, shell, here) -> None:
        (here / "photos" / "notes.md").write_text("# about comets")
        said = shell("index", "photos", *QUICKLY)
        assert (said.code, said.out) == (0, "")
        lines = [line for line in said.err.splitlines() if not line.endswith("…")]
        assert lines == [
            "textae: indexed 9 pictures of 6 × 6 grey levels in .textae",
            "textae: skipped 1 · unknown type .md: 1 (--verbose lists them)",
            "textae: learned from only 9 pictures: expect little more than matching pixels; some 500 are needed",
        ]
        assert shell("add", "photos").err.splitlines()[-2] == "textae: unchanged 9; 9 pictures in .textae"
        assert "textae: trained on 9 pictures in .textae\n" in shell("train").err

    def test_json(self, shell, here) -> None:
        (row,) = rows(shell("index", "photos", "--json", *QUICKLY))
        assert (row["documents"], row["shape"], row["language"]) == (9, [6, 6, 1], None)

    def test_the_kind_may_be_said(self, shell, here) -> None:
        (here / "photos" / "notes.md").write_text("a comet and a star")
        (row,) = rows(shell("index", "photos", "--kind", "texts", "--json", *QUICKLY))
        assert (row["documents"], row["shape"], row["skipped"]) == (1, None, {"unknown type .png": 9})
        said = shell("index", "photos/notes.md", "--kind", "pictures", "--json", "--replace", *QUICKLY)
        assert said.error == "no document to index; skipped 1 (unknown type .md: 1)"

    def test_colours_and_a_photograph_as_a_query(self, shell, here) -> None:
        (here / "small").mkdir()
        for n in range(3):
            Image.new("RGB", (4, 3), (80 * n, 0, 200)).save(here / "small" / f"{n}.png")
        Image.new("RGB", (640, 480), (160, 0, 200)).save(here / "large.jpg")
        assert "indexed 3 pictures of 4 × 3 colours in" in shell("index", "small", *QUICKLY).err
        assert rows(shell("similar", "large.jpg", "--mode", "pixels", "--json"))[0]["id"] == "2.png"

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--language", "english"], "the language 'english' was named, of pictures; leave --language out"),
            (["--passages", "30"], "passages of 30 words were asked for, of pictures; leave --passages out"),
            (
                ["--text-field", "body"],
                "--id-field, --title-field and --text-field are for tables of texts, not for pictures",
            ),
            (["--kind", "sounds"], "Invalid value for '--kind': 'sounds' is not one of 'texts', 'pictures'"),
            (["-", "--kind", "pictures"], "standard input gives texts, and pictures are asked for"),
        ],
    )
    def test_what_pictures_do_not_have(self, shell, photos, arguments, says) -> None:
        assert shell("index", "photos", "--replace", "--quiet", *QUICKLY, *arguments).error.startswith(says)
        assert shell("info").code == 0

    def test_it_lives(self, shell, photos, here) -> None:
        new = some_pictures(3, seed=2)
        write_picture(here / "photos" / "new.png", new[0].picture)
        (here / "photos" / "across" / "across-0.png").unlink()
        (here / "photos" / "notes.md").write_text("# about")
        (row,) = rows(shell("sync", "--json"))
        assert (row["added"], row["removed"], row["skipped"]) == (1, 1, {"unknown type .md": 1})
        write_picture(here / "more" / "b.png", new[1].picture)
        for n in range(5):
            (here / "more" / f"{n}.txt").write_text("words, and more of them than pictures")
        assert shell("add", "more").err.splitlines()[-2:] == [
            "textae: added 1; 10 pictures in .textae",
            "textae: skipped 5 · unknown type .txt: 5 (--verbose lists them)",
        ]
        assert shell("rm", "more/b.png").err.endswith("textae: removed 1; 9 pictures in .textae\n")
        facts = rows(shell("info", "--json"))[0]
        assert (facts["documents"], facts["pictures"]) == (9, "6 × 6 grey levels")
        assert facts["error_of_added"] > 0
        assert not {"terms", "language", "hybrid_weight", "inputs"} & set(facts)
        assert shell("doctor").out == ".textae: sound\n"


class TestSimilar:
    def test_a_file_an_id_and_standard_input(self, ask, tmp_path) -> None:
        picture = some_pictures(60)[4].picture
        path = write_picture(tmp_path / "a.png", picture)
        by_file = ask("similar", path, "-k", 4, "--json")
        piped = ask("similar", "-", "-k", 4, "--json", stdin=path.read_bytes())
        assert [row["id"] for row in rows(by_file)] == [row["id"] for row in rows(piped)]
        first, *others = rows(by_file)
        assert (first["id"], first["rank"], first["fields"]) == ("down-4", 1, {"label": "down", "year": 1904})
        by_id = rows(ask("similar", "down-4", "-k", 3, "--json"))
        assert [row["id"] for row in by_id] == [row["id"] for row in others]

    def test_every_system_and_every_shape_of_output(self, ask) -> None:
        for mode in ("pixels", "pca", "pca-3", "code", "bits", "bits-16"):
            said = ask("similar", "down-4", "-k", 1, "--mode", mode, "--tsv")
            assert said.out.startswith("down-4\t1\tdown-"), mode
        assert ask("similar", "down-4", "-k", 1, "--trec").out.split()[:3] == ["1", "Q0", ask_id(ask)]
        assert re.fullmatch(r"  1  down-\d+  [01]\.\d{3}\n", ask("similar", "down-4", "-k", 1).out)

    def test_where(self, ask) -> None:
        found = rows(ask("similar", "down-4", "--where", "label:square year:>1950", "-k", 60, "--json"))
        assert {row["id"] for row in found} == {"square-53", "square-56", "square-59"}

    def test_of_arrays_the_first_picture_asks(self, ask, tmp_path) -> None:
        images = np.stack([np.frombuffer(one.picture.pixels, np.uint8).reshape(6, 6) for one in some_pictures(3)])
        np.savez(tmp_path / "a.npz", images=images)
        assert rows(ask("similar", tmp_path / "a.npz", "-k", 1, "--json"))[0]["id"] == "across-0"

    def test_a_contact_sheet(self, ask, tmp_path) -> None:
        said = ask("similar", "down-4", "across-3", "-k", 5, "--html", tmp_path / "found.html", "--tsv")
        assert (len(said.out.splitlines()), said.err) == (5, f"textae: wrote {tmp_path}/found.html\n")
        page = (tmp_path / "found.html").read_text()
        names = re.findall("<bdi>(.*?)</bdi>", page)
        assert names == ["down-4", "across-3", *(line.split("\t")[2] for line in said.out.splitlines())]
        assert page.count("data:image/png;base64,") == 7
        path = write_picture(tmp_path / "<b>.png", some_pictures(1)[0].picture)
        ask("similar", path, "-k", 2, "--html", tmp_path / "found.html", "--quiet")
        assert "&lt;b&gt;.png</bdi>" in (tmp_path / "found.html").read_text()

    def test_a_contact_sheet_of_nothing(self, ask, tmp_path) -> None:
        said = ask("similar", "down-4", "--where", "year:1", "--html", tmp_path / "found.html")
        assert (said.code, said.out) == (1, "")
        assert (tmp_path / "found.html").read_text().count("<figure") == 1

    def test_eval_scores_the_systems_of_pictures_side_by_side(self, ask, tmp_path) -> None:
        figures = rows(ask("eval", "--label", "label", "-k", 5, "--json"))
        assert [(row["system"], row["metric"], row["queries"]) for row in figures] == [
            (system, "P@5", 60) for system in ("pixels", "pca", "code", "bits", "hamming")
        ]
        assert min(row["value"] for row in figures) > 0.8
        for document in some_pictures(6, seed=3):
            write_picture(tmp_path / document.fields["label"] / f"{document.id}.png", document.picture)
        (tmp_path / "notes.md").write_text("# about")
        said = ask("eval", "--label", "label", "--queries", tmp_path, "-k", 5, "--systems", "pixels,bits-8", "--json")
        assert [row["queries"] for row in rows(said)] == [6, 6]
        assert said.err == "textae: skipped 1 of the queries\n"

    def test_near_duplicates(self, shell, photos, here) -> None:
        darker = Image.open(here / "photos" / "down" / "down-1.png")
        with darker:
            darker.point(lambda level: max(0, level - 3)).save(here / "photos" / "copy.png")
        shell("sync", "--quiet")
        found = rows(shell("dups", "--json"))
        assert {row["id"] for row in found} == {"copy.png", "down/down-1.png"}
        assert all(0.98 < row["resemblance"] <= 1 for row in found)
        assert shell("dups").err.endswith("textae: 2 pictures in 1 groups, of 10 compared within 2 bits\n")
        assert shell("dups", "--resemblance", 1).code == 1


def ask_id(ask) -> str:
    return rows(ask("similar", "down-4", "-k", 1, "--json"))[0]["id"]


class TestDecoder:
    def test_a_picture_beside_what_its_code_draws(self, ask, tmp_path) -> None:
        out = tmp_path / "out.png"
        said = ask("decode", "down-4", "square-5", "-o", out)
        assert (said.code, said.out, said.err) == (0, "", f"textae: drew {out}\n")
        pixels = drawn(out)
        assert pixels.shape == (2 * 96 + 4, 2 * 96 + 4, 3)
        original = np.frombuffer(some_pictures(60)[4].picture.pixels, np.uint8).reshape(6, 6)
        assert (pixels[:96:16, :96:16, 0] == original).all()
        difference = pixels[:96:16, 100::16, 0].astype(float) / 255 - original / 255.0
        row = rows(ask("decode", "down-4", "--json"))[0]
        assert row["id"] == "down-4"
        assert row["error"] == pytest.approx(np.square(difference).sum(), abs=0.05)
        shown = ask("decode", "down-4", "square-5").out.splitlines()
        assert [line.split()[1] for line in shown] == ["down-4", "square-5"]
        ask("decode", "--code", row["code"], "-o", out, "--quiet")
        assert (drawn(out) == pixels[:96, 100:]).all()

    def test_samples(self, ask, tmp_path) -> None:
        said = ask("sample", "-n", 5, "-o", tmp_path / "out.png", "--seed", 3)
        assert (said.code, said.out, said.err) == (0, "", f"textae: drew {tmp_path}/out.png\n")
        assert drawn(tmp_path / "out.png").shape == (196, 296, 3)
        found = rows(ask("sample", "-n", 5, "--seed", 3, "--json"))
        assert [set(row) for row in found] == [{"sample", "nearest", "distance", "code"}] * 5
        lines = ask("sample", "-n", 2).out.splitlines()
        assert all(re.fullmatch(r" +\d  nearest: \S+  \S+ away", line) for line in lines)

    def test_a_grid_over_codes_of_two_numbers(self, shell, ask, tmp_path) -> None:
        with Engine.create(tmp_path / "plane") as engine:
            engine.index(some_pictures(30), model=replace(TINY, dims=2), train=TrainSpec(5, "cpu", 3, pretrain="none"))
        out = tmp_path / "grid.png"
        assert shell("sample", "--grid", 4, "-o", out, "--index", tmp_path / "plane").err == f"textae: drew {out}\n"
        assert drawn(out).shape == (396, 396, 3)
        cells = rows(shell("sample", "--grid", 4, "--json", "--index", tmp_path / "plane"))
        assert [(cell["row"], cell["column"]) for cell in cells] == [(r, c) for r in range(4) for c in range(4)]
        assert "give -o OUT.png to draw them" in shell("sample", "--grid", 4, "--index", tmp_path / "plane").error
        assert ask("sample", "--grid", 4).error.endswith("'textae index SOURCE… --dims 2' learns such codes")


@pytest.fixture(scope="module")
def taught(tmp_path_factory) -> Path:
    """Give an index that learned the labels of 30 of 60 pictures; the others have none."""
    folder = tmp_path_factory.mktemp("taught") / "index"
    given = some_pictures(60)
    some = given[:30] + [replace(one, fields={"year": 1900}) for one in given[30:]]
    with Engine.create(folder) as engine:
        engine.index(some, model=TINY, train=TrainSpec(epochs=5, device="cpu"))
        engine.train(label="label", train=TrainSpec(device="cpu"))
    return folder


class TestLabels:
    def test_files_and_ids_get_their_labels(self, shell, taught, tmp_path) -> None:
        new = some_pictures(12, seed=5)
        paths = [write_picture(tmp_path / f"{one.id}.png", one.picture) for one in new]
        lines = shell("classify", *paths, "-k", 1, "--index", taught).out.splitlines()
        assert [line.split("\t")[:3] for line in lines] == [
            [str(path), "1", one.fields["label"]] for path, one in zip(paths, new, strict=True)
        ]
        (row,) = rows(shell("classify", "square-50", "-k", 1, "--json", "--index", taught))
        assert (row["id"], row["label"]) == ("square-50", "square")
        large = tmp_path / "large.png"
        with Image.open(paths[1]) as small:
            small.resize((60, 60)).save(large)
        of_stdin = shell("classify", "-", "-k", 1, "--json", "--index", taught, stdin=large.read_bytes())
        assert rows(of_stdin)[0]["label"] == new[1].fields["label"]
        assert "no document has the id 'x12'" in shell("classify", "x12", "--index", taught).error

    def test_the_same_labels_twice_change_nothing_and_others_start_anew(self, shell, photos) -> None:
        def learned(*options: object) -> dict[str, bytes]:
            said = shell("train", "--label", "label", "--device", "cpu", *options)
            assert "textae: 9 of 9 pictures have a label in 'label', of 3 classes; 'textae classify'" in said.err
            with Engine.open(photos) as engine:
                floats = np.asarray(engine.snapshot.codes.floats)
                expected = engine.snapshot.model.encoder.encode(engine.snapshot.pixels_of(range(9))).floats
                assert np.abs(floats - expected).max() < 0.001  # the stored codes are of the new encoder
                arrays = engine.snapshot.arrays
                return {name: arrays[name].tobytes() for name in arrays if "encoder/" in name or "classifier" in name}

        first = learned()
        assert any(name.startswith("unlabelled/encoder/pixel/") for name in first)
        assert learned() == first
        other = learned("--seed", 2)
        before = [name for name in first if name.startswith("unlabelled/")]
        assert [name for name in before if other[name] != first[name]] == []
        assert (
            other["encoder/pixel/weight0"]
            != first["encoder/pixel/weight0"]
            != first["unlabelled/encoder/pixel/weight0"]
        )
        assert shell("doctor").out == ".textae: sound\n"
        assert "textae: trained on 9 pictures" in learned_anew(shell)

    def test_a_file_of_texts_has_no_pictures(self, shell, taught) -> None:
        said = shell("classify", "--queries", "-", "--index", taught, stdin=b"a bar")
        assert said.error.startswith("the label of a text is for texts, and the index")

    def test_what_starts_from_no_pca_learns_no_label(self, ask) -> None:
        assert ask("train", "--label", "label").error.startswith("labels fine-tune what starts from LSA")
        assert ask("classify", "down-4").error.endswith("has learned no labels; 'textae train --label FIELD' does it")


def learned_anew(shell) -> str:
    """What is said of learning both anew, a model and labels."""
    return shell("train", "--label", "label", "--device", "cpu", *QUICKLY[:2]).err


class TestWhatIsForTexts:
    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            (["search", "a bar"], "a question in words"),
            (["search", "a bar", "--expand"], "a question in words"),
            (["similar", "down-4", "--explain"], "an explanation by words"),
            (["similar", "down-4", "--must", "bar"], "a condition on text (--must)"),
            (["decode", "--text", "a bar"], "a question in words"),
        ],
    )
    def test_it_is_refused_in_one_line(self, ask, pictures_folder, arguments, what) -> None:
        said = ask(*arguments)
        holds = f"the index {pictures_folder} holds pictures; 'textae similar PICTURE' searches them"
        assert said.error == f"{what} is for texts, and {holds}"

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["similar", "down-4", "--mode", "bm25"], "no system 'bm25' for pictures; give one of pixels, pca, code"),
            (["eval", "--label", "label", "--systems", "tfidf"], "no system 'tfidf' for pictures"),
            (["decode", "--code", "1,2"], "this code is of a picture; give -o OUT.png to draw it"),
            (["decode", "--code", "1,2", "-o", "a.png"], "the code has 2 numbers, and those of this index have 8"),
            (["decode", "down-4", "-o", "a.gif"], "no picture for 'a.gif'; give a name that ends in .png"),
            (["decode", "x12", "-o", "a.png"], "no document has the id 'x12'"),
            (["similar", "x12", "--html", "a.html"], "no document has the id 'x12'"),
        ],
    )
    def test_other_mistakes_are_one_line_too(self, ask, tmp_path, monkeypatch, arguments, says) -> None:
        monkeypatch.chdir(tmp_path)
        assert ask(*arguments).error.startswith(says)
        assert not list(tmp_path.iterdir())

    def test_files_that_are_no_pictures(self, ask, tmp_path) -> None:
        for name, content, why in (
            ("a.md", b"# words", "unknown type .md"),
            ("b", b"words", "no picture that can be read"),
        ):
            (tmp_path / name).write_bytes(content)
            assert why in ask("similar", tmp_path / name).error
        assert ask("similar", "-", stdin=b"words").error.startswith("standard input: no picture that can be read")
        assert ask("similar", "-").error == "standard input: the file is empty; give a picture"

    def test_what_is_for_pictures(self, shell, index_folder, tmp_path) -> None:
        def asked(*arguments: object) -> str:
            return shell(*arguments, "--index", index_folder).error

        assert asked("similar", "stars-0", "--html", tmp_path / "a.html").startswith(
            "--html shows pictures, and the index"
        )
        assert asked("decode", "stars-0", "-o", tmp_path / "a.png").startswith("-o draws pictures, and the index")
        path = write_picture(tmp_path / "a.png", some_pictures(1)[0].picture)
        assert asked("similar", path) == (
            f"{path} gives no document: unknown type .png; give a file of text, or the id of a document"
        )
        assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_title_of_a_text_is_not_a_picture(shell, tmp_path) -> None:
    """Ids that look like files are ids first."""
    documents = [replace(document, id=f"{document.id}.png") for document in some_documents(12)]
    with Engine.create(tmp_path / "index") as engine:
        engine.index(documents, model=TINY, train=TrainSpec(epochs=1, device="cpu"))
    assert shell("similar", "stars-0.png", "--index", tmp_path / "index", "--json").code == 0


class TestTopicsAndMap:
    @pytest.fixture
    def seen(self, shell, pictures_folder, tmp_path):
        """Give a function that asks an index of 60 pictures with three topics."""
        folder = shutil.copytree(pictures_folder, tmp_path / "index")
        with Engine.open(folder) as engine:
            engine.topics(3)
        return lambda command, *arguments: shell(command, *arguments, "-q", "--index", folder)

    def test_topics(self, seen) -> None:
        lines = [line.split() for line in seen("topics").out.splitlines()]
        assert {line[-1] for line in lines if "." in line[0]} == set(PATTERNS)
        (id, *_, name), *_ = (line for line in lines if "." in line[0])
        first, second, *typical = seen("topics", id).out.splitlines()
        assert first == f"{id}  {name}"
        assert second.endswith("of 60 documents, 33.3%")
        assert typical  # and no words: the name says them
        assert all(f"  {name}-" in line for line in typical)

    def test_the_map(self, seen, tmp_path) -> None:
        for name in ("map.html", "map.png"):
            said = seen("map", tmp_path / name, "--layout", "lsa")
            assert (said.code, said.out, said.err) == (0, "", "")
            assert (tmp_path / name).stat().st_size > 10_000
        in_terminal = seen("map", "--layout", "lsa").out
        assert all(f"{name} (20)" in in_terminal for name in PATTERNS)
