"""The shell: exit codes, what goes to which stream, the stable formats, and one clear line for whatever is wrong."""

import gzip
import io
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest
from shared import ENVIRONMENT, QUICK, command, contents, nobody, open_to_all, real_shell, some_documents

from textae import Document, Engine, ModelSpec, Ranking, TrainSpec
from textae.app.cli import cli
from textae.app.output.hits import write_trec
from textae.encoding.analyzer import VERSION
from textae.explore.classify import classify
from textae.explore.decode import decode_documents
from textae.index.database import FORMAT
from textae.index.writer import UpdateWriter

QUICKLY = ("--passes", 1, "--device", "cpu", "--dims", 16, "--bits", 32, "--hidden", 16)

NOWHERE = ",".join("0" * 118)
"""The code of what says nothing, in the index of 60 documents: LSA has 59 dimensions, for answers and for topics."""

HOSTILE = "comet \x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x85 \u202eevil\u202c \u2066x\u2069 \x7f \x08 \r \u2028 end"
STEERS = [
    chr(c) for c in (*range(9), *range(11, 32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF)
]
STEERS += [chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]


def table(path: Path, documents=None) -> Path:
    """Write documents as a table."""
    rows = [
        {"id": d.id, "title": d.title, "text": d.text, **d.fields}
        for d in (some_documents(30) if documents is None else documents)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rows(out: str) -> list[dict]:
    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in out.splitlines()]


@pytest.fixture
def search(shell, index_folder):
    def run(*arguments, **options):
        return shell("search", "--index", index_folder, *arguments, **options)

    return run


@pytest.fixture
def index(shell, tmp_path):
    """Give a function that indexes into a folder of the test, and what it had said."""

    def run(*arguments, **options):
        return shell("index", "--index", tmp_path / "index", *QUICKLY, *arguments, **options)

    return run


class TestSearch:
    def test_hits_go_to_stdout_and_nothing_to_stderr(self, search):
        said = search("comet telescope", "-k", 3)
        assert (said.code, said.err) == (0, "")
        lines = said.out.splitlines()
        assert [line[:9] for line in lines if not line.startswith("    ")] == ["  1  star", "  2  star", "  3  star"]
        assert all(len(line) <= 100 for line in lines)

    def test_words_need_no_quotes(self, search):
        assert search("comet", "telescope").out == search("comet telescope").out

    def test_json_has_the_documented_keys(self, search, engine):
        found = rows(search("only7", "comet", "-k", 4, "--json").out)
        assert len(found) == 4
        for rank, row in enumerate(found, start=1):
            assert {"query", "rank", "id", "score", "title", "snippet", "fields"} <= set(row)
            assert (row["query"], row["rank"]) == ("only7 comet", rank)
            assert row["fields"]["topic"] in row["id"]
        assert [row["id"] for row in found] == [hit.id for hit in engine.search("only7 comet", k=4)]

    def test_tsv_has_five_columns(self, search, engine):
        lines = search("only7", "-k", 2, "--tsv").out.splitlines()
        hits = engine.search("only7", k=2)
        assert [line.split("\t") for line in lines] == [
            ["only7", str(hit.rank), hit.id, f"{hit.score:.6g}", hit.title] for hit in hits
        ]

    def test_trec_is_a_run(self, search, engine):
        lines = search("comet", "-k", 2, "--trec", "--mode", "bm25").out.splitlines()
        columns = [line.split() for line in lines]
        assert [(c[0], c[1], c[2], c[3], c[5]) for c in columns] == [
            ("1", "Q0", hit.id, str(hit.rank), "bm25") for hit in engine.search("comet", k=2, mode="bm25")
        ]
        assert float(columns[0][4]) > float(columns[1][4])

    @pytest.mark.parametrize("mode", ["hybrid", "code", "bits", "bm25", "tfidf", "lsa", "lsa-2"])
    def test_every_system_can_be_asked(self, search, mode):
        assert search("comet", "--mode", mode, "-k", 1, "--tsv").out.split("\t")[2].startswith("stars-")

    def test_a_query_from_standard_input(self, search):
        assert search("-", stdin=b"comet\ntelescope\n").out == search("comet telescope").out

    @pytest.mark.parametrize("shape", ["--json", "--tsv", "--trec"])
    def test_many_queries_give_what_each_one_gives(self, search, tmp_path, shape):
        queries = tmp_path / "queries.jsonl"
        queries.write_text(
            '{"_id": "q1", "text": "comet"}\n{"_id": "q2", "text": ""}\n{"_id": "q3", "text": "zzz oven"}\n'
        )
        said = search("--queries", queries, "-k", 2, shape)
        assert said.code == 0
        found = [
            row["query_id"] + row["id"] if shape == "--json" else row[0] + row[2]
            for row in (rows(said.out) if shape == "--json" else [line.split() for line in said.out.splitlines()])
        ]
        expected = [
            (q, row["id"])
            for q, words in (("q1", "comet"), ("q3", "oven"))
            for row in rows(search(words, "-k", 2, "--json").out)
        ]
        assert found == [query + id for query, id in expected]
        told = "textae: 1 of 3 queries hold words that are not in the corpus"
        assert said.err == f"{told} (--verbose names them)\n"
        said = search("--queries", queries, "-k", 2, shape, "--verbose")
        assert said.err == f"{told}\ntextae: query q3: zzz\n"
        if shape == "--json":
            assert {(row["query_id"], row["query"]) for row in rows(said.out)} == {("q1", "comet"), ("q3", "zzz oven")}
        assert search("--queries", queries, "-k", 2, shape, "--quiet").err == ""

    def test_many_queries_have_titles(self, search, tmp_path, engine):
        (tmp_path / "q.txt").write_text("comet\noven\n")
        lines = [line.split("\t") for line in search("--queries", tmp_path / "q.txt", "--tsv").out.splitlines()]
        assert len(lines) == 20
        assert [line[4] for line in lines] == engine.snapshot.reader.titles([line[2] for line in lines])

    def test_nothing_found_is_1(self, search, tmp_path):
        said = search("qwertz")
        assert (said.code, said.out) == (1, "")
        assert said.err == "textae: nothing found; not in the corpus: qwertz\n"
        queries = tmp_path / "queries.txt"
        queries.write_text("qwertz\n")
        for shape in ("--json", "--tsv", "--trec"):
            assert search("--queries", queries, shape).code == 1

    def test_unknown_words_beside_known_ones_are_said(self, search):
        said = search("qwertz comet")
        assert said.code == 0
        assert said.err == "textae: not in the corpus: qwertz\n"

    def test_stop_words_alone_are_said(self, search):
        said = search("to be or not to be")
        assert (said.code, said.out) == (1, "")
        assert said.err == "textae: nothing found; the query holds only stop words\n"

    def test_words_too_rare_for_codes_are_said(self, search):
        said = search("qwertz comet", "--mode", "code")
        assert said.err == "textae: not in the corpus, or too rare for code: qwertz\n"

    def test_quiet_says_nothing_but_errors(self, search):
        said = search("qwertz", "--quiet")
        assert (said.code, said.out, said.err) == (1, "", "")
        assert search("", "--quiet").error

    def test_chinese_is_said_not_to_be_there(self, search):
        said = search("文档检索")
        assert said.code == 1
        assert "文档, 档检, 检索" in said.err

    def test_100_000_words(self, search):
        said = search("-", "-k", 1, stdin=" ".join(f"word{n}" for n in range(100_000)).encode())
        assert said.code == 1
        assert len(said.err.splitlines()) == 1
        assert "and 99,990 more" in said.err
        assert search("-", "-k", 1, stdin=b"comet " * 100_000).code == 0

    @pytest.mark.parametrize(
        "arguments, says",
        [
            ([""], "the query is empty; give some words"),
            ([" \n "], "the query is empty"),
            ([], "give a QUERY, --queries FILE, or --where or --must alone"),
            (["a", "--queries", "f"], "give a QUERY, --queries FILE, or --where or --must alone"),
            (
                ["comet", "--mode", "magic"],
                "no system 'magic'; give one of tfidf, bm25, lsa, code, bits, hamming, hybrid, lsa-N, bits-N",
            ),
            (["comet", "-k", "0"], "'-k'"),
            (["comet", "-k", "1" + "0" * 22], "'-k'"),
            (["comet", "--mode", "lsa-" + "9" * 5_000], "no system 'lsa-99"),
            (["comet", "-k", "many"], "'many' is not a valid integer"),
            (["comet", "--nonsense"], "No such option '--nonsense'"),
            (["--queries", "nowhere.jsonl"], "cannot read nowhere.jsonl: No such file"),
            (["--queries", "/"], "Is a directory"),
        ],
    )
    def test_what_cannot_be_asked(self, search, arguments, says):
        assert says in search(*arguments).error

    def test_standard_input_that_is_not_text(self, search):
        assert "standard input is not UTF-8 text" in search("-", stdin=b"comet \xff").error

    def test_an_id_with_white_space_is_percent_encoded_in_a_run(self, shell, index, tmp_path):
        index(table(tmp_path / "t.jsonl", [Document("50% of\u00a0my\tnotes.txt", "comet")]))
        (tmp_path / "q.tsv").write_text("q 1\tcomet\n")
        shown = "50%25%20of%C2%A0my%09notes.txt"
        for asked, id in ((["comet"], "1"), (["--queries", tmp_path / "q.tsv"], "q%201")):
            said = shell("search", *asked, "--trec", "--mode", "bm25", "--index", tmp_path / "index")
            assert said.out.split()[:3] == [id, "Q0", shown]
        assert unquote(shown) == "50% of\u00a0my\tnotes.txt"

    def test_similar(self, shell, index_folder, tmp_path):
        found = rows(shell("similar", "ships-2", "--index", index_folder, "-k", 3, "--json").out)
        assert [row["fields"]["topic"] for row in found] == ["ships"] * 3
        assert "ships-2" not in {row["id"] for row in found}
        draft = tmp_path / "draft.txt"
        draft.write_text("flour dough oven")
        for source, text in ((draft, b""), ("-", b"flour dough oven")):
            found = rows(shell("similar", source, "--index", index_folder, "-k", 2, "--json", stdin=text).out)
            assert [row["fields"]["topic"] for row in found] == ["bread"] * 2

    def test_similar_to_what_is_not_there(self, shell, index_folder, tmp_path):
        said = shell("similar", "x12", "--index", index_folder)
        assert said.error.startswith("no document has the id 'x12'; 'textae search' prints ids")
        for odd in ("\udcff", "x" * 5_000):
            assert shell("similar", odd, "--index", index_folder).error.startswith("no document has the id")
        for name, content, why in (
            ("a.txt", b"\xff\xfe", "empty"),
            ("b.txt", b"\0", "binary"),
            ("c.txt", b"", "empty"),
        ):
            (tmp_path / name).write_bytes(content)
            said = shell("similar", tmp_path / name, "--index", index_folder)
            assert f"{name} gives no document: " in said.error
            assert why in said.error

    def test_similar_reads_a_file_as_a_corpus_is_read(self, shell, index_folder, tmp_path):
        (tmp_path / "draft.html").write_text(
            "<title>Dough</title><script>comet comet comet comet</script><p class='comet planet'>flour oven"
        )
        found = rows(shell("similar", tmp_path / "draft.html", "--index", index_folder, "-k", 2, "--json").out)
        assert [row["fields"]["topic"] for row in found] == ["bread"] * 2
        assert "<mark>" not in found[0]["snippet"]

    def test_eval_by_judgements(self, shell, index_folder, tmp_path):
        (tmp_path / "queries.jsonl").write_text('{"_id": "q1", "text": "comet"}\n{"_id": "q2", "text": "oven"}\n')
        (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tstars-0\t1\nq1\tstars-3\t1\n")
        arguments = (
            "--queries",
            tmp_path / "queries.jsonl",
            "--qrels",
            tmp_path / "qrels.tsv",
            "--index",
            index_folder,
        )
        found = rows(shell("eval", *arguments, "--systems", "bm25,code", "--runs", tmp_path / "runs", "--json").out)
        assert {(row["system"], row["metric"]) for row in found} >= {("bm25", "nDCG@10"), ("code", "MAP")}
        assert all(row["queries"] == 1 and row["low"] <= row["value"] <= row["high"] for row in found)
        assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["bm25.run", "code.run"]
        assert "nDCG@10" in shell("eval", *arguments).out

    def test_eval_by_labels(self, shell, index_folder):
        said = shell("eval", "--label", "topic", "-k", 5, "--index", index_folder, "--systems", "tfidf,bits", "--json")
        assert [(row["system"], row["metric"]) for row in rows(said.out)] == [("tfidf", "P@5"), ("bits", "P@5")]

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["--queries", "q"],
            ["--qrels", "q"],
            ["--label", "nonsense"],
            ["--label", "topic", "--seed", "-1"],
            ["--label", "topic", "--seed", "5000000000"],
            ["--label", "topic", "--systems", ""],
            ["--label", "topic", "--systems", "bm25,magic"],
            ["--label", "topic", "--baseline", "magic"],
            ["--label", "topic", "-k", "1" + "0" * 22],
        ],
    )
    def test_eval_of_nothing(self, shell, index_folder, arguments):
        assert shell("eval", "--index", index_folder, *arguments).error

    def test_info_and_doctor(self, shell, index_folder):
        assert rows(shell("info", "--json", "--index", index_folder).out)[0]["documents"] == 60
        assert "documents" in shell("info", "--index", index_folder).out
        said = shell("doctor", "--index", index_folder)
        assert (said.code, said.out, said.err) == (0, f"{index_folder}: sound\n", "")


