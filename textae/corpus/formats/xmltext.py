"""XML without a reader of its own: what stands between the tags, on the lines where it stands in the file."""

from collections.abc import Iterator

from textae.corpus import formats, reading
from textae.corpus.decoding import decode
from textae.corpus.formats import Given, markupxml
from textae.corpus.reading import Item, RefusedError

_UNSEEN = ("script", "style", "binary")  # of SVG and of FictionBook


def read(given: Given) -> Iterator[Item]:
    """The document of an XML file."""
    content = reading.whole(given.stream, given.longest)
    collector = _Lines()
    try:
        collector.parse(content)
    except RefusedError:  # declared to be in an encoding that expat does not know
        collector = _Lines()
        collector.parse(decode(content).text)
    text = "\n".join(line.strip() for line in "".join(collector.pieces).split("\n"))
    yield given.document(collector.title, [formats.lines(text)])


class _Lines:
    """The characters of a file, each on its line, and the first title."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.title = ""
        self._line = 1
        self._open: list[str] = []
        self._parser = markupxml.new_parser()
        self._parser.buffer_text = False  # else the line would be that at which the buffer is full
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.CharacterDataHandler = self._characters

    def parse(self, content: bytes | str) -> None:
        markupxml.parse(self._parser, content, is_last=True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(markupxml.local(name))
        self.pieces.append(" ")
        if text := attributes.get("text"):  # of OPML
            self._characters(f"{text} ")

    def _end(self, name: str) -> None:
        if self._open.pop() == "title" and self.title.strip():
            self.title = self.title.strip() + "\n"  # which ends it
        self.pieces.append(" ")

    def _characters(self, text: str) -> None:
        if any(name in _UNSEEN for name in self._open):
            return
        line = self._parser.CurrentLineNumber
        self.pieces.append("\n" * (line - self._line))
        self.pieces.append(text)
        self._line = max(line, self._line) + text.count("\n")
        if "title" in self._open and not self.title.endswith("\n"):
            self.title += text
