"""What a person sees of a match: the passage of a document that speaks most of the query, and the words that do.

Whoosh finds and ranks the fragments; the words are matched by our own analysis, so that what is marked is what was
searched for.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain, compress

from textae.encoding.analyzer import spans, words

_LONGEST = 200  # characters: two or three lines of a terminal
_LOOKED_AT = 32_768  # characters from the beginning: a book must not make a search slow
_CONTEXT = 30  # characters shown before the first match and after the last
_NO_BEGINNING = " .,;:!?)]}"
_SPACE = re.compile(r"\s+")

Snippet = tuple[str, tuple[tuple[int, int], ...]]


def snippets(texts: Sequence[str], term_of: Mapping[str, str | None], weights: Mapping[str, float]) -> list[Snippet]:
    """The best passage of each text, on one line, and where its matching words are in it.

    Args:
        texts: of documents.
        term_of: for each word, as written, the term that it stands for.
        weights: what each term of the query is worth.

    Returns:
        Passages, and (start, end) of each matching word in characters; a text without one gives its beginning, and of
        a long text only the first pages are looked at.
    """
    texts = [text[:_LOOKED_AT] for text in texts]
    written = [words(text) for text in texts]
    distinct = set(chain.from_iterable(written))
    # Most words match nothing: deciding once for each distinct one is what keeps a search within milliseconds.
    worth = {word: weights[term] for word in distinct if (term := term_of[word] or "") in weights}
    # compress and map stay out of Python for the many words that match nothing: a third of a search's time.
    matching = [
        list(compress(spans(text), map(worth.__contains__, of))) if worth else []
        for text, of in zip(texts, written, strict=True)
    ]
    return [_snippet(text, of, worth) for text, of in zip(texts, matching, strict=True)]


def _snippet(text: str, matching: Sequence[tuple[int, int]], worth: Mapping[str, float]) -> Snippet:
    """The snippet of one text.

    Args:
        text: of the document.
        matching: where the words are that match.
        worth: what each word that matches is worth.
    """
    if not matching:
        return _one_line(text, *_whole_words(text, 0, min(len(text), _LONGEST)), [])
    from whoosh.analysis.acore import Token
    from whoosh.highlight import BasicFragmentScorer, PinpointFragmenter

    matches = [
        Token(startchar=start, endchar=end, text=text[start:end].casefold(), boost=worth[text[start:end]])
        for start, end in matching
    ]
    fragmenter = PinpointFragmenter(maxchars=_LONGEST - 2 * _CONTEXT, surround=_CONTEXT, charlimit=0)
    fragments = list(fragmenter.fragment_matches(text, matches))
    if not fragments:
        return _one_line(text, *_whole_words(text, 0, min(len(text), _LONGEST)), [])
    best = max(fragments, key=BasicFragmentScorer())
    spare = max(0, _LONGEST - (best.endchar - best.startchar))
    start, end = _whole_words(text, best.startchar, min(len(text), best.endchar + spare))
    inside = [(at.startchar, at.endchar) for at in matches if start <= at.startchar and at.endchar <= end]
    return _one_line(text, start, end, inside)


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the words that a passage cuts, where it holds others."""
    first = text.find(" ", start, end) + 1 if start and not text[start - 1].isspace() else start
    last = text.rfind(" ", start, end) if end < len(text) and not text[end].isspace() else end
    return (first, last) if start <= first < last else (start, end)


def _one_line(text: str, start: int, end: int, marks: list[tuple[int, int]]) -> Snippet:
    """The passage with its white space collapsed; the marks move with their words."""
    line, moved, at = "", [], start
    for mark_start, mark_end in marks:
        line += _SPACE.sub(" ", text[at : max(at, mark_start)])  # pairs of unspaced script overlap
        moved.append((len(line) - max(0, at - mark_start), len(line) + mark_end - max(at, mark_start)))
        line += text[max(at, mark_start) : mark_end]
        at = mark_end
    line += _SPACE.sub(" ", text[at:end])
    blank = len(line) - len(line.lstrip(_NO_BEGINNING))
    return line[blank:].rstrip(), tuple((first - blank, last - blank) for first, last in moved)
