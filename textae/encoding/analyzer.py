"""From text to terms, the same way for documents and queries: text becomes words, words become terms.

The text is normalised first (NFKC, without what is invisible), so that all ways to write a word are one. A word is then
a run of letters, digits and combining marks in any script. Unicode's rule (UAX #29) is the same, but for punctuation
between letters or digits, which parts words here: `can't` is `can` and `t`. Scripts that are written without spaces
(Chinese, Japanese kana, Thai, Lao, Khmer, Burmese) give characters, each with its marks, and overlapping pairs of them,
because there is no dictionary that would split them. So does Korean, whose particles are attached to nouns. Names with
a sign, such as `C++`, `C#` and `.NET`, are words beside the words in them.

A term is the word case-folded, without the points of Hebrew and Arabic, and, where a language is set, stemmed by
Snowball; the stop words of that language are no terms. No language is assumed: `detect_language` looks at the corpus,
and None works for all.

    >>> Analysis.of("english").terms("Smoothing a noisy signal")
    ['smooth', 'noisi', 'signal']
    >>> Analysis.of(None).terms("Ein Über-Mensch")
    ['ein', 'über', 'mensch']
    >>> Analysis.of(None).terms("文档检索")
    ['文', '文档', '档', '档检', '检', '检索', '索']
    >>> Analysis.of(None).terms("C++")
    ['c', 'c++']
"""

import itertools
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import methodcaller
from typing import Any, TypeVar

from textae.errors import TextaeError
from textae.types import Document

T = TypeVar("T")

VERSION = 2
"""Of the rules below; it rises where the words of some text change. Plain English gave the same ones in version 1."""

LONGEST_WORD = 64
"""Characters; a longer run is encoded data, not a word (uuencoded files in mail, keys in logs)."""


