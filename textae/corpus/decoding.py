"""Bytes → text, in whichever encoding they are.

    1. a byte order mark                     UTF-8, UTF-16, UTF-32
    2. the encoding that the file declares   by the labels and the tables of browsers (WHATWG Encoding)
    3. UTF-8                                 where all bytes are valid
    4. a guess                               from 64 KiB that are not UTF-8: by alphabets, or charset-normalizer

A declaration that cannot be true is not believed: `us-ascii` of bytes above 127; windows-1252, which any bytes are, of
valid UTF-8; UTF-8 of bytes that are not. What is guessed is marked as such.
"""

import codecs
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from textae.corpus.reading import BINARY, RefusedError

GUESSED = "encoding guessed"
"""What is counted of documents whose encoding was guessed."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before that of UTF-16, with which it begins
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_FIRST = {mark[:1] for mark in _MARKS}
_XML = re.compile(rb"""\s*<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]+)""")
_COOKIE = re.compile(rb"(?:.*\n)?[^\n]{0,200}?coding[:=][ \t]*([\w.-]+)")  # of Python (PEP 263), Emacs and Vim
_JAPANESE = re.compile(rb"\x1b\$[@B]")  # of ISO-2022-JP, whose other bytes are ASCII

_HEAD = 1 << 10  # bytes in which a text names its encoding
_BAD = 0.02  # of the characters of a text, at most
_SHORTEST = 40  # characters of UTF-16 in which chance would have one that is no letter
_SAMPLE = 1 << 16  # bytes that a guess is made from
_FEW = 5  # bytes above 127; of fewer, as in "20 °C", no guess is better than the usual encoding
_USUAL = "cp1252"
_OF_THE_WEST = "áéíñóúüªº ãáàâçéêíóôõúüªº äöüßé àâæçéèêëîïôœùûüÿ àèéìíîòóùú áàçéèíïóòúü äåéö æåøéóòôâ áéíóúàèëïöüê"
_OF_THE_EAST = "ąćęłńóśźż áčďéěíňóřšťúůýž áéíóöőúüű čćđšž áâăîşţ áäčďéíĺľňóôŕšťúýž"
_ALPHABETS = (
    (_USUAL, _OF_THE_WEST),
    ("cp1254", "çğıiöşüâîû"),
    ("cp1250", _OF_THE_EAST),
    ("iso8859_2", _OF_THE_EAST),
    ("cp1257", "āčēģīķļņšūž ąčęėįšųūž äõöüšž"),
    (_USUAL, "áðéíóúýþæö"),
    ("cp850", _OF_THE_WEST),
    ("mac_roman", _OF_THE_WEST),
)
"""Encodings, and the letters beyond ASCII of languages that are written in them; of two equal ones the first wins."""
_OTHERS = (
    *("cp1251", "koi8_r", "koi8_u", "cp932", "gb18030", "euc_jp", "cp949", "big5hkscs"),
    *("cp1253", "iso8859_7", "cp1255", "cp1256", "cp874", "iso8859_5", "cp866"),
)
"""The encodings that a guess may give; of equally good ones it gives the first."""

_HIGH = re.compile(rb"[\x80-\xff]+")
_BEYOND = re.compile(r"[^\x00-\x7f]")
_CYRILLIC = (re.compile("[аеёиоуыэюяєії]", re.IGNORECASE), 0.27)  # vowels, and their share of the letters, at least
_KOI8 = (re.compile("[аеёиоуыэюяєії]"), 0.2)  # small ones: another encoding gives capitals
_GREEK = (re.compile("[άέήίόύώΆΈΉΊΌΎΏ]"), 0.05)  # a word of two syllables has an accent
_USUAL_LETTERS = {
    "cp1251": _CYRILLIC,
    "koi8_r": _KOI8,
    "koi8_u": _KOI8,
    "iso8859_5": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1253": _GREEK,
    "iso8859_7": _GREEK,
    "cp932": (re.compile("[^\x00-\x7f\uff61-\uff9f]"), 0.5),  # katakana of half the width are rare
    "gb18030": (re.compile("[^\x00-\x7f\u3041-\u30ff]"), 0.9),  # kana are of Japanese
}
_ANY = (re.compile(""), 0.0)
_IN_WORDS = "’´·–—"
_CONTROL = re.compile("[\x01-\x06\x0e-\x1a\x1c-\x1f]")
_SUPERSETS = {"gbk": "gb18030", "iso2022_jp": "iso2022_jp_ext"}  # which texts of that name are written in
_NO_ENCODINGS = {"ascii", "idna", "punycode", "unicode-escape", "raw-unicode-escape"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of bytes.

    Attributes:
        text: without a byte order mark; bytes that are invalid in the encoding are U+FFFD.
        encoding: the name of Python's codec.
        guessed: whether nothing but the bytes themselves tells the encoding, and it is not UTF-8.
    """

    text: str
    encoding: str
    guessed: bool = False

    @property
    def notice(self) -> str:
        """For the document: that the encoding was guessed, or ""."""
        return GUESSED if self.guessed else ""


