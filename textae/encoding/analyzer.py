"""From text to terms, the same way for documents and queries: text becomes words, words become terms.

A word is a run of letters, digits and combining marks in any script (Unicode). Scripts that are written without spaces
(Chinese, Japanese kana, Thai, Lao, Khmer, Burmese) give overlapping pairs of characters, each with its marks, because
there is no dictionary that would split them. A term is the word normalised (NFKC), case-folded and, where a language
is set, stemmed by Snowball; the stop words of that language are no terms. No language is assumed: `detect_language`
looks at the corpus, and None works for all.

    >>> Analysis.of("english").terms("Smoothing a noisy signal")
    ['smooth', 'noisi', 'signal']
    >>> Analysis.of(None).terms("Ein Über-Mensch")
    ['ein', 'über', 'mensch']
    >>> Analysis.of(None).terms("文档检索")
    ['文档', '档检', '检索']
"""

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import methodcaller
from typing import TypeVar

from textae.errors import TextaeError
from textae.types import Document

T = TypeVar("T")

LONGEST_WORD = 64
"""Characters; a longer run is encoded data, not a word (uuencoded files in mail, keys in logs)."""

# Python's \w leaves out the combining marks without which Hindi, Thai or vocalised Arabic fall apart into letters.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u0900-\u0963\u0971-\u0dff\u0e31"
    "\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3"
)
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(rf"[\w{_MARKS}]+")
_UNSPACED = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u1000-\u102a\u103f\u1050-\u1055"
    "\u1780-\u17b3\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
)
_CHARACTER = re.compile(rf"[{_UNSPACED}][{_MARKS}]*")
_UNSPACED_RUN = re.compile(rf"(?:[{_UNSPACED}][{_MARKS}]*)+|[^{_UNSPACED}]+")
_SPAN = methodcaller("span")
_HAS_UNSPACED = re.compile(rf"[{_UNSPACED}]")


def searchable(document: Document) -> str:
    """The text that is indexed: the title and the text of a document."""
    return f"{document.title}\n{document.text}" if document.title else document.text


def spans(text: str) -> Iterator[tuple[int, int]]:
    """The (start, end) of each word in characters, in order; the pairs of a run of unspaced script overlap."""
    if text.isascii():
        return map(_SPAN, _ASCII_WORD.finditer(text))
    found = map(_SPAN, _WORD.finditer(text.replace("_", " ")))
    if not _HAS_UNSPACED.search(text):
        return found
    return itertools.chain.from_iterable(
        _pair_spans(text, *span) if _HAS_UNSPACED.search(text, *span) else [span] for span in found
    )


def words(text: str) -> list[str]:
    """The words of a text as written, in order: `text[start:end]` for each of its `spans`."""
    if text.isascii():
        return _ASCII_WORD.findall(text)
    if _HAS_UNSPACED.search(text):
        return [text[start:end] for start, end in spans(text)]
    return _WORD.findall(text.replace("_", " "))


def _pair_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Split a word that holds unspaced script: pairs of its characters, and words of the other scripts."""
    for run in _UNSPACED_RUN.finditer(text, start, end):
        pair = None
        for pair in itertools.pairwise(match.span() for match in _CHARACTER.finditer(text, *run.span())):
            yield pair[0][0], pair[1][1]
        if pair is None:
            yield run.span()


@dataclass(frozen=True)
class Analysis:
    """How words become terms; one object serves documents and queries, and is stored with the index.

    Attributes:
        language: the name of a Snowball stemmer; None for words as they are.
        stop_words: words that are no terms, case-folded and unstemmed.
    """

    language: str | None
    stop_words: frozenset[str]

    @classmethod
    def of(cls, language: str | None) -> "Analysis":
        """The analysis of a language, with its stop words where there is a list.

        Raises:
            TextaeError: there is no stemmer for the language.
        """
        if language is None:
            return cls(None, frozenset())
        if language not in languages():
            raise TextaeError(f"no stemmer for the language {language!r}; known are: none, {', '.join(languages())}")
        return cls(language, stop_words(language))

    @cached_property
    def _stem(self) -> Callable[[str], str]:
        if self.language is None:
            return str
        import Stemmer

        stem: Callable[[str], str] = Stemmer.Stemmer(self.language).stemWord
        return stem

    def __getstate__(self) -> dict[str, object]:
        """Pickle neither the stemmer, which is C, nor the remembered words."""
        return {"language": self.language, "stop_words": self.stop_words}

    @cached_property
    def term_of(self) -> "Memo[str | None]":
        """`term` with a memory."""
        return Memo(self.term)

    def term(self, word: str) -> str | None:
        """The term of a word; None for a stop word, and for a run too long to be a word."""
        if len(word) > LONGEST_WORD:
            return None
        folded = fold(word)
        if folded in self.stop_words:
            return None
        return self._stem(folded) or None

    def terms(self, text: str) -> list[str]:
        """The terms of a text, in order, with repetitions."""
        return [term for term in map(self.term, words(text)) if term is not None]


def fold(text: str) -> str:
    """A text in lower case (Unicode's case folding) and normal form (NFKC)."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


class Memo(dict[str, T]):
    """Remembers the results of a function of a word, since language repeats itself.

    Args:
        function: of a word.
    """

    LARGEST = 1_000_000
    """Words that are remembered; then it starts anew, and the common words are soon back."""

    def __init__(self, function: Callable[[str], T]) -> None:
        super().__init__()
        self._function = function

    def __reduce__(self) -> tuple[type["Memo[T]"], tuple[Callable[[str], T]]]:
        """Pickle the function alone."""
        return Memo, (self._function,)

    def __missing__(self, word: str) -> T:
        if len(self) >= self.LARGEST:
            self.clear()
        self[word] = value = self._function(word)
        return value


def languages() -> list[str]:
    """The names of the languages that have a stemmer."""
    import Stemmer

    return [name for name in Stemmer.algorithms() if name not in ("porter", "dutch_porter")]


def stop_words(language: str) -> frozenset[str]:
    """The most common words of a language, which carry no topic (Snowball's lists); empty without a list."""
    return _stop_lists().get(language, frozenset())


def _stop_lists() -> dict[str, frozenset[str]]:
    from whoosh.lang import aliases
    from whoosh.lang.stopwords import stoplists

    lists = {name: stoplists[aliases[name]] for name in languages() if aliases.get(name) in stoplists}
    return {name: frozenset(map(fold, listed)) for name, listed in lists.items()}


STOP_WORD_RATE = 0.15
"""Of running words; English prose has .4, English titles .25, and other languages' lists match below .1 of them."""


def detect_language(texts: Iterable[str]) -> str | None:
    """The language with the most stop words in the texts; None where these are few, as in logs, code or Chinese."""
    lists = _stop_lists()
    counts = dict.fromkeys(lists, 0)
    total = 0
    for text in texts:
        folded = list(map(fold, words(text)))
        total += len(folded)
        for name, stops in lists.items():
            counts[name] += sum(map(stops.__contains__, folded))
    best = max(sorted(counts), key=counts.__getitem__)
    return best if counts[best] > STOP_WORD_RATE * total else None
