"""The names of documents: which they are, and how like one a query is, by numbers that a reader can redo on paper."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textae.encoding.analyzer import Analysis
from textae.index.names import MOST_WORDS, Names, names_of, readings

ENGLISH = Analysis.of("english")
TEXTS = st.text(max_size=30) | st.sampled_from(["a.b", "a/b.txt", "A: b", "\ud800", "x" * 99, ".", "/", "über.Maß"])


def likeness(query: str, *documents: str | tuple[str, str, str], worths: tuple[float, ...] = ()) -> dict[int, float]:
    """How like a query the names of documents are: of ids, or of (id, title, source)."""
    names = Names.of([(one, "", "") if isinstance(one, str) else one for one in documents], ENGLISH)
    reading = next(readings(query, ENGLISH))
    rows, shares = names.like(reading, worths or [1.0] * len(reading))
    return dict(zip(rows.tolist(), shares.round(4).tolist(), strict=True))


def test_no_words_are_like_no_name() -> None:
    rows, shares = Names.of([("a", "", "")], ENGLISH).like({}, [])
    assert (len(rows), len(shares)) == (0, 0)


@pytest.mark.parametrize(
    ("document", "names"),
    [
        (("torch.nn.Linear", "", ""), {"torch.nn.Linear", "nn.Linear", "Linear"}),
        (("17", "On stars", "t.csv:3"), {"17", "On stars"}),
        (("a/fence.v2.docx", "a", "a/fence.v2.docx"), {"a/fence.v2.docx", "fence.v2.docx", "fence.v2", "a"}),
        (("b.csv:gas-2024", "", "b.csv:2"), {"b.csv:gas-2024", "gas-2024"}),
        (("1", "Stoves: how to build. And heat", "1"), {"1", "Stoves: how to build. And heat", "Stoves",
                                                        " how to build. And heat"}),
    ],
)  # fmt: skip
def test_a_document_has_its_id_its_title_and_their_last_parts_for_names(document, names):
    assert names_of(*document) == names


def test_a_name_is_read_as_it_stands_and_cut_where_a_word_is_several():
    assert [list(reading) for reading in readings("RobustScaler JSONDecoder utf8", ENGLISH)] == [
        ["robustscaler", "jsondecoder", "utf8"],
        ["robust", "scaler", "json", "decoder", "utf", "8"],
    ]
    assert list(readings("the dates", ENGLISH)) == [{"the": None, "dates": "date"}]
    assert list(readings("word " * (MOST_WORDS + 1), ENGLISH)) == list(readings("?!", ENGLISH)) == []


class TestLikeness:
    def test_a_query_that_is_the_name_is_1_whatever_its_case_signs_and_order(self):
        assert likeness("read_csv Pandas", "pandas.read_csv") == {0: 1}

    def test_it_is_the_share_of_the_query_times_the_share_of_the_name(self):
        assert likeness("comet tails", "comet dust tails seen", "dust") == {0: 0.5}
        assert likeness("comet tails", "comet", worths=(3, 1)) == {0: 0.75}
        assert likeness("comet tails", "dust of a comet", worths=(3, 1)) == {0: round(0.75 / 2.2, 4)}

    def test_a_stop_word_matters_little_and_decides_where_nothing_else_does(self):
        shares = likeness("numpy.where", "numpy", "numpy.where", worths=(4, 1))
        assert shares == {0: round(4 / 4.1, 4), 1: 1}

    def test_words_of_one_stem_are_alike_and_those_written_alike_are_more_so(self):
        assert likeness("json.loads", "json.load", "json.loads") == {0: 0.9025, 1: 1}

    def test_what_is_not_more_like_it_than_the_least_is_left_out_and_the_rest_is_the_same(self):
        documents = [(f"{' '.join(words)}", "", "") for n in (1, 2, 3) for words in permutations("abcdthe", n)]
        names = Names.of(documents, Analysis.of(None))
        reading = next(readings("a b c the", Analysis.of(None)))
        worths = [5.0, 2.0, 1.0, 0.5]
        every = dict(zip(*(part.tolist() for part in names.like(reading, worths)), strict=True))
        for least in (0.1, 0.3, 0.5):
            above = dict(zip(*(part.tolist() for part in names.like(reading, worths, least)), strict=True))
            assert above == {row: share for row, share in every.items() if share > least}

    def test_the_most_similar_name_of_a_document_counts(self):
        assert likeness("dust", ("a/b/dust.txt", "On the dust of comets", "a/b/dust.txt")) == {0: 1}


def test_arrays_make_the_same_names_again():
    names = Names.of([("a.b", "c", ""), ("", "", ""), ("d", "", "")], ENGLISH)
    again = Names.from_arrays(names.arrays())
    assert {name: array.tolist() for name, array in again.arrays().items()} == {
        "text": list(b"tatbtctdwawbwcwd"),
        "starts": list(range(0, 17, 2)),
        "postings": [0, 1, 3, 4, 5, 6, 8, 9, 10],
        "rows": names.index.rows.tolist(),
        "documents": [0, 0, 0, 2],
        "weights": pytest.approx(names.weights.tolist()),
    }


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=5), TEXTS)
def test_whatever_names_are_likeness_is_between_0_and_1_and_1_of_a_documents_own_id(documents, query):
    names = Names.of(documents, ENGLISH)
    for reading in readings(query, ENGLISH):
        rows, shares = names.like(reading, [1.0] * len(reading))
        assert np.all(np.diff(rows) > 0)
        assert np.all((shares > 0) & (shares <= 1))
    for row, (id, _, _) in enumerate(documents):
        for reading in readings(id, ENGLISH):
            rows, shares = names.like(reading, [1.0] * len(reading))
            assert shares[rows.tolist().index(row)] == pytest.approx(1)
