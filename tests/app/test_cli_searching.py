"""The shell narrows, explains and corrects a search; every mistake is one line."""

import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from shared import QUICK, TINY, Said, some_documents

from textae import Document, Engine
from textae.config import SYSTEMS
from textae.errors import QueryError


def rows(said: Said) -> list[dict]:
    return [json.loads(line) for line in said.out.splitlines()]


def found(said: Said) -> list[str]:
    """Give the ids of what a search prints with --tsv."""
    assert said.code == 0, said
    return [line.split("\t")[2] for line in said.out.splitlines()]


@pytest.fixture
def search(shell, index_folder):
    return lambda *arguments, **options: shell("search", "--index", index_folder, *arguments, **options)


@pytest.fixture
def similar(shell, index_folder):
    return lambda *arguments, **options: shell("similar", "--index", index_folder, *arguments, **options)


class TestConditions:
    @pytest.mark.parametrize("mode", SYSTEMS)
    def test_where_narrows_any_system(self, search, mode) -> None:
        ids = found(search("comet bread", "--where", "year:[1910 TO 1919]", "--mode", mode, "-k", 60, "--tsv"))
        assert ids and {int(id.split("-")[1]) for id in ids} <= set(range(10, 20))

    def test_must_asks_for_words(self, search, documents) -> None:
        ids = found(search("comet", "--must", "planet AND NOT moon", "-k", 60, "--tsv"))
        held = {d.id for d in documents if "planet" in d.text and "moon" not in d.text}
        assert ids and set(ids) <= held

    def test_both_with_similar_and_with_many_queries(self, search, similar, tmp_path) -> None:
        conditions = ("--where", "topic:stars", "--must", "only3 OR only6", "-k", 60, "--tsv")
        assert set(found(similar("stars-0", *conditions))) == {"stars-3", "stars-6"}
        (tmp_path / "q.txt").write_text("comet\nplanet\n")
        many = search("--queries", tmp_path / "q.txt", *conditions)
        each = [set(found(search(query, *conditions))) for query in ("comet", "planet")]
        assert [set(found(many))] == [set.union(*each)]

    def test_hits_score_higher_than_the_least(self, search, similar, tmp_path, engine) -> None:
        (tmp_path / "q.txt").write_text("comet\nbread oven\n")
        asked = [(search, "comet bread"), (similar, "stars-0"), (partial(search, "--queries"), tmp_path / "q.txt")]
        for ask, given in asked:
            every = [line.split("\t") for line in ask(given, "-k", 60, "--tsv").out.splitlines()]
            scores = [float(row[3]) for row in every]
            assert all(0 < score <= 1 for score in scores)
            least = sorted(scores)[len(scores) // 2] + 1e-5
            above = [row[2] for row in every if float(row[3]) > least]
            assert 0 < len(above) < len(every)
            assert found(ask(given, "-k", 60, "--tsv", "--min-score", least)) == above
        assert [hit.id for hit in engine.search("comet", 60, min_score=0.4)] == [
            hit.id for hit in engine.search("comet", 60) if hit.score > 0.4
        ]
        said = search("comet", "--min-score", 1)
        assert (said.code, said.err) == (1, "textae: nothing found\n")
        assert "--min-score need a QUERY" in search("--where", "year:1910", "--min-score", 0.5).err
        with pytest.raises(QueryError, match="hits with a score above nan were asked for; give 0 or more"):
            engine.search("comet", min_score=float("nan"))

    def test_nothing_that_meets_it_is_nothing_found(self, search) -> None:
        said = search("comet", "--where", "year:1700")
        assert (said.code, said.out, said.err) == (1, "", "textae: nothing found\n")

    def test_stop_words_are_told_to_be_no_condition(self, search, similar) -> None:
        said = search("comet", "--must", "the AND planet", "-k", 3)
        assert (said.code, said.err) == (0, "textae: stop words are ignored in --must: the\n")
        assert search("comet", "--must", "the AND planet", "-k", 3, "--quiet").err == ""
        assert (
            similar("stars-0", "--must", '"of the"', "-k", 1).err
            == "textae: stop words are ignored in --must: of the\n"
        )

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--where", ""], "there is no condition, at character 1 of --where"),
            (["--must", " "], "there is no condition, at character"),
            (["--where", "nofield:x"], "no document has a field 'nofield'; there are id, title, topic, year"),
            (["--where", "year:["], "a range is written [2010 TO 2012], at character 6 of --where"),
            (["--must", "(comet"], "--must"),
            (["--where", "comet"], "--where"),
        ],
    )
    def test_what_is_no_condition(self, search, similar, tmp_path, arguments, says) -> None:
        assert says in search("comet", *arguments).error
        assert says in similar("stars-0", *arguments).error
        (tmp_path / "q.txt").write_text("comet\n")
        for shape in ("--tsv", "--json"):
            assert says in search("--queries", tmp_path / "q.txt", shape, *arguments).error


