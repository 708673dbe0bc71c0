"""Queries, judgements and runs: what is read, what is refused and how, and that others rank our runs as we do."""

import gzip
import io
import os
import random
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, P, R, nDCG

from textae.errors import QueryError
from textae.evaluation import judged, read_qrels, read_queries, read_run, write_run
from textae.evaluation.formats import LONGEST_LINE, strictly_decreasing
from textae.types import Query, Ranking

THREE = [Query("1", "lift of a wing"), Query("2", "heat"), Query("3", "flutter")]

JUDGEMENTS = {"1": {"184": 1, "29": 0}, "2": {"12": 3}}
RANKINGS = {"1": Ranking(("d2", "d1"), (0.75, 0.5)), "2": Ranking((), ()), "3": Ranking(("d1",), (-3.0,))}


def written(folder: Path, content: str | bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def trec_lines(rankings: dict[str, Ranking], tag: str = "code") -> str:
    file = io.StringIO()
    write_run(rankings, tag, file)
    return file.getvalue()


class TestQueries:
    @pytest.mark.parametrize(
        "content",
        [
            '{"_id": "1", "text": "lift of a wing"}\n{"_id": "2", "text": "heat"}\n{"_id": "3", "text": "flutter"}\n',
            '{"id": 1, "text": "lift of a wing"}\n{"id": 2, "text": "heat"}\n{"id": 3, "text": "flutter"}',
            "1\tlift of a wing\n2\theat\n3\tflutter\n",
            "query-id\ttext\n1\tlift of a wing\n2\theat\n3\tflutter\n",
            "lift of a wing\nheat\nflutter\n",
        ],
        ids=["BEIR", "numbers as ids", "table", "table with header", "plain lines"],
    )
    @pytest.mark.parametrize(
        "dress",
        [
            str.encode,
            lambda text: text.replace("\n", "\r\n").encode(),
            lambda text: text.encode("utf-8-sig"),
            lambda text: gzip.compress(text.encode()),
        ],
        ids=["as it is", "CRLF", "byte order mark", "gzip"],
    )
    def test_every_format_and_dress_gives_the_same_queries(self, tmp_path, content, dress):
        assert read_queries(written(tmp_path, dress(content))) == THREE

    def test_a_dash_is_stdin(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("heat\nété\n".encode())))
        assert read_queries("-") == [Query("1", "heat"), Query("2", "été")]

    def test_a_title_stands_before_the_text(self, tmp_path):
        path = written(tmp_path, '{"id": "a", "title": "Wings", "text": "lift"}\n{"id": "b", "title": "Heat"}')
        assert read_queries(path) == [Query("a", "Wings lift"), Query("b", "Heat")]

    def test_a_query_without_text_is_kept(self, tmp_path):
        assert read_queries(written(tmp_path, '{"id": "a", "text": ""}')) == [Query("a", "")]
        assert read_queries(written(tmp_path, "a\t\nb\theat")) == [Query("a", ""), Query("b", "heat")]

    def test_the_id_of_a_plain_query_is_its_line_number_also_after_a_blank_line(self, tmp_path):
        assert read_queries(written(tmp_path, "lift\n\nheat\n")) == [Query("1", "lift"), Query("3", "heat")]

    def test_further_tabs_belong_to_the_text(self, tmp_path):
        assert read_queries(written(tmp_path, "1\tlift\tof a wing")) == [Query("1", "lift\tof a wing")]

    @given(
        queries=st.dictionaries(
            st.text(st.characters(categories=["L", "N"]), min_size=1),
            st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
            min_size=1,
        )
    )
    def test_a_table_that_is_written_is_read_back(self, tmp_path_factory, queries):
        path = written(tmp_path_factory.mktemp("q"), "qid\ttext\n" + "".join(f"{i}\t{t}\n" for i, t in queries.items()))
        assert read_queries(path) == [Query(id, text) for id, text in queries.items()]


