"""Passages: overlapping windows of a long text, each short enough for a code to represent; each word is in two.

The text is cut into pieces of about the same length, at the end of a sentence where one is near and otherwise between
words. Two consecutive pieces are a passage, so that each sentence is away from the edges of some passage.

    >>> passages("One two three. Four five six. Seven eight nine. Ten eleven twelve.", 6)
    [(0, 30), (15, 48), (30, 66)]
"""

import re

import numpy as np
from numpy.typing import NDArray

from textae.encoding.analyzer import LONGEST_WORD, spans
from textae.errors import TextaeError

_SENTENCE = re.compile(r"[.!?…][\"'’”)\]]{0,3}\s++|[。！？][」』”）]{0,3}\s*+|\n[ \t\r]*+\n\s*+")
"""The end of a sentence or paragraph, with the white space behind it; possessive, so that no text makes it slow."""


def passages(text: str, words: int) -> list[tuple[int, int]]:
    """The passages of a text, as (start, end) in characters, in order.

    Together they are the whole text, and each starts in the middle of the one before. None has more than 1.25 times
    `words`; white space and long runs count as a word for each 64 characters, so that none has more than
    80 · words + 64 characters, whatever the text is. In unspaced script, a character is a word.

    Args:
        text: of a document; an empty one is one passage.
        words: of a passage, about; at least 2.

    Raises:
        TextaeError: fewer than 2 words.
    """
    if words < 2:
        raise TextaeError(f"passages of {words} words; at least 2 are needed, as they overlap by half")
    places = _possible_cuts(text)
    if len(places) <= words:
        return [(0, len(text))]
    n_pieces = -(-len(places) // (words // 2))
    wanted = np.linspace(0, len(places), n_pieces + 1).round().astype(np.int64)[1:-1]
    cuts = [0, *_at_sentences(text, places, wanted, near=words // 8).tolist(), len(text)]
    return list(zip(cuts[:-2], cuts[2:], strict=True))


def _possible_cuts(text: str) -> NDArray[np.int64]:
    """The characters where the text may be cut: 0, the start of each word, and every `LONGEST_WORD` in between."""
    starts = np.array([0, *(start for start, _ in spans(text) if start), max(len(text), 1)], np.int64)
    counts = -(-np.diff(starts) // LONGEST_WORD)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    places: NDArray[np.int64] = np.repeat(starts[:-1], counts) + (np.arange(len(first)) - first) * LONGEST_WORD
    return places


def _at_sentences(text: str, places: NDArray[np.int64], wanted: NDArray[np.int64], near: int) -> NDArray[np.int64]:
    """The characters of the wanted cuts, each moved to the nearest start of a sentence at most `near` places away."""
    ends = np.array([match.end() for match in _SENTENCE.finditer(text)], np.int64)
    sentences = ends[ends < len(text)]
    if not len(sentences):
        return places[wanted]
    place_of = np.searchsorted(places, sentences)
    after = np.minimum(np.searchsorted(place_of, wanted), len(sentences) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(wanted - place_of[before] < place_of[after] - wanted, before, after)
    moved: NDArray[np.int64] = np.where(np.abs(place_of[nearest] - wanted) <= near, sentences[nearest], places[wanted])
    return moved
