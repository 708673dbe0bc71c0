"""Whatever is typed, and whatever is in a file: an exit code that means something, and at most one line of error.

No traceback and no warning; and an index that took in any bytes as documents is sound afterwards.
"""

import gzip
import json
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from shared import LONG, some_documents

from textae import Engine, ModelSpec, TrainSpec

SPECS = {"model": ModelSpec(dims=8, bits=16, hidden=(8,)), "train": TrainSpec(epochs=1, device="cpu")}


def times(n: int) -> settings:
    """Try n times, and in the long form some hundred times as often."""
    return settings(
        max_examples=n * 400 if LONG else n, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )


WORDS = ["telescope", "bread", "only3", "the", "of", "ünï", "日本", "\udcff", "a.b", "-x", "--k", "stars-0", "\x1b[31m"]
texts = (
    st.text(max_size=60)
    | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
    | st.text("\"'()[]{}*?~^:<>\\/ANDORTabc ", max_size=40)
)
pieces = st.sampled_from(
    'year topic title id : bread [1900\xa0TO\xa01950] [ ] TO { } ( ) AND OR NOT * ? " > <= 1930 - ~2 ^3 1e999 nan é \\ '
    "star* a..b /x/ '".replace("'", "' ''").split(" ")
)
conditions = texts | st.lists(pieces, max_size=12).map("".join) | st.lists(pieces, max_size=12).map(" ".join)
numbers = st.integers(-3, 30).map(str) | st.sampled_from(["1e3", "", "9" * 20, "½", "0x10", "nan", "0.5"])
modes = st.sampled_from(["hybrid", "code", "bits", "bm25", "tfidf", "lsa", "lsa-2", "bits-8", "topic", "BM25"]) | (
    st.sampled_from(["lsa-0", "lsa-999", "lsa-²", "bits-9", "bits--8", "bits-", "bits-1-2"])
)
ids = st.sampled_from(["stars-0", "bread-1", "ships-2", "stars-3"]) | texts
systems = st.lists(modes, max_size=3).map(",".join)
ranked = {"-k": numbers, "--mode": modes, "--where": conditions, "--must": conditions}
flags = dict.fromkeys(["--json", "--tsv", "--trec", "--explain", "-q"])
OPTIONS = {
    "search": {**ranked, "--like": ids, "--not-like": ids, "--expand": None, **flags},
    "similar": {**ranked, "--not-like": ids, **flags},
    "classify": {"-k": numbers, "--json": None, "-q": None},
    "decode": {"-k": numbers, "--text": texts, "--code": texts | st.lists(numbers).map(",".join), "--json": None},
    "sample": {"-n": numbers, "-k": numbers, "--seed": numbers, "--grid": numbers, "--json": None},
    "dups": {"--radius": numbers, "--resemblance": numbers, "--json": None, "-q": None},
    "eval": {"--label": st.just("topic") | texts, "-k": numbers, "--systems": systems, "--baseline": modes}
    | {"--seed": numbers, "--select": texts, "--curve": None},
    "info": {"--json": None, "--nonsense": texts},
    "doctor": {"--nonsense": texts},
    "rm": {"--json": None},
    "nonsense": {"--json": None},
}


def chosen(command: str) -> st.SearchStrategy[list[str]]:
    """Give a command line of some of a command's options and of words."""
    options = [
        st.just([name]) if value is None else value.map(lambda said, name=name: [f"{name}={said}"])
        for name, value in OPTIONS[command].items()
    ]
    short = st.lists(st.one_of(options), max_size=4).map(lambda some: [word for option in some for word in option])
    words = st.lists(ids, max_size=3)
    return st.tuples(short, words).map(lambda both: [command, *map(spelled, both[0]), *both[1]])


def spelled(option: str) -> str:
    """Give an option as it is typed: what follows a short one follows at once."""
    return option if option.startswith("--") else option.replace("=", "", 1)