class TestFeedback:
    def test_like_and_not_like(self, search, engine) -> None:
        said = search("comet", "--like", "ships-2", "--like", "ships-5", "--not-like", "stars-3", "-k", 9, "--tsv")
        hits = engine.search("comet", 9, like=["ships-2", "ships-5"], unlike=["stars-3"])
        assert found(said) == [hit.id for hit in hits]
        assert found(said) != found(search("comet", "-k", 9, "--tsv"))

    def test_expand(self, search, engine) -> None:
        asked = ("cargo storm", "--mode", "bm25", "-k", 60, "--tsv")
        expanded = found(search(*asked, "--expand"))
        assert expanded == [hit.id for hit in engine.search("cargo storm", 60, "bm25", expand=True)]
        assert set(expanded) > set(found(search(*asked)))

    def test_similar_to_several(self, similar, engine) -> None:
        said = similar("stars-0", "bread-1", "--not-like", "bread-4", "-k", 9, "--json")
        assert [row["id"] for row in rows(said)] == [
            hit.id for hit in engine.similar(["stars-0", "bread-1"], 9, unlike=["bread-4"])
        ]
        assert {row["query"] for row in rows(said)} == {"stars-0 bread-1"}

    @pytest.mark.parametrize("option", ["--like", "--not-like"])
    def test_an_id_of_no_document(self, search, option) -> None:
        assert search("comet", option, "x12").error.startswith("no document has the id 'x12'; 'textae search' prints")

    def test_an_id_of_no_document_among_several(self, similar) -> None:
        assert similar("stars-0", "x12").error.startswith("no document has the id 'x12'")
        assert similar("stars-0", "--not-like", "x12").error.startswith("no document has the id 'x12'")

    @pytest.mark.parametrize("option", [["--like", "stars-0"], ["--not-like", "stars-0"], ["--expand"], ["--explain"]])
    def test_what_goes_with_one_query(self, search, tmp_path, option) -> None:
        (tmp_path / "q.txt").write_text("comet\n")
        said = search("--queries", tmp_path / "q.txt", *option).error
        assert said.startswith("--like, --not-like, --expand and --explain need one QUERY, not --queries")

    def test_not_like_goes_with_ids(self, similar, tmp_path) -> None:
        (tmp_path / "draft.txt").write_text("a comet")
        assert similar(tmp_path / "draft.txt", "-k", 1, "--tsv").code == 0
        said = similar(tmp_path / "draft.txt", "--not-like", "stars-0")
        assert said.error.startswith("--not-like needs IDs, not a FILE")


class TestExplanations:
    @pytest.mark.parametrize("mode", SYSTEMS)
    def test_json_sums_to_the_score(self, search, mode) -> None:
        for row in rows(search("comet sail", "-k", 5, "--explain", "--json", "--mode", mode)):
            why = row["explanation"]
            assert why.keys() == {"keywords", "codes", "together", "common", "name", "vectors"}
            total = sum(part["share"] for part in why["keywords"] + why["codes"]) + why["together"]
            assert total == pytest.approx(row["score"], abs=1e-4)

    def test_without_it_json_has_no_such_key(self, search) -> None:
        assert all("explanation" not in row for row in rows(search("comet", "--json")))

    def test_a_person_reads_what_each_word_gives(self, search, engine) -> None:
        lines = search("comet", "sail", "-k", 1, "--explain").out.splitlines()
        why = engine.search("comet sail", 1, explain=True)[0].explanation
        parts = {part.word: part.share for part in why.keywords}
        line = next(line for line in lines if line.startswith("     keywords "))
        assert float(line.split()[1]) == pytest.approx(sum(parts.values()), abs=1e-3)
        assert all(f"{word} {share:+.3f}" in line for word, share in parts.items())
        assert any(line.startswith("     codes ") for line in lines)
        assert f"     in common: {', '.join(why.common)}" in "\n".join(lines)

    def test_of_similar_documents_too(self, similar) -> None:
        said = similar("stars-0", "-k", 3, "--explain", "--json")
        for row in rows(said):
            why = row["explanation"]
            total = sum(part["share"] for part in why["keywords"] + why["codes"]) + why["together"]
            assert total == pytest.approx(row["score"], abs=1e-4)

    def test_escapes_in_documents_stay_out_of_reasons(self, shell, tmp_path) -> None:
        with Engine.create(tmp_path / "index") as engine:
            engine.index([Document(str(n), "comet \x1b[2J\u202eevil\x9b", "\x1b[2J") for n in range(3)])
        said = shell("similar", "0", "--explain", "--index", tmp_path / "index")
        assert said.code == 0
        assert not set("\x1b\u202e\x9b") & set(said.out + said.err)


