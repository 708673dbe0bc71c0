"""PDF, page by page, read by PDFium, the library that draws PDFs in Chrome.

The title is that of the metadata, else the largest text of the first page, else its first line. A line that stands at
the top or at the foot of most pages is left out after the first time. Words that are hyphenated at the end of a line
are joined.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from textae.corpus import formats, reading
from textae.corpus.formats import Given
from textae.corpus.reading import Item, RefusedError
from textae.types import FieldValue

_HYPHEN = re.compile("[\x02\ufffe\u00ad]\r?\n?")  # what PDFium puts for a hyphen at the end of a line
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?")
_PROGRAM = re.compile(
    r"^(?:Microsoft (?:Word|PowerPoint|Excel) - )|\.(?:docx?|pptx?|xlsx?|indd|tex|dvi|odt|pdf)$", re.I
)
_UNKNOWN = {"(anonymous)", "anonymous", "(unspecified)", "unspecified", "unknown"}
_NO_TITLE = {"", "untitled", "(untitled)", "none", "title", "document", "untitled document", *_UNKNOWN}
_HEAD = 3_000  # characters of the first page in which a title is looked for
_LONGEST_TITLE = 200
_NUMBER = re.compile(r"(?<!\d)\d{1,6}(?!\d)")
_REPEATED = 4  # pages with the same line at the top, at least


def read(given: Given) -> Iterator[Item]:
    """The document of a PDF."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(given.seekable())
    except pypdfium2.PdfiumError as error:
        raise RefusedError(formats.ENCRYPTED if "assword" in str(error) else reading.DAMAGED) from None
    try:
        metadata = {key: " ".join(value.split()) for key, value in pdf.get_metadata_dict(skip_empty=True).items()}
        pages: list[str] = []
        heading, size = "", 0
        for number in range(len(pdf)):
            text, largest = _page(pdf, number)
            heading = heading if number else largest
            pages.append(text)
            size += len(text)
            if size > reading.LONGEST:
                raise RefusedError(reading.TOO_LONG)
    finally:
        pdf.close()
    if not any(pages):
        raise RefusedError("scanned PDF: no text in it" if pages else reading.EMPTY)
    bodies = _without_repeated_lines(pages)
    title = _title(metadata.get("Title", "")) or heading or _first_line(pages)
    parts = (("page", str(number), text) for number, text in enumerate(bodies, start=1))
    yield given.document(title, parts, _fields(metadata) | {"pages": len(pages)})


def _page(pdf: Any, number: int) -> tuple[str, str]:
    """The text of a page, "" where it is damaged; of the first page also its largest text."""
    import pypdfium2

    try:
        page = pdf[number]
        words = page.get_textpage()
    except pypdfium2.PdfiumError:
        return "", ""
    text = _HYPHEN.sub("", words.get_text_range()).replace("\r\n", "\n").strip()
    largest = "" if number else _largest(words)
    words.close()
    page.close()
    return text, largest


def _largest(words: Any) -> str:
    """The first text in the largest letters; "" where all are of one size."""
    from pypdfium2.raw import FPDFText_GetFontSize

    n_characters = min(words.count_chars(), _HEAD)
    sizes = [round(FPDFText_GetFontSize(words, at), 1) for at in range(n_characters)]
    if not sizes or max(sizes) < 1.15 * sorted(sizes)[len(sizes) // 2]:
        return ""
    start = sizes.index(max(sizes))
    end = start
    while end < n_characters and (sizes[end] == sizes[start] or sizes[end] <= 1):  # of a blank it is 0 or 1
        end += 1
    text = " ".join(_HYPHEN.sub("", words.get_text_range(start, end - start)).split())
    return text if 3 <= len(text) <= _LONGEST_TITLE else ""


def _title(stated: str) -> str:
    title = _PROGRAM.sub("", stated).strip()
    return "" if title.lower() in _NO_TITLE else title


def _first_line(pages: list[str]) -> str:
    lines = (line.strip() for page in pages for line in page.split("\n"))
    return next((line[:_LONGEST_TITLE] for line in lines if sum(map(str.isalpha, line)) > 2), "")


def _without_repeated_lines(pages: list[str]) -> list[str]:
    """The pages without the running titles and the numbers of pages."""
    split = [page.split("\n") for page in pages]
    for place in (-1, 0):
        ends = _masked([lines[place] for lines in split])
        counts = Counter(filter(None, ends))
        seen: set[str] = set()
        for lines, end in zip(split, ends, strict=True):
            if counts[end] >= max(_REPEATED, len(pages) // 2) and len(lines) > 1:
                if end in seen:
                    del lines[place]
                seen.add(end)
    return ["\n".join(lines).strip() for lines in split]


def _masked(lines: list[str]) -> list[str]:
    """The lines, one of each page, with `#` for a number that grows with the pages; others, such as sums, are text."""
    lines = [line.strip() for line in lines]
    ahead = Counter(int(number) - page for page, line in enumerate(lines) for number in set(_NUMBER.findall(line)))
    for offset, times in ahead.most_common(1):
        if times >= _REPEATED:
            return [_with_mark(line, page) for page, line in enumerate(lines, start=offset)]
    return lines


def _with_mark(line: str, page: int) -> str:
    return _NUMBER.sub(lambda number: "#" if int(number[0]) == page else number[0], line)


def _fields(metadata: dict[str, str]) -> dict[str, FieldValue]:
    date = _DATE.match(metadata.get("CreationDate", ""))
    metadata = {name: value for name, value in metadata.items() if value.lower() not in _UNKNOWN}
    return {
        "author": metadata.get("Author", ""),
        "subject": metadata.get("Subject", ""),
        "keywords": metadata.get("Keywords", ""),
        "created": "-".join(filter(None, date.groups())) if date else "",
    }
