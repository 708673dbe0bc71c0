"""Queries, judgements and runs in the files that the field exchanges: BEIR's, TREC's, and plain lines.

A file's format is told from its first line, never from its name; gzip is told from its first bytes, and `-` is
stdin. Blank lines, a byte order mark and either end of line are accepted. Whatever cannot be read is a `QueryError`
of one line that names the file, the line, and what was expected there.
"""

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from textae.errors import QueryError
from textae.types import Query, Ranking

LONGEST_LINE = 1 << 24
"""Bytes in a line; a longer one is no query, and would be held in memory whole."""

HEADERS = frozenset({"id", "_id", "qid", "query", "query-id", "query_id"})
"""What the first column is called where a table begins with its column names."""

LARGEST_JUDGEMENT = 1_000_000
"""trec_eval's nDCG allocates an array as long as the highest judgement, so a stray number could fill the memory."""

Qrels = dict[str, dict[str, int]]
"""For each query's id the judged documents: id to grade, relevant from 1 on."""


def read_queries(path: str | Path) -> list[Query]:
    r"""Read queries, in the order of the file.

    - JSON lines (BEIR): `_id` or `id`, and `text`; a `title` goes before the text, as it does when a document is
      indexed;
    - a table: `id<TAB>text`, with or without a header;
    - plain text: one query a line, and the number of the line is its id.

    A query without text is kept, and finds nothing: leaving it out would raise the mean of those that remain.

    Raises:
        QueryError: the file cannot be read, holds no query, or a line is not of the format of the first one, lacks
            an id, or has the id of an earlier line.
    """
    lines = _lines(path)
    first = next(lines, None)
    is_json = first is not None and first.text.lstrip().startswith("{")
    is_table = first is not None and not is_json and "\t" in first.text
    if first and is_table and first.text.split("\t")[0].lower() in HEADERS:
        first = None
    queries: dict[str, Query] = {}
    places: dict[str, str] = {}
    for line in chain([first] if first else [], lines):
        if is_json:
            query = _query_in_json(line)
        elif is_table:
            query = _query_in_table(line)
        else:
            query = Query(str(line.number), line.text.strip())
        if query.id in queries:
            raise QueryError(f"{line.place}: the id {_quoted(query.id)} is already that of {places[query.id]}")
        queries[query.id], places[query.id] = query, line.place
    if not queries:
        raise QueryError(f"{_printable(path)} holds no query; expected JSON lines, id<TAB>text, or one query a line")
    return list(queries.values())


def read_qrels(path: str | Path) -> Qrels:
    """Read judgements: BEIR's `query-id<TAB>corpus-id<TAB>score`, with or without header, or TREC's `qid 0 docid rel`.

    A grade below 1 says that the document is not relevant. The same judgement twice is accepted.

    Raises:
        QueryError: the file cannot be read, holds no judgement, a line is of another format, a grade is no whole
            number, or two lines judge one document differently.
    """
    lines = _lines(path)
    first = next(lines, None)
    columns = first.text.lower().split("\t") if first else []
    is_beir = len(columns) == 3
    if is_beir and columns[0] in HEADERS and not columns[2].strip().isdecimal():
        first = None
    qrels: Qrels = {}
    for line in chain([first] if first else [], lines):
        query, document, grade = _judgement(line, is_beir=is_beir)
        earlier = qrels.setdefault(query, {}).setdefault(document, grade)
        if earlier != grade:
            raise QueryError(
                f"{line.place}: the document {_quoted(document)} is judged {grade} for the query {_quoted(query)}, "
                f"but {earlier} on an earlier line"
            )
    if not qrels:
        raise QueryError(f"{_printable(path)} holds no judgement; {_QRELS_EXPECTED}")
    return qrels