class TestCodes:
    """What codes say, codes that are drawn, and codes for other tools."""

    def test_the_words_of_documents(self, shell, index_folder, engine):
        said = shell("decode", "stars-0", "ships-2", "-k", 4, "--index", index_folder)
        assert (said.code, said.err) == (0, "")
        assert [line for line in said.out.splitlines() if not line.startswith(" ")] == ["stars-0", "ships-2"]
        shown = [line.split()[1:] for line in said.out.splitlines() if line[:3].strip()[:1].isdigit()]
        expected = [
            word for decoded in decode_documents(engine.snapshot, ["stars-0", "ships-2"], 4) for word in decoded.words
        ]
        assert shown == [
            [word.word, f"{word.probability:.4f}", f"{word.lift:.1f}", "yes" if word.held else "no"]
            for word in expected
        ]

    @pytest.mark.parametrize(
        "arguments, of, held",
        [
            (["bread-1"], {"id": "bread-1"}, {True, False}),
            (["--text", "flour and oven"], {"text": "flour and oven"}, {True, False}),
            (["--code", NOWHERE], {"code": NOWHERE}, {None}),
        ],
    )
    def test_json_has_the_documented_keys(self, shell, index_folder, arguments, of, held):
        found = rows(shell("decode", *arguments, "-k", 99, "--json", "--index", index_folder).out)
        for rank, row in enumerate(found, start=1):
            assert row.keys() == of.keys() | {"rank", "term", "word", "probability", "lift", "held"}
            assert {name: row[name] for name in of} == of
            assert row["rank"] == rank
        assert {row["held"] for row in found} <= held

    def test_a_text_from_standard_input(self, shell, index_folder):
        arguments = ("decode", "--json", "--index", index_folder, "--text")
        assert shell(*arguments, "-", stdin=b"comet\ntelescope\n").out == shell(*arguments, "comet telescope").out

    def test_what_is_sampled_can_be_decoded(self, shell, index_folder):
        drawn = rows(shell("sample", "-n", 3, "-k", 4, "--json", "--index", index_folder).out)
        assert [row["sample"] for row in drawn] == [1, 2, 3]
        for row in drawn:
            assert row.keys() == {"sample", "code", "nearest", "distance", "words"}
            again = rows(shell("decode", "--code", row["code"], "-k", 4, "--json", "--index", index_folder).out)
            assert [word["term"] for word in again] == [word["term"] for word in row["words"]]

    def test_samples_for_people(self, shell, index_folder):
        said = shell("sample", "-n", 2, "-k", 3, "--seed", 5, "--index", index_folder)
        lines = said.out.splitlines()
        assert [line[:5].strip() for line in lines] == ["1", "", "2", ""]
        assert all(re.fullmatch(r" +nearest: \S+  [\d.e-]+ away", line) for line in lines[1::2])
        assert "median distance of a document to its nearest one: " in said.err
        again = shell("sample", "-n", 2, "-k", 3, "--seed", 5, "--index", index_folder, "--quiet")
        assert (again.out, again.err) == (said.out, "")

    def test_a_grid_as_a_table_and_a_picture(self, shell, plane_folder, tmp_path):
        said = shell("sample", "--grid", 3, "-k", 2, "--index", plane_folder)
        cells = said.out.split("\n\n")
        assert (said.code, said.err, len(cells)) == (0, "", 4)
        assert [len(line.split()) for line in cells[0].splitlines()] == [3, 3, 3]
        found = rows(shell("sample", "--grid", 3, "-k", 2, "--json", "--index", plane_folder).out)
        assert [(row["row"], row["column"]) for row in found] == [(r, c) for r in range(3) for c in range(3)]
        assert [row["words"][0]["word"] for row in found[:3]] == cells[0].split()[:3]
        pytest.importorskip("matplotlib")
        said = shell("sample", "--grid", 3, "-o", tmp_path / "grid.png", "--index", plane_folder)
        assert (said.out, said.err) == ("", f"textae: drew {tmp_path}/grid.png\n")
        assert (tmp_path / "grid.png").exists()

    def test_codes_for_other_tools(self, shell, index_folder, tmp_path):
        said = shell("export", "--codes", tmp_path / "codes.csv", "--what", "bits", "--index", index_folder)
        assert (said.code, said.out, said.err) == (0, "", f"textae: wrote {tmp_path}/codes.csv\n")
        assert (tmp_path / "codes.csv").read_text().startswith("id,bits\nstars-0,")

    def test_nothing_heavy_is_imported(self, index_folder, tmp_path):
        for arguments in (["decode", "stars-0"], ["sample"], ["export", "--codes", str(tmp_path / "codes.npy")]):
            script = f"import sys; sys.argv = {['textae', *arguments, '--index', str(index_folder)]!r}\n"
            script += "from textae.app.cli import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
            done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True)
            assert "textae.engine" in done.stderr
            assert not {"torch", "sklearn", "scipy", "pandas", "pyarrow", "matplotlib"} & set(done.stderr.split())

    @pytest.mark.parametrize(
        "arguments, says",
        [
            (["decode"], "give IDs of documents, --text or --code"),
            (["decode", "stars-0", "--text", "comet"], "give IDs of documents, --text or --code"),
            (["decode", "x12"], "no document has the id 'x12'"),
            (["decode", "stars-0", "x12"], "no document has the id 'x12'"),
            (["decode", "stars-0", "-k", "0"], "'-k'"),
            (["decode", "--text", ""], "the encoder knows no word of the text"),
            (["decode", "--code", "ab"], "the code has 1 numbers, and those of this index have 118"),
            (["decode", "--code", f"z,{NOWHERE[2:]}"], "'z' in the code is no number; give 118 between commas"),
            (["sample", "-n", "0"], "'-n'"),
            (["sample", "-n", "many"], "'many' is not a valid integer"),
            (["sample", "--seed", "-1"], "the seed must be from 0 to 4294967295"),
            (["sample", "-o", "grid.png"], "-o draws a --grid; give one"),
            (["sample", "--grid", "3", "-n", "2"], "give -n or --grid"),
            (["sample", "--grid", "0"], "'--grid'"),
            (["sample", "--grid", "3"], "a grid needs codes of 2 numbers"),
            (["export"], "Missing option '--codes'"),
            (["export", "--codes", "codes.xlsx"], "no format for 'codes.xlsx'; give a name that ends in .npy"),
            (["export", "--codes", "nowhere/codes.npy"], "No such file or directory: nowhere/codes.npy"),
            (["export", "--codes", "codes.npy", "--what", "words"], "'words' is not one of 'floats', 'bits'"),
        ],
    )
    def test_what_cannot_be_asked(self, shell, index_folder, tmp_path, monkeypatch, arguments, says):
        monkeypatch.chdir(tmp_path)
        assert says in shell(*arguments, "--index", index_folder).error
        assert not list(tmp_path.iterdir())

    def test_numbers_that_are_no_code(self, shell, plane_folder):
        for code in ("nan,1", "1,inf", "-1", "1,2,3", "a,b"):
            assert "in the code" in shell("decode", "--code", code, "--index", plane_folder).error.replace(
                "the code has", "in the code"
            )
        assert shell("decode", "--code", "-1,0.5", "--index", plane_folder).code == 0

    def test_a_picture_of_no_known_kind(self, shell, plane_folder):
        said = shell("sample", "--grid", 2, "-o", "grid.gif", "--json", "--index", plane_folder)
        assert "no picture for 'grid.gif'; give a name that ends in .png" in said.error


