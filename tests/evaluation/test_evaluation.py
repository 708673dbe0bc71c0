"""Metrics against numbers that a reader can redo on paper; intervals and tests against what must hold of any."""

import json
from dataclasses import asdict, astuple
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.errors import QueryError
from textae.evaluation import Figure, LabelJudge, confidence, figures, judged, significance, table
from textae.evaluation.label_judge import curve_cutoffs, hits, label_set
from textae.types import Ranking


def ranking(*ids: str, score: float = 1.0) -> Ranking:
    """Rank with one score for all: only the order may count."""
    return Ranking(ids, (score,) * len(ids))


def per_query(values) -> dict[str, float]:
    return {f"q{n}": float(value) for n, value in enumerate(values)}


class TestJudged:
    def test_by_hand(self):
        qrels = {"q": {"a": 3, "b": 1, "c": 2, "d": 0}}
        scores = judged({"q": ranking("b", "x", "a", "d")}, qrels)
        # grades found 1 0 3 0, ideal 3 2 1; linear gains, discount log2(rank + 1)
        dcg = 1 / log2(2) + 3 / log2(4)
        ideal = 3 / log2(2) + 2 / log2(3) + 1 / log2(4)
        assert scores["nDCG@10"]["q"] == pytest.approx(dcg / ideal)
        # relevant ones a, b, c: found at ranks 1 and 3, c never
        assert scores["MAP"]["q"] == pytest.approx((1 / 1 + 2 / 3 + 0) / 3)
        assert scores["recall@100"]["q"] == pytest.approx(2 / 3)
        assert scores["P@10"]["q"] == pytest.approx(2 / 10)

    def test_cut_offs(self):
        ids = [f"d{n}" for n in range(1, 121)]
        scores = judged({"q": ranking(*ids)}, {"q": {"d10": 1, "d11": 1, "d100": 1, "d101": 1}})
        assert scores["P@10"]["q"] == pytest.approx(0.1)
        assert scores["recall@100"]["q"] == pytest.approx(0.75)
        assert scores["MAP"]["q"] == pytest.approx((1 / 10 + 2 / 11 + 3 / 100 + 4 / 101) / 4)

    @given(ids=st.permutations([f"d{n}" for n in range(12)]), score=st.sampled_from([0.0, 1.0, -5.0, 1e9]))
    def test_the_order_counts_and_not_the_scores(self, ids, score):
        rank = ids.index("d3") + 1
        scores = judged({"q": ranking(*ids, score=score)}, {"q": {"d3": 1}})
        assert scores["MAP"]["q"] == pytest.approx(1 / rank)
        assert scores["nDCG@10"]["q"] == pytest.approx(1 / log2(rank + 1) if rank <= 10 else 0)

    def test_what_is_left_out_and_what_scores_zero(self):
        rankings = {name: ranking("a") for name in ("judged", "unjudged", "empty", "zeros", "below")}
        rankings["nothing found"] = ranking()
        qrels = {name: {"a": 1} for name in ("judged", "nothing found", "not asked")}
        qrels |= {"empty": {}, "zeros": {"a": 0}, "below": {"a": -1}}
        for values in judged(rankings, qrels).values():
            assert values.keys() == {"judged", "nothing found", "zeros", "below"}
            assert values["judged"] > 0
            assert values["nothing found"] == values["zeros"] == values["below"] == 0

    def test_a_file_of_judgements_for_other_queries_is_told(self):
        with pytest.raises(QueryError, match=r"none of the 1 queries has a judgement: .*'1'.*'PLAIN-1'"):
            judged({"1": ranking("a")}, {"PLAIN-1": {"a": 1}})
        with pytest.raises(QueryError, match="no query was asked"):
            judged({}, {"1": {"a": 1}})


