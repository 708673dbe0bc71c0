"""Passages: windows over a long text, each as long as what a code can say well, every word in two of them.

The text is cut into halves of about the same length, at the end of a sentence where one is near and else between
words, and two halves that follow each other are a passage. So each sentence stands somewhere away from an edge.

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

    Together they are the whole text, and each begins in the middle of the one before. None has more than 1.25 times as
    many words; what lies between the beginnings of two words counts as a word for each 64 characters begun, so that
    none has more than 80 · words + 64 characters, whatever the text is. Of unspaced script a character is a word.

    Args:
        text: of a document; an empty one is one passage.
        words: of a passage, about; at least 2.

    Raises:
        TextaeError: fewer than 2 words.
    """
    if words < 2:
        raise TextaeError(f"passages of {words} words; at least 2 are needed, as they overlap by half")
    places = _places(text)
    if len(places) <= words:
        return [(0, len(text))]
    n_halves = -(-len(places) // (words // 2))
    wanted = np.linspace(0, len(places), n_halves + 1).round().astype(np.int64)[1:-1]
    cuts = [0, *_moved(text, places, wanted, near=words // 8).tolist(), len(text)]
    return list(zip(cuts[:-2], cuts[2:], strict=True))


def _places(text: str) -> NDArray[np.int64]:
    """Where the text may be cut: at 0, before each word, and wherever else `LONGEST_WORD` characters have passed."""
    starts = np.fromiter((start for start, _ in spans(text)), np.int64)
    starts = np.concatenate([[0], starts[starts > 0], [max(len(text), 1)]])
    gaps = np.diff(starts)
    counts = -(-gaps // LONGEST_WORD)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    places: NDArray[np.int64] = np.repeat(starts[:-1], counts) + (np.arange(len(first)) - first) * LONGEST_WORD
    return places


def _moved(text: str, places: NDArray[np.int64], wanted: NDArray[np.int64], near: int) -> NDArray[np.int64]:
    """The characters of the wanted cuts, or of the nearest beginning of a sentence at most `near` places away."""
    ends = np.fromiter((found.end() for found in _SENTENCE.finditer(text)), np.int64)
    sentences = ends[ends < len(text)]
    if not len(sentences):
        return places[wanted]
    place_of = np.searchsorted(places, sentences)
    after = np.minimum(np.searchsorted(place_of, wanted), len(sentences) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(wanted - place_of[before] < place_of[after] - wanted, before, after)
    moved: NDArray[np.int64] = np.where(np.abs(place_of[nearest] - wanted) <= near, sentences[nearest], places[wanted])
    return moved
