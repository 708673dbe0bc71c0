r"""Manual pages in roff, with the macros of man(7) or mdoc(7): the words on their lines, without requests and escapes.

The title is that of `.TH` or `.Dt` and what NAME says: `LS(1): list files`. A file named like a page that has none is
read as plain text, such as `syslog.1`. mandoc and groff lay pages out, and are programs that a laptop need not have.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from textae.corpus import formats
from textae.corpus.formats import Given
from textae.corpus.reading import Item, RefusedError

_IS_PAGE = re.compile(r"^[.'][ \t]*(?:TH|Dd|Dt|so|SH|Sh)\b", re.MULTILINE)
_TITLE = re.compile(r"^\.[ \t]*(TH|Dt)[ \t]+(.+)$", re.MULTILINE)
_DESCRIPTION = re.compile(r"(?:^|[ \t])[-–—]{1,2}[\s\\]+(\S[^\n]{2,150})", re.MULTILINE)  # in the section NAME
_ND = re.compile(r"^\.[ \t]*Nd[ \t]+([^\n]{3,150})", re.MULTILINE)
_REFERENCE = re.compile(r"^\.[ \t]*so[ \t]+(\S+)", re.MULTILINE)
_REQUEST = re.compile(r"^[.'][ \t]*")
_WORD = re.compile(r'"((?:[^"]|"")*)"?|(\S+)')

_ESCAPE = re.compile(
    r"""\\(?:
        f(?:\[[^\]\n]{0,99}\]|\(..|.) | s[-+]?(?:\(\d\d|\[[^\]\n]{0,99}\]|'[^'\n]{0,99}'|\d{1,2}) | m\[[^\]\n]{0,99}\] |
        \*(?:\[(?P<long_string>[^\]\n]{0,99})\]|\((?P<string>..)|.) | n[-+]?(?:\[[^\]\n]{0,99}\]|\(..|.) |
        [hvwloLDbxXZ]'[^'\n]{0,99}' |
        \((?P<short>..) | \[(?P<long>[^\]\n]{0,99})\] | (?P<one>.)
    )""",
    re.VERBOSE,
)
_ONE = {"e": "\\", "~": " ", "0": " ", "'": "´", "t": " "}
_SILENT = frozenset("&|^%:!{},/)?")  # of the others, letters are steps and marks, and what is no escape is itself
_GLYPHS = {"em": "—", "en": "–", "hy": "-", "mi": "-", "aq": "'", "dq": '"', "lq": "“", "rq": "”", "oq": "‘", "cq": "’",
           "bu": "•", "co": "©", "rg": "®", "tm": "™", "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "/o": "ø",
           "/O": "Ø", "oA": "Å", "oa": "å", "ti": "~", "ha": "^", "ga": "`", "rs": "\\", "bv": "|", "ba": "|",
           "->": "→", "<-": "←", ">=": "≥", "<=": "≤", "!=": "≠", "mu": "×", "+-": "±", "de": "°", "sc": "§", "eu": "€",
           "Po": "£", "L\"": "“", "R\"": "”", "Fo": "«", "Fc": "»", "r!": "¡", "r?": "¿",
           "Aq": "'", "C+": "C++", "--": "—"}  # fmt: skip
_ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", ":": "\u0308", "~": "\u0303", ",": "\u0327"}

_TEXT = {"SH", "SS", "B", "I", "SM", "SB", "Sh", "Ss", "Nd", "UR", "MT", "SY", "OP", "URL", "MTO"}
_FIRST = {"IP", "Ip"}  # of whose arguments the first is text
_ALTERNATING = {"BR", "RB", "BI", "IB", "IR", "RI"}
_MDOC = re.compile(  # the macros that may stand inside of a line of another
    r"A[dopqrc]|B[coqx]|Br[coq]|Cd|Cm|D[1coqlvx]|E[cmnorv]|F[acnlort]|Fx|Ic|It|L[ikp]|M[est]|N[domsx]|O[cops]|Ox|"
    r"P[acfopq]|Q[cloq]|S[chmoqstxy]|T[dn]|U[dx]|V[at]|X[cor]"
)
_IGNORED = ("Bd", "Bl", "Bk", "Dd", "Dt", "Ed", "Ef", "Ek", "El", "Fd", "In", "Lb", "Os", "Rs", "Re", "Sm", "TH")
_SKIPPED = ("de", "de1", "am", "ig")  # definitions and comments, up to a line `..`


def read(given: Given) -> Iterator[Item]:
    """The document of a manual page."""
    text = given.text()
    if not _IS_PAGE.search(text):
        yield given.document("", [formats.lines(text)])
        return
    title = ""
    if match := _TITLE.search(text):
        name, section = [*map(_unescaped, _words(match[2])), ""][:2]
        title = f"{name}({section})" if section else name
    page = _Page(is_mdoc=bool(match and match[1] == "Dt"))
    body = "\n".join(map(page.line, text.replace("\r\n", "\n").split("\n")))
    if not body.strip() and _REFERENCE.search(text):
        raise RefusedError("refers to another page")
    of_name = _ND.search(text) or _DESCRIPTION.search("\n".join(body.lstrip("\\ \n").split("\n", 6)[:6]))
    if title and of_name:
        title += ": " + _unescaped(of_name[1]).strip('" ')
    yield given.document(title, [formats.lines(body)])


@dataclass
class _Page:
    """Reads the lines of a page, one after the other."""

    is_mdoc: bool
    name: str = ""  # of the program, which `.Nm` repeats
    _end: str = ""  # of what is skipped
    _is_format: bool = field(default=False)  # whether the lines of a table are its format

    def line(self, line: str) -> str:
        if self._end:
            self._end = "" if _REQUEST.sub(".", line.strip()) == self._end else self._end
            return ""
        if line[:1] not in (".", "'"):
            if self._is_format:
                self._is_format = not line.rstrip().endswith(".")
                return ""
            return _unescaped(line).replace("\t", " ")
        request, _, rest = line[1:].lstrip().partition(" ")
        if request.startswith(_SKIPPED) and request in _SKIPPED:
            names = _words(rest)
            self._end = f".{names[1]}" if len(names) > 1 else ".."
            return ""
        if request == "TS":
            self._is_format = True
        if self.is_mdoc:
            return "" if request in _IGNORED else self._mdoc([request, *_words(rest)])
        words = [_unescaped(word) for word in _words(rest)]
        if request in _ALTERNATING:
            return "".join(words)
        if request in _FIRST:
            words = words[:1]
        return " ".join(words) if request in _TEXT | _FIRST else ""

    def _mdoc(self, words: list[str]) -> str:
        """The words of a line without the macros in it; flags have their hyphen, and references their section."""
        if not _MDOC.fullmatch(words[0]):
            return ""
        if words[0] == "Nm":
            self.name = self.name or (words[1] if len(words) > 1 else "")
            words = words if len(words) > 1 else ["Nm", self.name]
        if words[0] == "Xr" and len(words) > 2:
            words = ["No", f"{words[1]}({words[2]})", *words[3:]]
        said: list[str] = []
        hyphen = ""
        for word in words:
            if _MDOC.fullmatch(word):
                hyphen = "-" if word == "Fl" else hyphen if word == "Ns" else ""
            elif len(word) == 1 and word in ".,:;)]|?!" and said:
                said[-1] += word
            else:
                said.append(hyphen + _unescaped(word))
                hyphen = ""
        return " ".join(said)


def _words(arguments: str) -> list[str]:
    r"""The arguments of a macro: words, or strings between quotes; `\"` begins a comment."""
    arguments = re.split(r'(?<!\\)\\"', arguments)[0]
    return [match[1].replace('""', '"') if match[2] is None else match[2] for match in _WORD.finditer(arguments)]


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_meaning, re.split(r'(?<!\\)\\"|(?<!\\)\\#', text)[0])


def _meaning(escape: re.Match[str]) -> str:
    if escape["one"]:
        one = escape["one"]
        return _ONE.get(one, "" if one in _SILENT or one.isalpha() else one)
    name = escape["short"] or escape["long"] or escape["string"] or escape["long_string"] or ""
    if re.fullmatch("u[0-9A-F]{4,6}", name) and int(name[1:], 16) < 0x110000:
        return chr(int(name[1:], 16))
    if name in _GLYPHS:
        return _GLYPHS[name]
    if len(name) == 2 and name[0] in _ACCENTS:
        return unicodedata.normalize("NFC", name[1] + _ACCENTS[name[0]])
    return name if len(name) == 1 else ""
