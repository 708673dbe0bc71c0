r"""Light markup: reStructuredText, AsciiDoc, Org, Textile and TeX. The words stay on their lines; the marks go.

Parsers for them exist (docutils, pylatexenc), and give no lines: a hit could not say where in the file it is.
docutils also takes 0.6 s for a file of 1 MB, and reports what it does not know instead of passing over it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from re import MULTILINE

from textae.corpus import formats
from textae.corpus.formats import Given
from textae.corpus.reading import Item
from textae.types import FieldValue

Rules = tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]
"""Patterns, and what stands for each of their matches, in order. None of them takes the end of a line away."""

_EMPHASIS = re.compile(r"(?<![\w*_`=~/+@])([*_`=~/+@]{1,2})(?=\S)([^\n]{1,500}?)(?<=\S)\1(?!\w)")


def _rules(*rules: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern, MULTILINE), new) for pattern, new in rules)


_RST = _rules(
    (r"^\.\. (?:note|warning|tip|important|caution|hint|attention|danger|error|seealso|admonition|topic|rubric|only|"
     r"deprecated|versionadded|versionchanged)::[ \t]*", ""),
    (r"^[ \t]*\.\. .*$", ""),  # other directives, targets and comments
    (r"^[ \t]+:[\w -]+:.*$", ""),  # options
    (r"^([!-/:-@\[-`{-~])\1{2,}[ \t]*$", ""),  # lines under headings
    (r":[a-zA-Z][\w:+.-]{0,50}:`[~!]?([^`<\n]{0,500}?)(?:[ \t]{0,9}<[^<>`\n]{0,500}>)?`", r"\1"),  # roles
    (r"`([^`<\n]{1,500}?)[ \t]{0,9}<[^<>`\n]{0,500}>`__?", r"\1"),  # links
    (r"`([^`\n]+)`__?", r"\1"),
    (r"\|([^|\n]{1,100})\|_?", r"\1"),
    (r"::[ \t]*$", ":"),
)  # fmt: skip
_ADOC = _rules(
    (r"^(?:-{4,}|={4,}|\.{4,}|\*{4,}|_{4,}|\+{4,}|/{4,}|\|===|--|'''|<<<)[ \t]*$", ""),
    (r"^//.*$|^:!?[\w-]+!?:.*$|^\[[^\]\n]*\][ \t]*$|^(?:include|ifdef|ifndef|ifeval|endif|toc)::.*$|^\+$", ""),
    (r"^=+[ \t]+|^\.(?=\w)|^[*.]+[ \t]+", ""),
    (r"(?:image|video|audio)::?[^\[\s]*\[([^\],\n]*)[^\]\n]*\]", r"\1"),
    (r"(?:link:|xref:|mailto:|https?://)[^\s\[]*\[([^\],\n]*)[^\]\n]*\]", r"\1"),
    (r"<<(?:[^,<>\n]{0,200},)?([^,<>\n]{0,500})>>", r"\1"),
)  # fmt: skip
_ORG = _rules(
    (r"^[ \t]*#\+.*$|^[ \t]*# .*$|^[ \t]*:[\w-]+:.*$|^[ \t]*\|[-+]+\|?[ \t]*$", ""),
    (r"^\*+[ \t]+(?:(?:TODO|DONE|WAITING|NEXT)[ \t]+)?(?:\[#\w\][ \t]+)?", ""),
    (r"(?<![ \t])[ \t]+:[\w@:]+:[ \t]*$", ""),
    (r"\[\[[^\[\]\n]*\]\[([^\[\]\n]*)\]\]", r"\1"),
    (r"\[\[([^\[\]\n]*)\]\]", r"\1"),
)
_TEXTILE = _rules(
    (r"^(?:h[1-6]|p|bq|bc|pre|notextile|fn\d+)(?:[({\[][^)}\]\n]*[)}\]]|[<>=]+)*\.{1,2}[ \t]+", ""),
    (r"^[*#]+[ \t]+", ""),
    (r'"([^"\n]{1,500})":[^\s)]+', r"\1"),
    (r"!(?:[({\[][^)}\]\n]{0,99}[)}\]])?[^\s!]{1,500}!(?::\S+)?", ""),
    (r"\|(?:_|[\\/]\d|[<>=^~])*\.[ \t]*", "| "),
)
_TEX = _rules(
    (r"(?<!\\)%.*$", ""),
    (r"\\(?:begin|end)\s{0,9}\{[^{}\n]*\}(?:\[[^\]\n]*\])?", " "),
    (r"\\(?:cite\w*|ref|eqref|autoref|cref|Cref|pageref|label|includegraphics|input|include|bibliography\w*|usepackage|"
     r"documentclass|pagestyle|thispagestyle|vspace|hspace|setlength|setcounter|newcommand|renewcommand|graphicspath)"
     r"\*?(?:\[[^\]\n]*\])*(?:\{[^{}\n]*\})*", " "),
    (r"\\href\s?\{[^{}\n]*\}", ""),
    (r"\\item\b\s?(?:\[([^\]\n]*)\])?", r"\1 "),
    (r"\\\\(?:\[[^\]\n]*\])?", " "),
    (r"\\([%&$#_{} ])", r"\1"),
    (r"\\[a-zA-Z@]+\*?(?:\[[^\]\n]*\])?[ \t]?", ""),
    (r"(?<!\\)[{}$]", ""),
    ("---", "—"), ("--", "–"), ("``|''", '"'), ("(?<!\\\\)~", " "),
)  # fmt: skip
_LANGUAGES = {".rst": _RST, ".rest": _RST, ".adoc": _ADOC, ".asciidoc": _ADOC, ".asc": _ADOC, ".org": _ORG,
              ".textile": _TEXTILE, ".tex": _TEX, ".ltx": _TEX, ".latex": _TEX}  # fmt: skip

_TITLES = {
    ".rst": r"^(?:([!-/:-@\[-`{-~])\1{2,}[ \t]*\n[ \t]*(?P<a>\S.*)\n\1{3,}|"
    r"(?P<b>\S.*)\n([!-/:-@\[-`{-~])\4{2,})[ \t]*$",
    ".adoc": r"^=+[ \t]+(?P<a>.+)$",
    ".org": r"^#\+TITLE:[ \t]*(?P<a>.+)$",
    ".textile": r"^h[1-6](?:[({\[][^)}\]\n]*[)}\]])*\.[ \t]+(?P<a>.+)$",
    ".tex": r"\\title\s?(?:\[[^\]\n]*\])?\{(?P<a>(?:[^{}]|\{[^{}]{0,200}\}){1,500})\}",
}
_SECOND_TITLES = {
    ".org": r"^\*+[ \t]+(?:TODO[ \t]+|DONE[ \t]+)?(?P<a>.+?)(?:[ \t]+:[\w@:]+:)?$",
    ".tex": r"\\(?:chapter|section)\*?\{(?P<a>[^{}\n]+)\}",
}
_SAME = {".rest": ".rst", ".asciidoc": ".adoc", ".asc": ".adoc", ".ltx": ".tex", ".latex": ".tex"}
_ORG_FIELDS = re.compile(r"^#\+(AUTHOR|DATE|FILETAGS|KEYWORDS|DESCRIPTION):[ \t]*(.+)$", MULTILINE | re.IGNORECASE)

_ACCENTS = {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "=": "\u0304", ".": "\u0307",
            "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "r": "\u030a", "k": "\u0328"}  # fmt: skip
_ACCENTED = re.compile(r"\\(?:([`'^~\"=.])\s?|([cvuHrk])(?=[\s{]))\s?(?:\{\\?([a-zA-Z])\s?\}|\\?([a-zA-Z]))")
_LETTERS = {"ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "o": "ø", "O": "Ø", "l": "ł",
            "L": "Ł", "i": "ı"}  # fmt: skip

_LETTER = re.compile(rf"\\({'|'.join(_LETTERS)})(?![a-zA-Z])\s?(?:\{{\}})?")


def read(given: Given) -> Iterator[Item]:
    """The document of a file."""
    text = given.text().replace("\r\n", "\n")
    language = _SAME.get(given.ending, given.ending)
    title = _title(text, language)
    fields: dict[str, FieldValue] = {}
    if language == ".org":
        fields = {name.lower(): value.strip() for name, value in _ORG_FIELDS.findall(text)}
    yield given.document(title, [formats.lines(plain(text, language))], fields)


def plain(text: str, language: str) -> str:
    """The words of a text, line by line; `language` is an ending."""
    if language == ".tex":
        text = _LETTER.sub(lambda letter: _LETTERS[letter[1]], _ACCENTED.sub(_accented, _body_of_tex(text)))
    for pattern, new in _LANGUAGES[language]:
        text = pattern.sub(new, text)
    if language != ".tex":
        text = _EMPHASIS.sub(r"\2", text)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _title(text: str, language: str) -> str:
    for titles in (_TITLES, _SECOND_TITLES):
        if language in titles and (match := re.search(titles[language], text, MULTILINE | re.IGNORECASE)):
            found = next(filter(None, match.groupdict().values()))
            return plain(found, language).strip()
    return ""


def _body_of_tex(text: str) -> str:
    """The text without what stands before and behind the document, of which the ends of lines are left."""
    start = re.search(r"\\begin\s?\{document\}", text)
    end = re.search(r"\\end\s?\{document\}", text)
    body = text[start.end() if start else 0 : end.start() if end else len(text)]
    return "\n" * text.count("\n", 0, start.end() if start else 0) + body


def _accented(match: re.Match[str]) -> str:
    letter = match[3] or match[4]
    return unicodedata.normalize("NFC", letter + _ACCENTS[match[1] or match[2]])
