"""The paragraphs of XML documents, in one pass by expat. It bounds what entities expand to, since its version 2.4.1.

Names are compared without their prefix: `w:p` and `text:p` are both `p`. So a file with a namespace that is not
declared is read too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from textae.corpus import reading
from textae.corpus.reading import RefusedError

_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Grammar:
    """Which elements of a format hold its text.

    Attributes:
        blocks: each is a paragraph.
        text: whose characters are text; all characters of a block where there are none.
        skipped: left out with all that is in them.
        blanks: what stands for an empty element, as a tab.
        breaks: where a part of the document begins, as a page or a slide.
        style: the element and the attribute that name the style of the block around it or behind it.
        restyled: the elements at which the style ends.
    """

    blocks: frozenset[str]
    text: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    blanks: Mapping[str, str] = field(default_factory=dict)
    breaks: frozenset[str] = frozenset()
    style: tuple[str, str] = ("", "")
    restyled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or the beginning of a part.

    Attributes:
        element: its name.
        text: of a paragraph; of a beginning the value of its attribute `name`.
        style: the name of its style; "" where it has none.
        is_break: whether it is the beginning of a part.
    """

    element: str
    text: str
    style: str = ""
    is_break: bool = False


def blocks(stream: IO[bytes], grammar: Grammar) -> Iterator[Block]:
    """The paragraphs of a document, and where its parts begin.

    Raises:
        RefusedError: it is not well-formed.
    """
    collector = _Collector(grammar)
    parser = new_parser()
    parser.StartElementHandler, parser.EndElementHandler = collector.start, collector.end
    parser.CharacterDataHandler = collector.characters
    for piece in iter(lambda: stream.read(_PIECE), b""):
        parse(parser, piece)
        yield from collector.taken()
    parse(parser, b"", is_last=True)
    yield from collector.taken()


def new_parser() -> expat.XMLParserType:
    """A parser that passes over entities that no part of the file declares, such as those of XHTML."""
    parser = expat.ParserCreate()
    parser.UseForeignDTD(True)
    parser.buffer_text = True
    return parser


def parse(parser: expat.XMLParserType, content: bytes | str, is_last: bool = False) -> None:
    """Feed a parser.

    Raises:
        RefusedError: the document is not well-formed.
    """
    try:
        parser.Parse(content, is_last)
    except (expat.ExpatError, ValueError) as error:  # ValueError: an encoding of several bytes
        raise RefusedError(reading.DAMAGED) from error


def local(name: str) -> str:
    """A name without its prefix."""
    return name.rpartition(":")[2]


class _Collector:
    """Makes blocks of what a parser finds."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._ready: list[Block] = []
        self._open: list[str] = []  # blocks, and elements of text
        self._pieces: list[str] = []
        self._style = ""
        self._skipped = 0  # elements inside of one that is left out

    def taken(self) -> list[Block]:
        ready, self._ready = self._ready, []
        return ready

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name, grammar = local(name), self._grammar
        if self._skipped or name in grammar.skipped:
            self._skipped += 1
            return
        if name in grammar.restyled:
            self._style = ""
        if name in grammar.breaks:
            self._end_block("")
            self._ready.append(Block(name, _attribute(attributes, "name"), is_break=True))
        if name in grammar.blocks:
            self._end_block(self._open[-1] if self._open else "")
            if grammar.style[0] == name:
                self._style = ""
        if name in grammar.blocks or name in grammar.text:
            self._open.append(name)
        if name == grammar.style[0]:
            self._style = _attribute(attributes, grammar.style[1])
        if name in grammar.blanks:
            self._pieces.append(grammar.blanks[name])

    def end(self, name: str) -> None:
        name = local(name)
        if self._skipped:
            self._skipped -= 1
            return
        if name in self._grammar.blocks:
            self._end_block(name)
        if self._open and self._open[-1] == name:
            self._open.pop()

    def characters(self, text: str) -> None:
        if not self._skipped and self._open and (not self._grammar.text or self._open[-1] in self._grammar.text):
            self._pieces.append(text)

    def _end_block(self, element: str) -> None:
        text = re.sub(r"[ \t]+", " ", "".join(self._pieces)).strip()
        self._pieces = []
        if text:
            self._ready.append(Block(element, text, self._style))


def _attribute(attributes: dict[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if local(key) == name), "")