class TestLabels:
    LABELS = ("a", "cat"), ("b", "dog"), ("c", "cat"), ("d", "dog"), ("e", "dog")

    def test_the_curve_of_five_documents_by_hand(self):
        judge = LabelJudge(dict(self.LABELS), cutoffs=(2,))
        judge.add("q1", "cat", ranking("a", "b", "d", "c", "e"))  # relevant: 1 0 0 1 0, of 2
        judge.add("q2", "dog", ranking("e", "d", "b", "a", "c"))  # relevant: 1 1 1 0 0, of 3
        assert judge.scores() == {"P@2": {"q1": 1 / 2, "q2": 2 / 2}}
        curve = judge.curve()
        assert curve.cutoffs.tolist() == [1, 3, 5]
        assert curve.precision == pytest.approx([(1 / 1 + 1 / 1) / 2, (1 / 3 + 3 / 3) / 2, (2 / 5 + 3 / 5) / 2])
        assert curve.recall == pytest.approx([(1 / 2 + 1 / 3) / 2, (1 / 2 + 3 / 3) / 2, (2 / 2 + 3 / 3) / 2])
        assert curve.queries == 2

    def test_documents_that_were_not_returned_are_misses(self):
        judge = LabelJudge(dict(self.LABELS), cutoffs=(1, 4))
        judge.add("some", "dog", ranking("b"))
        judge.add("none", "dog", ranking())
        assert judge.scores() == {"P@1": {"some": 1, "none": 0}, "P@4": {"some": 1 / 4, "none": 0}}
        assert judge.curve().recall == pytest.approx([1 / 6, 1 / 6, 1 / 6])

    def test_a_query_in_the_index_is_not_among_its_relevant_documents(self):
        judge = LabelJudge(dict(self.LABELS), depth=4)
        judge.add("a", "cat", ranking("c", "b", "d", "e"))
        assert judge.curve().recall.tolist() == [1, 1, 1]

    def test_queries_that_nothing_could_answer_are_left_out_and_counted(self):
        judge = LabelJudge({**dict(self.LABELS), "f": "fish"})
        judge.add("no label", None, ranking("a"))
        judge.add("no such label", "bird", ranking("a"))
        judge.add("the only fish", "fish", ranking("a"))
        judge.add("f", "fish", ranking("a"))
        assert judge.unjudged == 3
        assert judge.scores()["P@100"].keys() == {"the only fish"}

    def test_any_common_label_makes_a_document_relevant(self):
        judge = LabelJudge({"a": ["cs.LG", "cs.CL"], "b": ["cs.LG"], "c": "math.ST", "d": None}, cutoffs=(4,))
        judge.add("q", ["cs.CL", "math.ST"], ranking("a", "b", "c", "d"))
        assert judge.scores() == {"P@4": {"q": 2 / 4}}

    def test_a_number_and_its_digits_are_one_label(self):
        assert label_set(3) == label_set("3") == {"3"}
        assert label_set(None) == label_set("") == label_set([]) == frozenset()

    @pytest.mark.parametrize("label", [{"a": 1}, [["a"]]])
    def test_an_object_is_no_label(self, label):
        with pytest.raises(QueryError, match="expected a label or a list of labels"):
            LabelJudge({"a": label})

    def test_misuse_is_told(self):
        judge = LabelJudge(dict(self.LABELS))
        for figure in (judge.scores, judge.curve):
            with pytest.raises(QueryError, match="right label field"):
                figure()
        judge.add("q", "cat", ranking("a"))
        with pytest.raises(QueryError, match="twice"):
            judge.add("q", "cat", ranking("a"))
        with pytest.raises(QueryError, match="at least 1"):
            LabelJudge({}, cutoffs=(0,))

    def test_the_cut_offs_are_those_of_the_paper(self):
        assert curve_cutoffs(7531).tolist() == [1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 7531]
        assert [curve_cutoffs(n).tolist() for n in range(5)] == [[], [1], [1, 2], [1, 3], [1, 3, 4]]

    @given(relevance=st.lists(st.booleans(), max_size=40), cutoffs=st.lists(st.integers(1, 60), max_size=5))
    def test_hits_count_the_relevant_ones_among_the_first(self, relevance, cutoffs):
        counted = hits(np.array(relevance, dtype=bool), np.array(cutoffs, dtype=np.int64))
        assert counted.tolist() == [sum(relevance[:cutoff]) for cutoff in cutoffs]


