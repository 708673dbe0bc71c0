"""What Python people have as a corpus: texts, rows, pairs, DataFrames; anything else is a TypeError."""

from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from textae import Document, Skipped
from textae.corpus.given import documents_of
from textae.errors import CorpusError

Row = namedtuple("Row", ["id", "text"])
FRAME = pd.DataFrame({"id": [1, 2], "text": ["red apple", "blue sky"], "n": [1.5, np.nan]})
ROWS = [Document("1", "red apple", "", {"n": 1.5}), Document("2", "blue sky")]


def plain(corpus, **options) -> list[Document | Skipped]:
    """Give the documents without their sources."""
    made = documents_of(corpus, **options)
    return [Document(one.id, one.text, one.title, one.fields) if isinstance(one, Document) else one for one in made]


@pytest.mark.parametrize(
    "texts",
    [["red apple", "blue sky"], ("red apple", "blue sky"), np.array(["red apple", "blue sky"]), FRAME["text"],
     FRAME["text"].to_numpy(), FRAME["text"].tolist()],
)  # fmt: skip
def test_texts_are_numbered_as_the_rows_of_a_frame(texts) -> None:
    assert plain(texts) == [Document("0", "red apple"), Document("1", "blue sky")]
    assert plain(text for text in texts) == plain(texts)


@pytest.mark.parametrize(
    "rows",
    [
        lambda: FRAME,
        lambda: [FRAME.iloc[:1], FRAME.iloc[1:]],  # as `read_csv` with a chunksize
        lambda: (row for row in FRAME.to_dict("records")),
        lambda: FRAME.itertuples(index=False),
        lambda: FRAME.iterrows(),
        lambda: (row for _, row in FRAME.iterrows()),
    ],
)
def test_rows_of_a_frame_are_documents_however_they_come(rows) -> None:
    assert plain(rows()) == ROWS


def test_pairs_and_rows_name_themselves() -> None:
    pairs = [
        ("a", "x"),
        (2, "y"),
        (np.int64(3), "z"),
        (4.0, "w"),
        Row(5, "v"),
        {"_id": 6, "body": "u", "title": "T  U"},
    ]
    assert plain(pairs) == [
        Document("a", "x"), Document("2", "y"), Document("3", "z"), Document("4", "w"), Document("5", "v"),
        Document("6", "u", "T U"),
    ]  # fmt: skip
    made = plain(
        [
            {
                "text": "x",
                "n": np.int64(3),
                "day": pd.Timestamp("2020-01-01"),
                "none": None,
                "nat": pd.NaT,
                "na": pd.NA,
                7: ["a"],
            }
        ]
    )
    assert made == [Document("0", "x", "", {"n": 3, "day": "2020-01-01", "7": ["a"]})]
    assert plain(pd.Series(["x"], index=["own"])) == [Document("own", "x")]
    assert plain([(7, {"text": "x"})]) == [Document("7", "x")]


def test_what_is_missing_is_skipped_and_counted() -> None:
    series = pd.Series(["x", None, np.nan, " "], index=list("abcd"))
    assert plain(series) == [Document("a", "x"), *(Skipped(label, "empty") for label in "bcd")]
    assert plain([("a", None), ("b", np.nan), ("c", pd.NA), {"id": "d", "text": None}]) == [
        *(Skipped(label, "empty") for label in "abc"),
        Skipped("3", "empty"),
    ]
    assert plain([{"id": None, "text": "x"}, {"title": "T"}]) == [Document("row 0", "x"), Document("1", "", "T")]
    blank = plain([{"id": "", "text": "x"}, {"id": "", "text": "y"}])  # as in the rows of a file
    assert blank == [Document("row 0", "x"), Document("row 1", "y")]


@pytest.mark.parametrize("corpus", ["notes/", b"text", {"a": "text"}, 5, None, Path("notes")])
def test_what_is_no_corpus_says_what_to_give(corpus) -> None:
    with pytest.raises(TypeError, match=r"a corpus is an iterable of .* put it in a list, or give textae\.read"):
        plain(corpus)


@pytest.mark.parametrize(
    ("item", "says"),
    [
        (5, "the document 1 is of type int: 5"),
        (None, "the document 1 is of type NoneType: None"),
        (np.nan, "the document 1 is of type float: nan"),
        (["a", "b"], "the document 1 is of type list: "),
        (np.array(["a"]), "the document 1 is of type ndarray: "),
        (("a",), "the document 1 is of type tuple: "),
        (("a", 5), "the text of the document 'a' is of type int: 5; it must be a string"),
        ((None, "x"), "the document 1 has no id: (None, 'x'); give (id, text)"),
        (Document(5, "x"), "the id of the document 5 is 5, of type int; it must be a string"),
        (Document("a", None), "the text of the document 'a' is None, of type NoneType; it must be a string"),
        (Document("a", "x", fields=None), "the document 'a' needs a dictionary of fields"),
    ],
)
def test_what_is_no_document_is_named(item, says) -> None:
    with pytest.raises(TypeError) as error:
        plain(["a text", item])
    assert says in str(error.value)
    assert isinstance(error.value, CorpusError)
    assert len(str(error.value).splitlines()) == 1


def test_a_row_without_a_text_lists_its_fields() -> None:
    with pytest.raises(CorpusError, match=r"the document 0 has no field 'text' or 'body' .* its fields are: id, tekst"):
        plain([{"id": 1, "tekst": "x"}])
    with pytest.raises(CorpusError, match=r"the DataFrame has no column 'text' or 'body' .* its columns are: n"):
        plain(FRAME[["n"]])


@pytest.mark.parametrize("item", ["a text", *({**id, "text": "a text"} for id in ({}, {"id": None}, {"id": ""}))])
def test_what_is_added_needs_an_id_of_its_own(item) -> None:
    with pytest.raises(TypeError, match=r"the document 0 has no id: .*; give \(id, text\), or a dict with an id"):
        plain([item], numbered=False)
    assert plain(FRAME, numbered=False) == ROWS


def test_one_document_is_read_at_a_time() -> None:
    read = []

    def stream():
        for number in range(10):
            read.append(number)
            yield f"text {number}"

    made = documents_of(stream())
    next(made), next(made)
    assert read == [0, 1]
