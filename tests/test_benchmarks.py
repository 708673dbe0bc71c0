"""What the benchmarks compute themselves: splits, stripping, precision with ties, LSA's bits, and the page's tables."""

import datetime
import gzip
import itertools
import json
import math
import subprocess
import sys
import tomllib
from dataclasses import replace
from types import SimpleNamespace

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat
from scipy.sparse import csc_array, csr_array

import bench
from benchmarks import datasets, report
from benchmarks.datasets import WordFrequencies, variants
from benchmarks.harness import options, precision, rows, runs, workers
from benchmarks.harness.rows import Row
from benchmarks.suites import hashing, hinton, image_figures, images, labels, minilm, quality, questions, topics
from benchmarks.suites.speed import QUERIES, beside, queries
from textae import Document, Engine, ModelSpec, TrainSpec
from textae.types import Query, Ranking

MESSAGE = """From: ada@example.org
Subject: Re: engines

In article <1@example.org> charles wrote:
> Will it weave?
| Or knit?
It weaves patterns.

--
Ada
"""


def row(what: str, data: str, figures: dict[str, float], seed: int | None = 1, commit: str = "abc") -> Row:
    return Row(what, data, 1_000, figures, seed, commit, "a machine", "2026-01-01")


class TestExpectedPrecision:
    def test_the_tied_documents_share_the_places_that_are_left(self) -> None:
        """One hit is nearer; one of three tied is relevant, for two places: (1 + 2 · 1/3) / 3."""
        distances = np.array([[0.0, 1, 1, 1, 2]])
        relevant = np.array([[True, True, False, False, True]])
        assert precision.expected_precision(distances, relevant, 3) == pytest.approx([5 / 9])

    def test_without_a_tie_at_the_cut_it_is_precision(self) -> None:
        distances = np.array([[3.0, 1, 2, 2, 4], [4, 3, 2, 1, 0]])
        relevant = np.array([[True, True, False, True, True], [False, False, False, True, False]])
        assert precision.expected_precision(distances, relevant, 3) == pytest.approx([2 / 3, 1 / 3])

    def test_where_all_tie_it_is_the_share_of_the_relevant(self) -> None:
        assert precision.expected_precision(np.zeros((1, 8)), np.arange(8)[None] < 2, 5) == pytest.approx([1 / 4])

    def test_places_without_documents_are_misses(self) -> None:
        assert precision.expected_precision(np.array([[0.0, 1]]), np.array([[True, True]]), 10) == pytest.approx([0.2])

    @given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=5), st.integers(1, 6))
    def test_it_is_the_mean_over_all_orders_of_the_documents(self, documents, k) -> None:
        orders = [sorted(order, key=lambda document: document[0]) for order in itertools.permutations(documents)]
        mean = np.mean([sum(relevant for _, relevant in order[:k]) / k for order in orders])
        distances, relevant = np.array(documents).T
        assert precision.expected_precision(distances[None], relevant[None] == 1, k) == pytest.approx([mean])


class TestSplit:
    def test_the_parts_have_their_shares_and_nothing_in_common(self) -> None:
        parts = datasets.split(range(18_846), hashing.SHARES[hashing.NEWSGROUPS], seed=1)
        assert list(map(len, parts)) == [11_308, 3_769, 3_769]
        assert sorted(itertools.chain(*parts)) == list(range(18_846))

    def test_what_the_shares_leave_over_is_in_no_part(self) -> None:
        assert list(map(len, datasets.split(range(1_000), quality.SHARES, seed=1))) == [200, 20]

    def test_a_seed_is_a_split(self) -> None:
        first, again, other = (datasets.split(range(100), (0.5, 0.5), seed) for seed in (1, 1, 2))
        assert first == again != other

    def test_by_date_half_of_the_test_part_asks_if_it_is_neither_short_nor_long(self) -> None:
        def of_words(n: int, name: str) -> Document:
            return Document(name, " ".join(f"x{i}" for i in range(n)))

        train = [of_words(n, f"train/{n}") for n in (9, 10, 500, 501)]
        training, asking = hashing.by_date(train, [of_words(50, f"test/{i}") for i in range(10)], seed=1)
        assert [document.id for document in training] == ["train/10", "train/500"]
        assert len(asking) == 5

    def test_the_largest_categories(self) -> None:
        corpus = [Document(str(i), "x", fields={"label": label}) for i, label in enumerate("cbbaac")]
        assert [document.id for document in quality.largest(corpus, 2)] == ["1", "2", "3", "4"]