def decode(content: bytes, declared: str = "") -> Decoded:
    """The text of bytes.

    Args:
        content: the bytes, with or without a byte order mark.
        declared: the label of their encoding, where a header tells it; "" or an unknown one counts as none.

    Raises:
        RefusedError: they are no text.
    """
    for mark, encoding in _MARKS.items() if content[:1] in _FIRST else ():
        if content.startswith(mark):
            text = content[len(mark) :].decode(encoding, "replace")
            if text.count("\ufffd") > 1 + _BAD * len(text):  # one is cut in half at the end
                raise RefusedError(BINARY)
            return _checked(Decoded(text, encoding))
    encoding = codec(declared) or _sniffed(content[:_HEAD])
    if encoding not in ("", "utf-8", _USUAL):
        text = content.decode(encoding, "replace")
        if "\ufffd" not in text:
            return _checked(Decoded(text, encoding))
    if b"\0" in content:
        return _utf16(content)
    if b"\x1b" in content and not encoding and _JAPANESE.search(content):
        return Decoded(content.decode("iso2022_jp_ext", "replace"), "iso2022_jp_ext", guessed=True)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        text = content.decode(encoding, "replace") if encoding else ""
        if text and encoding != "utf-8" and text.count("\ufffd") <= _BAD * len(text):
            return _checked(Decoded(text, encoding))
        return _guessed(content, error.start)
    return Decoded(text, "utf-8", guessed=encoding not in ("", "utf-8") and not text.isascii())


@lru_cache
def codec(label: str) -> str:
    """The name of the codec of Python for a label, as browsers understand it, else as Python does; "" for none.

    ASCII is none: a text that declares it, and has other bytes, declares nothing.
    """
    if not label:
        return ""
    import webencodings  # 2 ms, and only for what declares its encoding

    try:
        "".encode(label)  # refuses codecs of other things than text, such as base64
        name = codecs.lookup(label).name  # also of mail alone, such as UTF-7 and ISO-2022-KR
    except (LookupError, ValueError):
        name = ""
    known = webencodings.lookup(label)
    if known and known.name not in ("replacement", "x-user-defined") and name != "ascii":
        name = known.codec_info.name
    return "" if name in _NO_ENCODINGS else _SUPERSETS.get(name, name)


def _sniffed(head: bytes) -> str:
    """The codec that the first lines of a text name; "" for none."""
    found = (b"coding" in head) and (_XML.match(head) or _COOKIE.match(head))
    encoding = codec(found[1].decode()) if found else ""
    return "" if encoding.startswith("utf-16") else encoding  # of which nobody could read such a line