class TestDidYouMean:
    def test_words_that_the_corpus_does_not_hold(self, search) -> None:
        said = search("comett", "sial", "qwertzuiop", "--mode", "bm25")
        assert (said.code, said.out) == (1, "")
        assert said.err == (
            "textae: nothing found; not in the corpus: comett (comet?), sial (sail?), qwertzuiop; "
            "did you mean: comet sail qwertzuiop\n"
        )

    def test_where_other_words_are_found_it_is_a_note(self, search) -> None:
        said = search("comett", "planet", "-k", 1)
        assert (said.code, said.err) == (
            0, "textae: not in the corpus: comett (comet?)\ntextae: did you mean: comet planet\n"
        )  # fmt: skip

    def test_words_are_offered_and_no_stems(self, shell, tmp_path) -> None:
        texts = ["the computers of today", "computers and gardening", "a beautiful garden", "gardening is a hobby"]
        with Engine.create(tmp_path / "index") as engine:
            documents = [Document(str(n), text) for n, text in enumerate(texts * 3)]
            engine.index(documents, language="english", model=TINY, train=QUICK)
        ask = partial(shell, "search", "--index", tmp_path / "index", "-k", 1, "--mode", "bm25")
        assert "did you mean: computers today" in ask("conputers", "today").err
        assert "did you mean: computers" in ask("computrs").err
        assert "did you mean: gardening" in ask("gradening").err
        assert "did you mean: garden." in ask("gardn.").err
        assert "did you mean: beautiful gardening" in ask("beutiful gardning").err


class TestDups:
    @pytest.fixture
    def doubled(self, tmp_path) -> Engine:
        twice = [Document(f"again-{n}", d.text, d.title) for n, d in enumerate(some_documents(2))]
        with Engine.create(tmp_path / "index") as engine:
            engine.index([*some_documents(30), *twice])
        return engine

    def test_groups_for_a_person_and_for_a_program(self, shell, doubled) -> None:
        said = shell("dups", "--index", doubled.folder)
        assert said.code == 0
        groups = [group.splitlines() for group in said.out.strip().split("\n\n")]
        assert [[line.split()[:2] for line in group] for group in groups] == [
            [["1.00", "stars-0"], ["1.00", "again-0"]],
            [["1.00", "bread-1"], ["1.00", "again-1"]],
        ]
        assert said.err.endswith("textae: 4 documents in 2 groups, of 32 compared within 16 bits\n")
        told = rows(shell("dups", "--json", "--quiet", "--index", doubled.folder))
        assert [(row["group"], row["id"], row["resemblance"]) for row in told] == [
            (1, "stars-0", 1), (1, "again-0", 1), (2, "bread-1", 1), (2, "again-1", 1)
        ]  # fmt: skip

    def test_what_is_removed_is_no_duplicate(self, shell, doubled) -> None:
        doubled.remove(["again-0", "bread-1"])
        said = shell("dups", "--index", doubled.folder, "--quiet")
        assert (said.code, said.out, said.err) == (1, "", "")

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--radius", -1], "the radius must be at least 0 bits, got -1"),
            (["--radius", "x"], "'x' is not a valid integer"),
            (["--resemblance", 2], "the resemblance must be from 0 to 1, got 2"),
        ],
    )
    def test_what_cannot_be_asked(self, shell, index_folder, arguments, says) -> None:
        said = shell("dups", "--quiet", *arguments, "--index", index_folder)
        assert says in said.error


@pytest.fixture(scope="module")
def two_indexes(tmp_path_factory) -> Path:
    """Give a folder with two indexes of other documents; read them only."""
    folder = tmp_path_factory.mktemp("two")
    documents = some_documents(30)
    for name, part in (("a.textae", documents[:15]), ("b.textae", documents[15:])):
        with Engine.create(folder / name) as engine:
            both = Document("both", "a comet and an oven in the corpus of both")
            engine.index([*part, both], model=TINY, train=QUICK)
    return folder


