"""DataFrames in and out: index the rows of a DataFrame, and get rankings, scores, topics and codes as DataFrames.

>>> import pandas as pd, textae                           # doctest: +SKIP
>>> from textae import frames                             # doctest: +SKIP
>>> frames.index(pd.read_csv("papers.csv"), "papers.textae", text="abstract")    # doctest: +SKIP
>>> engine = textae.Engine.open("papers.textae")          # doctest: +SKIP
>>> frames.search(engine, ["smooth a noisy signal"], k=3)                        # doctest: +SKIP

Rankings have the columns `qid`, `docid`, `rank` and `score`. PyTerrier calls the second one `docno`; ir_measures calls
the first two `query_id` and `doc_id`. All three spellings are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textae.corpus.pandas_tables import frame_rows, plain_value
from textae.corpus.reading import EMPTY
from textae.corpus.tables import ID_FIELDS, TEXT_FIELDS, TITLE_FIELDS, as_text
from textae.engine import Engine
from textae.errors import CorpusError, QueryError
from textae.evaluation.run import rank
from textae.types import Document, FieldValue, Query, Skipped, no_progress

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from textae.index.build import Report

__all__ = ["bits", "codes", "documents", "index", "scoreboard", "search", "topics", "topics_over_time"]

_QUERY_IDS = ("qid", "query_id")
_DOCUMENT_IDS = ("docid", "docno", "doc_id")
_GRADES = ("relevance", "label", "grade")


def documents(
    frame: DataFrame, *, id: str | None = None, title: str | None = None, text: str | None = None
) -> Iterator[Document | Skipped]:
    """Make a document of each row; the other columns become its fields.

    Missing values (NaN, NaT, None) give no field. Dates become ISO 8601 text. A row without a title and a text is
    skipped as empty.

    Args:
        frame: n rows.
        id: the column of the id; by default `id` or `_id`, else the labels of the frame's index. A row whose id
            is missing is called `row LABEL`.
        title: the column of the title; by default `title`, if there is one.
        text: the column of the text; by default the first of `text`, `body`, `content`, `abstract`, `description`.

    Raises:
        CorpusError: a column is missing, or two columns have the same name; raised before any row is read.
    """
    names = [str(column) for column in frame.columns]
    if len(set(names)) < len(names):
        name = next(name for name in names if names.count(name) > 1)
        raise CorpusError(f"the DataFrame has two columns named {name!r}; rename one")
    return _documents(
        frame,
        _column(names, ID_FIELDS if id is None else (id,), is_needed=id is not None),
        _column(names, TITLE_FIELDS if title is None else (title,), is_needed=title is not None),
        _column(names, TEXT_FIELDS if text is None else (text,)),
    )


def _documents(frame: DataFrame, id: str, title: str, text: str) -> Iterator[Document | Skipped]:
    for label, row in zip(frame.index, frame_rows(frame), strict=True):
        place = _label(label)
        own_id, own_title, own_text = (row.pop(column) if column else None for column in (id, title, text))
        heading, body = " ".join(as_text(own_title).split()), as_text(own_text)
        if heading or body.strip():
            fields = {column: value for column, value in row.items() if value is not None}
            name = place if not id else f"row {place}" if own_id is None else _id(own_id)
            yield Document(name, body, heading, fields, place)
        else:
            yield Skipped(place, EMPTY)


def index(
    frame: DataFrame,
    folder: str | Path,
    *,
    id: str | None = None,
    title: str | None = None,
    text: str | None = None,
    **options: Any,
) -> Report:
    """Index the rows of a DataFrame, and replace what the folder held before; `Engine.open` then searches it.

    Args:
        frame: n rows, as `documents` reads them.
        folder: of the index.
        id: the column of the id.
        title: the column of the title.
        text: the column of the text.
        options: `language`, `model`, `train`, `passage` and `progress` of `Engine.index`.

    Raises:
        TextaeError: a column is missing, or nothing can be learned; the folder is as it was before.
    """
    with Engine.create(folder) as engine:
        return engine.index(documents(frame, id=id, title=title, text=text), **options)


def search(
    engine: Engine,
    queries: DataFrame | Series[Any] | Sequence[str],
    k: int = 10,
    mode: str | None = None,
    *,
    where: str | None = None,
    must: str | None = None,
) -> DataFrame:
    """Rank the documents for each of many queries, on all cores.

    Args:
        engine: of the index.
        queries: a DataFrame with the columns `qid` and `query`; a Series, whose labels are the ids; or texts, whose
            ids are "1", "2" ...
        k: maximum number of hits of a query.
        mode: the system that ranks; by default that of `Engine.search`.
        where: a condition on the fields of the hits.
        must: a condition on the texts of the hits.

    Returns:
        `qid` and `docid` (text), `rank` (int64, from 1) and `score` (float64); queries in their order, best hits
        first. A query without hits has no row.

    Raises:
        CorpusError: a column is missing.
        QueryError: a query is not a text, two have the same id, or a condition cannot be read.
        TextaeError: no such system.
    """
    import pandas as pd

    questions = _queries(queries)
    mode = mode or engine.snapshot.modality.default_system
    rankings = rank(engine.searcher, questions, k, mode, where=where, must=must)
    rows = [
        (query.id, docid, place, score)
        for query, ranking in zip(questions, rankings, strict=True)
        for place, (docid, score) in enumerate(zip(ranking.ids, ranking.scores, strict=True), start=1)
    ]
    found = pd.DataFrame(rows, columns=["qid", "docid", "rank", "score"])
    return found.astype({"qid": "str", "docid": "str", "rank": "int64", "score": "float64"})


def scoreboard(
    engine: Engine,
    queries: DataFrame | Series[Any] | Sequence[str],
    qrels: DataFrame | Mapping[str, Mapping[str, int]],
    systems: Sequence[str] | None = None,
    *,
    baseline: str | None = None,
    seed: int = 1,
) -> DataFrame:
    """Score systems by judged queries: nDCG@10, MAP, recall@100 and P@10.

    Args:
        engine: of the index.
        queries: as `search` takes them.
        qrels: a DataFrame with the columns `qid`, `docid` and `relevance` (a whole number, relevant from 1 on); or by
            the query's id and the document's id, the relevance.
        systems: by default all that the index has.
        baseline: the system that the others are tested against; by default the first one.
        seed: of intervals and tests.

    Returns:
        One row a system and metric: `system`, `metric`, `value`, `low` and `high` (95 % interval), `queries`, `p` (NaN
        for the baseline) and `baseline`.

    Raises:
        CorpusError: a column is missing.
        QueryError: no query has a judgement, or a judgement is no whole number.
    """
    import pandas as pd

    if not isinstance(qrels, Mapping):
        names = [str(column) for column in qrels.columns]
        columns = [names.index(_column(names, wanted)) for wanted in (_QUERY_IDS, _DOCUMENT_IDS, _GRADES)]
        grades: dict[str, dict[str, int]] = {}
        for qid, docid, grade in zip(*(qrels.iloc[:, place] for place in columns), strict=True):
            grades.setdefault(_id(plain_value(qid)), {})[_id(plain_value(docid))] = _grade(grade)
        qrels = grades
    board = engine.evaluate(_queries(queries), qrels, systems, baseline=baseline, seed=seed)
    return pd.DataFrame([asdict(figure) for figure in board.figures]).astype({"p": "float64"})


def topics(engine: Engine, n: int | None = None, seed: int | None = None) -> DataFrame:
    """List the topics of the documents.

    Args:
        engine: of the index.
        n: number of topics; by default as `Engine.topics` chooses it.
        seed: of clustering.

    Returns:
        `name`, `documents` (int64) and `words` (tuples); the index is the topic's id, `2.1` for the first topic of the
        second group.
    """
    import pandas as pd

    leaves = engine.topics(n, seed).leaves
    columns = {name: [getattr(topic, name) for topic in leaves] for name in ("name", "documents", "words")}
    return pd.DataFrame(columns, index=pd.Index([topic.id for topic in leaves], name="topic"))


def topics_over_time(engine: Engine, field: str, n: int | None = None, seed: int | None = None) -> DataFrame:
    """Count the documents of each topic in each year, month or day.

    Args:
        engine: of the index.
        field: a field that holds years or dates.
        n: number of topics, as in `topics`.
        seed: of clustering.

    Returns:
        int64 counts: one row a period (a `PeriodIndex` named as the field, without gaps), one column a topic id.

    Raises:
        QueryError: the field holds no dates.
    """
    import pandas as pd

    from textae.explore.topics import topic_model, topics_of
    from textae.explore.topics_over_time import topics_over_time as count

    topics, topic_of, _ = topics_of(engine.snapshot, topic_model(engine.snapshot, n, seed, no_progress))
    counted = count(engine.snapshot, field, topics, topic_of)
    periods = pd.PeriodIndex(counted.periods, freq=counted.unit[0].upper(), name=field)
    leaves = pd.Index([topic.id for topic in counted.topics.leaves], name="topic")
    return pd.DataFrame(counted.documents.T, index=periods, columns=leaves)


def codes(engine: Engine) -> DataFrame:
    """Get the float codes: (n_documents, dims) float32; the index is the ids.

    A document of which the encoder knows no word has a code of zeros.
    """
    return _by_id(engine, engine.snapshot.codes.floats.astype(np.float32))


def bits(engine: Engine) -> DataFrame:
    """Get the binary codes, a column a bit: (n_documents, n_bits) uint8 of 0 and 1; the index is the ids."""
    return _by_id(engine, np.unpackbits(engine.snapshot.codes.bits, axis=1))


def _by_id(engine: Engine, rows: np.ndarray[Any, Any]) -> DataFrame:
    import pandas as pd

    snapshot = engine.snapshot
    ids = [snapshot.ids[number] for number in snapshot.numbers.tolist()]
    return pd.DataFrame(rows, index=pd.Index(ids, name="id", dtype="str"))


def _grade(value: object) -> int:
    grade = plain_value(value)
    if not isinstance(grade, int | float) or grade != int(grade):
        raise QueryError(f"expected a whole number as the judgement, found {value!r:.40}")
    return int(grade)


def _queries(queries: DataFrame | Series[Any] | Sequence[str]) -> list[Query]:
    if isinstance(queries, str):
        raise QueryError("queries must be a list, got one string; put it in a list")
    table: Any = queries  # pandas need not be imported to tell a DataFrame from a Series and a list
    if hasattr(table, "columns"):
        names = [str(column) for column in table.columns]
        columns = (names.index(_column(names, wanted)) for wanted in (_QUERY_IDS, ("query", "text")))
        ids, texts = (table.iloc[:, place].tolist() for place in columns)
    else:
        ids, texts = table.index if hasattr(table, "iloc") else range(1, len(table) + 1), table
    questions = [Query(_label(id), text) for id, text in zip(ids, texts, strict=True)]
    for query in questions:
        if not isinstance(query.text, str):
            raise QueryError(f"the query {query.id!r} is not a text: {query.text!r:.40}")
    if len({query.id for query in questions}) < len(questions):
        raise QueryError("two queries have the same id; give each its own")
    return questions


def _column(names: Sequence[str], wanted: Sequence[str], *, is_needed: bool = True) -> str:
    """The first of some columns that there is; "" if there is none.

    Raises:
        CorpusError: there is none, and one is needed.
    """
    column = next((name for name in wanted if name in names), "")
    if not column and is_needed:
        shown = ", ".join(names[:20]) or "none"
        raise CorpusError(f"the DataFrame has no column {' or '.join(map(repr, wanted))}; its columns are: {shown}")
    return column


def _label(label: object) -> str:
    """An index label as text; the parts of a MultiIndex between slashes."""
    return "/".join(map(_label, label)) if isinstance(label, tuple) else _id(plain_value(label))


def _id(value: FieldValue) -> str:
    """An id as text: 3.0 is 3, as pandas makes floats of whole numbers where one is missing."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else as_text(value)