def _utf16(content: bytes) -> Decoded:
    """The text of UTF-16 without a mark, by the blocks of 256 that its letters are of.

    They are of one or two, such as ASCII and Greek, or, in Chinese and Japanese, of many where all are letters.
    """
    counts = {"utf-16-le": Counter(content[1:_SAMPLE:2]), "utf-16-be": Counter(content[:_SAMPLE:2])}
    encoding, blocks = min(counts.items(), key=lambda count: len(count[1]))
    text = content.decode(encoding, "replace")
    is_narrow = sum(n for _, n in blocks.most_common(2)) > 0.9 * blocks.total()
    if len(content) % 2 == 0 and blocks[0] and (is_narrow or _is_wide(text[: _SAMPLE // 2])):
        return _checked(Decoded(text, encoding, guessed=True))
    raise RefusedError(BINARY)


def _is_wide(text: str) -> bool:
    """Whether a text of some length has no control character, and none that Unicode lacks; a sixth of all are."""
    letters = set(text) - set("\t\r\n")
    return len(text) >= _SHORTEST and all(unicodedata.category(one)[0] != "C" and one != "\ufffd" for one in letters)


def _guessed(content: bytes, start: int) -> Decoded:
    """The likeliest text of bytes that are not UTF-8, of which one at `start` is the first."""
    text = content.decode("utf-8", "replace")
    invalid, ascii = text.count("\ufffd"), len(text.encode("ascii", "ignore"))
    if invalid * 10 < len(text) - ascii:  # a letter cut in half, in a text of UTF-8
        return Decoded(text, "utf-8", guessed=True)
    start = max(content.rfind(b"\n", 0, start) + 1, start - _SAMPLE // 2)
    sample = content[start : start + _SAMPLE]
    sample = sample[: sample.rfind(b"\n", _SAMPLE // 2) + 1] or sample  # whole letters
    encoding = _likeliest(sample)
    return _checked(Decoded(content.decode(encoding, "replace"), encoding, guessed=True))


def _likeliest(sample: bytes) -> str:
    latin = _latin(sample)
    runs = _HIGH.findall(sample)
    high = sum(map(len, runs))
    if high < _FEW or high <= 2 * len(runs):  # letters of other scripts stand beside each other
        return latin
    from charset_normalizer import from_bytes  # 0.1 s, and only where a guess is needed

    likely = [latin, *(encoding for encoding in _OTHERS if _is_usual(sample, encoding))]
    matches = list(from_bytes(sample, cp_isolation=likely, threshold=0.5))
    if not matches:
        return latin
    # A match stands for all encodings that give the same text. Chaos is what no text has, coherence what a language
    # has, both from 0 to 1; small differences decide nothing.
    sane = min(match.chaos for match in matches) + 0.03
    matches = [match for match in matches if match.chaos <= sane]
    coherent = max(match.coherence for match in matches) - 0.12
    names = {name for match in matches if match.coherence >= coherent for name in match.could_be_from_charset}
    return next((name for name in likely if name in names), latin)


def _latin(sample: bytes) -> str:
    """The encoding of the language of Europe whose alphabet has most of the letters.

    `charset_normalizer` compares how frequent letters are, and takes `señor` for Polish, and Turkish for Icelandic.
    """
    best, most = _USUAL, -1
    texts = {encoding: sample.decode(encoding, "replace") for encoding, _ in _ALPHABETS}
    letters = {encoding: _plausible(text) for encoding, text in texts.items()}
    for encoding, alphabets in _ALPHABETS:
        for alphabet in alphabets.split():
            count = letters[encoding][""] + sum(letters[encoding][letter] for letter in alphabet)
            if count > most:
                best, most = encoding, count
    return best


def _plausible(text: str) -> Counter[str]:
    """How often a text has each letter beyond ASCII where it can stand in a word; as "", how often other marks."""
    counts: Counter[str] = Counter()
    for match in _BEYOND.finditer(text):
        before, letter, after = (
            text[max(0, match.start() - 1) : match.start()],
            match[0],
            text[match.end() : match.end() + 1],
        )
        if letter.isalpha():
            is_plausible = not (letter.isupper() and before.islower())
            letter = letter.lower()[0]
        else:
            in_word = before.isalpha() and after.isalpha() and letter not in _IN_WORDS
            is_plausible = letter == "\xad" or not (in_word or unicodedata.category(letter)[0] == "C")
            letter = ""
        counts[letter] += is_plausible and letter != "\ufffd"
    return counts


def _is_usual(sample: bytes, encoding: str) -> bool:
    """Whether the text is likely: other bytes give rare syllables, narrow letters, and words without vowels."""
    text = sample.decode(encoding, "ignore")
    usual, least = _USUAL_LETTERS.get(encoding, _ANY)
    letters = _BEYOND.findall(text)
    if encoding == "cp949":
        return len(text.encode("euc_kr", "ignore").decode("euc_kr")) > 0.9 * len(text)
    return len(usual.findall(text)) >= least * len(letters)


def _checked(decoded: Decoded) -> Decoded:
    """What was decoded, unless it is no text, but has NUL or many control characters."""
    sample = decoded.text[:_SAMPLE]
    if "\0" in sample or len(_CONTROL.findall(sample)) > _BAD * len(sample):
        raise RefusedError(BINARY)
    return decoded