def write_run(rankings: Mapping[str, Ranking], tag: str, file: TextIO) -> None:
    """Write rankings as a TREC run, `qid Q0 docid rank score tag`, that every scorer ranks as we do.

    trec_eval ignores the rank: it sorts by score, held in 32 bits, and breaks ties by the document's id. So the
    scores are printed through `strictly_decreasing`. A query that found nothing has no line.

    Args:
        rankings: by the query's id.
        tag: the name of the system.
        file: opened for writing text.

    Raises:
        QueryError: an id or the tag is empty or holds white space, which separates a run's columns, or a score is
            no finite number. Nothing is written then.
    """
    _check_word(tag, "the tag")
    scores = {}
    for query, ranking in rankings.items():
        _check_word(query, "the query id")
        for document in ranking.ids:
            _check_word(document, "the document id")
        scores[query] = strictly_decreasing(ranking.scores)
    for query, ranking in rankings.items():
        rows = enumerate(zip(ranking.ids, scores[query], strict=True), start=1)
        file.writelines(f"{query} Q0 {document} {rank} {score!s} {tag}\n" for rank, (document, score) in rows)


def read_run(path: str | Path) -> dict[str, Ranking]:
    """Read a TREC run as trec_eval does: by score, ties by the document's id from the highest down, ranks ignored.

    Raises:
        QueryError: the file cannot be read, a line has not six columns, a score is no finite number, or a document
            is found twice for one query.
    """
    found: dict[str, dict[str, float]] = {}
    for line in _lines(path):
        columns = line.text.split()
        if len(columns) != 6:
            raise QueryError(f"{line.place}: expected six columns, 'qid Q0 docid rank score tag', found {len(columns)}")
        query, document = columns[0], columns[2]
        try:
            score = float(columns[4])
        except ValueError:
            score = np.nan
        if not abs(score) <= 1e38:
            raise QueryError(f"{line.place}: expected a finite number as the score, found {_quoted(columns[4])}")
        if document in found.setdefault(query, {}):
            raise QueryError(
                f"{line.place}: the document {_quoted(document)} is already found for the query {_quoted(query)}"
            )
        found[query][document] = score
    rankings = {}
    for query, scores in found.items():
        ids = sorted(scores, key=lambda document: (np.float32(scores[document]), document), reverse=True)
        rankings[query] = Ranking(tuple(ids), tuple(map(scores.__getitem__, ids)))
    return rankings


def strictly_decreasing(scores: Sequence[float]) -> NDArray[np.float32]:
    """Give the scores as 32-bit numbers, lowered by the least that makes each smaller than the one before.

    The bits of floats, read as signed integers, have the floats' order and no gaps. With k_i the integer of score i,
    the highest strictly decreasing sequence below it is s_i = min(k_i, s_{i-1} - 1) = min_{j<=i} (k_j + j) - i.
    Scores that differ in 32 bits are kept.

    Args:
        scores: (n,), best first.

    Returns:
        (n,), each the closest 32-bit number to its score, or a few units in the last place lower.

    Raises:
        QueryError: a score is not a number, or its magnitude is above 1e38.
    """
    wide = np.asarray(scores, dtype=np.float64)
    if not (np.abs(wide) <= 1e38).all():
        raise QueryError("a run holds scores between -1e38 and 1e38, and a score is beyond them or not a number")
    bits = wide.astype(np.float32).view(np.int32).astype(np.int64)
    keys = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    steps = np.arange(len(keys))
    keys = np.minimum.accumulate(keys + steps) - steps
    magnitudes = np.abs(keys).astype(np.int32).view(np.float32)
    return np.where(keys < 0, -magnitudes, magnitudes)


class _Line(NamedTuple):
    """A line that is not blank, and where it stands: `file:number`."""

    place: str
    number: int
    text: str