class TestQrels:
    @pytest.mark.parametrize(
        "content",
        [
            "query-id\tcorpus-id\tscore\n1\t184\t1\n1\t29\t0\n2\t12\t3\n",
            "1\t184\t1\r\n1\t29\t0\r\n2\t12\t3\r\n",
            "1 0 184 1\n1 0 29 0\n2 0 12 3\n",
            "1\t0\t184\t1\n1\tQ0\t29\t0\n\n2\t0\t12\t3",
        ],
        ids=["BEIR", "BEIR without header", "TREC", "TREC with tabs"],
    )
    @pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
    def test_both_formats_are_told_apart_by_content(self, tmp_path, content, pack):
        assert read_qrels(written(tmp_path, pack(content.encode()))) == JUDGEMENTS

    def test_an_id_with_a_space_is_fine_in_a_beir_file(self, tmp_path):
        assert read_qrels(written(tmp_path, "1\tmy notes.txt\t1")) == {"1": {"my notes.txt": 1}}

    def test_the_same_judgement_twice_is_one(self, tmp_path):
        assert read_qrels(written(tmp_path, "1 0 184 1\n1 0 184 1\n")) == {"1": {"184": 1}}

    @given(
        qrels=st.dictionaries(
            word := st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=9),
            st.dictionaries(word, st.integers(-5, 5), min_size=1, max_size=4),
            min_size=1,
            max_size=4,
        ),
        template=st.sampled_from(["{}\t{}\t{}\n", "{} 0 {} {}\n"]),
    )
    def test_judgements_that_are_written_are_read_back(self, tmp_path_factory, qrels, template):
        lines = [
            template.format(query, document, n) for query, judged in qrels.items() for document, n in judged.items()
        ]
        path = written(tmp_path_factory.mktemp("qrels"), "".join(lines))
        assert read_qrels(path) == qrels


class TestRuns:
    def test_a_run_has_the_six_columns_of_trec(self):
        assert trec_lines(RANKINGS, "bm25") == "1 Q0 d2 1 0.75 bm25\n1 Q0 d1 2 0.5 bm25\n3 Q0 d1 1 -3.0 bm25\n"

    def test_a_run_that_is_written_is_read_back_less_the_queries_that_found_nothing(self, tmp_path):
        found = {query: ranking for query, ranking in RANKINGS.items() if ranking.ids}
        assert read_run(written(tmp_path, trec_lines(RANKINGS))) == found

    def test_ties_are_read_as_trec_eval_reads_them(self, tmp_path):
        path = written(tmp_path, "1 Q0 a 1 .5 x\n1 Q0 c 2 .5 x\n1 Q0 b 3 .7 x\n")
        assert read_run(path)["1"].ids == ("b", "c", "a")

    @pytest.mark.parametrize("id", ["two words", "tab\tbed", "", "narrow\u2009space", "line\nend"])
    def test_an_id_with_white_space_is_refused_before_anything_is_written(self, id):
        for rankings, tag in [
            ({"1": Ranking(("a",), (1.0,)), "2": Ranking((id,), (1.0,))}, "code"),
            ({"1": Ranking(("a",), (1.0,)), id: Ranking(("a",), (1.0,))}, "code"),
            ({"1": Ranking(("a",), (1.0,))}, id),
        ]:
            file = io.StringIO()
            with pytest.raises(QueryError, match="white space") as caught:
                write_run(rankings, tag, file)
            assert file.getvalue() == "" and "\n" not in str(caught.value)

    @pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf"), 1e39])
    def test_a_score_that_is_no_number_is_refused(self, score):
        with pytest.raises(QueryError, match="score"):
            trec_lines({"1": Ranking(("a",), (score,))})

    @given(
        scores=st.lists(
            st.one_of(st.floats(-1e38, 1e38), st.sampled_from([0.0, -0.0, 1.0, 1.0 + 1e-9, 0.1, 1e-45])), max_size=50
        ).map(lambda scores: sorted(scores, reverse=True))
    )
    def test_printed_scores_decrease_strictly_in_32_bits_and_in_64(self, scores):
        printed = [str(score) for score in strictly_decreasing(scores)]
        double = np.array([float(text) for text in printed])
        single = double.astype(np.float32)
        assert (np.diff(double) < 0).all() and (np.diff(single) < 0).all()
        assert (single == strictly_decreasing(scores)).all()

    def test_scores_that_differ_are_printed_as_they_are_and_ties_one_unit_apart(self):
        assert strictly_decreasing([2.5, 1.0, -0.125]).tolist() == [2.5, 1.0, -0.125]
        unit = 2.0**-24  # of 32-bit numbers just below 1
        assert strictly_decreasing([1.0, 1.0, 1.0, 0.5]).tolist() == [1.0, 1.0 - unit, 1.0 - 2 * unit, 0.5]
        assert strictly_decreasing([]).tolist() == []

    @given(seed=st.integers(0, 10**6))
    def test_others_score_the_written_file_as_we_score_the_ranking(self, tmp_path_factory, seed):
        random_ = random.Random(seed)
        levels = random_.choice([[1.0], [0.0, 0.5], [7.0, 7.0 + 1e-9], [random_.gauss(0, 1) for _ in range(9)]])
        rankings, qrels = {}, {}
        for query in ("q1", "q2", "q3"):
            ids = random_.sample([f"d{n}" for n in range(30)], random_.randint(1, 30))
            rankings[query] = Ranking(tuple(ids), tuple(sorted(random_.choices(levels, k=len(ids)), reverse=True)))
            qrels[query] = {f"d{n}": random_.randint(-1, 3) for n in random_.sample(range(30), 8)}
        path = written(tmp_path_factory.mktemp("run"), trec_lines(rankings))
        theirs = ir_measures.iter_calc([nDCG @ 10, AP, R @ 100, P @ 10], qrels, ir_measures.read_trec_run(str(path)))
        names = {nDCG @ 10: "nDCG@10", AP: "MAP", R @ 100: "recall@100", P @ 10: "P@10"}
        ours = judged(rankings, qrels)
        assert all(ours[names[score.measure]][score.query_id] == score.value for score in theirs)


