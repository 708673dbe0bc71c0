r"""The names of documents, and how like one a query is.

A document's names are its id and its title, and what stands in them behind each slash, colon or dot. Of the name of a
file, the dot is before the ending. So `torch.nn.Linear` is `nn.Linear` and `Linear`, too, and `letters/fence.docx` is
`fence.docx` and `fence`. A name is a set of words, in two readings: as they stand, and cut where the case changes or
a number begins (`RobustScaler` is `Robust Scaler`). A query is read the same way. Their likeness is

    s(q, n) = Σ_{t ∈ q ∩ n} w(t) idf(t) / Σ_{t ∈ q} w(t) idf(t)  ·  Σ_{t ∈ q ∩ n} w(t) / Σ_{t ∈ n} w(t),

the share of the query that the name has, by idf, times the share of the name that the query has. So 1 is a query that
is the name, .75 three words of a title of four, and an `of` in it matters little. Each word counts twice: as its term,
by which `dates` is `date`, and a ninth of that as it is written, by which `json.loads` is not `json.load`.

    >>> names = Names.of([("json.load", "", ""), ("json.loads", "", "")], Analysis.of("english"))
    >>> reading = next(readings("json.loads", Analysis.of("english")))
    >>> [(row, round(share, 2)) for row, share in zip(*names.like(reading, [1, 1]))]
    [(0, 0.9), (1, 1.0)]
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import PurePath
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import Analysis, Memo, fold, words
from textae.encoding.arrays import Doubles, Floats, Ints, Rows, runs
from textae.index.inverted import InvertedIndex

MOST_WORDS = 64
"""A longer text is no name."""

_WRITTEN = 0.1
"""Of the weight of a word, what counts as it is written; enough to tell `loads` from `load` where all else is equal."""

_ROUNDING = 1e-3
"""More than the rounding of a likeness while it is added up."""

_STOP = 0.1
"""The weight of a stop word beside that of another word."""

_PARTS = re.compile(r"[/:]")
_INSIDE = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
)  # a change of case, and from letters to digits or back

Reading = Mapping[str, str | None]
"""The different words of a name, folded, and the term of each; None for a stop word."""


def readings(text: str, analysis: Analysis) -> Iterator[Reading]:
    """The readings of a name or a query: its words as they stand, and cut where one is several; none of a long text."""
    for cut in _cuts(text, _INSIDE.split):
        yield {fold(word): analysis.term_of[word] for word in cut}


def _cuts(text: str, split: Callable[[str], list[str]]) -> Iterator[list[str]]:
    """The words of each reading."""
    whole = words(text, characters=False)
    if 0 < len(whole) <= MOST_WORDS:
        yield whole
        parts = list(chain.from_iterable(map(split, whole)))
        if parts != whole:
            yield parts


def names_of(id: str, title: str, source: str) -> set[str]:
    """The names of a document.

    Args:
        id: of the document.
        title: of it.
        source: the path of its file, whose ending the names of files share.
    """
    ending = PurePath(source).suffix
    return {name for text in (id, title) if text for name in _names(text, ending)}


def _names(text: str, ending: str) -> Iterator[str]:
    starts = [0, *(match.end() for match in _PARTS.finditer(text))]
    yield from (text[start:] for start in starts)
    last = text[starts[-1] :]
    if ": " in text:  # a title before what explains it
        yield text.partition(": ")[0]
    if ending and last.endswith(ending):
        yield last.removesuffix(ending)
    elif not re.search(r"\s", last):
        yield from (last[at + 1 :] for at, character in enumerate(last) if character == ".")


def keys_of_word(word: str, term: str | None) -> tuple[tuple[str, float], tuple[str, float]]:
    """The keys of a word, and what each counts."""
    weight = _STOP if term is None else 1.0
    return (f"t{term or word}", weight * (1 - _WRITTEN)), (f"w{word}", weight * _WRITTEN)


class Names:
    """The names of the documents of a segment.

    Attributes:
        index: from the keys of words to names.
        documents: (n_names,) int32, the row of the document of each name; not falling.
        weights: (n_names,) float32, Σ w(t) of the words of each name.
    """

    def __init__(self, index: InvertedIndex, documents: Ints, weights: Floats) -> None:
        self.index, self.documents, self.weights = index, documents, weights

    @classmethod
    def of(cls, documents: Iterable[tuple[str, str, str]], analysis: Analysis) -> Self:
        """The names of documents.

        Args:
            documents: (id, title, source) of each, in the order of their rows.
            analysis: how words become terms.
        """
        number_of: dict[str, int] = defaultdict(count().__next__)

        def keys_of(word: str) -> tuple[str, tuple[tuple[int, float], ...]]:
            folded = fold(word)
            keys = keys_of_word(folded, analysis.term_of[word])
            return folded, tuple((number_of[key], weight) for key, weight in keys)

        keys_of_known, split = Memo(keys_of).__getitem__, Memo(_INSIDE.split).__getitem__
        held, lengths, owners, weights = array("q"), array("q"), array("i"), array("f")
        for row, document in enumerate(documents):
            seen = set[frozenset[int]]()
            for name in sorted(names_of(*document)):
                for cut in _cuts(name, split):
                    keys = dict(chain.from_iterable(dict(map(keys_of_known, cut)).values()))
                    if (own := frozenset(keys)) not in seen:
                        seen.add(own)
                        held.extend(keys)
                        lengths.append(len(keys))
                        owners.append(row)
                        weights.append(sum(keys.values()))
        encoded = [key.encode(errors="replace") for key in number_of]
        index = InvertedIndex.of_keys(encoded, np.asarray(held), np.asarray(lengths))
        return cls(index, np.asarray(owners, np.int32), np.asarray(weights, np.float32))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `from_arrays`."""
        return {**self.index.arrays(), "documents": self.documents, "weights": self.weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The names that gave these `arrays`."""
        return cls(InvertedIndex.from_arrays(arrays), arrays["documents"], arrays["weights"])

    def hold(self, term: str) -> bool:
        """Whether a name holds a word with this term."""
        return len(self.index.rows_of(keys_of_word("", term)[0][0].encode(errors="replace"))) > 0

    def like(self, reading: Reading, worths: Sequence[float], least: float = 0.0) -> tuple[Rows, Doubles]:
        """The documents whose names are like a query, and s(q, n) of the name that is most like it.

        Args:
            reading: of the query, n words.
            worths: (n,) the idf of each.
            least: documents whose names are this like the query, or less, are left out.

        Returns:
            The rows, rising, and the likeness of each, at most 1.
        """
        keys: dict[str, tuple[float, float]] = {}
        for (word, term), idf in zip(reading.items(), worths, strict=True):
            keys |= {key: (weight, weight * idf) for key, weight in keys_of_word(word, term)}
        whole = to_come = sum(value for _, value in keys.values())
        first = list[tuple[Ints, float, float]]()
        later = list[tuple[Ints, float, float]]()
        for key, (weight, value) in sorted(keys.items(), key=lambda item: -item[1][1]):
            names = self.index.rows_of(key.encode(errors="replace"))
            # Names that have none of the first are not like it. The keys of `of`, `in` and `the` come later.
            (first if to_come > least * whole else later).append((names, weight, value))
            to_come -= value
        if not first:
            return np.empty(0, np.int64), np.empty(0)
        lists, worths_of_keys = [one[0] for one in first], np.array([one[1:] for one in first], np.float32)
        names = np.concatenate(lists)
        order = np.argsort(names, kind="stable")  # merges what rises
        held, n_keys = runs(names[order])
        place, sums = np.repeat(np.arange(len(held)), n_keys), np.zeros((2, len(held)), np.float32)
        for total, worth_of_key in zip(sums, worths_of_keys.T, strict=True):
            np.add.at(total, place, np.repeat(worth_of_key, list(map(len, lists)))[order])
        of_name, of_query = sums
        whole_names = self.weights[held]
        name_to_come, query_to_come = sum(one[1] for one in later), sum(one[2] for one in later)
        for names, weight, value in later:
            at_most = np.minimum((of_name + name_to_come) / whole_names, 1) * (of_query + query_to_come)
            kept = at_most > (least - _ROUNDING) * whole
            held, whole_names, of_name, of_query = (array[kept] for array in (held, whole_names, of_name, of_query))
            has = among(held, names)
            of_name[has] += weight
            of_query[has] += value
            name_to_come, query_to_come = name_to_come - weight, query_to_come - value
        likeness = of_name / whole_names * of_query.astype(np.float64) / whole
        held, likeness = held[likeness > least], np.minimum(likeness[likeness > least], 1)
        rows, n_names = runs(self.documents[held])
        best = np.maximum.reduceat(likeness, np.cumsum(n_names) - n_names) if len(rows) else likeness
        return rows.astype(np.int64), best


def among(few: Ints | Rows, many: Ints | Rows) -> NDArray[np.bool_]:
    """Which of some numbers are among others, which rise."""
    if not len(many):
        return np.zeros(len(few), bool)
    held: NDArray[np.bool_] = many[np.minimum(np.searchsorted(many, few), len(many) - 1)] == few
    return held