def can_be_typed(word: str) -> bool:
    """Whether a command line can hold it: no NUL, and of half a pair of surrogates those that stand for a byte."""
    try:
        return "\0" not in word and word == word.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def check(said, *arguments) -> None:
    """Check that a command left as commands do."""
    context = (arguments, said)
    assert said.code in (0, 1, 2, 130), context
    errors = [line for line in said.err.splitlines() if line.startswith("textae: error: ")]
    assert len(errors) == (said.code == 2), context
    assert "Traceback" not in said.err + said.out, context
    assert "Warning" not in said.err, context


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    with Engine.create(tmp_path_factory.mktemp("fuzz") / "index") as engine:
        engine.index(some_documents(24)[:20], **SPECS)
        engine.train(label="topic", model=SPECS["model"], train=SPECS["train"])
        engine.add(some_documents(24)[20:])
        engine.remove(["stars-3"])
    return engine.folder


@times(120)
@given(arguments=st.sampled_from(sorted(OPTIONS)).flatmap(chosen), stdin=st.binary(max_size=50))
@example(arguments=["search", "--where=year:[1900 TO 1950]", "--must=star*", "-k3", "telescope"], stdin=b"")
def test_any_command_line(folder, shell, tmp_path, arguments, stdin):
    assume(all(map(can_be_typed, arguments)))
    changes = arguments[0] == "rm"
    index = shutil.copytree(folder, tmp_path / "copy") if changes else folder
    check(shell(arguments[0], "--index", index, *arguments[1:], stdin=stdin), *arguments)
    if changes:
        shutil.rmtree(index)


@times(80)
@given(query=texts, where=conditions, must=conditions, mode=modes)
def test_any_condition(folder, shell, query, where, must, mode):
    assume(all(map(can_be_typed, (query, where, must))))
    for arguments in (["--where", where], ["--must", must], ["--where", where, "--must", must, "--explain"]):
        check(shell("search", "--index", folder, "--mode", mode, *arguments, "--", query), query, mode, *arguments)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers())
fields = st.dictionaries(st.sampled_from(["id", "_id", "text", "title", "year", "x"]), values, max_size=5)
rows = st.lists(fields.map(lambda row: json.dumps(row).encode()) | st.binary(max_size=40), max_size=5)
marks = st.sampled_from([b"id", b"text", b"\t", b",", b'"', b"\n", b"\r", b"\x00", b"\xff", b"a", b"{", b"}", b"1"])
mail = b"From x@y Thu Jan  1 00:00:00 1970\n"
starts = st.sampled_from([b"PAR1", b"\x1f\x8b\x08\x00", mail, b"<p>", b"\xef\xbb\xbf"])
tables = (
    st.binary(max_size=200)
    | rows.map(b"\n".join)
    | rows.map(lambda lines: b"id,text\n" + b"\n".join(lines))
    | st.lists(marks, max_size=40).map(b"".join)
    | st.tuples(starts, st.binary(max_size=100)).map(b"".join)
)
endings = st.sampled_from([".jsonl", ".csv", ".tsv", ".txt", ".md", ".html", ".mbox", ".eml", ".parquet", ".json"])


@times(40)
@given(content=tables, ending=endings, packed=st.booleans())
def test_any_file(folder, shell, tmp_path, content, ending, packed):
    """Added to an index; or asked: as queries, as judgements, as what something is similar to."""
    path = tmp_path / f"file{ending}{'.gz' * packed}"
    path.write_bytes(gzip.compress(content) if packed else content)
    copy = shutil.copytree(folder, tmp_path / "copy")
    arguments = random.Random(content).choice([("add", path), ("sync", path), ("add", tmp_path)])
    check(shell(*arguments, "--index", copy), *arguments)
    with Engine.open(copy) as engine:
        assert engine.damage() == []
        assert engine.search("telescope", mode="bm25")
    shutil.rmtree(copy)
    for arguments in (
        ("search", "--queries", path, "--trec"),
        ("eval", "--queries", path, "--qrels", path),
        ("similar", path),
        ("classify", "--queries", path, "-q"),
    ):
        check(shell(*arguments, "--index", folder), *arguments)
    path.unlink()


@times(20)
@given(content=tables)
def test_any_standard_input(folder, shell, tmp_path, content):
    for arguments in (("search", "-"), ("similar", "-"), ("classify", "-"), ("decode", "--text", "-")):
        check(shell(*arguments, "--index", folder, stdin=content), *arguments)
    copy = shutil.copytree(folder, tmp_path / "copy")
    for arguments in (("rm", "-"), ("add", "-")):
        check(shell(*arguments, "--index", copy, stdin=content), *arguments)
    with Engine.open(copy) as engine:
        assert engine.damage() == []
    shutil.rmtree(copy)