class TestConfidence:
    @given(value=st.floats(0, 1), n=st.integers(1, 40))
    def test_constant_values_have_an_interval_without_width(self, value, n):
        low, high = confidence(per_query([value] * n), seed=1)
        assert low == high == pytest.approx(value)

    def test_it_agrees_with_the_normal_interval_of_many_queries(self):
        values = np.random.default_rng(5).random(2000)
        low, high = confidence(per_query(values), seed=1)
        half = 1.96 * values.std() / np.sqrt(2000)
        assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.001)

    def test_two_queries_by_hand(self):
        # resamples of {0, 1}: means 0 (1/4), 1/2 (1/2), 1 (1/4), so both ends are beyond 2.5 %
        assert confidence({"a": 0.0, "b": 1.0}, seed=3) == (0.0, 1.0)

    def test_the_seed_decides_and_the_order_does_not(self):
        values = per_query(np.random.default_rng(5).random(50))
        backwards = dict(reversed(values.items()))
        assert confidence(values, 1) == confidence(backwards, 1) != confidence(values, 2)

    def test_no_query_has_no_interval(self):
        with pytest.raises(QueryError, match="no query was judged"):
            confidence({}, seed=1)


class TestSignificance:
    VALUES = per_query(np.random.default_rng(6).random(40))

    def test_equal_systems_do_not_differ(self):
        assert significance(self.VALUES, dict(self.VALUES), seed=1) == 1

    def test_a_system_that_is_better_on_each_of_many_queries_differs(self):
        better = {query: value + 0.1 for query, value in self.VALUES.items()}
        assert significance(better, self.VALUES, seed=1) == 1 / 10_001

    def test_four_queries_by_hand(self):
        # all four better by the same: of 2^4 flips only + + + + and - - - - are as far from 0
        better = {f"q{n}": 0.5 for n in range(4)}
        assert significance(better, dict.fromkeys(better, 0.25), seed=1) == pytest.approx(2 / 16, abs=0.01)

    def test_noise_is_seldom_significant(self):
        rng = np.random.default_rng(7)
        p = [significance(per_query(rng.random(30)), per_query(rng.random(30)), seed=1) for _ in range(100)]
        assert sum(value < 0.05 for value in p) <= 11  # 5 expected; more than 11 with a chance below .01

    @given(
        values=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12), seed=st.integers(0, 99)
    )
    def test_it_is_symmetric_and_blind_to_order(self, values, seed):
        a, b = per_query(x for x, _ in values), per_query(y for _, y in values)
        p = significance(a, b, seed)
        assert 0 < p <= 1
        assert significance(b, a, seed) == p == significance(dict(reversed(a.items())), b, seed)

    def test_systems_must_have_answered_the_same_queries(self):
        with pytest.raises(QueryError, match="only one of them has the query 'q40'"):
            significance(self.VALUES, {**self.VALUES, "q40": 0.0}, seed=1)