class TestHelp:
    @pytest.mark.parametrize("name", [None, *cli.list_commands(None)])
    def test_every_command_has_an_example(self, shell, name):
        said = shell(*[name] if name else [], "--help")
        assert (said.code, said.err) == (0, "")
        assert f"\n  textae {name or 'search'}" in said.out
        assert all(len(line) <= 100 for line in said.out.splitlines())
        assert said.out.startswith("Usage: textae")
        assert "..." not in said.out.replace("]...", "")  # a summary that is cut
        assert shell(*[name] if name else [], "-h").out == said.out

    def test_the_version(self, shell):
        from importlib.metadata import PackageNotFoundError, version

        try:
            expected = version("textae")
        except PackageNotFoundError:
            pytest.skip("textae runs from its sources, where nobody has told its version")
        assert shell("--version").out == f"textae {expected}\n"

    def test_no_command(self, shell):
        said = shell()
        assert (said.code, said.out) == (2, "")
        assert "textae search" in said.err

    def test_no_such_command(self, shell):
        assert shell("frobnicate").error.startswith("No such command 'frobnicate'")
        assert shell("serch").error == "no command 'serch'; did you mean 'search'? (see 'textae --help')"

    def test_the_corpora(self, shell):
        said = shell("corpora")
        assert said.code == 0
        assert "python" in said.out
        assert {"python", "20newsgroups"} <= {row["name"] for row in rows(shell("corpora", "--json").out)}


