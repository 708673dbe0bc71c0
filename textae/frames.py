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

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textae.corpus.given import column_of, id_text, label_text
from textae.corpus.given import frame_documents as documents
from textae.corpus.pandas_tables import plain_value
from textae.engine import Engine
from textae.errors import QueryError
from textae.evaluation.run import rank
from textae.types import Query

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from textae.index.build import Report

__all__ = ["bits", "codes", "documents", "index", "scoreboard", "search", "topics", "topics_over_time"]

_QUERY_IDS = ("qid", "query_id")
_DOCUMENT_IDS = ("docid", "docno", "doc_id")
_GRADES = ("relevance", "label", "grade")


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
    rankings = rank(engine.searcher, questions, k, mode, conditions=engine.searcher.conditions(where, must))
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
        columns = [names.index(column_of(names, wanted)) for wanted in (_QUERY_IDS, _DOCUMENT_IDS, _GRADES)]
        grades: dict[str, dict[str, int]] = {}
        for qid, docid, grade in zip(*(qrels.iloc[:, place] for place in columns), strict=True):
            grades.setdefault(id_text(plain_value(qid)), {})[id_text(plain_value(docid))] = _grade(grade)
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

    from textae.explore.kept_topics import kept_topics
    from textae.explore.topics_over_time import topics_over_time as count

    topics, topic_of, _ = kept_topics(engine.snapshot, n, seed)
    counted = count(engine.snapshot, field, topics, topic_of)
    periods = pd.PeriodIndex(counted.periods, freq=counted.unit[0].upper(), name=field)
    leaves = pd.Index([topic.id for topic in counted.topics.leaves], name="topic")
    return pd.DataFrame(counted.documents.T, index=periods, columns=leaves)


def codes(engine: Engine) -> DataFrame:
    """Get the float codes: (n_documents, dims) float32; the index is the ids.

    A document of which the encoder knows no word has a code of zeros.

    Raises:
        QueryError: the index stores bits alone.
    """
    engine.snapshot.modality.check_floats("a frame of floats", "textae.frames.bits")
    return _byid_text(engine, engine.snapshot.codes.floats.astype(np.float32))


def bits(engine: Engine) -> DataFrame:
    """Get the binary codes, a column a bit: (n_documents, n_bits) uint8 of 0 and 1; the index is the ids."""
    return _byid_text(engine, np.unpackbits(engine.snapshot.codes.bits, axis=1))


def _byid_text(engine: Engine, rows: np.ndarray[Any, Any]) -> DataFrame:
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
        columns = (names.index(column_of(names, wanted)) for wanted in (_QUERY_IDS, ("query", "text")))
        ids, texts = (table.iloc[:, place].tolist() for place in columns)
    else:
        ids, texts = table.index if hasattr(table, "iloc") else range(1, len(table) + 1), table
    questions = [Query(label_text(id), text) for id, text in zip(ids, texts, strict=True)]
    for query in questions:
        if not isinstance(query.text, str):
            raise QueryError(f"the query {query.id!r} is not a text: {query.text!r:.40}")
    if len({query.id for query in questions}) < len(questions):
        raise QueryError("two queries have the same id; give each its own")
    return questions