REFUSED = {
    "no file": (read_queries, None, "cannot read {}: No such file or directory"),
    "empty file of queries": (read_queries, "", "{} holds no query"),
    "blank lines only": (read_queries, "\n \n\r\n", "{} holds no query"),
    "a header alone": (read_queries, "id\ttext\n", "{} holds no query"),
    "not JSON": (read_queries, '{"id": "1", "text": "a"}\n{"id": ', "{}:2: not JSON"),
    "nested without end": (read_queries, '{"a":' * 100_000, "{}:1: not JSON"),
    "no object": (read_queries, '{"id": "1", "text": "a"}\n[1]', "{}:2: expected a JSON object"),
    "no id": (read_queries, '{"text": "a"}', "{}:1: expected the query's id in '_id' or 'id', found None"),
    "an empty id": (read_queries, '{"id": "", "text": "a"}', "{}:1: expected the query's id"),
    "true as id": (read_queries, '{"id": true, "text": "a"}', "{}:1: expected the query's id"),
    "no text": (read_queries, '{"id": "1", "body": "a"}', "{}:1: no field 'text'; its fields are ['id', 'body']"),
    "text no string": (read_queries, '{"id": "1", "text": ["a"]}', "{}:1: expected a string as the query's text"),
    "half a surrogate": (read_queries, '{"id": "1", "text": "\\ud800"}', "{}:1: half of a surrogate pair"),
    "an id twice": (read_queries, "1\ta\n2\tb\n1\tc\n", "{}:3: the id '1' is already that of {}:1"),
    "a line without tab": (read_queries, "1\ta\nb\n", "{}:2: expected id<TAB>text"),
    "a line without id": (read_queries, "1\ta\n\tb\n", "{}:2: expected id<TAB>text"),
    "broken UTF-8": (read_queries, b"good\nna\xefve\n", "{}:2: byte 3 is not UTF-8"),
    "UTF-16": (read_queries, "heat".encode("utf-16-le"), "{}:1: a NUL byte"),
    "a broken archive": (read_queries, gzip.compress(b"heat" * 99)[:-9], "cannot read {}: "),
    "a damaged archive": (read_queries, gzip.compress(b"heat" * 99)[:20] + b"\xff" * 20, "cannot read {}: "),
    "a line of 17 MB": (read_queries, b"x" * (LONGEST_LINE + 1), "{}:1: the line is longer than 16 MiB"),
    "empty file of judgements": (read_qrels, "", "{} holds no judgement"),
    "a header of judgements alone": (read_qrels, "query-id\tcorpus-id\tscore\n", "{} holds no judgement"),
    "two columns": (read_qrels, "1 2\n", "{}:1: expected query-id<TAB>corpus-id<TAB>score, or 'qid 0 docid rel'"),
    "a change of format": (read_qrels, "1\t2\t1\n1 0 3 1\n", "{}:2: expected query-id<TAB>corpus-id<TAB>score"),
    "an empty column": (read_qrels, "1\t2\t1\n1\t\t1\n", "{}:2: expected query-id<TAB>corpus-id<TAB>score"),
    "a word as judgement": (read_qrels, "1\t2\tgood\n", "{}:1: expected a whole number as the judgement, found 'good'"),
    "half a point": (read_qrels, "1 0 2 0.5\n", "{}:1: expected a whole number as the judgement, found '0.5'"),
    "a huge judgement": (read_qrels, "1 0 2 9999999\n", "{}:1: expected a judgement of at most 1,000,000"),
    "judged both ways": (read_qrels, "1 0 2 1\n1 0 2 0\n", "{}:2: the document '2' is judged 0 for the query '1'"),
    "terminal escapes": (read_qrels, "\x1b[31m\x1b\n", "{}:1: expected query-id"),
    "five columns": (read_run, "1 Q0 d 1 .5\n", "{}:1: expected six columns"),
    "a word as score": (read_run, "1 Q0 d 1 high x\n", "{}:1: expected a finite number as the score, found 'high'"),
    "nan as score": (read_run, "1 Q0 d 1 nan x\n", "{}:1: expected a finite number as the score"),
    "found twice": (read_run, "1 Q0 d 1 .5 x\n1 Q0 d 2 .4 x\n", "{}:2: the document 'd' is already found"),
}