class TestScoreboard:
    WORST, BASE, BEST = (per_query(np.linspace(0.2, 0.6, 30) + shift) for shift in (-0.1, 0, 0.1))
    SCORES = (("bm25", BASE), ("code", BEST), ("tfidf", WORST), ("same", dict(BASE)))

    def figures(self, *metrics: str) -> list[Figure]:
        scores = {system: dict.fromkeys(metrics, values) for system, values in self.SCORES}
        return figures(scores, baseline="bm25", seed=1)

    def test_a_figure_says_all_that_is_needed_to_read_it(self):
        bm25, code, tfidf, same = self.figures("MAP")
        assert (bm25.value, bm25.queries, bm25.p, bm25.baseline) == (pytest.approx(0.4), 30, None, "bm25")
        assert bm25.low < bm25.value < bm25.high
        assert code.value == pytest.approx(0.5) and code.p < 0.01
        assert tfidf.value == pytest.approx(0.3) and tfidf.p < 0.01
        assert same.p == 1

    def test_a_figure_does_not_depend_on_the_others(self):
        alone = figures({"bm25": {"MAP": self.BASE}, "code": {"MAP": self.BEST}}, baseline="bm25", seed=1)
        assert alone == self.figures("P@10", "MAP")[1:4:2]

    def test_its_attributes_are_the_keys_of_the_json_that_scripts_rely_on(self):
        assert json.dumps(asdict(Figure("code", "P@100", 0.5912, 0.5851, 0.5974, 7532, 0.0001, "bm25"))) == (
            '{"system": "code", "metric": "P@100", "value": 0.5912, "low": 0.5851, "high": 0.5974, '
            '"queries": 7532, "p": 0.0001, "baseline": "bm25"}'
        )

    def test_figures_are_plain_numbers(self):
        kinds = (str, int, float, type(None))
        assert all(type(value) in kinds for row in self.figures("MAP") for value in astuple(row))

    def test_the_table(self):
        rows = [
            Figure("bm25", "nDCG@10", 0.6853, 0.642, 0.7261, 300, None, "bm25"),
            Figure("bm25", "P@10", 0.09, 0.08, 0.1, 300, None, "bm25"),
            Figure("hybrid", "nDCG@10", 0.7052, 0.661, 0.7449, 300, 0.0312, "bm25"),
            Figure("hybrid", "P@10", 1.0, 0.99996, 1.0, 300, 0.05, "bm25"),
            Figure("bits", "nDCG@10", 0.571, 0.5244, 0.6178, 300, 0.0001, "bm25"),
            Figure("bits", "P@10", 0.0, 0.0, 0.0, 300, 0.0001, "bm25"),
        ]
        assert table(rows, unjudged=809).splitlines() == [
            "300 queries (809 without a judgement left out)",
            "",
            "         nDCG@10             P@10",
            "bm25     .685  [.642 .726]   .090  [.080 .100]",
            "hybrid  *.705+ [.661 .745]  *1.00  [1.00 1.00]",
            "bits     .571- [.524 .618]   .000- [.000 .000]",
            "",
            "* best; + better, - worse than bm25 (p < .05, paired randomisation); [95 % bootstrap interval]",
        ]

    def test_no_line_is_wider_than_a_hundred(self):
        metrics = [f"nDCG@{n}" for n in range(10, 100, 10)]
        scores = {system: dict.fromkeys(metrics, self.BASE) for system in ("bm25", "hybrid", "lsa-256")}
        lines = table(figures(scores, baseline="hybrid", seed=1), unjudged=12345).splitlines()
        assert max(map(len, lines)) <= 100
        assert sum(line.startswith("bm25") for line in lines) == 3
        assert all(any(metric in line for line in lines) for metric in metrics)

    def test_one_system_alone_has_no_marks(self):
        assert table(figures({"bm25": {"MAP": {"q": 0.5}}}, "bm25", 1)).splitlines() == [
            "1 query", "", "       MAP", "bm25   .500  [.500 .500]", "", "[95 % bootstrap interval]",
        ]  # fmt: skip

    def test_misuse_is_told(self):
        with pytest.raises(QueryError, match="'lsa' is not among the systems: bm25, code"):
            figures({"bm25": {}, "code": {}}, baseline="lsa", seed=1)
        with pytest.raises(QueryError, match="'code' is scored by MAP, but the baseline 'bm25' is not"):
            figures({"bm25": {}, "code": {"MAP": self.BASE}}, baseline="bm25", seed=1)