class _Pattern:
    """A pattern that is compiled when it is first used: sets of all scripts take 12 ms, and English needs none."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __getattr__(self, method: str) -> Any:
        value = self.__dict__[method] = getattr(re.compile(self._pattern), method)
        return value


_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_UNMARKED_WORD = re.compile(r"\w+")
_MARKED_WORD = re.compile(r"\w\S*")  # of a text without anything but letters, digits, marks and blanks

# Scripts with combining marks, and all that are written without spaces.
_MAY_BE_MARKED = _Pattern("[\u0300-\u036f\u0483-\u1dff\u20d0-\u20f0\u2cef-\U0010ffff]")

# What has no width (Default_Ignorable_Code_Point), and circles and keys around a character. A soft hyphen at the end of
# a line took the rest of its word to the next. The zero-width space is none of these: it parts words (UAX #29).
INVISIBLE = _Pattern(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20f0\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "(?:(?<=\u00ad)[^\\S\n]*\n[^\\S\n]*)?"
)

# Points over and between letters, which most texts leave out: of Hebrew, Arabic (and the stroke that stretches a word)
# and Syriac. The dot over i: İ is i with a dot in Unicode's case folding.
POINTS = _Pattern(
    "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u0898-\u089f\u08ca-\u08e1\u08e3-\u08ff]|(?<=i)\u0307"
)
_DIGIT = re.compile(r"\d")

# Ideographs, kana and Hangul syllables, and the scripts whose lines break by a dictionary (Line_Break=SA). Of 1,656
# Korean pages of help, BM25 finds 16.5 % at rank 1 by their first sentence, with whole words 12.7 %; by titles 37.3 and
# 37.6 %.
UNSPACED = (
    "\u0e01-\u0e4e\u0e81-\u0edf\u1000-\u109f\u1780-\u17dd\u1950-\u19df\u1a20-\u1aad\u3005-\u3007\u3021-\u3029"
    "\u3031-\u3035\u303b\u303c\u3041-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9fe"
    "\uaa60-\uaadf\uac00-\ud7a3\uf900-\ufaff\U00011700-\U00011746\U00016fe0-\U00018d08\U0001aff0-\U0001b2fb\U00020000-\U0003fffd"
)
_HAS_UNSPACED = _Pattern(rf"[{UNSPACED}](?<!\d)")
_CHARACTER = re.compile(r"\w\W*")  # within a word: a letter with its marks
_RUN = _Pattern(rf"(?:(?!\d)[{UNSPACED}]\W*)+|(?:(?:\d|[^{UNSPACED}\W])\W*)+")

# Names whose signs are part of them: C++17, Ca2+, C#, .NET. A pattern that begins with one sign is fast.
_PLUS = re.compile(r"\+(?<=[A-Za-z0-9]\+)(?:\+(?![A-Za-z+#$%=@\\^~])|(?![A-Za-z0-9+#$%=@\\^~]))")
_SHARP = re.compile(r"#(?<=[A-Za-z0-9]#)(?![A-Za-z0-9+#$%=@\\^~])")
_DOT = _Pattern(rf"\.[A-Za-z](?<![A-Za-z0-9_.]..)(?<![^\W{UNSPACED}]..)[A-Za-z0-9]++(?![^\W{UNSPACED}])")
_ASCII_DOT = re.compile(r"\.[A-Za-z](?<![A-Za-z0-9_.]..)[A-Za-z0-9]++(?!_)")  # the same, of ASCII
_NOT_BEFORE = _Pattern(rf"[^\W{UNSPACED}]|[]!#$%&)+.;?@\\^}}~]")
_ASCII_LETTERS = "".join(filter(str.isalnum, map(chr, range(128))))  # `string` takes 1 ms to import

_SPAN = methodcaller("span")


def searchable(document: Document) -> str:
    """The text that is indexed: the title and the text of a document."""
    return f"{document.title}\n{document.text}" if document.title else document.text


def spans(text: str) -> Iterator[tuple[int, int]]:
    """The (start, end) of each of the `words` of a text, in order: where it stands in the text as written.

    A name with its sign and the word in it overlap, and so do the characters and pairs of a run of unspaced script.
    What Unicode writes as one character, such as the ligature in `ﬁne`, is in the span of each word that has a part.
    """
    normal = _normal(text)
    plain, word = _plain(normal)
    found: Iterator[tuple[int, int]] = map(_SPAN, word.finditer(plain))
    if names := _names(normal):
        found = itertools.chain.from_iterable(
            map(_SPAN, word.finditer(plain, start, end)) if is_plain else [(start, end)]
            for start, end, is_plain in _parts(names, len(normal))
        )
    if word is _MARKED_WORD:
        found = itertools.chain.from_iterable(_unspaced_spans(plain, *span) for span in found)
    if normal == text:
        return found
    first, last = _origins(text)
    return ((first[start], last[end - 1]) for start, end in found)


def words(text: str, *, characters: bool = True) -> list[str]:
    """The words of a text, in order, in normal form (NFKC, without what is invisible); case is as written.

    Args:
        text: of any length.
        characters: whether a run of unspaced script gives its single characters beside its pairs, as a document does.
            A query of more than one character gives its pairs alone: of 791 Japanese manuals BM25 so finds 52.7 % at
            rank 1 by the line that describes them, with characters 51.5 %; of 646 Chinese ones 57.6 and 56.5 %.
    """
    if text.isascii() and not ("+" in text or "#" in text or _ASCII_DOT.search(text)):
        return _ASCII_WORD.findall(text)  # most texts, at once
    normal = _normal(text)
    plain, word = _plain(normal)
    found: list[str] = []
    if names := _names(normal):
        for start, end, is_plain in _parts(names, len(normal)):
            found += word.findall(plain, start, end) if is_plain else [normal[start:end]]
    else:
        found = word.findall(plain)
    if word is not _MARKED_WORD or not _HAS_UNSPACED.search(plain):
        return found
    return [each[start:end] for each in found for start, end in _unspaced_spans(each, 0, len(each), characters)]


def _normal(text: str) -> str:
    """A text in normal form (NFKC), without what is invisible."""
    return text if text.isascii() else unicodedata.normalize("NFKC", INVISIBLE.sub("", text))


class _Letters(dict[int, str]):
    """For `str.translate`: letters, digits and marks as they are, everything else a blank."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        is_kept = character.isalnum() or unicodedata.category(character)[0] == "M"
        self[code] = value = character if is_kept else " "
        return value


_LETTERS = _Letters()


def _plain(normal: str) -> tuple[str, re.Pattern[str]]:
    """A text in normal form, of the same length, as the pattern of a word wants it; and the pattern."""
    if normal.isascii():
        return normal, _ASCII_WORD
    if _MAY_BE_MARKED.search(normal):
        return normal.translate(_LETTERS), _MARKED_WORD
    return normal.replace("_", " "), _UNMARKED_WORD


