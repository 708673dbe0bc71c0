"""Rich Text Format, read by striprtf; also of files named `.doc`, which often are RTF."""

import re
from collections.abc import Iterator

from textae.corpus import reading
from textae.corpus.formats import Given
from textae.corpus.reading import Item, RefusedError

_INFORMATION = re.compile(rb"\{\\(title|author|subject|keywords) ([^{}]{1,1000})\}")
_CREATED = re.compile(rb"\{\\creatim\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")


def read(given: Given) -> Iterator[Item]:
    """The document of a file."""
    content = reading.whole(given.stream, given.longest)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise RefusedError("an old Word document; save it as .docx")
    if not content.lstrip().startswith(b"{\\rtf"):
        raise RefusedError(reading.DAMAGED if given.ending == ".rtf" else f"no Word document, but named {given.ending}")
    stated = {
        name.decode(): _plain(b"{\\rtf1 " + value + b"}") for name, value in _INFORMATION.findall(content[:65_536])
    }
    if created := _CREATED.search(content[:65_536]):
        stated["created"] = "{:04}-{:02}-{:02}".format(*map(int, created.groups()))
    text = _plain(content)
    yield given.document(stated.pop("title", ""), [("", "", text)], dict(stated))


def _plain(content: bytes) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(content.decode("latin-1"), errors="ignore"))