def _lines(path: str | Path) -> Iterator[_Line]:
    name = _printable(path)
    try:
        stdin = io.BytesIO(sys.stdin.buffer.read()) if str(path) == "-" else None
        with io.BufferedReader(stdin) if stdin else Path(path).open("rb") as file:
            stream: io.BufferedIOBase = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file
            for number, raw in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), b""), start=1):
                text = _decoded(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw, f"{name}:{number}")
                if text.strip():
                    yield _Line(f"{name}:{number}", number, text)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise QueryError(f"cannot read {name}: {reason}") from error


def _decoded(raw: bytes, place: str) -> str:
    if len(raw) > LONGEST_LINE:
        raise QueryError(f"{place}: the line is longer than {LONGEST_LINE >> 20} MiB; expected a file of short lines")
    if b"\0" in raw:
        raise QueryError(f"{place}: a NUL byte; expected text in UTF-8")
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise QueryError(f"{place}: byte {error.start + 1} is not UTF-8; expected text in UTF-8") from error


def _query_in_json(line: _Line) -> Query:
    try:
        row = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        raise QueryError(f"{line.place}: not JSON; expected one object a line, as the first line has") from error
    if not isinstance(row, dict):
        raise QueryError(f"{line.place}: expected a JSON object with '_id' and 'text', found {_quoted(row)}")
    name = "_id" if "_id" in row else "id"
    query = row.get(name)
    if isinstance(query, bool) or not isinstance(query, str | int) or query == "":
        raise QueryError(f"{line.place}: expected the query's id in '_id' or 'id', found {_quoted(query)}")
    parts = [row.get("title"), row.get("text")]
    if parts == [None, None]:
        raise QueryError(f"{line.place}: no field 'text'; its fields are {_quoted(list(row))}")
    for part in parts:
        if not isinstance(part, str | None):
            raise QueryError(f"{line.place}: expected a string as the query's text, found {_quoted(part)}")
    text = " ".join(part.strip() for part in parts if part).strip()
    try:
        f"{query} {text}".encode()
    except UnicodeEncodeError as error:  # JSON can escape it (`\ud800`), but no file or terminal can hold it
        half = _quoted(error.object[error.start])
        raise QueryError(f"{line.place}: half of a surrogate pair, {half}") from error
    return Query(str(query), text)


def _query_in_table(line: _Line) -> Query:
    query, tab, text = line.text.partition("\t")
    if not tab or not query.strip():
        raise QueryError(f"{line.place}: expected id<TAB>text, as the first line has, found {_quoted(line.text)}")
    return Query(query.strip(), text.strip())


_QRELS_EXPECTED = "expected query-id<TAB>corpus-id<TAB>score, or 'qid 0 docid rel'"


def _judgement(line: _Line, *, is_beir: bool) -> tuple[str, str, int]:
    columns = [column.strip() for column in line.text.split("\t")] if is_beir else line.text.split()
    if len(columns) != (3 if is_beir else 4) or not all(columns):
        raise QueryError(f"{line.place}: {_QRELS_EXPECTED}, found {_quoted(line.text)}")
    query, document, text = columns[0], columns[-2], columns[-1]
    try:
        grade = int(text)
    except ValueError as error:
        raise QueryError(f"{line.place}: expected a whole number as the judgement, found {_quoted(text)}") from error
    if abs(grade) > LARGEST_JUDGEMENT:
        raise QueryError(f"{line.place}: expected a judgement of at most {LARGEST_JUDGEMENT:,}, found {_quoted(text)}")
    return query, document, grade


def _check_word(text: str, what: str) -> None:
    if text.split() != [text]:
        raise QueryError(
            f"{what} {_quoted(text)} cannot be in a TREC run, whose columns are separated by white space; "
            "use the JSON or TSV output"
        )


def _printable(path: str | Path) -> str:
    name = "stdin" if str(path) == "-" else str(path)
    return name if name.isprintable() else ascii(name)


def _quoted(value: object) -> str:
    """Show a value on one line, without terminal escapes, and not at length."""
    text = repr(value)
    return text if len(text) <= 60 else text[:56] + " ..."