def _names(normal: str) -> list[tuple[int, int, int, int]]:
    """Where a text holds names with signs, in order: (start, end) of the name, and (start, end) of the word in it."""
    names = []
    for sign, pattern in (("+", _PLUS), ("#", _SHARP)):
        for match in pattern.finditer(normal) if sign in normal else ():
            at = match.start()
            before = normal[max(0, at - LONGEST_WORD) : at]
            start = at - len(before) + len(before.rstrip(_ASCII_LETTERS))
            if not (normal[start].isdigit() or (start and _NOT_BEFORE.match(normal, start - 1))):
                names.append((start, match.end(), start, at))
    dots = (_ASCII_DOT if normal.isascii() else _DOT).finditer(normal)
    names += [(*match.span(), match.start() + 1, match.end()) for match in dots]
    return names if len(names) < 2 else sorted(names)


def _parts(names: Iterable[tuple[int, int, int, int]], length: int) -> Iterator[tuple[int, int, bool]]:
    """The (start, end) of the parts of a text with names, in order, and whether it is one to be cut or a word.

    Names are words, beside the words in them: `C` and `C++`, `.NET` and `NET`.
    """
    at = 0
    for start, end, first, last in names:
        if start >= at:
            yield at, start, True
            yield start, min(end, last), False
            yield first, end, False
            at = end
    yield at, length, True


def _unspaced_spans(plain: str, start: int, end: int, characters: bool = True) -> Iterator[tuple[int, int]]:
    """Split a word: unspaced script into characters and pairs, or pairs alone; and other scripts into runs of them."""
    if not _HAS_UNSPACED.search(plain, start, end):
        yield start, end
        return
    for run in _RUN.finditer(plain, start, end):
        if not _HAS_UNSPACED.match(plain, run.start()):
            yield run.span()
            continue
        before, *others = map(_SPAN, _CHARACTER.finditer(plain, *run.span()))
        if characters or not others:
            yield before
        for character in others:
            yield before[0], character[1]
            if characters:
                yield character
            before = character


_PIECE = re.compile(r"[\0-\x7f]+(?!\u0300)|[\s\S]\u0300*")
"""What is normalised by itself, where all that joins what stands before it is U+0300."""


class _Joining(dict[int, str]):
    """For `str.translate`: U+0300 for what joins the character before it, as marks and parts of Hangul syllables do."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        joins = any(
            unicodedata.category(part)[0] == "M" or "\u1160" <= part <= "\u11ff"
            for part in unicodedata.normalize("NFKD", character)[:1]
        )
        self[code] = value = "\u0300" if joins else character
        return value


_JOINING = _Joining()


def _origins(text: str) -> "tuple[array[int], array[int]]":
    """For each character of a text's normal form, where in the text that begins and ends of which it is made."""
    joined = INVISIBLE.sub(lambda match: "\u0300" * len(match[0]), text).translate(_JOINING)
    first, last = array("i"), array("i")
    for start, end in map(_SPAN, _PIECE.finditer(joined)):
        piece = text[start:end]
        if piece.isascii():
            first.extend(range(start, end))
            last.extend(range(start + 1, end + 1))
        else:
            length = len(_normal(piece))
            first.extend([start] * length)
            last.extend([end] * length)
    return first, last


@dataclass(frozen=True)
class Analysis:
    """How words become terms; one object serves documents and queries, and is stored with the index.

    Attributes:
        language: the name of a Snowball stemmer; None for words as they are.
        stop_words: words that are no terms, case-folded and unstemmed.
        version: of the rules by which the documents were cut; 1 for those of before.
    """

    language: str | None
    stop_words: frozenset[str]
    version: int = VERSION

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
        return {"language": self.language, "stop_words": self.stop_words, "version": self.version}

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
    """A text in lower case (Unicode's case folding) and normal form (NFKC), without points; digits are ASCII's."""
    if text.isascii():
        return text.lower()
    folded = POINTS.sub("", _normal(_normal(text).casefold())).replace("ı", "i")
    return _DIGIT.sub(lambda digit: str(int(digit[0])), folded)


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
