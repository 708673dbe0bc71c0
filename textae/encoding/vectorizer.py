"""From texts to token sequences and bags of a vocabulary's terms; queries and documents take the same path."""

from collections import Counter
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from textae.encoding.analyzer import Analysis, Memo, words
from textae.encoding.bags import Bags, Tokens, row_starts
from textae.encoding.vocabulary import MOST_TERMS, Vocabulary


class Vectorizer:
    """Turns texts into bags of the terms of a vocabulary.

    Args:
        analysis: how words become terms.
        vocabulary: the terms that have a number.
    """

    def __init__(self, analysis: Analysis, vocabulary: Vocabulary) -> None:
        self.analysis, self.vocabulary = analysis, vocabulary

    @cached_property
    def numbers(self) -> Memo[int]:
        """The term number of each word, as written; -1 for a stop word and for a word outside the vocabulary."""
        return Memo(self._look_up)

    @cached_property
    def _number_of_term(self) -> Memo[int | None]:
        return Memo(self.vocabulary.number)

    def __getstate__(self) -> dict[str, object]:
        """Pickle no remembered words."""
        return {name: value for name, value in vars(self).items() if not isinstance(value, Memo)}

    def _look_up(self, word: str) -> int:
        term = self.analysis.term(word)
        number = None if term is None else self.vocabulary.number(term)
        return -1 if number is None else number

    def tokens(self, texts: Iterable[str]) -> Tokens:
        """The term numbers of the texts in reading order, a row per text; -1 for a word without one."""
        number = self.numbers.__getitem__
        rows = [np.array(list(map(number, words(text))), np.int32) for text in texts]
        return Tokens(row_starts(list(map(len, rows))), np.concatenate([np.empty(0, np.int32), *rows]))

    def transform(self, texts: Iterable[str]) -> Bags:
        """The bags of the texts, without the words outside the vocabulary."""
        return self.tokens(texts).bags()

    def bag(self, text: str) -> Bags:
        """The bag of one query: as `transform` gives it, but of unspaced script pairs alone where there are any."""
        times = Counter(map(self.analysis.term_of.__getitem__, words(text, characters=False)))
        numbers = {term: self._number_of_term[term] for term in times if term is not None}
        known = sorted((number, times[term]) for term, number in numbers.items() if number is not None)
        terms, counts = np.array(known, np.int64).reshape(-1, 2).T
        largest = np.iinfo(np.uint16).max
        return Bags(
            np.array([0, len(terms)], np.int64), terms.astype(np.int32), np.minimum(counts, largest).astype(np.uint16)
        )


class GrowingVectorizer(Vectorizer):
    """A vectorizer that numbers new terms behind those of the vocabulary; no number changes its term.

    Args:
        analysis: how words become terms.
        vocabulary: the terms that have a number already.

    Attributes:
        new: the numbers of the new terms, in their order.
    """

    PATIENCE = 2_000
    """Words that are looked up by bisection before all terms are read, which makes further lookups faster."""

    def __init__(self, analysis: Analysis, vocabulary: Vocabulary) -> None:
        super().__init__(analysis, vocabulary)
        self.new: dict[str, int] = {}
        self._number_of: dict[str, int] = {}
        self._lookups = 0

    def _look_up(self, word: str) -> int:
        term = self.analysis.term(word)
        if term is None:
            return -1
        if self._number_of:
            number = self._number_of.get(term)
        else:
            number = self.vocabulary.number(term)
            self._lookups += 1
            if self._lookups > self.PATIENCE:
                self._number_of = {term: number for number, term in enumerate(self.vocabulary.terms())}
        if number is not None:
            return number
        size = len(self.vocabulary) + len(self.new)
        return self.new.setdefault(term, size) if size < MOST_TERMS else self.new.get(term, -1)

    def grown(self) -> Vocabulary:
        """The vocabulary with the new terms."""
        return self.vocabulary.with_terms(list(self.new))