class TestSeveralIndexes:
    @pytest.fixture
    def two(self, two_indexes, tmp_path, monkeypatch) -> tuple[str, str]:
        """Be in a folder where both are named by their names."""
        monkeypatch.chdir(tmp_path)
        for name in ("a.textae", "b.textae"):
            shutil.copytree(two_indexes / name, tmp_path / name)
        return "a.textae", "b.textae"

    @pytest.fixture
    def ask(self, shell, two):
        def run(*arguments, which=two) -> Said:
            return shell(*arguments, *(part for one in which for part in ("--index", one)))

        return run

    def hits(self, said: Said) -> list[tuple[str, float]]:
        assert said.code == 0, said
        return [(row["id"], row["score"]) for row in map(json.loads, said.out.splitlines())]

    def test_ranks_are_merged_and_ids_say_which_index(self, ask, two) -> None:
        bm25 = "search", "comet", "--mode", "bm25", "--json", "-k"
        one, other = ([id for id, _ in self.hits(ask(*bm25, 3, which=[name]))] for name in two)
        expected = [f"{name}:{ids[n]}" for n in range(3) for name, ids in zip(two, (one, other), strict=True)]
        merged = self.hits(ask(*bm25, 5))
        assert [id for id, _ in merged] == expected[:5]
        assert [score for _, score in merged] == pytest.approx([1 / 61, 1 / 61, 1 / 62, 1 / 62, 1 / 63])
        ranks = [line.split("\t")[1] for line in ask("search", "comet", "-k", 5, "--tsv").out.splitlines()]
        assert ranks == ["1", "2", "3", "4", "5"]

    def test_the_scores_of_the_hybrid_are_merged(self, ask, two) -> None:
        alone = [
            (f"{name}:{id}", score)
            for name in two
            for id, score in self.hits(ask("search", "comet only22", "-k", 30, "--json", which=[name]))
        ]
        merged = self.hits(ask("search", "comet only22", "-k", 6, "--json"))
        assert merged == sorted(alone, key=lambda hit: -hit[1])[:6]
        above = ask("search", "comet only22", "-k", 6, "--json", "--min-score", merged[3][1])
        assert self.hits(above) == [hit for hit in merged if hit[1] > merged[3][1]]

    def test_an_index_that_is_named_twice_counts_once(self, ask, two, tmp_path) -> None:
        ids = [id for id, _ in self.hits(ask("search", "comet", "--json", which=["a.textae", tmp_path / "a.textae"]))]
        assert not any(":" in id for id in ids)

    def test_a_word_is_unknown_if_no_index_holds_it(self, ask) -> None:
        said = ask("search", "only2", "only22", "comett", "--mode", "bm25")
        assert said.err == "textae: not in the corpus: comett (comet?)\ntextae: did you mean: only2 only22 comet\n"

    def test_a_filter_alone(self, ask) -> None:
        said = ask("search", "--where", "topic:stars", "-k", 100, "--json")
        assert [score for _, score in self.hits(said)] == [1.0] * 10
        assert "10 documents match, and 4 are listed" in ask("search", "--where", "topic:stars", "-k", 4).err

    def test_similar(self, ask, two) -> None:
        hits = self.hits(ask("similar", "stars-0", "-k", 4, "--json"))
        assert {id.split("-")[0] for id, _ in hits} == {"a.textae:stars", "b.textae:stars"}
        assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)
        assert "a.textae:stars-0" not in dict(hits)
        assert "a.textae:both" not in dict(self.hits(ask("similar", "a.textae:both", "-k", 40, "--json")))
        mixed = self.hits(ask("similar", "stars-0", "stars-18", "-k", 40, "--json"))
        assert not {"a.textae:stars-0", "b.textae:stars-18"} & dict(mixed).keys()

    def test_similar_to_a_file(self, ask, tmp_path) -> None:
        (tmp_path / "draft.txt").write_text(some_documents(1)[0].text)
        assert len(self.hits(ask("similar", "draft.txt", "-k", 4, "--json"))) == 4

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["similar", "both"], "several indexes have the id 'both'; give a.textae:both or the like"),
            (["similar", "x12"], "no document has the id 'x12' in any of the indexes"),
            (["similar", "-"], "--html, --not-like and standard input need one --index"),
            (["search", "comet", "--like", "both"], "--queries, --like and --not-like search one index"),
            (["search", " "], "the query is empty"),
            (["search"], "give a QUERY, --queries FILE, or --where or --must alone"),
        ],
    )
    def test_what_cannot_be_asked(self, ask, arguments, says) -> None:
        assert ask(*arguments).error.startswith(says)

    def test_one_of_them_is_not_there(self, ask) -> None:
        assert ask("search", "comet", which=["a.textae", "c.textae"]).error.startswith("no index at c.textae")

    def test_the_environment_names_one_whatever_letters_it_has(self, shell, two, tmp_path, monkeypatch) -> None:
        (tmp_path / "a.textae").rename(tmp_path / "a:b c")
        monkeypatch.setenv("TEXTAE_INDEX", "a:b c")
        assert shell("search", "comet", "--tsv").code == 0
