"""Mail that Outlook saved (MS-OXMSG), read by olefile; extract-msg, which does more, is under the GPL."""

from collections.abc import Iterator
from typing import Any

from textae.corpus import reading
from textae.corpus.formats import Given
from textae.corpus.html import html_parts
from textae.corpus.reading import Item, RefusedError
from textae.types import FieldValue

_SUBJECT, _FROM, _ADDRESS, _TO, _BODY, _HTML = "0037", "0C1A", "0C1F", "0E04", "1000", "1013"
_TIMES = (0x0039, 0x0E06)  # of sending and of delivery
_1601 = 11_644_473_600  # seconds from 1601, with which Windows' time starts, to 1970


def read(given: Given) -> Iterator[Item]:
    """The document of a message."""
    import olefile

    try:
        with olefile.OleFileIO(given.seekable()) as file:
            text = _string(file, _BODY) or html_parts(_string(file, _HTML))[1]
            sender = " ".join(filter(None, (_string(file, _FROM), _bracketed(_string(file, _ADDRESS)))))
            fields: dict[str, FieldValue] = {"from": sender, "to": _string(file, _TO), "date": _date(file)}
            title = _string(file, _SUBJECT)
    except (OSError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise RefusedError(reading.DAMAGED) from error
    if not (title or text.strip()):
        raise RefusedError(reading.EMPTY)
    yield given.document(title, [("", "", text.replace("\r\n", "\n").strip())], fields)


def _string(file: Any, property: str) -> str:
    """A property as text: of Unicode, of 8 bits, or of bytes."""
    for kind, encoding in (("001F", "utf-16-le"), ("001E", "cp1252"), ("0102", "utf-8")):
        name = f"__substg1.0_{property}{kind}"
        if file.exists(name):
            content = file.openstream(name).read(reading.LONGEST)
            return str(content.decode(encoding, "replace")).strip("\0 ")
    return ""


def _bracketed(address: str) -> str:
    return f"<{address}>" if "@" in address else ""


def _date(file: Any) -> str:
    """The time of the message from its fixed properties, of 16 bytes each behind a header of 32."""
    from datetime import UTC, datetime

    if not file.exists("__properties_version1.0"):
        return ""
    content = file.openstream("__properties_version1.0").read(1 << 16)
    entries = (content[start : start + 16] for start in range(32, len(content) - 15, 16))
    times = {int.from_bytes(one[2:4], "little"): int.from_bytes(one[8:], "little") for one in entries}
    ticks = next((times[name] for name in _TIMES if times.get(name)), 0)
    seconds = ticks // 10_000_000 - _1601
    return datetime.fromtimestamp(seconds, UTC).isoformat() if 0 < seconds < 1 << 35 else ""
