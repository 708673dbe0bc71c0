"""Bag of words: a document is the multiset of its terms, whatever their order.

`Counter` reads a corpus once, in a stream: it numbers terms as they come, and spills what it read to an unnamed
temporary file, so memory holds the terms alone. When the corpus has ended, the terms are numbered anew by falling
document frequency (ties by the term itself): the most frequent n terms are then simply the terms below n, which is
how the encoder, that knows fewer terms than keyword search, takes its part of the same counts. Terms that documents
bring later are numbered behind them (`Vocabulary`), and no number ever changes its term.
"""

from collections.abc import Iterable

import numpy as np

from textae.encoding.analyzer import Analysis, Memo, words
from textae.encoding.bags import Bags, Tokens, row_starts
from textae.encoding.vocabulary import MOST_TERMS, Vocabulary


class Vectorizer:
    """Texts to bags of the vocabulary's terms; a query walks the same path as a document.

    Args:
        analysis: how words become terms.
        vocabulary: the terms that are known.

    Attributes:
        numbers: of the term that a word, as written, stands for; -1 where the corpus does not hold it.
    """

    def __init__(self, analysis: Analysis, vocabulary: Vocabulary) -> None:
        self.analysis, self.vocabulary = analysis, vocabulary
        self.numbers = Memo(self._look_up)

    def _look_up(self, word: str) -> int:
        term = self.analysis.term(word)
        number = None if term is None else self.vocabulary.number(term)
        return -1 if number is None else number

    def tokens(self, texts: Iterable[str]) -> Tokens:
        """The terms of some texts, in order; what is not in the vocabulary is -1."""
        found = [np.array(list(map(self.numbers.__getitem__, words(text))), np.int32) for text in texts]
        return Tokens(row_starts(list(map(len, found))), np.concatenate([np.empty(0, np.int32), *found]))

    def transform(self, texts: Iterable[str]) -> Bags:
        """The bags of some texts, in order; words that are not in the vocabulary are left out."""
        return self.tokens(texts).bags()

    def unknown(self, text: str) -> list[str]:
        """The words of a text, as written, that would be terms but occur nowhere in the corpus; each once."""
        candidates = dict.fromkeys(words(text))
        return [word for word in candidates if self.numbers[word] < 0 and self.analysis.term(word) is not None]


class GrowingVectorizer(Vectorizer):
    """A vectorizer that numbers the terms that it meets for the first time, behind those that are known.

    Args:
        analysis: how words become terms.
        vocabulary: the terms that are known.

    Attributes:
        new: the terms that were met, in the order of their numbers.
    """

    PATIENCE = 2_000
    """Words that are bisected for, before all terms are read to find others sooner."""

    def __init__(self, analysis: Analysis, vocabulary: Vocabulary) -> None:
        super().__init__(analysis, vocabulary)
        self.new: dict[str, int] = {}
        self._known: dict[str, int] = {}
        self._bisected = 0

    def _look_up(self, word: str) -> int:
        term = self.analysis.term(word)
        if term is None:
            return -1
        number = self._known_number(term)
        if number is not None:
            return number
        size = len(self.vocabulary) + len(self.new)
        return self.new.setdefault(term, size) if size < MOST_TERMS else self.new.get(term, -1)

    def _known_number(self, term: str) -> int | None:
        if self._known:
            return self._known.get(term)
        self._bisected += 1
        if self._bisected > self.PATIENCE:
            self._known = {known: number for number, known in enumerate(self.vocabulary.terms())}
        return self.vocabulary.number(term)

    def grown(self) -> Vocabulary:
        """The vocabulary with the new terms."""
        return self.vocabulary.with_terms(list(self.new))