@pytest.mark.parametrize(("read", "content", "message"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_one_line_that_names_file_and_line(tmp_path, read, content, message):
    path = tmp_path / "file" if content is None else written(tmp_path, content)
    with pytest.raises(QueryError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(message.format(path, path))
    assert said.isprintable() and len(said) < 200 + 2 * len(str(path))


def test_a_folder_is_one_line(tmp_path):
    with pytest.raises(QueryError, match="Is a directory"):
        read_queries(tmp_path)


def test_a_file_name_cannot_break_the_line(tmp_path):
    with pytest.raises(QueryError) as caught:
        read_queries(tmp_path / "two\nlines\x1b")
    assert str(caught.value).isprintable()


COLLECTIONS = {  # queries; then for each file of judgements, judged queries and judgements, as the READMEs have them
    "cacm": (64, {"qrels.tsv": (52, 796)}),
    "cisi": (112, {"qrels.tsv": (76, 3114)}),
    "cran": (225, {"qrels.tsv": (225, 1837), "qrels_codes.tsv": (225, 1837)}),
    "lisa": (35, {"qrels.tsv": (35, 379)}),
    "med": (30, {"qrels.tsv": (30, 696)}),
    "npl": (93, {"qrels.tsv": (93, 2083)}),
    "scifact": (1109, {"qrels.tsv": (300, 339), "qrels_train.tsv": (809, 919)}),
}


@pytest.mark.skipif("TEXTAE_DATA" not in os.environ, reason="TEXTAE_DATA names no folder with the public collections")
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_public_collections_are_read_whole(collection):
    folder = Path(os.environ["TEXTAE_DATA"]) / collection
    if not folder.is_dir():
        pytest.skip(f"no folder {collection} in TEXTAE_DATA")
    n_queries, files = COLLECTIONS[collection]
    queries = {query.id for query in read_queries(folder / "queries.jsonl")}
    assert len(queries) == n_queries
    for name, counts in files.items():
        qrels = read_qrels(folder / name)
        assert (len(qrels), sum(map(len, qrels.values()))) == counts
        assert qrels.keys() <= queries
