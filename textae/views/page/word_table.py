"""What the page's search needs to cut texts into terms as the index does: the rules, and a table of stems.

The page has no stemmer. Its table holds each word of the page whose term is not the word itself, case-folded. A line is
a stem and its words, without the letters that all of them begin with:

    happ i iness y    happiness, happy → happi
    run  ning s       running, runs → run
"""

import itertools
import json

from textae.encoding.analyzer import INVISIBLE, LONGEST_WORD, POINTS, UNSPACED, Analysis, fold, words
from textae.index.postings import K1, B

_RULES = {
    "invisible": INVISIBLE.pattern,
    "points": POINTS.pattern,
    "unspaced": UNSPACED,
    "longest": LONGEST_WORD,
    "k1": K1,
    "b": B,
}
"""The patterns of characters of `textae.encoding.analyzer`, and the parameters of BM25."""


class WordTable:
    """The words of a page, for its search.

    Args:
        analysis: of the index.
    """

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._words: set[str] = set()

    def add(self, text: str) -> None:
        """Note the words of a text that the page shows."""
        self._words.update(words(text))

    def content(self) -> bytes:
        """A line of rules, as JSON, one of stop words, and one for each stem; the same for the same words."""
        words_of: dict[str, list[str]] = {}
        for word in sorted({fold(word) for word in self._words if len(word) <= LONGEST_WORD}):
            stem = self._analysis.term(word)
            if stem is not None and stem != word:
                words_of.setdefault(stem, []).append(word)
        lines = [json.dumps(_RULES), " ".join(sorted(self._analysis.stop_words))]
        for stem in sorted(words_of):
            same = [stem, *words_of[stem]]
            pairs = zip(min(same), max(same), strict=False)
            start = "".join(one for one, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
            lines.append(" ".join([start, *(word[len(start) :] for word in same)]))
        return "\n".join(lines).encode("utf-8", "replace")