def with_labels(n: int = 60, known: int = 12) -> list[Document]:
    """Documents of which the first have a label: their topic."""
    return [
        replace(document, fields={**document.fields, "label": document.fields["topic"] if number < known else None})
        for number, document in enumerate(some_documents(n))
    ]


@pytest.fixture(scope="module")
def untaught(tmp_path_factory) -> Path:
    """Give an index of documents of which a few have a label, and nothing has learned it; read it only."""
    folder = tmp_path_factory.mktemp("untaught") / "index"
    with Engine.create(folder) as engine:
        odd = {"same": "x", "one": "a", "lists": ["a"], "none": ""}
        documents = [
            replace(document, fields={**document.fields, **({} if number else odd), "same": "x"})
            for number, document in enumerate(with_labels())
        ]
        engine.index(documents, model=ModelSpec(dims=16, bits=32, hidden=(16,)), train=QUICK)
    return folder


@pytest.fixture(scope="module")
def taught(untaught, tmp_path_factory) -> Path:
    """Give the same index with its labels learned; read it only."""
    folder = tmp_path_factory.mktemp("taught") / "index"
    shutil.copytree(untaught, folder)
    with Engine.open(folder) as engine:
        engine.train(label="label")
    return folder


class TestTrain:
    def test_labels_are_learned_and_counted(self, shell, untaught, tmp_path):
        folder = tmp_path / "index"
        shutil.copytree(untaught, folder)
        said = shell("train", "--label", "label", "--index", folder)
        assert (said.code, said.out) == (0, "")
        assert "textae: 12 of 60 documents have a label in 'label', of 3 classes; 'textae classify'" in said.err
        facts = rows(shell("info", "--json", "--index", folder).out)[0]
        assert (facts["label_field"], facts["labelled"], facts["labels"]) == ("label", 12, 3)
        assert "\nlabelled " in shell("info", "--index", folder).out
        assert shell("doctor", "--index", folder).code == 0
        found = rows(shell("search", "comet telescope", "-k", 60, "--mode", "code", "--json", "--index", folder).out)
        assert any(row["fields"]["label"] is None for row in found[:10])  # what has no label is found as well
        taught = contents(folder)
        assert shell("train", "--label", "label", "--index", folder, "--quiet").err == ""
        assert contents(folder) == taught
        said = shell("train", "--index", folder)
        assert "textae: trained on 60 documents in" in said.err
        assert contents(folder) == contents(untaught)
        assert "label_field" not in rows(shell("info", "--json", "--index", folder).out)[0]

    def test_what_is_chosen_is_learned_anew_and_the_rest_is_as_it_was(self, shell, untaught, tmp_path):
        folder = tmp_path / "index"
        shutil.copytree(untaught, folder)
        before = rows(shell("info", "--json", "--index", folder).out)[0]
        said = shell("train", "--label", "label", "--dims", 8, "--seed", 2, "--json", "--index", folder)
        told = {"index": str(folder), "documents": 60, "anew": True, "label": "label", "labelled": 12, "classes": 3}
        assert rows(said.out) == [told | {"warnings": [], "shape": None}]
        after = rows(shell("info", "--json", "--index", folder).out)[0]
        assert {name for name in before if before[name] != after[name]} == {
            "bytes_floats",
            "bytes_of_codes_per_document",
            "dims",
            "seed",
        }

    @pytest.mark.parametrize(
        ("field", "says"),
        [
            ("colour", "no document has anything in a field 'colour'; there are label, lists, none, one, same, topic"),
            ("none", "no document has a label in 'none'; at least 2 documents of different labels are needed"),
            ("one", "1 document has a label in 'one'; at least 2"),
            ("same", "all 60 documents with a label in 'same' have the same one, 'x'"),
            ("lists", "'lists' holds ['a'], which is no label"),
        ],
    )
    def test_labels_that_cannot_be_learned(self, shell, untaught, field, says):
        before = contents(untaught)
        assert says in real_error(shell("train", "--label", field, "--index", untaught))
        assert contents(untaught) == before

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--bits", "7"], "7 bits were asked for"),
            (["--hidden", "a"], "'a' is not a list of sizes"),
            (["--seed", "-1"], "the seed must be from 0 to 4294967295"),
            (["--passes", "-1"], "--passes must be from 0 (LSA alone) to 1,000,000"),
            (["--device", "tpu"], "'tpu' is not one of"),
        ],
    )
    def test_what_cannot_be_trained(self, shell, untaught, arguments, says):
        assert says in real_error(shell("train", "--index", untaught, *arguments))

    def test_an_index_of_before_a_choice_was_there_has_its_default(self, untaught, tmp_path):
        folder = tmp_path / "index"
        shutil.copytree(untaught, folder)
        with UpdateWriter(folder) as writer, Engine.open(folder) as engine:
            about = dict(engine.snapshot.reader.settings["about"])
            del about["drop"], about["most_documents"]
            writer.set("about", about)
            writer.commit()
        with Engine.open(folder) as engine:
            assert engine.snapshot.specs[0].dropout == ModelSpec().dropout
            assert engine.snapshot.specs[1].most_documents == TrainSpec().most_documents
            assert engine.snapshot.specs[0].dims == 16

    def test_an_index_whose_words_were_cut_by_other_rules_is_noted(self, shell, untaught, tmp_path):
        folder = tmp_path / "index"
        shutil.copytree(untaught, folder)
        with UpdateWriter(folder) as writer, Engine.open(folder) as engine:
            analysis = dict(engine.snapshot.reader.settings["analysis"])
            assert analysis.pop("version") == VERSION
            writer.set("analysis", analysis)
            writer.commit()
        note = f"textae: an earlier version cut the words of {folder} by other rules; 'textae index' makes it anew\n"
        assert shell("search", "comet", "--index", folder).err == note
        assert shell("search", "comet", "--index", folder, "-q").err == ""
        assert shell("search", "comet", "--index", untaught).err == ""
        shell("train", "--index", folder, "--passes", "1")  # learns the words that are stored
        assert shell("search", "comet", "--index", folder).err == note

    def test_where_there_is_no_index(self, shell, tmp_path):
        assert "no index at" in shell("train", "--index", tmp_path / "index").error
        assert not (tmp_path / "index").exists()

    def test_readers_keep_reading(self, untaught, tmp_path):
        folder = tmp_path / "index"
        shutil.copytree(untaught, folder)
        with Engine.open(folder) as reader, Engine.open(folder) as writer:
            before = reader.search("comet telescope", mode="code")
            writer.train(label="label")
            assert reader.search("comet telescope", mode="code") == before
            assert reader.snapshot.reader.damage() == []
            assert classify(writer.snapshot, ["comet telescope"])[0][0].label == "stars"


