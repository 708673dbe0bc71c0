"""What a person sees of a match: the passage of a document that speaks most of the query, and the words that do.

Whoosh finds and ranks the fragments; the words are matched by our own analysis, so that what is marked is what was
searched for.
"""

import re
from collections.abc import Mapping, Sequence, Set
from itertools import chain, compress, islice
from typing import NamedTuple

import numpy as np

from textae.encoding.analyzer import Analysis, spans, words
from textae.encoding.arrays import Ints, distinct
from textae.encoding.vectorizer import Vectorizer
from textae.types import Document

_LONGEST = 200  # characters: two or three lines of a terminal
LOOKED_AT = 32_768
"""Characters of a text in which words are looked for: a book must not make a search slow."""

_CONTEXT = 30  # characters shown before the first match and after the last
_NO_BEGINNING = " .,;:!?)]}"
_SPACE = re.compile(r"\s+")

_PASSAGE, _TERMS = 40, 16  # words of a passage, and terms of a query that decide which one is the best


class Snippet(NamedTuple):
    """A passage.

    Attributes:
        text: on one line.
        marks: where the words are in it that match.
        at: the word among these that is worth most, in the text of the document, since a passage can reach over two
            pages; where none matches, the beginning of the passage.
    """

    text: str
    marks: tuple[tuple[int, int], ...]
    at: int


def start_of_best_part(document: Document, tokens: Ints, worth: Mapping[int, float], vectorizer: Vectorizer) -> int:
    """The character of a long text at which the part begins that holds its best passage.

    Args:
        document: of more than `LOOKED_AT` characters.
        tokens: (n_words,) of it, in reading order.
        worth: what each term of the query is worth.
        vectorizer: that numbered the terms.
    """
    text, n_title = document.text, len(words(document.title))
    word, held = best_part(tokens, worth)
    word = max(0, word - n_title)
    # Words are about as long everywhere: to count all those before would take 20 ms for a megabyte.
    start = max(0, len(text) * word // max(1, len(tokens) - n_title) - LOOKED_AT // 2)
    part = text[start : start + LOOKED_AT]
    if holds(part, set(map(vectorizer.vocabulary.term, held)), vectorizer.analysis):
        return start
    return max(0, next(islice(spans(text), word, None), (0, 0))[0] - LOOKED_AT // 2)


def best_part(tokens: Ints, worth: Mapping[int, float]) -> tuple[int, set[int]]:
    """The word at which the best passage of a long text begins, and the terms of the query that are in it.

    Args:
        tokens: (n_words,) of the text, in reading order.
        worth: what each term of the query is worth.
    """
    terms = sorted(worth, key=worth.__getitem__)[-_TERMS:]
    places = [np.flatnonzero(tokens == term) for term in terms]
    starts = distinct(np.concatenate([np.zeros(1, np.int64), *places]))[0]
    held = np.array([np.searchsorted(at, starts + _PASSAGE) > np.searchsorted(at, starts) for at in places])
    best = int((np.array([worth[term] for term in terms]) @ held).argmax()) if terms else 0
    return int(starts[best]), {term for term, one in zip(terms, held, strict=True) if one[best]}


def holds(text: str, terms: Set[str], analysis: Analysis) -> bool:
    """Whether a text has a word of each term."""
    lower = text.lower()
    if all(re.search(rf"\b{re.escape(term)}", lower) for term in terms):  # most words begin with their stem
        return True
    return terms <= set(map(analysis.term_of.__getitem__, set(words(text))))


def snippets(texts: Sequence[str], term_of: Mapping[str, str | None], weights: Mapping[str, float]) -> list[Snippet]:
    """The best passage of each text, on one line, and where its matching words are in it.

    Args:
        texts: of documents, or the parts of long ones.
        term_of: for each word, as written, the term that it stands for.
        weights: what each term of the query is worth.

    Returns:
        Passages, and (start, end) of each matching word in characters; a text without one gives its beginning, and of
        a long text only the first pages are looked at.
    """
    texts = [text[:LOOKED_AT] for text in texts]
    written = [words(text) for text in texts]
    distinct = set(chain.from_iterable(written))
    # Most words match nothing: deciding once for each distinct one is what keeps a search within milliseconds.
    worth = {word: weights[term] for word in distinct if (term := term_of[word] or "") in weights}
    # compress and map stay out of Python for the many words that match nothing: a third of a search's time.
    matching = [
        list(compress(zip(spans(text), of, strict=True), map(worth.__contains__, of))) if worth else []
        for text, of in zip(texts, written, strict=True)
    ]
    return [_snippet(text, of, worth) for text, of in zip(texts, matching, strict=True)]


def _snippet(text: str, matching: Sequence[tuple[tuple[int, int], str]], worth: Mapping[str, float]) -> Snippet:
    """The snippet of one text.

    Args:
        text: of the document.
        matching: where each word is that matches, and the word.
        worth: what each word that matches is worth.
    """
    if not matching:
        return _one_line(text, *_whole_words(text, 0, min(len(text), _LONGEST)), [])
    from whoosh.analysis.acore import Token
    from whoosh.highlight import BasicFragmentScorer, PinpointFragmenter

    matches = [
        Token(startchar=start, endchar=end, text=word.casefold(), boost=worth[word]) for (start, end), word in matching
    ]
    fragmenter = PinpointFragmenter(maxchars=_LONGEST - 2 * _CONTEXT, surround=_CONTEXT, charlimit=0)
    fragments = list(fragmenter.fragment_matches(text, matches))
    if not fragments:
        return _one_line(text, *_whole_words(text, 0, min(len(text), _LONGEST)), [])
    best = max(fragments, key=BasicFragmentScorer())
    spare = max(0, _LONGEST - (best.endchar - best.startchar))
    start, end = _whole_words(text, best.startchar, min(len(text), best.endchar + spare))
    inside = [match for match in matches if start <= match.startchar and match.endchar <= end]
    passage = _one_line(text, start, end, [(match.startchar, match.endchar) for match in inside])
    return passage._replace(at=max(inside, key=lambda match: match.boost).startchar) if inside else passage


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the words that a passage cuts, where it holds others."""
    first = text.find(" ", start, end) + 1 if start and not text[start - 1].isspace() else start
    last = text.rfind(" ", start, end) if end < len(text) and not text[end].isspace() else end
    return (first, last) if start <= first < last else (start, end)


def _one_line(text: str, start: int, end: int, marks: list[tuple[int, int]]) -> Snippet:
    """The passage with its white space collapsed; the marks move with their words."""
    line, moved, at = "", [], start
    for mark_start, mark_end in marks:
        line += _SPACE.sub(" ", text[at : max(at, mark_start)])  # names and unspaced script overlap
        first = len(line) - max(0, at - mark_start)
        line += _SPACE.sub(" ", text[max(at, mark_start) : mark_end])  # a soft hyphen holds two lines together
        moved.append((first, len(line)))
        at = mark_end
    line += _SPACE.sub(" ", text[at:end])
    no_word = len(line) - len(line.lstrip(_NO_BEGINNING))
    blank = min([no_word, *(first for first, _ in moved)])  # the dot of `.NET` is of a word
    return Snippet(line[blank:].rstrip(), tuple((first - blank, last - blank) for first, last in moved), start)
