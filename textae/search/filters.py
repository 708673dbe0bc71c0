"""Which documents meet a condition: the masks of `--where` and `--must`.

Words are analysed as documents are. No index holds stop words: a stop word alone is no condition, as if it had not been
written, and `Filter.ignored` names it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from textae.encoding.analyzer import Analysis, words
from textae.encoding.arrays import Ints, Mask
from textae.encoding.vectorizer import Vectorizer
from textae.index.fields import Range
from textae.index.segments import Segment
from textae.index.snapshot import Snapshot
from textae.search.parser import Condition, parse


@dataclass(frozen=True)
class Filter:
    """Conditions on the fields and on the text of documents, parsed once.

    Attributes:
        where: on the fields; None for none.
        must: on the text; None for none.
    """

    where: Condition | None
    must: Condition | None

    @classmethod
    def parse(cls, where: str | None, must: str | None, fields: Collection[str]) -> "Filter":
        """The filter of two expressions.

        Args:
            where: a condition on fields; None for none.
            must: a condition on the text; None for none.
            fields: the names of all fields that some document has.

        Raises:
            QueryError: an expression cannot be read; the message says where, in one line.
        """
        return cls(
            None if where is None else parse(where, "--where", fields),
            None if must is None else parse(must, "--must", fields),
        )

    def mask(self, snapshot: Snapshot, granularity: str) -> Mask:
        """The rows whose documents meet the conditions: (n_rows,)."""
        conditions = [condition for condition in (self.where, self.must) if condition is not None]
        masks = []
        for segment in snapshot.segments:
            met = np.ones(segment.n_rows, bool)
            for condition in conditions:
                met &= evaluate(condition, segment, snapshot.model.vectorizer)
            if segment.passages is not None and granularity == "passage":
                met = met[np.searchsorted(segment.documents.doc_numbers, segment.passages.doc_numbers)]
            masks.append(met)
        return np.concatenate(masks)

    def ignored(self, analysis: Analysis) -> list[str]:
        """The words and phrases of `must` that hold stop words alone, and so are no condition; each once."""
        texts = () if self.must is None else texts_of(self.must)
        return [text for text in dict.fromkeys(texts) if not analysis.terms(text)]


def evaluate(condition: Condition, segment: Segment, vectorizer: Vectorizer) -> Mask:
    """The documents of a segment that meet a condition: (n_rows,).

    Args:
        condition: as `textae.search.parser.parse` gives it.
        segment: its documents.
        vectorizer: that numbered the segment's terms.
    """
    mask = _evaluate(condition, segment, vectorizer)
    return np.ones(segment.n_rows, np.bool_) if mask is None else mask


def _evaluate(condition: Condition, segment: Segment, vectorizer: Vectorizer) -> Mask | None:
    """The same; None for the condition of a stop word, which is none."""
    query = import_module("whoosh.query")  # 60 ms, which few searches need
    if isinstance(condition, query.And | query.Or):
        masks = [mask for part in condition.children() if (mask := _evaluate(part, segment, vectorizer)) is not None]
        combine = np.logical_and if isinstance(condition, query.And) else np.logical_or
        return combine.reduce(masks) if masks else None
    if isinstance(condition, query.Not):
        mask = _evaluate(condition.query, segment, vectorizer)
        return None if mask is None else ~mask
    name, fields = condition.fieldname, segment.fields
    if name is None and isinstance(condition, query.Every):
        return np.ones(segment.n_rows, np.bool_)
    if isinstance(condition, query.Every):
        rows = fields.present(name)
    elif isinstance(condition, query.TermRange):
        rows = fields.between(name, Range(condition.start, condition.end, condition.startexcl, condition.endexcl))
    elif isinstance(condition, query.Prefix) and name is None:
        terms = numbers_of_prefix(condition.text, vectorizer)
        rows = np.concatenate([np.empty(0, np.int32), *map(segment.term_rows, terms.tolist())])
    elif isinstance(condition, query.Prefix):
        rows = fields.prefix(name, condition.text)
    elif isinstance(condition, query.Phrase):
        rows = fields.whole(name, condition.words[0])
    elif name is not None:
        rows = fields.equal(name, condition.text)
    elif not vectorizer.analysis.terms(condition.text):
        return None
    else:
        rows = _phrase_rows([_number(word, vectorizer) for word in words(condition.text)], segment)
    mask = np.zeros(segment.n_rows, np.bool_)
    mask[rows] = True
    return mask


def texts_of(condition: Condition) -> Iterator[str]:
    """The words and phrases of the text in a condition, as written, without the prefixes."""
    query = import_module("whoosh.query")
    if type(condition) is query.Term and condition.fieldname is None:
        yield condition.text
    for part in condition.children():
        yield from texts_of(part)


_STOP, _UNKNOWN = -1, -2


def _number(word: str, vectorizer: Vectorizer) -> int:
    number = vectorizer.numbers[word]
    return number if number >= 0 else _STOP if vectorizer.analysis.term(word) is None else _UNKNOWN


_CHUNK = 1 << 20
"""Words that are compared with a phrase at a time."""


def _phrase_rows(numbers: Sequence[int], segment: Segment) -> Ints:
    """The rows in which these terms stand side by side; a stop word fits any word that has no number."""
    if _UNKNOWN in numbers:
        return np.empty(0, np.int32)
    rows, *others = sorted((segment.term_rows(number) for number in set(numbers) - {_STOP}), key=len)
    for other in others:
        rows = rows[np.isin(rows, other, assume_unique=True)]
    if len(numbers) == 1:
        return rows
    starts, terms = segment.tokens.starts, segment.tokens.terms
    n_places = np.maximum(starts[rows + 1] - starts[rows] - len(numbers) + 1, 0)  # where in each row it may begin
    if n_places.sum() > len(terms):
        raise ValueError("the rows of the tokens overlap")
    cuts = np.flatnonzero(np.diff(np.cumsum(n_places) // _CHUNK)) + 1
    found = [np.empty(0, np.int32)]
    for part, lengths in zip(np.split(rows, cuts), np.split(n_places, cuts), strict=True):
        row_of = np.repeat(part, lengths)
        at = np.arange(len(row_of)) + np.repeat(starts[part] - np.cumsum(lengths) + lengths, lengths)
        for offset, number in enumerate(numbers):
            fits = terms[at + offset] == number
            at, row_of = at[fits], row_of[fits]
        found.append(row_of)
    return np.concatenate(found)


def numbers_of_prefix(prefix: str, vectorizer: Vectorizer) -> Ints:
    """The numbers of the terms that begin so, and of the term that the prefix stands for as a word.

    Terms are stems: smoothing* means smooth, which is shorter than itself.
    """
    folded = Analysis.of(None).term(prefix) or prefix
    own = vectorizer.numbers[prefix]
    return np.append(vectorizer.vocabulary.numbers_from(folded), np.array([own] if own >= 0 else [], np.int32))