class TestClassify:
    def test_the_likeliest_labels_of_a_text(self, shell, taught):
        said = shell("classify", "comet", "telescope", "--index", taught)
        assert (said.code, said.err) == (0, "")
        lines = [line.split() for line in said.out.splitlines()]
        assert [line[0] for line in lines] == ["1", "2", "3"]
        assert lines[0][2] == "stars"
        assert sum(float(line[1]) for line in lines) == pytest.approx(1, abs=2e-3)

    def test_json_has_the_documented_keys(self, shell, taught):
        found = rows(shell("classify", "oven", "flour", "-k", 2, "--json", "--index", taught).out)
        assert [set(row) for row in found] == [{"query", "rank", "label", "probability"}] * 2
        assert (found[0]["query"], found[0]["rank"], found[0]["label"]) == ("oven flour", 1, "bread")

    def test_a_document_by_its_id(self, shell, taught):
        found = rows(shell("classify", "ships-50", "-k", 1, "--json", "--index", taught).out)
        assert [(row["id"], row["label"]) for row in found] == [("ships-50", "ships")]

    def test_standard_input(self, shell, taught):
        said = shell("classify", "-", "-k", 1, "--json", "--index", taught, stdin=b"sail anchor\n")
        assert rows(said.out)[0]["label"] == "ships"

    @pytest.mark.parametrize("as_json", [False, True])
    def test_many_texts(self, shell, taught, tmp_path, as_json):
        (tmp_path / "q.tsv").write_text("q1\tcomet telescope\nq2\tzzz\nq3\toven flour\n")
        shape = ["--json"] if as_json else []
        said = shell("classify", "--queries", tmp_path / "q.tsv", "-k", 1, *shape, "--index", taught)
        if as_json:
            found = [(row["query_id"], str(row["rank"]), row["label"]) for row in rows(said.out)]
        else:
            found = [tuple(line.split("\t")[:3]) for line in said.out.splitlines()]
        assert found == [("q1", "1", "stars"), ("q3", "1", "bread")]
        assert said.err == "textae: the encoder knows no word of 1 of the 3 texts\n"

    def test_a_text_without_a_known_word_is_1(self, shell, taught):
        said = shell("classify", "qwertz", "--index", taught)
        assert (said.code, said.out) == (1, "")
        assert said.err == "textae: nothing found; the encoder knows no word of it\n"

    def test_where_no_labels_were_learned(self, shell, untaught):
        said = shell("classify", "comet", "--index", untaught)
        assert said.error.endswith("has learned no labels; 'textae train --label FIELD' does it")

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ([], "give a TEXT, an ID or --queries FILE"),
            (["comet", "--queries", "f"], "give a TEXT, an ID or --queries FILE"),
            (["comet", "-k", "0"], "'-k'"),
        ],
    )
    def test_what_cannot_be_asked(self, shell, taught, arguments, says):
        assert says in shell("classify", "--index", taught, *arguments).error

    def test_it_imports_nothing_heavy(self, taught):
        said = real_shell("classify", "comet telescope", "--index", taught, PYTHONPROFILEIMPORTTIME="1")
        assert said.code == 0
        imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in said.err.splitlines()}
        assert not imported & {"torch", "sklearn", "pandas", "scipy", "pyarrow", "ir_measures"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    documents = [
        Document(
            f"{n}\x1b[2J\u202e\x9b\n{HOSTILE if n else ''}",
            HOSTILE,
            HOSTILE,
            {HOSTILE: HOSTILE, "n": None},
            HOSTILE,
        )
        for n in range(3)
    ]
    folder = tmp_path_factory.mktemp("hostile") / "index"
    with Engine.create(folder) as engine:
        engine.index(documents)
    return folder


class TestTerminal:
    """What documents say never steers the terminal, and colours are for people alone."""

    @pytest.mark.parametrize("shape", [[], ["--json"], ["--tsv"]])
    def test_escapes_in_documents_stay_out(self, shell, hostile, shape):
        said = shell("search", "comet evil", *shape, "--mode", "bm25", "--index", hostile)
        assert said.code == 0
        assert "evil" in said.out
        assert [c for c in STEERS if c in said.out + said.err] == []
        assert len([line for line in said.out.split("\n") if not line.startswith("   ")]) - 1 == 3

    @pytest.mark.parametrize("shape", [[], ["--json"]])
    def test_escapes_stay_out_of_what_codes_say(self, shell, hostile, shape):
        with Engine.open(hostile) as engine:
            ids = list(engine.snapshot.ids.values())
        for arguments in (["decode", *ids], ["decode", "--text", HOSTILE], ["sample", "-n", 4]):
            said = shell(*arguments, *shape, "--index", hostile)
            assert (said.code, [c for c in STEERS if c in said.out + said.err]) == (0, [])

    def test_escapes_come_back_from_json_as_they_were(self, shell, hostile):
        row = rows(shell("search", "comet", "-k", 1, "--json", "--index", hostile).out)[0]
        assert (row["title"], row["fields"][HOSTILE]) == (HOSTILE, HOSTILE)

    def test_escapes_in_ids_stay_out_of_runs(self, shell, tmp_path):
        with Engine.create(tmp_path) as engine:
            engine.index([Document("a\x1b[2J\u202e", "comet")])
        (tmp_path / "queries.tsv").write_text("q\x1b\tcomet\n")
        for asked in (["comet"], ["--queries", tmp_path / "queries.tsv"]):
            said = shell("search", *asked, "--trec", "--mode", "bm25", "--index", tmp_path)
            assert said.code == 0
            assert [c for c in STEERS if c in said.out] == ["\u202e"]  # a file is to hold the ids as they are
            assert "a%1B[2J\u202e" in said.out

    def test_a_run_on_a_terminal_does_not_steer_it(self):
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        shown = Terminal()
        write_trec({"".join(STEERS): Ranking(("".join(STEERS),), (1.0,))}, "bm25", shown)
        assert [c for c in STEERS if c in shown.getvalue()] == []

    def test_escapes_in_a_query_stay_out(self, shell, hostile):
        for shape in ([], ["--json"], ["--tsv"]):
            said = shell("search", HOSTILE, "zz\x1b[2Jtop", "--mode", "bm25", *shape, "--index", hostile)
            assert [c for c in STEERS if c in said.out + said.err] == []
        assert "\x1b" not in shell("search", "comet", "--mode", "\x1b[2J\n", "--index", hostile).error
        assert "\x1b" not in shell("similar", "\x1b[2J", "--index", hostile).error

    def test_no_number_is_null_in_json(self, shell, tmp_path):
        with Engine.create(tmp_path) as engine:
            fields = {"a": float("nan"), "b": [float("inf")], "NaN": "NaN"}
            engine.index([Document("a", "comet", fields=fields)])
        row = rows(shell("search", "comet", "--json", "--index", tmp_path, "--mode", "bm25").out)[0]
        assert row["fields"] == {"a": None, "b": [None], "NaN": "NaN"}

    @pytest.mark.parametrize(
        "environment, coloured",
        [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
    )
    def test_colours_are_for_a_terminal_that_wants_them(self, index_folder, environment, coloured):
        ours, theirs = pty.openpty()
        everything = {k: v for k, v in ENVIRONMENT.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | environment
        subprocess.run(
            command("search", "comet", "-k", 1, "--index", index_folder), stdout=theirs, env=everything, check=True
        )
        os.close(theirs)
        shown = os.read(ours, 65536).decode()
        os.close(ours)
        assert "comet" in shown
        assert ("\x1b[" in shown) is coloured

    def test_a_pipe_has_no_colours(self, search):
        assert "\x1b" not in search("comet").out

    def test_a_terminal_of_another_encoding(self, tmp_path):
        with Engine.create(tmp_path) as engine:
            engine.index([Document("ü文", "comet 文档")])
        for shape in ([], ["--json"], ["--tsv"], ["--trec"]):
            said = real_shell("search", "comet", *shape, "--index", tmp_path, encoding="latin-1")
            assert (said.code, said.err) == (0, "")
            assert "ü\\u6587" in said.out


class TestProcess:
    def test_a_cold_search_imports_nothing_heavy(self, index_folder):
        said = real_shell("search", "comet telescope", "--index", index_folder, PYTHONPROFILEIMPORTTIME="1")
        assert said.code == 0
        imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in said.err.splitlines()}
        assert {"numpy", "textae", "sqlite3"} <= imported
        assert not imported & {"torch", "sklearn", "pandas", "scipy", "pyarrow", "ir_measures"}

    def test_help_imports_not_even_numpy(self):
        said = real_shell("--help", PYTHONPROFILEIMPORTTIME="1")
        imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in said.err.splitlines()}
        assert "textae" in imported
        assert not imported & {"numpy", "torch", "sklearn", "pandas", "scipy", "pyarrow"}

    def test_a_closed_pipe_is_quiet(self, index_folder, tmp_path):
        queries = tmp_path / "queries.txt"
        queries.write_text("comet telescope\n" * 5_000)
        arguments = command("search", "--queries", queries, "--tsv", "-k", 60, "--index", index_folder)
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
            assert process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0

    def test_ctrl_c_while_learning_leaves_the_old_index_after_a_second_writer_was_refused(self, tmp_path, index_folder):
        folder = tmp_path / "index"
        shutil.copytree(index_folder, folder)
        before = contents(folder)
        arguments = command("index", table(tmp_path / "t.jsonl"), "--index", folder, "--passes", 1_000_000, "--replace")
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
            for line in process.stderr:
                if line.startswith(b"learning"):
                    break
            second = real_shell("index", tmp_path / "t.jsonl", "--index", folder, "--quiet", "--replace")
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read().decode()
        assert process.returncode == 130
        assert re.sub(".* takes about .*\n", "", rest) == "textae: error: interrupted; the index is as it was before\n"
        who = rf"another textae \(index\), process {process.pid}, since [0-9:]{{8}},"
        told = f"{who} is writing to {re.escape(str(folder))}; try again when it has finished"
        assert re.fullmatch(told, second.error)
        assert contents(folder) == before
        assert sorted(path.name for path in folder.iterdir()) == ["arrays", "index.sqlite"]


class TestIndex:
    def test_a_table(self, shell, index, tmp_path):
        said = index(table(tmp_path / "t.jsonl"))
        assert (said.code, said.out) == (0, "")
        assert "textae: indexed 30 documents in " in said.err
        assert "language: english (detected; --language sets it)" in said.err
        assert "expect little more than matching words" in said.err
        found = rows(shell("search", "only4", "-k", 1, "--json", "--index", tmp_path / "index").out)
        assert (found[0]["id"], found[0]["fields"]) == ("bread-4", {"topic": "bread", "year": 1904})

    def test_learning_that_diverges_is_taken_back_and_said(self, shell, index, tmp_path):
        said = index(table(tmp_path / "t.jsonl"), "--rate", "1e39")
        assert said.code == 0
        assert "textae: learning diverged" in said.err
        assert shell("search", "only4", "--mode", "code", "--index", tmp_path / "index").code == 0
        again = shell("train", "--rate", "1e39", "--index", tmp_path / "index")
        assert again.code == 0
        assert "textae: learning diverged" in again.err

    def test_json_tells_what_became_of_it(self, index, tmp_path):
        said = index(table(tmp_path / "t.jsonl"), "--json", "--quiet")
        assert said.err == ""
        assert rows(said.out)[0]["documents"] == 30

    def test_part_of_a_table(self, index, tmp_path):
        assert rows(index(table(tmp_path / "t.jsonl"), "--select", "topic=bread", "--json").out)[0]["documents"] == 10

    def test_standard_input(self, index, tmp_path):
        text = table(tmp_path / "t.jsonl").read_bytes()
        assert rows(index("-", "--json", stdin=text).out)[0]["documents"] == 30

    def test_quiet(self, index, tmp_path):
        said = index(table(tmp_path / "t.jsonl"), "--quiet")
        assert (said.code, said.out, said.err) == (0, "", "")

    def test_the_environment_names_the_index(self, shell, monkeypatch, index_folder):
        monkeypatch.setenv("TEXTAE_INDEX", str(index_folder))
        assert shell("search", "comet").code == 0

    @pytest.mark.parametrize(
        "arguments, says",
        [
            (["nowhere"], "no file, folder or corpus 'nowhere'"),
            ([], "Missing argument 'SOURCE…'"),
            (["t.jsonl", "--bits", "7"], "7 bits were asked for; give a multiple of 8"),
            (["t.jsonl", "--hidden", "a,b"], "'a,b' is not a list of sizes like 512,512"),
            (["t.jsonl", "--drop", "1"], "--drop must be in [0, 1), got 1"),
            (["t.jsonl", "--seed", "-1"], "the seed must be from 0 to 4294967295"),
            (["t.jsonl", "--seed", "5000000000"], "the seed must be from 0 to 4294967295"),
            (["t.jsonl", "--hidden", "4000000000"], "has at most 1,000,000 numbers"),
            (["t.jsonl", "--hidden", "9" * 5_000], "is not a list of sizes"),
            (["t.jsonl", "--device", "tpu"], "'tpu' is not one of"),
            (["t.jsonl", "--language", "klingon"], "no stemmer for the language 'klingon'"),
            (["t.jsonl", "--select", "topic"], "'topic' is not FIELD=VALUE"),
            (["t.jsonl", "--select", "topic=cheese"], "no document"),
            (["t.jsonl", "--select", "color=red"], "no field 'color'"),
            (["t.jsonl", "--text-field", "body"], "no field 'body'; its fields are id, text, title, topic, year"),
            (["t.jsonl", "--id-field", "key"], "no field 'key'; its fields are"),
        ],
    )
    def test_what_cannot_be_indexed(self, index, tmp_path, monkeypatch, arguments, says):
        monkeypatch.chdir(tmp_path)
        table(tmp_path / "t.jsonl")
        assert says in real_error(index(*arguments))

    def test_a_failure_keeps_the_index_that_was_there(self, shell, index, tmp_path):
        index(table(tmp_path / "t.jsonl"))
        before = contents(tmp_path / "index")
        (tmp_path / "empty").mkdir()
        assert index(tmp_path / "empty").code == 2
        assert contents(tmp_path / "index") == before


def real_error(said) -> str:
    """Give the one line of an error; stages that were announced before it are no errors."""
    lines = [line for line in said.err.splitlines() if not line.endswith("…")]
    assert (said.code, said.out, len(lines)) == (2, "", 1), said
    assert lines[0].startswith("textae: error: ")
    return lines[0]


class TestBadInput:
    """Each gets one clear line, or a skip that is counted and named; never a traceback."""

    @pytest.fixture
    def folder(self, tmp_path):
        """Give a folder with three good documents."""
        (tmp_path / "notes").mkdir()
        for document in some_documents(3):
            (tmp_path / "notes" / f"{document.id}.txt").write_text(document.text)
        return tmp_path / "notes"

    def skipped(self, said, documents: int = 3) -> dict[str, int]:
        assert said.code == 0, said
        report = rows(said.out)[0]
        assert report["documents"] == documents
        assert {reason: len(places) for reason, places in report["examples"].items()} == report["skipped"]
        return report["skipped"]

    def test_an_empty_corpus(self, index, tmp_path):
        for name, content in (
            ("empty.jsonl", ""),
            ("empty.txt", ""),
            ("blank.txt", " \n"),
            ("marks.jsonl", '{"text": "…!"}'),
            ("e.csv", ""),
        ):
            (tmp_path / name).write_text(content)
            assert "no document to index" in real_error(index(tmp_path / name))
        (tmp_path / "folder").mkdir()
        assert "no document to index" in real_error(index(tmp_path / "folder"))
        assert "no document to index" in real_error(index("-"))

    def test_one_document(self, shell, index, tmp_path):
        assert index(table(tmp_path / "t.jsonl", some_documents(1))).code == 0
        for mode in ("hybrid", "bm25", "tfidf", "lsa", "code", "bits"):
            assert shell("search", "only0", "--mode", mode, "--index", tmp_path / "index").code == 0
        assert shell("similar", "stars-0", "--index", tmp_path / "index").code == 1

    def test_all_documents_the_same(self, shell, index, tmp_path):
        table(tmp_path / "t.jsonl", [Document(d.id, "the same comet") for d in some_documents(50)])
        assert index(tmp_path / "t.jsonl").code == 0
        assert len(rows(shell("search", "comet", "-k", 99, "--json", "--index", tmp_path / "index").out)) == 50

    def test_10_000_documents_of_one_word(self, shell, index, tmp_path):
        (tmp_path / "t.jsonl").write_text("".join(f'{{"id": "{n}", "text": "comet"}}\n' for n in range(10_000)))
        assert index(tmp_path / "t.jsonl", "--passes", 0).code == 0
        assert (
            len(shell("search", "comet", "-k", 10_000, "--tsv", "--index", tmp_path / "index").out.splitlines())
            == 10_000
        )

    def test_binary_files_and_other_encodings(self, shell, index, folder):
        (folder / "binary.txt").write_bytes(bytes(range(256)))
        (folder / "nul.txt").write_bytes(b"a comet\0in between")
        (folder / "latin1.txt").write_bytes("Grüße".encode("latin-1"))
        (folder / "utf16.txt").write_text("comet", encoding="utf-16")
        (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff")
        said = index(folder, "--json")
        assert self.skipped(said, 5) == {"binary": 2, "unknown type .jpg": 1}
        assert json.loads(said.out)["noticed"] == {"encoding guessed": 1}
        (folder / "latin1.txt").write_bytes("Übergröße".encode("latin-1"))
        said = shell("sync", "--index", folder.parent / "index")
        assert "textae: encoding guessed: 1\n" in said.err

    def test_skips_are_said_and_listed(self, index, folder):
        (folder / "binary.txt").write_bytes(b"\0")
        said = index(folder)
        assert "textae: skipped 1 · binary: 1 (--verbose lists them)\n" in said.err
        said = index(folder, "--verbose", "--replace")
        assert "textae: skipped binary.txt: binary\n" in said.err

    def test_broken_lines_in_a_table(self, index, tmp_path):
        good = b"".join(json.dumps({"id": d.id, "text": d.text}).encode() + b"\n" for d in some_documents(3))
        bad = [
            '{"id": "x", "text": "größer als Öl äöüäöüäöü'.encode() + b'\xff"}',
            b'{"id": ',
            b"[1, 2]",
            b"null",
            b'{"id": "y"}',
            b'{"id": "z", "text": ""}',
        ]
        (tmp_path / "t.jsonl").write_bytes(good + b"\n".join(bad) + b"\n")
        skipped = self.skipped(index(tmp_path / "t.jsonl", "--json"))
        assert sum(skipped.values()) == len(bad)
        assert skipped["not UTF-8"] == 1
        assert skipped["no field 'text'"] == 1

    def test_nul_bytes_and_halves_of_characters_in_a_table(self, shell, index, tmp_path):
        (tmp_path / "t.jsonl").write_text(
            '{"id": "a\\u0000b\\ud800", "text": "comet\\u0000 \\udfff", "f": "\\ud800"}\n'
        )
        said = index(tmp_path / "t.jsonl", "--json")
        assert said.code == 0
        assert shell("search", "comet", "--json", "--mode", "bm25", "--index", tmp_path / "index").code == 0

    @pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much memory was taken")
    def test_a_line_of_200_mb_takes_no_memory(self, tmp_path):
        good = [json.dumps({"id": d.id, "text": d.text}) for d in some_documents(3)]
        path = tmp_path / "t.jsonl.gz"
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(f"{good[0]}\n".encode())
            file.write(b'{"id": "huge", "text": "')
            for _ in range(200):
                file.write(b"comet sky " * (1 << 20 >> 3) * 1)
            file.write(b'"}\n')
            file.write("\n".join(good[1:]).encode())
        script = (
            "import sys; from pathlib import Path; from textae.corpus import read\n"
            "for found in read([sys.argv[1]]): print(type(found).__name__, getattr(found, 'reason', ''))\n"
            "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, path], env=ENVIRONMENT, capture_output=True, text=True, check=True
        )
        *found, kibibytes = done.stdout.splitlines()
        assert found == ["Document ", "Skipped longer than 16 MiB", "Document ", "Document "]
        assert int(kibibytes) < 150_000

    def test_duplicate_ids(self, index, tmp_path):
        table(tmp_path / "t.jsonl", [*some_documents(3), *some_documents(2)])
        assert self.skipped(index(tmp_path / "t.jsonl", "--json")) == {"id already used": 2}

    def test_a_folder_without_permission(self, shell, index, folder, index_folder, monkeypatch):
        monkeypatch.setenv("HOME", str(folder))
        shell("search", "comet", "--index", index_folder)  # what is imported later, nobody may read
        (folder / "closed").mkdir(mode=0)
        (folder / "secret.txt").write_text("comet")
        (folder / "secret.txt").chmod(0)
        (folder.parent / "index").mkdir()
        (folder.parent / "index").chmod(0o777)
        open_to_all(folder)
        with nobody():
            assert self.skipped(index(folder, "--json")) == {"permission denied": 2}
            assert "permission denied" in real_error(index(folder / "closed", "--replace")).lower()
            assert "permission denied" in real_error(index(folder / "secret.txt", "--replace")).lower()

    def test_an_index_that_nobody_may_read(self, shell, index, tmp_path):
        index(table(tmp_path / "t.jsonl", some_documents(3)))
        open_to_all(tmp_path / "index")
        (tmp_path / "index").chmod(0)
        with nobody():
            said = shell("search", "comet", "--index", tmp_path / "index")
        (tmp_path / "index").chmod(0o755)
        assert "is not readable" in said.error

    def test_loops_of_links(self, index, folder):
        (folder / "loop").symlink_to(folder)
        (folder / "self").symlink_to("self")
        (folder / "nothing.txt").symlink_to("nowhere")
        skipped = self.skipped(index(folder, "--json"))
        assert sum(skipped.values()) == 3

    def test_a_pipe_in_a_folder_is_not_waited_for(self, index, folder):
        os.mkfifo(folder / "pipe.txt")
        assert sum(self.skipped(index(folder, "--json")).values()) == 1

    def test_a_full_disk(self, tmp_path):
        script = (
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            "from textae.app.cli import main; main()"
        )
        folder = tmp_path / "index"
        arguments = ["index", table(tmp_path / "t.jsonl"), "--index", folder, *QUICKLY, "--hidden", 4_000, "--replace"]
        with Engine.create(folder) as engine:
            engine.index(some_documents(3))
        before = contents(folder)
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, arguments)], env=ENVIRONMENT, capture_output=True, text=True
        )
        lines = [line for line in done.stderr.splitlines() if not line.endswith("…")]
        assert (done.returncode, done.stdout, len(lines)) == (2, "", 1)
        assert lines[0].startswith("textae: error: cannot write the index")
        assert lines[0].endswith("; it is as it was before")
        assert contents(folder) == before

    def test_no_index(self, shell, tmp_path):
        for name, arguments in (
            ("search", ["x"]),
            ("similar", ["x"]),
            ("info", []),
            ("doctor", []),
            ("eval", ["--label", "x"]),
            ("decode", ["x"]),
            ("sample", []),
            ("export", ["--codes", "x.npy"]),
        ):
            said = shell(name, *arguments, "--index", tmp_path / "nowhere")
            assert said.error.startswith(f"no index at {tmp_path}/nowhere; 'textae index SOURCE")
        assert shell("search", "x", "--index", "x" * 5_000).error

    @pytest.mark.parametrize("name", ["search", "info", "doctor", "sample"])
    def test_an_index_of_another_version_or_damaged(self, shell, index, tmp_path, name):
        index(table(tmp_path / "t.jsonl", some_documents(3)))
        folder = tmp_path / "index"
        arguments = [name, *["comet"] * (name == "search"), "--index", folder]
        array = max((folder / "arrays").iterdir(), key=lambda path: path.stat().st_size)
        whole = array.read_bytes()
        array.write_bytes(whole[:-1])
        assert "is not whole; 'textae index --replace' rebuilds it" in shell(*arguments).error
        array.unlink()
        assert "is missing; 'textae index --replace' rebuilds it" in shell(*arguments).error
        array.write_bytes(whole)
        with closing(sqlite3.connect(folder / "index.sqlite")) as database:
            database.execute("PRAGMA user_version = 99")
        assert f"has format 99, and this textae reads format {FORMAT}; 'textae index" in shell(*arguments).error
        (folder / "index.sqlite").write_bytes(b"garbage" * 1_000)
        assert "file is not a database" in shell(*arguments).error

    @pytest.mark.parametrize(
        "forged",
        [
            "UPDATE settings SET value = '{' WHERE name = 'about'",
            "DELETE FROM settings WHERE name = 'learned_numbers'",
            "DELETE FROM arrays WHERE name = 'segments/0/documents/bits'",
        ],
    )
    def test_settings_and_arrays_that_were_not_committed(self, shell, index, tmp_path, forged):
        index(table(tmp_path / "t.jsonl", some_documents(3)))
        with closing(sqlite3.connect(tmp_path / "index" / "index.sqlite")) as database:
            database.execute(forged)
            database.commit()
        for arguments in (["search", "comet"], ["info"], ["doctor"], ["eval", "--label", "topic"]):
            said = shell(*arguments, "--index", tmp_path / "index")
            assert "is damaged: its settings or its list of arrays are not what was written" in said.error

    def test_doctor_finds_a_flipped_byte(self, shell, index, tmp_path):
        index(table(tmp_path / "t.jsonl", some_documents(3)))
        array = max((tmp_path / "index" / "arrays").iterdir(), key=lambda path: path.stat().st_size)
        whole = bytearray(array.read_bytes())
        whole[-1] ^= 1
        array.write_bytes(whole)
        said = shell("doctor", "--index", tmp_path / "index")
        assert said.code == 2
        assert said.out.startswith("the array ")
        assert said.out.endswith("is not what was written\n")
        assert said.err.startswith("textae: error: ")
        assert len(said.err.splitlines()) == 1
        assert shell("search", "only0", "--index", tmp_path / "index").code in (0, 2)


def test_what_numpy_warns_of_on_a_sound_index_is_one_line(shell, index_folder, monkeypatch):
    def warned(*arguments, **options):
        raise RuntimeWarning("overflow encountered in exp")

    monkeypatch.setattr("textae.search.searcher.Searcher.search", warned)
    said = shell("search", "comet", "--index", index_folder)
    assert said.error == "overflow encountered in exp; 'textae doctor' checks the index for damage"
