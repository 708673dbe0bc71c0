"""Did you mean: words of the corpus that are spelt nearly as a word that it does not hold.

Near is Damerau's distance (1964), the fewest insertions, deletions, substitutions and exchanges of neighbours. Every
spelling one away is made and looked up as any word is, stem and all, so that `informaton` finds what `information`
stands for. Where that finds nothing, all terms of about the length are compared at once, and those nearest are meant.
"""

import unicodedata
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from textae.encoding.vectorizer import Vectorizer
from textae.encoding.vocabulary import Terms, Vocabulary

_SHORTEST, _SHORTEST_FOR_TWO = 3, 5
"""Characters of a word below which too many others are one away, and two."""

_SUGGESTED = 3


def did_you_mean(word: str, vectorizer: Vectorizer, frequency_of: Callable[[int], int]) -> list[str]:
    """At most three words or terms near a word that is unknown, the likeliest first.

    The likeliest has the word's first letter, and is the one that most documents hold.

    Args:
        word: as written.
        vectorizer: that does not know it.
        frequency_of: for the number of a term the documents that hold it.
    """
    word = unicodedata.normalize("NFKC", word).casefold()
    near = _one_away(word, vectorizer) if len(word) >= _SHORTEST else {}
    if not near and len(word) >= _SHORTEST:
        term = vectorizer.analysis.term(word) or word
        most = 2 if len(term) >= _SHORTEST_FOR_TWO else 1
        near = {number: vectorizer.vocabulary.term(number) for number in _nearest(term, vectorizer.vocabulary, most)}
    held = {number: n for number in near if (n := frequency_of(number))}  # those of removed documents are not
    ranked = sorted(held, key=lambda number: (near[number][0] != word[0], -held[number], number))
    return [near[number] for number in ranked[:_SUGGESTED]]


def _one_away(word: str, vectorizer: Vectorizer) -> dict[int, str]:
    """The numbers of the known terms whose words are spelt so, each with the likeliest such spelling."""
    found: dict[int, str] = {}
    for spelling in dict.fromkeys(_spellings(word)):
        if (number := vectorizer.numbers[spelling]) >= 0:
            found.setdefault(number, spelling)
    return found


def _spellings(word: str) -> Iterator[str]:
    """What may have been meant, the likeliest slip first: letters exchanged, one too many, one missing, a wrong one."""
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    script = {chr(code) for letter in word for code in range(ord(letter) & ~63, (ord(letter) | 63) + 1)}  # its script
    letters = sorted(letter for letter in script if letter.isalnum() and letter.casefold() == letter)
    yield from (before + behind[1] + behind[0] + behind[2:] for before, behind in halves if len(behind) > 1)
    yield from (before + behind[1:] for before, behind in halves if behind)
    yield from (before + letter + behind for before, behind in halves for letter in letters)
    yield from (before + letter + behind[1:] for before, behind in halves if behind for letter in letters)


def _nearest(term: str, vocabulary: Vocabulary, most: int) -> list[int]:
    """The numbers of the terms whose distance is the least there is, if that is at most so much."""
    found = [_near(term, part, start, most) for start, part in vocabulary]
    numbers, distances = (np.concatenate(each) for each in zip(*found, strict=True))
    nearest: list[int] = numbers[distances == min(distances.min(initial=most), most)].tolist()
    return nearest


def _near(term: str, terms: Terms, start: int, most: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The numbers of the terms of about the length, which are numbered from `start`, and their distances."""
    text = np.asarray(terms.text)
    ends = np.cumsum((text & 0xC0) != 0x80)  # UTF-8: bytes that begin a character
    starts = np.concatenate([[0], ends])[terms.starts]
    characters = np.frombuffer(text.tobytes().decode().encode("utf-32-le"), np.uint32)
    lengths = np.diff(starts)
    numbers = np.flatnonzero(np.abs(lengths - len(term)) <= most)
    if not len(numbers):
        return numbers, np.empty(0, np.uint8)
    at = np.minimum(starts[numbers, None] + np.arange(len(term) + most), len(characters) - 1)
    return numbers + start, _distances(term, characters[at], lengths[numbers])


def _distances(word: str, others: NDArray[np.uint32], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Damerau's distance of a word a to others b, in its restricted form (optimal string alignment): (n,).

    d(i, j) = min(d(i-1, j) + 1, d(i, j-1) + 1, d(i-1, j-1) + [a_i ≠ b_j], and d(i-2, j-2) + 1 for neighbours exchanged)

    Args:
        word: not longer than 200 characters.
        others: (n, longest) the characters of each, and anything after its end.
        lengths: (n,) of the others.
    """
    n, longest = others.shape
    columns = np.ascontiguousarray(others.T)
    earlier = last = np.repeat(np.arange(longest + 1, dtype=np.uint8)[:, None], n, axis=1)
    for i in range(1, len(word) + 1):
        row = np.full((longest + 1, n), i, np.uint8)
        is_this = columns == ord(word[i - 1])
        for j in range(1, longest + 1):
            row[j] = np.minimum(np.minimum(last[j], row[j - 1]) + np.uint8(1), last[j - 1] + ~is_this[j - 1])
            if i > 1 and j > 1:
                exchanged = is_this[j - 2] & (columns[j - 1] == ord(word[i - 2]))
                row[j] = np.where(exchanged, np.minimum(row[j], earlier[j - 2] + np.uint8(1)), row[j])
        earlier, last = last, row
    distances: NDArray[np.uint8] = last[lengths, np.arange(n)]
    return distances
