"""What Python people have as a corpus, as documents: texts, rows as dicts, (id, text), DataFrames, streams of these.

    a text              its id is its place in the corpus, from 0, as the labels of a DataFrame
    (id, text)
    a dict, a Series    a row: `id` or `_id`; `title`; the first of `text`, `body`, `content`, `abstract`,
                        `description`; the others are its fields
    a DataFrame         rows, whose labels are the ids where no column is; also one of several in a stream
    a Series of texts   (label, text)

As in pandas, a missing value (None, NaN, NaT) is no field and no text, and an id or a title may be a number. An
explicit `Document` is taken as it is, and must be one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textae.corpus.pandas_tables import frame_rows, plain_value
from textae.corpus.reading import EMPTY
from textae.corpus.tables import ID_FIELDS, TEXT_FIELDS, TITLE_FIELDS, as_text
from textae.errors import CorpusError, CorpusTypeError
from textae.types import Document, FieldValue, Picture, Skipped

if TYPE_CHECKING:
    from pandas import DataFrame

_NO_ID = (None, "")  # as in the rows of files
_KINDS = "texts, (id, text), dicts, DataFrames or textae.Documents"


def documents_of(corpus: Iterable[Any], *, numbered: bool = True) -> Iterator[Document | Skipped]:
    """The documents of a corpus, one at a time.

    Args:
        corpus: read once.
        numbered: whether a text or a row without an id is named by its place; the places of an index that is there
            may be taken.

    Raises:
        CorpusTypeError: the corpus, a document, or its id, title or text is of another type; the message names it.
        CorpusError: a row has no text.
    """
    if isinstance(corpus, str | bytes | Mapping) or not isinstance(corpus, Iterable):
        what = type(corpus).__name__
        raise CorpusTypeError(
            f"a corpus is an iterable of {_KINDS}, and got one {what}: {corpus!r:.60}; put it in a list, or give "
            "textae.read([PATH]) to read files"
        )
    if _is_frame(corpus):
        yield from frame_documents(corpus)
        return
    if hasattr(corpus, "iloc"):  # a Series; pandas need not be imported to tell
        series: Any = corpus
        yield from map(_pair, map(label_text, series.index), series)
        return
    for number, item in enumerate(corpus):
        if isinstance(item, Document | Skipped):
            yield _checked(item)
        elif _is_frame(item):
            yield from frame_documents(item)
        else:
            yield _document(item, str(number), numbered)


def _is_frame(value: object) -> bool:
    return hasattr(value, "iloc") and hasattr(value, "columns")


def _document(item: Any, number: str, numbered: bool) -> Document | Skipped:
    """The document of an item that is no `Document`."""
    if isinstance(item, tuple) and len(item) == 2 and hasattr(item[1], "keys"):
        return _document(item[1], label_text(item[0]) or number, numbered=True)  # of `iterrows`
    if hasattr(item, "_asdict"):  # a named tuple
        item = item._asdict()
    elif hasattr(item, "iloc"):  # a row of a DataFrame
        item = item.to_dict()
    if isinstance(item, Mapping):
        row = {str(name): _value(value) for name, value in item.items()}
        id, title, text = (_first(row, names) for names in (ID_FIELDS, TITLE_FIELDS, TEXT_FIELDS))
        if not (title or text):
            raise CorpusError(
                f"the document {number} has no field {' or '.join(map(repr, TEXT_FIELDS))}; "
                f"its fields are: {', '.join(list(row)[:20])}"
            )
        if numbered or (id and row[id] not in _NO_ID):
            return _of_row(row, id, title, text, number)
    elif isinstance(item, str):
        if numbered:
            return _pair(number, item)
    elif isinstance(item, tuple) and len(item) == 2:
        id = id_text(_value(item[0]))
        if id:
            return _pair(id, item[1])
    else:
        raise CorpusTypeError(f"a corpus holds {_KINDS}; the document {number} is of type {_shown(item)}")
    raise CorpusTypeError(f"the document {number} has no id: {item!r:.60}; give (id, text), or a dict with an id")


def _pair(id: str, text: Any) -> Document | Skipped:
    if isinstance(text, str):
        return Document(id, str(text), source=id) if text.strip() else Skipped(id, EMPTY)
    if _value(text) is None:
        return Skipped(id, EMPTY)
    raise CorpusTypeError(f"the text of the document {id!r:.60} is of type {_shown(text)}; it must be a string")


def _value(value: Any) -> FieldValue:
    """A value as JSON can hold it; None of what pandas calls missing, which does not equal itself: NaN, NaT, NA."""
    try:
        is_itself = bool(value == value)
    except TypeError:  # of NA
        is_itself = False
    except ValueError:  # of an array
        is_itself = True
    return plain_value(value) if is_itself else None


def _shown(value: object) -> str:
    return f"{type(value).__name__}: {' '.join(repr(value).split()):.60}"


def _checked(item: Document | Skipped) -> Document | Skipped:
    """An item as it is.

    Raises:
        CorpusTypeError: its id, its texts, its fields or its picture are of another type.
    """
    if isinstance(item, Skipped):
        return item
    for name in ("id", "text", "title", "source", "origin"):
        if not isinstance(value := getattr(item, name), str):
            what = f"{value!r:.60}, of type {type(value).__name__}"
            raise CorpusTypeError(f"the {name} of the document {item.id!r:.60} is {what}; it must be a string")
    if not (isinstance(item.fields, Mapping) and isinstance(item.picture, Picture | None)):
        raise CorpusTypeError(
            f"the document {item.id!r:.60} needs a dictionary of fields, and a textae.Picture or None"
        )
    return item


def frame_documents(
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
    columns = (
        column_of(names, ID_FIELDS if id is None else (id,), is_needed=id is not None),
        column_of(names, TITLE_FIELDS if title is None else (title,), is_needed=title is not None),
        column_of(names, TEXT_FIELDS if text is None else (text,)),
    )
    rows = zip(frame.index, frame_rows(frame), strict=True)
    return (_of_row(row, *columns, label_text(label)) for label, row in rows)


def _of_row(row: dict[str, FieldValue], id: str, title: str, text: str, place: str) -> Document | Skipped:
    """The document of a row, whose columns may be missing: ""."""
    own_id, own_title, own_text = (row.pop(column) if column else None for column in (id, title, text))
    heading, body = " ".join(as_text(own_title).split()), as_text(own_text)
    if not (heading or body.strip()):
        return Skipped(place, EMPTY)
    fields = {column: value for column, value in row.items() if value is not None}
    name = place if not id else f"row {place}" if own_id in _NO_ID else id_text(own_id)
    return Document(name, body, heading, fields, place)


def column_of(names: Sequence[str], wanted: Sequence[str], *, is_needed: bool = True) -> str:
    """The first of some columns that there is; "" if there is none.

    Raises:
        CorpusError: there is none, and one is needed.
    """
    column = _first(names, wanted)
    if not column and is_needed:
        shown = ", ".join(names[:20]) or "none"
        raise CorpusError(f"the DataFrame has no column {' or '.join(map(repr, wanted))}; its columns are: {shown}")
    return column


def _first(names: Iterable[str], wanted: Sequence[str]) -> str:
    return next((name for name in wanted if name in names), "")


def label_text(label: object) -> str:
    """An index label as text; the parts of a MultiIndex between slashes."""
    return "/".join(map(label_text, label)) if isinstance(label, tuple) else id_text(plain_value(label))


def id_text(value: FieldValue) -> str:
    """An id as text: 3.0 is 3, as pandas makes floats of whole numbers where one is missing."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else as_text(value)