class TestStripping:
    def test_what_is_left_is_what_was_written(self) -> None:
        assert datasets.stripped(Document("1", MESSAGE)).text == "It weaves patterns.\n"

    def test_each_alone(self) -> None:
        assert datasets.without_header(MESSAGE).startswith("In article")
        assert datasets.without_footer("a\n\nb\n-- \nname") == "a\n\nb"
        assert datasets.without_footer("no signature") == "no signature"
        assert datasets.without_quotes("she said:\n> a\nb") == "b"

    def test_what_is_left_without_a_word_does_not_ask(self) -> None:
        documents = [Document("1", "...\n"), Document("2", "word")]
        assert [document.id for document in datasets.with_words(documents)] == ["2"]


@pytest.fixture(scope="module")
def labelled() -> list[Document]:
    words = {"sea": "ship sail wave harbour anchor", "sky": "wing cloud pilot engine flight"}
    return [
        Document(f"{label}/{i}", " ".join(np.random.default_rng(i).choice(text.split(), 12)), "", {"label": label})
        for i in range(30)
        for label, text in words.items()
    ]


@pytest.fixture(scope="module")
def indexed(labelled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmarks") / "index"
    with datasets.table(labelled[:50]) as source:
        return folder, runs.index(source, folder, model=ModelSpec(bits=16), seed=1, passes=1)


class TestIndex:
    def test_an_index_tells_what_it_took(self, indexed) -> None:
        _, cost = indexed
        assert cost.documents == 50
        assert 0 < cost.learning < cost.indexing < 60
        assert 0.05 < cost.gib < 4
        assert list(cost.figures()) == list(report.COSTS)

    def test_systems_are_scored_by_the_label(self, indexed, labelled) -> None:
        with Engine.open(indexed[0]) as engine:
            scored = precision.label_precision(engine, ("bm25", "code", "bits"), labelled[50:], 10)
        assert all(value > 0.9 for value in scored.values())

    def test_bits_of_lsa_find_a_document_by_its_own_text(self, indexed, labelled) -> None:
        with Engine.open(indexed[0]) as engine:
            system = hashing.lsa_bits(engine.snapshot, 8)
            vectors = runs.query_vectors(engine, [document.text for document in labelled[:50]])
            scores = np.stack([system.scores(vector, np.arange(50)) for vector in vectors])
        assert scores.diagonal() == pytest.approx(1, abs=0.3)  # a coordinate at its median may fall to either side
        assert scores.diagonal().mean() > scores.mean() + 0.5


class TestReport:
    def test_seeds_are_a_mean_and_half_their_range(self) -> None:
        text = report.page([row("speed", "a", {"x": value}, seed) for seed, value in ((1, 0.5), (2, 0.7))], "")
        assert "| a | 1,000 | 0.600 ± 0.100 |" in text
        assert "(seeds 1, 2 · abc · a machine · 2026-01-01)" in text

    def test_the_command_and_its_minutes_are_below_the_table(self) -> None:
        newer = [
            replace(row("x", "a", {"y": 1.0}, seed), command="scripts/bench z", seconds=90 * seed) for seed in (1, 2)
        ]
        text = report.page(newer, "")
        assert "(seeds 1, 2 · abc · a machine · 2026-01-01 · `scripts/bench z`, 3 min)" in text

    def test_the_lines_of_one_command_have_the_minutes_of_the_last(self) -> None:
        newer = [
            replace(row("x", on, {"y": 1.0}), command="scripts/bench z", seconds=60 * n)
            for on, n in (("a", 1), ("b", 9))
        ]
        assert "\n(seed 1 · abc · a machine · 2026-01-01 · `scripts/bench z`, 9 min)\n" in report.page(newer, "")

    def test_the_newest_row_counts(self) -> None:
        text = report.page([row("speed", "a", {"x": 0.1}), row("speed", "a", {"x": 0.2}, commit="def")], "")
        assert "0.200" in text
        assert "0.100" not in text

    def test_what_no_section_names_has_one_of_its_own(self) -> None:
        assert "## speed\n\n| data |" in report.page([row("speed", "a", {"x": 0.1})], "")

    def test_baselines_ours_published_and_costs_stand_side_by_side(self) -> None:
        figures = {"bits": 0.6, "LSA bits": 0.4, "learning s": 60.0, "indexing s": 70.0, "peak GiB": 1.0}
        text = report.page([row("P@100, semantic hashing, date split", "64 bits", figures)], "")
        assert (
            "| data | documents | **bits** | LSA bits | *NbrSH-V 2022* | *SNUH 2021* | *VDSH 2017* "
            "| learning s | indexing s | peak GiB |" in text
        )
        assert "| 64 bits | 1,000 | 0.600 | 0.400 | 0.674 | 0.665 | 0.173 | 60.0 | 70.0 | 1.000 |" in text

    def test_the_best_size_of_lsa_is_that_with_the_best_mean(self) -> None:
        seeds = [
            row("P@100", "a", {"lsa-32": 0.5, "lsa": value, "code": 0.6}, seed) for seed, value in ((1, 0.8), (2, 0.1))
        ]
        text = report.page(seeds, "")
        assert "| data | documents | lsa-32 | lsa | **code** | best LSA |" in text
        assert "| a | 1,000 | 0.500 | 0.450 ± 0.350 | 0.600 | 0.500 |" in text

    def test_lines_of_different_origin_say_theirs(self) -> None:
        text = report.page([row("speed", "a", {"x": 0.1}), row("speed", "b", {"x": 0.2}, commit="def")], "")
        assert "(a: seed 1 · abc · a machine · 2026-01-01)" in text
        assert "(b: seed 1 · def · a machine · 2026-01-01)" in text

    def test_the_picture_of_quality_against_time(self, tmp_path) -> None:
        measured = [
            row(
                quality.PASSES_TABLE,
                quality.name_of(passes),
                {"tfidf": 0.4, "lsa": 0.44, "code": 0.5, "bits": 0.5, "learning s": 9.0},
            )
            for passes in quality.PASSES
        ]
        quality.draw_passes(measured, tmp_path / "picture.png")
        assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


class InThisProcess:
    """Stands in for a pool of processes, which take seconds to start."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> "InThisProcess":
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, function, *arguments) -> SimpleNamespace:
        done = function(*arguments)
        return SimpleNamespace(result=lambda: done)


@pytest.fixture
def small_data(labelled, tmp_path, monkeypatch):
    """Corpora of sixty documents, and a page, a picture and rows of their own."""
    for name in ("20newsgroups", "arxiv100k", "med"):
        (tmp_path / name).mkdir()
        with gzip.open(tmp_path / name / "corpus.jsonl.gz", "wt") as file:
            for i, document in enumerate(labelled):
                label, split = document.fields["label"], "test" if i % 3 == 0 else "train"
                text = f"From: ada\n\n{document.text} {' '.join(f'x{i}y{j}' for j in range(9))}"
                told = {"id": document.id, "title": document.text, "text": text, "label": label, "split": split}
                file.write(json.dumps(told) + "\n")
    (tmp_path / "reuters21578").mkdir()
    with gzip.open(tmp_path / "reuters21578" / "corpus.jsonl.gz", "wt") as file:
        for i, document in enumerate(labelled):
            told = {"id": document.id, "title": "", "text": document.text, "split": "test" if i % 3 == 0 else "train"}
            file.write(json.dumps(told | {"labels90": [document.fields["label"], "news"][i % 2 :]}) + "\n")
    (tmp_path / "tmc").mkdir()
    bags = {
        part: csc_array(np.random.default_rng(i).random((30, 40)) > 0.7) for i, part in enumerate(("train", "test"))
    }
    bags |= {f"gnd_{part}": np.eye(3, dtype=np.uint8)[np.arange(30) % 3] for part in ("train", "test")}
    savemat(tmp_path / "tmc" / "tmc.tfidf.mat", bags)
    (tmp_path / "med" / "queries.jsonl").write_text('{"_id": "q", "text": "ship"}\n')
    (tmp_path / "med" / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tsea/1\t1\n")
    written = (rows, "ROWS"), (report, "PAGE"), (report, "README"), (report, "RESULTS"), (quality, "PICTURE")
    for module, name in written:
        copy = tmp_path / name
        copy.write_bytes(getattr(module, name).read_bytes() if getattr(module, name).exists() else b"")
        monkeypatch.setattr(module, name, copy)
    monkeypatch.setattr(quality, "PASSES", (0, None))
    monkeypatch.setattr(runs, "ProcessPoolExecutor", InThisProcess)
    monkeypatch.setenv("TEXTAE_DATA", str(tmp_path))


@pytest.mark.parametrize(
    ("command", "written"),
    {
        "hashing --seeds 1 --bits 16": 1,
        "hashing --seeds 1 --bits 16 --split date --stripped": 1,
        "hashing --data reuters21578 --seeds 1 --bits 16 --split date": 1,
        "hashing --data tmc --seeds 1 --bits 16": 1,
        "hashing --quick": 0,
        "retrieval --seeds 1 --data med": 2,
        "retrieval --quick": 0,
        "expansion --quick": 0,
        "newsgroups --seeds 1": 1,
        "newsgroups --seeds 1 --stripped": 1,
        "newsgroups --quick": 0,
        "hinton --quick": 0,
        "short --seeds 1": 8,
        "labels --seeds 1": 4,
        "labels --quick": 0,
        "time --seeds 1": 2,
        "time --quick": 0,
    }.items(),
)
def test_a_benchmark_appends_its_rows_and_the_page_shows_them(command, written, small_data) -> None:
    before = rows.read()
    done = CliRunner().invoke(bench.bench, command.split(), catch_exceptions=False)
    new = rows.read()[len(before) :]
    assert len(new) == written, done.output
    text = report.PAGE.read_text(encoding="utf-8")
    for measured in new:
        assert f"### {measured.what}\n" in text
        assert all(0 <= value <= 1 for name, value in measured.figures.items() if name not in report.COSTS)
    printed = done.output.splitlines()
    assert len(printed) == written or all(line.startswith("quick: ") for line in printed)


class TestImages:
    def test_rows_and_figures_of_a_few_digits(self, small_data, tmp_path, monkeypatch) -> None:
        pytest.importorskip("matplotlib")
        drawn = np.random.default_rng(1).integers(0, 256, (80, 28, 28), dtype=np.uint8)
        digits = np.arange(80) % 10
        (tmp_path / "mnist").mkdir()
        np.savez(
            tmp_path / "mnist" / "digits.npz",
            x_train=drawn[:50], y_train=digits[:50], x_test=drawn[50:], y_test=digits[50:],
        )  # fmt: skip
        small = {"hidden": (60,), "dims": 8}
        tiny = {
            name: (replace(model, **small | ({"dims": 2} if name == images.PLANE else {})), replace(train, epochs=1))
            for name, (model, train) in images.LEARNED.items()
        }
        for where, name, value in (
            (images, "LEARNED", tiny), (images, "TIMED", 5), (images, "KNOWN", (20,)),
            (labels, "PICTURE_RECIPE", replace(labels.PICTURE_RECIPE, steps=2, epochs=0.0)),
            (image_figures, "IMAGES", tmp_path / "images"),
        ):  # fmt: skip
            monkeypatch.setattr(where, name, value)
        before = rows.read()
        done = CliRunner().invoke(bench.bench, ["images", "--queries", "10"], catch_exceptions=False)
        new = rows.read()[len(before) :]
        assert len(new) == 4 + 1 + 1 + 1 + 3 + 1, done.output
        text = report.PAGE.read_text(encoding="utf-8")
        for measured in new:
            assert f"### {measured.what}\n" in text
        found = {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()}
        assert len(found) == 6
        assert all(picture.startswith(b"\x89PNG") for picture in found.values())

    def test_pictures_side_by_side_are_dark_on_white(self) -> None:
        both = image_figures.sheet(np.stack([np.ones(784), np.zeros(784)]), 2)
        assert both.shape == (30, 60)
        assert both[1:29, 1:29].max() == 0
        assert both[:, 30:].min() == both[0].min() == 1


def test_every_row_has_what_the_page_needs() -> None:
    for measured in rows.read():
        assert measured.what and measured.data and measured.commit and measured.machine
        assert measured.size > 0
        assert measured.seed is None or measured.seed >= 0
        assert measured.figures
        assert all(math.isfinite(value) for value in measured.figures.values())
        assert datetime.date.fromisoformat(measured.date)


def test_a_row_is_written_as_it_is_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(rows, "ROWS", tmp_path / "rows.jsonl")
    rows.write("P@100", "a", 3, {"bits": 0.123456}, seed=2)
    rows.write("P@100", "b", 3, {"bits": 1.0})
    first, second = rows.read()
    assert (first.what, first.data, first.size, first.figures, first.seed) == ("P@100", "a", 3, {"bits": 0.1235}, 2)
    assert second.seed is None


class TestOptions:
    @staticmethod
    def chosen(*arguments: str) -> str:
        """What a command with the shared options gets, or the last line of its refusal."""

        @click.command()
        @options.data_option(("large", "middle", "small"), ("large", "middle"), smallest="small")
        @options.seeds_option(3)
        @options.quick_option
        def command(data: tuple[str, ...], seeds: tuple[int, ...]) -> None:
            click.echo(f"{data} {seeds} {options.quick()}")

        return CliRunner().invoke(command, arguments).output.splitlines()[-1]

    def test_a_number_of_seeds_counts_from_1_and_a_list_names_them(self) -> None:
        assert self.chosen() == "('large', 'middle') (1, 2, 3) False"
        assert self.chosen("--seeds", "5") == "('large', 'middle') (1, 2, 3, 4, 5) False"
        assert self.chosen("--seeds", "1,3", "--data", "small") == "('small',) (1, 3) False"

    def test_quick_is_one_seed_of_the_smallest_data_or_of_what_is_named(self) -> None:
        assert self.chosen("--quick") == "('small',) (1,) True"
        assert (
            self.chosen("--data", "middle", "--data", "large", "--seeds", "4,5", "--quick") == "('middle',) (4,) True"
        )

    @pytest.mark.parametrize("seeds", ["0", "-1", "1,0", "x", "1,", ""])
    def test_other_seeds_are_refused(self, seeds) -> None:
        assert f"Invalid value for '--seeds': {seeds!r}; give" in self.chosen("--seeds", seeds)

    def test_without_a_command_nothing_is_quick(self) -> None:
        assert not options.quick()
        assert list(datasets.some(range(30))) == list(range(30))


class TestHashing:
    def test_a_document_that_shares_a_label_is_relevant(self, tmp_path) -> None:
        labels = {"a": ["grain", "corn"], "b": ["corn"], "c": ["oil"], "d": ["grain"]}
        indexed = [Document(id, f"word {id}", "", {"label": label}) for id, label in labels.items()]
        queries = [
            Document("q", "word", "", {"label": ["corn", "unseen"]}),
            Document("r", "word", "", {"label": "oil"}),
        ]
        with Engine.create(tmp_path) as engine:
            engine.index(indexed, train=TrainSpec(epochs=0))
            assert precision.label_precision(engine, ["bm25"], queries, 4) == {
                "bm25": pytest.approx((2 / 4 + 1 / 4) / 2)
            }

    def test_stories_have_a_topic_and_a_word(self) -> None:
        topics = [["grain", "corn"], [], ["oil"]]
        found = hashing.stories(
            Document(str(n), text, "", {"labels90": own, "topics": own})
            for n, (text, own) in enumerate(zip(["wheat", "none", "..."], topics, strict=True))
        )
        assert [(story.id, story.fields) for story in found] == [("0", {"label": ["grain", "corn"]})]

    def test_bags_are_words_for_their_terms(self, tmp_path) -> None:
        file = tmp_path / "tmc.tfidf.mat"
        savemat(file, {"train": csc_array([[0.5, 0, 2.0], [0, 1.0, 0]]), "gnd_train": np.array([[1, 1], [0, 1]])})
        first, second = hashing.bags_of(file, "train")
        assert (first.id, first.text, first.fields) == ("train/0", "t0 t2", {"label": ["0", "1"]})
        assert (second.id, second.text, second.fields) == ("train/1", "t1", {"label": ["1"]})

    def test_bags_that_are_missing_are_asked_for_in_one_line(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setenv("TEXTAE_DATA", str(tmp_path))
        done = CliRunner().invoke(bench.bench, ["hashing", "--data", "tmc", "--quick"])
        assert done.exit_code == 2
        assert done.output.splitlines()[-1].startswith(
            f"Error: no {tmp_path / 'tmc' / 'tmc.tfidf.mat'}; put VDSH's file"
        )


class TestHinton:
    def test_precision_and_recall_after_1_3_7_and_all_documents(self, tmp_path) -> None:
        """The first documents have the query's words; of its group are the first, the third and the last."""
        texts = ["red apple", "red apple pear", "red plum", "blue", "green", "grey"]
        groups = ["fruit", "sky", "fruit", "sky", "sky", "fruit"]
        numbered = enumerate(zip(texts, groups, strict=True))
        documents = [Document(str(n), text, "", {"label": group}) for n, (text, group) in numbered]
        with hinton.learned(str(tmp_path), "i", documents, ModelSpec(), TrainSpec(epochs=0)) as engine:
            found = hinton.curve(engine, "bm25", [Document("q", "red apple", "", {"label": "fruit"})])
        assert found.cutoffs.tolist() == [1, 3, 6]
        assert found.precision.tolist() == pytest.approx([1, 2 / 3, 1 / 2])
        assert found.recall.tolist() == pytest.approx([1 / 3, 2 / 3, 1])

    def test_a_document_that_is_rebuilt_badly_costs_more_nats_a_word(self, tmp_path, labelled) -> None:
        with hinton.learned(
            str(tmp_path), "i", labelled[:40], ModelSpec(8, 16, (8,), 0.0), TrainSpec(epochs=5)
        ) as engine:
            known, other = (
                hinton.rebuilding_error(engine, part) for part in (labelled[:40], [Document("x", "pilot sail")])
            )
            n_terms = len(engine.snapshot.decoder.layers[-1][1])
        assert 0 < known < np.log(n_terms) < 2 * other

    def test_every_group_has_a_colour_of_its_own(self) -> None:
        pytest.importorskip("matplotlib")
        shades = hinton._shades()
        assert len(shades) == len(set(shades.values())) == 20


class TestMillion:
    def test_a_word_is_drawn_as_often_as_it_occurs(self) -> None:
        words = WordFrequencies.of([Document("1", "b a b", "b"), Document("2", "c")])
        assert dict(zip(words.words, words.cumulative, strict=True)) == {"b": 3 / 5, "a": 4 / 5, "c": 1}
        drawn = words.exchange("x " * 10_000, 1, np.random.default_rng(1)).split()
        assert drawn.count("b") / len(drawn) == pytest.approx(3 / 5, abs=0.02)

    @given(st.lists(st.sampled_from(["sea", "sky", "sun"]), max_size=30), st.floats(0, 1), st.integers(0, 99))
    def test_so_great_a_share_of_the_words_is_exchanged_and_no_other(self, old, share, seed) -> None:
        words = WordFrequencies(("new",), np.ones(1))
        new = words.exchange(" ".join(old), share, np.random.default_rng(seed)).split()
        assert [a for a, b in zip(old, new, strict=True) if a == b] == [
            a for a, b in zip(old, new, strict=True) if b != "new"
        ]
        assert new.count("new") == round(share * len(old))

    def test_a_copy_is_the_same_every_time_and_unlike_every_other(self) -> None:
        corpus = [Document("1", "one two three four five six seven eight nine ten", "", {"label": "n"})]
        words = WordFrequencies.of(corpus + [Document("2", "other")] * 90)
        first, again, other = (list(variants(corpus, words, copy)) for copy in (0, 0, 1))
        assert first == again
        assert (first[0].id, other[0].id) == ("1#0", "1#1")
        assert first[0].text != other[0].text
        assert first[0].fields == {"label": "n"}


class TestPeers:
    def test_queries_are_titles_without_stop_words(self) -> None:
        assert queries(["The AND of Engines", "of the", ""]) == ["engines"]

    def test_so_many_titles_are_asked_the_same_every_time(self) -> None:
        titles = [f"engine{i}" for i in range(2 * QUERIES)]
        assert len(set(queries(titles))) == QUERIES
        assert queries(titles) == queries(titles) != titles[:QUERIES]

    def test_ours_over_each_other(self) -> None:
        assert beside({"a": 2.0, "b": 4.0, "c": 1.0}, "a") == {"a": 2, "b": 4, "c": 1, "over b": 0.5, "over c": 2}

    def test_the_best_of_each_query_is_first(self) -> None:
        scores = np.array([[0.1, -0.5, 0.3], [0.2, 0.2, 0]], np.float32)
        found = minilm.ranked([Query("p", ""), Query("q", "")], scores, ["a", "b", "c"])
        assert {query: ranking.ids for query, ranking in found.items()} == {"p": ("c", "a", "b"), "q": ("a", "b", "c")}
        assert found["p"].scores == pytest.approx((0.3, 0.1, -0.5))

    def test_processes_are_asked_in_turns_and_each_text_is_timed(self) -> None:
        with (
            workers.Worker(sys.executable, workers.SCANS, "copy", 100) as copy,
            workers.Worker(sys.executable, workers.SCANS, "hamming", 100) as hamming,
        ):
            seconds = workers.in_turns({"copy": copy, "hamming": hamming}, ["1"] * 45)
        assert {name: len(values) for name, values in seconds.items()} == {"copy": 45, "hamming": 45}
        assert all((values > 0).all() for values in seconds.values())

    def test_a_process_that_ends_early_is_an_error(self) -> None:
        with (
            workers.Worker(sys.executable, workers.SCANS, "copy", "many") as worker,
            pytest.raises(click.ClickException, match=r"scans\.py copy many ended early"),
        ):
            worker.ask(["1"])

    def test_sqlite_adds_finds_and_removes(self, tmp_path) -> None:
        def run(*command: object) -> str:
            program = [sys.executable, str(workers.SYSTEMS), *map(str, command)]
            return subprocess.run(program, capture_output=True, text=True, check=True).stdout

        folder, ids = tmp_path / "fts5", tmp_path / "ids.json"
        with datasets.table(
            [Document("1", "ships sail"), Document("2", "a wing", "Sails"), Document("3", "wings")]
        ) as source:
            run("add", "fts5", folder, source)
        assert set(run("once", "fts5", folder, "sailing ship").split()) == {"1", "2"}
        ids.write_text('["1"]')
        run("remove", "fts5", folder, ids)
        assert run("once", "fts5", folder, "sailing ship").split() == ["2"]


class TestQuestions:
    @pytest.mark.parametrize("name", questions.COLLECTIONS)
    def test_every_question_has_an_answer(self, name) -> None:
        about = tomllib.loads((questions.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        assert len(about["questions"]) >= 30
        assert all(answers and len(answers) == len(set(answers)) for answers in about["questions"].values())
        assert about["source"] and ("recipe" in about) != ({"packages", "pages"} <= about.keys())

    def test_pages_have_the_names_of_their_files(self, tmp_path, monkeypatch) -> None:
        """Pages of two sections; what lies deeper or ends otherwise is none."""
        for file in ("man1/tail.txt", "man2/open.txt", "man1/notes.md", "man1/old/head.txt", "de/tail.txt"):
            (tmp_path / "man" / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "man" / file).write_text(f"the page {file}")
        asked = 'packages = []\npages = "man[1-8]/*.txt"\n[questions]\n"the end of a file" = ["tail"]\n'
        (tmp_path / "man.toml").write_text(asked)
        monkeypatch.setattr(questions, "FOLDER", tmp_path)
        collection = questions.Collection.load("man", tmp_path)
        assert [page.id for page in collection.documents] == ["tail", "open"]
        (tmp_path / "man.toml").write_text(asked.replace('"tail"', '"tail", "cat"'))
        with pytest.raises(click.ClickException, match="man lacks cat"):
            questions.Collection.load("man", tmp_path)

    def test_the_first_answer_counts(self) -> None:
        asked = [Query(text, text) for text in "pqr"]
        collection = questions.Collection("", [], asked, [["b", "c"], ["a"], ["z"]])
        rankings = [Ranking(ids, (1.0,) * len(ids)) for ids in (("a", "b", "c"), ("a",), ("a", "b"))]
        assert collection.reciprocal_ranks(rankings).tolist() == [1 / 2, 1, 0]

    def test_systems_are_fused_by_their_ranks(self) -> None:
        """Of b second and first, a first alone, c third and second: 1/62 + 1/61, 1/61, 1/63 + 1/62."""
        one, other = Ranking(("a", "b", "c"), (9.0, 8.0, 7.0)), Ranking(("b", "c"), (0.2, 0.1))
        both = questions.fused([one], [other])[0]
        assert both.ids == ("b", "c", "a")
        assert both.scores == pytest.approx((1 / 62 + 1 / 61, 1 / 63 + 1 / 62, 1 / 61))


class TestTopics:
    def test_coherence_by_hand(self) -> None:
        """Of four documents two hold a, two b and one both: ln(1/4 / (1/2 · 1/2)) = 0; all that hold c hold d."""
        counts = csr_array(np.array([[1, 2, 0, 0], [1, 0, 0, 0], [0, 3, 0, 0], [0, 0, 1, 1]]))
        assert topics.coherence(counts, [np.array([0, 1])]) == pytest.approx(0)
        assert topics.coherence(counts, [np.array([2, 3])]) == pytest.approx(1)
        assert topics.coherence(counts, [np.array([0, 2])]) == -1
        assert topics.coherence(counts, [np.array([0, 2, 3]), np.array([0, 1])]) == pytest.approx((-1 - 1 + 1) / 3 / 2)

    def test_a_pair_that_every_document_holds_goes_together(self) -> None:
        assert topics.coherence(csr_array(np.ones((3, 2))), [np.array([0, 1])]) == 1

    def test_diversity_is_the_share_of_different_words(self) -> None:
        assert topics.diversity([np.array([1, 2, 3]), np.array([3, 4, 5])]) == pytest.approx(5 / 6)

    def test_the_words_of_a_class_by_hand(self) -> None:
        """Both classes have 8 words: a says as much as b in the first, and b is rarer in all."""
        counts = csr_array(np.array([[4.0, 4, 0], [4, 0, 4]]))
        corpus = topics.Corpus(counts, counts, np.array([True, True, True]), np.array([0, 1]))
        assert [words.tolist() for words in topics.by_class(corpus, np.array([0, 1]))] == [[1, 0, 2], [2, 0, 1]]
        without_the_first = topics.by_class(corpus, np.array([-1, 0]))
        assert [words.tolist() for words in without_the_first] == [[2, 0, 1]]

    def test_a_number_stands_for_no_topic(self) -> None:
        counts = csr_array(np.array([[4.0, 4, 0], [4, 0, 4]]))
        corpus = topics.Corpus(counts, counts, np.array([True, False, True]), np.array([0, 1]))
        assert topics.by_class(corpus, np.array([0, 1]))[0].tolist()[:2] == [0, 2]
